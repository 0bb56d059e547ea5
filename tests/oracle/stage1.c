/* SPDX-License-Identifier: Apache-2.0 */
/* Random stage-1 tables, of long and of short descriptors. */
#include <string.h>

#include "tables.h"

#define POOL1 4

/* A stage-1 table: where the walker looks for it, and its bytes. */
struct table {
  uint64_t ipa;
  unsigned char *data;
  uint32_t bytes;
};

/* Memory for a table, and the way to it through stage 2. */
static struct table place(struct stage2 *stage2, struct images *images, bool low, uint32_t bytes,
                          uint32_t alignment, struct dice *dice) {
  struct table table = {.bytes = bytes};
  uint64_t pa;
  table.data = images_place(images, low && !stage2->on, bytes, alignment, &pa, dice);
  if (!stage2->on) {
    table.ipa = pa;
  } else {
    uint64_t page = percent(dice, 2) ? random_hole(16, false, dice) : pa & ~0xfffull;
    table.ipa = stage2_pin(stage2, page, bytes < 4096 ? 4096 : bytes, low, dice) | (pa & 0xfff);
  }
  return table;
}

static void store(const struct stage1 *stage1, struct table *table, uint32_t index,
                  uint64_t descriptor) {
  unsigned bytes = stage1->lpae ? 8 : 4;
  for (unsigned i = 0; i < bytes; i++)
    table->data[index * bytes + (stage1->big_endian ? bytes - 1 - i : i)] =
        (unsigned char)(descriptor >> 8 * i);
}

/* Where a table is not: an IPA that leads anywhere, or a physical address without memory. */
static uint64_t lost_table(const struct stage2 *stage2, bool low, struct dice *dice) {
  uint64_t mask = low ? 0xffffffff : 0xffffffffff;
  if (!stage2->on)
    return random_hole(10, low || percent(dice, 50), dice);
  return any_bits(dice, percent(dice, 70) ? mask & ((1ull << stage2->ipa_bits) - 1) : mask);
}

/* Where a page leads: mostly an IPA that stage 2 takes. */
static uint64_t random_output(const struct stage2 *stage2, struct dice *dice) {
  uint64_t mask = stage2->on && percent(dice, 93) ? (1ull << stage2->ipa_bits) - 1 : 0xffffffffff;
  return any_bits(dice, mask);
}

/* -- long descriptors -------------------------------------------------------------------------- */

#define ADDRESS 0xfffffff000ull
#define AF (1ull << 10)
#define LEAF_ANY 0xfff00000000008fcull /* AttrIndx, NS, AP, nG, contiguous, PXN, XN, ignored */
#define TABLE_LIMITS 0xf800000000000000ull
#define TABLE_IGNORED 0x07f0000000000ffcull

static const unsigned shift_of[4] = {0, 30, 21, 12};

static uint64_t lpae_leaf(const struct stage2 *stage2, unsigned level, struct dice *dice) {
  static const uint8_t sh[] = {0, 2, 3};
  uint64_t size = 1ull << shift_of[level];
  uint64_t d = level == 3 ? 3 : 1;
  d |= random_output(stage2, dice) & ADDRESS & (percent(dice, 15) ? ADDRESS : ~(size - 1));
  d |= any_bits(dice, LEAF_ANY) | (uint64_t)sh[below(dice, sizeof(sh))] << 8;
  if (percent(dice, 60)) /* all may read and write */
    d = (d & ~(3ull << 6)) | 1ull << 6;
  return d | (percent(dice, 93) ? AF : 0);
}

static uint64_t lpae_descriptor(const struct stage2 *stage2, const struct table *next,
                                unsigned level, struct dice *dice) {
  unsigned kind = below(dice, 100);
  if (kind < 7)
    return percent(dice, 40) ? 0 : roll(dice) & ~1ull;
  if (level == 3)
    return kind < 12 ? roll(dice) << 2 | 1 : lpae_leaf(stage2, 3, dice);
  if (kind >= 65)
    return lpae_leaf(stage2, level, dice);
  uint64_t table = kind < 10 ? lost_table(stage2, false, dice) : next[below(dice, POOL1)].ipa;
  uint64_t limits = percent(dice, 75) ? 0 : any_bits(dice, TABLE_LIMITS);
  return (table & ADDRESS) | limits | any_bits(dice, TABLE_IGNORED) | 3;
}

static void lpae_fill(const struct stage1 *stage1, const struct stage2 *stage2, struct table *table,
                      const struct table *next, unsigned level, struct dice *dice) {
  for (uint32_t i = 0; i < table->bytes / 8; i++)
    store(stage1, table, i, lpae_descriptor(stage2, next, level, dice));
}

/* B3.6.2: the root of an input of at most 30 bits is at level 2. */
static void lpae_root(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                      struct table (*pool)[POOL1], unsigned which, unsigned size,
                      struct dice *dice) {
  unsigned bits = 32 - size, level = bits > 30 ? 1 : 2;
  uint32_t bytes = 8u << (bits - shift_of[level]);
  uint32_t alignment = bytes < 32 ? 32 : bytes;
  struct table root = place(stage2, images, false, bytes, alignment, dice);
  lpae_fill(stage1, stage2, &root, pool[level + 1], level, dice);
  if (percent(dice, 2))
    root.ipa = lost_table(stage2, false, dice) & ~(uint64_t)(alignment - 1);
  stage1->ttbr[which] = root.ipa | any_bits(dice, 0xff) << 48;
  stage1->input_bits[which] = bits;
}

