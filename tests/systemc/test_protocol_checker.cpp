/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base-protocol checker catches each kind of violation, planted one at a time, and nothing in
 * traffic that keeps the rules. Each test has a hop of its own: a scripted initiator, the checker,
 * a scripted target. The calls are made from the main program, which is no process.
 */
#include <systemc>

#include <functional>
#include <memory>
#include <set>

#include "platform/protocol_checker.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <cmocka.h>
}

using nestwalk::tb::rule;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;

namespace {

const sc_time one_ns(1, sc_core::SC_NS);

struct no_pool : tlm::tlm_mm_interface {
  void free(tlm_generic_payload *) override {
  }
};

/* Both ends of a hop. A call that the test has not scripted is answered by a well-behaved target or
 * initiator. */
class hop : public sc_core::sc_module, tlm::tlm_fw_transport_if<>, tlm::tlm_bw_transport_if<> {
public:
  tlm::tlm_initiator_socket<> out;
  nestwalk::tb::protocol_checker<> checker;
  tlm::tlm_target_socket<> in;

  std::function<void(tlm_generic_payload &, sc_time &)> on_b;
  std::function<tlm_sync_enum(tlm_generic_payload &, tlm_phase &, sc_time &)> on_fw, on_bw;
  std::function<bool(tlm_generic_payload &, tlm::tlm_dmi &)> on_dmi;
  std::function<unsigned(tlm_generic_payload &)> on_debug;
  sc_core::sc_event kick_method, kick_thread;
  std::function<void()> in_method, in_thread;

  SC_HAS_PROCESS(hop);
  explicit hop(sc_core::sc_module_name name)
      : sc_module(name), out("out"), checker("checker"), in("in") {
    out.bind(*this);
    in.bind(*this);
    out.bind(checker.target);
    checker.initiator.bind(in);
    SC_METHOD(run_method);
    dont_initialize();
    sensitive << kick_method;
    SC_THREAD(run_thread);
    dont_initialize();
    sensitive << kick_thread;
  }

  /* A managed payload that is right in every respect. */
  tlm_generic_payload &payload(unsigned which = 0) {
    tlm_generic_payload &p = payloads_[which];
    p.set_mm(&pool_);
    while (p.get_ref_count() == 0)
      p.acquire();
    p.set_command(tlm::TLM_WRITE_COMMAND);
    p.set_address(0x1000 + 0x100 * which);
    p.set_data_ptr(data_[which]);
    p.set_data_length(4);
    p.set_byte_enable_ptr(nullptr);
    p.set_byte_enable_length(0);
    p.set_streaming_width(4);
    p.set_dmi_allowed(false);
    p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    return p;
  }

  /* Calls of the initiator; each returns what came back. */
  tlm_sync_enum forward(tlm_generic_payload &p, tlm_phase phase, sc_time delay = SC_ZERO_TIME) {
    return out->nb_transport_fw(p, phase, delay);
  }
  /* Calls of the target. */
  tlm_sync_enum backward(tlm_generic_payload &p, tlm_phase phase, sc_time delay = SC_ZERO_TIME) {
    if (phase == tlm::BEGIN_RESP)
      p.set_response_status(tlm::TLM_OK_RESPONSE);
    return in->nb_transport_bw(p, phase, delay);
  }

