/* SPDX-License-Identifier: Apache-2.0 */
#include "system/policy.h"

/* -- thresholds ----------------------------------------------------------------------------- */

/* Points that a threshold is moved by, and how far the rate must have changed: as in ntua-rpms. */
#define POINTS 2.0
#define WORSE 0.9
#define BETTER 1.1

void nw_threshold_start(struct nw_threshold *policy, const struct nw_threshold_config *config) {
  *policy = (struct nw_threshold){.config = *config};
  for (unsigned paging = 0; paging < NW_PAGINGS; paging++)
    policy->high[paging] = config->high;
}

/* The threshold that led to `now` is that of the other paging. */
static void adapt(struct nw_threshold *policy, enum nw_paging now, double rate) {
  double *high = &policy->high[now == NW_PAGING_SHADOW ? NW_PAGING_NESTED : NW_PAGING_SHADOW];
  double before = policy->rate_before;
  if (before <= 0 || rate <= 0)
    return;
  if (rate < WORSE * before)
    *high += POINTS * before / rate;
  else if (rate > BETTER * before)
    *high -= POINTS * rate / before;
  if (*high < policy->config.low)
    *high = policy->config.low;
}

static void step(struct nw_threshold *policy, int32_t by) {
  int32_t most = (int32_t)policy->config.counter;
  int32_t level = policy->level + by;
  policy->level = level > most ? most : level < -most ? -most : level;
}

bool nw_threshold_judge(struct nw_threshold *policy, enum nw_paging now,
                        const struct nw_policy_sample *sample) {
  if (sample->cycles == 0)
    return false;
  double rate = (double)sample->instructions / (double)sample->cycles;
  if (policy->unjudged > 0) {
    if (--policy->unjudged == 0)
      adapt(policy, now, rate);
    return false;
  }
  policy->rate_before = rate;
  int32_t away = now == NW_PAGING_SHADOW ? 1 : -1;
  double overhead =
      100.0 * (double)(sample->exit_cycles + sample->walk_cycles) / (double)sample->cycles;
  if (overhead > policy->high[now])
    step(policy, away);
  else if (overhead < policy->config.low)
    step(policy, -away);
  if (policy->level != away * (int32_t)policy->config.counter)
    return false;
  policy->unjudged = policy->config.hold_off;
  return true;
}

/* -- break-even ----------------------------------------------------------------------------- */

#define LEAST_EVENTS 8     /* fewer say nothing of what an event costs */
#define LEAST_RATIO 0.05   /* a one-dimensional walk is never free */
#define MOST_RATIO 2.0     /* shadow tables may lose large pages, and so miss more often */
#define MOST_CAUTION 256.0 /* so that a changed program is noticed some day */
#define LEAVING 2.0        /* caution under shadow paging */
#define LEARNING 0.25      /* weight of the newest interval in an average */
#define FORGETTING 0.01    /* share of what was learned that an interval without proof takes away */

static double average(double old, double seen) {
  return old + LEARNING * (seen - old);
}

static double clamp(double value, double least, double most) {
  return value < least ? least : value > most ? most : value;
}

void nw_break_even_start(struct nw_break_even *policy, const struct nw_break_even_config *config) {
  *policy = (struct nw_break_even){.config = *config,
                                   .event_cost = config->event_price,
                                   .switch_cost = config->switch_price,
                                   .caution = 1.0};
}

/* -- what walks cost -- */

static void add_rate(struct nw_walk_rate *rate, const struct nw_policy_sample *sample) {
  rate->walk_cycles += (double)sample->walk_cycles;
  rate->instructions += (double)sample->instructions;
}

/* Walk cycles of an instruction after a switch to shadow paging, against those before it. A switch
 * back is no measure: it is made because the program does something else by then. */
static void compare_rates(struct nw_break_even *policy) {
  const struct nw_walk_rate *before = &policy->before, *after = &policy->after;
  if (before->walk_cycles <= 0 || after->instructions <= 0)
    return;
  double seen =
      after->walk_cycles / after->instructions * (before->instructions / before->walk_cycles);
  seen = clamp(seen, LEAST_RATIO, MOST_RATIO);
  policy->ratio = policy->ratio > 0 ? policy->ratio + (seen - policy->ratio) / 2 : seen;
}

