/* SPDX-License-Identifier: Apache-2.0 */
/* What the walker asks of a regime beyond its public fields, and what an architecture is to a regime. */
#ifndef NESTWALK_CORE_REGIME_H
#define NESTWALK_CORE_REGIME_H

#include <nestwalk/regime.h>

/* The root that translates `va` in stage 1, or NULL when no root covers it (B3.5.4, B3.6.4; x86: when
 * it is not canonical). */
const struct nw_root *nwi_regime_stage1_root(const struct nw_regime *regime, uint64_t va);

struct nwi_register_name {
  const char *name;
  unsigned reg;
  unsigned width; /* bits: 32 or 64 */
};

/* What regime.c leaves to an architecture. */
struct nwi_architecture {
  unsigned registers; /* numbered from 0 */
  const struct nwi_register_name *names;
  size_t names_count;
  /* Gives the registers their reset values, and everything that follows from `kind`. */
  void (*reset)(struct nw_regime *regime);
  /* Makes everything else from the registers, of which `written` is new. */
  void (*decode)(struct nw_regime *regime, unsigned written);
  /* The register must not take this value. */
  bool (*contradicts)(const struct nw_regime *regime, unsigned reg, uint64_t value);
  const struct nw_root *(*stage1_root)(const struct nw_regime *regime, uint64_t va);
};

extern const struct nwi_architecture nwi_armv7;
extern const struct nwi_architecture nwi_x86_64;

#endif
