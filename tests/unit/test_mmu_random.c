/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU under random traffic, compared with something simpler: with plain walks without TLBs and
 * caches, with itself one request at a time, with itself undisturbed by debug requests. Where there
 * are accessed and dirty flags, nothing may be left to be set of what an access needs. Every test
 * prints its seed and takes it from NW_SEED; a case that fails is cut down before it is printed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/mmu_rig.h"

/* -- random machines --------------------------------------------------------------------------- */

static struct nw_tlb_config random_tlb(uint64_t *chance, unsigned most_log2) {
  static const uint8_t policies[] = {NW_POLICY_LRU, NW_POLICY_TREE_PLRU, NW_POLICY_FIFO,
                                     NW_POLICY_RANDOM};
  unsigned entries_log2 = rig_below(chance, most_log2 + 1);

  return (struct nw_tlb_config){
      .entries = rig_below(chance, 4) == 0 ? 0 : 1u << entries_log2,
      .ways = 1u << rig_below(chance, entries_log2 + 1),
      .latency = rig_below(chance, 5),
      .policy = policies[rig_below(chance, 4)],
  };
}

static struct nw_mmu_config random_config(uint64_t *chance, enum nw_regime_kind kind) {
  return (struct nw_mmu_config){
      .regime = kind,
      .l1i = random_tlb(chance, 3),
      .l1d = random_tlb(chance, 4),
      .l2 = random_tlb(chance, 6),
      .walk_cache = random_tlb(chance, 4),
      .ipa_cache = random_tlb(chance, 4),
      .walkers = 1 + rig_below(chance, 4),
      .cycles = {.begin = (uint16_t)rig_below(chance, 9), .read = 2, .fill = 1, .done = 3},
      .seed = tables_random(chance),
  };
}

/* -- random operations ------------------------------------------------------------------------- */

/* Four regions of guest memory of 2 MB each, of which 16 pages of 4 KB each are looked at. */
#define REGIONS 4
#define PAGES 16

enum kind { TRANSLATE, MAP_STAGE1, MAP_STAGE2, SET_RIGHTS, SET_TAGS, SWITCH_STAGE, KINDS };

struct operation {
  uint8_t kind;
  uint8_t access, privilege;
  uint32_t region, page, choice, rights;
  uint32_t offset;
};

static uint64_t va_of(const struct operation *op) {
  return 0x00400000ull + (uint64_t)op->region * 0x200000 + (uint64_t)op->page * 0x1000;
}

static struct operation random_operation(uint64_t *chance) {
  static const uint8_t weight[KINDS] = {30, 4, 3, 2, 2, 1};
  unsigned pick = rig_below(chance, 42);
  struct operation op = {0};

  while (pick >= weight[op.kind]) {
    pick -= weight[op.kind++];
  }
  op.access = (uint8_t)rig_below(chance, 3);
  op.privilege = (uint8_t)rig_below(chance, 2);
  op.region = rig_below(chance, REGIONS);
  op.page = rig_below(chance, PAGES);
  op.choice = rig_below(chance, 1u << 16);
  op.rights = rig_below(chance, 16);
  op.offset = rig_below(chance, 0x1000);
  return op;
}

static void print_operation(const struct operation *op) {
  static const char *const names[KINDS] = {"translate",  "map stage 1", "map stage 2",
                                           "set rights", "set tags",    "switch stage"};
  print_message("  %s va=0x%08" PRIx64 " offset=0x%x access=%u privilege=%u choice=%u rights=%u\n",
                names[op->kind], va_of(op), op->offset, op->access, op->privilege, op->choice,
                op->rights);
}

/* What reaches a change, whatever tag and address it concerns. */
static const struct {
  enum nw_tlbi stage1;        /* of every virtual machine, stage 2 untouched */
  enum nw_tlbi stage1_of_one; /* where there is but one */
  enum nw_tlbi page_of_one;   /* the same by address, under every ASID */
  enum nw_tlbi stage2;        /* machine by machine, where it names one */
} maintenance[NW_REGIMES] = {
    [NW_REGIME_ARMV7_SHORT] = {NW_TLBI_ALLNSNH, NW_TLBI_ALL, NW_TLBI_MVAA, NW_TLBI_ALLNSNH},
    [NW_REGIME_ARMV7_LPAE] = {NW_TLBI_ALLNSNH, NW_TLBI_ALL, NW_TLBI_MVAA, NW_TLBI_ALLNSNH},
    [NW_REGIME_ARMV7_SHORT_S2] = {NW_TLBI_ALLNSNH, NW_TLBI_ALL, NW_TLBI_MVAA, NW_TLBI_ALLNSNH},
    [NW_REGIME_ARMV7_LPAE_S2] = {NW_TLBI_ALLNSNH, NW_TLBI_ALL, NW_TLBI_MVAA, NW_TLBI_ALLNSNH},
    [NW_REGIME_X86_64] = {NW_INVVPID_ALL, NW_INVPCID_ALL, NW_INVVPID_ADDRESS, NW_INVEPT},
    [NW_REGIME_X86_SVM_NPT] = {NW_INVVPID_ALL, NW_INVPCID_ALL, NW_INVVPID_ADDRESS,
                               NW_INVVPID_CONTEXT},
    [NW_REGIME_X86_EPT] = {NW_INVVPID_ALL, NW_INVPCID_ALL, NW_INVVPID_ADDRESS, NW_INVEPT},
};

