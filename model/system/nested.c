/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested paging: the hardware walks the guest's tables through stage 2. The guest writes its
 * tables, its root and ASID registers and invalidates TLB entries without exits (ARM: HCR.FB, TTLB
 * and TVM clear); the hypervisor is entered for stage-2 faults and devices only.
 *
 * Invariant: stage 2 maps a part of what the hypervisor's own map has, and never a device.
 */
#include <stdlib.h>

#include "system/agile.h"
#include "system/architecture.h"
#include "system/ksm.h"
#include "system/nested.h"

struct nested {
  struct nw_page_table stage2;
};

void nw_nested_enable(struct nw_machine *machine) {
  const struct nested *nested = machine->mode_state;
  machine->software->set_stage2(machine, &nested->stage2);
}

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  struct nested *nested = calloc(1, sizeof *nested);
  machine->mode_state = nested;
  if (nested == NULL)
    return nw_machine_error(error, error_size, "out of memory for nested paging");
  if (!nw_hypervisor_create(machine, error, error_size))
    return false;
  const struct nw_regime *regime = nw_mmu_regime(machine->mmu);
  if (!nw_hypervisor_table(machine->hypervisor, regime->s2_format, regime,
                           machine->software->stage2_bits(machine), &nested->stage2))
    return nw_machine_error(error, error_size, "host memory does not hold the stage-2 root");
  nw_nested_enable(machine);
  return true;
}

static void stop(struct nw_machine *machine) {
  free(machine->mode_state);
}

static void cross(struct nw_machine *machine, bool exits) {
  (void)machine;
  (void)exits;
}

static void write_register(struct nw_machine *machine, unsigned reg, uint64_t value) {
  nw_mmu_write_register(machine->mmu, reg, value);
}

static uint64_t read_register(const struct nw_machine *machine, unsigned reg) {
  return nw_mmu_regime(machine->mmu)->reg[reg];
}

static void invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  nw_mmu_invalidate(machine->mmu, operation, operand);
}

/* How large a page stage 2 maps, of a host page of 2^log2 bytes: under agile paging the guest must not
 * write the tables unseen that are followed, and its other pages must not suffer for that. */
static uint8_t leaf_log2(const struct nw_machine *machine, uint64_t ipa, uint8_t log2) {
  const struct nested *nested = machine->mode_state;
  uint64_t start = ipa >> log2 << log2, end = start + (UINT64_C(1) << log2);
  if (machine->mode_kind != NW_MODE_AGILE || log2 == NW_FRAME_LOG2)
    return log2;
  bool whole = nw_page_table_is_free(&nested->stage2, start, log2);
  for (uint64_t at = start; whole && at < end; at += NW_FRAME_BYTES)
    whole = !nw_agile_follows(machine, at);
  return whole ? log2 : NW_FRAME_LOG2;
}

/* Maps the page of `ipa` as the hypervisor's own map has it, in the largest size that has; a page
 * that the host shares gets memory of its own when it is to be written. */
static bool map_stage2(struct nw_machine *machine, uint64_t ipa, bool write) {
  struct nested *nested = machine->mode_state;
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  struct nw_result host;
  if (write && !nw_hypervisor_is_writable(hypervisor, ipa) && !nw_ksm_break(machine, ipa))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  if (!nw_hypervisor_walk_host(hypervisor, ipa, NW_READ, &host))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  uint8_t log2 = leaf_log2(machine, ipa, host.page_log2);
  uint64_t mask = (UINT64_C(1) << log2) - 1;
  struct nwi_leaf leaf = {.output = host.pa & ~mask,
                          .page_log2 = log2,
                          .readable = true,
                          .writable = nw_hypervisor_is_writable(hypervisor, ipa) &&
                                      !nw_agile_follows(machine, ipa),
                          .executable = true};
  return nw_page_table_map(&nested->stage2, ipa & ~mask, &leaf) ||
         nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
}

/* What stage 2 has of the page goes, a block around it with it. */
static void unmap_frame(struct nw_machine *machine, uint64_t ipa) {
  struct nested *nested = machine->mode_state;
  struct nw_pte pte;
  nw_page_table_find(&nested->stage2, ipa, &pte);
  if (pte.meaning.kind != NW_DESCRIPTOR_LEAF)
    return;
  if (!nw_page_table_clear(&nested->stage2, &pte))
    nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  machine->software->forget_stage2(machine);
}

static enum nw_fault_outcome fault(struct nw_machine *machine, const struct nw_request *request,
                                   const struct nw_fault *found, const struct nw_store *store) {
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  (void)request;
  (void)store;
  if (found->stage == 1 && found->type != NW_FAULT_EXTERNAL_ABORT) {
    machine->guest_fault = *found;
    return NW_OUTCOME_GUEST;
  }
  nw_hypervisor_begin(hypervisor);
  if (found->stage == 2 && !found->s1walk && nw_machine_is_mmio(machine, found->ipa)) {
    nw_hypervisor_end(hypervisor, NW_EXIT_MMIO, 0);
    return NW_OUTCOME_EMULATED;
  }
  bool write = found->failing_access == NW_WRITE;
  bool shared = found->type == NW_FAULT_PERMISSION && write;
  if ((found->type != NW_FAULT_TRANSLATION && !shared) ||
      !nw_hypervisor_is_memory(hypervisor, found->ipa)) {
    nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
    return NW_OUTCOME_FAILED;
  }
  bool mapped = map_stage2(machine, found->ipa, write);
  nw_hypervisor_end(hypervisor, NW_EXIT_STAGE2_FAULT, 0);
  return mapped ? NW_OUTCOME_RETRY : NW_OUTCOME_FAILED;
}

static bool hardware_regime(struct nw_machine *machine, struct nw_request *request,
                            struct nw_regime *regime) {
  (void)request;
  *regime = *nw_mmu_regime(machine->mmu);
  return true;
}

const struct nw_paging_mode nw_nested_mode = {
    .name = "nested",
    .start = start,
    .stop = stop,
    .enter_kernel = cross,
    .leave_kernel = cross,
    .write_register = write_register,
    .read_register = read_register,
    .invalidate = invalidate,
    .unmap_frame = unmap_frame,
    .fault = fault,
    .hardware_regime = hardware_regime,
};
