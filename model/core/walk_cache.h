/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk cache (VA to next-level table, longest match wins) and the IPA cache (IPA to PA), both
 * kept in the store of tlb.h.
 */
#ifndef NESTWALK_CORE_WALK_CACHE_H
#define NESTWALK_CORE_WALK_CACHE_H

#include "core/format.h"
#include "core/tlb.h"

struct nwi_walk_cache; /* opaque */

/** NULL with *error empty ("") when config->entries is 0 (absent); NULL with a sentence otherwise. */
struct nwi_walk_cache *nwi_walk_cache_create(const struct nw_tlb_config *config,
                                             enum nw_cache_id which, uint64_t seed, char *error,
                                             size_t error_size);
/** A walk cache with a store for each level of descriptors: `config[l]` for those of level l, entries 0
 * where they are not kept. A lookup counts as one probe. */
struct nwi_walk_cache *nwi_walk_cache_create_by_level(const struct nw_tlb_config *config,
                                                      const struct nw_format *format, uint64_t seed,
                                                      char *error, size_t error_size);
void nwi_walk_cache_destroy(struct nwi_walk_cache *cache);

/** Looks for `address`. True on a hit, contents in `found`. `touch` false: changes nothing (debug). */
bool nwi_walk_cache_lookup(struct nwi_walk_cache *cache, uint64_t address, uint16_t asid,
                           uint16_t vmid, bool touch, struct nw_cached *found, unsigned *probes);
void nwi_walk_cache_fill(struct nwi_walk_cache *cache, const struct nw_cached *contents);
unsigned nwi_walk_cache_invalidate(struct nwi_walk_cache *cache, const struct nwi_tlb_match *match);

/** The (first) store that the entries are kept in, for whoever looks at single slots (a bench). */
const struct nwi_tlb *nwi_walk_cache_store(const struct nwi_walk_cache *cache);

#endif
