/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An option ROM: the BIOS finds it by its first bytes and calls it in real mode. It goes on to long
 * mode, copies itself to where it is linked, and does not return.
 */
  .set ROM, 0xd0000 /* where Bochs is told to put it */
  .set ROM_BYTES, 0x10000
  .set CODE32, 0x08
  .set DATA, 0x10
  .set CODE64, 0x18

  .section .text.start, "ax"
  .global rom_start
  .code16
rom_start:
  .byte 0x55, 0xaa
  .byte ROM_BYTES / 512
  jmp real_mode
real_mode:
  cli
  lgdtl %cs:(gdt_in_rom - rom_start)
  mov $0x11, %eax /* ET, PE */
  mov %eax, %cr0
  ljmpl $CODE32, $(ROM + protected_mode - rom_start)

  .code32
protected_mode:
  mov $DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  in $0x92, %al /* A20 */
  or $2, %al
  out %al, $0x92
  cld
  mov $ROM, %esi
  mov $rom_start, %edi
  mov $ROM_BYTES / 4, %ecx
  rep movsl
  mov $bss_clear, %eax
  jmp *%eax

bss_clear:
  mov $host_pml4, %edi
  mov $6 * 4096 / 4, %ecx
  xor %eax, %eax
  rep stosl
  movl $host_pdpt + 3, host_pml4
  mov $host_pdpt, %edi
  mov $host_pd + 3, %eax
  mov $4, %ecx
1:
  mov %eax, (%edi)
  add $8, %edi
  add $4096, %eax
  loop 1b
  mov $host_pd, %edi
  mov $0x83, %eax /* PS, W, P */
  mov $4 * 512, %ecx
1:
  mov %eax, (%edi)
  add $8, %edi
  add $0x200000, %eax
  loop 1b
  mov %cr4, %eax
  or $0x20, %eax /* PAE */
  mov %eax, %cr4
  mov $host_pml4, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx /* EFER */
  rdmsr
  or $0x901, %eax /* NXE, LME, SCE */
  wrmsr
  mov $0x80000031, %eax /* PG, NE, ET, PE */
  mov %eax, %cr0
  lgdtl gdt_pointer
  ljmpl $CODE64, $long_mode

  .code64
long_mode:
  mov $stack_top, %rsp
  call rom_main
1:
  hlt
  jmp 1b

  .balign 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff /* CODE32 */
  .quad 0x00cf93000000ffff /* DATA */
  .quad 0x00af9b000000ffff /* CODE64 */
gdt_pointer:
  .short gdt_pointer - gdt - 1
  .long gdt
gdt_in_rom:
  .short gdt_pointer - gdt - 1
  .long ROM + gdt - rom_start

  .bss
  .balign 4096
host_pml4:
  .skip 4096
host_pdpt:
  .skip 4096
host_pd: /* one for each of the first 4 GB */
  .skip 4 * 4096
  .skip 16384
stack_top:
  .section .note.GNU-stack, "", @progbits
