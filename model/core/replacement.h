/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacement policies of set-associative structures, shared by the TLBs, the walk caches and the
 * memory hierarchy. Ways are named by slot, set * ways + way. The main invariant: the state is a
 * function of the touches alone, and touching a slot twice in a row is touching it once.
 *
 * The state does not know which ways are valid: the owner fills invalid ways first and asks for a
 * victim only when there are none. LRU and FIFO are the same but for what touches: a hit or not.
 *
 *   stamps   LRU, FIFO up to 64 ways: when each slot was touched; a touch is one store
 *   list     LRU, FIFO above: a circular doubly-linked list of the set's ways and a head, so that
 *            the victim needs no search
 *   tree     tree-PLRU: ways - 1 bits as a heap, node 1 the root; a bit names the half to evict
 *            from. Up to 64 ways a touch is one masked word
 */
#ifndef NESTWALK_CORE_REPLACEMENT_H
#define NESTWALK_CORE_REPLACEMENT_H

#include "core/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NWI_STAMPED_WAYS 64u

/* A touch is a few instructions on the path of every hit. */

/* What a use of a slot does to the state. */
enum nwi_touch {
  NWI_TOUCH_NOTHING = 0,
  NWI_TOUCH_STAMP,
  NWI_TOUCH_LIST,
  NWI_TOUCH_TREE,
  NWI_TOUCH_TALL_TREE, /* more than one word a set */
};

struct nwi_links {
  uint32_t newer, older; /* ways; number `ways` is the set's head, before the newest, after the
                            oldest */
};

/* The nodes on the way from a tree's root to one of its ways. */
struct nwi_path {
  uint64_t nodes;
  uint64_t away; /* of these, the ones that are to be set to point away from it */
};

struct nwi_replacement {
  uint8_t on_hit;  /* enum nwi_touch */
  uint8_t on_fill; /* enum nwi_touch */
  uint32_t ways;
  uint64_t random; /* state of the generator */

  uint64_t clock;          /* stamps: touches so far */
  uint64_t *stamp;         /* stamps: by slot */
  struct nwi_links *links; /* list: ways + 1 of a set */
  struct nwi_path *path;   /* tree: by way */
  uint64_t *tree;          /* tree: by set; tall tree: `words` of a set */
  uint32_t words;
};

/** Number of trailing zeros; `x` must not be 0. */
static inline unsigned nwi_lowest_bit(uint64_t x) {
#if defined(__GNUC__)
  return (unsigned)__builtin_ctzll(x);
#else
  unsigned n = 0;
  for (unsigned half = 32; half != 0; half /= 2) {
    if ((x & (((uint64_t)1 << half) - 1)) == 0) {
      x >>= half;
      n += half;
    }
  }
  return n;
#endif
}

/** Checks a policy against a number of ways: false with a sentence about structure `name`. */
bool nwi_replacement_possible(unsigned policy, uint32_t ways, const char *name, char *error,
                              size_t error_size);
/** Checks that `entries` (called `unit` in the sentence) in `ways` make a power of two of sets. */
bool nwi_geometry_possible(uint64_t entries, uint32_t ways, const char *unit, const char *name,
                           char *error, size_t error_size);
/** Writes a sentence of printf's form into `error`, which may be NULL; always returns false. */
bool nwi_sentence(char *error, size_t error_size, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/** Sets up the state of `sets` sets; false when memory is out. `seed` is for NW_POLICY_RANDOM. */
bool nwi_replacement_init(struct nwi_replacement *state, unsigned policy, uint32_t sets,
                          uint32_t ways, uint64_t seed);
/** Frees what nwi_replacement_init() took; a zeroed state is fine, too. */
void nwi_replacement_free(struct nwi_replacement *state);
/** The slot of a full set to be replaced. Only NW_POLICY_RANDOM changes state by it. */
uint32_t nwi_replacement_victim(struct nwi_replacement *state, uint32_t set);
/** Touches a tree of more than 64 ways. */
void nwi_replacement_touch_tall_tree(struct nwi_replacement *state, uint32_t set, uint32_t way);

/* No special case for the newest: `head` is read again after the way has been taken out. */
NWI_ALWAYS_INLINE void nwi_list_touch(struct nwi_links *links, uint32_t head, uint32_t way) {
  uint32_t newer = links[way].newer;
  uint32_t older = links[way].older;
  links[newer].older = older;
  links[older].newer = newer;
  uint32_t first = links[head].older;
  links[way].newer = head;
  links[way].older = first;
  links[first].newer = way;
  links[head].older = way;
}

NWI_ALWAYS_INLINE void nwi_replacement_touch(struct nwi_replacement *state, unsigned touch,
                                             uint32_t set, uint32_t slot) {
  uint32_t ways = state->ways;
  uint32_t way = slot - set * ways;
  if (touch == NWI_TOUCH_STAMP) {
    state->stamp[slot] = ++state->clock;
  } else if (touch == NWI_TOUCH_LIST) {
    nwi_list_touch(state->links + (size_t)set * (ways + 1), ways, way);
  } else if (touch == NWI_TOUCH_TREE) {
    const struct nwi_path *path = &state->path[way];
    state->tree[set] = (state->tree[set] & ~path->nodes) | path->away;
  } else if (touch == NWI_TOUCH_TALL_TREE) {
    nwi_replacement_touch_tall_tree(state, set, way);
  }
}

/** A slot of `set` was hit. */
NWI_ALWAYS_INLINE void nwi_replacement_hit(struct nwi_replacement *state, uint32_t set,
                                           uint32_t slot) {
  nwi_replacement_touch(state, state->on_hit, set, slot);
}

/** The same where that takes no knowledge of the set: true when it is done. */
NWI_ALWAYS_INLINE bool nwi_replacement_hit_is_simple(struct nwi_replacement *state, uint32_t slot) {
  if (state->on_hit == NWI_TOUCH_STAMP)
    state->stamp[slot] = ++state->clock;
  return state->on_hit <= NWI_TOUCH_STAMP;
}

/** A slot of `set` was filled. */
NWI_ALWAYS_INLINE void nwi_replacement_filled(struct nwi_replacement *state, uint32_t set,
                                              uint32_t slot) {
  nwi_replacement_touch(state, state->on_fill, set, slot);
}

#endif
