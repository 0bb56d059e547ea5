/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/descriptor_read.h"

namespace nestwalk::detail {

namespace {

/* Memory is bytes in order of address; the core takes a descriptor as a little-endian number and
 * swaps it itself where SCTLR.EE says so. */
std::uint64_t little_endian(const unsigned char *data, unsigned size) {
  std::uint64_t value = 0;

  for (unsigned i = 0; i < size; i++)
    value |= std::uint64_t{data[i]} << 8 * i;
  return value;
}

void fill(tlm::tlm_generic_payload &payload, std::uint64_t address, unsigned char *data,
          unsigned size) {
  payload.set_read();
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(size);
  payload.set_streaming_width(size);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

bool read_by_debug(void *context, std::uint64_t pa, unsigned size, std::uint64_t *value,
                   std::uint32_t *cycles) {
  auto *socket = static_cast<tlm::tlm_fw_transport_if<> *>(context);
  tlm::tlm_generic_payload payload;
  unsigned char data[8] = {0};

  fill(payload, pa, data, size);
  bool complete = socket->transport_dbg(payload) == size;
  *value = little_endian(data, size);
  *cycles = 0;
  return complete;
}

} // namespace

void descriptor_read::put(tlm::tlm_generic_payload &payload, const nw_step &step) {
  fill(payload, step.address, data_.data(), step.size);
}

nw_answer descriptor_read::answer(const tlm::tlm_generic_payload &payload,
                                  std::uint32_t cycles) const {
  nw_answer answer = {};

  answer.cycles = cycles;
  answer.abort = !payload.is_response_ok();
  if (!answer.abort)
    answer.data = little_endian(data_.data(), payload.get_data_length());
  return answer;
}

nw_memory debug_memory(tlm::tlm_fw_transport_if<> &socket) {
  return nw_memory{&socket, read_by_debug, nullptr};
}

} // namespace nestwalk::detail
