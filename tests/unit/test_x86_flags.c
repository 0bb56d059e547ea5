/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accessed and dirty flags of x86-64 (SDM vol. 3, 4.8), of nested tables (APM vol. 2, 15.25.5) and
 * of EPT (SDM vol. 3, 29.3.5): which are set, when, in what order, and by what when another
 * processor writes in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/mmu_rig.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VA 0xffff923456789000ull
#define IPA 0x8b7a5b7000ull
#define PA 0xd5c0e00000ull
#define AD (X86_A | X86_D)

static bool is_ept(const struct tables *tables) {
  return tables->regime.kind == NW_REGIME_X86_EPT;
}

static uint64_t accessed(const struct tables *tables, unsigned stage) {
  return stage == 2 && is_ept(tables) ? EPT_A : X86_A;
}

static uint64_t dirty(const struct tables *tables, unsigned stage) {
  return stage == 2 && is_ept(tables) ? EPT_D : X86_D;
}

static uint64_t entry_pa(const struct tables *tables, unsigned stage, unsigned level) {
  return tables_descriptor_pa(tables, stage, stage == 1 ? VA : IPA, level);
}

/* PA of the nested leaf that maps the guest's table of a level. */
static uint64_t leaf_of_table(const struct tables *tables, unsigned level) {
  return tables_descriptor_pa(tables, 2, entry_pa(tables, 1, level) - TABLES_OFFSET, 1);
}

static void clear(struct tables *tables, uint64_t at, uint64_t bits) {
  tables_put(tables, at, 8, tables_get(tables, at, 8) & ~bits);
}

static void clear_stage(struct tables *tables, unsigned stage) {
  for (unsigned level = 1; level <= 4; level++) {
    uint64_t flags = accessed(tables, stage) | dirty(tables, stage);
    clear(tables, entry_pa(tables, stage, level), flags);
    if (stage == 2)
      clear(tables, leaf_of_table(tables, level), flags);
  }
}

/* 4 KB over 4 KB, no flag set anywhere; EPT with flags. */
static struct tables *untouched(enum nw_regime_kind kind) {
  struct tables *tables = tables_new(kind);
  if (kind == NW_REGIME_X86_EPT)
    tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
  tables_map(tables, 1, VA, IPA, 12, MAP_ALL);
  if (kind != NW_REGIME_X86_64) {
    tables_map(tables, 2, IPA, PA, 12, MAP_ALL);
    clear_stage(tables, 2);
  }
  clear_stage(tables, 1);
  return tables;
}

static bool has(const struct tables *tables, uint64_t at, uint64_t bits) {
  return (tables_get(tables, at, 8) & bits) == bits;
}

static bool walk(struct tables *tables, enum nw_access access) {
  return tables_walk(tables, NW_SCOPE_BOTH, access, NW_USER, VA | 0x123);
}

/* Number of the first update of an entry, or -1. */
static int update_of(const struct tables *tables, uint64_t at) {
  for (unsigned i = 0; i < tables->updates; i++)
    if (tables->update[i].pa == at)
      return (int)i;
  return -1;
}

static const enum nw_regime_kind kinds[] = {NW_REGIME_X86_64, NW_REGIME_X86_SVM_NPT,
                                            NW_REGIME_X86_EPT};

/* -- which ------------------------------------------------------------------------------------- */

static void a_walk_sets_accessed_everywhere_and_a_write_the_leafs_dirty(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++)
    for (unsigned access = 0; access < 3; access++) {
      struct tables *tables = untouched(kinds[k]);
      assert_true(walk(tables, (enum nw_access)access));
      for (unsigned stage = 1; stage <= (kinds[k] == NW_REGIME_X86_64 ? 1 : 2); stage++)
        for (unsigned level = 1; level <= 4; level++) {
          uint64_t at = entry_pa(tables, stage, level);
          assert_true(has(tables, at, accessed(tables, stage)));
          assert_int_equal(has(tables, at, dirty(tables, stage)), level == 1 && access == NW_WRITE);
        }
      unsigned made = tables->updates;
      assert_true(made > 0);
      assert_true(walk(tables, (enum nw_access)access));
      assert_int_equal(tables->updates, 0); /* each once */
      tables_free(tables);
    }
}

