/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: it puts hardware, guest kernel, hypervisor and mode together and drives a program's
 * accesses through them. Invariant: between two calls the program's view of the hardware is loaded,
 * and a sum of the statistics is the sum of its parts.
 */
#include "system/machine.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "system/agile.h"
#include "system/architecture.h"
#include "system/chooser.h"
#include "system/hypervisor.h"
#include "system/ksm.h"
#include "system/single_access.h"

#define LINE_WITHOUT_CACHES 64u
/* An access can fault for its instruction or data page, its tables and stage 2 of each, in turn;
 * so many faults in a row without success are no progress. */
#define MOST_FAULTS 64
#define LEAST_GUEST_MEMORY (UINT64_C(1) << 20)

static const struct nw_paging_mode *const modes[NW_MODES] = {
    [NW_MODE_NATIVE] = &nw_native_mode, [NW_MODE_NESTED] = &nw_nested_mode,
    [NW_MODE_SHADOW] = &nw_shadow_mode, [NW_MODE_SELECTIVE] = &nw_selective_mode,
    [NW_MODE_AGILE] = &nw_agile_mode,
};

bool nw_machine_error(char *error, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error, size, format, arguments);
  va_end(arguments);
  return false;
}

bool nw_machine_fail(struct nw_machine *machine, enum nw_machine_status status) {
  if (machine->status == NW_MACHINE_OK)
    machine->status = status;
  return false;
}

void nw_machine_set_running(struct nw_machine *machine, bool running) {
  machine->running = running;
  machine->undisturbed = running && !machine->due;
}

void nw_machine_set_due(struct nw_machine *machine, bool due) {
  machine->due = due;
  machine->undisturbed = machine->running && !due;
}

/* -- what the parts share ------------------------------------------------------------------- */

bool nw_machine_guest_address(const struct nw_machine *machine, uint64_t ipa, uint64_t *pa) {
  if (machine->hypervisor != NULL)
    return nw_hypervisor_backing(machine->hypervisor, ipa, pa);
  *pa = ipa;
  return ipa < machine->config.guest.memory;
}

bool nw_machine_is_mmio(const struct nw_machine *machine, uint64_t ipa) {
  const struct nw_hypervisor_config *config = &machine->config.hypervisor;
  for (uint32_t i = 0; i < config->mmio_ranges; i++)
    if (ipa >= config->mmio[i].base && ipa - config->mmio[i].base < config->mmio[i].size)
      return true;
  return false;
}

uint64_t nw_machine_cycles(const struct nw_machine *machine) {
  const struct nw_machine_statistics *s = machine->statistics;
  double base = (double)s->instructions * machine->config.base_cpi;
  return (uint64_t)llround(base) + s->cycles_memory + s->cycles_translation +
         s->cycles_guest_kernel + s->cycles_exits;
}

void nw_machine_write_register(struct nw_machine *machine, unsigned reg, uint64_t value) {
  nw_regime_write(&machine->guest_regime, reg, value);
  machine->mode->write_register(machine, reg, value);
}

uint64_t nw_machine_read_register(const struct nw_machine *machine, unsigned reg) {
  return machine->mode->read_register(machine, reg);
}

void nw_machine_invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  machine->mode->invalidate(machine, operation, operand);
}

/* Translates an access of the guest kernel until it succeeds, or somebody else has made it. */
static bool kernel_access(struct nw_machine *machine, uint64_t va, enum nw_access access,
                          const struct nw_store *store, uint64_t *pa, bool *emulated) {
  struct nw_request seen = {
      .va = va, .access = (uint8_t)access, .privilege = machine->kernel_privilege};
  struct nw_request request = seen;
  request.privilege = NW_PRIVILEGED;
  *emulated = false;
  for (unsigned faults = 0; faults < MOST_FAULTS; faults++) {
    struct nw_result result;
    bool done = nw_mmu_translate(machine->mmu, &seen, &machine->walker, &result);
    machine->statistics->cycles_translation += result.cycles;
    *pa = result.pa;
    if (done)
      return true;
    switch (machine->mode->fault(machine, &request, &result.fault, store)) {
    case NW_OUTCOME_RETRY:
      break;
    case NW_OUTCOME_EMULATED:
      *emulated = true;
      return true;
    case NW_OUTCOME_GUEST: /* the kernel does not fault on its own memory */
      return nw_machine_fail(machine, NW_MACHINE_NO_PROGRESS);
    case NW_OUTCOME_FAILED:
      return false;
    }
  }
  return nw_machine_fail(machine, NW_MACHINE_NO_PROGRESS);
}

