/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAM TLB, alone and against a model of it: a linear array in which every operation looks at
 * every entry, with no index, no counts and no shared state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/tlb.h"
#include "support/random.h"

#define SLOTS 192

/* ---- the model ------------------------------------------------------------------------------- */

struct slot {
  bool valid;
  struct nwi_tlb_entry entry;
  uint64_t touched, filled; /* times of the latest touch and of the fill */
};

struct model {
  unsigned ways, sets;
  unsigned policy;
  bool nested;
  uint64_t now;
  struct slot slot[SLOTS];
  bool upper_half[SLOTS][9][SLOTS]; /* tree-PLRU: by set, log2 of the subtree's ways, first way */
};

static bool same_entry(const struct nwi_tlb_entry *a, const struct nwi_tlb_entry *b) {
  return a->va == b->va && a->pa == b->pa && a->rights == b->rights && a->asid == b->asid &&
         a->vmid == b->vmid && a->page_log2 == b->page_log2 && a->s1_page_log2 == b->s1_page_log2 &&
         a->s2_page_log2 == b->s2_page_log2 && a->attr == b->attr && a->sh == b->sh &&
         a->level == b->level && a->global == b->global;
}

static uint64_t size_of(const struct nwi_tlb_entry *entry) {
  return (uint64_t)1 << entry->page_log2;
}

static bool covers(const struct nwi_tlb_entry *entry, uint64_t va) {
  return va - entry->va < size_of(entry);
}

static bool hits(const struct nwi_tlb_entry *entry, uint64_t va, uint16_t asid, uint16_t vmid) {
  return covers(entry, va) && entry->vmid == vmid && (entry->global || entry->asid == asid);
}

/* Page sizes present, up to and with `largest`. */
static unsigned sizes_up_to(const struct model *model, unsigned largest) {
  unsigned sizes = 0;
  for (unsigned log2 = 0; log2 <= largest; log2++) {
    bool present = false;
    for (unsigned i = 0; i < model->ways * model->sets; i++)
      present = present || (model->slot[i].valid && model->slot[i].entry.page_log2 == log2);
    sizes += present;
  }
  return sizes;
}

static struct slot *model_find(struct model *model, uint64_t va, uint16_t asid, uint16_t vmid,
                               unsigned *probes) {
  struct slot *found = NULL;
  for (unsigned i = 0; i < model->ways * model->sets; i++) {
    struct slot *slot = &model->slot[i];
    if (!slot->valid || !hits(&slot->entry, va, asid, vmid))
      continue;
    if (!model->nested)
      assert_null(found); /* the invariant: one entry at most */
    if (found == NULL || slot->entry.page_log2 < found->entry.page_log2)
      found = slot;
  }
  *probes = model->sets == 1 ? 1 : sizes_up_to(model, found ? found->entry.page_log2 : 63);
  return found;
}

/* Textbook tree-PLRU: each subtree knows in which half the victim is; a use points it away. */
static void tree_use(struct model *model, unsigned set, unsigned log2, unsigned first,
                     unsigned way) {
  if (log2 == 0)
    return;
  unsigned half = 1u << (log2 - 1);
  bool in_upper = way >= first + half;
  model->upper_half[set][log2][first] = !in_upper;
  tree_use(model, set, log2 - 1, in_upper ? first + half : first, way);
}

static unsigned tree_choice(const struct model *model, unsigned set, unsigned log2,
                            unsigned first) {
  if (log2 == 0)
    return first;
  unsigned half = 1u << (log2 - 1);
  return tree_choice(model, set, log2 - 1,
                     model->upper_half[set][log2][first] ? first + half : first);
}

static unsigned log2_of(unsigned x) {
  unsigned log2 = 0;
  while (1u << log2 < x)
    log2++;
  return log2;
}

static void model_touch(struct model *model, struct slot *slot) {
  unsigned number = (unsigned)(slot - model->slot);
  slot->touched = ++model->now;
  if (model->policy == NW_POLICY_TREE_PLRU)
    tree_use(model, number / model->ways, log2_of(model->ways), 0, number % model->ways);
}

