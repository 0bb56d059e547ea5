/* SPDX-License-Identifier: Apache-2.0 */
/* What tests look at of shadow paging beyond the mode's interface. */
#ifndef NESTWALK_SYSTEM_SHADOW_H
#define NESTWALK_SYSTEM_SHADOW_H

#include "system/shadow_pages.h"

/** The shadow tables of a machine in shadow mode. */
struct nw_shadows *nw_shadow_pages_of(const struct nw_machine *machine);

#endif
