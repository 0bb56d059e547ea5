/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks: checking and counting records, compressing, decompressing. */
#include <string.h>

#include <zstd.h>

#include "trace/format.h"

/* zstd's fastest regular level: the recorder compresses while the program runs. */
#define COMPRESSION_LEVEL 1

/* Offsets in a chunk's header. The check word lets a scan trust a header before it has read the
 * payload: it is the low half of the checksum of the header's other bytes before the checksum. */
enum {
  C_MAGIC = 0,
  C_STREAM = 4,
  C_SEQUENCE = 8,
  C_WORDS = 12,
  C_BYTES = 16,
  C_RECORDS = 20,
  C_INSTRUCTIONS = 24,
  C_LOADS = 28,
  C_STORES = 32,
  C_SYSCALLS = 36,
  C_EVENTS = 40,
  C_CHECK = 44,
  C_FIRST_WORD = 48,
  C_CHECKSUM = 56,
};

/* Words are compressed as they are in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "trace words are little-endian");

/* A block's length times the words of the largest chunk must fit the header's 32 bits. */
_Static_assert((uint64_t)NW_REC_AUX_MAX *NW_TRACE_CHUNK_WORDS_MAX <= UINT32_MAX,
               "instruction counts of chunks must fit 32 bits");

void nw_counts_add(struct nw_trace_counts *sum, const struct nw_trace_counts *counts) {
  sum->words += counts->words;
  sum->records += counts->records;
  sum->instructions += counts->instructions;
  sum->loads += counts->loads;
  sum->stores += counts->stores;
  sum->syscalls += counts->syscalls;
  sum->events += counts->events;
}

bool nw_chunk_count(const uint64_t *words, size_t count, struct nw_trace_counts *counts,
                    size_t *bad) {
  uint64_t kinds[16] = {0};
  uint64_t instructions = 0;
  size_t i;
  for (i = 0; i < count; i++) {
    uint64_t record = words[i];
    enum nw_rec_kind kind = nw_rec_kind(record);
    kinds[kind]++;
    if (kind == NW_REC_BLOCK) {
      uint32_t length = nw_rec_aux(record);
      instructions += length;
      if (length == 0)
        break;
    } else if (kind == NW_REC_EVENT) {
      uint64_t operands = nw_rec_va(record);
      if (operands > NW_EVENT_OPERANDS_MAX || operands >= count - i)
        break;
      i += (size_t)operands;
    } else if (kind < NW_REC_BLOCK || kind > NW_REC_EVENT) {
      break;
    }
  }
  if (i < count) {
    *bad = i;
    return false;
  }
  *counts = (struct nw_trace_counts){
      .words = count,
      .records = kinds[NW_REC_BLOCK] + kinds[NW_REC_LOAD] + kinds[NW_REC_STORE] +
                 kinds[NW_REC_SYSCALL] + kinds[NW_REC_EVENT],
      .instructions = instructions,
      .loads = kinds[NW_REC_LOAD],
      .stores = kinds[NW_REC_STORE],
      .syscalls = kinds[NW_REC_SYSCALL],
      .events = kinds[NW_REC_EVENT],
  };
  return true;
}

static uint32_t header_check(const uint8_t raw[NW_CHUNK_HEADER]) {
  struct nw_span spans[] = {{raw, C_CHECK}, {raw + C_FIRST_WORD, C_CHECKSUM - C_FIRST_WORD}};
  return (uint32_t)nw_checksum(spans, 2);
}

static uint64_t chunk_checksum(const uint8_t raw[NW_CHUNK_HEADER], const void *payload,
                               size_t bytes) {
  struct nw_span spans[] = {{raw, C_CHECKSUM}, {payload, bytes}};
  return nw_checksum(spans, 2);
}

