/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in flight: the MMU driven step by step, in the caller's time.
 *
 * Invariant: `walking` is the number of transactions that hold a walker (T_WALKS, T_ASKED, but for
 * debug requests). A miss on a page that another request is walking, under the same registers and
 * with no maintenance in between, waits for that walk instead of making its own.
 */
#include "core/mmu.h"
#include "core/rights.h"

enum transaction_state {
  T_WAITS_FOR_WALKER, /* missed; its walk has begun but may not step yet */
  T_WAITS_FOR_LEADER, /* missed on a page that another request is walking */
  T_WALKS,            /* has a step to give */
  T_ASKED,            /* gave a step and waits for its answer */
  T_DONE,             /* has its result to give */
};

static bool same_page(const struct nw_transaction *a, const struct nw_transaction *b) {
  return a->request.va >> 12 == b->request.va >> 12 && !a->request.debug && !b->request.debug &&
         a->generation == b->generation && a->register_writes == b->register_writes;
}

static struct nw_transaction *find_leader(struct nw_mmu *m, const struct nw_transaction *t) {
  for (struct nw_transaction *other = m->flight; other != NULL; other = other->next) {
    bool walking =
        other->state == T_WALKS || other->state == T_ASKED || other->state == T_WAITS_FOR_WALKER;
    if (other != t && walking && same_page(other, t)) {
      return other;
    }
  }
  return NULL;
}

static struct nw_transaction **find_slot(struct nw_mmu *m, uint64_t tag) {
  struct nw_transaction **slot = &m->flight;

  while (*slot != NULL && (*slot)->tag != tag) {
    slot = &(*slot)->next;
  }
  return slot;
}

static void begin_by_walk(struct nw_mmu *m, struct nw_transaction *t) {
  nwi_mmu_start_walk(m, t);
  t->leader = t->missed ? find_leader(m, t) : NULL;
  t->state = t->leader != NULL ? T_WAITS_FOR_LEADER : T_WAITS_FOR_WALKER;
  m->statistics.shared_walks += t->leader != NULL;
}

bool nw_mmu_begin(struct nw_mmu *m, struct nw_transaction *t, const struct nw_request *request,
                  uint64_t tag) {
  struct nw_transaction **slot = find_slot(m, tag);

  if (*slot != NULL) {
    return false;
  }
  t->request = *request;
  t->tag = tag;
  t->next = NULL;
  enum nwi_outcome outcome = nwi_mmu_look_up(m, request, &t->result, &t->lookup_cycles);
  t->missed = outcome == NWI_TLB_MISS;
  if (outcome == NWI_TLB_HIT) {
    t->state = T_DONE;
  } else {
    begin_by_walk(m, t);
  }
  *slot = t;
  return true;
}

/* The leader has filled its own side of level 1 and level 2; a follower on the other side refills
 * its own. */
static void install_for_follower(struct nw_mmu *m, const struct nw_transaction *t,
                                 const struct nw_transaction *leader) {
  struct nwi_tlb *l1 = nwi_level1(m, &t->request);

  if (l1 != nwi_level1(m, &leader->request) && l1 != NULL && nwi_mmu_may_install(m, t)) {
    struct nwi_tlb_entry entry = nwi_mmu_entry(leader);
    nwi_tlb_install(l1, &entry, NULL);
  }
}

static void take_leaders_result(struct nw_mmu *m, struct nw_transaction *t,
                                const struct nw_transaction *leader) {
  uint64_t offset = (1ull << leader->result.page_log2) - 1;

  t->result = leader->result;
  t->result.pa = (leader->result.pa & ~offset) | (t->request.va & offset);
  t->result.walk_reads = 0;
  t->result.cycles = leader->result.cycles - leader->lookup_cycles + t->lookup_cycles;
  t->state = T_DONE;
  nwi_mmu_count_miss(m, &t->request, &t->result);
  install_for_follower(m, t, leader);
}

static bool leader_serves(const struct nw_transaction *leader, const struct nw_transaction *t) {
  return leader->result.fault.type == NW_FAULT_NONE &&
         nwi_rights_permit(t->walk.regime, leader->result.rights, (enum nw_access)t->request.access,
                           (enum nw_privilege)t->request.privilege);
}

/* A leader's walk has ended: who waited takes its translation where its own access is allowed, and
 * else walks for itself. */
static void release_followers(struct nw_mmu *m, const struct nw_transaction *leader) {
  for (struct nw_transaction *t = m->flight; t != NULL; t = t->next) {
    if (t->state != T_WAITS_FOR_LEADER || t->leader != leader) {
      continue;
    }
    t->leader = NULL;
    if (leader_serves(leader, t)) {
      take_leaders_result(m, t, leader);
    } else {
      t->state = T_WAITS_FOR_WALKER;
    }
  }
}

static void give_done(struct nw_mmu *m, struct nw_transaction *t, struct nw_step *step) {
  *find_slot(m, t->tag) = t->next;
  *step = (struct nw_step){.kind = NW_STEP_DONE, .tag = t->tag};
}

/* A debug request delays nobody: it walks beside the walkers. */
static uint32_t walkers_taken(const struct nw_transaction *t) {
  return t->request.debug ? 0 : 1;
}

/* Takes one step of a walking request; true when there is something to give. */
static bool step_transaction(struct nw_mmu *m, struct nw_transaction *t, struct nw_step *step) {
  if (t->state == T_WAITS_FOR_WALKER && (m->walking < m->walkers || t->request.debug)) {
    m->walking += walkers_taken(t);
    t->state = T_WALKS;
  }
  if (t->state == T_WALKS) {
    if (nwi_mmu_run_walk(m, t, step) != NW_STEP_DONE) {
      step->tag = t->tag;
      t->state = T_ASKED;
      return true;
    }
    m->walking -= walkers_taken(t);
    nwi_mmu_end_walk(m, t, &t->result);
    t->state = T_DONE;
    release_followers(m, t);
  }
  if (t->state == T_DONE) {
    give_done(m, t, step);
    return true;
  }
  return false;
}

bool nw_mmu_next(struct nw_mmu *m, struct nw_step *step) {
  for (struct nw_transaction *t = m->flight; t != NULL; t = t->next) {
    if (step_transaction(m, t, step)) {
      return true;
    }
  }
  return false;
}

bool nw_mmu_answer(struct nw_mmu *m, uint64_t tag, const struct nw_answer *answer) {
  struct nw_transaction *t = *find_slot(m, tag);

  if (t == NULL || t->state != T_ASKED) {
    return false;
  }
  nw_walk_answer(&t->walk, answer);
  t->state = T_WALKS;
  return true;
}

uint32_t nw_transaction_cycles(const struct nw_transaction *t) {
  return t->lookup_cycles + nw_walk_result(&t->walk)->cycles;
}