  void four_phases(unsigned which = 0) {
    tlm_generic_payload &p = payload(which);
    forward(p, tlm::BEGIN_REQ);
    backward(p, tlm::END_REQ);
    backward(p, tlm::BEGIN_RESP);
    forward(p, tlm::END_RESP);
  }

private:
  void b_transport(tlm_generic_payload &p, sc_time &delay) override {
    p.set_response_status(tlm::TLM_OK_RESPONSE);
    if (on_b)
      on_b(p, delay);
  }
  tlm_sync_enum nb_transport_fw(tlm_generic_payload &p, tlm_phase &phase, sc_time &t) override {
    return on_fw ? on_fw(p, phase, t) : tlm::TLM_ACCEPTED;
  }
  tlm_sync_enum nb_transport_bw(tlm_generic_payload &p, tlm_phase &phase, sc_time &t) override {
    return on_bw ? on_bw(p, phase, t) : tlm::TLM_ACCEPTED;
  }
  bool get_direct_mem_ptr(tlm_generic_payload &p, tlm::tlm_dmi &window) override {
    return on_dmi && on_dmi(p, window);
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {
  }
  unsigned transport_dbg(tlm_generic_payload &p) override {
    return on_debug ? on_debug(p) : p.get_data_length();
  }
  void run_method() {
    if (in_method)
      in_method();
  }
  void run_thread() {
    for (;;) {
      if (in_thread)
        in_thread();
      wait();
    }
  }

  no_pool pool_;
  tlm_generic_payload payloads_[4];
  unsigned char data_[4][8] = {};
};

std::vector<std::unique_ptr<hop>> hops;
std::size_t next_hop;

hop &fresh() {
  assert_true(next_hop < hops.size());
  return *hops[next_hop++];
}

/* -- judging the judge ------------------------------------------------------------------------- */

void expect_clean(const hop &h) {
  for (const auto &found : h.checker.judge().kept())
    print_error("%s\n", found.text.c_str());
  assert_int_equal(h.checker.judge().violations(), 0);
}

std::set<rule> caught; /* by the tests so far */

/* Exactly this rule was broken, `times` times. */
void expect_broken(const hop &h, rule which, unsigned long times = 1) {
  for (const auto &found : h.checker.judge().kept())
    if (found.broken != which || h.checker.judge().violations() != times)
      print_error("%s\n", found.text.c_str());
  assert_int_equal(h.checker.judge().violations(), times);
  for (const auto &found : h.checker.judge().kept())
    assert_int_equal(int(found.broken), int(which));
  assert_int_equal(h.checker.judge().kept().size(), times);
  caught.insert(which);
}

void b_transport_with(hop &h, rule which, const std::function<void(tlm_generic_payload &)> &spoil) {
  tlm_generic_payload &p = h.payload();
  sc_time delay = SC_ZERO_TIME;
  spoil(p);
  h.out->b_transport(p, delay);
  expect_broken(h, which);
  assert_int_equal(h.checker.judge().in_flight(), 0);
}

/* -- traffic that keeps the rules -------------------------------------------------------------- */

void b_transport_that_keeps_the_rules_is_clean(void **) {
  hop &h = fresh();
  h.on_b = [](tlm_generic_payload &p, sc_time &delay) {
    p.set_address(0x9000); /* an interconnect may */
    p.set_dmi_allowed(true);
    delay += one_ns;
  };
  sc_time delay = one_ns;
  h.out->b_transport(h.payload(), delay);
  h.payload().set_command(tlm::TLM_READ_COMMAND);
  h.out->b_transport(h.payload(), delay);
  expect_clean(h);
  assert_int_equal(h.checker.judge().transactions(), 2);
  assert_int_equal(h.checker.judge().in_flight(), 0);
}

void four_phases_are_clean(void **) {
  hop &h = fresh();
  h.four_phases();
  h.four_phases(); /* the same object again */
  h.four_phases(1);
  expect_clean(h);
  assert_int_equal(h.checker.judge().transactions(), 3);
}

void every_early_completion_is_clean(void **) {
  hop &h = fresh();
  h.on_fw = [](tlm_generic_payload &p, tlm_phase &phase, sc_time &delay) {
    if (phase == tlm::END_RESP)
      return tlm::TLM_COMPLETED;
    p.set_response_status(tlm::TLM_OK_RESPONSE);
    delay += one_ns;
    return tlm::TLM_COMPLETED; /* from BEGIN_REQ */
  };
  h.forward(h.payload(), tlm::BEGIN_REQ);

  h.on_fw = [](tlm_generic_payload &p, tlm_phase &phase, sc_time &) {
    if (phase == tlm::END_RESP)
      return tlm::TLM_ACCEPTED;
    p.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    phase = tlm::BEGIN_RESP; /* END_REQ implied */
    return tlm::TLM_UPDATED;
  };
  tlm_generic_payload &o = h.payload();
  h.forward(o, tlm::BEGIN_REQ);
  h.forward(o, tlm::END_RESP);

  h.on_fw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  };
  h.on_bw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
  };
  tlm_generic_payload &p = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);

  h.on_fw = nullptr;
  h.on_bw = [](tlm_generic_payload &, tlm_phase &, sc_time &) { return tlm::TLM_COMPLETED; };
  tlm_generic_payload &q = h.payload(2);
  h.forward(q, tlm::BEGIN_REQ);
  h.backward(q, tlm::BEGIN_RESP); /* END_REQ implied */
  expect_clean(h);
  assert_int_equal(h.checker.judge().in_flight(), 0);
}

