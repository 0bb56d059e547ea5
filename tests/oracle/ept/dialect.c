/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64 with EPT: a guest in Bochs executes one load, store or fetch for each query. */
#include "../x86/dialect.h"

#include "../x86/protocol.h"
#include "memory.h"

static void arguments(struct machine_command *command, unsigned maxphyaddr) {
  (void)maxphyaddr;
  machine_argument(command, EPT_RAM_MIB);
}

static const struct machine machine = {
    .emulator = "ept/run-bochs",
    .emulator_variable = "NW_ORACLE_RUN_BOCHS",
    .program = "ept/ept.rom",
    .program_variable = "NW_ORACLE_PROGRAM_EPT",
    .questions = {"questions", 0, SIZE_MAX},
    .answers = {"answers", 0, SIZE_MAX},
    .arguments = arguments,
};

/* What is read where there is no memory is no fault to this processor. */
static void memory(unsigned maxphyaddr, struct range ram[DIALECT_RANGES],
                   struct range holes[DIALECT_RANGES]) {
  (void)maxphyaddr;
  ram[0] = (struct range){EPT_RAM_FIRST, EPT_RAM_LAST};
  ram[1] = holes[0] = holes[1] = (struct range){UINT64_MAX, 0};
}

static const char *const regimes[] = {"x86-ept", NULL};
static const char *const capabilities[] = {"execute-only", "ept-ad", "1g-pages", NULL};

#define CR0_PG (1u << 31)
#define CR4_LA57 (1u << 12)
#define EPTP_WALK_LENGTH 0x38u
#define EPTP_FOUR_LEVELS 0x18u

static const char *why_not_asked(const struct reader *reader, const struct oracle_line *line) {
  uint64_t eptp = reader->reg[X86_EPTP];
  bool paged = reader->walk != WALK_STAGE2 && (reader->reg[X86_CR0] & CR0_PG);
  if (reader->questions->maxphyaddr != EPT_MAXPHYADDR)
    return "this machine's physical addresses have 40 bits";
  if (reader->walk == WALK_STAGE1 && eptp)
    return "an access goes through both stages";
  if ((eptp && (eptp & EPTP_WALK_LENGTH) != EPTP_FOUR_LEVELS) ||
      (paged && (reader->reg[X86_CR4] & CR4_LA57)))
    return "this machine's tables have four levels";
  if (!paged && !eptp)
    return "there is nothing to ask";
  if (!paged && line->va >> 32)
    return "without paging the guest makes addresses of 32 bits";
  return NULL;
}

const struct dialect ept_dialect = {
    .name = "x86-64 with EPT",
    .machine = &machine,
    .regimes = regimes,
    .first_regime = X86_REGIME_EPT,
    .registers = x86_registers,
    .capabilities = capabilities,
    .va_bits = 64,
    .answer_size = sizeof(struct x86_answer) + X86_UPDATES_MOST * sizeof(struct x86_update),
    .memory = memory,
    .why_not_asked = why_not_asked,
    .ask = x86_ask,
    .print = x86_print,
};
