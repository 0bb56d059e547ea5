/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries by number, found by a hash index over page, size and VMID like the TLB's own; for each number
 * of sets one struct nw_stacks that orders them. Main invariant: an entry that some stack holds is in
 * the index, one that no stack holds is not.
 *
 * A lookup is not booked when it is told but with the next thing that is told, since only then it is
 * known whether it ended in a fault.
 */
#include "sim/onepass/tlb_sizes.h"

#include <stdlib.h>
#include <string.h>

#include "sim/onepass/stacks.h"

#define NONE NW_STACK_NONE
#define LEVELS 32 /* numbers of sets: powers of two */

struct entry {
  uint64_t page; /* first address */
  uint16_t asid; /* of a global entry: 0 */
  uint16_t vmid;
  uint8_t log2;
  bool global;
  uint8_t holders; /* stacks that hold it; 0: free */
  uint32_t next;   /* in its chain; or of the free ones */
};

/* Stacks of one number of sets. */
struct level {
  uint32_t sets, depth;
  struct nw_stacks *stacks;
  uint64_t *hits; /* [page size][place - 1] */
};

struct nw_tlb_sizes {
  struct nwi_tlb_watch watch;
  struct level level[LEVELS];
  unsigned levels;
  struct entry *entries;
  uint64_t *used; /* by entry: when it was used last */
  uint32_t entry_count, room, free;
  uint32_t *heads;
  uint32_t hash_bits;
  uint32_t size_count[64]; /* entries by log2 */
  uint64_t sizes;          /* bit log2: there are some */
  uint64_t time;
  uint64_t lookups;
  uint64_t repeats[NW_PAGE_SIZES]; /* hits of the entry used last: on top of every stack */
  uint32_t latest;                 /* that entry */
  bool waiting;                    /* a lookup is not booked yet */
  uint64_t va;                     /* of that lookup */
  uint32_t found;                  /* the entry that it found, or NONE */
  bool exact;
};

/* -- page sizes ------------------------------------------------------------------------------- */

static unsigned size_index(unsigned log2) {
  unsigned index = 0;
  for (unsigned i = 1; i < NW_PAGE_SIZES; i++)
    if (nw_page_size_log2(i) && nw_page_size_log2(i) <= log2)
      index = i;
  return index;
}

static uint64_t page_of(uint64_t va, unsigned log2) {
  return va >> log2 << log2;
}

static uint32_t set_of(const struct level *level, const struct entry *entry) {
  return (uint32_t)(entry->page >> entry->log2) & (level->sets - 1);
}

static bool covers(const struct entry *e, uint64_t va, uint16_t asid, uint16_t vmid) {
  return page_of(va, e->log2) == e->page && e->vmid == vmid && (e->global || e->asid == asid);
}

/* -- the index -------------------------------------------------------------------------------- */

static uint32_t *chain_of(struct nw_tlb_sizes *s, uint64_t page, unsigned log2, uint16_t vmid) {
  uint64_t key = (page | log2) ^ (uint64_t)vmid << 48;
  return &s->heads[key * 0x9e3779b97f4a7c15u >> (64 - s->hash_bits)];
}

static uint32_t find(struct nw_tlb_sizes *s, uint64_t va, uint16_t asid, uint16_t vmid) {
  for (uint64_t left = s->sizes; left; left &= left - 1) {
    unsigned log2 = (unsigned)__builtin_ctzll(left);
    uint64_t page = page_of(va, log2);
    for (uint32_t i = *chain_of(s, page, log2, vmid); i != NONE; i = s->entries[i].next) {
      const struct entry *e = &s->entries[i];
      if (e->log2 == log2 && covers(e, va, asid, vmid))
        return i;
    }
  }
  return NONE;
}

static bool grow(struct nw_tlb_sizes *s) {
  uint32_t room = s->room ? 2 * s->room : 1024;
  struct entry *entries = realloc(s->entries, room * sizeof *entries);
  if (entries)
    s->entries = entries;
  uint64_t *used = entries ? realloc(s->used, room * sizeof *used) : NULL;
  if (!used)
    return false;
  s->used = used;
  for (unsigned i = 0; i < s->levels; i++)
    if (!nw_stacks_reserve(s->level[i].stacks, room))
      return false;
  s->room = room;
  return true;
}

