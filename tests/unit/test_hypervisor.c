/* SPDX-License-Identifier: Apache-2.0 */
/* Nested paging and what every hypervisor has: stage 2, devices, prices, host memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/machines.h"

#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)
#define DEVICE UINT64_C(0x10000000)

static uint64_t exits(const struct nw_machine *machine, enum nw_exit_cause cause) {
  return nw_machine_statistics(machine)->exits[cause];
}

static uint64_t all_exits(const struct nw_machine *machine) {
  uint64_t sum = 0;
  for (unsigned cause = 0; cause < NW_EXIT_CAUSES; cause++)
    sum += exits(machine, (enum nw_exit_cause)cause);
  return sum;
}

static void nested_exits_once_for_each_guest_frame_and_never_again(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    touch(machine, NW_WRITE, VA);
    uint64_t before = all_exits(machine);
    touch(machine, NW_WRITE, VA + PAGE);
    assert_int_equal(all_exits(machine) - before, 1);
    assert_int_equal(exits(machine, NW_EXIT_STAGE2_FAULT), all_exits(machine));
    /* The kernel gives the frame out again: stage 2 has it already. */
    nw_machine_unmap(machine, VA, 2 * PAGE);
    before = all_exits(machine);
    touch(machine, NW_WRITE, VA);
    touch(machine, NW_WRITE, VA + PAGE);
    assert_int_equal(all_exits(machine), before);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void nested_tables_roots_and_tlbs_are_the_guests_own(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    nw_process_id other = nw_machine_spawn(machine);
    touch(machine, NW_WRITE, VA);
    uint64_t before = all_exits(machine);
    nw_machine_switch(machine, other);
    nw_machine_switch(machine, 1);
    nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
    nw_machine_syscall(machine);
    nw_machine_unmap(machine, VA, PAGE);
    assert_int_equal(all_exits(machine), before);
    nw_machine_destroy(machine);
  }
}

static void a_stage_2_exit_costs_its_price_and_its_references(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
  touch(machine, NW_WRITE, VA);
  struct nw_machine_statistics before = *nw_machine_statistics(machine);
  touch(machine, NW_WRITE, VA + PAGE);
  const struct nw_machine_statistics *after = nw_machine_statistics(machine);
  uint64_t price = PRICE_TRAP + PRICE_WORLD_SWITCH + PRICE_HANDLER + 10 * NW_EXIT_STAGE2_FAULT;
  uint64_t cycles =
      after->exit_cycles[NW_EXIT_STAGE2_FAULT] - before.exit_cycles[NW_EXIT_STAGE2_FAULT];
  assert_int_equal(after->exits[NW_EXIT_STAGE2_FAULT] - before.exits[NW_EXIT_STAGE2_FAULT], 1);
  /* The map's leaf written, three references to read it, the stage-2 leaf written: each found in
   * the cache, or not. */
  assert_true(cycles >= price + 5 * 4 && cycles <= price + 5 * 100);
  assert_int_equal(after->cycles_exits - before.cycles_exits, cycles);
  nw_machine_destroy(machine);
}

static void large_stage_2_blocks_bring_512_frames_with_one_exit(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  config.hypervisor.stage2_large = true;
  struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
  uint64_t before = all_exits(machine);
  for (uint64_t i = 0; i < 1024; i++)
    touch(machine, NW_WRITE, VA + i * PAGE);
  /* 4 MB and a little more, some of it in the block that the kernel itself is in. */
  assert_int_equal(all_exits(machine) - before, 2);
  assert_int_equal(nw_hypervisor_backing_log2(machine->hypervisor, ipa_of(machine, VA)), 21);
  nw_machine_destroy(machine);
}

static void blocks_that_would_reach_a_device_stay_small(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.hypervisor.stage2_large = true;
  config.hypervisor.mmio[0] = (struct nw_mmio_range){2 * MIB + 8 * PAGE, PAGE};
  config.hypervisor.mmio_ranges = 1;
  struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
  bool small = false;
  for (uint64_t i = 0; i < 1024; i++) {
    touch(machine, NW_WRITE, VA + i * PAGE);
    uint64_t ipa = ipa_of(machine, VA + i * PAGE);
    uint8_t log2 = nw_hypervisor_backing_log2(machine->hypervisor, ipa);
    assert_int_not_equal(ipa, 2 * MIB + 8 * PAGE);
    assert_int_equal(log2, ipa >> 21 == 1 ? 12 : 21);
    small = small || log2 == 12;
  }
  assert_true(small);
  nw_machine_destroy(machine);
}

static void every_access_to_a_device_exits_and_its_page_is_never_mapped(void **state) {
  (void)state;
  FORMATS {
    for (enum nw_mode mode = NW_MODE_NESTED; mode < NW_MODES; mode++) {
      struct nw_machine_config config = small_machine((enum nw_guest_format)format);
      config.hypervisor.mmio[0] = (struct nw_mmio_range){DEVICE, 4 * PAGE};
      config.hypervisor.mmio_ranges = 1;
      struct nw_machine *machine = make_running(&config, mode);
      struct nw_result result;
      assert_int_equal(nw_machine_map_device(machine, VA, 4 * PAGE, DEVICE), NW_MACHINE_OK);
      touch(machine, NW_READ, VA);
      uint64_t others = all_exits(machine) - exits(machine, NW_EXIT_MMIO);
      for (unsigned i = 0; i < 5; i++) {
        touch(machine, NW_WRITE, VA + 4 * i);
        touch(machine, NW_READ, VA + 4 * i);
      }
      assert_int_equal(exits(machine, NW_EXIT_MMIO), 11);
      assert_int_equal(all_exits(machine) - exits(machine, NW_EXIT_MMIO), others);
      assert_int_equal(nw_machine_statistics(machine)->references, 11);
      assert_false(nw_machine_debug_translate(machine, VA, NW_READ, NW_USER, &result));
      check_sums(machine);
      nw_machine_destroy(machine);
    }
  }
}

