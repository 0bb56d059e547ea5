/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many references a walk makes, and that PA, sizes and counts are right for every pair of page
 * sizes. With n stage-1 levels and m stage-2 levels a nested walk makes (n + 1)(m + 1) - 1
 * references; a stage-2 block shortens m for the translations that it serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VTCR_LEVEL_1 0x58 /* SL0 = 1, T0SZ = -8: 40 bits */
#define VTCR_LEVEL_2 0x1e /* SL0 = 0, T0SZ = -2: 34 bits */

static unsigned total(const uint16_t *by_level) {
  unsigned sum = 0;
  for (unsigned i = 0; i < NW_LEVELS; i++)
    sum += by_level[i];
  return sum;
}

/* One translation of each of the sizes, and its golden count. */
static const struct {
  const char *name;
  enum nw_regime_kind kind;
  unsigned s1_log2, s2_log2, vtcr, s2_table_log2;
  unsigned references;
} golden[] = {
    {"native short, small page", NW_REGIME_ARMV7_SHORT, 12, 0, 0, 0, 2},
    {"native short, large page", NW_REGIME_ARMV7_SHORT, 16, 0, 0, 0, 2},
    {"native short, section", NW_REGIME_ARMV7_SHORT, 20, 0, 0, 0, 1},
    {"native short, supersection", NW_REGIME_ARMV7_SHORT, 24, 0, 0, 0, 1},
    {"native long, page", NW_REGIME_ARMV7_LPAE, 12, 0, 0, 0, 3},
    {"native long, 2M", NW_REGIME_ARMV7_LPAE, 21, 0, 0, 0, 2},
    {"native long, 1G", NW_REGIME_ARMV7_LPAE, 30, 0, 0, 0, 1},
    {"small over 3 levels", NW_REGIME_ARMV7_SHORT_S2, 12, 12, VTCR_LEVEL_1, 12, 11},
    {"large over 3 levels", NW_REGIME_ARMV7_SHORT_S2, 16, 12, VTCR_LEVEL_1, 12, 11},
    {"small over 2 levels", NW_REGIME_ARMV7_SHORT_S2, 12, 12, VTCR_LEVEL_2, 12, 8},
    {"large over 2 levels", NW_REGIME_ARMV7_SHORT_S2, 16, 12, VTCR_LEVEL_2, 12, 8},
    {"section over 3 levels", NW_REGIME_ARMV7_SHORT_S2, 20, 12, VTCR_LEVEL_1, 12, 7},
    {"supersection over 3 levels", NW_REGIME_ARMV7_SHORT_S2, 24, 12, VTCR_LEVEL_1, 12, 7},
    {"section over 2 levels", NW_REGIME_ARMV7_SHORT_S2, 20, 12, VTCR_LEVEL_2, 12, 5},
    {"supersection over 2 levels", NW_REGIME_ARMV7_SHORT_S2, 24, 12, VTCR_LEVEL_2, 12, 5},
    {"long over 3 levels", NW_REGIME_ARMV7_LPAE_S2, 12, 12, VTCR_LEVEL_1, 12, 15},
    {"long over 2 levels", NW_REGIME_ARMV7_LPAE_S2, 12, 12, VTCR_LEVEL_2, 12, 11},
    /* blocks: the data's (m = 2, 1), the guest tables', both */
    {"small over 2M data", NW_REGIME_ARMV7_SHORT_S2, 12, 21, VTCR_LEVEL_1, 12, 10},
    {"small over 1G data", NW_REGIME_ARMV7_SHORT_S2, 12, 30, VTCR_LEVEL_1, 12, 9},
    {"small, tables in 2M", NW_REGIME_ARMV7_SHORT_S2, 12, 12, VTCR_LEVEL_1, 21, 9},
    {"small, all in 2M", NW_REGIME_ARMV7_SHORT_S2, 12, 21, VTCR_LEVEL_1, 21, 8},
    {"small, all in 1G", NW_REGIME_ARMV7_SHORT_S2, 12, 30, VTCR_LEVEL_1, 30, 5},
    {"small, all in 2M, 2 levels", NW_REGIME_ARMV7_SHORT_S2, 12, 21, VTCR_LEVEL_2, 21, 5},
    {"long, all in 2M", NW_REGIME_ARMV7_LPAE_S2, 12, 21, VTCR_LEVEL_1, 21, 11},
    {"long, all in 1G", NW_REGIME_ARMV7_LPAE_S2, 12, 30, VTCR_LEVEL_1, 30, 7},
    {"long 2M over 1G, tables in 4K", NW_REGIME_ARMV7_LPAE_S2, 21, 30, VTCR_LEVEL_1, 12, 9},
};

static struct tables *build(enum nw_regime_kind kind, unsigned vtcr, unsigned s2_table_log2) {
  struct tables *tables = tables_new(kind);
  if (vtcr)
    tables_register(tables, NW_REG_VTCR, vtcr);
  if (s2_table_log2)
    tables->s2_table_log2 = (uint8_t)s2_table_log2;
  return tables;
}

static void check_sums(const struct tables *tables, unsigned references) {
  const struct nw_references *made = &tables->references;
  assert_int_equal(tables->reads, references);
  assert_int_equal(tables->result.walk_reads, references);
  assert_int_equal(total(made->s1) + total(made->s2), references);
  assert_int_equal(total(made->s2), total(made->s2_for_s1) + made->s2_final);
}

static void walks_make_the_golden_number_of_references(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(golden); i++) {
    struct tables *tables = build(golden[i].kind, golden[i].vtcr, golden[i].s2_table_log2);
    uint64_t ipa = golden[i].s1_log2 >= 30 ? 0xc0000000 : 0x85000000;
    tables_map(tables, 1, ipa, ipa, golden[i].s1_log2, MAP_ALL);
    if (golden[i].s2_log2) {
      uint64_t page = ((uint64_t)1 << golden[i].s2_log2) - 1;
      tables_map(tables, 2, ipa & ~page, ipa & ~page, golden[i].s2_log2, MAP_ALL);
    }
    if (!tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, ipa + 0x123))
      fail_msg("%s: a fault of type %u", golden[i].name, tables->result.fault.type);
    if (tables->reads != golden[i].references)
      fail_msg("%s: %u references, expected %u", golden[i].name, tables->reads,
               golden[i].references);
    check_sums(tables, golden[i].references);
    tables_free(tables);
  }
}

/* Every stage-1 size over every stage-2 size, from a root at level 1 or 2. */
struct pair {
  enum nw_regime_kind kind;
  unsigned s1_log2, s1_levels, s2_log2, s2_levels, vtcr;
};

/* The PA has up to three parts: the block's of stage 2, what lies between the sizes of the IPA, and
 * the page offset of the VA. */
static void check_pair(const struct pair *p, uint64_t offset) {
  uint64_t s1_page = (uint64_t)1 << p->s1_log2, s2_page = (uint64_t)1 << p->s2_log2;
  uint64_t va = 0xc0000000, ipa = 0x2c0000000 | (0x15557000 & ~(s1_page - 1));
  if (p->kind == NW_REGIME_ARMV7_SHORT_S2 && p->s1_log2 < 24)
    ipa &= 0xffffffff; /* only a supersection's output has more than 32 bits */
  uint64_t s2_ipa = (ipa + offset) & ~(s2_page - 1);
  uint64_t s2_pa = 0x9900000000 | (0x6aaa9000 & ~(s2_page - 1));
  unsigned n = p->s1_levels, m = p->s2_levels;
  struct tables *tables = build(p->kind, p->vtcr, 12);
  tables_map(tables, 1, va, ipa, p->s1_log2, MAP_ALL);
  tables_map(tables, 2, s2_ipa, s2_pa, p->s2_log2, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, va + offset));
  expect_ok(tables, s2_pa + ((ipa + offset) & (s2_page - 1)),
            p->s1_log2 < p->s2_log2 ? p->s1_log2 : p->s2_log2);
  assert_int_equal(tables->result.s1_page_log2, p->s1_log2);
  assert_int_equal(tables->result.s2_page_log2, p->s2_log2);
  unsigned m_table = p->vtcr == VTCR_LEVEL_1 ? 3 : 2; /* guest tables stand in 4K pages */
  check_sums(tables, n * (m_table + 1) + m);
  assert_int_equal(tables->references.s2_final, m);
  tables_free(tables);
}

static void every_stage_1_size_over_every_stage_2_size_composes_and_counts(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    unsigned log2, levels;
  } s1[] = {
      {NW_REGIME_ARMV7_SHORT_S2, 12, 2}, {NW_REGIME_ARMV7_SHORT_S2, 16, 2},
      {NW_REGIME_ARMV7_SHORT_S2, 20, 1}, {NW_REGIME_ARMV7_SHORT_S2, 24, 1},
      {NW_REGIME_ARMV7_LPAE_S2, 12, 3},  {NW_REGIME_ARMV7_LPAE_S2, 21, 2},
      {NW_REGIME_ARMV7_LPAE_S2, 30, 1},
  };
  static const struct {
    unsigned log2, levels, vtcr;
  } s2[] = {
      {12, 3, VTCR_LEVEL_1}, {21, 2, VTCR_LEVEL_1}, {30, 1, VTCR_LEVEL_1},
      {12, 2, VTCR_LEVEL_2}, {21, 1, VTCR_LEVEL_2},
  };
  for (unsigned i = 0; i < COUNT(s1); i++)
    for (unsigned j = 0; j < COUNT(s2); j++) {
      struct pair pair = {s1[i].kind, s1[i].log2,   s1[i].levels,
                          s2[j].log2, s2[j].levels, s2[j].vtcr};
      uint64_t last = ((uint64_t)1 << s1[i].log2) - 1;
      check_pair(&pair, 0);
      check_pair(&pair, last);
      check_pair(&pair, 0x2aaaaaaa & last);
      check_pair(&pair, 0x15555555 & last);
    }
}

/* A walk that ends early has made the references up to there, and no more. */
static void a_walk_that_faults_stops_at_once(void **state) {
  (void)state;
  struct tables *tables = build(NW_REGIME_ARMV7_LPAE_S2, VTCR_LEVEL_1, 12);
  tables_map(tables, 1, 0x85000000, 0x85000000, 12, MAP_ALL);
  tables_map(tables, 2, 0x85000000, 0x85000000, 12, MAP_ALL);
  static const struct {
    unsigned stage, level, references;
    uint64_t address;
  } row[] = {{2, 3, 15, 0x85000000}, {1, 3, 12, 0x85000000}, {1, 2, 8, 0x85000000},
             {1, 1, 4, 0x85000000},  {2, 3, 3, TABLES_IPA},  {2, 2, 2, TABLES_IPA},
             {2, 1, 1, TABLES_IPA}};
  for (unsigned i = 0; i < COUNT(row); i++) {
    uint64_t at = tables_descriptor_pa(tables, row[i].stage, row[i].address, row[i].level);
    uint64_t raw = tables_get(tables, at, 8);
    tables_put(tables, at, 8, 0);
    assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x85000000));
    expect_fault(tables, NW_FAULT_TRANSLATION, row[i].stage, row[i].level,
                 row[i].address == TABLES_IPA);
    check_sums(tables, row[i].references);
    tables_put(tables, at, 8, raw);
  }
  tables_free(tables);
}

