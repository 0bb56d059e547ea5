/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shadow tables themselves: made, found, linked, evicted, destroyed.
 *
 * Invariants, which hold whenever the guest runs:
 * - an entry that is present was made from the guest's descriptors as they are now, and grants its
 *   view nothing that they deny; but for tables that the guest may write unseen: there it is what
 *   they said at the last synchronisation or later;
 * - no leaf that can be written maps a frame that holds a table followed by write protection, so
 *   that every store to such a table faults;
 * - a table that is no root is linked from at least one other; an unlinked one is destroyed;
 * - the TLB holds nothing that the shadow tables don't.
 */
#include <stdlib.h>

#include "core/rights.h"
#include "system/agile.h"
#include "system/architecture.h"
#include "system/shadow_internal.h"

#define SMALL_TABLE 1024u
#define ASIDS 256u

static unsigned index_bits(const struct nw_shadows *shadows, uint8_t level) {
  const struct nw_root *root = &shadows->machine->guest_regime.s1_root[0];
  const struct nw_format *format = shadows->format;
  if (level == root->start_level)
    return root->input_bits - format->shift[level];
  return nwi_table_log2(format, level);
}

void nw_shadow_write_entry(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index,
                           uint64_t descriptor) {
  unsigned size = shadows->format->descriptor_bytes;
  uint64_t address = page->table + (uint64_t)index * size;
  nw_hypervisor_reference(shadows->hypervisor, address);
  if (!nw_physical_write(shadows->machine->memory, address, size, descriptor))
    nw_machine_fail(shadows->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
}

uint64_t nw_shadow_read_entry(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                              uint32_t index) {
  unsigned size = shadows->format->descriptor_bytes;
  uint64_t descriptor = 0;
  nw_physical_read(shadows->machine->memory, page->table + (uint64_t)index * size, size,
                   &descriptor);
  return descriptor;
}

bool nw_shadow_is_table(const struct nw_shadows *shadows, uint64_t ipa) {
  return nw_shadow_frame_of(shadows, ipa)->tables != NULL;
}

/* -- host memory ---------------------------------------------------------------------------- */

/* Host memory for a table of `bytes`; small ones share a frame. */
static bool allocate_host(struct nw_shadows *shadows, uint32_t bytes, uint64_t *address) {
  if (bytes != SMALL_TABLE)
    return nw_hypervisor_allocate_table(shadows->hypervisor, bytes, address);
  if (shadows->spares == 0) {
    uint64_t frame;
    if (!nw_hypervisor_allocate_table(shadows->hypervisor, NW_FRAME_BYTES, &frame))
      return false;
    for (uint64_t offset = NW_FRAME_BYTES; offset > 0; offset -= SMALL_TABLE)
      shadows->spare[shadows->spares++] = frame + offset - SMALL_TABLE;
  }
  *address = shadows->spare[--shadows->spares];
  for (uint32_t offset = 0; offset < bytes; offset += 8)
    nw_physical_write(shadows->machine->memory, *address + offset, 8, 0);
  return true;
}

static void release_host(struct nw_shadows *shadows, uint32_t bytes, uint64_t address) {
  if (bytes == SMALL_TABLE) {
    shadows->spare[shadows->spares++] = address;
    return;
  }
  for (uint64_t offset = 0; offset < bytes; offset += NW_FRAME_BYTES)
    nw_frames_drop(shadows->hypervisor->frames, (address + offset) >> NW_FRAME_LOG2);
}

/* Room for all pieces that could be spare at once, before there is one more table to hold. */
static bool reserve_spares(struct nw_shadows *shadows) {
  uint64_t tables = shadows->machine->statistics->shadow_pages + 1;
  uint64_t needed = (tables + shadows->spares) + 4;
  if (needed <= shadows->spare_capacity)
    return true;
  uint32_t capacity = (uint32_t)needed * 2;
  uint64_t *grown = realloc(shadows->spare, capacity * sizeof *grown);
  if (grown == NULL)
    return false;
  shadows->spare = grown;
  shadows->spare_capacity = capacity;
  return true;
}

static void account(struct nw_shadows *shadows, int64_t pages, int64_t bytes) {
  struct nw_machine *machine = shadows->machine;
  machine->statistics->shadow_pages += (uint64_t)pages;
  machine->statistics->shadow_bytes += (uint64_t)bytes;
  nw_gauge_set(&machine->shadow_bytes, machine->statistics->shadow_bytes,
               nw_machine_cycles(machine));
}

/* -- finding -------------------------------------------------------------------------------- */

static uint32_t bucket(uint64_t guest) {
  uint64_t mixed = (guest >> NW_FRAME_LOG2) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(mixed >> 40) % NW_SHADOW_BUCKETS;
}

static bool is_for(const struct nw_shadow_page *page, uint64_t guest,
                   const struct nw_shadow_role *role) {
  return page->guest == guest && page->role.va == role->va && page->role.rights == role->rights &&
         page->role.level == role->level && page->role.view == role->view &&
         page->role.direct == role->direct && page->role.nested == role->nested;
}

/* Tables that do not follow a guest table are found by address alone. */
static bool follows_nothing(const struct nw_shadow_role *role) {
  return role->direct || role->nested;
}

struct nw_shadow_page *nw_shadow_find(const struct nw_shadows *shadows, uint64_t guest,
                                      const struct nw_shadow_role *role) {
  if (follows_nothing(role)) {
    struct nw_shadow_page *page = shadows->direct[bucket(guest)];
    while (page != NULL && !is_for(page, guest, role))
      page = page->next_direct;
    return page;
  }
  struct nw_shadow_source *source = nw_shadow_frame_of(shadows, guest)->tables;
  while (source != NULL && !is_for(source->page, guest, role))
    source = source->next;
  return source == NULL ? NULL : source->page;
}

/* -- the order of use ----------------------------------------------------------------------- */

static void leave_order(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  *(page->newer == NULL ? &shadows->newest : &page->newer->older) = page->older;
  *(page->older == NULL ? &shadows->oldest : &page->older->newer) = page->newer;
}

static void make_newest(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  page->newer = NULL;
  page->older = shadows->newest;
  *(page->older == NULL ? &shadows->oldest : &page->older->newer) = page;
  shadows->newest = page;
}

bool nw_shadow_in_use(const struct nw_shadows *shadows, const struct nw_shadow_page *page) {
  /* The running root's other view is about to be needed again. */
  bool runs = page->root && shadows->loaded != NULL && page->guest == shadows->loaded->guest;
  return runs || page->pinned;
}

void nw_shadow_pin(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->pinned)
    return;
  page->pinned = true;
  shadows->pin[shadows->pins++] = page;
}

