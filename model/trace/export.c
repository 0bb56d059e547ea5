/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our records to other tools' formats. A run and the accesses that follow it are handed to the
 * format together, since some put an instruction and its accesses in one record.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/convert.h"
#include "trace/format.h"

#define PAGE 4096u
#define ACCESSES 65536u /* after one run, at most: a chunk has no more words */

struct access {
  bool store;
  uint32_t bytes;
  uint64_t va;
};

/* A run of instructions, and what they access. */
struct run {
  uint64_t va;
  uint32_t count, step; /* step: bytes from one instruction to the next */
  struct access *access;
  size_t accesses;
};

struct exporter;

struct target {
  const char *name;
  bool streams; /* holds several */
  void (*begin)(struct exporter *e);
  void (*stream)(struct exporter *e, const struct nw_trace_stream *stream);
  bool (*run)(struct exporter *e, const struct run *run); /* false: e->result */
  void (*end)(struct exporter *e);
};

struct exporter {
  struct nw_trace *trace;
  const struct target *target;
  FILE *out;
  struct nw_export_losses *losses;
  struct run run;
  uint64_t word; /* index in the stream of what is looked at, for messages */
  enum nw_trace_result result;
  struct nw_trace_error *error;
};

static uint64_t instruction_at(const struct run *run, uint32_t index) {
  return run->va + (uint64_t)index * run->step;
}

static bool cannot_hold(struct exporter *e, const char *what) {
  e->result = nw_trace_fail(e->error, NW_TRACE_LIMIT, 0,
                            "%s: word %" PRIu64 " of a stream: %s cannot hold %s",
                            nw_trace_path(e->trace), e->word, e->target->name, what);
  return false;
}

/* -- lackey ----------------------------------------------------------------------------------- */

static bool write_lackey(struct exporter *e, const struct run *run) {
  for (uint32_t i = 0; i < run->count; i++)
    fprintf(e->out, "I  %08" PRIx64 ",%" PRIu32 "\n", instruction_at(run, i), run->step);
  for (size_t i = 0; i < run->accesses; i++)
    fprintf(e->out, " %c %08" PRIx64 ",%" PRIu32 "\n", run->access[i].store ? 'S' : 'L',
            run->access[i].va, run->access[i].bytes);
  return true;
}

/* -- ChampSim --------------------------------------------------------------------------------- */

#define CHAMPSIM 64u
#define STORES 2u
#define LOADS 4u

static void put64(uint8_t *at, uint64_t value) {
  for (unsigned i = 0; i < 8; i++)
    at[i] = (uint8_t)(value >> 8 * i);
}

/* Puts accesses from `from` on into a record, as many as it has place for in an order that a
 * reader, who takes its loads first, gives back. Returns the first that is left. */
static size_t fill_record(uint8_t *record, const struct run *run, size_t from) {
  unsigned loads = 0, stores = 0;
  for (; from < run->accesses; from++) {
    const struct access *access = &run->access[from];
    if (access->store ? stores == STORES : stores > 0 || loads == LOADS)
      break;
    put64(access->store ? record + 16 + 8 * stores++ : record + 32 + 8 * loads++, access->va);
  }
  return from;
}

static uint32_t records_needed(const struct run *run) {
  uint8_t record[CHAMPSIM];
  uint32_t count = 0;
  for (size_t at = 0; at < run->accesses; count++)
    at = fill_record(record, run, at);
  return count;
}

/* The last instructions of the run get the accesses. */
static bool write_champsim(struct exporter *e, const struct run *run) {
  uint32_t needed = records_needed(run);
  size_t at = 0;
  if (needed > run->count)
    return cannot_hold(e, "so many accesses of so few instructions");
  for (size_t i = 0; i < run->accesses; i++)
    if (run->access[i].va == 0)
      return cannot_hold(e, "an access to address 0");
  if (run->va == 0 && run->count > 0)
    return cannot_hold(e, "an instruction at address 0");
  for (uint32_t i = 0; i < run->count; i++) {
    uint8_t record[CHAMPSIM] = {0};
    put64(record, instruction_at(run, i));
    if (i >= run->count - needed)
      at = fill_record(record, run, at);
    fwrite(record, sizeof record, 1, e->out);
  }
  return true;
}

/* -- drmemtrace ------------------------------------------------------------------------------- */

static void put_entry(struct exporter *e, unsigned type, uint32_t size, uint64_t address) {
  uint8_t record[12] = {(uint8_t)type, (uint8_t)(type >> 8), (uint8_t)size, (uint8_t)(size >> 8)};
  put64(record + 4, address);
  fwrite(record, sizeof record, 1, e->out);
}

enum { READ = 0, WRITE = 1, INSTRUCTION = 10, THREAD = 22, THREAD_EXIT = 23, PID = 24 };
enum { HEADER = 25, FOOTER = 26, DRMEMTRACE_VERSION = 2 };

static void begin_drmemtrace(struct exporter *e) {
  put_entry(e, HEADER, 0, DRMEMTRACE_VERSION);
}

static void stream_drmemtrace(struct exporter *e, const struct nw_trace_stream *stream) {
  put_entry(e, THREAD, 4, stream->tid != 0 ? stream->tid : stream->id + 1);
  put_entry(e, PID, 4, stream->pid);
}

static bool write_drmemtrace(struct exporter *e, const struct run *run) {
  for (uint32_t i = 0; i < run->count; i++)
    put_entry(e, INSTRUCTION, run->step, instruction_at(run, i));
  for (size_t i = 0; i < run->accesses; i++)
    put_entry(e, run->access[i].store ? WRITE : READ, run->access[i].bytes, run->access[i].va);
  return true;
}

