/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DynamoRIO's drmemtrace, post-processed: packed records of 12 bytes, a 16-bit type, a 16-bit size
 * and 64 bits that are an address as a rule. Threads take turns; a THREAD record says whose turn it
 * is.
 */
#include "trace/foreign.h"
#include "trace/format.h"

#define RECORD 12u

enum {
  THREAD = 22,
  PID = 24,
  HEADER = 25,
  FOOTER = 26,
};

/* What a record of each type is to us. */
enum meaning {
  UNKNOWN = 0,
  LOAD,
  STORE,
  INSTRUCTION,
  BUNDLE,    /* lengths of instructions that follow the one before */
  IGNORED,   /* prefetches, flushes, markers, encodings, instructions that are not fetched again */
  IS_THREAD, /* `address` is its number */
  IS_PROCESS,
  IS_HEADER,
  IS_FOOTER,
};

static const uint8_t meanings[50] = {
    [0] = LOAD,           [1] = STORE,          [2] = IGNORED,
    [3] = IGNORED,        [4] = IGNORED,        [5] = IGNORED, /* prefetches */
    [6] = IGNORED,        [7] = IGNORED,        [8] = IGNORED,
    [9] = IGNORED,        [10] = INSTRUCTION,   [11] = INSTRUCTION,
    [12] = INSTRUCTION,   [13] = INSTRUCTION,   [14] = INSTRUCTION,
    [15] = INSTRUCTION,   [16] = INSTRUCTION, /* jumps, calls, returns */
    [17] = BUNDLE,        [18] = IGNORED,       [19] = IGNORED,
    [20] = IGNORED,       [21] = IGNORED, /* flushes */
    [THREAD] = IS_THREAD, [23] = IGNORED, /* a thread's end */
    [PID] = IS_PROCESS,   [HEADER] = IS_HEADER, [FOOTER] = IS_FOOTER,
    [27] = IGNORED,                       /* hardware prefetch */
    [28] = IGNORED,                       /* marker */
    [29] = IGNORED,       [30] = IGNORED, /* instructions not fetched: repeats of a string operation */
    [31] = INSTRUCTION,                   /* sysenter */
    [32] = IGNORED,       [33] = IGNORED,       [34] = IGNORED,
    [35] = IGNORED,       [36] = IGNORED, /* prefetches */
    [37] = IGNORED,       [38] = IGNORED,       [39] = IGNORED,
    [40] = IGNORED,       [41] = IGNORED,       [42] = IGNORED,
    [43] = IGNORED,       [44] = IGNORED,       [45] = IGNORED,
    [46] = IGNORED,       [47] = IGNORED,     /* an encoding */
    [48] = INSTRUCTION,   [49] = INSTRUCTION, /* conditional jumps, taken or not */
};

struct reader {
  struct nw_input *source;
  const struct nw_foreign_sink *sink;
  uint64_t process, thread;
  uint64_t next; /* address behind the last instruction */
};

static uint32_t get16(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint64_t address_of(const uint8_t *record) {
  return (uint64_t)nw_get32(record + 4) | (uint64_t)nw_get32(record + 8) << 32;
}

static enum meaning meaning_of(const uint8_t *record) {
  uint32_t type = get16(record);
  return type < sizeof meanings ? (enum meaning)meanings[type] : UNKNOWN;
}

/* A trace begins with its version; a thread's file with the thread. */
bool nw_drmemtrace_detect(const uint8_t *bytes, size_t size) {
  if (size < 2 * RECORD || get16(bytes) != HEADER || address_of(bytes) > 1000)
    return false;
  for (size_t at = 0; at + RECORD <= size; at += RECORD)
    if (meaning_of(bytes + at) == UNKNOWN)
      return false;
  return true;
}

static bool hand_on_bundle(struct reader *r, const uint8_t *record) {
  uint32_t count = get16(record + 2);
  for (uint32_t i = 0; i < count && i < 8; i++) {
    if (!r->sink->instruction(r->sink->context, r->next, record[4 + i]))
      return false;
    r->next += record[4 + i];
  }
  return true;
}

static bool hand_on(struct reader *r, const uint8_t *record) {
  const struct nw_foreign_sink *sink = r->sink;
  uint32_t size = get16(record + 2);
  uint64_t address = address_of(record);
  switch (meaning_of(record)) {
  case LOAD:
    return sink->data(sink->context, false, address, size);
  case STORE:
    return sink->data(sink->context, true, address, size);
  case INSTRUCTION:
    r->next = address + size;
    return sink->instruction(sink->context, address, size);
  case BUNDLE:
    return hand_on_bundle(r, record);
  case IS_PROCESS: /* comes after the number of its thread */
    r->process = address;
    return sink->thread(sink->context, r->process, r->thread);
  case IS_THREAD:
    r->thread = address;
    return sink->thread(sink->context, r->process, r->thread);
  default:
    return true;
  }
}

static enum nw_trace_result unknown_type(struct nw_input *source, const uint8_t *record,
                                         struct nw_trace_error *error) {
  unsigned long long at = nw_source_offset(source);
  return nw_trace_fail(error, NW_TRACE_DAMAGED, at,
                       "%s: offset %llu%s: found a record of type %u, expected one below %zu",
                       nw_source_path(source), at, nw_source_unpacked(source), get16(record),
                       sizeof meanings);
}

enum nw_trace_result nw_drmemtrace_read(struct nw_input *source, const struct nw_foreign_sink *sink,
                                        struct nw_trace_error *error) {
  struct reader r = {.source = source, .sink = sink};
  bool footer = false;
  for (;;) {
    const uint8_t *record;
    enum nw_trace_result result = nw_foreign_record(source, RECORD, &record, error);
    if (result != NW_TRACE_OK)
      return result;
    if (record == NULL)
      break;
    if (meaning_of(record) == UNKNOWN)
      return unknown_type(source, record, error);
    footer = meaning_of(record) == IS_FOOTER;
    if (!hand_on(&r, record))
      return NW_TRACE_OK;
    nw_source_take(source, RECORD);
  }
  unsigned long long at = nw_source_offset(source);
  return footer ? NW_TRACE_OK
                : nw_trace_fail(error, NW_TRACE_TRUNCATED, at,
                                "%s: offset %llu%s: found the end, expected a footer before it",
                                nw_source_path(source), at, nw_source_unpacked(source));
}
