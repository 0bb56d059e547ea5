/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk translate: answers the queries of a case file. */
#include "case/case.h"

#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"

static void help(void) {
  puts(
      "Usage: nestwalk translate [OPTION...] CASE\n"
      "\n"
      "Answers the queries of a case file: every line is repeated, each query with its answer\n"
      "after \" -> \". CASE may be -, standard input; files that it names are then looked for in\n"
      "the working directory, else beside CASE.\n"
      "\n"
      "  --trace        after each query, each descriptor access as a comment line, in the order\n"
      "                 made: # s1 l1 pa=ADDRESS desc=DESCRIPTOR (desc=abort: no memory there)\n"
      "  --keep-state   queries are no longer independent: those of 'walk s12' go through one MMU\n"
      "                 with TLBs (32 entries each for instructions and data, 512 unified), a "
      "walk\n"
      "                 cache and an IPA cache (64 entries each); what a query leaves there the\n"
      "                 next one finds, until the next 'regime' line\n"
      "  -q, -v         taken as everywhere; there is no progress to silence or to tell\n"
      "  --help         print this and exit\n"
      "\n"
      "Example:\n"
      "  nestwalk translate --trace walk.case");
}

static int translate(const char *path, const struct nw_case_options *options) {
  char error[512];
  enum nw_case_status status = nw_case_translate(path, options, stdout, error, sizeof(error));
  if (status == NW_CASE_ANSWERED)
    return nw_cli_finish(NW_CLI_OK);
  int exit_status = status == NW_CASE_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED;
  nw_cli_finish(exit_status);
  return nw_cli_error(exit_status, "%s", error);
}

int nw_cmd_translate(int argc, char **argv) {
  enum { OPTION_TRACE = 256, OPTION_KEEP_STATE, OPTION_HELP };
  static const struct option options[] = {
      {"trace", no_argument, NULL, OPTION_TRACE},
      {"keep-state", no_argument, NULL, OPTION_KEEP_STATE},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  struct nw_case_options wanted = {false, false};
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, ":hqv", options, NULL)) != -1) {
    switch (option) {
    case OPTION_TRACE:
      wanted.trace = true;
      break;
    case OPTION_KEEP_STATE:
      wanted.keep_state = true;
      break;
    case 'q':
    case 'v':
      break;
    case 'h':
    case OPTION_HELP:
      help();
      return nw_cli_finish(NW_CLI_OK);
    default:
      return nw_cli_bad_option("translate", option, argv);
    }
  }
  if (optind + 1 != argc)
    return nw_cli_usage("translate",
                        optind == argc ? "which case file?" : "one case file at a time, please");
  return translate(argv[optind], &wanted);
}
