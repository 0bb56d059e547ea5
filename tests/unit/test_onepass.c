/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All sizes of a TLB at once against TLBs of each size: stacks by hand, then random programs with two
 * page sizes, address spaces, global pages, every kind of maintenance, denied hits and faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/replacement.h"
#include "sim/onepass/stacks.h"
#include "sim/onepass/tlb_sizes.h"
#include "support/random.h"

/* -- stacks by hand --------------------------------------------------------------------------- */

enum { A, B, C, D, E, F };

static struct nw_stacks *stacks;
static uint64_t used[8], now;

static int start(void **state) {
  (void)state;
  memset(used, 0, sizeof used);
  now = 0;
  stacks = nw_stacks_create(1, 6);
  return stacks && nw_stacks_reserve(stacks, 8) ? 0 : -1;
}

static int end(void **state) {
  (void)state;
  nw_stacks_destroy(stacks);
  return 0;
}

static void touch(uint32_t entry) {
  used[entry] = ++now;
  assert_int_equal(nw_stacks_touch(stacks, 0, entry, used), NW_STACK_NONE);
}

static void pin(uint32_t entry) {
  used[entry] = ++now;
  assert_true(nw_stacks_pin(stacks, 0, entry));
}

static void touch_all(const char *entries) {
  for (; *entries; entries++)
    touch((uint32_t)(*entries - 'A'));
}

/* "D-BA": D on top, a hole or nothing, B, A. */
static void assert_stack(const char *expected) {
  char found[] = "--------";
  size_t length = strlen(expected);
  for (uint32_t entry = A; entry <= F; entry++) {
    uint32_t place = nw_stacks_place(stacks, 0, entry);
    if (place != NW_STACK_NONE)
      found[place - 1] = (char)('A' + entry);
  }
  for (size_t i = length; i < sizeof found - 1; i++)
    assert_int_equal(found[i], '-');
  found[length] = '\0';
  assert_string_equal(found, expected);
}

static void the_last_one_used_is_on_top(void **state) {
  (void)state;
  touch_all("ABCAD");
  assert_stack("DACB");
  touch_all("BBCCB");
  assert_stack("BCDA");
}

static void what_falls_out_at_the_bottom_is_told(void **state) {
  (void)state;
  touch_all("ABCDEF");
  used[6] = ++now;
  assert_int_equal(nw_stacks_touch(stacks, 0, 6, used), A);
  assert_int_equal(nw_stacks_place(stacks, 0, A), NW_STACK_NONE);
  assert_int_equal(nw_stacks_place(stacks, 0, B), 6);
}

static void a_hole_is_filled_from_below_and_nothing_moves_there(void **state) {
  (void)state;
  touch_all("ABCDE"); /* EDCBA */
  assert_true(nw_stacks_remove(stacks, 0, C));
  assert_stack("ED-BA");
  touch(D); /* above the hole: it stays */
  assert_stack("DE-BA");
  touch(A); /* from below: the hole is where A was */
  assert_stack("ADEB-");
  touch(F); /* from nowhere: the hole is gone */
  assert_stack("FADEB");
}

static void the_uppermost_hole_is_filled_first(void **state) {
  (void)state;
  touch_all("ABCDEF");
  nw_stacks_remove(stacks, 0, B);
  nw_stacks_remove(stacks, 0, E);
  assert_stack("F-DC-A");
  touch(E);
  assert_stack("EFDC-A");
  touch(B);
  assert_stack("BEFDCA");
}

static void a_pinned_entry_lets_older_ones_pass(void **state) {
  (void)state;
  touch_all("ABCD"); /* DCBA */
  pin(B);            /* used last, where it is held: at three ways and more */
  assert_stack("DCBA");
  touch(E); /* at three ways C is the oldest and goes: E, D, B */
  assert_stack("EDBCA");
  touch(F); /* then D */
  assert_stack("FEBDCA");
  touch(B);
  assert_stack("BFEDCA");
}

