/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes and what stays in the TLBs, the walk cache and the IPA cache: INVLPG, INVPCID, INVVPID,
 * INVEPT (SDM vol. 3, 4.10.4 and 29.4.3), INVLPGA and TLB_CONTROL (APM vol. 2, 15.16), and writes
 * of control registers (4.10.4.1). Entries are looked for in the structures themselves, so that
 * what a lookup needs of the registers does not matter.
 *
 * The population: page A and page B under PCIDs 1 and 2, a global page G brought under PCID 1, all
 * of them under virtual machines 1 and 2; the current ones are PCID 1 and machine 1. Each is 512 GB
 * from the others, so that no two share a table but the root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mmu.h"
#include "core/tlb.h"
#include "support/mmu_rig.h"
#include "support/x86_bits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define A 0x0000000000341000ull
#define B 0x0000123400342000ull
#define G 0xffff800000343000ull

static const enum nw_regime_kind nested[] = {NW_REGIME_X86_SVM_NPT, NW_REGIME_X86_EPT};

static const struct {
  const char *name;
  uint64_t va;
  uint16_t pcid;
  bool global;
} pages[] = {{"A1", A, 1, false},
             {"A2", A, 2, false},
             {"B1", B, 1, false},
             {"B2", B, 2, false},
             {"G1", G, 1, true}};

#define NOTHING ""
#define ALL "A1 A2 B1 B2 G1"

static void map(struct rig *rig, uint64_t va, bool global) {
  rig_map(rig, va, 12, MAP_ALL);
  uint64_t at = tables_descriptor_pa(rig->tables, 1, va, 1);
  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) | (global ? X86_G : 0));
}

static struct rig *populated(enum nw_regime_kind kind) {
  struct nw_mmu_config config = rig_bare(kind);
  config.l1d = rig_cam(32);
  config.l1i = (struct nw_tlb_config){.entries = 64, .ways = 16};
  config.l2 = rig_cam(64);
  config.walk_cache = rig_cam(64);
  config.ipa_cache = rig_cam(128);
  struct rig *rig = rig_new(&config);

  for (unsigned i = 0; i < COUNT(pages); i++) {
    map(rig, pages[i].va, pages[i].global);
  }
  for (unsigned vm = 1; vm <= 2; vm++) {
    rig_vmid(rig, vm);
    for (unsigned i = 0; i < COUNT(pages); i++) {
      rig_asid(rig, pages[i].pcid);
      assert_true(rig_execute(rig, pages[i].va));
      assert_true(rig_read(rig, pages[i].va));
    }
  }
  rig_vmid(rig, 1);
  rig_asid(rig, 1);
  return rig;
}

/* -- what a structure has lost ----------------------------------------------------------------- */

static uint16_t tag_of(unsigned vm) {
  return nwi_context_tag((uint16_t)vm, NWI_STAGE2_ON); /* and stage 1 is on */
}

static bool tlb_holds(const struct nwi_tlb *tlb, unsigned page, unsigned vm) {
  unsigned probes;
  uint16_t pcid = pages[page].global ? 77 : pages[page].pcid;
  return nwi_tlb_peek(tlb, pages[page].va, pcid, tag_of(vm), &probes) != NULL;
}

static bool tables_held(struct rig *rig, unsigned page, unsigned vm) {
  struct nw_cached found;
  unsigned probes;
  return nwi_walk_cache_lookup(rig->mmu->cache[NW_WALK_CACHE], pages[page].va, pages[page].pcid,
                               tag_of(vm), false, &found, &probes);
}

static bool in_every_tlb(struct rig *rig, unsigned page, unsigned vm) {
  bool held = tlb_holds(rig->mmu->l2, page, vm);
  assert_int_equal(tlb_holds(rig->mmu->l1[0], page, vm), held);
  assert_int_equal(tlb_holds(rig->mmu->l1[1], page, vm), held);
  return held;
}

