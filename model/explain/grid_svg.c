/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grid as a picture: boxes for references, in the colours of their stage, with arrows along the
 * walk. All lengths are in pixels.
 */
#define _GNU_SOURCE /* open_memstream() */
#include "explain/grid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/words.h"

enum {
  MARGIN = 20,
  TITLE = 58,  /* height of what stands above a grid: its title, and the sum */
  LABELS = 74, /* width of the names of rows */
  CELL_WIDTH = 138,
  CELL_HEIGHT = 42,
  GAP_X = 26, /* between columns, for the arrow to the next one's head */
  GAP_Y = 12,
  LEGEND = 44,
  STEP_X = CELL_WIDTH + GAP_X,
  STEP_Y = CELL_HEIGHT + GAP_Y,
};

/* Fill and stroke of what is drawn; stage 1 and stage 2 stay apart for the colour-blind. */
struct look {
  const char *name, *fill, *stroke;
};

static const struct look stage1_look = {"stage-1 descriptor", "#fbe3b4", "#b97f00"};
static const struct look stage2_look = {"stage-2 descriptor", "#cfe4f5", "#2f6f9f"};
static const struct look skipped_look = {"skipped", "#f4f4f4", "#9a9a9a"};
static const struct look fault_look = {"fault", "#f3b9b0", "#a3261b"};
static const struct look result_look = {"result", "#d3ecd0", "#3a7d35"};
static const struct look head_look = {"", "#ffffff", "#606060"};

/* -- pieces ------------------------------------------------------------------------------------ */

static void put_escaped(FILE *out, const char *text) {
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
    default:
      fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
    }
  }
}

/* `style` is the name of a class of the style sheet, or several. */
static void put_text(FILE *out, int x, int y, const char *style, const char *text) {
  fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, style);
  put_escaped(out, text);
  fputs("</text>\n", out);
}

static void put_box(FILE *out, int x, int y, int width, int height, const struct look *look) {
  fprintf(out,
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" fill=\"%s\" "
          "stroke=\"%s\"%s/>\n",
          x, y, width, height, look->fill, look->stroke,
          look == &skipped_look ? " stroke-dasharray=\"4 3\"" : "");
}

/* The walk comes to this column: to the access's only with an address for it. */
static bool is_used(const struct nw_grid *grid, unsigned c) {
  const struct nw_walk_record *record = grid->record;
  bool access = c + 1 == grid->columns && record->result.fault.type == NW_FAULT_NONE;
  return access || grid->column[c].has_input;
}

/* -- cells ------------------------------------------------------------------------------------- */

static int column_x(unsigned c) {
  return MARGIN + LABELS + (int)c * STEP_X;
}

/* Row 0 is the head of the columns. */
static int row_y(int top, unsigned row) {
  return top + TITLE + (int)row * STEP_Y;
}

static void draw_address(FILE *out, int x, int y, uint64_t address, const char *style) {
  char text[24];
  snprintf(text, sizeof(text), "0x%" PRIx64, address);
  put_text(out, x + 8, y + 34, style, text);
}

static void draw_read(FILE *out, int x, int y, const struct nw_cell *cell) {
  char order[24], cycles[24];
  snprintf(order, sizeof(order), cell->again ? "%u, %u%s" : "%u%.0u%s", cell->order, cell->again,
           cell->updated ? " *" : "");
  snprintf(cycles, sizeof(cycles), "%" PRIu32 " cy", cell->cycles);
  put_text(out, x + 8, y + 17, "order", order);
  put_text(out, x + CELL_WIDTH - 8, y + 17, "cycles", cycles);
  draw_address(out, x, y, cell->address, "address");
}

static void draw_cell(FILE *out, int x, int y, const struct nw_cell *cell,
                      const struct look *look) {
  if (cell->state == NW_CELL_BLANK)
    return;
  if (cell->state == NW_CELL_SKIPPED) {
    put_box(out, x, y, CELL_WIDTH, CELL_HEIGHT, &skipped_look);
    put_text(out, x + 8, y + 17, "skipped", cell->by);
    draw_address(out, x, y, cell->address, "skipped address");
    return;
  }
  put_box(out, x, y, CELL_WIDTH, CELL_HEIGHT, cell->faulted ? &fault_look : look);
  draw_read(out, x, y, cell);
}

