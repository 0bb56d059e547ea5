/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short descriptors against DDI 0406C B3.5 and B3.7. Expectations are typed in from the manual's
 * tables; nothing here asks the code under test what is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0x12345678u
#define LARGE_BASE 0x00010000u

static struct tables *fresh(void) {
  return tables_new(NW_REGIME_ARMV7_SHORT);
}

/* Page 0xabc.. with every right, write-back (TEX 000, C, B), not shareable, global. */
static const struct view everything = {{0, 0, 0xee, 0, 1, ALL_SIX, 0, 0, 0}};

static struct view base_view(uint64_t pa, unsigned page_log2) {
  struct view view = everything;
  view.aspect[VIEW_PA] = pa;
  view.aspect[VIEW_PAGE_LOG2] = page_log2;
  return view;
}

/* -- every bit of every descriptor (figures B3-4 and B3-5) ------------------------------------- */

static void every_bit_of_a_section_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_ALLOWED, ALL_SIX & ~PRIV_X},  /* PXN */
      {1, VIEW_FAULT, NW_FAULT_TRANSLATION}, /* 0b00 */
      {2, VIEW_ATTR, 0xaa},                  /* B: write-through */
      {3, VIEW_ATTR, 0x04},
      {3, VIEW_SH, 2},                                 /* C: shareable Device */
      {4, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)}, /* XN */
      {5, VIEW_FAULT, NW_FAULT_DOMAIN},                /* domains 1, 2, 4, 8 give no access */
      {6, VIEW_FAULT, NW_FAULT_DOMAIN},
      {7, VIEW_FAULT, NW_FAULT_DOMAIN},
      {8, VIEW_FAULT, NW_FAULT_DOMAIN},
      {10, VIEW_ALLOWED, ALL_SIX & ~USER_W},            /* AP 010 */
      {11, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},     /* AP 001 */
      {12, VIEW_ATTR, 0xff},                            /* TEX 001: write-back, write-allocate */
      {14, VIEW_ATTR, 0x4e},                            /* TEX 100: outer NC, inner write-back */
      {15, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)}, /* AP 111 */
      {16, VIEW_SH, 2},                                 /* S */
      {17, VIEW_GLOBAL, 0},                             /* nG */
      {20, VIEW_PA, 0xaba45678},
      {21, VIEW_PA, 0xab945678},
      {22, VIEW_PA, 0xabf45678},
      {23, VIEW_PA, 0xab345678},
      {24, VIEW_PA, 0xaab45678},
      {25, VIEW_PA, 0xa9b45678},
      {26, VIEW_PA, 0xafb45678},
      {27, VIEW_PA, 0xa3b45678},
      {28, VIEW_PA, 0xbbb45678},
      {29, VIEW_PA, 0x8bb45678},
      {30, VIEW_PA, 0xebb45678},
      {31, VIEW_PA, 0x2bb45678},
  };
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 1); /* domain 0 client, the others no access */
  struct view_bits bits = {.name = "section",
                           .va = VA,
                           .raw = 0xabb00c0e,
                           .size = 4,
                           .stage = 1,
                           .level = 1,
                           .change = change,
                           .changes = COUNT(change)};
  bits.skip = 1u << 13;  /* TEX 010, C, B: reserved */
  bits.skip |= 1u << 18; /* another format: has its own test */
  bits.base = base_view(0xabb45678, 20);
  bits.pa = tables_map_raw(tables, 1, VA, 1, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_supersection_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_ALLOWED, ALL_SIX & ~PRIV_X},
      {1, VIEW_FAULT, NW_FAULT_TRANSLATION},
      {2, VIEW_ATTR, 0xaa},
      {3, VIEW_ATTR, 0x04},
      {3, VIEW_SH, 2},
      {4, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)},
      /* bits 8:5 are PA[39:36], not a domain: the domain is 0 */
      {5, VIEW_PA, 0x10ab345678},
      {6, VIEW_PA, 0x20ab345678},
      {7, VIEW_PA, 0x40ab345678},
      {8, VIEW_PA, 0x80ab345678},
      {10, VIEW_ALLOWED, ALL_SIX & ~USER_W},
      {11, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},
      {12, VIEW_ATTR, 0xff},
      {14, VIEW_ATTR, 0x4e},
      {15, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},
      {16, VIEW_SH, 2},
      {17, VIEW_GLOBAL, 0},
      {18, VIEW_PAGE_LOG2, 20},
      {18, VIEW_PA, 0xab045678},
      /* bits 23:20 are PA[35:32] */
      {20, VIEW_PA, 0x01ab345678},
      {21, VIEW_PA, 0x02ab345678},
      {22, VIEW_PA, 0x04ab345678},
      {23, VIEW_PA, 0x08ab345678},
      {24, VIEW_PA, 0xaa345678},
      {25, VIEW_PA, 0xa9345678},
      {26, VIEW_PA, 0xaf345678},
      {27, VIEW_PA, 0xa3345678},
      {28, VIEW_PA, 0xbb345678},
      {29, VIEW_PA, 0x8b345678},
      {30, VIEW_PA, 0xeb345678},
      {31, VIEW_PA, 0x2b345678},
  };
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 1);
  struct view_bits bits = {.name = "supersection",
                           .va = VA,
                           .raw = 0xab040c0e,
                           .size = 4,
                           .stage = 1,
                           .level = 1,
                           .skip = 1u << 13,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0xab345678, 24);
  bits.pa = tables_map_raw(tables, 1, VA, 1, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_level_1_table_descriptor_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_FAULT, NW_FAULT_TRANSLATION},                     /* 0b00 */
      {2, VIEW_ALLOWED, ALL_SIX & ~PRIV_X},  {2, VIEW_LEVEL, 2}, /* PXN */
      {5, VIEW_FAULT, NW_FAULT_DOMAIN},      {5, VIEW_LEVEL, 2},
      {6, VIEW_FAULT, NW_FAULT_DOMAIN},      {6, VIEW_LEVEL, 2},
      {7, VIEW_FAULT, NW_FAULT_DOMAIN},      {7, VIEW_LEVEL, 2},
      {8, VIEW_FAULT, NW_FAULT_DOMAIN},      {8, VIEW_LEVEL, 2},
  };
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 1);
  tables_map_raw(tables, 1, VA, 2, 0xabcde03e, 0);
  struct view_bits bits = {.name = "level-1 table",
                           .va = VA,
                           .size = 4,
                           .stage = 1,
                           .level = 1,
                           .skip = 1u << 1,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0xabcde678, 12);
  bits.pa = tables_descriptor_pa(tables, 1, VA, 1);
  bits.raw = tables_get(tables, bits.pa, 4);
  /* any other base bit leads to a table that is empty */
  static const uint64_t base = 0xfffffc00;
  bits.skip |= base;
  view_every_bit(tables, &bits);
  for (unsigned bit = 10; bit < 32; bit++) {
    tables_put(tables, bits.pa, 4, bits.raw ^ 1u << bit);
    assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
    expect_fault(tables, NW_FAULT_TRANSLATION, 1, 2, false);
    assert_int_equal(tables->log[1].address, ((bits.raw ^ 1u << bit) & base) + 0x45 * 4);
  }
  tables_free(tables);
}

