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

#define ROUNDS 3000
#define WALKS 40
#define CACHED 512

/* An embedder's caches: all that was ever filled, the narrowest match wins. */
struct cache {
  struct nw_cached entry[CACHED];
  unsigned entries;
};

struct embedder {
  uint64_t seed;
  struct cache cache[2];
  unsigned lookups, hits, fills;
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

/* Random, but most descriptors are valid, accessed and readable, so that most walks go deep. */
static void answer_read(const struct embedder *embedder, const struct nw_step *step,
                        struct nw_answer *answer) {
  uint64_t bits = hash(step->address ^ embedder->seed);
  uint64_t luck = hash(bits);
  answer->abort = luck % 61 == 0;
  if (luck >> 8 & 31)
    bits |= 1;
  if (luck >> 16 & 3)
    bits |= 2;
  if (step->size == 4) {
    answer->data = luck >> 24 & 3 ? (bits | 0x30) : (bits & 0xffffffff);
    answer->data &= luck >> 32 & 1 ? 0xfffffffd : 0xffffffff;
  } else {
    answer->data = bits & 0x80600fffffffffull;
    answer->data |= luck >> 24 & 15 ? 1u << 10 | 1u << 6 : 0;
    answer->data |= luck >> 32 & 7 ? 0 : (uint64_t)(luck >> 40 & 15) << 59;
  }
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
    assert_int_not_equal(step.kind, NW_STEP_UPDATE);
    if (step.kind == NW_STEP_READ) {
      answer_read(embedder, &step, &answer);
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
static void random_registers(struct nw_regime *regime, uint64_t *state) {
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

static void same_answer(const struct nw_result *plain, const struct nw_result *cached) {
  assert_memory_equal(&plain->fault, &cached->fault, sizeof(plain->fault));
  if (plain->fault.type != NW_FAULT_NONE)
    return;
  assert_int_equal(plain->pa, cached->pa);
  assert_int_equal(plain->rights, cached->rights);
  assert_int_equal(plain->page_log2, cached->page_log2);
  assert_int_equal(plain->s1_page_log2, cached->s1_page_log2);
  assert_int_equal(plain->s2_page_log2, cached->s2_page_log2);
  assert_int_equal(plain->attr, cached->attr);
  assert_int_equal(plain->sh, cached->sh);
  assert_true(cached->walk_reads <= plain->walk_reads);
}

static struct nw_request random_request(const uint64_t *base, enum nw_scope scope,
                                        uint64_t *state) {
  uint64_t r = tables_random(state);
  uint64_t mask = scope == NW_SCOPE_STAGE2 ? 0xffffffffff : 0xffffffff;
  return (struct nw_request){
      .va = (base[r & 3] ^ (r >> 8 & 0x3fff)) & mask,
      .access = (uint8_t)(r >> 32) % 3,
      .privilege = r >> 40 & 1,
  };
}

static void walk_caches_do_not_change_an_answer(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  static struct embedder embedder;
  unsigned translated = 0, hits = 0;
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct nw_regime regime;
    uint64_t base[4];
    memset(&embedder, 0, sizeof(embedder));
    embedder.seed = tables_random(&random);
    nw_regime_init(&regime, (enum nw_regime_kind)(round % ARM_REGIMES));
    random_registers(&regime, &random);
    for (unsigned i = 0; i < 4; i++)
      base[i] = tables_random(&random);
    for (unsigned i = 0; i < WALKS; i++) {
      enum nw_scope scope = round % 8 < 6 || round % 4 < 2 ? NW_SCOPE_BOTH : NW_SCOPE_STAGE1;
      struct nw_request request = random_request(base, scope, &random);
      struct nw_result plain = walk(&embedder, &regime, &request, scope, false);
      struct nw_result cached = walk(&embedder, &regime, &request, scope, true);
      same_answer(&plain, &cached);
      translated += plain.fault.type == NW_FAULT_NONE;
    }
    hits += embedder.hits;
  }
  /* the test means nothing if nothing was translated or found */
  assert_true(translated > ROUNDS * WALKS / 10);
  assert_true(hits > ROUNDS * WALKS / 10);
}

static void rights_say_what_the_walk_of_every_other_access_would_say(void **state) {
  (void)state;
  uint64_t random = seed_of_the_run();
  static struct embedder embedder;
  unsigned denied = 0, allowed = 0;
  for (unsigned round = 0; round < ROUNDS * 8; round++) {
    struct nw_regime regime;
    embedder.seed = tables_random(&random);
    nw_regime_init(&regime, (enum nw_regime_kind)(round % ARM_REGIMES));
    random_registers(&regime, &random);
    uint64_t base[4] = {embedder.seed, 0, 0, 0};
    struct nw_request request = random_request(base, NW_SCOPE_BOTH, &random);
    struct nw_result first = walk(&embedder, &regime, &request, NW_SCOPE_BOTH, false);
    if (first.fault.type != NW_FAULT_NONE)
      continue;
    assert_false(nwi_rights_clean(first.rights)); /* ARMv7 has no dirty flags */
    for (unsigned who = 0; who < 6; who++) {
      unsigned stage;
      request.access = (uint8_t)(who % 3);
      request.privilege = (uint8_t)(who / 3);
      struct nw_result own = walk(&embedder, &regime, &request, NW_SCOPE_BOTH, false);
      enum nw_fault_type verdict =
          nw_rights_judge(&regime, first.rights, (enum nw_access)request.access,
                          (enum nw_privilege)request.privilege, &stage);
      assert_int_equal(verdict, own.fault.type);
      if (verdict != NW_FAULT_NONE)
        assert_int_equal(stage, own.fault.stage);
      denied += verdict != NW_FAULT_NONE;
      allowed += verdict == NW_FAULT_NONE;
    }
  }
  assert_true(denied > ROUNDS / 4 && allowed > ROUNDS / 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walk_caches_do_not_change_an_answer),
      cmocka_unit_test(rights_say_what_the_walk_of_every_other_access_would_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
