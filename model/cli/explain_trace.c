/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain_trace.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "explain/tell.h"
#include "sim/names.h"
#include "system/single_access.h"

#define PAGE 4096u
/* What mends a fault may meet another one; as many as a machine tries. */
#define MOST_ATTEMPTS 64

struct explanation {
  const struct nw_cli_explained_record *wanted;
  uint64_t record; /* the word in the trace */
  bool reached;
  unsigned translations; /* shown */
  struct nw_walk_record walk;
  struct nw_grid grid;
};

/* -- the record -------------------------------------------------------------------------------- */

static int refuse(const struct nw_cli_explained_record *wanted, const char *found) {
  return nw_cli_error(NW_CLI_USAGE,
                      "%s: record %" PRIu64 " of stream %" PRIu32
                      ": found %s, expected a block, load or store ('nestwalk trace dump' lists "
                      "them)",
                      nw_trace_path(wanted->simulation->trace[0]), wanted->word, wanted->stream,
                      found);
}

/* The chunk's word that the record is, where it begins one; NULL for an operand. */
static const uint64_t *word_of(const uint64_t *words, size_t count, uint64_t first, uint64_t word) {
  size_t i = 0;
  while (i < count && first + i < word)
    i += nw_rec_kind(words[i]) == NW_REC_EVENT ? 1 + (size_t)nw_rec_va(words[i]) : 1;
  return i < count && first + i == word ? &words[i] : NULL;
}

static int check_record(struct explanation *e, const uint64_t *words, size_t count,
                        uint64_t first) {
  const uint64_t *word = word_of(words, count, first, e->wanted->word);
  if (count == 0)
    return refuse(e->wanted, "the end of the stream");
  if (!word)
    return refuse(e->wanted, "an operand of the event before it");
  e->record = *word;
  switch (nw_rec_kind(*word)) {
  case NW_REC_SYSCALL:
    return refuse(e->wanted, "a system call");
  case NW_REC_EVENT:
    return refuse(e->wanted, "an event");
  default:
    return NW_CLI_OK;
  }
}

/* Looks the record up before anything is replayed. */
static int find_record(struct explanation *e) {
  struct nw_trace *trace = e->wanted->simulation->trace[0];
  struct nw_trace_error error;
  const uint64_t *words;
  size_t count;
  uint64_t first;
  if (e->wanted->stream >= nw_trace_stream_count(trace))
    return nw_cli_error(NW_CLI_USAGE, "%s: no stream %" PRIu32 ", expected one below %zu",
                        nw_trace_path(trace), e->wanted->stream, nw_trace_stream_count(trace));
  struct nw_trace_cursor *cursor = nw_trace_cursor_open(trace, e->wanted->stream);
  if (!cursor)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  nw_trace_cursor_seek(cursor, e->wanted->word, &first);
  int status = nw_trace_next_chunk(cursor, &words, &count, &error) == NW_TRACE_OK
                   ? check_record(e, words, count, first)
                   : nw_cli_error(NW_CLI_USAGE, "%s", error.message);
  nw_trace_cursor_close(cursor);
  return status;
}

/* -- one access -------------------------------------------------------------------------------- */

static void tell_record(const struct explanation *e) {
  FILE *out = e->wanted->text;
  uint32_t aux = nw_rec_aux(e->record);
  fprintf(out, "record %" PRIu64 " of stream %" PRIu32 ": ", e->wanted->word, e->wanted->stream);
  if (nw_rec_kind(e->record) == NW_REC_BLOCK)
    fprintf(out, "%" PRIu32 " instructions, of which the first is fetched here\n", aux);
  else
    fprintf(out, "a %s of %" PRIu32 " bytes\n",
            nw_rec_kind(e->record) == NW_REC_LOAD ? "load" : "store", aux);
  fprintf(out, "machine %s, %s paging, state after all records before it\n",
          e->wanted->simulation->config.name, nw_mode_names[e->wanted->mode]);
}

static void tell_exits(FILE *out, const struct nw_machine_statistics *before,
                       const struct nw_machine_statistics *after) {
  const char *separator = "; exits: ";
  for (int cause = 0; cause < NW_EXIT_CAUSES; cause++) {
    uint64_t exits = after->exits[cause] - before->exits[cause];
    if (!exits)
      continue;
    fprintf(out, "%s%s %" PRIu64 " (%" PRIu64 " cycles)", separator, nw_exit_cause_names[cause],
            exits, after->exit_cycles[cause] - before->exit_cycles[cause]);
    separator = ", ";
  }
}

