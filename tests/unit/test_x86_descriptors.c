/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bit of every descriptor of x86-64, of AMD's nested tables and of Intel's EPT, as the
 * manuals' figures have them: SDM vol. 3, figure 4-11 and tables 4-14 to 4-20; tables 29-1 to 29-7;
 * APM vol. 2, 5.3.3 and 15.25.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/rights.h"
#include "support/tables.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0xff5a9234567891abull
#define IPA 0x8040201000ull

#define EIGHT(letter) letter letter letter letter letter letter letter letter

/*
 * A figure from bit 63 down to bit 0. P present; W, U, X rights, in EPT r, w, x; K key; A address;
 * R reserved; . ignored; G global; T memory type; M EPT's memory type; S leaf or table; a, d
 * accessed and dirty.
 */
static const struct figure {
  enum nw_regime_kind kind;
  unsigned stage;
  unsigned levels; /* bit mask */
  uint64_t bits;   /* set in every entry of this kind that allows everything */
  const char *text;
} figures[] = {
    /* PML5E, PML4E */
    {NW_REGIME_X86_64, 1, 1u << 5 | 1u << 4, X86_TABLE,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "....R.a..UWP"},
    /* PDPTE, PDE that name a table */
    {NW_REGIME_X86_64, 1, 1u << 3 | 1u << 2, X86_TABLE,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "....S.a..UWP"},
    /* PDPTE, PDE and PTE that map a page */
    {NW_REGIME_X86_64, 1, 1u << 3, X86_PAGE | X86_PS,
     "XKKKK......." EIGHT("A") EIGHT("A") "AAAAAA" EIGHT("R") EIGHT("R") "RT...GSdaTTUWP"},
    {NW_REGIME_X86_64, 1, 1u << 2, X86_PAGE | X86_PS,
     "XKKKK......." EIGHT("A") EIGHT("A") EIGHT("A") "AAAAAAA" EIGHT("R") "T...GSdaTTUWP"},
    {NW_REGIME_X86_64, 1, 1u << 1, X86_PAGE,
     "XKKKK......." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "...GTdaTTUWP"},
    /* nested */
    {NW_REGIME_X86_SVM_NPT, 2, 1u << 5 | 1u << 4, X86_TABLE,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "....R.a..UWP"},
    {NW_REGIME_X86_SVM_NPT, 2, 1u << 3 | 1u << 2, X86_TABLE,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "....S.a..UWP"},
    {NW_REGIME_X86_SVM_NPT, 2, 1u << 3, X86_PAGE | X86_PS,
     "X..........." EIGHT("A") EIGHT("A") "AAAAAA" EIGHT("R") EIGHT("R") "R.....SdaTTUWP"},
    {NW_REGIME_X86_SVM_NPT, 2, 1u << 2, X86_PAGE | X86_PS,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") "AAAAAAA" EIGHT("R") ".....SdaTTUWP"},
    {NW_REGIME_X86_SVM_NPT, 2, 1u << 1, X86_PAGE,
     "X..........." EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") ".....daTTUWP"},
    /* EPT */
    {NW_REGIME_X86_EPT, 2, 1u << 5 | 1u << 4, EPT_RWX | EPT_A,
     "............" EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "...aRRRRRxwr"},
    {NW_REGIME_X86_EPT, 2, 1u << 3 | 1u << 2, EPT_RWX | EPT_A,
     "............" EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "...aSRRRRxwr"},
    {NW_REGIME_X86_EPT, 2, 1u << 3, EPT_RWX | EPT_A | EPT_D | EPT_PS,
     "............" EIGHT("A") EIGHT("A") "AAAAAA" EIGHT("R") EIGHT("R") "RR..daSTMMMxwr"},
    {NW_REGIME_X86_EPT, 2, 1u << 2, EPT_RWX | EPT_A | EPT_D | EPT_PS,
     "............" EIGHT("A") EIGHT("A") EIGHT("A") "AAAAAAA" EIGHT("R") "R..daSTMMMxwr"},
    {NW_REGIME_X86_EPT, 2, 1u << 1, EPT_RWX | EPT_A | EPT_D,
     "............" EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") EIGHT("A") "..da.TMMMxwr"},
};

static const uint8_t widths[] = {36, 40, 46, 52};

static char letter_of(const struct figure *figure, unsigned bit) {
  return figure->text[63 - bit];
}

/* A machine whose addresses have `width` bits, with or without NXE in both stages; EPT with
 * flags. */
static struct tables *machine(enum nw_regime_kind kind, unsigned width, bool nxe) {
  struct tables *tables = tables_new(kind);
  struct nw_capabilities capabilities = nw_default_capabilities;
  capabilities.maxphyaddr = (uint8_t)width;
  assert_true(nw_regime_set_capabilities(&tables->regime, &capabilities));
  tables_register(tables, NW_X86_EFER, nxe ? X86_EFER : X86_EFER & ~0x800ull);
  tables_register(tables, NW_X86_HOST_EFER, nxe ? 0x800 : 0);
  tables_register(tables, NW_X86_PAT, 0x0505050505050506); /* type 6 is entry 0 alone */
  if (kind == NW_REGIME_X86_EPT)
    tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
  return tables;
}

static bool same_meaning(const struct nw_descriptor *a, const struct nw_descriptor *b) {
  bool leaf = a->kind == NW_DESCRIPTOR_LEAF;
  return a->kind == b->kind && a->output == b->output && a->rights == b->rights &&
         (!leaf || (a->page_log2 == b->page_log2 && a->attr == b->attr && a->global == b->global));
}

static enum nw_descriptor_kind mistake_of(const struct figure *figure) {
  return figure->kind == NW_REGIME_X86_EPT ? NW_DESCRIPTOR_MISCONFIGURED : NW_DESCRIPTOR_RESERVED;
}

/* What the entry with one bit turned over means, against what it meant before. */
static bool bit_is_as_drawn(const struct tables *tables, const struct figure *figure,
                            unsigned level, unsigned bit, bool nxe) {
  uint64_t mask = (uint64_t)1 << bit;
  struct nw_descriptor before = tables_decode(tables, figure->stage, level, figure->bits);
  struct nw_descriptor after = tables_decode(tables, figure->stage, level, figure->bits ^ mask);
  char letter = letter_of(figure, bit);
  bool high = bit >= tables->regime.capabilities.maxphyaddr && bit < 52;

  if (high || letter == 'R' || (letter == 'X' && !nxe))
    return after.kind == mistake_of(figure);
  switch (letter) {
  case '.':
    return same_meaning(&before, &after) && after.updated == (figure->bits ^ mask);
  case 'A':
    return after.kind == before.kind && after.output == (before.output ^ mask) &&
           after.rights == before.rights;
  case 'P':
    return after.kind == NW_DESCRIPTOR_INVALID && after.updated == (figure->bits ^ mask);
  case 'r': /* neither WX nor W can be allowed without R */
    return after.kind == NW_DESCRIPTOR_MISCONFIGURED;
  case 'S':
    return before.kind != after.kind;
  case 'G':
    return !before.global && after.global && after.rights == before.rights;
  case 'a':
    return same_meaning(&before, &after) && after.updated == figure->bits;
  case 'd':
    return after.kind == before.kind && after.updated == (figure->bits ^ mask) &&
           nwi_rights_clean(after.rights) && !nwi_rights_clean(before.rights);
  case 'T':
    after.attr = before.attr ^ after.attr ? before.attr : 0xff;
    return same_meaning(&before, &after);
  case 'M':
    return bit == 4 ? after.kind == mistake_of(figure) : before.attr != after.attr;
  default: /* W U X x w: judged by whoever uses it; K */
    return after.kind == before.kind && after.output == before.output &&
           after.rights != before.rights;
  }
}

static void every_bit_means_what_the_figure_says(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(figures); i++)
    for (unsigned combination = 0; combination < 8; combination++) {
      const struct figure *figure = &figures[i];
      bool nxe = combination & 1;
      struct tables *tables = machine(figure->kind, widths[combination / 2], nxe);
      assert_int_equal(strlen(figure->text), 64);
      for (unsigned level = 1; level <= 5; level++)
        for (unsigned bit = 0; figure->levels >> level & 1 && bit < 64; bit++)
          if (!bit_is_as_drawn(tables, figure, level, bit, nxe))
            fail_msg("%s, level %u, bit %u is not '%c' (maxphyaddr %u, NXE %u)",
                     nw_regime_name(figure->kind), level, bit, letter_of(figure, bit),
                     widths[combination / 2], nxe);
      tables_free(tables);
    }
}

/* SDM vol. 3, 4.7: P = 0 is looked at before any other bit; 29.3.3: so is 2:0 = 0. */
static void an_entry_that_is_not_present_has_no_reserved_bits(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(figures); i++) {
    struct tables *tables = machine(figures[i].kind, 36, false);
    uint64_t present = figures[i].kind == NW_REGIME_X86_EPT ? EPT_RWX : X86_P;
    for (unsigned level = 1; level <= 5; level++)
      if (figures[i].levels >> level & 1) {
        struct nw_descriptor d = tables_decode(tables, figures[i].stage, level, ~present);
        assert_int_equal(d.kind, NW_DESCRIPTOR_INVALID);
        assert_int_equal(d.updated, ~present);
      }
    tables_free(tables);
  }
}

static void a_machine_without_1g_pages_has_ps_reserved_in_a_pdpte(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(figures); i++) {
    const struct figure *figure = &figures[i];
    struct tables *tables = machine(figure->kind, 40, true);
    struct nw_capabilities none = tables->regime.capabilities;
    none.gigabyte_pages = false;
    assert_true(nw_regime_set_capabilities(&tables->regime, &none));
    for (unsigned level = 1; level <= 5; level++)
      if (figure->levels >> level & 1) {
        bool large = level == 3 && figure->bits & X86_PS;
        unsigned kind = tables_decode(tables, figure->stage, level, figure->bits).kind;
        assert_int_equal(kind == mistake_of(figure), large);
      }
    tables_free(tables);
  }
}

