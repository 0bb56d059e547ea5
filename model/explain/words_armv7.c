/* SPDX-License-Identifier: Apache-2.0 */
/* The words of DDI 0406C, and its figures of descriptors and registers as data. */
#include "explain/words.h"

#include <inttypes.h>

#define L1 (1u << 1)
#define L2 (1u << 2)
#define L3 (1u << 3)

#define END                                                                                        \
  { NULL, 0, 0, NULL }

/* -- descriptors ------------------------------------------------------------------------------- */

#define SUPERSECTION (1u << 18)

/* clang-format off */
#define SECTION_FIELDS                                                                             \
  {"TEX", 14, 12, NULL}, {"C", 3, 3, NULL}, {"B", 2, 2, NULL}, {"S", 16, 16, NULL},                \
  {"nG", 17, 17, NULL}, {"XN", 4, 4, NULL}, {"PXN", 0, 0, NULL}, {"NS", 19, 19, NULL}, END

/* Figures B3-4 and B3-5. */
static const struct nw_layout short_layout[] = {
    {"invalid", L1 | L2, 3, 0, 0, {END}},
    {"table", L1, 3, 1, 0xfffffc00,
     {{"domain", 8, 5, NULL}, {"NS", 3, 3, NULL}, {"PXN", 2, 2, NULL}, END}},
    {"supersection", L1, 2 | SUPERSECTION, 2 | SUPERSECTION, 0xff000000,
     {{"AP[2]", 15, 15, NULL}, {"AP[1:0]", 11, 10, NULL}, SECTION_FIELDS}},
    {"section", L1, 2 | SUPERSECTION, 2, 0xfff00000,
     {{"AP[2]", 15, 15, NULL}, {"AP[1:0]", 11, 10, NULL}, {"domain", 8, 5, NULL}, SECTION_FIELDS}},
    {"large page", L2, 3, 1, 0xffff0000,
     {{"AP[2]", 9, 9, NULL}, {"AP[1:0]", 5, 4, NULL}, {"TEX", 14, 12, NULL}, {"C", 3, 3, NULL},
      {"B", 2, 2, NULL}, {"S", 10, 10, NULL}, {"nG", 11, 11, NULL}, {"XN", 15, 15, NULL}, END}},
    {"small page", L2, 2, 2, 0xfffff000,
     {{"AP[2]", 9, 9, NULL}, {"AP[1:0]", 5, 4, NULL}, {"TEX", 8, 6, NULL}, {"C", 3, 3, NULL},
      {"B", 2, 2, NULL}, {"S", 10, 10, NULL}, {"nG", 11, 11, NULL}, {"XN", 0, 0, NULL}, END}},
    {NULL, 0, 0, 0, 0, {END}},
};

#define STAGE1_LEAF                                                                                \
  {{"AP[2:1]", 7, 6, NULL}, {"AttrIndx", 4, 2, NULL}, {"SH", 9, 8, NULL}, {"AF", 10, 10, NULL},    \
   {"nG", 11, 11, NULL}, {"XN", 54, 54, NULL}, {"PXN", 53, 53, NULL}, {"NS", 5, 5, NULL},          \
   {"contiguous", 52, 52, NULL}, END}
#define STAGE2_LEAF                                                                                \
  {{"write", 7, 7, NULL}, {"read", 6, 6, NULL}, {"MemAttr", 5, 2, NULL}, {"SH", 9, 8, NULL},       \
   {"AF", 10, 10, NULL}, {"XN", 54, 54, NULL}, {"contiguous", 52, 52, NULL}, END}

#define TABLE_ADDRESS 0xfffffff000
#define LONG_LAYOUT(table_fields, leaf_fields)                                                     \
  {"invalid", L1 | L2 | L3, 1, 0, 0, {END}},                                                       \
  {"invalid (0b01 at level 3)", L3, 3, 1, 0, {END}},                                               \
  {"table", L1 | L2, 3, 3, TABLE_ADDRESS, table_fields},                                           \
  {"1 GB block", L1, 3, 1, 0xffc0000000, leaf_fields},                                             \
  {"2 MB block", L2, 3, 1, 0xffffe00000, leaf_fields},                                             \
  {"page", L3, 3, 3, TABLE_ADDRESS, leaf_fields},                                                  \
  {NULL, 0, 0, 0, 0, {END}}
#define STAGE1_TABLE                                                                               \
  {{"APTable", 62, 61, NULL}, {"XNTable", 60, 60, NULL}, {"PXNTable", 59, 59, NULL},               \
   {"NSTable", 63, 63, NULL}, END}
#define STAGE2_TABLE {END}

/* Figures B3-14 to B3-17. */
static const struct nw_layout long_stage1[] = {LONG_LAYOUT(STAGE1_TABLE, STAGE1_LEAF)};
static const struct nw_layout long_stage2[] = {LONG_LAYOUT(STAGE2_TABLE, STAGE2_LEAF)};
/* clang-format on */

