/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk sweep: every point of a sweep file. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "sim/comparison.h"
#include "sim/names.h"
#include "sim/onepass_group.h"
#include "sim/sweep_run.h"

static const char help[] =
    "Usage: nestwalk sweep SWEEP.yaml -o RESULTS.db [OPTION...]\n"
    "       nestwalk sweep SWEEP.yaml --dry-run [-o RESULTS.db] [OPTION...]\n"
    "\n"
    "Runs every combination of the machines, traces, modes and values that a sweep file names, "
    "and\n"
    "keeps each result in RESULTS.db as soon as it is there. What RESULTS.db holds already is not\n"
    "run again: started again after Ctrl-C, a kill or a power cut, a sweep goes on where it was.\n"
    "Several sweeps may write one file at the same time. Points that differ only in the size of "
    "an\n"
    "LRU TLB come from one pass over the trace where the statistics asked for allow it\n"
    "(docs/sweeps.md tells where).\n"
    "\n"
    "  -o, --output=FILE     the results: an SQLite database, made where it is missing\n"
    "  -w, --workload=TRACE  a trace, instead of those that the sweep file names; may be given "
    "again\n"
    "  -j, --jobs=N          threads (default: the processors there are)\n"
    "      --dry-run         list the points and estimate the time, run nothing\n"
    "      --shard=I/N       only the I-th of N parts of the points, 1 to N: for several "
    "machines,\n"
    "                        each with a results file of its own (nestwalk results merge)\n"
    "      --simulate        each point by a simulation of its own, never one pass for many\n"
    "  -q, --quiet           no progress, no summary\n"
    "  -v, --verbose         tell how many impossible points are left out\n"
    "      --help\n"
    "\n"
    "Examples:\n"
    "  nestwalk sweep configs/sweeps/l2-tlb.yaml -w sort.nwt --dry-run\n"
    "  nestwalk sweep configs/sweeps/l2-tlb.yaml -w sort.nwt -o l2.db\n"
    "  nestwalk sweep study.yaml -o part-3.db --shard 3/16\n";

struct options {
  const char *file, *output;
  const char *trace_path[NW_CLI_TRACES];
  size_t traces;
  struct nw_sweep_options sweep;
  struct nw_cli_foreign foreign;
  bool dry_run, quiet, verbose, help;
};

/* -- options ---------------------------------------------------------------------------------- */

enum {
  OPTION_HELP = 1000,
  OPTION_DRY_RUN,
  OPTION_SHARD,
  OPTION_SIMULATE,
  OPTION_FORMAT,
  OPTION_ARCHITECTURE,
};

static bool take_shard(struct nw_sweep_options *o, const char *value) {
  char shard[16];
  uint64_t number, of;
  size_t length = strcspn(value, "/");
  if (length < sizeof shard && value[length] == '/') {
    memcpy(shard, value, length);
    shard[length] = '\0';
    if (nw_cli_number(value + length + 1, 1, NW_SWEEP_POINTS, &of) &&
        nw_cli_number(shard, 1, of, &number)) {
      o->shard = (uint32_t)number;
      o->shards = (uint32_t)of;
      return true;
    }
  }
  nw_cli_usage("sweep", "--shard: found '%.100s', expected I/N, with I from 1 to N", value);
  return false;
}

static bool take_jobs(struct nw_sweep_options *o, const char *value) {
  uint64_t threads;
  if (!nw_cli_number(value, 1, 1024, &threads)) {
    nw_cli_usage("sweep", "-j: found '%.100s', expected a whole number from 1 to 1024", value);
    return false;
  }
  o->threads = (unsigned)threads;
  return true;
}

static bool take_trace(struct options *o, const char *value) {
  if (o->traces == NW_CLI_TRACES) {
    nw_cli_usage("sweep", "found more than %d traces", NW_CLI_TRACES);
    return false;
  }
  o->trace_path[o->traces++] = value;
  return true;
}