void requests_may_overlap_responses(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(0), &q = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::END_REQ);
  h.forward(q, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);
  h.backward(q, tlm::END_REQ);
  h.forward(p, tlm::END_RESP);
  h.backward(q, tlm::BEGIN_RESP);
  h.forward(q, tlm::END_RESP);
  expect_clean(h);
}

void extended_phases_are_ignored(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  const tlm_phase extended(17);
  h.forward(p, tlm::BEGIN_REQ);
  h.forward(p, extended);
  h.backward(p, extended);
  h.backward(p, tlm::BEGIN_RESP);
  h.forward(p, tlm::END_RESP);
  expect_clean(h);
}

void direct_memory_and_debug_that_keep_the_rules_are_clean(void **) {
  static unsigned char memory[16];
  hop &h = fresh();
  h.on_dmi = [](tlm_generic_payload &, tlm::tlm_dmi &window) {
    window.set_dmi_ptr(memory);
    window.set_start_address(0x1000);
    window.set_end_address(0x100f);
    window.allow_read_write();
    return true;
  };
  tlm::tlm_dmi window;
  assert_true(h.out->get_direct_mem_ptr(h.payload(), window));
  h.on_dmi = nullptr;
  window.init();
  assert_false(h.out->get_direct_mem_ptr(h.payload(), window));
  assert_int_equal(h.out->transport_dbg(h.payload()), 4);
  h.in->invalidate_direct_mem_ptr(0, 0xfff);
  h.in->invalidate_direct_mem_ptr(5, 5);
  expect_clean(h);
}

/* -- payloads ---------------------------------------------------------------------------------- */

void missing_data_pointer_is_caught(void **) {
  b_transport_with(fresh(), rule::data_pointer,
                   [](tlm_generic_payload &p) { p.set_data_ptr(nullptr); });
}

void data_length_0_is_caught(void **) {
  b_transport_with(fresh(), rule::data_length,
                   [](tlm_generic_payload &p) { p.set_data_length(0); });
}

void an_ignored_command_needs_no_data(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  sc_time delay = SC_ZERO_TIME;
  p.set_command(tlm::TLM_IGNORE_COMMAND);
  p.set_data_ptr(nullptr);
  p.set_data_length(0);
  h.out->b_transport(p, delay);
  expect_clean(h);
}

void byte_enable_length_0_is_caught(void **) {
  static unsigned char enables[1] = {0xff};
  b_transport_with(fresh(), rule::byte_enable_length,
                   [](tlm_generic_payload &p) { p.set_byte_enable_ptr(enables); });
}

void streaming_width_0_is_caught(void **) {
  b_transport_with(fresh(), rule::streaming_width,
                   [](tlm_generic_payload &p) { p.set_streaming_width(0); });
}

void dmi_hint_that_was_not_reset_is_caught(void **) {
  b_transport_with(fresh(), rule::dmi_hint_set,
                   [](tlm_generic_payload &p) { p.set_dmi_allowed(true); });
}

void response_status_that_was_not_reset_is_caught(void **) {
  b_transport_with(fresh(), rule::status_not_incomplete,
                   [](tlm_generic_payload &p) { p.set_response_status(tlm::TLM_OK_RESPONSE); });
}

void option_that_was_not_reset_is_caught(void **) {
  b_transport_with(fresh(), rule::option_not_minimal,
                   [](tlm_generic_payload &p) { p.set_gp_option(tlm::TLM_FULL_PAYLOAD); });
}

void nb_transport_without_memory_manager_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload p;
  unsigned char data[4] = {};
  p.set_command(tlm::TLM_READ_COMMAND);
  p.set_data_ptr(data);
  p.set_data_length(sizeof data);
  p.set_streaming_width(sizeof data);
  h.on_fw = [](tlm_generic_payload &q, tlm_phase &, sc_time &) {
    q.set_response_status(tlm::TLM_OK_RESPONSE);
    return tlm::TLM_COMPLETED;
  };
  h.forward(p, tlm::BEGIN_REQ);
  expect_broken(h, rule::memory_manager);
}

void reference_count_0_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  p.release();
  sc_time delay = SC_ZERO_TIME;
  h.out->b_transport(p, delay);
  expect_broken(h, rule::reference_count);
}

void payload_sent_again_within_b_transport_is_caught(void **) {
  hop &h = fresh();
  bool nested = false;
  h.on_b = [&](tlm_generic_payload &p, sc_time &delay) {
    if (nested)
      return;
    nested = true;
    p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    h.out->b_transport(p, delay);
  };
  sc_time delay = SC_ZERO_TIME;
  h.out->b_transport(h.payload(), delay);
  expect_broken(h, rule::reused_in_flight);
}

