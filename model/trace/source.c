/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "trace/format.h"

#define PACKED (64u * 1024)
#define READY (128u * 1024)

struct unpacker;

struct nw_input {
  const char *path;
  int fd;
  uint8_t packed[PACKED]; /* as read */
  size_t packed_at, packed_end;
  uint64_t read; /* bytes of the file so far */
  bool file_ended;
  const struct unpacker *unpacker;
  bool within; /* a packed stream has begun and not ended */
  union {
    z_stream gzip;
    lzma_stream xz;
    ZSTD_DStream *zstd;
  } state;
  uint8_t ready[READY]; /* unpacked */
  size_t ready_at, ready_end;
  uint64_t offset; /* of ready[ready_at] */
};

/* Turns packed bytes into ready ones; false when they are damaged. */
struct unpacker {
  const char *name;
  uint8_t magic[6];
  size_t magic_bytes;
  bool (*start)(struct nw_input *source);
  bool (*unpack)(struct nw_input *source);
  void (*stop)(struct nw_input *source);
};

/* -- plain ------------------------------------------------------------------------------------ */

static bool copy(struct nw_input *s) {
  size_t count = s->packed_end - s->packed_at, room = READY - s->ready_end;
  count = count < room ? count : room;
  memcpy(s->ready + s->ready_end, s->packed + s->packed_at, count);
  s->packed_at += count;
  s->ready_end += count;
  return true;
}

static const struct unpacker plain = {"", {0}, 0, NULL, copy, NULL};

/* -- gzip: several members may follow each other ---------------------------------------------- */

static bool gzip_start(struct nw_input *s) {
  return inflateInit2(&s->state.gzip, 15 + 16) == Z_OK;
}

static bool gzip_unpack(struct nw_input *s) {
  z_stream *z = &s->state.gzip;
  if (!s->within && inflateReset(z) != Z_OK)
    return false;
  s->within = true;
  z->next_in = s->packed + s->packed_at;
  z->avail_in = (uInt)(s->packed_end - s->packed_at);
  z->next_out = s->ready + s->ready_end;
  z->avail_out = (uInt)(READY - s->ready_end);
  int result = inflate(z, Z_NO_FLUSH);
  s->packed_at = s->packed_end - z->avail_in;
  s->ready_end = READY - z->avail_out;
  s->within = result != Z_STREAM_END;
  return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

static void gzip_stop(struct nw_input *s) {
  inflateEnd(&s->state.gzip);
}

/* -- xz --------------------------------------------------------------------------------------- */

#define XZ_MEMORY (UINT64_C(1) << 30)

static bool xz_start(struct nw_input *s) {
  s->state.xz = (lzma_stream)LZMA_STREAM_INIT;
  return lzma_stream_decoder(&s->state.xz, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
}

static bool xz_unpack(struct nw_input *s) {
  lzma_stream *z = &s->state.xz;
  z->next_in = s->packed + s->packed_at;
  z->avail_in = s->packed_end - s->packed_at;
  z->next_out = s->ready + s->ready_end;
  z->avail_out = READY - s->ready_end;
  lzma_ret result = lzma_code(z, s->file_ended ? LZMA_FINISH : LZMA_RUN);
  s->packed_at = s->packed_end - z->avail_in;
  s->ready_end = READY - z->avail_out;
  s->within = result != LZMA_STREAM_END;
  return result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR;
}

static void xz_stop(struct nw_input *s) {
  lzma_end(&s->state.xz);
}

/* -- zstd ------------------------------------------------------------------------------------- */

static bool zstd_start(struct nw_input *s) {
  s->state.zstd = ZSTD_createDStream();
  return s->state.zstd != NULL;
}

static bool zstd_unpack(struct nw_input *s) {
  ZSTD_inBuffer in = {s->packed, s->packed_end, s->packed_at};
  ZSTD_outBuffer out = {s->ready, READY, s->ready_end};
  size_t result = ZSTD_decompressStream(s->state.zstd, &out, &in);
  s->packed_at = in.pos;
  s->ready_end = out.pos;
  s->within = result != 0;
  return !ZSTD_isError(result);
}

static void zstd_stop(struct nw_input *s) {
  ZSTD_freeDStream(s->state.zstd);
}

static const struct unpacker unpackers[] = {
    {"gzip", {0x1f, 0x8b}, 2, gzip_start, gzip_unpack, gzip_stop},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, xz_start, xz_unpack, xz_stop},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_start, zstd_unpack, zstd_stop},
};

/* -- reading ---------------------------------------------------------------------------------- */

