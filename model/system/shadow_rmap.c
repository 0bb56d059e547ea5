/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leaves of the shadow tables, and the reverse map from guest frames to them.
 *
 * Invariant: a leaf of 4 KB is on the list of its frame, a larger one on the list of its 2 MB of
 * guest memory, and never maps a frame that holds a shadowed table (unless nobody protects those):
 * a store to the table's neighbours must not be trapped for the table's sake, nor the table be
 * written for theirs.
 */
#include "core/rights.h"
#include "system/agile.h"
#include "system/architecture.h"
#include "system/shadow_internal.h"

/* DDI 0406C B3.5.1: a large page is sixteen descriptors in a row. */
#define REPEATS 16u

static bool allowed(const struct nw_shadows *shadows, uint32_t rights, enum nw_access access,
                    enum nw_privilege privilege) {
  unsigned stage;
  return nw_rights_judge(&shadows->machine->guest_regime, rights | NWI_R_S2_ALL, access, privilege,
                         &stage) == NW_FAULT_NONE;
}

/* With CR0.WP clear the supervisor may write what programs may only read. Hardware, where the bit is
 * always set, cannot say that in one entry: at such a write the page becomes the supervisor's alone, and
 * at the program's next access it is made anew for both. */
static bool is_for_supervisor(const struct nw_shadows *shadows, uint8_t view,
                              const struct nw_shadow_mapping *mapping) {
  return mapping->supervisor && view == NW_VIEW_BOTH &&
         !allowed(shadows, mapping->rights, NW_WRITE, NW_USER) &&
         allowed(shadows, mapping->rights, NW_WRITE, NW_PRIVILEGED);
}

/*
 * The leaf is never global: the guest's global pages are the kernel view's alone, and the
 * hypervisor tells views apart by ASID. Where the guest's entry is clean it is read-only, so that
 * the first write comes to the hypervisor, which sets the guest's dirty flag; that holds, too,
 * where it is a register (here: a manager domain) that allows the write, not the entry.
 */
bool nw_shadow_leaf_for_view(const struct nw_shadows *shadows, uint8_t view,
                             const struct nw_shadow_mapping *mapping, struct nwi_leaf *leaf) {
  uint32_t rights = mapping->rights;
  bool user =
      allowed(shadows, rights, NW_READ, NW_USER) && !is_for_supervisor(shadows, view, mapping);
  enum nw_privilege privilege = NW_USER;
  if (view == NW_VIEW_KERNEL || (view == NW_VIEW_BOTH && !user))
    privilege = NW_PRIVILEGED;
  *leaf = (struct nwi_leaf){
      .page_log2 = NW_FRAME_LOG2,
      .readable = true,
      .writable = allowed(shadows, rights, NW_WRITE, privilege) && !nwi_rights_clean(rights),
      .executable = allowed(shadows, rights, NW_EXECUTE, privilege),
      .user = view != NW_VIEW_BOTH || user,
  };
  return allowed(shadows, rights, NW_READ, privilege);
}

/* -- one leaf ------------------------------------------------------------------------------- */

/* Descriptors in a row that make up a leaf. */
static uint32_t repeats(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                        uint8_t log2) {
  return 1u << (log2 - shadows->format->shift[page->role.level]);
}

static uint64_t bytes_of(const struct nw_shadow_leaf *leaf) {
  return UINT64_C(1) << leaf->log2;
}

struct nw_shadow_leaf *nw_shadow_leaf_at(const struct nw_shadows *shadows,
                                         const struct nw_shadow_page *page, uint32_t index) {
  if (page->leaf == NULL)
    return NULL;
  if (page->leaf[index].log2 != 0)
    return &page->leaf[index];
  struct nw_shadow_leaf *first = &page->leaf[index & ~(REPEATS - 1)];
  bool covers = first->log2 > shadows->format->shift[page->role.level];
  return covers ? first : NULL;
}

