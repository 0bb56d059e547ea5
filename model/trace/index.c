/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/index.h"

#include <stdlib.h>
#include <string.h>

/* Offsets in the index's header and in an entry for a stream. */
enum {
  I_MAGIC = 0,
  I_STREAMS = 4,
  I_CHUNKS = 8,
  I_PADDINGS = 16,
  I_STRINGS = 24,
  S_PARENT = 0,
  S_FLAGS = 4,
  S_PARENT_WORD = 8,
  S_PID = 16,
  S_TID = 20,
  S_PROGRAM = 24,
  S_CHUNKS = 28,
  S_COUNTS = 32,
};

void nw_index_free(struct nw_index *index) {
  free(index->streams);
  free(index->chunks);
  free(index->first);
  free(index->strings);
  memset(index, 0, sizeof *index);
}

/* The seven counts in the order in which a stream's entry has them. */
static uint64_t *count_field(struct nw_trace_counts *counts, int i) {
  uint64_t *const fields[] = {&counts->words, &counts->records, &counts->instructions,
                              &counts->loads, &counts->stores,  &counts->syscalls,
                              &counts->events};
  return fields[i];
}

static void stream_encode(const struct nw_trace_stream *stream, uint32_t program, uint8_t *out) {
  struct nw_trace_counts counts = stream->counts;
  memset(out, 0, NW_INDEX_STREAM);
  nw_put32(out + S_PARENT, stream->parent);
  nw_put32(out + S_FLAGS, stream->flags);
  nw_put64(out + S_PARENT_WORD, stream->parent_word);
  nw_put32(out + S_PID, stream->pid);
  nw_put32(out + S_TID, stream->tid);
  nw_put32(out + S_PROGRAM, program);
  nw_put32(out + S_CHUNKS, stream->chunks);
  for (int i = 0; i < 7; i++)
    nw_put64(out + S_COUNTS + 8 * i, *count_field(&counts, i));
}

enum nw_trace_result nw_index_encode(const struct nw_index *index, uint8_t **bytes, size_t *size,
                                     struct nw_trace_error *error) {
  size_t refs = index->chunk_count + index->paddings;
  size_t strings = 0;
  for (size_t i = 0; i < index->stream_count; i++)
    strings += strlen(index->streams[i].program) + 1;
  size_t fixed = NW_INDEX_HEADER + index->stream_count * NW_INDEX_STREAM + refs * NW_INDEX_CHUNK;
  if (strings > UINT32_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, 0, "%zu bytes of program names", strings);
  uint8_t *raw = calloc(1, fixed + strings);
  if (raw == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "out of memory for the index");
  nw_put32(raw + I_MAGIC, NW_INDEX_MAGIC);
  nw_put32(raw + I_STREAMS, (uint32_t)index->stream_count);
  nw_put64(raw + I_CHUNKS, index->chunk_count);
  nw_put64(raw + I_PADDINGS, index->paddings);
  nw_put32(raw + I_STRINGS, (uint32_t)strings);
  uint8_t *at = raw + NW_INDEX_HEADER;
  char *string = (char *)raw + fixed;
  for (size_t i = 0; i < index->stream_count; i++, at += NW_INDEX_STREAM) {
    size_t length = strlen(index->streams[i].program) + 1;
    stream_encode(&index->streams[i], (uint32_t)(string - (char *)raw - (ptrdiff_t)fixed), at);
    memcpy(string, index->streams[i].program, length);
    string += length;
  }
  for (size_t i = 0; i < refs; i++, at += NW_INDEX_CHUNK) {
    nw_put64(at, index->chunks[i].offset);
    nw_put32(at + 8, index->chunks[i].bytes);
    nw_put32(at + 12, index->chunks[i].words);
    nw_put64(at + 16, index->chunks[i].checksum);
  }
  *bytes = raw;
  *size = fixed + strings;
  return NW_TRACE_OK;
}

/* What decoding needs to make its messages. */
struct decoder {
  const char *path;
  uint64_t offset; /* of the index in the file */
  struct nw_trace_error *error;
};

static enum nw_trace_result wrong(const struct decoder *d, size_t at, const char *what,
                                  uint64_t found, uint64_t expected) {
  return nw_trace_fail(d->error, NW_TRACE_DAMAGED, d->offset + at,
                       "%s: offset %llu: index: %s: found %llu, expected %llu", d->path,
                       (unsigned long long)(d->offset + at), what, (unsigned long long)found,
                       (unsigned long long)expected);
}