/* SDM vol. 3, 29.3.3.1: all eight combinations of bits 2:0, at every level. */
static void ept_rights_that_mean_nothing_are_misconfigurations(void **state) {
  (void)state;
  static const uint8_t bad[] = {EPT_W, EPT_W | EPT_X};
  for (unsigned execute_only = 0; execute_only < 2; execute_only++)
    for (unsigned level = 1; level <= 5; level++)
      for (unsigned rights = 0; rights < 8; rights++) {
        struct tables *tables = machine(NW_REGIME_X86_EPT, 40, true);
        struct nw_capabilities capabilities = tables->regime.capabilities;
        capabilities.execute_only = execute_only;
        assert_true(nw_regime_set_capabilities(&tables->regime, &capabilities));
        unsigned kind = tables_decode(tables, 2, level, rights).kind;
        bool wrong = rights == bad[0] || rights == bad[1] || (rights == EPT_X && !execute_only);
        unsigned right = level == 1 ? NW_DESCRIPTOR_LEAF : NW_DESCRIPTOR_TABLE;
        assert_int_equal(kind, wrong         ? NW_DESCRIPTOR_MISCONFIGURED
                               : rights == 0 ? NW_DESCRIPTOR_INVALID
                                             : right);
        tables_free(tables);
      }
}

