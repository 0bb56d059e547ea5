/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAM TLB: entries of mixed page sizes under tags of VA, ASID and VMID. The main invariant is
 * that at most one entry can ever hit an address under one ASID and VMID: installing drops whatever
 * overlaps. The same store, with nested spans allowed, serves the walk cache (see walk_cache.h).
 */
#ifndef NESTWALK_CORE_TLB_H
#define NESTWALK_CORE_TLB_H

#include <nestwalk/mmu.h>

struct nwi_tlb; /* opaque */

/* What an entry holds. `rights` is opaque to the TLB. */
struct nwi_tlb_entry {
  uint64_t va; /* first address covered: the low page_log2 bits are 0 */
  uint64_t pa; /* first address it maps to */
  uint32_t rights;
  uint16_t asid; /* meaningless in a global entry */
  uint16_t vmid;
  uint8_t page_log2;    /* the entry covers 2^page_log2 bytes; 12 .. 40 */
  uint8_t s1_page_log2; /* of the page that it is of in stage 1, 0 where there is none */
  uint8_t s2_page_log2;
  uint8_t attr, sh;
  uint8_t level; /* carried */
  bool global;   /* matches every ASID; never every VMID */
};

/* What an invalidation matches: an entry goes when every condition switched on holds. */
struct nwi_tlb_match {
  uint64_t va;
  uint16_t asid, vmid;
  bool by_va;         /* the entry covers `va` */
  bool by_asid;       /* the entry is of `asid`; global entries too where `globals` is set */
  bool globals;       /* with by_asid: global entries match as well */
  bool spare_globals; /* without by_asid: global entries do not match */
  bool by_vmid;       /* the entry is of `vmid` */
  bool whole_s1_page; /* with by_va: so does every entry of a stage-1 page that covers `va` */
};

/* Somebody who is told of all that is asked of a TLB, in order, with what a TLB of any size would need
 * to answer it. */
struct nwi_tlb_watch {
  void *context;
  void (*looked_up)(void *context, uint64_t va, uint16_t asid, uint16_t vmid);
  void (*installed)(void *context, const struct nwi_tlb_entry *entry);
  void (*invalidated)(void *context, const struct nwi_tlb_match *match);
  /* Told by the MMU: the walk that the last lookup led to ended in a fault; counting starts anew. */
  void (*faulted)(void *context);
  void (*restarted)(void *context);
};

/**
 * `nested`: entries may cover one another (walk cache); a lookup gives the smallest that matches.
 * Only an entry of the same span and tags is replaced by an install. Returns NULL on an impossible
 * geometry, with a sentence in `error`. `name` is used in that sentence. entries must not be 0.
 */
struct nwi_tlb *nwi_tlb_create(const struct nw_tlb_config *config, const char *name, uint64_t seed,
                               bool nested, char *error, size_t error_size);
void nwi_tlb_destroy(struct nwi_tlb *tlb);

/** The entry that matches, touched in its replacement state, or NULL. `probes` gets the number of
 * probes made: 1 for a CAM (ways == entries), else one per page size present, smallest first, up to
 * the hit. The pointer is valid until the next install or invalidation. */
const struct nwi_tlb_entry *nwi_tlb_lookup(struct nwi_tlb *tlb, uint64_t va, uint16_t asid,
                                           uint16_t vmid, unsigned *probes);
/** The same without touching anything. */
const struct nwi_tlb_entry *nwi_tlb_peek(const struct nwi_tlb *tlb, uint64_t va, uint16_t asid,
                                         uint16_t vmid, unsigned *probes);

/** Puts an entry in, after dropping every entry that overlaps it under tags that could both match.
 * A victim is chosen among invalid ways first (lowest number), else by the policy. When a valid
 * entry was evicted by the policy it is copied to `victim` (may be NULL) and true is returned. */
bool nwi_tlb_install(struct nwi_tlb *tlb, const struct nwi_tlb_entry *entry,
                     struct nwi_tlb_entry *victim);

/** Drops all matching entries; returns how many. */
unsigned nwi_tlb_invalidate(struct nwi_tlb *tlb, const struct nwi_tlb_match *match);

/** From here on `watch`, which has to outlive the TLB, is told; NULL: nobody. Only lookups that come
 * through nwi_tlb_lookup() are: see nwi_mmu_watch(). */
void nwi_tlb_set_watch(struct nwi_tlb *tlb, const struct nwi_tlb_watch *watch);

/** Number of valid entries, and the i-th slot's entry or NULL when invalid (for tests, benches). */
unsigned nwi_tlb_occupancy(const struct nwi_tlb *tlb);
const struct nwi_tlb_entry *nwi_tlb_slot(const struct nwi_tlb *tlb, unsigned set, unsigned way);

#endif