/* A supersection's address has more bits than its base field: PA[35:32] and PA[39:36]. */
static uint64_t short_address(const struct nw_layout *layout, uint64_t descriptor) {
  uint64_t address = descriptor & layout->address;
  if (layout->match & SUPERSECTION)
    address |= (descriptor >> 20 & 15) << 32 | (descriptor >> 5 & 15) << 36;
  return address;
}

static const struct nw_format_words short_words = {
    .format = "armv7-short", .section = "B3.5.1", .layout = short_layout, .address = short_address};
static const struct nw_format_words long_stage1_words = {
    .format = "lpae", .section = "B3.6.1", .layout = long_stage1};
static const struct nw_format_words long_stage2_words = {
    .format = "lpae-stage2", .section = "B3.6.1", .layout = long_stage2};

static const struct nw_format_words *const formats[] = {&short_words, &long_stage1_words,
                                                        &long_stage2_words, NULL};

/* -- registers --------------------------------------------------------------------------------- */

#define STAGE2 (1u << NW_REGIME_ARMV7_SHORT_S2 | 1u << NW_REGIME_ARMV7_LPAE_S2)
#define EVERYWHERE (1u << NW_REGIME_ARMV7_SHORT | 1u << NW_REGIME_ARMV7_LPAE | STAGE2)

static const struct nw_register_words registers[] = {
    {"SCTLR", NW_REG_SCTLR, EVERYWHERE},
    {"TTBCR", NW_REG_TTBCR, EVERYWHERE},
    {"TTBR0", NW_REG_TTBR0, EVERYWHERE},
    {"TTBR1", NW_REG_TTBR1, EVERYWHERE},
    {"DACR", NW_REG_DACR, EVERYWHERE},
    {"HCR", NW_REG_HCR, STAGE2},
    {"VTCR", NW_REG_VTCR, STAGE2},
    {"VTTBR", NW_REG_VTTBR, STAGE2},
    {NULL, 0, 0},
};

/* B3.5.4 */
static void tell_short_root(FILE *out, uint32_t ttbcr, uint64_t va) {
  unsigned n = ttbcr & 7;
  bool upper = n && va >> (32 - n);
  fprintf(out, "  stage 1 on, short descriptors: TTBCR.N=%u, %s: TTBR%d (B3.5.4)\n", n,
          n == 0  ? "no split"
          : upper ? "the VA's top N bits are not all 0"
                  : "the VA's top N bits are 0",
          upper);
}

/* B3.6.4 */
static void tell_long_root(FILE *out, uint32_t ttbcr, uint64_t va) {
  unsigned t0sz = ttbcr & 7, t1sz = ttbcr >> 16 & 7;
  bool low = va >> (32 - t0sz) == 0;
  bool high = t1sz ? va >> (32 - t1sz) == ((uint64_t)1 << t1sz) - 1 : t0sz && !low;
  fprintf(out, "  stage 1 on, long descriptors: TTBCR.T0SZ=%u, T1SZ=%u: %s (B3.6.4)\n", t0sz, t1sz,
          high  ? "TTBR1"
          : low ? "TTBR0"
                : "the VA is in neither region");
}

static void tell_stage1(FILE *out, const struct nw_regime *regime, uint64_t va) {
  uint32_t ttbcr = (uint32_t)regime->reg[NW_REG_TTBCR];
  if (!regime->s1_enabled)
    fprintf(out, "  stage 1 off (%s): the VA is the %s\n",
            regime->default_cacheable ? "HCR.DC is 1" : "SCTLR.M is 0",
            regime->s2_enabled ? "IPA" : "PA");
  else if (regime->has_domains)
    tell_short_root(out, ttbcr, va);
  else
    tell_long_root(out, ttbcr, va);
}

static void tell_stage2(FILE *out, const struct nw_regime *regime) {
  const struct nw_root *root = &regime->s2_root;
  if (!regime->s2_enabled)
    fputs("  stage 2 off (HCR.VM is 0): an IPA is a PA\n", out);
  else if (root->disabled)
    fputs("  stage 2 on, but VTCR.SL0 and T0SZ contradict each other: everything faults (B3.6.4)\n",
          out);
  else
    fprintf(out, "  stage 2 on: %u-bit IPAs, starts at level %u at 0x%010" PRIx64 "\n",
            root->input_bits, root->start_level, root->base);
}

/* -- attributes -------------------------------------------------------------------------------- */

static const char *cacheability(unsigned nibble) {
  static const char *const name[4] = {"write-through transient", "non-cacheable", "write-through",
                                      "write-back"};
  return name[nibble >> 2 & 3];
}