/* False when the option's value is wrong; a message has been printed. */
static bool take_option(struct options *o, int option, char **argv) {
  switch (option) {
  case 'o':
    o->output = optarg;
    return true;
  case 'w':
    return take_trace(o, optarg);
  case 'j':
    return take_jobs(&o->sweep, optarg);
  case 'q':
    return o->quiet = true;
  case 'v':
    return o->verbose = true;
  case OPTION_DRY_RUN:
    return o->dry_run = true;
  case OPTION_SHARD:
    return take_shard(&o->sweep, optarg);
  case OPTION_SIMULATE:
    return o->sweep.simulate = true;
  case OPTION_FORMAT:
    return nw_cli_take_format("sweep", &o->foreign, optarg);
  case OPTION_ARCHITECTURE:
    return nw_cli_take_architecture("sweep", &o->foreign, optarg);
  case 'h':
  case OPTION_HELP:
    return o->help = true;
  default:
    nw_cli_bad_option("sweep", option, argv);
    return false;
  }
}

static bool parse(int argc, char **argv, struct options *o) {
  static const struct option options[] = {
      {"output", required_argument, NULL, 'o'},
      {"workload", required_argument, NULL, 'w'},
      {"jobs", required_argument, NULL, 'j'},
      {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
      {"shard", required_argument, NULL, OPTION_SHARD},
      {"simulate", no_argument, NULL, OPTION_SIMULATE},
      {"format", required_argument, NULL, OPTION_FORMAT},
      {"architecture", required_argument, NULL, OPTION_ARCHITECTURE},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, OPTION_HELP},
      {NULL, 0, NULL, 0},
  };
  int option;
  opterr = 0;
  while (!o->help && (option = getopt_long(argc, argv, ":ho:w:j:qv", options, NULL)) != -1) {
    if (!take_option(o, option, argv))
      return false;
  }
  if (o->help)
    return true;
  if (argc - optind != 1)
    nw_cli_usage("sweep", "found %d sweep files, expected one", argc - optind);
  else if (!o->output && !o->dry_run)
    nw_cli_usage("sweep", "no results file; expected -o RESULTS.db");
  else
    o->file = argv[optind];
  return o->file != NULL;
}

/* -- what a sweep needs ----------------------------------------------------------------------- */

struct study {
  struct nw_sweep sweep;
  struct nw_trace *traces[NW_CLI_TRACES];
  size_t trace_count;
  struct nw_sweep_plan plan;
};

/* Traces named in a sweep file are looked for beside it. */
static int open_trace(const struct options *o, struct study *study, const char *file,
                      const char *name) {
  char path[4096];
  const char *slash = file && name[0] != '/' ? strrchr(file, '/') : NULL;
  snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - file + 1) : 0, file ? file : "",
           name);
  int status = nw_cli_open_trace(path, &o->foreign, &study->traces[study->trace_count]);
  study->trace_count += status == NW_CLI_OK;
  return status;
}

static int open_traces(const struct options *o, struct study *study) {
  const struct nw_file_sweep *file = study->sweep.file;
  int status = NW_CLI_OK;
  if (!o->traces && !file->workloads_count)
    return nw_cli_error(NW_CLI_USAGE,
                        "%s: found no workloads, expected some there or -w TRACE here", o->file);
  for (size_t i = 0; i < o->traces && status == NW_CLI_OK; i++)
    status = open_trace(o, study, NULL, o->trace_path[i]);
  for (uint32_t i = 0; !o->traces && i < file->workloads_count && status == NW_CLI_OK; i++)
    status = open_trace(o, study, o->file, file->workloads[i]);
  return status;
}

