/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading traces. An open trace never changes, and chunks are read with pread: cursors share
 * nothing but the file descriptor and, when asked to, decoded chunks behind a lock, so each may live
 * in its own thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "trace/chunk_cache.h"
#include "trace/index.h"

struct nw_trace {
  int fd;
  char *path;
  struct nw_trace_header header;
  uint8_t *raw_header;
  size_t header_bytes;
  const char **argv;
  struct nw_index index;
  struct nw_chunk_cache *shared; /* decoded chunks; NULL: every cursor decodes its own */
};

struct nw_trace_cursor {
  struct nw_trace *trace;
  uint32_t stream;
  size_t next; /* chunk of the stream to be read next */
  uint64_t *words;
  size_t words_room;
  uint8_t *bytes;
  size_t bytes_room;
  ZSTD_DCtx *context;
  const struct nw_shared_chunk *held; /* the chunk handed out last, if it is a shared one */
};

static enum nw_trace_result trailer_read(struct nw_trace *trace, struct nw_trailer *trailer,
                                         struct nw_trace_error *error) {
  uint64_t size = trace->header.file_bytes;
  unsigned long long at = size - NW_TRAILER;
  uint8_t raw[NW_TRAILER];
  if (size < trace->header_bytes + NW_INDEX_HEADER + NW_TRAILER)
    return nw_trace_fail(error, NW_TRACE_TRUNCATED, size,
                         "%s: ends at offset %llu without index and trailer: the recording was cut "
                         "short",
                         trace->path, (unsigned long long)size);
  enum nw_trace_result result = nw_read_at(trace->fd, trace->path, at, raw, sizeof raw, error);
  if (result != NW_TRACE_OK)
    return result;
  if (memcmp(raw, NW_TRAILER_MAGIC, 8) != 0)
    return nw_trace_fail(
        error, NW_TRACE_TRUNCATED, at,
        "%s: offset %llu: no trailer: the file was cut short, or its recording was", trace->path,
        at);
  uint64_t found = nw_checksum(&(struct nw_span){raw, 56}, 1);
  if (found != nw_get64(raw + 56))
    return nw_trace_fail(error, NW_TRACE_DAMAGED, at,
                         "%s: offset %llu: the trailer is damaged: checksum %016llx, expected "
                         "%016llx",
                         trace->path, at, (unsigned long long)found,
                         (unsigned long long)nw_get64(raw + 56));
  *trailer = (struct nw_trailer){nw_get64(raw + 8), nw_get64(raw + 16), nw_get32(raw + 24),
                                 nw_get64(raw + 32)};
  if (trailer->index_offset < trace->header_bytes || trailer->index_offset > at ||
      trailer->index_bytes != at - trailer->index_offset)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, at,
                         "%s: offset %llu: the trailer puts an index of %llu bytes at offset %llu, "
                         "expected it to end here",
                         trace->path, at, (unsigned long long)trailer->index_bytes,
                         (unsigned long long)trailer->index_offset);
  return NW_TRACE_OK;
}

static enum nw_trace_result index_read(struct nw_trace *trace, const struct nw_trailer *trailer,
                                       struct nw_trace_error *error) {
  size_t size = (size_t)trailer->index_bytes;
  uint8_t *raw = malloc(size);
  if (raw == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, trailer->index_offset, "%s: out of memory",
                         trace->path);
  enum nw_trace_result result =
      nw_read_at(trace->fd, trace->path, trailer->index_offset, raw, size, error);
  if (result == NW_TRACE_OK) {
    struct nw_span spans[] = {{trace->raw_header, trace->header_bytes}, {raw, size}};
    uint64_t found = nw_checksum(spans, 2);
    if (found != trailer->file_checksum)
      result = nw_trace_fail(error, NW_TRACE_DAMAGED, trailer->index_offset,
                             "%s: offset %llu: the index is damaged: checksum %016llx, expected "
                             "%016llx",
                             trace->path, (unsigned long long)trailer->index_offset,
                             (unsigned long long)found, (unsigned long long)trailer->file_checksum);
  }
  if (result == NW_TRACE_OK)
    result = nw_index_decode(trace->path, raw, size, trace->header_bytes, trailer->index_offset,
                             &trace->index, error);
  free(raw);
  return result;
}