static void end_drmemtrace(struct exporter *e) {
  put_entry(e, FOOTER, 0, 0);
}

static const struct target targets[] = {
    {"lackey", false, NULL, NULL, write_lackey, NULL},
    {"champsim", false, NULL, NULL, write_champsim, NULL},
    {"drmemtrace", true, begin_drmemtrace, stream_drmemtrace, write_drmemtrace, end_drmemtrace},
};

/* -- going through a trace -------------------------------------------------------------------- */

static bool flush_run(struct exporter *e) {
  struct run *run = &e->run;
  bool good = (run->count == 0 && run->accesses == 0) || e->target->run(e, run);
  run->count = 0;
  run->accesses = 0;
  return good;
}

/* As far apart as ARM's instructions are, if they stay in the page that they start in. */
static void begin_run(struct run *run, uint64_t va, uint32_t count) {
  uint32_t left = PAGE - (uint32_t)(va & (PAGE - 1));
  uint32_t step = left / count;
  *run = (struct run){.va = va,
                      .count = count,
                      .step = step > 4 ? 4
                              : step   ? step
                                       : 1,
                      .access = run->access};
}

static bool export_record(struct exporter *e, uint64_t word) {
  struct run *run = &e->run;
  switch (nw_rec_kind(word)) {
  case NW_REC_BLOCK:
    if (!flush_run(e))
      return false;
    begin_run(run, nw_rec_va(word), nw_rec_aux(word));
    return true;
  case NW_REC_LOAD:
  case NW_REC_STORE:
    if (run->accesses == ACCESSES)
      return cannot_hold(e, "so many accesses of one run");
    run->access[run->accesses++] =
        (struct access){nw_rec_kind(word) == NW_REC_STORE, nw_rec_aux(word), nw_rec_va(word)};
    return true;
  case NW_REC_SYSCALL:
    e->losses->syscalls++;
    return true;
  default: /* an exit is no loss: their traces end, too */
    e->losses->events += nw_rec_aux(word) != NW_EVENT_EXIT;
    return true;
  }
}

static bool export_stream(struct exporter *e, uint32_t id) {
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(e->trace, id);
  const uint64_t *words;
  size_t count = 1;
  if (cursor == NULL) {
    e->result = nw_trace_fail(e->error, NW_TRACE_NO_MEMORY, 0, "out of memory");
    return false;
  }
  if (e->target->stream != NULL)
    e->target->stream(e, nw_trace_get_stream(e->trace, id));
  e->word = 0;
  while (e->result == NW_TRACE_OK && count > 0) {
    e->result = nw_trace_next_chunk(cursor, &words, &count, e->error);
    for (size_t i = 0; e->result == NW_TRACE_OK && i < count; i++, e->word++) {
      size_t operands = nw_rec_kind(words[i]) == NW_REC_EVENT ? (size_t)nw_rec_va(words[i]) : 0;
      if (!export_record(e, words[i]))
        break;
      i += operands;
      e->word += operands;
    }
  }
  nw_trace_cursor_close(cursor);
  return e->result == NW_TRACE_OK && flush_run(e);
}

static const struct target *find_target(const char *name) {
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
    if (strcmp(targets[i].name, name) == 0)
      return &targets[i];
  return NULL;
}

static enum nw_trace_result export_all(struct exporter *e, uint32_t stream) {
  uint32_t count = (uint32_t)nw_trace_stream_count(e->trace);
  uint32_t first = stream == NW_TRACE_NO_STREAM ? 0 : stream;
  uint32_t end = stream == NW_TRACE_NO_STREAM ? count : stream + 1;
  if (first >= count)
    return nw_trace_fail(e->error, NW_TRACE_LIMIT, 0,
                         "%s: no stream %" PRIu32 ", expected one below %" PRIu32,
                         nw_trace_path(e->trace), first, count);
  if (end - first > 1 && !e->target->streams)
    return nw_trace_fail(e->error, NW_TRACE_LIMIT, 0,
                         "%s: has %" PRIu32 " streams, and %s holds one: choose it by --stream",
                         nw_trace_path(e->trace), count, e->target->name);
  if (e->target->begin != NULL)
    e->target->begin(e);
  for (uint32_t id = first; id < end && e->result == NW_TRACE_OK; id++)
    export_stream(e, id);
  if (e->result == NW_TRACE_OK && e->target->end != NULL)
    e->target->end(e);
  return e->result;
}

enum nw_trace_result nw_trace_export(struct nw_trace *trace, uint32_t stream,
                                     const struct nw_foreign_format *format, FILE *out,
                                     struct nw_export_losses *losses,
                                     struct nw_trace_error *error) {
  struct exporter e = {.trace = trace,
                       .target = find_target(format->name),
                       .out = out,
                       .losses = losses,
                       .error = error};
  *losses = (struct nw_export_losses){0, 0};
  if (e.target == NULL)
    return nw_trace_fail(error, NW_TRACE_LIMIT, 0, "%s: read, but not written", format->name);
  e.run.access = malloc(ACCESSES * sizeof *e.run.access);
  if (e.run.access == NULL)
    return nw_trace_fail(error, NW_TRACE_NO_MEMORY, 0, "out of memory");
  enum nw_trace_result result = export_all(&e, stream);
  free(e.run.access);
  if (result == NW_TRACE_OK && (fflush(out) != 0 || ferror(out)))
    result = nw_trace_fail(error, NW_TRACE_IO, 0, "cannot write: %s", strerror(errno));
  return result;
}
