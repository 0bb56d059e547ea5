/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARMv7: a Cortex-A15, asked by address-translation operations and by fetches.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dialect.h"
#include "protocol.h"

/* -- the machine ------------------------------------------------------------------------------- */

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define RAM TEXT(ORACLE_RAM_SIZE_GIB) "G"

/* qemu-system-aarch64 rather than qemu-system-arm: the latter cuts the addresses in stage-1 tables
 * to 32 bits. secure=on, since without the Security Extensions, which a Cortex-A15 always has,
 * TTBCR lacks PD0 and PD1. Memory is taken page by page, so nearly a terabyte costs nothing. */
static void arguments(struct machine_command *command, unsigned maxphyaddr) {
  static const char *const fixed[] = {"-M",
                                      "virt,virtualization=on,secure=on,memory-backend=ram",
                                      "-cpu",
                                      "cortex-a15",
                                      "-object",
                                      "memory-backend-ram,id=ram,reserve=off,size=" RAM,
                                      "-m",
                                      RAM,
                                      "-nodefaults",
                                      "-display",
                                      "none",
                                      "-serial",
                                      "none",
                                      "-monitor",
                                      "none",
                                      "-semihosting-config",
                                      "enable=on,target=native",
                                      "-kernel"};
  (void)maxphyaddr;
  for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
    machine_argument(command, fixed[i]);
}

static const struct machine machine = {
    .emulator = "qemu-system-aarch64",
    .emulator_variable = "NW_ORACLE_QEMU",
    .program = "hyp.elf",
    .program_variable = "NW_ORACLE_PROGRAM",
    .questions = {"questions", 0, ORACLE_QUESTIONS_ROOM},
    .answers = {"answers", 0, ORACLE_ANSWERS_ROOM},
    .arguments = arguments,
};

static void memory(unsigned maxphyaddr, struct range ram[DIALECT_RANGES],
                   struct range holes[DIALECT_RANGES]) {
  (void)maxphyaddr;
  ram[0] = ram[1] = (struct range){ORACLE_RAM_FIRST, ORACLE_RAM_LAST};
  holes[0] = (struct range){ORACLE_LOW_HOLE_FIRST, ORACLE_LOW_HOLE_LAST};
  holes[1] = (struct range){ORACLE_HIGH_HOLE_FIRST, ORACLE_HIGH_HOLE_LAST};
}

/* -- questions --------------------------------------------------------------------------------- */

/* Long descriptors at odd indexes, stage 2 at 2 and above. */
static const char *const regimes[] = {"armv7-short", "armv7-lpae", "armv7-short+s2",
                                      "armv7-lpae+s2", NULL};
static const char *const capabilities[] = {NULL};

static const struct dialect_register registers[] = {
    {"HCR", ORACLE_HCR, 32},
    {"VTCR", ORACLE_VTCR, 32},
    {"VTTBR", ORACLE_VTTBR, 64},
    {"TTBCR", ORACLE_TTBCR, 32},
    {"TTBR0", ORACLE_TTBR0, 64},
    {"TTBR1", ORACLE_TTBR1, 64},
    {"DACR", ORACLE_DACR, 32},
    {"SCTLR", ORACLE_SCTLR, 32},
    {"PRRR", ORACLE_PRRR_MAIR0, 32},
    {"MAIR0", ORACLE_PRRR_MAIR0, 32},
    {"NMRR", ORACLE_NMRR_MAIR1, 32},
    {"MAIR1", ORACLE_NMRR_MAIR1, 32},
    {"CONTEXTIDR", ORACLE_CONTEXTIDR, 32},
    {NULL, 0, 0},
};

#define HCR_VM 1u
#define HCR_DC (1u << 12)
#define SCTLR_M 1u
#define SCTLR_VECTORS (1u << 13 | 1u << 24 | 1u << 30) /* V, VE, TE */
#define TTBCR_EAE (1u << 31)

static bool is_lpae(const struct reader *reader) {
  return reader->regime & 1;
}

static bool has_stage2(const struct reader *reader) {
  return reader->regime & 2;
}

static bool stage2_on(const struct reader *reader) {
  return has_stage2(reader) && (reader->reg[ORACLE_HCR] & (HCR_VM | HCR_DC));
}

static bool some_domain_is_denied(uint64_t dacr) {
  for (unsigned domain = 0; domain < 16; domain++)
    if (!(dacr >> 2 * domain & 1))
      return true;
  return false;
}

