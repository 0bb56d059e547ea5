/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checker of the TLM-2.0 base protocol, to be put between any two sockets:
 *
 *   initiator.socket.bind(checker.target);
 *   checker.initiator.bind(memory.socket);
 *
 * It passes every call on unchanged and judges it by the rules of protocol_rules.h. What it finds
 * is kept and counted, never reported by itself: a bench asks at its end.
 */
#ifndef NESTWALK_TB_PROTOCOL_CHECKER_H
#define NESTWALK_TB_PROTOCOL_CHECKER_H

#include "platform/protocol_rules.h"

namespace nestwalk {
namespace tb {

template <unsigned BUSWIDTH = 32>
class protocol_checker : public sc_core::sc_module,
                         private tlm::tlm_fw_transport_if<>,
                         private tlm::tlm_bw_transport_if<> {
public:
  tlm::tlm_target_socket<BUSWIDTH> target;
  tlm::tlm_initiator_socket<BUSWIDTH> initiator;

  explicit protocol_checker(sc_core::sc_module_name name)
      : sc_module(name), target("target"), initiator("initiator"), judge_(this->name()) {
    target.bind(*this);
    initiator.bind(*this);
  }

  protocol_judge &judge() {
    return judge_;
  }
  const protocol_judge &judge() const {
    return judge_;
  }

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override {
    judge_.before_b_transport(payload, delay);
    initiator->b_transport(payload, delay);
    judge_.after_b_transport(payload, delay);
  }

  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override {
    const protocol_judge::call before = judge_.before_fw(payload, phase, delay);
    const tlm::tlm_sync_enum returned = initiator->nb_transport_fw(payload, phase, delay);
    judge_.after_fw(before, payload, phase, delay, returned);
    return returned;
  }

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override {
    const protocol_judge::call before = judge_.before_bw(payload, phase, delay);
    const tlm::tlm_sync_enum returned = target->nb_transport_bw(payload, phase, delay);
    judge_.after_bw(before, payload, phase, delay, returned);
    return returned;
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &window) override {
    const protocol_judge::attributes before = judge_.before_dmi(payload, window);
    const bool granted = initiator->get_direct_mem_ptr(payload, window);
    judge_.after_dmi(before, payload, window, granted);
    return granted;
  }

  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) override {
    judge_.invalidation(start, end);
    target->invalidate_direct_mem_ptr(start, end);
  }

  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override {
    const protocol_judge::attributes before = judge_.before_debug(payload);
    const unsigned done = initiator->transport_dbg(payload);
    judge_.after_debug(before, payload, done);
    return done;
  }

  protocol_judge judge_;
};

} // namespace tb
} // namespace nestwalk

#endif
