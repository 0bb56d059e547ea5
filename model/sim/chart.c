/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chart is a gnuplot script with its data inside, written to a temporary file. Each bar is
 * drawn as one box for each cause of cycles, from where the box below ends.
 */
#include "sim/chart.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gnuplot.h"
#include "sim/names.h"
#include "sim/plot_internal.h"
#include "sim/statistics.h"

#define GAP 0.8  /* between groups, in bars */
#define LABEL 28 /* a trace's name is cut to fit under its bars */

#define CUT_PERCENT 250.0 /* height of the tallest bars beside nested's 100 */
#define BAR_PIXELS 84     /* width that a bar gets, up to WIDE_BARS of them */
#define WIDE_BARS 24
#define NARROW_PIXELS 60    /* below this, names do not fit side by side */
#define NARROWEST_PIXELS 24 /* then they do not fit at all */

/* Colours that stay apart for the colour-blind (Okabe and Ito), and in grey. */
const char *const nw_cycle_cause_colours[NW_CYCLE_CAUSES] = {
    [NW_CYCLES_BASE] = "#c8c8c8",        [NW_CYCLES_MEMORY] = "#7fb8de",
    [NW_CYCLES_TRANSLATION] = "#e69f00", [NW_CYCLES_GUEST_KERNEL] = "#009e73",
    [NW_CYCLES_EXITS] = "#b3401d",
};

/* -- the script ------------------------------------------------------------------------------- */

/* How the chart is laid out. */
struct layout {
  const struct nw_comparison *comparison;
  bool relative;   /* heights in percent of the base column's: programs differ too much in cycles */
  bool narrow;     /* so many bars that their names stand upright */
  bool cut;        /* some bars are taller than `top` */
  double top;      /* where taller bars are cut off */
  unsigned pixels; /* for each bar */
};

static double bar_place(const struct layout *l, size_t trace, size_t column) {
  return (double)trace * ((double)l->comparison->column_count + GAP) + (double)column;
}

static const struct nw_run_result *result_of(const struct layout *l, size_t trace, size_t column) {
  return &nw_comparison_job(l->comparison, trace, column)->result;
}

/* Height of the causes below `end`, in cycles per instruction or percent. */
static double height_to(const struct layout *l, size_t trace, size_t column, int end) {
  const struct nw_run_result *result = result_of(l, trace, column);
  uint64_t cycles = 0, unit = result->machine.instructions;
  for (int cause = 0; cause < end; cause++)
    cycles += nw_cycles_of(result, (enum nw_cycle_cause)cause);
  if (l->relative)
    unit = nw_run_cycles(result_of(l, trace, nw_comparison_base(l->comparison)));
  return unit ? (l->relative ? 100.0 : 1.0) * (double)cycles / (double)unit : 0.0;
}

static double whole_height(const struct layout *l, size_t trace, size_t column) {
  return height_to(l, trace, column, NW_CYCLE_CAUSES);
}

static double lower(double a, double b) {
  return a < b ? a : b;
}

static double tallest(const struct layout *l) {
  double most = 0.0;
  for (size_t i = 0; i < l->comparison->trace_count * l->comparison->column_count; i++) {
    double height =
        whole_height(l, i / l->comparison->column_count, i % l->comparison->column_count);
    most = height > most ? height : most;
  }
  return most > 0.0 ? most : 1.0;
}

static struct layout lay_out(const struct nw_comparison *c) {
  size_t bars = c->trace_count * c->column_count;
  struct layout l = {.comparison = c, .relative = c->trace_count > 1};
  l.pixels = bars <= WIDE_BARS ? BAR_PIXELS : (unsigned)(BAR_PIXELS * WIDE_BARS / bars);
  l.pixels = l.pixels < NARROWEST_PIXELS ? NARROWEST_PIXELS : l.pixels;
  l.narrow = l.pixels < NARROW_PIXELS;
  l.top = tallest(&l);
  l.cut = l.relative && l.top > CUT_PERCENT;
  l.top = l.cut ? CUT_PERCENT : l.top;
  return l;
}

/* One line for each bar: its place, then the ends of its boxes. */
static void write_data(FILE *out, const struct layout *l) {
  fputs("$bars << END\n", out);
  for (size_t trace = 0; trace < l->comparison->trace_count; trace++) {
    for (size_t column = 0; column < l->comparison->column_count; column++) {
      fprintf(out, "%.3f", bar_place(l, trace, column));
      for (int cause = 0; cause <= NW_CYCLE_CAUSES; cause++)
        fprintf(out, " %.6f", lower(height_to(l, trace, column, cause), l->top));
      putc('\n', out);
    }
  }
  fputs("END\n", out);
}

/* Above a bar: its height, and the height in relation to the base column's. */
static void write_bar_label(FILE *out, const struct layout *l, size_t trace, size_t column) {
  size_t base_column = nw_comparison_base(l->comparison);
  double height = whole_height(l, trace, column);
  double base = whole_height(l, trace, base_column);
  bool related = !l->relative && column != base_column && base > 0.0;
  fprintf(out, l->relative ? "set label \"%.0f" : "set label \"%.2f", height);
  if (related)
    fprintf(out, "\\n(%+.1f %%)", 100.0 * (height / base - 1.0));
  fprintf(out, "\" at %.3f,%.6f center offset 0,%s font \",%d\"\n", bar_place(l, trace, column),
          lower(height, l->top), related ? "1.6" : "0.7", l->narrow ? 8 : 10);
}

