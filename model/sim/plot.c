/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot_internal.h"
#include "sim/results_write.h"

const char *const nw_plot_kind_names[NW_PLOT_KINDS] = {
    [NW_PLOT_MISSES] = "misses",
    [NW_PLOT_CYCLES] = "cycles",
    [NW_PLOT_HEAT] = "heat",
    [NW_PLOT_CAUSES] = "causes",
};

/* A chart that is being made. */
struct maker {
  const struct nw_table *table;
  const struct nw_plot_options *options;
  const struct nw_table_column *x, *y, *over, *under; /* the value is over / under */
  bool *tells;                                        /* columns that tell curves or bars apart */
  struct nw_plot *plot;
  char *error;
};

static bool __attribute__((format(printf, 2, 3))) refuse(struct maker *m, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(m->error, NW_RUN_ERROR, format, arguments);
  va_end(arguments);
  return false;
}

/* -- words ------------------------------------------------------------------------------------ */

static const struct {
  const char *prefix, *name;
} structures[] = {
    {"mmu.l1i.", "first-level instruction TLB"},
    {"mmu.l1d.", "first-level data TLB"},
    {"mmu.l2.", "second-level TLB"},
    {"mmu.walk_cache.", "walk cache"},
    {"mmu.ipa_cache.", "IPA cache"},
};
#define STRUCTURES (sizeof structures / sizeof structures[0])

static const char *structure_name(const char *column) {
  for (size_t i = 0; i < STRUCTURES; i++)
    if (!strncmp(column, structures[i].prefix, strlen(structures[i].prefix)))
      return structures[i].name;
  return NULL;
}

static bool ends_in(const char *text, const char *suffix) {
  size_t length = strlen(text), wanted = strlen(suffix);
  return length >= wanted && !strcmp(text + length - wanted, suffix);
}

/* "entries of the second-level TLB", "memory.dram_latency (cycles)" */
static void setting_label(const char *path, char *out, size_t size) {
  static const struct {
    const char *suffix, *unit;
  } units[] = {{"latency", " (cycles)"}, {".size", " (bytes)"},   {".memory", " (bytes)"},
               {"trap", " (cycles)"},    {"switch", " (cycles)"}, {"quantum", " (instructions)"}};
  const char *structure = structure_name(path), *unit = "";
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    unit = ends_in(path, units[i].suffix) ? units[i].unit : unit;
  if (structure)
    snprintf(out, size, "%s of the %s%s", strrchr(path, '.') + 1, structure, unit);
  else
    snprintf(out, size, "%s%s", path, unit);
}

static bool is_misses(const struct maker *m) {
  return m->under && ends_in(m->over->name, ".misses") && ends_in(m->under->name, ".accesses");
}

static void value_label(const struct maker *m, char *out, size_t size) {
  const char *structure = structure_name(m->over->name);
  if (is_misses(m) && structure)
    snprintf(out, size, "misses of the %s (%% of lookups)", structure);
  else if (m->under && !strcmp(m->over->name, "sim.cycles") &&
           !strcmp(m->under->name, "sim.references"))
    snprintf(out, size, "cycles per reference");
  else if (m->under)
    snprintf(out, size, "%s / %s", m->over->name, m->under->name);
  else
    snprintf(out, size, "%s (%s)", m->over->name, m->over->unit);
}

/* -- what is drawn over what ------------------------------------------------------------------ */

static bool has_numbers(const struct nw_table *table, const struct nw_table_column *column) {
  for (size_t row = 0; row < table->row_count; row++)
    if (!column->cells[row].is_number)
      return false;
  return table->row_count > 0;
}

size_t nw_plot_axes(const struct nw_table *table, const struct nw_table_column **axes,
                    size_t size) {
  size_t count = 0;
  for (int entries = 1; entries >= 0; entries--) {
    for (size_t i = 0; i < table->column_count && count < size; i++) {
      const struct nw_table_column *column = &table->columns[i];
      if (column->kind == NW_COLUMN_SETTING && column->varies && strcmp(column->name, "seed") &&
          ends_in(column->name, ".entries") == (entries != 0) && has_numbers(table, column))
        axes[count++] = column;
    }
  }
  return count;
}

