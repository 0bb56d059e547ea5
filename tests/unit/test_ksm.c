/* SPDX-License-Identifier: Apache-2.0 */
/* Same-page merging in the host: what is shared, what breaks it, what it saves and costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/counts.h"
#include "system/ksm.h"

#define FORMATS for (unsigned format = NW_GUEST_SHORT; format < NW_GUEST_FORMATS; format++)
#define MODES_WITH_HOST                                                                            \
  for (enum nw_mode mode = NW_MODE_NESTED; mode <= NW_MODE_SHADOW; mode = (enum nw_mode)(mode + 1))
#define RW (NW_PROT_READ | NW_PROT_WRITE)
#define VA UINT64_C(0x00400000)
#define OTHER UINT64_C(0x20000000)
#define NOWHERE UINT64_C(0x30000000)

enum { SCAN = 11, MERGE = 130, BREAK = 170 };

static struct nw_machine_config config_of(unsigned format) {
  struct nw_machine_config config = small_machine((enum nw_guest_format)format);
  config.hypervisor.ksm = (struct nw_ksm_config){.pages = 1u << 16,
                                                 .max_sharers = 256,
                                                 .interval = 1,
                                                 .scan_cycles = SCAN,
                                                 .merge_cycles = MERGE,
                                                 .break_cycles = BREAK};
  return config;
}

/* Time goes by until the scanner has passed over all of guest memory several times. */
static void let_scan(struct nw_machine *machine) {
  for (unsigned i = 0; i < 400; i++)
    touch(machine, NW_EXECUTE, NOWHERE);
}

static uint64_t host_of(struct nw_machine *machine, uint64_t va) {
  uint64_t pa = 0;
  assert_true(nw_hypervisor_backing(machine->hypervisor, ipa_of(machine, va), &pa));
  return pa;
}

static struct nw_machine *with_pages(const struct nw_machine_config *config, enum nw_mode mode,
                                     uint64_t pages, enum nw_access access) {
  struct nw_machine *machine = make_running(config, mode);
  nw_machine_map(machine, VA, pages * PAGE, RW, false);
  for (uint64_t i = 0; i < pages; i++)
    touch(machine, access, VA + i * PAGE);
  return machine;
}

static void pages_that_were_only_read_share_one_zero_page(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, mode, 20, NW_READ);
    let_scan(machine);
    for (uint64_t i = 1; i < 20; i++)
      assert_int_equal(host_of(machine, VA + i * PAGE), host_of(machine, VA));
    const struct nw_machine_statistics *now = nw_machine_statistics(machine);
    assert_true(now->ksm_merged >= 19);
    assert_int_equal(now->ksm_bytes_saved, now->ksm_merged * PAGE - now->ksm_broken * PAGE);
    /* They can be read, and only read. */
    struct since since = since_now(machine);
    touch(machine, NW_READ, VA + 3 * PAGE);
    assert_true(present(machine, VA + 3 * PAGE, NW_READ));
    assert_false(present(machine, VA + 3 * PAGE, NW_WRITE));
    assert_int_equal(GROWN(&since, page_faults), 0);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

static void a_store_breaks_the_sharing_first(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, mode, 3, NW_READ);
    let_scan(machine);
    struct since since = since_now(machine);
    touch(machine, NW_WRITE, VA + PAGE);
    assert_int_equal(GROWN(&since, ksm_broken), 1);
    assert_int_equal(GROWN(&since, ksm_cycles), BREAK);
    assert_int_equal(GROWN(&since, page_faults), 0);
    assert_int_not_equal(host_of(machine, VA + PAGE), host_of(machine, VA));
    assert_int_equal(host_of(machine, VA + 2 * PAGE), host_of(machine, VA));
    assert_true(present(machine, VA + PAGE, NW_WRITE));
    /* What it holds now is like nothing else. */
    let_scan(machine);
    assert_int_not_equal(host_of(machine, VA + PAGE), host_of(machine, VA));
    assert_true(present(machine, VA + PAGE, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

static void written_pages_are_never_merged(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, mode, 10, NW_WRITE);
    let_scan(machine);
    for (uint64_t i = 1; i < 10; i++)
      assert_int_not_equal(host_of(machine, VA + i * PAGE), host_of(machine, VA));
    nw_machine_destroy(machine);
  }
}

