/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the charts share: the data in plot.c, the scripts in plot_script.c. */
#ifndef NW_SIM_PLOT_INTERNAL_H
#define NW_SIM_PLOT_INTERNAL_H

#include "sim/comparison.h"
#include "sim/plot.h"

#define PLOT_TEXT 200

/* The mean of the points of one place. */
struct mean {
  double x, y; /* the place; x of a bar is its number */
  double sum;
  size_t count;
};

struct curve {
  char label[PLOT_TEXT];
  struct mean *means;
  size_t count;
};

struct bar {
  char label[PLOT_TEXT];
  double part[NW_CYCLE_CAUSES]; /* cycles per reference */
  size_t count;
};

struct nw_plot {
  enum nw_plot_kind kind;
  char title[PLOT_TEXT], x_label[PLOT_TEXT], y_label[PLOT_TEXT], value_label[PLOT_TEXT];
  struct curve curves[NW_PLOT_CURVES]; /* or maps: their cells */
  size_t curve_count;
  size_t shown; /* the map that is drawn */
  struct bar bars[NW_PLOT_BARS];
  size_t bar_count;
};

static inline double mean_of(const struct mean *mean) {
  return mean->sum / (double)mean->count;
}

extern const char *const nw_cycle_cause_colours[NW_CYCLE_CAUSES];
void nw_plot_script(FILE *out, const char *output, bool svg, void *plot);

#endif
