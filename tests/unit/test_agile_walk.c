/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agile walks: they start in a host table and turn nested at any level. With n guest levels of which
 * the last d are walked nested, and m stage-2 levels, a walk makes (n - d) + d(m + 1) references.
 *
 * A table of level l stands at guest address GUEST + l pages, or at host address SHADOW + l pages;
 * guest memory is in host memory HOST bytes further up, page by page through stage 2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/nestwalk.h>

#include "core/format.h"
#include "core/rights.h"
#include "support/random.h"
#include "support/toy_format.h"

#define MEMORY 0x800000u
#define HOST 0x400000u /* host address of IPA 0 */
#define GUEST 0x10000u
#define SHADOW 0x20000u
#define STAGE2 0x40000u /* tables of stage 2, two pages apart: the root's alignment */
#define PAGE 4096u
#define VA 0x00345678u
#define IPA 0x00201000u /* of VA's page */
#define SCTLR_M 1u
#define VTCR_LEVEL_1 0x58 /* SL0 = 1, T0SZ = -8: 40 bits */

struct rig {
  uint8_t *memory;
  struct nw_regime regime;
  const struct nw_format *s1, *s2;
  unsigned levels;
  uint32_t reads, updates;
  uint64_t read_at[64];
};

static bool read_memory(void *context, uint64_t pa, unsigned size, uint64_t *data,
                        uint32_t *cycles) {
  struct rig *rig = context;
  *cycles = 1;
  *data = 0;
  if (pa + size > MEMORY)
    return false;
  memcpy(data, rig->memory + pa, size);
  rig->read_at[rig->reads++ % 64] = pa;
  return true;
}

static bool update_memory(void *context, uint64_t pa, unsigned size, uint64_t old_value,
                          uint64_t new_value, uint64_t *found, uint32_t *cycles) {
  struct rig *rig = context;
  *cycles = 1;
  *found = 0;
  memcpy(found, rig->memory + pa, size);
  if (*found == old_value)
    memcpy(rig->memory + pa, &new_value, size);
  rig->updates++;
  return true;
}

static void put(struct rig *rig, const struct nw_format *format, uint64_t table, unsigned level,
                uint64_t address, uint64_t descriptor) {
  uint64_t index = address >> format->shift[level];
  if (level > 1)
    index &= (1u << (format->shift[level - 1] - format->shift[level])) - 1;
  memcpy(rig->memory + table + index * format->descriptor_bytes, &descriptor,
         format->descriptor_bytes);
}

static uint64_t stage2_table(unsigned level, uint64_t ipa) {
  return STAGE2 + (level - 1 + (level >= 3 ? ipa >> 21 : 0)) * 2 * PAGE;
}

/* Stage 2 of the first MEMORY - HOST bytes, in pages: every level takes the same way down. */
static void build_stage2(struct rig *rig) {
  const struct nw_format *format = rig->s2;
  unsigned last = format->last_level;
  for (unsigned level = 1; level + 1 < last; level++)
    put(rig, format, stage2_table(level, 0), level, 0,
        format->encode_table((uint8_t)level, stage2_table(level + 1, 0), 0));
  for (uint64_t ipa = 0; ipa < MEMORY - HOST; ipa += PAGE) {
    uint64_t table = stage2_table(last, ipa);
    struct nwi_leaf leaf = {.output = HOST + ipa,
                            .page_log2 = 12,
                            .readable = true,
                            .writable = true,
                            .executable = true};
    put(rig, format, stage2_table(last - 1, 0), last - 1, ipa,
        format->encode_table((uint8_t)(last - 1), table, 0));
    put(rig, format, table, last, ipa, format->encode_leaf(&leaf));
  }
}

/* The guest's table of `level`, as the host knows it. */
static uint64_t guest_table(unsigned level) {
  return HOST + GUEST + level * PAGE;
}

static uint64_t shadow_table(unsigned level) {
  return SHADOW + level * PAGE;
}

