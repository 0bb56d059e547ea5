/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk trace: looks at traces, and finishes those whose recorder was killed; `synth` is in
 * cmd_trace_synth.c, `convert` in cmd_trace_convert.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/cmd_trace_convert.h"
#include "cli/cmd_trace_synth.h"
#include "trace/spool.h"
#include "trace/trace.h"

static const char help[] =
    "Usage: nestwalk trace info [--json] [--verify] FILE\n"
    "       nestwalk trace dump [--stream=N] FILE\n"
    "       nestwalk trace recover -o TRACE TRACE.part\n"
    "       nestwalk trace synth -o TRACE [OPTION]...\n"
    "       nestwalk trace convert -o TRACE FILE\n"
    "\n"
    "info     print a trace's header, streams and totals; of a file that is cut short, how much "
    "of\n"
    "         it is whole\n"
    "dump     print every record of a stream as text\n"
    "recover  make a trace of what `nestwalk record` left behind when it was killed\n"
    "synth    make the trace of a program that does not exist (synth --help)\n"
    "convert  make a trace of one of lackey, ChampSim or DynamoRIO, or back (convert --help)\n"
    "\n"
    "      --json      info: one JSON object instead of text\n"
    "      --verify    info: read the whole file and check every checksum\n"
    "      --stream=N  dump: the stream (default 0)\n"
    "  -o, --output=TRACE  recover: the trace to write\n"
    "  -q, -v          taken as everywhere; there is no progress to silence or to tell\n"
    "      --help      this text\n"
    "\n"
    "Exit status: 0 success, 1 the result could not be written, 2 wrong usage or a bad file.\n"
    "\n"
    "Examples:\n"
    "  nestwalk trace info --verify sort.nwt\n"
    "  nestwalk trace dump --stream=1 sort.nwt | head\n";

struct options {
  const char *file;
  const char *output;
  uint32_t stream;
  bool json;
  bool verify;
};

static json_t *counts_json(const struct nw_trace_counts *counts) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "references",
                   (json_int_t)nw_trace_references(counts), "instructions",
                   (json_int_t)counts->instructions, "loads", (json_int_t)counts->loads, "stores",
                   (json_int_t)counts->stores, "syscalls", (json_int_t)counts->syscalls, "events",
                   (json_int_t)counts->events, "records", (json_int_t)counts->records);
}

/* A string of the recorded system, which need not be UTF-8: bytes that are not are replaced. */
static json_t *string_json(const char *string) {
  json_t *plain = json_string(string);
  if (plain != NULL)
    return plain;
  char *copy = strdup(string);
  for (char *at = copy; at != NULL && *at != '\0'; at++)
    if ((unsigned char)*at >= 0x80)
      *at = '?';
  plain = json_string(copy == NULL ? "" : copy);
  free(copy);
  return plain;
}

static json_t *stream_json(const struct nw_trace_stream *stream) {
  json_t *object = counts_json(&stream->counts);
  bool child = stream->parent != NW_TRACE_NO_STREAM;
  json_object_set_new(object, "stream", json_integer(stream->id));
  json_object_set_new(object, "pid", json_integer(stream->pid));
  json_object_set_new(object, "tid", json_integer(stream->tid));
  json_object_set_new(object, "parent", child ? json_integer(stream->parent) : json_null());
  json_object_set_new(object, "parent_word",
                      child ? json_integer((json_int_t)stream->parent_word) : json_null());
  json_object_set_new(object, "program", string_json(stream->program));
  json_object_set_new(object, "thread", json_boolean(stream->flags & NW_STREAM_THREAD));
  json_object_set_new(object, "killed", json_boolean(stream->flags & NW_STREAM_KILLED));
  json_object_set_new(object, "started", json_boolean(!(stream->flags & NW_STREAM_NOT_STARTED)));
  json_object_set_new(object, "chunks", json_integer(stream->chunks));
  return object;
}

