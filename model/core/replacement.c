/* SPDX-License-Identifier: Apache-2.0 */
/* Replacement policies: geometry checks, set-up and the choice of a victim; see replacement.h. */
#include "core/replacement.h"

#include <nestwalk/memory_hierarchy.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool nwi_sentence(char *error, size_t error_size, const char *format, ...) {
  if (error != NULL && error_size != 0) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
  }
  return false;
}

static bool power_of_two(uint64_t x) {
  return x != 0 && (x & (x - 1)) == 0;
}

bool nwi_replacement_possible(unsigned policy, uint32_t ways, const char *name, char *error,
                              size_t error_size) {
  if (policy > NW_POLICY_RANDOM)
    return nwi_sentence(error, error_size,
                        "%s: replacement policy %u found, 0 (LRU) to 3 (random) expected", name,
                        policy);
  if (policy == NW_POLICY_TREE_PLRU && !power_of_two(ways))
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu32 " ways found, tree-PLRU expects a power of two", name, ways);
  return true;
}

bool nwi_geometry_possible(uint64_t entries, uint32_t ways, const char *unit, const char *name,
                           char *error, size_t error_size) {
  if (ways == 0 || ways > entries)
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu32 " ways found, 1 to %" PRIu64 " (the number of %s) expected",
                        name, ways, entries, unit);
  if (entries % ways != 0)
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu64 " %s in %" PRIu32
                        " ways found, a whole number of sets expected",
                        name, entries, unit, ways);
  if (!power_of_two(entries / ways))
    return nwi_sentence(error, error_size,
                        "%s: %" PRIu64 " %s in %" PRIu32 " ways are %" PRIu64
                        " sets, a power of two expected",
                        name, entries, unit, ways, entries / ways);
  return true;
}

/* How a policy keeps its order: what a hit and what a fill does. A single way has no order. */
static void choose_representation(struct nwi_replacement *state) {
  uint8_t order = state->ways <= NWI_PACKED_WAYS ? NWI_TOUCH_PACKED : NWI_TOUCH_LIST;
  if (state->ways == 1)
    return;
  switch (state->policy) {
  case NW_POLICY_LRU:
    state->on_hit = order;
    state->on_fill = order;
    break;
  case NW_POLICY_FIFO:
    state->on_fill = order;
    break;
  case NW_POLICY_TREE_PLRU:
    state->on_hit = NWI_TOUCH_TREE;
    state->on_fill = NWI_TOUCH_TREE;
    break;
  default:
    break;
  }
}

static bool init_words(struct nwi_replacement *state, uint32_t sets, uint64_t initial) {
  state->words = state->on_fill == NWI_TOUCH_TREE ? (state->ways + 63) / 64 : 1;
  size_t count = (size_t)sets * state->words;
  state->word = calloc(count, sizeof *state->word);
  if (state->word == NULL)
    return false;
  for (size_t i = 0; i < count; i++)
    state->word[i] = initial;
  return true;
}

static bool init_lists(struct nwi_replacement *state, uint32_t sets) {
  uint32_t members = state->ways + 1;
  state->links = calloc((size_t)sets * members, sizeof *state->links);
  if (state->links == NULL)
    return false;
  for (uint32_t set = 0; set < sets; set++) {
    struct nwi_links *links = state->links + (size_t)set * members;
    for (uint32_t i = 0; i < members; i++) {
      links[i].older = (i + 1) % members;
      links[i].newer = (i + members - 1) % members;
    }
  }
  return true;
}

bool nwi_replacement_init(struct nwi_replacement *state, unsigned policy, uint32_t sets,
                          uint32_t ways, uint64_t seed) {
  memset(state, 0, sizeof *state);
  state->policy = (uint8_t)policy;
  state->ways = ways;
  state->random = seed;
  choose_representation(state);
  switch (state->on_fill) {
  case NWI_TOUCH_PACKED:
    return init_words(state, sets, 0xfedcba9876543210u);
  case NWI_TOUCH_TREE:
    return init_words(state, sets, 0);
  case NWI_TOUCH_LIST:
    return init_lists(state, sets);
  default:
    return true;
  }
}

void nwi_replacement_free(struct nwi_replacement *state) {
  free(state->word);
  free(state->links);
  memset(state, 0, sizeof *state);
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014); any seed is good. */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static uint32_t tree_victim(const uint64_t *tree, uint32_t ways) {
  uint32_t node = 1;
  while (node < ways)
    node = 2 * node + (uint32_t)(tree[node >> 6] >> (node & 63) & 1);
  return node - ways;
}

uint32_t nwi_replacement_victim(struct nwi_replacement *state, uint32_t set) {
  switch (state->on_fill) {
  case NWI_TOUCH_PACKED:
    return (uint32_t)(state->word[set] >> 4 * (state->ways - 1) & 0xf);
  case NWI_TOUCH_LIST:
    return state->links[(size_t)set * (state->ways + 1) + state->ways].newer;
  case NWI_TOUCH_TREE:
    return tree_victim(state->word + (size_t)set * state->words, state->ways);
  default:
    /* random: the high half of a 32 x 32-bit product picks evenly enough for any number of ways */
    if (state->ways == 1)
      return 0;
    return (uint32_t)((next_random(&state->random) >> 32) * state->ways >> 32);
  }
}