static bool overlaps(const struct model *model, const struct nwi_tlb_entry *a,
                     const struct nwi_tlb_entry *b) {
  if (a->vmid != b->vmid || (!a->global && !b->global && a->asid != b->asid))
    return false;
  if (model->nested)
    return a->va == b->va && a->page_log2 == b->page_log2;
  return a->va < b->va + size_of(b) && b->va < a->va + size_of(a);
}

/* The slot that an install takes. Where the policy is random, `random_slot` is believed. */
static struct slot *model_place(struct model *model, unsigned set, unsigned random_slot) {
  struct slot *first = &model->slot[set * model->ways];
  struct slot *oldest = first;
  for (unsigned way = 0; way < model->ways; way++)
    if (!first[way].valid)
      return &first[way];
  for (unsigned way = 1; way < model->ways; way++) {
    bool older = model->policy == NW_POLICY_FIFO ? first[way].filled < oldest->filled
                                                 : first[way].touched < oldest->touched;
    oldest = older ? &first[way] : oldest;
  }
  if (model->policy == NW_POLICY_TREE_PLRU)
    return &first[tree_choice(model, set, log2_of(model->ways), 0)];
  if (model->policy == NW_POLICY_RANDOM) {
    assert_true(random_slot / model->ways == set);
    return &model->slot[random_slot];
  }
  return oldest;
}

static bool model_install(struct model *model, const struct nwi_tlb_entry *entry,
                          unsigned random_slot, struct nwi_tlb_entry *victim) {
  for (unsigned i = 0; i < model->ways * model->sets; i++)
    if (overlaps(model, entry, &model->slot[i].entry))
      model->slot[i].valid = false;
  unsigned set = (unsigned)(entry->va / size_of(entry) % model->sets);
  struct slot *slot = model_place(model, set, random_slot);
  bool evicted = slot->valid;
  *victim = slot->entry;
  slot->valid = true;
  slot->entry = *entry;
  model_touch(model, slot);
  slot->filled = model->now;
  return evicted;
}

static bool goes(const struct nwi_tlb_match *match, const struct nwi_tlb_entry *entry) {
  bool goes = true;
  if (match->by_va)
    goes = goes && covers(entry, match->va);
  if (match->by_vmid)
    goes = goes && entry->vmid == match->vmid;
  if (match->by_asid && entry->global)
    goes = goes && match->globals;
  if (match->by_asid && !entry->global)
    goes = goes && entry->asid == match->asid;
  return goes;
}

static unsigned model_invalidate(struct model *model, const struct nwi_tlb_match *match) {
  unsigned count = 0;
  for (unsigned i = 0; i < model->ways * model->sets; i++) {
    struct slot *slot = &model->slot[i];
    if (slot->valid && goes(match, &slot->entry)) {
      slot->valid = false;
      count++;
    }
  }
  return count;
}

/* ---- random operations on both --------------------------------------------------------------- */

/* Few places, so that there are many hits and overlaps: both ends of the larger pages among them. */
static uint64_t random_va(struct random *random) {
  static const uint64_t base[] = {0, 0x40000000, 0xffffffff80000000u};
  static const uint32_t page[] = {0, 0x1000, 0x2000, 0x3000, 0xe000, 0xf000};
  return base[random_below(random, 3)] + ((uint64_t)random_below(random, 2) << 24) +
         ((uint64_t)random_below(random, 3) << 20) + (random_chance(random, 30) ? 0xf0000 : 0) +
         page[random_below(random, 6)] + random_below(random, 4096);
}

static struct nwi_tlb_entry random_entry(struct random *random) {
  static const uint8_t log2[] = {12, 12, 12, 16, 16, 20, 20, 21, 24, 30};
  uint64_t bits = random_bits(random);
  struct nwi_tlb_entry entry = {.va = random_va(random),
                                .pa = random_bits(random),
                                .rights = (uint32_t)(bits >> 32),
                                .asid = (uint16_t)random_below(random, 3),
                                .vmid = (uint16_t)random_below(random, 2),
                                .page_log2 = log2[random_below(random, sizeof log2)],
                                .s1_page_log2 = (uint8_t)bits,
                                .s2_page_log2 = (uint8_t)(bits >> 8),
                                .attr = (uint8_t)(bits >> 16),
                                .sh = (uint8_t)(bits >> 24),
                                .level = (uint8_t)(bits >> 28),
                                .global = random_chance(random, 25)};
  entry.va &= ~(size_of(&entry) - 1);
  return entry;
}

