/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/uart.h"

#include <algorithm>
#include <cstring>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

SC_HAS_PROCESS(uart);

uart::uart(sc_core::sc_module_name name, const sc_time &character_time, const sc_time &access_time)
    : timed_target(name, 1), interrupt("interrupt"), character_time_(character_time),
      access_time_(access_time) {
  SC_THREAD(send_line);
  SC_METHOD(drive_interrupt);
  sensitive << changed_;
}

/* -- registers --------------------------------------------------------------------------------- */

std::uint32_t uart::peek(std::uint64_t address) const {
  const std::uint32_t conditions =
      (received_.empty() ? 0 : receive_interrupt) | (sending_.empty() ? send_interrupt : 0);
  switch (address) {
  case data:
    return received_.empty() ? 0 : static_cast<unsigned char>(received_.front());
  case flags:
    return (sending_.empty() ? send_empty : busy) | (sending_.size() < queue ? 0 : send_full) |
           (received_.empty() ? receive_empty : 0);
  case mask:
    return mask_;
  case raw:
    return conditions;
  case masked:
    return conditions & mask_;
  default:
    return 0;
  }
}

void uart::write(std::uint64_t address, std::uint32_t value) {
  if (address == mask)
    mask_ = value & (receive_interrupt | send_interrupt);
  else if (address == data && sending_.size() < queue)
    sending_.push_back(static_cast<char>(value));
  else if (address == data)
    lost_++;
}

tlm::tlm_response_status uart::judge(const tlm_generic_payload &payload) const {
  static constexpr unsigned registers[] = {data, flags, mask, raw, masked};
  const unsigned length = payload.get_data_length();
  const std::uint64_t address = payload.get_address();
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return tlm::TLM_OK_RESPONSE;
  if (std::find(std::begin(registers), std::end(registers), address) == std::end(registers))
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr())
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if ((length != 1 && length != 2 && length != 4) || payload.get_streaming_width() < length)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  if (payload.is_write() && address != data && address != mask)
    return tlm::TLM_COMMAND_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void uart::execute(tlm_generic_payload &payload) {
  const std::uint64_t address = payload.get_address();
  std::uint32_t value = 0;
  payload.set_response_status(judge(payload));
  if (!payload.is_response_ok() || payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), payload.get_data_length());
    write(address, value);
  } else {
    value = peek(address);
    std::memcpy(payload.get_data_ptr(), &value, payload.get_data_length());
    if (address == data && !received_.empty())
      received_.pop_front();
  }
  changed_.notify(SC_ZERO_TIME);
}

/* -- transport --------------------------------------------------------------------------------- */

/* The queues move in simulated time, so the initiator's local time is waited for. */
void uart::b_transport(tlm_generic_payload &payload, sc_time &delay) {
  sc_core::wait(delay + access_time_);
  delay = SC_ZERO_TIME;
  execute(payload);
}

sc_time uart::finish(const tlm_generic_payload &, const sc_time &arrival) {
  return arrival + access_time_;
}

unsigned uart::transport_dbg(tlm_generic_payload &payload) {
  if (!payload.is_read() || judge(payload) != tlm::TLM_OK_RESPONSE)
    return 0;
  const std::uint32_t value = peek(payload.get_address());
  std::memcpy(payload.get_data_ptr(), &value, payload.get_data_length());
  return payload.get_data_length();
}

/* -- the line ---------------------------------------------------------------------------------- */

bool uart::receive(char character) {
  if (received_.size() >= queue)
    return false;
  received_.push_back(character);
  changed_.notify(SC_ZERO_TIME);
  return true;
}

void uart::send_line() {
  for (;;) {
    while (sending_.empty())
      wait(changed_);
    wait(character_time_);
    sent_ += sending_.front();
    sending_.pop_front();
    changed_.notify(SC_ZERO_TIME);
  }
}

void uart::drive_interrupt() {
  interrupt.write(peek(masked) != 0);
}

} // namespace tb
} // namespace nestwalk
