/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2, and stage 1 over stage 2, against DDI 0406C B3.6, B3.7 and B3.8. Expectations are typed
 * in from the manual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/rights.h"
#include "support/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IPA 0x1234567890ull
#define VA 0x12345678u
#define AF (1ull << 10)
#define HAP_R (1ull << 6)
#define HAP_W (1ull << 7)
#define WRITE_BACK (15ull << 2)
#define S2_ALL (AF | HAP_R | HAP_W | WRITE_BACK)
#define HCR_VM 1u
#define HCR_PTW 4u
#define HCR_DC 0x1000u

static struct tables *fresh(void) {
  return tables_new(NW_REGIME_ARMV7_LPAE_S2);
}

/* -- every bit of every descriptor (figures B3-14 to B3-17) ------------------------------------ */

static const struct view_change leaf_changes[] = {
    {0, VIEW_FAULT, NW_FAULT_TRANSLATION},
    {2, VIEW_ATTR, 0xfb},               /* MemAttr 1110: inner write-through */
    {3, VIEW_ATTR, 0xf4},               /* 1101: inner non-cacheable */
    {4, VIEW_ATTR, 0xbf},               /* 1011: outer write-through */
    {5, VIEW_ATTR, 0x4f},               /* 0111: outer non-cacheable */
    {6, VIEW_ALLOWED, USER_W | PRIV_W}, /* HAP: execution needs read */
    {7, VIEW_ALLOWED, ALL_SIX & ~(USER_W | PRIV_W)},
    {9, VIEW_SH, 2},
    {10, VIEW_FAULT, NW_FAULT_ACCESS_FLAG},
    {54, VIEW_ALLOWED, ALL_SIX & ~(USER_X | PRIV_X)}, /* XN */
};

static void every_bit_of_a_stage_2_leaf_means_what_the_manual_says(void **state) {
  (void)state;
  static const unsigned log2[] = {0, 30, 21, 12};
  for (unsigned level = 1; level <= 3; level++) {
    struct tables *tables = fresh();
    struct view_change change[COUNT(leaf_changes) + 1 + 28];
    size_t changes = 0;
    uint64_t page = (uint64_t)1 << log2[level];
    uint64_t base = 0x56789ab000 & ~(page - 1);
    for (; changes < COUNT(leaf_changes); changes++)
      change[changes] = leaf_changes[changes];
    if (level == 3)
      change[changes++] = (struct view_change){1, VIEW_FAULT, NW_FAULT_TRANSLATION};
    for (unsigned bit = log2[level]; bit < 40; bit++)
      change[changes++] = (struct view_change){(uint8_t)bit, VIEW_PA,
                                               (base ^ (uint64_t)1 << bit) + (IPA & (page - 1))};
    struct view_bits bits = {.name = "stage-2 leaf",
                             .scope = NW_SCOPE_STAGE2,
                             .va = IPA,
                             .raw = base | S2_ALL | (level == 3 ? 3 : 1),
                             .size = 8,
                             .stage = 2,
                             .level = level,
                             .skip = 1u << 8 | (level == 3 ? 0 : 2),
                             .change = change,
                             .changes = changes};
    bits.base =
        (struct view){{base + (IPA & (page - 1)), log2[level], 0xff, 0, 1, ALL_SIX, 0, 0, 0}};
    bits.pa = tables_map_raw(tables, 2, IPA, level, bits.raw, 0);
    view_every_bit(tables, &bits);
    tables_free(tables);
  }
}

