/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One query: the access is made in the guest, and whatever it changed is changed back.
 *
 * The machine tells the physical address of no access that succeeds. So a mark of its own is put
 * where the access should arrive (path.c): a value to load, a value to store, or an instruction. An
 * access that comes upon the mark, or leaves it there, was translated to that address.
 */
#include "path.h"
#include "rom.h"
#include "vmx.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_GP 13
#define INT3 0xcc
#define INT1 0xf1
#define ACCESS_BYTES 16 /* of each piece of guest_accesses */
#define DEVICES_END 0x100000000ull

extern char guest_supervisor[], guest_jump[], guest_syscall[], guest_sysret[], guest_accesses[];
extern char guest_unpaged[], guest_unpaged_jump[], guest_user[], guest_user_accesses[];

struct query {
  uint64_t reg[EPT_REGISTERS];
  bool paged, user, fetch, write;
  uint64_t address;
  unsigned log2; /* of the bytes accessed */
  uint64_t mark, kept; /* put at path.pa, and what was there */
  uint64_t access;     /* linear address of the instruction */
  uint64_t jump;       /* and of the one that goes there */
  struct path path;
  struct guest_registers registers;
  struct guest_start start;
  struct guest_exit exit;
};

static uint64_t idle_word; /* takes what the guest stores where there is no EPT */

static uint64_t bytes_mask(unsigned log2) {
  return log2 == 3 ? ~0ull : (1ull << (8u << log2)) - 1;
}

/* -- marks -------------------------------------------------------------------------------------- */

static uint64_t peek(uint64_t address, unsigned log2) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 1u << log2; i++)
    value |= (uint64_t)((volatile uint8_t *)physical(address))[i] << 8 * i;
  return value;
}

static void poke(uint64_t address, unsigned log2, uint64_t value) {
  for (unsigned i = 0; i < 1u << log2; i++)
    ((volatile uint8_t *)physical(address))[i] = (uint8_t)(value >> 8 * i);
}

/* Every byte of it differs from what is there. */
static uint64_t unlike(uint64_t there) {
  static uint64_t state;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return there ^ ((state >> 7 & 0x7f7f7f7f7f7f7f7f) | 0x0101010101010101);
}

static bool can_be_marked(const struct path *path) {
  if (!path->arrives || !path_in_ram(path, path->pa))
    return false;
  for (size_t i = 0; i < path->entries; i++)
    if (path->entry[i].address == (path->pa & ~7ull))
      return false;
  return true;
}

static void put_mark(struct query *query) {
  query->kept = peek(query->path.pa, query->log2);
  if (query->fetch)
    query->mark = query->kept == INT3 ? INT1 : INT3;
  else
    query->mark = unlike(query->kept) & bytes_mask(query->log2);
  if (!query->write)
    poke(query->path.pa, query->log2, query->mark);
}

/* -- the guest ---------------------------------------------------------------------------------- */

/* The window of the guest's own tables that does not map the page in question. */
static uint64_t window(uint64_t address) {
  unsigned slot = address >> 39 & 511;
  return VMX_WINDOW(slot == VMX_WINDOW_SLOT(0) || slot == VMX_WINDOW_SLOT(0) + 1);
}

/* Where the instruction that makes the access is, in what the guest has of memory at `base`. */
static uint64_t access_at(const struct query *query, uint64_t base) {
  bool user_page = query->paged && query->user;
  uint64_t accesses = base + (uintptr_t)(user_page ? guest_user_accesses : guest_accesses);
  return query->fetch ? query->address
                      : accesses + ACCESS_BYTES * (query->log2 + 4 * (query->write ? 1 : 0));
}

static void prepare_paged(struct query *query) {
  uint64_t base = window(query->address), user_base = base + VMX_USER;
  query->access = access_at(query, query->user ? user_base : base);
  query->start.rip =
      query->user ? user_base + (uintptr_t)guest_user : base + (uintptr_t)guest_supervisor;
  query->start.syscall = base + (uintptr_t)guest_syscall;
  query->jump = base + (uintptr_t)(query->user ? guest_sysret : guest_jump);
  query->registers.r9 = query->access;
  query->registers.rdi = base;
}

static void prepare_unpaged(struct query *query) {
  query->access = access_at(query, 0);
  query->start.rip = (uintptr_t)guest_unpaged;
  query->jump = (uintptr_t)guest_unpaged_jump;
  query->registers.rcx = query->access;
  query->registers.rdi = 0;
}

/* The root of EPT gets an entry with which the guest can begin, and which it replaces. */
static void prepare(struct query *query) {
  uint64_t eptp = query->reg[EPT_EPTP];
  uint64_t root = eptp ? eptp & ~0xfffull : (uintptr_t)&idle_word;
  if (query->paged)
    prepare_paged(query);
  else
    prepare_unpaged(query);
  query->registers.rdi += root;
  query->registers.rsi = *physical(root);
  query->registers.rbx = query->paged ? query->reg[EPT_CR3] : query->registers.rsi >> 32;
  query->registers.rdx = query->address;
  query->registers.rax = query->mark;
  if (eptp)
    *physical(root) = vmx_own_ept_entry();
}

