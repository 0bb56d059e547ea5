/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64: from control registers and MSRs to roots and controls of long mode (SDM vol. 3, 4.5), of AMD
 * nested paging (APM vol. 2, 15.25) and of Intel EPT (SDM vol. 3, 29.3).
 */
#include "core/regime.h"

#include "core/attribute.h"
#include "core/rights.h"

#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR3_KEEP (1ull << 63) /* with CR4.PCIDE: the write invalidates nothing; not kept */
#define CR3_PCID 0xfffull
#define CR4_PGE (1ull << 7)
#define CR4_LA57 (1ull << 12)
#define CR4_PCIDE (1ull << 17)
#define CR4_SMEP (1ull << 20)
#define CR4_PKE (1ull << 22)
#define EFER_NXE (1ull << 11)
#define EPTP_TYPE 0x7ull
#define EPTP_LEVELS(eptp) (((eptp) >> 3 & 7u) + 1u) /* SDM vol. 3, table 25-9 */
#define EPTP_AD (1ull << 6)
#define EPTP_RESERVED 0xf80ull

#define XD (1ull << 63)
#define PAGE_MASK 0xfffull
#define VPID_BITS 13 /* the hardware has up to 16; the TLBs' tags have room for these */
#define IPA_BITS 52

static const struct nwi_register_name names[] = {
    {"CR0", NW_X86_CR0, 64},          {"CR4", NW_X86_CR4, 64},
    {"CR3", NW_X86_CR3, 64},          {"EFER", NW_X86_EFER, 64},
    {"PKRU", NW_X86_PKRU, 32},        {"AC", NW_X86_AC, 32},
    {"PAT", NW_X86_PAT, 64},          {"nCR3", NW_X86_NESTED_ROOT, 64},
    {"EPTP", NW_X86_NESTED_ROOT, 64}, {"hCR4", NW_X86_HOST_CR4, 64},
    {"hEFER", NW_X86_HOST_EFER, 64},  {"VPID", NW_X86_VPID, 32},
    {"ASID", NW_X86_VPID, 32},
};

/* Bits 51:MAXPHYADDR, which no address has. */
static uint64_t no_address(const struct nw_regime *r) {
  return (1ull << IPA_BITS) - (1ull << r->capabilities.maxphyaddr);
}

static struct nw_root root_of(const struct nw_regime *r, uint64_t address, unsigned levels) {
  return (struct nw_root){
      .base = address & ~PAGE_MASK & ((1ull << r->capabilities.maxphyaddr) - 1),
      .start_level = (uint8_t)levels,
      .input_bits = (uint8_t)(12 + 9 * levels),
  };
}

/* The keys that PKRU takes nothing from: neither AD nor WD (SDM vol. 3, 4.6.2). */
static uint16_t decode_keys(uint32_t pkru, bool has_keys) {
  uint16_t keys = 0;

  for (unsigned key = 0; key < 16; key++) {
    bool unrestricted = !has_keys || ((pkru >> (2 * key)) & 3u) == 0;
    keys = (uint16_t)(keys | (unrestricted ? 1u << key : 0));
  }
  return keys;
}

static void decode_stage1(struct nw_regime *r) {
  uint64_t cr0 = r->reg[NW_X86_CR0], cr4 = r->reg[NW_X86_CR4];
  bool nxe = (r->reg[NW_X86_EFER] & EFER_NXE) != 0;

  r->s1_enabled = (cr0 & CR0_PG) != 0;
  r->write_protect = (cr0 & CR0_WP) != 0;
  r->global_pages = (cr4 & CR4_PGE) != 0;
  r->has_keys = (cr4 & CR4_PKE) != 0;
  r->fetch_is_told = nxe || (cr4 & CR4_SMEP);
  r->s1_reserved = no_address(r) | (nxe ? 0 : XD);
  r->pkru = (uint32_t)r->reg[NW_X86_PKRU];
  r->clients = decode_keys(r->pkru, r->has_keys);
  r->asid = cr4 & CR4_PCIDE ? (uint16_t)(r->reg[NW_X86_CR3] & CR3_PCID) : 0;
  r->s1_root[0] = root_of(r, r->reg[NW_X86_CR3], cr4 & CR4_LA57 ? 5 : 4);
  r->va_bits = r->s1_root[0].input_bits;
}