static void a_stage_2_table_descriptor_limits_nothing(void **state) {
  (void)state;
  static const struct view_change change[] = {{0, VIEW_FAULT, NW_FAULT_TRANSLATION}};
  for (unsigned level = 1; level <= 2; level++) {
    struct tables *tables = fresh();
    tables_map_raw(tables, 2, IPA, 3, 0x56789ab000 | S2_ALL | 3, 0);
    struct view_bits bits = {.name = "stage-2 table",
                             .scope = NW_SCOPE_STAGE2,
                             .va = IPA,
                             .size = 8,
                             .stage = 2,
                             .level = level,
                             .skip = 0xfffffff000 | 2,
                             .change = change,
                             .changes = 1};
    bits.base = (struct view){{0x56789ab890, 12, 0xff, 0, 1, ALL_SIX, 0, 0, 0}};
    bits.pa = tables_descriptor_pa(tables, 2, IPA, level);
    bits.raw = tables_get(tables, bits.pa, 8);
    view_every_bit(tables, &bits);
    for (unsigned bit = 12; bit < 40; bit++) {
      tables_put(tables, bits.pa, 8, bits.raw ^ (uint64_t)1 << bit);
      assert_false(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, IPA));
      uint64_t index = level == 1 ? IPA >> 21 & 511 : IPA >> 12 & 511;
      assert_int_equal(tables->log[level].address,
                       ((bits.raw ^ (uint64_t)1 << bit) & 0xfffffff000) + index * 8);
    }
    tables_free(tables);
  }
}

/* -- VTCR and VTTBR (B3.6.4, tables B3-7 and B3-8; B4.1.158 to 160) ---------------------------- */

static void check_legal_root(struct tables *tables, unsigned sl0, unsigned size) {
  unsigned level = sl0 == 1 ? 1 : 2;
  unsigned shift = level == 1 ? 30 : 21;
  unsigned x = level == 1 ? size - 27 : size - 18; /* 5 - T0SZ, 14 - T0SZ */
  uint64_t base = 0xffffffffff & ~(((uint64_t)1 << x) - 1);
  uint64_t last = ((uint64_t)1 << size) - 1;
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0);
  assert_int_equal(tables->log[0].address, base);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, level, false);
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, last);
  assert_int_equal(tables->log[0].address, base + (last >> shift) * 8);
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, level, false);
  if (size == 40)
    return;
  assert_false(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, last + 1));
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
  assert_int_equal(tables->reads, 0);
  assert_false(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, (uint64_t)1 << 39));
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
}

static void every_vtcr_is_a_root_of_the_manuals_size_or_a_level_1_translation_fault(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_VTTBR, ~(uint64_t)0);
  for (unsigned t0sz = 0; t0sz < 16; t0sz++)
    for (unsigned sl0 = 0; sl0 < 4; sl0++) {
      unsigned size = t0sz < 8 ? 32 - t0sz : 48 - t0sz;
      bool legal = (sl0 == 0 && size >= 25 && size <= 34) || (sl0 == 1 && size >= 31);
      tables_register(tables, NW_REG_VTCR, sl0 << 6 | (t0sz >> 3) << 4 | t0sz | 0x3500);
      if (legal) {
        check_legal_root(tables, sl0, size);
        continue;
      }
      assert_false(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, 0));
      expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
      assert_int_equal(tables->reads, 0);
      assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, 0));
      expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, true);
      assert_int_equal(tables->reads, 0);
    }
  tables_free(tables);
}

/* 16 concatenated level-2 tables cover 34 bits: the root's index has 13 bits. */
static void concatenated_roots_are_indexed_as_one_table(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_VTCR, 0x1e); /* SL0 = 0, S = 1, T0SZ = -2 */
  for (uint64_t table = 0; table < 16; table++) {
    uint64_t ipa = table << 30 | 0x1fe00000 | 0x12345;
    tables_put(tables, TABLES_S2_PA + (table * 512 + 0xff) * 8, 8,
               (table << 32 | 0x800000) | S2_ALL | 1);
    assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, ipa));
    expect_ok(tables, table << 32 | 0x812345, 21);
  }
  tables_free(tables);
}

static void the_vmid_is_in_vttbr(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_VTTBR, 0xffa5000000000000 | TABLES_S2_PA);
  assert_int_equal(tables->regime.vmid, 0xa5);
  tables_free(tables);
}

/* -- rights ------------------------------------------------------------------------------------ */

