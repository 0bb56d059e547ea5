/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from a multiboot loader to 64-bit mode with paging: all of the first terabyte mapped flat
 * by pages of 1 GB, under four levels of tables or five. There is no IDT: an exception stops the
 * machine.
 */
  .set CR0_PG, 0x80000000
  .set CR4_PAE, 0x20
  .set EFER, 0xc0000080
  .set EFER_LME, 0x100
  .set CODE64, 0x08
  .set CODE32, 0x10
  .set DATA, 0x18

  .section .multiboot, "a"
  .balign 4
  .long 0x1badb002, 0, -0x1badb002

  .section .text
  .code32
  .global _start
_start:
  cli
  mov $x86_stack_top, %esp
  movl $x86_pml4 + 3, x86_pml5
  movl $x86_pdpt + 3, x86_pml4
  movl $x86_pdpt + 4096 + 3, x86_pml4 + 8
  xor %ecx, %ecx
1: /* gigabyte number ecx: present, writable, large; not the user's, or PKRU would matter */
  mov %ecx, %eax
  shl $30, %eax
  or $0x83, %eax
  mov %eax, x86_pdpt(, %ecx, 8)
  mov %ecx, %eax
  shr $2, %eax
  mov %eax, x86_pdpt + 4(, %ecx, 8)
  inc %ecx
  cmp $1024, %ecx
  jne 1b

  mov $CR4_PAE, %eax
  mov %eax, %cr4
  mov $x86_pml4, %eax
  mov %eax, %cr3
  mov $EFER, %ecx
  rdmsr
  or $EFER_LME, %eax
  wrmsr
  mov %cr0, %eax
  or $CR0_PG, %eax
  mov %eax, %cr0
  lgdt gdt_pointer
  ljmp $CODE64, $start64

  .code64
start64:
  mov $DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  call x86_main
  mov %eax, %edi
  jmp x86_exit

/* x86_paging(cr4, cr3): how many levels there are may change only while paging is off, and that is
 * only where the code is not 64-bit. */
  .global x86_paging
x86_paging:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  pushq $CODE32
  pushq $1f
  lretq
  .code32
1:
  mov %cr0, %eax
  and $~CR0_PG, %eax
  mov %eax, %cr0
  mov %edi, %cr4
  mov %esi, %cr3
  or $CR0_PG, %eax
  mov %eax, %cr0
  ljmp $CODE64, $2f
  .code64
2:
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

  .section .rodata
  .balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff
  .quad 0x00cf9b000000ffff
  .quad 0x00cf93000000ffff
gdt_pointer:
  .word gdt_pointer - gdt - 1
  .quad gdt

  .bss
  .balign 4096
  .global x86_pml4, x86_pml5
x86_pml5:
  .space 4096
x86_pml4:
  .space 4096
x86_pdpt:
  .space 8192
  .space 16384
x86_stack_top:
