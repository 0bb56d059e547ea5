/* SPDX-License-Identifier: Apache-2.0 */
/* Guest kernel and hypervisor of x86-64: PCIDs, flags that hardware sets, what exits and what not,
 * CR0.WP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/machines.h"

#define VA UINT64_C(0x7f0000400000)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define ACCESSED (1u << 5)
#define DIRTY (1u << 6)
#define CR0_WP (1u << 16)
#define FORMATS for (unsigned format = NW_GUEST_4_LEVEL; format <= NW_GUEST_5_LEVEL; format++)
#define MODES for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++)

static struct nw_machine *running(unsigned format, enum nw_mode mode) {
  struct nw_machine_config config = small_machine((enum nw_guest_format)format);
  return make_running(&config, mode);
}

/* The guest's descriptor for `va`, as its memory has it. */
static uint64_t descriptor(const struct nw_machine *machine, uint64_t va) {
  struct nw_pte pte;
  uint64_t pa, raw = 0;
  nw_page_table_find(&nw_guest_kernel_space(machine->kernel)->table, va, &pte);
  assert_true(nw_machine_guest_address(machine, pte.address, &pa));
  assert_true(nw_physical_read(machine->memory, pa, 8, &raw));
  return raw;
}

static uint64_t walks(const struct nw_machine *machine) {
  return nw_machine_mmu_statistics(machine)->walks;
}

static uint64_t exits(const struct nw_machine *machine, enum nw_exit_cause cause) {
  return nw_machine_statistics(machine)->exits[cause];
}

/* -- flags ---------------------------------------------------------------------------------- */

static void the_first_write_makes_a_page_dirty_in_every_mode(void **state) {
  (void)state;
  FORMATS {
    MODES {
      struct nw_machine *machine = running(format, mode);
      nw_machine_map(machine, VA, 2 * PAGE, RW, false);
      touch(machine, NW_READ, VA);
      assert_int_equal(descriptor(machine, VA) & (ACCESSED | DIRTY), ACCESSED);
      touch(machine, NW_READ, VA);
      assert_int_equal(descriptor(machine, VA) & DIRTY, 0);
      touch(machine, NW_WRITE, VA);
      assert_int_equal(descriptor(machine, VA) & DIRTY, DIRTY);
      touch(machine, NW_WRITE, VA + PAGE);
      assert_int_equal(descriptor(machine, VA + PAGE) & (ACCESSED | DIRTY), ACCESSED | DIRTY);
      check_sums(machine);
      nw_machine_destroy(machine);
    }
  }
}

static void hardware_updates_the_clean_descriptor_alone(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_MODE_NATIVE);
    nw_machine_map(machine, VA, 2 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA);
    touch(machine, NW_READ, VA + PAGE);
    uint64_t before = nw_machine_mmu_statistics(machine)->updates;
    touch(machine, NW_WRITE, VA);
    assert_int_equal(nw_machine_mmu_statistics(machine)->updates, before);
    touch(machine, NW_WRITE, VA + PAGE);
    assert_int_equal(nw_machine_mmu_statistics(machine)->updates, before + 1);
    nw_machine_destroy(machine);
  }
}

static void a_clean_page_costs_shadow_paging_a_hidden_fault(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, PAGE, RW, false);
    touch(machine, NW_READ, VA);
    uint64_t before = exits(machine, NW_EXIT_HIDDEN_FAULT);
    touch(machine, NW_READ, VA);
    assert_int_equal(exits(machine, NW_EXIT_HIDDEN_FAULT), before);
    touch(machine, NW_WRITE, VA);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(exits(machine, NW_EXIT_HIDDEN_FAULT), before + 1);
    assert_int_equal(nw_machine_statistics(machine)->page_faults, 1);
    assert_int_equal(nw_machine_mmu_statistics(machine)->updates, 0); /* of shadow entries */
    nw_machine_destroy(machine);
  }
}

static void new_rights_leave_a_dirty_page_dirty(void **state) {
  (void)state;
  struct nw_machine *machine = running(NW_GUEST_4_LEVEL, NW_MODE_NATIVE);
  nw_machine_map(machine, VA, PAGE, RW, false);
  touch(machine, NW_READ, VA);
  touch(machine, NW_WRITE, VA);
  nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
  assert_int_equal(descriptor(machine, VA) & (DIRTY | 2), DIRTY);
  nw_machine_protect(machine, VA, PAGE, RW);
  assert_int_equal(descriptor(machine, VA) & (DIRTY | 2), DIRTY | 2);
  nw_machine_destroy(machine);
}

