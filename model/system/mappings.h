/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mappings of one address space: which ranges the program asked for and what it may do there.
 * Ranges are sorted and do not overlap; neighbours that say the same are one range.
 */
#ifndef NESTWALK_SYSTEM_MAPPINGS_H
#define NESTWALK_SYSTEM_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nw_mapping {
  uint64_t start, end;    /* bytes, page-aligned; end is the first byte after it */
  unsigned protection;    /* NW_PROT_* */
  bool shared;            /* fork shares the pages instead of copying them on write */
  bool device;            /* maps guest physical addresses instead of memory of its own */
  uint64_t device_offset; /* then IPA = VA + device_offset, modulo 2^64 */
  uint64_t content;       /* tag of the data that its pages hold as they come; 0: zeros */
  uint64_t content_start; /* VA of that data's page 0, modulo 2^64 */
};

struct nw_mappings {
  struct nw_mapping *mapping;
  size_t count, capacity;
};

void nw_mappings_free(struct nw_mappings *mappings);

/** Makes `to`, which is empty, a copy of `from`; false when out of memory. */
bool nw_mappings_copy(struct nw_mappings *to, const struct nw_mappings *from);

/** Index of the first mapping that ends after `va`; `count` when there is none. */
size_t nw_mappings_after(const struct nw_mappings *mappings, uint64_t va);

/** The mapping that covers `va`, or NULL. Valid until the next change. */
const struct nw_mapping *nw_mappings_find(const struct nw_mappings *mappings, uint64_t va);

/** Adds a range that overlaps none; false when out of memory. */
bool nw_mappings_insert(struct nw_mappings *mappings, const struct nw_mapping *mapping);

/** Removes [start, end), cutting mappings that stand out; false when out of memory. */
bool nw_mappings_remove(struct nw_mappings *mappings, uint64_t start, uint64_t end);

/** Gives all mapped parts of [start, end) the protection `(old & keep) | add`. */
bool nw_mappings_protect(struct nw_mappings *mappings, uint64_t start, uint64_t end, unsigned keep,
                         unsigned add);

/** Says what the mapped parts of [start, end) hold: the data `content`, whose page 0 is that of
 * `content_start`, modulo 2^64. */
bool nw_mappings_set_content(struct nw_mappings *mappings, uint64_t start, uint64_t end,
                             uint64_t content, uint64_t content_start);

/** End of the last mapping before `va`, which no mapping covers, or 0. */
uint64_t nw_mappings_floor(const struct nw_mappings *mappings, uint64_t va);

/** Start of the first mapping at or after `va`, which none covers, or `limit`. */
uint64_t nw_mappings_ceiling(const struct nw_mappings *mappings, uint64_t va, uint64_t limit);

#endif
