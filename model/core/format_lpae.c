/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long descriptors (LPAE), DDI 0406C B3.6: three levels of 512 8-byte descriptors, blocks of 1 GB
 * and 2 MB, pages of 4 KB, 40-bit addresses. Stage 1 and stage 2 share the geometry and differ in
 * the attribute bits.
 */
#include "core/attribute.h"
#include "core/format.h"
#include "core/rights.h"

#define ADDRESS 0xfffffff000ull /* bits 39:12 */

#define VALID (1ull << 0)
#define TABLE_OR_PAGE (1ull << 1)
#define AF (1ull << 10)
#define NOT_GLOBAL (1ull << 11)
#define PXN (1ull << 53)
#define XN (1ull << 54)
#define S1_AP1 (1ull << 6) /* user access */
#define S1_AP2 (1ull << 7) /* read-only */
#define S2_HAP_READ (1ull << 6)
#define S2_HAP_WRITE (1ull << 7)
#define TABLE_PXN (1ull << 59)
#define TABLE_XN (1ull << 60)
#define TABLE_NO_USER (1ull << 61)   /* APTable[0] */
#define TABLE_READ_ONLY (1ull << 62) /* APTable[1] */
#define SH_INNER (3ull << 8)

/* log2 of what one descriptor of a level covers */
#define SHIFTS                                                                                     \
  { [1] = 30, [2] = 21, [3] = 12 }
static const uint8_t shift_of[NW_LEVELS] = SHIFTS;

/* B3.6.1: what bits 1:0 say at each level. A level-3 descriptor of 0b01 is invalid. */
static enum nw_descriptor_kind kind_of(uint64_t d, uint8_t level) {
  if (!(d & VALID)) {
    return NW_DESCRIPTOR_INVALID;
  }
  if (level == 3) {
    return d & TABLE_OR_PAGE ? NW_DESCRIPTOR_LEAF : NW_DESCRIPTOR_INVALID;
  }
  return d & TABLE_OR_PAGE ? NW_DESCRIPTOR_TABLE : NW_DESCRIPTOR_LEAF;
}

/* The fields that tables and leaves of both stages have in common. */
static void decode_common(uint64_t d, uint8_t level, struct nw_descriptor *out) {
  out->updated = d;
  out->kind = (uint8_t)kind_of(d, level);
  if (out->kind == NW_DESCRIPTOR_TABLE) {
    out->output = d & ADDRESS;
  } else if (out->kind == NW_DESCRIPTOR_LEAF) {
    out->page_log2 = shift_of[level];
    out->output = d & ADDRESS & ~((1ull << shift_of[level]) - 1);
    out->access_flag_clear = !(d & AF);
  }
}

/* B3.6.3: hierarchical control, subtracting from what the levels below may give. */
static uint32_t table_limits(uint64_t d) {
  return (d & TABLE_NO_USER ? NWI_L_NO_USER : 0) | (d & TABLE_READ_ONLY ? NWI_L_READ_ONLY : 0) |
         (d & TABLE_XN ? NWI_L_XN : 0) | (d & TABLE_PXN ? NWI_L_PXN : 0);
}

/* AP[2:1] as AP[2:0] with AP[0] = 1, with the tables' limits applied. */
static uint32_t stage1_rights(uint64_t d, uint32_t limits) {
  bool user = (d & S1_AP1) && !(limits & NWI_L_NO_USER);
  bool read_only = (d & S1_AP2) || (limits & NWI_L_READ_ONLY);
  bool xn = (d & XN) || (limits & NWI_L_XN);
  bool pxn = (d & PXN) || (limits & NWI_L_PXN);

  return 1u | (user ? 2u : 0) | (read_only ? 4u : 0) | (xn ? NWI_R_XN : 0) | (pxn ? NWI_R_PXN : 0);
}

static void decode_stage1(const struct nwi_decode_context *context, uint64_t d,
                          struct nw_descriptor *out) {
  decode_common(d, context->level, out);
  if (out->kind == NW_DESCRIPTOR_TABLE) {
    out->rights = table_limits(d);
  } else if (out->kind == NW_DESCRIPTOR_LEAF) {
    struct nwi_attributes a =
        nwi_attributes_mair(context->regime, (uint32_t)(d >> 2) & 7u, (uint32_t)(d >> 8) & 3u);
    out->rights = stage1_rights(d, context->limits);
    out->attr = a.attr;
    out->sh = a.sh;
    out->global = !(d & NOT_GLOBAL);
  }
}

/* HAP, B3.7.3: execution needs the right to read. */
static uint32_t stage2_rights(uint64_t d) {
  bool read = (d & S2_HAP_READ) != 0;

  return (read ? NWI_R_S2_READ : 0) | (d & S2_HAP_WRITE ? NWI_R_S2_WRITE : 0) |
         (read && !(d & XN) ? NWI_R_S2_EXECUTE : 0);
}

static void decode_stage2(const struct nwi_decode_context *context, uint64_t d,
                          struct nw_descriptor *out) {
  decode_common(d, context->level, out);
  if (out->kind == NW_DESCRIPTOR_TABLE) {
    out->rights = 0; /* stage 2 has no hierarchical control */
  } else if (out->kind == NW_DESCRIPTOR_LEAF) {
    struct nwi_attributes a =
        nwi_attributes_stage2((uint32_t)(d >> 2) & 15u, (uint32_t)(d >> 8) & 3u);
    out->rights = stage2_rights(d);
    out->attr = a.attr;
    out->sh = a.sh;
    out->global = true;
  }
}

static uint8_t leaf_level(uint8_t page_log2) {
  return nwi_level_of_three(shift_of, page_log2);
}

static uint64_t encode_common(const struct nwi_leaf *leaf) {
  uint64_t offset = (1ull << leaf->page_log2) - 1;

  return VALID | (leaf->page_log2 == 12 ? TABLE_OR_PAGE : 0) | AF | SH_INNER |
         (leaf->executable ? 0 : XN) | (leaf->output & ADDRESS & ~offset);
}

static uint64_t encode_stage1_leaf(const struct nwi_leaf *leaf) {
  uint64_t attr_index = leaf->device ? 1 : 0;

  return encode_common(leaf) | attr_index << 2 | (leaf->user ? S1_AP1 : 0) |
         (leaf->writable ? 0 : S1_AP2) | (leaf->global ? 0 : NOT_GLOBAL);
}

static uint64_t encode_stage2_leaf(const struct nwi_leaf *leaf) {
  uint64_t mem_attr = leaf->device ? 1 : 15;

  return encode_common(leaf) | mem_attr << 2 | (leaf->readable ? S2_HAP_READ : 0) |
         (leaf->writable ? S2_HAP_WRITE : 0);
}

static uint64_t encode_table(uint8_t level, uint64_t table, uint8_t domain) {
  (void)level;
  (void)domain;
  return VALID | TABLE_OR_PAGE | (table & ADDRESS);
}

const struct nw_format nwi_format_lpae_s1 = {
    .name = "lpae",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 3,
    .down = 1,
    .shift = SHIFTS,
    .switching_bit = 1ull << 58, /* B3.6.1: bits 58:52 of a table descriptor are ignored */
    .decode = decode_stage1,
    .leaf_level = leaf_level,
    .encode_leaf = encode_stage1_leaf,
    .encode_table = encode_table,
};

const struct nw_format nwi_format_lpae_s2 = {
    .name = "lpae-stage2",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 3,
    .down = 1,
    .shift = SHIFTS,
    .decode = decode_stage2,
    .leaf_level = leaf_level,
    .encode_leaf = encode_stage2_leaf,
    .encode_table = encode_table,
};
