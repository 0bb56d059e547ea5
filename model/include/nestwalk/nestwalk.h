/* SPDX-License-Identifier: Apache-2.0 */
/* Everything an embedder needs. */
#ifndef NESTWALK_NESTWALK_H
#define NESTWALK_NESTWALK_H

#include <nestwalk/memory_hierarchy.h>
#include <nestwalk/mmu.h>
#include <nestwalk/regime.h>
#include <nestwalk/types.h>
#include <nestwalk/walk.h>

#endif
