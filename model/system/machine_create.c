/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a machine: what a configuration must be, and hardware, guest kernel, hypervisor and mode put
 * together.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "system/architecture.h"
#include "system/chooser.h"
#include "system/hypervisor.h"
#include "system/ksm.h"
#include "system/overlap.h"

#define LINE_WITHOUT_CACHES 64u
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

/* -- what a configuration must be ----------------------------------------------------------- */

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
  return !config->guest.deprivileged || config->format <= NW_GUEST_LPAE ||
         nw_machine_error(error, error_size,
                          "guest.deprivileged is true, expected false: on x86-64 the guest kernel "
                          "keeps ring 0");
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
/* -- putting it together --------------------------------------------------------------------- */

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
  if (!nw_overlap_start(machine))
    return nw_machine_error(error, error_size, "out of memory for walks in flight");
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
  free(machine->overlap);
  free(machine->statistics);
  free(machine);
}