static void write_labels(FILE *out, const struct layout *l) {
  const struct nw_comparison *c = l->comparison;
  fputs("set xtics (", out);
  for (size_t i = 0; i < c->trace_count * c->column_count; i++) {
    fprintf(out, "%s", i ? ", " : "");
    nw_gnuplot_string(out, c->columns[i % c->column_count].name);
    fprintf(out, " %.3f", bar_place(l, i / c->column_count, i % c->column_count));
  }
  fprintf(out, ") scale 0 font \",%d\"%s\n", l->narrow ? 9 : 11,
          l->narrow ? " rotate by 90 right" : "");
  for (size_t trace = 0; trace < c->trace_count; trace++) {
    char label[LABEL];
    nw_trace_label(c->traces[trace], label, sizeof label);
    double middle = bar_place(l, trace, 0) + ((double)c->column_count - 1.0) / 2.0;
    fputs("set label ", out);
    nw_gnuplot_string(out, label);
    fprintf(out, " at first %.3f, %s font \",13\"\n", middle,
            l->narrow ? "graph 1 center offset 0,-0.8" : "graph 0 center offset 0,-2.3");
    for (size_t column = 0; column < c->column_count; column++)
      write_bar_label(out, l, trace, column);
  }
}

static void write_terminal(FILE *out, const struct layout *l, const char *output, bool svg) {
  size_t bars = l->comparison->trace_count * l->comparison->column_count;
  size_t width = 300 + l->pixels * bars;
  width = width < 720 ? 720 : width > 8000 ? 8000 : width;
  fprintf(out,
          svg ? "set terminal svg size %zu,480 font \"DejaVu Sans,12\" background \"white\" "
                "noenhanced\n"
              : "set terminal pngcairo size %zu,480 font \"DejaVu Sans,10\" background "
                "\"white\" noenhanced\n",
          width);
  fputs("set output ", out);
  nw_gnuplot_string(out, output);
  putc('\n', out);
}

/* In the corner: what the labels of the bars do not say. */
static void write_note(FILE *out, const struct layout *l) {
  const struct nw_comparison *c = l->comparison;
  char text[160];
  if (l->relative ? !l->cut : c->column_count == 1)
    return;
  if (l->relative)
    snprintf(text, sizeof text, "bars are cut off at %.0f", l->top);
  else
    snprintf(text, sizeof text, "in brackets: against %.60s",
             c->columns[nw_comparison_base(c)].name);
  fputs("set label ", out);
  nw_gnuplot_string(out, text);
  fputs(" at screen 0.99, screen 0.03 right font \",10\" textcolor rgb \"#606060\"\n", out);
}

static void write_axes(FILE *out, const struct layout *l) {
  const struct nw_comparison *c = l->comparison;
  const char *base = c->columns[nw_comparison_base(c)].name;
  char text[160];
  snprintf(text, sizeof text, "Where the cycles go on %.60s%s", c->jobs[0].config->name,
           c->column_count > 1 ? ", by paging mode" : "");
  fputs("set title ", out);
  nw_gnuplot_string(out, text);
  if (l->relative)
    snprintf(text, sizeof text, "program time, %.60s = 100", base);
  else
    snprintf(text, sizeof text, "cycles per instruction");
  fputs(" font \",15\"\nset ylabel ", out);
  nw_gnuplot_string(out, text);
  fprintf(out,
          "\nset key outside right center reverse Left invert samplen 1.2 spacing 1.5\n"
          "set style fill solid 1.0 border rgb \"white\"\n"
          "set grid ytics linetype 1 linecolor rgb \"#e0e0e0\"\n"
          "set border 3 linecolor rgb \"#404040\"\nset tics nomirror\nset format y \"%s\"\n"
          "set bmargin %s\n",
          l->relative ? "%.0f" : "%.1f", l->narrow ? "8" : "5");
  fprintf(out, "set yrange [0:%.6f]\nset xrange [-0.8:%.3f]\n", 1.18 * l->top,
          bar_place(l, c->trace_count - 1, c->column_count - 1) + 0.8);
}

static void write_script(FILE *out, const struct nw_comparison *c, const char *output, bool svg) {
  const struct layout layout = lay_out(c);
  write_terminal(out, &layout, output, svg);
  write_data(out, &layout);
  write_axes(out, &layout);
  write_note(out, &layout);
  write_labels(out, &layout);
  for (int cause = 0; cause < NW_CYCLE_CAUSES; cause++)
    fprintf(out,
            "%s $bars using 1:%d:($1-0.38):($1+0.38):%d:%d with boxxyerror linecolor rgb "
            "\"%s\" title \"%s\"%s\n",
            cause ? "    " : "plot", cause + 2, cause + 2, cause + 3, nw_cycle_cause_colours[cause],
            nw_cycle_cause_names[cause], cause == NW_CYCLE_CAUSES - 1 ? "" : ", \\");
  fputs("set output\n", out);
}

/* -- drawing ---------------------------------------------------------------------------------- */

static void write_drawing(FILE *out, const char *output, bool svg, void *context) {
  write_script(out, context, output, svg);
}

enum nw_run_status nw_chart_check(const char *path, char error[NW_RUN_ERROR]) {
  return nw_gnuplot_check(path, error);
}

bool nw_chart_draw(const struct nw_comparison *comparison, const char *path,
                   char error[NW_RUN_ERROR]) {
  return nw_gnuplot_draw(path, write_drawing, (void *)(uintptr_t)comparison, error);
}
