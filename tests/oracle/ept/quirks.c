/* SPDX-License-Identifier: Apache-2.0 */
#include "quirks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case/answer.h"

/* Of a guest's entry. */
#define USER (1ull << 2)
#define ACCESSED (1ull << 5)
#define DIRTY (1ull << 6)
#define KEY_SHIFT 59

#define CR0_WP (1ull << 16)
#define CR4_PKE (1ull << 22)
#define ALL_ACCESS_DISABLE 0x55555555ull /* the AD bits of PKRU */

/* Of an entry of EPT. */
#define LARGE (1ull << 7)
#define PAGE_BIT (1ull << 12)

#define EPT_READ 1u /* exit qualification */

enum quirk quirk_by_name(const char *name) {
  static const char *const names[QUIRKS] = {
      [QUIRK_LATE_FLAGS] = "late-flags",
      [QUIRK_UNCHECKED_FLAGS] = "unchecked-flags",
      [QUIRK_UNTOLD_READ] = "untold-read",
      [QUIRK_SUPERVISOR_SPARED] = "supervisor-spared",
      [QUIRK_SUPERVISOR_PAGE_KEYS] = "supervisor-page-keys",
      [QUIRK_PAGE_BIT] = "page-bit",
  };
  unsigned i = 0;
  while (i < QUIRKS && strcmp(names[i], name) != 0)
    i++;
  return (enum quirk)i;
}

/* -- the model's walk, noted --------------------------------------------------------------------- */

struct entry {
  uint64_t address, value;
  uint64_t ipa; /* stage 2: the walk that it belongs to */
  bool final;   /* which is for the page, not for a table */
};

struct notes {
  struct entry guest[NW_LEVELS]; /* the guest's entries as read */
  size_t guests;
  struct entry ept[QUIRK_UPDATES]; /* updates of EPT */
  size_t epts;
  uint64_t ipa;      /* of the last walk of stage 2 */
  uint64_t page_bit; /* what was not looked at of the entry of EPT read last */
  bool page_bits;    /* that it was something at all */
};

static void note(struct notes *notes, const struct nw_step *step, const struct nw_answer *answer) {
  struct entry entry = {step->address, answer->data, step->ipa, step->stage == 2 && !step->for_s1};
  if (step->stage == 2)
    notes->ipa = step->ipa;
  if (step->stage == 1 && step->kind == NW_STEP_READ && notes->guests < NW_LEVELS)
    notes->guest[notes->guests++] = entry;
  entry.value = step->new_value;
  if (step->stage == 2 && step->kind == NW_STEP_UPDATE && notes->epts < QUIRK_UPDATES)
    notes->ept[notes->epts++] = entry;
}

/* What the walk is to see of an entry, and to have in mind when it writes it back: the guest's with
 * their flags set from the start, so that none has to be; EPT's without what Bochs does not look at. */
static void disguise(struct notes *notes, const struct nw_step *step, struct nw_answer *answer) {
  bool large = step->stage == 2 && (step->level == 2 || step->level == 3) && (answer->data & LARGE);
  if (step->kind != NW_STEP_READ)
    return;
  notes->page_bit = large ? answer->data & PAGE_BIT : 0;
  notes->page_bits |= notes->page_bit != 0;
  answer->data &= ~notes->page_bit;
  if (step->stage == 1)
    answer->data |= ACCESSED | DIRTY;
}