static void large_leaves_get_both_flags_too(void **state) {
  (void)state;
  for (unsigned level = 2; level <= 3; level++) {
    struct tables *tables = tables_new(NW_REGIME_X86_64);
    tables_map_raw(tables, 1, VA, level, 0x8040000000 | X86_PS | (X86_PAGE & ~AD), 0);
    assert_true(walk(tables, NW_READ));
    assert_int_equal(tables_get(tables, entry_pa(tables, 1, level), 8) & AD, X86_A);
    assert_true(walk(tables, NW_WRITE));
    assert_int_equal(tables_get(tables, entry_pa(tables, 1, level), 8) & AD, AD);
    tables_free(tables);
  }
}

/* An update carries the entry as it was read, and changes the flags alone. */
static void an_update_changes_flags_alone(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++) {
    struct tables *tables = untouched(kinds[k]);
    assert_true(walk(tables, NW_WRITE));
    for (unsigned i = 0; i < tables->updates; i++) {
      const struct tables_update *u = &tables->update[i];
      assert_true(u->swapped);
      assert_int_equal((u->old_value ^ u->new_value) &
                           ~(accessed(tables, u->stage) | dirty(tables, u->stage)),
                       0);
    }
    tables_free(tables);
  }
}

/* SP#1447, RI#491. NPT and EPT with flags take the read of a guest table for a write: the leaf that
 * maps it is dirty, and a table of the nested ones never is. */
static void the_leaf_that_maps_a_guest_table_becomes_dirty_whatever_the_access(void **state) {
  (void)state;
  for (unsigned k = 1; k < COUNT(kinds); k++) {
    struct tables *tables = untouched(kinds[k]);
    for (unsigned level = 1; level <= 4; level++)
      assert_false(has(tables, leaf_of_table(tables, level), dirty(tables, 2)));
    assert_true(walk(tables, NW_EXECUTE));
    for (unsigned level = 1; level <= 4; level++)
      assert_true(
          has(tables, leaf_of_table(tables, level), dirty(tables, 2) | accessed(tables, 2)));
    assert_false(has(tables, entry_pa(tables, 2, 1), dirty(tables, 2)));
    tables_free(tables);
  }
}

static void without_eptp_bit_6_ept_entries_are_left_alone(void **state) {
  (void)state;
  struct tables *tables = untouched(NW_REGIME_X86_EPT);
  tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4);
  assert_true(walk(tables, NW_WRITE));
  assert_int_equal(tables->updates, 4);
  for (unsigned i = 0; i < tables->updates; i++)
    assert_int_equal(tables->update[i].stage, 1);
  tables_free(tables);
}

/* -- when -------------------------------------------------------------------------------------- */

/* A table's flag before the next level is looked at, a guest table's nested leaf before the table
 * is read, the leaf's before the final walk of stage 2. */
static void flags_are_set_in_the_order_of_use(void **state) {
  (void)state;
  for (unsigned k = 1; k < COUNT(kinds); k++) {
    struct tables *tables = untouched(kinds[k]);
    assert_true(walk(tables, NW_WRITE));
    for (unsigned level = 4; level > 1; level--)
      assert_true(update_of(tables, entry_pa(tables, 1, level)) <
                  update_of(tables, entry_pa(tables, 1, level - 1)));
    assert_true(update_of(tables, leaf_of_table(tables, 4)) <
                update_of(tables, entry_pa(tables, 1, 4)));
    int leaf = update_of(tables, entry_pa(tables, 1, 1));
    int final = update_of(tables, entry_pa(tables, 2, 1));
    assert_true(leaf >= 0 && final > leaf);
    assert_int_equal(tables->reads_before[leaf], 20); /* of 24: the last of stage 1 */
    tables_free(tables);
  }
}

/* 4.8: what stage 1 has set stays, whatever the final translation comes to. */
static void flags_of_stage_1_survive_a_fault_of_stage_2(void **state) {
  (void)state;
  for (unsigned k = 1; k < COUNT(kinds); k++) {
    struct tables *tables = untouched(kinds[k]);
    clear(tables, entry_pa(tables, 2, 1), ~0ull);
    assert_false(walk(tables, NW_WRITE));
    expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
    for (unsigned level = 1; level <= 4; level++)
      assert_true(has(tables, entry_pa(tables, 1, level), level == 1 ? AD : X86_A));
    for (unsigned level = 2; level <= 4; level++)
      assert_true(has(tables, entry_pa(tables, 2, level), accessed(tables, 2)));
    assert_int_equal(tables_get(tables, entry_pa(tables, 2, 1), 8), 0);
    tables_free(tables);
  }
}