static void tell_memory(FILE *out, const struct nw_result *result) {
  static const char *const share[4] = {"non-shareable", "reserved shareability", "outer shareable",
                                       "inner shareable"};
  fputs("  memory: ", out);
  if (result->attr >> 4 == 0)
    fputs(result->attr == 0 ? "Strongly-ordered" : "Device", out);
  else
    fprintf(out, "Normal, outer %s, inner %s", cacheability(result->attr >> 4),
            cacheability(result->attr & 15u));
  fprintf(out, ", %s\n", share[result->sh & 3]);
}

/* -- syndromes --------------------------------------------------------------------------------- */

/* B4.1.51 DFSR, B4.1.96 IFSR, B4.1.65 HSR, B4.1.63 HPFAR */
static const struct nw_field_words dfsr_short[] = {{"FS[4]", 10, 10, NULL}, {"FS[3:0]", 3, 0, NULL},
                                                   {"domain", 7, 4, NULL},  {"WnR", 11, 11, NULL},
                                                   {"LPAE", 9, 9, NULL},    END};
static const struct nw_field_words dfsr_long[] = {
    {"STATUS", 5, 0, NULL}, {"WnR", 11, 11, NULL}, {"LPAE", 9, 9, NULL}, END};
static const struct nw_field_words ifsr_short[] = {
    {"FS[4]", 10, 10, NULL}, {"FS[3:0]", 3, 0, NULL}, {"LPAE", 9, 9, NULL}, END};
static const struct nw_field_words ifsr_long[] = {
    {"STATUS", 5, 0, NULL}, {"LPAE", 9, 9, NULL}, END};
static const struct nw_field_words hsr[] = {
    {"EC", 31, 26, NULL},  {"IL", 25, 25, NULL}, {"ISV", 24, 24, NULL}, {"CM", 8, 8, NULL},
    {"S1PTW", 7, 7, NULL}, {"WnR", 6, 6, NULL},  {"FSC", 5, 0, NULL},   END};
static const struct nw_field_words hpfar[] = {{"FIPA[39:12]", 31, 4, NULL}, END};

#define EC_INSTRUCTION_ABORT 0x20

/* The words of one 32-bit syndrome register, and of the register that has the address. */
static void tell_pair(FILE *out, const char *name, uint32_t value,
                      const struct nw_field_words *field, const char *far_name, uint32_t far,
                      const char *indent) {
  nw_tell_register(out, name, value, 8, field, indent);
  fprintf(out, "%s%s = 0x%08x\n", indent, far_name, far);
}

static void tell_syndrome(FILE *out, const struct nw_regime *regime, const struct nw_fault *fault,
                          const char *indent) {
  struct nw_syndrome syndrome = nw_fault_syndrome(regime, fault);
  bool short_format = regime->has_domains;
  uint32_t value = (uint32_t)syndrome.value[0], far = (uint32_t)syndrome.far;
  switch (syndrome.kind) {
  case NW_SYNDROME_DFSR:
    tell_pair(out, "DFSR", value, short_format ? dfsr_short : dfsr_long, "DFAR", far, indent);
    break;
  case NW_SYNDROME_IFSR:
    tell_pair(out, "IFSR", value, short_format ? ifsr_short : ifsr_long, "IFAR", far, indent);
    break;
  default:
    nw_tell_register(out, "HSR", value, 8, hsr, indent);
    tell_pair(out, "HPFAR", (uint32_t)syndrome.value[1], hpfar,
              value >> 26 == EC_INSTRUCTION_ABORT ? "HIFAR" : "HDFAR", far, indent);
    break;
  }
}

static const char *fault_section(const struct nw_regime *regime, const struct nw_fault *fault) {
  switch ((enum nw_fault_type)fault->type) {
  case NW_FAULT_TRANSLATION:
    return regime->has_domains && fault->stage == 1 ? "DDI 0406C B3.5" : "DDI 0406C B3.6";
  case NW_FAULT_ACCESS_FLAG:
    return fault->stage == 1 ? "DDI 0406C B3.7.4" : "DDI 0406C B3.6.2";
  case NW_FAULT_DOMAIN:
    return "DDI 0406C B3.7.3";
  case NW_FAULT_PERMISSION:
    return fault->stage == 1 ? "DDI 0406C B3.7.1" : "DDI 0406C B3.7.5";
  default:
    return "DDI 0406C B3.12";
  }
}

static const char *report_section(const struct nw_regime *regime, const struct nw_fault *fault) {
  (void)regime;
  (void)fault;
  return "B3.13";
}

const struct nw_words nw_words_armv7 = {
    .ipa = "IPA",
    .user = "user",
    .privileged = "privileged",
    .va_digits = 8,
    .pa_digits = 10,
    .registers = registers,
    .formats = formats,
    .tell_stage1 = tell_stage1,
    .tell_stage2 = tell_stage2,
    .tell_memory = tell_memory,
    .tell_syndrome = tell_syndrome,
    .fault_section = fault_section,
    .report_section = report_section,
};
