/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nestwalk-oracle [--raw] CASE: the queries of a case file answered by a machine in an emulator.
 * Same input and same form of output as `nestwalk translate`; a field that the machine cannot be
 * trusted with is left out, and a query that it cannot be asked has the answer "none".
 * With --raw nothing is left out: for looking at what the machine departs in.
 */
#include <stdio.h>
#include <string.h>

#include "dialect.h"
#include "machine.h"
#include "questions.h"

/* False where there are fewer answers than queries. */
static bool print_all(const struct oracle_questions *questions,
                      const struct machine_answers *answers, bool raw) {
  const void *answer = answers->begin;
  for (size_t i = 0; i < questions->lines; i++) {
    const struct oracle_line *line = &questions->line[i];
    fputs(line->text, stdout);
    if (line->query && line->not_asked) {
      printf(" -> none ; %s", line->not_asked);
    } else if (line->query) {
      fputs(" -> ", stdout);
      answer = questions->dialect->print(line, answer, answers->end, raw);
      if (!answer)
        return false;
    }
    putchar('\n');
  }
  return true;
}

static bool run(const struct oracle_questions *questions, bool raw, char *error,
                size_t error_size) {
  struct machine_answers answers;
  if (!machine_run(questions->dialect->machine, questions->maxphyaddr, questions->word,
                   questions->words, &answers, error, error_size))
    return false;
  bool good = print_all(questions, &answers, raw);
  if (!good)
    snprintf(error, error_size, "the machine did not write an answer for each query");
  machine_answers_free(&answers);
  return good;
}

static int answer_case(const char *path, bool raw) {
  struct oracle_questions questions;
  char error[1024];
  int status = 2;
  if (!oracle_questions_read(&questions, path, raw)) {
    fprintf(stderr, "nestwalk-oracle: %s\n", questions.error);
  } else if (!run(&questions, raw, error, sizeof(error))) {
    fprintf(stderr, "nestwalk-oracle: %s\n", error);
    status = 1;
  } else {
    status = fflush(stdout) == 0 ? 0 : 1;
  }
  oracle_questions_free(&questions);
  return status;
}

int main(int argc, char **argv) {
  int at = 1;
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  bool raw = argc > 1 && strcmp(argv[1], "--raw") == 0;
  if (raw)
    at++;
  if (argc != at + 1 || help) {
    fprintf(help ? stdout : stderr,
            "Usage: nestwalk-oracle [--raw] CASE\n"
            "\n"
            "Answers the queries of a case file as an emulated machine does, in the form of\n"
            "`nestwalk translate CASE`: a Cortex-A15 or an x86-64 with nested paging in QEMU, an "
            "x86-64\n"
            "with EPT in Bochs. What the machine cannot be trusted with is left out of its "
            "answers, and\n"
            "what may stop it is not asked, unless --raw is given. CASE may be -, standard input.\n"
            "Environment:\n"
            "\n"
            "  NW_ORACLE_QEMU         qemu-system-aarch64 if not set\n"
            "  NW_ORACLE_PROGRAM      its program, hyp.elf beside this one if not set\n"
            "  NW_ORACLE_QEMU_X86     qemu-system-x86_64 if not set\n"
            "  NW_ORACLE_PROGRAM_X86  its program, x86/svm.elf if not set\n"
            "  NW_ORACLE_BOCHS        bochs if not set\n"
            "  NW_ORACLE_RUN_BOCHS    what starts it, ept/run-bochs if not set\n"
            "  NW_ORACLE_PROGRAM_EPT  its program, ept/ept.rom if not set\n");
    return help ? 0 : 2;
  }
  return answer_case(argv[at], raw);
}
