/* SPDX-License-Identifier: Apache-2.0 */
/* What execve would run: follows `#!` lines to the ELF file at their end. */
#ifndef NW_RECORD_PROGRAM_H
#define NW_RECORD_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* An architecture that can be recorded. */
struct nw_guest_arch {
  const char *name;        /* in traces: "armv7" */
  const char *qemu;        /* QEMU's user-mode program */
  const char *qemu_target; /* QEMU's name of the target */
  uint16_t elf_machine;
  uint8_t elf_class; /* ELFCLASS32 or ELFCLASS64 */
};

/* All of them, ended by a name of NULL. */
extern const struct nw_guest_arch nw_guest_archs[];

struct nw_program {
  char path[PATH_MAX]; /* the ELF file */
  char **argv;         /* what it gets, ended by NULL; one block with the array first */
  const struct nw_guest_arch *arch; /* NULL: one that cannot be recorded */
};

/* Resolves `path` called with `argv`. An absolute path is looked for under `root` first, unless
 * that is NULL. Returns 0, or the errno that execve would give; then nothing is to be freed. */
int nw_program_resolve(const char *path, char *const argv[], const char *root,
                       struct nw_program *program);
void nw_program_free(struct nw_program *program);

#endif
