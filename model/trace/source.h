/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a file or a pipe from the first to the last, unpacked on the way when they are packed by
 * gzip, xz or zstd. Offsets are of the unpacked bytes.
 */
#ifndef NW_TRACE_SOURCE_H
#define NW_TRACE_SOURCE_H

#include "trace/trace.h"

struct nw_input;

/* `path` "-" is standard input. */
enum nw_trace_result nw_source_open(const char *path, struct nw_input **source,
                                    struct nw_trace_error *error);
void nw_source_close(struct nw_input *source);
const char *nw_source_path(const struct nw_input *source);

/* Looks at up to `size` of the bytes that come next without taking them; *got is less at the end
 * alone. The bytes are valid until the next call. `size` is 64 KB at most. */
enum nw_trace_result nw_source_peek(struct nw_input *source, size_t size, const uint8_t **bytes,
                                    size_t *got, struct nw_trace_error *error);
/* Takes bytes that have been looked at. */
void nw_source_take(struct nw_input *source, size_t size);

/* Offset of the byte that comes next. */
uint64_t nw_source_offset(const struct nw_input *source);
/* "" or " (unpacked)", for messages with offsets. */
const char *nw_source_unpacked(const struct nw_input *source);

#endif
