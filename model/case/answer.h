/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query's way to its answer: the step loop over a case's memory, and the answer as text.
 */
#ifndef NW_CASE_ANSWER_H
#define NW_CASE_ANSWER_H

#include "case/reader.h"

/* No answer is longer. */
#define NW_CASE_ANSWER_SIZE 4096

/**
 * Answers a READ or UPDATE step of a walk with the case's memory; every other step is answered
 * "miss".
 */
void nw_case_serve(struct nw_case_memory *memory, const struct nw_step *step,
                   struct nw_answer *answer);

/** How many hexadecimal digits a physical address of the regime's architecture is written with. */
unsigned nw_case_address_digits(const struct nw_regime *regime);

/**
 * Writes what stands after " -> ": `ok ...` or `fault ...`, terminated, into a text of
 * NW_CASE_ANSWER_SIZE bytes. Returns its length. Updates are reported when the case asks for it.
 */
size_t nw_case_format(const struct nw_case_reader *reader, const struct nw_result *result,
                      char *text);

#endif
