/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow tables: host tables in the hardware's format, each made from one guest table in one role,
 * and each at the same level with the same indices as that: hardware and guest use descriptors of
 * the same geometry, so that one shadow table covers all of a guest table. What a large guest page
 * maps may be broken down to 4 KB in a table of its own, a *direct* one, made from no guest table.
 *
 * Two maps lead back from guest frames: to the shadow tables made from tables in the frame (stores
 * to it have to be caught) and to the shadow leaves that map the frame (they have to be read-only
 * as long as it holds such tables, and to go when the host takes the frame's memory elsewhere).
 * A third leads from each table to the entries that link it.
 *
 * shadow_pages.c has the tables, shadow_rmap.c the leaves, shadow_write.c what stores of the guest
 * lead to, shadow_unsync.c tables that the guest may write unseen, shadow_fill.c what is filled in
 * before the guest asks for it, shadow_refresh.c tables that were out of use, shadow_check.c the
 * invariants.
 */
#ifndef NESTWALK_SYSTEM_SHADOW_PAGES_H
#define NESTWALK_SYSTEM_SHADOW_PAGES_H

#include "system/hypervisor.h"

/* Whose rights shadow leaves have. A guest that runs de-privileged executes its kernel in user
 * mode, too, so that its two privileges need two sets of tables. */
enum nw_view {
  NW_VIEW_USER = 0, /* the program's rights, as user mode's */
  NW_VIEW_KERNEL,   /* the guest kernel's rights, as user mode's */
  NW_VIEW_BOTH,     /* the guest keeps its privileges */
};

/*
 * What a shadow table's entries depend on besides the guest's table. Tables are shared where all of
 * it is the same, never between different rights. What registers say that change rights (x86: CR0.WP,
 * CR4.SMEP and SMAP) is no part of it: tables do not outlive a write of one.
 */
struct nw_shadow_role {
  uint64_t va;     /* first address covered */
  uint32_t rights; /* limits from the guest's tables above; direct: the large page's raw rights */
  uint8_t level;
  uint8_t view; /* enum nw_view */
  bool direct;
  bool nested; /* agile paging: no table of ours, the hardware walks the guest's own from here on */
};

/* What a leaf is to map. */
struct nw_shadow_mapping {
  uint64_t va, ipa; /* anywhere in the page; the guest frame of `ipa` is backed */
  uint32_t rights;  /* the guest's raw rights */
  uint8_t log2;     /* bytes: 12, or more where guest page and host page allow */
  bool writable;    /* as far as the host is concerned */
  bool supervisor;  /* the supervisor writes */
};

struct nw_shadow_page;
struct nw_shadows; /* opaque */

struct nw_shadows *nw_shadows_create(struct nw_machine *machine);
void nw_shadows_destroy(struct nw_shadows *shadows);

/* -- tables -- */

/** The shadow table made from the guest table at IPA `guest` (direct: of the memory at `guest`) in
 * that role, or NULL. */
struct nw_shadow_page *nw_shadow_find(const struct nw_shadows *shadows, uint64_t guest,
                                      const struct nw_shadow_role *role);
/** The same, made when it is not there, its guest table's frames write-protected. It is used now,
 * for the order of eviction. NULL, and the machine's status says so, when host memory is used up
 * even after all tables that may go were evicted. */
struct nw_shadow_page *nw_shadow_get(struct nw_shadows *shadows, uint64_t guest,
                                     const struct nw_shadow_role *role);

/** Evicts the table used longest ago, and what only it needs; false when none may go: neither the
 * running guest root in any view nor pinned tables do. */
bool nw_shadow_evict(struct nw_shadows *shadows);

/** Host address of the table. */
uint64_t nw_shadow_table(const struct nw_shadow_page *page);
/** A root's hardware ASID, renewed when its generation has passed. */
uint32_t nw_shadow_asid(struct nw_shadows *shadows, struct nw_shadow_page *page);

/** Says which root the hardware uses, NULL for none. */
void nw_shadow_set_loaded(struct nw_shadows *shadows, struct nw_shadow_page *page);
/** Keeps a table that is about to be linked or filled until nw_shadow_unpin(). */
void nw_shadow_pin(struct nw_shadows *shadows, struct nw_shadow_page *page);
void nw_shadow_unpin(struct nw_shadows *shadows);

/** Makes the entry of `page` for `va` point to `child`, which is brought up to date first. */
void nw_shadow_link(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                    struct nw_shadow_page *child);
/** Agile paging: puts in the place of `page` the guest's own table, or a shadow table again, wherever
 * it is linked, and takes `page` away, which is no root. NULL when there is no memory for that. */
struct nw_shadow_page *nw_shadow_relink(struct nw_shadows *shadows, struct nw_shadow_page *page,
                                        bool nested);
/** Agile paging: an entry's stand-in for the guest's own table in the frame of `ipa`, or NULL. */
struct nw_shadow_page *nw_shadow_find_nested(const struct nw_shadows *shadows, uint64_t ipa);
/** Agile paging: no entry leads to the guest's own tables in the frame of `ipa` any more. */
void nw_shadow_unlink_nested(struct nw_shadows *shadows, uint64_t ipa);
/** Drops all shadow tables: what the guest's registers say has changed. */
void nw_shadow_drop_all(struct nw_shadows *shadows);

/* -- leaves -- */

/** Makes the entry of `page` a leaf with the view's share of the guest's rights; read-only where
 * the frame holds tables that are followed by write protection, and until the first write where
 * the guest's own entry is clean. */
void nw_shadow_map(struct nw_shadows *shadows, struct nw_shadow_page *page,
                   const struct nw_shadow_mapping *mapping);
/** log2 of the largest leaf that can map `va` to `ipa` out of a guest page of 2^guest_log2 bytes:
 * 12 unless large pages are on. */
uint8_t nw_shadow_leaf_log2(const struct nw_shadows *shadows, uint64_t ipa, uint8_t guest_log2);
/** The host's mapping of the frame of `ipa` changes: drops every leaf that maps it. */
void nw_shadow_unmap_frame(struct nw_shadows *shadows, uint64_t ipa);

/* -- the guest's tables change -- */

/** True when the frame of `ipa` holds tables that shadow tables are made from. */
bool nw_shadow_is_table(const struct nw_shadows *shadows, uint64_t ipa);
/** True when the guest must not write that frame unseen. */
bool nw_shadow_is_protected(const struct nw_shadows *shadows, uint64_t ipa);

/** The guest has stored a descriptor at `ipa`: drops or updates what was made from the old one.
 * With `trapped`, tables written again and again without use are unshadowed. */
void nw_shadow_stored(struct nw_shadows *shadows, uint64_t ipa, bool trapped);
/** The guest has filled the frame of `ipa`, or given it up: its tables are no tables any more. */
void nw_shadow_filled(struct nw_shadows *shadows, uint64_t ipa);

/** Lets the guest write the frame of `ipa`, whose tables are all of the last level, until the next
 * synchronisation; false where that may not be. */
bool nw_shadow_unsync(struct nw_shadows *shadows, uint64_t ipa);
/** Brings all tables up to date that the guest could write unseen, and protects them again. */
void nw_shadow_resync_all(struct nw_shadows *shadows);
/** Brings their entries for `va` up to date. */
void nw_shadow_resync_address(struct nw_shadows *shadows, uint64_t va);

/* -- filling ahead -- */

/** Fills the neighbours of the leaf at `va` in `page`, by the configured number each way. */
void nw_shadow_prefetch(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va);
/** The hardware's walker has read a descriptor at host address `pa`. */
void nw_shadow_walked(struct nw_shadows *shadows, uint64_t pa);
/** True when the shadow tables under `root` show that the guest itself maps nothing at `va`: the
 * fault is the guest's and needs no exit. */
bool nw_shadow_shows_hole(const struct nw_shadows *shadows, const struct nw_shadow_page *root,
                          uint64_t va);

/* -- while the hardware uses other tables (selective paging) -- */

/** The guest could write all its tables unseen for a while: takes back every entry that is no longer
 * what the guest's table says. */
void nw_shadow_refresh(struct nw_shadows *shadows);
/** Fills the tables below `root`, as far as the guest's are valid and their pages backed; stops when
 * there is no memory for more. */
void nw_shadow_fill(struct nw_shadows *shadows, struct nw_shadow_page *root);

/** Checks the invariants; for tests. On a violation writes a sentence into `error`. */
bool nw_shadow_consistent(const struct nw_shadows *shadows, char *error, size_t error_size);

#endif
