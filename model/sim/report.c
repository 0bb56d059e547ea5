/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* asprintf */
#include "sim/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/results_write.h"

#define AXES 4    /* settings that get charts */
#define MAPS 6    /* of two of them */
#define ROWS 2000 /* of the table of points */

struct report {
  struct nw_results *results;
  const struct nw_table *table;
  const char *path;
  FILE *out;
  char *error;
};

/* -- HTML ------------------------------------------------------------------------------------- */

static void write_escaped(FILE *out, const char *text) {
  for (; *text; text++) {
    switch (*text) {
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '&':
      fputs("&amp;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    default:
      putc(*text, out);
    }
  }
}

static void write_element(FILE *out, const char *element, const char *text) {
  fprintf(out, "<%s>", element);
  write_escaped(out, text);
  fprintf(out, "</%.*s>\n", (int)strcspn(element, " "), element);
}

static void write_base64(FILE *out, FILE *in) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char bytes[3];
  size_t count;
  while ((count = fread(bytes, 1, 3, in)) > 0) {
    unsigned word = (unsigned)bytes[0] << 16 | (count > 1 ? (unsigned)bytes[1] << 8 : 0) |
                    (count > 2 ? bytes[2] : 0);
    for (unsigned i = 0; i < 4; i++)
      putc(i <= count ? digits[word >> (18 - 6 * i) & 63] : '=', out);
  }
}

static const char style[] =
    "body{font:15px/1.5 system-ui,'DejaVu Sans',sans-serif;color:#222;max-width:1100px;margin:2em "
    "auto;padding:0 1em}h1{font-size:1.6em}h2{font-size:1.25em;margin-top:2em;border-bottom:1px "
    "solid #ccc}table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}"
    "td,th{padding:2px 10px;border-bottom:1px solid #e4e4e4;text-align:right;white-space:nowrap}"
    "th{background:#f4f4f4;position:sticky;top:0}td:first-child,th:first-child{text-align:left}"
    ".wide{overflow:auto;max-height:36em;border:1px solid #ddd}img{max-width:100%;display:block;"
    "margin:1em 0;border:1px solid #eee}pre{background:#f6f6f6;padding:.8em;overflow:auto;"
    "font-size:13px}.note{color:#666}";

/* -- charts ----------------------------------------------------------------------------------- */

/* Puts the picture of a plot into the page. */
static bool add_picture(struct report *r, const struct nw_plot *plot) {
  char *file = NULL;
  if (asprintf(&file, "%s.chart.%ld.svg", r->path, (long)getpid()) < 0)
    return false;
  bool good = nw_plot_draw(plot, file, r->error);
  FILE *in = good ? fopen(file, "re") : NULL;
  if (in) {
    fputs("<img alt=\"", r->out);
    write_escaped(r->out, nw_plot_title(plot));
    fputs("\" src=\"data:image/svg+xml;base64,", r->out);
    write_base64(r->out, in);
    fputs("\">\n", r->out);
    fclose(in);
  }
  unlink(file);
  free(file);
  return good && in;
}

/* False when the chart cannot be drawn; one that these results do not have is left out. */
static bool add_chart(struct report *r, const struct nw_plot_options *options) {
  char why[NW_RUN_ERROR];
  struct nw_plot *plot = nw_plot_make(r->table, options, why);
  bool good = true;
  for (size_t map = 0; plot && good && map < (options->maps ? nw_plot_maps(plot) : 1); map++) {
    if (options->maps)
      nw_plot_show(plot, map);
    good = map >= MAPS || add_picture(r, plot);
  }
  nw_plot_free(plot);
  return good;
}

static bool is_entries(const char *name) {
  size_t length = strlen(name);
  return !strncmp(name, "mmu.l", 5) && length > 8 && !strcmp(name + length - 8, ".entries");
}

