/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nestwalk record: runs a program under QEMU with the recording plugin, waits for it and for all
 * processes that it started, and makes one trace of what they left in the spool. The trace gets its
 * name when it is finished, not before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "config.h"
#include "record/program.h"
#include "trace/spool.h"
#include "trace/trace.h"

#ifndef NW_PKGLIBDIR
#define NW_PKGLIBDIR "/usr/local/lib/nestwalk"
#endif
#define PLUGIN_NAME "nestwalk-record.so"

static const char help[] =
    "Usage: nestwalk record -o TRACE [OPTION]... -- PROGRAM [ARGUMENT]...\n"
    "\n"
    "Run a program under QEMU's user mode and write a trace of it: instructions, loads, stores, "
    "and\n"
    "the system calls that change its memory; one stream for each of its processes and threads,\n"
    "programs that it executes included. 32-bit ARM and x86-64 programs can be recorded.\n"
    "\n"
    "The program keeps standard input, output and error; how it ended is told on standard error.\n"
    "Ctrl-C ends the program; what was recorded until then is a complete trace.\n"
    "\n"
    "  -o, --output=TRACE  the trace; until it is finished, TRACE.part is in its place\n"
    "  -L, --sysroot=DIR   where a dynamically linked program finds its loader and libraries\n"
    "      --qemu=PATH     qemu-arm or qemu-x86_64 to use (default: from $PATH)\n"
    "      --plugin=PATH   the plugin (default: $NESTWALK_PLUGIN, or the one of this program)\n"
    "  -q, --quiet         no progress, no summary\n"
    "  -v, --verbose       tell which QEMU and which plugin are used\n"
    "      --help          this text\n"
    "\n"
    "Exit status: 0 the trace is complete, 1 recording failed, 2 wrong usage, or PROGRAM could "
    "not\n"
    "be started.\n"
    "\n"
    "Examples:\n"
    "  nestwalk record -o sort.nwt -- ./busybox sort words.txt\n"
    "  nestwalk record -o ls.nwt -L /usr/arm-linux-gnueabihf -- ./ls -l\n";

struct options {
  const char *output;
  const char *sysroot;
  const char *qemu;
  const char *plugin;
  bool quiet, verbose;
  char **command;
  int command_count;
};

/* A recording. */
struct recording {
  struct options options;
  struct nw_program program;
  char qemu[PATH_MAX];
  char plugin[PATH_MAX];
  char output[PATH_MAX]; /* absolute */
  char folder[PATH_MAX]; /* output.part */
  struct nw_spool spool;
  pid_t child;
  int status;       /* of the program, once it ended */
  bool ended;       /* the program itself */
  bool interrupted; /* a signal asked for the end */
  int requests;     /* how many since the program ended, or SIGTERMs before */
  struct timespec start;
  bool progress;
};

enum { OPTION_QEMU = 256, OPTION_PLUGIN, OPTION_HELP };

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct options *options) {
  static const struct option longs[] = {
      {"output", required_argument, NULL, 'o'},
      {"sysroot", required_argument, NULL, 'L'},
      {"qemu", required_argument, NULL, OPTION_QEMU},
      {"plugin", required_argument, NULL, OPTION_PLUGIN},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, "+:o:L:qv", longs, NULL)) != -1;) {
    switch (c) {
    case 'o':
      options->output = optarg;
      break;
    case 'L':
      options->sysroot = optarg;
      break;
    case OPTION_QEMU:
      options->qemu = optarg;
      break;
    case OPTION_PLUGIN:
      options->plugin = optarg;
      break;
    case 'q':
      options->quiet = true;
      break;
    case 'v':
      options->verbose = true;
      break;
    case OPTION_HELP:
      fputs(help, stdout);
      return nw_cli_finish(NW_CLI_OK);
    default:
      return nw_cli_bad_option("record", c, argv);
    }
  }
  options->command = argv + optind;
  options->command_count = argc - optind;
  if (options->output == NULL || options->output[0] == '\0')
    return nw_cli_usage("record", "no output file; expected -o TRACE");
  if (options->command_count == 0)
    return nw_cli_usage("record", "no program to record");
  return -1;
}

/* Looks a program up as a shell does. Returns 0 or errno. */
static int search_path(const char *name, char found[PATH_MAX]) {
  if (strchr(name, '/') != NULL)
    return snprintf(found, PATH_MAX, "%s", name) < PATH_MAX ? 0 : ENAMETOOLONG;
  const char *path = getenv("PATH");
  for (const char *at = path == NULL ? "/usr/bin:/bin" : path; at != NULL;) {
    const char *colon = strchrnul(at, ':');
    struct stat status;
    int length = snprintf(found, PATH_MAX, "%.*s/%s", colon == at ? 1 : (int)(colon - at),
                          colon == at ? "." : at, name);
    if (length < PATH_MAX && stat(found, &status) == 0 && S_ISREG(status.st_mode) &&
        access(found, X_OK) == 0)
      return 0;
    at = *colon == '\0' ? NULL : colon + 1;
  }
  return ENOENT;
}

