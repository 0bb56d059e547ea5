/* SPDX-License-Identifier: Apache-2.0 */
/* The builder, for every format and leaf size, checked by walking what it has built. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <nestwalk/walk.h>

#include "support/random.h"
#include "system/page_table.h"
#include "system/physical_memory.h"

/* Tables in a flat memory; a bump allocator that counts. */
struct bench {
  struct nw_physical_memory *memory;
  struct nw_regime regime;
  struct nw_page_table table;
  uint64_t next;
  unsigned tables, writes;
  unsigned refuse; /* allocations to refuse from this number on; 0: never */
};

static uint64_t read_bench(void *context, uint64_t address, unsigned size) {
  struct bench *bench = context;
  uint64_t data;
  assert_true(nw_physical_read(bench->memory, address, size, &data));
  return data;
}

static bool write_bench(void *context, uint64_t address, unsigned size, uint64_t value) {
  struct bench *bench = context;
  bench->writes++;
  return nw_physical_write(bench->memory, address, size, value);
}

static bool allocate_bench(void *context, const struct nw_page_table *table, uint8_t level,
                           uint64_t va, uint64_t *address) {
  struct bench *bench = context;
  (void)va;
  uint64_t bytes = nw_page_table_bytes(table, level);
  if (bench->refuse != 0 && bench->tables + 1 >= bench->refuse)
    return false;
  bench->next = (bench->next + bytes - 1) & ~(bytes - 1);
  *address = bench->next;
  bench->next += bytes;
  bench->tables++;
  return true;
}

static void release_bench(void *context, const struct nw_page_table *table, uint8_t level,
                          uint64_t address) {
  struct bench *bench = context;
  for (uint64_t i = 0; i < nw_page_table_bytes(table, level); i += 4)
    assert_int_equal(read_bench(bench, address + i, 4), 0);
  bench->tables--;
}

static void bench_open(struct bench *bench, enum nw_regime_kind kind) {
  *bench = (struct bench){.next = 0x100000};
  bench->memory = nw_physical_memory_create(UINT64_C(1) << 30);
  assert_true(nw_regime_init(&bench->regime, kind));
  bench->table = (struct nw_page_table){
      .format = bench->regime.s1_format,
      .regime = &bench->regime,
      .memory = {bench, read_bench, write_bench, allocate_bench, release_bench},
      .start_level = 1,
      .input_bits = 32,
  };
  assert_true(allocate_bench(bench, &bench->table, 1, 0, &bench->table.root));
  if (kind == NW_REGIME_ARMV7_LPAE)
    nw_regime_write(&bench->regime, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_regime_write(&bench->regime, NW_REG_DACR, 0x55555555);
  nw_regime_write(&bench->regime, NW_REG_TTBR0, bench->table.root);
  nw_regime_write(&bench->regime, NW_REG_SCTLR, 1);
}

static void bench_close(struct bench *bench) {
  nw_physical_memory_destroy(bench->memory);
}

/* What the hardware's walk gives. */
static struct nw_result walk(struct bench *bench, uint64_t va, enum nw_access access,
                             enum nw_privilege privilege) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = (uint8_t)privilege};
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, &bench->regime, &request, NW_SCOPE_BOTH, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {.data = read_bench(bench, step.address, step.size)};
    nw_walk_answer(&walk, &answer);
  }
  return *nw_walk_result(&walk);
}

static const struct {
  enum nw_regime_kind kind;
  uint8_t log2;
} sizes[] = {
    {NW_REGIME_ARMV7_SHORT, 12}, {NW_REGIME_ARMV7_SHORT, 16}, {NW_REGIME_ARMV7_SHORT, 20},
    {NW_REGIME_ARMV7_SHORT, 24}, {NW_REGIME_ARMV7_LPAE, 12},  {NW_REGIME_ARMV7_LPAE, 21},
    {NW_REGIME_ARMV7_LPAE, 30},
};

#define SIZES (sizeof sizes / sizeof sizes[0])