static void natively_devices_are_reached_without_exits(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.hypervisor.mmio[0] = (struct nw_mmio_range){DEVICE, 4 * PAGE};
  config.hypervisor.mmio_ranges = 1;
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  struct nw_result result;
  nw_machine_map_device(machine, VA, 4 * PAGE, DEVICE);
  touch(machine, NW_WRITE, VA + PAGE);
  assert_int_equal(all_exits(machine), 0);
  assert_true(nw_machine_debug_translate(machine, VA + PAGE, NW_READ, NW_USER, &result));
  assert_int_equal(result.pa, DEVICE + PAGE);
  nw_machine_destroy(machine);
}

static void device_mappings_of_memory_or_of_nothing_are_refused(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.hypervisor.mmio[0] = (struct nw_mmio_range){DEVICE, 4 * PAGE};
  config.hypervisor.mmio_ranges = 1;
  struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
  assert_int_equal(nw_machine_map_device(machine, VA, 5 * PAGE, DEVICE), NW_MACHINE_BAD_ADDRESS);
  assert_int_equal(nw_machine_map_device(machine, VA, PAGE, MIB), NW_MACHINE_BAD_ADDRESS);
  assert_int_equal(nw_machine_map_device(machine, VA, PAGE, DEVICE + 8), NW_MACHINE_BAD_ADDRESS);
  assert_int_equal(nw_machine_map_device(machine, VA, UINT64_MAX, DEVICE), NW_MACHINE_BAD_ADDRESS);
  nw_machine_destroy(machine);
}

static void the_hosts_map_is_a_table_that_gives_what_backs_the_guest(void **state) {
  (void)state;
  for (unsigned large = 0; large < 2; large++) {
    struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
    config.hypervisor.stage2_large = large;
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    for (uint64_t i = 0; i < 40; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    for (uint64_t i = 0; i < 40; i++) {
      uint64_t ipa = ipa_of(machine, VA + i * PAGE) + 12, pa;
      struct nw_result host;
      nw_hypervisor_begin(machine->hypervisor);
      assert_true(nw_hypervisor_walk_host(machine->hypervisor, ipa, NW_READ, &host));
      assert_true(nw_hypervisor_backing(machine->hypervisor, ipa, &pa));
      assert_int_equal(host.fault.type, NW_FAULT_NONE);
      assert_int_equal(host.pa, pa);
      assert_int_equal(host.walk_reads, large ? 2 : 3);
    }
    nw_machine_destroy(machine);
  }
}

static void host_memory_that_runs_out_is_reported(void **state) {
  (void)state;
  for (enum nw_mode mode = NW_MODE_NESTED; mode < NW_MODES; mode++) {
    struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
    config.hypervisor.memory = 2 * MIB;
    struct nw_machine *machine = make_running(&config, mode);
    enum nw_machine_status status = NW_MACHINE_OK;
    uint64_t va = VA;
    for (; status == NW_MACHINE_OK && va < VA + 4 * MIB; va += PAGE)
      status = nw_machine_access(machine, NW_WRITE, va, 1);
    assert_int_equal(status, NW_MACHINE_OUT_OF_HOST_MEMORY);
    touch(machine, NW_READ, VA);
    nw_machine_destroy(machine);
  }
}

static void devices_high_in_memory_widen_stage_2(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  config.hypervisor.mmio[0] = (struct nw_mmio_range){UINT64_C(0xffff000000), 0x1000000};
  config.hypervisor.mmio_ranges = 1;
  struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
  assert_int_equal(nw_mmu_regime(machine->mmu)->s2_root.input_bits, 40);
  assert_int_equal(nw_mmu_regime(machine->mmu)->s2_root.start_level, 1);
  assert_false(nw_mmu_regime(machine->mmu)->s2_root.disabled);
  nw_machine_map_device(machine, VA, PAGE, UINT64_C(0xfffffff000));
  touch(machine, NW_WRITE, VA);
  assert_int_equal(exits(machine, NW_EXIT_MMIO), 1);
  nw_machine_destroy(machine);
  config.hypervisor.mmio_ranges = 0;
  machine = make_running(&config, NW_MODE_NESTED);
  assert_int_equal(nw_mmu_regime(machine->mmu)->s2_root.input_bits, 32);
  nw_machine_destroy(machine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nested_exits_once_for_each_guest_frame_and_never_again),
      cmocka_unit_test(nested_tables_roots_and_tlbs_are_the_guests_own),
      cmocka_unit_test(a_stage_2_exit_costs_its_price_and_its_references),
      cmocka_unit_test(large_stage_2_blocks_bring_512_frames_with_one_exit),
      cmocka_unit_test(blocks_that_would_reach_a_device_stay_small),
      cmocka_unit_test(every_access_to_a_device_exits_and_its_page_is_never_mapped),
      cmocka_unit_test(natively_devices_are_reached_without_exits),
      cmocka_unit_test(device_mappings_of_memory_or_of_nothing_are_refused),
      cmocka_unit_test(the_hosts_map_is_a_table_that_gives_what_backs_the_guest),
      cmocka_unit_test(host_memory_that_runs_out_is_reported),
      cmocka_unit_test(devices_high_in_memory_widen_stage_2),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
