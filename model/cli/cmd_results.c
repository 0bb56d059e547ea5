/* SPDX-License-Identifier: Apache-2.0 */
/* nestwalk results: what is in results files. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/simulation.h"
#include "sim/results_merge.h"
#include "sim/results_write.h"

static const char help[] =
    "Usage: nestwalk results list RESULTS.db [--where=CONDITION]... [--columns=NAME,...]\n"
    "       nestwalk results export RESULTS.db [--format=csv|json] [-o FILE] [--where=...]\n"
    "       nestwalk results merge -o RESULTS.db FILE.db...\n"
    "       nestwalk results compare A.db B.db [--match=NAME,...] [--columns=NAME,...]\n"
    "       nestwalk results machine RESULTS.db [--where=CONDITION]...\n"
    "\n"
    "list     print points as a table: what tells them apart, and a few statistics\n"
    "export   every column of every point, as CSV or JSON\n"
    "merge    add the points of files to RESULTS.db, which is made where it is missing; a point "
    "that\n"
    "         is there already stays, so that merging twice changes nothing\n"
    "compare  what is not the same in B as in A, the largest changes first\n"
    "machine  print the machine file of the one point that is meant\n"
    "\n"
    "      --where=CONDITION   only points for which it holds: mode=nested, trace=sort,\n"
    "                          'mmu.l2.entries>=512', 'machine!=cortex-*'; may be given again, "
    "and\n"
    "                          all must hold then\n"
    "      --columns=NAME,...  list, export: these columns; compare: these statistics. Names are\n"
    "                          trace, machine, mode, seed, limit, method, version, finished,\n"
    "                          seconds, sweep, key, every key of the machine file, every "
    "statistic;\n"
    "                          * stands for anything: mmu.l2.*\n"
    "      --format=FORMAT     export: csv (the default) or json\n"
    "  -o, --output=FILE       export: a file instead of standard output; merge: the file to add "
    "to\n"
    "      --match=NAME,...    compare: points are the same when these columns are (default: key,\n"
    "                          which means the same machine, trace, mode and limit)\n"
    "      --threshold=PERCENT compare: smaller changes are none (default 0)\n"
    "      --most=N            compare: print at most N changes (default 40)\n"
    "  -q, -v                  taken as everywhere\n"
    "      --help\n"
    "\n"
    "Examples:\n"
    "  nestwalk results list l2.db --where mode=nested --columns mmu.l2.entries,sim.cycles\n"
    "  nestwalk results export l2.db --format json -o l2.json\n"
    "  nestwalk results merge -o all.db part-*.db\n"
    "  nestwalk results compare before.db after.db --columns 'sim.cycles,mmu.*'\n";

#define CONDITIONS 64

struct options {
  const char *conditions[CONDITIONS];
  size_t condition_count;
  const char *columns, *output, *match;
  bool json;
  double threshold;
  uint64_t most;
  char **files;
  size_t file_count;
};

/* -- opening ---------------------------------------------------------------------------------- */

/* NW_CLI_OK, or the exit status after a message. */
static int load(const char *path, const struct options *o, struct nw_table *table) {
  struct nw_results results;
  char error[NW_RESULTS_ERROR];
  *table = (struct nw_table){NULL, 0, 0, NULL};
  if (!nw_results_open(&results, path, NW_RESULTS_READ))
    return nw_cli_error(NW_CLI_USAGE, "%s", results.error);
  int status = NW_CLI_OK;
  if (!nw_table_load(&results, table))
    status = nw_cli_error(NW_CLI_FAILED, "%s", results.error);
  nw_results_close(&results);
  for (size_t i = 0; i < o->condition_count && status == NW_CLI_OK; i++) {
    if (!nw_table_filter(table, o->conditions[i], error))
      status = nw_cli_usage("results", "--where: %s", error);
  }
  if (status == NW_CLI_OK)
    nw_table_sort(table);
  return status;
}

