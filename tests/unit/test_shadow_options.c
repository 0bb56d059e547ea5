/* SPDX-License-Identifier: Apache-2.0 */
/* The options of shadow paging, each alone: what it does, what it saves, where it keeps off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/counts.h"
#include "system/gauge.h"

#define ARMV7_FORMATS for (unsigned format = NW_GUEST_SHORT; format <= NW_GUEST_LPAE; format++)
#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)

static struct nw_machine_config config_of(unsigned format) {
  return small_machine((enum nw_guest_format)format);
}

/* A process with `pages` pages from VA on, all touched. */
static struct nw_machine *with_pages(const struct nw_machine_config *config, uint64_t pages) {
  struct nw_machine *machine = make_running(config, NW_MODE_SHADOW);
  assert_int_equal(nw_machine_map(machine, VA, pages * PAGE, RW, false), NW_MACHINE_OK);
  for (uint64_t i = 0; i < pages; i++)
    touch(machine, NW_WRITE, VA + i * PAGE);
  return machine;
}

/* -- root register -------------------------------------------------------------------------- */

static void the_guest_reads_back_the_root_it_wrote(void **state) {
  (void)state;
  ARMV7_FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, 1);
    const struct nw_address_space *space = nw_guest_kernel_space(machine->kernel);
    uint64_t asid = format == NW_GUEST_LPAE ? (uint64_t)space->asid << 48 : 0;
    uint64_t hardware = nw_mmu_regime(machine->mmu)->reg[NW_REG_TTBR0];
    assert_int_equal(nw_machine_read_register(machine, NW_REG_TTBR0), space->table.root | asid);
    assert_int_not_equal(hardware, space->table.root | asid);
    assert_int_equal(nw_machine_read_register(machine, NW_REG_DACR), 0x5);
    assert_int_not_equal(nw_mmu_regime(machine->mmu)->reg[NW_REG_DACR], 0x5);
    nw_machine_destroy(machine);
  }
}

/* -- cached roots --------------------------------------------------------------------------- */

/* Two processes that have touched the same address; the first runs. */
static struct nw_machine *two_processes(const struct nw_machine_config *config) {
  struct nw_machine *machine = make_running(config, NW_MODE_SHADOW);
  touch(machine, NW_WRITE, VA);
  assert_int_equal(nw_machine_switch(machine, nw_machine_spawn(machine)), NW_MACHINE_OK);
  touch(machine, NW_WRITE, VA);
  nw_machine_switch(machine, 1);
  touch(machine, NW_WRITE, VA);
  return machine;
}

static void a_root_that_is_written_again_finds_its_tables(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = two_processes(&config);
    struct since since = since_now(machine);
    for (unsigned i = 0; i < 6; i++) {
      nw_machine_switch(machine, 2 - i % 2);
      touch(machine, NW_WRITE, VA);
    }
    assert_int_equal(GROWN(&since, shadow_cached_hits), 6);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 0);
    nw_machine_destroy(machine);
  }
}

static void without_cached_roots_every_root_write_starts_from_nothing(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.cache_roots = false;
    struct nw_machine *machine = two_processes(&config);
    struct since since = since_now(machine);
    for (unsigned i = 0; i < 6; i++) {
      nw_machine_switch(machine, 2 - i % 2);
      assert_false(present(machine, VA, NW_READ));
      touch(machine, NW_WRITE, VA);
    }
    assert_int_equal(GROWN(&since, shadow_cached_hits), 0);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 6);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* -- memory --------------------------------------------------------------------------------- */

static uint64_t root_of(struct nw_machine *machine, nw_process_id id) {
  return machine->kernel->process[id].space->table.root;
}