/* A ratio that no switch can prove wrong, since it allows none, wears off. */
static void learn_share(struct nw_break_even *policy, const struct nw_policy_sample *sample) {
  uint64_t reads = sample->stage1_reads + sample->stage2_reads;
  if (reads > 0)
    policy->share = clamp((double)sample->stage1_reads / (double)reads, LEAST_RATIO, 1.0);
  if (policy->ratio > 0 && policy->share > 0)
    policy->ratio += FORGETTING * (policy->share - policy->ratio);
}

/* The rate before a switch is that of the last interval alone: the one before that may have been of
 * another phase, with so many more instructions and so few walks that it would drown the last. */
static void learn_ratio(struct nw_break_even *policy, enum nw_paging now,
                        const struct nw_policy_sample *sample) {
  if (now == NW_PAGING_NESTED)
    learn_share(policy, sample);
  policy->recent = (struct nw_walk_rate){0};
  add_rate(&policy->recent, sample);
  add_rate(&policy->after, sample);
  if (!policy->settling || policy->after.instructions < policy->before.instructions)
    return;
  policy->settling = false;
  compare_rates(policy);
}

static double ratio_of(const struct nw_break_even *policy) {
  return policy->ratio > 0 ? policy->ratio : policy->share > 0 ? policy->share : 1.0;
}

/* -- what events cost, and the account -- */

static void learn_event_cost(struct nw_break_even *policy, enum nw_paging now,
                             const struct nw_policy_sample *sample) {
  if (now == NW_PAGING_NESTED)
    policy->event_cost += FORGETTING * (policy->config.event_price - policy->event_cost);
  else if (sample->events >= LEAST_EVENTS)
    policy->event_cost =
        average(policy->event_cost, (double)sample->shadow_cycles / (double)sample->events);
}

/* Cycles that the other paging would have saved in this interval. */
static double saved(const struct nw_break_even *policy, enum nw_paging now,
                    const struct nw_policy_sample *sample) {
  double walks = (double)sample->walk_cycles, ratio = ratio_of(policy);
  if (now == NW_PAGING_NESTED)
    return walks * (1.0 - ratio) - (double)sample->events * policy->event_cost;
  return (double)sample->shadow_cycles - walks * (1.0 / ratio - 1.0);
}

/* What the account has to exceed. */
static double margin(const struct nw_break_even *policy, enum nw_paging now) {
  return (now == NW_PAGING_NESTED ? policy->caution : LEAVING) * policy->switch_cost;
}

bool nw_break_even_judge(struct nw_break_even *policy, enum nw_paging now,
                         const struct nw_policy_sample *sample) {
  learn_ratio(policy, now, sample);
  double more = saved(policy, now, sample);
  learn_event_cost(policy, now, sample);
  if (now == NW_PAGING_SHADOW)
    policy->gain -= more;
  policy->account += more;
  if (policy->account < 0)
    policy->account = 0;
  return policy->account > margin(policy, now);
}

void nw_break_even_switched(struct nw_break_even *policy, enum nw_paging now, uint64_t cycles) {
  policy->account = 0;
  policy->before = policy->recent;
  policy->recent = policy->after = (struct nw_walk_rate){0};
  policy->settling = now == NW_PAGING_SHADOW;
  if (now == NW_PAGING_SHADOW) {
    policy->gain = -(double)cycles;
    policy->switch_cost = policy->config.switch_price + (double)cycles;
    return;
  }
  policy->caution =
      clamp(policy->gain < 0 ? policy->caution * 4 : policy->caution / 2, 1.0, MOST_CAUTION);
}

/* Under nested paging every cycle of a walk counts as if it could be saved: a look too early is
 * cheaper than one too late. But not time and again on the brink. */
uint64_t nw_break_even_patience(const struct nw_break_even *policy, enum nw_paging now) {
  double left = margin(policy, now) - policy->account;
  return (uint64_t)(left > policy->switch_cost / 2 ? left : policy->switch_cost / 2);
}
