/* SPDX-License-Identifier: Apache-2.0 */
/* The guest kernel natively: what it maps, counts, shares and gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/machines.h"

#define ARMV7_FORMATS for (unsigned format = NW_GUEST_SHORT; format <= NW_GUEST_LPAE; format++)
#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)

static struct nw_machine *running(unsigned format, enum nw_large_pages large) {
  struct nw_machine_config config = small_machine((enum nw_guest_format)format);
  config.guest.large_pages = large;
  return make_running(&config, NW_MODE_NATIVE);
}

static uint64_t faults(const struct nw_machine *machine) {
  return nw_machine_statistics(machine)->page_faults;
}

static uint64_t pte_writes(const struct nw_machine *machine) {
  return nw_machine_statistics(machine)->pte_writes;
}

static uint8_t page_log2(struct nw_machine *machine, uint64_t va) {
  struct nw_result result;
  return nw_machine_debug_translate(machine, va, NW_READ, NW_USER, &result) ? result.page_log2 : 0;
}

static bool may(struct nw_machine *machine, uint64_t va, enum nw_access access) {
  struct nw_result result;
  return nw_machine_debug_translate(machine, va, access, NW_USER, &result);
}

static void a_page_comes_on_its_first_touch_and_only_then(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    assert_int_equal(nw_machine_map(machine, VA, 8 * PAGE, RW, false), NW_MACHINE_OK);
    assert_int_equal(pte_writes(machine), format == NW_GUEST_LPAE);
    touch(machine, NW_READ, VA + 5 * PAGE);
    touch(machine, NW_WRITE, VA + 5 * PAGE + 4);
    assert_int_equal(faults(machine), 1);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), 2);
    assert_true(may(machine, VA, NW_WRITE));
    assert_false(may(machine, VA, NW_EXECUTE));
    assert_false(may(machine, VA + PAGE, NW_READ));
    nw_machine_destroy(machine);
  }
}

static void the_first_page_writes_its_tables_and_one_descriptor(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    uint64_t before = pte_writes(machine), cycles;
    touch(machine, NW_READ, VA);
    assert_int_equal(pte_writes(machine) - before, guest_levels[format]);
    before = pte_writes(machine);
    cycles = nw_machine_statistics(machine)->cycles_guest_kernel;
    touch(machine, NW_READ, VA + PAGE);
    assert_int_equal(pte_writes(machine) - before, 1);
    assert_int_equal(nw_machine_statistics(machine)->cycles_guest_kernel - cycles,
                     PRICE_FAULT + PRICE_CLEAR + PRICE_PTE_WRITE);
    nw_machine_destroy(machine);
  }
}

static void an_access_outside_every_mapping_is_given_a_page(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    for (enum nw_access access = NW_READ; access <= NW_EXECUTE; access++)
      touch(machine, access, VA);
    assert_int_equal(faults(machine), 1);
    assert_true(may(machine, VA, NW_EXECUTE));
    nw_machine_destroy(machine);
  }
}

static void an_access_that_the_mapping_denies_widens_it_for_that_page(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    nw_machine_map(machine, VA, 4 * PAGE, 0, false);
    touch(machine, NW_READ, VA + PAGE);
    assert_false(may(machine, VA + PAGE, NW_WRITE));
    touch(machine, NW_WRITE, VA + PAGE);
    assert_true(may(machine, VA + PAGE, NW_WRITE));
    assert_false(may(machine, VA + PAGE, NW_EXECUTE));
    touch(machine, NW_READ, VA + 2 * PAGE);
    assert_false(may(machine, VA + 2 * PAGE, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void unmapped_pages_are_gone_from_table_and_tlb(void **state) {
  (void)state;
  FORMATS {
    for (uint64_t pages = 4; pages <= 64; pages += 60) {
      struct nw_machine *machine = running(format, NW_LARGE_NEVER);
      nw_machine_map(machine, VA, pages * PAGE, RW, false);
      uint64_t before = free_frames(machine);
      for (uint64_t i = 0; i < pages; i++)
        touch(machine, NW_WRITE, VA + i * PAGE);
      assert_int_equal(nw_machine_unmap(machine, VA, pages * PAGE), NW_MACHINE_OK);
      assert_int_equal(free_frames(machine), before);
      for (uint64_t i = 0; i < pages; i++) {
        struct nw_request request = {.va = VA + i * PAGE, .debug = true};
        struct nw_result result;
        assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
      }
      nw_machine_destroy(machine);
    }
  }
}

static void a_write_after_fork_copies_and_the_last_owner_keeps_the_page(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    nw_process_id parent = 1, child;
    touch(machine, NW_WRITE, VA);
    uint64_t original = ipa_of(machine, VA), seen = faults(machine);
    child = nw_machine_fork(machine, parent, false);
    assert_int_not_equal(child, 0);
    assert_false(may(machine, VA, NW_WRITE));
    touch(machine, NW_READ, VA);
    assert_int_equal(faults(machine), seen);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), seen + 1);
    assert_int_not_equal(ipa_of(machine, VA), original);
    nw_machine_switch(machine, child);
    assert_int_equal(ipa_of(machine, VA), original);
    assert_false(may(machine, VA, NW_WRITE));
    uint64_t free = free_frames(machine);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), seen + 2);
    assert_int_equal(ipa_of(machine, VA), original);
    assert_int_equal(free_frames(machine), free);
    nw_machine_destroy(machine);
  }
}

static void a_copy_costs_a_fault_a_copy_and_two_descriptors(void **state) {
  (void)state;
  struct nw_machine *machine = running(NW_GUEST_LPAE, NW_LARGE_NEVER);
  touch(machine, NW_WRITE, VA);
  nw_machine_fork(machine, 1, false);
  struct nw_machine_statistics before = *nw_machine_statistics(machine);
  touch(machine, NW_WRITE, VA);
  const struct nw_machine_statistics *after = nw_machine_statistics(machine);
  assert_int_equal(after->pte_writes - before.pte_writes, 2);
  assert_int_equal(after->cycles_guest_kernel - before.cycles_guest_kernel,
                   PRICE_FAULT + PRICE_COPY + 2 * PRICE_PTE_WRITE);
  nw_machine_destroy(machine);
}

static void a_shared_mapping_is_not_copied_by_fork(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    nw_machine_map(machine, VA, PAGE, RW, true);
    touch(machine, NW_WRITE, VA);
    uint64_t frame = ipa_of(machine, VA), seen = faults(machine);
    nw_process_id child = nw_machine_fork(machine, 1, false);
    touch(machine, NW_WRITE, VA);
    nw_machine_switch(machine, child);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(ipa_of(machine, VA), frame);
    assert_int_equal(faults(machine), seen);
    nw_machine_destroy(machine);
  }
}

static void a_thread_lives_in_its_parents_address_space(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    touch(machine, NW_WRITE, VA);
    uint64_t free = free_frames(machine), seen = faults(machine);
    nw_process_id thread = nw_machine_fork(machine, 1, true);
    assert_int_equal(free_frames(machine), free);
    assert_int_equal(nw_machine_switch(machine, thread), NW_MACHINE_OK);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), seen);
    assert_int_equal(nw_machine_exit(machine, 1), NW_MACHINE_OK);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), seen);
    nw_machine_destroy(machine);
  }
}

static void all_frames_are_free_again_after_exit(void **state) {
  (void)state;
  FORMATS {
    for (unsigned large = NW_LARGE_NEVER; large <= NW_LARGE_ALWAYS; large++) {
      struct nw_machine_config config = small_machine((enum nw_guest_format)format);
      config.guest.large_pages = (enum nw_large_pages)large;
      struct nw_machine *machine = make_machine(&config, NW_MODE_NATIVE);
      uint64_t free = free_frames(machine);
      nw_process_id process = nw_machine_spawn(machine);
      nw_machine_switch(machine, process);
      nw_machine_map(machine, VA, 5 * MIB, RW, false);
      for (uint64_t va = VA; va < VA + 5 * MIB; va += 37 * PAGE)
        touch(machine, NW_WRITE, va);
      touch(machine, NW_WRITE, 0xbfffffff - 3);
      nw_process_id child = nw_machine_fork(machine, process, false);
      touch(machine, NW_WRITE, VA);
      assert_int_equal(nw_machine_exit(machine, process), NW_MACHINE_OK);
      assert_true(free_frames(machine) < free);
      assert_int_equal(nw_machine_exit(machine, child), NW_MACHINE_OK);
      assert_int_equal(free_frames(machine), free);
      nw_machine_destroy(machine);
    }
  }
}

static void exec_drops_all_mappings_and_goes_on_running(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    uint64_t free = free_frames(machine);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(nw_machine_exec(machine), NW_MACHINE_OK);
    assert_int_equal(free_frames(machine), free);
    assert_false(may(machine, VA, NW_READ));
    touch(machine, NW_WRITE, VA);
    assert_int_equal(faults(machine), 2);
    nw_machine_destroy(machine);
  }
}

static void exec_of_a_thread_leaves_the_others_alone(void **state) {
  (void)state;
  struct nw_machine *machine = running(NW_GUEST_SHORT, NW_LARGE_NEVER);
  touch(machine, NW_WRITE, VA);
  nw_process_id child = nw_machine_fork(machine, 1, true);
  nw_machine_switch(machine, child);
  assert_int_equal(nw_machine_exec(machine), NW_MACHINE_OK);
  assert_false(may(machine, VA, NW_READ));
  nw_machine_switch(machine, 1);
  assert_true(may(machine, VA, NW_WRITE));
  nw_machine_destroy(machine);
}

static void protection_takes_effect_at_once(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    nw_machine_map(machine, VA, 3 * PAGE, RW, false);
    for (unsigned i = 0; i < 3; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    assert_int_equal(nw_machine_protect(machine, VA + PAGE, PAGE, NW_PROT_READ | NW_PROT_EXEC),
                     NW_MACHINE_OK);
    assert_true(may(machine, VA + PAGE, NW_EXECUTE));
    struct nw_request request = {.va = VA + PAGE, .access = NW_WRITE, .debug = true};
    struct nw_result result;
    assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
    assert_int_equal(result.fault.type, NW_FAULT_PERMISSION);
    assert_true(may(machine, VA, NW_WRITE) && may(machine, VA + 2 * PAGE, NW_WRITE));
    assert_int_equal(nw_machine_protect(machine, VA, PAGE, 0), NW_MACHINE_OK);
    assert_false(may(machine, VA, NW_READ));
    nw_machine_destroy(machine);
  }
}

static void remapped_pages_move_with_their_frames(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    uint64_t to = UINT64_C(0x70000000), frame[3], seen;
    nw_machine_map(machine, VA, 3 * PAGE, RW, false);
    for (unsigned i = 0; i < 3; i++) {
      touch(machine, NW_WRITE, VA + i * PAGE);
      frame[i] = ipa_of(machine, VA + i * PAGE);
    }
    seen = faults(machine);
    assert_int_equal(nw_machine_remap(machine, VA, 3 * PAGE, to, 5 * PAGE), NW_MACHINE_OK);
    for (unsigned i = 0; i < 3; i++) {
      assert_int_equal(ipa_of(machine, to + i * PAGE), frame[i]);
      assert_false(may(machine, VA + i * PAGE, NW_READ));
    }
    touch(machine, NW_WRITE, to + 2 * PAGE);
    assert_int_equal(faults(machine), seen);
    touch(machine, NW_WRITE, to + 4 * PAGE);
    assert_false(may(machine, to + 4 * PAGE, NW_EXECUTE));
    assert_int_equal(nw_machine_remap(machine, to, 5 * PAGE, to, PAGE), NW_MACHINE_OK);
    assert_true(may(machine, to, NW_WRITE));
    assert_false(may(machine, to + PAGE, NW_READ));
    assert_int_equal(nw_machine_remap(machine, to, 2 * PAGE, to + PAGE, 2 * PAGE),
                     NW_MACHINE_BAD_ADDRESS);
    nw_machine_destroy(machine);
  }
}

static void an_aligned_mapping_gets_large_pages(void **state) {
  (void)state;
  FORMATS {
    uint8_t large = format == NW_GUEST_SHORT ? 20 : 21;
    struct nw_machine *machine = running(format, NW_LARGE_ALIGNED);
    nw_machine_map(machine, VA, 2 * MIB + 64 * 1024 + PAGE, RW, false);
    uint64_t before = pte_writes(machine);
    touch(machine, NW_WRITE, VA + 9 * PAGE);
    assert_int_equal(pte_writes(machine) - before, guest_levels[format] - 1);
    assert_int_equal(page_log2(machine, VA), large);
    touch(machine, NW_WRITE, VA + 2 * MIB);
    assert_int_equal(page_log2(machine, VA + 2 * MIB), format == NW_GUEST_SHORT ? 16 : 12);
    touch(machine, NW_WRITE, VA + 2 * MIB + 64 * 1024);
    assert_int_equal(page_log2(machine, VA + 2 * MIB + 64 * 1024), 12);
    nw_machine_destroy(machine);
  }
}

static void always_large_pages_stand_out_of_small_mappings(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_ALWAYS);
    uint64_t free = free_frames(machine);
    nw_machine_map(machine, VA + 3 * PAGE, 2 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA + 3 * PAGE);
    assert_int_equal(page_log2(machine, VA), format == NW_GUEST_SHORT ? 20 : 21);
    /* brk grows the mapping into what is there already. */
    nw_machine_map(machine, VA + 5 * PAGE, 2 * PAGE, RW, false);
    touch(machine, NW_WRITE, VA + 6 * PAGE);
    assert_int_equal(page_log2(machine, VA + 6 * PAGE), format == NW_GUEST_SHORT ? 20 : 21);
    nw_machine_unmap(machine, VA + 3 * PAGE, 4 * PAGE);
    assert_false(may(machine, VA, NW_READ));
    assert_int_equal(free_frames(machine), free);
    nw_machine_destroy(machine);
  }
}

