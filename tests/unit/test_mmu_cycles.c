/* SPDX-License-Identifier: Apache-2.0 */
/* What a translation costs in cycles, probe by probe and step by step, and which machines there can
 * be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/mmu_rig.h"

#define PAGE 0x00345000ull
#define OTHER 0x00346000ull
#define SECTION 0x00800000ull

static const struct nw_mmu_statistics *counted(const struct rig *rig) {
  return nw_mmu_statistics(rig->mmu);
}

/* -- cycles ------------------------------------------------------------------------------------ */

/* Three page sizes in a set-associative TLB: found at the first, second and third probe. */
static void a_set_associative_tlb_is_probed_once_per_page_size_smallest_first(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.l1d = (struct nw_tlb_config){.entries = 64, .ways = 4, .latency = 3};
  struct rig *rig = rig_new(&config);
  static const struct {
    uint64_t va;
    unsigned page_log2;
  } pages[] = {{0x00100000, 12}, {0x00210000, 16}, {0x00300000, 20}, {0x01000000, 24}};

  for (unsigned present = 0; present < 4; present++) {
    rig_map(rig, pages[present].va, pages[present].page_log2, MAP_ALL);
    assert_true(rig_read(rig, pages[present].va));
    /* a miss: every size present before */
    assert_int_equal(rig->result.cycles, present * 3 + rig->result.walk_reads * RIG_READ_CYCLES);
    for (unsigned i = 0; i <= present; i++) {
      assert_true(rig_read(rig, pages[i].va));
      assert_int_equal(rig->result.source, NW_FROM_L1);
      assert_int_equal(rig->result.cycles, (i + 1) * 3);
    }
  }
  rig_free(rig);
}

static void a_fully_associative_tlb_is_probed_once(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.l1d = rig_cam(16);
  config.l1d.latency = 3;
  struct rig *rig = rig_new(&config);
  for (unsigned log2 = 12; log2 <= 24; log2 += 4) {
    uint64_t va = 1ull << 24 << (log2 - 12) / 4;
    rig_map(rig, va, log2, MAP_ALL);
    assert_true(rig_read(rig, va));
    assert_int_equal(rig->result.cycles, 3 + rig->result.walk_reads * RIG_READ_CYCLES);
    assert_true(rig_read(rig, va));
    assert_int_equal(rig->result.cycles, 3);
  }
  rig_free(rig);
}

/* Begin 7, read 5 each, done 3; level 1 costs 2, level 2 costs 4: every cycle accounted for. */
static void a_walk_costs_its_lookups_its_steps_and_its_reads(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l1d = rig_cam(8);
  config.l1d.latency = 2;
  config.l2 = (struct nw_tlb_config){.entries = 64, .ways = 64, .latency = 4};
  config.cycles = (struct nw_walk_cycles){.begin = 7, .read = 5, .done = 3};
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->result.walk_reads, 11);
  assert_int_equal(rig->result.cycles, 2 + 4 + 7 + 11 * (5 + RIG_READ_CYCLES) + 3);
  assert_int_equal(counted(rig)->walk_cycles, 7 + 11 * (5 + RIG_READ_CYCLES) + 3);
  assert_int_equal(counted(rig)->walk_cycles_histogram[8], 1); /* 175: 128 .. 255 */
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->result.cycles, 2);
  assert_true(rig_execute(rig, PAGE)); /* no level 1 on this side */
  assert_int_equal(rig->result.cycles, 4);
  rig_free(rig);
}

static void cache_lookups_and_fills_cost_what_the_configuration_says(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.walk_cache = rig_cam(8);
  config.walk_cache.latency = 100;
  config.ipa_cache = rig_cam(8);
  config.ipa_cache.latency = 1000;
  config.cycles =
      (struct nw_walk_cycles){.walk_cache_lookup = 20000, .ipa_cache_lookup = 30000, .fill = 1};
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  rig_map(rig, OTHER, 12, MAP_ALL);
  assert_true(rig_read(rig, PAGE));
  /* 3 IPAs looked for, none found; filled: 1 table, 3 pages of stage 2 */
  assert_int_equal(rig->result.cycles, 20100 + 3 * 31000 + 11 * RIG_READ_CYCLES + 4);
  assert_true(rig_read(rig, OTHER));
  /* the table is found, its page as well, the final page is not */
  assert_int_equal(rig->result.cycles, 20100 + 2 * 31000 + 4 * RIG_READ_CYCLES + 1);
  assert_true(rig_read(rig, OTHER));
  assert_int_equal(rig->result.cycles, 20100 + 2 * 31000 + 1 * RIG_READ_CYCLES);
  rig_free(rig);
}

