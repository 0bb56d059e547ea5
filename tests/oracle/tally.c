/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <inttypes.h>

/* log2 of page sizes; 0: the stage is off. */
struct sizes {
  uint8_t log2[TALLY_SIZES];
  unsigned count;
};

static const struct sizes no_sizes = {{0}, 1}, short_sizes = {{0, 12, 16, 20, 24}, 5},
                          lpae_sizes = {{0, 12, 21, 30}, 4}, paged_sizes = {{12, 21, 30}, 3};

/* A type of fault, and the levels that it is met at. */
struct kind {
  enum nw_fault_type type;
  unsigned first, last;
};

static const struct kind short_kinds[] = {
    {NW_FAULT_TRANSLATION, 1, 2}, {NW_FAULT_ACCESS_FLAG, 1, 2},    {NW_FAULT_DOMAIN, 1, 2},
    {NW_FAULT_PERMISSION, 1, 2},  {NW_FAULT_EXTERNAL_ABORT, 1, 2}, {NW_FAULT_NONE, 0, 0}};
static const struct kind lpae_kinds[] = {{NW_FAULT_TRANSLATION, 1, 3},
                                         {NW_FAULT_ACCESS_FLAG, 1, 3},
                                         {NW_FAULT_PERMISSION, 1, 3},
                                         {NW_FAULT_EXTERNAL_ABORT, 1, 3},
                                         {NW_FAULT_NONE, 0, 0}};
static const struct kind x86_kinds[] = {{NW_FAULT_NONCANONICAL, 0, 0},
                                        {NW_FAULT_TRANSLATION, 1, 5},
                                        {NW_FAULT_RESERVED_BIT, 1, 5},
                                        {NW_FAULT_PERMISSION, 1, 3},
                                        {NW_FAULT_NONE, 0, 0}};
static const struct kind npt_kinds[] = {{NW_FAULT_TRANSLATION, 1, 5},
                                        {NW_FAULT_RESERVED_BIT, 1, 5},
                                        {NW_FAULT_PERMISSION, 1, 3},
                                        {NW_FAULT_NONE, 0, 0}};
static const struct kind ept_kinds[] = {{NW_FAULT_TRANSLATION, 1, 4},
                                        {NW_FAULT_MISCONFIG, 1, 4},
                                        {NW_FAULT_PERMISSION, 1, 3},
                                        {NW_FAULT_NONE, 0, 0}};

static const struct shape {
  const char *name;
  const struct sizes *s1, *s2;
  const struct kind *kinds[2]; /* of each stage; NULL: there is no stage 2 */
} shapes[NW_REGIMES] = {
    [NW_REGIME_ARMV7_SHORT] = {"short", &short_sizes, &no_sizes, {short_kinds, NULL}},
    [NW_REGIME_ARMV7_LPAE] = {"lpae", &lpae_sizes, &no_sizes, {lpae_kinds, NULL}},
    [NW_REGIME_ARMV7_SHORT_S2] = {"short+s2",
                                  &short_sizes,
                                  &paged_sizes,
                                  {short_kinds, lpae_kinds}},
    [NW_REGIME_ARMV7_LPAE_S2] = {"lpae+s2", &lpae_sizes, &paged_sizes, {lpae_kinds, lpae_kinds}},
    [NW_REGIME_X86_64] = {"x86-64", &paged_sizes, &no_sizes, {x86_kinds, NULL}},
    [NW_REGIME_X86_SVM_NPT] = {"x86-svm-npt", &paged_sizes, &paged_sizes, {x86_kinds, npt_kinds}},
    [NW_REGIME_X86_EPT] = {"x86-ept", &paged_sizes, &paged_sizes, {x86_kinds, ept_kinds}},
};

/* -- counting ---------------------------------------------------------------------------------- */

/* The regime, or where its stage 2 is off that which has none. */
static enum nw_regime_kind effective(const struct nw_regime *regime) {
  static const enum nw_regime_kind without[NW_REGIMES] = {
      [NW_REGIME_ARMV7_SHORT_S2] = NW_REGIME_ARMV7_SHORT,
      [NW_REGIME_ARMV7_LPAE_S2] = NW_REGIME_ARMV7_LPAE,
      [NW_REGIME_X86_EPT] = NW_REGIME_X86_64,
  };
  enum nw_regime_kind kind = (enum nw_regime_kind)regime->kind;
  return nw_regime_has_stage2(kind) && !regime->s2_enabled ? without[kind] : kind;
}

static unsigned size_index(const struct sizes *sizes, uint8_t log2) {
  for (unsigned i = 0; i < sizes->count; i++)
    if (sizes->log2[i] == log2)
      return i;
  return 0;
}

