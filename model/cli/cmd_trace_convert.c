/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk trace convert: other tools' traces to ours, and ours to theirs. */
#define _GNU_SOURCE /* asprintf */
#include "cli/cmd_trace_convert.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "config.h"
#include "trace/convert.h"

#define COMMAND "trace convert"
#define OURS "nwt"

static const char help[] =
    "Usage: nestwalk trace convert [OPTION...] -o TRACE FILE\n"
    "       nestwalk trace convert --to=FORMAT [OPTION...] -o FILE TRACE\n"
    "\n"
    "Makes a trace of one of another tool, or the reverse. FILE may be packed by gzip, xz or "
    "zstd,\n"
    "and - is standard input (or, for -o with --to, standard output). FORMAT is\n"
    "\n"
    "  lackey      what valgrind --tool=lackey --trace-mem=yes prints\n"
    "  champsim    ChampSim, 64 bytes an instruction\n"
    "  cloudsuite  its CloudSuite variant, 96 bytes an instruction (read only)\n"
    "  drmemtrace  DynamoRIO's drmemtrace, post-processed\n"
    "  nwt         our own\n"
    "\n"
    "Of a damaged file, everything before the damage becomes the trace; the error names the "
    "offset,\n"
    "and the exit status is 2. What a format cannot hold is left out and told (system calls,\n"
    "mappings), or refused (several processes).\n"
    "\n"
    "  -o, --output=FILE      what is written\n"
    "      --format=FORMAT    what is read (default: told by its first bytes)\n"
    "      --to=FORMAT        what is written (default: nwt)\n"
    "      --architecture=A   of the program, armv7 or x86-64: their traces do not say (default\n"
    "                         x86-64)\n"
    "      --stream=N         this stream of TRACE alone\n"
    "  -q, --quiet            do not tell what was done\n"
    "  -v, --verbose          taken as everywhere\n"
    "      --help\n"
    "\n"
    "Examples:\n"
    "  valgrind --tool=lackey --trace-mem=yes --log-fd=9 9>&1 >/dev/null ls |\n"
    "      nestwalk trace convert -o ls.nwt -\n"
    "  nestwalk trace convert -o astar.nwt 473.astar.champsimtrace.xz\n"
    "  nestwalk trace convert --to=champsim -o - sort.nwt | xz >sort.champsimtrace.xz\n";

struct options {
  const char *input, *output, *format, *to;
  struct nw_cli_foreign foreign; /* its architecture alone */
  uint32_t stream;
  bool quiet, help;
};

/* -- options ---------------------------------------------------------------------------------- */

enum { OPTION_FORMAT = 1000, OPTION_TO, OPTION_ARCHITECTURE, OPTION_STREAM, OPTION_HELP };

static bool is_format(const char *option, const char *name) {
  if (!strcmp(name, OURS) || nw_foreign_find(name))
    return true;
  nw_cli_usage(COMMAND,
               "%s: found '%.100s', expected lackey, champsim, cloudsuite, drmemtrace or nwt",
               option, name);
  return false;
}

static bool take_stream(struct options *o, const char *text) {
  uint64_t stream;
  bool good = nw_cli_number(text, 0, NW_TRACE_STREAMS_MAX - 1, &stream);
  o->stream = (uint32_t)stream;
  if (!good)
    nw_cli_usage(COMMAND, "--stream: found '%.100s', expected a number", text);
  return good;
}

static bool take_option(struct options *o, int option, char **argv) {
  switch (option) {
  case 'o':
    o->output = optarg;
    return true;
  case 'q':
    return o->quiet = true;
  case 'v':
    return true;
  case OPTION_FORMAT:
    o->format = optarg;
    return is_format("--format", optarg);
  case OPTION_TO:
    o->to = optarg;
    return is_format("--to", optarg);
  case OPTION_ARCHITECTURE:
    return nw_cli_take_architecture(COMMAND, &o->foreign, optarg);
  case OPTION_STREAM:
    return take_stream(o, optarg);
  case 'h':
  case OPTION_HELP:
    return o->help = true;
  default:
    nw_cli_bad_option(COMMAND, option, argv);
    return false;
  }
}

