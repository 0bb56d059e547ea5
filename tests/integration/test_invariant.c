/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three machines, one for each mode, do the same random things. After any of them, for every
 * address: the native walk of the guest's table, and then the hypervisor's map, give what the
 * nested walk and the shadow walk give; or all fault, and the guest sees the same fault. And
 * whatever is left in a TLB agrees with the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/machines.h"
#include "support/random.h"
#include "system/agile.h"
#include "system/selective.h"

#define DEVICE 0x10000000u /* beyond the guest's 64 MB */
#define DEVICE_BYTES 0x10000u
#define HOLE 0x00300000u /* a device within them */
#define PROCESSES 6
#define CHECK_MEMORY 4 /* percent of the steps after which all memory is compared */
#define MODES NW_MODES

struct world {
  struct nw_machine *machine[MODES];
  nw_process_id process[PROCESSES];
  nw_process_id running;
  struct random random;
  bool short_of_memory;
  char did[160]; /* the last operation, for messages */
};

/* The two formats that are tried: of ARMv7, or (the same source, built again) of x86-64. */
#ifndef FIRST_FORMAT
#define FIRST_FORMAT NW_GUEST_SHORT
#endif
#define SECOND_FORMAT (FIRST_FORMAT + 1)

#define PLACES 16

/* Places that mappings are made at: close together, around large page and table edges, and at the
 * ends of the address space. */
static const uint64_t places[NW_ARCHITECTURES][PLACES] = {
    [NW_ARMV7] = {0x00000000, 0x00008000, 0x000ff000, 0x00100000, 0x001f0000, 0x00200000,
                  0x00210000, 0x003ff000, 0x00400000, 0x3ffff000, 0x40000000, 0x40200000,
                  0x7fe00000, 0xbfe00000, 0xbfff0000, 0xbffff000},
    [NW_X86_64] = {0x00000000, 0x00008000, 0x001f0000, 0x00200000, 0x00210000, 0x003ff000,
                   0x00400000, 0x3ffff000, 0x40000000, 0x40200000, 0x7fffff0000, 0x8000000000,
                   0x8000200000, 0x7fffffe00000, 0x7fffffff0000, 0xffffffffffe000},
};

static const char *const mode_names[MODES] = {"native", "nested", "shadow", "selective", "agile"};

static uint64_t random_place(struct world *world) {
  const struct nw_machine *native = world->machine[NW_MODE_NATIVE];
  uint64_t va = places[native->guest_regime.architecture][random_below(&world->random, PLACES)];
  if (random_chance(&world->random, 60))
    va += random_below(&world->random, 24) * PAGE;
  return va < native->user_end ? va : native->user_end - PAGE;
}

static uint64_t random_length(struct world *world, uint64_t va) {
  static const uint64_t pages[] = {1, 1, 2, 3, 16, 17, 40, 256, 512, 600, 1100};
  uint64_t length = pages[random_below(&world->random, 11)] * PAGE;
  uint64_t most = world->machine[NW_MODE_NATIVE]->user_end - va;
  return length < most ? length : most;
}

/* -- one address ---------------------------------------------------------------------------- */

struct expected {
  bool ok;
  uint64_t ipa;
  struct nw_fault fault;
};

static struct expected guests_own_view(struct world *world, const struct nw_request *request) {
  struct nw_result result;
  struct expected expected = {0};
  expected.ok = nw_machine_debug_translate(world->machine[NW_MODE_NATIVE], request->va,
                                           (enum nw_access)request->access,
                                           (enum nw_privilege)request->privilege, &result);
  expected.ipa = result.pa;
  expected.fault = result.fault;
  return expected;
}

static void complain(const struct world *world, enum nw_mode mode, const struct nw_request *request,
                     const char *what) {
  static const char *const accesses[] = {"read", "write", "execute"};
  fail_msg("%s: %s of 0x%08llx, %s: %s; last done: %s", mode_names[mode], accesses[request->access],
           (unsigned long long)request->va, request->privilege == NW_USER ? "user" : "privileged",
           what, world->did);
}

