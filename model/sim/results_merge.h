/* SPDX-License-Identifier: Apache-2.0 */
/* Results files put together, and compared. */
#ifndef NW_SIM_RESULTS_MERGE_H
#define NW_SIM_RESULTS_MERGE_H

#include "sim/results_table.h"

/* Adds to `results` (open for writing) the points of the file `path` that it has not; twice is as
 * good as once. *added gets how many. All or nothing: false with results->error, also when a point
 * of the same key and version has other values there. */
bool nw_results_merge(struct nw_results *results, const char *path, uint64_t *added);

struct nw_difference {
  size_t row[2]; /* in either table */
  const struct nw_table_column *column[2];
  double change; /* b / a - 1; infinite from 0 */
};

/* Points of two tables with each other, statistic by statistic. */
struct nw_results_comparison {
  size_t both, only[2];              /* points in both, in one alone */
  size_t changed;                    /* points of both with a difference */
  struct nw_difference *differences; /* largest changes first */
  size_t count;
};

struct nw_comparison_options {
  const char *match;     /* columns, separated by commas, whose values make two points the same */
  const char *statistic; /* a list of names and patterns; NULL: all */
  double threshold;      /* relative; smaller changes are none */
};

/* False with a sentence in `error` (NW_RESULTS_ERROR bytes). To be freed in either case. */
bool nw_results_compare(const struct nw_table tables[2],
                        const struct nw_comparison_options *options,
                        struct nw_results_comparison *comparison, char *error);
void nw_results_comparison_free(struct nw_results_comparison *comparison);

#endif
