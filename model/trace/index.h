/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a trace file: its streams, and where their chunks are. Private to this folder. */
#ifndef NW_TRACE_INDEX_H
#define NW_TRACE_INDEX_H

#include "trace/format.h"

/* Where a chunk (or padding) is. */
struct nw_chunk_ref {
  uint64_t offset;
  uint32_t bytes; /* header included */
  uint32_t words;
  uint64_t checksum;
};

/* Main invariant: `chunks` holds the chunks of stream 0 in order, then those of stream 1, and so
 * on, then `paddings` entries of padding; first[s] is where stream s begins, first[stream_count]
 * where padding begins. */
struct nw_index {
  struct nw_trace_stream *streams;
  size_t stream_count;
  struct nw_chunk_ref *chunks;
  size_t chunk_count;
  size_t paddings;
  size_t *first;
  struct nw_trace_counts totals;
  char *strings; /* home of the streams' program names after decoding */
};

void nw_index_free(struct nw_index *index);

/* The caller frees *bytes. */
enum nw_trace_result nw_index_encode(const struct nw_index *index, uint8_t **bytes, size_t *size,
                                     struct nw_trace_error *error);

/* Checks everything but the checksum, which is the caller's. `offset` is where the index is in the
 * file, `start` where the chunks begin. *index is to be freed in any case. */
enum nw_trace_result nw_index_decode(const char *path, const uint8_t *bytes, size_t size,
                                     uint64_t start, uint64_t offset, struct nw_index *index,
                                     struct nw_trace_error *error);

/* Builds the index of the chunks from `start` to `end` of an unfinished file. `streams` tells the
 * `count` streams; their chunks and counts are filled in. */
enum nw_trace_result nw_index_build(int fd, const char *path, uint64_t start, uint64_t end,
                                    const struct nw_trace_stream *streams, size_t count,
                                    struct nw_index *index, struct nw_trace_error *error);

#endif
