/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest: one VMCS, prepared once, of which a query changes what differs. Fields and controls
 * are named as in the SDM, volume 3, appendix B and chapter 24.
 *
 * The guest starts with page tables and, at the root of the case's EPT, an entry of the program's
 * own, and restores the case's when its code is in the TLB (enter.S). So even where a case maps
 * nothing that could be executed, an instruction can make the access in question.
 */
#include "vmx.h"

#include "rom.h"

/* -- MSRs --------------------------------------------------------------------------------------- */

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_PROCBASED_CTLS2 0x48b
#define MSR_VMX_TRUE_PINBASED_CTLS 0x48d
#define MSR_VMX_TRUE_PROCBASED_CTLS 0x48e
#define MSR_VMX_TRUE_EXIT_CTLS 0x48f
#define MSR_VMX_TRUE_ENTRY_CTLS 0x490
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084

/* -- VMCS fields -------------------------------------------------------------------------------- */

enum vmcs_field {
  GUEST_ES_SELECTOR = 0x0800, /* CS, SS, DS, FS, GS, LDTR, TR follow at steps of 2 */
  HOST_ES_SELECTOR = 0x0c00,  /* CS, SS, DS, FS, GS, TR */
  EPT_POINTER = 0x201a,
  GUEST_PHYSICAL_ADDRESS = 0x2400,
  VMCS_LINK_POINTER = 0x2800,
  GUEST_EFER = 0x2806,
  HOST_EFER = 0x2c02,
  PIN_CONTROLS = 0x4000,
  PRIMARY_CONTROLS = 0x4002,
  EXCEPTION_BITMAP = 0x4004,
  EXIT_CONTROLS = 0x400c,
  ENTRY_CONTROLS = 0x4012,
  SECONDARY_CONTROLS = 0x401e,
  VM_INSTRUCTION_ERROR = 0x4400,
  EXIT_REASON = 0x4402,
  EXIT_INTERRUPTION = 0x4404,
  EXIT_INTERRUPTION_ERROR = 0x4406,
  GUEST_ES_LIMIT = 0x4800,
  GUEST_GDTR_LIMIT = 0x4810,
  GUEST_IDTR_LIMIT = 0x4812,
  GUEST_ES_RIGHTS = 0x4814,
  CR0_MASK = 0x6000,
  CR4_MASK = 0x6002,
  EXIT_QUALIFICATION = 0x6400,
  GUEST_CR0 = 0x6800,
  GUEST_CR3 = 0x6802,
  GUEST_CR4 = 0x6804,
  GUEST_DR7 = 0x681a,
  GUEST_RIP = 0x681e,
  GUEST_RFLAGS = 0x6820,
  HOST_CR0 = 0x6c00,
  HOST_CR3 = 0x6c02,
  HOST_CR4 = 0x6c04,
  HOST_TR_BASE = 0x6c0a,
  HOST_RIP = 0x6c16,
};

enum segment { ES, CS, SS, DS, FS, GS, LDTR, TR, SEGMENTS };

/* -- controls ----------------------------------------------------------------------------------- */

#define PRIMARY_SECONDARY (1u << 31)
#define SECONDARY_EPT (1u << 1)
#define SECONDARY_UNRESTRICTED (1u << 7)
#define EXIT_HOST_64 (1u << 9)
#define EXIT_LOAD_EFER (1u << 21)
#define ENTRY_IA32E (1u << 9)
#define ENTRY_LOAD_EFER (1u << 15)

#define RIGHTS_UNUSABLE 0x10000u
#define RIGHTS_DATA 0xc093u
#define RIGHTS_CODE32 0xc09bu
#define RIGHTS_CODE64 0xa09bu
#define RIGHTS_BUSY_TSS 0x8bu
#define RIGHTS_DPL3 0x60u

#define HOST_CODE 0x18
#define HOST_DATA 0x10
#define SELECTOR 0x08 /* of any guest segment: never loaded from a table */

#define CR0_NE (1ull << 5)
#define CR4_VMXE (1ull << 13)
#define CR4_PCIDE (1ull << 17)
#define EFER_SCE (1ull << 0)
#define RFLAGS_ONE 2u
#define RFLAGS_AC (1u << 18)

extern bool vmx_run(struct vmx_registers *registers, bool launched);
extern char vmx_exited[];

/* Tables that map the first 4 GB to themselves, by pages of 2 MB, which every model has. */
struct flat {
  uint64_t pdpt[512], pd[4][512];
} __attribute__((aligned(4096)));

static uint8_t vmxon_region[PAGE] __attribute__((aligned(4096)));
static uint8_t vmcs[PAGE] __attribute__((aligned(4096)));

/* What the guest starts with: page tables, and EPT where the case has it. */
static uint64_t own_pml4[512] __attribute__((aligned(4096)));
static struct flat own_supervisor, own_user, own_ept;
static bool has_keys;
static bool launched;

/* -- instructions ------------------------------------------------------------------------------- */

static void check(bool failed, const char *what) {
  if (failed)
    rom_fail(what);
}

