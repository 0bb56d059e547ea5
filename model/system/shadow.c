/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow paging: the hardware walks tables that the hypervisor makes from the guest's and its own
 * map, filled as faults come. The guest's tables are write-protected, unless an option says
 * otherwise; every store to one, every root or other translation register and every TLB maintenance
 * operation of the guest exits.
 *
 * ARMv7 cannot route a guest's own stage-1 aborts to the hypervisor alone, so the guest runs
 * de-privileged: both its privileges in user mode, each under its own view of the shadow tables,
 * and every crossing between program and guest kernel exits, too.
 *
 * Invariant: the hardware's root is the shadow, under the view of whoever runs, of the root in the
 * guest's root register, which reads back as the guest wrote it.
 */
#include "system/shadow.h"

#include <stdlib.h>

#include "system/agile.h"
#include "system/architecture.h"

struct nw_shadows *nw_shadow_pages_of(const struct nw_machine *machine) {
  const struct nw_shadow_state *shadow = machine->mode_state;
  return shadow->pages;
}

/* -- roots and views ------------------------------------------------------------------------ */

enum nw_view nw_shadow_view_of(const struct nw_machine *machine, uint8_t privilege) {
  if (!machine->config.guest.deprivileged)
    return NW_VIEW_BOTH;
  return privilege == NW_USER ? NW_VIEW_USER : NW_VIEW_KERNEL;
}

struct nw_shadow_role nw_shadow_root_role(const struct nw_machine *machine, enum nw_view view,
                                          uint64_t *guest) {
  const struct nw_root *root = &machine->guest_regime.s1_root[0];
  *guest = root->base;
  return (struct nw_shadow_role){.level = root->start_level, .view = (uint8_t)view};
}

static struct nw_shadow_page *find_root(const struct nw_machine *machine, enum nw_view view) {
  uint64_t guest;
  struct nw_shadow_role role = nw_shadow_root_role(machine, view, &guest);
  return nw_shadow_find(nw_shadow_pages_of(machine), guest, &role);
}

static void write_root(struct nw_machine *machine, uint64_t root, uint32_t asid) {
  struct nw_shadow_state *shadow = machine->mode_state;
  if (root == shadow->root && asid == shadow->asid)
    return;
  shadow->root = root;
  shadow->asid = asid;
  machine->software->load_root(machine, root, asid);
}

bool nw_shadow_load_root(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  if (machine->mode_kind == NW_MODE_AGILE)
    return nw_agile_load_root(machine);
  if (!machine->guest_regime.s1_enabled)
    return true;
  uint64_t guest;
  struct nw_shadow_role role = nw_shadow_root_role(machine, shadow->view, &guest);
  struct nw_shadow_page *page = nw_shadow_get(shadow->pages, guest, &role);
  nw_shadow_set_loaded(shadow->pages, page);
  if (page == NULL)
    write_root(machine, shadow->nothing, 0);
  else
    write_root(machine, nw_shadow_table(page), nw_shadow_asid(shadow->pages, page));
  return page != NULL;
}

static void cross(struct nw_machine *machine, enum nw_view view, bool exits) {
  struct nw_shadow_state *shadow = machine->mode_state;
  if (!machine->config.guest.deprivileged)
    return;
  shadow->view = view;
  nw_hypervisor_begin(machine->hypervisor);
  nw_shadow_load_root(machine);
  if (exits)
    nw_hypervisor_end(machine->hypervisor, NW_EXIT_PRIVILEGE_SWITCH, 0);
}

static void enter_kernel(struct nw_machine *machine, bool exits) {
  cross(machine, NW_VIEW_KERNEL, exits);
}

static void leave_kernel(struct nw_machine *machine, bool exits) {
  nw_paravirtual_flush(machine);
  cross(machine, NW_VIEW_USER, exits);
}

/* -- the guest's privileged operations ------------------------------------------------------ */

