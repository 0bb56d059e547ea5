/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of DDI 0406C as data: which bits of which descriptor or register have which name.
 */
#include "case/describe.h"

#include <inttypes.h>

struct field {
  const char *name;
  uint8_t high, low;
};

#define FIELDS 16

struct layout {
  const char *kind;
  uint8_t levels;             /* bit mask of the levels at which it stands */
  uint8_t type_mask, type;    /* of the low bits */
  uint32_t more_mask, more;   /* of the low word */
  uint64_t base;              /* mask of the output address */
  struct field field[FIELDS]; /* ends with an empty name */
};

#define L1 (1u << 1)
#define L2 (1u << 2)
#define L3 (1u << 3)

/* Figures B3-4 and B3-5. */
static const struct layout short_layout[] = {
    {"invalid", L1 | L2, 3, 0, 0, 0, 0, {{NULL, 0, 0}}},
    {"table", L1, 3, 1, 0, 0, 0xfffffc00, {{"domain", 8, 5}, {"NS", 3, 3}, {"PXN", 2, 2}}},
    {"supersection",
     L1,
     2,
     2,
     1u << 18,
     1u << 18,
     0xff000000,
     {{"AP[2]", 15, 15},
      {"AP[1:0]", 11, 10},
      {"TEX", 14, 12},
      {"C", 3, 3},
      {"B", 2, 2},
      {"S", 16, 16},
      {"nG", 17, 17},
      {"XN", 4, 4},
      {"PXN", 0, 0},
      {"NS", 19, 19}}},
    {"section",
     L1,
     2,
     2,
     1u << 18,
     0,
     0xfff00000,
     {{"AP[2]", 15, 15},
      {"AP[1:0]", 11, 10},
      {"domain", 8, 5},
      {"TEX", 14, 12},
      {"C", 3, 3},
      {"B", 2, 2},
      {"S", 16, 16},
      {"nG", 17, 17},
      {"XN", 4, 4},
      {"PXN", 0, 0},
      {"NS", 19, 19}}},
    {"large page",
     L2,
     3,
     1,
     0,
     0,
     0xffff0000,
     {{"AP[2]", 9, 9},
      {"AP[1:0]", 5, 4},
      {"TEX", 14, 12},
      {"C", 3, 3},
      {"B", 2, 2},
      {"S", 10, 10},
      {"nG", 11, 11},
      {"XN", 15, 15}}},
    {"small page",
     L2,
     2,
     2,
     0,
     0,
     0xfffff000,
     {{"AP[2]", 9, 9},
      {"AP[1:0]", 5, 4},
      {"TEX", 8, 6},
      {"C", 3, 3},
      {"B", 2, 2},
      {"S", 10, 10},
      {"nG", 11, 11},
      {"XN", 0, 0}}},
    {NULL, 0, 0, 0, 0, 0, 0, {{NULL, 0, 0}}},
};

#define STAGE1_LEAF                                                                                \
  {                                                                                                \
    {"AP[2:1]", 7, 6}, {"AttrIndx", 4, 2}, {"SH", 9, 8}, {"AF", 10, 10}, {"nG", 11, 11},           \
        {"XN", 54, 54}, {"PXN", 53, 53}, {"NS", 5, 5}, {"contiguous", 52, 52},                     \
  }
#define STAGE2_LEAF                                                                                \
  {                                                                                                \
    {"write", 7, 7}, {"read", 6, 6}, {"MemAttr", 5, 2}, {"SH", 9, 8}, {"AF", 10, 10},              \
        {"XN", 54, 54}, {"contiguous", 52, 52},                                                    \
  }
#define INVALID                                                                                    \
  {                                                                                                \
    "invalid", L1 | L2 | L3, 1, 0, 0, 0, 0, {                                                      \
      { NULL, 0, 0 }                                                                               \
    }                                                                                              \
  }
#define INVALID_AT_3                                                                               \
  {                                                                                                \
    "invalid (0b01 at level 3)", L3, 3, 1, 0, 0, 0, {                                              \
      { NULL, 0, 0 }                                                                               \
    }                                                                                              \
  }

