/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a fault to what the architecture reports of it: DFSR and IFSR in both formats (DDI 0406C
 * B4.1.52, B4.1.96), HSR and HPFAR for stage 2 (B3.13.6, B4.1.65); the error code of #PF (SDM vol. 3,
 * 4.7), EXITINFO1 of #NPF (APM vol. 2, 15.25.6), the exit qualification of an EPT violation (SDM
 * vol. 3, table 28-7). UNKNOWN fields are 0.
 */
#include "core/format.h"

#define NO_STATUS 0xff

static const struct {
  const char *name;
  uint8_t short_fs[3]; /* FS[4:0] by level (0: no level), table B3-23 */
  uint8_t long_status; /* STATUS[5:0] with the level added where it has one, table B3-24 */
  bool has_level;
} faults[NW_FAULT_TYPES] = {
    [NW_FAULT_NONE] = {"none", {NO_STATUS, NO_STATUS, NO_STATUS}, NO_STATUS, false},
    [NW_FAULT_TRANSLATION] = {"translation", {0x05, 0x05, 0x07}, 0x04, true},
    [NW_FAULT_ACCESS_FLAG] = {"accessflag", {0x03, 0x03, 0x06}, 0x08, true},
    [NW_FAULT_DOMAIN] = {"domain", {0x09, 0x09, 0x0b}, NO_STATUS, true},
    [NW_FAULT_PERMISSION] = {"permission", {0x0d, 0x0d, 0x0f}, 0x0c, true},
    [NW_FAULT_ADDRESS_SIZE] = {"addrsize", {NO_STATUS, NO_STATUS, NO_STATUS}, 0x00, true},
    [NW_FAULT_EXTERNAL_ABORT] = {"extabort", {0x0c, 0x0c, 0x0e}, 0x14, true},
    [NW_FAULT_ALIGNMENT] = {"alignment", {0x01, 0x01, 0x01}, 0x21, false},
    [NW_FAULT_RESERVED_BIT] = {"rsvd", {NO_STATUS, NO_STATUS, NO_STATUS}, NO_STATUS, false},
    [NW_FAULT_NONCANONICAL] = {"noncanonical", {NO_STATUS, NO_STATUS, NO_STATUS}, NO_STATUS, false},
    [NW_FAULT_MISCONFIG] = {"misconfig", {NO_STATUS, NO_STATUS, NO_STATUS}, NO_STATUS, false},
};

#define FSR_WNR (1u << 11)
#define FSR_LPAE (1u << 9)
#define FSR_FS4 (1u << 10)
#define HSR_EC_SHIFT 26
#define HSR_EC_INSTRUCTION_ABORT 0x20u
#define HSR_EC_DATA_ABORT 0x24u
#define HSR_IL (1u << 25)
#define HSR_S1PTW (1u << 7)
#define HSR_WNR (1u << 6)

static uint32_t long_status(const struct nw_fault *fault) {
  return faults[fault->type].long_status + (faults[fault->type].has_level ? fault->level : 0u);
}

static uint32_t short_status(const struct nw_fault *fault) {
  uint32_t fs = faults[fault->type].short_fs[fault->level <= 2 ? fault->level : 2];

  return (fs & 0xfu) | (fs & 0x10u ? FSR_FS4 : 0);
}

/* B3.13.3: with LPAE implemented the domain of a permission fault is UNKNOWN, and there is none to
 * report before level 1 has been read. */
static bool domain_is_valid(const struct nw_fault *fault) {
  switch (fault->type) {
  case NW_FAULT_DOMAIN:
    return true;
  case NW_FAULT_TRANSLATION:
  case NW_FAULT_ACCESS_FLAG:
  case NW_FAULT_EXTERNAL_ABORT:
    return fault->level == 2;
  default:
    return false;
  }
}

static struct nw_syndrome stage1_syndrome(const struct nw_regime *regime,
                                          const struct nw_fault *fault) {
  bool fetch = fault->access == NW_EXECUTE;
  bool long_format = !regime->has_domains;
  uint32_t value = long_format ? FSR_LPAE | long_status(fault) : short_status(fault);

  if (!fetch) {
    value |= fault->access == NW_WRITE ? FSR_WNR : 0;
    value |= !long_format && domain_is_valid(fault) ? (uint32_t)fault->domain << 4 : 0;
  }
  return (struct nw_syndrome){
      .kind = fetch ? NW_SYNDROME_IFSR : NW_SYNDROME_DFSR,
      .value = {value, 0},
      .far = (uint32_t)fault->va,
  };
}

/* B4.1.65 and CheckPermissionS2: HPFAR holds the IPA of translation and access flag faults, and of a
 * permission fault on a stage-1 walk. */
static bool ipa_is_valid(const struct nw_fault *fault) {
  return fault->type == NW_FAULT_TRANSLATION || fault->type == NW_FAULT_ACCESS_FLAG ||
         (fault->type == NW_FAULT_PERMISSION && fault->s1walk);
}

