/* SPDX-License-Identifier: Apache-2.0 */
/* The nestwalk command: finds the subcommand and hands it its arguments. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *description;
};

static const struct command commands[] = {
    {"record", nw_cmd_record, "run a real program under QEMU and write its trace"},
    {"run", nw_cmd_run, "replay a trace on a machine under one paging mode"},
    {"compare", nw_cmd_compare, "replay traces under several paging modes, side by side"},
    {"sweep", nw_cmd_sweep, "run every point of a sweep file, on all processors, resumable"},
    {"results", nw_cmd_results, "list, export, merge and compare what sweeps have found"},
    {"plot", nw_cmd_plot, "draw what sweeps have found: curves, maps, a report"},
    {"trace", nw_cmd_trace, "look at traces, or make one up"},
    {"translate", nw_cmd_translate, "answer the queries of a case file"},
    {"explain", nw_cmd_explain, "show one walk, reference by reference"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(void) {
  puts("Usage: nestwalk COMMAND [OPTION...]\n"
       "\n"
       "What address translation costs a virtual machine: traces of real programs, replayed on a\n"
       "model of the MMU, the guest kernel and the hypervisor.\n"
       "\n"
       "Commands:");
  for (size_t i = 0; i < COMMANDS; i++)
    printf("  %-10s %s\n", commands[i].name, commands[i].description);
  puts(
      "\n"
      "  nestwalk COMMAND --help    the options of a command, with examples\n"
      "  nestwalk --version\n"
      "\n"
      "Examples:\n"
      "  nestwalk record -o sort.nwt -- ./busybox sort words.txt\n"
      "  nestwalk compare -m cortex-a15 -w sort.nwt\n"
      "\n"
      "Results go to standard output, progress and messages to standard error. The exit status is\n"
      "0 for success, 1 when the run failed, 2 for wrong usage or bad input.");
}

/* Handlers are reset by exec, so that recorded programs get the usual action. */
static void fail_writes_instead(int signal_number) {
  (void)signal_number;
}

static const struct command *find_command(const char *name) {
  for (size_t i = 0; i < COMMANDS; i++) {
    if (!strcmp(commands[i].name, name))
      return &commands[i];
  }
  return NULL;
}

static int unknown_command(const char *name) {
  char names[256] = "";
  for (size_t i = 0; i < COMMANDS; i++) {
    strcat(names, i == 0 ? "" : i == COMMANDS - 1 ? " or " : ", ");
    strcat(names, commands[i].name);
  }
  return nw_cli_usage(NULL, "no command '%.100s'; expected %s", name, names);
}

/* nestwalk help [COMMAND] */
static int help(int argc, char **argv) {
  if (argc < 2) {
    print_help();
    return nw_cli_finish(NW_CLI_OK);
  }
  const struct command *command = find_command(argv[1]);
  char option[] = "--help";
  char *arguments[] = {argv[1], option, NULL};
  return command ? command->run(2, arguments) : unknown_command(argv[1]);
}

static int version(void) {
  puts("nestwalk " PACKAGE_VERSION);
  return nw_cli_finish(NW_CLI_OK);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, fail_writes_instead);
  if (argc < 2)
    return nw_cli_usage(NULL, "no command");
  const char *name = argv[1];
  if (!strcmp(name, "--version"))
    return version();
  if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
    return help(argc - 1, argv + 1);
  if (name[0] == '-')
    return nw_cli_usage(NULL, "unknown option '%.100s'", name);
  const struct command *command = find_command(name);
  if (!command)
    return unknown_command(name);
  if (argc == 3 && !strcmp(argv[2], "--version"))
    return version();
  return command->run(argc - 1, argv + 1);
}
