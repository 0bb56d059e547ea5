/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loosely timed traffic through the TLM-2.0 module: exact counts and times after exact accesses, the
 * payload on its way and back, transfers that cross pages.
 */
#include "systemc/bench.h"

#include <algorithm>

namespace {

using namespace test;
using sc_core::SC_ZERO_TIME;

bench *nested;     /* long descriptors over stage 2 */
bench *plain;      /* short descriptors alone */
bench *one_socket; /* the walker's socket unbound */
constexpr std::uint64_t va = 0x00300000;
constexpr std::uint64_t other_va = 0x00510000; /* by other tables than `va` */

bench &fresh(bench *b) {
  b->start();
  return *b;
}

std::uint64_t cycles_of(const outcome &o) {
  return o.duration.value() / cycle.value();
}

/* The C model does the same access and says what it costs. */
unsigned model_cycles(bench &b, nw_access access, std::uint64_t address) {
  rig_translate(b.model, access, NW_PRIVILEGED, address);
  return b.model->result.cycles;
}

/* Two neighbouring pages of 4 KB whose PAs are far apart. */
constexpr std::uint64_t split_va = 0x00700000;
constexpr std::uint64_t first_ipa = 0x90000000, second_ipa = 0x98000000;

void map_neighbours(bench &b, unsigned second_rights = MAP_ALL) {
  tables *t = b.model->tables;

  tables_map(t, 1, split_va, first_ipa, 12, MAP_ALL);
  tables_map(t, 1, split_va + 0x1000, second_ipa, 12, second_rights);
  if (t->regime.s2_enabled) {
    tables_map(t, 2, first_ipa, first_ipa + TABLES_OFFSET, 12, MAP_ALL);
    tables_map(t, 2, second_ipa, second_ipa + TABLES_OFFSET, 12, MAP_ALL);
  }
  b.load();
}

/* -- what an access costs and counts -------------------------------------------------------------- */

void a_miss_costs_its_walk_and_a_hit_only_its_lookup(void **) {
  for (bench *b : {nested, plain}) {
    fresh(b);
    b->map(va, 12, MAP_ALL);
    const unsigned walk = model_cycles(*b, NW_READ, va);
    assert_true(walk > 0);
    assert_int_equal(cycles_of(b->lt(read(va))), walk + data_cycles);
    assert_int_equal(b->mmu.transport_statistics().walker_reads, b->model->accesses);
    assert_int_equal(b->mmu.statistics().walks, 1);
    assert_int_equal(b->mmu.statistics().l1d.misses, 1);
    assert_int_equal(cycles_of(b->lt(read(va + 0xff0))), data_cycles);
    assert_int_equal(b->mmu.statistics().l1d.hits, 1);
    assert_int_equal(b->mmu.statistics().walks, 1);
    assert_int_equal(b->mmu.transport_statistics().transactions, 2);
    assert_int_equal(b->mmu.transport_statistics().pieces, 2);
    assert_int_equal(b->mmu.transport_statistics().faults, 0);
    b->expect_protocol_kept();
  }
}

void a_walk_reads_the_descriptors_that_the_model_reads_at_the_same_times(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  rig_translate(b.model, NW_READ, NW_PRIVILEGED, va);
  b.lt(read(va));
  assert_int_equal(b.descriptors.log.size(), b.model->accesses);
  const sc_core::sc_time start = b.descriptors.log[0].time;
  for (unsigned i = 0; i < b.model->accesses; i++) {
    const memory::seen &seen = b.descriptors.log[i];
    assert_int_equal(seen.address, b.model->log[i].pa);
    assert_int_equal(seen.length, 8);
    assert_int_equal(seen.command, tlm::TLM_READ_COMMAND);
    assert_false(seen.extended);
    assert_true(seen.time == start + i * RIG_READ_CYCLES * cycle);
  }
}

void the_delay_that_comes_in_is_kept_and_handed_on(void **) {
  bench &b = fresh(nested);
  tlm::tlm_generic_payload payload;
  access a = read(va);
  sc_core::sc_time delay = 1000 * cycle;

  b.map(va, 12, MAP_ALL);
  const unsigned walk = model_cycles(b, NW_READ, va);
  a.put(payload);
  b.cores[0]->socket->b_transport(payload, delay);
  assert_true(delay == (1000 + walk + data_cycles) * cycle);
  assert_true(b.descriptors.log[0].time == sc_core::sc_time_stamp() + 1000 * cycle);
  assert_true(b.data.log[0].time == sc_core::sc_time_stamp() + (1000 + walk) * cycle);
}

void a_fetch_is_looked_up_on_the_instruction_side(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.lt(read(va).with(fetch()));
  assert_int_equal(b.mmu.statistics().l1i.misses, 1);
  assert_int_equal(b.mmu.statistics().l1d.accesses, 0);
  b.lt(read(va));
  assert_int_equal(b.mmu.statistics().l1d.misses, 1);
  assert_int_equal(b.mmu.statistics().l2.hits, 1);
  assert_true(b.data.log[0].extended);
}

void an_unbound_walker_reads_by_the_downstream_socket(void **) {
  bench &b = fresh(one_socket);

  b.map(va, 12, MAP_ALL);
  const unsigned walk = model_cycles(b, NW_READ, va);
  assert_int_equal(cycles_of(b.lt(read(va))), walk + RIG_READ_CYCLES);
  assert_int_equal(b.data.log.size(), b.model->accesses + 1);
  assert_int_equal(b.at(read(va + 0x1000 * 0)).status, tlm::TLM_OK_RESPONSE);
  b.mmu.invalidate(0, NW_TLBI_ALL);
  assert_int_equal(cycles_of(b.at(read(va))), walk + RIG_READ_CYCLES);
  b.expect_protocol_kept();
}

void statistics_can_be_reset(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.lt(read(va));
  b.mmu.reset_statistics();
  assert_int_equal(b.mmu.statistics().walks, 0);
  assert_int_equal(b.mmu.transport_statistics().transactions, 0);
  assert_int_equal(cycles_of(b.lt(read(va))), data_cycles); /* the TLB is as it was */
}

/* -- where it goes -------------------------------------------------------------------------------- */

void bytes_go_to_and_come_from_the_translated_address(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.lt(write(va + 0x123, {1, 2, 3}));
  assert_true(b.peek(b.pa(va) + 0x123, 3) == std::vector<unsigned char>({1, 2, 3}));
  access a = read(va + 0x122, 5);
  b.lt(a);
  assert_true(a.data == std::vector<unsigned char>({0, 1, 2, 3, 0}));
}

void with_translation_off_addresses_are_their_own_translation_and_nothing_is_split(void **) {
  bench &b = fresh(nested);

  b.mmu.write_register(0, NW_REG_HCR, 0);
  b.mmu.write_register(0, NW_REG_SCTLR, 0);
  assert_int_equal(cycles_of(b.lt(read(0x12345ff0, 64))), data_cycles);
  assert_int_equal(b.data.log.size(), 1);
  assert_int_equal(b.data.log[0].address, 0x12345ff0);
  assert_int_equal(b.mmu.statistics().l1d.accesses, 0);
  assert_int_equal(b.lt(read(0xfffffffe, 4)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.mmu.fault(0).fault.va, 0x100000000);
}

void an_address_beyond_32_bits_is_a_translation_fault(void **) {
  bench &b = fresh(nested);

  assert_int_equal(b.lt(read(0x100300000)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_TRANSLATION);
  assert_int_equal(b.mmu.fault(0).fault.va, 0x100300000);
}

void an_ignored_command_is_translated_as_a_read_and_handed_on(void **) {
  bench &b = fresh(nested);
  access a = read(va);

  b.map(va, 12, MAP_ALL);
  a.command = tlm::TLM_IGNORE_COMMAND;
  assert_int_equal(b.lt(a).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log[0].command, tlm::TLM_IGNORE_COMMAND);
  assert_int_equal(b.data.log[0].address, b.pa(va));
}

/* -- pieces --------------------------------------------------------------------------------------- */

void a_transfer_that_crosses_a_page_is_made_in_pieces_each_translated(void **) {
  for (bench *b : {nested, plain}) {
    fresh(b);
    map_neighbours(*b);
    const std::uint64_t offset = b == nested ? TABLES_OFFSET : 0;
    b->poke(first_ipa + offset + 0xffd, {1, 2, 3});
    b->poke(second_ipa + offset, {4, 5});
    access a = read(split_va + 0xffd, 5);
    assert_int_equal(b->lt(a).status, tlm::TLM_OK_RESPONSE);
    assert_true(a.data == std::vector<unsigned char>({1, 2, 3, 4, 5}));
    assert_int_equal(b->data.log.size(), 2);
    assert_int_equal(b->data.log[0].length, 3);
    assert_int_equal(b->data.log[1].length, 2);
    assert_int_equal(b->data.log[1].address, second_ipa + offset);
    assert_int_equal(b->mmu.statistics().l1d.misses, 2);
    assert_int_equal(b->mmu.transport_statistics().transactions, 1);
    assert_int_equal(b->mmu.transport_statistics().pieces, 2);
    b->expect_protocol_kept();
  }
}

void a_transfer_within_a_large_page_is_not_split_at_4k(void **) {
  bench &b = fresh(nested);

  b.map(0x00a00000, 21, MAP_ALL);
  assert_int_equal(b.lt(read(0x00a00ffc, 0x3000)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log.size(), 1);
}

void a_stream_within_a_page_is_not_split_however_long_its_data(void **) {
  bench &b = fresh(nested);
  access a = read(va + 0xff8, 0x2000);

  b.map(va, 12, MAP_ALL);
  a.streaming_width = 8;
  assert_int_equal(b.lt(a).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log.size(), 1);
  assert_int_equal(b.data.log[0].streaming_width, 8);
}

/* A transfer over three pages is what single bytes are, for all attributes. */
void any_transfer_is_what_its_bytes_are_one_by_one(void **) {
  bench &b = fresh(nested);
  std::uint64_t chance = rig_seed("transfers", 20250711);
  const std::uint64_t pages[3] = {0x90000000, 0xa8000000, 0x98000000};

  for (unsigned i = 0; i < 3; i++) {
    tables_map(b.model->tables, 1, split_va + 0x1000 * i, pages[i], 12, MAP_ALL);
    tables_map(b.model->tables, 2, pages[i], pages[i] + TABLES_OFFSET, 12, MAP_ALL);
  }
  b.load();
  auto byte_at = [&](std::uint64_t address) {
    const std::uint64_t offset = address - split_va;
    return b.storage.at(pages[offset >> 12] + TABLES_OFFSET + (offset & 0xfff));
  };
  for (unsigned round = 0; round < 2000; round++) {
    access a = read(split_va + rig_below(&chance, 0x2000), 1 + rig_below(&chance, 0x1000));
    if (rig_below(&chance, 2) != 0)
      a.streaming_width = 1 + rig_below(&chance, a.length);
    if (rig_below(&chance, 2) != 0)
      a.length = 1 + rig_below(&chance, 64);
    if (rig_below(&chance, 3) == 0) {
      a.enables.resize(1 + rig_below(&chance, 16));
      for (auto &enable : a.enables)
        enable = rig_below(&chance, 2) != 0 ? 0xff : 0;
    }
    if (rig_below(&chance, 2) != 0)
      a.command = tlm::TLM_WRITE_COMMAND;
    a.data.resize(a.length);
    for (auto &byte : a.data)
      byte = static_cast<unsigned char>(rig_below(&chance, 256));
    const unsigned width = a.streaming_width == 0 ? a.length : a.streaming_width;
    std::vector<unsigned char> expected = a.data;
    if (a.command == tlm::TLM_READ_COMMAND) {
      for (unsigned i = 0; i < a.length; i++)
        if (a.enables.empty() || a.enables[i % a.enables.size()] != 0)
          expected[i] = *byte_at(a.va + i % width);
    }
    std::vector<unsigned char> memory_before, memory_expected;
    for (std::uint64_t at = split_va; at < split_va + 0x3000; at++)
      memory_before.push_back(*byte_at(at));
    memory_expected = memory_before;
    if (a.command == tlm::TLM_WRITE_COMMAND) {
      for (unsigned i = 0; i < a.length; i++)
        if (a.enables.empty() || a.enables[i % a.enables.size()] != 0)
          memory_expected[a.va - split_va + i % width] = a.data[i];
    }
    const outcome o = round % 4 == 3 ? [&] {
      std::vector<access> one;
      one.push_back(std::move(a));
      const outcome result = b.cores[0]->run(one)[0];
      a = std::move(one[0]);
      return result;
    }()
                                     : b.lt(a);
    assert_int_equal(o.status, tlm::TLM_OK_RESPONSE);
    assert_true(a.data == expected);
    std::vector<unsigned char> memory_after;
    for (std::uint64_t at = split_va; at < split_va + 0x3000; at++)
      memory_after.push_back(*byte_at(at));
    assert_true(memory_after == memory_expected);
  }
  b.expect_protocol_kept();
}

void a_fault_of_a_later_piece_ends_the_transfer_and_names_its_first_byte(void **) {
  bench &b = fresh(nested);

  map_neighbours(b, MAP_USER | MAP_READ); /* the second page is read-only */
  b.poke(first_ipa + TABLES_OFFSET + 0xffe, {0, 0});
  assert_int_equal(b.lt(write(split_va + 0xffe, {7, 8, 9})).status,
                   tlm::TLM_COMMAND_ERROR_RESPONSE);
  assert_true(b.peek(first_ipa + TABLES_OFFSET + 0xffe, 2) == std::vector<unsigned char>({7, 8}));
  assert_int_equal(b.mmu.fault(0).fault.va, split_va + 0x1000);
  assert_int_equal(b.mmu.transport_statistics().pieces, 1);
  assert_int_equal(b.mmu.transport_statistics().faults, 1);
}

void an_error_of_the_target_is_passed_on_and_ends_the_transfer(void **) {
  bench &b = fresh(nested);

  map_neighbours(b);
  b.data.hole_first = first_ipa + TABLES_OFFSET;
  b.data.hole_last = first_ipa + TABLES_OFFSET + 0xfff;
  assert_int_equal(b.lt(read(split_va + 0xffe)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.data.log.size(), 1);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
  assert_int_equal(b.mmu.transport_statistics().faults, 0);
}

/* -- several threads ------------------------------------------------------------------------------ */

/* Runs `body` beside the test and lets it begin. */
sc_core::sc_process_handle beside(const std::function<void()> &body) {
  return sc_core::sc_spawn(body);
}

void a_thread_whose_page_is_being_walked_waits_and_shares_the_walk(void **) {
  bench &b = fresh(nested);
  outcome second;

  b.map(va, 12, MAP_ALL);
  b.descriptors.wait_in_b_transport = RIG_READ_CYCLES * cycle;
  b.descriptors.latency = SC_ZERO_TIME;
  const unsigned walk = model_cycles(b, NW_READ, va);
  auto other = beside([&] {
    sc_core::wait(cycle);
    second = b.lt(read(va + 8));
  });
  const outcome first = b.lt(read(va));
  if (!other.terminated())
    sc_core::wait(other.terminated_event());
  b.descriptors.latency = RIG_READ_CYCLES * cycle;
  assert_int_equal(cycles_of(first), walk + data_cycles);
  assert_int_equal(cycles_of(second), walk + data_cycles - 1); /* ends as the walk does */
  assert_int_equal(b.mmu.statistics().walks, 1);
  assert_int_equal(b.mmu.statistics().shared_walks, 1);
  b.expect_protocol_kept();
}

void a_thread_that_hits_overtakes_one_that_walks(void **) {
  bench &b = fresh(nested);
  outcome second;

  b.map(va, 12, MAP_ALL);
  b.map(other_va, 12, MAP_ALL);
  b.lt(read(other_va));
  b.descriptors.wait_in_b_transport = RIG_READ_CYCLES * cycle;
  auto other = beside([&] {
    sc_core::wait(cycle);
    second = b.lt(read(other_va));
    assert_int_equal(b.mmu.statistics().walks, 1); /* the other one has not ended */
  });
  b.lt(read(va));
  assert_true(other.terminated());
  assert_int_equal(cycles_of(second), data_cycles);
  assert_int_equal(b.mmu.statistics().walks, 2);
}

void a_register_write_in_the_middle_of_a_walk_does_not_touch_it(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.descriptors.meanwhile = [&] { b.mmu.write_register(0, NW_REG_TTBR0, 0x12340000); };
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log[0].address, b.pa(va));
}

void maintenance_in_the_middle_of_a_walk_keeps_its_result_out_of_the_tlb(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.descriptors.meanwhile = [&] { b.mmu.invalidate(0, NW_TLBI_ALL); };
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_OK_RESPONSE);
  b.lt(read(va));
  assert_int_equal(b.mmu.statistics().walks, 2);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(a_miss_costs_its_walk_and_a_hit_only_its_lookup),
    cmocka_unit_test(a_walk_reads_the_descriptors_that_the_model_reads_at_the_same_times),
    cmocka_unit_test(the_delay_that_comes_in_is_kept_and_handed_on),
    cmocka_unit_test(a_fetch_is_looked_up_on_the_instruction_side),
    cmocka_unit_test(an_unbound_walker_reads_by_the_downstream_socket),
    cmocka_unit_test(statistics_can_be_reset),
    cmocka_unit_test(bytes_go_to_and_come_from_the_translated_address),
    cmocka_unit_test(with_translation_off_addresses_are_their_own_translation_and_nothing_is_split),
    cmocka_unit_test(an_address_beyond_32_bits_is_a_translation_fault),
    cmocka_unit_test(an_ignored_command_is_translated_as_a_read_and_handed_on),
    cmocka_unit_test(a_transfer_that_crosses_a_page_is_made_in_pieces_each_translated),
    cmocka_unit_test(a_transfer_within_a_large_page_is_not_split_at_4k),
    cmocka_unit_test(a_stream_within_a_page_is_not_split_however_long_its_data),
    cmocka_unit_test(any_transfer_is_what_its_bytes_are_one_by_one),
    cmocka_unit_test(a_fault_of_a_later_piece_ends_the_transfer_and_names_its_first_byte),
    cmocka_unit_test(an_error_of_the_target_is_passed_on_and_ends_the_transfer),
    cmocka_unit_test(a_thread_whose_page_is_being_walked_waits_and_shares_the_walk),
    cmocka_unit_test(a_thread_that_hits_overtakes_one_that_walks),
    cmocka_unit_test(a_register_write_in_the_middle_of_a_walk_does_not_touch_it),
    cmocka_unit_test(maintenance_in_the_middle_of_a_walk_keeps_its_result_out_of_the_tlb),
};

} // namespace

int sc_main(int, char **) {
  bench of_nested("nested", options());
  bench of_plain("plain", options(NW_REGIME_ARMV7_SHORT));
  options how;
  how.separate_walker = false;
  bench of_one_socket("one_socket", how);

  nested = &of_nested;
  plain = &of_plain;
  one_socket = &of_one_socket;
  return run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
}
