/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One translation as data: what was looked up, asked and answered, in order, with what each step
 * cost. Beside it stand the references that the same walk makes with nothing cached, so that a
 * reference which was not made is known by its absence. Who tells or draws a walk reads this.
 */
#ifndef NW_EXPLAIN_RECORD_H
#define NW_EXPLAIN_RECORD_H

#include <nestwalk/mmu.h>

#include "core/observe.h"

/* A walk of five levels over five, each flag set on its way, each table kept, is shorter. */
#define NW_RECORD_STEPS 192

struct nw_recorded_step {
  struct nw_step step;
  uint64_t descriptor; /* READ: what was read, UPDATE: what was written, as the walker sees it */
  uint32_t cycles;
  uint16_t order; /* READ: 1 is the walk's first reference */
  bool abort;
  bool hit; /* LOOKUP: found; UPDATE: swapped */
};

struct nw_step_list {
  struct nw_recorded_step step[NW_RECORD_STEPS];
  unsigned count;
  unsigned lost; /* steps for which there was no room */
};

struct nw_walk_record {
  struct nw_regime regime;
  struct nw_request request;
  enum nw_scope scope;
  struct nw_walk_cycles costs; /* of the walker's own steps */
  struct nwi_probe probe[2];   /* TLBs looked into */
  unsigned probes;
  struct nw_step_list made;
  struct nw_step_list cold; /* the READs of the walk with nothing cached, free of charge */
  unsigned references;      /* READs made */
  struct nw_result result;
};

/** What the walker's own steps cost where no machine says otherwise. */
extern const struct nw_walk_cycles nw_record_costs;

/** A request answered by a walk alone: no TLB, no cache. */
void nw_record_walk(struct nw_walk_record *record, const struct nw_regime *regime,
                    const struct nw_request *request, enum nw_scope scope,
                    const struct nw_walk_cycles *costs, const struct nw_memory *memory);

/**
 * A request answered by an MMU, as nw_mmu_translate() answers it, `costs` being the MMU's. `peek`
 * reads the same memory without changing anything, not even what is cached of it.
 */
bool nw_record_translation(struct nw_walk_record *record, struct nw_mmu *mmu,
                           const struct nw_request *request, const struct nw_walk_cycles *costs,
                           const struct nw_memory *memory, const struct nw_memory *peek);

/** The TLB that answered, or NULL. */
const struct nwi_probe *nw_record_tlb_hit(const struct nw_walk_record *record);

#endif
