/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random translation tables of ARMv7 in the images of a case.
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

#include "dice.h"
#include "images.h"
#include "tree.h"

/** Puts both arenas into the RAM that cases have. */
void place_images(struct images *images, struct dice *dice);

/* -- stage 2 ----------------------------------------------------------------------------------- */

struct stage2 {
  bool on;
  unsigned start_level, ipa_bits;
  struct tree tree;
};

/** Plans a tree: its shape and its empty tables. */
void stage2_plan(struct stage2 *stage2, struct images *images, struct dice *dice);

/**
 * Pins a way to the `bytes` bytes (a power of two, aligned) at `pa`, and returns the IPA that leads
 * there, below 4 GB if `low`. A few ways end in a descriptor that denies.
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

/** A random physical address, aligned to 2^log2 bytes, where tables may be looked for. */
uint64_t random_pa(unsigned log2, struct dice *dice);
/** One without memory behind it; below 4 GB if `low`. */
uint64_t random_hole(unsigned log2, bool low, struct dice *dice);

#endif
