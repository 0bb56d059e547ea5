/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: a table's frame is in the linear map; a descriptor is stored through the linear map
 * and nowhere else; what the TLB holds of the loaded address space agrees with its table whenever a
 * kernel operation has ended.
 */
#include "system/guest_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "system/architecture.h"
#include "system/hypervisor.h"
#include "system/ksm.h"

#define DOMAIN_KERNEL 0
#define SHORT_TABLE_OFFSET 2048u /* two hardware tables in the upper half of a frame, as Linux */
#define SHORT_TABLE_BYTES 1024u

static bool is_short(const struct nw_guest_kernel *kernel) {
  return kernel->format == &nwi_format_armv7_short;
}

static const struct nw_guest_layout *layout_of(const struct nw_guest_kernel *kernel) {
  return kernel->machine->layout;
}

/* -- frames --------------------------------------------------------------------------------- */

struct nw_frames *nw_guest_kernel_frames(const struct nw_guest_kernel *kernel, uint64_t frame) {
  return nw_frames_has(kernel->low, frame) ? kernel->low : kernel->high;
}

bool nw_guest_kernel_allocate(struct nw_guest_kernel *kernel, unsigned order, bool low,
                              uint64_t *frame) {
  if (!low && kernel->high != NULL && nw_frames_allocate(kernel->high, order, frame))
    return true;
  return nw_frames_allocate(kernel->low, order, frame);
}

bool nw_guest_kernel_clear_frame(struct nw_guest_kernel *kernel, uint64_t frame) {
  static const struct nw_store zeros = {.value = 0, .size = NW_STORE_FRAME};
  struct nw_machine *machine = kernel->machine;
  uint64_t ipa = frame << NW_FRAME_LOG2;
  nw_machine_kernel_works(machine, machine->config.guest.page_clear_cycles);
  if (!kernel->booted)
    return true;
  if (!nw_frames_has(kernel->low, frame)) {
    nw_ksm_note(machine, ipa, NW_CONTENT_ZERO);
    return true;
  }
  return nw_machine_kernel_store(machine, machine->layout->linear_base + ipa, &zeros);
}

/* A cleared block of frames in the linear map, for tables. */
static bool allocate_table_frames(struct nw_guest_kernel *kernel, unsigned order,
                                  uint64_t *address) {
  uint64_t frame;
  if (!nw_guest_kernel_allocate(kernel, order, true, &frame))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_GUEST_MEMORY);
  *address = frame << NW_FRAME_LOG2;
  for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
    if (nw_guest_kernel_clear_frame(kernel, frame + i))
      continue;
    for (uint64_t j = 0; j < UINT64_C(1) << order; j++)
      nw_frames_drop(kernel->low, frame + j);
    return false;
  }
  return true;
}

/* -- the memory of page tables -------------------------------------------------------------- */

static uint64_t read_guest(void *context, uint64_t address, unsigned size) {
  const struct nw_guest_kernel *kernel = context;
  uint64_t pa, data = 0;
  if (nw_machine_guest_address(kernel->machine, address, &pa))
    nw_physical_read(kernel->machine->memory, pa, size, &data);
  return data;
}

/* The boot loader's stores, before there is translation or anybody to pay for it. */
static bool write_at_boot(struct nw_machine *machine, uint64_t address, unsigned size,
                          uint64_t value) {
  uint64_t pa = address;
  if (machine->hypervisor != NULL && !nw_hypervisor_back(machine->hypervisor, address, &pa))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  nw_ksm_note(machine, address, NW_CONTENT_OWN);
  return nw_physical_write(machine->memory, pa, size, value) ||
         nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
}

static bool write_guest(void *context, uint64_t address, unsigned size, uint64_t value) {
  struct nw_guest_kernel *kernel = context;
  struct nw_machine *machine = kernel->machine;
  if (!kernel->booted)
    return write_at_boot(machine, address, size, value);
  machine->statistics->pte_writes++;
  nw_machine_kernel_works(machine, machine->config.guest.pte_write_cycles);
  struct nw_store store = {.value = value, .size = size};
  if (!nw_machine_kernel_store(machine, machine->layout->linear_base + address, &store))
    return false;
  nw_paravirtual_stored(machine, address);
  return true;
}

