/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors that share decoded chunks: who gets whose, and what is decoded again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/writer.h"

#define CHUNKS 6

static char path[] = "/tmp/test_chunk_cache.XXXXXX";
static struct nw_trace *trace;

/* A trace of several chunks, in which each word says where it is. */
static int set_up(void **state) {
  (void)state;
  struct nw_trace_header header = {
      .architecture = "armv7", .page_size = 4096, .target = "test", .recorder = "test"};
  struct nw_trace_stream stream = {.parent = NW_TRACE_NO_STREAM};
  struct nw_trace_writer *writer;
  uint32_t id;
  int file = mkstemp(path);
  if (file < 0)
    return -1;
  close(file);
  if (nw_trace_writer_open(path, &header, &writer, NULL) != NW_TRACE_OK ||
      nw_trace_writer_add_stream(writer, &stream, &id, NULL) != NW_TRACE_OK)
    return -1;
  for (uint64_t i = 0; i < (uint64_t)CHUNKS * NW_TRACE_CHUNK_WORDS; i++)
    nw_trace_write(writer, id, nw_rec_make(NW_REC_LOAD, 4, i), NULL);
  return nw_trace_writer_close(writer, 0, NULL) == NW_TRACE_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  return unlink(path);
}

static void open_shared(size_t chunks) {
  assert_int_equal(nw_trace_open(path, &trace, NULL), NW_TRACE_OK);
  assert_true(nw_trace_share_chunks(trace, chunks));
}

static const uint64_t *next(struct nw_trace_cursor *cursor) {
  const uint64_t *words;
  size_t count;
  assert_int_equal(nw_trace_next_chunk(cursor, &words, &count, NULL), NW_TRACE_OK);
  return words;
}

static void assert_chunk(const uint64_t *words, uint64_t number) {
  assert_int_equal(nw_rec_va(words[0]), number * NW_TRACE_CHUNK_WORDS);
  assert_int_equal(nw_rec_va(words[NW_TRACE_CHUNK_WORDS - 1]),
                   (number + 1) * NW_TRACE_CHUNK_WORDS - 1);
}

static void cursors_side_by_side_have_the_same_words(void **state) {
  (void)state;
  open_shared(2);
  struct nw_trace_cursor *a = nw_trace_cursor_open(trace, 0), *b = nw_trace_cursor_open(trace, 0);
  for (uint64_t i = 0; i < CHUNKS; i++) {
    const uint64_t *words = next(a);
    assert_ptr_equal(next(b), words);
    assert_chunk(words, i);
  }
  assert_null(next(a));
  assert_null(next(b));
  nw_trace_cursor_close(a);
  nw_trace_cursor_close(b);
  nw_trace_close(trace);
}

static void a_chunk_that_is_held_stays(void **state) {
  (void)state;
  open_shared(2);
  struct nw_trace_cursor *slow = nw_trace_cursor_open(trace, 0);
  struct nw_trace_cursor *fast = nw_trace_cursor_open(trace, 0);
  const uint64_t *words = next(slow);
  for (uint64_t i = 0; i < CHUNKS; i++)
    assert_chunk(next(fast), i);
  assert_chunk(words, 0);
  assert_chunk(next(slow), 1); /* has gone in the meantime, and is decoded again */
  nw_trace_cursor_close(slow);
  nw_trace_cursor_close(fast);
  nw_trace_close(trace);
}

static void a_cursor_without_a_place_decodes_for_itself(void **state) {
  (void)state;
  open_shared(1);
  struct nw_trace_cursor *a = nw_trace_cursor_open(trace, 0), *b = nw_trace_cursor_open(trace, 0);
  const uint64_t *first = next(a);
  next(b);
  const uint64_t *second = next(b);
  assert_chunk(first, 0);
  assert_chunk(second, 1);
  assert_chunk(next(a), 1);
  assert_chunk(second, 1);
  nw_trace_cursor_close(a);
  nw_trace_cursor_close(b);
  nw_trace_close(trace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cursors_side_by_side_have_the_same_words),
      cmocka_unit_test(a_chunk_that_is_held_stays),
      cmocka_unit_test(a_cursor_without_a_place_decodes_for_itself),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
