/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARMv7-A: the kernel runs under TTBR0 alone, with short or long descriptors, and gives out 255 ASIDs
 * by generations, as Linux does.
 *
 * Invariant: an ASID is in use by one address space of its generation at most.
 */
#include "system/architecture.h"

#define DACR_CLIENTS 0x5u /* domains 0 (kernel) and 1 (programs) are clients */
#define DACR_CLIENT 0x1u  /* shadow tables use domain 0; the guest's DACR goes into the leaves */
#define SCTLR_M (1u << 0)
#define SCTLR_C (1u << 2)
#define SCTLR_I (1u << 12)
#define TTBCR_EAE (1u << 31)
#define HCR_VM (1u << 0)
#define VTCR_SL0_LEVEL1 (1u << 6)
#define VTCR_T0SZ_SIGN (1u << 4) /* the S bit has to equal T0SZ[3] */
#define IPA_BITS_LEAST 32        /* all that a 32-bit guest physical address can name */
#define IPA_BITS_MOST 40
#define ASIDS 256u
#define ASID_SHIFT 48
#define VMID UINT64_C(1)

static bool is_short(const struct nw_machine *machine) {
  return machine->config.format == NW_GUEST_SHORT;
}

/* -- the guest kernel ----------------------------------------------------------------------- */