bool nw_machine_kernel_load(struct nw_machine *machine, uint64_t va) {
  uint64_t pa;
  bool emulated;
  return kernel_access(machine, va, NW_READ, NULL, &pa, &emulated);
}

/* A store that nobody has emulated: the frame is the guest's own. */
static void note_store(struct nw_machine *machine, uint64_t pa, const struct nw_store *store) {
  if (machine->ksm == NULL)
    return;
  uint32_t owner = machine->hypervisor->owner[pa >> NW_FRAME_LOG2];
  bool clears = store->size == NW_STORE_FRAME;
  if (owner != 0)
    nw_ksm_note(machine, (uint64_t)(owner - 1) << NW_FRAME_LOG2,
                clears ? NW_CONTENT_ZERO : NW_CONTENT_OWN);
}

bool nw_machine_kernel_store(struct nw_machine *machine, uint64_t va,
                             const struct nw_store *store) {
  uint64_t pa;
  bool emulated;
  if (!kernel_access(machine, va, NW_WRITE, store, &pa, &emulated))
    return false;
  if (emulated)
    return true;
  note_store(machine, pa, store);
  nw_agile_dirtied(machine, pa);
  if (store->size == NW_STORE_FRAME) {
    nw_physical_clear_frame(machine->memory, pa);
    return true;
  }
  return nw_physical_write(machine->memory, pa, store->size, store->value) ||
         nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
}

/* Answers a walk's step from memory; what is to be updated is, unless the request is a debugger's. */
static void answer_step(struct nw_machine *machine, const struct nw_step *step, bool debug,
                        struct nw_answer *answer) {
  if (step->kind != NW_STEP_UPDATE) {
    answer->abort = !nw_physical_read(machine->memory, step->address, step->size, &answer->data);
  } else if (debug) {
    answer->hit = true;
  } else {
    answer->abort = !nw_physical_compare_and_swap(machine->memory, step->address, step->size,
                                                  step->old_value, step->new_value, &answer->data);
    answer->hit = answer->data == step->old_value;
  }
}

bool nw_machine_walk(struct nw_machine *machine, const struct nw_regime *regime,
                     const struct nw_request *request, enum nw_scope scope,
                     struct nw_result *result) {
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, regime, request, scope, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    answer_step(machine, &step, request->debug, &answer);
    nw_walk_answer(&walk, &answer);
  }
  *result = *nw_walk_result(&walk);
  return result->fault.type == NW_FAULT_NONE;
}

enum nw_fault_outcome nw_machine_resolve(struct nw_machine *machine,
                                         const struct nw_request *request) {
  machine->status = NW_MACHINE_OK;
  for (unsigned faults = 0; faults < MOST_FAULTS; faults++) {
    struct nw_request seen = *request;
    struct nw_regime regime;
    struct nw_result result = {.fault = {.type = NW_FAULT_TRANSLATION, .stage = 1}};
    if (machine->mode->hardware_regime(machine, &seen, &regime) &&
        nw_machine_walk(machine, &regime, &seen, NW_SCOPE_BOTH, &result))
      return NW_OUTCOME_RETRY;
    enum nw_fault_outcome outcome = machine->mode->fault(machine, request, &result.fault, NULL);
    if (outcome != NW_OUTCOME_RETRY)
      return outcome;
  }
  nw_machine_fail(machine, NW_MACHINE_NO_PROGRESS);
  return NW_OUTCOME_FAILED;
}

/* -- making a machine ----------------------------------------------------------------------- */

static bool read_for_walker(void *context, uint64_t pa, unsigned size, uint64_t *data,
                            uint32_t *cycles) {
  struct nw_machine *machine = context;
  *cycles = nw_hierarchy_access(machine->hierarchy, pa, NW_BY_WALKER);
  return nw_physical_read(machine->memory, pa, size, data);
}