static bool find_axis(struct maker *m, const char *option, const char *name, size_t number,
                      const struct nw_table_column **axis) {
  const struct nw_table_column *axes[2];
  size_t count = nw_plot_axes(m->table, axes, 2);
  if (name) {
    *axis = nw_table_find(m->table, name);
    if (!*axis)
      return refuse(m, "%s: found no column '%.100s' in these results", option, name);
    return has_numbers(m->table, *axis) ||
           refuse(m, "%s: %.100s has values that are no numbers", option, name);
  }
  if (number >= count)
    return refuse(m, "found %zu settings with numbers that vary, expected %zu at least", count,
                  number + 1);
  *axis = axes[number];
  return true;
}

static bool find_statistic(struct maker *m, const char *name,
                           const struct nw_table_column **column) {
  *column = nw_table_find(m->table, name);
  if (!*column || (*column)->kind != NW_COLUMN_STATISTIC)
    return refuse(m, "found no statistic '%.100s' in these results", name);
  return has_numbers(m->table, *column) || refuse(m, "%.100s is not there for every point", name);
}

/* NAME/NAME or NAME */
static bool find_value(struct maker *m, const char *value) {
  char over[PLOT_TEXT];
  const char *slash = strchr(value, '/');
  snprintf(over, sizeof over, "%.*s", (int)(slash ? slash - value : (long)strlen(value)), value);
  return find_statistic(m, over, &m->over) && (!slash || find_statistic(m, slash + 1, &m->under));
}

/* The TLB whose setting is on the axis, else the last level that there are counts of. */
static bool find_misses(struct maker *m) {
  static const char *const levels[] = {"mmu.l2", "mmu.l1d", "mmu.l1i"};
  char value[100];
  const char *level = NULL;
  for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    snprintf(value, sizeof value, "%s.misses", levels[i]);
    bool there = nw_table_find(m->table, value) != NULL;
    bool on_axis = m->x && !strncmp(m->x->name, levels[i], strlen(levels[i]));
    if (there && (!level || on_axis))
      level = levels[i];
  }
  if (!level)
    return refuse(m, "found no counts of TLB misses in these results");
  snprintf(value, sizeof value, "%s.misses/%s.accesses", level, level);
  return find_value(m, value);
}

static bool choose_value(struct maker *m) {
  if (m->options->value)
    return find_value(m, m->options->value);
  bool cycles = nw_table_find(m->table, "sim.cycles") && nw_table_find(m->table, "sim.references");
  if (m->options->kind == NW_PLOT_CYCLES || (m->options->kind == NW_PLOT_HEAT && cycles))
    return find_value(m, "sim.cycles/sim.references");
  return find_misses(m);
}

/* -- curves ----------------------------------------------------------------------------------- */

/* What tells rows apart but the axes, and the seed. */
static bool choose_telling(struct maker *m) {
  m->tells = calloc(m->table->column_count + 1, sizeof *m->tells);
  if (!m->tells)
    return refuse(m, "out of memory");
  nw_results_identity(m->table, m->tells);
  for (size_t i = 0; i < m->table->column_count; i++) {
    const struct nw_table_column *column = &m->table->columns[i];
    if (column == m->x || column == m->y || !column->varies || !strcmp(column->name, "seed"))
      m->tells[i] = false;
    /* ways that follow entries say nothing that the axis does not */
    if (m->x && column->kind == NW_COLUMN_SETTING && m->tells[i]) {
      bool follows = true;
      for (size_t row = 0; row < m->table->row_count && follows; row++)
        follows = column->cells[row].is_number && m->x->cells[row].is_number &&
                  !(column->cells[row].number < m->x->cells[row].number) &&
                  !(column->cells[row].number > m->x->cells[row].number);
      m->tells[i] = !follows;
    }
  }
  return true;
}

