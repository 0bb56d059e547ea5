/* SPDX-License-Identifier: Apache-2.0 */
/* Selective paging on a machine: what a switch does and costs, and what makes it come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/machines.h"
#include "system/selective.h"

#define VA 0x00400000u
#define PAGES 24u
#define ARMV7_FORMATS                                                                              \
  for (enum nw_guest_format format = NW_GUEST_SHORT; format <= NW_GUEST_LPAE; format++)
#define FORMATS                                                                                    \
  for (enum nw_guest_format format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)

/* Thresholds that never switch by themselves. */
static struct nw_machine_config config_of(enum nw_guest_format format) {
  struct nw_machine_config config = small_machine(format);
  config.hypervisor.selective = (struct nw_selective_config){
      .start = NW_START_NESTED, .high = 100, .low = 0, .counter = 4, .fill = true};
  return config;
}

static void touch_pages(struct nw_machine *machine, enum nw_access access) {
  for (uint64_t i = 0; i < PAGES; i++)
    touch(machine, access, VA + i * PAGE);
}

static struct nw_machine *make_touched(const struct nw_machine_config *config) {
  struct nw_machine *machine = make_running(config, NW_MODE_SELECTIVE);
  nw_machine_map(machine, VA, PAGES * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
  touch_pages(machine, NW_WRITE);
  return machine;
}

static uint64_t exits(const struct nw_machine *machine, enum nw_exit_cause cause) {
  return nw_machine_statistics(machine)->exits[cause];
}

static void check_pages(struct nw_machine *machine) {
  for (uint64_t i = 0; i < PAGES; i++) {
    struct nw_result result;
    uint64_t pa, ipa = ipa_of(machine, VA + i * PAGE);
    assert_true(nw_machine_guest_address(machine, ipa, &pa));
    assert_true(nw_machine_debug_translate(machine, VA + i * PAGE, NW_READ, NW_USER, &result));
    assert_int_equal(result.pa, pa);
  }
}

static void it_starts_as_it_is_told(void **state) {
  (void)state;
  static const struct {
    enum nw_selective_start start;
    enum nw_choice policy;
    enum nw_paging expected;
  } row[] = {
      {NW_START_AUTO, NW_CHOICE_THRESHOLD, NW_PAGING_SHADOW},
      {NW_START_AUTO, NW_CHOICE_BREAK_EVEN, NW_PAGING_NESTED},
      {NW_START_SHADOW, NW_CHOICE_BREAK_EVEN, NW_PAGING_SHADOW},
      {NW_START_NESTED, NW_CHOICE_THRESHOLD, NW_PAGING_NESTED},
  };
  FORMATS for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.start = row[i].start;
    config.hypervisor.selective.policy = row[i].policy;
    struct nw_machine *machine = make_machine(&config, NW_MODE_SELECTIVE);
    assert_int_equal(nw_selective_now(machine), row[i].expected);
    nw_machine_destroy(machine);
  }
}

/* Without a switch selective paging is the one it started with, exit by exit. */
static void without_a_switch_it_is_the_mode_it_started_with(void **state) {
  (void)state;
  FORMATS for (unsigned shadow = 0; shadow < 2; shadow++) {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.start = shadow ? NW_START_SHADOW : NW_START_NESTED;
    struct nw_machine *machine = make_touched(&config);
    struct nw_machine *plain = make_running(&config, shadow ? NW_MODE_SHADOW : NW_MODE_NESTED);
    nw_machine_map(plain, VA, PAGES * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    touch_pages(plain, NW_WRITE);
    nw_machine_syscall(machine);
    nw_machine_syscall(plain);
    const struct nw_machine_statistics *seen = nw_machine_statistics(machine);
    const struct nw_machine_statistics *expected = nw_machine_statistics(plain);
    assert_memory_equal(seen->exits, expected->exits, sizeof seen->exits);
    nw_machine_destroy(machine);
    nw_machine_destroy(plain);
  }
}

static void a_switch_is_an_exit_that_empties_the_tlb(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_touched(&config);
    for (unsigned i = 0; i < 4; i++) {
      enum nw_paging to = i % 2 == 0 ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
      uint64_t walks = nw_machine_mmu_statistics(machine)->walks;
      touch(machine, NW_READ, VA);
      touch(machine, NW_READ, VA);
      assert_in_range(nw_machine_mmu_statistics(machine)->walks - walks, 0, 1);
      nw_selective_switch(machine, to);
      nw_selective_switch(machine, to); /* nothing */
      assert_int_equal(exits(machine, NW_EXIT_MODE_SWITCH), i + 1);
      assert_int_equal(nw_machine_statistics(machine)->selective_switches, i + 1);
      walks = nw_machine_mmu_statistics(machine)->walks;
      touch(machine, NW_READ, VA);
      assert_true(nw_machine_mmu_statistics(machine)->walks > walks);
      check_pages(machine);
      check_sums(machine);
    }
    nw_machine_destroy(machine);
  }
}