static bool update_for_walker(void *context, uint64_t pa, unsigned size, uint64_t old_value,
                              uint64_t new_value, uint64_t *found, uint32_t *cycles) {
  struct nw_machine *machine = context;
  *cycles = nw_hierarchy_access(machine->hierarchy, pa, NW_BY_WALKER);
  return nw_physical_compare_and_swap(machine->memory, pa, size, old_value, new_value, found);
}

static bool check_ranges(const struct nw_machine_config *config, char *error, size_t error_size) {
  const struct nw_hypervisor_config *hypervisor = &config->hypervisor;
  unsigned bits = nw_guest_physical_bits(config);
  if (hypervisor->mmio_ranges > NW_MMIO_RANGES)
    return nw_machine_error(error, error_size, "%u MMIO ranges, expected at most %d",
                            hypervisor->mmio_ranges, NW_MMIO_RANGES);
  for (uint32_t i = 0; i < hypervisor->mmio_ranges; i++) {
    const struct nw_mmio_range *range = &hypervisor->mmio[i];
    uint64_t end = range->base + range->size;
    if (((range->base | range->size) & (NW_FRAME_BYTES - 1)) != 0 || range->size == 0 ||
        end < range->base || end > UINT64_C(1) << bits)
      return nw_machine_error(error, error_size,
                              "MMIO range %u, base 0x%llx and size 0x%llx: expected multiples of "
                              "4 KB, a size that is not 0 and an end within %u bits",
                              i, (unsigned long long)range->base, (unsigned long long)range->size,
                              bits);
  }
  return true;
}

static bool check_shadow(const struct nw_machine_config *config, char *error, size_t error_size) {
  const struct nw_shadow_config *shadow = &config->hypervisor.shadow;
  if (shadow->memory != 0 && shadow->memory < NW_SHADOW_MEMORY_LEAST)
    return nw_machine_error(
        error, error_size, "hypervisor.shadow.memory is %llu bytes, expected 0 or at least %llu",
        (unsigned long long)shadow->memory, (unsigned long long)NW_SHADOW_MEMORY_LEAST);
  if (shadow->paravirtual &&
      (shadow->paravirtual_batch == 0 || shadow->paravirtual_batch > NW_PARAVIRTUAL_BATCH))
    return nw_machine_error(error, error_size,
                            "hypervisor.shadow.paravirtual_batch is %u, expected 1 to %d",
                            shadow->paravirtual_batch, NW_PARAVIRTUAL_BATCH);
  if (shadow->direct_faults && !config->hypervisor.pf_filter)
    return nw_machine_error(error, error_size,
                            "hypervisor.shadow.direct_faults needs a machine whose hardware "
                            "filters page faults (hypervisor.pf_filter)");
  if (shadow->direct_faults && config->guest.deprivileged)
    return nw_machine_error(error, error_size,
                            "hypervisor.shadow.direct_faults needs a guest kernel that keeps its "
                            "privilege: a de-privileged one is entered by the hypervisor only");
  return true;
}

static bool check_memory(const struct nw_machine_config *config, char *error, size_t error_size) {
  const struct nw_software_architecture *software = nw_guest_layouts[config->format].software;
  uint64_t memory = config->guest.memory, host = config->hypervisor.memory;
  if (memory < LEAST_GUEST_MEMORY || memory > software->slot_bytes ||
      (memory & (NW_FRAME_BYTES - 1)) != 0)
    return nw_machine_error(error, error_size,
                            "guest.memory is %llu bytes, expected a multiple of 4096 from 1 MiB "
                            "to %llu GiB",
                            (unsigned long long)memory,
                            (unsigned long long)(software->slot_bytes >> 30));
  if (host != 0 && (host < LEAST_GUEST_MEMORY || host > software->host_bytes ||
                    (host & (NW_FRAME_BYTES - 1)) != 0))
    return nw_machine_error(error, error_size,
                            "hypervisor.memory is %llu bytes, expected 0 or a multiple of 4096 "
                            "from 1 MiB to %llu GiB",
                            (unsigned long long)host,
                            (unsigned long long)(software->host_bytes >> 30));
  unsigned bits = nw_guest_physical_bits(config);
  return memory >> bits == 0 ||
         nw_machine_error(error, error_size,
                          "guest.memory is %llu bytes, expected no more than %u address bits name",
                          (unsigned long long)memory, bits);
}

