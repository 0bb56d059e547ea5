/* SPDX-License-Identifier: Apache-2.0 */
/* Walks that overlap with the core's work: sequences worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/machines.h"
#include "system/overlap.h"

#define VA UINT64_C(0x00400000)
#define RW (NW_PROT_READ | NW_PROT_WRITE)

/* One cycle an instruction, so that cycles without stalls are instructions. */
static struct nw_overlap core(uint32_t window, uint32_t walkers) {
  return (struct nw_overlap){.window = window, .walkers = walkers, .cpi = 1.0};
}

static void a_walk_within_the_window_costs_nothing(void **state) {
  (void)state;
  struct nw_overlap o = core(50, 1);
  assert_int_equal(nw_overlap_walk(&o, 100, 100, 40), 0); /* until 140 */
  assert_int_equal(nw_overlap_advance(&o, 139, 139), 0);
  assert_int_equal(nw_overlap_advance(&o, 200, 200), 0); /* past both ends: 140, and 150 */
  assert_int_equal(o.unfinished, 0);
}

static void the_core_stalls_where_the_window_ends(void **state) {
  (void)state;
  struct nw_overlap o = core(10, 1);
  assert_int_equal(nw_overlap_walk(&o, 100, 100, 40), 0); /* until 140 */
  assert_int_equal(nw_overlap_advance(&o, 109, 109), 0);
  assert_int_equal(nw_overlap_advance(&o, 110, 110), 30);
  assert_int_equal(nw_overlap_advance(&o, 141, 111), 0);
}

/* Told only later how far it has come, it has stalled where it had to. */
static void a_long_run_of_instructions_stalls_in_the_middle(void **state) {
  (void)state;
  struct nw_overlap o = core(10, 1);
  nw_overlap_walk(&o, 100, 100, 40);
  assert_int_equal(nw_overlap_advance(&o, 125, 125), 30); /* from 110 on; the other 15 after it */
  o = core(10, 1);
  nw_overlap_walk(&o, 100, 100, 40);
  assert_int_equal(nw_overlap_advance(&o, 500, 500), 30);
}

static void walks_wait_for_a_walker(void **state) {
  (void)state;
  struct nw_overlap o = core(10, 1);
  nw_overlap_walk(&o, 100, 100, 20); /* until 120 */
  nw_overlap_walk(&o, 101, 101, 20); /* from then to 140 */
  assert_int_equal(nw_overlap_advance(&o, 110, 110), 10);
  assert_int_equal(nw_overlap_advance(&o, 121, 111), 19);
  o = core(10, 2);
  nw_overlap_walk(&o, 100, 100, 20);
  nw_overlap_walk(&o, 101, 101, 20); /* until 121 by the other walker */
  assert_int_equal(nw_overlap_advance(&o, 110, 110), 10);
  assert_int_equal(nw_overlap_advance(&o, 121, 111), 0);
  assert_int_equal(o.unfinished, 0);
}

static void a_fetch_is_waited_for_and_takes_a_walker(void **state) {
  (void)state;
  struct nw_overlap o = core(100, 1);
  nw_overlap_walk(&o, 100, 100, 20); /* until 120 */
  assert_int_equal(nw_overlap_fetch(&o, 105, 30), 45);
  o = core(100, 2);
  nw_overlap_walk(&o, 100, 100, 20);
  assert_int_equal(nw_overlap_fetch(&o, 105, 30), 30);
}

static void draining_waits_for_the_last_walk(void **state) {
  (void)state;
  struct nw_overlap o = core(100, 2);
  nw_overlap_walk(&o, 100, 100, 50);
  nw_overlap_walk(&o, 102, 102, 20);
  assert_int_equal(nw_overlap_drain(&o, 104), 46);
  assert_int_equal(nw_overlap_drain(&o, 150), 0);
}

static void more_walks_than_the_ring_holds_wait_for_the_oldest(void **state) {
  (void)state;
  struct nw_overlap o = core(1000, NW_OVERLAP_WALKERS);
  for (unsigned i = 0; i < NW_OVERLAP_WALKS; i++)
    assert_int_equal(nw_overlap_walk(&o, 100, 100, i < NW_OVERLAP_WALKERS ? 10 : 1), 0);
  assert_int_equal(nw_overlap_walk(&o, 103, 101, 1), 7);
  assert_int_equal(o.unfinished, NW_OVERLAP_WALKS);
}

/* -- in a machine --------------------------------------------------------------------------- */

/* Translation cycles of a load that walks, `ahead` instructions, and a system call. */
static uint64_t stalls(uint32_t window, uint32_t ahead) {
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  config.window = window;
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  nw_machine_map(machine, VA, 2 * PAGE, RW | NW_PROT_EXEC, false);
  touch(machine, NW_READ, VA);
  touch(machine, NW_EXECUTE, VA + PAGE);
  nw_mmu_invalidate(machine->mmu, NW_TLBI_ALL, 0);
  touch(machine, NW_EXECUTE, VA + PAGE);
  uint64_t before = nw_machine_statistics(machine)->cycles_translation;
  touch(machine, NW_READ, VA);
  assert_int_equal(nw_machine_access(machine, NW_EXECUTE, VA + PAGE, ahead), NW_MACHINE_OK);
  nw_machine_syscall(machine);
  uint64_t cycles = nw_machine_statistics(machine)->cycles_translation - before;
  check_sums(machine);
  nw_machine_destroy(machine);
  return cycles;
}

/* A walk reads three descriptors that the cache has, 4 cycles each, after a probe of the second level
 * for each page size, 2 cycles each. */
static void a_machine_stalls_for_what_the_window_does_not_hide(void **state) {
  (void)state;
  uint64_t walk = stalls(0, 100);
  assert_in_range(walk, 3 * 4, 3 * 4 + 8 * 2);
  assert_int_equal(stalls(1000, 100), 0);
  assert_int_equal(stalls(1000, 5), walk - 5); /* the system call waits for it */
  assert_int_equal(stalls(5, 100), walk - 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_walk_within_the_window_costs_nothing),
      cmocka_unit_test(the_core_stalls_where_the_window_ends),
      cmocka_unit_test(a_long_run_of_instructions_stalls_in_the_middle),
      cmocka_unit_test(walks_wait_for_a_walker),
      cmocka_unit_test(a_fetch_is_waited_for_and_takes_a_walker),
      cmocka_unit_test(draining_waits_for_the_last_walk),
      cmocka_unit_test(more_walks_than_the_ring_holds_wait_for_the_oldest),
      cmocka_unit_test(a_machine_stalls_for_what_the_window_does_not_hide),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
