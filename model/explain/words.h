/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an architecture's manual speaks: names of registers, levels, descriptors and their bit
 * fields. It is data, with functions only for what a table cannot say. What a descriptor does is
 * the core's to say; here its fields only get the manual's names.
 */
#ifndef NW_EXPLAIN_WORDS_H
#define NW_EXPLAIN_WORDS_H

#include <stdio.h>

#include <nestwalk/walk.h>

struct nw_field_words {
  const char *name;
  uint8_t high, low;
  const char *const *values; /* by value, NULL where the number says it all */
};

#define NW_LAYOUT_FIELDS 18

/* One kind of descriptor: it is of this kind when it fits. The first layout of a list that fits is
 * the one. */
struct nw_layout {
  const char *kind;
  uint8_t levels;                                /* bit mask of the levels at which it stands */
  uint64_t mask, match;                          /* of the bits that tell the kind */
  uint64_t address;                              /* mask of the output address; 0: it has none */
  struct nw_field_words field[NW_LAYOUT_FIELDS]; /* ends with an empty name */
};

/* A descriptor format, by the name that the core gives it. */
struct nw_format_words {
  const char *format;
  const char *section;            /* of the manual */
  const struct nw_layout *layout; /* ends with an empty kind */
  /* A descriptor's output address where it is in more places than the layout's mask says; NULL. */
  uint64_t (*address)(const struct nw_layout *layout, uint64_t descriptor);
  const char *const *level_names; /* by level, NULL: levels have numbers only */
};

struct nw_register_words {
  const char *name;
  unsigned reg;
  uint32_t regimes; /* bit mask of the kinds that have it */
};

struct nw_words {
  const char *ipa;                           /* what an intermediate physical address is called */
  const char *user, *privileged;             /* whose code makes the access */
  uint8_t va_digits, pa_digits;              /* hexadecimal */
  const struct nw_register_words *registers; /* ends with an empty name */
  const struct nw_format_words *const *formats; /* ends with NULL */
  /* Sentences, each with its line end. Why the walk begins where it does, stage 1 being on or off;
   * the same of stage 2; */
  void (*tell_stage1)(FILE *out, const struct nw_regime *regime, uint64_t va);
  void (*tell_stage2)(FILE *out, const struct nw_regime *regime);
  /* memory attributes of a translation, or NULL; */
  void (*tell_memory)(FILE *out, const struct nw_result *result);
  /* how a fault is reported. */
  void (*tell_syndrome)(FILE *out, const struct nw_regime *regime, const struct nw_fault *fault,
                        const char *indent);
  /* Which sections of the manual a fault's check and its report are in. */
  const char *(*fault_section)(const struct nw_regime *regime, const struct nw_fault *fault);
  const char *(*report_section)(const struct nw_regime *regime, const struct nw_fault *fault);
};

extern const struct nw_words nw_words_armv7;
extern const struct nw_words nw_words_x86;

const struct nw_words *nw_words_of(const struct nw_regime *regime);

/** The words of the format that stage `stage` of the regime has. */
const struct nw_format_words *nw_format_words_of(const struct nw_regime *regime, unsigned stage);

/** One line: what a descriptor of stage `stage` and level `level` is, its fields, and where the
 * manual has them. No line end. */
void nw_tell_descriptor(FILE *out, const struct nw_regime *regime, unsigned stage, unsigned level,
                        uint64_t descriptor);

/** A register's value and its fields as a line that begins with `indent`. */
void nw_tell_register(FILE *out, const char *name, uint64_t value, int digits,
                      const struct nw_field_words *field, const char *indent);

/** "level 2", or with the manual's name for it: "level 2 (PDE)". Returns `text`. */
#define NW_LEVEL_TEXT 32
const char *nw_level_text(const struct nw_format_words *format, unsigned level,
                          char text[NW_LEVEL_TEXT]);

#endif
