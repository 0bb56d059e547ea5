/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put into shadow tables before anybody asks for it: neighbours of a leaf that a fault has
 * filled, and marks where the guest's own table is known to have a hole.
 *
 * Invariant: a marked entry is of a table that the guest cannot write unseen, and the guest's entry
 * is invalid.
 */
#include "system/shadow_internal.h"

#define PIECE_LOG2 10 /* of by_table */

/*
 * An invalid entry that is not all 0; hardware ignores the rest of one (DDI 0406C B3.5.1, B3.6.1;
 * SDM vol. 3, 4.5.5). Under VMX it is the other way about: an entry that the hypervisor may still have to fill gets a
 * reserved bit, and the filter on page-fault error codes lets the plain not-present ones through
 * to the guest.
 */
#define HOLE 0x4u

/* -- holes ---------------------------------------------------------------------------------- */

uint64_t nw_shadow_nothing(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                           uint32_t index) {
  struct nw_descriptor meaning;
  if (!shadows->config->direct_faults || page->role.direct || page->unsync != NULL)
    return 0;
  nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  return meaning.kind == NW_DESCRIPTOR_INVALID ? HOLE : 0;
}

void nw_shadow_forget_holes(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (!shadows->config->direct_faults)
    return;
  for (uint32_t i = 0; i < page->entries; i++)
    if (nw_shadow_read_entry(shadows, page, i) == HOLE)
      nw_shadow_write_entry(shadows, page, i, 0);
}

/* Reads the guest's whole table, a cache line at a time. */
static void note_holes(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  uint64_t end = page->guest + nw_shadow_guest_bytes(shadows, page), pa;
  for (uint64_t at = page->guest; at < end; at += shadows->machine->line)
    if (nw_hypervisor_backing(shadows->hypervisor, at, &pa))
      nw_hypervisor_reference(shadows->hypervisor, pa);
  for (uint32_t i = 0; i < page->entries; i++) {
    uint64_t nothing = nw_shadow_nothing(shadows, page, i);
    if (nothing != 0)
      nw_shadow_write_entry(shadows, page, i, nothing);
  }
}

bool nw_shadow_shows_hole(const struct nw_shadows *shadows, const struct nw_shadow_page *root,
                          uint64_t va) {
  const struct nw_shadow_page *page = root;
  uint32_t index = nw_shadow_index(shadows, page, va);
  while (page->child != NULL && page->child[index].child != NULL) {
    page = page->child[index].child;
    index = nw_shadow_index(shadows, page, va);
  }
  return nw_shadow_read_entry(shadows, page, index) == HOLE;
}

/* -- neighbours ----------------------------------------------------------------------------- */

/* What entry `index` would map; false when the guest's entry is not fit for it. */
static bool neighbour(struct nw_shadows *shadows, const struct nw_shadow_page *page, uint32_t index,
                      struct nw_shadow_mapping *mapping) {
  struct nw_descriptor meaning;
  *mapping = (struct nw_shadow_mapping){.va = nw_shadow_entry_va(shadows, page, index),
                                        .rights = page->role.rights,
                                        .log2 = NW_FRAME_LOG2};
  mapping->ipa = page->guest + (mapping->va - page->role.va);
  if (page->role.direct)
    return true;
  uint64_t raw = nw_shadow_guest_entry(shadows, page, index, true, &meaning);
  mapping->ipa = nw_shadow_leaf_ipa(&meaning, mapping->va);
  mapping->rights = meaning.rights;
  return nw_shadow_is_usable(&meaning, raw);
}

void nw_shadow_prefetch_entry(struct nw_shadows *shadows, struct nw_shadow_page *page,
                              uint32_t index) {
  struct nw_hypervisor *hypervisor = shadows->hypervisor;
  struct nw_shadow_mapping mapping;
  struct nw_result host;
  uint64_t pa;
  /* No memory is given to the guest for what it may never touch. */
  if (nw_shadow_leaf_at(shadows, page, index) != NULL ||
      !neighbour(shadows, page, index, &mapping) ||
      !nw_hypervisor_is_memory(hypervisor, mapping.ipa) ||
      !nw_hypervisor_backing(hypervisor, mapping.ipa, &pa) ||
      !nw_hypervisor_walk_host(hypervisor, mapping.ipa, NW_READ, &host))
    return;
  mapping.writable = nw_hypervisor_is_writable(hypervisor, mapping.ipa);
  nw_shadow_set(shadows, page, &mapping);
  struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, index);
  if (leaf == NULL)
    return;
  leaf->prefetched = true;
  shadows->machine->statistics->shadow_prefetched++;
}

void nw_shadow_prefetch(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va) {
  uint32_t index = nw_shadow_index(shadows, page, va);
  for (uint32_t distance = 1; distance <= shadows->config->prefetch; distance++) {
    if (index >= distance)
      nw_shadow_prefetch_entry(shadows, page, index - distance);
    if (index + distance < page->entries)
      nw_shadow_prefetch_entry(shadows, page, index + distance);
  }
  nw_shadow_collect(shadows);
}

/* -- who uses them -------------------------------------------------------------------------- */

static void set_by_table(struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         struct nw_shadow_page *value) {
  if (shadows->by_table == NULL || page->leaf == NULL)
    return;
  for (uint64_t at = page->table; at < page->table + page->bytes; at += 1u << PIECE_LOG2)
    shadows->by_table[at >> PIECE_LOG2] = value;
}

void nw_shadow_walked(struct nw_shadows *shadows, uint64_t pa) {
  struct nw_shadow_page *page = shadows->by_table[pa >> PIECE_LOG2];
  if (page == NULL)
    return;
  uint64_t index = (pa - page->table) / shadows->format->descriptor_bytes;
  struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, (uint32_t)index);
  if (leaf == NULL || !leaf->prefetched)
    return;
  leaf->prefetched = false;
  shadows->machine->statistics->shadow_prefetch_used++;
}

void nw_shadow_coming(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  set_by_table(shadows, page, page);
  if (shadows->config->direct_faults && !page->role.direct)
    note_holes(shadows, page);
}

void nw_shadow_going(struct nw_shadows *shadows, const struct nw_shadow_page *page) {
  set_by_table(shadows, page, NULL);
}
