/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is built from libyaml's events. All memory of a tree hangs on one list, so that building
 * may stop anywhere.
 */
#include "sim/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 16

struct block {
  struct block *next;
  max_align_t data[];
};

struct nw_yaml {
  struct block *blocks;
  struct nw_yaml_node *root;
};

struct builder {
  struct nw_yaml *tree;
  yaml_parser_t parser;
  const char *source;
  bool positions; /* the source has lines */
  struct nw_config_error *error;
};

bool nw_yaml_error(struct nw_config_error *error, const struct nw_yaml_place *place,
                   const char *format, ...) {
  if (!error)
    return false;
  int used = place->line ? snprintf(error->message, sizeof error->message,
                                    "%s:%zu:%zu: ", place->source, place->line, place->column)
                         : snprintf(error->message, sizeof error->message, "%s: ", place->source);
  if (used < 0 || (size_t)used >= sizeof error->message)
    return false;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message + used, sizeof error->message - (size_t)used, format, arguments);
  va_end(arguments);
  return false;
}

static void *tree_alloc(struct nw_yaml *tree, size_t size) {
  struct block *block = calloc(1, sizeof *block + size);
  if (!block)
    return NULL;
  block->next = tree->blocks;
  tree->blocks = block;
  return block->data;
}

static const char *tree_copy(struct nw_yaml *tree, const char *text, size_t length) {
  char *copy = tree_alloc(tree, length + 1);
  if (copy)
    memcpy(copy, text, length);
  return copy;
}

void nw_yaml_free(struct nw_yaml *tree) {
  if (!tree)
    return;
  for (struct block *block = tree->blocks, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  free(tree);
}

struct nw_yaml_node *nw_yaml_root(const struct nw_yaml *tree) {
  return tree->root;
}

/* -- building from events --------------------------------------------------------------------- */

static struct nw_yaml_place place_of(const struct builder *b, const yaml_mark_t *mark) {
  struct nw_yaml_place place = {.source = b->source};
  if (b->positions) {
    place.line = mark->line + 1;
    place.column = mark->column + 1;
  }
  return place;
}

static bool out_of_memory(struct builder *b) {
  struct nw_yaml_place place = {.source = b->source};
  return nw_yaml_error(b->error, &place, "out of memory");
}

static bool next_event(struct builder *b, yaml_event_t *event) {
  if (yaml_parser_parse(&b->parser, event))
    return true;
  yaml_mark_t *mark = b->parser.problem_mark.line || b->parser.problem_mark.column
                          ? &b->parser.problem_mark
                          : &b->parser.mark;
  struct nw_yaml_place place = place_of(b, mark);
  return nw_yaml_error(b->error, &place, "not YAML: %s%s%s",
                       b->parser.problem ? b->parser.problem : "cannot be parsed",
                       b->parser.context ? " " : "", b->parser.context ? b->parser.context : "");
}

/* Anchors, aliases and tags would make a value's place and meaning unclear. */
static bool plain_event(struct builder *b, const yaml_event_t *event) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    anchor = event->data.scalar.anchor;
    tag = event->data.scalar.tag;
    break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = event->data.sequence_start.anchor;
    tag = event->data.sequence_start.tag;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = event->data.mapping_start.anchor;
    tag = event->data.mapping_start.tag;
    break;
  case YAML_ALIAS_EVENT:
    anchor = event->data.alias.anchor;
    break;
  default:
    break;
  }
  struct nw_yaml_place place = place_of(b, &event->start_mark);
  if (anchor)
    return nw_yaml_error(b->error, &place,
                         "found the %s '%s', expected a value (anchors and "
                         "aliases are not supported)",
                         event->type == YAML_ALIAS_EVENT ? "alias" : "anchor", anchor);
  if (tag)
    return nw_yaml_error(b->error, &place, "found the tag '%s', expected a value without one", tag);
  return true;
}

