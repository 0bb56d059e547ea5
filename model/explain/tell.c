/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told is derived from the recorded steps and from the regime's roots; references of stage
 * 2 stand under the address they are made for.
 */
#include "explain/tell.h"

#include <inttypes.h>

#include "core/format.h"
#include "core/regime.h"
#include "explain/words.h"

struct telling {
  FILE *out;
  const struct nw_walk_record *record;
  const struct nw_grid *grid;
  const struct nw_words *words;
  const struct nw_grid_column *column; /* of the last step, NULL before stage 2 has been entered */
};

static const char *plural(uint64_t count) {
  return count == 1 ? "" : "s";
}

/* -- before the walk --------------------------------------------------------------------------- */

void nw_tell_request(FILE *out, const struct nw_walk_record *record) {
  static const char *const access_name[] = {
      [NW_READ] = "read", [NW_WRITE] = "write", [NW_EXECUTE] = "instruction fetch"};
  const struct nw_words *words = nw_words_of(&record->regime);
  const struct nw_request *request = &record->request;
  bool ipa = record->scope == NW_SCOPE_STAGE2;
  fprintf(out, "%s by %s code of %s 0x%0*" PRIx64, access_name[request->access],
          request->privilege ? words->privileged : words->user, ipa ? words->ipa : "VA",
          ipa ? words->pa_digits : words->va_digits, request->va);
}

static void tell_registers(const struct telling *t) {
  const struct nw_regime *regime = &t->record->regime;
  fprintf(t->out, "  regime %s:", nw_regime_name((enum nw_regime_kind)regime->kind));
  for (const struct nw_register_words *shown = t->words->registers; shown->name; shown++)
    if (shown->regimes >> regime->kind & 1)
      fprintf(t->out, " %s=0x%" PRIx64, shown->name, regime->reg[shown->reg]);
  fputc('\n', t->out);
}

static void tell_stages(const struct telling *t) {
  const struct nw_regime *regime = &t->record->regime;
  if (t->record->scope != NW_SCOPE_STAGE2)
    t->words->tell_stage1(t->out, regime, t->record->request.va);
  if (nw_regime_has_stage2((enum nw_regime_kind)regime->kind))
    t->words->tell_stage2(t->out, regime);
}

static void tell_probes(const struct telling *t) {
  for (unsigned i = 0; i < t->record->probes; i++) {
    const struct nwi_probe *probe = &t->record->probe[i];
    fprintf(t->out, "  %s: %s, %" PRIu32 " cycle%s\n", nw_probe_name(probe),
            !probe->found   ? "miss"
            : probe->denied ? "an entry that does not permit this access: walked again"
                            : "hit: no walk",
            probe->cycles, plural(probe->cycles));
  }
}

/* -- references -------------------------------------------------------------------------------- */

/* Which bits of the stage's input index the table of a step. */
static void index_bits(const struct telling *t, const struct nw_step *step, uint64_t input,
                       unsigned *top, unsigned *shift) {
  const struct nw_regime *regime = &t->record->regime;
  const struct nw_format *format = step->stage == 1 ? regime->s1_format : regime->s2_format;
  const struct nw_root *root =
      step->stage == 1 ? nwi_regime_stage1_root(regime, input) : &regime->s2_root;
  *shift = format->shift[step->level];
  *top = (step->level == root->start_level ? root->input_bits
                                           : format->shift[nwi_level_above(format, step->level)]) -
         1u;
}

static void tell_descriptor(const struct telling *t, const struct nw_recorded_step *noted,
                            const char *indent) {
  const struct nw_regime *regime = &t->record->regime;
  const struct nw_step *step = &noted->step;
  if (noted->abort) {
    fprintf(t->out, "%s    no memory there: external abort\n", indent);
    return;
  }
  fprintf(t->out, "%s    = 0x%0*" PRIx64 "%s: ", indent, 2 * step->size, noted->descriptor,
          step->stage == 1 && regime->big_endian ? " (big-endian)" : "");
  nw_tell_descriptor(t->out, regime, step->stage, step->level, noted->descriptor);
  fputc('\n', t->out);
}

