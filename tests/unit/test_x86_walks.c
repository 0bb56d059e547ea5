/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks of x86-64: how many references, what PA, which stage's fault and of what address, alone,
 * over AMD's nested tables and over Intel's EPT. What other walkers had wrong is named: XS
 * XiangShan, RC rocket-chip, C6 cva6, ZD zero-day-labs riscv-iommu, SP spike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/tables.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0xffff9234567891abull
#define PAGE (VA & ~0xfffull)
#define IPA 0x8b7a5b7000ull
#define PA 0xd5c0e00000ull

static const enum nw_regime_kind nested[] = {NW_REGIME_X86_SVM_NPT, NW_REGIME_X86_EPT};

static struct tables *build(enum nw_regime_kind kind, unsigned s1_levels, unsigned s2_levels) {
  struct tables *tables = tables_new(kind);
  if (s1_levels == 5)
    tables_five_levels(tables, 1);
  if (s2_levels == 5)
    tables_five_levels(tables, 2);
  return tables;
}

/* IPA + the VA's offset in a 4 KB page, mapped in both stages. */
static struct tables *mapped(enum nw_regime_kind kind) {
  struct tables *tables = tables_new(kind);
  tables_map(tables, 1, PAGE, IPA, 12, MAP_ALL);
  tables_map(tables, 2, IPA, PA, 12, MAP_ALL);
  return tables;
}

static void with_flags(struct tables *tables) {
  tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
}

static uint64_t size(unsigned log2) {
  return (uint64_t)1 << log2;
}

static unsigned total(const uint16_t *by_level) {
  unsigned sum = 0;
  for (unsigned i = 0; i < NW_LEVELS; i++)
    sum += by_level[i];
  return sum;
}

/* -- counts ------------------------------------------------------------------------------------ */

static const struct {
  unsigned s1_levels, s2_levels; /* of the tables */
  unsigned s1_log2, s2_log2;     /* of the pages; guest tables lie in pages of s2_log2, too */
  unsigned references;
} golden[] = {
    {4, 0, 12, 0, 4},   {4, 0, 21, 0, 3},   {4, 0, 30, 0, 2},   {5, 0, 12, 0, 5},
    {5, 0, 21, 0, 4},   {5, 0, 30, 0, 3},   {4, 4, 12, 12, 24}, {4, 4, 12, 21, 19},
    {4, 4, 21, 12, 19}, {4, 4, 21, 21, 15}, {4, 4, 30, 30, 8},  {5, 5, 12, 12, 35},
    {5, 4, 12, 12, 29}, {4, 5, 12, 12, 29}, {5, 5, 21, 21, 24}, {5, 5, 30, 30, 15},
};

static void walks_make_the_golden_number_of_references(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(golden); i++)
    for (unsigned k = 0; k < 2; k++) {
      enum nw_regime_kind kind = golden[i].s2_levels ? nested[k] : NW_REGIME_X86_64;
      struct tables *tables = build(kind, golden[i].s1_levels, golden[i].s2_levels);
      uint64_t ipa = 0x8b40000000;
      if (golden[i].s2_levels)
        tables->s2_table_log2 = (uint8_t)golden[i].s2_log2;
      tables_map(tables, 1, 0xffff923440000000, ipa, golden[i].s1_log2, MAP_ALL);
      if (golden[i].s2_levels)
        tables_map(tables, 2, ipa, 0xd5c0000000, golden[i].s2_log2, MAP_ALL);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0xffff923440000123));
      assert_int_equal(tables->reads, golden[i].references);
      assert_int_equal(tables->result.walk_reads, golden[i].references);
      tables_free(tables);
    }
}

/* PA: the stage-2 page's, then what the IPA has below it, then what the VA has below the stage-1
 * page. Every reference is of the stage and level that it should be. */
