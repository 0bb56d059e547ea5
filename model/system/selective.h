/* SPDX-License-Identifier: Apache-2.0 */
/* What tests look at of selective paging beyond the mode's interface. */
#ifndef NESTWALK_SYSTEM_SELECTIVE_H
#define NESTWALK_SYSTEM_SELECTIVE_H

#include "system/policy.h"
#include "system/shadow.h"

/** How a machine in selective mode is paged at the moment. */
enum nw_paging nw_selective_now(const struct nw_machine *machine);
/** Switches it between two operations, as its policy would; nothing when it is there already. */
void nw_selective_switch(struct nw_machine *machine, enum nw_paging to);
/** Its shadow tables, in use or not. */
struct nw_shadows *nw_selective_shadows(const struct nw_machine *machine);

#endif
