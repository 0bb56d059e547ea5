/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "trace/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "trace/format.h"

#define CONTROL_MAGIC "nwspool1"
#define STREAM_MAGIC "nwstrm_1"

_Static_assert(offsetof(struct nw_spool_stream, words) == 4096, "buffer begins at the second page");

void nw_spool_fail(struct nw_spool *spool, const char *format, ...) {
  if (atomic_exchange(&spool->control->failed, 1) != 0)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(spool->control->failure, sizeof spool->control->failure, format, arguments);
  va_end(arguments);
}

/* Moves a descriptor out of the way of the recorded program's own. */
static int move_high(int fd) {
  struct rlimit limit;
  if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fd;
  int low = limit.rlim_cur > 1024 ? 1000 : limit.rlim_cur > 64 ? (int)limit.rlim_cur - 24 : 3;
  int high = fcntl(fd, F_DUPFD_CLOEXEC, low);
  if (high < 0)
    return fd;
  close(fd);
  return high;
}

static bool keep(struct nw_spool_file *file, int fd) {
  struct stat status;
  file->fd = move_high(fd);
  if (file->fd < 0 || fstat(file->fd, &status) != 0)
    return false;
  file->device = status.st_dev;
  file->inode = status.st_ino;
  return true;
}

/* Whether the descriptor still is the file that it was. */
static bool is_kept(const struct nw_spool_file *file) {
  struct stat status;
  return file->fd >= 0 && fstat(file->fd, &status) == 0 && status.st_dev == file->device &&
         status.st_ino == file->inode;
}

