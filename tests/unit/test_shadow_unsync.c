/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that the guest writes unseen between maintenance. Between a store and the maintenance for
 * it the architecture lets the old entry or the new one be used; after it, only the new one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/counts.h"
#include "support/random.h"

#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)
#define PAGES 24u

static struct nw_machine *with_pages(unsigned format) {
  struct nw_machine_config config = small_machine((enum nw_guest_format)format);
  config.hypervisor.shadow.unsync = true;
  struct nw_machine *machine = make_running(&config, NW_MODE_SHADOW);
  assert_int_equal(nw_machine_map(machine, VA, PAGES * PAGE, RW, false), NW_MACHINE_OK);
  for (uint64_t i = 0; i < PAGES; i++)
    touch(machine, NW_WRITE, VA + i * PAGE);
  /* Nothing is out of step to begin with. */
  maintain(machine, NW_TLBI_ALL, 0);
  return machine;
}

static uint64_t asid(const struct nw_machine *machine) {
  return nw_guest_kernel_space(machine->kernel)->asid;
}

static void only_the_first_store_to_a_last_level_table_exits(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_pages(format);
    struct since since = since_now(machine);
    nw_machine_protect(machine, VA, 16 * PAGE, NW_PROT_READ);
    assert_int_equal(GROWN(&since, pte_writes), 16);
    assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 0);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
    assert_int_equal(GROWN(&since, shadow_unsyncs), 1);
    for (uint64_t i = 0; i < PAGES; i++)
      assert_int_equal(present(machine, VA + i * PAGE, NW_WRITE), i >= 16);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void invalidation_by_address_brings_one_page_up_to_date(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_pages(format);
    store_leaf(machine, VA, NULL);
    store_leaf(machine, VA + PAGE, NULL);
    assert_true(present(machine, VA, NW_READ) && present(machine, VA + PAGE, NW_READ));
    struct since since = since_now(machine);
    maintain(machine, NW_TLBI_MVA, VA | asid(machine));
    assert_false(present(machine, VA, NW_READ));
    assert_true(present(machine, VA + PAGE, NW_READ));
    assert_int_equal(GROWN(&since, shadow_resyncs), 0);
    assert_int_equal(GROWN(&since, shadow_resync_entries), 1);
    nw_machine_destroy(machine);
  }
}

static void every_other_maintenance_and_a_root_write_bring_all_up_to_date(void **state) {
  (void)state;
  enum { BY_ASID, ALL, OTHER_ASID, ROOT, WAYS };
  FORMATS {
    for (unsigned way = 0; way < WAYS; way++) {
      struct nw_machine *machine = with_pages(format);
      nw_process_id other = nw_machine_spawn(machine);
      store_leaf(machine, VA, NULL);
      store_leaf(machine, VA + PAGE, NULL);
      struct since since = since_now(machine);
      if (way == BY_ASID)
        maintain(machine, NW_TLBI_ASID, asid(machine));
      else if (way == ALL)
        maintain(machine, NW_TLBI_ALL, 0);
      else if (way == OTHER_ASID)
        maintain(machine, NW_TLBI_ASID, asid(machine) ^ 0x80);
      else
        nw_machine_switch(machine, other);
      nw_machine_switch(machine, 1);
      assert_false(present(machine, VA, NW_READ) || present(machine, VA + PAGE, NW_READ));
      assert_true(present(machine, VA + 2 * PAGE, NW_READ));
      assert_true(GROWN(&since, shadow_resyncs) >= 1);
      assert_true(GROWN(&since, shadow_resync_entries) >= PAGES);
      /* It is followed again: the next store exits. */
      since = since_now(machine);
      store_leaf(machine, VA + 2 * PAGE, NULL);
      assert_int_equal(GROWN(&since, shadow_unsyncs), 1);
      nw_machine_destroy(machine);
    }
  }
}

static void a_page_that_becomes_valid_needs_no_maintenance(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_pages(format);
    struct nwi_leaf leaf = leaf_of(machine, VA);
    store_leaf(machine, VA, NULL); /* the table is unsynchronised from here on */
    store_leaf(machine, VA + PAGES * PAGE, &leaf);
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA + PAGES * PAGE);
    assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
    assert_int_equal(GROWN(&since, page_faults), 0);
    struct nw_result result;
    uint64_t pa;
    assert_true(nw_machine_debug_translate(machine, VA + PAGES * PAGE, NW_WRITE, NW_USER, &result));
    assert_true(nw_hypervisor_backing(machine->hypervisor, leaf.output, &pa));
    assert_int_equal(result.pa, pa);
    nw_machine_destroy(machine);
  }
}

