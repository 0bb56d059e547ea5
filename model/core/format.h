/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor format: the geometry of its tables as data, one function that says what a descriptor
 * means, and the encoders that write descriptors. The walker, the guest kernel, the hypervisor and
 * the tests all take their knowledge of a format from here, so that a bit is named in one place.
 */
#ifndef NESTWALK_CORE_FORMAT_H
#define NESTWALK_CORE_FORMAT_H

#include <nestwalk/walk.h>

/* What the walker knows when it asks what a descriptor means. */
struct nwi_decode_context {
  const struct nw_regime *regime;
  uint32_t limits; /* what the tables above allow or say; 0 at the root */
  uint8_t level;
  uint8_t access; /* what the page is wanted for: enum nw_access */
};

/* What a leaf is to say: for the encoders. */
struct nwi_leaf {
  uint64_t output;
  uint8_t page_log2;
  bool readable; /* stage 2 only: a stage-1 leaf can always be read by somebody */
  bool writable;
  bool executable;
  bool user;      /* stage 1: user mode has these rights, too */
  bool global;    /* stage 1 */
  bool device;    /* Device memory, else Normal write-back write-allocate */
  bool clean;     /* where there are dirty flags: hardware is to set this one at the first write */
  uint8_t domain; /* short descriptors: domain is in the level-1 descriptor */
};

struct nw_format {
  const char *name;
  uint8_t descriptor_bytes; /* 4 or 8 */
  uint8_t first_level;      /* level of the highest table that a root may be */
  uint8_t last_level;       /* whose descriptors name pages alone */
  int8_t down;              /* from a level's number to that of the one below it: 1 or -1 */
  uint8_t shift[NW_LEVELS]; /* log2 of the bytes that one descriptor of a level covers */
  uint64_t switching_bit; /* agile paging: of a table descriptor, one that hardware else ignores */
  /* Sets the fields that the descriptor's kind has. A leaf that is to become dirty for this access
   * (`updated`) must not be described as clean. */
  void (*decode)(const struct nwi_decode_context *context, uint64_t descriptor,
                 struct nw_descriptor *out);
  /* The level at which a leaf of 2^page_log2 bytes stands, 0 when the format has none of that size. */
  uint8_t (*leaf_level)(uint8_t page_log2);
  /* The leaf's descriptor. A leaf larger than its level's descriptors cover (large page,
   * supersection) is written 1 << (page_log2 - shift[level]) times in a row. */
  uint64_t (*encode_leaf)(const struct nwi_leaf *leaf);
  /* A table descriptor of `level` that points to `table`. */
  uint64_t (*encode_table)(uint8_t level, uint64_t table, uint8_t domain);
};

extern const struct nw_format nwi_format_armv7_short;
extern const struct nw_format nwi_format_lpae_s1;
extern const struct nw_format nwi_format_lpae_s2;
extern const struct nw_format nwi_format_x86_64;
extern const struct nw_format nwi_format_npt;
extern const struct nw_format nwi_format_ept;

/* The level that a table descriptor of `level` leads to. */
static inline uint8_t nwi_level_below(const struct nw_format *format, unsigned level) {
  return (uint8_t)((int)level + format->down);
}

/* The level whose descriptors lead to `level`. */
static inline uint8_t nwi_level_above(const struct nw_format *format, unsigned level) {
  return (uint8_t)((int)level - format->down);
}

/* The level of 1 to 3 whose descriptors cover 2^page_log2 bytes, or 0. */
static inline uint8_t nwi_level_of_three(const uint8_t shift[NW_LEVELS], uint8_t page_log2) {
  for (uint8_t level = 1; level <= 3; level++) {
    if (shift[level] == page_log2) {
      return level;
    }
  }
  return 0;
}

/* log2 of the descriptors in a table of `level` that is no root. */
static inline unsigned nwi_table_log2(const struct nw_format *format, unsigned level) {
  return (unsigned)format->shift[nwi_level_above(format, level)] - format->shift[level];
}

/* The attribute registers that go with the encoders: what they write as Normal is MAIR index 0 (or
 * TEX remap off), Device is index 1. */
#define NWI_ENCODER_MAIR0 0x000004ffu

#endif
