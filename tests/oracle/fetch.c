/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries about execution, by execution. Hyp mode is left for the address asked about, in User or
 * Supervisor mode, and something brings the machine back:
 *
 *   - HVC instructions, put there beforehand where the address leads, if anywhere;
 *   - an abort of stage 2, which enters Hyp mode;
 *   - an abort of stage 1, which goes to the guest's own vectors. These are at the very address
 *     asked about: VBAR is such that it is the Prefetch Abort vector. So either the HVC there is
 *     reached in Abort mode, or the vector is aborted as the fetch was, again and again, until the
 *     timer interrupts; IFSR has the fault in both cases.
 *
 * HVC is undefined in User mode, and the Undefined Instruction vector, eight bytes before, has one,
 * too; SPSR_und then tells that the fetch succeeded, whatever came of the vector.
 */
#include <stdbool.h>

#include "hyp.h"

#define MODE_USR 0x10u
#define MODE_SVC 0x13u
#define MODE_ABT 0x17u
#define MODE_UND 0x1bu
#define MODE_MASK 0x1fu
#define MASKED 0x1c0u /* CPSR: A, I and F */

#define EC_HVC 0x12u
#define EC_PREFETCH_ABORT 0x20u

#define HCR_IMO (1u << 4)

#define GICD_ISENABLER0 (*(volatile uint32_t *)0x08000100)
#define GICC_CTLR (*(volatile uint32_t *)0x08010000)
#define GICC_PMR (*(volatile uint32_t *)0x08010004)
#define GICC_IAR (*(volatile uint32_t *)0x0801000c)
#define GICC_EOIR (*(volatile uint32_t *)0x08010010)
#define GICD_CTLR (*(volatile uint32_t *)0x08000000)
#define HYP_TIMER_INTERRUPT 26
/* How long to wait, in ticks of a 62.5 MHz counter, before the first and before the last try. */
#define PATIENCE_FIRST 2500u
#define PATIENCE_LAST 2500000u

/* VBAR's alignment, and where the Prefetch Abort vector is from it. */
#define VECTORS 32u
#define PREFETCH_ABORT_VECTOR 12u

extern void oracle_enter(uint32_t mode, uint32_t address);

/* Set on the way back. */
volatile struct { uint32_t interrupted, hsr, hpfar, spsr; } oracle_left;