static enum nw_trace_result sizes_decode(const struct decoder *d, const uint8_t *bytes, size_t size,
                                         struct nw_index *index, size_t *strings) {
  if (size < NW_INDEX_HEADER)
    return wrong(d, 0, "bytes", size, NW_INDEX_HEADER);
  if (nw_get32(bytes) != NW_INDEX_MAGIC)
    return wrong(d, 0, "magic number", nw_get32(bytes), NW_INDEX_MAGIC);
  uint64_t streams = nw_get32(bytes + I_STREAMS);
  uint64_t chunks = nw_get64(bytes + I_CHUNKS);
  uint64_t paddings = nw_get64(bytes + I_PADDINGS);
  *strings = nw_get32(bytes + I_STRINGS);
  if (streams > NW_TRACE_STREAMS_MAX)
    return wrong(d, I_STREAMS, "streams, at most", streams, NW_TRACE_STREAMS_MAX);
  if (chunks > size / NW_INDEX_CHUNK || paddings > size / NW_INDEX_CHUNK)
    return wrong(d, I_CHUNKS, "chunks, at most", chunks + paddings, size / NW_INDEX_CHUNK);
  uint64_t total =
      NW_INDEX_HEADER + streams * NW_INDEX_STREAM + (chunks + paddings) * NW_INDEX_CHUNK + *strings;
  if (total != size)
    return wrong(d, 0, "bytes", size, total);
  index->stream_count = (size_t)streams;
  index->chunk_count = (size_t)chunks;
  index->paddings = (size_t)paddings;
  return NW_TRACE_OK;
}

/* Compares the counts of a stream with its chunks'; offsets and sums with the file. */
static enum nw_trace_result chunks_decode(const struct decoder *d, const uint8_t *at, size_t base,
                                          uint64_t start, struct nw_index *index) {
  uint64_t covered = start;
  size_t refs = index->chunk_count + index->paddings;
  for (size_t i = 0; i < refs; i++) {
    struct nw_chunk_ref *ref = &index->chunks[i];
    const uint8_t *in = at + i * NW_INDEX_CHUNK;
    *ref =
        (struct nw_chunk_ref){nw_get64(in), nw_get32(in + 8), nw_get32(in + 12), nw_get64(in + 16)};
    if (ref->offset < start || ref->offset > d->offset || ref->bytes > d->offset - ref->offset ||
        ref->bytes < NW_CHUNK_HEADER)
      return wrong(d, base + i * NW_INDEX_CHUNK, "a chunk's end, at most", ref->offset + ref->bytes,
                   d->offset);
    covered += ref->bytes;
  }
  if (covered != d->offset)
    return wrong(d, 0, "chunks end at", covered, d->offset);
  size_t next = 0;
  for (size_t s = 0; s < index->stream_count; s++) {
    uint64_t words = 0;
    index->first[s] = next;
    if (index->streams[s].chunks > index->chunk_count - next)
      return wrong(d, 0, "chunks of a stream, at most", index->streams[s].chunks,
                   index->chunk_count - next);
    for (size_t end = next + index->streams[s].chunks; next < end; next++)
      words += index->chunks[next].words;
    if (words != index->streams[s].counts.words)
      return wrong(d, 0, "words of a stream", words, index->streams[s].counts.words);
  }
  index->first[index->stream_count] = next;
  if (next != index->chunk_count)
    return wrong(d, 0, "chunks of all streams", next, index->chunk_count);
  return NW_TRACE_OK;
}

static enum nw_trace_result streams_decode(const struct decoder *d, const uint8_t *at,
                                           size_t strings, struct nw_index *index) {
  for (size_t s = 0; s < index->stream_count; s++, at += NW_INDEX_STREAM) {
    struct nw_trace_stream *stream = &index->streams[s];
    size_t here = NW_INDEX_HEADER + s * NW_INDEX_STREAM;
    stream->id = (uint32_t)s;
    stream->parent = nw_get32(at + S_PARENT);
    stream->flags = nw_get32(at + S_FLAGS);
    stream->parent_word = nw_get64(at + S_PARENT_WORD);
    stream->pid = nw_get32(at + S_PID);
    stream->tid = nw_get32(at + S_TID);
    stream->chunks = nw_get32(at + S_CHUNKS);
    for (int i = 0; i < 7; i++)
      *count_field(&stream->counts, i) = nw_get64(at + S_COUNTS + 8 * i);
    uint32_t program = nw_get32(at + S_PROGRAM);
    if (program >= strings)
      return wrong(d, here + S_PROGRAM, "a name's place, below", program, strings);
    stream->program = index->strings + program;
    if (stream->parent != NW_TRACE_NO_STREAM && stream->parent >= s)
      return wrong(d, here + S_PARENT, "a parent stream, below", stream->parent, s);
    nw_counts_add(&index->totals, &stream->counts);
  }
  return NW_TRACE_OK;
}

