/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where one pass is exact. A TLB is asked the same things whatever its size as long as nothing that it
 * costs steers what happens: the guest's schedule goes by instructions, so do traces, and the guest
 * kernel and the hypervisor do the same for a miss as for none. What does go by cycles (KSM, the
 * policies of selective and agile paging) or by what walks have read (the eviction of shadow tables,
 * prefetching) is left to simulations of their own. A second-level TLB is asked what the first level
 * misses, so it has one stream only as long as the first level has one size.
 */
#include "sim/onepass_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmu.h"
#include "sim/onepass/tlb_sizes.h"
#include "sim/statistics.h"
#include "sim/statistics_choice.h"
#include "sim/sweep_record.h"

#define LEAST_POINTS 4 /* fewer are simulated sooner */

enum { L1D, L1I, L2, TLBS }; /* as nwi_mmu_watch() has them */

static const char *const tlb_names[TLBS] = {"mmu.l1d", "mmu.l1i", "mmu.l2"};

static struct nw_tlb_config *tlb_of(struct nw_machine_config *config, unsigned which) {
  return which == L1D ? &config->mmu.l1d : which == L1I ? &config->mmu.l1i : &config->mmu.l2;
}

static const struct nw_tlb_config *tlb_at(const struct nw_machine_config *config, unsigned which) {
  return which == L1D ? &config->mmu.l1d : which == L1I ? &config->mmu.l1i : &config->mmu.l2;
}

/* -- which points go together ----------------------------------------------------------------- */

/* The machine without the geometry of its TLBs, where that is all that may differ. */
static struct nw_machine_config without_geometry(const struct nw_point *point) {
  struct nw_machine_config config = point->config;
  for (unsigned i = 0; i < TLBS; i++) {
    struct nw_tlb_config *tlb = tlb_of(&config, i);
    if (tlb->entries && tlb->policy == NW_POLICY_LRU)
      tlb->entries = tlb->ways = 1;
  }
  return config;
}

static bool steered_by_cycles(const struct nw_point *point) {
  const struct nw_hypervisor_config *h = &point->config.hypervisor;
  return point->mode == NW_MODE_SELECTIVE || point->mode == NW_MODE_AGILE || h->ksm.pages ||
         (point->mode == NW_MODE_SHADOW && (h->shadow.memory || h->shadow.prefetch));
}

static bool alike(const struct nw_point *a, const struct nw_point *b) {
  struct nw_machine_config x = without_geometry(a), y = without_geometry(b);
  return a->workload == b->workload && a->mode == b->mode && a->seed == b->seed &&
         !memcmp(&x, &y, sizeof x);
}

/* Which TLBs' geometries differ in a group: a bit each. */
static unsigned varying(const struct nw_sweep_plan *plan, const size_t *points, size_t count) {
  unsigned mask = 0;
  const struct nw_machine_config *first = &plan->points[points[0]].config;
  for (size_t i = 1; i < count; i++) {
    for (unsigned which = 0; which < TLBS; which++) {
      const struct nw_tlb_config *a = tlb_at(first, which);
      const struct nw_tlb_config *b = tlb_at(&plan->points[points[i]].config, which);
      if (a->entries != b->entries || a->ways != b->ways)
        mask |= 1u << which;
    }
  }
  return mask;
}

/* -- which statistics can be told ------------------------------------------------------------- */

/* A count of lookups of a TLB: not of what its misses led to. */
static bool is_lookup_count(const char *name, const char *tlb) {
  static const char *const counts[] = {".accesses", ".hits", ".misses"};
  size_t length = strlen(tlb);
  if (strncmp(name, tlb, length) != 0)
    return false;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    if (!strcmp(name + length, counts[i]))
      return true;
  return !strncmp(name + length, ".hits.", 6);
}