#define READ(value, opc1, crn, crm, opc2)                                                          \
  __asm__ volatile("mrc p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 : "=r"(value))
#define WRITE(value, opc1, crn, crm, opc2)                                                         \
  __asm__ volatile("mcr p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 "\n\tisb"                  \
                   :                                                                               \
                   : "r"(value)                                                                    \
                   : "memory")

void hyp_fetch_prepare(void) {
  GICD_CTLR = 1;
  GICD_ISENABLER0 = 1u << HYP_TIMER_INTERRUPT;
  GICC_PMR = 0xff;
  GICC_CTLR = 1;
}

/* -- the instructions -------------------------------------------------------------------------- */

static uint32_t hvc(uint32_t number) {
  return 0xe1400070u | (number >> 4 & 0xfff) << 8 | (number & 0xf);
}

/* Fills the vectors around `pa` with HVCs of this number; `kept` gets what was there. */
static void plant(uint64_t pa, uint32_t number, uint32_t *kept) {
  volatile uint32_t *word = hyp_window(pa & ~(uint64_t)(VECTORS - 1));
  for (unsigned i = 0; i < VECTORS / 4; i++) {
    kept[i] = word[i];
    word[i] = hvc(number);
  }
  WRITE(0, 0, c7, c5, 0); /* ICIALLU */
}

static void restore(uint64_t pa, const uint32_t *kept) {
  volatile uint32_t *word = hyp_window(pa & ~(uint64_t)(VECTORS - 1));
  for (unsigned i = 0; i < VECTORS / 4; i++)
    word[i] = kept[i];
  WRITE(0, 0, c7, c5, 0); /* ICIALLU */
}

/* -- there and back ---------------------------------------------------------------------------- */

static uint32_t read_spsr_und(void) {
  uint32_t value;
  __asm__ volatile(".arch_extension virt\n\tmrs %0, SPSR_und" : "=r"(value));
  return value;
}

static void go_once(bool user, uint32_t address, uint32_t patience) {
  uint32_t hcr;
  __asm__ volatile(".arch_extension virt\n\tmsr SPSR_und, %0" : : "r"(0));
  WRITE(0, 0, c5, c0, 1);                                /* IFSR */
  WRITE(address - PREFETCH_ABORT_VECTOR, 0, c12, c0, 0); /* VBAR */
  READ(hcr, 4, c1, c1, 0);
  WRITE(hcr | HCR_IMO, 4, c1, c1, 0);
  WRITE(patience, 4, c14, c2, 0); /* CNTHP_TVAL */
  WRITE(1, 4, c14, c2, 1);        /* CNTHP_CTL: on */
  oracle_enter((user ? MODE_USR : MODE_SVC) | MASKED, address);
  WRITE(2, 4, c14, c2, 1); /* off */
  if (oracle_left.interrupted)
    GICC_EOIR = GICC_IAR;
  WRITE(hcr, 4, c1, c1, 0);
}

/* The interrupt may come before anything else did: then it came too soon. */
static void go(bool user, uint32_t address) {
  uint32_t start = user ? MODE_USR : MODE_SVC;
  for (uint32_t patience = PATIENCE_FIRST; patience <= PATIENCE_LAST; patience *= 4) {
    go_once(user, address, patience);
    if (!oracle_left.interrupted || (oracle_left.spsr & MODE_MASK) != start)
      return;
  }
}

/* Whether the instruction asked for was executed. */
static bool was_executed(bool user, uint32_t number) {
  uint32_t mode = oracle_left.spsr & MODE_MASK;
  if (user)
    return (read_spsr_und() & MODE_MASK) == MODE_USR;
  return !oracle_left.interrupted && mode == MODE_SVC && oracle_left.hsr >> 26 == EC_HVC &&
         (oracle_left.hsr & 0xffff) == number;
}

/* Whether stage 2, or the memory system, aborted the fetch itself, not that of a vector. */
static bool entered_hyp(bool user) {
  uint32_t mode = oracle_left.spsr & MODE_MASK;
  return !oracle_left.interrupted && oracle_left.hsr >> 26 == EC_PREFETCH_ABORT &&
         mode == (user ? MODE_USR : MODE_SVC);
}

static void report(bool user, uint32_t number, uint64_t pa, struct oracle_answer *answer) {
  uint32_t ifsr;
  READ(ifsr, 0, c5, c0, 1);
  if (was_executed(user, number)) {
    answer->kind = ORACLE_PAR64;
    answer->low = ((uint32_t)pa & 0xfffff000u) | PAR_LPAE;
    answer->high = (uint32_t)(pa >> 32);
  } else if (entered_hyp(user)) {
    answer->kind = ORACLE_HSR;
    answer->low = oracle_left.hsr;
    answer->high = oracle_left.hpfar;
  } else if (ifsr) {
    answer->kind = ORACLE_IFSR;
    answer->low = ifsr;
    answer->high = 0;
  } else {
    answer->kind = ORACLE_BROKEN;
    answer->low = oracle_left.hsr;
    answer->high = oracle_left.spsr;
  }
}

/* Where the address leads: with managers of all domains, since a domain fault would stop QEMU, and
 * for the privileged, who may read what anybody may execute. */
static bool find(uint32_t address, uint64_t *pa) {
  struct oracle_answer answer;
  uint32_t dacr;
  READ(dacr, 0, c3, c0, 0);
  WRITE(0xffffffff, 0, c3, c0, 0);
  hyp_ask(0, address, &answer);
  WRITE(dacr, 0, c3, c0, 0);
  *pa = (((uint64_t)answer.high << 32 | answer.low) & 0xfffffff000) | (address & 0xfff);
  return answer.kind == ORACLE_PAR64 && !(answer.low & PAR_F);
}

/* Instructions cannot be put where there is no RAM, nor into a table that leads to them. */
static bool plant_safely(uint32_t address, uint64_t pa, uint32_t number, uint32_t *kept) {
  uint64_t now;
  if (pa < ORACLE_RAM_FIRST || pa > ORACLE_RAM_LAST)
    return false;
  plant(pa, number, kept);
  hyp_flush_guest();
  if (find(address, &now) && now == pa)
    return true;
  restore(pa, kept);
  hyp_flush_guest();
  return false;
}

void hyp_fetch(uint32_t how, uint32_t address, struct oracle_answer *answer) {
  static uint32_t number;
  uint32_t kept[VECTORS / 4];
  uint64_t pa;
  bool user = how & ORACLE_ASK_USER;
  address = (address & ~(VECTORS - 1)) | PREFETCH_ABORT_VECTOR;
  number = (number + 1) & 0xffff;
  answer->par32 = 0;
  bool found = find(address, &pa);
  if (found && !plant_safely(address, pa, number, kept)) {
    answer->kind = ORACLE_NOT_ASKED;
    return;
  }
  go(user, address);
  if (found)
    restore(pa, kept);
  report(user, number, pa, answer);
}
