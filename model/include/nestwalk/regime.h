/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A translation regime: the registers that control translation and what they mean. Registers are
 * written through one function, nw_regime_write(); everything else in the struct is decoded from
 * them by it and is only to be read.
 */
#ifndef NESTWALK_REGIME_H
#define NESTWALK_REGIME_H

#include <stddef.h>

#include <nestwalk/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_regime_kind {
  NW_REGIME_ARMV7_SHORT = 0, /* short descriptors, no virtualization */
  NW_REGIME_ARMV7_LPAE,      /* long descriptors, no virtualization */
  NW_REGIME_ARMV7_SHORT_S2,  /* short descriptors over an ARM stage 2 */
  NW_REGIME_ARMV7_LPAE_S2,   /* long descriptors over an ARM stage 2 */
  NW_REGIMES,
};

/* CP15 registers of the Non-secure PL1&0 regime (DDI 0406C B4.1), in the manual's encoding. */
enum nw_register {
  NW_REG_HCR = 0,
  NW_REG_VTCR,
  NW_REG_VTTBR, /* 64 bits */
  NW_REG_TTBCR,
  NW_REG_TTBR0, /* 64 bits; short descriptors use the low word */
  NW_REG_TTBR1, /* likewise */
  NW_REG_DACR,
  NW_REG_SCTLR,
  NW_REG_PRRR_MAIR0, /* one register: PRRR with short descriptors, MAIR0 with long ones */
  NW_REG_NMRR_MAIR1, /* likewise */
  NW_REG_CONTEXTIDR,
  NW_REGISTERS,
};

enum nw_register_status {
  NW_REGISTER_WRITTEN = 0,
  NW_REGISTER_TOO_WIDE,    /* the value has more bits than the register; nothing was written */
  NW_REGISTER_CONTRADICTS, /* the value contradicts the regime (TTBCR.EAE, HCR.VM or HCR.DC on a
                              regime without stage 2); nothing was written */
  NW_REGISTER_UNKNOWN,     /* no such register; nothing was written */
};

/*
 * Agile paging (Gandhi, Hill and Swift, ISCA 2016), a proposal that no ARM core has: under an enabled
 * stage 2, stage 1 starts in host (shadow) tables, read at the addresses that root and descriptors
 * have. A table descriptor with the format's switching bit set holds the host address of the guest's
 * own next table: from there on the walk is nested, each output going through stage 2. A leaf that
 * is met before needs no stage 2.
 */
enum nw_agile {
  NW_AGILE_OFF = 0,
  NW_AGILE_SHADOW, /* TTBRn hold the address of a host table */
  NW_AGILE_ROOT,   /* TTBRn hold the host address of the guest's own root: nested from there on */
};

struct nw_format; /* a descriptor format, internal to the core */

/* One translation table root: where the table is and which addresses it covers. */
struct nw_root {
  uint64_t base;       /* address of the start-level table, aligned as the manual has it */
  uint8_t start_level; /* level of the first lookup */
  uint8_t input_bits;  /* the root covers addresses of this many bits */
  bool disabled;       /* PD0/PD1, EPD0/EPD1, inconsistent VTCR: a level-1 translation fault */
};