void nw_shadow_unpin(struct nw_shadows *shadows) {
  while (shadows->pins > 0)
    shadows->pin[--shadows->pins]->pinned = false;
}

bool nw_shadow_evict(struct nw_shadows *shadows) {
  struct nw_shadow_page *page = shadows->oldest;
  while (page != NULL && nw_shadow_in_use(shadows, page))
    page = page->newer;
  if (page == NULL)
    return false;
  shadows->machine->statistics->shadow_evictions++;
  nw_shadow_discard(shadows, page);
  nw_shadow_collect(shadows);
  return true;
}

/* -- making --------------------------------------------------------------------------------- */

/* A table that was destroyed serves again: without entries, its large maps are as good as new. */
static struct nw_shadow_page *take_idle(struct nw_shadows *shadows,
                                        const struct nw_shadow_role *role, uint32_t entries) {
  struct nw_shadow_page *page = shadows->idle[role->level];
  if (page == NULL || page->entries != entries || role->nested)
    return calloc(1, sizeof *page);
  shadows->idle[role->level] = page->next_garbage;
  *page = (struct nw_shadow_page){.child = page->child, .leaf = page->leaf};
  return page;
}

static struct nw_shadow_page *make_page(struct nw_shadows *shadows, uint64_t guest,
                                        const struct nw_shadow_role *role) {
  uint32_t entries = 1u << index_bits(shadows, role->level);
  struct nw_shadow_page *page = take_idle(shadows, role, entries);
  if (page == NULL)
    return NULL;
  page->guest = guest;
  page->role = *role;
  page->entries = entries;
  page->root = role->level == shadows->machine->guest_regime.s1_root[0].start_level;
  if (role->nested) {
    page->entries = 0;
    return page;
  }
  uint32_t bytes = page->entries * shadows->format->descriptor_bytes;
  /* A root of a few descriptors takes a frame of its own. */
  page->bytes = bytes < SMALL_TABLE ? (uint32_t)NW_FRAME_BYTES : bytes;
  return page;
}

static void free_page(struct nw_shadow_page *page) {
  free(page->leaf);
  free(page->child);
  free(page);
}

