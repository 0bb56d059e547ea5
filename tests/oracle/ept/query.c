/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One query: the access is made in the guest, and whatever it changed is changed back.
 *
 * The machine tells the physical address of no access that succeeds. So a mark of the program's own
 * is put where the access should arrive (../x86/walk.c): a value to load, a value to store, or an
 * instruction. An access that comes upon the mark, or leaves it there, was translated to that
 * address.
 */
#include "memory.h"
#include "rom.h"
#include "vmx.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_GP 13
#define VECTOR_PF 14
#define INT3 0xcc
#define INT1 0xf1
#define ACCESS_BYTES 16 /* of each piece of guest_accesses */

extern char guest_supervisor[], guest_jump[], guest_accesses[];
extern char guest_user[], guest_user_accesses[], guest_syscall[], guest_sysret[];
extern char guest_unpaged[], guest_unpaged_jump[];

struct query {
  bool paged, user, fetch, write;
  uint64_t address;
  unsigned log2; /* of the bytes accessed */
  struct trail trail;
  bool arrives; /* at `pa` */
  bool marked;  /* with `mark`, in place of `kept` */
  uint64_t pa, mark, kept;
  uint64_t access; /* linear address of the instruction */
  uint64_t jump;   /* and of the one that goes there */
  struct vmx_registers registers;
  struct vmx_start start;
  struct vmx_exit exit;
};

static uint64_t idle_word; /* takes what the guest stores where there is no EPT */

/* -- marks -------------------------------------------------------------------------------------- */

static uint64_t bytes_mask(unsigned log2) {
  return log2 == 3 ? ~0ull : (1ull << (8u << log2)) - 1;
}

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

static void put_mark(struct query *query) {
  query->kept = peek(query->pa, query->log2);
  if (query->fetch)
    query->mark = query->kept == INT3 ? INT1 : INT3;
  else
    query->mark = unlike(query->kept) & bytes_mask(query->log2);
  if (!query->write)
    poke(query->pa, query->log2, query->mark);
}

static bool mark_was_met(const struct query *query) {
  if (!query->marked)
    return false;
  if (query->fetch)
    return query->exit.vector == (query->mark == INT3 ? VECTOR_BP : VECTOR_DB);
  if (query->write)
    return peek(query->pa, query->log2) == query->mark;
  return ((query->registers.rax ^ query->mark) & bytes_mask(query->log2)) == 0;
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
  uint64_t root = x86_reg[X86_EPTP] ? nested_root() : (uintptr_t)&idle_word;
  if (query->paged)
    prepare_paged(query);
  else
    prepare_unpaged(query);
  query->registers.rdi += root;
  query->registers.rsi = *physical(root);
  query->registers.rbx = query->paged ? x86_reg[X86_CR3] : query->registers.rsi >> 32;
  query->registers.rdx = query->address;
  query->registers.rax = query->mark;
  *physical(root) = vmx_own_ept_entry();
}

/* -- answers ------------------------------------------------------------------------------------ */

static bool at_the_access(const struct query *query) {
  const struct vmx_exit *exit = &query->exit;
  if (exit->reason == VMX_EXCEPTION && exit->vector == VECTOR_GP && exit->rip == query->jump)
    return true;
  return exit->rip >= query->access && exit->rip - query->access < (query->fetch ? 1 : 16);
}

static bool executed(const struct query *query) {
  const struct vmx_exit *exit = &query->exit;
  if (!query->fetch)
    return exit->reason == VMX_VMCALL;
  return exit->reason == VMX_EXCEPTION && (exit->vector == VECTOR_BP || exit->vector == VECTOR_DB);
}

