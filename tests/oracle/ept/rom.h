/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the program in Bochs share, besides what they have of the other programs in
 * x86-64 machines.
 */
#ifndef NW_ORACLE_EPT_ROM_H
#define NW_ORACLE_EPT_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../x86/program.h"

/* -- the machine -------------------------------------------------------------------------------- */

#define PAGE 4096u

/** The first 4 GB of physical memory are mapped flat. */
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

/** The next word of the commands, or as many as are asked for. */
uint32_t disk_word(void);
void disk_words(volatile void *to, size_t words);

/** Adds to the answers; disk_finish() writes what is left of the last sector. */
void disk_put(const void *data, size_t bytes);
void disk_finish(void);

/* -- query.c: one query -------------------------------------------------------------------------- */

/** Asks one query; `updates` has room for X86_UPDATES_MOST. */
void query_ask(uint32_t how, uint64_t address, struct x86_answer *answer,
               struct x86_update *updates);

#endif
