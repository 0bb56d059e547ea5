/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from reset to Hyp mode, the exception vectors, and the semihosting call. An operation that
 * is aborted leaves HSR and HPFAR behind and is stepped over; what brings the machine back from a
 * fetch returns from oracle_enter(); every other exception ends the program with status 2.
 */
  .syntax unified
  .arm
  .section .text.start, "ax"
  .global _start
_start: /* in Secure Supervisor mode */
  .arch_extension sec
  .arch_extension virt
  cps #0x16 /* Monitor mode */
  /* Only the secure side may leave interrupts to the other one: all of them, at any priority. */
  ldr r1, =0x08000000 /* GICD */
  mvn r0, #0
  str r0, [r1, #0x80] /* IGROUPR0 */
  mov r0, #3
  str r0, [r1]        /* CTLR */
  ldr r1, =0x08010000 /* GICC */
  str r0, [r1]        /* CTLR */
  mov r0, #0xff
  str r0, [r1, #4]    /* PMR */
  ldr r0, =0x101 /* NS, HCE */
  mcr p15, 0, r0, c1, c1, 0 /* SCR */
  isb
  ldr r0, =0x1da /* Hyp mode; A, I and F masked, ARM */
  msr spsr_cxsf, r0
  adr lr, hyp_entry
  movs pc, lr

hyp_entry:
  ldr sp, =oracle_stack_top
  ldr r0, =vectors
  mcr p15, 4, r0, c12, c0, 0 /* HVBAR */
  bl oracle_main
  b stop

  .balign 32
vectors:
  b unexpected
  b unexpected
  b unexpected
  b unexpected
  b data_abort
  b left_by_trap
  b left_by_interrupt
  b unexpected

data_abort:
  push {r0, r1}
  ldr r1, =oracle_abort
  mov r0, #1
  str r0, [r1]
  mrc p15, 4, r0, c5, c2, 0 /* HSR */
  str r0, [r1, #4]
  mrc p15, 4, r0, c6, c0, 4 /* HPFAR */
  str r0, [r1, #8]
  mrs r0, ELR_hyp
  add r0, r0, #4
  msr ELR_hyp, r0
  pop {r0, r1}
  eret

/* oracle_enter(mode, address): leaves Hyp mode, until something brings the machine back. */
  .global oracle_enter
oracle_enter:
  push {r4-r11, lr}
  msr spsr_cxsf, r0
  msr ELR_hyp, r1
  isb
  eret

left_by_trap:
  mov r1, #0
  b left
left_by_interrupt:
  mov r1, #1
left:
  ldr r0, =oracle_left
  str r1, [r0]
  mrc p15, 4, r1, c5, c2, 0 /* HSR */
  str r1, [r0, #4]
  mrc p15, 4, r1, c6, c0, 4 /* HPFAR */
  str r1, [r0, #8]
  mrs r1, spsr
  str r1, [r0, #12]
  pop {r4-r11, pc}

unexpected:
  mov r0, #2

/* Ends the machine with status r0: SYS_EXIT_EXTENDED with {ADP_Stopped_ApplicationExit, r0}. */
stop:
  sub sp, sp, #8
  ldr r2, =0x20026
  str r2, [sp]
  str r0, [sp, #4]
  mov r1, sp
  mov r0, #0x20
  svc 0x123456
  b .

  .global oracle_semihosting
oracle_semihosting:
  push {lr}
  svc 0x123456
  pop {pc}

  .bss
  .balign 16
  .space 16384
oracle_stack_top:
