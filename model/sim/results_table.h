/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a results file in memory: one row for each point, one column for each thing that
 * can be said of a point.
 *
 * Columns are `trace`, `machine`, `mode`, `seed`, `limit`, `method`, `version`, `finished`,
 * `seconds`, `sweep`, `key`; every path of the machine files (mmu.l2.entries), looked up in the
 * machine that is kept with the point; and every statistic. A path that a machine does not have is
 * empty.
 */
#ifndef NW_SIM_RESULTS_TABLE_H
#define NW_SIM_RESULTS_TABLE_H

#include <stdio.h>

#include "sim/results_store.h"

struct nw_cell {
  const char *text; /* NULL: empty; belongs to the table */
  bool is_number;
  double number;
};

enum nw_column_kind { NW_COLUMN_POINT = 0, NW_COLUMN_SETTING, NW_COLUMN_STATISTIC };

struct nw_table_column {
  char *name;
  enum nw_column_kind kind;
  const char *unit, *description; /* of a statistic; else empty */
  bool varies;                    /* not the same in all rows */
  struct nw_cell *cells;          /* one a row */
};

struct nw_table {
  struct nw_table_column *columns;
  size_t column_count;
  size_t row_count;
  void *memory; /* where the texts lie */
};

/* Reads everything. False: results->error. To be freed in either case. */
bool nw_table_load(struct nw_results *results, struct nw_table *table);
void nw_table_free(struct nw_table *table);

/* NULL when there is none of that name. */
const struct nw_table_column *nw_table_find(const struct nw_table *table, const char *name);

/* Keeps the rows for which `condition` holds: NAME=VALUE, NAME!=VALUE, NAME<VALUE, <=, >, >=.
 * Values with a unit (64K) and numbers compare as numbers, else as text, in which * stands for
 * anything. False with a sentence in `error` (NW_RESULTS_ERROR bytes) when it makes no sense. */
bool nw_table_filter(struct nw_table *table, const char *condition, char *error);

/* Sorts rows by the columns that vary, so that equal results come in equal order. */
void nw_table_sort(struct nw_table *table);

#endif
