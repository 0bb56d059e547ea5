/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random registers over an endless random table: every word of memory is a random descriptor,
 * the same at every read. Two properties hold for every walk: caches do not change an answer, and
 * the rights that a walk gives say of every other access what its own walk would say.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rights.h"
#include "support/tables.h"

#define ROUNDS 4900
#define WALKS 40
#define CACHED 512
#define CLEAN (NWI_R_S1_CLEAN | NWI_R_S2_CLEAN) /* what a cache knows of dirty flags may be newer */

/* An embedder's caches: all that was ever filled, the narrowest match wins. */
struct cache {
  struct nw_cached entry[CACHED];
  unsigned entries;
};

struct embedder {
  uint64_t seed;
  uint8_t architecture; /* enum nw_architecture: whose descriptors memory is full of */
  bool ept;
  struct cache cache[2];
  unsigned lookups, hits, fills, updates;
};

static uint64_t seed_of_the_run(void) {
  const char *text = getenv("NW_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 0) : 20130207;
  print_message("NW_SEED=%" PRIu64 "\n", seed);
  return seed ? seed : 1;
}

static uint64_t hash(uint64_t value) {
  value = (value ^ value >> 31) * 0x7fb5d329728ea185;
  value = (value ^ value >> 27) * 0x81dadef4bc2dd44d;
  return value ^ value >> 33;
}

/* Most descriptors are valid, accessed and readable, so that most walks go deep. */
static uint64_t armv7_descriptor(const struct nw_step *step, uint64_t bits, uint64_t luck) {
  if (luck >> 8 & 31)
    bits |= 1;
  if (luck >> 16 & 3)
    bits |= 2;
  if (step->size == 4) {
    uint64_t data = luck >> 24 & 3 ? (bits | 0x30) : (bits & 0xffffffff);
    return data & (luck >> 32 & 1 ? 0xfffffffd : 0xffffffff);
  }
  return (bits & 0x80600fffffffffull) | (luck >> 24 & 15 ? 1u << 10 | 1u << 6 : 0) |
         (luck >> 32 & 7 ? 0 : (uint64_t)(luck >> 40 & 15) << 59);
}

/* Likewise. Large pages are mostly aligned, reserved bits and limits rare, rarest in stage 2; flags
 * and the ignored bits are as they come. */
static uint64_t x86_descriptor(const struct nw_step *step, uint64_t bits, uint64_t luck, bool ept) {
  unsigned in_leaf = step->level == 3 ? 30 : step->level == 2 ? 21 : 12;
  uint64_t rarity = step->stage == 2 ? 127 : 15;
  bool large = step->level >= 2 && step->level <= 3 && (luck >> 8 & 7) == 0;
  uint64_t address = bits & 0x000000fffffff000ull;
  uint64_t data = bits & (ept ? 0x7ff0000000000b00ull : 0x7ff0000000000f78ull);

  if (large && (luck >> 54 & 31))
    address = address >> in_leaf << in_leaf;
  if (step->level > 1 && !ept)
    data &= ~0x80ull;
  if (ept && (large || step->level == 1))
    data |= luck >> 12 & 1 ? 6u << 3 : 0;
  data |= address | (large ? 0x80 : 0) | (luck >> 16 & rarity ? 1 : 0) |
          (luck >> 24 & rarity ? 2 : 0) | (luck >> 32 & rarity ? 4 : 0);
  if ((luck >> 40 & 63) == 0)
    data |= 1ull << 63;
  return (luck >> 46 & 127) == 0 ? data | 1ull << (40 + luck % 12) : data;
}

static void answer_read(const struct embedder *embedder, const struct nw_step *step,
                        struct nw_answer *answer) {
  uint64_t bits = hash(step->address ^ embedder->seed);
  uint64_t luck = hash(bits);
  answer->abort = luck % 61 == 0;
  answer->data = embedder->architecture == NW_ARMV7
                     ? armv7_descriptor(step, bits, luck)
                     : x86_descriptor(step, bits, luck, embedder->ept && step->stage == 2);
}

static bool covers(const struct nw_cached *entry, const struct nw_step *step) {
  const struct nw_cached *wanted = &step->contents;
  return (wanted->key ^ entry->key) >> entry->span_log2 == 0 && entry->vmid == wanted->vmid &&
         (step->cache == NW_IPA_CACHE || entry->asid == wanted->asid);
}

static void answer_lookup(struct embedder *embedder, const struct nw_step *step,
                          struct nw_answer *answer) {
  const struct cache *cache = &embedder->cache[step->cache];
  embedder->lookups++;
  for (unsigned i = 0; i < cache->entries; i++) {
    const struct nw_cached *entry = &cache->entry[i];
    if (covers(entry, step) && (!answer->hit || entry->span_log2 < answer->contents.span_log2)) {
      answer->hit = true;
      answer->contents = *entry;
    }
  }
  embedder->hits += answer->hit;
}

static void fill(struct embedder *embedder, const struct nw_step *step) {
  struct cache *cache = &embedder->cache[step->cache];
  embedder->fills++;
  if (cache->entries < CACHED)
    cache->entry[cache->entries++] = step->contents;
}

static struct nw_result walk(struct embedder *embedder, const struct nw_regime *regime,
                             const struct nw_request *request, enum nw_scope scope, bool cached) {
  struct nw_walk_options options = {.walk_cache = cached, .ipa_cache = cached};
  struct nw_walk walk;
  struct nw_step step;
  unsigned fills = 0;
  memset(&walk, 0xa5, sizeof(walk)); /* nothing is left of the walk before */
  nw_walk_begin(&walk, regime, request, scope, &options);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    if (step.kind == NW_STEP_READ) {
      answer_read(embedder, &step, &answer);
    } else if (step.kind == NW_STEP_UPDATE) {
      answer.hit = true; /* and somebody clears the flags again at once */
      embedder->updates++;
    } else {
      assert_true(cached);
      if (step.kind == NW_STEP_LOOKUP)
        answer_lookup(embedder, &step, &answer);
      else
        fill(embedder, &step), fills++;
    }
    nw_walk_answer(&walk, &answer);
  }
  if (nw_walk_result(&walk)->fault.type != NW_FAULT_NONE)
    assert_int_equal(fills, 0); /* a walk that faults installs nothing */
  return *nw_walk_result(&walk);
}

