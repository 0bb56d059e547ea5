/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: `clock` counts the cycles since the request in hand was accepted, but for those in
 * which a memory request is not accepted, and each step of the core happens in the cycle that equals
 * what the core has charged so far: lookup cycles and the walk's cycles. A core that charges
 * otherwise than the RTL works is seen in the first cycle that differs.
 *
 * Within a cycle, control comes first, then the step of the request in hand.
 */
#include "lockstep/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mmu.h"
#include "core/tlb_hit.h"
#include "sim/config.h"

enum phase {
  IDLE,
  LOOK_UP_L1, /* cycle 1 */
  LOOK_UP_L2, /* cycle 2, of a miss in level 1 where there is a level 2 */
  WALK,       /* the walk's next step has its cycle to come, or is a read not accepted yet */
  WAIT,       /* for the memory's response */
};

struct nw_reference {
  struct nw_mmu *mmu;
  struct nw_transaction transaction; /* the request in hand */
  uint8_t tag;
  enum phase phase;
  uint32_t clock;
  uint32_t read_accepted;      /* WAIT: value of the clock when the memory took the request */
  struct nw_outputs l2_events; /* LOOK_UP_L2: what is to be seen of it */
  bool l2_answers;             /* LOOK_UP_L2: with a permitted hit */
  bool response_valid, response_is_new;
  struct nw_outputs response;
  const struct nwi_tlb *store[NW_STRUCTURES]; /* NULL: absent */
  struct {
    uint64_t installs, evictions;
  } seen[NW_STRUCTURES];
};

/* -- life -------------------------------------------------------------------------------------- */

static const char *const structure_keys[NW_STRUCTURES] = {"l1d", "l1i", "l2", "walk_cache",
                                                          "ipa_cache"};
/* Beyond this many entries the RTL keeps a tree instead of true LRU. */
#define MOST_LRU_ENTRIES 64

/* A variant's entries as overrides of the machine file: three keys for each structure. */
enum { OVERRIDES = 3 * NW_STRUCTURES, OVERRIDE_SIZE = 48 };

static void override_entries(const struct nw_variant_entries *variant,
                             char text[OVERRIDES][OVERRIDE_SIZE]) {
  for (unsigned s = 0; s < NW_STRUCTURES; s++) {
    const char *key = structure_keys[s];
    uint32_t entries = variant->of[s];
    snprintf(text[3 * s], OVERRIDE_SIZE, "mmu.%s.entries=%u", key, entries);
    snprintf(text[3 * s + 1], OVERRIDE_SIZE, "mmu.%s.ways=%u", key, entries);
    snprintf(text[3 * s + 2], OVERRIDE_SIZE, "mmu.%s.policy=%s", key,
             entries > MOST_LRU_ENTRIES ? "tree-plru" : "lru");
  }
}

bool nw_reference_config(const char *machine, const struct nw_variant_entries *variant,
                         struct nw_mmu_config *config, char *error, size_t error_size) {
  char text[OVERRIDES][OVERRIDE_SIZE];
  const char *sets[OVERRIDES];
  struct nw_machine_config file;
  struct nw_config_error message;

  override_entries(variant, text);
  for (unsigned i = 0; i < OVERRIDES; i++) {
    sets[i] = text[i];
  }
  if (!nw_config_load(machine, sets, OVERRIDES, &file, &message)) {
    snprintf(error, error_size, "%s", message.message);
    return false;
  }
  *config = file.mmu;
  config->regime = NW_REGIME_ARMV7_SHORT_S2; /* TTBCR.EAE is 0 after reset */
  return true;
}

struct nw_reference *nw_reference_create(const struct nw_mmu_config *config, char *error,
                                         size_t error_size) {
  struct nw_reference *r = calloc(1, sizeof *r);

  if (r == NULL) {
    snprintf(error, error_size, "out of memory");
    return NULL;
  }
  r->mmu = nw_mmu_create(config, error, error_size);
  if (r->mmu == NULL) {
    free(r);
    return NULL;
  }
  r->store[NW_L1D] = r->mmu->l1[0];
  r->store[NW_L1I] = r->mmu->l1[1];
  r->store[NW_L2] = r->mmu->l2;
  for (unsigned which = 0; which < 2; which++) {
    const struct nwi_walk_cache *cache = r->mmu->cache[which];
    r->store[NW_WALK + which] = cache != NULL ? nwi_walk_cache_store(cache) : NULL;
  }
  return r;
}

