/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency of memory references. The main invariant: no set holds a line twice. Every level stands
 * for itself: a level that is asked for a line it lacks takes it in, and nothing that another level
 * evicts concerns it (neither inclusive nor exclusive).
 *
 * Where a line is likely to be is remembered by bits of its number. Failing that, its set is
 * searched by an 8-bit fingerprint of each line, eight ways to a word; only ways whose fingerprint
 * agrees have their line numbers compared.
 */
#include <nestwalk/memory_hierarchy.h>

#include "core/replacement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES (UINT64_C(1) << 24)
#define LINES_PADDING 8u /* so that every byte of the last set's fingerprints has a line */
#define EVERYBODY ((1u << NW_REQUESTERS) - 1)

struct level {
  uint64_t *lines;        /* by set and way: line number + 1, 0 in an invalid way */
  uint64_t *fingerprints; /* one byte a way, the lowest first; 0 where invalid, as may be valid */
  uint32_t set_mask;
  uint32_t ways;
  uint32_t words; /* of fingerprints of a set */
  uint32_t latency;
  uint8_t line_log2;
  uint8_t serves;
  uint32_t *recent; /* slot that held a line last, by bits of the line; to be compared before use */
  uint32_t recent_mask;
  uint32_t *filled; /* valid ways of a set: they fill from way 0 on, and nothing invalidates */
  struct nwi_replacement replacement;
  struct nw_cache_statistics statistics;
};

struct nw_hierarchy {
  uint32_t levels;
  uint32_t dram_latency;
  uint64_t dram_accesses[NW_REQUESTERS];
  struct level *first[NW_REQUESTERS]; /* nearest level that serves the requester, or NULL */
  struct level level[NW_CACHE_LEVELS];
};

/* ---- creation -------------------------------------------------------------------------------- */

static bool power_of_two(uint64_t x) {
  return x != 0 && (x & (x - 1)) == 0;
}

static bool cache_possible(const struct nw_cache_config *cache, const char *name, char *error,
                           size_t error_size) {
  if (!power_of_two(cache->line) || cache->line < 4 || cache->line > 4096)
    return nwi_sentence(error, error_size,
                        "%s: line of %" PRIu32
                        " bytes found, a power of two from 4 to 4096 expected",
                        name, cache->line);
  if (cache->size == 0 || cache->size % cache->line != 0)
    return nwi_sentence(error, error_size,
                        "%s: size of %" PRIu64 " bytes found, a whole number of lines of %" PRIu32
                        " bytes expected",
                        name, cache->size, cache->line);
  uint64_t lines = cache->size / cache->line;
  if (lines > MAX_LINES)
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu64 " lines found, at most %" PRIu64 " expected", name, lines,
                        MAX_LINES);
  if (cache->serves == 0 || (cache->serves & ~EVERYBODY) != 0)
    return nwi_sentence(error, error_size,
                        "%s: serves 0x%x found, a mask of requesters from 0x1 to 0x%x expected",
                        name, (unsigned)cache->serves, EVERYBODY);
  return nwi_geometry_possible(lines, cache->ways, "lines", name, error, error_size) &&
         nwi_replacement_possible(cache->policy, cache->ways, name, error, error_size);
}

static uint8_t log2_of(uint32_t power) {
  return (uint8_t)nwi_lowest_bit(power);
}

/* One for each line of a small cache; beyond 16 KB they cost more than they save. */
static uint32_t mask_of_recent(uint32_t lines) {
  uint32_t recent = 64;
  while (recent < 4096 && recent < lines)
    recent *= 2;
  return recent - 1;
}

static bool init_level(struct level *level, const struct nw_cache_config *cache, uint64_t seed) {
  uint32_t lines = (uint32_t)(cache->size / cache->line);
  uint32_t sets = lines / cache->ways;
  level->set_mask = sets - 1;
  level->ways = cache->ways;
  level->words = (cache->ways + 7) / 8;
  level->latency = cache->latency;
  level->line_log2 = log2_of(cache->line);
  level->serves = cache->serves;
  level->lines = calloc(lines + LINES_PADDING, sizeof *level->lines);
  level->fingerprints = calloc((size_t)sets * level->words, sizeof *level->fingerprints);
  level->filled = calloc(sets, sizeof *level->filled);
  level->recent_mask = mask_of_recent(lines);
  level->recent = calloc((size_t)level->recent_mask + 1, sizeof *level->recent);
  bool replacement =
      nwi_replacement_init(&level->replacement, cache->policy, sets, cache->ways, seed);
  return level->lines != NULL && level->fingerprints != NULL && level->filled != NULL &&
         level->recent != NULL && replacement;
}