static void tell_read(const struct telling *t, const struct nw_recorded_step *noted,
                      const char *indent) {
  const struct nw_step *step = &noted->step;
  const struct nw_regime *regime = &t->record->regime;
  const char *ipa = t->words->ipa;
  bool stage1 = step->stage == 1, two_names = stage1 && regime->s2_enabled;
  uint64_t input = stage1 ? t->record->request.va : step->ipa;
  uint64_t at = stage1 ? step->ipa : step->address;
  unsigned top, shift;
  char level[NW_LEVEL_TEXT];
  index_bits(t, step, input, &top, &shift);
  uint64_t index = input >> shift & (((uint64_t)2 << (top - shift)) - 1);
  fprintf(t->out,
          "%s%2u  stage %u %s: table 0x%0*" PRIx64 ", index %s[%u:%u] = 0x%" PRIx64
          ", descriptor at %s 0x%0*" PRIx64 ", %" PRIu32 " cycle%s\n",
          indent, noted->order, step->stage,
          nw_level_text(nw_format_words_of(regime, step->stage), step->level, level),
          t->words->pa_digits, at - index * step->size, stage1 ? "VA" : ipa, top, shift, index,
          two_names ? ipa : "PA", t->words->pa_digits, at, noted->cycles, plural(noted->cycles));
  if (two_names)
    fprintf(t->out, "%s    which is PA 0x%0*" PRIx64 "\n", indent, t->words->pa_digits,
            step->address);
  tell_descriptor(t, noted, indent);
}

static void tell_update(const struct telling *t, const struct nw_recorded_step *noted,
                        const char *indent) {
  const struct nw_step *step = &noted->step;
  fprintf(t->out, "%s    flags: PA 0x%0*" PRIx64 " ", indent, t->words->pa_digits, step->address);
  if (noted->abort)
    fputs("refuses to be written: external abort", t->out);
  else if (noted->hit)
    fprintf(t->out, "becomes 0x%0*" PRIx64, 2 * step->size, noted->descriptor);
  else
    fputs("has changed meanwhile: read again", t->out);
  fprintf(t->out, ", %" PRIu32 " cycle%s\n", noted->cycles, plural(noted->cycles));
}

/* -- caches ------------------------------------------------------------------------------------ */

/* The references of a column that a cache saved; NULL: of every column. */
static unsigned saved(const struct telling *t, const struct nw_grid_column *column,
                      const char *by) {
  unsigned count = 0;
  for (unsigned c = 0; c < t->grid->columns; c++) {
    const struct nw_grid_column *each = &t->grid->column[c];
    if (column && column != each)
      continue;
    count += each->stage1.by == by;
    for (unsigned row = 0; row < t->grid->rows; row++)
      count += each->stage2[row].by == by;
  }
  return count;
}

/* A hit that was not used: the entry denies what it is asked for, or is clean under a write. */
static bool hit_is_no_use(const struct telling *t, const struct nw_recorded_step *lookup) {
  const struct nw_recorded_step *end = t->record->made.step + t->record->made.count;
  const struct nw_recorded_step *next = lookup + 1;
  return lookup->step.cache == NW_IPA_CACHE && next < end && next->step.stage == 2 &&
         next->step.kind == NW_STEP_READ && next->step.ipa == lookup->step.address;
}

/* The level of stage 1 that a walk enters after a hit of the walk cache. */
static unsigned level_after(const struct telling *t, const struct nw_recorded_step *lookup) {
  const struct nw_recorded_step *end = t->record->made.step + t->record->made.count;
  const struct nw_recorded_step *next = lookup + 1;
  while (next < end && next->step.kind != NW_STEP_READ)
    next++;
  return next == end ? 0 : next->step.stage == 1 ? next->step.level : next->step.s1_level;
}

