/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several requests in flight: who gets a walker, who shares a walk, who is told what and when. The
 * test answers when and in what order it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/mmu_rig.h"

#define PAGE(n) (0x00300000ull + (uint64_t)(n)*0x1000)
#define MOST 16

/* Requests by tag, what they ask for and what has become of them. */
struct flight {
  struct rig *rig;
  struct nw_transaction transaction[MOST];
  struct nw_step asked[MOST];
  bool waits[MOST]; /* asked and not answered */
  bool done[MOST];
  unsigned order[MOST]; /* tags as they were done */
  unsigned finished;
};

static struct flight take_off(enum nw_regime_kind kind, unsigned walkers) {
  struct nw_mmu_config config = rig_full(kind);
  struct flight f = {0};

  config.walkers = walkers;
  f.rig = rig_new(&config);
  for (unsigned i = 0; i < MOST; i++) {
    rig_map(f.rig, PAGE(i), 12, MAP_ALL);
  }
  return f;
}

static void land(struct flight *f) {
  rig_free(f->rig);
}

static void begin(struct flight *f, unsigned tag, enum nw_access access, uint64_t va) {
  struct nw_request request = {.va = va, .access = (uint8_t)access, .privilege = NW_PRIVILEGED};

  assert_true(nw_mmu_begin(f->rig->mmu, &f->transaction[tag], &request, tag));
  f->done[tag] = false;
}

static bool has_flags(const struct flight *f) {
  return f->rig->tables->regime.architecture == NW_X86_64;
}

/* Takes everything that the MMU has to say. */
static void listen(struct flight *f) {
  struct nw_step step;

  while (nw_mmu_next(f->rig->mmu, &step)) {
    assert_true(step.tag < MOST);
    assert_false(f->waits[step.tag]);
    assert_false(f->done[step.tag]);
    if (step.kind == NW_STEP_DONE) {
      f->done[step.tag] = true;
      f->order[f->finished++ % MOST] = (unsigned)step.tag;
    } else {
      bool update = step.kind == NW_STEP_UPDATE;
      assert_true(step.kind == NW_STEP_READ || (update && has_flags(f)));
      f->asked[step.tag] = step;
      f->waits[step.tag] = true;
    }
  }
}

static void answer(struct flight *f, unsigned tag) {
  const struct nw_step *step = &f->asked[tag];
  struct nw_answer answer = {.data = tables_get(f->rig->tables, step->address, step->size),
                             .cycles = RIG_READ_CYCLES};

  if (step->kind == NW_STEP_UPDATE) {
    answer.hit = answer.data == step->old_value;
    if (answer.hit) {
      tables_put(f->rig->tables, step->address, step->size, step->new_value);
    }
  }
  assert_true(f->waits[tag]);
  f->waits[tag] = false;
  assert_true(nw_mmu_answer(f->rig->mmu, tag, &answer));
}

static unsigned waiting(const struct flight *f) {
  unsigned count = 0;

  for (unsigned tag = 0; tag < MOST; tag++) {
    count += f->waits[tag];
  }
  return count;
}

/* Answers the oldest tag first until nothing is asked. */
static void run_out(struct flight *f) {
  listen(f);
  for (unsigned tag = 0; waiting(f) != 0; tag = (tag + 1) % MOST) {
    if (f->waits[tag]) {
      answer(f, tag);
      listen(f);
    }
  }
}

static void expect_pa(const struct flight *f, unsigned tag, uint64_t va) {
  assert_true(f->done[tag]);
  assert_int_equal(f->transaction[tag].result.fault.type, NW_FAULT_NONE);
  assert_int_equal(f->transaction[tag].result.pa, rig_pa(f->rig, va));
}

static const struct nw_mmu_statistics *counted(const struct flight *f) {
  return nw_mmu_statistics(f->rig->mmu);
}

/* -- the protocol ------------------------------------------------------------------------------ */

