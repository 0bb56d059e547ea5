/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree in which every node knows where it came from: file, line and column, or the
 * --set that put it there. So a message about a value can always say where to look, whatever has
 * been overridden since.
 *
 * Only what configuration files need: mappings, sequences, scalars. Duplicate keys, anchors,
 * aliases, tags and second documents are errors.
 */
#ifndef NW_SIM_YAML_TREE_H
#define NW_SIM_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum nw_yaml_kind { NW_YAML_SCALAR = 0, NW_YAML_MAPPING, NW_YAML_SEQUENCE };

struct nw_yaml_place {
  const char *source; /* a file, or "--set KEY=VALUE" */
  size_t line;        /* from 1; 0: not a file */
  size_t column;      /* from 1 */
};

struct nw_yaml_node {
  enum nw_yaml_kind kind;
  struct nw_yaml_place place;
  const char *text; /* scalar */
  bool quoted; /* scalar: in quotes or a block, so that it is a string whatever it looks like */

  struct nw_yaml_node *first; /* mapping, sequence: children in order */
  struct nw_yaml_node *next;  /* sibling */
  const char *key;            /* child of a mapping */
  struct nw_yaml_place key_place;
};

/* One line, no newline: where, what was found, what was expected. */
struct nw_config_error {
  char message[1024];
};

struct nw_yaml; /* opaque; owns all of its nodes and their strings */

/* Reads a file, at most NW_YAML_FILE_MAX bytes. NULL with a message in `error` when that fails. */
#define NW_YAML_FILE_MAX (1024u * 1024)
struct nw_yaml *nw_yaml_load(const char *path, struct nw_config_error *error);
/* The same from memory; `source` is what messages call it. */
struct nw_yaml *nw_yaml_parse(const char *source, const char *text, size_t length,
                              struct nw_config_error *error);
void nw_yaml_free(struct nw_yaml *tree);

struct nw_yaml_node *nw_yaml_root(const struct nw_yaml *tree);

/* The child of a mapping by key, of a sequence by decimal index; NULL when there is none. */
struct nw_yaml_node *nw_yaml_child(const struct nw_yaml_node *node, const char *key);
/* The node at a path of keys and indices separated by dots, or NULL. */
struct nw_yaml_node *nw_yaml_find(const struct nw_yaml *tree, const char *path);

/* Applies "path.to.key=VALUE": VALUE (any YAML in flow form) replaces what is there; mappings on
 * the way are made where they are missing, list elements must exist. */
bool nw_yaml_set(struct nw_yaml *tree, const char *assignment, struct nw_config_error *error);
/* Puts a value where there is none yet, quietly: a default. */
bool nw_yaml_default(struct nw_yaml *tree, const char *path, const char *value,
                     struct nw_config_error *error);

/* Replaces a scalar's text. */
bool nw_yaml_rewrite(struct nw_yaml *tree, struct nw_yaml_node *node, const char *text);

/* Writes "FILE:LINE:COLUMN: " or "--set ...: " and the message into `error`; returns false. */
bool nw_yaml_error(struct nw_config_error *error, const struct nw_yaml_place *place,
                   const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
