/* SPDX-License-Identifier: Apache-2.0 */
/* Agile paging on a machine: when tables go nested and come back, and what that costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/machines.h"
#include "system/agile.h"

#define VA 0x00400000u
#define PAGES 24u
#define WRITES 2u
#define FORMATS                                                                                    \
  for (enum nw_guest_format format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)

/* Levels of stage 2. */
static const unsigned stage2_of[NW_GUEST_FORMATS] = {3, 3, 4, 4};

/* The clock stands still, as far as policy is concerned. */
static struct nw_machine *make_touched(enum nw_guest_format format) {
  struct nw_machine_config config = small_machine(format);
  config.hypervisor.agile = (struct nw_agile_config){.writes = WRITES, .scale = 1000};
  struct nw_machine *machine = make_running(&config, NW_MODE_AGILE);
  nw_machine_map(machine, VA, PAGES * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
  for (uint64_t i = 0; i < PAGES; i++)
    touch(machine, NW_WRITE, VA + i * PAGE);
  return machine;
}

static uint64_t root_of(const struct nw_machine *machine) {
  return nw_guest_kernel_space(machine->kernel)->table.root;
}

static uint64_t table_of(const struct nw_machine *machine, uint64_t va, uint8_t level) {
  struct nw_pte pte;
  uint64_t bytes = machine->config.format == NW_GUEST_SHORT ? 1024 : PAGE;
  nw_page_table_entry(&nw_guest_kernel_space(machine->kernel)->table, va, level, &pte);
  assert_int_equal(pte.level, level);
  return level == machine->guest_regime.s1_root[0].start_level ? root_of(machine)
                                                               : pte.address & ~(bytes - 1);
}

static uint64_t last_table_of(const struct nw_machine *machine, uint64_t va) {
  return table_of(machine, va, machine->kernel->format->last_level);
}

/* A short root is four frames: in one aligned piece of host memory they are only by chance. */
static bool root_can_nest(const struct nw_machine *machine) {
  uint64_t pa[2];
  nw_machine_guest_address(machine, root_of(machine), &pa[0]);
  nw_machine_guest_address(machine, root_of(machine) + 3 * PAGE, &pa[1]);
  return machine->config.format != NW_GUEST_SHORT ||
         (pa[1] == pa[0] + 3 * PAGE && pa[0] % (4 * PAGE) == 0);
}

/* All of the running process shadowed. */
static void shadow_all(struct nw_machine *machine) {
  const struct nw_format *format = machine->kernel->format;
  uint8_t level = machine->guest_regime.s1_root[0].start_level;
  nw_agile_switch(machine, true);
  for (unsigned i = 0; i < guest_levels[machine->config.format]; i++) {
    nw_agile_set_nested(machine, table_of(machine, VA, level), false);
    level = nwi_level_below(format, level);
  }
}

static struct nw_machine *make_shadowed(enum nw_guest_format format) {
  struct nw_machine *machine = make_touched(format);
  shadow_all(machine);
  return machine;
}

static uint64_t exits(const struct nw_machine *machine, enum nw_exit_cause cause) {
  return nw_machine_statistics(machine)->exits[cause];
}

static void walks_are_wholly_nested_until_they_become_agile(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_touched(format);
    unsigned none = guest_levels[format], stage2 = stage2_of[format];
    unsigned whole = (none + 1) * (stage2 + 1) - 1;
    assert_int_equal(references_of_walk(machine, VA), whole);
    shadow_all(machine);
    assert_int_equal(references_of_walk(machine, VA), none);
    nw_agile_set_nested(machine, last_table_of(machine, VA), true);
    assert_int_equal(references_of_walk(machine, VA), none + stage2);
    nw_agile_set_nested(machine, root_of(machine), true);
    if (root_can_nest(machine))
      assert_int_equal(references_of_walk(machine, VA), whole - stage2);
    nw_agile_switch(machine, false);
    assert_int_equal(references_of_walk(machine, VA), whole);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

/* The more of the guest's levels are nested, the more references: 4, 8, 12, 16, 20, 24 of four. */
static void each_nested_level_adds_a_walk_of_stage_2(void **state) {
  (void)state;
  for (enum nw_guest_format format = NW_GUEST_4_LEVEL; format < NW_GUEST_FORMATS; format++) {
    struct nw_machine *machine = make_shadowed(format);
    unsigned expected = guest_levels[format];
    uint8_t root = machine->guest_regime.s1_root[0].start_level;
    assert_int_equal(references_of_walk(machine, VA), expected);
    for (uint8_t level = 1; level <= root; level++) {
      nw_agile_set_nested(machine, table_of(machine, VA, level), true);
      expected += stage2_of[format];
      assert_int_equal(references_of_walk(machine, VA), expected);
    }
    nw_agile_switch(machine, false);
    expected += stage2_of[format];
    assert_int_equal(references_of_walk(machine, VA), expected);
    assert_int_equal(expected, format == NW_GUEST_4_LEVEL ? 24 : 29);
    nw_machine_destroy(machine);
  }
}

/* Changing the rights of a page is one store to its table. */
static void change_rights(struct nw_machine *machine, unsigned page, unsigned protection) {
  nw_machine_protect(machine, VA + page * PAGE, PAGE, protection);
}

static void a_table_goes_nested_with_its_second_store(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    uint64_t nested = nw_machine_statistics(machine)->agile_to_nested;
    uint64_t trapped = exits(machine, NW_EXIT_PTE_WRITE);
    for (unsigned i = 0; i < WRITES; i++) {
      assert_int_equal(nw_machine_statistics(machine)->agile_to_nested, nested);
      change_rights(machine, i, NW_PROT_READ);
    }
    assert_int_equal(nw_machine_statistics(machine)->agile_to_nested, nested + 1);
    assert_int_equal(exits(machine, NW_EXIT_PTE_WRITE), trapped + WRITES);
    assert_true(nw_agile_nests(machine, last_table_of(machine, VA)));
    for (unsigned i = WRITES; i < PAGES; i++)
      change_rights(machine, i, NW_PROT_READ);
    assert_int_equal(exits(machine, NW_EXIT_PTE_WRITE), trapped + WRITES); /* no more */
    for (unsigned i = 0; i < PAGES; i++) {
      struct nw_result result;
      uint64_t va = VA + i * PAGE;
      touch(machine, NW_READ, va);
      assert_true(nw_machine_debug_translate(machine, va, NW_READ, NW_USER, &result));
      assert_false(nw_machine_debug_translate(machine, va, NW_WRITE, NW_USER, &result));
    }
    nw_machine_destroy(machine);
  }
}

/* A shadowed table is followed at once, without another fault. */
static void a_trapped_store_is_in_force_at_once(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    struct nw_result result;
    touch(machine, NW_WRITE, VA);
    change_rights(machine, 0, NW_PROT_READ);
    assert_true(nw_machine_debug_translate(machine, VA, NW_READ, NW_USER, &result));
    assert_false(nw_machine_debug_translate(machine, VA, NW_WRITE, NW_USER, &result));
    nw_machine_destroy(machine);
  }
}

