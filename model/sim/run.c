/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run loop. Main invariant: a stream is in the queue of those that can run, or it is the one
 * that runs, or it waits for something that a stream in the queue will do; should a trace break
 * that, the waiting streams are let go one by one, so that every run ends.
 */
#include "sim/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/names.h"

#define PAGE 4096u
#define NO_STREAM UINT32_MAX

enum stream_state {
  STREAM_UNBORN = 0,
  STREAM_QUEUED,  /* or running */
  STREAM_WAITING, /* for its vfork child */
  STREAM_ENDED,
};

struct stream {
  struct nw_trace_cursor *cursor;
  const uint64_t *words; /* the chunk being replayed */
  size_t count, next;
  uint64_t first_word; /* index of words[0] in the stream */
  nw_process_id process;
  uint32_t space;  /* the stream that stands for its address space: index of run.threads */
  uint32_t waiter; /* vfork parent that waits for this stream */
  uint32_t queue_next;
  uint8_t state; /* enum stream_state */
};

struct run {
  struct nw_trace *trace;
  const struct nw_machine_config *config;
  const struct nw_run_control *control;
  struct nw_machine *machine;
  struct stream *streams;
  uint32_t *threads; /* live streams of an address space */
  uint32_t stream_count;
  uint32_t queue_head, queue_tail, queue_length;
  uint32_t stalled;   /* turns in a row that replayed nothing */
  bool stopped;       /* at control->stop_at */
  uint64_t remaining; /* references until the limit */
  uint64_t replayed;
  struct nw_timeline *timeline;
  uint64_t crossings;
  uint64_t orphans;
  enum nw_run_status status;
  char *error;
};

/* -- failing ---------------------------------------------------------------------------------- */

static bool __attribute__((format(printf, 3, 4)))
fail(struct run *r, enum nw_run_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(r->error, NW_RUN_ERROR, format, arguments);
  va_end(arguments);
  r->status = status;
  return false;
}

static bool fail_trace(struct run *r, const struct nw_trace_error *error) {
  return fail(r, error->result == NW_TRACE_NO_MEMORY ? NW_RUN_FAILED : NW_RUN_BAD_INPUT, "%s",
              error->message);
}

/* Words of the record at `word`: itself and its operands. */
static size_t record_words(uint64_t word) {
  return nw_rec_kind(word) == NW_REC_EVENT ? 1 + (size_t)nw_rec_va(word) : 1;
}

/* Number of records before word `end` of a stream, counted by reading it again: for messages. */
static uint64_t records_before(struct run *r, uint32_t id, uint64_t end) {
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(r->trace, id);
  uint64_t records = 0, first = 0;
  const uint64_t *words;
  size_t count;
  while (cursor && first < end &&
         nw_trace_next_chunk(cursor, &words, &count, NULL) == NW_TRACE_OK && count) {
    for (size_t i = 0; i < count && first + i < end; i += record_words(words[i]))
      records++;
    first += count;
  }
  nw_trace_cursor_close(cursor);
  return records;
}

/* A machine's refusal while the stream's record that begins at words[at] was replayed. */
static bool fail_machine(struct run *r, const struct stream *s, size_t at,
                         enum nw_machine_status status) {
  static const char *const sentences[] = {
      [NW_MACHINE_OUT_OF_GUEST_MEMORY] =
          "the guest has no page left: guest.memory is too small for this program",
      [NW_MACHINE_OUT_OF_HOST_MEMORY] = "the host has no memory left",
      [NW_MACHINE_BAD_ADDRESS] = "an address or length is outside the guest's user space",
      [NW_MACHINE_BAD_PROCESS] = "its process is not running",
      [NW_MACHINE_NO_PROGRESS] = "the access faults again and again",
  };
  uint32_t id = (uint32_t)(s - r->streams);
  uint64_t word = s->words[at];
  return fail(r, status == NW_MACHINE_BAD_ADDRESS ? NW_RUN_BAD_INPUT : NW_RUN_FAILED,
              "%s: record %" PRIu64 " of stream %" PRIu32 " (kind %d, 0x%" PRIx64 "): %s",
              nw_trace_path(r->trace), records_before(r, id, s->first_word + at), id,
              (int)nw_rec_kind(word),
              nw_rec_kind(word) == NW_REC_EVENT && nw_rec_va(word) ? s->words[at + 1]
                                                                   : nw_rec_va(word),
              (size_t)status < sizeof sentences / sizeof sentences[0] && sentences[status]
                  ? sentences[status]
                  : "the machine refuses it");
}