static void the_tables_used_longest_ago_are_evicted(void **state) {
  (void)state;
  struct nw_machine_config config = config_of(NW_GUEST_SHORT);
  /* Room for two views of 16 KB for each of three processes, and their small tables. */
  config.hypervisor.shadow.memory = 128 * 1024;
  struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
  struct nw_shadows *shadows = nw_shadow_pages_of(machine);
  static const unsigned order[] = {1, 2, 3, 1, 4, 1, 5, 1, 6};
  for (unsigned i = 0; i < 5; i++)
    nw_machine_spawn(machine);
  for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
    nw_machine_switch(machine, order[i]);
    touch(machine, NW_WRITE, VA);
    assert_true(consistent(machine));
  }
  assert_false(nw_shadow_is_table(shadows, root_of(machine, 2)));
  assert_false(nw_shadow_is_table(shadows, root_of(machine, 3)));
  assert_true(nw_shadow_is_table(shadows, root_of(machine, 1)));
  assert_true(nw_shadow_is_table(shadows, root_of(machine, 6)));
  assert_true(nw_machine_statistics(machine)->shadow_evictions > 0);
  nw_machine_destroy(machine);
}

static void the_memory_limit_holds_and_what_runs_is_not_evicted(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.memory = 128 * 1024;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    for (uint64_t i = 0; i < 300; i++) {
      uint64_t va = VA + i * 4 * MIB;
      touch(machine, NW_WRITE, va);
      assert_true(present(machine, va, NW_WRITE));
      assert_true(nw_shadow_is_table(nw_shadow_pages_of(machine), root_of(machine, 1)));
      assert_true(nw_machine_statistics(machine)->shadow_bytes <= 128 * 1024);
    }
    assert_true(nw_machine_statistics(machine)->shadow_evictions > 0);
    assert_true(consistent(machine));
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void too_little_memory_is_refused(void **state) {
  (void)state;
  struct nw_machine_config config = config_of(NW_GUEST_SHORT);
  char error[200] = "";
  config.hypervisor.shadow.memory = 4096;
  assert_null(nw_machine_create(&config, NW_MODE_SHADOW, error, sizeof error));
  assert_non_null(strstr(error, "hypervisor.shadow.memory is 4096 bytes"));
}

static void an_amount_over_time_has_a_peak_and_an_average(void **state) {
  (void)state;
  struct nw_gauge gauge = {0};
  nw_gauge_set(&gauge, 10, 100); /* 0 until 100 */
  nw_gauge_set(&gauge, 40, 200); /* 10 until 200 */
  nw_gauge_set(&gauge, 20, 300); /* 40 until 300 */
  assert_int_equal(gauge.peak, 40);
  assert_int_equal(nw_gauge_average(&gauge, 500), (100 * 10 + 100 * 40 + 200 * 20) / 500);
  nw_gauge_reset(&gauge, 500);
  assert_int_equal(gauge.peak, 20);
  assert_int_equal(nw_gauge_average(&gauge, 500), 20);
  assert_int_equal(nw_gauge_average(&gauge, 700), 20);
}

static void the_bytes_of_shadow_tables_are_reported_over_time(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    uint64_t empty = nw_machine_statistics(machine)->shadow_bytes;
    for (uint64_t i = 0; i < 20; i++)
      touch(machine, NW_WRITE, VA + i * 4 * MIB);
    uint64_t full = nw_machine_statistics(machine)->shadow_bytes;
    nw_machine_exec(machine);
    const struct nw_machine_statistics *now = nw_machine_statistics(machine);
    assert_true(now->shadow_bytes_peak >= full && full > empty);
    assert_true(now->shadow_bytes < full);
    assert_true(empty <= now->shadow_bytes_average && now->shadow_bytes_average < full);
    nw_machine_destroy(machine);
  }
}

/* -- write flooding ------------------------------------------------------------------------- */

static bool table_is_shadowed(struct nw_machine *machine) {
  return nw_shadow_is_table(nw_shadow_pages_of(machine), descriptor_of(machine, VA));
}