/* cvw#1892: of an entry that is not present, has a reserved bit or denies, nothing is written. */
static void nothing_is_set_in_an_entry_that_faults(void **state) {
  (void)state;
  static const uint64_t leaves[] = {
      X86_PAGE & ~(AD | X86_P),
      (X86_PAGE & ~AD) | 1ull << 50,
      X86_PAGE & ~(AD | X86_U),
      X86_PAGE & ~(AD | X86_W),
  };
  for (unsigned k = 0; k < COUNT(kinds); k++)
    for (unsigned i = 0; i < COUNT(leaves); i++) {
      struct tables *tables = untouched(kinds[k]);
      uint64_t at = entry_pa(tables, 1, 1);
      tables_put(tables, at, 8, IPA | leaves[i]);
      assert_false(walk(tables, NW_WRITE));
      assert_int_equal(tables->result.fault.stage, 1);
      assert_int_equal(tables_get(tables, at, 8), IPA | leaves[i]);
      assert_true(has(tables, entry_pa(tables, 1, 2), X86_A)); /* that table has been used */
      tables_free(tables);
    }
}

/* The same of a misaligned large page, and of the tables below an entry that faults. */
static void nothing_is_set_in_a_misaligned_large_page_nor_below_it(void **state) {
  (void)state;
  struct tables *tables = untouched(NW_REGIME_X86_64);
  uint64_t at = entry_pa(tables, 1, 2), leaf = entry_pa(tables, 1, 1);
  tables_put(tables, at, 8, 0x8040003000 | X86_PS | (X86_PAGE & ~AD));
  assert_false(walk(tables, NW_WRITE));
  expect_fault(tables, NW_FAULT_RESERVED_BIT, 1, 2, false);
  assert_int_equal(tables_get(tables, at, 8), 0x8040003000 | X86_PS | (X86_PAGE & ~AD));
  assert_int_equal(tables_get(tables, leaf, 8) & AD, 0);
  tables_free(tables);
}

static void nothing_is_set_in_a_nested_leaf_that_denies_or_means_nothing(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    uint64_t leaf;
  } row[] = {
      {NW_REGIME_X86_SVM_NPT, X86_P | X86_U},
      {NW_REGIME_X86_SVM_NPT, X86_P | X86_W},
      {NW_REGIME_X86_SVM_NPT, X86_P | X86_W | X86_U | 1ull << 51},
      {NW_REGIME_X86_EPT, EPT_R | EPT_X | EPT_WB},
      {NW_REGIME_X86_EPT, EPT_W | EPT_WB},
      {NW_REGIME_X86_EPT, EPT_RWX | 2ull << 3},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct tables *tables = untouched(row[i].kind);
    uint64_t at = entry_pa(tables, 2, 1);
    tables_put(tables, at, 8, PA | row[i].leaf);
    assert_false(walk(tables, NW_WRITE));
    assert_int_equal(tables->result.fault.stage, 2);
    assert_int_equal(tables_get(tables, at, 8), PA | row[i].leaf);
    tables_free(tables);
  }
}

/* SDM vol. 3, 29.3.3.2: without EPT's flags a guest table may be read-only as long as nothing is to
 * be set in it; what is to be set is a write that EPT denies, and is not made. */
static void a_guest_flag_in_a_read_only_page_is_an_ept_violation(void **state) {
  (void)state;
  struct tables *tables = untouched(NW_REGIME_X86_EPT);
  tables_register(tables, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4);
  assert_true(walk(tables, NW_READ));
  clear(tables, leaf_of_table(tables, 1), EPT_W);
  assert_true(walk(tables, NW_READ));
  assert_false(walk(tables, NW_WRITE));
  expect_fault(tables, NW_FAULT_PERMISSION, 2, 1, true);
  assert_int_equal(tables->result.fault.failing_access, NW_WRITE);
  assert_int_equal(tables_get(tables, entry_pa(tables, 1, 1), 8) & AD, X86_A);
  tables_free(tables);
}

static void a_debug_request_sets_nothing(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++) {
    struct tables *tables = untouched(kinds[k]);
    struct nw_request request = {.va = VA, .access = NW_WRITE, .privilege = NW_USER, .debug = true};
    assert_true(tables_walk_with(tables, NULL, NW_SCOPE_BOTH, &request));
    assert_int_equal(tables->updates, 0);
    tables_free(tables);
  }
}

/* -- another processor ------------------------------------------------------------------------- */

static uint64_t victim;      /* the entry that is changed in between, once */
static uint64_t replacement; /* to this */

