/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shadow tables and stage 2 ask of agile paging; in other modes the answer is no, and what they
 * tell it is of no interest.
 */
#ifndef NESTWALK_SYSTEM_AGILE_H
#define NESTWALK_SYSTEM_AGILE_H

#include "system/shadow.h"

/** True when the walk is to turn nested at the guest's table at IPA `guest`. */
bool nw_agile_nests(const struct nw_machine *machine, uint64_t guest);
/** True when the guest must not write the frame of `ipa` unseen through stage 2 either. */
bool nw_agile_follows(const struct nw_machine *machine, uint64_t ipa);
/** The frame of `ipa` holds a table that is followed from now on. */
void nw_agile_protect(struct nw_machine *machine, uint64_t ipa);
/** A trapped store to a guest table at `ipa` has been made for the guest. */
void nw_agile_stored(struct nw_machine *machine, uint64_t ipa);
/** A shadow table made from the guest's at IPA `guest` is gone. */
void nw_agile_forget(struct nw_machine *machine, uint64_t guest);
/** The guest kernel has stored to host address `pa`, untrapped: the page is dirty. */
void nw_agile_dirtied(struct nw_machine *machine, uint64_t pa);
/** Loads what the hardware is to start its walks with. */
bool nw_agile_load_root(struct nw_machine *machine);

/* For tests. */

/** Whether walks are agile at the moment, or wholly nested. */
bool nw_agile_is_on(const struct nw_machine *machine);
/** Makes them so between two operations, as the policy would. */
void nw_agile_switch(struct nw_machine *machine, bool on);
/** Makes the guest's table at IPA `guest` nested, or shadowed, as the policy would; nothing when no
 * shadow table leads to it, or walks are not agile. */
void nw_agile_set_nested(struct nw_machine *machine, uint64_t guest, bool nested);
struct nw_shadows *nw_agile_shadows(const struct nw_machine *machine);

#endif