static int open_study(const struct options *o, struct study *study) {
  struct nw_config_error error = {""};
  if (!nw_sweep_load(o->file, &study->sweep, &error))
    return nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  int status = open_traces(o, study);
  if (status == NW_CLI_OK && !nw_sweep_plan_make(&study->sweep, study->traces, study->trace_count,
                                                 nw_cli_find_machine, &study->plan, &error))
    status = nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  if (status == NW_CLI_OK && !study->plan.point_count)
    status = nw_cli_error(NW_CLI_USAGE, "%s: all of its %zu points are impossible", o->file,
                          study->plan.skipped);
  return status;
}

static void close_study(struct study *study) {
  nw_sweep_plan_free(&study->plan);
  for (size_t i = 0; i < study->trace_count; i++)
    nw_trace_close(study->traces[i]);
  nw_sweep_free(&study->sweep);
}

/* -- dry run ---------------------------------------------------------------------------------- */

static void print_duration(double seconds) {
  if (seconds < 90.0)
    printf("%.0f s", seconds + 0.5);
  else if (seconds < 5400.0)
    printf("%.0f min", seconds / 60.0 + 0.5);
  else
    printf("%.1f h", seconds / 3600.0);
}

static void print_point(const struct nw_sweep_plan *plan, size_t index, bool one_pass) {
  const struct nw_point *point = &plan->points[index];
  char label[28];
  nw_trace_label(nw_trace_path(plan->traces[point->workload]), label, sizeof label);
  printf("%6zu  %-12s %-12s %-9s %6" PRIu64 "  %-8s", index + 1, label, point->config.name,
         nw_mode_names[point->mode], point->seed, one_pass ? "one pass" : "simulate");
  for (size_t i = 0; i < plan->setting_count; i++)
    printf(" %s", point->settings[i]);
  putchar('\n');
}

/* Marks in `one_pass` the points that one pass answers with others. */
static void mark_passes(const struct nw_sweep_plan *plan, bool simulate, bool *one_pass) {
  struct nw_point_groups groups;
  if (nw_onepass_groups(plan, simulate, &groups)) {
    for (size_t g = 0; g < groups.count; g++)
      for (size_t i = 0; i < groups.group[g].count; i++)
        one_pass[groups.group[g].points[i]] = groups.group[g].one_pass;
  }
  nw_point_groups_free(&groups);
}

static int count_found(const struct options *o, const struct nw_sweep_plan *plan, const bool *mine,
                       size_t *found) {
  struct nw_results results;
  *found = 0;
  if (!o->output || access(o->output, F_OK) != 0)
    return NW_CLI_OK;
  if (!nw_results_open(&results, o->output, NW_RESULTS_READ))
    return nw_cli_error(NW_CLI_USAGE, "%s", results.error);
  for (size_t i = 0; i < plan->point_count; i++) {
    bool has = false;
    if (mine[i] && !nw_results_has(&results, plan->points[i].key, nw_sweep_version, &has)) {
      nw_cli_error(NW_CLI_FAILED, "%s", results.error);
      nw_results_close(&results);
      return NW_CLI_FAILED;
    }
    *found += has;
  }
  nw_results_close(&results);
  return NW_CLI_OK;
}

static int dry_run(const struct options *o, const struct study *study) {
  const struct nw_sweep_plan *plan = &study->plan;
  size_t found;
  bool *mine = calloc(plan->point_count, sizeof *mine);
  bool *one_pass = calloc(plan->point_count, sizeof *one_pass);
  if (!mine || !one_pass) {
    free(mine);
    free(one_pass);
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  }
  size_t count = nw_sweep_shard(plan, &o->sweep, mine);
  mark_passes(plan, o->sweep.simulate, one_pass);
  int status = count_found(o, plan, mine, &found);
  if (status == NW_CLI_OK) {
    printf("%6s  %-12s %-12s %-9s %6s  %-8s settings\n", "point", "trace", "machine", "mode",
           "seed", "how");
    for (size_t i = 0; i < plan->point_count; i++)
      if (mine[i])
        print_point(plan, i, one_pass[i]);
    printf("\n%zu points", count);
    if (plan->skipped)
      printf(" (%zu impossible ones left out)", plan->skipped);
    if (o->output)
      printf(", %zu of them in %s already", found, o->output);
    printf("; all of them would take about ");
    print_duration(nw_sweep_estimate(plan, &o->sweep) / o->sweep.threads);
    printf(" on %u threads\n", o->sweep.threads);
  }
  free(mine);
  free(one_pass);
  return nw_cli_finish(status);
}