/* The tables of what the entries are, and host memory for the entries themselves. */
static bool furnish(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->role.nested)
    return nw_hypervisor_back(shadows->hypervisor, page->guest, &page->table);
  bool last = nw_shadow_is_last(shadows, page);
  if (!last && page->child == NULL)
    page->child = calloc(page->entries, sizeof *page->child);
  if ((last || shadows->config->large_pages) && page->leaf == NULL)
    page->leaf = calloc(page->entries, sizeof *page->leaf);
  return (page->child != NULL || page->leaf != NULL) && reserve_spares(shadows) &&
         allocate_host(shadows, page->bytes, &page->table);
}

static bool over_limit(const struct nw_shadows *shadows, uint32_t more) {
  uint64_t limit = shadows->config->memory;
  return limit != 0 && shadows->machine->statistics->shadow_bytes + more > limit;
}

/* Puts a table on the lists of the guest frames that its guest table is in. */
static void enlist_sources(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  uint64_t end = page->guest + nw_shadow_guest_bytes(shadows, page), at = page->guest;
  for (unsigned i = 0; at < end; i++, at = ((at >> NW_FRAME_LOG2) + 1) << NW_FRAME_LOG2) {
    if (!nw_shadow_is_last(shadows, page))
      nw_shadow_resync_frame(shadows, at);
    struct nw_shadow_frame *frame = nw_shadow_frame_of(shadows, at);
    struct nw_shadow_source *source = &page->source[i];
    *source = (struct nw_shadow_source){frame->tables, &frame->tables, page};
    if (source->next != NULL)
      source->next->link = &source->next;
    frame->tables = source;
    nw_shadow_protect(shadows, at);
  }
}

static void enlist(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  make_newest(shadows, page);
  account(shadows, !page->role.nested, page->bytes);
  if (follows_nothing(&page->role)) {
    page->next_direct = shadows->direct[bucket(page->guest)];
    shadows->direct[bucket(page->guest)] = page;
  } else {
    enlist_sources(shadows, page);
  }
  nw_shadow_coming(shadows, page);
}

static void delist(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  nw_shadow_going(shadows, page);
  nw_shadow_leave_unsync(page);
  leave_order(shadows, page);
  account(shadows, -(int64_t)!page->role.nested, -(int64_t)page->bytes);
  if (follows_nothing(&page->role)) {
    struct nw_shadow_page **at = &shadows->direct[bucket(page->guest)];
    while (*at != page)
      at = &(*at)->next_direct;
    *at = page->next_direct;
    return;
  }
  if (shadows->agile)
    nw_agile_forget(shadows->machine, page->guest);
  for (unsigned i = 0; i < NW_SHADOW_LINKS && page->source[i].link != NULL; i++) {
    *page->source[i].link = page->source[i].next;
    if (page->source[i].next != NULL)
      page->source[i].next->link = page->source[i].link;
  }
}

static struct nw_shadow_page *add_page(struct nw_shadows *shadows, uint64_t guest,
                                       const struct nw_shadow_role *role) {
  struct nw_shadow_page *page = make_page(shadows, guest, role);
  bool made = false, room = page != NULL;
  while (room && !made) {
    made = !over_limit(shadows, page->bytes) && furnish(shadows, page);
    room = made || nw_shadow_evict(shadows);
  }
  if (made) {
    enlist(shadows, page);
    return page;
  }
  if (page != NULL)
    free_page(page);
  nw_machine_fail(shadows->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  return NULL;
}

struct nw_shadow_page *nw_shadow_get(struct nw_shadows *shadows, uint64_t guest,
                                     const struct nw_shadow_role *role) {
  struct nw_shadow_page *page = nw_shadow_find(shadows, guest, role);
  if (page == NULL)
    return add_page(shadows, guest, role);
  page->stores = 0;
  leave_order(shadows, page);
  make_newest(shadows, page);
  return page;
}

/* -- linking, unlinking and destroying ------------------------------------------------------ */

static void add_garbage(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->garbage)
    return;
  page->garbage = true;
  page->next_garbage = shadows->garbage;
  shadows->garbage = page;
}

/* Takes the entry off its child's list. */
static void detach(struct nw_shadows *shadows, struct nw_shadow_child *entry) {
  struct nw_shadow_page *child = entry->child;
  *entry->link = entry->next;
  if (entry->next != NULL)
    entry->next->link = entry->link;
  entry->child = NULL;
  shadows->flush = true;
  if (child->parents == NULL && !child->pinned)
    add_garbage(shadows, child);
}