static void pages_of_one_tag_are_merged_page_by_page(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, mode, 4, NW_WRITE);
    /* Pages that come later get the content of their mapping, those that are there at once. */
    nw_machine_map(machine, OTHER, 4 * PAGE, RW, false);
    assert_int_equal(nw_machine_set_content(machine, OTHER, 4 * PAGE, 7, 0), NW_MACHINE_OK);
    assert_int_equal(nw_machine_set_content(machine, VA, 4 * PAGE, 7, 0), NW_MACHINE_OK);
    for (uint64_t i = 0; i < 4; i++)
      touch(machine, NW_READ, OTHER + i * PAGE);
    let_scan(machine);
    for (uint64_t i = 0; i < 4; i++) {
      assert_int_equal(host_of(machine, VA + i * PAGE), host_of(machine, OTHER + i * PAGE));
      assert_int_not_equal(host_of(machine, VA + i * PAGE),
                           host_of(machine, VA + (i + 1) % 4 * PAGE));
    }
    nw_machine_set_content(machine, OTHER, PAGE, 8, 0);
    assert_int_not_equal(host_of(machine, VA), host_of(machine, OTHER));
    nw_machine_destroy(machine);
  }
}

/* As two mappings of one file from different pages on. */
static void ranges_of_one_tag_meet_where_their_pages_are_the_same(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    struct nw_machine *machine = with_pages(&config, mode, 4, NW_READ);
    nw_machine_map(machine, OTHER, 2 * PAGE, RW, false);
    nw_machine_set_content(machine, VA, 4 * PAGE, 7, 10);
    nw_machine_set_content(machine, OTHER, 2 * PAGE, 7, 12); /* not there yet */
    for (uint64_t i = 0; i < 2; i++)
      touch(machine, NW_READ, OTHER + i * PAGE);
    let_scan(machine);
    for (uint64_t i = 0; i < 2; i++) {
      assert_int_equal(host_of(machine, OTHER + i * PAGE), host_of(machine, VA + (2 + i) * PAGE));
      assert_int_not_equal(host_of(machine, OTHER + i * PAGE), host_of(machine, VA + i * PAGE));
    }
    nw_machine_destroy(machine);
  }
}

static void a_host_frame_has_at_most_max_sharers(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.ksm.max_sharers = 4;
    struct nw_machine *machine = with_pages(&config, mode, 24, NW_READ);
    let_scan(machine);
    for (uint64_t i = 0; i < 24; i++) {
      unsigned sharers = 0;
      for (uint64_t j = 0; j < 24; j++)
        sharers += host_of(machine, VA + i * PAGE) == host_of(machine, VA + j * PAGE);
      assert_in_range(sharers, 1, 4);
    }
    assert_true(nw_machine_statistics(machine)->ksm_merged >= 12);
    nw_machine_destroy(machine);
  }
}

static void under_shadow_paging_every_leaf_of_a_merged_frame_is_found(void **state) {
  (void)state;
  FORMATS {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.ksm.pages = 0;
    config.hypervisor.ksm.pages = 1u << 16;
    config.hypervisor.ksm.interval = UINT64_C(1) << 40;
    struct nw_machine *machine = with_pages(&config, NW_MODE_SHADOW, 2, NW_READ);
    /* Another process maps the same frames. */
    nw_process_id child = nw_machine_fork(machine, 1, false);
    nw_machine_switch(machine, child);
    touch(machine, NW_READ, VA);
    assert_true(present(machine, VA, NW_READ));
    struct since since = since_now(machine);
    uint32_t frame = machine->hypervisor->backing[ipa_of(machine, VA) >> NW_FRAME_LOG2];
    assert_true(nw_hypervisor_remap(machine->hypervisor, ipa_of(machine, VA), frame, false));
    assert_true(GROWN(&since, shadow_rmap_walks) >= 1);
    assert_false(present(machine, VA, NW_READ));
    nw_machine_switch(machine, 1);
    assert_false(present(machine, VA, NW_READ));
    assert_true(consistent(machine));
    nw_machine_destroy(machine);
  }
}