/* Types 2, 3 and 7 of a leaf are reserved. */
static void ept_memory_types_are_those_of_the_manual(void **state) {
  (void)state;
  struct tables *tables = machine(NW_REGIME_X86_EPT, 40, true);
  for (unsigned level = 1; level <= 3; level++)
    for (uint64_t type = 0; type < 8; type++) {
      uint64_t leaf = EPT_RWX | (level == 1 ? 0 : EPT_PS) | type << 3;
      struct nw_descriptor d = tables_decode(tables, 2, level, leaf);
      bool reserved = type == 2 || type == 3 || type == 7;
      assert_int_equal(d.kind, reserved ? NW_DESCRIPTOR_MISCONFIGURED : NW_DESCRIPTOR_LEAF);
      if (!reserved)
        assert_int_equal(d.attr & 7, type);
    }
  tables_free(tables);
}

/* -- told by a walk ---------------------------------------------------------------------------- */

static struct tables *five_levels(enum nw_regime_kind kind) {
  struct tables *tables = tables_new(kind);
  tables_five_levels(tables, 1);
  if (kind != NW_REGIME_X86_64)
    tables_five_levels(tables, 2);
  tables_map(tables, 1, VA & ~0xfffull, IPA, 12, MAP_ALL);
  if (kind != NW_REGIME_X86_64)
    tables_map(tables, 2, IPA, 0xd5c0e00000, 12, MAP_ALL);
  return tables;
}

static void set(struct tables *tables, uint64_t at, uint64_t bits) {
  tables_put(tables, at, 8, tables_get(tables, at, 8) | bits);
}