/* Two second-level tables of 1 KB, for two neighbouring megabytes, share a frame. */
static bool allocate_short_table(struct nw_guest_kernel *kernel, const struct nw_page_table *table,
                                 uint64_t va, uint64_t *address) {
  struct nw_pte sibling;
  nw_page_table_entry(table, va ^ (UINT64_C(1) << 20), 1, &sibling);
  if (sibling.meaning.kind == NW_DESCRIPTOR_TABLE) {
    *address = sibling.meaning.output ^ SHORT_TABLE_BYTES;
    nw_frames_hold(kernel->low, *address >> NW_FRAME_LOG2);
    return true;
  }
  if (!allocate_table_frames(kernel, 0, address))
    return false;
  *address += SHORT_TABLE_OFFSET + (va >> 20 & 1) * SHORT_TABLE_BYTES;
  return true;
}

static bool allocate_table(void *context, const struct nw_page_table *table, uint8_t level,
                           uint64_t va, uint64_t *address) {
  struct nw_guest_kernel *kernel = context;
  (void)level;
  if (is_short(kernel))
    return allocate_short_table(kernel, table, va, address);
  return allocate_table_frames(kernel, 0, address);
}

static void release_table(void *context, const struct nw_page_table *table, uint8_t level,
                          uint64_t address) {
  struct nw_guest_kernel *kernel = context;
  (void)table;
  (void)level;
  nw_frames_drop(kernel->low, address >> NW_FRAME_LOG2);
}

/* 2^order frames hold a root. */
static unsigned root_order(const struct nw_guest_kernel *kernel) {
  unsigned order = 0;
  while (NW_FRAME_BYTES << order < layout_of(kernel)->root_bytes)
    order++;
  return order;
}

static bool root_create(struct nw_guest_kernel *kernel, struct nw_page_table *table) {
  const struct nw_regime *regime = &kernel->machine->guest_regime;
  *table = (struct nw_page_table){
      .format = kernel->format,
      .regime = regime,
      .memory = {kernel, read_guest, write_guest, allocate_table, release_table},
      .start_level = regime->s1_root[0].start_level,
      .input_bits = regime->s1_root[0].input_bits,
  };
  return allocate_table_frames(kernel, root_order(kernel), &table->root);
}

static void root_destroy(struct nw_guest_kernel *kernel, struct nw_page_table *table) {
  for (uint64_t i = 0; i < UINT64_C(1) << root_order(kernel); i++) {
    nw_paravirtual_released(kernel->machine, table->root + (i << NW_FRAME_LOG2));
    nw_frames_drop(kernel->low, (table->root >> NW_FRAME_LOG2) + i);
  }
}

/* Stores the one descriptor by which a root has the kernel's part. */
static bool share_kernel_part(struct nw_guest_kernel *kernel, struct nw_page_table *table) {
  struct nw_pte pte;
  nw_page_table_entry(table, layout_of(kernel)->linear_base, table->start_level, &pte);
  uint64_t descriptor =
      kernel->format->encode_table(table->start_level, kernel->shared_table, DOMAIN_KERNEL);
  return write_guest(kernel, pte.address, kernel->format->descriptor_bytes, descriptor);
}

