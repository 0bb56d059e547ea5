/* SPDX-License-Identifier: Apache-2.0 */
#include "support/mmu_rig.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/mmu.h"
#include "core/rights.h"

/* -- memory ------------------------------------------------------------------------------------ */

/* Logs an access and lets happen what was arranged for it; false when it is to abort. */
static struct rig_access *note(struct rig *rig, uint64_t pa, bool update) {
  unsigned number = rig->accesses++;
  struct rig_access *access = &rig->log[number % RIG_LOG];

  if ((int)number == rig->meanwhile_at) {
    rig->meanwhile_at = -1;
    rig->meanwhile(rig);
  }
  *access = (struct rig_access){.update = update, .pa = pa};
  return (int)number == rig->abort_at ? NULL : access;
}

static bool read_memory(void *context, uint64_t pa, unsigned size, uint64_t *data,
                        uint32_t *cycles) {
  struct rig *rig = context;

  *cycles = RIG_READ_CYCLES;
  if (note(rig, pa, false) == NULL) {
    return false;
  }
  *data = tables_get(rig->tables, pa, size);
  return true;
}

static bool update_memory(void *context, uint64_t pa, unsigned size, uint64_t old_value,
                          uint64_t new_value, uint64_t *found, uint32_t *cycles) {
  struct rig *rig = context;
  struct rig_access *access = note(rig, pa, true);

  *cycles = RIG_READ_CYCLES;
  if (access == NULL) {
    return false;
  }
  access->old_value = old_value;
  access->new_value = new_value;
  *found = tables_get(rig->tables, pa, size);
  access->swapped = *found == old_value;
  if (access->swapped) {
    tables_put(rig->tables, pa, size, new_value);
  }
  return true;
}

/* -- the MMU ----------------------------------------------------------------------------------- */

struct nw_tlb_config rig_cam(uint32_t entries) {
  return (struct nw_tlb_config){.entries = entries, .ways = entries, .policy = NW_POLICY_LRU};
}

struct nw_mmu_config rig_bare(enum nw_regime_kind kind) {
  return (struct nw_mmu_config){.regime = kind, .walkers = 1, .seed = 1};
}

struct nw_mmu_config rig_full(enum nw_regime_kind kind) {
  struct nw_mmu_config config = rig_bare(kind);

  config.l1i = rig_cam(32);
  config.l1d = rig_cam(32);
  config.l2 = (struct nw_tlb_config){.entries = 128, .ways = 4, .policy = NW_POLICY_LRU};
  config.walk_cache = rig_cam(16);
  config.ipa_cache = rig_cam(16);
  return config;
}

struct rig *rig_new(const struct nw_mmu_config *config) {
  struct rig *rig = calloc(1, sizeof(*rig));
  char error[200];

  assert_non_null(rig);
  rig->tables = tables_new(config->regime);
  rig->mmu = nw_mmu_create(config, error, sizeof(error));
  if (rig->mmu == NULL) {
    fail_msg("%s", error);
  }
  rig->memory = (struct nw_memory){rig, read_memory, update_memory};
  rig->abort_at = -1;
  rig->meanwhile_at = -1;
  const struct nw_regime *regime = &rig->tables->regime;
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++) {
    if (nw_register_width((enum nw_architecture)regime->architecture, reg) != 0) {
      rig_register(rig, reg, regime->reg[reg]);
    }
  }
  return rig;
}

void rig_free(struct rig *rig) {
  nw_mmu_destroy(rig->mmu);
  tables_free(rig->tables);
  free(rig);
}

void rig_register(struct rig *rig, unsigned reg, uint64_t value) {
  tables_register(rig->tables, reg, value);
  assert_int_equal(nw_mmu_write_register(rig->mmu, reg, value), NW_REGISTER_WRITTEN);
}

void rig_asid(struct rig *rig, unsigned asid) {
  const struct nw_regime *regime = &rig->tables->regime;

  if (regime->architecture != NW_ARMV7) {
    rig_register(rig, NW_X86_CR3, TABLES_IPA | asid | X86_CR3_KEEP);
  } else if (regime->s1_format->descriptor_bytes == 4) {
    rig_register(rig, NW_REG_CONTEXTIDR, asid);
  } else {
    rig_register(rig, NW_REG_TTBR0, TABLES_IPA | (uint64_t)asid << 48);
  }
}

void rig_vmid(struct rig *rig, unsigned vmid) {
  if (rig->tables->regime.architecture != NW_ARMV7) {
    rig_register(rig, NW_X86_VPID, vmid);
  } else {
    rig_register(rig, NW_REG_VTTBR, TABLES_S2_PA | (uint64_t)vmid << 48);
  }
}

static uint64_t ipa_of(uint64_t va) {
  return RIG_IPA + (va & 0x3fffffff);
}

void rig_map(struct rig *rig, uint64_t va, unsigned page_log2, unsigned rights) {
  uint64_t ipa = ipa_of(va);
  unsigned s2_log2 = page_log2 == 12 ? 12 : 21;

  tables_map(rig->tables, 1, va, ipa, page_log2, rights);
  if (rig->tables->regime.s2_enabled) {
    ipa = ipa >> s2_log2 << s2_log2;
    tables_map(rig->tables, 2, ipa, ipa + TABLES_OFFSET, s2_log2, MAP_ALL);
  }
}

uint64_t rig_pa(const struct rig *rig, uint64_t va) {
  return ipa_of(va) + (rig->tables->regime.s2_enabled ? TABLES_OFFSET : 0);
}

/* -- translating ------------------------------------------------------------------------------- */