static enum nw_trace_result fill_packed(struct nw_input *s, struct nw_trace_error *error) {
  memmove(s->packed, s->packed + s->packed_at, s->packed_end - s->packed_at);
  s->packed_end -= s->packed_at;
  s->packed_at = 0;
  while (!s->file_ended && s->packed_end < PACKED) {
    ssize_t got = read(s->fd, s->packed + s->packed_end, PACKED - s->packed_end);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return nw_trace_fail(error, NW_TRACE_IO, s->read, "%s: offset %llu: %s", s->path,
                           (unsigned long long)s->read, strerror(errno));
    s->file_ended = got == 0;
    s->packed_end += (size_t)got;
    s->read += (uint64_t)got;
    if (got > 0 && s->packed_end >= 4096)
      break; /* a pipe's bytes are looked at as they come */
  }
  return NW_TRACE_OK;
}

/* Unpacks until there are `size` bytes, or no more. */
static enum nw_trace_result fill_ready(struct nw_input *s, size_t size,
                                       struct nw_trace_error *error) {
  memmove(s->ready, s->ready + s->ready_at, s->ready_end - s->ready_at);
  s->ready_end -= s->ready_at;
  s->ready_at = 0;
  while (s->ready_end < size) {
    if (s->packed_at == s->packed_end || !s->file_ended) {
      enum nw_trace_result result = fill_packed(s, error);
      if (result != NW_TRACE_OK)
        return result;
    }
    size_t before = s->ready_end, packed_before = s->packed_at;
    bool nothing = s->packed_at == s->packed_end;
    if (nothing && !s->within)
      return NW_TRACE_OK;
    bool good = s->unpacker->unpack(s);
    bool stuck = s->ready_end == before && s->packed_at == packed_before && s->file_ended;
    if (!good || (stuck && s->within)) {
      uint64_t place = s->read - (s->packed_end - s->packed_at);
      return nw_trace_fail(error, good ? NW_TRACE_TRUNCATED : NW_TRACE_DAMAGED, place,
                           "%s: offset %llu: the %s data %s (at offset %llu unpacked)", s->path,
                           (unsigned long long)place, s->unpacker->name,
                           good ? "end too early" : "are damaged",
                           (unsigned long long)(s->offset + s->ready_end));
    }
    if (stuck)
      return NW_TRACE_OK;
  }
  return NW_TRACE_OK;
}

static enum nw_trace_result choose_unpacker(struct nw_input *s, struct nw_trace_error *error) {
  enum nw_trace_result result = fill_packed(s, error);
  s->unpacker = &plain;
  for (size_t i = 0; result == NW_TRACE_OK && i < sizeof unpackers / sizeof unpackers[0]; i++) {
    const struct unpacker *u = &unpackers[i];
    if (s->packed_end < u->magic_bytes || memcmp(s->packed, u->magic, u->magic_bytes) != 0)
      continue;
    if (!u->start(s))
      return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", s->path);
    s->unpacker = u;
    s->within = true;
    break;
  }
  return result;
}

enum nw_trace_result nw_source_open(const char *path, struct nw_input **source,
                                    struct nw_trace_error *error) {
  bool standard = !strcmp(path, "-");
  struct nw_input *s = calloc(1, sizeof *s);
  *source = NULL;
  if (s == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "%s: out of memory", path);
  s->path = standard ? "standard input" : path;
  s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  enum nw_trace_result result =
      s->fd >= 0 ? choose_unpacker(s, error)
                 : nw_trace_fail(error, NW_TRACE_IO, 0, "%s: %s", path, strerror(errno));
  if (result == NW_TRACE_OK)
    *source = s;
  else
    nw_source_close(s);
  return result;
}

void nw_source_close(struct nw_input *s) {
  if (s == NULL)
    return;
  if (s->unpacker != NULL && s->unpacker->stop != NULL)
    s->unpacker->stop(s);
  if (s->fd > STDIN_FILENO)
    close(s->fd);
  free(s);
}

const char *nw_source_path(const struct nw_input *s) {
  return s->path;
}

enum nw_trace_result nw_source_peek(struct nw_input *s, size_t size, const uint8_t **bytes,
                                    size_t *got, struct nw_trace_error *error) {
  enum nw_trace_result result = NW_TRACE_OK;
  if (s->ready_end - s->ready_at < size)
    result = fill_ready(s, size, error);
  *bytes = s->ready + s->ready_at;
  *got = s->ready_end - s->ready_at;
  *got = *got < size ? *got : size;
  /* What came before the damage can be used: it is told once that is taken. */
  return *got == size ? NW_TRACE_OK : result;
}

void nw_source_take(struct nw_input *s, size_t size) {
  s->ready_at += size;
  s->offset += size;
}

uint64_t nw_source_offset(const struct nw_input *s) {
  return s->offset;
}

const char *nw_source_unpacked(const struct nw_input *s) {
  return s->unpacker == &plain ? "" : " (unpacked)";
}