/* A stage-1 change without VMIDs may be named by address, page by page; on x86-64 one address names
 * whatever page was there, unless `small` ones were before a large one. */
static void maintain_stage1(struct rig *rig, const struct operation *op, bool small) {
  const struct nw_regime *regime = nw_mmu_regime(rig->mmu);
  enum nw_regime_kind kind = (enum nw_regime_kind)regime->kind;
  uint64_t region = va_of(op) >> 21 << 21;

  if (regime->architecture == NW_X86_64 && !small && op->choice % 5 != 0) {
    for (uint16_t vmid = 0; vmid < 2; vmid++) {
      nw_mmu_invalidate_of(rig->mmu, maintenance[kind].page_of_one,
                           &(struct nw_tlbi_operand){.va = va_of(op), .vmid = vmid});
    }
  } else if (nw_regime_has_stage2(kind) || op->choice % 3 == 0) {
    nw_mmu_invalidate(rig->mmu, maintenance[kind].stage1, 0);
  } else if (op->choice % 3 == 1) {
    nw_mmu_invalidate(rig->mmu, maintenance[kind].stage1_of_one, 0);
  } else {
    for (uint64_t at = 0; at < 0x200000; at += 0x1000) {
      nw_mmu_invalidate(rig->mmu, maintenance[kind].page_of_one, region + at);
    }
  }
}

/* Where a larger page was, a table is to come: its descriptor goes first. */
static void make_room(struct rig *rig, uint64_t va, unsigned leaf) {
  const struct nw_format *format = rig->tables->regime.s1_format;
  unsigned level = nwi_level_above(format, leaf);
  uint64_t above = tables_descriptor_pa(rig->tables, 1, va, level);
  uint64_t d = above == 0 ? 0 : tables_get(rig->tables, above, format->descriptor_bytes);

  if (tables_decode(rig->tables, 1, level, d).kind != NW_DESCRIPTOR_TABLE && d != 0) {
    tables_put(rig->tables, above, format->descriptor_bytes, 0);
  }
}

/* x86: a protection key, and flags that are still to be set. */
static uint64_t decorated(const struct rig *rig, const struct operation *op, uint64_t leaf) {
  if (rig->tables->regime.architecture == NW_ARMV7) {
    return leaf;
  }
  uint64_t clear = op->choice >> 8 & 0x60; /* A, D or both */
  return (leaf & ~clear) | (uint64_t)(op->choice >> 12 & 3) << 59;
}

/* Maps a page or clears a descriptor, at a random level: large pages over tables and back, too. */
static void change_stage1(struct rig *rig, const struct operation *op) {
  const struct nw_format *format = rig->tables->regime.s1_format;
  bool is_short = format->descriptor_bytes == 4;
  uint64_t va = va_of(op);
  unsigned choice = op->choice / 3 % 8;
  unsigned log2 = choice != 0 ? 12 : is_short ? 20 : 21;

  va = va >> log2 << log2;
  unsigned leaf = format->leaf_level((uint8_t)log2);
  if (leaf == format->last_level) {
    make_room(rig, va, leaf);
  }
  if (choice == 1) {
    tables_map_raw(rig->tables, 1, va, leaf, 0, 0);
  } else {
    struct nwi_leaf page = {
        .output = log2 == 12 ? RIG_IPA + (op->choice / 24 % 64) * 0x1000 : RIG_IPA,
        .page_log2 = (uint8_t)log2,
        .readable = true,
        .writable = (op->rights & 1) != 0,
        .executable = (op->rights & 2) != 0,
        .user = (op->rights & 4) != 0,
        .global = (op->rights & 8) != 0,
    };
    tables_map_raw(rig->tables, 1, va, leaf, decorated(rig, op, format->encode_leaf(&page)),
                   op->choice % 2);
  }
  maintain_stage1(rig, op, log2 != 12);
}

