/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLBs + walk caches + walkers = one resumable MMU.
 *
 * nw_mmu_translate() here and the begin/next/answer form in mmu_flight.c are made of the same
 * pieces: look up in the TLBs, start a walk, run it to its next descriptor access (cache steps are
 * answered here), end it, which counts and installs. Order is the caller's order of calls:
 * maintenance takes effect at once, installs as walks end, lookups as requests begin.
 *
 * Invariants: a walk installs only if no maintenance came since its request began; a TLB's answer is
 * judged with the registers of the moment; a debug request leaves everything as it was.
 */
#include "core/mmu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format.h"
#include "core/regime.h"
#include "core/replacement.h"
#include "core/rights.h"
#include "core/tlb_hit.h"
#include "core/walker.h"

#define MOST_WALKERS 64
#define NO_TAG 0xffff0000u /* no entry has it: agile paging with stage 1 off makes none */

/* ---- page sizes of the statistics ---- */

static const uint8_t page_sizes[NW_PAGE_SIZES] = {12, 16, 20, 21, 24, 30, 0, 0};

unsigned nw_page_size_log2(unsigned index) {
  return index < NW_PAGE_SIZES ? page_sizes[index] : 0;
}

/* A size that is not in the table counts as the next smaller one. */
static unsigned page_size_index(unsigned page_log2) {
  static const uint8_t index[31] = {
      [12] = 0, [13] = 0, [14] = 0, [15] = 0, [16] = 1, [17] = 1, [18] = 1,
      [19] = 1, [20] = 2, [21] = 3, [22] = 3, [23] = 3, [24] = 4, [25] = 4,
      [26] = 4, [27] = 4, [28] = 4, [29] = 4, [30] = 5,
  };
  return index[page_log2 <= 30 ? page_log2 : 30];
}

/* ---- looking up ---- */

static inline struct nw_tlb_statistics *level1_statistics(struct nw_mmu *m,
                                                          const struct nw_request *request) {
  return request->access == NW_EXECUTE ? &m->statistics.l1i : &m->statistics.l1d;
}

/* Field by field, since the rest of a fault means nothing where there is none. */
static inline void take_entry(struct nw_result *result, const struct nwi_tlb_entry *entry,
                              uint64_t va, enum nw_source source, uint32_t cycles) {
  result->pa = entry->pa | (va & ((1ull << entry->page_log2) - 1));
  result->rights = entry->rights;
  result->cycles = cycles;
  result->walk_reads = 0;
  result->page_log2 = entry->page_log2;
  result->s1_page_log2 = entry->s1_page_log2;
  result->s2_page_log2 = entry->s2_page_log2;
  result->attr = entry->attr;
  result->sh = entry->sh;
  result->source = (uint8_t)source;
  result->fault.type = NW_FAULT_NONE;
}

static inline bool entry_permits(const struct nw_mmu *m, const struct nwi_tlb_entry *entry,
                                 const struct nw_request *request) {
  return nwi_rights_permit(&m->regime, entry->rights, (enum nw_access)request->access,
                           (enum nw_privilege)request->privilege);
}

static const struct nwi_tlb_entry *probe(const struct nw_mmu *m, struct nwi_tlb *tlb,
                                         const struct nw_request *request, uint32_t *cycles) {
  unsigned probes = 0;
  const struct nwi_tlb_entry *entry =
      nwi_tlb_lookup(tlb, request->va, m->regime.asid, m->context, &probes);

  *cycles += probes * tlb->latency;
  return entry;
}

static enum nwi_outcome look_up_l2(struct nw_mmu *m, const struct nw_request *request,
                                   struct nw_result *result, uint32_t *cycles) {
  struct nw_tlb_statistics *s = &m->statistics.l2;
  const struct nwi_tlb_entry *entry = probe(m, m->l2, request, cycles);
  m->asked_l2 = true;

  if (entry == NULL) {
    s->misses++;
    return NWI_TLB_MISS;
  }
  m->l2->hits[entry->page_log2]++;
  struct nwi_tlb *l1 = nwi_level1(m, request);
  if (l1 != NULL) {
    level1_statistics(m, request)->misses_by_size[page_size_index(entry->page_log2)]++;
  }
  if (!entry_permits(m, entry, request)) {
    m->statistics.rewalks++;
    return NWI_TLB_DENIED;
  }
  take_entry(result, entry, request->va, NW_FROM_L2, *cycles);
  if (l1 != NULL) {
    nwi_tlb_install(l1, entry, NULL);
  }
  return NWI_TLB_HIT;
}

