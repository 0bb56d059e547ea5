/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface behind which each paging mode stands: what the guest's privileged operations and
 * the faults of the hardware lead to.
 */
#ifndef NESTWALK_SYSTEM_MODE_H
#define NESTWALK_SYSTEM_MODE_H

#include "system/machine.h"
#include "system/paravirtual.h"

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

  /* The guest kernel writes or reads a register, or invalidates TLB entries. */
  void (*write_register)(struct nw_machine *machine, unsigned reg, uint64_t value);
  uint64_t (*read_register)(const struct nw_machine *machine, unsigned reg);
  void (*invalidate)(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand);

  /* The guest kernel tells of what it has stored to its tables; NULL where nobody listens. */
  void (*hypercall)(struct nw_machine *machine, const struct nw_announcement *announced,
                    unsigned count);

  /* The hypervisor's mapping of the guest frame of `ipa` has changed, or its rights have: whatever
   * the mode has made from the old one goes. NULL where there is no hypervisor. */
  void (*unmap_frame)(struct nw_machine *machine, uint64_t ipa);

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
extern const struct nw_paging_mode nw_selective_mode;
extern const struct nw_paging_mode nw_agile_mode;

#endif
