/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unsynchronised tables: the guest may write a table of the last level unseen, since it has to tell
 * the hardware of a valid entry that changes by maintenance, or by a new root, before it may rely
 * on it; until then the architecture lets the old entry be used. An invalid entry that becomes
 * valid needs no maintenance; but no shadow entry was made from an invalid one, so that the first
 * access comes to the hypervisor as a hidden fault, which reads the guest's table as it is.
 *
 * Invariants: a table on the list is of the last level, and its frame holds none of a higher level:
 * what hangs below a table could not be found again if that changed unseen. A table that is linked
 * anew has been brought up to date first.
 */
#include "system/shadow_internal.h"

static void join(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  page->next_unsync = shadows->unsync;
  page->unsync = &shadows->unsync;
  if (page->next_unsync != NULL)
    page->next_unsync->unsync = &page->next_unsync;
  shadows->unsync = page;
  shadows->machine->statistics->shadow_unsyncs++;
}

void nw_shadow_leave_unsync(struct nw_shadow_page *page) {
  if (page->unsync == NULL)
    return;
  *page->unsync = page->next_unsync;
  if (page->next_unsync != NULL)
    page->next_unsync->unsync = page->unsync;
  page->unsync = NULL;
  page->next_unsync = NULL;
}

bool nw_shadow_unsync(struct nw_shadows *shadows, uint64_t ipa) {
  struct nw_shadow_source *tables = nw_shadow_frame_of(shadows, ipa)->tables;
  if (!shadows->config->unsync)
    return false;
  for (struct nw_shadow_source *source = tables; source != NULL; source = source->next)
    if (!nw_shadow_is_last(shadows, source->page))
      return false;
  for (struct nw_shadow_source *source = tables; source != NULL; source = source->next) {
    if (source->page->unsync != NULL)
      continue;
    nw_shadow_forget_holes(shadows, source->page);
    join(shadows, source->page);
  }
  return true;
}

/* Compares one leaf with the guest's entry, and lets it follow. */
static void resync_leaf(struct nw_shadows *shadows, struct nw_shadow_leaf *leaf) {
  struct nw_shadow_page *page = leaf->page;
  struct nw_descriptor meaning;
  nw_shadow_guest_entry(shadows, page, (uint32_t)(leaf - page->leaf), true, &meaning);
  shadows->machine->statistics->shadow_resync_entries++;
  nw_shadow_update(shadows, leaf);
}

void nw_shadow_resync(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  uint64_t end = page->guest + nw_shadow_guest_bytes(shadows, page);
  nw_shadow_leave_unsync(page);
  shadows->machine->statistics->shadow_resyncs++;
  for (uint64_t at = page->guest; at < end; at = ((at >> NW_FRAME_LOG2) + 1) << NW_FRAME_LOG2)
    nw_shadow_protect(shadows, at);
  for (uint32_t i = 0; i < page->entries; i++)
    if (page->leaf[i].log2 != 0)
      resync_leaf(shadows, &page->leaf[i]);
}

void nw_shadow_resync_all(struct nw_shadows *shadows) {
  while (shadows->unsync != NULL)
    nw_shadow_resync(shadows, shadows->unsync);
  nw_shadow_collect(shadows);
}

void nw_shadow_resync_frame(struct nw_shadows *shadows, uint64_t ipa) {
  struct nw_shadow_source *source = nw_shadow_frame_of(shadows, ipa)->tables;
  for (; source != NULL; source = source->next)
    if (source->page->unsync != NULL)
      nw_shadow_resync(shadows, source->page);
}

void nw_shadow_resync_address(struct nw_shadows *shadows, uint64_t va) {
  for (struct nw_shadow_page *page = shadows->unsync; page != NULL; page = page->next_unsync) {
    uint64_t bytes = (uint64_t)page->entries << shadows->format->shift[page->role.level];
    if (va < page->role.va || va - page->role.va >= bytes)
      continue;
    struct nw_shadow_leaf *leaf =
        nw_shadow_leaf_at(shadows, page, nw_shadow_index(shadows, page, va));
    if (leaf != NULL)
      resync_leaf(shadows, leaf);
  }
  nw_shadow_collect(shadows);
}
