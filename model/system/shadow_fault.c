/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shadow fault path: seven steps, each counted and priced. A fault that the guest's own tables
 * would give goes to the guest; a store to a table that is followed is made for the guest; anything
 * else is mended by an entry in the shadow tables.
 */
#include "core/rights.h"
#include "system/agile.h"
#include "system/architecture.h"
#include "system/ksm.h"
#include "system/shadow.h"

/* A fault on its way through the seven steps. */
struct fault_path {
  struct nw_machine *machine;
  const struct nw_request *request; /* as the guest made it */
  const struct nw_store *store;
  enum nw_view view;
  uint64_t descriptor[NW_LEVELS]; /* the guest's, by level, as its walk has left them */
  struct nw_result guest;         /* of the guest's own walk: its pa is an IPA */
  struct nw_result host;          /* of the walk of the host's own table */
  uint64_t step_cycles;           /* prices of the steps so far */
  uint64_t references;            /* cycles of references made before the step under way */
};

/* Ends a step: counts it, and what it and its references have cost. */
static void count_step(struct fault_path *path, enum nw_shadow_step step) {
  struct nw_machine *machine = path->machine;
  uint64_t cycles = machine->config.hypervisor.shadow.steps[step];
  machine->statistics->shadow_steps[step]++;
  machine->statistics->shadow_step_cycles[step] +=
      cycles + (machine->hypervisor->cycles - path->references);
  path->step_cycles += cycles;
  path->references = machine->hypervisor->cycles;
}

static enum nw_fault_outcome end(struct fault_path *path, enum nw_exit_cause cause,
                                 enum nw_fault_outcome outcome) {
  nw_hypervisor_end(path->machine->hypervisor, cause, path->step_cycles);
  return outcome;
}

/* -- the guest's side ----------------------------------------------------------------------- */

/*
 * Answers a step of the guest's walk through the hypervisor's own mapping of guest memory. Where
 * the guest's hardware would set an access or dirty flag, the hypervisor does: the real hardware
 * sees the shadow tables only.
 */
static void answer_guest(struct fault_path *path, const struct nw_step *step,
                         struct nw_answer *answer) {
  struct nw_machine *machine = path->machine;
  uint64_t pa, *descriptor = &path->descriptor[step->level];
  *answer = (struct nw_answer){.abort = true};
  if (!nw_hypervisor_back(machine->hypervisor, step->address, &pa))
    return;
  nw_hypervisor_reference(machine->hypervisor, pa);
  if (step->kind == NW_STEP_UPDATE) {
    answer->abort = !nw_physical_compare_and_swap(machine->memory, pa, step->size, step->old_value,
                                                  step->new_value, &answer->data);
    answer->hit = answer->data == step->old_value;
    *descriptor = answer->hit ? step->new_value : answer->data;
  } else {
    answer->abort = !nw_physical_read(machine->memory, pa, step->size, &answer->data);
    *descriptor = answer->data;
  }
}

static void walk_guest(struct fault_path *path) {
  static const struct nw_walk_options alone = {.stage1_alone = true};
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, &path->machine->guest_regime, path->request, NW_SCOPE_STAGE1, &alone);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer;
    answer_guest(path, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  path->guest = *nw_walk_result(&walk);
  count_step(path, NW_SHADOW_GUEST_WALK);
}

/* What the guest's own hardware would say of the request: costs nothing and changes nothing. */
static struct nw_fault native_fault(const struct fault_path *path) {
  const struct nw_machine *machine = path->machine;
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, &machine->guest_regime, path->request, NW_SCOPE_STAGE1, NULL);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {.hit = step.kind == NW_STEP_UPDATE};
    uint64_t pa;
    /* Memory that nothing backs yet reads as 0. */
    answer.abort = !nw_hypervisor_is_memory(machine->hypervisor, step.address);
    if (nw_hypervisor_backing(machine->hypervisor, step.address, &pa))
      nw_physical_read(machine->memory, pa, step.size, &answer.data);
    nw_walk_answer(&walk, &answer);
  }
  return nw_walk_result(&walk)->fault;
}

/* A fault that hardware delivers to the guest by itself, as the entry that it met says: nobody
 * exits and nobody walks. */
static bool is_delivered_by_hardware(struct fault_path *path, const struct nw_fault *found) {
  struct nw_machine *machine = path->machine;
  uint64_t guest;
  struct nw_shadow_role role = nw_shadow_root_role(machine, path->view, &guest);
  const struct nw_shadow_page *root = nw_shadow_find(nw_shadow_pages_of(machine), guest, &role);
  if (!machine->config.hypervisor.shadow.direct_faults || found->type != NW_FAULT_TRANSLATION ||
      root == NULL || !nw_shadow_shows_hole(nw_shadow_pages_of(machine), root, path->request->va))
    return false;
  machine->statistics->shadow_direct_faults++;
  machine->guest_fault = native_fault(path);
  return true;
}