static void every_bit_of_a_small_page_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)}, /* XN */
      {2, VIEW_ATTR, 0xaa},
      {3, VIEW_ATTR, 0x04},
      {3, VIEW_SH, 2},
      {4, VIEW_ALLOWED, ALL_SIX & ~USER_W},
      {5, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},
      {6, VIEW_ATTR, 0xff},
      {8, VIEW_ATTR, 0x4e},
      {9, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},
      {10, VIEW_SH, 2},
      {11, VIEW_GLOBAL, 0},
      {12, VIEW_PA, 0xabcdf678},
      {13, VIEW_PA, 0xabcdc678},
      {14, VIEW_PA, 0xabcda678},
      {15, VIEW_PA, 0xabcd6678},
      {16, VIEW_PA, 0xabcce678},
      {17, VIEW_PA, 0xabcfe678},
      {18, VIEW_PA, 0xabc9e678},
      {19, VIEW_PA, 0xabc5e678},
      {20, VIEW_PA, 0xabdde678},
      {21, VIEW_PA, 0xabede678},
      {22, VIEW_PA, 0xab8de678},
      {23, VIEW_PA, 0xab4de678},
      {24, VIEW_PA, 0xaacde678},
      {25, VIEW_PA, 0xa9cde678},
      {26, VIEW_PA, 0xafcde678},
      {27, VIEW_PA, 0xa3cde678},
      {28, VIEW_PA, 0xbbcde678},
      {29, VIEW_PA, 0x8bcde678},
      {30, VIEW_PA, 0xebcde678},
      {31, VIEW_PA, 0x2bcde678},
      {1, VIEW_FAULT, NW_FAULT_TRANSLATION}, /* 0b00 */
  };
  struct tables *tables = fresh();
  struct view_bits bits = {.name = "small page",
                           .va = VA,
                           .raw = 0xabcde03e,
                           .size = 4,
                           .stage = 1,
                           .level = 2,
                           .skip = 1u << 7,
                           .change = change,
                           .changes = COUNT(change)};
  bits.base = base_view(0xabcde678, 12);
  bits.pa = tables_map_raw(tables, 1, VA, 2, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void every_bit_of_a_large_page_means_what_the_manual_says(void **state) {
  (void)state;
  static const struct view_change change[] = {
      {0, VIEW_FAULT, NW_FAULT_TRANSLATION}, /* 0b00 */
      {2, VIEW_ATTR, 0xaa},
      {3, VIEW_ATTR, 0x04},
      {3, VIEW_SH, 2},
      {4, VIEW_ALLOWED, ALL_SIX & ~USER_W},
      {5, VIEW_ALLOWED, PRIV_R | PRIV_W | PRIV_X},
      {9, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},
      {10, VIEW_SH, 2},
      {11, VIEW_GLOBAL, 0},
      {12, VIEW_ATTR, 0xff},
      {14, VIEW_ATTR, 0x4e},
      {15, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)}, /* XN */
      {16, VIEW_PA, 0xabcc5678},
      {17, VIEW_PA, 0xabcf5678},
      {18, VIEW_PA, 0xabc95678},
      {19, VIEW_PA, 0xabc55678},
      {20, VIEW_PA, 0xabdd5678},
      {21, VIEW_PA, 0xabed5678},
      {22, VIEW_PA, 0xab8d5678},
      {23, VIEW_PA, 0xab4d5678},
      {24, VIEW_PA, 0xaacd5678},
      {25, VIEW_PA, 0xa9cd5678},
      {26, VIEW_PA, 0xafcd5678},
      {27, VIEW_PA, 0xa3cd5678},
      {28, VIEW_PA, 0xbbcd5678},
      {29, VIEW_PA, 0x8bcd5678},
      {30, VIEW_PA, 0xebcd5678},
      {31, VIEW_PA, 0x2bcd5678},
  };
  struct tables *tables = fresh();
  struct view_bits bits = {.name = "large page",
                           .va = VA,
                           .raw = 0xabcd003d,
                           .size = 4,
                           .stage = 1,
                           .level = 2,
                           .change = change,
                           .changes = COUNT(change)};
  bits.skip = 1u << 13 | 1u << 1; /* TEX 010: reserved; 0b11: a small page, tested above */
  bits.base = base_view(0xabcd5678, 16);
  bits.pa = tables_map_raw(tables, 1, VA, 2, bits.raw, 0);
  view_every_bit(tables, &bits);
  tables_free(tables);
}

