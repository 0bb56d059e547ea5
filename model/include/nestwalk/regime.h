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
  NW_REGIME_X86_64,          /* long mode, no virtualization */
  NW_REGIME_X86_SVM_NPT,     /* long mode over AMD nested paging */
  NW_REGIME_X86_EPT,         /* long mode over Intel EPT */
  NW_REGIMES,
};

enum nw_architecture {
  NW_ARMV7 = 0,
  NW_X86_64,
  NW_ARCHITECTURES,
};

/* Registers are numbered for each architecture from 0.
 *
 * ARMv7: CP15 registers of the Non-secure PL1&0 regime (DDI 0406C B4.1), in the manual's encoding. */
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
  NW_REGISTERS, /* no architecture has more */
};

/* x86-64: control registers and MSRs of the guest (SDM vol. 3, 2.5 and 4.1), and what the hypervisor
 * gives its virtual machine (APM vol. 2, 15.25; SDM vol. 3, 29.3). */
enum nw_x86_register {
  NW_X86_CR0 = 0,
  NW_X86_CR4,
  NW_X86_CR3, /* bit 63 of a value, if CR4.PCIDE is set: keep what the TLBs hold; reads as 0 */
  NW_X86_EFER,
  NW_X86_PKRU,
  NW_X86_AC,          /* EFLAGS.AC, 0 or 1 */
  NW_X86_PAT,         /* reset: 0x0007040600070406 */
  NW_X86_NESTED_ROOT, /* nCR3, or EPTP; an EPTP of 0 switches EPT off */
  NW_X86_HOST_CR4,    /* hCR4: LA57 gives nested tables five levels */
  NW_X86_HOST_EFER,   /* hEFER: NXE of nested tables; reset: set */
  NW_X86_VPID,        /* VPID, or AMD's ASID: tag of the virtual machine, 13 bits */
  NW_X86_REGISTERS,
};

enum nw_register_status {
  NW_REGISTER_WRITTEN = 0,
  NW_REGISTER_TOO_WIDE,    /* the value has more bits than the register; nothing was written */
  NW_REGISTER_CONTRADICTS, /* the value contradicts the regime (TTBCR.EAE, HCR.VM or HCR.DC on a
                              regime without stage 2), or is one that MOV or VM entry refuses (x86:
                              address bits above the machine's, a reserved EPTP); nothing was
                              written */
  NW_REGISTER_UNKNOWN,     /* no such register; nothing was written */
};

/* What an x86-64 machine can do; ARMv7 regimes ignore it. */
struct nw_capabilities {
  uint8_t maxphyaddr;  /* width of a physical address, 32 to 52 bits (CPUID 0x80000008) */
  bool execute_only;   /* EPT: an entry may allow fetches alone (IA32_VMX_EPT_VPID_CAP bit 0) */
  bool ept_ad;         /* EPT: accessed and dirty flags (bit 21) */
  bool gigabyte_pages; /* 1 GB leaves, all stages */
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

/* 40-bit addresses, everything else there. */
extern const struct nw_capabilities nw_default_capabilities;

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
  struct nw_root s1_root[2]; /* TTBR0, TTBR1; x86: [0] from CR3 */
  struct nw_root s2_root;    /* VTTBR; nCR3, EPTP */
  union {
    uint32_t dacr; /* of domains */
    uint32_t pkru; /* of protection keys */
  };
  uint16_t clients;     /* bit d: domain d is a client in DACR, key d has all rights in PKRU; where
                       there are neither, all set */
  uint16_t asid;        /* x86: PCID */
  uint16_t vmid;        /* x86: VPID or ASID */
  uint8_t kind;         /* enum nw_regime_kind */
  uint8_t architecture; /* enum nw_architecture */
  uint8_t va_bits;      /* width of a VA */
  uint8_t ipa_bits;     /* width of an IPA */
  uint8_t range_level;  /* level of the fault that an address outside of every root gets */
  uint8_t s1_range_fault; /* its type in stage 1; in stage 2 it is a translation fault */
  uint8_t s1_read_access; /* what the read of a stage-1 descriptor is to stage 2: enum nw_access */
  bool s1_enabled;        /* SCTLR.M, and HCR.DC clear; CR0.PG */
  bool s2_enabled;        /* HCR.VM or HCR.DC; nested paging always, EPT once EPTP is written */
  bool default_cacheable; /* HCR.DC */
  bool protected_walk;    /* HCR.PTW */
  bool big_endian;        /* SCTLR.EE: stage-1 descriptors are big-endian */
  bool has_domains;       /* short descriptors: DACR applies */
  bool access_flag_in_ap; /* short descriptors with SCTLR.AFE: AP[0] is the access flag */
  bool remap;             /* short descriptors with SCTLR.TRE: TEX remap */
  bool instruction_cache; /* SCTLR.I */
  /* x86-64 */
  bool sign_extended;   /* bits above a VA's width repeat its top bit (canonical) */
  bool has_keys;        /* CR4.PKE: PKRU applies to user pages */
  bool write_protect;   /* CR0.WP */
  bool global_pages;    /* CR4.PGE */
  bool fetch_is_told;   /* EFER.NXE or CR4.SMEP: #PF says of a fetch that it was one */
  bool s2_flags;        /* stage-2 leaves have accessed and dirty flags: NPT; EPTP bit 6 */
  bool s2_fetch_told;   /* hEFER.NXE: #NPF says of a fetch that it was one */
  uint64_t s1_reserved; /* bits of every present descriptor that must be 0 */
  uint64_t s2_reserved; /* likewise */
  struct nw_capabilities capabilities;
  bool nested_off; /* AMD: nested paging is not enabled for the virtual machine */
  uint8_t agile;   /* enum nw_agile; without an enabled stage 2 it does nothing */
  /* permit[AP | XN << 3 | PXN << 4] has bit (3 * privilege + access) set where the access is
   * allowed under SCTLR.AFE, WXN and UWXN: B3.7.1 as a table. x86: AP[0] is U/S, AP[1] R/W, under
   * CR0.WP, CR4.SMEP, SMAP and AC: SDM vol. 3, 4.6. */
  uint8_t permit[32];
};

