/* SPDX-License-Identifier: Apache-2.0 */
/* A results file as one HTML page: charts, tables, and how to repeat it. */
#ifndef NW_SIM_REPORT_H
#define NW_SIM_REPORT_H

#include "sim/plot.h"

/* Writes `path`, which needs nothing beside it and appears whole or not at all. `results` is open,
 * `table` what is in it, or a part. False with a sentence in `error`. */
bool nw_report_write(struct nw_results *results, const struct nw_table *table, const char *path,
                     char error[NW_RUN_ERROR]);

#endif
