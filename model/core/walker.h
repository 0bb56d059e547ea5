/* SPDX-License-Identifier: Apache-2.0 */
/* What the MMU asks of a finished walk beyond its result. */
#ifndef NESTWALK_CORE_WALKER_H
#define NESTWALK_CORE_WALKER_H

#include <nestwalk/mmu.h>

/* The translation holds for every ASID: a global leaf, or no stage 1. */
bool nwi_walk_global(const struct nw_walk *walk);

/* Agile paging: the guest's own tables that the walk has come through. */
unsigned nwi_walk_nested_levels(const struct nw_walk *walk);

/* What a READ or UPDATE step's data means to the walker: stage-1 descriptors are in the order that
 * SCTLR.EE says. */
uint64_t nwi_step_descriptor(const struct nw_regime *regime, const struct nw_step *step,
                             uint64_t data);

/* nw_walk_begin() on the caller's registers themselves, which must stay as they are, instead of on a
 * copy: for whoever gives the walk its copy before a register is written. */
void nwi_walk_begin_with(struct nw_walk *walk, const struct nw_regime *regime,
                         const struct nw_request *request, enum nw_scope scope,
                         const struct nw_walk_options *options);

/* Answers READ steps from `memory` for as long as READs are what the walk asks for: what
 * nw_walk_next() and nw_walk_answer() do, without describing each step to somebody else. */
void nwi_walk_read_on(struct nw_walk *walk, const struct nw_memory *memory);

#endif
