/* SPDX-License-Identifier: Apache-2.0 */
/* splitmix64. */
#include "dice.h"

uint64_t roll(struct dice *dice) {
  uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

uint32_t below(struct dice *dice, uint32_t limit) {
  return (uint32_t)((roll(dice) >> 32) * limit >> 32);
}

bool percent(struct dice *dice, unsigned probability) {
  return below(dice, 100) < probability;
}

uint64_t any_bits(struct dice *dice, uint64_t mask) {
  return roll(dice) & mask;
}
