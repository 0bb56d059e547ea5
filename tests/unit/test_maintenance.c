/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB maintenance, DDI 0406C B3.10 and B4.2.2, operation by operation: what goes and what stays, by
 * address, ASID, VMID, globality, side and structure.
 *
 * The population: page A and page B under ASIDs 1 and 2, a global page G and a global page H, all of
 * them under VMIDs 1 and 2 and on both sides. Each has a letter and a digit: A1, A2, B1, B2, G0, H0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/mmu_rig.h"

#define A 0x00341000ull
#define B 0x00342000ull
#define G 0x00343000ull
#define H 0x00344000ull

static const struct {
  const char *name;
  uint64_t va;
  unsigned asid; /* that it was brought under; another one for a global page */
  bool global;
} pages[] = {
    {"A1", A, 1, false}, {"A2", A, 2, false}, {"B1", B, 1, false},
    {"B2", B, 2, false}, {"G0", G, 1, true},  {"H0", H, 2, true},
};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static void map(struct rig *rig, uint64_t va, bool global) {
  uint32_t leaf = (uint32_t)(RIG_IPA + va) | 2u | 3u << 4 | (global ? 0 : 1u << 11);

  tables_map_raw(rig->tables, 1, va, 2, leaf, 0);
  tables_map(rig->tables, 2, RIG_IPA + va, RIG_IPA + va + TABLES_OFFSET, 12, MAP_ALL);
}

static struct rig *populated(struct nw_mmu_config config) {
  struct rig *rig = rig_new(&config);

  for (unsigned i = 0; i < PAGES; i++) {
    map(rig, pages[i].va, pages[i].global);
  }
  for (unsigned vmid = 1; vmid <= 2; vmid++) {
    rig_vmid(rig, vmid);
    for (unsigned i = 0; i < PAGES; i++) {
      rig_asid(rig, pages[i].asid);
      assert_true(rig_read(rig, pages[i].va));
      assert_true(rig_execute(rig, pages[i].va));
    }
  }
  rig_vmid(rig, 1);
  return rig;
}

/* The names of the pages that a side has lost under a VMID, in the order of the table. */
static const char *lost(struct rig *rig, enum nw_access side, unsigned vmid) {
  static char list[64];
  size_t length = 0;

  list[0] = '\0';
  rig_vmid(rig, vmid);
  for (unsigned i = 0; i < PAGES; i++) {
    rig_asid(rig, pages[i].global ? 77 : pages[i].asid);
    if (!rig_holds(rig, side, pages[i].va)) {
      length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
                                 length == 0 ? "" : " ", pages[i].name);
    }
  }
  rig_vmid(rig, 1);
  return list;
}

#define ALL "A1 A2 B1 B2 G0 H0"

/* What each side loses under VMID 1, the current one; what VMID 2 loses (both sides alike). */
static const struct {
  const char *name;
  enum nw_tlbi operation;
  uint64_t operand;
  const char *data, *instruction, *other_vmid;
} operations[] = {
    {"TLBIALL", NW_TLBI_ALL, 0, ALL, ALL, ""},
    {"TLBIALL with an operand", NW_TLBI_ALL, A | 1, ALL, ALL, ""},
    {"TLBIMVA", NW_TLBI_MVA, A | 1, "A1", "A1", ""},
    {"TLBIMVA, bits 11:8 set", NW_TLBI_MVA, A | 0xf01, "A1", "A1", ""},
    {"TLBIMVA, other ASID", NW_TLBI_MVA, A | 2, "A2", "A2", ""},
    {"TLBIMVA, nobody's ASID", NW_TLBI_MVA, A | 3, "", "", ""},
    {"TLBIMVA, other page", NW_TLBI_MVA, B | 2, "B2", "B2", ""},
    {"TLBIMVA, nobody's page", NW_TLBI_MVA, (A - 0x1000) | 1, "", "", ""},
    {"TLBIMVA, one bit off", NW_TLBI_MVA, (A ^ 1ull << 31) | 1, "", "", ""},
    {"TLBIMVA of a global page", NW_TLBI_MVA, G | 1, "G0", "G0", ""},
    {"TLBIMVA of a global page, any ASID", NW_TLBI_MVA, G | 99, "G0", "G0", ""},
    {"INVLPG, which is x86's", NW_INVLPG, A | 1, "", "", ""},
    {"INVEPT, which is x86's", NW_INVEPT, 0, "", "", ""},
    {"TLBIASID", NW_TLBI_ASID, 1, "A1 B1", "A1 B1", ""},
    {"TLBIASID, an address beside it", NW_TLBI_ASID, G | 2, "A2 B2", "A2 B2", ""},
    {"TLBIASID, nobody's", NW_TLBI_ASID, 3, "", "", ""},
    {"TLBIASID, one bit off", NW_TLBI_ASID, 0x81, "", "", ""},
    {"TLBIMVA, one bit of the ASID off", NW_TLBI_MVA, A | 0x81, "", "", ""},
    {"TLBIMVAA", NW_TLBI_MVAA, A, "A1 A2", "A1 A2", ""},
    {"TLBIMVAA, an ASID beside it", NW_TLBI_MVAA, B | 1, "B1 B2", "B1 B2", ""},
    {"TLBIMVAA of a global page", NW_TLBI_MVAA, H, "H0", "H0", ""},
    {"ITLBIALL", NW_ITLBI_ALL, 0, "", ALL, ""},
    {"ITLBIMVA", NW_ITLBI_MVA, A | 1, "", "A1", ""},
    {"ITLBIMVA of a global page", NW_ITLBI_MVA, G | 9, "", "G0", ""},
    {"ITLBIASID", NW_ITLBI_ASID, 2, "", "A2 B2", ""},
    {"DTLBIALL", NW_DTLBI_ALL, 0, ALL, "", ""},
    {"DTLBIMVA", NW_DTLBI_MVA, A | 1, "A1", "", ""},
    {"DTLBIMVA of a global page", NW_DTLBI_MVA, G | 9, "G0", "", ""},
    {"DTLBIASID", NW_DTLBI_ASID, 2, "A2 B2", "", ""},
    {"TLBIALLNSNH", NW_TLBI_ALLNSNH, 0, ALL, ALL, ALL},
    {"TLBIALLH", NW_TLBI_ALLH, 0, "", "", ""},
    {"TLBIMVAH", NW_TLBI_MVAH, A | 1, "", "", ""},
};