/* "sort, nested, mmu.l2.latency=5" */
static void row_label(const struct maker *m, size_t row, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < m->table->column_count && used < size; i++) {
    const struct nw_table_column *column = &m->table->columns[i];
    if (!m->tells[i] || !column->cells[row].text)
      continue;
    bool setting = column->kind == NW_COLUMN_SETTING;
    used +=
        (size_t)snprintf(out + used, size - used, "%s%s%s%s", used ? ", " : "",
                         setting ? column->name : "", setting ? "=" : "", column->cells[row].text);
  }
  const struct nw_table_column *mode = nw_table_find(m->table, "mode");
  if (!out[0] && mode)
    snprintf(out, size, "%s", mode->cells[row].text);
}

static bool add_to_curve(struct curve *curve, double x, double y, double value) {
  for (size_t i = 0; i < curve->count; i++) {
    struct mean *mean = &curve->means[i];
    if (mean->x < x || mean->x > x || mean->y < y || mean->y > y)
      continue;
    mean->sum += value;
    mean->count++;
    return true;
  }
  if ((curve->count & (curve->count - 1)) == 0) {
    size_t room = curve->count ? 2 * curve->count : 1;
    struct mean *means = realloc(curve->means, room * sizeof *means);
    if (!means)
      return false;
    curve->means = means;
  }
  curve->means[curve->count++] = (struct mean){x, y, value, 1};
  return true;
}

static struct curve *find_curve(struct maker *m, const char *label) {
  struct nw_plot *plot = m->plot;
  for (size_t i = 0; i < plot->curve_count; i++)
    if (!strcmp(plot->curves[i].label, label))
      return &plot->curves[i];
  if (plot->curve_count == NW_PLOT_CURVES) {
    refuse(m, "found more than %d curves, expected fewer: choose points by --where",
           NW_PLOT_CURVES);
    return NULL;
  }
  struct curve *curve = &plot->curves[plot->curve_count++];
  snprintf(curve->label, sizeof curve->label, "%s", label);
  return curve;
}

static int by_place(const void *left, const void *right) {
  const struct mean *a = left, *b = right;
  int order = (a->x > b->x) - (a->x < b->x);
  return order ? order : (a->y > b->y) - (a->y < b->y);
}

static bool make_curves(struct maker *m) {
  for (size_t row = 0; row < m->table->row_count; row++) {
    char label[PLOT_TEXT];
    double under = m->under ? m->under->cells[row].number : 1.0;
    double value = under > 0.0 ? m->over->cells[row].number / under : 0.0;
    row_label(m, row, label, sizeof label);
    struct curve *curve = find_curve(m, label);
    if (!curve)
      return false;
    if (!add_to_curve(curve, m->x->cells[row].number, m->y ? m->y->cells[row].number : 0.0,
                      is_misses(m) ? 100.0 * value : value))
      return refuse(m, "out of memory");
  }
  for (size_t i = 0; i < m->plot->curve_count; i++)
    qsort(m->plot->curves[i].means, m->plot->curves[i].count, sizeof(struct mean), by_place);
  return true;
}

/* -- bars ------------------------------------------------------------------------------------- */

static const char *const cause_columns[NW_CYCLE_CAUSES] = {
    [NW_CYCLES_BASE] = "cycles.base",
    [NW_CYCLES_MEMORY] = "cycles.memory",
    [NW_CYCLES_TRANSLATION] = "cycles.translation",
    [NW_CYCLES_GUEST_KERNEL] = "cycles.guest_kernel",
    [NW_CYCLES_EXITS] = "cycles.exits",
};

static struct bar *find_bar(struct maker *m, const char *label) {
  struct nw_plot *plot = m->plot;
  for (size_t i = 0; i < plot->bar_count; i++)
    if (!strcmp(plot->bars[i].label, label))
      return &plot->bars[i];
  if (plot->bar_count == NW_PLOT_BARS) {
    refuse(m, "found more than %d bars, expected fewer: choose points by --where", NW_PLOT_BARS);
    return NULL;
  }
  struct bar *bar = &plot->bars[plot->bar_count++];
  snprintf(bar->label, sizeof bar->label, "%s", label);
  return bar;
}

