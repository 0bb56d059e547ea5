/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an address looks like to all six kinds of access, and what every single bit of a descriptor
 * does to that.
 */
#ifndef NW_TESTS_SUPPORT_VIEW_H
#define NW_TESTS_SUPPORT_VIEW_H

#include "support/tables.h"

/* Bits of VIEW_ALLOWED: 1 << (3 * privilege + access). */
enum {
  USER_R = 1,
  USER_W = 2,
  USER_X = 4,
  PRIV_R = 8,
  PRIV_W = 16,
  PRIV_X = 32,
  ALL_SIX = 63,
};

enum view_aspect {
  VIEW_PA, /* 0 where every access faults, like all up to VIEW_GLOBAL */
  VIEW_PAGE_LOG2,
  VIEW_ATTR,
  VIEW_SH,
  VIEW_GLOBAL,
  VIEW_ALLOWED,
  VIEW_FAULT, /* type of the first denial, 0 where nothing is denied; likewise the next ones */
  VIEW_LEVEL,
  VIEW_STAGE,
  VIEW_ASPECTS,
};

struct view {
  uint64_t aspect[VIEW_ASPECTS];
};

/** Looks at an address under scope `scope`. Fails when two successful accesses disagree. */
struct view view_at(struct tables *tables, enum nw_scope scope, uint64_t va);

/** Fails unless the views agree; `what` (a name) and `bit` are printed if not. */
void view_compare(const char *what, unsigned bit, const struct view *seen,
                  const struct view *expected);

/* Flipping `bit` changes `aspect` to `value`. A row that changes VIEW_ALLOWED implies a permission
 * fault, one that changes VIEW_FAULT implies that no access is left; level and stage are those of
 * the descriptor. */
struct view_change {
  uint8_t bit;
  uint8_t aspect;
  uint64_t value;
};

struct view_bits {
  const char *name;
  enum nw_scope scope;
  uint64_t va;
  uint64_t pa;   /* where the descriptor is, */
  uint64_t raw;  /* what it is, */
  unsigned size; /* how many bytes, */
  unsigned stage, level;
  uint64_t skip; /* and which bits not to try: their effect is unpredictable */
  struct view base;
  const struct view_change *change; /* every change there is; bits without any do nothing */
  size_t changes;
};

/** Flips every bit of a descriptor, one at a time. */
void view_every_bit(struct tables *tables, const struct view_bits *bits);

#endif
