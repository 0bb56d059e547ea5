/* SPDX-License-Identifier: Apache-2.0 */
/* The gnuplot scripts of the charts of results. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot_internal.h"

#define TICS 16    /* values that get a tic of their own */
#define POWERS 8.0 /* a range this wide is drawn in powers of two */
#define LABELLED_CELLS 160
#define BAR_PIXELS 34

/* Colours that stay apart for the colour-blind (Okabe and Ito). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#e69f00", "#000000", "#999999"};
#define COLOURS (sizeof colours / sizeof colours[0])

/* -- what all share --------------------------------------------------------------------------- */

static void write_terminal(FILE *out, const char *output, bool svg, unsigned width,
                           unsigned height) {
  fprintf(out,
          svg ? "set terminal svg size %u,%u font \"DejaVu Sans,13\" background \"white\" "
                "noenhanced\n"
              : "set terminal pngcairo size %u,%u font \"DejaVu Sans,11\" background \"white\" "
                "noenhanced\n",
          width, height);
  fputs("set output ", out);
  nw_gnuplot_string(out, output);
  fputs("\nset border 3 linecolor rgb \"#404040\"\nset tics nomirror\n", out);
}

static void write_label(FILE *out, const char *what, const char *text, const char *rest) {
  fprintf(out, "set %s ", what);
  nw_gnuplot_string(out, text);
  fprintf(out, "%s\n", rest);
}

/* A number as people write it: 4194304 is 4M, 1000 stays 1000. */
static void short_number(double value, char *out, size_t size) {
  static const char units[] = "KMGT";
  uint64_t whole = (uint64_t)value;
  int unit = -1;
  while (whole >= 1024 && !(whole & 1023) && unit < 3) {
    whole >>= 10;
    unit++;
  }
  if (value < 0.0 || value < (double)(uint64_t)value || value > (double)(uint64_t)value)
    snprintf(out, size, "%g", value);
  else if (unit < 0)
    snprintf(out, size, "%" PRIu64, whole);
  else
    snprintf(out, size, "%" PRIu64 "%c", whole, units[unit]);
}

/* -- values of an axis ------------------------------------------------------------------------ */

struct values {
  double value[4096];
  size_t count;
};