static void every_leaf_size_and_right_is_walked_as_it_was_mapped(void **state) {
  (void)state;
  for (unsigned i = 0; i < SIZES; i++) {
    for (unsigned rights = 0; rights < 8; rights++) {
      struct bench bench;
      bench_open(&bench, sizes[i].kind);
      uint64_t size = UINT64_C(1) << sizes[i].log2, va = UINT64_C(0x40000000);
      bool supersection = sizes[i].log2 == 24;
      struct nwi_leaf leaf = {.output = 0x80000000,
                              .page_log2 = sizes[i].log2,
                              .readable = true,
                              .writable = rights & 1,
                              .executable = rights & 2,
                              .user = rights & 4,
                              .domain = supersection ? 0 : 3};
      assert_true(nw_page_table_is_free(&bench.table, va, leaf.page_log2));
      assert_true(nw_page_table_map(&bench.table, va, &leaf));
      assert_false(nw_page_table_is_free(&bench.table, va, leaf.page_log2));
      for (uint64_t offset = 0; offset < size; offset += size / 16) {
        struct nw_result result = walk(&bench, va + offset, NW_READ, NW_PRIVILEGED);
        assert_int_equal(result.fault.type, NW_FAULT_NONE);
        assert_int_equal(result.pa, leaf.output + offset);
        assert_int_equal(result.page_log2, leaf.page_log2);
        assert_int_equal(walk(&bench, va + offset, NW_READ, NW_USER).fault.type == NW_FAULT_NONE,
                         leaf.user);
      }
      enum nw_privilege who = leaf.user ? NW_USER : NW_PRIVILEGED;
      assert_int_equal(walk(&bench, va, NW_WRITE, who).fault.type == NW_FAULT_NONE, leaf.writable);
      assert_int_equal(walk(&bench, va, NW_EXECUTE, who).fault.type == NW_FAULT_NONE,
                       leaf.executable);
      assert_int_equal(walk(&bench, va + size, NW_READ, who).fault.type, NW_FAULT_TRANSLATION);
      assert_int_equal(walk(&bench, va - 4, NW_READ, who).fault.type, NW_FAULT_TRANSLATION);
      bench_close(&bench);
    }
  }
}

static void a_leaf_is_found_from_each_of_its_addresses(void **state) {
  (void)state;
  for (unsigned i = 0; i < SIZES; i++) {
    struct bench bench;
    bench_open(&bench, sizes[i].kind);
    uint64_t size = UINT64_C(1) << sizes[i].log2, va = UINT64_C(0x80000000);
    struct nwi_leaf leaf = {.output = size,
                            .page_log2 = sizes[i].log2,
                            .readable = true,
                            .writable = true,
                            .user = true,
                            .domain = sizes[i].log2 < 24 ? 3 : 0},
                    seen;
    struct nw_pte first, pte;
    assert_true(nw_page_table_map(&bench.table, va, &leaf));
    nw_page_table_find(&bench.table, va, &first);
    for (uint64_t offset = 0; offset < size; offset += size / 32) {
      nw_page_table_find(&bench.table, va + offset, &pte);
      assert_int_equal(pte.meaning.kind, NW_DESCRIPTOR_LEAF);
      assert_int_equal(pte.va, va);
      assert_int_equal(pte.address, first.address);
      assert_int_equal(pte.span_log2, sizes[i].log2);
    }
    nw_page_table_leaf(&bench.table, &pte, &seen);
    assert_int_equal(seen.output, leaf.output);
    assert_true(seen.writable && seen.user && !seen.executable && !seen.global);
    assert_int_equal(seen.domain, bench.regime.has_domains ? leaf.domain : 0);
    assert_true(nw_page_table_clear(&bench.table, &pte));
    for (uint64_t offset = 0; offset < size; offset += size / 32)
      assert_int_equal(walk(&bench, va + offset, NW_READ, NW_USER).fault.type,
                       NW_FAULT_TRANSLATION);
    bench_close(&bench);
  }
}

static void a_split_leaf_translates_as_before_in_small_pages(void **state) {
  (void)state;
  static const struct {
    enum nw_regime_kind kind;
    uint8_t log2;
  } large[] = {
      {NW_REGIME_ARMV7_SHORT, 16}, {NW_REGIME_ARMV7_SHORT, 20}, {NW_REGIME_ARMV7_LPAE, 21}};
  for (unsigned i = 0; i < 3; i++) {
    struct bench bench;
    bench_open(&bench, large[i].kind);
    uint64_t size = UINT64_C(1) << large[i].log2, va = UINT64_C(0x80000000);
    struct nwi_leaf leaf = {.output = 4 * size,
                            .page_log2 = large[i].log2,
                            .readable = true,
                            .executable = true,
                            .user = true,
                            .domain = 1};
    struct nw_pte pte;
    assert_true(nw_page_table_map(&bench.table, va, &leaf));
    nw_page_table_find(&bench.table, va, &pte);
    assert_true(nw_page_table_split(&bench.table, &pte));
    for (uint64_t offset = 0; offset < size; offset += 4096) {
      struct nw_result result = walk(&bench, va + offset + 8, NW_EXECUTE, NW_USER);
      assert_int_equal(result.fault.type, NW_FAULT_NONE);
      assert_int_equal(result.pa, leaf.output + offset + 8);
      assert_int_equal(result.page_log2, 12);
      assert_int_equal(walk(&bench, va + offset, NW_WRITE, NW_USER).fault.type,
                       NW_FAULT_PERMISSION);
    }
    bench_close(&bench);
  }
}

