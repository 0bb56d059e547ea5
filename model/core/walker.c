/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two-stage walk as a machine that stops at everything it needs.
 *
 * nw_walk_begin() and nw_walk_answer() run the walk forward until it waits in one of the states
 * below; nw_walk_next() only describes the state, so that asking twice asks the same. Stage 2 is a
 * subroutine of stage 1 in all but name: it is entered for every stage-1 descriptor address and for
 * the address that stage 1 gives, and stage2_done() returns to whichever it was.
 *
 * Invariants: nothing is read from a stage-1 table before its address has been through stage 2;
 * fills are held and given out only after the walk has succeeded; the registers are those of the
 * beginning.
 */
#include <nestwalk/walk.h>

#include "core/attribute.h"
#include "core/compiler.h"
#include "core/format.h"
#include "core/regime.h"
#include "core/rights.h"
#include "core/walker.h"

enum state {
  WALK_CACHE_LOOKUP,
  IPA_CACHE_LOOKUP,
  S1_READ,
  S1_UPDATE,
  S2_READ,
  S2_UPDATE,
  FILL,
  DONE,
};

/* Agile paging: whose table stage 1 reads. */
enum agile {
  NOT_AGILE = 0,
  IN_SHADOW, /* the host's */
  AT_SWITCH, /* the first one of the guest's, at its host address */
  IN_GUEST,  /* the guest's, at an IPA; one more for each level further down */
};

static const struct nw_walk_cycles free_steps = {0};

/* ---- how a walk ends ---- */

static inline bool is_leaf(const struct nw_stage_walk *s) {
  return s->descriptor.kind == NW_DESCRIPTOR_LEAF;
}

static void finish(struct nw_walk *w) {
  w->result.cycles += w->options.cycles->done;
  w->state = DONE;
}

static void fail(struct nw_walk *w, enum nw_fault_type type, unsigned stage, unsigned level) {
  bool on_descriptor = stage == 2 && w->s2_for_descriptor;

  w->result.fault = (struct nw_fault){
      .type = (uint8_t)type,
      .stage = (uint8_t)stage,
      .level = (uint8_t)level,
      .s1walk = on_descriptor,
      .access = w->request.access,
      .privilege = w->request.privilege,
      .failing_access = on_descriptor ? (uint8_t)w->s2_access : w->request.access,
      .va = w->request.va,
      .ipa = stage == 2 ? w->s2.input : 0,
      .s2_allows = stage == 2 && is_leaf(&w->s2) ? nwi_stage2_allowed(w->s2.descriptor.rights) : 0,
      .shadow = stage == 1 && w->agile == IN_SHADOW,
  };
  w->fills = 0;
  finish(w);
}

/* The domain is known once level 1 has been read: from the table above, or from the leaf. */
static void fail_stage1(struct nw_walk *w, enum nw_fault_type type) {
  uint32_t domain = is_leaf(&w->s1) ? (w->s1.descriptor.rights & NWI_R_DOMAIN) >> NWI_R_DOMAIN_SHIFT
                                    : w->s1.limits >> NWI_L_DOMAIN_SHIFT;

  fail(w, type, 1, w->s1.level);
  w->result.fault.key =
      is_leaf(&w->s1) && type == NW_FAULT_PERMISSION &&
      nwi_key_denies(w->regime, w->s1.descriptor.rights, (enum nw_access)w->request.access,
                     (enum nw_privilege)w->request.privilege);
  w->result.fault.domain = w->regime->has_domains ? (uint8_t)(domain & 0xfu) : 0;
}

static void give_fills(struct nw_walk *w) {
  if (w->fills_given < w->fills) {
    w->state = FILL;
  } else {
    finish(w);
  }
}

