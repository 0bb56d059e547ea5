/* SPDX-License-Identifier: Apache-2.0 */
#include "core/observe.h"

#include "core/mmu.h"
#include "core/rights.h"
#include "core/tlb_hit.h"

/* What a walk has cost up to now, without its end, which is nobody's step. */
static uint32_t cost(const struct nw_walk *walk, const struct nw_step *now) {
  uint32_t cycles = nw_walk_result(walk)->cycles;

  return now->kind == NW_STEP_DONE ? cycles - walk->options.cycles->done : cycles;
}

/* `m` is NULL for a walk that is nobody's: it has no caches. */
static void answer(struct nw_mmu *m, struct nw_walk *walk, const struct nw_memory *memory,
                   const struct nw_step *step, struct nw_answer *given) {
  *given = (struct nw_answer){0};
  if (step->kind == NW_STEP_READ || step->kind == NW_STEP_UPDATE) {
    nwi_mmu_access_memory(memory, step, given);
    nw_walk_answer(walk, given);
  } else if (m != NULL) {
    given->hit = nwi_mmu_answer_cache_step(m, &m->own, step);
  } else {
    nw_walk_answer(walk, given);
  }
}

static void observe(struct nw_mmu *m, struct nw_walk *walk, const struct nw_memory *memory,
                    const struct nwi_observer *observer) {
  struct nw_step step = {0}, next = {0};
  struct nw_answer given;

  nw_walk_next(walk, &next);
  while (next.kind != NW_STEP_DONE) {
    uint32_t before = cost(walk, &next);
    step = next;
    answer(m, walk, memory, &step, &given);
    next = (struct nw_step){0};
    nw_walk_next(walk, &next);
    observer->step(observer->context, &step, &given, cost(walk, &next) - before);
  }
}

void nwi_walk_observe(struct nw_walk *walk, const struct nw_memory *memory,
                      const struct nwi_observer *observer) {
  observe(NULL, walk, memory, observer);
}

/* Looks without touching, before the lookup that counts. True when no level below is asked. */
static bool tell_probe(const struct nw_mmu *m, const struct nwi_tlb *tlb, enum nw_source level,
                       const struct nw_request *request, const struct nwi_observer *observer) {
  unsigned probes = 0;

  if (tlb == NULL) {
    return false;
  }
  const struct nwi_tlb_entry *entry =
      nwi_tlb_peek(tlb, request->va, m->regime.asid, m->context, &probes);
  struct nwi_probe told = {
      .level = (uint8_t)level,
      .instruction = request->access == NW_EXECUTE,
      .found = entry != NULL,
      .denied = entry != NULL &&
                !nwi_rights_permit(&m->regime, entry->rights, (enum nw_access)request->access,
                                   (enum nw_privilege)request->privilege),
      .cycles = probes * tlb->latency,
  };
  observer->probe(observer->context, &told);
  return told.found;
}

bool nwi_mmu_observe(struct nw_mmu *m, const struct nw_request *request,
                     const struct nw_memory *memory, const struct nwi_observer *observer,
                     struct nw_result *result) {
  struct nw_transaction *t = &m->own;

  if (!nwi_translation_is_off(&m->regime) &&
      !tell_probe(m, nwi_level1(m, request), NW_FROM_L1, request, observer)) {
    tell_probe(m, m->l2, NW_FROM_L2, request, observer);
  }
  enum nwi_outcome outcome = nwi_mmu_look_up(m, request, result, &t->lookup_cycles);
  if (outcome == NWI_TLB_HIT) {
    return true;
  }
  t->request = *request;
  t->missed = outcome == NWI_TLB_MISS;
  nwi_mmu_start_walk(m, t);
  observe(m, &t->walk, memory, observer);
  nwi_mmu_end_walk(m, t, result);
  return result->fault.type == NW_FAULT_NONE;
}
