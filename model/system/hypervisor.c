/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: backing[frame] is what the host's own table says of the frame, and 0 where that has a
 * hole. Host frame 0 is never given out. Device addresses are never backed.
 */
#include "system/hypervisor.h"

#include <stdlib.h>

#include "system/architecture.h"
#include "system/ksm.h"

#define LARGE_LOG2 21
#define HUGE_LOG2 30

/* Host virtual address of the guest's memory at `ipa`. */
static uint64_t slot_address(const struct nw_hypervisor *hypervisor, uint64_t ipa) {
  return hypervisor->machine->software->slot_base + ipa;
}

bool nw_hypervisor_is_memory(const struct nw_hypervisor *hypervisor, uint64_t ipa) {
  return ipa >> NW_FRAME_LOG2 < hypervisor->guest_frames &&
         !nw_machine_is_mmio(hypervisor->machine, ipa);
}

bool nw_hypervisor_backing(const struct nw_hypervisor *hypervisor, uint64_t ipa, uint64_t *pa) {
  uint64_t frame = ipa >> NW_FRAME_LOG2;
  if (frame >= hypervisor->guest_frames || hypervisor->backing[frame] == 0)
    return false;
  *pa = ((uint64_t)hypervisor->backing[frame] << NW_FRAME_LOG2) | (ipa & (NW_FRAME_BYTES - 1));
  return true;
}

bool nw_hypervisor_is_writable(const struct nw_hypervisor *hypervisor, uint64_t ipa) {
  return !hypervisor->read_only[ipa >> NW_FRAME_LOG2];
}

uint8_t nw_hypervisor_backing_log2(const struct nw_hypervisor *hypervisor, uint64_t ipa) {
  struct nw_pte pte;
  uint64_t pa;
  if (!nw_hypervisor_backing(hypervisor, ipa, &pa))
    return 0;
  nw_page_table_find(&hypervisor->host_table, slot_address(hypervisor, ipa), &pte);
  return pte.span_log2;
}

/* True when the 2^log2 bytes from `start` on are all the guest's memory, and none is backed yet. */
static bool can_back_large(const struct nw_hypervisor *hypervisor, uint64_t start, uint8_t log2) {
  uint64_t end = start + (UINT64_C(1) << log2);
  if ((end - 1) >> NW_FRAME_LOG2 >= hypervisor->guest_frames)
    return false;
  for (uint64_t ipa = start; ipa < end; ipa += NW_FRAME_BYTES)
    if (!nw_hypervisor_is_memory(hypervisor, ipa) || hypervisor->backing[ipa >> NW_FRAME_LOG2] != 0)
      return false;
  return true;
}

static bool map_host(struct nw_hypervisor *hypervisor, uint64_t ipa, uint64_t frame,
                     uint8_t page_log2, bool writable) {
  struct nwi_leaf leaf = {.output = frame << NW_FRAME_LOG2,
                          .page_log2 = page_log2,
                          .readable = true,
                          .writable = writable,
                          .executable = true,
                          .user = true};
  if (!nw_page_table_map(&hypervisor->host_table, slot_address(hypervisor, ipa), &leaf))
    return false;
  for (uint64_t i = 0; i < UINT64_C(1) << (page_log2 - NW_FRAME_LOG2); i++) {
    uint64_t guest = (ipa >> NW_FRAME_LOG2) + i;
    hypervisor->backed_frames += hypervisor->backing[guest] == 0;
    hypervisor->backing[guest] = (uint32_t)(frame + i);
    hypervisor->read_only[guest] = !writable;
    hypervisor->owner[frame + i] = writable ? (uint32_t)guest + 1 : 0;
  }
  return true;
}

bool nw_hypervisor_remap(struct nw_hypervisor *hypervisor, uint64_t ipa, uint32_t frame,
                         bool writable) {
  uint64_t page = ipa & ~(NW_FRAME_BYTES - 1);
  uint32_t old = hypervisor->backing[page >> NW_FRAME_LOG2];
  struct nw_pte pte;
  for (;;) {
    nw_page_table_find(&hypervisor->host_table, slot_address(hypervisor, page), &pte);
    if (pte.span_log2 == NW_FRAME_LOG2)
      break;
    if (!nw_page_table_split(&hypervisor->host_table, &pte))
      return false;
  }
  hypervisor->machine->mode->unmap_frame(hypervisor->machine, page);
  hypervisor->owner[old] = 0;
  return map_host(hypervisor, page, frame, NW_FRAME_LOG2, writable);
}

