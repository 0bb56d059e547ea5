/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU's contract, rule by rule: what a translation may touch, which registers it uses, when a
 * TLB may answer, what is installed, what is counted. The rules of several requests in flight are in
 * test_mmu_flight.c, those of maintenance in test_maintenance.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/mmu_rig.h"

#define PAGE 0x00345000ull
#define OTHER 0x00346000ull
#define SECTION 0x00800000ull

#define SCTLR_M (1u << 0)
#define SCTLR_WXN (1u << 19)
#define SCTLR_UWXN (1u << 20)
#define SCTLR_AFE (1u << 29)

static const enum nw_regime_kind every_kind[] = {NW_REGIME_ARMV7_SHORT, NW_REGIME_ARMV7_LPAE,
                                                 NW_REGIME_ARMV7_SHORT_S2, NW_REGIME_ARMV7_LPAE_S2};

/* A short small-page descriptor for OUTPUT with AP[2:0], XN and nG. */
static uint32_t small_page(uint32_t output, uint32_t ap, uint32_t xn, uint32_t ng) {
  return output | 2u | xn | (ap & 3u) << 4 | (ap >> 2) << 9 | ng << 11;
}

static const struct nw_mmu_statistics *counted(const struct rig *rig) {
  return nw_mmu_statistics(rig->mmu);
}

static void expect_translated(const struct rig *rig, uint64_t va, enum nw_source source) {
  assert_int_equal(rig->result.fault.type, NW_FAULT_NONE);
  assert_int_equal(rig->result.pa, rig_pa(rig, va));
  assert_int_equal(rig->result.source, source);
}

static void expect_plain_outcome(struct rig *rig, enum nw_access access,
                                 enum nw_privilege privilege, uint64_t va) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = (uint8_t)privilege};
  struct nw_result plain = rig_plain_walk(rig, &request);

  assert_true(rig_same_outcome(&rig->result, &plain));
}

/* -- what a translation touches ---------------------------------------------------------------- */

/* Descriptors that are in no memory at all, answered by hand. */
static void memory_is_reached_only_by_answering_steps(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  struct nw_request request = {.va = PAGE | 0x123, .privilege = NW_PRIVILEGED};
  struct nw_transaction transaction;
  struct nw_step step;

  assert_true(nw_mmu_begin(rig->mmu, &transaction, &request, 7));
  assert_true(nw_mmu_next(rig->mmu, &step));
  assert_int_equal(step.kind, NW_STEP_READ);
  assert_int_equal(step.address, TABLES_IPA + (PAGE >> 20) * 4);
  assert_false(nw_mmu_next(rig->mmu, &step));
  assert_true(nw_mmu_answer(rig->mmu, 7, &(struct nw_answer){.data = 0x00abc001}));
  assert_true(nw_mmu_next(rig->mmu, &step));
  assert_int_equal(step.kind, NW_STEP_READ);
  assert_int_equal(step.address, 0x00abc000 + 0x45 * 4);
  assert_true(nw_mmu_answer(rig->mmu, 7, &(struct nw_answer){.data = 0x56789012}));
  assert_true(nw_mmu_next(rig->mmu, &step));
  assert_int_equal(step.kind, NW_STEP_DONE);
  assert_int_equal(step.tag, 7);
  assert_int_equal(transaction.result.pa, 0x56789123);
  assert_int_equal(rig->accesses, 0);
  rig_free(rig);
}

/* Each of the reads in turn aborts: the fault is the reader's, and the MMU goes on. */
static void an_abort_of_any_descriptor_read_is_an_external_abort(void **state) {
  (void)state;
  for (unsigned k = 0; k < sizeof(every_kind) / sizeof(every_kind[0]); k++) {
    struct nw_mmu_config config = rig_full(every_kind[k]);
    struct rig *rig = rig_new(&config);
    struct tables *tables = rig->tables;
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, PAGE));
    unsigned reads = tables->reads;

    for (unsigned i = 0; i < reads; i++) {
      rig->abort_at = (int)i;
      assert_false(rig_read(rig, PAGE));
      assert_int_equal(rig->result.fault.type, NW_FAULT_EXTERNAL_ABORT);
      assert_int_equal(rig->result.fault.stage, tables->log[i].stage);
      assert_int_equal(rig->result.fault.level, tables->log[i].level);
      assert_int_equal(rig->result.fault.s1walk,
                       tables->log[i].stage == 2 && tables->log[i].for_s1);
      assert_int_equal(rig->result.walk_reads, i + 1);
      assert_int_equal(rig->accesses, i + 1);
    }
    rig->abort_at = -1;
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(rig->accesses, reads); /* the walks that faulted have left nothing behind */
    assert_int_equal(counted(rig)->faults[NW_FAULT_EXTERNAL_ABORT], reads);
    rig_free(rig);
  }
}

