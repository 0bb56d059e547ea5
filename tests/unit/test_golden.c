/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden model behind DPI-C: what its functions give to a bench, and what they refuse. Tables are
 * answered by hand, as a bench does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dpi/golden.h"

#define VA 0x00345678ull
#define ROOT 0x4000ull
#define TABLE 0x8000ull
#define STAGE2_ROOT 0x10000ull
#define STAGE2_BLOCK 0x40000f7dull /* 1 GB at 1 GB: Normal memory, read and write, valid */
#define SMALL_PAGE 0x00abc032ull
#define READ 0
#define WRITE 1

/* A read as the model gives it. */
struct descriptor_read {
  unsigned long long address;
  unsigned int size, stage, level, s1_level;
  unsigned char for_s1;
};

static unsigned char next(void *golden, struct descriptor_read *read) {
  return nw_golden_read(golden, &read->address, &read->size, &read->stage, &read->level,
                        &read->for_s1, &read->s1_level);
}

static void expect_read(void *golden, unsigned stage, unsigned level, uint64_t address,
                        uint64_t data) {
  struct descriptor_read read;

  assert_true(next(golden, &read));
  assert_int_equal(read.stage, stage);
  assert_int_equal(read.level, level);
  assert_int_equal(read.address, address);
  assert_true(nw_golden_answer(golden, data, 0, 10));
}

static void expect_end(void *golden) {
  struct descriptor_read read;

  assert_false(next(golden, &read));
  assert_int_equal(read.address, 0);
}

static void expect_pa(void *golden, uint64_t expected, unsigned expected_source,
                      unsigned expected_cycles) {
  unsigned long long pa, ipa;
  unsigned int rights, page, s1_page, s2_page, attr, sh, source, cycles, stage, level, domain;
  unsigned char s1walk;

  expect_end(golden);
  nw_golden_translation(golden, &pa, &rights, &page, &s1_page, &s2_page, &attr, &sh, &source,
                        &cycles);
  assert_int_equal(nw_golden_fault(golden, &stage, &level, &s1walk, &domain, &ipa), 0);
  assert_int_equal(pa, expected);
  assert_int_equal(page, 12);
  assert_int_equal(source, expected_source);
  assert_int_equal(cycles, expected_cycles);
}

static void expect_fault(void *golden, const char *name, unsigned expected_stage,
                         unsigned expected_level, uint64_t expected_ipa) {
  unsigned long long pa, ipa;
  unsigned int rights, page, s1_page, s2_page, attr, sh, source, cycles, stage, level, domain;
  unsigned char s1walk;

  expect_end(golden);
  unsigned int fault = nw_golden_fault(golden, &stage, &level, &s1walk, &domain, &ipa);
  assert_string_equal(nw_golden_fault_name(fault), name);
  assert_int_equal(stage, expected_stage);
  assert_int_equal(level, expected_level);
  assert_int_equal(ipa, expected_ipa);
  nw_golden_translation(golden, &pa, &rights, &page, &s1_page, &s2_page, &attr, &sh, &source,
                        &cycles);
  assert_int_equal(pa, 0);
  assert_int_equal(page, 0);
}

static void write(void *golden, const char *name, uint64_t value) {
  assert_true(nw_golden_write_register(golden, name, value));
}

/* Stage 1 on, all domains clients; under stage 2 its root of 4 entries. */
static void *golden_with(const char *regime, unsigned int tlb_entries) {
  void *golden = nw_golden_create(regime, tlb_entries, 0, 0, 0);

  assert_non_null(golden);
  write(golden, "TTBR0", ROOT);
  write(golden, "DACR", 0x55555555);
  write(golden, "SCTLR", 1);
  if (strstr(regime, "+s2") != NULL) {
    write(golden, "VTCR", 0x40); /* SL0: level 1; T0SZ 0: 32 bits */
    write(golden, "VTTBR", STAGE2_ROOT);
    write(golden, "HCR", 1);
  }
  return golden;
}

static void walk_both_levels(void *golden) {
  assert_true(nw_golden_request(golden, VA, READ, 1));
  expect_read(golden, 1, 1, ROOT + (VA >> 20) * 4, TABLE | 1);
  expect_read(golden, 1, 2, TABLE + (VA >> 12 & 0xff) * 4, SMALL_PAGE);
}

