/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics: their names, their two forms, how they are saved. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/comparison.h"
#include "sim/statistics.h"

/* A result in which every number is another one. */
static struct nw_run_result different_numbers(void) {
  struct nw_run_result result;
  memset(&result, 0, sizeof result);
  uint64_t next = 1000;
  uint64_t *machine = (uint64_t *)&result.machine, *mmu = (uint64_t *)&result.mmu;
  for (size_t i = 0; i < sizeof result.machine / sizeof *machine; i++)
    machine[i] = next += 7;
  for (size_t i = 0; i < sizeof result.mmu / sizeof *mmu; i++)
    mmu[i] = next += 7;
  for (size_t i = 0; i < NW_REQUESTERS; i++)
    result.dram[i] = next += 7;
  result.mode = NW_MODE_SHADOW;
  result.clock_mhz = 1000;
  result.complete = true;
  result.page_crossings = 5;
  result.caches = 1;
  strcpy(result.cache[0].name, "l2");
  for (size_t i = 0; i < NW_REQUESTERS; i++) {
    result.cache[0].counts.accesses[i] = 100 * (i + 1);
    result.cache[0].counts.hits[i] = 10 * (i + 1);
  }
  return result;
}

static uint64_t value(const struct nw_run_result *result, const char *name) {
  uint64_t count;
  if (!nw_statistics_find(result, name, &count))
    fail_msg("there is no %s", name);
  return count;
}

static void every_documented_name_is_there(void **state) {
  (void)state;
  static const char *const names[] = {
      "sim.references",
      "sim.instructions",
      "sim.cycles",
      "sim.complete",
      "sim.page_crossings",
      "mmu.l1i.accesses",
      "mmu.l1i.hits",
      "mmu.l1i.misses",
      "mmu.l1d.accesses",
      "mmu.l1d.hits",
      "mmu.l1d.misses",
      "mmu.l2.accesses",
      "mmu.l2.hits",
      "mmu.l2.misses",
      "mmu.l1d.hits.4K",
      "mmu.l1d.misses.4K",
      "mmu.l1d.hits.64K",
      "mmu.l2.hits.1M",
      "mmu.l2.misses.2M",
      "mmu.l2.misses.faulted",
      "mmu.rewalks",
      "mmu.walks",
      "mmu.walk_cycles",
      "mmu.walk_references",
      "mmu.walk_references.s1.l1",
      "mmu.walk_references.s1.l2",
      "mmu.walk_references.s1.l3",
      "mmu.walk_references.s1.l4",
      "mmu.walk_references.s1.l5",
      "mmu.walk_references.s2.l1",
      "mmu.walk_references.s2.l2",
      "mmu.walk_references.s2.l3",
      "mmu.walk_references.s2.l4",
      "mmu.walk_references.s2.l5",
      "mmu.walk_references.s2_for_s1.l1",
      "mmu.walk_references.s2_for_s1.l2",
      "mmu.walk_references.s2_for_s1.l3",
      "mmu.walk_references.s2_for_s1.l4",
      "mmu.walk_references.s2_for_s1.l5",
      "mmu.walk_references.s2_final",
      "mmu.walk_cycles::0",
      "mmu.walk_cycles::1",
      "mmu.walk_cycles::2-3",
      "mmu.walk_cycles::16-31",
      "mmu.walk_cycles::4194304-max",
      "mmu.walk_cache.lookups",
      "mmu.walk_cache.hits",
      "mmu.ipa_cache.lookups",
      "mmu.ipa_cache.hits",
      "mmu.faults",
      "mmu.faults.translation",
      "mmu.faults.accessflag",
      "mmu.faults.domain",
      "mmu.faults.permission",
      "mmu.faults.addrsize",
      "mmu.faults.extabort",
      "mmu.faults.alignment",
      "guest.page_faults",
      "guest.pte_writes",
      "guest.context_switches",
      "guest.syscalls",
      "hypervisor.exits",
      "hypervisor.exits.stage2_fault",
      "hypervisor.exits.pte_write",
      "hypervisor.exits.root_write",
      "hypervisor.exits.tlb_maintenance",
      "hypervisor.exits.hidden_fault",
      "hypervisor.exits.injected_fault",
      "hypervisor.exits.privilege_switch",
      "hypervisor.exits.mmio",
      "hypervisor.exits.hypercall",
      "hypervisor.exits.mode_switch",
      "hypervisor.cycles",
      "hypervisor.cycles.stage2_fault",
      "hypervisor.cycles.mode_switch",
      "shadow.steps",
      "shadow.steps.guest_walk",
      "shadow.steps.guest_permissions",
      "shadow.steps.slot",
      "shadow.steps.host_walk",
      "shadow.steps.host_permissions",
      "shadow.steps.establish",
      "shadow.steps.invalidate",
      "shadow.step_cycles",
      "shadow.step_cycles.slot",
      "shadow.pages",
      "shadow.bytes",
      "cycles.base",
      "cycles.memory",
      "cycles.translation",
      "cycles.guest_kernel",
      "cycles.exits",
      "memory.l2.accesses",
      "memory.l2.accesses.walker",
      "memory.l2.hits",
      "memory.l2.hits.instruction",
      "memory.l2.misses.data",
      "memory.dram.accesses",
      "memory.dram.accesses.walker",
  };
  struct nw_run_result nothing;
  memset(&nothing, 0, sizeof nothing);
  nothing.caches = 1;
  strcpy(nothing.cache[0].name, "l2");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    assert_int_equal(value(&nothing, names[i]), 0);
}