void every_modified_attribute_is_caught(void **) {
  static unsigned char other[8];
  static unsigned char enables[4] = {0xff, 0xff, 0xff, 0xff};
  static unsigned char same_enables[4] = {0xff, 0xff, 0xff, 0xff};
  const std::function<void(tlm_generic_payload &)> spoil[] = {
      [](tlm_generic_payload &p) { p.set_command(tlm::TLM_READ_COMMAND); },
      [](tlm_generic_payload &p) { p.set_data_ptr(other); },
      [](tlm_generic_payload &p) { p.set_data_length(8); },
      [](tlm_generic_payload &p) { p.set_byte_enable_ptr(same_enables); },
      [](tlm_generic_payload &p) { p.set_byte_enable_length(2); },
      [](tlm_generic_payload &p) { p.set_streaming_width(2); },
      [](tlm_generic_payload &p) { p.get_data_ptr()[3] ^= 1; },
      [](tlm_generic_payload &) { enables[1] ^= 0xff; },
      [](tlm_generic_payload &p) { p.set_gp_option(tlm::TLM_FULL_PAYLOAD); },
  };
  hop &h = fresh();
  for (const auto &one : spoil) {
    tlm_generic_payload &p = h.payload();
    p.set_byte_enable_ptr(enables);
    p.set_byte_enable_length(4);
    sc_time delay = SC_ZERO_TIME;
    h.on_b = [&](tlm_generic_payload &q, sc_time &) { one(q); };
    h.out->b_transport(p, delay);
    expect_broken(h, rule::payload_modified);
    h.checker.judge().forget_violations();
    p.set_gp_option(tlm::TLM_MIN_PAYLOAD);
  }
}

void modification_by_the_initiator_between_phases_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::BEGIN_REQ);
  p.get_data_ptr()[0] ^= 1;
  h.backward(p, tlm::BEGIN_RESP);
  p.get_data_ptr()[0] ^= 1;
  h.forward(p, tlm::END_RESP);
  expect_broken(h, rule::payload_modified);
}

void address_that_was_not_restored_is_caught_on_demand(void **) {
  static unsigned char memory[4];
  hop &h = fresh();
  const auto spoil = [](tlm_generic_payload &p) { p.set_address(0x9000); };
  sc_time delay = SC_ZERO_TIME;
  h.on_b = [&](tlm_generic_payload &p, sc_time &) { spoil(p); };
  h.out->b_transport(h.payload(), delay);
  expect_clean(h);
  h.checker.judge().demand_address_restored(true);
  h.out->b_transport(h.payload(), delay);
  h.on_dmi = [&](tlm_generic_payload &p, tlm::tlm_dmi &window) {
    window.set_dmi_ptr(memory);
    spoil(p);
    return false;
  };
  tlm::tlm_dmi window;
  h.out->get_direct_mem_ptr(h.payload(), window);
  h.on_debug = [&](tlm_generic_payload &p) {
    spoil(p);
    return 0u;
  };
  h.out->transport_dbg(h.payload());
  expect_broken(h, rule::address_modified, 3);
}

struct mark : tlm::tlm_extension<mark> {
  tlm::tlm_extension_base *clone() const override {
    return new mark;
  }
  void copy_from(const tlm::tlm_extension_base &) override {
  }
};

void extension_or_manager_left_on_an_unmanaged_payload_is_caught(void **) {
  static no_pool pool;
  hop &h = fresh();
  tlm_generic_payload p;
  mark extension;
  unsigned char data[4] = {};
  sc_time delay = SC_ZERO_TIME;
  p.set_command(tlm::TLM_READ_COMMAND);
  p.set_data_ptr(data);
  p.set_data_length(sizeof data);
  p.set_streaming_width(sizeof data);
  h.on_b = [&](tlm_generic_payload &q, sc_time &) { q.set_extension(&extension); };
  h.out->b_transport(p, delay);
  expect_broken(h, rule::manager_or_extension_left);
  p.clear_extension(&extension);
  h.checker.judge().forget_violations();

  h.on_b = [&](tlm_generic_payload &q, sc_time &) { q.set_mm(&pool); };
  p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  h.out->b_transport(p, delay);
  expect_broken(h, rule::manager_or_extension_left);
  p.set_mm(nullptr);
}

