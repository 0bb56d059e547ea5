/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what on x86-64: SDM vol. 3, 4.6.1 and 4.6.2 as a table of their sentences, against
 * every combination of page, registers and access; what nested tables and EPT allow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/tables.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0x0000123456789000ull
#define PAGE_PA 0x8b7a5b7000ull
#define KEY 11

#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE (1ull << 22)

enum writable { ANY, RW, RW_IF_WP };

/* 4.6.1, a row for each sentence; a combination that is in no row is not allowed. */
static const struct sentence {
  enum nw_privilege privilege;
  enum nw_access access;
  bool user_page;
  enum writable writable; /* R/W must be 1 in every entry */
  bool not_under_smep;
  bool ac_under_smap;
  bool key; /* must permit it */
  bool no_xd;
} sentences[] = {
    {NW_PRIVILEGED, NW_READ, false, .writable = ANY},
    {NW_PRIVILEGED, NW_READ, true, .ac_under_smap = true, .key = true},
    {NW_PRIVILEGED, NW_WRITE, false, .writable = RW_IF_WP},
    {NW_PRIVILEGED, NW_WRITE, true, .writable = RW_IF_WP, .ac_under_smap = true, .key = true},
    {NW_PRIVILEGED, NW_EXECUTE, false, .no_xd = true},
    {NW_PRIVILEGED, NW_EXECUTE, true, .not_under_smep = true, .no_xd = true},
    {NW_USER, NW_READ, true, .key = true},
    {NW_USER, NW_WRITE, true, .writable = RW, .key = true},
    {NW_USER, NW_EXECUTE, true, .no_xd = true},
};

/* What the entries take from a page, and at which level. */
struct page {
  unsigned level;
  bool user, writable, xd;
};

struct machine {
  bool wp, smep, smap, ac, pke, ad, wd;
};

/* 4.6.2: what the key takes. */
static bool key_denies(const struct machine *m, const struct page *page, enum nw_access access,
                       enum nw_privilege privilege) {
  bool writes = access == NW_WRITE && m->wd && (privilege == NW_USER || m->wp);
  return m->pke && page->user && access != NW_EXECUTE && (m->ad || writes);
}

static bool fulfils(const struct sentence *s, const struct machine *m, const struct page *page) {
  bool needs_rw = s->writable == RW || (s->writable == RW_IF_WP && m->wp);
  return (page->writable || !needs_rw) && !(s->not_under_smep && m->smep) &&
         !(s->ac_under_smap && m->smap && !m->ac) && !(s->no_xd && page->xd) &&
         !(s->key && key_denies(m, page, s->access, s->privilege));
}

static bool manual_allows(const struct machine *m, const struct page *page, enum nw_access access,
                          enum nw_privilege privilege) {
  for (unsigned i = 0; i < COUNT(sentences); i++) {
    const struct sentence *s = &sentences[i];
    if (s->privilege == privilege && s->access == access && s->user_page == page->user)
      return fulfils(s, m, page);
  }
  return false;
}

static void set_machine(struct tables *tables, const struct machine *m) {
  tables_register(tables, NW_X86_CR0, m->wp ? X86_CR0 : X86_CR0 & ~(1ull << 16));
  tables_register(tables, NW_X86_CR4,
                  X86_CR4 | (m->smep ? CR4_SMEP : 0) | (m->smap ? CR4_SMAP : 0) |
                      (m->pke ? CR4_PKE : 0));
  tables_register(tables, NW_X86_AC, m->ac);
  tables_register(tables, NW_X86_PKRU, (m->ad ? 1u << 2 * KEY : 0) | (m->wd ? 2u << 2 * KEY : 0));
}

static void put_page(struct tables *tables, const struct page *page) {
  tables_map_raw(tables, 1, VA, 1, PAGE_PA | X86_PAGE | X86_KEY(KEY), 0);
  for (unsigned level = 1; level <= 4; level++) {
    uint64_t at = tables_descriptor_pa(tables, 1, VA, level);
    uint64_t all = (tables_get(tables, at, 8) | X86_U | X86_W) & ~X86_XD;
    if (level == page->level)
      all = (all & ~((page->user ? 0 : X86_U) | (page->writable ? 0 : X86_W))) |
            (page->xd ? X86_XD : 0);
    tables_put(tables, at, 8, all);
  }
}

static void check_access(struct tables *tables, const struct machine *m, const struct page *page,
                         enum nw_access access, enum nw_privilege privilege) {
  bool allowed = manual_allows(m, page, access, privilege);
  assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, access, privilege, VA), allowed);
  if (allowed)
    return;
  const struct nw_fault *fault = &tables->result.fault;
  unsigned code = 1u | (access == NW_WRITE ? 2u : 0) | (privilege == NW_USER ? 4u : 0) |
                  (access == NW_EXECUTE ? 16u : 0) |
                  (key_denies(m, page, access, privilege) ? 32u : 0);
  expect_fault(tables, NW_FAULT_PERMISSION, 1, 1, false);
  assert_int_equal(nw_fault_syndrome(&tables->regime, fault).value[0], code);
}

/* U/S x R/W x XD, each at every level, x WP x SMEP x SMAP x AC x PKE x PKRU x access x
 * privilege. */
static void every_access_is_allowed_as_the_manuals_sentences_say(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_X86_64);
  for (unsigned p = 0; p < 4 * 8; p++) {
    struct page page = {1 + p / 8, p & 1, p & 2, p & 4};
    put_page(tables, &page);
    for (unsigned r = 0; r < 128; r++) {
      struct machine m = {r & 1, r & 2, r & 4, r & 8, r & 16, r & 32, r & 64};
      set_machine(tables, &m);
      for (unsigned who = 0; who < 6; who++)
        check_access(tables, &m, &page, (enum nw_access)(who % 3), (enum nw_privilege)(who / 3));
    }
  }
  tables_free(tables);
}

