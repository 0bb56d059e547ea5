/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* qsort_r */
#include "sim/results_table.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/yaml_schema.h"
#include "sim/yaml_write.h"

#define PATH_MAX_LENGTH 256

/* -- texts ------------------------------------------------------------------------------------ */

struct block {
  struct block *next;
  char text[];
};

static const char *keep_text(struct nw_table *table, const char *text) {
  size_t size = strlen(text) + 1;
  struct block *block = malloc(sizeof *block + size);
  if (!block)
    return NULL;
  block->next = table->memory;
  table->memory = block;
  memcpy(block->text, text, size);
  return block->text;
}

/* 64, 64K, 0.5 */
static bool read_number(const char *text, double *number) {
  uint64_t whole;
  if (nw_yaml_number(text, NW_NUMBER_BYTES, &whole)) {
    *number = (double)whole;
    return true;
  }
  char *end;
  *number = strtod(text, &end);
  return *text && !*end && strchr("0123456789-.", *text) != NULL;
}

static bool set_cell(struct nw_table *table, struct nw_table_column *column, size_t row,
                     const char *text) {
  struct nw_cell *cell = &column->cells[row];
  cell->text = keep_text(table, text);
  cell->is_number = read_number(text, &cell->number);
  return cell->text != NULL;
}

/* -- columns ---------------------------------------------------------------------------------- */

const struct nw_table_column *nw_table_find(const struct nw_table *table, const char *name) {
  for (size_t i = 0; i < table->column_count; i++)
    if (!strcmp(table->columns[i].name, name))
      return &table->columns[i];
  return NULL;
}

/* The place of a new column; SIZE_MAX when out of memory. */
static size_t add_column(struct nw_table *table, const char *name, enum nw_column_kind kind) {
  size_t count = table->column_count;
  struct nw_table_column *columns = realloc(table->columns, (count + 1) * sizeof *columns);
  if (!columns)
    return SIZE_MAX;
  table->columns = columns;
  columns[count] =
      (struct nw_table_column){.name = strdup(name),
                               .kind = kind,
                               .unit = "",
                               .description = "",
                               .cells = calloc(table->row_count + 1, sizeof(struct nw_cell))};
  table->column_count++;
  return columns[count].name && columns[count].cells ? count : SIZE_MAX;
}

/* Paths come in much the same order in every machine: `*hint` is where the last one was found. */
static size_t setting_column(struct nw_table *table, const char *path, size_t *hint) {
  size_t next = *hint + 1;
  if (next >= table->column_count || strcmp(table->columns[next].name, path) != 0) {
    const struct nw_table_column *found = nw_table_find(table, path);
    next = found ? (size_t)(found - table->columns) : add_column(table, path, NW_COLUMN_SETTING);
  }
  *hint = next;
  return next;
}

/* -- machines --------------------------------------------------------------------------------- */

struct flattening {
  struct nw_table *table;
  size_t row, hint;
};

static bool add_setting(struct flattening *f, const struct nw_yaml_node *node, const char *path) {
  size_t column = setting_column(f->table, path, &f->hint);
  char *text = column == SIZE_MAX             ? NULL
               : node->kind == NW_YAML_SCALAR ? strdup(node->text)
                                              : nw_yaml_flow(node);
  bool good = text && set_cell(f->table, &f->table->columns[column], f->row, text);
  free(text);
  return good;
}

/* Lists of groups are taken apart by number, lists of words are one value. */
static bool flatten(struct flattening *f, const struct nw_yaml_node *node, const char *path) {
  bool group =
      node->first && (node->kind == NW_YAML_MAPPING ||
                      (node->kind == NW_YAML_SEQUENCE && node->first->kind == NW_YAML_MAPPING));
  if (!group)
    return add_setting(f, node, path);
  size_t index = 0;
  for (const struct nw_yaml_node *child = node->first; child; child = child->next, index++) {
    char below[PATH_MAX_LENGTH], number[24];
    snprintf(number, sizeof number, "%zu", index);
    snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "",
             child->key ? child->key : number);
    if (!flatten(f, child, below))
      return false;
  }
  return true;
}

