/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bare metal: the guest's tables are the hardware's, guest physical is physical, and there is
 * nobody to exit to. Device addresses are reached directly.
 */
#include "system/internal.h"

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  machine->memory = nw_physical_memory_create(machine->config.guest.memory);
  return machine->memory != NULL ||
         nw_machine_error(error, error_size, "out of memory for the guest's memory");
}

static void stop(struct nw_machine *machine) {
  (void)machine;
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

static enum nw_fault_outcome fault(struct nw_machine *machine, const struct nw_request *request,
                                   const struct nw_fault *found, const struct nw_store *store) {
  (void)request;
  (void)store;
  machine->guest_fault = *found;
  if (found->type != NW_FAULT_EXTERNAL_ABORT)
    return NW_OUTCOME_GUEST;
  nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
  return NW_OUTCOME_FAILED;
}

static bool hardware_regime(struct nw_machine *machine, struct nw_request *request,
                            struct nw_regime *regime) {
  (void)request;
  *regime = *nw_mmu_regime(machine->mmu);
  return true;
}

const struct nw_paging_mode nw_native_mode = {
    .name = "native",
    .start = start,
    .stop = stop,
    .enter_kernel = cross,
    .leave_kernel = cross,
    .write_register = write_register,
    .read_register = read_register,
    .invalidate = invalidate,
    .fault = fault,
    .hardware_regime = hardware_regime,
};
