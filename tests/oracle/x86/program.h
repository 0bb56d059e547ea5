/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the program in an x86-64 machine share. All memory is mapped flat. */
#ifndef NW_ORACLE_X86_PROGRAM_H
#define NW_ORACLE_X86_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

#define GIGABYTE 0x40000000ull

/* Entries of guest tables and of nested ones. */
#define ENTRY_P 1ull
#define ENTRY_W 2ull
#define ENTRY_U 4ull
#define ENTRY_A 0x20ull
#define ENTRY_D 0x40ull
#define ENTRY_PS 0x80ull
#define ENTRY_NX 0x8000000000000000ull

#define CR0_PE 1ull
#define CR0_ET 0x10ull
#define CR0_WP 0x10000ull
#define CR0_PG 0x80000000ull
#define CR4_PAE 0x20ull
#define CR4_PGE 0x80ull
#define CR4_LA57 0x1000ull
#define CR4_SMEP 0x100000ull
#define CR4_SMAP 0x200000ull
#define CR4_PKE 0x400000ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull
#define EFER_NXE 0x800ull

void *memcpy(void *to, const void *from, size_t bytes);

/** The registers of the case, as the host sent them. */
extern uint64_t x86_reg[X86_REGISTERS];

/* -- the tables, as the program follows them (walk.c) ------------------------------------------ */

/* The entries that lead to an address, with what they held; those that the program has changed for
 * the time of a query are "patched". */
struct trail {
  struct {
    volatile uint64_t *at;
    uint64_t value;
    uint8_t level;
    bool patched;
  } entry[X86_UPDATES_MOST];
  unsigned count;
  bool out_of_reach; /* a guest-physical address has more bits than the nested tables look at */
  bool strays;       /* a table is at an address that there can be, but where cases have no RAM */
};

/** Whether cases have RAM there. */
bool is_ram(uint64_t pa);

/** log2 of what an entry of this level maps; level 1 is the last. */
static inline unsigned shift_of(unsigned level) {
  return 3 + 9 * level;
}

unsigned guest_levels(void);
unsigned nested_levels(void);
/** Where the root of the nested tables is. */
uint64_t nested_root(void);

/** Where the tables lead an address to, whatever rights and reserved bits say; what is read on the
 * way is added to the trail. False where an entry is not present, or there is no RAM for a table.
 * Without nested tables a guest-physical address is a physical one. */
bool follow_nested(struct trail *trail, uint64_t gpa, uint64_t *pa);
bool follow_guest(struct trail *trail, uint64_t va, uint64_t *pa);

/** Whether any of `bytes` bytes at `pa` belong to an entry of the trail. */
bool trail_has(const struct trail *trail, uint64_t pa, unsigned bytes);

/** Changes an entry for the time of a query. */
void trail_patch(struct trail *trail, volatile uint64_t *at, uint64_t value);

/* -- how the program itself is mapped for the guest (own.c) ------------------------------------ */

/* One page, which is table and code at once. */
struct own {
  uint64_t gpa;              /* of the page */
  volatile uint64_t *nested; /* the free entry of the nested tables that leads there, or NULL */
  uint64_t nested_value;     /* what is to be put into it */
};

/** Finds a place for the page in guest-physical memory, by a free entry of one of those nested
 * tables that lead to `gpa`: whoever goes there uses all that is above it as well. The entry is not
 * in `avoid`. */
bool own_find(struct own *own, uint64_t gpa, const struct trail *avoid);

/** Writes the page and maps it for the time of a query. */
void own_map(const struct own *own, struct trail *trail);

/** The entry for a table of the guest that leads to the page. */
uint64_t own_entry(const struct own *own);

/** Index, in the page, of the entry that leads to the page itself, and of one that maps the
 * gigabyte given to own_data(). */
#define OWN_SELF 0x11u
#define OWN_DATA 0x12u

void own_data(uint64_t gpa);

/** Address of an instruction in the page: `index` is that of own_entry() in the guest's root. */
uint64_t own_code(const struct own *own, unsigned index, unsigned levels, bool user,
                  unsigned offset);

/** Offsets of the instructions: a load into RCX from where RBX points, a store likewise, of 2^log2
 * bytes. */
unsigned own_load(unsigned log2);
unsigned own_store(unsigned log2);

/* -- one instruction of the guest's (svm.c) ---------------------------------------------------- */

struct guest {
  uint64_t cr0, cr3, cr4, efer;
  bool ac, user;
  uint64_t rip, rax, rbx, rcx;
};

enum guest_exit_kind {
  EXIT_STEPPED, /* the instruction was executed */
  EXIT_PAGE_FAULT,
  EXIT_GENERAL_FAULT,
  EXIT_NESTED_FAULT,
  EXIT_OTHER,
};

struct guest_exit {
  enum guest_exit_kind kind;
  uint64_t code;    /* error code or EXITINFO1; EXIT_OTHER: the exit's number */
  uint64_t address; /* linear (page fault) or guest-physical */
  uint64_t rax, rcx;
};

void guest_prepare(void);

/** Brings the machine into the state that the registers ask for; before the first guest_run() with
 * them. */
void guest_registers(void);

/** Runs the guest for one instruction. */
void guest_run(const struct guest *guest, struct guest_exit *left);

/* -- queries (ask.c) --------------------------------------------------------------------------- */

/** Before the queries that follow a change of registers or memory. */
void ask_prepare(void);

/** Answers a query; returns where the next answer goes. */
struct x86_answer *ask(uint32_t how, uint64_t address, struct x86_answer *answer);

#endif
