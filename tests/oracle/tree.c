/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <string.h>

enum { FREE = -1, PINNED_LEAF = -2 }; /* else the index of a table of the next depth's pool */

unsigned tree_shift(const struct tree *tree, unsigned depth) {
  return 12 + 9 * (tree->depths - 1 - depth);
}

uint64_t tree_next(const struct tree *tree, unsigned depth, struct dice *dice) {
  return tree->pool[depth][below(dice, TREE_POOL)].address;
}

static void plan_table(struct tree_table *table, uint32_t entries, struct images *images,
                       struct dice *dice) {
  uint32_t bytes = entries * 8;
  table->entries = entries;
  table->descriptor = images_place(images, false, bytes, bytes < 64 ? 64 : bytes, &table->pa, dice);
  table->address = table->pa;
  memset(table->child, FREE, entries);
}

void tree_plan(struct tree *tree, struct images *images, uint32_t root_entries, struct dice *dice) {
  plan_table(&tree->root, root_entries, images, dice);
  for (unsigned depth = 1; depth < tree->depths; depth++)
    for (unsigned i = 0; i < TREE_POOL; i++)
      plan_table(&tree->pool[depth][i], 512, images, dice);
}

/* -- pinned ways ------------------------------------------------------------------------------- */

/* Whether `count` descriptors from `index` on may become leaves. */
static bool all_free(const struct tree_table *table, uint32_t index, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (index + i >= table->entries || table->child[index + i] != FREE)
      return false;
  return true;
}

/* Follows or makes the pinned way from a descriptor to a table; NULL when a leaf is in the way. */
static struct tree_table *descend(struct tree *tree, struct tree_table *table, uint32_t index,
                                  unsigned depth, struct dice *dice) {
  if (table->child[index] == PINNED_LEAF)
    return NULL;
  struct tree_table *pool = tree->pool[depth + 1];
  if (table->child[index] == FREE) {
    table->child[index] = (int8_t)below(dice, TREE_POOL);
    table->descriptor[index] =
        tree->format->table(tree, depth, pool[table->child[index]].address, dice);
  }
  return &pool[table->child[index]];
}

/* Pins leaves of `table` that map `bytes` at `pa`; the part of the address below the table goes to
 * `address`. */
static bool pin_leaves(struct tree *tree, struct tree_table *table, unsigned depth, uint32_t index,
                       uint64_t pa, uint32_t bytes, uint64_t *address, struct dice *dice) {
  uint64_t size = 1ull << tree_shift(tree, depth);
  uint32_t count = bytes > size ? (uint32_t)(bytes / size) : 1;
  index &= ~(count - 1);
  if (!all_free(table, index, count))
    return false;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t output = (pa & ~(size - 1)) + i * size;
    table->descriptor[index + i] = tree->format->pinned_leaf(tree, depth, output, dice);
    table->child[index + i] = PINNED_LEAF;
  }
  *address |= (uint64_t)index << tree_shift(tree, depth) | (pa & (size - 1));
  return true;
}

/* How many descriptors of a table can be reached by addresses of so many bits. */
static uint32_t reachable(const struct tree_table *table, unsigned bits, unsigned shift) {
  if (bits <= shift)
    return 1;
  return bits - shift >= 13 || table->entries < 1u << (bits - shift) ? table->entries
                                                                     : 1u << (bits - shift);
}

static bool try_pin(struct tree *tree, uint64_t pa, uint32_t bytes, unsigned bits,
                    uint64_t *address, struct dice *dice) {
  struct tree_table *table = &tree->root;
  unsigned last = tree->leaves_from + below(dice, tree->depths - tree->leaves_from);
  *address = 0;
  for (unsigned depth = 0;; depth++) {
    unsigned shift = tree_shift(tree, depth);
    uint32_t index = below(dice, reachable(table, bits, shift));
    if (depth == last)
      return pin_leaves(tree, table, depth, index, pa, bytes, address, dice);
    *address |= (uint64_t)index << shift;
    table = descend(tree, table, index, depth, dice);
    if (!table)
      return false;
  }
}

uint64_t tree_pin(struct tree *tree, uint64_t pa, uint32_t bytes, unsigned bits,
                  struct dice *dice) {
  uint64_t address;
  for (unsigned tries = 0; tries < 30; tries++)
    if (try_pin(tree, pa, bytes, bits, &address, dice))
      return address;
  return any_bits(dice, (1ull << bits) - 1) & ~(uint64_t)(bytes - 1);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void fill_table(struct tree *tree, struct tree_table *table, unsigned depth,
                       struct dice *dice) {
  for (uint32_t i = 0; i < table->entries; i++)
    if (table->child[i] == FREE)
      table->descriptor[i] = tree->format->random(tree, depth, dice);
}

void tree_fill(struct tree *tree, struct dice *dice) {
  fill_table(tree, &tree->root, 0, dice);
  for (unsigned depth = 1; depth < tree->depths; depth++)
    for (unsigned i = 0; i < TREE_POOL; i++)
      fill_table(tree, &tree->pool[depth][i], depth, dice);
}