static void pruning_releases_tables_that_serve_nothing(void **state) {
  (void)state;
  for (enum nw_regime_kind kind = NW_REGIME_ARMV7_SHORT; kind <= NW_REGIME_ARMV7_LPAE; kind++) {
    struct bench bench;
    bench_open(&bench, kind);
    struct nwi_leaf leaf = {.output = 0x1000, .page_log2 = 12, .readable = true, .user = true};
    uint64_t pages[] = {0x00001000, 0x00203000, 0x40000000, 0xbffff000};
    for (unsigned i = 0; i < 4; i++)
      assert_true(nw_page_table_map(&bench.table, pages[i], &leaf));
    assert_int_equal(bench.tables, kind == NW_REGIME_ARMV7_SHORT ? 5 : 1 + 3 + 4);
    struct nw_pte pte;
    nw_page_table_find(&bench.table, pages[1], &pte);
    assert_true(nw_page_table_clear(&bench.table, &pte));
    /* The neighbours' tables stay, and the one for 2 MB up goes. */
    assert_true(nw_page_table_prune(&bench.table, pages[1], pages[1] + 0x1000, 0x2000, pages[2]));
    assert_int_equal(bench.tables, kind == NW_REGIME_ARMV7_SHORT ? 4 : 7);
    assert_int_equal(walk(&bench, pages[0], NW_READ, NW_USER).fault.type, NW_FAULT_NONE);
    for (unsigned i = 0; i < 4; i++) {
      nw_page_table_find(&bench.table, pages[i], &pte);
      if (pte.meaning.kind == NW_DESCRIPTOR_LEAF)
        assert_true(nw_page_table_clear(&bench.table, &pte));
    }
    assert_true(nw_page_table_prune(&bench.table, 0, 0xc0000000, 0, 0xc0000000));
    assert_int_equal(bench.tables, 1);
    bench_close(&bench);
  }
}

static void a_table_that_cannot_be_allocated_leaves_the_rest_as_it_was(void **state) {
  (void)state;
  struct bench bench;
  bench_open(&bench, NW_REGIME_ARMV7_LPAE);
  struct nwi_leaf leaf = {.output = 0x200000, .page_log2 = 21, .readable = true, .user = true};
  struct nw_pte pte;
  assert_true(nw_page_table_map(&bench.table, 0, &leaf));
  bench.refuse = 1;
  leaf.page_log2 = 12;
  assert_false(nw_page_table_map(&bench.table, 0x200000, &leaf));
  nw_page_table_find(&bench.table, 0, &pte);
  assert_false(nw_page_table_split(&bench.table, &pte));
  assert_int_equal(walk(&bench, 0x1ff000, NW_READ, NW_USER).pa, 0x3ff000);
  bench_close(&bench);
}

static void mapping_one_page_writes_one_descriptor_a_level(void **state) {
  (void)state;
  struct bench bench;
  bench_open(&bench, NW_REGIME_ARMV7_LPAE);
  struct nwi_leaf leaf = {.output = 0x1000, .page_log2 = 12, .readable = true, .user = true};
  assert_true(nw_page_table_map(&bench.table, 0x5000, &leaf));
  assert_int_equal(bench.writes, 3);
  assert_true(nw_page_table_map(&bench.table, 0x6000, &leaf));
  assert_int_equal(bench.writes, 4);
  bench_close(&bench);
  bench_open(&bench, NW_REGIME_ARMV7_SHORT);
  leaf.page_log2 = 16;
  leaf.output = 0x10000;
  assert_true(nw_page_table_map(&bench.table, 0x50000, &leaf));
  assert_int_equal(bench.writes, 1 + 16);
  bench_close(&bench);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_leaf_size_and_right_is_walked_as_it_was_mapped),
      cmocka_unit_test(a_leaf_is_found_from_each_of_its_addresses),
      cmocka_unit_test(a_split_leaf_translates_as_before_in_small_pages),
      cmocka_unit_test(pruning_releases_tables_that_serve_nothing),
      cmocka_unit_test(a_table_that_cannot_be_allocated_leaves_the_rest_as_it_was),
      cmocka_unit_test(mapping_one_page_writes_one_descriptor_a_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