static int find_program(struct recording *r) {
  const char *name = r->options.command[0];
  char path[PATH_MAX];
  int error = search_path(name, path);
  if (error == 0)
    error = nw_program_resolve(path, r->options.command, r->options.sysroot, &r->program);
  if (error != 0)
    return nw_cli_error(NW_CLI_USAGE, "%s: cannot be started: %s", name, strerror(error));
  if (r->program.arch == NULL)
    return nw_cli_error(NW_CLI_USAGE,
                        "%s: cannot be recorded: expected a 32-bit ARM or x86-64 program",
                        r->program.path);
  return NW_CLI_OK;
}

static int find_qemu(struct recording *r) {
  const char *name = r->options.qemu != NULL ? r->options.qemu : r->program.arch->qemu;
  int error = search_path(name, r->qemu);
  if (error == 0 && access(r->qemu, X_OK) != 0)
    error = errno;
  if (error != 0)
    return nw_cli_error(NW_CLI_USAGE, "%s: %s; Debian's package qemu-user has it", name,
                        strerror(error));
  char *absolute = realpath(r->qemu, NULL);
  if (absolute == NULL)
    return nw_cli_error(NW_CLI_USAGE, "%s: %s", r->qemu, strerror(errno));
  strcpy(r->qemu, absolute);
  free(absolute);
  return NW_CLI_OK;
}

static bool use_plugin(struct recording *r, const char *folder, const char *rest) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s%s", folder, rest) >= (int)sizeof path)
    return false;
  return access(path, R_OK) == 0 && realpath(path, r->plugin) != NULL;
}

/* The plugin that was named; or that of the build tree; or the installed one. */
static int find_plugin(struct recording *r) {
  const char *named = r->options.plugin;
  if (named == NULL)
    named = getenv("NESTWALK_PLUGIN");
  if (named != NULL)
    return use_plugin(r, named, "")
               ? NW_CLI_OK
               : nw_cli_error(NW_CLI_USAGE, "%s: no plugin: %s", named, strerror(errno));
  char self[PATH_MAX] = "";
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  const char *folder = length > 0 ? dirname(self) : ".";
  if (use_plugin(r, folder, "/.libs/" PLUGIN_NAME) || use_plugin(r, folder, "/" PLUGIN_NAME) ||
      use_plugin(r, NW_PKGLIBDIR, "/" PLUGIN_NAME))
    return NW_CLI_OK;
  return nw_cli_error(NW_CLI_FAILED, "%s: not in %s/.libs nor in %s; name it with --plugin",
                      PLUGIN_NAME, folder, NW_PKGLIBDIR);
}

/* Makes the output's name absolute and TRACE.part of it. */
static int place_output(struct recording *r) {
  const char *name = r->options.output;
  char *copy = strdup(name);
  char *folder = copy == NULL ? NULL : realpath(dirname(copy), NULL);
  const char *slash = strrchr(name, '/');
  const char *base = slash == NULL ? name : slash + 1;
  int status = NW_CLI_OK;
  struct stat existing;
  if (folder == NULL)
    status = nw_cli_error(NW_CLI_USAGE, "%s: %s", name, strerror(errno));
  else if (base[0] == '\0' || (stat(name, &existing) == 0 && !S_ISREG(existing.st_mode)))
    status = nw_cli_error(NW_CLI_USAGE, "%s: not the name of a regular file", name);
  else if (snprintf(r->output, PATH_MAX, "%s/%s", folder, base) >= PATH_MAX ||
           snprintf(r->folder, PATH_MAX, "%s.part", r->output) >= PATH_MAX)
    status = nw_cli_error(NW_CLI_USAGE, "%s: the name is too long", name);
  else if (access(r->folder, F_OK) == 0)
    status = nw_cli_error(NW_CLI_USAGE,
                          "%s.part exists: another recording is under way, or was killed; then\n"
                          "`nestwalk trace recover %s.part` makes a trace of it, or remove it",
                          name, name);
  free(folder);
  free(copy);
  return status;
}

/* Leaves QEMU and its options where the plugin looks for them to follow execve. */
static bool write_qemu_command(const struct recording *r) {
  char path[PATH_MAX + 8];
  snprintf(path, sizeof path, "%s/qemu", r->folder);
  FILE *file = fopen(path, "wxe");
  if (file == NULL)
    return false;
  fputs(r->qemu, file);
  fputc('\0', file);
  if (r->options.sysroot != NULL) {
    char *absolute = realpath(r->options.sysroot, NULL);
    fprintf(file, "-L%c%s%c", '\0', absolute == NULL ? r->options.sysroot : absolute, '\0');
    free(absolute);
  }
  return fclose(file) == 0;
}