static const char *why_not_asked(const struct reader *reader, const struct oracle_line *line) {
  char access = line->access;
  if (access == 'x' && reader->walk != WALK_BOTH)
    return "a fetch goes through both stages";
  if (access == 'x' && (reader->reg[ORACLE_SCTLR] & SCTLR_VECTORS))
    return "fetches need the vectors at VBAR, in ARM state";
  if (!reader->all && access != 'x' && reader->walk != WALK_STAGE2 && stage2_on(reader) &&
      !is_lpae(reader) && (reader->reg[ORACLE_SCTLR] & SCTLR_M) &&
      some_domain_is_denied(reader->reg[ORACLE_DACR]))
    return "a domain fault under stage 2 stops this QEMU";
  return NULL;
}

/* The registers as the query needs them: stage 2 alone is asked for with stage 1 off. */
static void settle_registers(struct reader *reader) {
  bool alone = reader->walk == WALK_STAGE2;
  for (unsigned i = 0; i < ORACLE_REGISTERS; i++) {
    uint64_t value = reader->reg[i];
    if (i == ORACLE_TTBCR && !reader->given[i])
      value = is_lpae(reader) ? TTBCR_EAE : 0;
    if (i == ORACLE_SCTLR && alone)
      value &= ~(uint64_t)SCTLR_M;
    if (i == ORACLE_HCR && alone)
      value = (value & ~(uint64_t)HCR_DC) | (stage2_on(reader) ? HCR_VM : 0);
    reader_send(reader, i, value);
  }
}

static void ask(struct reader *reader, struct oracle_line *line) {
  line->stage2 = stage2_on(reader);
  line->attributes = line->access != 'x' && is_lpae(reader) && reader->walk != WALK_STAGE2;
  line->combined = line->stage2 && reader->walk == WALK_BOTH;
  settle_registers(reader);
  bool alone = reader->walk == WALK_STAGE1 && (line->stage2 || reader->all);
  const uint32_t word[] = {(line->access == 'w' ? ORACLE_ASK_WRITE : 0) |
                               (line->access == 'x' ? ORACLE_ASK_FETCH : 0) |
                               (line->user ? ORACLE_ASK_USER : 0) | (alone ? ORACLE_ASK_STAGE1 : 0),
                           (uint32_t)line->va};
  reader_ask(reader, word, 2);
}

/* -- answers ----------------------------------------------------------------------------------- */

#define PAR_F 1u
#define IFSR_LPAE (1u << 9)
#define IFSR_NO_DOMAIN 0xf0u
#define HSR_IL (1u << 25)

/* HSR.EC */
#define INSTRUCTION_ABORT 0x20u
#define DATA_ABORT_IN_HYP 0x25u

static unsigned bits(uint64_t value, unsigned high, unsigned low) {
  return (unsigned)(value >> low & ((2ull << (high - low)) - 1));
}

/* DDI 0406C table B3-24; where the machine's stage-2 fault is met on a stage-1 walk it gives the
 * level of that walk. `stage` is the field, or empty where it cannot tell. */
static void print_long_fault(const char *stage, unsigned s1walk, unsigned status, bool raw) {
  static const char *const types[] = {NULL,         "translation", "accessflag",
                                      "permission", NULL,          "extabort"};
  const char *type = status >> 2 < 6 ? types[status >> 2] : NULL;
  printf("fault %ss1walk=%u", stage, s1walk);
  if (!s1walk || raw)
    printf(" level=%u", status & 3);
  if (type)
    printf(" type=%s", type);
  else
    printf(" type=status:0x%02x", status);
}

static void print_fault64(uint64_t par, bool raw) {
  print_long_fault(bits(par, 9, 9) ? "stage=2 " : "stage=1 ", bits(par, 8, 8), bits(par, 6, 1),
                   raw);
}

/* DDI 0406C table B3-23, by FS[4:0]. */
static void print_short_fault(unsigned status) {
  static const struct {
    unsigned level;
    const char *type;
  } statuses[32] = {
      [0x05] = {1, "translation"}, [0x07] = {2, "translation"}, [0x03] = {1, "accessflag"},
      [0x06] = {2, "accessflag"},  [0x09] = {1, "domain"},      [0x0b] = {2, "domain"},
      [0x0d] = {1, "permission"},  [0x0f] = {2, "permission"},  [0x0c] = {1, "extabort"},
      [0x0e] = {2, "extabort"},
  };
  if (statuses[status].type)
    printf("fault stage=1 s1walk=0 level=%u type=%s", statuses[status].level,
           statuses[status].type);
  else
    printf("fault stage=1 type=status:0x%02x", status);
}

/* An operation that meets an external abort takes a Data Abort to Hyp mode. The syndrome does not
 * tell the stage where there are two; the level is that of the stage-1 walk if there is one. */
