/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/at_initiator.h"

#include <utility>

namespace nestwalk::detail {

using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

namespace {

/* In the event queue END_RESP stands for a transaction that the target has completed without a
 * response phase (15.2.5): the target itself never sends END_RESP. */
constexpr tlm::tlm_phase_enum completed_early = tlm::END_RESP;

} // namespace

at_initiator::at_initiator(const char *name, withdrawal withdraw)
    : arrivals_(name, this, &at_initiator::arrived), withdraw_(std::move(withdraw)) {
}

void at_initiator::send(tlm_generic_payload &payload, at_client &client) {
  in_flight_[&payload] = &client;
  waiting_.push_back(&payload);
  begin_next_request();
}

void at_initiator::begin_next_request() {
  while (requesting_ == nullptr && !waiting_.empty()) {
    tlm_generic_payload &payload = *waiting_.front();
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = SC_ZERO_TIME;

    waiting_.pop_front();
    requesting_ = &payload;
    switch (target_->nb_transport_fw(payload, phase, delay)) {
    case tlm::TLM_ACCEPTED:
      break;
    case tlm::TLM_UPDATED:
      arrivals_.notify(payload, phase, delay);
      break;
    case tlm::TLM_COMPLETED:
      arrivals_.notify(payload, completed_early, delay);
      break;
    }
  }
}

/* Extended phases that we do not know are ignorable (15.2.3). */
tlm::tlm_sync_enum at_initiator::nb_transport_bw(tlm_generic_payload &payload,
                                                 tlm::tlm_phase &phase, sc_core::sc_time &delay) {
  if (phase == tlm::BEGIN_REQ || phase == tlm::END_RESP)
    SC_REPORT_ERROR("/nestwalk/protocol", "a target sent a phase that is an initiator's to send");
  else if (in_flight_.count(&payload) == 0)
    SC_REPORT_ERROR("/nestwalk/protocol", "a phase came for a transaction that is not in flight");
  else if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)
    arrivals_.notify(payload, phase, delay);
  return tlm::TLM_ACCEPTED;
}

void at_initiator::arrived(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  end_request(payload);
  if (phase == tlm::BEGIN_RESP) {
    tlm::tlm_phase end = tlm::END_RESP;
    sc_core::sc_time delay = SC_ZERO_TIME;
    target_->nb_transport_fw(payload, end, delay);
  }
  if (phase != tlm::END_REQ)
    complete(payload);
  begin_next_request();
}

/* BEGIN_RESP, and completing early, implies END_REQ (15.2.5). */
void at_initiator::end_request(const tlm_generic_payload &payload) {
  if (requesting_ == &payload)
    requesting_ = nullptr;
}

void at_initiator::complete(tlm_generic_payload &payload) {
  auto entry = in_flight_.find(&payload);
  at_client *client = entry->second;

  in_flight_.erase(entry);
  client->completed(payload);
}

void at_initiator::invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) {
  withdraw_(first, last);
}

} // namespace nestwalk::detail
