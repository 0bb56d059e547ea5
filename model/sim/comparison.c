/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison as a table and as JSON. */
#include "sim/comparison.h"

#include <inttypes.h>
#include <string.h>

#include "sim/names.h"
#include "sim/numerals.h"
#include "sim/statistics.h"

const char *const nw_cycle_cause_names[NW_CYCLE_CAUSES] = {
    [NW_CYCLES_BASE] = "base",
    [NW_CYCLES_MEMORY] = "memory",
    [NW_CYCLES_TRANSLATION] = "translation",
    [NW_CYCLES_GUEST_KERNEL] = "guest kernel",
    [NW_CYCLES_EXITS] = "exits",
};

uint64_t nw_cycles_of(const struct nw_run_result *result, enum nw_cycle_cause cause) {
  const struct nw_machine_statistics *m = &result->machine;
  const uint64_t cycles[NW_CYCLE_CAUSES] = {
      [NW_CYCLES_BASE] = m->cycles_base,
      [NW_CYCLES_MEMORY] = m->cycles_memory,
      [NW_CYCLES_TRANSLATION] = m->cycles_translation,
      [NW_CYCLES_GUEST_KERNEL] = m->cycles_guest_kernel,
      [NW_CYCLES_EXITS] = m->cycles_exits,
  };
  return cycles[cause];
}

size_t nw_comparison_find(const struct nw_comparison *comparison, enum nw_mode mode) {
  size_t i = 0;
  while (i < comparison->column_count &&
         (comparison->columns[i].mode != mode || comparison->columns[i].variant))
    i++;
  return i;
}

size_t nw_comparison_base(const struct nw_comparison *comparison) {
  size_t nested = nw_comparison_find(comparison, NW_MODE_NESTED);
  return nested < comparison->column_count ? nested : 0;
}

void nw_trace_label(const char *path, char *out, size_t size) {
  static const char suffix[] = ".nwt";
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash && slash[1] ? slash + 1 : path);
  size_t length = strlen(out);
  if (length >= sizeof suffix && !strcmp(out + length - (sizeof suffix - 1), suffix))
    out[length - (sizeof suffix - 1)] = '\0';
}

/* -- table ------------------------------------------------------------------------------------ */

#define COLUMNS 11
#define CELL 64

static double share(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

/* Misses of the last level there is: what makes walks. */
static uint64_t tlb_misses(const struct nw_job *job) {
  const struct nw_mmu_statistics *mmu = &job->result.mmu;
  return job->config->mmu.l2.entries ? mmu->l2.misses : mmu->l1i.misses + mmu->l1d.misses;
}

static void fill_row(const struct nw_comparison *c, size_t trace, size_t column,
                     char cells[COLUMNS][CELL]) {
  const struct nw_job *job = nw_comparison_job(c, trace, column);
  const struct nw_run_result *result = &job->result;
  uint64_t cycles = nw_run_cycles(result);
  uint64_t base = nw_run_cycles(&nw_comparison_job(c, trace, nw_comparison_base(c))->result);
  nw_trace_label(c->traces[trace], cells[0], CELL);
  if (column)
    cells[0][0] = '\0';
  snprintf(cells[1], CELL, "%.60s%s", c->columns[column].name, result->complete ? "" : "*");
  nw_grouped(cells[2], CELL, cycles);
  snprintf(cells[3], CELL, "%.3f", nw_run_cpi(result));
  snprintf(cells[4], CELL, "%.3f", base ? (double)cycles / (double)base : 0.0);
  nw_grouped(cells[5], CELL, tlb_misses(job));
  nw_grouped(cells[6], CELL, result->mmu.walks);
  nw_grouped(cells[7], CELL, result->mmu.walk_references);
  nw_grouped(cells[8], CELL, nw_run_exits(result));
  snprintf(cells[9], CELL, "%.1f %%", share(result->machine.cycles_translation, cycles));
  snprintf(cells[10], CELL, "%.1f %%", share(result->machine.cycles_exits, cycles));
}

static void widen(size_t width[COLUMNS], char cells[COLUMNS][CELL]) {
  for (size_t i = 0; i < COLUMNS; i++) {
    size_t length = strlen(cells[i]);
    width[i] = length > width[i] ? length : width[i];
  }
}

/* The first two columns are words, to the left. */
static void write_row(FILE *out, const size_t width[COLUMNS], char cells[COLUMNS][CELL]) {
  for (size_t i = 0; i < COLUMNS; i++)
    fprintf(out, i < 2 ? "%s%-*s" : "%s%*s", i ? "  " : "", (int)width[i], cells[i]);
  putc('\n', out);
}

static void write_rule(FILE *out, const size_t width[COLUMNS]) {
  for (size_t i = 0; i < COLUMNS; i++) {
    fputs(i ? "  " : "", out);
    for (size_t n = 0; n < width[i]; n++)
      putc('-', out);
  }
  putc('\n', out);
}

void nw_comparison_write_table(const struct nw_comparison *c, FILE *out) {
  char cells[COLUMNS][CELL] = {"trace", "mode",        "cycles",  "cycles/instr",
                               "",      "TLB misses",  "walks",   "walk refs",
                               "exits", "translation", "in exits"};
  size_t width[COLUMNS] = {0};
  bool complete = true;
  snprintf(cells[4], CELL, "vs %.60s", c->columns[nw_comparison_base(c)].name);
  widen(width, cells);
  char row[COLUMNS][CELL];
  for (size_t trace = 0; trace < c->trace_count; trace++) {
    for (size_t column = 0; column < c->column_count; column++) {
      fill_row(c, trace, column, row);
      widen(width, row);
      complete = complete && nw_comparison_job(c, trace, column)->result.complete;
    }
  }
  write_row(out, width, cells);
  write_rule(out, width);
  for (size_t trace = 0; trace < c->trace_count; trace++) {
    for (size_t column = 0; column < c->column_count; column++) {
      fill_row(c, trace, column, row);
      write_row(out, width, row);
    }
  }
  if (!complete)
    fputs("* not the whole trace\n", out);
}

/* -- JSON ------------------------------------------------------------------------------------- */

static json_t *modes_json(const struct nw_comparison *c, size_t trace) {
  json_t *modes = json_object();
  for (size_t column = 0; modes && column < c->column_count; column++) {
    const struct nw_job *job = nw_comparison_job(c, trace, column);
    if (json_object_set_new(modes, c->columns[column].name, nw_statistics_json(&job->result)) !=
        0) {
      json_decref(modes);
      modes = NULL;
    }
  }
  return modes;
}

/* A trace's name need not be UTF-8, which JSON has to be: then bytes outside ASCII become '?'. */
static json_t *name_json(const char *name) {
  json_t *json = json_string(name);
  if (json)
    return json;
  char ascii[256];
  size_t length = 0;
  for (; name[length] && length < sizeof ascii - 1; length++)
    ascii[length] = (name[length] & 0x80) ? '?' : name[length];
  ascii[length] = '\0';
  return json_string(ascii);
}

json_t *nw_comparison_json(const struct nw_comparison *c) {
  if (c->trace_count == 1)
    return json_pack("{s:o}", "modes", modes_json(c, 0));
  json_t *traces = json_array();
  for (size_t trace = 0; traces && trace < c->trace_count; trace++) {
    json_t *entry = json_pack("{s:o, s:o}", "trace", name_json(c->traces[trace]), "modes",
                              modes_json(c, trace));
    if (json_array_append_new(traces, entry) != 0) {
      json_decref(traces);
      traces = NULL;
    }
  }
  return json_pack("{s:o}", "traces", traces);
}
