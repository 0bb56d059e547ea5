/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk told step by step. The walk itself is the core's; what is told is derived from its steps
 * and from the regime's roots, and stage-2 references stand under the address they are made for.
 */
#include "case/case.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "case/answer.h"
#include "case/describe.h"

static const char *const access_name[] = {
    [NW_READ] = "read", [NW_WRITE] = "write", [NW_EXECUTE] = "instruction fetch"};

struct telling {
  FILE *out;
  const struct nw_case_reader *reader;
  unsigned references;
  bool in_stage2;      /* the last step was one of stage 2 */
  uint64_t stage2_for; /* the IPA it was made for */
};

/* -- before the walk --------------------------------------------------------------------------- */

static void tell_registers(const struct telling *t) {
  static const struct {
    const char *name;
    enum nw_register reg;
    bool stage2;
  } shown[] = {
      {"SCTLR", NW_REG_SCTLR, false}, {"TTBCR", NW_REG_TTBCR, false},
      {"TTBR0", NW_REG_TTBR0, false}, {"TTBR1", NW_REG_TTBR1, false},
      {"DACR", NW_REG_DACR, false},   {"HCR", NW_REG_HCR, true},
      {"VTCR", NW_REG_VTCR, true},    {"VTTBR", NW_REG_VTTBR, true},
  };
  const struct nw_regime *regime = &t->reader->regime;
  bool stage2 = nw_regime_has_stage2((enum nw_regime_kind)regime->kind);
  fprintf(t->out, "  regime %s:", nw_regime_name((enum nw_regime_kind)regime->kind));
  for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
    if (stage2 || !shown[i].stage2)
      fprintf(t->out, " %s=0x%" PRIx64, shown[i].name, regime->reg[shown[i].reg]);
  fputc('\n', t->out);
}

/* B3.5.4 and B3.6.4: why which TTBR. */
static void tell_root(const struct telling *t) {
  const struct nw_regime *regime = &t->reader->regime;
  uint64_t va = t->reader->request.va;
  uint32_t ttbcr = (uint32_t)regime->reg[NW_REG_TTBCR];
  if (regime->has_domains) {
    unsigned n = ttbcr & 7;
    bool upper = n && va >> (32 - n);
    fprintf(t->out, "  stage 1 on, short descriptors: TTBCR.N=%u, %s: TTBR%d (B3.5.4)\n", n,
            n == 0  ? "no split"
            : upper ? "the VA's top N bits are not all 0"
                    : "the VA's top N bits are 0",
            upper);
    return;
  }
  unsigned t0sz = ttbcr & 7, t1sz = ttbcr >> 16 & 7;
  bool low = va >> (32 - t0sz) == 0;
  bool high = t1sz ? va >> (32 - t1sz) == ((uint64_t)1 << t1sz) - 1 : t0sz && !low;
  fprintf(t->out, "  stage 1 on, long descriptors: TTBCR.T0SZ=%u, T1SZ=%u: %s (B3.6.4)\n", t0sz,
          t1sz,
          high  ? "TTBR1"
          : low ? "TTBR0"
                : "the VA is in neither region");
}

static void tell_stages(const struct telling *t) {
  const struct nw_regime *regime = &t->reader->regime;
  enum nw_scope scope = t->reader->scope;
  const struct nw_root *root = &regime->s2_root;
  if (scope != NW_SCOPE_STAGE2) {
    if (regime->s1_enabled)
      tell_root(t);
    else
      fprintf(t->out, "  stage 1 off (%s): the VA is the %s\n",
              regime->default_cacheable ? "HCR.DC is 1" : "SCTLR.M is 0",
              regime->s2_enabled ? "IPA" : "PA");
  }
  if (!nw_regime_has_stage2((enum nw_regime_kind)regime->kind))
    return;
  if (!regime->s2_enabled)
    fputs("  stage 2 off (HCR.VM is 0): an IPA is a PA\n", t->out);
  else if (root->disabled)
    fputs("  stage 2 on, but VTCR.SL0 and T0SZ contradict each other: everything faults (B3.6.4)\n",
          t->out);
  else
    fprintf(t->out, "  stage 2 on: %u-bit IPAs, starts at level %u at 0x%010" PRIx64 "\n",
            root->input_bits, root->start_level, root->base);
}

/* -- the walk ---------------------------------------------------------------------------------- */