/* 2^order host frames that read as 0: nobody sees what they were used for before. */
static bool allocate_cleared(struct nw_hypervisor *hypervisor, unsigned order, uint64_t *frame) {
  if (!nw_frames_allocate(hypervisor->frames, order, frame))
    return false;
  for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
    nw_physical_clear_frame(hypervisor->machine->memory, (*frame + i) << NW_FRAME_LOG2);
  return true;
}

static bool back_size(struct nw_hypervisor *hypervisor, uint64_t ipa, uint8_t log2) {
  uint64_t frame, start = ipa >> log2 << log2;
  return can_back_large(hypervisor, start, log2) &&
         allocate_cleared(hypervisor, log2 - NW_FRAME_LOG2, &frame) &&
         map_host(hypervisor, start, frame, log2, true);
}

static bool back_large(struct nw_hypervisor *hypervisor, uint64_t ipa) {
  const struct nw_hypervisor_config *config = &hypervisor->machine->config.hypervisor;
  return (config->stage2_huge && back_size(hypervisor, ipa, HUGE_LOG2)) ||
         (config->stage2_large && back_size(hypervisor, ipa, LARGE_LOG2));
}

bool nw_hypervisor_back(struct nw_hypervisor *hypervisor, uint64_t ipa, uint64_t *pa) {
  uint64_t frame;
  if (nw_hypervisor_backing(hypervisor, ipa, pa))
    return true;
  if (!nw_hypervisor_is_memory(hypervisor, ipa))
    return false;
  if (!back_large(hypervisor, ipa)) {
    if (!allocate_cleared(hypervisor, 0, &frame))
      return false;
    if (!map_host(hypervisor, ipa & ~(NW_FRAME_BYTES - 1), frame, NW_FRAME_LOG2, true)) {
      nw_frames_drop(hypervisor->frames, frame);
      return false;
    }
  }
  return nw_hypervisor_backing(hypervisor, ipa, pa);
}

/* -- references and tables in host memory --------------------------------------------------- */

void nw_hypervisor_reference(struct nw_hypervisor *hypervisor, uint64_t pa) {
  hypervisor->cycles += nw_hierarchy_access(hypervisor->machine->hierarchy, pa, NW_BY_DATA);
}

bool nw_hypervisor_walk_host(struct nw_hypervisor *hypervisor, uint64_t ipa, enum nw_access access,
                             struct nw_result *result) {
  uint64_t pa;
  if (!nw_hypervisor_back(hypervisor, ipa, &pa))
    return false;
  struct nw_request request = {
      .va = slot_address(hypervisor, ipa), .access = (uint8_t)access, .privilege = NW_USER};
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, &hypervisor->host_regime, &request, NW_SCOPE_BOTH, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {0};
    answer.abort =
        !nw_physical_read(hypervisor->machine->memory, step.address, step.size, &answer.data);
    nw_hypervisor_reference(hypervisor, step.address);
    nw_walk_answer(&walk, &answer);
  }
  *result = *nw_walk_result(&walk);
  return true;
}

static uint64_t read_host(void *context, uint64_t address, unsigned size) {
  const struct nw_hypervisor *hypervisor = context;
  uint64_t data = 0;
  nw_physical_read(hypervisor->machine->memory, address, size, &data);
  return data;
}

static bool write_host(void *context, uint64_t address, unsigned size, uint64_t value) {
  struct nw_hypervisor *hypervisor = context;
  nw_hypervisor_reference(hypervisor, address);
  return nw_physical_write(hypervisor->machine->memory, address, size, value);
}

bool nw_hypervisor_allocate_table(struct nw_hypervisor *hypervisor, uint64_t bytes,
                                  uint64_t *address) {
  unsigned order = 0;
  while (NW_FRAME_BYTES << order < bytes)
    order++;
  uint64_t frame;
  if (!allocate_cleared(hypervisor, order, &frame))
    return false;
  *address = frame << NW_FRAME_LOG2;
  return true;
}

static bool allocate_table(void *context, const struct nw_page_table *table, uint8_t level,
                           uint64_t va, uint64_t *address) {
  struct nw_hypervisor *hypervisor = context;
  (void)va;
  return nw_hypervisor_allocate_table(hypervisor, nw_page_table_bytes(table, level), address);
}

static void release_table(void *context, const struct nw_page_table *table, uint8_t level,
                          uint64_t address) {
  struct nw_hypervisor *hypervisor = context;
  (void)table;
  (void)level;
  nw_frames_drop(hypervisor->frames, address >> NW_FRAME_LOG2);
}

