/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator's side of the base protocol by nb_transport (IEEE 1666-2011, clause 15).
 *
 * Invariant: at most one transaction is between its BEGIN_REQ and its END_REQ (request exclusion,
 * 15.2.6); the others wait in order. A response is ended the moment it begins, so response exclusion
 * never holds the target back.
 */
#ifndef NESTWALK_SYSTEMC_AT_INITIATOR_H
#define NESTWALK_SYSTEMC_AT_INITIATOR_H

#include <deque>
#include <functional>
#include <unordered_map>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>

namespace nestwalk::detail {

class at_client {
public:
  /** The transaction has come back, its response is in it and ended. */
  virtual void completed(tlm::tlm_generic_payload &payload) = 0;

protected:
  ~at_client() = default;
};

class at_initiator final : public tlm::tlm_bw_transport_if<> {
public:
  using withdrawal = std::function<void(sc_dt::uint64 first, sc_dt::uint64 last)>;

  /** `name` is that of the event queue; `withdraw` is told of DMI invalidations, PAs. */
  at_initiator(const char *name, withdrawal withdraw);

  /** What to send through; to be set before the first send(). */
  void connect(tlm::tlm_fw_transport_if<> &target) {
    target_ = &target;
  }

  /** Sends a transaction as soon as the request phase is free. `payload` has a memory manager and is
   * held by the client until it is completed. */
  void send(tlm::tlm_generic_payload &payload, at_client &client);

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override;

private:
  void begin_next_request();
  void arrived(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void end_request(const tlm::tlm_generic_payload &payload);
  void complete(tlm::tlm_generic_payload &payload);

  tlm_utils::peq_with_cb_and_phase<at_initiator> arrivals_;
  withdrawal withdraw_;
  tlm::tlm_fw_transport_if<> *target_ = nullptr;
  std::deque<tlm::tlm_generic_payload *> waiting_;
  tlm::tlm_generic_payload *requesting_ = nullptr;
  std::unordered_map<tlm::tlm_generic_payload *, at_client *> in_flight_;
};

} // namespace nestwalk::detail
#endif
