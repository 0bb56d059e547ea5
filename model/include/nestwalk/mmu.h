/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: TLBs, walk caches and walkers as one resumable machine.
 *
 * Two ways to drive it. nw_mmu_translate() answers a request at once with the caller's memory
 * functions. nw_mmu_begin() / nw_mmu_next() / nw_mmu_answer() leave every descriptor access to the
 * caller, in the caller's time, with several requests in flight. Both are the same machine.
 */
#ifndef NESTWALK_MMU_H
#define NESTWALK_MMU_H

#include <nestwalk/memory_hierarchy.h>
#include <nestwalk/walk.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nw_tlb_config {
  uint32_t entries; /* 0: this level is absent */
  uint32_t ways;    /* ways == entries: fully associative, a CAM; entries / ways a power of two */
  uint32_t latency; /* cycles of a probe that hits or misses; set-associative: of each probe */
  uint8_t policy;   /* enum nw_policy */
};

struct nw_mmu_config {
  enum nw_regime_kind regime;
  struct nw_tlb_config l1i, l1d, l2;
  struct nw_tlb_config walk_cache, ipa_cache;
  /* In place of `walk_cache`, one for each level's descriptors (x86: 4 PML4E, 3 PDPTE, 2 PDE), looked
   * into at the same time: a lookup costs the slowest one's latency. entries 0: level not kept. */
  struct nw_tlb_config walk_cache_of[NW_LEVELS];
  struct nw_capabilities capabilities; /* all 0: nw_default_capabilities */
  uint32_t walkers;                    /* walks in flight, 1 to 64 */
  struct nw_walk_cycles cycles;
  uint64_t seed; /* for NW_POLICY_RANDOM */
};

/* Page sizes told apart by the statistics, smallest first. */
#define NW_PAGE_SIZES 8

struct nw_tlb_statistics {
  uint64_t accesses, hits, misses;
  uint64_t hits_by_size[NW_PAGE_SIZES];
  uint64_t misses_by_size[NW_PAGE_SIZES]; /* by the size of the entry that the miss brought */
  uint64_t misses_faulted;                /* misses that brought none */
};

#define NW_WALK_CYCLE_BUCKETS 24

struct nw_mmu_statistics {
  struct nw_tlb_statistics l1i, l1d, l2;
  uint64_t rewalks; /* hits that were denied, or clean under a write, and walked again */
  uint64_t walks, walk_cycles, walk_references;
  uint64_t walk_cycles_histogram[NW_WALK_CYCLE_BUCKETS]; /* bucket b: 2^(b-1) .. 2^b - 1; 0: 0 */
  uint64_t s1[NW_LEVELS], s2[NW_LEVELS], s2_for_s1[NW_LEVELS], s2_final;
  uint64_t updates; /* descriptor updates, tried */
  uint64_t walk_cache_lookups, walk_cache_hits;
  uint64_t ipa_cache_lookups, ipa_cache_hits;
  uint64_t faults[NW_FAULT_TYPES];
  uint64_t faults_stage2;
  uint64_t agile_walks[NW_LEVELS]; /* agile paging: by levels of the guest's own tables */
  uint64_t shared_walks; /* misses that waited for another request's walk of the same page */
};

/* The memory that nw_mmu_translate() reads descriptors from. */
struct nw_memory {
  void *context; /* handed to the functions as it is */
  /* Reads `size` (4 or 8) bytes at `pa`, little-endian, into `data`, and what that cost into
   * `cycles`. Returns false for an external abort. */
  bool (*read)(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles);
  /* Replaces `old_value` by `new_value` at `pa` in one step. Returns false for an external abort;
   * else `found` is the value that was there: the swap was made when it equals `old_value`.
   * May be NULL for regimes whose hardware never updates descriptors (ARMv7). */
  bool (*update)(void *context, uint64_t pa, unsigned size, uint64_t old_value, uint64_t new_value,
                 uint64_t *found, uint32_t *cycles);
};

/* TLB maintenance. The operand of the by-address forms is a VA in bits above 12 with the ASID in
 * bits 7:0 (DDI 0406C B4.2.2). */
