/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAM TLB. Its main invariant: at most one entry can ever hit an address under one ASID and
 * VMID (nested stores: one of each span), since installing drops whatever overlaps.
 *
 * How it is laid out. The sets only say where an entry may be placed; finding one does not search
 * them. Every valid entry hangs in a chain of a hash index over (page number, page size, VMID), so
 * a lookup costs one chain per page size present, whatever the associativity. The ASID is not
 * hashed: global entries and those of all ASIDs of a page are in one chain, where an install finds
 * what it has to drop. What a lookup compares is in `nodes`, 16 bytes an entry; the contents lie
 * apart in `entries`.
 */
#include "core/tlb.h"

#include "core/replacement.h"
#include "core/tlb_hit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NONE NWI_NO_SLOT
#define MAX_ENTRIES (UINT32_C(1) << 24)
#define LOG2_MAX 63u
#define INVALID 0x800u /* a node's key: size 0, and a bit that no page address has */

/* Which ASIDs and global entries a drop is about. */
struct reach {
  bool every_asid; /* else those of `asid` */
  bool globals;    /* global ones as well */
  uint16_t asid;
};

static inline uint64_t key_of(uint64_t va, unsigned log2) {
  return nwi_page_of(va, log2) | log2;
}

/* Multiplicative hashing: the bits that decide are the product's topmost. */
static inline uint32_t hash_of(const struct nwi_tlb *tlb, uint64_t key, uint32_t vmid) {
  return (uint32_t)((key ^ (uint64_t)vmid << 48) * 0x9e3779b97f4a7c15u >> tlb->hash_shift);
}

static inline uint32_t set_of(const struct nwi_tlb *tlb, uint64_t va, unsigned log2) {
  return (uint32_t)(va >> log2) & (tlb->sets - 1);
}

static inline bool is_valid(const struct nwi_tlb_node *node) {
  return node->key != INVALID;
}

/* ---- creation -------------------------------------------------------------------------------- */

static bool config_possible(const struct nw_tlb_config *config, const char *name, char *error,
                            size_t error_size) {
  if (config->entries == 0 || config->entries > MAX_ENTRIES)
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu32 " entries found, 1 to %" PRIu32 " expected", name,
                        config->entries, MAX_ENTRIES);
  return nwi_geometry_possible(config->entries, config->ways, "entries", name, error, error_size) &&
         nwi_replacement_possible(config->policy, config->ways, name, error, error_size);
}

/* Everything invalid; the replacement state stays as it is. */
static void clear(struct nwi_tlb *tlb) {
  uint32_t last_bits = tlb->ways % 64;
  for (uint32_t slot = 0; slot < tlb->sets * tlb->ways; slot++)
    tlb->nodes[slot] = (struct nwi_tlb_node){.key = INVALID};
  memset(tlb->heads, 0xff, ((size_t)1 << (64 - tlb->hash_shift)) * sizeof *tlb->heads);
  memset(tlb->used, 0, (size_t)tlb->sets * tlb->way_words * sizeof *tlb->used);
  memset(tlb->first_free, 0, tlb->sets * sizeof *tlb->first_free);
  if (last_bits != 0)
    for (uint32_t set = 0; set < tlb->sets; set++)
      tlb->used[(size_t)(set + 1) * tlb->way_words - 1] = UINT64_MAX << last_bits;
  memset(tlb->recent, 0, ((size_t)tlb->recent_mask + 1) * sizeof *tlb->recent);
  memset(tlb->count, 0, sizeof tlb->count);
  memset(tlb->hit_probes, 0, sizeof tlb->hit_probes);
  tlb->miss_probes = tlb->sets == 1 ? 1 : 0;
  tlb->sizes = 0;
  tlb->occupancy = 0;
  tlb->splinters = 0;
}

/* Chains stay short with at most three entries to four of them. */
static uint8_t shift_of_index(uint32_t entries) {
  uint8_t bits = 1;
  while ((UINT64_C(3) << bits) < (uint64_t)entries * 4)
    bits++;
  return (uint8_t)(64 - bits);
}

/* Four for each entry make addresses that share one rare; beyond 16 KB they cost more than they
 * save. */
