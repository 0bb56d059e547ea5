/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#define PAGE_MASK 0x000ffffffffff000ull

#define P (1ull << 0)
#define W (1ull << 1)
#define U (1ull << 2)
#define A (1ull << 5)
#define D (1ull << 6)
#define PS (1ull << 7)
#define LARGE_PAT (1ull << 12)
#define NX (1ull << 63)
/* PWT, PCD, G, what software may use, and the protection key's bits */
#define LEAF_ANY 0x7ff0000000000f18ull
#define TABLE_ANY 0x7ff0000000000f58ull

#define GIGABYTE_BITS 30

/* -- addresses --------------------------------------------------------------------------------- */

static uint64_t window_first(const struct x86_memory *memory, unsigned i) {
  return (uint64_t)memory->window[i] << GIGABYTE_BITS;
}

void x86_place_images(const struct x86_memory *memory, struct images *images, struct dice *dice) {
  uint64_t first[ARENAS], last[ARENAS];
  for (unsigned i = 0; i < ARENAS; i++) {
    first[i] = window_first(memory, i);
    last[i] = first[i] + (1ull << GIGABYTE_BITS) - 1;
  }
  images_reset(images, first, last, dice);
}

/* A random address in one of the windows from `first` on. */
static uint64_t random_pa(const struct x86_memory *memory, unsigned first, struct dice *dice) {
  return window_first(memory, first + below(dice, X86_WINDOWS - first)) |
         any_bits(dice, (1ull << GIGABYTE_BITS) - 1);
}

static uint64_t space(unsigned bits) {
  return (1ull << bits) - 1;
}

/* Where a page leads. */
static uint64_t random_output(const struct x86_style *style, struct dice *dice) {
  const struct x86_memory *memory = style->memory;
  if (style->gpa_bits)
    return any_bits(dice, space(style->gpa_bits));
  if (!style->nowhere || percent(dice, 90))
    return random_pa(memory, 0, dice);
  return memory->beyond + roll(dice) % (space(memory->maxphyaddr) + 1 - memory->beyond);
}

/* Where no table is, nor was one in an earlier problem, but RAM; a guest's may be there all the
 * same. */
static uint64_t lost_table(const struct x86_style *style, struct dice *dice) {
  return style->gpa_bits ? any_bits(dice, space(style->gpa_bits))
                         : random_pa(style->memory, ARENAS, dice);
}

/* -- entries ----------------------------------------------------------------------------------- */

static const struct x86_style *style_of(const struct tree *tree) {
  return tree->style;
}

static unsigned level_at(const struct tree *tree, unsigned depth) {
  return tree->depths - depth;
}

static uint64_t often(uint64_t bit, unsigned probability, struct dice *dice) {
  return percent(dice, probability) ? bit : 0;
}

/* A bit that an address may not have. */
static uint64_t too_wide(const struct x86_style *style, struct dice *dice) {
  unsigned bits = 52 - style->memory->maxphyaddr;
  return !bits ? 0 : 1ull << (style->memory->maxphyaddr + below(dice, bits));
}

static uint64_t leaf(const struct tree *tree, unsigned depth, uint64_t output, unsigned rights,
                     struct dice *dice) {
  uint64_t size = 1ull << tree_shift(tree, depth);
  uint64_t entry = P | (output & PAGE_MASK & ~(size - 1)) | any_bits(dice, LEAF_ANY);
  entry |= often(W, rights, dice) | often(U, rights, dice);
  entry |= often(A, 70, dice) | often(D, 60, dice) | often(NX, style_of(tree)->nx, dice);
  if (level_at(tree, depth) > 1)
    return entry | PS | often(LARGE_PAT, 30, dice);
  return entry | often(PS, 30, dice); /* PAT */
}

static uint64_t table(const struct tree *tree, unsigned depth, uint64_t address,
                      struct dice *dice) {
  unsigned rights = style_of(tree)->rights;
  (void)depth;
  uint64_t entry = P | (address & PAGE_MASK) | any_bits(dice, TABLE_ANY);
  entry |= often(W, rights, dice) | often(U, rights, dice) | often(A, 70, dice);
  return entry | often(NX, style_of(tree)->nx / 5, dice);
}

/* Leads to a guest's table: few deny, since everything behind it is denied then. */
static uint64_t pinned_leaf(const struct tree *tree, unsigned depth, uint64_t output,
                            struct dice *dice) {
  uint64_t entry = leaf(tree, depth, output, 99, dice);
  return percent(dice, 2) ? entry | too_wide(style_of(tree), dice) : entry;
}

/* What is reserved in an entry of this level, set now and then. */
static uint64_t reserved(const struct tree *tree, unsigned depth, bool is_leaf, struct dice *dice) {
  uint64_t inside = ((1ull << tree_shift(tree, depth)) - 1) & PAGE_MASK & ~LARGE_PAT;
  uint64_t bits = percent(dice, 1) ? too_wide(style_of(tree), dice) : 0;
  if (is_leaf && percent(dice, 4))
    bits |= any_bits(dice, inside);
  if (level_at(tree, depth) >= 4)
    bits |= often(PS, 1, dice);
  return bits;
}

static uint64_t not_present(struct dice *dice) {
  return percent(dice, 40) ? 0 : roll(dice) & ~P;
}

static uint64_t random_entry(const struct tree *tree, unsigned depth, struct dice *dice) {
  const struct x86_style *style = style_of(tree);
  unsigned kind = below(dice, 100), level = level_at(tree, depth);
  if (kind < 6)
    return not_present(dice);
  bool is_leaf = level == 1 || (level <= 3 && kind >= 70);
  uint64_t more = reserved(tree, depth, is_leaf, dice);
  if (is_leaf)
    return more | leaf(tree, depth, random_output(style, dice), 80, dice);
  if (kind < 8)
    return more | table(tree, depth, lost_table(style, dice), dice);
  return more | table(tree, depth, tree_next(tree, depth + 1, dice), dice);
}

/* -- trees ------------------------------------------------------------------------------------- */

static const struct tree_format format = {table, pinned_leaf, random_entry};

static void plan(struct tree *tree, unsigned levels, const struct x86_style *style,
                 struct images *images, struct dice *dice) {
  tree->format = &format;
  tree->style = style;
  tree->depths = levels;
  tree->leaves_from = levels - 3;
  tree_plan(tree, images, 512, dice);
}

void x86_plan_npt(struct tree *tree, unsigned levels, const struct x86_style *style,
                  struct images *images, struct dice *dice) {
  plan(tree, levels, style, images, dice);
}

void x86_plan_guest(struct tree *tree, unsigned levels, const struct x86_style *style,
                    struct tree *nested, struct images *images, struct dice *dice) {
  plan(tree, levels, style, images, dice);
  for (unsigned depth = 0; nested && depth < levels; depth++) {
    unsigned tables = depth ? TREE_POOL : 1;
    struct tree_table *first = depth ? tree->pool[depth] : &tree->root;
    for (unsigned i = 0; i < tables; i++)
      first[i].address = tree_pin(nested, first[i].pa, 4096, style->gpa_bits, dice);
  }
}