/* The guest has written its root: whatever it had to be told of its tables is true from now on. */
static void change_root(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  uint64_t guest = machine->guest_regime.s1_root[0].base;
  nw_shadow_resync_all(shadow->pages);
  if (guest == shadow->guest_root)
    return;
  shadow->guest_root = guest;
  if (!machine->config.hypervisor.shadow.cache_roots) {
    nw_shadow_drop_all(shadow->pages);
    shadow->root = 0;
  } else if (find_root(machine, shadow->view) != NULL) {
    machine->statistics->shadow_cached_hits++;
  }
}

/* Drops what the hardware holds under the ASIDs of both views of the running address space. */
static void invalidate_asid(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  for (unsigned view = NW_VIEW_USER; view <= NW_VIEW_BOTH; view++) {
    struct nw_shadow_page *page = find_root(machine, (enum nw_view)view);
    if (page != NULL)
      nw_mmu_invalidate(machine->mmu, machine->software->maintenance.asid,
                        nw_shadow_asid(shadow->pages, page));
  }
}

static bool is_root(const struct nw_machine *machine, unsigned reg) {
  return (machine->software->root_registers >> reg & 1u) != 0;
}

static void write_register(struct nw_machine *machine, unsigned reg, uint64_t value) {
  bool flushes = machine->software->write_flushes(machine, reg, value);
  nw_paravirtual_flush(machine);
  nw_hypervisor_begin(machine->hypervisor);
  if (is_root(machine, reg)) {
    change_root(machine);
  } else {
    nw_shadow_drop_all(nw_shadow_pages_of(machine));
    nw_shadow_load_registers(machine);
  }
  nw_shadow_load_root(machine);
  if (flushes)
    invalidate_asid(machine);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_ROOT_WRITE, 0);
}

static uint64_t read_register(const struct nw_machine *machine, unsigned reg) {
  return machine->guest_regime.reg[reg];
}

static void invalidate_address(struct nw_machine *machine, uint64_t operand) {
  uint64_t va = operand & ~(NW_FRAME_BYTES - 1);
  nw_shadow_resync_address(nw_shadow_pages_of(machine), va);
  nw_mmu_invalidate(machine->mmu, machine->software->maintenance.address, va);
}

/* What a maintenance operation of the guest's is about. */
enum reach { REACH_ALL = 0, REACH_ADDRESS, REACH_ASID };

static const uint8_t reach_of[NW_TLBIS] = {
    [NW_TLBI_MVA] = REACH_ADDRESS,  [NW_TLBI_MVAA] = REACH_ADDRESS,
    [NW_ITLBI_MVA] = REACH_ADDRESS, [NW_DTLBI_MVA] = REACH_ADDRESS,
    [NW_INVLPG] = REACH_ADDRESS,    [NW_INVPCID_ADDRESS] = REACH_ADDRESS,
    [NW_TLBI_ASID] = REACH_ASID,    [NW_ITLBI_ASID] = REACH_ASID,
    [NW_DTLBI_ASID] = REACH_ASID,   [NW_INVPCID_CONTEXT] = REACH_ASID,
};

/*
 * Tables that are followed at once leave nothing stale to invalidate; those that the guest could
 * write unseen are brought up to date now. What the guest asks for is still done, in terms of the
 * hardware's ASIDs; an ASID that does not run has nothing that is not already gone.
 */
static void invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  uint16_t asid = machine->guest_regime.asid;
  nw_paravirtual_flush(machine);
  nw_hypervisor_begin(machine->hypervisor);
  switch (reach_of[operation]) {
  case REACH_ADDRESS:
    invalidate_address(machine, operand);
    break;
  case REACH_ASID:
    nw_shadow_resync_all(nw_shadow_pages_of(machine));
    if ((operand & machine->software->asid_mask) == asid)
      invalidate_asid(machine);
    break;
  default:
    nw_shadow_resync_all(nw_shadow_pages_of(machine));
    nw_mmu_invalidate(machine->mmu, machine->software->maintenance.guest, 0);
    break;
  }
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_TLB_MAINTENANCE, 0);
}

