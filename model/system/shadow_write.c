/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stores of the guest to its tables lead to. An entry is judged by what the guest's table says
 * now; when that is no longer what the shadow entry was made from, the shadow entry goes, or is
 * rewritten at once.
 */
#include "core/rights.h"
#include "system/shadow_internal.h"

uint64_t nw_shadow_guest_entry(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                               uint32_t index, bool price, struct nw_descriptor *meaning) {
  const struct nw_machine *machine = shadows->machine;
  const struct nw_format *format = machine->guest_regime.s1_format;
  struct nwi_decode_context context = {.regime = &machine->guest_regime,
                                       .limits = page->role.rights,
                                       .level = page->role.level,
                                       .access = NW_READ};
  uint64_t pa, raw = 0;
  *meaning = (struct nw_descriptor){0};
  if (nw_hypervisor_backing(shadows->hypervisor,
                            page->guest + (uint64_t)index * format->descriptor_bytes, &pa)) {
    nw_physical_read(machine->memory, pa, format->descriptor_bytes, &raw);
    if (price)
      nw_hypervisor_reference(shadows->hypervisor, pa);
  }
  format->decode(&context, raw, meaning);
  return raw;
}

uint64_t nw_shadow_leaf_ipa(const struct nw_descriptor *meaning, uint64_t va) {
  uint64_t mask = (UINT64_C(1) << meaning->page_log2) - 1;
  return (meaning->output | (va & mask)) & ~(NW_FRAME_BYTES - 1);
}

bool nw_shadow_is_usable(const struct nw_descriptor *meaning, uint64_t raw) {
  /* Where hardware would set the access flag, the guest has to see it set. */
  return meaning->kind == NW_DESCRIPTOR_LEAF && !meaning->access_flag_clear &&
         meaning->updated == raw;
}

void nw_shadow_update(struct nw_shadows *shadows, struct nw_shadow_leaf *leaf) {
  struct nw_shadow_page *page = leaf->page;
  uint32_t index = (uint32_t)(leaf - page->leaf);
  struct nw_descriptor meaning;
  uint64_t raw = nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  struct nw_shadow_mapping mapping = {
      .va = nw_shadow_entry_va(shadows, page, index), .log2 = leaf->log2, .rights = meaning.rights};
  uint64_t pa;
  mapping.ipa = nw_shadow_leaf_ipa(&meaning, mapping.va);
  if (leaf->log2 == NW_FRAME_LOG2 && nw_shadow_is_usable(&meaning, raw) &&
      nw_hypervisor_backing(shadows->hypervisor, mapping.ipa, &pa)) {
    mapping.writable = nw_hypervisor_is_writable(shadows->hypervisor, mapping.ipa);
    nw_shadow_set(shadows, page, &mapping);
  } else {
    nw_shadow_drop(shadows, leaf);
  }
}

/* Whether the guest's entry still links the table that `entry` was made from. */
static bool still_links(const struct nw_shadows *shadows, const struct nw_shadow_child *entry,
                        uint32_t index) {
  const struct nw_shadow_page *child = entry->child;
  struct nw_descriptor meaning;
  nw_shadow_guest_entry(shadows, entry->parent, index, false, &meaning);
  return !child->role.direct && meaning.kind == NW_DESCRIPTOR_TABLE &&
         meaning.output == child->guest && meaning.rights == child->role.rights;
}

/* Entry `index` of a guest table has been stored to. */
static void synchronise(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index) {
  struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, index);
  if (leaf != NULL && shadows->config->sync == NW_SHADOW_UPDATE)
    nw_shadow_update(shadows, leaf);
  else if (leaf != NULL)
    nw_shadow_drop(shadows, leaf);
  else if (page->child != NULL && page->child[index].child != NULL) {
    if (!still_links(shadows, &page->child[index], index))
      nw_shadow_unlink(shadows, &page->child[index]);
  } else if (shadows->config->direct_faults)
    nw_shadow_write_entry(shadows, page, index, nw_shadow_nothing(shadows, page, index));
}

/*
 * Write flooding: a table that is written again and again, and that no fault has used in between,
 * is data by now, or about to be torn down; trapping more stores to it is a waste. What may go
 * unsynchronised needs no such guess, since only its first store is trapped.
 */
static bool floods(const struct nw_shadows *shadows, struct nw_shadow_page *page) {
  uint32_t limit = shadows->config->flood;
  if (limit == 0 || (shadows->config->unsync && nw_shadow_is_last(shadows, page)))
    return false;
  return ++page->stores >= limit && !nw_shadow_in_use(shadows, page);
}

void nw_shadow_stored(struct nw_shadows *shadows, uint64_t ipa, bool trapped) {
  struct nw_shadow_source *source = nw_shadow_frame_of(shadows, ipa)->tables;
  for (; source != NULL; source = source->next) {
    struct nw_shadow_page *page = source->page;
    uint32_t index;
    if (page->garbage || !nw_shadow_holds(shadows, page, ipa, &index))
      continue;
    if (trapped && floods(shadows, page)) {
      shadows->machine->statistics->shadow_unshadowed++;
      nw_shadow_discard(shadows, page);
    } else {
      synchronise(shadows, page, index);
    }
  }
  nw_shadow_collect(shadows);
}

void nw_shadow_filled(struct nw_shadows *shadows, uint64_t ipa) {
  struct nw_shadow_source *source = nw_shadow_frame_of(shadows, ipa)->tables;
  for (; source != NULL; source = source->next) {
    if (nw_shadow_in_use(shadows, source->page))
      nw_shadow_empty(shadows, source->page);
    else
      nw_shadow_discard(shadows, source->page);
  }
  nw_shadow_collect(shadows);
}
