/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole machine: MMU, caches, memory, guest kernel, hypervisor and one paging mode. A driver
 * (the simulator, a test) replays a program on it: accesses and what the kernel was asked to do.
 */
#ifndef NESTWALK_SYSTEM_MACHINE_H
#define NESTWALK_SYSTEM_MACHINE_H

#include <nestwalk/nestwalk.h>

enum nw_mode {
  NW_MODE_NATIVE = 0,
  NW_MODE_NESTED,
  NW_MODE_SHADOW,
  NW_MODE_SELECTIVE,
  NW_MODE_AGILE,
  NW_MODES,
};

/* The guest kernel's tables: ARMv7's, and x86-64's of four and of five levels. */
enum nw_guest_format {
  NW_GUEST_SHORT = 0,
  NW_GUEST_LPAE,
  NW_GUEST_4_LEVEL,
  NW_GUEST_5_LEVEL,
  NW_GUEST_FORMATS,
};

/* Nested paging of x86-64 machines; ARMv7 has one kind. */
enum nw_stage2 {
  NW_STAGE2_NPT = 0, /* AMD */
  NW_STAGE2_EPT,     /* Intel */
};

enum nw_large_pages {
  NW_LARGE_NEVER = 0, /* 4 KB only */
  NW_LARGE_ALIGNED,   /* where a mapping covers a whole aligned large page */
  NW_LARGE_ALWAYS,    /* wherever an aligned large page fits in, touching the mapping's edges too
                           when the rest of the large page is unused */
};

/* Why the hypervisor was entered. */
enum nw_exit_cause {
  NW_EXIT_STAGE2_FAULT = 0,
  NW_EXIT_PTE_WRITE,
  NW_EXIT_ROOT_WRITE,
  NW_EXIT_TLB_MAINTENANCE,
  NW_EXIT_HIDDEN_FAULT,
  NW_EXIT_INJECTED_FAULT,
  NW_EXIT_PRIVILEGE_SWITCH,
  NW_EXIT_MMIO,
  NW_EXIT_HYPERCALL,
  NW_EXIT_MODE_SWITCH,
  NW_EXIT_KSM,    /* the host looks for pages to merge: no exit of the guest's, but time taken */
  NW_EXIT_POLICY, /* the hypervisor looks at the counters: should it switch? */
  NW_EXIT_CAUSES,
};

/* The shadow fault path's seven steps. */
enum nw_shadow_step {
  NW_SHADOW_GUEST_WALK = 0,    /* walk the guest's table */
  NW_SHADOW_GUEST_PERMISSIONS, /* judge the guest's permissions */
  NW_SHADOW_SLOT,              /* MMIO, or find the memory slot: IPA to host virtual address */
  NW_SHADOW_HOST_WALK,         /* walk the host's own table */
  NW_SHADOW_HOST_PERMISSIONS,  /* judge the host's permissions */
  NW_SHADOW_ESTABLISH,         /* write the shadow entry and keep it consistent */
  NW_SHADOW_INVALIDATE,        /* invalidate the TLB entry */
  NW_SHADOW_STEPS,
};

enum nw_shadow_sync {
  NW_SHADOW_DROP = 0, /* a guest table write drops the shadow entries made from it */
  NW_SHADOW_UPDATE,   /* ... rewrites them at once where the guest entry stays valid */
};

#define NW_SHADOW_MEMORY_LEAST (UINT64_C(128) << 10)
#define NW_PARAVIRTUAL_BATCH 256 /* updates at most in one hypercall */