/* Small TTBCR.N and T0SZ, mostly consistent VTCRs, and everything else as it comes. */
static void random_armv7_registers(struct nw_regime *regime, uint64_t *state) {
  uint64_t r = tables_random(state);
  bool eae = regime->reg[NW_REG_TTBCR] >> 31;
  uint32_t ttbcr = eae ? 0x80000000u | (uint32_t)(r & 0x00470007) : (uint32_t)(r & 3);
  nw_regime_write(regime, NW_REG_SCTLR, (r >> 8 & 7 ? 1u : 0u) | (uint32_t)(r >> 12 & 0x32181000));
  nw_regime_write(regime, NW_REG_TTBCR, ttbcr);
  nw_regime_write(regime, NW_REG_TTBR0, tables_random(state));
  nw_regime_write(regime, NW_REG_TTBR1, tables_random(state));
  nw_regime_write(regime, NW_REG_DACR, 0x55555555u | (uint32_t)tables_random(state));
  nw_regime_write(regime, NW_REG_PRRR_MAIR0, tables_random(state) & 0xffffffff);
  nw_regime_write(regime, NW_REG_NMRR_MAIR1, tables_random(state) & 0xffffffff);
  nw_regime_write(regime, NW_REG_CONTEXTIDR, r >> 32);
  if (!nw_regime_has_stage2((enum nw_regime_kind)regime->kind))
    return;
  nw_regime_write(regime, NW_REG_VTTBR, tables_random(state));
  nw_regime_write(regime, NW_REG_VTCR, r >> 60 ? 0x58 : r >> 20 & 0xff);
  nw_regime_write(regime, NW_REG_HCR,
                  (r >> 40 & 7 ? 1u : 0u) | (r >> 44 & 7 ? 0u : 4u) |
                      (r >> 48 & 31 ? 0u : 0x1000u));
}

