/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From other tools' instructions and accesses to our records. Instructions that follow each other
 * in one page become one run; a run ends where an access comes, so that their order stays.
 */
#include <stdlib.h>
#include <string.h>

#include "trace/convert.h"
#include "trace/format.h"
#include "trace/writer.h"

#define PAGE_LOG2 12
#define UNKNOWN_BYTES 8u /* size of an access whose trace does not tell */
#define LONGEST 15u      /* bytes of an x86 instruction */

struct thread {
  uint64_t process, thread;
  uint32_t stream;
};

struct importer {
  struct nw_trace_writer *writer;
  struct thread *threads;
  size_t thread_count;
  uint64_t process, thread; /* whose turn it is */
  bool changed;             /* ... since `stream` was looked up */
  uint32_t stream;
  uint64_t run, next; /* address of the pending run, and behind it */
  uint32_t count;     /* of its instructions; 0: none is pending */
  bool exact;         /* lengths are known */
  uint64_t references;
  enum nw_trace_result result;
  struct nw_trace_error *error;
};

static bool put(struct importer *m, uint64_t record) {
  if (m->result == NW_TRACE_OK)
    m->result = nw_trace_write(m->writer, m->stream, record, m->error);
  return m->result == NW_TRACE_OK;
}

static bool put_event(struct importer *m, uint32_t stream, enum nw_event event, uint64_t a,
                      uint64_t b, uint64_t c, size_t count) {
  const uint64_t operands[] = {a, b, c};
  if (m->result == NW_TRACE_OK)
    m->result = nw_trace_write_event(m->writer, stream, event, operands, count, m->error);
  return m->result == NW_TRACE_OK;
}

static bool end_run(struct importer *m) {
  uint32_t count = m->count;
  m->count = 0;
  return count == 0 || put(m, nw_rec_make(NW_REC_BLOCK, count, m->run));
}

/* A stream for a thread that is seen for the first time: forked by the first one. */
static bool add_thread(struct importer *m) {
  struct thread *threads = realloc(m->threads, (m->thread_count + 1) * sizeof *threads);
  if (threads == NULL) {
    m->result = nw_trace_fail(m->error, NW_TRACE_NO_MEMORY, 0, "out of memory");
    return false;
  }
  m->threads = threads;
  bool first = m->thread_count == 0;
  bool shares = !first && threads[0].process == m->process;
  struct nw_trace_stream stream = {
      .parent = first ? NW_TRACE_NO_STREAM : 0,
      .parent_word = first ? 0 : nw_trace_writer_words(m->writer, 0),
      .pid = (uint32_t)m->process,
      .tid = (uint32_t)m->thread,
      .flags = shares ? NW_STREAM_THREAD : 0,
      .program = "imported",
  };
  m->result = nw_trace_writer_add_stream(m->writer, &stream, &m->stream, m->error);
  threads[m->thread_count++] = (struct thread){m->process, m->thread, m->stream};
  return m->result == NW_TRACE_OK &&
         (first || put_event(m, 0, NW_EVENT_FORK, m->stream, shares ? NW_FORK_SHARES_MEMORY : 0,
                             m->thread, 3));
}

/* Makes m->stream the stream of the thread whose turn it is. */
static bool find_stream(struct importer *m) {
  if (!m->changed)
    return true;
  m->changed = false;
  for (size_t i = 0; i < m->thread_count; i++) {
    if (m->threads[i].thread == m->thread) {
      m->stream = m->threads[i].stream;
      return true;
    }
  }
  return add_thread(m);
}

static bool take_thread(void *context, uint64_t process, uint64_t thread) {
  struct importer *m = context;
  if (!end_run(m))
    return false;
  m->process = process;
  m->thread = thread;
  m->changed = true;
  return true;
}

static bool follows(const struct importer *m, uint64_t va, uint32_t bytes) {
  bool near = bytes != 0 && m->exact ? va == m->next : va - m->next < LONGEST;
  return m->count > 0 && m->count < NW_REC_AUX_MAX && near &&
         va >> PAGE_LOG2 == m->run >> PAGE_LOG2;
}

static bool take_instruction(void *context, uint64_t va, uint32_t bytes) {
  struct importer *m = context;
  if (!find_stream(m) || (!follows(m, va, bytes) && !end_run(m)))
    return false;
  if (m->count == 0)
    m->run = va;
  m->count++;
  m->exact = bytes != 0;
  m->next = va + (bytes != 0 ? bytes : 1);
  m->references++;
  return true;
}

static bool take_data(void *context, bool store, uint64_t va, uint32_t bytes) {
  struct importer *m = context;
  uint32_t size = bytes == 0 ? UNKNOWN_BYTES : bytes < NW_REC_AUX_MAX ? bytes : NW_REC_AUX_MAX;
  m->references++;
  return find_stream(m) && end_run(m) &&
         put(m, nw_rec_make(store ? NW_REC_STORE : NW_REC_LOAD, size, va));
}

/* The threads end, the first one last. */
static void put_exits(struct importer *m) {
  for (size_t i = m->thread_count; i-- > 0;)
    put_event(m, m->threads[i].stream, NW_EVENT_EXIT, 0, i == 0 ? NW_EXIT_PROCESS : 0, 0, 2);
}

static enum nw_trace_result finish(struct importer *m, bool whole) {
  find_stream(m); /* so that even an empty trace has a stream */
  end_run(m);
  if (whole)
    put_exits(m);
  if (m->result == NW_TRACE_OK)
    m->result = nw_trace_writer_close(m->writer, whole ? 0 : NW_TRACE_INTERRUPTED, m->error);
  else
    nw_trace_writer_abandon(m->writer);
  free(m->threads);
  return m->result;
}

enum nw_trace_result nw_trace_import(struct nw_input *source, const struct nw_import *import,
                                     const char *path, uint64_t *references,
                                     struct nw_trace_error *damage, struct nw_trace_error *error) {
  struct importer m = {.changed = true, .thread = 1, .error = error};
  struct nw_foreign_sink sink = {&m, take_instruction, take_data, take_thread};
  struct nw_trace_header header = import->header;
  header.architecture = import->architecture;
  header.page_size = 1u << PAGE_LOG2;
  header.target = import->format->name;
  memset(damage, 0, sizeof *damage);
  enum nw_trace_result result = nw_trace_writer_open(path, &header, &m.writer, error);
  if (result != NW_TRACE_OK)
    return result;
  damage->result = import->format->read(source, &sink, damage);
  result = finish(&m, damage->result == NW_TRACE_OK);
  *references = m.references;
  return result;
}
