/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statistics of a run under their names: one table, from which the text form (gem5's) and the
 * JSON form are written. Every name is always there, 0 where the mode or the machine has none of
 * it; only memory.CACHE.* follows the machine's caches.
 */
#ifndef NW_SIM_STATISTICS_H
#define NW_SIM_STATISTICS_H

#include <stdio.h>

#include <jansson.h>

#include "sim/run.h"

enum nw_statistic_kind { NW_STATISTIC_COUNT = 0, NW_STATISTIC_REAL };

struct nw_statistic {
  const char *name; /* valid during the call only */
  const char *description;
  const char *unit;
  enum nw_statistic_kind kind;
  uint64_t count; /* NW_STATISTIC_COUNT */
  double real;    /* NW_STATISTIC_REAL */
};

/* Calls `visit` for each statistic, in the order of the text form. */
void nw_statistics_visit(const struct nw_run_result *result,
                         void (*visit)(void *context, const struct nw_statistic *statistic),
                         void *context);

/* Finds a count by name; false when there is none of that name. */
bool nw_statistics_find(const struct nw_run_result *result, const char *name, uint64_t *count);

/* Totals that more than one place needs. */
uint64_t nw_run_cycles(const struct nw_run_result *result);
uint64_t nw_run_exits(const struct nw_run_result *result);
uint64_t nw_run_references(const struct nw_run_result *result);
/* Cycles per instruction; 0 when nothing was executed. */
double nw_run_cpi(const struct nw_run_result *result);

/* gem5's stats.txt form: name, value, # description (unit). */
void nw_statistics_write_text(const struct nw_run_result *result, FILE *out);
/* One flat object; a new reference, NULL when out of memory. */
json_t *nw_statistics_json(const struct nw_run_result *result);

/* Writes stats.txt, stats.json and timeline.csv into `folder`, which is made if it is missing. Each file appears
 * whole or not at all. */
bool nw_statistics_save(const struct nw_run_result *result, const char *folder,
                        char error[NW_RUN_ERROR]);

#endif
