/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform's interconnect and its core. Two initiators reach two memories and a picky target
 * through the interconnect, a checker on every hop.
 */
#define SC_INCLUDE_DYNAMIC_PROCESSES /* sc_spawn */
#include "systemc/issuer.h"

#include "platform/core.h"
#include "platform/interconnect.h"
#include "platform/memory.h"

#include <map>
#include <stdexcept>
#include <string>

extern "C" {
#include "support/random.h"
}

using namespace nestwalk::tb;
using namespace test;
using sc_core::sc_time;

namespace {

constexpr std::uint64_t near = 0x10000, far = 0x8000000, picky = 0x40000000; /* regions */
constexpr std::uint64_t region = 0x1000;

/* A target that takes every form of nb_transport that the rules allow, and answers with errors now
 * and then. */
class picky_target : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<picky_target> target;
  struct random dice = {1};

  explicit picky_target(sc_core::sc_module_name name)
      : sc_module(name), target("target"), events_("events", this, &picky_target::happens) {
    target.register_nb_transport_fw(this, &picky_target::nb_transport_fw);
  }

private:
  sc_time some_time() {
    return ns(random_below(&dice, 20));
  }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_time &delay) {
    if (phase == tlm::END_RESP) {
      events_.notify(payload, phase, delay);
      return random_chance(&dice, 50) ? tlm::TLM_ACCEPTED : tlm::TLM_COMPLETED;
    }
    switch (random_below(&dice, 4)) {
    case 0: /* END_REQ and BEGIN_RESP, or BEGIN_RESP alone, later */
      events_.notify(payload, random_chance(&dice, 50) ? tlm::END_REQ : tlm::BEGIN_RESP,
                     delay + some_time());
      return tlm::TLM_ACCEPTED;
    case 1:
      delay += some_time();
      phase = tlm::END_REQ;
      events_.notify(payload, tlm::BEGIN_RESP, delay + some_time());
      return tlm::TLM_UPDATED;
    case 2:
      if (responding_)
        break;
      delay += some_time();
      phase = tlm::BEGIN_RESP;
      responding_ = &payload;
      answer(payload);
      return tlm::TLM_UPDATED;
    default:
      delay += some_time();
      answer(payload);
      return tlm::TLM_COMPLETED;
    }
    events_.notify(payload, tlm::BEGIN_RESP, delay);
    return tlm::TLM_ACCEPTED;
  }

  void answer(tlm::tlm_generic_payload &payload) {
    payload.set_response_status(random_chance(&dice, 20) ? tlm::TLM_GENERIC_ERROR_RESPONSE
                                                         : tlm::TLM_OK_RESPONSE);
  }

  void happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
    tlm::tlm_phase up = phase;
    sc_time delay;
    if (phase == tlm::END_RESP) {
      responding_ = nullptr;
    } else if (phase == tlm::END_REQ) {
      target->nb_transport_bw(payload, up, delay);
      events_.notify(payload, tlm::BEGIN_RESP, some_time());
    } else if (responding_) {
      events_.notify(payload, tlm::BEGIN_RESP, ns(1)); /* later */
    } else {
      responding_ = &payload;
      answer(payload);
      const tlm::tlm_sync_enum returned = target->nb_transport_bw(payload, up, delay);
      if (returned != tlm::TLM_ACCEPTED)
        events_.notify(payload, tlm::END_RESP, delay);
    }
  }

  tlm::tlm_generic_payload *responding_ = nullptr;
  tlm_utils::peq_with_cb_and_phase<picky_target> events_;
};