void stage1_lpae(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                 struct dice *dice) {
  struct table pool[4][POOL1];
  memset(pool, 0, sizeof(pool));
  for (unsigned level = 3; level >= 2; level--)
    for (unsigned i = 0; i < POOL1; i++)
      pool[level][i] = place(stage2, images, false, 4096, 4096, dice);
  for (unsigned level = 2; level <= 3; level++)
    for (unsigned i = 0; i < POOL1; i++)
      lpae_fill(stage1, stage2, &pool[level][i], level == 2 ? pool[3] : NULL, level, dice);
  unsigned size[2] = {percent(dice, 35) ? 0 : below(dice, 8),
                      percent(dice, 35) ? 0 : below(dice, 8)};
  for (unsigned i = 0; i < 2; i++)
    lpae_root(stage1, stage2, images, pool, i, size[i], dice);
  stage1->ttbcr = 1u << 31 | size[0] | size[1] << 16 | (uint32_t)any_bits(dice, 0x0f400f00);
  stage1->ttbcr |= percent(dice, 6) ? 1u << 7 : 0;
  stage1->ttbcr |= percent(dice, 6) ? 1u << 23 : 0;
  stage1->ttbcr |= percent(dice, 50) ? 0x30003000 : 0;
}

/* -- short descriptors ------------------------------------------------------------------------- */

#define SECTION_ANY 0x000bfffdu /* all but type, supersection and the address */
#define SUPERSECTION 0x00040000u
#define TABLE_ANY 0x000003ecu /* PXN, NS, domain, implementation defined */
#define SMALL_ANY 0x00000ffdu
#define LARGE_ANY 0x0000fffcu

/* AP in its two places: mostly "all may read and write", which is an access flag set, too. */
static uint32_t permissive(uint32_t d, uint32_t ap10, uint32_t ap2, struct dice *dice) {
  return percent(dice, 65) ? (d & ~ap2) | ap10 : d;
}

static uint32_t short_level1(const struct stage2 *stage2, const struct table *next,
                             struct dice *dice) {
  unsigned kind = below(dice, 100);
  if (kind < 7)
    return percent(dice, 40) ? 0 : (uint32_t)roll(dice) & ~3u;
  if (kind < 65) {
    uint64_t table = kind < 10 ? lost_table(stage2, true, dice) : next[below(dice, POOL1)].ipa;
    return ((uint32_t)table & 0xfffffc00u) | (uint32_t)any_bits(dice, TABLE_ANY) | 1;
  }
  uint32_t d = ((uint32_t)random_output(stage2, dice) & 0xfff00000u) |
               (uint32_t)any_bits(dice, SECTION_ANY) | 2;
  d = permissive(d, 3u << 10, 1u << 15, dice);
  if (kind < 96)
    return d;
  d |= SUPERSECTION;
  if (stage2->on && percent(dice, 90)) { /* an IPA that stage 2 takes */
    uint64_t mask = (1ull << stage2->ipa_bits) - 1;
    d &= ~(uint32_t)((~mask >> 32 & 0xf) << 20 | (~mask >> 36 & 0xf) << 5);
  }
  return d;
}

static uint32_t short_level2(const struct stage2 *stage2, struct dice *dice) {
  unsigned kind = below(dice, 100);
  uint32_t output = (uint32_t)random_output(stage2, dice);
  if (kind < 8)
    return percent(dice, 40) ? 0 : (uint32_t)roll(dice) & ~3u;
  if (kind < 92)
    return permissive((output & 0xfffff000u) | (uint32_t)any_bits(dice, SMALL_ANY) | 2, 3u << 4,
                      1u << 9, dice);
  return permissive((output & 0xffff0000u) | (uint32_t)any_bits(dice, LARGE_ANY) | 1, 3u << 4,
                    1u << 9, dice);
}

/* Supersections and large pages come in sixteen copies, as they have to, or sometimes alone. */
static void short_fill(const struct stage1 *stage1, const struct stage2 *stage2,
                       struct table *table, const struct table *next, struct dice *dice) {
  uint32_t entries = table->bytes / 4;
  for (uint32_t i = 0; i < entries;) {
    uint32_t d = next ? short_level1(stage2, next, dice) : short_level2(stage2, dice);
    bool large = next ? (d & 2) && (d & SUPERSECTION) : (d & 3) == 1;
    uint32_t end = large && percent(dice, 60) ? (i | 15) + 1 : i + 1;
    for (; i < end && i < entries; i++)
      store(stage1, table, i, d);
  }
}

static void short_root(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                       const struct table *pool, unsigned which, unsigned n, struct dice *dice) {
  uint32_t bytes = 16384u >> n;
  struct table root = place(stage2, images, true, bytes, bytes, dice);
  short_fill(stage1, stage2, &root, pool, dice);
  if (percent(dice, 2))
    root.ipa = lost_table(stage2, true, dice) & ~(uint64_t)(bytes - 1);
  stage1->ttbr[which] = root.ipa | any_bits(dice, 0x6b);
  stage1->input_bits[which] = 32 - n;
}

void stage1_short(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                  struct dice *dice) {
  struct table pool[POOL1];
  unsigned n = percent(dice, 30) ? 0 : below(dice, 8);
  for (unsigned i = 0; i < POOL1; i++) {
    pool[i] = place(stage2, images, true, 1024, 1024, dice);
    short_fill(stage1, stage2, &pool[i], NULL, dice);
  }
  short_root(stage1, stage2, images, pool, 0, n, dice);
  short_root(stage1, stage2, images, pool, 1, 0, dice);
  stage1->ttbcr = n | (percent(dice, 6) ? 1u << 4 : 0) | (percent(dice, 6) ? 1u << 5 : 0);
}
