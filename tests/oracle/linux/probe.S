/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is planted where the machine was stopped, in Supervisor or Hyp mode, with all interrupts
 * masked: position-independent, no stack, nothing used but the buffer at r0. The first words are
 * its entries and the end, where the machine is to be stopped:
 *
 * registers      writes the registers of a guest's translation to the buffer, 64 bits each
 * hyp_registers  the same after those that only Hyp mode has
 * translate      r1 queries of 64 bits, whose answers, the 64-bit PAR, take their places: bits[2:0]
 *                of a query choose the operation (bit 0: write, bit 1: unprivileged, bit 2: both
 *                stages, in Hyp mode only), bits[31:12] are the address
 * stage1_off     switches a guest's stage 1 off; from Hyp mode, where it is not the probe's own
 * ifsr           leaves IFSR in r2 and empties the TLBs; hyp_ifsr the same from Hyp mode, and
 *                hyp_hsr with HSR
 */
  .syntax unified
  .arm
  .arch armv7-a
  .text

  .macro keep, opc1, crn, crm, opc2
  mrc p15, \opc1, r2, \crn, \crm, \opc2
  mov r3, #0
  strd r2, r3, [r0], #8
  .endm

  .macro keep_wide, opc1
  mrrc p15, \opc1, r2, r3, c2
  strd r2, r3, [r0], #8
  .endm

  .macro operation, crm, opc2
  mcr p15, 0, r3, c7, \crm, \opc2
  b answered
  .endm

  b guest_registers
  b hyp_registers
  b translate
  b stage1_off
  b ifsr
  b hyp_ifsr
  b hyp_hsr
end:
  b end

hyp_registers:
  keep 4, c1, c1, 0 /* HCR */
  keep 4, c2, c1, 2 /* VTCR */
  keep_wide 6       /* VTTBR */
guest_registers:
  keep 0, c2, c0, 2  /* TTBCR */
  keep_wide 0        /* TTBR0 */
  keep_wide 1        /* TTBR1 */
  keep 0, c3, c0, 0  /* DACR */
  keep 0, c1, c0, 0  /* SCTLR */
  keep 0, c10, c2, 0 /* PRRR, MAIR0 */
  keep 0, c10, c2, 1 /* NMRR, MAIR1 */
  keep 0, c13, c0, 1 /* CONTEXTIDR */
  b end

stage1_off:
  mrc p15, 0, r2, c1, c0, 0 /* SCTLR */
  bic r2, r2, #1
  mcr p15, 0, r2, c1, c0, 0
  isb
  b end

hyp_hsr:
  mrc p15, 4, r2, c5, c2, 0
  b hyp_flush
hyp_ifsr:
  mrc p15, 0, r2, c5, c0, 1
hyp_flush:
  mcr p15, 4, r3, c8, c7, 4 /* TLBIALLNSNH */
  b flushed
ifsr:
  mrc p15, 0, r2, c5, c0, 1
  mcr p15, 0, r3, c8, c7, 0 /* TLBIALL */
flushed:
  dsb
  isb
  b end

translate:
  ldr r2, [r0]
  and r4, r2, #7
  bic r3, r2, #7
  add pc, pc, r4, lsl #3 /* pc is two instructions ahead */
  nop
  operation c8, 0 /* ATS1CPR */
  operation c8, 1 /* ATS1CPW */
  operation c8, 2 /* ATS1CUR */
  operation c8, 3 /* ATS1CUW */
  operation c8, 4 /* ATS12NSOPR */
  operation c8, 5 /* ATS12NSOPW */
  operation c8, 6 /* ATS12NSOUR */
  operation c8, 7 /* ATS12NSOUW */
answered:
  isb
  mrrc p15, 0, r2, r3, c7
  strd r2, r3, [r0], #8
  subs r1, r1, #1
  bne translate
  b end