/* A new entry, in no stack yet; NONE when out of memory. */
static uint32_t add_entry(struct nw_tlb_sizes *s, const struct nwi_tlb_entry *from) {
  uint32_t index = s->free;
  if (index != NONE)
    s->free = s->entries[index].next;
  else if (s->entry_count < s->room || grow(s))
    index = s->entry_count++;
  else
    return NONE;
  uint32_t *head = chain_of(s, from->va, from->page_log2, from->vmid);
  s->entries[index] = (struct entry){.page = from->va,
                                     .asid = from->global ? 0 : from->asid,
                                     .vmid = from->vmid,
                                     .log2 = from->page_log2,
                                     .global = from->global,
                                     .next = *head};
  *head = index;
  if (!s->size_count[from->page_log2]++)
    s->sizes |= UINT64_C(1) << from->page_log2;
  return index;
}

/* No stack holds it any more. */
static void free_entry(struct nw_tlb_sizes *s, uint32_t index) {
  struct entry *e = &s->entries[index];
  uint32_t *link = chain_of(s, e->page, e->log2, e->vmid);
  while (*link != index)
    link = &s->entries[*link].next;
  *link = e->next;
  if (!--s->size_count[e->log2])
    s->sizes &= ~(UINT64_C(1) << e->log2);
  e->next = s->free;
  e->holders = 0;
  e->log2 = 0;
  s->free = index;
  s->latest = s->latest == index ? NONE : s->latest;
}

/* -- booking ---------------------------------------------------------------------------------- */

static void count_hits(struct nw_tlb_sizes *s, uint32_t index) {
  const struct entry *e = &s->entries[index];
  for (unsigned i = 0; i < s->levels; i++) {
    struct level *level = &s->level[i];
    uint32_t place = nw_stacks_place(level->stacks, set_of(level, e), index);
    if (place != NONE)
      level->hits[size_index(e->log2) * level->depth + place - 1]++;
  }
}

static void touch(struct nw_tlb_sizes *s, uint32_t index) {
  struct entry *e = &s->entries[index];
  s->used[index] = ++s->time;
  for (unsigned i = 0; i < s->levels; i++) {
    struct level *level = &s->level[i];
    uint32_t set = set_of(level, e);
    if (nw_stacks_place(level->stacks, set, index) == NONE)
      e->holders++;
    uint32_t dropped = nw_stacks_touch(level->stacks, set, index, s->used);
    if (dropped != NONE && !--s->entries[dropped].holders)
      free_entry(s, dropped);
  }
  s->latest = index;
}

static void pin(struct nw_tlb_sizes *s, uint32_t index) {
  s->used[index] = ++s->time;
  for (unsigned i = 0; i < s->levels; i++)
    s->exact &= nw_stacks_pin(s->level[i].stacks, set_of(&s->level[i], &s->entries[index]), index);
  s->latest = NONE;
}

static void drop(struct nw_tlb_sizes *s, uint32_t index) {
  for (unsigned i = 0; i < s->levels; i++)
    nw_stacks_remove(s->level[i].stacks, set_of(&s->level[i], &s->entries[index]), index);
  free_entry(s, index);
}

/* The lookup that waits did not fault. */
static void book(struct nw_tlb_sizes *s) {
  if (!s->waiting)
    return;
  s->waiting = false;
  if (s->found == NONE)
    return;
  count_hits(s, s->found);
  touch(s, s->found);
}

/* -- what is told ----------------------------------------------------------------------------- */

static void looked_up(void *context, uint64_t va, uint16_t asid, uint16_t vmid) {
  struct nw_tlb_sizes *s = context;
  book(s);
  s->lookups++;
  if (s->latest != NONE && covers(&s->entries[s->latest], va, asid, vmid)) {
    s->repeats[size_index(s->entries[s->latest].log2)]++;
    return; /* should it fault: an entry on top that is used stays there */
  }
  s->found = find(s, va, asid, vmid);
  s->va = va;
  s->waiting = true;
}