static uint64_t host_address(const struct nw_machine *machine, uint64_t ipa) {
  uint64_t pa = UINT64_MAX;
  nw_machine_guest_address(machine, ipa, &pa);
  return pa;
}

/* A translation that the hardware has at this moment must be one that the guest's table gives. */
static void check_present(struct world *world, enum nw_mode mode, const struct nw_request *request,
                          const struct expected *expected, const struct nw_result *result) {
  struct nw_machine *machine = world->machine[mode];
  if (!expected->ok)
    complain(world, mode, request, "translated, where the guest's table faults");
  if (mode != NW_MODE_NATIVE && nw_machine_is_mmio(machine, expected->ipa))
    complain(world, mode, request, "translated, where a device is");
  if (mode != NW_MODE_NATIVE && result->pa != host_address(machine, expected->ipa))
    complain(world, mode, request, "translated to another address");
  if (mode == NW_MODE_NATIVE && result->pa != expected->ipa)
    complain(world, mode, request, "translated to another address");
}

/* The shadow tables that the hardware uses at the moment; NULL where it uses none. */
static struct nw_shadows *shadows_in_use(const struct nw_machine *machine) {
  if (machine->mode_kind == NW_MODE_AGILE)
    return nw_agile_is_on(machine) ? nw_agile_shadows(machine) : NULL;
  bool in_use =
      machine->mode_kind == NW_MODE_SHADOW ||
      (machine->mode_kind == NW_MODE_SELECTIVE && nw_selective_now(machine) == NW_PAGING_SHADOW);
  return in_use ? nw_shadow_pages_of(machine) : NULL;
}

/* A store to a table that is followed is made by the hypervisor. */
static bool is_followed(const struct nw_machine *machine, uint64_t ipa) {
  const struct nw_shadows *shadows = shadows_in_use(machine);
  return shadows != NULL && nw_shadow_is_table(shadows, ipa);
}

static void check_resolved(struct world *world, enum nw_mode mode, const struct nw_request *request,
                           const struct expected *expected) {
  struct nw_machine *machine = world->machine[mode];
  struct nw_result result;
  bool device =
      mode != NW_MODE_NATIVE && expected->ok && nw_machine_is_mmio(machine, expected->ipa);
  enum nw_fault_outcome outcome = nw_machine_resolve(machine, request);
  switch (outcome) {
  case NW_OUTCOME_RETRY:
    if (!nw_machine_debug_translate(machine, request->va, (enum nw_access)request->access,
                                    (enum nw_privilege)request->privilege, &result))
      complain(world, mode, request, "not translated after it was mended");
    check_present(world, mode, request, expected, &result);
    break;
  case NW_OUTCOME_EMULATED:
    if (!device &&
        !(request->access == NW_WRITE && expected->ok && is_followed(machine, expected->ipa)))
      complain(world, mode, request, "emulated, where neither a device nor a table is");
    break;
  case NW_OUTCOME_GUEST:
    if (expected->ok)
      complain(world, mode, request, "a fault for the guest, where its table translates");
    if (machine->guest_fault.type != expected->fault.type ||
        machine->guest_fault.level != expected->fault.level ||
        machine->guest_fault.domain != expected->fault.domain || machine->guest_fault.stage != 1 ||
        machine->guest_fault.va != request->va || machine->guest_fault.access != request->access)
      complain(world, mode, request, "another fault than the guest's table gives");
    break;
  case NW_OUTCOME_FAILED:
    complain(world, mode, request, "the hypervisor gave up");
  }
}

/* What the TLBs and the tables behind them give for the program at this moment. */
static void check_tlb(struct world *world, enum nw_mode mode, const struct nw_request *request,
                      const struct expected *expected) {
  struct nw_machine *machine = world->machine[mode];
  struct nw_request seen = *request;
  struct nw_result result;
  seen.debug = true;
  if (nw_mmu_translate(machine->mmu, &seen, &machine->walker, &result))
    check_present(world, mode, request, expected, &result);
}

