/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: backing[frame] is what the host's own table says of the frame, and 0 where that has a
 * hole. Host frame 0 is never given out. Device addresses are never backed.
 */
#include "system/hypervisor.h"

#include <stdlib.h>

#include "system/ksm.h"

#define SCTLR_M (1u << 0)
#define LARGE_LOG2 21
#define LARGE_ORDER (LARGE_LOG2 - NW_FRAME_LOG2)
#define LARGE_BYTES (UINT64_C(1) << LARGE_LOG2)

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
  nw_page_table_find(&hypervisor->host_table, NW_SLOT_BASE + ipa, &pte);
  return pte.span_log2;
}

/* True when the 2 MB around `ipa` are all the guest's memory, and none of it is backed yet. */
static bool can_back_large(const struct nw_hypervisor *hypervisor, uint64_t start) {
  for (uint64_t ipa = start; ipa < start + LARGE_BYTES; ipa += NW_FRAME_BYTES)
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
  if (!nw_page_table_map(&hypervisor->host_table, NW_SLOT_BASE + ipa, &leaf))
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
  nw_page_table_find(&hypervisor->host_table, NW_SLOT_BASE + page, &pte);
  if (pte.span_log2 > NW_FRAME_LOG2 && !nw_page_table_split(&hypervisor->host_table, &pte))
    return false;
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

static bool back_large(struct nw_hypervisor *hypervisor, uint64_t ipa) {
  uint64_t frame, start = ipa & ~(LARGE_BYTES - 1);
  return hypervisor->machine->config.hypervisor.stage2_large && can_back_large(hypervisor, start) &&
         allocate_cleared(hypervisor, LARGE_ORDER, &frame) &&
         map_host(hypervisor, start, frame, LARGE_LOG2, true);
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
      .va = NW_SLOT_BASE + ipa, .access = (uint8_t)access, .privilege = NW_USER};
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

void nw_hypervisor_table(struct nw_hypervisor *hypervisor, const struct nw_format *format,
                         const struct nw_regime *regime, uint8_t input_bits,
                         struct nw_page_table *table) {
  *table = (struct nw_page_table){
      .format = format,
      .regime = regime,
      .memory = {hypervisor, read_host, write_host, allocate_table, release_table},
      .start_level = 1,
      .input_bits = input_bits,
  };
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

static bool create_host_table(struct nw_hypervisor *hypervisor) {
  struct nw_regime *regime = &hypervisor->host_regime;
  if (!nw_regime_init(regime, NW_REGIME_ARMV7_LPAE))
    return false;
  nw_hypervisor_table(hypervisor, &nwi_format_lpae_s1, regime, 32, &hypervisor->host_table);
  struct nw_page_table *table = &hypervisor->host_table;
  if (!nw_hypervisor_allocate_table(hypervisor, nw_page_table_bytes(table, 1), &table->root))
    return false;
  nw_regime_write(regime, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_regime_write(regime, NW_REG_TTBR0, table->root);
  nw_regime_write(regime, NW_REG_SCTLR, SCTLR_M);
  return true;
}

/* Host memory for the guest, as much again for shadow tables, and some for everything else; the
 * 32-bit outputs of short descriptors reach 4 GiB. */
static uint64_t host_bytes(const struct nw_machine_config *config) {
  const uint64_t most = UINT64_C(1) << 32, extra = UINT64_C(64) << 20;
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
  uint64_t bytes = host_bytes(&machine->config);
  machine->memory = nw_physical_memory_create(bytes);
  hypervisor->frames = nw_frames_create(1, (bytes >> NW_FRAME_LOG2) - 1);
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
