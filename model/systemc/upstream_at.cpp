/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/upstream_at.h"

#include <algorithm>

#include "systemc/mmu_body.h"

namespace nestwalk::detail {

using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

upstream_at::upstream_at(mmu_body &owner, unsigned index)
    : body_(owner), index_(index),
      arrivals_(("upstream_at_" + std::to_string(index)).c_str(), this, &upstream_at::arrived) {
}

/* Extended phases that we do not know are ignorable (15.2.3). */
tlm::tlm_sync_enum upstream_at::nb_transport_fw(tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                                sc_core::sc_time &delay) {
  if (phase == tlm::BEGIN_REQ && requesting_ != nullptr) {
    SC_REPORT_ERROR("/nestwalk/protocol", "BEGIN_REQ before the END_REQ of the request before");
  } else if (phase == tlm::BEGIN_REQ) {
    requesting_ = &payload;
    arrivals_.notify(payload, phase, delay);
  } else if (phase == tlm::END_RESP) {
    if (responding_ == nullptr || &responding_->payload() != &payload)
      SC_REPORT_ERROR("/nestwalk/protocol", "END_RESP for a transaction that has no BEGIN_RESP");
    else
      arrivals_.notify(payload, phase, delay);
  } else if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP) {
    SC_REPORT_ERROR("/nestwalk/protocol", "an initiator sent a phase that is a target's to send");
  }
  return tlm::TLM_ACCEPTED;
}

void upstream_at::arrived(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  if (phase == tlm::BEGIN_REQ) {
    pending_ = &payload;
    body_.count_transaction();
    body_.give_places();
  } else {
    end_response();
  }
}

void upstream_at::take(at_request &place) {
  tlm_generic_payload &payload = *pending_;
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_core::sc_time delay = SC_ZERO_TIME;

  requesting_ = pending_ = nullptr;
  requests_.push_back(&place);
  place.start(*this, payload);
  body_.upstream(index_).nb_transport_bw(payload, phase, delay);
}

/* -- downstream ------------------------------------------------------------------------------- */

bool upstream_at::may_forward(const at_request &request) const {
  for (const at_request *earlier : requests_) {
    if (earlier == &request)
      return true;
    if (earlier->precedes(request))
      return false;
  }
  return true;
}

/* Sending one may end it, and so change the list. */
void upstream_at::forward_in_order() {
  for (std::size_t i = 0; i < requests_.size(); i++) {
    at_request &request = *requests_[i];
    if (request.wants_to_forward() && may_forward(request))
      request.forward();
  }
}

/* -- back ------------------------------------------------------------------------------------- */

void upstream_at::respond(at_request &request) {
  responses_.push_back(&request);
  begin_next_response();
}

void upstream_at::begin_next_response() {
  if (responding_ != nullptr || responses_.empty())
    return;
  responding_ = responses_.front();
  responses_.pop_front();
  tlm_generic_payload &payload = responding_->payload();
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = SC_ZERO_TIME;
  /* The initiator may end the response by the return path (15.2.5); TLM_UPDATED can say nothing
   * else. */
  if (body_.upstream(index_).nb_transport_bw(payload, phase, delay) != tlm::TLM_ACCEPTED)
    arrivals_.notify(payload, tlm::END_RESP, delay);
}

void upstream_at::end_response() {
  at_request &request = *responding_;

  responding_ = nullptr;
  requests_.erase(std::find(requests_.begin(), requests_.end(), &request));
  request.finish();
  body_.return_place(request);
  begin_next_response();
}

} // namespace nestwalk::detail