static void a_table_written_three_times_without_use_is_unshadowed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.flood = 3;
    struct nw_machine *machine = with_pages(&config, 16);
    struct since since = since_now(machine);
    for (uint64_t i = 0; i < 3; i++) {
      assert_true(table_is_shadowed(machine));
      nw_machine_protect(machine, VA + i * PAGE, PAGE, NW_PROT_READ);
    }
    assert_false(table_is_shadowed(machine));
    assert_int_equal(GROWN(&since, shadow_unshadowed), 1);
    nw_machine_protect(machine, VA + 3 * PAGE, PAGE, NW_PROT_READ);
    since = since_now(machine);
    nw_machine_protect(machine, VA + 4 * PAGE, 8 * PAGE, NW_PROT_READ);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE) + exits(&since, NW_EXIT_HIDDEN_FAULT), 0);
    assert_false(present(machine, VA, NW_READ));
    touch(machine, NW_READ, VA);
    assert_true(table_is_shadowed(machine) && consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void use_between_the_writes_keeps_a_table_shadowed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, 16);
    for (uint64_t i = 0; i < 10; i++) {
      nw_machine_protect(machine, VA + i * PAGE, PAGE, NW_PROT_READ);
      touch(machine, NW_READ, VA + i * PAGE);
      assert_true(table_is_shadowed(machine));
    }
    assert_int_equal(nw_machine_statistics(machine)->shadow_unshadowed, 0);
    nw_machine_destroy(machine);
  }
}

static void with_flood_0_no_table_is_unshadowed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.flood = 0;
    struct nw_machine *machine = with_pages(&config, 16);
    struct since since = since_now(machine);
    nw_machine_protect(machine, VA, 16 * PAGE, NW_PROT_READ);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 16);
    assert_true(table_is_shadowed(machine));
    nw_machine_destroy(machine);
  }
}

static void the_running_root_is_never_unshadowed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.flood = 1;
    struct nw_machine *machine = with_pages(&config, 1);
    uint64_t root = root_of(machine, 1);
    for (uint64_t i = 0; i < 8; i++)
      store_descriptor(machine, root + i % 3 * machine->kernel->format->descriptor_bytes, 0);
    assert_true(nw_shadow_is_table(nw_shadow_pages_of(machine), root));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* -- prefetch ------------------------------------------------------------------------------- */

/* Shadow tables start anew; the guest's and the host's are as they were. */
static void forget_shadows(struct nw_machine *machine) {
  nw_machine_write_register(machine, NW_REG_DACR, machine->guest_regime.dacr);
}

static void a_fault_fills_the_neighbours_that_the_guest_maps(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.prefetch = 4;
    struct nw_machine *machine = with_pages(&config, 16);
    nw_machine_unmap(machine, VA + 9 * PAGE, PAGE);
    forget_shadows(machine);
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA + 8 * PAGE);
    for (uint64_t i = 0; i < 16; i++)
      assert_int_equal(present(machine, VA + i * PAGE, NW_WRITE), i >= 4 && i <= 12 && i != 9);
    assert_int_equal(GROWN(&since, shadow_prefetched), 7);
    assert_int_equal(GROWN(&since, shadow_prefetch_used), 0);
    since = since_now(machine);
    touch(machine, NW_READ, VA + 5 * PAGE);
    touch(machine, NW_WRITE, VA + 12 * PAGE);
    touch(machine, NW_WRITE, VA + 12 * PAGE);
    assert_int_equal(all_exits(&since), 0);
    assert_int_equal(GROWN(&since, shadow_prefetch_used), 2);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void prefetch_gives_the_guest_no_memory_and_maps_no_device(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.prefetch = 4;
    config.hypervisor.mmio[0] = (struct nw_mmio_range){0x10000000, PAGE};
    config.hypervisor.mmio_ranges = 1;
    struct nw_machine *machine = with_pages(&config, 1);
    assert_int_equal(nw_machine_map_device(machine, VA + PAGE, PAGE, 0x10000000), NW_MACHINE_OK);
    touch(machine, NW_READ, VA + PAGE);
    struct nwi_leaf leaf = leaf_of(machine, VA);
    leaf.output = 50 * MIB; /* nothing backs it yet */
    store_leaf(machine, VA + 2 * PAGE, &leaf);
    forget_shadows(machine);
    touch(machine, NW_READ, VA);
    uint64_t pa;
    assert_false(present(machine, VA + PAGE, NW_READ));
    assert_false(present(machine, VA + 2 * PAGE, NW_READ));
    assert_false(nw_hypervisor_backing(machine->hypervisor, 50 * MIB, &pa));
    nw_machine_destroy(machine);
  }
}

