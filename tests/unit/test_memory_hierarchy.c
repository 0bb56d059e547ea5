/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory hierarchy, alone and against a model of it that keeps each set as a list of lines in
 * the order in which they will be evicted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/memory_hierarchy.h>

#include "support/random.h"

#define EVERYBODY 7

/* ---- the model ------------------------------------------------------------------------------- */

#define MODEL_SETS 16
#define MODEL_WAYS 160

struct list { /* the next victim first */
  uint32_t length;
  uint64_t line[MODEL_WAYS];
};

struct model {
  struct nw_hierarchy_config config;
  struct list set[NW_CACHE_LEVELS][MODEL_SETS];
  struct nw_cache_statistics statistics[NW_CACHE_LEVELS];
  uint64_t dram[NW_REQUESTERS];
};

static void append(struct list *list, uint64_t line) {
  list->line[list->length++] = line;
}

static void remove_at(struct list *list, uint32_t place) {
  list->length--;
  for (; place < list->length; place++)
    list->line[place] = list->line[place + 1];
}

/* Looks a line up and puts it in: true when it was there. */
static bool model_refer(struct list *list, uint64_t line, const struct nw_cache_config *cache) {
  for (uint32_t i = 0; i < list->length; i++) {
    if (list->line[i] != line)
      continue;
    if (cache->policy == NW_POLICY_LRU) {
      remove_at(list, i);
      append(list, line);
    }
    return true;
  }
  if (list->length == cache->ways)
    remove_at(list, 0);
  append(list, line);
  return false;
}

static uint32_t model_access(struct model *model, uint64_t pa, enum nw_requester by) {
  for (uint32_t i = 0; i < model->config.caches; i++) {
    const struct nw_cache_config *cache = &model->config.cache[i];
    uint64_t line = pa / cache->line;
    uint64_t sets = cache->size / cache->line / cache->ways;
    if ((cache->serves & 1 << by) == 0)
      continue;
    model->statistics[i].accesses[by]++;
    if (model_refer(&model->set[i][line % sets], line, cache)) {
      model->statistics[i].hits[by]++;
      return cache->latency;
    }
  }
  model->dram[by]++;
  return model->config.dram_latency;
}

static struct nw_cache_config random_cache(struct random *random, uint32_t level) {
  static const uint32_t ways[] = {1, 2, 3, 4, 7, 8, 12, 16, 17, 24, 64, 65, 100, 160};
  struct nw_cache_config cache = {.latency = 1 + level * 10 + random_below(random, 5)};
  cache.ways = ways[random_below(random, sizeof ways / sizeof ways[0])];
  cache.line = 16u << random_below(random, 4);
  cache.size = (uint64_t)cache.ways * cache.line << random_below(random, 5);
  cache.policy = random_chance(random, 50) ? NW_POLICY_LRU : NW_POLICY_FIFO;
  cache.serves = (uint8_t)(1 + random_below(random, EVERYBODY));
  return cache;
}

static uint64_t random_pa(struct random *random) {
  uint64_t base = random_chance(random, 30) ? (uint64_t)random_below(random, 4) << 38 : 0;
  return base +
         (random_chance(random, 50) ? random_below(random, 2048) : random_below(random, 1 << 16));
}

static void compare_statistics(const struct model *model, const struct nw_hierarchy *hierarchy) {
  for (uint32_t i = 0; i < model->config.caches; i++) {
    const struct nw_cache_statistics *statistics = nw_hierarchy_statistics(hierarchy, i);
    assert_memory_equal(statistics, &model->statistics[i], sizeof *statistics);
  }
  for (int by = 0; by < NW_REQUESTERS; by++)
    assert_int_equal(nw_hierarchy_dram_accesses(hierarchy, (enum nw_requester)by), model->dram[by]);
}

