/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading of YAML through a libcyaml schema.
 *
 * libcyaml fills structs from a schema but takes `4x` and `4.5` for 4, `010` for 8, `maybe` for
 * true and 1e400 for infinity, knows no ranges and no units, and loses the place of what a --set
 * replaced. So the tree is checked first against the very same schema, value by value; what reaches
 * libcyaml is then in its plainest form.
 */
#ifndef NW_SIM_YAML_SCHEMA_H
#define NW_SIM_YAML_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

#include "sim/yaml_tree.h"

enum nw_number_kind {
  NW_NUMBER_COUNT = 0, /* decimal digits */
  NW_NUMBER_BYTES,     /* decimal digits with an optional unit: K, KiB, M, MiB, G, GiB, T, TiB */
  NW_NUMBER_ADDRESS,   /* the same, or hexadecimal with 0x */
};

/* The range of the numbers whose path (list elements: their index) matches `pattern`, in which `*`
 * stands for one key. Ranges of floating-point numbers are in the same units. */
struct nw_number_rule {
  const char *pattern; /* NULL ends a table; the first that matches counts */
  enum nw_number_kind kind;
  uint64_t minimum, maximum;
};

/* Checks the tree and rewrites its numbers as plain decimal digits. */
bool nw_yaml_check(struct nw_yaml *tree, const cyaml_schema_value_t *schema,
                   const struct nw_number_rule *rules, struct nw_config_error *error);

/* Reads a number of this kind; false when `text` is none. */
bool nw_yaml_number(const char *text, enum nw_number_kind kind, uint64_t *value);

/* Fills a struct, to be freed with nw_yaml_unload(), from a tree that has been checked. */
void *nw_yaml_fill(const struct nw_yaml *tree, const cyaml_schema_value_t *schema,
                   struct nw_config_error *error);
void nw_yaml_unload(const cyaml_schema_value_t *schema, void *data);

#endif