static int print_json(const struct nw_trace *trace, bool verified) {
  const struct nw_trace_header *header = nw_trace_get_header(trace);
  json_t *root = counts_json(nw_trace_totals(trace));
  json_t *command = json_array();
  json_t *streams = json_array();
  for (size_t i = 0; i < header->argc; i++)
    json_array_append_new(command, string_json(header->argv[i]));
  for (uint32_t s = 0; s < nw_trace_stream_count(trace); s++)
    json_array_append_new(streams, stream_json(nw_trace_get_stream(trace, s)));
  json_object_set_new(root, "file", string_json(nw_trace_path(trace)));
  json_object_set_new(root, "bytes", json_integer((json_int_t)header->file_bytes));
  json_object_set_new(root, "version", json_integer(header->version));
  json_object_set_new(root, "architecture", string_json(header->architecture));
  json_object_set_new(root, "page_size", json_integer(header->page_size));
  json_object_set_new(root, "target", string_json(header->target));
  json_object_set_new(root, "recorder", string_json(header->recorder));
  json_object_set_new(root, "time", json_integer((json_int_t)header->time));
  json_object_set_new(root, "interrupted", json_boolean(header->flags & NW_TRACE_INTERRUPTED));
  json_object_set_new(root, "verified", json_boolean(verified));
  json_object_set_new(root, "command", command);
  json_object_set_new(root, "streams", streams);
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  putchar('\n');
  json_decref(root);
  return nw_cli_finish(NW_CLI_OK);
}

/* Prints a string of the recorded system; control characters would confuse a terminal. */
static void print_safe(const char *string) {
  for (; *string != '\0'; string++)
    putchar((unsigned char)*string < 0x20 || *string == 0x7f ? '?' : *string);
}

static void print_streams(const struct nw_trace *trace) {
  printf("\n%7s %7s %7s %7s %15s %15s %12s %12s %s\n", "stream", "parent", "pid", "tid",
         "references", "instructions", "loads", "stores", "program");
  for (uint32_t s = 0; s < nw_trace_stream_count(trace); s++) {
    const struct nw_trace_stream *stream = nw_trace_get_stream(trace, s);
    char parent[16] = "-";
    if (stream->parent != NW_TRACE_NO_STREAM)
      snprintf(parent, sizeof parent, "%" PRIu32, stream->parent);
    printf("%7" PRIu32 " %7s %7" PRIu32 " %7" PRIu32 " %15" PRIu64 " %15" PRIu64 " %12" PRIu64
           " %12" PRIu64 " ",
           s, parent, stream->pid, stream->tid, nw_trace_references(&stream->counts),
           stream->counts.instructions, stream->counts.loads, stream->counts.stores);
    print_safe(stream->program);
    if (stream->flags & NW_STREAM_THREAD)
      printf(" (thread)");
    if (stream->flags & NW_STREAM_KILLED)
      printf(" (killed)");
    if (stream->flags & NW_STREAM_NOT_STARTED)
      printf("(never started)");
    putchar('\n');
  }
}

static int print_text(const struct nw_trace *trace, bool verified) {
  const struct nw_trace_header *header = nw_trace_get_header(trace);
  const struct nw_trace_counts *totals = nw_trace_totals(trace);
  uint64_t references = nw_trace_references(totals);
  time_t start = (time_t)header->time;
  struct tm tm;
  char when[64] = "?";
  if (gmtime_r(&start, &tm) != NULL)
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
  printf("file          %s, %" PRIu64 " bytes, format %" PRIu32 "\n", nw_trace_path(trace),
         header->file_bytes, header->version);
  printf("command      ");
  for (size_t i = 0; i < header->argc; i++) {
    putchar(' ');
    print_safe(header->argv[i]);
  }
  printf("\narchitecture  %s, pages of %" PRIu32 " bytes\n", header->architecture,
         header->page_size);
  printf("recorded      %s by %s with %s%s\n", when, header->recorder, header->target,
         header->flags & NW_TRACE_INTERRUPTED ? ", interrupted" : "");
  printf("references    %" PRIu64 " (%.3f bytes each)\n", references,
         references == 0 ? 0.0 : (double)header->file_bytes / (double)references);
  printf("instructions  %" PRIu64 "\nloads         %" PRIu64 "\nstores        %" PRIu64 "\n",
         totals->instructions, totals->loads, totals->stores);
  printf("system calls  %" PRIu64 "\nevents        %" PRIu64 "\n", totals->syscalls,
         totals->events);
  printf("streams       %zu\n", nw_trace_stream_count(trace));
  printf("checksums     %s\n", verified ? "all good" : "of chunks not checked (--verify does)");
  print_streams(trace);
  return nw_cli_finish(NW_CLI_OK);
}

