/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long descriptors as stage 1 against DDI 0406C B3.6 and B3.7. Expectations are typed in from the
 * manual's figures and tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0x12345678u
#define EAE 0x80000000u
#define AF (1ull << 10)
#define USER_RW (1ull << 6)

/* Indices 0 to 7: write-back, Device, write-back (0xbb), NC, write-back (0xee), write-through,
 * mixed, Strongly-ordered. */
#define MAIR0 0x44bb04ffu
#define MAIR1 0x004faaeeu

static struct tables *fresh(void) {
  struct tables *tables = tables_new(NW_REGIME_ARMV7_LPAE);
  tables_register(tables, NW_REG_PRRR_MAIR0, MAIR0);
  tables_register(tables, NW_REG_NMRR_MAIR1, MAIR1);
  return tables;
}

static struct view base_view(uint64_t pa, unsigned page_log2) {
  return (struct view){{pa, page_log2, 0xff, 0, 1, ALL_SIX, 0, 0, 0}};
}

/* -- every bit of every descriptor (figures B3-14 to B3-16) ------------------------------------ */

/* What blocks and pages have in common: lower and upper attributes. */
#define LEAF_CHANGES                                                                               \
  {0, VIEW_FAULT, NW_FAULT_TRANSLATION}, {2, VIEW_ATTR, 0x04}, {2, VIEW_SH, 2},                    \
      {3, VIEW_ATTR, 0xbb}, {4, VIEW_ATTR, 0xee},                   /* AttrIndx */                 \
      {6, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},                  /* AP[1] */                    \
      {7, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},              /* AP[2] */                    \
      {9, VIEW_SH, 2},                                              /* SH */                       \
      {10, VIEW_FAULT, NW_FAULT_ACCESS_FLAG}, {11, VIEW_GLOBAL, 0}, /* AF, nG */                   \
      {53, VIEW_ALLOWED, ALL_SIX & ~PRIV_X},                        /* PXN */                      \
  {                                                                                                \
    54, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)                                                 \
  } /* XN */

#define SH_RESERVED (1ull << 8) /* SH 0b01 is unpredictable */