static void latencies_and_counts_agree_with_a_model_of_lists(void **state) {
  (void)state;
  static struct model model; /* large */
  struct random random = random_from_seed(__func__);
  for (unsigned round = 0; round < 60; round++) {
    memset(&model, 0, sizeof model);
    model.config.caches = random_below(&random, 5);
    model.config.dram_latency = 200;
    for (uint32_t i = 0; i < model.config.caches; i++)
      model.config.cache[i] = random_cache(&random, i);
    char error[200] = "";
    struct nw_hierarchy *hierarchy = nw_hierarchy_create(&model.config, error, sizeof error);
    assert_string_equal(error, "");
    for (unsigned step = 0; step < 2000; step++) {
      uint64_t pa = random_pa(&random);
      enum nw_requester by = (enum nw_requester)random_below(&random, NW_REQUESTERS);
      assert_int_equal(nw_hierarchy_access(hierarchy, pa, by), model_access(&model, pa, by));
    }
    compare_statistics(&model, hierarchy);
    nw_hierarchy_destroy(hierarchy);
  }
}

/* ---- one thing at a time --------------------------------------------------------------------- */

static struct nw_cache_config cache_of(uint64_t size, uint32_t ways, uint32_t line,
                                       uint32_t latency) {
  return (struct nw_cache_config){.name = "c",
                                  .size = size,
                                  .ways = ways,
                                  .line = line,
                                  .latency = latency,
                                  .serves = EVERYBODY};
}

static struct nw_hierarchy *make(const struct nw_hierarchy_config *config) {
  char error[200] = "";
  struct nw_hierarchy *hierarchy = nw_hierarchy_create(config, error, sizeof error);
  assert_string_equal(error, "");
  assert_non_null(hierarchy);
  return hierarchy;
}

static void a_reference_costs_the_first_level_that_has_the_line(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 2, .dram_latency = 100};
  config.cache[0] = cache_of(128, 2, 64, 3);
  config.cache[1] = cache_of(4096, 4, 64, 20);
  struct nw_hierarchy *hierarchy = make(&config);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 63, NW_BY_DATA), 3);
  assert_int_equal(nw_hierarchy_access(hierarchy, 64, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 128, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 20); /* the nearest lost it */
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 3);
  const struct nw_cache_statistics *near = nw_hierarchy_statistics(hierarchy, 0);
  const struct nw_cache_statistics *far = nw_hierarchy_statistics(hierarchy, 1);
  assert_int_equal(near->accesses[NW_BY_DATA], 6);
  assert_int_equal(near->hits[NW_BY_DATA], 2);
  assert_int_equal(far->accesses[NW_BY_DATA], 4);
  assert_int_equal(far->hits[NW_BY_DATA], 1);
  assert_int_equal(nw_hierarchy_dram_accesses(hierarchy, NW_BY_DATA), 3);
  assert_null(nw_hierarchy_statistics(hierarchy, 2));
  nw_hierarchy_destroy(hierarchy);
}

static void a_level_that_does_not_serve_the_requester_is_passed_by(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 2, .dram_latency = 100};
  config.cache[0] = cache_of(1024, 2, 64, 3);
  config.cache[0].serves = 1 << NW_BY_DATA;
  config.cache[1] = cache_of(4096, 4, 64, 20);
  struct nw_hierarchy *hierarchy = make(&config);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_WALKER), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_WALKER), 20);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 20); /* it was not put there */
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 3);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_WALKER), 20);
  assert_int_equal(nw_hierarchy_statistics(hierarchy, 0)->accesses[NW_BY_WALKER], 0);
  nw_hierarchy_destroy(hierarchy);
}

static void a_near_level_keeps_what_a_far_one_evicts(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 2, .dram_latency = 100};
  config.cache[0] = cache_of(256, 4, 64, 3);
  config.cache[1] = cache_of(64, 1, 64, 20);
  struct nw_hierarchy *hierarchy = make(&config);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 64, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 3);
  nw_hierarchy_destroy(hierarchy);
}

static void without_caches_everything_is_dram(void **state) {
  (void)state;
  const struct nw_hierarchy_config config = {.dram_latency = 77};
  struct nw_hierarchy *hierarchy = make(&config);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_WALKER), 77);
  assert_int_equal(nw_hierarchy_dram_accesses(hierarchy, NW_BY_WALKER), 3);
  assert_int_equal(nw_hierarchy_dram_accesses(hierarchy, NW_BY_DATA), 0);
  assert_null(nw_hierarchy_statistics(hierarchy, 0));
  nw_hierarchy_destroy(hierarchy);
}