static void a_step_is_given_once_and_nothing_more_until_its_answer(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT_S2, 1);
  struct nw_step step;
  begin(&f, 3, NW_READ, PAGE(0));
  for (unsigned i = 0; i < 11; i++) {
    assert_true(nw_mmu_next(f.rig->mmu, &step));
    assert_int_equal(step.kind, NW_STEP_READ);
    assert_int_equal(step.tag, 3);
    f.asked[3] = step;
    f.waits[3] = true;
    assert_false(nw_mmu_next(f.rig->mmu, &step));
    assert_false(nw_mmu_next(f.rig->mmu, &step));
    answer(&f, 3);
  }
  assert_true(nw_mmu_next(f.rig->mmu, &step));
  assert_int_equal(step.kind, NW_STEP_DONE);
  assert_false(nw_mmu_next(f.rig->mmu, &step));
  assert_int_equal(f.transaction[3].result.pa, rig_pa(f.rig, PAGE(0)));
  land(&f);
}

static void a_tag_that_is_in_flight_is_refused_and_one_that_is_done_is_free(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  struct nw_request request = {.va = PAGE(1), .privilege = NW_PRIVILEGED};
  struct nw_transaction other;
  begin(&f, 5, NW_READ, PAGE(0));
  struct nw_mmu_statistics before = *counted(&f);
  memset(&other, 0xa5, sizeof(other));
  struct nw_transaction untouched = other;
  assert_false(nw_mmu_begin(f.rig->mmu, &other, &request, 5));
  assert_memory_equal(&other, &untouched, sizeof(other));
  assert_memory_equal(counted(&f), &before, sizeof(before));
  run_out(&f);
  expect_pa(&f, 5, PAGE(0));
  begin(&f, 5, NW_READ, PAGE(1));
  run_out(&f);
  expect_pa(&f, 5, PAGE(1));
  land(&f);
}

static void an_answer_that_nobody_waits_for_is_refused(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 1);
  struct nw_answer nothing = {0};
  assert_false(nw_mmu_answer(f.rig->mmu, 0, &nothing));
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_READ, PAGE(1));
  assert_false(nw_mmu_answer(f.rig->mmu, 0, &nothing)); /* it has not asked yet */
  listen(&f);
  assert_false(nw_mmu_answer(f.rig->mmu, 1, &nothing)); /* it waits for the walker */
  assert_false(nw_mmu_answer(f.rig->mmu, 2, &nothing));
  answer(&f, 0);
  assert_false(nw_mmu_answer(f.rig->mmu, 0, &nothing)); /* it has its answer */
  run_out(&f);
  expect_pa(&f, 0, PAGE(0));
  expect_pa(&f, 1, PAGE(1));
  land(&f);
}

static void a_hit_is_done_at_once_under_any_number_of_misses(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  begin(&f, 0, NW_READ, PAGE(0));
  run_out(&f);
  for (unsigned tag = 1; tag < 5; tag++) {
    begin(&f, tag, NW_READ, PAGE(tag));
  }
  listen(&f);
  begin(&f, 5, NW_READ, PAGE(0) + 0x10);
  listen(&f);
  expect_pa(&f, 5, PAGE(0) + 0x10);
  assert_int_equal(f.transaction[5].result.source, NW_FROM_L1);
  assert_int_equal(waiting(&f), 2);
  run_out(&f);
  land(&f);
}

/* -- walkers ----------------------------------------------------------------------------------- */

static void as_many_walks_are_in_flight_as_there_are_walkers(void **state) {
  (void)state;
  for (unsigned walkers = 1; walkers <= 8; walkers++) {
    struct flight f = take_off(NW_REGIME_ARMV7_LPAE_S2, walkers);
    for (unsigned tag = 0; tag < 6; tag++) {
      begin(&f, tag, NW_READ, PAGE(tag));
    }
    listen(&f);
    assert_int_equal(waiting(&f), walkers < 6 ? walkers : 6);
    for (unsigned tag = 0; tag < waiting(&f); tag++) {
      assert_true(f.waits[tag]); /* the first come are the first served */
    }
    run_out(&f);
    for (unsigned tag = 0; tag < 6; tag++) {
      expect_pa(&f, tag, PAGE(tag));
    }
    assert_int_equal(counted(&f)->walks, 6);
    rig_expect_sums(counted(&f));
    land(&f);
  }
}

static void walks_end_in_the_order_of_their_answers(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 3);
  for (unsigned tag = 0; tag < 3; tag++) {
    begin(&f, tag, NW_READ, PAGE(tag));
  }
  listen(&f);
  for (unsigned tag = 3; tag-- > 0;) {
    while (f.waits[tag]) {
      answer(&f, tag);
      listen(&f);
    }
    assert_int_equal(f.order[2 - tag], tag);
    expect_pa(&f, tag, PAGE(tag));
  }
  land(&f);
}

