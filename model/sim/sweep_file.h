/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweep files: which machines, traces, modes and settings to cross.
 *
 * The keys but `set` and `axes` are checked against a schema like a machine file's. Those two hold
 * machine-file paths as keys. An element of `axes` is one axis: a mapping from paths to values; the
 * values of all of its paths go together (zipped), and the axes are crossed.
 */
#ifndef NW_SIM_SWEEP_FILE_H
#define NW_SIM_SWEEP_FILE_H

#include "sim/yaml_schema.h"
#include "system/machine.h"

#define NW_SWEEP_AXES 16
#define NW_SWEEP_PATHS 8     /* of one axis */
#define NW_SWEEP_VALUES 4096 /* of one axis */
#define NW_SWEEP_REPEATS 1000

struct nw_sweep_axis {
  size_t path_count;
  char *path[NW_SWEEP_PATHS];
  size_t value_count;
  char **value[NW_SWEEP_PATHS]; /* [path][value]: YAML in flow form */
};

/* What libcyaml fills. */
struct nw_file_sweep {
  char *title;
  char **machines, **workloads, **statistics;
  uint32_t machines_count, workloads_count, statistics_count;
  uint32_t *modes; /* enum nw_mode */
  uint32_t modes_count;
  uint64_t limit; /* references of each run; 0: the whole trace */
  uint32_t repeats;
  uint64_t seed;
  bool skip_impossible;
};

struct nw_sweep {
  const char *path;
  char *text; /* the file as it is */
  struct nw_file_sweep *file;
  char **sets; /* "path=value", of every point */
  size_t set_count;
  struct nw_sweep_axis axes[NW_SWEEP_AXES];
  size_t axis_count;
};

/* False with a message that says where, what was found and what was expected. `path` has to live as
 * long as the sweep, which is to be freed in either case. */
bool nw_sweep_load(const char *path, struct nw_sweep *sweep, struct nw_config_error *error);
void nw_sweep_free(struct nw_sweep *sweep);

#endif
