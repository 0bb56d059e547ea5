/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agile paging (Gandhi, Hill and Swift, ISCA 2016): the upper levels of a walk are shadow tables, and
 * where the guest keeps writing a table the walk turns to the guest's own, through stage 2, for that
 * table and all below it. Needs hardware that does not exist; what it is taken to do is
 * - to walk as enum nw_agile says;
 * - to hand faults met in shadow tables to the hypervisor, and those met in the guest's own tables
 *   to the guest, so that no guest has to run de-privileged, not even on ARMv7;
 * - to keep a dirty bit for each page of the guest's.
 *
 * The virtual machine is paged by two stages as long as that is the cheapest: walks become agile,
 * and cease to be, by the break-even account of policy.h. While they are agile, a guest table goes
 * nested after so many stores to it in an interval, and back when a scan of the dirty bits finds
 * that there were none in one. A table that is new starts nested, since it is about to be written: a
 * process that does not live for an interval is never shadowed.
 *
 * Invariants: the hardware has the guest's own registers and ASIDs, but for the root; a frame that
 * holds a table that is followed can be written unseen through neither shadow leaves nor stage 2.
 */
#include "system/agile.h"

#include <stdlib.h>
#include <string.h>

#include "system/architecture.h"
#include "system/chooser.h"
#include "system/shadow_internal.h"

#define TLB_REFILL 30 /* cycles, by and large, of an entry's coming back after a flush */
#define FRAME_FILL 40 /* likewise of a page's when shadow tables are filled */

/* What is known of a guest frame. */
struct frame {
  uint16_t stores; /* trapped in this interval, to the tables in it */
  bool shadowed;   /* walks do not turn nested at the tables in it */
  bool dirty;      /* the guest has written it since the last scan */
};

struct agile {
  struct nw_chooser chooser; /* first: the machine's `chooser` points here */
  struct nw_shadow_state shadow;
  void *nested;        /* the state of nested paging */
  struct frame *frame; /* by guest frame */
  struct nw_break_even policy;
  bool on;
  bool waiting;  /* for an interval of dirty bits, before walks become agile */
  bool deciding; /* walks become agile: dirty tables are nested from the start */
};

static struct agile *agile_of(const struct nw_machine *machine) {
  return (struct agile *)machine->chooser;
}

static bool is_on(const struct nw_machine *machine) {
  return machine->mode_kind == NW_MODE_AGILE && agile_of(machine)->on;
}

bool nw_agile_is_on(const struct nw_machine *machine) {
  return is_on(machine);
}

struct nw_shadows *nw_agile_shadows(const struct nw_machine *machine) {
  return agile_of(machine)->shadow.pages;
}

static struct frame *frame_at(const struct nw_machine *machine, uint64_t ipa) {
  return &agile_of(machine)->frame[ipa >> NW_FRAME_LOG2];
}

/* -- what others ask ------------------------------------------------------------------------ */

bool nw_agile_nests(const struct nw_machine *machine, uint64_t guest) {
  if (!is_on(machine) || guest >> NW_FRAME_LOG2 >= machine->hypervisor->guest_frames)
    return false;
  struct frame *frame = frame_at(machine, guest);
  if (agile_of(machine)->deciding && !frame->dirty)
    frame->shadowed = true;
  return !frame->shadowed;
}

bool nw_agile_follows(const struct nw_machine *machine, uint64_t ipa) {
  return is_on(machine) && ipa >> NW_FRAME_LOG2 < machine->hypervisor->guest_frames &&
         nw_shadow_is_protected(nw_agile_shadows(machine), ipa);
}

/* Nested paging finds its state where the mode's is. */
static void unmap_stage2(struct nw_machine *machine, uint64_t ipa) {
  void *state = machine->mode_state;
  machine->mode_state = agile_of(machine)->nested;
  nw_nested_mode.unmap_frame(machine, ipa);
  machine->mode_state = state;
}

void nw_agile_protect(struct nw_machine *machine, uint64_t ipa) {
  unmap_stage2(machine, ipa);
}

void nw_agile_forget(struct nw_machine *machine, uint64_t guest) {
  frame_at(machine, guest)->shadowed = false;
}

void nw_agile_dirtied(struct nw_machine *machine, uint64_t pa) {
  if (machine->mode_kind != NW_MODE_AGILE)
    return;
  uint32_t owner = machine->hypervisor->owner[pa >> NW_FRAME_LOG2];
  if (owner != 0)
    agile_of(machine)->frame[owner - 1].dirty = true;
}

/* -- roots ---------------------------------------------------------------------------------- */