static void check_address(struct world *world, uint64_t va) {
  for (unsigned i = 0; i < 6; i++) {
    struct nw_request request = {
        .va = va, .access = (uint8_t)(i % 3), .privilege = i < 3 ? NW_USER : NW_PRIVILEGED};
    struct expected expected = guests_own_view(world, &request);
    for (enum nw_mode mode = NW_MODE_NATIVE; mode < MODES; mode++) {
      struct nw_result result;
      if (nw_machine_debug_translate(world->machine[mode], va, (enum nw_access)request.access,
                                     (enum nw_privilege)request.privilege, &result))
        check_present(world, mode, &request, &expected, &result);
      if (request.privilege == NW_USER)
        check_tlb(world, mode, &request, &expected);
    }
    /* Natively, too: hardware is to set the flags that it sets in the other modes. */
    nw_machine_resolve(world->machine[NW_MODE_NATIVE], &request);
    for (enum nw_mode mode = NW_MODE_NESTED; mode < MODES; mode++)
      check_resolved(world, mode, &request, &expected);
  }
}

/* -- the whole world ------------------------------------------------------------------------ */

static void check_mapping_edges(struct world *world) {
  const struct nw_address_space *space =
      nw_guest_kernel_space(world->machine[NW_MODE_NATIVE]->kernel);
  if (space == NULL || space->mappings.count == 0)
    return;
  size_t i = random_below(&world->random, (uint32_t)space->mappings.count);
  uint64_t start = space->mappings.mapping[i].start, end = space->mappings.mapping[i].end;
  check_address(world, start);
  check_address(world, end - 4);
  check_address(world, end);
  if (start > 0)
    check_address(world, start - 4);
}

/* The guest reads back what it wrote, whatever the hardware's registers hold. */
static void check_registers(const struct world *world) {
  const struct nw_machine *native = world->machine[NW_MODE_NATIVE];
  for (unsigned i = 0; i < native->software->registers_count; i++) {
    unsigned reg = native->software->registers[i];
    for (enum nw_mode mode = NW_MODE_NESTED; mode < MODES; mode++)
      assert_int_equal(nw_machine_read_register(world->machine[mode], reg),
                       nw_machine_read_register(native, reg));
  }
}

static const uint8_t *frame_bytes(const struct nw_machine *machine, uint64_t ipa) {
  uint64_t pa;
  if (!nw_machine_guest_address(machine, ipa, &pa))
    return NULL;
  uint8_t **slot = nw_physical_frame_slot(machine->memory, pa);
  return slot == NULL ? NULL : *slot;
}

/* Every byte that the guest has stored is there in every mode: whoever made the store. */
static void check_memory(const struct world *world) {
  static const uint8_t zeros[PAGE];
  const struct nw_machine *native = world->machine[NW_MODE_NATIVE];
  for (uint64_t ipa = 0; ipa < native->config.guest.memory; ipa += PAGE) {
    const uint8_t *expected = frame_bytes(native, ipa);
    for (enum nw_mode mode = NW_MODE_NESTED; mode < MODES; mode++) {
      const uint8_t *seen = frame_bytes(world->machine[mode], ipa);
      if (seen != expected &&
          memcmp(seen == NULL ? zeros : seen, expected == NULL ? zeros : expected, PAGE) != 0)
        fail_msg("%s: guest memory at 0x%llx is another than natively; last done: %s",
                 mode_names[mode], (unsigned long long)ipa, world->did);
    }
  }
}

