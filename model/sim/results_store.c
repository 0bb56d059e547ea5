/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "sim/results_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define APPLICATION_ID 0x4e575253 /* "NWRS" */
#define PATIENCE_MILLISECONDS 120000

/* The largest SQLite database has 2^48 bytes: nothing of it is here. */
#define CLAIMS_BASE (INT64_C(1) << 62)
#define CLAIMS_MASK ((UINT64_C(1) << 61) - 1)

static const char schema[] =
    "CREATE TABLE sweep (id INTEGER PRIMARY KEY, checksum TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE TABLE machine (id INTEGER PRIMARY KEY, checksum TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE trace (id INTEGER PRIMARY KEY, checksum TEXT NOT NULL UNIQUE, path TEXT NOT NULL,"
    " command TEXT NOT NULL, architecture TEXT NOT NULL, reference_count INTEGER NOT NULL);"
    "CREATE TABLE point (id INTEGER PRIMARY KEY, key TEXT NOT NULL, version TEXT NOT NULL,"
    " sweep INTEGER NOT NULL REFERENCES sweep, machine INTEGER NOT NULL REFERENCES machine,"
    " trace INTEGER NOT NULL REFERENCES trace, mode TEXT NOT NULL, seed INTEGER NOT NULL,"
    " reference_limit INTEGER NOT NULL, method TEXT NOT NULL, finished TEXT NOT NULL,"
    " seconds REAL NOT NULL, UNIQUE (key, version));"
    "CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL,"
    " description TEXT NOT NULL);"
    "CREATE TABLE statistic (point INTEGER NOT NULL REFERENCES point,"
    " name INTEGER NOT NULL REFERENCES name, value NOT NULL, PRIMARY KEY (point, name))"
    " WITHOUT ROWID;";

/* -- what went wrong -------------------------------------------------------------------------- */

