/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies, fed with made-up intervals. The second half runs them against a made-up virtual machine
 * whose true costs are known here, and not to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "system/policy.h"

/* -- thresholds ----------------------------------------------------------------------------- */

#define HIGH 9.0
#define LOW 2.0
#define COUNTER 4
#define HOLD_OFF 2

static struct nw_threshold thresholds(void) {
  static const struct nw_threshold_config config = {
      .high = HIGH, .low = LOW, .counter = COUNTER, .hold_off = HOLD_OFF};
  struct nw_threshold policy;
  nw_threshold_start(&policy, &config);
  return policy;
}

/* An interval of 100000 cycles with that overhead, half of it walks and half exits. */
static struct nw_policy_sample with_overhead(double percent, uint64_t instructions) {
  uint64_t half = (uint64_t)(percent * 500);
  return (struct nw_policy_sample){
      .cycles = 100000, .instructions = instructions, .walk_cycles = half, .exit_cycles = half};
}

/* Intervals until the policy switches; 0 when it does not within `most`. */
static unsigned until_switch(struct nw_threshold *policy, enum nw_paging now, double percent,
                             unsigned most) {
  struct nw_policy_sample sample = with_overhead(percent, 50000);
  for (unsigned i = 1; i <= most; i++)
    if (nw_threshold_judge(policy, now, &sample))
      return i;
  return 0;
}

static void saturation_and_nothing_less_switches(void **state) {
  (void)state;
  struct nw_threshold policy = thresholds();
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 10, 10), COUNTER);
  policy = thresholds();
  assert_int_equal(until_switch(&policy, NW_PAGING_NESTED, 10, 10), COUNTER);
  policy = thresholds();
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 10, 3), 0);
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 5, 100), 0); /* counts neither way */
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 1, 2), 0);   /* two steps back */
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 10, 10), 3);
}

static void overhead_is_walks_and_exits_together(void **state) {
  (void)state;
  static const struct nw_policy_sample samples[] = {
      {.cycles = 1000, .instructions = 500, .walk_cycles = 91},
      {.cycles = 1000, .instructions = 500, .exit_cycles = 91},
      {.cycles = 1000, .instructions = 500, .walk_cycles = 46, .exit_cycles = 45},
      {.cycles = 1000, .instructions = 500, .walk_cycles = 45, .exit_cycles = 45},
  };
  for (unsigned i = 0; i < 4; i++) {
    struct nw_threshold policy = thresholds();
    bool switched = false;
    for (unsigned j = 0; j < COUNTER; j++)
      switched = nw_threshold_judge(&policy, NW_PAGING_NESTED, &samples[i]);
    assert_int_equal(switched, i < 3);
  }
}

static void the_way_back_is_twice_as_far_as_the_way_there(void **state) {
  (void)state;
  struct nw_threshold policy = thresholds();
  assert_int_equal(until_switch(&policy, NW_PAGING_SHADOW, 10, 10), COUNTER);
  assert_int_equal(until_switch(&policy, NW_PAGING_NESTED, 20, 50), HOLD_OFF + 2 * COUNTER);
}

static void a_quiet_machine_forgets_how_near_it_was(void **state) {
  (void)state;
  struct nw_threshold policy = thresholds();
  assert_int_equal(until_switch(&policy, NW_PAGING_NESTED, 10, 3), 0);
  assert_int_equal(until_switch(&policy, NW_PAGING_NESTED, 1, 100), 0);
  assert_int_equal(policy.level, COUNTER);
  assert_int_equal(until_switch(&policy, NW_PAGING_NESTED, 10, 100), 2 * COUNTER);
}

/* Switches from shadow to nested, then lets the hold-off pass at `after` instructions. */
static struct nw_threshold switched_with_rates(uint64_t before, uint64_t after) {
  struct nw_threshold policy = thresholds();
  struct nw_policy_sample sample = with_overhead(10, before);
  while (!nw_threshold_judge(&policy, NW_PAGING_SHADOW, &sample))
    ;
  sample = with_overhead(50, after);
  for (unsigned i = 0; i < HOLD_OFF; i++)
    assert_false(nw_threshold_judge(&policy, NW_PAGING_NESTED, &sample));
  return policy;
}

