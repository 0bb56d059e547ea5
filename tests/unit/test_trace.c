/* SPDX-License-Identifier: Apache-2.0 */
/* The trace format: what is written is read back, and nothing damaged is taken for good. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/format.h"
#include "trace/spool.h"
#include "trace/trace.h"
#include "trace/writer.h"

static char folder[] = "/tmp/nestwalk-trace-XXXXXX";
static char path[64], other[64];
static uint64_t seed, random_state;

static uint64_t next_random(void) {
  random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */
  uint64_t z = random_state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static const char *const arguments[] = {"program", "with space", ""};
static const struct nw_trace_header header = {
    .architecture = "armv7",
    .page_size = 4096,
    .target = "test",
    .recorder = "test_trace",
    .time = 1234567890,
    .argc = 3,
    .argv = arguments,
};

/* The words of a stream as they were written. */
struct written {
  uint64_t *words;
  size_t count, room;
  struct nw_trace_counts counts;
};

static void remember(struct written *written, uint64_t word) {
  if (written->count == written->room) {
    written->room = written->room == 0 ? 1024 : 2 * written->room;
    written->words = realloc(written->words, written->room * sizeof word);
    assert_non_null(written->words);
  }
  written->words[written->count++] = word;
  written->counts.words++;
}

/* Writes one random record or event. */
static void write_random(struct nw_trace_writer *writer, uint32_t stream, struct written *written) {
  uint64_t r = next_random();
  uint64_t operands[NW_EVENT_OPERANDS_MAX];
  enum nw_rec_kind kind = (enum nw_rec_kind)(1 + r % 5);
  written->counts.records++;
  if (kind == NW_REC_EVENT) {
    size_t count = (r >> 8) % (NW_EVENT_OPERANDS_MAX + 1);
    enum nw_event event = (enum nw_event)(1 + (r >> 16) % 12); /* unknown ones, too */
    for (size_t i = 0; i < count; i++)
      operands[i] = next_random();
    assert_int_equal(nw_trace_write_event(writer, stream, event, operands, count, NULL), 0);
    remember(written, nw_rec_make(NW_REC_EVENT, (uint32_t)event, count));
    for (size_t i = 0; i < count; i++)
      remember(written, operands[i]);
    written->counts.events++;
    return;
  }
  uint32_t aux = kind == NW_REC_BLOCK ? 1 + (uint32_t)(r >> 8) % NW_REC_AUX_MAX : 4;
  uint64_t record = nw_rec_make(kind, aux, next_random());
  assert_int_equal(nw_trace_write(writer, stream, record, NULL), 0);
  remember(written, record);
  written->counts.instructions += kind == NW_REC_BLOCK ? aux : 0;
  written->counts.loads += kind == NW_REC_LOAD;
  written->counts.stores += kind == NW_REC_STORE;
  written->counts.syscalls += kind == NW_REC_SYSCALL;
}

#define STREAMS 4

/* Writes a trace of STREAMS streams with `records` random records in all. */
static void write_trace(size_t records, struct written written[STREAMS]) {
  struct nw_trace_writer *writer;
  struct nw_trace_error error = {0};
  memset(written, 0, STREAMS * sizeof *written);
  assert_int_equal(nw_trace_writer_open(path, &header, &writer, &error), NW_TRACE_OK);
  for (uint32_t s = 0; s < STREAMS; s++) {
    char name[16];
    snprintf(name, sizeof name, "program %u", s);
    struct nw_trace_stream stream = {.parent = s == 0 ? NW_TRACE_NO_STREAM : s - 1,
                                     .parent_word = 7 * s,
                                     .pid = 100 + s,
                                     .tid = 200 + s,
                                     .flags = s == 3 ? NW_STREAM_THREAD : 0,
                                     .program = name};
    uint32_t id;
    assert_int_equal(nw_trace_writer_add_stream(writer, &stream, &id, &error), NW_TRACE_OK);
    assert_int_equal(id, s);
  }
  for (size_t i = 0; i < records; i++) {
    uint32_t s = (uint32_t)(next_random() % (STREAMS - 1)); /* the last one stays empty */
    write_random(writer, s, &written[s]);
  }
  assert_int_equal(nw_trace_writer_close(writer, NW_TRACE_INTERRUPTED, &error), NW_TRACE_OK);
}

