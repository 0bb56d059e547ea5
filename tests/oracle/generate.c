/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate SEED QUERIES FOLDER: a random case file FOLDER/random.case of so many queries, with its
 * images beside it. The case is a sequence of problems: tables, registers, and some hundred queries
 * aimed at the edges of what the tables may map. The same seed gives the same case.
 *
 * What the machine cannot take is left out: domains without access under stage 2, but for fetches.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "tables.h"

#define QUERIES_PER_PROBLEM 400
#define FETCHES_PER_PROBLEM 20 /* of these: real fetches take the machine longer */

#define HCR_VM (1u << 0)
#define HCR_PTW (1u << 2)
#define HCR_DC (1u << 12)
#define SCTLR_M (1u << 0)
#define SCTLR_BASE 0x00c50078u
#define SCTLR_ANY 0x30181004u /* AFE, TRE, UWXN, WXN, I, C */
#define SCTLR_EE (1u << 25)

struct problem {
  struct stage1 stage1;
  struct stage2 stage2;
  uint32_t hcr, vtcr, dacr, sctlr, mair[2];
  uint64_t vttbr;
};

static FILE *out;
static const char *folder;

__attribute__((noreturn)) static void fail(const char *what) {
  fprintf(stderr, "generate: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* -- registers --------------------------------------------------------------------------------- */

/* Every byte is Normal memory, Device or Strongly-ordered; none is reserved. */
static uint32_t random_mair(struct dice *dice) {
  static const uint8_t nibble[] = {4, 8, 9, 10, 11, 12, 13, 14, 15};
  uint32_t value = 0;
  for (unsigned i = 0; i < 4; i++) {
    uint32_t inner = nibble[below(dice, sizeof(nibble))];
    uint32_t outer = nibble[below(dice, sizeof(nibble))];
    uint32_t attr = percent(dice, 20) ? below(dice, 2) * 4 : outer << 4 | inner;
    value |= attr << 8 * i;
  }
  return value;
}

/* Under stage 2 every domain is a client or a manager. */
static uint32_t random_dacr(bool stage2, struct dice *dice) {
  uint32_t value = (uint32_t)roll(dice);
  if (percent(dice, 50))
    return 0x55555555;
  return stage2 || percent(dice, 40) ? value | 0x55555555 : value;
}

static uint32_t random_hcr(struct dice *dice) {
  uint32_t value = percent(dice, 30) ? HCR_PTW : 0;
  if (percent(dice, 5))
    return value | HCR_DC | (percent(dice, 50) ? HCR_VM : 0);
  return percent(dice, 97) ? value | HCR_VM : value;
}

static void plan_registers(struct problem *problem, bool regime_stage2, struct dice *dice) {
  problem->hcr = regime_stage2 ? random_hcr(dice) : 0;
  problem->stage2.on = problem->hcr & (HCR_VM | HCR_DC);
  problem->dacr = random_dacr(problem->stage2.on, dice);
  problem->sctlr = SCTLR_BASE | (uint32_t)any_bits(dice, SCTLR_ANY) |
                   (percent(dice, 95) ? SCTLR_M : 0) | (percent(dice, 20) ? SCTLR_EE : 0);
  problem->stage1.big_endian = problem->sctlr & SCTLR_EE;
  for (unsigned i = 0; i < 2; i++)
    problem->mair[i] = problem->stage1.lpae ? random_mair(dice) : (uint32_t)roll(dice);
}

static void print_registers(const struct problem *problem, bool regime_stage2, struct dice *dice) {
  const struct stage1 *s1 = &problem->stage1;
  fprintf(out, "regime armv7-%s%s\n", s1->lpae ? "lpae" : "short", regime_stage2 ? "+s2" : "");
  fprintf(out, "reg HCR 0x%x\nreg VTCR 0x%x\nreg VTTBR 0x%" PRIx64 "\n", problem->hcr,
          problem->vtcr, problem->vttbr);
  fprintf(out, "reg TTBCR 0x%x\nreg TTBR0 0x%" PRIx64 "\nreg TTBR1 0x%" PRIx64 "\n", s1->ttbcr,
          s1->ttbr[0], s1->ttbr[1]);
  fprintf(out, "reg DACR 0x%x\nreg SCTLR 0x%x\nreg %s 0x%x\nreg %s 0x%x\nreg CONTEXTIDR 0x%x\n",
          problem->dacr, problem->sctlr, s1->lpae ? "MAIR0" : "PRRR", problem->mair[0],
          s1->lpae ? "MAIR1" : "NMRR", problem->mair[1], below(dice, 256));
}

/* -- tables ------------------------------------------------------------------------------------ */

static void plan_tables(struct problem *problem, struct images *images, struct dice *dice) {
  images_reset(images, dice);
  if (problem->stage2.on) {
    stage2_plan(&problem->stage2, images, dice);
    problem->vtcr = stage2_vtcr(&problem->stage2, dice);
    problem->vttbr = problem->stage2.root.pa;
    if (percent(dice, 1))
      problem->vttbr = random_hole(16, false, dice);
    problem->vttbr |= any_bits(dice, 0xff) << 48;
  }
  if (problem->stage1.lpae)
    stage1_lpae(&problem->stage1, &problem->stage2, images, dice);
  else
    stage1_short(&problem->stage1, &problem->stage2, images, dice);
  if (problem->stage2.on)
    stage2_fill(&problem->stage2, dice);
}

static void write_image(const struct arena *arena, unsigned number) {
  char name[4096];
  if (!arena->used)
    return;
  snprintf(name, sizeof(name), "%s/image%u", folder, number);
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(arena->data, 1, arena->used, file) != arena->used || fclose(file) != 0)
    fail(name);
  fprintf(out, "mem image%u@0x%" PRIx64 "\n", number, arena->base);
}

/* -- queries ----------------------------------------------------------------------------------- */

/* An address near an edge: of a page of any size, or of what either root covers. */
static uint32_t edge(const struct stage1 *stage1, uint32_t va, struct dice *dice) {
  static const uint8_t sizes[] = {12, 16, 20, 21, 24, 30};
  static const int deltas[] = {-0x1000, -1, 0, 1, 0xfff, 0x1000};
  unsigned log2 = sizes[below(dice, sizeof(sizes))];
  uint32_t at = va >> log2 << log2;
  if (percent(dice, 25)) {
    uint64_t lower = 1ull << stage1->input_bits[0];
    uint64_t upper = 0x100000000ull - (1ull << stage1->input_bits[1]);
    at = (uint32_t)(percent(dice, 50) ? lower : upper);
  }
  return at + (uint32_t)deltas[below(dice, 6)];
}

/* Into what the lower root covers, or the upper one, or anywhere. */
static uint32_t random_va(const struct stage1 *stage1, struct dice *dice) {
  uint32_t va = (uint32_t)roll(dice);
  unsigned kind = below(dice, 100);
  if (kind < 45)
    va &= (uint32_t)((1ull << stage1->input_bits[0]) - 1);
  else if (kind < 85 && stage1->lpae)
    va |= ~(uint32_t)((1ull << stage1->input_bits[1]) - 1);
  return percent(dice, 40) ? edge(stage1, va, dice) : va;
}

static void query(char access, bool user, uint32_t va) {
  fprintf(out, "q %c %s 0x%08" PRIx32 "\n", access, user ? "user" : "priv", va);
}

static void print_fetches(const struct problem *problem, uint64_t queries, struct dice *dice) {
  if (percent(dice, 50))
    fprintf(out, "reg DACR 0x%" PRIx32 "\n", random_dacr(false, dice));
  for (; queries; queries--)
    query('x', percent(dice, 50), random_va(&problem->stage1, dice));
}

static void print_queries(const struct problem *problem, const char *walk, uint64_t queries,
                          struct dice *dice) {
  uint64_t fetches = strcmp(walk, "s12") == 0 ? FETCHES_PER_PROBLEM : 0;
  if (fetches > queries)
    fetches = queries;
  queries -= fetches;
  fprintf(out, "walk %s\n", walk);
  while (queries) {
    uint32_t va = random_va(&problem->stage1, dice);
    uint32_t how = below(dice, 4), count = percent(dice, 15) ? 4 : 1;
    for (uint32_t i = 0; i < count && queries; i++, queries--)
      query((how ^ i) & 1 ? 'w' : 'r', (how ^ i) & 2, va);
  }
  print_fetches(problem, fetches, dice);
}

static void print_problem(struct images *images, uint64_t seed, unsigned number, uint64_t queries) {
  static struct problem problem;
  struct dice dice = {seed * 0x100000001b3u + number};
  roll(&dice);
  bool regime_stage2 = percent(&dice, 70);
  memset(&problem, 0, sizeof(problem));
  problem.stage1.lpae = percent(&dice, 50);
  plan_registers(&problem, regime_stage2, &dice);
  plan_tables(&problem, images, &dice);
  fprintf(out, "# problem %u\n", number);
  for (unsigned i = 0; i < ARENAS; i++)
    write_image(&images->arena[i], number * ARENAS + i);
  print_registers(&problem, regime_stage2, &dice);
  unsigned kind = below(&dice, 100);
  print_queries(&problem,
                kind < 75 || !regime_stage2 ? "s12"
                : kind < 90                 ? "s1"
                                            : "s2",
                queries, &dice);
}

int main(int argc, char **argv) {
  static struct images images;
  char name[4096];
  if (argc != 4) {
    fputs("Usage: generate SEED QUERIES FOLDER\n", stderr);
    return 2;
  }
  uint64_t seed = strtoull(argv[1], NULL, 0), queries = strtoull(argv[2], NULL, 0);
  folder = argv[3];
  snprintf(name, sizeof(name), "%s/random.case", folder);
  out = fopen(name, "w");
  if (!out)
    fail(name);
  for (unsigned i = 0; i < ARENAS; i++)
    if (!(images.arena[i].data = malloc(ARENA_SIZE)))
      fail("memory");
  fprintf(out, "format 1\n# seed %" PRIu64 "\nram 0x%llx-0x%llx\n", seed, ORACLE_RAM_FIRST,
          ORACLE_RAM_LAST);
  for (unsigned number = 0; queries; number++) {
    uint64_t now = queries < QUERIES_PER_PROBLEM ? queries : QUERIES_PER_PROBLEM;
    print_problem(&images, seed, number, now);
    queries -= now;
  }
  for (unsigned i = 0; i < ARENAS; i++)
    free(images.arena[i].data);
  return fclose(out) == 0 ? 0 : 1;
}
