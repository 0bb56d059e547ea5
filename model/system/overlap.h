/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core that goes on while its data accesses are translated: it runs up to a window of instructions
 * ahead of an unfinished walk, and walks share the walkers there are. Timing alone: what is walked, and
 * in which order, is as if each walk were waited for.
 *
 * A walk takes the first walker that is free. The core stalls where it has come a whole window ahead of
 * the oldest unfinished walk, until that is done; what cannot be fetched cannot be run, so that a walk
 * for a fetch is waited for at once; and whoever enters the kernel waits for all.
 */
#ifndef NESTWALK_SYSTEM_OVERLAP_H
#define NESTWALK_SYSTEM_OVERLAP_H

#include <stdbool.h>
#include <stdint.h>

#define NW_OVERLAP_WALKERS 64
#define NW_OVERLAP_WALKS 256 /* unfinished at a time; with more, the oldest is waited for */

struct nw_machine;

struct nw_overlap {
  uint32_t window; /* instructions */
  uint32_t walkers;
  double cpi;                             /* of instructions run ahead */
  uint64_t free_at[NW_OVERLAP_WALKERS];   /* cycle, by walker */
  uint64_t instruction[NW_OVERLAP_WALKS]; /* ring: of the unfinished walks, oldest first */
  uint64_t end[NW_OVERLAP_WALKS];
  uint32_t oldest, unfinished;
  bool walked; /* since the last access: a descriptor has been read */
  bool (*read)(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles);
};

/* All of these return for how many cycles the core stalls from cycle `now` on. */

/** A walk of `cycles` begins for a data access of instruction number `instruction`. */
uint64_t nw_overlap_walk(struct nw_overlap *overlap, uint64_t now, uint64_t instruction,
                         uint32_t cycles);
/** A walk of `cycles` begins for a fetch. */
uint64_t nw_overlap_fetch(struct nw_overlap *overlap, uint64_t now, uint32_t cycles);
/** The core has come to `instruction`. */
uint64_t nw_overlap_advance(struct nw_overlap *overlap, uint64_t now, uint64_t instruction);
/** The core waits for every walk. */
uint64_t nw_overlap_drain(struct nw_overlap *overlap, uint64_t now);

/* In a machine; nothing happens where core.window is 0. */

/** Makes the machine's accesses overlap, once its mode has started. False when out of memory. */
bool nw_overlap_start(struct nw_machine *machine);
/** An access has been translated, for `cycles` that have been put down as waited for. */
void nw_overlap_accessed(struct nw_machine *machine, bool fetch, uint32_t cycles);
/** The program is interrupted. */
void nw_overlap_interrupted(struct nw_machine *machine);

#endif
