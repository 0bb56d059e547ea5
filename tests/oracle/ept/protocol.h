/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host and the program in Bochs tell each other: two disks of little-endian words. The
 * first disk has the commands, each a 32-bit command word and its operands; the second receives one
 * struct ept_answer for each query, in order, each followed by its updates, and then EPT_END_MARK.
 */
#ifndef NW_ORACLE_EPT_PROTOCOL_H
#define NW_ORACLE_EPT_PROTOCOL_H

#include <stdint.h>

enum ept_command {
  EPT_END = 0,      /* no operands; the last command */
  EPT_MEMORY = 1,   /* address low, high, bytes, then the bytes filled up to words */
  EPT_CLEAR = 2,    /* address low, high, bytes: memory that is to read as 0 again */
  EPT_REGISTER = 3, /* enum ept_register, low word, high word */
  EPT_QUERIES = 4,  /* how many, then for each a word of EPT_ASK_..., address low, high */
  EPT_RAM = 5,      /* where RAM ends: low word, high word */
};

enum ept_register {
  EPT_CR0,
  EPT_CR3,
  EPT_CR4,
  EPT_EFER,
  EPT_PKRU,
  EPT_AC,
  EPT_EPTP,
  EPT_REGISTERS,
};

/* A query's access. */
#define EPT_ASK_WRITE 1u
#define EPT_ASK_USER 2u
#define EPT_ASK_FETCH 4u
#define EPT_ASK_STAGE2 8u /* of a guest physical address: as if CR0.PG were 0 */

/* What a query was answered with. */
enum ept_answer_kind {
  EPT_DONE = 1,      /* executed */
  EPT_EXCEPTION = 2, /* the guest's exception `vector` */
  EPT_VIOLATION = 3,
  EPT_MISCONFIGURATION = 4,
  EPT_NOT_ASKED = 5, /* the walk may lead to memory that cases do not have */
  EPT_BROKEN = 6,    /* what must not happen: exit reason in `error`, its RIP in `gpa` */
  EPT_REFUSED = 7,   /* VM entry failed: VM-instruction error in `error` */
  EPT_STRAY = 8,     /* memory that no walk of the batch before should have changed did change */
};

struct ept_answer {
  uint16_t kind;     /* enum ept_answer_kind */
  uint16_t vector;   /* EPT_EXCEPTION */
  uint32_t error;    /* EPT_EXCEPTION: the error code */
  uint64_t address;  /* EPT_EXCEPTION: CR2, EPT_VIOLATION: the exit qualification */
  uint64_t gpa;      /* EPT_VIOLATION, EPT_MISCONFIGURATION */
  uint64_t pa;       /* EPT_DONE */
  uint32_t pa_known; /* EPT_DONE: the access was seen to be at `pa` */
  uint32_t updates;  /* how many of struct ept_update follow */
};

struct ept_update {
  uint64_t address, value;
};

#define EPT_END_MARK 0x444e4554u

/* Physical memory of the machine. The program has what is below EPT_RAM_FIRST for itself; cases have
 * the rest, up to where the machine's RAM ends, or to EPT_RAM_LIMIT - 1 at most: above are devices.
 * Beyond 4 GB is nothing. */
#define EPT_RAM_FIRST 0x01000000ull
#define EPT_RAM_LIMIT 0xc0000000ull

#define EPT_MAXPHYADDR 40
#define EPT_SECTOR 512u

#endif
