/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chart is a gnuplot script with its data inside, written to a temporary file. Each bar is
 * drawn as one box for each cause of cycles, from where the box below ends.
 */
#define _GNU_SOURCE /* asprintf, mkostemps, environ */
#include "sim/chart.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/names.h"
#include "sim/statistics.h"

#define GNUPLOT "gnuplot"
#define GAP 0.8  /* between groups, in bars */
#define LABEL 28 /* a trace's name is cut to fit under its bars */

#define CUT_PERCENT 250.0 /* height of the tallest bars beside nested's 100 */
#define BAR_PIXELS 84     /* width that a bar gets, up to WIDE_BARS of them */
#define WIDE_BARS 24
#define NARROW_PIXELS 60    /* below this, names do not fit side by side */
#define NARROWEST_PIXELS 24 /* then they do not fit at all */

/* Colours that stay apart for the colour-blind (Okabe and Ito), and in grey. */
static const char *const colours[NW_CYCLE_CAUSES] = {
    [NW_CYCLES_BASE] = "#c8c8c8",        [NW_CYCLES_MEMORY] = "#7fb8de",
    [NW_CYCLES_TRANSLATION] = "#e69f00", [NW_CYCLES_GUEST_KERNEL] = "#009e73",
    [NW_CYCLES_EXITS] = "#b3401d",
};

/* -- the script ------------------------------------------------------------------------------- */

/* A gnuplot string in double quotes. */
static void write_string(FILE *out, const char *text) {
  putc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      putc('\\', out);
    putc(c < 0x20 || c == 0x7f ? '?' : c, out);
  }
  putc('"', out);
}

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
    write_string(out, c->columns[i % c->column_count].name);
    fprintf(out, " %.3f", bar_place(l, i / c->column_count, i % c->column_count));
  }
  fprintf(out, ") scale 0 font \",%d\"%s\n", l->narrow ? 9 : 11,
          l->narrow ? " rotate by 90 right" : "");
  for (size_t trace = 0; trace < c->trace_count; trace++) {
    char label[LABEL];
    nw_trace_label(c->traces[trace], label, sizeof label);
    double middle = bar_place(l, trace, 0) + ((double)c->column_count - 1.0) / 2.0;
    fputs("set label ", out);
    write_string(out, label);
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
  write_string(out, output);
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
  write_string(out, text);
  fputs(" at screen 0.99, screen 0.03 right font \",10\" textcolor rgb \"#606060\"\n", out);
}

static void write_axes(FILE *out, const struct layout *l) {
  const struct nw_comparison *c = l->comparison;
  const char *base = c->columns[nw_comparison_base(c)].name;
  char text[160];
  snprintf(text, sizeof text, "Where the cycles go on %.60s%s", c->jobs[0].config->name,
           c->column_count > 1 ? ", by paging mode" : "");
  fputs("set title ", out);
  write_string(out, text);
  if (l->relative)
    snprintf(text, sizeof text, "program time, %.60s = 100", base);
  else
    snprintf(text, sizeof text, "cycles per instruction");
  fputs(" font \",15\"\nset ylabel ", out);
  write_string(out, text);
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
            cause ? "    " : "plot", cause + 2, cause + 2, cause + 3, colours[cause],
            nw_cycle_cause_names[cause], cause == NW_CYCLE_CAUSES - 1 ? "" : ", \\");
  fputs("set output\n", out);
}

/* -- gnuplot ---------------------------------------------------------------------------------- */

/* Runs gnuplot with one argument, its messages into the file `messages`. The exit status, -1 when
 * it could not be started. */
static int run_gnuplot(const char *argument, const char *messages) {
  char program[] = GNUPLOT, *copy = strdup(argument);
  char *arguments[] = {program, copy, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = -1;
  if (!copy || posix_spawn_file_actions_init(&actions) != 0) {
    free(copy);
    return -1;
  }
  int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, messages, flags, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  int failed = posix_spawnp(&child, GNUPLOT, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  free(copy);
  if (failed)
    return -1;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      return -1;
  }
  /* 127: the C library's child could not execute it */
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

static bool ends_in(const char *path, const char *suffix) {
  size_t length = strlen(path), wanted = strlen(suffix);
  return length > wanted && !strcmp(path + length - wanted, suffix);
}

enum nw_run_status nw_chart_check(const char *path, char error[NW_RUN_ERROR]) {
  if (!ends_in(path, ".svg") && !ends_in(path, ".png")) {
    snprintf(error, NW_RUN_ERROR, "chart '%.400s': expected a name that ends in .svg or .png",
             path);
    return NW_RUN_BAD_INPUT;
  }
  if (run_gnuplot("--version", "/dev/null") == 0)
    return NW_RUN_OK;
  snprintf(error, NW_RUN_ERROR,
           "charts are drawn by gnuplot, which cannot be run: is it installed?");
  return NW_RUN_FAILED;
}

/* The first line that says something. */
static void first_message(const char *file, char *out, size_t size) {
  FILE *in = fopen(file, "re");
  snprintf(out, size, "it gives no reason");
  char line[300];
  while (in && fgets(line, sizeof line, in)) {
    line[strcspn(line, "\n")] = '\0';
    if (line[strspn(line, " \t^")]) {
      snprintf(out, size, "%s", line);
      break;
    }
  }
  if (in)
    fclose(in);
}

struct chart_files {
  char *script, *messages, *output; /* temporary ones, beside the chart */
};

static bool name_files(struct chart_files *files, const char *path) {
  const char *slash = strrchr(path, '/');
  int folder = slash ? (int)(slash - path + 1) : 0;
  const char *name = path + folder;
  long pid = (long)getpid();
  *files = (struct chart_files){NULL, NULL, NULL};
  if (asprintf(&files->script, "%.*s.%s.%ld.gnuplot", folder, path, name, pid) < 0)
    files->script = NULL;
  if (asprintf(&files->messages, "%.*s.%s.%ld.log", folder, path, name, pid) < 0)
    files->messages = NULL;
  if (asprintf(&files->output, "%.*s.%s.%ld.out", folder, path, name, pid) < 0)
    files->output = NULL;
  return files->script && files->messages && files->output;
}

static void remove_files(struct chart_files *files) {
  char *const names[] = {files->script, files->messages, files->output};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i])
      unlink(names[i]);
    free(names[i]);
  }
}

static bool draw(const struct nw_comparison *c, const struct chart_files *files, const char *path,
                 char error[NW_RUN_ERROR]) {
  FILE *script = fopen(files->script, "we");
  bool written = script != NULL;
  if (script) {
    write_script(script, c, files->output, ends_in(path, ".svg"));
    written = !ferror(script);
    written = fclose(script) == 0 && written;
  }
  if (!written) {
    snprintf(error, NW_RUN_ERROR, "%.300s: %s", path, strerror(errno));
    return false;
  }
  int status = run_gnuplot(files->script, files->messages);
  if (status != 0) {
    char message[300];
    first_message(files->messages, message, sizeof message);
    snprintf(error, NW_RUN_ERROR, "%.300s: gnuplot failed: %s", path, message);
    return false;
  }
  if (rename(files->output, path) == 0)
    return true;
  snprintf(error, NW_RUN_ERROR, "%.300s: %s", path, strerror(errno));
  return false;
}

bool nw_chart_draw(const struct nw_comparison *comparison, const char *path,
                   char error[NW_RUN_ERROR]) {
  struct chart_files files;
  bool good = name_files(&files, path) && draw(comparison, &files, path, error);
  if (!files.output)
    snprintf(error, NW_RUN_ERROR, "out of memory");
  remove_files(&files);
  return good;
}
