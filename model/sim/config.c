/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a machine file to a machine: parse, override, check value by value, put in defaults, fill,
 * then check what single values cannot show: geometry. A complaint about geometry still points at
 * the key that is at fault.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/walk_cycles.h"
#include "sim/config_architecture.h"
#include "sim/yaml_write.h"

struct loader {
  struct nw_yaml *tree;
  struct nw_config_error *error;
};

/* -- geometry --------------------------------------------------------------------------------- */

static bool is_power_of_two(uint64_t x) {
  return x && !(x & (x - 1));
}

/* The place of GROUP.KEY, or of the group when it has no such key. */
static const struct nw_yaml_place *place_of(const struct loader *l, const char *group,
                                            const char *key) {
  const struct nw_yaml_node *node = nw_yaml_find(l->tree, group);
  const struct nw_yaml_node *child = node ? nw_yaml_child(node, key) : NULL;
  return child ? &child->place : node ? &node->place : &nw_yaml_root(l->tree)->place;
}

#define FAIL(l, group, key, ...) nw_yaml_error((l)->error, place_of(l, group, key), __VA_ARGS__)

static bool check_tlb(const struct loader *l, const char *group, const struct nw_tlb_config *tlb) {
  if (!tlb->entries)
    return true;
  if (!tlb->ways)
    return FAIL(l, group, "ways", "%s.ways: found none, expected 1 to %" PRIu32 " (its entries)",
                group, tlb->entries);
  if (tlb->entries % tlb->ways)
    return FAIL(l, group, "ways",
                "%s.ways: found %" PRIu32 ", expected a divisor of its %" PRIu32 " entries", group,
                tlb->ways, tlb->entries);
  if (!is_power_of_two(tlb->entries / tlb->ways))
    return FAIL(l, group, "entries",
                "%s: found %" PRIu32 " entries in %" PRIu32 " ways, which is %" PRIu32
                " sets, expected a power of two of sets",
                group, tlb->entries, tlb->ways, tlb->entries / tlb->ways);
  if (tlb->policy == NW_POLICY_TREE_PLRU && !is_power_of_two(tlb->ways))
    return FAIL(l, group, "policy",
                "%s.policy: found tree-plru with %" PRIu32 " ways, expected a "
                "power of two of ways",
                group, tlb->ways);
  return true;
}

/* One walk cache for all levels, or one for each. */
static bool check_walk_caches(const struct loader *l, const struct nw_mmu_config *mmu) {
  for (unsigned level = 1; level < NW_LEVELS; level++) {
    const struct nw_tlb_config *of = &mmu->walk_cache_of[level];
    char group[24];
    snprintf(group, sizeof group, "mmu.walk_cache_l%u", level);
    if (!check_tlb(l, group, of))
      return false;
    if (of->entries && mmu->walk_cache.entries)
      return FAIL(l, group, "entries",
                  "%s.entries: found %" PRIu32 " beside the %" PRIu32
                  " of mmu.walk_cache, expected one walk cache for all levels or one for each",
                  group, of->entries, mmu->walk_cache.entries);
  }
  return true;
}

/* Names become parts of the statistics' names. */
static bool check_cache_name(const struct loader *l, const char *group,
                             const struct nw_hierarchy_config *memory, uint32_t index) {
  static const char characters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const char *name = memory->cache[index].name;
  if (name[strspn(name, characters)])
    return FAIL(l, group, "name", "%s.name: found '%s', expected letters, digits, _ and - only",
                group, name);
  if (!strcmp(name, "dram"))
    return FAIL(l, group, "name", "%s.name: found 'dram', which names what is behind the caches",
                group);
  for (uint32_t i = 0; i < index; i++) {
    if (!strcmp(name, memory->cache[i].name))
      return FAIL(l, group, "name", "%s.name: found '%s' again, expected different names", group,
                  name);
  }
  return true;
}

