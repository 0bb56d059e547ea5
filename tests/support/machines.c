/* SPDX-License-Identifier: Apache-2.0 */
#include "support/machines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

const unsigned guest_levels[NW_GUEST_FORMATS] = {2, 3, 4, 5};

struct nw_machine_config small_machine(enum nw_guest_format format) {
  struct nw_machine_config config = {
      .name = "small",
      .format = format,
      .clock_mhz = 1000,
      .base_cpi = 1.0,
      .mmu = {.l1i = {16, 16, 0, NW_POLICY_LRU},
              .l1d = {16, 16, 0, NW_POLICY_LRU},
              .l2 = {128, 4, 2, NW_POLICY_LRU},
              .walkers = 1,
              .seed = 1},
      .memory = {.cache = {{.name = "l1",
                            .size = 32768,
                            .ways = 4,
                            .line = 64,
                            .latency = 4,
                            .policy = NW_POLICY_LRU,
                            .serves = 7}},
                 .caches = 1,
                 .dram_latency = 100},
      .hypervisor = {.trap = PRICE_TRAP,
                     .world_switch = PRICE_WORLD_SWITCH,
                     .shadow = {.cache_roots = true, .flood = 3, .paravirtual_batch = 32}},
      .guest = {.memory = 64 * MIB,
                .deprivileged = nw_guest_layouts[format].software == &nw_software_armv7,
                .pcids = 6,
                .fault_cycles = PRICE_FAULT,
                .syscall_cycles = PRICE_SYSCALL,
                .switch_cycles = PRICE_SWITCH,
                .pte_write_cycles = PRICE_PTE_WRITE,
                .page_clear_cycles = PRICE_CLEAR,
                .page_copy_cycles = PRICE_COPY},
      .seed = 1,
  };
  for (unsigned cause = 0; cause < NW_EXIT_CAUSES; cause++)
    config.hypervisor.handler[cause] = PRICE_HANDLER + 10 * cause;
  for (unsigned step = 0; step < NW_SHADOW_STEPS; step++)
    config.hypervisor.shadow.steps[step] = PRICE_STEP + step;
  return config;
}

struct nw_machine *make_machine(const struct nw_machine_config *config, enum nw_mode mode) {
  char error[256] = "";
  struct nw_machine *machine = nw_machine_create(config, mode, error, sizeof error);
  if (machine == NULL)
    fail_msg("%s", error);
  return machine;
}

struct nw_machine *make_running(const struct nw_machine_config *config, enum nw_mode mode) {
  struct nw_machine *machine = make_machine(config, mode);
  nw_process_id process = nw_machine_spawn(machine);
  assert_int_not_equal(process, 0);
  assert_int_equal(nw_machine_switch(machine, process), NW_MACHINE_OK);
  return machine;
}

void touch(struct nw_machine *machine, enum nw_access access, uint64_t va) {
  assert_int_equal(nw_machine_access(machine, access, va, 1), NW_MACHINE_OK);
}

uint64_t free_frames(const struct nw_machine *machine) {
  const struct nw_guest_kernel *kernel = machine->kernel;
  return nw_frames_free(kernel->low) + (kernel->high == NULL ? 0 : nw_frames_free(kernel->high));
}

uint64_t ipa_of(struct nw_machine *machine, uint64_t va) {
  struct nw_pte pte;
  nw_page_table_find(&nw_guest_kernel_space(machine->kernel)->table, va, &pte);
  assert_int_equal(pte.meaning.kind, NW_DESCRIPTOR_LEAF);
  return pte.meaning.output + (va - pte.va);
}

uint64_t references_of_walk(struct nw_machine *machine, uint64_t va) {
  touch(machine, NW_READ, va);
  nw_mmu_invalidate(machine->mmu, machine->software->maintenance.everything, 0);
  uint64_t before = nw_machine_mmu_statistics(machine)->walk_references;
  touch(machine, NW_READ, va);
  return nw_machine_mmu_statistics(machine)->walk_references - before;
}

void check_sums(const struct nw_machine *machine) {
  const struct nw_machine_statistics *statistics = nw_machine_statistics(machine);
  const struct nw_hypervisor_config *prices = &machine->config.hypervisor;
  uint64_t cycles = 0, steps = 0;
  for (unsigned cause = 0; cause < NW_EXIT_CAUSES; cause++) {
    uint64_t price = prices->trap + prices->world_switch + prices->handler[cause];
    assert_true(statistics->exit_cycles[cause] >= statistics->exits[cause] * price);
    assert_true((statistics->exits[cause] == 0) == (statistics->exit_cycles[cause] == 0));
    cycles += statistics->exit_cycles[cause];
  }
  assert_int_equal(cycles, statistics->cycles_exits);
  for (unsigned step = 0; step < NW_SHADOW_STEPS; step++) {
    uint64_t price = statistics->shadow_steps[step] * prices->shadow.steps[step];
    assert_true(statistics->shadow_step_cycles[step] >= price);
    steps += statistics->shadow_step_cycles[step];
  }
  assert_true(steps <= cycles);
  double base = (double)statistics->instructions * machine->config.base_cpi;
  assert_true(base - 0.5 <= (double)statistics->cycles_base &&
              (double)statistics->cycles_base <= base + 0.5);
  if (machine->mode_kind <= NW_MODE_NESTED) {
    assert_int_equal(statistics->shadow_pages, 0);
    assert_int_equal(steps, 0);
  }
  if (machine->mode_kind == NW_MODE_NATIVE)
    assert_int_equal(cycles, 0);
}