static void the_scanners_time_is_its_own_cause(void **state) {
  (void)state;
  MODES_WITH_HOST {
    struct nw_machine_config config = config_of(NW_GUEST_SHORT);
    config.hypervisor.ksm.pages = 5;
    struct nw_machine *machine = with_pages(&config, mode, 30, NW_WRITE);
    struct since since = since_now(machine);
    let_scan(machine);
    uint64_t price = PRICE_TRAP + PRICE_WORLD_SWITCH + PRICE_HANDLER + 10 * NW_EXIT_KSM;
    uint64_t scans = exits(&since, NW_EXIT_KSM);
    assert_true(scans > 0);
    assert_int_equal(GROWN(&since, ksm_scanned), 5 * scans);
    assert_true(GROWN(&since, ksm_cycles) >= 5 * scans * SCAN);
    assert_true(GROWN(&since, exit_cycles[NW_EXIT_KSM]) >=
                scans * price + GROWN(&since, ksm_cycles));
    nw_machine_destroy(machine);
  }
}

/* A scanner that passes every 100000 cycles has something to do. */
static void compute(struct nw_machine *machine) {
  for (unsigned i = 0; i < 20000; i++)
    assert_int_equal(nw_machine_access(machine, NW_EXECUTE, NOWHERE, 100), NW_MACHINE_OK);
}

static void the_scanner_keeps_its_rate(void **state) {
  (void)state;
  struct nw_machine_config config = config_of(NW_GUEST_SHORT);
  config.hypervisor.ksm.pages = 2;
  config.hypervisor.ksm.interval = 100000;
  struct nw_machine *machine = with_pages(&config, NW_MODE_NESTED, 10, NW_READ);
  compute(machine);
  uint64_t intervals = nw_machine_cycles(machine) / 100000;
  assert_in_range(exits(&(struct since){.machine = machine}, NW_EXIT_KSM), intervals / 2,
                  intervals + 1);
  nw_machine_destroy(machine);
}

/* It sleeps after its work, so that the guest has its time even if the work takes longer. */
static void a_slow_scanner_leaves_the_guest_its_time(void **state) {
  (void)state;
  struct nw_machine_config config = config_of(NW_GUEST_SHORT);
  config.hypervisor.ksm.interval = 100000;
  config.hypervisor.ksm.scan_cycles = 50000;
  struct nw_machine *machine = with_pages(&config, NW_MODE_NESTED, 10, NW_READ);
  compute(machine);
  const struct nw_machine_statistics *now = nw_machine_statistics(machine);
  uint64_t others = nw_machine_cycles(machine) - now->exit_cycles[NW_EXIT_KSM];
  assert_true(now->ksm_cycles > others);
  assert_in_range(exits(&(struct since){.machine = machine}, NW_EXIT_KSM), others / 200000,
                  others / 100000 + 1);
  nw_machine_destroy(machine);
}

static void merging_splits_large_host_pages(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    config.hypervisor.stage2_large = true;
    config.hypervisor.shadow.large_pages = true;
    config.hypervisor.ksm.max_sharers = 1u << 16; /* all 2 MB are zeros */
    struct nw_machine *machine = with_pages(&config, mode, 8, NW_READ);
    uint64_t ipa = ipa_of(machine, VA + 7 * PAGE);
    let_scan(machine);
    assert_int_equal(host_of(machine, VA), host_of(machine, VA + 7 * PAGE));
    assert_int_equal(nw_hypervisor_backing_log2(machine->hypervisor, ipa), 12);
    touch(machine, NW_WRITE, VA + 7 * PAGE);
    assert_true(present(machine, VA + 7 * PAGE, NW_WRITE));
    nw_machine_destroy(machine);
  }
}

