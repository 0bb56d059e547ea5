/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as its driver sees it: reference counts of the literature in a running system, and
 * where cycles are put down. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/machines.h"

#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)

/* Native n references; nested (n + 1)(m + 1) - 1, with n levels of stage 1 and m of stage 2;
 * shadow n levels of the shadow table, which is broken down to 4 KB. */
static const struct {
  const char *name;
  enum nw_guest_format format;
  enum nw_large_pages large_pages;
  bool stage2_large;
  unsigned references[NW_MODE_SHADOW + 1];
  uint8_t stage2_levels; /* x86-64 */
} golden[] = {
    {"short, small page over 4 KB", NW_GUEST_SHORT, NW_LARGE_NEVER, false, {2, 11, 2}, 0},
    {"short, section over 4 KB", NW_GUEST_SHORT, NW_LARGE_ALIGNED, false, {1, 7, 2}, 0},
    {"short, small page over 2 MB", NW_GUEST_SHORT, NW_LARGE_NEVER, true, {2, 8, 2}, 0},
    {"short, section over 2 MB", NW_GUEST_SHORT, NW_LARGE_ALIGNED, true, {1, 5, 2}, 0},
    {"long, page over 4 KB", NW_GUEST_LPAE, NW_LARGE_NEVER, false, {3, 15, 3}, 0},
    {"long, block over 4 KB", NW_GUEST_LPAE, NW_LARGE_ALIGNED, false, {2, 11, 3}, 0},
    {"long, page over 2 MB", NW_GUEST_LPAE, NW_LARGE_NEVER, true, {3, 11, 3}, 0},
    {"long, block over 2 MB", NW_GUEST_LPAE, NW_LARGE_ALIGNED, true, {2, 8, 3}, 0},
    {"x86, 4 KB over 4 KB", NW_GUEST_4_LEVEL, NW_LARGE_NEVER, false, {4, 24, 4}, 4},
    {"x86, 4 KB over 2 MB", NW_GUEST_4_LEVEL, NW_LARGE_NEVER, true, {4, 19, 4}, 4},
    {"x86, 2 MB over 4 KB", NW_GUEST_4_LEVEL, NW_LARGE_ALIGNED, false, {3, 19, 4}, 4},
    {"x86, 2 MB over 2 MB", NW_GUEST_4_LEVEL, NW_LARGE_ALIGNED, true, {3, 15, 4}, 4},
    {"x86, five levels over five", NW_GUEST_5_LEVEL, NW_LARGE_NEVER, false, {5, 35, 5}, 5},
    {"x86, five levels over four", NW_GUEST_5_LEVEL, NW_LARGE_NEVER, false, {5, 29, 5}, 4},
};

static void check_golden(unsigned i, enum nw_mode mode, enum nw_stage2 stage2) {
  struct nw_machine_config config = small_machine(golden[i].format);
  config.guest.large_pages = golden[i].large_pages;
  config.hypervisor.stage2_large = golden[i].stage2_large;
  config.hypervisor.stage2_levels = golden[i].stage2_levels;
  config.hypervisor.stage2 = stage2;
  struct nw_machine *machine = make_running(&config, mode);
  nw_machine_map(machine, VA, 2 * MIB, RW, false);
  uint64_t references = references_of_walk(machine, VA + 5 * PAGE);
  if (references != golden[i].references[mode])
    fail_msg("%s, mode %d: %llu references, expected %u", golden[i].name, mode,
             (unsigned long long)references, golden[i].references[mode]);
  nw_machine_destroy(machine);
}

static void walks_make_the_references_that_the_literature_counts(void **state) {
  (void)state;
  for (unsigned i = 0; i < sizeof golden / sizeof golden[0]; i++)
    for (enum nw_mode mode = NW_MODE_NATIVE; mode <= NW_MODE_SHADOW; mode++) {
      check_golden(i, mode, NW_STAGE2_NPT);
      check_golden(i, mode, NW_STAGE2_EPT);
    }
}