static void change_once(struct tables *tables, const struct nw_step *step) {
  if (step->address == victim) {
    tables_put(tables, victim, 8, replacement);
    tables->meanwhile = NULL;
  }
}

/* Every entry of the walk in turn: the swap fails, the entry is read, judged and updated again. */
static void a_failed_swap_is_read_again_and_counted(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++)
    for (unsigned stage = 1; stage <= (kinds[k] == NW_REGIME_X86_64 ? 1 : 2); stage++)
      for (unsigned level = 1; level <= 4; level++) {
        struct tables *tables = untouched(kinds[k]);
        assert_true(walk(tables, NW_WRITE));
        unsigned reads = tables->reads, updates = tables->updates;
        clear_stage(tables, 1);
        if (kinds[k] != NW_REGIME_X86_64)
          clear_stage(tables, 2);
        victim = entry_pa(tables, stage, level);
        replacement = tables_get(tables, victim, 8) | 1ull << 53; /* ignored by hardware */
        tables->meanwhile = change_once;
        assert_true(walk(tables, NW_WRITE));
        expect_ok(tables, kinds[k] == NW_REGIME_X86_64 ? IPA + 0x123 : PA + 0x123, 12);
        assert_int_equal(tables->reads, reads + 1);
        assert_int_equal(tables->updates, updates + 1);
        assert_true(has(tables, victim, 1ull << 53 | accessed(tables, stage)));
        tables_free(tables);
      }
}

/* What is found then may be something else altogether. */
static void an_entry_found_changed_is_judged_as_it_is_now(void **state) {
  (void)state;
  static const struct {
    uint64_t leaf;
    enum nw_fault_type type;
  } row[] = {
      {0, NW_FAULT_TRANSLATION},
      {IPA | (X86_PAGE & ~X86_W), NW_FAULT_PERMISSION},
      {IPA | X86_PAGE | 1ull << 51, NW_FAULT_RESERVED_BIT},
      {(IPA + 0x1000) | X86_PAGE, NW_FAULT_NONE},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct tables *tables = untouched(NW_REGIME_X86_64);
    victim = entry_pa(tables, 1, 1);
    replacement = row[i].leaf;
    tables->meanwhile = change_once;
    walk(tables, NW_WRITE);
    assert_int_equal(tables->result.fault.type, row[i].type);
    assert_int_equal(tables_get(tables, victim, 8), replacement);
    if (row[i].type == NW_FAULT_NONE)
      assert_int_equal(tables->result.pa, IPA + 0x1123);
    tables_free(tables);
  }
}

/* -- TLB and IPA cache ------------------------------------------------------------------------- */

#define RIG_VA 0x00345000ull

static struct rig *rig_untouched(enum nw_regime_kind kind, bool ipa_cache) {
  struct nw_mmu_config config = rig_bare(kind);
  if (ipa_cache)
    config.ipa_cache = rig_cam(16);
  else
    config.l1d = config.l1i = config.l2 = rig_cam(16);
  struct rig *rig = rig_new(&config);
  if (kind == NW_REGIME_X86_EPT)
    rig_register(rig, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
  rig_map(rig, RIG_VA, 12, MAP_ALL);
  clear(rig->tables, tables_descriptor_pa(rig->tables, 1, RIG_VA, 1), AD);
  if (kind != NW_REGIME_X86_64)
    clear(rig->tables, tables_descriptor_pa(rig->tables, 2, RIG_IPA + RIG_VA, 1),
          dirty(rig->tables, 2) | accessed(rig->tables, 2));
  return rig;
}

/* PAs of the page's leaves; where there is no stage 2, stage 1's for both. */
static void find_leaves(const struct rig *rig, uint64_t leaf[2]) {
  leaf[0] = leaf[1] = tables_descriptor_pa(rig->tables, 1, RIG_VA, 1);
  if (rig->tables->regime.s2_enabled)
    leaf[1] = tables_descriptor_pa(rig->tables, 2, RIG_IPA + RIG_VA, 1);
}

static void set_flags(struct rig *rig, unsigned stage, uint64_t at) {
  uint64_t flags = accessed(rig->tables, stage) | dirty(rig->tables, stage);
  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) | flags);
}

/* An entry that a read brought does not let a write by; one that a write brought does. `clean` has
 * a bit for each stage whose leaf is to be clean at first. */
