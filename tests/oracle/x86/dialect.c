/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64: a processor with SVM, whose guest executes one load, store or fetch for each query, with
 * nested paging or without.
 */
#include "dialect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

/* -- the machine ------------------------------------------------------------------------------- */

#define OWN_GIB ((X86_OWN_LAST + 1) >> 30)
#define LOW_GIB 2u /* after the program's own, below the devices */

/* The program's own memory is a file, through which questions and answers come and go. */
static void arguments(struct machine_command *command, unsigned maxphyaddr) {
  static const char *const fixed[] = {
      "-nodefaults", "-display",
      "none",        "-no-reboot",
      "-device",     "isa-debug-exit,iobase=0xf4,iosize=4",
      "-numa",       "node,memdev=own",
      "-numa",       "node,memdev=ram",
      "-M",          "pc",
      "-kernel",
  };
  unsigned ram = LOW_GIB + (unsigned)x86_high_ram_gib(maxphyaddr);
  machine_argument(command, "-cpu");
  machine_argument_of(command, "qemu64,+svm,+npt,+la57,+pku,+smep,+smap,+pdpe1gb,+nx,phys-bits=%u",
                      maxphyaddr);
  machine_argument(command, "-m");
  machine_argument_of(command, "%uG", OWN_GIB + ram);
  machine_argument(command, "-object");
  machine_argument_of(command, "memory-backend-file,id=own,mem-path=memory,share=on,size=%uG",
                      OWN_GIB);
  machine_argument(command, "-object");
  machine_argument_of(command, "memory-backend-ram,id=ram,reserve=off,size=%uG", ram);
  for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
    machine_argument(command, fixed[i]);
}

static const struct machine machine = {
    .emulator = "qemu-system-x86_64",
    .emulator_variable = "NW_ORACLE_QEMU_X86",
    .program = "x86/svm.elf",
    .program_variable = "NW_ORACLE_PROGRAM_X86",
    .questions = {"memory", X86_QUESTIONS, X86_QUESTIONS_ROOM},
    .answers = {"memory", X86_ANSWERS, X86_ANSWERS_ROOM},
    .file_size = X86_OWN_LAST + 1,
    .status = 33,
    .arguments = arguments,
};

/* There are no holes: what is read where there is no memory is no fault to this processor. */
static void memory(unsigned maxphyaddr, struct range ram[DIALECT_RANGES],
                   struct range holes[DIALECT_RANGES]) {
  ram[0] = (struct range){X86_LOW_RAM_FIRST, X86_LOW_RAM_LAST};
  ram[1] = (struct range){X86_HIGH_RAM_FIRST,
                          X86_HIGH_RAM_FIRST + (x86_high_ram_gib(maxphyaddr) << 30) - 1};
  for (unsigned i = 0; i < DIALECT_RANGES; i++)
    holes[i] = (struct range){UINT64_MAX, 0};
}

/* -- questions --------------------------------------------------------------------------------- */

/* By enum x86_regime. */
static const char *const regimes[] = {"x86-64", "x86-svm-npt", NULL};
static const char *const capabilities[] = {"1g-pages", NULL};

const struct dialect_register x86_registers[] = {
    {"CR0", X86_CR0, 64},   {"CR3", X86_CR3, 64},  {"CR4", X86_CR4, 64},     {"EFER", X86_EFER, 64},
    {"PKRU", X86_PKRU, 32}, {"AC", X86_AC, 1},     {"PAT", X86_PAT, 64},     {"nCR3", X86_NCR3, 64},
    {"hCR4", X86_HCR4, 64}, {"ASID", X86_TAG, 32}, {"hEFER", X86_HEFER, 64}, {"VPID", X86_TAG, 32},
    {"EPTP", X86_EPTP, 64}, {NULL, 0, 0},
};

#define CR0_PG (1u << 31)
#define EFER_NXE 0x800u

static const char *why_not_asked(const struct reader *reader, const struct oracle_line *line) {
  if (!reader->all && line->access == 'x' && line->va == UINT64_MAX)
    return "a fetch of the last byte of all stops this QEMU";
  if (reader->walk == WALK_STAGE2 && reader->regime != X86_REGIME_NPT)
    return "there is no stage 2";
  if (reader->walk == WALK_STAGE2 && line->va >> reader->questions->maxphyaddr)
    return "no entry of a guest's table can hold such an address";
  if (reader->walk == WALK_STAGE2)
    return NULL;
  if (reader->walk == WALK_STAGE1 && reader->regime != X86_REGIME_STAGE1)
    return "an access goes through both stages";
  if (!(reader->reg[X86_CR0] & CR0_PG))
    return "the guest needs paging";
  return NULL;
}

static void send_registers(struct reader *reader) {
  for (const struct dialect_register *reg = x86_registers; reg->name; reg++) {
    bool nxe = reg->number == X86_HEFER && !reader->given[X86_HEFER];
    if (reg->number < X86_REGISTERS)
      reader_send(reader, reg->number, nxe ? EFER_NXE : reader->reg[reg->number]);
  }
  reader_send(reader, X86_REGIME, reader->dialect->first_regime + reader->regime);
  reader_send(reader, X86_MAXPHYADDR, reader->questions->maxphyaddr);
  reader_send(reader, X86_LOW_FIRST, reader->ram[0].first);
  reader_send(reader, X86_LOW_LAST, reader->ram[0].last);
  reader_send(reader, X86_HIGH_FIRST, reader->ram[1].first);
  reader_send(reader, X86_HIGH_LAST, reader->ram[1].last);
}