/* -- the queue -------------------------------------------------------------------------------- */

static void enqueue(struct run *r, uint32_t id) {
  r->streams[id].state = STREAM_QUEUED;
  r->streams[id].queue_next = NO_STREAM;
  if (r->queue_length++)
    r->streams[r->queue_tail].queue_next = id;
  else
    r->queue_head = id;
  r->queue_tail = id;
}

static uint32_t dequeue(struct run *r) {
  uint32_t id = r->queue_head;
  r->queue_head = r->streams[id].queue_next;
  r->queue_length--;
  return id;
}

static bool start_stream(struct run *r, uint32_t id, nw_process_id process, uint32_t space) {
  struct stream *s = &r->streams[id];
  s->cursor = nw_trace_cursor_open(r->trace, id);
  if (!s->cursor || !process)
    return fail(r, NW_RUN_FAILED, "%s: stream %" PRIu32 ": no memory for another process",
                nw_trace_path(r->trace), id);
  s->process = process;
  s->space = space;
  s->waiter = NO_STREAM;
  r->threads[space]++;
  enqueue(r, id);
  return true;
}

/* Lets the parent of a vfork go on. */
static void wake_parent(struct run *r, struct stream *s) {
  if (s->waiter != NO_STREAM && r->streams[s->waiter].state == STREAM_WAITING)
    enqueue(r, s->waiter);
  s->waiter = NO_STREAM;
}

static void close_stream(struct run *r, struct stream *s) {
  r->threads[s->space]--;
  s->state = STREAM_ENDED;
  nw_trace_cursor_close(s->cursor);
  s->cursor = NULL;
  s->words = NULL;
  s->count = s->next = 0;
  wake_parent(r, s);
}

/* -- events ----------------------------------------------------------------------------------- */

/* What comes after an event. */
enum event_outcome {
  EVENT_GO_ON,
  EVENT_TURN_OVER, /* the stream waits or has ended */
  EVENT_NOT_YET,   /* try the same record again in a later turn */
  EVENT_FAILED,
};

static enum event_outcome after(struct run *r, const struct stream *s, size_t at,
                                enum nw_machine_status status) {
  if (status == NW_MACHINE_OK)
    return EVENT_GO_ON;
  fail_machine(r, s, at, status);
  return EVENT_FAILED;
}

/* A program's initial layout may tell of pages that are the kernel's own (ARM: the vectors and the
 * helpers in them), which the guest kernel maps by itself. */
static enum nw_machine_status do_map(struct run *r, const uint64_t *operand) {
  enum nw_machine_status status = nw_machine_map(
      r->machine, operand[0], operand[1], (unsigned)(operand[2] & 7), operand[3] & NW_MAP_SHARED);
  return status == NW_MACHINE_BAD_ADDRESS && operand[3] & NW_MAP_INITIAL ? NW_MACHINE_OK : status;
}

