/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk compare: paging modes side by side. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "sim/chart.h"
#include "sim/comparison.h"

static void help(void) {
  printf("Usage: nestwalk compare -m MACHINE -w TRACE [-w TRACE...] [-p MODE,...] [OPTION...]\n"
         "\n"
         "Replays traces on a machine under several paging modes, and prints one table: cycles,\n"
         "cycles per instruction and in relation to nested, TLB misses of the last level, walks,\n"
         "descriptors read by walks, exits, and the cycles of translation and of exits as parts\n"
         "of all cycles; then which mode is faster, and why.\n"
         "\n"
         "%s"
         "  -p, --mode=MODE,...     modes to compare (default native,nested,shadow)\n"
         "  -j, --jobs=N            runs at a time (default: the processors there are)\n"
         "      --json              print all statistics as JSON instead of the table\n"
         "      --plot=FILE         draw a chart, too; FILE ends in .svg or .png\n"
         "  -q, --quiet             no progress\n"
         "  -v, --verbose           tell how fast it went\n"
         "      --help\n"
         "\n"
         "Examples:\n"
         "  nestwalk compare -m cortex-a15 -w sort.nwt -w gzip.nwt --plot modes.svg\n"
         "  nestwalk compare -m cortex-a15 -w sort.nwt -p nested,shadow --json\n",
         nw_cli_simulation_help);
}

struct options {
  struct nw_cli_simulation simulation;
  enum nw_mode modes[NW_MODES];
  size_t mode_count;
  unsigned threads;
  bool json, help;
  const char *plot;
};

static unsigned processors(void) {
  cpu_set_t set;
  int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return count > 0 ? (unsigned)count : 1;
}

enum { OPTION_HELP = NW_CLI_OPTION_OTHERS, OPTION_JSON, OPTION_PLOT };

/* False when the option's value is wrong; a message has been printed. */
static bool take_option(struct options *o, int option, char **argv) {
  uint64_t threads;
  switch (option) {
  case 'p':
    o->mode_count = nw_cli_modes("compare", optarg, o->modes);
    return o->mode_count > 0;
  case 'j':
    if (!nw_cli_number(optarg, 1, 1024, &threads)) {
      nw_cli_usage("compare", "-j: found '%.100s', expected a whole number from 1 to 1024", optarg);
      return false;
    }
    o->threads = (unsigned)threads;
    return true;
  case OPTION_JSON:
    return o->json = true;
  case OPTION_PLOT:
    o->plot = optarg;
    return true;
  case 'h':
  case OPTION_HELP:
    return o->help = true;
  default:
    nw_cli_bad_option("compare", option, argv);
    return false;
  }
}

static bool parse(int argc, char **argv, struct options *o) {
  static const struct option options[] = {
      NW_CLI_SIMULATION_LONG,
      {"mode", required_argument, NULL, 'p'},
      {"jobs", required_argument, NULL, 'j'},
      {"json", no_argument, NULL, OPTION_JSON},
      {"plot", required_argument, NULL, OPTION_PLOT},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  int option;
  opterr = 0;
  while (!o->help && (option = getopt_long(argc, argv, ":hp:j:" NW_CLI_SIMULATION_SHORT, options,
                                           NULL)) != -1) {
    int taken = nw_cli_simulation_option(&o->simulation, option, optarg);
    if (taken < 0 || (!taken && !take_option(o, option, argv)))
      return false;
  }
  if (optind < argc && !o->help) {
    nw_cli_usage("compare", "found '%.100s', expected options only", argv[optind]);
    return false;
  }
  return true;
}

static int print_json(const struct nw_comparison *comparison) {
  json_t *json = nw_comparison_json(comparison);
  if (!json)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  json_dumpf(json, stdout, JSON_INDENT(2)); /* errors stay with the stream */
  putchar('\n');
  json_decref(json);
  return NW_CLI_OK;
}

static int print(const struct options *o, const struct nw_comparison *comparison,
                 bool interrupted) {
  int status = NW_CLI_OK;
  char error[NW_RUN_ERROR];
  if (o->json) {
    status = print_json(comparison);
  } else {
    printf("%s%s\n\n", o->simulation.config.name, interrupted ? " (interrupted)" : "");
    nw_comparison_write_table(comparison, stdout);
    if (comparison->mode_count > 1 && !interrupted)
      putchar('\n');
    if (!interrupted) /* unfinished runs of different lengths cannot be compared */
      nw_comparison_write_reasons(comparison, stdout);
  }
  if (o->plot && !interrupted && !nw_chart_draw(comparison, o->plot, error))
    status = nw_cli_error(NW_CLI_FAILED, "%s", error);
  return status;
}

/* Jobs in the order of struct nw_comparison. */
static struct nw_job *make_jobs(const struct options *o) {
  const struct nw_cli_simulation *s = &o->simulation;
  struct nw_job *jobs = calloc(s->traces * o->mode_count, sizeof *jobs);
  for (size_t i = 0; jobs && i < s->traces * o->mode_count; i++) {
    jobs[i].trace = s->trace[i / o->mode_count];
    jobs[i].config = &s->config;
    jobs[i].mode = o->modes[i % o->mode_count];
    jobs[i].limit = s->limit;
  }
  return jobs;
}

static int compare(const struct options *o) {
  const struct nw_cli_simulation *s = &o->simulation;
  struct nw_job *jobs = make_jobs(o);
  if (!jobs)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  struct nw_comparison comparison = {.traces = s->trace_path,
                                     .trace_count = s->traces,
                                     .modes = o->modes,
                                     .mode_count = o->mode_count,
                                     .jobs = jobs};
  bool interrupted;
  int status = nw_cli_simulate(s, jobs, s->traces * o->mode_count, o->threads, &interrupted);
  if (status == NW_CLI_OK || interrupted) {
    int printed = print(o, &comparison, interrupted);
    status = nw_cli_finish(status == NW_CLI_OK ? printed : status);
  }
  free(jobs);
  return status;
}

static int check_plot(const struct options *o) {
  char error[NW_RUN_ERROR];
  enum nw_run_status status = o->plot ? nw_chart_check(o->plot, error) : NW_RUN_OK;
  if (status == NW_RUN_OK)
    return NW_CLI_OK;
  return nw_cli_error(status == NW_RUN_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED, "%s", error);
}

int nw_cmd_compare(int argc, char **argv) {
  struct options o = {.simulation = {.command = "compare"},
                      .modes = {NW_MODE_NATIVE, NW_MODE_NESTED, NW_MODE_SHADOW},
                      .mode_count = 3,
                      .threads = processors()};
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (o.help) {
    help();
    return nw_cli_finish(NW_CLI_OK);
  }
  int status = check_plot(&o);
  if (status == NW_CLI_OK)
    status = nw_cli_simulation_open(&o.simulation);
  if (status == NW_CLI_OK)
    status = compare(&o);
  nw_cli_simulation_close(&o.simulation);
  return status;
}