/* Two axes that hold the same numbers (ways that follow entries) make no map. */
static bool same_numbers(const struct nw_table *table, const struct nw_table_column *a,
                         const struct nw_table_column *b) {
  for (size_t row = 0; row < table->row_count; row++)
    if (a->cells[row].number < b->cells[row].number || a->cells[row].number > b->cells[row].number)
      return false;
  return true;
}

static bool add_charts(struct report *r) {
  const struct nw_table_column *axes[AXES];
  size_t count = nw_plot_axes(r->table, axes, AXES);
  bool cycles = nw_table_find(r->table, "sim.cycles") && nw_table_find(r->table, "sim.references");
  bool good = true;
  write_element(r->out, "h2", "Charts");
  for (size_t i = 0; i < count && good; i++) {
    if (i && same_numbers(r->table, axes[0], axes[i]))
      continue;
    if (cycles)
      good = add_chart(r, &(struct nw_plot_options){.kind = NW_PLOT_CYCLES, .x = axes[i]->name});
    if (good && is_entries(axes[i]->name))
      good = add_chart(r, &(struct nw_plot_options){.kind = NW_PLOT_MISSES, .x = axes[i]->name});
  }
  if (good && count > 1 && !same_numbers(r->table, axes[0], axes[1]))
    good = add_chart(
        r, &(struct nw_plot_options){
               .kind = NW_PLOT_HEAT, .x = axes[0]->name, .y = axes[1]->name, .maps = true});
  return good && add_chart(r, &(struct nw_plot_options){.kind = NW_PLOT_CAUSES});
}

/* -- tables ----------------------------------------------------------------------------------- */

static bool add_points(struct report *r) {
  const struct nw_table *table = r->table;
  size_t rows = table->row_count < ROWS ? table->row_count : ROWS;
  bool *chosen = calloc(table->column_count + 1, sizeof *chosen);
  if (!chosen)
    return false;
  nw_results_usual(table, chosen);
  write_element(r->out, "h2", "Points");
  fputs("<div class=\"wide\"><table>\n<tr>", r->out);
  for (size_t i = 0; i < table->column_count; i++)
    if (chosen[i])
      write_element(r->out, "th", table->columns[i].name);
  fputs("</tr>\n", r->out);
  for (size_t row = 0; row < rows; row++) {
    fputs("<tr>", r->out);
    for (size_t i = 0; i < table->column_count; i++) {
      const char *text = table->columns[i].cells[row].text;
      if (chosen[i])
        write_element(r->out, "td", text ? text : "-");
    }
    fputs("</tr>\n", r->out);
  }
  fputs("</table></div>\n", r->out);
  if (rows < table->row_count)
    fprintf(r->out, "<p class=\"note\">The first %zu of %zu points.</p>\n", rows, table->row_count);
  free(chosen);
  return true;
}

/* The rows of a query: its columns under the given heads. */
static bool add_query(struct report *r, const char *sql, const char *const *heads, size_t count) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(r->results->database, sql, -1, &statement, NULL) != SQLITE_OK)
    return false;
  fputs("<div class=\"wide\"><table>\n<tr>", r->out);
  for (size_t i = 0; i < count; i++)
    write_element(r->out, "th", heads[i]);
  fputs("</tr>\n", r->out);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    fputs("<tr>", r->out);
    for (size_t i = 0; i < count; i++) {
      const char *text = (const char *)sqlite3_column_text(statement, (int)i);
      write_element(r->out, "td", text ? text : "-");
    }
    fputs("</tr>\n", r->out);
  }
  sqlite3_finalize(statement);
  fputs("</table></div>\n", r->out);
  return true;
}

static bool add_traces(struct report *r) {
  static const char *const heads[] = {"trace", "architecture", "references", "checksum",
                                      "recorded command"};
  write_element(r->out, "h2", "Traces");
  return add_query(r,
                   "SELECT path, architecture, reference_count, checksum, command FROM trace "
                   "ORDER BY path",
                   heads, 5);
}

