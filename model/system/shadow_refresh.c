/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow tables that the hardware did not use for a while. The guest wrote its tables meanwhile and
 * nobody looked, so that every entry has to be compared with what it was made from before the
 * tables are loaded again; and tables are filled before the program has to ask for each page.
 *
 * Invariant: after nw_shadow_refresh() all that nw_shadow_consistent() checks holds again.
 */
#include "system/agile.h"
#include "system/shadow_internal.h"

/* -- comparing ------------------------------------------------------------------------------ */

/* Reads the guest's whole table, a cache line at a time. */
static void price_table(struct nw_shadows *shadows, const struct nw_shadow_page *page) {
  uint64_t end = page->guest + nw_shadow_guest_bytes(shadows, page), pa;
  for (uint64_t at = page->guest; at < end; at += shadows->machine->line)
    if (nw_hypervisor_backing(shadows->hypervisor, at, &pa))
      nw_hypervisor_reference(shadows->hypervisor, pa);
}

/* Whether the guest's entry still leads to what the child was made from. */
static bool still_leads_to(const struct nw_shadow_page *child, const struct nw_descriptor *meaning,
                           uint64_t va) {
  if (meaning->rights != child->role.rights)
    return false;
  if (child->role.direct)
    return meaning->kind == NW_DESCRIPTOR_LEAF && nw_shadow_leaf_ipa(meaning, va) == child->guest;
  return meaning->kind == NW_DESCRIPTOR_TABLE && meaning->output == child->guest;
}

static void refresh_entry(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index) {
  struct nw_shadow_leaf *leaf =
      page->leaf != NULL && page->leaf[index].log2 != 0 ? &page->leaf[index] : NULL;
  struct nw_shadow_child *child =
      page->child != NULL && page->child[index].child != NULL ? &page->child[index] : NULL;
  if (leaf == NULL && child == NULL)
    return;
  uint64_t va = nw_shadow_entry_va(shadows, page, index);
  struct nw_descriptor meaning;
  nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  if (leaf != NULL)
    nw_shadow_update(shadows, leaf); /* a large one goes: its rights may be others */
  else if (!still_leads_to(child->child, &meaning, va))
    nw_shadow_unlink(shadows, child);
}

/* A guest that announces what it does to its tables has told nobody meanwhile which roots it gave
 * up; what becomes of their frames, nobody would notice either. */
static void discard_unannounced(struct nw_shadows *shadows) {
  for (struct nw_shadow_page *page = shadows->newest; page != NULL; page = page->older)
    if (page->root && !nw_shadow_in_use(shadows, page))
      nw_shadow_discard(shadows, page);
  nw_shadow_collect(shadows);
}

void nw_shadow_refresh(struct nw_shadows *shadows) {
  nw_shadow_resync_all(shadows);
  if (shadows->config->paravirtual)
    discard_unannounced(shadows);
  for (struct nw_shadow_page *page = shadows->newest; page != NULL; page = page->older) {
    if (page->role.direct || page->garbage)
      continue;
    price_table(shadows, page);
    nw_shadow_forget_holes(shadows, page);
    for (uint32_t i = 0; i < page->entries; i++)
      refresh_entry(shadows, page, i);
  }
  nw_shadow_collect(shadows);
}

/* -- filling -------------------------------------------------------------------------------- */

/* The tables from the root down to the one being filled: they must not be evicted for it. */
struct filling {
  struct nw_shadows *shadows;
  struct nw_shadow_page *way[NW_LEVELS];
  unsigned depth;
};

static void pin_way(struct filling *filling) {
  nw_shadow_unpin(filling->shadows);
  for (unsigned i = 0; i < filling->depth; i++)
    nw_shadow_pin(filling->shadows, filling->way[i]);
}

/* The table below entry `index`, linked; NULL where the guest has none, with `stop` set where there
 * is no memory for it. */
static struct nw_shadow_page *make_child(struct filling *filling, struct nw_shadow_page *page,
                                         uint32_t index, bool *stop) {
  struct nw_shadows *shadows = filling->shadows;
  struct nw_descriptor meaning;
  uint64_t pa;
  nw_shadow_guest_entry(shadows, page, index, true, &meaning);
  if (meaning.kind != NW_DESCRIPTOR_TABLE ||
      !nw_hypervisor_backing(shadows->hypervisor, meaning.output, &pa))
    return NULL;
  struct nw_shadow_role role = {.va = nw_shadow_entry_va(shadows, page, index),
                                .rights = meaning.rights,
                                .level = nwi_level_below(shadows->format, page->role.level),
                                .view = page->role.view,
                                .nested = nw_agile_nests(shadows->machine, meaning.output)};
  struct nw_shadow_page *child = nw_shadow_get(shadows, meaning.output, &role);
  *stop = child == NULL;
  if (child != NULL)
    nw_shadow_link(shadows, page, role.va, child);
  return child;
}

static bool fill(struct filling *filling, struct nw_shadow_page *page) {
  struct nw_shadows *shadows = filling->shadows;
  bool stop = false;
  filling->way[filling->depth++] = page;
  pin_way(filling);
  for (uint32_t i = 0; i < page->entries && !stop; i++) {
    if (nw_shadow_is_last(shadows, page)) {
      nw_shadow_prefetch_entry(shadows, page, i);
      continue;
    }
    struct nw_shadow_page *child = make_child(filling, page, i, &stop);
    if (child != NULL && !child->role.nested)
      stop = !fill(filling, child);
  }
  filling->depth--;
  pin_way(filling);
  return !stop;
}

void nw_shadow_fill(struct nw_shadows *shadows, struct nw_shadow_page *root) {
  struct filling filling = {.shadows = shadows};
  fill(&filling, root);
  nw_shadow_unpin(shadows);
  if (!root->root && root->parents == NULL)
    nw_shadow_discard(shadows, root); /* what linked it has been evicted for it */
  nw_shadow_collect(shadows);
}
