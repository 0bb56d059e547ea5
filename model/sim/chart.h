/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as a chart, drawn by gnuplot. */
#ifndef NW_SIM_CHART_H
#define NW_SIM_CHART_H

#include "sim/comparison.h"

/* Whether a chart can be drawn to `path`: it must end in .svg or .png (bad input otherwise), and
 * gnuplot must be there (failed otherwise). To be asked before the runs, which take long. */
enum nw_run_status nw_chart_check(const char *path, char error[NW_RUN_ERROR]);

/* Draws stacked bars of cycles per instruction: a group for each trace, a bar for each mode. The
 * file appears whole or not at all. */
bool nw_chart_draw(const struct nw_comparison *comparison, const char *path,
                   char error[NW_RUN_ERROR]);

#endif
