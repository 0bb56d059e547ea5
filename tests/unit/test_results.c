/* SPDX-License-Identifier: Apache-2.0 */
/* Results files: points whole or not at all, claims that die with their process, wrong files. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/results_merge.h"

static char folder[] = "/tmp/test_results.XXXXXX";
static char path[64], other_path[64];

static const struct nw_results_value values[] = {
    {.name = "sim.cycles", .unit = "Cycle", .description = "Cycles", .count = UINT64_C(1) << 60},
    {.name = "sim.seconds", .unit = "Second", .description = "Time", .is_real = true, .real = 0.25},
};

static struct nw_results_point point(const char *key, const char *mode, const char *entries) {
  return (struct nw_results_point){
      .key = key,
      .version = "1",
      .mode = mode,
      .method = "simulation",
      .finished = "2026-01-01T00:00:00Z",
      .seed = 1,
      .machine = {"m", entries},
      .sweep = {"s", "machines: [m]\n"},
      .trace = {"/a/t.nwt", "00", "sort words", "armv7", 100},
      .values = values,
      .value_count = 2,
  };
}

static void open_results(struct nw_results *results, const char *file,
                         enum nw_results_access access) {
  if (!nw_results_open(results, file, access))
    fail_msg("%s", results->error);
}

static bool has(struct nw_results *results, const char *key) {
  bool there;
  assert_true(nw_results_has(results, key, "1", &there));
  return there;
}

static void points_come_back_with_everything(void **state) {
  (void)state;
  struct nw_results results;
  struct nw_table table;
  struct nw_results_point points[] = {
      point("k1", "native", "mmu:\n  l2: {entries: 64}\n"),
      point("k2", "nested", "mmu:\n  l2: {entries: 1K}\nmemory:\n  caches: [{size: 32}]\n"),
  };
  open_results(&results, path, NW_RESULTS_WRITE);
  assert_true(nw_results_add(&results, points, 2));
  assert_true(has(&results, "k1"));
  assert_false(has(&results, "k3"));
  assert_true(nw_table_load(&results, &table));
  assert_int_equal(table.row_count, 2);
  assert_string_equal(nw_table_find(&table, "trace")->cells[0].text, "t");
  assert_string_equal(nw_table_find(&table, "mode")->cells[1].text, "nested");
  assert_string_equal(nw_table_find(&table, "mmu.l2.entries")->cells[1].text, "1K");
  assert_true(nw_table_find(&table, "mmu.l2.entries")->cells[1].number > 1023.0);
  assert_null(nw_table_find(&table, "memory.caches.0.size")->cells[0].text);
  assert_string_equal(nw_table_find(&table, "memory.caches.0.size")->cells[1].text, "32");
  assert_string_equal(nw_table_find(&table, "sim.cycles")->cells[0].text, "1152921504606846976");
  assert_string_equal(nw_table_find(&table, "sim.seconds")->cells[0].text, "0.25");
  assert_string_equal(nw_table_find(&table, "sim.cycles")->unit, "Cycle");
  assert_true(nw_table_find(&table, "mode")->varies);
  assert_false(nw_table_find(&table, "trace")->varies);
  nw_table_free(&table);
  nw_results_close(&results);
}

static size_t rows_with(const char *condition) {
  struct nw_results results;
  struct nw_table table;
  char error[NW_RESULTS_ERROR];
  open_results(&results, path, NW_RESULTS_READ);
  assert_true(nw_table_load(&results, &table));
  nw_results_close(&results);
  size_t rows = nw_table_filter(&table, condition, error) ? table.row_count : SIZE_MAX;
  nw_table_free(&table);
  return rows;
}

static void conditions_choose_rows(void **state) {
  (void)state;
  assert_int_equal(rows_with("mode=native"), 1);
  assert_int_equal(rows_with("mode=n*"), 2);
  assert_int_equal(rows_with("mode!=n*"), 0);
  assert_int_equal(rows_with("mode!=native"), 1);
  assert_int_equal(rows_with("mmu.l2.entries=1024"), 1);
  assert_int_equal(rows_with("mmu.l2.entries<1K"), 1);
  assert_int_equal(rows_with("mmu.l2.entries<=1K"), 2);
  assert_int_equal(rows_with("mmu.l2.entries>64"), 1);
  assert_int_equal(rows_with("mmu.l2.entries>=64"), 2);
  assert_int_equal(rows_with("memory.caches.0.size=32"), 1);
  assert_int_equal(rows_with("sim.cycles>0"), 2);
  assert_int_equal(rows_with("nothing=1"), SIZE_MAX);
  assert_int_equal(rows_with("mode"), SIZE_MAX);
  assert_int_equal(rows_with("=native"), SIZE_MAX);
  assert_int_equal(rows_with("mode="), SIZE_MAX);
  assert_int_equal(rows_with("mode<native"), SIZE_MAX);
}

static void a_point_that_is_there_stays_as_it_is(void **state) {
  (void)state;
  struct nw_results results;
  struct nw_results_point again = point("k1", "shadow", "x: 1\n");
  open_results(&results, path, NW_RESULTS_WRITE);
  assert_true(nw_results_add(&results, &again, 1));
  nw_results_close(&results);
  assert_int_equal(rows_with("mode=shadow"), 0);
}

static void a_file_merged_twice_is_merged_once(void **state) {
  (void)state;
  struct nw_results results;
  struct nw_results_point points[] = {point("k2", "nested", "x: 1\n"),
                                      point("k3", "agile", "y: 2\n")};
  uint64_t added;
  open_results(&results, other_path, NW_RESULTS_WRITE);
  assert_true(nw_results_add(&results, points, 2));
  nw_results_close(&results);
  open_results(&results, path, NW_RESULTS_WRITE);
  assert_true(nw_results_merge(&results, other_path, &added));
  assert_int_equal(added, 1);
  assert_true(nw_results_merge(&results, other_path, &added));
  assert_int_equal(added, 0);
  assert_true(nw_results_merge(&results, path, &added));
  assert_int_equal(added, 0);
  nw_results_close(&results);
  assert_int_equal(rows_with("mode=agile"), 1);
  assert_int_equal(rows_with("sim.seconds=0.25"), 3);
}

static void another_outcome_of_the_same_point_is_refused(void **state) {
  (void)state;
  struct nw_results results;
  struct nw_results_value value = values[0];
  struct nw_results_point points[] = {point("k1", "native", "x: 1\n"),
                                      point("k9", "native", "z: 1\n")};
  uint64_t added;
  value.count = 5;
  points[0].values = &value;
  points[0].value_count = 1;
  unlink(other_path);
  open_results(&results, other_path, NW_RESULTS_WRITE);
  assert_true(nw_results_add(&results, points, 2));
  nw_results_close(&results);
  open_results(&results, path, NW_RESULTS_WRITE);
  assert_false(nw_results_merge(&results, other_path, &added));
  assert_non_null(strstr(results.error, "sim.cycles of the point with key k1 is not the same"));
  assert_false(has(&results, "k9"));
  nw_results_close(&results);
}

/* A child that claims a point and waits to be killed. */
static pid_t claimant(const char *key) {
  int ready[2];
  char byte;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    struct nw_results results;
    byte = nw_results_open(&results, path, NW_RESULTS_WRITE) && nw_results_claim(&results, key);
    if (write(ready[1], &byte, 1) == 1)
      pause();
    _exit(1);
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(byte, 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

static void a_claim_ends_with_its_process(void **state) {
  (void)state;
  struct nw_results results;
  open_results(&results, path, NW_RESULTS_WRITE);
  pid_t child = claimant("k7");
  assert_false(nw_results_claim(&results, "k7"));
  assert_true(nw_results_claim(&results, "k8"));
  /* SQLite's own locks and ours do not hinder each other. */
  struct nw_results_point more = point("k10", "native", "x: 3\n");
  assert_true(nw_results_add(&results, &more, 1));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  assert_true(nw_results_claim(&results, "k7"));
  nw_results_unclaim(&results, "k7");
  child = claimant("k7");
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  nw_results_close(&results);
}

static const char *refused(const char *file, enum nw_results_access access) {
  static struct nw_results results;
  if (nw_results_open(&results, file, access))
    fail_msg("%s was accepted", file);
  return results.error;
}

static void run_sql(const char *file, const char *sql) {
  sqlite3 *database;
  assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
  assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(database);
}

static void wrong_files_are_told_apart(void **state) {
  (void)state;
  char file[80];
  snprintf(file, sizeof file, "%s/wrong", folder);
  assert_non_null(strstr(refused(file, NW_RESULTS_READ), "No such file"));
  FILE *out = fopen(file, "w");
  fclose(out);
  assert_non_null(strstr(refused(file, NW_RESULTS_READ), "an empty file"));
  out = fopen(file, "w");
  for (int i = 0; i < 1000; i++)
    fputs("not a database. ", out);
  fclose(out);
  assert_non_null(strstr(refused(file, NW_RESULTS_WRITE), "found no SQLite database"));
  unlink(file);
  run_sql(file, "CREATE TABLE songs (name TEXT)");
  assert_non_null(strstr(refused(file, NW_RESULTS_WRITE), "database of another program"));
  unlink(file);
  run_sql(path, "PRAGMA user_version=7");
  assert_non_null(strstr(refused(path, NW_RESULTS_READ),
                         "found results of schema version 7, expected version 1"));
  run_sql(path, "PRAGMA user_version=1");
  assert_non_null(strstr(refused(folder, NW_RESULTS_WRITE), folder));
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(path, sizeof path, "%s/r.db", folder);
  snprintf(other_path, sizeof other_path, "%s/o.db", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(path);
  unlink(other_path);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(points_come_back_with_everything),
      cmocka_unit_test(conditions_choose_rows),
      cmocka_unit_test(a_point_that_is_there_stays_as_it_is),
      cmocka_unit_test(a_file_merged_twice_is_merged_once),
      cmocka_unit_test(another_outcome_of_the_same_point_is_refused),
      cmocka_unit_test(a_claim_ends_with_its_process),
      cmocka_unit_test(wrong_files_are_told_apart),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