static bool check_cache(const struct loader *l, const struct nw_hierarchy_config *memory,
                        uint32_t index) {
  const struct nw_cache_config *cache = &memory->cache[index];
  char group[40];
  snprintf(group, sizeof group, "memory.caches.%" PRIu32, index);
  if (!check_cache_name(l, group, memory, index))
    return false;
  if (!is_power_of_two(cache->line))
    return FAIL(l, group, "line", "%s.line: found %" PRIu32 " bytes, expected a power of two",
                group, cache->line);
  uint64_t way = (uint64_t)cache->line * cache->ways;
  if (cache->size % way)
    return FAIL(l, group, "size",
                "%s.size: found %" PRIu64 " bytes, expected a multiple of %" PRIu64 " (%" PRIu32
                " ways of %" PRIu32 "-byte lines)",
                group, cache->size, way, cache->ways, cache->line);
  if (!is_power_of_two(cache->size / way))
    return FAIL(l, group, "size",
                "%s.size: found %" PRIu64 " bytes, which is %" PRIu64 " sets of %" PRIu32
                " ways, expected a power of two of sets",
                group, cache->size, cache->size / way, cache->ways);
  if (cache->policy == NW_POLICY_TREE_PLRU && !is_power_of_two(cache->ways))
    return FAIL(l, group, "policy",
                "%s.policy: found tree-plru with %" PRIu32 " ways, expected a "
                "power of two of ways",
                group, cache->ways);
  return true;
}

#define PAGE 4096u

static bool check_mmio(const struct loader *l, const struct nw_hypervisor_config *hypervisor,
                       uint32_t index) {
  const struct nw_mmio_range *range = &hypervisor->mmio[index];
  char group[40];
  snprintf(group, sizeof group, "hypervisor.mmio.%" PRIu32, index);
  if (range->base % PAGE)
    return FAIL(l, group, "base", "%s.base: found 0x%" PRIx64 ", expected a multiple of 4096",
                group, range->base);
  if (range->size % PAGE)
    return FAIL(l, group, "size", "%s.size: found 0x%" PRIx64 ", expected a multiple of 4096",
                group, range->size);
  for (uint32_t i = 0; i < index; i++) {
    const struct nw_mmio_range *other = &hypervisor->mmio[i];
    if (range->base < other->base + other->size && other->base < range->base + range->size)
      return FAIL(l, group, "base",
                  "%s: found a range that overlaps hypervisor.mmio.%" PRIu32
                  ", expected separate ones",
                  group, i);
  }
  return true;
}

static bool check_shadow(const struct loader *l, const struct nw_hypervisor_config *hypervisor) {
  const struct nw_shadow_config *shadow = &hypervisor->shadow;
  if (shadow->memory && shadow->memory < NW_SHADOW_MEMORY_LEAST)
    return FAIL(l, "hypervisor.shadow", "memory",
                "hypervisor.shadow.memory: found %" PRIu64
                " bytes, expected 0 or at least %" PRIu64,
                shadow->memory, NW_SHADOW_MEMORY_LEAST);
  return true;
}

static bool check_machine(const struct loader *l, const struct nw_machine_config *config) {
  const struct nw_mmu_config *mmu = &config->mmu;
  if (!check_tlb(l, "mmu.l1i", &mmu->l1i) || !check_tlb(l, "mmu.l1d", &mmu->l1d) ||
      !check_tlb(l, "mmu.l2", &mmu->l2) || !check_tlb(l, "mmu.walk_cache", &mmu->walk_cache) ||
      !check_tlb(l, "mmu.ipa_cache", &mmu->ipa_cache) || !check_walk_caches(l, mmu))
    return false;
  for (uint32_t i = 0; i < config->memory.caches; i++) {
    if (!check_cache(l, &config->memory, i))
      return false;
  }
  for (uint32_t i = 0; i < config->hypervisor.mmio_ranges; i++) {
    if (!check_mmio(l, &config->hypervisor, i))
      return false;
  }
  if (!check_shadow(l, &config->hypervisor) ||
      !nw_config_possible_on_architecture(l->tree, config, l->error))
    return false;
  if (config->guest.memory % PAGE)
    return FAIL(l, "guest", "memory",
                "guest.memory: found %" PRIu64 " bytes, expected a multiple "
                "of 4096",
                config->guest.memory);
  return true;
}