static struct nwi_tlb_match random_match(struct random *random) {
  return (struct nwi_tlb_match){.va = random_va(random),
                                .asid = (uint16_t)random_below(random, 3),
                                .vmid = (uint16_t)random_below(random, 2),
                                .by_va = random_chance(random, 80),
                                .by_asid = random_chance(random, 60),
                                .globals = random_chance(random, 50),
                                .by_vmid = random_chance(random, 70)};
}

static void compare_contents(const struct model *model, const struct nwi_tlb *tlb) {
  unsigned valid = 0;
  for (unsigned set = 0; set < model->sets; set++) {
    for (unsigned way = 0; way < model->ways; way++) {
      const struct slot *slot = &model->slot[set * model->ways + way];
      const struct nwi_tlb_entry *entry = nwi_tlb_slot(tlb, set, way);
      assert_int_equal(slot->valid, entry != NULL);
      if (entry != NULL && !same_entry(&slot->entry, entry))
        fail_msg("set %u way %u differs", set, way);
      valid += slot->valid;
    }
  }
  assert_int_equal(nwi_tlb_occupancy(tlb), valid);
}

static void compare_lookup(struct model *model, struct nwi_tlb *tlb, struct random *random) {
  uint64_t va = random_va(random);
  uint16_t asid = (uint16_t)random_below(random, 3);
  uint16_t vmid = (uint16_t)random_below(random, 2);
  bool touch = random_chance(random, 75);
  unsigned expected_probes, probes = 999;
  struct slot *expected = model_find(model, va, asid, vmid, &expected_probes);
  const struct nwi_tlb_entry *entry = touch ? nwi_tlb_lookup(tlb, va, asid, vmid, &probes)
                                            : nwi_tlb_peek(tlb, va, asid, vmid, &probes);
  assert_int_equal(expected != NULL, entry != NULL);
  assert_int_equal(probes, expected_probes);
  if (expected != NULL)
    assert_true(same_entry(&expected->entry, entry));
  if (expected != NULL && touch)
    model_touch(model, expected);
}

static void compare_install(struct model *model, struct nwi_tlb *tlb, struct random *random) {
  struct nwi_tlb_entry entry = random_entry(random), victim, expected_victim;
  bool evicted = nwi_tlb_install(tlb, &entry, &victim);
  unsigned placed = 0;
  for (unsigned i = 0; i < model->ways * model->sets; i++) {
    const struct nwi_tlb_entry *slot = nwi_tlb_slot(tlb, i / model->ways, i % model->ways);
    placed = slot != NULL && same_entry(slot, &entry) ? i : placed;
  }
  assert_int_equal(model_install(model, &entry, placed, &expected_victim), evicted);
  if (evicted)
    assert_true(same_entry(&victim, &expected_victim));
}

static void run_against_model(unsigned entries, unsigned ways, unsigned policy, bool nested,
                              unsigned steps, struct random *random) {
  static struct model model; /* large */
  const struct nw_tlb_config config = {.entries = entries, .ways = ways, .policy = (uint8_t)policy};
  char error[200] = "";
  struct nwi_tlb *tlb =
      nwi_tlb_create(&config, "l2", random_bits(random), nested, error, sizeof error);
  assert_string_equal(error, "");
  assert_non_null(tlb);
  memset(&model, 0, sizeof model);
  model.ways = ways;
  model.sets = entries / ways;
  model.policy = policy;
  model.nested = nested;
  for (unsigned step = 0; step < steps; step++) {
    uint32_t dice = random_below(random, 100);
    if (dice < 60) {
      compare_lookup(&model, tlb, random);
      continue;
    }
    if (dice < 98) {
      compare_install(&model, tlb, random);
    } else {
      struct nwi_tlb_match match = random_match(random);
      assert_int_equal(nwi_tlb_invalidate(tlb, &match), model_invalidate(&model, &match));
    }
    compare_contents(&model, tlb);
  }
  nwi_tlb_destroy(tlb);
}

