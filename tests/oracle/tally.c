/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <inttypes.h>

static const struct {
  const char *name;
  uint8_t sizes[TALLY_SIZES]; /* log2 of the pages; 0: stage 1 is off; then no more */
  unsigned count;
  unsigned levels;
} formats[2] = {
    {"short", {0, 12, 16, 20, 24}, 5, 2},
    {"lpae", {0, 12, 21, 30, 0}, 4, 3},
};

static const struct {
  const uint8_t sizes[TALLY_SIZES];
  unsigned count;
} stage2 = {{0, 12, 21, 30, 0}, 4};

static unsigned size_index(const uint8_t *sizes, unsigned count, uint8_t log2) {
  for (unsigned i = 0; i < count; i++)
    if (sizes[i] == log2)
      return i;
  return 0;
}

void tally_count(struct tally *tally, const struct nw_regime *regime, enum nw_scope scope,
                 enum nw_access access, const struct nw_result *result) {
  unsigned format = regime->has_domains ? 0 : 1;
  const struct nw_fault *fault = &result->fault;
  if (access == NW_EXECUTE)
    tally->fetch[format][regime->s2_enabled][fault->stage][fault->type]++;
  if (fault->type == NW_FAULT_NONE) {
    unsigned s1 = size_index(formats[format].sizes, formats[format].count, result->s1_page_log2);
    unsigned s2 = size_index(stage2.sizes, stage2.count, result->s2_page_log2);
    tally->ok[scope][format][s1][s2]++;
  } else {
    tally->fault[format][regime->s2_enabled][fault->stage][fault->s1walk][fault->type]
                [fault->level]++;
  }
}

static const char *size_name(uint8_t log2) {
  static const char *const names[] = {
      [0] = "off", [12] = "4K", [16] = "64K", [20] = "1M", [21] = "2M", [24] = "16M", [30] = "1G"};
  return names[log2];
}

static void print_ok(const struct tally *tally, enum nw_scope scope, unsigned format, FILE *out) {
  static const char *const scopes[] = {"s12", "s1", "s2"};
  unsigned s1_count = scope == NW_SCOPE_STAGE2 ? 1 : formats[format].count;
  unsigned s2_count = scope == NW_SCOPE_STAGE1 ? 1 : stage2.count;
  for (unsigned s1 = 0; s1 < s1_count; s1++) {
    for (unsigned s2 = 0; s2 < s2_count; s2++) {
      fprintf(out, "%" PRIu64 "\tok walk=%s %s", tally->ok[scope][format][s1][s2], scopes[scope],
              formats[format].name);
      if (scope != NW_SCOPE_STAGE2)
        fprintf(out, " s1=%s", size_name(formats[format].sizes[s1]));
      if (scope != NW_SCOPE_STAGE1)
        fprintf(out, " s2=%s", size_name(stage2.sizes[s2]));
      putc('\n', out);
    }
  }
}

static const enum nw_fault_type types[] = {NW_FAULT_TRANSLATION, NW_FAULT_ACCESS_FLAG,
                                           NW_FAULT_DOMAIN, NW_FAULT_PERMISSION,
                                           NW_FAULT_EXTERNAL_ABORT};
#define TYPES (sizeof(types) / sizeof(types[0]))

static bool exists(enum nw_fault_type type, unsigned format, unsigned stage) {
  return type != NW_FAULT_DOMAIN || (stage == 1 && format == 0);
}

static void print_fetches(const struct tally *tally, unsigned format, unsigned on, FILE *out) {
  const char *name = formats[format].name, *suffix = on ? "+s2" : "";
  fprintf(out, "%" PRIu64 "\tok fetch %s%s\n", tally->fetch[format][on][0][NW_FAULT_NONE], name,
          suffix);
  for (unsigned stage = 1; stage <= 1 + on; stage++)
    for (unsigned i = 0; i < TYPES; i++)
      if (exists(types[i], format, stage))
        fprintf(out, "%" PRIu64 "\tfault fetch %s%s stage=%u type=%s\n",
                tally->fetch[format][on][stage][types[i]], name, suffix, stage,
                nw_fault_name(types[i]));
}

static void print_faults(const struct tally *tally, unsigned format, unsigned on, unsigned stage,
                         unsigned s1walk, FILE *out) {
  unsigned levels = stage == 1 ? formats[format].levels : 3;
  for (unsigned i = 0; i < TYPES; i++) {
    if (!exists(types[i], format, stage))
      continue;
    for (unsigned level = 1; level <= levels; level++)
      fprintf(out, "%" PRIu64 "\tfault %s%s stage=%u s1walk=%u level=%u type=%s\n",
              tally->fault[format][on][stage][s1walk][types[i]][level], formats[format].name,
              on ? "+s2" : "", stage, s1walk, level, nw_fault_name(types[i]));
  }
}

void tally_print(const struct tally *tally, FILE *out) {
  static const enum nw_scope scopes[] = {NW_SCOPE_BOTH, NW_SCOPE_STAGE1, NW_SCOPE_STAGE2};
  for (unsigned format = 0; format < 2; format++) {
    for (unsigned i = 0; i < 3; i++)
      print_ok(tally, scopes[i], format, out);
    print_faults(tally, format, 0, 1, 0, out);
    print_faults(tally, format, 1, 1, 0, out);
    print_faults(tally, format, 1, 2, 0, out);
    print_faults(tally, format, 1, 2, 1, out);
    print_fetches(tally, format, 0, out);
    print_fetches(tally, format, 1, out);
  }
}