/* Shadow paging and its optimisations, each of which works alone and with all others. */
struct nw_shadow_config {
  enum nw_shadow_sync sync;
  uint32_t steps[NW_SHADOW_STEPS]; /* cycles of each step, on top of its memory references */
  uint64_t memory;                 /* bytes that shadow tables may take; 0: no limit */
  uint32_t flood; /* stores in a row to a table without use that unshadow it; 0: never */
  uint32_t paravirtual_batch; /* updates in one hypercall */
  uint32_t prefetch;          /* neighbours that a fault fills, each way */
  bool cache_roots;           /* tables survive the write of another root */
  bool unsync;                /* tables of the last level may be written between maintenance */
  bool direct_faults;         /* faults on what the guest does not map need no exit */
  bool paravirtual;           /* the guest tells of its stores instead of being trapped */
  bool large_pages;           /* leaves as large as guest page and host page */
};

enum nw_choice {
  NW_CHOICE_THRESHOLD = 0, /* by the overhead of the moment */
  NW_CHOICE_BREAK_EVEN,    /* by what the other paging would have saved */
};

enum nw_selective_start {
  NW_START_AUTO = 0, /* as the policy has it: thresholds shadow, break-even nested */
  NW_START_SHADOW,
  NW_START_NESTED,
};

struct nw_selective_config {
  enum nw_choice policy;
  enum nw_selective_start start;
  uint64_t interval; /* cycles from one look at the counters to the next; 0: a second */
  uint64_t holdoff;  /* cycles without one after a switch; 0: two intervals */
  double scale;      /* of both; 0: so that a run whose length is known has NW_INTERVALS of them */
  double high, low;  /* thresholds, percent */
  uint32_t counter;  /* where the counter of thresholds passed saturates */
  bool keep_tables;  /* shadow tables outlive nested paging, and are compared at the return */
  bool fill;         /* a switch to shadow paging fills the running program's tables at once */
};

struct nw_agile_config {
  uint32_t writes;   /* stores to a guest table in one interval that make it nested */
  uint64_t interval; /* cycles from one look at the tables to the next; 0: a second */
  double scale;      /* as above */
};

#define NW_INTERVALS 256
#define NW_PCIDS 64 /* at most */

/* Kernel same-page merging in the host. */
struct nw_ksm_config {
  uint32_t pages;                                   /* scanned in each interval; 0: off */
  uint32_t max_sharers;                             /* of one host frame */
  uint64_t interval;                                /* cycles; 0: 20 ms */
  uint32_t scan_cycles, merge_cycles, break_cycles; /* for each page */
};

struct nw_mmio_range {
  uint64_t base, size; /* guest physical, bytes, multiples of 4 KB */
};

#define NW_MMIO_RANGES 8

struct nw_hypervisor_config {
  uint32_t trap;                    /* cycles: the bare exception and its return */
  uint32_t world_switch;            /* cycles: saving and restoring state */
  uint32_t handler[NW_EXIT_CAUSES]; /* cycles: the hypervisor's own work, by cause */
  bool stage2_large;                /* 2 MB stage-2 blocks where possible, else 4 KB */
  bool stage2_huge;                 /* x86-64: 1 GB ones, too */
  enum nw_stage2 stage2;            /* x86-64 */
  uint8_t stage2_levels;            /* x86-64: of stage-2 tables, 4 (or 0) or 5 */
  bool ept_flags;                   /* EPT has accessed and dirty flags */
  bool pf_filter; /* faults can be filtered by what the table entry says (x86: VMX) */
  struct nw_shadow_config shadow;
  struct nw_ksm_config ksm;
  struct nw_selective_config selective;
  struct nw_agile_config agile;
  struct nw_mmio_range mmio[NW_MMIO_RANGES];
  uint32_t mmio_ranges;
  uint64_t memory; /* bytes of host memory; 0: enough for the guest and its tables */
};

struct nw_guest_config {
  uint64_t memory; /* bytes of guest physical memory */
  enum nw_large_pages large_pages;
  uint64_t quantum;  /* instructions between context switches of runnable processes; 0: never */
  bool deprivileged; /* shadow mode: the guest kernel runs in user mode (all of ARMv7) */
  uint32_t pcids;    /* x86-64: that the kernel gives to processes; 0: CR4.PCIDE is clear */
  /* cycles of the guest kernel's own work, outside of what translation costs it */
  uint32_t fault_cycles, syscall_cycles, switch_cycles, pte_write_cycles, page_clear_cycles,
      page_copy_cycles;
};

