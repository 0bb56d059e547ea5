/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random translation tables in the images of a case. Every table is filled from end to end, so that
 * any address leads somewhere; "pinned" descriptors are those that lead to other tables and stay as
 * they were planned.
 *
 * What the tables may point at is limited by the machine that answers: a table is in the RAM that
 * cases have, or in one of the holes, and so is every page of stage 2, since a stage-1 table may be
 * looked for there.
 */
#ifndef NW_ORACLE_TABLES_H
#define NW_ORACLE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- random numbers ---------------------------------------------------------------------------- */

struct dice {
  uint64_t state;
};

uint64_t roll(struct dice *dice);                      /* 64 random bits */
uint32_t below(struct dice *dice, uint32_t limit);     /* 0 .. limit - 1 */
bool percent(struct dice *dice, unsigned probability); /* true so often */
uint64_t any_bits(struct dice *dice, uint64_t mask);   /* random bits where `mask` has ones */

/* -- images ------------------------------------------------------------------------------------ */

#define ARENA_SIZE (512u << 10)
#define ARENAS 2

/* A stretch of physical memory; [0] lies below 4 GB. */
struct arena {
  uint64_t base;
  uint32_t used;
  unsigned char *data;
};

struct images {
  struct arena arena[ARENAS];
};

/** New places for both arenas, nothing in them. */
void images_reset(struct images *images, struct dice *dice);

/* -- stage 2 ----------------------------------------------------------------------------------- */

#define POOL 4

/* One table of a stage-2 tree. `child` says of each descriptor whether it is free, a pinned leaf,
 * or pinned to a table of the pool of the next level. */
struct stage2_table {
  uint64_t pa;
  uint64_t *descriptor;
  uint32_t entries;
  int8_t child[8192];
};

struct stage2 {
  bool on;
  unsigned start_level, ipa_bits;
  bool consistent; /* VTCR is one of the legal shapes */
  struct stage2_table root, level2[POOL], level3[POOL];
};

/** Plans a tree: its shape and its empty tables. */
void stage2_plan(struct stage2 *stage2, struct images *images, struct dice *dice);

/**
 * Pins a way to the `bytes` bytes (a power of two, aligned) at `pa`, and returns the IPA that leads
 * there, below 4 GB if `low`. Where no way is left the IPA is a random one. A few ways end in a
 * descriptor that denies.
 */
uint64_t stage2_pin(struct stage2 *stage2, uint64_t pa, uint32_t bytes, bool low,
                    struct dice *dice);

/** Fills what is not pinned. */
void stage2_fill(struct stage2 *stage2, struct dice *dice);

uint32_t stage2_vtcr(const struct stage2 *stage2, struct dice *dice);

/* -- stage 1 ----------------------------------------------------------------------------------- */

struct stage1 {
  bool lpae;
  bool big_endian;
  uint64_t ttbr[2];
  uint32_t ttbcr;
  unsigned input_bits[2]; /* of either root */
};

/** Tables and root registers of long descriptors, or short ones. */
void stage1_lpae(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                 struct dice *dice);
void stage1_short(struct stage1 *stage1, struct stage2 *stage2, struct images *images,
                  struct dice *dice);

/* What the stages' builders share: */

/** Room for a table of `bytes` at a multiple of `alignment`; its address in `pa`. */
void *images_place(struct images *images, bool low, uint32_t bytes, uint32_t alignment,
                   uint64_t *pa, struct dice *dice);

/** A random physical address, aligned to 2^log2 bytes, where tables may be looked for. */
uint64_t random_pa(unsigned log2, struct dice *dice);
/** One without memory behind it; below 4 GB if `low`. */
uint64_t random_hole(unsigned log2, bool low, struct dice *dice);

#endif