static void large_pages_are_split_by_unmap_protect_and_copies(void **state) {
  (void)state;
  FORMATS {
    for (unsigned how = 0; how < 3; how++) {
      struct nw_machine *machine = running(format, NW_LARGE_ALIGNED);
      nw_machine_map(machine, VA, 2 * MIB, RW, false);
      touch(machine, NW_WRITE, VA);
      uint64_t frame = ipa_of(machine, VA);
      if (how == 0)
        nw_machine_unmap(machine, VA + 5 * PAGE, PAGE);
      if (how == 1)
        nw_machine_protect(machine, VA + 5 * PAGE, PAGE, NW_PROT_READ);
      if (how == 2) {
        nw_machine_fork(machine, 1, false);
        assert_true(page_log2(machine, VA) > 12);
        touch(machine, NW_WRITE, VA + 5 * PAGE);
        assert_int_not_equal(ipa_of(machine, VA + 5 * PAGE), frame + 5 * PAGE);
      }
      assert_int_equal(page_log2(machine, VA), 12);
      assert_int_equal(ipa_of(machine, VA + 4 * PAGE), frame + 4 * PAGE);
      assert_int_equal(ipa_of(machine, VA + 6 * PAGE), frame + 6 * PAGE);
      assert_int_equal(may(machine, VA + 5 * PAGE, NW_READ), how != 0);
      assert_int_equal(may(machine, VA + 5 * PAGE, NW_WRITE), how == 2);
      nw_machine_destroy(machine);
    }
  }
}