enum nw_trace_result nw_index_decode(const char *path, const uint8_t *bytes, size_t size,
                                     uint64_t start, uint64_t offset, struct nw_index *index,
                                     struct nw_trace_error *error) {
  struct decoder d = {path, offset, error};
  size_t strings = 0;
  memset(index, 0, sizeof *index);
  enum nw_trace_result result = sizes_decode(&d, bytes, size, index, &strings);
  if (result != NW_TRACE_OK)
    return result;
  size_t refs = index->chunk_count + index->paddings;
  index->streams = calloc(index->stream_count + 1, sizeof *index->streams);
  index->chunks = calloc(refs + 1, sizeof *index->chunks);
  index->first = calloc(index->stream_count + 1, sizeof *index->first);
  index->strings = calloc(1, strings + 1);
  if (!index->streams || !index->chunks || !index->first || !index->strings)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, offset, "%s: out of memory", path);
  memcpy(index->strings, bytes + size - strings, strings);
  size_t base = NW_INDEX_HEADER + index->stream_count * NW_INDEX_STREAM;
  result = streams_decode(&d, bytes + NW_INDEX_HEADER, strings, index);
  if (result == NW_TRACE_OK)
    result = chunks_decode(&d, bytes + base, base, start, index);
  return result;
}

/* A chunk met by the scan that builds an index. */
struct met {
  struct nw_chunk_header header;
  uint64_t offset;
};

static int by_stream_and_sequence(const void *a, const void *b) {
  const struct nw_chunk_header *x = &((const struct met *)a)->header;
  const struct nw_chunk_header *y = &((const struct met *)b)->header;
  if (x->padding != y->padding)
    return x->padding - y->padding;
  if (x->stream != y->stream)
    return x->stream < y->stream ? -1 : 1;
  return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Reads all chunk headers into a sorted array, which the caller frees. */
static enum nw_trace_result meet_chunks(int fd, const char *path, uint64_t start, uint64_t end,
                                        struct met **all, size_t *count,
                                        struct nw_trace_error *error) {
  size_t room = 0;
  *all = NULL;
  *count = 0;
  for (uint64_t offset = start; offset < end;) {
    uint8_t raw[NW_CHUNK_HEADER];
    if (*count == room) {
      room = room == 0 ? 1024 : 2 * room;
      struct met *more = realloc(*all, room * sizeof *more);
      if (more == NULL)
        return nw_trace_fail(error, NW_TRACE_NO_MEMORY, offset, "%s: out of memory", path);
      *all = more;
    }
    struct met *met = &(*all)[*count];
    enum nw_trace_result result =
        nw_chunk_header_read(fd, path, offset, end, &met->header, raw, error);
    if (result != NW_TRACE_OK)
      return result;
    met->offset = offset;
    offset += NW_CHUNK_HEADER + met->header.bytes;
    ++*count;
  }
  if (*count > 0)
    qsort(*all, *count, sizeof **all, by_stream_and_sequence);
  return NW_TRACE_OK;
}

/* Puts one met chunk into the index; chunks come sorted. */
static enum nw_trace_result place_chunk(const char *path, const struct met *met,
                                        struct nw_index *index, struct nw_trace_error *error) {
  const struct nw_chunk_header *header = &met->header;
  size_t at = index->chunk_count + index->paddings;
  index->chunks[at] = (struct nw_chunk_ref){met->offset, NW_CHUNK_HEADER + header->bytes,
                                            header->padding ? 0 : header->words, header->checksum};
  if (header->padding) {
    index->paddings++;
    return NW_TRACE_OK;
  }
  unsigned long long offset = met->offset;
  if (header->stream >= index->stream_count)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: a chunk of stream %u, expected one below %zu", path,
                         offset, header->stream, index->stream_count);
  struct nw_trace_stream *stream = &index->streams[header->stream];
  if (header->sequence != stream->chunks || header->first_word != stream->counts.words)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: found chunk %u of stream %u at its word %llu, expected "
                         "chunk %u at word %llu",
                         path, offset, header->sequence, header->stream,
                         (unsigned long long)header->first_word, stream->chunks,
                         (unsigned long long)stream->counts.words);
  stream->chunks++;
  nw_counts_add(&stream->counts, &header->counts);
  nw_counts_add(&index->totals, &header->counts);
  index->chunk_count++;
  return NW_TRACE_OK;
}

enum nw_trace_result nw_index_build(int fd, const char *path, uint64_t start, uint64_t end,
                                    const struct nw_trace_stream *streams, size_t count,
                                    struct nw_index *index, struct nw_trace_error *error) {
  struct met *all = NULL;
  size_t met_count = 0;
  memset(index, 0, sizeof *index);
  enum nw_trace_result result = meet_chunks(fd, path, start, end, &all, &met_count, error);
  if (result == NW_TRACE_OK) {
    index->stream_count = count;
    index->streams = calloc(count + 1, sizeof *index->streams);
    index->chunks = calloc(met_count + 1, sizeof *index->chunks);
    if (index->streams == NULL || index->chunks == NULL)
      result = nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  }
  for (size_t s = 0; result == NW_TRACE_OK && s < count; s++) {
    index->streams[s] = streams[s];
    index->streams[s].chunks = 0;
    index->streams[s].counts = (struct nw_trace_counts){0};
  }
  for (size_t i = 0; result == NW_TRACE_OK && i < met_count; i++)
    result = place_chunk(path, &all[i], index, error);
  free(all);
  return result;
}