static uint64_t root_bytes(const struct nw_machine *machine) {
  return machine->layout->root_bytes;
}

/* Host address of the guest's root, if that is in one piece there. */
static bool locate_root(struct nw_machine *machine, uint64_t guest, uint64_t *pa) {
  uint64_t bytes = root_bytes(machine), at;
  if (!nw_hypervisor_back(machine->hypervisor, guest, pa))
    return false;
  for (uint64_t offset = NW_FRAME_BYTES; offset < bytes; offset += NW_FRAME_BYTES)
    if (!nw_hypervisor_back(machine->hypervisor, guest + offset, &at) || at != *pa + offset)
      return false;
  return (*pa & (bytes - 1)) == 0;
}

static void write_root(struct nw_machine *machine, uint64_t base, enum nw_agile how) {
  uint64_t asid = machine->guest_regime.asid;
  machine->software->load_root(machine, base, asid);
  nw_mmu_set_agile(machine->mmu, how);
  agile_of(machine)->shadow.asid = (uint32_t)asid;
}

static uint64_t guest_root(const struct nw_machine *machine) {
  return machine->guest_regime.s1_root[0].base;
}

bool nw_agile_load_root(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  struct nw_shadows *pages = agile->shadow.pages;
  uint64_t pa, guest;
  struct nw_shadow_role role = nw_shadow_root_role(machine, NW_VIEW_BOTH, &guest);
  if (!agile->on)
    return true;
  if (nw_agile_nests(machine, guest) && locate_root(machine, guest, &pa)) {
    nw_shadow_set_loaded(pages, NULL);
    write_root(machine, pa, NW_AGILE_ROOT);
    return true;
  }
  struct nw_shadow_page *page = nw_shadow_get(pages, guest, &role);
  nw_shadow_set_loaded(pages, page);
  write_root(machine, page == NULL ? agile->shadow.nothing : nw_shadow_table(page),
             NW_AGILE_SHADOW);
  return page != NULL;
}

/* -- nested and back ------------------------------------------------------------------------ */

/* A root that lies in pieces in host memory has to stay shadowed. */
static bool can_nest(struct nw_machine *machine, const struct nw_shadow_page *page) {
  uint64_t pa;
  return !page->root || locate_root(machine, page->guest, &pa);
}

/* Takes away what was made from the tables in the frame; what linked them leads to them. */
static void to_nested(struct nw_machine *machine, uint64_t guest) {
  struct nw_shadows *pages = nw_agile_shadows(machine);
  struct nw_shadow_frame *frame = nw_shadow_frame_of(pages, guest);
  frame_at(machine, guest)->shadowed = false;
  machine->statistics->agile_to_nested++;
  for (struct nw_shadow_page *page;
       frame->tables != NULL && can_nest(machine, page = frame->tables->page);) {
    if (!page->root) {
      nw_shadow_relink(pages, page, true);
      continue;
    }
    nw_shadow_set_loaded(pages, NULL);
    nw_shadow_discard(pages, page);
    nw_shadow_collect(pages);
    nw_agile_load_root(machine);
  }
}

void nw_agile_stored(struct nw_machine *machine, uint64_t ipa) {
  if (!is_on(machine))
    return;
  const struct nw_shadow_source *source =
      nw_shadow_frame_of(nw_agile_shadows(machine), ipa)->tables;
  if (source == NULL)
    return;
  uint64_t guest = source->page->guest;
  struct frame *frame = frame_at(machine, guest);
  if (++frame->stores >= machine->config.hypervisor.agile.writes)
    to_nested(machine, guest);
}

/* The shadow tables of a root or of a table that was nested, filled at once. */
static void to_shadow(struct nw_machine *machine, uint64_t guest) {
  struct nw_shadows *pages = nw_agile_shadows(machine);
  frame_at(machine, guest)->shadowed = true;
  machine->statistics->agile_to_shadow++;
  for (struct nw_shadow_page *page; (page = nw_shadow_find_nested(pages, guest)) != NULL;) {
    struct nw_shadow_page *other = nw_shadow_relink(pages, page, false);
    if (other != NULL)
      nw_shadow_fill(pages, other);
  }
}

static void root_to_shadow(struct nw_machine *machine) {
  struct nw_shadows *pages = nw_agile_shadows(machine);
  to_shadow(machine, guest_root(machine));
  if (nw_agile_load_root(machine) && pages->loaded != NULL)
    nw_shadow_fill(pages, pages->loaded);
}

/* -- scanning ------------------------------------------------------------------------------- */