void response_without_status_is_caught(void **) {
  hop &h = fresh();
  sc_time delay = SC_ZERO_TIME;
  h.on_b = [](tlm_generic_payload &p, sc_time &) {
    p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  };
  h.out->b_transport(h.payload(), delay);
  h.on_fw = [](tlm_generic_payload &, tlm_phase &, sc_time &) { return tlm::TLM_COMPLETED; };
  h.forward(h.payload(), tlm::BEGIN_REQ);
  h.on_fw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  };
  h.forward(h.payload(), tlm::BEGIN_REQ);
  expect_broken(h, rule::response_missing, 3);
}

void response_that_changes_after_it_began_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);
  p.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
  h.forward(p, tlm::END_RESP);
  expect_broken(h, rule::response_modified);
}

/* -- phases ------------------------------------------------------------------------------------ */

void phases_in_the_wrong_direction_are_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::END_REQ);
  h.forward(p, tlm::BEGIN_RESP);
  h.forward(p, tlm::UNINITIALIZED_PHASE);
  h.backward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::END_RESP);
  expect_broken(h, rule::phase_direction, 5);
}

void returned_phases_in_the_wrong_direction_are_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.on_fw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
  };
  h.forward(p, tlm::BEGIN_REQ);
  h.on_fw = nullptr;
  h.on_bw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::BEGIN_REQ;
    return tlm::TLM_UPDATED;
  };
  h.backward(p, tlm::BEGIN_RESP);
  expect_broken(h, rule::phase_direction, 2);
}

void phases_out_of_order_are_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(0), &q = h.payload(1);
  h.forward(p, tlm::END_RESP); /* nothing has begun */
  h.backward(p, tlm::END_REQ); /* likewise */
  h.forward(q, tlm::BEGIN_REQ);
  h.forward(q, tlm::END_RESP); /* no response has begun */
  expect_broken(h, rule::phase_order, 3);
}

void a_phase_that_comes_twice_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::END_REQ);
  h.backward(p, tlm::END_REQ);
  expect_broken(h, rule::phase_order);
  h.forward(p, tlm::BEGIN_REQ);
  expect_broken(h, rule::phase_order, 2);
}

void end_of_a_request_after_its_response_began_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);
  h.backward(p, tlm::END_REQ);
  expect_broken(h, rule::phase_order);
}

void return_values_that_mean_nothing_are_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(), &q = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ);
  h.on_bw = [](tlm_generic_payload &, tlm_phase &, sc_time &) { return tlm::TLM_COMPLETED; };
  h.backward(p, tlm::END_REQ);
  h.on_bw = nullptr;
  h.backward(p, tlm::BEGIN_RESP);
  h.on_fw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  };
  h.forward(p, tlm::END_RESP);
  h.on_fw = nullptr;
  h.forward(q, tlm::BEGIN_REQ);
  h.on_bw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::END_RESP;
    return tlm::TLM_UPDATED;
  };
  h.backward(q, tlm::END_REQ);
  expect_broken(h, rule::return_value, 3);
}

void phase_or_delay_changed_with_accepted_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.on_fw = [](tlm_generic_payload &, tlm_phase &phase, sc_time &) {
    phase = tlm::END_REQ;
    return tlm::TLM_ACCEPTED;
  };
  h.forward(p, tlm::BEGIN_REQ);
  h.on_bw = [](tlm_generic_payload &, tlm_phase &, sc_time &delay) {
    delay += one_ns;
    return tlm::TLM_ACCEPTED;
  };
  h.backward(p, tlm::BEGIN_RESP);
  expect_broken(h, rule::accepted_modified, 2);
}

void a_second_request_before_the_end_of_the_first_is_caught(void **) {
  hop &h = fresh();
  h.forward(h.payload(0), tlm::BEGIN_REQ);
  h.forward(h.payload(1), tlm::BEGIN_REQ);
  expect_broken(h, rule::request_exclusion);
}

void a_second_response_before_the_end_of_the_first_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(0), &q = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::END_REQ);
  h.forward(q, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);
  h.backward(q, tlm::BEGIN_RESP);
  expect_broken(h, rule::response_exclusion);
}

void a_response_returned_while_another_lasts_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(0), &q = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ);
  h.backward(p, tlm::BEGIN_RESP);
  h.on_fw = [](tlm_generic_payload &r, tlm_phase &phase, sc_time &) {
    r.set_response_status(tlm::TLM_OK_RESPONSE);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  };
  h.forward(q, tlm::BEGIN_REQ);
  expect_broken(h, rule::response_exclusion);
}