static void succeed(struct nw_walk *w, uint64_t pa, uint32_t rights, struct nwi_attributes a) {
  uint8_t s1 = w->result.s1_page_log2;
  uint8_t s2 = w->result.s2_page_log2;

  w->result.pa = pa;
  w->result.rights = rights;
  w->result.attr = a.attr;
  w->result.sh = a.sh;
  w->result.page_log2 = s1 == 0 ? s2 : s2 == 0 ? s1 : s1 < s2 ? s1 : s2;
  if (w->result.page_log2 == 0) {
    w->result.page_log2 = 12; /* no stage on: the smallest page there is */
  }
  give_fills(w);
}

/* ---- fills, held until then ---- */

static void hold_fill(struct nw_walk *w, enum nw_cache_id cache, const struct nw_cached *contents) {
  if (w->fills < NW_WALK_FILLS) {
    w->fill[w->fills] = *contents;
    w->fill_cache[w->fills] = (uint8_t)cache;
    w->fills++;
  }
}

/* With TnSZ, the other root may own a part of what one descriptor would cover (B3.6.4: TTBR1 the top
 * 128 MB, say, of TTBR0's last GB). A tag cannot tell the two apart: such a table is not kept. */
static bool table_is_of_one_root(const struct nw_walk *w, uint64_t first, uint8_t span) {
  uint64_t last = first | ((1ull << span) - 1);

  return nwi_regime_stage1_root(w->regime, first) == nwi_regime_stage1_root(w->regime, last);
}

static void hold_table(struct nw_walk *w) {
  uint8_t span = w->regime->s1_format->shift[w->s1.level];
  uint64_t first = w->s1.input >> span << span;

  if (!table_is_of_one_root(w, first, span)) {
    return;
  }
  hold_fill(w, NW_WALK_CACHE,
            &(struct nw_cached){
                .key = first,
                .span_log2 = span,
                .output = w->s1.table,
                .rights = w->s1.limits,
                .level = nwi_level_below(w->regime->s1_format, w->s1.level),
                .asid = w->regime->asid,
                .vmid = w->regime->vmid,
                .attr = (uint8_t)w->agile,
            });
}

static void hold_stage2(struct nw_walk *w) {
  uint8_t span = w->s2.descriptor.page_log2;

  hold_fill(w, NW_IPA_CACHE,
            &(struct nw_cached){
                .key = w->s2.input >> span << span,
                .span_log2 = span,
                .output = w->s2.output >> span << span,
                .rights = w->s2.descriptor.rights,
                .level = (uint8_t)w->s2.level,
                .vmid = w->regime->vmid,
                .attr = w->s2.descriptor.attr,
                .sh = w->s2.descriptor.sh,
            });
}

/* ---- what both stages do alike ---- */

/* Address of the descriptor that translates the stage's input at its level. */
static uint64_t descriptor_address(const struct nw_stage_walk *s, const struct nw_format *format) {
  uint64_t index = (s->input >> format->shift[s->level]) & ((1ull << s->index_bits) - 1);

  return s->table | index * format->descriptor_bytes;
}

static void enter_root(struct nw_stage_walk *s, const struct nw_root *root,
                       const struct nw_format *format) {
  s->table = root->base;
  s->level = root->start_level;
  s->index_bits = (uint32_t)root->input_bits - format->shift[root->start_level];
  s->limits = 0;
}

static void enter_table(struct nw_stage_walk *s, uint64_t table, uint32_t level,
                        const struct nw_format *format) {
  s->table = table;
  s->level = level;
  s->index_bits = nwi_table_log2(format, level);
}

static inline void decode(const struct nw_walk *w, struct nw_stage_walk *s,
                          const struct nw_format *format, uint32_t access) {
  struct nwi_decode_context context = {
      .regime = w->regime,
      .limits = s->limits,
      .level = (uint8_t)s->level,
      .access = (uint8_t)access,
  };

  format->decode(&context, s->raw, &s->descriptor);
}

static void reach_leaf(struct nw_stage_walk *s) {
  s->output = s->descriptor.output | (s->input & ((1ull << s->descriptor.page_log2) - 1));
}

