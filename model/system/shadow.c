/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow paging: the hardware walks tables that the hypervisor makes from the guest's and its own
 * map, filled as faults come. The guest's tables are write-protected; every store to one, every
 * root or other translation register and every TLB maintenance operation of the guest exits.
 *
 * ARMv7 cannot route a guest's own stage-1 aborts to the hypervisor alone, so the guest runs
 * de-privileged: both its privileges in user mode, each under its own view of the shadow tables,
 * and every crossing between program and guest kernel exits, too.
 *
 * Invariant: the hardware's root is the shadow, under the view of whoever runs, of the root in the
 * guest's TTBR0.
 */
#include "system/shadow.h"

#include <stdlib.h>

#define SCTLR_M (1u << 0)
#define SCTLR_C (1u << 2)
#define SCTLR_I (1u << 12)
#define DACR_CLIENT 0x1u /* shadow tables use domain 0; the guest's DACR goes into the leaves */
#define ASID_SHIFT 48
#define SHORT_ROOT 16384u

struct shadow {
  struct nw_shadows *pages;
  enum nw_view view; /* of whoever runs */
  uint64_t root;     /* as it is in the hardware's registers */
  uint32_t asid;
  uint64_t nothing; /* a root without entries, for when there is no memory for the right one */
  bool is_short;
};

/* One guest table that a walk has read. */
struct table_read {
  uint64_t descriptor;
  uint8_t level;
};

/* A fault on its way through the seven steps. */
struct fault_path {
  struct nw_machine *machine;
  const struct nw_request *request; /* as the guest made it */
  const struct nw_store *store;
  enum nw_view view;
  struct table_read read[NW_LEVELS];
  unsigned reads;
  struct nw_result guest; /* of the guest's own walk: its pa is an IPA */
  struct nw_result host;  /* of the walk of the host's own table */
  uint64_t step_cycles;   /* prices of the steps so far */
  uint64_t references;    /* cycles of references made before the step under way */
};

struct nw_shadows *nw_shadow_pages_of(const struct nw_machine *machine) {
  const struct shadow *shadow = machine->mode_state;
  return shadow->pages;
}

/* -- roots and views ------------------------------------------------------------------------ */

static enum nw_view view_of(const struct nw_machine *machine, uint8_t privilege) {
  if (!machine->config.guest.deprivileged)
    return NW_VIEW_BOTH;
  return privilege == NW_USER ? NW_VIEW_USER : NW_VIEW_KERNEL;
}

static struct nw_shadow_key root_key(const struct nw_machine *machine, enum nw_view view) {
  const struct nw_root *root = &machine->guest_regime.s1_root[0];
  return (struct nw_shadow_key){
      .guest = root->base, .level = root->start_level, .view = (uint8_t)view};
}

static void write_root(struct nw_machine *machine, uint64_t root, uint32_t asid) {
  struct shadow *shadow = machine->mode_state;
  if (root == shadow->root && asid == shadow->asid)
    return;
  shadow->root = root;
  shadow->asid = asid;
  if (shadow->is_short) {
    nw_mmu_write_register(machine->mmu, NW_REG_CONTEXTIDR, asid);
    nw_mmu_write_register(machine->mmu, NW_REG_TTBR0, root);
  } else {
    nw_mmu_write_register(machine->mmu, NW_REG_TTBR0, root | (uint64_t)asid << ASID_SHIFT);
  }
}

/* Makes the hardware use the running view's shadow of the guest's root; without memory for that,
 * nothing is mapped, so that the next access faults and tries again. */
static bool load_root(struct nw_machine *machine) {
  struct shadow *shadow = machine->mode_state;
  if (!machine->guest_regime.s1_enabled)
    return true;
  struct nw_shadow_key key = root_key(machine, shadow->view);
  struct nw_shadow_page *page = nw_shadow_get(shadow->pages, &key);
  nw_shadow_set_loaded(shadow->pages, page);
  if (page == NULL)
    write_root(machine, shadow->nothing, 0);
  else
    write_root(machine, nw_shadow_table(page), nw_shadow_asid(shadow->pages, page));
  return page != NULL;
}

