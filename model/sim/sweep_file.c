/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* asprintf */
#include "sim/sweep_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/yaml_write.h"

/* -- the schema ------------------------------------------------------------------------------- */

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define LISTED 64 /* machines, traces, patterns at most */
#define TITLE_MAX 120
#define NAME_MAX_LENGTH 1000

static const cyaml_strval_t modes[] = {
    {"native", NW_MODE_NATIVE},       {"nested", NW_MODE_NESTED}, {"shadow", NW_MODE_SHADOW},
    {"selective", NW_MODE_SELECTIVE}, {"agile", NW_MODE_AGILE},
};
static const cyaml_schema_value_t name_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, NAME_MAX_LENGTH),
};
static const cyaml_schema_value_t mode_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, uint32_t, modes, sizeof modes / sizeof modes[0]),
};

#define NAMES(key, flags)                                                                          \
  CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | (flags), struct nw_file_sweep, key, &name_entry, \
                       1, LISTED)
static const cyaml_schema_field_t sweep_fields[] = {
    CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER | OPTIONAL, struct nw_file_sweep, title, 1,
                           TITLE_MAX),
    NAMES(machines, CYAML_FLAG_DEFAULT),
    NAMES(workloads, OPTIONAL),
    CYAML_FIELD_SEQUENCE("modes", CYAML_FLAG_POINTER | OPTIONAL, struct nw_file_sweep, modes,
                         &mode_entry, 1, NW_MODES),
    CYAML_FIELD_IGNORE("set", OPTIONAL),
    CYAML_FIELD_IGNORE("axes", OPTIONAL),
    NAMES(statistics, OPTIONAL),
    CYAML_FIELD_UINT("limit", OPTIONAL, struct nw_file_sweep, limit),
    CYAML_FIELD_UINT("repeats", OPTIONAL, struct nw_file_sweep, repeats),
    CYAML_FIELD_UINT("seed", OPTIONAL, struct nw_file_sweep, seed),
    CYAML_FIELD_BOOL("skip_impossible", OPTIONAL, struct nw_file_sweep, skip_impossible),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sweep_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct nw_file_sweep, sweep_fields),
};
static const struct nw_number_rule sweep_numbers[] = {
    {"limit", NW_NUMBER_COUNT, 1, UINT64_MAX},
    {"repeats", NW_NUMBER_COUNT, 1, NW_SWEEP_REPEATS},
    {"seed", NW_NUMBER_COUNT, 0, UINT64_MAX - NW_SWEEP_REPEATS},
    {NULL, NW_NUMBER_COUNT, 0, 0},
};

/* -- values of an axis ------------------------------------------------------------------------ */

struct reader {
  struct nw_sweep *sweep;
  struct nw_config_error *error;
};

static bool out_of_memory(struct reader *r, const struct nw_yaml_node *node) {
  return nw_yaml_error(r->error, &node->place, "out of memory");
}

static size_t count_children(const struct nw_yaml_node *node) {
  size_t count = 0;
  for (const struct nw_yaml_node *child = node->first; child; child = child->next)
    count++;
  return count;
}

static bool check_count(struct reader *r, const struct nw_yaml_node *node, size_t count) {
  if (count >= 1 && count <= NW_SWEEP_VALUES)
    return true;
  return nw_yaml_error(r->error, &node->place, "%s: found %zu values, expected 1 to %d", node->key,
                       count, NW_SWEEP_VALUES);
}

static bool read_list(struct reader *r, const struct nw_yaml_node *node, char ***values,
                      size_t *count) {
  size_t used = 0;
  *count = count_children(node);
  if (!check_count(r, node, *count))
    return false;
  *values = calloc(*count, sizeof **values);
  for (const struct nw_yaml_node *child = node->first; *values && child; child = child->next) {
    if (!((*values)[used++] = nw_yaml_flow(child)))
      return out_of_memory(r, child);
  }
  return *values ? true : out_of_memory(r, node);
}

/* {from: A, to: B, step: S} or {from: A, to: B, times: F} */
struct range {
  uint64_t from, to, step, times;
};