static void each_operation_drops_what_the_manual_says_and_nothing_else(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l1d = rig_cam(32);
  config.l1i = (struct nw_tlb_config){.entries = 64, .ways = 16}; /* the one a CAM, the other not */
  for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
    struct rig *rig = populated(config);
    print_message("  %s\n", operations[i].name);
    assert_string_equal(lost(rig, NW_READ, 1), "");
    nw_mmu_invalidate(rig->mmu, operations[i].operation, operations[i].operand);
    assert_string_equal(lost(rig, NW_READ, 1), operations[i].data);
    assert_string_equal(lost(rig, NW_EXECUTE, 1), operations[i].instruction);
    assert_string_equal(lost(rig, NW_READ, 2), operations[i].other_vmid);
    assert_string_equal(lost(rig, NW_EXECUTE, 2), operations[i].other_vmid);
    rig_free(rig);
  }
}

/* A unified level is on both sides: whichever side is named, it loses. */
static void a_unified_level_loses_what_either_side_loses(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l2 = (struct nw_tlb_config){.entries = 64, .ways = 64};
  for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
    struct rig *rig = populated(config);
    const char *expected =
        operations[i].data[0] != '\0' ? operations[i].data : operations[i].instruction;
    nw_mmu_invalidate(rig->mmu, operations[i].operation, operations[i].operand);
    assert_string_equal(lost(rig, NW_READ, 1), expected);
    assert_string_equal(lost(rig, NW_EXECUTE, 1), expected);
    assert_string_equal(lost(rig, NW_READ, 2), operations[i].other_vmid);
    rig_free(rig);
  }
}

static void an_operation_that_does_not_exist_does_nothing(void **state) {
  (void)state;
  struct rig *rig = populated(rig_full(NW_REGIME_ARMV7_SHORT_S2));
  nw_mmu_invalidate(rig->mmu, NW_TLBIS, 0);
  nw_mmu_invalidate(rig->mmu, (enum nw_tlbi)1000, 0);
  assert_string_equal(lost(rig, NW_READ, 1), "");
  rig_free(rig);
}

/* B3.10.5: any address within a large page, section or supersection names it. */
static void an_address_anywhere_in_a_page_of_any_size_drops_it(void **state) {
  (void)state;
  static const unsigned log2[] = {12, 16, 20, 24};
  uint64_t chance = 12345;
  for (unsigned i = 0; i < 4; i++) {
    for (unsigned round = 0; round < 20; round++) {
      struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
      struct rig *rig = rig_new(&config);
      uint64_t va = 0x04000000, size = 1ull << log2[i];
      rig_map(rig, va, log2[i], MAP_ALL);
      assert_true(rig_read(rig, va));
      nw_mmu_invalidate(rig->mmu, NW_TLBI_MVA, va + size);
      nw_mmu_invalidate(rig->mmu, NW_TLBI_MVA, va - 0x1000);
      assert_true(rig_holds(rig, NW_READ, va));
      uint64_t inside = va + (tables_random(&chance) % size & ~0xfffull); /* ASID 0 */
      nw_mmu_invalidate(rig->mmu, NW_TLBI_MVA, inside);
      assert_false(rig_holds(rig, NW_READ, va));
      rig_free(rig);
    }
  }
}

