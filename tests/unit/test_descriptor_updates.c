/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accessed and dirty flags that hardware sets, proved with the toy format in both stages: what is
 * written, when, in which order, what stage 2 has to say about it, and what a failed
 * compare-and-swap leads to.
 *
 * A walk of the toy format over the toy format, three levels each: for each stage-1 descriptor three
 * stage-2 reads, the descriptor's read and, the first time, updates; then three final stage-2 reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/mmu.h"
#include "core/rights.h"
#include "support/mmu_rig.h"
#include "support/toy_format.h"

#define PAGE 0x00345000ull
#define IPA (RIG_IPA + PAGE)
#define FLAGS (TOY_ACCESSED | TOY_DIRTY)

/* Toy descriptors in both stages of an MMU; `config.regime` with or without stage 2. */
static struct rig *toy_rig(struct nw_mmu_config config) {
  struct rig *rig = rig_new(&config);

  rig->tables->regime.s1_format = &toy_format_s1;
  rig->tables->regime.s2_format = &toy_format_s2;
  rig->mmu->regime.s1_format = &toy_format_s1;
  rig->mmu->regime.s2_format = &toy_format_s2;
  rig_map(rig, PAGE, 12, MAP_ALL);
  return rig;
}

static struct nw_mmu_config with_tlbs(enum nw_regime_kind kind) {
  struct nw_mmu_config config = rig_bare(kind);

  config.l1d = rig_cam(8);
  config.l1i = rig_cam(8);
  return config;
}

/* PA of the level's descriptor; IPAs of stage-1 tables. */
static uint64_t s1_at(const struct rig *rig, unsigned level) {
  return tables_descriptor_pa(rig->tables, 1, PAGE, level);
}

static uint64_t s1_ipa(const struct rig *rig, unsigned level) {
  return s1_at(rig, level) - TABLES_OFFSET;
}

static uint64_t s2_at(const struct rig *rig, uint64_t ipa, unsigned level) {
  return tables_descriptor_pa(rig->tables, 2, ipa, level);
}

static uint64_t flags(const struct rig *rig, uint64_t pa) {
  return tables_get(rig->tables, pa, 8) & FLAGS;
}

static void clear_flags(struct rig *rig, uint64_t pa) {
  tables_put(rig->tables, pa, 8, tables_get(rig->tables, pa, 8) & ~FLAGS);
}

static void set_flags(struct rig *rig, uint64_t pa, uint64_t bits) {
  tables_put(rig->tables, pa, 8, tables_get(rig->tables, pa, 8) | bits);
}

/* Makes a stage-2 page read-only, flags as they are. */
static void write_protect(struct rig *rig, uint64_t ipa) {
  uint64_t at = s2_at(rig, ipa, 3);

  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~(1ull << 7)); /* HAP[1] */
}

static unsigned updates_in_log(const struct rig *rig) {
  unsigned count = 0;

  for (unsigned i = 0; i < rig->accesses; i++) {
    count += rig->log[i].update;
  }
  return count;
}

/* Number in the log of the n-th update (from 0) of a descriptor, or -1. */
static int update_of(const struct rig *rig, uint64_t pa, unsigned n) {
  for (unsigned i = 0; i < rig->accesses; i++) {
    if (rig->log[i].update && rig->log[i].pa == pa && n-- == 0) {
      return (int)i;
    }
  }
  return -1;
}

static void expect_rig_fault(const struct rig *rig, enum nw_fault_type type, unsigned stage,
                             unsigned level, bool s1walk) {
  assert_int_equal(rig->result.fault.type, type);
  assert_int_equal(rig->result.fault.stage, stage);
  assert_int_equal(rig->result.fault.level, level);
  assert_int_equal(rig->result.fault.s1walk, s1walk);
}

/* -- one stage --------------------------------------------------------------------------------- */