/* Figures B3-14 to B3-17. */
static const struct layout long_layout[2][8] = {
    {
        INVALID,
        INVALID_AT_3,
        {"table",
         L1 | L2,
         3,
         3,
         0,
         0,
         0xfffffff000,
         {{"APTable", 62, 61}, {"XNTable", 60, 60}, {"PXNTable", 59, 59}, {"NSTable", 63, 63}}},
        {"1 GB block", L1, 3, 1, 0, 0, 0xffc0000000, STAGE1_LEAF},
        {"2 MB block", L2, 3, 1, 0, 0, 0xffffe00000, STAGE1_LEAF},
        {"page", L3, 3, 3, 0, 0, 0xfffffff000, STAGE1_LEAF},
        {NULL, 0, 0, 0, 0, 0, 0, {{NULL, 0, 0}}},
    },
    {
        INVALID,
        INVALID_AT_3,
        {"table", L1 | L2, 3, 3, 0, 0, 0xfffffff000, {{NULL, 0, 0}}},
        {"1 GB block", L1, 3, 1, 0, 0, 0xffc0000000, STAGE2_LEAF},
        {"2 MB block", L2, 3, 1, 0, 0, 0xffffe00000, STAGE2_LEAF},
        {"page", L3, 3, 3, 0, 0, 0xfffffff000, STAGE2_LEAF},
        {NULL, 0, 0, 0, 0, 0, 0, {{NULL, 0, 0}}},
    },
};

static uint64_t extract(uint64_t value, const struct field *field) {
  unsigned width = field->high - field->low + 1u;
  return value >> field->low & (((uint64_t)1 << width) - 1);
}

static bool fits(const struct layout *layout, unsigned level, uint64_t descriptor) {
  return (layout->levels >> level & 1) && (descriptor & layout->type_mask) == layout->type &&
         ((uint32_t)descriptor & layout->more_mask) == layout->more;
}

/* A supersection's address has more bits than its base field: PA[35:32] and PA[39:36]. */
static uint64_t output_address(const struct layout *layout, uint64_t descriptor) {
  uint64_t address = descriptor & layout->base;
  if (layout->more)
    address |= (descriptor >> 20 & 15) << 32 | (descriptor >> 5 & 15) << 36;
  return address;
}

void nw_describe_descriptor(FILE *out, const struct nw_step *step, uint64_t descriptor) {
  const struct layout *layout =
      step->size == 4 ? short_layout : long_layout[step->stage == 2 ? 1 : 0];
  while (layout->kind && !fits(layout, step->level, descriptor))
    layout++;
  fputs(layout->kind ? layout->kind : "unknown", out);
  if (!layout->kind || !layout->base)
    return;
  fprintf(out, ", address 0x%010" PRIx64, output_address(layout, descriptor));
  for (const struct field *field = layout->field; field->name; field++)
    fprintf(out, ", %s=%" PRIu64, field->name, extract(descriptor, field));
}

/* -- attributes -------------------------------------------------------------------------------- */

static const char *cacheability(unsigned nibble) {
  static const char *const name[4] = {"write-through transient", "non-cacheable", "write-through",
                                      "write-back"};
  return name[nibble >> 2 & 3];
}

void nw_describe_attributes(FILE *out, uint8_t attr, uint8_t sh) {
  static const char *const share[4] = {"non-shareable", "reserved shareability", "outer shareable",
                                       "inner shareable"};
  if (attr >> 4 == 0)
    fputs(attr == 0 ? "Strongly-ordered" : "Device", out);
  else
    fprintf(out, "Normal, outer %s, inner %s", cacheability(attr >> 4), cacheability(attr & 15u));
  fprintf(out, ", %s", share[sh & 3]);
}

/* -- syndromes --------------------------------------------------------------------------------- */

/* B4.1.51 DFSR, B4.1.96 IFSR, B4.1.65 HSR, B4.1.63 HPFAR */
static const struct field dfsr_short[] = {{"FS[4]", 10, 10}, {"FS[3:0]", 3, 0}, {"domain", 7, 4},
                                          {"WnR", 11, 11},   {"LPAE", 9, 9},    {NULL, 0, 0}};
static const struct field dfsr_long[] = {
    {"STATUS", 5, 0}, {"WnR", 11, 11}, {"LPAE", 9, 9}, {NULL, 0, 0}};
static const struct field ifsr_short[] = {
    {"FS[4]", 10, 10}, {"FS[3:0]", 3, 0}, {"LPAE", 9, 9}, {NULL, 0, 0}};
