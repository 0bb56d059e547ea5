/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow paging: what exits, how often, what it costs, and what becomes of the shadow tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/counts.h"

#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)

static struct nw_machine *running(unsigned format) {
  struct nw_machine_config config = small_machine((enum nw_guest_format)format);
  return make_running(&config, NW_MODE_SHADOW);
}

/* Two pages beside each other are in, so that their tables are shadowed in the program's view. */
static struct nw_machine *with_shadowed_table(unsigned format) {
  struct nw_machine *machine = running(format);
  assert_int_equal(nw_machine_map(machine, VA, 16 * PAGE, RW, false), NW_MACHINE_OK);
  touch(machine, NW_WRITE, VA);
  touch(machine, NW_WRITE, VA + PAGE);
  return machine;
}

static void one_descriptor_written_by_the_guest_is_one_exit(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    struct since since = since_now(machine);
    uint64_t writes = since.before.pte_writes;
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    assert_int_equal(nw_machine_statistics(machine)->pte_writes - writes, 1);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 1);
    assert_int_equal(exits(&since, NW_EXIT_TLB_MAINTENANCE), 1);
    assert_int_equal(all_exits(&since), 2);
    nw_machine_destroy(machine);
  }
}

static void a_write_drops_the_shadow_entry_made_from_it_and_no_other(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    assert_true(present(machine, VA, NW_WRITE) && present(machine, VA + PAGE, NW_WRITE));
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    assert_false(present(machine, VA, NW_READ));
    assert_true(present(machine, VA + PAGE, NW_WRITE));
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
    assert_int_equal(all_exits(&since), 1);
    assert_true(present(machine, VA, NW_READ) && !present(machine, VA, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void with_update_a_write_rewrites_the_shadow_entry_at_once(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.hypervisor.shadow.sync = NW_SHADOW_UPDATE;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA);
    touch(machine, NW_WRITE, VA + PAGE);
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    assert_true(present(machine, VA, NW_READ) && !present(machine, VA, NW_WRITE));
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA);
    assert_int_equal(all_exits(&since), 0);
    nw_machine_unmap(machine, VA, PAGE);
    assert_false(present(machine, VA, NW_READ));
    assert_true(present(machine, VA + PAGE, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void a_hidden_fault_goes_through_all_seven_steps(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA);
    uint64_t price = PRICE_TRAP + PRICE_WORLD_SWITCH + PRICE_HANDLER + 10 * NW_EXIT_HIDDEN_FAULT;
    const struct nw_machine_statistics *now = nw_machine_statistics(machine);
    uint64_t spent = 0;
    for (unsigned step = 0; step < NW_SHADOW_STEPS; step++) {
      assert_int_equal(steps(&since, (enum nw_shadow_step)step), 1);
      spent += now->shadow_step_cycles[step] - since.before.shadow_step_cycles[step];
    }
    /* The exit is its price, the seven steps, and nothing else. */
    assert_int_equal(now->exit_cycles[NW_EXIT_HIDDEN_FAULT] -
                         since.before.exit_cycles[NW_EXIT_HIDDEN_FAULT],
                     price + spent);
    nw_machine_destroy(machine);
  }
}

static void the_steps_of_a_hidden_fault_make_these_references(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.memory.caches = 0;
    config.memory.dram_latency = 1000;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA);
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA);
    const uint64_t references[NW_SHADOW_STEPS] = {
        [NW_SHADOW_GUEST_WALK] = guest_levels[format],
        [NW_SHADOW_HOST_WALK] = format <= NW_GUEST_LPAE ? 3 : 4,
        [NW_SHADOW_ESTABLISH] = 1,
    };
    for (unsigned step = 0; step < NW_SHADOW_STEPS; step++)
      assert_int_equal(nw_machine_statistics(machine)->shadow_step_cycles[step] -
                           since.before.shadow_step_cycles[step],
                       1000 * references[step] + PRICE_STEP + step);
    nw_machine_destroy(machine);
  }
}