static void check_world(struct world *world) {
  if (random_chance(&world->random, CHECK_MEMORY))
    check_memory(world);
  char error[200];
  struct nw_machine *native = world->machine[NW_MODE_NATIVE];
  check_registers(world);
  check_mapping_edges(world);
  for (unsigned i = 0; i < 3; i++)
    check_address(world, random_place(world) + (random_bits(&world->random) & 0xffc));
  check_address(world,
                native->layout->linear_base +
                    (random_bits(&world->random) % native->config.guest.memory & ~UINT64_C(3)));
  check_address(world, native->layout->linear_base + native->kernel->own.root);
  if (nw_guest_kernel_space(native->kernel) != NULL)
    check_address(world,
                  native->layout->linear_base + nw_guest_kernel_space(native->kernel)->table.root);
  check_address(world, native->layout->helper_page + 0xfe0);
  for (enum nw_mode mode = NW_MODE_SHADOW; mode < MODES; mode++) {
    const struct nw_shadows *shadows = shadows_in_use(world->machine[mode]);
    if (shadows != NULL && !nw_shadow_consistent(shadows, error, sizeof error))
      fail_msg("%s: %s; last done: %s", mode_names[mode], error, world->did);
  }
  const struct nw_machine_statistics *expected = nw_machine_statistics(native);
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < MODES; mode++) {
    const struct nw_machine_statistics *seen = nw_machine_statistics(world->machine[mode]);
    check_sums(world->machine[mode]);
    if (free_frames(world->machine[mode]) != free_frames(native))
      fail_msg("%s: %llu guest frames are free, natively %llu; last done: %s", mode_names[mode],
               (unsigned long long)free_frames(world->machine[mode]),
               (unsigned long long)free_frames(native), world->did);
    assert_int_equal(seen->page_faults, expected->page_faults);
    assert_int_equal(world->machine[mode]->fault_trail, native->fault_trail);
    assert_int_equal(seen->pte_writes, expected->pte_writes);
    assert_int_equal(seen->context_switches, expected->context_switches);
    assert_int_equal(seen->cycles_guest_kernel, expected->cycles_guest_kernel);
    assert_int_equal(seen->references, expected->references);
  }
}

/* Does something on all machines, which have to agree on its outcome. */
#define ON_ALL(world, result, call)                                                                \
  do {                                                                                             \
    for (enum nw_mode mode = NW_MODE_NATIVE; mode < MODES; mode++) {                               \
      struct nw_machine *machine = (world)->machine[mode];                                         \
      unsigned seen = (unsigned)(call);                                                            \
      if (mode == NW_MODE_NATIVE)                                                                  \
        (result) = seen;                                                                           \
      else if (seen != (result))                                                                   \
        fail_msg("%s answers %u, native %u: %s", mode_names[mode], seen, (result), (world)->did);  \
    }                                                                                              \
  } while (0)

static void note(struct world *world, const char *what, uint64_t a, uint64_t b, uint64_t c) {
  snprintf(world->did, sizeof world->did, "%s 0x%llx 0x%llx 0x%llx", what, (unsigned long long)a,
           (unsigned long long)b, (unsigned long long)c);
}

static void do_access(struct world *world) {
  const struct nw_address_space *space =
      nw_guest_kernel_space(world->machine[NW_MODE_NATIVE]->kernel);
  uint64_t va = random_place(world) + (random_bits(&world->random) & 0xffc);
  if (space != NULL && space->mappings.count > 0 && random_chance(&world->random, 70)) {
    size_t i = random_below(&world->random, (uint32_t)space->mappings.count);
    const struct nw_mapping *mapping = &space->mappings.mapping[i];
    va = mapping->start + random_bits(&world->random) % (mapping->end - mapping->start);
    va &= ~UINT64_C(3);
  }
  enum nw_access access = (enum nw_access)random_below(&world->random, 3);
  uint32_t count = access == NW_EXECUTE ? 1 + random_below(&world->random, 9) : 1;
  unsigned status = 0;
  note(world, "access", va, access, count);
  ON_ALL(world, status, nw_machine_access(machine, access, va, count));
  if (status != NW_MACHINE_OUT_OF_GUEST_MEMORY || !world->short_of_memory)
    assert_int_equal(status, world->running == 0 ? NW_MACHINE_BAD_PROCESS : NW_MACHINE_OK);
}

static void do_map(struct world *world) {
  uint64_t va = random_place(world), length = random_length(world, va);
  unsigned protection = random_below(&world->random, 8), status = 0;
  bool shared = random_chance(&world->random, 25);
  note(world, shared ? "map shared" : "map", va, length, protection);
  ON_ALL(world, status, nw_machine_map(machine, va, length, protection, shared));
}

