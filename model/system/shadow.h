/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the shadow mode share, and what tests look at beyond the mode's interface. */
#ifndef NESTWALK_SYSTEM_SHADOW_H
#define NESTWALK_SYSTEM_SHADOW_H

#include "system/shadow_pages.h"

/* The mode's state: nw_machine.mode_state. */
struct nw_shadow_state {
  struct nw_shadows *pages;
  enum nw_view view;   /* of whoever runs */
  uint64_t root;       /* as it is in the hardware's registers */
  uint32_t asid;       /* likewise */
  uint64_t guest_root; /* the guest's own, of the last root write */
  uint64_t nothing;    /* a root without entries, for when there is no memory for the right one */
};

/** The shadow tables of a machine in shadow mode. */
struct nw_shadows *nw_shadow_pages_of(const struct nw_machine *machine);

/** Puts into the hardware's registers what shadow tables need, whoever runs; the root comes with
 * nw_shadow_load_root(). */
void nw_shadow_load_registers(struct nw_machine *machine);

/** The view that an access of `privilege` is translated under. */
enum nw_view nw_shadow_view_of(const struct nw_machine *machine, uint8_t privilege);
/** The role of the guest root's shadow in `view`, and the guest root's IPA. */
struct nw_shadow_role nw_shadow_root_role(const struct nw_machine *machine, enum nw_view view,
                                          uint64_t *guest);
/** Makes the hardware use the running view's shadow of the guest's root; without memory for that,
 * nothing is mapped, so that the next access faults and tries again. */
bool nw_shadow_load_root(struct nw_machine *machine);

/** The mode's `fault`. */
enum nw_fault_outcome nw_shadow_fault(struct nw_machine *machine, const struct nw_request *request,
                                      const struct nw_fault *found, const struct nw_store *store);

#endif