void nw_shadow_forget(struct nw_shadow_leaf *leaf) {
  *leaf->link = leaf->next;
  if (leaf->next != NULL)
    leaf->next->link = leaf->link;
  leaf->log2 = 0;
}

void nw_shadow_drop(struct nw_shadows *shadows, struct nw_shadow_leaf *leaf) {
  struct nw_shadow_page *page = leaf->page;
  uint32_t first = (uint32_t)(leaf - page->leaf), count = repeats(shadows, page, leaf->log2);
  nw_shadow_forget(leaf);
  for (uint32_t i = first; i < first + count; i++)
    nw_shadow_write_entry(shadows, page, i, nw_shadow_nothing(shadows, page, i));
  nw_mmu_invalidate(shadows->machine->mmu, shadows->machine->software->maintenance.address,
                    nw_shadow_entry_va(shadows, page, first));
}

/* The list that a leaf is on. */
static struct nw_shadow_leaf **list_of(struct nw_shadows *shadows, uint64_t ipa, uint8_t log2) {
  if (log2 == NW_FRAME_LOG2)
    return &nw_shadow_frame_of(shadows, ipa)->leaves;
  return &shadows->large[ipa >> NW_REGION_LOG2];
}

static void make_way(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t first,
                     uint32_t count) {
  for (uint32_t i = first; i < first + count; i++) {
    struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, i);
    if (leaf != NULL)
      nw_shadow_drop(shadows, leaf);
    if (page->child != NULL && page->child[i].child != NULL)
      nw_shadow_unlink(shadows, &page->child[i]);
  }
}

/* The leaf as it is to stand in the table; false when the view gets none. */
static bool make_leaf(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                      const struct nw_shadow_mapping *mapping, struct nwi_leaf *leaf) {
  uint64_t ipa = mapping->ipa >> mapping->log2 << mapping->log2, pa;
  if (!nw_shadow_leaf_for_view(shadows, page->role.view, mapping, leaf) ||
      !nw_hypervisor_backing(shadows->hypervisor, ipa, &pa))
    return false;
  leaf->output = pa;
  leaf->page_log2 = mapping->log2;
  leaf->writable = leaf->writable && mapping->writable && !nw_shadow_is_protected(shadows, ipa);
  if (shadows->agile) /* the guest's DACR judges it */
    leaf->domain = (uint8_t)((mapping->rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT);
  return true;
}

static void enlist(struct nw_shadows *shadows, struct nw_shadow_page *page,
                   struct nw_shadow_leaf *entry, uint64_t ipa, bool supervisor,
                   const struct nwi_leaf *leaf) {
  struct nw_shadow_leaf **list = list_of(shadows, ipa, leaf->page_log2);
  *entry = (struct nw_shadow_leaf){.next = *list,
                                   .link = list,
                                   .page = page,
                                   .frame = (uint32_t)(ipa >> NW_FRAME_LOG2),
                                   .log2 = leaf->page_log2,
                                   .writable = leaf->writable,
                                   .supervisor = supervisor};
  if (entry->next != NULL)
    entry->next->link = &entry->next;
  *list = entry;
}

/* Whether the leaf is there already, as it is to be. */
static bool stands(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                   uint32_t index, uint64_t ipa, uint8_t log2, uint64_t descriptor) {
  const struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, index);
  return leaf != NULL && leaf->log2 == log2 && leaf->frame == ipa >> NW_FRAME_LOG2 &&
         nw_shadow_read_entry(shadows, page, index) == descriptor;
}

void nw_shadow_set(struct nw_shadows *shadows, struct nw_shadow_page *page,
                   const struct nw_shadow_mapping *mapping) {
  uint64_t ipa = mapping->ipa >> mapping->log2 << mapping->log2;
  uint64_t va = mapping->va >> mapping->log2 << mapping->log2;
  uint32_t first = nw_shadow_index(shadows, page, va);
  uint32_t count = repeats(shadows, page, mapping->log2);
  struct nwi_leaf leaf;
  if (!make_leaf(shadows, page, mapping, &leaf)) {
    make_way(shadows, page, first, count);
    return;
  }
  uint64_t descriptor = shadows->format->encode_leaf(&leaf);
  if (stands(shadows, page, first, ipa, mapping->log2, descriptor))
    return;
  make_way(shadows, page, first, count);
  for (uint32_t i = first; i < first + count; i++)
    nw_shadow_write_entry(shadows, page, i, descriptor);
  enlist(shadows, page, &page->leaf[first], ipa, mapping->supervisor, &leaf);
}

