/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's memories and its serial port, each behind an initiator of its own. */
#include "systemc/issuer.h"

#include "platform/dram.h"
#include "platform/uart.h"

#include <algorithm>
#include <stdexcept>

using namespace nestwalk::tb;
using namespace test;
using sc_core::sc_time;

namespace {

constexpr std::uint64_t memory_size = 1 << 20;
constexpr unsigned row = 8192, banks = 8;
constexpr std::uint64_t same_bank = std::uint64_t(row) * banks; /* the next row of a bank */

dram_parameters without_refresh() {
  dram_parameters p;
  p.refresh_every_ns = 0;
  return p;
}

struct fixture {
  storage ideal_bytes{memory_size}, dram_bytes{memory_size};
  issuer to_ideal{"to_ideal"}, to_dram{"to_dram"}, to_refreshed{"to_refreshed"}, to_uart{"to_uart"};
  ideal_memory ideal{"ideal", ideal_bytes, ns(30)};
  dram rows{"rows", dram_bytes, without_refresh()};
  dram refreshed{"refreshed", dram_bytes};
  uart serial{"serial", ns(1000), ns(10)};
  sc_core::sc_signal<bool> interrupt{"interrupt"};

  fixture() {
    to_ideal.checker.initiator.bind(ideal.target);
    to_dram.checker.initiator.bind(rows.target);
    to_refreshed.checker.initiator.bind(refreshed.target);
    to_uart.checker.initiator.bind(serial.target);
    serial.interrupt.bind(interrupt);
  }
};

fixture *all;

#define assert_time(found, expected)                                                               \
  do {                                                                                             \
    if ((found) != (expected))                                                                     \
      fail_msg("%s, expected %s", (found).to_string().c_str(), (expected).to_string().c_str());    \
  } while (0)

/* -- ideal memory ------------------------------------------------------------------------------ */

void bytes_stored_are_loaded(void **) {
  assert_int_equal(all->to_ideal.lt(store(0x100, {1, 2, 3, 4, 5})).status, tlm::TLM_OK_RESPONSE);
  const issue back = all->to_ideal.lt(load(0x101, 3));
  assert_int_equal(back.status, tlm::TLM_OK_RESPONSE);
  assert_true((back.data == std::vector<unsigned char>{2, 3, 4}));
  assert_true(back.dmi_hint);
}

void an_ideal_memory_adds_its_latency_to_the_local_time(void **) {
  const issue one = all->to_ideal.lt(load(0), ns(7));
  assert_time(one.answered - one.sent, ns(30));
  assert_time(one.answered - sc_core::sc_time_stamp(), ns(37));
}

void byte_enables_choose_and_repeat(void **) {
  all->to_ideal.lt(store(0x200, {9, 9, 9, 9, 9, 9}));
  issue one = store(0x200, {1, 2, 3, 4, 5, 6});
  one.enables = {0xff, 0x00};
  all->to_ideal.lt(one);
  assert_true(
      (all->to_ideal.lt(load(0x200, 6)).data == std::vector<unsigned char>{1, 9, 3, 9, 5, 9}));
}

void a_store_without_enabled_bytes_changes_nothing(void **) {
  all->to_ideal.lt(store(0x280, {5, 5, 5, 5}));
  issue one = store(0x280, {1, 2, 3, 4});
  one.enables = {0x00};
  assert_int_equal(all->to_ideal.lt(one).status, tlm::TLM_OK_RESPONSE);
  assert_true((all->to_ideal.lt(load(0x280)).data == std::vector<unsigned char>{5, 5, 5, 5}));
}

void accesses_beyond_the_end_are_address_errors(void **) {
  for (const issue &one : {load(memory_size), load(memory_size - 3), load(~std::uint64_t(0))})
    assert_int_equal(all->to_ideal.lt(one).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(all->to_ideal.lt(load(memory_size - 4)).status, tlm::TLM_OK_RESPONSE);
}

void streaming_is_a_burst_error(void **) {
  issue one = load(0, 8);
  one.width = 4;
  assert_int_equal(all->to_ideal.lt(one).status, tlm::TLM_BURST_ERROR_RESPONSE);
}

void an_ignored_command_moves_nothing(void **) {
  const memory::counts before = all->ideal.counted();
  issue one = load(0x100);
  one.command = tlm::TLM_IGNORE_COMMAND;
  one.data = {7, 7, 7, 7};
  const issue back = all->to_ideal.lt(one);
  assert_int_equal(back.status, tlm::TLM_OK_RESPONSE);
  assert_true((back.data == std::vector<unsigned char>{7, 7, 7, 7}));
  assert_int_equal(all->ideal.counted().bytes, before.bytes);
}

void a_window_is_the_whole_memory(void **) {
  tlm::tlm_dmi window;
  assert_true(all->to_ideal.dmi(0x1234, tlm::TLM_WRITE_COMMAND, window));
  assert_int_equal(window.get_start_address(), 0);
  assert_int_equal(window.get_end_address(), memory_size - 1);
  assert_true(window.is_read_write_allowed());
  assert_time(window.get_read_latency(), ns(30));
  window.get_dmi_ptr()[0x1234] = 0x5a;
  assert_int_equal(all->to_ideal.lt(load(0x1234, 1)).data[0], 0x5a);
  assert_false(all->to_ideal.dmi(memory_size, tlm::TLM_READ_COMMAND, window));
}

void debug_transport_does_what_fits_and_is_not_counted(void **) {
  const memory::counts before = all->ideal.counted();
  issue one = store(memory_size - 2, {0xaa, 0xbb, 0xcc, 0xdd});
  assert_int_equal(all->to_ideal.debug(one), 2);
  one = load(memory_size - 2, 2);
  assert_int_equal(all->to_ideal.debug(one), 2);
  assert_true((one.data == std::vector<unsigned char>{0xaa, 0xbb}));
  one = load(memory_size);
  assert_int_equal(all->to_ideal.debug(one), 0);
  assert_int_equal(all->ideal.counted().reads, before.reads);
  assert_int_equal(all->ideal.counted().writes, before.writes);
  assert_int_equal(all->ideal.counted().debug, before.debug + 3);
}

void four_phases_take_the_latency(void **) {
  std::vector<issue> one = {load(0x100)};
  all->to_ideal.at(one);
  assert_int_equal(one[0].status, tlm::TLM_OK_RESPONSE);
  assert_time(one[0].accepted, one[0].sent);
  assert_time(one[0].answered - one[0].sent, ns(30));
  assert_int_equal(one[0].data[0], 1);
}

void eight_requests_are_taken_before_the_first_is_answered(void **) {
  std::vector<issue> requests(10, load(0));
  all->to_ideal.at(requests);
  for (unsigned i = 0; i < 8; i++)
    assert_time(requests[i].accepted, requests[0].sent);
  assert_time(requests[8].accepted, requests[0].answered);
}

void responses_wait_for_the_end_of_the_one_before(void **) {
  std::vector<issue> two = {load(0), load(4)};
  all->to_ideal.response_time = ns(12);
  all->to_ideal.at(two);
  all->to_ideal.response_time = ns(0);
  assert_time(two[1].answered - two[0].answered, ns(12));
}

void responses_ended_at_once_follow_each_other(void **) {
  for (const tlm::tlm_sync_enum how : {tlm::TLM_UPDATED, tlm::TLM_COMPLETED}) {
    std::vector<issue> three = {load(0), load(4), load(8)};
    all->to_ideal.answers = how;
    all->to_ideal.at(three);
    for (const issue &each : three)
      assert_time(each.answered - each.sent, ns(30));
  }
  all->to_ideal.answers = tlm::TLM_ACCEPTED;
}

/* -- DRAM -------------------------------------------------------------------------------------- */

/* What one access costs, long after all others. */
sc_time cost(issuer &from, const issue &one) {
  sc_core::wait(ns(1000));
  const issue done = from.lt(one);
  assert_int_equal(done.status, tlm::TLM_OK_RESPONSE);
  return done.answered - done.sent;
}

void a_row_is_missed_then_hit_then_conflicts(void **) {
  const auto before = all->rows.rows();
  /* 20 ns of controller each time; tCL and tBURST; tRCD; tRP */
  assert_time(cost(all->to_dram, load(0)), ns(20 + 13.75 + 13.75 + 5));
  assert_time(cost(all->to_dram, load(row - 4)), ns(20 + 13.75 + 5));
  assert_time(cost(all->to_dram, load(same_bank)), ns(20 + 13.75 + 13.75 + 13.75 + 5));
  assert_time(cost(all->to_dram, load(row)), ns(20 + 13.75 + 13.75 + 5)); /* the next bank */
  assert_int_equal(all->rows.rows().hits - before.hits, 1);
  assert_int_equal(all->rows.rows().misses - before.misses, 2);
  assert_int_equal(all->rows.rows().conflicts - before.conflicts, 1);
}

void a_row_stays_open_for_tras(void **) {
  sc_core::wait(ns(1000));
  const std::uint64_t bank = 2 * row;
  const issue first = all->to_dram.lt(load(bank));
  const issue second = all->to_dram.lt(load(bank + same_bank)); /* at the same time */
  /* activated at 10 ns; precharged tRAS later; then tRP, tRCD, tCL, tBURST and 10 ns out */
  assert_time(second.answered - first.sent, ns(10 + 35 + 13.75 + 13.75 + 13.75 + 5 + 10));
}

void a_row_that_was_written_recovers_before_it_is_closed(void **) {
  sc_core::wait(ns(1000));
  const std::uint64_t bank = 3 * row;
  const issue first = all->to_dram.lt(store(bank, {1, 2, 3, 4}));
  const issue second = all->to_dram.lt(load(bank + same_bank));
  /* data written by 10 + tRCD + tCL + tBURST = 42.5 ns, which is past tRAS less tWR */
  assert_time(second.answered - first.sent, ns(42.5 + 15 + 13.75 + 13.75 + 13.75 + 5 + 10));
}

void two_banks_share_the_data_bus(void **) {
  sc_core::wait(ns(1000));
  const issue first = all->to_dram.lt(load(4 * row));
  const issue second = all->to_dram.lt(load(5 * row)); /* at the same time */
  assert_time(second.answered - first.answered, ns(5));
}

void a_long_access_takes_a_burst_for_each_line(void **) {
  cost(all->to_dram, load(6 * row));
  assert_time(cost(all->to_dram, load(6 * row, 64)), ns(20 + 13.75 + 5));
  assert_time(cost(all->to_dram, load(6 * row + 32, 64)), ns(20 + 13.75 + 10));
  assert_time(cost(all->to_dram, load(6 * row, 256)), ns(20 + 13.75 + 20));
}

void approximately_timed_bursts_are_the_same(void **) {
  sc_core::wait(ns(1000));
  std::vector<issue> two = {load(7 * row), load(7 * row + 64)};
  all->to_dram.at(two);
  assert_time(two[0].answered - two[0].sent, ns(20 + 13.75 + 13.75 + 5));
  assert_time(two[1].answered - two[0].answered, ns(5));
}

void refresh_closes_the_rows_and_is_waited_for(void **) {
  const double before = std::floor(sc_core::sc_time_stamp() / ns(7800));
  const sc_time due = (before + 1) * ns(7800);
  sc_core::wait(due - ns(100) - sc_core::sc_time_stamp());
  all->to_refreshed.lt(load(0));
  const std::uint64_t conflicts = all->refreshed.rows().conflicts;
  const issue hit = all->to_refreshed.lt(load(64), ns(60));
  assert_time(hit.answered - hit.sent, ns(20 + 13.75 + 5));
  /* arrives at the banks 10 ns into the refresh: waits for its end, finds no row open */
  sc_core::wait(ns(100));
  const issue late = all->to_refreshed.lt(load(128));
  assert_time(late.answered - due, ns(260 + 13.75 + 13.75 + 5 + 10));
  assert_int_equal(all->refreshed.rows().conflicts, conflicts);
  assert_true(all->refreshed.rows().refreshes > 0);
}

void a_window_costs_a_row_hit(void **) {
  tlm::tlm_dmi window;
  assert_true(all->to_dram.dmi(0, tlm::TLM_READ_COMMAND, window));
  assert_time(window.get_read_latency(), ns(20 + 13.75 + 5));
}

void a_geometry_that_is_no_power_of_two_is_refused(void **) {
  for (unsigned dram_parameters::*what :
       {&dram_parameters::banks, &dram_parameters::row_bytes, &dram_parameters::burst_bytes})
    for (const unsigned value : {0u, 3u, 48u}) {
      dram_parameters p;
      p.*what = value;
      try {
        dram_parameters_check(p);
      } catch (const std::invalid_argument &) {
        continue;
      }
      fail_msg("%u was taken", value);
    }
}

/* -- the serial port --------------------------------------------------------------------------- */

std::uint32_t read_register(unsigned address, unsigned length = 4) {
  const issue one = all->to_uart.lt(load(address, length));
  std::uint32_t value = 0;
  assert_int_equal(one.status, tlm::TLM_OK_RESPONSE);
  for (unsigned i = 0; i < length; i++)
    value |= std::uint32_t(one.data[i]) << 8 * i;
  return value;
}

void write_register(unsigned address, unsigned char value) {
  const issue one = all->to_uart.lt(store(address, {value, 0, 0, 0}));
  assert_int_equal(one.status, tlm::TLM_OK_RESPONSE);
}

void characters_leave_at_the_lines_speed(void **) {
  assert_int_equal(read_register(uart::flags), uart::send_empty | uart::receive_empty);
  for (const char c : std::string("hello"))
    write_register(uart::data, static_cast<unsigned char>(c));
  assert_int_equal(read_register(uart::flags), uart::busy | uart::receive_empty);
  sc_core::wait(ns(2500));
  assert_string_equal(all->serial.sent().c_str(), "he");
  sc_core::wait(ns(3000));
  assert_string_equal(all->serial.sent().c_str(), "hello");
  assert_int_equal(read_register(uart::flags), uart::send_empty | uart::receive_empty);
}

void a_full_queue_says_so_and_loses_what_comes(void **) {
  for (unsigned i = 0; i < uart::queue; i++) {
    assert_false(read_register(uart::flags) & uart::send_full);
    write_register(uart::data, '.');
  }
  assert_true(read_register(uart::flags) & uart::send_full);
  write_register(uart::data, '!');
  assert_int_equal(all->serial.lost(), 1);
  sc_core::wait(ns(30000));
  assert_int_equal(all->serial.sent().find('!'), std::string::npos);
}

void received_characters_are_read_in_order(void **) {
  assert_true(all->serial.receive('a') && all->serial.receive('b'));
  issue peek = load(uart::data);
  assert_int_equal(all->to_uart.debug(peek), 4); /* takes nothing out */
  assert_int_equal(peek.data[0], 'a');
  assert_int_equal(read_register(uart::data, 1), 'a');
  assert_int_equal(read_register(uart::data, 2), 'b');
  assert_int_equal(read_register(uart::data), 0);
  for (unsigned i = 0; i < uart::queue; i++)
    assert_true(all->serial.receive('c'));
  assert_false(all->serial.receive('d'));
  for (unsigned i = 0; i < uart::queue; i++)
    read_register(uart::data);
}

void conditions_raise_the_interrupt_where_the_mask_lets_them(void **) {
  assert_int_equal(read_register(uart::raw), uart::send_interrupt);
  assert_false(all->interrupt.read());
  write_register(uart::mask, 0xff);
  sc_core::wait(ns(1));
  assert_int_equal(read_register(uart::mask), uart::send_interrupt | uart::receive_interrupt);
  assert_true(all->interrupt.read());
  write_register(uart::mask, uart::receive_interrupt);
  sc_core::wait(ns(1));
  assert_false(all->interrupt.read());
  all->serial.receive('x');
  sc_core::wait(ns(1));
  assert_true(all->interrupt.read());
  assert_int_equal(read_register(uart::masked), uart::receive_interrupt);
  read_register(uart::data);
  sc_core::wait(ns(1));
  assert_false(all->interrupt.read());
}

void accesses_that_no_register_takes_are_errors(void **) {
  const auto status = [](issue one) { return all->to_uart.lt(one).status; };
  assert_int_equal(status(load(4)), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(status(load(1, 1)), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(status(load(uart::flags, 8)), tlm::TLM_BURST_ERROR_RESPONSE);
  assert_int_equal(status(store(uart::flags, {0, 0, 0, 0})), tlm::TLM_COMMAND_ERROR_RESPONSE);
  issue enabled = store(uart::data, {1, 2, 3, 4});
  enabled.enables = {0xff};
  assert_int_equal(status(enabled), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
}

void a_device_gives_no_window_and_takes_no_debug_write(void **) {
  tlm::tlm_dmi window;
  assert_false(all->to_uart.dmi(uart::data, tlm::TLM_WRITE_COMMAND, window));
  issue one = store(uart::data, {'?'});
  assert_int_equal(all->to_uart.debug(one), 0);
}

void a_device_is_reached_in_four_phases(void **) {
  const std::string before = all->serial.sent();
  std::vector<issue> three = {store(uart::data, {'a'}), store(uart::data, {'t'}),
                              load(uart::flags)};
  all->to_uart.at(three);
  sc_core::wait(ns(5000));
  assert_string_equal(all->serial.sent().c_str(), (before + "at").c_str());
  assert_true(three[2].data[0] & uart::busy);
}

/* -- the whole --------------------------------------------------------------------------------- */

void the_rules_of_the_base_protocol_were_kept(void **) {
  for (issuer *each : {&all->to_ideal, &all->to_dram, &all->to_refreshed, &all->to_uart})
    each->expect_rules_kept();
}

int run_all() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(bytes_stored_are_loaded),
      cmocka_unit_test(an_ideal_memory_adds_its_latency_to_the_local_time),
      cmocka_unit_test(byte_enables_choose_and_repeat),
      cmocka_unit_test(a_store_without_enabled_bytes_changes_nothing),
      cmocka_unit_test(accesses_beyond_the_end_are_address_errors),
      cmocka_unit_test(streaming_is_a_burst_error),
      cmocka_unit_test(an_ignored_command_moves_nothing),
      cmocka_unit_test(a_window_is_the_whole_memory),
      cmocka_unit_test(debug_transport_does_what_fits_and_is_not_counted),
      cmocka_unit_test(four_phases_take_the_latency),
      cmocka_unit_test(eight_requests_are_taken_before_the_first_is_answered),
      cmocka_unit_test(responses_wait_for_the_end_of_the_one_before),
      cmocka_unit_test(responses_ended_at_once_follow_each_other),
      cmocka_unit_test(a_row_is_missed_then_hit_then_conflicts),
      cmocka_unit_test(a_row_stays_open_for_tras),
      cmocka_unit_test(a_row_that_was_written_recovers_before_it_is_closed),
      cmocka_unit_test(two_banks_share_the_data_bus),
      cmocka_unit_test(a_long_access_takes_a_burst_for_each_line),
      cmocka_unit_test(approximately_timed_bursts_are_the_same),
      cmocka_unit_test(refresh_closes_the_rows_and_is_waited_for),
      cmocka_unit_test(a_window_costs_a_row_hit),
      cmocka_unit_test(a_geometry_that_is_no_power_of_two_is_refused),
      cmocka_unit_test(characters_leave_at_the_lines_speed),
      cmocka_unit_test(a_full_queue_says_so_and_loses_what_comes),
      cmocka_unit_test(received_characters_are_read_in_order),
      cmocka_unit_test(conditions_raise_the_interrupt_where_the_mask_lets_them),
      cmocka_unit_test(accesses_that_no_register_takes_are_errors),
      cmocka_unit_test(a_device_gives_no_window_and_takes_no_debug_write),
      cmocka_unit_test(a_device_is_reached_in_four_phases),
      cmocka_unit_test(the_rules_of_the_base_protocol_were_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}

} // namespace

int sc_main(int, char **) {
  fixture made;
  runner tests("tests", run_all);
  all = &made;
  sc_core::sc_start();
  return tests.failed;
}
