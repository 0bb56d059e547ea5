/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host and a program in an x86-64 machine tell each other: "questions" is a sequence of
 * little-endian 32-bit words, the commands of ../protocol.h with these operands; "answers" is one
 * struct x86_answer for each query, in order, each followed by its updates.
 *
 *   ORACLE_MEMORY    address low, address high, bytes, then the bytes filled up to words
 *   ORACLE_REGISTER  enum x86_register, low word, high word
 *   ORACLE_QUERIES   how many, then for each a word of X86_ASK_..., address low, address high
 *
 * Registers hold their values as a case file gives them; the program takes from them what matters
 * to translation. What the queries change in memory, flags and all, is undone after each of them.
 */
#ifndef NW_ORACLE_X86_PROTOCOL_H
#define NW_ORACLE_X86_PROTOCOL_H

#include <stdint.h>

#include "../protocol.h"

enum x86_register {
  X86_CR0,
  X86_CR3,
  X86_CR4,
  X86_EFER,
  X86_PKRU,
  X86_AC,
  X86_NCR3,
  X86_HCR4,
  X86_HEFER,
  X86_EPTP,
  X86_REGIME, /* enum x86_regime */
  X86_MAXPHYADDR,
  X86_LOW_FIRST, /* the two stretches of RAM that cases have: first and last address */
  X86_LOW_LAST,
  X86_HIGH_FIRST,
  X86_HIGH_LAST,
  X86_REGISTERS,
  X86_PAT =
      X86_REGISTERS, /* these two no program is told: what it answers does not depend on them */
  X86_TAG,
};

enum x86_regime {
  X86_REGIME_STAGE1, /* x86-64 */
  X86_REGIME_NPT,    /* x86-svm-npt */
  X86_REGIME_EPT,    /* x86-ept */
};

/* A query's operation; a read where neither bit of the first two is set. */
#define X86_ASK_WRITE 1u
#define X86_ASK_FETCH 2u
#define X86_ASK_USER 4u
#define X86_ASK_STAGE2 8u   /* the address is a guest-physical one */
#define X86_ASK_UPDATES 16u /* report what changed in the tables */
#define X86_ASK_ALL 32u     /* ask even where the answer cannot be trusted */

/* What a query was answered with; what `code` and `address` then hold. */
enum x86_answer_kind {
  X86_TRANSLATED = 1, /* physical address in `address`, if `code` is 1; 0: it cannot be told */
  X86_PAGE_FAULT,     /* error code */
  X86_GENERAL_FAULT,  /* #GP: the address is not canonical */
  X86_NESTED_FAULT,   /* EXITINFO1; guest-physical address */
  X86_EPT_VIOLATION,  /* exit qualification; guest-physical address */
  X86_EPT_MISCONFIG,  /* 0; guest-physical address */
  X86_NO_SLOT,        /* not asked: no free entry through which the program could be mapped */
  X86_NO_PLACE,       /* not asked: no instruction can be put where the address leads */
  X86_OUT_OF_REACH,   /* not asked: a guest-physical address wider than the nested tables' */
  X86_NO_MEMORY,      /* not asked: it may lead to where only the program or a device is */
  X86_BROKEN,         /* what the program cannot make sense of: the exit's own code, and where */
};

/* The updates that follow are counted in `updates`; X86_UPDATES_UNKNOWN: not to be told, since the
 * access itself fell on an entry of the tables; none follow. */
struct x86_answer {
  uint32_t kind;
  uint32_t updates;
  uint64_t code;
  uint64_t address;
};

struct x86_update {
  uint64_t address, value; /* of an entry of the tables: what it held after the query */
};

#define X86_UPDATES_UNKNOWN 0xffffffffu
#define X86_UPDATES_MOST 64

/* Where the program keeps the two files: in the first gigabyte, which is its own. */
#define X86_QUESTIONS 0x08000000u
#define X86_QUESTIONS_ROOM 0x10000000u
#define X86_ANSWERS 0x18000000u
#define X86_ANSWERS_ROOM 0x18000000u
#define X86_OWN_LAST 0x3fffffffu

/* The physical memory of the machine under QEMU that cases have: two stretches. The end of the
 * second depends on how wide a physical address is. */
#define X86_LOW_RAM_FIRST 0x40000000ull
#define X86_LOW_RAM_LAST 0xbeffffffull
#define X86_HIGH_RAM_FIRST 0x100000000ull
#define X86_HIGH_RAM_GIB_MOST 800u

/** Gigabytes of RAM from X86_HIGH_RAM_FIRST on. */
static inline uint64_t x86_high_ram_gib(unsigned maxphyaddr) {
  uint64_t space = maxphyaddr > 40 ? 1024 : (1ull << maxphyaddr) >> 30;
  return space / 4 * 3 < X86_HIGH_RAM_GIB_MOST ? space / 4 * 3 : X86_HIGH_RAM_GIB_MOST;
}

#endif
