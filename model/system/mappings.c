/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted array: address spaces have tens of mappings, and lookups are far more than changes. */
#include "system/mappings.h"

#include <stdlib.h>
#include <string.h>

void nw_mappings_free(struct nw_mappings *mappings) {
  free(mappings->mapping);
  *mappings = (struct nw_mappings){0};
}

bool nw_mappings_copy(struct nw_mappings *to, const struct nw_mappings *from) {
  *to = (struct nw_mappings){0};
  if (from->count == 0)
    return true;
  to->mapping = calloc(from->count, sizeof *to->mapping);
  if (to->mapping == NULL)
    return false;
  memcpy(to->mapping, from->mapping, from->count * sizeof *to->mapping);
  to->count = to->capacity = from->count;
  return true;
}

size_t nw_mappings_after(const struct nw_mappings *mappings, uint64_t va) {
  size_t low = 0, high = mappings->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (mappings->mapping[middle].end > va)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

const struct nw_mapping *nw_mappings_find(const struct nw_mappings *mappings, uint64_t va) {
  size_t i = nw_mappings_after(mappings, va);
  if (i == mappings->count || mappings->mapping[i].start > va)
    return NULL;
  return &mappings->mapping[i];
}

/* Makes room for one more mapping at index `at`. */
static bool open_slot(struct nw_mappings *mappings, size_t at) {
  if (mappings->count == mappings->capacity) {
    size_t capacity = mappings->capacity * 2 + 8;
    struct nw_mapping *grown = realloc(mappings->mapping, capacity * sizeof *grown);
    if (grown == NULL)
      return false;
    mappings->mapping = grown;
    mappings->capacity = capacity;
  }
  struct nw_mapping *slot = &mappings->mapping[at];
  memmove(slot + 1, slot, (mappings->count - at) * sizeof *slot);
  mappings->count++;
  return true;
}

static void close_slot(struct nw_mappings *mappings, size_t at) {
  struct nw_mapping *slot = &mappings->mapping[at];
  mappings->count--;
  memmove(slot, slot + 1, (mappings->count - at) * sizeof *slot);
}

static bool can_join(const struct nw_mapping *low, const struct nw_mapping *high) {
  return low->end == high->start && low->protection == high->protection &&
         low->shared == high->shared && low->device == high->device &&
         low->device_offset == high->device_offset && low->content == high->content &&
         low->content_start == high->content_start;
}

/* Joins mapping `at` with its upper neighbour where both say the same. */
static void join(struct nw_mappings *mappings, size_t at) {
  if (at + 1 >= mappings->count)
    return;
  struct nw_mapping *low = &mappings->mapping[at];
  if (!can_join(low, low + 1))
    return;
  low->end = low[1].end;
  close_slot(mappings, at + 1);
}

bool nw_mappings_insert(struct nw_mappings *mappings, const struct nw_mapping *mapping) {
  size_t at = nw_mappings_after(mappings, mapping->start);
  if (!open_slot(mappings, at))
    return false;
  mappings->mapping[at] = *mapping;
  join(mappings, at);
  if (at > 0)
    join(mappings, at - 1);
  return true;
}

/* Cuts the mapping that covers both sides of `va` in two. */
static bool cut(struct nw_mappings *mappings, uint64_t va) {
  size_t at = nw_mappings_after(mappings, va);
  if (at == mappings->count || mappings->mapping[at].start >= va)
    return true;
  if (!open_slot(mappings, at))
    return false;
  mappings->mapping[at] = mappings->mapping[at + 1];
  mappings->mapping[at].end = va;
  mappings->mapping[at + 1].start = va;
  return true;
}

bool nw_mappings_remove(struct nw_mappings *mappings, uint64_t start, uint64_t end) {
  if (!cut(mappings, start) || !cut(mappings, end))
    return false;
  size_t at = nw_mappings_after(mappings, start);
  while (at < mappings->count && mappings->mapping[at].start < end)
    close_slot(mappings, at);
  return true;
}

/* Joins neighbours from index `first`, or just before it, up to index `end`. */
static void join_all(struct nw_mappings *mappings, size_t first, size_t end) {
  /* From the top, so that joining moves nothing that is still to be looked at. */
  while (end > first)
    join(mappings, --end);
  if (first > 0)
    join(mappings, first - 1);
}

bool nw_mappings_protect(struct nw_mappings *mappings, uint64_t start, uint64_t end, unsigned keep,
                         unsigned add) {
  if (!cut(mappings, start) || !cut(mappings, end))
    return false;
  size_t first = nw_mappings_after(mappings, start), at = first;
  for (; at < mappings->count && mappings->mapping[at].start < end; at++)
    mappings->mapping[at].protection = (mappings->mapping[at].protection & keep) | add;
  join_all(mappings, first, at);
  return true;
}

bool nw_mappings_set_content(struct nw_mappings *mappings, uint64_t start, uint64_t end,
                             uint64_t content, uint64_t content_start) {
  if (!cut(mappings, start) || !cut(mappings, end))
    return false;
  size_t first = nw_mappings_after(mappings, start), at = first;
  for (; at < mappings->count && mappings->mapping[at].start < end; at++) {
    mappings->mapping[at].content = content;
    mappings->mapping[at].content_start = content == 0 ? 0 : content_start;
  }
  join_all(mappings, first, at);
  return true;
}

uint64_t nw_mappings_floor(const struct nw_mappings *mappings, uint64_t va) {
  size_t at = nw_mappings_after(mappings, va);
  return at == 0 ? 0 : mappings->mapping[at - 1].end;
}

uint64_t nw_mappings_ceiling(const struct nw_mappings *mappings, uint64_t va, uint64_t limit) {
  size_t at = nw_mappings_after(mappings, va);
  return at == mappings->count ? limit : mappings->mapping[at].start;
}
