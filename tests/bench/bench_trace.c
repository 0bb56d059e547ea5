/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole simulated reference: decoded from the trace, translated under nested paging, accounted;
 * the program's own references go through no cache. Beside it, a loop that only decodes the records.
 */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim/config.h"
#include "sim/run.h"
#include "trace/trace.h"

#define MOST_REFERENCES 20000000u /* of a long trace, so many from its beginning */

struct replay {
  struct nw_trace *trace;
  struct nw_machine_config config;
  uint64_t references;
  bool failed;
};

static uint64_t run_machine(void *context) {
  struct replay *replay = context;
  struct nw_run_control control = {.limit = replay->references};
  struct nw_run_result result;
  char error[NW_RUN_ERROR];

  if (nw_run(replay->trace, &replay->config, NW_MODE_NESTED, &control, &result, error) !=
      NW_RUN_OK) {
    fprintf(stderr, "bench: %s\n", error);
    replay->failed = true;
    return 0;
  }
  return result.machine.references;
}

/* Decodes the first stream, up to as many references. */
static uint64_t run_bare(void *context) {
  struct replay *replay = context;
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(replay->trace, 0);
  uint64_t sum = 0, references = 0;
  const uint64_t *words;
  size_t count;

  while (cursor != NULL && references < replay->references &&
         nw_trace_next_chunk(cursor, &words, &count, NULL) == NW_TRACE_OK && count != 0) {
    for (size_t i = 0; i < count && references < replay->references; i++) {
      sum += nw_rec_va(words[i]);
      references += nw_rec_kind(words[i]) == NW_REC_BLOCK ? nw_rec_aux(words[i]) : 1;
    }
  }
  nw_trace_cursor_close(cursor);
  return sum;
}

static bool load(struct replay *replay, const char *machine, const char *path) {
  static const char *const set[] = {"memory.program_accesses=false"};
  struct nw_config_error config_error;
  struct nw_trace_error trace_error;

  if (!nw_config_load(machine, set, 1, &replay->config, &config_error)) {
    fprintf(stderr, "bench: %s\n", config_error.message);
    return false;
  }
  if (nw_trace_open(path, &replay->trace, &trace_error) != NW_TRACE_OK) {
    fprintf(stderr, "bench: %s\n", trace_error.message);
    return false;
  }
  replay->references = nw_trace_references(nw_trace_totals(replay->trace));
  if (replay->references > MOST_REFERENCES) {
    replay->references = MOST_REFERENCES;
  }
  return true;
}

bool bench_trace(const char *machine, const char *path) {
  struct replay replay = {0};

  if (!load(&replay, machine, path)) {
    return false;
  }
  struct bench_loop loop = {run_machine, &replay, replay.references};
  struct bench_loop bare = {run_bare, &replay, replay.references};
  bench_report("whole reference, average", 20, &loop);
  bench_report_bare("  bare loop over the decoded records", &bare);
  nw_trace_close(replay.trace);
  return !replay.failed;
}