void x86_ask(struct reader *reader, struct oracle_line *line) {
  const uint32_t word[] = {
      (line->access == 'w' ? X86_ASK_WRITE : 0) | (line->access == 'x' ? X86_ASK_FETCH : 0) |
          (line->user ? X86_ASK_USER : 0) | (reader->walk == WALK_STAGE2 ? X86_ASK_STAGE2 : 0) |
          (reader->update_check ? X86_ASK_UPDATES : 0) | (reader->all ? X86_ASK_ALL : 0),
      (uint32_t)line->va, (uint32_t)(line->va >> 32)};
  line->updates = reader->update_check;
  send_registers(reader);
  reader_ask(reader, word, 3);
}

/* -- answers ----------------------------------------------------------------------------------- */

/* Bits of an error code (SDM vol. 3, 4.7), which EXITINFO1 of a nested fault has as well, with two
 * of its own (APM vol. 2, 15.25.6). */
#define ERROR_P 0x01u
#define ERROR_RSVD 0x08u
#define NESTED_FINAL (1ull << 32)
#define NESTED_TABLE (1ull << 33)

static const char *type_of(uint64_t code) {
  return code & ERROR_RSVD ? "rsvd" : code & ERROR_P ? "permission" : "translation";
}

static void print_flags(uint64_t code) {
  static const char *const names[] = {"p", "w", "u", "rsvd", "id", "pk"};
  for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    printf(" %s=%u", names[i], (unsigned)(code >> i & 1));
}

static void print_page_fault(uint64_t code) {
  printf("fault stage=1 s1walk=0 type=%s", type_of(code));
  print_flags(code);
  printf(" syndrome=PF:0x%" PRIx64, code);
}

static void print_nested_fault(uint64_t info, uint64_t gpa) {
  bool table = info & NESTED_TABLE, final = info & NESTED_FINAL;
  if (table == final) {
    printf("fault type=npf:0x%" PRIx64, info);
    return;
  }
  printf("fault stage=2 s1walk=%u type=%s gpa=0x%016" PRIx64, table, type_of(info), gpa);
  print_flags(info);
  printf(" syndrome=NPF:0x%" PRIx64, info);
}

/* Bits of the exit qualification of an EPT violation (SDM vol. 3, table 28-7). Where it gives no
 * rights, there may have been no entry, or several that have none in common. */
#define EPT_RIGHTS 0x38u
#define EPT_FINAL 0x100u

static void print_ept_violation(uint64_t qualification, uint64_t gpa) {
  printf("fault stage=2 s1walk=%u%s gpa=0x%016" PRIx64 " syndrome=EPT:0x%" PRIx64,
         !(qualification & EPT_FINAL), qualification & EPT_RIGHTS ? " type=permission" : "", gpa,
         qualification);
}

static void print_answer(const struct x86_answer *answer) {
  switch (answer->kind) {
  case X86_TRANSLATED:
    printf("ok");
    if (answer->code)
      printf(" pa=0x%016" PRIx64, answer->address);
    break;
  case X86_PAGE_FAULT:
    print_page_fault(answer->code);
    break;
  case X86_GENERAL_FAULT:
    printf("fault stage=1 s1walk=0 type=noncanonical");
    break;
  case X86_NESTED_FAULT:
    print_nested_fault(answer->code, answer->address);
    break;
  case X86_EPT_VIOLATION:
    print_ept_violation(answer->code, answer->address);
    break;
  case X86_EPT_MISCONFIG:
    printf("fault stage=2 type=misconfig gpa=0x%016" PRIx64, answer->address);
    break;
  case X86_NO_MEMORY:
    printf("none ; it may lead to where cases have no memory");
    break;
  case X86_NO_SLOT:
    printf("none ; no free entry through which the program could be mapped");
    break;
  case X86_NO_PLACE:
    printf("none ; no instruction can be put there");
    break;
  case X86_OUT_OF_REACH:
    printf("none ; a guest-physical address wider than the nested tables'");
    break;
  default:
    printf("fault type=broken:0x%" PRIx64 ",0x%" PRIx64, answer->code, answer->address);
    break;
  }
}

static int by_address(const void *a, const void *b) {
  const struct x86_update *left = a, *right = b;
  return left->address < right->address ? -1 : left->address > right->address;
}

/* In order of address; upd=unknown where it cannot be told whether there were any. */
static void print_updates(const struct x86_answer *answer) {
  struct x86_update update[X86_UPDATES_MOST];
  if (answer->updates == X86_UPDATES_UNKNOWN) {
    printf(" upd=unknown");
    return;
  }
  memcpy(update, answer + 1, answer->updates * sizeof(update[0]));
  qsort(update, answer->updates, sizeof(update[0]), by_address);
  for (uint32_t i = 0; i < answer->updates; i++)
    printf(" upd=0x%016" PRIx64 ":0x%016" PRIx64, update[i].address, update[i].value);
}

const void *x86_print(const struct oracle_line *line, const void *data, const void *end, bool raw) {
  const struct x86_answer *answer = data;
  size_t room = (size_t)((const char *)end - (const char *)data);
  (void)raw;
  if (room < sizeof(*answer) || !answer->kind)
    return NULL;
  uint32_t updates = answer->updates > X86_UPDATES_MOST ? 0 : answer->updates;
  if (room < sizeof(*answer) + updates * sizeof(struct x86_update))
    return NULL;
  print_answer(answer);
  if (line->updates)
    print_updates(answer);
  return (const char *)(answer + 1) + updates * sizeof(struct x86_update);
}

const struct dialect x86_dialect = {
    .name = "x86-64",
    .machine = &machine,
    .regimes = regimes,
    .registers = x86_registers,
    .capabilities = capabilities,
    .va_bits = 64,
    .answer_size = sizeof(struct x86_answer) + X86_UPDATES_MOST * sizeof(struct x86_update),
    .memory = memory,
    .why_not_asked = why_not_asked,
    .ask = x86_ask,
    .print = x86_print,
};