static uint32_t mask_of_recent(uint32_t entries) {
  uint32_t recent = 64;
  while (recent < 4096 && recent < entries * 4)
    recent *= 2;
  return recent - 1;
}

static void *cache_aligned(size_t bytes) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static bool allocate(struct nwi_tlb *tlb, const struct nw_tlb_config *config, uint64_t seed) {
  size_t entries = config->entries;
  tlb->ways = config->ways;
  tlb->latency = config->latency;
  tlb->sets = config->entries / config->ways;
  tlb->way_words = (config->ways + 63) / 64;
  tlb->hash_shift = shift_of_index(config->entries);
  tlb->recent_mask = mask_of_recent(config->entries);
  tlb->recent = cache_aligned(((size_t)tlb->recent_mask + 1) * sizeof *tlb->recent);
  tlb->nodes = cache_aligned(entries * sizeof *tlb->nodes);
  tlb->heads = cache_aligned(((size_t)1 << (64 - tlb->hash_shift)) * sizeof *tlb->heads);
  tlb->entries = cache_aligned(entries * sizeof *tlb->entries);
  tlb->used = cache_aligned((size_t)tlb->sets * tlb->way_words * sizeof *tlb->used);
  tlb->first_free = cache_aligned(tlb->sets * sizeof *tlb->first_free);
  bool replacement =
      nwi_replacement_init(&tlb->replacement, config->policy, tlb->sets, tlb->ways, seed);
  return tlb->recent != NULL && tlb->nodes != NULL && tlb->heads != NULL && tlb->entries != NULL &&
         tlb->used != NULL && tlb->first_free != NULL && replacement;
}

struct nwi_tlb *nwi_tlb_create(const struct nw_tlb_config *config, const char *name, uint64_t seed,
                               bool nested, char *error, size_t error_size) {
  if (!config_possible(config, name, error, error_size))
    return NULL;
  struct nwi_tlb *tlb = calloc(1, sizeof *tlb);
  if (tlb == NULL || !allocate(tlb, config, seed)) {
    nwi_sentence(error, error_size, "%s: no memory for %" PRIu32 " entries", name, config->entries);
    nwi_tlb_destroy(tlb);
    return NULL;
  }
  tlb->nested = nested;
  clear(tlb);
  return tlb;
}

void nwi_tlb_destroy(struct nwi_tlb *tlb) {
  if (tlb == NULL)
    return;
  free(tlb->recent);
  free(tlb->nodes);
  free(tlb->heads);
  free(tlb->entries);
  free(tlb->used);
  free(tlb->first_free);
  nwi_replacement_free(&tlb->replacement);
  free(tlb);
}

/* ---- looking up ------------------------------------------------------------------------------ */

/* Sizes present, smallest first. */
static inline uint32_t find(const struct nwi_tlb *tlb, uint64_t va, uint32_t tag) {
  for (uint64_t left = tlb->sizes; left != 0; left &= left - 1) {
    uint64_t key = key_of(va, nwi_lowest_bit(left));
    uint32_t slot = tlb->heads[hash_of(tlb, key, tag >> 16)];
    while (slot != NONE) {
      const struct nwi_tlb_node *node = &tlb->nodes[slot];
      if ((node->key & ~(uint64_t)NWI_GLOBAL_BIT) == key && nwi_tag_differs(node, tag) == 0)
        return slot;
      slot = node->next;
    }
  }
  return NONE;
}

/* The unusual cases are apart, so that the usual one saves no registers. */
NWI_NOINLINE static const struct nwi_tlb_entry *hit(struct nwi_tlb *tlb, uint64_t va, uint32_t slot,
                                                    unsigned *probes) {
  uint32_t set = set_of(tlb, va, nwi_log2_of(&tlb->nodes[slot]));
  nwi_replacement_hit(&tlb->replacement, set, slot);
  *probes = nwi_tlb_hit_probes(tlb, slot);
  return &tlb->entries[slot];
}

NWI_NOINLINE static const struct nwi_tlb_entry *search(struct nwi_tlb *tlb, uint64_t va,
                                                       uint32_t tag, unsigned *probes) {
  uint32_t slot = find(tlb, va, tag);
  if (slot == NONE) {
    *probes = tlb->miss_probes;
    return NULL;
  }
  *nwi_recent_of(tlb, va) = slot;
  return hit(tlb, va, slot, probes);
}