/* The spans of tables and pages are probed like page sizes: 1 MB; 4 KB and 2 MB. */
static void a_set_associative_cache_costs_its_latency_for_each_span_probed(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.ipa_cache = (struct nw_tlb_config){.entries = 64, .ways = 4, .latency = 100};
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  rig_map(rig, SECTION, 20, MAP_ALL); /* in a stage-2 block of 2 MB */
  assert_true(rig_read(rig, SECTION));
  assert_int_equal(rig->result.cycles, 0 + (3 + 1 + 2) * RIG_READ_CYCLES); /* empty: no probe */
  assert_true(rig_read(rig, PAGE));
  /* both spans are there: the root's page is found at the first probe, the others not at all */
  assert_int_equal(rig->result.cycles, 100 + 2 * 200 + (2 + 6) * RIG_READ_CYCLES);
  assert_true(rig_read(rig, SECTION)); /* its block at the second */
  assert_int_equal(rig->result.cycles, 100 + 200 + RIG_READ_CYCLES);
  rig_free(rig);
}

/* -- configurations ---------------------------------------------------------------------------- */

static void an_impossible_configuration_is_refused_with_a_sentence(void **state) {
  (void)state;
  struct nw_mmu_config config[8];
  static const char *const names[8] = {"walkers", "walkers",    "regime",    "l1i",
                                       "l1d",     "walk_cache", "ipa_cache", "l2"};
  for (unsigned i = 0; i < 8; i++) {
    config[i] = rig_full(NW_REGIME_ARMV7_SHORT);
  }
  config[0].walkers = 0;
  config[1].walkers = 65;
  config[2].regime = NW_REGIMES;
  config[3].l1i.ways = 3;
  config[4].l1d.policy = 9;
  config[5].walk_cache.ways = 5;
  config[6].ipa_cache.ways = 0;
  config[7].l2.entries = 96; /* 24 sets */
  for (unsigned i = 0; i < 8; i++) {
    char error[128] = "";
    assert_null(nw_mmu_create(&config[i], error, sizeof(error)));
    assert_non_null(strstr(error, names[i]));
    char little[4];
    assert_null(nw_mmu_create(&config[i], little, sizeof(little)));
    assert_non_null(memchr(little, '\0', sizeof(little)));
  }
}

static void a_refused_register_write_changes_nothing(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  struct nw_regime before = *nw_mmu_regime(rig->mmu);
  assert_int_equal(nw_mmu_write_register(rig->mmu, NW_REG_TTBCR, 1u << 31),
                   NW_REGISTER_CONTRADICTS);
  assert_int_equal(nw_mmu_write_register(rig->mmu, NW_REG_HCR, 1), NW_REGISTER_CONTRADICTS);
  assert_int_equal(nw_mmu_write_register(rig->mmu, NW_REG_DACR, 1ull << 32), NW_REGISTER_TOO_WIDE);
  assert_int_equal(nw_mmu_write_register(rig->mmu, NW_REGISTERS, 0), NW_REGISTER_UNKNOWN);
  assert_memory_equal(&before, nw_mmu_regime(rig->mmu), sizeof(before));
  rig_free(rig);
}

static void an_mmu_without_tlbs_walks_every_time(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_LPAE_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  for (unsigned i = 1; i <= 3; i++) {
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(rig->accesses, 15);
    assert_int_equal(counted(rig)->walks, i);
    assert_int_equal(counted(rig)->walk_references, 15 * i);
  }
  rig_expect_sums(counted(rig));
  nw_mmu_reset_statistics(rig->mmu);
  assert_int_equal(counted(rig)->walks, 0);
  rig_free(rig);
}

