/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a trace file other than chunks: numbers, checksums, the header and the trailer. */
#include "trace/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum nw_trace_result nw_trace_fail(struct nw_trace_error *error, enum nw_trace_result result,
                                   uint64_t offset, const char *format, ...) {
  if (error == NULL)
    return result;
  error->result = result;
  error->offset = offset;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  return result;
}

uint32_t nw_get32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t nw_get64(const uint8_t *p) {
  return (uint64_t)nw_get32(p) | (uint64_t)nw_get32(p + 4) << 32;
}

void nw_put32(uint8_t *p, uint32_t value) {
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t)(value >> (8 * i));
}

void nw_put64(uint8_t *p, uint64_t value) {
  nw_put32(p, (uint32_t)value);
  nw_put32(p + 4, (uint32_t)(value >> 32));
}

uint64_t nw_checksum(const struct nw_span *spans, size_t count) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (size_t i = 0; i < count; i++)
    XXH3_64bits_update(&state, spans[i].data, spans[i].bytes);
  return XXH3_64bits_digest(&state);
}

enum nw_trace_result nw_read_at(int fd, const char *path, uint64_t offset, void *data, size_t bytes,
                                struct nw_trace_error *error) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = pread(fd, (char *)data + done, bytes - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return nw_trace_fail(error, NW_TRACE_IO, offset, "%s: offset %llu: %s", path,
                           (unsigned long long)offset, strerror(errno));
    if (got == 0)
      return nw_trace_fail(error, NW_TRACE_TRUNCATED, offset + done,
                           "%s: ends at offset %llu, expected %zu more bytes", path,
                           (unsigned long long)(offset + done), bytes - done);
    done += (size_t)got;
  }
  return NW_TRACE_OK;
}

bool nw_write_at(int fd, uint64_t offset, const void *data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t put = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(offset + done));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      if (put == 0)
        errno = ENOSPC;
      return false;
    }
    done += (size_t)put;
  }
  return true;
}

/* Offsets in the fixed part of the header. */
enum {
  H_VERSION = 8,
  H_SIZE = 12,
  H_PAGE_SIZE = 16,
  H_ARGC = 20,
  H_TIME = 24,
  H_ZERO = 32,
  H_CHECKSUM = 56,
};

static uint64_t header_checksum(const uint8_t *raw, size_t size) {
  struct nw_span spans[] = {{raw, H_CHECKSUM}, {raw + NW_HEADER_FIXED, size - NW_HEADER_FIXED}};
  return nw_checksum(spans, 2);
}

enum nw_trace_result nw_header_encode(const struct nw_trace_header *header, uint8_t **bytes,
                                      size_t *size, struct nw_trace_error *error) {
  const char *fixed[] = {header->architecture, header->target, header->recorder};
  size_t total = NW_HEADER_FIXED;
  for (size_t i = 0; i < 3 + header->argc; i++)
    total += strlen(i < 3 ? fixed[i] : header->argv[i - 3]) + 1;
  if (total > NW_TRACE_HEADER_BYTES_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, 0, "the command line has %zu bytes, at most %u fit",
                         total, NW_TRACE_HEADER_BYTES_MAX);
  uint8_t *raw = calloc(1, total);
  if (raw == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "out of memory");
  memcpy(raw, NW_HEADER_MAGIC, 8);
  nw_put32(raw + H_VERSION, NW_FORMAT_VERSION);
  nw_put32(raw + H_SIZE, (uint32_t)total);
  nw_put32(raw + H_PAGE_SIZE, header->page_size);
  nw_put32(raw + H_ARGC, (uint32_t)header->argc);
  nw_put64(raw + H_TIME, header->time);
  uint8_t *at = raw + NW_HEADER_FIXED;
  for (size_t i = 0; i < 3 + header->argc; i++) {
    const char *string = i < 3 ? fixed[i] : header->argv[i - 3];
    size_t length = strlen(string) + 1;
    memcpy(at, string, length);
    at += length;
  }
  nw_put64(raw + H_CHECKSUM, header_checksum(raw, total));
  *bytes = raw;
  *size = total;
  return NW_TRACE_OK;
}

/* Takes the next string of the header; NULL if it has no end. */
static const char *next_string(const uint8_t **at, const uint8_t *end) {
  const uint8_t *start = *at;
  const uint8_t *stop = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;
  if (stop == NULL)
    return NULL;
  *at = stop + 1;
  return (const char *)start;
}

