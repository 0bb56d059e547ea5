/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charts of results: curves over a setting, heat maps over two, stacked cycles.
 *
 * Points that differ in nothing but the seed are drawn as their mean. Whatever else varies becomes
 * a curve of its own, or is named at its bar.
 */
#ifndef NW_SIM_PLOT_H
#define NW_SIM_PLOT_H

#include "sim/gnuplot.h"
#include "sim/results_table.h"

enum nw_plot_kind {
  NW_PLOT_MISSES = 0, /* miss ratio of a TLB over a setting */
  NW_PLOT_CYCLES,     /* cycles per reference over a setting */
  NW_PLOT_HEAT,       /* a value over two settings */
  NW_PLOT_CAUSES,     /* cycles per reference by cause, one bar a point */
  NW_PLOT_KINDS,
};

extern const char *const nw_plot_kind_names[NW_PLOT_KINDS]; /* misses, cycles, heat, causes */

/* NULL where the results themselves tell. */
struct nw_plot_options {
  enum nw_plot_kind kind;
  const char *x, *y; /* settings */
  const char *value; /* NAME or NAME/NAME: statistics; a ratio of misses is drawn in percent */
  const char *title;
  bool
      maps; /* heat: as many as there are, to be chosen by nw_plot_show(); else there must be one */
};

#define NW_PLOT_CURVES 24
#define NW_PLOT_BARS 64

/* What is drawn, worked out from the table. To be freed. */
struct nw_plot;
/* NULL with a sentence in `error` when these results hold no such chart. */
struct nw_plot *nw_plot_make(const struct nw_table *table, const struct nw_plot_options *options,
                             char error[NW_RUN_ERROR]);
void nw_plot_free(struct nw_plot *plot);

bool nw_plot_draw(const struct nw_plot *plot, const char *path, char error[NW_RUN_ERROR]);

/* Maps of a plot, all in the same colours, and which of them is drawn: at first the first. */
size_t nw_plot_maps(const struct nw_plot *plot);
void nw_plot_show(struct nw_plot *plot, size_t map);

/* What the chart shows, in a line. */
const char *nw_plot_title(const struct nw_plot *plot);

/* The settings with numbers that vary, the TLBs' entries first; at most `size`. Returns how many. */
size_t nw_plot_axes(const struct nw_table *table, const struct nw_table_column **axes, size_t size);

#endif