/* Looks through the levels, counting, touching and refilling. */
static enum nwi_outcome look_up(struct nw_mmu *m, const struct nw_request *request,
                                struct nw_result *result, uint32_t *cycles) {
  struct nwi_tlb *l1 = nwi_level1(m, request);
  enum nwi_outcome outcome = NWI_TLB_MISS;

  m->asked_l2 = false;
  if (l1 != NULL) {
    struct nw_tlb_statistics *s = level1_statistics(m, request);
    const struct nwi_tlb_entry *entry = probe(m, l1, request, cycles);
    if (entry != NULL) {
      l1->hits[entry->page_log2]++;
      if (!entry_permits(m, entry, request)) {
        m->statistics.rewalks++;
        return NWI_TLB_DENIED;
      }
      take_entry(result, entry, request->va, NW_FROM_L1, *cycles);
      return NWI_TLB_HIT;
    }
    s->misses++;
  }
  if (m->l2 != NULL) {
    outcome = look_up_l2(m, request, result, cycles);
  }
  return outcome;
}

/* A debug request sees the same entries and touches nothing. */
static bool peek(const struct nw_mmu *m, const struct nw_request *request,
                 struct nw_result *result) {
  const struct nwi_tlb *levels[2] = {nwi_level1(m, request), m->l2};

  for (unsigned i = 0; i < 2; i++) {
    unsigned probes;
    const struct nwi_tlb_entry *entry =
        levels[i] == NULL
            ? NULL
            : nwi_tlb_peek(levels[i], request->va, m->regime.asid, m->context, &probes);
    if (entry != NULL && entry_permits(m, entry, request)) {
      take_entry(result, entry, request->va, i == 0 ? NW_FROM_L1 : NW_FROM_L2, 0);
      return true;
    }
  }
  return false;
}

enum nwi_outcome nwi_mmu_look_up(struct nw_mmu *m, const struct nw_request *request,
                                 struct nw_result *result, uint32_t *cycles) {
  *cycles = 0;
  if (request->debug) {
    return peek(m, request, result) ? NWI_TLB_HIT : NWI_TLB_MISS;
  }
  if (nwi_translation_is_off(&m->regime)) {
    return NWI_TLB_MISS;
  }
  return look_up(m, request, result, cycles);
}

/* The usual case of nwi_mmu_look_up(), without a call: a permitted hit on the entry that answered
 * last. False, with nothing touched, when it is any other case. With translation off no entry has
 * the tag. */
NWI_ALWAYS_INLINE bool hit_at_once(struct nw_mmu *m, const struct nw_request *request,
                                   struct nw_result *result) {
  struct nwi_tlb *tlb = nwi_level1(m, request);

  if (tlb == NULL || request->debug) {
    return false;
  }
  uint32_t slot = nwi_tlb_recent_slot(tlb, request->va, m->tag);
  if (slot == NWI_NO_SLOT) {
    return false;
  }
  const struct nwi_tlb_entry *entry = &tlb->entries[slot];
  if (!nwi_rights_permit_plainly(&m->regime, entry->rights, (enum nw_access)request->access,
                                 (enum nw_privilege)request->privilege) ||
      !nwi_replacement_hit_is_simple(&tlb->replacement, slot)) {
    return false;
  }
  tlb->hits[entry->page_log2]++;
  take_entry(result, entry, request->va, NW_FROM_L1, tlb->hit_cycles[entry->page_log2]);
  return true;
}

/* ---- walking ---- */

void nwi_mmu_start_walk(struct nw_mmu *m, struct nw_transaction *t) {
  t->generation = m->generation;
  t->register_writes = m->register_writes;
  nw_walk_begin(&t->walk, &m->regime, &t->request, NW_SCOPE_BOTH, &m->options);
}

