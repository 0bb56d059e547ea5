/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the program in Bochs share. */
#ifndef NW_ORACLE_EPT_ROM_H
#define NW_ORACLE_EPT_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* -- the machine -------------------------------------------------------------------------------- */

#define PAGE 4096u
#define ENTRIES 512u

/* The first 4 GB of physical memory are mapped flat. */
static inline volatile uint64_t *physical(uint64_t address) {
  return (volatile uint64_t *)(uintptr_t)address;
}

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint64_t read_msr(uint32_t msr) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/** Says why on the debug port and stops the machine. */
__attribute__((noreturn)) void rom_fail(const char *why);

/* -- disk.c: the two files ---------------------------------------------------------------------- */

/** The next word of the commands. */
uint32_t disk_word(void);

/** Adds to the answers; disk_finish() writes what is left of the last sector. */
void disk_put(const void *data, size_t bytes);
void disk_finish(void);

/* -- query.c: one query -------------------------------------------------------------------------- */

#define UPDATES_MOST 32

/** Asks one query; `updates` has room for UPDATES_MOST. `ram_end` is where RAM ends. */
void query_ask(const uint64_t reg[EPT_REGISTERS], uint32_t how, uint64_t address, uint64_t ram_end,
               struct ept_answer *answer, struct ept_update *updates);

#endif
