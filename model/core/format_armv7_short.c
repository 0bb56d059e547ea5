/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARMv7-A short descriptors, DDI 0406C B3.5: two levels, 4-byte descriptors; sections of 1 MB and
 * supersections of 16 MB at level 1, small pages of 4 KB and large pages of 64 KB at level 2. PXN is
 * implemented, as it is wherever long descriptors are.
 */
#include "core/attribute.h"
#include "core/format.h"
#include "core/rights.h"

/* What both levels' leaves consist of, once their bits are picked. */
struct leaf_fields {
  uint64_t base;
  uint32_t ap, tex_cb;
  uint8_t domain, page_log2;
  bool xn, pxn, s, not_global;
};

static inline uint32_t bits(uint64_t value, unsigned high, unsigned low) {
  return (uint32_t)(value >> low) & ((2u << (high - low)) - 1u);
}

static inline bool bit(uint64_t value, unsigned n) {
  return ((value >> n) & 1u) != 0;
}

static void describe_leaf(const struct nw_regime *regime, const struct leaf_fields *f,
                          struct nw_descriptor *out) {
  struct nwi_attributes a = nwi_attributes_short(regime, f->tex_cb, f->s);

  out->kind = NW_DESCRIPTOR_LEAF;
  out->output = f->base;
  out->page_log2 = f->page_log2;
  out->rights = f->ap | (f->xn ? NWI_R_XN : 0) | (f->pxn ? NWI_R_PXN : 0) |
                (uint32_t)f->domain << NWI_R_DOMAIN_SHIFT;
  out->attr = a.attr;
  out->sh = a.sh;
  out->global = !f->not_global;
  out->access_flag_clear = false; /* SCTLR.AFE: judged with the rights */
}

/* A supersection's address has 40 bits and its domain is 0 (table B3-3's extended base address). */
static void decode_section(const struct nwi_decode_context *context, uint32_t d,
                           struct nw_descriptor *out) {
  struct leaf_fields f = {
      .ap = bits(d, 11, 10) | bits(d, 15, 15) << 2,
      .tex_cb = bits(d, 14, 12) << 2 | bits(d, 3, 2),
      .xn = bit(d, 4),
      .pxn = bit(d, 0),
      .s = bit(d, 16),
      .not_global = bit(d, 17),
  };

  if (bit(d, 18)) {
    f.page_log2 = 24;
    f.base = (d & 0xff000000u) | (uint64_t)bits(d, 23, 20) << 32 | (uint64_t)bits(d, 8, 5) << 36;
  } else {
    f.page_log2 = 20;
    f.base = d & 0xfff00000u;
    f.domain = (uint8_t)bits(d, 8, 5);
  }
  describe_leaf(context->regime, &f, out);
}

static void decode_level1(const struct nwi_decode_context *context, uint32_t d,
                          struct nw_descriptor *out) {
  switch (d & 3u) {
  case 0: /* B3.5.1: 0b00 is invalid */
    out->kind = NW_DESCRIPTOR_INVALID;
    break;
  case 1:
    out->kind = NW_DESCRIPTOR_TABLE;
    out->output = d & 0xfffffc00u;
    out->rights = (bit(d, 2) ? NWI_L_PXN : 0) | bits(d, 8, 5) << NWI_L_DOMAIN_SHIFT;
    break;
  default: /* 0b10, and 0b11 with PXN */
    decode_section(context, d, out);
    break;
  }
}

static void decode_level2(const struct nwi_decode_context *context, uint32_t d,
                          struct nw_descriptor *out) {
  if ((d & 3u) == 0) {
    out->kind = NW_DESCRIPTOR_INVALID;
    return;
  }
  bool small = bit(d, 1);
  struct leaf_fields f = {
      .base = small ? d & 0xfffff000u : d & 0xffff0000u,
      .page_log2 = small ? 12 : 16,
      .ap = bits(d, 5, 4) | bits(d, 9, 9) << 2,
      .tex_cb = (small ? bits(d, 8, 6) : bits(d, 14, 12)) << 2 | bits(d, 3, 2),
      .domain = (uint8_t)(context->limits >> NWI_L_DOMAIN_SHIFT),
      .xn = small ? bit(d, 0) : bit(d, 15),
      .pxn = (context->limits & NWI_L_PXN) != 0,
      .s = bit(d, 10),
      .not_global = bit(d, 11),
  };
  describe_leaf(context->regime, &f, out);
}