/* Marks the columns that --columns names, or those that `usual` does. */
static int choose(const struct options *o, const struct nw_table *table, bool **chosen,
                  void (*usual)(const struct nw_table *table, bool *chosen)) {
  char error[NW_RESULTS_ERROR];
  *chosen = calloc(table->column_count + 1, sizeof **chosen);
  if (!*chosen)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  if (!o->columns)
    usual(table, *chosen);
  else if (!nw_results_choose(table, o->columns, *chosen, error))
    return nw_cli_usage("results", "--columns: %s", error);
  return NW_CLI_OK;
}

/* -- list, export, machine -------------------------------------------------------------------- */

static void choose_all(const struct nw_table *table, bool *chosen) {
  for (size_t i = 0; i < table->column_count; i++)
    chosen[i] = true;
}

static int cmd_list(const struct options *o) {
  struct nw_table table;
  bool *chosen = NULL;
  int status = load(o->files[0], o, &table);
  if (status == NW_CLI_OK)
    status = choose(o, &table, &chosen, nw_results_usual);
  if (status == NW_CLI_OK) {
    nw_results_write_list(&table, chosen, stdout);
    printf("\n%zu points\n", table.row_count);
  }
  free(chosen);
  nw_table_free(&table);
  return nw_cli_finish(status);
}

static bool write_table(const struct options *o, const struct nw_table *table, const bool *chosen,
                        FILE *out) {
  if (o->json)
    return nw_results_write_json(table, chosen, out);
  nw_results_write_csv(table, chosen, out);
  return true;
}

static int export_to_file(const struct options *o, const struct nw_table *table,
                          const bool *chosen) {
  FILE *out = fopen(o->output, "we");
  bool good = out && write_table(o, table, chosen, out);
  good = good && !ferror(out);
  if (out)
    good = fclose(out) == 0 && good;
  return good ? NW_CLI_OK : nw_cli_error(NW_CLI_FAILED, "%s: %s", o->output, strerror(errno));
}

static int cmd_export(const struct options *o) {
  struct nw_table table;
  bool *chosen = NULL;
  int status = load(o->files[0], o, &table);
  if (status == NW_CLI_OK)
    status = choose(o, &table, &chosen, choose_all);
  if (status == NW_CLI_OK && o->output)
    status = export_to_file(o, &table, chosen);
  else if (status == NW_CLI_OK && !write_table(o, &table, chosen, stdout))
    status = nw_cli_error(NW_CLI_FAILED, "out of memory");
  free(chosen);
  nw_table_free(&table);
  return nw_cli_finish(status);
}

