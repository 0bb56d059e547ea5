/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of Intel's SDM and, for nested paging, of AMD's APM; their figures of entries and error
 * codes as data.
 */
#include "explain/words.h"

#include <inttypes.h>

#define L1 (1u << 1)
#define L2 (1u << 2)
#define L3 (1u << 3)
#define L4 (1u << 4)
#define L5 (1u << 5)
#define ALL (L1 | L2 | L3 | L4 | L5)

#define END                                                                                        \
  { NULL, 0, 0, NULL }

/* -- entries ----------------------------------------------------------------------------------- */

#define P 1u
#define PS (1u << 7)
#define ADDRESS_4K 0xffffffffff000
#define ADDRESS_2M 0xfffffffe00000
#define ADDRESS_1G 0xfffffc0000000

/* clang-format off */
#define COMMON_FIELDS                                                                              \
  {"P", 0, 0, NULL}, {"R/W", 1, 1, NULL}, {"U/S", 2, 2, NULL}, {"PWT", 3, 3, NULL},                \
  {"PCD", 4, 4, NULL}, {"A", 5, 5, NULL}
#define TABLE_FIELDS {COMMON_FIELDS, {"PS", 7, 7, NULL}, {"XD", 63, 63, NULL}, END}
#define GLOBAL_AND_KEY {"G", 8, 8, NULL}, {"PK", 62, 59, NULL}, {"XD", 63, 63, NULL}, END
#define ONLY_XD {"XD", 63, 63, NULL}, END
#define SMALL_FIELDS(...) {COMMON_FIELDS, {"D", 6, 6, NULL}, {"PAT", 7, 7, NULL}, __VA_ARGS__}
#define LARGE_FIELDS(...)                                                                          \
  {COMMON_FIELDS, {"D", 6, 6, NULL}, {"PS", 7, 7, NULL}, {"PAT", 12, 12, NULL}, __VA_ARGS__}

#define LONG_MODE_LAYOUT(...)                                                                      \
  {"not present", ALL, P, 0, 0, {END}},                                                            \
  {"table", L5 | L4, P, P, ADDRESS_4K, TABLE_FIELDS},                                              \
  {"table", L3 | L2, P | PS, P, ADDRESS_4K, TABLE_FIELDS},                                         \
  {"1 GB page", L3, P | PS, P | PS, ADDRESS_1G, LARGE_FIELDS(__VA_ARGS__)},                        \
  {"2 MB page", L2, P | PS, P | PS, ADDRESS_2M, LARGE_FIELDS(__VA_ARGS__)},                        \
  {"4 KB page", L1, P, P, ADDRESS_4K, SMALL_FIELDS(__VA_ARGS__)},                                  \
  {NULL, 0, 0, 0, 0, {END}}

/* SDM vol. 3, tables 4-14 to 4-20. A nested table has neither global pages nor keys. */
static const struct nw_layout long_mode[] = {LONG_MODE_LAYOUT(GLOBAL_AND_KEY)};
static const struct nw_layout nested[] = {LONG_MODE_LAYOUT(ONLY_XD)};

#define ALLOWED 7u
static const char *const memory_type[8] = {"UC", "WC", "reserved", "reserved",
                                           "WT", "WP", "WB", "reserved"};
#define RIGHTS {"R", 0, 0, NULL}, {"W", 1, 1, NULL}, {"X", 2, 2, NULL}
#define EPT_TABLE {RIGHTS, {"PS", 7, 7, NULL}, {"A", 8, 8, NULL}, END}
#define EPT_LEAF(...)                                                                              \
  {RIGHTS, {"type", 5, 3, memory_type}, {"IPAT", 6, 6, NULL}, __VA_ARGS__ {"A", 8, 8, NULL},       \
   {"D", 9, 9, NULL}, END}
#define EPT_PS {"PS", 7, 7, NULL},

/* SDM vol. 3, tables 29-1 to 29-7. */
static const struct nw_layout ept[] = {
    {"not present", ALL, ALLOWED, 0, 0, {END}},
    {"table", L5 | L4, 0, 0, ADDRESS_4K, EPT_TABLE},
    {"table", L3 | L2, PS, 0, ADDRESS_4K, EPT_TABLE},
    {"1 GB page", L3, PS, PS, ADDRESS_1G, EPT_LEAF(EPT_PS)},
    {"2 MB page", L2, PS, PS, ADDRESS_2M, EPT_LEAF(EPT_PS)},
    {"4 KB page", L1, 0, 0, ADDRESS_4K, EPT_LEAF()},
    {NULL, 0, 0, 0, 0, {END}},
};
/* clang-format on */

