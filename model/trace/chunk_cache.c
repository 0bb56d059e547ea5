/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/chunk_cache.h"

#include <pthread.h>
#include <stdlib.h>

#define NOTHING SIZE_MAX

struct place {
  struct nw_shared_chunk chunk;
  size_t number; /* NOTHING: empty */
  unsigned holders;
  uint64_t last_use;
};

struct nw_chunk_cache {
  pthread_mutex_t lock;
  uint64_t uses;
  size_t count;
  struct place places[];
};

struct nw_chunk_cache *nw_chunk_cache_create(size_t chunks) {
  struct nw_chunk_cache *cache = calloc(1, sizeof *cache + chunks * sizeof cache->places[0]);
  if (cache == NULL)
    return NULL;
  pthread_mutex_init(&cache->lock, NULL);
  cache->count = chunks;
  for (size_t i = 0; i < chunks; i++)
    cache->places[i].number = NOTHING;
  return cache;
}

void nw_chunk_cache_destroy(struct nw_chunk_cache *cache) {
  if (cache == NULL)
    return;
  for (size_t i = 0; i < cache->count; i++)
    free(cache->places[i].chunk.words);
  pthread_mutex_destroy(&cache->lock);
  free(cache);
}

static struct place *find(struct nw_chunk_cache *cache, size_t number) {
  for (size_t i = 0; i < cache->count; i++)
    if (cache->places[i].number == number)
      return &cache->places[i];
  return NULL;
}

static const struct nw_shared_chunk *hold(struct nw_chunk_cache *cache, struct place *place) {
  place->holders++;
  place->last_use = ++cache->uses;
  return &place->chunk;
}

const struct nw_shared_chunk *nw_chunk_cache_find(struct nw_chunk_cache *cache, size_t number) {
  pthread_mutex_lock(&cache->lock);
  struct place *place = find(cache, number);
  const struct nw_shared_chunk *chunk = place != NULL ? hold(cache, place) : NULL;
  pthread_mutex_unlock(&cache->lock);
  return chunk;
}

static struct place *least_recent(struct nw_chunk_cache *cache) {
  struct place *best = NULL;
  for (size_t i = 0; i < cache->count; i++) {
    struct place *place = &cache->places[i];
    if (place->holders == 0 && (best == NULL || place->last_use < best->last_use))
      best = place;
  }
  return best;
}

const struct nw_shared_chunk *nw_chunk_cache_give(struct nw_chunk_cache *cache, size_t number,
                                                  uint64_t *words, size_t count) {
  const struct nw_shared_chunk *chunk = NULL;
  pthread_mutex_lock(&cache->lock);
  struct place *place = find(cache, number);
  if (place != NULL) { /* another cursor was faster */
    free(words);
    chunk = hold(cache, place);
  } else if ((place = least_recent(cache)) != NULL) {
    free(place->chunk.words);
    place->chunk = (struct nw_shared_chunk){words, count};
    place->number = number;
    chunk = hold(cache, place);
  }
  pthread_mutex_unlock(&cache->lock);
  return chunk;
}

void nw_chunk_cache_release(struct nw_chunk_cache *cache, const struct nw_shared_chunk *chunk) {
  if (chunk == NULL)
    return;
  pthread_mutex_lock(&cache->lock);
  for (size_t i = 0; i < cache->count; i++)
    if (&cache->places[i].chunk == chunk)
      cache->places[i].holders--;
  pthread_mutex_unlock(&cache->lock);
}