static const char *lost(struct rig *rig, unsigned vm,
                        bool (*holds)(struct rig *, unsigned, unsigned)) {
  static char list[64];
  size_t length = 0;

  list[0] = '\0';
  for (unsigned i = 0; i < COUNT(pages); i++) {
    if (!holds(rig, i, vm)) {
      length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", length ? " " : "",
                                 pages[i].name);
    }
  }
  return list;
}

/* Machines whose page of A, and of the guest's root, the IPA cache has lost. */
static const char *machines_without_ipas(struct rig *rig) {
  static const char *const lists[] = {"", "1", "2", "1 2"};
  unsigned gone = 0;

  for (unsigned vm = 1; vm <= 2; vm++) {
    static const uint64_t ipas[] = {RIG_IPA + A, TABLES_IPA};
    bool held[2];
    for (unsigned i = 0; i < 2; i++) {
      struct nw_cached found;
      unsigned probes;
      held[i] = nwi_walk_cache_lookup(rig->mmu->cache[NW_IPA_CACHE], ipas[i], 0, (uint16_t)vm,
                                      false, &found, &probes);
    }
    assert_int_equal(held[0], held[1]);
    gone |= held[0] ? 0 : 1u << (vm - 1);
  }
  return lists[gone];
}

/* -- instructions ------------------------------------------------------------------------------ */