static void draw_result(FILE *out, int x, int y, const struct nw_walk_record *record) {
  const struct nw_result *result = &record->result;
  bool ipa = record->scope == NW_SCOPE_STAGE1 && record->regime.s2_enabled;
  bool ok = result->fault.type == NW_FAULT_NONE;
  put_box(out, x, y, CELL_WIDTH, CELL_HEIGHT, ok ? &result_look : &fault_look);
  if (ok) {
    put_text(out, x + 8, y + 17, "order", ipa ? nw_words_of(&record->regime)->ipa : "PA");
    draw_address(out, x, y, result->pa, "address");
  } else {
    put_text(out, x + 8, y + 17, "order", "fault");
    put_text(out, x + 8, y + 34, "small", nw_fault_name((enum nw_fault_type)result->fault.type));
  }
}

static void draw_head(FILE *out, int x, int y, const struct nw_grid *grid,
                      const struct nw_grid_column *column) {
  const struct nw_format_words *format = nw_format_words_of(&grid->record->regime, 1);
  char text[NW_LEVEL_TEXT];
  bool used = is_used(grid, (unsigned)(column - grid->column));
  put_box(out, x, y, CELL_WIDTH, CELL_HEIGHT, used ? &head_look : &skipped_look);
  put_text(out, x + 8, y + 17, used ? "order" : "skipped",
           column->level ? nw_level_text(format, column->level, text) : "the access");
  if (grid->rows && column->has_input)
    draw_address(out, x, y, column->input, "address");
}

/* -- arrows ------------------------------------------------------------------------------------ */

static void arrow_down(FILE *out, int x, int from, int to) {
  fprintf(out, "<path class=\"arrow\" d=\"M%d %dV%d\"/>\n", x, from, to - 1);
}

/* From a stage-1 descriptor of column `c` to the head of column `to`: from its side, or over the
 * heads of those that the walk does not need. */
static void arrow_on(FILE *out, int top, const struct nw_grid *grid, unsigned c, unsigned to) {
  int head = row_y(top, 0);
  fprintf(out, "<path class=\"arrow\" d=\"M%d %dh%d", column_x(c) + CELL_WIDTH,
          row_y(top, grid->rows + 1) + CELL_HEIGHT / 2, GAP_X / 2);
  if (to == c + 1)
    fprintf(out, "V%dh%d\"/>\n", head + CELL_HEIGHT / 2, GAP_X - GAP_X / 2 - 1);
  else
    fprintf(out, "V%dH%dV%d\"/>\n", head - 8, column_x(to) + CELL_WIDTH / 2, head - 1);
}

/* Down a column, over what is blank. */
static void draw_arrows(FILE *out, int top, const struct nw_grid *grid, unsigned c) {
  const struct nw_grid_column *column = &grid->column[c];
  bool last = c + 1 == grid->columns;
  bool ends_below = last || column->stage1.state != NW_CELL_BLANK;
  int x = column_x(c) + CELL_WIDTH / 2, from = row_y(top, 0) + CELL_HEIGHT;
  for (unsigned row = 0; row < grid->rows; row++) {
    if (column->stage2[row].state == NW_CELL_BLANK)
      continue;
    arrow_down(out, x, from, row_y(top, row + 1));
    from = row_y(top, row + 1) + CELL_HEIGHT;
  }
  if (column->has_input && ends_below)
    arrow_down(out, x, from, row_y(top, grid->rows + 1));
  unsigned to = c + 1;
  while (to < grid->columns && !is_used(grid, to))
    to++;
  if (to < grid->columns && column->stage1.state != NW_CELL_BLANK)
    arrow_on(out, top, grid, c, to);
}

/* -- a grid ------------------------------------------------------------------------------------ */

static void draw_labels(FILE *out, int top, const struct nw_grid *grid) {
  char text[32];
  put_text(out, MARGIN, row_y(top, 0) + 17, "label", "stage 1");
  if (grid->rows)
    put_text(out, MARGIN, row_y(top, 0) + 34, "small", nw_words_of(&grid->record->regime)->ipa);
  for (unsigned row = 0; row < grid->rows; row++) {
    put_text(out, MARGIN, row_y(top, row + 1) + 17, "label", "stage 2");
    snprintf(text, sizeof(text), "level %u", grid->row_level[row]);
    put_text(out, MARGIN, row_y(top, row + 1) + 34, "small", text);
  }
  put_text(out, MARGIN, row_y(top, grid->rows + 1) + 26, "label", "stage 1");
}

