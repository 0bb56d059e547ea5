/* SPDX-License-Identifier: Apache-2.0 */
/* From the outcome of a run to what a results file keeps of it. */
#ifndef NW_SIM_SWEEP_RECORD_H
#define NW_SIM_SWEEP_RECORD_H

#include "sim/results_store.h"
#include "sim/sweep_points.h"

/* Statistics under their own copies of the names; to be released. */
struct nw_value_list {
  struct nw_results_value *values;
  size_t count, room;
  bool failed; /* out of memory: the list is not whole */
};

struct nw_statistic;
void nw_value_list_add(struct nw_value_list *list, const struct nw_statistic *statistic);
void nw_value_list_release(struct nw_value_list *list);

/* The statistics of a run that the sweep asks for. */
void nw_value_list_from(struct nw_value_list *list, const struct nw_sweep_plan *plan,
                        const struct nw_run_result *result);

/* Everything else that is kept of a point. The strings are the plan's, and `scratch`'s. */
struct nw_record_scratch {
  char checksum[17], finished[32], command[1000];
};
struct nw_results_point nw_sweep_record(const struct nw_sweep_plan *plan,
                                        const struct nw_point *point, const char *method,
                                        double seconds, const struct nw_value_list *list,
                                        struct nw_record_scratch *scratch);

#endif
