/* SPDX-License-Identifier: Apache-2.0 */
/* Into the guest and back, and what the guest executes. */
#define VMCS_HOST_RSP 0x6c14

  .text
  .code64

/*
 * bool vmx_run(struct vmx_registers *, bool launched): true when the guest was entered and has
 * exited. The exit comes back at vmx_exited, with the stack as it is left here.
 */
  .global vmx_run
vmx_run:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  push %rdi
  mov $VMCS_HOST_RSP, %eax
  vmwrite %rsp, %rax
  test %esi, %esi
  mov 0(%rdi), %rax
  mov 8(%rdi), %rbx
  mov 16(%rdi), %rcx
  mov 24(%rdi), %rdx
  mov 32(%rdi), %rsi
  mov 48(%rdi), %r8
  mov 56(%rdi), %r9
  mov 64(%rdi), %r10
  mov 72(%rdi), %r12
  mov 40(%rdi), %rdi
  jz 1f
  vmresume
  jmp 2f
1:
  vmlaunch
2: /* not entered */
  xor %eax, %eax
  jmp 3f

  .global vmx_exited
vmx_exited:
  mov (%rsp), %rdi
  mov %rax, (%rdi)
  mov $1, %eax
3:
  pop %rdi
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

/*
 * The guest's code. It begins with the program's own tables in place, through which its page comes
 * into the TLB as a global page; so it stays there when CR3 changes. Then the case's tables are in
 * place, and the next access that misses the TLB is the one in question.
 *
 * At CPL 3 the access is made from a page of its own, which has to be in the TLB as well: so the
 * guest begins there, and SYSCALL brings it to the other page, which has another place in the TLB.
 *
 * One access of 1, 2, 4 or 8 bytes at 16 bytes each: loads, then stores. The encodings of all but
 * those of 8 bytes mean the same in 32-bit code.
 */
.macro accesses
  .irp instruction, "mov (%rdx), %al", "mov (%rdx), %ax", "mov (%rdx), %eax", "mov (%rdx), %rax", \
                    "mov %al, (%rdx)", "mov %ax, (%rdx)", "mov %eax, (%rdx)", "mov %rax, (%rdx)"
    .balign 16
    \instruction
    vmcall
  .endr
.endm

.macro set_keys /* to r8d; after the store, since a key of the case may deny it */
  mov %rax, %r13
  mov %rdx, %r14
  mov %r8d, %eax
  xor %ecx, %ecx
  xor %edx, %edx
  wrpkru
  mov %r13, %rax
  mov %r14, %rdx
.endm

  .balign 4096
  .global guest_supervisor
guest_supervisor:
  mov %rsi, (%rdi)
  test %r12, %r12
  jz 1f
  set_keys
1:
  mov %rbx, %cr3
  .global guest_jump
guest_jump:
  jmp *%r9

  .global guest_syscall
guest_syscall:
  mov %rsi, (%rdi)
  test %r12, %r12
  jz 1f
  set_keys
1:
  mov %r9, %rcx
  mov %r10, %r11
  mov %rbx, %cr3
  .global guest_sysret
guest_sysret:
  sysretq

  .global guest_unpaged
guest_unpaged: /* 32-bit code: mov %esi, (%edi); mov %ebx, 4(%edi); jmp *%ecx */
  .byte 0x89, 0x37, 0x89, 0x5f, 0x04
  .global guest_unpaged_jump
guest_unpaged_jump:
  .byte 0xff, 0xe1

  .balign 16
  .global guest_accesses
guest_accesses:
  accesses

  .balign 4096
  .global guest_user
guest_user:
  syscall
  .balign 16
  .global guest_user_accesses
guest_user_accesses:
  accesses
  .balign 4096
  .section .note.GNU-stack, "", @progbits