void nw_reference_destroy(struct nw_reference *r) {
  if (r != NULL) {
    nw_mmu_destroy(r->mmu);
    free(r);
  }
}

const struct nw_regime *nw_reference_walk_regime(const struct nw_reference *r) {
  return r->transaction.walk.regime;
}

/* -- what is observed of the structures -------------------------------------------------------- */

static void show_way(const struct nw_reference *r, unsigned structure, uint64_t address,
                     struct nw_outputs *out) {
  uint64_t *const way[NW_STRUCTURES] = {&out->obs_way_l1d_o, &out->obs_way_l1i_o,
                                        &out->obs_way_l2_o, &out->obs_way_walk_cache_o,
                                        &out->obs_way_ipa_cache_o};

  /* the slot that has just been hit or put in by this address */
  *way[structure] = *nwi_recent_of(r->store[structure], address);
}

static void show_lookup(const struct nw_reference *r, unsigned structure, bool hit,
                        uint64_t address, struct nw_outputs *out) {
  out->obs_lookup_o |= UINT64_C(1) << structure;
  if (hit) {
    out->obs_hit_o |= UINT64_C(1) << structure;
    show_way(r, structure, address, out);
  }
}

/* Shows what has been installed since the last time, all of it for the page that begins at `page`. */
static void show_installs(struct nw_reference *r, uint64_t page, struct nw_outputs *out) {
  for (unsigned s = 0; s < NW_STRUCTURES; s++) {
    const struct nwi_tlb *store = r->store[s];
    if (store == NULL || store->installs == r->seen[s].installs) {
      continue;
    }
    out->obs_install_o |= UINT64_C(1) << s;
    out->obs_evict_o |= (uint64_t)(store->evictions != r->seen[s].evictions) << s;
    show_way(r, s, page, out);
    r->seen[s].installs = store->installs;
    r->seen[s].evictions = store->evictions;
  }
}

/* -- responses --------------------------------------------------------------------------------- */

static void set_translation(const struct nw_result *result, struct nw_outputs *response) {
  response->rsp_pa_o = result->pa;
  response->rsp_rights_o = result->rights;
  response->rsp_page_log2_o = result->page_log2;
  response->rsp_s1_page_log2_o = result->s1_page_log2;
  response->rsp_s2_page_log2_o = result->s2_page_log2;
  response->rsp_attr_o = result->attr;
  response->rsp_sh_o = result->sh;
  response->rsp_source_o = result->source;
}

static void set_fault(const struct nw_fault *fault, struct nw_outputs *response) {
  response->rsp_fault_o = fault->type;
  response->rsp_stage_o = fault->stage;
  response->rsp_level_o = fault->level;
  response->rsp_s1walk_o = fault->s1walk;
  response->rsp_domain_o = fault->domain;
  response->rsp_ipa_o = fault->ipa;
}

/* The response register is loaded: valid from the next cycle on. */
static void respond(struct nw_reference *r) {
  const struct nw_result *result = &r->transaction.result;

  r->response = (struct nw_outputs){.rsp_tag_o = r->tag, .cycles = result->cycles};
  if (result->fault.type == NW_FAULT_NONE) {
    set_translation(result, &r->response);
  } else {
    set_fault(&result->fault, &r->response);
  }
  r->response_valid = true;
  r->response_is_new = true;
  r->phase = IDLE;
}

/* -- the steps of a request -------------------------------------------------------------------- */

static void accept(struct nw_reference *r, const struct nw_inputs *in) {
  r->transaction.request = (struct nw_request){
      .va = in->req_va, .access = in->req_access, .privilege = in->req_privileged};
  r->tag = in->req_tag;
  r->phase = LOOK_UP_L1;
  r->clock = 0;
}

static void end_walk(struct nw_reference *r, struct nw_outputs *out) {
  struct nw_transaction *t = &r->transaction;

  nwi_mmu_end_walk(r->mmu, t, &t->result);
  if (t->result.fault.type == NW_FAULT_NONE) {
    show_installs(r, nwi_mmu_entry(t).va, out);
  }
  respond(r);
}

