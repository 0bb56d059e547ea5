/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function checks one kind of value; the schema says which. Nothing here knows what a machine
 * is.
 */
#include "sim/yaml_schema.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LENGTH 256

struct checker {
  struct nw_yaml *tree;
  const struct nw_number_rule *rules;
  struct nw_config_error *error;
};

static bool check_value(struct checker *c, const cyaml_schema_value_t *schema,
                        struct nw_yaml_node *node, const char *path);

/* -- numbers ---------------------------------------------------------------------------------- */

/* True if `path` has the shape of `pattern`; `*` is any one key. */
static bool path_matches(const char *pattern, const char *path) {
  for (; *pattern; pattern++) {
    if (*pattern == '*') {
      path += strcspn(path, ".");
    } else if (*pattern != *path++) {
      return false;
    }
  }
  return !*path;
}

static const struct nw_number_rule *rule_of(const struct checker *c, const char *path) {
  static const struct nw_number_rule anything = {"", NW_NUMBER_COUNT, 0, UINT32_MAX};
  for (const struct nw_number_rule *rule = c->rules; rule && rule->pattern; rule++) {
    if (path_matches(rule->pattern, path))
      return rule;
  }
  return &anything;
}

static bool shift_of_unit(const char *unit, unsigned *shift) {
  static const char letters[] = "KMGT";
  *shift = 0;
  if (!*unit)
    return true;
  const char *letter = strchr(letters, *unit);
  if (!letter || (unit[1] && strcmp(unit + 1, "iB") != 0))
    return false;
  *shift = 10u * (unsigned)(letter - letters + 1);
  return true;
}

/* Digits of a base up to the first other character; false when there are none or too many. */
static bool parse_digits(const char **text, unsigned base, uint64_t *value) {
  static const char digits[] = "0123456789abcdef";
  const char *start = *text;
  for (*value = 0;; (*text)++) {
    char c = **text >= 'A' && **text <= 'F' ? (char)(**text + 32) : **text;
    const char *digit = c ? memchr(digits, c, base) : NULL;
    if (!digit)
      return *text > start;
    uint64_t one = (uint64_t)(digit - digits);
    if (*value > (UINT64_MAX - one) / base)
      return false;
    *value = *value * base + one;
  }
}

bool nw_yaml_number(const char *text, enum nw_number_kind kind, uint64_t *value) {
  if (kind == NW_NUMBER_ADDRESS && !strncmp(text, "0x", 2)) {
    text += 2;
    return parse_digits(&text, 16, value) && !*text;
  }
  if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
    return false; /* octal to some, decimal to others */
  unsigned shift = 0;
  if (!parse_digits(&text, 10, value) ||
      !(kind == NW_NUMBER_COUNT ? !*text : shift_of_unit(text, &shift)) ||
      *value > UINT64_MAX >> shift)
    return false;
  *value <<= shift;
  return true;
}

/* Bytes in the largest unit that gives a whole number. */
static void format_bytes(char *out, size_t size, uint64_t bytes) {
  static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
  unsigned unit = 0;
  while (unit < 4 && bytes && !(bytes & 1023)) {
    bytes >>= 10;
    unit++;
  }
  snprintf(out, size, "%" PRIu64 "%s", bytes, units[unit]);
}

static bool bad_number(struct checker *c, const struct nw_yaml_node *node, const char *path,
                       const struct nw_number_rule *rule, const char *kind) {
  char low[40], high[40];
  if (rule->kind == NW_NUMBER_COUNT) {
    snprintf(low, sizeof low, "%" PRIu64, rule->minimum);
    snprintf(high, sizeof high, "%" PRIu64, rule->maximum);
  } else {
    format_bytes(low, sizeof low, rule->minimum);
    format_bytes(high, sizeof high, rule->maximum);
  }
  return nw_yaml_error(c->error, &node->place, "%s: found %s%s%s, expected %s from %s to %s", path,
                       node->quoted ? "the string '" : "'", node->text, "'", kind, low, high);
}