static void walk(struct nw_case_reader *reader, const struct nw_regime *regime, bool disguised,
                 struct notes *notes, struct nw_result *result) {
  struct nw_walk walk;
  struct nw_step step;
  struct nw_answer answer;
  memset(notes, 0, sizeof(*notes));
  nw_case_memory_undo(reader->memory);
  nw_walk_begin(&walk, regime, &reader->request, reader->scope, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    if (step.kind == NW_STEP_UPDATE) {
      step.old_value |= notes->page_bit;
      step.new_value |= notes->page_bit;
    }
    nw_case_serve(reader->memory, &step, &answer);
    note(notes, &step, &answer);
    if (disguised)
      disguise(notes, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  *result = *nw_walk_result(&walk);
}

/* -- keys ---------------------------------------------------------------------------------------- */

static bool is_fault_of_stage1(const struct nw_fault *fault) {
  return fault->type != NW_FAULT_NONE && fault->stage == 1;
}

/* Whether the walk has come to the guest's leaf, so that what may be done there is decided. */
static bool reached_leaf(const struct nw_fault *fault) {
  if (is_fault_of_stage1(fault))
    return fault->type == NW_FAULT_PERMISSION;
  return fault->type == NW_FAULT_NONE || !fault->s1walk;
}

static bool is_supervisor_page(const struct notes *notes) {
  for (size_t i = 0; i < notes->guests; i++)
    if (!(notes->guest[i].value & USER))
      return true;
  return false;
}

/* As Bochs has it: access-disable binds the user, write-disable with CR0.WP the supervisor as well. */
static bool key_denies(const struct nw_regime *regime, const struct nw_request *request,
                       uint64_t leaf) {
  unsigned key = leaf >> KEY_SHIFT & 15;
  bool user = request->privilege == NW_USER;
  bool access_disable = regime->reg[NW_X86_PKRU] >> 2 * key & 1;
  bool write_disable = regime->reg[NW_X86_PKRU] >> (2 * key + 1) & 1;
  if (!(regime->reg[NW_X86_CR4] & CR4_PKE) || request->access == NW_EXECUTE)
    return false;
  return (access_disable && user) || (write_disable && request->access == NW_WRITE &&
                                      (user || (regime->reg[NW_X86_CR0] & CR0_WP)));
}

static void apply_page_keys(const struct nw_case_reader *reader, const struct notes *notes,
                            struct quirk_answer *answer) {
  struct nw_fault *fault = &answer->result.fault;
  if (!notes->guests || !reached_leaf(fault) || !is_supervisor_page(notes) ||
      !key_denies(&reader->regime, &reader->request, notes->guest[notes->guests - 1].value))
    return;
  if (!is_fault_of_stage1(fault))
    *fault = (struct nw_fault){.type = NW_FAULT_PERMISSION,
                               .stage = 1,
                               .level = 1,
                               .access = reader->request.access,
                               .failing_access = reader->request.access,
                               .privilege = reader->request.privilege,
                               .va = reader->request.va};
  fault->key = true;
  answer->shows[QUIRK_SUPERVISOR_PAGE_KEYS] = true;
}

/* -- fields -------------------------------------------------------------------------------------- */

static void format(struct nw_case_reader *reader, struct quirk_answer *answer) {
  char text[NW_CASE_ANSWER_SIZE];
  bool update_check = reader->update_check;
  reader->update_check = false;
  nw_case_format(reader, &answer->result, text);
  reader->update_check = update_check;
  fields_cut(&answer->fields, text);
}

/* Whether the guest's entry is one of a lower level as well. */
static bool is_read_again(const struct notes *notes, size_t i) {
  for (size_t j = i + 1; j < notes->guests; j++)
    if (notes->guest[j].address == notes->guest[i].address)
      return true;
  return false;
}

/* Whether the walk of stage 2 that the update belongs to came to its end. */
static bool ended(const struct entry *update, const struct notes *notes,
                  const struct nw_fault *fault) {
  if (fault->type == NW_FAULT_NONE)
    return true;
  return fault->stage == 2 ? update->ipa != notes->ipa : !update->final;
}

/* What Bochs has written by the end: of EPT, all but what the walk that faults would have; of the
 * guest's entries all or nothing. */
static void add_updates(const struct nw_case_reader *reader, const struct notes *notes,
                        struct quirk_answer *answer) {
  const struct nw_fault *fault = &answer->result.fault;
  bool stage2_faults = fault->type != NW_FAULT_NONE && fault->stage == 2;
  size_t count = 0;
  for (size_t i = 0; i < notes->epts; i++)
    if (ended(&notes->ept[i], notes, fault))
      fields_add_update(&answer->fields, notes->ept[i].address, notes->ept[i].value,
                        answer->update[count++]);
  if (is_fault_of_stage1(fault) || (stage2_faults && fault->s1walk))
    return;
  for (size_t i = 0; i < notes->guests && count < QUIRK_UPDATES; i++) {
    if (is_read_again(notes, i))
      continue;
    bool dirty = i + 1 == notes->guests && reader->request.access == NW_WRITE;
    uint64_t old = notes->guest[i].value, new = old | ACCESSED | (dirty ? DIRTY : 0);
    if (new != old)
      fields_add_update(&answer->fields, notes->guest[i].address, new, answer->update[count++]);
  }
}

static void leave_out_read(const struct nw_regime *regime, struct quirk_answer *answer) {
  const struct nw_fault *fault = &answer->result.fault;
  if (!regime->s2_flags || fault->stage != 2 || !fault->s1walk || fault->type == NW_FAULT_MISCONFIG)
    return;
  for (size_t i = 0; i < answer->fields.count; i++) {
    const char *value = answer->fields.field[i].value;
    if (strcmp(answer->fields.field[i].name, "syndrome") != 0)
      continue;
    uint64_t qualification = strtoull(value + strlen("EPT:"), NULL, 0);
    snprintf(answer->syndrome, sizeof(answer->syndrome), "EPT:0x%" PRIx64,
             qualification & ~(uint64_t)EPT_READ);
    answer->fields.field[i].value = answer->syndrome;
    answer->shows[QUIRK_UNTOLD_READ] = true;
  }
}

/* -- all ----------------------------------------------------------------------------------------- */

bool quirks_same_fault(const struct nw_result *a, const struct nw_result *b) {
  return a->fault.type == b->fault.type && a->fault.stage == b->fault.stage &&
         a->fault.s1walk == b->fault.s1walk && a->fault.level == b->fault.level;
}

/* PKRU without what does not bind the supervisor. */
static struct nw_regime regime_of(const struct nw_case_reader *reader) {
  struct nw_regime regime = reader->regime;
  if (reader->request.privilege == NW_PRIVILEGED)
    nw_regime_write(&regime, NW_X86_PKRU, regime.reg[NW_X86_PKRU] & ~ALL_ACCESS_DISABLE);
  return regime;
}

void quirks_answer(struct nw_case_reader *reader, const struct fields *model,
                   struct quirk_answer *answer) {
  struct notes notes;
  struct nw_result right, keyless;
  struct nw_regime regime = regime_of(reader);
  memset(answer->shows, 0, sizeof(answer->shows));
  walk(reader, &reader->regime, false, &notes, &right);
  walk(reader, &regime, false, &notes, &keyless);
  walk(reader, &regime, true, &notes, &answer->result);
  answer->shows[QUIRK_SUPERVISOR_SPARED] =
      right.fault.key && (!keyless.fault.key || !quirks_same_fault(&right, &keyless));
  bool other = !quirks_same_fault(&keyless, &answer->result);
  answer->shows[QUIRK_PAGE_BIT] = other && notes.page_bits;
  answer->shows[QUIRK_UNCHECKED_FLAGS] = other && !notes.page_bits;
  apply_page_keys(reader, &notes, answer);
  format(reader, answer);
  if (reader->update_check) {
    add_updates(reader, &notes, answer);
    answer->shows[QUIRK_LATE_FLAGS] = !fields_same_updates(model, &answer->fields);
  }
  leave_out_read(&reader->regime, answer);
  nw_case_memory_undo(reader->memory);
}
