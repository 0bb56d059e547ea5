/* SPDX-License-Identifier: Apache-2.0 */
#include "support/counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct since since_now(struct nw_machine *machine) {
  return (struct since){machine, *nw_machine_statistics(machine)};
}

uint64_t exits(const struct since *since, enum nw_exit_cause cause) {
  return GROWN(since, exits[cause]);
}

uint64_t steps(const struct since *since, enum nw_shadow_step step) {
  return GROWN(since, shadow_steps[step]);
}

uint64_t all_exits(const struct since *since) {
  uint64_t sum = 0;
  for (unsigned cause = 0; cause < NW_EXIT_CAUSES; cause++)
    sum += exits(since, (enum nw_exit_cause)cause);
  return sum;
}

bool present(struct nw_machine *machine, uint64_t va, enum nw_access access) {
  struct nw_result result;
  return nw_machine_debug_translate(machine, va, access, NW_USER, &result);
}

uint8_t leaf_log2(struct nw_machine *machine, uint64_t va, enum nw_privilege privilege) {
  struct nw_result result;
  if (!nw_machine_debug_translate(machine, va, NW_READ, privilege, &result))
    return 0;
  return result.page_log2;
}

bool consistent(const struct nw_machine *machine) {
  char error[200];
  bool sound = nw_shadow_consistent(nw_shadow_pages_of(machine), error, sizeof error);
  if (!sound)
    print_error("%s\n", error);
  return sound;
}

void store_leaf(struct nw_machine *machine, uint64_t va, const struct nwi_leaf *leaf) {
  struct nw_page_table *table = &nw_guest_kernel_space(machine->kernel)->table;
  struct nw_pte pte;
  machine->mode->enter_kernel(machine, false);
  if (leaf != NULL) {
    assert_true(nw_page_table_map(table, va, leaf));
  } else {
    nw_page_table_find(table, va, &pte);
    assert_true(nw_page_table_clear(table, &pte));
  }
  machine->mode->leave_kernel(machine, false);
}

struct nwi_leaf leaf_of(struct nw_machine *machine, uint64_t va) {
  const struct nw_page_table *table = &nw_guest_kernel_space(machine->kernel)->table;
  struct nw_pte pte;
  struct nwi_leaf leaf;
  nw_page_table_find(table, va, &pte);
  assert_int_equal(pte.meaning.kind, NW_DESCRIPTOR_LEAF);
  nw_page_table_leaf(table, &pte, &leaf);
  return leaf;
}

uint64_t descriptor_of(struct nw_machine *machine, uint64_t va) {
  struct nw_pte pte;
  nw_page_table_find(&nw_guest_kernel_space(machine->kernel)->table, va, &pte);
  return pte.address;
}

void store_descriptor(struct nw_machine *machine, uint64_t ipa, uint64_t descriptor) {
  struct nw_page_table *table = &nw_guest_kernel_space(machine->kernel)->table;
  machine->mode->enter_kernel(machine, false);
  assert_true(
      table->memory.write(table->memory.context, ipa, table->format->descriptor_bytes, descriptor));
  machine->mode->leave_kernel(machine, false);
}

uint64_t guest_word(struct nw_machine *machine, uint64_t ipa) {
  uint64_t pa, word = 0;
  assert_true(nw_machine_guest_address(machine, ipa, &pa));
  nw_physical_read(machine->memory, pa, machine->guest_regime.s1_format->descriptor_bytes, &word);
  return word;
}

void maintain(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand) {
  machine->mode->enter_kernel(machine, false);
  nw_machine_invalidate(machine, operation, operand);
  machine->mode->leave_kernel(machine, false);
}
