/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Approximately timed traffic through the TLM-2.0 module: phases, exclusion rules, several requests
 * in flight, hits under misses, walks as processes in simulated time.
 */
#include "systemc/bench.h"

#include <algorithm>

namespace {

using namespace test;

bench *nested;      /* long descriptors over stage 2, one walker */
bench *two_walkers; /* the same with two walkers, and cycles for the walker's own steps */
bench *pair;        /* two ports, at most two requests in flight */
constexpr std::uint64_t va = 0x00300000;
constexpr std::uint64_t far_va = 0x00510000; /* by other tables than `va` */

bench &fresh(bench *b) {
  b->start();
  b->map(va, 12, MAP_ALL);
  b->map(va + 0x1000, 12, MAP_ALL);
  b->map(far_va, 12, MAP_ALL);
  return *b;
}

std::uint64_t cycles_of(const sc_core::sc_time &time) {
  return time.value() / cycle.value();
}

unsigned model_cycles(bench &b, std::uint64_t address) {
  rig_read(b.model, address);
  return b.model->result.cycles;
}

template <typename... Rest> std::vector<access> several(Rest &&...rest) {
  std::vector<access> list;
  (list.push_back(std::forward<Rest>(rest)), ...);
  return list;
}

/* -- one request ---------------------------------------------------------------------------------- */

void a_request_takes_the_time_that_the_model_and_the_memory_take(void **) {
  for (bench *b : {nested, two_walkers}) {
    fresh(b);
    const unsigned walk = model_cycles(*b, va);
    const unsigned hit = model_cycles(*b, va);
    assert_int_equal(cycles_of(b->at(read(va)).duration), walk + data_cycles);
    assert_int_equal(cycles_of(b->at(read(va)).duration), hit + data_cycles);
    assert_int_equal(b->mmu.statistics().walks, 1);
    assert_int_equal(b->mmu.statistics().l1d.accesses, 2);
    assert_int_equal(b->mmu.transport_statistics().transactions, 2);
    b->expect_protocol_kept();
  }
}

void the_walks_reads_are_made_when_the_model_makes_them(void **) {
  bench &b = fresh(two_walkers);
  const nw_walk_cycles &own = b.mmu.parameters().mmu.cycles;

  rig_read(b.model, va);
  b.at(read(va));
  assert_int_equal(b.descriptors.log.size(), b.model->accesses);
  for (unsigned i = 1; i < b.model->accesses; i++) {
    assert_int_equal(b.descriptors.log[i].address, b.model->log[i].pa);
    /* a read's own cycles come between its answer and the next; so may lookups of the caches */
    assert_true(cycles_of(b.descriptors.log[i].time - b.descriptors.log[i - 1].time) >=
                unsigned{RIG_READ_CYCLES} + own.read);
  }
}

void every_form_of_early_completion_is_understood_on_every_socket(void **) {
  bench &b = fresh(nested);

  for (unsigned down = 0; down < styles; down++) {
    for (unsigned walker = 0; walker < styles; walker++) {
      for (auto up :
           {initiator::ends::later, initiator::ends::by_return_path, initiator::ends::completed}) {
        b.mmu.invalidate(0, NW_TLBI_ALLNSNH);
        b.data.answers = static_cast<test::style>(down);
        b.descriptors.answers = static_cast<test::style>(walker);
        b.cores[0]->style = up;
        b.poke(b.pa(va) + 4, {static_cast<unsigned char>(down), 5, 6, 7});
        auto list = several(read(va + 4), read(va + 4), write(far_va, {1, 2}));
        for (const outcome &o : b.cores[0]->run(list))
          assert_int_equal(o.status, tlm::TLM_OK_RESPONSE);
        assert_int_equal(list[0].data[0], down);
        assert_int_equal(list[1].data[3], 7);
      }
    }
  }
  b.expect_protocol_kept();
}

void an_annotated_delay_is_honoured(void **) {
  bench &b = fresh(nested);

  b.at(read(va));
  b.data.log.clear();
  b.cores[0]->annotated = 50 * cycle;
  const sc_core::sc_time sent = sc_core::sc_time_stamp();
  const outcome o = b.at(read(va));
  assert_int_equal(cycles_of(o.end - sent), 50 + data_cycles);
  assert_true(b.data.log[0].time == sent + 50 * cycle);
  b.expect_protocol_kept();
}

void a_fault_comes_back_without_anything_sent_downstream(void **) {
  bench &b = fresh(nested);

  assert_int_equal(b.at(read(0x00900000)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.data.log.size(), 0);
  assert_int_equal(b.mmu.transport_statistics().pieces, 0);
  b.expect_protocol_kept();
}

void a_transfer_across_pages_goes_in_pieces_as_transactions_of_their_own(void **) {
  bench &b = fresh(nested);
  auto list = several(std::move(write(va + 0xffe, {1, 2, 3, 4}).with(user())));

  assert_int_equal(b.cores[0]->run(list)[0].status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log.size(), 2);
  assert_int_equal(b.data.log[0].length, 2);
  assert_int_equal(b.data.log[1].address, b.pa(va + 0x1000));
  assert_true(b.data.log[1].extended); /* each piece carries the extensions */
  assert_true(b.peek(b.pa(va + 0x1000), 2) == std::vector<unsigned char>({3, 4}));
  b.expect_protocol_kept();
}

/* -- several in flight ---------------------------------------------------------------------------- */

void a_hit_overtakes_a_miss(void **) {
  bench &b = fresh(nested);

  b.at(read(far_va));
  model_cycles(b, far_va); /* warms the walk caches as well */
  const unsigned walk = model_cycles(b, va);
  auto list = several(read(va), read(far_va));
  const auto outcomes = b.cores[0]->run(list);
  assert_true(b.cores[0]->completions == std::vector<std::size_t>({1, 0}));
  assert_int_equal(cycles_of(outcomes[0].duration), walk + data_cycles);
  assert_int_equal(cycles_of(outcomes[1].duration), data_cycles);
  b.expect_protocol_kept();
}

void misses_to_one_page_share_a_walk_and_end_with_it(void **) {
  bench &b = fresh(nested);
  const unsigned walk = model_cycles(b, va);
  auto list = several(read(va), read(va + 0x40), read(va + 0x80));

  const auto outcomes = b.cores[0]->run(list);
  assert_int_equal(b.mmu.statistics().walks, 1);
  assert_int_equal(b.mmu.statistics().shared_walks, 2);
  assert_int_equal(cycles_of(outcomes[0].duration), walk + data_cycles);
  assert_true(cycles_of(outcomes[2].duration) < walk + 4 * data_cycles);
  assert_true(b.cores[0]->completions == std::vector<std::size_t>({0, 1, 2}));
}

void with_one_walker_walks_come_one_after_the_other_and_with_two_side_by_side(void **) {
  for (bench *b : {nested, two_walkers}) {
    fresh(b);
    const unsigned first = model_cycles(*b, va);
    nw_mmu_invalidate(b->model->mmu, NW_TLBI_ALLNSNH, 0);
    const unsigned second = model_cycles(*b, far_va);
    nw_mmu_invalidate(b->model->mmu, NW_TLBI_ALLNSNH, 0);
    auto list = several(read(va), read(far_va));
    const auto outcomes = b->cores[0]->run(list);
    const std::uint64_t took = cycles_of(outcomes[1].duration);
    assert_int_equal(b->mmu.statistics().walks, 2);
    if (b == nested)
      assert_true(took > first);
    else
      assert_true(took < first + second / 2);
    b->expect_protocol_kept();
  }
}

void a_request_too_many_waits_for_its_end_req(void **) {
  bench &b = fresh(pair);
  std::vector<access> list[2];
  std::vector<outcome> outcomes;

  b.at(read(va));
  for (unsigned i = 0; i < 5; i++) {
    list[0].push_back(read(va + 4 * i));
    list[1].push_back(read(va + 4 * i));
  }
  b.data.latency = 20 * cycle;
  auto other = [&] { b.cores[1]->run(list[1]); };
  auto handle = sc_core::sc_spawn(other);
  outcomes = b.cores[0]->run(list[0]);
  if (!handle.terminated())
    sc_core::wait(handle.terminated_event());
  b.data.latency = data_cycles * cycle;
  /* ten requests, two at a time, 20 cycles each: neither port starves */
  assert_true(cycles_of(outcomes[4].duration) >= 20);
  assert_true(b.cores[1]->completions == std::vector<std::size_t>({0, 1, 2, 3, 4}));
  std::vector<std::uint64_t> starts;
  for (std::size_t i = 1; i < b.data.log.size(); i++)
    starts.push_back(cycles_of(b.data.log[i].time));
  assert_int_equal(starts.size(), 10);
  for (std::size_t i = 2; i < starts.size(); i++)
    assert_true(starts[i] >= starts[i - 2] + 20); /* never a third one in between */
  b.expect_protocol_kept();
}

/* IEEE 1666-2011, 15.2.10: of overlapping requests the earlier one gets there first. */
void overlapping_requests_keep_their_order(void **) {
  bench &b = fresh(nested);
  nestwalk::request_extension other_space = ids(9, 0);

  /* The first misses under its own ASID, the second hits: the same bytes of the same VA. */
  b.at(read(va));
  auto list =
      several(std::move(write(va, {1, 1}).with(other_space)), write(va, {2, 2}), read(va + 0x10));
  b.data.log.clear();
  b.cores[0]->run(list);
  assert_int_equal(b.data.log[0].address, b.pa(va) + 0x10); /* does not overlap: overtakes */
  assert_true(b.peek(b.pa(va), 2) == std::vector<unsigned char>({2, 2}));
  b.expect_protocol_kept();
}

void b_transport_and_nb_transport_mix(void **) {
  bench &b = fresh(nested);
  outcome blocking;
  auto thread = [&] {
    sc_core::wait(5 * cycle);
    blocking = b.lt(read(va + 8));
  };

  sc_core::sc_spawn(thread);
  assert_int_equal(b.at(read(va)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(blocking.status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.mmu.statistics().walks, 1);
  b.expect_protocol_kept();
}

void maintenance_and_register_writes_do_not_touch_requests_in_flight(void **) {
  bench &b = fresh(nested);
  auto meddle = [&] {
    pass(25);
    b.mmu.invalidate(0, NW_TLBI_ALL);
    b.mmu.write_register(0, NW_REG_TTBR0, 0x12340000);
  };

  sc_core::sc_spawn(meddle);
  assert_int_equal(b.at(read(va)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log[0].address, b.pa(va));
}

/* -- protocol errors of others -------------------------------------------------------------------- */

unsigned errors;

void count_errors(const sc_core::sc_report &report, const sc_core::sc_actions &actions) {
  if (report.get_severity() == sc_core::SC_ERROR)
    errors++;
  else
    sc_core::sc_report_handler::default_handler(report, actions);
}

void an_initiators_breach_of_the_protocol_is_reported(void **) {
  bench &b = fresh(nested);
  struct pool : tlm::tlm_mm_interface {
    void free(tlm::tlm_generic_payload *) override {
    }
  } pool;
  tlm::tlm_generic_payload payload(&pool);
  access a = read(va);
  sc_core::sc_time delay;
  tlm::tlm_phase phase;

  payload.acquire();
  a.put(payload);
  errors = 0;
  sc_core::sc_report_handler::set_handler(count_errors);
  for (auto wrong : {tlm::END_RESP, tlm::END_REQ, tlm::BEGIN_RESP}) {
    phase = wrong;
    b.cores[0]->socket->nb_transport_fw(payload, phase, delay);
  }
  assert_int_equal(errors, 3);
  for (auto wrong : {tlm::END_REQ, tlm::BEGIN_REQ}) { /* by a target */
    phase = wrong;
    b.data.socket->nb_transport_bw(payload, phase, delay);
  }
  assert_int_equal(errors, 5);
  sc_core::sc_report_handler::set_handler(nullptr);
  assert_int_equal(b.at(read(va)).status, tlm::TLM_OK_RESPONSE); /* nothing is upset */
  b.start();
}

const CMUnitTest tests[] = {
    cmocka_unit_test(a_request_takes_the_time_that_the_model_and_the_memory_take),
    cmocka_unit_test(the_walks_reads_are_made_when_the_model_makes_them),
    cmocka_unit_test(every_form_of_early_completion_is_understood_on_every_socket),
    cmocka_unit_test(an_annotated_delay_is_honoured),
    cmocka_unit_test(a_fault_comes_back_without_anything_sent_downstream),
    cmocka_unit_test(a_transfer_across_pages_goes_in_pieces_as_transactions_of_their_own),
    cmocka_unit_test(a_hit_overtakes_a_miss),
    cmocka_unit_test(misses_to_one_page_share_a_walk_and_end_with_it),
    cmocka_unit_test(with_one_walker_walks_come_one_after_the_other_and_with_two_side_by_side),
    cmocka_unit_test(a_request_too_many_waits_for_its_end_req),
    cmocka_unit_test(overlapping_requests_keep_their_order),
    cmocka_unit_test(b_transport_and_nb_transport_mix),
    cmocka_unit_test(maintenance_and_register_writes_do_not_touch_requests_in_flight),
    cmocka_unit_test(an_initiators_breach_of_the_protocol_is_reported),
};

} // namespace

int sc_main(int, char **) {
  bench of_nested("nested", options());
  options how;
  how.config.walkers = 2;
  how.config.cycles = {2, 3, 2, 1, 1, 1, 2};
  how.config.l2.latency = 4;
  bench of_two_walkers("two_walkers", how);
  options pair_how;
  pair_how.ports = 2;
  pair_how.outstanding = 2;
  bench of_pair("pair", pair_how);

  nested = &of_nested;
  two_walkers = &of_two_walkers;
  pair = &of_pair;
  return run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
}