static void type_11_is_a_section_that_privileged_code_cannot_execute(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 1, VA, 1, 0xabb00c0f, 0);
  struct view seen = view_at(tables, NW_SCOPE_BOTH, VA);
  assert_int_equal(seen.aspect[VIEW_ALLOWED], ALL_SIX & ~PRIV_X);
  assert_int_equal(seen.aspect[VIEW_PA], 0xabb45678);
  tables_free(tables);
}

/* -- TTBCR.N (B3.5.4) -------------------------------------------------------------------------- */

static void ttbcr_n_splits_at_its_edge_and_shrinks_the_lower_table(void **state) {
  (void)state;
  for (unsigned n = 0; n < 8; n++) {
    struct tables *tables = fresh();
    uint64_t low = 0x00ab0000 | ((uint64_t)1 << (14 - n)); /* aligned to its own size alone */
    uint64_t split = (uint64_t)1 << (32 - n);
    tables_register(tables, NW_REG_TTBCR, n);
    tables_register(tables, NW_REG_TTBR0, low | 0x7f); /* attribute bits are no address bits */
    tables_register(tables, NW_REG_TTBR1, 0x00cd7feb); /* bits 13:0 are no address */
    tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, split - 1);
    assert_int_equal(tables->log[0].address, low + ((split - 1) >> 20) * 4);
    expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
    if (n > 0) {
      tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, split);
      assert_int_equal(tables->log[0].address, 0x00cd4000 + (split >> 20) * 4);
      tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0xffffffff);
      assert_int_equal(tables->log[0].address, 0x00cd4000 + 0xfff * 4);
    }
    tables_free(tables);
  }
}

