/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in the virtual machine, a Cortex-A15 in Hyp mode: reads "questions", does what its
 * commands say, and writes "answers". Each query is one address-translation operation of the
 * Non-secure PL1&0 regime, whose registers the commands set.
 *
 * Its own memory is mapped flat by a Hyp table of 1 GB blocks; the block at WINDOW is moved about
 * to reach physical addresses above 4 GB.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp.h"

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_READ = 6, SYS_FLEN = 12 };
enum { OPEN_READ_BINARY = 1, OPEN_WRITE_BINARY = 5 };

#define WINDOW 0xc0000000u
#define GIGABYTE 0x40000000u

/* A 1 GB block: valid, AF, inner shareable, AP[1] (should be one in Hyp), attribute 0 or 1. */
#define BLOCK 0x741u
#define DEVICES 0x745u

extern int oracle_semihosting(int operation, const void *arguments);
int oracle_main(void);

/* Set by the data abort handler. */
volatile struct { uint32_t seen, hsr, hpfar; } oracle_abort;

static uint64_t hyp_table[4] __attribute__((aligned(32)));

/* -- files ------------------------------------------------------------------------------------- */

static int file_open(const char *name, size_t length, int mode) {
  const uint32_t arguments[3] = {(uint32_t)name, (uint32_t)mode, length};
  return oracle_semihosting(SYS_OPEN, arguments);
}

static bool file_close(int file) {
  const uint32_t arguments[1] = {(uint32_t)file};
  return oracle_semihosting(SYS_CLOSE, arguments) == 0;
}

/* SYS_READ and SYS_WRITE return how many bytes are left over. */
static bool file_transfer(int operation, int file, uint32_t buffer, uint32_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)file, buffer, bytes};
  return oracle_semihosting(operation, arguments) == 0;
}

static bool read_questions(void) {
  static const char name[] = "questions";
  int file = file_open(name, sizeof name - 1, OPEN_READ_BINARY);
  if (file < 0)
    return false;
  const uint32_t arguments[1] = {(uint32_t)file};
  int bytes = oracle_semihosting(SYS_FLEN, arguments);
  return bytes > 0 && (uint32_t)bytes <= ORACLE_QUESTIONS_ROOM &&
         file_transfer(SYS_READ, file, ORACLE_QUESTIONS, (uint32_t)bytes) && file_close(file);
}

static bool write_answers(uint32_t bytes) {
  static const char name[] = "answers";
  int file = file_open(name, sizeof name - 1, OPEN_WRITE_BINARY);
  return file >= 0 && file_transfer(SYS_WRITE, file, ORACLE_ANSWERS, bytes) && file_close(file);
}

/* -- memory ------------------------------------------------------------------------------------ */

static void hyp_mmu_on(void) {
  hyp_table[0] = DEVICES;
  hyp_table[1] = GIGABYTE | BLOCK;
  hyp_table[3] = WINDOW | BLOCK;
  uint32_t table = (uint32_t)hyp_table;
  __asm__ volatile("dsb\n\t"
                   "mcr p15, 4, %0, c10, c2, 0\n\t" /* HMAIR0: write-back, Device */
                   "mcr p15, 4, %1, c2, c0, 2\n\t"  /* HTCR: T0SZ 0 */
                   "mcrr p15, 4, %2, %3, c2\n\t"    /* HTTBR */
                   "isb\n\t"
                   "mrc p15, 4, r3, c1, c0, 0\n\t" /* HSCTLR */
                   "orr r3, r3, #1\n\t"
                   "mcr p15, 4, r3, c1, c0, 0\n\t"
                   "isb"
                   :
                   : "r"(0x4ff), "r"(0x80000000u), "r"(table), "r"(0)
                   : "r3", "memory");
}

static void hyp_tlb_flush(void) {
  __asm__ volatile("dsb\n\tmcr p15, 4, %0, c8, c7, 0\n\tdsb\n\tisb" : : "r"(0) : "memory");
}