/* -- sharing ----------------------------------------------------------------------------------- */

static void misses_to_one_page_share_a_walk(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT_S2, 4);
  for (unsigned tag = 0; tag < 4; tag++) {
    begin(&f, tag, tag % 2 ? NW_WRITE : NW_READ, PAGE(0) + 0x100 * tag);
  }
  listen(&f);
  assert_int_equal(waiting(&f), 1);
  run_out(&f);
  for (unsigned tag = 0; tag < 4; tag++) {
    expect_pa(&f, tag, PAGE(0) + 0x100 * tag);
    assert_int_equal(f.transaction[tag].result.source, NW_FROM_WALK);
    assert_int_equal(f.transaction[tag].result.walk_reads, tag == 0 ? 11 : 0);
    assert_int_equal(f.transaction[tag].result.cycles, f.transaction[0].result.cycles);
  }
  assert_int_equal(counted(&f)->walks, 1);
  assert_int_equal(counted(&f)->shared_walks, 3);
  assert_int_equal(counted(&f)->walk_references, 11);
  assert_int_equal(counted(&f)->l1d.misses, 4);
  rig_expect_sums(counted(&f));
  land(&f);
}

static void who_follows_a_walk_holds_no_walker(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_READ, PAGE(0));
  begin(&f, 2, NW_READ, PAGE(2));
  listen(&f);
  assert_true(f.waits[0]);
  assert_true(f.waits[2]);
  run_out(&f);
  expect_pa(&f, 1, PAGE(0));
  land(&f);
}

/* The leader reads a read-only page; the follower's write needs the walk's verdict on itself. */
static void a_follower_with_other_rights_walks_for_itself(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  rig_map(f.rig, PAGE(0), 12, MAP_USER);
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_WRITE, PAGE(0));
  begin(&f, 2, NW_READ, PAGE(0));
  begin(&f, 3, NW_EXECUTE, PAGE(0));
  run_out(&f);
  expect_pa(&f, 0, PAGE(0));
  expect_pa(&f, 2, PAGE(0));
  assert_int_equal(f.transaction[1].result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(f.transaction[1].result.fault.access, NW_WRITE);
  assert_int_equal(f.transaction[3].result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(f.transaction[3].result.fault.access, NW_EXECUTE);
  assert_int_equal(counted(&f)->walks, 3);
  rig_expect_sums(counted(&f));
  land(&f);
}

static void a_follower_of_a_walk_that_faults_walks_for_itself(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 4);
  rig_map(f.rig, PAGE(0), 12, MAP_USER);
  begin(&f, 0, NW_WRITE, PAGE(0));
  begin(&f, 1, NW_READ, PAGE(0));
  begin(&f, 2, NW_WRITE, PAGE(0) + 4);
  run_out(&f);
  assert_int_equal(f.transaction[0].result.fault.type, NW_FAULT_PERMISSION);
  expect_pa(&f, 1, PAGE(0));
  assert_int_equal(f.transaction[2].result.fault.type, NW_FAULT_PERMISSION);
  assert_int_equal(f.transaction[2].result.fault.va, PAGE(0) + 4);
  assert_int_equal(counted(&f)->l1d.misses_faulted, 2);
  rig_expect_sums(counted(&f));
  land(&f);
}

static void a_fetch_that_follows_a_load_fills_its_own_side(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 1);
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_EXECUTE, PAGE(0));
  run_out(&f);
  expect_pa(&f, 1, PAGE(0));
  assert_int_equal(counted(&f)->walks, 1);
  begin(&f, 2, NW_READ, PAGE(0));
  begin(&f, 3, NW_EXECUTE, PAGE(0));
  listen(&f);
  assert_int_equal(f.transaction[2].result.source, NW_FROM_L1);
  assert_int_equal(f.transaction[3].result.source, NW_FROM_L1);
  rig_expect_sums(counted(&f));
  land(&f);
}

