/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded translation in sentences, for people. */
#ifndef NW_EXPLAIN_TELL_H
#define NW_EXPLAIN_TELL_H

#include <stdio.h>

#include "explain/grid.h"

/** "write by user code of VA 0x00012345": no line end. */
void nw_tell_request(FILE *out, const struct nw_walk_record *record);

/**
 * Everything about one translation: the registers it is made with, where it starts and why, what
 * the TLBs said, each step in order with its cycles, and what came of it. `grid` is the record's.
 */
void nw_tell_walk(FILE *out, const struct nw_walk_record *record, const struct nw_grid *grid);

#endif