static int create_spool(struct recording *r) {
  struct nw_trace_error error;
  char *qemu = strdup(r->qemu);
  struct nw_trace_header header = {
      .architecture = r->program.arch->name,
      .page_size = 4096,
      .target = qemu == NULL ? "" : basename(qemu),
      .recorder = PACKAGE_STRING,
      .time = (uint64_t)time(NULL),
      .argc = (size_t)r->options.command_count,
      .argv = (const char *const *)r->options.command,
  };
  enum nw_trace_result result = nw_spool_create(r->folder, &header, &error);
  free(qemu);
  if (result != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  if (write_qemu_command(r) && nw_spool_attach(&r->spool, r->folder))
    return NW_CLI_OK;
  int status = nw_cli_error(NW_CLI_FAILED, "%s: %s", r->folder, strerror(errno));
  nw_spool_remove(r->folder);
  return status;
}

/* A value in QEMU's option syntax, where a comma is written twice. */
static char *escape_commas(const char *value) {
  char *escaped = malloc(2 * strlen(value) + 1);
  char *at = escaped;
  for (; at != NULL && *value != '\0'; value++) {
    if (*value == ',')
      *at++ = ',';
    *at++ = *value;
  }
  if (at != NULL)
    *at = '\0';
  return escaped;
}

/* In the child: becomes QEMU. The plugin finds the program's name behind -0 (record/plugin.c). */
static void run_qemu(struct recording *r, const sigset_t *mask) {
  char *plugin = escape_commas(r->plugin);
  char *folder = escape_commas(r->folder);
  char *option = NULL;
  size_t args = 0;
  while (r->program.argv[args] != NULL)
    args++;
  const char **argv = calloc(args + 16, sizeof *argv);
  char program[PATH_MAX + 2];
  snprintf(program, sizeof program, "%s%s", r->program.path[0] == '-' ? "./" : "", r->program.path);
  if (plugin == NULL || folder == NULL || argv == NULL ||
      asprintf(&option, "%s,dir=%s", plugin, folder) < 0)
    _exit(126);
  size_t n = 0;
  argv[n++] = r->qemu;
  if (r->options.sysroot != NULL) {
    argv[n++] = "-L";
    argv[n++] = r->options.sysroot;
  }
  argv[n++] = "-plugin";
  argv[n++] = option;
  argv[n++] = "-0";
  argv[n++] = r->program.argv[0];
  argv[n++] = program;
  for (size_t i = 1; i < args; i++)
    argv[n++] = r->program.argv[i];
  sigprocmask(SIG_SETMASK, mask, NULL);
  execv(r->qemu, (char *const *)(uintptr_t)argv);
  nw_cli_error(NW_CLI_FAILED, "%s: %s", r->qemu, strerror(errno));
  _exit(126);
}

/* Sends a signal to all processes that are children of this one by now. */
static void signal_children(int signal) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *file = fopen(path, "re");
  int pid;
  while (file != NULL && fscanf(file, "%d", &pid) == 1)
    kill(pid, signal);
  if (file != NULL)
    fclose(file);
}

/* Collects ended processes. Returns false when there is none left. */
static bool reap(struct recording *r) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != r->child)
      continue;
    r->status = status;
    r->ended = true;
  }
  return pid == 0 || errno != ECHILD;
}

/* SIGINT, SIGTERM, SIGHUP. From a terminal they reach the program, too; from kill they are passed
 * on. Once the program has ended they are for the background processes that it left. The second
 * request that is not left to the program to handle ends all of them. */
static void handle_request(struct recording *r, const siginfo_t *info) {
  r->interrupted = true;
  if (r->ended) {
    signal_children(r->requests++ == 0 ? SIGTERM : SIGKILL);
    return;
  }
  if (info->si_code > 0 && info->si_signo == SIGINT)
    return;
  if (info->si_signo == SIGTERM && r->requests++ > 0)
    signal_children(SIGKILL);
  else if (info->si_code <= 0)
    kill(r->child, info->si_signo);
}

static double seconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void show_progress(struct recording *r) {
  if (!r->progress)
    return;
  double references = (double)atomic_load(&r->spool.control->references);
  double bytes = (double)atomic_load(&r->spool.control->file_end);
  fprintf(stderr, "\rrecorded %.1f M references (%.1f M/s), %.1f MB \033[K", references / 1e6,
          references / 1e6 / seconds_since(&r->start), bytes / 1e6);
}

