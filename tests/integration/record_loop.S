/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose counts are known: 3 + 1000 * 5 + 3 instructions, 1000 loads of 8 bytes, 1000 stores
 * of 1 byte and 1000 of 4. It ends with status 7.
 */
  .globl _start
  .text
_start:
  xor %eax, %eax
  mov $1000, %ecx
  lea words(%rip), %rdi
1:
  mov (%rdi), %rax
  mov %al, 8(%rdi)
  mov %eax, 12(%rdi)
  dec %ecx
  jnz 1b
  mov $231, %eax
  mov $7, %edi
  syscall

  .data
  .balign 64
words:
  .quad 1, 2, 3, 4
  .section .note.GNU-stack, "", %progbits