/* The order of the two-dimensional walk, and for whom each stage-2 reference is made. */
static void references_come_in_the_order_of_the_two_dimensional_walk(void **state) {
  (void)state;
  static const struct {
    uint8_t stage, level, s1_level;
    bool for_s1;
  } order[11] = {{2, 1, 1, true},  {2, 2, 1, true},  {2, 3, 1, true}, {1, 1, 1, false},
                 {2, 1, 2, true},  {2, 2, 2, true},  {2, 3, 2, true}, {1, 2, 2, false},
                 {2, 1, 0, false}, {2, 2, 0, false}, {2, 3, 0, false}};
  struct tables *tables = build(NW_REGIME_ARMV7_SHORT_S2, VTCR_LEVEL_1, 12);
  tables_map(tables, 1, 0x85000000, 0x95000000, 12, MAP_ALL);
  tables_map(tables, 2, 0x95000000, 0xa5000000, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x85000abc));
  assert_int_equal(tables->reads, 11);
  for (unsigned i = 0; i < 11; i++) {
    assert_int_equal(tables->log[i].stage, order[i].stage);
    assert_int_equal(tables->log[i].level, order[i].level);
    assert_int_equal(tables->log[i].size, order[i].stage == 1 ? 4 : 8);
    assert_int_equal(tables->log[i].space, NW_SPACE_PA);
    assert_int_equal(tables->log[i].for_s1, order[i].for_s1);
    if (order[i].for_s1)
      assert_int_equal(tables->log[i].s1_level, order[i].s1_level);
  }
  for (unsigned i = 0; i < 4; i++) /* the descriptor's IPA, in either stage's steps */
    assert_int_equal(tables->log[i].ipa, TABLES_IPA + 0x850 * 4);
  assert_int_equal(tables->log[3].address, TABLES_IPA + TABLES_OFFSET + 0x850 * 4);
  assert_int_equal(tables->log[8].ipa, 0x95000abc);
  assert_int_equal(tables->references.s2_for_s1[1], 3);
  assert_int_equal(tables->references.s2_for_s1[2], 3);
  tables_free(tables);
}

/* Every answer's cycles are added up, and the walker's own for each step. */
static void a_walk_costs_its_steps_and_what_answering_them_cost(void **state) {
  (void)state;
  static const struct nw_walk_cycles cycles = {.begin = 40000,
                                               .read = 1000,
                                               .walk_cache_lookup = 20000,
                                               .ipa_cache_lookup = 3000,
                                               .fill = 500,
                                               .done = 7};
  struct tables *tables = build(NW_REGIME_ARMV7_SHORT_S2, VTCR_LEVEL_1, 12);
  struct nw_request request = {.va = 0x85000abc, .access = NW_READ};
  tables_map(tables, 1, 0x85000000, 0x95000000, 12, MAP_ALL);
  tables_map(tables, 2, 0x95000000, 0xa5000000, 12, MAP_ALL);
  for (unsigned cached = 0; cached < 2; cached++) {
    struct nw_walk_options options = {.walk_cache = cached, .ipa_cache = cached, .cycles = &cycles};
    struct nw_walk walk;
    struct nw_step step;
    uint32_t expected = 40000 + 7, answers = 0;
    nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, &options);
    while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
      struct nw_answer answer = {.cycles = ++answers};
      if (step.kind == NW_STEP_READ)
        answer.data = tables_get(tables, step.address, step.size);
      expected += answers;
      expected += step.kind == NW_STEP_READ    ? 1000u
                  : step.kind == NW_STEP_FILL  ? 500u
                  : step.cache == NW_IPA_CACHE ? 3000u
                                               : 20000u;
      nw_walk_answer(&walk, &answer);
    }
    assert_int_equal(nw_walk_result(&walk)->cycles, expected);
    /* 11 reads; with caches 1 + 3 lookups, and 1 + 3 fills of what was found */
    assert_int_equal(answers, cached ? 11 + 8 : 11);
  }
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x85000abc));
  assert_int_equal(tables->result.cycles, 0); /* without a table of costs steps are free */
  tables_free(tables);
}

/* Long descriptors whose bit 55 hardware sets: every table and leaf of an untouched walk is updated. */
#define FLAG ((uint64_t)1 << 55)

static void decode_flagged_s1(const struct nwi_decode_context *context, uint64_t descriptor,
                              struct nw_descriptor *out) {
  nwi_format_lpae_s1.decode(context, descriptor, out);
  out->updated = descriptor | FLAG;
}

static void decode_flagged_s2(const struct nwi_decode_context *context, uint64_t descriptor,
                              struct nw_descriptor *out) {
  nwi_format_lpae_s2.decode(context, descriptor, out);
  out->updated = descriptor | FLAG;
}

