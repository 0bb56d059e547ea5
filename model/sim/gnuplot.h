/* SPDX-License-Identifier: Apache-2.0 */
/* Charts drawn by gnuplot from scripts that others write. */
#ifndef NW_SIM_GNUPLOT_H
#define NW_SIM_GNUPLOT_H

#include <stdio.h>

#include "sim/run.h"

/* Whether a chart can be drawn to `path`: it must end in .svg or .png (bad input otherwise), and
 * gnuplot must be there (failed otherwise). To be asked before the runs, which take long. */
enum nw_run_status nw_gnuplot_check(const char *path, char error[NW_RUN_ERROR]);

/* Writes a script that draws to the file `output`. */
typedef void nw_gnuplot_script(FILE *out, const char *output, bool svg, void *context);

/* Draws `path`, which appears whole or not at all. */
bool nw_gnuplot_draw(const char *path, nw_gnuplot_script *write, void *context,
                     char error[NW_RUN_ERROR]);

/* A string in double quotes. */
void nw_gnuplot_string(FILE *out, const char *text);

#endif
