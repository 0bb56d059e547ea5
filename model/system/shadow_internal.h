/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the shadow tables share; the rest of the machine sees shadow_pages.h. */
#ifndef NESTWALK_SYSTEM_SHADOW_INTERNAL_H
#define NESTWALK_SYSTEM_SHADOW_INTERNAL_H

#include "system/shadow_pages.h"

#define NW_SHADOW_LINKS 4u /* frames of the largest guest table, a short root */
#define NW_SHADOW_BUCKETS 4096u
#define NW_SHADOW_PINS (NW_LEVELS + 1)

/* A leaf: on the list of the 4 KB frame that it maps or, larger, of the 2 MB region that it is in. */
struct nw_shadow_leaf {
  struct nw_shadow_leaf *next, **link;
  struct nw_shadow_page *page;
  uint32_t frame; /* the first guest frame mapped */
  uint8_t log2;   /* bytes mapped; 0: there is no leaf */
  bool writable;
  bool supervisor; /* as of struct nw_shadow_mapping */
  bool prefetched; /* and not used since */
};

/* An entry that links a table: on that table's list of parents. */
struct nw_shadow_child {
  struct nw_shadow_child *next, **link;
  struct nw_shadow_page *parent, *child; /* child NULL: the entry links nothing */
};

/* A shadow table's place on the list of a guest frame that its guest table is in. */
struct nw_shadow_source {
  struct nw_shadow_source *next, **link;
  struct nw_shadow_page *page;
};

struct nw_shadow_page {
  uint64_t guest; /* IPA of the guest's table; direct: of the memory mapped */
  struct nw_shadow_role role;
  uint64_t table; /* host address */
  uint32_t bytes; /* of host memory */
  uint32_t entries;
  uint32_t asid;   /* roots: valid in its generation */
  uint32_t stores; /* trapped in a row without use */
  uint64_t asid_generation;
  bool root;
  bool pinned;
  bool garbage; /* on the list of tables to destroy */
  struct nw_shadow_child *parents;
  struct nw_shadow_child *child; /* by index, above the last level */
  struct nw_shadow_leaf *leaf;   /* by index, at the last level; with large pages at all levels */
  struct nw_shadow_source source[NW_SHADOW_LINKS];   /* made from a guest table */
  struct nw_shadow_page *newer, *older;              /* in the order of use */
  struct nw_shadow_page *next_direct, *next_garbage; /* lists of their own */
  struct nw_shadow_page *next_unsync, **unsync;      /* on the list of those; NULL: in step */
};

struct nw_shadow_frame {
  struct nw_shadow_source *tables;
  struct nw_shadow_leaf *leaves;
};

struct nw_shadows {
  struct nw_machine *machine;
  struct nw_hypervisor *hypervisor;
  const struct nw_shadow_config *config;
  const struct nw_format *format; /* of the hardware; the guest's has the same geometry */
  struct nw_shadow_frame *frame;  /* by guest frame */
  struct nw_shadow_leaf **large;  /* large leaves by 2 MB of guest memory */
  struct nw_shadow_page *newest, *oldest;
  struct nw_shadow_page *garbage;
  struct nw_shadow_page *idle[NW_LEVELS]; /* destroyed, by level */
  struct nw_shadow_page *unsync;          /* tables that the guest may write unseen */
  struct nw_shadow_page *loaded;
  struct nw_shadow_page *pin[NW_SHADOW_PINS];
  unsigned pins;
  struct nw_shadow_page *direct[NW_SHADOW_BUCKETS];
  struct nw_shadow_page **by_table; /* last-level tables by KB of host memory; with prefetch only */
  uint64_t *spare;                  /* pieces of 1 KB to make tables of */
  uint32_t spares, spare_capacity;
  uint32_t next_asid;
  uint64_t asid_generation;
  bool flush; /* the TLB has to forget more than single pages */
  bool agile; /* the hardware has the guest's registers, and may walk the guest's tables */
};

/* -- geometry -- */

static inline struct nw_shadow_frame *nw_shadow_frame_of(const struct nw_shadows *shadows,
                                                         uint64_t ipa) {
  return &shadows->frame[ipa >> NW_FRAME_LOG2];
}

static inline uint32_t nw_shadow_index(const struct nw_shadows *shadows,
                                       const struct nw_shadow_page *page, uint64_t va) {
  return (uint32_t)(va >> shadows->format->shift[page->role.level]) & (page->entries - 1);
}

/* The address that the guest names by the bits that tables translate: x86-64 repeats the top one. */
static inline uint64_t nw_shadow_full_va(const struct nw_shadows *shadows, uint64_t va) {
  const struct nw_regime *guest = &shadows->machine->guest_regime;
  unsigned above = 64u - guest->va_bits;
  return guest->sign_extended ? (uint64_t)((int64_t)(va << above) >> above) : va;
}

static inline uint64_t nw_shadow_entry_va(const struct nw_shadows *shadows,
                                          const struct nw_shadow_page *page, uint32_t index) {
  uint64_t offset = (uint64_t)index << shadows->format->shift[page->role.level];
  return nw_shadow_full_va(shadows, page->role.va + offset);
}

static inline bool nw_shadow_is_last(const struct nw_shadows *shadows,
                                     const struct nw_shadow_page *page) {
  return page->role.level == shadows->format->last_level;
}