/* -- PCIDs ---------------------------------------------------------------------------------- */

/* A machine on which process 1 has read VA and `others` more have run since. */
static struct nw_machine *after_others(uint32_t pcids, unsigned others) {
  struct nw_machine_config config = small_machine(NW_GUEST_4_LEVEL);
  config.guest.pcids = pcids;
  config.mmu.l2 = (struct nw_tlb_config){1024, 8, 2, NW_POLICY_LRU};
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  touch(machine, NW_READ, VA);
  for (unsigned i = 0; i < others; i++)
    assert_int_equal(nw_machine_switch(machine, nw_machine_spawn(machine)), NW_MACHINE_OK);
  assert_int_equal(nw_machine_switch(machine, 1), NW_MACHINE_OK);
  return machine;
}

static void entries_outlive_a_switch_as_long_as_there_are_pcids(void **state) {
  (void)state;
  static const struct {
    uint32_t pcids;
    unsigned others, walks;
  } cases[] = {{0, 1, 1}, {1, 1, 1}, {2, 1, 0}, {2, 2, 1}, {6, 5, 0}, {6, 6, 1}};
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct nw_machine *machine = after_others(cases[i].pcids, cases[i].others);
    uint64_t before = walks(machine);
    touch(machine, NW_READ, VA);
    assert_int_equal(walks(machine) - before, cases[i].walks);
    nw_machine_destroy(machine);
  }
}

static void what_changed_while_a_process_did_not_run_is_flushed_as_it_returns(void **state) {
  (void)state;
  MODES {
    struct nw_machine *machine = running(NW_GUEST_4_LEVEL, mode);
    nw_machine_map(machine, VA, PAGE, RW, false);
    touch(machine, NW_WRITE, VA);
    nw_machine_switch(machine, nw_machine_spawn(machine));
    assert_int_not_equal(nw_machine_fork(machine, 1, false), 0); /* of the one that does not run */
    assert_true(machine->kernel->process[1].space->stale);
    nw_machine_switch(machine, 1);
    uint64_t before = nw_machine_statistics(machine)->page_faults;
    touch(machine, NW_WRITE, VA);
    assert_int_equal(nw_machine_statistics(machine)->page_faults, before + 1);
    nw_machine_destroy(machine);
  }
}

/* -- exits ---------------------------------------------------------------------------------- */

