/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "trace/finish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/index.h"

static enum nw_trace_result write_failed(const char *path, uint64_t offset,
                                         struct nw_trace_error *error) {
  return nw_trace_fail(error, NW_TRACE_IO, offset, "%s: offset %llu: cannot write: %s", path,
                       (unsigned long long)offset, strerror(errno));
}

static enum nw_trace_result write_end(int fd, const char *path, uint64_t end, uint32_t flags,
                                      const uint8_t *header, size_t header_bytes,
                                      const uint8_t *index, size_t index_bytes,
                                      struct nw_trace_error *error) {
  struct nw_span spans[] = {{header, header_bytes}, {index, index_bytes}};
  struct nw_trailer trailer = {end, index_bytes, flags, nw_checksum(spans, 2)};
  uint8_t raw[NW_TRAILER];
  nw_trailer_encode(&trailer, raw);
  if (ftruncate(fd, (off_t)end) != 0 || !nw_write_at(fd, end, index, index_bytes) ||
      !nw_write_at(fd, end + index_bytes, raw, sizeof raw) || fdatasync(fd) != 0)
    return write_failed(path, end, error);
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_finish(int fd, const char *path, uint64_t end,
                                     const struct nw_trace_stream *streams, size_t count,
                                     uint32_t flags, struct nw_trace_error *error) {
  struct nw_trace_header header = {0};
  struct nw_index index = {0};
  uint8_t *raw_header = NULL;
  uint8_t *raw_index = NULL;
  const char **argv = NULL;
  size_t header_bytes = 0;
  size_t index_bytes = 0;
  enum nw_trace_result result =
      nw_header_read(fd, path, end, &header, &raw_header, &header_bytes, &argv, error);
  if (result == NW_TRACE_OK)
    result = nw_index_build(fd, path, header_bytes, end, streams, count, &index, error);
  if (result == NW_TRACE_OK)
    result = nw_index_encode(&index, &raw_index, &index_bytes, error);
  if (result == NW_TRACE_OK)
    result =
        write_end(fd, path, end, flags, raw_header, header_bytes, raw_index, index_bytes, error);
  nw_index_free(&index);
  free(raw_index);
  free(raw_header);
  free(argv);
  return result;
}

/* Looks for the next offset from `from` on where a chunk begins; `end` if there is none. */
static uint64_t next_chunk(int fd, uint64_t from, uint64_t end) {
  enum { WINDOW = 1 << 20 };
  static const uint8_t magic[2][4] = {{'N', 'W', 'T', 'C'}, {'N', 'W', 'T', 'P'}};
  uint8_t *window = malloc(WINDOW);
  uint64_t found = end;
  for (uint64_t at = from; window != NULL && found == end && at + NW_CHUNK_HEADER <= end;) {
    size_t bytes = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
    if (nw_read_at(fd, "", at, window, bytes, NULL) != NW_TRACE_OK)
      break;
    size_t last = bytes - NW_CHUNK_HEADER;
    for (size_t i = 0; i <= last; i++) {
      struct nw_chunk_header chunk;
      if (memcmp(window + i, magic[0], 4) != 0 && memcmp(window + i, magic[1], 4) != 0)
        continue;
      if (nw_chunk_header_decode(window + i, &chunk) != NW_CHUNK_GOOD ||
          chunk.bytes > end - at - i - NW_CHUNK_HEADER)
        continue;
      found = at + i;
      break;
    }
    at += last + 1;
  }
  free(window);
  return found;
}

/* Makes padding of the bytes from `start` to `end`, in pieces that a chunk may have. */
static enum nw_trace_result pad(int fd, const char *path, uint64_t start, uint64_t end,
                                struct nw_trace_error *error) {
  const uint64_t most = NW_TRACE_CHUNK_BYTES_MAX / 2;
  while (start < end) {
    uint64_t bytes = end - start;
    if (bytes < NW_CHUNK_HEADER)
      return nw_trace_fail(error, NW_TRACE_DAMAGED, start,
                           "%s: offset %llu: %llu stray bytes between chunks", path,
                           (unsigned long long)start, (unsigned long long)bytes);
    if (bytes > most + NW_CHUNK_HEADER)
      bytes = most;
    struct nw_chunk_header chunk = {.padding = true,
                                    .stream = NW_TRACE_NO_STREAM,
                                    .bytes = (uint32_t)(bytes - NW_CHUNK_HEADER)};
    uint8_t *zeros = calloc(1, bytes);
    if (zeros == NULL)
      return nw_trace_fail(error, NW_TRACE_NO_MEMORY, start, "%s: out of memory", path);
    nw_chunk_header_encode(&chunk, zeros + NW_CHUNK_HEADER, zeros);
    bool written = nw_write_at(fd, start, zeros, (size_t)bytes);
    free(zeros);
    if (!written)
      return write_failed(path, start, error);
    start += bytes;
  }
  return NW_TRACE_OK;
}

/* Whether a chunk's payload is whole. */
static bool chunk_is_whole(int fd, const char *path, uint64_t offset,
                           const struct nw_chunk_header *chunk,
                           const uint8_t raw[NW_CHUNK_HEADER]) {
  uint8_t *payload = malloc(chunk->bytes + 1u);
  bool whole =
      payload != NULL &&
      nw_read_at(fd, path, offset + NW_CHUNK_HEADER, payload, chunk->bytes, NULL) == NW_TRACE_OK &&
      nw_chunk_check(path, offset, chunk, raw, payload, NULL) == NW_TRACE_OK;
  free(payload);
  return whole;
}

/* Extends the file to `end`, so that the space which was reserved but not written is there. */
static enum nw_trace_result extend(int fd, const char *path, uint64_t end,
                                   struct nw_trace_error *error) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    return write_failed(path, end, error);
  if ((uint64_t)status.st_size < end && ftruncate(fd, (off_t)end) != 0)
    return write_failed(path, end, error);
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_heal(int fd, const char *path, uint64_t start, uint64_t end,
                                   const uint32_t *settled, size_t count,
                                   struct nw_trace_error *error) {
  enum nw_trace_result result = extend(fd, path, end, error);
  for (uint64_t at = start; result == NW_TRACE_OK && at < end;) {
    struct nw_chunk_header chunk;
    uint8_t raw[NW_CHUNK_HEADER];
    uint64_t next = at;
    if (nw_chunk_header_read(fd, path, at, end, &chunk, raw, NULL) == NW_TRACE_OK) {
      next = at + NW_CHUNK_HEADER + chunk.bytes;
      bool known = !chunk.padding && chunk.stream < count && chunk.sequence < settled[chunk.stream];
      if (!known && !chunk_is_whole(fd, path, at, &chunk, raw))
        result = pad(fd, path, at, next, error);
    } else {
      next = next_chunk(fd, at + 1, end);
      result = pad(fd, path, at, next, error);
    }
    at = next;
  }
  return result;
}
