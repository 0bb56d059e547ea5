/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants, which hold whenever the guest runs:
 * - an entry that is present was made from the guest's descriptors as they are now, and grants its
 *   view nothing that they deny;
 * - no leaf that can be written maps a frame that shadow tables are made from, so that every store
 *   to a shadowed table faults;
 * - a table that is no root is linked from at least one other; an unlinked one is destroyed;
 * - the TLB holds nothing that the shadow tables don't.
 */
#include "system/shadow_pages.h"

#include <stdlib.h>

#include "core/rights.h"

#define DIRECT_BUCKETS 4096u
#define LINKS 4u /* frames of the largest guest table, a short root */
#define SMALL_TABLE 1024u
#define ASIDS 256u

/* A leaf of a last-level table, on the list of the guest frame that it maps. */
struct shadow_leaf {
  struct shadow_leaf *next, **link;
  struct nw_shadow_page *page;
  uint32_t frame;
  bool present, writable;
};

/* A shadow table's place on the list of a guest frame that its guest table is in. */
struct table_link {
  struct table_link *next, **link;
  struct nw_shadow_page *page;
};

struct nw_shadow_page {
  struct nw_shadow_key key;
  uint64_t table; /* host address */
  uint32_t bytes; /* of host memory */
  uint32_t entries;
  uint32_t parents; /* entries that point here */
  uint32_t asid;    /* roots: valid in its generation */
  uint64_t asid_generation;
  bool root;
  bool garbage;                   /* on the list of pages to destroy */
  struct nw_shadow_page **child;  /* by index, above the last level */
  struct shadow_leaf *leaf;       /* by index, at the last level */
  struct table_link frame[LINKS]; /* made from a guest table */
  struct nw_shadow_page *next_direct;
  struct nw_shadow_page *next, *previous;
  struct nw_shadow_page *next_garbage;
};

struct guest_frame {
  struct table_link *tables;
  struct shadow_leaf *leaves;
};

struct nw_shadows {
  struct nw_machine *machine;
  struct nw_hypervisor *hypervisor;
  const struct nw_format *format; /* of guest and hardware */
  struct guest_frame *frame;      /* by guest frame */
  struct nw_shadow_page *pages;   /* all of them */
  struct nw_shadow_page *garbage;
  struct nw_shadow_page *loaded, *busy;
  struct nw_shadow_page *direct[DIRECT_BUCKETS];
  uint64_t *spare; /* pieces of 1 KB to make tables of */
  uint32_t spares, spare_capacity;
  uint32_t next_asid;
  uint64_t asid_generation;
  bool flush; /* the TLB has to forget more than single pages */
};

/* -- geometry ------------------------------------------------------------------------------- */

static unsigned index_bits(const struct nw_shadows *shadows, uint8_t level) {
  const struct nw_root *root = &shadows->machine->guest_regime.s1_root[0];
  const struct nw_format *format = shadows->format;
  if (level == root->start_level)
    return root->input_bits - format->shift[level];
  return (unsigned)(format->shift[level - 1] - format->shift[level]);
}

static uint32_t index_of(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint64_t va) {
  return (uint32_t)(va >> shadows->format->shift[page->key.level]) & (page->entries - 1);
}

static uint64_t entry_va(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint32_t index) {
  return page->key.va + ((uint64_t)index << shadows->format->shift[page->key.level]);
}

static bool is_last(const struct nw_shadows *shadows, const struct nw_shadow_page *page) {
  return page->key.level == shadows->format->last_level;
}

/* Bytes of the guest's table. */
static uint64_t guest_bytes(const struct nw_shadows *shadows, const struct nw_shadow_page *page) {
  return (uint64_t)page->entries * shadows->format->descriptor_bytes;
}

