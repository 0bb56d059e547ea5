/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk cache and the IPA cache: nw_cached kept as entries of the store of tlb.c. A walk cache is
 * nested (a level-2 table lies inside the span of its level-1 table; the smallest span is the
 * longest match). The IPA cache is not, and its entries are global: an IPA has no ASID.
 */
#include "core/walk_cache.h"

#include "core/replacement.h"

#include <stdlib.h>

struct nwi_walk_cache {
  struct nwi_tlb *store;
  bool ipa; /* NW_IPA_CACHE */
};

struct nwi_walk_cache *nwi_walk_cache_create(const struct nw_tlb_config *config,
                                             enum nw_cache_id which, uint64_t seed, char *error,
                                             size_t error_size) {
  if (error != NULL && error_size != 0)
    error[0] = '\0';
  if (config->entries == 0)
    return NULL;
  const char *name = which == NW_IPA_CACHE ? "ipa_cache" : "walk_cache";
  struct nwi_walk_cache *cache = calloc(1, sizeof *cache);
  if (cache == NULL) {
    nwi_sentence(error, error_size, "%s: no memory", name);
    return NULL;
  }
  cache->ipa = which == NW_IPA_CACHE;
  cache->store = nwi_tlb_create(config, name, seed, !cache->ipa, error, error_size);
  if (cache->store == NULL) {
    free(cache);
    return NULL;
  }
  return cache;
}

void nwi_walk_cache_destroy(struct nwi_walk_cache *cache) {
  if (cache == NULL)
    return;
  nwi_tlb_destroy(cache->store);
  free(cache);
}

bool nwi_walk_cache_lookup(struct nwi_walk_cache *cache, uint64_t address, uint16_t asid,
                           uint16_t vmid, bool touch, struct nw_cached *found, unsigned *probes) {
  const struct nwi_tlb_entry *entry =
      touch ? nwi_tlb_lookup(cache->store, address, asid, vmid, probes)
            : nwi_tlb_peek(cache->store, address, asid, vmid, probes);
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
  (void)nwi_tlb_install(cache->store, &entry, NULL);
}

unsigned nwi_walk_cache_invalidate(struct nwi_walk_cache *cache,
                                   const struct nwi_tlb_match *match) {
  return nwi_tlb_invalidate(cache->store, match);
}

const struct nwi_tlb *nwi_walk_cache_store(const struct nwi_walk_cache *cache) {
  return cache->store;
}