static bool check_x86(const struct nw_machine_config *config, char *error, size_t error_size) {
  unsigned levels = config->hypervisor.stage2_levels;
  if (config->guest.pcids > NW_PCIDS)
    return nw_machine_error(error, error_size, "guest.pcids is %u, expected at most %d",
                            config->guest.pcids, NW_PCIDS);
  if (levels != 0 && levels != 4 && levels != 5)
    return nw_machine_error(error, error_size, "hypervisor.stage2_levels is %u, expected 4 or 5",
                            levels);
  return true;
}

static bool check_config(const struct nw_machine_config *config, char *error, size_t error_size) {
  if (!(config->base_cpi >= 0) || isinf(config->base_cpi))
    return nw_machine_error(error, error_size, "core.base_cpi is %g, expected a number from 0 up",
                            config->base_cpi);
  if ((unsigned)config->format >= NW_GUEST_FORMATS)
    return nw_machine_error(error, error_size, "format %d, expected 0 to %d", (int)config->format,
                            NW_GUEST_FORMATS - 1);
  return check_memory(config, error, error_size) && check_x86(config, error, error_size) &&
         check_ranges(config, error, error_size) && check_shadow(config, error, error_size);
}

/* The hardware's regime: stage 1 alone, or both stages. */
static enum nw_regime_kind regime_kind(const struct nw_machine_config *config, bool stage2) {
  static const enum nw_regime_kind both[NW_REGIMES][2] = {
      [NW_REGIME_ARMV7_SHORT] = {NW_REGIME_ARMV7_SHORT_S2, NW_REGIME_ARMV7_SHORT_S2},
      [NW_REGIME_ARMV7_LPAE] = {NW_REGIME_ARMV7_LPAE_S2, NW_REGIME_ARMV7_LPAE_S2},
      [NW_REGIME_X86_64] =
          {[NW_STAGE2_NPT] = NW_REGIME_X86_SVM_NPT, [NW_STAGE2_EPT] = NW_REGIME_X86_EPT},
  };
  enum nw_regime_kind kind = nw_guest_layouts[config->format].kind;
  return stage2 ? both[kind][config->hypervisor.stage2] : kind;
}

static bool create_regimes(struct nw_machine *machine, char *error, size_t error_size) {
  struct nw_machine_config *config = &machine->config;
  bool stage2 = machine->mode_kind != NW_MODE_NATIVE && machine->mode_kind != NW_MODE_SHADOW;
  if (config->mmu.capabilities.maxphyaddr == 0)
    config->mmu.capabilities = nw_default_capabilities;
  config->mmu.regime = regime_kind(config, stage2);
  nw_regime_init(&machine->guest_regime, machine->layout->kind);
  nw_regime_set_capabilities(&machine->guest_regime, &config->mmu.capabilities);
  machine->mmu = nw_mmu_create(&config->mmu, error, error_size);
  return machine->mmu != NULL;
}

/* Bytes of a line of the nearest cache that programs have: the walker's own may be nearer. */
static uint32_t nearest_line(const struct nw_hierarchy_config *memory) {
  const uint8_t programs = 1u << NW_BY_INSTRUCTION | 1u << NW_BY_DATA;
  for (uint32_t i = 0; i < memory->caches; i++)
    if ((memory->cache[i].serves & programs) != 0)
      return memory->cache[i].line;
  return LINE_WITHOUT_CACHES;
}

static bool create_hardware(struct nw_machine *machine, char *error, size_t error_size) {
  struct nw_machine_config *config = &machine->config;
  if (!create_regimes(machine, error, error_size))
    return false;
  if (config->watch.made != NULL)
    config->watch.made(config->watch.context, machine->mmu);
  machine->hierarchy = nw_hierarchy_create(&config->memory, error, error_size);
  if (machine->hierarchy == NULL)
    return false;
  machine->walker =
      (struct nw_memory){.context = machine, .read = read_for_walker, .update = update_for_walker};
  machine->program_accesses = config->program_accesses;
  machine->watched = machine->program_accesses || config->hypervisor.ksm.pages > 0;
  machine->line = nearest_line(&config->memory);
  return true;
}

