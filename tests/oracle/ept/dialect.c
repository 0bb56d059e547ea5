/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64 with EPT: a guest in Bochs executes one load, store or fetch for each query. */
#include "../x86/dialect.h"

#include "../x86/protocol.h"
#include "memory.h"

static void arguments(struct machine_command *command, const char *model) {
  machine_argument(command, model);
  machine_argument(command, EPT_RAM_MIB);
}

static void full_arguments(struct machine_command *command, unsigned maxphyaddr) {
  (void)maxphyaddr;
  arguments(command, "corei7_icelake_u");
}

static void lesser_arguments(struct machine_command *command, unsigned maxphyaddr) {
  (void)maxphyaddr;
  arguments(command, "corei7_ivy_bridge_3770k");
}

#define MACHINE(arguments_of)                                                                      \
  {                                                                                                \
    .emulator = "ept/run-bochs", .emulator_variable = "NW_ORACLE_RUN_BOCHS",                       \
    .program = "ept/ept.rom", .program_variable = "NW_ORACLE_PROGRAM_EPT",                         \
    .questions = {"questions", 0, SIZE_MAX}, .answers = {"answers", 0, SIZE_MAX},                  \
    .arguments = (arguments_of),                                                                   \
  }

static const struct machine full = MACHINE(full_arguments), lesser = MACHINE(lesser_arguments);

/* What is read where there is no memory is no fault to this processor. */
static void memory(unsigned maxphyaddr, struct range ram[DIALECT_RANGES],
                   struct range holes[DIALECT_RANGES]) {
  (void)maxphyaddr;
  ram[0] = (struct range){EPT_RAM_FIRST, EPT_RAM_LAST};
  ram[1] = holes[0] = holes[1] = (struct range){UINT64_MAX, 0};
}

static const char *const regimes[] = {"x86-ept", NULL};
static const char *const full_capabilities[] = {"execute-only", "ept-ad", "1g-pages", NULL};
static const char *const lesser_capabilities[] = {"execute-only", NULL};

#define CR0_PG (1u << 31)
#define CR4_LA57 (1u << 12)
#define CR4_SMAP (1u << 21)
#define CR4_PKE (1u << 22)
#define EPTP_WALK_LENGTH 0x38u
#define EPTP_FOUR_LEVELS 0x18u
#define EPTP_AD 0x40u

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

static const char *why_lesser_not_asked(const struct reader *reader,
                                        const struct oracle_line *line) {
  if (reader->walk != WALK_STAGE2 && (reader->reg[X86_CR4] & (CR4_SMAP | CR4_PKE)))
    return "this model has neither CR4.SMAP nor CR4.PKE";
  if (reader->reg[X86_EPTP] & EPTP_AD)
    return "this model's EPT has no accessed and dirty flags";
  return why_not_asked(reader, line);
}

#define DIALECT(of_machine, has, without, why)                                                     \
  {                                                                                                \
    .name = "x86-64 with EPT", .machine = (of_machine), .regimes = regimes,                        \
    .first_regime = X86_REGIME_EPT, .registers = x86_registers, .capabilities = (has),             \
    .lacks = (without), .va_bits = 64,                                                             \
    .answer_size = sizeof(struct x86_answer) + X86_UPDATES_MOST * sizeof(struct x86_update),       \
    .memory = memory, .why_not_asked = (why), .ask = x86_ask, .print = x86_print,                  \
  }

const struct dialect ept_dialect = DIALECT(&full, full_capabilities, NULL, why_not_asked);
const struct dialect ept_lesser_dialect =
    DIALECT(&lesser, lesser_capabilities, "1g-pages", why_lesser_not_asked);