/* References of one walk: short 11 and 2, long 15 and 3, x86-64 24 and 4, 29 and 5. */
static void the_walk_is_that_of_the_paging_in_use(void **state) {
  static const unsigned nested[NW_GUEST_FORMATS] = {11, 15, 24, 29};
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_touched(&config);
    for (unsigned i = 0; i < 2; i++) {
      assert_int_equal(references_of_walk(machine, VA), nested[format]);
      nw_selective_switch(machine, NW_PAGING_SHADOW);
      assert_int_equal(references_of_walk(machine, VA), guest_levels[format]);
      nw_selective_switch(machine, NW_PAGING_NESTED);
    }
    nw_machine_destroy(machine);
  }
}

static void filled_tables_spare_the_program_its_hidden_faults(void **state) {
  (void)state;
  FORMATS for (unsigned fill = 0; fill < 2; fill++) {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.fill = fill;
    struct nw_machine *machine = make_touched(&config);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    uint64_t before = exits(machine, NW_EXIT_HIDDEN_FAULT);
    touch_pages(machine, NW_WRITE);
    assert_int_equal(exits(machine, NW_EXIT_HIDDEN_FAULT) - before, fill ? 0 : PAGES);
    nw_machine_destroy(machine);
  }
}

/* What the guest does to its tables while nobody looks: unmapping, rights, new pages, new tables. */
static void kept_tables_are_believed_only_as_far_as_they_are_still_true(void **state) {
  (void)state;
  char error[200];
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.keep_tables = true;
    config.hypervisor.selective.fill = false;
    struct nw_machine *machine = make_touched(&config);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    touch_pages(machine, NW_WRITE);
    uint64_t pages = nw_machine_statistics(machine)->shadow_pages;
    nw_selective_switch(machine, NW_PAGING_NESTED);
    assert_int_equal(nw_machine_statistics(machine)->shadow_pages, pages);
    nw_machine_unmap(machine, VA, PAGE);
    nw_machine_protect(machine, VA + PAGE, PAGE, NW_PROT_READ);
    nw_machine_unmap(machine, VA + 2 * PAGE, PAGE);
    nw_machine_map(machine, VA + 2 * PAGE, PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    touch(machine, NW_WRITE, VA + 2 * PAGE);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    assert_true(nw_shadow_consistent(nw_selective_shadows(machine), error, sizeof error));
    struct nw_result result;
    assert_false(nw_machine_debug_translate(machine, VA, NW_READ, NW_USER, &result));
    assert_false(nw_machine_debug_translate(machine, VA + PAGE, NW_WRITE, NW_USER, &result));
    uint64_t before = exits(machine, NW_EXIT_HIDDEN_FAULT);
    for (uint64_t i = 3; i < PAGES; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    assert_int_equal(exits(machine, NW_EXIT_HIDDEN_FAULT), before);
    nw_machine_destroy(machine);
  }
}

static void dropped_tables_are_gone(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_touched(&config);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    assert_true(nw_machine_statistics(machine)->shadow_pages > 0);
    nw_selective_switch(machine, NW_PAGING_NESTED);
    assert_int_equal(nw_machine_statistics(machine)->shadow_pages, 0);
    nw_machine_destroy(machine);
  }
}

/* A de-privileged guest's system calls exit; a nested one's do not. */
static void system_calls_exit_under_shadow_paging_alone(void **state) {
  (void)state;
  ARMV7_FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_touched(&config);
    nw_machine_syscall(machine);
    assert_int_equal(exits(machine, NW_EXIT_PRIVILEGE_SWITCH), 0);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    nw_machine_syscall(machine);
    assert_int_equal(exits(machine, NW_EXIT_PRIVILEGE_SWITCH), 2);
    nw_selective_switch(machine, NW_PAGING_NESTED);
    nw_machine_syscall(machine);
    assert_int_equal(exits(machine, NW_EXIT_PRIVILEGE_SWITCH), 2);
    nw_machine_destroy(machine);
  }
}