static uint64_t swap_bytes(uint64_t value, unsigned bytes) {
  return bytes == 4 ? __builtin_bswap32((uint32_t)value) : __builtin_bswap64(value);
}

/* SCTLR.EE governs stage-1 descriptors only: value of a raw descriptor, and back. */
static uint64_t in_s1_order(const struct nw_walk *w, uint64_t value) {
  return w->regime->big_endian ? swap_bytes(value, w->regime->s1_format->descriptor_bytes) : value;
}

static bool must_update(const struct nw_walk *w, const struct nw_stage_walk *s) {
  return s->descriptor.updated != s->raw && !w->request.debug;
}

/* What a descriptor's kind says by itself, whichever stage it is of. */
static inline enum nw_fault_type verdict_without_leaf(const struct nw_descriptor *d) {
  static const uint8_t fault[] = {
      [NW_DESCRIPTOR_INVALID] = NW_FAULT_TRANSLATION,
      [NW_DESCRIPTOR_TABLE] = NW_FAULT_NONE,
      [NW_DESCRIPTOR_LEAF] = NW_FAULT_NONE,
      [NW_DESCRIPTOR_RESERVED] = NW_FAULT_RESERVED_BIT,
      [NW_DESCRIPTOR_MISCONFIGURED] = NW_FAULT_MISCONFIG,
  };

  return (enum nw_fault_type)fault[d->kind];
}

/* ---- stage 2 ---- */

static void stage2_done(struct nw_walk *w);

NWI_ALWAYS_INLINE void stage2_locate(struct nw_walk *w) {
  w->s2.descriptor_pa = descriptor_address(&w->s2, w->regime->s2_format);
  w->state = S2_READ;
}

NWI_ALWAYS_INLINE void stage2_from_root(struct nw_walk *w) {
  enter_root(&w->s2, &w->regime->s2_root, w->regime->s2_format);
  stage2_locate(w);
}

/* Translates `ipa` for `access`. An IPA out of the root's range, or an inconsistent VTCR, is a
 * translation fault: level 1 on ARM (TranslationTableWalkLD). */
NWI_ALWAYS_INLINE void stage2_begin(struct nw_walk *w, uint64_t ipa, enum nw_access access,
                                    bool for_descriptor) {
  const struct nw_root *root = &w->regime->s2_root;

  w->s2.input = ipa;
  w->s2_access = access;
  w->s2_for_descriptor = for_descriptor;
  w->s2_to_update = false;
  if (root->disabled || ipa >> root->input_bits) {
    w->s2.descriptor.kind = NW_DESCRIPTOR_INVALID;
    fail(w, NW_FAULT_TRANSLATION, 2, w->regime->range_level);
  } else if (w->options.ipa_cache) {
    w->state = IPA_CACHE_LOOKUP;
  } else {
    stage2_from_root(w);
  }
}

/* A stage-1 descriptor is about to be written: its page must be writable in stage 2 and become
 * dirty there. Caches are passed by, so that the walk meets the leaf itself. */
static void stage2_begin_update(struct nw_walk *w) {
  w->s2.input = w->s1_descriptor_ipa;
  w->s2_access = NW_WRITE;
  w->s2_for_descriptor = true;
  w->s2_to_update = true;
  stage2_from_root(w);
}

static bool stage2_serves(const struct nw_cached *contents, enum nw_access access) {
  return nwi_stage2_allows(contents->rights, access) &&
         !(access == NW_WRITE && (contents->rights & NWI_R_S2_CLEAN));
}