static void draw_legend(FILE *out, int y) {
  static const struct look *const shown[] = {&stage2_look, &stage1_look, &skipped_look, &fault_look,
                                             &result_look};
  int x = MARGIN;
  for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
    put_box(out, x, y, 14, 14, shown[i]);
    put_text(out, x + 20, y + 11, "small", shown[i]->name);
    x += 36 + 7 * (int)strlen(shown[i]->name);
  }
}

static void draw_sum(FILE *out, int y, const struct nw_grid *grid) {
  const struct nw_walk_record *record = grid->record;
  char text[200], skipped[40] = "";
  if (grid->skipped)
    snprintf(skipped, sizeof(skipped), ", %u skipped", grid->skipped);
  snprintf(text, sizeof(text),
           "%u references%s, %" PRIu32
           " cycles; in a box: order (* flags written), cycles, address",
           record->references, skipped, record->result.cycles);
  put_text(out, MARGIN, y, "small", text);
}

void nw_drawing_add(struct nw_drawing *drawing, const struct nw_grid *grid, const char *title) {
  FILE *out = drawing->out;
  int top = drawing->height;
  if (!out || nw_grid_is_empty(grid))
    return;
  put_text(out, MARGIN, top + 26, "title", title);
  draw_sum(out, top + 44, grid);
  draw_labels(out, top, grid);
  for (unsigned c = 0; c < grid->columns; c++) {
    const struct nw_grid_column *column = &grid->column[c];
    draw_arrows(out, top, grid, c);
    draw_head(out, column_x(c), row_y(top, 0), grid, column);
    for (unsigned row = 0; row < grid->rows; row++)
      draw_cell(out, column_x(c), row_y(top, row + 1), &column->stage2[row], &stage2_look);
    draw_cell(out, column_x(c), row_y(top, grid->rows + 1), &column->stage1, &stage1_look);
  }
  draw_result(out, column_x(grid->columns - 1), row_y(top, grid->rows + 1), grid->record);
  int width = column_x(grid->columns) - GAP_X + MARGIN;
  drawing->width = drawing->width > width ? drawing->width : width;
  drawing->height = row_y(top, grid->rows + 2);
}

/* -- the file ---------------------------------------------------------------------------------- */

bool nw_drawing_begin(struct nw_drawing *drawing) {
  *drawing = (struct nw_drawing){.width = 560};
  drawing->out = open_memstream(&drawing->body, &drawing->body_size);
  return drawing->out != NULL;
}

static const char style[] =
    "<style>text{font-family:'DejaVu Sans',sans-serif;font-size:12px;fill:#202020}"
    ".title{font-size:15px}.order{font-weight:bold}.cycles{text-anchor:end}"
    ".address{font-family:'DejaVu Sans Mono',monospace;font-size:11.5px}"
    ".small{font-size:11.5px;fill:#505050}.label{font-weight:bold;fill:#404040}"
    ".skipped{fill:#8a8a8a}"
    ".arrow{fill:none;stroke:#707070;marker-end:url(#tip)}</style>\n"
    "<defs><marker id=\"tip\" markerWidth=\"7\" markerHeight=\"7\" refX=\"6\" refY=\"3.5\" "
    "orient=\"auto\"><path d=\"M0 0.5L6.5 3.5L0 6.5z\" fill=\"#707070\"/></marker></defs>\n";

bool nw_drawing_end(struct nw_drawing *drawing, FILE *out) {
  bool whole = drawing->out != NULL;
  if (drawing->out) {
    draw_legend(drawing->out, drawing->height + 8);
    whole = !ferror(drawing->out);
    whole = fclose(drawing->out) == 0 && whole;
  }
  if (whole && out) {
    int height = drawing->height + LEGEND;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\">\n%s"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            drawing->width, height, drawing->width, height, style);
    fwrite(drawing->body, 1, drawing->body_size, out);
    fputs("</svg>\n", out);
    whole = !ferror(out);
  } else if (!whole) {
    errno = ENOMEM;
  }
  free(drawing->body);
  return whole;
}
