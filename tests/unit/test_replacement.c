/* SPDX-License-Identifier: Apache-2.0 */
/* Replacement policies, each against the plainest statement of what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/memory_hierarchy.h>

#include "core/replacement.h"
#include "support/random.h"

#define WAYS 300

/* The ways of a set, the one to be replaced first: a touch moves a way to the end. */
struct queue {
  unsigned length;
  uint32_t way[WAYS];
};

static void queue_up(struct queue *queue, uint32_t way) {
  unsigned place = 0;
  while (queue->way[place] != way)
    place++;
  for (; place + 1 < queue->length; place++)
    queue->way[place] = queue->way[place + 1];
  queue->way[queue->length - 1] = way;
}

static void fill_all(struct nwi_replacement *state, struct queue *queue, uint32_t sets,
                     uint32_t ways) {
  for (uint32_t set = 0; set < sets; set++) {
    queue[set].length = ways;
    for (uint32_t way = 0; way < ways; way++) {
      queue[set].way[way] = way;
      nwi_replacement_filled(state, set, set * ways + way);
    }
  }
}

static void run_order(unsigned policy, uint32_t ways, uint32_t steps, struct random *random) {
  enum { SETS = 4 };
  struct nwi_replacement state;
  struct queue queue[SETS];
  assert_true(nwi_replacement_init(&state, policy, SETS, ways, 1));
  fill_all(&state, queue, SETS, ways);
  for (uint32_t step = 0; step < steps; step++) {
    uint32_t set = random_below(random, SETS);
    if (random_chance(random, 70)) {
      uint32_t way = random_below(random, ways);
      nwi_replacement_hit(&state, set, set * ways + way);
      if (policy == NW_POLICY_LRU)
        queue_up(&queue[set], way);
    } else {
      uint32_t slot = nwi_replacement_victim(&state, set);
      assert_int_equal(slot, set * ways + queue[set].way[0]);
      nwi_replacement_filled(&state, set, slot);
      queue_up(&queue[set], slot - set * ways);
    }
  }
  nwi_replacement_free(&state);
}

static void lru_replaces_what_was_used_longest_ago(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  for (uint32_t ways = 1; ways <= 80; ways++)
    run_order(NW_POLICY_LRU, ways, 400, &random);
  run_order(NW_POLICY_LRU, WAYS, 2000, &random);
}

static void fifo_replaces_what_was_filled_longest_ago(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  for (uint32_t ways = 1; ways <= 80; ways++)
    run_order(NW_POLICY_FIFO, ways, 400, &random);
  run_order(NW_POLICY_FIFO, WAYS, 2000, &random);
}

/* A subtree of ways knows in which half its victim is; a use of a way points it to the other. */
struct subtree {
  bool victim_in_upper;
};

static void use(struct subtree subtree[], uint32_t node, uint32_t ways, uint32_t way) {
  if (ways == 1)
    return;
  bool upper = way >= ways / 2;
  subtree[node].victim_in_upper = !upper;
  use(subtree, 2 * node + 1 + upper, ways / 2, upper ? way - ways / 2 : way);
}

static uint32_t choose(const struct subtree subtree[], uint32_t node, uint32_t ways) {
  if (ways == 1)
    return 0;
  bool upper = subtree[node].victim_in_upper;
  return (upper ? ways / 2 : 0) + choose(subtree, 2 * node + 1 + upper, ways / 2);
}

static void tree_plru_is_the_textbook_tree(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  for (uint32_t ways = 1; ways <= 256; ways *= 2) {
    enum { SETS = 2 };
    struct nwi_replacement replacement;
    struct subtree subtree[SETS][512] = {{{false}}};
    assert_true(nwi_replacement_init(&replacement, NW_POLICY_TREE_PLRU, SETS, ways, 1));
    for (uint32_t step = 0; step < 3000; step++) {
      uint32_t set = random_below(&random, SETS);
      uint32_t slot = set * ways + random_below(&random, ways);
      if (random_chance(&random, 40)) {
        slot = nwi_replacement_victim(&replacement, set);
        assert_int_equal(slot, set * ways + choose(subtree[set], 0, ways));
        nwi_replacement_filled(&replacement, set, slot);
      } else {
        nwi_replacement_hit(&replacement, set, slot);
      }
      use(subtree[set], 0, ways, slot - set * ways);
    }
    nwi_replacement_free(&replacement);
  }
}

/* Worked by hand for four ways: root, lower pair, upper pair. */
static void tree_plru_of_four_ways_by_hand(void **state) {
  (void)state;
  struct nwi_replacement tree;
  assert_true(nwi_replacement_init(&tree, NW_POLICY_TREE_PLRU, 1, 4, 1));
  static const uint32_t uses[] = {0, 1, 2, 3, 0, 2, 1, 1, 3};
  static const uint32_t victims[] = {2, 2, 0, 0, 2, 1, 3, 3, 0};
  for (unsigned i = 0; i < sizeof uses / sizeof uses[0]; i++) {
    nwi_replacement_hit(&tree, 0, uses[i]);
    assert_int_equal(nwi_replacement_victim(&tree, 0), victims[i]);
  }
  nwi_replacement_free(&tree);
}

