/* SPDX-License-Identifier: Apache-2.0 */
/* The walk cache and the IPA cache: what they carry, whom they answer, what they drop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/walk_cache.h"
#include "support/random.h"

static struct nwi_walk_cache *make(enum nw_cache_id which, uint32_t entries, uint32_t ways) {
  const struct nw_tlb_config config = {.entries = entries, .ways = ways};
  char error[200];
  struct nwi_walk_cache *cache = nwi_walk_cache_create(&config, which, 1, error, sizeof error);
  assert_string_equal(error, "");
  assert_non_null(cache);
  return cache;
}

static void fill(struct nwi_walk_cache *cache, uint64_t key, uint8_t span_log2, uint16_t asid,
                 uint16_t vmid, uint64_t output) {
  const struct nw_cached contents = {
      .key = key, .span_log2 = span_log2, .asid = asid, .vmid = vmid, .output = output};
  nwi_walk_cache_fill(cache, &contents);
}

/* What the cache gives for an address, 0 for a miss. */
static uint64_t look(struct nwi_walk_cache *cache, uint64_t address, uint16_t asid, uint16_t vmid) {
  struct nw_cached found = {0};
  unsigned probes = 0;
  return nwi_walk_cache_lookup(cache, address, asid, vmid, true, &found, &probes) ? found.output
                                                                                  : 0;
}

static void assert_same(const struct nw_cached *a, const struct nw_cached *b) {
  assert_int_equal(a->output, b->output);
  assert_int_equal(a->key, b->key);
  assert_int_equal(a->rights, b->rights);
  assert_int_equal(a->asid, b->asid);
  assert_int_equal(a->vmid, b->vmid);
  assert_int_equal(a->span_log2, b->span_log2);
  assert_int_equal(a->level, b->level);
  assert_int_equal(a->attr, b->attr);
  assert_int_equal(a->sh, b->sh);
}

static void contents_come_back_whole(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  static const uint8_t span[] = {12, 16, 20, 21, 25, 30, 39, 48};
  for (unsigned which = NW_WALK_CACHE; which <= NW_IPA_CACHE; which++) {
    struct nwi_walk_cache *cache = make((enum nw_cache_id)which, 16, 4);
    for (unsigned i = 0; i < 500; i++) {
      uint64_t bits = random_bits(&random);
      uint8_t span_log2 = span[random_below(&random, sizeof span)];
      const struct nw_cached contents = {.output = random_bits(&random),
                                         .key = random_bits(&random) >> span_log2 << span_log2,
                                         .rights = (uint32_t)bits,
                                         .asid = (uint16_t)(bits >> 32),
                                         .vmid = (uint16_t)(bits >> 48),
                                         .span_log2 = span_log2,
                                         .level = (uint8_t)random_bits(&random),
                                         .attr = (uint8_t)random_bits(&random),
                                         .sh = (uint8_t)random_bits(&random)};
      struct nw_cached found;
      unsigned probes;
      uint64_t inside = contents.key | (random_bits(&random) & (((uint64_t)1 << span_log2) - 1));
      nwi_walk_cache_fill(cache, &contents);
      memset(&found, 0xee, sizeof found);
      assert_true(nwi_walk_cache_lookup(cache, inside, contents.asid, contents.vmid, i & 1, &found,
                                        &probes));
      assert_same(&found, &contents);
    }
    nwi_walk_cache_destroy(cache);
  }
}

static void the_longest_match_wins_whatever_the_order_of_fills(void **state) {
  (void)state;
  static const uint8_t span[] = {39, 30, 21};
  static const uint8_t order[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}};
  for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
    struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 32, 32);
    for (unsigned k = 0; k < 3; k++)
      fill(cache, 0, span[order[i][k]], 1, 1, span[order[i][k]]);
    assert_int_equal(look(cache, 0x1000, 1, 1), 21);
    assert_int_equal(look(cache, (uint64_t)1 << 21, 1, 1), 30);
    assert_int_equal(look(cache, (uint64_t)1 << 30, 1, 1), 39);
    assert_int_equal(look(cache, (uint64_t)1 << 39, 1, 1), 0);
    assert_int_equal(look(cache, 0x1000, 1, 1), 21);
    nwi_walk_cache_destroy(cache);
  }
}

static void a_refill_of_a_span_replaces_it(void **state) {
  (void)state;
  struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 4, 4);
  const struct nwi_tlb_match everything = {.by_va = false};
  fill(cache, 0x100000, 20, 1, 1, 10);
  fill(cache, 0x100000, 20, 1, 1, 20);
  fill(cache, 0x100000, 20, 2, 1, 30);
  assert_int_equal(look(cache, 0x1fffff, 1, 1), 20);
  assert_int_equal(look(cache, 0x1fffff, 2, 1), 30);
  assert_int_equal(nwi_walk_cache_invalidate(cache, &everything), 2);
  nwi_walk_cache_destroy(cache);
}

