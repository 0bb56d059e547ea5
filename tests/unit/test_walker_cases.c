/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bugs that other two-stage walkers had, each as a test. The references name the project and the
 * report: XS XiangShan, RC rocket-chip, C6 cva6, ZD zero-day-labs riscv-iommu, SP spike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/mmu.h>

#include "support/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0x12345678u
#define AF (1ull << 10)
#define S2_RW (AF | 3ull << 6 | 15ull << 2)

static struct tables *nested(void) {
  return tables_new(NW_REGIME_ARMV7_LPAE_S2);
}

/* -- address composition ----------------------------------------------------------------------- */

/* XS#4658: PA[39:30] from stage 2, [29:21] from stage 1, [20:0] from the VA. */
static void s1_2m_over_s2_1g_has_a_pa_of_three_parts(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 1, 0x12200000, 0x8b7a400000, 21, MAP_ALL);
  tables_map(tables, 2, 0x8b40000000, 0xd5c0000000, 30, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x12345678));
  expect_ok(tables, 0xd5fa545678, 21);
  tables_free(tables);
}

/* Sargantana#111 */
static void s2_2m_under_s1_4k_keeps_the_ipas_bits_20_to_12(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 1, 0x12345000, 0x8b7a5b7000, 12, MAP_ALL);
  tables_map(tables, 2, 0x8b7a400000, 0xd5c0e00000, 21, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x12345678));
  expect_ok(tables, 0xd5c0fb7678, 12);
  tables_free(tables);
}

/* gem5#3086: masks of one stage with the other stage's page size; VCML: the VA's low bits lost. */
static void s1_supersection_over_s2_4k_takes_the_vas_low_bits_and_is_4k(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  tables_map(tables, 1, 0x12000000, 0x8b7a000000, 24, MAP_ALL);
  tables_map(tables, 2, 0x8b7a345000, 0xd5c0eab000, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x12345678));
  expect_ok(tables, 0xd5c0eab678, 12);
  assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x12346678));
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 3, false);
  assert_int_equal(tables->result.fault.ipa, 0x8b7a346678);
  tables_free(tables);
}

/* NEMU#673 on formats with wider roots; here a 40-bit stage-2 root has 1024 entries. */
static void the_stage_2_root_is_indexed_with_bit_39(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 2, 0x0040000000, 0x1000000000, 30, MAP_ALL);
  tables_map(tables, 2, 0x8040000000, 0x2000000000, 30, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0x8040000123));
  expect_ok(tables, 0x2000000123, 30);
  assert_int_equal(tables->log[0].address, TABLES_S2_PA + 0x201 * 8);
  tables_free(tables);
}

/* -- fault class and syndrome ------------------------------------------------------------------ */

/* C6#3401, RC#3788 */
static void a_table_address_out_of_stage_2s_range_faults_in_stage_2(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_register(tables, NW_REG_VTCR, 0x40); /* 32-bit IPAs */
  tables_map_raw(tables, 1, VA, 1, 0xff00001003, 0);
  assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, true);
  assert_int_equal(tables->result.fault.ipa, 0xff00001000 + 0x91 * 8);
  assert_int_equal(tables->references.s1[1], 1);
  assert_int_equal(tables->references.s1[2], 0);
  tables_free(tables);
}

/* RC#3625, XS#4525 */
static void no_range_is_checked_after_an_invalid_descriptor_or_an_earlier_fault(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_register(tables, NW_REG_VTCR, 0x40);
  tables_map_raw(tables, 1, VA, 1, 0xff00001002, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
  tables_map_raw(tables, 1, VA, 1, 0xff00000001, 0); /* access flag clear */
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_ACCESS_FLAG, 1, 1, false);
  tables_map_raw(tables, 1, VA, 1, 0xff00000001 | AF, 0); /* not for user mode */
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 1, false);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_PRIVILEGED, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
  tables_free(tables);
}

/* XS#3453 */
static void stage_1_alone_never_reports_a_stage_2_fault(void **state) {
  (void)state;
  struct tables *tables = nested();
  struct nw_walk_options alone = {.stage1_alone = true};
  struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
  tables_register(tables, NW_REG_VTCR, 0x80); /* inconsistent: everything faults in stage 2 */
  tables_put(tables, TABLES_IPA, 8, 0xff00000041 | AF);
  assert_true(tables_walk_with(tables, &alone, NW_SCOPE_BOTH, &request));
  expect_ok(tables, 0xff00000000 + VA, 30);
  tables_put(tables, TABLES_IPA, 8, 0);
  assert_false(tables_walk_with(tables, &alone, NW_SCOPE_BOTH, &request));
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
  tables_free(tables);
}