static enum nw_trace_result open_file(struct nw_trace *trace, struct nw_trace_error *error) {
  struct stat status;
  trace->fd = open(trace->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang */
  if (trace->fd < 0 || fstat(trace->fd, &status) != 0)
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", trace->path, strerror(errno));
  if (!S_ISREG(status.st_mode))
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: not a regular file", trace->path);
  trace->header.file_bytes = (uint64_t)status.st_size;
  return nw_header_read(trace->fd, trace->path, trace->header.file_bytes, &trace->header,
                        &trace->raw_header, &trace->header_bytes, &trace->argv, error);
}

enum nw_trace_result nw_trace_open(const char *path, struct nw_trace **trace,
                                   struct nw_trace_error *error) {
  *trace = NULL;
  struct nw_trace *t = calloc(1, sizeof *t);
  if (t == NULL || (t->path = strdup(path)) == NULL) {
    free(t);
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  }
  struct nw_trailer trailer = {0};
  enum nw_trace_result result = open_file(t, error);
  if (result == NW_TRACE_OK)
    result = trailer_read(t, &trailer, error);
  if (result == NW_TRACE_OK)
    result = index_read(t, &trailer, error);
  if (result != NW_TRACE_OK) {
    nw_trace_close(t);
    return result;
  }
  t->header.flags = trailer.flags;
  t->header.checksum = trailer.file_checksum;
  *trace = t;
  return NW_TRACE_OK;
}

void nw_trace_close(struct nw_trace *trace) {
  if (trace == NULL)
    return;
  if (trace->fd >= 0)
    close(trace->fd);
  nw_chunk_cache_destroy(trace->shared);
  nw_index_free(&trace->index);
  free(trace->argv);
  free(trace->raw_header);
  free(trace->path);
  free(trace);
}

bool nw_trace_share_chunks(struct nw_trace *trace, size_t chunks) {
  if (trace->shared == NULL)
    trace->shared = nw_chunk_cache_create(chunks);
  return trace->shared != NULL;
}

bool nw_trace_set_path(struct nw_trace *trace, const char *path) {
  char *copy = strdup(path);
  if (copy == NULL)
    return false;
  free(trace->path);
  trace->path = copy;
  return true;
}

const char *nw_trace_path(const struct nw_trace *trace) {
  return trace->path;
}

const struct nw_trace_header *nw_trace_get_header(const struct nw_trace *trace) {
  return &trace->header;
}

size_t nw_trace_stream_count(const struct nw_trace *trace) {
  return trace->index.stream_count;
}

const struct nw_trace_stream *nw_trace_get_stream(const struct nw_trace *trace, uint32_t stream) {
  return &trace->index.streams[stream];
}

const struct nw_trace_counts *nw_trace_totals(const struct nw_trace *trace) {
  return &trace->index.totals;
}

struct nw_trace_cursor *nw_trace_cursor_open(struct nw_trace *trace, uint32_t stream) {
  if (stream >= trace->index.stream_count)
    return NULL;
  struct nw_trace_cursor *cursor = calloc(1, sizeof *cursor);
  if (cursor == NULL)
    return NULL;
  cursor->context = ZSTD_createDCtx();
  if (cursor->context == NULL) {
    free(cursor);
    return NULL;
  }
  cursor->trace = trace;
  cursor->stream = stream;
  return cursor;
}

void nw_trace_cursor_close(struct nw_trace_cursor *cursor) {
  if (cursor == NULL)
    return;
  nw_chunk_cache_release(cursor->trace->shared, cursor->held);
  ZSTD_freeDCtx(cursor->context);
  free(cursor->words);
  free(cursor->bytes);
  free(cursor);
}

/* Makes room for a chunk that has passed the limits. */
static bool make_room(struct nw_trace_cursor *cursor, size_t bytes, size_t words) {
  if (bytes > cursor->bytes_room) {
    free(cursor->bytes);
    cursor->bytes = malloc(bytes);
    cursor->bytes_room = cursor->bytes == NULL ? 0 : bytes;
  }
  if (words > cursor->words_room) {
    free(cursor->words);
    cursor->words = malloc(words * sizeof *cursor->words);
    cursor->words_room = cursor->words == NULL ? 0 : words;
  }
  return cursor->bytes != NULL && cursor->words != NULL;
}

/* Compares the chunk's header with what the index says of it. */
static enum nw_trace_result match_ref(const struct nw_trace *trace, const struct nw_chunk_ref *ref,
                                      const struct nw_chunk_header *chunk,
                                      struct nw_trace_error *error) {
  if (NW_CHUNK_HEADER + (uint64_t)chunk->bytes == ref->bytes && chunk->checksum == ref->checksum &&
      (chunk->padding || chunk->words == ref->words))
    return NW_TRACE_OK;
  return nw_trace_fail(error, NW_TRACE_DAMAGED, ref->offset,
                       "%s: offset %llu: found a chunk of %u bytes with checksum %016llx, expected "
                       "%u bytes with %016llx",
                       trace->path, (unsigned long long)ref->offset, chunk->bytes,
                       (unsigned long long)chunk->checksum, ref->bytes - NW_CHUNK_HEADER,
                       (unsigned long long)ref->checksum);
}

/* Reads and checks the chunk `ref`; leaves its records in cursor->words unless it is padding. */
static enum nw_trace_result read_chunk(struct nw_trace_cursor *cursor,
                                       const struct nw_chunk_ref *ref,
                                       struct nw_chunk_header *chunk,
                                       struct nw_trace_error *error) {
  const struct nw_trace *trace = cursor->trace;
  uint8_t raw[NW_CHUNK_HEADER];
  enum nw_trace_result result = nw_chunk_header_read(trace->fd, trace->path, ref->offset,
                                                     ref->offset + ref->bytes, chunk, raw, error);
  if (result == NW_TRACE_OK)
    result = match_ref(trace, ref, chunk, error);
  if (result != NW_TRACE_OK)
    return result;
  if (!make_room(cursor, chunk->bytes + 1u, chunk->words + 1u))
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, ref->offset, "%s: out of memory", trace->path);
  result = nw_read_at(trace->fd, trace->path, ref->offset + NW_CHUNK_HEADER, cursor->bytes,
                      chunk->bytes, error);
  if (result == NW_TRACE_OK)
    result = nw_chunk_check(trace->path, ref->offset, chunk, raw, cursor->bytes, error);
  if (result == NW_TRACE_OK && !chunk->padding)
    result = nw_chunk_decode(cursor->context, trace->path, ref->offset, chunk, cursor->bytes,
                             cursor->words, error);
  return result;
}