static bool __attribute__((format(printf, 2, 3)))
refuse(struct nw_results *results, const char *format, ...) {
  char sentence[NW_RESULTS_ERROR / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  snprintf(results->error, sizeof results->error, "%.400s: %s", results->path, sentence);
  return false;
}

bool nw_results_failed(struct nw_results *results, const char *doing) {
  int code = results->database ? sqlite3_errcode(results->database) & 0xff : SQLITE_NOMEM;
  int cause = results->database ? sqlite3_system_errno(results->database) : 0;
  switch (code) {
  case SQLITE_FULL:
    return refuse(results, "the disk is full; what was finished before stays (%s)", doing);
  case SQLITE_READONLY:
    return refuse(results, "cannot be written: the file or its folder is read-only (%s)", doing);
  case SQLITE_CANTOPEN:
    return refuse(results, "%s", cause ? strerror(cause) : "cannot be opened");
  case SQLITE_IOERR:
    return refuse(results, "reading or writing failed: %s (%s)",
                  cause ? strerror(cause) : sqlite3_errmsg(results->database), doing);
  case SQLITE_NOTADB:
    return refuse(results, "found no SQLite database, expected a results file of nestwalk");
  case SQLITE_CORRUPT:
    return refuse(results, "the database is damaged (%s)", doing);
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return refuse(results, "another process has kept it locked for %d s (%s)",
                  PATIENCE_MILLISECONDS / 1000, doing);
  default:
    return refuse(results, "%s (%s)",
                  results->database ? sqlite3_errmsg(results->database) : "out of memory", doing);
  }
}

static bool execute(struct nw_results *results, const char *sql, const char *doing) {
  return sqlite3_exec(results->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
         nw_results_failed(results, doing);
}

/* -- opening ---------------------------------------------------------------------------------- */

/* The first column of a statement's first row as a number. */
static bool ask_number(struct nw_results *results, const char *sql, int64_t *number) {
  sqlite3_stmt *statement = NULL;
  bool good = sqlite3_prepare_v2(results->database, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
  if (good)
    *number = sqlite3_column_int64(statement, 0);
  else
    nw_results_failed(results, "opening");
  sqlite3_finalize(statement);
  return good;
}

static bool check_whole(struct nw_results *results) {
  sqlite3_stmt *statement = NULL;
  bool asked = sqlite3_prepare_v2(results->database, "PRAGMA quick_check(1)", -1, &statement,
                                  NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
  const char *answer = asked ? (const char *)sqlite3_column_text(statement, 0) : NULL;
  bool good = answer && !strcmp(answer, "ok");
  if (answer && !good)
    refuse(results, "the database is damaged: %.300s", answer);
  else if (!good)
    nw_results_failed(results, "checking it");
  sqlite3_finalize(statement);
  return good;
}

/* Whether it is a results file of our version; *empty when it is nothing yet. */
static bool check_kind(struct nw_results *results, bool *empty) {
  int64_t id, version, tables;
  if (!ask_number(results, "PRAGMA application_id", &id) ||
      !ask_number(results, "PRAGMA user_version", &version) ||
      !ask_number(results, "SELECT count(*) FROM sqlite_master", &tables))
    return false;
  *empty = !id && !version && !tables;
  if (*empty)
    return true;
  if (id != APPLICATION_ID)
    return refuse(results, "found an SQLite database of another program, expected a results file "
                           "of nestwalk");
  if (version != NW_RESULTS_VERSION)
    return refuse(results,
                  "found results of schema version %" PRId64 ", expected version %d, the one that "
                  "this nestwalk knows",
                  version, NW_RESULTS_VERSION);
  return true;
}

/* Two processes may come here at once: whoever gets the lock makes the tables. */
static bool make_tables(struct nw_results *results) {
  char kind[120];
  bool empty = true;
  if (!execute(results, "BEGIN IMMEDIATE", "making the tables"))
    return false;
  snprintf(kind, sizeof kind, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
           NW_RESULTS_VERSION);
  bool good =
      check_kind(results, &empty) && (!empty || (execute(results, schema, "making the tables") &&
                                                 execute(results, kind, "making the tables")));
  if (good)
    return execute(results, "COMMIT", "making the tables");
  sqlite3_exec(results->database, "ROLLBACK", NULL, NULL, NULL);
  return false;
}

static bool set_up(struct nw_results *results, enum nw_results_access access) {
  bool empty;
  sqlite3_busy_timeout(results->database, PATIENCE_MILLISECONDS);
  sqlite3_extended_result_codes(results->database, 1);
  if (!check_kind(results, &empty))
    return false;
  if (empty && access == NW_RESULTS_READ)
    return refuse(results, "found an empty file, expected results of nestwalk");
  /* EXTRA: a commit has reached the disk, the removal of its journal included. */
  if (access == NW_RESULTS_WRITE &&
      !execute(results, "PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON", "opening"))
    return false;
  if (empty && !make_tables(results))
    return false;
  return check_whole(results);
}

bool nw_results_open(struct nw_results *results, const char *path, enum nw_results_access access) {
  *results = (struct nw_results){.path = strdup(path), .claims = -1};
  if (!results->path) {
    snprintf(results->error, sizeof results->error, "%.400s: out of memory", path);
    return false;
  }
  int flags = access == NW_RESULTS_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                         : SQLITE_OPEN_READONLY;
  bool good = sqlite3_open_v2(path, &results->database, flags, NULL) == SQLITE_OK ||
              nw_results_failed(results, "opening");
  if (good && access == NW_RESULTS_WRITE && sqlite3_db_readonly(results->database, "main") == 1)
    good = refuse(results, "cannot be written: the file is read-only");
  good = good && set_up(results, access);
  /* Closing any descriptor of the file would drop SQLite's own locks, so this one stays open. */
  if (good && access == NW_RESULTS_WRITE && (results->claims = open(path, O_RDWR | O_CLOEXEC)) < 0)
    good = refuse(results, "%s", strerror(errno));
  if (!good) {
    char error[NW_RESULTS_ERROR];
    memcpy(error, results->error, sizeof error);
    nw_results_close(results);
    memcpy(results->error, error, sizeof error);
  }
  return good;
}

void nw_results_close(struct nw_results *results) {
  sqlite3_close(results->database);
  if (results->claims >= 0)
    close(results->claims);
  free(results->path);
  *results = (struct nw_results){.claims = -1};
}

/* -- claims ----------------------------------------------------------------------------------- */

static bool lock_point(const struct nw_results *results, const char *key, short type) {
  struct flock lock = {.l_type = type,
                       .l_whence = SEEK_SET,
                       .l_start =
                           CLAIMS_BASE + (int64_t)(XXH3_64bits(key, strlen(key)) & CLAIMS_MASK),
                       .l_len = 1};
  return fcntl(results->claims, F_OFD_SETLK, &lock) == 0;
}

bool nw_results_claim(struct nw_results *results, const char *key) {
  return lock_point(results, key, F_WRLCK);
}

void nw_results_unclaim(struct nw_results *results, const char *key) {
  lock_point(results, key, F_UNLCK);
}

/* -- points ----------------------------------------------------------------------------------- */

/* Binds by type: 's' text, 'i' a whole number, 'd' a real one. False: results->error. */
static sqlite3_stmt *prepare(struct nw_results *results, const char *sql, const char *types, ...) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(results->database, sql, -1, &statement, NULL) != SQLITE_OK) {
    nw_results_failed(results, "preparing");
    return NULL;
  }
  va_list arguments;
  va_start(arguments, types);
  for (int i = 1; *types; i++, types++) {
    if (*types == 's')
      sqlite3_bind_text(statement, i, va_arg(arguments, const char *), -1, SQLITE_TRANSIENT);
    else if (*types == 'i')
      sqlite3_bind_int64(statement, i, (sqlite3_int64)va_arg(arguments, uint64_t));
    else
      sqlite3_bind_double(statement, i, va_arg(arguments, double));
  }
  va_end(arguments);
  return statement;
}

/* Runs a statement, which may be NULL, to its end and frees it. *id, unless NULL, gets the first
 * column of its row; *found whether there was one. */
static bool finish(struct nw_results *results, sqlite3_stmt *statement, int64_t *id, bool *found) {
  if (!statement)
    return false;
  int code = sqlite3_step(statement);
  bool row = code == SQLITE_ROW;
  if (row && id)
    *id = sqlite3_column_int64(statement, 0);
  if (found)
    *found = row;
  bool good = row || code == SQLITE_DONE || nw_results_failed(results, "a statement");
  sqlite3_finalize(statement);
  return good;
}

bool nw_results_has(struct nw_results *results, const char *key, const char *version, bool *has) {
  return finish(
      results,
      prepare(results, "SELECT id FROM point WHERE key=? AND version=?", "ss", key, version), NULL,
      has);
}

static void text_checksum(const char *text, char out[17]) {
  snprintf(out, 17, "%016" PRIx64, (uint64_t)XXH3_64bits(text, strlen(text)));
}

static bool add_text(struct nw_results *results, const char *insert, const char *select,
                     const struct nw_results_text *text, int64_t *id) {
  char checksum[17];
  text_checksum(text->text, checksum);
  return finish(results, prepare(results, insert, "sss", checksum, text->name, text->text), NULL,
                NULL) &&
         finish(results, prepare(results, select, "s", checksum), id, NULL);
}

static bool add_trace(struct nw_results *results, const struct nw_results_trace *trace,
                      int64_t *id) {
  return finish(results,
                prepare(results,
                        "INSERT OR IGNORE INTO trace (checksum, path, command, architecture,"
                        " reference_count) VALUES (?,?,?,?,?)",
                        "ssssi", trace->checksum, trace->path, trace->command, trace->architecture,
                        trace->references),
                NULL, NULL) &&
         finish(results,
                prepare(results, "SELECT id FROM trace WHERE checksum=?", "s", trace->checksum), id,
                NULL);
}

static bool add_value(struct nw_results *results, int64_t point,
                      const struct nw_results_value *value) {
  int64_t name = 0;
  if (!finish(results,
              prepare(results,
                      "INSERT OR IGNORE INTO name (name, unit, description) VALUES (?,?,?)", "sss",
                      value->name, value->unit, value->description),
              NULL, NULL) ||
      !finish(results, prepare(results, "SELECT id FROM name WHERE name=?", "s", value->name),
              &name, NULL))
    return false;
  static const char sql[] = "INSERT INTO statistic (point, name, value) VALUES (?,?,?)";
  sqlite3_stmt *statement =
      value->is_real ? prepare(results, sql, "iid", (uint64_t)point, (uint64_t)name, value->real)
                     : prepare(results, sql, "iii", (uint64_t)point, (uint64_t)name, value->count);
  return finish(results, statement, NULL, NULL);
}

static bool add_point(struct nw_results *results, const struct nw_results_point *point) {
  int64_t machine = 0, sweep = 0, trace = 0;
  bool there;
  if (!nw_results_has(results, point->key, point->version, &there))
    return false;
  if (there)
    return true;
  if (!add_text(results, "INSERT OR IGNORE INTO machine (checksum, name, text) VALUES (?,?,?)",
                "SELECT id FROM machine WHERE checksum=?", &point->machine, &machine) ||
      !add_text(results, "INSERT OR IGNORE INTO sweep (checksum, name, text) VALUES (?,?,?)",
                "SELECT id FROM sweep WHERE checksum=?", &point->sweep, &sweep) ||
      !add_trace(results, &point->trace, &trace) ||
      !finish(results,
              prepare(results,
                      "INSERT INTO point (key, version, sweep, machine, trace, mode, seed,"
                      " reference_limit, method, finished, seconds) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                      "ssiiisiissd", point->key, point->version, (uint64_t)sweep, (uint64_t)machine,
                      (uint64_t)trace, point->mode, point->seed, point->limit, point->method,
                      point->finished, point->seconds),
              NULL, NULL))
    return false;
  int64_t id = sqlite3_last_insert_rowid(results->database);
  for (size_t i = 0; i < point->value_count; i++) {
    if (!add_value(results, id, &point->values[i]))
      return false;
  }
  return true;
}

bool nw_results_add(struct nw_results *results, const struct nw_results_point *points,
                    size_t count) {
  if (!execute(results, "BEGIN IMMEDIATE", "writing results"))
    return false;
  bool good = true;
  for (size_t i = 0; good && i < count; i++)
    good = add_point(results, &points[i]);
  if (good && execute(results, "COMMIT", "writing results"))
    return true;
  sqlite3_exec(results->database, "ROLLBACK", NULL, NULL, NULL);
  return false;
}
