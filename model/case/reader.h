/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a case file line by line and keeps the state that its lines set. One item a line:
 *
 *   format 1              the first item
 *   regime NAME           registers keep their values, but none may contradict the new regime
 *   mem FILE@ADDR         bytes of FILE, beside the case file, at physical ADDR
 *   ram A-B               memory that reads as 0, both ends included
 *   nomem A-B             no memory: a descriptor read gets an external abort
 *   walk s1|s2|s12        which stages answer
 *   reg NAME VALUE
 *   update-check          report descriptor updates
 *   maxphyaddr N, cap NAME 0|1   what an x86 machine can do; checked, and without effect on ARM
 *   cpu ..., path ...     for other implementations
 *   q ACC PRIV VA         a query; ACC r, w or x, PRIV priv or user
 *
 * `#` starts a comment, ` -> ` an answer, which is dropped. Every line takes effect for the queries
 * after it. Numbers are decimal or 0x, at most 64 bits, without a sign.
 */
#ifndef NW_CASE_READER_H
#define NW_CASE_READER_H

#include <stdio.h>

#include <nestwalk/walk.h>

#include "case/memory.h"

enum nw_case_item {
  NW_CASE_END = 0, /* the file is read, and was good */
  NW_CASE_LINE,    /* a line that asks nothing; `line` has it */
  NW_CASE_QUERY,   /* a query; `line` has it without its answer and line end */
  NW_CASE_ERROR,   /* bad input; `error` says what */
};

/* A value that a `reg` line gave. */
struct nw_case_register {
  uint64_t value;
  uint64_t line;    /* at which it took effect; 0: not given */
  bool contradicts; /* the regime there is now: no query can be answered */
};

struct nw_case_reader {
  /* what a query needs */
  const char *line;     /* the line read last, not terminated */
  size_t length;        /* its bytes, without line end */
  const char *line_end; /* "\n" or "\r\n" */
  struct nw_request request;
  uint64_t query; /* number of the query read last, 1 is the first */
  struct nw_regime regime;
  enum nw_scope scope;
  bool update_check;
  struct nw_capabilities capabilities;
  uint64_t regimes;  /* changes whenever the regime or a capability was set; 0: no regime yet */
  uint64_t revision; /* changes whenever a register or the regime was written */
  struct nw_case_memory *memory;
  char error[512];

  /* the reader's own */
  const char *path;
  char *directory; /* of the case file, with a trailing slash, or "" */
  FILE *in;
  char *buffer;
  size_t buffer_size;
  uint64_t line_number;
  bool has_format;
  struct nw_case_register reg[NW_ARCHITECTURES][NW_REGISTERS];
};

/**
 * Opens the case file `path` ("-": standard input); `path` must outlive the reader. False with a
 * sentence in reader->error when it cannot be. Close the reader in either case.
 */
bool nw_case_open(struct nw_case_reader *reader, const char *path);
void nw_case_close(struct nw_case_reader *reader);

/** Reads the next line and does what it says. After NW_CASE_END or NW_CASE_ERROR only close. */
enum nw_case_item nw_case_next(struct nw_case_reader *reader);

#endif