static int by_value(const void *left, const void *right) {
  const double *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

static struct values *collect(const struct nw_plot *plot, bool y) {
  struct values *v = calloc(1, sizeof *v);
  for (size_t c = 0; v && c < plot->curve_count; c++) {
    for (size_t i = 0; i < plot->curves[c].count; i++) {
      double value = y ? plot->curves[c].means[i].y : plot->curves[c].means[i].x;
      bool known = false;
      for (size_t j = 0; j < v->count && !known; j++)
        known = by_value(&v->value[j], &value) == 0;
      if (!known && v->count < sizeof v->value / sizeof v->value[0])
        v->value[v->count++] = value;
    }
  }
  if (v)
    qsort(v->value, v->count, sizeof v->value[0], by_value);
  return v;
}

/* Few values get a tic each, many the powers of two among them. */
static bool gets_tic(const struct values *v, size_t index) {
  double log = log2(v->value[index] > 0.0 ? v->value[index] : 1.0);
  return v->count <= TICS || !(log < floor(log) || log > floor(log));
}

/* The values of the axis x in powers of two where they reach far. */
static void write_x_axis(FILE *out, const struct nw_plot *plot) {
  struct values *v = collect(plot, false);
  char text[40];
  if (!v)
    return;
  double low = v->value[0], high = v->value[v->count - 1];
  bool powers = low > 0.0 && high / low >= POWERS;
  if (powers)
    fprintf(out, "set logscale x 2\nset xrange [%g:%g]\n", low / 1.12, high * 1.12);
  else
    fprintf(out, "set xrange [%g:%g]\n", low - 0.04 * (high - low + 1e-9),
            high + 0.04 * (high - low + 1e-9));
  if (powers || v->count <= TICS) {
    const char *separator = "";
    fputs("set xtics (", out);
    for (size_t i = 0; i < v->count; i++) {
      if (!gets_tic(v, i))
        continue;
      short_number(v->value[i], text, sizeof text);
      fprintf(out, "%s\"%s\" %.17g", separator, text, v->value[i]);
      separator = ", ";
    }
    fputs(")\n", out);
  }
  free(v);
}

/* -- curves ----------------------------------------------------------------------------------- */

static void write_curve_data(FILE *out, const struct nw_plot *plot) {
  for (size_t c = 0; c < plot->curve_count; c++) {
    fprintf(out, "$curve%zu << END\n", c);
    for (size_t i = 0; i < plot->curves[c].count; i++)
      fprintf(out, "%.17g %.9g\n", plot->curves[c].means[i].x, mean_of(&plot->curves[c].means[i]));
    fputs("END\n", out);
  }
}

static void find_range(const struct nw_plot *plot, double *least, double *most) {
  *least = INFINITY;
  *most = 0.0;
  for (size_t c = 0; c < plot->curve_count; c++) {
    for (size_t i = 0; i < plot->curves[c].count; i++) {
      *least = fmin(*least, mean_of(&plot->curves[c].means[i]));
      *most = fmax(*most, mean_of(&plot->curves[c].means[i]));
    }
  }
  *most = *most > 0.0 ? *most : 1.0;
}

static size_t longest_curve_label(const struct nw_plot *plot) {
  size_t most = 0;
  for (size_t c = 0; c < plot->curve_count; c++) {
    size_t length = strlen(plot->curves[c].label);
    most = length > most ? length : most;
  }
  return most;
}

static void write_curves(FILE *out, const struct nw_plot *plot, const char *output, bool svg) {
  double least, most;
  find_range(plot, &least, &most);
  size_t rows = plot->curve_count > 14 ? plot->curve_count : 14;
  write_terminal(out, output, svg, (unsigned)(800 + 8 * longest_curve_label(plot)),
                 (unsigned)(200 + 22 * rows));
  write_curve_data(out, plot);
  write_label(out, "title", plot->title, " font \",16\"");
  write_label(out, "xlabel", plot->x_label, "");
  write_label(out, "ylabel", plot->value_label, "");
  write_x_axis(out, plot);
  fprintf(out,
          "set yrange [0:%.9g]\nset grid ytics linetype 1 linecolor rgb \"#e4e4e4\"\n"
          "set key outside right top Left reverse samplen 2.5 spacing 1.25%s\n",
          1.06 * most, plot->curve_count > 1 ? "" : " noautotitle");
  for (size_t c = 0; c < plot->curve_count; c++) {
    bool dense = plot->curves[c].count > 40;
    fprintf(out, "%s $curve%zu using 1:2 with %s linecolor rgb \"%s\" linewidth 2 dashtype %zu%s ",
            c ? "    " : "plot", c, dense ? "lines" : "linespoints", colours[c % COLOURS],
            c / COLOURS + 1, dense ? "" : " pointsize 0.8");
    if (!dense)
      fprintf(out, "pointtype %zu ", 5 + c % 9);
    fputs("title ", out);
    nw_gnuplot_string(out, plot->curves[c].label);
    fputs(c + 1 < plot->curve_count ? ", \\\n" : "\n", out);
  }
}

/* -- heat maps -------------------------------------------------------------------------------- */

static size_t place_of(const struct values *v, double value) {
  size_t i = 0;
  while (i < v->count && by_value(&v->value[i], &value) != 0)
    i++;
  return i;
}

static void write_categories(FILE *out, const char *axis, const struct values *v) {
  char text[40];
  fprintf(out, "set %stics (", axis);
  for (size_t i = 0; i < v->count; i++) {
    short_number(v->value[i], text, sizeof text);
    fprintf(out, "%s\"%s\" %zu", i ? ", " : "", text, i);
  }
  fprintf(out, ") scale 0\nset %srange [-0.5:%.1f]\n", axis, (double)v->count - 0.5);
}

static void write_cells(FILE *out, const struct nw_plot *plot, const struct values *x,
                        const struct values *y) {
  const struct curve *cells = &plot->curves[plot->shown];
  fputs("$cells << END\n", out);
  for (size_t i = 0; i < cells->count; i++)
    fprintf(out, "%zu %zu %.9g\n", place_of(x, cells->means[i].x), place_of(y, cells->means[i].y),
            mean_of(&cells->means[i]));
  fputs("END\n", out);
}

static void write_heat(FILE *out, const struct nw_plot *plot, const char *output, bool svg) {
  struct values *x = collect(plot, false), *y = collect(plot, true);
  if (x && y) {
    double least, most;
    find_range(plot, &least, &most);
    bool labelled = x->count * y->count <= LABELLED_CELLS;
    write_terminal(out, output, svg, (unsigned)(300 + 64 * (x->count < 20 ? x->count : 20)),
                   (unsigned)(220 + 44 * (y->count < 20 ? y->count : 20)));
    write_cells(out, plot, x, y);
    if (most > least)
      fprintf(out, "set cbrange [%.9g:%.9g]\n", least, most);
    write_label(out, "title", plot->title, " font \",16\"");
    write_label(out, "xlabel", plot->x_label, "");
    write_label(out, "ylabel", plot->y_label, "");
    write_label(out, "cblabel", plot->value_label, "");
    write_categories(out, "x", x);
    write_categories(out, "y", y);
    /* Light to dark, so that black figures can be read on the lower half and white on the upper. */
    fputs(
        "set palette defined (0 \"#f7fbff\", 0.25 \"#c6dbef\", 0.5 \"#6baed6\", 0.75 \"#2171b5\", "
        "1 \"#08306b\")\nunset key\nset border 0\nset style fill solid\n"
        "stats $cells using 3 nooutput\n"
        "plot $cells using 1:2:(0.48):(0.48):3 with boxxyerror linecolor palette",
        out);
    if (labelled)
      fprintf(
          out,
          ", \\\n     $cells using 1:2:(sprintf(\"%%.3g\", $3)):($3 > %.9g ? 0xffffff : 0) with "
          "labels font \",10\" textcolor rgb variable",
          (least + most) / 2.0);
    fputs("\n", out);
  }
  free(x);
  free(y);
}

/* -- stacked bars ----------------------------------------------------------------------------- */

static double tallest(const struct nw_plot *plot) {
  double most = 0.0;
  for (size_t b = 0; b < plot->bar_count; b++) {
    double height = 0.0;
    for (int i = 0; i < NW_CYCLE_CAUSES; i++)
      height += plot->bars[b].part[i] / (double)plot->bars[b].count;
    most = fmax(most, height);
  }
  return most > 0.0 ? most : 1.0;
}

static size_t longest_bar_label(const struct nw_plot *plot) {
  size_t most = 0;
  for (size_t b = 0; b < plot->bar_count; b++) {
    size_t length = strlen(plot->bars[b].label);
    most = length > most ? length : most;
  }
  return most;
}

/* Lying bars, the first on top: their names can be read. */
static void write_bars(FILE *out, const struct nw_plot *plot, const char *output, bool svg) {
  write_terminal(out, output, svg, (unsigned)(620 + 8 * longest_bar_label(plot)),
                 (unsigned)(190 + BAR_PIXELS * plot->bar_count));
  fputs("$bars << END\n", out);
  for (size_t b = 0; b < plot->bar_count; b++) {
    double end = 0.0;
    fprintf(out, "%zu 0", plot->bar_count - b);
    for (int i = 0; i < NW_CYCLE_CAUSES; i++)
      fprintf(out, " %.9g", end += plot->bars[b].part[i] / (double)plot->bars[b].count);
    putc('\n', out);
  }
  fputs("END\nset ytics (", out);
  for (size_t b = 0; b < plot->bar_count; b++) {
    fputs(b ? ", " : "", out);
    nw_gnuplot_string(out, plot->bars[b].label);
    fprintf(out, " %zu", plot->bar_count - b);
  }
  fputs(") scale 0\n", out);
  write_label(out, "title", plot->title, " font \",16\"");
  write_label(out, "xlabel", plot->value_label, "");
  fprintf(
      out,
      "set xrange [0:%.9g]\nset yrange [0.4:%.1f]\n"
      "set grid xtics linetype 1 linecolor rgb \"#e4e4e4\"\n"
      "set bmargin 6.5\nset key at screen 0.5, screen 0.02 center bottom horizontal maxrows 1 Left "
      "reverse samplen 1.2\n"
      "set style fill solid 1.0 border rgb \"white\"\n",
      1.09 * tallest(plot), (double)plot->bar_count + 0.6);
  for (int i = 0; i < NW_CYCLE_CAUSES; i++)
    fprintf(out,
            "%s $bars using %d:1:%d:%d:($1-0.36):($1+0.36) with boxxyerror linecolor rgb \"%s\" "
            "title \"%s\", \\\n",
            i ? "    " : "plot", i + 2, i + 2, i + 3, nw_cycle_cause_colours[i],
            nw_cycle_cause_names[i]);
  fprintf(out,
          "     $bars using %d:1:(sprintf(\" %%.3g\", $%d)) with labels left font \",10\" "
          "notitle\n",
          NW_CYCLE_CAUSES + 2, NW_CYCLE_CAUSES + 2);
}

void nw_plot_script(FILE *out, const char *output, bool svg, void *context) {
  static void (*const writers[NW_PLOT_KINDS])(FILE *, const struct nw_plot *, const char *,
                                              bool) = {
      [NW_PLOT_MISSES] = write_curves,
      [NW_PLOT_CYCLES] = write_curves,
      [NW_PLOT_HEAT] = write_heat,
      [NW_PLOT_CAUSES] = write_bars,
  };
  const struct nw_plot *plot = context;
  writers[plot->kind](out, plot, output, svg);
  fputs("set output\n", out);
}
