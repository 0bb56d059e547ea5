/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoded chunks of one trace that several cursors share, each in its own thread. A chunk stays as
 * long as somebody holds it; those that nobody holds go in the order of their last use.
 */
#ifndef NW_TRACE_CHUNK_CACHE_H
#define NW_TRACE_CHUNK_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct nw_chunk_cache;
struct nw_shared_chunk {
  uint64_t *words;
  size_t count;
};

/* Room for `chunks` chunks; NULL when out of memory. All must have been released before the end. */
struct nw_chunk_cache *nw_chunk_cache_create(size_t chunks);
void nw_chunk_cache_destroy(struct nw_chunk_cache *cache);

/* The chunk of this number, held for the caller, or NULL. */
const struct nw_shared_chunk *nw_chunk_cache_find(struct nw_chunk_cache *cache, size_t number);
/* Gives decoded words (from malloc) to the cache, which owns them from then on, and holds the chunk
 * for the caller. NULL, with the words still the caller's, when every place is held. */
const struct nw_shared_chunk *nw_chunk_cache_give(struct nw_chunk_cache *cache, size_t number,
                                                  uint64_t *words, size_t count);
/* NULL is fine. */
void nw_chunk_cache_release(struct nw_chunk_cache *cache, const struct nw_shared_chunk *chunk);

#endif