static void a_walk_is_answered_read_by_read(void **state) {
  (void)state;
  void *golden = golden_with("armv7-short", 0);

  for (unsigned i = 0; i < 2; i++) { /* without TLBs, every time */
    walk_both_levels(golden);
    expect_pa(golden, 0x00abc678, 0, 20);
  }
  nw_golden_destroy(golden);
}

static void a_nested_walk_tells_which_stage_reads(void **state) {
  (void)state;
  struct descriptor_read read;
  void *golden = golden_with("armv7-short+s2", 0);

  assert_true(nw_golden_request(golden, VA, READ, 1));
  assert_true(next(golden, &read));
  assert_int_equal(read.size, 8);
  assert_true(read.for_s1);
  assert_int_equal(read.s1_level, 1);
  expect_read(golden, 2, 1, STAGE2_ROOT, STAGE2_BLOCK);
  expect_read(golden, 1, 1, 0x40000000 + ROOT + (VA >> 20) * 4, TABLE | 1);
  expect_read(golden, 2, 1, STAGE2_ROOT, STAGE2_BLOCK);
  expect_read(golden, 1, 2, 0x40000000 + TABLE + (VA >> 12 & 0xff) * 4, SMALL_PAGE);
  expect_read(golden, 2, 1, STAGE2_ROOT, 0);
  expect_fault(golden, "translation", 2, 1, 0x00abc678);
  nw_golden_destroy(golden);
}

static void a_refused_read_is_an_external_abort(void **state) {
  (void)state;
  struct descriptor_read read;
  void *golden = golden_with("armv7-short", 0);

  assert_true(nw_golden_request(golden, VA, WRITE, 1));
  assert_true(next(golden, &read));
  assert_true(nw_golden_answer(golden, 0, 1, 0));
  expect_fault(golden, "extabort", 1, 1, 0);
  nw_golden_destroy(golden);
}

static void a_tlb_answers_until_it_is_invalidated(void **state) {
  (void)state;
  void *golden = golden_with("armv7-short", 4);

  walk_both_levels(golden);
  expect_pa(golden, 0x00abc678, 0, 20);
  assert_true(nw_golden_request(golden, VA, READ, 1));
  expect_pa(golden, 0x00abc678, 1, 0);
  assert_true(nw_golden_invalidate(golden, "TLBIMVA", 0x99000));
  assert_true(nw_golden_request(golden, VA, READ, 1));
  expect_pa(golden, 0x00abc678, 1, 0);
  assert_true(nw_golden_invalidate(golden, "TLBIMVA", VA & ~0xfffull));
  walk_both_levels(golden);
  expect_pa(golden, 0x00abc678, 0, 20);
  nw_golden_destroy(golden);
}

static void what_is_out_of_turn_is_refused(void **state) {
  (void)state;
  struct descriptor_read read, again;
  void *golden = golden_with("armv7-short", 0);

  assert_false(nw_golden_answer(golden, 0, 0, 0));
  assert_false(nw_golden_request(golden, VA, 3, 1));
  assert_true(nw_golden_request(golden, VA, READ, 1));
  assert_false(nw_golden_request(golden, VA, READ, 1));
  assert_false(nw_golden_answer(golden, 0, 0, 0)); /* not asked for yet */
  assert_true(next(golden, &read));
  assert_true(next(golden, &again));
  assert_int_equal(again.address, read.address);
  assert_true(nw_golden_answer(golden, 0, 0, 0));
  expect_fault(golden, "translation", 1, 1, 0);
  nw_golden_destroy(golden);
}

static void unknown_names_are_refused(void **state) {
  (void)state;
  void *golden = golden_with("armv7-short", 0);

  assert_null(nw_golden_create("armv7", 0, 0, 0, 0));
  assert_false(nw_golden_write_register(golden, "TTBR2", 0));
  assert_false(nw_golden_write_register(golden, "HCR", 1)); /* no stage 2 in this regime */
  assert_false(nw_golden_invalidate(golden, "TLBI", 0));
  assert_string_equal(nw_golden_fault_name(100), "no such fault");
  nw_golden_destroy(golden);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_walk_is_answered_read_by_read),
      cmocka_unit_test(a_nested_walk_tells_which_stage_reads),
      cmocka_unit_test(a_refused_read_is_an_external_abort),
      cmocka_unit_test(a_tlb_answers_until_it_is_invalidated),
      cmocka_unit_test(what_is_out_of_turn_is_refused),
      cmocka_unit_test(unknown_names_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