static void do_map_device(struct world *world) {
  uint64_t va = random_place(world), ipa = random_chance(&world->random, 50) ? DEVICE : HOLE;
  uint64_t length = (1 + random_below(&world->random, 4)) * PAGE;
  unsigned status = 0;
  note(world, "map device", va, length, ipa);
  ON_ALL(world, status, nw_machine_map_device(machine, va, length, ipa));
}

static void do_unmap(struct world *world) {
  uint64_t va = random_place(world), length = random_length(world, va);
  unsigned status = 0;
  note(world, "unmap", va, length, 0);
  ON_ALL(world, status, nw_machine_unmap(machine, va, length));
}

static void do_protect(struct world *world) {
  uint64_t va = random_place(world), length = random_length(world, va);
  unsigned protection = random_below(&world->random, 8), status = 0;
  note(world, "protect", va, length, protection);
  ON_ALL(world, status, nw_machine_protect(machine, va, length, protection));
}

static void do_remap(struct world *world) {
  uint64_t va = random_place(world), length = random_length(world, va);
  uint64_t to = random_chance(&world->random, 30) ? va : random_place(world);
  uint64_t grown = random_length(world, to);
  unsigned status = 0;
  note(world, "remap", va, length, to);
  ON_ALL(world, status, nw_machine_remap(machine, va, length, to, grown));
}

static void do_switch(struct world *world) {
  nw_process_id id = world->process[random_below(&world->random, PROCESSES)];
  unsigned status = 0;
  note(world, "switch", id, 0, 0);
  ON_ALL(world, status, nw_machine_switch(machine, id));
  if (status == NW_MACHINE_OK)
    world->running = id;
}

static void do_fork(struct world *world) {
  nw_process_id parent = world->process[random_below(&world->random, PROCESSES)];
  unsigned slot = random_below(&world->random, PROCESSES), child = 0;
  bool share = random_chance(&world->random, 20);
  if (world->process[slot] != 0)
    return;
  note(world, share ? "fork sharing" : "fork", parent, 0, 0);
  ON_ALL(world, child, nw_machine_fork(machine, parent, share));
  world->process[slot] = child;
}

static void do_spawn(struct world *world) {
  unsigned slot = random_below(&world->random, PROCESSES), child = 0;
  if (world->process[slot] != 0)
    return;
  note(world, "spawn", 0, 0, 0);
  ON_ALL(world, child, nw_machine_spawn(machine));
  world->process[slot] = child;
}

static void do_exit(struct world *world) {
  unsigned slot = random_below(&world->random, PROCESSES), status = 0;
  nw_process_id id = world->process[slot];
  note(world, "exit", id, 0, 0);
  ON_ALL(world, status, nw_machine_exit(machine, id));
  assert_int_equal(status, id == 0 ? NW_MACHINE_BAD_PROCESS : NW_MACHINE_OK);
  world->process[slot] = 0;
  if (world->running == id)
    world->running = 0;
}

static void do_exec(struct world *world) {
  unsigned status = 0;
  note(world, "exec", 0, 0, 0);
  ON_ALL(world, status, nw_machine_exec(machine));
}

static void do_syscall(struct world *world) {
  unsigned status = 0;
  note(world, "syscall", 0, 0, 0);
  ON_ALL(world, status, nw_machine_syscall(machine));
}

static void do_content(struct world *world) {
  uint64_t va = random_place(world), length = random_length(world, va);
  unsigned tag = random_below(&world->random, 3), first = random_below(&world->random, 4);
  unsigned status = 0;
  note(world, "content", va, length, tag);
  ON_ALL(world, status, nw_machine_set_content(machine, va, length, tag, first));
}

/* The hypervisor changes its mind: nothing that the guest can see. */
static void do_change_paging(struct world *world) {
  struct nw_machine *machine = world->machine[NW_MODE_SELECTIVE];
  enum nw_paging to = (enum nw_paging)random_below(&world->random, NW_PAGINGS);
  note(world, "change paging", to, 0, 0);
  nw_selective_switch(machine, to);
}

