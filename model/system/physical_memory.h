/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse physical memory. Memory that was never written reads as 0 and costs nothing; a frame of
 * 4 KB is allocated by the first write to it that is not 0.
 */
#ifndef NESTWALK_SYSTEM_PHYSICAL_MEMORY_H
#define NESTWALK_SYSTEM_PHYSICAL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define NW_FRAME_LOG2 12
#define NW_FRAME_BYTES (UINT64_C(1) << NW_FRAME_LOG2)

struct nw_physical_memory; /* opaque */

/** Memory of `bytes` (rounded up to 2 MB) from address 0; NULL when out of the machine's memory. */
struct nw_physical_memory *nw_physical_memory_create(uint64_t bytes);
void nw_physical_memory_destroy(struct nw_physical_memory *memory);

/** Reads `size` (4 or 8) naturally aligned bytes, little-endian. False where there is no memory. */
bool nw_physical_read(const struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                      uint64_t *data);

/** Writes likewise. False where there is no memory, or when the simulator is out of it. */
bool nw_physical_write(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                       uint64_t data);

/** Replaces `old_value` by `new_value`; `found` is what was there. The swap was made when it equals
 * `old_value`. False as nw_physical_write(). */
bool nw_physical_compare_and_swap(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                                  uint64_t old_value, uint64_t new_value, uint64_t *found);

/** Makes the frame that holds `pa` read as 0 again and gives its memory back. */
void nw_physical_clear_frame(struct nw_physical_memory *memory, uint64_t pa);

/** Number of frames that cost memory. */
uint64_t nw_physical_frames_held(const struct nw_physical_memory *memory);

#endif