/* Paging is mostly on; four levels or five, flags or none, and every control as it comes. */
static void random_x86_registers(struct nw_regime *regime, uint64_t *state) {
  uint64_t r = tables_random(state);
  uint64_t levels = r & 1 ? X86_EPTP_WALK_5 : X86_EPTP_WALK_4, flags = r & 2 ? X86_EPTP_AD : 0;
  bool ept = regime->kind == NW_REGIME_X86_EPT;
  nw_regime_write(regime, NW_X86_CR0, (r >> 8 & 15 ? X86_CR0 : 1) ^ (r >> 12 & 1) << 16);
  nw_regime_write(regime, NW_X86_CR4, X86_CR4 | (r & 0x701080));
  nw_regime_write(regime, NW_X86_EFER, r >> 16 & 15 ? X86_EFER : 0x101);
  nw_regime_write(regime, NW_X86_HOST_EFER, r >> 20 & 15 ? 0x800 : 0);
  nw_regime_write(regime, NW_X86_HOST_CR4, r >> 24 & X86_LA57);
  nw_regime_write(regime, NW_X86_AC, r >> 40 & 1);
  nw_regime_write(regime, NW_X86_PKRU, tables_random(state) & tables_random(state) & 0xffffffff);
  nw_regime_write(regime, NW_X86_PAT, tables_random(state) & 0x0606060606060606);
  nw_regime_write(regime, NW_X86_CR3, tables_random(state) & 0xffffffffff);
  nw_regime_write(regime, NW_X86_NESTED_ROOT,
                  (tables_random(state) & 0xfffffff000) | (ept ? levels | flags : 0));
}

/* An address of whatever size the regime has, and a regime of the round's kind. */
static void begin_round(struct embedder *embedder, struct nw_regime *regime, unsigned round,
                        uint64_t *state) {
  memset(embedder, 0, sizeof(*embedder));
  embedder->seed = tables_random(state);
  nw_regime_init(regime, (enum nw_regime_kind)(round % NW_REGIMES));
  embedder->architecture = regime->architecture;
  embedder->ept = regime->kind == NW_REGIME_X86_EPT;
  if (regime->architecture == NW_ARMV7)
    random_armv7_registers(regime, state);
  else
    random_x86_registers(regime, state);
}

static void same_answer(const struct nw_result *plain, const struct nw_result *cached) {
  assert_memory_equal(&plain->fault, &cached->fault, sizeof(plain->fault));
  if (plain->fault.type != NW_FAULT_NONE)
    return;
  assert_int_equal(plain->pa, cached->pa);
  assert_int_equal(plain->rights & ~CLEAN, cached->rights & ~CLEAN);
  assert_int_equal(plain->page_log2, cached->page_log2);
  assert_int_equal(plain->s1_page_log2, cached->s1_page_log2);
  assert_int_equal(plain->s2_page_log2, cached->s2_page_log2);
  assert_int_equal(plain->attr, cached->attr);
  assert_int_equal(plain->sh, cached->sh);
  assert_true(cached->walk_reads <= plain->walk_reads);
}

/* Of 32 bits; x86: canonical but for a few. */
static uint64_t address_of(const struct nw_regime *regime, uint64_t bits) {
  if (regime->architecture == NW_ARMV7)
    return bits & 0xffffffff;
  unsigned above = 64u - regime->va_bits - (bits % 61 == 0 ? 1u : 0u);
  return (uint64_t)((int64_t)(bits << above) >> above);
}

