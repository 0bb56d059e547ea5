/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a sweep: threads take points that are not in the results file yet, a few of one trace at
 * a time, step them side by side over the same decoded chunks, and write each result as it comes.
 */
#ifndef NW_SIM_SWEEP_RUN_H
#define NW_SIM_SWEEP_RUN_H

#include "sim/results_store.h"
#include "sim/sweep_points.h"

struct nw_sweep_options {
  unsigned threads;
  uint32_t shard, shards; /* this process's part of the points: 1/1 is all */
  bool simulate;          /* every point by a simulation of its own */
};

struct nw_sweep_progress {
  size_t points; /* of this shard */
  size_t found;  /* were in the file already */
  size_t run;    /* by this process */
  size_t failed;
  size_t one_pass;          /* of `run`: without a simulation of their own */
  size_t elsewhere;         /* another process is at them */
  uint64_t replayed, total; /* references; total: of all that this process may still have to run */
  double seconds;
};

struct nw_sweep_watch {
  /* Called some times a second, and once at the end, in the caller's thread. May be NULL. */
  void (*progress)(void *context, const struct nw_sweep_progress *progress);
  /* A point has failed; the others go on. In the caller's thread. May be NULL. */
  void (*failure)(void *context, const char *message);
  /* True ends the sweep early; what is finished is in the file. May be NULL. */
  bool (*stop)(void *context);
  void *context;
};

enum nw_sweep_outcome {
  NW_SWEEP_DONE = 0,
  NW_SWEEP_INCOMPLETE, /* stopped early, or points have failed */
  NW_SWEEP_NO_RESULTS, /* the results file has failed: results->error */
};

enum nw_sweep_outcome nw_sweep_run(const struct nw_sweep_plan *plan,
                                   const struct nw_sweep_options *options,
                                   struct nw_results *results, const struct nw_sweep_watch *watch,
                                   struct nw_sweep_progress *progress);

/* Which points this shard is about: `mine[i]` for each point of the plan. Points that one pass
 * answers together are in one shard. Returns how many. */
size_t nw_sweep_shard(const struct nw_sweep_plan *plan, const struct nw_sweep_options *options,
                      bool *mine);

/* Seconds that all points would take one after the other, from a short run of each trace, machine
 * and mode of the plan. 0 when nothing could be run. */
double nw_sweep_estimate(const struct nw_sweep_plan *plan, const struct nw_sweep_options *options);

/* The version of nestwalk that results are filed under: git's description of the source. */
extern const char nw_sweep_version[];

#endif
