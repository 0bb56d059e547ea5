/* SPDX-License-Identifier: Apache-2.0 */
/* A hit in the level-1 TLB, and a walk of 11 references: short 4 KB pages over 4 KB stage-2 pages. */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <nestwalk/nestwalk.h>

#include "core/format.h"
#include "system/physical_memory.h"

#define ADDRESSES (1u << 16)
#define MOST_PAGES 64u

/* Where the tables are: the guest's at IPAs, moved by a constant to PAs, as the guest's pages. */
#define S1_ROOT 0x00100000ull  /* IPA, 16 KB */
#define S1_TABLE 0x00110000ull /* IPA, one for each megabyte */
#define GUEST 0x40000000ull    /* PA of IPA 0 */
#define S2_ROOT 0x20000000ull  /* 1024 entries */
#define S2_LEVEL2 0x20010000ull
#define S2_LEVEL3 0x20020000ull

struct machine {
  struct nw_mmu *mmu;
  struct nw_physical_memory *memory;
  struct nw_hierarchy *hierarchy;
  struct nw_memory port;
  enum nw_access access;
  uint64_t address[ADDRESSES];
};

/* -- the machine ------------------------------------------------------------------------------- */

static bool read_memory(void *context, uint64_t pa, unsigned size, uint64_t *data,
                        uint32_t *cycles) {
  struct machine *machine = context;

  *cycles = nw_hierarchy_access(machine->hierarchy, pa, NW_BY_WALKER);
  return nw_physical_read(machine->memory, pa, size, data);
}

/* Cortex-A15: table walks look into the 1 MB level-2 cache first. */
static const struct nw_hierarchy_config a15_memory = {
    .cache = {{"l1i", 32 << 10, 2, 64, 0, NW_POLICY_LRU, 1 << NW_BY_INSTRUCTION},
              {"l1d", 32 << 10, 2, 64, 0, NW_POLICY_LRU, 1 << NW_BY_DATA},
              {"l2", 1 << 20, 16, 64, 21, NW_POLICY_LRU,
               1 << NW_BY_INSTRUCTION | 1 << NW_BY_DATA | 1 << NW_BY_WALKER}},
    .caches = 3,
    .dram_latency = 120,
};

/* Where page `n` lies: beside its neighbours, in the megabyte after the spread ones, so that walks
 * share tables as a program's do; */
static uint64_t va_near(unsigned n) {
  return (uint64_t)MOST_PAGES << 20 | (uint64_t)n << 12;
}

/* or alone in its megabyte, so that every walk has a level-2 table of its own. */
static uint64_t va_spread(unsigned n) {
  return (uint64_t)n << 20 | (uint64_t)(n * 37 % 256) << 12;
}

/* Stage 2: 1 GB of IPAs in pages of 4 KB, mapped to GUEST. */
static bool map_stage2(struct nw_physical_memory *memory) {
  const struct nw_format *format = &nwi_format_lpae_s2;
  bool ok = nw_physical_write(memory, S2_ROOT, 8, format->encode_table(1, S2_LEVEL2, 0));

  for (uint64_t i = 0; i < 512; i++) {
    uint64_t table = S2_LEVEL3 + (i << 12);
    ok = ok && nw_physical_write(memory, S2_LEVEL2 + i * 8, 8, format->encode_table(2, table, 0));
    for (uint64_t j = 0; j < 512; j++) {
      struct nwi_leaf leaf = {.output = GUEST + (i << 21) + (j << 12),
                              .page_log2 = 12,
                              .readable = true,
                              .writable = true,
                              .executable = true};
      ok = ok && nw_physical_write(memory, table + j * 8, 8, format->encode_leaf(&leaf));
    }
  }
  return ok;
}

/* Stage 1: the page of `va` at IPA 256 MB + va. */
static bool map_page(struct nw_physical_memory *memory, uint64_t va) {
  const struct nw_format *format = &nwi_format_armv7_short;
  uint64_t table = S1_TABLE + (va >> 20) * 0x400;
  struct nwi_leaf leaf = {.output = 0x10000000 + va,
                          .page_log2 = 12,
                          .readable = true,
                          .writable = true,
                          .executable = true,
                          .user = true};

  return nw_physical_write(memory, GUEST + S1_ROOT + (va >> 20) * 4, 4,
                           format->encode_table(1, table, 0)) &&
         nw_physical_write(memory, GUEST + table + ((va >> 12) & 0xff) * 4, 4,
                           format->encode_leaf(&leaf));
}

static bool map_stage1(struct nw_physical_memory *memory) {
  bool ok = true;

  for (unsigned n = 0; n < MOST_PAGES; n++) {
    ok = ok && map_page(memory, va_near(n)) && map_page(memory, va_spread(n));
  }
  return ok;
}

static bool write_registers(struct nw_mmu *mmu) {
  static const struct {
    enum nw_register reg;
    uint64_t value;
  } registers[] = {
      {NW_REG_VTCR, 0x58}, /* SL0 = 1, T0SZ = -8 */
      {NW_REG_VTTBR, 1ull << 48 | S2_ROOT},
      {NW_REG_TTBR0, S1_ROOT},
      {NW_REG_DACR, 1},
      {NW_REG_HCR, 1},
      {NW_REG_SCTLR, 1},
  };
  bool ok = true;

  for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
    ok = ok &&
         nw_mmu_write_register(mmu, registers[i].reg, registers[i].value) == NW_REGISTER_WRITTEN;
  }
  return ok;
}