static void free_written(struct written written[STREAMS]) {
  for (int s = 0; s < STREAMS; s++)
    free(written[s].words);
}

static uint8_t *read_file(const char *name, size_t *size) {
  struct stat status;
  int fd = open(name, O_RDONLY);
  assert_true(fd >= 0 && fstat(fd, &status) == 0);
  *size = (size_t)status.st_size;
  uint8_t *bytes = malloc(*size + 1);
  assert_int_equal(read(fd, bytes, *size), (ssize_t)*size);
  close(fd);
  return bytes;
}

static void write_file(const char *name, const uint8_t *bytes, size_t size) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, size), (ssize_t)size);
  close(fd);
}

/* Opens and verifies a file. */
static enum nw_trace_result check_file(const char *name, struct nw_trace_error *error) {
  struct nw_trace *trace;
  memset(error, 0, sizeof *error);
  enum nw_trace_result result = nw_trace_open(name, &trace, error);
  if (result == NW_TRACE_OK)
    result = nw_trace_verify(trace, error);
  nw_trace_close(trace);
  return result;
}

static void assert_stream_is(struct nw_trace *trace, uint32_t s, const struct written *written) {
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(trace, s);
  const uint64_t *words;
  size_t count, at = 0;
  struct nw_trace_error error = {0};
  assert_non_null(cursor);
  for (;;) {
    assert_int_equal(nw_trace_next_chunk(cursor, &words, &count, &error), NW_TRACE_OK);
    if (count == 0)
      break;
    assert_true(count <= NW_TRACE_CHUNK_WORDS && count <= written->count - at);
    assert_memory_equal(words, written->words + at, count * sizeof *words);
    at += count;
  }
  assert_null(words);
  assert_int_equal(at, written->count);
  nw_trace_cursor_close(cursor);
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace *trace;
  struct nw_trace_counts sum = {0};
  struct nw_trace_error error;
  write_trace(60000, written); /* more than one chunk in each stream */
  assert_int_equal(check_file(path, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_open(path, &trace, NULL), NW_TRACE_OK);
  const struct nw_trace_header *read = nw_trace_get_header(trace);
  assert_string_equal(read->architecture, "armv7");
  assert_string_equal(read->target, "test");
  assert_string_equal(read->recorder, "test_trace");
  assert_int_equal(read->time, 1234567890);
  assert_int_equal(read->flags, NW_TRACE_INTERRUPTED);
  assert_int_equal(read->argc, 3);
  for (int i = 0; i < 3; i++)
    assert_string_equal(read->argv[i], arguments[i]);
  assert_int_equal(nw_trace_stream_count(trace), STREAMS);
  for (uint32_t s = 0; s < STREAMS; s++) {
    const struct nw_trace_stream *stream = nw_trace_get_stream(trace, s);
    assert_int_equal(stream->id, s);
    assert_int_equal(stream->parent, s == 0 ? NW_TRACE_NO_STREAM : s - 1);
    assert_int_equal(stream->parent_word, 7 * s);
    assert_int_equal(stream->pid, 100 + s);
    assert_int_equal(stream->tid, 200 + s);
    assert_int_equal(stream->flags, s == 3 ? NW_STREAM_THREAD : 0);
    assert_int_equal(stream->program[8], '0' + (int)s);
    assert_memory_equal(&stream->counts, &written[s].counts, sizeof stream->counts);
    assert_stream_is(trace, s, &written[s]);
    nw_counts_add(&sum, &stream->counts);
  }
  assert_true(nw_trace_get_stream(trace, 0)->chunks > 1);
  assert_memory_equal(nw_trace_totals(trace), &sum, sizeof sum);
  nw_trace_close(trace);
  free_written(written);
}

static void cursors_of_one_trace_do_not_disturb_each_other(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace *trace;
  const uint64_t *first, *second;
  size_t n, m;
  write_trace(60000, written);
  assert_int_equal(nw_trace_open(path, &trace, NULL), NW_TRACE_OK);
  struct nw_trace_cursor *a = nw_trace_cursor_open(trace, 0);
  struct nw_trace_cursor *b = nw_trace_cursor_open(trace, 1);
  assert_int_equal(nw_trace_next_chunk(a, &first, &n, NULL), NW_TRACE_OK);
  assert_int_equal(nw_trace_next_chunk(b, &second, &m, NULL), NW_TRACE_OK);
  assert_memory_equal(first, written[0].words, n * sizeof *first);
  assert_memory_equal(second, written[1].words, m * sizeof *second);
  assert_null(nw_trace_cursor_open(trace, STREAMS));
  nw_trace_cursor_close(a);
  nw_trace_cursor_close(b);
  nw_trace_close(trace);
  free_written(written);
}

static void seeking_finds_the_chunk_of_a_word(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace *trace;
  write_trace(60000, written);
  assert_int_equal(nw_trace_open(path, &trace, NULL), NW_TRACE_OK);
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(trace, 1);
  for (int i = 0; i < 50; i++) {
    uint64_t word = next_random() % written[1].count, first;
    const uint64_t *words;
    size_t count;
    nw_trace_cursor_seek(cursor, word, &first);
    assert_int_equal(nw_trace_next_chunk(cursor, &words, &count, NULL), NW_TRACE_OK);
    assert_true(first <= word && word - first < count);
    assert_true(words[word - first] == written[1].words[word]);
  }
  uint64_t first;
  size_t count;
  const uint64_t *words;
  nw_trace_cursor_seek(cursor, written[1].count, &first);
  assert_int_equal(first, written[1].count);
  assert_int_equal(nw_trace_next_chunk(cursor, &words, &count, NULL), NW_TRACE_OK);
  assert_int_equal(count, 0);
  nw_trace_cursor_close(cursor);
  nw_trace_close(trace);
  free_written(written);
}

static void every_truncation_is_a_clean_error(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(40, written);
  uint8_t *bytes = read_file(path, &size);
  write_file(other, bytes, size);
  for (size_t cut = size; cut-- > 0;) {
    struct nw_trace_salvage salvage;
    assert_int_equal(truncate(other, (off_t)cut), 0);
    enum nw_trace_result result = check_file(other, &error);
    assert_true(result == NW_TRACE_TRUNCATED);
    assert_non_null(strstr(error.message, other));
    assert_non_null(strstr(error.message, "offset"));
    assert_true(error.offset <= cut);
    if (nw_trace_scan(other, &salvage, &error) == NW_TRACE_OK)
      assert_true(salvage.good_bytes <= cut);
  }
  free(bytes);
  free_written(written);
}

static void every_flipped_bit_is_found(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(40, written);
  uint8_t *bytes = read_file(path, &size);
  int fd;
  write_file(other, bytes, size);
  fd = open(other, O_WRONLY);
  for (size_t at = 0; at < size; at++) {
    for (int bit = 0; bit < 8; bit++) {
      uint8_t wrong = (uint8_t)(bytes[at] ^ 1u << bit);
      assert_int_equal(pwrite(fd, &wrong, 1, (off_t)at), 1);
      enum nw_trace_result result = check_file(other, &error);
      if (result == NW_TRACE_OK)
        fail_msg("byte %zu bit %d flipped unseen", at, bit);
      assert_non_null(strstr(error.message, "offset"));
    }
    assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
  }
  close(fd);
  assert_int_equal(check_file(other, &error), NW_TRACE_OK);
  free(bytes);
  free_written(written);
}

static void a_damaged_chunk_is_told_with_offset_and_checksums(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(40, written);
  uint8_t *bytes = read_file(path, &size);
  uint32_t start = nw_get32(bytes + 12); /* the header's size: the first chunk follows */
  unsigned long long expected = nw_get64(bytes + start + 56);
  char text[64];
  bytes[start + NW_CHUNK_HEADER + 9] ^= 0x10;
  write_file(other, bytes, size);
  assert_int_equal(check_file(other, &error), NW_TRACE_DAMAGED);
  assert_int_equal(error.offset, start);
  snprintf(text, sizeof text, "offset %u:", start);
  assert_non_null(strstr(error.message, text));
  snprintf(text, sizeof text, "expected %016llx", expected);
  assert_non_null(strstr(error.message, text));
  free(bytes);
  free_written(written);
}

/* Random damage of several bytes, checksums made good again where that is easy: no crash. */
static void random_damage_with_good_checksums_never_crashes(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(40, written);
  uint8_t *bytes = read_file(path, &size);
  uint8_t *copy = malloc(size);
  size_t head = nw_get32(bytes + 12);
  for (int i = 0; i < 3000; i++) {
    memcpy(copy, bytes, size);
    size_t index = (size_t)nw_get64(bytes + size - NW_TRAILER + 8);
    size_t index_bytes = size - NW_TRAILER - index;
    for (uint64_t n = 1 + next_random() % 4; n > 0; n--)
      copy[index + next_random() % index_bytes] = (uint8_t)(next_random() % 3 ? 0xff : 0);
    struct nw_span spans[] = {{copy, head}, {copy + index, index_bytes}};
    nw_put64(copy + size - NW_TRAILER + 32, nw_checksum(spans, 2));
    nw_put64(copy + size - 8, nw_checksum(&(struct nw_span){copy + size - NW_TRAILER, 56}, 1));
    write_file(other, copy, size);
    enum nw_trace_result result = check_file(other, &error);
    assert_true(result == NW_TRACE_OK || error.message[0] != '\0');
  }
  free(copy);
  free(bytes);
  free_written(written);
}

static void foreign_files_are_refused(void **state) {
  (void)state;
  struct nw_trace_error error;
  uint8_t bytes[300] = "#!/bin/sh\n";
  write_file(other, bytes, sizeof bytes);
  assert_int_equal(check_file(other, &error), NW_TRACE_NOT_TRACE);
  write_file(other, bytes, 5);
  assert_int_equal(check_file(other, &error), NW_TRACE_NOT_TRACE);
  write_file(other, bytes, 0);
  assert_int_equal(check_file(other, &error), NW_TRACE_TRUNCATED);
  assert_int_equal(check_file(folder, &error), NW_TRACE_IO);
  assert_int_equal(check_file("/nonexistent/x", &error), NW_TRACE_IO);
}

static void another_version_is_refused(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(4, written);
  uint8_t *bytes = read_file(path, &size);
  nw_put32(bytes + 8, 2);
  write_file(other, bytes, size);
  assert_int_equal(check_file(other, &error), NW_TRACE_VERSION);
  assert_non_null(strstr(error.message, "found version 2"));
  free(bytes);
  free_written(written);
}

static void absurd_sizes_are_refused_before_they_are_used(void **state) {
  (void)state;
  struct written written[STREAMS];
  struct nw_trace_error error;
  size_t size;
  write_trace(4, written);
  uint8_t *bytes = read_file(path, &size);
  uint32_t start = nw_get32(bytes + 12);
  nw_put32(bytes + 12, 0x7fffffff); /* the header's size */
  write_file(other, bytes, size);
  assert_int_equal(check_file(other, &error), NW_TRACE_LIMIT);
  nw_put32(bytes + 12, start);

  struct nw_chunk_header chunk;
  uint8_t raw[NW_CHUNK_HEADER];
  const struct {
    uint32_t stream, words, bytes;
  } cases[] = {{0, NW_TRACE_CHUNK_WORDS_MAX + 1, 100},
               {0, 0, 100},
               {0, 10, NW_TRACE_CHUNK_BYTES_MAX + 1},
               {NW_TRACE_STREAMS_MAX, 10, 100}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct nw_chunk_header absurd = {
        .stream = cases[i].stream, .words = cases[i].words, .bytes = 0};
    /* The header's check word does not depend on the payload. */
    nw_chunk_header_encode(&absurd, "", raw);
    nw_put32(raw + 16, cases[i].bytes);
    uint8_t shadow[NW_CHUNK_HEADER];
    memcpy(shadow, raw, sizeof raw);
    struct nw_span spans[] = {{shadow, 44}, {shadow + 48, 8}};
    nw_put32(raw + 44, (uint32_t)nw_checksum(spans, 2));
    assert_int_equal(nw_chunk_header_decode(raw, &chunk), NW_CHUNK_BAD_LIMIT);
  }
  free(bytes);
  free_written(written);
}

static void invalid_records_are_not_written(void **state) {
  (void)state;
  const uint64_t wrong[] = {
      0,                                          /* no kind */
      nw_rec_make(NW_REC_BLOCK, 0, 64),           /* a block without instructions */
      6,                                          /* unknown kind */
      nw_rec_make(NW_REC_EVENT, NW_EVENT_MAP, 4), /* its operands are missing */
      nw_rec_make(NW_REC_EVENT, NW_EVENT_MAP, NW_EVENT_OPERANDS_MAX + 1),
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct nw_trace_writer *writer;
    struct nw_trace_stream stream = {.parent = NW_TRACE_NO_STREAM};
    uint32_t id;
    unlink(path);
    assert_int_equal(nw_trace_writer_open(path, &header, &writer, NULL), NW_TRACE_OK);
    assert_int_equal(nw_trace_writer_add_stream(writer, &stream, &id, NULL), NW_TRACE_OK);
    assert_int_equal(nw_trace_write(writer, id, wrong[i], NULL), NW_TRACE_OK);
    assert_int_equal(nw_trace_writer_close(writer, 0, NULL), NW_TRACE_DAMAGED);
    assert_int_equal(access(path, F_OK), -1);
  }
}

static void records_keep_their_fields(void **state) {
  (void)state;
  for (int i = 0; i < 1000; i++) {
    uint64_t r = next_random();
    enum nw_rec_kind kind = (enum nw_rec_kind)(1 + r % 5);
    uint32_t aux = (uint32_t)(r >> 8) & NW_REC_AUX_MAX;
    uint64_t va = r >> 16;
    uint64_t record = nw_rec_make(kind, aux, va);
    assert_int_equal(nw_rec_kind(record), kind);
    assert_int_equal(nw_rec_aux(record), aux);
    assert_true(nw_rec_va(record) == va);
  }
  /* A kernel address loses its sign extension. */
  assert_true(nw_rec_va(nw_rec_make(NW_REC_LOAD, 8, UINT64_MAX)) == NW_REC_VA_MASK);
}

/* Records that a process appends to a spool before it is killed. */
static void append_until_killed(const char *spool_folder, uint32_t records, bool torn) {
  struct nw_spool spool;
  if (!nw_spool_attach(&spool, spool_folder))
    _exit(1);
  struct nw_spool_writer *writer =
      nw_spool_start(&spool, nw_spool_reserve(&spool), NW_TRACE_NO_STREAM, 0);
  for (uint32_t i = 0; writer != NULL && i < records; i++)
    if (!nw_spool_append(writer, nw_rec_make(NW_REC_BLOCK, 1, i)))
      _exit(1);
  if (torn) /* as if killed between reserving space for a chunk and writing it */
    atomic_fetch_add(&spool.control->file_end, 5000);
  raise(SIGKILL);
}

static void killed_processes_lose_no_record(void **state) {
  (void)state;
  char spool_folder[80], made[96];
  const uint32_t records[] = {3 * NW_TRACE_CHUNK_WORDS + 123, 17, NW_TRACE_CHUNK_WORDS, 0};
  struct nw_trace_error error = {0};
  snprintf(spool_folder, sizeof spool_folder, "%s/spool", folder);
  snprintf(made, sizeof made, "%s/trace", spool_folder);
  assert_int_equal(nw_spool_create(spool_folder, &header, &error), NW_TRACE_OK);
  for (int i = 0; i < 4; i++) {
    pid_t pid = fork();
    int status;
    if (pid == 0)
      append_until_killed(spool_folder, records[i], i < 2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
  }
  assert_int_equal(nw_spool_finish(spool_folder, 0, &error), NW_TRACE_OK);
  struct nw_trace *trace;
  assert_int_equal(check_file(made, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_open(made, &trace, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_stream_count(trace), 4);
  for (uint32_t s = 0; s < 4; s++) {
    const struct nw_trace_stream *stream = nw_trace_get_stream(trace, s);
    assert_int_equal(stream->counts.instructions, records[s]);
    assert_int_equal(stream->counts.events, 1); /* its EXIT */
    assert_true(stream->flags & NW_STREAM_KILLED);
  }
  nw_trace_close(trace);
  nw_spool_remove(spool_folder);
  assert_int_equal(access(spool_folder, F_OK), -1);
}

static void a_chunk_that_was_written_is_not_written_twice(void **state) {
  (void)state;
  char spool_folder[80], made[96];
  struct nw_trace_error error = {0};
  struct nw_spool spool;
  snprintf(spool_folder, sizeof spool_folder, "%s/spool", folder);
  snprintf(made, sizeof made, "%s/trace", spool_folder);
  assert_int_equal(nw_spool_create(spool_folder, &header, &error), NW_TRACE_OK);
  assert_true(nw_spool_attach(&spool, spool_folder));
  struct nw_spool_writer *writer =
      nw_spool_start(&spool, nw_spool_reserve(&spool), NW_TRACE_NO_STREAM, 0);
  for (uint32_t i = 0; i < 1000; i++)
    assert_true(nw_spool_append(writer, nw_rec_make(NW_REC_BLOCK, 1, i)));
  assert_true(nw_spool_flush(writer));
  /* As if killed right after the write: before count and sequence were changed. */
  writer->shared->count = 1000;
  writer->shared->first_word = 0;
  writer->shared->sequence = 0;
  nw_spool_stop(writer, false);
  nw_spool_detach(&spool);
  assert_int_equal(nw_spool_finish(spool_folder, 0, &error), NW_TRACE_OK);
  struct nw_trace *trace;
  assert_int_equal(check_file(made, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_open(made, &trace, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_totals(trace)->instructions, 1000);
  nw_trace_close(trace);
  nw_spool_remove(spool_folder);
}

static void a_chunk_torn_while_written_comes_from_memory(void **state) {
  (void)state;
  char spool_folder[80], made[96];
  struct nw_trace_error error = {0};
  struct nw_spool spool;
  snprintf(spool_folder, sizeof spool_folder, "%s/spool", folder);
  snprintf(made, sizeof made, "%s/trace", spool_folder);
  assert_int_equal(nw_spool_create(spool_folder, &header, &error), NW_TRACE_OK);
  assert_true(nw_spool_attach(&spool, spool_folder));
  struct nw_spool_writer *writer =
      nw_spool_start(&spool, nw_spool_reserve(&spool), NW_TRACE_NO_STREAM, 0);
  for (uint32_t i = 0; i < 1000; i++)
    assert_true(nw_spool_append(writer, nw_rec_make(NW_REC_BLOCK, 1, next_random())));
  assert_true(nw_spool_flush(writer));
  uint64_t end = spool.control->file_end;
  /* As if killed in the middle of the write. */
  writer->shared->count = 1000;
  writer->shared->first_word = 0;
  writer->shared->sequence = 0;
  nw_spool_stop(writer, false);
  nw_spool_detach(&spool);
  assert_int_equal(truncate(made, (off_t)(end - 100)), 0);
  assert_int_equal(nw_spool_finish(spool_folder, 0, &error), NW_TRACE_OK);
  struct nw_trace *trace;
  assert_int_equal(check_file(made, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_open(made, &trace, &error), NW_TRACE_OK);
  assert_int_equal(nw_trace_totals(trace)->instructions, 1000);
  nw_trace_close(trace);
  nw_spool_remove(spool_folder);
}

static int set_up(void **state) {
  (void)state;
  const char *given = getenv("NW_SEED");
  seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
  random_state = seed;
  print_message("NW_SEED=%llu\n", (unsigned long long)seed);
  if (mkdtemp(folder) == NULL)
    return -1;
  snprintf(path, sizeof path, "%s/a.nwt", folder);
  snprintf(other, sizeof other, "%s/b.nwt", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(path);
  unlink(other);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_keep_their_fields),
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(cursors_of_one_trace_do_not_disturb_each_other),
      cmocka_unit_test(seeking_finds_the_chunk_of_a_word),
      cmocka_unit_test(every_truncation_is_a_clean_error),
      cmocka_unit_test(every_flipped_bit_is_found),
      cmocka_unit_test(a_damaged_chunk_is_told_with_offset_and_checksums),
      cmocka_unit_test(random_damage_with_good_checksums_never_crashes),
      cmocka_unit_test(foreign_files_are_refused),
      cmocka_unit_test(another_version_is_refused),
      cmocka_unit_test(absurd_sizes_are_refused_before_they_are_used),
      cmocka_unit_test(invalid_records_are_not_written),
      cmocka_unit_test(killed_processes_lose_no_record),
      cmocka_unit_test(a_chunk_that_was_written_is_not_written_twice),
      cmocka_unit_test(a_chunk_torn_while_written_comes_from_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