/* SP#578, SP#2078 */
static void a_fault_on_a_descriptor_read_carries_the_original_access(void **state) {
  (void)state;
  struct tables *tables = nested();
  for (unsigned access = 0; access < 3; access++) {
    tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, NW_USER, VA);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, true);
    assert_int_equal(tables->result.fault.access, access);
    assert_int_equal(tables->result.fault.failing_access, NW_READ);
    uint32_t hsr = nw_fault_syndrome(&tables->regime, &tables->result.fault).value[0];
    assert_int_equal(hsr >> 26, access == NW_EXECUTE ? 0x20 : 0x24);
    assert_int_equal(hsr >> 6 & 1, access == NW_WRITE);
  }
  tables_free(tables);
}

/* C6#2910, XS#3512, C6#3425: a table page that can only be read serves every access; one that can
 * only be written serves none. */
static void stage_2_checks_a_descriptor_read_as_a_read_whatever_the_access(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 1, VA, 0x8b7a5b7000, 12, MAP_ALL);
  tables_map(tables, 2, 0x8b7a5b7000, 0xd5c0e00000, 12, MAP_ALL);
  for (unsigned access = 0; access < 3; access++) {
    tables_map(tables, 2, TABLES_IPA, TABLES_IPA + TABLES_OFFSET, 12, MAP_READ);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, NW_USER, VA));
    tables_map(tables, 2, TABLES_IPA, TABLES_IPA + TABLES_OFFSET, 12, MAP_WRITE | MAP_EXECUTE);
    assert_false(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, NW_USER, VA));
    expect_fault(tables, NW_FAULT_PERMISSION, 2, 3, true);
  }
  tables_free(tables);
}

/* XS#6212 */
static void the_ipa_of_a_fault_on_a_descriptor_includes_its_place_in_the_table(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0xabc45678);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, true);
  assert_int_equal(tables->result.fault.ipa, TABLES_IPA + 0xabc * 4);
  struct nw_syndrome syndrome = nw_fault_syndrome(&tables->regime, &tables->result.fault);
  assert_int_equal(syndrome.value[1], (TABLES_IPA + 0x2000) >> 8); /* the table's third page */
  tables_free(tables);
}

/* ZD#20 */
static void of_two_errors_stage_1s_wins(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 1, VA, 0x8b7a5b7000, 12, MAP_USER); /* read-only; the IPA is not mapped */
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 3, false);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
  tables_free(tables);
}

/* ZD#31: what is a block at levels 1 and 2 is invalid at level 3, in both stages. */
static void a_block_descriptor_at_the_last_level_faults(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map_raw(tables, 1, VA, 3, 0x8b7a5b7041 | AF, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 3, false);
  tables_map_raw(tables, 2, 0x8b7a5b7000, 3, 0xd5c0e00001 | S2_RW, 0);
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0x8b7a5b7000);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 3, false);
  tables_free(tables);
}

/* NutShell#265 on formats that fault; ARMv7 ignores the low bits of a block's address. */
static void low_address_bits_of_a_block_are_ignored(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map_raw(tables, 1, 0x12200000, 2, (0x8b7a5ff041 & ~0xfbeull) | AF, 0);
  tables_map_raw(tables, 2, 0x8b40000000, 1, 0xd5fffff001 | S2_RW, 0);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x12345678));
  expect_ok(tables, 0xd5fa545678, 21);
  tables_free(tables);
}

/* gem5#3434, XS#4587 */
static void stage_2_off_in_a_regime_that_has_one_is_a_walk_of_one_stage(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  tables_register(tables, NW_REG_HCR, 0);
  tables_register(tables, NW_REG_VTCR, 0x80); /* inconsistent, and nobody looks */
  tables_map(tables, 1, VA, 0x8b7a5000, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0x8b7a5678, 12);
  assert_int_equal(tables->reads, 2);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, ~VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
  tables_free(tables);
}

