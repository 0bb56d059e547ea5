/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selective paging: the virtual machine is paged by nested or by shadow tables, whichever its policy
 * thinks cheaper, and changes over between two operations. Both modes are complete here, each with
 * its own state; the machine's `mode` and `mode_state` are those of the one in use.
 *
 * A switch is an exit. To shadow: the shadow registers are loaded (on ARMv7 the guest goes on
 * de-privileged), tables that were kept are compared with the guest's, which was free to write
 * them, and the running program's tables may be filled at once. To nested: the guest's own
 * registers are loaded; the stage-2 tables were never out of date, since they hold nothing of the
 * guest's. The TLB is flushed either way: the hardware's ASIDs are others from then on.
 *
 * Invariant: whatever is not in use says nothing untrue of the host's memory; what it says of the
 * guest's tables is not believed until it has been compared.
 */
#include "system/selective.h"

#include <stdlib.h>

#include "system/architecture.h"
#include "system/chooser.h"
#include "system/nested.h"

#define TLB_REFILL 30 /* cycles, by and large, of an entry's coming back after a flush */
#define FRAME_FILL 40 /* likewise of a page's when shadow tables are filled */

struct selective {
  struct nw_chooser chooser; /* first: the machine's `chooser` points here */
  struct nw_paging_mode mode[NW_PAGINGS];
  void *state[NW_PAGINGS];
  bool (*read[NW_PAGINGS])(void *context, uint64_t pa, unsigned size, uint64_t *data,
                           uint32_t *cycles);
  struct nw_paravirtual *paravirtual; /* the guest's batch, while nobody listens */
  enum nw_paging now;
  bool registers_changed; /* since shadow tables were in use: they were made for others */
  uint64_t since;         /* cycle of the last switch */
  struct nw_threshold threshold;
  struct nw_break_even break_even;
};

static struct selective *selective_of(const struct nw_machine *machine) {
  return (struct selective *)machine->chooser;
}

enum nw_paging nw_selective_now(const struct nw_machine *machine) {
  return selective_of(machine)->now;
}

struct nw_shadows *nw_selective_shadows(const struct nw_machine *machine) {
  const struct nw_shadow_state *shadow = selective_of(machine)->state[NW_PAGING_SHADOW];
  return shadow->pages;
}

static void use(struct nw_machine *machine, enum nw_paging paging) {
  struct selective *selective = selective_of(machine);
  selective->now = paging;
  selective->chooser.read = selective->read[paging];
  machine->mode = &selective->mode[paging];
  machine->mode_state = selective->state[paging];
}

/* -- switching ------------------------------------------------------------------------------ */

/* The guest's own registers, as it wrote them. */
static void load_nested(struct nw_machine *machine) {
  const struct nw_software_architecture *software = machine->software;
  for (unsigned i = 0; i < software->registers_count; i++) {
    unsigned reg = software->registers[i];
    nw_mmu_write_register(machine->mmu, reg, machine->guest_regime.reg[reg]);
  }
  nw_nested_enable(machine);
  machine->kernel_privilege = NW_PRIVILEGED;
}

static void load_shadow(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  machine->software->set_stage2(machine, NULL);
  nw_shadow_load_registers(machine);
  shadow->view = nw_shadow_view_of(machine, NW_USER);
  shadow->guest_root = machine->guest_regime.s1_root[0].base;
}

static void to_nested(struct nw_machine *machine) {
  struct selective *selective = selective_of(machine);
  struct nw_shadows *pages = nw_selective_shadows(machine);
  if (!machine->config.hypervisor.selective.keep_tables)
    nw_shadow_drop_all(pages);
  nw_shadow_set_loaded(pages, NULL);
  selective->registers_changed = false;
  use(machine, NW_PAGING_NESTED);
  load_nested(machine);
}

static void to_shadow(struct nw_machine *machine) {
  const struct nw_selective_config *config = &machine->config.hypervisor.selective;
  struct nw_shadows *pages = nw_selective_shadows(machine);
  use(machine, NW_PAGING_SHADOW);
  load_shadow(machine);
  if (selective_of(machine)->registers_changed)
    nw_shadow_drop_all(pages);
  else
    nw_shadow_refresh(pages);
  if (!nw_shadow_load_root(machine) || !config->fill)
    return;
  uint64_t guest;
  struct nw_shadow_state *shadow = machine->mode_state;
  struct nw_shadow_role role = nw_shadow_root_role(machine, shadow->view, &guest);
  nw_shadow_fill(pages, nw_shadow_find(pages, guest, &role));
}

static void exchange_paravirtual(struct nw_machine *machine) {
  struct selective *selective = selective_of(machine);
  struct nw_paravirtual *other = machine->paravirtual;
  machine->paravirtual = selective->paravirtual;
  selective->paravirtual = other;
}