static bool root_is_dirty(const struct nw_machine *machine) {
  uint64_t guest = guest_root(machine);
  for (uint64_t offset = 0; offset < root_bytes(machine); offset += NW_FRAME_BYTES)
    if (frame_at(machine, guest + offset)->dirty)
      return true;
  return false;
}

static void forget_interval(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  for (uint64_t i = 0; i < machine->hypervisor->guest_frames; i++) {
    agile->frame[i].dirty = false;
    agile->frame[i].stores = 0;
  }
}

/* A nested table that nobody has written in the interval; NULL when there is none. */
static struct nw_shadow_page *find_quiet(struct nw_machine *machine, bool price) {
  struct nw_shadow_page *page = nw_agile_shadows(machine)->newest, *quiet = NULL;
  for (; page != NULL; page = page->older) {
    if (!page->role.nested)
      continue;
    if (price)
      nw_hypervisor_reference(machine->hypervisor, page->table);
    if (quiet == NULL && !frame_at(machine, page->guest)->dirty)
      quiet = page;
  }
  return quiet;
}

/* Reads and clears the dirty bits, one reference for each nested table; what is quiet is shadowed
 * again. Within an exit. */
static void scan(struct nw_machine *machine) {
  if (!is_on(machine))
    return;
  bool root_nested = agile_of(machine)->shadow.pages->loaded == NULL;
  if (root_nested && !root_is_dirty(machine))
    root_to_shadow(machine);
  struct nw_shadow_page *quiet = find_quiet(machine, true);
  while (quiet != NULL && machine->status == NW_MACHINE_OK) {
    to_shadow(machine, quiet->guest);
    quiet = find_quiet(machine, false);
  }
  machine->status = NW_MACHINE_OK; /* memory that was short will be asked for again */
  forget_interval(machine);
}

/* -- the virtual machine, agile or not ------------------------------------------------------- */

/* Shadow tables are read under the guest's registers, and one root is followed. */
static bool fits(const struct nw_machine *machine) {
  return machine->guest_regime.s1_enabled && machine->software->fits_agile(machine);
}

static void turn_on(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  agile->on = agile->deciding = true;
  frame_at(machine, guest_root(machine))->dirty = root_is_dirty(machine);
  if (nw_agile_load_root(machine) && agile->shadow.pages->loaded != NULL)
    nw_shadow_fill(agile->shadow.pages, agile->shadow.pages->loaded);
  agile->deciding = false;
  forget_interval(machine);
}

static void turn_off(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  nw_shadow_drop_all(agile->shadow.pages);
  memset(agile->frame, 0, machine->hypervisor->guest_frames * sizeof *agile->frame);
  agile->on = false;
  nw_mmu_set_agile(machine->mmu, NW_AGILE_OFF);
  unsigned root = machine->software->root_register;
  nw_mmu_write_register(machine->mmu, root, machine->guest_regime.reg[root]);
}

void nw_agile_switch(struct nw_machine *machine, bool on) {
  struct agile *agile = agile_of(machine);
  if (agile->on == on || (on && !fits(machine)))
    return;
  uint64_t before = machine->statistics->exit_cycles[NW_EXIT_MODE_SWITCH];
  nw_hypervisor_begin(machine->hypervisor);
  if (on)
    turn_on(machine);
  else
    turn_off(machine);
  nw_mmu_invalidate(machine->mmu, machine->software->maintenance.everything, 0);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_MODE_SWITCH, 0);
  machine->status = NW_MACHINE_OK;
  agile->waiting = false;
  machine->statistics->agile_switches++;
  nw_break_even_switched(&agile->policy, on ? NW_PAGING_SHADOW : NW_PAGING_NESTED,
                         machine->statistics->exit_cycles[NW_EXIT_MODE_SWITCH] - before);
  nw_chooser_restart(machine);
}

void nw_agile_set_nested(struct nw_machine *machine, uint64_t guest, bool nested) {
  if (!is_on(machine))
    return;
  nw_hypervisor_begin(machine->hypervisor);
  if (nested)
    to_nested(machine, guest);
  else if (guest == guest_root(machine))
    root_to_shadow(machine);
  else
    to_shadow(machine, guest);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_POLICY, 0);
  machine->status = NW_MACHINE_OK;
}

/* -- judging -------------------------------------------------------------------------------- */

static double exit_price(const struct nw_machine *machine, enum nw_exit_cause cause) {
  const struct nw_hypervisor_config *config = &machine->config.hypervisor;
  return (double)config->trap + config->world_switch + config->handler[cause];
}