void tally_count(struct tally *tally, const struct nw_case_reader *reader,
                 const struct nw_result *result) {
  enum nw_regime_kind regime = effective(&reader->regime);
  const struct nw_fault *fault = &result->fault;
  tally->asked[regime] = true;
  if (reader->request.access == NW_EXECUTE)
    tally->fetch[regime][fault->stage][fault->type]++;
  if (fault->key)
    tally->key[regime]++;
  if (fault->type == NW_FAULT_NONE) {
    unsigned s1 = size_index(shapes[regime].s1, result->s1_page_log2);
    unsigned s2 = size_index(shapes[regime].s2, result->s2_page_log2);
    tally->ok[regime][reader->scope][s1][s2]++;
  } else {
    tally->fault[regime][fault->stage][fault->s1walk][fault->type][fault->level]++;
  }
}

/* -- printing ---------------------------------------------------------------------------------- */

static const char *size_name(uint8_t log2) {
  static const char *const names[] = {
      [0] = "off", [12] = "4K", [16] = "64K", [20] = "1M", [21] = "2M", [24] = "16M", [30] = "1G"};
  return names[log2];
}

static bool has_stage2(enum nw_regime_kind regime) {
  return shapes[regime].kinds[1] != NULL;
}

/* The stage that is not asked has no page: it counts as its first size. */
static void print_ok(const struct tally *tally, enum nw_regime_kind regime, enum nw_scope scope,
                     FILE *out) {
  static const char *const scopes[TALLY_SCOPES] = {"s12", "s1", "s2"};
  const struct sizes *sizes1 = shapes[regime].s1, *sizes2 = shapes[regime].s2;
  unsigned count1 = scope == NW_SCOPE_STAGE2 ? 1 : sizes1->count;
  unsigned count2 = scope == NW_SCOPE_STAGE1 ? 1 : sizes2->count;
  for (unsigned s1 = 0; s1 < count1; s1++) {
    for (unsigned s2 = 0; s2 < count2; s2++) {
      fprintf(out, "%" PRIu64 "\tok walk=%s %s", tally->ok[regime][scope][s1][s2], scopes[scope],
              shapes[regime].name);
      if (scope != NW_SCOPE_STAGE2)
        fprintf(out, " s1=%s", size_name(sizes1->log2[s1]));
      if (scope != NW_SCOPE_STAGE1 && has_stage2(regime))
        fprintf(out, " s2=%s", size_name(sizes2->log2[s2]));
      putc('\n', out);
    }
  }
}

static void print_faults(const struct tally *tally, enum nw_regime_kind regime, unsigned stage,
                         unsigned s1walk, FILE *out) {
  for (const struct kind *kind = shapes[regime].kinds[stage - 1]; kind->type != NW_FAULT_NONE;
       kind++)
    for (unsigned level = kind->first; level <= kind->last; level++)
      fprintf(out, "%" PRIu64 "\tfault %s stage=%u s1walk=%u level=%u type=%s\n",
              tally->fault[regime][stage][s1walk][kind->type][level], shapes[regime].name, stage,
              s1walk, level, nw_fault_name(kind->type));
}

static void print_fetches(const struct tally *tally, enum nw_regime_kind regime, FILE *out) {
  const char *name = shapes[regime].name;
  fprintf(out, "%" PRIu64 "\tok fetch %s\n", tally->fetch[regime][0][NW_FAULT_NONE], name);
  for (unsigned stage = 1; stage <= (has_stage2(regime) ? 2 : 1); stage++)
    for (const struct kind *kind = shapes[regime].kinds[stage - 1]; kind->type != NW_FAULT_NONE;
         kind++)
      fprintf(out, "%" PRIu64 "\tfault fetch %s stage=%u type=%s\n",
              tally->fetch[regime][stage][kind->type], name, stage, nw_fault_name(kind->type));
}

static void print_regime(const struct tally *tally, enum nw_regime_kind regime, FILE *out) {
  bool arm = nw_regime_architecture(regime) == NW_ARMV7;
  print_ok(tally, regime, NW_SCOPE_BOTH, out);
  if (arm)
    print_ok(tally, regime, NW_SCOPE_STAGE1, out);
  if (arm || has_stage2(regime))
    print_ok(tally, regime, NW_SCOPE_STAGE2, out);
  print_faults(tally, regime, 1, 0, out);
  for (unsigned s1walk = 0; has_stage2(regime) && s1walk < 2; s1walk++)
    print_faults(tally, regime, 2, s1walk, out);
  print_fetches(tally, regime, out);
  if (!arm)
    fprintf(out, "%" PRIu64 "\tfault %s pk=1\n", tally->key[regime], shapes[regime].name);
}

void tally_print(const struct tally *tally, FILE *out) {
  for (unsigned regime = 0; regime < NW_REGIMES; regime++)
    if (tally->asked[regime])
      print_regime(tally, (enum nw_regime_kind)regime, out);
}
