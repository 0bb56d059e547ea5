/* SPDX-License-Identifier: Apache-2.0 */
/* Sweep files: what is read, which points come of it, and what is refused with which place. */
#define _GNU_SOURCE /* asprintf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/config.h"
#include "sim/sweep_points.h"
#include "support/trace_script.h"

static char folder[] = "/tmp/test_sweep_file.XXXXXX";
static char sweep_path[64], trace_path[64];

static void write_sweep(const char *text) {
  FILE *out = fopen(sweep_path, "w");
  assert_non_null(out);
  fputs(text, out);
  assert_int_equal(fclose(out), 0);
}

static void load(const char *text, struct nw_sweep *sweep) {
  struct nw_config_error error;
  write_sweep(text);
  if (!nw_sweep_load(sweep_path, sweep, &error))
    fail_msg("%s", error.message);
}

/* The message behind the file's name with which a sweep file is refused. */
static const char *refused(const char *text) {
  static struct nw_config_error error;
  struct nw_sweep sweep;
  write_sweep(text);
  if (nw_sweep_load(sweep_path, &sweep, &error))
    fail_msg("'%s' was accepted", text);
  nw_sweep_free(&sweep);
  assert_int_equal(strncmp(error.message, sweep_path, strlen(sweep_path)), 0);
  return error.message + strlen(sweep_path);
}

static void assert_values(const struct nw_sweep_axis *axis, size_t path, const char *expected) {
  char found[400] = "";
  for (size_t i = 0; i < axis->value_count; i++) {
    strcat(found, i ? " " : "");
    strcat(found, axis->value[path][i]);
  }
  assert_string_equal(found, expected);
}

/* -- reading ---------------------------------------------------------------------------------- */

static void lists_ranges_and_powers_give_their_values(void **state) {
  (void)state;
  struct nw_sweep sweep;
  load("machines: [teaching]\n"
       "axes:\n"
       "  - mmu.l2.entries: [16, 512, 64]\n"
       "  - mmu.l2.latency: {from: 1, to: 10, step: 3}\n"
       "  - memory.dram_latency: {from: 5, to: 12, step: 4}\n"
       "  - guest.memory: {from: 32MiB, to: 128MiB, times: 2}\n"
       "  - mmu.l1d.entries: {from: 3, to: 3, times: 10}\n"
       "  - hypervisor.stage2_pages: [[4K], [4K, 2M]]\n",
       &sweep);
  assert_int_equal(sweep.axis_count, 6);
  assert_string_equal(sweep.axes[0].path[0], "mmu.l2.entries");
  assert_values(&sweep.axes[0], 0, "16 512 64");
  assert_values(&sweep.axes[1], 0, "1 4 7 10");
  assert_values(&sweep.axes[2], 0, "5 9");
  assert_values(&sweep.axes[3], 0, "33554432 67108864 134217728");
  assert_values(&sweep.axes[4], 0, "3");
  assert_values(&sweep.axes[5], 0, "[4K] [4K, 2M]");
  nw_sweep_free(&sweep);
}

static void keys_of_one_element_go_together(void **state) {
  (void)state;
  struct nw_sweep sweep;
  load("machines: [teaching]\n"
       "axes:\n"
       "  - mmu.l1d.entries: {from: 16, to: 64, times: 2}\n"
       "    mmu.l1d.ways: [2, 4, 8]\n",
       &sweep);
  assert_int_equal(sweep.axis_count, 1);
  assert_int_equal(sweep.axes[0].path_count, 2);
  assert_values(&sweep.axes[0], 0, "16 32 64");
  assert_values(&sweep.axes[0], 1, "2 4 8");
  nw_sweep_free(&sweep);
}

static void what_is_not_said_has_a_default(void **state) {
  (void)state;
  struct nw_sweep sweep;
  load("machines: [teaching]\n", &sweep);
  assert_int_equal(sweep.file->modes_count, 1);
  assert_int_equal(sweep.file->modes[0], NW_MODE_NESTED);
  assert_int_equal(sweep.file->repeats, 1);
  assert_int_equal(sweep.file->seed, 1);
  assert_int_equal(sweep.file->limit, 0);
  assert_int_equal(sweep.file->statistics_count, 0);
  assert_false(sweep.file->skip_impossible);
  assert_null(sweep.file->title);
  nw_sweep_free(&sweep);
}