static void count_cycles(const struct nw_machine *machine) {
  struct selective *selective = selective_of(machine);
  struct nw_machine_statistics *statistics = machine->statistics;
  uint64_t now = nw_machine_cycles(machine);
  statistics->selective_scale = selective->chooser.scale;
  *(selective->now == NW_PAGING_NESTED ? &statistics->selective_cycles_nested
                                       : &statistics->selective_cycles_shadow) +=
      now - selective->since;
  selective->since = now;
}

void nw_selective_switch(struct nw_machine *machine, enum nw_paging to) {
  struct selective *selective = selective_of(machine);
  if (selective->now == to)
    return;
  count_cycles(machine);
  nw_paravirtual_flush(machine);
  uint64_t before = machine->statistics->exit_cycles[NW_EXIT_MODE_SWITCH];
  nw_hypervisor_begin(machine->hypervisor);
  if (to == NW_PAGING_NESTED)
    to_nested(machine);
  else
    to_shadow(machine);
  exchange_paravirtual(machine);
  nw_mmu_invalidate(machine->mmu, machine->software->maintenance.everything, 0);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_MODE_SWITCH, 0);
  machine->status = NW_MACHINE_OK; /* memory that was short will be asked for again */
  machine->statistics->selective_switches++;
  nw_break_even_switched(&selective->break_even, to,
                         machine->statistics->exit_cycles[NW_EXIT_MODE_SWITCH] - before);
  nw_chooser_restart(machine);
}

/* -- judging -------------------------------------------------------------------------------- */

static enum nw_paging other(enum nw_paging paging) {
  return paging == NW_PAGING_NESTED ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
}

static double exit_price(const struct nw_machine *machine, enum nw_exit_cause cause) {
  const struct nw_hypervisor_config *config = &machine->config.hypervisor;
  return (double)config->trap + config->world_switch + config->handler[cause];
}

/* A de-privileged guest's event costs the way into its kernel and back at least. */
static double event_price(const struct nw_machine *machine) {
  return machine->config.guest.deprivileged ? 2.0 * exit_price(machine, NW_EXIT_PRIVILEGE_SWITCH)
                                            : exit_price(machine, NW_EXIT_INJECTED_FAULT);
}

/* There and back: two exits and two flushes of the TLB. */
static double switch_price(const struct nw_machine *machine) {
  const struct nw_mmu_config *mmu = &machine->config.mmu;
  double entries = (double)mmu->l1i.entries + mmu->l1d.entries + mmu->l2.entries;
  return 2.0 * (exit_price(machine, NW_EXIT_MODE_SWITCH) + entries * TLB_REFILL);
}

/* Break-even needs no clock: it is time when a counter has come to what a switch is worth. */
static void wait_for_overflow(struct nw_machine *machine) {
  struct selective *selective = selective_of(machine);
  uint64_t patience = nw_break_even_patience(&selective->break_even, selective->now);
  if (selective->now == NW_PAGING_NESTED)
    nw_chooser_wait(machine, patience, UINT64_MAX);
  else
    nw_chooser_wait(machine, UINT64_MAX, patience);
}

static void begin(struct nw_machine *machine) {
  struct selective *selective = selective_of(machine);
  const struct nw_selective_config *config = &machine->config.hypervisor.selective;
  uint64_t interval = selective->chooser.second;
  struct nw_threshold_config thresholds = {
      .high = config->high, .low = config->low, .counter = config->counter, .hold_off = 2};
  if (config->holdoff != 0)
    thresholds.hold_off = (uint32_t)((config->holdoff + interval - 1) / interval);
  nw_threshold_start(&selective->threshold, &thresholds);
  struct nw_break_even_config prices = {.event_price = event_price(machine),
                                        .switch_price = switch_price(machine)};
  nw_break_even_start(&selective->break_even, &prices);
  selective->since = nw_machine_cycles(machine);
  if (config->policy == NW_CHOICE_BREAK_EVEN)
    wait_for_overflow(machine);
}

/* Until one has been measured, a switch to shadow costs what filling the guest's frames does. */
static double first_switch_price(const struct nw_machine *machine) {
  const struct nw_hypervisor *hypervisor = machine->hypervisor;
  bool fill = machine->config.hypervisor.selective.fill;
  return switch_price(machine) + (fill ? FRAME_FILL : 0) * (double)hypervisor->backed_frames;
}

static bool judge_break_even(struct nw_machine *machine, const struct nw_policy_sample *sample) {
  struct selective *selective = selective_of(machine);
  if (machine->statistics->selective_switches == 0)
    selective->break_even.switch_cost = first_switch_price(machine);
  return nw_break_even_judge(&selective->break_even, selective->now, sample);
}

