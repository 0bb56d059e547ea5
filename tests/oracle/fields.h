/* SPDX-License-Identifier: Apache-2.0 */
/* An answer cut into its first word and its NAME=VALUE fields. */
#ifndef NW_ORACLE_FIELDS_H
#define NW_ORACLE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELDS 64

struct fields {
  char text[4096];  /* a copy of the answer, cut into strings */
  const char *word; /* ok, fault or none; "" where there is no such word */
  size_t count;
  struct {
    const char *name, *value;
  } field[FIELDS];
};

/** Cuts `text`, up to " ; " or its end. */
void fields_cut(struct fields *fields, const char *text);

/** The value of the first field of this name, or NULL. */
const char *fields_value(const struct fields *fields, const char *name);

/** Whether the fields `upd`, of which there may be any number, are all the same in both. Where the
 * machine's is "unknown" the model's may be any. */
bool fields_same_updates(const struct fields *model, const struct fields *machine);

/** Adds an update, in its place by address; `text` holds it. */
void fields_add_update(struct fields *fields, uint64_t address, uint64_t value, char text[64]);

/** Whether the first words are equal, each field of `machine` is in `model`, the same, and so are
 * the updates. */
bool fields_agree(const struct fields *model, const struct fields *machine);

#endif