struct fixture {
  storage near_bytes{2 * region}, far_bytes{region}, core_bytes{16 * region};
  issuer first{"first"}, second{"second"};
  interconnect bus{"bus", 2, 3};
  protocol_checker<> near_hop{"near_hop"}, far_hop{"far_hop"}, picky_hop{"picky_hop"};
  ideal_memory near_memory{"near", near_bytes, ns(30)}, far_memory{"far", far_bytes, ns(50)};
  picky_target picky_device{"picky"};
  core lt_core{"lt_core", with(style::lt, 1)}, dmi_core{"dmi_core", with(style::lt_dmi, 1)},
      at_core{"at_core", with(style::at, 1)}, wide_core{"wide_core", with(style::at, 4)};
  protocol_checker<> lt_hop{"lt_hop"}, dmi_hop{"dmi_hop"}, at_hop{"at_hop"}, wide_hop{"wide_hop"};
  ideal_memory lt_memory{"lt_memory", core_bytes, ns(30)},
      dmi_memory{"dmi_memory", core_bytes, ns(30)}, at_memory{"at_memory", core_bytes, ns(30)},
      wide_memory{"wide_memory", core_bytes, ns(30)};

  static core_parameters with(style how, unsigned outstanding) {
    core_parameters p;
    p.how = how;
    p.quantum = ns(100);
    p.outstanding = outstanding;
    return p;
  }

  fixture() {
    first.checker.initiator.bind(bus.upstream[0]);
    second.checker.initiator.bind(bus.upstream[1]);
    connect(bus.downstream[0], near_hop, near_memory.target);
    connect(bus.downstream[1], far_hop, far_memory.target);
    connect(bus.downstream[2], picky_hop, picky_device.target);
    bus.map(0, near, region);
    bus.map(1, far, region);
    bus.map(2, picky, region);
    bus.set_latency(1, ns(5));
    connect(lt_core.socket, lt_hop, lt_memory.target);
    connect(dmi_core.socket, dmi_hop, dmi_memory.target);
    connect(at_core.socket, at_hop, at_memory.target);
    connect(wide_core.socket, wide_hop, wide_memory.target);
    first.checker.judge().demand_address_restored(true);
    second.checker.judge().demand_address_restored(true);
  }

  template <typename from_socket, typename to_socket>
  static void connect(from_socket &from, protocol_checker<> &hop, to_socket &to) {
    from.bind(hop.target);
    hop.initiator.bind(to);
  }
};

fixture *all;

#define assert_time(found, expected)                                                               \
  do {                                                                                             \
    if ((found) != (expected))                                                                     \
      fail_msg("%s, expected %s", (found).to_string().c_str(), (expected).to_string().c_str());    \
  } while (0)

/* -- loosely timed ----------------------------------------------------------------------------- */

void each_region_is_its_targets_from_0(void **) {
  all->first.lt(store(near + 8, {1, 2, 3, 4}));
  all->first.lt(store(far + 8, {5, 6, 7, 8}));
  assert_int_equal(*all->near_bytes.at(8), 1);
  assert_int_equal(*all->far_bytes.at(8), 5);
  assert_int_equal(all->second.lt(load(far + 8)).data[3], 8);
}

void a_port_costs_its_latency(void **) {
  const issue one = all->first.lt(load(near)), two = all->second.lt(load(near));
  assert_time(one.answered - one.sent, ns(30));
  assert_time(two.answered - two.sent, ns(35));
}