/* The lowest bit of the stage's input that indexes the table of a step. */
static unsigned index_shift(const struct nw_step *step) {
  static const uint8_t short_shift[] = {0, 20, 12, 0}, long_shift[] = {0, 30, 21, 12};
  return step->size == 4 ? short_shift[step->level & 3] : long_shift[step->level & 3];
}

static unsigned index_top(const struct telling *t, const struct nw_step *step, uint64_t input) {
  const struct nw_regime *regime = &t->reader->regime;
  const struct nw_root *root = &regime->s2_root;
  if (step->stage == 1) {
    bool upper =
        input >> regime->s1_root[0].input_bits != 0 ||
        (regime->s1_root[1].input_bits < 32 &&
         input >> regime->s1_root[1].input_bits == 0xffffffffu >> regime->s1_root[1].input_bits);
    root = &regime->s1_root[upper];
  }
  if (step->level == root->start_level)
    return root->input_bits - 1u;
  return index_shift(step) + (step->size == 4 ? 7 : 8);
}

static void tell_reference(const struct telling *t, const struct nw_step *step,
                           const struct nw_answer *answer, const char *indent) {
  bool stage1 = step->stage == 1;
  uint64_t input = stage1 ? t->reader->request.va : step->ipa;
  unsigned shift = index_shift(step), top = index_top(t, step, input);
  uint64_t index = input >> shift & (((uint64_t)2 << (top - shift)) - 1);
  uint64_t at = stage1 ? step->ipa : step->address;
  fprintf(t->out,
          "%s%2u  stage %u level %u: table 0x%010" PRIx64 ", index %s[%u:%u] = 0x%" PRIx64
          ", descriptor at %s 0x%010" PRIx64 "\n",
          indent, t->references, step->stage, step->level, at - index * step->size,
          stage1 ? "VA" : "IPA", top, shift, index,
          stage1 && t->reader->regime.s2_enabled ? "IPA" : "PA", at);
  if (stage1 && t->reader->regime.s2_enabled)
    fprintf(t->out, "%s    which is PA 0x%010" PRIx64 "\n", indent, step->address);
  if (answer->abort) {
    fprintf(t->out, "%s    no memory there: external abort\n", indent);
    return;
  }
  uint64_t descriptor = nw_case_descriptor(&t->reader->regime, step, answer->data);
  fprintf(t->out, "%s    = 0x%0*" PRIx64 "%s: ", indent, 2 * step->size, descriptor,
          stage1 && t->reader->regime.big_endian ? " (big-endian)" : "");
  nw_describe_descriptor(t->out, step, descriptor);
  fputc('\n', t->out);
}

static void tell_step(struct telling *t, const struct nw_step *step,
                      const struct nw_answer *answer) {
  bool stage2 = step->stage == 2;
  if (stage2 && (!t->in_stage2 || t->stage2_for != step->ipa)) {
    if (step->for_s1)
      fprintf(t->out,
              "    the level-%u descriptor of stage 1 is at IPA 0x%010" PRIx64
              "; through stage 2:\n",
              step->s1_level, step->ipa);
    else
      fprintf(t->out, "    the access is to IPA 0x%010" PRIx64 "; through stage 2:\n", step->ipa);
  }
  t->in_stage2 = stage2;
  t->stage2_for = step->ipa;
  t->references++;
  tell_reference(t, step, answer, stage2 ? "      " : "  ");
}

/* -- after the walk ---------------------------------------------------------------------------- */

static void tell_size(const struct telling *t, const char *what, unsigned page_log2) {
  static const char unit[] = {'K', 'M', 'G'};
  unsigned steps = page_log2 / 10;
  if (page_log2 >= 10)
    fprintf(t->out, "%s%u %cB", what, 1u << page_log2 % 10, unit[(steps - 1) % 3]);
}

static void tell_ok(const struct telling *t, const struct nw_result *result) {
  const struct nw_regime *regime = &t->reader->regime;
  uint64_t offset = ((uint64_t)1 << result->page_log2) - 1;
  const char *name = t->reader->scope == NW_SCOPE_STAGE1 && regime->s2_enabled ? "IPA" : "PA";
  fprintf(t->out, "  %s 0x%010" PRIx64 " = page 0x%010" PRIx64 " + offset 0x%" PRIx64 "\n", name,
          result->pa, result->pa & ~offset, result->pa & offset);
  fputs("  page sizes:", t->out);
  if (result->s1_page_log2)
    tell_size(t, " stage 1 ", result->s1_page_log2);
  if (result->s2_page_log2)
    tell_size(t, result->s1_page_log2 ? ", stage 2 " : " stage 2 ", result->s2_page_log2);
  tell_size(t, result->s1_page_log2 || result->s2_page_log2 ? "; TLB entry " : " TLB entry ",
            result->page_log2);
  fputs("\n  memory: ", t->out);
  nw_describe_attributes(t->out, result->attr, result->sh);
  fputc('\n', t->out);
}