static bool add_machine(struct nw_table *table, size_t row, const char *text) {
  struct flattening f = {table, row, table->column_count};
  struct nw_config_error error;
  struct nw_yaml *tree = nw_yaml_parse("machine", text, strlen(text), &error);
  bool good = tree && flatten(&f, nw_yaml_root(tree), "");
  nw_yaml_free(tree);
  return good;
}

/* -- reading the database --------------------------------------------------------------------- */

static const char *const point_columns[] = {
    "trace",   "machine",  "mode",    "seed",  "limit", "method",
    "version", "finished", "seconds", "sweep", "key",
};
#define POINT_COLUMNS (sizeof point_columns / sizeof point_columns[0])

static const char point_query[] =
    "SELECT trace.path, machine.name, mode, seed, reference_limit, method, version, finished,"
    " seconds, sweep.name, key, machine.text, point.id FROM point"
    " JOIN trace ON trace.id = point.trace JOIN machine ON machine.id = point.machine"
    " JOIN sweep ON sweep.id = point.sweep ORDER BY point.id";

/* What a table calls a trace: its file's name without folders and .nwt. */
static void short_name(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash ? slash + 1 : path);
  size_t length = strlen(out);
  if (length > 4 && !strcmp(out + length - 4, ".nwt"))
    out[length - 4] = '\0';
}

struct loader {
  struct nw_results *results;
  struct nw_table *table;
  int64_t *ids; /* of the points, by row, ascending */
};

static bool count_rows(struct loader *l) {
  sqlite3_stmt *statement = NULL;
  bool good = sqlite3_prepare_v2(l->results->database, "SELECT count(*) FROM point", -1, &statement,
                                 NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
  if (good)
    l->table->row_count = (size_t)sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return good || nw_results_failed(l->results, "reading");
}

static bool out_of_memory(struct loader *l) {
  snprintf(l->results->error, sizeof l->results->error, "%.400s: out of memory", l->results->path);
  return false;
}

static bool load_point(struct loader *l, sqlite3_stmt *statement, size_t row) {
  char trace[256];
  for (size_t i = 0; i < POINT_COLUMNS; i++) {
    const char *text = (const char *)sqlite3_column_text(statement, (int)i);
    if (!text)
      return out_of_memory(l);
    if (i == 0) {
      short_name(text, trace, sizeof trace);
      text = trace;
    }
    if (!set_cell(l->table, &l->table->columns[i], row, text))
      return out_of_memory(l);
  }
  const char *machine = (const char *)sqlite3_column_text(statement, (int)POINT_COLUMNS);
  l->ids[row] = sqlite3_column_int64(statement, (int)POINT_COLUMNS + 1);
  return machine && add_machine(l->table, row, machine) ? true : out_of_memory(l);
}

static bool load_points(struct loader *l) {
  sqlite3_stmt *statement = NULL;
  for (size_t i = 0; i < POINT_COLUMNS; i++) {
    if (add_column(l->table, point_columns[i], NW_COLUMN_POINT) == SIZE_MAX)
      return out_of_memory(l);
  }
  if (sqlite3_prepare_v2(l->results->database, point_query, -1, &statement, NULL) != SQLITE_OK)
    return nw_results_failed(l->results, "reading");
  size_t row = 0;
  int code;
  bool good = true;
  while (good && (code = sqlite3_step(statement)) == SQLITE_ROW && row < l->table->row_count)
    good = load_point(l, statement, row++);
  if (good && code != SQLITE_DONE && code != SQLITE_ROW)
    good = nw_results_failed(l->results, "reading");
  sqlite3_finalize(statement);
  l->table->row_count = row;
  return good;
}

static size_t row_of(const struct loader *l, int64_t id) {
  size_t low = 0, high = l->table->row_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (l->ids[middle] < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < l->table->row_count && l->ids[low] == id ? low : SIZE_MAX;
}

/* One column for each name, all of their values after each other. */
static bool load_values(struct loader *l, sqlite3_stmt *statement) {
  size_t column = SIZE_MAX;
  int64_t last = -1;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    int64_t name = sqlite3_column_int64(statement, 0);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    size_t row = row_of(l, sqlite3_column_int64(statement, 1));
    if (name != last) {
      column = add_column(l->table, (const char *)sqlite3_column_text(statement, 3),
                          NW_COLUMN_STATISTIC);
      if (column == SIZE_MAX)
        return out_of_memory(l);
      struct nw_table_column *c = &l->table->columns[column];
      c->unit = keep_text(l->table, (const char *)sqlite3_column_text(statement, 4));
      c->description = keep_text(l->table, (const char *)sqlite3_column_text(statement, 5));
      last = name;
    }
    if (row != SIZE_MAX && (!text || !set_cell(l->table, &l->table->columns[column], row, text)))
      return out_of_memory(l);
  }
  return code == SQLITE_DONE || nw_results_failed(l->results, "reading");
}

static bool load_statistics(struct loader *l) {
  static const char query[] = "SELECT name.id, point, value, name.name, unit, description FROM name"
                              " JOIN statistic ON statistic.name = name.id ORDER BY name.id, point";
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(l->results->database, query, -1, &statement, NULL) != SQLITE_OK)
    return nw_results_failed(l->results, "reading");
  bool good = load_values(l, statement);
  sqlite3_finalize(statement);
  return good;
}

