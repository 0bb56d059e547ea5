/* SPDX-License-Identifier: Apache-2.0 */
/* The guest whose accesses answer the queries. */
#ifndef NW_ORACLE_EPT_VMX_H
#define NW_ORACLE_EPT_VMX_H

#include <stdbool.h>
#include <stdint.h>

#include "../x86/program.h"

/* Where the guest's own page tables map the first 4 GB of physical memory: for the supervisor in a
 * slot of the PML4, for the user in the next one. There are two such places, so that one differs
 * from the address in question. */
#define VMX_WINDOW_SLOT(i) (256u + 64u * (i))
#define VMX_WINDOW(i) (0xffff000000000000ull | (uint64_t)VMX_WINDOW_SLOT(i) << 39)
#define VMX_USER (1ull << 39) /* from a supervisor address there to the user's */

/* What enter.S loads before it enters the guest, and rax after its exit; the order is known there. */
struct vmx_registers {
  uint64_t rax; /* what is stored; what was loaded */
  uint64_t rbx; /* the case's CR3 */
  uint64_t rcx; /* unpaged: where to go on */
  uint64_t rdx; /* the address in question */
  uint64_t rsi; /* goes to [rdi] when all of the program's own is in the TLB */
  uint64_t rdi;
  uint64_t r8;  /* PKRU, where r12 is not 0 */
  uint64_t r9;  /* paged: where to go on */
  uint64_t r10; /* RFLAGS there */
  uint64_t r12; /* CR4.PKE */
};

struct vmx_start {
  uint64_t rip, syscall;
};

struct vmx_exit {
  uint32_t reason; /* basic exit reason; VMX_ENTRY_FAILED: `error` has the VM-instruction error */
  uint32_t vector, error;
  uint64_t rip, qualification, gpa;
};

#define VMX_EXCEPTION 0u
#define VMX_VMCALL 18u
#define VMX_EPT_VIOLATION 48u
#define VMX_EPT_MISCONFIGURATION 49u
#define VMX_ENTRY_FAILED 0x10000u

/** Once, before the first query. */
void vmx_prepare(void);

/** The entry for the root of an EPT with which the guest can start. */
uint64_t vmx_own_ept_entry(void);

/** Enters the guest with the case's registers, of which CR0.PG is `paged`, but page tables of its
 * own, and stays until it exits. */
void vmx_enter(bool paged, bool user, const struct vmx_start *start,
               struct vmx_registers *registers, struct vmx_exit *exit);

#endif
