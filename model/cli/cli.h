/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the subcommands of the command share. Each is one function in one file, nw_cmd_NAME();
 * main.c lists them. A subcommand gets its own arguments (argv[0] is its name, so that getopt_long
 * can be used as it is: `optind` is 1) and returns the command's exit status.
 *
 * Results go to standard output, everything else to standard error. A subcommand that wrote to
 * standard output returns through nw_cli_finish(), so that a full disk is not taken for success.
 */
#ifndef NESTWALK_CLI_CLI_H
#define NESTWALK_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum nw_cli_status {
  NW_CLI_OK = 0,
  NW_CLI_FAILED = 1, /* the run failed, or was interrupted */
  NW_CLI_USAGE = 2,  /* wrong usage or bad input */
};

int nw_cmd_record(int argc, char **argv);
int nw_cmd_run(int argc, char **argv);
int nw_cmd_compare(int argc, char **argv);
int nw_cmd_sweep(int argc, char **argv);
int nw_cmd_results(int argc, char **argv);
int nw_cmd_plot(int argc, char **argv);
int nw_cmd_trace(int argc, char **argv);
int nw_cmd_translate(int argc, char **argv);
int nw_cmd_explain(int argc, char **argv);

/** Prints "nestwalk: " and the message as one line on standard error; returns `status`. */
int nw_cli_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** For wrong usage: the message as nw_cli_error() prints it, then where help is to be found;
 * returns NW_CLI_USAGE. `command` is the subcommand's name, NULL for the command itself. */
int nw_cli_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** What getopt_long's '?' and ':' mean: prints which option it was (`opterr` must be 0 and the
 * short options begin with ':'); returns NW_CLI_USAGE. */
int nw_cli_bad_option(const char *command, int result, char **argv);

/** Flushes standard output; returns `status`, or NW_CLI_FAILED with a message when what was written
 * did not get out (full disk, closed pipe). */
int nw_cli_finish(int status);

#endif
