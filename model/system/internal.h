/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a machine share: hardware below, guest kernel and hypervisor above. Everything
 * that the guest does to the hardware goes through the functions at the end.
 */
#ifndef NESTWALK_SYSTEM_INTERNAL_H
#define NESTWALK_SYSTEM_INTERNAL_H

#include "system/gauge.h"
#include "system/machine.h"
#include "system/mode.h"
#include "system/physical_memory.h"

struct nw_guest_kernel;
struct nw_hypervisor;
struct nw_ksm;
struct nw_chooser;
struct nw_guest_layout;
struct nw_software_architecture;

struct nw_machine {
  struct nw_mmu *mmu;
  struct nw_hierarchy *hierarchy;
  struct nw_physical_memory *memory; /* of the host; natively the guest's own */
  struct nw_memory walker;           /* what the MMU reads descriptors through */
  struct nw_machine_statistics *statistics;
  uint64_t user_end;        /* the program's addresses are those below */
  uint32_t line;            /* bytes of the nearest cache's line */
  uint8_t kernel_privilege; /* of the guest kernel's requests, as the hardware sees them */
  bool program_accesses;
  bool watched;     /* something is to be done after an access: caches, content */
  bool running;     /* a process is */
  bool due;         /* the chooser is, before the next operation */
  bool undisturbed; /* running and not due: all that the hot path asks */

  enum nw_machine_status status; /* of the operation under way; the first failure stays */
  const struct nw_paging_mode *mode;
  const struct nw_guest_layout *layout;
  const struct nw_software_architecture *software;
  struct nw_guest_kernel *kernel;
  struct nw_hypervisor *hypervisor; /* NULL natively */
  void *mode_state;
  struct nw_chooser *chooser;         /* between ways of paging; NULL: there is nothing to choose */
  struct nw_regime guest_regime;      /* the registers as the guest wrote them */
  struct nw_fault guest_fault;        /* the last fault of the guest's own, as it sees it */
  uint64_t fault_trail;               /* of all faults that the guest has got: a hash, for tests */
  struct nw_paravirtual *paravirtual; /* what the guest has yet to announce; NULL: it need not */
  struct nw_gauge shadow_bytes;
  struct nw_ksm *ksm;         /* NULL: the host merges nothing */
  struct nw_overlap *overlap; /* NULL: the core waits for each walk */
  enum nw_mode mode_kind;
  struct nw_machine_config config;
};

/** Notes a failure; returns false for the convenience of the caller. */
bool nw_machine_fail(struct nw_machine *machine, enum nw_machine_status status);

/** Host address of guest physical `ipa`; false when nothing backs it (yet). Costs nothing. */
bool nw_machine_guest_address(const struct nw_machine *machine, uint64_t ipa, uint64_t *pa);

/** A process runs from now on, or none; the chooser is due, or is not. */
void nw_machine_set_running(struct nw_machine *machine, bool running);
void nw_machine_set_due(struct nw_machine *machine, bool due);

/** True where a device is: guest physical addresses whose accesses a hypervisor emulates. */
bool nw_machine_is_mmio(const struct nw_machine *machine, uint64_t ipa);

/** Cycles simulated so far. */
uint64_t nw_machine_cycles(const struct nw_machine *machine);

/** The guest kernel writes or reads a register, or invalidates TLB entries. */
void nw_machine_write_register(struct nw_machine *machine, unsigned reg, uint64_t value);
uint64_t nw_machine_read_register(const struct nw_machine *machine, unsigned reg);
void nw_machine_invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand);

/** The guest kernel loads from, or stores to, kernel address `va`. A store's value ends up in
 * memory, whoever puts it there. */
bool nw_machine_kernel_load(struct nw_machine *machine, uint64_t va);
bool nw_machine_kernel_store(struct nw_machine *machine, uint64_t va, const struct nw_store *store);

/** Cycles that the guest kernel itself has worked. */
static inline void nw_machine_kernel_works(struct nw_machine *machine, uint32_t cycles) {
  machine->statistics->cycles_guest_kernel += cycles;
}

/** Walks as the hardware would, without TLBs, time or statistics. */
bool nw_machine_walk(struct nw_machine *machine, const struct nw_regime *regime,
                     const struct nw_request *request, enum nw_scope scope,
                     struct nw_result *result);

/**
 * Lets the mode mend whatever keeps an access from being translated, without delivering a fault of
 * the guest's own. Returns NW_OUTCOME_RETRY when the hardware translates it now.
 */
enum nw_fault_outcome nw_machine_resolve(struct nw_machine *machine,
                                         const struct nw_request *request);

/** Writes a sentence into `error`, at most `size` bytes; returns false. */
bool nw_machine_error(char *error, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