/**
 * Puts a regime of the given kind in its reset state: every register 0 but those that
 * enum nw_x86_register says (and TTBCR.EAE as the kind has it), stage 1 off, and stage 2, too, but
 * under nested paging. Capabilities are nw_default_capabilities. The caller owns the memory; there is
 * nothing to free. Returns false when `kind` is not a regime.
 */
bool nw_regime_init(struct nw_regime *regime, enum nw_regime_kind kind);

/**
 * Writes one register (enum nw_register or enum nw_x86_register, as the regime's architecture has it)
 * and decodes what follows from it. Fields that the architecture ignores are ignored; see
 * enum nw_register_status for what is rejected.
 */
enum nw_register_status nw_regime_write(struct nw_regime *regime, unsigned reg, uint64_t value);

/** Says what the machine can do. False, changing nothing, when maxphyaddr is out of its range or a
 * register holds what such a machine would have refused. */
bool nw_regime_set_capabilities(struct nw_regime *regime,
                                const struct nw_capabilities *capabilities);

/** Says how agile paging is used. Returns false, changing nothing, when `agile` is none of the above
 * or the regime's kind has no stage 2. */
bool nw_regime_set_agile(struct nw_regime *regime, enum nw_agile agile);

/** AMD: says whether the virtual machine has nested paging (VMCB, NP_ENABLE: APM vol. 2, 15.25.3), as
 * after reset it has. Returns false, changing nothing, for regimes of other kinds. */
bool nw_regime_set_nested_paging(struct nw_regime *regime, bool on);

/** The regime's name in case files ("armv7-short+s2"), or NULL. */
const char *nw_regime_name(enum nw_regime_kind kind);

/** Finds a regime by its name in case files. Returns false, leaving `kind` alone, if there is none. */
bool nw_regime_by_name(const char *name, enum nw_regime_kind *kind);

/** The architecture that a regime is of. */
enum nw_architecture nw_regime_architecture(enum nw_regime_kind kind);

/**
 * Finds a register by its architecture's name ("TTBR0"; "MAIR0" and "PRRR" are one register, "nCR3"
 * and "EPTP", too). No two architectures have a name in common. Returns false, leaving both results
 * alone, when no regime has such a register.
 */
bool nw_register_by_name(const char *name, enum nw_architecture *architecture, unsigned *reg);

/** Number of bits of a register: 32 or 64; 0 when there is none of that number. */
unsigned nw_register_width(enum nw_architecture architecture, unsigned reg);

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

/* The architecture's report of a fault (DDI 0406C B3.13 and B4.1.51-52, B4.1.96 IFSR; SDM vol. 3, 4.7
 * and 28.2.1; APM vol. 2, 15.25.6). */
enum nw_syndrome_kind {
  NW_SYNDROME_DFSR, /* value[0] = DFSR */
  NW_SYNDROME_IFSR, /* value[0] = IFSR */
  NW_SYNDROME_HSR,  /* value[0] = HSR, value[1] = HPFAR */
  NW_SYNDROME_PF,   /* value[0] = error code of #PF */
  NW_SYNDROME_NPF,  /* value[0], value[1] = low and high word of EXITINFO1 */
  NW_SYNDROME_EPT,  /* value[0] = exit qualification of an EPT violation */
  NW_SYNDROME_NONE, /* the fault is told by its kind alone: #GP, EPT misconfiguration, machine check */
};

/* Bits of the error code of #PF, and of EXITINFO1. */
enum {
  NW_PF_PRESENT = 1 << 0,
  NW_PF_WRITE = 1 << 1,
  NW_PF_USER = 1 << 2,
  NW_PF_RESERVED = 1 << 3,
  NW_PF_FETCH = 1 << 4,
  NW_PF_KEY = 1 << 5,
};

struct nw_syndrome {
  enum nw_syndrome_kind kind;
  uint32_t value[2];
  uint64_t far; /* DFAR, IFAR, HDFAR or HIFAR, CR2 or guest-linear address: the VA */
};

/** Turns a fault into the syndrome that the architecture reports; UNKNOWN fields are 0. */
struct nw_syndrome nw_fault_syndrome(const struct nw_regime *regime, const struct nw_fault *fault);

/** The fault type's name in case files and statistics ("translation", "accessflag", ...). */
const char *nw_fault_name(enum nw_fault_type type);

#ifdef __cplusplus
}
#endif
#endif