/* -- from the file's shape to the machine's --------------------------------------------------- */

static struct nw_tlb_config make_tlb(const struct nw_file_tlb *file) {
  return (struct nw_tlb_config){.entries = file->entries,
                                .ways = file->ways,
                                .latency = file->latency,
                                .policy = (uint8_t)file->policy};
}

static void make_mmu(const struct nw_file_machine *file, struct nw_mmu_config *mmu) {
  mmu->l1i = make_tlb(&file->mmu.l1i);
  mmu->l1d = make_tlb(&file->mmu.l1d);
  mmu->l2 = make_tlb(&file->mmu.l2);
  mmu->walk_cache = make_tlb(&file->mmu.walk_cache);
  mmu->ipa_cache = make_tlb(&file->mmu.ipa_cache);
  for (unsigned level = 0; level < NW_LEVELS; level++)
    mmu->walk_cache_of[level] = make_tlb(&file->mmu.walk_cache_of[level]);
  mmu->walkers = file->mmu.walkers;
  mmu->capabilities = nw_default_capabilities;
  mmu->capabilities.maxphyaddr = (uint8_t)file->mmu.physical_bits;
  mmu->capabilities.gigabyte_pages = file->mmu.gigabyte_pages;
  mmu->cycles = file->mmu.cycles;
  mmu->seed = file->seed;
}

static void make_memory(const struct nw_file_machine *file, struct nw_hierarchy_config *memory) {
  memory->caches = file->memory.caches_count;
  memory->dram_latency = file->memory.dram_latency;
  memory->seed = file->seed;
  for (uint32_t i = 0; i < memory->caches; i++) {
    const struct nw_file_cache *from = &file->memory.caches[i];
    struct nw_cache_config *to = &memory->cache[i];
    memcpy(to->name, from->name, sizeof to->name);
    to->size = from->size;
    to->ways = from->ways;
    to->line = from->line;
    to->latency = from->latency;
    to->policy = (uint8_t)from->policy;
    to->serves = (uint8_t)(from->serves ? from->serves : (1u << NW_REQUESTERS) - 1);
  }
}

static void make_shadow(const struct nw_file_shadow *file, struct nw_shadow_config *shadow) {
  *shadow = (struct nw_shadow_config){
      .sync = (enum nw_shadow_sync)file->sync,
      .memory = file->memory,
      .flood = file->flood,
      .paravirtual_batch = file->paravirtual_batch,
      .prefetch = file->prefetch,
      .cache_roots = file->cache_roots,
      .unsync = file->unsync,
      .direct_faults = file->direct_faults,
      .paravirtual = file->paravirtual,
      .large_pages = file->large_pages,
  };
  memcpy(shadow->steps, file->steps, sizeof shadow->steps);
}

static void make_choosers(const struct nw_file_hypervisor *file,
                          struct nw_hypervisor_config *hypervisor) {
  hypervisor->selective = (struct nw_selective_config){
      .policy = (enum nw_choice)file->selective.policy,
      .start = (enum nw_selective_start)file->selective.start,
      .interval = file->selective.interval,
      .holdoff = file->selective.holdoff,
      .scale = file->selective.scale,
      .high = file->selective.high,
      .low = file->selective.low,
      .counter = file->selective.counter,
      .keep_tables = file->selective.keep_tables,
      .fill = file->selective.fill,
  };
  hypervisor->agile = (struct nw_agile_config){
      .writes = file->agile.writes, .interval = file->agile.interval, .scale = file->agile.scale};
}

