/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel same-page merging: a scanner in the host finds guest frames with the same contents and
 * lets them share one host frame, read-only, until one of them is written.
 *
 * What a program stores is not simulated. A frame's content is a tag instead: frames of the same
 * tag hold the same bytes.
 */
#ifndef NESTWALK_SYSTEM_KSM_H
#define NESTWALK_SYSTEM_KSM_H

#include <stdbool.h>
#include <stdint.h>

#include <nestwalk/types.h>

struct nw_machine;
struct nw_ksm; /* opaque */

#define NW_CONTENT_ZERO UINT64_C(0)
#define NW_CONTENT_OWN UINT64_MAX /* something that no other frame holds */

/** Tag of page number `page` of the data that `tag` names. */
uint64_t nw_content_of_page(uint64_t tag, uint64_t page);

/** NULL when out of memory. */
struct nw_ksm *nw_ksm_create(struct nw_machine *machine);
void nw_ksm_destroy(struct nw_ksm *ksm);

/* These do nothing on a machine whose host does not scan. */

/** The guest frame of `ipa` holds `content` now: somebody has stored it. A frame that was shared
 * gets its own memory first. */
void nw_ksm_note(struct nw_machine *machine, uint64_t ipa, uint64_t content);
/** What the guest frame of `ipa` holds. */
uint64_t nw_ksm_content(const struct nw_machine *machine, uint64_t ipa);

/** The program has accessed host address `pa`: a store makes its frame differ from all others, and
 * when the time has come, the scanner runs. */
void nw_ksm_accessed(struct nw_machine *machine, enum nw_access access, uint64_t pa);

/** Gives the shared guest frame of `ipa` memory of its own, in the exit that is under way; false
 * when there is none. */
bool nw_ksm_break(struct nw_machine *machine, uint64_t ipa);

#endif
