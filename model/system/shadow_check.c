/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants of the shadow tables, checked entry by entry: for tests. */
#include "system/shadow_internal.h"

/* What the guest says of entry `index`: its own descriptor, or the large page it is broken from. */
static bool leaf_agrees(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                        uint32_t index) {
  struct nw_descriptor meaning = {
      .kind = NW_DESCRIPTOR_LEAF, .page_log2 = NW_FRAME_LOG2, .rights = page->role.rights};
  uint64_t va = nw_shadow_entry_va(shadows, page, index);
  meaning.output = page->guest + (va - page->role.va);
  if (!page->role.direct)
    nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  const struct nw_shadow_leaf *leaf = &page->leaf[index];
  struct nw_shadow_mapping mapping = {.rights = meaning.rights, .supervisor = leaf->supervisor};
  struct nwi_leaf view;
  return meaning.kind == NW_DESCRIPTOR_LEAF &&
         (meaning.page_log2 >= leaf->log2 || page->role.direct) &&
         nw_shadow_leaf_ipa(&meaning, va) >> NW_FRAME_LOG2 == leaf->frame &&
         nw_shadow_leaf_for_view(shadows, page->role.view, &mapping, &view) &&
         (view.writable || !leaf->writable);
}

/* The descriptor leads to the host's memory for the frame, and lets nobody write what is not to be
 * written unseen. */
static bool leaf_is_sound(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                          uint32_t index) {
  const struct nw_shadow_leaf *leaf = &page->leaf[index];
  uint64_t ipa = (uint64_t)leaf->frame << NW_FRAME_LOG2, pa;
  struct nwi_decode_context context = {
      .regime = nw_mmu_regime(shadows->machine->mmu), .level = page->role.level, .access = NW_READ};
  struct nw_descriptor meaning;
  shadows->format->decode(&context, nw_shadow_read_entry(shadows, page, index), &meaning);
  if (meaning.kind != NW_DESCRIPTOR_LEAF || meaning.page_log2 != leaf->log2)
    return false;
  for (uint64_t at = 0; at < UINT64_C(1) << leaf->log2; at += NW_FRAME_BYTES)
    if (!nw_hypervisor_backing(shadows->hypervisor, ipa + at, &pa) || meaning.output + at != pa ||
        (leaf->writable && (nw_shadow_is_protected(shadows, ipa + at) ||
                            !nw_hypervisor_is_writable(shadows->hypervisor, ipa + at))))
      return false;
  return true;
}

static bool child_agrees(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint32_t index) {
  const struct nw_shadow_page *child = page->child[index].child;
  const struct nw_shadow_role *role = &child->role;
  struct nw_descriptor meaning;
  uint64_t va = nw_shadow_entry_va(shadows, page, index);
  if (role->va != va || role->view != page->role.view ||
      role->level != nwi_level_below(shadows->format, page->role.level))
    return false;
  if (page->role.direct)
    return role->direct && role->rights == page->role.rights &&
           child->guest == page->guest + (va - page->role.va);
  nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  if (role->direct)
    return meaning.kind == NW_DESCRIPTOR_LEAF && meaning.rights == role->rights &&
           nw_shadow_leaf_ipa(&meaning, va) == child->guest;
  return meaning.kind == NW_DESCRIPTOR_TABLE && meaning.rights == role->rights &&
         meaning.output == child->guest;
}

static bool entry_agrees(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint32_t index) {
  bool leaf = page->leaf != NULL && page->leaf[index].log2 != 0;
  bool child = page->child != NULL && page->child[index].child != NULL;
  if (leaf && child)
    return false;
  if (child)
    return child_agrees(shadows, page, index);
  if (!leaf)
    return true;
  return leaf_is_sound(shadows, page, index) &&
         (page->unsync != NULL || leaf_agrees(shadows, page, index));
}

static bool page_is_sound(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                          char *error, size_t error_size) {
  for (uint32_t i = 0; i < page->entries; i++)
    if (!entry_agrees(shadows, page, i))
      return nw_machine_error(error, error_size,
                              "the level-%u shadow entry for VA 0x%llx under view %u is not what "
                              "guest and host say, or lets a table be written",
                              page->role.level,
                              (unsigned long long)nw_shadow_entry_va(shadows, page, i),
                              page->role.view);
  if (!page->root && page->parents == NULL)
    return nw_machine_error(error, error_size, "a shadow table is linked from nowhere");
  if (page->unsync != NULL && !nw_shadow_is_last(shadows, page))
    return nw_machine_error(error, error_size, "a table above the last level is not in step");
  return true;
}

bool nw_shadow_consistent(const struct nw_shadows *shadows, char *error, size_t error_size) {
  uint64_t bytes = 0, limit = shadows->config->memory;
  for (const struct nw_shadow_page *page = shadows->newest; page != NULL; page = page->older) {
    if (!page_is_sound(shadows, page, error, error_size))
      return false;
    bytes += page->bytes;
  }
  if (bytes != shadows->machine->statistics->shadow_bytes || (limit != 0 && bytes > limit))
    return nw_machine_error(
        error, error_size, "shadow tables of %llu bytes, counted as %llu, limited to %llu",
        (unsigned long long)bytes, (unsigned long long)shadows->machine->statistics->shadow_bytes,
        (unsigned long long)limit);
  return true;
}
