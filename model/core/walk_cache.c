/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk cache and the IPA cache: nw_cached kept as entries of the store of tlb.c. A walk cache is
 * either one store for the tables of all levels, nested (a level-2 table lies inside the span of its
 * level-1 table; the smallest span is the longest match), or one store for each level (x86: PML4E,
 * PDPTE and PDE cache), which are looked into at the same time. The IPA cache is one store, not
 * nested, and its entries are global: an IPA has no ASID.
 *
 * Invariant: of stores by level, the first holds the smallest spans.
 */
#include "core/walk_cache.h"

#include "core/replacement.h"

#include <stdio.h>
#include <stdlib.h>

struct nwi_walk_cache {
  struct nwi_tlb *store[NW_LEVELS];
  uint8_t next_level[NW_LEVELS]; /* by store: of the tables that its entries lead to */
  unsigned stores;
  bool by_level;
  bool ipa; /* NW_IPA_CACHE */
};

static bool add_store(struct nwi_walk_cache *cache, const struct nw_tlb_config *config,
                      const char *name, uint64_t seed, bool nested, char *error,
                      size_t error_size) {
  struct nwi_tlb *store = nwi_tlb_create(config, name, seed, nested, error, error_size);

  cache->store[cache->stores] = store;
  cache->stores += store != NULL;
  return store != NULL;
}

static struct nwi_walk_cache *new_cache(const char *name, char *error, size_t error_size) {
  struct nwi_walk_cache *cache = calloc(1, sizeof *cache);

  if (cache == NULL)
    nwi_sentence(error, error_size, "%s: no memory", name);
  return cache;
}

struct nwi_walk_cache *nwi_walk_cache_create(const struct nw_tlb_config *config,
                                             enum nw_cache_id which, uint64_t seed, char *error,
                                             size_t error_size) {
  if (error != NULL && error_size != 0)
    error[0] = '\0';
  if (config->entries == 0)
    return NULL;
  const char *name = which == NW_IPA_CACHE ? "ipa_cache" : "walk_cache";
  struct nwi_walk_cache *cache = new_cache(name, error, error_size);
  if (cache == NULL)
    return NULL;
  cache->ipa = which == NW_IPA_CACHE;
  if (!add_store(cache, config, name, seed, !cache->ipa, error, error_size)) {
    nwi_walk_cache_destroy(cache);
    return NULL;
  }
  return cache;
}

struct nwi_walk_cache *nwi_walk_cache_create_by_level(const struct nw_tlb_config *config,
                                                      const struct nw_format *format, uint64_t seed,
                                                      char *error, size_t error_size) {
  struct nwi_walk_cache *cache = new_cache("walk_cache", error, error_size);
  uint8_t level = format->last_level;

  if (cache == NULL)
    return NULL;
  cache->by_level = true;
  while (level != format->first_level) {
    char name[16];
    cache->next_level[cache->stores] = level;
    level = nwi_level_above(format, level);
    snprintf(name, sizeof name, "walk_cache_l%u", level);
    if (config[level].entries != 0 &&
        !add_store(cache, &config[level], name, seed + level, false, error, error_size)) {
      nwi_walk_cache_destroy(cache);
      return NULL;
    }
  }
  return cache;
}

void nwi_walk_cache_destroy(struct nwi_walk_cache *cache) {
  if (cache == NULL)
    return;
  for (unsigned i = 0; i < cache->stores; i++)
    nwi_tlb_destroy(cache->store[i]);
  free(cache);
}

static const struct nwi_tlb_entry *look_into(struct nwi_tlb *store, uint64_t address, uint16_t asid,
                                             uint16_t vmid, bool touch, unsigned *probes) {
  return touch ? nwi_tlb_lookup(store, address, asid, vmid, probes)
               : nwi_tlb_peek(store, address, asid, vmid, probes);
}

/* The longest match: of several stores only the one that has it is touched. */
static const struct nwi_tlb_entry *find(struct nwi_walk_cache *cache, uint64_t address,
                                        uint16_t asid, uint16_t vmid, bool touch,
                                        unsigned *probes) {
  const struct nwi_tlb_entry *entry = NULL;

  for (unsigned i = 0; i < cache->stores && entry == NULL; i++)
    entry = look_into(cache->store[i], address, asid, vmid, touch, probes);
  if (cache->by_level)
    *probes = 1;
  return entry;
}

bool nwi_walk_cache_lookup(struct nwi_walk_cache *cache, uint64_t address, uint16_t asid,
                           uint16_t vmid, bool touch, struct nw_cached *found, unsigned *probes) {
  const struct nwi_tlb_entry *entry = find(cache, address, asid, vmid, touch, probes);
  if (entry == NULL)
    return false;
  *found = (struct nw_cached){.output = entry->pa,
                              .key = entry->va,
                              .rights = entry->rights,
                              .asid = entry->asid,
                              .vmid = entry->vmid,
                              .span_log2 = entry->page_log2,
                              .level = entry->level,
                              .attr = entry->attr,
                              .sh = entry->sh};
  return true;
}

/* Where contents belong; NULL when their level is not kept. */
static struct nwi_tlb *store_for(const struct nwi_walk_cache *cache,
                                 const struct nw_cached *contents) {
  for (unsigned i = 0; i < cache->stores; i++)
    if (!cache->by_level || cache->next_level[i] == contents->level)
      return cache->store[i];
  return NULL;
}

void nwi_walk_cache_fill(struct nwi_walk_cache *cache, const struct nw_cached *contents) {
  const struct nwi_tlb_entry entry = {.va = contents->key,
                                      .pa = contents->output,
                                      .rights = contents->rights,
                                      .asid = contents->asid,
                                      .vmid = contents->vmid,
                                      .page_log2 = contents->span_log2,
                                      .attr = contents->attr,
                                      .sh = contents->sh,
                                      .level = contents->level,
                                      .global = cache->ipa};
  struct nwi_tlb *store = store_for(cache, contents);

  if (store != NULL)
    (void)nwi_tlb_install(store, &entry, NULL);
}

unsigned nwi_walk_cache_invalidate(struct nwi_walk_cache *cache,
                                   const struct nwi_tlb_match *match) {
  unsigned dropped = 0;

  for (unsigned i = 0; i < cache->stores; i++)
    dropped += nwi_tlb_invalidate(cache->store[i], match);
  return dropped;
}

const struct nwi_tlb *nwi_walk_cache_store(const struct nwi_walk_cache *cache) {
  return cache->store[0];
}
