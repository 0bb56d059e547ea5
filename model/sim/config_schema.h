/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a machine file: what libcyaml fills, one member for one key. config.c makes a
 * machine of it.
 */
#ifndef NW_SIM_CONFIG_SCHEMA_H
#define NW_SIM_CONFIG_SCHEMA_H

#include "sim/yaml_schema.h"
#include "system/machine.h"

struct nw_file_cache {
  char name[NW_CACHE_NAME];
  uint64_t size;
  uint32_t ways, line, latency;
  uint32_t policy;
  uint32_t serves; /* bit mask 1 << enum nw_requester; 0: all */
};

struct nw_file_tlb {
  uint32_t entries, ways, latency;
  uint32_t policy;
};

struct nw_file_core {
  uint32_t clock_mhz;
  double base_cpi;
  uint32_t window;
};

struct nw_file_mmu {
  struct nw_file_tlb l1i, l1d, l2, walk_cache, ipa_cache;
  struct nw_file_tlb walk_cache_of[NW_LEVELS];
  uint32_t walkers, physical_bits;
  bool gigabyte_pages;
  struct nw_walk_cycles cycles;
};

struct nw_file_memory {
  struct nw_file_cache *caches;
  uint32_t caches_count;
  uint32_t dram_latency;
  bool program_accesses;
};

struct nw_file_shadow {
  uint32_t sync;
  uint64_t memory;
  uint32_t flood, paravirtual_batch, prefetch;
  bool cache_roots, unsync, direct_faults, paravirtual, large_pages;
  uint32_t steps[NW_SHADOW_STEPS];
};

struct nw_file_selective {
  uint32_t policy, start;
  uint64_t interval, holdoff;
  uint32_t counter;
  double high, low, scale;
  bool keep_tables, fill;
};

struct nw_file_agile {
  uint32_t writes;
  uint64_t interval;
  double scale;
};

struct nw_file_ksm {
  uint32_t pages, max_sharers;
  uint64_t interval;
  uint32_t scan_cycles, merge_cycles, break_cycles;
};

#define NW_STAGE2_4K 1u
#define NW_STAGE2_2M 2u
#define NW_STAGE2_1G 4u

struct nw_file_hypervisor {
  uint32_t trap, world_switch;
  uint32_t handler[NW_EXIT_CAUSES];
  uint32_t stage2_pages; /* bit mask NW_STAGE2_*; 0: 4K */
  uint32_t stage2;       /* enum nw_stage2 */
  uint32_t stage2_levels;
  bool ept_flags;
  bool pf_filter;
  struct nw_file_shadow shadow;
  struct nw_file_ksm ksm;
  struct nw_file_selective selective;
  struct nw_file_agile agile;
  struct nw_mmio_range *mmio;
  uint32_t mmio_count;
};

struct nw_file_costs {
  uint32_t fault, syscall, context_switch, pte_write, page_clear, page_copy;
};

struct nw_file_guest {
  uint64_t memory;
  uint32_t large_pages;
  uint64_t quantum;
  bool deprivileged;
  uint32_t pcids;
  struct nw_file_costs costs;
};

struct nw_file_machine {
  char name[64];
  uint32_t architecture;
  uint32_t format;
  struct nw_file_core core;
  struct nw_file_mmu mmu;
  struct nw_file_memory memory;
  struct nw_file_hypervisor hypervisor;
  struct nw_file_guest guest;
  uint64_t seed;
};

extern const cyaml_schema_value_t nw_machine_schema;
extern const struct nw_number_rule nw_machine_numbers[];

#endif