/* Whatever boot has cost is not the program's. */
static void reset_statistics(struct nw_machine *machine) {
  uint64_t pages = machine->statistics->shadow_pages, bytes = machine->statistics->shadow_bytes;
  *machine->statistics =
      (struct nw_machine_statistics){.shadow_pages = pages, .shadow_bytes = bytes};
  nw_gauge_reset(&machine->shadow_bytes, 0);
  nw_mmu_reset_statistics(machine->mmu);
  nw_chooser_begin(machine);
}

static bool create_parts(struct nw_machine *machine, char *error, size_t error_size) {
  machine->statistics = calloc(1, sizeof *machine->statistics);
  if (machine->statistics == NULL)
    return nw_machine_error(error, error_size, "out of memory for the statistics");
  if (!create_hardware(machine, error, error_size))
    return false;
  machine->kernel_privilege = NW_PRIVILEGED;
  if (!machine->mode->start(machine, error, error_size) ||
      !nw_guest_kernel_create(machine, error, error_size))
    return false;
  machine->mode->leave_kernel(machine, false);
  if (machine->status != NW_MACHINE_OK)
    return nw_machine_error(error, error_size, "host memory does not hold the first tables");
  reset_statistics(machine);
  return true;
}

struct nw_machine *nw_machine_create(const struct nw_machine_config *config, enum nw_mode mode,
                                     char *error, size_t error_size) {
  if ((unsigned)mode >= NW_MODES) {
    nw_machine_error(error, error_size, "paging mode %d, expected 0 to %d", (int)mode,
                     NW_MODES - 1);
    return NULL;
  }
  if (!check_config(config, error, error_size))
    return NULL;
  struct nw_machine *machine = calloc(1, sizeof *machine);
  if (machine == NULL) {
    nw_machine_error(error, error_size, "out of memory for the machine");
    return NULL;
  }
  machine->config = *config;
  machine->mode_kind = mode;
  machine->mode = modes[mode];
  machine->layout = &nw_guest_layouts[config->format];
  machine->software = machine->layout->software;
  machine->user_end = machine->layout->user_end;
  if (!create_parts(machine, error, error_size)) {
    nw_machine_destroy(machine);
    return NULL;
  }
  return machine;
}

void nw_machine_expect(struct nw_machine *machine, uint64_t instructions) {
  if (machine->chooser != NULL)
    nw_chooser_expect(machine, instructions);
}

void nw_machine_destroy(struct nw_machine *machine) {
  if (machine == NULL)
    return;
  nw_guest_kernel_destroy(machine->kernel);
  machine->mode->stop(machine);
  nw_paravirtual_destroy(machine->paravirtual);
  nw_ksm_destroy(machine->ksm);
  nw_hypervisor_destroy(machine->hypervisor);
  nw_physical_memory_destroy(machine->memory);
  nw_hierarchy_destroy(machine->hierarchy);
  nw_mmu_destroy(machine->mmu);
  free(machine->statistics);
  free(machine);
}

/* -- what the driver asks of the kernel ------------------------------------------------------ */

static void enter(struct nw_machine *machine) {
  nw_chooser_look(machine);
  machine->status = NW_MACHINE_OK;
  machine->mode->enter_kernel(machine, false);
}

static enum nw_machine_status leave(struct nw_machine *machine) {
  machine->mode->leave_kernel(machine, false);
  return machine->status;
}

nw_process_id nw_machine_spawn(struct nw_machine *machine) {
  enter(machine);
  nw_process_id id = nw_guest_kernel_spawn(machine->kernel);
  leave(machine);
  return id;
}

nw_process_id nw_machine_fork(struct nw_machine *machine, nw_process_id parent, bool share) {
  enter(machine);
  nw_process_id id = nw_guest_kernel_fork(machine->kernel, parent, share);
  leave(machine);
  return id;
}

enum nw_machine_status nw_machine_switch(struct nw_machine *machine, nw_process_id process) {
  if (process != 0 && machine->kernel->running == process)
    return NW_MACHINE_OK;
  enter(machine);
  nw_guest_kernel_switch(machine->kernel, process);
  return leave(machine);
}

enum nw_machine_status nw_machine_exit(struct nw_machine *machine, nw_process_id process) {
  enter(machine);
  nw_guest_kernel_exit(machine->kernel, process);
  return leave(machine);
}

