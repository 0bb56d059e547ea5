/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: a request is in hand from nw_golden_request() until nw_golden_read() has said that
 * nothing more is to be read; between the two, `waits` says whether a read has been given and not
 * answered.
 */
#include "dpi/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nestwalk/mmu.h>

struct golden {
  struct nw_mmu *mmu;
  struct nw_transaction transaction;
  struct nw_step step; /* the read given last */
  bool in_hand;
  bool waits;
};

/* The one request at a time has this tag. */
enum { TAG = 0 };

/* -- life -------------------------------------------------------------------------------------- */

static struct nw_tlb_config cam(unsigned int entries) {
  return (struct nw_tlb_config){.entries = entries, .ways = entries, .policy = NW_POLICY_LRU};
}

/* Hardware of these regimes never writes a descriptor, so that reads are all that a bench answers. */
static bool regime_is_served(const char *name, enum nw_regime_kind *kind) {
  if (nw_regime_by_name(name, kind) && *kind <= NW_REGIME_ARMV7_LPAE_S2) {
    return true;
  }
  fprintf(stderr, "nw_golden_create: regime: found '%s', expected one of", name);
  for (unsigned i = 0; i <= NW_REGIME_ARMV7_LPAE_S2; i++) {
    fprintf(stderr, " %s", nw_regime_name((enum nw_regime_kind)i));
  }
  fputc('\n', stderr);
  return false;
}

/* Only what answering costs counts: steps of the model's own are free. */
void *nw_golden_create(const char *regime, unsigned int l1_entries, unsigned int l2_entries,
                       unsigned int walk_cache_entries, unsigned int ipa_cache_entries) {
  char error[200] = "out of memory";
  struct nw_mmu_config config = {.l1i = cam(l1_entries),
                                 .l1d = cam(l1_entries),
                                 .l2 = cam(l2_entries),
                                 .walk_cache = cam(walk_cache_entries),
                                 .ipa_cache = cam(ipa_cache_entries),
                                 .walkers = 1};

  if (!regime_is_served(regime, &config.regime)) {
    return NULL;
  }
  struct golden *g = calloc(1, sizeof *g);
  if (g != NULL) {
    g->mmu = nw_mmu_create(&config, error, sizeof error);
  }
  if (g == NULL || g->mmu == NULL) {
    fprintf(stderr, "nw_golden_create: %s\n", error);
    free(g);
    return NULL;
  }
  return g;
}

void nw_golden_destroy(void *golden) {
  struct golden *g = golden;

  if (g != NULL) {
    nw_mmu_destroy(g->mmu);
    free(g);
  }
}

/* -- control ----------------------------------------------------------------------------------- */

static const char *const operations[NW_TLBIS] = {
    [NW_TLBI_ALL] = "TLBIALL",     [NW_TLBI_MVA] = "TLBIMVA",         [NW_TLBI_ASID] = "TLBIASID",
    [NW_TLBI_MVAA] = "TLBIMVAA",   [NW_ITLBI_ALL] = "ITLBIALL",       [NW_ITLBI_MVA] = "ITLBIMVA",
    [NW_ITLBI_ASID] = "ITLBIASID", [NW_DTLBI_ALL] = "DTLBIALL",       [NW_DTLBI_MVA] = "DTLBIMVA",
    [NW_DTLBI_ASID] = "DTLBIASID", [NW_TLBI_ALLNSNH] = "TLBIALLNSNH", [NW_TLBI_ALLH] = "TLBIALLH",
    [NW_TLBI_MVAH] = "TLBIMVAH",
};

unsigned char nw_golden_write_register(void *golden, const char *name, unsigned long long value) {
  struct golden *g = golden;
  enum nw_architecture architecture;
  unsigned reg;

  return nw_register_by_name(name, &architecture, &reg) &&
         architecture == nw_mmu_regime(g->mmu)->architecture &&
         nw_mmu_write_register(g->mmu, reg, value) == NW_REGISTER_WRITTEN;
}

unsigned char nw_golden_invalidate(void *golden, const char *name, unsigned long long operand) {
  struct golden *g = golden;

  for (unsigned i = 0; i < NW_TLBIS; i++) {
    if (operations[i] != NULL && strcmp(name, operations[i]) == 0) {
      nw_mmu_invalidate(g->mmu, (enum nw_tlbi)i, operand);
      return 1;
    }
  }
  return 0;
}

/* -- a request --------------------------------------------------------------------------------- */

unsigned char nw_golden_request(void *golden, unsigned long long va, unsigned int access,
                                unsigned char privileged) {
  struct golden *g = golden;
  struct nw_request request = {
      .va = va, .access = (uint8_t)access, .privilege = privileged ? NW_PRIVILEGED : NW_USER};

  if (g->in_hand || access > NW_EXECUTE) {
    return 0;
  }
  g->in_hand = nw_mmu_begin(g->mmu, &g->transaction, &request, TAG);
  return g->in_hand;
}

/* Asked again before the answer, it gives the same read. */
unsigned char nw_golden_read(void *golden, unsigned long long *address, unsigned int *size,
                             unsigned int *stage, unsigned int *level, unsigned char *for_s1,
                             unsigned int *s1_level) {
  struct golden *g = golden;

  if (g->in_hand && !g->waits) {
    nw_mmu_next(g->mmu, &g->step);
    g->waits = g->step.kind == NW_STEP_READ;
    g->in_hand = g->waits;
  }
  *address = g->waits ? g->step.address : 0;
  *size = g->waits ? g->step.size : 0;
  *stage = g->waits ? g->step.stage : 0;
  *level = g->waits ? g->step.level : 0;
  *for_s1 = g->waits && g->step.for_s1;
  *s1_level = *for_s1 ? g->step.s1_level : 0;
  return g->waits;
}

unsigned char nw_golden_answer(void *golden, unsigned long long data, unsigned char refused,
                               unsigned int cycles) {
  struct golden *g = golden;
  struct nw_answer answer = {.data = data, .abort = refused != 0, .cycles = cycles};

  if (!g->waits) {
    return 0;
  }
  g->waits = false;
  return nw_mmu_answer(g->mmu, TAG, &answer);
}

/* -- its result -------------------------------------------------------------------------------- */

void nw_golden_translation(void *golden, unsigned long long *pa, unsigned int *rights,
                           unsigned int *page_log2, unsigned int *s1_page_log2,
                           unsigned int *s2_page_log2, unsigned int *attr, unsigned int *sh,
                           unsigned int *source, unsigned int *cycles) {
  static const struct nw_result nothing;
  const struct nw_result *result = &((const struct golden *)golden)->transaction.result;

  *cycles = result->cycles;
  if (result->fault.type != NW_FAULT_NONE) {
    result = &nothing;
  }
  *pa = result->pa;
  *rights = result->rights;
  *page_log2 = result->page_log2;
  *s1_page_log2 = result->s1_page_log2;
  *s2_page_log2 = result->s2_page_log2;
  *attr = result->attr;
  *sh = result->sh;
  *source = result->source;
}

unsigned int nw_golden_fault(void *golden, unsigned int *stage, unsigned int *level,
                             unsigned char *s1walk, unsigned int *domain, unsigned long long *ipa) {
  const struct nw_fault *fault = &((const struct golden *)golden)->transaction.result.fault;

  *stage = fault->stage;
  *level = fault->level;
  *s1walk = fault->s1walk;
  *domain = fault->domain;
  *ipa = fault->ipa;
  return fault->type;
}

const char *nw_golden_fault_name(unsigned int fault) {
  return fault < NW_FAULT_TYPES ? nw_fault_name((enum nw_fault_type)fault) : "no such fault";
}
