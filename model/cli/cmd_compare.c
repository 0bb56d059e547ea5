/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk compare: paging modes, and variants of the machine, side by side. */
#define _GNU_SOURCE /* strsep */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "sim/chart.h"
#include "sim/comparison.h"
#include "sim/names.h"

static void help(void) {
  printf(
      "Usage: nestwalk compare -m MACHINE -w TRACE [-w TRACE...] [-p MODE,...] [OPTION...]\n"
      "\n"
      "Replays traces on a machine under several paging modes, and prints one table: cycles,\n"
      "cycles per instruction and in relation to nested, TLB misses of the last level, walks,\n"
      "descriptors read by walks, exits, and the cycles of translation and of exits as parts\n"
      "of all cycles; then what is faster, and why.\n"
      "\n"
      "%s"
      "  -p, --mode=MODE,...     modes to compare (default: all that the machine allows)\n"
      "      --variant=NAME=MODE[:KEY=VALUE[,KEY=VALUE...]]\n"
      "                          one more column: a mode with keys of the machine file\n"
      "                          overridden for it alone; may be given again\n"
      "  -j, --jobs=N            runs at a time (default: the processors there are)\n"
      "      --json              print all statistics as JSON instead of the table\n"
      "      --plot=FILE         draw a chart, too; FILE ends in .svg or .png. One trace: cycles\n"
      "                          per instruction; several: program time with nested as 100\n"
      "  -q, --quiet             no progress\n"
      "  -v, --verbose           tell how fast it went\n"
      "      --help\n"
      "\n"
      "Examples:\n"
      "  nestwalk compare -m cortex-a15 -w sort.nwt -w gzip.nwt --plot modes.svg\n"
      "  nestwalk compare -m cortex-a15 -w sort.nwt -p nested,shadow --json\n"
      "  nestwalk compare -m cortex-a15 -w sort.nwt -p nested,shadow \\\n"
      "      --variant shadow+update=shadow:hypervisor.shadow.sync=update\n",
      nw_cli_simulation_help);
}

#define VARIANTS 64

/* A column with settings of its own. */
struct variant {
  char *text; /* the option's value, taken apart: the home of the strings */
  const char *name;
  enum nw_mode mode;
  const char *sets[NW_CLI_SETS];
  size_t set_count;
  struct nw_machine_config config;
};

struct options {
  struct nw_cli_simulation simulation;
  enum nw_mode modes[NW_MODES];
  size_t mode_count; /* 0: not given */
  struct variant *variants[VARIANTS];
  size_t variant_count;
  unsigned threads;
  bool json, help;
  const char *plot;
};

enum { OPTION_HELP = NW_CLI_OPTION_OTHERS, OPTION_JSON, OPTION_PLOT, OPTION_VARIANT };

/* -- variants --------------------------------------------------------------------------------- */

/* Cuts the next KEY=VALUE off; commas in brackets are the value's own. NULL: there is none. */
static char *next_set(char **rest) {
  char *start = *rest, *at = start;
  int depth = 0;
  if (start == NULL)
    return NULL;
  for (; *at != '\0' && (depth > 0 || *at != ','); at++)
    depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
  *rest = *at != '\0' ? at + 1 : NULL;
  *at = '\0';
  return start;
}

static bool bad_variant(const char *value) {
  nw_cli_usage("compare",
               "--variant: found '%.200s', expected NAME=MODE or NAME=MODE:KEY=VALUE,KEY=VALUE",
               value);
  return false;
}

static bool parse_variant(struct variant *v, const char *value) {
  char *rest = v->text, *name = strsep(&rest, "="), *mode = strsep(&rest, ":");
  enum nw_mode modes[NW_MODES];
  if (name[0] == '\0' || mode == NULL || mode[0] == '\0' || strchr(mode, ',') != NULL)
    return bad_variant(value);
  if (nw_cli_modes("compare", mode, modes) == 0)
    return false;
  v->name = name;
  v->mode = modes[0];
  for (char *set; (set = next_set(&rest)) != NULL; v->sets[v->set_count++] = set) {
    const char *equals = strchr(set, '=');
    if (equals == NULL || equals == set)
      return bad_variant(value);
    if (v->set_count == NW_CLI_SETS) {
      nw_cli_usage("compare", "--variant: found more than %d settings", NW_CLI_SETS);
      return false;
    }
  }
  return true;
}

static bool take_variant(struct options *o, const char *value) {
  if (o->variant_count == VARIANTS) {
    nw_cli_usage("compare", "found more than %d --variant", VARIANTS);
    return false;
  }
  struct variant *v = calloc(1, sizeof *v);
  if (v == NULL || (v->text = strdup(value)) == NULL) {
    free(v);
    nw_cli_error(NW_CLI_FAILED, "out of memory");
    return false;
  }
  o->variants[o->variant_count++] = v;
  return parse_variant(v, value);
}

static void free_variants(struct options *o) {
  for (size_t i = 0; i < o->variant_count; i++) {
    free(o->variants[i]->text);
    free(o->variants[i]);
  }
}

