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

#include <nestwalk/mmu.h>

#include "case/answer.h"

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
  struct nw_mmu *mmu;    /* keep_state: built at the first query that needs it */
  uint64_t mmu_regimes;  /* the regime and capabilities it was built for */
  uint64_t mmu_revision; /* the registers it has, */
  uint64_t mmu_line;     /* those that lines up to this one gave */
  struct traced traced[TRACED];
  size_t traces; /* of the query in hand */
};

/* Two level-1 TLBs of 32, a level 2 of 512, walk caches of 64: the size of a Cortex-A15's. */
static const struct nw_mmu_config kept_mmu = {
    .l1i = {.entries = 32, .ways = 32, .policy = NW_POLICY_LRU},
    .l1d = {.entries = 32, .ways = 32, .policy = NW_POLICY_LRU},
    .l2 = {.entries = 512, .ways = 4, .policy = NW_POLICY_LRU},
    .walk_cache = {.entries = 64, .ways = 4, .policy = NW_POLICY_LRU},
    .ipa_cache = {.entries = 64, .ways = 4, .policy = NW_POLICY_LRU},
    .walkers = 1,
};

static void note(struct translation *translation, const struct nw_step *step,
                 const struct nw_answer *answer) {
  const struct nw_regime *regime = &translation->reader.regime;
  if (translation->traces == TRACED)
    return;
  translation->traced[translation->traces++] = (struct traced){
      .address = step->address,
      .descriptor = nw_case_descriptor(regime, step, answer->data),
      .updated = nw_case_descriptor(regime, step, step->new_value),
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

/* The first line after `line` that gave a register its value, or UINT64_MAX. */
static uint64_t next_line(const struct nw_case_register *given, uint64_t line) {
  uint64_t next = UINT64_MAX;
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (given[i].line > line && given[i].line < next)
      next = given[i].line;
  return next;
}

/* Brings the MMU's registers to what the case has set since the last query, line by line: a write
 * may invalidate even where it changes nothing, and say by a bit that is not kept that it does not
 * (CR3). Of several lines for one register the last counts; a value that needed one of the others
 * goes in as it reads back. */
static void write_registers(struct translation *translation) {
  const struct nw_case_reader *reader = &translation->reader;
  const struct nw_case_register *given = reader->reg[reader->regime.architecture];
  for (uint64_t line = next_line(given, translation->mmu_line); line != UINT64_MAX;
       line = next_line(given, line)) {
    for (unsigned i = 0; i < NW_REGISTERS; i++)
      if (given[i].line == line)
        nw_mmu_write_register(translation->mmu, i, given[i].value);
    translation->mmu_line = line;
  }
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (nw_mmu_regime(translation->mmu)->reg[i] != reader->regime.reg[i])
      nw_mmu_write_register(translation->mmu, i, reader->regime.reg[i]);
  translation->mmu_revision = reader->revision;
}

static bool prepare_mmu(struct translation *translation) {
  struct nw_case_reader *reader = &translation->reader;
  if (translation->mmu && translation->mmu_regimes != reader->regimes) {
    nw_mmu_destroy(translation->mmu);
    translation->mmu = NULL;
  }
  if (!translation->mmu) {
    struct nw_mmu_config config = kept_mmu;
    config.regime = (enum nw_regime_kind)reader->regime.kind;
    config.capabilities = reader->capabilities;
    translation->mmu = nw_mmu_create(&config, reader->error, sizeof(reader->error));
    if (!translation->mmu)
      return false;
    translation->mmu_regimes = reader->regimes;
    translation->mmu_revision = 0;
    translation->mmu_line = 0;
  }
  if (translation->mmu_revision != reader->revision)
    write_registers(translation);
  return true;
}

static bool look_up(struct translation *translation, struct nw_result *result) {
  struct nw_transaction transaction;
  struct nw_step step;
  struct nw_answer answer;
  if (!prepare_mmu(translation))
    return false;
  nw_mmu_begin(translation->mmu, &transaction, &translation->reader.request, 0);
  while (nw_mmu_next(translation->mmu, &step) && step.kind != NW_STEP_DONE) {
    serve(translation, &step, &answer);
    nw_mmu_answer(translation->mmu, step.tag, &answer);
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
  nw_mmu_destroy(translation.mmu);
  nw_case_close(&translation.reader);
  return status;
}