bool nw_hypervisor_table(struct nw_hypervisor *hypervisor, const struct nw_format *format,
                         const struct nw_regime *regime, uint8_t input_bits,
                         struct nw_page_table *table) {
  *table = (struct nw_page_table){
      .format = format,
      .regime = regime,
      .memory = {hypervisor, read_host, write_host, allocate_table, release_table},
      .start_level = format->first_level,
      .input_bits = input_bits,
  };
  while (format->shift[table->start_level] >= input_bits)
    table->start_level = nwi_level_below(format, table->start_level);
  return nw_hypervisor_allocate_table(hypervisor, nw_page_table_bytes(table, table->start_level),
                                      &table->root);
}

/* -- exits ---------------------------------------------------------------------------------- */

void nw_hypervisor_begin(struct nw_hypervisor *hypervisor) {
  hypervisor->cycles = 0;
}

void nw_hypervisor_end(struct nw_hypervisor *hypervisor, enum nw_exit_cause cause, uint64_t extra) {
  const struct nw_hypervisor_config *config = &hypervisor->machine->config.hypervisor;
  struct nw_machine_statistics *statistics = hypervisor->machine->statistics;
  uint64_t cycles = (uint64_t)config->trap + config->world_switch + config->handler[cause] + extra +
                    hypervisor->cycles;
  statistics->exits[cause]++;
  statistics->exit_cycles[cause] += cycles;
  statistics->cycles_exits += cycles;
  hypervisor->cycles = 0;
}

/* -- making --------------------------------------------------------------------------------- */

/* The flags of its entries are set from the start: hardware finds nothing to update in them. */
static bool create_host_table(struct nw_hypervisor *hypervisor) {
  const struct nw_machine *machine = hypervisor->machine;
  const struct nw_software_architecture *software = machine->software;
  struct nw_regime *regime = &hypervisor->host_regime;
  if (!nw_regime_init(regime, software->host_kind) ||
      !nw_regime_set_capabilities(regime, &machine->guest_regime.capabilities) ||
      !nw_hypervisor_table(hypervisor, regime->s1_format, regime, software->host_bits,
                           &hypervisor->host_table))
    return false;
  software->prepare_host(regime, hypervisor->host_table.root);
  return true;
}

/* Host memory for the guest, as much again for shadow tables, and some for everything else. */
static uint64_t host_bytes(const struct nw_machine *machine) {
  const struct nw_machine_config *config = &machine->config;
  const uint64_t most = machine->software->host_bytes, extra = UINT64_C(64) << 20;
  if (config->hypervisor.memory != 0)
    return config->hypervisor.memory;
  uint64_t bytes = config->guest.memory * 2 + extra;
  return bytes < most ? bytes : most;
}

bool nw_hypervisor_create(struct nw_machine *machine, char *error, size_t error_size) {
  if (machine->hypervisor != NULL)
    return true; /* two ways of paging share it */
  struct nw_hypervisor *hypervisor = calloc(1, sizeof *hypervisor);
  if (hypervisor == NULL)
    return nw_machine_error(error, error_size, "out of memory for the hypervisor");
  machine->hypervisor = hypervisor;
  hypervisor->machine = machine;
  hypervisor->guest_frames = machine->config.guest.memory >> NW_FRAME_LOG2;
  uint64_t bytes = host_bytes(machine);
  machine->memory = nw_physical_memory_create(bytes);
  unsigned largest = machine->config.hypervisor.stage2_huge ? NW_FRAME_ORDER_1G : NW_FRAME_ORDER_2M;
  hypervisor->frames = nw_frames_create(1, (bytes >> NW_FRAME_LOG2) - 1, largest);
  hypervisor->backing = calloc(hypervisor->guest_frames, sizeof *hypervisor->backing);
  hypervisor->read_only = calloc(hypervisor->guest_frames, sizeof *hypervisor->read_only);
  hypervisor->owner = calloc(bytes >> NW_FRAME_LOG2, sizeof *hypervisor->owner);
  if (machine->memory == NULL || hypervisor->frames == NULL || hypervisor->backing == NULL ||
      hypervisor->read_only == NULL || hypervisor->owner == NULL)
    return nw_machine_error(error, error_size, "out of memory for the host's memory");
  if (!create_host_table(hypervisor))
    return nw_machine_error(error, error_size, "host memory of %llu bytes does not hold its tables",
                            (unsigned long long)bytes);
  if (machine->config.hypervisor.ksm.pages > 0)
    machine->ksm = nw_ksm_create(machine);
  return machine->ksm != NULL || machine->config.hypervisor.ksm.pages == 0 ||
         nw_machine_error(error, error_size, "out of memory for same-page merging");
}

void nw_hypervisor_destroy(struct nw_hypervisor *hypervisor) {
  if (hypervisor == NULL)
    return;
  nw_frames_destroy(hypervisor->frames);
  free(hypervisor->backing);
  free(hypervisor->read_only);
  free(hypervisor->owner);
  free(hypervisor);
}
