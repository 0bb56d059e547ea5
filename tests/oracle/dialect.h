/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the machines that answer: the names in the case file, which memory there is,
 * what can be asked and how, and what the answers mean.
 */
#ifndef NW_ORACLE_DIALECT_H
#define NW_ORACLE_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"
#include "questions.h"

struct reader;

struct range {
  uint64_t first, last; /* inclusive */
};

#define DIALECT_RANGES 2

struct dialect_register {
  const char *name;
  unsigned number; /* in the protocol */
  unsigned bits;
};

struct dialect {
  const char *name; /* in messages */
  const struct machine *machine;
  const char *const *regimes;               /* up to NULL */
  unsigned first_regime;                    /* what the protocol calls the first of them */
  const struct dialect_register *registers; /* up to one without a name */
  const char *const *capabilities;          /* up to NULL */
  const char *lacks; /* a capability that the machine has not; NULL: none that is asked about */
  unsigned va_bits;
  size_t answer_size; /* the most bytes that an answer has */

  /** RAM that cases have, and the holes where there is surely none. */
  void (*memory)(unsigned maxphyaddr, struct range ram[DIALECT_RANGES],
                 struct range holes[DIALECT_RANGES]);

  /** Why a query cannot be asked, or NULL. */
  const char *(*why_not_asked)(const struct reader *reader, const struct oracle_line *line);

  /** Notes at the line what its answer may be trusted with, and sends what the query needs:
   * registers by reader_send(), then the words of the query itself by reader_ask(). */
  void (*ask)(struct reader *reader, struct oracle_line *line);

  /** Prints the answer that begins at `answer`; returns where the next one begins, or NULL where
   * there is none before `end`. */
  const void *(*print)(const struct oracle_line *line, const void *answer, const void *end,
                       bool raw);
};

extern const struct dialect armv7_dialect, x86_dialect, ept_dialect, ept_lesser_dialect;

/* -- the state of the case file at a line ------------------------------------------------------ */

enum walk { WALK_BOTH, WALK_STAGE1, WALK_STAGE2 };

#define READER_REGISTERS 32

struct reader {
  struct oracle_questions *questions;
  const struct dialect *dialect;
  const char *path;
  const char *slash; /* after the last one in `path` */
  size_t number;     /* of the line */
  struct oracle_line *line;
  bool all;        /* ask even what may stop the machine */
  unsigned regime; /* index into the dialect's */
  bool update_check;
  const char *missing_capability; /* that the machine cannot do without, but the case does */
  enum walk walk;
  struct range ram[DIALECT_RANGES], holes[DIALECT_RANGES];
  uint64_t reg[READER_REGISTERS]; /* by number in the protocol */
  bool given[READER_REGISTERS];
  uint64_t sent[READER_REGISTERS];
  size_t queries; /* index of the word that counts the queries of the command in hand; 0: none */
  struct range *written;
  size_t ranges, range_room;
};

/** Sends a register unless it has that value already. */
void reader_send(struct reader *reader, unsigned number, uint64_t value);

/** Sends the words of one query. */
void reader_ask(struct reader *reader, const uint32_t *word, size_t words);

#endif
