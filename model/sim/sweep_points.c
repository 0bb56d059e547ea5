/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* asprintf */
#include "sim/sweep_points.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/config.h"
#include "sim/names.h"

struct planner {
  struct nw_sweep_plan *plan;
  const struct nw_sweep *sweep;
  char *machine_path[64];
  struct nw_config_error *error;
};

static bool out_of_memory(struct planner *p) {
  snprintf(p->error->message, sizeof p->error->message, "%s: out of memory", p->sweep->path);
  return false;
}

/* -- one point -------------------------------------------------------------------------------- */

/* Which value of each axis a combination has; the last axis changes fastest. */
static void choose_values(const struct nw_sweep *sweep, size_t combination,
                          size_t chosen[NW_SWEEP_AXES]) {
  for (size_t axis = sweep->axis_count; axis-- > 0;) {
    chosen[axis] = combination % sweep->axes[axis].value_count;
    combination /= sweep->axes[axis].value_count;
  }
}

static bool make_settings(struct planner *p, struct nw_point *point, size_t combination) {
  size_t chosen[NW_SWEEP_AXES], used = 0;
  choose_values(p->sweep, combination, chosen);
  point->settings = calloc(p->plan->setting_count + 1, sizeof *point->settings);
  if (!point->settings)
    return out_of_memory(p);
  for (size_t i = 0; i < p->sweep->axis_count; i++) {
    const struct nw_sweep_axis *axis = &p->sweep->axes[i];
    for (size_t path = 0; path < axis->path_count; path++) {
      if (asprintf(&point->settings[used], "%s=%s", axis->path[path],
                   axis->value[path][chosen[i]]) < 0) {
        point->settings[used] = NULL;
        return out_of_memory(p);
      }
      used++;
    }
  }
  return true;
}

static bool load_machine(struct planner *p, struct nw_point *point, size_t machine) {
  size_t count = p->sweep->set_count + p->plan->setting_count + 1, used = 0;
  const char **sets = calloc(count, sizeof *sets);
  char seed[40];
  if (!sets)
    return out_of_memory(p);
  for (size_t i = 0; i < p->sweep->set_count; i++)
    sets[used++] = p->sweep->sets[i];
  for (size_t i = 0; i < p->plan->setting_count; i++)
    sets[used++] = point->settings[i];
  snprintf(seed, sizeof seed, "seed=%" PRIu64, point->seed);
  sets[used++] = seed;
  bool good = nw_config_load_text(p->machine_path[machine], sets, used, &point->config,
                                  &point->machine_text, p->error);
  free(sets);
  return good;
}

static void make_key(const struct nw_sweep_plan *plan, struct nw_point *point) {
  const struct nw_file_sweep *file = plan->sweep->file;
  const struct nw_trace *trace = plan->traces[point->workload];
  XXH3_state_t *state = XXH3_createState();
  if (!state)
    return;
  char rest[160];
  snprintf(rest, sizeof rest, "\n1 %016" PRIx64 " %s %" PRIu64,
           nw_trace_get_header(trace)->checksum, nw_mode_names[point->mode], file->limit);
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, point->machine_text, strlen(point->machine_text));
  XXH3_128bits_update(state, rest, strlen(rest));
  for (uint32_t i = 0; i < file->statistics_count; i++)
    XXH3_128bits_update(state, file->statistics[i], strlen(file->statistics[i]) + 1);
  XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  snprintf(point->key, sizeof point->key, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
           (uint64_t)hash.low64);
}

static void release_point(struct nw_point *point, size_t settings) {
  for (size_t i = 0; point->settings && i < settings; i++)
    free(point->settings[i]);
  free(point->settings);
  free(point->machine_text);
  memset(point, 0, sizeof *point);
}

/* -- all of them ------------------------------------------------------------------------------ */

/* A point's place in each direction. */
struct place {
  size_t workload, machine, mode, combination, repeat;
};

/* The machine of a combination that cannot be is told with the settings that made it. */
static bool impossible(struct planner *p, struct nw_point *point) {
  if (p->sweep->file->skip_impossible) {
    p->plan->skipped++;
    release_point(point, p->plan->setting_count);
    return true;
  }
  char name[300], message[sizeof p->error->message];
  nw_point_name(p->plan, point, name, sizeof name);
  memcpy(message, p->error->message, sizeof message);
  snprintf(
      p->error->message, sizeof p->error->message,
      "%.200s: the point '%s' cannot be (skip_impossible: true leaves such points out): %.400s",
      p->sweep->path, name, message);
  return false;
}

static bool add_point(struct planner *p, const struct place *at) {
  struct nw_sweep_plan *plan = p->plan;
  struct nw_point *point = &plan->points[plan->point_count];
  point->workload = (uint32_t)at->workload;
  point->mode = (enum nw_mode)p->sweep->file->modes[at->mode];
  point->seed = p->sweep->file->seed + at->repeat;
  plan->point_count++; /* so that what it has is freed whatever comes */
  if (!make_settings(p, point, at->combination))
    return false;
  if (!load_machine(p, point, at->machine)) {
    bool good = impossible(p, point);
    plan->point_count -= good;
    return good;
  }
  make_key(plan, point);
  return point->key[0] || out_of_memory(p);
}