static void every_bit_of_a_1_gigabyte_block_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      LEAF_CHANGES,
      {30, VIEW_PA, 0x56d2345678},
      {31, VIEW_PA, 0x5612345678},
      {32, VIEW_PA, 0x5792345678},
      {33, VIEW_PA, 0x5492345678},
      {34, VIEW_PA, 0x5292345678},
      {35, VIEW_PA, 0x5e92345678},
      {36, VIEW_PA, 0x4692345678},
      {37, VIEW_PA, 0x7692345678},
      {38, VIEW_PA, 0x1692345678},
      {39, VIEW_PA, 0xd692345678},
  };
  struct tables *tables = fresh();
  struct view_bits bits = {.name = "1G block",
                           .va = VA,
                           .raw = 0x5680000000 | AF | USER_RW | 1,
                           .size = 8,
                           .stage = 1,
                           .level = 1,
                           .skip = SH_RESERVED | 2,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0x5692345678, 30);
  bits.pa = tables_map_raw(tables, 1, VA, 1, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_2_megabyte_block_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      LEAF_CHANGES,
      {21, VIEW_PA, 0x5678b45678},
      {22, VIEW_PA, 0x5678d45678},
      {23, VIEW_PA, 0x5678145678},
      {24, VIEW_PA, 0x5679945678},
      {25, VIEW_PA, 0x567a945678},
      {26, VIEW_PA, 0x567c945678},
      {27, VIEW_PA, 0x5670945678},
      {28, VIEW_PA, 0x5668945678},
      {29, VIEW_PA, 0x5658945678},
      {30, VIEW_PA, 0x5638945678},
      {31, VIEW_PA, 0x56f8945678},
      {32, VIEW_PA, 0x5778945678},
      {39, VIEW_PA, 0xd678945678},
      {33, VIEW_PA, 0x5478945678},
      {34, VIEW_PA, 0x5278945678},
      {35, VIEW_PA, 0x5e78945678},
      {36, VIEW_PA, 0x4678945678},
      {37, VIEW_PA, 0x7678945678},
      {38, VIEW_PA, 0x1678945678},
  };
  struct tables *tables = fresh();
  struct view_bits bits = {.name = "2M block",
                           .va = VA,
                           .raw = 0x5678800000 | AF | USER_RW | 1,
                           .size = 8,
                           .stage = 1,
                           .level = 2,
                           .skip = SH_RESERVED | 2,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0x5678945678, 21);
  bits.pa = tables_map_raw(tables, 1, VA, 2, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_4_kilobyte_page_means_what_the_manual_says(void **state) {
  (void)state;
  struct view_change change[13 + 28] = {
      LEAF_CHANGES, {1, VIEW_FAULT, NW_FAULT_TRANSLATION}, /* 0b01 at level 3 is invalid */
  };
  for (unsigned i = 0; i < 28; i++) /* PA[39:12] */
    change[13 + i] =
        (struct view_change){(uint8_t)(12 + i), VIEW_PA, 0x56789ab678 ^ (uint64_t)1 << (12 + i)};
  struct tables *tables = fresh();
  struct view_bits bits = {.name = "4K page",
                           .va = VA,
                           .raw = 0x56789ab000 | AF | USER_RW | 3,
                           .size = 8,
                           .stage = 1,
                           .level = 3,
                           .skip = SH_RESERVED,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0x56789ab678, 12);
  bits.pa = tables_map_raw(tables, 1, VA, 3, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_table_descriptor_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_FAULT, NW_FAULT_TRANSLATION},
      {59, VIEW_ALLOWED, ALL_SIX & ~PRIV_X},
      {59, VIEW_LEVEL, 3}, /* PXNTable */
      {60, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)},
      {60, VIEW_LEVEL, 3}, /* XNTable */
      {61, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},
      {61, VIEW_LEVEL, 3}, /* APTable[0] */
      {62, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},
      {62, VIEW_LEVEL, 3}, /* APTable[1] */
  };
  static const uint64_t base = 0xfffffff000;
  for (unsigned level = 1; level <= 2; level++) {
    struct tables *tables = fresh();
    tables_map_raw(tables, 1, VA, 3, 0x56789ab000 | AF | USER_RW | 3, 0);
    struct view_bits bits = {.name = "table",
                             .va = VA,
                             .size = 8,
                             .stage = 1,
                             .level = level,
                             .skip = base | 2,
                             .change = change,
                             .changes = COUNT(change)};
    bits.base = base_view(0x56789ab678, 12);
    bits.pa = tables_descriptor_pa(tables, 1, VA, level);
    bits.raw = tables_get(tables, bits.pa, 8);
    view_every_bit(tables, &bits);
    for (unsigned bit = 12; bit < 40; bit++) { /* any other base leads to an empty table */
      uint64_t raw = bits.raw ^ (uint64_t)1 << bit;
      uint64_t index = level == 1 ? 0x91 : 0x145;
      tables_put(tables, bits.pa, 8, raw);
      assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
      assert_int_equal(tables->log[level].address, (raw & base) + index * 8);
      tables_put(tables, bits.pa, 8, bits.raw);
    }
    tables_free(tables);
  }
}

/* -- roots (B3.6.4, figure B3-18) -------------------------------------------------------------- */

struct root_case {
  unsigned t0sz, t1sz;
  bool epd0, epd1;
};

#define TTBR0 0x1234560000ull
#define TTBR1 0xfedcba0000ull

/* Address of the first descriptor read, 0 for a fault without one: table B3-6. */
static uint64_t first_read(const struct root_case *c, uint64_t va) {
  uint64_t low_end = (uint64_t)1 << (32 - c->t0sz);
  uint64_t high_start = ((uint64_t)1 << 32) - ((uint64_t)1 << (32 - c->t1sz));
  bool low, high;
  if (c->t0sz == 0 && c->t1sz == 0) {
    low = true, high = false;
  } else if (c->t0sz == 0) {
    high = va >= high_start;
    low = !high;
  } else if (c->t1sz == 0) {
    low = va < low_end;
    high = !low;
  } else {
    low = va < low_end;
    high = va >= high_start;
  }
  if ((!low && !high) || (low && c->epd0) || (high && c->epd1))
    return 0;
  unsigned size = 32 - (low ? c->t0sz : c->t1sz);
  uint64_t input = va & (((uint64_t)1 << size) - 1);
  return (low ? TTBR0 : TTBR1) + 8 * (size > 30 ? input >> 30 : input >> 21);
}

static void check_root(struct tables *tables, const struct root_case *c, uint64_t va) {
  uint64_t expected = first_read(c, va & 0xffffffff);
  assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, va & 0xffffffff));
  if (expected == 0) {
    assert_int_equal(tables->reads, 0);
    expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
    return;
  }
  assert_int_equal(tables->reads, 1);
  assert_int_equal(tables->log[0].address, expected);
  bool from_low = expected < TTBR1;
  unsigned level = (from_low ? c->t0sz : c->t1sz) > 1 ? 2 : 1;
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, level, false);
}

