/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw rights: one opaque word that a TLB entry keeps and permission.c judges at every lookup. Only
 * the format files write it and only permission.c reads it.
 */
#ifndef NESTWALK_CORE_RIGHTS_H
#define NESTWALK_CORE_RIGHTS_H

#include <nestwalk/regime.h>

/* stage 1, as the descriptor has them; tables above already applied */
#define NWI_R_AP 0x7u /* AP[2:0]; long descriptors: AP[2:1] with AP[0] = 1 */
#define NWI_R_X86_USER (1u << 0)
#define NWI_R_X86_WRITE (1u << 1)
#define NWI_R_XN (1u << 3)
#define NWI_R_PXN (1u << 4)
#define NWI_R_PERMIT_INDEX 0x1fu /* AP, XN and PXN: index of nw_regime.permit */
#define NWI_R_DOMAIN_SHIFT 5     /* x86: the protection key of a user page, 0 else */
#define NWI_R_DOMAIN (0xfu << NWI_R_DOMAIN_SHIFT)
#define NWI_R_S1_CLEAN (1u << 9) /* a write has to be walked, to set the dirty flag */
#define NWI_R_S1_OFF (1u << 10)  /* stage 1 was off: it denies nothing */

/* stage 2; bit NWI_R_S2_SHIFT + enum nw_access is set where the access is allowed */
#define NWI_R_S2_SHIFT 16
#define NWI_R_S2_READ (1u << 16)
#define NWI_R_S2_WRITE (1u << 17)
#define NWI_R_S2_EXECUTE (1u << 18)
#define NWI_R_S2_ALL (7u << NWI_R_S2_SHIFT)
#define NWI_R_S2_CLEAN (1u << 19)

/* limits that stage-1 tables above a leaf set, accumulated by OR */
#define NWI_L_NO_USER (1u << 0)
#define NWI_L_READ_ONLY (1u << 1)
#define NWI_L_XN (1u << 2)
#define NWI_L_PXN (1u << 3)
#define NWI_L_DOMAIN_SHIFT 4

/* Fills nw_regime.permit from SCTLR's AFE, WXN and UWXN. */
void nwi_permit_build_armv7(struct nw_regime *regime);
/* Fills it from CR0.WP, CR4.SMEP, CR4.SMAP and EFLAGS.AC. */
void nwi_permit_build_x86(struct nw_regime *regime);

/* DACR field values, DDI 0406C B3.7.4. 0b10 is reserved and gives no access, as 0b00. */
enum { NWI_DOMAIN_CLIENT = 1, NWI_DOMAIN_MANAGER = 3 };

/* SDM vol. 3, 4.6.2: AD of a key denies data accesses to a user page, WD writes by user code, and by
 * the supervisor where CR0.WP is set. Fetches are not asked. */
static inline bool nwi_key_denies(const struct nw_regime *regime, uint32_t rights,
                                  enum nw_access access, enum nw_privilege privilege) {
  if (!regime->has_keys || !(rights & NWI_R_X86_USER) || access == NW_EXECUTE) {
    return false;
  }
  uint32_t key = (rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT;
  bool access_disabled = (regime->pkru >> (2 * key)) & 1u;
  bool write_disabled = (regime->pkru >> (2 * key)) & 2u;
  bool protects = privilege == NW_USER || regime->write_protect;

  return access_disabled || (write_disabled && protects && access == NW_WRITE);
}

/* Stage 1's verdict alone: NW_FAULT_NONE or the fault's type. The access flag comes before the
 * domain, the domain before the permission (B3.12.6). Inline, since every TLB hit is judged. */
static inline enum nw_fault_type nwi_rights_judge_stage1(const struct nw_regime *regime,
                                                         uint32_t rights, enum nw_access access,
                                                         enum nw_privilege privilege) {
  if (rights & NWI_R_S1_OFF) {
    return NW_FAULT_NONE;
  }
  if (regime->has_domains) {
    if (regime->access_flag_in_ap && !(rights & 1u)) {
      return NW_FAULT_ACCESS_FLAG;
    }
    uint32_t domain = (rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT;
    uint32_t field = (regime->dacr >> (2 * domain)) & 3u;
    if (field == NWI_DOMAIN_MANAGER) {
      return NW_FAULT_NONE;
    }
    if (field != NWI_DOMAIN_CLIENT) {
      return NW_FAULT_DOMAIN;
    }
  }
  uint32_t permit = regime->permit[rights & NWI_R_PERMIT_INDEX];
  bool allowed = ((permit >> (3u * privilege + access)) & 1u) &&
                 !nwi_key_denies(regime, rights, access, privilege);
  return allowed ? NW_FAULT_NONE : NW_FAULT_PERMISSION;
}

static inline bool nwi_stage2_allows(uint32_t rights, enum nw_access access) {
  return ((rights >> (NWI_R_S2_SHIFT + access)) & 1u) != 0;
}

/* Bit enum nw_access for each access that stage 2 allows. */
static inline uint8_t nwi_stage2_allowed(uint32_t rights) {
  return (rights & NWI_R_S2_ALL) >> NWI_R_S2_SHIFT;
}

/* A write through an entry whose dirty flag hardware has still to set must be walked. */
static inline bool nwi_rights_clean(uint32_t rights) {
  return (rights & (NWI_R_S1_CLEAN | NWI_R_S2_CLEAN)) != 0;
}

/* A TLB entry with these rights may answer the access without a walk. */
static inline bool nwi_rights_permit(const struct nw_regime *regime, uint32_t rights,
                                     enum nw_access access, enum nw_privilege privilege) {
  return nwi_rights_judge_stage1(regime, rights, access, privilege) == NW_FAULT_NONE &&
         nwi_stage2_allows(rights, access) && !(access == NW_WRITE && nwi_rights_clean(rights));
}

/* The same for the usual case: a client domain, a key without limits, and nothing to be looked at more closely. False may
 * still mean yes: then nwi_rights_permit() is to be asked. */
static inline bool nwi_rights_permit_plainly(const struct nw_regime *regime, uint32_t rights,
                                             enum nw_access access, enum nw_privilege privilege) {
  uint32_t special = NWI_R_S1_OFF | (access == NW_WRITE ? NWI_R_S1_CLEAN | NWI_R_S2_CLEAN : 0u);
  uint32_t domain = (rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT;
  uint32_t permit = regime->permit[rights & NWI_R_PERMIT_INDEX];

  return !(rights & special) &&
         ((regime->clients >> domain) & (permit >> (3u * privilege + access)) &
          (rights >> (NWI_R_S2_SHIFT + access)) & 1u);
}

#endif