/* Makes the kernel's part of a new root, copied in one go as memcpy() does. */
static bool add_kernel_part(struct nw_guest_kernel *kernel, struct nw_page_table *table) {
  struct nw_machine *machine = kernel->machine;
  const struct nw_guest_layout *layout = layout_of(kernel);
  unsigned size = kernel->format->descriptor_bytes;
  if (layout->kernel_part == 0)
    return share_kernel_part(kernel, table);
  uint64_t pa;
  nw_ksm_note(machine, table->root + layout->kernel_part, NW_CONTENT_OWN);
  if (!nw_machine_guest_address(machine, table->root + layout->kernel_part, &pa))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  for (uint64_t i = layout->kernel_part; i < layout->root_bytes; i += size, pa += size) {
    uint64_t descriptor = read_guest(kernel, kernel->own.root + i, size);
    if (!nw_physical_write(machine->memory, pa, size, descriptor))
      return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  }
  return true;
}

/* -- address spaces ------------------------------------------------------------------------- */

static struct nw_address_space *space_create(struct nw_guest_kernel *kernel) {
  struct nw_address_space *space = calloc(1, sizeof *space);
  if (space == NULL) {
    nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    return NULL;
  }
  space->users = 1;
  if (!root_create(kernel, &space->table)) {
    free(space);
    return NULL;
  }
  if (!add_kernel_part(kernel, &space->table)) {
    root_destroy(kernel, &space->table);
    free(space);
    return NULL;
  }
  return space;
}

/* NULL is the kernel's own root. */
static void load_space(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  if (kernel->loaded == space && kernel->booted)
    return;
  kernel->machine->software->load_space(kernel, space);
  kernel->loaded = space;
}

void nw_guest_kernel_flush(struct nw_guest_kernel *kernel, struct nw_address_space *space,
                           uint64_t start, uint64_t end) {
  if (start < end)
    kernel->machine->software->flush(kernel, space, start, end);
}

static void space_drop(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  uint64_t end = layout_of(kernel)->user_end;
  if (--space->users != 0)
    return;
  if (kernel->loaded == space)
    load_space(kernel, NULL);
  nw_guest_kernel_zap(kernel, space, 0, end);
  nw_page_table_prune(&space->table, 0, end, 0, layout_of(kernel)->tables_end);
  nw_guest_kernel_flush(kernel, space, 0, end);
  kernel->machine->software->forget_space(kernel, space);
  root_destroy(kernel, &space->table);
  nw_mappings_free(&space->mappings);
  free(space);
}

/* -- processes ------------------------------------------------------------------------------ */

static struct nw_process *find_process(const struct nw_guest_kernel *kernel, nw_process_id id) {
  if (id == 0 || id >= kernel->processes || kernel->process[id].space == NULL) {
    nw_machine_fail(kernel->machine, NW_MACHINE_BAD_PROCESS);
    return NULL;
  }
  return &kernel->process[id];
}

struct nw_address_space *nw_guest_kernel_space(const struct nw_guest_kernel *kernel) {
  return kernel->running == 0 ? NULL : kernel->process[kernel->running].space;
}

/* Enters a process that owns one use of `space`; 0 when out of memory. */
static nw_process_id add_process(struct nw_guest_kernel *kernel, struct nw_address_space *space) {
  if (kernel->processes == kernel->capacity) {
    uint32_t capacity = kernel->capacity * 2 + 16;
    struct nw_process *grown = realloc(kernel->process, capacity * sizeof *grown);
    if (grown == NULL) {
      nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
      space_drop(kernel, space);
      return 0;
    }
    kernel->process = grown;
    kernel->capacity = capacity;
  }
  if (kernel->processes == 0)
    kernel->process[kernel->processes++].space = NULL;
  kernel->process[kernel->processes].space = space;
  return kernel->processes++;
}

nw_process_id nw_guest_kernel_spawn(struct nw_guest_kernel *kernel) {
  struct nw_address_space *space = space_create(kernel);
  return space == NULL ? 0 : add_process(kernel, space);
}

static struct nw_address_space *space_copy(struct nw_guest_kernel *kernel,
                                           struct nw_address_space *parent) {
  struct nw_address_space *child = space_create(kernel);
  if (child == NULL)
    return NULL;
  if (!nw_mappings_copy(&child->mappings, &parent->mappings))
    nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  else if (nw_guest_kernel_copy_pages(kernel, parent, child))
    return child;
  space_drop(kernel, child);
  return NULL;
}