static double switch_price(const struct nw_machine *machine) {
  const struct nw_mmu_config *mmu = &machine->config.mmu;
  double entries = (double)mmu->l1i.entries + mmu->l1d.entries + mmu->l2.entries;
  return 2.0 * (exit_price(machine, NW_EXIT_MODE_SWITCH) + entries * TLB_REFILL);
}

/* While walks are agile the clock brings the scans; else it is time when walks have cost enough, or
 * when the interval of dirty bits is over. */
static void wait_for_next(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  enum nw_paging now = agile->on ? NW_PAGING_SHADOW : NW_PAGING_NESTED;
  uint64_t patience = nw_break_even_patience(&agile->policy, now);
  if (agile->on)
    nw_chooser_limit(machine, patience);
  else if (!agile->waiting)
    nw_chooser_wait(machine, patience, UINT64_MAX);
}

/* Walks become agile at the second time of asking: between the two, dirty bits are collected. */
static void judge_nested(struct nw_machine *machine, const struct nw_policy_sample *sample) {
  struct agile *agile = agile_of(machine);
  if (machine->statistics->agile_switches == 0)
    agile->policy.switch_cost =
        switch_price(machine) + FRAME_FILL * (double)machine->hypervisor->backed_frames;
  if (!nw_break_even_judge(&agile->policy, NW_PAGING_NESTED, sample)) {
    agile->waiting = false;
  } else if (agile->waiting) {
    nw_agile_switch(machine, true);
  } else {
    forget_interval(machine);
    agile->waiting = true;
  }
}

static void judge(struct nw_machine *machine, const struct nw_policy_sample *sample) {
  struct agile *agile = agile_of(machine);
  if (!agile->on)
    judge_nested(machine, sample);
  else if (nw_break_even_judge(&agile->policy, NW_PAGING_SHADOW, sample))
    nw_agile_switch(machine, false);
  wait_for_next(machine);
}

static void begin(struct nw_machine *machine) {
  struct nw_break_even_config prices = {.event_price = exit_price(machine, NW_EXIT_ROOT_WRITE) / 2,
                                        .switch_price = switch_price(machine)};
  nw_break_even_start(&agile_of(machine)->policy, &prices);
  wait_for_next(machine);
}

static void count(const struct nw_machine *machine) {
  machine->statistics->agile_scale = machine->chooser->scale;
}

/* -- the mode ------------------------------------------------------------------------------- */

static void cross(struct nw_machine *machine, bool exits) {
  (void)machine;
  (void)exits;
}

/* All these registers' writes are trapped (HCR.TVM), as long as one of them has to be seen. */
static void write_register(struct nw_machine *machine, unsigned reg, uint64_t value) {
  const struct nw_software_architecture *software = machine->software;
  struct agile *agile = agile_of(machine);
  if (!agile->on) {
    nw_mmu_write_register(machine->mmu, reg, value);
    return;
  }
  nw_hypervisor_begin(machine->hypervisor);
  if (reg != software->root_register)
    nw_mmu_write_register(machine->mmu, reg, value);
  if ((software->root_registers >> reg & 1u) == 0)
    nw_shadow_drop_all(agile->shadow.pages);
  nw_agile_load_root(machine);
  if (software->write_flushes(machine, reg, value))
    nw_mmu_invalidate(machine->mmu, software->maintenance.asid, machine->guest_regime.asid);
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_ROOT_WRITE, 0);
  if (!fits(machine))
    nw_agile_switch(machine, false);
}

static uint64_t read_register(const struct nw_machine *machine, unsigned reg) {
  return machine->guest_regime.reg[reg];
}

/* The guest's ASIDs are the hardware's, and shadow tables follow at once: nothing to trap. */
static void invalidate(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  nw_mmu_invalidate(machine->mmu, operation, operand);
}

static void unmap_frame(struct nw_machine *machine, uint64_t ipa) {
  struct agile *agile = agile_of(machine);
  uint64_t root = guest_root(machine);
  nw_shadow_unmap_frame(agile->shadow.pages, ipa);
  unmap_stage2(machine, ipa);
  if (agile->on && ipa >= root && ipa - root < root_bytes(machine)) {
    nw_agile_load_root(machine); /* a nested one may have moved */
    nw_mmu_invalidate(machine->mmu, machine->software->maintenance.guest, 0);
  }
}

/* A store to a table that is followed, met in stage 2. */
static bool is_trapped_store(const struct nw_machine *machine, const struct nw_request *request,
                             const struct nw_fault *found) {
  return found->stage == 2 && found->type == NW_FAULT_PERMISSION && !found->s1walk &&
         request->access == NW_WRITE && nw_agile_follows(machine, found->ipa);
}