static void prepare(struct nw_machine *machine) {
  if (!is_short(machine))
    nw_machine_write_register(machine, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_machine_write_register(machine, NW_REG_DACR, DACR_CLIENTS);
}

static void enable(struct nw_machine *machine) {
  nw_machine_write_register(machine, NW_REG_SCTLR, SCTLR_M | SCTLR_C | SCTLR_I);
}

/* A new ASID; when they are used up, a new generation begins with an empty TLB. */
static void renew_asid(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  if (kernel->next_asid == ASIDS) {
    kernel->next_asid = 1;
    kernel->asid_generation++;
    nw_machine_invalidate(kernel->machine, NW_TLBI_ALL, 0);
  }
  space->asid = kernel->next_asid++;
  space->asid_generation = kernel->asid_generation;
}

static bool asid_is_valid(const struct nw_guest_kernel *kernel,
                          const struct nw_address_space *space) {
  return space->asid_generation == kernel->asid_generation;
}

/* The kernel's own root is under ASID 0. */
static void load_space(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  struct nw_machine *machine = kernel->machine;
  if (space != NULL && !asid_is_valid(kernel, space))
    renew_asid(kernel, space);
  uint64_t asid = space == NULL ? 0 : space->asid;
  uint64_t root = space == NULL ? kernel->own.root : space->table.root;
  if (is_short(machine)) {
    nw_machine_write_register(machine, NW_REG_CONTEXTIDR, asid);
    nw_machine_write_register(machine, NW_REG_TTBR0, root);
  } else {
    nw_machine_write_register(machine, NW_REG_TTBR0, root | asid << ASID_SHIFT);
  }
}

static void flush(struct nw_guest_kernel *kernel, struct nw_address_space *space, uint64_t start,
                  uint64_t end) {
  /* Beyond this many pages one invalidation by ASID is cheaper than one for each page. */
  const uint64_t many = 32 * NW_FRAME_BYTES;
  if (!asid_is_valid(kernel, space))
    return;
  if (end - start > many) {
    nw_machine_invalidate(kernel->machine, NW_TLBI_ASID, space->asid);
    return;
  }
  for (uint64_t va = start; va < end; va += NW_FRAME_BYTES)
    nw_machine_invalidate(kernel->machine, NW_TLBI_MVA, va | space->asid);
}

/* Its ASID is not used again in its generation. */
static void forget_space(struct nw_guest_kernel *kernel, const struct nw_address_space *space) {
  (void)kernel;
  (void)space;
}

/* -- the hypervisor ------------------------------------------------------------------------- */

static void prepare_host(struct nw_regime *regime, uint64_t root) {
  nw_regime_write(regime, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_regime_write(regime, NW_REG_TTBR0, root);
  nw_regime_write(regime, NW_REG_SCTLR, SCTLR_M);
}

static bool has_asids(const struct nw_machine *machine) {
  (void)machine;
  return true;
}

static void load_root(struct nw_machine *machine, uint64_t root, uint64_t asid) {
  if (is_short(machine)) {
    nw_mmu_write_register(machine->mmu, NW_REG_CONTEXTIDR, asid);
    nw_mmu_write_register(machine->mmu, NW_REG_TTBR0, root);
  } else {
    nw_mmu_write_register(machine->mmu, NW_REG_TTBR0, root | asid << ASID_SHIFT);
  }
}

static bool write_flushes(const struct nw_machine *machine, unsigned reg, uint64_t value) {
  (void)machine;
  (void)reg;
  (void)value;
  return false;
}

static void load_shadow(struct nw_machine *machine) {
  bool with_mair = !is_short(machine);
  nw_mmu_write_register(machine->mmu, NW_REG_PRRR_MAIR0, with_mair ? NWI_ENCODER_MAIR0 : 0);
  nw_mmu_write_register(machine->mmu, NW_REG_NMRR_MAIR1, 0);
  nw_mmu_write_register(machine->mmu, NW_REG_TTBCR, is_short(machine) ? 0 : TTBCR_EAE);
  nw_mmu_write_register(machine->mmu, NW_REG_DACR, DACR_CLIENT);
  nw_mmu_write_register(machine->mmu, NW_REG_SCTLR, SCTLR_M | SCTLR_C | SCTLR_I);
}

/* One root is followed, and it is not to be read with the bytes or the types exchanged. */
static bool fits_agile(const struct nw_machine *machine) {
  const struct nw_regime *guest = &machine->guest_regime;
  uint64_t reset = is_short(machine) ? 0 : TTBCR_EAE;
  return !guest->big_endian && !guest->remap && guest->reg[NW_REG_TTBCR] == reset;
}

/* Smallest width that names the guest's memory and devices. */
static uint8_t stage2_bits(const struct nw_machine *machine) {
  const struct nw_hypervisor_config *config = &machine->config.hypervisor;
  uint8_t bits = IPA_BITS_LEAST;
  for (uint32_t i = 0; i < config->mmio_ranges; i++) {
    const struct nw_mmio_range *range = &config->mmio[i];
    while (bits < IPA_BITS_MOST && (range->base + range->size - 1) >> bits != 0)
      bits++;
  }
  return bits;
}

static void set_stage2(struct nw_machine *machine, const struct nw_page_table *stage2) {
  if (stage2 == NULL) {
    nw_mmu_write_register(machine->mmu, NW_REG_HCR, 0);
    return;
  }
  uint32_t size = (32u - stage2->input_bits) & 0xfu;
  nw_mmu_write_register(machine->mmu, NW_REG_VTCR,
                        size | ((size & 8u) != 0 ? VTCR_T0SZ_SIGN : 0u) | VTCR_SL0_LEVEL1);
  nw_mmu_write_register(machine->mmu, NW_REG_VTTBR, stage2->root | VMID << 48);
  nw_mmu_write_register(machine->mmu, NW_REG_HCR, HCR_VM);
}

/* ARMv7 cannot invalidate by IPA: all of the VMID goes (DDI 0406C B3.10.6). */
static void forget_stage2(struct nw_machine *machine) {
  nw_mmu_invalidate(machine->mmu, NW_TLBI_ALL, 0);
}

static const uint8_t registers[] = {
    NW_REG_TTBCR,      NW_REG_TTBR0,      NW_REG_TTBR1,      NW_REG_DACR,
    NW_REG_PRRR_MAIR0, NW_REG_NMRR_MAIR1, NW_REG_CONTEXTIDR, NW_REG_SCTLR,
};

const struct nw_software_architecture nw_software_armv7 = {
    .maintenance = {.page = NW_TLBI_MVA,
                    .address = NW_TLBI_MVAA,
                    .asid = NW_TLBI_ASID,
                    .guest = NW_TLBI_ALL,
                    .everything = NW_TLBI_ALLNSNH},
    .asid_mask = 0xff,
    .root_register = NW_REG_TTBR0,
    .root_registers = 1u << NW_REG_TTBR0 | 1u << NW_REG_CONTEXTIDR,
    .registers = registers,
    .registers_count = sizeof registers,
    .instruction_bytes = 4, /* ARM, not Thumb */
    .host_kind = NW_REGIME_ARMV7_LPAE,
    .host_bits = 32,
    .slot_base = UINT64_C(0x40000000),
    .slot_bytes = UINT64_C(0xc0000000),
    .host_bytes = UINT64_C(1) << 32, /* what the 32-bit outputs of short descriptors reach */
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
