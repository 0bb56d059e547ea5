/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack is an array of slots in the order of use, the latest last, with gaps; a Fenwick tree over
 * it counts what is occupied, so that a place is found in logarithmic time. When the array is used up
 * the gaps are squeezed out. Main invariant: an entry or a hole is in one slot, its place is the
 * number of occupied slots from there to the end, and `holes` lists the holes' slots in ascending
 * order unless it says that it is stale.
 */
#include "sim/onepass/stacks.h"

#include <stdlib.h>
#include <string.h>

#define GAP UINT32_MAX
#define HOLE (UINT32_MAX - 1)
#define PINS 32

struct set {
  uint32_t end;      /* first slot never used since the last squeeze */
  uint32_t occupied; /* entries and holes */
  uint32_t holes;
  bool stale; /* the list of holes has to be made anew */
};

struct nw_stacks {
  uint32_t sets, depth, slots; /* slots of each set */
  struct set *set;
  uint32_t *slot;    /* by set: GAP, HOLE or an entry */
  uint32_t *fenwick; /* by set, from 1: sums of occupied slots */
  uint32_t *hole;    /* by set: slots */
  uint32_t *slot_of; /* by entry: NW_STACK_NONE */
  uint32_t entries;
  uint32_t pinned[PINS];
  uint32_t pinned_set[PINS];
  uint32_t pins;
};

/* -- making ----------------------------------------------------------------------------------- */

struct nw_stacks *nw_stacks_create(uint32_t sets, uint32_t depth) {
  struct nw_stacks *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->sets = sets;
  s->depth = depth;
  s->slots = 2 * depth + 2;
  size_t all = (size_t)sets * s->slots;
  s->set = calloc(sets, sizeof *s->set);
  s->slot = malloc(all * sizeof *s->slot);
  s->fenwick = calloc(all + sets, sizeof *s->fenwick);
  s->hole = malloc(((size_t)sets * depth + 1) * sizeof *s->hole);
  if (!s->set || !s->slot || !s->fenwick || !s->hole) {
    nw_stacks_destroy(s);
    return NULL;
  }
  memset(s->slot, 0xff, all * sizeof *s->slot);
  return s;
}

void nw_stacks_destroy(struct nw_stacks *s) {
  if (!s)
    return;
  free(s->set);
  free(s->slot);
  free(s->fenwick);
  free(s->hole);
  free(s->slot_of);
  free(s);
}

bool nw_stacks_reserve(struct nw_stacks *s, uint32_t count) {
  if (count <= s->entries)
    return true;
  uint32_t *slot_of = realloc(s->slot_of, count * sizeof *slot_of);
  if (!slot_of)
    return false;
  memset(slot_of + s->entries, 0xff, (count - s->entries) * sizeof *slot_of);
  s->slot_of = slot_of;
  s->entries = count;
  return true;
}

/* -- slots ------------------------------------------------------------------------------------ */

static uint32_t *slots_of(const struct nw_stacks *s, uint32_t set) {
  return s->slot + (size_t)set * s->slots;
}

static uint32_t *fenwick_of(const struct nw_stacks *s, uint32_t set) {
  return s->fenwick + (size_t)set * (s->slots + 1);
}

static void count_slot(struct nw_stacks *s, uint32_t set, uint32_t slot, uint32_t by) {
  uint32_t *fenwick = fenwick_of(s, set);
  for (uint32_t i = slot + 1; i <= s->slots; i += i & -i)
    fenwick[i] += by; /* by may be -1, modulo 2^32 */
  s->set[set].occupied += by;
}

/* Occupied slots before `slot`. */
static uint32_t occupied_before(const struct nw_stacks *s, uint32_t set, uint32_t slot) {
  const uint32_t *fenwick = fenwick_of(s, set);
  uint32_t sum = 0;
  for (uint32_t i = slot; i; i -= i & -i)
    sum += fenwick[i];
  return sum;
}

static uint32_t place_of(const struct nw_stacks *s, uint32_t set, uint32_t slot) {
  return s->set[set].occupied - occupied_before(s, set, slot);
}