static bool same_cell(const struct nw_cell *a, const struct nw_cell *b) {
  return a->text && b->text ? !strcmp(a->text, b->text) : a->text == b->text;
}

static void find_varying(struct nw_table *table) {
  for (size_t i = 0; i < table->column_count; i++) {
    struct nw_table_column *column = &table->columns[i];
    column->varies = false;
    for (size_t row = 1; row < table->row_count && !column->varies; row++)
      column->varies = !same_cell(&column->cells[0], &column->cells[row]);
  }
}

bool nw_table_load(struct nw_results *results, struct nw_table *table) {
  struct loader l = {.results = results, .table = table};
  *table = (struct nw_table){NULL, 0, 0, NULL};
  /* One transaction, so that a sweep that writes at the same time does not come in between. */
  sqlite3_exec(results->database, "BEGIN", NULL, NULL, NULL);
  bool good = count_rows(&l);
  if (good && !(l.ids = calloc(table->row_count + 1, sizeof *l.ids)))
    good = out_of_memory(&l);
  good = good && load_points(&l) && load_statistics(&l);
  sqlite3_exec(results->database, "COMMIT", NULL, NULL, NULL);
  free(l.ids);
  find_varying(table);
  return good;
}

void nw_table_free(struct nw_table *table) {
  for (size_t i = 0; i < table->column_count; i++) {
    free(table->columns[i].name);
    free(table->columns[i].cells);
  }
  free(table->columns);
  for (struct block *block = table->memory, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  *table = (struct nw_table){NULL, 0, 0, NULL};
}

/* -- filtering -------------------------------------------------------------------------------- */

struct condition {
  char name[PATH_MAX_LENGTH];
  const char *operation, *value;
  bool is_number;
  double number;
};

static bool holds_for_text(const struct condition *c, const struct nw_cell *cell) {
  bool equal = cell->text && fnmatch(c->value, cell->text, 0) == 0;
  return !strcmp(c->operation, "=") ? equal : !strcmp(c->operation, "!=") && !equal;
}

static bool holds(const struct condition *c, const struct nw_cell *cell) {
  if (!c->is_number || !cell->is_number)
    return holds_for_text(c, cell);
  double a = cell->number, b = c->number;
  const struct {
    const char *operation;
    bool holds;
  } outcomes[] = {{"=", a >= b && a <= b}, {"!=", a < b || a > b}, {"<", a < b},
                  {"<=", a <= b},          {">", a > b},           {">=", a >= b}};
  for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
    if (!strcmp(outcomes[i].operation, c->operation))
      return outcomes[i].holds;
  return false;
}

static bool parse_condition(const char *text, struct condition *c) {
  static const char *const operations[] = {"!=", "<=", ">=", "=", "<", ">"};
  size_t length = strcspn(text, "!<>=");
  if (!length || length >= sizeof c->name)
    return false;
  memcpy(c->name, text, length);
  c->name[length] = '\0';
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
    if (strncmp(text + length, operations[i], strlen(operations[i])) != 0)
      continue;
    c->operation = operations[i];
    c->value = text + length + strlen(operations[i]);
    c->is_number = read_number(c->value, &c->number);
    return *c->value && (c->is_number || !strpbrk(operations[i], "<>"));
  }
  return false;
}

