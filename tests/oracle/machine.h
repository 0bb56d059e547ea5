/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One boot of a machine: a folder of its own, the questions in it, the emulator, the answers.
 */
#ifndef NW_ORACLE_MACHINE_H
#define NW_ORACLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in which file of the folder something is, and how much of it there may be. */
struct machine_place {
  const char *file;
  size_t offset, room;
};

#define MACHINE_ARGUMENTS 48

/* The command line of an emulator, as it grows. */
struct machine_command {
  const char *argument[MACHINE_ARGUMENTS + 1];
  size_t count;
  char text[1024]; /* what does not live elsewhere */
  size_t used;
};

struct machine {
  /* Its name, and the variable that has another; with a slash it comes with the host's program. */
  const char *emulator, *emulator_variable;
  const char *program, *program_variable; /* likewise, beside the host's program */
  struct machine_place questions, answers;
  size_t file_size; /* of the file of questions; 0: as long as they are */
  int status;       /* exit status of the emulator where all is answered */
  /** The arguments up to the program. `folder` is where the emulator runs. */
  void (*arguments)(struct machine_command *command, unsigned maxphyaddr);
};

void machine_argument(struct machine_command *command, const char *argument);
__attribute__((format(printf, 2, 3))) void machine_argument_of(struct machine_command *command,
                                                               const char *format, ...);

/* The answers, mapped from the file that has them. */
struct machine_answers {
  void *map;
  size_t map_bytes;
  const void *begin, *end;
};

/**
 * Boots the machine on `words` words of commands. False with a sentence in `error` when something
 * fails; else machine_answers_free() is due.
 */
bool machine_run(const struct machine *machine, unsigned maxphyaddr, const uint32_t *word,
                 size_t words, struct machine_answers *answers, char *error, size_t error_size);
void machine_answers_free(struct machine_answers *answers);

#endif