static struct nwi_leaf leaf_to(uint64_t output) {
  return (struct nwi_leaf){
      .output = output, .page_log2 = 12, .writable = true, .executable = true, .user = true};
}

/* The guest's own tables, complete, for VA. */
static void build_guest(struct rig *rig) {
  const struct nw_format *format = rig->s1;
  struct nwi_leaf leaf = leaf_to(IPA);
  for (unsigned level = 1; level < rig->levels; level++)
    put(rig, format, guest_table(level), level, VA,
        format->encode_table((uint8_t)level, GUEST + (level + 1) * PAGE, 0));
  put(rig, format, guest_table(rig->levels), rig->levels, VA, format->encode_leaf(&leaf));
}

/* Shadow tables above, the last `nested` levels the guest's own; all of them: the root's, too. */
static void build_shadow(struct rig *rig, unsigned nested) {
  const struct nw_format *format = rig->s1;
  unsigned own = rig->levels - nested;
  struct nwi_leaf leaf = leaf_to(HOST + IPA);
  for (unsigned level = 1; level <= own && level < rig->levels; level++) {
    bool switches = level == own;
    uint64_t next = switches ? guest_table(level + 1) : shadow_table(level + 1);
    put(rig, format, shadow_table(level), level, VA,
        format->encode_table((uint8_t)level, next, 0) | (switches ? format->switching_bit : 0));
  }
  if (nested == 0)
    put(rig, format, shadow_table(rig->levels), rig->levels, VA, format->encode_leaf(&leaf));
  rig->regime.s1_root[0].base = own == 0 ? guest_table(1) : shadow_table(1);
  assert_true(nw_regime_set_agile(&rig->regime, own == 0 ? NW_AGILE_ROOT : NW_AGILE_SHADOW));
}

