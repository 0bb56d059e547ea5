/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out how much of a file without index is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "trace/format.h"

/* Memory of a scan. */
struct scan {
  int fd;
  const char *path;
  uint8_t *seen; /* one bit for each possible stream */
  uint8_t *payload;
  uint64_t *words;
  ZSTD_DCtx *context;
};

static bool scan_open(struct scan *scan) {
  scan->seen = calloc(1, NW_TRACE_STREAMS_MAX / 8);
  scan->payload = malloc(NW_TRACE_CHUNK_BYTES_MAX);
  scan->words = malloc(NW_TRACE_CHUNK_WORDS_MAX * sizeof *scan->words);
  scan->context = ZSTD_createDCtx();
  return scan->seen && scan->payload && scan->words && scan->context;
}

static void scan_close(struct scan *scan) {
  free(scan->seen);
  free(scan->payload);
  free(scan->words);
  ZSTD_freeDCtx(scan->context);
}

static enum nw_trace_result scan_chunk(struct scan *scan, uint64_t offset, uint64_t end,
                                       struct nw_chunk_header *chunk,
                                       struct nw_trace_error *error) {
  uint8_t raw[NW_CHUNK_HEADER];
  enum nw_trace_result result =
      nw_chunk_header_read(scan->fd, scan->path, offset, end, chunk, raw, error);
  if (result == NW_TRACE_OK && chunk->bytes > NW_TRACE_CHUNK_BYTES_MAX)
    result = nw_trace_fail(error, NW_TRACE_LIMIT, offset, "%s: offset %llu: padding of %u bytes",
                           scan->path, (unsigned long long)offset, chunk->bytes);
  if (result == NW_TRACE_OK)
    result = nw_read_at(scan->fd, scan->path, offset + NW_CHUNK_HEADER, scan->payload, chunk->bytes,
                        error);
  if (result == NW_TRACE_OK)
    result = nw_chunk_check(scan->path, offset, chunk, raw, scan->payload, error);
  if (result == NW_TRACE_OK && !chunk->padding)
    result = nw_chunk_decode(scan->context, scan->path, offset, chunk, scan->payload, scan->words,
                             error);
  return result;
}

static void scan_chunks(struct scan *scan, struct nw_trace_salvage *salvage,
                        struct nw_trace_error *error) {
  struct nw_chunk_header chunk;
  while (salvage->good_bytes < salvage->file_bytes) {
    if (scan_chunk(scan, salvage->good_bytes, salvage->file_bytes, &chunk, error) != NW_TRACE_OK)
      return;
    salvage->good_bytes += NW_CHUNK_HEADER + chunk.bytes;
    if (chunk.padding)
      continue;
    uint8_t bit = (uint8_t)(1u << chunk.stream % 8);
    salvage->streams += (scan->seen[chunk.stream / 8] & bit) == 0;
    scan->seen[chunk.stream / 8] |= bit;
    salvage->chunks++;
    nw_counts_add(&salvage->counts, &chunk.counts);
  }
}

static enum nw_trace_result scan_file(struct scan *scan, struct nw_trace_salvage *salvage,
                                      struct nw_trace_error *error) {
  struct stat status;
  struct nw_trace_header header;
  uint8_t *raw = NULL;
  size_t size = 0;
  const char **argv = NULL;
  if (fstat(scan->fd, &status) != 0)
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", scan->path, strerror(errno));
  salvage->file_bytes = (uint64_t)status.st_size;
  enum nw_trace_result result =
      nw_header_read(scan->fd, scan->path, salvage->file_bytes, &header, &raw, &size, &argv, error);
  free(raw);
  free(argv);
  if (result != NW_TRACE_OK)
    return result;
  salvage->good_bytes = size;
  if (!scan_open(scan))
    result = nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", scan->path);
  else
    scan_chunks(scan, salvage, error);
  scan_close(scan);
  return result;
}

enum nw_trace_result nw_trace_scan(const char *path, struct nw_trace_salvage *salvage,
                                   struct nw_trace_error *error) {
  struct scan scan = {.path = path};
  memset(salvage, 0, sizeof *salvage);
  if (error != NULL)
    memset(error, 0, sizeof *error);
  scan.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (scan.fd < 0)
    return nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", path, strerror(errno));
  enum nw_trace_result result = scan_file(&scan, salvage, error);
  close(scan.fd);
  return result;
}