static const char *const level_names[NW_LEVELS] = {NULL, "PTE", "PDE", "PDPTE", "PML4E", "PML5E"};

static const struct nw_format_words long_mode_words = {.format = "x86-64",
                                                       .section = "SDM vol. 3, 4.5",
                                                       .layout = long_mode,
                                                       .level_names = level_names};
static const struct nw_format_words nested_words = {.format = "npt",
                                                    .section = "APM vol. 2, 15.25.5",
                                                    .layout = nested,
                                                    .level_names = level_names};
static const struct nw_format_words ept_words = {
    .format = "ept", .section = "SDM vol. 3, 29.3.2", .layout = ept, .level_names = level_names};

static const struct nw_format_words *const formats[] = {&long_mode_words, &nested_words, &ept_words,
                                                        NULL};

/* -- registers --------------------------------------------------------------------------------- */

#define OF(kind) (1u << (kind))
#define EVERYWHERE (OF(NW_REGIME_X86_64) | OF(NW_REGIME_X86_SVM_NPT) | OF(NW_REGIME_X86_EPT))

static const struct nw_register_words registers[] = {
    {"CR0", NW_X86_CR0, EVERYWHERE},
    {"CR3", NW_X86_CR3, EVERYWHERE},
    {"CR4", NW_X86_CR4, EVERYWHERE},
    {"EFER", NW_X86_EFER, EVERYWHERE},
    {"PKRU", NW_X86_PKRU, EVERYWHERE},
    {"AC", NW_X86_AC, EVERYWHERE},
    {"nCR3", NW_X86_NESTED_ROOT, OF(NW_REGIME_X86_SVM_NPT)},
    {"hCR4", NW_X86_HOST_CR4, OF(NW_REGIME_X86_SVM_NPT)},
    {"hEFER", NW_X86_HOST_EFER, OF(NW_REGIME_X86_SVM_NPT)},
    {"EPTP", NW_X86_NESTED_ROOT, OF(NW_REGIME_X86_EPT)},
    {NULL, 0, 0},
};

static void tell_stage1(FILE *out, const struct nw_regime *regime, uint64_t va) {
  const struct nw_root *root = &regime->s1_root[0];
  unsigned above = 64u - root->input_bits;
  bool canonical = (uint64_t)((int64_t)(va << above) >> above) == va;
  if (!regime->s1_enabled)
    fprintf(out, "  stage 1 off (CR0.PG is 0): the VA is the %s\n",
            regime->s2_enabled ? "gPA" : "PA");
  else
    fprintf(out, "  stage 1 on: CR4.LA57=%d, %u levels, from CR3 at 0x%016" PRIx64 "%s (%s)\n",
            root->start_level == 5, root->start_level, root->base,
            canonical ? "" : "; the VA is not canonical",
            canonical ? "SDM vol. 3, 4.5" : "SDM vol. 1, 3.3.7.1");
}

static void tell_stage2(FILE *out, const struct nw_regime *regime) {
  const struct nw_root *root = &regime->s2_root;
  if (!regime->s2_enabled)
    fputs("  stage 2 off (EPTP is 0): a gPA is a PA\n", out);
  else if (regime->kind == NW_REGIME_X86_EPT)
    fprintf(out,
            "  stage 2 on: EPT, %u levels, from EPTP at 0x%016" PRIx64 ", flags A and D %s "
            "(SDM vol. 3, 29.3)\n",
            root->start_level, root->base, regime->s2_flags ? "set by hardware" : "off");
  else
    fprintf(out,
            "  stage 2 on: nested paging, hCR4.LA57=%d, %u levels, from nCR3 at 0x%016" PRIx64
            " (APM vol. 2, 15.25)\n",
            root->start_level == 5, root->start_level, root->base);
}

static void tell_memory(FILE *out, const struct nw_result *result) {
  static const char *const type[8] = {"UC", "WC", NULL, NULL, "WT", "WP", "WB", "UC-"};
  const char *name = type[result->attr & 7];
  fprintf(out, "  memory type: %s\n", name ? name : "reserved");
}