static void make_hypervisor(const struct nw_file_hypervisor *file,
                            struct nw_hypervisor_config *hypervisor) {
  hypervisor->trap = file->trap;
  hypervisor->world_switch = file->world_switch;
  memcpy(hypervisor->handler, file->handler, sizeof hypervisor->handler);
  hypervisor->stage2_large = file->stage2_pages & NW_STAGE2_2M;
  hypervisor->stage2_huge = file->stage2_pages & NW_STAGE2_1G;
  hypervisor->stage2 = (enum nw_stage2)file->stage2;
  hypervisor->stage2_levels = (uint8_t)file->stage2_levels;
  hypervisor->ept_flags = file->ept_flags;
  hypervisor->pf_filter = file->pf_filter;
  make_shadow(&file->shadow, &hypervisor->shadow);
  hypervisor->ksm = (struct nw_ksm_config){
      .pages = file->ksm.pages,
      .max_sharers = file->ksm.max_sharers,
      .interval = file->ksm.interval,
      .scan_cycles = file->ksm.scan_cycles,
      .merge_cycles = file->ksm.merge_cycles,
      .break_cycles = file->ksm.break_cycles,
  };
  make_choosers(file, hypervisor);
  hypervisor->mmio_ranges = file->mmio_count;
  for (uint32_t i = 0; i < file->mmio_count; i++)
    hypervisor->mmio[i] = file->mmio[i];
}

static void make_guest(const struct nw_file_guest *file, struct nw_guest_config *guest) {
  guest->memory = file->memory;
  guest->large_pages = (enum nw_large_pages)file->large_pages;
  guest->quantum = file->quantum;
  guest->deprivileged = file->deprivileged;
  guest->pcids = file->pcids;
  guest->fault_cycles = file->costs.fault;
  guest->syscall_cycles = file->costs.syscall;
  guest->switch_cycles = file->costs.context_switch;
  guest->pte_write_cycles = file->costs.pte_write;
  guest->page_clear_cycles = file->costs.page_clear;
  guest->page_copy_cycles = file->costs.page_copy;
}

static void make_machine(const struct nw_file_machine *file, struct nw_machine_config *config) {
  memset(config, 0, sizeof *config);
  memcpy(config->name, file->name, sizeof config->name);
  config->format = (enum nw_guest_format)file->format;
  config->clock_mhz = file->core.clock_mhz;
  config->base_cpi = file->core.base_cpi;
  config->window = file->core.window;
  config->program_accesses = file->memory.program_accesses;
  config->seed = file->seed;
  make_mmu(file, &config->mmu);
  make_memory(file, &config->memory);
  make_hypervisor(&file->hypervisor, &config->hypervisor);
  make_guest(&file->guest, &config->guest);
}

/* -- loading ---------------------------------------------------------------------------------- */

/* The file's name without folders and .yaml: what a machine is called that does not say. */
static void name_of_file(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash ? slash + 1 : path);
  char *dot = strrchr(out, '.');
  if (dot && dot > out)
    *dot = '\0';
}

/* The values are in the form that the check leaves behind: plain digits. */
static bool put_defaults(struct loader *l, const char *source) {
  static const struct nw_walk_cycles cycles = NWI_WALK_CYCLES_DEFAULT;
  const struct {
    const char *path;
    uint64_t value;
  } numbers[] = {
      {"mmu.walkers", 1},
      {"mmu.cycles.begin", cycles.begin},
      {"mmu.cycles.read", cycles.read},
      {"mmu.cycles.update", cycles.update},
      {"mmu.cycles.walk_cache_lookup", cycles.walk_cache_lookup},
      {"mmu.cycles.ipa_cache_lookup", cycles.ipa_cache_lookup},
      {"mmu.cycles.fill", cycles.fill},
      {"mmu.cycles.done", cycles.done},
      {"guest.memory", UINT64_C(1) << 30},
      {"guest.quantum", 1000000},
      {"hypervisor.shadow.flood", 3},
      {"hypervisor.ksm.max_sharers", 256},
      {"hypervisor.selective.high", 9},
      {"hypervisor.selective.low", 2},
      {"hypervisor.selective.counter", 4},
      {"hypervisor.agile.writes", 2},
      {"hypervisor.shadow.paravirtual_batch", 32},
      {"seed", 1},
  };
  char text[80], name[64];
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    snprintf(text, sizeof text, "%" PRIu64, numbers[i].value);
    if (!nw_yaml_default(l->tree, numbers[i].path, text, l->error))
      return false;
  }
  bool named = nw_yaml_find(l->tree, "name") != NULL;
  name_of_file(source, name, sizeof name);
  return nw_config_architecture_defaults(l->tree, l->error) &&
         nw_yaml_default(l->tree, "hypervisor.shadow.cache_roots", "true", l->error) &&
         nw_yaml_default(l->tree, "hypervisor.selective.fill", "true", l->error) &&
         nw_yaml_default(l->tree, "name", "machine", l->error) &&
         (named || !name[0] || nw_yaml_rewrite(l->tree, nw_yaml_find(l->tree, "name"), name));
}

