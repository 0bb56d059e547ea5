/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded translations: that watching changes nothing, that the parts sum to the whole, and that
 * each reference of the walk without caches is either made or skipped. Seeds as in test_mmu_random.
 */
#define _GNU_SOURCE /* open_memstream() */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/tell.h"
#include "support/mmu_rig.h"

#define PAGES 12
#define ROUNDS 400
#define GRID_WIDTH 100

static uint64_t va_of(unsigned page) {
  return 0x00400000ull + (uint64_t)(page / 4) * 0x200000 + (uint64_t)(page % 4) * 0x1000;
}

static struct rig *mapped_rig(const struct nw_mmu_config *config) {
  struct rig *rig = rig_new(config);
  for (unsigned page = 0; page < PAGES - 1; page++)
    rig_map(rig, va_of(page), 12, page % 5 ? MAP_ALL : MAP_READ | MAP_USER);
  return rig;
}

static void expect_parts_to_sum(const struct nw_walk_record *record) {
  uint32_t cycles = 0;
  for (unsigned i = 0; i < record->probes; i++)
    cycles += record->probe[i].cycles;
  for (unsigned i = 0; i < record->made.count; i++)
    cycles += record->made.step[i].cycles;
  if (!nw_record_tlb_hit(record))
    cycles += record->costs.begin + record->costs.done;
  assert_int_equal(record->made.lost, 0);
  assert_int_equal(cycles, record->result.cycles);
  assert_int_equal(record->references, record->result.walk_reads);
}

/* Cells by state; those read are as many as the references made, since no test here reads twice. */
static void expect_every_reference_in_the_grid(const struct nw_grid *grid) {
  const struct nw_walk_record *record = grid->record;
  unsigned read = 0, skipped = 0;
  for (unsigned c = 0; c < grid->columns; c++) {
    for (unsigned row = 0; row <= grid->rows; row++) {
      const struct nw_cell *cell =
          row < grid->rows ? &grid->column[c].stage2[row] : &grid->column[c].stage1;
      read += cell->state == NW_CELL_READ;
      skipped += cell->state == NW_CELL_SKIPPED;
      assert_int_equal(cell->by != NULL, cell->state == NW_CELL_SKIPPED);
    }
  }
  assert_int_equal(read, record->references);
  assert_int_equal(skipped, grid->skipped);
  assert_int_equal(read + skipped, record->cold.count);
}

static void expect_lines_to_fit(const struct nw_walk_record *record, const struct nw_grid *grid) {
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  nw_grid_print(out, grid);
  assert_int_equal(fclose(out), 0);
  assert_true(size > 0);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    assert_true(strlen(line) <= GRID_WIDTH);
  free(text);
  out = fopen("/dev/null", "w");
  nw_tell_walk(out, record, grid);
  fclose(out);
}

static void watch_random_traffic(enum nw_regime_kind kind, uint64_t seed) {
  struct nw_mmu_config config = rig_full(kind);
  config.cycles = (struct nw_walk_cycles){1, 2, 3, 4, 5, 6, 7};
  config.l2.latency = 8;
  struct rig *plain = mapped_rig(&config), *watched = mapped_rig(&config);
  struct nw_walk_record *record = malloc(sizeof *record);
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct nw_request request = {.va = va_of(rig_below(&seed, PAGES)) + rig_below(&seed, 4096),
                                 .access = (uint8_t)rig_below(&seed, 3),
                                 .privilege = (uint8_t)rig_below(&seed, 2)};
    struct nw_result result;
    struct nw_grid grid;
    bool done = nw_mmu_translate(plain->mmu, &request, &plain->memory, &result);
    assert_int_equal(nw_record_translation(record, watched->mmu, &request, &config.cycles,
                                           &watched->memory, &watched->memory),
                     done);
    assert_true(rig_same_result(&record->result, &result));
    expect_parts_to_sum(record);
    nw_grid_build(record, &grid);
    expect_every_reference_in_the_grid(&grid);
    expect_lines_to_fit(record, &grid);
    if (round % 50 == 49) {
      nw_mmu_invalidate(plain->mmu, NW_TLBI_ALL, 0);
      nw_mmu_invalidate(watched->mmu, NW_TLBI_ALL, 0);
    }
  }
  assert_memory_equal(nw_mmu_statistics(plain->mmu), nw_mmu_statistics(watched->mmu),
                      sizeof(struct nw_mmu_statistics));
  free(record);
  rig_free(plain);
  rig_free(watched);
}