static void mistakes_are_told_with_their_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"title: x\n", ":1:1: found no key 'machines', which is required"},
      {"machines: [a]\nmode: [native]\n",
       ":2:1: found the unknown key 'mode', expected one of title, machines, workloads, modes, "
       "set, axes, statistics, limit, repeats, seed, skip_impossible"},
      {"machines: [a]\nmodes: [natve]\n",
       ":2:9: modes.0: found 'natve', expected one of native, nested, shadow, selective, agile"},
      {"machines: [a]\naxes: {mmu.l2.entries: [1]}\n",
       ":2:7: axes: expected a list, one element for each axis"},
      {"machines: [a]\naxes: [4]\n",
       ":2:8: axes: expected keys of the machine file with their values, such as mmu.l2.entries: "
       "[256, 512]"},
      {"machines: [a]\naxes:\n- mmu.l2.entries: 4\n",
       ":3:19: mmu.l2.entries: found '4', expected a list of values, or a range such as {from: "
       "16, to: 1024, times: 2}"},
      {"machines: [a]\naxes:\n- a: [1, 2]\n  b: [1]\n",
       ":4:6: b: found 1 values, expected 2, as many as of a, which goes with it"},
      {"machines: [a]\naxes:\n- a: []\n", ":3:6: a: found 0 values, expected 1 to 4096"},
      {"machines: [a]\naxes:\n- a: {from: 1, to: 9}\n",
       ":3:6: a: expected a range with from, to and one of step and times"},
      {"machines: [a]\naxes:\n- a: {from: 1, to: 9, step: 1, times: 2}\n",
       ":3:6: a: expected a range with from, to and one of step and times"},
      {"machines: [a]\naxes:\n- a: {from: 9, to: 1, step: 1}\n",
       ":3:6: a: found a range from 9 to 1, expected it to go upwards"},
      {"machines: [a]\naxes:\n- a: {from: 0, to: 9, times: 2}\n",
       ":3:6: a: found powers from 0, expected them from 1 or more"},
      {"machines: [a]\naxes:\n- a: {from: 1, to: 9, times: 1}\n",
       ":3:30: times: found '1', expected a whole number from 2 on"},
      {"machines: [a]\naxes:\n- a: {from: x, to: 9, times: 2}\n",
       ":3:13: from: found 'x', expected a whole number from 0 on"},
      {"machines: [a]\naxes:\n- a: {from: 1, till: 9, times: 2}\n",
       ":3:16: found the unknown key 'till', expected one of from, to, step, times"},
      {"machines: [a]\naxes:\n- a: {from: 1, to: 5000, step: 1}\n",
       ":3:6: a: found 4097 values, expected 1 to 4096"},
      {"machines: [a]\nset: [1]\n",
       ":2:6: set: expected keys of the machine file, each with its value"},
      {"machines: [a]\nrepeats: 0\n",
       ":2:10: repeats: found '0', expected a whole number from 1 to 1000"},
      {"- 4\n", ":1:1: the file: found a list, expected a group of keys"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_string_equal(refused(cases[i].text), cases[i].message);
}

/* -- points ----------------------------------------------------------------------------------- */

static char *find_machine(const char *machine, struct nw_config_error *error) {
  char *path = NULL;
  (void)error;
  return asprintf(&path, "%s/configs/machines/%s.yaml", getenv("top_srcdir"), machine) < 0 ? NULL
                                                                                           : path;
}

struct study {
  struct nw_sweep sweep;
  struct nw_trace *trace;
  struct nw_sweep_plan plan;
  struct nw_config_error error;
};

static bool make_plan(struct study *s, const char *text) {
  assert_int_equal(nw_trace_open(trace_path, &s->trace, NULL), NW_TRACE_OK);
  load(text, &s->sweep);
  return nw_sweep_plan_make(&s->sweep, &s->trace, 1, find_machine, &s->plan, &s->error);
}

static void drop_plan(struct study *s) {
  nw_sweep_plan_free(&s->plan);
  nw_sweep_free(&s->sweep);
  nw_trace_close(s->trace);
}

static void axes_are_crossed_the_last_one_fastest(void **state) {
  (void)state;
  struct study s;
  char name[200];
  static const char *const expected[] = {
      "t.nwt native mmu.l2.latency=1 mmu.l1d.entries=2 mmu.l1d.ways=2",
      "t.nwt native mmu.l2.latency=1 mmu.l1d.entries=4 mmu.l1d.ways=4",
      "t.nwt native mmu.l2.latency=5 mmu.l1d.entries=2 mmu.l1d.ways=2",
      "t.nwt native mmu.l2.latency=5 mmu.l1d.entries=4 mmu.l1d.ways=4",
      "t.nwt nested mmu.l2.latency=1 mmu.l1d.entries=2 mmu.l1d.ways=2",
  };
  assert_true(make_plan(&s, "machines: [teaching]\nmodes: [native, nested]\n"
                            "set: {memory.dram_latency: 70}\n"
                            "axes:\n- mmu.l2.latency: [1, 5]\n"
                            "- mmu.l1d.entries: [2, 4]\n  mmu.l1d.ways: [2, 4]\n"));
  assert_int_equal(s.plan.point_count, 8);
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    nw_point_name(&s.plan, &s.plan.points[i], name, sizeof name);
    assert_string_equal(name, expected[i]);
  }
  assert_int_equal(s.plan.points[3].config.mmu.l2.latency, 5);
  assert_int_equal(s.plan.points[3].config.mmu.l1d.entries, 4);
  assert_int_equal(s.plan.points[3].config.memory.dram_latency, 70);
  drop_plan(&s);
}