static void every_bit_of_the_address_tells_lines_apart(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 1, .dram_latency = 100};
  config.cache[0] = cache_of(16 * 64, 16, 64, 3);
  for (unsigned bit = 0; bit < 64; bit++) {
    struct nw_hierarchy *hierarchy = make(&config);
    uint64_t pa = 0x0123456789abcdefu;
    assert_int_equal(nw_hierarchy_access(hierarchy, pa, NW_BY_DATA), 100);
    assert_int_equal(nw_hierarchy_access(hierarchy, pa ^ (uint64_t)1 << bit, NW_BY_DATA),
                     bit < 6 ? 3 : 100);
    assert_int_equal(nw_hierarchy_access(hierarchy, pa, NW_BY_DATA), 3);
    nw_hierarchy_destroy(hierarchy);
  }
}

static void the_last_byte_of_the_address_space_is_a_line_like_any_other(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 1, .dram_latency = 100};
  config.cache[0] = cache_of(64, 4, 4, 3);
  config.cache[0].ways = 16;
  struct nw_hierarchy *hierarchy = make(&config);
  assert_int_equal(nw_hierarchy_access(hierarchy, UINT64_MAX, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, UINT64_MAX - 3, NW_BY_DATA), 3);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 100);
  nw_hierarchy_destroy(hierarchy);
}

/* Four ways, worked by hand: after 0 1 2 3 and a use of 0, the victim is way 2, then way 1. */
static void tree_plru_chooses_as_by_hand(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 1, .dram_latency = 100};
  config.cache[0] = cache_of(256, 4, 64, 3);
  config.cache[0].policy = NW_POLICY_TREE_PLRU;
  struct nw_hierarchy *hierarchy = make(&config);
  static const struct {
    uint64_t pa;
    uint32_t cycles;
  } references[] = {{0, 100}, {64, 100},  {128, 100}, {192, 100}, {0, 3},  {256, 100},
                    {192, 3}, {320, 100}, {0, 3},     {128, 100}, {320, 3}};
  for (unsigned i = 0; i < sizeof references / sizeof references[0]; i++)
    assert_int_equal(nw_hierarchy_access(hierarchy, references[i].pa, NW_BY_DATA),
                     references[i].cycles);
  nw_hierarchy_destroy(hierarchy);
}

static void the_same_seed_gives_the_same_latencies(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  struct nw_hierarchy_config config = {.caches = 2, .dram_latency = 100, .seed = 9};
  config.cache[0] = cache_of(1024, 4, 64, 3);
  config.cache[1] = cache_of(8192, 8, 64, 20);
  config.cache[0].policy = NW_POLICY_RANDOM;
  config.cache[1].policy = NW_POLICY_RANDOM;
  struct nw_hierarchy *one = make(&config), *two = make(&config);
  config.seed = 10;
  struct nw_hierarchy *other = make(&config);
  unsigned differing = 0;
  for (unsigned i = 0; i < 5000; i++) {
    uint64_t pa = random_below(&random, 1 << 15);
    uint32_t cycles = nw_hierarchy_access(one, pa, NW_BY_DATA);
    assert_int_equal(nw_hierarchy_access(two, pa, NW_BY_DATA), cycles);
    differing += nw_hierarchy_access(other, pa, NW_BY_DATA) != cycles;
  }
  assert_true(differing > 50);
  nw_hierarchy_destroy(one);
  nw_hierarchy_destroy(two);
  nw_hierarchy_destroy(other);
}

static void an_unknown_requester_changes_nothing(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 1, .dram_latency = 100};
  config.cache[0] = cache_of(1024, 4, 64, 3);
  struct nw_hierarchy *hierarchy = make(&config);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_REQUESTERS), 100);
  assert_int_equal(nw_hierarchy_access(hierarchy, 0, NW_BY_DATA), 100);
  assert_int_equal(nw_hierarchy_dram_accesses(hierarchy, NW_REQUESTERS), 0);
  nw_hierarchy_destroy(hierarchy);
}