static void names_give_their_own_numbers(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  assert_int_equal(value(&r, "sim.references"), r.machine.references - 5);
  assert_int_equal(value(&r, "sim.instructions"), r.machine.instructions);
  assert_int_equal(value(&r, "mmu.l1d.misses"), r.mmu.l1d.misses);
  assert_int_equal(value(&r, "mmu.l2.hits.4K"), r.mmu.l2.hits_by_size[0]);
  assert_int_equal(value(&r, "mmu.l1i.misses.faulted"), r.mmu.l1i.misses_faulted);
  assert_int_equal(value(&r, "mmu.walk_references.s1.l3"), r.mmu.s1[3]);
  assert_int_equal(value(&r, "mmu.walk_references.s2.l1"), r.mmu.s2[1]);
  assert_int_equal(value(&r, "mmu.walk_references.s2_for_s1.l2"), r.mmu.s2_for_s1[2]);
  assert_int_equal(value(&r, "mmu.walk_cycles::16-31"), r.mmu.walk_cycles_histogram[5]);
  assert_int_equal(value(&r, "mmu.faults.extabort"), r.mmu.faults[NW_FAULT_EXTERNAL_ABORT]);
  assert_int_equal(value(&r, "hypervisor.exits.mmio"), r.machine.exits[NW_EXIT_MMIO]);
  assert_int_equal(value(&r, "hypervisor.cycles.mmio"), r.machine.exit_cycles[NW_EXIT_MMIO]);
  assert_int_equal(value(&r, "shadow.steps.establish"),
                   r.machine.shadow_steps[NW_SHADOW_ESTABLISH]);
  assert_int_equal(value(&r, "shadow.step_cycles.host_walk"),
                   r.machine.shadow_step_cycles[NW_SHADOW_HOST_WALK]);
  assert_int_equal(value(&r, "memory.l2.accesses"), 600);
  assert_int_equal(value(&r, "memory.l2.hits"), 60);
  assert_int_equal(value(&r, "memory.l2.misses.walker"), 270);
  assert_int_equal(value(&r, "cycles.exits"), r.machine.cycles_exits);
  uint64_t unused;
  assert_false(nw_statistics_find(&r, "sim.nothing", &unused));
}

static void totals_are_the_sums_of_their_parts(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  uint64_t exits = 0, steps = 0, faults = 0, walks = 0;
  for (int i = 0; i < NW_EXIT_CAUSES; i++)
    exits += r.machine.exits[i];
  for (int i = 0; i < NW_SHADOW_STEPS; i++)
    steps += r.machine.shadow_steps[i];
  for (int i = 0; i < NW_FAULT_TYPES; i++)
    faults += r.mmu.faults[i];
  for (int i = 0; i < NW_WALK_CYCLE_BUCKETS; i++)
    walks += r.mmu.walk_cycles_histogram[i];
  assert_int_equal(value(&r, "hypervisor.exits"), exits);
  assert_int_equal(value(&r, "shadow.steps"), steps);
  assert_int_equal(value(&r, "mmu.faults"), faults);
  assert_int_equal(value(&r, "mmu.walk_cycles::total"), walks);
  assert_int_equal(value(&r, "sim.cycles"),
                   r.machine.cycles_base + r.machine.cycles_memory + r.machine.cycles_translation +
                       r.machine.cycles_guest_kernel + r.machine.cycles_exits);
}

struct collection {
  char names[400][96];
  size_t count;
};

static void collect(void *context, const struct nw_statistic *statistic) {
  struct collection *c = context;
  assert_true(c->count < 400);
  snprintf(c->names[c->count++], 96, "%s", statistic->name);
  assert_true(statistic->description[0] && statistic->unit[0]);
  assert_null(strchr(statistic->name, ' '));
}

static void no_name_comes_twice(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  static struct collection c;
  c.count = 0;
  nw_statistics_visit(&r, collect, &c);
  for (size_t i = 0; i < c.count; i++) {
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(c.names[i], c.names[j]);
  }
}

