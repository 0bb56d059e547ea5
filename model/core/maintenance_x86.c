/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What writes of x86 control registers and page faults invalidate by themselves: SDM vol. 3,
 * 4.10.4.1.
 */
#include "core/mmu.h"

enum change { ANY, SET, CLEARED };

/* Of a register: the change of a bit that invalidates, and like which instruction. */
static const struct rule {
  uint8_t reg;    /* enum nw_x86_register */
  uint8_t change; /* enum change */
  uint64_t bits;
  enum nw_tlbi operation;
} rules[] = {
    {NW_X86_CR0, CLEARED, 1ull << 31, NW_INVPCID_ALL}, /* PG */
    {NW_X86_CR4, ANY, 1ull << 7, NW_INVPCID_ALL},      /* PGE */
    {NW_X86_CR4, CLEARED, 1ull << 17, NW_INVPCID_ALL}, /* PCIDE */
    {NW_X86_CR4, SET, 1ull << 20, NW_INVPCID_CONTEXT}, /* SMEP, of the current PCID */
    {NW_X86_CR4, ANY, 1ull << 12, NW_INVPCID_ALL},     /* LA57: only with paging off in between */
    /* An EPTP's mappings are its own (29.4.2). Tags tell virtual machines apart, not EPTPs. */
    {NW_X86_NESTED_ROOT, ANY, ~0ull, NW_INVEPT},
};

#define CR3_KEEP (1ull << 63)
#define CR4_PCIDE (1ull << 17)

static bool applies(const struct rule *rule, const struct nw_regime *regime, uint64_t value,
                    uint64_t before) {
  uint64_t set = value & ~before & rule->bits, cleared = before & ~value & rule->bits;

  if (rule->reg == NW_X86_NESTED_ROOT && regime->kind != NW_REGIME_X86_EPT) {
    return false; /* AMD: nothing goes before the hypervisor says so (APM vol. 2, 15.16) */
  }
  return (rule->change != CLEARED && set) || (rule->change != SET && cleared);
}

static void invalidate(struct nw_mmu *m, enum nw_tlbi operation) {
  nw_mmu_invalidate_of(m, operation, &(struct nw_tlbi_operand){.asid = m->regime.asid});
}

void nwi_mmu_maintain_after_write(struct nw_mmu *m, unsigned reg, uint64_t value, uint64_t before) {
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (rules[i].reg == reg && applies(&rules[i], &m->regime, value, before)) {
      invalidate(m, rules[i].operation);
    }
  }
  if (reg == NW_X86_CR3 && !(m->regime.reg[NW_X86_CR4] & CR4_PCIDE && value & CR3_KEEP)) {
    invalidate(m, NW_INVPCID_CONTEXT);
  }
}

/* A page fault takes what is held of its address under the PCID, so that it does not come again
 * where memory no longer says so: rights may be given without an invalidation (4.10.4.3). TLBs need
 * it not, since a hit that is denied is walked again; the limits in a walk cache do. */
void nwi_mmu_maintain_after_fault(struct nw_mmu *m, const struct nw_transaction *t) {
  const struct nw_regime *regime = t->walk.regime;
  const struct nwi_tlb_match match = {
      .va = t->request.va,
      .asid = regime->asid,
      .vmid = nwi_context_tag(regime->vmid, nwi_stage_switches(regime)),
      .by_va = true,
      .by_asid = true,
      .by_vmid = true,
  };

  if (regime->architecture == NW_X86_64 && m->cache[NW_WALK_CACHE] != NULL) {
    nwi_walk_cache_invalidate(m->cache[NW_WALK_CACHE], &match);
  }
}