/* -- large pages ---------------------------------------------------------------------------- */

static struct nw_machine_config large_config(unsigned format) {
  struct nw_machine_config config = config_of(format);
  config.guest.large_pages = NW_LARGE_ALIGNED;
  config.hypervisor.stage2_large = true;
  config.hypervisor.shadow.large_pages = true;
  return config;
}

static void large_guest_pages_over_large_host_pages_are_large_leaves(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = large_config(format);
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * MIB, RW, false);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(leaf_log2(machine, VA, NW_USER), format == NW_GUEST_SHORT ? 20 : 21);
    struct since since = since_now(machine);
    for (uint64_t i = 0; i < 200; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    assert_int_equal(all_exits(&since), 0);
    nw_machine_unmap(machine, VA, PAGE);
    assert_false(present(machine, VA, NW_READ));
    touch(machine, NW_READ, VA + PAGE);
    assert_int_equal(leaf_log2(machine, VA + PAGE, NW_USER), 12);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void large_pages_of_64_kb_are_leaves_of_sixteen_entries(void **state) {
  (void)state;
  struct nw_machine_config config = large_config(NW_GUEST_SHORT);
  struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
  nw_machine_map(machine, VA, 16 * PAGE, RW, false);
  touch(machine, NW_WRITE, VA + 3 * PAGE);
  assert_int_equal(leaf_log2(machine, VA + 15 * PAGE, NW_USER), 16);
  nw_machine_protect(machine, VA + 5 * PAGE, PAGE, NW_PROT_READ);
  assert_false(present(machine, VA + 5 * PAGE, NW_WRITE));
  touch(machine, NW_WRITE, VA + 3 * PAGE);
  touch(machine, NW_READ, VA + 5 * PAGE);
  assert_int_equal(leaf_log2(machine, VA + 3 * PAGE, NW_USER), 12);
  assert_true(consistent(machine));
  nw_machine_destroy(machine);
}

static void small_host_pages_keep_leaves_small(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = large_config(format);
    config.hypervisor.stage2_large = false;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    nw_machine_map(machine, VA, 2 * MIB, RW, false);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(leaf_log2(machine, VA, NW_USER), 12);
    nw_machine_destroy(machine);
  }
}