static void vmwrite(uint64_t field, uint64_t value) {
  bool failed;
  __asm__ volatile("vmwrite %2, %1" : "=@ccbe"(failed) : "r"(field), "r"(value) : "memory");
  check(failed, "VMWRITE failed");
}

static uint64_t vmread(uint64_t field) {
  uint64_t value;
  __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
  return value;
}

static void invalidate_ept(void) {
  const uint64_t descriptor[2] = {0, 0};
  bool failed;
  __asm__ volatile("invept %1, %2"
                   : "=@ccbe"(failed)
                   : "m"(descriptor), "r"((uint64_t)2) /* all contexts */
                   : "memory");
  check(failed, "INVEPT failed");
}

static void write_pkru(uint32_t value) {
  __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0));
}

static bool model_has_keys(void) {
  uint32_t a = 7, b, c = 0, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return c >> 3 & 1;
}

static uint64_t read_cr0(void) {
  uint64_t value;
  __asm__ volatile("mov %%cr0, %0" : "=r"(value));
  return value;
}

static uint64_t read_cr3(void) {
  uint64_t value;
  __asm__ volatile("mov %%cr3, %0" : "=r"(value));
  return value;
}

static uint64_t read_cr4(void) {
  uint64_t value;
  __asm__ volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}

/* -- once --------------------------------------------------------------------------------------- */

/* Appendix A.3: the low half of a capability MSR has the bits that must be 1, the high half those
 * that may be. */
static void write_controls(uint64_t field, uint32_t msr, uint32_t wanted) {
  uint64_t capability = read_msr(msr);
  uint32_t value = (wanted | (uint32_t)capability) & (uint32_t)(capability >> 32);
  if ((value & wanted) != wanted)
    rom_fail("this CPU model lacks a VMX control");
  vmwrite(field, value);
}

static void build_flat(struct flat *flat, uint64_t table_bits, uint64_t page_bits) {
  for (uint64_t i = 0; i < 4; i++) {
    flat->pdpt[i] = (uintptr_t)flat->pd[i] | table_bits;
    for (uint64_t j = 0; j < 512; j++)
      flat->pd[i][j] = (i << 30 | j << 21) | page_bits;
  }
}

static void build_own_tables(void) {
  build_flat(&own_supervisor, 3, 0x1e3); /* G, PS, D, A, W, P */
  build_flat(&own_user, 7, 0x1e7);       /* U as well */
  build_flat(&own_ept, 7, 0xb7);         /* large page, write-back, X, W, R */
  for (unsigned i = 0; i < 2; i++) {
    own_pml4[VMX_WINDOW_SLOT(i)] = (uintptr_t)own_supervisor.pdpt | 3;
    own_pml4[VMX_WINDOW_SLOT(i) + 1] = (uintptr_t)own_user.pdpt | 7;
  }
}

static void vmx_on(void) {
  uint64_t region = (uintptr_t)vmxon_region, current = (uintptr_t)vmcs;
  uint32_t revision = (uint32_t)read_msr(MSR_VMX_BASIC) & 0x7fffffff;
  bool failed;
  if (!(read_msr(MSR_FEATURE_CONTROL) & 1))
    write_msr(MSR_FEATURE_CONTROL, read_msr(MSR_FEATURE_CONTROL) | 5);
  __asm__ volatile("mov %0, %%cr0" : : "r"(read_cr0() | read_msr(MSR_VMX_CR0_FIXED0)));
  __asm__ volatile(
      "mov %0, %%cr4"
      :
      : "r"(read_cr4() | read_msr(MSR_VMX_CR4_FIXED0) | CR4_PGE | (has_keys ? CR4_PKE : 0)));
  *(uint32_t *)vmxon_region = revision;
  *(uint32_t *)vmcs = revision;
  __asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region) : "memory");
  check(failed, "VMXON failed");
  __asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(current) : "memory");
  check(failed, "VMCLEAR failed");
  __asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(current) : "memory");
  check(failed, "VMPTRLD failed");
}

static void write_host_state(void) {
  static const uint16_t selector[7] = {[ES] = HOST_DATA,
                                       [CS] = HOST_CODE,
                                       [SS] = HOST_DATA,
                                       [DS] = HOST_DATA,
                                       [6] = HOST_DATA /* TR: never used, but not to be 0 */};
  for (unsigned i = 0; i < 7; i++)
    vmwrite(HOST_ES_SELECTOR + 2 * i, selector[i]);
  vmwrite(HOST_CR0, read_cr0());
  vmwrite(HOST_CR3, read_cr3());
  vmwrite(HOST_CR4, read_cr4());
  vmwrite(HOST_EFER, read_msr(MSR_EFER));
  vmwrite(HOST_TR_BASE, 0);
  vmwrite(HOST_RIP, (uintptr_t)vmx_exited);
}

