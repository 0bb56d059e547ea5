/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse physical memory. Memory that was never written reads as 0 and costs nothing; a frame of
 * 4 KB is allocated by the first write to it that is not 0.
 *
 * It is a radix of two levels: a root of 2 MB regions, each with 512 frames. Invariant: a frame
 * pointer is NULL exactly when the frame reads as 0 without having been written since it was
 * cleared. Reading is in line here, since every descriptor read of a walk comes this way.
 */
#ifndef NESTWALK_SYSTEM_PHYSICAL_MEMORY_H
#define NESTWALK_SYSTEM_PHYSICAL_MEMORY_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NW_FRAME_LOG2 12
#define NW_FRAME_BYTES (UINT64_C(1) << NW_FRAME_LOG2)

#define NW_REGION_LOG2 21
#define NW_REGION_FRAMES (1u << (NW_REGION_LOG2 - NW_FRAME_LOG2))

struct nw_region {
  uint8_t *frame[NW_REGION_FRAMES];
};

struct nw_physical_memory {
  uint64_t regions;
  uint64_t frames_held;
  struct nw_region **region;
};

/** Memory of `bytes` (rounded up to 2 MB) from address 0; NULL when out of the machine's memory. */
struct nw_physical_memory *nw_physical_memory_create(uint64_t bytes);
void nw_physical_memory_destroy(struct nw_physical_memory *memory);

/* The slot of the frame that holds `pa`, or NULL when its region holds no frame. */
static inline uint8_t **nw_physical_frame_slot(const struct nw_physical_memory *memory,
                                               uint64_t pa) {
  struct nw_region *region = memory->region[pa >> NW_REGION_LOG2];
  if (region == NULL)
    return NULL;
  return &region->frame[(pa >> NW_FRAME_LOG2) & (NW_REGION_FRAMES - 1)];
}

static inline bool nw_physical_is_there(const struct nw_physical_memory *memory, uint64_t pa) {
  return pa >> NW_REGION_LOG2 < memory->regions;
}

static inline uint64_t nw_physical_load(const uint8_t *at, unsigned size) {
  if (size == 4) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return le32toh(word);
  }
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return le64toh(word);
}

/** Reads `size` (4 or 8) naturally aligned bytes, little-endian. False, and 0, where there is no
 * memory. */
static inline bool nw_physical_read(const struct nw_physical_memory *memory, uint64_t pa,
                                    unsigned size, uint64_t *data) {
  *data = 0;
  if (!nw_physical_is_there(memory, pa))
    return false;
  uint8_t **frame = nw_physical_frame_slot(memory, pa);
  if (frame != NULL && *frame != NULL)
    *data = nw_physical_load(*frame + (pa & (NW_FRAME_BYTES - size)), size);
  return true;
}

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
