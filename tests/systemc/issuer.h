/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the platform's parts: an initiator behind a protocol checker, and a thread of the
 * simulation for the tests to run in, so that they may let time pass. All modules are made before.
 */
#ifndef NESTWALK_TESTS_SYSTEMC_ISSUER_H
#define NESTWALK_TESTS_SYSTEMC_ISSUER_H

#include <systemc>

#include <functional>
#include <memory>
#include <vector>

#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>

#include "platform/protocol_checker.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <cmocka.h>
}

namespace test {

inline sc_core::sc_time ns(double value) {
  return sc_core::sc_time(value, sc_core::SC_NS);
}

/** A request and what became of it. */
struct issue {
  tlm::tlm_command command = tlm::TLM_READ_COMMAND;
  std::uint64_t address = 0;
  unsigned length = 4;
  std::vector<unsigned char> data; /* resized to `length` */
  std::vector<unsigned char> enables;
  unsigned width = 0;   /* 0: as long as the data */
  sc_core::sc_time gap; /* at: between the end of the request before and this one */

  tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
  bool dmi_hint = false;
  sc_core::sc_time sent, accepted, answered; /* lt: `answered` with the delay; at: with phases */
};

inline issue load(std::uint64_t address, unsigned length = 4) {
  issue one;
  one.address = address;
  one.length = length;
  return one;
}

inline issue store(std::uint64_t address, const std::vector<unsigned char> &data) {
  issue one;
  one.command = tlm::TLM_WRITE_COMMAND;
  one.address = address;
  one.length = unsigned(data.size());
  one.data = data;
  return one;
}

class issuer : public sc_core::sc_module, public tlm::tlm_mm_interface {
public:
  tlm_utils::simple_initiator_socket<issuer> socket;
  nestwalk::tb::protocol_checker<> checker;

  /** How responses are taken: TLM_ACCEPTED and END_RESP after `response_time`, or at once by
   * TLM_UPDATED or TLM_COMPLETED. */
  tlm::tlm_sync_enum answers = tlm::TLM_ACCEPTED;
  sc_core::sc_time response_time;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> withdrawn;

  explicit issuer(sc_core::sc_module_name name)
      : sc_module(name), socket("socket"), checker("checker"),
        events_("events", this, &issuer::happens) {
    socket.register_nb_transport_bw(this, &issuer::nb_transport_bw);
    socket.register_invalidate_direct_mem_ptr(this, &issuer::invalidate);
    socket.bind(checker.target);
  }

  /** By b_transport, with a local time of `ahead`. */
  issue lt(issue one, const sc_core::sc_time &ahead = sc_core::SC_ZERO_TIME) {
    tlm::tlm_generic_payload payload;
    sc_core::sc_time delay = ahead;
    put(one, payload);
    one.sent = sc_core::sc_time_stamp() + delay;
    socket->b_transport(payload, delay);
    one.answered = sc_core::sc_time_stamp() + delay;
    take(one, payload);
    return one;
  }

  /** By nb_transport: as soon as the rules allow, `gap` apart. Returns when all are answered. */
  void at(std::vector<issue> &all) {
    payloads_.clear();
    all_ = &all;
    ended_ = 0;
    for (issue &one : all) {
      sc_core::wait(one.gap);
      payloads_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
      send(one, *payloads_.back());
      while (requesting_)
        sc_core::wait(changed_);
    }
    while (ended_ < all.size())
      sc_core::wait(changed_);
    sc_core::wait(ns(1000)); /* whatever the others still have to end */
    for (auto &payload : payloads_) {
      assert_int_equal(payload->get_ref_count(), 1);
      payload->release();
    }
  }

  unsigned debug(issue &one) {
    tlm::tlm_generic_payload payload;
    put(one, payload);
    return socket->transport_dbg(payload);
  }