static const struct survival {
  const char *name;
  enum nw_tlbi operation;
  struct nw_tlbi_operand operand;
  const char *tlb[2];    /* lost by machine 1, by machine 2 */
  const char *tables[2]; /* of the walk cache */
  const char *ipas[2];   /* machines that lose them: AMD, Intel */
} survivals[] = {
    {"INVLPG", NW_INVLPG, {A, 9, 9}, {"A1", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVLPG, another byte", NW_INVLPG, {A + 0x8ff, 0, 0}, {"A1", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVLPG of a global page", NW_INVLPG, {G, 0, 0}, {"G1", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVLPG of no page", NW_INVLPG, {A + 0x1000, 0, 0}, {"", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVPCID 0", NW_INVPCID_ADDRESS, {A, 2, 9}, {"A2", ""}, {"A2 B2", ""}, {"", ""}},
    {"INVPCID 0, global", NW_INVPCID_ADDRESS, {G, 1, 9}, {"", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVPCID 0, one bit off", NW_INVPCID_ADDRESS, {A, 0x802, 9}, {"", ""}, {"", ""}, {"", ""}},
    {"INVPCID 1", NW_INVPCID_CONTEXT, {A, 2, 9}, {"A2 B2", ""}, {"A2 B2", ""}, {"", ""}},
    {"INVPCID 1, G's", NW_INVPCID_CONTEXT, {B, 1, 9}, {"A1 B1", ""}, {"A1 B1 G1", ""}, {"", ""}},
    {"INVPCID 2", NW_INVPCID_ALL, {A, 1, 9}, {ALL, ""}, {ALL, ""}, {"", ""}},
    {"INVPCID 3", NW_INVPCID_NON_GLOBAL, {A, 1, 9}, {"A1 A2 B1 B2", ""}, {ALL, ""}, {"", ""}},
    {"INVVPID 0", NW_INVVPID_ADDRESS, {A, 9, 1}, {"A1 A2", ""}, {"A1 A2", ""}, {"", ""}},
    {"INVVPID 0, other", NW_INVVPID_ADDRESS, {A, 9, 2}, {"", "A1 A2"}, {"", "A1 A2"}, {"", ""}},
    {"INVVPID 0, global", NW_INVVPID_ADDRESS, {G, 9, 2}, {"", "G1"}, {"", "G1"}, {"", ""}},
    {"INVVPID 0, nobody's", NW_INVVPID_ADDRESS, {A, 9, 0x1001}, {"", ""}, {"", ""}, {"", ""}},
    {"INVVPID 1, TLB_CONTROL 3", NW_INVVPID_CONTEXT, {A, 1, 2}, {"", ALL}, {"", ALL}, {"2", ""}},
    {"INVVPID 2", NW_INVVPID_ALL, {A, 1, 1}, {ALL, ALL}, {ALL, ALL}, {"", ""}},
    {"INVVPID 3, TLB_CONTROL 7",
     NW_INVVPID_NON_GLOBAL,
     {A, 1, 2},
     {"", "A1 A2 B1 B2"},
     {"", ALL},
     {"2", ""}},
    {"INVEPT", NW_INVEPT, {A, 1, 1}, {ALL, ALL}, {ALL, ALL}, {"1 2", "1 2"}},
    {"TLB_CONTROL 1", NW_FLUSH_ALL_ASIDS, {A, 1, 1}, {ALL, ALL}, {ALL, ALL}, {"1 2", "1 2"}},
};

static const char *const none[] = {NOTHING, NOTHING};
static const char *const all[] = {ALL, ALL};

static void expect_lost(struct rig *rig, const char *const tlb[2], const char *const tables[2],
                        const char *ipas) {
  for (unsigned vm = 1; vm <= 2; vm++) {
    assert_string_equal(lost(rig, vm, in_every_tlb), tlb[vm - 1]);
    assert_string_equal(lost(rig, vm, tables_held), tables[vm - 1]);
  }
  assert_string_equal(machines_without_ipas(rig), ipas);
}

static void each_instruction_drops_what_the_manual_says_and_nothing_else(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(survivals); i++) {
    for (unsigned k = 0; k < 2; k++) {
      const struct survival *s = &survivals[i];
      struct rig *rig = populated(nested[k]);
      print_message("  %s\n", s->name);
      expect_lost(rig, none, none, NOTHING);
      nw_mmu_invalidate_of(rig->mmu, s->operation, &s->operand);
      expect_lost(rig, s->tlb, s->tables, s->ipas[k]);
      rig_free(rig);
    }
  }
}

/* 4.10.2.3 and 4.10.4.1: a guest knows of its page of 2 MB, not of the 4 KB pages under it. Those of
 * the page go, whichever address of it is named, and no others. */
static void a_large_page_over_small_ones_goes_as_a_whole(void **state) {
  (void)state;
  static const struct {
    enum nw_tlbi operation;
    bool global, goes;
  } row[] = {
      {NW_INVLPG, false, true},          {NW_INVLPG, true, true},
      {NW_INVPCID_ADDRESS, false, true}, {NW_INVPCID_ADDRESS, true, false},
      {NW_INVVPID_ADDRESS, false, true}, {NW_INVVPID_ADDRESS, true, true},
  };
  static const uint64_t inside[] = {0, 0x1000, 0x0ff000, 0x1ff000};
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nw_mmu_config config = rig_full(NW_REGIME_X86_EPT);
    struct rig *rig = rig_new(&config);
    uint64_t page = 0x00400000, neighbour = 0x00600000, small = 0x00800000, first = 0x00a00000;
    uint64_t leaf = X86_PAGE | X86_PS | (row[i].global ? X86_G : 0);
    tables_map_raw(rig->tables, 1, page, 2, (RIG_IPA + page) | leaf, 0);
    tables_map_raw(rig->tables, 1, neighbour, 2, (RIG_IPA + neighbour) | leaf, 0);
    for (unsigned at = 0; at < COUNT(inside); at++) {
      tables_map(rig->tables, 2, RIG_IPA + page + inside[at], 0x300000000, 12, MAP_ALL);
      assert_true(rig_read(rig, page + inside[at]));
    }
    tables_map_raw(rig->tables, 1, first, 2, (RIG_IPA + first) | X86_PAGE | X86_PS, 0);
    tables_map(rig->tables, 2, RIG_IPA + first, 0x300000000, 12, MAP_ALL);
    tables_map(rig->tables, 2, RIG_IPA + neighbour, 0x300000000, 12, MAP_ALL);
    map(rig, small, false);
    assert_true(rig_read(rig, neighbour));
    assert_true(rig_read(rig, small));
    assert_true(rig_read(rig, first));
    nw_mmu_invalidate(rig->mmu, NW_INVLPG, first + 0x5000); /* that one is gone, others are not */
    assert_false(rig_holds(rig, NW_READ, first));
    nw_mmu_invalidate(rig->mmu, row[i].operation, page + 0x0ab000);
    for (unsigned at = 0; at < COUNT(inside); at++) {
      assert_int_equal(rig_holds(rig, NW_READ, page + inside[at]), !row[i].goes);
    }
    assert_true(rig_holds(rig, NW_READ, neighbour));
    assert_true(rig_holds(rig, NW_READ, small));
    rig_free(rig);
  }
}

/* The form with one operand: a VA with the PCID in its low bits, under the current machine. */
static void the_short_form_takes_twelve_bits_of_pcid(void **state) {
  (void)state;
  struct rig *rig = populated(NW_REGIME_X86_EPT);
  nw_mmu_invalidate(rig->mmu, NW_INVPCID_ADDRESS, A | 0x102);
  assert_string_equal(lost(rig, 1, in_every_tlb), NOTHING);
  nw_mmu_invalidate(rig->mmu, NW_INVPCID_ADDRESS, A | 2);
  assert_string_equal(lost(rig, 1, in_every_tlb), "A2");
  nw_mmu_invalidate(rig->mmu, NW_INVVPID_CONTEXT, 2);
  assert_string_equal(lost(rig, 1, in_every_tlb), ALL);
  assert_string_equal(lost(rig, 2, in_every_tlb), NOTHING);
  rig_free(rig);
}

/* -- register writes --------------------------------------------------------------------------- */

#define BIT(n) (1ull << (n))

static const struct {
  const char *name;
  unsigned reg;
  uint64_t value;
  const char *tlb, *tables;
} writes[] = {
    {"CR3", NW_X86_CR3, TABLES_IPA | 2, "A2 B2", "A2 B2"},
    {"CR3, the same", NW_X86_CR3, TABLES_IPA | 1, "A1 B1", "A1 B1 G1"},
    {"CR3, nobody's PCID", NW_X86_CR3, TABLES_IPA | 0x801, "", ""},
    {"CR3, bit 63", NW_X86_CR3, TABLES_IPA | 2 | X86_CR3_KEEP, "", ""},
    {"CR0.PG cleared", NW_X86_CR0, X86_CR0 & ~BIT(31), ALL, ALL},
    {"CR0.WP cleared", NW_X86_CR0, X86_CR0 & ~BIT(16), "", ""},
    {"CR4.PGE cleared", NW_X86_CR4, X86_CR4 & ~BIT(7), ALL, ALL},
    {"CR4.PCIDE cleared", NW_X86_CR4, X86_CR4 & ~BIT(17), ALL, ALL},
    {"CR4.LA57 set", NW_X86_CR4, X86_CR4 | BIT(12), ALL, ALL},
    {"CR4.SMEP set", NW_X86_CR4, X86_CR4 | BIT(20), "A1 B1", "A1 B1 G1"},
    {"CR4.SMAP set", NW_X86_CR4, X86_CR4 | BIT(21), "", ""},
    {"CR4.PKE set", NW_X86_CR4, X86_CR4 | BIT(22), "", ""},
    {"CR4, the same", NW_X86_CR4, X86_CR4, "", ""},
    {"EFER.NXE cleared", NW_X86_EFER, X86_EFER & ~BIT(11), "", ""},
    {"PKRU", NW_X86_PKRU, 0xffffffff, "", ""},
    {"AC", NW_X86_AC, 1, "", ""},
    {"PAT", NW_X86_PAT, 0, "", ""},
    {"VPID", NW_X86_VPID, 2, "", ""},
    {"hEFER.NXE cleared", NW_X86_HOST_EFER, 0, "", ""},
};

static void each_register_write_drops_what_the_manual_says_and_nothing_else(void **state) {
  (void)state;
  for (unsigned i = 0; i < COUNT(writes); i++) {
    for (unsigned k = 0; k < 2; k++) {
      const char *const tlb[] = {writes[i].tlb, NOTHING};
      const char *const tables[] = {writes[i].tables, NOTHING};
      struct rig *rig = populated(nested[k]);
      print_message("  %s\n", writes[i].name);
      rig_register(rig, writes[i].reg, writes[i].value);
      expect_lost(rig, tlb, tables, NOTHING);
      rig_free(rig);
    }
  }
}

/* A bit that had the other value before: PG, PCIDE and SMEP invalidate in one direction alone. */
static void the_other_direction_of_a_change(void **state) {
  (void)state;
  static const struct {
    const char *name;
    unsigned reg;
    uint64_t before, after;
    bool drops;
  } row[] = {
      {"CR4.SMEP cleared", NW_X86_CR4, X86_CR4 | BIT(20), X86_CR4, false},
      {"CR4.SMEP stays", NW_X86_CR4, X86_CR4 | BIT(20), X86_CR4 | BIT(20) | BIT(21), false},
      {"CR4.PGE set", NW_X86_CR4, X86_CR4 & ~BIT(7), X86_CR4, true},
      {"CR4.PCIDE set", NW_X86_CR4, X86_CR4 & ~BIT(17), X86_CR4, false},
      {"CR4.LA57 cleared", NW_X86_CR4, X86_CR4 | BIT(12), X86_CR4, true},
      {"CR4.SMEP set", NW_X86_CR4, X86_CR4, X86_CR4 | BIT(20), true},
  };
  for (unsigned i = 0; i < COUNT(row); i++) {
    struct nw_mmu_config config = rig_full(NW_REGIME_X86_64);
    struct rig *rig = rig_new(&config);
    print_message("  %s\n", row[i].name);
    map(rig, A, false);
    rig_register(rig, row[i].reg, row[i].before);
    if (row[i].before & BIT(12)) { /* the tables are of four levels: the page under a fifth */
      rig_register(rig, NW_X86_CR3, TABLES_IPA + 0x1000);
      tables_put(rig->tables, TABLES_IPA + 0x1000, 8, TABLES_IPA | X86_TABLE);
    }
    assert_true(rig_read(rig, A));
    assert_int_equal(nwi_tlb_occupancy(rig->mmu->l1[0]), 1);
    rig_register(rig, row[i].reg, row[i].after);
    assert_int_equal(nwi_tlb_occupancy(rig->mmu->l1[0]), !row[i].drops);
    rig_free(rig);
  }
}

/* Without PCIDs CR3 invalidates PCID 0, whatever its low bits are, and bit 63 is refused. */
static void without_pcide_every_write_of_cr3_drops_what_is_not_global(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_X86_64);
  struct rig *rig = rig_new(&config);
  rig_register(rig, NW_X86_CR4, X86_CR4 & ~BIT(17));
  map(rig, A, false);
  map(rig, G, true);
  assert_true(rig_read(rig, A));
  assert_true(rig_read(rig, G));
  assert_int_equal(nw_mmu_write_register(rig->mmu, NW_X86_CR3, TABLES_IPA | X86_CR3_KEEP),
                   NW_REGISTER_CONTRADICTS);
  assert_int_equal(nwi_tlb_occupancy(rig->mmu->l1[0]), 2);
  rig_register(rig, NW_X86_CR3, TABLES_IPA | 0x18); /* PWT, PCD */
  assert_false(rig_holds(rig, NW_READ, A));
  assert_true(rig_holds(rig, NW_READ, G));
  rig_free(rig);
}

/* 29.4.2: mappings are of an EPTP. AMD says nothing of nCR3: they stay until they are flushed. */
static void another_nested_root_drops_everything_on_intel_and_nothing_on_amd(void **state) {
  (void)state;
  struct rig *rig = populated(NW_REGIME_X86_EPT);
  rig_register(rig, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4);
  expect_lost(rig, none, none, NOTHING);
  rig_register(rig, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
  expect_lost(rig, all, all, "1 2");
  rig_free(rig);
  rig = populated(NW_REGIME_X86_SVM_NPT);
  rig_register(rig, NW_X86_NESTED_ROOT, TABLES_S2_PA + 0x10000);
  expect_lost(rig, none, none, NOTHING);
  rig_free(rig);
}

/* -- tags -------------------------------------------------------------------------------------- */

/* C6#2933: every bit of PCID, VPID and VA is compared, those above the VA's width, too. */
static void every_bit_of_the_tags_is_compared(void **state) {
  (void)state;
  static const uint64_t vas[] = {A, B, G};
  for (unsigned i = 0; i < COUNT(vas); i++) {
    struct nw_mmu_config config = rig_full(NW_REGIME_X86_EPT);
    struct rig *rig = rig_new(&config);
    map(rig, vas[i], false);
    assert_true(rig_read(rig, vas[i]));
    assert_true(rig_holds(rig, NW_READ, vas[i]));
    for (unsigned bit = 12; bit < 64; bit++) {
      assert_false(rig_holds(rig, NW_READ, vas[i] ^ BIT(bit)));
    }
    for (unsigned bit = 0; bit < 12; bit++) {
      rig_asid(rig, 1u << bit);
      assert_false(rig_holds(rig, NW_READ, vas[i]));
    }
    rig_asid(rig, 0);
    for (unsigned bit = 0; bit < 13; bit++) {
      rig_vmid(rig, 1u << bit);
      assert_false(rig_holds(rig, NW_READ, vas[i]));
    }
    rig_vmid(rig, 0);
    assert_true(rig_holds(rig, NW_READ, vas[i]));
    rig_free(rig);
  }
}

/* XS#4811: a global page is found under every PCID of its machine and under no other machine. */
static void a_global_page_is_of_every_pcid_and_of_one_machine(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2; k++) {
    struct rig *rig = populated(nested[k]);
    for (unsigned bit = 0; bit < 12; bit++) {
      rig_asid(rig, 1u << bit);
      assert_true(rig_holds(rig, NW_READ, G));
    }
    rig_vmid(rig, 3);
    assert_false(rig_holds(rig, NW_READ, G));
    rig_free(rig);
  }
}

/* Without CR4.PGE the G bit is ignored. */
static void a_global_bit_without_pge_means_nothing(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_full(NW_REGIME_X86_64);
  struct rig *rig = rig_new(&config);
  rig_register(rig, NW_X86_CR4, X86_CR4 & ~BIT(7));
  map(rig, G, true);
  rig_asid(rig, 1);
  assert_true(rig_read(rig, G));
  rig_asid(rig, 2);
  assert_false(rig_holds(rig, NW_READ, G));
  rig_free(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_instruction_drops_what_the_manual_says_and_nothing_else),
      cmocka_unit_test(a_large_page_over_small_ones_goes_as_a_whole),
      cmocka_unit_test(the_short_form_takes_twelve_bits_of_pcid),
      cmocka_unit_test(each_register_write_drops_what_the_manual_says_and_nothing_else),
      cmocka_unit_test(the_other_direction_of_a_change),
      cmocka_unit_test(without_pcide_every_write_of_cr3_drops_what_is_not_global),
      cmocka_unit_test(another_nested_root_drops_everything_on_intel_and_nothing_on_amd),
      cmocka_unit_test(every_bit_of_the_tags_is_compared),
      cmocka_unit_test(a_global_page_is_of_every_pcid_and_of_one_machine),
      cmocka_unit_test(a_global_bit_without_pge_means_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