/* Somebody who wants to see what goes on in the MMU, from the first access on. */
struct nw_machine_watch {
  void *context;
  void (*made)(void *context, struct nw_mmu *mmu); /* NULL: nobody */
};

struct nw_machine_config {
  char name[64];
  enum nw_guest_format format;
  uint32_t clock_mhz;
  double base_cpi;          /* cycles per instruction with a perfect memory and no translation */
  struct nw_mmu_config mmu; /* `regime` is set by the machine from `format`, `stage2` and mode */
  struct nw_hierarchy_config memory;
  bool program_accesses; /* the program's own references go through the caches, too */
  struct nw_hypervisor_config hypervisor;
  struct nw_guest_config guest;
  uint64_t seed;
  struct nw_machine_watch watch; /* not in any file */
};

struct nw_machine_statistics {
  uint64_t references, instructions; /* a reference is an instruction fetch, a load or a store */
  uint64_t page_faults, pte_writes, context_switches, syscalls;
  uint64_t exits[NW_EXIT_CAUSES];
  uint64_t exit_cycles[NW_EXIT_CAUSES]; /* trap + world_switch + handler + steps and references */
  uint64_t shadow_steps[NW_SHADOW_STEPS];
  uint64_t shadow_step_cycles[NW_SHADOW_STEPS];
  uint64_t shadow_pages, shadow_bytes;              /* held now */
  uint64_t shadow_bytes_peak, shadow_bytes_average; /* the average is over cycles */
  uint64_t shadow_cached_hits;    /* root writes that found the new root's tables */
  uint64_t shadow_evictions;      /* tables evicted for want of memory */
  uint64_t shadow_unshadowed;     /* tables given up because they were written too often */
  uint64_t shadow_unsyncs;        /* tables that the guest was let write */
  uint64_t shadow_resyncs;        /* and that were brought up to date later, */
  uint64_t shadow_resync_entries; /* entries that were compared for that */
  uint64_t shadow_prefetched, shadow_prefetch_used; /* leaves */
  uint64_t shadow_direct_faults;                    /* guest faults that needed no exit */
  uint64_t shadow_hypercalls, shadow_hypercall_updates;
  uint64_t shadow_rmap_walks;                     /* lists of a frame's leaves that were followed */
  uint64_t ksm_scanned, ksm_merged, ksm_broken;   /* pages */
  uint64_t ksm_bytes_saved, ksm_bytes_saved_peak; /* of host memory, now and at most */
  uint64_t ksm_cycles;                            /* of scanning, merging and breaking */
  uint64_t selective_switches;
  uint64_t selective_cycles_nested, selective_cycles_shadow; /* spent under each */
  double selective_scale;
  uint64_t agile_switches;                   /* of the virtual machine, to agile walks and back */
  uint64_t agile_to_nested, agile_to_shadow; /* guest tables */
  double agile_scale;
  /* cycles by cause; the machine's total is their sum */
  uint64_t cycles_base, cycles_memory, cycles_translation, cycles_guest_kernel, cycles_exits;
};

enum nw_machine_status {
  NW_MACHINE_OK = 0,
  NW_MACHINE_OUT_OF_GUEST_MEMORY, /* the guest has no frame left: guest.memory is too small */
  NW_MACHINE_OUT_OF_HOST_MEMORY,
  NW_MACHINE_BAD_ADDRESS, /* an address or length outside the guest's user space */
  NW_MACHINE_BAD_PROCESS, /* no such process, or none is running */
  NW_MACHINE_NO_PROGRESS, /* an access faults again and again: a table contradicts itself */
};

/* protection of a mapping */
#define NW_PROT_READ 1u
#define NW_PROT_WRITE 2u
#define NW_PROT_EXEC 4u

typedef uint32_t nw_process_id; /* 0 is never a process */

