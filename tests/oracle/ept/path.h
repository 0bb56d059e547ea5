/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an access would lead if nothing denied it: a guess, by which the program knows which entries
 * the machine may read and where to put a mark that proves the address.
 */
#ifndef NW_ORACLE_EPT_PATH_H
#define NW_ORACLE_EPT_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

#define PATH_MOST 32 /* four of the guest, four of EPT for each and for the end, one more */

struct path {
  struct {
    uint64_t address, value;
  } entry[PATH_MOST];
  size_t entries;
  uint64_t ram_end;
  bool strays;  /* a table is outside the memory of cases */
  bool arrives; /* at `pa` */
  uint64_t pa;
};

/** Whether cases have the word at `address`. */
bool path_in_ram(const struct path *path, uint64_t address);

/** Notes the entry at `address` if it was not; false, and `strays`, where there is none. */
bool path_add(struct path *path, uint64_t address);

/** Follows `va`, or a guest physical address where CR0.PG is 0. RAM ends at `ram_end`. */
void path_follow(struct path *path, const uint64_t reg[EPT_REGISTERS], uint64_t va,
                 uint64_t ram_end);

#endif