/* The kernel maps its memory by 1 GB where it can, and so does the hypervisor if it may. */
static void a_gigabyte_over_a_gigabyte_takes_eight_references(void **state) {
  (void)state;
  for (unsigned stage2 = NW_STAGE2_NPT; stage2 <= NW_STAGE2_EPT; stage2++) {
    struct nw_machine_config config = small_machine(NW_GUEST_4_LEVEL);
    config.guest.memory = 1024 * MIB;
    config.hypervisor.stage2 = (enum nw_stage2)stage2;
    config.hypervisor.stage2_huge = true;
    struct nw_machine *machine = make_running(&config, NW_MODE_NESTED);
    uint64_t va = machine->layout->linear_base + 77 * MIB;
    nw_machine_kernel_load(machine, va);
    nw_mmu_invalidate(machine->mmu, NW_FLUSH_ALL_ASIDS, 0);
    uint64_t before = nw_machine_mmu_statistics(machine)->walk_references;
    nw_machine_kernel_load(machine, va);
    assert_int_equal(nw_machine_mmu_statistics(machine)->walk_references - before, 8);
    nw_machine_destroy(machine);
  }
}

static void a_run_of_fetches_counts_as_so_many_references_and_instructions(void **state) {
  (void)state;
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++) {
    struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
    config.base_cpi = 1.5;
    struct nw_machine *machine = make_running(&config, mode);
    assert_int_equal(nw_machine_access(machine, NW_EXECUTE, VA, 9), NW_MACHINE_OK);
    assert_int_equal(nw_machine_access(machine, NW_EXECUTE, VA, 0), NW_MACHINE_OK);
    touch(machine, NW_READ, VA + 64);
    touch(machine, NW_WRITE, VA + 64);
    const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
    assert_int_equal(statistics->references, 11);
    assert_int_equal(statistics->instructions, 9);
    assert_int_equal(statistics->cycles_base, 14); /* 13.5, rounded */
    assert_int_equal(statistics->cycles_memory, 0);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void the_programs_own_references_go_through_the_caches_on_request(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.program_accesses = true;
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
  touch(machine, NW_READ, VA);
  assert_int_equal(statistics->cycles_memory, 100);
  touch(machine, NW_READ, VA + 60);
  assert_int_equal(statistics->cycles_memory, 104);
  /* 20 instructions from 56 bytes into a line on: three lines, the first of them there already. */
  assert_int_equal(nw_machine_access(machine, NW_EXECUTE, VA + 56, 20), NW_MACHINE_OK);
  assert_int_equal(statistics->cycles_memory, 104 + 4 + 100 + 100);
  const struct nw_cache_statistics *cache =
      nw_hierarchy_statistics(nw_machine_hierarchy(machine), 0);
  assert_int_equal(cache->accesses[NW_BY_INSTRUCTION], 3);
  assert_int_equal(cache->accesses[NW_BY_DATA], 2);
  nw_machine_destroy(machine);
}

static void fetches_at_the_end_of_a_page_stay_in_it(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  config.program_accesses = true;
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  /* Thumb instructions: twice as many as four-byte ones would fit. */
  assert_int_equal(nw_machine_access(machine, NW_EXECUTE, VA + PAGE - 64, 32), NW_MACHINE_OK);
  const struct nw_cache_statistics *cache =
      nw_hierarchy_statistics(nw_machine_hierarchy(machine), 0);
  assert_int_equal(cache->accesses[NW_BY_INSTRUCTION], 1);
  nw_machine_destroy(machine);
}

static void translation_costs_what_the_mmu_says(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  struct nw_machine *machine = make_running(&config, NW_MODE_NATIVE);
  const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
  touch(machine, NW_READ, VA);
  uint64_t before = statistics->cycles_translation;
  touch(machine, NW_READ, VA);
  assert_int_equal(statistics->cycles_translation, before);
  nw_mmu_invalidate(machine->mmu, NW_TLBI_ALLNSNH, 0);
  touch(machine, NW_READ, VA);
  /* Two descriptors that the cache has; an empty second level takes no probe. */
  assert_int_equal(statistics->cycles_translation - before, 2 * 4);
  nw_machine_destroy(machine);
}

static void debug_translation_changes_nothing(void **state) {
  (void)state;
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++) {
    struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
    struct nw_machine *machine = make_running(&config, mode);
    struct nw_result result;
    touch(machine, NW_READ, VA);
    struct nw_machine_statistics before = *nw_machine_statistics(machine);
    struct nw_mmu_statistics mmu = *nw_machine_mmu_statistics(machine);
    assert_true(nw_machine_debug_translate(machine, VA + 12, NW_READ, NW_USER, &result));
    assert_int_equal(result.pa & 0xfff, 12);
    assert_false(nw_machine_debug_translate(machine, VA + PAGE, NW_READ, NW_USER, &result));
    assert_int_equal(result.fault.type, NW_FAULT_TRANSLATION);
    assert_memory_equal(&before, nw_machine_statistics(machine), sizeof before);
    assert_memory_equal(&mmu, nw_machine_mmu_statistics(machine), sizeof mmu);
    nw_machine_destroy(machine);
  }
}

