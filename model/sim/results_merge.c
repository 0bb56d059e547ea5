/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/results_merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The same point from two files: `theirs` is the other's, `ours` this file's. */
#define SAME_POINT                                                                                 \
  " other.point AS theirs JOIN main.point AS ours"                                                 \
  " ON ours.key = theirs.key AND ours.version = theirs.version"

static const char *const steps[] = {
    "INSERT OR IGNORE INTO sweep (checksum, name, text)"
    " SELECT checksum, name, text FROM other.sweep",
    "INSERT OR IGNORE INTO machine (checksum, name, text)"
    " SELECT checksum, name, text FROM other.machine",
    "INSERT OR IGNORE INTO trace (checksum, path, command, architecture, reference_count)"
    " SELECT checksum, path, command, architecture, reference_count FROM other.trace",
    "INSERT OR IGNORE INTO name (name, unit, description)"
    " SELECT name, unit, description FROM other.name",
    "INSERT OR IGNORE INTO point (key, version, sweep, machine, trace, mode, seed, reference_limit,"
    " method, finished, seconds)"
    " SELECT p.key, p.version, s.id, m.id, t.id, p.mode, p.seed, p.reference_limit, p.method,"
    " p.finished, p.seconds FROM other.point AS p"
    " JOIN other.sweep AS os ON os.id = p.sweep JOIN main.sweep AS s ON s.checksum = os.checksum"
    " JOIN other.machine AS om ON om.id = p.machine"
    " JOIN main.machine AS m ON m.checksum = om.checksum"
    " JOIN other.trace AS ot ON ot.id = p.trace JOIN main.trace AS t ON t.checksum = ot.checksum"
    " ORDER BY p.id",
    "INSERT OR IGNORE INTO statistic (point, name, value) SELECT ours.id, n.id, v.value"
    " FROM" SAME_POINT " JOIN other.statistic AS v ON v.point = theirs.id"
    " JOIN other.name AS on_ ON on_.id = v.name JOIN main.name AS n ON n.name = on_.name",
};

#define POINT_STEP 4 /* the one that adds points */

/* Points that are in both files must be the same: what was simulated is deterministic. */
static const char conflicts[] =
    "SELECT theirs.key, on_.name FROM" SAME_POINT
    " JOIN other.statistic AS v ON v.point = theirs.id"
    " JOIN other.name AS on_ ON on_.id = v.name JOIN main.name AS n ON n.name = on_.name"
    " LEFT JOIN main.statistic AS mine ON mine.point = ours.id AND mine.name = n.id"
    " WHERE mine.value IS NOT v.value LIMIT 1";

static bool attach(struct nw_results *results, const char *path) {
  sqlite3_stmt *statement = NULL;
  bool good = sqlite3_prepare_v2(results->database, "ATTACH ? AS other", -1, &statement, NULL) ==
                  SQLITE_OK &&
              sqlite3_bind_text(statement, 1, path, -1, SQLITE_TRANSIENT) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_finalize(statement);
  return good || nw_results_failed(results, "opening the other file");
}

static bool check_conflicts(struct nw_results *results, const char *path) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(results->database, conflicts, -1, &statement, NULL) != SQLITE_OK)
    return nw_results_failed(results, "comparing");
  int code = sqlite3_step(statement);
  bool good = code == SQLITE_DONE;
  if (code == SQLITE_ROW)
    snprintf(results->error, sizeof results->error,
             "%.300s: %s of the point with key %s is not the same as in %.300s, expected equal "
             "results of equal points",
             path, sqlite3_column_text(statement, 1), sqlite3_column_text(statement, 0),
             results->path);
  else if (!good)
    nw_results_failed(results, "comparing");
  sqlite3_finalize(statement);
  return good;
}

static bool run_steps(struct nw_results *results, const char *path, uint64_t *added) {
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (sqlite3_exec(results->database, steps[i], NULL, NULL, NULL) != SQLITE_OK)
      return nw_results_failed(results, "merging");
    if (i == POINT_STEP)
      *added = (uint64_t)sqlite3_changes(results->database);
  }
  return check_conflicts(results, path);
}

static bool same_file(const char *a, const char *b) {
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

bool nw_results_merge(struct nw_results *results, const char *path, uint64_t *added) {
  struct nw_results other; /* its kind, version and wholeness are looked at first */
  *added = 0;
  if (same_file(results->path, path))
    return true;
  if (!nw_results_open(&other, path, NW_RESULTS_READ)) {
    memcpy(results->error, other.error, sizeof results->error);
    return false;
  }
  nw_results_close(&other);
  if (!attach(results, path))
    return false;
  bool good = sqlite3_exec(results->database, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ||
              nw_results_failed(results, "merging");
  good = good && run_steps(results, path, added);
  if (good && sqlite3_exec(results->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    good = nw_results_failed(results, "merging");
  if (!good)
    sqlite3_exec(results->database, "ROLLBACK", NULL, NULL, NULL);
  sqlite3_exec(results->database, "DETACH other", NULL, NULL, NULL);
  return good;
}