static void repeats_have_a_seed_each(void **state) {
  (void)state;
  struct study s;
  assert_true(make_plan(&s, "machines: [teaching]\nrepeats: 3\nseed: 7\n"));
  assert_int_equal(s.plan.point_count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(s.plan.points[i].seed, 7 + i);
    assert_int_equal(s.plan.points[i].config.seed, 7 + i);
  }
  assert_string_not_equal(s.plan.points[0].key, s.plan.points[1].key);
  drop_plan(&s);
}

static void the_same_point_twice_is_one(void **state) {
  (void)state;
  struct study s;
  assert_true(make_plan(&s, "machines: [teaching, teaching]\n"
                            "axes:\n- guest.memory: [64MiB, 64M, 67108864, 128M]\n"));
  assert_int_equal(s.plan.point_count, 2);
  drop_plan(&s);
}

static void a_key_depends_on_what_decides_the_result(void **state) {
  (void)state;
  static const char *const texts[] = {
      "machines: [teaching]\n",
      "machines: [teaching]\nmodes: [native]\n",
      "machines: [teaching]\nlimit: 5\n",
      "machines: [teaching]\nset: {mmu.l2.latency: 11}\n",
      "machines: [teaching]\nstatistics: ['mmu.*']\n",
  };
  char keys[sizeof texts / sizeof texts[0]][NW_POINT_KEY];
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct study s;
    assert_true(make_plan(&s, texts[i]));
    strcpy(keys[i], s.plan.points[0].key);
    drop_plan(&s);
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(keys[i], keys[j]);
  }
  /* Other words for the same point. */
  struct study s;
  assert_true(make_plan(&s, "title: other\nmachines: [teaching]\nmodes: [nested]\n"
                            "axes:\n- mmu.l2.latency: [10]\n"));
  assert_string_equal(s.plan.points[0].key, keys[0]);
  drop_plan(&s);
}

static void an_impossible_point_is_told_or_left_out(void **state) {
  (void)state;
  struct study s;
  static const char axes[] = "axes:\n- mmu.l2.ways: [1, 3, 4]\n";
  char text[200];
  snprintf(text, sizeof text, "machines: [teaching]\n%s", axes);
  assert_false(make_plan(&s, text));
  assert_non_null(strstr(s.error.message, "the point 't.nwt nested mmu.l2.ways=3' cannot be"));
  assert_non_null(strstr(s.error.message, "expected a divisor of its 16 entries"));
  drop_plan(&s);
  snprintf(text, sizeof text, "machines: [teaching]\nskip_impossible: true\n%s", axes);
  assert_true(make_plan(&s, text));
  assert_int_equal(s.plan.point_count, 2);
  assert_int_equal(s.plan.skipped, 1);
  drop_plan(&s);
}

static void the_machine_that_is_kept_is_the_machine(void **state) {
  (void)state;
  struct study s;
  struct nw_machine_config config;
  struct nw_config_error error;
  assert_true(make_plan(&s, "machines: [cortex-a15]\naxes:\n- mmu.l2.entries: [64]\n"));
  const struct nw_point *point = &s.plan.points[0];
  if (!nw_config_parse("kept", point->machine_text, strlen(point->machine_text), NULL, 0, &config,
                       &error))
    fail_msg("%s", error.message);
  assert_memory_equal(&config, &point->config, sizeof config);
  drop_plan(&s);
}

static void too_many_points_are_refused(void **state) {
  (void)state;
  struct study s;
  assert_false(make_plan(&s, "machines: [teaching]\naxes:\n"
                             "- mmu.l2.latency: {from: 1, to: 1000, step: 1}\n"
                             "- memory.dram_latency: {from: 1, to: 1000, step: 1}\n"));
  assert_non_null(strstr(s.error.message, "found more than 100000 points"));
  drop_plan(&s);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(sweep_path, sizeof sweep_path, "%s/s.yaml", folder);
  snprintf(trace_path, sizeof trace_path, "%s/t.nwt", folder);
  char text[] = "stream - 0\n0 block 65536 10\n0 exit 0 1\n";
  FILE *script = fmemopen(text, sizeof text - 1, "r");
  bool good = script && trace_script_write(script, "armv7", trace_path);
  if (script)
    fclose(script);
  return good ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  unlink(sweep_path);
  unlink(trace_path);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_ranges_and_powers_give_their_values),
      cmocka_unit_test(keys_of_one_element_go_together),
      cmocka_unit_test(what_is_not_said_has_a_default),
      cmocka_unit_test(mistakes_are_told_with_their_place),
      cmocka_unit_test(axes_are_crossed_the_last_one_fastest),
      cmocka_unit_test(repeats_have_a_seed_each),
      cmocka_unit_test(the_same_point_twice_is_one),
      cmocka_unit_test(a_key_depends_on_what_decides_the_result),
      cmocka_unit_test(an_impossible_point_is_told_or_left_out),
      cmocka_unit_test(the_machine_that_is_kept_is_the_machine),
      cmocka_unit_test(too_many_points_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