static void cross(struct nw_machine *machine, enum nw_view view, bool exits) {
  struct shadow *shadow = machine->mode_state;
  if (!machine->config.guest.deprivileged)
    return;
  shadow->view = view;
  nw_hypervisor_begin(machine->hypervisor);
  load_root(machine);
  if (exits)
    nw_hypervisor_end(machine->hypervisor, NW_EXIT_PRIVILEGE_SWITCH, 0);
}

static void enter_kernel(struct nw_machine *machine, bool exits) {
  cross(machine, NW_VIEW_KERNEL, exits);
}

static void leave_kernel(struct nw_machine *machine, bool exits) {
  cross(machine, NW_VIEW_USER, exits);
}

/* -- the guest's privileged operations ------------------------------------------------------ */

static void write_register(struct nw_machine *machine, enum nw_register reg, uint64_t value) {
  struct shadow *shadow = machine->mode_state;
  (void)value; /* guest_regime has it already */
  nw_hypervisor_begin(machine->hypervisor);
  if (reg != NW_REG_TTBR0 && reg != NW_REG_CONTEXTIDR) {
    nw_shadow_drop_all(shadow->pages);
    shadow->root = 0;
  }
  load_root(machine);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_ROOT_WRITE, 0);
}

/* Drops what the hardware holds under the ASIDs of both views of the running address space. */
static void invalidate_asid(struct nw_machine *machine) {
  struct shadow *shadow = machine->mode_state;
  for (unsigned view = NW_VIEW_USER; view <= NW_VIEW_BOTH; view++) {
    struct nw_shadow_key key = root_key(machine, (enum nw_view)view);
    struct nw_shadow_page *page = nw_shadow_find(shadow->pages, &key);
    if (page != NULL)
      nw_mmu_invalidate(machine->mmu, NW_TLBI_ASID, nw_shadow_asid(shadow->pages, page));
  }
}

/*
 * The shadow tables follow the guest's tables at once, and the TLB follows the shadow tables, so
 * nothing stale is left for the guest to invalidate. What it asks for is still done, in terms of
 * the hardware's ASIDs; an ASID that does not run has nothing that is not already gone.
 */
static void invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  uint16_t asid = machine->guest_regime.asid;
  nw_hypervisor_begin(machine->hypervisor);
  switch (operation) {
  case NW_TLBI_MVA:
  case NW_TLBI_MVAA:
  case NW_ITLBI_MVA:
  case NW_DTLBI_MVA:
    nw_mmu_invalidate(machine->mmu, NW_TLBI_MVAA, operand & ~(NW_FRAME_BYTES - 1));
    break;
  case NW_TLBI_ASID:
  case NW_ITLBI_ASID:
  case NW_DTLBI_ASID:
    if ((operand & 0xff) == asid)
      invalidate_asid(machine);
    break;
  default:
    nw_mmu_invalidate(machine->mmu, NW_TLBI_ALL, 0);
    break;
  }
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_TLB_MAINTENANCE, 0);
}

/* -- the fault path ------------------------------------------------------------------------- */

/* Ends a step: counts it, and what it and its references have cost. */
static void count_step(struct fault_path *path, enum nw_shadow_step step) {
  struct nw_machine *machine = path->machine;
  uint64_t cycles = machine->config.hypervisor.shadow_steps[step];
  machine->statistics->shadow_steps[step]++;
  machine->statistics->shadow_step_cycles[step] +=
      cycles + (machine->hypervisor->cycles - path->references);
  path->step_cycles += cycles;
  path->references = machine->hypervisor->cycles;
}

/* Reads a guest descriptor through the hypervisor's own mapping of guest memory. */
static void read_guest(struct fault_path *path, const struct nw_step *step,
                       struct nw_answer *answer) {
  struct nw_machine *machine = path->machine;
  uint64_t pa;
  *answer = (struct nw_answer){.abort = true};
  if (!nw_hypervisor_back(machine->hypervisor, step->address, &pa))
    return;
  nw_hypervisor_reference(machine->hypervisor, pa);
  answer->abort = !nw_physical_read(machine->memory, pa, step->size, &answer->data);
  path->read[path->reads++] = (struct table_read){answer->data, step->level};
}

