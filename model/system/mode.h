/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface behind which each paging mode stands: what the guest's privileged operations and
 * the faults of the hardware lead to.
 */
#ifndef NESTWALK_SYSTEM_MODE_H
#define NESTWALK_SYSTEM_MODE_H

#include "system/machine.h"

/* What became of an access whose translation faulted. */
enum nw_fault_outcome {
  NW_OUTCOME_RETRY = 0, /* the hypervisor has mended it: translate again */
  NW_OUTCOME_EMULATED,  /* the hypervisor has done the access itself */
  NW_OUTCOME_GUEST,     /* the guest's own fault, delivered to its kernel */
  NW_OUTCOME_FAILED,    /* the machine's status says why */
};

/* A store of the guest kernel, for the hypervisor to emulate. */
struct nw_store {
  uint64_t value;
  unsigned size; /* 4 or 8 bytes; NW_STORE_FRAME: the kernel goes on to fill the whole frame */
};

#define NW_STORE_FRAME 4096u

struct nw_paging_mode {
  const char *name;
  bool (*start)(struct nw_machine *machine, char *error, size_t error_size);
  void (*stop)(struct nw_machine *machine);

  /* The guest goes from program to kernel and back. `exits` is false where the entry has been
   * paid for by somebody else. */
  void (*enter_kernel)(struct nw_machine *machine, bool exits);
  void (*leave_kernel)(struct nw_machine *machine, bool exits);

  /* The guest kernel writes a register or invalidates TLB entries. */
  void (*write_register)(struct nw_machine *machine, enum nw_register reg, uint64_t value);
  void (*invalidate)(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand);

  /* A translation of `request`, as the guest made it, has faulted with `fault`. `store` is set when
   * it is a store of the guest kernel. */
  enum nw_fault_outcome (*fault)(struct nw_machine *machine, const struct nw_request *request,
                                 const struct nw_fault *fault, const struct nw_store *store);

  /* The regime that the hardware would use for an access of `privilege`; false when none is set up
   * yet. The request's own privilege is replaced by what the hardware sees. */
  bool (*hardware_regime)(struct nw_machine *machine, struct nw_request *request,
                          struct nw_regime *regime);
};

extern const struct nw_paging_mode nw_native_mode;
extern const struct nw_paging_mode nw_nested_mode;
extern const struct nw_paging_mode nw_shadow_mode;

#endif