static void an_update_without_a_memory_for_it_is_never_asked_of_armv7(void **state) {
  (void)state;
  for (unsigned k = 0; k < sizeof(every_kind) / sizeof(every_kind[0]); k++) {
    struct nw_mmu_config config = rig_full(every_kind[k]);
    struct rig *rig = rig_new(&config);
    rig->memory.update = NULL;
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(rig_write(rig, PAGE));
    assert_int_equal(counted(rig)->updates, 0);
    rig_free(rig);
  }
}

/* -- registers --------------------------------------------------------------------------------- */

/* Every register changes under the walk. */
static void scramble_registers(struct rig *rig) {
  nw_mmu_write_register(rig->mmu, NW_REG_TTBR0, 0x12340000);
  nw_mmu_write_register(rig->mmu, NW_REG_TTBR1, 0x12340000);
  nw_mmu_write_register(rig->mmu, NW_REG_VTTBR, 99ull << 48 | 0x77770000);
  nw_mmu_write_register(rig->mmu, NW_REG_CONTEXTIDR, 55);
  nw_mmu_write_register(rig->mmu, NW_REG_DACR, 0);
  nw_mmu_write_register(rig->mmu, NW_REG_VTCR, 0x01);
  nw_mmu_write_register(rig->mmu, NW_REG_SCTLR, 0);
  nw_mmu_write_register(rig->mmu, NW_REG_HCR, 0);
}

static void restore_registers(struct rig *rig) {
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++) {
    nw_mmu_write_register(rig->mmu, reg, rig->tables->regime.reg[reg]);
  }
}

static void a_walk_uses_the_registers_as_they_were_when_it_began(void **state) {
  (void)state;
  for (unsigned k = 0; k < sizeof(every_kind) / sizeof(every_kind[0]); k++) {
    struct nw_mmu_config config = rig_full(every_kind[k]);
    struct rig *rig = rig_new(&config);
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(rig_read(rig, PAGE));
    unsigned reads = rig->accesses;

    for (unsigned i = 0; i < reads; i++) {
      nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
      rig->meanwhile = scramble_registers;
      rig->meanwhile_at = (int)i;
      assert_true(rig_read(rig, PAGE));
      assert_int_equal(rig->accesses, reads);
      expect_translated(rig, PAGE, NW_FROM_WALK);
      /* Its entry has the tags of then: not those of now. */
      rig_read(rig, PAGE);
      assert_int_not_equal(rig->result.source, NW_FROM_L1);
      restore_registers(rig);
      assert_true(rig_read(rig, PAGE));
      expect_translated(rig, PAGE, NW_FROM_L1);
    }
    rig_free(rig);
  }
}