/* For a file that does not open: says what of it is whole. */
static void tell_salvage(const char *file) {
  struct nw_trace_salvage salvage;
  struct nw_trace_error stop;
  if (nw_trace_scan(file, &salvage, &stop) != NW_TRACE_OK)
    return;
  fprintf(stderr,
          "nestwalk: %s: of its %" PRIu64 " bytes, the first %" PRIu64 " are whole: %" PRIu64
          " chunks of %" PRIu32 " streams, %" PRIu64 " references\n",
          file, salvage.file_bytes, salvage.good_bytes, salvage.chunks, salvage.streams,
          nw_trace_references(&salvage.counts));
}

static bool is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int cmd_info(const struct options *options) {
  struct nw_trace *trace;
  struct nw_trace_error error;
  if (is_folder(options->file))
    return nw_cli_error(NW_CLI_USAGE,
                        "%s: a folder; if it is a recording that was killed, `nestwalk trace "
                        "recover` makes a trace of it",
                        options->file);
  if (nw_trace_open(options->file, &trace, &error) != NW_TRACE_OK) {
    nw_cli_error(NW_CLI_USAGE, "%s", error.message);
    if (error.result == NW_TRACE_TRUNCATED || error.result == NW_TRACE_DAMAGED)
      tell_salvage(options->file);
    return NW_CLI_USAGE;
  }
  int status;
  if (options->verify && nw_trace_verify(trace, &error) != NW_TRACE_OK) {
    status = nw_cli_error(NW_CLI_USAGE, "%s", error.message);
    tell_salvage(options->file);
  } else {
    status =
        options->json ? print_json(trace, options->verify) : print_text(trace, options->verify);
  }
  nw_trace_close(trace);
  return status;
}

static const char *const kind_names[] = {[NW_REC_BLOCK] = "block",
                                         [NW_REC_LOAD] = "load",
                                         [NW_REC_STORE] = "store",
                                         [NW_REC_SYSCALL] = "syscall"};
static const char *const event_names[] = {
    [NW_EVENT_MAP] = "map",   [NW_EVENT_UNMAP] = "unmap", [NW_EVENT_PROTECT] = "protect",
    [NW_EVENT_BRK] = "brk",   [NW_EVENT_REMAP] = "remap", [NW_EVENT_FORK] = "fork",
    [NW_EVENT_EXEC] = "exec", [NW_EVENT_EXIT] = "exit",   [NW_EVENT_CONTENT] = "content"};

/* Prints the records of one chunk, each with its index in the stream. */
static void dump_chunk(const uint64_t *words, size_t count, uint64_t first) {
  for (size_t i = 0; i < count; i++) {
    enum nw_rec_kind kind = nw_rec_kind(words[i]);
    uint32_t aux = nw_rec_aux(words[i]);
    uint64_t va = nw_rec_va(words[i]);
    printf("%" PRIu64 " ", first + i);
    if (kind == NW_REC_SYSCALL) {
      printf("syscall %" PRIu64 "\n", va);
      continue;
    }
    if (kind != NW_REC_EVENT) {
      printf("%s 0x%" PRIx64 " %" PRIu32 "\n", kind_names[kind], va, aux);
      continue;
    }
    if (aux > 0 && aux < sizeof event_names / sizeof *event_names)
      printf("%s", event_names[aux]);
    else
      printf("event-%" PRIu32, aux);
    for (uint64_t n = 0; n < va; n++)
      printf(" 0x%" PRIx64, words[++i]);
    putchar('\n');
  }
}