static void text_and_json_say_the_same(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  char *text = NULL, line[300], name[100], number[100], hash[8];
  size_t size, seen = 0;
  FILE *out = open_memstream(&text, &size);
  nw_statistics_write_text(&r, out);
  fclose(out);
  json_t *json = nw_statistics_json(&r);
  assert_non_null(json);
  FILE *in = fmemopen(text, size, "r");
  while (fgets(line, sizeof line, in)) {
    if (line[0] == '\n' || line[0] == '-')
      continue;
    assert_int_equal(sscanf(line, "%99s %99s %7s", name, number, hash), 3);
    assert_string_equal(hash, "#");
    assert_non_null(strstr(line, " ("));
    const json_t *member = json_object_get(json, name);
    assert_non_null(member);
    if (json_is_integer(member))
      assert_int_equal(json_integer_value(member), strtoll(number, NULL, 10));
    else
      assert_true(json_number_value(member) - strtod(number, NULL) < 1e-9);
    seen++;
  }
  assert_int_equal(seen, json_object_size(json));
  assert_non_null(strstr(text, "---------- Begin Simulation Statistics ----------\n"));
  assert_non_null(strstr(text, "---------- End Simulation Statistics   ----------\n"));
  fclose(in);
  free(text);
  json_decref(json);
}

static void saving_makes_the_folder_and_leaves_nothing_else(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  char error[NW_RUN_ERROR], folder[] = "/tmp/test_statistics_XXXXXX", below[64], path[128];
  assert_non_null(mkdtemp(folder));
  snprintf(below, sizeof below, "%s/a/b", folder);
  assert_true(nw_statistics_save(&r, below, error));
  assert_true(nw_statistics_save(&r, below, error));
  static const char *const files[] = {"/stats.txt", "/stats.json", "/timeline.csv"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    snprintf(path, sizeof path, "%s%s", below, files[i]);
    assert_int_equal(unlink(path), 0);
  }
  assert_int_equal(rmdir(below), 0); /* nothing temporary is left */
  snprintf(below, sizeof below, "%s/a", folder);
  assert_int_equal(rmdir(below), 0);
  assert_int_equal(rmdir(folder), 0);
}

static void saving_tells_why_it_cannot(void **state) {
  (void)state;
  struct nw_run_result r = different_numbers();
  char error[NW_RUN_ERROR];
  assert_false(nw_statistics_save(&r, "/dev/null", error));
  assert_non_null(strstr(error, "/dev/null"));
  assert_false(nw_statistics_save(&r, "/proc/none", error));
  assert_non_null(strstr(error, "/proc/none"));
}

/* -- comparison ------------------------------------------------------------------------------- */

static struct nw_machine_config machine = {.name = "test", .mmu.l2.entries = 16};
static const struct nw_column columns[] = {{"native", NW_MODE_NATIVE, false},
                                           {"nested", NW_MODE_NESTED, false},
                                           {"shadow", NW_MODE_SHADOW, false},
                                           {"shadow+x", NW_MODE_SHADOW, true}};

/* 1000 instructions of 1 cycle; translation and exits as given. */
static struct nw_job job(enum nw_mode mode, uint64_t translation, uint64_t exits) {
  struct nw_job j = {.config = &machine, .mode = mode};
  j.result.mode = mode;
  j.result.complete = true;
  j.result.machine.instructions = 1000;
  j.result.machine.cycles_base = 1000;
  j.result.machine.cycles_translation = translation;
  j.result.mmu.walk_references = translation / 10;
  j.result.machine.cycles_exits = exits;
  j.result.machine.exits[NW_EXIT_PTE_WRITE] = exits / 100;
  j.result.machine.exit_cycles[NW_EXIT_PTE_WRITE] = exits;
  return j;
}

static char *text_of(void (*write)(const struct nw_comparison *, FILE *),
                     const struct nw_comparison *comparison) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  write(comparison, out);
  fclose(out);
  return text;
}

static void the_reasons_name_the_faster_mode_and_what_it_saves_and_pays(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_NATIVE, 100, 0), job(NW_MODE_NESTED, 900, 100),
                                job(NW_MODE_SHADOW, 100, 400)};
  const char *const traces[] = {"some/where/sort.nwt"};
  struct nw_comparison c = {traces, 1, columns, 3, jobs};
  char *text = text_of(nw_comparison_write_reasons, &c);
  assert_string_equal(
      text, "sort: shadow is faster than nested by 25.0 % (500 cycles): it saves 800 cycles of "
            "translation (10 walk references instead of 90), but pays 300 cycles of exits (4 exits "
            "instead of 1, mostly pte_write). Against native, shadow takes 36.4 % more: it pays "
            "400 cycles "
            "of exits (4 exits instead of 0, mostly pte_write).\n");
  free(text);
}