/* B3.10.4: what of DACR and SCTLR decides about rights may change without a flush. */
static const struct {
  enum nw_register reg;
  uint32_t before, after;
  uint32_t ap, xn;
  enum nw_access access;
  enum nw_privilege privilege;
  enum nw_fault_type fault_before, fault_after;
} right_changes[] = {
    {NW_REG_DACR, 1, 0, 3, 0, NW_READ, NW_USER, NW_FAULT_NONE, NW_FAULT_DOMAIN},
    {NW_REG_DACR, 1, 2, 3, 0, NW_READ, NW_USER, NW_FAULT_NONE, NW_FAULT_DOMAIN},
    {NW_REG_DACR, 3, 1, 7, 0, NW_WRITE, NW_USER, NW_FAULT_NONE, NW_FAULT_PERMISSION},
    {NW_REG_DACR, 3, 1, 0, 1, NW_EXECUTE, NW_USER, NW_FAULT_NONE, NW_FAULT_PERMISSION},
    {NW_REG_DACR, 1, 3, 7, 0, NW_WRITE, NW_USER, NW_FAULT_PERMISSION, NW_FAULT_NONE},
    {NW_REG_SCTLR, 0, SCTLR_AFE, 2, 0, NW_READ, NW_USER, NW_FAULT_NONE, NW_FAULT_ACCESS_FLAG},
    {NW_REG_SCTLR, 0, SCTLR_AFE, 1, 0, NW_WRITE, NW_PRIVILEGED, NW_FAULT_NONE, NW_FAULT_NONE},
    {NW_REG_SCTLR, SCTLR_AFE, 0, 2, 0, NW_READ, NW_USER, NW_FAULT_ACCESS_FLAG, NW_FAULT_NONE},
    {NW_REG_SCTLR, 0, SCTLR_WXN, 3, 0, NW_EXECUTE, NW_USER, NW_FAULT_NONE, NW_FAULT_PERMISSION},
    {NW_REG_SCTLR, 0, SCTLR_WXN, 1, 0, NW_EXECUTE, NW_PRIVILEGED, NW_FAULT_NONE,
     NW_FAULT_PERMISSION},
    {NW_REG_SCTLR, 0, SCTLR_UWXN, 3, 0, NW_EXECUTE, NW_PRIVILEGED, NW_FAULT_NONE,
     NW_FAULT_PERMISSION},
    {NW_REG_SCTLR, 0, SCTLR_UWXN, 3, 0, NW_EXECUTE, NW_USER, NW_FAULT_NONE, NW_FAULT_NONE},
};

static void rights_change_with_the_registers_without_a_flush(void **state) {
  (void)state;
  for (unsigned i = 0; i < sizeof(right_changes) / sizeof(right_changes[0]); i++) {
    struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
    struct rig *rig = rig_new(&config);
    uint32_t on = right_changes[i].reg == NW_REG_SCTLR ? SCTLR_M : 0;
    enum nw_access access = right_changes[i].access;
    enum nw_privilege privilege = right_changes[i].privilege;
    tables_map_raw(rig->tables, 1, PAGE, 2,
                   small_page(0x01234000, right_changes[i].ap, right_changes[i].xn, 0), 0);

    /* A manager's read or fetch puts the entry in, whatever the rights. */
    rig_register(rig, NW_REG_DACR, 3);
    assert_true(rig_translate(rig, access == NW_EXECUTE ? NW_EXECUTE : NW_READ, privilege, PAGE));
    rig_register(rig, NW_REG_DACR, 1);
    rig_register(rig, right_changes[i].reg, right_changes[i].before | on);
    rig_translate(rig, access, privilege, PAGE);
    assert_int_equal(rig->result.fault.type, right_changes[i].fault_before);

    uint64_t walks = counted(rig)->walks, rewalks = counted(rig)->rewalks;
    rig_register(rig, right_changes[i].reg, right_changes[i].after | on);
    rig_translate(rig, access, privilege, PAGE);
    assert_int_equal(rig->result.fault.type, right_changes[i].fault_after);
    bool denied = right_changes[i].fault_after != NW_FAULT_NONE;
    assert_int_equal(counted(rig)->walks - walks, denied);
    assert_int_equal(counted(rig)->rewalks - rewalks, denied);
    assert_int_equal(counted(rig)->l1d.misses + counted(rig)->l1i.misses, 1);
    rig_free(rig);
  }
}