static void walk_guest(struct fault_path *path) {
  static const struct nw_walk_options alone = {.stage1_alone = true};
  struct nw_walk walk;
  struct nw_step step;
  nw_walk_begin(&walk, &path->machine->guest_regime, path->request, NW_SCOPE_STAGE1, &alone);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer;
    read_guest(path, &step, &answer);
    nw_walk_answer(&walk, &answer);
  }
  path->guest = *nw_walk_result(&walk);
  count_step(path, NW_SHADOW_GUEST_WALK);
}

/* Makes, or finds, the shadow tables down to the last level, along what the guest's walk has read,
 * and sets the leaf. */
static bool establish(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  struct nw_shadows *pages = nw_shadow_pages_of(machine);
  const struct nw_format *format = machine->guest_regime.s1_format;
  uint64_t va = path->request->va, ipa = path->guest.pa;
  struct nw_shadow_key key = root_key(machine, path->view);
  struct nw_shadow_page *page = nw_shadow_get(pages, &key);
  nw_shadow_set_busy(pages, page);
  for (unsigned i = 0; page != NULL && key.level < format->last_level; i++) {
    struct nwi_decode_context context = {.regime = &machine->guest_regime,
                                         .limits = key.rights,
                                         .level = key.level,
                                         .access = path->request->access};
    struct nw_descriptor meaning;
    uint64_t mask = (UINT64_C(1) << format->shift[key.level]) - 1;
    if (!key.direct) {
      format->decode(&context, path->read[i].descriptor, &meaning);
      key.direct = meaning.kind == NW_DESCRIPTOR_LEAF;
      key.rights = meaning.rights;
    }
    key.guest = key.direct ? ipa & ~mask : meaning.output;
    key.va = va & ~mask;
    key.level++;
    struct nw_shadow_page *child = nw_shadow_get(pages, &key);
    if (child != NULL)
      nw_shadow_link(pages, page, va, child);
    page = child;
  }
  nw_shadow_set_busy(pages, NULL);
  if (page != NULL)
    nw_shadow_set_leaf(pages, page, va, ipa, path->guest.rights);
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
  if (path->store != NULL && path->store->size == NW_STORE_FRAME) {
    nw_physical_clear_frame(machine->memory, pa);
    nw_shadow_filled(pages, ipa);
  } else if (path->store != NULL) {
    if (!nw_physical_write(machine->memory, pa, path->store->size, path->store->value))
      nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
    nw_shadow_stored(pages, ipa);
  }
  count_step(path, NW_SHADOW_ESTABLISH);
}

static enum nw_fault_outcome end(struct fault_path *path, enum nw_exit_cause cause,
                                 enum nw_fault_outcome outcome) {
  nw_hypervisor_end(path->machine->hypervisor, cause, path->step_cycles);
  return outcome;
}

/* The steps on the host's side: its own table, its own permissions. When host memory is used up,
 * idle shadow tables make room for the guest's. */
static bool translate_host(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  enum nw_access access = (enum nw_access)path->request->access;
  uint64_t ipa = path->guest.pa;
  if (!nw_hypervisor_walk_host(hypervisor, ipa, access, &path->host) &&
      !(nw_shadow_give_up_idle(nw_shadow_pages_of(machine)) &&
        nw_hypervisor_walk_host(hypervisor, ipa, access, &path->host)))
    return nw_machine_fail(machine, NW_MACHINE_OUT_OF_HOST_MEMORY);
  count_step(path, NW_SHADOW_HOST_WALK);
  count_step(path, NW_SHADOW_HOST_PERMISSIONS);
  return path->host.fault.type == NW_FAULT_NONE || nw_machine_fail(machine, NW_MACHINE_NO_PROGRESS);
}

static void invalidate_page(struct fault_path *path) {
  struct nw_machine *machine = path->machine;
  const struct shadow *shadow = machine->mode_state;
  if (path->view == shadow->view)
    nw_mmu_invalidate(machine->mmu, NW_TLBI_MVA,
                      (path->request->va & ~(NW_FRAME_BYTES - 1)) | shadow->asid);
}

