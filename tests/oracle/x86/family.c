/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random cases of x86-64: without a second stage, with AMD's nested paging, with Intel's EPT. What
 * the machine cannot be trusted with is left out: guest-physical addresses that four levels of
 * nested tables do not reach.
 */
#include "../family.h"
#include "../ept/memory.h"
#include "../ept/tables.h"

#include <inttypes.h>
#include <string.h>

#include "protocol.h"
#include "tables.h"

#define CR0_PE (1ull << 0)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR4_PAE (1ull << 5)
#define CR4_PGE (1ull << 7)
#define CR4_LA57 (1ull << 12)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE (1ull << 22)
#define CR4_ANY (CR4_PGE | CR4_LA57 | CR4_SMEP | CR4_SMAP | CR4_PKE)
#define EPTP_FOUR_LEVELS 0x18ull
#define EPTP_AD 0x40ull
#define EPTP_WRITE_BACK 0x06ull
#define CR3_ANY 0x18ull /* PWT, PCD */
#define EFER_LONG 0x500ull
#define EFER_NXE 0x800ull

/* Where EPT is off, the guest's pages have addresses of so many bits: there is RAM for most. */
#define EPT_BITS_WITHOUT 30

#define UPDATES_FROM 70 /* in a hundred: from there on the case has update-check */

struct problem {
  enum x86_regime regime;
  bool nested; /* stage 2 is on */
  struct x86_style guest_style, nested_style;
  struct tree guest, nested_tree;
  uint64_t cr0, cr3, cr4, efer, ncr3, hcr4, hefer, eptp;
  uint32_t pkru, ac;
};

/* Of the whole file. */
static struct x86_memory memory;
static bool lesser; /* x86-ept: no CR4.SMAP, no CR4.PKE, no large pages of 1 GB, no EPTP.6 */

static void begin(struct random_case *c) {
  static const uint8_t widths[] = {36, 39, 40, 40, 44, 46, 48, 48, 52, 52};
  memory.maxphyaddr = widths[below(&c->dice, sizeof(widths))];
  uint64_t gib = x86_high_ram_gib(memory.maxphyaddr);
  memory.beyond = X86_HIGH_RAM_FIRST + (gib << 30);
  memory.window[0] = X86_LOW_RAM_FIRST >> 30;
  for (unsigned i = 1; i < X86_WINDOWS; i++) /* one in each of as many parts of the RAM */
    memory.window[i] = (uint32_t)((X86_HIGH_RAM_FIRST >> 30) + gib / X86_WINDOWS * i) +
                       below(&c->dice, (uint32_t)gib / X86_WINDOWS);
  fprintf(c->out, "maxphyaddr %u\nram 0x%llx-0x%llx\nram 0x%llx-0x%" PRIx64 "\n", memory.maxphyaddr,
          X86_LOW_RAM_FIRST, X86_LOW_RAM_LAST, X86_HIGH_RAM_FIRST, memory.beyond - 1);
}

/* One case in a while is for the model that has less. */
static void begin_ept(struct random_case *c) {
  lesser = percent(&c->dice, 15);
  memory.maxphyaddr = EPT_MAXPHYADDR;
  if (lesser)
    fputs("cap 1g-pages 0\ncap ept-ad 0\n", c->out);
  fprintf(c->out, "maxphyaddr %u\nram 0x%llx-0x%llx\n", EPT_MAXPHYADDR, EPT_RAM_FIRST,
          EPT_RAM_LAST);
}

/* -- registers --------------------------------------------------------------------------------- */

static void plan_registers(struct problem *problem, struct dice *dice) {
  problem->cr0 = CR0_PE | CR0_PG | (percent(dice, 60) ? CR0_WP : 0);
  problem->cr4 = CR4_PAE | any_bits(dice, CR4_ANY);
  problem->efer = EFER_LONG | (percent(dice, 75) ? EFER_NXE : 0);
  problem->hcr4 = CR4_PAE | any_bits(dice, CR4_ANY);
  problem->hefer = EFER_LONG | (percent(dice, 75) ? EFER_NXE : 0);
  problem->ac = percent(dice, 40);
  problem->pkru = percent(dice, 40) ? 0 : (uint32_t)any_bits(dice, any_bits(dice, 0xffffffff));
}