static void a_fault_of_the_guests_own_is_walked_judged_and_injected(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA + 3 * PAGE);
    assert_int_equal(exits(&since, NW_EXIT_INJECTED_FAULT), 1);
    unsigned crossings = machine->config.guest.deprivileged ? 2 : 0;
    assert_int_equal(exits(&since, NW_EXIT_PRIVILEGE_SWITCH), crossings);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 1);
    /* The new frame as the kernel clears it, and then as the program writes it. */
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 2);
    assert_int_equal(all_exits(&since), 4 + crossings);
    assert_int_equal(steps(&since, NW_SHADOW_GUEST_WALK), 4);
    assert_int_equal(steps(&since, NW_SHADOW_GUEST_PERMISSIONS), 4);
    assert_int_equal(steps(&since, NW_SHADOW_SLOT), 3);
    assert_int_equal(machine->guest_fault.type, NW_FAULT_TRANSLATION);
    nw_machine_destroy(machine);
  }
}

static void a_system_call_of_a_deprivileged_guest_exits_in_and_out(void **state) {
  (void)state;
  for (unsigned deprivileged = 0; deprivileged < 2; deprivileged++) {
    struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
    config.guest.deprivileged = deprivileged;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    struct since since = since_now(machine);
    nw_machine_syscall(machine);
    assert_int_equal(exits(&since, NW_EXIT_PRIVILEGE_SWITCH), deprivileged ? 2 : 0);
    assert_int_equal(all_exits(&since), deprivileged ? 2 : 0);
    assert_int_equal(nw_machine_statistics(machine)->syscalls, 1);
    assert_int_equal(nw_machine_statistics(machine)->cycles_guest_kernel -
                         since.before.cycles_guest_kernel,
                     PRICE_SYSCALL);
    nw_machine_destroy(machine);
  }
}

static void a_context_switch_back_finds_the_shadow_tables_it_left(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    nw_process_id other = nw_machine_spawn(machine);
    nw_machine_switch(machine, other);
    touch(machine, NW_WRITE, VA);
    nw_machine_switch(machine, 1);
    uint64_t pages = nw_machine_statistics(machine)->shadow_pages;
    for (unsigned i = 0; i < 10; i++) {
      struct since since = since_now(machine);
      nw_machine_switch(machine, other);
      touch(machine, NW_WRITE, VA);
      nw_machine_switch(machine, 1);
      touch(machine, NW_WRITE, VA + PAGE);
      assert_int_equal(nw_machine_statistics(machine)->shadow_pages, pages);
      assert_int_equal(exits(&since, NW_EXIT_ROOT_WRITE), format == NW_GUEST_SHORT ? 4 : 2);
      assert_int_equal(all_exits(&since), exits(&since, NW_EXIT_ROOT_WRITE));
    }
    nw_machine_destroy(machine);
  }
}

static void the_programs_view_has_nothing_of_the_kernels(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    struct nw_request request = {.va = machine->layout->linear_base + ipa_of(machine, VA),
                                 .access = NW_READ,
                                 .privilege = NW_PRIVILEGED};
    struct nw_result result;
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    assert_true(nw_machine_debug_translate(machine, request.va, NW_READ, NW_PRIVILEGED, &result));
    assert_false(nw_machine_debug_translate(machine, request.va, NW_READ, NW_USER, &result));
    /* Neither does the TLB give the program what it holds for the kernel. */
    request.privilege = NW_USER;
    request.debug = true;
    assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
    request.debug = false;
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_GUEST);
    assert_int_equal(machine->guest_fault.type, NW_FAULT_PERMISSION);
    nw_machine_destroy(machine);
  }
}