static void a_read_sets_accessed_on_every_level_and_dirty_on_none(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
  assert_true(rig_read(rig, PAGE));
  for (unsigned level = 1; level <= 3; level++) {
    assert_int_equal(flags(rig, s1_at(rig, level)), TOY_ACCESSED);
    /* in order: read, then updated, before the next level is looked at */
    assert_int_equal(rig->log[2 * (level - 1)].pa, s1_at(rig, level));
    assert_false(rig->log[2 * (level - 1)].update);
    assert_int_equal(update_of(rig, s1_at(rig, level), 0), 2 * (int)level - 1);
  }
  assert_int_equal(rig->accesses, 6);
  assert_int_equal(rig->result.walk_reads, 3); /* an update is no reference */
  assert_int_equal(nw_mmu_statistics(rig->mmu)->updates, 3);
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->accesses, 3); /* nothing more to set */
  rig_free(rig);
}

static void a_write_sets_accessed_and_dirty_of_the_leaf_at_once(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
  assert_true(rig_write(rig, PAGE));
  assert_int_equal(flags(rig, s1_at(rig, 1)), TOY_ACCESSED);
  assert_int_equal(flags(rig, s1_at(rig, 2)), TOY_ACCESSED);
  assert_int_equal(flags(rig, s1_at(rig, 3)), FLAGS);
  assert_int_equal(updates_in_log(rig), 3);
  rig_free(rig);
}

static void an_update_carries_the_value_read_and_changes_the_flags_alone(void **state) {
  (void)state;
  for (unsigned big_endian = 0; big_endian <= 1; big_endian++) {
    struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_LPAE);
    struct rig *rig = rig_new(&config);
    rig->tables->regime.s1_format = &toy_format_s1;
    rig->mmu->regime.s1_format = &toy_format_s1;
    rig_register(rig, NW_REG_SCTLR, 1 | big_endian << 25);
    rig_map(rig, PAGE, 12, MAP_ALL);
    uint64_t before = tables_get(rig->tables, s1_at(rig, 3), 8);
    assert_true(rig_write(rig, PAGE));
    const struct rig_access *update = &rig->log[5];
    assert_true(update->update);
    assert_int_equal(update->old_value, before);
    assert_int_equal(update->new_value, before | (big_endian ? __builtin_bswap64(FLAGS) : FLAGS));
    assert_int_equal(tables_get(rig->tables, s1_at(rig, 3), 8), update->new_value);
    rig_free(rig);
  }
}

static void nothing_is_written_on_an_invalid_descriptor(void **state) {
  (void)state;
  for (unsigned level = 1; level <= 3; level++) {
    struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
    uint64_t at = s1_at(rig, level);
    uint64_t invalid = tables_get(rig->tables, at, 8) & ~1ull;
    tables_put(rig->tables, at, 8, invalid);
    assert_false(rig_write(rig, PAGE));
    expect_rig_fault(rig, NW_FAULT_TRANSLATION, 1, level, false);
    assert_int_equal(tables_get(rig->tables, at, 8), invalid);
    assert_int_equal(updates_in_log(rig), level - 1);
    rig_free(rig);
  }
}

