/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each step of a walk costs the walker itself, in cycles, on top of what the answers cost
 * (memory latency, cache latency). Estimates for a walker that issues a read in one cycle and
 * decodes in the next; a machine file may override them (mmu.cycles).
 */
#ifndef NESTWALK_CORE_WALK_CYCLES_H
#define NESTWALK_CORE_WALK_CYCLES_H

/* clang-format off */
#define NWI_WALK_CYCLES_DEFAULT \
  {                             \
    .begin = 1,                 \
    .read = 2,                  \
    .update = 2,                \
    .walk_cache_lookup = 0,     \
    .ipa_cache_lookup = 0,      \
    .fill = 0,                  \
    .done = 1,                  \
  }
/* clang-format on */

#endif
