/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physical memory of a case file: ranges of addresses that a line of it covers. The main
 * invariant is that the ranges are sorted and never overlap, since a later line cuts what it covers
 * out of the earlier ones. An address that no range covers has no memory behind it.
 */
#ifndef NW_CASE_MEMORY_H
#define NW_CASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nw_case_memory; /* opaque */

/* A descriptor that a query changed. */
struct nw_case_update {
  uint64_t address;
  uint64_t value;
  unsigned size; /* bytes, 4 or 8 */
};

/** An empty memory, or NULL when there is no room for it. */
struct nw_case_memory *nw_case_memory_create(void);
void nw_case_memory_destroy(struct nw_case_memory *memory);

/**
 * Puts the bytes of the file `path` at `address`. The file is opened once however often it is
 * named, and must not shrink while the memory lives. Returns false with a sentence in `error` when
 * it is no regular file, cannot be read, or does not fit below 2^64. An empty file covers nothing.
 */
bool nw_case_memory_add_file(struct nw_case_memory *memory, const char *path, uint64_t address,
                             char *error, size_t error_size);

/** Memory that reads as 0 from `first` to `last`, both included. False when out of memory. */
bool nw_case_memory_add_ram(struct nw_case_memory *memory, uint64_t first, uint64_t last);

/** No memory from `first` to `last`, both included. False when out of memory. */
bool nw_case_memory_add_hole(struct nw_case_memory *memory, uint64_t first, uint64_t last);

/** Reads `size` (1 to 8) bytes, little-endian. False when any of them is not there. */
bool nw_case_memory_read(const struct nw_case_memory *memory, uint64_t address, unsigned size,
                         uint64_t *data);

/**
 * Replaces `old_value` by `new_value` if that is what stands at `address`; `found` gets what stood
 * there. The change lies over the memory until nw_case_memory_undo(). False when any byte is not
 * there or there is no room.
 */
bool nw_case_memory_update(struct nw_case_memory *memory, uint64_t address, unsigned size,
                           uint64_t old_value, uint64_t new_value, uint64_t *found);

/** The changes since the last undo, in order of address; `count` gets how many. */
const struct nw_case_update *nw_case_memory_updates(const struct nw_case_memory *memory,
                                                    size_t *count);
void nw_case_memory_undo(struct nw_case_memory *memory);

#endif