static void rights_of_both_stages_are_anded_and_stage_1_is_asked_first(void **state) {
  (void)state;
  struct tables *tables = fresh();
  for (unsigned i = 0; i < 128; i++) {
    bool user = i & 1, read_only = i >> 1 & 1, s1_xn = i >> 2 & 1, pxn = i >> 3 & 1;
    bool r = i >> 4 & 1, w = i >> 5 & 1, s2_xn = i >> 6 & 1;
    tables_map_raw(tables, 1, VA, 3,
                   0x1234567003 | AF | (user ? 1u << 6 : 0) | (read_only ? 1u << 7 : 0) |
                       (pxn ? 1ull << 53 : 0) | (s1_xn ? 1ull << 54 : 0),
                   0);
    tables_map_raw(tables, 2, IPA, 3,
                   0x56789ab003 | AF | WRITE_BACK | (r ? HAP_R : 0) | (w ? HAP_W : 0) |
                       (s2_xn ? 1ull << 54 : 0),
                   0);
    for (unsigned who = 0; who < 6; who++) {
      unsigned access = who % 3, priv = who / 3;
      bool s1 = (priv || user) && !(access == NW_WRITE && read_only) &&
                !(access == NW_EXECUTE && (s1_xn || (priv && pxn)));
      bool s2 = access == NW_READ ? r : access == NW_WRITE ? w : r && !s2_xn;
      tables_walk(tables, NW_SCOPE_BOTH, (enum nw_access)access, (enum nw_privilege)priv, VA);
      if (s1 && s2) {
        expect_ok(tables, 0x56789ab678, 12);
      } else {
        expect_fault(tables, NW_FAULT_PERMISSION, s1 ? 2 : 1, 3, false);
        assert_int_equal(tables->result.fault.ipa, s1 ? 0x1234567678 : 0);
      }
    }
  }
  tables_free(tables);
}

static void hcr_ptw_protects_device_and_strongly_ordered_memory_from_walks(void **state) {
  (void)state;
  for (unsigned mem_attr = 0; mem_attr < 16; mem_attr++) {
    if (mem_attr >= 2 && (mem_attr < 4 || mem_attr % 4 == 0))
      continue; /* unpredictable encodings */
    struct tables *tables = fresh();
    tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL);
    tables_map(tables, 2, IPA, 0x56789ab000, 12, MAP_ALL);
    tables_map_raw(tables, 2, TABLES_IPA, 3,
                   (TABLES_IPA + TABLES_OFFSET) | AF | HAP_R | HAP_W | mem_attr << 2 | 3, 0);
    bool device = mem_attr < 2;
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
    tables_register(tables, NW_REG_HCR, HCR_VM | HCR_PTW);
    assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA), !device);
    if (device) {
      expect_fault(tables, NW_FAULT_PERMISSION, 2, 3, true);
      assert_int_equal(tables->result.fault.ipa, TABLES_IPA);
    }
    tables_free(tables);
  }
}

static void hcr_ptw_does_not_concern_the_final_access(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_HCR, HCR_VM | HCR_PTW);
  tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL);
  tables_map(tables, 2, IPA, 0x56789ab000, 12, MAP_ALL | MAP_DEVICE);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  assert_int_equal(tables->result.attr, 0x04);
  tables_free(tables);
}

/* -- what the caches keep, and what a hit gives ------------------------------------------------ */

/* One walk for VA with the caches that `options` names: `held` (or NULL) is what the IPA cache holds,
 * every other lookup misses, and what is filled is collected. */
struct cached_walk {
  const struct nw_cached *held;
  struct nw_result result;
  struct nw_step fill[NW_WALK_FILLS];
  unsigned fills;
};

