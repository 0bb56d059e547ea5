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
static void choose_representation(struct nwi_replacement *state, unsigned policy) {
  uint8_t order = state->ways <= NWI_STAMPED_WAYS ? NWI_TOUCH_STAMP : NWI_TOUCH_LIST;
  uint8_t tree = state->ways <= 64 ? NWI_TOUCH_TREE : NWI_TOUCH_TALL_TREE;
  if (state->ways == 1)
    return;
  switch (policy) {
  case NW_POLICY_LRU:
    state->on_hit = order;
    state->on_fill = order;
    break;
  case NW_POLICY_FIFO:
    state->on_fill = order;
    break;
  case NW_POLICY_TREE_PLRU:
    state->on_hit = tree;
    state->on_fill = tree;
    break;
  default:
    break;
  }
}

static bool init_stamps(struct nwi_replacement *state, uint32_t sets) {
  state->stamp = calloc((size_t)sets * state->ways, sizeof *state->stamp);
  return state->stamp != NULL;
}

/* A node's children are twice its number, and one more; a way's own is ways + way. */
static void find_path(struct nwi_path *path, uint32_t ways, uint32_t way) {
  *path = (struct nwi_path){0};
  for (uint32_t child = ways + way; child > 1; child >>= 1) {
    uint64_t node = (uint64_t)1 << (child >> 1);
    path->nodes |= node;
    if ((child & 1) == 0)
      path->away |= node;
  }
}

static bool init_trees(struct nwi_replacement *state, uint32_t sets) {
  state->words = (state->ways + 63) / 64;
  state->tree = calloc((size_t)sets * state->words, sizeof *state->tree);
  if (state->tree == NULL || state->on_fill == NWI_TOUCH_TALL_TREE)
    return state->tree != NULL;
  state->path = calloc(state->ways, sizeof *state->path);
  if (state->path == NULL)
    return false;
  for (uint32_t way = 0; way < state->ways; way++)
    find_path(&state->path[way], state->ways, way);
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
  state->ways = ways;
  state->random = seed;
  choose_representation(state, policy);
  switch (state->on_fill) {
  case NWI_TOUCH_STAMP:
    return init_stamps(state, sets);
  case NWI_TOUCH_LIST:
    return init_lists(state, sets);
  case NWI_TOUCH_TREE:
  case NWI_TOUCH_TALL_TREE:
    return init_trees(state, sets);
  default:
    return true;
  }
}

void nwi_replacement_free(struct nwi_replacement *state) {
  free(state->stamp);
  free(state->links);
  free(state->path);
  free(state->tree);
  memset(state, 0, sizeof *state);
}

void nwi_replacement_touch_tall_tree(struct nwi_replacement *state, uint32_t set, uint32_t way) {
  uint64_t *tree = state->tree + (size_t)set * state->words;
  for (uint32_t child = state->ways + way; child > 1; child >>= 1) {
    uint32_t node = child >> 1;
    uint64_t bit = (uint64_t)1 << (node & 63);
    uint64_t away = (child & 1) != 0 ? 0 : bit;
    tree[node >> 6] = (tree[node >> 6] & ~bit) | away;
  }
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014); any seed is good. */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* No two stamps of a full set are equal. */
static uint32_t oldest(const uint64_t *stamp, uint32_t ways) {
  uint32_t found = 0;
  uint64_t least = stamp[0];
  for (uint32_t way = 1; way < ways; way++) {
    found = stamp[way] < least ? way : found;
    least = stamp[way] < least ? stamp[way] : least;
  }
  return found;
}

static uint32_t tree_victim(const uint64_t *tree, uint32_t ways) {
  uint32_t node = 1;
  while (node < ways)
    node = 2 * node + (uint32_t)(tree[node >> 6] >> (node & 63) & 1);
  return node - ways;
}

/* The high half of a 32 x 32-bit product picks evenly enough for any number of ways. */
static uint32_t random_way(struct nwi_replacement *state) {
  return (uint32_t)((next_random(&state->random) >> 32) * state->ways >> 32);
}

uint32_t nwi_replacement_victim(struct nwi_replacement *state, uint32_t set) {
  uint32_t ways = state->ways;
  uint32_t first = set * ways;
  switch (state->on_fill) {
  case NWI_TOUCH_STAMP:
    return first + oldest(state->stamp + first, ways);
  case NWI_TOUCH_LIST:
    return first + state->links[(size_t)set * (ways + 1) + ways].newer;
  case NWI_TOUCH_TREE:
  case NWI_TOUCH_TALL_TREE:
    return first + tree_victim(state->tree + (size_t)set * state->words, ways);
  default:
    return ways == 1 ? first : first + random_way(state);
  }
}