enum nw_tlbi {
  NW_TLBI_ALL = 0, /* TLBIALL, TLBIALLIS: everything of the current VMID */
  NW_TLBI_MVA,     /* TLBIMVA, TLBIMVAIS: one address, one ASID, and global entries */
  NW_TLBI_ASID,    /* TLBIASID, TLBIASIDIS: one ASID (operand bits 7:0), global ones stay */
  NW_TLBI_MVAA,    /* TLBIMVAA, TLBIMVAAIS: one address, every ASID */
  NW_ITLBI_ALL,    /* ITLBIALL: instruction side; a unified level is on both sides */
  NW_ITLBI_MVA,
  NW_ITLBI_ASID,
  NW_DTLBI_ALL, /* DTLBIALL: data side */
  NW_DTLBI_MVA,
  NW_DTLBI_ASID,
  NW_TLBI_ALLNSNH, /* TLBIALLNSNH(IS): Non-secure non-Hyp, every VMID */
  NW_TLBI_ALLH,    /* TLBIALLH(IS): Hyp's own entries; there is no Hyp regime: no operation */
  NW_TLBI_MVAH,    /* TLBIMVAH(IS): likewise */
  /* x86-64 (SDM vol. 3, 4.10.4 and 29.4; APM vol. 2, 15.16). "VM" is the VPID, or AMD's ASID. */
  NW_INVLPG,             /* a VA under the current PCID and VM, and global pages */
  NW_INVPCID_ADDRESS,    /* INVPCID type 0: a VA under a PCID; global pages stay */
  NW_INVPCID_CONTEXT,    /* type 1: a PCID; global pages stay */
  NW_INVPCID_ALL,        /* type 2: everything of the VM */
  NW_INVPCID_NON_GLOBAL, /* type 3: the same but for global pages */
  NW_INVVPID_ADDRESS,    /* INVVPID type 0, INVLPGA: a VA of a VM, under every PCID */
  NW_INVVPID_CONTEXT,    /* type 1; TLB_CONTROL 3: all of a VM, of nested tables, too, on AMD */
  NW_INVVPID_ALL,        /* type 2: every VM */
  NW_INVVPID_NON_GLOBAL, /* type 3; TLB_CONTROL 7: the same but for global pages */
  NW_INVEPT,             /* INVEPT, both types: all that EPT has a part in, of every VM */
  NW_FLUSH_ALL_ASIDS,    /* TLB_CONTROL 1: everything, of every VM */
  NW_TLBIS,
};

/* Those of ARMv7 come first. */
#define NW_ARMV7_TLBIS NW_INVLPG

/* What an operation is about, where the instruction names it; the fields that it does not name are
 * ignored. */
struct nw_tlbi_operand {
  uint64_t va;
  uint16_t asid; /* PCID */
  uint16_t vmid; /* VPID or ASID */
};

struct nw_mmu; /* opaque */

/**
 * Builds an MMU in reset state. On an impossible configuration returns NULL with a sentence in
 * `error` (at most `error_size` bytes, always terminated). Free with nw_mmu_destroy(). Separate
 * MMUs may be used by separate threads; one MMU by one thread at a time.
 */
struct nw_mmu *nw_mmu_create(const struct nw_mmu_config *config, char *error, size_t error_size);
void nw_mmu_destroy(struct nw_mmu *mmu);

/** Writes a register, as nw_regime_write() does; walks in flight keep the registers they began with.
 * Writes of x86 control registers invalidate what the architecture says that they do (SDM vol. 3,
 * 4.10.4.1: CR3 without bit 63, CR0.PG, CR4.PGE, PCIDE, SMEP), and a new EPTP all that is of EPT. */
enum nw_register_status nw_mmu_write_register(struct nw_mmu *mmu, unsigned reg, uint64_t value);
/** Says how agile paging is used, like a register write: walks in flight keep what they began with.
 * False, changing nothing, when the MMU's regime has no stage 2. */
bool nw_mmu_set_agile(struct nw_mmu *mmu, enum nw_agile agile);
/** Says whether nested paging is on, likewise. False, changing nothing, for other regimes than AMD's. */
bool nw_mmu_set_nested_paging(struct nw_mmu *mmu, bool on);
/** The registers and what they mean now; valid until the MMU is destroyed. */
const struct nw_regime *nw_mmu_regime(const struct nw_mmu *mmu);