static bool check_unsigned(struct checker *c, struct nw_yaml_node *node, const char *path) {
  static const char *const kinds[] = {
      [NW_NUMBER_COUNT] = "a whole number",
      [NW_NUMBER_BYTES] = "a size in bytes (such as 4096, 64KiB, 1MiB)",
      [NW_NUMBER_ADDRESS] = "an address or size in bytes (such as 0x10000000 or 64KiB)",
  };
  const struct nw_number_rule *rule = rule_of(c, path);
  uint64_t value;
  char digits[24];
  if (node->quoted || !nw_yaml_number(node->text, rule->kind, &value) || value < rule->minimum ||
      value > rule->maximum)
    return bad_number(c, node, path, rule, kinds[rule->kind]);
  snprintf(digits, sizeof digits, "%" PRIu64, value);
  if (!nw_yaml_rewrite(c->tree, node, digits))
    return nw_yaml_error(c->error, &node->place, "out of memory");
  return true;
}

static size_t digits_at(const char *text) {
  return strspn(text, "0123456789");
}

/* Digits, a fraction, an exponent; no sign, since no number here may be negative. */
static bool is_decimal(const char *text) {
  size_t whole = digits_at(text), fraction = 0;
  if (!whole || (whole > 1 && text[0] == '0'))
    return false;
  text += whole;
  if (*text == '.') {
    fraction = digits_at(++text);
    if (!fraction)
      return false;
    text += fraction;
  }
  if (*text == 'e' || *text == 'E') {
    text++;
    text += *text == '+' || *text == '-';
    size_t exponent = digits_at(text);
    if (!exponent)
      return false;
    text += exponent;
  }
  return !*text;
}

static bool check_float(struct checker *c, struct nw_yaml_node *node, const char *path) {
  const struct nw_number_rule *rule = rule_of(c, path);
  if (!node->quoted && is_decimal(node->text)) {
    double value = strtod(node->text, NULL);
    if (isfinite(value) && value >= (double)rule->minimum && value <= (double)rule->maximum)
      return true;
  }
  return bad_number(c, node, path, rule, "a number");
}

/* -- words ------------------------------------------------------------------------------------ */

/* "a, b, c" */
static void list_words(char *out, size_t size, const cyaml_strval_t *words, uint32_t count) {
  size_t used = 0;
  out[0] = '\0';
  for (uint32_t i = 0; i < count && used < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i].str);
}

static bool check_word(struct checker *c, const cyaml_schema_value_t *schema,
                       const struct nw_yaml_node *node, const char *path) {
  char words[256];
  for (uint32_t i = 0; i < schema->enumeration.count; i++) {
    if (!strcmp(schema->enumeration.strings[i].str, node->text))
      return true;
  }
  list_words(words, sizeof words, schema->enumeration.strings, schema->enumeration.count);
  return nw_yaml_error(c->error, &node->place, "%s: found '%s', expected %s%s", path, node->text,
                       schema->enumeration.count > 1 ? "one of " : "", words);
}

static bool check_bool(struct checker *c, const struct nw_yaml_node *node, const char *path) {
  if (!node->quoted && (!strcmp(node->text, "true") || !strcmp(node->text, "false")))
    return true;
  return nw_yaml_error(c->error, &node->place, "%s: found '%s', expected true or false", path,
                       node->text);
}

static bool check_string(struct checker *c, const cyaml_schema_value_t *schema,
                         const struct nw_yaml_node *node, const char *path) {
  size_t length = strlen(node->text);
  if (length < schema->string.min || length > schema->string.max)
    return nw_yaml_error(c->error, &node->place,
                         "%s: found '%.80s', %zu bytes long, expected %u to %u bytes", path,
                         node->text, length, schema->string.min, schema->string.max);
  return true;
}

/* -- groups ----------------------------------------------------------------------------------- */

