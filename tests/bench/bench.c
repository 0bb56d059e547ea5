/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench [MACHINE TRACE]: what the core's hot paths cost, in nanoseconds of this computer, each
 * beside a bare loop over the same array. Goals are printed with the results and are not enforced:
 * the exit status is 0 unless a bench could not be run.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPETITIONS 15

static volatile uint64_t kept; /* results go here, so that nothing is optimised away */

static double seconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Sorted times of one element, in ns. The first go warms up and is not counted. */
static void measure(const struct bench_loop *loop, double ns[REPETITIONS]) {
  kept = loop->run(loop->context);
  for (unsigned i = 0; i < REPETITIONS; i++) {
    double start = seconds();
    kept = loop->run(loop->context);
    ns[i] = (seconds() - start) * 1e9 / (double)loop->count;
  }
  qsort(ns, REPETITIONS, sizeof(ns[0]), by_value);
}

void bench_report(const char *name, double goal, const struct bench_loop *loop) {
  double ns[REPETITIONS];

  measure(loop, ns);
  printf("%-44s %8.2f %8.2f   %6.0f   %s\n", name, ns[0], ns[REPETITIONS / 2], goal,
         ns[REPETITIONS / 2] <= goal ? "met" : "missed");
  fflush(stdout);
}

void bench_report_bare(const char *name, const struct bench_loop *loop) {
  double ns[REPETITIONS];

  measure(loop, ns);
  printf("%-44s %8.2f %8.2f\n", name, ns[0], ns[REPETITIONS / 2]);
}

int main(int argc, char **argv) {
  if (argc != 1 && argc != 3) {
    fprintf(stderr, "usage: %s [MACHINE TRACE]\n", argv[0]);
    return 2;
  }
  printf("%-44s %8s %8s   %6s\n", "nanoseconds", "minimum", "median", "goal");
  bool ran = bench_hits() && bench_walks();
  if (argc == 3) {
    ran = ran && bench_trace(argv[1], argv[2]);
  } else {
    printf("no trace given: whole references are not measured\n");
  }
  return ran ? 0 : 1;
}