static void judge(struct nw_machine *machine, const struct nw_policy_sample *sample) {
  struct selective *selective = selective_of(machine);
  bool break_even = machine->config.hypervisor.selective.policy == NW_CHOICE_BREAK_EVEN;
  bool leave = break_even ? judge_break_even(machine, sample)
                          : nw_threshold_judge(&selective->threshold, selective->now, sample);
  if (leave)
    nw_selective_switch(machine, other(selective->now));
  if (break_even)
    wait_for_overflow(machine);
}

/* -- what is added to the modes ------------------------------------------------------------- */

/* Shadow leaves are made for the guest's registers, and are not looked at meanwhile. */
static void write_register_nested(struct nw_machine *machine, unsigned reg, uint64_t value) {
  if ((machine->software->root_registers >> reg & 1u) == 0)
    selective_of(machine)->registers_changed = true;
  nw_nested_mode.write_register(machine, reg, value);
}

/* The tables that are kept must not keep the guest from getting memory. */
static enum nw_fault_outcome fault_nested(struct nw_machine *machine,
                                          const struct nw_request *request,
                                          const struct nw_fault *found,
                                          const struct nw_store *store) {
  enum nw_fault_outcome outcome = nw_nested_mode.fault(machine, request, found, store);
  if (outcome != NW_OUTCOME_FAILED || machine->status != NW_MACHINE_OUT_OF_HOST_MEMORY ||
      machine->statistics->shadow_pages == 0)
    return outcome;
  machine->status = NW_MACHINE_OK;
  nw_shadow_drop_all(nw_selective_shadows(machine));
  return nw_nested_mode.fault(machine, request, found, store);
}

/* Both keep what they have made from the host's map. */
static void unmap_frame(struct nw_machine *machine, uint64_t ipa) {
  struct selective *selective = selective_of(machine);
  nw_shadow_unmap_frame(nw_selective_shadows(machine), ipa);
  machine->mode_state = selective->state[NW_PAGING_NESTED];
  if (nw_nested_mode.unmap_frame != NULL)
    nw_nested_mode.unmap_frame(machine, ipa);
  machine->mode_state = selective->state[selective->now];
}

static void stop(struct nw_machine *machine) {
  static const struct nw_paging_mode *const modes[NW_PAGINGS] = {&nw_nested_mode, &nw_shadow_mode};
  struct selective *selective = selective_of(machine);
  if (selective == NULL)
    return;
  for (unsigned paging = 0; paging < NW_PAGINGS; paging++) {
    machine->mode_state = selective->state[paging];
    modes[paging]->stop(machine);
  }
  nw_paravirtual_destroy(selective->paravirtual);
  machine->chooser = NULL;
  free(selective);
}

/* -- the mode ------------------------------------------------------------------------------- */

static bool start_part(struct nw_machine *machine, enum nw_paging paging,
                       const struct nw_paging_mode *mode, char *error, size_t error_size) {
  struct selective *selective = selective_of(machine);
  selective->mode[paging] = *mode;
  selective->mode[paging].stop = stop;
  selective->mode[paging].unmap_frame = unmap_frame;
  machine->mode_state = NULL;
  bool started = mode->start(machine, error, error_size);
  selective->state[paging] = machine->mode_state;
  return started;
}

static bool start_parts(struct nw_machine *machine, char *error, size_t error_size) {
  struct selective *selective = selective_of(machine);
  selective->read[NW_PAGING_NESTED] = machine->walker.read;
  if (!start_part(machine, NW_PAGING_NESTED, &nw_nested_mode, error, error_size) ||
      !start_part(machine, NW_PAGING_SHADOW, &nw_shadow_mode, error, error_size))
    return false;
  selective->read[NW_PAGING_SHADOW] = machine->walker.read;
  selective->mode[NW_PAGING_NESTED].fault = fault_nested;
  selective->mode[NW_PAGING_NESTED].write_register = write_register_nested;
  return true;
}

static enum nw_paging first_paging(const struct nw_selective_config *config) {
  if (config->start != NW_START_AUTO)
    return config->start == NW_START_SHADOW ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
  return config->policy == NW_CHOICE_THRESHOLD ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
}

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  const struct nw_selective_config *config = &machine->config.hypervisor.selective;
  struct selective *selective = calloc(1, sizeof *selective);
  machine->chooser = (struct nw_chooser *)selective;
  if (selective == NULL)
    return nw_machine_error(error, error_size, "out of memory for selective paging");
  if (!start_parts(machine, error, error_size))
    return false;
  selective->chooser.judge = judge;
  selective->chooser.begin = begin;
  selective->chooser.count = count_cycles;
  nw_chooser_start(machine, &selective->chooser, config->interval, config->scale);
  use(machine, first_paging(config));
  if (selective->now == NW_PAGING_SHADOW) {
    machine->software->set_stage2(machine, NULL);
    return true;
  }
  load_nested(machine);
  exchange_paravirtual(machine);
  return true;
}

const struct nw_paging_mode nw_selective_mode = {.name = "selective", .start = start, .stop = stop};