void time_that_goes_back_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload(0), &q = h.payload(1);
  h.forward(p, tlm::BEGIN_REQ, 5 * one_ns);
  h.backward(p, tlm::END_REQ, 4 * one_ns);
  h.backward(p, tlm::BEGIN_RESP, 5 * one_ns);
  h.forward(p, tlm::END_RESP, 4 * one_ns);
  h.on_fw = [](tlm_generic_payload &r, tlm_phase &, sc_time &delay) {
    r.set_response_status(tlm::TLM_OK_RESPONSE);
    delay = SC_ZERO_TIME;
    return tlm::TLM_COMPLETED;
  };
  h.forward(q, tlm::BEGIN_REQ, one_ns);
  h.on_b = [](tlm_generic_payload &, sc_time &delay) { delay = SC_ZERO_TIME; };
  sc_time delay = one_ns;
  h.out->b_transport(h.payload(2), delay);
  expect_broken(h, rule::time_went_back, 4);
}

void b_transport_of_a_payload_in_phases_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  h.forward(p, tlm::BEGIN_REQ);
  sc_time delay = SC_ZERO_TIME;
  h.out->b_transport(p, delay);
  expect_broken(h, rule::mixed_interfaces);
}

void phases_of_a_payload_in_b_transport_are_caught(void **) {
  hop &h = fresh();
  h.on_b = [&](tlm_generic_payload &p, sc_time &) {
    p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    h.forward(p, tlm::BEGIN_REQ);
    p.set_response_status(tlm::TLM_OK_RESPONSE);
  };
  sc_time delay = SC_ZERO_TIME;
  h.out->b_transport(h.payload(), delay);
  expect_broken(h, rule::mixed_interfaces);
}

void calls_that_wait_are_caught(void **) {
  hop &h = fresh();
  const auto pause = [] { sc_core::wait(one_ns); };
  h.on_fw = [&](tlm_generic_payload &, tlm_phase &, sc_time &) {
    pause();
    return tlm::TLM_ACCEPTED;
  };
  h.on_bw = h.on_fw;
  h.on_dmi = [&](tlm_generic_payload &, tlm::tlm_dmi &) {
    sc_core::wait(SC_ZERO_TIME); /* a delta cycle is time, too */
    return false;
  };
  h.on_debug = [&](tlm_generic_payload &) {
    pause();
    return 0u;
  };
  h.in_thread = [&] {
    tlm::tlm_dmi window;
    tlm_generic_payload &p = h.payload();
    h.forward(p, tlm::BEGIN_REQ);
    h.backward(p, tlm::BEGIN_RESP, SC_ZERO_TIME);
    h.out->get_direct_mem_ptr(h.payload(1), window);
    h.out->transport_dbg(h.payload(1));
  };
  h.kick_thread.notify();
  sc_core::sc_start(10 * one_ns);
  expect_broken(h, rule::blocked, 4);
}

void waiting_in_b_transport_with_the_delay_used_up_is_clean(void **) {
  hop &h = fresh();
  h.on_b = [](tlm_generic_payload &, sc_time &delay) {
    sc_core::wait(delay);
    delay = SC_ZERO_TIME;
  };
  h.in_thread = [&] {
    sc_time delay = 3 * one_ns;
    h.out->b_transport(h.payload(), delay);
  };
  h.kick_thread.notify();
  sc_core::sc_start(10 * one_ns);
  expect_clean(h);
  assert_int_equal(h.checker.judge().transactions(), 1);
}

void b_transport_from_a_method_process_is_caught(void **) {
  hop &h = fresh();
  h.in_method = [&] {
    sc_time delay = SC_ZERO_TIME;
    h.out->b_transport(h.payload(), delay);
  };
  h.kick_method.notify();
  sc_core::sc_start(one_ns);
  expect_broken(h, rule::from_method_process);
}

/* -- direct memory and debug ------------------------------------------------------------------- */

unsigned char sixteen_bytes[16];

/* A window of 16 bytes from 0x1000, where payload 0 goes. */
bool grant(tlm::tlm_dmi &window, tlm::tlm_dmi::dmi_access_e access) {
  window.set_dmi_ptr(sixteen_bytes);
  window.set_start_address(0x1000);
  window.set_end_address(0x100f);
  window.set_granted_access(access);
  return true;
}