/* gem5#2355 */
static void a_fault_before_the_first_reference_ends_the_walk_at_once(void **state) {
  (void)state;
  struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
  struct tables *tables = nested();
  struct nw_walk walk;
  struct nw_step step;
  tables_register(tables, NW_REG_TTBCR, 0x80000080); /* EPD0 */
  memset(&walk, 0xa5, sizeof(walk));                 /* a walk's memory may have any contents */
  nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, NULL);
  assert_int_equal(nw_walk_next(&walk, &step), NW_STEP_DONE);
  assert_int_equal(nw_walk_next(&walk, &step), NW_STEP_DONE);
  assert_int_equal(nw_walk_result(&walk)->fault.type, NW_FAULT_TRANSLATION);
  tables_free(tables);
  tables = tables_new(NW_REGIME_ARMV7_SHORT);
  tables_register(tables, NW_REG_TTBCR, 0x10); /* PD0: nothing is known of a domain */
  memset(&walk, 0xa5, sizeof(walk));
  nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, NULL);
  assert_int_equal(nw_walk_next(&walk, &step), NW_STEP_DONE);
  assert_int_equal(nw_walk_result(&walk)->fault.type, NW_FAULT_TRANSLATION);
  assert_int_equal(nw_walk_result(&walk)->fault.domain, 0);
  tables_free(tables);
}

/* An address wider than the regime's is a level-1 translation fault, not a smaller address. */
static void addresses_out_of_range_are_not_cut_off(void **state) {
  (void)state;
  struct tables *tables = nested();
  tables_map(tables, 1, 0, 0, 30, MAP_ALL);
  tables_map(tables, 2, 0, 0, 30, MAP_ALL);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x100000000);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0x10000000000);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
  tables_free(tables);
}

/* Found here by test_walker_random.c: with T1SZ = 5 the top 128 MB are TTBR1's, and the last GB of
 * TTBR0's root table is not all TTBR0's. A walk cache must not answer for both. */
static void a_table_whose_span_another_root_cuts_into_is_not_kept(void **state) {
  (void)state;
  static const struct {
    uint32_t ttbcr, va;
    unsigned fills;
  } row[] = {
      {0x80050000, 0xc0000000, 1}, /* level 2's table is kept, level 1's is not */
      {0x80050000, 0x80000000, 2}, {0x80010000, 0x40000000, 2}, {0x80000000, 0xc0000000, 2},
      {0x80000005, 0x10000000, 1}, /* TTBR0 owns the first 128 MB of TTBR1's first GB */
      {0x80000005, 0x40000000, 2},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct tables *tables = tables_new(NW_REGIME_ARMV7_LPAE);
    struct nw_request request = {.va = row[i].va, .access = NW_READ, .privilege = NW_USER};
    struct nw_walk_options options = {.walk_cache = true};
    struct nw_walk walk;
    struct nw_step step;
    unsigned fills = 0;
    tables_register(tables, NW_REG_TTBR1, TABLES_IPA);
    tables_register(tables, NW_REG_TTBCR, row[i].ttbcr);
    tables_map(tables, 1, row[i].va, 0x56789ab000, 12, MAP_ALL);
    nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, &options);
    while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
      struct nw_answer answer = {0};
      if (step.kind == NW_STEP_READ)
        answer.data = tables_get(tables, step.address, 8);
      fills += step.kind == NW_STEP_FILL;
      nw_walk_answer(&walk, &answer);
    }
    assert_int_equal(nw_walk_result(&walk)->pa, 0x56789ab000);
    assert_int_equal(fills, row[i].fills);
    tables_free(tables);
  }
}

static bool read_table(void *context, uint64_t address, unsigned size, uint64_t *data,
                       uint32_t *cycles) {
  *data = tables_get(context, address, size);
  *cycles = 0;
  return true;
}

/* The same in a TLB: TTBR0's last GB is one block, and TTBR1 owns its top 128 MB. A block that is all
 * TTBR1's stays whole. */