static void keep_rows(struct nw_table *table, const bool *kept) {
  for (size_t i = 0; i < table->column_count; i++) {
    struct nw_cell *cells = table->columns[i].cells;
    size_t used = 0;
    for (size_t row = 0; row < table->row_count; row++)
      if (kept[row])
        cells[used++] = cells[row];
  }
  size_t count = 0;
  for (size_t row = 0; row < table->row_count; row++)
    count += kept[row];
  table->row_count = count;
  find_varying(table);
}

bool nw_table_filter(struct nw_table *table, const char *text, char *error) {
  struct condition condition;
  if (!parse_condition(text, &condition)) {
    snprintf(error, NW_RESULTS_ERROR,
             "found '%.100s', expected NAME=VALUE, NAME!=VALUE, or NAME<NUMBER (<=, >, >=)", text);
    return false;
  }
  const struct nw_table_column *column = nw_table_find(table, condition.name);
  if (!column) {
    snprintf(error, NW_RESULTS_ERROR,
             "found '%.100s', expected trace, machine, mode, seed, limit, method, version, "
             "finished, seconds, sweep, key, a path of the machine file, or a statistic",
             condition.name);
    return false;
  }
  bool *kept = calloc(table->row_count + 1, sizeof *kept);
  if (!kept) {
    snprintf(error, NW_RESULTS_ERROR, "out of memory");
    return false;
  }
  for (size_t row = 0; row < table->row_count; row++)
    kept[row] = holds(&condition, &column->cells[row]);
  keep_rows(table, kept);
  free(kept);
  return true;
}

/* -- sorting ---------------------------------------------------------------------------------- */

static int compare_cells(const struct nw_cell *a, const struct nw_cell *b) {
  if (!a->text || !b->text)
    return (a->text != NULL) - (b->text != NULL);
  if (a->is_number && b->is_number)
    return (a->number > b->number) - (a->number < b->number);
  return strcmp(a->text, b->text);
}

/* When and how long, in which file's words: says nothing of what the point is. */
static bool is_identity(const struct nw_table_column *column) {
  static const char *const not [] = {"finished", "seconds", "sweep", "key"};
  for (size_t i = 0; i < sizeof not / sizeof not [0]; i++)
    if (!strcmp(column->name, not [i]))
      return false;
  return column->kind != NW_COLUMN_STATISTIC;
}

static int compare_rows(const void *left, const void *right, void *context) {
  const struct nw_table *table = context;
  size_t a = *(const size_t *)left, b = *(const size_t *)right;
  for (size_t i = 0; i < table->column_count; i++) {
    const struct nw_table_column *column = &table->columns[i];
    int order = column->varies && is_identity(column)
                    ? compare_cells(&column->cells[a], &column->cells[b])
                    : 0;
    if (order)
      return order;
  }
  return (a > b) - (a < b);
}

void nw_table_sort(struct nw_table *table) {
  size_t *order = calloc(table->row_count + 1, sizeof *order);
  struct nw_cell *cells = calloc(table->row_count + 1, sizeof *cells);
  for (size_t row = 0; order && row < table->row_count; row++)
    order[row] = row;
  if (order && cells) {
    qsort_r(order, table->row_count, sizeof *order, compare_rows, table);
    for (size_t i = 0; i < table->column_count; i++) {
      for (size_t row = 0; row < table->row_count; row++)
        cells[row] = table->columns[i].cells[order[row]];
      memcpy(table->columns[i].cells, cells, table->row_count * sizeof *cells);
    }
  }
  free(order);
  free(cells);
}
