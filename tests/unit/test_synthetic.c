/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic traces have the properties that were asked for, measured in the trace itself and, for
 * page-table writes, on a machine that replays it. */
#include <math.h>
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
#include "sim/run.h"
#include "trace/synthetic.h"

#define PAGE 4096u
#define DATA UINT64_C(0x10000000) /* where the footprint is */
#define PAGES 4096u               /* that are counted */

static const char *const path = "test_synthetic.nwt";
static const char *const other_path = "test_synthetic_other.nwt";

static void write_to(const char *file, const struct nw_synthetic *settings) {
  const char *const argv[] = {"synth"};
  struct nw_trace_header header = {.recorder = "test", .argc = 1, .argv = argv};
  struct nw_trace_error error;
  if (nw_synthetic_write(file, settings, &header, &error) != NW_TRACE_OK)
    fail_msg("%s", error.message);
}

static struct nw_synthetic one_phase(uint64_t references) {
  return (struct nw_synthetic){.phase = {nw_synthetic_phase_default()},
                               .phases = 1,
                               .processes = 1,
                               .references = references,
                               .seed = 1};
}

/* What is in a trace. */
struct contents {
  struct nw_trace_counts counts;
  size_t streams;
  uint64_t page[PAGES]; /* loads and stores to each page of the footprint */
  uint64_t data, stores, outside;
  uint64_t maps, protects, forks;
  uint64_t jumps;  /* accesses that are not `stride` bytes after the one before */
  uint64_t stride; /* in: to tell jumps */
  uint64_t last;
};

static void count_data(struct contents *c, enum nw_rec_kind kind, uint64_t va) {
  if (va < DATA)
    return;
  c->data++;
  c->stores += kind == NW_REC_STORE;
  if (va - DATA < (uint64_t)PAGES * PAGE)
    c->page[(va - DATA) / PAGE]++;
  else
    c->outside++;
  c->jumps += va != c->last + c->stride;
  c->last = va;
}

static void count_words(struct contents *c, const uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; i++) {
    enum nw_rec_kind kind = nw_rec_kind(words[i]);
    if (kind == NW_REC_LOAD || kind == NW_REC_STORE)
      count_data(c, kind, nw_rec_va(words[i]));
    if (kind != NW_REC_EVENT)
      continue;
    c->maps += nw_rec_aux(words[i]) == NW_EVENT_MAP;
    c->protects += nw_rec_aux(words[i]) == NW_EVENT_PROTECT;
    c->forks += nw_rec_aux(words[i]) == NW_EVENT_FORK;
    i += nw_rec_va(words[i]);
  }
}

static struct nw_trace *open_trace(void) {
  struct nw_trace *trace;
  struct nw_trace_error error;
  if (nw_trace_open(path, &trace, &error) != NW_TRACE_OK ||
      nw_trace_verify(trace, &error) != NW_TRACE_OK)
    fail_msg("%s", error.message);
  return trace;
}

/* Writes the trace and looks at all of it. */
static void write_and_count(const struct nw_synthetic *settings, struct contents *c) {
  write_to(path, settings);
  struct nw_trace *trace = open_trace();
  c->counts = *nw_trace_totals(trace);
  c->streams = nw_trace_stream_count(trace);
  for (uint32_t s = 0; s < c->streams; s++) {
    struct nw_trace_cursor *cursor = nw_trace_cursor_open(trace, s);
    const uint64_t *words;
    size_t count = 1;
    while (count != 0) {
      assert_int_equal(nw_trace_next_chunk(cursor, &words, &count, NULL), NW_TRACE_OK);
      count_words(c, words, count);
    }
    nw_trace_cursor_close(cursor);
  }
  nw_trace_close(trace);
}

static void assert_near(double found, double expected, double tolerance) {
  if (fabs(found - expected) > tolerance * fabs(expected))
    fail_msg("found %g, expected %g to within %g %%", found, expected, 100.0 * tolerance);
}

static bool same_bytes(const char *a, const char *b) {
  FILE *one = fopen(a, "rb"), *two = fopen(b, "rb");
  assert_non_null(one);
  assert_non_null(two);
  int left, right;
  do {
    left = getc(one);
    right = getc(two);
  } while (left == right && left != EOF);
  fclose(one);
  fclose(two);
  return left == right;
}

/* -- the whole -------------------------------------------------------------------------------- */

static struct nw_synthetic busy_settings(void) {
  struct nw_synthetic settings = one_phase(300000);
  settings.processes = 3;
  settings.phases = 2;
  settings.phase[1] = settings.phase[0];
  settings.phase[0].references = 20000;
  settings.phase[0].pte_writes = 20000;
  settings.phase[0].churn = NW_CHURN_FORK;
  settings.phase[0].footprint = 64 * PAGE;
  settings.phase[1].references = 30000;
  settings.phase[1].locality = NW_LOCALITY_ZIPF;
  settings.phase[1].pte_writes = 5000;
  return settings;
}