static void watching_changes_nothing_and_misses_nothing(void **state) {
  uint64_t seed = rig_seed("test_explain", 4711);
  (void)state;
  for (int kind = 0; kind < NW_REGIMES; kind++)
    watch_random_traffic((enum nw_regime_kind)kind, seed + (uint64_t)kind);
}

/* -- one grid, cell by cell -------------------------------------------------------------------- */

struct shown {
  struct rig *rig;
  struct nw_walk_record record;
  struct nw_grid grid;
};

static void show(struct shown *shown, uint64_t va) {
  struct nw_request request = {.va = va, .access = NW_READ, .privilege = NW_PRIVILEGED};
  static const struct nw_walk_cycles free_steps = {0};
  nw_record_translation(&shown->record, shown->rig->mmu, &request, &free_steps, &shown->rig->memory,
                        &shown->rig->memory);
  nw_grid_build(&shown->record, &shown->grid);
}

static struct shown *shown_new(const struct nw_mmu_config *config) {
  struct shown *shown = malloc(sizeof *shown);
  shown->rig = mapped_rig(config);
  return shown;
}

static void shown_free(struct shown *shown) {
  rig_free(shown->rig);
  free(shown);
}

/* 3 over 3 levels: (3 + 1) (3 + 1) - 1 references, column by column. */
static void a_cold_walk_reads_down_each_column_in_turn(void **state) {
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_LPAE_S2);
  struct shown *shown = shown_new(&config);
  const struct nw_grid *grid = &shown->grid;
  unsigned order = 0;
  (void)state;
  show(shown, va_of(0));
  assert_int_equal(grid->columns, 4);
  assert_int_equal(grid->rows, 3);
  for (unsigned c = 0; c < 4; c++) {
    for (unsigned row = 0; row < 3; row++) {
      assert_int_equal(grid->column[c].stage2[row].state, NW_CELL_READ);
      assert_int_equal(grid->column[c].stage2[row].order, ++order);
      assert_int_equal(grid->column[c].stage2[row].cycles, RIG_READ_CYCLES);
    }
    if (c < 3)
      assert_int_equal(grid->column[c].stage1.order, ++order);
  }
  assert_int_equal(order, 15);
  assert_int_equal(grid->skipped, 0);
  assert_int_equal(grid->column[3].input, RIG_IPA + va_of(0));
  shown_free(shown);
}

static unsigned skipped_by(const struct nw_grid *grid, const char *by) {
  unsigned count = 0;
  for (unsigned c = 0; c < grid->columns; c++) {
    for (unsigned row = 0; row <= grid->rows; row++) {
      const struct nw_cell *cell =
          row < grid->rows ? &grid->column[c].stage2[row] : &grid->column[c].stage1;
      count += cell->by && strcmp(cell->by, by) == 0;
    }
  }
  return count;
}

/* The neighbour of a page that was walked: the walk cache has its table, the IPA cache that table's
 * page; then the page itself, from the TLB. */
static void what_was_skipped_is_credited_to_the_cache_that_saved_it(void **state) {
  struct nw_mmu_config config = rig_full(NW_REGIME_ARMV7_LPAE_S2);
  struct shown *shown = shown_new(&config);
  (void)state;
  show(shown, va_of(0));
  show(shown, va_of(1));
  assert_int_equal(skipped_by(&shown->grid, "walk cache"), 8);
  assert_int_equal(skipped_by(&shown->grid, "IPA cache"), 3);
  assert_int_equal(shown->record.references, 4);
  show(shown, va_of(1));
  assert_int_equal(skipped_by(&shown->grid, "L1D TLB"), 15);
  assert_int_equal(shown->record.references, 0);
  shown_free(shown);
}

static void the_reference_that_meets_the_fault_is_marked(void **state) {
  struct nw_mmu_config config = rig_bare(NW_REGIME_ARMV7_SHORT);
  struct shown *shown = shown_new(&config);
  (void)state;
  show(shown, va_of(PAGES - 1));
  assert_int_equal(shown->grid.columns, 3);
  assert_int_equal(shown->grid.rows, 0);
  assert_false(shown->grid.column[0].stage1.faulted);
  assert_true(shown->grid.column[1].stage1.faulted);
  assert_int_equal(shown->grid.column[2].stage1.state, NW_CELL_BLANK);
  shown_free(shown);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(watching_changes_nothing_and_misses_nothing),
      cmocka_unit_test(a_cold_walk_reads_down_each_column_in_turn),
      cmocka_unit_test(what_was_skipped_is_credited_to_the_cache_that_saved_it),
      cmocka_unit_test(the_reference_that_meets_the_fault_is_marked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
