/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that are the same everywhere: splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
#ifndef NW_TRACE_RANDOM_H
#define NW_TRACE_RANDOM_H

#include <stdint.h>

static inline uint64_t nw_random_next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* 0 to limit - 1; limit is at most 2^32 */
static inline uint64_t nw_random_below(uint64_t *state, uint64_t limit) {
  return (nw_random_next(state) >> 32) * limit >> 32;
}

/* from 0 on, below 1 */
static inline double nw_random_unit(uint64_t *state) {
  return (double)(nw_random_next(state) >> 11) * 0x1p-53;
}

#endif
