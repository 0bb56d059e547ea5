/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for property tests: the seed is printed, and taken from NW_SEED when that is set. */
#ifndef NESTWALK_TESTS_SUPPORT_RANDOM_H
#define NESTWALK_TESTS_SUPPORT_RANDOM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct random {
  uint64_t state;
};

static inline struct random random_from_seed(const char *test) {
  const char *given = getenv("NW_SEED");
  uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20110309;
  printf("%s: NW_SEED=%" PRIu64 "\n", test, seed);
  return (struct random){.state = seed};
}

/* splitmix64 */
static inline uint64_t random_bits(struct random *random) {
  uint64_t z = random->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* 0 to limit - 1 */
static inline uint32_t random_below(struct random *random, uint32_t limit) {
  return (uint32_t)((random_bits(random) >> 32) * limit >> 32);
}

/* true `percent` times in a hundred */
static inline int random_chance(struct random *random, uint32_t percent) {
  return random_below(random, 100) < percent;
}

#endif