/* What the guest has of its own in its TLB must not be what is asked about. */
static bool in_own_way(const struct query *query) {
  uint64_t page = query->address >> 12;
  return !query->paged &&
         (page == (uintptr_t)guest_supervisor >> 12 || page == query->reg[EPT_EPTP] >> 12);
}

/* -- answers ------------------------------------------------------------------------------------ */

static bool at_the_access(const struct query *query) {
  const struct guest_exit *exit = &query->exit;
  if (exit->reason == EXIT_EXCEPTION && exit->vector == VECTOR_GP && exit->rip == query->jump)
    return true;
  return exit->rip >= query->access && exit->rip - query->access < (query->fetch ? 1 : 16);
}

static bool executed(const struct query *query) {
  const struct guest_exit *exit = &query->exit;
  if (!query->fetch)
    return exit->reason == EXIT_VMCALL;
  return exit->reason == EXIT_EXCEPTION && (exit->vector == VECTOR_BP || exit->vector == VECTOR_DB);
}

static bool mark_was_met(const struct query *query) {
  uint64_t mask = bytes_mask(query->log2);
  if (query->fetch)
    return query->exit.vector == (query->mark == INT3 ? VECTOR_BP : VECTOR_DB);
  if (query->write)
    return peek(query->path.pa, query->log2) == query->mark;
  return ((query->registers.rax ^ query->mark) & mask) == 0;
}

static void describe(const struct query *query, struct ept_answer *answer) {
  const struct guest_exit *exit = &query->exit;
  answer->error = exit->error;
  answer->gpa = exit->gpa;
  answer->address = exit->qualification;
  if (exit->reason == EXIT_ENTRY_FAILED || exit->reason >> 31) {
    answer->kind = EPT_REFUSED;
  } else if (!at_the_access(query)) {
    answer->kind = EPT_BROKEN;
    answer->error = exit->reason;
    answer->gpa = exit->rip;
  } else if (executed(query)) {
    answer->kind = EPT_DONE;
    answer->pa = query->path.pa;
    answer->pa_known = can_be_marked(&query->path) && mark_was_met(query);
  } else if (exit->reason == EXIT_EXCEPTION) {
    answer->kind = EPT_EXCEPTION;
    answer->vector = (uint16_t)exit->vector;
  } else {
    answer->kind = exit->reason == EXIT_EPT_VIOLATION          ? EPT_VIOLATION
                   : exit->reason == EXIT_EPT_MISCONFIGURATION ? EPT_MISCONFIGURATION
                                                               : EPT_BROKEN;
  }
}

/* Notes which entries changed, and puts everything back. */
static void restore(struct query *query, bool marked, struct ept_answer *answer,
                    struct ept_update *updates) {
  if (marked)
    poke(query->path.pa, query->log2, query->kept);
  for (size_t i = 0; i < query->path.entries; i++) {
    uint64_t address = query->path.entry[i].address, value = *physical(address);
    if (value == query->path.entry[i].value)
      continue;
    updates[answer->updates].address = address;
    updates[answer->updates++].value = value;
    *physical(address) = query->path.entry[i].value;
  }
}

/* -- all ---------------------------------------------------------------------------------------- */

/* As wide as it can be without leaving the page. */
static unsigned widest(const struct query *query) {
  unsigned log2 = query->paged ? 3 : 2;
  while (query->address & ((1u << log2) - 1))
    log2--;
  return query->fetch ? 0 : log2;
}

static void read_query(struct query *query, const uint64_t reg[EPT_REGISTERS], uint32_t how,
                       uint64_t address) {
  for (unsigned i = 0; i < EPT_REGISTERS; i++)
    query->reg[i] = reg[i];
  if (how & EPT_ASK_STAGE2)
    query->reg[EPT_CR0] &= ~CR0_PG;
  query->paged = query->reg[EPT_CR0] & CR0_PG;
  query->user = how & EPT_ASK_USER;
  query->fetch = how & EPT_ASK_FETCH;
  query->write = how & EPT_ASK_WRITE;
  query->address = address;
  query->log2 = widest(query);
}

/* Neither the walk nor its end may be where only the program or a device is. */
static bool may_be_asked(const struct query *query, bool marked) {
  const struct path *path = &query->path;
  if (path->strays || in_own_way(query))
    return false;
  if (!path->arrives || marked)
    return true;
  return !query->fetch && path->pa >= DEVICES_END;
}

void query_ask(const uint64_t reg[EPT_REGISTERS], uint32_t how, uint64_t address, uint64_t ram_end,
               struct ept_answer *answer, struct ept_update *updates) {
  static struct query query;
  read_query(&query, reg, how, address);
  path_follow(&query.path, query.reg, address, ram_end);
  if (reg[EPT_EPTP])
    path_add(&query.path, reg[EPT_EPTP] & ~0xfffull);
  bool marked = can_be_marked(&query.path);
  *answer = (struct ept_answer){.kind = EPT_NOT_ASKED};
  if (!may_be_asked(&query, marked))
    return;
  if (marked)
    put_mark(&query);
  prepare(&query);
  vmx_enter(query.reg, query.user, &query.start, &query.registers, &query.exit);
  describe(&query, answer);
  restore(&query, marked, answer, updates);
}
