/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in Bochs: does what the commands on the first disk say, and writes an answer for each
 * query to the second.
 */
#include "rom.h"
#include "vmx.h"

#define DEBUG_PORT 0xe9
#define SHUTDOWN_PORT 0x8900
#define REGIONS 2 /* a problem of random cases has as many */

void rom_main(void);

/* Stretches of memory that a case has filled, and a sum over each: a walk that changed anything that
 * it had no business with is noticed at the end of its batch. */
static struct region {
  uint64_t address;
  size_t words;
  uint64_t sum;
} regions[REGIONS];
static size_t filled; /* how many stretches so far */

uint64_t x86_reg[X86_REGISTERS];

static void say(uint16_t port, const char *text) {
  while (*text)
    out8(port, (uint8_t)*text++);
}

__attribute__((noreturn)) static void shut_down(void) {
  say(SHUTDOWN_PORT, "Shutdown");
  for (;;)
    __asm__ volatile("hlt");
}

void rom_fail(const char *why) {
  say(DEBUG_PORT, "\nept.rom: ");
  say(DEBUG_PORT, why);
  say(DEBUG_PORT, "\n");
  shut_down();
}

static uint64_t disk_word64(void) {
  uint64_t low = disk_word();
  return low | (uint64_t)disk_word() << 32;
}

/* -- memory ------------------------------------------------------------------------------------- */

/* Neither a changed word nor two that changed places leave both halves as they were. */
static uint64_t sum_of(uint64_t address, size_t words) {
  const volatile uint64_t *word = physical(address), *end = word + words;
  uint64_t sum = 0, sums = 0;
  while (word < end) {
    sum += *word++;
    sums += sum;
  }
  return sum ^ (sums << 32 | sums >> 32);
}

/* The newest are kept. */
static void watch(uint64_t address, uint32_t bytes) {
  struct region *region = &regions[filled++ % REGIONS];
  region->address = (address + 7) & ~7ull;
  region->words = bytes < 16 ? 0 : (bytes - 8) / 8;
}

static void sum_all(void) {
  for (size_t i = 0; i < REGIONS; i++)
    regions[i].sum = sum_of(regions[i].address, regions[i].words);
}

static bool sums_hold(void) {
  for (size_t i = 0; i < REGIONS; i++)
    if (regions[i].sum != sum_of(regions[i].address, regions[i].words))
      return false;
  return true;
}

static void fill_memory(void) {
  uint64_t address = disk_word64();
  uint32_t bytes = disk_word();
  disk_words(physical(address), bytes / 4);
  if (bytes % 4) {
    uint32_t word = disk_word();
    for (uint32_t i = bytes & ~3u; i < bytes; i++, word >>= 8)
      *(volatile uint8_t *)physical(address + i) = (uint8_t)word;
  }
  watch(address, bytes);
}

/* -- queries ------------------------------------------------------------------------------------ */

static void answer_queries(uint32_t queries) {
  static struct x86_update updates[X86_UPDATES_MOST];
  struct x86_answer answer;
  sum_all();
  for (; queries; queries--) {
    uint32_t how = disk_word();
    query_ask(how, disk_word64(), &answer, updates);
    if (queries == 1 && !sums_hold())
      answer = (struct x86_answer){.kind = X86_BROKEN, .code = ~0ull};
    disk_put(&answer, sizeof(answer));
    disk_put(updates, answer.updates * sizeof(updates[0]));
  }
}

static bool obey(uint32_t command) {
  uint32_t name;
  switch (command) {
  case ORACLE_MEMORY:
    fill_memory();
    return true;
  case ORACLE_REGISTER:
    name = disk_word();
    x86_reg[name % X86_REGISTERS] = disk_word64();
    return true;
  case ORACLE_QUERIES:
    answer_queries(disk_word());
    return true;
  default:
    return false;
  }
}

void rom_main(void) {
  vmx_prepare();
  while (obey(disk_word()))
    continue;
  disk_finish();
  shut_down();
}