static void a_walk_cache_entry_is_for_one_asid_and_one_vmid(void **state) {
  (void)state;
  struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 4, 4);
  fill(cache, 0, 20, 0x55, 0xaa, 1);
  assert_int_equal(look(cache, 0, 0x55, 0xaa), 1);
  for (unsigned bit = 0; bit < 16; bit++) {
    assert_int_equal(look(cache, 0, (uint16_t)(0x55 ^ 1 << bit), 0xaa), 0);
    assert_int_equal(look(cache, 0, 0x55, (uint16_t)(0xaa ^ 1 << bit)), 0);
  }
  nwi_walk_cache_destroy(cache);
}

static void an_ipa_cache_entry_is_for_every_asid_of_one_vmid(void **state) {
  (void)state;
  struct nwi_walk_cache *cache = make(NW_IPA_CACHE, 4, 4);
  fill(cache, 0, 12, 0x55, 0xaa, 1);
  for (unsigned bit = 0; bit < 16; bit++) {
    assert_int_equal(look(cache, 0, (uint16_t)(0x55 ^ 1 << bit), 0xaa), 1);
    assert_int_equal(look(cache, 0, 0x55, (uint16_t)(0xaa ^ 1 << bit)), 0);
  }
  nwi_walk_cache_destroy(cache);
}

static void ipa_cache_entries_never_overlap(void **state) {
  (void)state;
  struct nwi_walk_cache *cache = make(NW_IPA_CACHE, 8, 8);
  const struct nwi_tlb_match everything = {.by_va = false};
  fill(cache, 0x200000, 21, 0, 0, 1);
  fill(cache, 0x201000, 12, 3, 0, 2);
  assert_int_equal(look(cache, 0x200000, 0, 0), 0);
  assert_int_equal(look(cache, 0x201000, 0, 0), 2);
  fill(cache, 0x200000, 21, 4, 0, 3);
  assert_int_equal(look(cache, 0x201000, 0, 0), 3);
  assert_int_equal(nwi_walk_cache_invalidate(cache, &everything), 1);
  nwi_walk_cache_destroy(cache);
}

static void a_debug_lookup_changes_no_order(void **state) {
  (void)state;
  for (int touch = 0; touch <= 1; touch++) {
    struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 2, 2);
    struct nw_cached found;
    unsigned probes;
    fill(cache, 0x100000, 20, 0, 0, 1);
    fill(cache, 0x200000, 20, 0, 0, 2);
    assert_true(nwi_walk_cache_lookup(cache, 0x100000, 0, 0, touch != 0, &found, &probes));
    fill(cache, 0x300000, 20, 0, 0, 3);
    assert_int_equal(look(cache, 0x100000, 0, 0), touch ? 1 : 0);
    assert_int_equal(look(cache, 0x200000, 0, 0), touch ? 0 : 2);
    nwi_walk_cache_destroy(cache);
  }
}

static void probes_are_one_for_a_cam_and_one_for_each_span_otherwise(void **state) {
  (void)state;
  static const uint32_t ways[] = {16, 4};
  for (unsigned i = 0; i < 2; i++) {
    struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 16, ways[i]);
    struct nw_cached found;
    unsigned probes;
    fill(cache, 0, 21, 0, 0, 21);
    fill(cache, 0, 30, 0, 0, 30);
    assert_true(nwi_walk_cache_lookup(cache, 0x400000, 0, 0, true, &found, &probes));
    assert_int_equal(probes, i == 0 ? 1 : 2);
    assert_true(nwi_walk_cache_lookup(cache, 0, 0, 0, true, &found, &probes));
    assert_int_equal(probes, 1);
    assert_false(nwi_walk_cache_lookup(cache, 0, 1, 0, true, &found, &probes));
    assert_int_equal(probes, i == 0 ? 1 : 2);
    nwi_walk_cache_destroy(cache);
  }
}