/* Waits for the program and everything that it started. */
static void wait_for_all(struct recording *r, const sigset_t *signals) {
  bool told = false;
  while (reap(r)) {
    siginfo_t info;
    if (atomic_load(&r->spool.control->failed) != 0)
      signal_children(SIGKILL);
    if (r->ended && !told && !r->options.quiet && seconds_since(&r->start) > 1) {
      fprintf(stderr, "nestwalk: waiting for the processes that the program left; Ctrl-C ends "
                      "them\n");
      told = true;
    }
    if (r->ended && r->requests > 1)
      signal_children(SIGKILL);
    int signal = sigtimedwait(signals, &info, &(struct timespec){0, 250 * 1000 * 1000});
    if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
      handle_request(r, &info);
    else if (signal < 0)
      show_progress(r);
  }
  if (r->progress)
    fprintf(stderr, "\r\033[K");
}

static int run_program(struct recording *r) {
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, &before);
  /* Orphans come to this process, so that it can wait for them. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  clock_gettime(CLOCK_MONOTONIC, &r->start);
  r->progress = !r->options.quiet && isatty(STDERR_FILENO);
  if (r->options.verbose)
    fprintf(stderr, "nestwalk: %s under %s with %s\n", r->options.command[0], r->qemu, r->plugin);
  r->child = fork();
  if (r->child == 0)
    run_qemu(r, &before);
  if (r->child < 0)
    return nw_cli_error(NW_CLI_FAILED, "cannot start a process: %s", strerror(errno));
  wait_for_all(r, &signals);
  if (atomic_load(&r->spool.control->failed) != 0)
    return nw_cli_error(NW_CLI_FAILED, "%s", r->spool.control->failure);
  if (atomic_load(&r->spool.control->attached) == 0)
    return nw_cli_error(NW_CLI_FAILED, "%s did not load %s", r->qemu, r->plugin);
  return NW_CLI_OK;
}

static void tell_end(const struct recording *r) {
  const char *name = r->options.command[0];
  if (r->options.quiet)
    return;
  if (WIFSIGNALED(r->status))
    fprintf(stderr, "nestwalk: %s was ended by signal %d (%s)\n", name, WTERMSIG(r->status),
            strsignal(WTERMSIG(r->status)));
  else
    fprintf(stderr, "nestwalk: %s ended with status %d\n", name, WEXITSTATUS(r->status));
}

static void tell_trace(const struct recording *r, const struct nw_trace *trace) {
  const struct nw_trace_counts *totals = nw_trace_totals(trace);
  double references = (double)nw_trace_references(totals);
  double bytes = (double)nw_trace_get_header(trace)->file_bytes;
  if (r->options.quiet)
    return;
  fprintf(stderr, "nestwalk: %s: %.1f M references in %zu streams, %.2f MB (%.3f bytes each)%s\n",
          r->options.output, references / 1e6, nw_trace_stream_count(trace), bytes / 1e6,
          bytes / (references > 0 ? references : 1), r->interrupted ? ", interrupted" : "");
}

/* Makes the trace of the spool and gives it its name. */
static int finish(struct recording *r) {
  char made[PATH_MAX + 8];
  struct nw_trace_error error;
  struct nw_trace *trace;
  snprintf(made, sizeof made, "%s/trace", r->folder);
  if (nw_spool_finish(r->folder, r->interrupted ? NW_TRACE_INTERRUPTED : 0, &error) !=
          NW_TRACE_OK ||
      nw_trace_open(made, &trace, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_FAILED, "%s", error.message);
  int status = NW_CLI_OK;
  if (nw_trace_totals(trace)->instructions == 0)
    status = nw_cli_error(NW_CLI_USAGE, "%s could not be started: it made no instruction",
                          r->program.path);
  else if (rename(made, r->output) != 0)
    status = nw_cli_error(NW_CLI_FAILED, "%s: %s", r->options.output, strerror(errno));
  else
    tell_trace(r, trace);
  nw_trace_close(trace);
  return status;
}

int nw_cmd_record(int argc, char **argv) {
  static struct recording r;
  int status = parse_options(argc, argv, &r.options);
  if (status >= 0)
    return status;
  int (*const steps[])(struct recording *) = {find_program, find_qemu, find_plugin, place_output,
                                              create_spool};
  status = NW_CLI_OK;
  for (size_t i = 0; status == NW_CLI_OK && i < sizeof steps / sizeof *steps; i++)
    status = steps[i](&r);
  if (status == NW_CLI_OK) {
    status = run_program(&r);
    if (status == NW_CLI_OK) {
      tell_end(&r);
      status = finish(&r);
    }
    nw_spool_detach(&r.spool);
    nw_spool_remove(r.folder);
  }
  nw_program_free(&r.program);
  return status;
}