static void answer_cached(struct tables *tables, struct cached_walk *cached,
                          const struct nw_step *step, struct nw_answer *answer) {
  const struct nw_cached *held = cached->held;
  if (step->kind == NW_STEP_READ) {
    answer->data = tables_get(tables, step->address, step->size);
  } else if (step->kind == NW_STEP_FILL) {
    assert_true(cached->fills < NW_WALK_FILLS);
    cached->fill[cached->fills++] = *step;
  } else {
    assert_int_equal(step->kind, NW_STEP_LOOKUP);
    assert_int_equal(step->contents.key, step->address);
    assert_int_equal(step->contents.asid, tables->regime.asid);
    assert_int_equal(step->contents.vmid, tables->regime.vmid);
    answer->hit = step->cache == NW_IPA_CACHE && held != NULL &&
                  (step->address ^ held->key) >> held->span_log2 == 0;
    if (answer->hit)
      answer->contents = *held;
  }
}

static void walk_cached(struct tables *tables, struct cached_walk *cached, bool walk_cache) {
  struct nw_walk_options options = {.walk_cache = walk_cache, .ipa_cache = true};
  struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
  struct nw_walk walk;
  struct nw_step step;
  memset(&walk, 0xa5, sizeof(walk));
  nw_walk_begin(&walk, &tables->regime, &request, NW_SCOPE_BOTH, &options);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    answer_cached(tables, cached, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  cached->result = *nw_walk_result(&walk);
}

static void expect_fill(const struct nw_step *fill, enum nw_cache_id cache,
                        const struct nw_cached *expected) {
  assert_int_equal(fill->cache, cache);
  assert_int_equal(fill->contents.key, expected->key);
  assert_int_equal(fill->contents.span_log2, expected->span_log2);
  assert_int_equal(fill->contents.output, expected->output);
  assert_int_equal(fill->contents.level, expected->level);
  assert_int_equal(fill->contents.vmid, 0xc3);
  if (cache == NW_WALK_CACHE) {
    assert_int_equal(fill->contents.asid, 0x5a);
  } else {
    assert_int_equal(fill->contents.attr, expected->attr);
    assert_int_equal(fill->contents.sh, expected->sh);
  }
}

static void a_fill_holds_place_level_attributes_and_tags(void **state) {
  (void)state;
  struct tables *tables = fresh();
  struct cached_walk cached = {0};
  tables_register(tables, NW_REG_TTBR0, TABLES_IPA | 0x5aull << 48);
  tables_register(tables, NW_REG_VTTBR, TABLES_S2_PA | 0xc3ull << 48);
  tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL);
  tables_map(tables, 2, 0x1234400000, 0x5678800000, 21, MAP_READ | MAP_DEVICE);
  uint64_t table[4] = {0, TABLES_IPA};
  for (unsigned level = 1; level < 3; level++)
    table[level + 1] =
        tables_get(tables, tables_descriptor_pa(tables, 1, VA, level), 8) & 0xfffffff000;
  walk_cached(tables, &cached, true);
  assert_int_equal(cached.result.pa, 0x5678967678);
  assert_int_equal(cached.fills, 6);
  for (unsigned level = 1; level <= 3; level++)
    expect_fill(&cached.fill[2 * level - 2], NW_IPA_CACHE,
                &(struct nw_cached){.key = table[level],
                                    .span_log2 = 12,
                                    .output = table[level] + TABLES_OFFSET,
                                    .level = 3,
                                    .attr = 0xff,
                                    .sh = 3});
  expect_fill(&cached.fill[1], NW_WALK_CACHE,
              &(struct nw_cached){.key = 0, .span_log2 = 30, .output = table[2], .level = 2});
  expect_fill(
      &cached.fill[3], NW_WALK_CACHE,
      &(struct nw_cached){.key = 0x12200000, .span_log2 = 21, .output = table[3], .level = 3});
  expect_fill(&cached.fill[5], NW_IPA_CACHE,
              &(struct nw_cached){.key = 0x1234400000,
                                  .span_log2 = 21,
                                  .output = 0x5678800000,
                                  .level = 2,
                                  .attr = 0x04,
                                  .sh = 2});
  tables_free(tables);
}