bool rig_translate(struct rig *rig, enum nw_access access, enum nw_privilege privilege,
                   uint64_t va) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = (uint8_t)privilege};

  rig->accesses = 0;
  return nw_mmu_translate(rig->mmu, &request, &rig->memory, &rig->result);
}

bool rig_read(struct rig *rig, uint64_t va) {
  return rig_translate(rig, NW_READ, NW_PRIVILEGED, va);
}

bool rig_write(struct rig *rig, uint64_t va) {
  return rig_translate(rig, NW_WRITE, NW_PRIVILEGED, va);
}

bool rig_execute(struct rig *rig, uint64_t va) {
  return rig_translate(rig, NW_EXECUTE, NW_PRIVILEGED, va);
}

bool rig_holds(struct rig *rig, enum nw_access access, uint64_t va) {
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = NW_PRIVILEGED, .debug = true};
  struct nw_result result;

  return nw_mmu_translate(rig->mmu, &request, &rig->memory, &result) &&
         result.source != NW_FROM_WALK;
}

static void answer_step(struct rig *rig, const struct nw_step *step, struct nw_answer *answer) {
  *answer = (struct nw_answer){0};
  if (step->kind == NW_STEP_READ) {
    answer->data = tables_get(rig->tables, step->address, step->size);
  } else if (step->kind == NW_STEP_UPDATE) {
    answer->data = tables_get(rig->tables, step->address, step->size);
    answer->hit = answer->data == step->old_value;
    if (answer->hit) {
      tables_put(rig->tables, step->address, step->size, step->new_value);
    }
    rig->plain_updates++;
  }
}

struct nw_result rig_plain_walk(struct rig *rig, const struct nw_request *request) {
  struct nw_walk walk;
  struct nw_step step;
  struct nw_answer answer;

  rig->plain_updates = 0;
  nw_walk_begin(&walk, nw_mmu_regime(rig->mmu), request, NW_SCOPE_BOTH, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    answer_step(rig, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  return *nw_walk_result(&walk);
}

/* -- comparing --------------------------------------------------------------------------------- */

static bool same_fault(const struct nw_fault *a, const struct nw_fault *b) {
  return a->type == b->type && a->stage == b->stage && a->level == b->level &&
         a->s1walk == b->s1walk && a->access == b->access &&
         a->failing_access == b->failing_access && a->domain == b->domain && a->va == b->va &&
         a->ipa == b->ipa && a->privilege == b->privilege && a->s2_allows == b->s2_allows &&
         a->key == b->key && a->shadow == b->shadow;
}

#define CLEAN (NWI_R_S1_CLEAN | NWI_R_S2_CLEAN)

bool rig_same_outcome(const struct nw_result *a, const struct nw_result *b) {
  if (a->fault.type != NW_FAULT_NONE || b->fault.type != NW_FAULT_NONE) {
    return same_fault(&a->fault, &b->fault);
  }
  return a->pa == b->pa && ((a->rights ^ b->rights) & ~CLEAN) == 0 &&
         a->page_log2 == b->page_log2 && a->s1_page_log2 == b->s1_page_log2 &&
         a->s2_page_log2 == b->s2_page_log2 && a->attr == b->attr && a->sh == b->sh;
}

bool rig_same_result(const struct nw_result *a, const struct nw_result *b) {
  return rig_same_outcome(a, b) && a->cycles == b->cycles && a->walk_reads == b->walk_reads &&
         a->source == b->source;
}

static uint64_t sum(const uint64_t *value, unsigned count) {
  uint64_t total = 0;

  for (unsigned i = 0; i < count; i++) {
    total += value[i];
  }
  return total;
}

static void expect_tlb_sums(const struct nw_tlb_statistics *s) {
  assert_int_equal(s->accesses, s->hits + s->misses);
  assert_int_equal(s->hits, sum(s->hits_by_size, NW_PAGE_SIZES));
  assert_int_equal(s->misses, sum(s->misses_by_size, NW_PAGE_SIZES) + s->misses_faulted);
}

void rig_expect_sums(const struct nw_mmu_statistics *s) {
  uint64_t s2 = sum(s->s2, NW_LEVELS);

  expect_tlb_sums(&s->l1i);
  expect_tlb_sums(&s->l1d);
  expect_tlb_sums(&s->l2);
  assert_int_equal(s->walk_references, sum(s->s1, NW_LEVELS) + s2);
  assert_int_equal(s2, sum(s->s2_for_s1, NW_LEVELS) + s->s2_final);
  assert_int_equal(s->walks, sum(s->walk_cycles_histogram, NW_WALK_CYCLE_BUCKETS));
  assert_true(s->walk_cache_hits <= s->walk_cache_lookups);
  assert_true(s->ipa_cache_hits <= s->ipa_cache_lookups);
  assert_true(s->faults_stage2 <= sum(s->faults, NW_FAULT_TYPES));
  assert_true(sum(s->faults, NW_FAULT_TYPES) <= s->walks);
  assert_int_equal(s->faults[NW_FAULT_NONE], 0);
}

/* -- chance ------------------------------------------------------------------------------------ */

uint64_t rig_seed(const char *test, uint64_t fallback) {
  const char *given = getenv("NW_SEED");
  uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : fallback;

  if (seed == 0) {
    seed = 1;
  }
  print_message("%s: NW_SEED=%" PRIu64 "\n", test, seed);
  return seed;
}

unsigned rig_below(uint64_t *state, unsigned bound) {
  return (unsigned)((tables_random(state) >> 16) % bound);
}