  bool dmi(std::uint64_t address, tlm::tlm_command command, tlm::tlm_dmi &window) {
    tlm::tlm_generic_payload payload;
    payload.set_address(address);
    payload.set_command(command);
    window.init();
    return socket->get_direct_mem_ptr(payload, window);
  }

  void expect_rules_kept() {
    for (const auto &found : checker.judge().kept())
      print_error("%s\n", found.text.c_str());
    assert_int_equal(checker.judge().violations(), 0);
    assert_int_equal(checker.judge().in_flight(), 0);
  }

private:
  static void put(issue &one, tlm::tlm_generic_payload &payload) {
    one.data.resize(one.length);
    payload.set_command(one.command);
    payload.set_address(one.address);
    payload.set_data_ptr(one.data.data());
    payload.set_data_length(one.length);
    payload.set_streaming_width(one.width ? one.width : std::max(1u, one.length));
    payload.set_byte_enable_ptr(one.enables.empty() ? nullptr : one.enables.data());
    payload.set_byte_enable_length(unsigned(one.enables.size()));
  }

  static void take(issue &one, const tlm::tlm_generic_payload &payload) {
    one.status = payload.get_response_status();
    one.dmi_hint = payload.is_dmi_allowed();
    assert_int_equal(payload.get_address(), one.address);
  }

  issue &issue_of(const tlm::tlm_generic_payload &payload) {
    std::size_t i = 0;
    while (payloads_.at(i).get() != &payload)
      i++;
    return (*all_)[i];
  }

  void free(tlm::tlm_generic_payload *) override {
  }

  void send(issue &one, tlm::tlm_generic_payload &payload) {
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay;
    payload.acquire();
    put(one, payload);
    one.sent = sc_core::sc_time_stamp();
    requesting_ = &payload;
    switch (socket->nb_transport_fw(payload, phase, delay)) {
    case tlm::TLM_ACCEPTED:
      break;
    case tlm::TLM_UPDATED:
      events_.notify(payload, phase, delay);
      break;
    case tlm::TLM_COMPLETED:
      events_.notify(payload, tlm::END_RESP, delay);
      break;
    }
  }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) {
    if (phase == tlm::END_REQ || answers == tlm::TLM_ACCEPTED) {
      events_.notify(payload, phase, delay);
      return tlm::TLM_ACCEPTED;
    }
    events_.notify(payload, tlm::END_RESP, delay);
    if (answers == tlm::TLM_UPDATED)
      phase = tlm::END_RESP;
    return answers;
  }

  /* END_RESP stands for a response that needs no further END_RESP. */
  void happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
    issue &one = issue_of(payload);
    if (requesting_ == &payload) {
      requesting_ = nullptr;
      one.accepted = sc_core::sc_time_stamp();
    }
    if (phase != tlm::END_REQ) {
      one.answered = sc_core::sc_time_stamp();
      take(one, payload);
      ended_++;
    }
    if (phase == tlm::BEGIN_RESP) {
      tlm::tlm_phase end = tlm::END_RESP;
      sc_core::sc_time delay = response_time;
      socket->nb_transport_fw(payload, end, delay);
    }
    changed_.notify();
  }

  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
    withdrawn.push_back({start, end});
  }

  std::vector<issue> *all_ = nullptr;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> payloads_;
  tlm::tlm_generic_payload *requesting_ = nullptr;
  std::size_t ended_ = 0;
  sc_core::sc_event changed_;
  tlm_utils::peq_with_cb_and_phase<issuer> events_;
};

/** Runs the tests in a thread. */
class runner : public sc_core::sc_module {
public:
  int failed = 0;

  runner(sc_core::sc_module_name name, std::function<int()> tests)
      : sc_module(name), tests_(std::move(tests)) {
    SC_HAS_PROCESS(runner);
    SC_THREAD(run);
    set_stack_size(1 << 20);
  }

private:
  void run() {
    failed = tests_();
  }
  std::function<int()> tests_;
};

} // namespace test
#endif
