/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are those of SDM vol. 3, 29.3.2: tables 29-1 to 29-7. */
#include "tables.h"

#include "memory.h"

#define PAGE_MASK 0x000ffffffffff000ull

#define R 1u
#define W 2u
#define X 4u
#define RIGHTS 7ull
#define TYPE_SHIFT 3
#define LARGE (1ull << 7)
/* Ignore-PAT, A, D, and what the hardware ignores here */
#define LEAF_ANY 0xfff0000000000f40ull
#define TABLE_ANY 0xfff0000000000f00ull
#define TABLE_RESERVED 0x78ull

static uint64_t often(uint64_t bit, unsigned probability, struct dice *dice) {
  return percent(dice, probability) ? bit : 0;
}

static unsigned level_at(const struct tree *tree, unsigned depth) {
  return tree->depths - depth;
}

/* -- what makes a misconfiguration --------------------------------------------------------------- */

/* A bit that an address may not have. */
static uint64_t too_wide(struct dice *dice) {
  return 1ull << (EPT_MAXPHYADDR + below(dice, 52 - EPT_MAXPHYADDR));
}

static uint64_t reserved(const struct tree *tree, unsigned depth, bool is_leaf, struct dice *dice) {
  uint64_t inside = ((1ull << tree_shift(tree, depth)) - 1) & PAGE_MASK;
  uint64_t bits = percent(dice, 1) ? too_wide(dice) : 0;
  if (is_leaf && percent(dice, 3))
    return bits | any_bits(dice, inside);
  if (is_leaf)
    return percent(dice, 2) ? bits | (inside & 0x1000ull << below(dice, 18)) : bits;
  if (percent(dice, 1))
    bits |= any_bits(dice, TABLE_RESERVED);
  return level_at(tree, depth) == 4 ? bits | often(LARGE, 6, dice) : bits;
}

/* Uncacheable, write-combining, write-through, write-protected, write-back; now and then one of the
 * three that are none. */
static uint64_t memory_type(struct dice *dice) {
  static const uint8_t types[] = {0, 1, 4, 5, 6, 6, 6, 6}, none[] = {2, 3, 7};
  unsigned type =
      percent(dice, 1) ? none[below(dice, sizeof(none))] : types[below(dice, sizeof(types))];
  return (uint64_t)type << TYPE_SHIFT;
}

/* -- entries ----------------------------------------------------------------------------------- */

/* Most outputs are in RAM; a few pages are where there is nothing. */
static uint64_t random_output(struct dice *dice) {
  if (percent(dice, 3))
    return (1ull << 32) + any_bits(dice, (1ull << 38) - 1);
  return EPT_RAM_FIRST + roll(dice) % (EPT_RAM_LAST + 1 - EPT_RAM_FIRST);
}

static uint64_t leaf(const struct tree *tree, unsigned depth, uint64_t output, unsigned rights,
                     struct dice *dice) {
  uint64_t size = 1ull << tree_shift(tree, depth);
  uint64_t entry = rights | memory_type(dice) | any_bits(dice, LEAF_ANY);
  entry |= output & PAGE_MASK & ~(size - 1);
  return level_at(tree, depth) > 1 ? entry | LARGE : entry | often(LARGE, 30, dice);
}

static uint64_t table(const struct tree *tree, unsigned depth, uint64_t address,
                      struct dice *dice) {
  static const uint8_t fewer[] = {R, R, R | W, R | W, R | X, R | X, X, W, W | X};
  (void)tree;
  (void)depth;
  unsigned rights = percent(dice, 97) ? R | W | X : fewer[below(dice, sizeof(fewer))];
  return rights | (address & PAGE_MASK) | any_bits(dice, TABLE_ANY);
}

/* Leads to a guest's table: few deny reading, since everything behind it is denied then. */
static uint64_t pinned_leaf(const struct tree *tree, unsigned depth, uint64_t output,
                            struct dice *dice) {
  static const uint8_t rights[] = {R | W, R | W, R | W, R | W, R, R, R | X};
  unsigned kind = below(dice, 100);
  if (kind < 1)
    return leaf(tree, depth, output, X, dice);
  return leaf(tree, depth, output, kind < 80 ? R | W | X : rights[below(dice, sizeof(rights))],
              dice);
}

static uint64_t random_leaf(const struct tree *tree, unsigned depth, struct dice *dice) {
  static const uint8_t rights[] = {R | W, R | W, R | W, R | X, R | X, R | X, R,
                                   R,     R,     R,     X,     X,     W,     W | X};
  bool all = percent(dice, 50);
  return leaf(tree, depth, random_output(dice),
              all ? R | W | X : rights[below(dice, sizeof(rights))], dice);
}

static uint64_t random_entry(const struct tree *tree, unsigned depth, struct dice *dice) {
  unsigned kind = below(dice, 100), level = level_at(tree, depth);
  if (kind < 6)
    return percent(dice, 40) ? 0 : roll(dice) & ~RIGHTS;
  bool is_leaf = level == 1 || (level <= 3 && kind >= 70);
  uint64_t more = reserved(tree, depth, is_leaf, dice);
  if (is_leaf)
    return more | random_leaf(tree, depth, dice);
  return more | table(tree, depth, tree_next(tree, depth + 1, dice), dice);
}

/* -- trees ------------------------------------------------------------------------------------- */

void ept_place_images(struct images *images, struct dice *dice) {
  static const uint64_t first[ARENAS] = {EPT_RAM_FIRST, EPT_RAM_FIRST};
  static const uint64_t last[ARENAS] = {EPT_RAM_LAST, EPT_RAM_LAST};
  images_reset(images, first, last, dice);
}

void ept_plan(struct tree *tree, bool gigabyte_pages, struct images *images, struct dice *dice) {
  static const struct tree_format format = {table, pinned_leaf, random_entry};
  tree->format = &format;
  tree->depths = EPT_LEVELS;
  tree->leaves_from = EPT_LEVELS - (gigabyte_pages ? 3 : 2);
  tree_plan(tree, images, 512, dice);
}
