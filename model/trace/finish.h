/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a file of a header and chunks into a finished trace. Private to this folder. */
#ifndef NW_TRACE_FINISH_H
#define NW_TRACE_FINISH_H

#include "trace/format.h"

/* Writes index and trailer behind the chunks that end at `end`, and cuts the file there. `streams`
 * describes the `count` streams; their counts are taken from the chunks. `flags` is NW_TRACE_*. */
enum nw_trace_result nw_trace_finish(int fd, const char *path, uint64_t end,
                                     const struct nw_trace_stream *streams, size_t count,
                                     uint32_t flags, struct nw_trace_error *error);

/* Replaces everything from `start` to `end` that is no whole chunk by padding. Chunks of stream s
 * with sequence below settled[s] are known to be whole; settled has `count` entries. */
enum nw_trace_result nw_trace_heal(int fd, const char *path, uint64_t start, uint64_t end,
                                   const uint32_t *settled, size_t count,
                                   struct nw_trace_error *error);

#endif
