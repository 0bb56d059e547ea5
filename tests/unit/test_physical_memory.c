/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse memory and the frames that it is handed out in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/random.h"
#include "system/frame_allocator.h"
#include "system/physical_memory.h"

#define GIB (UINT64_C(1) << 30)

static void memory_that_was_never_written_reads_as_zero_and_costs_nothing(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(1024 * GIB);
  uint64_t data = 1;
  assert_true(nw_physical_read(memory, 1024 * GIB - 8, 8, &data));
  assert_int_equal(data, 0);
  assert_true(nw_physical_write(memory, 512 * GIB, 8, 0));
  assert_int_equal(nw_physical_frames_held(memory), 0);
  nw_physical_memory_destroy(memory);
}

static void gigabytes_cost_only_the_frames_touched(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(1024 * GIB);
  for (uint64_t i = 0; i < 1024; i++)
    assert_true(nw_physical_write(memory, i * GIB + 16, 4, i + 1));
  assert_int_equal(nw_physical_frames_held(memory), 1024);
  for (uint64_t i = 0; i < 1024; i++) {
    uint64_t data;
    assert_true(nw_physical_read(memory, i * GIB + 16, 4, &data));
    assert_int_equal(data, i + 1);
  }
  nw_physical_memory_destroy(memory);
}

static void words_are_little_endian(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(GIB);
  uint64_t data;
  assert_true(nw_physical_write(memory, 4096, 8, 0x1122334455667788));
  assert_true(nw_physical_read(memory, 4096, 4, &data));
  assert_int_equal(data, 0x55667788);
  assert_true(nw_physical_read(memory, 4100, 4, &data));
  assert_int_equal(data, 0x11223344);
  assert_true(nw_physical_write(memory, 4100, 4, 0));
  assert_true(nw_physical_read(memory, 4096, 8, &data));
  assert_int_equal(data, 0x55667788);
  nw_physical_memory_destroy(memory);
}

static void there_is_no_memory_past_the_end(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(GIB);
  uint64_t data = 7;
  assert_false(nw_physical_read(memory, GIB, 4, &data));
  assert_false(nw_physical_write(memory, GIB, 4, 1));
  assert_false(nw_physical_compare_and_swap(memory, UINT64_MAX - 7, 8, 0, 1, &data));
  assert_true(nw_physical_write(memory, GIB - 4, 4, 1));
  nw_physical_memory_destroy(memory);
}

static void a_swap_is_made_only_where_the_old_value_is_there(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(GIB);
  uint64_t found, data;
  assert_true(nw_physical_write(memory, 64, 8, 5));
  assert_true(nw_physical_compare_and_swap(memory, 64, 8, 4, 9, &found));
  assert_int_equal(found, 5);
  assert_true(nw_physical_read(memory, 64, 8, &data));
  assert_int_equal(data, 5);
  assert_true(nw_physical_compare_and_swap(memory, 64, 8, 5, 9, &found));
  assert_int_equal(found, 5);
  assert_true(nw_physical_read(memory, 64, 8, &data));
  assert_int_equal(data, 9);
  nw_physical_memory_destroy(memory);
}

static void a_cleared_frame_gives_its_memory_back_alone(void **state) {
  (void)state;
  struct nw_physical_memory *memory = nw_physical_memory_create(GIB);
  uint64_t data;
  assert_true(nw_physical_write(memory, 0x1ffc, 4, 1));
  assert_true(nw_physical_write(memory, 0x2000, 4, 2));
  assert_true(nw_physical_write(memory, 0x3000, 4, 3));
  nw_physical_clear_frame(memory, 0x2ffc);
  assert_int_equal(nw_physical_frames_held(memory), 2);
  assert_true(nw_physical_read(memory, 0x2000, 4, &data));
  assert_int_equal(data, 0);
  assert_true(nw_physical_read(memory, 0x1ffc, 4, &data));
  assert_int_equal(data, 1);
  assert_true(nw_physical_read(memory, 0x3000, 4, &data));
  assert_int_equal(data, 3);
  nw_physical_memory_destroy(memory);
}

static void blocks_of_frames_are_aligned_to_their_size(void **state) {
  (void)state;
  struct nw_frames *frames = nw_frames_create(5, 3000, NW_FRAME_ORDER_2M);
  for (unsigned order = 0; order <= NW_FRAME_ORDER_2M; order++) {
    uint64_t frame;
    assert_true(nw_frames_allocate(frames, order, &frame));
    assert_int_equal(frame & ((UINT64_C(1) << order) - 1), 0);
    assert_true(nw_frames_has(frames, frame));
    assert_true(nw_frames_has(frames, frame + (UINT64_C(1) << order) - 1));
  }
  assert_false(nw_frames_has(frames, 4));
  assert_false(nw_frames_has(frames, 3005));
  nw_frames_destroy(frames);
}