/* -- the run ---------------------------------------------------------------------------------- */

static void show_progress(void *context, const struct nw_sweep_progress *p) {
  (void)context;
  if (!isatty(STDERR_FILENO))
    return;
  double rate = p->seconds > 0.0 ? (double)p->replayed / p->seconds : 0.0;
  double left =
      rate > 0.0 && p->total > p->replayed ? (double)(p->total - p->replayed) / rate : 0.0;
  double done = p->total ? 100.0 * (double)p->replayed / (double)p->total : 100.0;
  fprintf(stderr, "\r%zu of %zu points  %5.1f %%  %.1f M references/s  %d:%02d:%02d left ",
          p->found + p->run + p->failed, p->points, done < 100.0 ? done : 100.0, 1e-6 * rate,
          (int)left / 3600, (int)left / 60 % 60, (int)left % 60);
  fflush(stderr);
}

static void show_failure(void *context, const char *message) {
  (void)context;
  if (isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
  nw_cli_error(NW_CLI_FAILED, "%s", message);
}

static bool is_stopped(void *context) {
  (void)context;
  return nw_cli_interrupted();
}

static void print_summary(const struct options *o, const struct nw_sweep_progress *p) {
  printf("%s: %zu points: %zu run", o->output, p->points, p->run);
  if (p->one_pass)
    printf(" (%zu of them by one pass)", p->one_pass);
  printf(", %zu there before", p->found);
  if (p->failed)
    printf(", %zu failed", p->failed);
  printf("; %.1f M references in %.1f s\n", 1e-6 * (double)p->replayed, p->seconds);
}

static int run(const struct options *o, const struct study *study) {
  struct nw_results results;
  struct nw_sweep_progress progress;
  struct nw_sweep_watch watch = {
      .progress = o->quiet ? NULL : show_progress, .failure = show_failure, .stop = is_stopped};
  if (!nw_results_open(&results, o->output, NW_RESULTS_WRITE))
    return nw_cli_error(NW_CLI_FAILED, "%s", results.error);
  nw_cli_catch_interrupt();
  enum nw_sweep_outcome outcome =
      nw_sweep_run(&study->plan, &o->sweep, &results, &watch, &progress);
  if (!o->quiet && isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
  int status = outcome == NW_SWEEP_DONE ? NW_CLI_OK : NW_CLI_FAILED;
  if (outcome == NW_SWEEP_NO_RESULTS)
    nw_cli_error(status, "%s", results.error);
  else if (!o->quiet)
    print_summary(o, &progress);
  if (nw_cli_interrupted() && outcome != NW_SWEEP_DONE)
    nw_cli_error(status, "interrupted: the same command goes on from here");
  nw_results_close(&results);
  return nw_cli_finish(status);
}

int nw_cmd_sweep(int argc, char **argv) {
  struct options o = {.sweep = {.threads = nw_cli_processors(), .shard = 1, .shards = 1}};
  struct study study = {.trace_count = 0};
  if (!parse(argc, argv, &o))
    return NW_CLI_USAGE;
  if (o.help) {
    fputs(help, stdout);
    return nw_cli_finish(NW_CLI_OK);
  }
  int status = open_study(&o, &study);
  if (status == NW_CLI_OK && o.verbose && study.plan.skipped)
    fprintf(stderr, "%zu points are impossible and left out\n", study.plan.skipped);
  if (status == NW_CLI_OK)
    status = o.dry_run ? dry_run(&o, &study) : run(&o, &study);
  close_study(&study);
  return status;
}
