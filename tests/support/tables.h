/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation tables for tests: a regime, a memory and builders that put descriptors where the
 * walker will look for them. Memory that nothing was written to reads as 0 (an invalid descriptor);
 * memory inside a hole aborts.
 *
 * Guest tables stand at IPAs from TABLES_IPA on. With stage 2 switched on, the IPA of a guest table
 * is mapped to IPA + TABLES_OFFSET by stage-2 pages of `s2_table_log2`, made together with the
 * table, so that a test only maps what it is about.
 */
#ifndef NW_TESTS_SUPPORT_TABLES_H
#define NW_TESTS_SUPPORT_TABLES_H

#include <nestwalk/walk.h>

#include "core/format.h"

#define TABLES_IPA 0x40000000ull     /* of the stage-1 root */
#define TABLES_OFFSET 0x100000000ull /* PA of a guest table minus its IPA, under stage 2 */
#define TABLES_S2_PA 0x200000000ull  /* of the stage-2 root */

#define ARM_REGIMES (NW_REGIME_ARMV7_LPAE_S2 + 1) /* the first ones of enum nw_regime_kind */

/* Of x86-64, what tables_new() writes and tests change. */
#define X86_CR0 0x80010001ull   /* PG, WP, PE */
#define X86_CR4 0x200a0ull      /* PAE, PGE, PCIDE */
#define X86_EFER 0x901ull       /* SCE, LME, NXE */
#define X86_EPTP_WALK_4 0x1eull /* four levels, write-back, no flags */
#define X86_EPTP_WALK_5 0x26ull
#define X86_EPTP_AD 0x40ull
#define X86_CR3_KEEP (1ull << 63)
#define X86_LA57 (1ull << 12) /* CR4, hCR4 */

#define TABLES_LOG 128
#define TABLES_BUCKETS 4096

/* Rights for tables_map(), or'ed together; 0 is read-only, privileged-only (stage 1). */
enum {
  MAP_READ = 1, /* stage 2 */
  MAP_WRITE = 2,
  MAP_EXECUTE = 4,
  MAP_USER = 8, /* stage 1 */
  MAP_DEVICE = 16,
  MAP_ALL = MAP_READ | MAP_WRITE | MAP_EXECUTE | MAP_USER,
};

/* An UPDATE step: what was asked for, and whether the swap was made. */
struct tables_update {
  uint64_t pa, old_value, new_value;
  uint8_t stage, level;
  bool swapped;
};

struct tables_page {
  struct tables_page *next;
  uint64_t number; /* PA >> 12 */
  uint8_t byte[4096];
};

struct tables {
  struct nw_regime regime;
  uint64_t next_ipa;     /* where the next guest table goes */
  uint64_t next_pa;      /* where the next stage-2 table goes */
  uint8_t s2_table_log2; /* size of the stage-2 pages that map guest tables: 12, 21 or 30 */

  /* the walk made last */
  struct nw_result result;
  struct nw_references references;
  struct nw_step log[TABLES_LOG]; /* its READ steps, */
  uint64_t read[TABLES_LOG];      /* and what was read */
  bool aborted[TABLES_LOG];
  unsigned reads;
  struct tables_update update[TABLES_LOG]; /* its UPDATE steps */
  unsigned reads_before[TABLES_LOG];       /* and how many reads came before each */
  unsigned updates;
  bool global; /* the stage-1 leaf is for every ASID */

  /* called before an UPDATE is answered, if set: another processor's write, say */
  void (*meanwhile)(struct tables *tables, const struct nw_step *step);

  struct {
    uint64_t first, last;
  } hole[8];
  unsigned holes;
  struct tables_page *page[TABLES_BUCKETS];
};

/**
 * A regime with stage 1 on, and stage 2 on if the kind has one. ARM: 40-bit IPAs starting at level 1
 * (T0SZ -8, a root of 1024 entries), every domain a client, MAIR 0 Normal and 1 Device. x86: four
 * levels in both stages, registers as X86_... above, EPT without accessed and dirty flags. Free it.
 */
struct tables *tables_new(enum nw_regime_kind kind);
void tables_free(struct tables *tables);

/** Writes a register; the test fails when the regime refuses it. */
void tables_register(struct tables *tables, unsigned reg, uint64_t value);

/** x86: five levels of tables in the stage, instead of four. Before anything is mapped there. */
void tables_five_levels(struct tables *tables, unsigned stage);

/** Memory, little-endian; `size` 4 or 8. */
void tables_put(struct tables *tables, uint64_t pa, unsigned size, uint64_t value);
uint64_t tables_get(const struct tables *tables, uint64_t pa, unsigned size);
/** From `first` to `last`, both included, there is no memory. */
void tables_hole(struct tables *tables, uint64_t first, uint64_t last);

/** PA of the guest table word at an IPA (moved by TABLES_OFFSET under stage 2). */
uint64_t tables_guest_pa(const struct tables *tables, uint64_t ipa);

/**
 * Makes the tables from the root down to `level` for `address` and puts the descriptor `raw` there.
 * Table descriptors get `domain` (short) and no limits. Returns the PA of the descriptor put.
 */
uint64_t tables_map_raw(struct tables *tables, unsigned stage, uint64_t address, unsigned level,
                        uint64_t raw, unsigned domain);

/** Maps 2^page_log2 bytes with the format's own encoder; `rights` of MAP_..., domain 0. */
void tables_map(struct tables *tables, unsigned stage, uint64_t address, uint64_t output,
                unsigned page_log2, unsigned rights);

/** PA of the descriptor of `level` for `address`, following the tables there are. */
uint64_t tables_descriptor_pa(const struct tables *tables, unsigned stage, uint64_t address,
                              unsigned level);

/** Walks; result, references and reads are left in `tables`. True when it translated. */
bool tables_walk(struct tables *tables, enum nw_scope scope, enum nw_access access,
                 enum nw_privilege privilege, uint64_t va);

/** The same with options (caches are answered "miss"). */
bool tables_walk_with(struct tables *tables, const struct nw_walk_options *options,
                      enum nw_scope scope, const struct nw_request *request);

/** What a raw descriptor of the stage means, whatever stands above it, for a read. */
struct nw_descriptor tables_decode(const struct tables *tables, unsigned stage, unsigned level,
                                   uint64_t raw);

/** The next number of a test's own generator (xorshift); the state must not be 0. */
uint64_t tables_random(uint64_t *state);

/* What a walk must have come to: fails the test, at the place where this is written. */
#define expect_ok(tables, expected_pa, expected_page_log2)                                         \
  do {                                                                                             \
    assert_int_equal((tables)->result.fault.type, NW_FAULT_NONE);                                  \
    assert_int_equal((tables)->result.pa, (expected_pa));                                          \
    assert_int_equal((tables)->result.page_log2, (expected_page_log2));                            \
  } while (0)

#define expect_fault(tables, expected_type, expected_stage, expected_level, expected_s1walk)       \
  do {                                                                                             \
    assert_int_equal((tables)->result.fault.type, (expected_type));                                \
    assert_int_equal((tables)->result.fault.stage, (expected_stage));                              \
    assert_int_equal((tables)->result.fault.level, (expected_level));                              \
    assert_int_equal((tables)->result.fault.s1walk, (expected_s1walk));                            \
  } while (0)

#endif