static void a_shadowed_table_cannot_be_written_unseen(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    struct nw_pte pte;
    nw_page_table_find(&nw_guest_kernel_space(machine->kernel)->table, VA, &pte);
    struct nw_request request = {.va = machine->layout->linear_base + pte.address,
                                 .access = NW_READ,
                                 .privilege = NW_PRIVILEGED};
    struct nw_result result;
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    assert_true(nw_machine_debug_translate(machine, request.va, NW_READ, NW_PRIVILEGED, &result));
    assert_false(nw_machine_debug_translate(machine, request.va, NW_WRITE, NW_PRIVILEGED, &result));
    request.access = NW_WRITE;
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_EMULATED);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void a_table_that_is_used_as_data_again_loses_its_protection(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format);
    struct nw_shadows *shadows = nw_shadow_pages_of(machine);
    nw_process_id other = nw_machine_spawn(machine);
    nw_machine_switch(machine, other);
    touch(machine, NW_WRITE, VA);
    uint64_t root = nw_guest_kernel_space(machine->kernel)->table.root;
    struct nw_pte pte;
    nw_page_table_find(&nw_guest_kernel_space(machine->kernel)->table, VA, &pte);
    assert_true(nw_shadow_is_table(shadows, root));
    assert_true(nw_shadow_is_table(shadows, pte.address));
    nw_machine_exit(machine, other);
    assert_false(nw_shadow_is_table(shadows, pte.address));
    nw_machine_switch(machine, 1);
    bool root_used = false;
    for (uint64_t i = 0; i < 40; i++) {
      touch(machine, NW_WRITE, VA + i * PAGE);
      uint64_t ipa = ipa_of(machine, VA + i * PAGE);
      root_used = root_used || ipa >> NW_FRAME_LOG2 == root >> NW_FRAME_LOG2;
      assert_false(nw_shadow_is_table(shadows, ipa));
      assert_true(present(machine, VA + i * PAGE, NW_WRITE));
    }
    assert_true(root_used);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void the_tables_of_ended_processes_leave_no_shadow_once_used_again(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_shadowed_table(format);
    uint64_t most = 0;
    for (unsigned i = 0; i < 200; i++) {
      nw_process_id child = nw_machine_fork(machine, 1, false);
      nw_machine_switch(machine, child);
      touch(machine, NW_WRITE, VA);
      nw_machine_exit(machine, child);
      nw_machine_switch(machine, 1);
      uint64_t pages = nw_machine_statistics(machine)->shadow_pages;
      if (i == 20)
        most = pages;
      assert_true(i <= 20 || pages <= most);
    }
    assert_true(consistent(machine));
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void copy_on_write_works_under_shadow_tables(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.hypervisor.shadow.flood = 0;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 16 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA);
    uint64_t frame = ipa_of(machine, VA);
    nw_process_id child = nw_machine_fork(machine, 1, false);
    assert_false(present(machine, VA, NW_WRITE));
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(machine->guest_fault.type, NW_FAULT_PERMISSION);
    assert_int_equal(exits(&since, NW_EXIT_INJECTED_FAULT), 1);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 2);
    assert_int_equal(exits(&since, NW_EXIT_TLB_MAINTENANCE), 1);
    assert_int_not_equal(ipa_of(machine, VA), frame);
    nw_machine_switch(machine, child);
    touch(machine, NW_READ, VA);
    struct nw_result result;
    uint64_t pa;
    assert_true(nw_machine_debug_translate(machine, VA, NW_READ, NW_USER, &result));
    assert_true(nw_hypervisor_backing(machine->hypervisor, frame, &pa));
    assert_int_equal(result.pa, pa);
    assert_false(present(machine, VA, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void large_guest_pages_become_small_shadow_entries(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * MIB, RW, false);
    touch(machine, NW_WRITE, VA);
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA + PAGE);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
    assert_int_equal(all_exits(&since), 1);
    struct nw_result result;
    assert_true(nw_machine_debug_translate(machine, VA + PAGE, NW_WRITE, NW_USER, &result));
    assert_int_equal(result.page_log2, 12);
    uint64_t pages = nw_machine_statistics(machine)->shadow_pages;
    nw_machine_unmap(machine, VA, 2 * MIB);
    assert_false(present(machine, VA, NW_READ));
    assert_true(nw_machine_statistics(machine)->shadow_pages < pages);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* Two processes share one large page; both have touched it. Returns the second. */
static nw_process_id share_large_page(struct nw_machine *machine) {
  nw_machine_map(machine, VA, 2 * MIB, RW, true);
  touch(machine, NW_WRITE, VA);
  nw_process_id child = nw_machine_fork(machine, 1, false);
  nw_machine_switch(machine, child);
  touch(machine, NW_WRITE, VA);
  nw_machine_switch(machine, 1);
  touch(machine, NW_WRITE, VA);
  return child;
}

static void a_shadow_table_is_never_shared_between_different_rights(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_process_id child = share_large_page(machine);
    nw_machine_protect(machine, VA, 2 * MIB, NW_PROT_READ);
    touch(machine, NW_READ, VA);
    assert_true(consistent(machine));
    assert_false(present(machine, VA, NW_WRITE));
    nw_machine_switch(machine, child);
    touch(machine, NW_WRITE, VA);
    assert_true(present(machine, VA, NW_WRITE));
    nw_machine_switch(machine, 1);
    assert_false(present(machine, VA, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void a_shadow_table_is_never_shared_between_different_addresses(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_process_id child = share_large_page(machine);
    nw_machine_remap(machine, VA, 2 * MIB, VA + 8 * MIB, 2 * MIB);
    touch(machine, NW_WRITE, VA + 8 * MIB);
    assert_true(consistent(machine));
    nw_machine_switch(machine, child);
    assert_true(present(machine, VA, NW_WRITE));
    assert_false(present(machine, VA + 8 * MIB, NW_READ));
    nw_machine_destroy(machine);
  }
}

static void a_large_page_taken_away_leaves_the_tlb_before_the_guest_says_so(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * MIB, RW, false);
    touch(machine, NW_WRITE, VA);
    struct nw_address_space *space = nw_guest_kernel_space(machine->kernel);
    struct nw_pte pte;
    struct nw_request request = {.va = VA, .access = NW_READ, .debug = true};
    struct nw_result result;
    nw_page_table_find(&space->table, VA, &pte);
    assert_true(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
    machine->mode->enter_kernel(machine, false);
    assert_true(nw_page_table_clear(&space->table, &pte));
    machine->mode->leave_kernel(machine, false);
    assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void the_bytes_held_are_those_of_the_tables(void **state) {
  (void)state;
  struct nw_machine *machine = running(NW_GUEST_SHORT);
  const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
  uint64_t pages = statistics->shadow_pages, bytes = statistics->shadow_bytes;
  nw_machine_map(machine, VA, PAGE, RW, false);
  touch(machine, NW_WRITE, VA);
  /* One second-level table under the program's view. */
  assert_int_equal(statistics->shadow_pages, pages + 1);
  assert_int_equal(statistics->shadow_bytes, bytes + 1024);
  nw_machine_destroy(machine);
}

static void a_new_translation_register_drops_all_shadow_tables(void **state) {
  (void)state;
  struct nw_machine *machine = with_shadowed_table(NW_GUEST_SHORT);
  struct since since = since_now(machine);
  /* Domain 1, the programs', is closed. */
  nw_machine_write_register(machine, NW_REG_DACR, 0x1);
  assert_int_equal(exits(&since, NW_EXIT_ROOT_WRITE), 1);
  assert_false(present(machine, VA, NW_READ));
  struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_GUEST);
  assert_int_equal(machine->guest_fault.type, NW_FAULT_DOMAIN);
  assert_int_equal(machine->guest_fault.domain, 1);
  nw_machine_write_register(machine, NW_REG_DACR, 0x5);
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
  assert_true(consistent(machine));
  nw_machine_destroy(machine);
}

static void idle_roots_are_given_up_when_host_memory_is_short(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.hypervisor.memory = 3 * MIB;
  struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
  nw_process_id process[60];
  for (unsigned i = 0; i < 60; i++) {
    process[i] = nw_machine_spawn(machine);
    assert_int_not_equal(process[i], 0);
    assert_int_equal(nw_machine_switch(machine, process[i]), NW_MACHINE_OK);
    touch(machine, NW_WRITE, VA);
    assert_true(consistent(machine));
  }
  /* Two roots of 16 KB for each would be 1.9 MB, beside 1.4 MB of guest memory. */
  for (unsigned i = 0; i < 60; i++) {
    assert_int_equal(nw_machine_switch(machine, process[i]), NW_MACHINE_OK);
    touch(machine, NW_WRITE, VA);
    assert_true(consistent(machine));
  }
  nw_machine_destroy(machine);
}

/* Whatever fails for want of host memory, no program ever runs on another one's tables. */
static void without_host_memory_nobody_runs_on_anothers_tables(void **state) {
  (void)state;
  unsigned failures = 0;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.hypervisor.memory = 1 * MIB;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    for (unsigned i = 0; i < 60; i++) {
      nw_process_id process = nw_machine_spawn(machine);
      failures += process == 0 || nw_machine_switch(machine, process) != NW_MACHINE_OK;
      failures += nw_machine_access(machine, NW_WRITE, VA, 1) != NW_MACHINE_OK;
      struct nw_address_space *space = nw_guest_kernel_space(machine->kernel);
      struct nw_request request = {.va = VA, .access = NW_WRITE, .debug = true};
      struct nw_result result;
      struct nw_pte pte;
      uint64_t pa;
      nw_page_table_find(&space->table, VA, &pte);
      if (nw_mmu_translate(machine->mmu, &request, &machine->walker, &result)) {
        assert_int_equal(pte.meaning.kind, NW_DESCRIPTOR_LEAF);
        assert_true(nw_hypervisor_backing(machine->hypervisor, pte.meaning.output, &pa));
        assert_int_equal(result.pa, pa);
      }
      request.va = machine->layout->linear_base;
      assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
      assert_true(consistent(machine));
    }
    nw_machine_destroy(machine);
  }
  assert_true(failures > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_descriptor_written_by_the_guest_is_one_exit),
      cmocka_unit_test(a_write_drops_the_shadow_entry_made_from_it_and_no_other),
      cmocka_unit_test(with_update_a_write_rewrites_the_shadow_entry_at_once),
      cmocka_unit_test(a_hidden_fault_goes_through_all_seven_steps),
      cmocka_unit_test(the_steps_of_a_hidden_fault_make_these_references),
      cmocka_unit_test(a_fault_of_the_guests_own_is_walked_judged_and_injected),
      cmocka_unit_test(a_system_call_of_a_deprivileged_guest_exits_in_and_out),
      cmocka_unit_test(a_context_switch_back_finds_the_shadow_tables_it_left),
      cmocka_unit_test(the_programs_view_has_nothing_of_the_kernels),
      cmocka_unit_test(a_shadowed_table_cannot_be_written_unseen),
      cmocka_unit_test(a_table_that_is_used_as_data_again_loses_its_protection),
      cmocka_unit_test(the_tables_of_ended_processes_leave_no_shadow_once_used_again),
      cmocka_unit_test(copy_on_write_works_under_shadow_tables),
      cmocka_unit_test(large_guest_pages_become_small_shadow_entries),
      cmocka_unit_test(a_shadow_table_is_never_shared_between_different_rights),
      cmocka_unit_test(a_shadow_table_is_never_shared_between_different_addresses),
      cmocka_unit_test(a_large_page_taken_away_leaves_the_tlb_before_the_guest_says_so),
      cmocka_unit_test(the_bytes_held_are_those_of_the_tables),
      cmocka_unit_test(a_new_translation_register_drops_all_shadow_tables),
      cmocka_unit_test(idle_roots_are_given_up_when_host_memory_is_short),
      cmocka_unit_test(without_host_memory_nobody_runs_on_anothers_tables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