uint64_t nw_chunk_header_encode(const struct nw_chunk_header *chunk, const void *payload,
                                uint8_t out[NW_CHUNK_HEADER]) {
  nw_put32(out + C_MAGIC, chunk->padding ? NW_PADDING_MAGIC : NW_CHUNK_MAGIC);
  nw_put32(out + C_STREAM, chunk->stream);
  nw_put32(out + C_SEQUENCE, chunk->sequence);
  nw_put32(out + C_WORDS, chunk->words);
  nw_put32(out + C_BYTES, chunk->bytes);
  nw_put32(out + C_RECORDS, (uint32_t)chunk->counts.records);
  nw_put32(out + C_INSTRUCTIONS, (uint32_t)chunk->counts.instructions);
  nw_put32(out + C_LOADS, (uint32_t)chunk->counts.loads);
  nw_put32(out + C_STORES, (uint32_t)chunk->counts.stores);
  nw_put32(out + C_SYSCALLS, (uint32_t)chunk->counts.syscalls);
  nw_put32(out + C_EVENTS, (uint32_t)chunk->counts.events);
  nw_put64(out + C_FIRST_WORD, chunk->first_word);
  nw_put32(out + C_CHECK, header_check(out));
  uint64_t checksum = chunk_checksum(out, payload, chunk->bytes);
  nw_put64(out + C_CHECKSUM, checksum);
  return checksum;
}

enum nw_chunk_verdict nw_chunk_header_decode(const uint8_t in[NW_CHUNK_HEADER],
                                             struct nw_chunk_header *chunk) {
  uint32_t magic = nw_get32(in + C_MAGIC);
  if (magic != NW_CHUNK_MAGIC && magic != NW_PADDING_MAGIC)
    return NW_CHUNK_BAD_MAGIC;
  if (nw_get32(in + C_CHECK) != header_check(in))
    return NW_CHUNK_BAD_HEADER;
  *chunk = (struct nw_chunk_header){
      .padding = magic == NW_PADDING_MAGIC,
      .stream = nw_get32(in + C_STREAM),
      .sequence = nw_get32(in + C_SEQUENCE),
      .words = nw_get32(in + C_WORDS),
      .bytes = nw_get32(in + C_BYTES),
      .first_word = nw_get64(in + C_FIRST_WORD),
      .counts = {.words = nw_get32(in + C_WORDS),
                 .records = nw_get32(in + C_RECORDS),
                 .instructions = nw_get32(in + C_INSTRUCTIONS),
                 .loads = nw_get32(in + C_LOADS),
                 .stores = nw_get32(in + C_STORES),
                 .syscalls = nw_get32(in + C_SYSCALLS),
                 .events = nw_get32(in + C_EVENTS)},
      .checksum = nw_get64(in + C_CHECKSUM),
  };
  if (chunk->padding)
    return NW_CHUNK_GOOD;
  if (chunk->words == 0 || chunk->words > NW_TRACE_CHUNK_WORDS_MAX ||
      chunk->bytes > NW_TRACE_CHUNK_BYTES_MAX || chunk->stream >= NW_TRACE_STREAMS_MAX)
    return NW_CHUNK_BAD_LIMIT;
  return NW_CHUNK_GOOD;
}

