/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MMU over the tables of tables.h: both have the same registers, the MMU reads its descriptors
 * from the tables' memory, and every access to it is logged. Something can be made to happen in the
 * middle of a walk: before a given access, `meanwhile` is called once.
 */
#ifndef NW_TESTS_SUPPORT_MMU_RIG_H
#define NW_TESTS_SUPPORT_MMU_RIG_H

#include <nestwalk/mmu.h>

#include "support/tables.h"

#define RIG_LOG 256
#define RIG_READ_CYCLES 10 /* what each descriptor access costs */

struct rig_access {
  bool update; /* else a read */
  uint64_t pa;
  uint64_t old_value, new_value; /* of an update: asked for */
  bool swapped;
};

struct rig {
  struct tables *tables;
  struct nw_mmu *mmu;
  struct nw_memory memory;
  struct nw_result result; /* of the translation made last */

  struct rig_access log[RIG_LOG]; /* its descriptor accesses */
  unsigned accesses;
  unsigned plain_updates; /* made by the last rig_plain_walk() */

  int abort_at;     /* number of the access (from 0) that aborts, or -1 */
  int meanwhile_at; /* number of the access before which `meanwhile` is called, or -1 */
  void (*meanwhile)(struct rig *rig);
};

/** No TLB, no cache, one walker, free steps: to be completed. */
struct nw_mmu_config rig_bare(enum nw_regime_kind kind);
/** Level-1 TLBs of 32 entries, a level 2 of 128 in 4 ways, both caches of 16 entries, LRU. */
struct nw_mmu_config rig_full(enum nw_regime_kind kind);
/** A fully associative LRU structure. */
struct nw_tlb_config rig_cam(uint32_t entries);

/** An MMU with stage 1 on, and stage 2 where there is one, as tables_new() has them. Free it. */
struct rig *rig_new(const struct nw_mmu_config *config);
void rig_free(struct rig *rig);

/** Writes a register of the MMU and of the tables' regime. */
void rig_register(struct rig *rig, unsigned reg, uint64_t value);
/** CONTEXTIDR, TTBR0 or CR3 with the tables' own root; nothing is invalidated. */
void rig_asid(struct rig *rig, unsigned asid);
/** VTTBR with the tables' own root; VPID. */
void rig_vmid(struct rig *rig, unsigned vmid);

/** Maps a VA to RIG_IPA + its low 30 bits and, with stage 2 on, that to PA = IPA + TABLES_OFFSET:
 * 4 KB by a 4 KB page of stage 2, more than that by one of 2 MB (so keep them 2 MB apart). */
#define RIG_IPA 0x80000000ull
void rig_map(struct rig *rig, uint64_t va, unsigned page_log2, unsigned rights);
/** PA that rig_map() gave a VA. */
uint64_t rig_pa(const struct rig *rig, uint64_t va);

/** One translation; the outcome is in `result`, what it accessed in `log`. */
bool rig_translate(struct rig *rig, enum nw_access access, enum nw_privilege privilege,
                   uint64_t va);
bool rig_read(struct rig *rig, uint64_t va);    /* privileged */
bool rig_write(struct rig *rig, uint64_t va);   /* privileged */
bool rig_execute(struct rig *rig, uint64_t va); /* privileged */
/** True when a debug request finds the page in a TLB. */
bool rig_holds(struct rig *rig, enum nw_access access, uint64_t va);

/** The statistics' sums, as nestwalk/mmu.h promises them. Fails the test where one is off. */
void rig_expect_sums(const struct nw_mmu_statistics *statistics);

/** The same translation or the same fault; cycles, reads and source may differ, and whether a write
 * has still to set a dirty flag, which another walk may have done since. */
bool rig_same_outcome(const struct nw_result *a, const struct nw_result *b);
/** The same in every field. */
bool rig_same_result(const struct nw_result *a, const struct nw_result *b);

/** The walk without TLBs and caches, by the MMU's registers of now; flags are updated unless
 * `request` is a debug one, and counted in `plain_updates`. */
struct nw_result rig_plain_walk(struct rig *rig, const struct nw_request *request);

/** Seed of a random test: NW_SEED, or `fallback`; printed. Never 0. */
uint64_t rig_seed(const char *test, uint64_t fallback);
/** A number below `bound`. */
unsigned rig_below(uint64_t *state, unsigned bound);

#endif