/* A level-2 table of long descriptors that is its own level-3 table. */
static void a_table_that_is_a_higher_one_too_stays_write_protected(void **state) {
  (void)state;
  struct nw_machine *machine = with_pages(NW_GUEST_LPAE);
  struct nw_pte pte;
  const uint64_t index = 300, access_flag = 1u << 10;
  nw_page_table_entry(&nw_guest_kernel_space(machine->kernel)->table, VA, 2, &pte);
  uint64_t table = pte.address & ~(PAGE - 1);
  store_descriptor(machine, table + index * 8, table | access_flag | 3);
  /* Through itself it is a table of the last level, too, which a fault makes a shadow of. */
  struct nw_request request = {
      .va = index << 21 | index << 12, .access = NW_READ, .privilege = NW_PRIVILEGED};
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
  struct since since = since_now(machine);
  store_descriptor(machine, table + 301 * 8, 0);
  assert_int_equal(exits(&since, NW_EXIT_PTE_WRITE), 1);
  assert_int_equal(GROWN(&since, shadow_unsyncs), 0);
  assert_true(consistent(machine));
  nw_machine_destroy(machine);
}

/* A frame that is written unseen becomes a root: from then on it is followed. */
static void a_frame_that_becomes_a_root_is_protected_again(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine *machine = with_pages(format);
    store_leaf(machine, VA, NULL);
    uint64_t table = descriptor_of(machine, VA) & ~(PAGE - 1) & ~UINT64_C(0x3fff);
    assert_false(nw_shadow_is_protected(nw_shadow_pages_of(machine), descriptor_of(machine, VA)));
    struct nw_shadow_role role = {.level = 1, .view = NW_VIEW_KERNEL};
    if (format == NW_GUEST_LPAE)
      table = descriptor_of(machine, VA) & ~(PAGE - 1);
    assert_non_null(nw_shadow_get(nw_shadow_pages_of(machine), table, &role));
    assert_true(nw_shadow_is_protected(nw_shadow_pages_of(machine), table));
    if (table == (descriptor_of(machine, VA) & ~(PAGE - 1)))
      assert_false(present(machine, VA, NW_READ));
    nw_machine_destroy(machine);
  }
}

/* -- old or new ----------------------------------------------------------------------------- */

/* What a page may be found as: a bit for each frame and right that its entry has had since the last
 * maintenance for it. */
enum { INVALID, FIRST, FIRST_READ_ONLY, SECOND, SECOND_READ_ONLY, STATES };

struct trial {
  struct nw_machine *machine;
  struct random random;
  struct nwi_leaf frame[2];
  unsigned now[PAGES], may_be[PAGES];
};

static bool is_written(unsigned state) {
  return state == FIRST || state == SECOND;
}

static uint64_t frame_of_state(const struct trial *trial, unsigned state) {
  uint64_t pa = 0;
  unsigned which = state == SECOND || state == SECOND_READ_ONLY;
  assert_true(nw_hypervisor_backing(trial->machine->hypervisor, trial->frame[which].output, &pa));
  return pa;
}

static void change_page(struct trial *trial) {
  unsigned page = random_below(&trial->random, PAGES);
  unsigned to = random_below(&trial->random, STATES);
  if (trial->now[page] == INVALID && to == INVALID)
    return;
  struct nwi_leaf leaf = trial->frame[to == SECOND || to == SECOND_READ_ONLY];
  leaf.writable = is_written(to);
  store_leaf(trial->machine, VA + page * PAGE, to == INVALID ? NULL : &leaf);
  trial->now[page] = to;
  trial->may_be[page] |= 1u << to;
}

static void maintain_some(struct trial *trial) {
  unsigned page = random_below(&trial->random, PAGES);
  bool one = random_chance(&trial->random, 60);
  uint64_t va = VA + page * PAGE;
  if (one)
    maintain(trial->machine, NW_TLBI_MVA, va | asid(trial->machine));
  else
    maintain(trial->machine, NW_TLBI_ASID, asid(trial->machine));
  for (unsigned i = 0; i < PAGES; i++)
    if (!one || i == page)
      trial->may_be[i] = 1u << trial->now[i];
}

