/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches a hop, put between two sockets like the protocol checker: one line for each transaction,
 * and the latest transaction as signals of a waveform. A line has the time at which the transaction
 * was sent, local time included, the hop, the access, its address and length, the answer and how
 * long it took:
 *
 *      125.294 ns  core.mmu        load   user  0x00010f3c  4  ok              30.588 ns
 */
#ifndef NESTWALK_TB_MONITOR_H
#define NESTWALK_TB_MONITOR_H

#include <systemc>

#include <ostream>
#include <unordered_map>

#include <tlm>

namespace nestwalk {
namespace tb {

class monitor : public sc_core::sc_module,
                private tlm::tlm_fw_transport_if<>,
                private tlm::tlm_bw_transport_if<> {
public:
  tlm::tlm_target_socket<32> target;
  tlm::tlm_initiator_socket<32> initiator;

  /** Lines go to `log`, signals into `waves`; each may be null. */
  monitor(sc_core::sc_module_name name, std::ostream *log, sc_core::sc_trace_file *waves);

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &window) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

  struct sent {
    sc_core::sc_time when;
    std::uint64_t address;
  };
  sent begin(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void end(const sent &begun, const tlm::tlm_generic_payload &payload,
           const sc_core::sc_time &delay);
  void response(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);

  std::ostream *log_;
  std::unordered_map<const tlm::tlm_generic_payload *, sent> in_flight_;
  /* the waveform */
  std::uint64_t address_ = 0, transactions_ = 0;
  unsigned waiting_ = 0; /* transactions in flight */
  bool write_ = false, instruction_ = false, privileged_ = false, failed_ = false;
};

} // namespace tb
} // namespace nestwalk

#endif