static void a_pinned_entry_goes_down_when_all_above_are_younger(void **state) {
  (void)state;
  touch_all("ABC"); /* CBA */
  pin(B);
  touch(D); /* C is older than B: DBCA */
  assert_stack("DBCA");
  touch(E); /* D is younger */
  assert_stack("EDBCA");
}

static void two_pinned_entries_keep_their_places(void **state) {
  (void)state;
  touch_all("ABCDE"); /* EDCBA */
  pin(C);
  pin(D);
  touch(F); /* E goes past both */
  assert_stack("FDCEBA");
}

static void many_touches_squeeze_the_slots(void **state) {
  (void)state;
  touch_all("ABCDE");
  nw_stacks_remove(stacks, 0, B);
  for (int i = 0; i < 100; i++)
    touch_all("EDC");
  assert_stack("CDE-A");
}

/* -- random programs -------------------------------------------------------------------------- */

#define REGIONS 6
#define REGION_LOG2 21
#define PAGES 512
#define SPACES 5

static const struct nw_tlb_geometry geometries[] = {
    {1, 1},     {2, 2},    {3, 3},  {4, 4},  {5, 5},   {8, 8}, {13, 13}, {32, 32},
    {200, 200}, {2, 1},    {4, 2},  {8, 4},  {16, 8},  {4, 1}, {12, 3},  {64, 1},
    {128, 2},   {256, 16}, {16, 1}, {32, 2}, {512, 8}, {6, 3}, {24, 12}, {16, 16},
};
#define GEOMETRIES (sizeof geometries / sizeof geometries[0])

/* A page of the program's, or its region if that is one large page. */
struct page {
  bool writable;
  uint32_t version; /* of its rights: an entry with older ones is walked again for a store */
};

struct program {
  struct nwi_tlb *tlb[GEOMETRIES];
  uint64_t misses[GEOMETRIES], hits[GEOMETRIES][2]; /* small, large */
  struct page page[SPACES][REGIONS][PAGES];
  bool large[REGIONS], global[REGIONS];
  struct nw_tlb_sizes *sizes;
  const struct nwi_tlb_watch *watch;
  size_t watched; /* the TLB that tells */
  struct random random;
};

static uint32_t below(struct program *p, uint32_t limit) {
  return random_below(&p->random, limit);
}

static struct page *page_at(struct program *p, uint16_t asid, uint32_t region, uint32_t page) {
  return &p->page[p->global[region] ? 0 : asid][region][p->large[region] ? 0 : page];
}

static struct nwi_tlb_entry entry_for(struct program *p, uint16_t asid, uint32_t region,
                                      uint32_t page) {
  const struct page *at = page_at(p, asid, region, page);
  uint64_t va = (uint64_t)region << REGION_LOG2 | (uint64_t)page << 12;
  uint8_t log2 = p->large[region] ? REGION_LOG2 : 12;
  return (struct nwi_tlb_entry){.va = va >> log2 << log2,
                                .rights = at->writable ? at->version + 1 : 0,
                                .asid = asid,
                                .vmid = 3,
                                .page_log2 = log2,
                                .global = p->global[region]};
}

/* What an MMU does with one TLB: true when the access succeeds. */
static bool access_one(struct program *p, size_t i, uint16_t asid, uint32_t region, uint32_t page,
                       bool store) {
  uint64_t va = (uint64_t)region << REGION_LOG2 | (uint64_t)page << 12 | 0x123;
  unsigned probes;
  const struct nwi_tlb_entry *hit = nwi_tlb_lookup(p->tlb[i], va, asid, 3, &probes);
  p->misses[i] += hit == NULL;
  if (hit)
    p->hits[i][hit->page_log2 != 12]++;
  if (hit && (!store || hit->rights == page_at(p, asid, region, page)->version + 1))
    return true;
  if (store && !page_at(p, asid, region, page)->writable) {
    if (i == p->watched)
      p->watch->faulted(p->watch->context);
    return false;
  }
  struct nwi_tlb_entry entry = entry_for(p, asid, region, page);
  nwi_tlb_install(p->tlb[i], &entry, NULL);
  return true;
}

