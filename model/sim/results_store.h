/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results files: SQLite databases that hold the outcome of every point that was run
 * (docs/results.md has the schema).
 *
 * A point is in the file with all of its statistics or not at all: each is one transaction, written
 * through to the disk. A process that runs a point claims it first with a lock on a byte far beyond
 * the database's end, which the operating system gives back whatever ends the process; so sweeps
 * that share a file share the work, and a killed one leaves nothing behind.
 */
#ifndef NW_SIM_RESULTS_STORE_H
#define NW_SIM_RESULTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#define NW_RESULTS_VERSION 1
#define NW_RESULTS_ERROR 1024

struct nw_results {
  char *path;
  sqlite3 *database;
  int claims; /* descriptor for the locks; -1: reads only */
  char error[NW_RESULTS_ERROR];
};

enum nw_results_access {
  NW_RESULTS_READ = 0, /* the file must be there */
  NW_RESULTS_WRITE,    /* is made where it is missing */
};

/* One file of text, such as a machine: kept once under its checksum. */
struct nw_results_text {
  const char *name, *text;
};

struct nw_results_trace {
  const char *path, *checksum, *command, *architecture;
  uint64_t references;
};

struct nw_results_value {
  const char *name, *unit, *description;
  bool is_real;
  uint64_t count;
  double real;
};

struct nw_results_point {
  const char *key, *version, *mode, *method, *finished;
  uint64_t seed, limit;
  double seconds;
  struct nw_results_text machine, sweep;
  struct nw_results_trace trace;
  const struct nw_results_value *values;
  size_t value_count;
};

/* On failure false, and results->error says why; what has been opened is closed. */
bool nw_results_open(struct nw_results *results, const char *path, enum nw_results_access access);
void nw_results_close(struct nw_results *results);

/* Whether the point was run by this version of nestwalk. False: results->error. */
bool nw_results_has(struct nw_results *results, const char *key, const char *version, bool *has);

/* Adds points, all or none; those that are there stay as they are. False: results->error. */
bool nw_results_add(struct nw_results *results, const struct nw_results_point *points,
                    size_t count);

/* Takes a point for this process alone; false when another one has it. Claims of one process do not
 * exclude each other. */
bool nw_results_claim(struct nw_results *results, const char *key);
void nw_results_unclaim(struct nw_results *results, const char *key);

/* Writes what went wrong in the database last, with the file's name, to results->error; false. */
bool nw_results_failed(struct nw_results *results, const char *doing);

#endif
