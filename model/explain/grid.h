/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk as the two-dimensional grid it is: a column for each level of stage 1 and one for the
 * address that the access is to; in each column, from the top, the references of stage 2 that
 * translate the address of that level's descriptor, and below them the read of the descriptor.
 */
#ifndef NW_EXPLAIN_GRID_H
#define NW_EXPLAIN_GRID_H

#include <stdio.h>

#include "explain/record.h"

enum nw_cell_state {
  NW_CELL_BLANK = 0, /* there is no such reference: a larger page ends the walk above, or a fault */
  NW_CELL_READ,
  NW_CELL_SKIPPED, /* a cache made it unnecessary: `by` */
};

struct nw_cell {
  enum nw_cell_state state;
  const char *by;
  uint64_t address; /* of the descriptor: a PA */
  uint32_t cycles;  /* of all its reads, and of the updates of its flags */
  uint16_t order;   /* of the first read */
  uint16_t again;   /* of the last one, where it was read more than once, else 0 */
  bool updated;     /* flags were written */
  bool faulted;     /* the walk ended here */
};

#define NW_GRID_COLUMNS (NW_LEVELS + 1)

struct nw_grid_column {
  uint8_t level;  /* of stage 1; 0: the access itself */
  bool has_input; /* the walk gets so far, with or without caches */
  uint64_t input; /* what stage 2 translates in this column */
  struct nw_cell stage2[NW_LEVELS];
  struct nw_cell stage1;
};

struct nw_grid {
  const struct nw_walk_record *record;
  unsigned columns; /* the last one is the access's */
  unsigned rows;
  uint8_t row_level[NW_LEVELS]; /* of stage 2, from the top */
  unsigned skipped;             /* references */
  struct nw_grid_column column[NW_GRID_COLUMNS];
};

/** The grid points to the record, which must outlive it. */
void nw_grid_build(const struct nw_walk_record *record, struct nw_grid *grid);

/** The column that a recorded step of the grid's record belongs to; NULL for steps of the walk
 * cache and fills. */
const struct nw_grid_column *nw_grid_column_of(const struct nw_grid *grid,
                                               const struct nw_recorded_step *noted);

/** What caches and TLBs are called, here and as nw_cell's `by`. */
const char *nw_cache_name(unsigned cache);
const char *nw_probe_name(const struct nwi_probe *probe);

/** A grid with no more than one cell shows nothing. */
bool nw_grid_is_empty(const struct nw_grid *grid);

/** The grid in characters, at most 100 of them in a line. */
void nw_grid_print(FILE *out, const struct nw_grid *grid);

/* -- as a picture ------------------------------------------------------------------------------ */

/* A drawing of grids one below the other. Its size is known at the end only: what has been drawn is
 * kept until then. */
struct nw_drawing {
  char *body;
  size_t body_size;
  FILE *out; /* writes `body`; NULL: out of memory */
  int width, height;
};

bool nw_drawing_begin(struct nw_drawing *drawing);
void nw_drawing_add(struct nw_drawing *drawing, const struct nw_grid *grid, const char *title);
/** Writes the SVG file to `out` (NULL: nowhere) and frees the drawing. False with errno when there
 * was no memory or the writing failed. */
bool nw_drawing_end(struct nw_drawing *drawing, FILE *out);

#endif
