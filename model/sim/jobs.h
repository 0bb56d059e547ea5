/* SPDX-License-Identifier: Apache-2.0 */
/* Several runs at once, each in a thread of its own. */
#ifndef NW_SIM_JOBS_H
#define NW_SIM_JOBS_H

#include "sim/run.h"

struct nw_job {
  struct nw_trace *trace; /* jobs may share a trace and a configuration */
  const struct nw_machine_config *config;
  enum nw_mode mode;
  uint64_t limit; /* references; 0: none */

  /* the outcome */
  bool started;
  enum nw_run_status status;
  struct nw_run_result result;
  char error[NW_RUN_ERROR];
};

/* How far all jobs are together. */
struct nw_jobs_progress {
  uint64_t replayed, total; /* references */
  double seconds;           /* since the beginning */
};

/* Who watches the jobs, in the thread that called nw_jobs_run(). */
struct nw_jobs_watch {
  /* Called some times a second, and once at the end. May be NULL. */
  void (*progress)(void *context, const struct nw_jobs_progress *progress);
  /* Asked as often; true ends all jobs early, with NW_RUN_STOPPED. May be NULL. */
  bool (*stop)(void *context);
  void *context;
};

/* Runs all jobs, at most `threads` at a time. A job that fails ends the others. True when all went
 * well. */
bool nw_jobs_run(struct nw_job *jobs, size_t count, unsigned threads,
                 const struct nw_jobs_watch *watch);

/* The job whose failure is worth telling: not one that was only stopped; NULL when none failed. */
const struct nw_job *nw_jobs_failed(const struct nw_job *jobs, size_t count);

#endif
