/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/timed_target.h"

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

timed_target::timed_target(sc_core::sc_module_name name, unsigned queue)
    : sc_module(name), target("target"), queue_(queue),
      events_("events", this, &timed_target::happens) {
  target.register_b_transport(this, &timed_target::b_transport);
  target.register_nb_transport_fw(this, &timed_target::nb_transport_fw);
  target.register_get_direct_mem_ptr(this, &timed_target::get_direct_mem_ptr);
  target.register_transport_dbg(this, &timed_target::transport_dbg);
}

/* -- loosely timed ----------------------------------------------------------------------------- */

void timed_target::b_transport(tlm_generic_payload &request, sc_time &delay) {
  const sc_time now = sc_core::sc_time_stamp();
  execute(request);
  delay = finish(request, now + delay) - now;
}

bool timed_target::get_direct_mem_ptr(tlm_generic_payload &, tlm::tlm_dmi &) {
  return false;
}

/* -- approximately timed ----------------------------------------------------------------------- */

tlm::tlm_sync_enum timed_target::nb_transport_fw(tlm_generic_payload &payload,
                                                 tlm::tlm_phase &phase, sc_time &delay) {
  if (phase == tlm::BEGIN_REQ)
    payload.acquire();
  events_.notify(payload, phase, delay);
  return tlm::TLM_ACCEPTED;
}

/* BEGIN_REQ and END_RESP come from the initiator; a request that is finished comes back to the
 * target itself as BEGIN_RESP. */
void timed_target::happens(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  if (phase == tlm::BEGIN_REQ) {
    waiting_ = &payload;
    accept_waiting();
  } else if (phase == tlm::BEGIN_RESP) {
    finished_.push_back(&payload);
    respond();
  } else if (phase == tlm::END_RESP) {
    response_ended(payload);
  }
}

void timed_target::accept_waiting() {
  if (!waiting_ || taken_ >= queue_)
    return;
  tlm_generic_payload &payload = *waiting_;
  waiting_ = nullptr;
  taken_++;
  const sc_time now = sc_core::sc_time_stamp();
  events_.notify(payload, tlm::BEGIN_RESP, finish(payload, now) - now);
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_time delay = SC_ZERO_TIME;
  target->nb_transport_bw(payload, phase, delay);
}

void timed_target::respond() {
  if (responding_ || finished_.empty())
    return;
  responding_ = finished_.front();
  finished_.pop_front();
  execute(*responding_);
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_time delay = SC_ZERO_TIME;
  switch (target->nb_transport_bw(*responding_, phase, delay)) {
  case tlm::TLM_ACCEPTED:
    break;
  case tlm::TLM_UPDATED:
    events_.notify(*responding_, phase, delay);
    break;
  case tlm::TLM_COMPLETED:
    events_.notify(*responding_, tlm::END_RESP, delay);
    break;
  }
}

void timed_target::response_ended(tlm_generic_payload &payload) {
  payload.release();
  responding_ = nullptr;
  taken_--;
  accept_waiting();
  respond();
}

} // namespace tb
} // namespace nestwalk