static void an_asid_used_again_finds_nothing_of_its_last_owner_in_the_tlb(void **state) {
  (void)state;
  FORMATS {
    for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++) {
      struct nw_machine_config config = small_machine((enum nw_guest_format)format);
      struct nw_machine *machine = make_running(&config, mode);
      touch(machine, NW_WRITE, VA);
      for (unsigned i = 0; i < 300; i++) {
        nw_process_id process = nw_machine_spawn(machine);
        assert_int_equal(nw_machine_switch(machine, process), NW_MACHINE_OK);
        struct nw_request request = {.va = VA, .access = NW_READ, .debug = true};
        struct nw_result result;
        assert_false(nw_mmu_translate(machine->mmu, &request, &machine->walker, &result));
      }
      assert_int_equal(machine->kernel->asid_generation, format <= NW_GUEST_LPAE ? 2 : 1);
      assert_int_equal(nw_machine_switch(machine, 1), NW_MACHINE_OK);
      touch(machine, NW_WRITE, VA);
      assert_int_equal(faults(machine), 1);
      nw_machine_destroy(machine);
    }
  }
}

static void a_switch_writes_root_and_asid_and_none_when_already_there(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    nw_process_id other = nw_machine_spawn(machine);
    unsigned reg = machine->software->root_register;
    uint64_t root = nw_mmu_regime(machine->mmu)->reg[reg];
    assert_int_equal(nw_machine_statistics(machine)->context_switches, 1);
    assert_int_equal(nw_machine_switch(machine, 1), NW_MACHINE_OK);
    assert_int_equal(nw_machine_statistics(machine)->context_switches, 1);
    uint64_t cycles = nw_machine_statistics(machine)->cycles_guest_kernel;
    assert_int_equal(nw_machine_switch(machine, other), NW_MACHINE_OK);
    assert_int_equal(nw_machine_statistics(machine)->context_switches, 2);
    assert_int_not_equal(nw_mmu_regime(machine->mmu)->reg[reg], root);
    assert_int_equal(nw_mmu_regime(machine->mmu)->asid, 2);
    assert_int_equal(nw_machine_statistics(machine)->cycles_guest_kernel - cycles, PRICE_SWITCH);
    nw_machine_destroy(machine);
  }
}