/** One TLB maintenance operation; one of another architecture than the regime's does nothing. It reaches every level, the walk cache and, for the forms that
 * are not by address or ASID, the IPA cache (x86: those that reach guest-physical mappings, SDM
 * vol. 3, 29.4.3). Walks in flight finish but install nothing. The operand is ARM's, and for x86 a VA
 * with the PCID in bits 11:0, under the current VM. */
void nw_mmu_invalidate(struct nw_mmu *mmu, enum nw_tlbi operation, uint64_t operand);
/** The same for operations that name a virtual machine, too. */
void nw_mmu_invalidate_of(struct nw_mmu *mmu, enum nw_tlbi operation,
                          const struct nw_tlbi_operand *operand);

/**
 * Translates one request to its end with the caller's memory. Returns true when there is a
 * translation, false for a fault; both in `result`. On x86-64 a page fault takes what the walk
 * cache holds of its address, so that it comes again only where memory says so (SDM vol. 3,
 * 4.10.4.1).
 */
bool nw_mmu_translate(struct nw_mmu *mmu, const struct nw_request *request,
                      const struct nw_memory *memory, struct nw_result *result);

/**
 * Translates `count` successive requests to one page, as a straight run of instructions makes them:
 * exactly what that many calls of nw_mmu_translate() do, cycles added up, but in one step where the
 * first leaves the translation in a level-1 TLB. Stops at a fault; the number of requests done
 * (the faulting one not counted) is returned.
 */
uint32_t nw_mmu_translate_run(struct nw_mmu *mmu, const struct nw_request *request, uint32_t count,
                              const struct nw_memory *memory, struct nw_result *result);

/**
 * A request in flight, the caller's memory. It must stay valid from nw_mmu_begin() until its DONE
 * step has been given. Its fields are the MMU's own.
 */
struct nw_transaction {
  struct nw_walk walk;
  struct nw_request request;
  struct nw_result result;
  uint64_t tag;
  uint64_t generation;      /* of the MMU's maintenance counter when the request began */
  uint64_t register_writes; /* of its register write counter, likewise */
  struct nw_transaction *next;
  struct nw_transaction *leader; /* whose walk this one waits for */
  uint32_t lookup_cycles;
  uint8_t state;
  bool missed;
};

/**
 * Begins a request; `tag` names it in steps and answers and must differ from those of all requests
 * in flight (returns false, beginning nothing, when it does not). The request is looked up at once; its
 * outcome comes as a DONE step of nw_mmu_next(), at once for a hit.
 */
bool nw_mmu_begin(struct nw_mmu *mmu, struct nw_transaction *transaction,
                  const struct nw_request *request, uint64_t tag);

/**
 * The next thing that any request in flight asks for: READ, UPDATE or DONE, with its tag, each given
 * once. Lookups and fills of the MMU's own caches are answered inside. For DONE, the result is in
 * the transaction. Returns false when nothing is asked until an answer comes.
 */
bool nw_mmu_next(struct nw_mmu *mmu, struct nw_step *step);

/** Answers the READ or UPDATE step of request `tag`; false when none is waiting under that tag. */
bool nw_mmu_answer(struct nw_mmu *mmu, uint64_t tag, const struct nw_answer *answer);

/** Cycles that a request whose READ or UPDATE step has been given has cost up to that step: its lookup,
 * the walker's own steps and the answers so far. The time at which the access would be made. */
uint32_t nw_transaction_cycles(const struct nw_transaction *transaction);

/** What has been counted since creation or the last reset, up to this call. Debug requests count
 * nothing. */
const struct nw_mmu_statistics *nw_mmu_statistics(struct nw_mmu *mmu);
void nw_mmu_reset_statistics(struct nw_mmu *mmu);

/** log2 of page size number `index` of the statistics (0 <= index < NW_PAGE_SIZES), 0 if unused. */
unsigned nw_page_size_log2(unsigned index);

#ifdef __cplusplus
}
#endif
#endif
