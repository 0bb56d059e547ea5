/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load or a store of the guest's has to be fetched from somewhere, through the case's own tables.
 * For the time of a query one entry of the guest's root that is not present, and under nested
 * tables one of theirs, are made to lead to a page of the program's. Whatever else of the query's
 * walk comes by such an entry finds nothing behind it, as before.
 *
 * The page is code, and it is every guest table below the root at once: it leads to itself, and has
 * a gigabyte page that it lies in.
 */
#include "program.h"

#define ADDRESS 0x000ffffffffff000ull

#define TABLE (ENTRY_P | ENTRY_W | ENTRY_U | ENTRY_A | ENTRY_D)
#define LARGE (ENTRY_P | ENTRY_W | ENTRY_A | ENTRY_D | ENTRY_PS)

enum { USER_GIGABYTE = 0x21, SUPERVISOR_GIGABYTE = 0x22 };

#define CODE 0x800u
#define CODE_SPACING 8u

struct page {
  uint64_t entry[CODE / 8];
  uint8_t code[8][CODE_SPACING];
  uint8_t rest[4096 - CODE - 8 * CODE_SPACING];
};

static struct page page __attribute__((aligned(4096))) = {
    .code =
        {
            {0x8a, 0x0b},       /* mov (%rbx), %cl */
            {0x66, 0x8b, 0x0b}, /* mov (%rbx), %cx */
            {0x8b, 0x0b},       /* mov (%rbx), %ecx */
            {0x48, 0x8b, 0x0b}, /* mov (%rbx), %rcx */
            {0x88, 0x0b},       /* mov %cl, (%rbx) */
            {0x66, 0x89, 0x0b}, /* mov %cx, (%rbx) */
            {0x89, 0x0b},       /* mov %ecx, (%rbx) */
            {0x48, 0x89, 0x0b}, /* mov %rcx, (%rbx) */
        },
};

/* Nested tables of levels 1 to 4, each with one entry that leads to the next. */
static uint64_t chain[5][512] __attribute__((aligned(4096)));
static const uint16_t chain_index[5] = {0, 0x0c3, 0x13a, 0x05d, 0x1a6};

unsigned own_load(unsigned log2) {
  return CODE + CODE_SPACING * log2;
}

unsigned own_store(unsigned log2) {
  return CODE + CODE_SPACING * (4 + log2);
}

/* -- finding a place --------------------------------------------------------------------------- */

static uint64_t chain_value(unsigned level) {
  return (level ? (uintptr_t)chain[level] : (uintptr_t)&page) | TABLE;
}

static void take(struct own *own, volatile uint64_t *entry, unsigned level, uint64_t gpa) {
  own->nested = entry;
  own->nested_value = chain_value(level - 1);
  own->gpa = gpa;
  for (unsigned i = 1; i < level; i++) {
    chain[i][chain_index[i]] = chain_value(i - 1);
    own->gpa |= (uint64_t)chain_index[i] << shift_of(i);
  }
}

/* A free entry, of the table that has `entry`, which is on the way to `gpa`. */
static bool find_in_table(struct own *own, volatile uint64_t *entry, unsigned level, uint64_t gpa,
                          const struct trail *avoid) {
  static unsigned start;
  volatile uint64_t *table = (volatile uint64_t *)((uintptr_t)entry & ADDRESS);
  uint64_t above = gpa >> (shift_of(level) + 9) << (shift_of(level) + 9);
  start++;
  for (unsigned i = 0; i < 512; i++) {
    unsigned index = (start + i) & 511;
    uint64_t here = above | (uint64_t)index << shift_of(level);
    if (here >> x86_reg[X86_MAXPHYADDR] || &table[index] == entry || table[index] & ENTRY_P ||
        trail_has(avoid, (uintptr_t)&table[index], 8))
      continue;
    take(own, &table[index], level, here);
    return true;
  }
  return false;
}

bool own_find(struct own *own, uint64_t gpa, const struct trail *avoid) {
  struct trail trail = {.count = 0};
  uint64_t pa;
  own->nested = NULL;
  own->gpa = (uintptr_t)&page;
  bool led = follow_nested(&trail, gpa, &pa);
  if (led && !trail.count)
    return true; /* no nested tables */
  for (unsigned i = 0; i < trail.count; i++) {
    if (find_in_table(own, trail.entry[i].at, trail.entry[i].level, gpa, avoid))
      return true;
    if (trail.entry[i].value & ENTRY_NX) /* nothing below may be executed */
      return false;
  }
  return false;
}

/* -- using it ---------------------------------------------------------------------------------- */

/* The page holds code, so that writing to it costs. */
static void set(unsigned index, uint64_t value) {
  volatile uint64_t *entry = &page.entry[index];
  if (*entry != value)
    *entry = value;
}

void own_map(const struct own *own, struct trail *trail) {
  uint64_t gigabyte = own->gpa & ~(GIGABYTE - 1);
  set(OWN_SELF, own_entry(own));
  set(USER_GIGABYTE, gigabyte | LARGE | ENTRY_U);
  set(SUPERVISOR_GIGABYTE, gigabyte | LARGE);
  if (own->nested)
    trail_patch(trail, own->nested, own->nested_value);
}

uint64_t own_entry(const struct own *own) {
  return own->gpa | TABLE;
}

void own_data(uint64_t gpa) {
  set(OWN_DATA, (gpa & ~(GIGABYTE - 1)) | LARGE);
}

uint64_t own_code(const struct own *own, unsigned index, unsigned levels, bool user,
                  unsigned offset) {
  uint64_t va = (uint64_t)(user ? USER_GIGABYTE : SUPERVISOR_GIGABYTE) << shift_of(3);
  va |= (own->gpa & (GIGABYTE - 1)) + offset;
  if (levels == 5)
    va |= (uint64_t)OWN_SELF << shift_of(4);
  unsigned unused = 64 - shift_of(levels + 1);
  return (uint64_t)((int64_t)((va | (uint64_t)index << shift_of(levels)) << unused) >> unused);
}