nw_process_id nw_guest_kernel_fork(struct nw_guest_kernel *kernel, nw_process_id parent,
                                   bool share) {
  struct nw_process *process = find_process(kernel, parent);
  if (process == NULL)
    return 0;
  struct nw_address_space *space = process->space;
  if (share)
    space->users++;
  else
    space = space_copy(kernel, space);
  return space == NULL ? 0 : add_process(kernel, space);
}

static void set_running(struct nw_guest_kernel *kernel, nw_process_id id) {
  kernel->running = id;
  nw_machine_set_running(kernel->machine, id != 0);
}

bool nw_guest_kernel_switch(struct nw_guest_kernel *kernel, nw_process_id id) {
  struct nw_machine *machine = kernel->machine;
  struct nw_process *process = find_process(kernel, id);
  if (process == NULL)
    return false;
  machine->statistics->context_switches++;
  nw_machine_kernel_works(machine, machine->config.guest.switch_cycles);
  load_space(kernel, process->space);
  set_running(kernel, id);
  return true;
}

bool nw_guest_kernel_exit(struct nw_guest_kernel *kernel, nw_process_id id) {
  struct nw_process *process = find_process(kernel, id);
  if (process == NULL)
    return false;
  struct nw_address_space *space = process->space;
  process->space = NULL;
  if (kernel->running == id)
    set_running(kernel, 0);
  space_drop(kernel, space);
  return true;
}

bool nw_guest_kernel_exec(struct nw_guest_kernel *kernel) {
  struct nw_process *process = find_process(kernel, kernel->running);
  if (process == NULL)
    return false;
  struct nw_address_space *old = process->space, *space = space_create(kernel);
  if (space == NULL)
    return false;
  process->space = space;
  load_space(kernel, space);
  space_drop(kernel, old);
  return true;
}

/* -- boot ----------------------------------------------------------------------------------- */

static uint64_t linear_bytes(const struct nw_machine *machine) {
  uint64_t most = machine->layout->linear_bytes, memory = machine->config.guest.memory;
  return memory < most ? memory : most;
}

static void reserve_devices(struct nw_guest_kernel *kernel) {
  const struct nw_machine_config *config = &kernel->machine->config;
  for (uint32_t i = 0; i < config->hypervisor.mmio_ranges; i++) {
    const struct nw_mmio_range *range = &config->hypervisor.mmio[i];
    for (uint64_t ipa = range->base; ipa < range->base + range->size; ipa += NW_FRAME_BYTES) {
      if (ipa >= config->guest.memory)
        break;
      uint64_t frame = ipa >> NW_FRAME_LOG2;
      nw_frames_reserve(nw_guest_kernel_frames(kernel, frame), frame);
    }
  }
}

static bool create_frames(struct nw_guest_kernel *kernel) {
  const struct nw_guest_config *guest = &kernel->machine->config.guest;
  uint64_t total = guest->memory >> NW_FRAME_LOG2;
  uint64_t low = linear_bytes(kernel->machine) >> NW_FRAME_LOG2;
  kernel->low = nw_frames_create(0, low, NW_FRAME_ORDER_2M);
  if (total > low)
    kernel->high = nw_frames_create(low, total - low, NW_FRAME_ORDER_2M);
  if (kernel->low == NULL || (total > low && kernel->high == NULL))
    return false;
  reserve_devices(kernel);
  return true;
}

/* The largest size that the kernel can map itself with at `ipa`; the smallest may stand out of memory. */
static uint8_t block_log2(const struct nw_guest_kernel *kernel, uint64_t ipa, uint64_t end) {
  const struct nw_guest_layout *layout = layout_of(kernel);
  bool gigabytes = kernel->machine->guest_regime.capabilities.gigabyte_pages;
  unsigned i = 0;
  for (; i + 1 < NW_LARGE_SIZES && layout->block_log2[i + 1] != 0; i++) {
    uint64_t bytes = UINT64_C(1) << layout->block_log2[i];
    if ((ipa & (bytes - 1)) == 0 && ipa + bytes <= end && gigabytes)
      break;
  }
  return layout->block_log2[i];
}

