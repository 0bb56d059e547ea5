/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: DDI 0406C B3.7; SDM vol. 3, 4.6. The checks are made on raw rights with the registers of the
 * moment, by the walk at the leaf and by the MMU at every TLB hit, so both say the same.
 */
#include "core/rights.h"

#define CR0_WP (1ull << 16)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define SCTLR_WXN (1u << 19)
#define SCTLR_UWXN (1u << 20)

enum { NONE = 0, READ = 1, READ_WRITE = 2 };

/* Table B3-8: data access by AP[2:0]. With SCTLR.AFE set, and for long descriptors, AP[0] is 1 where
 * there is access, which gives what tables B3-9 and B3-15 say. */
static const struct {
  uint8_t privileged, user;
} data_access[8] = {
    {NONE, NONE},
    {READ_WRITE, NONE},
    {READ_WRITE, READ},
    {READ_WRITE, READ_WRITE},
    {NONE, NONE} /* reserved */,
    {READ, NONE},
    {READ, READ},
    {READ, READ},
};

static uint8_t data_bits(uint8_t allowed) {
  return (uint8_t)((allowed >= READ ? 1u << NW_READ : 0) |
                   (allowed == READ_WRITE ? 1u << NW_WRITE : 0));
}

/* B3.7.2: execution needs the right to read and no execute-never that applies. */
static uint8_t permit_entry(uint32_t index, uint32_t sctlr, bool ap0_is_access_flag) {
  if (ap0_is_access_flag && !(index & 1u)) {
    return 0; /* an access flag fault, whatever the rest says */
  }
  uint32_t ap = index & NWI_R_AP;
  uint8_t user = data_bits(data_access[ap].user);
  uint8_t privileged = data_bits(data_access[ap].privileged);
  bool user_writes = (user >> NW_WRITE) & 1u;
  bool privileged_writes = (privileged >> NW_WRITE) & 1u;
  bool wxn = (sctlr & SCTLR_WXN) != 0;
  bool uwxn = (sctlr & SCTLR_UWXN) != 0;
  bool xn = (index & NWI_R_XN) != 0;
  bool pxn = (index & NWI_R_PXN) != 0;

  if ((user & (1u << NW_READ)) && !xn && !(wxn && user_writes)) {
    user |= 1u << NW_EXECUTE;
  }
  if ((privileged & (1u << NW_READ)) && !xn && !pxn && !(wxn && privileged_writes) &&
      !(uwxn && user_writes)) {
    privileged |= 1u << NW_EXECUTE;
  }
  return (uint8_t)(user << (3 * NW_USER) | privileged << (3 * NW_PRIVILEGED));
}

void nwi_permit_build_armv7(struct nw_regime *regime) {
  uint32_t sctlr = (uint32_t)regime->reg[NW_REG_SCTLR];

  for (uint32_t index = 0; index <= NWI_R_PERMIT_INDEX; index++) {
    regime->permit[index] = permit_entry(index, sctlr, regime->access_flag_in_ap);
  }
}

/* SDM vol. 3, 4.6.1. AC lets the supervisor's data accesses past SMAP. */
static uint8_t permit_entry_x86(const struct nw_regime *regime, uint32_t index) {
  const uint8_t read = 1u << NW_READ, write = 1u << NW_WRITE, execute = 1u << NW_EXECUTE;
  uint64_t cr4 = regime->reg[NW_X86_CR4];
  bool user_page = (index & NWI_R_X86_USER) != 0;
  bool writable = (index & NWI_R_X86_WRITE) != 0;
  bool executable = !(index & NWI_R_XN);
  bool smap_denies = user_page && (cr4 & CR4_SMAP) && !regime->reg[NW_X86_AC];
  bool smep_denies = user_page && (cr4 & CR4_SMEP);
  bool supervisor_writes = writable || !(regime->reg[NW_X86_CR0] & CR0_WP);
  unsigned user = 0, supervisor = 0;

  if (user_page) {
    user = read | (writable ? write : 0u) | (executable ? execute : 0u);
  }
  if (!smap_denies) {
    supervisor = read | (supervisor_writes ? write : 0u);
  }
  if (executable && !smep_denies) {
    supervisor |= execute;
  }
  return (uint8_t)(user << (3 * NW_USER) | supervisor << (3 * NW_PRIVILEGED));
}

void nwi_permit_build_x86(struct nw_regime *regime) {
  for (uint32_t index = 0; index <= NWI_R_PERMIT_INDEX; index++) {
    regime->permit[index] = permit_entry_x86(regime, index);
  }
}

enum nw_fault_type nw_rights_judge(const struct nw_regime *regime, uint32_t rights,
                                   enum nw_access access, enum nw_privilege privilege,
                                   unsigned *stage) {
  enum nw_fault_type type = nwi_rights_judge_stage1(regime, rights, access, privilege);

  *stage = 1;
  if (type == NW_FAULT_NONE && !nwi_stage2_allows(rights, access)) {
    type = NW_FAULT_PERMISSION;
    *stage = 2;
  }
  return type;
}