/* What the machine with EPT has, which is all with four levels. Now and then EPT is off, or the
 * guest's paging is. */
static void plan_ept_registers(struct problem *problem, struct dice *dice) {
  problem->cr4 &= ~(CR4_LA57 | (lesser ? CR4_SMAP | CR4_PKE : 0));
  problem->nested = percent(dice, 96);
  if (problem->nested && percent(dice, 4))
    problem->cr0 &= ~CR0_PG;
}

static void print_registers(FILE *out, const struct problem *problem) {
  static const char *const names[] = {"x86-64", "x86-svm-npt", "x86-ept"};
  fprintf(out, "regime %s\n", names[problem->regime]);
  fprintf(out, "reg CR0 0x%" PRIx64 "\nreg CR3 0x%" PRIx64 "\nreg CR4 0x%" PRIx64 "\n",
          problem->cr0, problem->cr3, problem->cr4);
  fprintf(out, "reg EFER 0x%" PRIx64 "\nreg PKRU 0x%" PRIx32 "\nreg AC %" PRIu32 "\n",
          problem->efer, problem->pkru, problem->ac);
  if (problem->regime == X86_REGIME_EPT)
    fprintf(out, "reg EPTP 0x%" PRIx64 "\n", problem->eptp);
  if (problem->regime == X86_REGIME_NPT)
    fprintf(out, "reg nCR3 0x%" PRIx64 "\nreg hCR4 0x%" PRIx64 "\nreg hEFER 0x%" PRIx64 "\n",
            problem->ncr3, problem->hcr4, problem->hefer);
}

/* -- tables ------------------------------------------------------------------------------------ */

static unsigned levels_of(uint64_t cr4) {
  return cr4 & CR4_LA57 ? 5 : 4;
}

static struct x86_style style_for(uint64_t efer, unsigned rights) {
  return (struct x86_style){.memory = &memory, .nx = efer & EFER_NXE ? 15 : 1, .rights = rights};
}

static void plan_npt(struct problem *problem, struct images *images, struct dice *dice) {
  unsigned reach = 12 + 9 * levels_of(problem->hcr4);
  problem->guest_style.gpa_bits = memory.maxphyaddr < reach ? memory.maxphyaddr : reach;
  x86_plan_npt(&problem->nested_tree, levels_of(problem->hcr4), &problem->nested_style, images,
               dice);
  problem->ncr3 = problem->nested_tree.root.pa | any_bits(dice, CR3_ANY);
}

/* EPT has two entries at its root that there are addresses for. In some problems no table of the
 * guest's needs the second, so that it may be anything. */
static void plan_ept(struct problem *problem, struct images *images, struct dice *dice) {
  problem->guest_style.gpa_bits = EPT_MAXPHYADDR - percent(dice, 25);
  ept_plan(&problem->nested_tree, !lesser, images, dice);
  problem->eptp = problem->nested_tree.root.pa | EPTP_FOUR_LEVELS |
                  any_bits(dice, lesser ? 0 : EPTP_AD) | (percent(dice, 70) ? EPTP_WRITE_BACK : 0);
}

static void plan_tables(struct problem *problem, struct images *images, struct dice *dice) {
  problem->guest_style = style_for(problem->efer, 93);
  problem->nested_style = style_for(problem->hefer, 99);
  problem->guest_style.nowhere = problem->regime == X86_REGIME_STAGE1;
  if (problem->regime == X86_REGIME_EPT)
    ept_place_images(images, dice);
  else
    x86_place_images(&memory, images, dice);
  if (problem->nested && problem->regime == X86_REGIME_EPT)
    plan_ept(problem, images, dice);
  else if (problem->nested)
    plan_npt(problem, images, dice);
  else if (problem->regime == X86_REGIME_EPT)
    problem->guest_style.gpa_bits = EPT_BITS_WITHOUT;
  x86_plan_guest(&problem->guest, levels_of(problem->cr4), &problem->guest_style,
                 problem->nested ? &problem->nested_tree : NULL, images, dice);
  if (problem->nested && problem->regime == X86_REGIME_EPT)
    problem->guest_style.gpa_bits = EPT_MAXPHYADDR;
  tree_fill(&problem->guest, dice);
  if (problem->nested)
    tree_fill(&problem->nested_tree, dice);
  problem->cr3 = problem->guest.root.address | any_bits(dice, CR3_ANY);
}