static void a_tlb_holds_nothing_for_the_other_state_of_a_stage(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  tables_map(rig->tables, 2, PAGE, 0x700000000, 12, MAP_ALL); /* for stage 1 off */
  /* The same guest table in the memory that is at the IPA itself, with another page. */
  uint64_t root_word = TABLES_IPA + (PAGE >> 20) * 4;
  tables_put(rig->tables, root_word, 4, 0x00500001);
  tables_put(rig->tables, 0x00500000 + 0x45 * 4, 4, small_page(0x0abcd000, 3, 0, 0));

  static const struct {
    uint32_t sctlr, hcr;
    uint64_t pa;
  } switched[] = {
      {1, 1, RIG_IPA + PAGE + TABLES_OFFSET},
      {0, 1, 0x700000000},
      {1, 0, 0x0abcd000},
      {0, 0, PAGE},
      {1, 0x1000, 0x700000000}, /* HCR.DC: stage 1 off, stage 2 on */
  };
  for (unsigned round = 0; round < 3; round++) {
    for (unsigned i = 0; i < 5; i++) {
      rig_register(rig, NW_REG_SCTLR, switched[i].sctlr);
      rig_register(rig, NW_REG_HCR, switched[i].hcr);
      assert_true(rig_read(rig, PAGE));
      assert_int_equal(rig->result.pa, switched[i].pa);
    }
  }
  rig_free(rig);
}

/* A guest table's IPA, kept in the walk cache while stage 2 was on, is no PA. */
static void a_walk_cache_holds_nothing_for_the_other_state_of_stage_2(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.walk_cache = rig_cam(8);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  tables_put(rig->tables, TABLES_IPA + (PAGE >> 20) * 4, 4, 0x00500001);
  tables_put(rig->tables, 0x00500000 + 0x45 * 4, 4, small_page(0x0abcd000, 3, 0, 0));

  for (unsigned round = 0; round < 3; round++) {
    rig_register(rig, NW_REG_HCR, 1);
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(rig->result.pa, RIG_IPA + PAGE + TABLES_OFFSET);
    rig_register(rig, NW_REG_HCR, 0);
    assert_true(rig_read(rig, PAGE));
    assert_int_equal(rig->result.pa, 0x0abcd000);
  }
  assert_int_equal(counted(rig)->walk_cache_hits, 4); /* each state's own, from round 2 on */
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);        /* both states' go */
  for (unsigned hcr = 0; hcr <= 1; hcr++) {
    rig_register(rig, NW_REG_HCR, hcr);
    assert_true(rig_read(rig, PAGE));
  }
  assert_int_equal(counted(rig)->walk_cache_hits, 4);
  rig_free(rig);
}

static void with_both_stages_off_nothing_is_looked_up_or_counted(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  struct nw_mmu_statistics none = {0};
  rig_register(rig, NW_REG_SCTLR, 0);
  rig_register(rig, NW_REG_HCR, 0);

  for (unsigned i = 0; i < 3; i++) {
    assert_true(rig_read(rig, PAGE | 0x456));
    assert_int_equal(rig->result.pa, PAGE | 0x456);
    assert_int_equal(rig->result.page_log2, 12);
    assert_int_equal(rig->accesses, 0);
  }
  assert_memory_equal(counted(rig), &none, sizeof(none));
  rig_free(rig);
}

/* The registers cover 32 bits of VA, whether stage 1 is on or off. */
static void an_address_wider_than_a_va_is_a_level_1_translation_fault(void **state) {
  (void)state;
  for (unsigned k = 0; k < sizeof(every_kind) / sizeof(every_kind[0]); k++) {
    for (uint32_t sctlr = 0; sctlr <= 1; sctlr++) {
      struct nw_mmu_config config = rig_full(every_kind[k]);
      struct rig *rig = rig_new(&config);
      rig_map(rig, PAGE, 12, MAP_ALL);
      rig_register(rig, NW_REG_SCTLR, sctlr);
      for (unsigned bit = 32; bit < 64; bit++) {
        assert_false(rig_read(rig, PAGE | 1ull << bit));
        assert_int_equal(rig->result.fault.type, NW_FAULT_TRANSLATION);
        assert_int_equal(rig->result.fault.stage, 1);
        assert_int_equal(rig->result.fault.level, 1);
        assert_int_equal(rig->accesses, 0);
      }
      rig_free(rig);
    }
  }
}

/* -- hits -------------------------------------------------------------------------------------- */