struct nw_machine; /* opaque */

/** Builds a machine with nothing running; NULL with a sentence in `error` if that is impossible. */
struct nw_machine *nw_machine_create(const struct nw_machine_config *config, enum nw_mode mode,
                                     char *error, size_t error_size);
void nw_machine_destroy(struct nw_machine *machine);

/** Says how many instructions are coming: a hypervisor that looks at its counters at intervals takes
 * ones that suit the run. To be called before the first access, if at all. */
void nw_machine_expect(struct nw_machine *machine, uint64_t instructions);

/** Creates an empty process (no mappings); 0 when the machine is out of something. */
nw_process_id nw_machine_spawn(struct nw_machine *machine);
/** Copies `parent` copy-on-write; with `share` the child is a thread in the same address space. */
nw_process_id nw_machine_fork(struct nw_machine *machine, nw_process_id parent, bool share);
/** Context switch: root and ASID are written as a kernel does. No cost when already running. */
enum nw_machine_status nw_machine_switch(struct nw_machine *machine, nw_process_id process);
/** Ends a process, the running one or not; its address space goes when the last thread ends. */
enum nw_machine_status nw_machine_exit(struct nw_machine *machine, nw_process_id process);

/* What the running process asks of its kernel. Addresses and lengths in bytes, page-aligned by the
 * callee outwards. Pages come on first touch. The cost of the system call itself is
 * nw_machine_syscall(), called once for each in the trace. */
enum nw_machine_status nw_machine_exec(struct nw_machine *machine); /* drops all mappings */
enum nw_machine_status nw_machine_map(struct nw_machine *machine, uint64_t va, uint64_t length,
                                      unsigned protection, bool shared);
/** Maps guest physical addresses from `ipa`, a device's as a rule, readable and writable. */
enum nw_machine_status nw_machine_map_device(struct nw_machine *machine, uint64_t va,
                                             uint64_t length, uint64_t ipa);
enum nw_machine_status nw_machine_unmap(struct nw_machine *machine, uint64_t va, uint64_t length);
enum nw_machine_status nw_machine_protect(struct nw_machine *machine, uint64_t va, uint64_t length,
                                          unsigned protection);
enum nw_machine_status nw_machine_remap(struct nw_machine *machine, uint64_t old_va,
                                        uint64_t old_length, uint64_t new_va, uint64_t new_length);
/**
 * The pages of a range of the running process hold the data that `tag` names (0: zeros), from its
 * page `first` on: what the same pages of that data hold anywhere else, until they are stored to.
 * Pages that are not there yet get it as they come, as those of a mapped file do; the range is a
 * mapping of its own from then on.
 */
enum nw_machine_status nw_machine_set_content(struct nw_machine *machine, uint64_t va,
                                              uint64_t length, uint64_t tag, uint64_t first);
enum nw_machine_status nw_machine_syscall(struct nw_machine *machine);

/**
 * The hot path: `count` instruction fetches in one page from `va`, or (`count` 1) one load or store
 * of the running process. Faults are handled by the kernel and the hypervisor until the access
 * succeeds. An access outside every mapping gets a page mapped read-write-execute on demand (a
 * trace need not tell every mapping) and is counted in the guest's page faults.
 */
enum nw_machine_status nw_machine_access(struct nw_machine *machine, enum nw_access access,
                                         uint64_t va, uint32_t count);

const struct nw_machine_statistics *nw_machine_statistics(const struct nw_machine *machine);
const struct nw_mmu_statistics *nw_machine_mmu_statistics(const struct nw_machine *machine);
const struct nw_hierarchy *nw_machine_hierarchy(const struct nw_machine *machine);

/** The running process's translation of `va` as the mode's hardware walk gives it, without changing
 * anything: for tests, and for explaining one reference. */
bool nw_machine_debug_translate(struct nw_machine *machine, uint64_t va, enum nw_access access,
                                enum nw_privilege privilege, struct nw_result *result);

#endif
