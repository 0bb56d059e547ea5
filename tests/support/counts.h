/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine has counted since a moment, and what its shadow tables show. */
#ifndef NW_TESTS_SUPPORT_COUNTS_H
#define NW_TESTS_SUPPORT_COUNTS_H

#include "support/machines.h"

struct since {
  struct nw_machine *machine;
  struct nw_machine_statistics before;
};

struct since since_now(struct nw_machine *machine);
uint64_t exits(const struct since *since, enum nw_exit_cause cause);
uint64_t steps(const struct since *since, enum nw_shadow_step step);
uint64_t all_exits(const struct since *since);

/** How much a member of the statistics has grown. */
#define GROWN(since, member)                                                                       \
  (nw_machine_statistics((since)->machine)->member - (since)->before.member)

/** Whether the hardware's tables translate the program's access now. */
bool present(struct nw_machine *machine, uint64_t va, enum nw_access access);
/** log2 of the leaf that the hardware's tables have for it, 0 for none. */
uint8_t leaf_log2(struct nw_machine *machine, uint64_t va, enum nw_privilege privilege);
/** The invariants of the shadow tables; prints what is wrong. */
bool consistent(const struct nw_machine *machine);

/** The guest kernel stores a descriptor for `va` of the running process, and does no maintenance.
 * `leaf` NULL stores 0. */
void store_leaf(struct nw_machine *machine, uint64_t va, const struct nwi_leaf *leaf);
/** What stands there, as an encoder takes it. */
struct nwi_leaf leaf_of(struct nw_machine *machine, uint64_t va);
/** IPA of the last-level descriptor for `va`. */
uint64_t descriptor_of(struct nw_machine *machine, uint64_t va);
/** The guest kernel stores a descriptor at `ipa`. */
void store_descriptor(struct nw_machine *machine, uint64_t ipa, uint64_t descriptor);
/** What stands in guest memory at `ipa`. */
uint64_t guest_word(struct nw_machine *machine, uint64_t ipa);
/** The guest kernel's maintenance. */
void maintain(struct nw_machine *machine, enum nw_tlbi operation, uint64_t operand);

#endif