static struct nw_yaml_node *new_node(struct builder *b, const yaml_event_t *event,
                                     enum nw_yaml_kind kind) {
  struct nw_yaml_node *node = tree_alloc(b->tree, sizeof *node);
  if (!node) {
    out_of_memory(b);
    return NULL;
  }
  node->kind = kind;
  node->place = place_of(b, &event->start_mark);
  return node;
}

static struct nw_yaml_node *build(struct builder *b, const yaml_event_t *event, unsigned depth);

static struct nw_yaml_node *build_scalar(struct builder *b, const yaml_event_t *event) {
  struct nw_yaml_node *node = new_node(b, event, NW_YAML_SCALAR);
  if (!node)
    return NULL;
  const char *text = (const char *)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length) {
    nw_yaml_error(b->error, &node->place, "found a zero byte in a value");
    return NULL;
  }
  node->text = tree_copy(b->tree, text, event->data.scalar.length);
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  if (!node->text) {
    out_of_memory(b);
    return NULL;
  }
  return node;
}

/* Reads a mapping's key from `event` into `child`, which is not yet linked. */
static bool take_key(struct builder *b, const yaml_event_t *event, struct nw_yaml_node *parent,
                     struct nw_yaml_node *key) {
  struct nw_yaml_place place = place_of(b, &event->start_mark);
  if (!plain_event(b, event))
    return false;
  if (event->type != YAML_SCALAR_EVENT)
    return nw_yaml_error(b->error, &place, "found a list or mapping, expected a key");
  const char *text = (const char *)event->data.scalar.value;
  const struct nw_yaml_node *twin = nw_yaml_child(parent, text);
  if (twin)
    return nw_yaml_error(b->error, &place,
                         "found the key '%s' again (first in line %zu), "
                         "expected each key once",
                         text, twin->key_place.line ? twin->key_place.line : 1);
  key->key = tree_copy(b->tree, text, strlen(text));
  key->key_place = place;
  return key->key ? true : out_of_memory(b);
}

/* The children up to the end event, for mappings with their keys. */
static bool build_children(struct builder *b, struct nw_yaml_node *parent, unsigned depth) {
  bool mapping = parent->kind == NW_YAML_MAPPING;
  struct nw_yaml_node **link = &parent->first;
  for (;;) {
    struct nw_yaml_node key = {0};
    yaml_event_t event;
    if (!next_event(b, &event))
      return false;
    bool end = event.type == (mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
    bool good = end || !mapping || take_key(b, &event, parent, &key);
    if (mapping || end) {
      yaml_event_delete(&event);
      if (end || !good)
        return good;
      if (!next_event(b, &event))
        return false;
    }
    struct nw_yaml_node *child = build(b, &event, depth);
    yaml_event_delete(&event);
    if (!child)
      return false;
    child->key = key.key;
    child->key_place = key.key_place;
    *link = child;
    link = &child->next;
  }
}

static struct nw_yaml_node *build(struct builder *b, const yaml_event_t *event, unsigned depth) {
  if (!plain_event(b, event))
    return NULL;
  if (event->type == YAML_SCALAR_EVENT)
    return build_scalar(b, event);
  enum nw_yaml_kind kind =
      event->type == YAML_MAPPING_START_EVENT ? NW_YAML_MAPPING : NW_YAML_SEQUENCE;
  struct nw_yaml_node *node = new_node(b, event, kind);
  if (!node)
    return NULL;
  if (depth == DEPTH_MAX) {
    nw_yaml_error(b->error, &node->place, "found more than %d levels of nesting", DEPTH_MAX);
    return NULL;
  }
  return build_children(b, node, depth + 1) ? node : NULL;
}

/* Skips to the event that opens a document's value; false at the end of the stream, too. */
static bool open_document(struct builder *b, yaml_event_t *event) {
  for (;;) {
    if (!next_event(b, event))
      return false;
    if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT)
      break;
    yaml_event_delete(event);
  }
  if (event->type != YAML_STREAM_END_EVENT)
    return true;
  struct nw_yaml_place place = place_of(b, &event->start_mark);
  yaml_event_delete(event);
  return nw_yaml_error(b->error, &place, "found nothing, expected a value");
}

