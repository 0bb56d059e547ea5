/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An amount over simulated time: what it is now, its peak, and its average over the cycles since it
 * was last reset.
 */
#ifndef NESTWALK_SYSTEM_GAUGE_H
#define NESTWALK_SYSTEM_GAUGE_H

#include <stdint.h>

struct nw_gauge {
  uint64_t now, peak;
  uint64_t start, since; /* cycle of the reset, and of the last change */
  double sum;            /* amount x cycles, up to the last change */
};

static inline void nw_gauge_set(struct nw_gauge *gauge, uint64_t amount, uint64_t cycle) {
  gauge->sum += (double)gauge->now * (double)(cycle - gauge->since);
  gauge->since = cycle;
  gauge->now = amount;
  if (amount > gauge->peak)
    gauge->peak = amount;
}

/* Forgets the past, but not the amount. */
static inline void nw_gauge_reset(struct nw_gauge *gauge, uint64_t cycle) {
  *gauge = (struct nw_gauge){gauge->now, gauge->now, cycle, cycle, 0};
}

static inline uint64_t nw_gauge_average(const struct nw_gauge *gauge, uint64_t cycle) {
  double sum = gauge->sum + (double)gauge->now * (double)(cycle - gauge->since);
  return cycle == gauge->start ? gauge->now : (uint64_t)(sum / (double)(cycle - gauge->start));
}

#endif