/* At the level where it stands, before anything below is read. */
static void a_reserved_bit_of_stage_1_is_told_at_its_level(void **state) {
  (void)state;
  for (unsigned kind = NW_REGIME_X86_64; kind <= NW_REGIME_X86_EPT; kind++)
    for (unsigned level = 5; level >= 1; level--) {
      struct tables *tables = five_levels((enum nw_regime_kind)kind);
      set(tables, tables_descriptor_pa(tables, 1, VA, level), 1ull << 51);
      tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
      expect_fault(tables, NW_FAULT_RESERVED_BIT, 1, level, false);
      assert_int_equal(tables->log[tables->reads - 1].stage, 1);
      assert_int_equal(tables->log[tables->reads - 1].level, level);
      tables_free(tables);
    }
}

/* NPT: reserved; EPT: a misconfiguration. On the way to a guest table as on the final way, whose
 * topmost entries serve both. */
static void a_reserved_bit_of_a_nested_table_is_told_at_its_level(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    enum nw_fault_type type;
  } row[] = {{NW_REGIME_X86_SVM_NPT, NW_FAULT_RESERVED_BIT},
             {NW_REGIME_X86_EPT, NW_FAULT_MISCONFIG}};
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned walk = 0; walk < 2; walk++)
      for (unsigned level = walk ? 5 : 3; level >= 1; level--) {
        struct tables *tables = five_levels(row[i].kind);
        uint64_t gpa = walk ? TABLES_IPA + (VA >> 48 & 511) * 8 : IPA | (VA & 0xfff);
        uint64_t at = tables_descriptor_pa(tables, 2, gpa, level);
        set(tables, at, 1ull << 51);
        tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA);
        expect_fault(tables, row[i].type, 2, level, walk);
        assert_int_equal(tables->result.fault.ipa, gpa);
        assert_int_equal(tables->log[tables->reads - 1].level, level);
        tables_free(tables);
      }
}

/* SDM vol. 3, 29.3.3: what means nothing is told, even where what stands above denies the
 * access. */
static void a_misconfiguration_wins_over_a_violation(void **state) {
  (void)state;
  struct tables *tables = five_levels(NW_REGIME_X86_EPT);
  uint64_t leaf = tables_descriptor_pa(tables, 2, IPA, 1);
  uint64_t above = tables_descriptor_pa(tables, 2, IPA, 2);
  tables_put(tables, above, 8, tables_get(tables, above, 8) & ~EPT_W);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_PERMISSION, 2, 1, false);
  tables_put(tables, leaf, 8, 0xd5c0e00000 | EPT_W);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_MISCONFIG, 2, 1, false);
  assert_int_equal(nw_fault_syndrome(&tables->regime, &tables->result.fault).kind,
                   NW_SYNDROME_NONE);
  /* not present above: what is below is never seen */
  tables_put(tables, above, 8, tables_get(tables, above, 8) & ~EPT_RWX);
  tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 2, false);
  tables_free(tables);
}

/* -- memory types ------------------------------------------------------------------------------ */

/* SDM vol. 3, table 4-11: PAT, PCD and PWT number the entry; PAT stands elsewhere in a large
 * page. */
static void pat_pcd_and_pwt_select_the_memory_type(void **state) {
  (void)state;
  static const uint8_t types[] = {6, 4, 7, 0, 1, 5, 4, 1}; /* PA0 to PA7 */
  static const unsigned log2[] = {12, 21, 30};
  struct tables *tables = tables_new(NW_REGIME_X86_64);
  tables_register(tables, NW_X86_PAT, 0x0104050100070406);
  for (unsigned size = 0; size < 3; size++)
    for (uint64_t index = 0; index < 8; index++) {
      uint64_t pat = log2[size] == 12 ? X86_PAT4K : X86_PS | X86_PAT_LARGE;
      uint64_t leaf = X86_PAGE | (log2[size] == 12 ? 0 : X86_PS) | (index & 1 ? X86_PWT : 0) |
                      (index & 2 ? X86_PCD : 0) | (index & 4 ? pat : 0);
      tables_map_raw(tables, 1, 0x40000000, size + 1, 0x8040000000 | leaf, 0);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x40000123));
      expect_ok(tables, 0x8040000123, log2[size]);
      assert_int_equal(tables->result.attr, types[index]);
    }
  tables_free(tables);
}