static void check_pair(enum nw_regime_kind kind, unsigned s1_levels, unsigned s2_levels,
                       unsigned s1_log2, unsigned s2_log2, unsigned table_log2) {
  struct tables *tables = build(kind, s1_levels, s2_levels);
  uint64_t va = (s1_levels == 5 ? 0xff5a923440000000 : 0xffff923440000000) | 0x1567891a;
  uint64_t output = 0x8b40000000 | (0x2aaab000 & ~(size(s1_log2) - 1));
  uint64_t ipa = output | (va & (size(s1_log2) - 1));
  uint64_t frame = 0xd5c0000000 | (0x15554000 & ~(size(s2_log2) - 1));
  unsigned n = s1_levels - (s1_log2 - 12) / 9, m = s2_levels - (s2_log2 - 12) / 9;
  unsigned for_tables = s2_levels - (table_log2 - 12) / 9;
  const struct nw_references *made = &tables->references;

  tables->s2_table_log2 = (uint8_t)table_log2;
  tables_map(tables, 1, va & ~(size(s1_log2) - 1), output, s1_log2, MAP_ALL);
  tables_map(tables, 2, ipa & ~(size(s2_log2) - 1), frame, s2_log2, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, va));
  expect_ok(tables, frame | (ipa & (size(s2_log2) - 1)), s1_log2 < s2_log2 ? s1_log2 : s2_log2);
  assert_int_equal(tables->result.s1_page_log2, s1_log2);
  assert_int_equal(tables->result.s2_page_log2, s2_log2);
  assert_int_equal(tables->reads, n * (for_tables + 1) + m);
  assert_int_equal(total(made->s1), n);
  assert_int_equal(made->s2_final, m);
  for (unsigned level = s1_levels; level > s1_levels - n; level--) {
    assert_int_equal(made->s1[level], 1);
    assert_int_equal(made->s2_for_s1[level], for_tables);
  }
  assert_true(tables_walk(tables, NW_SCOPE_STAGE1, NW_WRITE, NW_USER, va));
  expect_ok(tables, ipa, s1_log2);
  assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_WRITE, NW_USER, ipa));
  expect_ok(tables, frame | (ipa & (size(s2_log2) - 1)), s2_log2);
  tables_free(tables);
}

static void every_pair_of_page_sizes_and_of_levels_gives_pa_size_and_count(void **state) {
  (void)state;
  static const unsigned log2[] = {12, 21, 30};
  for (unsigned i = 0; i < 2 * 2 * 2 * 27; i++)
    check_pair(nested[i & 1], 4 + (i >> 1 & 1), 4 + (i >> 2 & 1), log2[i / 8 % 3], log2[i / 24 % 3],
               log2[i / 72 % 3]);
}

/* -- addresses --------------------------------------------------------------------------------- */

/* SDM vol. 1, 3.3.7.1: bits above the top one repeat it. Nothing is read, and there is no code. */
static void an_address_that_is_not_canonical_faults_before_anything_is_read(void **state) {
  (void)state;
  static const struct {
    unsigned levels;
    uint64_t va;
    bool canonical;
  } row[] = {
      {4, 0x00007fffffffffff, true}, {4, 0x0000800000000000, false}, {4, 0xffff7fffffffffff, false},
      {4, 0xffff800000000000, true}, {4, 0x8000000000000000, false}, {4, 0x7fffffffffffffff, false},
      {5, 0x00ffffffffffffff, true}, {5, 0x0100000000000000, false}, {5, 0xfeffffffffffffff, false},
      {5, 0xff00000000000000, true}, {5, 0x0000800000000000, true},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned kind = NW_REGIME_X86_64; kind <= NW_REGIME_X86_EPT; kind++) {
      struct tables *tables = build((enum nw_regime_kind)kind, row[i].levels, 0);
      tables_map(tables, 1, row[i].va & ~0xfffull, IPA, 12, MAP_ALL);
      if (kind != NW_REGIME_X86_64)
        tables_map(tables, 2, IPA, PA, 12, MAP_ALL);
      assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, row[i].va),
                       row[i].canonical);
      if (!row[i].canonical) {
        expect_fault(tables, NW_FAULT_NONCANONICAL, 1, 0, false);
        assert_int_equal(tables->reads, 0);
        assert_int_equal(nw_fault_syndrome(&tables->regime, &tables->result.fault).kind,
                         NW_SYNDROME_NONE);
      }
      tables_free(tables);
    }
}

