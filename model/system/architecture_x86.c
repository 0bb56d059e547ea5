/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64, as Linux uses it (arch/x86/mm/tlb.c): a few PCIDs, given out in turn, under which the
 * address spaces that ran last keep their TLB entries over a switch. What changes in a space that is
 * not loaded is not invalidated: the next load of it does that.
 *
 * Invariants: a PCID is in use by one address space at most; 0 is the kernel's own root's.
 */
#include "system/architecture.h"

#define CR0_PE (1ull << 0)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR3_KEEP (1ull << 63) /* with CR4.PCIDE: invalidates nothing */
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define CR4_LA57 (1ull << 12)
#define CR4_PCIDE (1ull << 17)
#define EFER_LONG_MODE (1ull << 8 | 1ull << 10) /* LME, LMA */
#define EFER_NXE (1ull << 11)
#define EPTP_WRITE_BACK 6u
#define EPTP_LEVELS_SHIFT 3
#define EPTP_AD (1ull << 6)
#define VPID 1

/* -- the guest kernel ----------------------------------------------------------------------- */

static void prepare(struct nw_machine *machine) {
  const struct nw_machine_config *config = &machine->config;
  uint64_t cr4 = CR4_PAE | CR4_PGE | (config->format == NW_GUEST_5_LEVEL ? CR4_LA57 : 0) |
                 (config->guest.pcids > 0 ? CR4_PCIDE : 0);
  nw_machine_write_register(machine, NW_X86_CR4, cr4);
  nw_machine_write_register(machine, NW_X86_EFER, EFER_LONG_MODE | EFER_NXE);
}

static void enable(struct nw_machine *machine) {
  nw_machine_write_register(machine, NW_X86_CR0, CR0_PG | CR0_WP | CR0_PE);
}

/* choose_new_asid(): the PCID that the space still has, or the next in turn, whose entries go. */
static void choose_pcid(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  if (kernel->pcid[space->asid] == space)
    return;
  space->asid = kernel->next_asid;
  kernel->next_asid = kernel->next_asid % kernel->machine->config.guest.pcids + 1;
  space->stale = true;
  kernel->pcid[space->asid] = space;
}

static void load_space(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  struct nw_machine *machine = kernel->machine;
  bool pcids = machine->config.guest.pcids > 0;
  uint64_t root = space == NULL ? kernel->own.root : space->table.root;
  if (space != NULL && pcids)
    choose_pcid(kernel, space);
  /* What the kernel's own root maps is global, and never changes. */
  uint64_t keep = pcids && (space == NULL || !space->stale) ? CR3_KEEP : 0;
  nw_machine_write_register(machine, NW_X86_CR3, root | (space == NULL ? 0 : space->asid) | keep);
  if (space != NULL)
    space->stale = false;
}

static void flush(struct nw_guest_kernel *kernel, struct nw_address_space *space, uint64_t start,
                  uint64_t end) {
  /* tlb_single_page_flush_ceiling: beyond it, everything of the address space is cheaper. */
  const uint64_t many = 33 * NW_FRAME_BYTES;
  if (kernel->loaded != space) {
    space->stale = true;
    return;
  }
  if (end - start > many) {
    nw_machine_write_register(kernel->machine, NW_X86_CR3, space->table.root | space->asid);
    return;
  }
  for (uint64_t va = start; va < end; va += NW_FRAME_BYTES)
    nw_machine_invalidate(kernel->machine, NW_INVLPG, va);
}

/* Whoever gets its PCID begins without entries. */
static void forget_space(struct nw_guest_kernel *kernel, const struct nw_address_space *space) {
  if (kernel->pcid[space->asid] == space)
    kernel->pcid[space->asid] = NULL;
}

/* -- the hypervisor ------------------------------------------------------------------------- */

static void prepare_host(struct nw_regime *regime, uint64_t root) {
  nw_regime_write(regime, NW_X86_CR4, CR4_PAE | CR4_PGE);
  nw_regime_write(regime, NW_X86_EFER, EFER_LONG_MODE | EFER_NXE);
  nw_regime_write(regime, NW_X86_CR3, root);
  nw_regime_write(regime, NW_X86_CR0, CR0_PG | CR0_WP | CR0_PE);
}

static bool has_asids(const struct nw_machine *machine) {
  return machine->config.guest.pcids > 0;
}

static void load_root(struct nw_machine *machine, uint64_t root, uint64_t asid) {
  bool pcids = (nw_mmu_regime(machine->mmu)->reg[NW_X86_CR4] & CR4_PCIDE) != 0;
  nw_mmu_write_register(machine->mmu, NW_X86_CR3, root | (pcids ? asid | CR3_KEEP : 0));
}

