/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From registers to a regime: which formats, which roots, which controls. What the registers are and
 * mean is in one file for each architecture; this one picks it. Every field of struct nw_regime below
 * `reg` but `agile`, `nested_off` and `capabilities` is a function of these, `kind` and `reg`,
 * recomputed at each write.
 */
#include "core/regime.h"

#include <string.h>

#include "core/format.h"

static const struct {
  const char *name;
  const struct nw_format *s1_format;
  const struct nw_format *s2_format; /* where there is no stage 2: of the architecture's */
  enum nw_architecture architecture;
  bool stage2;
} kinds[NW_REGIMES] = {
    [NW_REGIME_ARMV7_SHORT] = {"armv7-short", &nwi_format_armv7_short, &nwi_format_lpae_s2,
                               NW_ARMV7, false},
    [NW_REGIME_ARMV7_LPAE] = {"armv7-lpae", &nwi_format_lpae_s1, &nwi_format_lpae_s2, NW_ARMV7,
                              false},
    [NW_REGIME_ARMV7_SHORT_S2] = {"armv7-short+s2", &nwi_format_armv7_short, &nwi_format_lpae_s2,
                                  NW_ARMV7, true},
    [NW_REGIME_ARMV7_LPAE_S2] = {"armv7-lpae+s2", &nwi_format_lpae_s1, &nwi_format_lpae_s2,
                                 NW_ARMV7, true},
    [NW_REGIME_X86_64] = {"x86-64", &nwi_format_x86_64, &nwi_format_npt, NW_X86_64, false},
    [NW_REGIME_X86_SVM_NPT] = {"x86-svm-npt", &nwi_format_x86_64, &nwi_format_npt, NW_X86_64, true},
    [NW_REGIME_X86_EPT] = {"x86-ept", &nwi_format_x86_64, &nwi_format_ept, NW_X86_64, true},
};

static const struct nwi_architecture *const architectures[NW_ARCHITECTURES] = {
    [NW_ARMV7] = &nwi_armv7,
    [NW_X86_64] = &nwi_x86_64,
};

const struct nw_capabilities nw_default_capabilities = {
    .maxphyaddr = 40, .execute_only = true, .ept_ad = true, .gigabyte_pages = true};

bool nw_regime_init(struct nw_regime *regime, enum nw_regime_kind kind) {
  if ((unsigned)kind >= NW_REGIMES) {
    return false;
  }
  *regime = (struct nw_regime){
      .kind = (uint8_t)kind,
      .architecture = (uint8_t)kinds[kind].architecture,
      .s1_format = kinds[kind].s1_format,
      .s2_format = kinds[kind].s2_format,
      .capabilities = nw_default_capabilities,
  };
  architectures[regime->architecture]->reset(regime);
  return true;
}

enum nw_register_status nw_regime_write(struct nw_regime *regime, unsigned reg, uint64_t value) {
  const struct nwi_architecture *a = architectures[regime->architecture];

  if (reg >= a->registers) {
    return NW_REGISTER_UNKNOWN;
  }
  if (nw_register_width((enum nw_architecture)regime->architecture, reg) == 32 &&
      value > UINT32_MAX) {
    return NW_REGISTER_TOO_WIDE;
  }
  if (a->contradicts(regime, reg, value)) {
    return NW_REGISTER_CONTRADICTS;
  }
  regime->reg[reg] = value;
  a->decode(regime, reg);
  return NW_REGISTER_WRITTEN;
}

bool nw_regime_set_capabilities(struct nw_regime *regime,
                                const struct nw_capabilities *capabilities) {
  const struct nwi_architecture *a = architectures[regime->architecture];
  struct nw_regime changed = *regime;

  if (capabilities->maxphyaddr < 32 || capabilities->maxphyaddr > 52) {
    return false;
  }
  changed.capabilities = *capabilities;
  for (unsigned reg = 0; reg < a->registers; reg++) {
    if (a->contradicts(&changed, reg, changed.reg[reg])) {
      return false;
    }
  }
  *regime = changed;
  for (unsigned reg = 0; reg < a->registers; reg++) {
    a->decode(regime, reg);
  }
  return true;
}

bool nw_regime_set_agile(struct nw_regime *regime, enum nw_agile agile) {
  if ((unsigned)agile > NW_AGILE_ROOT || !kinds[regime->kind].stage2) {
    return false;
  }
  regime->agile = (uint8_t)agile;
  return true;
}

bool nw_regime_set_nested_paging(struct nw_regime *regime, bool on) {
  if (regime->kind != NW_REGIME_X86_SVM_NPT) {
    return false;
  }
  regime->nested_off = !on;
  architectures[regime->architecture]->decode(regime, NW_X86_NESTED_ROOT);
  return true;
}

const struct nw_root *nwi_regime_stage1_root(const struct nw_regime *regime, uint64_t va) {
  return architectures[regime->architecture]->stage1_root(regime, va);
}

const char *nw_regime_name(enum nw_regime_kind kind) {
  return (unsigned)kind < NW_REGIMES ? kinds[kind].name : NULL;
}

bool nw_regime_by_name(const char *name, enum nw_regime_kind *kind) {
  for (unsigned i = 0; i < NW_REGIMES; i++) {
    if (strcmp(name, kinds[i].name) == 0) {
      *kind = (enum nw_regime_kind)i;
      return true;
    }
  }
  return false;
}

bool nw_register_by_name(const char *name, enum nw_architecture *architecture, unsigned *reg) {
  for (unsigned a = 0; a < NW_ARCHITECTURES; a++) {
    for (size_t i = 0; i < architectures[a]->names_count; i++) {
      if (strcmp(name, architectures[a]->names[i].name) == 0) {
        *architecture = (enum nw_architecture)a;
        *reg = architectures[a]->names[i].reg;
        return true;
      }
    }
  }
  return false;
}

unsigned nw_register_width(enum nw_architecture architecture, unsigned reg) {
  const struct nwi_architecture *a = architectures[architecture];

  for (size_t i = 0; i < a->names_count; i++) {
    if (a->names[i].reg == reg) {
      return a->names[i].width;
    }
  }
  return 0;
}

bool nw_regime_has_stage2(enum nw_regime_kind kind) {
  return (unsigned)kind < NW_REGIMES && kinds[kind].stage2;
}

enum nw_architecture nw_regime_architecture(enum nw_regime_kind kind) {
  return kinds[kind].architecture;
}
