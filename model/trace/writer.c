/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "trace/finish.h"

struct open_stream {
  uint64_t *words; /* NW_TRACE_CHUNK_WORDS of them, once something is written */
  size_t count;
  uint64_t first_word;
  uint32_t sequence;
};

struct nw_trace_writer {
  char *path;
  char *part;
  int fd;
  uint64_t end;
  struct nw_trace_stream *streams;
  struct open_stream *open;
  size_t stream_count;
  ZSTD_CCtx *context;
  uint8_t *out;
};

void nw_trace_writer_abandon(struct nw_trace_writer *writer) {
  if (writer == NULL)
    return;
  if (writer->fd >= 0) {
    close(writer->fd);
    unlink(writer->part);
  }
  for (size_t i = 0; i < writer->stream_count; i++) {
    free(writer->open[i].words);
    free((void *)(uintptr_t)writer->streams[i].program);
  }
  free(writer->streams);
  free(writer->open);
  ZSTD_freeCCtx(writer->context);
  free(writer->out);
  free(writer->part);
  free(writer->path);
  free(writer);
}

static enum nw_trace_result io_failed(const struct nw_trace_writer *writer,
                                      struct nw_trace_error *error) {
  return nw_trace_fail(error, NW_TRACE_IO, writer->end, "%s: offset %llu: cannot write: %s",
                       writer->part, (unsigned long long)writer->end, strerror(errno));
}