void hyp_flush_guest(void) {
  __asm__ volatile("dsb\n\tmcr p15, 4, %0, c8, c7, 4\n\tdsb\n\tisb" : : "r"(0) : "memory");
}

volatile void *hyp_window(uint64_t address) {
  uint64_t entry = address >> 30 << 30 | BLOCK;
  if (hyp_table[3] != entry) {
    hyp_table[3] = entry;
    hyp_tlb_flush();
  }
  return (volatile void *)(WINDOW | ((uint32_t)address & (GIGABYTE - 1)));
}

static void copy(uint64_t address, const uint32_t *from, uint32_t bytes) {
  const unsigned char *source = (const unsigned char *)from;
  for (uint32_t at = 0; at < bytes;) {
    volatile void *here = hyp_window(address + at);
    if ((((uint32_t)here | at) & 3) == 0 && bytes - at >= 4) {
      *(volatile uint32_t *)here = from[at / 4];
      at += 4;
    } else {
      *(volatile unsigned char *)here = source[at++];
    }
  }
}

/* -- registers --------------------------------------------------------------------------------- */

#define MCR(opc1, crn, crm, opc2)                                                                  \
  __asm__ volatile("mcr p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 "\n\tisb" : : "r"(low))
#define MCRR(opc1, crm)                                                                            \
  __asm__ volatile("mcrr p15, " #opc1 ", %0, %1, " #crm "\n\tisb" : : "r"(low), "r"(high))

static void set_register(uint32_t name, uint32_t low, uint32_t high) {
  switch (name) {
  case ORACLE_HCR:
    MCR(4, c1, c1, 0);
    break;
  case ORACLE_VTCR:
    MCR(4, c2, c1, 2);
    break;
  case ORACLE_VTTBR:
    MCRR(6, c2);
    break;
  case ORACLE_TTBCR:
    MCR(0, c2, c0, 2);
    break;
  case ORACLE_TTBR0:
    MCRR(0, c2);
    break;
  case ORACLE_TTBR1:
    MCRR(1, c2);
    break;
  case ORACLE_DACR:
    MCR(0, c3, c0, 0);
    break;
  case ORACLE_SCTLR:
    MCR(0, c1, c0, 0);
    break;
  case ORACLE_PRRR_MAIR0:
    MCR(0, c10, c2, 0);
    break;
  case ORACLE_NMRR_MAIR1:
    MCR(0, c10, c2, 1);
    break;
  case ORACLE_CONTEXTIDR:
    MCR(0, c13, c0, 1);
    break;
  }
}

/* -- queries ----------------------------------------------------------------------------------- */

#define AT(crm, opc2)                                                                              \
  __asm__ volatile("mcr p15, 0, %0, c7, " #crm ", " #opc2 : : "r"(address) : "memory")

static uint64_t operate(uint32_t how, uint32_t address) {
  uint32_t low, high;
  switch (how & 7) {
  case 0:
    AT(c8, 4); /* ATS12NSOPR */
    break;
  case ORACLE_ASK_WRITE:
    AT(c8, 5); /* ATS12NSOPW */
    break;
  case ORACLE_ASK_USER:
    AT(c8, 6); /* ATS12NSOUR */
    break;
  case ORACLE_ASK_USER | ORACLE_ASK_WRITE:
    AT(c8, 7); /* ATS12NSOUW */
    break;
  case ORACLE_ASK_STAGE1:
    AT(c8, 0); /* ATS1CPR */
    break;
  case ORACLE_ASK_STAGE1 | ORACLE_ASK_WRITE:
    AT(c8, 1); /* ATS1CPW */
    break;
  case ORACLE_ASK_STAGE1 | ORACLE_ASK_USER:
    AT(c8, 2); /* ATS1CUR */
    break;
  default:
    AT(c8, 3); /* ATS1CUW */
    break;
  }
  __asm__ volatile("isb\n\tmrrc p15, 0, %0, %1, c7" : "=r"(low), "=r"(high) : : "memory");
  return (uint64_t)high << 32 | low;
}

#define HCR_PTW 4u

/* A stage-1 operation where there is no stage 2. QEMU heeds HCR.PTW even then, so it is cleared. */
static uint64_t operate_stage1(uint32_t how, uint32_t address) {
  uint32_t hcr;
  __asm__ volatile("mrc p15, 4, %0, c1, c1, 0" : "=r"(hcr));
  __asm__ volatile("mcr p15, 4, %0, c1, c1, 0\n\tisb" : : "r"(hcr & ~HCR_PTW));
  uint64_t par = operate(how | ORACLE_ASK_STAGE1, address);
  __asm__ volatile("mcr p15, 4, %0, c1, c1, 0\n\tisb" : : "r"(hcr));
  return par;
}

/* The 32-bit PAR lacks address bits, so a translation that it reports is asked for again by the
 * stage-1 operation, which answers with 64 bits in Hyp mode; both have to give the same page. */
static void ask_in_full(uint32_t how, uint32_t address, uint32_t par32,
                        struct oracle_answer *answer) {
  uint64_t par64 = operate_stage1(how, address);
  uint32_t page = par32 & 2 ? 0xff000000u : 0xfffff000u;
  bool agrees = !oracle_abort.seen && !(par64 & PAR_F) && !(((uint32_t)par64 ^ par32) & page);
  answer->kind = agrees ? ORACLE_PAR64 : ORACLE_BROKEN;
  answer->low = (uint32_t)par64;
  answer->high = agrees ? (uint32_t)(par64 >> 32) : par32;
  answer->par32 = par32;
}

void hyp_ask(uint32_t how, uint32_t address, struct oracle_answer *answer) {
  oracle_abort.seen = 0;
  uint64_t par = operate(how, address);
  answer->par32 = 0;
  if (oracle_abort.seen) {
    answer->kind = ORACLE_ABORT;
    answer->low = oracle_abort.hsr;
    answer->high = oracle_abort.hpfar;
  } else if (par & PAR_LPAE) {
    answer->kind = ORACLE_PAR64;
    answer->low = (uint32_t)par;
    answer->high = (uint32_t)(par >> 32);
  } else if (par & PAR_F) {
    answer->kind = ORACLE_PAR32;
    answer->low = (uint32_t)par;
    answer->high = 0;
  } else {
    ask_in_full(how, address, (uint32_t)par, answer);
  }
}

/* Returns the number of bytes of answers. */
static uint32_t run(const uint32_t *word) {
  struct oracle_answer *answers = (struct oracle_answer *)ORACLE_ANSWERS;
  struct oracle_answer *answer = answers;
  for (;;) {
    switch (*word++) {
    case ORACLE_MEMORY:
      copy((uint64_t)word[1] << 32 | word[0], word + 3, word[2]);
      word += 3 + (word[2] + 3) / 4;
      break;
    case ORACLE_REGISTER:
      set_register(word[0], word[1], word[2]);
      word += 3;
      break;
    case ORACLE_QUERIES:
      hyp_flush_guest();
      for (uint32_t left = *word++; left; left--, word += 2) {
        if (word[0] & ORACLE_ASK_FETCH)
          hyp_fetch(word[0], word[1], answer++);
        else
          hyp_ask(word[0], word[1], answer++);
      }
      break;
    default:
      return (uint32_t)((char *)answer - (char *)answers);
    }
  }
}

/* Status 0: all is answered; 1: a file could not be read or written. */
int oracle_main(void) {
  hyp_mmu_on();
  hyp_fetch_prepare();
  if (!read_questions())
    return 1;
  return write_answers(run((const uint32_t *)ORACLE_QUESTIONS)) ? 0 : 1;
}
