/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a trace file; private to the readers and writers of this folder.
 *
 *   header    NW_HEADER_FIXED bytes, then strings
 *   chunks    in any order of streams; NW_CHUNK_HEADER bytes, then the zstd-compressed words.
 *             A padding chunk fills space that a killed recorder left unfinished.
 *   index     streams, their chunks, strings
 *   trailer   NW_TRAILER bytes; without it a file is not a finished trace
 *
 * Main invariant: header, chunks and index touch each other and leave no byte out. Every byte is
 * under one checksum (XXH3, 64 bits) at least: the header under its own, each chunk under its own,
 * the index under the file's checksum, the trailer under its own. The file's checksum covers the
 * header and the index, and the index holds the checksums of all chunks: so it stands for the whole
 * file, and can be made without reading the file again.
 *
 * All numbers are little-endian.
 */
#ifndef NW_TRACE_FORMAT_H
#define NW_TRACE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

#define NW_FORMAT_VERSION 1u

/* Made so that transfers that change line ends or cut the eighth bit are found out. */
#define NW_HEADER_MAGIC "\x89NWT\r\n\x1a\n"
#define NW_TRAILER_MAGIC "\x89NWE\r\n\x1a\n"
#define NW_CHUNK_MAGIC 0x4354574eu   /* "NWTC" */
#define NW_PADDING_MAGIC 0x5054574eu /* "NWTP" */
#define NW_INDEX_MAGIC 0x4954574eu   /* "NWTI" */

#define NW_HEADER_FIXED 64u
#define NW_CHUNK_HEADER 64u
#define NW_INDEX_HEADER 32u
#define NW_INDEX_STREAM 96u
#define NW_INDEX_CHUNK 24u
#define NW_TRAILER 64u

/* The header of one chunk, or of padding (then only `bytes` counts). */
struct nw_chunk_header {
  bool padding;
  uint32_t stream;
  uint32_t sequence; /* 0, 1, ... in its stream */
  uint32_t words;
  uint32_t bytes;      /* of the compressed words */
  uint64_t first_word; /* index of its first word in the stream */
  struct nw_trace_counts counts;
  uint64_t checksum; /* of the header before it, and of the compressed words */
};

struct nw_trailer {
  uint64_t index_offset;
  uint64_t index_bytes;
  uint32_t flags;
  uint64_t file_checksum;
};

/* Writes into *error, if there is one, and returns `result`. */
enum nw_trace_result nw_trace_fail(struct nw_trace_error *error, enum nw_trace_result result,
                                   uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

uint32_t nw_get32(const uint8_t *p);
uint64_t nw_get64(const uint8_t *p);
void nw_put32(uint8_t *p, uint32_t value);
void nw_put64(uint8_t *p, uint64_t value);

/* Checksum of the parts, one after the other. */
struct nw_span {
  const void *data;
  size_t bytes;
};
uint64_t nw_checksum(const struct nw_span *spans, size_t count);

/* Encodes the file's header; the caller frees *bytes. */
enum nw_trace_result nw_header_encode(const struct nw_trace_header *header, uint8_t **bytes,
                                      size_t *size, struct nw_trace_error *error);

/* Reads and checks the header of the open file. *raw (*size bytes, to be freed) stays the home of
 * the strings, *argv (to be freed) that of header->argv. */
enum nw_trace_result nw_header_read(int fd, const char *path, uint64_t file_bytes,
                                    struct nw_trace_header *header, uint8_t **raw, size_t *size,
                                    const char ***argv, struct nw_trace_error *error);

/* Checks the words of a chunk and counts its records; false if a record is not valid, its index in
 * *bad. */
bool nw_chunk_count(const uint64_t *words, size_t count, struct nw_trace_counts *counts,
                    size_t *bad);

void nw_counts_add(struct nw_trace_counts *sum, const struct nw_trace_counts *counts);

/* Fills `out` from `chunk`, and the checksum, which it also returns. `payload` is what follows. */
uint64_t nw_chunk_header_encode(const struct nw_chunk_header *chunk, const void *payload,
                                uint8_t out[NW_CHUNK_HEADER]);

/* Why a chunk's header was refused. */
enum nw_chunk_verdict {
  NW_CHUNK_GOOD,
  NW_CHUNK_BAD_MAGIC,
  NW_CHUNK_BAD_HEADER, /* header checksum */
  NW_CHUNK_BAD_LIMIT,
};
enum nw_chunk_verdict nw_chunk_header_decode(const uint8_t in[NW_CHUNK_HEADER],
                                             struct nw_chunk_header *chunk);

/* Reads the chunk header at `offset`; `end` is where chunks must end. */
enum nw_trace_result nw_chunk_header_read(int fd, const char *path, uint64_t offset, uint64_t end,
                                          struct nw_chunk_header *chunk,
                                          uint8_t raw[NW_CHUNK_HEADER],
                                          struct nw_trace_error *error);

/* Checks a chunk's checksum over its raw header and payload. */
enum nw_trace_result nw_chunk_check(const char *path, uint64_t offset,
                                    const struct nw_chunk_header *chunk,
                                    const uint8_t raw[NW_CHUNK_HEADER], const void *payload,
                                    struct nw_trace_error *error);

/* Largest number of bytes that `words` words take in a chunk, header included. */
size_t nw_chunk_bound(size_t words);

/* Compresses words and encodes the whole chunk into `out` (nw_chunk_bound bytes); `context` is a
 * ZSTD_CCtx. Returns the chunk's size, or 0 if zstd fails. chunk->words, bytes, counts and checksum
 * are filled in; stream, sequence and first_word are the caller's. */
size_t nw_chunk_encode(void *context, const uint64_t *words, size_t count,
                       struct nw_chunk_header *chunk, uint8_t *out, size_t out_bytes);

/* Decompresses a checked chunk into `words` and checks its records and counts. */
enum nw_trace_result nw_chunk_decode(void *context, const char *path, uint64_t offset,
                                     const struct nw_chunk_header *chunk, const void *payload,
                                     uint64_t *words, struct nw_trace_error *error);

void nw_trailer_encode(const struct nw_trailer *trailer, uint8_t out[NW_TRAILER]);

/* Reads exactly `bytes`; an early end of the file is NW_TRACE_TRUNCATED. */
enum nw_trace_result nw_read_at(int fd, const char *path, uint64_t offset, void *data, size_t bytes,
                                struct nw_trace_error *error);

/* Writes all; false with errno set if that fails. */
bool nw_write_at(int fd, uint64_t offset, const void *data, size_t bytes);

#endif