/* An entry that denies, or is clean under a write, is walked again: the walk's verdict stands. */
static void answer_ipa_cache(struct nw_walk *w, const struct nw_answer *answer) {
  const struct nw_cached *c = &answer->contents;

  w->result.cycles += w->options.cycles->ipa_cache_lookup + answer->cycles;
  if (!answer->hit || !stage2_serves(c, (enum nw_access)w->s2_access)) {
    stage2_from_root(w);
    return;
  }
  w->s2.descriptor.kind = NW_DESCRIPTOR_LEAF;
  w->s2.descriptor.output = c->output;
  w->s2.descriptor.page_log2 = c->span_log2;
  w->s2.descriptor.rights = c->rights;
  w->s2.level = c->level;
  w->s2.descriptor.attr = c->attr;
  w->s2.descriptor.sh = c->sh;
  reach_leaf(&w->s2);
  stage2_done(w);
}

NWI_ALWAYS_INLINE void stage2_use_descriptor(struct nw_walk *w) {
  if (is_leaf(&w->s2)) {
    reach_leaf(&w->s2);
    if (w->options.ipa_cache) {
      hold_stage2(w);
    }
    stage2_done(w);
    return;
  }
  w->s2.limits |= w->s2.descriptor.rights;
  enter_table(&w->s2, w->s2.descriptor.output, nwi_level_below(w->regime->s2_format, w->s2.level),
              w->regime->s2_format);
  stage2_locate(w);
}

/* B3.7.3 and CheckPermissionS2: access flag, then HAP and XN of the access that stage 2 serves. */
static inline enum nw_fault_type stage2_verdict(const struct nw_walk *w) {
  const struct nw_descriptor *d = &w->s2.descriptor;

  if (d->kind != NW_DESCRIPTOR_LEAF) {
    return verdict_without_leaf(d);
  }
  if (d->access_flag_clear) {
    return NW_FAULT_ACCESS_FLAG;
  }
  return nwi_stage2_allows(d->rights, (enum nw_access)w->s2_access) ? NW_FAULT_NONE
                                                                    : NW_FAULT_PERMISSION;
}

static inline void count_s2_read(struct nw_walk *w, uint32_t cycles) {
  struct nw_references *n = &w->references;

  n->s2[w->s2.level]++;
  if (w->s2_for_descriptor) {
    n->s2_for_s1[w->s1.level]++;
  } else {
    n->s2_final++;
  }
  w->result.walk_reads++;
  w->result.cycles += w->options.cycles->read + cycles;
}

static inline void answer_s2_read(struct nw_walk *w, uint64_t data, bool abort, uint32_t cycles) {
  count_s2_read(w, cycles);
  if (abort) {
    w->s2.descriptor.kind = NW_DESCRIPTOR_INVALID;
    fail(w, NW_FAULT_EXTERNAL_ABORT, 2, w->s2.level);
    return;
  }
  w->s2.raw = data;
  decode(w, &w->s2, w->regime->s2_format, w->s2_access);
  enum nw_fault_type verdict = stage2_verdict(w);
  if (verdict != NW_FAULT_NONE) {
    fail(w, verdict, 2, w->s2.level);
  } else if (must_update(w, &w->s2)) {
    w->state = S2_UPDATE;
  } else {
    stage2_use_descriptor(w);
  }
}

static void answer_s2_update(struct nw_walk *w, const struct nw_answer *answer) {
  w->result.cycles += w->options.cycles->update + answer->cycles;
  if (answer->abort) {
    fail(w, NW_FAULT_EXTERNAL_ABORT, 2, w->s2.level);
  } else if (answer->hit) {
    stage2_use_descriptor(w);
  } else {
    w->state = S2_READ; /* somebody else changed it: read, check and count again */
  }
}

/* ---- stage 1 ---- */

NWI_ALWAYS_INLINE void stage1_locate(struct nw_walk *w) {
  w->s1_descriptor_ipa = descriptor_address(&w->s1, w->regime->s1_format);
  if (w->stage2) {
    stage2_begin(w, w->s1_descriptor_ipa, (enum nw_access)w->regime->s1_read_access, true);
  } else {
    w->s1.descriptor_pa = w->s1_descriptor_ipa;
    w->state = S1_READ;
  }
}

