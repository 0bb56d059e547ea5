/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case file turned into the commands of protocol.h. Every line is kept; each query knows whether
 * it is asked, how, and what its answer may be trusted with.
 */
#ifndef NW_ORACLE_QUESTIONS_H
#define NW_ORACLE_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dialect;

struct oracle_line {
  char *text; /* without line end; a query without its answer */
  bool query;
  char access; /* query: r, w or x */
  bool user;
  uint64_t va;
  bool stage2;           /* query: stage 2 is on */
  bool attributes;       /* query: the machine's attributes can be trusted */
  bool combined;         /* query: they are those of both stages */
  bool updates;          /* query: what it changes in the tables is reported */
  const char *not_asked; /* query: why it cannot be asked, or NULL */
};

struct oracle_questions {
  const struct dialect *dialect; /* of the machine that is asked */
  unsigned maxphyaddr;           /* x86: of the machine */
  struct oracle_line *line;
  size_t lines, line_room;
  uint32_t *word; /* the commands */
  size_t words, word_room;
  size_t asked; /* queries that have an answer to come */
  char error[512];
};

/**
 * Reads the case file; false with a sentence in questions->error. Free it in either case. `all`
 * asks even what may stop the machine.
 */
bool oracle_questions_read(struct oracle_questions *questions, const char *path, bool all);
void oracle_questions_free(struct oracle_questions *questions);

#endif
