/* SPDX-License-Identifier: Apache-2.0 */
/* What the MMU asks of a finished walk beyond its result. */
#ifndef NESTWALK_CORE_WALKER_H
#define NESTWALK_CORE_WALKER_H

#include <nestwalk/walk.h>

/* The translation holds for every ASID: a global leaf, or no stage 1. */
bool nwi_walk_global(const struct nw_walk *walk);

#endif