enum nw_trace_result nw_chunk_header_read(int fd, const char *path, uint64_t offset, uint64_t end,
                                          struct nw_chunk_header *chunk,
                                          uint8_t raw[NW_CHUNK_HEADER],
                                          struct nw_trace_error *error) {
  unsigned long long at = offset;
  if (end - offset < NW_CHUNK_HEADER)
    return nw_trace_fail(error, NW_TRACE_TRUNCATED, offset,
                         "%s: offset %llu: found %llu bytes, expected a chunk's header of %u", path,
                         at, (unsigned long long)(end - offset), NW_CHUNK_HEADER);
  enum nw_trace_result result = nw_read_at(fd, path, offset, raw, NW_CHUNK_HEADER, error);
  if (result != NW_TRACE_OK)
    return result;
  switch (nw_chunk_header_decode(raw, chunk)) {
  case NW_CHUNK_BAD_MAGIC:
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: found 0x%08x, expected a chunk (0x%08x)", path, at,
                         nw_get32(raw), NW_CHUNK_MAGIC);
  case NW_CHUNK_BAD_HEADER:
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: the chunk's header is damaged: check word %08x, "
                         "expected %08x",
                         path, at, header_check(raw), nw_get32(raw + C_CHECK));
  case NW_CHUNK_BAD_LIMIT:
    return nw_trace_fail(error, NW_TRACE_LIMIT, offset,
                         "%s: offset %llu: found a chunk of %u words in %u bytes of stream %u, "
                         "expected 1 to %u words, at most %u bytes, a stream below %u",
                         path, at, chunk->words, chunk->bytes, chunk->stream,
                         NW_TRACE_CHUNK_WORDS_MAX, NW_TRACE_CHUNK_BYTES_MAX, NW_TRACE_STREAMS_MAX);
  case NW_CHUNK_GOOD:
    break;
  }
  uint64_t room = end - offset - NW_CHUNK_HEADER;
  if (chunk->bytes > room)
    return nw_trace_fail(error, NW_TRACE_TRUNCATED, offset,
                         "%s: offset %llu: a chunk of %u bytes is cut short after %llu", path, at,
                         chunk->bytes, (unsigned long long)room);
  return NW_TRACE_OK;
}

enum nw_trace_result nw_chunk_check(const char *path, uint64_t offset,
                                    const struct nw_chunk_header *chunk,
                                    const uint8_t raw[NW_CHUNK_HEADER], const void *payload,
                                    struct nw_trace_error *error) {
  uint64_t found = chunk_checksum(raw, payload, chunk->bytes);
  if (found == chunk->checksum)
    return NW_TRACE_OK;
  return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                       "%s: offset %llu: the chunk is damaged: checksum %016llx, expected %016llx",
                       path, (unsigned long long)offset, (unsigned long long)found,
                       (unsigned long long)chunk->checksum);
}

size_t nw_chunk_bound(size_t words) {
  return NW_CHUNK_HEADER + ZSTD_compressBound(words * sizeof(uint64_t));
}

size_t nw_chunk_encode(void *context, const uint64_t *words, size_t count,
                       struct nw_chunk_header *chunk, uint8_t *out, size_t out_bytes) {
  size_t bad;
  uint8_t *payload = out + NW_CHUNK_HEADER;
  if (!nw_chunk_count(words, count, &chunk->counts, &bad))
    return 0;
  size_t bytes = ZSTD_compressCCtx(context, payload, out_bytes - NW_CHUNK_HEADER, words,
                                   count * sizeof *words, COMPRESSION_LEVEL);
  if (ZSTD_isError(bytes))
    return 0;
  chunk->padding = false;
  chunk->words = (uint32_t)count;
  chunk->bytes = (uint32_t)bytes;
  chunk->checksum = nw_chunk_header_encode(chunk, payload, out);
  return NW_CHUNK_HEADER + bytes;
}

enum nw_trace_result nw_chunk_decode(void *context, const char *path, uint64_t offset,
                                     const struct nw_chunk_header *chunk, const void *payload,
                                     uint64_t *words, struct nw_trace_error *error) {
  unsigned long long at = offset;
  size_t expected = chunk->words * sizeof *words;
  size_t bytes = ZSTD_decompressDCtx(context, words, expected, payload, chunk->bytes);
  if (ZSTD_isError(bytes))
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: the chunk does not decompress: %s", path, at,
                         ZSTD_getErrorName(bytes));
  if (bytes != expected)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: the chunk has %zu bytes of records, expected %zu", path,
                         at, bytes, expected);
  struct nw_trace_counts counts;
  size_t bad;
  if (!nw_chunk_count(words, chunk->words, &counts, &bad))
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: word %zu of the chunk, 0x%016llx, is no valid record",
                         path, at, bad, (unsigned long long)words[bad]);
  if (memcmp(&counts, &chunk->counts, sizeof counts) != 0)
    return nw_trace_fail(error, NW_TRACE_DAMAGED, offset,
                         "%s: offset %llu: the chunk's counts contradict its records", path, at);
  return NW_TRACE_OK;
}
