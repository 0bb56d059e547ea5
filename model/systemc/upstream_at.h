/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target's side of the base protocol on one upstream socket.
 *
 * Invariants: at most one request is without END_REQ (the initiator's exclusion rule, checked); at
 * most one response is without END_RESP (ours); a request goes downstream only after all earlier ones
 * of this socket that touch the same bytes.
 */
#ifndef NESTWALK_SYSTEMC_UPSTREAM_AT_H
#define NESTWALK_SYSTEMC_UPSTREAM_AT_H

#include <deque>
#include <vector>

#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>

#include "systemc/at_request.h"

namespace nestwalk::detail {

class upstream_at {
public:
  upstream_at(mmu_body &owner, unsigned index);

  unsigned index() const {
    return index_;
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);

  /** A request waits for one of the module's places; take() gives it one. */
  bool wants_a_place() const {
    return pending_ != nullptr;
  }
  void take(at_request &place);

  /** Lets those translated requests go downstream whose turn has come. */
  void forward_in_order();
  /** The request's payload is ready to go back. */
  void respond(at_request &request);

private:
  void arrived(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void begin_next_response();
  void end_response();
  bool may_forward(const at_request &request) const;

  mmu_body &body_;
  unsigned index_;
  tlm_utils::peq_with_cb_and_phase<upstream_at> arrivals_;
  tlm::tlm_generic_payload *requesting_ = nullptr; /* BEGIN_REQ has come, END_REQ has not gone */
  tlm::tlm_generic_payload *pending_ = nullptr;    /* the same, its time having come */
  std::vector<at_request *> requests_;             /* in order of arrival */
  std::deque<at_request *> responses_;             /* in order of completion */
  at_request *responding_ = nullptr;
};

} // namespace nestwalk::detail
#endif
