/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query is one instruction of the guest's. Where its address leads, if the program's own walk
 * finds that out, a mark is put beforehand, or looked for afterwards: only a mark that is found
 * tells a physical address. A load and a store are fetched from the program's own page; a fetch is
 * that of the address itself.
 */
#include "program.h"

#define ADDRESS 0x000ffffffffff000ull
#define PAGE 0x1000u

struct query {
  uint32_t how;
  uint64_t address; /* as asked */
  uint64_t va;      /* the guest's, which is another where the nested tables are asked alone */
  bool found;       /* `pa` is where it leads */
  uint64_t pa;
  unsigned log2;        /* of the bytes that a load or store takes */
  bool updates_unknown; /* the access itself fell on an entry of the tables */
  struct own own;       /* how the program's page is mapped, if it can be */
  bool own_found, own_mapped;
  struct trail trail;
};

/* What holds for all queries until registers or memory change. */
static struct {
  struct own own;
  bool own_found;
  uint64_t root_gpa;
  volatile uint64_t *root; /* NULL: it cannot be found */
  unsigned slot[2];        /* entries of the root that are not present */
  unsigned slots;
} common;

void ask_prepare(void) {
  struct trail trail = {.count = 0};
  uint64_t pa;
  guest_registers();
  common.root_gpa = x86_reg[X86_CR3] & ADDRESS;
  bool found = follow_nested(&trail, common.root_gpa, &pa) && is_ram(pa);
  common.root = found ? (volatile uint64_t *)pa : NULL;
  common.own_found = own_find(&common.own, common.root_gpa, &(struct trail){.count = 0});
  common.slots = 0;
  for (unsigned i = 0; found && i < 512 && common.slots < 2; i++)
    if (!(common.root[i] & ENTRY_P))
      common.slot[common.slots++] = i;
}

/* -- marks ------------------------------------------------------------------------------------- */

static uint64_t next_mark(void) {
  static uint64_t count;
  return ++count * 0x9e3779b97f4a7c15u;
}

