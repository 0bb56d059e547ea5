/* SPDX-License-Identifier: Apache-2.0 */
/* Machines for tests: a small one to start from, and what can be said of any machine. */
#ifndef NW_TESTS_SUPPORT_MACHINES_H
#define NW_TESTS_SUPPORT_MACHINES_H

#include "system/architecture.h"
#include "system/hypervisor.h"
#include "system/shadow.h"

#define PAGE NW_FRAME_BYTES
#define MIB (UINT64_C(1) << 20)

/* Every price of this machine is a different number, so that a wrong one shows. */
enum {
  PRICE_TRAP = 27,
  PRICE_WORLD_SWITCH = 1000,
  PRICE_HANDLER = 3000, /* + 10 * cause */
  PRICE_STEP = 50,      /* + step */
  PRICE_FAULT = 400,
  PRICE_SYSCALL = 150,
  PRICE_SWITCH = 260,
  PRICE_PTE_WRITE = 7,
  PRICE_CLEAR = 90,
  PRICE_COPY = 110,
};

/** Levels of the guest's tables, by enum nw_guest_format. */
extern const unsigned guest_levels[NW_GUEST_FORMATS];

/** 64 MB of guest memory, small TLBs, one cache, no walk caches, on ARMv7 de-privileged under
 * shadow. */
struct nw_machine_config small_machine(enum nw_guest_format format);

/** Builds it or fails the test. */
struct nw_machine *make_machine(const struct nw_machine_config *config, enum nw_mode mode);

/** Builds it with one process running. */
struct nw_machine *make_running(const struct nw_machine_config *config, enum nw_mode mode);

/** Accesses that have to succeed. */
void touch(struct nw_machine *machine, enum nw_access access, uint64_t va);

/** Guest frames that are free. */
uint64_t free_frames(const struct nw_machine *machine);

/** IPA that the running process's table gives for `va`; fails the test when it is not mapped. */
uint64_t ipa_of(struct nw_machine *machine, uint64_t va);

/** Descriptor reads that the hardware's walk for one read of `va` makes from an empty TLB. */
uint64_t references_of_walk(struct nw_machine *machine, uint64_t va);

/** Every sum of the statistics is the sum of its parts, and every exit has had its price. */
void check_sums(const struct nw_machine *machine);

#endif