/* The kernel maps all memory in large pages: those that hold tables are broken down. */
static void a_large_page_that_holds_tables_is_never_a_large_leaf(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = large_config(format);
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    touch(machine, NW_WRITE, VA);
    struct nw_request request = {.va = machine->layout->linear_base + root_of(machine, 1),
                                 .access = NW_READ,
                                 .privilege = NW_PRIVILEGED};
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    assert_int_equal(leaf_log2(machine, request.va, NW_PRIVILEGED), 12);
    request.va = machine->layout->linear_base + 40 * MIB;
    request.access = NW_WRITE;
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    assert_true(leaf_log2(machine, request.va, NW_PRIVILEGED) >= 20);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* -- paravirtual updates -------------------------------------------------------------------- */

static void stores_are_announced_together_before_maintenance(void **state) {
  (void)state;
  FORMATS {
    static const unsigned batches[] = {1, 5, 32};
    for (unsigned i = 0; i < 3; i++) {
      struct nw_machine_config config = config_of(format);
      config.hypervisor.shadow.paravirtual = true;
      config.hypervisor.shadow.paravirtual_batch = batches[i];
      struct nw_machine *machine = with_pages(&config, 16);
      struct since since = since_now(machine);
      nw_machine_protect(machine, VA, 16 * PAGE, NW_PROT_READ);
      assert_int_equal(GROWN(&since, pte_writes), 16);
      assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 0);
      assert_int_equal(exits(&since, NW_EXIT_HYPERCALL), (16 + batches[i] - 1) / batches[i]);
      assert_int_equal(GROWN(&since, shadow_hypercalls), exits(&since, NW_EXIT_HYPERCALL));
      assert_int_equal(GROWN(&since, shadow_hypercall_updates), 16);
      assert_false(present(machine, VA, NW_WRITE));
      assert_true(consistent(machine));
      check_sums(machine);
      nw_machine_destroy(machine);
    }
  }
}

static void stores_are_announced_before_the_program_goes_on(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.paravirtual = true;
    struct nw_machine *machine = with_pages(&config, 2);
    struct since since = since_now(machine);
    store_leaf(machine, VA, NULL);
    assert_int_equal(exits(&since, NW_EXIT_HYPERCALL), 1);
    assert_false(present(machine, VA, NW_READ));
    assert_true(present(machine, VA + PAGE, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void a_guest_that_announces_its_stores_is_not_write_protected(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.paravirtual = true;
    struct nw_machine *machine = with_pages(&config, 1);
    struct nw_request request = {.va = machine->layout->linear_base + descriptor_of(machine, VA),
                                 .access = NW_WRITE,
                                 .privilege = NW_PRIVILEGED};
    assert_true(table_is_shadowed(machine));
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    nw_machine_destroy(machine);
  }
}

/* A root's frames go to another root before the hypervisor hears of either. */
static void a_root_that_is_given_up_leaves_nothing_to_the_next_in_its_place(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.shadow.paravirtual = true;
    struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
    for (unsigned i = 0; i < 10; i++) {
      nw_process_id id = nw_machine_spawn(machine);
      nw_machine_switch(machine, id);
      assert_false(present(machine, VA, NW_READ));
      touch(machine, NW_WRITE, VA);
      assert_true(consistent(machine));
      uint64_t root = root_of(machine, id);
      nw_machine_exit(machine, id);
      assert_false(nw_shadow_is_table(nw_shadow_pages_of(machine), root));
    }
    nw_machine_destroy(machine);
  }
}

/* -- direct faults -------------------------------------------------------------------------- */

static struct nw_machine_config filtering_config(unsigned format) {
  struct nw_machine_config config = config_of(format);
  config.guest.deprivileged = false;
  config.hypervisor.pf_filter = true;
  config.hypervisor.shadow.direct_faults = true;
  return config;
}

static void a_fault_on_what_the_guest_does_not_map_needs_no_exit(void **state) {
  (void)state;
  FORMATS {
    for (unsigned direct = 0; direct < 2; direct++) {
      struct nw_machine_config config = filtering_config(format);
      config.hypervisor.shadow.direct_faults = direct;
      struct nw_machine *machine = with_pages(&config, 2);
      struct since since = since_now(machine);
      touch(machine, NW_WRITE, VA + 2 * PAGE);
      assert_int_equal(exits(&since, NW_EXIT_INJECTED_FAULT), !direct);
      assert_int_equal(GROWN(&since, shadow_direct_faults), direct);
      assert_int_equal(GROWN(&since, page_faults), 1);
      assert_int_equal(machine->guest_fault.type, NW_FAULT_TRANSLATION);
      assert_int_equal(machine->guest_fault.va, VA + 2 * PAGE);
      nw_machine_destroy(machine);
    }
  }
}

static void a_fault_that_only_the_shadow_has_still_exits(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = filtering_config(format);
    struct nw_machine *machine = with_pages(&config, 2);
    forget_shadows(machine);
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA);
    assert_int_equal(GROWN(&since, shadow_direct_faults), 0);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
    assert_int_equal(GROWN(&since, page_faults), 0);
    nw_machine_destroy(machine);
  }
}