static bool access_all(struct program *p, uint16_t asid, uint32_t region, uint32_t page,
                       bool store) {
  bool first = access_one(p, 0, asid, region, page, store);
  for (size_t i = 1; i < GEOMETRIES; i++)
    assert_int_equal(access_one(p, i, asid, region, page, store), first);
  return first;
}

static void invalidate_all(struct program *p, const struct nwi_tlb_match *match) {
  for (size_t i = 0; i < GEOMETRIES; i++)
    nwi_tlb_invalidate(p->tlb[i], match);
}

static void invalidate_page(struct program *p, uint16_t asid, uint32_t region, uint32_t page) {
  struct nwi_tlb_match match = {.va = (uint64_t)region << REGION_LOG2 | (uint64_t)page << 12,
                                .asid = asid,
                                .vmid = 3,
                                .by_va = true,
                                .by_asid = below(p, 3) > 0,
                                .globals = true,
                                .by_vmid = below(p, 8) > 0};
  invalidate_all(p, &match);
}

/* Pages near each other and few at a time, now and then anywhere. */
static uint32_t some_page(struct program *p) {
  return below(p, 10) ? below(p, 24) : below(p, PAGES);
}

/* A store that faults is followed by what a kernel does: other accesses, new rights, with maintenance
 * or (it has only become more) without. */
static void mend(struct program *p, uint16_t asid, uint32_t region, uint32_t page) {
  for (uint32_t more = below(p, 6); more; more--)
    access_all(p, asid, below(p, REGIONS), some_page(p), false);
  struct page *at = page_at(p, asid, region, page);
  at->writable = true;
  at->version++;
  if (below(p, 4))
    invalidate_page(p, asid, region, page);
}

static void use(struct program *p, uint16_t asid) {
  uint32_t region = below(p, REGIONS), page = some_page(p);
  bool store = below(p, 3) == 0;
  if (!access_all(p, asid, region, page, store) && below(p, 10)) {
    mend(p, asid, region, page);
    assert_true(access_all(p, asid, region, page, store));
  }
}

/* Fewer rights, another size, another owner: never without maintenance before the next use. */
static void change(struct program *p) {
  uint32_t region = below(p, REGIONS), page = some_page(p);
  uint16_t asid = (uint16_t)below(p, SPACES);
  struct nwi_tlb_match everything = {0};
  struct nwi_tlb_match space = {.asid = asid, .vmid = 3, .by_asid = true, .by_vmid = true};
  struct nwi_tlb_match machine = {.vmid = 3, .by_vmid = true};
  switch (below(p, 40)) {
  case 0:
    p->large[region] = !p->large[region];
    invalidate_all(p, &everything);
    break;
  case 1:
    p->global[region] = !p->global[region];
    invalidate_all(p, &machine);
    break;
  case 2:
    invalidate_all(p, &space);
    break;
  default:
    page_at(p, asid, region, page)->writable = false;
    invalidate_page(p, asid, region, page);
    break;
  }
}

static void create(struct program *p, uint64_t seed, size_t watched) {
  char error[100];
  memset(p, 0, sizeof *p);
  p->random.state = seed;
  p->watched = watched;
  p->sizes = nw_tlb_sizes_create(geometries, GEOMETRIES);
  assert_non_null(p->sizes);
  p->watch = nw_tlb_sizes_watch(p->sizes);
  for (size_t i = 0; i < GEOMETRIES; i++) {
    struct nw_tlb_config config = {
        .entries = geometries[i].entries, .ways = geometries[i].ways, .policy = NW_POLICY_LRU};
    p->tlb[i] = nwi_tlb_create(&config, "tlb", 1, false, error, sizeof error);
    assert_non_null(p->tlb[i]);
  }
  nwi_tlb_set_watch(p->tlb[watched], p->watch);
}