static void bits_below_a_tables_size_are_not_part_of_ttbr(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_TTBR0, 0xdead0000ffff7fffull); /* the upper word is not used */
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0);
  assert_int_equal(tables->log[0].address, 0xffff4000);
  tables_register(tables, NW_REG_TTBCR, 7);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0);
  assert_int_equal(tables->log[0].address, 0xffff7f80);
  tables_free(tables);
}

static void pd0_and_pd1_are_level_1_translation_faults_without_a_read(void **state) {
  (void)state;
  static const struct {
    uint32_t ttbcr, va;
    bool fault;
  } row[] = {
      {0x10, 0, true},           {0x20, 0, false},
      {0x10, 0xffffffff, true},  {0x20, 0xffffffff, false} /* N = 0: TTBR1 is never used */,
      {0x11, 0x7fffffff, true},  {0x11, 0x80000000, false},
      {0x21, 0x7fffffff, false}, {0x21, 0x80000000, true},
      {0x31, 0, true},           {0x31, 0xffffffff, true},
      {0x17, 0x01ffffff, true},  {0x27, 0x02000000, true},
      {0x27, 0x01ffffff, false},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct tables *tables = fresh();
    tables_register(tables, NW_REG_TTBR1, TABLES_IPA);
    tables_register(tables, NW_REG_TTBCR, row[i].ttbcr);
    tables_map_raw(tables, 1, row[i].va, 1, 0xabb00c0e, 0);
    assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, row[i].va),
                     !row[i].fault);
    if (row[i].fault) {
      expect_fault(tables, NW_FAULT_TRANSLATION, 1, 1, false);
      assert_int_equal(tables->reads, 0);
    }
    tables_free(tables);
  }
}

/* -- rights (B3.7) ----------------------------------------------------------------------------- */

/* Table B3-8 and, for SCTLR.AFE, B3-9: what AP[2:0] gives to PL1 and PL0. */
static const char *const full_model[8][2] = {
    {"-", "-"}, {"rw", "-"}, {"rw", "r"}, {"rw", "rw"},
    {"-", "-"}, {"r", "-"},  {"r", "r"},  {"r", "r"},
};
static const char *const simplified_model[4][2] = {
    {"rw", "-"},
    {"rw", "rw"},
    {"r", "-"},
    {"r", "r"},
};

static bool has(const char *rights, char right) {
  for (; *rights; rights++)
    if (*rights == right)
      return true;
  return false;
}

struct knobs {
  unsigned ap;
  bool afe, xn, pxn, wxn, uwxn;
};