static void run_all_geometries(const char *test, unsigned policy, bool nested, bool power_of_two) {
  static const struct {
    unsigned entries, ways;
  } geometry[] = {{1, 1},   {2, 1},   {2, 2},   {3, 3},     {8, 2},    {12, 3},
                  {16, 16}, {20, 5},  {33, 33}, {48, 48},   {64, 1},   {64, 4},
                  {64, 8},  {64, 32}, {64, 64}, {128, 128}, {130, 65}, {192, 96}};
  struct random random = random_from_seed(test);
  for (unsigned i = 0; i < sizeof geometry / sizeof geometry[0]; i++) {
    unsigned ways = geometry[i].ways;
    if (!power_of_two || (ways & (ways - 1)) == 0)
      run_against_model(geometry[i].entries, ways, policy, nested, 1200, &random);
  }
}

static void lru_agrees_with_a_linear_model(void **state) {
  (void)state;
  run_all_geometries(__func__, NW_POLICY_LRU, false, false);
}

static void tree_plru_agrees_with_a_linear_model(void **state) {
  (void)state;
  run_all_geometries(__func__, NW_POLICY_TREE_PLRU, false, true);
}

static void fifo_agrees_with_a_linear_model(void **state) {
  (void)state;
  run_all_geometries(__func__, NW_POLICY_FIFO, false, false);
}

static void random_agrees_with_a_linear_model(void **state) {
  (void)state;
  run_all_geometries(__func__, NW_POLICY_RANDOM, false, false);
}

static void nested_store_agrees_with_a_linear_model(void **state) {
  (void)state;
  run_all_geometries(__func__, NW_POLICY_LRU, true, false);
  run_all_geometries(__func__, NW_POLICY_TREE_PLRU, true, true);
}

/* ---- one thing at a time --------------------------------------------------------------------- */

static struct nwi_tlb *make(unsigned entries, unsigned ways, unsigned policy) {
  const struct nw_tlb_config config = {.entries = entries, .ways = ways, .policy = (uint8_t)policy};
  struct nwi_tlb *tlb = nwi_tlb_create(&config, "l1d", 1, false, NULL, 0);
  assert_non_null(tlb);
  return tlb;
}

static void put(struct nwi_tlb *tlb, uint64_t va, uint8_t page_log2, uint16_t asid, uint16_t vmid) {
  const struct nwi_tlb_entry entry = {
      .va = va, .pa = va, .page_log2 = page_log2, .asid = asid, .vmid = vmid};
  nwi_tlb_install(tlb, &entry, NULL);
}

static void put_global(struct nwi_tlb *tlb, uint64_t va, uint8_t page_log2, uint16_t vmid) {
  const struct nwi_tlb_entry entry = {
      .va = va, .pa = va, .page_log2 = page_log2, .asid = 7, .vmid = vmid, .global = true};
  nwi_tlb_install(tlb, &entry, NULL);
}

static bool finds(struct nwi_tlb *tlb, uint64_t va, uint16_t asid, uint16_t vmid) {
  unsigned probes;
  bool peeked = nwi_tlb_peek(tlb, va, asid, vmid, &probes) != NULL;
  bool found = nwi_tlb_lookup(tlb, va, asid, vmid, &probes) != NULL;
  assert_int_equal(peeked, found);
  return found;
}

/* A tag comparison that leaves out a bit has been seen in a shipped core (cva6 2933). */
static void tag_compare_looks_at_every_bit(void **state) {
  (void)state;
  static const uint8_t log2[] = {12, 16, 20, 21, 24, 30, 39};
  for (unsigned i = 0; i < sizeof log2; i++) {
    for (unsigned ways = 1; ways <= 8; ways *= 8) {
      struct nwi_tlb *tlb = make(8, ways, NW_POLICY_LRU);
      uint64_t va = (uint64_t)0x5a5a5a << log2[i];
      put(tlb, va, log2[i], 0x1234, 0xabcd);
      assert_true(finds(tlb, va, 0x1234, 0xabcd));
      for (unsigned bit = 0; bit < 64; bit++)
        assert_int_equal(finds(tlb, va ^ (uint64_t)1 << bit, 0x1234, 0xabcd), bit < log2[i]);
      for (unsigned bit = 0; bit < 16; bit++) {
        assert_false(finds(tlb, va, (uint16_t)(0x1234 ^ 1 << bit), 0xabcd));
        assert_false(finds(tlb, va, 0x1234, (uint16_t)(0xabcd ^ 1 << bit)));
      }
      nwi_tlb_destroy(tlb);
    }
  }
}