static void an_ipa_cache_hit_gives_all_that_the_descriptor_would(void **state) {
  (void)state;
  static const struct nw_cached held = {.key = 0x1234400000,
                                        .span_log2 = 21,
                                        .output = 0x5678800000,
                                        .rights = NWI_R_S2_READ,
                                        .level = 2,
                                        .attr = 0xbb,
                                        .sh = 2};
  struct tables *tables = fresh();
  struct cached_walk cached = {.held = &held};
  tables_map_raw(tables, 1, VA, 3, 0x1234567003 | AF | 1 << 6, 0); /* Normal, non-shareable */
  walk_cached(tables, &cached, false);
  assert_int_equal(cached.result.fault.type, NW_FAULT_NONE);
  assert_int_equal(cached.result.pa, 0x5678967678);
  assert_int_equal(cached.result.s2_page_log2, 21);
  assert_int_equal(cached.result.page_log2, 12);
  assert_int_equal(cached.result.attr, 0xbb);
  assert_int_equal(cached.result.sh, 2);
  assert_int_equal(cached.result.rights & NWI_R_S2_ALL, NWI_R_S2_READ);
  tables_free(tables);
}

static void hcr_ptw_judges_an_ipa_cache_hit_and_tells_its_leafs_level(void **state) {
  (void)state;
  static const struct nw_cached held = {.key = TABLES_IPA & ~0x1fffffull,
                                        .span_log2 = 21,
                                        .output = TABLES_IPA + TABLES_OFFSET,
                                        .rights = NWI_R_S2_ALL,
                                        .level = 2,
                                        .attr = 0x04,
                                        .sh = 2};
  struct tables *tables = fresh();
  struct cached_walk cached = {.held = &held};
  tables_register(tables, NW_REG_HCR, HCR_VM | HCR_PTW);
  walk_cached(tables, &cached, false);
  assert_int_equal(cached.result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(cached.result.fault.stage, 2);
  assert_int_equal(cached.result.fault.level, 2);
  assert_true(cached.result.fault.s1walk);
  assert_int_equal(cached.result.fault.ipa, TABLES_IPA);
  assert_int_equal(cached.result.walk_reads, 0);
  tables_free(tables);
}

/* -- attributes (B3.8.4, tables B3-21 to B3-23) ------------------------------------------------ */

/* One half (inner or outer) of Normal memory: the weaker of the two; hints are stage 1's. */
static unsigned weaker(unsigned s1, unsigned s2) {
  /* 0b00RW and 0b01RW are transient write-through and write-back */
  static const unsigned rank[16] = {
      [1] = 1, [2] = 1, [3] = 1, [5] = 2, [6] = 2, [7] = 2, [10] = 1, [11] = 1, [14] = 2, [15] = 2};
  if (rank[s1] == 0 || rank[s2] == 0)
    return 4;
  if (rank[s2] < rank[s1])
    return 8 | (s1 & 3);
  return s1;
}

static void memory_types_of_the_stages_are_combined_as_the_manual_says(void **state) {
  (void)state;
  static const uint8_t s1_attr[] = {0x00, 0x04, 0x44, 0x4f, 0xa4, 0xaa, 0xbb, 0xbe, 0xe4,
                                    0xee, 0xea, 0xf4, 0xfa, 0xff, 0x32, 0x57, 0x76};
  static const uint8_t half[4] = {0, 4, 11, 15}; /* MemAttr's two bits: -, NC, WT, WB */
  struct tables *tables = fresh();
  for (unsigned i = 0; i < COUNT(s1_attr); i++)
    for (unsigned m = 0; m < 16; m++)
      for (unsigned shares = 0; shares < 9; shares++) {
        static const unsigned share[] = {0, 2, 3};
        unsigned sh1 = share[shares % 3], sh2 = share[shares / 3];
        if (m > 1 && (m < 5 || m % 4 == 0))
          continue; /* unpredictable */
        tables_register(tables, NW_REG_PRRR_MAIR0, s1_attr[i]);
        tables_map_raw(tables, 1, VA, 3, 0x1234567003 | AF | 1 << 6 | sh1 << 8, 0);
        tables_map_raw(tables, 2, IPA, 3, 0x56789ab003 | AF | HAP_R | m << 2 | sh2 << 8, 0);
        assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_READ, NW_USER, VA));
        unsigned attr;
        if (s1_attr[i] == 0 || m == 0)
          attr = 0x00;
        else if (s1_attr[i] == 4 || m == 1)
          attr = 0x04;
        else
          attr = weaker(s1_attr[i] >> 4, half[m >> 2]) << 4 | weaker(s1_attr[i] & 15, half[m & 3]);
        /* each stage's own memory, Device or wholly non-cacheable, is outer shareable as well */
        bool outer = attr < 0x10 || attr == 0x44 || sh1 == 2 || sh2 == 2;
        assert_int_equal(tables->result.attr, attr);
        assert_int_equal(tables->result.sh, outer ? 2 : sh1 == 3 || sh2 == 3 ? 3 : 0);
      }
  tables_free(tables);
}