static bool close_document(struct builder *b) {
  yaml_event_t event;
  for (;;) {
    if (!next_event(b, &event))
      return false;
    yaml_event_type_t type = event.type;
    struct nw_yaml_place place = place_of(b, &event.start_mark);
    yaml_event_delete(&event);
    if (type == YAML_STREAM_END_EVENT)
      return true;
    if (type != YAML_DOCUMENT_END_EVENT)
      return nw_yaml_error(b->error, &place, "found a second document, expected the end");
  }
}

static struct nw_yaml_node *parse_into(struct nw_yaml *tree, const char *source, bool positions,
                                       const char *text, size_t length,
                                       struct nw_config_error *error) {
  struct builder b = {.tree = tree, .source = source, .positions = positions, .error = error};
  if (!yaml_parser_initialize(&b.parser)) {
    out_of_memory(&b);
    return NULL;
  }
  yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, length);
  struct nw_yaml_node *node = NULL;
  yaml_event_t event;
  if (open_document(&b, &event)) {
    node = build(&b, &event, 0);
    yaml_event_delete(&event);
    if (node && !close_document(&b))
      node = NULL;
  }
  yaml_parser_delete(&b.parser);
  return node;
}

struct nw_yaml *nw_yaml_parse(const char *source, const char *text, size_t length,
                              struct nw_config_error *error) {
  struct nw_yaml_place nowhere = {.source = source};
  struct nw_yaml *tree = calloc(1, sizeof *tree);
  const char *name = tree ? tree_copy(tree, source, strlen(source)) : NULL;
  if (name)
    tree->root = parse_into(tree, name, true, text, length, error);
  else
    nw_yaml_error(error, &nowhere, "out of memory");
  if (!tree || !tree->root) {
    nw_yaml_free(tree);
    return NULL;
  }
  return tree;
}

struct nw_yaml *nw_yaml_load(const char *path, struct nw_config_error *error) {
  struct nw_yaml_place nowhere = {.source = path};
  FILE *file = fopen(path, "re");
  if (!file) {
    nw_yaml_error(error, &nowhere, "%s", strerror(errno));
    return NULL;
  }
  struct nw_yaml *tree = NULL;
  char *text = malloc(NW_YAML_FILE_MAX + 1);
  size_t length = text ? fread(text, 1, NW_YAML_FILE_MAX + 1, file) : 0;
  if (!text)
    nw_yaml_error(error, &nowhere, "out of memory");
  else if (ferror(file))
    nw_yaml_error(error, &nowhere, "%s", strerror(errno));
  else if (length > NW_YAML_FILE_MAX)
    nw_yaml_error(error, &nowhere, "larger than %u bytes, expected a configuration file",
                  NW_YAML_FILE_MAX);
  else
    tree = nw_yaml_parse(path, text, length, error);
  free(text);
  fclose(file);
  return tree;
}

/* -- paths ------------------------------------------------------------------------------------ */

static bool parse_index(const char *text, size_t length, size_t *index) {
  *index = 0;
  if (!length || length > 6 || (text[0] == '0' && length > 1))
    return false;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9')
      return false;
    *index = *index * 10 + (size_t)(text[i] - '0');
  }
  return true;
}

static struct nw_yaml_node *find_child(const struct nw_yaml_node *node, const char *key,
                                       size_t length) {
  size_t index = 0;
  if (node->kind == NW_YAML_SCALAR ||
      (node->kind == NW_YAML_SEQUENCE && !parse_index(key, length, &index)))
    return NULL;
  for (struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (node->kind == NW_YAML_SEQUENCE
            ? index-- == 0
            : strlen(child->key) == length && !memcmp(child->key, key, length))
      return child;
  }
  return NULL;
}

struct nw_yaml_node *nw_yaml_child(const struct nw_yaml_node *node, const char *key) {
  return find_child(node, key, strlen(key));
}

