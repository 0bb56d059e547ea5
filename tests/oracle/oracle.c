/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nestwalk-oracle [--raw] CASE: the queries of a case file answered by a Cortex-A15 in QEMU. Same
 * input and same form of output as `nestwalk translate`; a field that the machine cannot be trusted
 * with is left out, and a query that it cannot be asked has the answer "none".
 * With --raw nothing is left out: for looking at what the machine departs in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "questions.h"

#define PAR_F 1u
#define IFSR_LPAE (1u << 9)
#define IFSR_NO_DOMAIN 0xf0u
#define HSR_IL (1u << 25)

/* HSR.EC */
#define INSTRUCTION_ABORT 0x20u
#define DATA_ABORT_IN_HYP 0x25u

static bool raw;

static unsigned bits(uint64_t value, unsigned high, unsigned low) {
  return (unsigned)(value >> low & ((2ull << (high - low)) - 1));
}

/* DDI 0406C table B3-24; where the machine's stage-2 fault is met on a stage-1 walk it gives the
 * level of that walk. `stage` is the field, or empty where it cannot tell. */
static void print_long_fault(const char *stage, unsigned s1walk, unsigned status) {
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

static void print_fault64(uint64_t par) {
  print_long_fault(bits(par, 9, 9) ? "stage=2 " : "stage=1 ", bits(par, 8, 8), bits(par, 6, 1));
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
static void print_abort(const struct oracle_line *line, uint32_t hsr, unsigned class) {
  unsigned status = bits(hsr, 5, 0), s1walk = bits(hsr, 7, 7);
  bool external = status >> 2 == 5;
  if (bits(hsr, 31, 26) != class || (class == DATA_ABORT_IN_HYP && !external))
    printf("fault type=hsr:0x%08x", hsr);
  else
    print_long_fault(!external ? "stage=2 " : line->stage2 ? "" : "stage=1 ", s1walk, status);
}

/* IFSR, in the format that it says it has. QEMU puts a domain where short descriptors have none. */
static void print_ifsr(uint32_t ifsr) {
  if (ifsr & IFSR_LPAE)
    print_long_fault("stage=1 ", 0, bits(ifsr, 5, 0));
  else
    print_short_fault(bits(ifsr, 10, 10) << 4 | bits(ifsr, 3, 0));
  printf(" syndrome=IFSR:0x%x", ifsr & IFSR_LPAE || raw ? ifsr : ifsr & ~IFSR_NO_DOMAIN);
}

/* A fetch that stage 2 aborted. In the syndrome, IL says nothing for such an abort and is 1, and
 * HPFAR is UNKNOWN, given as 0, for a permission fault of the final access (DDI 0406C B3.13.6). On
 * a stage-1 walk the level is wrong. */
static void print_instruction_abort(const struct oracle_line *line, uint32_t hsr, uint32_t hpfar) {
  bool permission = bits(hsr, 5, 2) == 3, external = bits(hsr, 5, 2) == 5;
  print_abort(line, hsr, INSTRUCTION_ABORT);
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

static void print_ok(const struct oracle_line *line, uint64_t par, uint32_t par32) {
  unsigned attr = bits(par, 63, 56);
  printf("ok pa=0x%010" PRIx64, (par & 0xfffffff000) | (line->va & 0xfff));
  if (line->attributes || raw)
    printf(" attr=0x%02x", attr);
  if ((line->attributes && (line->combined || !always_outer(attr))) || raw)
    printf(" sh=%u", bits(par, 8, 7));
  if (par32 && raw)
    printf(" par32=0x%08x", par32);
}

static void print_answer(const struct oracle_line *line, const struct oracle_answer *answer) {
  uint64_t par = (uint64_t)answer->high << 32 | answer->low;
  switch (answer->kind) {
  case ORACLE_PAR32:
    print_short_fault(bits(answer->low, 5, 1));
    break;
  case ORACLE_PAR64:
    if (par & PAR_F)
      print_fault64(par);
    else
      print_ok(line, par, answer->par32);
    break;
  case ORACLE_ABORT:
    print_abort(line, answer->low, DATA_ABORT_IN_HYP);
    break;
  case ORACLE_HSR:
    print_instruction_abort(line, answer->low, answer->high);
    break;
  case ORACLE_IFSR:
    print_ifsr(answer->low);
    break;
  case ORACLE_NOT_ASKED:
    printf("none ; no instruction can be put there");
    break;
  default:
    printf("fault type=broken:0x%08x,0x%08x", answer->low, answer->high);
    break;
  }
}

static void print_all(const struct oracle_questions *questions,
                      const struct oracle_answer *answer) {
  for (size_t i = 0; i < questions->lines; i++) {
    const struct oracle_line *line = &questions->line[i];
    fputs(line->text, stdout);
    if (!line->query) {
      putchar('\n');
    } else if (line->not_asked) {
      printf(" -> none ; %s\n", line->not_asked);
    } else {
      fputs(" -> ", stdout);
      print_answer(line, answer++);
      putchar('\n');
    }
  }
}

static int answer_case(const char *path, const struct machine_options *options) {
  struct oracle_questions questions;
  char error[1024];
  int status = 2;
  struct oracle_answer *answer = NULL;
  if (!oracle_questions_read(&questions, path, raw)) {
    fprintf(stderr, "nestwalk-oracle: %s\n", questions.error);
  } else {
    status = 1;
    answer = calloc(questions.asked + 1, sizeof(*answer));
    if (!answer)
      fputs("nestwalk-oracle: out of memory\n", stderr);
    else if (!machine_run(options, questions.word, questions.words, answer, questions.asked, error,
                          sizeof(error)))
      fprintf(stderr, "nestwalk-oracle: %s\n", error);
    else {
      print_all(&questions, answer);
      status = fflush(stdout) == 0 ? 0 : 1;
    }
  }
  free(answer);
  oracle_questions_free(&questions);
  return status;
}

int main(int argc, char **argv) {
  struct machine_options options = {getenv("NW_ORACLE_QEMU"), getenv("NW_ORACLE_PROGRAM")};
  char beside[4096];
  int at = 1;
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  if (argc > 1 && strcmp(argv[1], "--raw") == 0) {
    raw = true;
    at++;
  }
  if (argc != at + 1 || help) {
    fprintf(
        help ? stdout : stderr,
        "Usage: nestwalk-oracle [--raw] CASE\n"
        "\n"
        "Answers the queries of a case file as a Cortex-A15 in QEMU does, in the form of\n"
        "`nestwalk translate CASE`. What it cannot be trusted with is left out of its answers,\n"
        "and what may stop it is not asked, unless --raw is given. CASE may be -, standard\n"
        "input. Environment:\n"
        "\n"
        "  NW_ORACLE_QEMU     qemu-system-aarch64 if not set\n"
        "  NW_ORACLE_PROGRAM  the machine's program, hyp.elf beside this one if not set\n");
    return help ? 0 : 2;
  }
  if (!options.qemu)
    options.qemu = "qemu-system-aarch64";
  if (!options.program) {
    ssize_t length = readlink("/proc/self/exe", beside, sizeof(beside) - 16);
    beside[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(beside, '/');
    strcpy(slash ? slash + 1 : beside, "hyp.elf");
    options.program = beside;
  }
  return answer_case(argv[at], &options);
}
