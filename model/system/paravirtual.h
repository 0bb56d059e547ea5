/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest kernel that knows of its hypervisor tells it: it stores to its tables as it likes
 * and announces the stores afterwards, many in one hypercall. They are announced at the latest
 * before the guest relies on them: before TLB maintenance, before a register write, before it
 * returns to the program, and when the batch is full.
 */
#ifndef NESTWALK_SYSTEM_PARAVIRTUAL_H
#define NESTWALK_SYSTEM_PARAVIRTUAL_H

#include <stdbool.h>
#include <stdint.h>

struct nw_machine;
struct nw_paravirtual; /* opaque */

struct nw_announcement {
  uint64_t ipa;  /* of a descriptor that was stored; */
  bool released; /* or of a frame that holds no tables any more */
};

/** Batches of up to `batch` announcements; NULL when out of memory. */
struct nw_paravirtual *nw_paravirtual_create(unsigned batch);
void nw_paravirtual_destroy(struct nw_paravirtual *paravirtual);

/* All of these do nothing where the machine has no use for announcements. */

/** The guest kernel has stored a descriptor at `ipa`. */
void nw_paravirtual_stored(struct nw_machine *machine, uint64_t ipa);
/** The guest kernel has given up the frame of `ipa`, which held a root. */
void nw_paravirtual_released(struct nw_machine *machine, uint64_t ipa);
/** Makes the hypercall, if there is anything to announce. */
void nw_paravirtual_flush(struct nw_machine *machine);

#endif