static struct nw_syndrome stage2_syndrome(const struct nw_fault *fault) {
  bool fetch = fault->access == NW_EXECUTE;
  uint32_t ec = fetch ? HSR_EC_INSTRUCTION_ABORT : HSR_EC_DATA_ABORT;
  uint32_t hsr = ec << HSR_EC_SHIFT | HSR_IL | (fault->s1walk ? HSR_S1PTW : 0) |
                 (fault->access == NW_WRITE ? HSR_WNR : 0) | long_status(fault);

  return (struct nw_syndrome){
      .kind = NW_SYNDROME_HSR,
      .value = {hsr, ipa_is_valid(fault) ? (uint32_t)(fault->ipa >> 12) << 4 : 0},
      .far = (uint32_t)fault->va,
  };
}

/* ---- x86 ---- */

#define NPF_FINAL (1u << 0) /* of the high word: bit 32 of EXITINFO1 */
#define NPF_TABLE (1u << 1) /* bit 33 */
#define EPT_READ (1u << 0)
#define EPT_WRITE (1u << 1)
#define EPT_ALLOWED_SHIFT 3
#define EPT_LINEAR_VALID (1u << 7)
#define EPT_FINAL (1u << 8)

static uint32_t present_and_reserved(const struct nw_fault *fault) {
  return (fault->type == NW_FAULT_TRANSLATION ? 0 : (uint32_t)NW_PF_PRESENT) |
         (fault->type == NW_FAULT_RESERVED_BIT ? (uint32_t)NW_PF_RESERVED : 0);
}

static uint32_t pf_error_code(const struct nw_regime *regime, const struct nw_fault *fault) {
  bool told_fetch = fault->access == NW_EXECUTE && regime->fetch_is_told;

  return present_and_reserved(fault) | (fault->access == NW_WRITE ? (uint32_t)NW_PF_WRITE : 0) |
         (fault->privilege == NW_USER ? (uint32_t)NW_PF_USER : 0) |
         (told_fetch ? (uint32_t)NW_PF_FETCH : 0) | (fault->key ? (uint32_t)NW_PF_KEY : 0);
}

/* 15.25.5 and 15.25.6: nested tables see user accesses; a guest table is written. */
static struct nw_syndrome npf_syndrome(const struct nw_regime *regime,
                                       const struct nw_fault *fault) {
  bool told_fetch = fault->failing_access == NW_EXECUTE && regime->s2_fetch_told;
  uint32_t code = present_and_reserved(fault) | NW_PF_USER |
                  (fault->failing_access == NW_WRITE ? (uint32_t)NW_PF_WRITE : 0) |
                  (told_fetch ? (uint32_t)NW_PF_FETCH : 0);

  return (struct nw_syndrome){
      .kind = NW_SYNDROME_NPF,
      .value = {code, fault->s1walk ? NPF_TABLE : NPF_FINAL},
      .far = fault->va,
  };
}

/* Table 28-7, and its note: with EPT's flags on, an access to a guest table is told as both. */
static struct nw_syndrome ept_syndrome(const struct nw_regime *regime,
                                       const struct nw_fault *fault) {
  bool both = fault->s1walk && regime->s2_flags;
  uint32_t accesses = both ? EPT_READ | EPT_WRITE : 1u << fault->failing_access;

  return (struct nw_syndrome){
      .kind = NW_SYNDROME_EPT,
      .value = {accesses | (uint32_t)fault->s2_allows << EPT_ALLOWED_SHIFT | EPT_LINEAR_VALID |
                    (fault->s1walk ? 0 : EPT_FINAL),
                0},
      .far = fault->va,
  };
}

static bool has_code(const struct nw_fault *fault) {
  return fault->type == NW_FAULT_TRANSLATION || fault->type == NW_FAULT_PERMISSION ||
         fault->type == NW_FAULT_RESERVED_BIT;
}

static struct nw_syndrome x86_syndrome(const struct nw_regime *regime,
                                       const struct nw_fault *fault) {
  if (!has_code(fault)) {
    return (struct nw_syndrome){.kind = NW_SYNDROME_NONE, .far = fault->va};
  }
  if (fault->stage == 1) {
    return (struct nw_syndrome){
        .kind = NW_SYNDROME_PF, .value = {pf_error_code(regime, fault), 0}, .far = fault->va};
  }
  return regime->kind == NW_REGIME_X86_EPT ? ept_syndrome(regime, fault)
                                           : npf_syndrome(regime, fault);
}

struct nw_syndrome nw_fault_syndrome(const struct nw_regime *regime, const struct nw_fault *fault) {
  if (regime->architecture == NW_X86_64) {
    return x86_syndrome(regime, fault);
  }
  return fault->stage == 2 ? stage2_syndrome(fault) : stage1_syndrome(regime, fault);
}

const char *nw_fault_name(enum nw_fault_type type) {
  return (unsigned)type < NW_FAULT_TYPES ? faults[type].name : "unknown";
}
