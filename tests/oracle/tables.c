/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers, images, and the tree of stage 2. */
#include "tables.h"

#include <string.h>

#include "protocol.h"

/* -- random numbers: splitmix64 ---------------------------------------------------------------- */

uint64_t roll(struct dice *dice) {
  uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

uint32_t below(struct dice *dice, uint32_t limit) {
  return (uint32_t)((roll(dice) >> 32) * limit >> 32);
}

bool percent(struct dice *dice, unsigned probability) {
  return below(dice, 100) < probability;
}

uint64_t any_bits(struct dice *dice, uint64_t mask) {
  return roll(dice) & mask;
}

/* -- images ------------------------------------------------------------------------------------ */

#define LOW_LAST 0xffffffffull

void images_reset(struct images *images, struct dice *dice) {
  static const uint64_t last[ARENAS] = {LOW_LAST, ORACLE_RAM_LAST};
  for (unsigned i = 0; i < ARENAS; i++) {
    struct arena *arena = &images->arena[i];
    uint64_t room = last[i] + 1 - ORACLE_RAM_FIRST - ARENA_SIZE;
    arena->base = (ORACLE_RAM_FIRST + roll(dice) % room) & ~(uint64_t)0xffff;
    arena->used = 0;
    memset(arena->data, 0, ARENA_SIZE);
  }
}

void *images_place(struct images *images, bool low, uint32_t bytes, uint32_t alignment,
                   uint64_t *pa, struct dice *dice) {
  struct arena *arena = &images->arena[low ? 0 : below(dice, ARENAS)];
  uint32_t at = (arena->used + alignment - 1) & ~(alignment - 1);
  if (at + bytes > ARENA_SIZE) /* full: a place that is taken is as good as any */
    at = below(dice, (ARENA_SIZE - bytes) / alignment) * alignment;
  else
    arena->used = at + bytes;
  *pa = arena->base + at;
  return arena->data + at;
}

uint64_t random_pa(unsigned log2, struct dice *dice) {
  static const uint64_t gigabyte = 1u << 30;
  for (;;) {
    uint64_t pa = any_bits(dice, 0xffffffffff) >> log2 << log2;
    bool own = pa < ORACLE_RAM_FIRST;
    bool devices = pa / gigabyte == (ORACLE_RAM_LAST + 1) / gigabyte;
    if (!own && !devices)
      return pa;
  }
}

uint64_t random_hole(unsigned log2, bool low, struct dice *dice) {
  uint64_t first = low ? ORACLE_LOW_HOLE_FIRST : ORACLE_HIGH_HOLE_FIRST;
  uint64_t last = low ? ORACLE_LOW_HOLE_LAST : ORACLE_HIGH_HOLE_LAST;
  return (first + roll(dice) % (last + 1 - first)) >> log2 << log2;
}

/* -- stage 2: descriptors ---------------------------------------------------------------------- */

enum { FREE = -1, PINNED_LEAF = -2 }; /* else the index of a table of the next level's pool */

#define ADDRESS 0xfffffff000ull
#define AF (1ull << 10)
#define READ (1ull << 6)
#define MEM_ATTR_SHIFT 2
#define SH_SHIFT 8
/* bits that the walk ignores: contiguous, and those kept for software and above */
#define LEAF_IGNORED 0xfff0000000000800ull
#define TABLE_IGNORED 0xfff0000000000ffcull

static const unsigned shift_of[4] = {0, 30, 21, 12};

/* MemAttr without the reserved encodings, and shareability likewise. */
static uint64_t random_stage2_attributes(struct dice *dice) {
  static const uint8_t mem_attr[] = {0, 1, 5, 6, 7, 9, 10, 11, 13, 14, 15};
  static const uint8_t sh[] = {0, 2, 3};
  return (uint64_t)mem_attr[below(dice, sizeof(mem_attr))] << MEM_ATTR_SHIFT |
         (uint64_t)sh[below(dice, sizeof(sh))] << SH_SHIFT;
}

static uint64_t stage2_leaf(unsigned level, uint64_t output, struct dice *dice) {
  uint64_t d = level == 3 ? 3 : 1;
  d |= output & ADDRESS;
  if (level < 3 && percent(dice, 15)) /* bits of the block's offset */
    d |= any_bits(dice, ADDRESS & ((1ull << shift_of[level]) - 1));
  d |= random_stage2_attributes(dice) | any_bits(dice, LEAF_IGNORED);
  d |= percent(dice, 75) ? 3 * READ : any_bits(dice, 3 * READ);
  d |= percent(dice, 92) ? AF : 0;
  return d;
}

/* One that leads to a stage-1 table: few deny, since everything behind it is denied then. */
static uint64_t stage2_pinned_leaf(unsigned level, uint64_t output, struct dice *dice) {
  uint64_t d = stage2_leaf(level, output, dice);
  if (percent(dice, 95))
    d |= AF | READ;
  if (percent(dice, 85))
    d |= 15u << MEM_ATTR_SHIFT; /* not Device, which HCR.PTW would deny */
  return d;
}

static uint64_t table_descriptor(uint64_t table, struct dice *dice) {
  return (table & ADDRESS) | any_bits(dice, TABLE_IGNORED) | 3;
}

/* Bit 0 clear makes it invalid, whatever else it has. */
static uint64_t invalid_descriptor(struct dice *dice) {
  return percent(dice, 40) ? 0 : roll(dice) & ~1ull;
}

/* -- stage 2: the tree ------------------------------------------------------------------------- */

static void table_init(struct stage2_table *table, uint32_t entries, struct images *images,
                       struct dice *dice) {
  uint32_t bytes = entries * 8;
  table->entries = entries;
  table->descriptor = images_place(images, false, bytes, bytes < 64 ? 64 : bytes, &table->pa, dice);
  memset(table->child, FREE, entries);
}

/* The legal shapes: a start at level 1 for 31 to 40 bits, at level 2 for 25 to 34. Now and then one
 * that is not. */
static void plan_shape(struct stage2 *stage2, struct dice *dice) {
  bool level1 = percent(dice, 50);
  stage2->start_level = level1 ? 1 : 2;
  stage2->ipa_bits = (level1 ? 31 : 25) + below(dice, 10);
  stage2->consistent = true;
  if (percent(dice, 3)) {
    stage2->consistent = false;
    stage2->ipa_bits = level1 ? 25 + below(dice, 6) : 35 + below(dice, 6);
  }
}

void stage2_plan(struct stage2 *stage2, struct images *images, struct dice *dice) {
  plan_shape(stage2, dice);
  unsigned covered = shift_of[stage2->start_level];
  unsigned index_bits = stage2->ipa_bits > covered ? stage2->ipa_bits - covered : 0;
  table_init(&stage2->root, 1u << (index_bits > 13 ? 13 : index_bits), images, dice);
  for (unsigned i = 0; i < POOL; i++) {
    table_init(&stage2->level2[i], 512, images, dice);
    table_init(&stage2->level3[i], 512, images, dice);
  }
}

static struct stage2_table *pool_of(struct stage2 *stage2, unsigned level) {
  return level == 2 ? stage2->level2 : stage2->level3;
}

/* Whether `count` descriptors from `index` on may become leaves. */
static bool all_free(const struct stage2_table *table, uint32_t index, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (index + i >= table->entries || table->child[index + i] != FREE)
      return false;
  return true;
}

/* Follows or makes the pinned way from a descriptor to a table; NULL when a leaf is in the way. */
static struct stage2_table *descend(struct stage2 *stage2, struct stage2_table *table,
                                    uint32_t index, unsigned level, struct dice *dice) {
  if (table->child[index] == PINNED_LEAF)
    return NULL;
  struct stage2_table *pool = pool_of(stage2, level + 1);
  if (table->child[index] == FREE) {
    table->child[index] = (int8_t)below(dice, POOL);
    table->descriptor[index] = table_descriptor(pool[table->child[index]].pa, dice);
  }
  return &pool[table->child[index]];
}

/* Pins leaves of `table` that map `bytes` at `pa`; the part of the IPA below the table in `ipa`. */
static bool pin_leaves(struct stage2_table *table, unsigned level, uint32_t index, uint64_t pa,
                       uint32_t bytes, uint64_t *ipa, struct dice *dice) {
  uint64_t size = 1ull << shift_of[level];
  uint32_t count = bytes > size ? (uint32_t)(bytes / size) : 1;
  index &= ~(count - 1);
  if (!all_free(table, index, count))
    return false;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t output = (pa & ~(size - 1)) + i * size;
    table->descriptor[index + i] = stage2_pinned_leaf(level, output, dice);
    table->child[index + i] = PINNED_LEAF;
  }
  *ipa |= (uint64_t)index << shift_of[level] | (pa & (size - 1));
  return true;
}