/* The rights of `map`, and in every other case flags that are still to be set. */
static void map_stage2(struct rig *rig, const struct operation *op, uint64_t ipa, unsigned map) {
  const struct nw_format *format = rig->tables->regime.s2_format;
  struct nwi_leaf page = {
      .output = 0x300000000 + (op->choice % 97) * 0x1000,
      .page_log2 = 12,
      .readable = (map & MAP_READ) != 0,
      .writable = (map & MAP_WRITE) != 0,
      .executable = (map & MAP_EXECUTE) != 0,
      .clean = (op->choice & 0x800) != 0,
  };

  tables_map_raw(rig->tables, 2, ipa, format->last_level, format->encode_leaf(&page), 0);
}

static void change_stage2(struct rig *rig, const struct operation *op) {
  const struct nw_regime *regime = &rig->tables->regime;
  uint64_t ipa = RIG_IPA + (op->choice / 24 % 64) * 0x1000;

  if (!regime->s2_enabled) {
    return;
  }
  map_stage2(rig, op, ipa, op->rights | (op->choice % 4 != 0 ? MAP_READ : 0));
  for (uint16_t vmid = 0; vmid < 2; vmid++) {
    nw_mmu_invalidate_of(rig->mmu, maintenance[regime->kind].stage2,
                         &(struct nw_tlbi_operand){.vmid = vmid});
  }
}

static void change_armv7_rights(struct rig *rig, const struct operation *op) {
  static const uint32_t dacr[] = {0x5, 0x1, 0x4, 0x7, 0xd, 0xf, 0x2, 0x0};

  rig_register(rig, NW_REG_DACR, dacr[op->choice % 8]);
  rig_register(rig, NW_REG_SCTLR,
               1u | (op->rights & 1) << 29 | (op->rights & 2) << 18 | (op->rights & 4) << 18);
}

static void change_x86_rights(struct rig *rig, const struct operation *op) {
  uint64_t choice = op->choice;
  uint64_t cr4 = X86_CR4 | (rig->tables->regime.reg[NW_X86_CR4] & X86_LA57);

  rig_register(rig, NW_X86_CR0, X86_CR0 ^ (choice & 1) << 16); /* WP */
  rig_register(rig, NW_X86_CR4, cr4 | (choice & 2) << 19 | (choice & 4) << 19 | (choice & 8) << 19);
  rig_register(rig, NW_X86_AC, choice >> 4 & 1);
  rig_register(rig, NW_X86_PKRU, choice >> 5 & 0xff);
}

/* What may change without a flush: DACR, AFE, WXN, UWXN; WP, SMEP, SMAP, PKE, AC, PKRU. Stage 1
 * stays on. */
static void change_rights(struct rig *rig, const struct operation *op) {
  if (rig->tables->regime.architecture == NW_ARMV7) {
    change_armv7_rights(rig, op);
  } else {
    change_x86_rights(rig, op);
  }
}

static void change_tags(struct rig *rig, const struct operation *op) {
  rig_asid(rig, op->choice % 3);
  if (nw_regime_has_stage2((enum nw_regime_kind)nw_mmu_regime(rig->mmu)->kind)) {
    rig_vmid(rig, op->choice / 3 % 2);
  }
}

/* Stage 1 on and off, stage 2 on and off, where a register does that; the tables are built as if
 * both were on. */
static void switch_stage(struct rig *rig, const struct operation *op) {
  const struct nw_regime *regime = nw_mmu_regime(rig->mmu);
  bool armv7 = regime->architecture == NW_ARMV7;
  bool stage1 = op->choice % 4 != 0, stage2 = op->choice / 4 % 4 != 0;
  unsigned control = armv7 ? (unsigned)NW_REG_SCTLR : (unsigned)NW_X86_CR0;
  uint64_t enable = armv7 ? 1u : 1u << 31;

  nw_mmu_write_register(rig->mmu, control,
                        (regime->reg[control] & ~enable) | (stage1 ? enable : 0));
  if (armv7 && nw_regime_has_stage2((enum nw_regime_kind)regime->kind)) {
    nw_mmu_write_register(rig->mmu, NW_REG_HCR, stage2);
  } else if (regime->kind == NW_REGIME_X86_EPT) {
    nw_mmu_write_register(rig->mmu, NW_X86_NESTED_ROOT,
                          stage2 ? rig->tables->regime.reg[NW_X86_NESTED_ROOT] : 0);
  }
}

