/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's extended page tables, SDM vol. 3, 29.3: four or five levels of 512 8-byte entries, pages of
 * 4 KB, 2 MB and 1 GB. An entry is present when it allows anything at all; one that is present and
 * means nothing is a misconfiguration, which comes before any violation.
 */
#include "core/attribute.h"
#include "core/format_x86.h"
#include "core/rights.h"

#define READ (1ull << 0)
#define WRITE (1ull << 1)
#define EXECUTE (1ull << 2)
#define ALLOWED (READ | WRITE | EXECUTE)
#define TYPE_SHIFT 3 /* memory type, bits 5:3 of a leaf */
#define IGNORE_PAT (1ull << 6)
#define ACCESSED (1ull << 8)
#define DIRTY (1ull << 9)

static const uint8_t shift_of[NW_LEVELS] = NWI_X86_SHIFTS;

/* Tables 29-1 to 29-7. */
static const uint64_t reserved_in_leaf[NW_LEVELS] = {[2] = 0x1ff000, [3] = 0x3ffff000};
static const uint64_t reserved_in_table[NW_LEVELS] = {
    [2] = 0x78, [3] = 0x78, [4] = 0xf8, [5] = 0xf8};

/* 29.3.3.1: write without read; execute alone where the machine has it not. */
static bool rights_mean_nothing(const struct nw_regime *regime, uint64_t d) {
  uint64_t allowed = d & ALLOWED;

  return (allowed & WRITE && !(allowed & READ)) ||
         (allowed == EXECUTE && !regime->capabilities.execute_only);
}

static bool type_means_nothing(uint64_t d) {
  unsigned type = d >> TYPE_SHIFT & 7u;

  return type == 2 || type == 3 || type == 7;
}

static enum nw_descriptor_kind kind_of(const struct nw_regime *regime, uint64_t d, uint8_t level) {
  if (!(d & ALLOWED)) {
    return NW_DESCRIPTOR_INVALID;
  }
  bool leaf = nwi_x86_is_leaf(d, level);
  uint64_t reserved =
      regime->s2_reserved | (leaf ? reserved_in_leaf[level] : reserved_in_table[level]);
  if ((d & reserved) || rights_mean_nothing(regime, d) || (leaf && type_means_nothing(d)) ||
      (leaf && level == 3 && !regime->capabilities.gigabyte_pages)) {
    return NW_DESCRIPTOR_MISCONFIGURED;
  }
  return leaf ? NW_DESCRIPTOR_LEAF : NW_DESCRIPTOR_TABLE;
}

/* What an entry does not allow, for the entries below it. */
static uint32_t limits_of(uint64_t d) {
  return (uint32_t)(~d & ALLOWED);
}

/* 29.3.5: with the flags on, A is set in every entry used, D in the leaf of a write. */
static uint64_t with_flags(const struct nwi_decode_context *context, uint64_t d, bool leaf) {
  if (!context->regime->s2_flags) {
    return d;
  }
  return d | ACCESSED | (leaf && context->access == NW_WRITE ? DIRTY : 0);
}

static void decode(const struct nwi_decode_context *context, uint64_t d,
                   struct nw_descriptor *out) {
  out->kind = (uint8_t)kind_of(context->regime, d, context->level);
  out->updated = d;
  if (out->kind == NW_DESCRIPTOR_TABLE) {
    out->output = d & NWI_X86_ADDRESS;
    out->updated = with_flags(context, d, false);
    out->rights = limits_of(d);
  } else if (out->kind == NW_DESCRIPTOR_LEAF) {
    uint32_t allowed = (uint32_t)(d & ALLOWED) & ~context->limits;
    out->page_log2 = shift_of[context->level];
    out->output = d & NWI_X86_ADDRESS & ~((1ull << out->page_log2) - 1);
    out->updated = with_flags(context, d, true);
    out->access_flag_clear = false;
    out->rights = allowed << NWI_R_S2_SHIFT |
                  (context->regime->s2_flags && !(out->updated & DIRTY) ? NWI_R_S2_CLEAN : 0);
    out->attr = (uint8_t)(d >> TYPE_SHIFT & 7u) | (d & IGNORE_PAT ? NWI_X86_IGNORE_PAT : 0);
    out->sh = 0;
    out->global = true;
  }
}

static uint8_t leaf_level(uint8_t page_log2) {
  return nwi_level_of_three(shift_of, page_log2);
}

static uint64_t encode_leaf(const struct nwi_leaf *leaf) {
  uint64_t offset = (1ull << leaf->page_log2) - 1;
  uint64_t type = leaf->device ? NWI_X86_UNCACHEABLE : NWI_X86_WRITE_BACK;

  return (leaf->readable ? READ : 0) | (leaf->writable ? WRITE : 0) |
         (leaf->executable ? EXECUTE : 0) | type << TYPE_SHIFT | ACCESSED |
         (leaf->clean ? 0 : DIRTY) | (leaf->page_log2 == 12 ? 0 : NWI_X86_LARGE) |
         (leaf->output & NWI_X86_ADDRESS & ~offset);
}

static uint64_t encode_table(uint8_t level, uint64_t table, uint8_t domain) {
  (void)level;
  (void)domain;
  return ALLOWED | ACCESSED | (table & NWI_X86_ADDRESS);
}

const struct nw_format nwi_format_ept = {
    .name = "ept",
    .descriptor_bytes = 8,
    .first_level = 5,
    .last_level = 1,
    .down = -1,
    .shift = NWI_X86_SHIFTS,
    .decode = decode,
    .leaf_level = leaf_level,
    .encode_leaf = encode_leaf,
    .encode_table = encode_table,
};