static uint32_t index_of_child(const struct nw_shadow_child *entry) {
  return (uint32_t)(entry - entry->parent->child);
}

void nw_shadow_unlink(struct nw_shadows *shadows, struct nw_shadow_child *entry) {
  struct nw_shadow_page *page = entry->parent;
  uint32_t index = index_of_child(entry);
  detach(shadows, entry);
  nw_shadow_write_entry(shadows, page, index, nw_shadow_nothing(shadows, page, index));
}

/*
 * The descriptor that links `child`. Under agile paging the guest's registers judge shadow tables,
 * too, so that what the guest's descriptor says of domain and limits is kept: it is the guest's,
 * with another address in it.
 */
static uint64_t table_descriptor(const struct nw_shadows *shadows,
                                 const struct nw_shadow_page *page, uint32_t index,
                                 const struct nw_shadow_page *child) {
  const struct nw_format *format = shadows->format;
  uint8_t level = page->role.level;
  uint32_t rights = child->role.rights;
  struct nw_descriptor meaning;
  if (!shadows->agile)
    return format->encode_table(level, child->table, 0);
  if (child->role.direct)
    return format->encode_table(level, child->table,
                                (uint8_t)((rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT));
  uint64_t raw = nw_shadow_guest_entry(shadows, page, index, false, &meaning);
  raw ^=
      format->encode_table(level, child->guest, 0) ^ format->encode_table(level, child->table, 0);
  return child->role.nested ? raw | format->switching_bit : raw & ~format->switching_bit;
}

void nw_shadow_link(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                    struct nw_shadow_page *child) {
  uint32_t index = nw_shadow_index(shadows, page, va);
  struct nw_shadow_child *entry = &page->child[index];
  if (entry->child == child)
    return;
  if (child->unsync != NULL)
    nw_shadow_resync(shadows, child);
  struct nw_shadow_leaf *leaf = nw_shadow_leaf_at(shadows, page, index);
  if (leaf != NULL)
    nw_shadow_drop(shadows, leaf);
  if (entry->child != NULL)
    detach(shadows, entry);
  *entry = (struct nw_shadow_child){child->parents, &child->parents, page, child};
  if (entry->next != NULL)
    entry->next->link = &entry->next;
  child->parents = entry;
  nw_shadow_write_entry(shadows, page, index, table_descriptor(shadows, page, index, child));
  nw_shadow_collect(shadows);
}

struct nw_shadow_page *nw_shadow_relink(struct nw_shadows *shadows, struct nw_shadow_page *page,
                                        bool nested) {
  struct nw_shadow_role role = page->role;
  role.nested = nested;
  nw_shadow_pin(shadows, page);
  struct nw_shadow_page *other = nw_shadow_get(shadows, page->guest, &role);
  nw_shadow_unpin(shadows);
  if (other == NULL || page->parents == NULL) { /* evicted meanwhile, with what linked it */
    nw_shadow_discard(shadows, page);
    nw_shadow_collect(shadows);
    return NULL;
  }
  for (bool more = true; more;) {
    struct nw_shadow_child *entry = page->parents;
    struct nw_shadow_page *parent = entry->parent;
    more = entry->next != NULL; /* the page goes with its last parent */
    nw_shadow_link(shadows, parent, nw_shadow_entry_va(shadows, parent, index_of_child(entry)),
                   other);
  }
  return other;
}

struct nw_shadow_page *nw_shadow_find_nested(const struct nw_shadows *shadows, uint64_t ipa) {
  struct nw_shadow_page *page = shadows->direct[bucket(ipa)];
  while (page != NULL &&
         !(page->role.nested && page->guest >> NW_FRAME_LOG2 == ipa >> NW_FRAME_LOG2))
    page = page->next_direct;
  return page;
}

void nw_shadow_unlink_nested(struct nw_shadows *shadows, uint64_t ipa) {
  for (struct nw_shadow_page *page; (page = nw_shadow_find_nested(shadows, ipa)) != NULL;) {
    nw_shadow_discard(shadows, page);
    nw_shadow_collect(shadows);
  }
}

void nw_shadow_empty(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  for (uint32_t i = 0; i < page->entries; i++) {
    if (page->leaf != NULL && page->leaf[i].log2 != 0)
      nw_shadow_drop(shadows, &page->leaf[i]);
    if (page->child != NULL && page->child[i].child != NULL)
      nw_shadow_unlink(shadows, &page->child[i]);
  }
}

void nw_shadow_discard(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  while (page->parents != NULL)
    nw_shadow_unlink(shadows, page->parents);
  add_garbage(shadows, page);
}

/* Takes back all entries of a table that nobody walks any more. */
static void strip(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  for (uint32_t i = 0; i < page->entries; i++) {
    if (page->leaf != NULL && page->leaf[i].log2 != 0) {
      nw_shadow_forget(&page->leaf[i]);
      shadows->flush = true;
    }
    if (page->child != NULL && page->child[i].child != NULL)
      detach(shadows, &page->child[i]);
  }
}

/* Keeps the table's maps for the next one of that level. */
static void make_idle(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->role.nested) {
    free_page(page);
    return;
  }
  page->next_garbage = shadows->idle[page->role.level];
  shadows->idle[page->role.level] = page;
}

