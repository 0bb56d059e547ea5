/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: free_order[i] is k + 1 exactly when frame i is the first of a free block of 2^k frames
 * that is on list k; every free frame is in one such block, and no two free buddies stand apart.
 */
#include "system/frame_allocator.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct nw_frames {
  uint64_t first;
  uint32_t count;
  uint64_t free;
  unsigned orders; /* of blocks that are kept */
  uint32_t list[NW_FRAME_ORDERS];
  uint32_t *next, *previous;
  uint32_t *holders;
  uint8_t *free_order;
};

static void push(struct nw_frames *frames, uint32_t block, unsigned order) {
  frames->free_order[block] = (uint8_t)(order + 1);
  frames->previous[block] = NONE;
  frames->next[block] = frames->list[order];
  if (frames->list[order] != NONE)
    frames->previous[frames->list[order]] = block;
  frames->list[order] = block;
}

static void take(struct nw_frames *frames, uint32_t block, unsigned order) {
  uint32_t next = frames->next[block], previous = frames->previous[block];
  if (previous == NONE)
    frames->list[order] = next;
  else
    frames->next[previous] = next;
  if (next != NONE)
    frames->previous[next] = previous;
  frames->free_order[block] = 0;
}

/* The other half of the block of twice the size, or NONE when it is out of range. Blocks are
 * aligned by frame number, not by index. */
static uint32_t buddy(const struct nw_frames *frames, uint32_t block, unsigned order) {
  uint64_t frame = (frames->first + block) ^ (UINT64_C(1) << order);
  if (frame < frames->first || frame - frames->first >= frames->count)
    return NONE;
  return (uint32_t)(frame - frames->first);
}

static void give_back(struct nw_frames *frames, uint32_t block) {
  unsigned order = 0;
  for (; order + 1 < frames->orders; order++) {
    uint32_t other = buddy(frames, block, order);
    if (other == NONE || frames->free_order[other] != order + 1)
      break;
    take(frames, other, order);
    if (other < block)
      block = other;
  }
  push(frames, block, order);
}

/* The largest order of an aligned block that starts at `index` and ends within the range. */
static unsigned largest_order(const struct nw_frames *frames, uint32_t index) {
  unsigned order = 0;
  while (order + 1 < frames->orders) {
    uint32_t size = 1u << (order + 1);
    if (((frames->first + index) & (size - 1)) != 0 || frames->count - index < size)
      break;
    order++;
  }
  return order;
}

/* Puts all frames on the lists, so that the lowest are handed out first. */
static void fill(struct nw_frames *frames) {
  for (unsigned order = 0; order < NW_FRAME_ORDERS; order++)
    frames->list[order] = NONE;
  uint32_t last[NW_FRAME_ORDERS];
  for (unsigned order = 0; order < NW_FRAME_ORDERS; order++)
    last[order] = NONE;
  for (uint32_t index = 0; index < frames->count;) {
    unsigned order = largest_order(frames, index);
    frames->free_order[index] = (uint8_t)(order + 1);
    frames->previous[index] = last[order];
    frames->next[index] = NONE;
    if (last[order] == NONE)
      frames->list[order] = index;
    else
      frames->next[last[order]] = index;
    last[order] = index;
    index += 1u << order;
  }
}

struct nw_frames *nw_frames_create(uint64_t first, uint64_t count, unsigned largest) {
  if (count >= NONE || largest >= NW_FRAME_ORDERS)
    return NULL;
  struct nw_frames *frames = calloc(1, sizeof *frames);
  if (frames == NULL)
    return NULL;
  frames->first = first;
  frames->count = (uint32_t)count;
  frames->orders = largest + 1;
  frames->free = count;
  frames->next = calloc(count + 1, sizeof *frames->next);
  frames->previous = calloc(count + 1, sizeof *frames->previous);
  frames->holders = calloc(count + 1, sizeof *frames->holders);
  frames->free_order = calloc(count + 1, sizeof *frames->free_order);
  if (frames->next == NULL || frames->previous == NULL || frames->holders == NULL ||
      frames->free_order == NULL) {
    nw_frames_destroy(frames);
    return NULL;
  }
  fill(frames);
  return frames;
}

void nw_frames_destroy(struct nw_frames *frames) {
  if (frames == NULL)
    return;
  free(frames->next);
  free(frames->previous);
  free(frames->holders);
  free(frames->free_order);
  free(frames);
}

bool nw_frames_allocate(struct nw_frames *frames, unsigned order, uint64_t *frame) {
  unsigned from = order;
  while (from < frames->orders && frames->list[from] == NONE)
    from++;
  if (from >= frames->orders)
    return false;
  uint32_t block = frames->list[from];
  take(frames, block, from);
  while (from > order) {
    from--;
    push(frames, block + (1u << from), from);
  }
  for (uint32_t i = 0; i < 1u << order; i++)
    frames->holders[block + i] = 1;
  frames->free -= UINT64_C(1) << order;
  *frame = frames->first + block;
  return true;
}

void nw_frames_reserve(struct nw_frames *frames, uint64_t frame) {
  uint32_t index = (uint32_t)(frame - frames->first);
  for (unsigned order = 0; order < frames->orders; order++) {
    uint64_t head = frame & ~((UINT64_C(1) << order) - 1);
    if (head < frames->first)
      return;
    uint32_t block = (uint32_t)(head - frames->first);
    if (frames->free_order[block] != order + 1)
      continue;
    take(frames, block, order);
    while (order > 0) {
      order--;
      uint32_t upper = block + (1u << order);
      push(frames, index >= upper ? block : upper, order);
      if (index >= upper)
        block = upper;
    }
    frames->free--;
    return;
  }
}

void nw_frames_hold(struct nw_frames *frames, uint64_t frame) {
  frames->holders[frame - frames->first]++;
}

bool nw_frames_drop(struct nw_frames *frames, uint64_t frame) {
  uint32_t index = (uint32_t)(frame - frames->first);
  if (--frames->holders[index] != 0)
    return false;
  frames->free++;
  give_back(frames, index);
  return true;
}

uint32_t nw_frames_holders(const struct nw_frames *frames, uint64_t frame) {
  return frames->holders[frame - frames->first];
}

bool nw_frames_has(const struct nw_frames *frames, uint64_t frame) {
  return frame >= frames->first && frame - frames->first < frames->count;
}

uint64_t nw_frames_free(const struct nw_frames *frames) {
  return frames->free;
}
