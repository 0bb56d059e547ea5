/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk plot: charts and a report of a results file. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "sim/plot.h"
#include "sim/report.h"

static const char help[] =
    "Usage: nestwalk plot RESULTS.db KIND -o FILE.svg|FILE.png [OPTION...]\n"
    "       nestwalk plot RESULTS.db --report=FILE.html [--where=CONDITION]...\n"
    "\n"
    "Draws results by gnuplot. KIND is one of\n"
    "\n"
    "  misses   miss ratio of a TLB over a setting, such as its size\n"
    "  cycles   cycles per reference over a setting, one curve for each mode\n"
    "  heat     a value over two settings, as a map\n"
    "  causes   cycles per reference by cause, one bar for each point\n"
    "\n"
    "Points that differ only in the seed are drawn as their mean; whatever else differs gets a "
    "curve\n"
    "or bar of its own: --where leaves some out.\n"
    "\n"
    "  -o, --output=FILE      the chart; its name ends in .svg or .png\n"
    "      --report=FILE      one HTML page with charts, tables and how to repeat it all, which "
    "needs\n"
    "                         nothing beside it\n"
    "      --x=KEY            key of the machine file along the bottom (default: the first that\n"
    "                         varies, entries of TLBs before others)\n"
    "      --y=KEY            heat: the key upwards (default: the next that varies)\n"
    "      --value=NAME[/NAME]\n"
    "                         statistic, or one divided by another (default: misses by accesses "
    "of\n"
    "                         the TLB along the bottom; sim.cycles/sim.references)\n"
    "      --title=TEXT       above the chart\n"
    "      --where=CONDITION  as for 'nestwalk results'; may be given again\n"
    "  -q, -v                 taken as everywhere\n"
    "      --help\n"
    "\n"
    "Examples:\n"
    "  nestwalk plot l1.db misses -o curve.svg\n"
    "  nestwalk plot l2.db cycles --where trace=sort -o cycles.png\n"
    "  nestwalk plot geometry.db heat --x mmu.l2.entries --y mmu.l2.ways -o map.svg\n"
    "  nestwalk plot l2.db --report l2.html\n";

#define CONDITIONS 64

struct options {
  const char *file, *output, *report;
  const char *conditions[CONDITIONS];
  size_t condition_count;
  struct nw_plot_options plot;
  bool help;
};

/* -- options ---------------------------------------------------------------------------------- */

static bool take_where(struct options *o, const char *value) {
  if (o->condition_count == CONDITIONS) {
    nw_cli_usage("plot", "found more than %d --where", CONDITIONS);
    return false;
  }
  o->conditions[o->condition_count++] = value;
  return true;
}

static bool take_option(struct options *o, int option, char **argv) {
  const struct {
    int option;
    const char **value;
  } values[] = {{'o', &o->output}, {'r', &o->report},     {'x', &o->plot.x},
                {'y', &o->plot.y}, {'V', &o->plot.value}, {'t', &o->plot.title}};
  if (option == 'q' || option == 'v')
    return true;
  if (option == 'h')
    return o->help = true;
  if (option == 'w')
    return take_where(o, optarg);
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    if (values[i].option == option) {
      *values[i].value = optarg;
      return true;
    }
  }
  nw_cli_bad_option("plot", option, argv);
  return false;
}

static bool take_kind(struct options *o, const char *name) {
  for (int kind = 0; kind < NW_PLOT_KINDS; kind++) {
    if (!strcmp(nw_plot_kind_names[kind], name)) {
      o->plot.kind = (enum nw_plot_kind)kind;
      return true;
    }
  }
  nw_cli_usage("plot", "no kind of chart '%.100s'; expected misses, cycles, heat or causes", name);
  return false;
}

static bool take_arguments(struct options *o, int count, char **arguments) {
  int expected = o->report ? 1 : 2;
  if (count != expected) {
    nw_cli_usage("plot", "found %d arguments, expected %s", count,
                 o->report ? "a results file" : "a results file and a kind of chart");
    return false;
  }
  if (!o->report && !o->output) {
    nw_cli_usage("plot", "no file to draw to; expected -o FILE.svg, FILE.png, or --report FILE");
    return false;
  }
  o->file = arguments[0];
  return o->report || take_kind(o, arguments[1]);
}

static bool parse(int argc, char **argv, struct options *o) {
  static const struct option longs[] = {
      {"output", required_argument, NULL, 'o'},
      {"report", required_argument, NULL, 'r'},
      {"x", required_argument, NULL, 'x'},
      {"y", required_argument, NULL, 'y'},
      {"value", required_argument, NULL, 'V'},
      {"title", required_argument, NULL, 't'},
      {"where", required_argument, NULL, 'w'},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  opterr = 0;
  for (int c; !o->help && (c = getopt_long(argc, argv, ":ho:qv", longs, NULL)) != -1;) {
    if (!take_option(o, c, argv))
      return false;
  }
  return o->help || take_arguments(o, argc - optind, argv + optind);
}

/* -- drawing ---------------------------------------------------------------------------------- */

static int draw(const struct options *o, const struct nw_table *table) {
  char error[NW_RUN_ERROR];
  struct nw_plot *plot = nw_plot_make(table, &o->plot, error);
  if (!plot)
    return nw_cli_usage("plot", "%s: %s", o->file, error);
  int status = NW_CLI_OK;
  if (!nw_plot_draw(plot, o->output, error))
    status = nw_cli_error(NW_CLI_FAILED, "%s", error);
  nw_plot_free(plot);
  return status;
}

static int draw_results(const struct options *o, struct nw_results *results) {
  struct nw_table table;
  char error[NW_RESULTS_ERROR];
  int status = NW_CLI_OK;
  if (!nw_table_load(results, &table))
    status = nw_cli_error(NW_CLI_FAILED, "%s", results->error);
  for (size_t i = 0; i < o->condition_count && status == NW_CLI_OK; i++) {
    if (!nw_table_filter(&table, o->conditions[i], error))
      status = nw_cli_usage("plot", "--where: %s", error);
  }
  if (status == NW_CLI_OK) {
    nw_table_sort(&table);
    if (!o->report)
      status = draw(o, &table);
    else if (!nw_report_write(results, &table, o->report, error))
      status = nw_cli_error(NW_CLI_FAILED, "%s", error);
  }
  nw_table_free(&table);
  return status;
}

int nw_cmd_plot(int argc, char **argv) {
  struct options o = {.file = NULL};
  struct nw_results results;
  char error[NW_RUN_ERROR];
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (o.help) {
    fputs(help, stdout);
    return nw_cli_finish(NW_CLI_OK);
  }
  enum nw_run_status possible = nw_gnuplot_check(o.report ? "x.svg" : o.output, error);
  if (possible != NW_RUN_OK)
    return nw_cli_error(possible == NW_RUN_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED, "%s", error);
  if (!nw_results_open(&results, o.file, NW_RESULTS_READ))
    return nw_cli_error(NW_CLI_USAGE, "%s", results.error);
  int status = draw_results(&o, &results);
  nw_results_close(&results);
  return status;
}
