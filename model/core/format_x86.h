/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The geometry that x86's own tables, AMD's nested ones and Intel's EPT share: levels 5 to 1 of 512
 * 8-byte entries; pages of 4 KB, 2 MB and 1 GB (SDM vol. 3, 4.5 and 29.3).
 */
#ifndef NESTWALK_CORE_FORMAT_X86_H
#define NESTWALK_CORE_FORMAT_X86_H

#include "core/format.h"

/* log2 of what one entry of a level covers */
#define NWI_X86_SHIFTS                                                                             \
  { [1] = 12, [2] = 21, [3] = 30, [4] = 39, [5] = 48 }

#define NWI_X86_ADDRESS 0x000ffffffffff000ull /* bits 51:12 */
#define NWI_X86_LARGE (1ull << 7)             /* of levels 2 and 3: a page, not a table */

static inline bool nwi_x86_is_leaf(uint64_t d, uint8_t level) {
  return level == 1 || (level <= 3 && (d & NWI_X86_LARGE));
}

#endif