/* Agile: goes on in a table of whoever `w->agile` says. The guest's first one is read where it is in
 * host memory, like a shadow table, but what it says is the guest's. */
static void agile_locate(struct nw_walk *w) {
  w->stage2 = w->agile >= IN_GUEST;
  stage1_locate(w);
  w->stage2 = w->agile != IN_SHADOW;
}

static void stage1_out_of_range(struct nw_walk *w) {
  w->s1.level = w->regime->range_level;
  fail_stage1(w, (enum nw_fault_type)w->regime->s1_range_fault);
}

static void stage1_begin(struct nw_walk *w) {
  const struct nw_root *root = nwi_regime_stage1_root(w->regime, w->s1.input);

  if (root == NULL || root->disabled) {
    stage1_out_of_range(w);
    return;
  }
  enter_root(&w->s1, root, w->regime->s1_format);
  if (w->options.walk_cache) {
    w->state = WALK_CACHE_LOOKUP;
  } else if (w->agile == NOT_AGILE) {
    stage1_locate(w);
  } else {
    agile_locate(w);
  }
}

static void answer_walk_cache(struct nw_walk *w, const struct nw_answer *answer) {
  w->result.cycles += w->options.cycles->walk_cache_lookup + answer->cycles;
  if (answer->hit) {
    enter_table(&w->s1, answer->contents.output, answer->contents.level, w->regime->s1_format);
    w->s1.limits = answer->contents.rights;
  }
  if (w->agile == NOT_AGILE) {
    stage1_locate(w);
    return;
  }
  if (answer->hit) {
    w->agile = answer->contents.attr;
  }
  agile_locate(w);
}

/* Stage 1 has given an address: through stage 2 with it, if there is one. */
static void stage1_done(struct nw_walk *w, uint64_t ipa) {
  struct nwi_attributes a = {w->s1.descriptor.attr, w->s1.descriptor.sh};

  if (w->stage2 && w->scope == NW_SCOPE_BOTH) {
    stage2_begin(w, ipa, (enum nw_access)w->request.access, false);
  } else {
    succeed(w, ipa, w->s1.descriptor.rights | NWI_R_S2_ALL, a);
  }
}

static void stage1_off(struct nw_walk *w) {
  if (w->request.va >> w->regime->va_bits) {
    stage1_out_of_range(w);
    return;
  }
  struct nwi_attributes a = nwi_attributes_stage1_off(w->regime, (enum nw_access)w->request.access);

  w->s1.descriptor.attr = a.attr;
  w->s1.descriptor.sh = a.sh;
  w->s1.descriptor.rights = NWI_R_S1_OFF;
  w->global = true;
  stage1_done(w, w->request.va);
}

NWI_ALWAYS_INLINE void stage1_descend(struct nw_walk *w) {
  w->s1.limits |= w->s1.descriptor.rights;
  w->s1.table = w->s1.descriptor.output;
  if (w->options.walk_cache) {
    hold_table(w);
  }
  enter_table(&w->s1, w->s1.descriptor.output, nwi_level_below(w->regime->s1_format, w->s1.level),
              w->regime->s1_format);
}

/* In the guest's own tables the switching bit is the guest's to use. */
NWI_NOINLINE static void agile_descend(struct nw_walk *w) {
  if (w->agile != IN_SHADOW || (w->s1.raw & w->regime->s1_format->switching_bit)) {
    w->agile++;
  }
  stage1_descend(w);
  agile_locate(w);
}

NWI_ALWAYS_INLINE void stage1_use_descriptor(struct nw_walk *w) {
  if (is_leaf(&w->s1)) {
    reach_leaf(&w->s1);
    w->global = w->s1.descriptor.global;
    w->result.s1_page_log2 = w->s1.descriptor.page_log2;
    stage1_done(w, w->s1.output);
    return;
  }
  if (w->agile != NOT_AGILE) {
    agile_descend(w);
    return;
  }
  stage1_descend(w);
  stage1_locate(w);
}

