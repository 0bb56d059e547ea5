/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each kind of answer was seen: each pair of page sizes, each fault by type, stage and
 * level. The kinds that there are do not depend on what was seen, so that one never seen shows.
 */
#ifndef NW_ORACLE_TALLY_H
#define NW_ORACLE_TALLY_H

#include <stdio.h>

#include <nestwalk/regime.h>
#include <nestwalk/types.h>

#define TALLY_SIZES 5

struct tally {
  uint64_t ok[3][2][TALLY_SIZES][TALLY_SIZES]; /* by scope, format, page size of each stage */
  uint64_t fault[2][2][3][2][NW_FAULT_TYPES]
                [4]; /* by format, stage 2 on, stage, s1walk, type, level */
  uint64_t fetch[2][2][3]
                [NW_FAULT_TYPES]; /* of these fetches: by format, stage 2 on, stage (0 where
                                              there is no fault), type */
};

/** Counts one answer of the model's that the machine agreed with. */
void tally_count(struct tally *tally, const struct nw_regime *regime, enum nw_scope scope,
                 enum nw_access access, const struct nw_result *result);

/** One line for each kind there is: the count, a tabulator, the kind. */
void tally_print(const struct tally *tally, FILE *out);

#endif