void dmi_request_with_an_ignored_command_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  p.set_command(tlm::TLM_IGNORE_COMMAND);
  tlm::tlm_dmi window;
  h.out->get_direct_mem_ptr(p, window);
  expect_broken(h, rule::dmi_command);
}

void dmi_descriptor_in_use_is_caught(void **) {
  hop &h = fresh();
  tlm::tlm_dmi window;
  grant(window, tlm::tlm_dmi::DMI_ACCESS_READ_WRITE);
  window.set_read_latency(one_ns);
  window.set_write_latency(one_ns);
  h.out->get_direct_mem_ptr(h.payload(), window);
  expect_broken(h, rule::dmi_descriptor, 6);
}

void dmi_window_beside_the_address_is_caught(void **) {
  hop &h = fresh();
  h.on_dmi = [](tlm_generic_payload &, tlm::tlm_dmi &window) {
    return grant(window, tlm::tlm_dmi::DMI_ACCESS_READ_WRITE);
  };
  tlm::tlm_dmi window;
  tlm_generic_payload &p = h.payload();
  p.set_address(0x1010);
  h.out->get_direct_mem_ptr(p, window);
  window.init();
  p.set_address(0xfff);
  h.out->get_direct_mem_ptr(p, window);
  expect_broken(h, rule::dmi_window, 2);
}

void dmi_window_without_memory_is_caught(void **) {
  hop &h = fresh();
  h.on_dmi = [](tlm_generic_payload &, tlm::tlm_dmi &window) {
    window.allow_read_write();
    return true;
  };
  tlm::tlm_dmi window;
  h.out->get_direct_mem_ptr(h.payload(), window);
  expect_broken(h, rule::dmi_window);
}

void dmi_window_without_the_access_asked_for_is_caught(void **) {
  hop &h = fresh();
  tlm::tlm_dmi window;
  h.on_dmi = [](tlm_generic_payload &, tlm::tlm_dmi &granted) {
    return grant(granted, tlm::tlm_dmi::DMI_ACCESS_READ);
  };
  h.out->get_direct_mem_ptr(h.payload(), window); /* to write */
  h.on_dmi = [](tlm_generic_payload &, tlm::tlm_dmi &granted) {
    return grant(granted, tlm::tlm_dmi::DMI_ACCESS_WRITE);
  };
  window.init();
  tlm_generic_payload &p = h.payload();
  p.set_command(tlm::TLM_READ_COMMAND);
  h.out->get_direct_mem_ptr(p, window);
  expect_broken(h, rule::dmi_access, 2);
}

void invalidation_that_ends_before_it_starts_is_caught(void **) {
  hop &h = fresh();
  h.in->invalidate_direct_mem_ptr(1, 0);
  expect_broken(h, rule::dmi_invalidation);
}

void debug_transaction_without_data_is_caught(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  p.set_data_ptr(nullptr);
  h.out->transport_dbg(p);
  expect_broken(h, rule::debug_data_pointer);
}

void debug_transaction_that_is_modified_is_caught(void **) {
  hop &h = fresh();
  h.on_debug = [](tlm_generic_payload &p) {
    p.set_data_length(2);
    return 2u;
  };
  h.out->transport_dbg(h.payload());
  expect_broken(h, rule::debug_command);
}

void debug_count_beyond_the_length_is_caught(void **) {
  hop &h = fresh();
  h.on_debug = [](tlm_generic_payload &) { return 5u; };
  h.out->transport_dbg(h.payload());
  expect_broken(h, rule::debug_count);
}

/* -- the whole --------------------------------------------------------------------------------- */

void a_text_names_hop_time_rule_and_clause(void **) {
  hop &h = fresh();
  tlm_generic_payload &p = h.payload();
  p.set_streaming_width(0);
  sc_time delay = SC_ZERO_TIME;
  h.out->b_transport(p, delay);
  const std::string text = h.checker.judge().kept().at(0).text;
  for (const char *part :
       {"checker", " ns", "streaming_width", "found 0", "address 0x1000", "14.15 f", "expected"})
    if (text.find(part) == std::string::npos)
      fail_msg("no '%s' in '%s'", part, text.c_str());
}

void at_most_a_hundred_texts_are_kept_and_all_are_counted(void **) {
  hop &h = fresh();
  for (int i = 0; i < 250; i++)
    h.in->invalidate_direct_mem_ptr(1, 0);
  assert_int_equal(h.checker.judge().violations(), 250);
  assert_int_equal(h.checker.judge().kept().size(), 100);
}

