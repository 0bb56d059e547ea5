/* SPDX-License-Identifier: Apache-2.0 */
/* An answer cut into its first word and its NAME=VALUE fields. */
#ifndef NW_ORACLE_FIELDS_H
#define NW_ORACLE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#define FIELDS 12

struct fields {
  char text[1024];  /* a copy of the answer, cut into strings */
  const char *word; /* ok, fault or none; "" where there is no such word */
  size_t count;
  struct {
    const char *name, *value;
  } field[FIELDS];
};

/** Cuts `text`, up to " ; " or its end. */
void fields_cut(struct fields *fields, const char *text);

/** A field's value, or NULL. */
const char *fields_value(const struct fields *fields, const char *name);

/** Whether the first words are equal and each field of `machine` is in `model`, the same. */
bool fields_agree(const struct fields *model, const struct fields *machine);

#endif
