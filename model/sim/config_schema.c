/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a machine file, their types, words and ranges. */
#include "sim/config_schema.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define REQUIRED CYAML_FLAG_DEFAULT
#define WORDS (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NUMBER(key, structure, member) CYAML_FIELD_UINT(key, OPTIONAL, structure, member)
#define NEEDED(key, structure, member) CYAML_FIELD_UINT(key, REQUIRED, structure, member)
#define SWITCH(key, structure, member) CYAML_FIELD_BOOL(key, OPTIONAL, structure, member)
#define GROUP(key, structure, member, fields)                                                      \
  CYAML_FIELD_MAPPING(key, OPTIONAL, structure, member, fields)
#define WORD(key, structure, member, words)                                                        \
  CYAML_FIELD_ENUM(key, WORDS, structure, member, words, COUNT_OF(words))
#define WORD_LIST(key, structure, member, words)                                                   \
  CYAML_FIELD_FLAGS(key, WORDS, structure, member, words, COUNT_OF(words))

static const cyaml_strval_t architectures[] = {{"armv7", NW_ARMV7}, {"x86-64", NW_X86_64}};
static const cyaml_strval_t formats[] = {
    {"short", NW_GUEST_SHORT},
    {"lpae", NW_GUEST_LPAE},
    {"4-level", NW_GUEST_4_LEVEL},
    {"5-level", NW_GUEST_5_LEVEL},
};
static const cyaml_strval_t stages2[] = {{"npt", NW_STAGE2_NPT}, {"ept", NW_STAGE2_EPT}};
static const cyaml_strval_t policies[] = {
    {"lru", NW_POLICY_LRU},
    {"tree-plru", NW_POLICY_TREE_PLRU},
    {"fifo", NW_POLICY_FIFO},
    {"random", NW_POLICY_RANDOM},
};
static const cyaml_strval_t requesters[] = {
    {"instruction", 1 << NW_BY_INSTRUCTION},
    {"data", 1 << NW_BY_DATA},
    {"walker", 1 << NW_BY_WALKER},
};
static const cyaml_strval_t large_pages[] = {
    {"never", NW_LARGE_NEVER},
    {"aligned", NW_LARGE_ALIGNED},
    {"always", NW_LARGE_ALWAYS},
};
static const cyaml_strval_t syncs[] = {{"drop", NW_SHADOW_DROP}, {"update", NW_SHADOW_UPDATE}};
static const cyaml_strval_t choices[] = {
    {"threshold", NW_CHOICE_THRESHOLD},
    {"break_even", NW_CHOICE_BREAK_EVEN},
};
static const cyaml_strval_t starts[] = {
    {"auto", NW_START_AUTO},
    {"shadow", NW_START_SHADOW},
    {"nested", NW_START_NESTED},
};
static const cyaml_strval_t stage2_pages[] = {
    {"4K", NW_STAGE2_4K},   {"2M", NW_STAGE2_2M},   {"1G", NW_STAGE2_1G},
    {"4KiB", NW_STAGE2_4K}, {"2MiB", NW_STAGE2_2M}, {"1GiB", NW_STAGE2_1G},
};