static void write_after_reads(enum nw_regime_kind kind, unsigned clean) {
  struct rig *rig = rig_untouched(kind, false);
  uint64_t leaf[2];
  find_leaves(rig, leaf);
  for (unsigned stage = 1; stage <= 2; stage++)
    if (!(clean >> (stage - 1) & 1) && (stage == 1 || leaf[1] != leaf[0]))
      set_flags(rig, stage, leaf[stage - 1]);
  assert_true(rig_read(rig, RIG_VA));
  assert_true(rig_read(rig, RIG_VA));
  assert_int_equal(rig->result.source, NW_FROM_L1);
  assert_true(rig_write(rig, RIG_VA));
  assert_int_equal(rig->result.source, NW_FROM_WALK);
  assert_int_equal(nw_mmu_statistics(rig->mmu)->rewalks, 1);
  assert_true(has(rig->tables, leaf[0], AD));
  assert_true(has(rig->tables, leaf[1], leaf[1] == leaf[0] ? AD : dirty(rig->tables, 2)));
  assert_true(rig_write(rig, RIG_VA));
  assert_int_equal(rig->result.source, NW_FROM_L1);
  rig_free(rig);
}

static void a_clean_entry_under_a_write_is_walked_again(void **state) {
  (void)state;
  write_after_reads(NW_REGIME_X86_64, 1);
  for (unsigned clean = 1; clean <= 3; clean++) {
    write_after_reads(NW_REGIME_X86_SVM_NPT, clean);
    write_after_reads(NW_REGIME_X86_EPT, clean);
  }
}

static void an_entry_that_a_write_brought_lets_writes_by(void **state) {
  (void)state;
  for (unsigned k = 0; k < COUNT(kinds); k++) {
    struct rig *rig = rig_untouched(kinds[k], false);
    assert_true(rig_write(rig, RIG_VA));
    assert_true(rig_write(rig, RIG_VA));
    assert_int_equal(rig->result.source, NW_FROM_L1);
    assert_int_equal(nw_mmu_statistics(rig->mmu)->rewalks, 0);
    rig_free(rig);
  }
}

/* The nested leaf of the data page is in the IPA cache as clean: a write walks it and sets D. */
static void a_clean_entry_of_the_ipa_cache_is_walked_for_a_write(void **state) {
  (void)state;
  for (unsigned k = 1; k < COUNT(kinds); k++) {
    struct rig *rig = rig_untouched(kinds[k], true);
    uint64_t leaf[2];
    find_leaves(rig, leaf);
    assert_true(rig_read(rig, RIG_VA));
    assert_true(rig_read(rig, RIG_VA));
    assert_int_equal(rig->result.walk_reads, 4); /* all of stage 2 from the cache */
    assert_false(has(rig->tables, leaf[1], dirty(rig->tables, 2)));
    assert_true(rig_write(rig, RIG_VA));
    assert_int_equal(rig->result.walk_reads, 4 + 4);
    assert_true(has(rig->tables, leaf[1], dirty(rig->tables, 2)));
    assert_true(rig_write(rig, RIG_VA));
    assert_int_equal(rig->result.walk_reads, 4);
    rig_free(rig);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_walk_sets_accessed_everywhere_and_a_write_the_leafs_dirty),
      cmocka_unit_test(large_leaves_get_both_flags_too),
      cmocka_unit_test(an_update_changes_flags_alone),
      cmocka_unit_test(the_leaf_that_maps_a_guest_table_becomes_dirty_whatever_the_access),
      cmocka_unit_test(without_eptp_bit_6_ept_entries_are_left_alone),
      cmocka_unit_test(flags_are_set_in_the_order_of_use),
      cmocka_unit_test(flags_of_stage_1_survive_a_fault_of_stage_2),
      cmocka_unit_test(nothing_is_set_in_an_entry_that_faults),
      cmocka_unit_test(nothing_is_set_in_a_misaligned_large_page_nor_below_it),
      cmocka_unit_test(nothing_is_set_in_a_nested_leaf_that_denies_or_means_nothing),
      cmocka_unit_test(a_guest_flag_in_a_read_only_page_is_an_ept_violation),
      cmocka_unit_test(a_debug_request_sets_nothing),
      cmocka_unit_test(a_failed_swap_is_read_again_and_counted),
      cmocka_unit_test(an_entry_found_changed_is_judged_as_it_is_now),
      cmocka_unit_test(a_clean_entry_under_a_write_is_walked_again),
      cmocka_unit_test(an_entry_that_a_write_brought_lets_writes_by),
      cmocka_unit_test(a_clean_entry_of_the_ipa_cache_is_walked_for_a_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
