/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/yaml_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words and numbers need no quotes; anything else gets them. */
static bool is_plain(const struct nw_yaml_node *node) {
  static const char characters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+/-";
  const char *text = node->text;
  return !node->quoted && *text && text[strspn(text, characters)] == '\0' && *text != '-';
}

static void write_scalar(FILE *out, const struct nw_yaml_node *node) {
  if (is_plain(node)) {
    fputs(node->text, out);
    return;
  }
  putc('"', out);
  for (const char *at = node->text; *at; at++) {
    unsigned char c = (unsigned char)*at;
    if (c < 0x20 || c == 0x7f)
      fprintf(out, "\\x%02x", c);
    else
      fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
  }
  putc('"', out);
}

static void write_flow(FILE *out, const struct nw_yaml_node *node) {
  if (node->kind == NW_YAML_SCALAR) {
    write_scalar(out, node);
    return;
  }
  bool mapping = node->kind == NW_YAML_MAPPING;
  putc(mapping ? '{' : '[', out);
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (mapping)
      fprintf(out, "%s: ", child->key);
    write_flow(out, child);
    if (child->next)
      fputs(", ", out);
  }
  putc(mapping ? '}' : ']', out);
}

static void write_block(FILE *out, const struct nw_yaml_node *node, int indent) {
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    bool group = child->kind == NW_YAML_MAPPING && child->first;
    fprintf(out, "%*s%s:", indent, "", child->key);
    putc(group ? '\n' : ' ', out);
    if (group) {
      write_block(out, child, indent + 2);
      continue;
    }
    write_flow(out, child);
    putc('\n', out);
  }
}

static char *written(const struct nw_yaml_node *node, bool block) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out)
    return NULL;
  if (block)
    write_block(out, node, 0);
  else
    write_flow(out, node);
  if (fclose(out) == 0)
    return text;
  free(text);
  return NULL;
}

char *nw_yaml_text(const struct nw_yaml_node *root) {
  return written(root, true);
}

char *nw_yaml_flow(const struct nw_yaml_node *node) {
  return written(node, false);
}
