/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

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

bool fields_agree(const struct fields *model, const struct fields *machine) {
  if (strcmp(model->word, machine->word) != 0)
    return false;
  for (size_t i = 0; i < machine->count; i++) {
    const char *value = fields_value(model, machine->field[i].name);
    if (!value || strcmp(value, machine->field[i].value) != 0)
      return false;
  }
  return true;
}
