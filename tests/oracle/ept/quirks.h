/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Bochs departs from Intel's manual its departures come together in one answer. So they are
 * not looked for one by one: the answer that Bochs must give, with all of its quirks, is made from
 * the model's walk, and has to be the machine's, field by field.
 */
#ifndef NW_ORACLE_EPT_QUIRKS_H
#define NW_ORACLE_EPT_QUIRKS_H

#include "../fields.h"
#include "case/reader.h"

enum quirk {
  /* No flag is set before the walk of its stage has come to an end without a fault. */
  QUIRK_LATE_FLAGS,
  /* Without EPT's own flags, those of a guest's entry are set even where EPT denies writing. */
  QUIRK_UNCHECKED_FLAGS,
  /* A violation by the access to a guest's table is not told to be one by reading. */
  QUIRK_UNTOLD_READ,
  /* A key's access-disable does not bind the supervisor. */
  QUIRK_SUPERVISOR_SPARED,
  /* Keys are looked up for supervisor pages, too. */
  QUIRK_SUPERVISOR_PAGE_KEYS,
  /* Bit 12 of a large page's entry is not looked at in EPT: where the guest's have one of PAT. */
  QUIRK_PAGE_BIT,
  QUIRKS,
};

/** The quirk of this name in a list of departures; QUIRKS if there is none. */
enum quirk quirk_by_name(const char *name);

#define QUIRK_UPDATES 64

struct quirk_answer {
  struct nw_result result;
  struct fields fields;
  char update[QUIRK_UPDATES][64]; /* what `fields` refers to */
  char syndrome[32];
  bool shows[QUIRKS]; /* the quirk has made a difference */
};

/** The answer to the query that `reader` stands at, to which the model's is `model`. The case's memory
 * is left without updates. */
void quirks_answer(struct nw_case_reader *reader, const struct fields *model,
                   struct quirk_answer *answer);

/** Whether it is a fault of the same type at the same place, or none. */
bool quirks_same_fault(const struct nw_result *a, const struct nw_result *b);

#endif
