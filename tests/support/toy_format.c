/* SPDX-License-Identifier: Apache-2.0 */
#include "support/toy_format.h"

#include "core/rights.h"

#define SHIFTS                                                                                     \
  { [1] = 30, [2] = 21, [3] = 12 }

/* A leaf that is still clean after this access says so in its rights. */
static void add_flags(const struct nwi_decode_context *context, uint64_t d, uint32_t clean,
                      struct nw_descriptor *out) {
  if (out->kind == NW_DESCRIPTOR_INVALID) {
    return;
  }
  out->updated = d | TOY_ACCESSED;
  if (out->kind == NW_DESCRIPTOR_LEAF && context->access == NW_WRITE) {
    out->updated |= TOY_DIRTY;
  }
  if (out->kind == NW_DESCRIPTOR_LEAF && !(out->updated & TOY_DIRTY)) {
    out->rights |= clean;
  }
}

static void decode_s1(const struct nwi_decode_context *context, uint64_t d,
                      struct nw_descriptor *out) {
  nwi_format_lpae_s1.decode(context, d, out);
  add_flags(context, d, NWI_R_S1_CLEAN, out);
}

static void decode_s2(const struct nwi_decode_context *context, uint64_t d,
                      struct nw_descriptor *out) {
  nwi_format_lpae_s2.decode(context, d, out);
  add_flags(context, d, NWI_R_S2_CLEAN, out);
}

static uint8_t leaf_level(uint8_t page_log2) {
  return nwi_format_lpae_s1.leaf_level(page_log2);
}

static uint64_t encode_s1_leaf(const struct nwi_leaf *leaf) {
  return nwi_format_lpae_s1.encode_leaf(leaf);
}

static uint64_t encode_s2_leaf(const struct nwi_leaf *leaf) {
  return nwi_format_lpae_s2.encode_leaf(leaf);
}

static uint64_t encode_table(uint8_t level, uint64_t table, uint8_t domain) {
  return nwi_format_lpae_s1.encode_table(level, table, domain);
}

const struct nw_format toy_format_s1 = {
    .name = "toy",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 3,
    .down = 1,
    .shift = SHIFTS,
    .switching_bit = TOY_SWITCHES,
    .decode = decode_s1,
    .leaf_level = leaf_level,
    .encode_leaf = encode_s1_leaf,
    .encode_table = encode_table,
};

const struct nw_format toy_format_s2 = {
    .name = "toy-stage2",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 3,
    .down = 1,
    .shift = SHIFTS,
    .decode = decode_s2,
    .leaf_level = leaf_level,
    .encode_leaf = encode_s2_leaf,
    .encode_table = encode_table,
};

/* -- four levels ----------------------------------------------------------------------------- */

/* Levels 2 to 4 are the three of long descriptors; level 1 above them holds tables only. */
static void decode_four(const struct nwi_decode_context *context, uint64_t d,
                        struct nw_descriptor *out, const struct nw_format *three) {
  struct nwi_decode_context below = *context;
  below.level = context->level > 1 ? (uint8_t)(context->level - 1) : 1;
  three->decode(&below, d, out);
  if (context->level == 1 && out->kind == NW_DESCRIPTOR_LEAF) {
    out->kind = NW_DESCRIPTOR_INVALID;
  }
}

static void decode_four_s1(const struct nwi_decode_context *context, uint64_t d,
                           struct nw_descriptor *out) {
  decode_four(context, d, out, &nwi_format_lpae_s1);
}

static void decode_four_s2(const struct nwi_decode_context *context, uint64_t d,
                           struct nw_descriptor *out) {
  decode_four(context, d, out, &nwi_format_lpae_s2);
}

static uint8_t leaf_level_of_four(uint8_t page_log2) {
  uint8_t level = nwi_format_lpae_s1.leaf_level(page_log2);
  return level == 0 ? 0 : (uint8_t)(level + 1);
}

#define FOUR_SHIFTS                                                                                \
  { [1] = 39, [2] = 30, [3] = 21, [4] = 12 }

const struct nw_format toy_four_s1 = {
    .name = "toy-four",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 4,
    .down = 1,
    .shift = FOUR_SHIFTS,
    .switching_bit = TOY_SWITCHES,
    .decode = decode_four_s1,
    .leaf_level = leaf_level_of_four,
    .encode_leaf = encode_s1_leaf,
    .encode_table = encode_table,
};

const struct nw_format toy_four_s2 = {
    .name = "toy-four-stage2",
    .descriptor_bytes = 8,
    .first_level = 1,
    .last_level = 4,
    .down = 1,
    .shift = FOUR_SHIFTS,
    .decode = decode_four_s2,
    .leaf_level = leaf_level_of_four,
    .encode_leaf = encode_s2_leaf,
    .encode_table = encode_table,
};