/* Comes last. */
void every_rule_has_been_seen_broken(void **) {
  for (int i = 0; i < int(rule::count); i++)
    if (!caught.count(rule(i)))
      fail_msg("no test breaks %s", nestwalk::tb::describe(rule(i)).name);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(b_transport_that_keeps_the_rules_is_clean),
    cmocka_unit_test(four_phases_are_clean),
    cmocka_unit_test(every_early_completion_is_clean),
    cmocka_unit_test(requests_may_overlap_responses),
    cmocka_unit_test(extended_phases_are_ignored),
    cmocka_unit_test(direct_memory_and_debug_that_keep_the_rules_are_clean),
    cmocka_unit_test(missing_data_pointer_is_caught),
    cmocka_unit_test(data_length_0_is_caught),
    cmocka_unit_test(an_ignored_command_needs_no_data),
    cmocka_unit_test(byte_enable_length_0_is_caught),
    cmocka_unit_test(streaming_width_0_is_caught),
    cmocka_unit_test(dmi_hint_that_was_not_reset_is_caught),
    cmocka_unit_test(response_status_that_was_not_reset_is_caught),
    cmocka_unit_test(option_that_was_not_reset_is_caught),
    cmocka_unit_test(nb_transport_without_memory_manager_is_caught),
    cmocka_unit_test(reference_count_0_is_caught),
    cmocka_unit_test(payload_sent_again_within_b_transport_is_caught),
    cmocka_unit_test(every_modified_attribute_is_caught),
    cmocka_unit_test(modification_by_the_initiator_between_phases_is_caught),
    cmocka_unit_test(address_that_was_not_restored_is_caught_on_demand),
    cmocka_unit_test(extension_or_manager_left_on_an_unmanaged_payload_is_caught),
    cmocka_unit_test(response_without_status_is_caught),
    cmocka_unit_test(response_that_changes_after_it_began_is_caught),
    cmocka_unit_test(phases_in_the_wrong_direction_are_caught),
    cmocka_unit_test(returned_phases_in_the_wrong_direction_are_caught),
    cmocka_unit_test(phases_out_of_order_are_caught),
    cmocka_unit_test(a_phase_that_comes_twice_is_caught),
    cmocka_unit_test(end_of_a_request_after_its_response_began_is_caught),
    cmocka_unit_test(return_values_that_mean_nothing_are_caught),
    cmocka_unit_test(phase_or_delay_changed_with_accepted_is_caught),
    cmocka_unit_test(a_second_request_before_the_end_of_the_first_is_caught),
    cmocka_unit_test(a_second_response_before_the_end_of_the_first_is_caught),
    cmocka_unit_test(a_response_returned_while_another_lasts_is_caught),
    cmocka_unit_test(time_that_goes_back_is_caught),
    cmocka_unit_test(b_transport_of_a_payload_in_phases_is_caught),
    cmocka_unit_test(phases_of_a_payload_in_b_transport_are_caught),
    cmocka_unit_test(calls_that_wait_are_caught),
    cmocka_unit_test(waiting_in_b_transport_with_the_delay_used_up_is_clean),
    cmocka_unit_test(b_transport_from_a_method_process_is_caught),
    cmocka_unit_test(dmi_request_with_an_ignored_command_is_caught),
    cmocka_unit_test(dmi_descriptor_in_use_is_caught),
    cmocka_unit_test(dmi_window_beside_the_address_is_caught),
    cmocka_unit_test(dmi_window_without_memory_is_caught),
    cmocka_unit_test(dmi_window_without_the_access_asked_for_is_caught),
    cmocka_unit_test(invalidation_that_ends_before_it_starts_is_caught),
    cmocka_unit_test(debug_transaction_without_data_is_caught),
    cmocka_unit_test(debug_transaction_that_is_modified_is_caught),
    cmocka_unit_test(debug_count_beyond_the_length_is_caught),
    cmocka_unit_test(a_text_names_hop_time_rule_and_clause),
    cmocka_unit_test(at_most_a_hundred_texts_are_kept_and_all_are_counted),
    cmocka_unit_test(every_rule_has_been_seen_broken),
};

} // namespace

int sc_main(int, char **) {
  for (std::size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
    hops.push_back(std::make_unique<hop>(sc_core::sc_gen_unique_name("hop")));
  sc_core::sc_start(SC_ZERO_TIME);
  const int failed = cmocka_run_group_tests(tests, nullptr, nullptr);
  hops.clear();
  return failed;
}