enum nw_machine_status nw_machine_exec(struct nw_machine *machine) {
  enter(machine);
  nw_guest_kernel_exec(machine->kernel);
  return leave(machine);
}

/* Widens [va, va + length) to whole pages; false when it is not in the program's space. */
static bool whole_pages(const struct nw_machine *machine, uint64_t va, uint64_t length,
                        uint64_t *start, uint64_t *end) {
  if (va > machine->user_end || length > machine->user_end - va)
    return false;
  *start = va & ~(NW_FRAME_BYTES - 1);
  *end = (va + length + NW_FRAME_BYTES - 1) & ~(NW_FRAME_BYTES - 1);
  return true;
}

/* Whether an operation on [va, va + length) of the running process makes sense. */
static enum nw_machine_status check_range(const struct nw_machine *machine, uint64_t va,
                                          uint64_t length, uint64_t *start, uint64_t *end) {
  if (!machine->running)
    return NW_MACHINE_BAD_PROCESS;
  return whole_pages(machine, va, length, start, end) ? NW_MACHINE_OK : NW_MACHINE_BAD_ADDRESS;
}

static enum nw_machine_status map(struct nw_machine *machine, uint64_t va, uint64_t length,
                                  struct nw_mapping *mapping) {
  enum nw_machine_status status = check_range(machine, va, length, &mapping->start, &mapping->end);
  if (status != NW_MACHINE_OK || mapping->start == mapping->end)
    return status;
  enter(machine);
  nw_guest_kernel_map(machine->kernel, mapping);
  return leave(machine);
}

enum nw_machine_status nw_machine_map(struct nw_machine *machine, uint64_t va, uint64_t length,
                                      unsigned protection, bool shared) {
  struct nw_mapping mapping = {.protection = protection, .shared = shared};
  return map(machine, va, length, &mapping);
}

enum nw_machine_status nw_machine_map_device(struct nw_machine *machine, uint64_t va,
                                             uint64_t length, uint64_t ipa) {
  unsigned bits = nw_guest_physical_bits(&machine->config);
  if ((va - ipa) % NW_FRAME_BYTES != 0 || ipa >= UINT64_C(1) << bits ||
      length > (UINT64_C(1) << bits) - ipa)
    return NW_MACHINE_BAD_ADDRESS;
  struct nw_mapping mapping = {
      .protection = NW_PROT_READ | NW_PROT_WRITE, .device = true, .device_offset = ipa - va};
  return map(machine, va, length, &mapping);
}

enum nw_machine_status nw_machine_set_content(struct nw_machine *machine, uint64_t va,
                                              uint64_t length, uint64_t tag, uint64_t first) {
  uint64_t start, end;
  enum nw_machine_status status = check_range(machine, va, length, &start, &end);
  if (status != NW_MACHINE_OK || start == end)
    return status;
  enter(machine);
  nw_guest_kernel_set_content(machine->kernel, start, end, tag, first);
  return leave(machine);
}

enum nw_machine_status nw_machine_unmap(struct nw_machine *machine, uint64_t va, uint64_t length) {
  uint64_t start, end;
  enum nw_machine_status status = check_range(machine, va, length, &start, &end);
  if (status != NW_MACHINE_OK || start == end)
    return status;
  enter(machine);
  nw_guest_kernel_unmap(machine->kernel, start, end);
  return leave(machine);
}

enum nw_machine_status nw_machine_protect(struct nw_machine *machine, uint64_t va, uint64_t length,
                                          unsigned protection) {
  uint64_t start, end;
  enum nw_machine_status status = check_range(machine, va, length, &start, &end);
  if (status != NW_MACHINE_OK || start == end)
    return status;
  enter(machine);
  nw_guest_kernel_protect(machine->kernel, start, end, protection);
  return leave(machine);
}

enum nw_machine_status nw_machine_remap(struct nw_machine *machine, uint64_t old_va,
                                        uint64_t old_length, uint64_t new_va, uint64_t new_length) {
  uint64_t old_start, old_end, new_start, new_end;
  enum nw_machine_status status = check_range(machine, old_va, old_length, &old_start, &old_end);
  if (status == NW_MACHINE_OK)
    status = check_range(machine, new_va, new_length, &new_start, &new_end);
  if (status != NW_MACHINE_OK)
    return status;
  if (old_start != new_start && old_start < new_end && new_start < old_end)
    return NW_MACHINE_BAD_ADDRESS;
  enter(machine);
  nw_guest_kernel_remap(machine->kernel, old_start, old_end - old_start, new_start,
                        new_end - new_start);
  return leave(machine);
}

