/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random cases of ARMv7. What the machine cannot take is left out: domains without access under
 * stage 2, but for fetches.
 */
#include <inttypes.h>
#include <string.h>

#include "family.h"
#include "protocol.h"
#include "tables.h"

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

static void print_registers(FILE *out, const struct problem *problem, bool regime_stage2,
                            struct dice *dice) {
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
  place_images(images, dice);
  if (problem->stage2.on) {
    stage2_plan(&problem->stage2, images, dice);
    problem->vtcr = stage2_vtcr(&problem->stage2, dice);
    problem->vttbr = problem->stage2.tree.root.pa;
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

static void query(FILE *out, char access, bool user, uint32_t va) {
  fprintf(out, "q %c %s 0x%08" PRIx32 "\n", access, user ? "user" : "priv", va);
}

static void print_fetches(FILE *out, const struct problem *problem, uint64_t queries,
                          struct dice *dice) {
  if (percent(dice, 50))
    fprintf(out, "reg DACR 0x%" PRIx32 "\n", random_dacr(false, dice));
  for (; queries; queries--)
    query(out, 'x', percent(dice, 50), random_va(&problem->stage1, dice));
}

static void print_queries(FILE *out, const struct problem *problem, const char *walk,
                          uint64_t queries, struct dice *dice) {
  uint64_t fetches = strcmp(walk, "s12") == 0 ? FETCHES_PER_PROBLEM : 0;
  if (fetches > queries)
    fetches = queries;
  queries -= fetches;
  fprintf(out, "walk %s\n", walk);
  while (queries) {
    uint32_t va = random_va(&problem->stage1, dice);
    uint32_t how = below(dice, 4), count = percent(dice, 15) ? 4 : 1;
    for (uint32_t i = 0; i < count && queries; i++, queries--)
      query(out, (how ^ i) & 1 ? 'w' : 'r', (how ^ i) & 2, va);
  }
  print_fetches(out, problem, fetches, dice);
}

static void begin(struct random_case *c) {
  fprintf(c->out, "ram 0x%llx-0x%llx\n", ORACLE_RAM_FIRST, ORACLE_RAM_LAST);
}

static void print_problem(struct random_case *c, uint64_t queries) {
  static struct problem problem;
  struct dice *dice = &c->dice;
  bool regime_stage2 = percent(dice, 70);
  memset(&problem, 0, sizeof(problem));
  problem.stage1.lpae = percent(dice, 50);
  plan_registers(&problem, regime_stage2, dice);
  plan_tables(&problem, &c->images, dice);
  images_write(&c->images, c->folder, c->number, c->out);
  print_registers(c->out, &problem, regime_stage2, dice);
  unsigned kind = below(dice, 100);
  print_queries(c->out, &problem,
                kind < 75 || !regime_stage2 ? "s12"
                : kind < 90                 ? "s1"
                                            : "s2",
                queries, dice);
}

const struct family armv7_family = {"armv7", begin, print_problem};