static void near(double seen, double expected) {
  if (seen < expected - 1e-9 || seen > expected + 1e-9)
    fail_msg("%f, expected %f", seen, expected);
}

static void a_switch_that_made_it_worse_raises_its_own_threshold(void **state) {
  (void)state;
  struct nw_threshold policy = switched_with_rates(50000, 40000);
  near(policy.high[NW_PAGING_SHADOW], HIGH + 2.0 * 50000 / 40000);
  near(policy.high[NW_PAGING_NESTED], HIGH);
}

static void a_switch_that_made_it_better_lowers_it_down_to_the_floor(void **state) {
  (void)state;
  struct nw_threshold policy = switched_with_rates(40000, 50000);
  near(policy.high[NW_PAGING_SHADOW], HIGH - 2.0 * 50000 / 40000);
  policy = switched_with_rates(10000, 60000);
  near(policy.high[NW_PAGING_SHADOW], LOW);
}

static void a_switch_that_changed_little_changes_no_threshold(void **state) {
  (void)state;
  static const uint64_t after[] = {45001, 50000, 54999};
  for (unsigned i = 0; i < 3; i++) {
    struct nw_threshold policy = switched_with_rates(50000, after[i]);
    near(policy.high[NW_PAGING_SHADOW], HIGH);
    near(policy.high[NW_PAGING_NESTED], HIGH);
  }
}

static void intervals_of_nothing_say_nothing(void **state) {
  (void)state;
  struct nw_threshold policy = thresholds();
  struct nw_policy_sample nothing = {0};
  for (unsigned i = 0; i < 100; i++)
    assert_false(nw_threshold_judge(&policy, NW_PAGING_SHADOW, &nothing));
  struct nw_break_even other;
  nw_break_even_start(&other, &(struct nw_break_even_config){5000, 50000});
  for (unsigned i = 0; i < 100; i++) {
    assert_false(nw_break_even_judge(&other, NW_PAGING_SHADOW, &nothing));
    assert_false(nw_break_even_judge(&other, NW_PAGING_NESTED, &nothing));
  }
}

/* -- a virtual machine ----------------------------------------------------------------------- */

/* What the program does in one interval: misses, and events that cost exits under shadow paging. */
struct phase {
  uint64_t walks, events, event_cost;
};

#define NESTED_WALK 250
#define SHADOW_WALK 100
#define SWITCH 100000 /* cycles of a switch to shadow */
#define RETURN 5000   /* and back */
#define INSTRUCTIONS 200000

static const struct phase missing = {.walks = 1500, .events = 2, .event_cost = 6000};
static const struct phase churning = {.walks = 100, .events = 60, .event_cost = 9000};
static const struct phase computing = {.walks = 10, .events = 0, .event_cost = 0};

static uint64_t cost(const struct phase *phase, enum nw_paging paging) {
  return paging == NW_PAGING_NESTED
             ? phase->walks * NESTED_WALK
             : phase->walks * SHADOW_WALK + phase->events * phase->event_cost;
}

static struct nw_policy_sample sample_of(const struct phase *phase, enum nw_paging paging) {
  bool nested = paging == NW_PAGING_NESTED;
  uint64_t exits = nested ? 0 : phase->events * phase->event_cost;
  return (struct nw_policy_sample){
      .cycles = INSTRUCTIONS + cost(phase, paging),
      .instructions = INSTRUCTIONS,
      .walks = phase->walks,
      .walk_cycles = phase->walks * (nested ? NESTED_WALK : SHADOW_WALK),
      .stage1_reads = phase->walks * 2,
      .stage2_reads = nested ? phase->walks * 3 : 0,
      .events = phase->events,
      .exit_cycles = exits,
      .shadow_cycles = exits,
  };
}

struct outcome {
  uint64_t chosen, nested, shadow; /* cycles on top of the instructions' own */
  unsigned switches;
};

