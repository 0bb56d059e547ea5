/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_error(const char *format, va_list arguments) {
  fputs("nestwalk: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
}

int nw_cli_error(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_error(format, arguments);
  va_end(arguments);
  return status;
}

int nw_cli_usage(const char *command, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_error(format, arguments);
  va_end(arguments);
  fprintf(stderr, "Try 'nestwalk %s%s--help'.\n", command ? command : "", command ? " " : "");
  return NW_CLI_USAGE;
}

int nw_cli_bad_option(const char *command, int result, char **argv) {
  const char *last = argv[optind - 1];
  bool is_long = !strncmp(last, "--", 2);
  if (result == ':' && !is_long)
    return nw_cli_usage(command, "option '-%c' needs a value", optopt);
  if (result == ':')
    return nw_cli_usage(command, "option '%.100s' needs a value", last);
  if (!optopt)
    return nw_cli_usage(command, "unknown or ambiguous option '%.100s'", last);
  if (is_long && strchr(last, '='))
    return nw_cli_usage(command, "option '%.*s' takes no value", (int)strcspn(last, "="), last);
  return nw_cli_usage(command, "unknown option '-%c'", optopt);
}

int nw_cli_finish(int status) {
  bool broken = ferror(stdout) != 0;
  errno = 0;
  if (fflush(stdout) != 0 || broken) {
    const char *reason = errno ? strerror(errno) : "what was written did not get out";
    return nw_cli_error(status == NW_CLI_OK ? NW_CLI_FAILED : status, "standard output: %s",
                        reason);
  }
  return status;
}
