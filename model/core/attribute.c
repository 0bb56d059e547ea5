/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory attributes: from each format's bits to one form, and stage 1 with stage 2. DDI 0406C B3.8.
 */
#include "core/attribute.h"

#define STRONGLY_ORDERED 0x00u
#define DEVICE 0x04u

/* A nibble of Normal memory: type in bits 3:2, allocation hints (read, write) in 1:0. */
#define NON_CACHEABLE 0x4u
#define WRITE_THROUGH 0x8u
#define HINTS 0x3u
#define TYPE 0xcu

/* Table B3-11 and the NMRR encoding: two bits of cacheability as a nibble: non-cacheable,
 * write-back write-allocate, write-through, write-back without write-allocate. */
static const uint8_t cacheability[4] = {0x4, 0xf, 0xa, 0xe};

/* Device and wholly non-cacheable memory is outer shareable whatever its descriptor says. */
static struct nwi_attributes settle(struct nwi_attributes a) {
  if (nwi_is_device(a.attr) || a.attr == (NON_CACHEABLE << 4 | NON_CACHEABLE)) {
    a.sh = NWI_OUTER_SHAREABLE;
  }
  return a;
}

static struct nwi_attributes normal(uint32_t outer, uint32_t inner, uint8_t sh) {
  return settle((struct nwi_attributes){(uint8_t)(outer << 4 | inner), sh});
}

static struct nwi_attributes strong(uint8_t type) {
  return (struct nwi_attributes){type, NWI_OUTER_SHAREABLE};
}

/* Table B3-10: TEX[2:0], C and B without remap. Shareable Normal memory is outer shareable.
 * Reserved encodings are unpredictable: Strongly-ordered here. */
static struct nwi_attributes plain_tex(uint32_t tex_cb, bool s) {
  uint8_t sh = s ? NWI_OUTER_SHAREABLE : NWI_NON_SHAREABLE;

  if (tex_cb & 0x10u) { /* 1BB AA: outer BB, inner AA */
    return normal(cacheability[(tex_cb >> 2) & 3u], cacheability[tex_cb & 3u], sh);
  }
  switch (tex_cb) {
  case 0x01: /* 000 01: shareable Device */
  case 0x08: /* 010 00: non-shareable Device, always shareable where LPAE is implemented */
    return strong(DEVICE);
  case 0x02: /* 000 10 */
    return normal(0xa, 0xa, sh);
  case 0x03: /* 000 11 */
    return normal(0xe, 0xe, sh);
  case 0x04: /* 001 00 */
    return normal(NON_CACHEABLE, NON_CACHEABLE, sh);
  case 0x07: /* 001 11 */
    return normal(0xf, 0xf, sh);
  default:
    return strong(STRONGLY_ORDERED);
  }
}

/* B3.8.3 and B4.1.127: n = TEX[0]:C:B selects fields of PRRR and NMRR. The implementation-defined
 * n = 6 is remapped like the others; the reserved type 0b11 is Strongly-ordered. */
static struct nwi_attributes remapped_tex(const struct nw_regime *regime, uint32_t tex_cb, bool s) {
  uint32_t n = tex_cb & 7u;
  uint32_t prrr = (uint32_t)regime->reg[NW_REG_PRRR_MAIR0];
  uint32_t nmrr = (uint32_t)regime->reg[NW_REG_NMRR_MAIR1];
  enum { STRONG = 0, DEV = 1, NORMAL = 2 } type = (prrr >> (2 * n)) & 3u;

  if (type != NORMAL) {
    return strong(type == DEV ? DEVICE : STRONGLY_ORDERED);
  }
  bool shareable = (prrr >> (s ? 19 : 18)) & 1u; /* NS1, NS0 */
  bool not_outer = (prrr >> (24 + n)) & 1u;      /* NOS */
  uint8_t sh = !shareable  ? NWI_NON_SHAREABLE
               : not_outer ? NWI_INNER_SHAREABLE
                           : NWI_OUTER_SHAREABLE;
  return normal(cacheability[(nmrr >> (2 * n + 16)) & 3u], cacheability[(nmrr >> (2 * n)) & 3u],
                sh);
}

struct nwi_attributes nwi_attributes_short(const struct nw_regime *regime, uint32_t tex_cb,
                                           bool s) {
  return regime->remap ? remapped_tex(regime, tex_cb, s) : plain_tex(tex_cb, s);
}