static struct outcome run(const struct phase *const *phases, unsigned count, unsigned length,
                          unsigned intervals) {
  static const struct nw_break_even_config config = {.event_price = 5000, .switch_price = 50000};
  struct nw_break_even policy;
  struct outcome outcome = {0};
  enum nw_paging now = NW_PAGING_NESTED;
  nw_break_even_start(&policy, &config);
  for (unsigned i = 0; i < intervals; i++) {
    const struct phase *phase = phases[i / length % count];
    struct nw_policy_sample sample = sample_of(phase, now);
    outcome.chosen += cost(phase, now);
    outcome.nested += cost(phase, NW_PAGING_NESTED);
    outcome.shadow += cost(phase, NW_PAGING_SHADOW);
    if (!nw_break_even_judge(&policy, now, &sample))
      continue;
    now = now == NW_PAGING_NESTED ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
    uint64_t cycles = now == NW_PAGING_SHADOW ? SWITCH : RETURN;
    nw_break_even_switched(&policy, now, cycles);
    outcome.chosen += cycles;
    outcome.switches++;
  }
  return outcome;
}

static void break_even_goes_where_it_is_cheaper_and_stays(void **state) {
  (void)state;
  const struct phase *misses[] = {&missing}, *churns[] = {&churning}, *computes[] = {&computing};
  struct outcome outcome = run(misses, 1, 1, 400);
  assert_int_equal(outcome.switches, 1);
  assert_true(outcome.chosen < outcome.shadow + outcome.shadow / 50);
  outcome = run(churns, 1, 1, 400);
  assert_int_equal(outcome.switches, 0);
  outcome = run(computes, 1, 1, 400);
  assert_true(outcome.chosen <= outcome.nested);
}

static void break_even_beats_both_when_phases_are_long(void **state) {
  (void)state;
  const struct phase *phases[] = {&missing, &churning};
  struct outcome outcome = run(phases, 2, 50, 800);
  assert_true(outcome.chosen < outcome.nested * 9 / 10);
  assert_true(outcome.chosen < outcome.shadow * 9 / 10);
  assert_in_range(outcome.switches, 15, 17); /* one for each change of phase */
}

/* Phases shorter than a switch takes to pay: whoever follows them loses. */
static void break_even_is_not_led_astray_by_short_phases(void **state) {
  (void)state;
  const struct phase *phases[] = {&missing, &churning};
  struct outcome outcome = run(phases, 2, 1, 800);
  uint64_t best = outcome.nested < outcome.shadow ? outcome.nested : outcome.shadow;
  assert_true(outcome.chosen < best + best / 50);
}

/* Every event costs ten times what the price list says: no stay in shadow paging ever pays. */
static void trials_that_never_pay_become_rare(void **state) {
  (void)state;
  static const struct phase trap = {.walks = 1500, .events = 20, .event_cost = 50000};
  const struct phase *phases[] = {&trap};
  struct outcome outcome = run(phases, 1, 1, 4000);
  assert_in_range(outcome.switches, 2, 24);
  assert_true(outcome.chosen < outcome.nested + outcome.nested / 50);
}

/* The price list exaggerates: what the first stay shows is believed. */
static void the_price_of_an_event_is_learned(void **state) {
  (void)state;
  struct nw_break_even policy;
  nw_break_even_start(&policy, &(struct nw_break_even_config){5000, 50000});
  struct nw_policy_sample sample = sample_of(&churning, NW_PAGING_SHADOW);
  for (unsigned i = 0; i < 20; i++)
    nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample);
  assert_in_range(policy.event_cost, 8900, 9000);
  sample = sample_of(&computing, NW_PAGING_NESTED);
  for (unsigned i = 0; i < 1000; i++)
    nw_break_even_judge(&policy, NW_PAGING_NESTED, &sample);
  assert_in_range(policy.event_cost, 5000, 5010);
}

static void what_a_walk_costs_is_learned_at_a_switch(void **state) {
  (void)state;
  struct nw_break_even policy;
  nw_break_even_start(&policy, &(struct nw_break_even_config){5000, 50000});
  struct nw_policy_sample sample = sample_of(&missing, NW_PAGING_NESTED);
  while (!nw_break_even_judge(&policy, NW_PAGING_NESTED, &sample))
    ;
  nw_break_even_switched(&policy, NW_PAGING_SHADOW, SWITCH);
  sample = sample_of(&missing, NW_PAGING_SHADOW);
  nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample);
  near(policy.ratio, (double)SHADOW_WALK / NESTED_WALK);
  near(policy.switch_cost, 50000 + SWITCH);
}

