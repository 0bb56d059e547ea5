/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/grid.h"

#include <string.h>

#include "core/format.h"
#include "core/regime.h"

const char *nw_cache_name(unsigned cache) {
  static const char *const name[] = {[NW_WALK_CACHE] = "walk cache", [NW_IPA_CACHE] = "IPA cache"};
  return name[cache];
}

const char *nw_probe_name(const struct nwi_probe *probe) {
  if (probe->level == NW_FROM_L2)
    return "L2 TLB";
  return probe->instruction ? "L1I TLB" : "L1D TLB";
}

/* -- columns and rows -------------------------------------------------------------------------- */

/* The levels from a root down; levels count up or down, as the manual has them. */
static unsigned levels_below(const struct nw_root *root, const struct nw_format *format,
                             uint8_t levels[NW_LEVELS]) {
  unsigned count = 0;
  levels[0] = root->start_level;
  while (levels[count] != format->last_level) {
    levels[count + 1] = nwi_level_below(format, levels[count]);
    count++;
  }
  return count + 1;
}

static void lay_out(struct nw_grid *grid) {
  const struct nw_walk_record *record = grid->record;
  const struct nw_regime *regime = &record->regime;
  uint8_t levels[NW_LEVELS];
  const struct nw_root *root = NULL;
  if (record->scope != NW_SCOPE_STAGE2 && regime->s1_enabled)
    root = nwi_regime_stage1_root(regime, record->request.va);
  if (root && !root->disabled)
    grid->columns = levels_below(root, regime->s1_format, levels);
  for (unsigned c = 0; c < grid->columns; c++)
    grid->column[c].level = levels[c];
  grid->columns++;
  if (regime->s2_enabled && !regime->s2_root.disabled)
    grid->rows = levels_below(&regime->s2_root, regime->s2_format, grid->row_level);
}

/* Where an access belongs. The last column takes what belongs to no level of stage 1. */
static unsigned column_index(const struct nw_grid *grid, const struct nw_step *step) {
  unsigned s1_level = step->stage == 1 ? step->level : step->for_s1 ? step->s1_level : 0;
  unsigned c = 0;
  while (c + 1 < grid->columns && grid->column[c].level != s1_level)
    c++;
  return c;
}

static struct nw_cell *find_cell(struct nw_grid *grid, const struct nw_step *step,
                                 struct nw_grid_column **column) {
  *column = &grid->column[column_index(grid, step)];
  if (step->stage == 1)
    return &(*column)->stage1;
  unsigned row = 0;
  while (row + 1 < grid->rows && grid->row_level[row] != step->level)
    row++;
  return &(*column)->stage2[row];
}

/* -- cells ------------------------------------------------------------------------------------- */

static void place_cold(struct nw_grid *grid) {
  const struct nw_step_list *cold = &grid->record->cold;
  for (unsigned i = 0; i < cold->count; i++) {
    const struct nw_step *step = &cold->step[i].step;
    struct nw_grid_column *column;
    struct nw_cell *cell = find_cell(grid, step, &column);
    cell->state = NW_CELL_SKIPPED;
    cell->address = step->address;
    column->has_input = true;
    column->input = step->ipa;
  }
}

static void place(struct nw_cell *cell, const struct nw_recorded_step *noted) {
  cell->cycles += noted->cycles;
  if (noted->step.kind == NW_STEP_UPDATE) {
    cell->updated |= noted->hit;
    return;
  }
  if (cell->state == NW_CELL_READ)
    cell->again = noted->order;
  else
    cell->order = noted->order;
  cell->state = NW_CELL_READ;
  cell->address = noted->step.address;
}

static bool is_access(const struct nw_recorded_step *noted) {
  return noted->step.kind == NW_STEP_READ || noted->step.kind == NW_STEP_UPDATE;
}

/* Steps replace what the walk without caches would have done. A fault that was met in a descriptor
 * is met in the last one. */
