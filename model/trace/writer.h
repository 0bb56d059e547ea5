/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a trace from one process. The file appears under its name when it is finished; until then
 * it is PATH.part. (The recorder, whose streams come from several processes, uses trace/spool.h.)
 */
#ifndef NW_TRACE_WRITER_H
#define NW_TRACE_WRITER_H

#include "trace/trace.h"

struct nw_trace_writer;

/* header->architecture, page_size (4096), target, recorder, time, argc and argv are used. */
enum nw_trace_result nw_trace_writer_open(const char *path, const struct nw_trace_header *header,
                                          struct nw_trace_writer **writer,
                                          struct nw_trace_error *error);

/* Adds a stream; *id is 0, 1, ... The parent (which must have been added before, or
 * NW_TRACE_NO_STREAM), parent_word, pid, tid, flags and program of *stream are used. */
enum nw_trace_result nw_trace_writer_add_stream(struct nw_trace_writer *writer,
                                                const struct nw_trace_stream *stream, uint32_t *id,
                                                struct nw_trace_error *error);

/* Appends one record, or one event with its `count` operands. */
enum nw_trace_result nw_trace_write(struct nw_trace_writer *writer, uint32_t stream,
                                    uint64_t record, struct nw_trace_error *error);
enum nw_trace_result nw_trace_write_event(struct nw_trace_writer *writer, uint32_t stream,
                                          enum nw_event event, const uint64_t *operands,
                                          size_t count, struct nw_trace_error *error);

/* Nothing more comes in this stream: gives back the memory it takes, half a megabyte. */
enum nw_trace_result nw_trace_writer_end_stream(struct nw_trace_writer *writer, uint32_t stream,
                                                struct nw_trace_error *error);

/* Number of words written to a stream so far. */
uint64_t nw_trace_writer_words(const struct nw_trace_writer *writer, uint32_t stream);

/* Writes what is left, finishes the file and frees the writer, also on failure (then no file is
 * left). `flags`: NW_TRACE_INTERRUPTED. */
enum nw_trace_result nw_trace_writer_close(struct nw_trace_writer *writer, uint32_t flags,
                                           struct nw_trace_error *error);

/* Throws the unfinished file away. NULL is fine. */
void nw_trace_writer_abandon(struct nw_trace_writer *writer);

#endif
