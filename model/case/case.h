/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Case files: self-contained translation problems. Here they are answered and explained; their
 * grammar is in reader.h.
 */
#ifndef NW_CASE_CASE_H
#define NW_CASE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum nw_case_status {
  NW_CASE_ANSWERED = 0,
  NW_CASE_FAILED = 1,    /* the case is good, but writing or memory failed */
  NW_CASE_BAD_INPUT = 2, /* the case is not well formed, or asks for what is not there */
};

struct nw_case_options {
  bool trace;      /* every descriptor access as a comment line after its query */
  bool keep_state; /* one MMU with TLBs and walk caches answers all queries of both stages */
};

/**
 * Writes every line of the case file `path` ("-": standard input) to `out`, each query with its
 * answer. What stands before a bad line has been written when that line is met. Unless
 * NW_CASE_ANSWERED is returned, `error` has a sentence that names the file and the line.
 */
enum nw_case_status nw_case_translate(const char *path, const struct nw_case_options *options,
                                      FILE *out, char *error, size_t error_size);

struct nw_drawing;

struct nw_case_explaining {
  uint64_t query;             /* its number, 1 is the first; 0: every query */
  uint32_t latency;           /* cycles of each memory access of the walker */
  bool keep_state;            /* as above; the queries before those that are explained count */
  FILE *text;                 /* for people, reference by reference; or NULL */
  struct nw_drawing *drawing; /* gets a grid for each query; or NULL */
};

/**
 * Shows how queries of the case file `path` come to their answers. A query that the file does not
 * have is bad input.
 */
enum nw_case_status nw_case_explain(const char *path, const struct nw_case_explaining *explaining,
                                    char *error, size_t error_size);

#endif