enum nw_machine_status nw_machine_syscall(struct nw_machine *machine) {
  if (!machine->running)
    return NW_MACHINE_BAD_PROCESS;
  nw_chooser_look(machine);
  machine->status = NW_MACHINE_OK;
  machine->statistics->syscalls++;
  machine->mode->enter_kernel(machine, true);
  nw_machine_kernel_works(machine, machine->config.guest.syscall_cycles);
  machine->mode->leave_kernel(machine, true);
  return machine->status;
}

/* -- accesses ------------------------------------------------------------------------------- */

/* The caches' part of `count` accesses from `pa`, all in one page: a run of instructions touches
 * each line once. */
static void reference_memory(struct nw_machine *machine, enum nw_access access, uint64_t pa,
                             uint32_t count) {
  uint64_t cycles = 0, line = machine->line;
  if (access != NW_EXECUTE) {
    cycles = nw_hierarchy_access(machine->hierarchy, pa, NW_BY_DATA);
  } else {
    uint64_t page_end = (pa | (NW_FRAME_BYTES - 1)) + 1;
    uint64_t end = pa + (uint64_t)count * machine->software->instruction_bytes;
    if (end > page_end)
      end = page_end;
    for (uint64_t at = pa & ~(line - 1); at < end; at += line)
      cycles += nw_hierarchy_access(machine->hierarchy, at, NW_BY_INSTRUCTION);
  }
  machine->statistics->cycles_memory += cycles;
}

/* What an access leads to besides its translation. */
static void finish_access(struct nw_machine *machine, enum nw_access access, uint64_t pa,
                          uint32_t count) {
  if (machine->program_accesses)
    reference_memory(machine, access, pa, count);
  if (machine->ksm != NULL)
    nw_ksm_accessed(machine, access, pa);
}

static inline void count_references(struct nw_machine *machine, enum nw_access access,
                                    uint32_t count) {
  machine->statistics->references += count;
  if (access == NW_EXECUTE)
    machine->statistics->instructions += count;
}

/* FNV-1a over what the guest is told. */
static void note_fault(struct nw_machine *machine, const struct nw_fault *fault) {
  const uint64_t told[] = {fault->type, fault->level, fault->va, fault->access};
  for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++)
    machine->fault_trail = (machine->fault_trail ^ told[i]) * UINT64_C(0x100000001b3);
}

/* The kernel gets the program's fault. */
static bool deliver(struct nw_machine *machine, const struct nw_request *request) {
  note_fault(machine, &machine->guest_fault);
  machine->mode->enter_kernel(machine, true);
  bool done = nw_guest_kernel_fault(machine->kernel, request->va, (enum nw_access)request->access);
  machine->mode->leave_kernel(machine, true);
  return done && machine->status == NW_MACHINE_OK;
}

static enum nw_fault_outcome handle_fault(struct nw_machine *machine,
                                          const struct nw_request *request,
                                          const struct nw_fault *fault) {
  enum nw_fault_outcome outcome = machine->mode->fault(machine, request, fault, NULL);
  if (outcome == NW_OUTCOME_GUEST && !deliver(machine, request))
    return NW_OUTCOME_FAILED;
  return outcome;
}

/* Goes on with an access of which `done` of `count` have been made before a fault. */
static enum nw_machine_status access_with_faults(struct nw_machine *machine,
                                                 const struct nw_request *request, uint32_t count,
                                                 uint32_t done, struct nw_result *result) {
  enum nw_access access = (enum nw_access)request->access;
  uint32_t translated = done;
  machine->status = NW_MACHINE_OK;
  for (unsigned faults = 0; faults < MOST_FAULTS; faults++) {
    enum nw_fault_outcome outcome = handle_fault(machine, request, &result->fault);
    if (outcome == NW_OUTCOME_FAILED)
      return machine->status;
    if (outcome == NW_OUTCOME_EMULATED) {
      faults = 0;
      if (++done == count)
        break;
    }
    uint32_t more =
        nw_mmu_translate_run(machine->mmu, request, count - done, &machine->walker, result);
    machine->statistics->cycles_translation += result->cycles;
    translated += more;
    done += more;
    if (done == count && machine->watched)
      finish_access(machine, access, result->pa, translated);
    if (done == count)
      break;
  }
  count_references(machine, access, done);
  return done == count ? NW_MACHINE_OK : NW_MACHINE_NO_PROGRESS;
}