static inline enum nw_fault_type stage1_verdict(const struct nw_walk *w) {
  const struct nw_descriptor *d = &w->s1.descriptor;

  if (d->kind != NW_DESCRIPTOR_LEAF) {
    return verdict_without_leaf(d);
  }
  if (d->access_flag_clear) {
    return NW_FAULT_ACCESS_FLAG;
  }
  return nwi_rights_judge_stage1(w->regime, d->rights, (enum nw_access)w->request.access,
                                 (enum nw_privilege)w->request.privilege);
}

/* Stage 2 lets the page be written that the descriptor in hand was read from, and knows it dirty. */
static bool table_page_is_writable(const struct nw_walk *w) {
  uint32_t rights = w->s2.descriptor.rights;

  return (rights & NWI_R_S2_WRITE) && !(rights & NWI_R_S2_CLEAN);
}

/* The write of a stage-1 descriptor is itself an access that stage 2 judges; for one that was read at
 * its host address, whoever gave that address has vouched. */
static void stage1_update(struct nw_walk *w) {
  if (w->stage2 && w->agile != AT_SWITCH && !table_page_is_writable(w)) {
    stage2_begin_update(w);
  } else {
    w->state = S1_UPDATE;
  }
}

static inline void answer_s1_read(struct nw_walk *w, uint64_t data, bool abort, uint32_t cycles) {
  w->references.s1[w->s1.level]++;
  w->result.walk_reads++;
  w->result.cycles += w->options.cycles->read + cycles;
  if (abort) {
    w->s1.descriptor.kind = NW_DESCRIPTOR_INVALID;
    fail_stage1(w, NW_FAULT_EXTERNAL_ABORT);
    return;
  }
  w->s1.raw = in_s1_order(w, data);
  decode(w, &w->s1, w->regime->s1_format, w->request.access);
  enum nw_fault_type verdict = stage1_verdict(w);
  if (verdict != NW_FAULT_NONE) {
    fail_stage1(w, verdict);
  } else if (must_update(w, &w->s1)) {
    stage1_update(w);
  } else {
    stage1_use_descriptor(w);
  }
}

static void answer_s1_update(struct nw_walk *w, const struct nw_answer *answer) {
  w->result.cycles += w->options.cycles->update + answer->cycles;
  if (answer->abort) {
    fail_stage1(w, NW_FAULT_EXTERNAL_ABORT);
  } else if (answer->hit) {
    stage1_use_descriptor(w);
  } else {
    w->state = S1_READ; /* somebody else changed it: read, check and count again */
  }
}

/* ---- where the stages meet ---- */

/* SecondStageTranslate: with HCR.PTW, a stage-1 walk must not touch Device memory. */
static bool protected_walk_denies(const struct nw_walk *w) {
  return w->s2_for_descriptor && w->regime->protected_walk && nwi_is_device(w->s2.descriptor.attr);
}

static void stage2_done(struct nw_walk *w) {
  if (protected_walk_denies(w)) {
    fail(w, NW_FAULT_PERMISSION, 2, w->s2.level);
    return;
  }
  if (w->s2_for_descriptor) {
    w->s1.descriptor_pa = w->s2.output;
    w->state = w->s2_to_update ? S1_UPDATE : S1_READ;
    return;
  }
  struct nwi_attributes s1 = {w->s1.descriptor.attr, w->s1.descriptor.sh};
  struct nwi_attributes s2 = {w->s2.descriptor.attr, w->s2.descriptor.sh};

  w->result.s2_page_log2 = w->s2.descriptor.page_log2;
  succeed(w, w->s2.output, w->s1.descriptor.rights | w->s2.descriptor.rights,
          w->scope == NW_SCOPE_STAGE2 ? nwi_attributes_stage2_alone(w->regime, s2)
                                      : nwi_attributes_combine(w->regime, s1, s2));
}

