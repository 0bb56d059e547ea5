/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLB's layout and the hot part of its lookup, in line for mmu.c: is the slot that answered an
 * address like this one last the one that answers now? Everything else is in tlb.c, which explains
 * the layout.
 */
#ifndef NESTWALK_CORE_TLB_HIT_H
#define NESTWALK_CORE_TLB_HIT_H

#include "core/replacement.h"
#include "core/tlb.h"

#define NWI_LOG2_MIN 12u   /* the bits below hold the node's size and global flag */
#define NWI_GLOBAL_BIT 64u /* of a node's key; the size is in the bits below it */

/* What is compared. key: page address | global | page_log2, or INVALID. */
struct nwi_tlb_node {
  uint64_t key;
  uint32_t tag;  /* VMID in the upper half; the ASID in the lower, 0 in a global entry */
  uint32_t next; /* slot, in the hash chain */
};

struct nwi_tlb {
  const struct nwi_tlb_watch *watch; /* NULL: nobody is told */
  uint64_t sizes;                    /* bit page_log2 is set where count[page_log2] is not 0 */
  struct nwi_tlb_node *nodes;
  uint32_t *heads;  /* of the hash chains */
  uint32_t *recent; /* slot that answered last, by bits of the VA; to be compared before use */
  uint32_t recent_mask;
  uint8_t hash_shift;
  bool nested;
  uint8_t miss_probes;
  uint8_t hit_probes[64];  /* by page_log2 */
  uint32_t latency;        /* cycles of a probe */
  uint32_t hit_cycles[64]; /* hit_probes of them */
  uint64_t hits[64];       /* by page_log2: counted by the MMU */
  uint64_t installs, evictions;
  struct nwi_tlb_entry *entries;
  struct nwi_replacement replacement;

  uint32_t ways, sets;
  uint32_t count[64]; /* valid entries by page_log2 */
  uint32_t occupancy;
  uint32_t splinters;   /* valid entries that are smaller than their stage-1 page */
  uint32_t way_words;   /* words of a set in `used` */
  uint64_t *used;       /* bit way: valid; bits beyond the last way are set */
  uint32_t *first_free; /* by set: no way is free in words of `used` below this one */
};

static inline uint64_t nwi_page_of(uint64_t va, unsigned log2) {
  return va >> log2 << log2;
}

static inline uint32_t nwi_tag_of(uint16_t asid, uint16_t vmid) {
  return (uint32_t)vmid << 16 | asid;
}

static inline unsigned nwi_log2_of(const struct nwi_tlb_node *node) {
  return (unsigned)(node->key & (NWI_GLOBAL_BIT - 1));
}

static inline bool nwi_is_global(const struct nwi_tlb_node *node) {
  return (node->key & NWI_GLOBAL_BIT) != 0;
}

/* 0 where ASID and VMID match a node's: a global node does not look at the ASID. No branch, since
 * whether a page is global is as good as random. */
static inline uint32_t nwi_tag_differs(const struct nwi_tlb_node *node, uint32_t tag) {
  uint32_t ignored = (0u - (uint32_t)nwi_is_global(node)) & 0xffffu;
  return (node->tag ^ tag) & ~ignored;
}

/* Where the slot that answered an address last is remembered. */
static inline uint32_t *nwi_recent_of(const struct nwi_tlb *tlb, uint64_t va) {
  return &tlb->recent[(uint32_t)(va >> NWI_LOG2_MIN) & tlb->recent_mask];
}

/* An invalid node never covers: its size is 0, so INVALID itself is compared. */
static inline bool nwi_node_covers(const struct nwi_tlb_node *node, uint64_t va, uint32_t tag) {
  uint64_t differs = (nwi_page_of(va, NWI_LOG2_MIN) ^ node->key) >> nwi_log2_of(node);
  return (differs | nwi_tag_differs(node, tag)) == 0;
}

/* Probes that a hit in the slot takes: those of the sizes below its own, and its own. */
static inline unsigned nwi_tlb_hit_probes(const struct nwi_tlb *tlb, uint32_t slot) {
  return tlb->hit_probes[nwi_log2_of(&tlb->nodes[slot])];
}

#define NWI_NO_SLOT UINT32_MAX

/** The slot of the entry that matches, untouched, when it is the one that answered an address like
 * `va` last; else NWI_NO_SLOT, and nwi_tlb_lookup() is to be asked. Not for nested stores, where a
 * smaller span than the recent one may match as well. */
NWI_ALWAYS_INLINE uint32_t nwi_tlb_recent_slot(const struct nwi_tlb *tlb, uint64_t va,
                                               uint32_t tag) {
  uint32_t slot = *nwi_recent_of(tlb, va);
  return nwi_node_covers(&tlb->nodes[slot], va, tag) ? slot : NWI_NO_SLOT;
}

#endif