/* SDM vol. 3, table 12-7 by 29.3.7.2; IPAT makes the guest's type no matter. 7 is UC-. */
static void ept_and_the_guests_pat_give_the_type_of_the_mtrr_table(void **state) {
  (void)state;
  static const struct {
    uint8_t ept, guest, type;
  } row[] = {
      {0, 0, 0}, {0, 1, 1}, {0, 4, 0}, {0, 5, 0}, {0, 6, 0}, {0, 7, 0}, {1, 0, 0}, {1, 1, 1},
      {1, 4, 0}, {1, 5, 0}, {1, 6, 1}, {1, 7, 1}, {4, 0, 0}, {4, 1, 1}, {4, 4, 4}, {4, 5, 5},
      {4, 6, 4}, {4, 7, 0}, {5, 0, 0}, {5, 1, 1}, {5, 4, 0}, {5, 5, 5}, {5, 6, 5}, {5, 7, 1},
      {6, 0, 0}, {6, 1, 1}, {6, 4, 4}, {6, 5, 5}, {6, 6, 6}, {6, 7, 0},
  };
  struct tables *tables = tables_new(NW_REGIME_X86_EPT);
  tables_map(tables, 1, 0x1000, IPA, 12, MAP_ALL);
  for (unsigned i = 0; i < COUNT(row); i++)
    for (unsigned ignore = 0; ignore < 2; ignore++) {
      uint64_t leaf = EPT_RWX | (uint64_t)row[i].ept << 3 | (ignore ? EPT_IGNORE_PAT : 0);
      tables_register(tables, NW_X86_PAT, row[i].guest);
      tables_map_raw(tables, 2, IPA, 1, 0xd5c0e00000 | leaf, 0);
      assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x1000));
      assert_int_equal(tables->result.attr, ignore ? row[i].ept : row[i].type);
      assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, IPA));
      assert_int_equal(tables->result.attr, row[i].ept);
    }
  tables_free(tables);
}

/* APM vol. 2, 15.25.8: write-back of the one takes the other's type, uncacheable of either wins but
 * for write-combining of the guest's. The nested entry's PAT is the one after reset. */
static void npt_and_the_guests_pat_give_the_type_of_the_manuals_table(void **state) {
  (void)state;
  static const struct {
    uint64_t nested; /* PCD, PWT, PAT */
    uint8_t guest, type;
  } row[] = {
      {0, 0, 0},
      {0, 1, 1},
      {0, 4, 4},
      {0, 5, 5},
      {0, 6, 6},
      {X86_PCD | X86_PWT, 0, 0},
      {X86_PCD | X86_PWT, 4, 0},
      {X86_PCD | X86_PWT, 5, 0},
      {X86_PCD | X86_PWT, 6, 0},
      {X86_PCD | X86_PWT, 1, 1},
      {X86_PWT, 4, 4},
      {X86_PWT, 6, 4},
      {X86_PWT, 0, 0},
      {X86_PAT4K, 6, 6},
      {X86_PAT4K | X86_PWT, 6, 4},
  };
  struct tables *tables = tables_new(NW_REGIME_X86_SVM_NPT);
  tables_map(tables, 1, 0x1000, IPA, 12, MAP_ALL);
  for (unsigned i = 0; i < COUNT(row); i++) {
    tables_register(tables, NW_X86_PAT, row[i].guest);
    tables_map_raw(tables, 2, IPA, 1, 0xd5c0e00000 | X86_PAGE | row[i].nested, 0);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0x1000));
    assert_int_equal(tables->result.attr, row[i].type);
  }
  /* SDM vol. 3, 29.3.7.2 and APM 15.25.8: without paging the guest's type is write-back */
  tables_register(tables, NW_X86_CR0, 1);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, IPA));
  assert_int_equal(tables->result.attr, 4);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_means_what_the_figure_says),
      cmocka_unit_test(an_entry_that_is_not_present_has_no_reserved_bits),
      cmocka_unit_test(a_machine_without_1g_pages_has_ps_reserved_in_a_pdpte),
      cmocka_unit_test(ept_rights_that_mean_nothing_are_misconfigurations),
      cmocka_unit_test(ept_memory_types_are_those_of_the_manual),
      cmocka_unit_test(a_reserved_bit_of_stage_1_is_told_at_its_level),
      cmocka_unit_test(a_reserved_bit_of_a_nested_table_is_told_at_its_level),
      cmocka_unit_test(a_misconfiguration_wins_over_a_violation),
      cmocka_unit_test(pat_pcd_and_pwt_select_the_memory_type),
      cmocka_unit_test(ept_and_the_guests_pat_give_the_type_of_the_mtrr_table),
      cmocka_unit_test(npt_and_the_guests_pat_give_the_type_of_the_manuals_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