/* Stage 2 alone; where it is off, an IPA is a PA and takes nothing from the access. */
static void stage2_alone(struct nw_walk *w) {
  static const struct nwi_attributes nothing_taken = {0xff, NWI_NON_SHAREABLE};

  w->s1.descriptor.rights = NWI_R_S1_OFF;
  w->global = true;
  if (w->stage2) {
    stage2_begin(w, w->request.va, (enum nw_access)w->request.access, false);
  } else {
    succeed(w, w->request.va, NWI_R_S1_OFF | NWI_R_S2_ALL, nothing_taken);
  }
}

/* ---- the public machine ---- */

void nwi_walk_begin_with(struct nw_walk *w, const struct nw_regime *regime,
                         const struct nw_request *request, enum nw_scope scope,
                         const struct nw_walk_options *options) {
  static const struct nw_walk_options plain = {.cycles = &free_steps};

  w->regime = regime;
  w->request = *request;
  w->options = options != NULL ? *options : plain;
  if (w->options.cycles == NULL) {
    w->options.cycles = &free_steps;
  }
  w->result = (struct nw_result){.cycles = w->options.cycles->begin};
  w->references = (struct nw_references){0};
  w->scope = scope;
  w->stage2 = regime->s2_enabled && !w->options.stage1_alone;
  w->agile = NOT_AGILE;
  w->s2_for_descriptor = false;
  w->fills = 0;
  w->fills_given = 0;
  w->s1.input = request->va;
  w->s1.descriptor.kind = NW_DESCRIPTOR_INVALID;
  w->s1.limits = 0;
  if (scope == NW_SCOPE_STAGE2) {
    stage2_alone(w);
  } else if (regime->s1_enabled) {
    if (regime->agile && w->stage2) {
      w->agile = regime->agile == NW_AGILE_ROOT ? AT_SWITCH : IN_SHADOW;
      w->stage2 = false;
    }
    stage1_begin(w);
  } else {
    stage1_off(w);
  }
}

void nw_walk_begin(struct nw_walk *w, const struct nw_regime *regime,
                   const struct nw_request *request, enum nw_scope scope,
                   const struct nw_walk_options *options) {
  w->snapshot = *regime;
  nwi_walk_begin_with(w, &w->snapshot, request, scope, options);
}

static void describe_access(const struct nw_walk *w, struct nw_step *step, unsigned stage) {
  const struct nw_stage_walk *s = stage == 1 ? &w->s1 : &w->s2;
  const struct nw_format *format = stage == 1 ? w->regime->s1_format : w->regime->s2_format;

  step->stage = (uint8_t)stage;
  step->level = (uint8_t)s->level;
  step->address = s->descriptor_pa;
  step->size = format->descriptor_bytes;
  step->space = stage == 1 && w->options.stage1_alone ? NW_SPACE_IPA : NW_SPACE_PA;
  step->ipa = stage == 1 ? w->s1_descriptor_ipa : w->s2.input;
  step->for_s1 = stage == 2 && w->s2_for_descriptor;
  step->s1_level = (uint8_t)w->s1.level;
}

static void describe_update(const struct nw_walk *w, struct nw_step *step, unsigned stage) {
  describe_access(w, step, stage);
  if (stage == 1) {
    step->old_value = in_s1_order(w, w->s1.raw);
    step->new_value = in_s1_order(w, w->s1.descriptor.updated);
  } else {
    step->old_value = w->s2.raw;
    step->new_value = w->s2.descriptor.updated;
  }
}

static void describe_lookup(const struct nw_walk *w, struct nw_step *step, enum nw_cache_id cache) {
  step->cache = (uint8_t)cache;
  step->address = cache == NW_WALK_CACHE ? w->s1.input : w->s2.input;
  step->contents.key = step->address;
  step->contents.asid = w->regime->asid;
  step->contents.vmid = w->regime->vmid;
}