static void the_first_access_walks_and_the_second_hits(void **state) {
  (void)state;
  for (unsigned k = 0; k < sizeof(every_kind) / sizeof(every_kind[0]); k++) {
    struct nw_mmu_config config = rig_full(every_kind[k]);
    struct rig *rig = rig_new(&config);
    rig_map(rig, PAGE, 12, MAP_ALL);
    assert_true(rig_read(rig, PAGE | 0x10));
    expect_translated(rig, PAGE | 0x10, NW_FROM_WALK);
    struct nw_result walked = rig->result;
    assert_true(rig_read(rig, PAGE | 0x10));
    expect_translated(rig, PAGE | 0x10, NW_FROM_L1);
    assert_int_equal(rig->accesses, 0);
    assert_int_equal(rig->result.walk_reads, 0);
    assert_true(rig_same_outcome(&rig->result, &walked));
    assert_true(rig_read(rig, PAGE | 0xfff));
    expect_translated(rig, PAGE | 0xfff, NW_FROM_L1);
    rig_free(rig);
  }
}

static void a_miss_is_counted_once_in_each_level_and_walked_once(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  rig_read(rig, PAGE);
  const struct nw_mmu_statistics *s = counted(rig);
  assert_int_equal(s->l1d.accesses, 1);
  assert_int_equal(s->l1d.misses, 1);
  assert_int_equal(s->l1d.misses_by_size[0], 1);
  assert_int_equal(s->l2.accesses, 1);
  assert_int_equal(s->l2.misses, 1);
  assert_int_equal(s->l2.misses_by_size[0], 1);
  assert_int_equal(s->l1i.accesses, 0);
  assert_int_equal(s->walks, 1);
  assert_int_equal(s->walk_references, 11);
  assert_int_equal(s->rewalks, 0);
  rig_expect_sums(s);
  rig_free(rig);
}

static void a_level_2_hit_refills_level_1(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  assert_true(rig_read(rig, PAGE)); /* data side and level 2 */
  assert_true(rig_execute(rig, PAGE));
  expect_translated(rig, PAGE, NW_FROM_L2);
  assert_true(rig_execute(rig, PAGE));
  expect_translated(rig, PAGE, NW_FROM_L1);
  assert_int_equal(counted(rig)->walks, 1);
  assert_int_equal(counted(rig)->l1i.misses_by_size[0], 1);
  assert_int_equal(counted(rig)->l2.hits_by_size[0], 1);
  rig_free(rig);
}

/* The page has become writable; nobody has flushed: architecturally fine, and found at once. */
static void a_denied_hit_is_walked_again_and_the_walks_verdict_stands(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_USER | MAP_EXECUTE);
  assert_true(rig_read(rig, PAGE));
  assert_false(rig_write(rig, PAGE));
  assert_int_equal(rig->result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(rig->result.fault.level, 2);
  assert_true(rig_read(rig, PAGE)); /* the entry has stayed */
  expect_translated(rig, PAGE, NW_FROM_L1);

  rig_map(rig, PAGE, 12, MAP_ALL);
  assert_true(rig_write(rig, PAGE));
  expect_translated(rig, PAGE, NW_FROM_WALK);
  assert_true(rig_write(rig, PAGE));
  expect_translated(rig, PAGE, NW_FROM_L1);

  const struct nw_mmu_statistics *s = counted(rig);
  assert_int_equal(s->rewalks, 2);
  assert_int_equal(s->l1d.accesses, 5);
  assert_int_equal(s->l1d.hits, 4);
  assert_int_equal(s->l1d.misses, 1);
  assert_int_equal(s->l2.accesses, 1); /* a denied hit goes straight to the walker */
  assert_int_equal(s->walks, 3);
  rig_expect_sums(s);
  rig_free(rig);
}

static void a_hit_that_level_2_denies_is_walked_again(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_USER);
  assert_true(rig_read(rig, PAGE));
  assert_false(rig_execute(rig, PAGE)); /* execute-never; only level 2 has it for this side */
  assert_int_equal(rig->result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(counted(rig)->l1i.misses, 1);
  assert_int_equal(counted(rig)->l2.hits, 1);
  assert_int_equal(counted(rig)->rewalks, 1);
  assert_int_equal(counted(rig)->walks, 2);
  rig_expect_sums(counted(rig));
  rig_free(rig);
}