/* Each pays for its own lookup; the walk takes as long for both. */
static void a_follower_pays_its_own_lookup_and_the_leaders_walk(void **state) {
  (void)state;
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  config.l1d = rig_cam(8);
  config.l1d.latency = 3;
  config.l1i = rig_cam(8);
  config.l1i.latency = 50;
  struct flight f = {.rig = rig_new(&config)};
  rig_map(f.rig, PAGE(0), 12, MAP_ALL);
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_EXECUTE, PAGE(0));
  run_out(&f);
  assert_int_equal(f.transaction[0].result.cycles, 3 + 2 * RIG_READ_CYCLES);
  assert_int_equal(f.transaction[1].result.cycles, 50 + 2 * RIG_READ_CYCLES);
  land(&f);
}

static void a_miss_after_maintenance_does_not_share_a_walk_from_before(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  begin(&f, 0, NW_READ, PAGE(0));
  listen(&f);
  answer(&f, 0);
  listen(&f);
  answer(&f, 0); /* the old leaf has been read */
  tables_put(f.rig->tables, tables_descriptor_pa(f.rig->tables, 1, PAGE(0), 2), 4, 0x0badb012);
  nw_mmu_invalidate(f.rig->mmu, NW_TLBI_MVA, PAGE(0));
  begin(&f, 1, NW_READ, PAGE(0));
  run_out(&f);
  expect_pa(&f, 0, PAGE(0));
  assert_int_equal(f.transaction[1].result.pa, 0x0badb000);
  begin(&f, 2, NW_READ, PAGE(0)); /* and it is the new one that is kept */
  listen(&f);
  assert_true(f.done[2]);
  assert_int_equal(f.transaction[2].result.pa, 0x0badb000);
  land(&f);
}

static void a_miss_after_a_register_write_does_not_share_a_walk_from_before(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 2);
  begin(&f, 0, NW_READ, PAGE(0));
  nw_mmu_write_register(f.rig->mmu, NW_REG_TTBR0, 0x00700000); /* nothing is mapped there */
  nw_mmu_write_register(f.rig->mmu, NW_REG_CONTEXTIDR, 9);
  begin(&f, 1, NW_READ, PAGE(0));
  run_out(&f);
  expect_pa(&f, 0, PAGE(0));
  assert_int_equal(f.transaction[1].result.fault.type, NW_FAULT_TRANSLATION);
  land(&f);
}

/* -- maintenance and registers ----------------------------------------------------------------- */

static void maintenance_in_flight_lets_every_walk_answer_and_none_install(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT_S2, 2);
  for (unsigned tag = 0; tag < 6; tag++) { /* two walk, two follow, two wait */
    begin(&f, tag, tag == 2 ? NW_EXECUTE : NW_READ, PAGE(tag / 2 * 2));
  }
  listen(&f);
  nw_mmu_invalidate(f.rig->mmu, NW_TLBI_ASID, 0x77);
  run_out(&f);
  for (unsigned tag = 0; tag < 6; tag++) {
    expect_pa(&f, tag, PAGE(tag / 2 * 2));
    assert_false(rig_holds(f.rig, NW_READ, PAGE(tag)));
    assert_false(rig_holds(f.rig, NW_EXECUTE, PAGE(tag)));
  }
  assert_int_equal(counted(&f)->walk_cache_hits, 0);
  assert_int_equal(counted(&f)->ipa_cache_hits, 0);
  land(&f);
}

static void a_waiting_request_uses_the_registers_of_its_beginning(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 1);
  begin(&f, 0, NW_READ, PAGE(0));
  begin(&f, 1, NW_READ, PAGE(1)); /* waits for the walker */
  begin(&f, 2, NW_READ, PAGE(0)); /* waits for the walk */
  nw_mmu_write_register(f.rig->mmu, NW_REG_TTBR0, 0x00700000);
  nw_mmu_write_register(f.rig->mmu, NW_REG_DACR, 0);
  run_out(&f);
  for (unsigned tag = 0; tag < 3; tag++) {
    expect_pa(&f, tag, PAGE(tag % 2));
  }
  land(&f);
}

/* -- debug ------------------------------------------------------------------------------------- */