/* -- the caches -------------------------------------------------------------------------------- */

/* Which of a full walk's parts an operation costs again: 2 stage-1 reads, 9 of stage 2. */
static const struct {
  enum nw_tlbi operation;
  uint64_t operand;
  bool walk_cache, ipa_cache; /* lose what page A needs */
} cache_operations[] = {
    {NW_TLBI_ALL, 0, true, true},
    {NW_TLBI_MVA, A | 1, true, false},
    {NW_TLBI_MVA, A | 3, true, false}, /* a table may serve global pages: earlier than it need go */
    {NW_TLBI_MVA, (A + 0x100000) | 1, false, false}, /* another table's */
    {NW_TLBI_ASID, 1, true, false},
    {NW_TLBI_ASID, 2, false, false},
    {NW_TLBI_MVAA, A, true, false},
    {NW_TLBI_MVA, RIG_IPA | A | 1, false, false}, /* a VA, though an IPA is the same */
    {NW_TLBI_MVAA, RIG_IPA | A, false, false},
    {NW_ITLBI_ALL, 0, true, true},
    {NW_ITLBI_MVA, A | 1, true, false},
    {NW_ITLBI_ASID, 1, true, false},
    {NW_DTLBI_ALL, 0, true, true},
    {NW_DTLBI_MVA, A | 1, true, false},
    {NW_DTLBI_ASID, 1, true, false},
    {NW_TLBI_ALLNSNH, 0, true, true},
    {NW_TLBI_ALLH, 0, false, false},
    {NW_TLBI_MVAH, A | 1, false, false},
};

static void each_operation_reaches_the_caches_that_it_has_to_reach(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.walk_cache = rig_cam(16);
  config.ipa_cache = rig_cam(16);
  for (unsigned i = 0; i < sizeof(cache_operations) / sizeof(cache_operations[0]); i++) {
    struct rig *rig = populated(config);
    rig_asid(rig, 1);
    assert_true(rig_read(rig, A));
    assert_int_equal(rig->accesses, 1); /* the leaf alone */
    nw_mmu_invalidate(rig->mmu, cache_operations[i].operation, cache_operations[i].operand);
    assert_true(rig_read(rig, A));
    bool walk = cache_operations[i].walk_cache, ipa = cache_operations[i].ipa_cache;
    assert_int_equal(rig->accesses, (walk ? 2 : 1) + (ipa ? 9 : 0));

    rig_vmid(rig, 2); /* the other VMID's are there still */
    assert_true(rig_read(rig, A));
    assert_int_equal(rig->accesses, cache_operations[i].operation == NW_TLBI_ALLNSNH ? 11 : 1);
    rig_free(rig);
  }
}

static void a_walk_cache_entry_is_one_asids_own(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.walk_cache = rig_cam(16);
  struct rig *rig = rig_new(&config);
  rig_map(rig, A, 12, MAP_ALL);
  rig_asid(rig, 1);
  assert_true(rig_read(rig, A));
  rig_asid(rig, 2);
  assert_true(rig_read(rig, A));
  assert_int_equal(rig->accesses, 2);
  assert_true(rig_read(rig, A));
  assert_int_equal(rig->accesses, 1);
  rig_free(rig);
}

/* -- tags -------------------------------------------------------------------------------------- */

static void every_bit_of_a_tag_is_compared(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l1d = rig_cam(8);
  struct rig *rig = rig_new(&config);
  map(rig, A, false);
  rig_asid(rig, 0x5a);
  rig_vmid(rig, 0xa5);
  assert_true(rig_read(rig, A));
  for (unsigned bit = 0; bit < 8; bit++) {
    rig_asid(rig, 0x5a ^ 1u << bit);
    assert_false(rig_holds(rig, NW_READ, A));
    rig_asid(rig, 0x5a);
    rig_vmid(rig, 0xa5 ^ 1u << bit);
    assert_false(rig_holds(rig, NW_READ, A));
    rig_vmid(rig, 0xa5);
  }
  for (unsigned bit = 12; bit < 64; bit++) {
    assert_false(rig_holds(rig, NW_READ, A ^ 1ull << bit));
  }
  assert_true(rig_holds(rig, NW_READ, A));
  rig_free(rig);
}

static void a_global_entry_matches_any_asid_but_needs_its_vmid(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l1d = rig_cam(8);
  struct rig *rig = rig_new(&config);
  map(rig, G, true);
  rig_vmid(rig, 7);
  assert_true(rig_read(rig, G));
  for (unsigned asid = 0; asid < 256; asid++) {
    rig_asid(rig, asid);
    assert_true(rig_holds(rig, NW_READ, G));
  }
  for (unsigned vmid = 0; vmid < 256; vmid++) {
    rig_vmid(rig, vmid);
    assert_int_equal(rig_holds(rig, NW_READ, G), vmid == 7);
  }
  rig_free(rig);
}

