/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge [--tally] [--cut FOLDER] DEPARTURES CASE ANSWERS: the model's answers to CASE against those
 * of nestwalk-oracle in the file ANSWERS ("-": standard input).
 *
 * The rule: the first word is the same, and so is each field that the machine gives; what it cannot
 * be trusted with it does not give. An answer that a departure of the list explains is counted
 * apart. Everything else is a difference: the first ones are printed, the first of all is cut down.
 *
 * Exit status 0: no difference; 1: some; 2: bad input.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case/answer.h"
#include "core/walker.h"
#include "cut.h"
#include "departures.h"
#include "fields.h"
#include "tally.h"

#define SHOWN 10

struct judge {
  struct nw_case_reader reader;
  FILE *answers;
  const char *cut_folder;
  struct departures departures;
  struct tally tally;
  struct cut_machine lines;
  struct cut_reads reads;
  int domain; /* short descriptors: of the level-1 descriptor read last; -1: none was */
  uint64_t agreed, departed, not_asked, differences;
};

/* -- the model --------------------------------------------------------------------------------- */

/* B3.5.1: the domain in a level-1 descriptor; a supersection's is 0. */
static int domain_in(uint64_t descriptor) {
  bool supersection = (descriptor & 2) && (descriptor & 1u << 18);
  return supersection ? 0 : (int)(descriptor >> 5 & 15);
}

static void note(struct judge *judge, const struct nw_step *step, const struct nw_answer *answer) {
  const struct nw_regime *regime = &judge->reader.regime;
  if (step->kind == NW_STEP_READ && step->stage == 1 && step->level == 1 && !answer->abort &&
      regime->has_domains)
    judge->domain = domain_in(nwi_step_descriptor(regime, step, answer->data));
  if (step->kind == NW_STEP_READ)
    cut_note_read(&judge->reads, step, answer);
}