/* -- the host's side ------------------------------------------------------------------------ */

/* The host's walk. When host memory is used up, shadow tables make room for the guest's. */
static bool walk_host(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  enum nw_access access = (enum nw_access)path->request->access;
  while (!nw_hypervisor_walk_host(machine->hypervisor, path->guest.pa, access, &path->host))
    if (!nw_shadow_evict(nw_shadow_pages_of(machine)))
      return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  return true;
}

static bool break_sharing(const struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  bool broken = nw_ksm_break(machine, path->guest.pa);
  while (!broken && nw_shadow_evict(nw_shadow_pages_of(machine)))
    broken = nw_ksm_break(machine, path->guest.pa);
  return broken;
}

static bool translate_host(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  if (!walk_host(path))
    return false;
  count_step(path, NW_SHADOW_HOST_WALK);
  /* A page that the host shares gets memory of its own when it is to be written. */
  bool shared = path->host.fault.type == NW_FAULT_PERMISSION &&
                !nw_hypervisor_is_writable(machine->hypervisor, path->guest.pa);
  if (shared && !(break_sharing(path) && walk_host(path)))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  count_step(path, NW_SHADOW_HOST_PERMISSIONS);
  return path->host.fault.type == NW_FAULT_NONE || nw_machine_fail(machine, NW_MACHINE_NO_PROGRESS);
}

/* -- the shadow's side ---------------------------------------------------------------------- */

/* The role and guest address of the table below the entry of `role` that the path goes through. */
static void descend(const struct fault_path *path, struct nw_shadow_role *role, uint64_t *guest) {
  const struct nw_regime *regime = &path->machine->guest_regime;
  const struct nw_format *format = regime->s1_format;
  uint64_t mask = (UINT64_C(1) << format->shift[role->level]) - 1;
  if (!role->direct) {
    struct nwi_decode_context context = {.regime = regime,
                                         .limits = role->rights,
                                         .level = role->level,
                                         .access = path->request->access};
    struct nw_descriptor meaning;
    format->decode(&context, path->descriptor[role->level], &meaning);
    role->direct = meaning.kind == NW_DESCRIPTOR_LEAF;
    role->rights = meaning.rights;
    *guest = meaning.output;
  }
  if (role->direct)
    *guest = path->guest.pa & ~mask;
  role->va = path->request->va & ~mask;
  role->level = nwi_level_below(format, role->level);
}

/* The largest leaf for the path's page that a table of `level` can hold; 0 when it has to stand
 * further down. */
static uint8_t leaf_at(const struct fault_path *path, uint8_t level) {
  const struct nw_format *format = path->machine->guest_regime.s1_format;
  struct nw_shadows *pages = nw_shadow_pages_of(path->machine);
  uint8_t log2 = nw_shadow_leaf_log2(pages, path->guest.pa, path->guest.page_log2);
  while (log2 > NW_FRAME_LOG2 && format->shift[format->leaf_level(log2)] > format->shift[level])
    log2 = nw_shadow_leaf_log2(pages, path->guest.pa, (uint8_t)(log2 - 1));
  return format->leaf_level(log2) == level ? log2 : 0;
}

/* Makes, or finds, the shadow tables down to the leaf's, along what the guest's walk has read. Where
 * the walk turns nested, that is as far as they go: `log2` is 0 then. */
static struct nw_shadow_page *make_tables(struct fault_path *path, uint8_t *log2) {
  struct nw_shadows *pages = nw_shadow_pages_of(path->machine);
  uint64_t guest, va = path->request->va;
  struct nw_shadow_role role = nw_shadow_root_role(path->machine, path->view, &guest);
  struct nw_shadow_page *page = nw_shadow_get(pages, guest, &role);
  while (page != NULL) {
    nw_shadow_pin(pages, page);
    *log2 = leaf_at(path, role.level);
    if (*log2 != 0)
      break;
    descend(path, &role, &guest);
    role.nested = !role.direct && nw_agile_nests(path->machine, guest);
    struct nw_shadow_page *child = nw_shadow_get(pages, guest, &role);
    if (child != NULL)
      nw_shadow_link(pages, page, va, child);
    page = child;
    if (role.nested)
      break;
  }
  nw_shadow_unpin(pages);
  return page;
}