static uint64_t low_bytes(uint64_t value, unsigned bytes) {
  return bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static uint64_t peek(uint64_t pa, unsigned bytes) {
  uint64_t value = 0;
  memcpy(&value, (const void *)pa, bytes);
  return value;
}

static void poke(uint64_t pa, uint64_t value, unsigned bytes) {
  memcpy((void *)pa, &value, bytes);
}

/* The most bytes that do not leave the page. */
static unsigned log2_room(uint64_t address) {
  unsigned room = PAGE - (address & (PAGE - 1));
  return room >= 8 ? 3 : room >= 4 ? 2 : room >= 2 ? 1 : 0;
}

/* -- answers ----------------------------------------------------------------------------------- */

static void broken(struct x86_answer *answer, const struct guest_exit *left) {
  answer->kind = X86_BROKEN;
  answer->code = left->code;
  answer->address = left->address;
}

/* The answer where the instruction was not executed. */
static void report_exit(const struct query *query, const struct guest_exit *left,
                        struct x86_answer *answer) {
  static const uint32_t kinds[] = {
      [EXIT_STEPPED] = X86_BROKEN,
      [EXIT_PAGE_FAULT] = X86_PAGE_FAULT,
      [EXIT_GENERAL_FAULT] = X86_GENERAL_FAULT,
      [EXIT_NESTED_FAULT] = X86_NESTED_FAULT,
      [EXIT_OTHER] = X86_BROKEN,
  };
  broken(answer, left);
  answer->kind = kinds[left->kind];
  bool other_address = left->kind == EXIT_PAGE_FAULT && left->address != query->va;
  bool own_tables = query->how & X86_ASK_STAGE2 && answer->kind < X86_NESTED_FAULT;
  bool own_page = query->own_mapped && left->kind == EXIT_NESTED_FAULT &&
                  (left->address & ADDRESS) == query->own.gpa;
  if (other_address || own_tables)
    answer->kind = X86_BROKEN;
  else if (own_page)
    answer->kind = X86_NO_SLOT; /* for all that is on the way there denies */
}

static void report_translated(const struct query *query, bool pa_known, struct x86_answer *answer) {
  answer->kind = X86_TRANSLATED;
  answer->code = pa_known;
  answer->address = pa_known ? query->pa : 0;
}

/* Undoes what has changed; what that was goes to `update`, if that is not NULL. Returns how many
 * there were, apart from the program's own. */
static uint32_t undo(struct query *query, struct x86_update *update) {
  uint32_t count = 0;
  for (unsigned i = 0; i < query->trail.count; i++) {
    volatile uint64_t *at = query->trail.entry[i].at;
    uint64_t old = query->trail.entry[i].value, now = *at;
    if (now == old)
      continue;
    *at = old;
    if (update && !query->trail.entry[i].patched)
      update[count++] = (struct x86_update){(uint64_t)at, now};
  }
  return count;
}

/* Appends to the answer what has changed, where that was asked, and undoes it. */
static struct x86_answer *finish(struct query *query, struct x86_answer *answer) {
  struct x86_update *update = (struct x86_update *)(answer + 1);
  bool report = query->how & X86_ASK_UPDATES && !query->updates_unknown;
  uint32_t count = undo(query, report ? update : NULL);
  answer->updates = query->updates_unknown ? X86_UPDATES_UNKNOWN : count;
  return (struct x86_answer *)(update + count);
}

/* -- the guest --------------------------------------------------------------------------------- */

/* With the case's registers, or with the program's own tables where the nested ones are asked
 * alone. */
static struct guest guest_for(const struct query *query) {
  struct guest guest = {
      .cr0 = CR0_PE | CR0_ET | CR0_PG | (x86_reg[X86_CR0] & CR0_WP),
      .cr3 = x86_reg[X86_CR3] & ADDRESS,
      .cr4 = CR4_PAE | (x86_reg[X86_CR4] & (CR4_PGE | CR4_LA57 | CR4_SMEP | CR4_SMAP | CR4_PKE)),
      .efer = EFER_LME | EFER_LMA | (x86_reg[X86_EFER] & EFER_NXE),
      .ac = x86_reg[X86_AC] & 1,
      .user = query->how & X86_ASK_USER,
      .rbx = query->va,
  };
  if (query->how & X86_ASK_STAGE2) {
    guest.cr3 = query->own.gpa;
    guest.cr4 = CR4_PAE;
    guest.efer = EFER_LME | EFER_LMA;
    guest.user = false;
  }
  return guest;
}

/* -- fetches ----------------------------------------------------------------------------------- */

/* An instruction of as many bytes as the page has left, up to five, and what it leaves behind. */
struct plant {
  uint64_t code, rax, rcx;
  unsigned bytes;
};

static struct plant plant_for(uint64_t address) {
  uint64_t mark = next_mark();
  unsigned room = PAGE - (address & (PAGE - 1));
  if (room >= 5) /* mov $mark, %ecx */
    return (struct plant){0xb9 | (mark & 0xffffffff) << 8, 0x8000, mark & 0xffffffff, 5};
  if (room >= 2) /* mov $mark, %cl */
    return (struct plant){0xb1 | (mark & 0xff) << 8, 0x8000, mark & 0xff, 2};
  return (struct plant){0x98, 0xffff8000, 0, 1}; /* cwde */
}

static void ask_fetch(struct query *query, struct x86_answer *answer) {
  struct guest guest = guest_for(query);
  struct plant plant = plant_for(query->va);
  struct guest_exit left;
  uint64_t kept = 0;
  if (query->found) {
    if (!is_ram(query->pa) || trail_has(&query->trail, query->pa, plant.bytes)) {
      *answer = (struct x86_answer){.kind = X86_NO_PLACE};
      return;
    }
    kept = peek(query->pa, plant.bytes);
    poke(query->pa, plant.code, plant.bytes);
  }
  guest.rip = query->va;
  guest.rax = 0x8000;
  guest_run(&guest, &left);
  if (query->found)
    poke(query->pa, kept, plant.bytes);
  if (query->found && left.kind == EXIT_STEPPED && left.rax == plant.rax && left.rcx == plant.rcx)
    report_translated(query, true, answer);
  else
    report_exit(query, &left, answer);
}

/* -- loads and stores -------------------------------------------------------------------------- */

/* The query's own walk must not come by the entry through which the page is mapped. */
static void find_own(struct query *query) {
  bool stage2 = query->how & X86_ASK_STAGE2;
  query->own = common.own;
  query->own_found = common.own_found;
  volatile uint64_t *nested = query->own.nested;
  if (stage2 || (common.own_found && nested && trail_has(&query->trail, (uintptr_t)nested, 8)))
    query->own_found =
        own_find(&query->own, stage2 ? query->address : common.root_gpa, &query->trail);
}

/* Maps the program's own page; `slot` is the entry of the guest's root that leads there. */
static bool map_own(struct query *query, unsigned *slot) {
  unsigned levels = guest_levels();
  if (!query->own_found)
    return false;
  if (query->how & X86_ASK_STAGE2) {
    *slot = OWN_SELF;
    own_data(query->address);
  } else {
    unsigned i = 0;
    while (i < common.slots && common.slot[i] == (query->va >> shift_of(levels) & 511))
      i++;
    if (i == common.slots)
      return false;
    *slot = common.slot[i];
    trail_patch(&query->trail, &common.root[*slot], own_entry(&query->own));
  }
  own_map(&query->own, &query->trail);
  query->own_mapped = true;
  return true;
}

static uint64_t code_address(const struct query *query, unsigned slot) {
  bool stage2 = query->how & X86_ASK_STAGE2;
  unsigned offset = query->how & X86_ASK_WRITE ? own_store(query->log2) : own_load(query->log2);
  return own_code(&query->own, slot, stage2 ? 4 : guest_levels(),
                  !stage2 && query->how & X86_ASK_USER, offset);
}

static void report_data(struct query *query, const struct guest_exit *left, bool marked,
                        uint64_t mark, struct x86_answer *answer) {
  unsigned bytes = 1u << query->log2;
  bool write = query->how & X86_ASK_WRITE;
  if (left->kind != EXIT_STEPPED)
    report_exit(query, left, answer);
  else if (!query->found)
    broken(answer, left);
  else if (!marked)
    report_translated(query, false, answer);
  else if (low_bytes(write ? peek(query->pa, bytes) : left->rcx, bytes) == low_bytes(mark, bytes))
    report_translated(query, true, answer);
  else
    broken(answer, left);
}

/* Whether the guest could not fetch, since not even its root can be read. */
static bool root_fails(const struct query *query, unsigned slot, const struct guest_exit *left) {
  return !(query->how & X86_ASK_STAGE2) && left->kind == EXIT_NESTED_FAULT &&
         left->address == common.root_gpa + slot * 8;
}

/* False where the instruction could not be fetched; nothing has changed then. */
static bool ask_data(struct query *query, unsigned slot, struct x86_answer *answer) {
  struct guest guest = guest_for(query);
  struct guest_exit left;
  unsigned bytes = 1u << query->log2;
  bool write = query->how & X86_ASK_WRITE;
  bool ram = query->found && is_ram(query->pa);
  bool table = ram && trail_has(&query->trail, query->pa, bytes);
  bool marked = ram && (write || !table);
  uint64_t mark = next_mark(), kept = 0;
  if (marked)
    kept = peek(query->pa, bytes);
  if (marked && !write)
    poke(query->pa, mark, bytes);
  guest.rip = code_address(query, slot);
  guest.rcx = write ? mark : ~mark;
  guest_run(&guest, &left);
  report_data(query, &left, marked, mark, answer);
  /* What the tables say of the page then comes from the instruction's fetch. */
  query->updates_unknown = answer->kind == X86_GENERAL_FAULT;
  if (marked && low_bytes(peek(query->pa, bytes), bytes) == low_bytes(mark, bytes)) {
    poke(query->pa, kept, bytes);
    query->updates_unknown |= table;
  }
  if (!root_fails(query, slot, &left))
    return true;
  undo(query, NULL);
  return false;
}

/* -- one query --------------------------------------------------------------------------------- */

static void prepare_stage2(struct query *query) {
  query->va = (uint64_t)OWN_SELF << shift_of(4) | (uint64_t)OWN_DATA << shift_of(3) |
              (query->address & (GIGABYTE - 1));
  query->found = follow_nested(&query->trail, query->address, &query->pa);
}

/* A load or store whose instruction cannot be fetched: that is so where the guest's root cannot be
 * read, and then any other fetch meets the same nested fault. An address that is not canonical is told
 * before that. */
static void ask_by_fetch(struct query *query, struct x86_answer *answer) {
  ask_fetch(query, answer);
  if (answer->kind == X86_TRANSLATED || answer->kind == X86_PAGE_FAULT)
    answer->kind = X86_NO_SLOT;
}

struct x86_answer *ask(uint32_t how, uint64_t address, struct x86_answer *answer) {
  static struct query query;
  unsigned slot;
  query.how = how;
  query.address = query.va = address;
  query.log2 = log2_room(address);
  query.updates_unknown = query.own_mapped = false;
  query.trail.count = 0;
  query.trail.out_of_reach = false;
  if (how & X86_ASK_STAGE2)
    prepare_stage2(&query);
  else
    query.found = follow_guest(&query.trail, address, &query.pa);
  find_own(&query);
  bool fetch = how & X86_ASK_FETCH, stage2 = how & X86_ASK_STAGE2;
  bool from_own = !fetch && (stage2 || common.root);
  if (query.trail.out_of_reach && !(how & X86_ASK_ALL))
    *answer = (struct x86_answer){.kind = X86_OUT_OF_REACH};
  else if ((from_own || stage2) && !map_own(&query, &slot))
    *answer = (struct x86_answer){.kind = X86_NO_SLOT};
  else if (fetch)
    ask_fetch(&query, answer);
  else if (!from_own || !ask_data(&query, slot, answer))
    ask_by_fetch(&query, answer);
  return finish(&query, answer);
}