/* Takes the tree, which may be NULL. `text`, unless NULL, gets the whole machine as YAML. */
static bool config_from_tree(struct nw_yaml *tree, const char *source, const char *const *sets,
                             size_t set_count, struct nw_machine_config *config, char **text,
                             struct nw_config_error *error) {
  struct loader l = {.tree = tree, .error = error};
  bool good = tree != NULL;
  for (size_t i = 0; good && i < set_count; i++)
    good = nw_yaml_set(tree, sets[i], error);
  good = good && nw_yaml_check(tree, &nw_machine_schema, nw_machine_numbers, error) &&
         nw_config_fits_architecture(tree, error) && put_defaults(&l, source);
  struct nw_file_machine *file = good ? nw_yaml_fill(tree, &nw_machine_schema, error) : NULL;
  if (file) {
    make_machine(file, config);
    nw_yaml_unload(&nw_machine_schema, file);
    good = check_machine(&l, config);
  }
  if (good && file && text)
    good = (*text = nw_yaml_text(nw_yaml_root(tree))) != NULL;
  nw_yaml_free(tree);
  return good && file;
}

bool nw_config_load(const char *path, const char *const *sets, size_t set_count,
                    struct nw_machine_config *config, struct nw_config_error *error) {
  return config_from_tree(nw_yaml_load(path, error), path, sets, set_count, config, NULL, error);
}

bool nw_config_load_text(const char *path, const char *const *sets, size_t set_count,
                         struct nw_machine_config *config, char **text,
                         struct nw_config_error *error) {
  return config_from_tree(nw_yaml_load(path, error), path, sets, set_count, config, text, error);
}

bool nw_config_parse(const char *source, const char *text, size_t length, const char *const *sets,
                     size_t set_count, struct nw_machine_config *config,
                     struct nw_config_error *error) {
  return config_from_tree(nw_yaml_parse(source, text, length, error), source, sets, set_count,
                          config, NULL, error);
}

/* -- finding ---------------------------------------------------------------------------------- */

static const char suffix[] = ".yaml";

static bool has_suffix(const char *name) {
  size_t length = strlen(name);
  return length >= sizeof suffix && !strcmp(name + length - (sizeof suffix - 1), suffix);
}

static int machine_filter(const struct dirent *entry) {
  return has_suffix(entry->d_name) && entry->d_name[0] != '.';
}

/* "a, b, c": the machines of all folders. */
static void list_machines(const char *const *folders, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (; *folders; folders++) {
    struct dirent **entries = NULL;
    int count = scandir(*folders, &entries, machine_filter, alphasort);
    for (int i = 0; i < count; i++) {
      int length = (int)(strlen(entries[i]->d_name) - (sizeof suffix - 1));
      if (used < size)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", length,
                                 entries[i]->d_name);
      free(entries[i]);
    }
    free(entries);
  }
}

char *nw_config_find(const char *machine, const char *const *folders,
                     struct nw_config_error *error) {
  if (strchr(machine, '/') || has_suffix(machine))
    return strdup(machine);
  for (const char *const *folder = folders; *folder; folder++) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s%s", *folder, machine, suffix) < 0)
      break;
    if (!access(path, R_OK))
      return path;
    free(path);
  }
  char names[700];
  list_machines(folders, names, sizeof names);
  snprintf(error->message, sizeof error->message,
           "no machine '%.100s', expected a path (with a slash or ending in .yaml) or one of: %s",
           machine, names[0] ? names : "(none found)");
  return NULL;
}