/* Each bit of a VA picks another entry: none is cut off, none is looked at twice. */
static void every_bit_of_a_va_selects_a_page_of_its_own(void **state) {
  (void)state;
  struct tables *tables = build(NW_REGIME_X86_64, 5, 0);
  tables_map(tables, 1, 0, 0x1000000000, 12, MAP_ALL);
  for (unsigned bit = 12; bit < 56; bit++)
    tables_map(tables, 1, size(bit), 0x1000000000 + bit * 0x1000, 12, MAP_ALL);
  tables_map(tables, 1, ~0ull << 56, 0x1000000000 + 56 * 0x1000, 12, MAP_ALL);
  for (unsigned bit = 12; bit < 57; bit++) {
    uint64_t va = bit < 56 ? size(bit) : ~0ull << 56;
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, va | 0xabc));
    expect_ok(tables, (0x1000000000 + bit * 0x1000) | 0xabc, 12);
  }
  tables_free(tables);
}

/* C6#3401, RC#3788; SDM vol. 3, 29.3.2: four levels translate 48 bits, whatever MAXPHYADDR is. */
static void a_gpa_out_of_the_nested_tables_range_is_a_level_0_fault_of_stage_2(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2; k++) {
    struct tables *tables = tables_new(nested[k]);
    struct nw_capabilities wide = nw_default_capabilities;
    wide.maxphyaddr = 52;
    assert_true(nw_regime_set_capabilities(&tables->regime, &wide));
    tables_map_raw(tables, 1, VA, 2, 0x0008000012345000 | X86_TABLE, 0);
    tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 0, true);
    assert_int_equal(tables->result.fault.ipa, 0x0008000012345000 + (VA >> 12 & 511) * 8);
    assert_int_equal(tables->references.s1[2], 1);
    assert_int_equal(tables->references.s2_for_s1[1], 0);
    tables_map_raw(tables, 1, VA, 2, 0x0001000012200000 | X86_PS | X86_PAGE, 0);
    tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 0, false);
    assert_int_equal(tables->result.fault.ipa, 0x0001000012200000 + (VA & 0x1fffff));
    tables_free(tables);
  }
}

/* With five levels the same gPA is a matter of tables. */
static void five_nested_levels_reach_every_gpa(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2; k++) {
    struct tables *tables = build(nested[k], 4, 5);
    struct nw_capabilities wide = nw_default_capabilities;
    wide.maxphyaddr = 52;
    assert_true(nw_regime_set_capabilities(&tables->regime, &wide));
    tables_map(tables, 2, 0x000f800000000000, PA, 12, MAP_ALL);
    assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0x000f800000000123));
    expect_ok(tables, PA + 0x123, 12);
    tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0x0007800000000123);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 5, false);
    tables_free(tables);
  }
}

/* RC#3625, XS#4525: an address of an entry that is not used is not looked at. */
static void no_range_is_checked_after_an_earlier_fault(void **state) {
  (void)state;
  static const struct {
    uint64_t entry;
    enum nw_fault_type type;
  } row[] = {
      {0x0008000000000000 | (X86_PAGE & ~X86_P), NW_FAULT_TRANSLATION},
      {0x0008000000002000 | X86_PS | X86_PAGE, NW_FAULT_RESERVED_BIT}, /* not aligned to 2 MB */
      {0x0008000000000000 | X86_PS | (X86_PAGE & ~X86_U), NW_FAULT_PERMISSION},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned k = 0; k < 2; k++) {
      struct tables *tables = tables_new(nested[k]);
      struct nw_capabilities wide = nw_default_capabilities;
      wide.maxphyaddr = 52;
      assert_true(nw_regime_set_capabilities(&tables->regime, &wide));
      tables_map_raw(tables, 1, VA, 2, row[i].entry, 0);
      tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
      expect_fault(tables, row[i].type, 1, 2, false);
      assert_int_equal(tables->result.fault.ipa, 0);
      tables_free(tables);
    }
}

/* -- which stage ------------------------------------------------------------------------------- */

