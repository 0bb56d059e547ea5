/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow tables: host tables in the hardware's format, each made from one guest table under one
 * view, and each at the same level with the same indices as that. What a large guest leaf maps is
 * broken down to 4 KB in a table of its own, a *direct* one, made from no guest table.
 *
 * Two maps lead back from guest frames: to the shadow tables made from tables in the frame (stores
 * to it have to be caught) and to the shadow leaves that map the frame (they have to be read-only
 * as long as it holds such tables).
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

/* What a shadow table is made from and for. Tables are shared where all of it is the same, never
 * between different rights. */
struct nw_shadow_key {
  uint64_t guest;  /* IPA of the guest table; of a direct one: of the memory it maps */
  uint64_t va;     /* first address covered */
  uint32_t rights; /* limits from the guest's tables above; direct: the large leaf's raw rights */
  uint8_t level;
  uint8_t view; /* enum nw_view */
  bool direct;
};

struct nw_shadow_page;
struct nw_shadows; /* opaque */

struct nw_shadows *nw_shadows_create(struct nw_machine *machine);
void nw_shadows_destroy(struct nw_shadows *shadows);

/** The shadow table of that key, or NULL. */
struct nw_shadow_page *nw_shadow_find(const struct nw_shadows *shadows,
                                      const struct nw_shadow_key *key);
/** The same, made when it is not there, its guest table's frames write-protected; NULL when host
 * memory is used up even after idle roots were given up. */
struct nw_shadow_page *nw_shadow_get(struct nw_shadows *shadows, const struct nw_shadow_key *key);

/** Gives up the roots that nobody uses now and all that only they need; false if there are none. */
bool nw_shadow_give_up_idle(struct nw_shadows *shadows);

/** Host address of the table. */
uint64_t nw_shadow_table(const struct nw_shadow_page *page);
/** A root's hardware ASID, renewed when its generation has passed. */
uint32_t nw_shadow_asid(struct nw_shadows *shadows, struct nw_shadow_page *page);

/** Says which root the hardware uses, NULL for none: it is not given up. */
void nw_shadow_set_loaded(struct nw_shadows *shadows, struct nw_shadow_page *page);
/** Likewise, the root that is being filled. */
void nw_shadow_set_busy(struct nw_shadows *shadows, struct nw_shadow_page *page);

/** Makes the entry of `page` for `va` point to `child`. */
void nw_shadow_link(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                    struct nw_shadow_page *child);
/** Makes the last-level entry of `page` for `va` map the guest page `ipa`, which is backed, with
 * the view's share of `rights`; read-only where the frame holds shadowed tables. */
void nw_shadow_set_leaf(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                        uint64_t ipa, uint32_t rights);

/** True when the frame of `ipa` holds tables that shadow tables are made from. */
bool nw_shadow_is_table(const struct nw_shadows *shadows, uint64_t ipa);

/** The guest has stored a descriptor at `ipa`: drops or updates what was made from the old one. */
void nw_shadow_stored(struct nw_shadows *shadows, uint64_t ipa);
/** The guest has filled the frame of `ipa`: its tables are no tables any more. */
void nw_shadow_filled(struct nw_shadows *shadows, uint64_t ipa);
/** Drops all shadow tables: what the guest's registers say has changed. */
void nw_shadow_drop_all(struct nw_shadows *shadows);

/** Checks that no entry says more than the guest's table and that no shadowed table can be written
 * unseen; for tests. On a violation writes a sentence into `error`. */
bool nw_shadow_consistent(const struct nw_shadows *shadows, char *error, size_t error_size);

#endif
