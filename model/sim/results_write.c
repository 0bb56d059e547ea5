/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strsep */
#include "sim/results_write.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sim/numerals.h"

/* -- choosing columns ------------------------------------------------------------------------- */

bool nw_results_choose(const struct nw_table *table, const char *list, bool *chosen, char *error) {
  char *copy = strdup(list), *rest = copy;
  bool good = copy != NULL;
  for (char *name; good && (name = strsep(&rest, ",")) != NULL;) {
    bool found = false;
    for (size_t i = 0; i < table->column_count; i++) {
      if (fnmatch(name, table->columns[i].name, 0) != 0)
        continue;
      chosen[i] = found = true;
    }
    good = found;
    if (!found)
      snprintf(error, NW_RESULTS_ERROR, "found no column '%.100s' in these results", name);
  }
  free(copy);
  return good;
}

static void choose_names(const struct nw_table *table, const char *const *names, size_t count,
                         bool *chosen) {
  for (size_t i = 0; i < count; i++) {
    const struct nw_table_column *column = nw_table_find(table, names[i]);
    if (column)
      chosen[column - table->columns] = true;
  }
}

void nw_results_identity(const struct nw_table *table, bool *chosen) {
  static const char *const always[] = {"trace", "machine", "mode"};
  static const char *const never[] = {"name",  "seed", "finished", "seconds",
                                      "sweep", "key",  "method"};
  choose_names(table, always, sizeof always / sizeof always[0], chosen);
  for (size_t i = 0; i < table->column_count; i++) {
    const struct nw_table_column *column = &table->columns[i];
    bool told = column->varies && column->kind != NW_COLUMN_STATISTIC;
    for (size_t j = 0; j < sizeof never / sizeof never[0]; j++)
      told = told && strcmp(column->name, never[j]) != 0;
    chosen[i] |= told;
  }
  const struct nw_table_column *seed = nw_table_find(table, "seed");
  if (seed && seed->varies)
    chosen[seed - table->columns] = true;
}

void nw_results_usual(const struct nw_table *table, bool *chosen) {
  static const char *const whole[] = {"sim.cycles", "mmu.walks", "mmu.walk_references",
                                      "hypervisor.exits"};
  size_t statistics = 0;
  nw_results_identity(table, chosen);
  choose_names(table, whole, sizeof whole / sizeof whole[0], chosen);
  for (size_t i = 0; i < table->column_count; i++)
    statistics += chosen[i] && table->columns[i].kind == NW_COLUMN_STATISTIC;
  for (size_t i = 0; i < table->column_count && !statistics; i++) /* a sweep that asked for few */
    chosen[i] |= table->columns[i].kind == NW_COLUMN_STATISTIC;
}

/* -- text ------------------------------------------------------------------------------------- */

/* Whole numbers of statistics in groups of three. */
static void cell_text(const struct nw_table_column *column, size_t row, char *out, size_t size) {
  const char *text = column->cells[row].text;
  if (text && column->kind == NW_COLUMN_STATISTIC && !text[strspn(text, "0123456789")])
    nw_grouped(out, size, strtoull(text, NULL, 10));
  else
    snprintf(out, size, "%s", text ? text : "-");
}

static int column_width(const struct nw_table *table, const struct nw_table_column *column) {
  size_t width = strlen(column->name);
  char text[200];
  for (size_t row = 0; row < table->row_count; row++) {
    cell_text(column, row, text, sizeof text);
    width = strlen(text) > width ? strlen(text) : width;
  }
  return (int)width;
}

static bool right_aligned(const struct nw_table *table, const struct nw_table_column *column) {
  for (size_t row = 0; row < table->row_count; row++)
    if (column->cells[row].text && !column->cells[row].is_number)
      return false;
  return true;
}

