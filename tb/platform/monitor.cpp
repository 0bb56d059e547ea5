/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/monitor.h"

#include <iomanip>

#include <nestwalk/systemc/extension.h>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using tlm::tlm_generic_payload;

namespace {

double nanoseconds(const sc_time &time) {
  return time.to_seconds() * 1e9;
}

const char *access_name(const tlm_generic_payload &payload, const request_extension *who) {
  if (payload.is_write())
    return "store";
  return who && who->instruction ? "fetch" : "load";
}

/* The walker's reads carry no extension. */
const char *privilege_name(const request_extension *who) {
  return !who ? "-" : who->privileged ? "priv" : "user";
}

const char *answer_name(tlm::tlm_response_status status) {
  switch (status) {
  case tlm::TLM_OK_RESPONSE:
    return "ok";
  case tlm::TLM_ADDRESS_ERROR_RESPONSE:
    return "address error";
  case tlm::TLM_COMMAND_ERROR_RESPONSE:
    return "command error";
  case tlm::TLM_BURST_ERROR_RESPONSE:
    return "burst error";
  case tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE:
    return "enable error";
  case tlm::TLM_INCOMPLETE_RESPONSE:
    return "incomplete";
  default:
    return "error";
  }
}

} // namespace

monitor::monitor(sc_core::sc_module_name name, std::ostream *log, sc_core::sc_trace_file *waves)
    : sc_module(name), target("target"), initiator("initiator"), log_(log) {
  target.bind(*this);
  initiator.bind(*this);
  if (!waves)
    return;
  const std::string prefix = std::string(this->basename()) + ".";
  sc_core::sc_trace(waves, address_, prefix + "address", 40);
  sc_core::sc_trace(waves, transactions_, prefix + "transactions", 64);
  sc_core::sc_trace(waves, waiting_, prefix + "waiting", 8);
  sc_core::sc_trace(waves, write_, prefix + "write");
  sc_core::sc_trace(waves, instruction_, prefix + "instruction");
  sc_core::sc_trace(waves, privileged_, prefix + "privileged");
  sc_core::sc_trace(waves, failed_, prefix + "failed");
}

/* -- what is seen ------------------------------------------------------------------------------ */

monitor::sent monitor::begin(const tlm_generic_payload &payload, const sc_time &delay) {
  const auto *who = payload.get_extension<request_extension>();
  address_ = payload.get_address();
  transactions_++;
  waiting_++;
  write_ = payload.is_write();
  instruction_ = who && who->instruction;
  privileged_ = who && who->privileged;
  return {sc_core::sc_time_stamp() + delay, payload.get_address()};
}

void monitor::end(const sent &begun, const tlm_generic_payload &payload, const sc_time &delay) {
  waiting_--;
  failed_ = payload.is_response_error();
  if (!log_)
    return;
  const auto *who = payload.get_extension<request_extension>();
  std::ostream &out = *log_;
  const std::ios_base::fmtflags before = out.flags();
  out << std::fixed << std::setprecision(3) << std::setw(16) << nanoseconds(begun.when) << " ns  "
      << std::left << std::setw(14) << basename() << ' ' << std::setw(5)
      << access_name(payload, who) << ' ' << std::setw(4) << privilege_name(who) << "  0x"
      << std::right << std::hex << std::setfill('0') << std::setw(10) << begun.address
      << std::setfill(' ') << std::dec << ' ' << std::setw(2) << payload.get_data_length() << "  "
      << std::left << std::setw(13) << answer_name(payload.get_response_status()) << ' '
      << std::right << std::setw(12) << nanoseconds(sc_core::sc_time_stamp() + delay - begun.when)
      << " ns\n";
  out.flags(before);
}

void monitor::response(const tlm_generic_payload &payload, const sc_time &delay) {
  const auto found = in_flight_.find(&payload);
  if (found == in_flight_.end())
    return;
  end(found->second, payload, delay);
  in_flight_.erase(found);
}

/* -- passing on -------------------------------------------------------------------------------- */

void monitor::b_transport(tlm_generic_payload &payload, sc_time &delay) {
  const sent begun = begin(payload, delay);
  initiator->b_transport(payload, delay);
  end(begun, payload, delay);
}

tlm::tlm_sync_enum monitor::nb_transport_fw(tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                            sc_time &delay) {
  if (phase == tlm::BEGIN_REQ)
    in_flight_[&payload] = begin(payload, delay);
  const tlm::tlm_sync_enum returned = initiator->nb_transport_fw(payload, phase, delay);
  if (returned == tlm::TLM_COMPLETED || (returned == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP))
    response(payload, delay);
  return returned;
}

tlm::tlm_sync_enum monitor::nb_transport_bw(tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                            sc_time &delay) {
  if (phase == tlm::BEGIN_RESP)
    response(payload, delay);
  return target->nb_transport_bw(payload, phase, delay);
}

bool monitor::get_direct_mem_ptr(tlm_generic_payload &payload, tlm::tlm_dmi &window) {
  return initiator->get_direct_mem_ptr(payload, window);
}

void monitor::invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) {
  target->invalidate_direct_mem_ptr(start, end);
}

unsigned monitor::transport_dbg(tlm_generic_payload &payload) {
  return initiator->transport_dbg(payload);
}

} // namespace tb
} // namespace nestwalk