/* -- stages switched on and off ---------------------------------------------------------------- */

/* The rights that an answer of stage 2 alone carries: what it allows, whoever asks. */
static void expect_stage_2_alone(const struct tables *tables, bool r, bool w, bool x) {
  const bool allowed[3] = {r, w, x};
  for (unsigned who = 0; who < 6; who++) {
    unsigned stage;
    enum nw_fault_type type =
        nw_rights_judge(&tables->regime, tables->result.rights, (enum nw_access)(who % 3),
                        (enum nw_privilege)(who / 3), &stage);
    assert_int_equal(type, allowed[who % 3] ? NW_FAULT_NONE : NW_FAULT_PERMISSION);
    assert_int_equal(stage, allowed[who % 3] ? 1 : 2);
  }
}

static void stage_2_alone_has_its_own_rights_and_attributes(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 2, IPA, 3, 0x56789ab003 | AF | HAP_R | 1ull << 54 | 5ull << 2, 0);
  assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, IPA));
  expect_ok(tables, 0x56789ab890, 12);
  expect_stage_2_alone(tables, true, false, false);
  assert_int_equal(tables->result.attr, 0x44);
  assert_int_equal(tables->result.sh, 2); /* wholly non-cacheable */
  assert_int_equal(tables->result.s1_page_log2, 0);
  assert_int_equal(tables->reads, 3);
  tables_free(tables);
}

static void with_stage_2_off_a_walk_has_one_stage(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_HCR, HCR_PTW);
  tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0x1234567678, 12);
  assert_int_equal(tables->reads, 3);
  assert_true(tables_walk(tables, NW_SCOPE_STAGE2, NW_WRITE, NW_USER, IPA));
  expect_ok(tables, IPA, 12);
  expect_stage_2_alone(tables, true, true, true);
  assert_int_equal(tables->reads, 0);
  assert_int_equal(tables->result.attr, 0xff); /* an absent stage 2 takes nothing away */
  assert_int_equal(tables->result.sh, 0);
  tables_free(tables);
}

static void with_stage_1_off_a_va_is_the_ipa_and_stage_2_alone_translates(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_register(tables, NW_REG_SCTLR, 0);
  tables_map(tables, 2, 0xfec00000, 0x5678800000, 21, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0xfec12345));
  expect_ok(tables, 0x5678812345, 21);
  assert_int_equal(tables->reads, 2);
  assert_int_equal(tables->result.attr, 0x00); /* Strongly-ordered wins */
  assert_true(tables_walk(tables, NW_SCOPE_STAGE1, NW_WRITE, NW_USER, 0xfec12345));
  expect_ok(tables, 0xfec12345, 12);
  assert_int_equal(tables->reads, 0);
  tables_free(tables);
}

