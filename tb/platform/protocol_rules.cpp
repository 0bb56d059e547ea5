/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/protocol_rules.h"

#include <algorithm>
#include <sstream>

namespace nestwalk {
namespace tb {

namespace {

constexpr std::size_t most_kept = 100;

constexpr rule_text rules[] = {
    {"data_pointer", "14.11 e", "the data pointer is set"},
    {"data_length", "14.12 d", "the data length is greater than 0"},
    {"byte_enable_length", "14.14 f", "byte enables have a length greater than 0"},
    {"streaming_width", "14.15 f", "the streaming width is greater than 0"},
    {"dmi_hint_set", "14.16", "the DMI hint is false when a transaction is sent"},
    {"status_not_incomplete", "14.17 e",
     "the response status is TLM_INCOMPLETE_RESPONSE when sent"},
    {"option_not_minimal", "14.8 g", "the option is TLM_MIN_PAYLOAD in a transport call"},
    {"memory_manager", "14.5 i", "a transaction of nb_transport has a memory manager"},
    {"reference_count", "14.5 t", "a managed transaction in use has a reference count above 0"},
    {"reused_in_flight", "14.5 x", "a payload in flight is not sent again"},
    {"payload_modified", "14.7",
     "command, pointers, lengths, width, bytes written and byte enables "
     "stay while in flight"},
    {"address_modified", "none: demanded by the bench", "the address comes back as it was sent"},
    {"manager_or_extension_left", "14.5 aa",
     "what a component added to a payload without memory "
     "manager is taken away on return"},
    {"response_missing", "14.17", "the response status is set when the response begins"},
    {"response_modified", "14.7", "the response status stays once the response has begun"},
    {"phase_direction", "15.2.3 c",
     "BEGIN_REQ and END_RESP go forward, END_REQ and BEGIN_RESP backward"},
    {"phase_order", "15.2.4", "BEGIN_REQ, END_REQ, BEGIN_RESP, END_RESP, in this order"},
    {"return_value", "15.2.4",
     "TLM_UPDATED carries the next phase, TLM_COMPLETED ends a "
     "transaction"},
    {"accepted_modified", "11.1.2.6", "with TLM_ACCEPTED phase and delay are left alone"},
    {"request_exclusion", "15.2.6 e", "no BEGIN_REQ before the END_REQ of the request before it"},
    {"response_exclusion", "15.2.6 f",
     "no BEGIN_RESP before the END_RESP of the response before it"},
    {"time_went_back", "15.2.7 c", "time stamp plus delay of a transaction does not decrease"},
    {"mixed_interfaces", "15.2.10 c",
     "b_transport and nb_transport are not used for one transaction at once"},
    {"blocked", "11.1.2, 11.2, 11.3", "nb_transport, DMI and debug calls take no time"},
    {"from_method_process", "11.1.1.4 b", "b_transport is not called from a method process"},
    {"dmi_command", "11.2.4", "a DMI request is for reading or writing"},
    {"dmi_descriptor", "11.2.5 a, f, u, ac",
     "the DMI descriptor is handed over in its initial "
     "state"},
    {"dmi_window", "11.2.5", "a granted window has memory and contains the address asked for"},
    {"dmi_access", "11.2.5", "a granted window grants the access asked for"},
    {"dmi_invalidation", "11.2.6", "an invalidated range does not end before its start"},
    {"debug_data_pointer", "11.3.4 l", "a debug transaction with a length has a data pointer"},
    {"debug_command", "11.3.4", "a debug transaction's attributes stay"},
    {"debug_count", "11.3.4 s", "no more bytes are done than were asked for"},
};
static_assert(sizeof rules / sizeof rules[0] == static_cast<std::size_t>(rule::count),
              "each rule has its text");

const char *phase_name(unsigned phase) {
  static const char *const names[] = {"UNINITIALIZED_PHASE", "BEGIN_REQ", "END_REQ", "BEGIN_RESP",
                                      "END_RESP"};
  return phase < sizeof names / sizeof names[0] ? names[phase] : "an extended phase";
}

std::string found_phase(unsigned phase, unsigned after) {
  return std::string(phase_name(phase)) + " after " +
         (after == tlm::UNINITIALIZED_PHASE ? "nothing" : phase_name(after));
}

/* Phases that an extension of the protocol has declared may be ignored (15.2.5). */
bool is_base_phase(const tlm::tlm_phase &phase) {
  return unsigned(phase) <= tlm::END_RESP;
}

template <typename number> std::string hexadecimal(number value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

std::vector<const tlm::tlm_extension_base *>
extensions_of(const tlm::tlm_generic_payload &payload) {
  std::vector<const tlm::tlm_extension_base *> all(tlm::max_num_extensions());
  for (unsigned i = 0; i < all.size(); i++)
    all[i] = payload.get_extension(i);
  return all;
}

} // namespace

const rule_text &describe(rule broken) {
  return rules[static_cast<std::size_t>(broken)];
}

/* -- keeping what is found --------------------------------------------------------------------- */

void protocol_judge::broken(rule which, const payload_t *payload, const std::string &found) {
  violations_++;
  if (kept_.size() >= most_kept)
    return;
  const rule_text &text = describe(which);
  std::ostringstream out;
  out << hop_ << ", " << sc_core::sc_time_stamp() << ": " << text.name << ": found " << found;
  if (payload)
    out << " (address " << hexadecimal(payload->get_address()) << ")";
  out << "; expected: " << text.sentence << " [" << text.clause << "]";
  kept_.push_back({which, out.str()});
}

void protocol_judge::forget_violations() {
  violations_ = 0;
  kept_.clear();
}

/* -- transactions in flight -------------------------------------------------------------------- */

protocol_judge::flight *protocol_judge::find(const payload_t &payload) {
  const auto found = flights_.find(&payload);
  return found == flights_.end() ? nullptr : &found->second;
}

protocol_judge::flight &protocol_judge::take_off(const payload_t &payload) {
  transactions_++;
  flight &sent = flights_[&payload];
  sent = flight();
  sent.command = payload.get_command();
  sent.address = payload.get_address();
  sent.data = payload.get_data_ptr();
  sent.length = payload.get_data_length();
  sent.byte_enable = payload.get_byte_enable_ptr();
  sent.byte_enable_length = payload.get_byte_enable_length();
  sent.streaming_width = payload.get_streaming_width();
  sent.option = payload.get_gp_option();
  sent.managed = payload.has_mm();
  sent.extensions = extensions_of(payload);
  if (sent.command == tlm::TLM_WRITE_COMMAND && sent.data)
    sent.written.assign(sent.data, sent.data + sent.length);
  if (sent.byte_enable)
    sent.enables.assign(sent.byte_enable, sent.byte_enable + sent.byte_enable_length);
  return sent;
}

void protocol_judge::land(const payload_t &payload) {
  if (request_ == &payload)
    request_ = nullptr;
  if (response_ == &payload)
    response_ = nullptr;
  flights_.erase(&payload);
}

/* -- payloads ---------------------------------------------------------------------------------- */

void protocol_judge::judge_initial_payload(const payload_t &payload) {
  const bool moves_data = payload.get_command() != tlm::TLM_IGNORE_COMMAND;
  expect(!moves_data || payload.get_data_ptr(), rule::data_pointer, payload, "none");
  expect(!moves_data || payload.get_data_length() > 0, rule::data_length, payload, "0");
  expect(!payload.get_byte_enable_ptr() || payload.get_byte_enable_length() > 0,
         rule::byte_enable_length, payload, "0");
  expect(payload.get_streaming_width() > 0, rule::streaming_width, payload, "0");
  expect(!payload.is_dmi_allowed(), rule::dmi_hint_set, payload, "true");
  expect(payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE, rule::status_not_incomplete,
         payload, [&] { return payload.get_response_string(); });
  expect(payload.get_gp_option() == tlm::TLM_MIN_PAYLOAD, rule::option_not_minimal, payload,
         [&] { return std::to_string(int(payload.get_gp_option())); });
}

void protocol_judge::judge_memory_management(const payload_t &payload) {
  expect(payload.has_mm(), rule::memory_manager, payload, "none");
  expect(!payload.has_mm() || payload.get_ref_count() > 0, rule::reference_count, payload, "0");
}

void protocol_judge::judge_unmodified(const flight &sent, const payload_t &payload) {
  const auto modified = [&](bool same, const char *what) {
    expect(same, rule::payload_modified, payload, what);
  };
  modified(payload.get_command() == sent.command, "command");
  modified(payload.get_data_ptr() == sent.data, "data pointer");
  modified(payload.get_data_length() == sent.length, "data length");
  modified(payload.get_byte_enable_ptr() == sent.byte_enable, "byte enable pointer");
  modified(payload.get_byte_enable_length() == sent.byte_enable_length, "byte enable length");
  modified(payload.get_streaming_width() == sent.streaming_width, "streaming width");
  modified(payload.get_gp_option() == sent.option, "option");
  judge_contents(sent, payload);
  if (address_restored_)
    expect(payload.get_address() == sent.address, rule::address_modified, payload,
           [&] { return "sent with " + hexadecimal(sent.address); });
}

/* The bytes behind pointers that are themselves as they were. */
void protocol_judge::judge_contents(const flight &sent, const payload_t &payload) {
  if (payload.get_data_ptr() == sent.data && payload.get_data_length() == sent.length)
    expect(std::equal(sent.written.begin(), sent.written.end(), sent.data), rule::payload_modified,
           payload, "bytes written");
  if (payload.get_byte_enable_ptr() == sent.byte_enable &&
      payload.get_byte_enable_length() == sent.byte_enable_length)
    expect(std::equal(sent.enables.begin(), sent.enables.end(), sent.byte_enable),
           rule::payload_modified, payload, "byte enables");
}

void protocol_judge::judge_leftovers(const flight &sent, const payload_t &payload) {
  if (sent.managed)
    return;
  expect(!payload.has_mm(), rule::manager_or_extension_left, payload, "a memory manager");
  for (unsigned i = 0; i < sent.extensions.size(); i++)
    expect(payload.get_extension(i) == sent.extensions[i], rule::manager_or_extension_left, payload,
           [&] { return "extension " + std::to_string(i); });
}

/* The response begins: the payload is what the initiator will see. */
void protocol_judge::judge_response(flight &sent, const payload_t &payload) {
  sent.response = payload.get_response_status();
  expect(sent.response != tlm::TLM_INCOMPLETE_RESPONSE, rule::response_missing, payload,
         [&] { return payload.get_response_string(); });
  judge_unmodified(sent, payload);
}

/* -- time -------------------------------------------------------------------------------------- */

void protocol_judge::judge_time(flight &sent, const payload_t &payload,
                                const sc_core::sc_time &delay) {
  const sc_core::sc_time point = sc_core::sc_time_stamp() + delay;
  expect(point >= sent.due, rule::time_went_back, payload,
         [&] { return point.to_string() + " after " + sent.due.to_string(); });
  sent.due = std::max(point, sent.due);
}

void protocol_judge::judge_unblocked(const sc_core::sc_time &time, sc_dt::uint64 delta,
                                     const payload_t &payload) {
  expect(sc_core::sc_time_stamp() == time && sc_core::sc_delta_count() == delta, rule::blocked,
         payload, [&] { return "called at " + time.to_string(); });
}

/* -- b_transport ------------------------------------------------------------------------------- */

void protocol_judge::before_b_transport(const payload_t &payload, const sc_core::sc_time &delay) {
  const flight *before = find(payload);
  if (before)
    broken(before->phase == tlm::UNINITIALIZED_PHASE ? rule::reused_in_flight
                                                     : rule::mixed_interfaces,
           &payload, "b_transport");
  judge_initial_payload(payload);
  expect(!payload.has_mm() || payload.get_ref_count() > 0, rule::reference_count, payload, "0");
  expect(sc_core::sc_get_current_process_handle().proc_kind() != sc_core::SC_METHOD_PROC_,
         rule::from_method_process, payload, "an SC_METHOD");
  take_off(payload).due = sc_core::sc_time_stamp() + delay;
}

void protocol_judge::after_b_transport(const payload_t &payload, const sc_core::sc_time &delay) {
  flight *sent = find(payload);
  if (!sent)
    return; /* a transaction that was sent again in flight has been judged already */
  judge_time(*sent, payload, delay);
  judge_response(*sent, payload);
  judge_leftovers(*sent, payload);
  land(payload);
}

/* -- phases ------------------------------------------------------------------------------------ */

void protocol_judge::begin_request(const payload_t &payload) {
  judge_initial_payload(payload);
  if (const flight *before = find(payload))
    broken(before->phase == tlm::UNINITIALIZED_PHASE ? rule::mixed_interfaces : rule::phase_order,
           &payload, found_phase(tlm::BEGIN_REQ, before->phase));
  expect(!request_, rule::request_exclusion, payload, [&] {
    return "the request of address " + hexadecimal(flights_[request_].address) + " has not ended";
  });
  request_ = &payload;
  take_off(payload).phase = tlm::BEGIN_REQ;
}

void protocol_judge::end_request(const payload_t &payload, flight &sent) {
  expect(sent.phase == tlm::BEGIN_REQ, rule::phase_order, payload,
         [&] { return found_phase(tlm::END_REQ, sent.phase); });
  if (request_ == &payload)
    request_ = nullptr;
  sent.phase = tlm::END_REQ;
}

/* BEGIN_RESP right after BEGIN_REQ implies END_REQ (15.2.4). */
void protocol_judge::begin_response(const payload_t &payload, flight &sent) {
  expect(sent.phase == tlm::BEGIN_REQ || sent.phase == tlm::END_REQ, rule::phase_order, payload,
         [&] { return found_phase(tlm::BEGIN_RESP, sent.phase); });
  if (request_ == &payload)
    request_ = nullptr;
  expect(!response_, rule::response_exclusion, payload, [&] {
    return "the response of address " + hexadecimal(flights_[response_].address) + " has not ended";
  });
  response_ = &payload;
  sent.phase = tlm::BEGIN_RESP;
  judge_response(sent, payload);
}

void protocol_judge::end_response(const payload_t &payload, flight &sent) {
  expect(sent.phase == tlm::BEGIN_RESP, rule::phase_order, payload,
         [&] { return found_phase(tlm::END_RESP, sent.phase); });
  expect(payload.get_response_status() == sent.response, rule::response_modified, payload,
         [&] { return payload.get_response_string(); });
}

/* A phase that comes up, by a call of nb_transport_bw or by return from nb_transport_fw. */
void protocol_judge::upward_phase(const payload_t &payload, const tlm::tlm_phase &phase,
                                  const sc_core::sc_time &delay) {
  if (!is_base_phase(phase))
    return;
  flight *sent = find(payload);
  const bool upward = phase == tlm::END_REQ || phase == tlm::BEGIN_RESP;
  expect(upward, rule::phase_direction, payload, phase_name(phase));
  if (upward && !sent)
    broken(rule::phase_order, &payload, found_phase(phase, tlm::UNINITIALIZED_PHASE));
  if (!upward || !sent)
    return;
  judge_time(*sent, payload, delay);
  if (phase == tlm::END_REQ)
    end_request(payload, *sent);
  else
    begin_response(payload, *sent);
}

/* TLM_COMPLETED: the transaction has ended, its response included (15.2.4). */
void protocol_judge::completed(const payload_t &payload, const sc_core::sc_time &delay) {
  flight *sent = find(payload);
  if (!sent)
    return;
  judge_time(*sent, payload, delay);
  if (sent->phase == tlm::BEGIN_RESP)
    end_response(payload, *sent);
  else
    judge_response(*sent, payload);
  land(payload);
}

void protocol_judge::judge_accepted(const call &before, const payload_t &payload,
                                    const tlm::tlm_phase &phase, const sc_core::sc_time &delay) {
  expect(phase == before.phase, rule::accepted_modified, payload, phase_name(phase));
  expect(delay == before.delay, rule::accepted_modified, payload,
         [&] { return "delay " + delay.to_string(); });
}

/* -- nb_transport ------------------------------------------------------------------------------ */

protocol_judge::call protocol_judge::before_fw(const payload_t &payload,
                                               const tlm::tlm_phase &phase,
                                               const sc_core::sc_time &delay) {
  judge_memory_management(payload);
  if (phase == tlm::BEGIN_REQ)
    begin_request(payload);
  else if (is_base_phase(phase))
    expect(phase == tlm::END_RESP, rule::phase_direction, payload, phase_name(phase));
  flight *sent = find(payload);
  if (phase == tlm::END_RESP && !sent)
    broken(rule::phase_order, &payload, found_phase(phase, tlm::UNINITIALIZED_PHASE));
  if (sent) {
    judge_time(*sent, payload, delay);
    judge_unmodified(*sent, payload);
  }
  if (phase == tlm::END_RESP && sent) {
    end_response(payload, *sent);
    land(payload);
  }
  return {phase, delay, sc_core::sc_time_stamp(), sc_core::sc_delta_count()};
}

void protocol_judge::after_fw(const call &before, const payload_t &payload,
                              const tlm::tlm_phase &phase, const sc_core::sc_time &delay,
                              tlm::tlm_sync_enum returned) {
  judge_unblocked(before.time, before.delta, payload);
  switch (returned) {
  case tlm::TLM_ACCEPTED:
    judge_accepted(before, payload, phase, delay);
    break;
  case tlm::TLM_UPDATED:
    if (before.phase == tlm::END_RESP)
      broken(rule::return_value, &payload, "TLM_UPDATED for END_RESP");
    else
      upward_phase(payload, phase, delay);
    break;
  case tlm::TLM_COMPLETED:
    completed(payload, delay);
    break;
  }
}

protocol_judge::call protocol_judge::before_bw(const payload_t &payload,
                                               const tlm::tlm_phase &phase,
                                               const sc_core::sc_time &delay) {
  judge_memory_management(payload);
  upward_phase(payload, phase, delay);
  return {phase, delay, sc_core::sc_time_stamp(), sc_core::sc_delta_count()};
}

/* An initiator answers BEGIN_RESP by ending the response at once or later; it has nothing to say to
 * END_REQ. */
void protocol_judge::after_bw(const call &before, const payload_t &payload,
                              const tlm::tlm_phase &phase, const sc_core::sc_time &delay,
                              tlm::tlm_sync_enum returned) {
  judge_unblocked(before.time, before.delta, payload);
  if (returned == tlm::TLM_ACCEPTED) {
    judge_accepted(before, payload, phase, delay);
    return;
  }
  flight *sent = find(payload);
  if (before.phase == tlm::END_REQ || !is_base_phase(phase)) {
    expect(!is_base_phase(before.phase), rule::return_value, payload,
           returned == tlm::TLM_UPDATED ? "TLM_UPDATED for END_REQ" : "TLM_COMPLETED for END_REQ");
    return;
  }
  if (returned == tlm::TLM_COMPLETED) {
    completed(payload, delay);
    return;
  }
  expect(phase == tlm::END_RESP, rule::phase_direction, payload, phase_name(phase));
  if (phase == tlm::END_RESP && sent) {
    judge_time(*sent, payload, delay);
    end_response(payload, *sent);
    land(payload);
  }
}

/* -- direct memory and debug ------------------------------------------------------------------- */

namespace {

protocol_judge::attributes attributes_of(const tlm::tlm_generic_payload &payload) {
  return {payload.get_command(),     payload.get_address(),    payload.get_data_ptr(),
          payload.get_data_length(), sc_core::sc_time_stamp(), sc_core::sc_delta_count()};
}

bool moves_data(tlm::tlm_command command) {
  return command == tlm::TLM_READ_COMMAND || command == tlm::TLM_WRITE_COMMAND;
}

} // namespace

protocol_judge::attributes protocol_judge::before_dmi(const payload_t &payload,
                                                      const tlm::tlm_dmi &window) {
  transactions_++;
  expect(moves_data(payload.get_command()), rule::dmi_command, payload,
         [&] { return std::to_string(int(payload.get_command())); });
  const auto initial = [&](bool kept, const char *what) {
    expect(kept, rule::dmi_descriptor, payload, what);
  };
  initial(!window.get_dmi_ptr(), "a pointer");
  initial(window.is_none_allowed(), "an access granted");
  initial(window.get_start_address() == 0, "a start address");
  initial(window.get_end_address() == ~sc_dt::uint64(0), "an end address");
  initial(window.get_read_latency() == sc_core::SC_ZERO_TIME, "a read latency");
  initial(window.get_write_latency() == sc_core::SC_ZERO_TIME, "a write latency");
  return attributes_of(payload);
}

void protocol_judge::after_dmi(const attributes &before, const payload_t &payload,
                               const tlm::tlm_dmi &window, bool granted) {
  judge_unblocked(before.time, before.delta, payload);
  expect(payload.get_command() == before.command, rule::payload_modified, payload, "command");
  if (address_restored_)
    expect(payload.get_address() == before.address, rule::address_modified, payload,
           [&] { return "sent with " + hexadecimal(before.address); });
  if (!granted)
    return;
  expect(window.get_dmi_ptr() && window.get_start_address() <= before.address &&
             before.address <= window.get_end_address(),
         rule::dmi_window, payload, [&] {
           return std::string(window.get_dmi_ptr() ? "" : "no memory, ") +
                  hexadecimal(window.get_start_address()) + " to " +
                  hexadecimal(window.get_end_address());
         });
  expect(before.command == tlm::TLM_WRITE_COMMAND ? window.is_write_allowed()
                                                  : window.is_read_allowed(),
         rule::dmi_access, payload,
         [&] { return std::to_string(int(window.get_granted_access())); });
}

void protocol_judge::invalidation(sc_dt::uint64 start, sc_dt::uint64 end) {
  if (start > end)
    broken(rule::dmi_invalidation, nullptr, hexadecimal(start) + " to " + hexadecimal(end));
}

protocol_judge::attributes protocol_judge::before_debug(const payload_t &payload) {
  transactions_++;
  expect(payload.get_data_ptr() || payload.get_data_length() == 0, rule::debug_data_pointer,
         payload, "none");
  return attributes_of(payload);
}

void protocol_judge::after_debug(const attributes &before, const payload_t &payload,
                                 unsigned done) {
  judge_unblocked(before.time, before.delta, payload);
  expect(payload.get_command() == before.command && payload.get_data_ptr() == before.data &&
             payload.get_data_length() == before.length,
         rule::debug_command, payload, "command, data pointer or length modified");
  if (address_restored_)
    expect(payload.get_address() == before.address, rule::address_modified, payload,
           [&] { return "sent with " + hexadecimal(before.address); });
  expect(done <= before.length, rule::debug_count, payload,
         [&] { return std::to_string(done) + " of " + std::to_string(before.length); });
}

} // namespace tb
} // namespace nestwalk