static void page_sizes_of_the_statistics_are_the_architectures_smallest_first(void **state) {
  (void)state;
  static const unsigned log2[NW_PAGE_SIZES] = {12, 16, 20, 21, 24, 30, 0, 0};
  for (unsigned i = 0; i < NW_PAGE_SIZES; i++) {
    assert_int_equal(nw_page_size_log2(i), log2[i]);
  }
  assert_int_equal(nw_page_size_log2(NW_PAGE_SIZES), 0);

  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  static const unsigned index[] = {0, 1, 2, 4}; /* 4 KB, 64 KB, 1 MB, 16 MB */
  for (unsigned i = 0; i < 4; i++) {
    uint64_t va = 1ull << (24 + i);
    rig_map(rig, va, log2[index[i]], MAP_ALL);
    rig_read(rig, va);
    rig_read(rig, va);
    assert_int_equal(counted(rig)->l1d.misses_by_size[index[i]], 1);
    assert_int_equal(counted(rig)->l1d.hits_by_size[index[i]], 1);
  }
  rig_free(rig);

  config = rig_full(NW_REGIME_ARMV7_LPAE);
  rig = rig_new(&config);
  rig_map(rig, 0x20000000, 21, MAP_ALL);
  rig_read(rig, 0x20000000);
  rig_read(rig, 0x20000000);
  assert_int_equal(counted(rig)->l1d.misses_by_size[3], 1);
  assert_int_equal(counted(rig)->l1d.hits_by_size[3], 1);
  rig_free(rig);
  rig = rig_new(&config);
  rig_map(rig, 0, 30, MAP_ALL);
  rig_read(rig, 0);
  rig_read(rig, 0x3fffffff);
  assert_int_equal(counted(rig)->l1d.misses_by_size[5], 1);
  assert_int_equal(counted(rig)->l1d.hits_by_size[5], 1);
  rig_free(rig);
}

/* -- statistics of walks ----------------------------------------------------------------------- */

static bool read_slowly(void *context, uint64_t pa, unsigned size, uint64_t *data,
                        uint32_t *cycles) {
  struct rig *rig = context;
  *data = tables_get(rig->tables, pa, size);
  *cycles = 1u << 24;
  return true;
}

/* Bucket b holds 2^(b-1) .. 2^b - 1 cycles, the last one everything above. */
static void walk_cycles_add_up_and_fall_in_the_bucket_of_their_power_of_two(void **state) {
  (void)state;
  static const struct {
    uint16_t begin;
    unsigned faulting, walking; /* buckets of a walk of no read, and of two */
  } row[] = {{0, 0, 5}, {1, 1, 5}, {3, 2, 5}, {4, 3, 5}, {11, 4, 5}, {12, 4, 6}, {0xffff, 16, 17}};
  for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
    struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
    config.cycles = (struct nw_walk_cycles){.begin = row[i].begin};
    struct rig *rig = rig_new(&config);
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(counted(rig)->walk_cycles_histogram[row[i].walking], 1);
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(counted(rig)->walk_cycles_histogram[row[i].walking], 2);
    assert_int_equal(counted(rig)->walk_cycles, 2 * (row[i].begin + 2u * RIG_READ_CYCLES));
    nw_mmu_reset_statistics(rig->mmu);
    rig_register(rig, NW_REG_TTBCR, 0x10); /* PD0 */
    assert_false(rig_read(rig, PAGE));
    assert_int_equal(counted(rig)->walk_cycles_histogram[row[i].faulting], 1);
    assert_int_equal(counted(rig)->walk_cycles, row[i].begin);
    rig_free(rig);
  }
}

static void the_last_bucket_holds_everything_above(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  struct nw_memory slow = {.context = rig, .read = read_slowly};
  struct nw_request request = {.va = PAGE, .access = NW_READ, .privilege = NW_PRIVILEGED};
  rig_map(rig, PAGE, 12, MAP_ALL);
  assert_true(nw_mmu_translate(rig->mmu, &request, &slow, &rig->result));
  assert_int_equal(rig->result.cycles, 2u << 24);
  assert_int_equal(counted(rig)->walk_cycles_histogram[NW_WALK_CYCLE_BUCKETS - 1], 1);
  rig_free(rig);
}