/* A long quiet phase before the one that asks for the switch. */
static void what_a_walk_cost_is_that_of_the_last_interval(void **state) {
  (void)state;
  struct nw_break_even policy;
  nw_break_even_start(&policy, &(struct nw_break_even_config){5000, 50000});
  struct nw_policy_sample quiet = sample_of(&computing, NW_PAGING_NESTED);
  quiet.instructions *= 100;
  nw_break_even_judge(&policy, NW_PAGING_NESTED, &quiet);
  struct nw_policy_sample sample = sample_of(&missing, NW_PAGING_NESTED);
  while (!nw_break_even_judge(&policy, NW_PAGING_NESTED, &sample))
    ;
  nw_break_even_switched(&policy, NW_PAGING_SHADOW, SWITCH);
  sample = sample_of(&missing, NW_PAGING_SHADOW);
  nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample);
  near(policy.ratio, (double)SHADOW_WALK / NESTED_WALK);
}

/* Walks are dearer under shadow paging, so it was learned; no switch would ever show that they no
 * longer are. */
static void a_ratio_that_allows_no_switch_wears_off(void **state) {
  (void)state;
  struct nw_break_even policy;
  nw_break_even_start(&policy, &(struct nw_break_even_config){5000, 50000});
  policy.ratio = 1.5;
  struct nw_policy_sample sample = sample_of(&missing, NW_PAGING_NESTED);
  unsigned intervals = 1;
  while (!nw_break_even_judge(&policy, NW_PAGING_NESTED, &sample))
    intervals++;
  assert_in_range(intervals, 20, 200);
}

static void patience_is_what_the_account_still_lacks(void **state) {
  (void)state;
  struct nw_break_even policy;
  nw_break_even_start(&policy, &(struct nw_break_even_config){5000, 50000});
  assert_int_equal(nw_break_even_patience(&policy, NW_PAGING_SHADOW), 100000);
  assert_int_equal(nw_break_even_patience(&policy, NW_PAGING_NESTED), 50000);
  struct nw_policy_sample sample = {.cycles = 30000, .instructions = 1, .shadow_cycles = 40000};
  assert_false(nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample));
  assert_int_equal(nw_break_even_patience(&policy, NW_PAGING_SHADOW), 60000);
  assert_false(nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample));
  assert_int_equal(nw_break_even_patience(&policy, NW_PAGING_SHADOW), 25000); /* not less */
  assert_true(nw_break_even_judge(&policy, NW_PAGING_SHADOW, &sample));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(saturation_and_nothing_less_switches),
      cmocka_unit_test(overhead_is_walks_and_exits_together),
      cmocka_unit_test(the_way_back_is_twice_as_far_as_the_way_there),
      cmocka_unit_test(a_quiet_machine_forgets_how_near_it_was),
      cmocka_unit_test(a_switch_that_made_it_worse_raises_its_own_threshold),
      cmocka_unit_test(a_switch_that_made_it_better_lowers_it_down_to_the_floor),
      cmocka_unit_test(a_switch_that_changed_little_changes_no_threshold),
      cmocka_unit_test(intervals_of_nothing_say_nothing),
      cmocka_unit_test(break_even_goes_where_it_is_cheaper_and_stays),
      cmocka_unit_test(break_even_beats_both_when_phases_are_long),
      cmocka_unit_test(break_even_is_not_led_astray_by_short_phases),
      cmocka_unit_test(trials_that_never_pay_become_rare),
      cmocka_unit_test(the_price_of_an_event_is_learned),
      cmocka_unit_test(what_a_walk_costs_is_learned_at_a_switch),
      cmocka_unit_test(what_a_walk_cost_is_that_of_the_last_interval),
      cmocka_unit_test(a_ratio_that_allows_no_switch_wears_off),
      cmocka_unit_test(patience_is_what_the_account_still_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