static bool read_range_key(struct reader *r, const struct nw_yaml_node *node, struct range *range) {
  const struct {
    const char *key;
    uint64_t *value;
    uint64_t minimum;
  } keys[] = {{"from", &range->from, 0},
              {"to", &range->to, 0},
              {"step", &range->step, 1},
              {"times", &range->times, 2}};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (strcmp(node->key, keys[i].key) != 0)
      continue;
    if (node->kind == NW_YAML_SCALAR && !node->quoted &&
        nw_yaml_number(node->text, NW_NUMBER_ADDRESS, keys[i].value) &&
        *keys[i].value >= keys[i].minimum)
      return true;
    return nw_yaml_error(r->error, &node->place,
                         "%s: found %s%s%s, expected a whole number from %" PRIu64 " on", node->key,
                         node->text ? "'" : "", node->text ? node->text : "a group",
                         node->text ? "'" : "", keys[i].minimum);
  }
  return nw_yaml_error(r->error, &node->key_place,
                       "found the unknown key '%.80s', expected one of from, to, step, times",
                       node->key);
}

static bool next_in_range(const struct range *range, uint64_t *value) {
  if (range->times ? *value > range->to / range->times : range->to - *value < range->step)
    return false;
  *value = range->times ? *value * range->times : *value + range->step;
  return true;
}

static bool check_range(struct reader *r, const struct nw_yaml_node *node,
                        const struct range *range) {
  if (!nw_yaml_child(node, "from") || !nw_yaml_child(node, "to") || !range->step == !range->times)
    return nw_yaml_error(r->error, &node->place,
                         "%s: expected a range with from, to and one of step and times", node->key);
  if (range->from > range->to)
    return nw_yaml_error(r->error, &node->place,
                         "%s: found a range from %" PRIu64 " to %" PRIu64
                         ", expected it to go upwards",
                         node->key, range->from, range->to);
  if (range->times && !range->from)
    return nw_yaml_error(r->error, &node->place,
                         "%s: found powers from 0, expected them from 1 or more", node->key);
  return true;
}

static bool read_range(struct reader *r, const struct nw_yaml_node *node, char ***values,
                       size_t *count) {
  struct range range = {0, 0, 0, 0};
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (!read_range_key(r, child, &range))
      return false;
  }
  if (!check_range(r, node, &range))
    return false;
  *count = 1;
  for (uint64_t value = range.from; *count <= NW_SWEEP_VALUES && next_in_range(&range, &value);)
    ++*count;
  if (!check_count(r, node, *count))
    return false;
  uint64_t value = range.from;
  *values = calloc(*count, sizeof **values);
  for (size_t i = 0; *values && i < *count; i++) {
    if (asprintf(&(*values)[i], "%" PRIu64, value) < 0) {
      (*values)[i] = NULL;
      return out_of_memory(r, node);
    }
    next_in_range(&range, &value);
  }
  return *values ? true : out_of_memory(r, node);
}

/* -- axes ------------------------------------------------------------------------------------- */

static bool read_values(struct reader *r, const struct nw_yaml_node *node, char ***values,
                        size_t *count) {
  if (node->kind == NW_YAML_SEQUENCE)
    return read_list(r, node, values, count);
  if (node->kind == NW_YAML_MAPPING)
    return read_range(r, node, values, count);
  return nw_yaml_error(r->error, &node->place,
                       "%s: found '%s', expected a list of values, or a range such as {from: 16, "
                       "to: 1024, times: 2}",
                       node->key, node->text);
}

static bool add_path(struct reader *r, struct nw_sweep_axis *axis, const struct nw_yaml_node *node,
                     char **values, size_t count) {
  size_t index = axis->path_count;
  if (index == NW_SWEEP_PATHS)
    return nw_yaml_error(r->error, &node->key_place, "found more than %d keys in one axis",
                         NW_SWEEP_PATHS);
  if (index && count != axis->value_count)
    return nw_yaml_error(r->error, &node->place,
                         "%s: found %zu values, expected %zu, as many as of %s, which goes with it",
                         node->key, count, axis->value_count, axis->path[0]);
  if (!(axis->path[index] = strdup(node->key)))
    return out_of_memory(r, node);
  axis->value[index] = values;
  axis->value_count = count;
  axis->path_count++;
  return true;
}

static void free_list(char **list, size_t count) {
  for (size_t i = 0; list && i < count; i++)
    free(list[i]);
  free(list);
}

static bool read_path(struct reader *r, struct nw_sweep_axis *axis,
                      const struct nw_yaml_node *node) {
  char **values = NULL;
  size_t count = 0;
  if (read_values(r, node, &values, &count) && add_path(r, axis, node, values, count))
    return true;
  free_list(values, count);
  return false;
}