/* The hit was denied where there was one, and the walk has brought nothing anywhere. */
static void faulted(void *context) {
  struct nw_tlb_sizes *s = context;
  if (!s->waiting)
    return;
  s->waiting = false;
  if (s->found == NONE)
    return;
  count_hits(s, s->found);
  pin(s, s->found);
}

static bool same(const struct entry *a, const struct nwi_tlb_entry *b) {
  return a->page == b->va && a->log2 == b->page_log2 && a->vmid == b->vmid &&
         a->global == b->global && (b->global || a->asid == b->asid);
}

static bool overlaps(const struct entry *a, const struct nwi_tlb_entry *b) {
  unsigned log2 = a->log2 > b->page_log2 ? a->log2 : b->page_log2;
  return a->log2 && a->vmid == b->vmid && page_of(a->page, log2) == page_of(b->va, log2) &&
         (a->global || b->global || a->asid == b->asid);
}

static void drop_in_chain(struct nw_tlb_sizes *s, const struct nwi_tlb_entry *entry, uint64_t page,
                          unsigned log2) {
  uint32_t next;
  for (uint32_t i = *chain_of(s, page, log2, entry->vmid); i != NONE; i = next) {
    next = s->entries[i].next;
    if (s->entries[i].log2 == log2 && overlaps(&s->entries[i], entry))
      drop(s, i);
  }
}

/* What a TLB drops for a new entry: nothing may match an address twice. */
static void drop_overlapping(struct nw_tlb_sizes *s, const struct nwi_tlb_entry *entry) {
  for (uint64_t left = s->sizes; left; left &= left - 1) {
    unsigned log2 = (unsigned)__builtin_ctzll(left);
    unsigned above = log2 < entry->page_log2 ? entry->page_log2 - log2 : 0;
    for (uint64_t page = 0; page < UINT64_C(1) << above; page++)
      drop_in_chain(s, entry, page_of(entry->va, log2) + (page << log2), log2);
  }
}

static void installed(void *context, const struct nwi_tlb_entry *entry) {
  struct nw_tlb_sizes *s = context;
  uint32_t found = find(s, entry->va, entry->asid, entry->vmid);
  bool again = found != NONE && same(&s->entries[found], entry);
  /* Where the lookup missed there is another entry now than where it hit. */
  if (s->waiting && s->found != NONE && page_of(s->va, entry->page_log2) == entry->va && !again)
    s->exact = false;
  book(s);
  if (again) {
    touch(s, found);
    return;
  }
  drop_overlapping(s, entry);
  uint32_t index = add_entry(s, entry);
  if (index == NONE)
    s->exact = false;
  else
    touch(s, index);
}

static bool matches(const struct nwi_tlb_match *match, const struct entry *e) {
  if ((match->by_vmid && e->vmid != match->vmid) ||
      (match->by_va && page_of(match->va, e->log2) != e->page))
    return false;
  return !match->by_asid || (e->global ? match->globals : e->asid == match->asid);
}

static void drop_page(struct nw_tlb_sizes *s, const struct nwi_tlb_match *match, unsigned log2) {
  uint32_t next;
  for (uint32_t i = *chain_of(s, page_of(match->va, log2), log2, match->vmid); i != NONE;
       i = next) {
    next = s->entries[i].next;
    if (s->entries[i].log2 == log2 && matches(match, &s->entries[i]))
      drop(s, i);
  }
}

static void invalidated(void *context, const struct nwi_tlb_match *match) {
  struct nw_tlb_sizes *s = context;
  book(s);
  if (match->by_va && match->by_vmid) {
    for (uint64_t left = s->sizes; left; left &= left - 1)
      drop_page(s, match, (unsigned)__builtin_ctzll(left));
    return;
  }
  for (uint32_t i = 0; i < s->entry_count; i++)
    if (s->entries[i].log2 && matches(match, &s->entries[i]))
      drop(s, i);
}