/* B3.7.2, "Execute-never restrictions on instruction fetching": PL1 cannot fetch where it cannot
 * read, where XN or PXN is set, where it can write under WXN, or where PL0 can write under UWXN. */
static uint64_t allowed_by_the_manual(const struct knobs *k) {
  const char *const *rights = k->afe ? simplified_model[k->ap >> 1] : full_model[k->ap];
  bool priv_r = has(rights[0], 'r'), priv_w = has(rights[0], 'w');
  bool user_r = has(rights[1], 'r'), user_w = has(rights[1], 'w');
  bool priv_x = priv_r && !k->xn && !k->pxn;
  bool user_x = user_r && !k->xn;
  if (k->wxn && priv_w)
    priv_x = false;
  if (k->wxn && user_w)
    user_x = false;
  if (k->uwxn && user_w)
    priv_x = false;
  return (user_r ? USER_R : 0u) | (user_w ? USER_W : 0u) | (user_x ? USER_X : 0u) |
         (priv_r ? PRIV_R : 0u) | (priv_w ? PRIV_W : 0u) | (priv_x ? PRIV_X : 0u);
}

static void check_rights(struct tables *tables, const struct knobs *k, unsigned level) {
  uint32_t raw = level == 1 ? 0xabb0000eu | (k->ap & 3) << 10 | (k->ap >> 2) << 15 |
                                  (k->xn ? 1u << 4 : 0) | (k->pxn ? 1u : 0)
                            : 0xabcde00eu | (k->ap & 3) << 4 | (k->ap >> 2) << 9 | (k->xn ? 1u : 0);
  tables_map_raw(tables, 1, VA, level, raw, 0);
  if (level == 2) {
    uint64_t at = tables_descriptor_pa(tables, 1, VA, 1);
    uint64_t table = tables_get(tables, at, 4) & ~(uint64_t)4;
    tables_put(tables, at, 4, table | (k->pxn ? 4 : 0));
  }
  struct view seen = view_at(tables, NW_SCOPE_BOTH, VA);
  uint64_t expected = allowed_by_the_manual(k);
  if (k->afe && !(k->ap & 1)) {
    assert_int_equal(seen.aspect[VIEW_ALLOWED], 0);
    assert_int_equal(seen.aspect[VIEW_FAULT], NW_FAULT_ACCESS_FLAG);
  } else {
    assert_int_equal(seen.aspect[VIEW_ALLOWED], expected);
    assert_int_equal(seen.aspect[VIEW_FAULT], expected == ALL_SIX ? 0 : NW_FAULT_PERMISSION);
  }
  if (seen.aspect[VIEW_FAULT])
    assert_int_equal(seen.aspect[VIEW_LEVEL], level);
}

static void ap_afe_xn_pxn_wxn_and_uwxn_give_exactly_the_rights_of_the_manual(void **state) {
  (void)state;
  struct tables *at_level[] = {fresh(), fresh()};
  for (unsigned i = 0; i < 256; i++) {
    struct knobs k = {i & 7, i >> 3 & 1, i >> 4 & 1, i >> 5 & 1, i >> 6 & 1, i >> 7 & 1};
    uint32_t sctlr = 1u | (k.wxn ? 1u << 19 : 0) | (k.uwxn ? 1u << 20 : 0) | (k.afe ? 1u << 29 : 0);
    for (unsigned level = 1; level <= 2; level++) {
      tables_register(at_level[level - 1], NW_REG_SCTLR, sctlr);
      check_rights(at_level[level - 1], &k, level);
    }
  }
  tables_free(at_level[0]);
  tables_free(at_level[1]);
}

/* -- domains (B3.7.3) -------------------------------------------------------------------------- */

