/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory attributes in one form for all formats: a MAIR-style byte (0x00 Strongly-ordered, 0x04
 * Device, else outer nibble and inner nibble of Normal memory) and a shareability (0 non-shareable,
 * 2 outer, 3 inner).
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
/* Stage 1 switched off (B3.2.1). */
struct nwi_attributes nwi_attributes_stage1_off(const struct nw_regime *regime,
                                                enum nw_access access);
/* Both stages (B3.8.5): the stronger type, the weaker cacheability, the wider shareability. */
struct nwi_attributes nwi_attributes_combine(struct nwi_attributes s1, struct nwi_attributes s2);

#endif