static bool make_bars(struct maker *m) {
  const struct nw_table_column *cause[NW_CYCLE_CAUSES], *references;
  for (int i = 0; i < NW_CYCLE_CAUSES; i++)
    if (!find_statistic(m, cause_columns[i], &cause[i]))
      return false;
  if (!find_statistic(m, "sim.references", &references))
    return false;
  for (size_t row = 0; row < m->table->row_count; row++) {
    char label[PLOT_TEXT];
    row_label(m, row, label, sizeof label);
    struct bar *bar = find_bar(m, label);
    double count = references->cells[row].number;
    if (!bar)
      return false;
    for (int i = 0; i < NW_CYCLE_CAUSES && count > 0.0; i++)
      bar->part[i] += cause[i]->cells[row].number / count;
    bar->count++;
  }
  return true;
}

/* -- the whole -------------------------------------------------------------------------------- */

static void write_title(struct maker *m) {
  struct nw_plot *plot = m->plot;
  if (m->options->title)
    snprintf(plot->title, sizeof plot->title, "%s", m->options->title);
  else if (plot->kind == NW_PLOT_CAUSES)
    snprintf(plot->title, sizeof plot->title, "Where the cycles go");
  else if (plot->kind == NW_PLOT_HEAT)
    snprintf(plot->title, sizeof plot->title, "%.90s", plot->value_label);
  else
    snprintf(plot->title, sizeof plot->title, "%.90s over %.90s",
             is_misses(m) ? "Miss ratio" : plot->value_label, plot->x_label);
  bool is_name = memchr(plot->title, '.', strcspn(plot->title, " ")) != NULL;
  if (plot->title[0] >= 'a' && plot->title[0] <= 'z' && !m->options->title && !is_name)
    plot->title[0] = (char)(plot->title[0] - 'a' + 'A');
}

static bool make(struct maker *m) {
  struct nw_plot *plot = m->plot;
  if (!m->table->row_count)
    return refuse(m, "found no points");
  if (plot->kind == NW_PLOT_CAUSES) {
    snprintf(plot->value_label, sizeof plot->value_label, "cycles per reference");
    write_title(m);
    return choose_telling(m) && make_bars(m);
  }
  if (!find_axis(m, "--x", m->options->x, 0, &m->x) ||
      (plot->kind == NW_PLOT_HEAT && !find_axis(m, "--y", m->options->y, 1, &m->y)) ||
      !choose_value(m) || !choose_telling(m) || !make_curves(m))
    return false;
  if (plot->kind == NW_PLOT_HEAT && plot->curve_count > 1 && !m->options->maps)
    return refuse(m,
                  "found %zu heat maps ('%.60s', '%.60s'), expected one: choose points by --where",
                  plot->curve_count, plot->curves[0].label, plot->curves[1].label);
  setting_label(m->x->name, plot->x_label, sizeof plot->x_label);
  if (m->y)
    setting_label(m->y->name, plot->y_label, sizeof plot->y_label);
  value_label(m, plot->value_label, sizeof plot->value_label);
  write_title(m);
  return true;
}

struct nw_plot *nw_plot_make(const struct nw_table *table, const struct nw_plot_options *options,
                             char error[NW_RUN_ERROR]) {
  struct maker m = {
      .table = table, .options = options, .plot = calloc(1, sizeof *m.plot), .error = error};
  if (!m.plot) {
    refuse(&m, "out of memory");
    return NULL;
  }
  m.plot->kind = options->kind;
  bool good = make(&m);
  free(m.tells);
  if (good)
    return m.plot;
  nw_plot_free(m.plot);
  return NULL;
}

void nw_plot_free(struct nw_plot *plot) {
  for (size_t i = 0; plot && i < plot->curve_count; i++)
    free(plot->curves[i].means);
  free(plot);
}

bool nw_plot_draw(const struct nw_plot *plot, const char *path, char error[NW_RUN_ERROR]) {
  return nw_gnuplot_draw(path, nw_plot_script, (void *)(uintptr_t)plot, error);
}

size_t nw_plot_maps(const struct nw_plot *plot) {
  return plot->curve_count;
}

void nw_plot_show(struct nw_plot *plot, size_t map) {
  plot->shown = map;
  if (plot->curve_count > 1)
    snprintf(plot->title, sizeof plot->title, "%.90s: %.100s", plot->value_label,
             plot->curves[map].label);
}

const char *nw_plot_title(const struct nw_plot *plot) {
  return plot->title;
}
