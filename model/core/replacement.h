/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacement policies of set-associative structures, shared by the TLBs, the walk caches and the
 * memory hierarchy. The main invariant: in LRU and FIFO the order of a set is always a permutation
 * of its ways, most recent first; so its victim is known without a search.
 *
 * The state does not know which ways are valid: the owner fills invalid ways first and asks for a
 * victim only when there are none. Three representations:
 *
 *   packed   LRU, FIFO up to 16 ways: the permutation in one 64-bit word, way number a nibble
 *   list     LRU, FIFO above: a circular doubly-linked list of the set's ways and a head
 *   tree     tree-PLRU: ways - 1 bits as a heap, node 1 the root; a bit names the half to evict from
 */
#ifndef NESTWALK_CORE_REPLACEMENT_H
#define NESTWALK_CORE_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NWI_PACKED_WAYS 16u

/* A touch is a few instructions on the path of every hit. */
#if defined(__GNUC__)
#define NWI_ALWAYS_INLINE static inline __attribute__((always_inline))
#define NWI_NOINLINE __attribute__((noinline))
#else
#define NWI_ALWAYS_INLINE static inline
#define NWI_NOINLINE
#endif

/* What a use of a way does to the state. */
enum nwi_touch {
  NWI_TOUCH_NOTHING = 0,
  NWI_TOUCH_PACKED,
  NWI_TOUCH_LIST,
  NWI_TOUCH_TREE,
};

struct nwi_links {
  uint32_t newer, older; /* ways; number `ways` is the set's head, before the newest, after the
                            oldest */
};

struct nwi_replacement {
  uint8_t on_hit;  /* enum nwi_touch */
  uint8_t on_fill; /* enum nwi_touch */
  uint8_t policy;  /* enum nw_policy */
  uint32_t ways;
  uint32_t words;          /* packed, tree: words of a set */
  uint64_t random;         /* state of the generator */
  uint64_t *word;          /* packed, tree */
  struct nwi_links *links; /* list: ways + 1 of a set */
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
/** The way of a full set to be replaced. Only NW_POLICY_RANDOM changes state by it. */
uint32_t nwi_replacement_victim(struct nwi_replacement *state, uint32_t set);

/* Brings nibble `way` to the lowest place, those that were below it one up. The search is for the
 * lowest nibble that equals `way`; places above the number of ways never count. */
NWI_ALWAYS_INLINE uint64_t nwi_packed_touch(uint64_t order, uint32_t way) {
  uint64_t equal_is_zero = order ^ (way * 0x1111111111111111u);
  uint64_t found = (equal_is_zero - 0x1111111111111111u) & ~equal_is_zero & 0x8888888888888888u;
  unsigned place = nwi_lowest_bit(found) - 3;
  uint64_t below = ((uint64_t)1 << place) - 1;
  uint64_t above = ~below << 3 << 1; /* two shifts: `place` may be 60 */
  return (order & above) | (order & below) << 4 | way;
}

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

static inline void nwi_tree_touch(uint64_t *tree, uint32_t ways, uint32_t way) {
  for (uint32_t child = ways + way; child > 1; child >>= 1) {
    uint32_t node = child >> 1;
    uint64_t bit = (uint64_t)1 << (node & 63);
    uint64_t away = (child & 1) != 0 ? 0 : bit;
    tree[node >> 6] = (tree[node >> 6] & ~bit) | away;
  }
}

NWI_ALWAYS_INLINE void nwi_replacement_touch(struct nwi_replacement *state, unsigned touch,
                                             uint32_t set, uint32_t way) {
  switch (touch) {
  case NWI_TOUCH_PACKED:
    state->word[set] = nwi_packed_touch(state->word[set], way);
    break;
  case NWI_TOUCH_LIST:
    nwi_list_touch(state->links + (size_t)set * (state->ways + 1), state->ways, way);
    break;
  case NWI_TOUCH_TREE:
    nwi_tree_touch(state->word + (size_t)set * state->words, state->ways, way);
    break;
  default:
    break;
  }
}

/** A way was hit. Repeating it with no other use of the set between changes nothing. */
NWI_ALWAYS_INLINE void nwi_replacement_hit(struct nwi_replacement *state, uint32_t set,
                                           uint32_t way) {
  nwi_replacement_touch(state, state->on_hit, set, way);
}

/** A way was filled. */
NWI_ALWAYS_INLINE void nwi_replacement_filled(struct nwi_replacement *state, uint32_t set,
                                              uint32_t way) {
  nwi_replacement_touch(state, state->on_fill, set, way);
}

#endif