static void hypercall(struct nw_machine *machine, const struct nw_announcement *announced,
                      unsigned count) {
  struct nw_shadows *pages = nw_shadow_pages_of(machine);
  nw_hypervisor_begin(machine->hypervisor);
  for (unsigned i = 0; i < count; i++) {
    if (announced[i].released)
      nw_shadow_filled(pages, announced[i].ipa);
    else
      nw_shadow_stored(pages, announced[i].ipa, false);
  }
  machine->statistics->shadow_hypercalls++;
  machine->statistics->shadow_hypercall_updates += count;
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_HYPERCALL, 0);
}

static void unmap_frame(struct nw_machine *machine, uint64_t ipa) {
  nw_shadow_unmap_frame(nw_shadow_pages_of(machine), ipa);
}

/* -- the mode ------------------------------------------------------------------------------- */

/* The walker's reads, watched for prefetched leaves that are used. */
static bool read_and_watch(void *context, uint64_t pa, unsigned size, uint64_t *data,
                           uint32_t *cycles) {
  struct nw_machine *machine = context;
  nw_shadow_walked(nw_shadow_pages_of(machine), pa);
  *cycles = nw_hierarchy_access(machine->hierarchy, pa, NW_BY_WALKER);
  return nw_physical_read(machine->memory, pa, size, data);
}

static bool prepare_options(struct nw_machine *machine) {
  const struct nw_shadow_config *config = &machine->config.hypervisor.shadow;
  if (config->prefetch > 0)
    machine->walker.read = read_and_watch;
  if (config->paravirtual)
    machine->paravirtual = nw_paravirtual_create(config->paravirtual_batch);
  return !config->paravirtual || machine->paravirtual != NULL;
}

void nw_shadow_load_registers(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  bool deprivileged = machine->config.guest.deprivileged;
  machine->kernel_privilege = deprivileged ? NW_USER : NW_PRIVILEGED;
  machine->software->load_shadow(machine);
  shadow->root = 0; /* whatever is loaded is not a shadow root */
}

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  struct nw_shadow_state *shadow = calloc(1, sizeof *shadow);
  machine->mode_state = shadow;
  if (shadow == NULL)
    return nw_machine_error(error, error_size, "out of memory for shadow paging");
  if (!nw_hypervisor_create(machine, error, error_size))
    return false;
  shadow->pages = nw_shadows_create(machine);
  if (shadow->pages == NULL || !prepare_options(machine))
    return nw_machine_error(error, error_size, "out of memory for shadow tables");
  if (!nw_hypervisor_allocate_table(machine->hypervisor, machine->layout->root_bytes,
                                    &shadow->nothing))
    return nw_machine_error(error, error_size, "host memory does not hold a shadow root");
  shadow->view = machine->config.guest.deprivileged ? NW_VIEW_KERNEL : NW_VIEW_BOTH;
  nw_shadow_load_registers(machine);
  return true;
}

static void stop(struct nw_machine *machine) {
  struct nw_shadow_state *shadow = machine->mode_state;
  if (shadow != NULL)
    nw_shadows_destroy(shadow->pages);
  free(shadow);
}

static bool hardware_regime(struct nw_machine *machine, struct nw_request *request,
                            struct nw_regime *regime) {
  struct nw_shadow_page *page = find_root(machine, nw_shadow_view_of(machine, request->privilege));
  if (page == NULL)
    return false;
  *regime = *nw_mmu_regime(machine->mmu);
  nw_regime_write(regime, machine->software->root_register, nw_shadow_table(page));
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
    .read_register = read_register,
    .invalidate = invalidate,
    .hypercall = hypercall,
    .unmap_frame = unmap_frame,
    .fault = nw_shadow_fault,
    .hardware_regime = hardware_regime,
};