static void write_guest_state(void) {
  for (unsigned i = 0; i < SEGMENTS; i++) {
    vmwrite(GUEST_ES_SELECTOR + 2 * i, i == LDTR ? 0 : SELECTOR);
    vmwrite(GUEST_ES_LIMIT + 2 * i, i == TR ? 0x67 : 0xffffffff);
    vmwrite(GUEST_ES_RIGHTS + 2 * i, i == TR     ? RIGHTS_BUSY_TSS
                                     : i == LDTR ? RIGHTS_UNUSABLE
                                                 : RIGHTS_DATA);
  }
  vmwrite(GUEST_GDTR_LIMIT, 0);
  vmwrite(GUEST_IDTR_LIMIT, 0);
  vmwrite(GUEST_DR7, 0x400);
  vmwrite(VMCS_LINK_POINTER, ~0ull);
}

void vmx_prepare(void) {
  build_own_tables();
  has_keys = model_has_keys();
  vmx_on();
  write_controls(PIN_CONTROLS, MSR_VMX_TRUE_PINBASED_CTLS, 0);
  write_controls(PRIMARY_CONTROLS, MSR_VMX_TRUE_PROCBASED_CTLS, PRIMARY_SECONDARY);
  write_controls(EXIT_CONTROLS, MSR_VMX_TRUE_EXIT_CTLS, EXIT_HOST_64 | EXIT_LOAD_EFER);
  vmwrite(EXCEPTION_BITMAP, 0xffffffff);
  vmwrite(CR0_MASK, 0);
  vmwrite(CR4_MASK, 0);
  write_host_state();
  write_guest_state();
  /* SYSRET goes to selectors made of these bits; where SYSCALL goes differs by query. */
  write_msr(MSR_STAR, 0x0010000800000000);
  write_msr(MSR_FMASK, 0);
}

/* -- each query --------------------------------------------------------------------------------- */

static void write_mode(bool paged, bool user) {
  uint64_t dpl = user ? RIGHTS_DPL3 : 0;
  write_controls(SECONDARY_CONTROLS, MSR_VMX_PROCBASED_CTLS2,
                 (x86_reg[X86_EPTP] ? SECONDARY_EPT : 0) | (paged ? 0 : SECONDARY_UNRESTRICTED));
  write_controls(ENTRY_CONTROLS, MSR_VMX_TRUE_ENTRY_CTLS,
                 ENTRY_LOAD_EFER | (paged ? ENTRY_IA32E : 0));
  vmwrite(GUEST_ES_RIGHTS + 2 * CS, (paged ? RIGHTS_CODE64 : RIGHTS_CODE32) | dpl);
  vmwrite(GUEST_ES_RIGHTS + 2 * SS, RIGHTS_DATA | dpl);
  vmwrite(GUEST_ES_SELECTOR + 2 * CS, SELECTOR | (user ? 3 : 0));
  vmwrite(GUEST_ES_SELECTOR + 2 * SS, SELECTOR | (user ? 3 : 0));
}

static void write_registers(bool paged) {
  vmwrite(GUEST_CR0, (x86_reg[X86_CR0] & CR0_WP) | (paged ? CR0_PG : 0) | CR0_NE | CR0_PE);
  vmwrite(GUEST_CR3, (uintptr_t)own_pml4);
  vmwrite(GUEST_CR4, (x86_reg[X86_CR4] & (paged ? CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PCIDE : 0)) |
                         CR4_PAE | CR4_PGE | CR4_VMXE);
  vmwrite(GUEST_EFER,
          (x86_reg[X86_EFER] & EFER_NXE) | EFER_SCE | (paged ? EFER_LME | EFER_LMA : 0));
  if (x86_reg[X86_EPTP])
    vmwrite(EPT_POINTER, x86_reg[X86_EPTP]);
  vmwrite(GUEST_RFLAGS, RFLAGS_ONE | (x86_reg[X86_AC] ? RFLAGS_AC : 0));
}

static void read_exit(struct vmx_exit *exit) {
  exit->reason = (uint32_t)vmread(EXIT_REASON);
  exit->vector = (uint32_t)vmread(EXIT_INTERRUPTION) & 0xff;
  exit->error = (uint32_t)vmread(EXIT_INTERRUPTION_ERROR);
  exit->rip = vmread(GUEST_RIP);
  exit->qualification = vmread(EXIT_QUALIFICATION);
  exit->gpa = vmread(GUEST_PHYSICAL_ADDRESS);
}

uint64_t vmx_own_ept_entry(void) {
  return (uintptr_t)own_ept.pdpt | 7;
}

void vmx_enter(bool paged, bool user, const struct vmx_start *start,
               struct vmx_registers *registers, struct vmx_exit *exit) {
  write_mode(paged, user);
  write_registers(paged);
  vmwrite(GUEST_RIP, start->rip);
  write_msr(MSR_LSTAR, start->syscall);
  invalidate_ept();
  if (has_keys)
    write_pkru(0);
  registers->r8 = x86_reg[X86_PKRU];
  registers->r12 = x86_reg[X86_CR4] & CR4_PKE;
  registers->r10 = RFLAGS_ONE | (x86_reg[X86_AC] ? RFLAGS_AC : 0);
  if (vmx_run(registers, launched)) {
    launched = true;
    read_exit(exit);
  } else {
    exit->reason = VMX_ENTRY_FAILED;
    exit->error = (uint32_t)vmread(VM_INSTRUCTION_ERROR);
  }
}