static bool add_versions(struct report *r) {
  static const char *const heads[] = {"nestwalk", "method", "points", "processor seconds"};
  return add_query(r,
                   "SELECT version, method, count(*), printf('%.1f', sum(seconds)) FROM point "
                   "GROUP BY version, method ORDER BY version, method",
                   heads, 4);
}

/* -- how to repeat it ------------------------------------------------------------------------- */

static bool add_sweeps(struct report *r) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(r->results->database,
                         "SELECT name, text, (SELECT group_concat(path, ' -w ') FROM (SELECT "
                         "DISTINCT path FROM trace JOIN point ON point.trace = trace.id WHERE "
                         "point.sweep = sweep.id)) FROM sweep ORDER BY id",
                         -1, &statement, NULL) != SQLITE_OK)
    return false;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    write_element(r->out, "h3", (const char *)sqlite3_column_text(statement, 0));
    write_element(r->out, "pre", (const char *)sqlite3_column_text(statement, 1));
    const char *traces = (const char *)sqlite3_column_text(statement, 2);
    fputs("<pre>nestwalk sweep sweep.yaml -w ", r->out);
    write_escaped(r->out, traces ? traces : "TRACE");
    fputs(" -o again.db\nnestwalk results compare ", r->out);
    write_escaped(r->out, r->results->path);
    fputs(" again.db</pre>\n", r->out);
  }
  sqlite3_finalize(statement);
  return true;
}

static bool add_repetition(struct report *r) {
  write_element(r->out, "h2", "How to repeat it");
  fputs("<p>With the version of nestwalk below and the traces above, save a sweep file under the "
        "name "
        "of the command and run it. Simulations are deterministic: the comparison finds no change. "
        "<code>nestwalk results machine</code> prints the whole machine of any one point.</p>\n",
        r->out);
  return add_versions(r) && add_sweeps(r);
}

/* -- the page --------------------------------------------------------------------------------- */

static void write_head(struct report *r) {
  const struct nw_table_column *sweep = nw_table_find(r->table, "sweep");
  const char *title = sweep && r->table->row_count ? sweep->cells[0].text : "nestwalk";
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", r->out);
  write_element(r->out, "title", title);
  fprintf(r->out, "<style>%s</style>\n</head>\n<body>\n", style);
  write_element(r->out, "h1", title);
  fprintf(r->out, "<p>%zu points of ", r->table->row_count);
  write_escaped(r->out, r->results->path);
  fputs(". A <em>reference</em> is one executed instruction, one load or one store.</p>\n", r->out);
}

static bool write_page(struct report *r) {
  write_head(r);
  r->error[0] = '\0';
  bool good = add_charts(r) && add_points(r) && add_traces(r) && add_repetition(r);
  fputs("</body>\n</html>\n", r->out);
  if (!good && !r->error[0])
    snprintf(r->error, NW_RUN_ERROR, "%.300s: reading failed, or out of memory", r->results->path);
  return good;
}

bool nw_report_write(struct nw_results *results, const struct nw_table *table, const char *path,
                     char error[NW_RUN_ERROR]) {
  struct report r = {.results = results, .table = table, .path = path, .error = error};
  char *temporary = NULL;
  if (asprintf(&temporary, "%s.part.%ld", path, (long)getpid()) < 0)
    temporary = NULL;
  r.out = temporary ? fopen(temporary, "we") : NULL;
  if (!r.out) {
    snprintf(error, NW_RUN_ERROR, "%.400s: %s", path, strerror(errno));
    free(temporary);
    return false;
  }
  bool good = write_page(&r);
  bool written = !ferror(r.out);
  written = fclose(r.out) == 0 && written && good && rename(temporary, path) == 0;
  if (good && !written)
    snprintf(error, NW_RUN_ERROR, "%.400s: %s", path, strerror(errno));
  if (!written)
    unlink(temporary);
  free(temporary);
  return written;
}