/* Agile walks on or off, or some table of the running process nested or shadowed. */
static void do_change_walks(struct world *world) {
  struct nw_machine *machine = world->machine[NW_MODE_AGILE];
  const struct nw_address_space *space = nw_guest_kernel_space(machine->kernel);
  note(world, "change walks", 0, 0, 0);
  if (space == NULL || random_chance(&world->random, 30)) {
    nw_agile_switch(machine, random_chance(&world->random, 75));
    return;
  }
  struct nw_pte pte;
  uint64_t table = space->table.root;
  unsigned levels = machine->guest_regime.architecture == NW_ARMV7 ? 3 : space->table.start_level;
  uint8_t level = (uint8_t)(1 + random_below(&world->random, levels));
  nw_page_table_entry(&space->table, random_place(world), level, &pte);
  if (random_chance(&world->random, 70))
    table = pte.address & ~(uint64_t)0x3ff;
  nw_agile_set_nested(machine, table, random_chance(&world->random, 50));
}

static void do_something(struct world *world) {
  static const struct {
    void (*act)(struct world *);
    unsigned weight;
  } acts[] = {
      {do_access, 60}, {do_map, 9},           {do_unmap, 6},        {do_protect, 6},
      {do_remap, 4},   {do_switch, 7},        {do_fork, 4},         {do_spawn, 2},
      {do_exit, 2},    {do_exec, 1},          {do_syscall, 1},      {do_map_device, 3},
      {do_content, 4}, {do_change_paging, 4}, {do_change_walks, 8},
  };
  unsigned total = 0;
  for (unsigned i = 0; i < sizeof acts / sizeof acts[0]; i++)
    total += acts[i].weight;
  unsigned chosen = random_below(&world->random, total);
  for (unsigned i = 0;; i++) {
    if (chosen < acts[i].weight) {
      acts[i].act(world);
      return;
    }
    chosen -= acts[i].weight;
  }
}

/* What the options have done, over all lives: one that never did anything has not been tried. */
static const struct {
  const char *name;
  size_t offset;
} deeds[] = {
#define DEED(member)                                                                               \
  { #member, offsetof(struct nw_machine_statistics, member) }
    DEED(shadow_cached_hits),
    DEED(shadow_evictions),
    DEED(shadow_unshadowed),
    DEED(shadow_unsyncs),
    DEED(shadow_resyncs),
    DEED(shadow_resync_entries),
    DEED(shadow_prefetched),
    DEED(shadow_prefetch_used),
    DEED(shadow_direct_faults),
    DEED(shadow_hypercalls),
    DEED(shadow_hypercall_updates),
    DEED(shadow_rmap_walks),
    DEED(selective_switches),
    DEED(agile_switches),
    DEED(agile_to_nested),
    DEED(agile_to_shadow),
    DEED(ksm_scanned),
    DEED(ksm_merged),
    DEED(ksm_broken),
};

#define DEEDS (sizeof deeds / sizeof deeds[0])
static uint64_t done[DEEDS];

static void add_deeds(const struct nw_machine *machine) {
  const char *statistics = (const char *)nw_machine_statistics(machine);
  for (size_t i = 0; i < DEEDS; i++) {
    uint64_t count;
    memcpy(&count, statistics + deeds[i].offset, sizeof count);
    done[i] += count;
  }
}

static void live(const struct nw_machine_config *config, uint64_t salt, unsigned steps) {
  struct world world = {.random = random_from_seed("invariant")};
  world.random.state += salt;
  world.short_of_memory = config->guest.memory < 64 * MIB;
  uint64_t free_at_start = 0;
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < MODES; mode++)
    world.machine[mode] = make_machine(config, mode);
  free_at_start = free_frames(world.machine[NW_MODE_NATIVE]);
  for (unsigned step = 0; step < steps; step++) {
    do_something(&world);
    check_world(&world);
  }
  for (unsigned slot = 0; slot < PROCESSES; slot++) {
    unsigned status = 0;
    if (world.process[slot] != 0)
      ON_ALL(&world, status, nw_machine_exit(machine, world.process[slot]));
  }
  for (enum nw_mode mode = NW_MODE_NATIVE; mode < MODES; mode++) {
    if (free_frames(world.machine[mode]) != free_at_start)
      fail_msg("%llu frames were free, %llu are, large pages %d, 2 MB %d",
               (unsigned long long)free_at_start,
               (unsigned long long)free_frames(world.machine[mode]), config->guest.large_pages,
               config->hypervisor.stage2_large);
    add_deeds(world.machine[mode]);
    nw_machine_destroy(world.machine[mode]);
  }
}