/* ARM's formats have their roots from the registers; the toys' wider ones are put in by hand. */
static void make_regime(struct rig *rig, enum nw_regime_kind kind) {
  assert_true(nw_regime_init(&rig->regime, kind));
  nw_regime_write(&rig->regime, NW_REG_VTCR, VTCR_LEVEL_1);
  nw_regime_write(&rig->regime, NW_REG_VTTBR, STAGE2);
  nw_regime_write(&rig->regime, NW_REG_DACR, 1);
  nw_regime_write(&rig->regime, NW_REG_HCR, 1);
  nw_regime_write(&rig->regime, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_regime_write(&rig->regime, NW_REG_SCTLR, SCTLR_M);
  if (rig->s1 == &toy_four_s1) {
    rig->regime.va_bits = rig->regime.ipa_bits = 48;
    for (unsigned i = 0; i < 2; i++)
      rig->regime.s1_root[i] = (struct nw_root){.start_level = 1, .input_bits = 48};
    rig->regime.s2_root.input_bits = 48;
  }
  rig->regime.s1_format = rig->s1;
  rig->regime.s2_format = rig->s2;
}

static struct rig *make_rig(const struct nw_format *s1, const struct nw_format *s2) {
  struct rig *rig = calloc(1, sizeof *rig);
  rig->memory = calloc(1, MEMORY);
  rig->s1 = s1;
  rig->s2 = s2;
  rig->levels = s1->last_level;
  make_regime(rig,
              s1 == &nwi_format_armv7_short ? NW_REGIME_ARMV7_SHORT_S2 : NW_REGIME_ARMV7_LPAE_S2);
  build_stage2(rig);
  build_guest(rig);
  return rig;
}

static void drop_rig(struct rig *rig) {
  free(rig->memory);
  free(rig);
}

static struct nw_result walk(struct rig *rig, enum nw_access access, uint64_t va) {
  struct nw_request request = {.va = va, .access = (uint8_t)access, .privilege = NW_USER};
  struct nw_walk walk;
  struct nw_step step;
  rig->reads = rig->updates = 0;
  memset(&walk, 0xa5, sizeof walk);
  nw_walk_begin(&walk, &rig->regime, &request, NW_SCOPE_BOTH, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    if (step.kind == NW_STEP_READ) {
      answer.abort = !read_memory(rig, step.address, step.size, &answer.data, &answer.cycles);
    } else {
      update_memory(rig, step.address, step.size, step.old_value, step.new_value, &answer.data,
                    &answer.cycles);
      answer.hit = answer.data == step.old_value;
    }
    nw_walk_answer(&walk, &answer);
  }
  return *nw_walk_result(&walk);
}

/* -- golden counts -------------------------------------------------------------------------- */

static const struct {
  const char *name;
  const struct nw_format *s1, *s2;
  unsigned references[6]; /* by nested levels; last: stage 1 wholly nested, its root translated */
} golden[] = {
    {"four levels over four", &toy_four_s1, &toy_four_s2, {4, 8, 12, 16, 20, 24}},
    {"LPAE over three levels", &nwi_format_lpae_s1, &nwi_format_lpae_s2, {3, 6, 9, 12, 15}},
    {"short over three levels", &nwi_format_armv7_short, &nwi_format_lpae_s2, {2, 5, 8, 11}},
};

static void expect(const struct rig *rig, const struct nw_result *result, const char *name,
                   unsigned nested, unsigned references) {
  if (result->fault.type != NW_FAULT_NONE || result->pa != HOST + IPA + VA % PAGE)
    fail_msg("%s, %u levels nested: fault %u or a wrong address", name, nested, result->fault.type);
  if (rig->reads != references)
    fail_msg("%s, %u levels nested: %u references, expected %u", name, nested, rig->reads,
             references);
  assert_int_equal(result->walk_reads, references);
  assert_int_equal(result->page_log2, 12);
}

static void agile_walks_make_the_golden_number_of_references(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
    struct rig *rig = make_rig(golden[i].s1, golden[i].s2);
    for (unsigned nested = 0; nested <= rig->levels; nested++) {
      build_shadow(rig, nested);
      struct nw_result result = walk(rig, NW_WRITE, VA);
      expect(rig, &result, golden[i].name, nested, golden[i].references[nested]);
      assert_int_equal(result.s2_page_log2, nested == 0 ? 0 : 12);
    }
    nw_regime_set_agile(&rig->regime, NW_AGILE_OFF);
    rig->regime.s1_root[0].base = GUEST + PAGE;
    struct nw_result result = walk(rig, NW_WRITE, VA);
    expect(rig, &result, golden[i].name, rig->levels + 1, golden[i].references[rig->levels + 1]);
    drop_rig(rig);
  }
}

/* The order of a walk that turns nested at the last of three levels. */
static void the_guests_first_table_is_read_without_stage_2(void **state) {
  (void)state;
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  build_shadow(rig, 1);
  walk(rig, NW_READ, VA);
  assert_int_equal(rig->reads, 6);
  assert_int_equal(rig->read_at[0] & ~0xfffull, shadow_table(1));
  assert_int_equal(rig->read_at[1] & ~0xfffull, shadow_table(2));
  assert_int_equal(rig->read_at[2] & ~0xfffull, guest_table(3));
  for (unsigned i = 3; i < 6; i++)
    assert_in_range(rig->read_at[i], STAGE2, STAGE2 + 32 * PAGE);
  drop_rig(rig);
}

/* -- what switches, and what does not -------------------------------------------------------- */

static void the_guests_own_use_of_the_bit_switches_nothing(void **state) {
  (void)state;
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  uint64_t bit = rig->s1->switching_bit;
  for (unsigned level = 1; level < 3; level++)
    put(rig, rig->s1, guest_table(level), level, VA,
        rig->s1->encode_table((uint8_t)level, GUEST + (level + 1) * PAGE, 0) | bit);
  build_shadow(rig, 3);
  struct nw_result result = walk(rig, NW_READ, VA);
  expect(rig, &result, "the guest's bit below a switched root", 3, 12);
  nw_regime_set_agile(&rig->regime, NW_AGILE_OFF);
  rig->regime.s1_root[0].base = GUEST + PAGE;
  result = walk(rig, NW_READ, VA);
  expect(rig, &result, "the guest's bit without agile paging", 4, 15);
  drop_rig(rig);
}