static void a_shadowed_guest_exits_for_roots_addresses_and_tables_alone(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 64 * PAGE, RW, false);
    for (unsigned i = 0; i < 64; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    nw_machine_syscall(machine);
    assert_int_equal(exits(machine, NW_EXIT_PRIVILEGE_SWITCH), 0);
    uint64_t roots = exits(machine, NW_EXIT_ROOT_WRITE);
    nw_machine_unmap(machine, VA, PAGE);
    assert_int_equal(exits(machine, NW_EXIT_TLB_MAINTENANCE), 1);
    assert_true(exits(machine, NW_EXIT_PTE_WRITE) > 0);
    nw_machine_unmap(machine, VA + PAGE, 34 * PAGE); /* more than INVLPG is worth */
    assert_int_equal(exits(machine, NW_EXIT_TLB_MAINTENANCE), 1);
    assert_int_equal(exits(machine, NW_EXIT_ROOT_WRITE), roots + 1);
    nw_machine_switch(machine, nw_machine_spawn(machine));
    assert_int_equal(exits(machine, NW_EXIT_ROOT_WRITE), roots + 2);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void a_nested_guest_exits_for_memory_alone(void **state) {
  (void)state;
  for (unsigned stage2 = NW_STAGE2_NPT; stage2 <= NW_STAGE2_EPT; stage2++) {
    struct nw_machine_config config = small_machine(NW_GUEST_4_LEVEL);
    config.hypervisor.stage2 = (enum nw_stage2)stage2;
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    touch(machine, NW_WRITE, VA);
    nw_machine_unmap(machine, VA, 64 * PAGE);
    nw_machine_switch(machine, nw_machine_fork(machine, 1, false));
    nw_machine_syscall(machine);
    const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
    for (unsigned cause = 0; cause < NW_EXIT_CAUSES; cause++)
      assert_int_equal(statistics->exits[cause] != 0, cause == NW_EXIT_STAGE2_FAULT);
    nw_machine_destroy(machine);
  }
}

/* The walk of a root whose stage-2 entry is gone tells what it would have done to it. */
static void flags_in_ept_make_reads_of_guest_tables_writes(void **state) {
  (void)state;
  for (unsigned flags = 0; flags < 2; flags++) {
    struct nw_machine_config config = small_machine(NW_GUEST_4_LEVEL);
    config.hypervisor.stage2 = NW_STAGE2_EPT;
    config.hypervisor.ept_flags = flags != 0;
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    touch(machine, NW_WRITE, VA);
    uint64_t root = nw_guest_kernel_space(machine->kernel)->table.root;
    uint32_t frame = machine->hypervisor->backing[root >> NW_FRAME_LOG2];
    assert_true(nw_hypervisor_remap(machine->hypervisor, root, frame, false));
    struct nw_request request = {.va = VA, .access = NW_READ, .privilege = NW_USER};
    struct nw_result result;
    assert_true(nw_mmu_regime(machine->mmu)->s2_flags == (flags != 0));
    nw_machine_walk(machine, nw_mmu_regime(machine->mmu), &request, NW_SCOPE_BOTH, &result);
    assert_int_equal(result.fault.stage, 2);
    assert_int_equal(result.fault.failing_access, flags != 0 ? NW_WRITE : NW_READ);
    nw_machine_destroy(machine);
  }
}

/* -- CR0.WP --------------------------------------------------------------------------------- */

static void the_supervisor_writes_read_only_pages_where_wp_is_clear(void **state) {
  (void)state;
  static const struct nw_store store = {.value = 0x1122334455667788, .size = 8};
  char error[200];
  MODES {
    struct nw_machine *machine = running(NW_GUEST_4_LEVEL, mode);
    struct nw_result result;
    uint64_t pa, data;
    nw_machine_map(machine, VA, PAGE, NW_PROT_READ, false);
    touch(machine, NW_READ, VA);
    assert_false(nw_machine_debug_translate(machine, VA, NW_WRITE, NW_PRIVILEGED, &result));
    uint64_t cr0 = nw_machine_read_register(machine, NW_X86_CR0);
    nw_machine_write_register(machine, NW_X86_CR0, cr0 & ~(uint64_t)CR0_WP);
    assert_true(nw_machine_kernel_store(machine, VA + 64, &store));
    assert_true(nw_machine_guest_address(machine, ipa_of(machine, VA + 64), &pa));
    assert_true(nw_physical_read(machine->memory, pa, 8, &data));
    assert_true(data == store.value);
    assert_int_equal(descriptor(machine, VA) & DIRTY, DIRTY);
    touch(machine, NW_READ, VA); /* the program can still read it, and not write it */
    assert_true(nw_machine_debug_translate(machine, VA, NW_READ, NW_USER, &result));
    assert_false(nw_machine_debug_translate(machine, VA, NW_WRITE, NW_USER, &result));
    assert_true(nw_machine_kernel_store(machine, VA + 64, &store));
    if (mode == NW_MODE_SHADOW && !nw_shadow_consistent(nw_shadow_pages_of(machine), error, 200))
      fail_msg("%s", error);
    nw_machine_write_register(machine, NW_X86_CR0, cr0);
    assert_false(nw_machine_debug_translate(machine, VA, NW_WRITE, NW_PRIVILEGED, &result));
    nw_machine_destroy(machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_write_makes_a_page_dirty_in_every_mode),
      cmocka_unit_test(hardware_updates_the_clean_descriptor_alone),
      cmocka_unit_test(a_clean_page_costs_shadow_paging_a_hidden_fault),
      cmocka_unit_test(new_rights_leave_a_dirty_page_dirty),
      cmocka_unit_test(entries_outlive_a_switch_as_long_as_there_are_pcids),
      cmocka_unit_test(what_changed_while_a_process_did_not_run_is_flushed_as_it_returns),
      cmocka_unit_test(a_shadowed_guest_exits_for_roots_addresses_and_tables_alone),
      cmocka_unit_test(a_nested_guest_exits_for_memory_alone),
      cmocka_unit_test(flags_in_ept_make_reads_of_guest_tables_writes),
      cmocka_unit_test(the_supervisor_writes_read_only_pages_where_wp_is_clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