static struct nw_machine_config base(enum nw_guest_format format) {
  struct nw_machine_config config = small_machine(format);
  config.mmu.walk_cache = (struct nw_tlb_config){8, 8, 1, NW_POLICY_LRU};
  config.mmu.ipa_cache = (struct nw_tlb_config){8, 2, 1, NW_POLICY_LRU};
  config.hypervisor.mmio[0] = (struct nw_mmio_range){DEVICE, DEVICE_BYTES};
  config.hypervisor.mmio[1] = (struct nw_mmio_range){HOLE, DEVICE_BYTES};
  config.hypervisor.mmio_ranges = 2;
  config.program_accesses = true;
  return config;
}

/* Of x86-64 machines. */
static void any_hardware(struct nw_machine_config *config, struct random *random) {
  static const uint32_t pcids[] = {0, 1, 3, 6};
  struct nw_hypervisor_config *hypervisor = &config->hypervisor;
  config->guest.deprivileged = false;
  config->guest.pcids = pcids[random_below(random, 4)];
  hypervisor->stage2 = (enum nw_stage2)random_below(random, 2);
  hypervisor->stage2_levels = random_chance(random, 50) ? 4 : 5;
  hypervisor->ept_flags = random_chance(random, 50);
}

/* Any combination of what can be chosen; about a third of the options are on. */
static struct nw_machine_config any_options(enum nw_guest_format format, struct random *random) {
  struct nw_machine_config config = base(format);
  struct nw_shadow_config *shadow = &config.hypervisor.shadow;
  config.guest.large_pages = (enum nw_large_pages)random_below(random, 3);
  config.guest.deprivileged = random_chance(random, 60);
  if (FIRST_FORMAT != NW_GUEST_SHORT)
    any_hardware(&config, random);
  config.hypervisor.stage2_large = random_chance(random, 50);
  config.hypervisor.pf_filter = !config.guest.deprivileged && random_chance(random, 70);
  shadow->sync = (enum nw_shadow_sync)random_below(random, 2);
  shadow->memory = random_chance(random, 30) ? NW_SHADOW_MEMORY_LEAST : 0;
  shadow->flood = random_below(random, 5);
  shadow->prefetch = random_chance(random, 30) ? 1 + random_below(random, 9) : 0;
  shadow->cache_roots = random_chance(random, 80);
  shadow->unsync = random_chance(random, 40);
  shadow->direct_faults = config.hypervisor.pf_filter && random_chance(random, 70);
  shadow->paravirtual = random_chance(random, 30);
  shadow->paravirtual_batch = 1 + random_below(random, 40);
  shadow->large_pages = random_chance(random, 50);
  config.hypervisor.selective = (struct nw_selective_config){
      .policy = (enum nw_choice)random_below(random, 2),
      .start = (enum nw_selective_start)random_below(random, 3),
      .interval = 100000,
      .high = 9,
      .low = 2,
      .counter = 1 + random_below(random, 4),
      .keep_tables = random_chance(random, 50),
      .fill = random_chance(random, 50),
  };
  config.hypervisor.agile =
      (struct nw_agile_config){.writes = 1 + random_below(random, 4), .interval = 100000};
  if (random_chance(random, 40))
    config.hypervisor.ksm = (struct nw_ksm_config){.pages = 1 + random_below(random, 200),
                                                   .max_sharers = 2 + random_below(random, 20),
                                                   .interval = 1000,
                                                   .scan_cycles = 10,
                                                   .merge_cycles = 100,
                                                   .break_cycles = 200};
  return config;
}