static void equal_modes_are_called_equal(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_NESTED, 100, 100), job(NW_MODE_SHADOW, 200, 0)};
  const char *const traces[] = {"a.nwt"};
  struct nw_comparison c = {traces, 1, columns + 1, 2, jobs};
  char *text = text_of(nw_comparison_write_reasons, &c);
  assert_string_equal(text, "a: nested and shadow take the same time.\n");
  free(text);
}

static void a_variant_that_beats_both_is_told(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_NATIVE, 100, 0), job(NW_MODE_NESTED, 900, 100),
                                job(NW_MODE_SHADOW, 100, 400), job(NW_MODE_SHADOW, 100, 100)};
  const char *const traces[] = {"a.nwt"};
  struct nw_comparison c = {traces, 1, columns, 4, jobs};
  char *text = text_of(nw_comparison_write_reasons, &c);
  assert_string_equal(
      text,
      "a: shadow is faster than nested by 25.0 % (500 cycles): it saves 800 cycles of "
      "translation (10 walk references instead of 90), but pays 300 cycles of exits (4 exits "
      "instead of 1, mostly pte_write). The fastest, shadow+x, takes 20.0 % less than shadow: "
      "it saves 300 cycles of exits (1 exits instead of 4, mostly pte_write). Against native, "
      "shadow+x takes 9.1 % more: it pays 100 cycles of exits (1 exits instead of 0, mostly "
      "pte_write).\n");
  free(text);
}

static void any_two_columns_can_be_compared(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_SHADOW, 100, 400), job(NW_MODE_SHADOW, 100, 100)};
  const char *const traces[] = {"a.nwt"};
  struct nw_comparison c = {traces, 1, columns + 2, 2, jobs};
  char *text = text_of(nw_comparison_write_reasons, &c);
  assert_string_equal(text,
                      "a: shadow+x is faster than shadow by 20.0 % (300 cycles): it saves 300 "
                      "cycles of exits (1 exits instead of 4, mostly pte_write).\n");
  free(text);
}

static void the_table_relates_to_nested(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_NATIVE, 0, 0), job(NW_MODE_NESTED, 900, 100),
                                job(NW_MODE_SHADOW, 0, 0)};
  const char *const traces[] = {"a.nwt"};
  struct nw_comparison c = {traces, 1, columns, 3, jobs};
  char *text = text_of(nw_comparison_write_table, &c);
  assert_non_null(strstr(text, "vs nested"));
  assert_non_null(strstr(text, "0.500"));
  assert_non_null(strstr(text, "2,000         2.000      1.000"));
  assert_non_null(strstr(text, "45.0 %"));
  assert_null(strstr(text, "not the whole trace"));
  free(text);
}

static void json_has_the_shape_of_one_or_of_several_traces(void **state) {
  (void)state;
  const struct nw_job jobs[] = {job(NW_MODE_NESTED, 900, 100), job(NW_MODE_NESTED, 0, 0)};
  const char *const traces[] = {"a.nwt", "b\xff.nwt"};
  struct nw_comparison c = {traces, 1, columns + 1, 1, jobs};
  json_t *one = nw_comparison_json(&c);
  assert_int_equal(json_object_size(one), 1);
  json_t *nested = json_object_get(json_object_get(one, "modes"), "nested");
  assert_int_equal(json_integer_value(json_object_get(nested, "sim.cycles")), 2000);
  json_decref(one);
  c.trace_count = 2;
  json_t *two = nw_comparison_json(&c);
  json_t *second = json_array_get(json_object_get(two, "traces"), 1);
  assert_string_equal(json_string_value(json_object_get(second, "trace")), "b?.nwt");
  nested = json_object_get(json_object_get(second, "modes"), "nested");
  assert_int_equal(json_integer_value(json_object_get(nested, "sim.cycles")), 1000);
  json_decref(two);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_documented_name_is_there),
      cmocka_unit_test(names_give_their_own_numbers),
      cmocka_unit_test(totals_are_the_sums_of_their_parts),
      cmocka_unit_test(no_name_comes_twice),
      cmocka_unit_test(text_and_json_say_the_same),
      cmocka_unit_test(saving_makes_the_folder_and_leaves_nothing_else),
      cmocka_unit_test(saving_tells_why_it_cannot),
      cmocka_unit_test(the_reasons_name_the_faster_mode_and_what_it_saves_and_pays),
      cmocka_unit_test(equal_modes_are_called_equal),
      cmocka_unit_test(a_variant_that_beats_both_is_told),
      cmocka_unit_test(any_two_columns_can_be_compared),
      cmocka_unit_test(the_table_relates_to_nested),
      cmocka_unit_test(json_has_the_shape_of_one_or_of_several_traces),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