/* Bytes of the guest's table. */
static inline uint64_t nw_shadow_guest_bytes(const struct nw_shadows *shadows,
                                             const struct nw_shadow_page *page) {
  return (uint64_t)page->entries * shadows->format->descriptor_bytes;
}

/* Index of the descriptor at `ipa`; false when the page's guest table does not hold it. */
static inline bool nw_shadow_holds(const struct nw_shadows *shadows,
                                   const struct nw_shadow_page *page, uint64_t ipa,
                                   uint32_t *index) {
  if (ipa < page->guest || ipa - page->guest >= nw_shadow_guest_bytes(shadows, page))
    return false;
  *index = (uint32_t)((ipa - page->guest) / shadows->format->descriptor_bytes);
  return true;
}

/* -- shadow_pages.c -- */

/* Writes a descriptor into a shadow table, priced. */
void nw_shadow_write_entry(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index,
                           uint64_t descriptor);
/* What the entry is now: costs nothing. */
uint64_t nw_shadow_read_entry(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                              uint32_t index);
/* Whether a table has to stay: pinned, or a view of the root that runs. */
bool nw_shadow_in_use(const struct nw_shadows *shadows, const struct nw_shadow_page *page);
/* Clears the entry that links a table; what nothing links any more is garbage. */
void nw_shadow_unlink(struct nw_shadows *shadows, struct nw_shadow_child *entry);
/* Takes back every entry of a table that stays. */
void nw_shadow_empty(struct nw_shadows *shadows, struct nw_shadow_page *page);
/* Unlinks a table from wherever it is linked and makes it garbage. */
void nw_shadow_discard(struct nw_shadows *shadows, struct nw_shadow_page *page);
/* Destroys the garbage and lets the TLB forget it. */
void nw_shadow_collect(struct nw_shadows *shadows);

/* -- shadow_rmap.c -- */

/* The leaf that stands in entry `index`, NULL when there is none; of a leaf of several entries the
 * first one. */
struct nw_shadow_leaf *nw_shadow_leaf_at(const struct nw_shadows *shadows,
                                         const struct nw_shadow_page *page, uint32_t index);
/* Takes the leaf off its list, without touching the table or the TLB. */
void nw_shadow_forget(struct nw_shadow_leaf *leaf);
/* Takes a leaf back: table and TLB, too. */
void nw_shadow_drop(struct nw_shadows *shadows, struct nw_shadow_leaf *leaf);
/* nw_shadow_map(), but leaves the garbage to the caller. */
void nw_shadow_set(struct nw_shadows *shadows, struct nw_shadow_page *page,
                   const struct nw_shadow_mapping *mapping);
/* A frame becomes a table that is followed by write protection: nobody writes it from now on. */
void nw_shadow_protect(struct nw_shadows *shadows, uint64_t ipa);
/* What a view may do with a page of the mapping's raw rights; false when it may not even read. */
bool nw_shadow_leaf_for_view(const struct nw_shadows *shadows, uint8_t view,
                             const struct nw_shadow_mapping *mapping, struct nwi_leaf *leaf);

/* -- shadow_write.c -- */

/* The guest's descriptor that entry `index` is made from: raw, and what it means to a reader.
 * Priced when `price` is set. */
uint64_t nw_shadow_guest_entry(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                               uint32_t index, bool price, struct nw_descriptor *meaning);
/* IPA of the 4 KB that a guest leaf maps at `va`. */
uint64_t nw_shadow_leaf_ipa(const struct nw_descriptor *meaning, uint64_t va);
/* True where a reader may use the guest's leaf without the guest's table being touched. */
bool nw_shadow_is_usable(const struct nw_descriptor *meaning, uint64_t raw);
/* Rewrites a leaf of 4 KB from the guest's descriptor, or drops it where that is no valid one. */
void nw_shadow_update(struct nw_shadows *shadows, struct nw_shadow_leaf *leaf);

/* -- shadow_unsync.c -- */

/* Brings one table up to date and protects its guest table again. */
void nw_shadow_resync(struct nw_shadows *shadows, struct nw_shadow_page *page);
/* A table of a higher level is made from the frame of `ipa`: none in it may be out of step. */
void nw_shadow_resync_frame(struct nw_shadows *shadows, uint64_t ipa);
/* Takes a table that goes off the list. */
void nw_shadow_leave_unsync(struct nw_shadow_page *page);

/* -- shadow_fill.c -- */

/* A table comes: what is known of its guest table's holes is noted in it. */
void nw_shadow_coming(struct nw_shadows *shadows, struct nw_shadow_page *page);
/* A table goes. */
void nw_shadow_going(struct nw_shadows *shadows, const struct nw_shadow_page *page);
/* The value of an entry that maps nothing, from the guest's descriptor at this moment. */
uint64_t nw_shadow_nothing(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                           uint32_t index);
/* Fills an empty entry of a last-level table, if the guest's is valid and its page backed; leaves the
 * garbage to the caller. */
void nw_shadow_prefetch_entry(struct nw_shadows *shadows, struct nw_shadow_page *page,
                              uint32_t index);
/* Forgets what is known of holes: the guest may write its table unseen. */
void nw_shadow_forget_holes(struct nw_shadows *shadows, struct nw_shadow_page *page);

#endif