const struct nwi_tlb_entry *nwi_tlb_lookup(struct nwi_tlb *tlb, uint64_t va, uint16_t asid,
                                           uint16_t vmid, unsigned *probes) {
  uint32_t tag = nwi_tag_of(asid, vmid);
  uint32_t slot = *nwi_recent_of(tlb, va);
  if (tlb->watch != NULL)
    tlb->watch->looked_up(tlb->watch->context, va, asid, vmid);
  if (tlb->nested || !nwi_node_covers(&tlb->nodes[slot], va, tag))
    return search(tlb, va, tag, probes);
  return hit(tlb, va, slot, probes);
}

const struct nwi_tlb_entry *nwi_tlb_peek(const struct nwi_tlb *tlb, uint64_t va, uint16_t asid,
                                         uint16_t vmid, unsigned *probes) {
  uint32_t slot = find(tlb, va, nwi_tag_of(asid, vmid));
  if (slot == NONE) {
    *probes = tlb->miss_probes;
    return NULL;
  }
  *probes = nwi_tlb_hit_probes(tlb, slot);
  return &tlb->entries[slot];
}

/* ---- taking out ------------------------------------------------------------------------------ */

/* A page size has come or gone: how many probes reach each size. A CAM compares all at once. */
static void count_probes(struct nwi_tlb *tlb) {
  uint8_t probes = 0;
  for (uint64_t left = tlb->sizes; left != 0; left &= left - 1) {
    probes = tlb->sets == 1 ? 1 : (uint8_t)(probes + 1);
    tlb->hit_probes[nwi_lowest_bit(left)] = probes;
    tlb->hit_cycles[nwi_lowest_bit(left)] = probes * tlb->latency;
  }
  tlb->miss_probes = tlb->sets == 1 ? 1 : probes;
}

static inline bool is_splinter(const struct nwi_tlb_entry *entry) {
  return entry->s1_page_log2 > entry->page_log2;
}

/* Takes a slot that is in no chain any more out of everything else. */
static void forget(struct nwi_tlb *tlb, uint32_t slot) {
  unsigned log2 = nwi_log2_of(&tlb->nodes[slot]);
  uint32_t set = set_of(tlb, tlb->nodes[slot].key, log2);
  uint32_t way = slot - set * tlb->ways;
  tlb->nodes[slot].key = INVALID;
  tlb->used[(size_t)set * tlb->way_words + way / 64] &= ~((uint64_t)1 << way % 64);
  if (way / 64 < tlb->first_free[set])
    tlb->first_free[set] = way / 64;
  tlb->occupancy--;
  tlb->splinters -= is_splinter(&tlb->entries[slot]);
  if (--tlb->count[log2] == 0) {
    tlb->sizes &= ~((uint64_t)1 << log2);
    count_probes(tlb);
  }
}

static uint32_t *chain_of(struct nwi_tlb *tlb, const struct nwi_tlb_node *node) {
  return &tlb->heads[hash_of(tlb, node->key & ~(uint64_t)NWI_GLOBAL_BIT, node->tag >> 16)];
}

static void drop(struct nwi_tlb *tlb, uint32_t slot) {
  uint32_t *link = chain_of(tlb, &tlb->nodes[slot]);
  while (*link != slot)
    link = &tlb->nodes[*link].next;
  *link = tlb->nodes[slot].next;
  forget(tlb, slot);
}

static inline bool reaches(const struct reach *reach, const struct nwi_tlb_node *node) {
  if (nwi_is_global(node))
    return reach->globals;
  return reach->every_asid || (node->tag & 0xffff) == reach->asid;
}

/* Drops what `reach` reaches of the entries for exactly one page of one VMID. */
static unsigned drop_page(struct nwi_tlb *tlb, uint64_t key, uint16_t vmid,
                          const struct reach *reach) {
  unsigned dropped = 0;
  uint32_t *link = &tlb->heads[hash_of(tlb, key, vmid)];
  while (*link != NONE) {
    uint32_t slot = *link;
    struct nwi_tlb_node *node = &tlb->nodes[slot];
    if ((node->key & ~(uint64_t)NWI_GLOBAL_BIT) == key && node->tag >> 16 == vmid &&
        reaches(reach, node)) {
      *link = node->next;
      forget(tlb, slot);
      dropped++;
    } else {
      link = &node->next;
    }
  }
  return dropped;
}