static void agile_paging_needs_a_stage_2_that_is_on(void **state) {
  (void)state;
  struct nw_regime regime;
  nw_regime_init(&regime, NW_REGIME_ARMV7_LPAE);
  assert_false(nw_regime_set_agile(&regime, NW_AGILE_SHADOW));
  assert_int_equal(regime.agile, NW_AGILE_OFF);
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  assert_false(nw_regime_set_agile(&rig->regime, (enum nw_agile)(NW_AGILE_ROOT + 1)));
  build_shadow(rig, 1);
  nw_regime_write(&rig->regime, NW_REG_HCR, 0);
  rig->regime.s1_root[0].base = shadow_table(1);
  struct nw_result result = walk(rig, NW_READ, VA);
  assert_int_equal(result.fault.type, NW_FAULT_NONE);
  assert_int_equal(result.pa, IPA + VA % PAGE); /* the guest's leaf, taken as it stands */
  assert_int_equal(rig->reads, 3);
  drop_rig(rig);
}

/* -- faults ---------------------------------------------------------------------------------- */

static void a_fault_tells_whose_table_it_was_met_in(void **state) {
  (void)state;
  for (unsigned nested = 0; nested <= 3; nested++) {
    for (unsigned level = 1; level <= 3; level++) {
      struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
      bool shadow = level <= 3 - nested;
      build_shadow(rig, nested);
      put(rig, rig->s1, shadow ? shadow_table(level) : guest_table(level), level, VA, 0);
      struct nw_result result = walk(rig, NW_READ, VA);
      assert_int_equal(result.fault.type, NW_FAULT_TRANSLATION);
      assert_int_equal(result.fault.stage, 1);
      assert_int_equal(result.fault.level, level);
      assert_int_equal(result.fault.shadow, shadow);
      drop_rig(rig);
    }
  }
}

static void stage_2_judges_what_comes_out_of_the_guests_tables_alone(void **state) {
  (void)state;
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  uint64_t hole[2] = {GUEST + 3 * PAGE, IPA}; /* the guest's last table; its page */
  for (unsigned i = 0; i < 2; i++) {
    for (unsigned nested = 0; nested <= 3; nested++) {
      build_stage2(rig);
      build_shadow(rig, nested);
      put(rig, rig->s2, stage2_table(3, hole[i]), 3, hole[i], 0);
      struct nw_result result = walk(rig, NW_READ, VA);
      bool met = i == 0 ? nested >= 2 : nested >= 1;
      assert_int_equal(result.fault.type, met ? NW_FAULT_TRANSLATION : NW_FAULT_NONE);
      if (met) {
        assert_int_equal(result.fault.stage, 2);
        assert_int_equal(result.fault.s1walk, i == 0);
        assert_false(result.fault.shadow);
        assert_int_equal(result.fault.ipa & ~0xfffull, hole[i]);
      }
    }
  }
  drop_rig(rig);
}

