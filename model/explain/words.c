/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/words.h"

#include <inttypes.h>
#include <string.h>

#include "core/format.h"

const struct nw_words *nw_words_of(const struct nw_regime *regime) {
  static const struct nw_words *const words[NW_ARCHITECTURES] = {
      [NW_ARMV7] = &nw_words_armv7, [NW_X86_64] = &nw_words_x86};
  return words[regime->architecture];
}

const struct nw_format_words *nw_format_words_of(const struct nw_regime *regime, unsigned stage) {
  const struct nw_format_words *const *words = nw_words_of(regime)->formats;
  const char *name = (stage == 1 ? regime->s1_format : regime->s2_format)->name;
  while (words[1] && strcmp((*words)->format, name) != 0)
    words++;
  return *words;
}

static uint64_t extract(uint64_t value, const struct nw_field_words *field) {
  unsigned width = field->high - field->low + 1u;
  return value >> field->low & (((uint64_t)1 << width) - 1);
}

static const struct nw_layout *layout_of(const struct nw_format_words *format, unsigned level,
                                         uint64_t descriptor) {
  const struct nw_layout *layout = format->layout;
  while (layout->kind &&
         !((layout->levels >> level & 1) && (descriptor & layout->mask) == layout->match))
    layout++;
  return layout->kind ? layout : NULL;
}

static void tell_field(FILE *out, const struct nw_field_words *field, uint64_t descriptor) {
  uint64_t value = extract(descriptor, field);
  fprintf(out, ", %s=%" PRIu64, field->name, value);
  if (field->values && field->values[value])
    fprintf(out, " (%s)", field->values[value]);
}

void nw_tell_descriptor(FILE *out, const struct nw_regime *regime, unsigned stage, unsigned level,
                        uint64_t descriptor) {
  const struct nw_words *words = nw_words_of(regime);
  const struct nw_format_words *format = nw_format_words_of(regime, stage);
  const struct nw_layout *layout = layout_of(format, level, descriptor);
  fputs(layout ? layout->kind : "unknown", out);
  if (layout && layout->address) {
    uint64_t address =
        format->address ? format->address(layout, descriptor) : descriptor & layout->address;
    fprintf(out, ", address 0x%0*" PRIx64, words->pa_digits, address);
    for (const struct nw_field_words *field = layout->field; field->name; field++)
      tell_field(out, field, descriptor);
  }
  fprintf(out, " (%s)", format->section);
}

void nw_tell_register(FILE *out, const char *name, uint64_t value, int digits,
                      const struct nw_field_words *field, const char *indent) {
  fprintf(out, "%s%s = 0x%0*" PRIx64 ":", indent, name, digits, value);
  for (; field->name; field++)
    fprintf(out, " %s=0x%" PRIx64, field->name, extract(value, field));
  fputc('\n', out);
}

const char *nw_level_text(const struct nw_format_words *format, unsigned level,
                          char text[NW_LEVEL_TEXT]) {
  if (format->level_names)
    snprintf(text, NW_LEVEL_TEXT, "level %u (%s)", level, format->level_names[level]);
  else
    snprintf(text, NW_LEVEL_TEXT, "level %u", level);
  return text;
}