static void each_domain_is_judged_by_its_own_field_of_dacr(void **state) {
  (void)state;
  static const unsigned fault[] = {NW_FAULT_DOMAIN, NW_FAULT_NONE, NW_FAULT_DOMAIN, NW_FAULT_NONE};
  for (unsigned domain = 0; domain < 16; domain++)
    for (unsigned field = 0; field < 4; field++) {
      struct tables *tables = fresh();
      /* the other fields say the contrary */
      uint32_t others = field == 1 ? 0u : 0x55555555u;
      uint32_t dacr = (others & ~(3u << 2 * domain)) | field << 2 * domain;
      tables_register(tables, NW_REG_DACR, dacr);
      tables_map_raw(tables, 1, VA, 2, 0xabcde03e, domain);
      tables_map_raw(tables, 1, 0x80000000, 1, 0xabb00c0e | domain << 5, 0);
      tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
      assert_int_equal(tables->result.fault.type, fault[field]);
      assert_int_equal(tables->reads, 2);
      if (fault[field]) {
        expect_fault(tables, NW_FAULT_DOMAIN, 1, 2, false);
        assert_int_equal(tables->result.fault.domain, domain);
      }
      tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0x80000000);
      assert_int_equal(tables->result.fault.type, fault[field]);
      if (fault[field]) {
        expect_fault(tables, NW_FAULT_DOMAIN, 1, 1, false);
        assert_int_equal(tables->result.fault.domain, domain);
      }
      tables_free(tables);
    }
}

static void a_manager_ignores_ap_xn_pxn_and_wxn(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 3);
  tables_register(tables, NW_REG_SCTLR, 1 | 3u << 19);
  tables_map_raw(tables, 1, VA, 1, 0xabb0001f, 0); /* AP 000, XN, PXN */
  struct view seen = view_at(tables, NW_SCOPE_BOTH, VA);
  assert_int_equal(seen.aspect[VIEW_ALLOWED], ALL_SIX);
  tables_free(tables);
}

/* B3.7.3 and B3.7.4: a manager domain does not excuse a clear access flag. */
static void a_manager_does_not_ignore_the_access_flag(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 3);
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 29);
  tables_map_raw(tables, 1, VA, 1, 0xabb0080e, 0);
  tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
  expect_fault(tables, NW_FAULT_ACCESS_FLAG, 1, 1, false);
  tables_free(tables);
}

static void priority_is_translation_access_flag_domain_permission(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_DACR, 0);
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 29);
  tables_map_raw(tables, 1, VA, 2, 0, 5);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 1, 2, false);
  tables_map_raw(tables, 1, VA, 2, 0xabcde22e, 5); /* AP 110: the access flag is clear */
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_ACCESS_FLAG, 1, 2, false);
  tables_map_raw(tables, 1, VA, 2, 0xabcde23e, 5); /* AP 111 */
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_DOMAIN, 1, 2, false);
  tables_register(tables, NW_REG_DACR, 1u << 10);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 2, false);
  tables_free(tables);
}

/* -- attributes (B3.8) ------------------------------------------------------------------------- */

/* Table B3-10. The reserved and implementation-defined rows (0x05, 0x06, 0x09 to 0x0f) are left
 * out; "shareable" without remap is outer shareable (DefaultTEXDecode). */
static const struct {
  uint8_t tex_cb, attr;
  bool device;
} tex[] = {
    {0x00, 0x00, true},
    {0x01, 0x04, true},
    {0x02, 0xaa, false},
    {0x03, 0xee, false},
    {0x04, 0x44, false},
    {0x07, 0xff, false},
    {0x08, 0x04, true},
    /* 1BB AA: outer BB, inner AA: 00 NC, 01 WB WA, 10 WT, 11 WB */
    {0x10, 0x44, false},
    {0x11, 0x4f, false},
    {0x12, 0x4a, false},
    {0x13, 0x4e, false},
    {0x14, 0xf4, false},
    {0x15, 0xff, false},
    {0x16, 0xfa, false},
    {0x17, 0xfe, false},
    {0x18, 0xa4, false},
    {0x19, 0xaf, false},
    {0x1a, 0xaa, false},
    {0x1b, 0xae, false},
    {0x1c, 0xe4, false},
    {0x1d, 0xef, false},
    {0x1e, 0xea, false},
    {0x1f, 0xee, false},
};