static void check(struct program *p) {
  assert_true(nw_tlb_sizes_exact(p->sizes));
  for (size_t i = 0; i < GEOMETRIES; i++) {
    struct nw_tlb_size_counts counts = nw_tlb_sizes_counts(p->sizes, geometries[i]);
    uint64_t small = 0, large = 0;
    for (unsigned size = 0; size < NW_PAGE_SIZES; size++)
      *(nw_page_size_log2(size) == 12 ? &small : &large) += counts.hits_by_size[size];
    if (counts.misses != p->misses[i] || small != p->hits[i][0] || large != p->hits[i][1])
      fail_msg("%u entries in %u ways: misses %llu, expected %llu; hits %llu and %llu, expected "
               "%llu and %llu",
               geometries[i].entries, geometries[i].ways, (unsigned long long)counts.misses,
               (unsigned long long)p->misses[i], (unsigned long long)small,
               (unsigned long long)large, (unsigned long long)p->hits[i][0],
               (unsigned long long)p->hits[i][1]);
  }
}

static void destroy(struct program *p) {
  for (size_t i = 0; i < GEOMETRIES; i++)
    nwi_tlb_destroy(p->tlb[i]);
  nw_tlb_sizes_destroy(p->sizes);
}

static void run_program(uint64_t seed, unsigned uses) {
  struct program *p = malloc(sizeof *p);
  assert_non_null(p);
  create(p, seed, seed % GEOMETRIES);
  uint16_t asid = 0;
  for (unsigned i = 0; i < uses; i++) {
    if (below(p, 50) == 0)
      asid = (uint16_t)below(p, SPACES);
    if (below(p, 20) == 0)
      change(p);
    use(p, asid);
    if (i % 997 == 0)
      check(p);
  }
  check(p);
  uint64_t hits = 0;
  for (size_t i = 0; i < GEOMETRIES; i++)
    hits += p->hits[i][1];
  assert_true(p->misses[0] > uses / 4 && hits > 0);
  destroy(p);
  free(p);
}

static void every_size_counts_what_a_tlb_of_that_size_counts(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= GEOMETRIES; seed++)
    run_program(seed, 8000);
}

/* A page table that changes under the TLB's feet is noticed. */
static void a_stale_entry_is_not_exact(void **state) {
  (void)state;
  struct program *p = malloc(sizeof *p);
  assert_non_null(p);
  create(p, 1, 0);
  access_all(p, 1, 2, 5, false);
  access_all(p, 1, 3, 5, false);
  assert_true(nw_tlb_sizes_exact(p->sizes));
  p->large[2] = true; /* without maintenance */
  access_one(p, 0, 1, 2, 5, false);
  assert_false(nw_tlb_sizes_exact(p->sizes));
  destroy(p);
  free(p);
}

static void counting_starts_anew_with_the_machines_counts(void **state) {
  (void)state;
  struct program *p = malloc(sizeof *p);
  assert_non_null(p);
  create(p, 1, 0);
  access_all(p, 1, 2, 5, false);
  access_all(p, 1, 2, 5, false);
  p->watch->restarted(p->watch->context);
  memset(p->misses, 0, sizeof p->misses);
  memset(p->hits, 0, sizeof p->hits);
  access_all(p, 1, 2, 6, false);
  access_all(p, 1, 2, 5, false);
  check(p);
  destroy(p);
  free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_last_one_used_is_on_top, start, end),
      cmocka_unit_test_setup_teardown(what_falls_out_at_the_bottom_is_told, start, end),
      cmocka_unit_test_setup_teardown(a_hole_is_filled_from_below_and_nothing_moves_there, start,
                                      end),
      cmocka_unit_test_setup_teardown(the_uppermost_hole_is_filled_first, start, end),
      cmocka_unit_test_setup_teardown(a_pinned_entry_lets_older_ones_pass, start, end),
      cmocka_unit_test_setup_teardown(a_pinned_entry_goes_down_when_all_above_are_younger, start,
                                      end),
      cmocka_unit_test_setup_teardown(two_pinned_entries_keep_their_places, start, end),
      cmocka_unit_test_setup_teardown(many_touches_squeeze_the_slots, start, end),
      cmocka_unit_test(every_size_counts_what_a_tlb_of_that_size_counts),
      cmocka_unit_test(a_stale_entry_is_not_exact),
      cmocka_unit_test(counting_starts_anew_with_the_machines_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