static void the_same_settings_give_the_same_bytes(void **state) {
  (void)state;
  struct nw_synthetic settings = busy_settings();
  write_to(path, &settings);
  write_to(other_path, &settings);
  assert_true(same_bytes(path, other_path));
}

static void another_seed_gives_another_trace(void **state) {
  (void)state;
  struct nw_synthetic settings = busy_settings();
  write_to(path, &settings);
  settings.seed = 2;
  write_to(other_path, &settings);
  assert_false(same_bytes(path, other_path));
}

static void processes_do_not_repeat_each_other(void **state) {
  (void)state;
  struct nw_synthetic settings = one_phase(40000);
  settings.phase[0].footprint = (uint64_t)PAGES * PAGE;
  settings.processes = 4;
  static struct contents c;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  uint64_t touched = 0;
  for (uint32_t i = 0; i < PAGES; i++)
    touched += c.page[i] != 0;
  /* 10000 words at random: 1 - e^(-10000/4096) of the pages; a quarter as many: 46 % */
  assert_near((double)touched, PAGES * (1.0 - exp(-10000.0 / PAGES)), 0.05);
}

static void the_number_of_references_is_exact(void **state) {
  (void)state;
  const uint64_t references[] = {1, 4, 5, 1000, 99999, 300001};
  for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
    static struct contents c;
    struct nw_synthetic settings = busy_settings();
    settings.references = references[i];
    memset(&c, 0, sizeof c);
    write_and_count(&settings, &c);
    assert_int_equal(nw_trace_references(&c.counts), references[i]);
  }
}

/* -- settings --------------------------------------------------------------------------------- */

static void stores_and_instructions_are_as_asked(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(500000);
  settings.phase[0].stores = 0.2;
  settings.phase[0].instructions = 7;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  assert_near((double)c.stores / (double)c.data, 0.2, 0.03);
  assert_near((double)c.counts.instructions / (double)c.data, 7.0, 0.001);
}

static void uniform_goes_evenly_over_the_footprint_and_not_beyond(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(400000);
  settings.phase[0].footprint = 100 * PAGE;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  for (uint32_t i = 0; i < 100; i++)
    assert_near((double)c.page[i], (double)c.data / 100.0, 0.2); /* 1000 +- 6 standard deviations */
  for (uint32_t i = 100; i < PAGES; i++)
    assert_int_equal(c.page[i], 0);
  assert_int_equal(c.outside, 0);
}

static int larger_first(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left < right) - (left > right);
}

static void zipf_gives_the_kth_page_its_share(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(2000000);
  settings.phase[0].footprint = 256 * PAGE;
  settings.phase[0].locality = NW_LOCALITY_ZIPF;
  settings.phase[0].exponent = 1.0;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  assert_true(c.page[1] * 4 < c.page[0]); /* the favoured ones are not side by side */
  qsort(c.page, 256, sizeof c.page[0], larger_first);
  double sum = 0.0;
  for (uint32_t k = 1; k <= 256; k++)
    sum += 1.0 / k;
  const uint32_t ranks[] = {1, 2, 4, 16, 64};
  for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
    assert_near((double)c.page[ranks[i] - 1] / (double)c.data, 1.0 / ranks[i] / sum, 0.08);
  assert_true(c.page[255] > 0); /* each page has a rank */
}

static void sequential_goes_on_by_the_stride(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(400000);
  settings.phase[0].footprint = 64 * PAGE;
  settings.phase[0].locality = NW_LOCALITY_SEQUENTIAL;
  settings.phase[0].stride = 256;
  memset(&c, 0, sizeof c);
  c.stride = 256;
  write_and_count(&settings, &c);
  assert_near((double)c.jumps, (double)c.data / (64.0 * PAGE / 256.0), 0.03); /* once a round */
  for (uint32_t i = 0; i < 64; i++)
    assert_near((double)c.page[i], (double)c.data / 64.0, 0.02);
}

static void a_working_set_stays_before_it_moves(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(400000); /* 100000 loads and stores */
  settings.phase[0].footprint = (uint64_t)PAGES * PAGE;
  settings.phase[0].locality = NW_LOCALITY_WORKING_SET;
  settings.phase[0].window = 16 * PAGE;
  settings.phase[0].window_stays = 10000;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  uint64_t touched = 0;
  for (uint32_t i = 0; i < PAGES; i++)
    touched += c.page[i] != 0;
  assert_in_range(touched, 9 * 16, 10 * 16); /* two of ten windows might overlap */
}

/* -- page-table writes ------------------------------------------------------------------------ */

