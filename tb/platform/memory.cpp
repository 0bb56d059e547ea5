/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/memory.h"

#include <algorithm>
#include <cstring>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

memory::memory(sc_core::sc_module_name name, storage &storage, unsigned queue)
    : timed_target(name, queue), storage_(storage) {
}

/* -- executing a request ----------------------------------------------------------------------- */

/* TLM_OK_RESPONSE when the request can be executed. With a streaming width below the length the
 * bytes behind it go to the same addresses again (14.15), which this memory refuses. */
tlm::tlm_response_status memory::judge(const tlm_generic_payload &payload) const {
  const std::uint64_t address = payload.get_address(), length = payload.get_data_length();
  if (address >= size() || length > size() - address)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.get_streaming_width() < length)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void memory::move(tlm_generic_payload &payload, unsigned length) {
  unsigned char *there = storage_.at(payload.get_address());
  unsigned char *here = payload.get_data_ptr();
  const unsigned char *enable = payload.get_byte_enable_ptr();
  unsigned char *to = payload.is_write() ? there : here;
  const unsigned char *from = payload.is_write() ? here : there;
  if (!enable) {
    std::memcpy(to, from, length);
    return;
  }
  for (unsigned i = 0; i < length; i++) /* the enables repeat (14.14) */
    if (enable[i % payload.get_byte_enable_length()] != TLM_BYTE_DISABLED)
      to[i] = from[i];
}

void memory::execute(tlm_generic_payload &payload) {
  const tlm::tlm_response_status status = judge(payload);
  payload.set_response_status(status);
  if (status != tlm::TLM_OK_RESPONSE) {
    counts_.errors++;
    return;
  }
  payload.set_dmi_allowed(true);
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return;
  move(payload, payload.get_data_length());
  counts_.reads += payload.is_read();
  counts_.writes += payload.is_write();
  counts_.bytes += payload.get_data_length();
}

/* -- DMI and debug ----------------------------------------------------------------------------- */

bool memory::get_direct_mem_ptr(tlm_generic_payload &payload, tlm::tlm_dmi &window) {
  if (payload.get_address() >= size())
    return false;
  counts_.dmi++;
  window.set_dmi_ptr(storage_.at(0));
  window.set_start_address(0);
  window.set_end_address(size() - 1);
  window.set_read_latency(dmi_latency(false));
  window.set_write_latency(dmi_latency(true));
  window.allow_read_write();
  return true;
}

unsigned memory::transport_dbg(tlm_generic_payload &payload) {
  const std::uint64_t address = payload.get_address();
  counts_.debug++;
  if (address >= size() || payload.get_command() == tlm::TLM_IGNORE_COMMAND)
    return 0;
  const std::uint64_t room = size() - address;
  const unsigned length = unsigned(std::min<std::uint64_t>(payload.get_data_length(), room));
  move(payload, length);
  return length;
}

} // namespace tb
} // namespace nestwalk