/* The flags that the access needs are set then: a walk of its own finds nothing to update. */
static bool translates_like_a_plain_walk(struct rig *rig, const struct operation *op,
                                         struct nw_result *expected) {
  struct nw_request request = {
      .va = va_of(op) + op->offset, .access = op->access, .privilege = op->privilege};
  struct nw_request unseen = request;

  unseen.debug = true;
  rig->accesses = 0;
  *expected = rig_plain_walk(rig, &unseen);
  nw_mmu_translate(rig->mmu, &request, &rig->memory, &rig->result);
  rig_plain_walk(rig, &request);
  return rig_same_outcome(expected, &rig->result) && rig->plain_updates == 0;
}

/* x86-64: four or five levels in each stage, EPT with accessed and dirty flags or without them, as
 * the seed has it. */
static struct rig *new_rig(const struct nw_mmu_config *config) {
  struct rig *rig = rig_new(config);

  bool five = config->seed & 2, nested_five = config->seed & 4;
  uint64_t flags = config->seed & 1 ? X86_EPTP_AD : 0;

  if (rig->tables->regime.architecture == NW_X86_64) {
    rig_register(rig, NW_X86_CR4, X86_CR4 | (five ? X86_LA57 : 0));
    rig_register(rig, NW_X86_HOST_CR4, nested_five ? X86_LA57 : 0);
  }
  if (config->regime == NW_REGIME_X86_EPT) {
    uint64_t walk = nested_five ? X86_EPTP_WALK_5 : X86_EPTP_WALK_4;
    rig_register(rig, NW_X86_NESTED_ROOT, TABLES_S2_PA | walk | flags);
  }
  return rig;
}

/* Carries out operations; the number of the first translation that differs, or `count`. */
static unsigned carry_out(const struct nw_mmu_config *config, const struct operation *operations,
                          unsigned count, struct nw_result results[2]) {
  struct rig *rig = new_rig(config);
  unsigned i;

  for (i = 0; i < count; i++) {
    static void (*const changes[KINDS])(struct rig *, const struct operation *) = {
        [MAP_STAGE1] = change_stage1, [MAP_STAGE2] = change_stage2,  [SET_RIGHTS] = change_rights,
        [SET_TAGS] = change_tags,     [SWITCH_STAGE] = switch_stage,
    };
    if (operations[i].kind != TRANSLATE) {
      changes[operations[i].kind](rig, &operations[i]);
    } else if (!translates_like_a_plain_walk(rig, &operations[i], &results[0])) {
      results[1] = rig->result;
      break;
    }
  }
  if (i == count) {
    rig_expect_sums(nw_mmu_statistics(rig->mmu));
  }
  rig_free(rig);
  return i;
}

/* Leaves out whatever the failure does not need, and prints the rest. */
static void cut_down_and_print(const struct nw_mmu_config *config, struct operation *operations,
                               unsigned failed) {
  struct nw_result results[2] = {{0}, {0}};
  struct operation without[512];
  unsigned count = failed + 1;

  for (unsigned i = count; i-- > 0;) {
    memcpy(without, operations, i * sizeof(*operations));
    memcpy(without + i, operations + i + 1, (count - i - 1) * sizeof(*operations));
    unsigned now = carry_out(config, without, count - 1, results);
    if (now < count - 1) {
      count = now + 1;
      memcpy(operations, without, count * sizeof(*operations));
      i = i < count ? i : count;
    }
  }
  carry_out(config, operations, count, results);
  for (unsigned i = 0; i < count; i++) {
    print_operation(&operations[i]);
  }
  for (unsigned i = 0; i < 2; i++) {
    print_message("%s: pa=0x%" PRIx64 " rights=0x%x fault type=%u stage=%u level=%u source=%u\n",
                  i == 0 ? "expected" : "found", results[i].pa, results[i].rights,
                  results[i].fault.type, results[i].fault.stage, results[i].fault.level,
                  results[i].source);
  }
}

static void with_correct_maintenance_every_outcome_is_that_of_a_plain_walk(void **state) {
  (void)state;
  uint64_t chance = rig_seed("against plain walks", 20240611);
  for (unsigned round = 0; round < 700; round++) {
    struct operation operations[512];
    struct nw_result results[2];
    struct nw_mmu_config config = random_config(&chance, (enum nw_regime_kind)(round % NW_REGIMES));
    for (unsigned i = 0; i < 512; i++) {
      operations[i] = random_operation(&chance);
    }
    unsigned failed = carry_out(&config, operations, 512, results);
    if (failed < 512) {
      print_message("regime %s, round %u\n", nw_regime_name(config.regime), round);
      cut_down_and_print(&config, operations, failed);
      fail_msg("an outcome differs from that of a plain walk");
    }
  }
}

/* -- runs -------------------------------------------------------------------------------------- */