/* B3.2.1: HCR.DC, with or without HCR.VM, turns stage 1 off: write-back, non-shareable. */
static void hcr_dc_makes_stage_1_flat_write_back_and_stage_2_on(void **state) {
  (void)state;
  static const uint32_t hcr[] = {HCR_DC, HCR_DC | HCR_VM};
  for (unsigned i = 0; i < 2; i++) {
    struct tables *tables = fresh();
    tables_map(tables, 2, 0xfec00000, 0x5678800000, 21, MAP_ALL);
    tables_register(tables, NW_REG_HCR, hcr[i]);
    assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, 0xfec12345));
    expect_ok(tables, 0x5678812345, 21);
    assert_int_equal(tables->result.attr, 0xff);
    assert_int_equal(tables->result.sh, 3); /* the stage-2 descriptor's: inner */
    assert_true(tables_walk(tables, NW_SCOPE_STAGE1, NW_WRITE, NW_USER, 0xfec12345));
    expect_ok(tables, 0xfec12345, 12);
    assert_int_equal(tables->result.attr, 0xff);
    assert_int_equal(tables->result.sh, 0);
    tables_free(tables);
  }
}

static void stage_1_alone_answers_an_ipa_but_reads_its_tables_through_stage_2(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL); /* that IPA has no stage-2 mapping */
  assert_true(tables_walk(tables, NW_SCOPE_STAGE1, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0x1234567678, 12);
  assert_int_equal(tables->reads, 12);
  assert_int_equal(tables->result.s2_page_log2, 0);
  assert_false(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_fault(tables, NW_FAULT_TRANSLATION, 2, 1, false);
  tables_free(tables);
}

static void sctlr_ee_does_not_turn_stage_2_descriptors(void **state) {
  (void)state;
  struct tables *tables = tables_new(NW_REGIME_ARMV7_SHORT_S2);
  tables_register(tables, NW_REG_SCTLR, 1 | 1u << 25);
  tables_map(tables, 1, VA, 0x34567000, 12, MAP_ALL);
  tables_map(tables, 2, 0x34567000, 0x56789ab000, 12, MAP_ALL);
  assert_true(tables_walk(tables, NW_SCOPE_BOTH, NW_WRITE, NW_USER, VA));
  expect_ok(tables, 0x56789ab678, 12);
  assert_int_equal(tables->read[3] & 3, 0); /* a big-endian table descriptor */
  tables_free(tables);
}

/* -- faults in every place --------------------------------------------------------------------- */

struct place {
  unsigned s1_level; /* whose descriptor's IPA; 0: the final IPA */
  unsigned s2_level;
  enum nw_fault_type type;
};

/* Breaks the stage-2 descriptor of `level` for `ipa` so that it gives this fault. */
static void break_stage2(struct tables *tables, uint64_t ipa, const struct place *place) {
  uint64_t at = tables_descriptor_pa(tables, 2, ipa, place->s2_level);
  if (place->type == NW_FAULT_TRANSLATION)
    tables_put(tables, at, 8, tables_get(tables, at, 8) & ~(uint64_t)1);
  else if (place->type == NW_FAULT_EXTERNAL_ABORT)
    tables_hole(tables, at, at + 7);
  else if (place->type == NW_FAULT_ACCESS_FLAG)
    tables_put(tables, at, 8, tables_get(tables, at, 8) & ~AF);
  else
    tables_put(tables, at, 8, tables_get(tables, at, 8) & ~HAP_R);
}

static void check_place(const struct place *place, enum nw_access access) {
  struct tables *tables = fresh();
  tables_map(tables, 1, VA, 0x1234567000, 12, MAP_ALL);
  tables_map(tables, 2, IPA, 0x56789ab000, 12, MAP_ALL);
  uint64_t ipa = IPA & ~(uint64_t)0xfff;
  uint64_t expected_ipa = 0x1234567678;
  if (place->s1_level) {
    uint64_t pa = tables_descriptor_pa(tables, 1, VA, place->s1_level);
    expected_ipa = ipa = pa - TABLES_OFFSET;
  }
  break_stage2(tables, ipa, place);
  /* what lacks only the right to read can still be written */
  bool faults = place->type != NW_FAULT_PERMISSION || place->s1_level || access != NW_WRITE;
  assert_int_equal(tables_walk(tables, NW_SCOPE_BOTH, access, NW_USER, VA), !faults);
  if (faults) {
    expect_fault(tables, place->type, 2, place->s2_level, place->s1_level != 0);
    assert_int_equal(tables->result.fault.ipa, expected_ipa);
    assert_int_equal(tables->result.fault.va, VA);
    assert_int_equal(tables->result.fault.access, access);
    assert_int_equal(tables->result.fault.failing_access, place->s1_level ? NW_READ : access);
  }
  tables_free(tables);
}

static void a_fault_at_any_stage_2_level_of_any_address_tells_where_it_was(void **state) {
  (void)state;
  static const enum nw_fault_type type[] = {NW_FAULT_TRANSLATION, NW_FAULT_ACCESS_FLAG,
                                            NW_FAULT_PERMISSION, NW_FAULT_EXTERNAL_ABORT};
  for (unsigned t = 0; t < COUNT(type); t++)
    for (unsigned s1 = 0; s1 <= 3; s1++)
      for (unsigned s2 = 1; s2 <= 3; s2++)
        for (unsigned access = 0; access < 3; access++) {
          struct place place = {s1, s2, type[t]};
          bool leaf_only = type[t] == NW_FAULT_ACCESS_FLAG || type[t] == NW_FAULT_PERMISSION;
          if (leaf_only && s2 != 3)
            continue;
          /* the tables share upper stage-2 descriptors: the first to need one meets its fault */
          if (s2 < 3 && s1 > 1)
            continue;
          check_place(&place, (enum nw_access)access);
        }
}

static void stage_2_asks_access_flag_before_permission(void **state) {
  (void)state;
  struct tables *tables = fresh();
  tables_map_raw(tables, 2, IPA, 3, 0x56789ab003 | WRITE_BACK, 0);
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, IPA);
  expect_fault(tables, NW_FAULT_ACCESS_FLAG, 2, 3, false);
  tables_map_raw(tables, 2, IPA, 3, 0x56789ab003 | WRITE_BACK | AF, 0);
  tables_walk(tables, NW_SCOPE_STAGE2, NW_READ, NW_USER, IPA);
  expect_fault(tables, NW_FAULT_PERMISSION, 2, 3, false);
  tables_free(tables);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_of_a_stage_2_leaf_means_what_the_manual_says),
      cmocka_unit_test(a_stage_2_table_descriptor_limits_nothing),
      cmocka_unit_test(every_vtcr_is_a_root_of_the_manuals_size_or_a_level_1_translation_fault),
      cmocka_unit_test(concatenated_roots_are_indexed_as_one_table),
      cmocka_unit_test(the_vmid_is_in_vttbr),
      cmocka_unit_test(rights_of_both_stages_are_anded_and_stage_1_is_asked_first),
      cmocka_unit_test(hcr_ptw_protects_device_and_strongly_ordered_memory_from_walks),
      cmocka_unit_test(hcr_ptw_does_not_concern_the_final_access),
      cmocka_unit_test(a_fill_holds_place_level_attributes_and_tags),
      cmocka_unit_test(an_ipa_cache_hit_gives_all_that_the_descriptor_would),
      cmocka_unit_test(hcr_ptw_judges_an_ipa_cache_hit_and_tells_its_leafs_level),
      cmocka_unit_test(memory_types_of_the_stages_are_combined_as_the_manual_says),
      cmocka_unit_test(stage_2_alone_has_its_own_rights_and_attributes),
      cmocka_unit_test(with_stage_2_off_a_walk_has_one_stage),
      cmocka_unit_test(with_stage_1_off_a_va_is_the_ipa_and_stage_2_alone_translates),
      cmocka_unit_test(hcr_dc_makes_stage_1_flat_write_back_and_stage_2_on),
      cmocka_unit_test(stage_1_alone_answers_an_ipa_but_reads_its_tables_through_stage_2),
      cmocka_unit_test(sctlr_ee_does_not_turn_stage_2_descriptors),
      cmocka_unit_test(a_fault_at_any_stage_2_level_of_any_address_tells_where_it_was),
      cmocka_unit_test(stage_2_asks_access_flag_before_permission),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