/* Whether a translation that is there is one of those that may be. */
static void check_page(const struct trial *trial, unsigned page, enum nw_access access) {
  struct nw_request request = {.va = VA + page * PAGE, .access = (uint8_t)access, .debug = true};
  struct nw_result result;
  bool allowed = false;
  if (!nw_mmu_translate(trial->machine->mmu, &request, &trial->machine->walker, &result))
    return; /* a hidden fault will tell */
  for (unsigned state = FIRST; state < STATES; state++)
    if ((trial->may_be[page] & 1u << state) != 0 && (access == NW_READ || is_written(state)))
      allowed = allowed || result.pa == frame_of_state(trial, state);
  if (!allowed)
    fail_msg("page %u is translated as it never was since its last maintenance", page);
}

/* The hypervisor mends an access exactly where a state that may be allows it. */
static void access_page(const struct trial *trial, unsigned page, enum nw_access access) {
  struct nw_request request = {.va = VA + page * PAGE, .access = (uint8_t)access};
  bool may = false, must = trial->now[page] != INVALID;
  must = must && (access == NW_READ || is_written(trial->now[page]));
  for (unsigned state = FIRST; state < STATES; state++)
    may = may ||
          ((trial->may_be[page] & 1u << state) != 0 && (access == NW_READ || is_written(state)));
  enum nw_fault_outcome outcome = nw_machine_resolve(trial->machine, &request);
  if (outcome == NW_OUTCOME_RETRY)
    assert_true(may);
  else
    assert_true(outcome == NW_OUTCOME_GUEST && !must);
}

static void make_trial(struct trial *trial, const struct nw_machine_config *config) {
  *trial = (struct trial){.random = random_from_seed("old or new")};
  trial->machine = make_running(config, NW_MODE_SHADOW);
  nw_machine_map(trial->machine, VA, PAGES * PAGE, RW, false);
  for (unsigned i = 0; i < PAGES; i++) {
    touch(trial->machine, NW_WRITE, VA + i * PAGE);
    if (i < 2)
      trial->frame[i] = leaf_of(trial->machine, VA + i * PAGE);
  }
  for (unsigned i = 0; i < PAGES; i++) {
    store_leaf(trial->machine, VA + i * PAGE, &trial->frame[0]);
    trial->now[i] = FIRST;
    trial->may_be[i] = 1u << FIRST;
  }
  maintain(trial->machine, NW_TLBI_ALL, 0);
}

static void between_store_and_maintenance_old_or_new_after_it_new(void **state) {
  (void)state;
  FORMATS {
    for (unsigned options = 0; options < 16; options++) {
      struct nw_machine_config config = small_machine((enum nw_guest_format)format);
      config.hypervisor.shadow.unsync = (options & 1) == 0;
      config.hypervisor.shadow.paravirtual = (options & 1) != 0;
      config.hypervisor.shadow.sync = (options & 2) != 0 ? NW_SHADOW_UPDATE : NW_SHADOW_DROP;
      config.hypervisor.shadow.prefetch = (options & 4) != 0 ? 3 : 0;
      config.guest.deprivileged = (options & 8) == 0;
      struct trial trial;
      make_trial(&trial, &config);
      for (unsigned i = 0; i < 1500; i++) {
        unsigned page = random_below(&trial.random, PAGES);
        enum nw_access access = (enum nw_access)random_below(&trial.random, 2);
        unsigned dice = random_below(&trial.random, 100);
        if (dice < 40)
          change_page(&trial);
        else if (dice < 55)
          maintain_some(&trial);
        else
          access_page(&trial, page, access);
        check_page(&trial, page, access);
        assert_true(consistent(trial.machine));
      }
      nw_machine_destroy(trial.machine);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_the_first_store_to_a_last_level_table_exits),
      cmocka_unit_test(invalidation_by_address_brings_one_page_up_to_date),
      cmocka_unit_test(every_other_maintenance_and_a_root_write_bring_all_up_to_date),
      cmocka_unit_test(a_page_that_becomes_valid_needs_no_maintenance),
      cmocka_unit_test(a_table_that_is_a_higher_one_too_stays_write_protected),
      cmocka_unit_test(a_frame_that_becomes_a_root_is_protected_again),
      cmocka_unit_test(between_store_and_maintenance_old_or_new_after_it_new),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