static const cyaml_schema_field_t core_fields[] = {
    NEEDED("clock_mhz", struct nw_file_core, clock_mhz),
    CYAML_FIELD_FLOAT("base_cpi", REQUIRED, struct nw_file_core, base_cpi),
    NUMBER("window", struct nw_file_core, window),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t tlb_fields[] = {
    NEEDED("entries", struct nw_file_tlb, entries),
    NUMBER("ways", struct nw_file_tlb, ways),
    WORD("policy", struct nw_file_tlb, policy, policies),
    NUMBER("latency", struct nw_file_tlb, latency),
    CYAML_FIELD_END,
};

#define CYCLES(key) NUMBER(#key, struct nw_walk_cycles, key)
static const cyaml_schema_field_t cycle_fields[] = {
    CYCLES(begin),
    CYCLES(read),
    CYCLES(update),
    CYCLES(walk_cache_lookup),
    CYCLES(ipa_cache_lookup),
    CYCLES(fill),
    CYCLES(done),
    CYAML_FIELD_END,
};

#define TLB(key) GROUP(#key, struct nw_file_mmu, key, tlb_fields)
#define WALK_CACHE_OF(level)                                                                       \
  GROUP("walk_cache_l" #level, struct nw_file_mmu, walk_cache_of[level], tlb_fields)
static const cyaml_schema_field_t mmu_fields[] = {
    TLB(l1i),
    TLB(l1d),
    TLB(l2),
    TLB(walk_cache),
    WALK_CACHE_OF(1),
    WALK_CACHE_OF(2),
    WALK_CACHE_OF(3),
    WALK_CACHE_OF(4),
    WALK_CACHE_OF(5),
    TLB(ipa_cache),
    NUMBER("walkers", struct nw_file_mmu, walkers),
    NUMBER("physical_bits", struct nw_file_mmu, physical_bits),
    SWITCH("gigabyte_pages", struct nw_file_mmu, gigabyte_pages),
    GROUP("cycles", struct nw_file_mmu, cycles, cycle_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t cache_fields[] = {
    CYAML_FIELD_STRING("name", REQUIRED, struct nw_file_cache, name, 1),
    NEEDED("size", struct nw_file_cache, size),
    NEEDED("ways", struct nw_file_cache, ways),
    NEEDED("line", struct nw_file_cache, line),
    NEEDED("latency", struct nw_file_cache, latency),
    WORD("policy", struct nw_file_cache, policy, policies),
    WORD_LIST("serves", struct nw_file_cache, serves, requesters),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t cache_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct nw_file_cache, cache_fields),
};

static const cyaml_schema_field_t memory_fields[] = {
    CYAML_FIELD_SEQUENCE("caches", OPTIONAL | CYAML_FLAG_POINTER, struct nw_file_memory, caches,
                         &cache_entry, 0, NW_CACHE_LEVELS),
    NEEDED("dram_latency", struct nw_file_memory, dram_latency),
    CYAML_FIELD_BOOL("program_accesses", OPTIONAL, struct nw_file_memory, program_accesses),
    CYAML_FIELD_END,
};

#define HANDLER(key, cause) NUMBER(key, struct nw_file_hypervisor, handler[cause])
static const cyaml_schema_field_t handler_fields[] = {
    HANDLER("stage2_fault", NW_EXIT_STAGE2_FAULT),
    HANDLER("pte_write", NW_EXIT_PTE_WRITE),
    HANDLER("root_write", NW_EXIT_ROOT_WRITE),
    HANDLER("tlb_maintenance", NW_EXIT_TLB_MAINTENANCE),
    HANDLER("hidden_fault", NW_EXIT_HIDDEN_FAULT),
    HANDLER("injected_fault", NW_EXIT_INJECTED_FAULT),
    HANDLER("privilege_switch", NW_EXIT_PRIVILEGE_SWITCH),
    HANDLER("mmio", NW_EXIT_MMIO),
    HANDLER("hypercall", NW_EXIT_HYPERCALL),
    HANDLER("mode_switch", NW_EXIT_MODE_SWITCH),
    HANDLER("ksm", NW_EXIT_KSM),
    HANDLER("policy", NW_EXIT_POLICY),
    CYAML_FIELD_END,
};

#define STEP(key, step) NUMBER(key, struct nw_file_shadow, steps[step])
static const cyaml_schema_field_t step_fields[] = {
    STEP("guest_walk", NW_SHADOW_GUEST_WALK),
    STEP("guest_permissions", NW_SHADOW_GUEST_PERMISSIONS),
    STEP("slot", NW_SHADOW_SLOT),
    STEP("host_walk", NW_SHADOW_HOST_WALK),
    STEP("host_permissions", NW_SHADOW_HOST_PERMISSIONS),
    STEP("establish", NW_SHADOW_ESTABLISH),
    STEP("invalidate", NW_SHADOW_INVALIDATE),
    CYAML_FIELD_END,
};

/* Groups whose keys are spread over their parent's struct start where that does. */
#define SPREAD(keyword, structure, group_fields)                                                   \
  {                                                                                                \
    .key = keyword, .data_offset = 0,                                                              \
    .value = {                                                                                     \
        CYAML_VALUE_MAPPING(OPTIONAL, structure, group_fields),                                    \
    },                                                                                             \
  }

static const cyaml_schema_field_t shadow_fields[] = {
    WORD("sync", struct nw_file_shadow, sync, syncs),
    NUMBER("memory", struct nw_file_shadow, memory),
    NUMBER("flood", struct nw_file_shadow, flood),
    NUMBER("paravirtual_batch", struct nw_file_shadow, paravirtual_batch),
    NUMBER("prefetch", struct nw_file_shadow, prefetch),
    SWITCH("cache_roots", struct nw_file_shadow, cache_roots),
    SWITCH("unsync", struct nw_file_shadow, unsync),
    SWITCH("direct_faults", struct nw_file_shadow, direct_faults),
    SWITCH("paravirtual", struct nw_file_shadow, paravirtual),
    SWITCH("large_pages", struct nw_file_shadow, large_pages),
    SPREAD("steps", struct nw_file_shadow, step_fields),
    CYAML_FIELD_END,
};

#define REAL(key, structure, member) CYAML_FIELD_FLOAT(key, OPTIONAL, structure, member)
static const cyaml_schema_field_t selective_fields[] = {
    WORD("policy", struct nw_file_selective, policy, choices),
    WORD("start", struct nw_file_selective, start, starts),
    NUMBER("interval", struct nw_file_selective, interval),
    NUMBER("holdoff", struct nw_file_selective, holdoff),
    NUMBER("counter", struct nw_file_selective, counter),
    REAL("high", struct nw_file_selective, high),
    REAL("low", struct nw_file_selective, low),
    REAL("scale", struct nw_file_selective, scale),
    SWITCH("keep_tables", struct nw_file_selective, keep_tables),
    SWITCH("fill", struct nw_file_selective, fill),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t agile_fields[] = {
    NUMBER("writes", struct nw_file_agile, writes),
    NUMBER("interval", struct nw_file_agile, interval),
    REAL("scale", struct nw_file_agile, scale),
    CYAML_FIELD_END,
};

#define KSM(key) NUMBER(#key, struct nw_file_ksm, key)
static const cyaml_schema_field_t ksm_fields[] = {
    KSM(pages),        KSM(max_sharers),  KSM(interval),   KSM(scan_cycles),
    KSM(merge_cycles), KSM(break_cycles), CYAML_FIELD_END,
};

static const cyaml_schema_field_t mmio_fields[] = {
    NEEDED("base", struct nw_mmio_range, base),
    NEEDED("size", struct nw_mmio_range, size),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t mmio_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct nw_mmio_range, mmio_fields),
};

static const cyaml_schema_field_t hypervisor_fields[] = {
    NUMBER("trap", struct nw_file_hypervisor, trap),
    NUMBER("world_switch", struct nw_file_hypervisor, world_switch),
    SPREAD("handler", struct nw_file_hypervisor, handler_fields),
    WORD_LIST("stage2_pages", struct nw_file_hypervisor, stage2_pages, stage2_pages),
    WORD("stage2", struct nw_file_hypervisor, stage2, stages2),
    NUMBER("stage2_levels", struct nw_file_hypervisor, stage2_levels),
    SWITCH("ept_flags", struct nw_file_hypervisor, ept_flags),
    SWITCH("pf_filter", struct nw_file_hypervisor, pf_filter),
    GROUP("shadow", struct nw_file_hypervisor, shadow, shadow_fields),
    GROUP("ksm", struct nw_file_hypervisor, ksm, ksm_fields),
    GROUP("selective", struct nw_file_hypervisor, selective, selective_fields),
    GROUP("agile", struct nw_file_hypervisor, agile, agile_fields),
    CYAML_FIELD_SEQUENCE("mmio", OPTIONAL | CYAML_FLAG_POINTER, struct nw_file_hypervisor, mmio,
                         &mmio_entry, 0, NW_MMIO_RANGES),
    CYAML_FIELD_END,
};

#define COST(key) NUMBER(#key, struct nw_file_costs, key)
static const cyaml_schema_field_t cost_fields[] = {
    COST(fault),      COST(syscall),   COST(context_switch), COST(pte_write),
    COST(page_clear), COST(page_copy), CYAML_FIELD_END,
};

static const cyaml_schema_field_t guest_fields[] = {
    NUMBER("memory", struct nw_file_guest, memory),
    WORD("large_pages", struct nw_file_guest, large_pages, large_pages),
    NUMBER("quantum", struct nw_file_guest, quantum),
    CYAML_FIELD_BOOL("deprivileged", OPTIONAL, struct nw_file_guest, deprivileged),
    NUMBER("pcids", struct nw_file_guest, pcids),
    GROUP("costs", struct nw_file_guest, costs, cost_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t machine_fields[] = {
    CYAML_FIELD_STRING("name", OPTIONAL, struct nw_file_machine, name, 1),
    CYAML_FIELD_ENUM("architecture", CYAML_FLAG_STRICT, struct nw_file_machine, architecture,
                     architectures, COUNT_OF(architectures)),
    CYAML_FIELD_ENUM("format", CYAML_FLAG_STRICT, struct nw_file_machine, format, formats,
                     COUNT_OF(formats)),
    CYAML_FIELD_MAPPING("core", REQUIRED, struct nw_file_machine, core, core_fields),
    GROUP("mmu", struct nw_file_machine, mmu, mmu_fields),
    CYAML_FIELD_MAPPING("memory", REQUIRED, struct nw_file_machine, memory, memory_fields),
    GROUP("hypervisor", struct nw_file_machine, hypervisor, hypervisor_fields),
    GROUP("guest", struct nw_file_machine, guest, guest_fields),
    NUMBER("seed", struct nw_file_machine, seed),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t nw_machine_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct nw_file_machine, machine_fields),
};

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define TIB (MIB * MIB)
#define ENTRIES_MAX (1u << 20)
#define CYCLES_MAX 100000000u
#define CYCLES_LONGEST UINT64_C(1000000000000)

const struct nw_number_rule nw_machine_numbers[] = {
    {"core.clock_mhz", NW_NUMBER_COUNT, 1, 1000000},
    {"core.base_cpi", NW_NUMBER_COUNT, 0, 1000},
    {"core.window", NW_NUMBER_COUNT, 0, 100000},
    {"mmu.walkers", NW_NUMBER_COUNT, 1, 64},
    {"mmu.physical_bits", NW_NUMBER_COUNT, 32, 52},
    {"mmu.cycles.*", NW_NUMBER_COUNT, 0, UINT16_MAX},
    {"mmu.*.entries", NW_NUMBER_COUNT, 0, ENTRIES_MAX},
    {"mmu.*.ways", NW_NUMBER_COUNT, 0, ENTRIES_MAX},
    {"mmu.*.latency", NW_NUMBER_COUNT, 0, 1000000},
    {"memory.caches.*.size", NW_NUMBER_BYTES, 4, TIB / KIB},
    {"memory.caches.*.ways", NW_NUMBER_COUNT, 1, ENTRIES_MAX},
    {"memory.caches.*.line", NW_NUMBER_BYTES, 4, 4096},
    {"memory.caches.*.latency", NW_NUMBER_COUNT, 0, 1000000},
    {"memory.dram_latency", NW_NUMBER_COUNT, 0, 1000000},
    {"hypervisor.mmio.*.base", NW_NUMBER_ADDRESS, 0, TIB - 4 * KIB},
    {"hypervisor.mmio.*.size", NW_NUMBER_ADDRESS, 4 * KIB, TIB},
    {"hypervisor.ksm.pages", NW_NUMBER_COUNT, 0, 1000000},
    {"hypervisor.ksm.max_sharers", NW_NUMBER_COUNT, 2, 1000000},
    {"hypervisor.ksm.interval", NW_NUMBER_COUNT, 0, UINT64_MAX / 2},
    {"hypervisor.ksm.*", NW_NUMBER_COUNT, 0, CYCLES_MAX},
    {"hypervisor.shadow.memory", NW_NUMBER_BYTES, 0, TIB},
    {"hypervisor.shadow.flood", NW_NUMBER_COUNT, 0, 1000000},
    {"hypervisor.shadow.paravirtual_batch", NW_NUMBER_COUNT, 1, NW_PARAVIRTUAL_BATCH},
    {"hypervisor.shadow.prefetch", NW_NUMBER_COUNT, 0, 1024},
    {"hypervisor.shadow.steps.*", NW_NUMBER_COUNT, 0, CYCLES_MAX},
    {"hypervisor.selective.interval", NW_NUMBER_COUNT, 0, CYCLES_LONGEST},
    {"hypervisor.selective.holdoff", NW_NUMBER_COUNT, 0, CYCLES_LONGEST},
    {"hypervisor.selective.counter", NW_NUMBER_COUNT, 1, 1000000},
    {"hypervisor.selective.high", NW_NUMBER_COUNT, 0, 100},
    {"hypervisor.selective.low", NW_NUMBER_COUNT, 0, 100},
    {"hypervisor.selective.scale", NW_NUMBER_COUNT, 0, 1000},
    {"hypervisor.agile.writes", NW_NUMBER_COUNT, 1, 1000000},
    {"hypervisor.agile.interval", NW_NUMBER_COUNT, 0, CYCLES_LONGEST},
    {"hypervisor.agile.scale", NW_NUMBER_COUNT, 0, 1000},
    {"hypervisor.stage2_levels", NW_NUMBER_COUNT, 4, 5},
    {"hypervisor.handler.*", NW_NUMBER_COUNT, 0, CYCLES_MAX},
    {"hypervisor.*", NW_NUMBER_COUNT, 0, CYCLES_MAX},
    {"guest.memory", NW_NUMBER_BYTES, MIB, TIB},
    {"guest.quantum", NW_NUMBER_COUNT, 0, UINT64_MAX},
    {"guest.pcids", NW_NUMBER_COUNT, 0, NW_PCIDS},
    {"guest.costs.*", NW_NUMBER_COUNT, 0, CYCLES_MAX},
    {"seed", NW_NUMBER_COUNT, 0, UINT64_MAX},
    {NULL, NW_NUMBER_COUNT, 0, 0},
};
