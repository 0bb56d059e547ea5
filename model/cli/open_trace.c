/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of every format that can be read, opened as ours. */
#define _GNU_SOURCE /* mkostemp */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "config.h"
#include "trace/convert.h"

bool nw_cli_take_format(const char *command, struct nw_cli_foreign *foreign, const char *value) {
  foreign->format = value;
  if (nw_foreign_find(value))
    return true;
  nw_cli_usage(command,
               "--format: found '%.100s', expected lackey, champsim, cloudsuite or drmemtrace",
               value);
  return false;
}

bool nw_cli_take_architecture(const char *command, struct nw_cli_foreign *foreign,
                              const char *value) {
  foreign->architecture = value;
  if (!strcmp(value, "armv7") || !strcmp(value, "x86-64"))
    return true;
  nw_cli_usage(command, "--architecture: found '%.100s', expected armv7 or x86-64", value);
  return false;
}

/* The converted trace lives in a file that nobody else sees, and that goes when it is closed. */
static int open_converted(const struct nw_import *import, struct nw_input *input,
                          struct nw_trace **trace) {
  const char *folder = getenv("TMPDIR");
  char path[4096];
  struct nw_trace_error damage, error;
  uint64_t references;
  snprintf(path, sizeof path, "%s/nestwalk-trace.XXXXXX", folder && folder[0] ? folder : "/tmp");
  int made = mkostemp(path, O_CLOEXEC); /* the writer replaces it by the finished trace */
  if (made < 0)
    return nw_cli_error(NW_CLI_FAILED, "%s: %s", path, strerror(errno));
  close(made);
  int status = NW_CLI_OK;
  if (nw_trace_import(input, import, path, &references, &damage, &error) != NW_TRACE_OK ||
      nw_trace_open(path, trace, &error) != NW_TRACE_OK)
    status = nw_cli_error(NW_CLI_FAILED, "%s", error.message);
  else if (damage.result != NW_TRACE_OK)
    status = nw_cli_error(NW_CLI_USAGE,
                          "%s; 'nestwalk trace convert' keeps the %" PRIu64 " references before it",
                          damage.message, references);
  else if (!nw_trace_set_path(*trace, nw_source_path(input)))
    status = nw_cli_error(NW_CLI_FAILED, "out of memory");
  unlink(path);
  return status;
}

static int open_foreign(const char *path, const struct nw_cli_foreign *foreign,
                        const char *not_ours, struct nw_trace **trace) {
  static const char *const command[] = {"import"};
  struct nw_input *input;
  struct nw_trace_error error;
  if (nw_source_open(path, &input, &error) != NW_TRACE_OK)
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  struct nw_import import = {
      .architecture = foreign->architecture ? foreign->architecture : "x86-64",
      .format = foreign->format ? nw_foreign_find(foreign->format) : nw_foreign_detect(input),
      .header = {.recorder = PACKAGE_STRING, .argc = 1, .argv = command},
  };
  int status = import.format ? open_converted(&import, input, trace)
                             : nw_cli_error(NW_CLI_USAGE, "%s", not_ours);
  nw_source_close(input);
  return status;
}

int nw_cli_open_trace(const char *path, const struct nw_cli_foreign *foreign,
                      struct nw_trace **trace) {
  struct nw_trace_error error;
  *trace = NULL;
  if (!strcmp(path, "-"))
    return open_foreign(path, foreign, "standard input: found no format that is known", trace);
  enum nw_trace_result result = nw_trace_open(path, trace, &error);
  if (result == NW_TRACE_OK)
    return NW_CLI_OK;
  if (result == NW_TRACE_NOT_TRACE)
    return open_foreign(path, foreign, error.message, trace);
  return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
}