/* Whichever way the kernel's linear map is walked, nested (all but these here) or by a shadow leaf (sections of
 * a short root), it does not let a table be written that is followed. */
static void no_way_leads_unseen_to_a_table_that_is_followed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    uint64_t table = last_table_of(machine, VA), trapped = exits(machine, NW_EXIT_PTE_WRITE);
    struct nw_result result;
    assert_true(nw_agile_follows(machine, table));
    nw_machine_kernel_load(machine, machine->layout->linear_base + table);
    assert_true(nw_machine_debug_translate(machine, machine->layout->linear_base + table, NW_READ,
                                           NW_PRIVILEGED, &result));
    assert_int_equal(result.s2_page_log2 != 0, format != NW_GUEST_SHORT);
    assert_false(nw_machine_debug_translate(machine, machine->layout->linear_base + table, NW_WRITE,
                                            NW_PRIVILEGED, &result));
    change_rights(machine, 0, NW_PROT_READ);
    assert_int_equal(exits(machine, NW_EXIT_PTE_WRITE), trapped + 1);
    nw_machine_destroy(machine);
  }
}

/* Demand faults in a nested table are the guest's own: nobody exits. */
static void faults_in_nested_tables_reach_the_guest_without_an_exit(void **state) {
  (void)state;
  FORMATS for (unsigned nested = 0; nested < 2; nested++) {
    struct nw_machine *machine = make_shadowed(format);
    nw_machine_map(machine, VA + PAGES * PAGE, PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    nw_agile_set_nested(machine, last_table_of(machine, VA), nested != 0);
    uint64_t injected = exits(machine, NW_EXIT_INJECTED_FAULT);
    uint64_t faults = nw_machine_statistics(machine)->page_faults;
    touch(machine, NW_WRITE, VA + PAGES * PAGE);
    assert_int_equal(nw_machine_statistics(machine)->page_faults, faults + 1);
    assert_int_equal(exits(machine, NW_EXIT_INJECTED_FAULT) - injected, nested ? 0 : 1);
    nw_machine_destroy(machine);
  }
}

static void system_calls_and_maintenance_never_exit(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    nw_machine_syscall(machine);
    change_rights(machine, 0, NW_PROT_READ);
    assert_int_equal(exits(machine, NW_EXIT_PRIVILEGE_SWITCH), 0);
    assert_int_equal(exits(machine, NW_EXIT_TLB_MAINTENANCE), 0);
    nw_machine_destroy(machine);
  }
}