static bool map_linear(struct nw_guest_kernel *kernel) {
  uint64_t bytes = linear_bytes(kernel->machine);
  struct nwi_leaf leaf = {
      .readable = true, .writable = true, .global = true, .domain = DOMAIN_KERNEL};
  for (uint64_t ipa = 0; ipa < bytes; ipa += UINT64_C(1) << leaf.page_log2) {
    leaf.output = ipa;
    leaf.page_log2 = block_log2(kernel, ipa, bytes);
    if (!nw_page_table_map(&kernel->own, layout_of(kernel)->linear_base + ipa, &leaf))
      return false;
  }
  return true;
}

static bool map_helpers(struct nw_guest_kernel *kernel) {
  uint64_t frame;
  if (!nw_guest_kernel_allocate(kernel, 0, true, &frame))
    return nw_machine_fail(kernel->machine, NW_MACHINE_OUT_OF_GUEST_MEMORY);
  struct nwi_leaf leaf = {.output = frame << NW_FRAME_LOG2,
                          .page_log2 = NW_FRAME_LOG2,
                          .readable = true,
                          .executable = true,
                          .user = true,
                          .global = true,
                          .domain = DOMAIN_KERNEL};
  return nw_page_table_map(&kernel->own, layout_of(kernel)->helper_page, &leaf);
}

static bool boot(struct nw_guest_kernel *kernel) {
  struct nw_machine *machine = kernel->machine;
  struct nw_page_table *own = &kernel->own;
  machine->software->prepare(machine);
  if (!root_create(kernel, own) || !map_linear(kernel) || !map_helpers(kernel))
    return false;
  struct nw_pte pte;
  nw_page_table_entry(own, layout_of(kernel)->linear_base, own->start_level, &pte);
  kernel->shared_table = pte.meaning.output;
  load_space(kernel, NULL);
  machine->software->enable(machine);
  kernel->booted = true;
  return machine->status == NW_MACHINE_OK;
}

bool nw_guest_kernel_create(struct nw_machine *machine, char *error, size_t error_size) {
  struct nw_guest_kernel *kernel = calloc(1, sizeof *kernel);
  if (kernel == NULL)
    return nw_machine_error(error, error_size, "out of memory for the guest kernel");
  machine->kernel = kernel;
  kernel->machine = machine;
  kernel->format = machine->guest_regime.s1_format;
  memcpy(kernel->large_log2, machine->layout->large_log2, sizeof kernel->large_log2);
  kernel->next_asid = 1;
  kernel->asid_generation = 1;
  if (!create_frames(kernel))
    return nw_machine_error(error, error_size, "out of memory for the guest's frames");
  if (nw_machine_is_mmio(machine, 0))
    return nw_machine_error(error, error_size,
                            "an MMIO range covers guest physical address 0, where the guest "
                            "kernel starts");
  if (!boot(kernel))
    return nw_machine_error(error, error_size,
                            "guest.memory of %llu bytes does not hold the guest kernel's tables",
                            (unsigned long long)machine->config.guest.memory);
  return true;
}

void nw_guest_kernel_destroy(struct nw_guest_kernel *kernel) {
  if (kernel == NULL)
    return;
  /* Only the simulator's own memory: the guest's goes with the machine. */
  for (uint32_t id = 1; id < kernel->processes; id++) {
    struct nw_address_space *space = kernel->process[id].space;
    if (space == NULL || --space->users != 0)
      continue;
    nw_mappings_free(&space->mappings);
    free(space);
  }
  free(kernel->process);
  nw_frames_destroy(kernel->low);
  nw_frames_destroy(kernel->high);
  free(kernel);
}