static enum nw_trace_result start_file(struct nw_trace_writer *writer,
                                       const struct nw_trace_header *header,
                                       struct nw_trace_error *error) {
  uint8_t *raw;
  size_t size;
  enum nw_trace_result result = nw_header_encode(header, &raw, &size, error);
  if (result != NW_TRACE_OK)
    return result;
  writer->fd = open(writer->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (writer->fd < 0 || !nw_write_at(writer->fd, 0, raw, size))
    result = io_failed(writer, error);
  writer->end = size;
  free(raw);
  return result;
}

enum nw_trace_result nw_trace_writer_open(const char *path, const struct nw_trace_header *header,
                                          struct nw_trace_writer **writer,
                                          struct nw_trace_error *error) {
  *writer = NULL;
  struct nw_trace_writer *w = calloc(1, sizeof *w);
  if (w == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  w->fd = -1;
  w->path = strdup(path);
  if (asprintf(&w->part, "%s.part", path) < 0)
    w->part = NULL;
  w->context = ZSTD_createCCtx();
  w->out = malloc(nw_chunk_bound(NW_TRACE_CHUNK_WORDS));
  enum nw_trace_result result;
  if (!w->path || !w->part || !w->context || !w->out)
    result = nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  else
    result = start_file(w, header, error);
  if (result != NW_TRACE_OK) {
    nw_trace_writer_abandon(w);
    return result;
  }
  *writer = w;
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_writer_add_stream(struct nw_trace_writer *writer,
                                                const struct nw_trace_stream *stream, uint32_t *id,
                                                struct nw_trace_error *error) {
  size_t count = writer->stream_count;
  if (count == NW_TRACE_STREAMS_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, writer->end, "%s: more than %u streams",
                         writer->path, NW_TRACE_STREAMS_MAX);
  if (stream->parent != NW_TRACE_NO_STREAM && stream->parent >= count)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, writer->end,
                         "%s: stream %zu cannot be a child of stream %u", writer->path, count,
                         stream->parent);
  struct nw_trace_stream *streams = realloc(writer->streams, (count + 1) * sizeof *streams);
  if (streams != NULL)
    writer->streams = streams;
  struct open_stream *open = realloc(writer->open, (count + 1) * sizeof *open);
  if (open != NULL)
    writer->open = open;
  char *program = strdup(stream->program == NULL ? "" : stream->program);
  if (streams == NULL || open == NULL || program == NULL) {
    free(program);
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", writer->path);
  }
  streams[count] = *stream;
  streams[count].id = (uint32_t)count;
  streams[count].program = program;
  open[count] = (struct open_stream){0};
  writer->stream_count++;
  *id = (uint32_t)count;
  return NW_TRACE_OK;
}

static enum nw_trace_result flush(struct nw_trace_writer *writer, uint32_t stream,
                                  struct nw_trace_error *error) {
  struct open_stream *open = &writer->open[stream];
  if (open->count == 0)
    return NW_TRACE_OK;
  struct nw_chunk_header chunk = {
      .stream = stream, .sequence = open->sequence, .first_word = open->first_word};
  size_t size = nw_chunk_encode(writer->context, open->words, open->count, &chunk, writer->out,
                                nw_chunk_bound(NW_TRACE_CHUNK_WORDS));
  if (size == 0)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, writer->end,
                         "%s: the records of stream %u are not valid", writer->path, stream);
  if (!nw_write_at(writer->fd, writer->end, writer->out, size))
    return io_failed(writer, error);
  writer->end += size;
  open->first_word += open->count;
  open->sequence++;
  open->count = 0;
  return NW_TRACE_OK;
}

/* Makes sure that `count` words fit the stream's chunk. */
static enum nw_trace_result reserve(struct nw_trace_writer *writer, uint32_t stream, size_t count,
                                    struct nw_trace_error *error) {
  if (stream >= writer->stream_count)
    return nw_trace_fail(error, NW_TRACE_LIMIT, writer->end, "%s: no stream %u", writer->path,
                         stream);
  struct open_stream *open = &writer->open[stream];
  if (open->words == NULL)
    open->words = malloc(NW_TRACE_CHUNK_WORDS * sizeof *open->words);
  if (open->words == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", writer->path);
  if (open->count + count > NW_TRACE_CHUNK_WORDS)
    return flush(writer, stream, error);
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_write(struct nw_trace_writer *writer, uint32_t stream,
                                    uint64_t record, struct nw_trace_error *error) {
  enum nw_trace_result result = reserve(writer, stream, 1, error);
  if (result == NW_TRACE_OK)
    writer->open[stream].words[writer->open[stream].count++] = record;
  return result;
}

enum nw_trace_result nw_trace_write_event(struct nw_trace_writer *writer, uint32_t stream,
                                          enum nw_event event, const uint64_t *operands,
                                          size_t count, struct nw_trace_error *error) {
  if (count > NW_EVENT_OPERANDS_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, writer->end, "%s: %zu operands, at most %d",
                         writer->path, count, NW_EVENT_OPERANDS_MAX);
  enum nw_trace_result result = reserve(writer, stream, count + 1, error);
  if (result != NW_TRACE_OK)
    return result;
  struct open_stream *open = &writer->open[stream];
  open->words[open->count++] = nw_rec_make(NW_REC_EVENT, (uint32_t)event, count);
  for (size_t i = 0; i < count; i++)
    open->words[open->count++] = operands[i];
  return NW_TRACE_OK;
}

enum nw_trace_result nw_trace_writer_end_stream(struct nw_trace_writer *writer, uint32_t stream,
                                                struct nw_trace_error *error) {
  enum nw_trace_result result = flush(writer, stream, error);
  free(writer->open[stream].words);
  writer->open[stream].words = NULL;
  return result;
}

uint64_t nw_trace_writer_words(const struct nw_trace_writer *writer, uint32_t stream) {
  return writer->open[stream].first_word + writer->open[stream].count;
}

enum nw_trace_result nw_trace_writer_close(struct nw_trace_writer *writer, uint32_t flags,
                                           struct nw_trace_error *error) {
  enum nw_trace_result result = NW_TRACE_OK;
  for (uint32_t s = 0; result == NW_TRACE_OK && s < writer->stream_count; s++)
    result = flush(writer, s, error);
  if (result == NW_TRACE_OK)
    result = nw_trace_finish(writer->fd, writer->part, writer->end, writer->streams,
                             writer->stream_count, flags, error);
  if (result == NW_TRACE_OK && rename(writer->part, writer->path) != 0)
    result = io_failed(writer, error);
  if (result == NW_TRACE_OK) {
    close(writer->fd);
    writer->fd = -1;
  }
  nw_trace_writer_abandon(writer);
  return result;
}
