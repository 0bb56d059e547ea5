/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of random cases: one for each kind of machine that answers them, or more. */
#ifndef NW_ORACLE_FAMILY_H
#define NW_ORACLE_FAMILY_H

#include <stdint.h>
#include <stdio.h>

#include "dice.h"
#include "images.h"

/* The case file as it is written. */
struct random_case {
  FILE *out;
  const char *folder;
  struct images images;
  struct dice dice; /* thrown anew for each problem */
  unsigned number;  /* of the problem */
  unsigned problems;
};

#define QUERIES_PER_PROBLEM 400

struct family {
  const char *name;
  /** Writes what the file begins with. */
  void (*begin)(struct random_case *c);
  /** Writes a problem: tables, registers, and so many queries. */
  void (*problem)(struct random_case *c, uint64_t queries);
};

extern const struct family armv7_family, x86_stage1_family, x86_npt_family, x86_ept_family;

#endif