/* Opens anew what the recorded program closed. */
static bool ensure_files(struct nw_spool *spool) {
  if (!is_kept(&spool->directory) &&
      !keep(&spool->directory, open(spool->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
    return false;
  return is_kept(&spool->trace) ||
         keep(&spool->trace, openat(spool->directory.fd, "trace", O_WRONLY | O_CLOEXEC));
}

bool nw_spool_attach(struct nw_spool *spool, const char *folder) {
  memset(spool, 0, sizeof *spool);
  spool->directory.fd = spool->trace.fd = -1;
  spool->folder = strdup(folder);
  if (spool->folder == NULL || !ensure_files(spool))
    return false;
  int fd = openat(spool->directory.fd, "control", O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return false;
  void *map = mmap(NULL, sizeof *spool->control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED)
    return false;
  spool->control = map;
  return memcmp(spool->control->magic, CONTROL_MAGIC, 8) == 0;
}

void nw_spool_detach(struct nw_spool *spool) {
  if (spool->control != NULL)
    munmap(spool->control, sizeof *spool->control);
  if (is_kept(&spool->trace))
    close(spool->trace.fd);
  if (is_kept(&spool->directory))
    close(spool->directory.fd);
  free(spool->folder);
  memset(spool, 0, sizeof *spool);
}

uint32_t nw_spool_reserve(struct nw_spool *spool) {
  return atomic_fetch_add(&spool->control->next_stream, 1);
}

/* Opens and maps the file of a stream. */
static struct nw_spool_stream *map_stream(struct nw_spool *spool, uint32_t id, int flags) {
  char name[32];
  if (!ensure_files(spool))
    return NULL;
  snprintf(name, sizeof name, "stream-%u", id);
  int fd = openat(spool->directory.fd, name, O_RDWR | O_CLOEXEC | flags, 0666);
  if (fd < 0)
    return NULL;
  /* The disk space is taken now: a full disk must not become a SIGBUS later. */
  int error = posix_fallocate(fd, 0, sizeof(struct nw_spool_stream));
  void *map = error != 0 ? MAP_FAILED
                         : mmap(NULL, sizeof(struct nw_spool_stream), PROT_READ | PROT_WRITE,
                                MAP_SHARED, fd, 0);
  if (error == 0)
    error = errno;
  close(fd);
  errno = error;
  return map == MAP_FAILED ? NULL : map;
}

/* Makes the writer of a mapped stream; takes care of a failure. */
static struct nw_spool_writer *make_writer(struct nw_spool *spool, uint32_t id,
                                           struct nw_spool_stream *shared) {
  struct nw_spool_writer *writer = calloc(1, sizeof *writer);
  if (shared != NULL && writer != NULL) {
    *writer = (struct nw_spool_writer){shared, spool, ZSTD_createCCtx(),
                                       malloc(nw_chunk_bound(NW_TRACE_CHUNK_WORDS))};
    if (writer->context != NULL && writer->out != NULL)
      return writer;
  }
  nw_spool_fail(spool, "%s/stream-%u: cannot make the buffer: %s", spool->folder, id,
                strerror(errno));
  if (writer != NULL) {
    ZSTD_freeCCtx(writer->context);
    free(writer->out);
  }
  free(writer);
  return NULL;
}

struct nw_spool_writer *nw_spool_start(struct nw_spool *spool, uint32_t id, uint32_t parent,
                                       uint64_t parent_word) {
  struct nw_spool_stream *shared = NULL;
  if (id >= NW_TRACE_STREAMS_MAX)
    errno = EMFILE;
  else
    shared = map_stream(spool, id, O_CREAT | O_EXCL);
  if (shared != NULL) {
    shared->stream = id;
    shared->parent = parent;
    shared->parent_word = parent_word;
    memcpy(shared->magic, STREAM_MAGIC, 8);
  }
  return make_writer(spool, id, shared);
}

struct nw_spool_writer *nw_spool_continue(struct nw_spool *spool, uint32_t id) {
  struct nw_spool_stream *shared = map_stream(spool, id, 0);
  if (shared != NULL && (memcmp(shared->magic, STREAM_MAGIC, 8) != 0 || shared->stream != id)) {
    munmap(shared, sizeof *shared);
    shared = NULL;
    errno = EINVAL;
  }
  return make_writer(spool, id, shared);
}

void nw_spool_stop(struct nw_spool_writer *writer, bool release) {
  if (writer == NULL)
    return;
  char name[32];
  snprintf(name, sizeof name, "stream-%u", writer->shared->stream);
  munmap(writer->shared, sizeof *writer->shared);
  if (release && ensure_files(writer->spool)) {
    int fd = openat(writer->spool->directory.fd, name, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
      /* Best effort: what stays allocated is removed with the folder. */
      if (ftruncate(fd, offsetof(struct nw_spool_stream, words)) != 0)
        errno = 0;
      close(fd);
    }
  }
  ZSTD_freeCCtx(writer->context);
  free(writer->out);
  free(writer);
}

bool nw_spool_flush(struct nw_spool_writer *writer) {
  struct nw_spool_stream *shared = writer->shared;
  struct nw_spool *spool = writer->spool;
  size_t count = (size_t)atomic_load_explicit(&shared->count, memory_order_relaxed);
  if (count == 0)
    return true;
  if (atomic_load(&spool->control->failed) != 0)
    return false;
  struct nw_chunk_header chunk = {
      .stream = shared->stream, .sequence = shared->sequence, .first_word = shared->first_word};
  size_t size = nw_chunk_encode(writer->context, shared->words, count, &chunk, writer->out,
                                nw_chunk_bound(NW_TRACE_CHUNK_WORDS));
  if (size == 0) {
    nw_spool_fail(spool, "%s/stream-%u: its records are not valid", spool->folder, shared->stream);
    return false;
  }
  uint64_t offset = atomic_fetch_add(&spool->control->file_end, size);
  if (!ensure_files(spool) || !nw_write_at(spool->trace.fd, offset, writer->out, size)) {
    nw_spool_fail(spool, "%s/trace: offset %llu: cannot write: %s", spool->folder,
                  (unsigned long long)offset, strerror(errno));
    return false;
  }
  atomic_fetch_add(&spool->control->references, nw_trace_references(&chunk.counts));
  atomic_store_explicit(&shared->count, 0, memory_order_release);
  shared->first_word += count;
  atomic_signal_fence(memory_order_seq_cst);
  shared->sequence++;
  return true;
}

bool nw_spool_event(struct nw_spool_writer *writer, enum nw_event event, const uint64_t *operands,
                    size_t count) {
  struct nw_spool_stream *shared = writer->shared;
  uint64_t n = atomic_load_explicit(&shared->count, memory_order_relaxed);
  if (n + count + 1 > NW_TRACE_CHUNK_WORDS) {
    if (!nw_spool_flush(writer))
      return false;
    n = 0;
  }
  shared->words[n] = nw_rec_make(NW_REC_EVENT, (uint32_t)event, count);
  memcpy(&shared->words[n + 1], operands, count * sizeof *operands);
  atomic_store_explicit(&shared->count, n + 1 + count, memory_order_release);
  return n + 1 + count < NW_TRACE_CHUNK_WORDS || nw_spool_flush(writer);
}
