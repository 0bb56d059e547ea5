/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk explain: how the queries of a case file come to their answers. */
#include "case/case.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static void help(void) {
  puts("Usage: nestwalk explain [OPTION...] CASE [QUERY]\n"
       "\n"
       "Shows how a query of a case file comes to its answer, reference by reference: why each\n"
       "descriptor is read where it is, what it says, and what comes of it. CASE may be -,\n"
       "standard input. QUERY is the number of a query, 1 is the first one of the file; without\n"
       "it every query is explained.\n"
       "\n"
       "  -q, -v   taken as everywhere; there is no progress to silence or to tell\n"
       "  --help   print this and exit\n"
       "\n"
       "Example:\n"
       "  nestwalk explain walk.case 2");
}

static bool query_number(const char *text, uint64_t *query) {
  char *end;
  errno = 0;
  *query = strtoull(text, &end, 10);
  return isdigit((unsigned char)*text) && *end == '\0' && errno == 0 && *query > 0;
}

static int explain(const char *path, uint64_t query) {
  char error[512];
  enum nw_case_status status = nw_case_explain(path, query, stdout, error, sizeof(error));
  if (status == NW_CASE_ANSWERED)
    return nw_cli_finish(NW_CLI_OK);
  int exit_status = status == NW_CASE_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED;
  nw_cli_finish(exit_status);
  return nw_cli_error(exit_status, "%s", error);
}

int nw_cmd_explain(int argc, char **argv) {
  enum { OPTION_HELP = 256 };
  static const struct option options[] = {
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  uint64_t query = 0;
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, ":hqv", options, NULL)) != -1) {
    if (option == 'q' || option == 'v')
      continue;
    if (option != 'h' && option != OPTION_HELP)
      return nw_cli_bad_option("explain", option, argv);
    help();
    return nw_cli_finish(NW_CLI_OK);
  }
  if (optind == argc || optind + 2 < argc)
    return nw_cli_usage("explain", optind == argc ? "which case file?"
                                                  : "one case file and one query, please");
  if (optind + 2 == argc && !query_number(argv[optind + 1], &query))
    return nw_cli_usage("explain", "found query '%s', expected a number from 1 on",
                        argv[optind + 1]);
  return explain(argv[optind], query);
}