static void nothing_is_set_on_a_leaf_that_stage_1_denies(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
  rig_map(rig, PAGE, 12, MAP_USER);
  assert_false(rig_write(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_PERMISSION, 1, 3, false);
  assert_int_equal(flags(rig, s1_at(rig, 1)), TOY_ACCESSED);
  assert_int_equal(flags(rig, s1_at(rig, 2)), TOY_ACCESSED);
  assert_int_equal(flags(rig, s1_at(rig, 3)), 0);
  rig_free(rig);
}

/* LPAE's own access flag is checked before: a leaf without it is not touched either. */
static void nothing_is_set_on_a_leaf_whose_access_flag_faults(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
  uint64_t at = s1_at(rig, 3);
  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~(1ull << 10));
  assert_false(rig_read(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_ACCESS_FLAG, 1, 3, false);
  assert_int_equal(flags(rig, at), 0);
  rig_free(rig);
}

static void an_abort_of_an_update_is_an_external_abort(void **state) {
  (void)state;
  for (unsigned level = 1; level <= 3; level++) {
    struct rig *rig = toy_rig(with_tlbs(NW_REGIME_ARMV7_LPAE));
    rig->abort_at = 2 * (int)level - 1;
    assert_false(rig_write(rig, PAGE));
    expect_rig_fault(rig, NW_FAULT_EXTERNAL_ABORT, 1, level, false);
    assert_int_equal(flags(rig, s1_at(rig, level)), 0);
    assert_false(rig_holds(rig, NW_READ, PAGE));
    rig_free(rig);
  }
}

static void an_update_that_the_embedder_has_no_function_for_is_an_external_abort(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
  rig->memory.update = NULL;
  assert_false(rig_read(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_EXTERNAL_ABORT, 1, 1, false);
  rig_free(rig);
}

/* -- a failed swap ----------------------------------------------------------------------------- */

static void another_sets_accessed(struct rig *rig) {
  set_flags(rig, s1_at(rig, 3), TOY_ACCESSED);
}

static void another_sets_both(struct rig *rig) {
  set_flags(rig, s1_at(rig, 3), FLAGS);
}

static void another_clears_valid(struct rig *rig) {
  uint64_t at = s1_at(rig, 3);
  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~1ull);
}

static void another_takes_the_right_to_write(struct rig *rig) {
  set_flags(rig, s1_at(rig, 3), 1ull << 7); /* AP[2] */
}

static void another_maps_another_page(struct rig *rig) {
  tables_map(rig->tables, 1, PAGE, 0x9abcd000, 12, MAP_ALL);
}

static void a_failed_swap_is_read_and_checked_again_and_counted(void **state) {
  (void)state;
  static const struct {
    void (*other)(struct rig *rig);
    enum nw_fault_type type;
    unsigned updates; /* of the leaf */
    uint64_t flags;   /* it has in the end */
    uint64_t pa;
  } cases[] = {
      {another_sets_accessed, NW_FAULT_NONE, 2, FLAGS, IPA},
      {another_sets_both, NW_FAULT_NONE, 1, FLAGS, IPA},
      {another_clears_valid, NW_FAULT_TRANSLATION, 1, 0, 0},
      {another_takes_the_right_to_write, NW_FAULT_PERMISSION, 1, 0, 0},
      {another_maps_another_page, NW_FAULT_NONE, 2, FLAGS, 0x9abcd000},
  };
  for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE));
    uint64_t leaf = s1_at(rig, 3);
    rig->meanwhile = cases[i].other;
    rig->meanwhile_at = 5; /* the leaf's update */
    rig_write(rig, PAGE);
    assert_int_equal(rig->result.fault.type, cases[i].type);
    assert_false(rig->log[5].swapped);
    assert_int_equal(rig->log[6].pa, leaf);
    assert_false(rig->log[6].update);
    assert_int_equal(rig->result.walk_reads, 4);
    assert_int_equal(nw_mmu_statistics(rig->mmu)->s1[3], 2);
    assert_int_equal(updates_in_log(rig), 2 + cases[i].updates);
    assert_int_equal(flags(rig, leaf), cases[i].flags);
    if (cases[i].type == NW_FAULT_NONE) {
      assert_int_equal(rig->result.pa, cases[i].pa);
    }
    rig_expect_sums(nw_mmu_statistics(rig->mmu));
    rig_free(rig);
  }
}

static void another_clears_valid_of_stage_2(struct rig *rig) {
  uint64_t at = s2_at(rig, IPA, 3);
  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~1ull);
}

static void another_protects_stage_2(struct rig *rig) {
  write_protect(rig, IPA);
}

