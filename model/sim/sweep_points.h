/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The points of a sweep: every combination of trace, machine, mode, values of the axes and seed,
 * each with the machine that it stands for.
 *
 * A point's key is a checksum over what decides its result: the machine with all its keys, the
 * trace's contents, the mode, the limit, and which statistics are kept. Two sweeps that ask for the
 * same point, in whatever words, have the same key.
 */
#ifndef NW_SIM_SWEEP_POINTS_H
#define NW_SIM_SWEEP_POINTS_H

#include "sim/run.h"
#include "sim/sweep_file.h"

#define NW_SWEEP_POINTS 100000
#define NW_POINT_KEY 33 /* 128 bits in hexadecimal */

struct nw_point {
  uint32_t workload; /* index of the plan's */
  enum nw_mode mode;
  uint64_t seed;
  char **settings; /* "path=value" of each path of each axis, in the axes' order */
  struct nw_machine_config config;
  char *machine_text; /* the whole machine file */
  char key[NW_POINT_KEY];
};

struct nw_sweep_plan {
  const struct nw_sweep *sweep;
  struct nw_trace **traces;
  size_t trace_count;
  size_t setting_count;    /* of each point */
  struct nw_point *points; /* those of one trace next to each other */
  size_t point_count;
  size_t skipped; /* impossible ones that were left out, as the file wants it */
};

/* `find` gives the path of a machine named in the file, to be freed, or NULL with a message.
 * `traces` are open, and live as long as the plan. False with a message; the plan is to be freed in
 * either case. */
bool nw_sweep_plan_make(const struct nw_sweep *sweep, struct nw_trace **traces, size_t trace_count,
                        char *(*find)(const char *machine, struct nw_config_error *error),
                        struct nw_sweep_plan *plan, struct nw_config_error *error);
void nw_sweep_plan_free(struct nw_sweep_plan *plan);

/* References that the point's run replays. */
uint64_t nw_point_references(const struct nw_sweep_plan *plan, const struct nw_point *point);

/* "sort.nwt nested mmu.l2.entries=512": what a message calls the point. */
void nw_point_name(const struct nw_sweep_plan *plan, const struct nw_point *point, char *out,
                   size_t size);

#endif
