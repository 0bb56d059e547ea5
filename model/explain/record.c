/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/record.h"

#include <string.h>

#include "core/walk_cycles.h"
#include "core/walker.h"

const struct nw_walk_cycles nw_record_costs = NWI_WALK_CYCLES_DEFAULT;

/* -- noting ------------------------------------------------------------------------------------ */

static struct nw_recorded_step *append(struct nw_step_list *list, const struct nw_step *step) {
  if (list->count == NW_RECORD_STEPS) {
    list->lost++;
    return NULL;
  }
  struct nw_recorded_step *added = &list->step[list->count++];
  *added = (struct nw_recorded_step){.step = *step};
  return added;
}

static void note_probe(void *context, const struct nwi_probe *probe) {
  struct nw_walk_record *record = context;
  record->probe[record->probes++] = *probe;
}

static void note_step(void *context, const struct nw_step *step, const struct nw_answer *answer,
                      uint32_t cycles) {
  struct nw_walk_record *record = context;
  bool read = step->kind == NW_STEP_READ;
  record->references += read;
  struct nw_recorded_step *noted = append(&record->made, step);
  if (!noted)
    return;
  noted->descriptor =
      nwi_step_descriptor(&record->regime, step, read ? answer->data : step->new_value);
  noted->cycles = cycles;
  noted->order = read ? (uint16_t)record->references : 0;
  noted->abort = answer->abort;
  noted->hit = answer->hit;
}

static void note_cold(void *context, const struct nw_step *step, const struct nw_answer *answer,
                      uint32_t cycles) {
  struct nw_walk_record *record = context;
  (void)answer;
  (void)cycles;
  if (step->kind == NW_STEP_READ)
    append(&record->cold, step);
}

/* A debug request updates nothing on its way. */
static void walk_cold(struct nw_walk_record *record, const struct nw_memory *peek) {
  struct nwi_observer observer = {.context = record, .step = note_cold};
  struct nw_request request = record->request;
  struct nw_walk walk;
  request.debug = true;
  nw_walk_begin(&walk, &record->regime, &request, record->scope, NULL);
  nwi_walk_observe(&walk, peek, &observer);
}

static void begin(struct nw_walk_record *record, const struct nw_regime *regime,
                  const struct nw_request *request, enum nw_scope scope,
                  const struct nw_walk_cycles *costs) {
  memset(record, 0, sizeof(*record));
  record->regime = *regime;
  record->request = *request;
  record->scope = scope;
  record->costs = *costs;
}

/* -- recording --------------------------------------------------------------------------------- */

void nw_record_walk(struct nw_walk_record *record, const struct nw_regime *regime,
                    const struct nw_request *request, enum nw_scope scope,
                    const struct nw_walk_cycles *costs, const struct nw_memory *memory) {
  struct nwi_observer observer = {.context = record, .step = note_step};
  struct nw_walk_options options = {.cycles = &record->costs};
  struct nw_walk walk;
  begin(record, regime, request, scope, costs);
  walk_cold(record, memory);
  nw_walk_begin(&walk, &record->regime, request, scope, &options);
  nwi_walk_observe(&walk, memory, &observer);
  record->result = *nw_walk_result(&walk);
}

bool nw_record_translation(struct nw_walk_record *record, struct nw_mmu *mmu,
                           const struct nw_request *request, const struct nw_walk_cycles *costs,
                           const struct nw_memory *memory, const struct nw_memory *peek) {
  struct nwi_observer observer = {.context = record, .probe = note_probe, .step = note_step};
  begin(record, nw_mmu_regime(mmu), request, NW_SCOPE_BOTH, costs);
  walk_cold(record, peek);
  return nwi_mmu_observe(mmu, request, memory, &observer, &record->result);
}

const struct nwi_probe *nw_record_tlb_hit(const struct nw_walk_record *record) {
  const struct nwi_probe *last = record->probes ? &record->probe[record->probes - 1] : NULL;
  return last && last->found && !last->denied ? last : NULL;
}