/* XS#3453 */
static void stage_1_alone_never_reports_a_stage_2_fault(void **state) {
  (void)state;
  struct nw_walk_options alone = {.stage1_alone = true};
  struct nw_request request = {.va = VA, .access = NW_WRITE, .privilege = NW_USER};
  for (unsigned k = 0; k < 2; k++) {
    struct tables *tables = tables_new(nested[k]);
    tables_put(tables, TABLES_IPA + (VA >> 39 & 511) * 8, 8, 0x50000000 | X86_TABLE);
    tables_put(tables, 0x50000000 + (VA >> 30 & 511) * 8, 8, 0x8b40000000 | X86_PS | X86_PAGE);
    assert_true(tables_walk_with(tables, &alone, NW_SCOPE_BOTH, &request));
    expect_ok(tables, 0x8b40000000 | (VA & 0x3fffffff), 30);
    assert_int_equal(tables->log[0].space, NW_SPACE_IPA);
    tables_put(tables, 0x50000000 + (VA >> 30 & 511) * 8, 8, 0);
    assert_false(tables_walk_with(tables, &alone, NW_SCOPE_BOTH, &request));
    expect_fault(tables, NW_FAULT_TRANSLATION, 1, 3, false);
    tables_free(tables);
  }
}

/* gem5#3434, XS#4587: an EPTP of 0 is EPT switched off. */
static void without_an_eptp_the_walk_is_of_one_stage(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_X86_EPT);
  tables_register(tables, NW_X86_NESTED_ROOT, 0);
  tables_map(tables, 1, PAGE, IPA, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, IPA | (VA & 0xfff), 12);
  assert_int_equal(tables->reads, 4);
  assert_int_equal(tables->result.s2_page_log2, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA ^ size(47) ^ ~0ull << 48);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 4, false);
  tables_free(tables);
}

/* A guest that has not switched paging on: its addresses are gPAs. */
static void without_paging_nested_tables_translate_alone(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2; k++) {
    struct tables *tables = mapped(nested[k]);
    tables_register(tables, NW_X86_CR0, X86_CR0 & ~(1ull << 31));
    for (unsigned who = 0; who < 2; who++) {
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, (enum nw_privilege)who, IPA + 5));
      expect_ok(tables, PA + 5, 12);
      assert_int_equal(tables->reads, 4);
      assert_int_equal(tables->result.s1_page_log2, 0);
    }
    tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, IPA + 0x1000);
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
    tables_free(tables);
  }
}

/* SP#578, SP#2078, C6#2910, XS#3512: what stage 2 is asked for is a matter of the regime, what the
 * fault is about that of the request. XS#6212: its gPA is that of the entry. */
static void a_fault_on_a_guest_table_carries_the_original_access_and_the_entrys_gpa(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    bool flags;
    enum nw_access failing;
  } row[] = {
      {NW_REGIME_X86_SVM_NPT, false, NW_WRITE},
      {NW_REGIME_X86_EPT, false, NW_READ},
      {NW_REGIME_X86_EPT, true, NW_WRITE},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned access = 0; access < 3; access++) {
      struct tables *tables = tables_new(row[i].kind);
      if (row[i].flags)
        with_flags(tables);
      tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, NW_USER, VA);
      expect_fault(tables, NW_FAULT_TRANSLATION, 2, 4, true);
      assert_int_equal(tables->result.fault.access, access);
      assert_int_equal(tables->result.fault.failing_access, row[i].failing);
      assert_int_equal(tables->result.fault.ipa, TABLES_IPA + (VA >> 39 & 511) * 8);
      assert_int_equal(tables->result.fault.va, VA);
      tables_free(tables);
    }
}

/* APM vol. 2, 15.25.5: a guest table is written as far as its nested page is concerned. SDM vol. 3,
 * 29.3.3.2: it is read, unless the flags are on. C6#3425: pages for fetches alone serve no walk. */
static void the_rights_that_a_guest_tables_page_needs(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    bool flags;
    unsigned rights;
    bool serves;
  } row[] = {
      {NW_REGIME_X86_SVM_NPT, false, MAP_READ | MAP_WRITE, true},
      {NW_REGIME_X86_SVM_NPT, false, MAP_READ | MAP_EXECUTE, false},
      {NW_REGIME_X86_EPT, false, MAP_READ, true},
      {NW_REGIME_X86_EPT, false, MAP_EXECUTE, false},
      {NW_REGIME_X86_EPT, true, MAP_READ | MAP_WRITE, true},
      {NW_REGIME_X86_EPT, true, MAP_READ | MAP_EXECUTE, false},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned access = 0; access < 3; access++) {
      struct tables *tables = mapped(row[i].kind);
      if (row[i].flags)
        with_flags(tables);
      tables_map(tables, 2, TABLES_IPA, TABLES_IPA + TABLES_OFFSET, 12, row[i].rights);
      assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, NW_USER, VA),
                       row[i].serves);
      if (!row[i].serves)
        expect_fault(tables, NW_FAULT_PERMISSION, 2, 1, true);
      tables_free(tables);
    }
}