static void a_block_that_another_root_cuts_into_does_not_answer_for_it(void **state) {
  (void)state;
  static const struct {
    uint32_t ttbcr, va;
    uint64_t pa;
    uint8_t source;
  } row[] = {
      {0x80050000, 0xc0000123, 0x5680000123, NW_FROM_WALK},
      {0x80050000, 0xc01ffabc, 0x56801ffabc, NW_FROM_L1},
      {0x80050000, 0xc0200123, 0x5680200123, NW_FROM_WALK},
      {0x80050000, 0xf7fffabc, 0x56b7fffabc, NW_FROM_WALK},
      {0x80050000, 0xf8000123, 0x9900000123, NW_FROM_WALK},
      {0x80050000, 0xf8000abc, 0x9900000abc, NW_FROM_L1},
      {0x80010000, 0x80000123, 0x9900000123, NW_FROM_WALK},
      {0x80010000, 0xbffffabc, 0x993ffffabc, NW_FROM_L1},
  };
  struct tables *tables = tables_new(NW_REGIME_ARMV7_LPAE);
  struct nw_memory memory = {.context = tables, .read = read_table};
  struct nw_mmu_config config = {
      .regime = NW_REGIME_ARMV7_LPAE, .l1d = {.entries = 8, .ways = 8}, .walkers = 1};
  char error[100];
  struct nw_mmu *mmu = nw_mmu_create(&config, error, sizeof(error));
  nw_mmu_write_register(mmu, NW_REG_TTBR0, TABLES_IPA);
  nw_mmu_write_register(mmu, NW_REG_TTBR1, 0x50000000);
  nw_mmu_write_register(mmu, NW_REG_SCTLR, 1);
  tables_put(tables, TABLES_IPA + 3 * 8, 8, 0x5680000000 | AF | 1);
  tables_put(tables, 0x50000000, 8, 0x9900000000 | AF | 1);
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nw_request request = {.va = row[i].va, .access = NW_READ, .privilege = NW_PRIVILEGED};
    struct nw_result result;
    nw_mmu_write_register(mmu, NW_REG_TTBCR, row[i].ttbcr);
    assert_true(nw_mmu_translate(mmu, &request, &memory, &result));
    assert_int_equal(result.pa, row[i].pa);
    assert_int_equal(result.source, row[i].source);
  }
  nw_mmu_destroy(mmu);
  tables_free(tables);
}

/* A walk has the registers of its beginning, and asking twice asks the same. */
static void registers_written_during_a_walk_do_not_concern_it(void **state) {
  (void)state;
  struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT);
  struct nw_walk walk;
  struct nw_step step, again;
  nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, NULL);
  tables_register(tables, NW_REG_TTBR0, 0);
  tables_register(tables, NW_REG_DACR, 0);
  assert_int_equal(nw_walk_next(&walk, &step), NW_STEP_READ);
  assert_int_equal(nw_walk_next(&walk, &again), NW_STEP_READ);
  assert_int_equal(step.address, TABLES_IPA + 0x123 * 4);
  assert_int_equal(again.address, step.address);
  nw_walk_answer(&walk, &(struct nw_answer){.data = 0xabb00c02});
  assert_int_equal(nw_walk_next(&walk, &step), NW_STEP_DONE);
  assert_int_equal(nw_walk_result(&walk)->pa, 0xabb45678);
  nw_walk_answer(&walk, &(struct nw_answer){.abort = true}); /* ignored: the walk is done */
  assert_int_equal(nw_walk_result(&walk)->fault.type, NW_FAULT_NONE);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(s1_2m_over_s2_1g_has_a_pa_of_three_parts),
      cmocka_unit_test(s2_2m_under_s1_4k_keeps_the_ipas_bits_20_to_12),
      cmocka_unit_test(s1_supersection_over_s2_4k_takes_the_vas_low_bits_and_is_4k),
      cmocka_unit_test(the_stage_2_root_is_indexed_with_bit_39),
      cmocka_unit_test(a_table_address_out_of_stage_2s_range_faults_in_stage_2),
      cmocka_unit_test(no_range_is_checked_after_an_invalid_descriptor_or_an_earlier_fault),
      cmocka_unit_test(stage_1_alone_never_reports_a_stage_2_fault),
      cmocka_unit_test(a_fault_on_a_descriptor_read_carries_the_original_access),
      cmocka_unit_test(stage_2_checks_a_descriptor_read_as_a_read_whatever_the_access),
      cmocka_unit_test(the_ipa_of_a_fault_on_a_descriptor_includes_its_place_in_the_table),
      cmocka_unit_test(of_two_errors_stage_1s_wins),
      cmocka_unit_test(a_block_descriptor_at_the_last_level_faults),
      cmocka_unit_test(low_address_bits_of_a_block_are_ignored),
      cmocka_unit_test(stage_2_off_in_a_regime_that_has_one_is_a_walk_of_one_stage),
      cmocka_unit_test(a_fault_before_the_first_reference_ends_the_walk_at_once),
      cmocka_unit_test(addresses_out_of_range_are_not_cut_off),
      cmocka_unit_test(a_table_whose_span_another_root_cuts_into_is_not_kept),
      cmocka_unit_test(a_block_that_another_root_cuts_into_does_not_answer_for_it),
      cmocka_unit_test(registers_written_during_a_walk_do_not_concern_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