static void a_failed_swap_in_stage_2_is_read_and_checked_again_too(void **state) {
  (void)state;
  void (*const other[])(struct rig *) = {another_clears_valid_of_stage_2, another_protects_stage_2};
  for (unsigned i = 0; i < 2; i++) {
    struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
    assert_true(rig_read(rig, PAGE)); /* everything is accessed; the leaf is clean */
    set_flags(rig, s1_at(rig, 3), FLAGS);
    rig->meanwhile = other[i];
    rig->meanwhile_at = 15; /* after 15 reads: the final stage-2 leaf's update */
    assert_false(rig_write(rig, PAGE));
    assert_int_equal(update_of(rig, s2_at(rig, IPA, 3), 0), 15);
    expect_rig_fault(rig, i == 0 ? NW_FAULT_TRANSLATION : NW_FAULT_PERMISSION, 2, 3, false);
    assert_int_equal(rig->result.fault.ipa, IPA);
    assert_int_equal(rig->result.walk_reads, 16);
    assert_int_equal(flags(rig, s2_at(rig, IPA, 3)), TOY_ACCESSED);
    rig_free(rig);
  }
}

/* -- two stages -------------------------------------------------------------------------------- */

static void setting_a_stage_1_flag_dirties_the_stage_2_leaf_that_maps_it(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  for (unsigned level = 1; level <= 3; level++) {
    assert_int_equal(flags(rig, s2_at(rig, s1_ipa(rig, level), 3)), 0);
  }
  assert_true(rig_read(rig, PAGE));
  for (unsigned level = 1; level <= 3; level++) {
    uint64_t s2_leaf = s2_at(rig, s1_ipa(rig, level), 3);
    assert_int_equal(flags(rig, s2_leaf), FLAGS);
    assert_int_equal(flags(rig, s2_at(rig, s1_ipa(rig, level), 1)), TOY_ACCESSED);
    /* dirty before the descriptor is written */
    assert_true(update_of(rig, s2_leaf, 1) < update_of(rig, s1_at(rig, level), 0));
    assert_true(update_of(rig, s2_leaf, 1) > 0);
  }
  assert_int_equal(flags(rig, s2_at(rig, IPA, 3)), TOY_ACCESSED); /* it was only read */
  rig_free(rig);
}

/* The walk of stage 2 for the write of a descriptor is made of references, too. */
static void the_stage_2_walk_for_an_update_is_counted_as_for_stage_1(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  assert_true(rig_read(rig, PAGE));
  const struct nw_mmu_statistics *s = nw_mmu_statistics(rig->mmu);
  assert_int_equal(rig->result.walk_reads, 3 + 3 * 6 + 3);
  for (unsigned level = 1; level <= 3; level++) {
    assert_int_equal(s->s1[level], 1);
    assert_int_equal(s->s2_for_s1[level], 6);
  }
  assert_int_equal(s->s2_final, 3);
  rig_expect_sums(s);
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->result.walk_reads, 15);
  rig_free(rig);
}

/* A leaf that is dirty already takes the write with no second walk. */
static void a_table_page_that_is_dirty_needs_no_second_stage_2_walk(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  assert_true(rig_read(rig, PAGE));
  clear_flags(rig, s1_at(rig, 3));
  assert_true(rig_write(rig, PAGE));
  assert_int_equal(rig->result.walk_reads, 15);
  assert_int_equal(flags(rig, s1_at(rig, 3)), FLAGS);
  rig_free(rig);
}

static void updating_a_descriptor_in_a_read_only_page_is_a_stage_2_permission_fault(void **state) {
  (void)state;
  for (unsigned level = 1; level <= 3; level++) {
    for (unsigned access = NW_READ; access <= NW_EXECUTE; access++) {
      struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
      write_protect(rig, s1_ipa(rig, level));
      assert_false(rig_translate(rig, (enum nw_access)access, NW_PRIVILEGED, PAGE));
      expect_rig_fault(rig, NW_FAULT_PERMISSION, 2, 3, true);
      assert_int_equal(rig->result.fault.access, access);
      assert_int_equal(rig->result.fault.failing_access, NW_WRITE);
      assert_int_equal(rig->result.fault.ipa, s1_ipa(rig, level));
      assert_int_equal(rig->result.fault.va, PAGE);
      assert_int_equal(flags(rig, s1_at(rig, level)), 0);
      assert_int_equal(flags(rig, s2_at(rig, s1_ipa(rig, level), 3)), TOY_ACCESSED);
      rig_free(rig);
    }
  }
}

