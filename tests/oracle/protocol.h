/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host and the program in the virtual machine tell each other: two files of little-endian
 * 32-bit words. "questions" is a sequence of commands, each a command word and its operands;
 * "answers" is one struct oracle_answer for each query, in order.
 */
#ifndef NW_ORACLE_PROTOCOL_H
#define NW_ORACLE_PROTOCOL_H

#include <stdint.h>

enum oracle_command {
  ORACLE_END = 0,      /* no operands; the last command */
  ORACLE_MEMORY = 1,   /* address low, address high, bytes, then the bytes filled up to words */
  ORACLE_REGISTER = 2, /* enum oracle_register, low word, high word */
  ORACLE_QUERIES = 3,  /* how many, then for each a word of ORACLE_ASK_... and the address */
};

enum oracle_register {
  ORACLE_HCR,
  ORACLE_VTCR,
  ORACLE_VTTBR,
  ORACLE_TTBCR,
  ORACLE_TTBR0,
  ORACLE_TTBR1,
  ORACLE_DACR,
  ORACLE_SCTLR,
  ORACLE_PRRR_MAIR0,
  ORACLE_NMRR_MAIR1,
  ORACLE_CONTEXTIDR,
  ORACLE_REGISTERS,
};

/* A query's operation. */
#define ORACLE_ASK_WRITE 1u
#define ORACLE_ASK_USER 2u
#define ORACLE_ASK_STAGE1 4u /* ATS1C*, else ATS12NSO* */
#define ORACLE_ASK_FETCH 8u  /* no operation, but a real fetch */

/* What a query was answered with. */
enum oracle_answer_kind {
  ORACLE_PAR32 = 1,  /* PAR in its 32-bit format: a fault */
  ORACLE_PAR64 = 2,  /* PAR in its 64-bit format */
  ORACLE_ABORT = 3,  /* the operation was aborted: `low` is HSR, `high` is HPFAR */
  ORACLE_BROKEN = 4, /* two operations that have to agree did not: `low` and `high` are theirs */
  ORACLE_IFSR = 5,   /* a fetch was aborted by stage 1: `low` is IFSR */
  ORACLE_HSR = 6,    /* a fetch was aborted and Hyp mode entered: `low` is HSR, `high` is HPFAR */
  ORACLE_NOT_ASKED = 7, /* a fetch from an address where no instruction can be put */
};

struct oracle_answer {
  uint32_t kind;
  uint32_t low, high;
  uint32_t par32; /* ORACLE_PAR64: what the 32-bit format said, where it was asked first; else 0 */
};

/* Physical memory of the machine. The program has the first gigabyte of RAM for itself; cases have
 * the rest. Addresses of the two holes belong to nobody. */
#define ORACLE_OWN_FIRST 0x40000000ull
#define ORACLE_RAM_FIRST 0x80000000ull
#define ORACLE_RAM_LAST 0xefffffffffull
#define ORACLE_RAM_SIZE_GIB 959
#define ORACLE_LOW_HOLE_FIRST 0x0d000000ull
#define ORACLE_LOW_HOLE_LAST 0x0dffffffull
#define ORACLE_HIGH_HOLE_FIRST 0xf040000000ull
#define ORACLE_HIGH_HOLE_LAST 0xffffffffffull

/* Where the program keeps the two files. */
#define ORACLE_QUESTIONS 0x48000000u
#define ORACLE_QUESTIONS_ROOM 0x20000000u
#define ORACLE_ANSWERS 0x68000000u
#define ORACLE_ANSWERS_ROOM 0x18000000u

#endif