/* One page under every right of both stages; every access after every access that fills. */
static void expect_same_on_hit_and_on_miss(struct rig *rig, uint64_t va) {
  for (unsigned fill = 0; fill < 6; fill++) {
    nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
    rig_translate(rig, (enum nw_access)(fill % 3), (enum nw_privilege)(fill / 3), va);
    for (unsigned then = 0; then < 6; then++) {
      enum nw_access access = (enum nw_access)(then % 3);
      enum nw_privilege privilege = (enum nw_privilege)(then / 3);
      rig_translate(rig, access, privilege, va);
      expect_plain_outcome(rig, access, privilege, va);
    }
  }
}

static void the_same_access_ends_the_same_on_a_hit_and_on_a_miss(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  for (unsigned i = 0; i < 8 * 2 * 3 * 2 * 8; i++) {
    uint32_t ap = i % 8, xn = i / 8 % 2, dacr = 1 + i / 16 % 3, afe = i / 48 % 2;
    unsigned s2_rights = i / 96;
    rig_register(rig, NW_REG_DACR, dacr);
    rig_register(rig, NW_REG_SCTLR, SCTLR_M | (afe ? SCTLR_AFE : 0));
    tables_map_raw(rig->tables, 1, PAGE, 2, small_page(0x80345000, ap, xn, 1), 0);
    tables_map(rig->tables, 2, 0x80345000, 0x123456000, 12, s2_rights);
    expect_same_on_hit_and_on_miss(rig, PAGE);
  }
  rig_free(rig);
}

/* -- what is installed ------------------------------------------------------------------------- */

static void a_walk_that_faults_installs_nothing(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  rig_map(rig, PAGE, 12, MAP_ALL);
  uint64_t leaf = tables_descriptor_pa(rig->tables, 1, PAGE, 2);
  uint64_t good = tables_get(rig->tables, leaf, 4);

  tables_put(rig->tables, leaf, 4, 0);
  for (unsigned i = 0; i < 3; i++) {
    assert_false(rig_read(rig, PAGE));
    assert_int_equal(rig->result.fault.type, NW_FAULT_TRANSLATION);
    assert_int_equal(rig->accesses, 8); /* (3 + 1) * 2: each time all of them */
  }
  assert_int_equal(counted(rig)->walk_cache_hits, 0);
  assert_int_equal(counted(rig)->ipa_cache_hits, 0);
  assert_int_equal(counted(rig)->walk_cache_lookups, 3);
  assert_int_equal(counted(rig)->l1d.misses_faulted, 3);

  tables_put(rig->tables, leaf, 4, good);
  assert_true(rig_read(rig, PAGE));
  assert_int_equal(rig->accesses, 11);
  rig_map(rig, OTHER, 12, MAP_ALL); /* its walk profits from what that one has installed */
  assert_true(rig_read(rig, OTHER));
  assert_int_equal(rig->accesses, 1 + 3);
  rig_free(rig);
}

static void invalidate_all(struct rig *rig) {
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
}

static void invalidate_another_address(struct rig *rig) {
  nw_mmu_invalidate(rig->mmu, NW_TLBI_MVA, 0xfff00000 | 200);
}

static void invalidate_another_asid(struct rig *rig) {
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ASID, 200);
}

static void invalidate_the_other_side(struct rig *rig) {
  nw_mmu_invalidate(rig->mmu, NW_ITLBI_ALL, 0);
}

static void (*const maintenance_in_between[])(struct rig *rig) = {
    invalidate_all, invalidate_another_address, invalidate_another_asid, invalidate_the_other_side};

