/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool: the folder in which several processes together write one trace.
 *
 *   control    shared by all: the next free stream number, the end of the trace file
 *   trace      the trace file: header and chunks. A writer reserves space by moving `file_end` and
 *              then writes its chunk there, so that writers do not wait for each other.
 *   stream-N   shared memory of stream N: who it is, and the records that are not in a chunk yet
 *
 * Main invariant: every record is, at any moment, either in a whole chunk or in its stream's shared
 * memory, whatever happens to the process: it may be killed between any two instructions. So
 * nothing needs to be done when a program ends, and nw_spool_finish finds all that was recorded. It
 * holds because `count` is raised after the word is stored, lowered after the chunk is written, and
 * `sequence` is raised after that: a chunk in the file whose sequence is the stream's own holds the
 * records of the shared memory.
 */
#ifndef NW_TRACE_SPOOL_H
#define NW_TRACE_SPOOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace/trace.h"

#define NW_SPOOL_PROGRAM_MAX 3072

/* The file `control`. */
struct nw_spool_control {
  char magic[8];
  _Atomic uint32_t next_stream;
  _Atomic uint32_t attached;   /* how many programs began to record */
  _Atomic uint64_t file_end;   /* of the trace file, reserved space included */
  _Atomic uint64_t references; /* in chunks so far; for display */
  _Atomic uint32_t failed;     /* set once, by the first who fails; then `failure` is written */
  char failure[512];
};

/* The file `stream-N`. Only its own thread writes it. */
struct nw_spool_stream {
  char magic[8];
  uint32_t stream;
  uint32_t parent;
  uint64_t parent_word;
  uint32_t pid, tid;
  uint32_t flags;    /* NW_STREAM_* */
  uint32_t ended;    /* the last event is written */
  uint32_t sequence; /* of the chunk that `words` will become */
  uint32_t reserved;
  uint64_t first_word;    /* index of words[0] in the stream */
  _Atomic uint64_t count; /* of valid words */
  char program[NW_SPOOL_PROGRAM_MAX];
  _Alignas(4096) uint64_t words[NW_TRACE_CHUNK_WORDS];
};

/* A descriptor that the recorded program may have closed, or replaced, behind our back. */
struct nw_spool_file {
  int fd;
  dev_t device;
  ino_t inode;
};

/* A process's side of the spool. */
struct nw_spool {
  char *folder; /* absolute */
  struct nw_spool_control *control;
  struct nw_spool_file directory, trace;
};

/* A thread's side of its stream. */
struct nw_spool_writer {
  struct nw_spool_stream *shared;
  struct nw_spool *spool;
  void *context; /* ZSTD_CCtx */
  uint8_t *out;
};

/* Recorder: makes the folder (it must not exist) and all that is in it at the start. */
enum nw_trace_result nw_spool_create(const char *folder, const struct nw_trace_header *header,
                                     struct nw_trace_error *error);

/* Opens the spool for this process; its descriptors are high and close on exec. */
bool nw_spool_attach(struct nw_spool *spool, const char *folder);
void nw_spool_detach(struct nw_spool *spool);

/* Takes a free stream number. */
uint32_t nw_spool_reserve(struct nw_spool *spool);

/* Starts stream `id`, or continues it (after exec). NULL on failure. */
struct nw_spool_writer *nw_spool_start(struct nw_spool *spool, uint32_t id, uint32_t parent,
                                       uint64_t parent_word);
struct nw_spool_writer *nw_spool_continue(struct nw_spool *spool, uint32_t id);

/* Frees the memory of a writer. `release`: the stream has ended, also free its buffer on disk. */
void nw_spool_stop(struct nw_spool_writer *writer, bool release);

/* Turns the words in shared memory into a chunk. On failure, which nw_spool_fail has then been
 * told, this returns false. */
bool nw_spool_flush(struct nw_spool_writer *writer);

/* Appends an event with its operands, whole. */
bool nw_spool_event(struct nw_spool_writer *writer, enum nw_event event, const uint64_t *operands,
                    size_t count);

/* Notes why recording cannot go on; the first note stands. */
void nw_spool_fail(struct nw_spool *spool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends one record. False if the chunk could not be written. */
static inline bool nw_spool_append(struct nw_spool_writer *writer, uint64_t record) {
  struct nw_spool_stream *shared = writer->shared;
  uint64_t n = atomic_load_explicit(&shared->count, memory_order_relaxed);
  shared->words[n] = record;
  atomic_store_explicit(&shared->count, n + 1, memory_order_release);
  return __builtin_expect(n + 1 < NW_TRACE_CHUNK_WORDS, 1) || nw_spool_flush(writer);
}

/* Index in the stream of the word that will be appended next. */
static inline uint64_t nw_spool_position(const struct nw_spool_writer *writer) {
  return writer->shared->first_word +
         atomic_load_explicit(&writer->shared->count, memory_order_relaxed);
}

/* Recorder, when nobody writes any more: completes the trace file in the folder, whose path is then
 * FOLDER/trace. `flags`: NW_TRACE_INTERRUPTED. */
enum nw_trace_result nw_spool_finish(const char *folder, uint32_t flags,
                                     struct nw_trace_error *error);

/* Removes the folder and the files that belong in it. */
void nw_spool_remove(const char *folder);

#endif