/* Levels of one hierarchy must not draw the same random numbers. */
static uint64_t seed_of_level(uint64_t seed, uint32_t level) {
  return seed + level * 0xd1342543de82ef95u;
}

static bool init_levels(struct nw_hierarchy *hierarchy, const struct nw_hierarchy_config *config,
                        char *error, size_t error_size) {
  for (uint32_t i = 0; i < config->caches; i++) {
    const struct nw_cache_config *cache = &config->cache[i];
    char name[NW_CACHE_NAME + 1] = "";
    memcpy(name, cache->name, NW_CACHE_NAME); /* it may fill its array, without a terminator */
    if (name[0] == '\0')
      (void)snprintf(name, sizeof name, "cache %" PRIu32, i);
    hierarchy->levels = i + 1;
    if (!cache_possible(cache, name, error, error_size))
      return false;
    if (!init_level(&hierarchy->level[i], cache, seed_of_level(config->seed, i)))
      return nwi_sentence(error, error_size, "%s: no memory for a cache of %" PRIu64 " bytes", name,
                          cache->size);
  }
  return true;
}

static void find_first_levels(struct nw_hierarchy *hierarchy,
                              const struct nw_hierarchy_config *config) {
  for (uint32_t i = config->caches; i-- > 0;)
    for (unsigned requester = 0; requester < NW_REQUESTERS; requester++)
      if (config->cache[i].serves >> requester & 1)
        hierarchy->first[requester] = &hierarchy->level[i];
}

struct nw_hierarchy *nw_hierarchy_create(const struct nw_hierarchy_config *config, char *error,
                                         size_t error_size) {
  if (config->caches > NW_CACHE_LEVELS) {
    nwi_sentence(error, error_size, "caches: %" PRIu32 " levels found, at most %d expected",
                 config->caches, NW_CACHE_LEVELS);
    return NULL;
  }
  struct nw_hierarchy *hierarchy = calloc(1, sizeof *hierarchy);
  if (hierarchy == NULL) {
    nwi_sentence(error, error_size, "memory hierarchy: no memory");
    return NULL;
  }
  hierarchy->dram_latency = config->dram_latency;
  find_first_levels(hierarchy, config);
  if (!init_levels(hierarchy, config, error, error_size)) {
    nw_hierarchy_destroy(hierarchy);
    return NULL;
  }
  return hierarchy;
}

void nw_hierarchy_destroy(struct nw_hierarchy *hierarchy) {
  if (hierarchy == NULL)
    return;
  for (uint32_t i = 0; i < hierarchy->levels; i++) {
    free(hierarchy->level[i].lines);
    free(hierarchy->level[i].fingerprints);
    free(hierarchy->level[i].filled);
    free(hierarchy->level[i].recent);
    nwi_replacement_free(&hierarchy->level[i].replacement);
  }
  free(hierarchy);
}

/* ---- references ------------------------------------------------------------------------------ */

static inline uint64_t fingerprint_of(uint64_t line) {
  return line * 0x9e3779b97f4a7c15u >> 56;
}

/* The bytes of `word` that equal those of `wanted`, as a mask of the lowest bit of each byte; some
 * that do not may be flagged as well. */
static inline uint64_t equal_bytes(uint64_t word, uint64_t wanted) {
  uint64_t differ = word ^ wanted;
  return ((differ - 0x0101010101010101u) & ~differ & 0x8080808080808080u) >> 7;
}

/* Where in the fingerprints' bytes a flag of equal_bytes() is, word w's shifted left by w. */
static inline uint32_t way_of_flag(unsigned bit) {
  return bit % 8 * 8 + bit / 8;
}

/* The way of `set` that holds `line`, or level->ways. Words are compared in groups of eight. A flag
 * of a byte beyond the last way leads to a line of another set, or to the padding after the last
 * one, neither of which is `line`. */
static uint32_t way_of(const struct level *level, uint32_t set, uint64_t line) {
  const uint64_t *lines = level->lines + (size_t)set * level->ways;
  const uint64_t *word = level->fingerprints + (size_t)set * level->words;
  uint64_t wanted = fingerprint_of(line) * 0x0101010101010101u;
  for (uint32_t first = 0; first < level->words; first += 8) {
    uint32_t group = level->words - first < 8 ? level->words - first : 8;
    uint64_t equal = 0;
    for (uint32_t w = 0; w < group; w++)
      equal |= equal_bytes(word[first + w], wanted) << w;
    for (; equal != 0; equal &= equal - 1) {
      uint32_t way = first * 8 + way_of_flag(nwi_lowest_bit(equal));
      if (lines[way] == line)
        return way;
    }
  }
  return level->ways;
}

