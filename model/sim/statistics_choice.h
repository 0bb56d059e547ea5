/* SPDX-License-Identifier: Apache-2.0 */
/* Names of statistics by pattern: `*` stands for anything, as in mmu.l2.*. */
#ifndef NW_SIM_STATISTICS_CHOICE_H
#define NW_SIM_STATISTICS_CHOICE_H

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether one of the patterns names it; all are chosen where there is no pattern. */
static inline bool nw_statistic_chosen(char *const *patterns, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (fnmatch(patterns[i], name, 0) == 0)
      return true;
  return count == 0;
}

#endif