static void every_t0sz_t1sz_and_epd_selects_the_root_of_the_manual_at_every_edge(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_TTBR0, TTBR0 | 0x00ab000000000000);
  tables_register(tables, NW_REG_TTBR1, TTBR1 | 0x00cd000000000000);
  for (unsigned i = 0; i < 256; i++) {
    struct root_case c = {i & 7, i >> 3 & 7, i >> 6 & 1, i >> 7 & 1};
    uint64_t low_end = (uint64_t)1 << (32 - c.t0sz);
    uint64_t high_start = ((uint64_t)1 << 32) - ((uint64_t)1 << (32 - c.t1sz));
    tables_register(tables, NW_REG_TTBCR,
                    EAE | c.t0sz | c.t1sz << 16 | (c.epd0 ? 1u << 7 : 0) | (c.epd1 ? 1u << 23 : 0));
    check_root(tables, &c, 0);
    check_root(tables, &c, low_end - 1);
    check_root(tables, &c, low_end);
    check_root(tables, &c, high_start - 1);
    check_root(tables, &c, high_start);
    check_root(tables, &c, 0xffffffff);
  }
  tables_free(tables);
}

/* B4.1.154: bits x-1:0 of TTBR are no address, x = 14 - T0SZ or 5 - T0SZ. */
static void bits_below_a_roots_size_are_not_part_of_ttbr(void **state) {
  (void)state;
  static const uint64_t base[8] = {0xffffffffe0, 0xfffffffff0, 0xfffffff000, 0xfffffff800,
                                   0xfffffffc00, 0xfffffffe00, 0xffffffff00, 0xffffffff80};
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_TTBR0, ~(uint64_t)0);
  for (unsigned t0sz = 0; t0sz < 8; t0sz++) {
    tables_register(tables, NW_REG_TTBCR, EAE | t0sz);
    tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0);
    assert_int_equal(tables->log[0].address, base[t0sz]);
  }
  tables_free(tables);
}

static void the_asid_comes_from_the_ttbr_that_a1_names(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_CONTEXTIDR, 0x11);
  tables_register(tables, NW_REG_TTBR0, 0xffab000000000000 | TABLES_IPA);
  tables_register(tables, NW_REG_TTBR1, 0x00cd000000000000);
  assert_int_equal(tables->regime.asid, 0xab);
  tables_register(tables, NW_REG_TTBCR, EAE | 1u << 22);
  assert_int_equal(tables->regime.asid, 0xcd);
  tables_free(tables);
}

/* -- rights ------------------------------------------------------------------------------------ */

/* Table B3-15 for AP[2:1], with what APTable takes away (B3.7.1, table B3-16). */
static uint64_t allowed_by_the_manual(unsigned ap, unsigned table, bool xn, bool pxn, bool wxn,
                                      bool uwxn) {
  bool user = (ap & 1) && !(table & 4);
  bool write = !(ap & 2) && !(table & 8);
  bool user_x = user && !xn && !(table & 2) && !(wxn && write);
  bool priv_x =
      !xn && !(table & 2) && !pxn && !(table & 1) && !(wxn && write) && !(uwxn && user && write);
  return (user ? USER_R : 0u) | (user && write ? USER_W : 0u) | (user_x ? USER_X : 0u) | PRIV_R |
         (write ? PRIV_W : 0u) | (priv_x ? PRIV_X : 0u);
}

static void limits_of_all_tables_above_a_page_add_up(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 1, VA, 3, 0, 0);
  uint64_t at[] = {0, tables_descriptor_pa(tables, 1, VA, 1),
                   tables_descriptor_pa(tables, 1, VA, 2), tables_descriptor_pa(tables, 1, VA, 3)};
  uint64_t table1 = tables_get(tables, at[1], 8), table2 = tables_get(tables, at[2], 8);
  for (unsigned i = 0; i < 1u << 14; i++) {
    unsigned ap = i & 3, limit1 = i >> 4 & 15, limit2 = i >> 8 & 15;
    bool xn = i >> 2 & 1, pxn = i >> 3 & 1, wxn = i >> 12 & 1, uwxn = i >> 13 & 1;
    tables_put(tables, at[1], 8, table1 | (uint64_t)limit1 << 59);
    tables_put(tables, at[2], 8, table2 | (uint64_t)limit2 << 59);
    tables_put(tables, at[3], 8,
               0x56789ab000 | AF | 3 | ap << 6 | (uint64_t)pxn << 53 | (uint64_t)xn << 54);
    tables_register(tables, NW_REG_SCTLR, 1u | (wxn ? 1u << 19 : 0) | (uwxn ? 1u << 20 : 0));
    struct view seen = view_at(tables, NW_SCOPE_BOTH, VA);
    assert_int_equal(seen.aspect[VIEW_ALLOWED],
                     allowed_by_the_manual(ap, limit1 | limit2, xn, pxn, wxn, uwxn));
  }
  tables_free(tables);
}