/* x86: accessed and dirty flags of the page and of the tables above it are still to be set. */
static void clear_flags(struct rig *rig, uint64_t va) {
  if (rig->tables->regime.architecture != NW_X86_64) {
    return;
  }
  for (unsigned level = 1; level <= 4; level++) {
    uint64_t at = tables_descriptor_pa(rig->tables, 1, va, level);
    tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~0x60ull);
  }
}

static void map_some_pages(struct rig *rig) {
  static const unsigned rights[] = {MAP_ALL, MAP_USER, 0, MAP_WRITE, MAP_EXECUTE | MAP_USER};

  for (unsigned region = 0; region < REGIONS; region++) {
    for (unsigned page = 0; page < PAGES - 3; page++) {
      struct operation op = {.region = region, .page = page};
      rig_map(rig, va_of(&op), 12, rights[(region + page) % 5]);
      if (page % 2 == 0) {
        clear_flags(rig, va_of(&op));
      }
    }
  }
}

/* `count` times nw_mmu_translate(), up to a fault, as nw_mmu_translate_run() promises it. */
static uint32_t translate_one_by_one(struct rig *rig, const struct nw_request *request,
                                     uint32_t count, struct nw_result *result) {
  uint32_t cycles = 0, done = 0;

  while (done < count) {
    bool ok = nw_mmu_translate(rig->mmu, request, &rig->memory, result);
    cycles += result->cycles;
    if (!ok) {
      break;
    }
    done++;
  }
  result->cycles = cycles;
  return done;
}

static void a_run_is_exactly_its_requests_one_by_one(void **state) {
  (void)state;
  uint64_t chance = rig_seed("runs", 20240612);
  for (unsigned round = 0; round < 200; round++) {
    struct nw_mmu_config config = random_config(&chance, (enum nw_regime_kind)(round % NW_REGIMES));
    struct rig *whole = new_rig(&config), *single = new_rig(&config);
    map_some_pages(whole);
    map_some_pages(single);
    for (unsigned i = 0; i < 300; i++) {
      struct operation op = random_operation(&chance);
      struct nw_request request = {.va = va_of(&op) + op.offset,
                                   .access = op.access,
                                   .privilege = op.privilege,
                                   .debug = op.choice % 16 == 0};
      uint32_t count = op.choice % 9;
      struct nw_result expected = {0}, result = {0};
      uint32_t done = translate_one_by_one(single, &request, count, &expected);
      assert_int_equal(nw_mmu_translate_run(whole->mmu, &request, count, &whole->memory, &result),
                       done);
      assert_true(rig_same_result(&expected, &result));
      assert_memory_equal(nw_mmu_statistics(whole->mmu), nw_mmu_statistics(single->mmu),
                          sizeof(struct nw_mmu_statistics));
    }
    rig_free(whole);
    rig_free(single);
  }
}

/* -- debug ------------------------------------------------------------------------------------- */

static void debug_requests_change_neither_statistics_nor_what_follows(void **state) {
  (void)state;
  uint64_t chance = rig_seed("debug", 20240613);
  for (unsigned round = 0; round < 200; round++) {
    struct nw_mmu_config config = random_config(&chance, (enum nw_regime_kind)(round % NW_REGIMES));
    struct rig *watched = new_rig(&config), *alone = new_rig(&config);
    map_some_pages(watched);
    map_some_pages(alone);
    for (unsigned i = 0; i < 400; i++) {
      struct operation op = random_operation(&chance);
      struct nw_request request = {
          .va = va_of(&op) + op.offset, .access = op.access, .privilege = op.privilege};
      if (op.kind != TRANSLATE) {
        request.debug = true;
        struct nw_result plain = rig_plain_walk(watched, &request), seen;
        nw_mmu_translate(watched->mmu, &request, &watched->memory, &seen);
        assert_true(rig_same_outcome(&plain, &seen));
        continue;
      }
      nw_mmu_translate(watched->mmu, &request, &watched->memory, &watched->result);
      nw_mmu_translate(alone->mmu, &request, &alone->memory, &alone->result);
      assert_true(rig_same_result(&watched->result, &alone->result));
    }
    assert_memory_equal(nw_mmu_statistics(watched->mmu), nw_mmu_statistics(alone->mmu),
                        sizeof(struct nw_mmu_statistics));
    rig_expect_sums(nw_mmu_statistics(alone->mmu));
    rig_free(watched);
    rig_free(alone);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(with_correct_maintenance_every_outcome_is_that_of_a_plain_walk),
      cmocka_unit_test(a_run_is_exactly_its_requests_one_by_one),
      cmocka_unit_test(debug_requests_change_neither_statistics_nor_what_follows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
