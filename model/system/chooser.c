/* SPDX-License-Identifier: Apache-2.0 */
#include "system/chooser.h"

#include <math.h>

#include "system/hypervisor.h"

#define GROWTH 1.25           /* of an interval, at most, from one look to the next */
#define LEAST_INTERVAL 10000u /* cycles: a look must stay cheap against what it looks at */

/* -- counters ------------------------------------------------------------------------------- */

/* Exits that there are because the hypervisor keeps tables in step with the guest's. */
static uint64_t shadow_cycles(const struct nw_machine_statistics *statistics) {
  static const enum nw_exit_cause causes[] = {
      NW_EXIT_PTE_WRITE,    NW_EXIT_ROOT_WRITE,     NW_EXIT_TLB_MAINTENANCE,
      NW_EXIT_HIDDEN_FAULT, NW_EXIT_INJECTED_FAULT, NW_EXIT_PRIVILEGE_SWITCH,
      NW_EXIT_HYPERCALL,
  };
  uint64_t cycles = 0;
  for (unsigned i = 0; i < sizeof causes / sizeof causes[0]; i++)
    cycles += statistics->exit_cycles[causes[i]];
  return cycles;
}

static uint64_t all_levels(const uint64_t *reads) {
  uint64_t sum = 0;
  for (unsigned level = 0; level < NW_LEVELS; level++)
    sum += reads[level];
  return sum;
}

static void read_counters(const struct nw_machine *machine, struct nw_policy_sample *totals) {
  const struct nw_machine_statistics *statistics = machine->statistics;
  const struct nw_mmu_statistics *mmu = nw_mmu_statistics(machine->mmu);
  *totals = (struct nw_policy_sample){
      .cycles = nw_machine_cycles(machine),
      .instructions = statistics->instructions,
      .walks = mmu->walks,
      .walk_cycles = mmu->walk_cycles,
      .stage1_reads = all_levels(mmu->s1),
      .stage2_reads = all_levels(mmu->s2),
      .events = statistics->syscalls + statistics->page_faults + statistics->context_switches,
      .exit_cycles = statistics->cycles_exits - statistics->exit_cycles[NW_EXIT_POLICY] -
                     statistics->exit_cycles[NW_EXIT_MODE_SWITCH],
      .shadow_cycles = shadow_cycles(statistics),
  };
}

static struct nw_policy_sample since(const struct nw_policy_sample *now,
                                     const struct nw_policy_sample *then) {
  return (struct nw_policy_sample){
      .cycles = now->cycles - then->cycles,
      .instructions = now->instructions - then->instructions,
      .walks = now->walks - then->walks,
      .walk_cycles = now->walk_cycles - then->walk_cycles,
      .stage1_reads = now->stage1_reads - then->stage1_reads,
      .stage2_reads = now->stage2_reads - then->stage2_reads,
      .events = now->events - then->events,
      .exit_cycles = now->exit_cycles - then->exit_cycles,
      .shadow_cycles = now->shadow_cycles - then->shadow_cycles,
  };
}

/* -- the clock ------------------------------------------------------------------------------ */

static bool is_due(const struct nw_machine *machine) {
  const struct nw_chooser *chooser = machine->chooser;
  return nw_machine_cycles(machine) >= chooser->next ||
         nw_mmu_statistics(machine->mmu)->walk_cycles >= chooser->most_walk_cycles ||
         shadow_cycles(machine->statistics) >= chooser->most_shadow_cycles;
}

/* Time passes unobserved while the TLBs hit and nobody enters the kernel: there is nothing to choose
 * then. */
static bool read_and_look(void *context, uint64_t pa, unsigned size, uint64_t *data,
                          uint32_t *cycles) {
  struct nw_machine *machine = context;
  if (!machine->due && is_due(machine))
    nw_machine_set_due(machine, true);
  return machine->chooser->read(context, pa, size, data, cycles);
}