static int cmd_dump(const struct options *options) {
  struct nw_trace *trace;
  struct nw_trace_error error;
  if (nw_trace_open(options->file, &trace, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  int status = NW_CLI_OK;
  struct nw_trace_cursor *cursor = NULL;
  if (options->stream >= nw_trace_stream_count(trace))
    status = nw_cli_error(NW_CLI_USAGE, "%s: no stream %" PRIu32 ", expected one below %zu",
                          options->file, options->stream, nw_trace_stream_count(trace));
  else if ((cursor = nw_trace_cursor_open(trace, options->stream)) == NULL)
    status = nw_cli_error(NW_CLI_FAILED, "out of memory");
  const uint64_t *words;
  size_t count = 1;
  for (uint64_t first = 0; cursor != NULL && count > 0 && !ferror(stdout); first += count) {
    if (nw_trace_next_chunk(cursor, &words, &count, &error) != NW_TRACE_OK)
      status = nw_cli_error(NW_CLI_USAGE, "%s", error.message);
    dump_chunk(words, count, first);
  }
  nw_trace_cursor_close(cursor);
  nw_trace_close(trace);
  return nw_cli_finish(status);
}

static int cmd_recover(const struct options *options) {
  char made[PATH_MAX];
  struct nw_trace_error error;
  if (options->output == NULL)
    return nw_cli_usage("trace", "recover needs -o TRACE");
  if (snprintf(made, sizeof made, "%s/trace", options->file) >= (int)sizeof made)
    return nw_cli_usage("trace", "%s: the name is too long", options->file);
  if (nw_spool_finish(options->file, NW_TRACE_INTERRUPTED, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  if (rename(made, options->output) != 0)
    return nw_cli_error(NW_CLI_FAILED, "%s: cannot become %s: %s", made, options->output,
                        strerror(errno));
  nw_spool_remove(options->file);
  return NW_CLI_OK;
}

/* The actions: the first argument, and the options that each takes. */
static const struct action {
  const char *name;
  int (*run)(const struct options *options);
  const char *takes;
} actions[] = {
    {"info", cmd_info, "jV"},
    {"dump", cmd_dump, "s"},
    {"recover", cmd_recover, "o"},
};

static const struct action *find_action(const char *name) {
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
    if (strcmp(actions[i].name, name) == 0)
      return &actions[i];
  return NULL;
}

/* Reads the value of --stream. */
static bool parse_stream(const char *text, uint32_t *stream) {
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  *stream = (uint32_t)value;
  return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
         value < NW_TRACE_STREAMS_MAX;
}

int nw_cmd_trace(int argc, char **argv) {
  static const struct option longs[] = {
      {"json", no_argument, NULL, 'j'},         {"verify", no_argument, NULL, 'V'},
      {"stream", required_argument, NULL, 's'}, {"output", required_argument, NULL, 'o'},
      {"quiet", no_argument, NULL, 'q'},        {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
  };
  if (argc > 1 && strcmp(argv[1], "synth") == 0)
    return nw_cmd_trace_synth(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "convert") == 0)
    return nw_cmd_trace_convert(argc - 1, argv + 1);
  struct options options = {0};
  char given[8] = "";
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, ":o:qv", longs, NULL)) != -1;) {
    if (c == 'h') {
      fputs(help, stdout);
      return nw_cli_finish(NW_CLI_OK);
    }
    if (c == '?' || c == ':')
      return nw_cli_bad_option("trace", c, argv);
    if (c == 's' && !parse_stream(optarg, &options.stream))
      return nw_cli_usage("trace", "--stream: found '%s', expected a number", optarg);
    if (c == 'o')
      options.output = optarg;
    options.json |= c == 'j';
    options.verify |= c == 'V';
    if (c != 'q' && c != 'v' && strchr(given, c) == NULL)
      given[strlen(given)] = (char)c;
  }
  if (argc - optind < 1)
    return nw_cli_usage("trace", "no action; expected info, dump, recover, synth or convert");
  const struct action *action = find_action(argv[optind]);
  if (action == NULL)
    return nw_cli_usage("trace", "no action '%s'; expected info, dump, recover, synth or convert",
                        argv[optind]);
  if (argc - optind != 2)
    return nw_cli_usage("trace", "%s: found %d files, expected one", action->name,
                        argc - optind - 1);
  if (given[strspn(given, action->takes)] != '\0')
    return nw_cli_usage("trace", "%s does not take the option --%s", action->name,
                        strchr(given, 'j')   ? "json"
                        : strchr(given, 'V') ? "verify"
                        : strchr(given, 's') ? "stream"
                                             : "output");
  options.file = argv[optind + 1];
  return action->run(&options);
}
