/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of statistics. A row is a number of the result, or a family of numbers: an array, each
 * element with its own label in the name.
 */
#include "sim/statistics.h"

#include <inttypes.h>
#include <string.h>

#include "sim/names.h"

#define NAME_MAX_LENGTH 96

/* -- totals ----------------------------------------------------------------------------------- */

static uint64_t sum(const uint64_t *values, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++)
    total += values[i];
  return total;
}

uint64_t nw_run_cycles(const struct nw_run_result *result) {
  const struct nw_machine_statistics *m = &result->machine;
  return m->cycles_base + m->cycles_memory + m->cycles_translation + m->cycles_guest_kernel +
         m->cycles_exits;
}

uint64_t nw_run_exits(const struct nw_run_result *result) {
  return sum(result->machine.exits, NW_EXIT_CAUSES);
}

uint64_t nw_run_references(const struct nw_run_result *result) {
  return result->machine.references - result->page_crossings;
}

double nw_run_cpi(const struct nw_run_result *result) {
  uint64_t instructions = result->machine.instructions;
  return instructions ? (double)nw_run_cycles(result) / (double)instructions : 0.0;
}

static uint64_t complete(const struct nw_run_result *result) {
  return result->complete;
}

static uint64_t all_faults(const struct nw_run_result *result) {
  return sum(result->mmu.faults, NW_FAULT_TYPES);
}

static uint64_t exit_cycles(const struct nw_run_result *result) {
  return sum(result->machine.exit_cycles, NW_EXIT_CAUSES);
}

static uint64_t shadow_steps(const struct nw_run_result *result) {
  return sum(result->machine.shadow_steps, NW_SHADOW_STEPS);
}

static uint64_t shadow_step_cycles(const struct nw_run_result *result) {
  return sum(result->machine.shadow_step_cycles, NW_SHADOW_STEPS);
}

static uint64_t dram_accesses(const struct nw_run_result *result) {
  return sum(result->dram, NW_REQUESTERS);
}

static uint64_t histogram_total(const struct nw_run_result *result) {
  return sum(result->mmu.walk_cycles_histogram, NW_WALK_CYCLE_BUCKETS);
}

/* -- labels of families: false where an element has no statistic ------------------------------ */

static bool named(const char *const *names, unsigned index, char *out, size_t size) {
  if (names[index])
    snprintf(out, size, "%s", names[index]);
  return names[index] != NULL;
}

static bool fault_label(unsigned index, char *out, size_t size) {
  return named(nw_fault_type_names, index, out, size);
}

static bool cause_label(unsigned index, char *out, size_t size) {
  return named(nw_exit_cause_names, index, out, size);
}

static bool step_label(unsigned index, char *out, size_t size) {
  return named(nw_shadow_step_names, index, out, size);
}

static bool requester_label(unsigned index, char *out, size_t size) {
  return named(nw_requester_names, index, out, size);
}

/* ARMv7's levels are 1 to 3, x86-64's 1 to 5. */
static bool level_label(unsigned index, char *out, size_t size) {
  snprintf(out, size, "l%u", index);
  return index >= 1;
}

static bool nested_label(unsigned index, char *out, size_t size) {
  snprintf(out, size, "%u", index);
  return true;
}

static bool page_label(unsigned index, char *out, size_t size) {
  static const char units[] = "KMGT";
  unsigned log2 = nw_page_size_log2(index);
  if (log2 >= 10)
    snprintf(out, size, "%u%c", 1u << (log2 % 10), units[log2 / 10 - 1]);
  return log2 >= 10;
}

/* Bucket b holds 2^(b-1) to 2^b - 1, the last one everything beyond, too. */
static bool bucket_label(unsigned index, char *out, size_t size) {
  uint64_t low = index ? UINT64_C(1) << (index - 1) : 0;
  if (index == NW_WALK_CYCLE_BUCKETS - 1)
    snprintf(out, size, "%" PRIu64 "-max", low);
  else if (index < 2)
    snprintf(out, size, "%u", index);
  else
    snprintf(out, size, "%" PRIu64 "-%" PRIu64, low, 2 * low - 1);
  return true;
}

