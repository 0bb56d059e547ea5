/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu-system-aarch64 rather than qemu-system-arm: the latter cuts the addresses in stage-1 tables
 * to 32 bits. secure=on, since without the Security Extensions, which a Cortex-A15 always has,
 * TTBCR lacks PD0 and PD1. Memory is taken page by page, so that nearly a terabyte costs nothing.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define RAM TEXT(ORACLE_RAM_SIZE_GIB) "G"

static void become_qemu(const struct machine_options *options, const char *folder) {
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
  const char *argument[sizeof(fixed) / sizeof(fixed[0]) + 3];
  size_t count = 0;
  char *program = realpath(options->program, NULL);
  argument[count++] = options->qemu;
  for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
    argument[count++] = fixed[i];
  argument[count++] = program;
  argument[count] = NULL;
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  /* A table here and there must not cost a huge page each. */
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  if (program && chdir(folder) == 0)
    execvp(options->qemu, (char *const *)(uintptr_t)argument);
  fprintf(stderr, "nestwalk-oracle: cannot start %s: %s\n", options->qemu, strerror(errno));
  _exit(127);
}

static bool boot(const struct machine_options *options, const char *folder, char *error,
                 size_t error_size) {
  int status = 0;
  pid_t child = fork();
  if (child == 0)
    become_qemu(options, folder);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (child < 0)
    snprintf(error, error_size, "cannot fork: %s", strerror(errno));
  else if (WIFSIGNALED(status))
    snprintf(error, error_size, "%s was stopped by signal %d", options->qemu, WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0)
    snprintf(error, error_size,
             "%s ended with status %d (1: a file could not be read or written in the machine, 2: "
             "an unexpected exception there)",
             options->qemu, WEXITSTATUS(status));
  else
    return true;
  return false;
}

static bool write_file(const char *name, const void *data, size_t bytes) {
  FILE *file = fopen(name, "wb");
  bool good = file && fwrite(data, 1, bytes, file) == bytes;
  return (!file || fclose(file) == 0) && good;
}

static bool read_file(const char *name, void *data, size_t bytes) {
  FILE *file = fopen(name, "rb");
  bool good = file && fread(data, 1, bytes, file) == bytes && fgetc(file) == EOF;
  if (file)
    fclose(file);
  return good;
}

static bool exchange(const struct machine_options *options, char *folder, const uint32_t *word,
                     size_t words, struct oracle_answer *answer, size_t asked, char *error,
                     size_t error_size) {
  char questions[4096], answers[4096];
  snprintf(questions, sizeof(questions), "%s/questions", folder);
  snprintf(answers, sizeof(answers), "%s/answers", folder);
  bool good = false;
  if (!write_file(questions, word, words * sizeof(*word)))
    snprintf(error, error_size, "cannot write %s: %s", questions, strerror(errno));
  else if (boot(options, folder, error, error_size)) {
    good = read_file(answers, answer, asked * sizeof(*answer));
    if (!good)
      snprintf(error, error_size, "the machine did not write an answer for each query");
  }
  unlink(questions);
  unlink(answers);
  return good;
}

bool machine_run(const struct machine_options *options, const uint32_t *word, size_t words,
                 struct oracle_answer *answer, size_t asked, char *error, size_t error_size) {
  const char *temporary = getenv("TMPDIR");
  char folder[2048];
  snprintf(folder, sizeof(folder), "%s/nestwalk-oracle-XXXXXX", temporary ? temporary : "/tmp");
  if (!mkdtemp(folder)) {
    snprintf(error, error_size, "cannot make the folder %s: %s", folder, strerror(errno));
    return false;
  }
  bool good = exchange(options, folder, word, words, answer, asked, error, error_size);
  rmdir(folder);
  return good;
}
