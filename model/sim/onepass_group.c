/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/onepass_group.h"

#include <stdlib.h>
#include <string.h>

bool nw_onepass_groups(const struct nw_sweep_plan *plan, bool simulate,
                       struct nw_point_groups *groups) {
  (void)simulate;
  *groups = (struct nw_point_groups){.group = calloc(plan->point_count + 1, sizeof *groups->group),
                                     .points = calloc(plan->point_count + 1, sizeof(size_t))};
  if (!groups->group || !groups->points)
    return false;
  for (size_t i = 0; i < plan->point_count; i++) {
    groups->points[i] = i;
    groups->group[groups->count++] = (struct nw_point_group){&groups->points[i], 1, false};
  }
  return true;
}

void nw_point_groups_free(struct nw_point_groups *groups) {
  free(groups->group);
  free(groups->points);
  *groups = (struct nw_point_groups){NULL, 0, NULL};
}

bool nw_onepass_run(const struct nw_sweep_plan *plan, const size_t *points, size_t count,
                    const struct nw_run_control *control, struct nw_value_list *lists) {
  (void)plan, (void)points, (void)count, (void)control, (void)lists;
  return false;
}