static void write_entry(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index,
                        uint64_t descriptor) {
  unsigned size = shadows->format->descriptor_bytes;
  uint64_t address = page->table + (uint64_t)index * size;
  nw_hypervisor_reference(shadows->hypervisor, address);
  if (!nw_physical_write(shadows->machine->memory, address, size, descriptor))
    nw_machine_fail(shadows->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
}

static struct guest_frame *frame_of(const struct nw_shadows *shadows, uint64_t ipa) {
  return &shadows->frame[ipa >> NW_FRAME_LOG2];
}

bool nw_shadow_is_table(const struct nw_shadows *shadows, uint64_t ipa) {
  return frame_of(shadows, ipa)->tables != NULL;
}

/* -- leaves --------------------------------------------------------------------------------- */

static void forget_leaf(struct shadow_leaf *leaf) {
  *leaf->link = leaf->next;
  if (leaf->next != NULL)
    leaf->next->link = leaf->link;
  leaf->present = false;
}

static void flush_page(struct nw_shadows *shadows, uint64_t va) {
  nw_mmu_invalidate(shadows->machine->mmu, NW_TLBI_MVAA, va);
}

static void drop_leaf(struct nw_shadows *shadows, struct shadow_leaf *leaf) {
  struct nw_shadow_page *page = leaf->page;
  uint32_t index = (uint32_t)(leaf - page->leaf);
  forget_leaf(leaf);
  write_entry(shadows, page, index, 0);
  flush_page(shadows, entry_va(shadows, page, index));
}

static bool allowed(const struct nw_shadows *shadows, uint32_t rights, enum nw_access access,
                    enum nw_privilege privilege) {
  unsigned stage;
  return nw_rights_judge(&shadows->machine->guest_regime, rights | NWI_R_S2_ALL, access, privilege,
                         &stage) == NW_FAULT_NONE;
}

/* What a view may do with a page of the guest's raw rights; false when it may not even read. The
 * leaf is never global: the guest's global pages are the kernel view's alone, and the hypervisor
 * tells views apart by ASID. */
static bool leaf_for_view(const struct nw_shadows *shadows, uint8_t view, uint32_t rights,
                          struct nwi_leaf *leaf) {
  bool user = allowed(shadows, rights, NW_READ, NW_USER);
  enum nw_privilege privilege = NW_USER;
  if (view == NW_VIEW_KERNEL || (view == NW_VIEW_BOTH && !user))
    privilege = NW_PRIVILEGED;
  *leaf = (struct nwi_leaf){
      .page_log2 = NW_FRAME_LOG2,
      .readable = true,
      .writable = allowed(shadows, rights, NW_WRITE, privilege),
      .executable = allowed(shadows, rights, NW_EXECUTE, privilege),
      .user = view != NW_VIEW_BOTH || user,
  };
  return allowed(shadows, rights, NW_READ, privilege);
}

void nw_shadow_set_leaf(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                        uint64_t ipa, uint32_t rights) {
  uint32_t index = index_of(shadows, page, va);
  struct shadow_leaf *entry = &page->leaf[index];
  struct nwi_leaf leaf;
  uint64_t pa;
  if (entry->present)
    drop_leaf(shadows, entry);
  if (!leaf_for_view(shadows, page->key.view, rights, &leaf) ||
      !nw_hypervisor_backing(shadows->hypervisor, ipa, &pa))
    return;
  leaf.output = pa & ~(NW_FRAME_BYTES - 1);
  leaf.writable = leaf.writable && !nw_shadow_is_table(shadows, ipa);
  write_entry(shadows, page, index, shadows->format->encode_leaf(&leaf));
  struct guest_frame *frame = frame_of(shadows, ipa);
  *entry = (struct shadow_leaf){.next = frame->leaves,
                                .link = &frame->leaves,
                                .page = page,
                                .frame = (uint32_t)(ipa >> NW_FRAME_LOG2),
                                .present = true,
                                .writable = leaf.writable};
  if (entry->next != NULL)
    entry->next->link = &entry->next;
  frame->leaves = entry;
}

/* A frame becomes a shadowed table: nobody writes it unseen from now on. */
static void protect_frame(struct nw_shadows *shadows, struct guest_frame *frame) {
  for (struct shadow_leaf *leaf = frame->leaves, *next; leaf != NULL; leaf = next) {
    next = leaf->next;
    if (leaf->writable)
      drop_leaf(shadows, leaf);
  }
}

/* -- making tables -------------------------------------------------------------------------- */

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

static uint32_t bucket(const struct nw_shadow_key *key) {
  uint64_t mixed = (key->guest >> NW_FRAME_LOG2) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(mixed >> 40) % DIRECT_BUCKETS;
}

static bool same_key(const struct nw_shadow_key *a, const struct nw_shadow_key *b) {
  return a->guest == b->guest && a->va == b->va && a->rights == b->rights && a->level == b->level &&
         a->view == b->view && a->direct == b->direct;
}

struct nw_shadow_page *nw_shadow_find(const struct nw_shadows *shadows,
                                      const struct nw_shadow_key *key) {
  if (key->direct) {
    struct nw_shadow_page *page = shadows->direct[bucket(key)];
    while (page != NULL && !same_key(&page->key, key))
      page = page->next_direct;
    return page;
  }
  struct table_link *link = frame_of(shadows, key->guest)->tables;
  while (link != NULL && !same_key(&link->page->key, key))
    link = link->next;
  return link == NULL ? NULL : link->page;
}

static struct nw_shadow_page *allocate_page(struct nw_shadows *shadows,
                                            const struct nw_shadow_key *key) {
  struct nw_shadow_page *page = calloc(1, sizeof *page);
  if (page == NULL)
    return NULL;
  page->key = *key;
  page->entries = 1u << index_bits(shadows, key->level);
  page->root = key->level == shadows->machine->guest_regime.s1_root[0].start_level;
  uint32_t bytes = page->entries * shadows->format->descriptor_bytes;
  /* A root of a few descriptors takes a frame of its own. */
  page->bytes = bytes < SMALL_TABLE ? (uint32_t)NW_FRAME_BYTES : bytes;
  bool last = is_last(shadows, page);
  if (last)
    page->leaf = calloc(page->entries, sizeof *page->leaf);
  else
    page->child = calloc(page->entries, sizeof *page->child);
  if ((page->leaf != NULL || page->child != NULL) && reserve_spares(shadows) &&
      allocate_host(shadows, page->bytes, &page->table))
    return page;
  free(page->leaf);
  free(page->child);
  free(page);
  return NULL;
}

/* Puts a page on the lists that it is found by. */
static void enlist(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  page->next = shadows->pages;
  if (page->next != NULL)
    page->next->previous = page;
  shadows->pages = page;
  shadows->machine->statistics->shadow_pages++;
  shadows->machine->statistics->shadow_bytes += page->bytes;
  if (page->key.direct) {
    page->next_direct = shadows->direct[bucket(&page->key)];
    shadows->direct[bucket(&page->key)] = page;
    return;
  }
  uint64_t end = page->key.guest + guest_bytes(shadows, page), at = page->key.guest;
  for (unsigned i = 0; at < end; i++, at = ((at >> NW_FRAME_LOG2) + 1) << NW_FRAME_LOG2) {
    struct guest_frame *frame = frame_of(shadows, at);
    struct table_link *link = &page->frame[i];
    *link = (struct table_link){.next = frame->tables, .link = &frame->tables, .page = page};
    if (link->next != NULL)
      link->next->link = &link->next;
    frame->tables = link;
    protect_frame(shadows, frame);
  }
}

static void delist(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->previous == NULL)
    shadows->pages = page->next;
  else
    page->previous->next = page->next;
  if (page->next != NULL)
    page->next->previous = page->previous;
  shadows->machine->statistics->shadow_pages--;
  shadows->machine->statistics->shadow_bytes -= page->bytes;
  if (page->key.direct) {
    struct nw_shadow_page **at = &shadows->direct[bucket(&page->key)];
    while (*at != page)
      at = &(*at)->next_direct;
    *at = page->next_direct;
    return;
  }
  for (unsigned i = 0; i < LINKS && page->frame[i].link != NULL; i++) {
    *page->frame[i].link = page->frame[i].next;
    if (page->frame[i].next != NULL)
      page->frame[i].next->link = page->frame[i].link;
  }
}