static void limits_of_shadow_tables_hold_in_the_guests(void **state) {
  (void)state;
  const uint64_t read_only = 1ull << 62; /* APTable[1] */
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  build_shadow(rig, 1);
  put(rig, rig->s1, shadow_table(1), 1, VA,
      rig->s1->encode_table(1, shadow_table(2), 0) | read_only);
  assert_int_equal(walk(rig, NW_READ, VA).fault.type, NW_FAULT_NONE);
  struct nw_result result = walk(rig, NW_WRITE, VA);
  assert_int_equal(result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(result.fault.level, 3);
  assert_false(result.fault.shadow);
  drop_rig(rig);
}

/* -- flags that hardware sets ----------------------------------------------------------------- */

static void flags_of_the_guests_first_table_are_set_without_stage_2(void **state) {
  (void)state;
  struct rig *rig = make_rig(&toy_format_s1, &nwi_format_lpae_s2);
  build_shadow(rig, 1);
  struct nw_result result = walk(rig, NW_WRITE, VA);
  assert_int_equal(result.fault.type, NW_FAULT_NONE);
  assert_int_equal(rig->updates, 3);
  assert_int_equal(rig->reads, 6); /* no stage-2 walk to write the guest's leaf */
  uint64_t leaf;
  memcpy(&leaf, rig->memory + guest_table(3) + ((VA >> 12) & 511) * 8, 8);
  assert_int_equal(leaf & (TOY_ACCESSED | TOY_DIRTY), TOY_ACCESSED | TOY_DIRTY);
  drop_rig(rig);
}

static void flags_of_deeper_guest_tables_are_set_through_stage_2(void **state) {
  (void)state;
  struct rig *rig = make_rig(&toy_format_s1, &nwi_format_lpae_s2);
  build_shadow(rig, 2);
  uint64_t ipa = GUEST + 3 * PAGE;
  struct nwi_leaf leaf = {.output = HOST + ipa, .page_log2 = 12, .readable = true};
  put(rig, rig->s2, stage2_table(3, ipa), 3, ipa, rig->s2->encode_leaf(&leaf)); /* read-only */
  struct nw_result result = walk(rig, NW_READ, VA);
  assert_int_equal(result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(result.fault.stage, 2);
  assert_true(result.fault.s1walk);
  drop_rig(rig);
}

/* -- behind TLBs and walk caches --------------------------------------------------------------- */

static struct nw_mmu *make_mmu(struct rig *rig) {
  struct nw_mmu_config config = {.regime = NW_REGIME_ARMV7_LPAE_S2,
                                 .l1d = {4, 4, 0, NW_POLICY_LRU},
                                 .walk_cache = {8, 8, 0, NW_POLICY_LRU},
                                 .ipa_cache = {8, 8, 0, NW_POLICY_LRU},
                                 .walkers = 1,
                                 .seed = 1};
  char error[200];
  struct nw_mmu *mmu = nw_mmu_create(&config, error, sizeof error);
  assert_non_null(mmu);
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++)
    nw_mmu_write_register(mmu, reg, rig->regime.reg[reg]);
  return mmu;
}

/* Loads what build_shadow() has left in the rig's regime, as a hypervisor does. */
static void load(struct rig *rig, struct nw_mmu *mmu) {
  nw_mmu_write_register(mmu, NW_REG_TTBR0, rig->regime.s1_root[0].base);
  assert_true(nw_mmu_set_agile(mmu, (enum nw_agile)rig->regime.agile));
}

static struct nw_result translate(struct rig *rig, struct nw_mmu *mmu, uint64_t va) {
  struct nw_memory memory = {.context = rig, .read = read_memory, .update = update_memory};
  struct nw_request request = {.va = va, .access = NW_READ, .privilege = NW_USER};
  struct nw_result result;
  rig->reads = 0;
  nw_mmu_translate(mmu, &request, &memory, &result);
  return result;
}

/* The page beside VA, mapped in every kind of last table. */
#define BESIDE (VA + PAGE)

static void map_beside(struct rig *rig) {
  struct nwi_leaf guest = leaf_to(IPA + PAGE), shadow = leaf_to(HOST + IPA + PAGE);
  put(rig, rig->s1, guest_table(3), 3, BESIDE, rig->s1->encode_leaf(&guest));
  put(rig, rig->s1, shadow_table(3), 3, BESIDE, rig->s1->encode_leaf(&shadow));
}

static void a_walk_cache_remembers_whose_table_it_leads_to(void **state) {
  (void)state;
  /* The cached table, then stage 2 of the page where the guest's; from the IPA cache its tables. */
  static const unsigned references[] = {1, 1 + 3, 1 + 3, 1 + 3};
  for (unsigned nested = 0; nested <= 3; nested++) {
    struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
    struct nw_mmu *mmu = make_mmu(rig);
    map_beside(rig);
    build_shadow(rig, nested);
    load(rig, mmu);
    assert_int_equal(translate(rig, mmu, VA).pa, HOST + IPA + VA % PAGE);
    struct nw_result result = translate(rig, mmu, BESIDE);
    assert_int_equal(result.fault.type, NW_FAULT_NONE);
    assert_int_equal(result.pa, HOST + IPA + PAGE + VA % PAGE);
    assert_int_equal(rig->reads, references[nested]);
    nw_mmu_destroy(mmu);
    drop_rig(rig);
  }
}

static void entries_made_with_agile_paging_do_not_serve_without(void **state) {
  (void)state;
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  struct nw_mmu *mmu = make_mmu(rig);
  build_shadow(rig, 1);
  load(rig, mmu);
  translate(rig, mmu, VA);
  assert_int_equal(translate(rig, mmu, VA).source, NW_FROM_L1);
  nw_mmu_set_agile(mmu, NW_AGILE_OFF);
  nw_mmu_write_register(mmu, NW_REG_TTBR0, GUEST + PAGE);
  struct nw_result result = translate(rig, mmu, VA);
  assert_int_equal(result.source, NW_FROM_WALK);
  assert_int_equal(result.pa, HOST + IPA + VA % PAGE);
  assert_int_equal(rig->reads, 15 - 3); /* the page's own stage 2 is in the IPA cache */
  nw_mmu_destroy(mmu);
  drop_rig(rig);
}

/* A table goes from nested to shadow and back: the hypervisor rewrites the descriptor above it and
 * invalidates by address, as after any other change of a table. */
static void maintenance_reaches_what_agile_walks_have_left(void **state) {
  (void)state;
  struct random random = random_from_seed("maintenance_reaches_what_agile_walks_have_left");
  struct rig *rig = make_rig(&nwi_format_lpae_s1, &nwi_format_lpae_s2);
  struct nw_mmu *mmu = make_mmu(rig);
  uint64_t other = IPA + 8 * PAGE; /* only the guest's table says so */
  struct nwi_leaf guest = leaf_to(other);
  put(rig, rig->s1, guest_table(3), 3, VA, rig->s1->encode_leaf(&guest));
  map_beside(rig);
  for (unsigned i = 0; i < 200; i++) {
    unsigned nested = random_below(&random, 4);
    build_shadow(rig, nested);
    load(rig, mmu);
    switch (random_below(&random, 3)) {
    case 0:
      nw_mmu_invalidate(mmu, NW_TLBI_MVAA, VA);
      nw_mmu_invalidate(mmu, NW_TLBI_MVAA, BESIDE);
      break;
    case 1:
      nw_mmu_invalidate(mmu, NW_TLBI_ASID, 0);
      break;
    default:
      nw_mmu_invalidate(mmu, NW_TLBI_ALL, 0);
      break;
    }
    for (unsigned j = 0; j < 3; j++) {
      struct nw_result result = translate(rig, mmu, VA);
      assert_int_equal(result.pa, HOST + (nested == 0 ? IPA : other) + VA % PAGE);
      assert_int_equal(translate(rig, mmu, BESIDE).pa, HOST + IPA + PAGE + VA % PAGE);
    }
  }
  nw_mmu_destroy(mmu);
  drop_rig(rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agile_walks_make_the_golden_number_of_references),
      cmocka_unit_test(the_guests_first_table_is_read_without_stage_2),
      cmocka_unit_test(the_guests_own_use_of_the_bit_switches_nothing),
      cmocka_unit_test(agile_paging_needs_a_stage_2_that_is_on),
      cmocka_unit_test(a_fault_tells_whose_table_it_was_met_in),
      cmocka_unit_test(stage_2_judges_what_comes_out_of_the_guests_tables_alone),
      cmocka_unit_test(limits_of_shadow_tables_hold_in_the_guests),
      cmocka_unit_test(flags_of_the_guests_first_table_are_set_without_stage_2),
      cmocka_unit_test(flags_of_deeper_guest_tables_are_set_through_stage_2),
      cmocka_unit_test(a_walk_cache_remembers_whose_table_it_leads_to),
      cmocka_unit_test(entries_made_with_agile_paging_do_not_serve_without),
      cmocka_unit_test(maintenance_reaches_what_agile_walks_have_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