static void tell_lookup(const struct telling *t, const struct nw_recorded_step *noted,
                        const struct nw_grid_column *column, const char *indent) {
  const char *name = nw_cache_name(noted->step.cache);
  unsigned count = saved(t, noted->step.cache == NW_IPA_CACHE ? column : NULL, name);
  unsigned level = noted->step.cache == NW_IPA_CACHE ? 0 : level_after(t, noted);
  fprintf(t->out, "%s%s: ", indent, name);
  if (!noted->hit)
    fputs("miss", t->out);
  else if (hit_is_no_use(t, noted))
    fputs("an entry that does not serve this access: walked again", t->out);
  else
    fprintf(t->out, "hit: %u reference%s skipped", count, plural(count));
  if (noted->hit && level)
    fprintf(t->out, ", on at level %u", level);
  fprintf(t->out, ", %" PRIu32 " cycle%s\n", noted->cycles, plural(noted->cycles));
}

static void tell_size(FILE *out, unsigned page_log2) {
  static const char unit[] = {'K', 'M', 'G', 'T'};
  unsigned steps = page_log2 / 10;
  if (page_log2 >= 10)
    fprintf(out, "%u %cB", 1u << page_log2 % 10, unit[(steps - 1) % 4]);
}

static void tell_fill(const struct telling *t, const struct nw_recorded_step *noted) {
  const struct nw_cached *kept = &noted->step.contents;
  bool ipa = noted->step.cache == NW_IPA_CACHE;
  fprintf(t->out, "  kept in the %s: ", nw_cache_name(noted->step.cache));
  tell_size(t->out, kept->span_log2);
  fprintf(t->out, " from %s 0x%0*" PRIx64 ": ", ipa ? t->words->ipa : "VA",
          ipa ? t->words->pa_digits : t->words->va_digits, kept->key);
  if (ipa)
    fputs("PA", t->out);
  else
    fprintf(t->out, "level-%u table at", kept->level);
  fprintf(t->out, " 0x%0*" PRIx64 ", %" PRIu32 " cycle%s\n", t->words->pa_digits, kept->output,
          noted->cycles, plural(noted->cycles));
}

/* -- the walk ---------------------------------------------------------------------------------- */

static void tell_column(struct telling *t, const struct nw_grid_column *column) {
  if (column == t->column)
    return;
  t->column = column;
  if (column->level)
    fprintf(t->out, "    the level-%u descriptor of stage 1 is at", column->level);
  else
    fputs("    the access is to", t->out);
  fprintf(t->out, " %s 0x%0*" PRIx64 "; through stage 2:\n", t->words->ipa, t->words->pa_digits,
          column->input);
}

static void tell_step(struct telling *t, const struct nw_recorded_step *noted) {
  const struct nw_step *step = &noted->step;
  const struct nw_grid_column *column = nw_grid_column_of(t->grid, noted);
  bool stage2 = step->kind == NW_STEP_LOOKUP ? step->cache == NW_IPA_CACHE : step->stage == 2;
  const char *indent = stage2 ? "      " : "  ";
  if (stage2 && step->kind != NW_STEP_FILL)
    tell_column(t, column);
  switch ((enum nw_step_kind)step->kind) {
  case NW_STEP_READ:
    tell_read(t, noted, indent);
    break;
  case NW_STEP_UPDATE:
    tell_update(t, noted, indent);
    break;
  case NW_STEP_LOOKUP:
    tell_lookup(t, noted, column, indent);
    break;
  case NW_STEP_FILL:
    tell_fill(t, noted);
    break;
  case NW_STEP_DONE:
    break;
  }
}

/* -- after the walk ---------------------------------------------------------------------------- */