static const char *describe(enum nw_yaml_kind kind) {
  static const char *const kinds[] = {
      [NW_YAML_SCALAR] = "a value",
      [NW_YAML_MAPPING] = "a group of keys",
      [NW_YAML_SEQUENCE] = "a list",
  };
  return kinds[kind];
}

static bool join(struct checker *c, const struct nw_yaml_node *node, char *out, const char *path,
                 const char *key) {
  int length = snprintf(out, PATH_MAX_LENGTH, "%s%s%s", path, *path ? "." : "", key);
  if (length < 0 || length >= PATH_MAX_LENGTH)
    return nw_yaml_error(c->error, &node->place, "keys are too long");
  return true;
}

static bool unknown_key(struct checker *c, const cyaml_schema_field_t *fields,
                        const struct nw_yaml_node *node, const char *path) {
  char keys[400];
  size_t used = 0;
  for (const cyaml_schema_field_t *field = fields; field->key && used < sizeof keys; field++)
    used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", field == fields ? "" : ", ",
                             field->key);
  return nw_yaml_error(c->error, &node->key_place,
                       "found the unknown key '%.80s'%s%s, expected one "
                       "of %s",
                       node->key, *path ? " in " : "", path, keys);
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields, const char *key) {
  for (; fields->key; fields++) {
    if (!strcmp(fields->key, key))
      return fields;
  }
  return NULL;
}

static bool check_mapping(struct checker *c, const cyaml_schema_value_t *schema,
                          struct nw_yaml_node *node, const char *path) {
  const cyaml_schema_field_t *fields = schema->mapping.fields;
  char below[PATH_MAX_LENGTH];
  for (struct nw_yaml_node *child = node->first; child; child = child->next) {
    const cyaml_schema_field_t *field = field_of(fields, child->key);
    if (!field)
      return unknown_key(c, fields, child, path);
    if (!join(c, child, below, path, child->key) || !check_value(c, &field->value, child, below))
      return false;
  }
  for (; fields->key; fields++) {
    if (!(fields->value.flags & CYAML_FLAG_OPTIONAL) && !nw_yaml_child(node, fields->key))
      return nw_yaml_error(c->error, &node->place, "found no key '%s'%s%s, which is required",
                           fields->key, *path ? " in " : "", path);
  }
  return true;
}

static bool check_sequence(struct checker *c, const cyaml_schema_value_t *schema,
                           struct nw_yaml_node *node, const char *path) {
  bool words = schema->type == CYAML_FLAGS;
  char below[PATH_MAX_LENGTH], index[24];
  uint32_t count = 0;
  for (struct nw_yaml_node *child = node->first; child; child = child->next, count++) {
    snprintf(index, sizeof index, "%" PRIu32, count);
    if (!join(c, child, below, path, index))
      return false;
    if (words && child->kind != NW_YAML_SCALAR)
      return nw_yaml_error(c->error, &child->place, "%s: found %s, expected a value", below,
                           describe(child->kind));
    if (words ? !check_word(c, schema, child, below)
              : !check_value(c, schema->sequence.entry, child, below))
      return false;
  }
  if (words && !count)
    return nw_yaml_error(c->error, &node->place,
                         "%s: found an empty list, expected one element "
                         "at least",
                         path);
  if (!words && (count < schema->sequence.min || count > schema->sequence.max))
    return nw_yaml_error(c->error, &node->place, "%s: found %u elements, expected %u to %u", path,
                         count, schema->sequence.min, schema->sequence.max);
  return true;
}

static enum nw_yaml_kind kind_wanted(const cyaml_schema_value_t *schema) {
  switch (schema->type) {
  case CYAML_MAPPING:
    return NW_YAML_MAPPING;
  case CYAML_SEQUENCE:
  case CYAML_FLAGS:
    return NW_YAML_SEQUENCE;
  default:
    return NW_YAML_SCALAR;
  }
}

