/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as a chart, drawn by gnuplot. */
#ifndef NW_SIM_CHART_H
#define NW_SIM_CHART_H

#include "sim/comparison.h"

/* Of each cause, in every chart. */
extern const char *const nw_cycle_cause_colours[NW_CYCLE_CAUSES];

/* Whether a chart can be drawn to `path`: it must end in .svg or .png (bad input otherwise), and
 * gnuplot must be there (failed otherwise). To be asked before the runs, which take long. */
enum nw_run_status nw_chart_check(const char *path, char error[NW_RUN_ERROR]);

/* Draws stacked bars by what the cycles go to, a group for each trace, a bar for each column: of
 * cycles per instruction for one trace; for several, of program time with nested (or else the first
 * column) as 100. The file appears whole or not at all. */
bool nw_chart_draw(const struct nw_comparison *comparison, const char *path,
                   char error[NW_RUN_ERROR]);

#endif
