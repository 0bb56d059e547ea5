/* SPDX-License-Identifier: Apache-2.0 */
#include "case/kept_mmu.h"

#include "explain/record.h"

/* Two level-1 TLBs of 32, a level 2 of 512, walk caches of 64: the size of a Cortex-A15's. */
static const struct nw_mmu_config config_of_kept = {
    .l1i = {.entries = 32, .ways = 32, .policy = NW_POLICY_LRU},
    .l1d = {.entries = 32, .ways = 32, .policy = NW_POLICY_LRU},
    .l2 = {.entries = 512, .ways = 4, .policy = NW_POLICY_LRU, .latency = 4},
    .walk_cache = {.entries = 64, .ways = 4, .policy = NW_POLICY_LRU, .latency = 1},
    .ipa_cache = {.entries = 64, .ways = 4, .policy = NW_POLICY_LRU, .latency = 1},
    .walkers = 1,
};

/* The first line after `line` that gave a register its value, or UINT64_MAX. */
static uint64_t next_line(const struct nw_case_register *given, uint64_t line) {
  uint64_t next = UINT64_MAX;
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (given[i].line > line && given[i].line < next)
      next = given[i].line;
  return next;
}

/* Brings the MMU's registers to what the case has set since the last query, line by line: a write
 * may invalidate even where it changes nothing, and say by a bit that is not kept that it does not
 * (CR3). Of several lines for one register the last counts; a value that needed one of the others
 * goes in as it reads back. */
static void write_registers(struct nw_kept_mmu *kept, const struct nw_case_reader *reader) {
  const struct nw_case_register *given = reader->reg[reader->regime.architecture];
  for (uint64_t line = next_line(given, kept->line); line != UINT64_MAX;
       line = next_line(given, line)) {
    for (unsigned i = 0; i < NW_REGISTERS; i++)
      if (given[i].line == line)
        nw_mmu_write_register(kept->mmu, i, given[i].value);
    kept->line = line;
  }
  for (unsigned i = 0; i < NW_REGISTERS; i++)
    if (nw_mmu_regime(kept->mmu)->reg[i] != reader->regime.reg[i])
      nw_mmu_write_register(kept->mmu, i, reader->regime.reg[i]);
  kept->revision = reader->revision;
}

struct nw_mmu *nw_kept_mmu_get(struct nw_kept_mmu *kept, struct nw_case_reader *reader) {
  if (kept->mmu && kept->regimes != reader->regimes)
    nw_kept_mmu_drop(kept);
  if (!kept->mmu) {
    struct nw_mmu_config config = config_of_kept;
    config.cycles = nw_record_costs;
    config.regime = (enum nw_regime_kind)reader->regime.kind;
    config.capabilities = reader->capabilities;
    kept->mmu = nw_mmu_create(&config, reader->error, sizeof(reader->error));
    if (!kept->mmu)
      return NULL;
    kept->regimes = reader->regimes;
    kept->revision = 0;
    kept->line = 0;
  }
  if (kept->revision != reader->revision)
    write_registers(kept, reader);
  return kept->mmu;
}

void nw_kept_mmu_drop(struct nw_kept_mmu *kept) {
  nw_mmu_destroy(kept->mmu);
  kept->mmu = NULL;
}
