/* SPDX-License-Identifier: Apache-2.0 */
/* The MMU's insides, shared by mmu.c, mmu_flight.c and maintenance.c. */
#ifndef NESTWALK_CORE_MMU_H
#define NESTWALK_CORE_MMU_H

#include <nestwalk/mmu.h>

#include "core/tlb.h"
#include "core/walk_cache.h"

/* Entries made with other stages switched on must not hit: the switches are part of the VMID tag. */
enum { NWI_STAGE1_OFF = 1, NWI_STAGE2_ON = 2, NWI_AGILE_ON = 4, NWI_STAGE_SWITCHES = 8 };

struct nw_mmu {
  struct nw_regime regime;
  struct nwi_tlb *l1[2]; /* data, instruction; NULL: this level is absent */
  struct nwi_tlb *l2;
  struct nwi_walk_cache *cache[2]; /* by enum nw_cache_id */
  uint32_t cache_latency[2];
  uint32_t tag;          /* ASID and context as TLB entries are compared with them */
  uint16_t context;      /* VMID tag of the TLB entries made and hit now */
  bool watched;          /* no lookup may take the short way */
  bool asked_l2;         /* by the last lookup that took the long way */
  uint8_t switches_used; /* bit s: entries may exist under stage switches s */
  uint64_t generation;   /* counts maintenance */
  uint64_t register_writes;
  struct nw_walk_options options;
  struct nw_walk_cycles cycles;
  uint32_t walkers, walking;
  struct nw_transaction *flight; /* requests in flight, in the order they began */
  struct nw_mmu_statistics statistics;
  struct nw_transaction own; /* nw_mmu_translate()'s */
};

enum nwi_outcome { NWI_TLB_HIT, NWI_TLB_MISS, NWI_TLB_DENIED };

/* The VMID tag of entries made under stage switches `switches`; a VMID has 13 bits at most. */
static inline uint16_t nwi_context_tag(uint16_t vmid, unsigned switches) {
  return (uint16_t)(vmid | switches << 13);
}

static inline unsigned nwi_stage_switches(const struct nw_regime *regime) {
  return (regime->s1_enabled ? 0u : NWI_STAGE1_OFF) | (regime->s2_enabled ? NWI_STAGE2_ON : 0u) |
         (regime->agile ? NWI_AGILE_ON : 0u);
}

/* Without a stage switched on nothing is looked up, counted or kept. */
static inline bool nwi_translation_is_off(const struct nw_regime *regime) {
  return !regime->s1_enabled && !regime->s2_enabled;
}

static inline struct nwi_tlb *nwi_level1(const struct nw_mmu *m, const struct nw_request *request) {
  return m->l1[request->access == NW_EXECUTE];
}

/* Looks through the TLBs as the request's kind demands (debug: untouched, uncounted). `cycles` gets
 * the probes' cost; the result is complete, that cost included, on a hit only. */
enum nwi_outcome nwi_mmu_look_up(struct nw_mmu *m, const struct nw_request *request,
                                 struct nw_result *result, uint32_t *cycles);
/* Begins the transaction's walk with the registers of now. */
void nwi_mmu_start_walk(struct nw_mmu *m, struct nw_transaction *t);
/* Runs it to its next descriptor access or to its end. */
enum nw_step_kind nwi_mmu_run_walk(struct nw_mmu *m, struct nw_transaction *t,
                                   struct nw_step *step);
/* Answers one LOOKUP or FILL step of the walk from the MMU's own cache, for a driver that gives each
 * step its own time; true for a LOOKUP that hit. */
bool nwi_mmu_answer_cache_step(struct nw_mmu *m, struct nw_transaction *t,
                               const struct nw_step *step);
/* Answers a READ or UPDATE step from the caller's memory. */
void nwi_mmu_access_memory(const struct nw_memory *memory, const struct nw_step *step,
                           struct nw_answer *answer);
/* It is done: counts it, installs what it found, and gives the request's result. */
void nwi_mmu_end_walk(struct nw_mmu *m, struct nw_transaction *t, struct nw_result *result);
/* Lays a miss to the page size that its result brought. */
void nwi_mmu_count_miss(struct nw_mmu *m, const struct nw_request *request,
                        const struct nw_result *result);
/* A result may be kept: no maintenance since its request began. */
bool nwi_mmu_may_install(const struct nw_mmu *m, const struct nw_transaction *t);
/* A register has been written: what the architecture has that invalidate. `before` is what it held. */
void nwi_mmu_maintain_after_write(struct nw_mmu *m, unsigned reg, uint64_t value, uint64_t before);
/* Tells `watches` (level-1 data, level-1 instruction, level 2; each may be NULL) of all that is asked
 * of those TLBs from now on. Of repeats of a fetch in nw_mmu_translate_run() that need no lookup,
 * since they find what the one before found, they are not told. Not for requests in flight. */
void nwi_mmu_watch(struct nw_mmu *m, const struct nwi_tlb_watch *const watches[3]);
/* The TLB entry that the walk's success makes. */
struct nwi_tlb_entry nwi_mmu_entry(const struct nw_transaction *t);

#endif