/* The kernel gives a merged frame to another page and clears it, then tables stand in it. */
static void merged_frames_can_become_tables(void **state) {
  (void)state;
  FORMATS MODES_WITH_HOST {
    struct nw_machine_config config = config_of(format);
    config.guest.memory = 4 * MIB;
    struct nw_machine *machine = with_pages(&config, mode, 200, NW_READ);
    let_scan(machine);
    nw_machine_unmap(machine, VA, 200 * PAGE);
    for (unsigned i = 0; i < 12; i++) {
      nw_process_id id = nw_machine_spawn(machine);
      nw_machine_switch(machine, id);
      for (uint64_t at = 0; at < 12; at++)
        touch(machine, NW_WRITE, VA + at * 4 * MIB);
      let_scan(machine);
      assert_true(mode == NW_MODE_NESTED || consistent(machine));
    }
    assert_true(nw_machine_statistics(machine)->ksm_broken > 0);
    check_sums(machine);
    nw_machine_destroy(machine);
  }
}

/* Every host frame of the guest's memory is counted: nothing is lost by merging and breaking. */
static void host_memory_is_saved_and_given_back(void **state) {
  (void)state;
  MODES_WITH_HOST {
    struct nw_machine_config config = config_of(NW_GUEST_LPAE);
    config.hypervisor.ksm.interval = UINT64_C(1) << 40;
    struct nw_machine *machine = with_pages(&config, mode, 64, NW_READ);
    touch(machine, NW_READ, NOWHERE);
    uint64_t before = nw_frames_free(machine->hypervisor->frames);
    uint32_t shared = machine->hypervisor->backing[ipa_of(machine, VA) >> NW_FRAME_LOG2];
    nw_machine_destroy(machine);
    config.hypervisor.ksm.interval = 1;
    machine = with_pages(&config, mode, 64, NW_READ);
    let_scan(machine);
    const struct nw_machine_statistics *now = nw_machine_statistics(machine);
    uint64_t saved = now->ksm_bytes_saved / PAGE;
    assert_true(saved >= 63 && shared != 0);
    assert_true(nw_frames_free(machine->hypervisor->frames) + 8 >= before + saved - 8);
    for (uint64_t i = 0; i < 64; i++)
      touch(machine, NW_WRITE, VA + i * PAGE);
    assert_true(now->ksm_bytes_saved_peak >= 63 * PAGE);
    assert_true(nw_machine_statistics(machine)->ksm_bytes_saved < 8 * PAGE);
    nw_machine_destroy(machine);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pages_that_were_only_read_share_one_zero_page),
      cmocka_unit_test(a_store_breaks_the_sharing_first),
      cmocka_unit_test(written_pages_are_never_merged),
      cmocka_unit_test(pages_of_one_tag_are_merged_page_by_page),
      cmocka_unit_test(ranges_of_one_tag_meet_where_their_pages_are_the_same),
      cmocka_unit_test(a_host_frame_has_at_most_max_sharers),
      cmocka_unit_test(under_shadow_paging_every_leaf_of_a_merged_frame_is_found),
      cmocka_unit_test(the_scanners_time_is_its_own_cause),
      cmocka_unit_test(the_scanner_keeps_its_rate),
      cmocka_unit_test(a_slow_scanner_leaves_the_guest_its_time),
      cmocka_unit_test(merging_splits_large_host_pages),
      cmocka_unit_test(merged_frames_can_become_tables),
      cmocka_unit_test(host_memory_is_saved_and_given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