static void describe_exit(const struct query *query, struct x86_answer *answer) {
  const struct vmx_exit *exit = &query->exit;
  bool exception = exit->reason == VMX_EXCEPTION;
  if (exception && exit->vector == VECTOR_PF && exit->qualification == query->address)
    *answer = (struct x86_answer){.kind = X86_PAGE_FAULT, .code = exit->error};
  else if (exception && exit->vector == VECTOR_GP)
    *answer = (struct x86_answer){.kind = X86_GENERAL_FAULT};
  else if (exit->reason == VMX_EPT_VIOLATION)
    *answer = (struct x86_answer){
        .kind = X86_EPT_VIOLATION, .code = exit->qualification, .address = exit->gpa};
  else if (exit->reason == VMX_EPT_MISCONFIGURATION)
    *answer = (struct x86_answer){.kind = X86_EPT_MISCONFIG, .address = exit->gpa};
}

static void describe(const struct query *query, struct x86_answer *answer) {
  const struct vmx_exit *exit = &query->exit;
  *answer =
      (struct x86_answer){.kind = X86_BROKEN,
                          .code = exit->reason,
                          .address = exit->reason == VMX_ENTRY_FAILED ? exit->error : exit->rip};
  if (exit->reason == VMX_ENTRY_FAILED || !at_the_access(query))
    return;
  if (!executed(query))
    describe_exit(query, answer);
  else if (mark_was_met(query))
    *answer = (struct x86_answer){.kind = X86_TRANSLATED, .code = 1, .address = query->pa};
  else if (!query->marked && query->arrives)
    *answer = (struct x86_answer){.kind = X86_TRANSLATED};
}

/* Notes which entries changed, and puts everything back. */
static void restore(struct query *query, struct x86_answer *answer, struct x86_update *updates) {
  if (query->marked)
    poke(query->pa, query->log2, query->kept);
  for (unsigned i = 0; i < query->trail.count; i++) {
    volatile uint64_t *at = query->trail.entry[i].at;
    uint64_t now = *at;
    if (now == query->trail.entry[i].value)
      continue;
    updates[answer->updates].address = (uintptr_t)at;
    updates[answer->updates++].value = now;
    *at = query->trail.entry[i].value;
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

static void follow(struct query *query) {
  query->trail.count = 0;
  query->trail.strays = false;
  query->arrives = query->paged ? follow_guest(&query->trail, query->address, &query->pa)
                                : follow_nested(&query->trail, query->address, &query->pa);
  query->marked = query->arrives && is_ram(query->pa) &&
                  !trail_has(&query->trail, query->pa, 1u << query->log2);
  if (!query->trail.strays && x86_reg[X86_EPTP]) /* the guest is to restore its first entry */
    trail_patch(&query->trail, physical(nested_root()), *physical(nested_root()));
}

/* What the guest has of its own in its TLB must not be what is asked about. */
static bool in_own_way(const struct query *query) {
  uint64_t page = query->address >> 12;
  return !query->paged &&
         (page == (uintptr_t)guest_supervisor >> 12 || page == nested_root() >> 12);
}

/* Whether there is nothing at all at an address. */
static bool is_nowhere(uint64_t pa) {
  return pa > EPT_RAM_LAST && (pa < EPT_DEVICES_FIRST || pa > EPT_DEVICES_LAST);
}

/* Neither the walk nor its end may be where only the program or a device is. */
static bool may_be_asked(const struct query *query) {
  if (query->trail.strays || in_own_way(query))
    return false;
  return !query->arrives || query->marked || (!query->fetch && is_nowhere(query->pa));
}

void query_ask(uint32_t how, uint64_t address, struct x86_answer *answer,
               struct x86_update *updates) {
  static struct query query;
  query.paged = !(how & X86_ASK_STAGE2) && (x86_reg[X86_CR0] & CR0_PG);
  query.user = how & X86_ASK_USER;
  query.fetch = how & X86_ASK_FETCH;
  query.write = how & X86_ASK_WRITE;
  query.address = address;
  query.log2 = widest(&query);
  follow(&query);
  *answer = (struct x86_answer){.kind = X86_NO_MEMORY};
  if (!may_be_asked(&query))
    return;
  if (query.marked)
    put_mark(&query);
  prepare(&query);
  vmx_enter(query.paged, query.user, &query.start, &query.registers, &query.exit);
  describe(&query, answer);
  restore(&query, answer, updates);
  if (!(how & X86_ASK_UPDATES))
    answer->updates = 0;
}
