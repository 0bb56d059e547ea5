/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bugs that shadow pagers shipped, each a test (the numbers are commits of Linux that mended them),
 * and the guest's access and dirty flags where its hardware sets them.
 *
 * No ARMv7 format has such flags: the guest's regime gets the toy format's reading of long
 * descriptors, which has, while the real hardware stays at plain long descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/counts.h"
#include "support/toy_format.h"

#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)

static struct nw_machine *running(const struct nw_machine_config *config) {
  struct nw_machine *machine = make_running(config, NW_MODE_SHADOW);
  assert_int_equal(nw_machine_map(machine, VA, 4 * MIB, RW, true), NW_MACHINE_OK);
  return machine;
}

/* IPA of the entry above the last level for VA of a process. */
static uint64_t table_entry(struct nw_machine *machine, nw_process_id id, uint8_t level) {
  struct nw_pte pte;
  nw_page_table_entry(&machine->kernel->process[id].space->table, VA, level, &pte);
  return pte.address;
}

/* 65855ed8b034: a table that was written unseen hung, stale, below a second root. */
static void a_shadow_table_is_synchronised_before_it_is_linked(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.hypervisor.shadow.unsync = true;
    struct nw_machine *machine = running(&config);
    uint8_t above = format == NW_GUEST_SHORT ? 1 : 2;
    touch(machine, NW_WRITE, VA);
    touch(machine, NW_WRITE, VA + PAGE);
    nw_process_id other = nw_machine_fork(machine, 1, false);
    nw_machine_switch(machine, other);
    touch(machine, NW_WRITE, VA);
    /* The other process links the first one's last table; nothing of it was ever used there. */
    uint64_t descriptor = guest_word(machine, table_entry(machine, 1, above));
    store_descriptor(machine, table_entry(machine, other, above), descriptor);
    maintain(machine, NW_TLBI_ALL, 0);
    /* The table is written unseen. This address space has no entry of it to invalidate. */
    store_leaf(machine, VA, NULL);
    assert_false(present(machine, VA, NW_READ));
    struct nw_request request = {.va = VA + PAGE, .access = NW_READ};
    assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
    assert_true(present(machine, VA + PAGE, NW_READ));
    assert_false(present(machine, VA, NW_READ));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* d28c6cfbbc5e: two large pages of the same memory with different rights shared one direct table. */
static void a_direct_table_is_never_shared_between_rights_of_large_pages(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    struct nw_machine *machine = running(&config);
    touch(machine, NW_WRITE, VA);
    nw_process_id other = nw_machine_fork(machine, 1, false);
    nw_machine_switch(machine, other);
    nw_machine_protect(machine, VA, 4 * MIB, NW_PROT_READ);
    touch(machine, NW_READ, VA);
    nw_machine_switch(machine, 1);
    touch(machine, NW_WRITE, VA);
    nw_machine_switch(machine, other);
    assert_true(present(machine, VA, NW_READ));
    assert_false(present(machine, VA, NW_WRITE));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* 5fd5387c89ec: rights came from the tables above alone, or from the last entry alone. Here one
 * large page hangs below tables that allow different things (APTable, DDI 0406C B3.6.1). */
static void a_direct_table_is_never_shared_between_rights_of_upper_tables(void **state) {
  (void)state;
  const uint64_t read_only = UINT64_C(1) << 62;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  config.guest.large_pages = NW_LARGE_ALIGNED;
  struct nw_machine *machine = running(&config);
  touch(machine, NW_WRITE, VA);
  nw_process_id other = nw_machine_fork(machine, 1, false);
  nw_machine_switch(machine, other);
  touch(machine, NW_WRITE, VA);
  uint64_t descriptor = guest_word(machine, table_entry(machine, 1, 1));
  store_descriptor(machine, table_entry(machine, other, 1), descriptor | read_only);
  maintain(machine, NW_TLBI_ALL, 0);
  struct nw_request request = {.va = VA, .access = NW_READ};
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
  assert_false(present(machine, VA, NW_WRITE));
  request.access = NW_WRITE;
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_GUEST);
  nw_machine_switch(machine, 1);
  touch(machine, NW_WRITE, VA);
  assert_true(present(machine, VA, NW_WRITE));
  nw_machine_switch(machine, other);
  assert_false(present(machine, VA, NW_WRITE));
  assert_true(consistent(machine));
  nw_machine_destroy(machine);
}

/* d3c422bd3338: a read-only host page made the large page around it writable, or read-only. */
static void a_read_only_host_page_leaves_its_large_neighbours_as_they_are(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = small_machine((enum nw_guest_format)format);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    config.hypervisor.stage2_large = true;
    config.hypervisor.shadow.large_pages = true;
    struct nw_machine *machine = running(&config);
    touch(machine, NW_WRITE, VA);
    assert_true(leaf_log2(machine, VA, NW_USER) >= 20);
    uint64_t ipa = ipa_of(machine, VA + 5 * PAGE);
    uint32_t frame = machine->hypervisor->backing[ipa >> NW_FRAME_LOG2];
    assert_true(nw_hypervisor_remap(machine->hypervisor, ipa, frame, false));
    assert_false(present(machine, VA + 5 * PAGE, NW_READ));
    for (uint64_t i = 4; i <= 6; i++) {
      touch(machine, i == 5 ? NW_READ : NW_WRITE, VA + i * PAGE);
      assert_int_equal(leaf_log2(machine, VA + i * PAGE, NW_USER), 12);
      assert_int_equal(present(machine, VA + i * PAGE, NW_WRITE), i != 5);
    }
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

/* -- access and dirty flags ----------------------------------------------------------------- */

/* A guest whose hardware sets flags in long descriptors. */
static struct nw_machine *flagging(struct nw_machine_config *config) {
  struct nw_machine *machine = running(config);
  machine->guest_regime.s1_format = &toy_format_s1;
  return machine;
}

static bool has(struct nw_machine *machine, uint64_t va, uint64_t flag) {
  return (guest_word(machine, descriptor_of(machine, va)) & flag) != 0;
}

static void clear_flag(struct nw_machine *machine, uint64_t va, uint64_t flag) {
  uint64_t ipa = descriptor_of(machine, va);
  store_descriptor(machine, ipa, guest_word(machine, ipa) & ~flag);
  maintain(machine, NW_TLBI_MVA, va | nw_guest_kernel_space(machine->kernel)->asid);
}

static void a_page_is_read_only_until_its_dirty_flag_is_set(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  struct nw_machine *machine = flagging(&config);
  touch(machine, NW_READ, VA);
  assert_true(has(machine, VA, TOY_ACCESSED) && !has(machine, VA, TOY_DIRTY));
  assert_true(present(machine, VA, NW_READ) && !present(machine, VA, NW_WRITE));
  struct since since = since_now(machine);
  touch(machine, NW_WRITE, VA);
  assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
  assert_int_equal(GROWN(&since, page_faults), 0);
  assert_true(has(machine, VA, TOY_DIRTY) && present(machine, VA, NW_WRITE));
  touch(machine, NW_WRITE, VA);
  assert_int_equal(exits(&since, NW_EXIT_HIDDEN_FAULT), 1);
  nw_machine_destroy(machine);
}

static void a_first_write_sets_both_flags_and_those_of_the_tables(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  struct nw_machine *machine = flagging(&config);
  touch(machine, NW_WRITE, VA);
  assert_true(has(machine, VA, TOY_ACCESSED) && has(machine, VA, TOY_DIRTY));
  for (uint8_t level = 1; level <= 2; level++)
    assert_true((guest_word(machine, table_entry(machine, 1, level)) & TOY_ACCESSED) != 0);
  nw_machine_destroy(machine);
}

static void flags_that_the_guest_clears_are_set_again(void **state) {
  (void)state;
  for (unsigned options = 0; options < 8; options++) {
    struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
    config.hypervisor.shadow.sync = (options & 1) != 0 ? NW_SHADOW_UPDATE : NW_SHADOW_DROP;
    config.hypervisor.shadow.unsync = (options & 2) != 0;
    config.hypervisor.shadow.paravirtual = (options & 4) != 0;
    struct nw_machine *machine = flagging(&config);
    touch(machine, NW_WRITE, VA);
    clear_flag(machine, VA, TOY_DIRTY);
    assert_false(present(machine, VA, NW_WRITE));
    touch(machine, NW_READ, VA);
    assert_false(has(machine, VA, TOY_DIRTY));
    touch(machine, NW_WRITE, VA);
    assert_true(has(machine, VA, TOY_DIRTY));
    clear_flag(machine, VA, TOY_ACCESSED | TOY_DIRTY);
    assert_false(present(machine, VA, NW_READ));
    touch(machine, NW_READ, VA);
    assert_true(has(machine, VA, TOY_ACCESSED) && !has(machine, VA, TOY_DIRTY));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void a_large_page_is_dirty_as_a_whole(void **state) {
  (void)state;
  for (unsigned large = 0; large < 2; large++) {
    struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
    config.guest.large_pages = NW_LARGE_ALIGNED;
    config.hypervisor.stage2_large = true;
    config.hypervisor.shadow.large_pages = large;
    struct nw_machine *machine = flagging(&config);
    touch(machine, NW_READ, VA);
    assert_false(has(machine, VA, TOY_DIRTY) || present(machine, VA, NW_WRITE));
    touch(machine, NW_WRITE, VA + 7 * PAGE);
    assert_true(has(machine, VA, TOY_DIRTY) && present(machine, VA + 7 * PAGE, NW_WRITE));
    touch(machine, NW_WRITE, VA);
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void prefetch_sets_no_flags(void **state) {
  (void)state;
  struct nw_machine_config config = small_machine(NW_GUEST_LPAE);
  config.hypervisor.shadow.prefetch = 3;
  struct nw_machine *machine = flagging(&config);
  for (uint64_t i = 0; i < 4; i++)
    touch(machine, NW_WRITE, VA + i * PAGE);
  clear_flag(machine, VA + PAGE, TOY_ACCESSED | TOY_DIRTY);
  clear_flag(machine, VA + 2 * PAGE, TOY_DIRTY);
  nw_machine_write_register(machine, NW_REG_DACR, 0x5); /* drops all shadow tables */
  touch(machine, NW_READ, VA);
  assert_false(present(machine, VA + PAGE, NW_READ));
  assert_false(has(machine, VA + PAGE, TOY_ACCESSED));
  assert_true(present(machine, VA + 2 * PAGE, NW_READ));
  assert_false(present(machine, VA + 2 * PAGE, NW_WRITE));
  assert_false(has(machine, VA + 2 * PAGE, TOY_DIRTY));
  assert_true(present(machine, VA + 3 * PAGE, NW_WRITE));
  nw_machine_destroy(machine);
}

/* Short descriptors whose small pages have flags in TEX[2:1], which TEX remap would leave free: for
 * a guest that has domains and flags. */
#define SHORT_ACCESSED (1u << 7)
#define SHORT_DIRTY (1u << 8)
static struct nw_format short_with_flags;

static void decode_short_with_flags(const struct nwi_decode_context *context, uint64_t descriptor,
                                    struct nw_descriptor *out) {
  uint64_t plain =
      context->level == 2 ? descriptor & ~(uint64_t)(SHORT_ACCESSED | SHORT_DIRTY) : descriptor;
  nwi_format_armv7_short.decode(context, plain, out);
  out->updated = descriptor;
  if (context->level != 2 || out->kind != NW_DESCRIPTOR_LEAF)
    return;
  out->updated |= SHORT_ACCESSED | (context->access == NW_WRITE ? SHORT_DIRTY : 0);
  if ((out->updated & SHORT_DIRTY) == 0)
    out->rights |= 1u << 9; /* NWI_R_S1_CLEAN */
}

/* c22885050e65: a write that a register allows, not the entry (x86: CR0.WP clear; here: a manager
 * domain), was let through without its dirty flag. */
static void the_dirty_flag_is_set_where_a_register_allows_the_write(void **state) {
  (void)state;
  const uint32_t manager_of_programs = 0xd;
  struct nw_machine_config config = small_machine(NW_GUEST_SHORT);
  struct nw_machine *machine = running(&config);
  short_with_flags = nwi_format_armv7_short;
  short_with_flags.decode = decode_short_with_flags;
  machine->guest_regime.s1_format = &short_with_flags;
  touch(machine, NW_READ, VA);
  nw_machine_protect(machine, VA, PAGE, NW_PROT_READ);
  struct nw_request request = {.va = VA, .access = NW_WRITE};
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_GUEST);
  assert_false(has(machine, VA, SHORT_DIRTY));
  nw_machine_write_register(machine, NW_REG_DACR, manager_of_programs);
  request.access = NW_READ;
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
  assert_true(present(machine, VA, NW_READ) && !present(machine, VA, NW_WRITE));
  assert_true(has(machine, VA, SHORT_ACCESSED) && !has(machine, VA, SHORT_DIRTY));
  request.access = NW_WRITE;
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_RETRY);
  assert_true(present(machine, VA, NW_WRITE) && has(machine, VA, SHORT_DIRTY));
  nw_machine_write_register(machine, NW_REG_DACR, 0x5);
  assert_int_equal(nw_machine_resolve(machine, &request), NW_OUTCOME_GUEST);
  assert_true(has(machine, VA, SHORT_DIRTY));
  nw_machine_destroy(machine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_shadow_table_is_synchronised_before_it_is_linked),
      cmocka_unit_test(a_direct_table_is_never_shared_between_rights_of_large_pages),
      cmocka_unit_test(a_direct_table_is_never_shared_between_rights_of_upper_tables),
      cmocka_unit_test(a_read_only_host_page_leaves_its_large_neighbours_as_they_are),
      cmocka_unit_test(the_dirty_flag_is_set_where_a_register_allows_the_write),
      cmocka_unit_test(a_page_is_read_only_until_its_dirty_flag_is_set),
      cmocka_unit_test(a_first_write_sets_both_flags_and_those_of_the_tables),
      cmocka_unit_test(flags_that_the_guest_clears_are_set_again),
      cmocka_unit_test(a_large_page_is_dirty_as_a_whole),
      cmocka_unit_test(prefetch_sets_no_flags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
