/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency of memory references through any number of cache levels and DRAM. It holds no data: it
 * only knows which lines are where. The latency of a reference is that of the first level that has
 * its line (load to use, not cumulative), or DRAM's; the line is then put into every level on the
 * way. Writes allocate like reads.
 */
#ifndef NESTWALK_MEMORY_HIERARCHY_H
#define NESTWALK_MEMORY_HIERARCHY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_policy {
  NW_POLICY_LRU = 0,
  NW_POLICY_TREE_PLRU = 1, /* ways must be a power of two */
  NW_POLICY_FIFO = 2,
  NW_POLICY_RANDOM = 3, /* seeded: the same seed gives the same choices */
};

/* Who makes a reference; a cache level may serve some of them only. */
enum nw_requester {
  NW_BY_INSTRUCTION = 0,
  NW_BY_DATA = 1,
  NW_BY_WALKER = 2,
  NW_REQUESTERS,
};

#define NW_CACHE_LEVELS 8
#define NW_CACHE_NAME 16

struct nw_cache_config {
  char name[NW_CACHE_NAME];
  uint64_t size;    /* bytes; size / line / ways must be a whole number of sets, a power of two */
  uint32_t ways;    /* 1 up to size / line */
  uint32_t line;    /* bytes, a power of two, 4 to 4096 */
  uint32_t latency; /* cycles, load to use */
  uint8_t policy;   /* enum nw_policy */
  uint8_t serves;   /* bit mask 1 << enum nw_requester */
};

struct nw_hierarchy_config {
  struct nw_cache_config cache[NW_CACHE_LEVELS]; /* nearest first */
  uint32_t caches;
  uint32_t dram_latency; /* cycles */
  uint64_t seed;         /* for NW_POLICY_RANDOM */
};

struct nw_cache_statistics {
  uint64_t accesses[NW_REQUESTERS];
  uint64_t hits[NW_REQUESTERS];
};

struct nw_hierarchy; /* opaque */

/**
 * Builds a hierarchy, all lines invalid. On an impossible geometry returns NULL with a sentence in
 * `error` (at most `error_size` bytes, always terminated). Free with nw_hierarchy_destroy().
 */
struct nw_hierarchy *nw_hierarchy_create(const struct nw_hierarchy_config *config, char *error,
                                         size_t error_size);
void nw_hierarchy_destroy(struct nw_hierarchy *hierarchy);

/** Cycles of one reference by `by` to the line at physical address `pa`; updates the state. */
uint32_t nw_hierarchy_access(struct nw_hierarchy *hierarchy, uint64_t pa, enum nw_requester by);

/** Statistics of level `level` (0 is the nearest), or NULL. */
const struct nw_cache_statistics *nw_hierarchy_statistics(const struct nw_hierarchy *hierarchy,
                                                          unsigned level);
/** References that went to DRAM so far. */
uint64_t nw_hierarchy_dram_accesses(const struct nw_hierarchy *hierarchy, enum nw_requester by);

#ifdef __cplusplus
}
#endif
#endif