/* XiangShan 4811 */
static void a_global_entry_matches_any_asid_but_needs_its_vmid(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(8, 8, NW_POLICY_LRU);
  put_global(tlb, 0x100000, 20, 0xabcd);
  for (unsigned bit = 0; bit < 16; bit++) {
    assert_true(finds(tlb, 0x123456, (uint16_t)(1u << bit), 0xabcd));
    assert_false(finds(tlb, 0x123456, 7, (uint16_t)(0xabcd ^ 1 << bit)));
  }
  nwi_tlb_destroy(tlb);
}

static void an_empty_tlb_finds_nothing_at_any_address(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(4, 4, NW_POLICY_LRU);
  put(tlb, 0, 12, 0, 0);
  const struct nwi_tlb_match everything = {.by_va = false};
  assert_int_equal(nwi_tlb_invalidate(tlb, &everything), 1);
  for (unsigned bit = 0; bit < 64; bit++) {
    assert_false(finds(tlb, (uint64_t)1 << bit, 0, 0));
    assert_false(finds(tlb, ~(uint64_t)0 << bit, 0, 0));
  }
  assert_false(finds(tlb, 0, 0, 0));
  nwi_tlb_destroy(tlb);
}

static void installing_a_section_drops_the_small_pages_in_it(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(512, 4, NW_POLICY_LRU);
  for (unsigned page = 0; page < 300; page++)
    put(tlb, 0x80000 + page * 0x1000u, 12, 1, 0);
  put(tlb, 0x100000, 12, 2, 0); /* other ASID */
  put(tlb, 0x101000, 12, 1, 1); /* other VMID */
  put_global(tlb, 0x102000, 12, 0);
  put(tlb, 0x100000, 20, 1, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 128 + 2 + 1); /* 128 of the 300 are below it */
  assert_true(finds(tlb, 0xff000, 1, 0));
  assert_true(finds(tlb, 0x100000, 2, 0));
  assert_true(finds(tlb, 0x101000, 1, 1));
  assert_false(finds(tlb, 0x102000, 2, 0));
  nwi_tlb_destroy(tlb);
}

static void an_entry_begins_at_its_own_size(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(8, 2, NW_POLICY_LRU);
  put(tlb, 0x123456, 16, 1, 0);
  assert_true(finds(tlb, 0x120000, 1, 0));
  assert_int_equal(nwi_tlb_occupancy(tlb), 1);
  put(tlb, 0x12ffff, 16, 1, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 1);
  unsigned probes;
  assert_int_equal(nwi_tlb_peek(tlb, 0x120000, 1, 0, &probes)->va, 0x120000);
  nwi_tlb_destroy(tlb);
}

static void installing_a_small_page_drops_the_section_around_it(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(32, 32, NW_POLICY_LRU);
  put(tlb, 0x100000, 20, 1, 0);
  put(tlb, 0x180000, 12, 1, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 1);
  assert_false(finds(tlb, 0x100000, 1, 0));
  nwi_tlb_destroy(tlb);
}

static void a_global_page_drops_the_same_page_of_every_asid(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(32, 32, NW_POLICY_LRU);
  for (uint16_t asid = 0; asid < 20; asid++)
    put(tlb, 0x100000, 12, asid, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 20);
  put_global(tlb, 0x100000, 12, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 1);
  put(tlb, 0x100000, 12, 5, 0);
  assert_int_equal(nwi_tlb_occupancy(tlb), 1);
  assert_false(finds(tlb, 0x100000, 6, 0));
  nwi_tlb_destroy(tlb);
}

