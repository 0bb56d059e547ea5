/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grid in characters. Six columns, of a stage 1 with five levels and of the access, fill a line
 * of 100: three for the names of rows, sixteen for each column, one for the right edge.
 */
#include "explain/grid.h"

#include <inttypes.h>
#include <string.h>

#include "explain/words.h"

#define CELL 15 /* characters between two edges: a 52-bit address with its 0x */
#define LINES 2 /* of a cell */

typedef char cell_text[LINES][CELL + 1];

struct printing {
  FILE *out;
  const struct nw_grid *grid;
};

static void print_line(const struct printing *p, const char *name, const char *const *text) {
  fprintf(p->out, "%-3s", name);
  for (unsigned c = 0; c < p->grid->columns; c++)
    fprintf(p->out, "|%-*s", CELL, text[c]);
  fputs("|\n", p->out);
}

static void print_edge(const struct printing *p) {
  static const char dashes[] = "---------------";
  fputs("---", p->out);
  for (unsigned c = 0; c < p->grid->columns; c++)
    fprintf(p->out, "+%.*s", CELL, dashes);
  fputs("+\n", p->out);
}

static void print_cells(const struct printing *p, const char *name, cell_text *cells) {
  for (unsigned line = 0; line < LINES; line++) {
    const char *text[NW_GRID_COLUMNS];
    for (unsigned c = 0; c < p->grid->columns; c++)
      text[c] = cells[c][line];
    print_line(p, line == 0 ? name : "", text);
  }
  print_edge(p);
}

/* -- what is in a cell ------------------------------------------------------------------------- */

/* The order at the left edge, the cycles at the right one, without their unit where it is tight. */
static void write_read(cell_text text, const struct nw_cell *cell) {
  char order[20], cycles[20];
  int length =
      snprintf(order, sizeof(order), cell->again ? "#%u+%u%s%s" : "#%u%.0u%s%s", cell->order,
               cell->again, cell->updated ? "*" : "", cell->faulted ? "!" : "");
  int room = CELL - length,
      width = snprintf(cycles, sizeof(cycles), "%" PRIu32 " cy", cell->cycles);
  if (width >= room)
    width -= (int)strlen(" cy");
  memset(text[0], ' ', CELL);
  text[0][CELL] = '\0';
  memcpy(text[0] + CELL - width, cycles, (size_t)width);
  memcpy(text[0], order, (size_t)length);
}

static void write_cell(cell_text text, const struct nw_cell *cell) {
  text[0][0] = text[1][0] = '\0';
  if (cell->state == NW_CELL_BLANK)
    return;
  if (cell->state == NW_CELL_READ)
    write_read(text, cell);
  else
    snprintf(text[0], CELL + 1, "-%s", cell->by);
  snprintf(text[1], CELL + 1, "0x%" PRIx64, cell->address);
}

/* What the walk has come to stands where stage 1 would have a descriptor of the access. */
static void write_result(cell_text text, const struct nw_walk_record *record) {
  const struct nw_result *result = &record->result;
  bool ipa = record->scope == NW_SCOPE_STAGE1 && record->regime.s2_enabled;
  if (result->fault.type == NW_FAULT_NONE) {
    snprintf(text[0], CELL + 1, "= %s", ipa ? nw_words_of(&record->regime)->ipa : "PA");
    snprintf(text[1], CELL + 1, "0x%" PRIx64, result->pa);
  } else {
    snprintf(text[0], CELL + 1, "fault");
    snprintf(text[1], CELL + 1, "%s", nw_fault_name((enum nw_fault_type)result->fault.type));
  }
}

/* -- the whole --------------------------------------------------------------------------------- */

static void print_head(const struct printing *p) {
  const struct nw_grid *grid = p->grid;
  const struct nw_format_words *format = nw_format_words_of(&grid->record->regime, 1);
  cell_text cells[NW_GRID_COLUMNS];
  for (unsigned c = 0; c < grid->columns; c++) {
    const struct nw_grid_column *column = &grid->column[c];
    if (column->level)
      snprintf(cells[c][0], CELL + 1, "L%u %s", column->level,
               format->level_names ? format->level_names[column->level] : "");
    else
      snprintf(cells[c][0], CELL + 1, "the access");
    cells[c][1][0] = '\0';
    if (grid->rows && column->has_input)
      snprintf(cells[c][1], CELL + 1, "0x%" PRIx64, column->input);
  }
  print_edge(p);
  print_cells(p, "", cells);
}

static void print_rows(const struct printing *p) {
  const struct nw_grid *grid = p->grid;
  cell_text cells[NW_GRID_COLUMNS];
  char name[8];
  for (unsigned row = 0; row < grid->rows; row++) {
    for (unsigned c = 0; c < grid->columns; c++)
      write_cell(cells[c], &grid->column[c].stage2[row]);
    snprintf(name, sizeof(name), "L%u", grid->row_level[row]);
    print_cells(p, name, cells);
  }
  for (unsigned c = 0; c + 1 < grid->columns; c++)
    write_cell(cells[c], &grid->column[c].stage1);
  write_result(cells[grid->columns - 1], grid->record);
  print_cells(p, "s1", cells);
}

static bool any_cell(const struct nw_grid *grid, bool (*has)(const struct nw_cell *cell)) {
  for (unsigned c = 0; c < grid->columns; c++) {
    bool found = has(&grid->column[c].stage1);
    for (unsigned row = 0; row < grid->rows; row++)
      found |= has(&grid->column[c].stage2[row]);
    if (found)
      return true;
  }
  return false;
}

static bool is_updated(const struct nw_cell *cell) {
  return cell->updated;
}

static bool is_faulted(const struct nw_cell *cell) {
  return cell->faulted;
}

void nw_grid_print(FILE *out, const struct nw_grid *grid) {
  struct printing printing = {out, grid};
  if (nw_grid_is_empty(grid))
    return;
  fputs(grid->rows ? "across: stage 1, with what stage 2 translates there; down: stage 2, then the "
                     "stage-1 descriptor\n"
                   : "across: stage 1\n",
        out);
  print_head(&printing);
  print_rows(&printing);
  fputs("# order of the reference, cy: its cycles", out);
  fputs(grid->skipped ? "; -: skipped thanks to it" : "", out);
  fputs(any_cell(grid, is_updated) ? "; *: flags written" : "", out);
  fputs(any_cell(grid, is_faulted) ? "; !: the fault" : "", out);
  fputc('\n', out);
}