/* What it changes in the tables stays until the next walk. */
static void walk(struct judge *judge, const struct nw_regime *regime, struct nw_result *result) {
  struct nw_walk walk;
  struct nw_step step;
  struct nw_answer answer;
  nw_case_memory_undo(judge->reader.memory);
  judge->reads.count = 0;
  judge->domain = -1;
  nw_walk_begin(&walk, regime, &judge->reader.request, judge->reader.scope, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    nw_case_serve(judge->reader.memory, &step, &answer);
    note(judge, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  *result = *nw_walk_result(&walk);
}

/* -- verdicts ---------------------------------------------------------------------------------- */

static bool model_agrees(struct judge *judge, const struct nw_regime *regime,
                         const struct fields *machine) {
  struct nw_result result;
  struct fields model;
  char text[NW_CASE_ANSWER_SIZE];
  walk(judge, regime, &result);
  nw_case_format(&judge->reader, &result, text);
  fields_cut(&model, text);
  return fields_agree(&model, machine);
}

/* The answer that the model gives with some bits of a register clear. An abort of a fetch in User
 * mode is reported by way of a vector at the same address: where the machine finds another fault
 * for the privileged there, for a reason that is a departure, it is that one that is seen. */
static bool agrees_again(struct judge *judge, const struct departure *departure,
                         const struct fields *machine) {
  struct nw_request *request = &judge->reader.request;
  struct nw_regime regime = judge->reader.regime;
  unsigned reg = departure->again_register;
  uint8_t privilege = request->privilege;
  if (nw_regime_write(&regime, reg, regime.reg[reg] & ~departure->again_mask) !=
      NW_REGISTER_WRITTEN)
    return false;
  bool agrees = model_agrees(judge, &regime, machine);
  if (!agrees && departure->fetch_only) {
    request->privilege = NW_PRIVILEGED;
    agrees = model_agrees(judge, &regime, machine);
    request->privilege = privilege;
  }
  return agrees;
}

#define X86_ACCESSED 0x20u

/* Whether the machine answers what the departure says. */
static bool explains(struct judge *judge, const struct departure *departure,
                     const struct fields *model, const struct fields *machine) {
  const struct cut_reads *reads = &judge->reads;
  struct fields more = *model;
  char text[64];
  if (departure->again)
    return agrees_again(judge, departure, machine);
  if (departure->accessed_leaf && judge->reader.update_check && reads->count) {
    size_t last = reads->count - 1;
    fields_add_update(&more, reads->read[last].address, reads->read[last].data | X86_ACCESSED,
                      text);
  }
  return departure_explains(departure, &more, machine);
}

/* The departure that explains the answer, or NULL. `domain` is that of the level-1 descriptor that
 * the model read, if any. */
static const struct departure *departed(struct judge *judge, const struct nw_fault *fault,
                                        int domain, const struct fields *model,
                                        const struct fields *machine) {
  for (size_t i = 0; i < judge->departures.count; i++) {
    struct departure *departure = &judge->departures.departure[i];
    if (!departure->model.count ||
        !departure_applies(departure, &judge->reader.regime, fault, domain, model))
      continue;
    if (explains(judge, departure, model, machine)) {
      departure->count++;
      return departure;
    }
  }
  return NULL;
}

/* Whether Bochs, with all that it is known to depart in, must answer like this. */
static bool is_quirky(struct judge *judge, const struct fields *model, const struct fields *machine,
                      const struct nw_result *result) {
  static struct quirk_answer expected;
  if (judge->reader.regime.kind != NW_REGIME_X86_EPT)
    return false;
  quirks_answer(&judge->reader, model, &expected);
  if (!fields_agree(&expected.fields, machine))
    return false;
  for (size_t i = 0; i < judge->departures.count; i++) {
    struct departure *departure = &judge->departures.departure[i];
    if (departure->quirky && expected.shows[departure->quirk])
      departure->count++;
  }
  if (quirks_same_fault(result, &expected.result))
    tally_count(&judge->tally, &judge->reader, result);
  return true;
}

static void differ(struct judge *judge, const struct nw_result *result, const char *machine) {
  const struct nw_case_reader *reader = &judge->reader;
  struct nw_result again;
  char text[NW_CASE_ANSWER_SIZE];
  if (judge->differences++ >= SHOWN)
    return;
  nw_case_format(reader, result, text);
  printf("query %" PRIu64 ": %.*s\n  model:   %s\n  machine: %s\n", reader->query,
         (int)reader->length, reader->line, text, machine);
  if (judge->differences > 1 || !judge->cut_folder)
    return;
  walk(judge, &reader->regime, &again);
  if (cut_write(judge->cut_folder, reader, &judge->lines, &judge->reads, text, machine))
    printf("  cut down to %s/cut.case\n", judge->cut_folder);
  else
    fprintf(stderr, "judge: cannot write %s/cut.case\n", judge->cut_folder);
}

static void judge_query(struct judge *judge, const char *machine_text) {
  struct nw_result result;
  struct fields model, machine;
  char text[NW_CASE_ANSWER_SIZE];
  fields_cut(&machine, machine_text);
  if (strcmp(machine.word, "none") == 0) {
    judge->not_asked++;
    return;
  }
  walk(judge, &judge->reader.regime, &result);
  nw_case_format(&judge->reader, &result, text);
  fields_cut(&model, text);
  bool agrees = fields_agree(&model, &machine);
  const struct departure *departure = NULL;
  if (!agrees && result.fault.type != NW_FAULT_NONE)
    departure = departed(judge, &result.fault, judge->domain, &model, &machine);
  if (agrees || (departure && departure->same_kind))
    tally_count(&judge->tally, &judge->reader, &result);
  if (agrees)
    judge->agreed++;
  else if (departure || is_quirky(judge, &model, &machine, &result))
    judge->departed++;
  else
    differ(judge, &result, machine_text);
}

/* -- both files, line by line ------------------------------------------------------------------ */

/* The answer to the query that the case's reader stands at; NULL when the lines do not match. */
static const char *machine_answer(const struct nw_case_reader *reader, char *line) {
  line[strcspn(line, "\r\n")] = '\0';
  if (strncmp(line, reader->line, reader->length) != 0 ||
      strncmp(line + reader->length, " -> ", 4) != 0)
    return NULL;
  return line + reader->length + 4;
}

static bool judge_all(struct judge *judge) {
  char *line = NULL;
  size_t room = 0;
  for (uint64_t number = 1;; number++) {
    enum nw_case_item item = nw_case_next(&judge->reader);
    if (item == NW_CASE_ERROR)
      fprintf(stderr, "judge: %s\n", judge->reader.error);
    if (item == NW_CASE_ERROR || item == NW_CASE_END) {
      free(line);
      return item == NW_CASE_END;
    }
    bool more = getline(&line, &room, judge->answers) >= 0;
    const char *answer =
        more && item == NW_CASE_QUERY ? machine_answer(&judge->reader, line) : NULL;
    if (!more || (item == NW_CASE_QUERY && !answer)) {
      fprintf(stderr, "judge: line %" PRIu64 " of the answers does not repeat the case's\n",
              number);
      free(line);
      return false;
    }
    if (answer)
      judge_query(judge, answer);
    else
      cut_note_line(&judge->lines, &judge->reader);
  }
}

/* Lines of a number, a tabulator and what was counted, so that several runs' can be added. */
static void report(const struct judge *judge, bool tally) {
  printf("%" PRIu64 "\tagreed\n%" PRIu64 "\tdeparted\n%" PRIu64 "\tnot asked\n%" PRIu64
         "\tdifferent\n",
         judge->agreed, judge->departed, judge->not_asked, judge->differences);
  for (size_t i = 0; i < judge->departures.count; i++)
    if (judge->departures.departure[i].model.count || judge->departures.departure[i].quirky)
      printf("%" PRIu64 "\tdeparture %s\n", judge->departures.departure[i].count,
             judge->departures.departure[i].name);
  if (tally)
    tally_print(&judge->tally, stdout);
}

static int usage(void) {
  fputs("Usage: judge [--tally] [--cut FOLDER] DEPARTURES CASE ANSWERS\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  static struct judge judge;
  bool tally = false;
  int at = 1;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    if (strcmp(argv[at], "--tally") == 0)
      tally = true;
    else if (strcmp(argv[at], "--cut") == 0 && at + 1 < argc)
      judge.cut_folder = argv[++at];
    else
      return usage();
  }
  if (argc - at != 3)
    return usage();
  if (!departures_read(&judge.departures, argv[at]))
    return 2;
  bool standard = strcmp(argv[at + 2], "-") == 0;
  judge.answers = standard ? stdin : fopen(argv[at + 2], "r");
  if (!judge.answers) {
    perror(argv[at + 2]);
    return 2;
  }
  bool good = nw_case_open(&judge.reader, argv[at + 1]);
  if (!good)
    fprintf(stderr, "judge: %s\n", judge.reader.error);
  good = good && judge_all(&judge);
  nw_case_close(&judge.reader);
  cut_machine_free(&judge.lines);
  if (!standard)
    fclose(judge.answers);
  if (!good)
    return 2;
  report(&judge, tally);
  return judge.differences ? 1 : 0;
}
