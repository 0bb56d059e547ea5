/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder's side of the spool: making the folder, and one finished trace of it at the end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/finish.h"
#include "trace/spool.h"

static bool write_file(int folder, const char *name, const void *data, size_t bytes) {
  int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  bool written = fd >= 0 && nw_write_at(fd, 0, data, bytes);
  if (fd >= 0 && close(fd) != 0)
    written = false;
  return written;
}

enum nw_trace_result nw_spool_create(const char *folder, const struct nw_trace_header *header,
                                     struct nw_trace_error *error) {
  struct nw_spool_control control = {.magic = "nwspool1"};
  uint8_t *raw;
  size_t size;
  enum nw_trace_result result = nw_header_encode(header, &raw, &size, error);
  if (result != NW_TRACE_OK)
    return result;
  if (mkdir(folder, 0777) != 0) {
    free(raw);
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", folder, strerror(errno));
  }
  control.file_end = size;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || !write_file(fd, "trace", raw, size) ||
      !write_file(fd, "control", &control, sizeof control))
    result = nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", folder, strerror(errno));
  if (fd >= 0)
    close(fd);
  free(raw);
  if (result != NW_TRACE_OK)
    nw_spool_remove(folder);
  return result;
}

void nw_spool_remove(const char *folder) {
  DIR *directory = opendir(folder);
  struct dirent *entry;
  while (directory != NULL && (entry = readdir(directory)) != NULL) {
    const char *name = entry->d_name;
    if (strcmp(name, "trace") == 0 || strcmp(name, "control") == 0 || strcmp(name, "qemu") == 0 ||
        strncmp(name, "stream-", 7) == 0)
      unlinkat(dirfd(directory), name, 0);
  }
  if (directory != NULL)
    closedir(directory);
  rmdir(folder);
}

/* A spool that is being finished. */
struct finish {
  struct nw_spool spool;
  int fd; /* of the trace file */
  char *path;
  uint64_t start; /* of the chunks */
  uint32_t count; /* of streams */
  struct nw_trace_stream *streams;
  char (*programs)[NW_SPOOL_PROGRAM_MAX];
  uint32_t *settled;  /* per stream: chunks known to be whole */
  bool *complete;     /* per stream: ended, and nothing left in its memory */
  uint32_t *sequence; /* per stream: chunks in the file */
};