/* A walk-cache entry holds a table's IPA, which means another place once stage 2 is switched: like a
 * TLB entry it is tagged with the switches. An IPA-cache entry is stage 2's alone. */
static uint16_t cache_tag(const struct nw_transaction *t, const struct nw_step *step) {
  const struct nw_regime *regime = t->walk.regime;

  return step->cache == NW_WALK_CACHE ? nwi_context_tag(regime->vmid, nwi_stage_switches(regime))
                                      : regime->vmid;
}

static bool answer_lookup(struct nw_mmu *m, struct nw_transaction *t, const struct nw_step *step) {
  struct nw_answer answer = {0};
  unsigned probes = 0;
  bool touch = !t->request.debug;

  answer.hit = nwi_walk_cache_lookup(m->cache[step->cache], step->address, step->contents.asid,
                                     cache_tag(t, step), touch, &answer.contents, &probes);
  answer.cycles = probes * m->cache_latency[step->cache];
  if (touch && step->cache == NW_WALK_CACHE) {
    m->statistics.walk_cache_lookups++;
    m->statistics.walk_cache_hits += answer.hit;
  } else if (touch) {
    m->statistics.ipa_cache_lookups++;
    m->statistics.ipa_cache_hits += answer.hit;
  }
  nw_walk_answer(&t->walk, &answer);
  return answer.hit;
}

bool nwi_mmu_may_install(const struct nw_mmu *m, const struct nw_transaction *t) {
  return !t->request.debug && t->generation == m->generation;
}

static void answer_fill(struct nw_mmu *m, struct nw_transaction *t, const struct nw_step *step) {
  static const struct nw_answer done = {0};

  if (nwi_mmu_may_install(m, t)) {
    struct nw_cached contents = step->contents;
    contents.vmid = cache_tag(t, step);
    nwi_walk_cache_fill(m->cache[step->cache], &contents);
  }
  nw_walk_answer(&t->walk, &done);
}

bool nwi_mmu_answer_cache_step(struct nw_mmu *m, struct nw_transaction *t,
                               const struct nw_step *step) {
  if (step->kind == NW_STEP_LOOKUP) {
    return answer_lookup(m, t, step);
  }
  answer_fill(m, t, step);
  return false;
}

enum nw_step_kind nwi_mmu_run_walk(struct nw_mmu *m, struct nw_transaction *t,
                                   struct nw_step *step) {
  for (;;) {
    switch (nw_walk_next(&t->walk, step)) {
    case NW_STEP_LOOKUP:
      answer_lookup(m, t, step);
      break;
    case NW_STEP_FILL:
      answer_fill(m, t, step);
      break;
    case NW_STEP_UPDATE:
      m->statistics.updates++;
      return NW_STEP_UPDATE;
    default:
      return (enum nw_step_kind)step->kind;
    }
  }
}

static unsigned cycle_bucket(uint32_t cycles) {
  unsigned bucket = cycles == 0 ? 0 : 32u - (unsigned)__builtin_clz(cycles);

  return bucket < NW_WALK_CYCLE_BUCKETS ? bucket : NW_WALK_CYCLE_BUCKETS - 1;
}

static void count_references(struct nw_mmu_statistics *s, const struct nw_references *n,
                             unsigned levels) {
  for (unsigned level = 0; level <= levels; level++) {
    s->s1[level] += n->s1[level];
    s->s2[level] += n->s2[level];
    s->s2_for_s1[level] += n->s2_for_s1[level];
  }
  s->s2_final += n->s2_final;
}

/* The highest number of a level. */
static unsigned greatest_level(const struct nw_format *format) {
  return format->down > 0 ? format->last_level : format->first_level;
}

static unsigned levels_of(const struct nw_regime *regime) {
  unsigned s1 = greatest_level(regime->s1_format), s2 = greatest_level(regime->s2_format);

  return s1 > s2 ? s1 : s2;
}