static uint32_t section_of(unsigned tex_cb, unsigned s) {
  return 0xabb00c02u | (tex_cb & 3) << 2 | (tex_cb >> 2) << 12 | s << 16;
}

static void tex_c_and_b_give_the_attributes_of_the_manual(void **state) {
  (void)state;
  struct tables *tables = fresh();
  for (unsigned i = 0; i < COUNT(tex); i++)
    for (unsigned s = 0; s < 2; s++) {
      tables_map_raw(tables, 1, VA, 1, section_of(tex[i].tex_cb, s), 0);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
      assert_int_equal(tables->result.attr, tex[i].attr);
      bool outer = tex[i].device || s || tex[i].attr == 0x44;
      assert_int_equal(tables->result.sh, outer ? 2 : 0);
    }
  tables_free(tables);
}

/* B4.1.127 with what Linux writes: regions 0 and 5 are Strongly-ordered, 4 is Device, 1 is
 * non-cacheable, 2 write-through, 3 write-back, 7 write-back write-allocate; NS1 is set, NS0 clear,
 * NOS set for all. */
static void tex_remap_with_linuxs_registers(void **state) {
  (void)state;
  static const struct {
    uint8_t n, attr, sh_s0, sh_s1;
  } row[] = {
      {0, 0x00, 2, 2}, {1, 0x44, 2, 2}, {2, 0xaa, 0, 3}, {3, 0xee, 0, 3},
      {4, 0x04, 2, 2}, {5, 0x00, 2, 2}, {7, 0xff, 0, 3},
  };
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 28);
  tables_register(tables, NW_REG_PRRR_MAIR0, 0xff0a81a8);
  tables_register(tables, NW_REG_NMRR_MAIR1, 0x40e040e0);
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned ignored = 0; ignored < 32; ignored += 8) /* TEX[2:1] belong to the system */
      for (unsigned s = 0; s < 2; s++) {
        tables_map_raw(tables, 1, VA, 1, section_of(row[i].n | ignored, s), 0);
        assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
        assert_int_equal(tables->result.attr, row[i].attr);
        assert_int_equal(tables->result.sh, s ? row[i].sh_s1 : row[i].sh_s0);
      }
  tables_free(tables);
}

static void tex_remap_takes_each_field_from_its_own_place(void **state) {
  (void)state;
  static const uint8_t nibble[4] = {0x4, 0xf, 0xa, 0xe};
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 28);
  for (unsigned n = 0; n < 8; n++)
    for (unsigned inner = 0; inner < 4; inner++)
      for (unsigned outer = 0; outer < 4; outer++)
        for (unsigned share = 0; share < 16; share++) {
          unsigned ns0 = share & 1, ns1 = share >> 1 & 1, nos = share >> 2 & 1, s = share >> 3;
          /* the other seven regions are Strongly-ordered, with the contrary NOS */
          uint32_t prrr = 2u << 2 * n | ns0 << 18 | ns1 << 19;
          prrr |= nos ? 1u << (24 + n) : 0xff000000u & ~(1u << (24 + n));
          tables_register(tables, NW_REG_PRRR_MAIR0, prrr);
          tables_register(tables, NW_REG_NMRR_MAIR1, inner << 2 * n | outer << (2 * n + 16));
          tables_map_raw(tables, 1, VA, 1, section_of(n, s), 0);
          assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
          assert_int_equal(tables->result.attr, nibble[outer] << 4 | nibble[inner]);
          unsigned shareable = s ? ns1 : ns0;
          unsigned sh = shareable ? (nos ? 3 : 2) : 0;
          assert_int_equal(tables->result.sh, inner == 0 && outer == 0 ? 2 : sh);
        }
  tables_free(tables);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void big_endian_descriptors_are_read_with_sctlr_ee(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 25);
  tables_put(tables, TABLES_IPA + 0x123 * 4, 4, 0x01500040); /* 0x40005001, as bytes 40 00 50 01 */
  tables_put(tables, 0x40005000 + 0x45 * 4, 4, 0x3ee0cdab);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0xabcde678, 12);
  tables_register(tables, NW_REG_SCTLR, 1);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  assert_int_equal(tables->result.fault.type, NW_FAULT_TRANSLATION);
  tables_free(tables);
}