/* -- the table -------------------------------------------------------------------------------- */

struct row {
  const char *name;
  const char *description;
  const char *unit;
  size_t offset; /* of the number, or of the family's first, in struct nw_run_result */
  uint64_t (*total)(const struct nw_run_result *result); /* instead of an offset */
  unsigned count;                                        /* family: elements */
  bool (*label)(unsigned index, char *out, size_t size);
};

#define AT(member) offsetof(struct nw_run_result, member)
#define ONE(name, member, unit, description)                                                       \
  { name, description, unit, AT(member), NULL, 0, NULL }
#define TOTAL(name, function, unit, description)                                                   \
  { name, description, unit, 0, function, 0, NULL }
#define FAMILY(name, member, elements, label, unit, description)                                   \
  { name, description, unit, AT(member), NULL, elements, label }

#define TLB(level, what)                                                                           \
  ONE("mmu." #level ".accesses", mmu.level.accesses, "Count", "Lookups in the " what " TLB"),      \
      ONE("mmu." #level ".hits", mmu.level.hits, "Count", "Lookups that found a translation"),     \
      ONE("mmu." #level ".misses", mmu.level.misses, "Count", "Lookups that found none"),          \
      FAMILY("mmu." #level ".hits.", mmu.level.hits_by_size, NW_PAGE_SIZES, page_label, "Count",   \
             "Hits on an entry of this size"),                                                     \
      FAMILY("mmu." #level ".misses.", mmu.level.misses_by_size, NW_PAGE_SIZES, page_label,        \
             "Count", "Misses that brought an entry of this size"),                                \
      ONE("mmu." #level ".misses.faulted", mmu.level.misses_faulted, "Count",                      \
          "Misses that brought no entry")

/* clang-format off */
static const struct row rows[] = {
  TOTAL("sim.references", nw_run_references, "Count",
        "Instructions fetched, loads and stores of the program"),
  ONE("sim.instructions", machine.instructions, "Count", "Instructions executed"),
  TOTAL("sim.cycles", nw_run_cycles, "Cycle", "Cycles simulated: the sum of cycles.*"),
  ONE("sim.page_crossings", page_crossings, "Count",
      "Loads and stores that cross a 4 KB page and were translated twice"),
  TOTAL("sim.complete", complete, "Count", "1 if the whole trace was replayed, else 0"),
  TLB(l1i, "level-1 instruction"),
  TLB(l1d, "level-1 data"),
  TLB(l2, "level-2"),
  ONE("mmu.rewalks", mmu.rewalks, "Count", "Hits that were denied and walked again"),
  ONE("mmu.walks", mmu.walks, "Count", "Table walks"),
  ONE("mmu.walk_cycles", mmu.walk_cycles, "Cycle", "Cycles of all walks"),
  ONE("mmu.walk_references", mmu.walk_references, "Count", "Descriptors read by walks"),
  FAMILY("mmu.walk_references.s1.", mmu.s1, NW_LEVELS, level_label, "Count",
         "Stage-1 descriptors read at this level"),
  FAMILY("mmu.walk_references.s2.", mmu.s2, NW_LEVELS, level_label, "Count",
         "Stage-2 descriptors read at this level"),
  FAMILY("mmu.walk_references.s2_for_s1.", mmu.s2_for_s1, NW_LEVELS, level_label, "Count",
         "Stage-2 descriptors read to reach stage-1 descriptors of this level"),
  ONE("mmu.walk_references.s2_final", mmu.s2_final, "Count",
      "Stage-2 descriptors read for the address that stage 1 gave"),
  TOTAL("mmu.walk_cycles::samples", histogram_total, "Count", "Walks by their cycles: all"),
  FAMILY("mmu.walk_cycles::", mmu.walk_cycles_histogram, NW_WALK_CYCLE_BUCKETS, bucket_label,
         "Count", "Walks that took so many cycles"),
  TOTAL("mmu.walk_cycles::total", histogram_total, "Count", "Walks by their cycles: all"),
  ONE("mmu.walk_cache.lookups", mmu.walk_cache_lookups, "Count", "Lookups in the walk cache"),
  ONE("mmu.walk_cache.hits", mmu.walk_cache_hits, "Count", "Lookups that hit the walk cache"),
  ONE("mmu.ipa_cache.lookups", mmu.ipa_cache_lookups, "Count", "Lookups in the IPA cache"),
  ONE("mmu.ipa_cache.hits", mmu.ipa_cache_hits, "Count", "Lookups that hit the IPA cache"),
  ONE("mmu.updates", mmu.updates, "Count", "Descriptor updates that walks tried"),
  ONE("mmu.shared_walks", mmu.shared_walks, "Count",
      "Misses that waited for another request's walk of the same page"),
  TOTAL("mmu.faults", all_faults, "Count", "Walks that ended in a fault"),
  FAMILY("mmu.faults.", mmu.faults, NW_FAULT_TYPES, fault_label, "Count", "Faults of this type"),
  ONE("mmu.faults_stage2", mmu.faults_stage2, "Count", "Faults that stage 2 raised"),
  ONE("guest.page_faults", machine.page_faults, "Count", "Page faults handled by the guest kernel"),
  ONE("guest.pte_writes", machine.pte_writes, "Count", "Descriptors that the guest kernel wrote"),
  ONE("guest.context_switches", machine.context_switches, "Count",
      "Times that the guest kernel switched to another process or thread"),
  ONE("guest.syscalls", machine.syscalls, "Count", "System calls"),
  TOTAL("hypervisor.exits", nw_run_exits, "Count", "Exits from guest to hypervisor"),
  FAMILY("hypervisor.exits.", machine.exits, NW_EXIT_CAUSES, cause_label, "Count",
         "Exits for this cause"),
  TOTAL("hypervisor.cycles", exit_cycles, "Cycle", "Cycles of all exits"),
  FAMILY("hypervisor.cycles.", machine.exit_cycles, NW_EXIT_CAUSES, cause_label, "Cycle",
         "Cycles of the exits for this cause"),
  TOTAL("shadow.steps", shadow_steps, "Count", "Steps of the shadow fault path"),
  FAMILY("shadow.steps.", machine.shadow_steps, NW_SHADOW_STEPS, step_label, "Count",
         "Times that this step of the shadow fault path was made"),
  TOTAL("shadow.step_cycles", shadow_step_cycles, "Cycle",
        "Cycles of the steps of the shadow fault path"),
  FAMILY("shadow.step_cycles.", machine.shadow_step_cycles, NW_SHADOW_STEPS, step_label, "Cycle",
         "Cycles of this step of the shadow fault path"),
  ONE("shadow.pages", machine.shadow_pages, "Count", "Pages of shadow tables held at the end"),
  ONE("shadow.bytes", machine.shadow_bytes, "Byte", "Bytes of shadow tables held at the end"),
  ONE("shadow.bytes_peak", machine.shadow_bytes_peak, "Byte",
      "Most bytes of shadow tables held at a time"),
  ONE("shadow.bytes_average", machine.shadow_bytes_average, "Byte",
      "Bytes of shadow tables held on average over sim.cycles"),
  ONE("shadow.cached_hits", machine.shadow_cached_hits, "Count",
      "Writes of another root that found its shadow tables still there"),
  ONE("shadow.evictions", machine.shadow_evictions, "Count",
      "Shadow tables evicted for want of memory"),
  ONE("shadow.unshadowed", machine.shadow_unshadowed, "Count",
      "Shadow tables given up because the guest wrote theirs without using it"),
  ONE("shadow.unsyncs", machine.shadow_unsyncs, "Count",
      "Shadow tables whose guest table the guest was let write"),
  ONE("shadow.resyncs", machine.shadow_resyncs, "Count",
      "Shadow tables that were brought up to date again"),
  ONE("shadow.resync_entries", machine.shadow_resync_entries, "Count",
      "Entries that were compared with the guest's for that"),
  ONE("shadow.prefetched", machine.shadow_prefetched, "Count",
      "Shadow entries filled beside the one that a fault was about"),
  ONE("shadow.prefetch_used", machine.shadow_prefetch_used, "Count",
      "Prefetched shadow entries that a walk has read since"),
  ONE("shadow.direct_faults", machine.shadow_direct_faults, "Count",
      "Faults that the hardware delivered to the guest without an exit"),
  ONE("shadow.hypercalls", machine.shadow_hypercalls, "Count",
      "Hypercalls that told of stores to guest tables"),
  ONE("shadow.hypercall_updates", machine.shadow_hypercall_updates, "Count",
      "Stores to guest tables that hypercalls told of"),
  ONE("shadow.rmap_walks", machine.shadow_rmap_walks, "Count",
      "Times that the shadow entries of a guest frame were looked up and followed"),
  ONE("selective.switches", machine.selective_switches, "Count",
      "Switches between nested and shadow paging"),
  ONE("selective.cycles.nested", machine.selective_cycles_nested, "Cycle",
      "Cycles under nested paging in selective mode"),
  ONE("selective.cycles.shadow", machine.selective_cycles_shadow, "Cycle",
      "Cycles under shadow paging in selective mode, switches to it included"),
  ONE("ksm.scanned", machine.ksm_scanned, "Count", "Guest pages that the host's scanner looked at"),
  ONE("ksm.merged", machine.ksm_merged, "Count",
      "Guest pages that got another page's memory, of the same content"),
  ONE("ksm.broken", machine.ksm_broken, "Count",
      "Merged pages that got memory of their own again, since they were written"),
  ONE("ksm.bytes_saved", machine.ksm_bytes_saved, "Byte", "Host memory saved at the end"),
  ONE("ksm.bytes_saved_peak", machine.ksm_bytes_saved_peak, "Byte",
      "Most host memory saved at a time"),
  ONE("ksm.cycles", machine.ksm_cycles, "Cycle", "Cycles of scanning, merging and breaking"),
  ONE("agile.switches", machine.agile_switches, "Count",
      "Times that the virtual machine went from nested to agile walks or back"),
  ONE("agile.to_nested", machine.agile_to_nested, "Count",
      "Guest tables that went from shadowed to nested"),
  ONE("agile.to_shadow", machine.agile_to_shadow, "Count",
      "Guest tables that went from nested to shadowed"),
  FAMILY("agile.levels_nested.", mmu.agile_walks, NW_LEVELS, nested_label, "Count",
         "Agile walks that came through this many levels of the guest's own tables"),
  ONE("cycles.base", machine.cycles_base, "Cycle", "Cycles of the instructions themselves"),
  ONE("cycles.memory", machine.cycles_memory, "Cycle",
      "Cycles of the program's references in the memory hierarchy"),
  ONE("cycles.translation", machine.cycles_translation, "Cycle", "Cycles of TLB lookups and walks"),
  ONE("cycles.guest_kernel", machine.cycles_guest_kernel, "Cycle", "Cycles of guest kernel work"),
  ONE("cycles.exits", machine.cycles_exits, "Cycle", "Cycles of exits to the hypervisor"),
  TOTAL("memory.dram.accesses", dram_accesses, "Count", "References that went to DRAM"),
  FAMILY("memory.dram.accesses.", dram, NW_REQUESTERS, requester_label, "Count",
         "References of this requester that went to DRAM"),
};
/* clang-format on */

/* -- visiting --------------------------------------------------------------------------------- */

struct visitor {
  void (*visit)(void *context, const struct nw_statistic *statistic);
  void *context;
};

static void visit_count(const struct visitor *v, const char *name, const char *description,
                        const char *unit, uint64_t count) {
  struct nw_statistic statistic = {
      .name = name, .description = description, .unit = unit, .count = count};
  v->visit(v->context, &statistic);
}

static void visit_row(const struct visitor *v, const struct nw_run_result *result,
                      const struct row *row) {
  const uint64_t *values = (const uint64_t *)(const void *)((const char *)result + row->offset);
  if (!row->count) {
    visit_count(v, row->name, row->description, row->unit,
                row->total ? row->total(result) : values[0]);
    return;
  }
  for (unsigned i = 0; i < row->count; i++) {
    char name[NAME_MAX_LENGTH], label[40];
    if (!row->label(i, label, sizeof label))
      continue;
    snprintf(name, sizeof name, "%s%s", row->name, label);
    visit_count(v, name, row->description, row->unit, values[i]);
  }
}

static void visit_seconds(const struct visitor *v, const struct nw_run_result *result) {
  double hertz = 1e6 * (double)result->clock_mhz;
  struct nw_statistic seconds = {
      .name = "sim.seconds",
      .description = "Time simulated: sim.cycles at the machine's clock",
      .unit = "Second",
      .kind = NW_STATISTIC_REAL,
      .real = result->clock_mhz ? (double)nw_run_cycles(result) / hertz : 0.0,
  };
  v->visit(v->context, &seconds);
}

static void visit_scale(const struct visitor *v, const char *name, double scale) {
  struct nw_statistic statistic = {
      .name = name,
      .description = "Factor on the policy's intervals, so that they suit the run's length",
      .unit = "Ratio",
      .kind = NW_STATISTIC_REAL,
      .real = scale,
  };
  v->visit(v->context, &statistic);
}

enum { ACCESSES, HITS, MISSES };

/* memory.CACHE.accesses, hits, misses: the total, then by requester. */
static void visit_cache(const struct visitor *v, const struct nw_run_cache *cache) {
  static const char *const what[] = {"accesses", "hits", "misses"};
  static const char *const descriptions[] = {"References to this cache", "References that it had",
                                             "References that it had not"};
  char name[NAME_MAX_LENGTH];
  for (int kind = ACCESSES; kind <= MISSES; kind++) {
    uint64_t values[NW_REQUESTERS];
    for (unsigned by = 0; by < NW_REQUESTERS; by++)
      values[by] = kind == HITS
                       ? cache->counts.hits[by]
                       : cache->counts.accesses[by] - (kind == MISSES ? cache->counts.hits[by] : 0);
    snprintf(name, sizeof name, "memory.%s.%s", cache->name, what[kind]);
    visit_count(v, name, descriptions[kind], "Count", sum(values, NW_REQUESTERS));
    for (unsigned by = 0; by < NW_REQUESTERS; by++) {
      snprintf(name, sizeof name, "memory.%s.%s.%s", cache->name, what[kind],
               nw_requester_names[by]);
      visit_count(v, name, descriptions[kind], "Count", values[by]);
    }
  }
}

void nw_statistics_visit(const struct nw_run_result *result,
                         void (*visit)(void *context, const struct nw_statistic *statistic),
                         void *context) {
  struct visitor v = {visit, context};
  visit_seconds(&v, result);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    visit_row(&v, result, &rows[i]);
  visit_scale(&v, "selective.scale", result->machine.selective_scale);
  visit_scale(&v, "agile.scale", result->machine.agile_scale);
  for (uint32_t i = 0; i < result->caches; i++)
    visit_cache(&v, &result->cache[i]);
}

struct search {
  const char *name;
  uint64_t count;
  bool found;
};

static void compare_name(void *context, const struct nw_statistic *statistic) {
  struct search *search = context;
  if (statistic->kind == NW_STATISTIC_COUNT && !strcmp(statistic->name, search->name)) {
    search->count = statistic->count;
    search->found = true;
  }
}

bool nw_statistics_find(const struct nw_run_result *result, const char *name, uint64_t *count) {
  struct search search = {.name = name};
  nw_statistics_visit(result, compare_name, &search);
  *count = search.count;
  return search.found;
}