static void random_choices_repeat_with_the_seed_and_reach_every_way_evenly(void **state) {
  (void)state;
  static const uint32_t ways[] = {2, 3, 12, 24, 64};
  for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    struct nwi_replacement one, two;
    uint32_t chosen[64] = {0};
    assert_true(nwi_replacement_init(&one, NW_POLICY_RANDOM, 2, ways[i], 42));
    assert_true(nwi_replacement_init(&two, NW_POLICY_RANDOM, 2, ways[i], 42));
    for (uint32_t n = 0; n < 1000 * ways[i]; n++) {
      uint32_t slot = nwi_replacement_victim(&one, 1);
      assert_int_equal(slot, nwi_replacement_victim(&two, 1));
      assert_in_range(slot, ways[i], 2 * ways[i] - 1);
      chosen[slot - ways[i]]++;
      nwi_replacement_hit(&one, 1, slot); /* uses draw no numbers */
    }
    for (uint32_t way = 0; way < ways[i]; way++)
      assert_in_range(chosen[way], 850, 1150); /* about 5 standard deviations */
    nwi_replacement_free(&one);
    nwi_replacement_free(&two);
  }
}

static void a_single_way_is_always_the_victim(void **state) {
  (void)state;
  for (unsigned policy = NW_POLICY_LRU; policy <= NW_POLICY_RANDOM; policy++) {
    struct nwi_replacement one;
    assert_true(nwi_replacement_init(&one, policy, 8, 1, 1));
    nwi_replacement_hit(&one, 5, 5);
    nwi_replacement_filled(&one, 6, 6);
    assert_int_equal(nwi_replacement_victim(&one, 5), 5);
    nwi_replacement_free(&one);
  }
}

/* nwi_replacement_hit_is_simple() either does what a hit does, or says that it is still to be done. */
static void a_simple_hit_is_a_hit(void **state) {
  (void)state;
  static const uint32_t ways[] = {1, 2, 4, 64, 128};
  struct random random = random_from_seed(__func__);
  for (unsigned policy = NW_POLICY_LRU; policy <= NW_POLICY_TREE_PLRU; policy++)
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
      struct nwi_replacement plain, simple;
      assert_true(nwi_replacement_init(&plain, policy, 2, ways[i], 1));
      assert_true(nwi_replacement_init(&simple, policy, 2, ways[i], 1));
      for (unsigned step = 0; step < 4 * ways[i]; step++) {
        uint32_t slot = step < 2 * ways[i] ? step : random_below(&random, 2 * ways[i]);
        uint32_t set = slot / ways[i];
        if (step < 2 * ways[i]) {
          nwi_replacement_filled(&plain, set, slot);
          nwi_replacement_filled(&simple, set, slot);
          continue;
        }
        nwi_replacement_hit(&plain, set, slot);
        if (!nwi_replacement_hit_is_simple(&simple, slot))
          nwi_replacement_hit(&simple, set, slot);
        assert_int_equal(nwi_replacement_victim(&simple, set), nwi_replacement_victim(&plain, set));
      }
      nwi_replacement_free(&plain);
      nwi_replacement_free(&simple);
    }
}

static void a_sentence_without_a_place_for_it_is_left_unsaid(void **state) {
  (void)state;
  char nothing = 'x';
  assert_false(nwi_sentence(NULL, 10, "%s", "text"));
  assert_false(nwi_sentence(&nothing, 0, "%s", "text"));
  assert_int_equal(nothing, 'x');
}

static void the_lowest_bit_is_found_wherever_it_is(void **state) {
  (void)state;
  for (unsigned bit = 0; bit < 64; bit++)
    assert_int_equal(nwi_lowest_bit(~(uint64_t)0 << bit), bit);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lru_replaces_what_was_used_longest_ago),
      cmocka_unit_test(fifo_replaces_what_was_filled_longest_ago),
      cmocka_unit_test(tree_plru_is_the_textbook_tree),
      cmocka_unit_test(tree_plru_of_four_ways_by_hand),
      cmocka_unit_test(random_choices_repeat_with_the_seed_and_reach_every_way_evenly),
      cmocka_unit_test(a_single_way_is_always_the_victim),
      cmocka_unit_test(a_simple_hit_is_a_hit),
      cmocka_unit_test(a_sentence_without_a_place_for_it_is_left_unsaid),
      cmocka_unit_test(the_lowest_bit_is_found_wherever_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
