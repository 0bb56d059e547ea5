/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One boot of the machine: a folder of its own, the questions in it, QEMU, the answers.
 */
#ifndef NW_ORACLE_MACHINE_H
#define NW_ORACLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol.h"

struct machine_options {
  const char *qemu;    /* qemu-system-aarch64 */
  const char *program; /* the ELF file built from hyp.c */
};

/**
 * Boots the machine on `words` words of commands and reads `asked` answers. False with a sentence
 * in `error` when something fails.
 */
bool machine_run(const struct machine_options *options, const uint32_t *word, size_t words,
                 struct oracle_answer *answer, size_t asked, char *error, size_t error_size);

#endif