struct nwi_attributes nwi_attributes_mair(const struct nw_regime *regime, uint32_t index,
                                          uint32_t sh) {
  uint64_t mair = regime->reg[NW_REG_NMRR_MAIR1] << 32 | regime->reg[NW_REG_PRRR_MAIR0];

  return settle((struct nwi_attributes){(uint8_t)(mair >> (8 * index)), (uint8_t)sh});
}

/* MemAttr has no allocation hints: those of stage 1 hold, so stage 2 claims them all. */
struct nwi_attributes nwi_attributes_stage2(uint32_t mem_attr, uint32_t sh) {
  uint32_t outer = (mem_attr >> 2) & 3u;
  uint32_t inner = mem_attr & 3u;

  if (outer == 0) { /* 0b0000 Strongly-ordered, 0b0001 Device, others unpredictable: Device */
    return strong(inner == 0 ? STRONGLY_ORDERED : DEVICE);
  }
  static const uint8_t nibble[4] = {0xf /* reserved: write-back */, 0x4, 0xb, 0xf};
  return normal(nibble[outer], nibble[inner], (uint8_t)sh);
}

/* TranslateAddressVS1Off: data is Strongly-ordered; a fetch is non-cacheable, or write-through with
 * SCTLR.I. HCR.DC makes both Normal write-back, non-shareable. */
struct nwi_attributes nwi_attributes_stage1_off(const struct nw_regime *regime,
                                                enum nw_access access) {
  if (regime->architecture == NW_X86_64) {
    return (struct nwi_attributes){NWI_X86_WRITE_BACK, 0};
  }
  if (regime->default_cacheable) {
    return normal(0xf, 0xf, NWI_NON_SHAREABLE);
  }
  if (access != NW_EXECUTE) {
    return strong(STRONGLY_ORDERED);
  }
  uint32_t nibble = regime->instruction_cache ? 0xa : NON_CACHEABLE;
  return normal(nibble, nibble, NWI_NON_SHAREABLE);
}

/* Non-cacheable before write-through before write-back; the hints are those of stage 1. */
static uint32_t combine_nibble(uint32_t s1, uint32_t s2) {
  if (s1 == NON_CACHEABLE || s2 == NON_CACHEABLE) {
    return NON_CACHEABLE;
  }
  bool s1_write_through = (s1 & TYPE) == WRITE_THROUGH || (s1 & TYPE) == 0; /* 0b00RW: transient */
  if (!s1_write_through && (s2 & TYPE) == WRITE_THROUGH) {
    return WRITE_THROUGH | (s1 & HINTS);
  }
  return s1;
}

static uint8_t wider_shareability(uint8_t a, uint8_t b) {
  if (a == NWI_OUTER_SHAREABLE || b == NWI_OUTER_SHAREABLE) {
    return NWI_OUTER_SHAREABLE;
  }
  return a == NWI_INNER_SHAREABLE || b == NWI_INNER_SHAREABLE ? NWI_INNER_SHAREABLE
                                                              : NWI_NON_SHAREABLE;
}

static uint8_t combine_type(uint8_t s1, uint8_t s2) {
  if (nwi_is_device(s1) && nwi_is_device(s2)) {
    return s1 < s2 ? s1 : s2; /* Strongly-ordered, 0x00, beats Device */
  }
  if (nwi_is_device(s1) || nwi_is_device(s2)) {
    return nwi_is_device(s1) ? s1 : s2;
  }
  uint32_t outer = combine_nibble(s1 >> 4, s2 >> 4);
  uint32_t inner = combine_nibble(s1 & 0xfu, s2 & 0xfu);
  return (uint8_t)(outer << 4 | inner);
}

struct nwi_attributes nwi_attributes_combine(const struct nw_regime *regime,
                                             struct nwi_attributes s1, struct nwi_attributes s2) {
  if (regime->architecture == NW_X86_64) {
    return (struct nwi_attributes){nwi_x86_combine(regime, s1.attr, s2.attr), 0};
  }
  return settle(
      (struct nwi_attributes){combine_type(s1.attr, s2.attr), wider_shareability(s1.sh, s2.sh)});
}

struct nwi_attributes nwi_attributes_stage2_alone(const struct nw_regime *regime,
                                                  struct nwi_attributes s2) {
  if (regime->architecture == NW_X86_64) {
    s2.attr = (uint8_t)(s2.attr & ~NWI_X86_IGNORE_PAT); /* there is nothing to be ignored */
  }
  return s2;
}
