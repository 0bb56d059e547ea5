/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds and changes the page tables of any descriptor format, in memory that is reached through
 * callbacks: the guest kernel's stores can be trapped, the hypervisor's are priced. What a
 * descriptor's bits are is the format's own knowledge.
 */
#ifndef NESTWALK_SYSTEM_PAGE_TABLE_H
#define NESTWALK_SYSTEM_PAGE_TABLE_H

#include "core/format.h"

struct nw_page_table;

/* The memory that tables stand in. Addresses are of the table's own space (guest tables: IPA). */
struct nw_table_memory {
  void *context;
  uint64_t (*read)(void *context, uint64_t address, unsigned size);
  bool (*write)(void *context, uint64_t address, unsigned size, uint64_t value);
  /* A table of `level` for the addresses from `va`, all of it 0; false when there is no memory. */
  bool (*allocate)(void *context, const struct nw_page_table *table, uint8_t level, uint64_t va,
                   uint64_t *address);
  /* Takes back a table that is all 0 and no longer pointed to. */
  void (*release)(void *context, const struct nw_page_table *table, uint8_t level,
                  uint64_t address);
};

struct nw_page_table {
  const struct nw_format *format;
  const struct nw_regime *regime; /* under which descriptors are decoded and rights are judged */
  struct nw_table_memory memory;
  uint64_t root;
  uint8_t start_level;
  uint8_t input_bits; /* the root covers addresses of this many bits */
};

/* What stands in a table for an address: a leaf, or a hole. */
struct nw_pte {
  uint64_t va;      /* first address that the leaf or the hole's descriptor covers */
  uint64_t address; /* of the (first) descriptor */
  /* A leaf or invalid; _entry() may find a table, too. */
  struct nw_descriptor meaning;
  uint8_t level;
  uint8_t span_log2; /* bytes covered */
};

/** Bytes of a table of `level`; the root's own size follows from its input bits. */
uint64_t nw_page_table_bytes(const struct nw_page_table *table, uint8_t level);

/** Descends to the leaf of `va`, or to the hole where one would have to be. */
void nw_page_table_find(const struct nw_page_table *table, uint64_t va, struct nw_pte *pte);

/** Descends no further than `level` and tells what stands there, a table possibly. */
void nw_page_table_entry(const struct nw_page_table *table, uint64_t va, uint8_t level,
                         struct nw_pte *pte);

/** True when a leaf of 2^page_log2 bytes at `va` would find neither a leaf nor a table in its
 * place. The format must have that size. */
bool nw_page_table_is_free(const struct nw_page_table *table, uint64_t va, uint8_t page_log2);

/** Writes a leaf for `va` (aligned to its size), with tables as needed. What a leaf of the same
 * size had there is replaced; other leaves and tables must not be in its place. */
bool nw_page_table_map(struct nw_page_table *table, uint64_t va, const struct nwi_leaf *leaf);

/** Writes 0 over the leaf that `pte` describes. */
bool nw_page_table_clear(struct nw_page_table *table, const struct nw_pte *pte);

/** What the stage-1 leaf `pte` says, as the encoders take it. */
void nw_page_table_leaf(const struct nw_page_table *table, const struct nw_pte *pte,
                        struct nwi_leaf *leaf);

/** Replaces the large stage-1 leaf `pte` by leaves with the same rights, of the smallest size that the
 * next level has. */
bool nw_page_table_split(struct nw_page_table *table, const struct nw_pte *pte);

/** Releases every table that covers part of [start, end) and nothing outside [floor, ceiling). All
 * of [floor, ceiling) must be without leaves. */
bool nw_page_table_prune(struct nw_page_table *table, uint64_t start, uint64_t end, uint64_t floor,
                         uint64_t ceiling);

#endif
