/* SPDX-License-Identifier: Apache-2.0 */
/* Queries of a case file, each recorded as one translation, then told and drawn. */
#include "case/case.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "case/answer.h"
#include "case/kept_mmu.h"
#include "explain/tell.h"

struct explanation {
  struct nw_case_reader reader;
  const struct nw_case_explaining *wanted;
  struct nw_kept_mmu kept; /* keep_state */
  struct nw_walk_record record;
  struct nw_grid grid;
};

/* -- the case's memory as the walker's --------------------------------------------------------- */

static bool read_case(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles) {
  const struct explanation *e = context;
  *cycles = e->wanted->latency;
  return nw_case_memory_read(e->reader.memory, pa, size, data);
}

static bool update_case(void *context, uint64_t pa, unsigned size, uint64_t old_value,
                        uint64_t new_value, uint64_t *found, uint32_t *cycles) {
  const struct explanation *e = context;
  *cycles = e->wanted->latency;
  return nw_case_memory_update(e->reader.memory, pa, size, old_value, new_value, found);
}

/* -- queries ----------------------------------------------------------------------------------- */

static bool record_query(struct explanation *e) {
  const struct nw_memory memory = {e, read_case, update_case};
  struct nw_case_reader *reader = &e->reader;
  if (!e->wanted->keep_state || reader->scope != NW_SCOPE_BOTH) {
    nw_record_walk(&e->record, &reader->regime, &reader->request, reader->scope, &nw_record_costs,
                   &memory);
    return true;
  }
  struct nw_mmu *mmu = nw_kept_mmu_get(&e->kept, reader);
  if (mmu)
    nw_record_translation(&e->record, mmu, &reader->request, &nw_record_costs, &memory, &memory);
  return mmu != NULL;
}

static void tell_query(struct explanation *e) {
  FILE *out = e->wanted->text;
  char text[NW_CASE_ANSWER_SIZE];
  if (!e->wanted->query && e->reader.query > 1)
    fputc('\n', out);
  fprintf(out, "query %" PRIu64 ", line %" PRIu64 ": ", e->reader.query, e->reader.line_number);
  nw_tell_request(out, &e->record);
  fputc('\n', out);
  nw_tell_walk(out, &e->record, &e->grid);
  nw_case_format(&e->reader, &e->record.result, text);
  fprintf(out, "  -> %s\n", text);
  nw_grid_print(out, &e->grid);
}

static void draw_query(struct explanation *e) {
  char title[512];
  snprintf(title, sizeof(title), "%.300s, query %" PRIu64 ": %.*s", e->reader.path, e->reader.query,
           (int)(e->reader.length < 100 ? e->reader.length : 100), e->reader.line);
  nw_drawing_add(e->wanted->drawing, &e->grid, title);
}

static bool explain_query(struct explanation *e, bool shown) {
  if (!record_query(e))
    return false;
  if (shown) {
    nw_grid_build(&e->record, &e->grid);
    if (e->wanted->text)
      tell_query(e);
    if (e->wanted->drawing)
      draw_query(e);
  }
  nw_case_memory_undo(e->reader.memory);
  return true;
}

/* -- the file ---------------------------------------------------------------------------------- */

static enum nw_case_status explain_all(struct explanation *e) {
  struct nw_case_reader *reader = &e->reader;
  uint64_t query = e->wanted->query;
  for (;;) {
    enum nw_case_item item = nw_case_next(reader);
    if (item == NW_CASE_ERROR)
      return NW_CASE_BAD_INPUT;
    if (item == NW_CASE_END)
      break;
    bool shown = item == NW_CASE_QUERY && (!query || reader->query == query);
    if ((shown || (item == NW_CASE_QUERY && e->wanted->keep_state)) && !explain_query(e, shown))
      return NW_CASE_FAILED;
    if (shown && query)
      return NW_CASE_ANSWERED;
  }
  if (query == 0)
    return NW_CASE_ANSWERED;
  snprintf(reader->error, sizeof(reader->error),
           "%s: found %" PRIu64 " quer%s, expected one with number %" PRIu64, reader->path,
           reader->query, reader->query == 1 ? "y" : "ies", query);
  return NW_CASE_BAD_INPUT;
}

enum nw_case_status nw_case_explain(const char *path, const struct nw_case_explaining *explaining,
                                    char *error, size_t error_size) {
  struct explanation e = {.wanted = explaining};
  enum nw_case_status status = NW_CASE_BAD_INPUT;
  if (nw_case_open(&e.reader, path))
    status = explain_all(&e);
  if (status == NW_CASE_ANSWERED && explaining->text && ferror(explaining->text)) {
    snprintf(e.reader.error, sizeof(e.reader.error), "writing failed: %s", strerror(errno));
    status = NW_CASE_FAILED;
  }
  snprintf(error, error_size, "%s", e.reader.error);
  nw_kept_mmu_drop(&e.kept);
  nw_case_close(&e.reader);
  return status;
}