static void faults_of_stage_2_are_counted_apart(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, OTHER, 12, MAP_ALL); /* so that there are tables */
  assert_false(rig_read(rig, PAGE));
  assert_int_equal(counted(rig)->faults[NW_FAULT_TRANSLATION], 1);
  assert_int_equal(counted(rig)->faults_stage2, 0);
  tables_map(rig->tables, 1, PAGE, 0x90000000, 12, MAP_ALL); /* nothing is there in stage 2 */
  assert_false(rig_read(rig, PAGE));
  assert_int_equal(counted(rig)->faults[NW_FAULT_TRANSLATION], 2);
  assert_int_equal(counted(rig)->faults_stage2, 1);
  rig_free(rig);
}

static void lookups_of_both_caches_are_counted(void **state) {
  (void)state;
  static const struct nw_mmu_statistics nothing;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.walk_cache = rig_cam(8);
  config.ipa_cache = rig_cam(8);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  rig_map(rig, OTHER, 12, MAP_ALL);
  assert_true(rig_read(rig, PAGE)); /* two tables and the page */
  assert_int_equal(counted(rig)->walk_cache_lookups, 1);
  assert_int_equal(counted(rig)->walk_cache_hits, 0);
  assert_int_equal(counted(rig)->ipa_cache_lookups, 3);
  assert_int_equal(counted(rig)->ipa_cache_hits, 0);
  assert_true(rig_read(rig, OTHER)); /* the table is found, and the page it is in */
  assert_int_equal(counted(rig)->walk_cache_lookups, 2);
  assert_int_equal(counted(rig)->walk_cache_hits, 1);
  assert_int_equal(counted(rig)->ipa_cache_lookups, 5);
  assert_int_equal(counted(rig)->ipa_cache_hits, 1);
  nw_mmu_reset_statistics(rig->mmu);
  assert_memory_equal(counted(rig), &nothing, sizeof(nothing));
  rig_free(rig);
}

static void a_debug_hit_costs_nothing_and_tells_its_level(void **state) {
  (void)state;
  struct nw_request debug = {
      .va = PAGE, .access = NW_READ, .privilege = NW_PRIVILEGED, .debug = true};
  for (unsigned level = 1; level <= 2; level++) {
    struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
    config.l1d.latency = 1;
    config.l2.latency = 5;
    if (level == 2)
      config.l1d.entries = 0;
    struct rig *rig = rig_new(&config);
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(rig_read(rig, PAGE));
    assert_true(nw_mmu_translate(rig->mmu, &debug, &rig->memory, &rig->result));
    assert_int_equal(rig->result.pa, rig_pa(rig, PAGE));
    assert_int_equal(rig->result.source, level == 1 ? NW_FROM_L1 : NW_FROM_L2);
    assert_int_equal(rig->result.cycles, 0);
    rig_free(rig);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_set_associative_tlb_is_probed_once_per_page_size_smallest_first),
      cmocka_unit_test(a_fully_associative_tlb_is_probed_once),
      cmocka_unit_test(a_walk_costs_its_lookups_its_steps_and_its_reads),
      cmocka_unit_test(cache_lookups_and_fills_cost_what_the_configuration_says),
      cmocka_unit_test(a_set_associative_cache_costs_its_latency_for_each_span_probed),
      cmocka_unit_test(an_impossible_configuration_is_refused_with_a_sentence),
      cmocka_unit_test(a_refused_register_write_changes_nothing),
      cmocka_unit_test(an_mmu_without_tlbs_walks_every_time),
      cmocka_unit_test(page_sizes_of_the_statistics_are_the_architectures_smallest_first),
      cmocka_unit_test(walk_cycles_add_up_and_fall_in_the_bucket_of_their_power_of_two),
      cmocka_unit_test(the_last_bucket_holds_everything_above),
      cmocka_unit_test(faults_of_stage_2_are_counted_apart),
      cmocka_unit_test(lookups_of_both_caches_are_counted),
      cmocka_unit_test(a_debug_hit_costs_nothing_and_tells_its_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