void an_address_of_no_region_is_an_address_error(void **) {
  const std::uint64_t before = all->bus.decode_errors();
  for (const issue &one : {load(0), load(near - 1, 1), load(near + region), load(near + region - 2),
                           load(~std::uint64_t(3))})
    assert_int_equal(all->first.lt(one).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(all->bus.decode_errors() - before, 5);
  assert_int_equal(all->first.lt(load(near + region - 4)).status, tlm::TLM_OK_RESPONSE);
}

void regions_that_overlap_are_refused(void **) {
  const struct {
    unsigned target;
    std::uint64_t start, size;
  } bad[] = {{0, near, 1}, {1, near - 1, 2}, {1, near + region - 1, 5}, {0, far - 1, 0x5000},
             {0, 0, 0},    {3, 0, 16},       {0, ~std::uint64_t(0), 2}};
  for (const auto &each : bad) {
    try {
      all->bus.map(each.target, each.start, each.size);
    } catch (const std::invalid_argument &) {
      continue;
    }
    fail_msg("0x%llx was taken", static_cast<unsigned long long>(each.start));
  }
}

void a_window_ends_with_its_region(void **) {
  tlm::tlm_dmi window;
  assert_true(all->second.dmi(near + 0x10, tlm::TLM_READ_COMMAND, window));
  assert_int_equal(window.get_start_address(), near);
  assert_int_equal(window.get_end_address(), near + region - 1); /* the memory has twice as much */
  assert_ptr_equal(window.get_dmi_ptr(), all->near_bytes.at(0));
  assert_time(window.get_read_latency(), ns(35));
  assert_false(all->second.dmi(near + region, tlm::TLM_READ_COMMAND, window));
  assert_false(all->first.dmi(picky, tlm::TLM_READ_COMMAND, window));
}

void withdrawn_windows_are_those_of_the_region(void **) {
  all->first.withdrawn.clear();
  all->near_memory.target->invalidate_direct_mem_ptr(0x10, 0x1f);
  all->near_memory.target->invalidate_direct_mem_ptr(region, 2 * region - 1); /* not reachable */
  all->far_memory.target->invalidate_direct_mem_ptr(0, ~sc_dt::uint64(0));
  assert_int_equal(all->first.withdrawn.size(), 2);
  assert_int_equal(all->first.withdrawn[0].first, near + 0x10);
  assert_int_equal(all->first.withdrawn[0].second, near + 0x1f);
  assert_int_equal(all->first.withdrawn[1].first, far);
  assert_int_equal(all->first.withdrawn[1].second, far + region - 1);
  assert_true(all->first.withdrawn == all->second.withdrawn);
}

void debug_transport_is_routed(void **) {
  issue one = store(far + 0x20, {0x11, 0x22});
  assert_int_equal(all->first.debug(one), 2);
  assert_int_equal(*all->far_bytes.at(0x21), 0x22);
  one = load(0);
  assert_int_equal(all->first.debug(one), 0);
}

/* -- approximately timed ----------------------------------------------------------------------- */

void phases_pass_without_a_delay_of_their_own(void **) {
  std::vector<issue> one = {load(near + 8)};
  all->first.at(one);
  assert_int_equal(one[0].status, tlm::TLM_OK_RESPONSE);
  assert_time(one[0].answered - one[0].sent, ns(30));
  one = {load(near + 8)};
  all->second.at(one);
  assert_time(one[0].answered - one[0].sent, ns(35));
}

void a_decode_error_completes_at_once(void **) {
  std::vector<issue> one = {load(0), load(near)};
  all->first.at(one);
  assert_int_equal(one[0].status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_time(one[0].answered, one[0].sent);
  assert_int_equal(one[1].status, tlm::TLM_OK_RESPONSE);
}

issue random_issue(struct random *dice, unsigned who) {
  static const std::uint64_t starts[] = {near, far, picky, 0};
  const std::uint64_t start = starts[random_chance(dice, 5) ? 3 : random_below(dice, 3)];
  /* Each initiator has half of each region. */
  const std::uint64_t at = start + who * region / 2 + 4 * random_below(dice, unsigned(region / 8));
  issue one = load(at);
  if (random_chance(dice, 40)) {
    one.command = tlm::TLM_WRITE_COMMAND;
    one.data.resize(4);
    for (unsigned char &each : one.data)
      each = static_cast<unsigned char>(random_bits(dice));
  }
  if (random_chance(dice, 30))
    one.gap = ns(random_below(dice, 100));
  return one;
}

/* Loads bring what the initiator itself has stored before, in order. */
void expect_own_stores(const std::vector<issue> &done) {
  std::map<std::uint64_t, std::vector<unsigned char>> known;
  for (const issue &each : done) {
    const bool memory = each.address >= near && each.address < far + region;
    if (each.address < near)
      assert_int_equal(each.status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (memory)
      assert_int_equal(each.status, tlm::TLM_OK_RESPONSE);
    if (memory && each.command == tlm::TLM_WRITE_COMMAND)
      known[each.address] = each.data;
    else if (memory && known.count(each.address))
      assert_true(known[each.address] == each.data);
  }
}

void random_traffic_of_two_initiators_keeps_the_rules(void **) {
  struct random dice = random_from_seed("random_traffic_of_two_initiators_keeps_the_rules");
  static const tlm::tlm_sync_enum answers[] = {tlm::TLM_ACCEPTED, tlm::TLM_UPDATED,
                                               tlm::TLM_COMPLETED};
  all->picky_device.dice = dice;
  for (unsigned round = 0; round < 30; round++) {
    std::vector<issue> mine, other;
    for (unsigned i = 0; i < 60; i++) {
      mine.push_back(random_issue(&dice, 0));
      other.push_back(random_issue(&dice, 1));
    }
    all->first.answers = answers[random_below(&dice, 3)];
    all->second.answers = answers[random_below(&dice, 3)];
    all->first.response_time = ns(random_below(&dice, 15));
    sc_core::sc_event ended;
    bool over = false;
    sc_core::sc_spawn([&] {
      all->second.at(other);
      over = true;
      ended.notify();
    });
    all->first.at(mine);
    while (!over)
      sc_core::wait(ended);
    expect_own_stores(mine);
    expect_own_stores(other);
    all->first.expect_rules_kept();
    all->second.expect_rules_kept();
  }
}

/* -- the core ---------------------------------------------------------------------------------- */

core::access access_to(std::uint64_t va, nw_access kind = NW_READ, std::uint32_t value = 0) {
  core::access one;
  one.va = va;
  one.kind = kind;
  one.value = value;
  return one;
}

void a_core_stores_and_loads_words(void **) {
  for (core *each : {&all->lt_core, &all->dmi_core, &all->at_core, &all->wide_core}) {
    assert_true(each->perform(access_to(0x102, NW_WRITE, 0x12345678)));
    assert_true(each->perform(access_to(0x101)));
    assert_int_equal(each->loaded(), 0x12345678);
    core::access nothing = access_to(0x100, NW_WRITE, 0xffffffff);
    nothing.without_data = true;
    assert_true(each->perform(nothing));
    assert_true(each->perform(access_to(0x100)));
    assert_int_equal(each->loaded(), 0x12345678);
    assert_false(each->perform(access_to(16 * region)));
  }
}

void a_loosely_timed_core_runs_ahead_by_its_quantum(void **) {
  all->lt_core.synchronize();
  const sc_time begun = sc_core::sc_time_stamp();
  for (unsigned i = 0; i < 3; i++)
    all->lt_core.perform(access_to(0));
  assert_time(sc_core::sc_time_stamp(), begun);
  assert_time(all->lt_core.now() - begun, ns(90));
  all->lt_core.perform(access_to(0)); /* 120 ns: more than the quantum of 100 */
  assert_time(sc_core::sc_time_stamp() - begun, ns(120));
}

void direct_memory_is_used_once_granted_until_withdrawn(void **) {
  const core::counts &counts = all->dmi_core.counted();
  const core::counts before = counts;
  for (unsigned i = 0; i < 10; i++)
    all->dmi_core.perform(access_to(0x3000 + 4 * i, NW_WRITE, i));
  assert_int_equal(counts.transactions - before.transactions, 1);
  assert_int_equal(counts.direct - before.direct, 9);
  assert_int_equal(*all->core_bytes.at(0x3024), 9);
  all->dmi_memory.target->invalidate_direct_mem_ptr(0x3fff, 0x3fff);
  all->dmi_core.perform(access_to(0x3000));
  assert_int_equal(counts.transactions - before.transactions, 2);
  assert_int_equal(counts.direct - before.direct, 9);
}

void windows_of_one_kind_of_requester_are_not_used_by_another(void **) {
  const core::counts &counts = all->dmi_core.counted();
  const core::counts before = counts;
  core::access privileged = access_to(0x5000);
  privileged.privileged = true;
  all->dmi_core.perform(access_to(0x5000));
  all->dmi_core.perform(privileged);
  all->dmi_core.perform(access_to(0x5000, NW_EXECUTE));
  assert_int_equal(counts.transactions - before.transactions, 3);
  assert_int_equal(counts.direct, before.direct);
}

void direct_memory_takes_the_windows_latency(void **) {
  all->dmi_core.perform(access_to(0x6000));
  const sc_time begun = all->dmi_core.now();
  all->dmi_core.perform(access_to(0x6004));
  assert_time(all->dmi_core.now() - begun, ns(30));
}

void a_run_of_fetches_ends_with_its_page(void **) {
  for (core *each : {&all->lt_core, &all->dmi_core, &all->at_core, &all->wide_core}) {
    assert_int_equal(each->fetch_run(0x7ff0, 100, false), 100);
    assert_int_equal(each->fetch_run(16 * region - 4, 3, false), 3);
    assert_int_equal(each->fetch_run(16 * region, 3, false), 0);
  }
}

void fetches_overlap_as_far_as_the_core_lets_them(void **) {
  all->at_core.synchronize();
  sc_time begun = all->at_core.now();
  all->at_core.fetch_run(0x2000, 9, false);
  assert_time(all->at_core.now() - begun, ns(9 * 30));
  begun = all->wide_core.now();
  all->wide_core.fetch_run(0x2000, 9, false); /* 1, then 4 and 4 */
  assert_time(all->wide_core.now() - begun, ns(3 * 30));
}

/* -- the whole --------------------------------------------------------------------------------- */

void the_rules_of_the_base_protocol_were_kept(void **) {
  for (protocol_checker<> *each : {&all->near_hop, &all->far_hop, &all->picky_hop, &all->lt_hop,
                                   &all->dmi_hop, &all->at_hop, &all->wide_hop}) {
    for (const auto &found : each->judge().kept())
      print_error("%s\n", found.text.c_str());
    assert_int_equal(each->judge().violations(), 0);
    assert_int_equal(each->judge().in_flight(), 0);
    assert_true(each->judge().transactions() > 0);
  }
  all->first.expect_rules_kept();
  all->second.expect_rules_kept();
}

int run_all() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_region_is_its_targets_from_0),
      cmocka_unit_test(a_port_costs_its_latency),
      cmocka_unit_test(an_address_of_no_region_is_an_address_error),
      cmocka_unit_test(regions_that_overlap_are_refused),
      cmocka_unit_test(a_window_ends_with_its_region),
      cmocka_unit_test(withdrawn_windows_are_those_of_the_region),
      cmocka_unit_test(debug_transport_is_routed),
      cmocka_unit_test(phases_pass_without_a_delay_of_their_own),
      cmocka_unit_test(a_decode_error_completes_at_once),
      cmocka_unit_test(random_traffic_of_two_initiators_keeps_the_rules),
      cmocka_unit_test(a_core_stores_and_loads_words),
      cmocka_unit_test(a_loosely_timed_core_runs_ahead_by_its_quantum),
      cmocka_unit_test(direct_memory_is_used_once_granted_until_withdrawn),
      cmocka_unit_test(windows_of_one_kind_of_requester_are_not_used_by_another),
      cmocka_unit_test(direct_memory_takes_the_windows_latency),
      cmocka_unit_test(a_run_of_fetches_ends_with_its_page),
      cmocka_unit_test(fetches_overlap_as_far_as_the_core_lets_them),
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
