/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of results as text, CSV and JSON. */
#ifndef NW_SIM_RESULTS_WRITE_H
#define NW_SIM_RESULTS_WRITE_H

#include "sim/results_table.h"

/* Marks in `chosen`, one for each column, those that a list of names and patterns (a,b,mmu.l2.*)
 * names. False when one names none; `error` then has the sentence. */
bool nw_results_choose(const struct nw_table *table, const char *list, bool *chosen, char *error);

/* What tells points apart: trace, machine and mode, whatever else of them varies. */
void nw_results_identity(const struct nw_table *table, bool *chosen);
/* The same, and a few statistics that people look at first. */
void nw_results_usual(const struct nw_table *table, bool *chosen);

void nw_results_write_list(const struct nw_table *table, const bool *chosen, FILE *out);
/* RFC 4180, with a header line. */
void nw_results_write_csv(const struct nw_table *table, const bool *chosen, FILE *out);
/* A list of objects; numbers as numbers. False when out of memory. */
bool nw_results_write_json(const struct nw_table *table, const bool *chosen, FILE *out);

#endif