/* Reads the cursor's next chunk into cursor->words; *count gets their number. */
static enum nw_trace_result read_next(struct nw_trace_cursor *cursor,
                                      const struct nw_chunk_ref *ref, size_t *count,
                                      struct nw_trace_error *error) {
  struct nw_chunk_header chunk;
  enum nw_trace_result result = read_chunk(cursor, ref, &chunk, error);
  if (result != NW_TRACE_OK)
    return result;
  if (chunk.padding || chunk.stream != cursor->stream || chunk.sequence != cursor->next)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, ref->offset,
                         "%s: offset %llu: found chunk %u of stream %u, expected chunk %zu of "
                         "stream %u",
                         cursor->trace->path, (unsigned long long)ref->offset, chunk.sequence,
                         chunk.stream, cursor->next, cursor->stream);
  *count = chunk.words;
  return NW_TRACE_OK;
}

/* Takes the chunk from those that another cursor has decoded, or decodes it and lets others have
 * it: cursor->held has it then, unless every place is taken. */
static enum nw_trace_result share_next(struct nw_trace_cursor *cursor, size_t number,
                                       const struct nw_chunk_ref *ref, size_t *count,
                                       struct nw_trace_error *error) {
  struct nw_chunk_cache *shared = cursor->trace->shared;
  nw_chunk_cache_release(shared, cursor->held);
  cursor->held = nw_chunk_cache_find(shared, number);
  if (cursor->held != NULL)
    return NW_TRACE_OK;
  enum nw_trace_result result = read_next(cursor, ref, count, error);
  if (result != NW_TRACE_OK)
    return result;
  cursor->held = nw_chunk_cache_give(shared, number, cursor->words, *count);
  if (cursor->held != NULL) {
    cursor->words = NULL;
    cursor->words_room = 0;
  }
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_next_chunk(struct nw_trace_cursor *cursor, const uint64_t **words,
                                         size_t *count, struct nw_trace_error *error) {
  const struct nw_index *index = &cursor->trace->index;
  size_t number = index->first[cursor->stream] + cursor->next;
  size_t decoded = 0;
  *words = NULL;
  *count = 0;
  if (cursor->next == index->streams[cursor->stream].chunks)
    return NW_TRACE_OK;
  const struct nw_chunk_ref *ref = &index->chunks[number];
  enum nw_trace_result result = cursor->trace->shared != NULL
                                    ? share_next(cursor, number, ref, &decoded, error)
                                    : read_next(cursor, ref, &decoded, error);
  if (result != NW_TRACE_OK)
    return result;
  cursor->next++;
  *words = cursor->held != NULL ? cursor->held->words : cursor->words;
  *count = cursor->held != NULL ? cursor->held->count : decoded;
  return NW_TRACE_OK;
}

void nw_trace_cursor_seek(struct nw_trace_cursor *cursor, uint64_t word, uint64_t *first) {
  const struct nw_index *index = &cursor->trace->index;
  const struct nw_chunk_ref *refs = &index->chunks[index->first[cursor->stream]];
  size_t chunks = index->streams[cursor->stream].chunks;
  *first = 0;
  for (cursor->next = 0; cursor->next < chunks; cursor->next++) {
    if (word - *first < refs[cursor->next].words)
      return;
    *first += refs[cursor->next].words;
  }
}

/* Reads a whole stream and compares its counts with the index. */
static enum nw_trace_result verify_stream(struct nw_trace *trace, uint32_t stream,
                                          struct nw_trace_error *error) {
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(trace, stream);
  if (cursor == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", trace->path);
  struct nw_trace_counts sum = {0};
  enum nw_trace_result result;
  const uint64_t *words;
  size_t count;
  while ((result = nw_trace_next_chunk(cursor, &words, &count, error)) == NW_TRACE_OK && count) {
    struct nw_trace_counts counts;
    size_t bad;
    if (nw_chunk_count(words, count, &counts, &bad))
      nw_counts_add(&sum, &counts);
  }
  nw_trace_cursor_close(cursor);
  if (result == NW_TRACE_OK && memcmp(&sum, &trace->index.streams[stream].counts, sizeof sum) != 0)
    result =
        nw_trace_fail(error, NW_TRACE_DAMAGED, 0,
                      "%s: the index contradicts the records of stream %u", trace->path, stream);
  return result;
}

/* Checks the checksums of padding. */
static enum nw_trace_result verify_padding(struct nw_trace *trace, struct nw_trace_error *error) {
  struct nw_trace_cursor cursor = {.trace = trace};
  const struct nw_index *index = &trace->index;
  enum nw_trace_result result = NW_TRACE_OK;
  for (size_t i = 0; result == NW_TRACE_OK && i < index->paddings; i++) {
    struct nw_chunk_header chunk;
    result = read_chunk(&cursor, &index->chunks[index->chunk_count + i], &chunk, error);
  }
  free(cursor.bytes);
  free(cursor.words);
  return result;
}

enum nw_trace_result nw_trace_verify(struct nw_trace *trace, struct nw_trace_error *error) {
  enum nw_trace_result result = verify_padding(trace, error);
  for (uint32_t s = 0; result == NW_TRACE_OK && s < trace->index.stream_count; s++)
    result = verify_stream(trace, s, error);
  return result;
}