static void a_debug_request_takes_no_walker_and_shares_no_walk(void **state) {
  (void)state;
  struct flight f = take_off(NW_REGIME_ARMV7_SHORT, 1);
  struct nw_request debug = {.va = PAGE(0), .privilege = NW_PRIVILEGED, .debug = true};
  assert_true(nw_mmu_begin(f.rig->mmu, &f.transaction[0], &debug, 0));
  begin(&f, 1, NW_READ, PAGE(0));
  debug.va = PAGE(1);
  assert_true(nw_mmu_begin(f.rig->mmu, &f.transaction[2], &debug, 2));
  begin(&f, 3, NW_READ, PAGE(0));
  listen(&f);
  assert_true(f.waits[0]);
  assert_true(f.waits[1]);
  assert_true(f.waits[2]);
  assert_false(f.waits[3]);
  struct nw_mmu_statistics before = *counted(&f);
  while (f.waits[0] || f.waits[2]) {
    answer(&f, f.waits[0] ? 0 : 2);
    listen(&f);
  }
  expect_pa(&f, 0, PAGE(0));
  expect_pa(&f, 2, PAGE(1));
  assert_memory_equal(counted(&f), &before, sizeof(before));
  run_out(&f);
  assert_int_equal(counted(&f)->walks, 1);
  assert_int_equal(counted(&f)->shared_walks, 1);
  assert_false(rig_holds(f.rig, NW_READ, PAGE(1)));
  land(&f);
}

/* -- both forms -------------------------------------------------------------------------------- */

static void clear(struct rig *rig, unsigned stage, uint64_t address, unsigned level,
                  uint64_t flags) {
  uint64_t at = tables_descriptor_pa(rig->tables, stage, address, level);

  tables_put(rig->tables, at, 8, tables_get(rig->tables, at, 8) & ~flags);
}

/* x86: a guest clears the flags of a page and of a table above it, a hypervisor those of its own
 * entry for the page. */
static void clear_flags(struct rig *rig, uint64_t operand) {
  const struct nw_regime *regime = &rig->tables->regime;
  uint64_t va = PAGE(operand % 16);

  if (regime->architecture != NW_X86_64) {
    return;
  }
  clear(rig, 1, va, 1, operand >> 8 & 0x60);
  clear(rig, 1, va, 2 + (unsigned)(operand % 3), 0x20);
  if (regime->s2_enabled) {
    bool ept = regime->kind == NW_REGIME_X86_EPT;
    clear(rig, 2, RIG_IPA + va, 1, operand >> 16 & (ept ? 0x300 : 0x60));
  }
}

/* A change of registers, maintenance, cleared flags or nothing, the same for both MMUs. */
static void disturb(struct rig *rig, unsigned kind, uint64_t operand) {
  if (kind == 0) {
    nw_mmu_invalidate(rig->mmu, (enum nw_tlbi)(operand % NW_TLBIS), operand >> 8);
  } else if (kind == 1) {
    rig_asid(rig, (unsigned)operand % 3);
  } else if (kind == 2) {
    clear_flags(rig, operand);
  }
}

/* What a walk of its own would say; it leaves the flags for the MMU to set. */
static struct nw_result expected_of(struct rig *rig, struct nw_request request) {
  request.debug = true;
  return rig_plain_walk(rig, &request);
}

/* EPT sets flags, too. */
static struct flight take_off_with_flags(enum nw_regime_kind kind, unsigned walkers) {
  struct flight f = take_off(kind, walkers);

  if (kind == NW_REGIME_X86_EPT) {
    rig_register(f.rig, NW_X86_NESTED_ROOT, TABLES_S2_PA | X86_EPTP_WALK_4 | X86_EPTP_AD);
  }
  return f;
}

static void random_request(uint64_t *chance, struct nw_request *request) {
  *request = (struct nw_request){
      .va = PAGE(rig_below(chance, 24)) + rig_below(chance, 0x1000), /* some are not mapped */
      .access = (uint8_t)rig_below(chance, 3),
      .privilege = (uint8_t)rig_below(chance, 2),
      .debug = rig_below(chance, 16) == 0,
  };
}

