/* SPDX-License-Identifier: Apache-2.0 */
/* What the walker asks of a regime beyond its public fields. */
#ifndef NESTWALK_CORE_REGIME_H
#define NESTWALK_CORE_REGIME_H

#include <nestwalk/regime.h>

/* The root that translates `va` in stage 1, or NULL when no root covers it (B3.5.4, B3.6.4). */
const struct nw_root *nwi_regime_stage1_root(const struct nw_regime *regime, uint64_t va);

#endif
