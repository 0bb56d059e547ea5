/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers a case file line by line. Without kept state every query is a walk of its own. With it,
 * queries of both stages go through one MMU, whose TLBs and walk caches live from query to query
 * until the next `regime` line; `walk s1` and `walk s2` are not what a TLB holds, and stay walks.
 */
#include "case/case.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "case/answer.h"
#include "case/kept_mmu.h"
#include "core/walker.h"

/* Descriptor accesses of one query that a trace shows; no regime's walk makes as many. */
#define TRACED 128

struct traced {
  uint64_t address, descriptor, updated;
  uint8_t stage, level, size;
  bool abort, update;
};

struct translation {
  struct nw_case_reader reader;
  const struct nw_case_options *options;
  FILE *out;
  struct nw_kept_mmu kept; /* keep_state */
  struct traced traced[TRACED];
  size_t traces; /* of the query in hand */
};

static void note(struct translation *translation, const struct nw_step *step,
                 const struct nw_answer *answer) {
  const struct nw_regime *regime = &translation->reader.regime;
  if (translation->traces == TRACED)
    return;
  translation->traced[translation->traces++] = (struct traced){
      .address = step->address,
      .descriptor = nwi_step_descriptor(regime, step, answer->data),
      .updated = nwi_step_descriptor(regime, step, step->new_value),
      .stage = step->stage,
      .level = step->level,
      .size = step->size,
      .abort = answer->abort,
      .update = step->kind == NW_STEP_UPDATE && answer->hit,
  };
}

static void print_traced(const struct translation *translation) {
  FILE *out = translation->out;
  for (size_t i = 0; i < translation->traces; i++) {
    const struct traced *traced = &translation->traced[i];
    int digits = 2 * traced->size;
    fprintf(out, "# s%u l%u pa=0x%0*" PRIx64, traced->stage, traced->level,
            (int)nw_case_address_digits(&translation->reader.regime), traced->address);
    if (traced->abort)
      fputs(" desc=abort", out);
    else
      fprintf(out, " desc=0x%0*" PRIx64, digits, traced->descriptor);
    if (traced->update)
      fprintf(out, " new=0x%0*" PRIx64, digits, traced->updated);
    fputs(translation->reader.line_end, out);
  }
}

static void serve(struct translation *translation, const struct nw_step *step,
                  struct nw_answer *answer) {
  nw_case_serve(translation->reader.memory, step, answer);
  if (translation->options->trace && step->kind <= NW_STEP_UPDATE)
    note(translation, step, answer);
}

static void walk(struct translation *translation, struct nw_result *result) {
  const struct nw_case_reader *reader = &translation->reader;
  struct nw_walk walk;
  struct nw_step step;
  struct nw_answer answer;
  nw_walk_begin(&walk, &reader->regime, &reader->request, reader->scope, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    serve(translation, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  *result = *nw_walk_result(&walk);
}

static bool look_up(struct translation *translation, struct nw_result *result) {
  struct nw_transaction transaction;
  struct nw_step step;
  struct nw_answer answer;
  struct nw_mmu *mmu = nw_kept_mmu_get(&translation->kept, &translation->reader);
  if (!mmu)
    return false;
  nw_mmu_begin(mmu, &transaction, &translation->reader.request, 0);
  while (nw_mmu_next(mmu, &step) && step.kind != NW_STEP_DONE) {
    serve(translation, &step, &answer);
    nw_mmu_answer(mmu, step.tag, &answer);
  }
  *result = transaction.result;
  return true;
}

static bool answer_query(struct translation *translation) {
  struct nw_case_reader *reader = &translation->reader;
  struct nw_result result;
  char text[NW_CASE_ANSWER_SIZE];
  translation->traces = 0;
  if (translation->options->keep_state && reader->scope == NW_SCOPE_BOTH) {
    if (!look_up(translation, &result))
      return false;
  } else {
    walk(translation, &result);
  }
  size_t length = nw_case_format(reader, &result, text);
  nw_case_memory_undo(reader->memory);
  fwrite(reader->line, 1, reader->length, translation->out);
  fwrite(" -> ", 1, 4, translation->out);
  fwrite(text, 1, length, translation->out);
  fputs(reader->line_end, translation->out);
  print_traced(translation);
  return true;
}

static enum nw_case_status answer_all(struct translation *translation) {
  struct nw_case_reader *reader = &translation->reader;
  for (;;) {
    switch (nw_case_next(reader)) {
    case NW_CASE_END:
      return NW_CASE_ANSWERED;
    case NW_CASE_ERROR:
      return NW_CASE_BAD_INPUT;
    case NW_CASE_LINE:
      fwrite(reader->line, 1, reader->length, translation->out);
      fputs(reader->line_end, translation->out);
      break;
    case NW_CASE_QUERY:
      if (!answer_query(translation))
        return NW_CASE_FAILED;
      break;
    }
    if (ferror(translation->out)) {
      snprintf(reader->error, sizeof(reader->error), "writing the answers failed: %s",
               strerror(errno));
      return NW_CASE_FAILED;
    }
  }
}

enum nw_case_status nw_case_translate(const char *path, const struct nw_case_options *options,
                                      FILE *out, char *error, size_t error_size) {
  struct translation translation = {.options = options, .out = out};
  enum nw_case_status status = NW_CASE_BAD_INPUT;
  if (nw_case_open(&translation.reader, path))
    status = answer_all(&translation);
  snprintf(error, error_size, "%s", translation.reader.error);
  nw_kept_mmu_drop(&translation.kept);
  nw_case_close(&translation.reader);
  return status;
}
