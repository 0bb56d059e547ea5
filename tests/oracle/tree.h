/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random tree of tables of 64-bit descriptors with 4 KB pages: a root, and for each level below
 * it a pool of tables that the descriptors above lead to. Every table is filled from end to end, so
 * that any address leads somewhere; "pinned" descriptors are those on the way to an address that
 * somebody asked for, and stay as they were planned.
 */
#ifndef NW_ORACLE_TREE_H
#define NW_ORACLE_TREE_H

#include "dice.h"
#include "images.h"

#define TREE_POOL 4
#define TREE_DEPTHS 5
#define TREE_ROOT_MOST 8192

/* `child` says of each descriptor whether it is free, a pinned leaf, or pinned to a table of the
 * next depth's pool. */
struct tree_table {
  uint64_t pa;
  uint64_t address; /* what descriptors give: `pa`, or what leads there through another tree */
  uint64_t *descriptor;
  uint32_t entries;
  int8_t child[TREE_ROOT_MOST];
};

struct tree;

/* The form of descriptors, and how often they are what. */
struct tree_format {
  uint64_t (*table)(const struct tree *tree, unsigned depth, uint64_t address, struct dice *dice);
  uint64_t (*pinned_leaf)(const struct tree *tree, unsigned depth, uint64_t output,
                          struct dice *dice);
  /** Any descriptor of a table at `depth`. */
  uint64_t (*random)(const struct tree *tree, unsigned depth, struct dice *dice);
};

struct tree {
  const struct tree_format *format;
  const void *style;                                    /* the format's own */
  unsigned depths;                                      /* of tables: the root is at depth 0 */
  unsigned leaves_from;                                 /* the first depth that may have leaves */
  struct tree_table root, pool[TREE_DEPTHS][TREE_POOL]; /* pool[0] is not used */
};

/** log2 of what a descriptor at `depth` maps. */
unsigned tree_shift(const struct tree *tree, unsigned depth);

/** Plans the empty tables; everything before `root` is given. */
void tree_plan(struct tree *tree, struct images *images, uint32_t root_entries, struct dice *dice);

/**
 * Pins a way to the `bytes` bytes (a power of two, aligned) at `pa`, and returns the address of at
 * most `bits` bits that leads there. Where no way is left the address is a random one.
 */
uint64_t tree_pin(struct tree *tree, uint64_t pa, uint32_t bytes, unsigned bits, struct dice *dice);

/** Address of a random table of the pool at `depth`. */
uint64_t tree_next(const struct tree *tree, unsigned depth, struct dice *dice);

/** Fills what is not pinned. */
void tree_fill(struct tree *tree, struct dice *dice);

#endif
