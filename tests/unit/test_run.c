/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: in which order it asks what of the machine. The machine is a fake that takes
 * notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/run.h"
#include "support/fake_machine.h"
#include "support/trace_script.h"

struct outcome {
  enum nw_run_status status;
  struct nw_run_result result;
  char error[NW_RUN_ERROR];
};

/* Writes the script as a trace of `architecture` and replays it. */
static struct outcome replay_as(const char *architecture, const char *script, uint64_t quantum,
                                const struct nw_run_control *control) {
  struct nw_machine_config config = {.clock_mhz = 1000, .guest.quantum = quantum};
  struct outcome outcome = {.status = NW_RUN_FAILED};
  char path[] = "/tmp/test_run_XXXXXX";
  int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  close(descriptor);
  FILE *text = fmemopen((void *)(uintptr_t)script, strlen(script), "r");
  assert_non_null(text);
  assert_true(trace_script_write(text, architecture, path));
  fclose(text);
  struct nw_trace *trace;
  assert_int_equal(nw_trace_open(path, &trace, NULL), NW_TRACE_OK);
  outcome.status = nw_run(trace, &config, NW_MODE_NESTED, control, &outcome.result, outcome.error);
  nw_trace_close(trace);
  unlink(path);
  return outcome;
}

static struct outcome replay(const char *script, uint64_t quantum) {
  return replay_as("armv7", script, quantum, NULL);
}

static void records_become_accesses_in_their_order(void **state) {
  (void)state;
  struct outcome o = replay("stream - 0\n"
                            "0 map 0x8000 0x2000 5 8\n"
                            "0 block 0x8000 3\n0 load 0x9000 4\n0 store 0x9008 8\n0 syscall 4\n"
                            "0 exit 0 1\n",
                            100);
  assert_int_equal(o.status, NW_RUN_OK);
  assert_true(o.result.complete);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 map:8000+2000:5 x8000*3 r9000 w9008 syscall exit:1");
  assert_int_equal(o.result.machine.references, 5);
  assert_int_equal(o.result.page_crossings, 0);
}

static void every_event_reaches_the_machine(void **state) {
  (void)state;
  struct outcome o = replay("stream - 0\n"
                            "0 map 0x8000 0x1000 3 2\n0 unmap 0x8000 0x1000\n"
                            "0 protect 0x9000 0x1000 1\n0 content 0x9000 0x2000 0x77 5\n"
                            "0 remap 0x1000 0x1000 0x5000 0x2000\n"
                            "0 remap 0x1000 0 0x5000 0x2000\n0 exec 0\n",
                            100);
  assert_int_equal(o.status, NW_RUN_OK);
  assert_string_equal(
      fake_machine_log(),
      "spawn=1 go:1 map:8000+1000:3s unmap:8000+1000 protect:9000+1000:1 content:9000+2000:77/5 "
      "remap:1000+1000:5000+2000 map:5000+2000:3s exec exit:1");
}

static void brk_maps_and_unmaps_whole_pages(void **state) {
  (void)state;
  replay("stream - 0\n"
         "0 brk 0x20010 0x20010\n0 brk 0x20010 0x20800\n0 brk 0x20800 0x23001\n"
         "0 brk 0x23001 0x21000\n",
         100);
  assert_string_equal(fake_machine_log(), "spawn=1 go:1 map:21000+3000:3 unmap:21000+3000 exit:1");
}

static void an_access_across_pages_is_one_reference_and_two_accesses(void **state) {
  (void)state;
  struct outcome o =
      replay("stream - 0\n0 load 0x8ffc 4\n0 load 0x8ffe 4\n0 store 0x9fff 2\n", 100);
  assert_string_equal(fake_machine_log(), "spawn=1 go:1 r8ffc r8ffe r9000 w9fff wa000 exit:1");
  assert_int_equal(o.result.page_crossings, 2);
  assert_int_equal(o.result.machine.references - o.result.page_crossings, 3);
}

