/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random translation tables of x86-64 in the images of a case: the guest's, and nested ones.
 *
 * Wherever a table may be looked for there has to be RAM, and so nested pages are in RAM, all of
 * them; only the pages of a guest without nested paging may be where nothing is. RAM that may be
 * written to is a few gigabytes of all that there is, so that the machine's memory stays small.
 */
#ifndef NW_ORACLE_X86_TABLES_H
#define NW_ORACLE_X86_TABLES_H

#include <stdbool.h>

#include "../dice.h"
#include "../images.h"
#include "../tree.h"

#define X86_WINDOWS 8

/* The machine's memory. */
struct x86_memory {
  unsigned maxphyaddr;
  uint32_t window[X86_WINDOWS]; /* gigabytes that pages are in, all different; [0] is below 4 GB */
  uint64_t beyond;              /* the first address that has no RAM, nor has any above */
};

/* How entries are thrown. */
struct x86_style {
  const struct x86_memory *memory;
  unsigned nx;       /* how many in a hundred are not executable */
  unsigned rights;   /* how many of those that lead to tables have W, and U */
  bool nowhere;      /* pages may be where there is no RAM */
  unsigned gpa_bits; /* a guest's: those that guest-physical addresses have; 0: not nested */
};

/** Puts both arenas into the first windows. */
void x86_place_images(const struct x86_memory *memory, struct images *images, struct dice *dice);

/** Plans a tree of 4 levels or 5. A guest's tables are found through `nested`, if that is not NULL.
 */
void x86_plan_guest(struct tree *tree, unsigned levels, const struct x86_style *style,
                    struct tree *nested, struct images *images, struct dice *dice);
void x86_plan_npt(struct tree *tree, unsigned levels, const struct x86_style *style,
                  struct images *images, struct dice *dice);

#endif