/* An update costs like a read, and what is read again after a failed swap is paid again. */
static void an_update_costs_its_step_and_its_answer(void **state) {
  (void)state;
  static const struct nw_walk_cycles cycles = {.begin = 60000, .read = 1000, .update = 20000};
  struct nw_request request = {.va = 0x85000abc, .access = NW_READ, .privilege = NW_USER};
  struct nw_walk_options options = {.cycles = &cycles};
  struct nw_format flagged_s1 = nwi_format_lpae_s1, flagged_s2 = nwi_format_lpae_s2;
  flagged_s1.decode = decode_flagged_s1;
  flagged_s2.decode = decode_flagged_s2;
  for (unsigned stage = 1; stage <= 2; stage++) {
    struct tables *tables = tables_new(stage == 1 ? NW_REGIME_ARMV7_LPAE : NW_REGIME_ARMV7_LPAE_S2);
    enum nw_scope scope = stage == 1 ? NW_SCOPE_BOTH : NW_SCOPE_STAGE2;
    struct nw_walk walk;
    struct nw_step step;
    unsigned updates = 0, reads = 0;
    uint32_t expected = 60000;
    tables_map(tables, stage, 0x85000000, 0xa5000000, 12, MAP_ALL);
    tables->regime.s1_format = &flagged_s1;
    tables->regime.s2_format = &flagged_s2;
    memset(&walk, 0xa5, sizeof(walk));
    nw_walk_begin(&walk, &tables->regime, &request, scope, &options);
    while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
      struct nw_answer answer = {.cycles = 10 + reads + updates};
      if (step.kind == NW_STEP_READ) {
        answer.data = tables_get(tables, step.address, 8);
        reads++;
      } else {
        assert_int_equal(step.kind, NW_STEP_UPDATE);
        answer.hit = updates++ != 1; /* the second one fails */
      }
      expected += answer.cycles + (step.kind == NW_STEP_READ ? 1000u : 20000u);
      nw_walk_answer(&walk, &answer);
    }
    assert_int_equal(nw_walk_result(&walk)->pa, 0xa5000abc);
    assert_int_equal(nw_walk_result(&walk)->cycles, expected);
    assert_int_equal(nw_walk_result(&walk)->walk_reads, 4);
    assert_int_equal(reads, 4);
    assert_int_equal(updates, 4);
    tables_free(tables);
  }
}

/* Stage 1 alone, as a hypervisor walks its guest's tables: addresses are IPAs. */
static void stage_1_can_be_walked_without_any_stage_2(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT);
  tables_map(tables, 1, 0x85000000, 0x95000000, 12, MAP_ALL);
  struct tables *nested = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  struct nw_walk_options alone = {.stage1_alone = true};
  struct nw_request request = {.va = 0x85000abc, .access = NW_WRITE, .privilege = NW_USER};
  nested->regime.s2_root.disabled = true; /* would fault, if it were looked at */
  for (unsigned i = 0; i < TABLES_BUCKETS; i++)
    nested->page[i] = tables->page[i];
  assert_true(tables_walk_with(nested, &alone, NW_SCOPE_BOTH, &request));
  expect_ok(nested, 0x95000abc, 12);
  assert_int_equal(nested->reads, 2);
  assert_int_equal(nested->log[0].space, NW_SPACE_IPA);
  assert_int_equal(nested->log[1].space, NW_SPACE_IPA);
  for (unsigned i = 0; i < TABLES_BUCKETS; i++)
    nested->page[i] = NULL;
  tables_free(nested);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_make_the_golden_number_of_references),
      cmocka_unit_test(every_stage_1_size_over_every_stage_2_size_composes_and_counts),
      cmocka_unit_test(a_walk_that_faults_stops_at_once),
      cmocka_unit_test(references_come_in_the_order_of_the_two_dimensional_walk),
      cmocka_unit_test(a_walk_costs_its_steps_and_what_answering_them_cost),
      cmocka_unit_test(an_update_costs_its_step_and_its_answer),
      cmocka_unit_test(stage_1_can_be_walked_without_any_stage_2),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
