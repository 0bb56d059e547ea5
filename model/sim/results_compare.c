/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strsep */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/results_merge.h"
#include "sim/results_write.h"

/* A point of one table, by what makes it the same as one of the other's. */
struct entry {
  char *identity;
  size_t row;
};

struct side {
  const struct nw_table *table;
  struct entry *entries; /* sorted by identity */
};

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  int order = strcmp(a->identity, b->identity);
  return order ? order : (a->row > b->row) - (a->row < b->row);
}

static char *identity_of(const struct nw_table *table, const char *match, size_t row) {
  char *text = NULL, *copy = strdup(match), *rest = copy;
  size_t size;
  FILE *out = copy ? open_memstream(&text, &size) : NULL;
  for (char *name; out && (name = strsep(&rest, ",")) != NULL;) {
    const struct nw_table_column *column = nw_table_find(table, name);
    const char *value = column ? column->cells[row].text : NULL;
    fprintf(out, "%s\n", value ? value : "");
  }
  if (out)
    fclose(out);
  free(copy);
  return text;
}

/* Of points with one identity, results of several versions, the last one counts if they were
 * matched by key; otherwise it is not clear which is meant. */
static bool make_side(struct side *side, const struct nw_table *table, const char *match,
                      char *error) {
  bool by_key = !strcmp(match, "key");
  side->table = table;
  side->entries = calloc(table->row_count + 1, sizeof *side->entries);
  for (size_t row = 0; side->entries && row < table->row_count; row++) {
    side->entries[row] = (struct entry){identity_of(table, match, row), row};
    if (!side->entries[row].identity) {
      snprintf(error, NW_RESULTS_ERROR, "out of memory");
      return false;
    }
  }
  if (!side->entries) {
    snprintf(error, NW_RESULTS_ERROR, "out of memory");
    return false;
  }
  qsort(side->entries, table->row_count, sizeof *side->entries, compare_entries);
  for (size_t i = 1; i < table->row_count && !by_key; i++) {
    if (!strcmp(side->entries[i].identity, side->entries[i - 1].identity)) {
      snprintf(error, NW_RESULTS_ERROR,
               "several points of one file have the same %.200s; expected columns that tell them "
               "apart",
               match);
      return false;
    }
  }
  return true;
}

static void free_side(struct side *side) {
  for (size_t i = 0; side->entries && i < side->table->row_count; i++)
    free(side->entries[i].identity);
  free(side->entries);
}

/* The last of the entries with the identity of entry `at`. */
static size_t last_of(const struct side *side, size_t at) {
  while (at + 1 < side->table->row_count &&
         !strcmp(side->entries[at].identity, side->entries[at + 1].identity))
    at++;
  return at;
}

static double relative(const struct nw_cell *a, const struct nw_cell *b) {
  if (a->number > b->number || a->number < b->number)
    return fabs(a->number) > 0.0 ? b->number / a->number - 1.0 : INFINITY;
  return 0.0;
}

static bool add_difference(struct nw_results_comparison *c,
                           const struct nw_difference *difference) {
  if ((c->count & (c->count - 1)) == 0) {
    size_t room = c->count ? 2 * c->count : 1;
    struct nw_difference *grown = realloc(c->differences, room * sizeof *grown);
    if (!grown)
      return false;
    c->differences = grown;
  }
  c->differences[c->count++] = *difference;
  return true;
}

/* `chosen` are columns of the first table. */
static bool compare_rows(struct nw_results_comparison *c, const struct side sides[2],
                         const size_t row[2], const bool *chosen, double threshold) {
  size_t before = c->count;
  for (size_t i = 0; i < sides[0].table->column_count; i++) {
    const struct nw_table_column *column = &sides[0].table->columns[i];
    if (!chosen[i] || column->kind != NW_COLUMN_STATISTIC)
      continue;
    const struct nw_table_column *other = nw_table_find(sides[1].table, column->name);
    if (!other || !column->cells[row[0]].text || !other->cells[row[1]].text)
      continue;
    double change = relative(&column->cells[row[0]], &other->cells[row[1]]);
    if (fabs(change) > threshold &&
        !add_difference(c, &(struct nw_difference){{row[0], row[1]}, {column, other}, change}))
      return false;
  }
  c->changed += c->count > before;
  c->both++;
  return true;
}

/* Both sides are sorted: goes through them like a zip. */
static bool match_sides(struct nw_results_comparison *c, const struct side sides[2],
                        const bool *chosen, double threshold) {
  size_t at[2] = {0, 0};
  while (at[0] < sides[0].table->row_count || at[1] < sides[1].table->row_count) {
    bool end[2] = {at[0] == sides[0].table->row_count, at[1] == sides[1].table->row_count};
    int order = end[0] ? 1
                : end[1]
                    ? -1
                    : strcmp(sides[0].entries[at[0]].identity, sides[1].entries[at[1]].identity);
    size_t last[2];
    for (int side = 0; side < 2; side++)
      last[side] = end[side] ? 0 : last_of(&sides[side], at[side]);
    if (order == 0) {
      size_t row[2] = {sides[0].entries[last[0]].row, sides[1].entries[last[1]].row};
      if (!compare_rows(c, sides, row, chosen, threshold))
        return false;
    }
    c->only[0] += order < 0;
    c->only[1] += order > 0;
    at[0] = order <= 0 ? last[0] + 1 : at[0];
    at[1] = order >= 0 ? last[1] + 1 : at[1];
  }
  return true;
}

static int larger_first(const void *left, const void *right) {
  const struct nw_difference *a = left, *b = right;
  double x = fabs(a->change), y = fabs(b->change);
  if (x > y || x < y)
    return x > y ? -1 : 1;
  if (a->row[0] != b->row[0])
    return a->row[0] < b->row[0] ? -1 : 1;
  return strcmp(a->column[0]->name, b->column[0]->name);
}

static bool check_match(const struct nw_table tables[2], const char *match, char *error) {
  char *copy = strdup(match), *rest = copy;
  bool good = copy != NULL;
  for (char *name; good && (name = strsep(&rest, ",")) != NULL;) {
    good = nw_table_find(&tables[0], name) || nw_table_find(&tables[1], name);
    if (!good)
      snprintf(error, NW_RESULTS_ERROR, "found no column '%.100s' in these results", name);
  }
  free(copy);
  return good;
}

bool nw_results_compare(const struct nw_table tables[2],
                        const struct nw_comparison_options *options,
                        struct nw_results_comparison *comparison, char *error) {
  struct side sides[2] = {{&tables[0], NULL}, {&tables[1], NULL}};
  *comparison = (struct nw_results_comparison){0};
  bool *chosen = calloc(tables[0].column_count + 1, sizeof *chosen);
  bool good =
      chosen && check_match(tables, options->match, error) &&
      nw_results_choose(&tables[0], options->statistic ? options->statistic : "*", chosen, error) &&
      make_side(&sides[0], &tables[0], options->match, error) &&
      make_side(&sides[1], &tables[1], options->match, error);
  if (good && !match_sides(comparison, sides, chosen, options->threshold)) {
    snprintf(error, NW_RESULTS_ERROR, "out of memory");
    good = false;
  }
  if (good && comparison->count)
    qsort(comparison->differences, comparison->count, sizeof *comparison->differences,
          larger_first);
  free_side(&sides[0]);
  free_side(&sides[1]);
  free(chosen);
  return good;
}

void nw_results_comparison_free(struct nw_results_comparison *comparison) {
  free(comparison->differences);
  *comparison = (struct nw_results_comparison){0};
}
