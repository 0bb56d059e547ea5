/* SPDX-License-Identifier: Apache-2.0 */
/* What the machines with x86-64 processors have in common. */
#ifndef NW_ORACLE_X86_DIALECT_H
#define NW_ORACLE_X86_DIALECT_H

#include "../dialect.h"

extern const struct dialect_register x86_registers[];

/** As in struct dialect. */
void x86_ask(struct reader *reader, struct oracle_line *line);
const void *x86_print(const struct oracle_line *line, const void *data, const void *end, bool raw);

#endif