static enum nw_fault_outcome fault(struct nw_machine *machine, const struct nw_request *request,
                                   const struct nw_fault *found, const struct nw_store *store) {
  struct fault_path path = {.machine = machine,
                            .request = request,
                            .store = store,
                            .view = view_of(machine, request->privilege)};
  nw_hypervisor_begin(machine->hypervisor);
  if (found->type == NW_FAULT_EXTERNAL_ABORT) {
    nw_machine_fail(machine, NW_MACHINE_BAD_ADDRESS);
    return NW_OUTCOME_FAILED;
  }
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
  if (request->access == NW_WRITE &&
      nw_shadow_is_table(nw_shadow_pages_of(machine), path.guest.pa)) {
    emulate_store(&path);
    count_step(&path, NW_SHADOW_INVALIDATE);
    return end(&path, NW_EXIT_PTE_WRITE, NW_OUTCOME_EMULATED);
  }
  bool established = establish(&path) && load_root(machine);
  invalidate_page(&path);
  count_step(&path, NW_SHADOW_INVALIDATE);
  return end(&path, NW_EXIT_HIDDEN_FAULT, established ? NW_OUTCOME_RETRY : NW_OUTCOME_FAILED);
}

/* -- the mode ------------------------------------------------------------------------------- */

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  struct shadow *shadow = calloc(1, sizeof *shadow);
  machine->mode_state = shadow;
  if (shadow == NULL)
    return nw_machine_error(error, error_size, "out of memory for shadow paging");
  if (!nw_hypervisor_create(machine, error, error_size))
    return false;
  shadow->pages = nw_shadows_create(machine);
  if (shadow->pages == NULL)
    return nw_machine_error(error, error_size, "out of memory for shadow tables");
  uint64_t root_bytes = machine->config.format == NW_GUEST_SHORT ? SHORT_ROOT : NW_FRAME_BYTES;
  if (!nw_hypervisor_allocate_table(machine->hypervisor, root_bytes, &shadow->nothing))
    return nw_machine_error(error, error_size, "host memory does not hold a shadow root");
  bool deprivileged = machine->config.guest.deprivileged;
  shadow->view = deprivileged ? NW_VIEW_KERNEL : NW_VIEW_BOTH;
  shadow->is_short = machine->config.format == NW_GUEST_SHORT;
  machine->kernel_privilege = deprivileged ? NW_USER : NW_PRIVILEGED;
  if (!shadow->is_short)
    nw_mmu_write_register(machine->mmu, NW_REG_PRRR_MAIR0, NWI_ENCODER_MAIR0);
  nw_mmu_write_register(machine->mmu, NW_REG_DACR, DACR_CLIENT);
  nw_mmu_write_register(machine->mmu, NW_REG_SCTLR, SCTLR_M | SCTLR_C | SCTLR_I);
  return true;
}

static void stop(struct nw_machine *machine) {
  struct shadow *shadow = machine->mode_state;
  if (shadow != NULL)
    nw_shadows_destroy(shadow->pages);
  free(shadow);
}

static bool hardware_regime(struct nw_machine *machine, struct nw_request *request,
                            struct nw_regime *regime) {
  struct nw_shadow_key key = root_key(machine, view_of(machine, request->privilege));
  struct nw_shadow_page *page = nw_shadow_find(nw_shadow_pages_of(machine), &key);
  if (page == NULL)
    return false;
  *regime = *nw_mmu_regime(machine->mmu);
  nw_regime_write(regime, NW_REG_TTBR0, nw_shadow_table(page));
  if (machine->config.guest.deprivileged)
    request->privilege = NW_USER;
  return true;
}

const struct nw_paging_mode nw_shadow_mode = {
    .name = "shadow",
    .start = start,
    .stop = stop,
    .enter_kernel = enter_kernel,
    .leave_kernel = leave_kernel,
    .write_register = write_register,
    .invalidate = invalidate,
    .fault = fault,
    .hardware_regime = hardware_regime,
};