static void sctlr_afe_and_dacr_do_not_concern_long_descriptors(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 0);
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 29 | 1u << 28);
  tables_map_raw(tables, 1, VA, 3, 0x56789ab000 | AF | USER_RW | 3, 0);
  struct view seen = view_at(tables, NW_SCOPE_BOTH, VA);
  struct view expected = base_view(0x56789ab678, 12);
  view_compare("AFE, TRE and DACR set", 0, &seen, &expected);
  tables_free(tables);
}

static void the_access_flag_comes_before_permission(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 1, VA, 2, 0x5678800000 | 0xc0 | 1, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_ACCESS_FLAG, 1, 2, false);
  tables_map_raw(tables, 1, VA, 2, 0x5678800000 | AF | 0xc0 | 1, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 2, false);
  assert_int_equal(tables->result.fault.domain, 0); /* there are none */
  tables_free(tables);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void every_mair_index_and_shareability_is_found(void **state) {
  (void)state;
  static const struct {
    uint8_t attr;
    bool outer; /* whatever the descriptor says: Device, Strongly-ordered, non-cacheable */
  } index[8] = {{0xff, false}, {0x04, true},  {0xbb, false}, {0x44, true},
                {0xee, false}, {0xaa, false}, {0x4f, false}, {0x00, true}};
  struct tables *tables = fresh();
  for (unsigned i = 0; i < 8; i++)
    for (unsigned sh = 0; sh < 4; sh++) {
      if (sh == 1)
        continue;
      tables_map_raw(tables, 1, VA, 2, 0x5678800000 | AF | USER_RW | 1 | i << 2 | sh << 8, 0);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
      assert_int_equal(tables->result.attr, index[i].attr);
      assert_int_equal(tables->result.sh, index[i].outer ? 2 : sh);
    }
  tables_free(tables);
}

static void the_contiguous_bit_does_not_change_the_size(void **state) {
  (void)state;
  struct tables *tables = fresh();
  for (unsigned level = 1; level <= 3; level++) {
    static const unsigned log2[] = {0, 30, 21, 12};
    uint64_t raw = 0x5640000000 | 1ull << 52 | AF | USER_RW | (level == 3 ? 3 : 1);
    tables_map_raw(tables, 1, (uint64_t)level << 30, level, raw, 0);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, (uint64_t)level << 30));
    expect_ok(tables, 0x5640000000, log2[level]);
  }
  tables_free(tables);
}

static void big_endian_descriptors_are_read_with_sctlr_ee(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 25);
  tables_put(tables, TABLES_IPA, 8, 0x4104004056000000); /* 0x0000005640000441 */
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0x5640000000 + VA, 30);
  tables_free(tables);
}

static void with_the_mmu_off_a_va_is_the_pa(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 0);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0xfedcba98));
  expect_ok(tables, 0xfedcba98, 12);
  assert_int_equal(tables->result.attr, 0x00);
  tables_free(tables);
}

static void an_abort_at_each_level_is_an_external_abort_of_that_level(void **state) {
  (void)state;
  for (unsigned level = 1; level <= 3; level++) {
    struct tables *tables = fresh();
    tables_map_raw(tables, 1, VA, 3, 0x56789ab000 | AF | USER_RW | 3, 0);
    uint64_t at = tables_descriptor_pa(tables, 1, VA, level);
    tables_hole(tables, at, at);
    tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
    expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 1, level, false);
    assert_int_equal(tables->reads, level);
    tables_free(tables);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_of_a_1_gigabyte_block_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_2_megabyte_block_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_4_kilobyte_page_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_table_descriptor_means_what_the_manual_says),
      cmocka_unit_test(every_t0sz_t1sz_and_epd_selects_the_root_of_the_manual_at_every_edge),
      cmocka_unit_test(bits_below_a_roots_size_are_not_part_of_ttbr),
      cmocka_unit_test(the_asid_comes_from_the_ttbr_that_a1_names),
      cmocka_unit_test(limits_of_all_tables_above_a_page_add_up),
      cmocka_unit_test(sctlr_afe_and_dacr_do_not_concern_long_descriptors),
      cmocka_unit_test(the_access_flag_comes_before_permission),
      cmocka_unit_test(every_mair_index_and_shareability_is_found),
      cmocka_unit_test(the_contiguous_bit_does_not_change_the_size),
      cmocka_unit_test(big_endian_descriptors_are_read_with_sctlr_ee),
      cmocka_unit_test(with_the_mmu_off_a_va_is_the_pa),
      cmocka_unit_test(an_abort_at_each_level_is_an_external_abort_of_that_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