static void translate_equals_begin_next_answer_with_delayed_answers(void **state) {
  (void)state;
  uint64_t chance = rig_seed("both forms", 0x5eed0001);
  for (unsigned kind = 0; kind < NW_REGIMES; kind++) {
    struct flight f = take_off_with_flags((enum nw_regime_kind)kind, 1);
    struct flight g = take_off_with_flags((enum nw_regime_kind)kind, 1);
    for (unsigned i = 0; i < 3000; i++) {
      struct nw_request request;
      struct nw_result expected;
      struct nw_step step;
      random_request(&chance, &request);
      unsigned disturbance = rig_below(&chance, 20);
      uint64_t operand = tables_random(&chance);
      disturb(f.rig, disturbance, operand);
      disturb(g.rig, disturbance, operand);
      nw_mmu_translate(f.rig->mmu, &request, &f.rig->memory, &expected);

      assert_true(nw_mmu_begin(g.rig->mmu, &g.transaction[0], &request, 0));
      g.done[0] = false;
      listen(&g);
      while (g.waits[0]) {
        for (unsigned delay = rig_below(&chance, 3); delay > 0; delay--) {
          assert_false(nw_mmu_next(g.rig->mmu, &step));
        }
        answer(&g, 0);
        listen(&g);
      }
      assert_true(rig_same_result(&expected, &g.transaction[0].result));
    }
    assert_memory_equal(counted(&f), counted(&g), sizeof(struct nw_mmu_statistics));
    assert_true(!has_flags(&f) == (counted(&f)->updates == 0));
    rig_expect_sums(counted(&g));
    land(&f);
    land(&g);
  }
}

/* Many at once, answered in any order: every outcome is that of a walk of its own. */
static void requests_in_flight_end_as_walks_of_their_own_would(void **state) {
  (void)state;
  uint64_t chance = rig_seed("many in flight", 0x5eed0002);
  for (unsigned round = 0; round < 60; round++) {
    struct flight f = take_off_with_flags((enum nw_regime_kind)(round % NW_REGIMES), 1 + round % 5);
    struct nw_result expected[MOST];
    bool used[MOST] = {false};
    for (unsigned i = 0; i < 400; i++) {
      unsigned tag = rig_below(&chance, MOST);
      if (rig_below(&chance, 2) == 0 && !used[tag]) {
        struct nw_request request;
        random_request(&chance, &request);
        expected[tag] = expected_of(f.rig, request);
        assert_true(nw_mmu_begin(f.rig->mmu, &f.transaction[tag], &request, tag));
        f.done[tag] = false;
        used[tag] = true;
      } else if (f.waits[tag]) {
        answer(&f, tag);
      } else {
        disturb(f.rig, rig_below(&chance, 40), tables_random(&chance));
      }
      if (rig_below(&chance, 2) == 0) {
        listen(&f);
      }
      for (unsigned t = 0; t < MOST; t++) {
        if (used[t] && f.done[t]) {
          assert_true(rig_same_outcome(&expected[t], &f.transaction[t].result));
          used[t] = false;
        }
      }
    }
    run_out(&f);
    for (unsigned t = 0; t < MOST; t++) {
      assert_true(!used[t] || rig_same_outcome(&expected[t], &f.transaction[t].result));
    }
    rig_expect_sums(counted(&f));
    land(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_is_given_once_and_nothing_more_until_its_answer),
      cmocka_unit_test(a_tag_that_is_in_flight_is_refused_and_one_that_is_done_is_free),
      cmocka_unit_test(an_answer_that_nobody_waits_for_is_refused),
      cmocka_unit_test(a_hit_is_done_at_once_under_any_number_of_misses),
      cmocka_unit_test(as_many_walks_are_in_flight_as_there_are_walkers),
      cmocka_unit_test(walks_end_in_the_order_of_their_answers),
      cmocka_unit_test(misses_to_one_page_share_a_walk),
      cmocka_unit_test(who_follows_a_walk_holds_no_walker),
      cmocka_unit_test(a_follower_with_other_rights_walks_for_itself),
      cmocka_unit_test(a_follower_of_a_walk_that_faults_walks_for_itself),
      cmocka_unit_test(a_fetch_that_follows_a_load_fills_its_own_side),
      cmocka_unit_test(a_follower_pays_its_own_lookup_and_the_leaders_walk),
      cmocka_unit_test(a_miss_after_maintenance_does_not_share_a_walk_from_before),
      cmocka_unit_test(a_miss_after_a_register_write_does_not_share_a_walk_from_before),
      cmocka_unit_test(maintenance_in_flight_lets_every_walk_answer_and_none_install),
      cmocka_unit_test(a_waiting_request_uses_the_registers_of_its_beginning),
      cmocka_unit_test(a_debug_request_takes_no_walker_and_shares_no_walk),
      cmocka_unit_test(translate_equals_begin_next_answer_with_delayed_answers),
      cmocka_unit_test(requests_in_flight_end_as_walks_of_their_own_would),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