/* -- queries ----------------------------------------------------------------------------------- */

/* An address near an edge of what an entry of some level maps. */
static uint64_t edge(uint64_t address, struct dice *dice) {
  static const uint8_t sizes[] = {12, 12, 21, 30, 39, 47, 48, 56};
  static const int deltas[] = {-0x1000, -8, -1, 0, 1, 0xff8, 0x1000};
  unsigned log2 = sizes[below(dice, sizeof(sizes))];
  return (address >> log2 << log2) + (uint64_t)deltas[below(dice, 7)];
}

/* Canonical, but for a few. */
static uint64_t random_va(const struct problem *problem, struct dice *dice) {
  unsigned unused = 64 - (12 + 9 * levels_of(problem->cr4));
  uint64_t va = roll(dice);
  if (percent(dice, 30))
    va = edge(va, dice);
  if (!(problem->cr0 & CR0_PG))
    return va & UINT32_MAX;
  if (percent(dice, 98))
    va = (uint64_t)((int64_t)(va << unused) >> unused);
  return va;
}

/* The guest that asks EPT alone makes addresses of 32 bits. */
static uint64_t random_gpa(const struct problem *problem, struct dice *dice) {
  unsigned bits = problem->regime == X86_REGIME_EPT ? 32 : problem->guest_style.gpa_bits;
  uint64_t mask = (1ull << bits) - 1;
  uint64_t gpa = any_bits(dice, mask);
  return percent(dice, 30) ? edge(gpa, dice) & mask : gpa;
}

/* One in a while is asked in all six ways. */
static void print_queries(FILE *out, const struct problem *problem, bool stage2, uint64_t queries,
                          struct dice *dice) {
  while (queries) {
    uint64_t va = stage2 ? random_gpa(problem, dice) : random_va(problem, dice);
    uint32_t how = below(dice, 6), count = percent(dice, 10) ? 6 : 1;
    for (uint32_t i = 0; i < count && queries; i++, queries--)
      fprintf(out, "q %c %s 0x%016" PRIx64 "\n", "rwx"[(how + i) % 3],
              (how + i) % 6 < 3 ? "user" : "priv", va);
  }
}

static void print_problem(struct random_case *c, enum x86_regime regime, uint64_t queries) {
  static struct problem problem;
  struct dice *dice = &c->dice;
  memset(&problem, 0, sizeof(problem));
  problem.regime = regime;
  problem.nested = regime != X86_REGIME_STAGE1;
  plan_registers(&problem, dice);
  if (regime == X86_REGIME_EPT)
    plan_ept_registers(&problem, dice);
  plan_tables(&problem, &c->images, dice);
  images_write(&c->images, c->folder, c->number, c->out);
  print_registers(c->out, &problem);
  if (c->number == c->problems * UPDATES_FROM / 100)
    fputs("update-check\n", c->out);
  bool stage2 = problem.nested && percent(dice, 10);
  fprintf(c->out, "walk %s\n", stage2 ? "s2" : "s12");
  print_queries(c->out, &problem, stage2, queries, dice);
}

static void stage1_problem(struct random_case *c, uint64_t queries) {
  print_problem(c, X86_REGIME_STAGE1, queries);
}

static void npt_problem(struct random_case *c, uint64_t queries) {
  print_problem(c, X86_REGIME_NPT, queries);
}

static void ept_problem(struct random_case *c, uint64_t queries) {
  print_problem(c, X86_REGIME_EPT, queries);
}

const struct family x86_stage1_family = {"x86-64", begin, stage1_problem};
const struct family x86_npt_family = {"x86-svm-npt", begin, npt_problem};
const struct family x86_ept_family = {"x86-ept", begin_ept, ept_problem};
