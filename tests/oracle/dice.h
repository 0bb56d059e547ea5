/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: the same seed gives the same ones. */
#ifndef NW_ORACLE_DICE_H
#define NW_ORACLE_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
  uint64_t state;
};

uint64_t roll(struct dice *dice);                      /* 64 random bits */
uint32_t below(struct dice *dice, uint32_t limit);     /* 0 .. limit - 1 */
bool percent(struct dice *dice, unsigned probability); /* true so often */
uint64_t any_bits(struct dice *dice, uint64_t mask);   /* random bits where `mask` has ones */

#endif