static uint64_t misses_in_l1(const struct nw_mmu *m) {
  return m->statistics.l1d.misses + m->statistics.l1i.misses;
}

/* The core looks into both levels at once. That comes to the same: nothing can be accepted between
 * the two that would make a difference. What level 2 shows is kept for the next cycle. */
static void look_up(struct nw_reference *r, struct nw_outputs *out) {
  struct nw_transaction *t = &r->transaction;
  struct nw_mmu *m = r->mmu;
  unsigned l1 = t->request.access == NW_EXECUTE ? NW_L1I : NW_L1D;
  uint64_t l1_misses = misses_in_l1(m), l2_misses = m->statistics.l2.misses;
  enum nwi_outcome outcome = nwi_mmu_look_up(m, &t->request, &t->result, &t->lookup_cycles);

  t->missed = outcome == NWI_TLB_MISS;
  bool missed_l1 = misses_in_l1(m) != l1_misses;
  show_lookup(r, l1, !missed_l1, t->request.va, out);
  if (missed_l1 && r->store[NW_L2] != NULL) {
    r->l2_events = (struct nw_outputs){0};
    show_lookup(r, NW_L2, m->statistics.l2.misses == l2_misses, t->request.va, &r->l2_events);
    r->l2_answers = outcome == NWI_TLB_HIT;
    if (r->l2_answers) {
      show_installs(r, nwi_page_of(t->request.va, t->result.page_log2), &r->l2_events);
    }
    r->phase = LOOK_UP_L2;
  } else if (outcome == NWI_TLB_HIT) {
    respond(r);
  } else {
    r->phase = WALK;
  }
}

static void step_l1(struct nw_reference *r, struct nw_outputs *out) {
  struct nw_transaction *t = &r->transaction;

  if (nwi_translation_is_off(&r->mmu->regime)) {
    t->missed = true;
    t->lookup_cycles = 0;
    nwi_mmu_start_walk(r->mmu, t);
    nwi_mmu_end_walk(r->mmu, t, &t->result);
    respond(r);
    return;
  }
  look_up(r, out);
  if (r->phase == WALK) {
    nwi_mmu_start_walk(r->mmu, t);
  }
}

static void step_l2(struct nw_reference *r, struct nw_outputs *out) {
  *out = r->l2_events;
  if (r->l2_answers) {
    respond(r);
  } else {
    nwi_mmu_start_walk(r->mmu, &r->transaction);
    r->phase = WALK;
  }
}

static void step_cache(struct nw_reference *r, const struct nw_step *step, struct nw_outputs *out) {
  bool hit = nwi_mmu_answer_cache_step(r->mmu, &r->transaction, step);

  if (step->kind == NW_STEP_LOOKUP) {
    show_lookup(r, NW_WALK + step->cache, hit, step->address, out);
  } else {
    show_installs(r, step->contents.key, out);
  }
}

/* True when the memory took the read. */
static bool step_read(struct nw_reference *r, const struct nw_step *step,
                      const struct nw_inputs *in, struct nw_outputs *out) {
  out->mem_req_valid_o = 1;
  out->mem_req_addr_o = step->address;
  out->mem_req_size_o = step->size == 8;
  out->mem_req_stage2_o = step->stage == 2;
  out->mem_req_level_o = step->level;
  out->mem_req_for_s1_o = step->for_s1;
  out->mem_req_s1_level_o = step->for_s1 ? step->s1_level : 0;
  if (in->mem_req_ready) {
    r->read_accepted = r->clock;
    r->phase = WAIT;
  }
  return in->mem_req_ready;
}