static bool read_axis(struct reader *r, const struct nw_yaml_node *node) {
  struct nw_sweep *sweep = r->sweep;
  if (node->kind != NW_YAML_MAPPING || !node->first)
    return nw_yaml_error(r->error, &node->place,
                         "axes: expected keys of the machine file with their values, such as "
                         "mmu.l2.entries: [256, 512]");
  if (sweep->axis_count == NW_SWEEP_AXES)
    return nw_yaml_error(r->error, &node->place, "found more than %d axes", NW_SWEEP_AXES);
  struct nw_sweep_axis *axis = &sweep->axes[sweep->axis_count++];
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (!read_path(r, axis, child))
      return false;
  }
  return true;
}

static bool read_axes(struct reader *r, const struct nw_yaml_node *node) {
  if (node->kind != NW_YAML_SEQUENCE)
    return nw_yaml_error(r->error, &node->place,
                         "axes: expected a list, one element for each axis");
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (!read_axis(r, child))
      return false;
  }
  return true;
}

static bool read_sets(struct reader *r, const struct nw_yaml_node *node) {
  if (node->kind != NW_YAML_MAPPING)
    return nw_yaml_error(r->error, &node->place,
                         "set: expected keys of the machine file, each with its value");
  r->sweep->sets = calloc(count_children(node) + 1, sizeof *r->sweep->sets);
  for (const struct nw_yaml_node *child = node->first; child && r->sweep->sets;
       child = child->next) {
    char *value = nw_yaml_flow(child), *set = NULL;
    bool good = value && asprintf(&set, "%s=%s", child->key, value) >= 0;
    free(value);
    if (!good)
      return out_of_memory(r, child);
    r->sweep->sets[r->sweep->set_count++] = set;
  }
  return r->sweep->sets ? true : out_of_memory(r, node);
}

/* -- the whole -------------------------------------------------------------------------------- */

/* Takes a key out of the file's tree, for what no schema can describe. */
static struct nw_yaml_node *take(struct nw_yaml *tree, const char *key) {
  struct nw_yaml_node **link = &nw_yaml_root(tree)->first;
  while (*link && strcmp((*link)->key, key) != 0)
    link = &(*link)->next;
  struct nw_yaml_node *node = *link;
  if (node)
    *link = node->next;
  return node;
}

static bool read_tree(struct reader *r, struct nw_yaml *tree) {
  struct nw_sweep *sweep = r->sweep;
  bool mapping = nw_yaml_root(tree)->kind == NW_YAML_MAPPING;
  const struct nw_yaml_node *axes = mapping ? take(tree, "axes") : NULL;
  const struct nw_yaml_node *sets = mapping ? take(tree, "set") : NULL;
  if (!nw_yaml_check(tree, &sweep_schema, sweep_numbers, r->error) ||
      (axes && !read_axes(r, axes)) || (sets && !read_sets(r, sets)))
    return false;
  if (!nw_yaml_default(tree, "repeats", "1", r->error) ||
      !nw_yaml_default(tree, "seed", "1", r->error) ||
      !nw_yaml_default(tree, "modes", "[nested]", r->error))
    return false;
  sweep->file = nw_yaml_fill(tree, &sweep_schema, r->error);
  return sweep->file != NULL;
}

static char *read_text(const char *path) {
  FILE *in = fopen(path, "re");
  char *text = in ? calloc(1, NW_YAML_FILE_MAX + 1) : NULL;
  if (text && fread(text, 1, NW_YAML_FILE_MAX, in) == 0 && ferror(in)) {
    free(text);
    text = NULL;
  }
  if (in)
    fclose(in);
  return text;
}

bool nw_sweep_load(const char *path, struct nw_sweep *sweep, struct nw_config_error *error) {
  struct reader r = {.sweep = sweep, .error = error};
  memset(sweep, 0, sizeof *sweep);
  sweep->path = path;
  struct nw_yaml *tree = nw_yaml_load(path, error);
  if (!tree)
    return false;
  sweep->text = read_text(path);
  bool good = sweep->text ? read_tree(&r, tree) : out_of_memory(&r, nw_yaml_root(tree));
  nw_yaml_free(tree);
  return good;
}

void nw_sweep_free(struct nw_sweep *sweep) {
  for (size_t i = 0; i < sweep->axis_count; i++) {
    struct nw_sweep_axis *axis = &sweep->axes[i];
    for (size_t path = 0; path < axis->path_count; path++) {
      free(axis->path[path]);
      free_list(axis->value[path], axis->value_count);
    }
  }
  free_list(sweep->sets, sweep->set_count);
  if (sweep->file)
    nw_yaml_unload(&sweep_schema, sweep->file);
  free(sweep->text);
  memset(sweep, 0, sizeof *sweep);
}