static void count_walk(struct nw_mmu *m, const struct nw_walk *walk) {
  struct nw_mmu_statistics *s = &m->statistics;
  const struct nw_result *r = nw_walk_result(walk);

  s->walks++;
  s->walk_cycles += r->cycles;
  s->walk_references += r->walk_reads;
  s->walk_cycles_histogram[cycle_bucket(r->cycles)]++;
  count_references(s, nw_walk_references(walk), levels_of(walk->regime));
  if (walk->regime->agile) {
    s->agile_walks[nwi_walk_nested_levels(walk)]++;
  }
  if (r->fault.type != NW_FAULT_NONE) {
    s->faults[r->fault.type]++;
    s->faults_stage2 += r->fault.stage == 2;
  }
}

void nwi_mmu_count_miss(struct nw_mmu *m, const struct nw_request *request,
                        const struct nw_result *r) {
  struct nw_tlb_statistics *missed[2] = {
      nwi_level1(m, request) != NULL ? level1_statistics(m, request) : NULL,
      m->l2 != NULL ? &m->statistics.l2 : NULL,
  };

  for (unsigned i = 0; i < 2; i++) {
    if (missed[i] == NULL) {
      continue;
    }
    if (r->fault.type == NW_FAULT_NONE) {
      missed[i]->misses_by_size[page_size_index(r->page_log2)]++;
    } else {
      missed[i]->misses_faulted++;
    }
  }
}

/* B3.6.4: the other root may own a part of a block's VAs (TTBR1 the top 128 MB, say, of TTBR0's last
 * GB). The entry then covers as much as a descriptor of the next level would, which no root cuts. */
static uint8_t entry_log2(const struct nw_regime *regime, uint64_t va, uint8_t page_log2) {
  uint64_t offset = (1ull << page_log2) - 1;
  bool whole =
      nwi_regime_stage1_root(regime, va & ~offset) == nwi_regime_stage1_root(regime, va | offset);

  return whole || !regime->s1_enabled ? page_log2 : regime->s1_format->shift[2];
}

struct nwi_tlb_entry nwi_mmu_entry(const struct nw_transaction *t) {
  const struct nw_result *r = nw_walk_result(&t->walk);
  const struct nw_regime *regime = t->walk.regime;
  uint8_t page_log2 = entry_log2(regime, t->request.va, r->page_log2);
  uint64_t offset = (1ull << page_log2) - 1;

  return (struct nwi_tlb_entry){
      .va = t->request.va & ~offset,
      .pa = r->pa & ~offset,
      .rights = r->rights,
      .asid = regime->asid,
      .vmid = nwi_context_tag(regime->vmid, nwi_stage_switches(regime)),
      .page_log2 = page_log2,
      .s1_page_log2 = r->s1_page_log2,
      .s2_page_log2 = r->s2_page_log2,
      .attr = r->attr,
      .sh = r->sh,
      .global = nwi_walk_global(&t->walk),
  };
}

static void install(struct nw_mmu *m, const struct nw_transaction *t) {
  struct nwi_tlb *l1 = nwi_level1(m, &t->request);

  if (l1 == NULL && m->l2 == NULL) {
    return;
  }
  struct nwi_tlb_entry entry = nwi_mmu_entry(t);
  if (m->l2 != NULL) {
    nwi_tlb_install(m->l2, &entry, NULL);
  }
  if (l1 != NULL) {
    nwi_tlb_install(l1, &entry, NULL);
  }
}

/* The levels that were looked up for a walk that has faulted. */
static void tell_of_fault(const struct nw_mmu *m, const struct nw_request *request) {
  const struct nwi_tlb *asked[2] = {nwi_level1(m, request), m->asked_l2 ? m->l2 : NULL};

  for (unsigned i = 0; i < 2; i++) {
    if (asked[i] != NULL && asked[i]->watch != NULL) {
      asked[i]->watch->faulted(asked[i]->watch->context);
    }
  }
}

void nwi_mmu_end_walk(struct nw_mmu *m, struct nw_transaction *t, struct nw_result *result) {
  *result = *nw_walk_result(&t->walk);
  result->cycles += t->lookup_cycles;
  result->source = NW_FROM_WALK;
  if (t->request.debug || nwi_translation_is_off(t->walk.regime)) {
    return;
  }
  count_walk(m, &t->walk);
  if (t->missed) {
    nwi_mmu_count_miss(m, &t->request, result);
  }
  if (result->fault.type == NW_FAULT_NONE && nwi_mmu_may_install(m, t)) {
    install(m, t);
  } else if (m->watched && result->fault.type != NW_FAULT_NONE) {
    tell_of_fault(m, &t->request);
  }
}