static enum nw_machine_status do_brk(struct run *r, uint64_t old_end, uint64_t new_end) {
  uint64_t from = (old_end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
  uint64_t to = (new_end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
  if (to > from)
    return nw_machine_map(r->machine, from, to - from, NW_PROT_READ | NW_PROT_WRITE, false);
  return to < from ? nw_machine_unmap(r->machine, to, from - to) : NW_MACHINE_OK;
}

/* An old length of 0 asks for a second mapping of shared pages (mremap(2)). */
static enum nw_machine_status do_remap(struct run *r, const uint64_t *operand) {
  if (!operand[1])
    return nw_machine_map(r->machine, operand[2], operand[3], NW_PROT_READ | NW_PROT_WRITE, true);
  return nw_machine_remap(r->machine, operand[0], operand[1], operand[2], operand[3]);
}

static enum event_outcome do_fork(struct run *r, struct stream *s, const uint64_t *operand) {
  uint64_t child = operand[0];
  uint32_t id = (uint32_t)(s - r->streams);
  bool share = operand[1] & NW_FORK_SHARES_MEMORY;
  if (child >= r->stream_count || r->streams[child].state != STREAM_UNBORN) {
    fail(r, NW_RUN_BAD_INPUT,
         "%s: stream %" PRIu32 " forks stream %" PRIu64 ", expected one that has not begun",
         nw_trace_path(r->trace), id, child);
    return EVENT_FAILED;
  }
  nw_process_id process = nw_machine_fork(r->machine, s->process, share);
  if (!start_stream(r, (uint32_t)child, process, share ? s->space : (uint32_t)child))
    return EVENT_FAILED;
  if (!(operand[1] & NW_FORK_VFORK))
    return EVENT_GO_ON;
  r->streams[child].waiter = id;
  s->state = STREAM_WAITING;
  return EVENT_TURN_OVER;
}

/* The stream's address space becomes its own. */
static void leave_space(struct run *r, struct stream *s) {
  r->threads[s->space]--;
  s->space = (uint32_t)(s - r->streams);
  r->threads[s->space]++;
}

static enum event_outcome do_exit(struct run *r, struct stream *s, size_t at) {
  enum event_outcome outcome = after(r, s, at, nw_machine_exit(r->machine, s->process));
  if (outcome == EVENT_FAILED)
    return outcome;
  close_stream(r, s);
  return EVENT_TURN_OVER;
}

static enum event_outcome do_exec(struct run *r, struct stream *s, size_t at, uint64_t flags) {
  if (r->threads[s->space] > 1 && r->stalled <= r->queue_length)
    return EVENT_NOT_YET;
  enum event_outcome outcome = after(r, s, at, nw_machine_exec(r->machine));
  if (outcome == EVENT_FAILED)
    return outcome;
  leave_space(r, s);
  wake_parent(r, s);
  return flags & NW_EXEC_UNRECORDED ? do_exit(r, s, at) : EVENT_GO_ON;
}

/* The event whose record is words[at]. Operands are there: the trace's reader has checked. */
static enum event_outcome do_event(struct run *r, struct stream *s, size_t at) {
  static const uint8_t operands[] = {
      [NW_EVENT_MAP] = 4,  [NW_EVENT_UNMAP] = 2, [NW_EVENT_PROTECT] = 3,
      [NW_EVENT_BRK] = 2,  [NW_EVENT_REMAP] = 4, [NW_EVENT_FORK] = 3,
      [NW_EVENT_EXEC] = 1, [NW_EVENT_EXIT] = 2,  [NW_EVENT_CONTENT] = 4,
  };
  const uint64_t *operand = s->words + at + 1;
  uint32_t event = nw_rec_aux(s->words[at]);
  if (event < sizeof operands && nw_rec_va(s->words[at]) < operands[event]) {
    fail(r, NW_RUN_BAD_INPUT,
         "%s: an event of kind %" PRIu32 " in stream %td has %" PRIu64 " operands, expected %u",
         nw_trace_path(r->trace), event, s - r->streams, nw_rec_va(s->words[at]), operands[event]);
    return EVENT_FAILED;
  }
  switch (event) {
  case NW_EVENT_MAP:
    return after(r, s, at, do_map(r, operand));
  case NW_EVENT_UNMAP:
    return after(r, s, at, nw_machine_unmap(r->machine, operand[0], operand[1]));
  case NW_EVENT_PROTECT:
    return after(
        r, s, at,
        nw_machine_protect(r->machine, operand[0], operand[1], (unsigned)(operand[2] & 7)));
  case NW_EVENT_BRK:
    return after(r, s, at, do_brk(r, operand[0], operand[1]));
  case NW_EVENT_REMAP:
    return after(r, s, at, do_remap(r, operand));
  case NW_EVENT_FORK:
    return do_fork(r, s, operand);
  case NW_EVENT_EXEC:
    return do_exec(r, s, at, operand[0]);
  case NW_EVENT_CONTENT:
    return after(
        r, s, at,
        nw_machine_set_content(r->machine, operand[0], operand[1], operand[2], operand[3]));
  case NW_EVENT_EXIT:
    return do_exit(r, s, at);
  default:
    return EVENT_GO_ON; /* of a later version of the format */
  }
}

/* -- replaying -------------------------------------------------------------------------------- */

/* Gets the next chunk. False when the stream has ended or the run has to: see r->status. */
static bool refill(struct run *r, struct stream *s) {
  struct nw_trace_error error;
  if (r->control->stop && atomic_load_explicit(r->control->stop, memory_order_relaxed))
    return fail(r, NW_RUN_STOPPED, "interrupted");
  s->first_word += s->count;
  s->next = s->count = 0;
  if (nw_trace_next_chunk(s->cursor, &s->words, &s->count, &error) != NW_TRACE_OK)
    return fail_trace(r, &error);
  return s->count > 0;
}

/* Tells the watchers. */
static void report(struct run *r, uint64_t before) {
  r->replayed += before - r->remaining;
  nw_timeline_look(r->timeline, r->replayed, false, r->machine);
  if (r->control->replayed)
    atomic_fetch_add_explicit(r->control->replayed, before - r->remaining, memory_order_relaxed);
}

static inline enum nw_machine_status access_data(struct run *r, enum nw_access access, uint64_t va,
                                                 uint32_t size) {
  enum nw_machine_status status = nw_machine_access(r->machine, access, va, 1);
  if ((va & (PAGE - 1)) + size > PAGE && status == NW_MACHINE_OK) {
    r->crossings++;
    status = nw_machine_access(r->machine, access, (va | (PAGE - 1)) + 1, 1);
  }
  return status;
}

/* Words of the current chunk that are to be replayed: all, or those before the record to stop at. */
static size_t replayable(const struct run *r, const struct stream *s) {
  const struct nw_run_stop *stop = r->control->stop_at;
  bool here = stop && s == &r->streams[stop->stream] && stop->word >= s->first_word &&
              stop->word - s->first_word < s->count;
  return here ? (size_t)(stop->word - s->first_word) : s->count;
}

/* The run ends where it was to stop; false for the convenience of the caller. */
static bool stop_here(struct run *r) {
  const struct nw_run_stop *stop = r->control->stop_at;
  r->status = stop->reached(stop->context, r->machine, r->error);
  r->stopped = true;
  return false;
}

/* Replays words of the current chunk until its end, the turn's (`*instructions` used up), or the
 * limit's. */
static enum event_outcome replay_chunk(struct run *r, struct stream *s, uint64_t *instructions) {
  const uint64_t *words = s->words;
  size_t next = s->next, end = replayable(r, s);
  uint64_t left = *instructions, remaining = r->remaining;
  enum event_outcome outcome = EVENT_GO_ON;
  while (next < end && left && remaining) {
    uint64_t word = words[next];
    size_t at = next++;
    enum nw_machine_status status = NW_MACHINE_OK;
    switch (nw_rec_kind(word)) {
    case NW_REC_BLOCK: {
      uint64_t count = nw_rec_aux(word);
      count = count < remaining ? count : remaining;
      status = nw_machine_access(r->machine, NW_EXECUTE, nw_rec_address(word), (uint32_t)count);
      left -= count < left ? count : left;
      remaining -= count;
      break;
    }
    case NW_REC_LOAD:
      status = access_data(r, NW_READ, nw_rec_address(word), nw_rec_aux(word));
      remaining--;
      break;
    case NW_REC_STORE:
      status = access_data(r, NW_WRITE, nw_rec_address(word), nw_rec_aux(word));
      remaining--;
      break;
    case NW_REC_SYSCALL:
      status = nw_machine_syscall(r->machine);
      break;
    case NW_REC_EVENT:
      next += nw_rec_va(word);
      s->next = next;
      outcome = do_event(r, s, at);
      if (outcome == EVENT_NOT_YET)
        next = at;
      break;
    }
    if (status != NW_MACHINE_OK)
      outcome = after(r, s, at, status);
    if (outcome != EVENT_GO_ON)
      break;
  }
  if (s->state != STREAM_ENDED)
    s->next = next;
  *instructions = left;
  r->remaining = remaining;
  return outcome;
}

/* One turn of a stream that has been taken out of the queue; puts it back when it can go on. */
static bool take_turn(struct run *r, uint32_t id) {
  struct stream *s = &r->streams[id];
  uint64_t instructions = r->config->guest.quantum ? r->config->guest.quantum : UINT64_MAX;
  uint64_t word_before = s->first_word + s->next;
  enum nw_machine_status switched = nw_machine_switch(r->machine, s->process);
  if (switched != NW_MACHINE_OK)
    return fail(r, NW_RUN_FAILED, "%s: stream %" PRIu32 ": its process cannot run",
                nw_trace_path(r->trace), id);
  while (instructions && r->remaining) {
    if (s->next == s->count && !refill(r, s)) {
      if (r->status != NW_RUN_OK)
        return false;
      nw_machine_exit(r->machine, s->process); /* a recording that was cut short has no EXIT */
      close_stream(r, s);
      r->stalled = 0;
      return true;
    }
    if (s->next < s->count && s->next == replayable(r, s))
      return stop_here(r);
    uint64_t before = r->remaining;
    enum event_outcome outcome = replay_chunk(r, s, &instructions);
    report(r, before);
    if (outcome == EVENT_FAILED)
      return false;
    if (outcome != EVENT_GO_ON)
      break;
  }
  r->stalled =
      s->state != STREAM_ENDED && s->first_word + s->next == word_before ? r->stalled + 1 : 0;
  if (s->state == STREAM_QUEUED)
    enqueue(r, id);
  return true;
}

/* Starts a stream that nobody forked, or lets one go that waits for nobody; false when none is
 * left. */
static bool revive_one(struct run *r) {
  for (uint32_t id = 0; id < r->stream_count; id++) {
    const struct nw_trace_stream *stream = nw_trace_get_stream(r->trace, id);
    if (r->streams[id].state == STREAM_WAITING) {
      enqueue(r, id);
      return true;
    }
    if (r->streams[id].state == STREAM_UNBORN && stream->counts.words &&
        !(stream->flags & NW_STREAM_NOT_STARTED)) {
      r->orphans += id > 0;
      return start_stream(r, id, nw_machine_spawn(r->machine), id);
    }
  }
  return false;
}

/* -- the whole -------------------------------------------------------------------------------- */

static bool check_architecture(struct run *r) {
  const char *architecture = nw_trace_get_header(r->trace)->architecture;
  const char *expected = nw_guest_architecture_names[r->config->format];
  if (!strcmp(architecture, expected))
    return true;
  return fail(r, NW_RUN_BAD_INPUT,
              "%s: recorded from a program for %s, expected %s, the architecture of machine %s",
              nw_trace_path(r->trace), architecture, expected, r->config->name);
}

/* Tells machine and timeline how long the run will be: all of the trace, or its share within the limit. */
static void expect(const struct run *r) {
  const struct nw_trace_counts *totals = nw_trace_totals(r->trace);
  uint64_t references = nw_trace_references(totals);
  nw_timeline_start(r->timeline, references < r->remaining ? references : r->remaining);
  double share = references > r->remaining ? (double)r->remaining / (double)references : 1.0;
  nw_machine_expect(r->machine, (uint64_t)((double)totals->instructions * share));
}

static bool prepare(struct run *r, enum nw_mode mode) {
  char error[NW_RUN_ERROR / 2] = "";
  r->stream_count = (uint32_t)nw_trace_stream_count(r->trace);
  r->streams = calloc(r->stream_count + 1, sizeof *r->streams);
  r->threads = calloc(r->stream_count + 1, sizeof *r->threads);
  if (!r->streams || !r->threads)
    return fail(r, NW_RUN_FAILED, "out of memory");
  if (!check_architecture(r))
    return false;
  r->machine = nw_machine_create(r->config, mode, error, sizeof error);
  if (!r->machine)
    return fail(r, NW_RUN_BAD_INPUT, "machine %s: %s", r->config->name, error);
  expect(r);
  return true;
}

static void collect(const struct run *r, struct nw_run_result *result) {
  const struct nw_hierarchy *hierarchy = nw_machine_hierarchy(r->machine);
  nw_timeline_look(r->timeline, r->replayed, true, r->machine);
  result->page_crossings = r->crossings;
  result->orphans = r->orphans;
  result->machine = *nw_machine_statistics(r->machine);
  result->mmu = *nw_machine_mmu_statistics(r->machine);
  result->caches = r->config->memory.caches;
  for (uint32_t i = 0; i < result->caches; i++) {
    memcpy(result->cache[i].name, r->config->memory.cache[i].name, NW_CACHE_NAME);
    result->cache[i].counts = *nw_hierarchy_statistics(hierarchy, i);
  }
  for (unsigned by = 0; by < NW_REQUESTERS; by++)
    result->dram[by] = nw_hierarchy_dram_accesses(hierarchy, (enum nw_requester)by);
}

struct nw_replay {
  struct run run;
  struct nw_run_control control;
  struct nw_run_result *result;
};

struct nw_replay *nw_replay_begin(struct nw_trace *trace, const struct nw_machine_config *config,
                                  enum nw_mode mode, const struct nw_run_control *control,
                                  struct nw_run_result *result, char error[NW_RUN_ERROR]) {
  struct nw_replay *replay = calloc(1, sizeof *replay);
  memset(result, 0, sizeof *result);
  result->mode = mode;
  result->clock_mhz = config->clock_mhz;
  if (!replay) {
    snprintf(error, NW_RUN_ERROR, "out of memory");
    return NULL;
  }
  struct run *r = &replay->run;
  if (control)
    replay->control = *control;
  *r = (struct run){.trace = trace, .config = config, .control = &replay->control, .error = error};
  r->remaining = r->control->limit ? r->control->limit : UINT64_MAX;
  r->timeline = &result->timeline;
  replay->result = result;
  prepare(r, mode); /* a failure is in r->status */
  return replay;
}

bool nw_replay_turn(struct nw_replay *replay) {
  struct run *r = &replay->run;
  return r->status == NW_RUN_OK && r->remaining && (r->queue_length || revive_one(r)) &&
         take_turn(r, dequeue(r));
}

enum nw_run_status nw_replay_end(struct nw_replay *replay) {
  if (!replay)
    return NW_RUN_FAILED;
  struct run *r = &replay->run;
  enum nw_run_status status = r->status;
  if (r->machine) {
    replay->result->complete = status == NW_RUN_OK && r->remaining && !r->stopped;
    collect(r, replay->result);
  }
  for (uint32_t id = 0; r->streams && id < r->stream_count; id++)
    nw_trace_cursor_close(r->streams[id].cursor);
  nw_machine_destroy(r->machine);
  free(r->streams);
  free(r->threads);
  free(replay);
  return status;
}

enum nw_run_status nw_run(struct nw_trace *trace, const struct nw_machine_config *config,
                          enum nw_mode mode, const struct nw_run_control *control,
                          struct nw_run_result *result, char error[NW_RUN_ERROR]) {
  struct nw_replay *replay = nw_replay_begin(trace, config, mode, control, result, error);
  while (replay && nw_replay_turn(replay))
    ;
  return nw_replay_end(replay);
}
