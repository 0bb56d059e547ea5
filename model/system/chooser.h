/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every hypervisor that chooses between ways of paging has: a clock that makes it look at the
 * counters, and the counters. It looks between two operations of the machine, never within one, so
 * that everything may be switched then.
 */
#ifndef NESTWALK_SYSTEM_CHOOSER_H
#define NESTWALK_SYSTEM_CHOOSER_H

#include "system/internal.h"
#include "system/policy.h"

struct nw_chooser {
  /* What a look brings along, within its exit; NULL: nothing. */
  void (*work)(struct nw_machine *machine);
  /* Judges an interval; a switch is an exit of its own. */
  void (*judge)(struct nw_machine *machine, const struct nw_policy_sample *sample);
  /* The hypervisor's tables and registers are in place for the first time: judged from here on. */
  void (*begin)(struct nw_machine *machine);
  /* Brings the statistics up to date. */
  void (*count)(const struct nw_machine *machine);
  /* The walker's reads, which the clock is looked at with. */
  bool (*read)(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles);
  uint64_t second;   /* interval at scale 1, cycles */
  double scale;      /* of intervals */
  uint64_t expected; /* instructions of the run; 0: not known, or not to matter */
  bool scale_given;  /* by the configuration */
  uint64_t interval; /* cycles */
  uint64_t next;     /* cycle of the next look */
  /* What the counters may come to before that: a counter that overflows interrupts. UINT64_MAX is
   * never. */
  uint64_t most_walk_cycles, most_shadow_cycles;
  struct nw_policy_sample last; /* totals at the last look */
};

/** Sets the clock up; `interval` 0 is a second, `scale` 0 is up to the length of the run. */
void nw_chooser_start(struct nw_machine *machine, struct nw_chooser *chooser, uint64_t interval,
                      double scale);
/** Starts to count: what was before is not the program's. */
void nw_chooser_begin(struct nw_machine *machine);
/** So many instructions are coming. */
void nw_chooser_expect(struct nw_machine *machine, uint64_t instructions);
/** Judges the interval if its time has come. */
void nw_chooser_look(struct nw_machine *machine);
/** Starts a new interval now: after a switch, whose own cycles are in no interval. */
void nw_chooser_restart(struct nw_machine *machine);
/** Statistics are about to be read. */
void nw_chooser_count(const struct nw_machine *machine);
/** The next look is earlier when shadow tables have cost so much more. */
void nw_chooser_limit(struct nw_machine *machine, uint64_t shadow_cycles);
/** The next look is when so much more has been counted, whatever the time. */
void nw_chooser_wait(struct nw_machine *machine, uint64_t walk_cycles, uint64_t shadow_cycles);

#endif
