/* SPDX-License-Identifier: Apache-2.0 */
/* The same traces under several paging modes, or on variants of a machine, side by side. */
#ifndef NW_SIM_COMPARISON_H
#define NW_SIM_COMPARISON_H

#include <stdio.h>

#include <jansson.h>

#include "sim/jobs.h"

/* One of the things compared. Names differ from each other. */
struct nw_column {
  const char *name; /* the mode's, unless it is a variant */
  enum nw_mode mode;
  bool variant; /* has settings of its own: not what is meant by the mode's name alone */
};

struct nw_comparison {
  const char *const *traces; /* as the user named them */
  size_t trace_count;
  const struct nw_column *columns;
  size_t column_count;
  const struct nw_job *jobs; /* all columns of the first trace, then all of the second, ... */
};

/* The run of one trace for the column at a place in `columns`. */
static inline const struct nw_job *nw_comparison_job(const struct nw_comparison *comparison,
                                                     size_t trace, size_t column) {
  return &comparison->jobs[trace * comparison->column_count + column];
}

/* What the cycles of a run go to. */
enum nw_cycle_cause {
  NW_CYCLES_BASE = 0,
  NW_CYCLES_MEMORY,
  NW_CYCLES_TRANSLATION,
  NW_CYCLES_GUEST_KERNEL,
  NW_CYCLES_EXITS,
  NW_CYCLE_CAUSES,
};

extern const char *const nw_cycle_cause_names[NW_CYCLE_CAUSES]; /* for people */
uint64_t nw_cycles_of(const struct nw_run_result *result, enum nw_cycle_cause cause);

/* Place of the column of the mode alone; the number of columns when there is none. */
size_t nw_comparison_find(const struct nw_comparison *comparison, enum nw_mode mode);

/* Place of the column that the others are related to: nested, else the first. */
size_t nw_comparison_base(const struct nw_comparison *comparison);

/* The last part of a path, without .nwt: what a table or a chart calls a trace. */
void nw_trace_label(const char *path, char *out, size_t size);

void nw_comparison_write_table(const struct nw_comparison *comparison, FILE *out);
/* A few sentences on each trace: what is faster, by how much, and why. */
void nw_comparison_write_reasons(const struct nw_comparison *comparison, FILE *out);
/* {"modes": {"nested": {...}}}; with several traces {"traces": [{"trace": FILE, "modes": {...}}]}.
 * A new reference, NULL when out of memory. */
json_t *nw_comparison_json(const struct nw_comparison *comparison);

#endif