/* The sum of the references, and where the cycles went. */
static void tell_cycles(const struct telling *t) {
  static const char *const what[] = {[NW_STEP_READ] = "for references",
                                     [NW_STEP_UPDATE] = "to write flags",
                                     [NW_STEP_LOOKUP] = "in caches of the walk",
                                     [NW_STEP_FILL] = "to fill them"};
  const struct nw_walk_record *record = t->record;
  uint64_t tlb = 0, part[NW_STEP_DONE] = {0};
  for (unsigned i = 0; i < record->probes; i++)
    tlb += record->probe[i].cycles;
  for (unsigned i = 0; i < record->made.count; i++)
    part[record->made.step[i].step.kind] += record->made.step[i].cycles;
  fprintf(t->out, "  %u reference%s", record->references, plural(record->references));
  if (t->grid->skipped)
    fprintf(t->out, " (%u skipped)", t->grid->skipped);
  fprintf(t->out, ", %" PRIu32 " cycle%s:", record->result.cycles, plural(record->result.cycles));
  if (record->probes)
    fprintf(t->out, " %" PRIu64 " in TLBs,", tlb);
  if (nw_record_tlb_hit(record)) {
    fputs(" no walk\n", t->out);
    return;
  }
  fprintf(t->out, " %u to begin,", record->costs.begin);
  for (int kind = 0; kind < NW_STEP_DONE; kind++)
    if (part[kind])
      fprintf(t->out, " %" PRIu64 " %s,", part[kind], what[kind]);
  fprintf(t->out, " %u to end\n", record->costs.done);
}

static void tell_part_size(const struct telling *t, const char *what, unsigned page_log2) {
  if (page_log2) {
    fputs(what, t->out);
    tell_size(t->out, page_log2);
  }
}

static void tell_ok(const struct telling *t) {
  const struct nw_result *result = &t->record->result;
  uint64_t offset = ((uint64_t)1 << result->page_log2) - 1;
  bool ipa = t->record->scope == NW_SCOPE_STAGE1 && t->record->regime.s2_enabled;
  fprintf(t->out,
          "  %s 0x%0*" PRIx64 " = page 0x%0*" PRIx64 " + offset 0x%" PRIx64 "\n  page sizes:",
          ipa ? t->words->ipa : "PA", t->words->pa_digits, result->pa, t->words->pa_digits,
          result->pa & ~offset, result->pa & offset);
  tell_part_size(t, " stage 1 ", result->s1_page_log2);
  tell_part_size(t, result->s1_page_log2 ? ", stage 2 " : " stage 2 ", result->s2_page_log2);
  tell_part_size(t, result->s1_page_log2 || result->s2_page_log2 ? "; TLB entry " : " TLB entry ",
                 result->page_log2);
  fputc('\n', t->out);
  if (t->words->tell_memory)
    t->words->tell_memory(t->out, result);
}

static void tell_fault(const struct telling *t) {
  const struct nw_regime *regime = &t->record->regime;
  const struct nw_fault *fault = &t->record->result.fault;
  fprintf(t->out, "  %s fault at stage %u, level %u",
          nw_fault_name((enum nw_fault_type)fault->type), fault->stage, fault->level);
  if (fault->stage == 2)
    fprintf(t->out, ", of %s 0x%0*" PRIx64, t->words->ipa, t->words->pa_digits, fault->ipa);
  if (fault->s1walk)
    fputs(", met by a descriptor read of the stage-1 walk", t->out);
  fprintf(t->out, " (%s); reported (%s):\n", t->words->fault_section(regime, fault),
          t->words->report_section(regime, fault));
  t->words->tell_syndrome(t->out, regime, fault, "    ");
}

void nw_tell_walk(FILE *out, const struct nw_walk_record *record, const struct nw_grid *grid) {
  struct telling telling = {
      .out = out, .record = record, .grid = grid, .words = nw_words_of(&record->regime)};
  tell_registers(&telling);
  tell_stages(&telling);
  tell_probes(&telling);
  for (unsigned i = 0; i < record->made.count; i++)
    tell_step(&telling, &record->made.step[i]);
  if (record->made.lost)
    fprintf(out, "  ... and %u steps more\n", record->made.lost);
  tell_cycles(&telling);
  if (record->result.fault.type == NW_FAULT_NONE)
    tell_ok(&telling);
  else
    tell_fault(&telling);
}