/* A table that the guest may write unseen tells nothing: what was a hole may be a page by now. */
static void holes_of_an_unsynchronised_table_are_not_believed(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = filtering_config(format);
    config.hypervisor.shadow.unsync = true;
    struct nw_machine *machine = with_pages(&config, 2);
    struct nwi_leaf leaf = leaf_of(machine, VA);
    store_leaf(machine, VA + 5 * PAGE, &leaf);
    store_leaf(machine, VA + 6 * PAGE, &leaf);
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA + 6 * PAGE);
    assert_int_equal(GROWN(&since, page_faults), 0);
    nw_machine_destroy(machine);
  }
}

static void direct_faults_are_refused_where_they_cannot_be(void **state) {
  (void)state;
  char error[300] = "";
  struct nw_machine_config config = filtering_config(NW_GUEST_SHORT);
  config.hypervisor.pf_filter = false;
  assert_null(nw_machine_create(&config, NW_MODE_SHADOW, error, sizeof error));
  assert_non_null(strstr(error, "hypervisor.pf_filter"));
  config = filtering_config(NW_GUEST_SHORT);
  config.guest.deprivileged = true;
  assert_null(nw_machine_create(&config, NW_MODE_SHADOW, error, sizeof error));
  assert_non_null(strstr(error, "keeps its privilege"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_guest_reads_back_the_root_it_wrote),
      cmocka_unit_test(a_root_that_is_written_again_finds_its_tables),
      cmocka_unit_test(without_cached_roots_every_root_write_starts_from_nothing),
      cmocka_unit_test(the_tables_used_longest_ago_are_evicted),
      cmocka_unit_test(the_memory_limit_holds_and_what_runs_is_not_evicted),
      cmocka_unit_test(too_little_memory_is_refused),
      cmocka_unit_test(an_amount_over_time_has_a_peak_and_an_average),
      cmocka_unit_test(the_bytes_of_shadow_tables_are_reported_over_time),
      cmocka_unit_test(a_table_written_three_times_without_use_is_unshadowed),
      cmocka_unit_test(use_between_the_writes_keeps_a_table_shadowed),
      cmocka_unit_test(with_flood_0_no_table_is_unshadowed),
      cmocka_unit_test(the_running_root_is_never_unshadowed),
      cmocka_unit_test(a_fault_fills_the_neighbours_that_the_guest_maps),
      cmocka_unit_test(prefetch_gives_the_guest_no_memory_and_maps_no_device),
      cmocka_unit_test(large_guest_pages_over_large_host_pages_are_large_leaves),
      cmocka_unit_test(large_pages_of_64_kb_are_leaves_of_sixteen_entries),
      cmocka_unit_test(small_host_pages_keep_leaves_small),
      cmocka_unit_test(a_large_page_that_holds_tables_is_never_a_large_leaf),
      cmocka_unit_test(stores_are_announced_together_before_maintenance),
      cmocka_unit_test(stores_are_announced_before_the_program_goes_on),
      cmocka_unit_test(a_guest_that_announces_its_stores_is_not_write_protected),
      cmocka_unit_test(a_root_that_is_given_up_leaves_nothing_to_the_next_in_its_place),
      cmocka_unit_test(a_fault_on_what_the_guest_does_not_map_needs_no_exit),
      cmocka_unit_test(a_fault_that_only_the_shadow_has_still_exits),
      cmocka_unit_test(holes_of_an_unsynchronised_table_are_not_believed),
      cmocka_unit_test(direct_faults_are_refused_where_they_cannot_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
