/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: a walk on the ring ends no earlier than cycle `now` of the last call, or is about to be
 * taken off. */
#include "system/overlap.h"

#include <math.h>
#include <stdlib.h>

#include "system/internal.h"

/* -- the core and its walkers --------------------------------------------------------------- */

static uint64_t until(uint64_t now, uint64_t end) {
  return end > now ? end - now : 0;
}

/* Gives a walk to the walker that is free first; returns the cycle at which it ends. */
static uint64_t occupy(struct nw_overlap *overlap, uint64_t now, uint32_t cycles) {
  uint32_t first = 0;
  for (uint32_t i = 1; i < overlap->walkers; i++)
    if (overlap->free_at[i] < overlap->free_at[first])
      first = i;
  uint64_t begin = overlap->free_at[first] > now ? overlap->free_at[first] : now;
  overlap->free_at[first] = begin + cycles;
  return overlap->free_at[first];
}

static void forget_oldest(struct nw_overlap *overlap) {
  overlap->oldest = (overlap->oldest + 1) % NW_OVERLAP_WALKS;
  overlap->unfinished--;
}

uint64_t nw_overlap_walk(struct nw_overlap *overlap, uint64_t now, uint64_t instruction,
                         uint32_t cycles) {
  uint64_t stall = 0;
  if (overlap->unfinished == NW_OVERLAP_WALKS) {
    stall = until(now, overlap->end[overlap->oldest]);
    forget_oldest(overlap);
  }
  uint32_t newest = (overlap->oldest + overlap->unfinished++) % NW_OVERLAP_WALKS;
  overlap->instruction[newest] = instruction;
  overlap->end[newest] = occupy(overlap, now + stall, cycles);
  return stall;
}

uint64_t nw_overlap_fetch(struct nw_overlap *overlap, uint64_t now, uint32_t cycles) {
  return until(now, occupy(overlap, now, cycles));
}

/* The core may have come further than it could without a stall: then that was where the window ended. */
uint64_t nw_overlap_advance(struct nw_overlap *overlap, uint64_t now, uint64_t instruction) {
  uint64_t stall = 0;
  while (overlap->unfinished > 0) {
    uint64_t end = overlap->end[overlap->oldest];
    uint64_t limit = overlap->instruction[overlap->oldest] + overlap->window;
    if (end > now + stall && instruction < limit)
      break;
    uint64_t beyond = instruction > limit ? instruction - limit : 0;
    uint64_t ran = (uint64_t)llround((double)beyond * overlap->cpi);
    if (instruction >= limit)
      stall += until(now + stall, end + ran);
    forget_oldest(overlap);
  }
  return stall;
}

uint64_t nw_overlap_drain(struct nw_overlap *overlap, uint64_t now) {
  uint64_t stall = 0;
  for (; overlap->unfinished > 0; forget_oldest(overlap))
    stall += until(now + stall, overlap->end[overlap->oldest]);
  return stall;
}

/* -- in a machine --------------------------------------------------------------------------- */

static bool read_and_note(void *context, uint64_t pa, unsigned size, uint64_t *data,
                          uint32_t *cycles) {
  struct nw_machine *machine = context;
  machine->overlap->walked = true;
  return machine->overlap->read(context, pa, size, data, cycles);
}

bool nw_overlap_start(struct nw_machine *machine) {
  const struct nw_machine_config *config = &machine->config;
  if (config->window == 0)
    return true;
  struct nw_overlap *overlap = calloc(1, sizeof *overlap);
  if (overlap == NULL)
    return false;
  overlap->window = config->window;
  overlap->walkers = config->mmu.walkers;
  overlap->cpi = config->base_cpi;
  overlap->read = machine->walker.read;
  machine->overlap = overlap;
  machine->walker.read = read_and_note;
  machine->watched = true;
  return true;
}

void nw_overlap_accessed(struct nw_machine *machine, bool fetch, uint32_t cycles) {
  struct nw_overlap *overlap = machine->overlap;
  struct nw_machine_statistics *statistics = machine->statistics;
  if (overlap->walked) {
    statistics->cycles_translation -= cycles;
    uint64_t now = nw_machine_cycles(machine);
    statistics->cycles_translation +=
        fetch ? nw_overlap_fetch(overlap, now, cycles)
              : nw_overlap_walk(overlap, now, statistics->instructions, cycles);
    overlap->walked = false;
  }
  statistics->cycles_translation +=
      nw_overlap_advance(overlap, nw_machine_cycles(machine), statistics->instructions);
}

void nw_overlap_interrupted(struct nw_machine *machine) {
  if (machine->overlap == NULL)
    return;
  machine->statistics->cycles_translation +=
      nw_overlap_drain(machine->overlap, nw_machine_cycles(machine));
  machine->overlap->walked = false;
}