static void
a_large_page_and_a_supersection_are_reached_through_each_of_their_16_copies(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map(tables, 1, 0x55550000, 0x76540000, 16, MAP_ALL);
  tables_map(tables, 1, 0x23000000, 0xfe98000000, 24, MAP_ALL);
  for (uint64_t i = 0; i < 16; i++) {
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x55550123 + (i << 12)));
    expect_ok(tables, 0x76540123 + (i << 12), 16);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x23012345 + (i << 20)));
    expect_ok(tables, 0xfe98012345 + (i << 20), 24);
  }
  tables_free(tables);
}

static void with_the_mmu_off_a_va_is_the_pa(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 0);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0xfedcba98));
  expect_ok(tables, 0xfedcba98, 12);
  assert_int_equal(tables->reads, 0);
  assert_int_equal(tables->result.attr, 0x00); /* B3.2.1: data is Strongly-ordered */
  assert_int_equal(tables->result.sh, 2);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, 0xfedcba98));
  assert_int_equal(tables->result.attr, 0x44); /* and a fetch non-cacheable with SCTLR.I clear, */
  tables_register(tables, NW_REG_SCTLR, 1u << 12);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, 0xfedcba98));
  assert_int_equal(tables->result.attr, 0xaa); /* write-through with it set */
  tables_free(tables);
}

static void an_abort_on_either_level_is_an_external_abort_of_that_level(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 1, VA, 2, 0xabcde03e, 7);
  uint64_t level2 = tables_descriptor_pa(tables, 1, VA, 2);
  tables_hole(tables, level2, level2 + 3);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 1, 2, false);
  assert_int_equal(tables->result.fault.domain, 7);
  tables_hole(tables, TABLES_IPA, TABLES_IPA + 0x3fff);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_EXTERNAL_ABORT, 1, 1, false);
  assert_int_equal(tables->reads, 1);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_of_a_section_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_supersection_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_level_1_table_descriptor_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_small_page_means_what_the_manual_says),
      cmocka_unit_test(every_bit_of_a_large_page_means_what_the_manual_says),
      cmocka_unit_test(type_11_is_a_section_that_privileged_code_cannot_execute),
      cmocka_unit_test(ttbcr_n_splits_at_its_edge_and_shrinks_the_lower_table),
      cmocka_unit_test(bits_below_a_tables_size_are_not_part_of_ttbr),
      cmocka_unit_test(pd0_and_pd1_are_level_1_translation_faults_without_a_read),
      cmocka_unit_test(ap_afe_xn_pxn_wxn_and_uwxn_give_exactly_the_rights_of_the_manual),
      cmocka_unit_test(each_domain_is_judged_by_its_own_field_of_dacr),
      cmocka_unit_test(a_manager_ignores_ap_xn_pxn_and_wxn),
      cmocka_unit_test(a_manager_does_not_ignore_the_access_flag),
      cmocka_unit_test(priority_is_translation_access_flag_domain_permission),
      cmocka_unit_test(tex_c_and_b_give_the_attributes_of_the_manual),
      cmocka_unit_test(tex_remap_with_linuxs_registers),
      cmocka_unit_test(tex_remap_takes_each_field_from_its_own_place),
      cmocka_unit_test(big_endian_descriptors_are_read_with_sctlr_ee),
      cmocka_unit_test(a_large_page_and_a_supersection_are_reached_through_each_of_their_16_copies),
      cmocka_unit_test(with_the_mmu_off_a_va_is_the_pa),
      cmocka_unit_test(an_abort_on_either_level_is_an_external_abort_of_that_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
