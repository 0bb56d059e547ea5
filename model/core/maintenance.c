/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB maintenance, DDI 0406C B3.10 and B4.2.2: each operation as data, what it matches and where it
 * reaches. Nothing is ever kept longer than the architecture allows; a walk-cache entry may go
 * earlier, since it is matched by address under every ASID (a table may serve global pages).
 */
#include "core/mmu.h"

enum { DATA_SIDE = 1, INSTRUCTION_SIDE = 2, BOTH_SIDES = 3 };

static const struct operation {
  uint8_t sides; /* 0: no operation */
  bool by_va, by_asid, by_vmid;
  bool drops_stage2; /* reaches the IPA cache */
} operations[NW_TLBIS] = {
    [NW_TLBI_ALL] = {BOTH_SIDES, .by_vmid = true, .drops_stage2 = true},
    [NW_TLBI_MVA] = {BOTH_SIDES, .by_va = true, .by_asid = true, .by_vmid = true},
    [NW_TLBI_ASID] = {BOTH_SIDES, .by_asid = true, .by_vmid = true},
    [NW_TLBI_MVAA] = {BOTH_SIDES, .by_va = true, .by_vmid = true},
    [NW_ITLBI_ALL] = {INSTRUCTION_SIDE, .by_vmid = true, .drops_stage2 = true},
    [NW_ITLBI_MVA] = {INSTRUCTION_SIDE, .by_va = true, .by_asid = true, .by_vmid = true},
    [NW_ITLBI_ASID] = {INSTRUCTION_SIDE, .by_asid = true, .by_vmid = true},
    [NW_DTLBI_ALL] = {DATA_SIDE, .by_vmid = true, .drops_stage2 = true},
    [NW_DTLBI_MVA] = {DATA_SIDE, .by_va = true, .by_asid = true, .by_vmid = true},
    [NW_DTLBI_ASID] = {DATA_SIDE, .by_asid = true, .by_vmid = true},
    [NW_TLBI_ALLNSNH] = {BOTH_SIDES, .drops_stage2 = true},
    [NW_TLBI_ALLH] = {0},
    [NW_TLBI_MVAH] = {0},
};

static void invalidate_tlb(struct nwi_tlb *tlb, const struct nwi_tlb_match *match) {
  if (tlb != NULL) {
    nwi_tlb_invalidate(tlb, match);
  }
}

static void invalidate_cache(struct nwi_walk_cache *cache, const struct nwi_tlb_match *match) {
  if (cache != NULL) {
    nwi_walk_cache_invalidate(cache, match);
  }
}

/* Everything but the IPA cache, of the VMID tag that `match` names. */
static void invalidate_context(struct nw_mmu *m, const struct operation *op,
                               const struct nwi_tlb_match *match) {
  struct nwi_tlb_match table = *match;

  if (op->sides & DATA_SIDE) {
    invalidate_tlb(m->l1[0], match);
  }
  if (op->sides & INSTRUCTION_SIDE) {
    invalidate_tlb(m->l1[1], match);
  }
  invalidate_tlb(m->l2, match);
  table.by_asid = op->by_asid && !op->by_va;
  invalidate_cache(m->cache[NW_WALK_CACHE], &table);
}

/* The VMID tag carries the stage switches that an entry was made under: all of them go. */
void nw_mmu_invalidate(struct nw_mmu *m, enum nw_tlbi operation, uint64_t operand) {
  if ((unsigned)operation >= NW_TLBIS || operations[operation].sides == 0) {
    return;
  }
  const struct operation *op = &operations[operation];
  struct nwi_tlb_match match = {
      .va = operand & ~0xfffull,
      .asid = operand & 0xffu,
      .vmid = m->regime.vmid,
      .by_va = op->by_va,
      .by_asid = op->by_asid,
      .globals = op->by_va,
      .by_vmid = op->by_vmid,
  };

  m->generation++;
  if (op->drops_stage2) {
    invalidate_cache(m->cache[NW_IPA_CACHE], &match);
  }
  for (unsigned switches = 0; switches < NWI_STAGE_SWITCHES; switches++) {
    if (m->switches_used & (1u << switches)) {
      match.vmid = nwi_context_tag(m->regime.vmid, switches);
      invalidate_context(m, op, &match);
    }
  }
}