/* The walk's next step, if this is its cycle. True when the clock goes on. */
static bool step_walk(struct nw_reference *r, const struct nw_inputs *in, struct nw_outputs *out) {
  struct nw_transaction *t = &r->transaction;
  struct nw_step step;
  enum nw_step_kind kind = nw_walk_next(&t->walk, &step);
  uint32_t charged = t->lookup_cycles + nw_walk_result(&t->walk)->cycles;

  if (kind == NW_STEP_DONE) {
    charged -= r->mmu->cycles.done; /* charged as the walk ends, spent after it */
  }
  if (r->clock != charged) {
    return true;
  }
  switch (kind) {
  case NW_STEP_DONE:
    out->obs_finish_o = 1;
    end_walk(r, out);
    return true;
  case NW_STEP_READ:
    return step_read(r, &step, in, out);
  default:
    step_cache(r, &step, out);
    return true;
  }
}

static void step_wait(struct nw_reference *r, const struct nw_inputs *in, struct nw_outputs *out) {
  out->mem_rsp_ready_o = 1;
  if (in->mem_rsp_valid) {
    struct nw_answer answer = {.data = in->mem_rsp_data,
                               .abort = in->mem_rsp_error,
                               .cycles = r->clock - r->read_accepted};
    nw_walk_answer(&r->transaction.walk, &answer);
    r->phase = WALK;
  }
}

/* True when the clock goes on. */
static bool step(struct nw_reference *r, const struct nw_inputs *in, struct nw_outputs *out) {
  switch (r->phase) {
  case LOOK_UP_L1:
    step_l1(r, out);
    return true;
  case LOOK_UP_L2:
    step_l2(r, out);
    return true;
  case WALK:
    return step_walk(r, in, out);
  case WAIT:
    step_wait(r, in, out);
    return true;
  default:
    return true;
  }
}

/* -- control ----------------------------------------------------------------------------------- */

/* TTBCR.EAE chooses the regime's kind, which the core does not change once it has been made. What is
 * in the TLBs and caches stays there, as in hardware. */
static void change_kind(struct nw_mmu *m, uint64_t ttbcr) {
  uint64_t reg[NW_REGISTERS];

  memcpy(reg, m->regime.reg, sizeof reg);
  nw_regime_init(&m->regime, ttbcr >> 31 != 0 ? NW_REGIME_ARMV7_LPAE_S2 : NW_REGIME_ARMV7_SHORT_S2);
  reg[NW_REG_TTBCR] = ttbcr;
  for (unsigned i = 0; i < NW_REGISTERS; i++) {
    nw_regime_write(&m->regime, i, reg[i]);
  }
}

static void write_register(struct nw_mmu *m, enum nw_register reg, uint64_t value) {
  if (nw_register_width(NW_ARMV7, reg) == 32) {
    value &= UINT32_MAX;
  }
  if (reg == NW_REG_TTBCR && (value ^ m->regime.reg[reg]) >> 31 != 0) {
    change_kind(m, value);
  }
  nw_mmu_write_register(m, reg, value);
}

static void control(struct nw_mmu *m, const struct nw_inputs *in) {
  if (in->ctrl_maintenance) {
    nw_mmu_invalidate(m, (enum nw_tlbi)in->ctrl_select, in->ctrl_data);
  } else {
    write_register(m, (enum nw_register)in->ctrl_select, in->ctrl_data);
  }
}

/* -- one cycle --------------------------------------------------------------------------------- */

static void show_response(struct nw_reference *r, struct nw_outputs *out) {
#define COPY(port) out->port = r->response.port;
  NW_PORTS_RESPONSE(COPY)
#undef COPY
  out->rsp_valid_o = 1;
  out->cycles = r->response_is_new ? r->response.cycles : 0;
  r->response_is_new = false;
}

void nw_reference_cycle(struct nw_reference *r, const struct nw_inputs *in,
                        struct nw_outputs *out) {
  bool looking_up = r->phase == LOOK_UP_L1 || r->phase == LOOK_UP_L2;
  bool idle = r->phase == IDLE;
  bool responding = r->response_valid;

  if (in->ctrl_valid && !looking_up) {
    control(r->mmu, in);
  }
  *out = (struct nw_outputs){0};
  bool clock_goes_on = step(r, in, out);
  out->ctrl_ready_o = !looking_up;
  out->req_ready_o = idle && (!responding || in->rsp_ready);
  if (responding) {
    show_response(r, out);
    r->response_valid = !in->rsp_ready;
  }
  if (in->req_valid && out->req_ready_o) {
    accept(r, in);
  }
  r->clock += clock_goes_on;
}