/* The slot with `before` occupied ones before it. */
static uint32_t slot_after(const struct nw_stacks *s, uint32_t set, uint32_t before) {
  const uint32_t *fenwick = fenwick_of(s, set);
  uint32_t slot = 0, step = 1;
  while (2 * step <= s->slots)
    step *= 2;
  for (; step; step /= 2) {
    if (slot + step <= s->slots && fenwick[slot + step] <= before) {
      slot += step;
      before -= fenwick[slot];
    }
  }
  return slot;
}

static void put(struct nw_stacks *s, uint32_t set, uint32_t slot, uint32_t what) {
  slots_of(s, set)[slot] = what;
  if (what < HOLE)
    s->slot_of[what] = slot;
}

/* Moves everything to the array's start. */
static void squeeze(struct nw_stacks *s, uint32_t set) {
  struct set *state = &s->set[set];
  uint32_t *slot = slots_of(s, set), *fenwick = fenwick_of(s, set), used = 0;
  for (uint32_t i = 0; i < state->end; i++)
    if (slot[i] != GAP)
      put(s, set, used++, slot[i]);
  for (uint32_t i = used; i < state->end; i++)
    slot[i] = GAP;
  for (uint32_t i = 1; i <= s->slots; i++) {
    uint32_t low = i - (i & -i);
    fenwick[i] = (i < used ? i : used) - (low < used ? low : used);
  }
  state->end = used;
  state->stale = state->holes > 0;
}

/* -- holes ------------------------------------------------------------------------------------ */

static uint32_t *holes_of(struct nw_stacks *s, uint32_t set) {
  uint32_t *hole = s->hole + (size_t)set * s->depth;
  struct set *state = &s->set[set];
  if (state->stale) {
    const uint32_t *slot = slots_of(s, set);
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->end; i++)
      if (slot[i] == HOLE)
        hole[count++] = i;
    state->stale = false;
  }
  return hole;
}

/* The uppermost hole's slot; NW_STACK_NONE when there is none. */
static uint32_t top_hole(struct nw_stacks *s, uint32_t set) {
  uint32_t count = s->set[set].holes;
  return count ? holes_of(s, set)[count - 1] : NW_STACK_NONE;
}

/* The uppermost hole is filled by what comes from `slot`, where the hole is now. */
static void sink_hole(struct nw_stacks *s, uint32_t set, uint32_t slot) {
  uint32_t *hole = holes_of(s, set);
  uint32_t at = s->set[set].holes - 1;
  while (at && hole[at - 1] > slot) {
    hole[at] = hole[at - 1];
    at--;
  }
  hole[at] = slot;
}

/* -- pins ------------------------------------------------------------------------------------- */

static void unpin(struct nw_stacks *s, uint32_t entry) {
  for (uint32_t i = 0; i < s->pins; i++) {
    if (s->pinned[i] != entry)
      continue;
    s->pins--;
    memmove(&s->pinned[i], &s->pinned[i + 1], (s->pins - i) * sizeof s->pinned[0]);
    memmove(&s->pinned_set[i], &s->pinned_set[i + 1], (s->pins - i) * sizeof s->pinned_set[0]);
    return;
  }
}

/* The next occupied slot above `slot`. */
static uint32_t slot_above(const struct nw_stacks *s, uint32_t set, uint32_t slot) {
  const uint32_t *slots = slots_of(s, set);
  do
    slot++;
  while (slots[slot] == GAP);
  return slot;
}

/* The pinned entry of a set that is uppermost below `above` and above the slot `limit`. */
static uint32_t next_pin(const struct nw_stacks *s, uint32_t set, uint32_t above, uint32_t limit) {
  uint32_t best = NW_STACK_NONE;
  for (uint32_t i = 0; i < s->pins; i++) {
    uint32_t slot = s->slot_of[s->pinned[i]];
    if (s->pinned_set[i] == set && slot < above && (limit == NW_STACK_NONE || slot > limit) &&
        (best == NW_STACK_NONE || slot > best))
      best = slot;
  }
  return best;
}

