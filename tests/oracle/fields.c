/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void fields_cut(struct fields *fields, const char *text) {
  fields->word = "";
  fields->count = 0;
  size_t length = strcspn(text, ";\r\n");
  if (length >= sizeof(fields->text))
    length = sizeof(fields->text) - 1;
  memcpy(fields->text, text, length);
  fields->text[length] = '\0';
  char *rest = NULL;
  for (char *word = strtok_r(fields->text, " \t", &rest); word;
       word = strtok_r(NULL, " \t", &rest)) {
    char *equals = strchr(word, '=');
    if (!equals) {
      fields->word = word;
    } else if (fields->count < FIELDS) {
      *equals = '\0';
      fields->field[fields->count].name = word;
      fields->field[fields->count++].value = equals + 1;
    }
  }
}

const char *fields_value(const struct fields *fields, const char *name) {
  for (size_t i = 0; i < fields->count; i++)
    if (strcmp(fields->field[i].name, name) == 0)
      return fields->field[i].value;
  return NULL;
}

static bool is_update(const struct fields *fields, size_t i) {
  return strcmp(fields->field[i].name, "upd") == 0;
}

/* The first update from index `i` on; the count of fields if there is none. */
static size_t next_update(const struct fields *fields, size_t i) {
  while (i < fields->count && !is_update(fields, i))
    i++;
  return i;
}

bool fields_same_updates(const struct fields *model, const struct fields *machine) {
  size_t i = next_update(machine, 0), j = next_update(model, 0);
  if (i < machine->count && strcmp(machine->field[i].value, "unknown") == 0)
    return true;
  while (i < machine->count && j < model->count &&
         strcmp(machine->field[i].value, model->field[j].value) == 0) {
    i = next_update(machine, i + 1);
    j = next_update(model, j + 1);
  }
  return i == machine->count && j == model->count;
}

/* Addresses have all the same number of digits. */
void fields_add_update(struct fields *fields, uint64_t address, uint64_t value, char text[64]) {
  size_t at = 0;
  snprintf(text, 64, "0x%016" PRIx64 ":0x%016" PRIx64, address, value);
  if (fields->count == FIELDS)
    return;
  while (at < fields->count &&
         (!is_update(fields, at) || strcmp(fields->field[at].value, text) < 0))
    at++;
  memmove(&fields->field[at + 1], &fields->field[at],
          (fields->count - at) * sizeof(fields->field[0]));
  fields->field[at].name = "upd";
  fields->field[at].value = text;
  fields->count++;
}

bool fields_agree(const struct fields *model, const struct fields *machine) {
  if (strcmp(model->word, machine->word) != 0 || !fields_same_updates(model, machine))
    return false;
  for (size_t i = 0; i < machine->count; i++) {
    const char *value = fields_value(model, machine->field[i].name);
    if (!is_update(machine, i) && (!value || strcmp(value, machine->field[i].value) != 0))
      return false;
  }
  return true;
}