static void a_cam_evicts_in_the_order_of_last_use(void **state) {
  (void)state;
  struct random random = random_from_seed(__func__);
  for (unsigned entries = 1; entries <= 80; entries++) {
    struct nwi_tlb *tlb = make(entries, entries, NW_POLICY_LRU);
    unsigned order[80];
    for (unsigned i = 0; i < entries; i++) {
      put(tlb, (uint64_t)i << 12, 12, 0, 0);
      uint32_t other = random_below(&random, i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    for (unsigned i = 0; i < entries; i++)
      assert_true(finds(tlb, (uint64_t)order[i] << 12, 0, 0));
    for (unsigned i = 0; i < entries; i++) {
      const struct nwi_tlb_entry entry = {.va = (uint64_t)(1000 + i) << 12, .page_log2 = 12};
      struct nwi_tlb_entry victim = {.va = 1};
      assert_true(nwi_tlb_install(tlb, &entry, &victim));
      assert_int_equal(victim.va, (uint64_t)order[i] << 12);
    }
    nwi_tlb_destroy(tlb);
  }
}

static void a_freed_way_of_a_full_cam_is_the_next_to_be_filled(void **state) {
  (void)state;
  enum { ENTRIES = 128 };
  struct nwi_tlb *tlb = make(ENTRIES, ENTRIES, NW_POLICY_LRU);
  for (unsigned i = 0; i < ENTRIES; i++)
    put(tlb, (uint64_t)i << 12, 12, 0, 0);
  for (unsigned i = ENTRIES; i-- > 0;) {
    const struct nwi_tlb_match one = {.va = (uint64_t)i << 12, .by_va = true, .by_vmid = true};
    const struct nwi_tlb_entry entry = {.va = (uint64_t)(1000 + i) << 12, .page_log2 = 12};
    assert_int_equal(nwi_tlb_invalidate(tlb, &one), 1);
    assert_false(nwi_tlb_install(tlb, &entry, NULL));
    assert_int_equal(nwi_tlb_slot(tlb, 0, i)->va, entry.va);
    assert_int_equal(nwi_tlb_occupancy(tlb), ENTRIES);
  }
  nwi_tlb_destroy(tlb);
}

static void peeking_changes_no_order(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(2, 2, NW_POLICY_LRU);
  unsigned probes;
  put(tlb, 0x1000, 12, 0, 0);
  put(tlb, 0x2000, 12, 0, 0);
  assert_non_null(nwi_tlb_peek(tlb, 0x1000, 0, 0, &probes));
  put(tlb, 0x3000, 12, 0, 0);
  assert_null(nwi_tlb_peek(tlb, 0x1000, 0, 0, &probes));
  nwi_tlb_destroy(tlb);
}

static void a_set_is_probed_once_per_page_size_present(void **state) {
  (void)state;
  struct nwi_tlb *tlb = make(16, 4, NW_POLICY_LRU);
  unsigned probes = 9;
  assert_null(nwi_tlb_lookup(tlb, 0, 0, 0, &probes));
  assert_int_equal(probes, 0);
  put(tlb, 0x100000, 20, 0, 0);
  assert_non_null(nwi_tlb_lookup(tlb, 0x100000, 0, 0, &probes));
  assert_int_equal(probes, 1);
  put(tlb, 0x1000, 12, 0, 0);
  assert_non_null(nwi_tlb_lookup(tlb, 0x100000, 0, 0, &probes));
  assert_int_equal(probes, 2);
  assert_non_null(nwi_tlb_lookup(tlb, 0x1000, 0, 0, &probes));
  assert_int_equal(probes, 1);
  assert_null(nwi_tlb_lookup(tlb, 0x5000, 0, 0, &probes));
  assert_int_equal(probes, 2);
  nwi_tlb_destroy(tlb);
  tlb = make(16, 16, NW_POLICY_LRU);
  put(tlb, 0x1000, 12, 0, 0);
  put(tlb, 0x100000, 20, 0, 0);
  assert_non_null(nwi_tlb_lookup(tlb, 0x100000, 0, 0, &probes));
  assert_int_equal(probes, 1);
  nwi_tlb_destroy(tlb);
}

static void the_same_seed_gives_the_same_victims(void **state) {
  (void)state;
  const struct nw_tlb_config config = {.entries = 48, .ways = 48, .policy = NW_POLICY_RANDOM};
  unsigned differing = 0;
  struct nwi_tlb *tlb[3];
  for (unsigned i = 0; i < 3; i++)
    tlb[i] = nwi_tlb_create(&config, "l2", i == 2 ? 6 : 5, false, NULL, 0);
  for (uint64_t page = 0; page < 500; page++) {
    struct nwi_tlb_entry victim[3] = {{.va = 0}, {.va = 0}, {.va = 0}};
    const struct nwi_tlb_entry entry = {.va = page << 12, .page_log2 = 12};
    for (unsigned i = 0; i < 3; i++)
      assert_int_equal(nwi_tlb_install(tlb[i], &entry, &victim[i]), page >= 48);
    assert_int_equal(victim[0].va, victim[1].va);
    differing += victim[0].va != victim[2].va;
  }
  assert_true(differing > 100);
  for (unsigned i = 0; i < 3; i++)
    nwi_tlb_destroy(tlb[i]);
}

static void an_impossible_geometry_is_refused_with_a_sentence(void **state) {
  (void)state;
  static const struct {
    struct nw_tlb_config config;
    const char *error;
  } bad[] = {
      {{.entries = 0, .ways = 1}, "l2: 0 entries found, 1 to 16777216 expected"},
      {{.entries = 16777217, .ways = 1}, "l2: 16777217 entries found, 1 to 16777216 expected"},
      {{.entries = 4, .ways = 0}, "l2: 0 ways found, 1 to 4 (the number of entries) expected"},
      {{.entries = 4, .ways = 8}, "l2: 8 ways found, 1 to 4 (the number of entries) expected"},
      {{.entries = 2048, .ways = 12},
       "l2: 2048 entries in 12 ways found, a whole number of sets expected"},
      {{.entries = 24, .ways = 4}, "l2: 24 entries in 4 ways are 6 sets, a power of two expected"},
      {{.entries = 24, .ways = 12, .policy = NW_POLICY_TREE_PLRU},
       "l2: 12 ways found, tree-PLRU expects a power of two"},
      {{.entries = 4, .ways = 4, .policy = 9},
       "l2: replacement policy 9 found, 0 (LRU) to 3 (random) expected"},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char error[200] = "", little[8] = "xxxxxxx";
    assert_null(nwi_tlb_create(&bad[i].config, "l2", 0, false, error, sizeof error));
    assert_string_equal(error, bad[i].error);
    assert_null(nwi_tlb_create(&bad[i].config, "l2", 0, false, little, sizeof little));
    assert_int_equal(strlen(little), 7);
    assert_null(nwi_tlb_create(&bad[i].config, "l2", 0, false, NULL, 0));
  }
  nwi_tlb_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lru_agrees_with_a_linear_model),
      cmocka_unit_test(tree_plru_agrees_with_a_linear_model),
      cmocka_unit_test(fifo_agrees_with_a_linear_model),
      cmocka_unit_test(random_agrees_with_a_linear_model),
      cmocka_unit_test(nested_store_agrees_with_a_linear_model),
      cmocka_unit_test(tag_compare_looks_at_every_bit),
      cmocka_unit_test(a_global_entry_matches_any_asid_but_needs_its_vmid),
      cmocka_unit_test(an_empty_tlb_finds_nothing_at_any_address),
      cmocka_unit_test(installing_a_section_drops_the_small_pages_in_it),
      cmocka_unit_test(an_entry_begins_at_its_own_size),
      cmocka_unit_test(installing_a_small_page_drops_the_section_around_it),
      cmocka_unit_test(a_global_page_drops_the_same_page_of_every_asid),
      cmocka_unit_test(a_cam_evicts_in_the_order_of_last_use),
      cmocka_unit_test(a_freed_way_of_a_full_cam_is_the_next_to_be_filled),
      cmocka_unit_test(peeking_changes_no_order),
      cmocka_unit_test(a_set_is_probed_once_per_page_size_present),
      cmocka_unit_test(the_same_seed_gives_the_same_victims),
      cmocka_unit_test(an_impossible_geometry_is_refused_with_a_sentence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