static void frames_grow_together_when_they_come_back(void **state) {
  (void)state;
  struct nw_frames *frames = nw_frames_create(0, 1024, NW_FRAME_ORDER_2M);
  uint64_t first, frame;
  assert_true(nw_frames_allocate(frames, 9, &first));
  assert_true(nw_frames_allocate(frames, 9, &frame));
  assert_false(nw_frames_allocate(frames, 0, &frame));
  for (uint64_t i = 0; i < 512; i++)
    assert_true(nw_frames_drop(frames, first + (i * 77) % 512));
  assert_true(nw_frames_allocate(frames, 9, &frame));
  assert_int_equal(frame, first);
  nw_frames_destroy(frames);
}

static void a_frame_is_free_when_its_last_holder_drops_it(void **state) {
  (void)state;
  struct nw_frames *frames = nw_frames_create(0, 16, NW_FRAME_ORDER_2M);
  uint64_t frame;
  assert_true(nw_frames_allocate(frames, 0, &frame));
  nw_frames_hold(frames, frame);
  assert_int_equal(nw_frames_holders(frames, frame), 2);
  assert_false(nw_frames_drop(frames, frame));
  assert_int_equal(nw_frames_free(frames), 15);
  assert_true(nw_frames_drop(frames, frame));
  assert_int_equal(nw_frames_free(frames), 16);
  assert_int_equal(nw_frames_holders(frames, frame), 0);
  nw_frames_destroy(frames);
}

static void reserved_frames_are_never_handed_out(void **state) {
  (void)state;
  struct nw_frames *frames = nw_frames_create(3, 1000, NW_FRAME_ORDER_2M);
  bool seen[1003] = {false};
  uint64_t frame, count = 0;
  for (uint64_t i = 100; i < 140; i++)
    nw_frames_reserve(frames, i);
  nw_frames_reserve(frames, 120);
  assert_int_equal(nw_frames_free(frames), 960);
  while (nw_frames_allocate(frames, 0, &frame)) {
    assert_true(frame < 100 || frame >= 140);
    assert_false(seen[frame]);
    seen[frame] = true;
    count++;
  }
  assert_int_equal(count, 960);
  nw_frames_destroy(frames);
}

/* Against a plain map of who has what. */
static void frames_are_never_handed_out_twice(void **state) {
  (void)state;
  enum { COUNT = 700, BLOCKS = 64 };
  struct random random = random_from_seed("frames");
  struct nw_frames *frames = nw_frames_create(13, COUNT, NW_FRAME_ORDER_2M);
  bool held[COUNT + 13] = {false};
  struct {
    uint64_t frame;
    unsigned order;
    bool used;
  } block[BLOCKS] = {{0}};
  for (unsigned step = 0; step < 20000; step++) {
    unsigned i = random_below(&random, BLOCKS);
    uint64_t size = UINT64_C(1) << block[i].order;
    if (block[i].used) {
      for (uint64_t j = 0; j < size; j++) {
        assert_true(nw_frames_drop(frames, block[i].frame + j));
        held[block[i].frame + j] = false;
      }
      block[i].used = false;
      continue;
    }
    block[i].order = random_below(&random, 7);
    size = UINT64_C(1) << block[i].order;
    if (!nw_frames_allocate(frames, block[i].order, &block[i].frame))
      continue;
    block[i].used = true;
    for (uint64_t j = 0; j < size; j++) {
      assert_true(nw_frames_has(frames, block[i].frame + j));
      assert_false(held[block[i].frame + j]);
      held[block[i].frame + j] = true;
    }
  }
  uint64_t used = 0;
  for (unsigned i = 0; i < COUNT + 13; i++)
    used += held[i];
  assert_int_equal(nw_frames_free(frames), COUNT - used);
  nw_frames_destroy(frames);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_that_was_never_written_reads_as_zero_and_costs_nothing),
      cmocka_unit_test(gigabytes_cost_only_the_frames_touched),
      cmocka_unit_test(words_are_little_endian),
      cmocka_unit_test(there_is_no_memory_past_the_end),
      cmocka_unit_test(a_swap_is_made_only_where_the_old_value_is_there),
      cmocka_unit_test(a_cleared_frame_gives_its_memory_back_alone),
      cmocka_unit_test(blocks_of_frames_are_aligned_to_their_size),
      cmocka_unit_test(frames_grow_together_when_they_come_back),
      cmocka_unit_test(a_frame_is_free_when_its_last_holder_drops_it),
      cmocka_unit_test(reserved_frames_are_never_handed_out),
      cmocka_unit_test(frames_are_never_handed_out_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