static bool parse(int argc, char **argv, struct options *o) {
  static const struct option longs[] = {
      {"output", required_argument, NULL, 'o'},
      {"format", required_argument, NULL, OPTION_FORMAT},
      {"to", required_argument, NULL, OPTION_TO},
      {"architecture", required_argument, NULL, OPTION_ARCHITECTURE},
      {"stream", required_argument, NULL, OPTION_STREAM},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  opterr = 0;
  for (int c; !o->help && (c = getopt_long(argc, argv, ":ho:qv", longs, NULL)) != -1;) {
    if (!take_option(o, c, argv))
      return false;
  }
  if (o->help)
    return true;
  if (argc - optind != 1)
    nw_cli_usage(COMMAND, "found %d files, expected one", argc - optind);
  else if (!o->output)
    nw_cli_usage(COMMAND, "no output file; expected -o FILE");
  else
    o->input = argv[optind];
  return o->input != NULL;
}

/* -- to our format ---------------------------------------------------------------------------- */

static int unknown_format(const char *path) {
  return nw_cli_error(
      NW_CLI_USAGE,
      "%s: offset 0: found no format that is known, expected lackey, champsim, "
      "cloudsuite, drmemtrace (packed by gzip, xz or zstd or not); --format names one",
      path);
}

static int import_source(const struct options *o, struct nw_input *source, int argc,
                         const char *const *argv) {
  struct nw_import import = {
      .architecture = o->foreign.architecture,
      .format = o->format ? nw_foreign_find(o->format) : nw_foreign_detect(source),
      .header = {.recorder = PACKAGE_STRING, .argc = (size_t)argc, .argv = argv},
  };
  struct nw_trace_error damage, error;
  uint64_t references;
  if (!import.format)
    return unknown_format(nw_source_path(source));
  if (nw_trace_import(source, &import, o->output, &references, &damage, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_FAILED, "%s", error.message);
  if (damage.result != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s; the %" PRIu64 " references before it are in %s",
                        damage.message, references, o->output);
  if (!o->quiet)
    printf("%s: %" PRIu64 " references of a %s trace\n", o->output, references,
           import.format->name);
  return nw_cli_finish(NW_CLI_OK);
}

static int import_file(const struct options *o, int argc, const char *const *argv) {
  struct nw_input *source;
  struct nw_trace_error error;
  if (!strcmp(o->output, "-"))
    return nw_cli_usage(COMMAND, "-o: our own format is written to a file, not to a pipe");
  if (nw_source_open(o->input, &source, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  int status = import_source(o, source, argc, argv);
  nw_source_close(source);
  return status;
}

/* -- from our format -------------------------------------------------------------------------- */

static void tell_losses(const struct options *o, const struct nw_export_losses *losses) {
  if (!o->quiet && losses->syscalls + losses->events)
    fprintf(stderr,
            "nestwalk: %s: left out, since %s has no place for them: %" PRIu64
            " system calls, %" PRIu64 " events\n",
            o->input, o->to, losses->syscalls, losses->events);
}

static int export_trace(const struct options *o, struct nw_trace *trace, FILE *out) {
  struct nw_export_losses losses;
  struct nw_trace_error error;
  enum nw_trace_result result =
      nw_trace_export(trace, o->stream, nw_foreign_find(o->to), out, &losses, &error);
  if (result != NW_TRACE_OK)
    return nw_cli_error(result == NW_TRACE_IO || result == NW_TRACE_NO_MEMORY ? NW_CLI_FAILED
                                                                              : NW_CLI_USAGE,
                        "%s", error.message);
  tell_losses(o, &losses);
  return NW_CLI_OK;
}

/* The file appears under its name when it is whole. */
static int export_to_file(const struct options *o, struct nw_trace *trace) {
  char *part = NULL;
  if (asprintf(&part, "%s.part", o->output) < 0)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  FILE *out = fopen(part, "we");
  int status = out ? export_trace(o, trace, out)
                   : nw_cli_error(NW_CLI_FAILED, "%s: %s", part, strerror(errno));
  bool closed = out && fclose(out) == 0;
  if (status == NW_CLI_OK && (!closed || rename(part, o->output) != 0))
    status = nw_cli_error(NW_CLI_FAILED, "%s: %s", o->output, strerror(errno));
  if (status != NW_CLI_OK)
    unlink(part);
  free(part);
  return status;
}

static int export_file(const struct options *o) {
  struct nw_trace *trace;
  struct nw_trace_error error;
  if (nw_trace_open(o->input, &trace, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  int status = !strcmp(o->output, "-") ? nw_cli_finish(export_trace(o, trace, stdout))
                                       : export_to_file(o, trace);
  nw_trace_close(trace);
  return status;
}

int nw_cmd_trace_convert(int argc, char **argv) {
  struct options o = {
      .to = OURS, .foreign = {.architecture = "x86-64"}, .stream = NW_TRACE_NO_STREAM};
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (o.help) {
    fputs(help, stdout);
    return nw_cli_finish(NW_CLI_OK);
  }
  bool from_ours = o.format && !strcmp(o.format, OURS), to_ours = !strcmp(o.to, OURS);
  if (from_ours && to_ours)
    return nw_cli_usage(COMMAND, "found nwt on both sides, expected another format on one");
  if (!to_ours && o.format && !from_ours)
    return nw_cli_usage(COMMAND, "expected our own format on one side: convert to it first");
  const char *const *command = (const char *const *)argv;
  return to_ours ? import_file(&o, argc, command) : export_file(&o);
}