/* ---- all at once ---- */

/* Sets all that a READ or UPDATE is answered with; `contents` is for LOOKUP alone. */
void nwi_mmu_access_memory(const struct nw_memory *memory, const struct nw_step *step,
                           struct nw_answer *answer) {
  answer->data = 0;
  answer->cycles = 0;
  answer->hit = false;
  if (step->kind == NW_STEP_READ) {
    answer->abort =
        !memory->read(memory->context, step->address, step->size, &answer->data, &answer->cycles);
  } else {
    answer->abort = memory->update == NULL ||
                    !memory->update(memory->context, step->address, step->size, step->old_value,
                                    step->new_value, &answer->data, &answer->cycles);
    answer->hit = !answer->abort && answer->data == step->old_value;
  }
}

static bool translate_by_walk(struct nw_mmu *m, const struct nw_memory *memory,
                              struct nw_result *result) {
  struct nw_transaction *t = &m->own;
  struct nw_step step;
  struct nw_answer answer;

  t->generation = m->generation;
  nwi_walk_begin_with(&t->walk, &m->regime, &t->request, NW_SCOPE_BOTH, &m->options);
  for (;;) {
    nwi_walk_read_on(&t->walk, memory);
    if (nwi_mmu_run_walk(m, t, &step) == NW_STEP_DONE) {
      break;
    }
    nwi_mmu_access_memory(memory, &step, &answer);
    nw_walk_answer(&t->walk, &answer);
  }
  nwi_mmu_end_walk(m, t, result);
  return result->fault.type == NW_FAULT_NONE;
}

NWI_NOINLINE static bool translate_thoroughly(struct nw_mmu *m, const struct nw_request *request,
                                              const struct nw_memory *memory,
                                              struct nw_result *result) {
  uint32_t cycles;
  enum nwi_outcome outcome = nwi_mmu_look_up(m, request, result, &cycles);

  if (outcome == NWI_TLB_HIT) {
    return true;
  }
  m->own.request = *request;
  m->own.lookup_cycles = cycles;
  m->own.missed = outcome == NWI_TLB_MISS;
  return translate_by_walk(m, memory, result);
}

bool nw_mmu_translate(struct nw_mmu *m, const struct nw_request *request,
                      const struct nw_memory *memory, struct nw_result *result) {
  return hit_at_once(m, request, result) || translate_thoroughly(m, request, memory, result);
}

uint32_t nw_mmu_translate_run(struct nw_mmu *m, const struct nw_request *request, uint32_t count,
                              const struct nw_memory *memory, struct nw_result *result) {
  uint32_t done = 0, cycles = 0;

  while (done < count) {
    if (!nw_mmu_translate(m, request, memory, result)) {
      result->cycles += cycles;
      return done;
    }
    done++;
    cycles += result->cycles;
    if (result->source == NW_FROM_L1 && done < count && !request->debug) {
      /* A hit in level 1 repeats itself: same entry, same probes, replacement state unchanged. */
      uint32_t rest = count - done;
      nwi_level1(m, request)->hits[result->page_log2] += rest;
      cycles += rest * result->cycles;
      done = count;
    }
  }
  result->cycles = cycles;
  return done;
}

/* ---- registers and statistics ---- */

static void set_context(struct nw_mmu *m) {
  unsigned switches = nwi_stage_switches(&m->regime);

  m->context = nwi_context_tag(m->regime.vmid, switches);
  m->tag = m->watched ? NO_TAG : nwi_tag_of(m->regime.asid, m->context);
  m->switches_used = (uint8_t)(m->switches_used | 1u << switches);
}

/* nw_mmu_translate()'s walk looks at the registers themselves. If a memory function of the caller's
 * writes one in the middle of it, the walk gets them as they were. */
static void keep_registers_for_walk(struct nw_mmu *m) {
  struct nw_walk *walk = &m->own.walk;

  if (walk->regime == &m->regime) {
    walk->snapshot = m->regime;
    walk->regime = &walk->snapshot;
  }
}

