/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instruction of a guest's by VMRUN, with nested paging or without (AMD APM 2, 15.5, 15.25 and
 * appendix B). The guest is single-stepped: the debug exception that follows the instruction is
 * intercepted, and so is every other. How many levels the nested tables have, and whether NX is one
 * of their bits, is what the host's own CR4 and EFER say.
 */
#include "program.h"

#define MSR_EFER 0xc0000080u
#define MSR_VM_HSAVE_PA 0xc0010117u
#define EFER_SVME 0x1000ull

#define RFLAGS_FIXED 0x2ull
#define RFLAGS_TF 0x100ull
#define RFLAGS_AC 0x40000ull

#define EXIT_EXCEPTION 0x40u
#define EXIT_NPF 0x400u
#define VECTOR_DB 1u
#define VECTOR_GP 13u
#define VECTOR_PF 14u

/* Offsets in the VMCB. */
enum {
  INTERCEPT_EXCEPTIONS = 0x008,
  INTERCEPT_3 = 0x00c,
  INTERCEPT_4 = 0x010,
  GUEST_ASID = 0x058,
  TLB_CONTROL = 0x05c,
  EXIT_CODE = 0x070,
  EXIT_INFO_1 = 0x078,
  EXIT_INFO_2 = 0x080,
  NESTED_CONTROL = 0x090,
  NESTED_CR3 = 0x0b0,
  SEGMENT_ES = 0x400,
  SEGMENT_CS = 0x410,
  SEGMENT_SS = 0x420,
  SEGMENT_DS = 0x430,
  CPL = 0x4cb,
  SAVE_EFER = 0x4d0,
  SAVE_CR4 = 0x548,
  SAVE_CR3 = 0x550,
  SAVE_CR0 = 0x558,
  SAVE_DR7 = 0x560,
  SAVE_DR6 = 0x568,
  SAVE_RFLAGS = 0x570,
  SAVE_RIP = 0x578,
  SAVE_RAX = 0x5f8,
  SAVE_PAT = 0x668,
};

#define CODE_SEGMENT 0xa9bu /* long, readable, present; the base and the limit do not matter */
#define DATA_SEGMENT 0xc93u
#define SEGMENT_DPL3 0x60u
#define PAT_RESET 0x0007040600070406ull

extern uint8_t x86_pml4[], x86_pml5[];
void x86_paging(uint64_t cr4, uint64_t cr3);

static uint8_t vmcb[4096] __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));

#define FIELD(type, offset) (*(volatile type *)(vmcb + (offset)))

static void wrmsr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t read_cr4(void) {
  uint64_t value;
  __asm__ volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}

static void write_cr4(uint64_t value) {
  __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static void write_cr0(uint64_t value) {
  __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

void guest_prepare(void) {
  wrmsr(MSR_EFER, EFER_LME | EFER_SVME);
  wrmsr(MSR_VM_HSAVE_PA, (uintptr_t)host_save);
  __asm__ volatile("clgi");
  FIELD(uint32_t, INTERCEPT_EXCEPTIONS) = 0xffffffff;
  FIELD(uint32_t, INTERCEPT_3) = 0xffffffff;
  FIELD(uint32_t, INTERCEPT_4) = 0xffffffff;
  FIELD(uint32_t, GUEST_ASID) = 1;
  FIELD(uint8_t, TLB_CONTROL) = 1; /* everything */
  FIELD(uint64_t, SAVE_DR6) = 0xffff0ff0;
  FIELD(uint64_t, SAVE_DR7) = 0x400;
  FIELD(uint64_t, SAVE_PAT) = PAT_RESET;
}

/* The guest's controls are the host's own as well, as far as nested tables do not care: the less
 * VMRUN changes, the fewer times QEMU drops its caches. WRPKRU needs CR4.PKE for a moment. */
void guest_registers(void) {
  uint64_t levels = x86_reg[X86_HCR4] & CR4_LA57;
  uint64_t cr4 = CR4_PAE | levels | (x86_reg[X86_CR4] & (CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PKE));
  if ((read_cr4() ^ cr4) & CR4_LA57)
    x86_paging(cr4, (uintptr_t)(levels ? x86_pml5 : x86_pml4));
  write_cr4(cr4 | CR4_PKE);
  __asm__ volatile("wrpkru" : : "a"((uint32_t)x86_reg[X86_PKRU]), "c"(0), "d"(0));
  write_cr4(cr4);
  write_cr0(CR0_PE | CR0_ET | CR0_PG | (x86_reg[X86_CR0] & CR0_WP));
  wrmsr(MSR_EFER, EFER_LME | EFER_SVME | (x86_reg[X86_HEFER] & EFER_NXE));
  FIELD(uint64_t, NESTED_CONTROL) = x86_reg[X86_REGIME] == X86_REGIME_NPT;
  FIELD(uint64_t, NESTED_CR3) = x86_reg[X86_NCR3];
}

static void set_segments(bool user) {
  static const uint16_t data[] = {SEGMENT_ES, SEGMENT_SS, SEGMENT_DS};
  uint16_t dpl = user ? SEGMENT_DPL3 : 0;
  FIELD(uint64_t, SEGMENT_CS) = 8 | (uint64_t)(CODE_SEGMENT | dpl) << 16 | 0xffffffffull << 32;
  for (unsigned i = 0; i < sizeof(data) / sizeof(data[0]); i++)
    FIELD(uint64_t, data[i]) = 16 | (uint64_t)(DATA_SEGMENT | dpl) << 16 | 0xffffffffull << 32;
  FIELD(uint8_t, CPL) = user ? 3 : 0;
}

/* RBX and RCX are not in the VMCB. */
static uint64_t vmrun(uint64_t rbx, uint64_t rcx) {
  __asm__ volatile("push %%rbp\n\tvmrun\n\tpop %%rbp"
                   : "+b"(rbx), "+c"(rcx)
                   : "a"((uintptr_t)vmcb)
                   : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                     "memory", "cc");
  return rcx;
}

static enum guest_exit_kind kind_of(uint64_t code) {
  switch (code) {
  case EXIT_EXCEPTION + VECTOR_DB:
    return EXIT_STEPPED;
  case EXIT_EXCEPTION + VECTOR_PF:
    return EXIT_PAGE_FAULT;
  case EXIT_EXCEPTION + VECTOR_GP:
    return EXIT_GENERAL_FAULT;
  case EXIT_NPF:
    return EXIT_NESTED_FAULT;
  default:
    return EXIT_OTHER;
  }
}

void guest_run(const struct guest *guest, struct guest_exit *left) {
  set_segments(guest->user);
  FIELD(uint64_t, SAVE_CR0) = guest->cr0;
  FIELD(uint64_t, SAVE_CR3) = guest->cr3;
  FIELD(uint64_t, SAVE_CR4) = guest->cr4;
  FIELD(uint64_t, SAVE_EFER) = guest->efer | EFER_SVME;
  FIELD(uint64_t, SAVE_RFLAGS) = RFLAGS_FIXED | RFLAGS_TF | (guest->ac ? RFLAGS_AC : 0);
  FIELD(uint64_t, SAVE_RIP) = guest->rip;
  FIELD(uint64_t, SAVE_RAX) = guest->rax;
  left->rcx = vmrun(guest->rbx, guest->rcx);
  left->rax = FIELD(uint64_t, SAVE_RAX);
  uint64_t code = FIELD(uint64_t, EXIT_CODE);
  left->kind = kind_of(code);
  left->code = left->kind == EXIT_OTHER ? code : FIELD(uint64_t, EXIT_INFO_1);
  left->address = FIELD(uint64_t, EXIT_INFO_2);
}