static void remember(struct level *level, uint64_t line, uint32_t slot) {
  level->recent[(line - 1) & level->recent_mask] = slot;
}

NWI_NOINLINE static void take_in(struct level *level, uint32_t set, uint64_t line) {
  uint32_t first = set * level->ways;
  uint32_t slot = level->filled[set] < level->ways
                      ? first + level->filled[set]++
                      : nwi_replacement_victim(&level->replacement, set);
  uint32_t way = slot - first;
  uint64_t *word = &level->fingerprints[(size_t)set * level->words + way / 8];
  unsigned shift = way % 8 * 8;
  *word = (*word & ~((uint64_t)0xff << shift)) | fingerprint_of(line) << shift;
  level->lines[slot] = line;
  remember(level, line, slot);
  nwi_replacement_filled(&level->replacement, set, slot);
}

/* Refers to a line in any case: true when the level has it; if not, it has it from now on. */
NWI_NOINLINE static bool refer_thoroughly(struct level *level, uint32_t set, uint64_t line) {
  uint32_t way = way_of(level, set, line);
  if (way == level->ways) {
    take_in(level, set, line);
    return false;
  }
  uint32_t slot = set * level->ways + way;
  remember(level, line, slot);
  nwi_replacement_hit(&level->replacement, set, slot);
  return true;
}

/* Apart, since it is seldom needed and would cost the usual hit registers. */
NWI_NOINLINE static void touch(struct level *level, uint32_t set, uint32_t slot) {
  nwi_replacement_hit(&level->replacement, set, slot);
}

static inline void use(struct level *level, uint32_t set, uint32_t slot) {
  if (!nwi_replacement_hit_is_simple(&level->replacement, slot))
    touch(level, set, slot);
}

/* The same for the line of `pa`, trying the slot first that a line like it was in last. */
static inline bool refer(struct level *level, uint64_t pa) {
  uint64_t number = pa >> level->line_log2;
  uint64_t line = number + 1;
  uint32_t set = (uint32_t)number & level->set_mask;
  uint32_t slot = level->recent[number & level->recent_mask];
  if (level->lines[slot] == line) {
    use(level, set, slot);
    return true;
  }
  return refer_thoroughly(level, set, line);
}

NWI_NOINLINE static uint32_t access_thoroughly(struct nw_hierarchy *hierarchy, uint64_t pa,
                                               unsigned requester) {
  struct level *end = hierarchy->level + hierarchy->levels;
  for (struct level *level = hierarchy->level; level != end; level++) {
    if ((level->serves >> requester & 1) == 0)
      continue;
    level->statistics.accesses[requester]++;
    if (refer(level, pa)) {
      level->statistics.hits[requester]++;
      return level->latency;
    }
  }
  hierarchy->dram_accesses[requester]++;
  return hierarchy->dram_latency;
}

/* The usual case: the first level that serves the requester has the line where it was last. False,
 * with nothing touched, when it is any other. */
NWI_ALWAYS_INLINE bool hit_at_once(struct level *level, uint64_t pa) {
  uint64_t number = pa >> level->line_log2;
  uint32_t slot = level->recent[number & level->recent_mask];
  return level->lines[slot] == number + 1 &&
         nwi_replacement_hit_is_simple(&level->replacement, slot);
}

uint32_t nw_hierarchy_access(struct nw_hierarchy *hierarchy, uint64_t pa, enum nw_requester by) {
  unsigned requester = (unsigned)by;
  if (requester >= NW_REQUESTERS)
    return hierarchy->dram_latency;
  struct level *first = hierarchy->first[requester];
  if (first == NULL || !hit_at_once(first, pa))
    return access_thoroughly(hierarchy, pa, requester);
  first->statistics.accesses[requester]++;
  first->statistics.hits[requester]++;
  return first->latency;
}

const struct nw_cache_statistics *nw_hierarchy_statistics(const struct nw_hierarchy *hierarchy,
                                                          unsigned level) {
  return level < hierarchy->levels ? &hierarchy->level[level].statistics : NULL;
}

uint64_t nw_hierarchy_dram_accesses(const struct nw_hierarchy *hierarchy, enum nw_requester by) {
  return (unsigned)by < NW_REQUESTERS ? hierarchy->dram_accesses[by] : 0;
}