static void set_scale(struct nw_chooser *chooser, double scale) {
  double interval = (double)chooser->second * scale;
  chooser->scale = scale;
  chooser->interval = interval > LEAST_INTERVAL ? (uint64_t)llround(interval) : LEAST_INTERVAL;
}

/* So that the whole run, should it go on at the pace that it had so far, gets NW_INTERVALS. The pace
 * of a program's first steps, which are all page faults, is no measure: intervals grow slowly. */
static void fit_scale(const struct nw_machine *machine, struct nw_chooser *chooser) {
  const struct nw_policy_sample *so_far = &chooser->last;
  if (chooser->expected == 0)
    return;
  double pace = machine->config.base_cpi;
  if (so_far->instructions > 0)
    pace = (double)so_far->cycles / (double)so_far->instructions;
  double scale = pace * (double)chooser->expected / ((double)chooser->second * NW_INTERVALS);
  if (so_far->instructions > 0 && scale > GROWTH * chooser->scale)
    scale = GROWTH * chooser->scale;
  set_scale(chooser, scale < 1.0 ? scale : 1.0);
}

void nw_chooser_restart(struct nw_machine *machine) {
  struct nw_chooser *chooser = machine->chooser;
  read_counters(machine, &chooser->last);
  fit_scale(machine, chooser);
  chooser->next = chooser->last.cycles + chooser->interval;
  chooser->most_walk_cycles = chooser->most_shadow_cycles = UINT64_MAX;
  nw_machine_set_due(machine, false);
}

static uint64_t later(uint64_t now, uint64_t wait) {
  return wait > UINT64_MAX - now ? UINT64_MAX : now + wait;
}

void nw_chooser_limit(struct nw_machine *machine, uint64_t shadow_cycles) {
  struct nw_chooser *chooser = machine->chooser;
  chooser->most_shadow_cycles = later(chooser->last.shadow_cycles, shadow_cycles);
}

void nw_chooser_wait(struct nw_machine *machine, uint64_t walk_cycles, uint64_t shadow_cycles) {
  struct nw_chooser *chooser = machine->chooser;
  chooser->next = UINT64_MAX;
  chooser->most_walk_cycles = later(chooser->last.walk_cycles, walk_cycles);
  chooser->most_shadow_cycles = later(chooser->last.shadow_cycles, shadow_cycles);
}

void nw_chooser_look(struct nw_machine *machine) {
  struct nw_chooser *chooser = machine->chooser;
  if (chooser == NULL || (!machine->due && !is_due(machine)))
    return;
  struct nw_policy_sample now;
  read_counters(machine, &now);
  struct nw_policy_sample sample = since(&now, &chooser->last);
  nw_hypervisor_begin(machine->hypervisor);
  if (chooser->work != NULL)
    chooser->work(machine);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_POLICY, 0);
  nw_chooser_restart(machine);
  chooser->judge(machine, &sample);
}

/* -- setting up ----------------------------------------------------------------------------- */

void nw_chooser_start(struct nw_machine *machine, struct nw_chooser *chooser, uint64_t interval,
                      double scale) {
  uint64_t second = (uint64_t)machine->config.clock_mhz * 1000000u;
  machine->chooser = chooser;
  chooser->second = interval != 0 ? interval : second;
  chooser->read = machine->walker.read;
  machine->walker.read = read_and_look;
  chooser->scale_given = scale > 0;
  set_scale(chooser, scale > 0 ? scale : 1.0);
}

void nw_chooser_begin(struct nw_machine *machine) {
  if (machine->chooser == NULL)
    return;
  nw_chooser_restart(machine);
  machine->chooser->begin(machine);
}

void nw_chooser_count(const struct nw_machine *machine) {
  if (machine->chooser != NULL)
    machine->chooser->count(machine);
}

void nw_chooser_expect(struct nw_machine *machine, uint64_t instructions) {
  machine->chooser->expected = machine->chooser->scale_given ? 0 : instructions;
  nw_chooser_begin(machine);
}
