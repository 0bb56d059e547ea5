/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring and printing, shared by the benches. */
#ifndef NW_TESTS_BENCH_H
#define NW_TESTS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* Something that goes once over its `count` elements. What it returns is only there so that the
 * compiler cannot leave the work out. */
struct bench_loop {
  uint64_t (*run)(void *context);
  void *context;
  uint64_t count;
};

/* Runs a loop some times; prints minimum and median in ns per element, in a line with the goal. */
void bench_report(const char *name, double goal, const struct bench_loop *loop);
/** The loop to compare with: no goal. */
void bench_report_bare(const char *name, const struct bench_loop *loop);

/* What is measured. False, with a line on standard error, when it cannot be run. */
bool bench_hits(void);
bool bench_walks(void);
bool bench_trace(const char *machine, const char *trace);

#endif