/* -- unlinking and destroying --------------------------------------------------------------- */

static void discard(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->garbage)
    return;
  page->garbage = true;
  page->next_garbage = shadows->garbage;
  shadows->garbage = page;
}

static void unlink_child(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index) {
  struct nw_shadow_page *child = page->child[index];
  page->child[index] = NULL;
  shadows->flush = true;
  if (--child->parents == 0)
    discard(shadows, child);
}

/* Takes back all entries; the table itself is cleared where it stays in use. */
static void empty(struct nw_shadows *shadows, struct nw_shadow_page *page, bool stays) {
  for (uint32_t i = 0; i < page->entries; i++) {
    if (page->leaf != NULL && page->leaf[i].present)
      forget_leaf(&page->leaf[i]);
    else if (page->child != NULL && page->child[i] != NULL)
      unlink_child(shadows, page, i);
    else
      continue;
    shadows->flush = true;
    if (stays)
      write_entry(shadows, page, i, 0);
  }
}

/* Destroys what is unlinked by now and lets the TLB forget it. */
static void collect(struct nw_shadows *shadows) {
  while (shadows->garbage != NULL) {
    struct nw_shadow_page *page = shadows->garbage;
    shadows->garbage = page->next_garbage;
    empty(shadows, page, false);
    delist(shadows, page);
    release_host(shadows, page->bytes, page->table);
    free(page->leaf);
    free(page->child);
    free(page);
  }
  if (shadows->flush)
    nw_mmu_invalidate(shadows->machine->mmu, NW_TLBI_ALL, 0);
  shadows->flush = false;
}