static void destroy(struct machine *machine) {
  nw_mmu_destroy(machine->mmu);
  nw_hierarchy_destroy(machine->hierarchy);
  nw_physical_memory_destroy(machine->memory);
  free(machine);
}

/* A machine without walk caches, with a level-1 data TLB of `entries`. */
static struct machine *create(uint32_t entries) {
  struct machine *machine = calloc(1, sizeof(*machine));
  char error[200] = "out of memory";
  struct nw_mmu_config config = {
      .regime = NW_REGIME_ARMV7_SHORT_S2,
      .l1d = {.entries = entries, .ways = entries, .policy = NW_POLICY_LRU},
      .walkers = 1,
      .cycles = {.begin = 1, .read = 2, .done = 1},
  };

  if (machine == NULL) {
    fprintf(stderr, "bench: %s\n", error);
    return NULL;
  }
  machine->mmu = nw_mmu_create(&config, error, sizeof(error));
  machine->hierarchy = nw_hierarchy_create(&a15_memory, error, sizeof(error));
  machine->memory = nw_physical_memory_create(4ull << 30);
  machine->port = (struct nw_memory){.context = machine, .read = read_memory};
  if (machine->mmu == NULL || machine->hierarchy == NULL || machine->memory == NULL ||
      !map_stage2(machine->memory) || !map_stage1(machine->memory) ||
      !write_registers(machine->mmu)) {
    fprintf(stderr, "bench: %s\n", error);
    destroy(machine);
    return NULL;
  }
  return machine;
}

/* -- the arrays -------------------------------------------------------------------------------- */

static uint64_t xorshift(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

typedef uint64_t place(unsigned page);

static void visit_in_turn(struct machine *machine, place *va_of, unsigned pages) {
  for (unsigned i = 0; i < ADDRESSES; i++) {
    machine->address[i] = va_of(i % pages) + i % 4096;
  }
}

static void visit_at_random(struct machine *machine, place *va_of, unsigned pages) {
  uint64_t chance = 20240610;

  for (unsigned i = 0; i < ADDRESSES; i++) {
    uint64_t x = xorshift(&chance);
    machine->address[i] = va_of((unsigned)(x >> 20) % pages) + x % 4096;
  }
}

/* -- the loops --------------------------------------------------------------------------------- */

static uint64_t translate_all(void *context) {
  struct machine *machine = context;
  uint64_t sum = 0;

  for (unsigned i = 0; i < ADDRESSES; i++) {
    struct nw_request request = {.va = machine->address[i], .access = (uint8_t)machine->access};
    struct nw_result result;
    nw_mmu_translate(machine->mmu, &request, &machine->port, &result);
    sum += result.pa;
  }
  return sum;
}

/* The array, an element at a time. */
static uint64_t add_all(void *context) {
  const struct machine *machine = context;
  uint64_t sum = 0;

  for (unsigned i = 0; i < ADDRESSES; i++) {
    sum += machine->address[i];
    __asm__ volatile("" : "+r"(sum));
  }
  return sum;
}

static bool is_as_intended(const char *what, uint64_t found, uint64_t expected) {
  if (found != expected) {
    fprintf(stderr, "bench: %s: found %" PRIu64 ", expected %" PRIu64 "\n", what, found, expected);
  }
  return found == expected;
}

bool bench_hits(void) {
  struct machine *machine = create(32);

  if (machine == NULL) {
    return false;
  }
  struct bench_loop loop = {translate_all, machine, ADDRESSES};
  struct bench_loop bare = {add_all, machine, ADDRESSES};
  visit_in_turn(machine, va_spread, 32);
  bench_report("level-1 hit, 32 pages in turn", 10, &loop);
  visit_at_random(machine, va_spread, 32);
  bench_report("level-1 hit, 32 pages at random", 10, &loop);
  bench_report_bare("  bare loop over the addresses", &bare);
  bool ok = is_as_intended("level-1 misses", nw_mmu_statistics(machine->mmu)->l1d.misses, 32);
  destroy(machine);
  return ok;
}

bool bench_walks(void) {
  struct machine *machine = create(0);

  if (machine == NULL) {
    return false;
  }
  struct bench_loop loop = {translate_all, machine, ADDRESSES};
  struct bench_loop bare = {add_all, machine, ADDRESSES};
  visit_in_turn(machine, va_near, MOST_PAGES);
  bench_report("walk of 11 references, 64 pages in turn", 200, &loop);
  visit_at_random(machine, va_near, MOST_PAGES);
  bench_report("walk of 11 references, 64 pages at random", 200, &loop);
  visit_at_random(machine, va_spread, MOST_PAGES);
  bench_report_bare("  the same, each page in a megabyte of its own", &loop);
  bench_report_bare("  bare loop over the addresses", &bare);
  const struct nw_mmu_statistics *s = nw_mmu_statistics(machine->mmu);
  bool ok = is_as_intended("references", s->walk_references, 11 * s->walks);
  destroy(machine);
  return ok;
}
