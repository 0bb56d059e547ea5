/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every total of the statistics is the sum of its parts, in every mode, on whole runs: of a program
 * that touches, maps, unmaps, protects, forks, copies on write, and calls its kernel at random.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/config.h"
#include "sim/names.h"
#include "sim/statistics.h"
#include "support/trace_script.h"

static uint64_t seed;

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

#define HEAP 0x200000u
#define HEAP_PAGES 300u

/* One record at random. */
static void write_random_record(FILE *script, uint64_t *state, int stream) {
  unsigned page = (unsigned)(next_random(state) % HEAP_PAGES);
  unsigned address = HEAP + page * 4096u + (unsigned)(next_random(state) % 4096u);
  unsigned code = 0x10000u + (unsigned)(next_random(state) % 40u) * 4096u;
  switch (next_random(state) % 64) {
  case 0:
    fprintf(script, "%d unmap 0x%x 0x%x\n", stream, HEAP + page * 4096u, 4096u * (1 + page % 9));
    break;
  case 1:
    fprintf(script, "%d map 0x%x 0x%x 3 0\n", stream, HEAP + page * 4096u, 4096u * (1 + page % 9));
    break;
  case 2: /* left readable and writable: the program never breaks its own rules */
    fprintf(script, "%d protect 0x%x 0x1000 1\n%d protect 0x%x 0x1000 3\n", stream,
            HEAP + page * 4096u, stream, HEAP + page * 4096u);
    break;
  case 3:
    fprintf(script, "%d syscall 4\n", stream);
    break;
  default:
    fprintf(script, "%d block 0x%x %u\n%d %s 0x%x 4\n", stream, code, 1 + page % 30u, stream,
            next_random(state) & 1 ? "load" : "store", address);
    break;
  }
}

static void write_script(FILE *script) {
  uint64_t state = seed;
  fputs("stream - 0\nstream 0 0\nstream 0 4\n"
        "0 map 0x10000 0x40000 5 1\n0 map 0x200000 0x200000 3 0\n",
        script);
  for (int i = 0; i < 2000; i++)
    write_random_record(script, &state, 0);
  fputs("0 fork 1 0 100\n0 fork 2 1 101\n", script);
  for (int i = 0; i < 6000; i++)
    write_random_record(script, &state, (int)(next_random(&state) % 3));
  fputs("1 exec 0\n1 map 0x10000 0x40000 5 1\n", script);
  for (int i = 0; i < 1000; i++)
    write_random_record(script, &state, 1);
  fputs("1 exit 0 1\n2 exit 0 0\n0 exit 0 1\n", script);
}

/* The same program, for each architecture. */
static struct nw_trace *traces[NW_ARCHITECTURES];

static int make_trace(enum nw_architecture architecture, const char *name) {
  char path[] = "/tmp/test_sums_XXXXXX", *text = NULL;
  size_t size;
  int descriptor = mkstemp(path);
  FILE *script = open_memstream(&text, &size);
  if (descriptor < 0 || !script)
    return -1;
  close(descriptor);
  write_script(script);
  fclose(script);
  script = fmemopen(text, size, "r");
  bool good = script && trace_script_write(script, name, path) &&
              nw_trace_open(path, &traces[architecture], NULL) == NW_TRACE_OK;
  if (script)
    fclose(script);
  free(text);
  unlink(path);
  return good ? 0 : -1;
}

static int make_traces(void **state) {
  (void)state;
  return make_trace(NW_ARMV7, "armv7") != 0 ? -1 : make_trace(NW_X86_64, "x86-64");
}

static int drop_traces(void **state) {
  (void)state;
  for (unsigned i = 0; i < NW_ARCHITECTURES; i++)
    nw_trace_close(traces[i]);
  return 0;
}

static uint64_t sum(const uint64_t *values, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++)
    total += values[i];
  return total;
}

#define SUM(array) sum(array, sizeof(array) / sizeof((array)[0]))

static void check_tlb(const struct nw_tlb_statistics *tlb) {
  assert_int_equal(tlb->accesses, tlb->hits + tlb->misses);
  assert_int_equal(tlb->hits, SUM(tlb->hits_by_size));
  assert_int_equal(tlb->misses, SUM(tlb->misses_by_size) + tlb->misses_faulted);
}

