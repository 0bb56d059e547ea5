/* SPDX-License-Identifier: Apache-2.0 */
/* What creates, writes and clears frames; the layout and the reading are in the header. */
#include "system/physical_memory.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct nw_physical_memory *nw_physical_memory_create(uint64_t bytes) {
  struct nw_physical_memory *memory = calloc(1, sizeof *memory);
  if (memory == NULL)
    return NULL;
  memory->regions = (bytes + (UINT64_C(1) << NW_REGION_LOG2) - 1) >> NW_REGION_LOG2;
  memory->region = calloc(memory->regions + 1, sizeof *memory->region);
  if (memory->region == NULL) {
    free(memory);
    return NULL;
  }
  return memory;
}

static void region_destroy(struct nw_region *region) {
  if (region == NULL)
    return;
  for (unsigned i = 0; i < NW_REGION_FRAMES; i++)
    free(region->frame[i]);
  free(region);
}

void nw_physical_memory_destroy(struct nw_physical_memory *memory) {
  if (memory == NULL)
    return;
  for (uint64_t i = 0; i < memory->regions; i++)
    region_destroy(memory->region[i]);
  free(memory->region);
  free(memory);
}

/* The frame that holds `pa`, allocated when it is not there; NULL when out of memory. */
static uint8_t *frame_for_write(struct nw_physical_memory *memory, uint64_t pa) {
  struct nw_region **region = &memory->region[pa >> NW_REGION_LOG2];
  if (*region == NULL)
    *region = calloc(1, sizeof **region);
  if (*region == NULL)
    return NULL;
  uint8_t **frame = nw_physical_frame_slot(memory, pa);
  if (*frame == NULL) {
    *frame = calloc(1, NW_FRAME_BYTES);
    if (*frame != NULL)
      memory->frames_held++;
  }
  return *frame;
}

static void store(uint8_t *at, unsigned size, uint64_t data) {
  if (size == 4) {
    uint32_t word = htole32((uint32_t)data);
    memcpy(at, &word, sizeof word);
  } else {
    uint64_t word = htole64(data);
    memcpy(at, &word, sizeof word);
  }
}

bool nw_physical_write(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                       uint64_t data) {
  if (!nw_physical_is_there(memory, pa))
    return false;
  uint8_t **slot = nw_physical_frame_slot(memory, pa);
  if (data == 0 && (slot == NULL || *slot == NULL))
    return true;
  uint8_t *frame = frame_for_write(memory, pa);
  if (frame == NULL)
    return false;
  store(frame + (pa & (NW_FRAME_BYTES - size)), size, data);
  return true;
}

bool nw_physical_compare_and_swap(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                                  uint64_t old_value, uint64_t new_value, uint64_t *found) {
  if (!nw_physical_read(memory, pa, size, found))
    return false;
  if (*found != old_value)
    return true;
  return nw_physical_write(memory, pa, size, new_value);
}

void nw_physical_clear_frame(struct nw_physical_memory *memory, uint64_t pa) {
  if (!nw_physical_is_there(memory, pa))
    return;
  uint8_t **frame = nw_physical_frame_slot(memory, pa);
  if (frame == NULL || *frame == NULL)
    return;
  free(*frame);
  *frame = NULL;
  memory->frames_held--;
}

uint64_t nw_physical_frames_held(const struct nw_physical_memory *memory) {
  return memory->frames_held;
}