static void a_child_starts_after_the_fork_and_takes_turns(void **state) {
  (void)state;
  replay("stream - 0\nstream 0 0\n"
         "0 block 0x1000 10\n0 fork 1 0 77\n0 block 0x1100 10\n0 block 0x1200 10\n0 exit 0 1\n"
         "1 block 0x2000 10\n1 block 0x2100 10\n1 block 0x2200 10\n1 exit 0 1\n",
         20);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 x1000*10 fork:1=2 x1100*10 go:2 x2000*10 x2100*10 "
                      "go:1 x1200*10 exit:1 go:2 x2200*10 exit:2");
}

static void without_a_quantum_a_stream_runs_to_its_end(void **state) {
  (void)state;
  replay("stream - 0\nstream 0 0\n"
         "0 fork 1 0 77\n0 block 0x1000 4000\n0 block 0x1000 4000\n0 exit 0 1\n"
         "1 block 0x2000 1\n1 exit 0 1\n",
         0);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 fork:1=2 x1000*4000 x1000*4000 exit:1 go:2 x2000*1 exit:2");
}

static void a_vfork_parent_waits_until_the_child_calls_exec(void **state) {
  (void)state;
  replay("stream - 0\nstream 0 0\n"
         "0 fork 1 2 77\n0 block 0x1000 1\n0 exit 0 1\n"
         "1 block 0x2000 10\n1 block 0x2100 10\n1 exec 0\n1 block 0x3000 10\n1 exit 0 1\n",
         10);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 fork:1=2 go:2 x2000*10 x2100*10 exec x3000*10 "
                      "go:1 x1000*1 exit:1 go:2 exit:2");
}

static void a_vfork_parent_waits_until_the_child_ends(void **state) {
  (void)state;
  replay("stream - 0\nstream 0 0\n"
         "0 fork 1 2 77\n0 block 0x1000 1\n0 exit 0 1\n1 block 0x2000 10\n1 exit 127 1\n",
         5);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 fork:1=2 go:2 x2000*10 exit:2 go:1 x1000*1 exit:1");
}

static void an_exec_waits_for_the_other_threads(void **state) {
  (void)state;
  replay("stream - 0\nstream 0 4\n"
         "0 fork 1 1 77\n0 exec 0\n0 block 0x1000 1\n0 exit 0 1\n"
         "1 block 0x2000 10\n1 block 0x2100 10\n1 exit 0 2\n",
         10);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 share:1=2 go:2 x2000*10 go:1 go:2 x2100*10 go:1 go:2 exit:2 "
                      "go:1 exec x1000*1 exit:1");
}

static void two_execs_that_wait_for_each_other_go_on(void **state) {
  (void)state;
  struct outcome o = replay("stream - 0\nstream 0 4\n"
                            "0 fork 1 1 77\n0 exec 0\n0 exit 0 1\n1 exec 0\n1 exit 0 1\n",
                            10);
  assert_int_equal(o.status, NW_RUN_OK);
  assert_true(o.result.complete);
}

static void an_unrecorded_exec_ends_the_stream(void **state) {
  (void)state;
  replay("stream - 0\n0 block 0x1000 1\n0 exec 1\n", 10);
  assert_string_equal(fake_machine_log(), "spawn=1 go:1 x1000*1 exec exit:1");
}

static void streams_that_nobody_forks_come_last_and_are_counted(void **state) {
  (void)state;
  struct outcome o = replay("stream - 0\nstream 0 0\nstream 0 1\n"
                            "0 block 0x1000 1\n0 exit 0 1\n1 block 0x2000 1\n1 exit 0 1\n",
                            10);
  assert_int_equal(o.status, NW_RUN_OK);
  assert_int_equal(o.result.orphans, 1);
  assert_string_equal(fake_machine_log(),
                      "spawn=1 go:1 x1000*1 exit:1 spawn=2 go:2 x2000*1 exit:2");
}