static void programs_reach_their_own_space_and_the_vector_page_only(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = running(format, NW_LARGE_NEVER);
    uint64_t page = machine->layout->helper_page, end = machine->user_end;
    touch(machine, NW_EXECUTE, page + 0xfa0);
    touch(machine, NW_READ, page + 0xffc);
    assert_int_equal(faults(machine), 0);
    assert_int_equal(nw_machine_access(machine, NW_WRITE, page + 0xfa0, 1), NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(nw_machine_access(machine, NW_READ, page + PAGE, 1), NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(nw_machine_access(machine, NW_READ, end, 1), NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(nw_machine_access(machine, NW_READ, UINT64_MAX, 1), NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(faults(machine), 0);
    touch(machine, NW_WRITE, end - 4);
    touch(machine, NW_WRITE, 0);
    assert_int_equal(nw_machine_map(machine, end - PAGE, 2 * PAGE, RW, false),
                     NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(nw_machine_unmap(machine, PAGE, UINT64_MAX), NW_MACHINE_BAD_ADDRESS);
    assert_int_equal(nw_machine_map(machine, VA, 0, RW, false), NW_MACHINE_OK);
    nw_machine_destroy(machine);
  }
}

static void nothing_runs_without_a_process(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  struct nw_machine *machine = make_machine(&config, NW_MODE_NATIVE);
  assert_int_equal(nw_machine_access(machine, NW_READ, VA, 1), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_map(machine, VA, PAGE, RW, false), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_exec(machine), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_syscall(machine), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_switch(machine, 0), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_switch(machine, 7), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_fork(machine, 3, false), 0);
  nw_process_id process = nw_machine_spawn(machine);
  nw_machine_switch(machine, process);
  touch(machine, NW_READ, VA);
  assert_int_equal(nw_machine_exit(machine, process), NW_MACHINE_OK);
  assert_int_equal(nw_machine_exit(machine, process), NW_MACHINE_BAD_PROCESS);
  assert_int_equal(nw_machine_access(machine, NW_READ, VA, 1), NW_MACHINE_BAD_PROCESS);
  nw_machine_destroy(machine);
}

static void memory_that_runs_out_is_reported_and_comes_back(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.memory = 2 * MIB;
    struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
    uint64_t free = free_frames(machine), va = VA;
    enum nw_machine_status status = NW_MACHINE_OK;
    for (; status == NW_MACHINE_OK && va < VA + 4 * MIB; va += PAGE)
      status = nw_machine_access(machine, NW_WRITE, va, 1);
    assert_int_equal(status, NW_MACHINE_OUT_OF_GUEST_MEMORY);
    assert_int_equal(nw_machine_fork(machine, 1, false), 0);
    assert_int_equal(nw_machine_unmap(machine, VA, 4 * MIB), NW_MACHINE_OK);
    assert_int_equal(free_frames(machine), free);
    touch(machine, NW_WRITE, VA);
    nw_machine_destroy(machine);
  }
}

static void memory_beyond_the_linear_map_serves_programs(void **state) {
  (void)state;
  ARMV7_FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.memory = UINT64_C(2048) * MIB;
    struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
    touch(machine, NW_WRITE, VA);
    assert_true(ipa_of(machine, VA) >= machine->layout->linear_bytes);
    nw_machine_fork(machine, 1, false);
    touch(machine, NW_WRITE, VA);
    assert_true(nw_guest_kernel_space(machine->kernel)->table.root < machine->layout->linear_bytes);
    nw_machine_destroy(machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_page_comes_on_its_first_touch_and_only_then),
      cmocka_unit_test(the_first_page_writes_its_tables_and_one_descriptor),
      cmocka_unit_test(an_access_outside_every_mapping_is_given_a_page),
      cmocka_unit_test(an_access_that_the_mapping_denies_widens_it_for_that_page),
      cmocka_unit_test(unmapped_pages_are_gone_from_table_and_tlb),
      cmocka_unit_test(a_write_after_fork_copies_and_the_last_owner_keeps_the_page),
      cmocka_unit_test(a_copy_costs_a_fault_a_copy_and_two_descriptors),
      cmocka_unit_test(a_shared_mapping_is_not_copied_by_fork),
      cmocka_unit_test(a_thread_lives_in_its_parents_address_space),
      cmocka_unit_test(all_frames_are_free_again_after_exit),
      cmocka_unit_test(exec_drops_all_mappings_and_goes_on_running),
      cmocka_unit_test(exec_of_a_thread_leaves_the_others_alone),
      cmocka_unit_test(protection_takes_effect_at_once),
      cmocka_unit_test(remapped_pages_move_with_their_frames),
      cmocka_unit_test(an_aligned_mapping_gets_large_pages),
      cmocka_unit_test(always_large_pages_stand_out_of_small_mappings),
      cmocka_unit_test(large_pages_are_split_by_unmap_protect_and_copies),
      cmocka_unit_test(an_asid_used_again_finds_nothing_of_its_last_owner_in_the_tlb),
      cmocka_unit_test(a_switch_writes_root_and_asid_and_none_when_already_there),
      cmocka_unit_test(programs_reach_their_own_space_and_the_vector_page_only),
      cmocka_unit_test(nothing_runs_without_a_process),
      cmocka_unit_test(memory_that_runs_out_is_reported_and_comes_back),
      cmocka_unit_test(memory_beyond_the_linear_map_serves_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