enum nw_register_status nw_mmu_write_register(struct nw_mmu *m, unsigned reg, uint64_t value) {
  uint64_t before = reg < NW_REGISTERS ? m->regime.reg[reg] : 0;

  keep_registers_for_walk(m);
  enum nw_register_status status = nw_regime_write(&m->regime, reg, value);
  m->register_writes++;
  set_context(m);
  if (status == NW_REGISTER_WRITTEN && m->regime.architecture != NW_ARMV7) {
    nwi_mmu_maintain_after_write(m, reg, value, before);
  }
  return status;
}

bool nw_mmu_set_agile(struct nw_mmu *m, enum nw_agile agile) {
  keep_registers_for_walk(m);
  bool possible = nw_regime_set_agile(&m->regime, agile);

  m->register_writes++;
  set_context(m);
  return possible;
}

bool nw_mmu_set_nested_paging(struct nw_mmu *m, bool on) {
  keep_registers_for_walk(m);
  bool possible = nw_regime_set_nested_paging(&m->regime, on);

  m->register_writes++;
  set_context(m);
  return possible;
}

const struct nw_regime *nw_mmu_regime(const struct nw_mmu *m) {
  return &m->regime;
}

/* A hit is counted once, by the size of its page: what follows is added up when it is asked for. */
static void total_lookups(const struct nwi_tlb *tlb, struct nw_tlb_statistics *s) {
  if (tlb == NULL) {
    return;
  }
  s->hits = 0;
  memset(s->hits_by_size, 0, sizeof s->hits_by_size);
  for (unsigned log2 = 0; log2 < sizeof tlb->hits / sizeof tlb->hits[0]; log2++) {
    s->hits_by_size[page_size_index(log2)] += tlb->hits[log2];
    s->hits += tlb->hits[log2];
  }
  s->accesses = s->hits + s->misses;
}

const struct nw_mmu_statistics *nw_mmu_statistics(struct nw_mmu *m) {
  total_lookups(m->l1[0], &m->statistics.l1d);
  total_lookups(m->l1[1], &m->statistics.l1i);
  total_lookups(m->l2, &m->statistics.l2);
  return &m->statistics;
}

static void forget_hits(struct nwi_tlb *tlb) {
  if (tlb != NULL) {
    memset(tlb->hits, 0, sizeof tlb->hits);
    if (tlb->watch != NULL) {
      tlb->watch->restarted(tlb->watch->context);
    }
  }
}

void nw_mmu_reset_statistics(struct nw_mmu *m) {
  m->statistics = (struct nw_mmu_statistics){0};
  forget_hits(m->l1[0]);
  forget_hits(m->l1[1]);
  forget_hits(m->l2);
}

void nwi_mmu_watch(struct nw_mmu *m, const struct nwi_tlb_watch *const watches[3]) {
  struct nwi_tlb *const levels[3] = {m->l1[0], m->l1[1], m->l2};

  for (unsigned i = 0; i < 3; i++) {
    if (levels[i] != NULL) {
      nwi_tlb_set_watch(levels[i], watches[i]);
    }
  }
  m->watched = true;
  set_context(m);
}

/* ---- life ---- */

static bool create_level(struct nwi_tlb **tlb, const struct nw_tlb_config *config, const char *name,
                         uint64_t seed, char *error, size_t error_size) {
  if (config->entries == 0) {
    return true;
  }
  *tlb = nwi_tlb_create(config, name, seed, false, error, error_size);
  return *tlb != NULL;
}

static bool create_cache(struct nw_mmu *m, enum nw_cache_id which,
                         const struct nw_tlb_config *config, uint64_t seed, char *error,
                         size_t error_size) {
  if (config->entries == 0) {
    return true;
  }
  m->cache_latency[which] = config->latency;
  m->cache[which] = nwi_walk_cache_create(config, which, seed, error, error_size);
  return m->cache[which] != NULL;
}

static bool has_walk_caches_by_level(const struct nw_mmu_config *c) {
  bool any = false;

  for (unsigned level = 0; level < NW_LEVELS; level++) {
    any = any || c->walk_cache_of[level].entries != 0;
  }
  return any;
}

