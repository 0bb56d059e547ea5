/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate FAMILY SEED QUERIES FOLDER: a random case file FOLDER/random.case of so many queries,
 * with its images beside it. The case is a sequence of problems: tables, registers, and some
 * hundred queries aimed at the edges of what the tables may map. The same seed gives the same case.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"

static const struct family *const families[] = {&armv7_family, &x86_stage1_family, &x86_npt_family,
                                                &x86_ept_family};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const struct family *family_by_name(const char *name) {
  for (size_t i = 0; i < FAMILIES; i++)
    if (strcmp(families[i]->name, name) == 0)
      return families[i];
  return NULL;
}

static void throw_dice(struct random_case *c, uint64_t seed, unsigned number) {
  c->dice.state = seed * 0x100000001b3u + number;
  roll(&c->dice);
}

static void write_case(const struct family *family, struct random_case *c, uint64_t seed,
                       uint64_t queries) {
  c->problems = (unsigned)((queries + QUERIES_PER_PROBLEM - 1) / QUERIES_PER_PROBLEM);
  fprintf(c->out, "format 1\n# seed %" PRIu64 "\n", seed);
  throw_dice(c, seed, ~0u);
  family->begin(c);
  for (; c->number < c->problems; c->number++) {
    uint64_t now = queries < QUERIES_PER_PROBLEM ? queries : QUERIES_PER_PROBLEM;
    throw_dice(c, seed, c->number);
    fprintf(c->out, "# problem %u\n", c->number);
    family->problem(c, now);
    queries -= now;
  }
}

int main(int argc, char **argv) {
  static struct random_case c;
  char name[4096];
  const struct family *family = argc == 5 ? family_by_name(argv[1]) : NULL;
  if (!family) {
    fputs("Usage: generate FAMILY SEED QUERIES FOLDER\nFAMILY is one of", stderr);
    for (size_t i = 0; i < FAMILIES; i++)
      fprintf(stderr, " %s", families[i]->name);
    fputc('\n', stderr);
    return 2;
  }
  c.folder = argv[4];
  snprintf(name, sizeof(name), "%s/random.case", c.folder);
  c.out = fopen(name, "w");
  if (!c.out)
    give_up(name);
  images_init(&c.images);
  write_case(family, &c, strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
  images_free(&c.images);
  return fclose(c.out) == 0 ? 0 : 1;
}
