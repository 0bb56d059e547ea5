/* SPDX-License-Identifier: Apache-2.0 */
/* What a run holds as it goes on: some figures at about so many points evenly over its references. */
#ifndef NW_SIM_TIMELINE_H
#define NW_SIM_TIMELINE_H

#include <stdint.h>
#include <stdio.h>

#include "system/machine.h"

#define NW_TIMELINE_POINTS 64u

struct nw_timeline_point {
  uint64_t references, cycles;
  uint64_t shadow_pages, shadow_bytes; /* of shadow tables held */
  uint64_t ksm_bytes_saved;
};

struct nw_timeline {
  uint64_t step, next; /* references */
  uint32_t points;
  struct nw_timeline_point point[NW_TIMELINE_POINTS + 1];
};

/* A run of `references` is about to start. */
void nw_timeline_start(struct nw_timeline *timeline, uint64_t references);
/* So many have been replayed: notes a point if it is time, or if this is the end. */
void nw_timeline_look(struct nw_timeline *timeline, uint64_t references, bool end,
                      const struct nw_machine *machine);
/* As a table of comma-separated values under their names. */
void nw_timeline_write(const struct nw_timeline *timeline, FILE *out);

#endif