enum nw_step_kind nw_walk_next(struct nw_walk *w, struct nw_step *step) {
  static const uint8_t kinds[] = {
      [WALK_CACHE_LOOKUP] = NW_STEP_LOOKUP,
      [IPA_CACHE_LOOKUP] = NW_STEP_LOOKUP,
      [S1_READ] = NW_STEP_READ,
      [S1_UPDATE] = NW_STEP_UPDATE,
      [S2_READ] = NW_STEP_READ,
      [S2_UPDATE] = NW_STEP_UPDATE,
      [FILL] = NW_STEP_FILL,
      [DONE] = NW_STEP_DONE,
  };

  step->kind = kinds[w->state];
  switch ((enum state)w->state) {
  case WALK_CACHE_LOOKUP:
    describe_lookup(w, step, NW_WALK_CACHE);
    break;
  case IPA_CACHE_LOOKUP:
    describe_lookup(w, step, NW_IPA_CACHE);
    break;
  case S1_READ:
    describe_access(w, step, 1);
    break;
  case S2_READ:
    describe_access(w, step, 2);
    break;
  case S1_UPDATE:
    describe_update(w, step, 1);
    break;
  case S2_UPDATE:
    describe_update(w, step, 2);
    break;
  case FILL:
    step->cache = w->fill_cache[w->fills_given];
    step->contents = w->fill[w->fills_given];
    break;
  case DONE:
    break;
  }
  return (enum nw_step_kind)step->kind;
}

static void answer_fill(struct nw_walk *w, const struct nw_answer *answer) {
  w->result.cycles += w->options.cycles->fill + answer->cycles;
  w->fills_given++;
  give_fills(w);
}

void nw_walk_answer(struct nw_walk *w, const struct nw_answer *answer) {
  switch ((enum state)w->state) {
  case WALK_CACHE_LOOKUP:
    answer_walk_cache(w, answer);
    break;
  case IPA_CACHE_LOOKUP:
    answer_ipa_cache(w, answer);
    break;
  case S1_READ:
    answer_s1_read(w, answer->data, answer->abort, answer->cycles);
    break;
  case S1_UPDATE:
    answer_s1_update(w, answer);
    break;
  case S2_READ:
    answer_s2_read(w, answer->data, answer->abort, answer->cycles);
    break;
  case S2_UPDATE:
    answer_s2_update(w, answer);
    break;
  case FILL:
    answer_fill(w, answer);
    break;
  case DONE:
    break;
  }
}

void nwi_walk_read_on(struct nw_walk *w, const struct nw_memory *memory) {
  while (w->state == S1_READ || w->state == S2_READ) {
    bool stage1 = w->state == S1_READ;
    const struct nw_format *format = stage1 ? w->regime->s1_format : w->regime->s2_format;
    uint64_t address = stage1 ? w->s1.descriptor_pa : w->s2.descriptor_pa;
    uint64_t data = 0;
    uint32_t cycles = 0;
    bool abort = !memory->read(memory->context, address, format->descriptor_bytes, &data, &cycles);

    if (stage1) {
      answer_s1_read(w, data, abort, cycles);
    } else {
      answer_s2_read(w, data, abort, cycles);
    }
  }
}

uint64_t nwi_step_descriptor(const struct nw_regime *regime, const struct nw_step *step,
                             uint64_t data) {
  return step->stage == 1 && regime->big_endian ? swap_bytes(data, step->size) : data;
}

const struct nw_result *nw_walk_result(const struct nw_walk *w) {
  return &w->result;
}

const struct nw_references *nw_walk_references(const struct nw_walk *w) {
  return &w->references;
}

unsigned nwi_walk_nested_levels(const struct nw_walk *w) {
  return w->agile == NOT_AGILE ? 0 : w->agile - IN_SHADOW;
}

bool nwi_walk_global(const struct nw_walk *w) {
  return w->global;
}