/* APM vol. 2, 15.25.3: the nested tables are those of the host's paging mode. */
static void decode_npt(struct nw_regime *r) {
  bool nxe = (r->reg[NW_X86_HOST_EFER] & EFER_NXE) != 0;

  r->s2_enabled = !r->nested_off;
  r->s2_flags = true;
  r->s2_fetch_told = nxe;
  r->s2_reserved = no_address(r) | (nxe ? 0 : XD);
  r->s2_root = root_of(r, r->reg[NW_X86_NESTED_ROOT], r->reg[NW_X86_HOST_CR4] & CR4_LA57 ? 5 : 4);
  r->s1_read_access = NW_WRITE; /* 15.25.5: guest tables are accessed as user writes */
}

static void decode_ept(struct nw_regime *r) {
  uint64_t eptp = r->reg[NW_X86_NESTED_ROOT];

  r->s2_enabled = eptp != 0;
  r->s2_flags = (eptp & EPTP_AD) != 0;
  r->s2_reserved = no_address(r);
  r->s2_root = root_of(r, eptp, eptp ? EPTP_LEVELS(eptp) : 4);
  /* SDM vol. 3, 29.3.3.2: with the flags on, reading a guest table counts as writing it. */
  r->s1_read_access = r->s2_flags ? NW_WRITE : NW_READ;
}

static void decode(struct nw_regime *r, unsigned written) {
  decode_stage1(r);
  if (r->kind == NW_REGIME_X86_EPT) {
    decode_ept(r);
  } else if (r->kind == NW_REGIME_X86_SVM_NPT) {
    decode_npt(r);
  }
  r->vmid = (uint16_t)r->reg[NW_X86_VPID];
  if (written == NW_X86_CR0 || written == NW_X86_CR4 || written == NW_X86_AC) {
    nwi_permit_build_x86(r);
  }
  r->reg[NW_X86_CR3] &= ~CR3_KEEP;
}

static void reset(struct nw_regime *r) {
  r->ipa_bits = IPA_BITS;
  r->range_level = 0;
  r->s1_range_fault = NW_FAULT_NONCANONICAL;
  r->s1_read_access = NW_READ;
  r->sign_extended = true;
  r->reg[NW_X86_PAT] = NWI_X86_PAT_RESET;
  r->reg[NW_X86_HOST_EFER] = EFER_NXE;
  decode(r, NW_X86_CR0);
}

/* SDM vol. 3, 27.2.1.1: what VM entry checks of the EPTP. */
static bool eptp_is_invalid(const struct nw_regime *r, uint64_t eptp) {
  uint64_t type = eptp & EPTP_TYPE;
  unsigned levels = EPTP_LEVELS(eptp);

  return eptp != 0 && ((type != 0 && type != 6) || levels < 4 || levels > 5 ||
                       (eptp & EPTP_RESERVED) || (eptp & EPTP_AD && !r->capabilities.ept_ad));
}

static bool contradicts(const struct nw_regime *r, unsigned reg, uint64_t value) {
  uint64_t too_high = ~0ull << r->capabilities.maxphyaddr;

  switch (reg) {
  case NW_X86_CR3:
    return value & too_high & ~(r->reg[NW_X86_CR4] & CR4_PCIDE ? CR3_KEEP : 0);
  case NW_X86_NESTED_ROOT:
    return (value & too_high) || (r->kind == NW_REGIME_X86_EPT && eptp_is_invalid(r, value));
  case NW_X86_AC:
    return value > 1;
  case NW_X86_VPID:
    return value >> VPID_BITS;
  default:
    return false;
  }
}

static const struct nw_root *stage1_root(const struct nw_regime *r, uint64_t va) {
  unsigned above = 64u - r->s1_root[0].input_bits;
  uint64_t canonical = (uint64_t)((int64_t)(va << above) >> above);

  return canonical == va ? &r->s1_root[0] : NULL;
}

const struct nwi_architecture nwi_x86_64 = {
    .registers = NW_X86_REGISTERS,
    .names = names,
    .names_count = sizeof names / sizeof names[0],
    .reset = reset,
    .decode = decode,
    .contradicts = contradicts,
    .stage1_root = stage1_root,
};