static void print_options(const struct nw_machine_config *config) {
  const struct nw_shadow_config *shadow = &config->hypervisor.shadow;
  print_message(
      "guest: large pages %d, de-privileged %d, PCIDs %u; host: 2 MB %d, stage 2 %d of %d levels, "
      "flags %d; shadow: sync %d, memory "
      "%llu, flood %u, prefetch %u, cached roots %d, unsync %d, direct faults %d, "
      "paravirtual %d (%u), large pages %d; KSM: %u pages; selective: policy %d, keep %d, "
      "fill %d\n",
      config->guest.large_pages, config->guest.deprivileged, config->guest.pcids,
      config->hypervisor.stage2_large, config->hypervisor.stage2, config->hypervisor.stage2_levels,
      config->hypervisor.ept_flags, shadow->sync, (unsigned long long)shadow->memory, shadow->flood,
      shadow->prefetch, shadow->cache_roots, shadow->unsync, shadow->direct_faults,
      shadow->paravirtual, shadow->paravirtual_batch, shadow->large_pages,
      config->hypervisor.ksm.pages, config->hypervisor.selective.policy,
      config->hypervisor.selective.keep_tables, config->hypervisor.selective.fill);
}

/* Lives under options drawn from the seed; NW_LIVES sets how many. */
static void any_policy(enum nw_guest_format format) {
  const char *given = getenv("NW_LIVES");
  uint64_t lives = given == NULL ? 25 : strtoull(given, NULL, 0);
  struct random random = random_from_seed("options");
  random.state += format;
  for (uint64_t salt = 1; salt <= lives; salt++) {
    struct nw_machine_config config = any_options(format, &random);
    print_options(&config);
    live(&config, salt << 32, 400);
  }
}

/* Every policy of guest and host, under shadow tables without options. */
static void every_policy(enum nw_guest_format format) {
  struct nw_machine_config config = base(format);
  uint64_t salt = 0;
  for (unsigned large = NW_LARGE_NEVER; large <= NW_LARGE_ALWAYS; large++) {
    for (unsigned bits = 0; bits < 4; bits++) {
      config.guest.large_pages = (enum nw_large_pages)large;
      config.hypervisor.stage2_large = (bits & 1) != 0;
      if (format <= NW_GUEST_LPAE)
        config.guest.deprivileged = (bits & 2) == 0;
      else
        config.hypervisor.stage2 = (bits & 2) == 0 ? NW_STAGE2_NPT : NW_STAGE2_EPT;
      live(&config, ++salt << 32, 300);
    }
  }
}

/* ARMv7: short descriptors; x86-64: four levels. */
static void all_modes_translate_alike_with_the_first_format(void **state) {
  (void)state;
  every_policy(FIRST_FORMAT);
  any_policy(FIRST_FORMAT);
}

/* Long descriptors; five levels. */
static void all_modes_translate_alike_with_the_second_format(void **state) {
  (void)state;
  every_policy(SECOND_FORMAT);
  any_policy(SECOND_FORMAT);
}

/* Guest and host short of memory: operations fail in the middle, and what they leave is sound. */
static void all_modes_translate_alike_when_the_guest_runs_out_of_memory(void **state) {
  (void)state;
  for (unsigned format = FIRST_FORMAT; format <= SECOND_FORMAT; format++) {
    struct nw_machine_config config = base((enum nw_guest_format)format);
    config.guest.memory = 5 * MIB;
    config.guest.large_pages = NW_LARGE_ALIGNED;
    live(&config, format + 77, 1500);
  }
}

static void every_option_has_been_tried(void **state) {
  (void)state;
  for (size_t i = 0; i < DEEDS; i++) {
    print_message("%s: %llu\n", deeds[i].name, (unsigned long long)done[i]);
    assert_true(done[i] > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_modes_translate_alike_with_the_first_format),
      cmocka_unit_test(all_modes_translate_alike_with_the_second_format),
      cmocka_unit_test(all_modes_translate_alike_when_the_guest_runs_out_of_memory),
      cmocka_unit_test(every_option_has_been_tried),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
