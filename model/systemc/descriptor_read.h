/* SPDX-License-Identifier: Apache-2.0 */
/* A READ step as a transaction on the walker's socket. */
#ifndef NESTWALK_SYSTEMC_DESCRIPTOR_READ_H
#define NESTWALK_SYSTEMC_DESCRIPTOR_READ_H

#include <array>
#include <cstdint>

#include <tlm>

#include <nestwalk/nestwalk.h>

namespace nestwalk::detail {

class descriptor_read {
public:
  /** Makes `payload` the read that `step` asks for; its data come here. */
  void put(tlm::tlm_generic_payload &payload, const nw_step &step);
  /** The answer to the step, once `payload` has come back; any error is an external abort. */
  nw_answer answer(const tlm::tlm_generic_payload &payload, std::uint32_t cycles) const;

private:
  std::array<unsigned char, 8> data_;
};

/** Memory that is read by transport_dbg of `socket`, which must outlive it; costs no cycles. */
nw_memory debug_memory(tlm::tlm_fw_transport_if<> &socket);

} // namespace nestwalk::detail
#endif
