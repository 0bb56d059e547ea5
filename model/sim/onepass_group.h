/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which points of a sweep one pass over the trace answers together, and that pass.
 */
#ifndef NW_SIM_ONEPASS_GROUP_H
#define NW_SIM_ONEPASS_GROUP_H

#include "sim/sweep_points.h"

/* What one pass costs, in simulations of one point: for estimates. */
#define NW_ONEPASS_COST 6.0

struct nw_point_group {
  size_t *points; /* indices in the plan */
  size_t count;
  bool one_pass; /* else it is one point */
};

struct nw_point_groups {
  struct nw_point_group *group;
  size_t count;
  size_t *points; /* where the groups' lists lie */
};

/* Every point is in one group; the groups' first points are in the plan's order. `simulate`: one
 * point in each. False when out of memory. To be freed in either case. */
bool nw_onepass_groups(const struct nw_sweep_plan *plan, bool simulate,
                       struct nw_point_groups *groups);
void nw_point_groups_free(struct nw_point_groups *groups);

struct nw_value_list;
/* The statistics that the sweep asks for, for each of `count` points of a group. False when the run
 * failed or was stopped, or the pass found that it is not exact: nothing is in the lists then but
 * what has to be released. */
bool nw_onepass_run(const struct nw_sweep_plan *plan, const size_t *points, size_t count,
                    const struct nw_run_control *control, struct nw_value_list *lists);

#endif