/* -- reports ----------------------------------------------------------------------------------- */

static const struct nw_field_words error_code[] = {{"P", 0, 0, NULL},
                                                   {"W/R", 1, 1, NULL},
                                                   {"U/S", 2, 2, NULL},
                                                   {"RSVD", 3, 3, NULL},
                                                   {"I/D", 4, 4, NULL},
                                                   {"PK", 5, 5, NULL},
                                                   END};
static const struct nw_field_words exitinfo1[] = {
    {"P", 0, 0, NULL},   {"W", 1, 1, NULL},       {"U", 2, 2, NULL},       {"RSVD", 3, 3, NULL},
    {"I/D", 4, 4, NULL}, {"final", 32, 32, NULL}, {"table", 33, 33, NULL}, END};
static const struct nw_field_words qualification[] = {{"read", 0, 0, NULL},
                                                      {"write", 1, 1, NULL},
                                                      {"fetch", 2, 2, NULL},
                                                      {"R", 3, 3, NULL},
                                                      {"W", 4, 4, NULL},
                                                      {"X", 5, 5, NULL},
                                                      {"linear valid", 7, 7, NULL},
                                                      {"final", 8, 8, NULL},
                                                      END};

/* Faults that say what they are by their kind alone. */
static const char *name_of(const struct nw_fault *fault) {
  switch ((enum nw_fault_type)fault->type) {
  case NW_FAULT_NONCANONICAL:
    return "#GP, error code 0";
  case NW_FAULT_MISCONFIG:
    return "EPT misconfiguration, no qualification";
  default:
    return "machine check";
  }
}

static void tell_syndrome(FILE *out, const struct nw_regime *regime, const struct nw_fault *fault,
                          const char *indent) {
  struct nw_syndrome syndrome = nw_fault_syndrome(regime, fault);
  switch (syndrome.kind) {
  case NW_SYNDROME_PF:
    nw_tell_register(out, "#PF error code", syndrome.value[0], 2, error_code, indent);
    fprintf(out, "%sCR2 = 0x%016" PRIx64 "\n", indent, syndrome.far);
    break;
  case NW_SYNDROME_NPF:
    nw_tell_register(out, "EXITINFO1", syndrome.value[0] | (uint64_t)syndrome.value[1] << 32, 10,
                     exitinfo1, indent);
    fprintf(out, "%sEXITINFO2 = 0x%016" PRIx64 "\n", indent, fault->ipa);
    break;
  case NW_SYNDROME_EPT:
    nw_tell_register(out, "exit qualification", syndrome.value[0], 3, qualification, indent);
    fprintf(out,
            "%sguest-physical address = 0x%016" PRIx64 "\n%sguest-linear address = 0x%016" PRIx64
            "\n",
            indent, fault->ipa, indent, syndrome.far);
    break;
  default:
    fprintf(out, "%s%s\n", indent, name_of(fault));
  }
}

static const char *fault_section(const struct nw_regime *regime, const struct nw_fault *fault) {
  if (fault->type == NW_FAULT_NONCANONICAL)
    return "SDM vol. 1, 3.3.7.1";
  if (fault->stage == 1)
    return fault->type == NW_FAULT_PERMISSION ? "SDM vol. 3, 4.6" : "SDM vol. 3, 4.7";
  if (regime->kind == NW_REGIME_X86_SVM_NPT)
    return "APM vol. 2, 15.25.6";
  return fault->type == NW_FAULT_MISCONFIG ? "SDM vol. 3, 29.3.3.1" : "SDM vol. 3, 29.3.3.2";
}

static const char *report_section(const struct nw_regime *regime, const struct nw_fault *fault) {
  if (fault->stage == 1)
    return "SDM vol. 3, 4.7";
  return regime->kind == NW_REGIME_X86_SVM_NPT ? "APM vol. 2, 15.25.6" : "SDM vol. 3, 28.2.1";
}

const struct nw_words nw_words_x86 = {
    .ipa = "gPA",
    .user = "user",
    .privileged = "supervisor",
    .va_digits = 16,
    .pa_digits = 16,
    .registers = registers,
    .formats = formats,
    .tell_stage1 = tell_stage1,
    .tell_stage2 = tell_stage2,
    .tell_memory = tell_memory,
    .tell_syndrome = tell_syndrome,
    .fault_section = fault_section,
    .report_section = report_section,
};