/* One more cell of each line: `lines` has them so far, the header first. */
static void append_column(const struct nw_table *table, const struct nw_table_column *column,
                          FILE **lines) {
  int width = column_width(table, column);
  bool right = right_aligned(table, column);
  char text[200];
  fprintf(lines[0], right ? "%*s  " : "%-*s  ", width, column->name);
  for (size_t row = 0; row < table->row_count; row++) {
    cell_text(column, row, text, sizeof text);
    fprintf(lines[row + 1], right ? "%*s  " : "%-*s  ", width, text);
  }
}

static void print_line(FILE *out, const char *line) {
  size_t length = strlen(line);
  while (length && line[length - 1] == ' ')
    length--;
  fprintf(out, "%.*s\n", (int)length, line);
}

void nw_results_write_list(const struct nw_table *table, const bool *chosen, FILE *out) {
  size_t count = table->row_count + 1;
  FILE **lines = calloc(count, sizeof *lines);
  char **texts = calloc(count, sizeof *texts);
  size_t *sizes = calloc(count, sizeof *sizes);
  bool good = lines && texts && sizes;
  for (size_t i = 0; good && i < count; i++)
    good = (lines[i] = open_memstream(&texts[i], &sizes[i])) != NULL;
  for (size_t i = 0; good && i < table->column_count; i++)
    if (chosen[i])
      append_column(table, &table->columns[i], lines);
  for (size_t i = 0; lines && texts && sizes && i < count && lines[i]; i++) {
    fclose(lines[i]);
    if (good)
      print_line(out, texts[i]);
    free(texts[i]);
  }
  free(lines);
  free(texts);
  free(sizes);
}

/* -- CSV -------------------------------------------------------------------------------------- */

static void write_csv_text(FILE *out, const char *text) {
  if (!text[strcspn(text, ",\"\r\n")]) {
    fputs(text, out);
    return;
  }
  putc('"', out);
  for (; *text; text++) {
    if (*text == '"')
      putc('"', out);
    putc(*text, out);
  }
  putc('"', out);
}

static void write_csv_line(const struct nw_table *table, const bool *chosen, size_t row,
                           FILE *out) {
  bool first = true;
  for (size_t i = 0; i < table->column_count; i++) {
    if (!chosen[i])
      continue;
    const char *text = row == SIZE_MAX ? table->columns[i].name : table->columns[i].cells[row].text;
    if (!first)
      putc(',', out);
    write_csv_text(out, text ? text : "");
    first = false;
  }
  fputs("\r\n", out);
}

void nw_results_write_csv(const struct nw_table *table, const bool *chosen, FILE *out) {
  write_csv_line(table, chosen, SIZE_MAX, out);
  for (size_t row = 0; row < table->row_count; row++)
    write_csv_line(table, chosen, row, out);
}

/* -- JSON ------------------------------------------------------------------------------------- */

static json_t *cell_json(const struct nw_table_column *column, size_t row) {
  const struct nw_cell *cell = &column->cells[row];
  if (!cell->text)
    return json_null();
  size_t digits = strspn(cell->text, "0123456789");
  if (!cell->text[digits] && digits && digits < 19)
    return json_integer((json_int_t)strtoll(cell->text, NULL, 10));
  if (column->kind == NW_COLUMN_STATISTIC && cell->is_number)
    return json_real(cell->number);
  json_t *string = json_string(cell->text);
  return string ? string : json_string("?"); /* a path that is not UTF-8 */
}

bool nw_results_write_json(const struct nw_table *table, const bool *chosen, FILE *out) {
  bool good = true;
  fputs("[", out);
  for (size_t row = 0; good && row < table->row_count; row++) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < table->column_count; i++)
      if (chosen[i])
        json_object_set_new(object, table->columns[i].name, cell_json(&table->columns[i], row));
    fputs(row ? ",\n" : "\n", out);
    good = object && json_dumpf(object, out, JSON_PRESERVE_ORDER) == 0;
    json_decref(object);
  }
  fputs("\n]\n", out);
  return good;
}
