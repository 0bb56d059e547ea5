/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARMv7-A: from CP15 registers to roots and controls of the Non-secure PL1&0 regime, DDI 0406C B3.5,
 * B3.6 and B4.1.
 */
#include "core/regime.h"

#include "core/rights.h"

#define HCR_VM (1u << 0)
#define HCR_PTW (1u << 2)
#define HCR_DC (1u << 12)
#define SCTLR_M (1u << 0)
#define SCTLR_I (1u << 12)
#define SCTLR_EE (1u << 25)
#define SCTLR_TRE (1u << 28)
#define SCTLR_AFE (1u << 29)
#define TTBCR_EAE (1u << 31)
#define TTBCR_PD0 (1u << 4)
#define TTBCR_PD1 (1u << 5)
#define TTBCR_EPD0 (1u << 7)
#define TTBCR_A1 (1u << 22)
#define TTBCR_EPD1 (1u << 23)

#define VA_BITS 32
#define IPA_BITS 40
#define ADDRESS_MASK ((1ull << IPA_BITS) - 1)

/* PRRR and MAIR0, NMRR and MAIR1 are one register each under two names (B4.1.104, B4.1.127). */
static const struct nwi_register_name names[] = {
    {"HCR", NW_REG_HCR, 32},
    {"VTCR", NW_REG_VTCR, 32},
    {"VTTBR", NW_REG_VTTBR, 64},
    {"TTBCR", NW_REG_TTBCR, 32},
    {"TTBR0", NW_REG_TTBR0, 64},
    {"TTBR1", NW_REG_TTBR1, 64},
    {"DACR", NW_REG_DACR, 32},
    {"SCTLR", NW_REG_SCTLR, 32},
    {"PRRR", NW_REG_PRRR_MAIR0, 32},
    {"MAIR0", NW_REG_PRRR_MAIR0, 32},
    {"NMRR", NW_REG_NMRR_MAIR1, 32},
    {"MAIR1", NW_REG_NMRR_MAIR1, 32},
    {"CONTEXTIDR", NW_REG_CONTEXTIDR, 32},
};

static inline uint32_t field(uint64_t value, unsigned high, unsigned low) {
  return (uint32_t)(value >> low) & ((2u << (high - low)) - 1u);
}

static uint64_t aligned(uint64_t address, unsigned low_bits) {
  return address & ADDRESS_MASK & ~((1ull << low_bits) - 1);
}

/* B3.5.4: TTBR0's table shrinks with TTBCR.N; TTBR1's is always whole. */
static void decode_short_roots(struct nw_regime *r) {
  uint32_t ttbcr = (uint32_t)r->reg[NW_REG_TTBCR];
  unsigned n = field(ttbcr, 2, 0);

  r->s1_root[0] = (struct nw_root){
      .base = aligned((uint32_t)r->reg[NW_REG_TTBR0], 14 - n),
      .start_level = 1,
      .input_bits = (uint8_t)(VA_BITS - n),
      .disabled = (ttbcr & TTBCR_PD0) != 0,
  };
  r->s1_root[1] = (struct nw_root){
      .base = aligned((uint32_t)r->reg[NW_REG_TTBR1], 14),
      .start_level = 1,
      .input_bits = VA_BITS,
      .disabled = (ttbcr & TTBCR_PD1) != 0,
  };
}

/* TranslationTableWalkLD: an input of at most 30 bits starts at level 2. */
static struct nw_root long_root(uint64_t ttbr, unsigned size_offset, bool disabled) {
  uint8_t level = size_offset > 1 ? 2 : 1;

  return (struct nw_root){
      .base = aligned(ttbr, 9u * level - size_offset - 4u),
      .start_level = level,
      .input_bits = (uint8_t)(VA_BITS - size_offset),
      .disabled = disabled,
  };
}

static void decode_long_roots(struct nw_regime *r) {
  uint32_t ttbcr = (uint32_t)r->reg[NW_REG_TTBCR];

  r->s1_root[0] = long_root(r->reg[NW_REG_TTBR0], field(ttbcr, 2, 0), (ttbcr & TTBCR_EPD0) != 0);
  r->s1_root[1] = long_root(r->reg[NW_REG_TTBR1], field(ttbcr, 18, 16), (ttbcr & TTBCR_EPD1) != 0);
}

/* B3.6.2 and B4.1.160: T0SZ is signed. A start at level 1 takes IPAs of 31 to 40 bits, one at level
 * 2 those of 25 to 34 (up to 16 concatenated tables); anything else is inconsistent. VTCR.S is to
 * equal T0SZ[3] and is not looked at. */
static void decode_stage2_root(struct nw_regime *r) {
  uint32_t vtcr = (uint32_t)r->reg[NW_REG_VTCR];
  int t0sz = (int)field(vtcr, 3, 0) - (int)(field(vtcr, 3, 3) << 4);
  unsigned sl0 = field(vtcr, 7, 6);
  int input_bits = VA_BITS - t0sz;
  bool consistent = sl0 == 1 ? input_bits >= 31 : sl0 == 0 && input_bits <= 34;
  int base_bits = (sl0 == 1 ? 5 : 14) - t0sz;

  r->s2_root = (struct nw_root){
      .start_level = sl0 == 1 ? 1 : 2,
      .input_bits = (uint8_t)input_bits,
      .disabled = !consistent,
  };
  if (consistent) {
    r->s2_root.base = aligned(r->reg[NW_REG_VTTBR], (unsigned)base_bits);
  }
}

