/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, one result, one fault: what every function of the core takes and gives.
 */
#ifndef NESTWALK_TYPES_H
#define NESTWALK_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Levels are numbered as the architecture's manual does (ARM: 1, 2, 3); arrays indexed by level
 * have room for all of them. */
#define NW_LEVELS 6

enum nw_access {
  NW_READ = 0,
  NW_WRITE = 1,
  NW_EXECUTE = 2, /* an instruction fetch */
};

enum nw_privilege {
  NW_USER = 0,       /* ARM PL0, x86 CPL 3 */
  NW_PRIVILEGED = 1, /* ARM PL1, x86 CPL 0 to 2 */
};

/* Which part of the translation is asked for. */
enum nw_scope {
  NW_SCOPE_BOTH = 0,   /* VA to PA: whatever stages the regime has switched on */
  NW_SCOPE_STAGE1 = 1, /* VA to IPA; descriptor reads still go through an enabled stage 2 */
  NW_SCOPE_STAGE2 = 2, /* IPA to PA; the request's `va` is an IPA */
};

enum nw_fault_type {
  NW_FAULT_NONE = 0,
  NW_FAULT_TRANSLATION,    /* no valid descriptor for the address, or the address is out of range */
  NW_FAULT_ACCESS_FLAG,    /* the leaf's access flag is clear */
  NW_FAULT_DOMAIN,         /* ARM short descriptors: DACR gives no access to the domain */
  NW_FAULT_PERMISSION,     /* the leaf (or a table above it) denies the access */
  NW_FAULT_ADDRESS_SIZE,   /* an output address is wider than the machine's; not in ARMv7 */
  NW_FAULT_EXTERNAL_ABORT, /* a descriptor read or update was answered with an abort */
  NW_FAULT_ALIGNMENT,      /* reported by embedders that check alignment; walks never raise it */
  NW_FAULT_RESERVED_BIT,   /* a reserved bit is set in a present descriptor; not in ARMv7 */
  NW_FAULT_NONCANONICAL,   /* x86-64: bits above the VA's width do not repeat its top bit */
  NW_FAULT_MISCONFIG,      /* Intel EPT: a present entry that means nothing */
  NW_FAULT_TYPES,
};

/* A translation asked of a walk or of an MMU. ASID and VMID come from the regime. */
struct nw_request {
  uint64_t va;       /* bytes; an IPA when the scope is NW_SCOPE_STAGE2 */
  uint8_t access;    /* enum nw_access */
  uint8_t privilege; /* enum nw_privilege */
  bool debug;        /* answer without changing any state or statistic */
};

struct nw_fault {
  uint8_t type;           /* enum nw_fault_type */
  uint8_t stage;          /* 1 or 2 */
  uint8_t level;          /* as the manual numbers it, 0 where there is none */
  bool s1walk;            /* a stage-2 fault met on the descriptor access of a stage-1 walk */
  uint8_t access;         /* the original access */
  uint8_t failing_access; /* the access that failed: a read or write of a descriptor, or `access` */
  uint8_t privilege;      /* of the original access: enum nw_privilege */
  uint8_t domain;         /* ARM short descriptors, where the walk had got to know it; else 0 */
  uint8_t s2_allows;      /* stage 2: bit enum nw_access of what the entries read allow together */
  bool key;               /* x86 stage 1: the protection key denies the access */
  bool shadow;  /* agile paging, stage 1: met in a host table, not in one of the guest's */
  uint64_t va;  /* the request's address */
  uint64_t ipa; /* stage 2: the IPA that failed, offset included; else 0 */
};

/* Where a translation was found. */
enum nw_source {
  NW_FROM_WALK = 0,
  NW_FROM_L1 = 1,
  NW_FROM_L2 = 2,
};

/* References (descriptor reads) of one walk, by stage and level. `s2_for_s1[l]` are those stage-2
 * references that were made to reach the stage-1 descriptor of level l; `s2_final` those for the
 * address that stage 1 gave. The sum of `s2` equals the sum of `s2_for_s1` plus `s2_final`. */
struct nw_references {
  uint16_t s1[NW_LEVELS];
  uint16_t s2[NW_LEVELS];
  uint16_t s2_for_s1[NW_LEVELS];
  uint16_t s2_final;
};

struct nw_result {
  uint64_t pa;           /* full address, page offset included; undefined on a fault */
  uint32_t rights;       /* the format's raw rights, opaque; see nw_rights_judge() */
  uint32_t cycles;       /* cost of the lookup and of the walk */
  uint16_t walk_reads;   /* descriptor reads made, both stages; 0 on a TLB hit */
  uint8_t page_log2;     /* size of the TLB entry: the smaller of the two stages' */
  uint8_t s1_page_log2;  /* size of the stage-1 leaf; 0 where stage 1 is off */
  uint8_t s2_page_log2;  /* size of the stage-2 leaf; 0 where stage 2 is off */
  uint8_t attr;          /* combined memory attributes as a MAIR-style byte; x86: the memory type
                            as PAT encodes it */
  uint8_t sh;            /* shareability: 0 non, 2 outer, 3 inner; x86: 0 */
  uint8_t source;        /* enum nw_source */
  struct nw_fault fault; /* fault.type is NW_FAULT_NONE when the translation succeeded */
};

#ifdef __cplusplus
}
#endif
#endif
