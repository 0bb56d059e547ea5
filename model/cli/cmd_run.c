/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk run: one trace, one machine, one mode. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "sim/names.h"
#include "sim/numerals.h"
#include "sim/statistics.h"

static void help(void) {
  printf(
      "Usage: nestwalk run -m MACHINE -w TRACE [-p MODE] [-o DIR] [OPTION...]\n"
      "\n"
      "Replays a trace on a machine under one paging mode. DIR gets the statistics as stats.txt\n"
      "and stats.json, and in timeline.csv what shadow tables and merged pages come to as the run\n"
      "goes on; a summary is printed. After Ctrl-C they hold what had been counted, with\n"
      "sim.complete 0.\n"
      "\n"
      "%s"
      "  -p, --mode=MODE         native, nested, shadow, selective, agile (default nested)\n"
      "  -o, --output=DIR        folder for the statistics (default nestwalk-out)\n"
      "  -q, --quiet             no progress, no summary\n"
      "  -v, --verbose           tell how fast it went\n"
      "      --help\n"
      "\n"
      "Examples:\n"
      "  nestwalk run -m cortex-a15 -w sort.nwt\n"
      "  nestwalk run -m cortex-a15 -w sort.nwt -p shadow -o shadow --set mmu.l2.entries=1024\n",
      nw_cli_simulation_help);
}

static void print_count(const char *name, uint64_t count, const char *note) {
  char text[32];
  nw_grouped(text, sizeof text, count);
  printf("%-16s %18s%s\n", name, text, note);
}

static void print_summary(const struct nw_cli_simulation *s, const struct nw_run_result *r,
                          const char *folder) {
  char note[64];
  uint64_t cycles = nw_run_cycles(r);
  double hundredth = cycles ? 100.0 / (double)cycles : 0.0;
  printf("%s on %s, %s%s\n\n", s->trace_path[0], s->config.name, nw_mode_names[r->mode],
         r->complete ? "" : " (not the whole trace)");
  print_count("references", nw_run_references(r), "");
  print_count("instructions", r->machine.instructions, "");
  snprintf(note, sizeof note, "  %.3f per instruction", nw_run_cpi(r));
  print_count("cycles", cycles, note);
  const struct {
    const char *name;
    uint64_t cycles;
  } parts[] = {
      {"  base", r->machine.cycles_base},
      {"  memory", r->machine.cycles_memory},
      {"  translation", r->machine.cycles_translation},
      {"  guest kernel", r->machine.cycles_guest_kernel},
      {"  exits", r->machine.cycles_exits},
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    snprintf(note, sizeof note, "  %.1f %%", hundredth * (double)parts[i].cycles);
    print_count(parts[i].name, parts[i].cycles, note);
  }
  print_count("walks", r->mmu.walks, "");
  print_count("walk references", r->mmu.walk_references, "");
  print_count("page faults", r->machine.page_faults, "");
  print_count("exits", nw_run_exits(r), "");
  if (r->machine.shadow_bytes_peak > 0) {
    print_count("shadow tables", r->machine.shadow_bytes_peak, "  bytes at most");
    print_count("", r->machine.shadow_bytes_average, "  bytes on average");
  }
  printf("\nstatistics in %s/stats.txt and %s/stats.json\n", folder, folder);
}

struct options {
  struct nw_cli_simulation simulation;
  enum nw_mode modes[NW_MODES];
  const char *folder;
  bool help;
};

/* False when they are wrong; a message has been printed. */
static bool parse(int argc, char **argv, struct options *o) {
  enum { OPTION_HELP = NW_CLI_OPTION_OTHERS };
  static const struct option options[] = {
      NW_CLI_SIMULATION_LONG,
      {"mode", required_argument, NULL, 'p'},
      {"output", required_argument, NULL, 'o'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, ":hp:o:" NW_CLI_SIMULATION_SHORT, options, NULL)) !=
         -1) {
    int taken = nw_cli_simulation_option(&o->simulation, option, optarg);
    if (taken < 0)
      return false;
    if (taken)
      continue;
    switch (option) {
    case 'p': {
      size_t modes = nw_cli_modes("run", optarg, o->modes);
      if (modes > 1)
        nw_cli_usage("run", "found %zu modes, expected one ('nestwalk compare' takes several)",
                     modes);
      if (modes != 1)
        return false;
      break;
    }
    case 'o':
      o->folder = optarg;
      break;
    case 'h':
    case OPTION_HELP:
      o->help = true;
      return true;
    default:
      nw_cli_bad_option("run", option, argv);
      return false;
    }
  }
  if (optind < argc)
    nw_cli_usage("run", "found '%.100s', expected options only", argv[optind]);
  else if (o->simulation.traces > 1)
    nw_cli_usage("run", "found %zu traces, expected one ('nestwalk compare' takes several)",
                 o->simulation.traces);
  return optind == argc && o->simulation.traces <= 1;
}

static int run(const struct options *o) {
  const struct nw_cli_simulation *s = &o->simulation;
  struct nw_job job = {
      .trace = s->trace[0], .config = &s->config, .mode = o->modes[0], .limit = s->limit};
  char error[NW_RUN_ERROR];
  bool interrupted;
  int status = nw_cli_simulate(s, &job, 1, 1, &interrupted);
  if (status != NW_CLI_OK && !interrupted)
    return status;
  if (!nw_statistics_save(&job.result, o->folder, error))
    return nw_cli_error(NW_CLI_FAILED, "%s", error);
  if (!s->quiet)
    print_summary(s, &job.result, o->folder);
  return nw_cli_finish(status);
}

int nw_cmd_run(int argc, char **argv) {
  struct options o = {
      .simulation = {.command = "run"}, .modes = {NW_MODE_NESTED}, .folder = "nestwalk-out"};
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (o.help) {
    help();
    return nw_cli_finish(NW_CLI_OK);
  }
  int status = nw_cli_simulation_open(&o.simulation);
  if (status == NW_CLI_OK)
    status = run(&o);
  nw_cli_simulation_close(&o.simulation);
  return status;
}
