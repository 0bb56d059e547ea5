/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/timeline.h"

#include <inttypes.h>

void nw_timeline_start(struct nw_timeline *timeline, uint64_t references) {
  uint64_t step = references / NW_TIMELINE_POINTS;
  *timeline = (struct nw_timeline){.step = step > 0 ? step : 1};
  timeline->next = timeline->step;
}

static void add(struct nw_timeline *timeline, uint64_t references,
                const struct nw_machine_statistics *now) {
  timeline->point[timeline->points++] = (struct nw_timeline_point){
      .references = references,
      .cycles = now->cycles_base + now->cycles_memory + now->cycles_translation +
                now->cycles_guest_kernel + now->cycles_exits,
      .shadow_pages = now->shadow_pages,
      .shadow_bytes = now->shadow_bytes,
      .ksm_bytes_saved = now->ksm_bytes_saved,
  };
}

void nw_timeline_look(struct nw_timeline *timeline, uint64_t references, bool end,
                      const struct nw_machine *machine) {
  uint32_t points = timeline->points;
  bool noted = points > 0 && timeline->point[points - 1].references == references;
  if ((references < timeline->next && !end) || noted || points > NW_TIMELINE_POINTS)
    return;
  add(timeline, references, nw_machine_statistics(machine));
  timeline->next = references - references % timeline->step + timeline->step;
}

void nw_timeline_write(const struct nw_timeline *timeline, FILE *out) {
  fputs("sim.references,sim.cycles,shadow.pages,shadow.bytes,ksm.bytes_saved\n", out);
  for (uint32_t i = 0; i < timeline->points; i++) {
    const struct nw_timeline_point *point = &timeline->point[i];
    fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", point->references,
            point->cycles, point->shadow_pages, point->shadow_bytes, point->ksm_bytes_saved);
  }
}