/* ---- putting in ------------------------------------------------------------------------------ */

/* Drops the smaller pages that lie inside `entry` by looking at every slot; larger ones that begin
 * where it does have been dropped before. */
static void drop_inside(struct nwi_tlb *tlb, const struct nwi_tlb_entry *entry,
                        const struct reach *reach) {
  uint32_t slots = tlb->sets * tlb->ways;
  for (uint32_t slot = 0; slot < slots; slot++) {
    const struct nwi_tlb_node *node = &tlb->nodes[slot];
    if (is_valid(node) && nwi_page_of(node->key, entry->page_log2) == entry->va &&
        node->tag >> 16 == entry->vmid && reaches(reach, node))
      drop(tlb, slot);
  }
}

/* Drops the pages of one smaller size that lie inside `entry`, if there can only be few. */
static bool drop_few_inside(struct nwi_tlb *tlb, const struct nwi_tlb_entry *entry, unsigned log2,
                            const struct reach *reach) {
  uint64_t pages = (uint64_t)1 << (entry->page_log2 - log2);
  if (pages > tlb->occupancy)
    return false;
  for (uint64_t page = 0; page < pages; page++)
    drop_page(tlb, key_of(entry->va + (page << log2), log2), entry->vmid, reach);
  return true;
}

/* Two entries overlap when one page lies in the other and an ASID exists that both match. */
static void drop_overlapping(struct nwi_tlb *tlb, const struct nwi_tlb_entry *entry) {
  const struct reach reach = {.every_asid = entry->global, .globals = true, .asid = entry->asid};
  uint64_t own = (uint64_t)1 << entry->page_log2;
  uint64_t wanted = tlb->nested ? tlb->sizes & own : tlb->sizes;
  for (uint64_t left = wanted & ~(own - 1); left != 0; left &= left - 1)
    drop_page(tlb, key_of(entry->va, nwi_lowest_bit(left)), entry->vmid, &reach);
  for (uint64_t left = wanted & (own - 1); left != 0; left &= left - 1) {
    if (!drop_few_inside(tlb, entry, nwi_lowest_bit(left), &reach)) {
      drop_inside(tlb, entry, &reach);
      return;
    }
  }
}

/* The lowest invalid slot of a set, or NONE. */
static uint32_t free_slot(struct nwi_tlb *tlb, uint32_t set) {
  const uint64_t *used = tlb->used + (size_t)set * tlb->way_words;
  uint32_t word = tlb->first_free[set];
  while (word < tlb->way_words && used[word] == UINT64_MAX)
    word++;
  tlb->first_free[set] = word;
  return word == tlb->way_words ? NONE : set * tlb->ways + word * 64 + nwi_lowest_bit(~used[word]);
}

static void put(struct nwi_tlb *tlb, uint32_t set, uint32_t slot,
                const struct nwi_tlb_entry *entry) {
  uint32_t way = slot - set * tlb->ways;
  struct nwi_tlb_node *node = &tlb->nodes[slot];
  tlb->entries[slot] = *entry;
  node->key = key_of(entry->va, entry->page_log2) | (entry->global ? NWI_GLOBAL_BIT : 0);
  node->tag = nwi_tag_of(entry->global ? 0 : entry->asid, entry->vmid);
  uint32_t *head = chain_of(tlb, node);
  node->next = *head;
  *head = slot;
  tlb->used[(size_t)set * tlb->way_words + way / 64] |= (uint64_t)1 << way % 64;
  tlb->occupancy++;
  tlb->splinters += is_splinter(entry);
  if (tlb->count[entry->page_log2]++ == 0) {
    tlb->sizes |= (uint64_t)1 << entry->page_log2;
    count_probes(tlb);
  }
  *nwi_recent_of(tlb, entry->va) = slot;
}