static const char machine[] =
    "architecture: armv7\nformat: lpae\ncore: {clock_mhz: 1000, base_cpi: 1.0}\n"
    "mmu: {l1i: {entries: 8, ways: 8}, l1d: {entries: 8, ways: 8}}\n"
    "memory: {dram_latency: 100}\n";

static uint64_t replayed_pte_writes(const struct nw_synthetic *settings) {
  struct nw_machine_config config;
  struct nw_config_error problem;
  char error[NW_RUN_ERROR];
  static struct nw_run_result result;
  write_to(path, settings);
  struct nw_trace *trace = open_trace();
  if (!nw_config_parse("machine", machine, sizeof machine - 1, NULL, 0, &config, &problem))
    fail_msg("%s", problem.message);
  if (nw_run(trace, &config, NW_MODE_NATIVE, NULL, &result, error) != NW_RUN_OK)
    fail_msg("%s", error);
  assert_true(result.complete);
  nw_trace_close(trace);
  return result.machine.pte_writes;
}

static void page_table_writes_are_at_the_rate_that_was_asked_for(void **state) {
  (void)state;
  const enum nw_churn churns[] = {NW_CHURN_MAP, NW_CHURN_PROTECT, NW_CHURN_FORK};
  const uint32_t batches[] = {1, 16, 100};
  const double rates[] = {1000, 20000};
  for (size_t i = 0; i < 3 * 3 * 2; i++) {
    struct nw_synthetic settings = one_phase(1000000);
    struct nw_synthetic_phase *phase = &settings.phase[0];
    phase->footprint = 128 * PAGE;
    phase->churn = churns[i % 3];
    phase->batch = batches[i / 3 % 3];
    uint64_t quiet = replayed_pte_writes(&settings);
    phase->pte_writes = rates[i / 9];
    uint64_t churned = replayed_pte_writes(&settings) - quiet;
    double slack = 250.0; /* what is owed at the end, and first touches of churned pages */
    if (fabs((double)churned - rates[i / 9]) > slack + 0.03 * rates[i / 9])
      fail_msg("churn %d of %u pages: %llu page-table writes, expected %g", (int)phase->churn,
               phase->batch, (unsigned long long)churned, rates[i / 9]);
  }
}

static void churn_is_of_the_kind_that_was_asked_for(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(1000000);
  settings.phase[0].pte_writes = 3200;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  assert_in_range(c.maps, 3 + 99, 3 + 100); /* code, guard page, data; 32 writes a time */
  settings.phase[0].churn = NW_CHURN_PROTECT;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  assert_in_range(c.protects, 199, 200);
  assert_int_equal(c.maps, 3 + 1);
  settings.phase[0].churn = NW_CHURN_FORK;
  settings.phase[0].pte_writes = 20000;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  assert_true(c.forks > 0);
  assert_int_equal(c.forks + 1, c.streams);
}

/* -- phases ----------------------------------------------------------------------------------- */

static void phases_take_turns_with_settings_of_their_own(void **state) {
  (void)state;
  static struct contents c;
  struct nw_synthetic settings = one_phase(1000000);
  settings.phases = 2;
  settings.phase[1] = settings.phase[0];
  settings.phase[0].references = 100000;
  settings.phase[0].footprint = 32 * PAGE;
  settings.phase[1].references = 300000;
  settings.phase[1].footprint = 1024 * PAGE;
  settings.phase[1].pte_writes = 3200;
  memset(&c, 0, sizeof c);
  write_and_count(&settings, &c);
  /* turns of 100, 300, 100, 300, 100, 100 thousand: 300 of the first, 700 of the second */
  assert_near((double)(c.maps - 3) * 32.0, 0.7 * 3200.0, 0.02);
  uint64_t low = 0;
  for (uint32_t i = 0; i < 32; i++)
    low += c.page[i];
  assert_near((double)low / (double)c.data, 0.3 + 0.7 * 32.0 / 1024.0, 0.02);
}

static int remove_files(void **state) {
  (void)state;
  unlink(path);
  unlink(other_path);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_settings_give_the_same_bytes),
      cmocka_unit_test(another_seed_gives_another_trace),
      cmocka_unit_test(processes_do_not_repeat_each_other),
      cmocka_unit_test(the_number_of_references_is_exact),
      cmocka_unit_test(stores_and_instructions_are_as_asked),
      cmocka_unit_test(uniform_goes_evenly_over_the_footprint_and_not_beyond),
      cmocka_unit_test(zipf_gives_the_kth_page_its_share),
      cmocka_unit_test(sequential_goes_on_by_the_stride),
      cmocka_unit_test(a_working_set_stays_before_it_moves),
      cmocka_unit_test(page_table_writes_are_at_the_rate_that_was_asked_for),
      cmocka_unit_test(churn_is_of_the_kind_that_was_asked_for),
      cmocka_unit_test(phases_take_turns_with_settings_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, remove_files);
}