static void tell_fault(const struct telling *t, const struct nw_fault *fault) {
  const struct nw_regime *regime = &t->reader->regime;
  struct nw_syndrome syndrome = nw_fault_syndrome(regime, fault);
  fprintf(t->out, "  %s fault at stage %u, level %u",
          nw_fault_name((enum nw_fault_type)fault->type), fault->stage, fault->level);
  if (fault->stage == 2)
    fprintf(t->out, ", of IPA 0x%010" PRIx64, fault->ipa);
  if (fault->s1walk)
    fputs(", met by a descriptor read of the stage-1 walk", t->out);
  fprintf(t->out, " (DDI 0406C %s); reported (B3.13):\n", nw_describe_fault_section(regime, fault));
  nw_describe_syndrome(t->out, &syndrome, !regime->has_domains, "    ");
}

static void explain_query(const struct nw_case_reader *reader, FILE *out) {
  struct telling telling = {.out = out, .reader = reader};
  struct nw_walk walk;
  struct nw_step step;
  struct nw_answer answer;
  char text[NW_CASE_ANSWER_SIZE];
  fprintf(out, "query %" PRIu64 ", line %" PRIu64 ": %s by %s code of %s 0x%0*" PRIx64 "\n",
          reader->query, reader->line_number, access_name[reader->request.access],
          reader->request.privilege ? "privileged" : "user",
          reader->scope == NW_SCOPE_STAGE2 ? "IPA" : "VA",
          reader->scope == NW_SCOPE_STAGE2 ? 10 : 8, reader->request.va);
  tell_registers(&telling);
  tell_stages(&telling);
  nw_walk_begin(&walk, &reader->regime, &reader->request, reader->scope, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    nw_case_serve(reader->memory, &step, &answer);
    if (step.kind == NW_STEP_READ)
      tell_step(&telling, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  const struct nw_result *result = nw_walk_result(&walk);
  fprintf(out, "  %u reference%s\n", telling.references, telling.references == 1 ? "" : "s");
  if (result->fault.type == NW_FAULT_NONE)
    tell_ok(&telling, result);
  else
    tell_fault(&telling, &result->fault);
  nw_case_format(reader, result, text);
  fprintf(out, "  -> %s\n", text);
  nw_case_memory_undo(reader->memory);
}

static enum nw_case_status explain_all(struct nw_case_reader *reader, uint64_t query, FILE *out) {
  for (;;) {
    enum nw_case_item item = nw_case_next(reader);
    if (item == NW_CASE_ERROR)
      return NW_CASE_BAD_INPUT;
    if (item == NW_CASE_END)
      break;
    if (item != NW_CASE_QUERY || (query && reader->query != query))
      continue;
    if (!query && reader->query > 1)
      fputc('\n', out);
    explain_query(reader, out);
    if (query)
      return NW_CASE_ANSWERED;
  }
  if (query == 0)
    return NW_CASE_ANSWERED;
  snprintf(reader->error, sizeof(reader->error),
           "%s: found %" PRIu64 " quer%s, expected one with number %" PRIu64, reader->path,
           reader->query, reader->query == 1 ? "y" : "ies", query);
  return NW_CASE_BAD_INPUT;
}

enum nw_case_status nw_case_explain(const char *path, uint64_t query, FILE *out, char *error,
                                    size_t error_size) {
  struct nw_case_reader reader;
  enum nw_case_status status = NW_CASE_BAD_INPUT;
  if (nw_case_open(&reader, path))
    status = explain_all(&reader, query, out);
  if (status == NW_CASE_ANSWERED && ferror(out)) {
    snprintf(reader.error, sizeof(reader.error), "writing failed: %s", strerror(errno));
    status = NW_CASE_FAILED;
  }
  snprintf(error, error_size, "%s", reader.error);
  nw_case_close(&reader);
  return status;
}