bool nw_shadow_give_up_idle(struct nw_shadows *shadows) {
  bool some = false;
  for (struct nw_shadow_page *page = shadows->pages; page != NULL; page = page->next) {
    /* The running root's other view is about to be needed again. */
    bool runs = shadows->loaded != NULL && page->key.guest == shadows->loaded->key.guest;
    if (!page->root || runs || page == shadows->busy)
      continue;
    discard(shadows, page);
    some = true;
  }
  collect(shadows);
  return some;
}

struct nw_shadow_page *nw_shadow_get(struct nw_shadows *shadows, const struct nw_shadow_key *key) {
  struct nw_shadow_page *page = nw_shadow_find(shadows, key);
  if (page != NULL)
    return page;
  page = allocate_page(shadows, key);
  if (page == NULL && nw_shadow_give_up_idle(shadows))
    page = allocate_page(shadows, key);
  if (page == NULL) {
    nw_machine_fail(shadows->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    return NULL;
  }
  enlist(shadows, page);
  return page;
}

void nw_shadow_link(struct nw_shadows *shadows, struct nw_shadow_page *page, uint64_t va,
                    struct nw_shadow_page *child) {
  uint32_t index = index_of(shadows, page, va);
  if (page->child[index] == child)
    return;
  child->parents++;
  if (page->child[index] != NULL)
    unlink_child(shadows, page, index);
  page->child[index] = child;
  write_entry(shadows, page, index,
              shadows->format->encode_table(page->key.level, child->table, 0));
  collect(shadows);
}

/* -- what the guest's stores lead to -------------------------------------------------------- */

/* The guest's descriptor that entry `index` is made from. */
static void decode_guest(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint32_t index, struct nw_descriptor *meaning) {
  const struct nw_machine *machine = shadows->machine;
  struct nwi_decode_context context = {.regime = &machine->guest_regime,
                                       .limits = page->key.rights,
                                       .level = page->key.level,
                                       .access = NW_READ};
  *meaning = (struct nw_descriptor){0};
  unsigned size = shadows->format->descriptor_bytes;
  uint64_t pa, raw = 0;
  if (nw_hypervisor_backing(shadows->hypervisor, page->key.guest + (uint64_t)index * size, &pa))
    nw_physical_read(machine->memory, pa, size, &raw);
  shadows->format->decode(&context, raw, meaning);
}

/* IPA of the 4 KB that a leaf maps at `va`. */
static uint64_t leaf_ipa(const struct nw_descriptor *meaning, uint64_t va) {
  uint64_t mask = (UINT64_C(1) << meaning->page_log2) - 1;
  return (meaning->output | (va & mask)) & ~(NW_FRAME_BYTES - 1);
}

/* Rewrites a leaf from the guest's new descriptor, or drops it where that is no valid one. */
static void update_leaf(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index) {
  struct nw_descriptor meaning;
  uint64_t va = entry_va(shadows, page, index), pa;
  decode_guest(shadows, page, index, &meaning);
  uint64_t ipa = leaf_ipa(&meaning, va);
  if (meaning.kind == NW_DESCRIPTOR_LEAF && !meaning.access_flag_clear &&
      nw_hypervisor_backing(shadows->hypervisor, ipa, &pa))
    nw_shadow_set_leaf(shadows, page, va, ipa, meaning.rights);
  else
    drop_leaf(shadows, &page->leaf[index]);
}

static void synchronise(struct nw_shadows *shadows, struct nw_shadow_page *page, uint32_t index) {
  bool update = shadows->machine->config.hypervisor.shadow_sync == NW_SHADOW_UPDATE;
  if (page->child != NULL) {
    if (page->child[index] == NULL)
      return;
    unlink_child(shadows, page, index);
    write_entry(shadows, page, index, 0);
  } else if (page->leaf[index].present) {
    if (update)
      update_leaf(shadows, page, index);
    else
      drop_leaf(shadows, &page->leaf[index]);
  }
}

void nw_shadow_stored(struct nw_shadows *shadows, uint64_t ipa) {
  for (struct table_link *link = frame_of(shadows, ipa)->tables; link != NULL; link = link->next) {
    struct nw_shadow_page *page = link->page;
    if (ipa < page->key.guest || ipa - page->key.guest >= guest_bytes(shadows, page))
      continue;
    uint64_t index = (ipa - page->key.guest) / shadows->format->descriptor_bytes;
    synchronise(shadows, page, (uint32_t)index);
  }
  collect(shadows);
}

void nw_shadow_filled(struct nw_shadows *shadows, uint64_t ipa) {
  for (struct table_link *link = frame_of(shadows, ipa)->tables; link != NULL; link = link->next) {
    struct nw_shadow_page *page = link->page;
    if (page->parents == 0 && page != shadows->loaded && page != shadows->busy)
      discard(shadows, page);
    else
      empty(shadows, page, true);
  }
  collect(shadows);
}

void nw_shadow_drop_all(struct nw_shadows *shadows) {
  for (struct nw_shadow_page *page = shadows->pages; page != NULL; page = page->next)
    if (page->root)
      discard(shadows, page);
  shadows->loaded = shadows->busy = NULL;
  collect(shadows);
}

/* -- roots ---------------------------------------------------------------------------------- */

uint64_t nw_shadow_table(const struct nw_shadow_page *page) {
  return page->table;
}

uint32_t nw_shadow_asid(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  if (page->asid_generation == shadows->asid_generation)
    return page->asid;
  if (shadows->next_asid == ASIDS) {
    shadows->next_asid = 1;
    shadows->asid_generation++;
    nw_mmu_invalidate(shadows->machine->mmu, NW_TLBI_ALL, 0);
  }
  page->asid = shadows->next_asid++;
  page->asid_generation = shadows->asid_generation;
  return page->asid;
}

void nw_shadow_set_loaded(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  shadows->loaded = page;
}

void nw_shadow_set_busy(struct nw_shadows *shadows, struct nw_shadow_page *page) {
  shadows->busy = page;
}

struct nw_shadows *nw_shadows_create(struct nw_machine *machine) {
  struct nw_shadows *shadows = calloc(1, sizeof *shadows);
  if (shadows == NULL)
    return NULL;
  shadows->machine = machine;
  shadows->hypervisor = machine->hypervisor;
  shadows->format = machine->guest_regime.s1_format;
  shadows->next_asid = 1;
  shadows->asid_generation = 1;
  shadows->frame = calloc(machine->hypervisor->guest_frames, sizeof *shadows->frame);
  if (shadows->frame == NULL) {
    free(shadows);
    return NULL;
  }
  return shadows;
}

void nw_shadows_destroy(struct nw_shadows *shadows) {
  if (shadows == NULL)
    return;
  for (struct nw_shadow_page *page = shadows->pages, *next; page != NULL; page = next) {
    next = page->next;
    free(page->leaf);
    free(page->child);
    free(page);
  }
  free(shadows->frame);
  free(shadows->spare);
  free(shadows);
}

/* -- checking ------------------------------------------------------------------------------- */

/* What the guest says of entry `index`: its own descriptor, or the large leaf it is broken from. */
static bool leaf_agrees(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                        uint32_t index) {
  struct nw_descriptor meaning = {
      .kind = NW_DESCRIPTOR_LEAF, .page_log2 = NW_FRAME_LOG2, .rights = page->key.rights};
  uint64_t va = entry_va(shadows, page, index);
  meaning.output = page->key.guest + (va - page->key.va);
  if (!page->key.direct)
    decode_guest(shadows, page, index, &meaning);
  const struct shadow_leaf *leaf = &page->leaf[index];
  struct nwi_leaf view;
  return meaning.kind == NW_DESCRIPTOR_LEAF &&
         leaf_ipa(&meaning, va) >> NW_FRAME_LOG2 == leaf->frame &&
         leaf_for_view(shadows, page->key.view, meaning.rights, &view) &&
         (view.writable || !leaf->writable);
}

static bool child_agrees(const struct nw_shadows *shadows, const struct nw_shadow_page *page,
                         uint32_t index) {
  const struct nw_shadow_key *key = &page->child[index]->key;
  struct nw_descriptor meaning;
  uint64_t va = entry_va(shadows, page, index);
  if (key->va != va || key->view != page->key.view || key->level != page->key.level + 1)
    return false;
  if (page->key.direct)
    return key->direct && key->rights == page->key.rights &&
           key->guest == page->key.guest + (va - page->key.va);
  decode_guest(shadows, page, index, &meaning);
  if (key->direct)
    return meaning.kind == NW_DESCRIPTOR_LEAF && meaning.rights == key->rights &&
           leaf_ipa(&meaning, va) == key->guest;
  return meaning.kind == NW_DESCRIPTOR_TABLE && meaning.rights == key->rights &&
         meaning.output == key->guest;
}

bool nw_shadow_consistent(const struct nw_shadows *shadows, char *error, size_t error_size) {
  for (const struct nw_shadow_page *page = shadows->pages; page != NULL; page = page->next) {
    for (uint32_t i = 0; i < page->entries; i++) {
      bool agrees = true;
      if (page->child != NULL && page->child[i] != NULL)
        agrees = child_agrees(shadows, page, i);
      else if (page->leaf != NULL && page->leaf[i].present)
        agrees = leaf_agrees(shadows, page, i) &&
                 !(page->leaf[i].writable && shadows->frame[page->leaf[i].frame].tables != NULL);
      if (!agrees)
        return nw_machine_error(error, error_size,
                                "the level-%u shadow entry for VA 0x%llx under view %u is not "
                                "what the guest's table says, or lets a table be written",
                                page->key.level, (unsigned long long)entry_va(shadows, page, i),
                                page->key.view);
    }
    if (!page->root && page->parents == 0)
      return nw_machine_error(error, error_size, "a shadow table is linked from nowhere");
  }
  return true;
}