static bool establish(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  struct nw_shadows *pages = nw_shadow_pages_of(machine);
  struct nw_shadow_mapping mapping = {
      .va = path->request->va,
      .ipa = path->guest.pa,
      .rights = path->guest.rights,
      .supervisor = path->request->privilege == NW_PRIVILEGED && path->request->access == NW_WRITE,
      .writable = nw_hypervisor_is_writable(machine->hypervisor, path->guest.pa)};
  struct nw_shadow_page *page = make_tables(path, &mapping.log2);
  if (page != NULL && mapping.log2 != 0) {
    nw_shadow_map(pages, page, &mapping);
    if (mapping.log2 == NW_FRAME_LOG2)
      nw_shadow_prefetch(pages, page, mapping.va);
  }
  count_step(path, NW_SHADOW_ESTABLISH);
  return page != NULL && machine->status == NW_MACHINE_OK;
}

/* The guest's store to one of its tables is made for it; the shadow tables follow. A program's
 * store to such a frame changes no descriptor, for what programs store is not simulated. */
static void emulate_store(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  struct nw_shadows *pages = nw_shadow_pages_of(machine);
  uint64_t ipa = path->guest.pa, pa = path->host.pa;
  nw_hypervisor_reference(machine->hypervisor, pa);
  nw_ksm_note(machine, ipa, NW_CONTENT_OWN);
  if (path->store != NULL && path->store->size == NW_STORE_FRAME) {
    nw_physical_clear_frame(machine->memory, pa);
    nw_shadow_filled(pages, ipa);
  } else if (path->store != NULL) {
    if (!nw_physical_write(machine->memory, pa, path->store->size, path->store->value))
      nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    nw_shadow_stored(pages, ipa, true);
    nw_agile_stored(machine, ipa);
  }
  count_step(path, NW_SHADOW_ESTABLISH);
}

static void invalidate_page(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  const struct nw_shadow_state *shadow = machine->mode_state;
  if (path->view == shadow->view)
    nw_mmu_invalidate(machine->mmu, machine->software->maintenance.page,
                      (path->request->va & ~(NW_FRAME_BYTES - 1)) | shadow->asid);
}

/* Whether the access is a store to a table that is followed, and cannot be let go unseen. */
static bool has_to_be_emulated(const struct fault_path *path) {
  struct nw_shadows *pages = nw_shadow_pages_of(path->machine);
  return path->request->access == NW_WRITE && nw_shadow_is_protected(pages, path->guest.pa) &&
         !nw_shadow_unsync(pages, path->guest.pa);
}

enum nw_fault_outcome nw_shadow_fault(struct nw_machine *machine, const struct nw_request *request,
                                      const struct nw_fault *found, const struct nw_store *store) {
  struct fault_path path = {.machine = machine,
                            .request = request,
                            .store = store,
                            .view = nw_shadow_view_of(machine, request->privilege)};
  nw_hypervisor_begin(machine->hypervisor);
  if (found->type == NW_FAULT_EXTERNAL_ABORT) {
    nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
    return NW_OUTCOME_FAILED;
  }
  if (is_delivered_by_hardware(&path, found))
    return NW_OUTCOME_GUEST;
  walk_guest(&path);
  count_step(&path, NW_SHADOW_GUEST_PERMISSIONS);
  if (path.guest.fault.type != NW_FAULT_NONE) {
    machine->guest_fault = path.guest.fault;
    return end(&path, NW_EXIT_INJECTED_FAULT, NW_OUTCOME_GUEST);
  }
  count_step(&path, NW_SHADOW_SLOT);
  if (nw_machine_is_mmio(machine, path.guest.pa))
    return end(&path, NW_EXIT_MMIO, NW_OUTCOME_EMULATED);
  if (!nw_hypervisor_is_memory(machine->hypervisor, path.guest.pa)) {
    nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
    return end(&path, NW_EXIT_HIDDEN_FAULT, NW_OUTCOME_FAILED);
  }
  if (!translate_host(&path))
    return end(&path, NW_EXIT_HIDDEN_FAULT, NW_OUTCOME_FAILED);
  if (has_to_be_emulated(&path)) {
    emulate_store(&path);
    count_step(&path, NW_SHADOW_INVALIDATE);
    return end(&path, NW_EXIT_PTE_WRITE, NW_OUTCOME_EMULATED);
  }
  bool established = establish(&path) && nw_shadow_load_root(machine);
  invalidate_page(&path);
  count_step(&path, NW_SHADOW_INVALIDATE);
  return end(&path, NW_EXIT_HIDDEN_FAULT, established ? NW_OUTCOME_RETRY : NW_OUTCOME_FAILED);
}
