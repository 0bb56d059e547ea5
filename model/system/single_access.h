/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One access of the running program taken apart: its translations, and what mends each fault in
 * between, one by one. nw_machine_access() does all of it at once.
 */
#ifndef NESTWALK_SYSTEM_SINGLE_ACCESS_H
#define NESTWALK_SYSTEM_SINGLE_ACCESS_H

#include "system/mode.h"

/* What translates the program's accesses. It belongs to the machine. */
struct nw_translator {
  struct nw_mmu *mmu;
  const struct nw_walk_cycles *costs; /* of the walker's own steps */
  struct nw_memory memory;            /* as the walker reads it, through the caches */
  struct nw_memory peek;              /* the same memory, without time or trace */
};

/** To be asked for before an access: whatever the hypervisor has to do first is done. */
struct nw_translator nw_machine_translator(struct nw_machine *machine);

/** Does what follows from the fault of a translation of `request`: the hypervisor mends it, or
 * makes the access itself, or the guest's kernel gets it. NW_OUTCOME_FAILED: see `status`. */
enum nw_fault_outcome nw_machine_mend(struct nw_machine *machine, const struct nw_request *request,
                                      const struct nw_fault *fault, enum nw_machine_status *status);

#endif