static void check_walks(const struct nw_mmu_statistics *mmu) {
  assert_int_equal(mmu->walks, SUM(mmu->walk_cycles_histogram));
  assert_int_equal(mmu->walk_references, SUM(mmu->s1) + SUM(mmu->s2));
  assert_int_equal(SUM(mmu->s2), SUM(mmu->s2_for_s1) + mmu->s2_final);
  assert_int_equal(mmu->s1[0] + mmu->s2[0], 0); /* a level without a name */
  assert_true(mmu->walk_cache_hits <= mmu->walk_cache_lookups);
  assert_true(mmu->ipa_cache_hits <= mmu->ipa_cache_lookups);
  assert_int_equal(mmu->faults[NW_FAULT_NONE], 0);
}

static void check_totals(const struct nw_run_result *r) {
  const struct nw_trace_counts *counts = nw_trace_totals(traces[NW_ARMV7]);
  assert_true(r->complete);
  assert_int_equal(nw_run_references(r), nw_trace_references(counts));
  assert_int_equal(r->machine.instructions, counts->instructions);
  assert_int_equal(r->machine.syscalls, counts->syscalls);
  assert_int_equal(SUM(r->machine.exit_cycles), r->machine.cycles_exits);
  assert_true(SUM(r->machine.shadow_step_cycles) <= r->machine.cycles_exits);
  uint64_t named = 0, cycles = 0, count;
  static const char *const parts[] = {"cycles.base", "cycles.memory", "cycles.translation",
                                      "cycles.guest_kernel", "cycles.exits"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    assert_true(nw_statistics_find(r, parts[i], &count));
    named += count;
  }
  assert_true(nw_statistics_find(r, "sim.cycles", &cycles));
  assert_int_equal(cycles, named);
}

/* What a level passes on is what the level below is asked for. */
static void check_memory(const struct nw_run_result *r, const struct nw_machine_config *config) {
  for (int by = 0; by < NW_REQUESTERS; by++) {
    uint64_t passed_on = 0;
    bool first = true;
    for (uint32_t i = 0; i < r->caches; i++) {
      if (!(config->memory.cache[i].serves & 1u << by))
        continue;
      const struct nw_cache_statistics *counts = &r->cache[i].counts;
      assert_true(first || counts->accesses[by] == passed_on);
      passed_on = counts->accesses[by] - counts->hits[by];
      first = false;
    }
    if (!first)
      assert_int_equal(r->dram[by], passed_on);
  }
}

static void check_mode(const struct nw_run_result *r) {
  if (r->mode == NW_MODE_NATIVE) {
    assert_int_equal(nw_run_exits(r), 0);
    assert_int_equal(r->machine.cycles_exits, 0);
  }
  if (r->mode == NW_MODE_NATIVE || r->mode == NW_MODE_SHADOW) {
    assert_int_equal(SUM(r->mmu.s2), 0);
    assert_int_equal(r->machine.exits[NW_EXIT_STAGE2_FAULT], 0);
  }
  if (r->mode == NW_MODE_NATIVE || r->mode == NW_MODE_NESTED)
    assert_int_equal(SUM(r->machine.shadow_steps), 0);
  assert_true(r->mmu.walks > 0 && r->machine.page_faults > 0 && r->machine.pte_writes > 0);
}

static void check_options(const struct nw_run_result *r) {
  const struct nw_machine_statistics *m = &r->machine;
  assert_true(m->shadow_bytes <= m->shadow_bytes_peak);
  assert_true(m->shadow_bytes_average <= m->shadow_bytes_peak);
  assert_true(m->shadow_prefetch_used <= m->shadow_prefetched);
  assert_int_equal(m->shadow_hypercalls, m->exits[NW_EXIT_HYPERCALL]);
  assert_true(m->shadow_hypercalls <= m->shadow_hypercall_updates);
  assert_true(m->shadow_resyncs <= m->shadow_unsyncs);
  assert_true(m->ksm_merged >= m->ksm_broken || m->ksm_bytes_saved == 0);
  assert_true(m->ksm_bytes_saved <= m->ksm_bytes_saved_peak);
  assert_true(m->ksm_cycles <= m->cycles_exits);
}

