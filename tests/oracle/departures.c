/* SPDX-License-Identifier: Apache-2.0 */
#include "departures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool complain(const char *path, unsigned number, const char *expected) {
  fprintf(stderr, "%s:%u: expected %s\n", path, number, expected);
  return false;
}

static bool read_again(struct departure *departure, const char *text) {
  char name[16], mask[32], *end;
  enum nw_architecture architecture;
  if (sscanf(text, "%15s %31s", name, mask) != 2 ||
      !nw_register_by_name(name, &architecture, &departure->again_register))
    return false;
  departure->again_mask = strtoull(mask, &end, 0);
  departure->again = true;
  return *end == '\0';
}

static bool read_domain(struct departure *departure, const char *text) {
  static const char *const names[] = {"none", "client", NULL, "manager"};
  departure->domain_matters = true;
  for (unsigned access = 0; access < 4; access++) {
    if (names[access] && strcmp(text, names[access]) == 0) {
      departure->domain_access = access;
      return true;
    }
  }
  return false;
}

static bool read_item(struct departures *departures, const char *word, const char *rest) {
  if (strcmp(word, "departure") == 0) {
    if (departures->count == DEPARTURES || rest[0] == '\0')
      return false;
    struct departure *made = &departures->departure[departures->count++];
    snprintf(made->name, sizeof(made->name), "%s", rest);
    return true;
  }
  if (!departures->count)
    return false;
  struct departure *departure = &departures->departure[departures->count - 1];
  if (strcmp(word, "model") == 0)
    fields_cut(&departure->model, rest);
  else if (strcmp(word, "machine") == 0)
    fields_cut(&departure->machine, rest);
  else if (strcmp(word, "domain") == 0)
    return read_domain(departure, rest);
  else if (strcmp(word, "regime") == 0)
    return (departure->short_only = strcmp(rest, "short") == 0) ||
           (departure->lpae_only = strcmp(rest, "lpae") == 0);
  else if (strcmp(word, "access") == 0)
    return (departure->fetch_only = strcmp(rest, "fetch") == 0);
  else if (strcmp(word, "accessed") == 0)
    return (departure->accessed_leaf = strcmp(rest, "leaf") == 0);
  else if (strcmp(word, "kind") == 0)
    return (departure->same_kind = strcmp(rest, "same") == 0);
  else if (strcmp(word, "again") == 0)
    return read_again(departure, rest);
  else if (strcmp(word, "quirk") == 0) {
    departure->quirk = quirk_by_name(rest);
    return departure->quirky = departure->quirk != QUIRKS;
  } else
    return strcmp(word, "section") == 0 || strcmp(word, "case") == 0;
  return true;
}

bool departures_read(struct departures *departures, const char *path) {
  char line[512];
  unsigned number = 0;
  bool good = true;
  memset(departures, 0, sizeof(*departures));
  FILE *in = fopen(path, "r");
  if (!in) {
    fprintf(stderr, "%s: cannot be opened: %s\n", path, strerror(errno));
    return false;
  }
  while (good && fgets(line, sizeof(line), in)) {
    number++;
    line[strcspn(line, "#\n")] = '\0';
    char *word = line + strspn(line, " \t");
    if (*word == '\0')
      continue;
    char *rest = word + strcspn(word, " \t");
    if (*rest)
      *rest++ = '\0';
    rest += strspn(rest, " \t");
    if (!read_item(departures, word, rest))
      good = complain(path, number,
                      "departure, section, case, model, regime, access, domain, machine, "
                      "accessed, kind, again or quirk, and a good value");
  }
  fclose(in);
  return good;
}

/* Whether `value` is one of the alternatives A|B|C. */
static bool one_of(const char *alternatives, const char *value) {
  size_t length = strlen(value);
  for (const char *at = alternatives;;) {
    size_t here = strcspn(at, "|");
    if (here == length && memcmp(at, value, length) == 0)
      return true;
    if (at[here] == '\0')
      return false;
    at += here + 1;
  }
}

bool departure_applies(const struct departure *departure, const struct nw_regime *regime,
                       const struct nw_fault *fault, int domain, const struct fields *model) {
  if ((departure->short_only && !regime->has_domains) ||
      (departure->lpae_only && regime->has_domains) ||
      (departure->fetch_only && fault->access != NW_EXECUTE))
    return false;
  for (size_t i = 0; i < departure->model.count; i++) {
    const char *value = fields_value(model, departure->model.field[i].name);
    if (!value || !one_of(departure->model.field[i].value, value))
      return false;
  }
  if (!departure->domain_matters)
    return true;
  if (domain < 0)
    return false;
  unsigned access = regime->dacr >> 2 * domain & 3;
  return (access == 2 ? 0 : access) == departure->domain_access;
}

bool departure_explains(const struct departure *departure, const struct fields *model,
                        const struct fields *machine) {
  if (strcmp(machine->word, "fault") != 0 || !fields_same_updates(model, machine))
    return false;
  for (size_t i = 0; i < departure->machine.count; i++) {
    const char *name = departure->machine.field[i].name;
    const char *wanted = departure->machine.field[i].value;
    const char *found = fields_value(machine, name);
    if (strcmp(wanted, "same") == 0)
      wanted = fields_value(model, name);
    if (!found || !wanted || strcmp(found, wanted) != 0)
      return false;
  }
  return true;
}