static void decode(const struct nwi_decode_context *context, uint64_t descriptor,
                   struct nw_descriptor *out) {
  out->updated = descriptor;
  if (context->level == 1) {
    decode_level1(context, (uint32_t)descriptor, out);
  } else {
    decode_level2(context, (uint32_t)descriptor, out);
  }
}

static uint8_t leaf_level(uint8_t page_log2) {
  switch (page_log2) {
  case 24:
  case 20:
    return 1;
  case 16:
  case 12:
    return 2;
  default:
    return 0;
  }
}

/* AP[2:0] by [user][writable]: table B3-8. */
static const uint32_t encoder_ap[2][2] = {{5, 1}, {7, 3}};

/* TEX:C:B without remap: shareable Device, and Normal write-back write-allocate. */
#define ENCODER_DEVICE 0x01u
#define ENCODER_NORMAL 0x07u

static uint64_t encode_section(const struct nwi_leaf *leaf, uint32_t ap, uint32_t tex_cb) {
  uint64_t d = 2u | (tex_cb & 3u) << 2 | (ap & 3u) << 10 | (tex_cb >> 2) << 12 | (ap >> 2) << 15;

  d |= (leaf->executable ? 0u : 1u << 4) | (leaf->device ? 0u : 1u << 16);
  d |= leaf->global ? 0u : 1u << 17;
  if (leaf->page_log2 == 24) {
    return d | 1u << 18 | (leaf->output & 0xff000000u) | ((leaf->output >> 32) & 0xfu) << 20 |
           ((leaf->output >> 36) & 0xfu) << 5;
  }
  return d | (leaf->output & 0xfff00000u) | (uint64_t)leaf->domain << 5;
}

static uint64_t encode_page(const struct nwi_leaf *leaf, uint32_t ap, uint32_t tex_cb) {
  bool small = leaf->page_log2 == 12;
  uint64_t d = (tex_cb & 3u) << 2 | (ap & 3u) << 4 | (ap >> 2) << 9;

  d |= (leaf->device ? 0u : 1u << 10) | (leaf->global ? 0u : 1u << 11);
  if (small) {
    return d | 2u | (leaf->executable ? 0u : 1u) | (tex_cb >> 2) << 6 |
           (leaf->output & 0xfffff000u);
  }
  return d | 1u | (leaf->executable ? 0u : 1u << 15) | (tex_cb >> 2) << 12 |
         (leaf->output & 0xffff0000u);
}

static uint64_t encode_leaf(const struct nwi_leaf *leaf) {
  uint32_t ap = encoder_ap[leaf->user][leaf->writable];
  uint32_t tex_cb = leaf->device ? ENCODER_DEVICE : ENCODER_NORMAL;

  return leaf_level(leaf->page_log2) == 1 ? encode_section(leaf, ap, tex_cb)
                                          : encode_page(leaf, ap, tex_cb);
}

static uint64_t encode_table(uint8_t level, uint64_t table, uint8_t domain) {
  (void)level;
  return 1u | (uint64_t)domain << 5 | (table & 0xfffffc00u);
}

const struct nw_format nwi_format_armv7_short = {
    .name = "armv7-short",
    .descriptor_bytes = 4,
    .first_level = 1,
    .last_level = 2,
    .down = 1,
    .shift = {[1] = 20, [2] = 12},
    .switching_bit = 1u << 9, /* B3.5.1: implementation defined in a table descriptor */
    .decode = decode,
    .leaf_level = leaf_level,
    .encode_leaf = encode_leaf,
    .encode_table = encode_table,
};
