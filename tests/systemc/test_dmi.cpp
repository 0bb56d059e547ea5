/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct memory and debug transport through the TLM-2.0 module. The tests marked "seen in" check for
 * what was read in the source of other public models.
 */
#include "systemc/bench.h"

#include <cstring>

namespace {

using namespace test;
using tlm::tlm_dmi;

bench *nested; /* long descriptors over stage 2 */
bench *plain;  /* short descriptors alone */
bench *pair;   /* nested, two contexts, two ports */
bench *slow;   /* nested, a level-1 hit costs 2 cycles */
constexpr std::uint64_t va = 0x00300000;
constexpr std::uint64_t large_va = 0x00a00000;
constexpr std::uint64_t unmapped = 0x00900000;

bench &fresh(bench *b) {
  b->start();
  return *b;
}

access write_request(std::uint64_t address) {
  return write(address, {0, 0, 0, 0});
}

void expect_window(bench &b, const tlm_dmi &window, std::uint64_t first, std::uint64_t last,
                   std::uint64_t pa) {
  assert_int_equal(window.get_start_address(), first);
  assert_int_equal(window.get_end_address(), last);
  assert_ptr_equal(window.get_dmi_ptr(), b.storage.at(pa));
}

/* -- granting ------------------------------------------------------------------------------------- */

void a_window_is_one_page(void **) {
  bench &b = fresh(nested);
  tlm_dmi window;

  b.map(va, 12, MAP_ALL);
  b.map(large_va, 21, MAP_ALL);
  assert_true(b.dmi(read(va + 0x123), window));
  expect_window(b, window, va, va + 0xfff, b.pa(va));
  assert_true(b.dmi(read(large_va + 0x12345), window));
  expect_window(b, window, large_va, large_va + 0x1fffff, b.pa(large_va));
  assert_int_equal(b.mmu.transport_statistics().dmi_granted, 2);
  b.expect_protocol_kept();
}

void with_translation_off_the_window_is_what_32_bits_reach(void **) {
  bench &b = fresh(nested);
  tlm_dmi window;

  b.mmu.write_register(0, NW_REG_HCR, 0);
  b.mmu.write_register(0, NW_REG_SCTLR, 0);
  assert_true(b.dmi(read(0x12345678), window));
  expect_window(b, window, 0, 0xffffffff, 0);
}

/* seen in: VCML */
void a_window_never_grants_more_than_the_permissions_of_the_page(void **) {
  const struct {
    unsigned rights;
    bool privileged, instruction;
    int granted;
  } cases[] = {
      {MAP_ALL, true, false, tlm_dmi::DMI_ACCESS_READ_WRITE},
      {MAP_ALL, false, false, tlm_dmi::DMI_ACCESS_READ_WRITE},
      {MAP_ALL, false, true, tlm_dmi::DMI_ACCESS_READ},
      {MAP_USER, true, false, tlm_dmi::DMI_ACCESS_READ},
      {MAP_USER, false, false, tlm_dmi::DMI_ACCESS_READ},
      {MAP_WRITE, true, false, tlm_dmi::DMI_ACCESS_READ_WRITE},
      {MAP_WRITE, false, false, tlm_dmi::DMI_ACCESS_NONE},
      {MAP_WRITE | MAP_USER, false, true, tlm_dmi::DMI_ACCESS_NONE}, /* execute never */
      {MAP_EXECUTE, true, true, tlm_dmi::DMI_ACCESS_READ},
  };

  for (bench *b : {nested, plain}) {
    for (const auto &c : cases) {
      fresh(b);
      b->map(va, 12, c.rights);
      nestwalk::request_extension fields;
      fields.privileged = c.privileged;
      fields.instruction = c.instruction;
      tlm_dmi window;
      const bool reads = (c.granted & tlm_dmi::DMI_ACCESS_READ) != 0;
      assert_int_equal(b->dmi(std::move(read(va).with(fields)), window), reads);
      if (reads)
        assert_int_equal(window.get_granted_access(), c.granted);
      if (c.instruction)
        continue;
      const bool writes = (c.granted & tlm_dmi::DMI_ACCESS_WRITE) != 0;
      assert_int_equal(b->dmi(std::move(write_request(va).with(fields)), window), writes);
      if (writes)
        assert_int_equal(window.get_granted_access(), c.granted);
    }
  }
}

void stage_2_limits_the_rights_of_a_window(void **) {
  bench &b = fresh(nested);
  constexpr std::uint64_t ipa = 0xb1000000, at = 0x00d01000;
  tlm_dmi window;

  tables_map(b.model->tables, 1, at, ipa, 12, MAP_ALL);
  tables_map(b.model->tables, 2, ipa, ipa + TABLES_OFFSET, 12, MAP_READ);
  b.load();
  assert_true(b.dmi(read(at), window));
  assert_int_equal(window.get_granted_access(), tlm_dmi::DMI_ACCESS_READ);
  assert_false(b.dmi(write_request(at), window));
}

void a_window_never_grants_more_than_the_target_does(void **) {
  bench &b = fresh(nested);
  tlm_dmi window;

  b.map(large_va, 21, MAP_ALL);
  b.data.dmi_first = b.pa(large_va) + 0x10000;
  b.data.dmi_last = b.pa(large_va) + 0x1ffff;
  b.data.dmi_access = tlm_dmi::DMI_ACCESS_READ;
  assert_true(b.dmi(read(large_va + 0x12345), window));
  expect_window(b, window, large_va + 0x10000, large_va + 0x1ffff, b.pa(large_va) + 0x10000);
  assert_int_equal(window.get_granted_access(), tlm_dmi::DMI_ACCESS_READ);
  assert_false(b.dmi(write_request(large_va + 0x12345), window));
  assert_false(b.dmi(read(large_va), window));
}

/* seen in: VCML, qbox */
void a_failed_dmi_request_leaves_the_payloads_address_as_it_was(void **) {
  bench &b = fresh(nested); /* bench.dmi() compares the address */
  tlm_dmi window;

  b.map(va, 12, MAP_READ | MAP_USER);
  assert_false(b.dmi(read(unmapped + 4), window));
  assert_false(b.dmi(write_request(va + 4), window));
  b.data.grants_dmi = false;
  assert_false(b.dmi(read(va + 4), window));
  assert_int_equal(window.get_start_address(), va);
  assert_int_equal(window.get_end_address(), va + 0xfff);
  assert_int_equal(b.mmu.transport_statistics().dmi_granted, 0);
  b.expect_protocol_kept();
}

void a_denied_dmi_request_records_no_fault_and_counts_nothing(void **) {
  bench &b = fresh(nested);
  tlm_dmi window;

  b.dmi(read(unmapped), window);
  b.map(va, 12, MAP_ALL);
  b.dmi(read(va), window);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
  assert_int_equal(b.mmu.statistics().walks, 0);
  assert_int_equal(b.mmu.statistics().l1d.accesses, 0);
  assert_int_equal(b.mmu.transport_statistics().walker_reads, 0);
  assert_int_equal(b.descriptors.log.size(), 0); /* descriptors were read by transport_dbg */
  assert_true(b.descriptors.debug_accesses > 0);
}

void a_windows_latency_is_the_targets_and_that_of_a_hit(void **) {
  bench &b = fresh(slow);
  tlm_dmi window;

  b.map(va, 12, MAP_ALL);
  assert_true(b.dmi(read(va), window));
  assert_true(window.get_read_latency() == (data_cycles + 2) * cycle);
  assert_true(window.get_write_latency() == (data_cycles + 2) * cycle);
  b.lt(read(va));
  assert_true(b.lt(read(va)).duration == window.get_read_latency());
}

void the_targets_dmi_hint_reaches_the_initiator(void **) {
  bench &b = fresh(nested);
  tlm::tlm_generic_payload payload;
  access a = read(va);
  sc_core::sc_time delay;

  b.map(va, 12, MAP_ALL);
  a.put(payload);
  b.cores[0]->socket->b_transport(payload, delay);
  assert_true(payload.is_dmi_allowed());
  b.data.grants_dmi = false;
  a.put(payload);
  b.cores[0]->socket->b_transport(payload, delay);
  assert_false(payload.is_dmi_allowed());
}

/* -- withdrawing ---------------------------------------------------------------------------------- */

/* Two windows, of a small and of a large page, are held by the initiator. */
bench &with_windows(bench *which) {
  bench &b = fresh(which);
  tlm_dmi window;

  b.map(va, 12, MAP_ALL);
  b.map(large_va, 21, MAP_ALL);
  for (auto &core : b.cores) {
    const unsigned port = core == b.cores[0] ? 0 : 1;
    assert_true(b.dmi(read(va), window, port));
    assert_true(b.dmi(read(large_va), window, port));
  }
  return b;
}

bool withdrawn(const bench &b, std::uint64_t first, std::uint64_t last, unsigned port = 0) {
  for (const tlm_dmi &w : b.cores[port]->withdrawn)
    if (w.get_start_address() <= first && w.get_end_address() >= last)
      return true;
  return false;
}

bool small_withdrawn(const bench &b, unsigned port = 0) {
  return withdrawn(b, va, va + 0xfff, port);
}

bool large_withdrawn(const bench &b, unsigned port = 0) {
  return withdrawn(b, large_va, large_va + 0x1fffff, port);
}

/* seen in: VCML, qbox */
void windows_are_withdrawn_on_every_kind_of_maintenance(void **) {
  for (unsigned op = 0; op < NW_ARMV7_TLBIS; op++) {
    bench &b = with_windows(nested);
    const bool by_address =
        op == NW_TLBI_MVA || op == NW_TLBI_MVAA || op == NW_ITLBI_MVA || op == NW_DTLBI_MVA;
    const bool of_hyp = op == NW_TLBI_ALLH || op == NW_TLBI_MVAH;
    b.mmu.invalidate(0, static_cast<nw_tlbi>(op), large_va + 0x5000);
    assert_int_equal(large_withdrawn(b), !of_hyp);
    assert_int_equal(small_withdrawn(b), !of_hyp && !by_address);
    b.expect_protocol_kept();
  }
}

/* seen in: VCML, qbox */
void windows_are_withdrawn_on_every_register_write(void **) {
  for (unsigned r = 0; r < NW_REGISTERS; r++) {
    bench &b = with_windows(nested);
    assert_int_equal(b.write_register(8 * r, b.mmu.read_register(0, static_cast<nw_register>(r))),
                     tlm::TLM_OK_RESPONSE);
    assert_true(small_withdrawn(b));
    assert_true(large_withdrawn(b));
  }
}

void a_refused_register_write_withdraws_nothing(void **) {
  bench &b = with_windows(nested);

  assert_int_equal(b.mmu.write_register(0, NW_REG_TTBCR, 0), NW_REGISTER_CONTRADICTS);
  assert_int_equal(b.cores[0]->withdrawn.size(), 0);
}

void a_register_write_concerns_the_sockets_of_its_context_alone(void **) {
  bench &b = with_windows(pair);

  b.mmu.write_register(1, NW_REG_TTBR0, 0x50000000);
  assert_int_equal(b.cores[0]->withdrawn.size(), 0);
  assert_true(small_withdrawn(b, 1));
}

void maintenance_concerns_every_context(void **) {
  bench &b = with_windows(pair);

  b.mmu.invalidate(0, NW_TLBI_ALL);
  assert_true(small_withdrawn(b, 0));
  assert_true(large_withdrawn(b, 1));
}

void reset_withdraws_everything(void **) {
  bench &b = with_windows(pair);

  b.reset.write(true);
  pass(1);
  for (unsigned port = 0; port < 2; port++) {
    assert_true(small_withdrawn(b, port));
    assert_true(large_withdrawn(b, port));
  }
}

/* seen in: VCML */
void the_targets_invalidation_is_translated_back(void **) {
  bench &b = with_windows(pair);

  b.data.withdraw_dmi(b.pa(va) + 0x800, b.pa(va) + 0x8ff);
  for (unsigned port = 0; port < 2; port++) {
    assert_int_equal(b.cores[port]->withdrawn.size(), 1);
    assert_true(small_withdrawn(b, port));
  }
  b.data.withdraw_dmi(0, ~std::uint64_t{0});
  assert_true(large_withdrawn(b, 0));
}

void what_is_withdrawn_is_withdrawn_once(void **) {
  bench &b = with_windows(nested);

  b.mmu.invalidate(0, NW_TLBI_ALL);
  assert_int_equal(b.mmu.transport_statistics().dmi_withdrawn, 2);
  b.mmu.invalidate(0, NW_TLBI_ALL);
  b.mmu.write_register(0, NW_REG_DACR, 0);
  assert_int_equal(b.cores[0]->withdrawn.size(), 2);
  tlm_dmi window;
  assert_true(b.dmi(read(va), window));
  assert_true(b.dmi(read(va), window)); /* the same window again */
  b.mmu.invalidate(0, NW_TLBI_ALL);
  assert_int_equal(b.cores[0]->withdrawn.size(), 3);
}

/* An initiator that keeps to its windows sees what one without DMI sees. */
void accesses_by_dmi_are_those_by_transport(void **) {
  bench &b = fresh(nested);
  tlm_dmi window;

  b.map(va, 12, MAP_ALL);
  assert_true(b.dmi(write_request(va), window));
  std::memcpy(window.get_dmi_ptr() + 0x40, "dmi", 3);
  access a = read(va + 0x40, 3);
  b.lt(a);
  assert_memory_equal(a.data.data(), "dmi", 3);
}

/* -- debug transport ------------------------------------------------------------------------------ */

struct state {
  struct nw_mmu_statistics counts;
  nestwalk::traffic traffic;
  sc_core::sc_time time;
};

state state_of(bench &b) {
  return {b.mmu.statistics(), b.mmu.transport_statistics(), sc_core::sc_time_stamp()};
}

void expect_unchanged(bench &b, const state &before) {
  const state after = state_of(b);
  assert_memory_equal(&before.counts, &after.counts, sizeof before.counts);
  assert_memory_equal(&before.traffic, &after.traffic, sizeof before.traffic);
  assert_true(before.time == after.time);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
}

void debug_moves_the_bytes_and_changes_nothing(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  const state before = state_of(b);
  access w = write(va + 0x10, {1, 2, 3});
  assert_int_equal(b.debug(w), 3);
  assert_true(b.peek(b.pa(va) + 0x10, 3) == std::vector<unsigned char>({1, 2, 3}));
  access r = read(va + 0x11, 2);
  assert_int_equal(b.debug(r), 2);
  assert_true(r.data == std::vector<unsigned char>({2, 3}));
  expect_unchanged(b, before);
  b.lt(read(va));
  assert_int_equal(b.mmu.statistics().l1d.misses, 1); /* nothing was installed */
  b.expect_protocol_kept();
}

/* seen in: VCML, qbox */
void debug_translates_a_transfer_that_crosses_a_page_page_by_page(void **) {
  bench &b = fresh(nested);

  tables_map(b.model->tables, 1, 0x00700000, 0x90000000, 12, MAP_ALL);
  tables_map(b.model->tables, 1, 0x00701000, 0x98000000, 12, MAP_ALL);
  tables_map(b.model->tables, 2, 0x90000000, 0x190000000, 12, MAP_ALL);
  tables_map(b.model->tables, 2, 0x98000000, 0x198000000, 12, MAP_ALL);
  b.load();
  b.poke(0x190000ffe, {1, 2});
  b.poke(0x198000000, {3, 4});
  access a = read(0x00700ffe, 4);
  assert_int_equal(b.debug(a), 4);
  assert_true(a.data == std::vector<unsigned char>({1, 2, 3, 4}));
}

/* seen in: VCML, qbox */
void debug_reports_faults_by_the_bytes_done_and_the_response(void **) {
  bench &b = fresh(nested);
  tlm::tlm_generic_payload payload;
  access a = read(va + 0xffc, 8); /* the next page is not mapped */

  b.map(va, 12, MAP_ALL);
  const state before = state_of(b);
  a.put(payload);
  assert_int_equal(b.cores[0]->socket->transport_dbg(payload), 4);
  assert_int_equal(payload.get_response_status(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  access nothing = read(unmapped, 8);
  assert_int_equal(b.debug(nothing), 0);
  expect_unchanged(b, before);
}

void debug_ends_where_the_target_does(void **) {
  bench &b = fresh(nested);
  access a = read(va, 8);

  b.map(va, 12, MAP_ALL);
  b.data.hole_first = b.pa(va);
  b.data.hole_last = b.pa(va) + 0xfff;
  assert_int_equal(b.debug(a), 0);
}

void debug_has_the_rights_of_its_payload(void **) {
  bench &b = fresh(nested);
  access as_user = read(va);

  b.map(va, 12, MAP_READ);
  as_user.with(user());
  assert_int_equal(b.debug(as_user), 0);
  access as_kernel = read(va);
  assert_int_equal(b.debug(as_kernel), 4);
}

void a_debug_request_by_transport_moves_data_and_leaves_the_mmu_alone(void **) {
  bench &b = fresh(nested);
  nestwalk::request_extension fields;

  b.map(va, 12, MAP_ALL);
  fields.debug = true;
  assert_true(b.lt(std::move(read(va).with(fields))).duration == data_cycles * cycle);
  assert_true(b.at(std::move(read(va).with(fields))).status == tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.mmu.statistics().walks, 0);
  assert_int_equal(b.mmu.statistics().l1d.accesses, 0);
  assert_int_equal(b.descriptors.log.size(), 0);
}

void debug_translate_says_what_a_walk_finds(void **) {
  bench &b = fresh(nested);
  nestwalk::debug_request request;
  nw_result result;

  b.map(va, 12, MAP_READ | MAP_USER);
  const state before = state_of(b);
  request.va = va + 0x123;
  assert_true(b.mmu.debug_translate(request, result));
  assert_int_equal(result.pa, b.pa(va) + 0x123);
  request.access = NW_WRITE;
  assert_false(b.mmu.debug_translate(request, result));
  assert_int_equal(result.fault.type, NW_FAULT_PERMISSION);
  request.va = unmapped;
  assert_false(b.mmu.debug_translate(request, result));
  assert_int_equal(result.fault.type, NW_FAULT_TRANSLATION);
  expect_unchanged(b, before);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(a_window_is_one_page),
    cmocka_unit_test(with_translation_off_the_window_is_what_32_bits_reach),
    cmocka_unit_test(a_window_never_grants_more_than_the_permissions_of_the_page),
    cmocka_unit_test(stage_2_limits_the_rights_of_a_window),
    cmocka_unit_test(a_window_never_grants_more_than_the_target_does),
    cmocka_unit_test(a_failed_dmi_request_leaves_the_payloads_address_as_it_was),
    cmocka_unit_test(a_denied_dmi_request_records_no_fault_and_counts_nothing),
    cmocka_unit_test(a_windows_latency_is_the_targets_and_that_of_a_hit),
    cmocka_unit_test(the_targets_dmi_hint_reaches_the_initiator),
    cmocka_unit_test(windows_are_withdrawn_on_every_kind_of_maintenance),
    cmocka_unit_test(windows_are_withdrawn_on_every_register_write),
    cmocka_unit_test(a_refused_register_write_withdraws_nothing),
    cmocka_unit_test(a_register_write_concerns_the_sockets_of_its_context_alone),
    cmocka_unit_test(maintenance_concerns_every_context),
    cmocka_unit_test(reset_withdraws_everything),
    cmocka_unit_test(the_targets_invalidation_is_translated_back),
    cmocka_unit_test(what_is_withdrawn_is_withdrawn_once),
    cmocka_unit_test(accesses_by_dmi_are_those_by_transport),
    cmocka_unit_test(debug_moves_the_bytes_and_changes_nothing),
    cmocka_unit_test(debug_translates_a_transfer_that_crosses_a_page_page_by_page),
    cmocka_unit_test(debug_reports_faults_by_the_bytes_done_and_the_response),
    cmocka_unit_test(debug_ends_where_the_target_does),
    cmocka_unit_test(debug_has_the_rights_of_its_payload),
    cmocka_unit_test(a_debug_request_by_transport_moves_data_and_leaves_the_mmu_alone),
    cmocka_unit_test(debug_translate_says_what_a_walk_finds),
};

} // namespace

int sc_main(int, char **) {
  bench of_nested("nested", options());
  bench of_plain("plain", options(NW_REGIME_ARMV7_SHORT));
  options how;
  how.contexts = how.ports = 2;
  bench of_pair("pair", how);
  options slow_how;
  slow_how.config.l1d.latency = 2;
  bench of_slow("slow", slow_how);

  nested = &of_nested;
  plain = &of_plain;
  pair = &of_pair;
  slow = &of_slow;
  return run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
}