static void the_same_program_costs_the_same_twice(void **state) {
  (void)state;
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++) {
    struct nw_machine_statistics seen[2];
    for (unsigned run = 0; run < 2; run++) {
      struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
      struct nw_machine *machine = make_running(&config, mode);
      for (unsigned i = 0; i < 2000; i++)
        touch(machine, NW_WRITE, VA + (i * UINT64_C(7919)) % 300 * PAGE);
      nw_machine_fork(machine, 1, false);
      for (unsigned i = 0; i < 300; i++)
        touch(machine, NW_WRITE, VA + i * PAGE);
      seen[run] = *nw_machine_statistics(machine);
      nw_machine_destroy(machine);
    }
    assert_memory_equal(&seen[0], &seen[1], sizeof seen[0]);
  }
}

/* Changes one thing in a good configuration; the message has to name it. */
static void refuse(struct nw_machine_config config, const char *named) {
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < NW_MODES; mode++) {
    char error[256] = "";
    assert_null(nw_machine_create(&config, mode, error, sizeof error));
    assert_non_null(strstr(error, named));
  }
}

static void impossible_configurations_are_refused_with_a_sentence(void **state) {
  (void)state;
  struct nw_machine_config good = small_machine(NW_GUEST_SHORT), bad = good;
  bad.guest.memory = 0;
  refuse(bad, "guest.memory");
  bad.guest.memory = 4 * MIB + 1;
  refuse(bad, "guest.memory");
  bad.guest.memory = UINT64_C(4096) * MIB;
  refuse(bad, "guest.memory");
  bad = good;
  bad.base_cpi = -1;
  refuse(bad, "base_cpi");
  bad.base_cpi = (double)NAN;
  refuse(bad, "base_cpi");
  bad = good;
  bad.format = NW_GUEST_FORMATS;
  refuse(bad, "format");
  bad = good;
  bad.hypervisor.mmio_ranges = NW_MMIO_RANGES + 1;
  refuse(bad, "MMIO");
  bad.hypervisor.mmio_ranges = 1;
  refuse(bad, "MMIO");
  bad.hypervisor.mmio[0] = (struct nw_mmio_range){0x100000, 0x800};
  refuse(bad, "MMIO");
  bad.hypervisor.mmio[0] = (struct nw_mmio_range){0, 0x1000};
  refuse(bad, "MMIO");
  bad.hypervisor.mmio[0] = (struct nw_mmio_range){0xfffff000, 0x2000};
  refuse(bad, "MMIO");
  bad = good;
  bad.hypervisor.memory = 123;
  refuse(bad, "hypervisor.memory");
  bad = good;
  bad.mmu.l1d.ways = 3;
  refuse(bad, "");
  bad = good;
  bad.memory.cache[0].line = 48;
  refuse(bad, "");
  char error[64];
  assert_null(nw_machine_create(&good, NW_MODES, error, sizeof error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_make_the_references_that_the_literature_counts),
      cmocka_unit_test(a_gigabyte_over_a_gigabyte_takes_eight_references),
      cmocka_unit_test(a_run_of_fetches_counts_as_so_many_references_and_instructions),
      cmocka_unit_test(the_programs_own_references_go_through_the_caches_on_request),
      cmocka_unit_test(fetches_at_the_end_of_a_page_stay_in_it),
      cmocka_unit_test(translation_costs_what_the_mmu_says),
      cmocka_unit_test(debug_translation_changes_nothing),
      cmocka_unit_test(the_same_program_costs_the_same_twice),
      cmocka_unit_test(impossible_configurations_are_refused_with_a_sentence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