static void invalidation_matches_address_asid_and_vmid(void **state) {
  (void)state;
  struct nwi_walk_cache *cache = make(NW_WALK_CACHE, 32, 32);
  fill(cache, 0, 20, 1, 1, 1);
  fill(cache, 0, 30, 1, 1, 2);
  fill(cache, 0x100000, 20, 1, 1, 3);
  fill(cache, 0, 20, 2, 1, 4);
  fill(cache, 0, 20, 1, 2, 5);
  const struct nwi_tlb_match mva = {
      .by_va = true, .va = 0xfffff, .by_asid = true, .asid = 1, .by_vmid = true, .vmid = 1};
  assert_int_equal(nwi_walk_cache_invalidate(cache, &mva), 2);
  assert_int_equal(look(cache, 0, 1, 1), 0);
  assert_int_equal(look(cache, 0x100000, 1, 1), 3);
  assert_int_equal(look(cache, 0, 2, 1), 4);
  const struct nwi_tlb_match vmid = {.by_vmid = true, .vmid = 1};
  assert_int_equal(nwi_walk_cache_invalidate(cache, &vmid), 2);
  assert_int_equal(look(cache, 0, 1, 2), 5);
  nwi_walk_cache_destroy(cache);
}

static void an_absent_cache_is_no_error_and_an_impossible_one_is(void **state) {
  (void)state;
  struct nw_tlb_config config = {.entries = 0};
  char error[200] = "old";
  assert_null(nwi_walk_cache_create(&config, NW_WALK_CACHE, 0, error, sizeof error));
  assert_string_equal(error, "");
  config = (struct nw_tlb_config){.entries = 10, .ways = 4};
  assert_null(nwi_walk_cache_create(&config, NW_WALK_CACHE, 0, error, sizeof error));
  assert_string_equal(error,
                      "walk_cache: 10 entries in 4 ways found, a whole number of sets expected");
  assert_null(nwi_walk_cache_create(&config, NW_IPA_CACHE, 0, error, sizeof error));
  assert_string_equal(error,
                      "ipa_cache: 10 entries in 4 ways found, a whole number of sets expected");
  nwi_walk_cache_destroy(NULL);
}

/* x86: a PDE cache of two entries, no PDPTE cache, a PML4E cache of one. */
static void caches_by_level_keep_their_levels_alone_and_evict_apart(void **state) {
  (void)state;
  struct nw_tlb_config config[NW_LEVELS] = {
      [2] = {.entries = 2, .ways = 2}, [4] = {.entries = 1, .ways = 1}};
  char error[200];
  struct nwi_walk_cache *cache =
      nwi_walk_cache_create_by_level(config, &nwi_format_x86_64, 1, error, sizeof error);
  assert_non_null(cache);
  struct nw_cached pde = {.key = 0x40000000, .span_log2 = 21, .level = 1, .output = 0x2000};
  struct nw_cached pdpte = {.key = 0x40000000, .span_log2 = 30, .level = 2, .output = 0x3000};
  struct nw_cached pml4e = {.key = 0, .span_log2 = 39, .level = 3, .output = 0x4000};
  nwi_walk_cache_fill(cache, &pdpte);
  assert_int_equal(look(cache, 0x40001000, 0, 0), 0); /* not kept */
  nwi_walk_cache_fill(cache, &pml4e);
  assert_int_equal(look(cache, 0x40001000, 0, 0), 0x4000);
  nwi_walk_cache_fill(cache, &pde);
  assert_int_equal(look(cache, 0x40001000, 0, 0), 0x2000); /* the longest match */
  assert_int_equal(look(cache, 0x40200000, 0, 0), 0x4000);
  for (unsigned i = 1; i <= 2; i++) { /* more PDEs than fit: the PML4E stays */
    pde.key += 1 << 21;
    nwi_walk_cache_fill(cache, &pde);
  }
  assert_int_equal(look(cache, 0x40001000, 0, 0), 0x4000);

  struct nw_cached found;
  unsigned probes;
  assert_true(nwi_walk_cache_lookup(cache, 0, 0, 0, true, &found, &probes));
  assert_int_equal(probes, 1); /* all at once */
  assert_int_equal(found.level, 3);
  const struct nwi_tlb_match everything = {.by_va = false};
  assert_int_equal(nwi_walk_cache_invalidate(cache, &everything), 3);
  nwi_walk_cache_destroy(cache);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(contents_come_back_whole),
      cmocka_unit_test(the_longest_match_wins_whatever_the_order_of_fills),
      cmocka_unit_test(a_refill_of_a_span_replaces_it),
      cmocka_unit_test(a_walk_cache_entry_is_for_one_asid_and_one_vmid),
      cmocka_unit_test(an_ipa_cache_entry_is_for_every_asid_of_one_vmid),
      cmocka_unit_test(ipa_cache_entries_never_overlap),
      cmocka_unit_test(a_debug_lookup_changes_no_order),
      cmocka_unit_test(probes_are_one_for_a_cam_and_one_for_each_span_otherwise),
      cmocka_unit_test(invalidation_matches_address_asid_and_vmid),
      cmocka_unit_test(caches_by_level_keep_their_levels_alone_and_evict_apart),
      cmocka_unit_test(an_absent_cache_is_no_error_and_an_impossible_one_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