static void restarted(void *context) {
  struct nw_tlb_sizes *s = context;
  book(s);
  s->lookups = 0;
  memset(s->repeats, 0, sizeof s->repeats);
  for (unsigned i = 0; i < s->levels; i++)
    memset(s->level[i].hits, 0,
           (size_t)NW_PAGE_SIZES * s->level[i].depth * sizeof *s->level[i].hits);
}

/* -- life ------------------------------------------------------------------------------------- */

static unsigned level_of(const struct nw_tlb_sizes *s, uint32_t sets) {
  unsigned i = 0;
  while (i < s->levels && s->level[i].sets != sets)
    i++;
  return i;
}

static bool add_level(struct nw_tlb_sizes *s, uint32_t sets, uint32_t ways) {
  unsigned i = level_of(s, sets);
  if (i == LEVELS)
    return false;
  s->levels += i == s->levels;
  s->level[i].sets = sets;
  s->level[i].depth = ways > s->level[i].depth ? ways : s->level[i].depth;
  return true;
}

static bool make_level(struct level *level) {
  level->stacks = nw_stacks_create(level->sets, level->depth);
  level->hits = calloc((size_t)NW_PAGE_SIZES * level->depth, sizeof *level->hits);
  return level->stacks && level->hits;
}

static bool make(struct nw_tlb_sizes *s, const struct nw_tlb_geometry *geometries, size_t count) {
  uint64_t most = 1024;
  for (size_t i = 0; i < count; i++)
    if (!add_level(s, geometries[i].entries / geometries[i].ways, geometries[i].ways))
      return false;
  for (unsigned i = 0; i < s->levels; i++) {
    uint64_t entries = (uint64_t)s->level[i].sets * s->level[i].depth;
    most = entries > most ? entries : most;
    if (!make_level(&s->level[i]))
      return false;
  }
  for (s->hash_bits = 10; UINT64_C(1) << s->hash_bits < 2 * most; s->hash_bits++)
    ;
  s->heads = malloc(sizeof *s->heads << s->hash_bits);
  if (s->heads)
    memset(s->heads, 0xff, sizeof *s->heads << s->hash_bits);
  return s->heads != NULL;
}

struct nw_tlb_sizes *nw_tlb_sizes_create(const struct nw_tlb_geometry *geometries, size_t count) {
  struct nw_tlb_sizes *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->free = s->latest = s->found = NONE;
  s->exact = true;
  s->watch = (struct nwi_tlb_watch){s, looked_up, installed, invalidated, faulted, restarted};
  if (make(s, geometries, count))
    return s;
  nw_tlb_sizes_destroy(s);
  return NULL;
}

void nw_tlb_sizes_destroy(struct nw_tlb_sizes *s) {
  if (!s)
    return;
  for (unsigned i = 0; i < s->levels; i++) {
    nw_stacks_destroy(s->level[i].stacks);
    free(s->level[i].hits);
  }
  free(s->entries);
  free(s->used);
  free(s->heads);
  free(s);
}

const struct nwi_tlb_watch *nw_tlb_sizes_watch(struct nw_tlb_sizes *s) {
  return &s->watch;
}

bool nw_tlb_sizes_exact(const struct nw_tlb_sizes *s) {
  return s->exact;
}

struct nw_tlb_size_counts nw_tlb_sizes_counts(struct nw_tlb_sizes *s,
                                              struct nw_tlb_geometry geometry) {
  struct nw_tlb_size_counts counts = {.misses = 0};
  book(s);
  const struct level *level = &s->level[level_of(s, geometry.entries / geometry.ways)];
  counts.misses = s->lookups;
  for (unsigned size = 0; size < NW_PAGE_SIZES; size++) {
    counts.hits_by_size[size] = s->repeats[size];
    for (uint32_t place = 0; place < geometry.ways; place++)
      counts.hits_by_size[size] += level->hits[size * level->depth + place];
    counts.misses -= counts.hits_by_size[size];
  }
  return counts;
}