static void print_abort(const struct oracle_line *line, uint32_t hsr, unsigned class, bool raw) {
  unsigned status = bits(hsr, 5, 0), s1walk = bits(hsr, 7, 7);
  bool external = status >> 2 == 5;
  if (bits(hsr, 31, 26) != class || (class == DATA_ABORT_IN_HYP && !external))
    printf("fault type=hsr:0x%08x", hsr);
  else
    print_long_fault(!external ? "stage=2 " : line->stage2 ? "" : "stage=1 ", s1walk, status, raw);
}

/* IFSR, in the format that it says it has. QEMU puts a domain where short descriptors have none. */
static void print_ifsr(uint32_t ifsr, bool raw) {
  if (ifsr & IFSR_LPAE)
    print_long_fault("stage=1 ", 0, bits(ifsr, 5, 0), raw);
  else
    print_short_fault(bits(ifsr, 10, 10) << 4 | bits(ifsr, 3, 0));
  printf(" syndrome=IFSR:0x%x", ifsr & IFSR_LPAE || raw ? ifsr : ifsr & ~IFSR_NO_DOMAIN);
}

/* A fetch that stage 2 aborted. In the syndrome, IL says nothing for such an abort and is 1, and
 * HPFAR is UNKNOWN, given as 0, for a permission fault of the final access (DDI 0406C B3.13.6). On
 * a stage-1 walk the level is wrong. */
static void print_instruction_abort(const struct oracle_line *line, uint32_t hsr, uint32_t hpfar,
                                    bool raw) {
  bool permission = bits(hsr, 5, 2) == 3, external = bits(hsr, 5, 2) == 5;
  print_abort(line, hsr, INSTRUCTION_ABORT, raw);
  if (raw)
    printf(" syndrome=HSR:0x%x,HPFAR:0x%x", hsr, hpfar);
  else if (!external && !bits(hsr, 7, 7))
    printf(" syndrome=HSR:0x%x,HPFAR:0x%x", hsr | HSR_IL, permission ? 0 : hpfar);
}

/* Device and wholly non-cacheable memory is outer shareable; without stage 2 QEMU gives what the
 * descriptor says. */
static bool always_outer(unsigned attr) {
  return attr >> 4 == 0 || attr == 0x44;
}

static void print_ok(const struct oracle_line *line, uint64_t par, uint32_t par32, bool raw) {
  unsigned attr = bits(par, 63, 56);
  printf("ok pa=0x%010" PRIx64, (par & 0xfffffff000) | (line->va & 0xfff));
  if (line->attributes || raw)
    printf(" attr=0x%02x", attr);
  if ((line->attributes && (line->combined || !always_outer(attr))) || raw)
    printf(" sh=%u", bits(par, 8, 7));
  if (par32 && raw)
    printf(" par32=0x%08x", par32);
}

static void print_answer(const struct oracle_line *line, const struct oracle_answer *answer,
                         bool raw) {
  uint64_t par = (uint64_t)answer->high << 32 | answer->low;
  switch (answer->kind) {
  case ORACLE_PAR32:
    print_short_fault(bits(answer->low, 5, 1));
    break;
  case ORACLE_PAR64:
    if (par & PAR_F)
      print_fault64(par, raw);
    else
      print_ok(line, par, answer->par32, raw);
    break;
  case ORACLE_ABORT:
    print_abort(line, answer->low, DATA_ABORT_IN_HYP, raw);
    break;
  case ORACLE_HSR:
    print_instruction_abort(line, answer->low, answer->high, raw);
    break;
  case ORACLE_IFSR:
    print_ifsr(answer->low, raw);
    break;
  case ORACLE_NOT_ASKED:
    printf("none ; no instruction can be put there");
    break;
  default:
    printf("fault type=broken:0x%08x,0x%08x", answer->low, answer->high);
    break;
  }
}

static const void *print(const struct oracle_line *line, const void *answer, const void *end,
                         bool raw) {
  if ((size_t)((const char *)end - (const char *)answer) < sizeof(struct oracle_answer))
    return NULL;
  print_answer(line, answer, raw);
  return (const struct oracle_answer *)answer + 1;
}

const struct dialect armv7_dialect = {
    .name = "ARMv7",
    .machine = &machine,
    .regimes = regimes,
    .registers = registers,
    .capabilities = capabilities,
    .va_bits = 32,
    .answer_size = sizeof(struct oracle_answer),
    .memory = memory,
    .why_not_asked = why_not_asked,
    .ask = ask,
    .print = print,
};