/* Takes a combination of the outer directions through the inner ones. */
static bool add_points(struct planner *p, size_t combinations) {
  const struct nw_file_sweep *file = p->sweep->file;
  struct place at;
  for (at.workload = 0; at.workload < p->plan->trace_count; at.workload++)
    for (at.machine = 0; at.machine < file->machines_count; at.machine++)
      for (at.mode = 0; at.mode < file->modes_count; at.mode++)
        for (at.combination = 0; at.combination < combinations; at.combination++)
          for (at.repeat = 0; at.repeat < file->repeats; at.repeat++)
            if (!add_point(p, &at))
              return false;
  return true;
}

static int by_key(const void *left, const void *right) {
  const struct nw_point *const *a = left, *const *b = right;
  int order = strcmp((*a)->key, (*b)->key);
  return order ? order : (*a > *b) - (*a < *b);
}

/* The same point in other words (a value twice, say) is left out. */
static bool drop_twins(struct planner *p) {
  struct nw_sweep_plan *plan = p->plan;
  struct nw_point **sorted = calloc(plan->point_count + 1, sizeof(struct nw_point *));
  if (!sorted)
    return out_of_memory(p);
  for (size_t i = 0; i < plan->point_count; i++)
    sorted[i] = &plan->points[i];
  qsort(sorted, plan->point_count, sizeof(struct nw_point *), by_key);
  for (size_t i = plan->point_count; i-- > 1;) {
    if (!strcmp(sorted[i]->key, sorted[i - 1]->key))
      release_point(sorted[i], plan->setting_count);
  }
  size_t kept = 0;
  for (size_t i = 0; i < plan->point_count; i++) {
    if (plan->points[i].machine_text)
      plan->points[kept++] = plan->points[i];
  }
  plan->point_count = kept;
  free(sorted);
  return true;
}

/* Number of combinations of the axes' values; 0 when there are too many points. */
static size_t count_combinations(const struct nw_sweep_plan *plan) {
  const struct nw_file_sweep *file = plan->sweep->file;
  size_t count = 1, others = plan->trace_count * file->machines_count * file->modes_count *
                             (size_t)file->repeats;
  for (size_t i = 0; i < plan->sweep->axis_count; i++) {
    count *= plan->sweep->axes[i].value_count;
    if (count > NW_SWEEP_POINTS)
      return 0;
  }
  return others && count <= NW_SWEEP_POINTS / others ? count : 0;
}

static bool find_machines(struct planner *p,
                          char *(*find)(const char *machine, struct nw_config_error *error)) {
  for (uint32_t i = 0; i < p->sweep->file->machines_count; i++) {
    if (!(p->machine_path[i] = find(p->sweep->file->machines[i], p->error)))
      return false;
  }
  return true;
}

bool nw_sweep_plan_make(const struct nw_sweep *sweep, struct nw_trace **traces, size_t trace_count,
                        char *(*find)(const char *machine, struct nw_config_error *error),
                        struct nw_sweep_plan *plan, struct nw_config_error *error) {
  struct planner p = {.plan = plan, .sweep = sweep, .error = error};
  *plan = (struct nw_sweep_plan){.sweep = sweep, .traces = traces, .trace_count = trace_count};
  for (size_t i = 0; i < sweep->axis_count; i++)
    plan->setting_count += sweep->axes[i].path_count;
  size_t combinations = count_combinations(plan);
  if (!combinations) {
    snprintf(error->message, sizeof error->message, "%s: found more than %d points", sweep->path,
             NW_SWEEP_POINTS);
    return false;
  }
  size_t count = combinations * trace_count * sweep->file->machines_count *
                 sweep->file->modes_count * sweep->file->repeats;
  plan->points = calloc(count, sizeof *plan->points);
  bool good = plan->points
                  ? find_machines(&p, find) && add_points(&p, combinations) && drop_twins(&p)
                  : out_of_memory(&p);
  for (uint32_t i = 0; i < sweep->file->machines_count; i++)
    free(p.machine_path[i]);
  return good;
}

void nw_sweep_plan_free(struct nw_sweep_plan *plan) {
  for (size_t i = 0; plan->points && i < plan->point_count; i++)
    release_point(&plan->points[i], plan->setting_count);
  free(plan->points);
  memset(plan, 0, sizeof *plan);
}

uint64_t nw_point_references(const struct nw_sweep_plan *plan, const struct nw_point *point) {
  uint64_t all = nw_trace_references(nw_trace_totals(plan->traces[point->workload]));
  uint64_t limit = plan->sweep->file->limit;
  return limit && limit < all ? limit : all;
}

void nw_point_name(const struct nw_sweep_plan *plan, const struct nw_point *point, char *out,
                   size_t size) {
  const char *path = nw_trace_path(plan->traces[point->workload]);
  const char *slash = strrchr(path, '/');
  int used = snprintf(out, size, "%s %s", slash ? slash + 1 : path, nw_mode_names[point->mode]);
  for (size_t i = 0; i < plan->setting_count && used >= 0 && (size_t)used < size; i++)
    used += snprintf(out + used, size - (size_t)used, " %s", point->settings[i]);
  if (plan->sweep->file->repeats > 1 && used >= 0 && (size_t)used < size)
    snprintf(out + used, size - (size_t)used, " seed=%" PRIu64, point->seed);
}