/* Reads who stream `id` is; a stream without a file never started. */
static void read_identity(struct finish *f, uint32_t id) {
  struct nw_spool_stream shared;
  struct nw_trace_stream *stream = &f->streams[id];
  const size_t size = offsetof(struct nw_spool_stream, words);
  char name[32];
  snprintf(name, sizeof name, "stream-%u", id);
  *stream = (struct nw_trace_stream){.id = id,
                                     .parent = NW_TRACE_NO_STREAM,
                                     .flags = NW_STREAM_NOT_STARTED,
                                     .program = f->programs[id]};
  int fd = openat(f->spool.directory.fd, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (nw_read_at(fd, name, 0, &shared, size, NULL) == NW_TRACE_OK &&
      memcmp(shared.magic, "nwstrm_1", 8) == 0) {
    stream->parent = shared.parent;
    stream->parent_word = shared.parent_word;
    stream->pid = shared.pid;
    stream->tid = shared.tid;
    stream->flags = shared.flags;
    memcpy(f->programs[id], shared.program, NW_SPOOL_PROGRAM_MAX - 1);
    f->settled[id] = shared.sequence;
    f->complete[id] = shared.ended && shared.count == 0;
  }
  close(fd);
}

/* Counts the chunks of each stream in the healed file. */
static enum nw_trace_result count_chunks(struct finish *f, struct nw_trace_error *error) {
  uint64_t end = f->spool.control->file_end;
  enum nw_trace_result result = NW_TRACE_OK;
  for (uint64_t at = f->start; result == NW_TRACE_OK && at < end;) {
    struct nw_chunk_header chunk;
    uint8_t raw[NW_CHUNK_HEADER];
    result = nw_chunk_header_read(f->fd, f->path, at, end, &chunk, raw, error);
    if (result == NW_TRACE_OK && !chunk.padding && chunk.stream < f->count)
      f->sequence[chunk.stream]++;
    at += NW_CHUNK_HEADER + chunk.bytes;
  }
  return result;
}

/* Writes what is left in a stream's memory, and its end if it had none. */
static bool finish_stream(struct finish *f, uint32_t id) {
  if (f->streams[id].flags & NW_STREAM_NOT_STARTED || f->complete[id])
    return true;
  struct nw_spool_writer *writer = nw_spool_continue(&f->spool, id);
  if (writer == NULL)
    return false;
  struct nw_spool_stream *shared = writer->shared;
  if (shared->sequence < f->sequence[id]) {
    /* The chunk was written, but its writer was killed before it could note that. */
    shared->first_word += shared->count;
    shared->count = 0;
    shared->sequence = f->sequence[id];
  }
  bool written = true;
  if (!shared->ended) {
    bool thread = shared->flags & NW_STREAM_THREAD;
    uint64_t operands[] = {0, NW_EXIT_KILLED | (thread ? 0 : NW_EXIT_PROCESS)};
    written = nw_spool_event(writer, NW_EVENT_EXIT, operands, 2);
    shared->flags |= NW_STREAM_KILLED;
    f->streams[id].flags |= NW_STREAM_KILLED;
    shared->ended = 1;
  }
  written = written && nw_spool_flush(writer);
  nw_spool_stop(writer, true);
  return written;
}

static enum nw_trace_result finish_open(struct finish *f, const char *folder,
                                        struct nw_trace_error *error) {
  if (!nw_spool_attach(&f->spool, folder))
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: no unfinished recording: %s", folder,
                         strerror(errno));
  /* Whatever failed has been reported; what was written before it can still be finished. */
  f->spool.control->failed = 0;
  f->fd = openat(f->spool.directory.fd, "trace", O_RDWR | O_CLOEXEC);
  f->count = f->spool.control->next_stream;
  if (f->fd < 0 || asprintf(&f->path, "%s/trace", folder) < 0)
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s/trace: %s", folder, strerror(errno));
  if (f->count > NW_TRACE_STREAMS_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, 0, "%s: %u streams, at most %u", folder, f->count,
                         NW_TRACE_STREAMS_MAX);
  f->streams = calloc(f->count + 1u, sizeof *f->streams);
  f->programs = calloc(f->count + 1u, sizeof *f->programs);
  f->settled = calloc(f->count + 1u, sizeof *f->settled);
  f->complete = calloc(f->count + 1u, sizeof *f->complete);
  f->sequence = calloc(f->count + 1u, sizeof *f->sequence);
  if (!f->streams || !f->programs || !f->settled || !f->complete || !f->sequence)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", folder);
  struct nw_trace_header header;
  uint8_t *raw = NULL;
  const char **argv = NULL;
  size_t size = 0;
  enum nw_trace_result result = nw_header_read(f->fd, f->path, f->spool.control->file_end, &header,
                                               &raw, &size, &argv, error);
  f->start = size;
  free(raw);
  free(argv);
  return result;
}

static enum nw_trace_result finish_all(struct finish *f, uint32_t flags,
                                       struct nw_trace_error *error) {
  for (uint32_t id = 0; id < f->count; id++)
    read_identity(f, id);
  enum nw_trace_result result = nw_trace_heal(f->fd, f->path, f->start, f->spool.control->file_end,
                                              f->settled, f->count, error);
  if (result == NW_TRACE_OK)
    result = count_chunks(f, error);
  for (uint32_t id = 0; result == NW_TRACE_OK && id < f->count; id++)
    if (!finish_stream(f, id))
      result = nw_trace_fail(error, NW_TRACE_IO, 0, "%s", f->spool.control->failure);
  if (result == NW_TRACE_OK)
    result = nw_trace_finish(f->fd, f->path, f->spool.control->file_end, f->streams, f->count,
                             flags, error);
  return result;
}

enum nw_trace_result nw_spool_finish(const char *folder, uint32_t flags,
                                     struct nw_trace_error *error) {
  struct finish f = {.fd = -1};
  enum nw_trace_result result = finish_open(&f, folder, error);
  if (result == NW_TRACE_OK)
    result = finish_all(&f, flags, error);
  if (f.fd >= 0)
    close(f.fd);
  nw_spool_detach(&f.spool);
  free(f.path);
  free(f.streams);
  free(f.programs);
  free(f.settled);
  free(f.complete);
  free(f.sequence);
  return result;
}
