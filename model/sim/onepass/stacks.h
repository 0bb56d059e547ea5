/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LRU stacks for every associativity of a TLB at once: one stack for each set, for each number of
 * sets asked for.
 *
 * The first W places of a set's stack are what a TLB of that many sets and W ways holds in that set
 * (Mattson et al., "Evaluation techniques for storage hierarchies", 1970; Hill and Smith, "Evaluating
 * associativity in CPU caches", 1989). Two things make a TLB's stacks different from a cache's:
 *
 * - Maintenance takes an entry out of the middle. It leaves a hole: a TLB of more ways than the hole's
 *   place has room now, a smaller one never held the entry. The next entry that comes from below the
 *   uppermost hole fills it, and everything below that hole stays where it is (Thompson and Smith,
 *   "Efficient (stack) algorithms for analysis of write-back and sector memories", 1989).
 * - A lookup whose walk faults touches the entry where it is held (the hit was denied), but brings
 *   nothing where it is not. The entry keeps its place in the stack, though those TLBs that hold it
 *   have used it last: it is pinned. An entry pushed down to a pinned one goes on past it for as long
 *   as the pinned one was used later.
 */
#ifndef NW_SIM_ONEPASS_STACKS_H
#define NW_SIM_ONEPASS_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#define NW_STACK_NONE UINT32_MAX

struct nw_stacks; /* of one number of sets */

/* `depth`: ways of the largest TLB asked for. NULL when out of memory. */
struct nw_stacks *nw_stacks_create(uint32_t sets, uint32_t depth);
void nw_stacks_destroy(struct nw_stacks *stacks);

/* Makes room for entries numbered below `count`; false when out of memory. */
bool nw_stacks_reserve(struct nw_stacks *stacks, uint32_t count);

/* The entry's place in its set's stack, 1 on top; NW_STACK_NONE when it is in none. */
uint32_t nw_stacks_place(const struct nw_stacks *stacks, uint32_t set, uint32_t entry);

/* The entry is used: it comes to the top of its set. `used` tells when each entry was used last, this
 * one's time included. Returns the entry that falls out at the bottom, or NW_STACK_NONE. */
uint32_t nw_stacks_touch(struct nw_stacks *stacks, uint32_t set, uint32_t entry,
                         const uint64_t *used);

/* The entry is used where it is held, and not brought where it is not. False when more entries are
 * pinned at a time than there is room for. */
bool nw_stacks_pin(struct nw_stacks *stacks, uint32_t set, uint32_t entry);

/* The entry goes; nothing happens when it is in no stack. True when it was in one. */
bool nw_stacks_remove(struct nw_stacks *stacks, uint32_t set, uint32_t entry);

#endif