/* -- by itself ------------------------------------------------------------------------------ */

/* More pages than the TLB holds, over and over: walks all the time, and no event. */
static void miss(struct nw_machine *machine, unsigned rounds) {
  for (unsigned round = 0; round < rounds; round++)
    for (uint64_t i = 0; i < 1000; i++)
      touch(machine, NW_READ, VA + (i * 7 % 1000) * PAGE);
}

static void map_unmap(struct nw_machine *machine, unsigned rounds) {
  for (unsigned round = 0; round < rounds; round++) {
    nw_machine_map(machine, 0x10000000, 4 * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    for (uint64_t i = 0; i < 4; i++)
      touch(machine, NW_WRITE, 0x10000000 + i * PAGE);
    nw_machine_syscall(machine);
    nw_machine_unmap(machine, 0x10000000, 4 * PAGE);
    nw_machine_syscall(machine);
  }
}

static void break_even_follows_the_program(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.policy = NW_CHOICE_BREAK_EVEN;
    config.guest.large_pages = NW_LARGE_NEVER;
    struct nw_machine *machine = make_running(&config, NW_MODE_SELECTIVE);
    nw_machine_map(machine, VA, 1000 * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    miss(machine, 60);
    assert_int_equal(nw_selective_now(machine), NW_PAGING_SHADOW);
    map_unmap(machine, 400);
    assert_int_equal(nw_selective_now(machine), NW_PAGING_NESTED);
    assert_in_range(nw_machine_statistics(machine)->selective_switches, 2, 6);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void thresholds_follow_the_program(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.selective.high = 9;
    config.hypervisor.selective.low = 2;
    config.hypervisor.selective.interval = 200000;
    struct nw_machine *machine = make_running(&config, NW_MODE_SELECTIVE);
    nw_machine_map(machine, VA, 1000 * PAGE, NW_PROT_READ | NW_PROT_WRITE, false);
    miss(machine, 60);
    assert_int_equal(nw_selective_now(machine), NW_PAGING_SHADOW);
    nw_machine_destroy(machine);
  }
}

static void cycles_are_laid_to_the_paging_they_were_spent_under(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_touched(&config);
    nw_selective_switch(machine, NW_PAGING_SHADOW);
    touch_pages(machine, NW_READ);
    nw_selective_switch(machine, NW_PAGING_NESTED);
    touch_pages(machine, NW_READ);
    const struct nw_machine_statistics *seen = nw_machine_statistics(machine);
    assert_true(seen->selective_cycles_nested > 0 && seen->selective_cycles_shadow > 0);
    assert_int_equal(seen->selective_cycles_nested + seen->selective_cycles_shadow,
                     nw_machine_cycles(machine));
    nw_machine_destroy(machine);
  }
}

static void intervals_fit_the_length_of_the_run(void **state) {
  (void)state;
  struct nw_machine_config config = config_of(NW_GUEST_LPAE);
  struct nw_machine *machine = make_running(&config, NW_MODE_SELECTIVE);
  assert_true(nw_machine_statistics(machine)->selective_scale == 1.0);
  nw_machine_expect(machine, 256000000);
  assert_true(nw_machine_statistics(machine)->selective_scale < 0.0011);
  nw_machine_destroy(machine);
  config.hypervisor.selective.scale = 0.25;
  machine = make_running(&config, NW_MODE_SELECTIVE);
  nw_machine_expect(machine, 256000000);
  assert_true(nw_machine_statistics(machine)->selective_scale == 0.25);
  nw_machine_destroy(machine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_starts_as_it_is_told),
      cmocka_unit_test(without_a_switch_it_is_the_mode_it_started_with),
      cmocka_unit_test(a_switch_is_an_exit_that_empties_the_tlb),
      cmocka_unit_test(the_walk_is_that_of_the_paging_in_use),
      cmocka_unit_test(filled_tables_spare_the_program_its_hidden_faults),
      cmocka_unit_test(kept_tables_are_believed_only_as_far_as_they_are_still_true),
      cmocka_unit_test(dropped_tables_are_gone),
      cmocka_unit_test(system_calls_exit_under_shadow_paging_alone),
      cmocka_unit_test(break_even_follows_the_program),
      cmocka_unit_test(thresholds_follow_the_program),
      cmocka_unit_test(cycles_are_laid_to_the_paging_they_were_spent_under),
      cmocka_unit_test(intervals_fit_the_length_of_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