static bool check_value(struct checker *c, const cyaml_schema_value_t *schema,
                        struct nw_yaml_node *node, const char *path) {
  enum nw_yaml_kind wanted = kind_wanted(schema);
  if (node->kind != wanted) {
    bool scalar = node->kind == NW_YAML_SCALAR;
    return nw_yaml_error(c->error, &node->place, "%s: found %s%s%s, expected %s",
                         *path ? path : "the file", scalar ? "'" : "",
                         scalar ? node->text : describe(node->kind), scalar ? "'" : "",
                         describe(wanted));
  }
  switch (schema->type) {
  case CYAML_MAPPING:
    return check_mapping(c, schema, node, path);
  case CYAML_SEQUENCE:
  case CYAML_FLAGS:
    return check_sequence(c, schema, node, path);
  case CYAML_UINT:
    return check_unsigned(c, node, path);
  case CYAML_FLOAT:
    return check_float(c, node, path);
  case CYAML_BOOL:
    return check_bool(c, node, path);
  case CYAML_ENUM:
    return check_word(c, schema, node, path);
  case CYAML_STRING:
    return check_string(c, schema, node, path);
  default:
    return nw_yaml_error(c->error, &node->place, "%s: its type has no strict reader", path);
  }
}

bool nw_yaml_check(struct nw_yaml *tree, const cyaml_schema_value_t *schema,
                   const struct nw_number_rule *rules, struct nw_config_error *error) {
  struct checker c = {.tree = tree, .rules = rules, .error = error};
  return check_value(&c, schema, nw_yaml_root(tree), "");
}

/* -- filling ---------------------------------------------------------------------------------- */

static void write_string(FILE *out, const char *text) {
  putc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      fprintf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      fprintf(out, "\\x%02x", c);
    else
      putc(c, out);
  }
  putc('"', out);
}

/* In flow form with every key and value in quotes, which libcyaml reads like plain ones. */
static void write_node(FILE *out, const struct nw_yaml_node *node) {
  if (node->kind == NW_YAML_SCALAR) {
    write_string(out, node->text);
    return;
  }
  bool mapping = node->kind == NW_YAML_MAPPING;
  putc(mapping ? '{' : '[', out);
  for (const struct nw_yaml_node *child = node->first; child; child = child->next) {
    if (mapping) {
      write_string(out, child->key);
      fputs(": ", out);
    }
    write_node(out, child);
    if (child->next)
      fputs(",\n", out);
  }
  putc(mapping ? '}' : ']', out);
}

/* Keeps libcyaml's first complaint. */
static void __attribute__((format(printf, 3, 0)))
keep_log(cyaml_log_t level, void *context, const char *format, va_list arguments) {
  struct nw_config_error *error = context;
  if (level >= CYAML_LOG_ERROR && !error->message[0])
    vsnprintf(error->message, sizeof error->message, format, arguments);
}

void *nw_yaml_fill(const struct nw_yaml *tree, const cyaml_schema_value_t *schema,
                   struct nw_config_error *error) {
  struct nw_yaml_place place = {.source = nw_yaml_root(tree)->place.source};
  struct nw_config_error log = {""};
  cyaml_config_t config = {
      .log_fn = keep_log, .log_ctx = &log, .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem};
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) {
    nw_yaml_error(error, &place, "out of memory");
    return NULL;
  }
  write_node(out, nw_yaml_root(tree));
  cyaml_data_t *data = NULL;
  if (fclose(out) != 0) {
    nw_yaml_error(error, &place, "out of memory");
  } else {
    cyaml_err_t result = cyaml_load_data((const uint8_t *)text, size, &config, schema, &data, NULL);
    if (result != CYAML_OK) {
      log.message[strcspn(log.message, "\n")] = '\0';
      nw_yaml_error(error, &place, "%s (%.900s)", cyaml_strerror(result), log.message);
      data = NULL;
    }
  }
  free(text);
  return data;
}

void nw_yaml_unload(const cyaml_schema_value_t *schema, void *data) {
  cyaml_config_t config = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
  cyaml_free(&config, schema, data, 0);
}