/* Descriptors of the level may name tables. */
static bool has_tables(const struct nw_format *format, unsigned level) {
  return level != 0 && format->shift[level] != 0 && level != format->last_level;
}

static bool create_walk_cache(struct nw_mmu *m, const struct nw_mmu_config *c, uint64_t seed,
                              char *error, size_t error_size) {
  uint32_t *latency = &m->cache_latency[NW_WALK_CACHE];

  if (!has_walk_caches_by_level(c)) {
    return create_cache(m, NW_WALK_CACHE, &c->walk_cache, seed, error, error_size);
  }
  if (c->walk_cache.entries != 0) {
    return nwi_sentence(error, error_size,
                        "walk_cache: %u entries found beside those by level, 0 expected",
                        c->walk_cache.entries);
  }
  for (unsigned level = 0; level < NW_LEVELS; level++) {
    const struct nw_tlb_config *of = &c->walk_cache_of[level];
    if (of->entries != 0 && !has_tables(m->regime.s1_format, level)) {
      return nwi_sentence(error, error_size,
                          "walk_cache_l%u: %u entries found, 0 expected: descriptors of level %u "
                          "name no tables in format %s",
                          level, of->entries, level, m->regime.s1_format->name);
    }
    *latency = of->entries != 0 && of->latency > *latency ? of->latency : *latency;
  }
  m->cache[NW_WALK_CACHE] = nwi_walk_cache_create_by_level(c->walk_cache_of, m->regime.s1_format,
                                                           seed, error, error_size);
  return m->cache[NW_WALK_CACHE] != NULL;
}

static bool create_structures(struct nw_mmu *m, const struct nw_mmu_config *c, char *error,
                              size_t error_size) {
  uint64_t seed = c->seed;

  return create_level(&m->l1[0], &c->l1d, "l1d", seed + 1, error, error_size) &&
         create_level(&m->l1[1], &c->l1i, "l1i", seed + 2, error, error_size) &&
         create_level(&m->l2, &c->l2, "l2", seed + 3, error, error_size) &&
         create_walk_cache(m, c, seed + 4, error, error_size) &&
         create_cache(m, NW_IPA_CACHE, &c->ipa_cache, seed + 5, error, error_size);
}

struct nw_mmu *nw_mmu_create(const struct nw_mmu_config *config, char *error, size_t error_size) {
  struct nw_mmu *m = calloc(1, sizeof *m);

  if (m == NULL) {
    snprintf(error, error_size, "out of memory");
    return NULL;
  }
  if (config->walkers < 1 || config->walkers > MOST_WALKERS) {
    snprintf(error, error_size, "walkers: found %u, expected 1 to %d", config->walkers,
             MOST_WALKERS);
    free(m);
    return NULL;
  }
  if (!nw_regime_init(&m->regime, config->regime)) {
    snprintf(error, error_size, "regime: found %d, expected one of enum nw_regime_kind",
             (int)config->regime);
    free(m);
    return NULL;
  }
  if (config->capabilities.maxphyaddr != 0 &&
      !nw_regime_set_capabilities(&m->regime, &config->capabilities)) {
    snprintf(error, error_size, "maxphyaddr: found %u, expected 32 to 52",
             config->capabilities.maxphyaddr);
    free(m);
    return NULL;
  }
  if (!create_structures(m, config, error, error_size)) {
    nw_mmu_destroy(m);
    return NULL;
  }
  m->cycles = config->cycles;
  m->walkers = config->walkers;
  m->options = (struct nw_walk_options){
      .walk_cache = m->cache[NW_WALK_CACHE] != NULL,
      .ipa_cache = m->cache[NW_IPA_CACHE] != NULL,
      .cycles = &m->cycles,
  };
  set_context(m);
  return m;
}

void nw_mmu_destroy(struct nw_mmu *m) {
  if (m == NULL) {
    return;
  }
  nwi_tlb_destroy(m->l1[0]);
  nwi_tlb_destroy(m->l1[1]);
  nwi_tlb_destroy(m->l2);
  nwi_walk_cache_destroy(m->cache[NW_WALK_CACHE]);
  nwi_walk_cache_destroy(m->cache[NW_IPA_CACHE]);
  free(m);
}