void nw_shadow_collect(struct nw_shadows *shadows) {
  while (shadows->garbage != NULL) {
    struct nw_shadow_page *page = shadows->garbage;
    shadows->garbage = page->next_garbage;
    strip(shadows, page);
    delist(shadows, page);
    release_host(shadows, page->bytes, page->table);
    make_idle(shadows, page);
  }
  if (shadows->flush)
    nw_mmu_invalidate(shadows->machine->mmu, shadows->machine->software->maintenance.guest, 0);
  shadows->flush = false;
}

void nw_shadow_drop_all(struct nw_shadows *shadows) {
  shadows->loaded = NULL;
  for (struct nw_shadow_page *page = shadows->newest; page != NULL; page = page->older)
    if (page->root)
      add_garbage(shadows, page);
  nw_shadow_collect(shadows);
}

/* -- roots ---------------------------------------------------------------------------------- */

uint64_t nw_shadow_table(const struct nw_shadow_page *page) {
  return page->table;
}

uint32_t nw_shadow_asid(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->asid_generation == shadows->asid_generation ||
      !shadows->machine->software->has_asids(shadows->machine))
    return page->asid;
  if (shadows->next_asid == ASIDS) {
    shadows->next_asid = 1;
    shadows->asid_generation++;
    nw_mmu_invalidate(shadows->machine->mmu, shadows->machine->software->maintenance.guest, 0);
  }
  page->asid = shadows->next_asid++;
  page->asid_generation = shadows->asid_generation;
  return page->asid;
}

void nw_shadow_set_loaded(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  shadows->loaded = page;
}

/* -- the whole ------------------------------------------------------------------------------ */

/* The maps by guest memory; by host memory, too, where prefetched leaves are watched. */
static bool make_maps(struct nw_shadows *shadows) {
  uint64_t frames = shadows->hypervisor->guest_frames;
  uint64_t pieces =
      shadows->machine->memory->regions * (UINT64_C(1) << NW_REGION_LOG2) / SMALL_TABLE;
  shadows->frame = calloc(frames, sizeof *shadows->frame);
  shadows->large = calloc(frames / NW_REGION_FRAMES + 1, sizeof *shadows->large);
  if (shadows->config->prefetch > 0)
    shadows->by_table = calloc(pieces, sizeof(struct nw_shadow_page *));
  return shadows->frame != NULL && shadows->large != NULL &&
         (shadows->by_table != NULL || shadows->config->prefetch == 0);
}

struct nw_shadows *nw_shadows_create(struct nw_machine *machine) {
  struct nw_shadows *shadows = calloc(1, sizeof *shadows);
  if (shadows == NULL)
    return NULL;
  shadows->machine = machine;
  shadows->hypervisor = machine->hypervisor;
  shadows->config = &machine->config.hypervisor.shadow;
  shadows->format = machine->guest_regime.s1_format;
  shadows->next_asid = 1;
  shadows->asid_generation = 1;
  if (make_maps(shadows))
    return shadows;
  nw_shadows_destroy(shadows);
  return NULL;
}

void nw_shadows_destroy(struct nw_shadows *shadows) {
  if (shadows == NULL)
    return;
  for (struct nw_shadow_page *page = shadows->newest, *next; page != NULL; page = next) {
    next = page->older;
    free_page(page);
  }
  for (unsigned level = 0; level < NW_LEVELS; level++)
    for (struct nw_shadow_page *page = shadows->idle[level], *next; page != NULL; page = next) {
      next = page->next_garbage;
      free_page(page);
    }
  free(shadows->frame);
  free(shadows->large);
  free(shadows->by_table);
  free(shadows->spare);
  free(shadows);
}