/* What a program and its kernel do, whatever the TLBs. */
static bool is_of_program(const char *name) {
  static const char *const names[] = {
      "sim.references",         "sim.instructions",  "sim.page_crossings",
      "sim.complete",           "guest.page_faults", "guest.pte_writes",
      "guest.context_switches", "guest.syscalls",    "cycles.base"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (!strcmp(names[i], name))
      return true;
  return false;
}

static bool can_be_told(const char *name, unsigned mask) {
  if (is_of_program(name) || is_lookup_count(name, tlb_names[L1D]) ||
      is_lookup_count(name, tlb_names[L1I]))
    return true;
  return is_lookup_count(name, tlb_names[L2]) && !(mask & (1u << L1D | 1u << L1I));
}

struct judge {
  const struct nw_file_sweep *file;
  unsigned mask;
  bool good;
};

static void judge(void *context, const struct nw_statistic *statistic) {
  struct judge *j = context;
  if (nw_statistic_chosen(j->file->statistics, j->file->statistics_count, statistic->name) &&
      !can_be_told(statistic->name, j->mask))
    j->good = false;
}

/* Whether every statistic that the sweep asks for can be told. */
static bool all_can_be_told(const struct nw_sweep_plan *plan, const struct nw_point *point,
                            unsigned mask) {
  struct nw_run_result result = {.mode = point->mode};
  struct judge j = {plan->sweep->file, mask, plan->sweep->file->statistics_count > 0};
  result.caches = point->config.memory.caches;
  for (uint32_t i = 0; i < result.caches; i++)
    memcpy(result.cache[i].name, point->config.memory.cache[i].name, NW_CACHE_NAME);
  if (j.good)
    nw_statistics_visit(&result, judge, &j);
  return j.good;
}

/* -- grouping --------------------------------------------------------------------------------- */

struct place {
  const struct nw_point *point;
  size_t index;
  uint64_t seed_of_likeness; /* equal where points are alike */
};

static uint64_t likeness(const struct nw_point *point) {
  struct nw_machine_config config = without_geometry(point);
  const unsigned char *bytes = (const unsigned char *)&config;
  uint64_t hash = 14695981039346656037u ^ point->workload ^ (uint64_t)point->mode << 32;
  for (size_t i = 0; i < sizeof config; i++)
    hash = (hash ^ bytes[i]) * 1099511628211u;
  return hash;
}

static int by_likeness(const void *left, const void *right) {
  const struct place *a = left, *b = right;
  if (a->seed_of_likeness != b->seed_of_likeness)
    return a->seed_of_likeness < b->seed_of_likeness ? -1 : 1;
  return (a->index > b->index) - (a->index < b->index);
}

static int by_first_point(const void *left, const void *right) {
  const struct nw_point_group *a = left, *b = right;
  return (a->points[0] > b->points[0]) - (a->points[0] < b->points[0]);
}

static void add_group(struct nw_point_groups *groups, size_t *points, size_t count, bool one_pass) {
  groups->group[groups->count++] = (struct nw_point_group){points, count, one_pass};
}

/* One group of points that are alike, or a group for each. */
static void add_alike(const struct nw_sweep_plan *plan, struct nw_point_groups *groups,
                      size_t *points, size_t count) {
  const struct nw_point *first = &plan->points[points[0]];
  unsigned mask = varying(plan, points, count);
  if (count >= LEAST_POINTS && mask && !steered_by_cycles(first) &&
      all_can_be_told(plan, first, mask)) {
    add_group(groups, points, count, true);
    return;
  }
  for (size_t i = 0; i < count; i++)
    add_group(groups, &points[i], 1, false);
}

static void group_places(const struct nw_sweep_plan *plan, const struct place *places,
                         struct nw_point_groups *groups) {
  for (size_t at = 0, end; at < plan->point_count; at = end) {
    for (end = at; end < plan->point_count && alike(places[at].point, places[end].point); end++)
      groups->points[end] = places[end].index;
    add_alike(plan, groups, &groups->points[at], end - at);
  }
}

bool nw_onepass_groups(const struct nw_sweep_plan *plan, bool simulate,
                       struct nw_point_groups *groups) {
  size_t count = plan->point_count;
  struct place *places = calloc(count + 1, sizeof *places);
  *groups = (struct nw_point_groups){.group = calloc(count + 1, sizeof *groups->group),
                                     .points = calloc(count + 1, sizeof(size_t))};
  bool good = places && groups->group && groups->points;
  for (size_t i = 0; good && i < count; i++) {
    groups->points[i] = i;
    places[i] = (struct place){&plan->points[i], i, 0};
    if (simulate)
      add_group(groups, &groups->points[i], 1, false);
    else
      places[i].seed_of_likeness = likeness(&plan->points[i]);
  }
  if (good && !simulate) {
    qsort(places, count, sizeof *places, by_likeness);
    group_places(plan, places, groups);
    qsort(groups->group, groups->count, sizeof *groups->group, by_first_point);
  }
  free(places);
  return good;
}

void nw_point_groups_free(struct nw_point_groups *groups) {
  free(groups->group);
  free(groups->points);
  *groups = (struct nw_point_groups){NULL, 0, NULL};
}

/* -- the pass --------------------------------------------------------------------------------- */

struct pass {
  const struct nw_sweep_plan *plan;
  const size_t *points;
  size_t count;
  size_t reference; /* the point that is simulated */
  struct nw_tlb_sizes *sizes[TLBS];
};

static struct nw_tlb_geometry geometry_of(const struct nw_point *point, unsigned which) {
  const struct nw_tlb_config *tlb = tlb_at(&point->config, which);
  return (struct nw_tlb_geometry){tlb->entries, tlb->ways};
}

static const struct nw_point *point_of(const struct pass *p, size_t i) {
  return &p->plan->points[p->points[i]];
}

static bool make_sizes(struct pass *p, unsigned which) {
  struct nw_tlb_geometry *geometries = calloc(p->count, sizeof *geometries);
  for (size_t i = 0; geometries && i < p->count; i++)
    geometries[i] = geometry_of(point_of(p, i), which);
  p->sizes[which] = geometries ? nw_tlb_sizes_create(geometries, p->count) : NULL;
  free(geometries);
  return p->sizes[which] != NULL;
}

static void watch_mmu(void *context, struct nw_mmu *mmu) {
  const struct pass *p = context;
  const struct nwi_tlb_watch *watches[TLBS];
  for (unsigned i = 0; i < TLBS; i++)
    watches[i] = p->sizes[i] ? nw_tlb_sizes_watch(p->sizes[i]) : NULL;
  nwi_mmu_watch(mmu, watches);
}

/* Simulates the reference point under watch. */
static bool simulate(struct pass *p, const struct nw_run_control *control,
                     struct nw_run_result *result) {
  const struct nw_point *point = point_of(p, p->reference);
  struct nw_machine_config config = point->config;
  struct nw_run_control limited = *control;
  char error[NW_RUN_ERROR];
  config.watch = (struct nw_machine_watch){p, watch_mmu};
  limited.limit = p->plan->sweep->file->limit;
  return nw_run(p->plan->traces[point->workload], &config, point->mode, &limited, result, error) ==
         NW_RUN_OK;
}

static struct nw_tlb_statistics *statistics_of(struct nw_run_result *result, unsigned which) {
  struct nw_mmu_statistics *mmu = &result->mmu;
  return which == L1D ? &mmu->l1d : which == L1I ? &mmu->l1i : &mmu->l2;
}

/* Whether the stacks say of the TLB that was there what it has counted itself. */
static bool agrees(const struct pass *p, struct nw_run_result *result, unsigned which) {
  struct nw_tlb_size_counts counts =
      nw_tlb_sizes_counts(p->sizes[which], geometry_of(point_of(p, p->reference), which));
  return nw_tlb_sizes_exact(p->sizes[which]) &&
         counts.misses == statistics_of(result, which)->misses;
}

/* The reference's counts, with those of another geometry in their place. Repeats of a fetch that
 * needed no lookup hit in every geometry. */
static void put_counts(const struct pass *p, const struct nw_point *point, unsigned which,
                       struct nw_run_result *result) {
  struct nw_tlb_statistics *s = statistics_of(result, which);
  struct nw_tlb_size_counts own =
      nw_tlb_sizes_counts(p->sizes[which], geometry_of(point_of(p, p->reference), which));
  struct nw_tlb_size_counts other = nw_tlb_sizes_counts(p->sizes[which], geometry_of(point, which));
  s->misses = other.misses;
  s->hits = s->accesses - s->misses;
  for (unsigned size = 0; size < NW_PAGE_SIZES; size++)
    s->hits_by_size[size] += other.hits_by_size[size] - own.hits_by_size[size];
}

static bool tell(struct pass *p, const struct nw_run_result *reference,
                 struct nw_value_list *lists) {
  bool good = true;
  for (size_t i = 0; i < p->count; i++) {
    struct nw_run_result result = *reference;
    for (unsigned which = 0; which < TLBS; which++)
      if (p->sizes[which])
        put_counts(p, point_of(p, i), which, &result);
    nw_value_list_from(&lists[i], p->plan, &result);
    good = good && !lists[i].failed;
  }
  return good;
}

/* The largest TLB walks least. */
static size_t choose_reference(const struct pass *p, unsigned mask) {
  size_t best = 0;
  uint64_t most = 0;
  for (size_t i = 0; i < p->count; i++) {
    uint64_t entries = 0;
    for (unsigned which = 0; which < TLBS; which++)
      entries += mask & 1u << which ? geometry_of(point_of(p, i), which).entries : 0;
    if (entries > most) {
      most = entries;
      best = i;
    }
  }
  return best;
}

bool nw_onepass_run(const struct nw_sweep_plan *plan, const size_t *points, size_t count,
                    const struct nw_run_control *control, struct nw_value_list *lists) {
  struct pass p = {.plan = plan, .points = points, .count = count};
  struct nw_run_result result;
  unsigned mask = varying(plan, points, count);
  bool good = true;
  p.reference = choose_reference(&p, mask);
  for (unsigned which = 0; which < TLBS && good; which++)
    good = !(mask & 1u << which) || make_sizes(&p, which);
  good = good && simulate(&p, control, &result);
  for (unsigned which = 0; which < TLBS && good; which++)
    good = !p.sizes[which] || agrees(&p, &result, which);
  good = good && tell(&p, &result, lists);
  for (unsigned which = 0; which < TLBS; which++)
    nw_tlb_sizes_destroy(p.sizes[which]);
  return good;
}
