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

#include "case/reader.h"

#define TALLY_SIZES 5
#define TALLY_LEVELS 6
#define TALLY_SCOPES 3

/* By regime, which is that without stage 2 where stage 2 is off. */
struct tally {
  bool asked[NW_REGIMES];
  uint64_t ok[NW_REGIMES][TALLY_SCOPES][TALLY_SIZES][TALLY_SIZES]; /* page size of each stage */
  uint64_t fault[NW_REGIMES][3][2][NW_FAULT_TYPES][TALLY_LEVELS];  /* stage, s1walk, type, level */
  uint64_t fetch[NW_REGIMES][3][NW_FAULT_TYPES]; /* of these fetches: stage, 0 where there is no
                                                    fault; type */
  uint64_t key[NW_REGIMES];                      /* of these with a protection key that denies */
};

/** Counts one answer of the model's that the machine agreed with, to the query that the reader
 * stands at. */
void tally_count(struct tally *tally, const struct nw_case_reader *reader,
                 const struct nw_result *result);

/** A line for each kind: its count, a tabulator, its name. Regimes that were not asked about have
 * none. */
void tally_print(const struct tally *tally, FILE *out);

#endif