/* The domains whose accesses are checked against the rights; where there are no domains, all. */
static uint16_t decode_clients(uint32_t dacr, bool has_domains) {
  uint16_t clients = 0;

  for (unsigned domain = 0; domain < 16; domain++) {
    bool client = !has_domains || ((dacr >> (2 * domain)) & 3u) == NWI_DOMAIN_CLIENT;
    clients = (uint16_t)(clients | (client ? 1u << domain : 0));
  }
  return clients;
}

/* B3.9.1: short descriptors take the ASID from CONTEXTIDR, long ones from a TTBR (TTBCR.A1). */
static uint16_t decode_asid(const struct nw_regime *r, bool long_descriptors) {
  if (!long_descriptors) {
    return (uint16_t)field(r->reg[NW_REG_CONTEXTIDR], 7, 0);
  }
  bool a1 = (r->reg[NW_REG_TTBCR] & TTBCR_A1) != 0;
  return (uint16_t)field(r->reg[a1 ? NW_REG_TTBR1 : NW_REG_TTBR0], 55, 48);
}

static bool has_long_descriptors(const struct nw_regime *r) {
  return r->kind == NW_REGIME_ARMV7_LPAE || r->kind == NW_REGIME_ARMV7_LPAE_S2;
}

static void decode(struct nw_regime *r, unsigned written) {
  uint32_t hcr = (uint32_t)r->reg[NW_REG_HCR];
  uint32_t sctlr = (uint32_t)r->reg[NW_REG_SCTLR];
  bool stage2 = nw_regime_has_stage2((enum nw_regime_kind)r->kind);
  bool long_descriptors = has_long_descriptors(r);

  /* HCR.DC makes stage 1 behave as switched off and, with HCR.VM clear, which ARMv7 leaves
   * unpredictable, stage 2 as switched on: ARMv8's rule. */
  r->default_cacheable = (hcr & HCR_DC) != 0;
  r->s1_enabled = (sctlr & SCTLR_M) && !r->default_cacheable;
  r->s2_enabled = stage2 && (hcr & (HCR_VM | HCR_DC));
  r->protected_walk = (hcr & HCR_PTW) != 0;
  r->big_endian = (sctlr & SCTLR_EE) != 0;
  r->instruction_cache = (sctlr & SCTLR_I) != 0;
  r->has_domains = !long_descriptors;
  r->access_flag_in_ap = !long_descriptors && (sctlr & SCTLR_AFE);
  r->remap = !long_descriptors && (sctlr & SCTLR_TRE);
  r->dacr = (uint32_t)r->reg[NW_REG_DACR];
  r->clients = decode_clients(r->dacr, r->has_domains);
  r->asid = decode_asid(r, long_descriptors);
  r->vmid = stage2 ? (uint16_t)field(r->reg[NW_REG_VTTBR], 55, 48) : 0;
  if (long_descriptors) {
    decode_long_roots(r);
  } else {
    decode_short_roots(r);
  }
  decode_stage2_root(r);
  if (written == NW_REG_SCTLR) {
    nwi_permit_build_armv7(r);
  }
}

static void reset(struct nw_regime *r) {
  r->va_bits = VA_BITS;
  r->ipa_bits = IPA_BITS;
  r->range_level = 1;
  r->s1_range_fault = NW_FAULT_TRANSLATION;
  r->s1_read_access = NW_READ;
  r->reg[NW_REG_TTBCR] = has_long_descriptors(r) ? TTBCR_EAE : 0;
  decode(r, NW_REG_SCTLR);
}

static bool contradicts(const struct nw_regime *r, unsigned reg, uint64_t value) {
  if (reg == NW_REG_TTBCR) {
    return ((value & TTBCR_EAE) != 0) != has_long_descriptors(r);
  }
  return reg == NW_REG_HCR && !nw_regime_has_stage2((enum nw_regime_kind)r->kind) &&
         (value & (HCR_VM | HCR_DC));
}

static bool ones_above(uint64_t va, unsigned low, unsigned width) {
  uint64_t top = (1ull << (width - low)) - 1;

  return (va >> low) == top;
}

static const struct nw_root *stage1_root(const struct nw_regime *regime, uint64_t va) {
  const struct nw_root *lower = &regime->s1_root[0];
  const struct nw_root *upper = &regime->s1_root[1];
  bool upper_is_sized = upper->input_bits < regime->va_bits;

  if (va >> regime->va_bits) {
    return NULL;
  }
  if (upper_is_sized && ones_above(va, upper->input_bits, regime->va_bits)) {
    return upper;
  }
  if ((va >> lower->input_bits) == 0) {
    return lower;
  }
  return upper_is_sized ? NULL : upper;
}

const struct nwi_architecture nwi_armv7 = {
    .registers = NW_REGISTERS,
    .names = names,
    .names_count = sizeof names / sizeof names[0],
    .reset = reset,
    .decode = decode,
    .contradicts = contradicts,
    .stage1_root = stage1_root,
};