/* ZD#20: stage 1's is told; and of stage 1's, the one met first. */
static void of_two_errors_the_one_met_first_is_told(void **state) {
  (void)state;
  static const struct {
    unsigned level[2];
    uint64_t entry[2];
    enum nw_fault_type type;
    unsigned told;
  } row[] = {
      {{3, 1}, {X86_TABLE | 1ull << 51, 0}, NW_FAULT_RESERVED_BIT, 3},
      {{3, 1}, {0, X86_PAGE | 1ull << 51}, NW_FAULT_TRANSLATION, 3},
      /* a table denies, but what is below it is looked at first */
      {{3, 1}, {X86_TABLE & ~X86_U, X86_PAGE | 1ull << 51}, NW_FAULT_RESERVED_BIT, 1},
      {{3, 1}, {X86_TABLE & ~X86_U, 0}, NW_FAULT_TRANSLATION, 1},
      {{3, 1}, {X86_TABLE & ~X86_U, X86_PAGE}, NW_FAULT_PERMISSION, 1},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned kind = NW_REGIME_X86_64; kind <= NW_REGIME_X86_EPT; kind++) {
      struct tables *tables = tables_new((enum nw_regime_kind)kind);
      tables_map_raw(tables, 1, VA, 1, 0x8b7a5b7000 | row[i].entry[1], 0);
      uint64_t above = tables_descriptor_pa(tables, 1, VA, row[i].level[0]);
      tables_put(tables, above, 8, (tables_get(tables, above, 8) & ~0xfffull) | row[i].entry[0]);
      tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA); /* no stage-2 page for the IPA */
      expect_fault(tables, row[i].type, 1, row[i].told, false);
      tables_free(tables);
    }
}

/* An abort is of the entry being read; there is nothing to say about rights. */
static void an_entry_that_cannot_be_read_is_an_external_abort_of_its_stage_and_level(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2; k++)
    for (unsigned level = 4; level >= 1; level--) {
      struct tables *tables = mapped(nested[k]);
      uint64_t at = tables_descriptor_pa(tables, 2, IPA, level);
      if (level != 4) { /* the root serves the guest's tables, too */
        tables_hole(tables, at, at + 7);
        tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
        expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 2, level, false);
        assert_int_equal(tables->result.fault.ipa, IPA | (VA & 0xfff));
        assert_int_equal(nw_fault_syndrome(&tables->regime, &tables->result.fault).kind,
                         NW_SYNDROME_NONE);
        tables->holes = 0;
      }
      at = tables_descriptor_pa(tables, 1, VA, level);
      tables_hole(tables, at, at + 7);
      tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
      expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 1, level, false);
      assert_int_equal(nw_fault_syndrome(&tables->regime, &tables->result.fault).kind,
                       NW_SYNDROME_NONE);
      tables_free(tables);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_make_the_golden_number_of_references),
      cmocka_unit_test(every_pair_of_page_sizes_and_of_levels_gives_pa_size_and_count),
      cmocka_unit_test(an_address_that_is_not_canonical_faults_before_anything_is_read),
      cmocka_unit_test(every_bit_of_a_va_selects_a_page_of_its_own),
      cmocka_unit_test(a_gpa_out_of_the_nested_tables_range_is_a_level_0_fault_of_stage_2),
      cmocka_unit_test(five_nested_levels_reach_every_gpa),
      cmocka_unit_test(no_range_is_checked_after_an_earlier_fault),
      cmocka_unit_test(stage_1_alone_never_reports_a_stage_2_fault),
      cmocka_unit_test(without_an_eptp_the_walk_is_of_one_stage),
      cmocka_unit_test(without_paging_nested_tables_translate_alone),
      cmocka_unit_test(a_fault_on_a_guest_table_carries_the_original_access_and_the_entrys_gpa),
      cmocka_unit_test(the_rights_that_a_guest_tables_page_needs),
      cmocka_unit_test(of_two_errors_the_one_met_first_is_told),
      cmocka_unit_test(an_entry_that_cannot_be_read_is_an_external_abort_of_its_stage_and_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