/* Everything above `limit` (NW_STACK_NONE: everything) is about to be pushed down by one place. Those
 * that are pinned change places with what would push them, unless that was used later. From the top
 * down, as the push goes. */
static void hold_pins(struct nw_stacks *s, uint32_t set, uint32_t limit, const uint64_t *used) {
  uint32_t *slots = slots_of(s, set);
  uint32_t pin = next_pin(s, set, s->set[set].end, limit);
  while (pin != NW_STACK_NONE) {
    uint32_t entry = slots[pin], after = pin;
    bool top = place_of(s, set, pin) == 1;
    uint32_t above = top ? pin : slot_above(s, set, pin);
    if (top || used[slots[above]] > used[entry]) {
      unpin(s, entry); /* it goes down like any other now */
    } else {
      put(s, set, pin, slots[above]);
      put(s, set, above, entry);
    }
    pin = next_pin(s, set, after, limit);
  }
}

/* -- what happens to entries ------------------------------------------------------------------ */

uint32_t nw_stacks_place(const struct nw_stacks *s, uint32_t set, uint32_t entry) {
  uint32_t slot = s->slot_of[entry];
  if (slot == NW_STACK_NONE)
    return NW_STACK_NONE;
  return slot + 1 == s->set[set].end ? 1 : place_of(s, set, slot);
}

/* Takes the lowest entry out; there are no holes. */
static uint32_t drop_lowest(struct nw_stacks *s, uint32_t set) {
  uint32_t slot = slot_after(s, set, 0);
  uint32_t entry = slots_of(s, set)[slot];
  slots_of(s, set)[slot] = GAP;
  count_slot(s, set, slot, UINT32_MAX);
  s->slot_of[entry] = NW_STACK_NONE;
  unpin(s, entry);
  return entry;
}

uint32_t nw_stacks_touch(struct nw_stacks *s, uint32_t set, uint32_t entry, const uint64_t *used) {
  struct set *state = &s->set[set];
  uint32_t dropped = NW_STACK_NONE;
  if (s->pins)
    unpin(s, entry);
  if (s->slot_of[entry] != NW_STACK_NONE && s->slot_of[entry] + 1 == state->end)
    return dropped;
  if (state->end == s->slots)
    squeeze(s, set);
  uint32_t from = s->slot_of[entry], hole = top_hole(s, set);
  bool fills = hole != NW_STACK_NONE && (from == NW_STACK_NONE || hole > from);
  if (s->pins)
    hold_pins(s, set, fills ? hole : from, used);
  if (fills) {
    slots_of(s, set)[hole] = GAP;
    count_slot(s, set, hole, UINT32_MAX);
    if (from != NW_STACK_NONE) {
      slots_of(s, set)[from] = HOLE;
      sink_hole(s, set, from);
    } else {
      state->holes--;
    }
  } else if (from != NW_STACK_NONE) {
    slots_of(s, set)[from] = GAP;
    count_slot(s, set, from, UINT32_MAX);
  } else if (state->occupied == s->depth) {
    dropped = drop_lowest(s, set);
  }
  put(s, set, state->end, entry);
  count_slot(s, set, state->end, 1);
  state->end++;
  return dropped;
}

bool nw_stacks_pin(struct nw_stacks *s, uint32_t set, uint32_t entry) {
  if (s->slot_of[entry] == NW_STACK_NONE || nw_stacks_place(s, set, entry) == 1)
    return true;
  unpin(s, entry);
  if (s->pins == PINS)
    return false;
  s->pinned[s->pins] = entry;
  s->pinned_set[s->pins++] = set;
  return true;
}

bool nw_stacks_remove(struct nw_stacks *s, uint32_t set, uint32_t entry) {
  uint32_t slot = s->slot_of[entry];
  if (slot == NW_STACK_NONE)
    return false;
  slots_of(s, set)[slot] = HOLE;
  s->slot_of[entry] = NW_STACK_NONE;
  s->set[set].holes++;
  s->set[set].stale = true;
  unpin(s, entry);
  return true;
}