static struct nw_request random_request(const struct nw_regime *regime, const uint64_t *base,
                                        uint64_t *state) {
  uint64_t r = tables_random(state);
  return (struct nw_request){
      .va = address_of(regime, base[r & 3] ^ (r >> 8 & 0x3fff)),
      .access = (uint8_t)(r >> 32) % 3,
      .privilege = r >> 40 & 1,
  };
}

static void walk_caches_do_not_change_an_answer(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  static struct embedder embedder;
  unsigned translated[NW_REGIMES] = {0}, hits[NW_REGIMES] = {0};
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct nw_regime regime;
    uint64_t base[4];
    begin_round(&embedder, &regime, round, &random);
    for (unsigned i = 0; i < 4; i++)
      base[i] = tables_random(&random);
    for (unsigned i = 0; i < WALKS; i++) {
      enum nw_scope scope = round % 8 < 6 || round % 4 < 2 ? NW_SCOPE_BOTH : NW_SCOPE_STAGE1;
      struct nw_request request = random_request(&regime, base, &random);
      struct nw_result plain = walk(&embedder, &regime, &request, scope, false);
      struct nw_result cached = walk(&embedder, &regime, &request, scope, true);
      same_answer(&plain, &cached);
      translated[regime.kind] += plain.fault.type == NW_FAULT_NONE;
    }
    hits[regime.kind] += embedder.hits;
  }
  /* the test means nothing if nothing was translated or found */
  for (unsigned kind = 0; kind < NW_REGIMES; kind++) {
    print_message("%s: %u translated, %u hits\n", nw_regime_name((enum nw_regime_kind)kind),
                  translated[kind], hits[kind]);
    assert_true(translated[kind] > ROUNDS * WALKS / NW_REGIMES / 12);
    assert_true(hits[kind] > ROUNDS * WALKS / NW_REGIMES / 10);
  }
}

static void rights_say_what_the_walk_of_every_other_access_would_say(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  static struct embedder embedder;
  unsigned denied[NW_REGIMES] = {0}, allowed[NW_REGIMES] = {0};
  for (unsigned round = 0; round < ROUNDS * 8; round++) {
    struct nw_regime regime;
    begin_round(&embedder, &regime, round, &random);
    uint64_t base[4] = {embedder.seed, 0, 0, 0};
    struct nw_request request = random_request(&regime, base, &random);
    struct nw_result first = walk(&embedder, &regime, &request, NW_SCOPE_BOTH, false);
    if (first.fault.type != NW_FAULT_NONE)
      continue;
    assert_true(regime.architecture != NW_ARMV7 || !nwi_rights_clean(first.rights));
    for (unsigned who = 0; who < 6; who++) {
      unsigned stage;
      request.access = (uint8_t)(who % 3);
      if (request.access == NW_WRITE && nwi_rights_clean(first.rights))
        continue; /* to be walked, since a flag is to be set: which may fail on its way */
      request.privilege = (uint8_t)(who / 3);
      struct nw_result own = walk(&embedder, &regime, &request, NW_SCOPE_BOTH, false);
      enum nw_fault_type verdict =
          nw_rights_judge(&regime, first.rights, (enum nw_access)request.access,
                          (enum nw_privilege)request.privilege, &stage);
      assert_int_equal(verdict, own.fault.type);
      if (verdict != NW_FAULT_NONE)
        assert_int_equal(stage, own.fault.stage);
      denied[regime.kind] += verdict != NW_FAULT_NONE;
      allowed[regime.kind] += verdict == NW_FAULT_NONE;
    }
  }
  for (unsigned kind = 0; kind < NW_REGIMES; kind++) {
    print_message("%s: %u denied, %u allowed\n", nw_regime_name((enum nw_regime_kind)kind),
                  denied[kind], allowed[kind]);
    assert_true(denied[kind] > ROUNDS / 20 && allowed[kind] > ROUNDS / 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walk_caches_do_not_change_an_answer),
      cmocka_unit_test(rights_say_what_the_walk_of_every_other_access_would_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