static bool write_flushes(const struct nw_machine *machine, unsigned reg, uint64_t value) {
  bool keeps = (machine->guest_regime.reg[NW_X86_CR4] & CR4_PCIDE) != 0 && (value & CR3_KEEP) != 0;
  return reg == NW_X86_CR3 && !keeps;
}

/* The guest keeps its privileges, so that its own controls judge shadow entries, too; but what is
 * read-only is so for the supervisor in any case, or tables could not be write-protected. */
static void load_shadow(struct nw_machine *machine) {
  const uint64_t *guest = machine->guest_regime.reg;
  uint64_t pcide = has_asids(machine) ? CR4_PCIDE : 0;
  nw_mmu_write_register(machine->mmu, NW_X86_CR4,
                        (guest[NW_X86_CR4] & ~CR4_PCIDE) | CR4_PAE | CR4_PGE | pcide);
  nw_mmu_write_register(machine->mmu, NW_X86_EFER, EFER_LONG_MODE | EFER_NXE);
  nw_mmu_write_register(machine->mmu, NW_X86_PKRU, guest[NW_X86_PKRU]);
  nw_mmu_write_register(machine->mmu, NW_X86_AC, guest[NW_X86_AC]);
  nw_mmu_write_register(machine->mmu, NW_X86_CR0, CR0_PG | CR0_WP | CR0_PE);
}

static bool fits_agile(const struct nw_machine *machine) {
  return machine->guest_regime.write_protect;
}

static uint8_t stage2_bits(const struct nw_machine *machine) {
  return machine->config.hypervisor.stage2_levels == 5 ? 57 : 48;
}

static void set_stage2(struct nw_machine *machine, const struct nw_page_table *stage2) {
  const struct nw_hypervisor_config *config = &machine->config.hypervisor;
  struct nw_mmu *mmu = machine->mmu;
  uint64_t levels = config->stage2_levels == 5 ? 5 : 4;
  if (config->stage2 == NW_STAGE2_EPT) {
    uint64_t eptp = stage2 == NULL
                        ? 0
                        : stage2->root | EPTP_WRITE_BACK | (levels - 1) << EPTP_LEVELS_SHIFT |
                              (config->ept_flags ? EPTP_AD : 0);
    nw_mmu_write_register(mmu, NW_X86_NESTED_ROOT, eptp);
  } else {
    nw_mmu_write_register(mmu, NW_X86_HOST_CR4, levels == 5 ? CR4_LA57 : 0);
    nw_mmu_write_register(mmu, NW_X86_NESTED_ROOT, stage2 == NULL ? 0 : stage2->root);
    nw_mmu_set_nested_paging(mmu, stage2 != NULL);
  }
  nw_mmu_write_register(mmu, NW_X86_VPID, VPID);
}

/* APM vol. 2, 15.16.1: TLB_CONTROL at the next entry; SDM vol. 3, 29.4.3.1: INVEPT. */
static void forget_stage2(struct nw_machine *machine) {
  bool ept = machine->config.hypervisor.stage2 == NW_STAGE2_EPT;
  nw_mmu_invalidate(machine->mmu, ept ? NW_INVEPT : NW_FLUSH_ALL_ASIDS, 0);
}

/* CR4 goes before CR3, whose PCID it lets be one. */
static const uint8_t registers[] = {
    NW_X86_CR4, NW_X86_EFER, NW_X86_CR3, NW_X86_PKRU, NW_X86_AC, NW_X86_PAT, NW_X86_CR0,
};

const struct nw_software_architecture nw_software_x86_64 = {
    .maintenance = {.page = NW_INVPCID_ADDRESS,
                    .address = NW_INVVPID_ADDRESS,
                    .asid = NW_INVPCID_CONTEXT,
                    .guest = NW_INVVPID_CONTEXT,
                    .everything = NW_FLUSH_ALL_ASIDS},
    .asid_mask = 0xfff,
    .root_register = NW_X86_CR3,
    .root_registers = 1u << NW_X86_CR3,
    .registers = registers,
    .registers_count = sizeof registers,
    .instruction_bytes = 4, /* on average, or so; they have 1 to 15 */
    .hardware_flags = true,
    .host_kind = NW_REGIME_X86_64,
    .host_bits = 48,
    .slot_base = UINT64_C(0x0000700000000000),
    .slot_bytes = UINT64_C(1) << 36,
    .host_bytes = UINT64_C(1) << 38,
    .prepare = prepare,
    .enable = enable,
    .load_space = load_space,
    .flush = flush,
    .forget_space = forget_space,
    .prepare_host = prepare_host,
    .has_asids = has_asids,
    .load_root = load_root,
    .write_flushes = write_flushes,
    .load_shadow = load_shadow,
    .fits_agile = fits_agile,
    .stage2_bits = stage2_bits,
    .set_stage2 = set_stage2,
    .forget_stage2 = forget_stage2,
};