static void a_fork_of_a_stream_that_runs_is_bad_input(void **state) {
  (void)state;
  struct outcome o = replay("stream - 0\n0 fork 0 0 1\n", 10);
  assert_int_equal(o.status, NW_RUN_BAD_INPUT);
  assert_non_null(strstr(o.error, "stream 0 forks stream 0"));
}

static void a_limit_ends_the_run_exactly(void **state) {
  (void)state;
  struct nw_run_control control = {.limit = 7};
  struct outcome o = replay_as("armv7",
                               "stream - 0\n0 block 0x1000 5\n0 load 0x2000 4\n"
                               "0 block 0x1000 5\n0 exit 0 1\n",
                               100, &control);
  assert_int_equal(o.status, NW_RUN_OK);
  assert_false(o.result.complete);
  assert_int_equal(o.result.machine.references, 7);
  assert_string_equal(fake_machine_log(), "spawn=1 go:1 x1000*5 r2000 x1000*1");
}

static void a_request_to_stop_ends_the_run(void **state) {
  (void)state;
  atomic_bool stop = true;
  struct nw_run_control control = {.stop = &stop};
  struct outcome o = replay_as("armv7", "stream - 0\n0 block 0x1000 5\n", 100, &control);
  assert_int_equal(o.status, NW_RUN_STOPPED);
  assert_false(o.result.complete);
}

static void progress_counts_every_reference(void **state) {
  (void)state;
  _Atomic uint64_t replayed = 0;
  struct nw_run_control control = {.replayed = &replayed};
  replay_as("armv7", "stream - 0\n0 block 0x1000 5\n0 load 0x2fff 4\n0 block 0x1000 50\n", 7,
            &control);
  assert_int_equal(replayed, 56);
}

static void a_refusal_names_record_and_stream(void **state) {
  (void)state;
  fake_machine_refuse(0x5000, NW_MACHINE_OUT_OF_GUEST_MEMORY);
  struct outcome o = replay("stream - 0\n0 map 0x1000 0x1000 3 0\n0 block 0x1000 5\n"
                            "0 store 0x5000 4\n",
                            100);
  fake_machine_refuse(0, NW_MACHINE_OK);
  assert_int_equal(o.status, NW_RUN_FAILED);
  assert_non_null(strstr(o.error, "record 2 of stream 0"));
  assert_non_null(strstr(o.error, "0x5000"));
  assert_non_null(strstr(o.error, "guest.memory is too small"));
}

static void a_trace_of_another_architecture_is_refused(void **state) {
  (void)state;
  struct outcome o = replay_as("x86-64", "stream - 0\n0 block 0x1000 5\n", 100, NULL);
  assert_int_equal(o.status, NW_RUN_BAD_INPUT);
  assert_non_null(strstr(o.error, "x86-64"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_become_accesses_in_their_order),
      cmocka_unit_test(every_event_reaches_the_machine),
      cmocka_unit_test(brk_maps_and_unmaps_whole_pages),
      cmocka_unit_test(an_access_across_pages_is_one_reference_and_two_accesses),
      cmocka_unit_test(a_child_starts_after_the_fork_and_takes_turns),
      cmocka_unit_test(without_a_quantum_a_stream_runs_to_its_end),
      cmocka_unit_test(a_vfork_parent_waits_until_the_child_calls_exec),
      cmocka_unit_test(a_vfork_parent_waits_until_the_child_ends),
      cmocka_unit_test(an_exec_waits_for_the_other_threads),
      cmocka_unit_test(two_execs_that_wait_for_each_other_go_on),
      cmocka_unit_test(an_unrecorded_exec_ends_the_stream),
      cmocka_unit_test(streams_that_nobody_forks_come_last_and_are_counted),
      cmocka_unit_test(a_fork_of_a_stream_that_runs_is_bad_input),
      cmocka_unit_test(a_limit_ends_the_run_exactly),
      cmocka_unit_test(a_request_to_stop_ends_the_run),
      cmocka_unit_test(progress_counts_every_reference),
      cmocka_unit_test(a_refusal_names_record_and_stream),
      cmocka_unit_test(a_trace_of_another_architecture_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