static enum nw_trace_result header_strings(const char *path, const uint8_t *raw, size_t size,
                                           struct nw_trace_header *header, const char ***argv,
                                           struct nw_trace_error *error) {
  const uint8_t *at = raw + NW_HEADER_FIXED;
  const uint8_t *end = raw + size;
  if (header->argc > size)
    return nw_trace_fail(error, NW_TRACE_LIMIT, H_ARGC, "%s: offset %d: %zu arguments in %zu bytes",
                         path, H_ARGC, header->argc, size);
  *argv = calloc(header->argc + 1, sizeof **argv);
  if (*argv == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  header->architecture = next_string(&at, end);
  header->target = next_string(&at, end);
  header->recorder = next_string(&at, end);
  const char *last = header->recorder;
  for (size_t i = 0; i < header->argc && last != NULL; i++)
    last = (*argv)[i] = next_string(&at, end);
  header->argv = *argv;
  if (header->architecture == NULL || header->target == NULL || last == NULL || at != end)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, NW_HEADER_FIXED,
                         "%s: offset %u: the header's strings do not fill its %zu bytes", path,
                         NW_HEADER_FIXED, size);
  return NW_TRACE_OK;
}

/* Checks what can be checked before the header's size is believed. */
static enum nw_trace_result header_fixed(const char *path, const uint8_t fixed[NW_HEADER_FIXED],
                                         uint64_t file_bytes, struct nw_trace_error *error) {
  if (memcmp(fixed, NW_HEADER_MAGIC, 8) != 0)
    return nw_trace_fail(error, NW_TRACE_NOT_TRACE, 0, "%s: offset 0: not a nestwalk trace", path);
  uint32_t version = nw_get32(fixed + H_VERSION);
  if (version != NW_FORMAT_VERSION)
    return nw_trace_fail(error, NW_TRACE_VERSION, H_VERSION,
                         "%s: offset %d: found version %u of the trace format, expected %u", path,
                         H_VERSION, version, NW_FORMAT_VERSION);
  uint32_t size = nw_get32(fixed + H_SIZE);
  if (size < NW_HEADER_FIXED || size > NW_TRACE_HEADER_BYTES_MAX)
    return nw_trace_fail(error, NW_TRACE_LIMIT, H_SIZE,
                         "%s: offset %d: found a header of %u bytes, expected %u to %u", path,
                         H_SIZE, size, NW_HEADER_FIXED, NW_TRACE_HEADER_BYTES_MAX);
  if (size > file_bytes)
    return nw_trace_fail(error, NW_TRACE_TRUNCATED, file_bytes,
                         "%s: ends at offset %llu, in its header of %u bytes", path,
                         (unsigned long long)file_bytes, size);
  return NW_TRACE_OK;
}

enum nw_trace_result nw_header_read(int fd, const char *path, uint64_t file_bytes,
                                    struct nw_trace_header *header, uint8_t **raw, size_t *size,
                                    const char ***argv, struct nw_trace_error *error) {
  uint8_t fixed[NW_HEADER_FIXED];
  size_t magic = file_bytes < 8 ? (size_t)file_bytes : 8;
  enum nw_trace_result result = nw_read_at(fd, path, 0, fixed, magic, error);
  if (result != NW_TRACE_OK)
    return result;
  if (magic > 0 && memcmp(fixed, NW_HEADER_MAGIC, magic) != 0)
    return nw_trace_fail(error, NW_TRACE_NOT_TRACE, 0, "%s: offset 0: not a nestwalk trace", path);
  result = nw_read_at(fd, path, 0, fixed, sizeof fixed, error);
  if (result == NW_TRACE_OK)
    result = header_fixed(path, fixed, file_bytes, error);
  if (result != NW_TRACE_OK)
    return result;
  *size = nw_get32(fixed + H_SIZE);
  *raw = malloc(*size);
  if (*raw == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  result = nw_read_at(fd, path, 0, *raw, *size, error);
  if (result != NW_TRACE_OK)
    return result;
  uint64_t expected = nw_get64(*raw + H_CHECKSUM);
  uint64_t found = header_checksum(*raw, *size);
  if (expected != found)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, 0,
                         "%s: offset 0: the header is damaged: checksum %016llx, expected %016llx",
                         path, (unsigned long long)found, (unsigned long long)expected);
  header->version = NW_FORMAT_VERSION;
  header->page_size = nw_get32(*raw + H_PAGE_SIZE);
  header->argc = nw_get32(*raw + H_ARGC);
  header->time = nw_get64(*raw + H_TIME);
  header->file_bytes = file_bytes;
  if (header->page_size != 4096)
    return nw_trace_fail(error, NW_TRACE_LIMIT, H_PAGE_SIZE,
                         "%s: offset %d: found a page size of %u, expected 4096", path, H_PAGE_SIZE,
                         header->page_size);
  return header_strings(path, *raw, *size, header, argv, error);
}

void nw_trailer_encode(const struct nw_trailer *trailer, uint8_t out[NW_TRAILER]) {
  memset(out, 0, NW_TRAILER);
  memcpy(out, NW_TRAILER_MAGIC, 8);
  nw_put64(out + 8, trailer->index_offset);
  nw_put64(out + 16, trailer->index_bytes);
  nw_put32(out + 24, trailer->flags);
  nw_put32(out + 28, NW_FORMAT_VERSION);
  nw_put64(out + 32, trailer->file_checksum);
  nw_put64(out + 56, nw_checksum(&(struct nw_span){out, 56}, 1));
}