static const struct field ifsr_long[] = {{"STATUS", 5, 0}, {"LPAE", 9, 9}, {NULL, 0, 0}};
static const struct field hsr[] = {{"EC", 31, 26},  {"IL", 25, 25}, {"ISV", 24, 24}, {"CM", 8, 8},
                                   {"S1PTW", 7, 7}, {"WnR", 6, 6},  {"FSC", 5, 0},   {NULL, 0, 0}};
static const struct field hpfar[] = {{"FIPA[39:12]", 31, 4}, {NULL, 0, 0}};

static const struct field error_code[] = {{"P", 0, 0},    {"W/R", 1, 1}, {"U/S", 2, 2},
                                          {"RSVD", 3, 3}, {"I/D", 4, 4}, {"PK", 5, 5},
                                          {NULL, 0, 0}};
static const struct field exitinfo1[] = {
    {"P", 0, 0},   {"W", 1, 1},       {"U", 2, 2},       {"RSVD", 3, 3},
    {"I/D", 4, 4}, {"final", 32, 32}, {"table", 33, 33}, {NULL, 0, 0}};
static const struct field qualification[] = {
    {"read", 0, 0},    {"write", 1, 1},        {"fetch", 2, 2}, {"R", 3, 3}, {"W", 4, 4},
    {"X", 5, 5},       {"linear valid", 7, 7}, {"final", 8, 8}, {NULL, 0, 0}};

static void describe_register(FILE *out, const char *name, uint64_t value,
                              const struct field *field, const char *indent) {
  fprintf(out, "%s%s = 0x%08" PRIx64 ":", indent, name, value);
  for (; field->name; field++)
    fprintf(out, " %s=0x%" PRIx64, field->name, extract(value, field));
  fputc('\n', out);
}

/* What registers hold a syndrome, and where the VA is. */
struct report {
  const char *name[2];
  const struct field *field[2];
  const char *far;
};

static struct report report_of(const struct nw_syndrome *syndrome, bool long_format) {
  switch (syndrome->kind) {
  case NW_SYNDROME_DFSR:
    return (struct report){{"DFSR", NULL}, {long_format ? dfsr_long : dfsr_short, NULL}, "DFAR"};
  case NW_SYNDROME_IFSR:
    return (struct report){{"IFSR", NULL}, {long_format ? ifsr_long : ifsr_short, NULL}, "IFAR"};
  case NW_SYNDROME_HSR:
    return (struct report){{"HSR", "HPFAR"},
                           {hsr, hpfar},
                           syndrome->value[0] >> 26 == 0x20 ? "HIFAR" : "HDFAR"};
  case NW_SYNDROME_PF:
    return (struct report){{"error code", NULL}, {error_code, NULL}, "CR2"};
  case NW_SYNDROME_NPF:
    return (struct report){{"EXITINFO1", NULL}, {exitinfo1, NULL}, NULL};
  case NW_SYNDROME_EPT:
    return (struct report){
        {"exit qualification", NULL}, {qualification, NULL}, "guest-linear address"};
  case NW_SYNDROME_NONE:
    break;
  }
  return (struct report){0};
}

void nw_describe_syndrome(FILE *out, const struct nw_syndrome *syndrome, bool long_format,
                          const char *indent) {
  struct report report = report_of(syndrome, long_format);
  uint64_t high = syndrome->kind == NW_SYNDROME_NPF ? (uint64_t)syndrome->value[1] << 32 : 0;
  if (report.name[0])
    describe_register(out, report.name[0], syndrome->value[0] | high, report.field[0], indent);
  if (report.name[1])
    describe_register(out, report.name[1], syndrome->value[1], report.field[1], indent);
  if (report.far)
    fprintf(out, "%s%s = 0x%08" PRIx64 "\n", indent, report.far, syndrome->far);
}

const char *nw_describe_fault_section(const struct nw_regime *regime,
                                      const struct nw_fault *fault) {
  switch ((enum nw_fault_type)fault->type) {
  case NW_FAULT_TRANSLATION:
    return regime->has_domains && fault->stage == 1 ? "B3.5" : "B3.6";
  case NW_FAULT_ACCESS_FLAG:
    return fault->stage == 1 ? "B3.7.4" : "B3.6.2";
  case NW_FAULT_DOMAIN:
    return "B3.7.3";
  case NW_FAULT_PERMISSION:
    return fault->stage == 1 ? "B3.7.1" : "B3.7.5";
  default:
    return "B3.12";
  }
}