static void place_made(struct nw_grid *grid) {
  const struct nw_step_list *made = &grid->record->made;
  const struct nw_fault *fault = &grid->record->result.fault;
  struct nw_cell *last = NULL;
  const struct nw_step *at = NULL;
  for (unsigned i = 0; i < made->count; i++) {
    const struct nw_recorded_step *noted = &made->step[i];
    if (!is_access(noted))
      continue;
    struct nw_grid_column *column;
    at = &noted->step;
    last = find_cell(grid, at, &column);
    place(last, noted);
    column->has_input = true;
    column->input = at->ipa;
  }
  if (last && fault->type != NW_FAULT_NONE)
    last->faulted = fault->stage == at->stage && fault->level == at->level;
}

/* -- who saved what ---------------------------------------------------------------------------- */

static const char *walk_cache_that_hit(const struct nw_step_list *made) {
  for (unsigned i = 0; i < made->count; i++) {
    const struct nw_recorded_step *noted = &made->step[i];
    if (noted->step.kind == NW_STEP_LOOKUP && noted->step.cache != NW_IPA_CACHE && noted->hit)
      return nw_cache_name(noted->step.cache);
  }
  return NULL;
}

/* The column that the walk enters first. */
static unsigned first_column(const struct nw_grid *grid) {
  const struct nw_step_list *made = &grid->record->made;
  for (unsigned i = 0; i < made->count; i++)
    if (is_access(&made->step[i]))
      return column_index(grid, &made->step[i].step);
  return 0;
}

static void credit(struct nw_grid *grid, struct nw_cell *cell, const char *by) {
  if (cell->state != NW_CELL_SKIPPED)
    return;
  cell->by = by;
  grid->skipped++;
}

/* A TLB saves all; a walk cache what is left of the table that it knows; what is not read besides
 * is the IPA cache's. */
static void credit_all(struct nw_grid *grid) {
  const struct nwi_probe *tlb = nw_record_tlb_hit(grid->record);
  const char *walk_cache = walk_cache_that_hit(&grid->record->made);
  unsigned first = walk_cache ? first_column(grid) : 0;
  for (unsigned c = 0; c < grid->columns; c++) {
    struct nw_grid_column *column = &grid->column[c];
    const char *by = tlb         ? nw_probe_name(tlb)
                     : c < first ? walk_cache
                                 : nw_cache_name(NW_IPA_CACHE);
    credit(grid, &column->stage1, by);
    for (unsigned row = 0; row < grid->rows; row++)
      credit(grid, &column->stage2[row], by);
  }
}

void nw_grid_build(const struct nw_walk_record *record, struct nw_grid *grid) {
  memset(grid, 0, sizeof(*grid));
  grid->record = record;
  lay_out(grid);
  place_cold(grid);
  place_made(grid);
  credit_all(grid);
}

/* -- asking ------------------------------------------------------------------------------------ */

/* A lookup does not say what it is for: the read that follows does, or else the walk's end. */
static const struct nw_grid_column *column_of_lookup(const struct nw_grid *grid,
                                                     const struct nw_recorded_step *noted) {
  const struct nw_walk_record *record = grid->record;
  const struct nw_recorded_step *end = record->made.step + record->made.count;
  for (const struct nw_recorded_step *next = noted + 1; next < end; next++)
    if (next->step.kind == NW_STEP_READ)
      return nw_grid_column_of(grid, next);
  unsigned c = grid->columns - 1;
  while (record->result.fault.s1walk && c > 0 && grid->column[c].input != noted->step.address)
    c--;
  return &grid->column[c];
}

const struct nw_grid_column *nw_grid_column_of(const struct nw_grid *grid,
                                               const struct nw_recorded_step *noted) {
  const struct nw_step *step = &noted->step;
  if (step->kind == NW_STEP_LOOKUP && step->cache == NW_IPA_CACHE)
    return column_of_lookup(grid, noted);
  return is_access(noted) ? &grid->column[column_index(grid, step)] : NULL;
}

bool nw_grid_is_empty(const struct nw_grid *grid) {
  return grid->columns == 1 && grid->rows == 0;
}