static void a_new_process_is_nested(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    uint64_t pages = nw_machine_statistics(machine)->shadow_pages;
    nw_machine_switch(machine, nw_machine_fork(machine, 1, false));
    assert_int_equal(nw_mmu_regime(machine->mmu)->agile,
                     root_can_nest(machine) ? NW_AGILE_ROOT : NW_AGILE_SHADOW);
    for (uint64_t i = 0; i < PAGES; i++)
      touch(machine, NW_READ, VA + i * PAGE);
    assert_in_range(nw_machine_statistics(machine)->shadow_pages, 0, pages + 1);
    nw_machine_switch(machine, 1);
    assert_int_equal(nw_mmu_regime(machine->mmu)->agile, NW_AGILE_SHADOW);
    nw_machine_destroy(machine);
  }
}

/* Intervals as short as they can be: what is written stays nested, what is not is shadowed. */
static void a_quiet_table_is_shadowed_by_the_next_scan(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine(format);
    config.hypervisor.agile = (struct nw_agile_config){.writes = WRITES, .interval = 300000};
    struct nw_machine *machine = make_running(&config, NW_MODE_AGILE);
    nw_machine_map(machine, VA, 1000 * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    for (unsigned round = 0; round < 80; round++)
      for (uint64_t i = 0; i < 1000; i++)
        touch(machine, NW_READ, VA + (i * 7 % 1000) * PAGE);
    assert_true(nw_agile_is_on(machine));
    assert_int_equal(nw_mmu_regime(machine->mmu)->agile, NW_AGILE_SHADOW);
    assert_false(nw_agile_nests(machine, last_table_of(machine, VA)));
    const struct nw_mmu_statistics *mmu = nw_machine_mmu_statistics(machine);
    assert_true(mmu->agile_walks[0] > mmu->walks / 2);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void levels_of_agile_walks_are_counted(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = make_shadowed(format);
    const struct nw_mmu_statistics *mmu = nw_machine_mmu_statistics(machine);
    unsigned levels = guest_levels[format];
    uint64_t before = mmu->agile_walks[0];
    references_of_walk(machine, VA);
    assert_true(nw_machine_mmu_statistics(machine)->agile_walks[0] > before);
    nw_agile_set_nested(machine, last_table_of(machine, VA), true);
    before = mmu->agile_walks[1];
    references_of_walk(machine, VA);
    assert_true(nw_machine_mmu_statistics(machine)->agile_walks[1] > before);
    nw_agile_set_nested(machine, root_of(machine), true);
    if (!root_can_nest(machine))
      levels = 1;
    before = mmu->agile_walks[levels];
    references_of_walk(machine, VA);
    assert_true(nw_machine_mmu_statistics(machine)->agile_walks[levels] > before);
    nw_machine_destroy(machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_are_wholly_nested_until_they_become_agile),
      cmocka_unit_test(each_nested_level_adds_a_walk_of_stage_2),
      cmocka_unit_test(a_table_goes_nested_with_its_second_store),
      cmocka_unit_test(a_trapped_store_is_in_force_at_once),
      cmocka_unit_test(no_way_leads_unseen_to_a_table_that_is_followed),
      cmocka_unit_test(faults_in_nested_tables_reach_the_guest_without_an_exit),
      cmocka_unit_test(system_calls_and_maintenance_never_exit),
      cmocka_unit_test(a_new_process_is_nested),
      cmocka_unit_test(a_quiet_table_is_shadowed_by_the_next_scan),
      cmocka_unit_test(levels_of_agile_walks_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