/* With stage 1 off there is no ASID: the entry is stage 2's, and goes with the VMID alone. */
static void an_entry_of_stage_2_alone_is_global(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT_S2);
  config.l1d = rig_cam(8);
  struct rig *rig = rig_new(&config);
  tables_map(rig->tables, 2, A, 0x123456000, 12, MAP_ALL);
  rig_register(rig, NW_REG_SCTLR, 0);
  rig_asid(rig, 1);
  assert_true(rig_read(rig, A));
  rig_asid(rig, 2);
  assert_true(rig_holds(rig, NW_READ, A));
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ASID, 1);
  assert_true(rig_holds(rig, NW_READ, A));
  nw_mmu_invalidate(rig->mmu, NW_TLBI_ALL, 0);
  assert_false(rig_holds(rig, NW_READ, A));
  rig_free(rig);
}

/* Entries made under other stage switches are of the same VMID: maintenance reaches them all. */
static void maintenance_reaches_entries_of_every_state_of_the_stages(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT_S2);
  struct rig *rig = rig_new(&config);
  map(rig, A, false);
  tables_map(rig->tables, 2, A, 0x123456000, 12, MAP_ALL);
  tables_put(rig->tables, TABLES_IPA + (A >> 20) * 4, 4, 0x00500001);
  tables_put(rig->tables, 0x00500000 + (A >> 12 & 0xff) * 4, 4, 0x0abcd832);
  static const uint32_t sctlr[] = {1, 0, 1}, hcr[] = {1, 1, 0};

  for (unsigned by = 0; by < 3; by++) {
    static const enum nw_tlbi operation[] = {NW_TLBI_ALL, NW_TLBI_MVA, NW_TLBI_ALLNSNH};
    for (unsigned i = 0; i < 3; i++) {
      rig_register(rig, NW_REG_SCTLR, sctlr[i]);
      rig_register(rig, NW_REG_HCR, hcr[i]);
      assert_true(rig_read(rig, A));
      assert_int_equal(rig->result.source, NW_FROM_WALK);
      assert_true(rig_holds(rig, NW_READ, A));
    }
    nw_mmu_invalidate(rig->mmu, operation[by], A);
    for (unsigned i = 0; i < 3; i++) {
      rig_register(rig, NW_REG_SCTLR, sctlr[i]);
      rig_register(rig, NW_REG_HCR, hcr[i]);
      assert_false(rig_holds(rig, NW_READ, A));
    }
  }
  rig_free(rig);
}

/* ALLH and MVAH reach nothing here, so a walk that sees one may install. */
static void an_operation_on_hyps_own_entries_disturbs_no_walk(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_SHORT);
  struct rig *rig = rig_new(&config);
  struct nw_transaction transaction;
  struct nw_request request = {.va = A, .privilege = NW_PRIVILEGED};
  struct nw_step step;
  rig_map(rig, A, 12, MAP_ALL);
  assert_true(nw_mmu_begin(rig->mmu, &transaction, &request, 0));
  while (nw_mmu_next(rig->mmu, &step) && step.kind == NW_STEP_READ) {
    struct nw_answer answer = {.data = tables_get(rig->tables, step.address, step.size)};
    nw_mmu_invalidate(rig->mmu, NW_TLBI_ALLH, 0);
    nw_mmu_invalidate(rig->mmu, NW_TLBI_MVAH, A);
    nw_mmu_answer(rig->mmu, 0, &answer);
  }
  assert_true(rig_holds(rig, NW_READ, A));
  rig_free(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_operation_drops_what_the_manual_says_and_nothing_else),
      cmocka_unit_test(a_unified_level_loses_what_either_side_loses),
      cmocka_unit_test(an_operation_that_does_not_exist_does_nothing),
      cmocka_unit_test(an_address_anywhere_in_a_page_of_any_size_drops_it),
      cmocka_unit_test(each_operation_reaches_the_caches_that_it_has_to_reach),
      cmocka_unit_test(a_walk_cache_entry_is_one_asids_own),
      cmocka_unit_test(every_bit_of_a_tag_is_compared),
      cmocka_unit_test(a_global_entry_matches_any_asid_but_needs_its_vmid),
      cmocka_unit_test(an_entry_of_stage_2_alone_is_global),
      cmocka_unit_test(maintenance_reaches_entries_of_every_state_of_the_stages),
      cmocka_unit_test(an_operation_on_hyps_own_entries_disturbs_no_walk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
