/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translations that somebody watches. Nothing is answered otherwise than without a watcher: the
 * same lookups, steps, cycles, counts and installs, only told one by one.
 */
#ifndef NESTWALK_CORE_OBSERVE_H
#define NESTWALK_CORE_OBSERVE_H

#include <nestwalk/mmu.h>

/* A look into one TLB. */
struct nwi_probe {
  uint8_t level; /* enum nw_source: which TLB */
  bool instruction;
  bool found;
  bool denied;     /* what was found does not permit the access: walked again */
  uint32_t cycles; /* of this look */
};

struct nwi_observer {
  void *context;
  void (*probe)(void *context, const struct nwi_probe *probe);
  /* A step and its answer. `cycles` is what it cost, the walker's own part included. */
  void (*step)(void *context, const struct nw_step *step, const struct nw_answer *answer,
               uint32_t cycles);
};

/** Runs a walk that has begun to its end. Every LOOKUP misses and nothing is kept. */
void nwi_walk_observe(struct nw_walk *walk, const struct nw_memory *memory,
                      const struct nwi_observer *observer);

/** nw_mmu_translate(), watched. */
bool nwi_mmu_observe(struct nw_mmu *mmu, const struct nw_request *request,
                     const struct nw_memory *memory, const struct nwi_observer *observer,
                     struct nw_result *result);

#endif
