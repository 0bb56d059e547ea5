/* SPDX-License-Identifier: Apache-2.0 */
/* Physical addresses of ARMv7's machine, and the tables of stage 2. */
#include "tables.h"

#include "protocol.h"

/* -- addresses --------------------------------------------------------------------------------- */

void place_images(struct images *images, struct dice *dice) {
  static const uint64_t first[ARENAS] = {ORACLE_RAM_FIRST, ORACLE_RAM_FIRST};
  static const uint64_t last[ARENAS] = {0xffffffff, ORACLE_RAM_LAST};
  images_reset(images, first, last, dice);
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

#define ADDRESS 0xfffffff000ull
#define AF (1ull << 10)
#define READ (1ull << 6)
#define MEM_ATTR_SHIFT 2
#define SH_SHIFT 8
/* bits that the walk ignores: contiguous, and those kept for software and above */
#define LEAF_IGNORED 0xfff0000000000800ull
#define TABLE_IGNORED 0xfff0000000000ffcull

static const unsigned shift_of[4] = {0, 30, 21, 12};

static unsigned level_at(const struct tree *tree, unsigned depth) {
  return 4 - tree->depths + depth;
}

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
static uint64_t pinned_leaf(const struct tree *tree, unsigned depth, uint64_t output,
                            struct dice *dice) {
  uint64_t d = stage2_leaf(level_at(tree, depth), output, dice);
  if (percent(dice, 95))
    d |= AF | READ;
  if (percent(dice, 85))
    d |= 15u << MEM_ATTR_SHIFT; /* not Device, which HCR.PTW would deny */
  return d;
}

static uint64_t table_descriptor(const struct tree *tree, unsigned depth, uint64_t table,
                                 struct dice *dice) {
  (void)tree;
  (void)depth;
  return (table & ADDRESS) | any_bits(dice, TABLE_IGNORED) | 3;
}

/* Bit 0 clear makes it invalid, whatever else it has. */
static uint64_t invalid_descriptor(struct dice *dice) {
  return percent(dice, 40) ? 0 : roll(dice) & ~1ull;
}

static uint64_t random_descriptor(const struct tree *tree, unsigned depth, struct dice *dice) {
  unsigned kind = below(dice, 100), level = level_at(tree, depth);
  if (kind < 8)
    return invalid_descriptor(dice);
  if (level == 3)
    return kind < 13 ? roll(dice) << 2 | 1 /* reserved at level 3 */
                     : stage2_leaf(3, random_pa(12, dice), dice);
  if (kind < 10)
    return table_descriptor(tree, depth, random_hole(12, percent(dice, 50), dice), dice);
  if (kind < 65)
    return table_descriptor(tree, depth, tree_next(tree, depth + 1, dice), dice);
  return stage2_leaf(level, random_pa(shift_of[level], dice), dice);
}

/* -- stage 2: the tree ------------------------------------------------------------------------- */

/* The legal shapes: a start at level 1 for 31 to 40 bits, at level 2 for 25 to 34. Now and then one
 * that is not. */
static void plan_shape(struct stage2 *stage2, struct dice *dice) {
  bool level1 = percent(dice, 50);
  stage2->start_level = level1 ? 1 : 2;
  stage2->ipa_bits = (level1 ? 31 : 25) + below(dice, 10);
  if (percent(dice, 3))
    stage2->ipa_bits = level1 ? 25 + below(dice, 6) : 35 + below(dice, 6);
}

void stage2_plan(struct stage2 *stage2, struct images *images, struct dice *dice) {
  static const struct tree_format format = {table_descriptor, pinned_leaf, random_descriptor};
  plan_shape(stage2, dice);
  unsigned covered = shift_of[stage2->start_level];
  unsigned index_bits = stage2->ipa_bits > covered ? stage2->ipa_bits - covered : 0;
  stage2->tree.format = &format;
  stage2->tree.depths = 4 - stage2->start_level;
  tree_plan(&stage2->tree, images, 1u << (index_bits > 13 ? 13 : index_bits), dice);
}

uint64_t stage2_pin(struct stage2 *stage2, uint64_t pa, uint32_t bytes, bool low,
                    struct dice *dice) {
  return tree_pin(&stage2->tree, pa, bytes, low ? 32 : 40, dice);
}

void stage2_fill(struct stage2 *stage2, struct dice *dice) {
  tree_fill(&stage2->tree, dice);
}

uint32_t stage2_vtcr(const struct stage2 *stage2, struct dice *dice) {
  uint32_t t0sz = (32u - stage2->ipa_bits) & 0xf;
  uint32_t sl0 = stage2->start_level == 1 ? 1 : 0;
  uint32_t attributes = (uint32_t)any_bits(dice, 0xf00) | (percent(dice, 50) ? 0x3000 : 0);
  return 1u << 31 | t0sz | (t0sz & 8) << 1 | sl0 << 6 | attributes;
}