static bool try_pin(struct stage2 *stage2, uint64_t pa, uint32_t bytes, bool low, uint64_t *ipa,
                    struct dice *dice) {
  struct stage2_table *table = &stage2->root;
  unsigned level = stage2->start_level, last = level + below(dice, 4 - level);
  *ipa = 0;
  for (;; level++) {
    uint32_t entries = table->entries, limit = 1u << (32 - shift_of[level]);
    if (low && level == stage2->start_level && entries > limit)
      entries = limit;
    uint32_t index = below(dice, entries);
    if (level == last)
      return pin_leaves(table, level, index, pa, bytes, ipa, dice);
    *ipa |= (uint64_t)index << shift_of[level];
    table = descend(stage2, table, index, level, dice);
    if (!table)
      return false;
  }
}

uint64_t stage2_pin(struct stage2 *stage2, uint64_t pa, uint32_t bytes, bool low,
                    struct dice *dice) {
  uint64_t ipa;
  for (unsigned tries = 0; tries < 30; tries++)
    if (try_pin(stage2, pa, bytes, low, &ipa, dice))
      return ipa;
  return any_bits(dice, low ? 0xffffffff : 0xffffffffff) & ~(uint64_t)(bytes - 1);
}

static uint64_t random_stage2_descriptor(struct stage2 *stage2, unsigned level, struct dice *dice) {
  unsigned kind = below(dice, 100);
  if (kind < 8)
    return invalid_descriptor(dice);
  if (level == 3)
    return kind < 13 ? roll(dice) << 2 | 1 /* reserved at level 3 */
                     : stage2_leaf(3, random_pa(12, dice), dice);
  if (kind < 10)
    return table_descriptor(random_hole(12, percent(dice, 50), dice), dice);
  if (kind < 65)
    return table_descriptor(pool_of(stage2, level + 1)[below(dice, POOL)].pa, dice);
  return stage2_leaf(level, random_pa(shift_of[level], dice), dice);
}

static void fill_table(struct stage2 *stage2, struct stage2_table *table, unsigned level,
                       struct dice *dice) {
  for (uint32_t i = 0; i < table->entries; i++)
    if (table->child[i] == FREE)
      table->descriptor[i] = random_stage2_descriptor(stage2, level, dice);
}

void stage2_fill(struct stage2 *stage2, struct dice *dice) {
  fill_table(stage2, &stage2->root, stage2->start_level, dice);
  for (unsigned i = 0; i < POOL; i++) {
    fill_table(stage2, &stage2->level2[i], 2, dice);
    fill_table(stage2, &stage2->level3[i], 3, dice);
  }
}

uint32_t stage2_vtcr(const struct stage2 *stage2, struct dice *dice) {
  uint32_t t0sz = (32u - stage2->ipa_bits) & 0xf;
  uint32_t sl0 = stage2->start_level == 1 ? 1 : 0;
  uint32_t attributes = (uint32_t)any_bits(dice, 0xf00) | (percent(dice, 50) ? 0x3000 : 0);
  return 1u << 31 | t0sz | (t0sz & 8) << 1 | sl0 << 6 | attributes;
}