struct nw_yaml_node *nw_yaml_find(const struct nw_yaml *tree, const char *path) {
  struct nw_yaml_node *node = tree->root;
  while (node && *path) {
    size_t length = strcspn(path, ".");
    node = find_child(node, path, length);
    path += length + (path[length] == '.');
  }
  return node;
}

static struct nw_yaml_node *append_child(struct nw_yaml *tree, struct nw_yaml_node *parent,
                                         const char *key, size_t length,
                                         const struct nw_yaml_place *place) {
  struct nw_yaml_node *child = tree_alloc(tree, sizeof *child);
  if (!child || !(child->key = tree_copy(tree, key, length)))
    return NULL;
  child->kind = NW_YAML_MAPPING;
  child->place = child->key_place = *place;
  struct nw_yaml_node **link = &parent->first;
  while (*link)
    link = &(*link)->next;
  *link = child;
  return child;
}

/* Why `key` cannot be reached below `node`. */
static bool no_such_child(const struct nw_yaml_node *node, const char *key, int length,
                          const struct nw_yaml_place *place, struct nw_config_error *error) {
  size_t count = 0;
  for (const struct nw_yaml_node *child = node->first; child; child = child->next)
    count++;
  if (node->kind == NW_YAML_SEQUENCE)
    return nw_yaml_error(error, place,
                         "found '%.*s', expected the number of a list element "
                         "(there are %zu, the first is 0)",
                         length, key, count);
  return nw_yaml_error(error, place, "'%.*s' is below a value, which has no keys", length, key);
}

/* Puts the value `text` at `path`. Every node that this makes says `place`. */
static bool put(struct nw_yaml *tree, const char *path, const char *text,
                const struct nw_yaml_place *place, struct nw_config_error *error) {
  struct nw_yaml_node *value = parse_into(tree, place->source, false, text, strlen(text), error);
  if (!value)
    return false;
  struct nw_yaml_node *node = tree->root;
  for (;;) {
    size_t length = strcspn(path, ".");
    if (!length)
      return nw_yaml_error(error, place, "found an empty key, expected path.to.key=VALUE");
    struct nw_yaml_node *child = find_child(node, path, length);
    if (!child && node->kind != NW_YAML_MAPPING)
      return no_such_child(node, path, (int)length, place, error);
    if (!child && !(child = append_child(tree, node, path, length, place)))
      return nw_yaml_error(error, place, "out of memory");
    node = child;
    path += length;
    if (!*path)
      break;
    path++;
  }
  value->key = node->key;
  value->key_place = *place;
  value->next = node->next;
  *node = *value;
  return true;
}

bool nw_yaml_set(struct nw_yaml *tree, const char *assignment, struct nw_config_error *error) {
  struct nw_yaml_place place = {.source = "--set"};
  char *label = tree_alloc(tree, strlen(assignment) + sizeof "--set ");
  const char *equals = strchr(assignment, '=');
  const char *path =
      tree_copy(tree, assignment, equals ? (size_t)(equals - assignment) : strlen(assignment));
  if (!label || !path)
    return nw_yaml_error(error, &place, "out of memory");
  strcpy(label, "--set ");
  strcat(label, assignment);
  place.source = label;
  if (!equals)
    return nw_yaml_error(error, &place, "found no '=', expected path.to.key=VALUE");
  if (!equals[1])
    return nw_yaml_error(error, &place, "found no value, expected path.to.key=VALUE");
  return put(tree, path, equals + 1, &place, error);
}

bool nw_yaml_default(struct nw_yaml *tree, const char *path, const char *value,
                     struct nw_config_error *error) {
  static const struct nw_yaml_place place = {.source = "default"};
  return nw_yaml_find(tree, path) ? true : put(tree, path, value, &place, error);
}

bool nw_yaml_rewrite(struct nw_yaml *tree, struct nw_yaml_node *node, const char *text) {
  const char *copy = tree_copy(tree, text, strlen(text));
  if (copy)
    node->text = copy;
  return copy != NULL;
}