/* Nothing but AC is written: what is allowed follows it at once. */
static void ac_alone_lets_the_supervisor_past_smap(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_X86_64);
  tables_register(tables, NW_X86_CR4, X86_CR4 | CR4_SMAP);
  tables_map_raw(tables, 1, VA, 1, PAGE_PA | X86_PAGE, 0);
  for (unsigned ac = 0; ac < 4; ac++) {
    assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_PRIVILEGED, VA), ac & 1);
    tables_register(tables, NW_X86_AC, ~ac & 1);
  }
  tables_free(tables);
}

/* 4.6.2: of each key two bits, and no other key's. */
static void each_key_has_its_own_two_bits_of_pkru(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_X86_64);
  tables_register(tables, NW_X86_CR4, X86_CR4 | CR4_PKE);
  for (unsigned key = 0; key < 16; key++) {
    tables_map_raw(tables, 1, VA, 1, PAGE_PA | X86_PAGE | X86_KEY(key), 0);
    for (unsigned bit = 0; bit < 32; bit++) {
      tables_register(tables, NW_X86_PKRU, 1u << bit);
      assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA), bit != 2 * key);
      assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA), bit / 2 != key);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_EXECUTE, NW_USER, VA));
    }
  }
  tables_free(tables);
}

/* The three rights of nested tables, taken at any level. Who asks, WP, SMEP and SMAP do not matter:
 * to them every access is a user's (APM vol. 2, 15.25.5; SDM vol. 3, 29.3.3.2). */
static void stage_2_allows_what_every_level_allows(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    uint64_t cleared, set;
    uint8_t allowed; /* bit enum nw_access */
  } row[] = {
      {NW_REGIME_X86_SVM_NPT, 0, 0, 7},
      {NW_REGIME_X86_SVM_NPT, X86_U, 0, 0},
      {NW_REGIME_X86_SVM_NPT, X86_W, 0, 5},
      {NW_REGIME_X86_SVM_NPT, 0, X86_XD, 3},
      {NW_REGIME_X86_SVM_NPT, X86_W, X86_XD, 1},
      {NW_REGIME_X86_SVM_NPT, X86_U, X86_XD, 0},
      {NW_REGIME_X86_EPT, 0, 0, 7},
      {NW_REGIME_X86_EPT, EPT_W, 0, 5},
      {NW_REGIME_X86_EPT, EPT_X, 0, 3},
      {NW_REGIME_X86_EPT, EPT_W | EPT_X, 0, 1},
      {NW_REGIME_X86_EPT, EPT_R | EPT_W, 0, 4},
  };
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned level = 1; level <= 4; level++)
      for (unsigned who = 0; who < 12; who++) {
        struct tables *tables = tables_new(row[i].kind);
        struct machine m = {.wp = who >= 6, .smep = true, .smap = true};
        enum nw_access access = (enum nw_access)(who % 3);
        set_machine(tables, &m);
        tables_map(tables, 2, PAGE_PA, 0xd5c0e00000, 12, MAP_ALL);
        uint64_t at = tables_descriptor_pa(tables, 2, PAGE_PA, level);
        tables_put(tables, at, 8, (tables_get(tables, at, 8) & ~row[i].cleared) | row[i].set);
        bool allowed = row[i].allowed >> access & 1;
        assert_int_equal(
            tables_walk(tables, NW_SCOPE_STAGE2, access, (enum nw_privilege)(who / 3 % 2), PAGE_PA),
            allowed);
        if (!allowed) {
          expect_fault(tables, NW_FAULT_PERMISSION, 2, 1, false);
          assert_int_equal(tables->result.fault.s2_allows, row[i].allowed);
        }
        tables_free(tables);
      }
}

/* EPT's R, W and X are AND'ed over the levels, and so is what a violation tells of them. */
static void what_ept_allows_is_the_and_of_all_levels(void **state) {
  (void)state;
  for (unsigned above = 1; above < 8; above++)
    for (unsigned leaf = 1; leaf < 8; leaf++)
      for (unsigned access = 0; access < 3; access++) {
        if ((above & 3) == 2 || (leaf & 3) == 2)
          continue; /* writing without reading: a misconfiguration */
        struct tables *tables = tables_new(NW_REGIME_X86_EPT);
        tables_map_raw(tables, 2, PAGE_PA, 1, 0xd5c0e00000 | EPT_WB | leaf, 0);
        uint64_t at = tables_descriptor_pa(tables, 2, PAGE_PA, 3);
        tables_put(tables, at, 8, (tables_get(tables, at, 8) & ~EPT_RWX) | above);
        bool allowed = (above & leaf) >> access & 1;
        assert_int_equal(
            tables_walk(tables, NW_SCOPE_STAGE2, (enum nw_access)access, NW_PRIVILEGED, PAGE_PA),
            allowed);
        if (!allowed) {
          unsigned code = nw_fault_syndrome(&tables->regime, &tables->result.fault).value[0];
          assert_int_equal(code, 1u << access | (above & leaf) << 3 | 0x180);
        }
        tables_free(tables);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_access_is_allowed_as_the_manuals_sentences_say),
      cmocka_unit_test(ac_alone_lets_the_supervisor_past_smap),
      cmocka_unit_test(each_key_has_its_own_two_bits_of_pkru),
      cmocka_unit_test(stage_2_allows_what_every_level_allows),
      cmocka_unit_test(what_ept_allows_is_the_and_of_all_levels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
