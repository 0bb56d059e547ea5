/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB maintenance, DDI 0406C B3.10 and B4.2.2; SDM vol. 3, 4.10.4 and 29.4; APM vol. 2, 15.16: each
 * operation as data, what it matches and where it reaches. Nothing is ever kept longer than the
 * architecture allows; a walk-cache entry may go earlier, since it is matched by address under
 * every ASID (a table may serve global pages), and so may what one EPT paged of what another did
 * not.
 */
#include "core/mmu.h"

enum { DATA_SIDE = 1, INSTRUCTION_SIDE = 2, BOTH_SIDES = 3 };

/* Which entries of the walk cache an operation by address drops. */
enum tables {
  TABLES_ABOVE = 0, /* those that lead to the address, under every ASID */
  TABLES_OF_ASID,   /* all of the ASID, whatever the address (SDM vol. 3, 4.10.4.1) */
};

static const struct operation {
  uint8_t sides; /* 0: no operation */
  bool by_va, by_asid, by_vmid;
  bool spares_globals; /* with `by_va` or without `by_asid`, global entries go unless this is set */
  bool drops_stage2;   /* reaches the IPA cache */
  bool is_tlb_control; /* on AMD the hypervisor's flush of an ASID: reaches the IPA cache, too */
  bool names_vm;       /* the operand's VMID, else the current one */
  bool of_current_asid;
  bool whole_page; /* by address: all entries of a page that is larger in stage 1 than in stage 2 */
  uint8_t tables;  /* enum tables */
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
    /* Guest-physical mappings outlive what a guest may do, and INVVPID (29.4.3.1). */
    /* A large page may be in a TLB as several smaller ones: all go (4.10.2.3, 4.10.4.1). */
    [NW_INVLPG] = {BOTH_SIDES, .by_va = true, .by_asid = true, .by_vmid = true,
                   .of_current_asid = true, .whole_page = true, .tables = TABLES_OF_ASID},
    [NW_INVPCID_ADDRESS] = {BOTH_SIDES, .by_va = true, .by_asid = true, .by_vmid = true,
                            .spares_globals = true, .whole_page = true, .tables = TABLES_OF_ASID},
    [NW_INVPCID_CONTEXT] = {BOTH_SIDES, .by_asid = true, .by_vmid = true},
    [NW_INVPCID_ALL] = {BOTH_SIDES, .by_vmid = true},
    [NW_INVPCID_NON_GLOBAL] = {BOTH_SIDES, .by_vmid = true, .spares_globals = true},
    [NW_INVVPID_ADDRESS] = {BOTH_SIDES, .by_va = true, .by_vmid = true, .names_vm = true,
                            .whole_page = true},
    [NW_INVVPID_CONTEXT] = {BOTH_SIDES, .by_vmid = true, .is_tlb_control = true, .names_vm = true},
    [NW_INVVPID_ALL] = {BOTH_SIDES},
    [NW_INVVPID_NON_GLOBAL] = {BOTH_SIDES, .by_vmid = true, .spares_globals = true,
                               .is_tlb_control = true, .names_vm = true},
    [NW_INVEPT] = {BOTH_SIDES, .drops_stage2 = true},
    [NW_FLUSH_ALL_ASIDS] = {BOTH_SIDES, .drops_stage2 = true},
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

/* Of what an operation drops from the TLBs, what it drops from the walk cache. */
static struct nwi_tlb_match match_of_tables(const struct operation *op,
                                            const struct nwi_tlb_match *match) {
  struct nwi_tlb_match tables = *match;

  tables.by_va = op->by_va && op->tables == TABLES_ABOVE;
  tables.by_asid = op->by_asid && !tables.by_va;
  tables.spare_globals = false;
  return tables;
}

/* Everything but the IPA cache, of the VMID tag that `match` names. */
static void invalidate_context(struct nw_mmu *m, const struct operation *op,
                               const struct nwi_tlb_match *match) {
  struct nwi_tlb_match tables = match_of_tables(op, match);

  if (op->sides & DATA_SIDE) {
    invalidate_tlb(m->l1[0], match);
  }
  if (op->sides & INSTRUCTION_SIDE) {
    invalidate_tlb(m->l1[1], match);
  }
  invalidate_tlb(m->l2, match);
  invalidate_cache(m->cache[NW_WALK_CACHE], &tables);
}

/* AMD has no INVEPT: a hypervisor that has changed nested tables flushes the ASID, all that their
 * translations are tagged with (APM vol. 2, 15.16.1). */
static bool reaches_stage2(const struct operation *op, const struct nw_regime *regime) {
  return op->drops_stage2 || (op->is_tlb_control && regime->kind == NW_REGIME_X86_SVM_NPT);
}

/* The IPA cache, whose entries know of no VA, ASID or global page. */
static void invalidate_stage2(struct nw_mmu *m, const struct operation *op, uint16_t vmid) {
  struct nwi_tlb_match match = {.vmid = vmid, .by_vmid = op->by_vmid};

  invalidate_cache(m->cache[NW_IPA_CACHE], &match);
}

/* An operation of the other architecture is none. */
static bool exists(const struct nw_regime *regime, enum nw_tlbi operation) {
  enum nw_architecture architecture = operation < NW_ARMV7_TLBIS ? NW_ARMV7 : NW_X86_64;

  return (unsigned)operation < NW_TLBIS && architecture == regime->architecture;
}

/* The VMID tag carries the stage switches that an entry was made under: all of them go. */
void nw_mmu_invalidate_of(struct nw_mmu *m, enum nw_tlbi operation,
                          const struct nw_tlbi_operand *operand) {
  if (!exists(&m->regime, operation) || operations[operation].sides == 0) {
    return;
  }
  const struct operation *op = &operations[operation];
  uint16_t vmid = op->names_vm ? operand->vmid : m->regime.vmid;
  struct nwi_tlb_match match = {
      .va = operand->va & ~0xfffull,
      .asid = op->of_current_asid ? m->regime.asid : operand->asid,
      .vmid = vmid,
      .by_va = op->by_va,
      .by_asid = op->by_asid,
      .globals = op->by_va && !op->spares_globals,
      .spare_globals = op->spares_globals && !op->by_asid,
      .by_vmid = op->by_vmid,
      .whole_s1_page = op->whole_page,
  };

  m->generation++;
  if (reaches_stage2(op, &m->regime)) {
    invalidate_stage2(m, op, vmid);
  }
  for (unsigned switches = 0; switches < NWI_STAGE_SWITCHES; switches++) {
    if (m->switches_used & (1u << switches)) {
      match.vmid = nwi_context_tag(vmid, switches);
      invalidate_context(m, op, &match);
    }
  }
}

void nw_mmu_invalidate(struct nw_mmu *m, enum nw_tlbi operation, uint64_t operand) {
  uint16_t asid_mask = m->regime.architecture == NW_ARMV7 ? 0xff : 0xfff;
  struct nw_tlbi_operand unpacked = {
      .va = operand,
      .asid = (uint16_t)(operand & asid_mask),
      .vmid = m->regime.vmid,
  };

  nw_mmu_invalidate_of(m, operation, &unpacked);
}