static void check_machine(const char *name, const char *const *sets, size_t set_count) {
  const char *source = getenv("top_srcdir");
  char path[512];
  struct nw_machine_config config;
  struct nw_config_error failure;
  snprintf(path, sizeof path, "%s/configs/machines/%s.yaml", source ? source : ".", name);
  if (!nw_config_load(path, sets, set_count, &config, &failure))
    fail_msg("%s", failure.message);
  for (int mode = 0; mode < NW_MODES; mode++) {
    struct nw_run_result result;
    char error[NW_RUN_ERROR] = "";
    print_message("%s, %s, seed %" PRIu64 "\n", name, nw_mode_names[mode], seed);
    struct nw_trace *trace = traces[config.format <= NW_GUEST_LPAE ? NW_ARMV7 : NW_X86_64];
    if (nw_run(trace, &config, (enum nw_mode)mode, NULL, &result, error) != NW_RUN_OK)
      fail_msg("%s", error);
    check_tlb(&result.mmu.l1i);
    check_tlb(&result.mmu.l1d);
    check_tlb(&result.mmu.l2);
    check_walks(&result.mmu);
    check_totals(&result);
    check_memory(&result, &config);
    check_mode(&result);
    check_options(&result);
  }
}

static void check_plain(const char *name) {
  static const char *const sets[] = {"guest.quantum=500"};
  check_machine(name, sets, 1);
}

/* Each option alone, then all together. */
static void sums_hold_with_every_option(void **state) {
  (void)state;
  static const char *const sets[] = {
      "guest.quantum=500",
      "hypervisor.shadow.cache_roots=false",
      "hypervisor.shadow.memory=128KiB",
      "hypervisor.shadow.flood=1",
      "hypervisor.shadow.sync=update",
      "hypervisor.shadow.unsync=true",
      "hypervisor.shadow.paravirtual=true",
      "hypervisor.shadow.prefetch=8",
      "hypervisor.shadow.large_pages=true",
      "hypervisor.ksm={pages: 50, interval: 20000, scan_cycles: 10, merge_cycles: 90}",
      "guest.large_pages=aligned",
      "hypervisor.stage2_pages=[4K, 2M]",
  };
  const size_t count = sizeof sets / sizeof sets[0];
  for (size_t i = 1; i < count; i++) {
    const char *const alone[] = {sets[0], sets[i]};
    check_machine("teaching", alone, 2);
  }
  check_machine("teaching", sets, count);
  for (size_t i = 1; i < count; i++) {
    const char *const alone[] = {sets[0], sets[i], "hypervisor.stage2_levels=5"};
    check_machine(i % 2 == 0 ? "zen2" : "skylake", alone, 3);
  }
  check_machine("zen4", sets, count);
  check_machine("golden-cove", sets, count);
}

static void sums_hold_on_x86_64(void **state) {
  (void)state;
  static const char *const names[] = {"zen2",    "zen4",    "nehalem",
                                      "haswell", "skylake", "golden-cove"};
  static const char *const five[] = {"guest.quantum=500", "format=5-level",
                                     "hypervisor.ept_flags=true"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    check_plain(names[i]);
  check_machine("golden-cove", five, 3);
}

static void sums_hold_on_cortex_a15(void **state) {
  (void)state;
  check_plain("cortex-a15");
}

static void sums_hold_on_cortex_a7(void **state) {
  (void)state;
  check_plain("cortex-a7");
}

static void sums_hold_on_teaching(void **state) {
  (void)state;
  check_plain("teaching");
}

int main(void) {
  const char *given = getenv("NW_SEED");
  seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
  seed += seed == 0;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_hold_on_cortex_a15),     cmocka_unit_test(sums_hold_on_cortex_a7),
      cmocka_unit_test(sums_hold_on_teaching),       cmocka_unit_test(sums_hold_on_x86_64),
      cmocka_unit_test(sums_hold_with_every_option),
  };
  return cmocka_run_group_tests(tests, make_traces, drop_traces);
}