/* The machine of the point with this key. */
static int print_machine(const char *path, const char *key) {
  struct nw_results results;
  sqlite3_stmt *statement = NULL;
  static const char query[] = "SELECT text FROM point JOIN machine ON machine.id = point.machine"
                              " WHERE key = ? LIMIT 1";
  if (!nw_results_open(&results, path, NW_RESULTS_READ))
    return nw_cli_error(NW_CLI_USAGE, "%s", results.error);
  bool good = sqlite3_prepare_v2(results.database, query, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
  if (good)
    fputs((const char *)sqlite3_column_text(statement, 0), stdout);
  else
    nw_results_failed(&results, "reading");
  sqlite3_finalize(statement);
  int status = good ? NW_CLI_OK : nw_cli_error(NW_CLI_FAILED, "%s", results.error);
  nw_results_close(&results);
  return status;
}

static int cmd_machine(const struct options *o) {
  struct nw_table table;
  int status = load(o->files[0], o, &table);
  if (status == NW_CLI_OK && table.row_count != 1)
    status =
        nw_cli_usage("results", "machine: found %zu points, expected conditions that leave one",
                     table.row_count);
  if (status == NW_CLI_OK)
    status = print_machine(o->files[0], nw_table_find(&table, "key")->cells[0].text);
  nw_table_free(&table);
  return nw_cli_finish(status);
}

/* -- merge ------------------------------------------------------------------------------------ */

static int cmd_merge(const struct options *o) {
  struct nw_results results;
  uint64_t total = 0;
  if (!o->output)
    return nw_cli_usage("results", "merge: no file to add to; expected -o RESULTS.db");
  if (!nw_results_open(&results, o->output, NW_RESULTS_WRITE))
    return nw_cli_error(NW_CLI_FAILED, "%s", results.error);
  int status = NW_CLI_OK;
  for (size_t i = 0; i < o->file_count && status == NW_CLI_OK; i++) {
    uint64_t added;
    if (!nw_results_merge(&results, o->files[i], &added))
      status = nw_cli_error(NW_CLI_USAGE, "%s", results.error);
    total += added;
  }
  if (status == NW_CLI_OK)
    printf("%s: %" PRIu64 " points added from %zu files\n", o->output, total, o->file_count);
  nw_results_close(&results);
  return nw_cli_finish(status);
}

/* -- compare ---------------------------------------------------------------------------------- */

/* "sort nested mmu.l2.entries=512": the first table's words for a row. */
static void print_point(const struct nw_table *table, const bool *identity, size_t row) {
  for (size_t i = 0; i < table->column_count; i++) {
    const struct nw_table_column *column = &table->columns[i];
    if (!identity[i] || !column->cells[row].text)
      continue;
    if (column->kind == NW_COLUMN_SETTING)
      printf("%s=", column->name);
    printf("%s ", column->cells[row].text);
  }
}

static void print_difference(const struct nw_table tables[2], const bool *identity,
                             const struct nw_difference *d) {
  print_point(&tables[0], identity, d->row[0]);
  printf(" %s  %s -> %s", d->column[0]->name, d->column[0]->cells[d->row[0]].text,
         d->column[1]->cells[d->row[1]].text);
  if (isinf(d->change))
    printf("  (from 0)\n");
  else
    printf("  (%+.3f %%)\n", 100.0 * d->change);
}

static void print_comparison(const struct options *o, const struct nw_table tables[2],
                             const struct nw_results_comparison *c) {
  bool *identity = calloc(tables[0].column_count + 1, sizeof *identity);
  if (identity)
    nw_results_identity(&tables[0], identity);
  for (size_t i = 0; identity && i < c->count && i < o->most; i++)
    print_difference(tables, identity, &c->differences[i]);
  if (c->count > o->most)
    printf("... and %zu smaller changes\n", c->count - (size_t)o->most);
  printf("%s%zu points in both, %zu of them changed (%zu statistics); %zu only in %s, %zu only in "
         "%s\n",
         c->count ? "\n" : "", c->both, c->changed, c->count, c->only[0], o->files[0], c->only[1],
         o->files[1]);
  free(identity);
}

static int cmd_compare(const struct options *o) {
  struct nw_table tables[2];
  struct nw_results_comparison comparison = {0};
  struct nw_comparison_options options = {
      .match = o->match ? o->match : "key", .statistic = o->columns, .threshold = o->threshold};
  char error[NW_RESULTS_ERROR];
  int status = load(o->files[0], o, &tables[0]);
  int second = load(o->files[1], o, &tables[1]);
  status = status == NW_CLI_OK ? second : status;
  if (status == NW_CLI_OK && !nw_results_compare(tables, &options, &comparison, error))
    status = nw_cli_error(NW_CLI_USAGE, "%s", error);
  if (status == NW_CLI_OK)
    print_comparison(o, tables, &comparison);
  nw_results_comparison_free(&comparison);
  nw_table_free(&tables[0]);
  nw_table_free(&tables[1]);
  return nw_cli_finish(status);
}

/* -- the command ------------------------------------------------------------------------------ */

/* The actions: how many files, and the options that each takes. */
static const struct action {
  const char *name;
  int (*run)(const struct options *o);
  size_t least, most;
  const char *takes;
} actions[] = {
    {"list", cmd_list, 1, 1, "wc"},         {"export", cmd_export, 1, 1, "wcof"},
    {"merge", cmd_merge, 1, SIZE_MAX, "o"}, {"compare", cmd_compare, 2, 2, "wcmtn"},
    {"machine", cmd_machine, 1, 1, "w"},
};

static bool parse_percent(const char *text, double *fraction) {
  char *end;
  *fraction = strtod(text, &end) / 100.0;
  return *text && !*end && *fraction >= 0.0 && isfinite(*fraction);
}

static bool take_where(struct options *o, const char *value) {
  if (o->condition_count == CONDITIONS) {
    nw_cli_usage("results", "found more than %d --where", CONDITIONS);
    return false;
  }
  o->conditions[o->condition_count++] = value;
  return true;
}

static bool refuse_value(const char *option, const char *value, const char *expected) {
  nw_cli_usage("results", "%s: found '%.100s', expected %s", option, value, expected);
  return false;
}

static bool take_option(struct options *o, int option) {
  switch (option) {
  case 'w':
    return take_where(o, optarg);
  case 'c':
    o->columns = optarg;
    return true;
  case 'o':
    o->output = optarg;
    return true;
  case 'f':
    o->json = !strcmp(optarg, "json");
    return o->json || !strcmp(optarg, "csv") || refuse_value("--format", optarg, "csv or json");
  case 'm':
    o->match = optarg;
    return true;
  case 't':
    return parse_percent(optarg, &o->threshold) ||
           refuse_value("--threshold", optarg, "a percentage from 0 on");
  case 'n':
    return nw_cli_number(optarg, 0, UINT64_MAX, &o->most) ||
           refuse_value("--most", optarg, "a whole number");
  default: /* -q, -v */
    return true;
  }
}

static const struct action *find_action(const char *name) {
  for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
    if (!strcmp(actions[i].name, name))
      return &actions[i];
  return NULL;
}

static int run_action(struct options *o, int argc, char **argv, const char *given) {
  static const char *const names[] = {
      ['w'] = "where", ['c'] = "columns",   ['o'] = "output", ['f'] = "format",
      ['m'] = "match", ['t'] = "threshold", ['n'] = "most"};
  const struct action *action = argc > 0 ? find_action(argv[0]) : NULL;
  if (!action)
    return nw_cli_usage("results",
                        "found %s%.100s%s, expected list, export, merge, compare or "
                        "machine",
                        argc > 0 ? "'" : "", argc > 0 ? argv[0] : "no action", argc > 0 ? "'" : "");
  o->files = argv + 1;
  o->file_count = (size_t)argc - 1;
  if (o->file_count < action->least || o->file_count > action->most)
    return nw_cli_usage("results", "%s: found %zu files, expected %zu%s", action->name,
                        o->file_count, action->least, action->most > 2 ? " or more" : "");
  size_t known = strspn(given, action->takes);
  if (given[known])
    return nw_cli_usage("results", "%s does not take the option --%s", action->name,
                        names[(unsigned char)given[known]]);
  return action->run(o);
}

int nw_cmd_results(int argc, char **argv) {
  static const struct option longs[] = {
      {"where", required_argument, NULL, 'w'},
      {"columns", required_argument, NULL, 'c'},
      {"output", required_argument, NULL, 'o'},
      {"format", required_argument, NULL, 'f'},
      {"match", required_argument, NULL, 'm'},
      {"threshold", required_argument, NULL, 't'},
      {"most", required_argument, NULL, 'n'},
      {"quiet", no_argument, NULL, 'q'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  struct options o = {.most = 40};
  char given[16] = "";
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, ":ho:qv", longs, NULL)) != -1;) {
    if (c == 'h') {
      fputs(help, stdout);
      return nw_cli_finish(NW_CLI_OK);
    }
    if (c == '?' || c == ':')
      return nw_cli_bad_option("results", c, argv);
    if (!take_option(&o, c))
      return NW_CLI_USAGE;
    if (c != 'q' && c != 'v' && !strchr(given, c))
      given[strlen(given)] = (char)c;
  }
  return run_action(&o, argc - optind, argv + optind, given);
}
