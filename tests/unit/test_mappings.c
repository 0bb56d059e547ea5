/* SPDX-License-Identifier: Apache-2.0 */
/* The list of mappings against a plain array of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/random.h"
#include "system/machine.h"
#include "system/mappings.h"

#define PAGES 64
#define BYTES(pages) ((uint64_t)(pages)*4096)

/* What each page is: 0 unmapped, else protection + 1, + 8 when shared. */
struct model {
  unsigned page[PAGES];
};

static unsigned meaning(const struct nw_mapping *mapping) {
  return mapping == NULL ? 0 : mapping->protection + 1 + (mapping->shared ? 8 : 0);
}

static void check(const struct nw_mappings *mappings, const struct model *model) {
  for (unsigned i = 0; i < PAGES; i++)
    assert_int_equal(meaning(nw_mappings_find(mappings, BYTES(i) + 5)), model->page[i]);
  for (size_t i = 0; i < mappings->count; i++) {
    const struct nw_mapping *mapping = &mappings->mapping[i];
    assert_true(mapping->start < mapping->end);
    if (i == 0)
      continue;
    assert_true(mapping[-1].end <= mapping->start);
    /* Neighbours that say the same are one. */
    assert_false(mapping[-1].end == mapping->start && meaning(mapping) == meaning(mapping - 1));
  }
}

static void mappings_are_what_a_plain_array_of_pages_says(void **state) {
  (void)state;
  struct random random = random_from_seed("mappings");
  struct nw_mappings mappings = {0}, copy;
  struct model model = {{0}};
  for (unsigned step = 0; step < 20000; step++) {
    unsigned start = random_below(&random, PAGES), what = random_below(&random, 3);
    unsigned end = start + 1 + random_below(&random, 8), protection = random_below(&random, 8);
    if (end > PAGES)
      end = PAGES;
    if (what != 1)
      assert_true(nw_mappings_remove(&mappings, BYTES(start), BYTES(end)));
    struct nw_mapping mapping = {
        .start = BYTES(start), .end = BYTES(end), .protection = protection, .shared = step & 1};
    if (what == 0)
      assert_true(nw_mappings_insert(&mappings, &mapping));
    if (what == 1)
      assert_true(nw_mappings_protect(&mappings, BYTES(start), BYTES(end), 4, protection));
    for (unsigned i = start; i < end; i++) {
      unsigned old = model.page[i];
      if (what == 0)
        model.page[i] = meaning(&mapping);
      else if (what == 2)
        model.page[i] = 0;
      else if (old != 0)
        model.page[i] = ((((old - 1) & 7 & 4) | protection) + 1) + (old > 8 ? 8 : 0);
    }
    check(&mappings, &model);
  }
  assert_true(nw_mappings_copy(&copy, &mappings));
  check(&copy, &model);
  nw_mappings_free(&copy);
  nw_mappings_free(&mappings);
  assert_null(nw_mappings_find(&mappings, 0));
}

static void floor_and_ceiling_bound_the_hole_around_an_address(void **state) {
  (void)state;
  struct nw_mappings mappings = {0};
  struct nw_mapping low = {.start = BYTES(2), .end = BYTES(4)};
  struct nw_mapping high = {.start = BYTES(9), .end = BYTES(10)};
  assert_int_equal(nw_mappings_floor(&mappings, BYTES(5)), 0);
  assert_int_equal(nw_mappings_ceiling(&mappings, BYTES(5), BYTES(20)), BYTES(20));
  assert_true(nw_mappings_insert(&mappings, &high));
  assert_true(nw_mappings_insert(&mappings, &low));
  assert_int_equal(nw_mappings_floor(&mappings, BYTES(5)), BYTES(4));
  assert_int_equal(nw_mappings_ceiling(&mappings, BYTES(5), BYTES(20)), BYTES(9));
  assert_int_equal(nw_mappings_floor(&mappings, BYTES(10)), BYTES(10));
  nw_mappings_free(&mappings);
}

static void device_mappings_join_only_where_their_addresses_go_on(void **state) {
  (void)state;
  struct nw_mappings mappings = {0};
  struct nw_mapping a = {.start = BYTES(2), .end = BYTES(4), .device = true, .device_offset = 0};
  struct nw_mapping b = {.start = BYTES(4), .end = BYTES(5), .device = true, .device_offset = 4096};
  struct nw_mapping c = {.start = BYTES(5), .end = BYTES(6), .device = true, .device_offset = 4096};
  assert_true(nw_mappings_insert(&mappings, &a));
  assert_true(nw_mappings_insert(&mappings, &b));
  assert_int_equal(mappings.count, 2);
  assert_true(nw_mappings_insert(&mappings, &c));
  assert_int_equal(mappings.count, 2);
  nw_mappings_free(&mappings);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mappings_are_what_a_plain_array_of_pages_says),
      cmocka_unit_test(floor_and_ceiling_bound_the_hole_around_an_address),
      cmocka_unit_test(device_mappings_join_only_where_their_addresses_go_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