/* The hardware is about to set flags in a table that is followed, or (APM vol. 2, 15.25.5; SDM vol. 3,
 * 29.3.3.2) counts each read of it as if it were. */
static bool is_trapped_walk(const struct nw_machine *machine, const struct nw_fault *found) {
  return found->stage == 2 && found->type == NW_FAULT_PERMISSION && found->s1walk &&
         nw_agile_follows(machine, found->ipa);
}

/* A table that walks reach from nested ones, too, is not shadowed. */
static enum nw_fault_outcome nest_for_walk(struct nw_machine *machine, uint64_t ipa) {
  nw_hypervisor_begin(machine->hypervisor);
  to_nested(machine, ipa & ~(NW_FRAME_BYTES - 1));
  nw_hypervisor_end(machine->hypervisor, NW_EXIT_STAGE2_FAULT, 0);
  return machine->status == NW_MACHINE_OK ? NW_OUTCOME_RETRY : NW_OUTCOME_FAILED;
}

static enum nw_fault_outcome fault(struct nw_machine *machine, const struct nw_request *request,
                                   const struct nw_fault *found, const struct nw_store *store) {
  bool shadow = found->stage == 1 && found->shadow;
  if (is_trapped_walk(machine, found))
    return nest_for_walk(machine, found->ipa);
  if (!shadow && !is_trapped_store(machine, request, found))
    return nw_nested_mode.fault(machine, request, found, store);
  machine->mode_state = &agile_of(machine)->shadow; /* likewise */
  enum nw_fault_outcome outcome = nw_shadow_fault(machine, request, found, store);
  machine->mode_state = agile_of(machine)->nested;
  return outcome;
}

static bool hardware_regime(struct nw_machine *machine, struct nw_request *request,
                            struct nw_regime *regime) {
  (void)request;
  *regime = *nw_mmu_regime(machine->mmu);
  return true;
}

static void stop(struct nw_machine *machine) {
  struct agile *agile = agile_of(machine);
  nw_nested_mode.stop(machine);
  if (agile == NULL)
    return;
  nw_shadows_destroy(agile->shadow.pages);
  free(agile->frame);
  machine->chooser = NULL;
  free(agile);
}

/* Options that are about traps which agile paging does without. */
static void restrict_options(struct nw_machine_config *config) {
  struct nw_shadow_config *shadow = &config->hypervisor.shadow;
  config->guest.deprivileged = false;
  shadow->sync = NW_SHADOW_UPDATE;
  shadow->flood = 0; /* the table goes nested instead */
  shadow->unsync = shadow->paravirtual = shadow->direct_faults = false;
}

static bool make_shadow(struct nw_machine *machine, char *error, size_t error_size) {
  struct agile *agile = agile_of(machine);
  struct nw_hypervisor *hypervisor = machine->hypervisor;
  agile->shadow = (struct nw_shadow_state){.view = NW_VIEW_BOTH};
  agile->frame = calloc(hypervisor->guest_frames, sizeof *agile->frame);
  agile->shadow.pages = nw_shadows_create(machine);
  if (agile->frame == NULL || agile->shadow.pages == NULL)
    return nw_machine_error(error, error_size, "out of memory for agile paging");
  agile->shadow.pages->agile = true;
  return nw_hypervisor_allocate_table(hypervisor, root_bytes(machine), &agile->shadow.nothing) ||
         nw_machine_error(error, error_size, "host memory does not hold a shadow root");
}

static bool start(struct nw_machine *machine, char *error, size_t error_size) {
  const struct nw_agile_config *config = &machine->config.hypervisor.agile;
  struct agile *agile = calloc(1, sizeof *agile);
  machine->chooser = (struct nw_chooser *)agile;
  if (agile == NULL)
    return nw_machine_error(error, error_size, "out of memory for agile paging");
  restrict_options(&machine->config);
  bool started = nw_nested_mode.start(machine, error, error_size);
  agile->nested = machine->mode_state;
  if (!started || !make_shadow(machine, error, error_size))
    return false;
  agile->chooser.work = scan;
  agile->chooser.judge = judge;
  agile->chooser.begin = begin;
  agile->chooser.count = count;
  nw_chooser_start(machine, &agile->chooser, config->interval, config->scale);
  return true;
}

const struct nw_paging_mode nw_agile_mode = {
    .name = "agile",
    .start = start,
    .stop = stop,
    .enter_kernel = cross,
    .leave_kernel = cross,
    .write_register = write_register,
    .read_register = read_register,
    .invalidate = invalidate,
    .unmap_frame = unmap_frame,
    .fault = fault,
    .hardware_regime = hardware_regime,
};
