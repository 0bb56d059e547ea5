/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64 long-mode paging, four or five levels of 512 8-byte entries, pages of 4 KB, 2 MB and 1 GB:
 * SDM vol. 3, 4.5. AMD's nested tables have the same form and are read as a user access's would be
 * (APM vol. 2, 15.25.5). Levels are PML5E 5, PML4E 4, PDPTE 3, PDE 2, PTE 1.
 */
#include "core/attribute.h"
#include "core/format_x86.h"
#include "core/rights.h"

#define PRESENT (1ull << 0)
#define WRITABLE (1ull << 1)
#define USER (1ull << 2)
#define PWT (1ull << 3)
#define PCD (1ull << 4)
#define ACCESSED (1ull << 5)
#define DIRTY (1ull << 6)
#define PAT_SMALL (1ull << 7) /* of a 4 KB leaf, where larger ones have PS */
#define GLOBAL (1ull << 8)
#define PAT_LARGE (1ull << 12)
#define KEY_SHIFT 59
#define XD (1ull << 63)

static const uint8_t shift_of[NW_LEVELS] = NWI_X86_SHIFTS;

/* SDM vol. 3, tables 4-14 to 4-19: address bits that a large page has not, but for PAT; and bit 7 where
 * no entry is a leaf. */
static const uint64_t reserved_in_leaf[NW_LEVELS] = {[2] = 0x1fe000, [3] = 0x3fffe000};
static const uint64_t reserved_in_table[NW_LEVELS] = {[4] = NWI_X86_LARGE, [5] = NWI_X86_LARGE};

static enum nw_descriptor_kind kind_of(const struct nw_regime *regime, uint64_t d, uint8_t level,
                                       uint64_t reserved) {
  if (!(d & PRESENT)) {
    return NW_DESCRIPTOR_INVALID;
  }
  bool leaf = nwi_x86_is_leaf(d, level);
  reserved |= leaf ? reserved_in_leaf[level] : reserved_in_table[level];
  if ((d & reserved) || (leaf && level == 3 && !regime->capabilities.gigabyte_pages)) {
    return NW_DESCRIPTOR_RESERVED;
  }
  return leaf ? NW_DESCRIPTOR_LEAF : NW_DESCRIPTOR_TABLE;
}

/* 4.6: a table takes rights from everything below it. */
static uint32_t table_limits(uint64_t d) {
  return (d & USER ? 0 : NWI_L_NO_USER) | (d & WRITABLE ? 0 : NWI_L_READ_ONLY) |
         (d & XD ? NWI_L_XN : 0);
}

/* 4.9.2: the entry of the PAT that a leaf selects. */
static uint8_t memory_type(uint64_t pat, uint64_t d, uint8_t level) {
  uint64_t high = level == 1 ? d & PAT_SMALL : d & PAT_LARGE;
  unsigned index = (d & PWT ? 1u : 0) | (d & PCD ? 2u : 0) | (high ? 4u : 0);

  return (uint8_t)(pat >> (8 * index) & 7u);
}

/* What a stage-1 entry and one of a nested table have in common. 4.8: the processor sets A in every
 * entry that it uses, and D in the leaf of a write. */
static void decode_common(const struct nwi_decode_context *context, uint64_t d, uint64_t reserved,
                          struct nw_descriptor *out) {
  bool writes = context->access == NW_WRITE;

  out->kind = (uint8_t)kind_of(context->regime, d, context->level, reserved);
  out->updated = d;
  if (out->kind == NW_DESCRIPTOR_TABLE) {
    out->output = d & NWI_X86_ADDRESS;
    out->updated = d | ACCESSED;
    out->rights = table_limits(d);
  } else if (out->kind == NW_DESCRIPTOR_LEAF) {
    out->page_log2 = shift_of[context->level];
    out->output = d & NWI_X86_ADDRESS & ~((1ull << out->page_log2) - 1);
    out->updated = d | ACCESSED | (writes ? DIRTY : 0);
    out->access_flag_clear = false;
    out->sh = 0;
  }
}