/* The translation after the walk that saw maintenance is walked in full: nothing has it. */
static void maintenance_during_a_walk_lets_it_answer_but_install_nothing(void **state) {
  (void)state;
  for (unsigned m = 0; m < 4; m++) {
    for (int at = 0; at < 11; at++) {
      struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
      struct rig *rig = rig_new(&config);
      rig_map(rig, PAGE, 12, MAP_ALL);
      rig->meanwhile = maintenance_in_between[m];
      rig->meanwhile_at = at;
      assert_true(rig_read(rig, PAGE));
      expect_translated(rig, PAGE, NW_FROM_WALK);
      assert_int_equal(rig->meanwhile_at, -1);
      assert_true(rig_read(rig, PAGE));
      assert_int_equal(rig->accesses, 11);
      assert_true(rig_read(rig, PAGE));
      assert_int_equal(rig->accesses, 0);
      rig_free(rig);
    }
  }
}

/* Pages become a section: the write that finds out puts the section in and the pages out. */
static void installing_a_large_page_drops_the_small_ones_inside(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.l1d = rig_cam(16);
  struct rig *rig = rig_new(&config);
  for (unsigned i = 0; i < 4; i++) {
    tables_map_raw(rig->tables, 1, SECTION + i * 0x1000, 2, small_page(0x01000000, 7, 0, 0), 0);
    assert_true(rig_read(rig, SECTION + i * 0x1000));
  }
  tables_put(rig->tables, TABLES_IPA + (SECTION >> 20) * 4, 4, 0x80000002 | 3u << 10);
  assert_true(rig_write(rig, SECTION + 0x2000));
  assert_int_equal(rig->result.page_log2, 20);
  for (unsigned i = 0; i < 4; i++) {
    assert_true(rig_read(rig, SECTION + i * 0x1000));
    assert_int_equal(rig->result.source, NW_FROM_L1);
    assert_int_equal(rig->result.pa, 0x80000000 + i * 0x1000);
  }
  rig_free(rig);
}

static void installing_a_small_page_drops_the_large_one_around(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.l1d = rig_cam(16);
  struct rig *rig = rig_new(&config);
  tables_put(rig->tables, TABLES_IPA + (SECTION >> 20) * 4, 4, 0x80000002 | 3u << 10 | 1u << 15);
  assert_true(rig_read(rig, SECTION));
  tables_put(rig->tables, TABLES_IPA + (SECTION >> 20) * 4, 4, 0);
  tables_map_raw(rig->tables, 1, SECTION + 0x2000, 2, small_page(0x01000000, 3, 0, 0), 0);
  assert_true(rig_write(rig, SECTION + 0x2000));
  assert_int_equal(rig->result.page_log2, 12);
  assert_false(rig_read(rig, SECTION));
  assert_int_equal(rig->result.fault.type, NW_FAULT_TRANSLATION);
  rig_free(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_reached_only_by_answering_steps),
      cmocka_unit_test(an_abort_of_any_descriptor_read_is_an_external_abort),
      cmocka_unit_test(an_update_without_a_memory_for_it_is_never_asked_of_armv7),
      cmocka_unit_test(a_walk_uses_the_registers_as_they_were_when_it_began),
      cmocka_unit_test(rights_change_with_the_registers_without_a_flush),
      cmocka_unit_test(a_tlb_holds_nothing_for_the_other_state_of_a_stage),
      cmocka_unit_test(a_walk_cache_holds_nothing_for_the_other_state_of_stage_2),
      cmocka_unit_test(with_both_stages_off_nothing_is_looked_up_or_counted),
      cmocka_unit_test(an_address_wider_than_a_va_is_a_level_1_translation_fault),
      cmocka_unit_test(the_first_access_walks_and_the_second_hits),
      cmocka_unit_test(a_miss_is_counted_once_in_each_level_and_walked_once),
      cmocka_unit_test(a_level_2_hit_refills_level_1),
      cmocka_unit_test(a_denied_hit_is_walked_again_and_the_walks_verdict_stands),
      cmocka_unit_test(a_hit_that_level_2_denies_is_walked_again),
      cmocka_unit_test(the_same_access_ends_the_same_on_a_hit_and_on_a_miss),
      cmocka_unit_test(a_walk_that_faults_installs_nothing),
      cmocka_unit_test(maintenance_during_a_walk_lets_it_answer_but_install_nothing),
      cmocka_unit_test(installing_a_large_page_drops_the_small_ones_inside),
      cmocka_unit_test(installing_a_small_page_drops_the_large_one_around),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