void nw_shadow_map(struct nw_shadows *shadows, struct nw_shadow_page *page,
                   const struct nw_shadow_mapping *mapping) {
  nw_shadow_set(shadows, page, mapping);
  nw_shadow_collect(shadows);
}

/* -- large leaves --------------------------------------------------------------------------- */

static bool holds_tables(const struct nw_shadows *shadows, uint64_t ipa, uint8_t log2) {
  uint64_t start = ipa >> log2 << log2, end = start + (UINT64_C(1) << log2);
  for (uint64_t at = start; at < end; at += NW_FRAME_BYTES)
    if (nw_shadow_is_table(shadows, at))
      return true;
  return false;
}

uint8_t nw_shadow_leaf_log2(const struct nw_shadows *shadows, uint64_t ipa, uint8_t guest_log2) {
  if (!shadows->config->large_pages || guest_log2 == NW_FRAME_LOG2)
    return NW_FRAME_LOG2;
  uint8_t log2 = nw_hypervisor_backing_log2(shadows->hypervisor, ipa);
  if (log2 > NW_REGION_LOG2)
    log2 = NW_REGION_LOG2; /* what the lists of larger leaves are by */
  if (log2 > guest_log2)
    log2 = guest_log2;
  for (; log2 > NW_FRAME_LOG2; log2--)
    if (shadows->format->leaf_level(log2) != 0 &&
        (shadows->config->paravirtual || !holds_tables(shadows, ipa, log2)))
      return log2;
  return NW_FRAME_LOG2;
}

/* -- from a frame to its leaves ------------------------------------------------------------- */

bool nw_shadow_is_protected(const struct nw_shadows *shadows, uint64_t ipa) {
  const struct nw_shadow_source *source = nw_shadow_frame_of(shadows, ipa)->tables;
  if (shadows->config->paravirtual)
    return false;
  while (source != NULL && source->page->unsync != NULL)
    source = source->next;
  return source != NULL;
}

static bool maps(const struct nw_shadow_leaf *leaf, uint64_t ipa) {
  return ipa - ((uint64_t)leaf->frame << NW_FRAME_LOG2) < bytes_of(leaf);
}

static void drop_from(struct nw_shadows *shadows, struct nw_shadow_leaf *list, uint64_t ipa,
                      bool writable_only) {
  for (struct nw_shadow_leaf *leaf = list, *next; leaf != NULL; leaf = next) {
    next = leaf->next;
    if (maps(leaf, ipa) && (leaf->writable || !writable_only))
      nw_shadow_drop(shadows, leaf);
  }
}

static void drop_leaves(struct nw_shadows *shadows, uint64_t ipa, bool writable_only) {
  shadows->machine->statistics->shadow_rmap_walks++;
  drop_from(shadows, nw_shadow_frame_of(shadows, ipa)->leaves, ipa, writable_only);
  drop_from(shadows, shadows->large[ipa >> NW_REGION_LOG2], ipa, writable_only);
}

void nw_shadow_protect(struct nw_shadows *shadows, uint64_t ipa) {
  if (!nw_shadow_is_protected(shadows, ipa))
    return;
  drop_leaves(shadows, ipa, true);
  if (shadows->agile)
    nw_agile_protect(shadows->machine, ipa);
}

void nw_shadow_unmap_frame(struct nw_shadows *shadows, uint64_t ipa) {
  if (shadows->agile)
    nw_shadow_unlink_nested(shadows, ipa);
  drop_leaves(shadows, ipa, false);
}
