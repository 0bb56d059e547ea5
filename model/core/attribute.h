/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory attributes in one form for all formats: a MAIR-style byte (0x00 Strongly-ordered, 0x04
 * Device, else outer nibble and inner nibble of Normal memory) and a shareability (0 non-shareable,
 * 2 outer, 3 inner). For x86 the byte is the memory type, numbered as in the PAT (SDM vol. 3, 12.12.2).
 */
#ifndef NESTWALK_CORE_ATTRIBUTE_H
#define NESTWALK_CORE_ATTRIBUTE_H

#include <nestwalk/regime.h>

struct nwi_attributes {
  uint8_t attr;
  uint8_t sh;
};

enum { NWI_NON_SHAREABLE = 0, NWI_OUTER_SHAREABLE = 2, NWI_INNER_SHAREABLE = 3 };

static inline bool nwi_is_device(uint8_t attr) {
  return (attr & 0xf0u) == 0;
}

/* Short descriptors: `tex_cb` is TEX[2:0]:C:B, `s` the S bit; B3.8.2 and B3.8.3 by SCTLR.TRE. */
struct nwi_attributes nwi_attributes_short(const struct nw_regime *regime, uint32_t tex_cb, bool s);
/* Long descriptors, stage 1: AttrIndx and SH[1:0] (B3.8.4). */
struct nwi_attributes nwi_attributes_mair(const struct nw_regime *regime, uint32_t index,
                                          uint32_t sh);
/* Long descriptors, stage 2: MemAttr[3:0] and SH[1:0] (B3.6.2, table B3-22). */
struct nwi_attributes nwi_attributes_stage2(uint32_t mem_attr, uint32_t sh);
/* Stage 1 switched off (B3.2.1). x86 without paging: write-back. */
struct nwi_attributes nwi_attributes_stage1_off(const struct nw_regime *regime,
                                                enum nw_access access);
/* Both stages (B3.8.5): the stronger type, the weaker cacheability, the wider shareability. */
struct nwi_attributes nwi_attributes_combine(const struct nw_regime *regime,
                                             struct nwi_attributes s1, struct nwi_attributes s2);

/* Stage 2 alone: what the tables say by themselves. */
struct nwi_attributes nwi_attributes_stage2_alone(const struct nw_regime *regime,
                                                  struct nwi_attributes s2);

enum { NWI_X86_UNCACHEABLE = 0, NWI_X86_WRITE_BACK = 6 };
#define NWI_X86_IGNORE_PAT 8u /* beside the type of an EPT leaf: it alone counts */
#define NWI_X86_PAT_RESET 0x0007040600070406ull

/* The type of an access by the guest's and the stage-2 table's. */
uint8_t nwi_x86_combine(const struct nw_regime *regime, uint8_t guest, uint8_t host);

#endif