static void tell_mended(FILE *out, enum nw_fault_outcome outcome,
                        const struct nw_machine_statistics *before,
                        const struct nw_machine_statistics *after) {
  static const char *const who[] = {
      [NW_OUTCOME_RETRY] = "the hypervisor mends it",
      [NW_OUTCOME_EMULATED] = "the hypervisor makes the access itself",
      [NW_OUTCOME_GUEST] = "the guest's kernel gets the fault and mends it"};
  uint64_t writes = after->pte_writes - before->pte_writes;
  fprintf(out, "  %s", who[outcome]);
  if (outcome == NW_OUTCOME_GUEST)
    fprintf(out,
            ": %" PRIu64 " table write%s, %" PRIu64 " cycles of its own, %" PRIu64
            " for its translations",
            writes, writes == 1 ? "" : "s",
            after->cycles_guest_kernel - before->cycles_guest_kernel,
            after->cycles_translation - before->cycles_translation);
  tell_exits(out, before, after);
  fputc('\n', out);
}

static void show_translation(struct explanation *e, bool again) {
  FILE *out = e->wanted->text;
  e->translations++;
  nw_grid_build(&e->walk, &e->grid);
  if (out) {
    fprintf(out, "\n%s", again ? "again: " : "");
    nw_tell_request(out, &e->walk);
    fputc('\n', out);
    nw_tell_walk(out, &e->walk, &e->grid);
    nw_grid_print(out, &e->grid);
  }
  if (e->wanted->drawing) {
    char title[512];
    snprintf(title, sizeof title, "%.300s, record %" PRIu64 " on %s, %s paging, translation %u",
             e->wanted->simulation->trace_path[0], e->wanted->word,
             e->wanted->simulation->config.name, nw_mode_names[e->wanted->mode], e->translations);
    nw_drawing_add(e->wanted->drawing, &e->grid, title);
  }
}

/* True when the access has been made, by whomever. */
static bool mend(struct explanation *e, struct nw_machine *machine,
                 const struct nw_request *request, enum nw_machine_status *status) {
  struct nw_machine_statistics before = *nw_machine_statistics(machine);
  enum nw_fault_outcome outcome = nw_machine_mend(machine, request, &e->walk.result.fault, status);
  if (e->wanted->text && outcome != NW_OUTCOME_FAILED)
    tell_mended(e->wanted->text, outcome, &before, nw_machine_statistics(machine));
  return outcome == NW_OUTCOME_EMULATED;
}

static bool make_access(struct explanation *e, struct nw_machine *machine,
                        const struct nw_request *request) {
  struct nw_translator translator = nw_machine_translator(machine);
  enum nw_machine_status status = NW_MACHINE_OK;
  for (unsigned attempt = 1; attempt <= MOST_ATTEMPTS && status == NW_MACHINE_OK; attempt++) {
    bool done = nw_record_translation(&e->walk, translator.mmu, request, translator.costs,
                                      &translator.memory, &translator.peek);
    show_translation(e, attempt > 1);
    if (done || mend(e, machine, request, &status))
      return true;
  }
  return false;
}

/* An access that crosses a page is two. */
static enum nw_run_status explain_reached(void *context, struct nw_machine *machine, char *error) {
  static const enum nw_access access[] = {
      [NW_REC_BLOCK] = NW_EXECUTE, [NW_REC_LOAD] = NW_READ, [NW_REC_STORE] = NW_WRITE};
  struct explanation *e = context;
  struct nw_request request = {.va = nw_rec_va(e->record),
                               .access = (uint8_t)access[nw_rec_kind(e->record)],
                               .privilege = NW_USER};
  e->reached = true;
  if (e->wanted->text)
    tell_record(e);
  bool crosses =
      request.access != NW_EXECUTE && (request.va & (PAGE - 1)) + nw_rec_aux(e->record) > PAGE;
  bool made = make_access(e, machine, &request);
  request.va = (request.va | (PAGE - 1)) + 1;
  if (made && crosses)
    made = make_access(e, machine, &request);
  if (made)
    return NW_RUN_OK;
  snprintf(error, NW_RUN_ERROR, "the machine cannot make this access");
  return NW_RUN_FAILED;
}

/* -- the run ----------------------------------------------------------------------------------- */

int nw_cli_explain_record(const struct nw_cli_explained_record *wanted) {
  const struct nw_cli_simulation *s = wanted->simulation;
  struct explanation *e = calloc(1, sizeof *e);
  if (!e)
    return nw_cli_error(NW_CLI_FAILED, "out of memory");
  e->wanted = wanted;
  struct nw_run_stop stop = {
      .stream = wanted->stream, .word = wanted->word, .reached = explain_reached, .context = e};
  struct nw_run_control control = {.stop_at = &stop};
  struct nw_run_result result;
  char error[NW_RUN_ERROR] = "";
  int status = find_record(e);
  if (status == NW_CLI_OK) {
    enum nw_run_status run =
        nw_run(s->trace[0], &s->config, wanted->mode, &control, &result, error);
    if (run != NW_RUN_OK)
      status = nw_cli_error(run == NW_RUN_BAD_INPUT ? NW_CLI_USAGE : NW_CLI_FAILED, "%s", error);
    else if (!e->reached)
      status = refuse(wanted, "a stream that nothing starts");
  }
  free(e);
  return status;
}