static void decode_stage1(const struct nwi_decode_context *context, uint64_t d,
                          struct nw_descriptor *out) {
  const struct nw_regime *regime = context->regime;

  decode_common(context, d, regime->s1_reserved, out);
  if (out->kind != NW_DESCRIPTOR_LEAF) {
    return;
  }
  uint32_t taken = context->limits | table_limits(d);
  bool user = !(taken & NWI_L_NO_USER);
  uint32_t key = user ? (uint32_t)(d >> KEY_SHIFT) & 15u : 0; /* 4.6.2: of user pages alone */

  out->rights = (user ? NWI_R_X86_USER : 0) | (taken & NWI_L_READ_ONLY ? 0 : NWI_R_X86_WRITE) |
                (taken & NWI_L_XN ? NWI_R_XN : 0) | key << NWI_R_DOMAIN_SHIFT |
                (out->updated & DIRTY ? 0 : NWI_R_S1_CLEAN);
  out->global = (d & GLOBAL) && regime->global_pages;
  out->attr = memory_type(regime->reg[NW_X86_PAT], d, context->level);
}

/* The host's PAT is taken to be as after reset. */
static void decode_nested(const struct nwi_decode_context *context, uint64_t d,
                          struct nw_descriptor *out) {
  decode_common(context, d, context->regime->s2_reserved, out);
  if (out->kind != NW_DESCRIPTOR_LEAF) {
    return;
  }
  uint32_t taken = context->limits | table_limits(d);
  uint32_t read_write = taken & NWI_L_READ_ONLY ? NWI_R_S2_READ : NWI_R_S2_READ | NWI_R_S2_WRITE;
  uint32_t all = read_write | (taken & NWI_L_XN ? 0 : NWI_R_S2_EXECUTE);

  out->rights = (taken & NWI_L_NO_USER ? 0 : all) | (out->updated & DIRTY ? 0 : NWI_R_S2_CLEAN);
  out->global = true;
  out->attr = memory_type(NWI_X86_PAT_RESET, d, context->level);
}

static uint8_t leaf_level(uint8_t page_log2) {
  return nwi_level_of_three(shift_of, page_log2);
}

static uint64_t encode_common(const struct nwi_leaf *leaf) {
  uint64_t offset = (1ull << leaf->page_log2) - 1;

  return PRESENT | ACCESSED | (leaf->clean ? 0 : DIRTY) | (leaf->writable ? WRITABLE : 0) |
         (leaf->executable ? 0 : XD) | (leaf->page_log2 == 12 ? 0 : NWI_X86_LARGE) |
         (leaf->device ? PCD | PWT : 0) | (leaf->output & NWI_X86_ADDRESS & ~offset);
}

static uint64_t encode_stage1_leaf(const struct nwi_leaf *leaf) {
  return encode_common(leaf) | (leaf->user ? USER : 0) | (leaf->global ? GLOBAL : 0);
}

/* A page of a nested table is readable as long as it is a user's. */
static uint64_t encode_nested_leaf(const struct nwi_leaf *leaf) {
  return encode_common(leaf) | (leaf->readable ? USER : 0);
}

static uint64_t encode_table(uint8_t level, uint64_t table, uint8_t domain) {
  (void)level;
  (void)domain;
  return PRESENT | WRITABLE | USER | ACCESSED | (table & NWI_X86_ADDRESS);
}

const struct nw_format nwi_format_x86_64 = {
    .name = "x86-64",
    .descriptor_bytes = 8,
    .first_level = 5,
    .last_level = 1,
    .down = -1,
    .shift = NWI_X86_SHIFTS,
    .switching_bit =
        1ull << 58, /* table 4-15: bits 62:52 of an entry that names a table are ignored */
    .decode = decode_stage1,
    .leaf_level = leaf_level,
    .encode_leaf = encode_stage1_leaf,
    .encode_table = encode_table,
};

const struct nw_format nwi_format_npt = {
    .name = "npt",
    .descriptor_bytes = 8,
    .first_level = 5,
    .last_level = 1,
    .down = -1,
    .shift = NWI_X86_SHIFTS,
    .decode = decode_nested,
    .leaf_level = leaf_level,
    .encode_leaf = encode_nested_leaf,
    .encode_table = encode_table,
};