struct nw_regime {
  uint64_t reg[NW_REGISTERS]; /* as they read back */
  const struct nw_format *s1_format;
  const struct nw_format *s2_format;
  struct nw_root s1_root[2]; /* TTBR0, TTBR1 */
  struct nw_root s2_root;    /* VTTBR */
  uint32_t dacr;
  uint16_t clients; /* bit d: domain d is a client in DACR; long descriptors: all set */
  uint16_t asid;
  uint16_t vmid;
  uint8_t kind;           /* enum nw_regime_kind */
  uint8_t va_bits;        /* width of a VA */
  uint8_t ipa_bits;       /* width of an IPA */
  bool s1_enabled;        /* SCTLR.M, and HCR.DC clear */
  bool s2_enabled;        /* HCR.VM or HCR.DC */
  bool default_cacheable; /* HCR.DC */
  bool protected_walk;    /* HCR.PTW */
  bool big_endian;        /* SCTLR.EE: stage-1 descriptors are big-endian */
  bool has_domains;       /* short descriptors: DACR applies */
  bool access_flag_in_ap; /* short descriptors with SCTLR.AFE: AP[0] is the access flag */
  bool remap;             /* short descriptors with SCTLR.TRE: TEX remap */
  bool instruction_cache; /* SCTLR.I */
  uint8_t agile;          /* enum nw_agile; without an enabled stage 2 it does nothing */
  /* permit[AP | XN << 3 | PXN << 4] has bit (3 * privilege + access) set where the access is
   * allowed under SCTLR.AFE, WXN and UWXN: B3.7.1 as a table. */
  uint8_t permit[32];
};

/**
 * Puts a regime of the given kind in its reset state: every register 0 (TTBCR.EAE as the kind has
 * it), both stages off. The caller owns the memory; there is nothing to free.
 * Returns false when `kind` is not a regime.
 */
bool nw_regime_init(struct nw_regime *regime, enum nw_regime_kind kind);

/**
 * Writes one register and decodes what follows from it. Fields that the architecture ignores are
 * ignored; see enum nw_register_status for what is rejected.
 */
enum nw_register_status nw_regime_write(struct nw_regime *regime, enum nw_register reg,
                                        uint64_t value);

/** Says how agile paging is used. Returns false, changing nothing, when `agile` is none of the above
 * or the regime's kind has no stage 2. */
bool nw_regime_set_agile(struct nw_regime *regime, enum nw_agile agile);

/** The regime's name in case files ("armv7-short+s2"), or NULL. */
const char *nw_regime_name(enum nw_regime_kind kind);

/** Finds a regime by its name in case files. Returns false, leaving `kind` alone, if there is none. */
bool nw_regime_by_name(const char *name, enum nw_regime_kind *kind);

/**
 * Finds a register by the architecture's name ("TTBR0"; "MAIR0" and "PRRR" are one register).
 * Returns false, leaving `reg` alone, when the name is not a register of these regimes.
 */
bool nw_register_by_name(const char *name, enum nw_register *reg);

/** Number of bits of a register: 32 or 64. */
unsigned nw_register_width(enum nw_register reg);

/** True when the regime's kind has a stage 2 (switched on or not). */
bool nw_regime_has_stage2(enum nw_regime_kind kind);

/**
 * Judges raw rights, as a result or a TLB entry carries them, with the registers of the moment
 * (DDI 0406C B3.7). Returns the fault type, NW_FAULT_NONE when the access is allowed, and the stage
 * that denies it in `stage`.
 */
enum nw_fault_type nw_rights_judge(const struct nw_regime *regime, uint32_t rights,
                                   enum nw_access access, enum nw_privilege privilege,
                                   unsigned *stage);

/* The architecture's report of a fault (DDI 0406C B3.13 and B4.1.51-52, B4.1.96 IFSR). */
enum nw_syndrome_kind {
  NW_SYNDROME_DFSR, /* value[0] = DFSR */
  NW_SYNDROME_IFSR, /* value[0] = IFSR */
  NW_SYNDROME_HSR,  /* value[0] = HSR, value[1] = HPFAR */
};

struct nw_syndrome {
  enum nw_syndrome_kind kind;
  uint32_t value[2];
  uint32_t far; /* DFAR, IFAR, HDFAR or HIFAR: the VA */
};

/** Turns a fault into the syndrome that the architecture reports; UNKNOWN fields are 0. */
struct nw_syndrome nw_fault_syndrome(const struct nw_regime *regime, const struct nw_fault *fault);

/** The fault type's name in case files and statistics ("translation", "accessflag", ...). */
const char *nw_fault_name(enum nw_fault_type type);

#ifdef __cplusplus
}
#endif
#endif