bool nwi_tlb_install(struct nwi_tlb *tlb, const struct nwi_tlb_entry *entry,
                     struct nwi_tlb_entry *victim) {
  assert(entry->page_log2 >= NWI_LOG2_MIN && entry->page_log2 <= LOG2_MAX);
  struct nwi_tlb_entry aligned = *entry; /* whatever is in the low bits, the index needs 0 */
  aligned.va = nwi_page_of(entry->va, entry->page_log2);
  drop_overlapping(tlb, &aligned);
  uint32_t set = set_of(tlb, aligned.va, aligned.page_log2);
  uint32_t slot = free_slot(tlb, set);
  bool evicts = slot == NONE;
  if (evicts) {
    slot = nwi_replacement_victim(&tlb->replacement, set);
    if (victim != NULL)
      *victim = tlb->entries[slot];
    drop(tlb, slot);
  }
  put(tlb, set, slot, &aligned);
  nwi_replacement_filled(&tlb->replacement, set, slot);
  tlb->installs++;
  tlb->evictions += evicts;
  if (tlb->watch != NULL)
    tlb->watch->installed(tlb->watch->context, &aligned);
  return evicts;
}

/* ---- maintenance ----------------------------------------------------------------------------- */

/* Bits of the page that an operation by address means when it meets the entry. */
static inline unsigned span_of(const struct nwi_tlb *tlb, const struct nwi_tlb_match *match,
                               uint32_t slot) {
  const struct nwi_tlb_entry *entry = &tlb->entries[slot];
  return match->whole_s1_page && is_splinter(entry) ? entry->s1_page_log2 : entry->page_log2;
}

static inline bool invalidates(const struct nwi_tlb *tlb, const struct nwi_tlb_match *match,
                               const struct reach *reach, uint32_t slot) {
  const struct nwi_tlb_node *node = &tlb->nodes[slot];
  if (match->by_vmid && node->tag >> 16 != match->vmid)
    return false;
  if (match->by_va && ((node->key ^ match->va) >> span_of(tlb, match, slot)) != 0)
    return false;
  return reaches(reach, node);
}

static unsigned invalidate_everywhere(struct nwi_tlb *tlb, const struct nwi_tlb_match *match,
                                      const struct reach *reach) {
  unsigned dropped = 0;
  uint32_t left = tlb->occupancy;
  for (uint32_t slot = 0; left != 0; slot++) {
    if (!is_valid(&tlb->nodes[slot]))
      continue;
    left--;
    if (invalidates(tlb, match, reach, slot)) {
      drop(tlb, slot);
      dropped++;
    }
  }
  return dropped;
}

unsigned nwi_tlb_invalidate(struct nwi_tlb *tlb, const struct nwi_tlb_match *match) {
  const struct reach reach = {.every_asid = !match->by_asid,
                              .globals = match->by_asid ? match->globals : !match->spare_globals,
                              .asid = match->asid};
  bool of_its_page_alone = !match->whole_s1_page || tlb->splinters == 0;
  unsigned dropped = 0;
  if (tlb->watch != NULL)
    tlb->watch->invalidated(tlb->watch->context, match);
  if (!match->by_va && !match->by_asid && !match->by_vmid && !match->spare_globals) {
    dropped = tlb->occupancy;
    if (dropped != 0)
      clear(tlb);
  } else if (match->by_va && match->by_vmid && of_its_page_alone) {
    for (uint64_t left = tlb->sizes; left != 0; left &= left - 1)
      dropped += drop_page(tlb, key_of(match->va, nwi_lowest_bit(left)), match->vmid, &reach);
  } else {
    dropped = invalidate_everywhere(tlb, match, &reach);
  }
  return dropped;
}

/* ---- being watched --------------------------------------------------------------------------- */

void nwi_tlb_set_watch(struct nwi_tlb *tlb, const struct nwi_tlb_watch *watch) {
  tlb->watch = watch;
}

/* ---- looking in ------------------------------------------------------------------------------ */

unsigned nwi_tlb_occupancy(const struct nwi_tlb *tlb) {
  return tlb->occupancy;
}

const struct nwi_tlb_entry *nwi_tlb_slot(const struct nwi_tlb *tlb, unsigned set, unsigned way) {
  if (set >= tlb->sets || way >= tlb->ways)
    return NULL;
  uint32_t slot = set * tlb->ways + way;
  return is_valid(&tlb->nodes[slot]) ? &tlb->entries[slot] : NULL;
}