/* With nothing to set, a read-only table page is as good as any. */
static void a_read_only_table_page_is_no_fault_when_nothing_is_to_be_set(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  assert_true(rig_read(rig, PAGE));
  for (unsigned level = 1; level <= 3; level++) {
    write_protect(rig, s1_ipa(rig, level));
  }
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(updates_in_log(rig), 0);
  assert_false(rig_write(rig, PAGE)); /* the leaf is clean */
  expect_rig_fault(rig, NW_FAULT_PERMISSION, 2, 3, true);
  assert_int_equal(rig->result.fault.ipa, s1_ipa(rig, 3));
  rig_free(rig);
}

/* The leaf's flags are set after stage 1's checks and before the final stage 2, and stay set. */
static void stage_1_flags_survive_a_final_stage_2_fault(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  write_protect(rig, IPA);
  assert_false(rig_write(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_PERMISSION, 2, 3, false);
  assert_int_equal(flags(rig, s1_at(rig, 3)), FLAGS);
  assert_int_equal(flags(rig, s2_at(rig, IPA, 3)), 0);
  assert_int_equal(flags(rig, s2_at(rig, IPA, 2)), TOY_ACCESSED);
  rig_free(rig);
}

static void an_abort_of_a_stage_2_update_is_an_external_abort_of_stage_2(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_bare(NW_REGIME_ARMV7_LPAE_S2));
  rig->abort_at = 1; /* the root's table flag, on the way to the first descriptor */
  assert_false(rig_read(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_EXTERNAL_ABORT, 2, 1, true);
  rig_free(rig);
}

/* -- TLB and IPA cache ------------------------------------------------------------------------- */

static void a_write_that_hits_a_clean_entry_walks_and_sets_dirty(void **state) {
  (void)state;
  static const enum nw_regime_kind kinds[] = {NW_REGIME_ARMV7_LPAE, NW_REGIME_ARMV7_LPAE_S2};
  for (unsigned k = 0; k < 2; k++) {
    struct rig *rig = toy_rig(with_tlbs(kinds[k]));
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(flags(rig, s1_at(rig, 3)), TOY_ACCESSED);
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(rig->result.source, NW_FROM_L1);
    assert_true(rig_write(rig, PAGE));
    assert_int_equal(rig->result.source, NW_FROM_WALK);
    assert_int_equal(flags(rig, s1_at(rig, 3)), FLAGS);
    if (k == 1) {
      assert_int_equal(flags(rig, s2_at(rig, IPA, 3)), FLAGS);
    }
    assert_int_equal(nw_mmu_statistics(rig->mmu)->rewalks, 1);
    assert_true(rig_write(rig, PAGE)); /* dirty now */
    assert_int_equal(rig->result.source, NW_FROM_L1);
    rig_free(rig);
  }
}

/* Stage 1 has the page dirty, stage 2 has it clean: the entry is still clean. */
static void an_entry_is_clean_when_either_stage_is(void **state) {
  (void)state;
  for (unsigned clean_stage = 1; clean_stage <= 2; clean_stage++) {
    struct rig *rig = toy_rig(with_tlbs(NW_REGIME_ARMV7_LPAE_S2));
    assert_true(rig_write(rig, PAGE));
    uint64_t clean = clean_stage == 1 ? s1_at(rig, 3) : s2_at(rig, IPA, 3);
    clear_flags(rig, clean);
    nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
    assert_true(rig_read(rig, PAGE));
    assert_true(rig_write(rig, PAGE));
    assert_int_equal(rig->result.source, NW_FROM_WALK);
    assert_int_equal(flags(rig, clean), FLAGS);
    rig_free(rig);
  }
}

static struct rig *ipa_cache_rig(void) {
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_LPAE_S2);

  config.ipa_cache = rig_cam(16);
  return toy_rig(config);
}