static void an_impossible_geometry_is_refused_with_a_sentence(void **state) {
  (void)state;
  static const struct {
    uint64_t size;
    uint32_t ways, line;
    uint8_t policy, serves;
    const char *error;
  } bad[] = {
      {1024, 4, 48, 0, 7, "l2: line of 48 bytes found, a power of two from 4 to 4096 expected"},
      {1024, 4, 2, 0, 7, "l2: line of 2 bytes found, a power of two from 4 to 4096 expected"},
      {1024, 4, 8192, 0, 7, "l2: line of 8192 bytes found, a power of two from 4 to 4096 expected"},
      {1024, 4, 0, 0, 7, "l2: line of 0 bytes found, a power of two from 4 to 4096 expected"},
      {0, 4, 64, 0, 7, "l2: size of 0 bytes found, a whole number of lines of 64 bytes expected"},
      {1000, 4, 64, 0, 7,
       "l2: size of 1000 bytes found, a whole number of lines of 64 bytes expected"},
      {1024, 0, 64, 0, 7, "l2: 0 ways found, 1 to 16 (the number of lines) expected"},
      {1024, 17, 64, 0, 7, "l2: 17 ways found, 1 to 16 (the number of lines) expected"},
      {1024, 5, 64, 0, 7, "l2: 16 lines in 5 ways found, a whole number of sets expected"},
      {1536, 4, 64, 0, 7, "l2: 24 lines in 4 ways are 6 sets, a power of two expected"},
      {768, 12, 64, 1, 7, "l2: 12 ways found, tree-PLRU expects a power of two"},
      {1024, 4, 64, 4, 7, "l2: replacement policy 4 found, 0 (LRU) to 3 (random) expected"},
      {1024, 4, 64, 0, 0, "l2: serves 0x0 found, a mask of requesters from 0x1 to 0x7 expected"},
      {1024, 4, 64, 0, 8, "l2: serves 0x8 found, a mask of requesters from 0x1 to 0x7 expected"},
      {UINT64_MAX & ~(uint64_t)4095, 1, 4096, 0, 7,
       "l2: 4503599627370495 lines found, at most 16777216 expected"},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct nw_hierarchy_config config = {.caches = 2, .dram_latency = 1};
    char error[200] = "";
    config.cache[0] = cache_of(1024, 4, 64, 1);
    config.cache[1] = (struct nw_cache_config){.name = "l2",
                                               .size = bad[i].size,
                                               .ways = bad[i].ways,
                                               .line = bad[i].line,
                                               .policy = bad[i].policy,
                                               .serves = bad[i].serves};
    assert_null(nw_hierarchy_create(&config, error, sizeof error));
    assert_string_equal(error, bad[i].error);
    assert_null(nw_hierarchy_create(&config, NULL, 0));
  }
  struct nw_hierarchy_config many = {.caches = NW_CACHE_LEVELS + 1};
  char error[200] = "";
  assert_null(nw_hierarchy_create(&many, error, sizeof error));
  assert_string_equal(error, "caches: 9 levels found, at most 8 expected");
  nw_hierarchy_destroy(NULL);
}

static void a_nameless_cache_is_named_by_its_number(void **state) {
  (void)state;
  struct nw_hierarchy_config config = {.caches = 1};
  char error[200] = "";
  assert_null(nw_hierarchy_create(&config, error, sizeof error));
  assert_string_equal(error,
                      "cache 0: line of 0 bytes found, a power of two from 4 to 4096 expected");
  memset(config.cache[0].name, 'x', NW_CACHE_NAME);
  assert_null(nw_hierarchy_create(&config, error, sizeof error));
  assert_string_equal(
      error, "xxxxxxxxxxxxxxxx: line of 0 bytes found, a power of two from 4 to 4096 expected");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(latencies_and_counts_agree_with_a_model_of_lists),
      cmocka_unit_test(a_reference_costs_the_first_level_that_has_the_line),
      cmocka_unit_test(a_level_that_does_not_serve_the_requester_is_passed_by),
      cmocka_unit_test(a_near_level_keeps_what_a_far_one_evicts),
      cmocka_unit_test(without_caches_everything_is_dram),
      cmocka_unit_test(every_bit_of_the_address_tells_lines_apart),
      cmocka_unit_test(the_last_byte_of_the_address_space_is_a_line_like_any_other),
      cmocka_unit_test(tree_plru_chooses_as_by_hand),
      cmocka_unit_test(the_same_seed_gives_the_same_latencies),
      cmocka_unit_test(an_unknown_requester_changes_nothing),
      cmocka_unit_test(an_impossible_geometry_is_refused_with_a_sentence),
      cmocka_unit_test(a_nameless_cache_is_named_by_its_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
