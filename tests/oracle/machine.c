/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- the command ------------------------------------------------------------------------------- */

void machine_argument(struct machine_command *command, const char *argument) {
  if (command->count < MACHINE_ARGUMENTS)
    command->argument[command->count++] = argument;
}

void machine_argument_of(struct machine_command *command, const char *format, ...) {
  char *text = command->text + command->used;
  size_t room = sizeof(command->text) - command->used;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, room, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= room)
    return;
  command->used += (size_t)length + 1;
  machine_argument(command, text);
}

/* The path of what comes with this program: where its variable says, or beside it. */
static char *path_of(const char *name, const char *variable) {
  char path[4096];
  const char *other = getenv(variable);
  if (other)
    return realpath(other, NULL);
  ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
  path[length > 0 ? length : 0] = '\0';
  char *slash = strrchr(path, '/');
  strcpy(slash ? slash + 1 : path, name);
  return realpath(path, NULL);
}

static const char *emulator_of(const struct machine *machine) {
  static char *beside;
  const char *other = getenv(machine->emulator_variable);
  if (other || !strchr(machine->emulator, '/'))
    return other ? other : machine->emulator;
  if (!beside)
    beside = path_of(machine->emulator, machine->emulator_variable);
  return beside ? beside : machine->emulator;
}

static void become_emulator(const struct machine *machine, unsigned maxphyaddr,
                            const char *folder) {
  static struct machine_command command;
  char *program = path_of(machine->program, machine->program_variable);
  machine_argument(&command, emulator_of(machine));
  machine->arguments(&command, maxphyaddr);
  machine_argument(&command, program);
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  /* A table here and there must not cost a huge page each. */
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  if (program && chdir(folder) == 0)
    execvp(command.argument[0], (char *const *)(uintptr_t)command.argument);
  fprintf(stderr, "nestwalk-oracle: cannot start %s with %s: %s\n", command.argument[0],
          machine->program, strerror(errno));
  _exit(127);
}

/* -- a boot ------------------------------------------------------------------------------------ */

static bool boot(const struct machine *machine, unsigned maxphyaddr, const char *folder,
                 char *error, size_t error_size) {
  int status = 0;
  pid_t child = fork();
  if (child == 0)
    become_emulator(machine, maxphyaddr, folder);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (child < 0)
    snprintf(error, error_size, "cannot fork: %s", strerror(errno));
  else if (WIFSIGNALED(status))
    snprintf(error, error_size, "%s was stopped by signal %d", emulator_of(machine),
             WTERMSIG(status));
  else if (WEXITSTATUS(status) != machine->status)
    snprintf(error, error_size, "%s ended with status %d, expected %d", emulator_of(machine),
             WEXITSTATUS(status), machine->status);
  else
    return true;
  return false;
}

static bool write_questions(const struct machine *machine, const char *path, const uint32_t *word,
                            size_t words) {
  FILE *file = fopen(path, "wb");
  bool good = file &&
              (!machine->file_size || ftruncate(fileno(file), (off_t)machine->file_size) == 0) &&
              fseeko(file, (off_t)machine->questions.offset, SEEK_SET) == 0 &&
              fwrite(word, sizeof(*word), words, file) == words;
  return (!file || fclose(file) == 0) && good;
}

static bool map_answers(const struct machine *machine, const char *path,
                        struct machine_answers *answers) {
  struct stat status;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0)
    return false;
  size_t offset = machine->answers.offset, bytes = (size_t)status.st_size;
  answers->map = bytes ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
  answers->map_bytes = bytes;
  close(file);
  if (answers->map == MAP_FAILED || bytes < offset)
    return false;
  bytes -= offset;
  answers->begin = (const char *)answers->map + offset;
  answers->end = (const char *)answers->begin +
                 (bytes < machine->answers.room ? bytes : machine->answers.room);
  return true;
}

static bool exchange(const struct machine *machine, unsigned maxphyaddr, const char *folder,
                     const uint32_t *word, size_t words, struct machine_answers *answers,
                     char *error, size_t error_size) {
  char questions_path[4096], answers_path[4096];
  snprintf(questions_path, sizeof(questions_path), "%s/%s", folder, machine->questions.file);
  snprintf(answers_path, sizeof(answers_path), "%s/%s", folder, machine->answers.file);
  bool good = false;
  if (!write_questions(machine, questions_path, word, words))
    snprintf(error, error_size, "cannot write %s: %s", questions_path, strerror(errno));
  else if (boot(machine, maxphyaddr, folder, error, error_size)) {
    good = map_answers(machine, answers_path, answers);
    if (!good)
      snprintf(error, error_size, "cannot read %s", answers_path);
  }
  unlink(questions_path);
  unlink(answers_path);
  return good;
}

bool machine_run(const struct machine *machine, unsigned maxphyaddr, const uint32_t *word,
                 size_t words, struct machine_answers *answers, char *error, size_t error_size) {
  const char *temporary = getenv("TMPDIR");
  char folder[2048];
  snprintf(folder, sizeof(folder), "%s/nestwalk-oracle-XXXXXX", temporary ? temporary : "/tmp");
  if (!mkdtemp(folder)) {
    snprintf(error, error_size, "cannot make the folder %s: %s", folder, strerror(errno));
    return false;
  }
  bool good = exchange(machine, maxphyaddr, folder, word, words, answers, error, error_size);
  rmdir(folder);
  return good;
}

void machine_answers_free(struct machine_answers *answers) {
  if (answers->map)
    munmap(answers->map, answers->map_bytes);
}