static void an_ipa_cache_hit_that_is_clean_is_walked_again_for_a_write(void **state) {
  (void)state;
  struct rig *rig = ipa_cache_rig();
  assert_true(rig_read(rig, PAGE));
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->result.walk_reads, 3); /* all of stage 2 from the cache */
  uint64_t hits = nw_mmu_statistics(rig->mmu)->ipa_cache_hits;
  set_flags(rig, s1_at(rig, 3), FLAGS);
  assert_true(rig_write(rig, PAGE));
  assert_int_equal(rig->result.walk_reads, 3 + 3); /* the final IPA walked */
  assert_int_equal(nw_mmu_statistics(rig->mmu)->ipa_cache_hits, hits + 4); /* it did hit */
  assert_int_equal(flags(rig, s2_at(rig, IPA, 3)), FLAGS);
  assert_true(rig_write(rig, PAGE)); /* and is dirty in the cache now */
  assert_int_equal(rig->result.walk_reads, 3);
  rig_free(rig);
}

static void an_ipa_cache_hit_that_cannot_write_is_walked_again_for_a_write(void **state) {
  (void)state;
  struct rig *rig = ipa_cache_rig();
  uint64_t at = s2_at(rig, IPA, 3);
  uint64_t writable = tables_get(rig->tables, at, 8);
  write_protect(rig, IPA);
  assert_true(rig_read(rig, PAGE));
  assert_false(rig_write(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_PERMISSION, 2, 3, false);
  tables_put(rig->tables, at, 8, writable);
  assert_true(rig_write(rig, PAGE)); /* the walk's verdict stands */
  rig_free(rig);
}

/* A stage-1 descriptor whose page the cache knows as clean, or as read-only: walked before it is
 * written. */
static void an_update_through_a_clean_ipa_cache_entry_walks_stage_2_first(void **state) {
  (void)state;
  struct rig *rig = ipa_cache_rig();
  assert_true(rig_read(rig, PAGE));
  uint64_t s2_leaf = s2_at(rig, s1_ipa(rig, 3), 3);
  /* Make the cached copy clean: a walk that has nothing to set reads the page clean. */
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
  clear_flags(rig, s2_leaf);
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(flags(rig, s2_leaf), TOY_ACCESSED);
  assert_true(rig_write(rig, PAGE)); /* the stage-1 leaf is clean: to be updated */
  assert_int_equal(flags(rig, s2_leaf), FLAGS);
  assert_true(update_of(rig, s2_leaf, 0) < update_of(rig, s1_at(rig, 3), 0));
  assert_int_equal(rig->result.walk_reads, 3 + 3 + 3);
  rig_free(rig);
}

static void an_update_in_a_page_that_the_ipa_cache_has_read_only_faults(void **state) {
  (void)state;
  struct rig *rig = ipa_cache_rig();
  assert_true(rig_read(rig, PAGE));
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
  write_protect(rig, s1_ipa(rig, 3));
  assert_true(rig_read(rig, PAGE)); /* in the cache as read-only */
  assert_false(rig_write(rig, PAGE));
  expect_rig_fault(rig, NW_FAULT_PERMISSION, 2, 3, true);
  assert_int_equal(rig->result.fault.failing_access, NW_WRITE);
  assert_int_equal(flags(rig, s1_at(rig, 3)), TOY_ACCESSED);
  rig_free(rig);
}

/* -- debug ------------------------------------------------------------------------------------- */

static void a_debug_request_sets_no_flag(void **state) {
  (void)state;
  struct rig *rig = toy_rig(rig_full(NW_REGIME_ARMV7_LPAE_S2));
  for (unsigned access = NW_READ; access <= NW_EXECUTE; access++) {
    struct nw_request request = {
        .va = PAGE, .access = (uint8_t)access, .privilege = NW_PRIVILEGED, .debug = true};
    rig->accesses = 0;
    assert_true(nw_mmu_translate(rig->mmu, &request, &rig->memory, &rig->result));
    assert_int_equal(rig->result.pa, rig_pa(rig, PAGE));
    assert_int_equal(rig->accesses, 15);
    assert_int_equal(updates_in_log(rig), 0);
  }
  for (unsigned level = 1; level <= 3; level++) {
    assert_int_equal(flags(rig, s1_at(rig, level)), 0);
    assert_int_equal(flags(rig, s2_at(rig, IPA, level)), 0);
  }
  assert_int_equal(nw_mmu_statistics(rig->mmu)->updates, 0);
  rig_free(rig);
}

/* A clean entry in the TLB is not enough for a write, and a debug write leaves it clean. */
static void a_debug_write_over_a_clean_entry_leaves_it_clean(void **state) {
  (void)state;
  struct rig *rig = toy_rig(with_tlbs(NW_REGIME_ARMV7_LPAE));
  struct nw_request request = {
      .va = PAGE, .access = NW_WRITE, .privilege = NW_PRIVILEGED, .debug = true};
  assert_true(rig_read(rig, PAGE));
  assert_true(nw_mmu_translate(rig->mmu, &request, &rig->memory, &rig->result));
  assert_int_equal(flags(rig, s1_at(rig, 3)), TOY_ACCESSED);
  assert_true(rig_write(rig, PAGE));
  assert_int_equal(rig->result.source, NW_FROM_WALK);
  assert_int_equal(flags(rig, s1_at(rig, 3)), FLAGS);
  rig_free(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_read_sets_accessed_on_every_level_and_dirty_on_none),
      cmocka_unit_test(a_write_sets_accessed_and_dirty_of_the_leaf_at_once),
      cmocka_unit_test(an_update_carries_the_value_read_and_changes_the_flags_alone),
      cmocka_unit_test(nothing_is_written_on_an_invalid_descriptor),
      cmocka_unit_test(nothing_is_set_on_a_leaf_that_stage_1_denies),
      cmocka_unit_test(nothing_is_set_on_a_leaf_whose_access_flag_faults),
      cmocka_unit_test(an_abort_of_an_update_is_an_external_abort),
      cmocka_unit_test(an_update_that_the_embedder_has_no_function_for_is_an_external_abort),
      cmocka_unit_test(a_failed_swap_is_read_and_checked_again_and_counted),
      cmocka_unit_test(a_failed_swap_in_stage_2_is_read_and_checked_again_too),
      cmocka_unit_test(setting_a_stage_1_flag_dirties_the_stage_2_leaf_that_maps_it),
      cmocka_unit_test(the_stage_2_walk_for_an_update_is_counted_as_for_stage_1),
      cmocka_unit_test(a_table_page_that_is_dirty_needs_no_second_stage_2_walk),
      cmocka_unit_test(updating_a_descriptor_in_a_read_only_page_is_a_stage_2_permission_fault),
      cmocka_unit_test(a_read_only_table_page_is_no_fault_when_nothing_is_to_be_set),
      cmocka_unit_test(stage_1_flags_survive_a_final_stage_2_fault),
      cmocka_unit_test(an_abort_of_a_stage_2_update_is_an_external_abort_of_stage_2),
      cmocka_unit_test(a_write_that_hits_a_clean_entry_walks_and_sets_dirty),
      cmocka_unit_test(an_entry_is_clean_when_either_stage_is),
      cmocka_unit_test(an_ipa_cache_hit_that_is_clean_is_walked_again_for_a_write),
      cmocka_unit_test(an_ipa_cache_hit_that_cannot_write_is_walked_again_for_a_write),
      cmocka_unit_test(an_update_through_a_clean_ipa_cache_entry_walks_stage_2_first),
      cmocka_unit_test(an_update_in_a_page_that_the_ipa_cache_has_read_only_faults),
      cmocka_unit_test(a_debug_request_sets_no_flag),
      cmocka_unit_test(a_debug_write_over_a_clean_entry_leaves_it_clean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