/* -- columns ---------------------------------------------------------------------------------- */

#define COLUMNS (NW_MODES + VARIANTS)

/* What is compared: a column, and the machine that it runs on. */
struct columns {
  struct nw_column column[COLUMNS];
  const struct nw_machine_config *config[COLUMNS];
  size_t count;
};

static bool add_column(struct columns *c, const char *name, enum nw_mode mode, bool variant,
                       const struct nw_machine_config *config) {
  for (size_t i = 0; i < c->count; i++) {
    if (strcmp(c->column[i].name, name) == 0) {
      nw_cli_usage("compare", "--variant: found the name '%.100s' twice", name);
      return false;
    }
  }
  c->column[c->count] = (struct nw_column){.name = name, .mode = mode, .variant = variant};
  c->config[c->count++] = config;
  return true;
}

static bool machine_allows(const struct nw_machine_config *config, enum nw_mode mode) {
  char error[NW_RUN_ERROR];
  struct nw_machine *machine = nw_machine_create(config, mode, error, sizeof error);
  nw_machine_destroy(machine);
  return machine != NULL;
}

/* Without -p: all that the machine allows. When it allows none, a run will tell why. */
static void default_modes(struct options *o) {
  for (int mode = 0; mode < NW_MODES; mode++)
    if (machine_allows(&o->simulation.config, (enum nw_mode)mode))
      o->modes[o->mode_count++] = (enum nw_mode)mode;
  if (o->mode_count == 0)
    o->modes[o->mode_count++] = NW_MODE_NATIVE;
}

/* NW_CLI_OK, or the exit status (a message has been printed). */
static int list_columns(struct options *o, struct columns *c) {
  if (o->mode_count == 0)
    default_modes(o);
  for (size_t i = 0; i < o->mode_count; i++)
    add_column(c, nw_mode_names[o->modes[i]], o->modes[i], false, &o->simulation.config);
  for (size_t i = 0; i < o->variant_count; i++) {
    struct variant *v = o->variants[i];
    int status = nw_cli_simulation_machine(&o->simulation, v->sets, v->set_count, &v->config);
    if (status != NW_CLI_OK)
      return status;
    if (!add_column(c, v->name, v->mode, true, &v->config))
      return NW_CLI_USAGE;
  }
  return NW_CLI_OK;
}

/* -- options ---------------------------------------------------------------------------------- */

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
  case OPTION_VARIANT:
    return take_variant(o, optarg);
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
      {"variant", required_argument, NULL, OPTION_VARIANT},
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

/* -- running and printing --------------------------------------------------------------------- */

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
    if (comparison->column_count > 1 && !interrupted)
      putchar('\n');
    if (!interrupted) /* unfinished runs of different lengths cannot be compared */
      nw_comparison_write_reasons(comparison, stdout);
  }
  if (o->plot && !interrupted && !nw_chart_draw(comparison, o->plot, error))
    status = nw_cli_error(NW_CLI_FAILED, "%s", error);
  return status;
}

/* Jobs in the order of struct nw_comparison. */
static struct nw_job *make_jobs(const struct nw_cli_simulation *s, const struct columns *c) {
  struct nw_job *jobs = calloc(s->traces * c->count, sizeof *jobs);
  for (size_t i = 0; jobs && i < s->traces * c->count; i++) {
    jobs[i].trace = s->trace[i / c->count];
    jobs[i].config = c->config[i % c->count];
    jobs[i].mode = c->column[i % c->count].mode;
    jobs[i].limit = s->limit;
  }
  return jobs;
}

static int compare(const struct options *o, const struct columns *c) {
  const struct nw_cli_simulation *s = &o->simulation;
  struct nw_job *jobs = make_jobs(s, c);
  if (!jobs)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  struct nw_comparison comparison = {.traces = s->trace_path,
                                     .trace_count = s->traces,
                                     .columns = c->column,
                                     .column_count = c->count,
                                     .jobs = jobs};
  bool interrupted;
  int status = nw_cli_simulate(s, jobs, s->traces * c->count, o->threads, &interrupted);
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

static int run(struct options *o) {
  struct columns columns = {.count = 0};
  int status = check_plot(o);
  if (status == NW_CLI_OK)
    status = nw_cli_simulation_open(&o->simulation);
  if (status == NW_CLI_OK)
    status = list_columns(o, &columns);
  if (status == NW_CLI_OK)
    status = compare(o, &columns);
  nw_cli_simulation_close(&o->simulation);
  return status;
}

int nw_cmd_compare(int argc, char **argv) {
  struct options o = {.simulation = {.command = "compare"}, .threads = nw_cli_processors()};
  int status = NW_CLI_USAGE;
  bool good = parse(argc, argv, &o);
  if (good && o.help) {
    help();
    status = nw_cli_finish(NW_CLI_OK);
  } else if (good) {
    status = run(&o);
  }
  free_variants(&o);
  return status;
}
