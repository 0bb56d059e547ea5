/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to page a virtual machine by which means: policies as functions of what a hypervisor can see
 * of it. They know neither the machine nor the future, nor what the other means would really cost.
 */
#ifndef NESTWALK_SYSTEM_POLICY_H
#define NESTWALK_SYSTEM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* Tables that the hypervisor makes and keeps right (shadow), or two stages in hardware (nested). */
enum nw_paging { NW_PAGING_NESTED = 0, NW_PAGING_SHADOW, NW_PAGINGS };

/* What the counters say of one interval. All of them count in both kinds of paging and cost no
 * exit: instructions, cycles, walks and their cycles and reads are the core's event counters; so
 * are the exceptions that the guest takes and its writes of TTBR0 (Cortex-A15: events 0x09
 * EXC_TAKEN and 0x1C TTBR_WRITE_RETIRED); exits and their cycles are the hypervisor's own count. */
struct nw_policy_sample {
  uint64_t cycles, instructions;
  uint64_t walks, walk_cycles;
  uint64_t stage1_reads, stage2_reads; /* the descriptor reads of those walks */
  uint64_t events;                     /* exceptions taken by the guest + root writes */
  uint64_t exit_cycles;                /* all exits, the policy's own not counted */
  uint64_t shadow_cycles;              /* those of them that shadow tables are the cause of */
};

/* -- thresholds ----------------------------------------------------------------------------- */

/*
 * Overhead is the share of the cycles spent in the hypervisor plus that spent in walks. A signed
 * counter goes one step towards the other paging for each interval whose overhead is above `high`,
 * and one step back for each below `low`; the switch comes when it is saturated. After a switch,
 * `hold_off` intervals pass unjudged. Then the guest's instructions per cycle tell how good the
 * switch was: below 0.9 of what they were, the threshold that led to it rises by 2 x old / new
 * points; above 1.1, it sinks by 2 x new / old, but not below `low`.
 *
 * After the run-time switch for KVM of imarmanis/ntua-rpms, whose rule to ignore intervals of low
 * load has no meaning here: the core of a trace-driven machine is never idle.
 */
struct nw_threshold_config {
  double high, low; /* percent */
  uint32_t counter; /* where the counter saturates */
  uint32_t hold_off;
};

struct nw_threshold {
  struct nw_threshold_config config;
  double high[NW_PAGINGS]; /* percent above which that paging is to be left */
  double rate_before;      /* instructions per cycle in the last interval judged */
  int32_t level;           /* -counter: towards shadow .. counter: towards nested */
  uint32_t unjudged;       /* intervals of the hold-off still to pass */
};

void nw_threshold_start(struct nw_threshold *policy, const struct nw_threshold_config *config);
/** Judges an interval spent with `now`; true: switch to the other paging. */
bool nw_threshold_judge(struct nw_threshold *policy, enum nw_paging now,
                        const struct nw_policy_sample *sample);

/* -- break-even ----------------------------------------------------------------------------- */

/*
 * Keeps account of what the other paging would have saved, and switches when that has come to what
 * a switch costs: the rule that never pays more than a fixed multiple of the best choice made
 * afterwards, whatever the program does.
 *
 * An interval with walk cycles W, events E and shadow exit cycles X would have cost, in the other
 * paging,
 *
 *   seen from nested:  W x ratio           + E x event_cost     instead of  W
 *   seen from shadow:  W / ratio                                instead of  W + X
 *
 *   ratio       walk cycles of an instruction under shadow paging / those under nested paging.
 *               Learned at each switch to shadow, from the interval before it and at least as many
 *               instructions after it. Until then, and more and more while nothing can be learned,
 *               the share of the one-dimensional walk: stage-1 reads / all reads.
 *   event_cost  X / E, averaged over the intervals under shadow paging; drifts back to what the
 *               price list says of an event alone (`event_price`) while nothing can be learned.
 *
 * The difference is added to the account, which never falls below 0. A switch is due when the
 * account exceeds caution x switch_cost. `switch_cost` is what both switches have cost when last
 * measured; `caution` is 2 under shadow paging, where events come in bursts. Under nested paging it
 * grows fourfold with every stay in shadow paging that did not pay for its
 * switches and halves with every one that did.
 */
struct nw_break_even_config {
  double event_price;  /* cycles */
  double switch_price; /* cycles, until a switch has been measured */
};

struct nw_walk_rate {
  double walk_cycles, instructions;
};

struct nw_break_even {
  struct nw_break_even_config config;
  double account;
  double ratio; /* 0: never learned */
  double share; /* of stage-1 reads, as long as that is all there is; 0: unknown */
  double event_cost;
  double switch_cost;
  double caution;
  double gain;                /* of this stay in shadow paging, its switches' cost taken off */
  struct nw_walk_rate recent; /* of the last interval */
  struct nw_walk_rate before; /* the same just before the last switch; */
  struct nw_walk_rate after;  /* and what there has been since */
  bool settling;              /* too little has, to compare them */
};

void nw_break_even_start(struct nw_break_even *policy, const struct nw_break_even_config *config);
bool nw_break_even_judge(struct nw_break_even *policy, enum nw_paging now,
                         const struct nw_policy_sample *sample);
/** A switch to `now` has been made and has cost that many cycles. */
void nw_break_even_switched(struct nw_break_even *policy, enum nw_paging now, uint64_t cycles);
/** What walks (under nested paging) or exits (under shadow paging) may cost before it is time to judge
 * the interval, over or not. */
uint64_t nw_break_even_patience(const struct nw_break_even *policy, enum nw_paging now);

#endif