/* Whether the running process may name `va` at all. */
static enum nw_machine_status check_address(const struct nw_machine *machine, enum nw_access access,
                                            uint64_t va) {
  if (!machine->running)
    return NW_MACHINE_BAD_PROCESS;
  bool helpers = (va & ~(NW_FRAME_BYTES - 1)) == machine->layout->helper_page && access != NW_WRITE;
  return va < machine->user_end || helpers ? NW_MACHINE_OK : NW_MACHINE_BAD_ADDRESS;
}

enum nw_machine_status nw_machine_access(struct nw_machine *machine, enum nw_access access,
                                         uint64_t va, uint32_t count) {
  if (va >= machine->user_end || !machine->undisturbed || count == 0) {
    enum nw_machine_status status = check_address(machine, access, va);
    if (status != NW_MACHINE_OK || count == 0)
      return status;
    nw_chooser_look(machine);
  }
  struct nw_request request = {.va = va, .access = (uint8_t)access, .privilege = NW_USER};
  struct nw_result result;
  uint32_t done = nw_mmu_translate_run(machine->mmu, &request, count, &machine->walker, &result);
  machine->statistics->cycles_translation += result.cycles;
  if (done != count)
    return access_with_faults(machine, &request, count, done, &result);
  count_references(machine, access, count);
  if (machine->watched)
    finish_access(machine, access, result.pa, count);
  return NW_MACHINE_OK;
}

/* -- one access at a time -------------------------------------------------------------------- */

static bool peek(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles) {
  const struct nw_machine *machine = context;
  *cycles = 0;
  return nw_physical_read(machine->memory, pa, size, data);
}

struct nw_translator nw_machine_translator(struct nw_machine *machine) {
  nw_chooser_look(machine);
  return (struct nw_translator){.mmu = machine->mmu,
                                .costs = &machine->config.mmu.cycles,
                                .memory = machine->walker,
                                .peek = {.context = machine, .read = peek}};
}

enum nw_fault_outcome nw_machine_mend(struct nw_machine *machine, const struct nw_request *request,
                                      const struct nw_fault *fault,
                                      enum nw_machine_status *status) {
  machine->status = NW_MACHINE_OK;
  enum nw_fault_outcome outcome = handle_fault(machine, request, fault);
  *status = machine->status;
  return outcome;
}

/* -- looking in ----------------------------------------------------------------------------- */

const struct nw_machine_statistics *nw_machine_statistics(const struct nw_machine *machine) {
  struct nw_machine_statistics *statistics = machine->statistics;
  statistics->cycles_base =
      (uint64_t)llround((double)statistics->instructions * machine->config.base_cpi);
  nw_chooser_count(machine);
  statistics->shadow_bytes_peak = machine->shadow_bytes.peak;
  statistics->shadow_bytes_average =
      nw_gauge_average(&machine->shadow_bytes, nw_machine_cycles(machine));
  return statistics;
}

const struct nw_mmu_statistics *nw_machine_mmu_statistics(const struct nw_machine *machine) {
  return nw_mmu_statistics(machine->mmu);
}

const struct nw_hierarchy *nw_machine_hierarchy(const struct nw_machine *machine) {
  return machine->hierarchy;
}

bool nw_machine_debug_translate(struct nw_machine *machine, uint64_t va, enum nw_access access,
                                enum nw_privilege privilege, struct nw_result *result) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = (uint8_t)privilege, .debug = true};
  struct nw_regime regime;
  if (machine->mode->hardware_regime(machine, &request, &regime))
    return nw_machine_walk(machine, &regime, &request, NW_SCOPE_BOTH, result);
  *result = (struct nw_result){.fault = {.type = NW_FAULT_TRANSLATION,
                                         .stage = 1,
                                         .level = 1,
                                         .access = (uint8_t)access,
                                         .failing_access = (uint8_t)access,
                                         .va = va}};
  return false;
}
