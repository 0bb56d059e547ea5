/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/interconnect.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

interconnect::interconnect(sc_core::sc_module_name name, unsigned initiators, unsigned targets)
    : sc_module(name), upstream("upstream", initiators), downstream("downstream", targets),
      from_(initiators), to_(targets), events_("events", this, &interconnect::happens) {
  for (unsigned i = 0; i < initiators; i++) {
    upstream[i].register_b_transport(this, &interconnect::b_transport, int(i));
    upstream[i].register_nb_transport_fw(this, &interconnect::nb_transport_fw, int(i));
    upstream[i].register_get_direct_mem_ptr(this, &interconnect::get_direct_mem_ptr, int(i));
    upstream[i].register_transport_dbg(this, &interconnect::transport_dbg, int(i));
  }
  for (unsigned i = 0; i < targets; i++) {
    downstream[i].register_nb_transport_bw(this, &interconnect::nb_transport_bw, int(i));
    downstream[i].register_invalidate_direct_mem_ptr(this, &interconnect::invalidate_direct_mem_ptr,
                                                     int(i));
  }
}

/* -- the map ----------------------------------------------------------------------------------- */

void interconnect::map(unsigned target, std::uint64_t start, std::uint64_t size) {
  const std::uint64_t last = start + size - 1;
  for (const region &other : regions_) {
    if (start > other.last || last < other.start)
      continue;
    std::ostringstream text;
    text << std::hex << "interconnect: region 0x" << start << " to 0x" << last
         << " overlaps the one from 0x" << other.start << " to 0x" << other.last;
    throw std::invalid_argument(text.str());
  }
  if (size == 0 || last < start || target >= to_.size())
    throw std::invalid_argument("interconnect: a region needs a size, an end and a target");
  regions_.push_back({start, last, target});
}

void interconnect::set_latency(unsigned port, const sc_time &latency) {
  from_.at(port).latency = latency;
}

const interconnect::region *interconnect::decode(std::uint64_t address,
                                                 std::uint64_t length) const {
  for (const region &each : regions_)
    if (address >= each.start && address <= each.last &&
        (length == 0 || length - 1 <= each.last - address))
      return &each;
  return nullptr;
}

/* -- loosely timed, DMI, debug ----------------------------------------------------------------- */

void interconnect::b_transport(int port, tlm_generic_payload &payload, sc_time &delay) {
  const std::uint64_t address = payload.get_address();
  const region *through = decode(address, payload.get_data_length());
  from_[unsigned(port)].requests++;
  delay += from_[unsigned(port)].latency;
  if (!through) {
    decode_errors_++;
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  to_[through->target].requests++;
  payload.set_address(address - through->start);
  downstream[through->target]->b_transport(payload, delay);
  payload.set_address(address);
}

bool interconnect::get_direct_mem_ptr(int port, tlm_generic_payload &payload,
                                      tlm::tlm_dmi &window) {
  const std::uint64_t address = payload.get_address();
  const region *through = decode(address, 1);
  if (!through)
    return false;
  payload.set_address(address - through->start);
  const bool granted = downstream[through->target]->get_direct_mem_ptr(payload, window);
  payload.set_address(address);
  if (!granted)
    return false;
  /* The target's window may be wider than its region. */
  const std::uint64_t last = through->last - through->start;
  window.set_start_address(window.get_start_address() + through->start);
  window.set_end_address(std::min<std::uint64_t>(window.get_end_address(), last) + through->start);
  window.set_read_latency(window.get_read_latency() + from_[unsigned(port)].latency);
  window.set_write_latency(window.get_write_latency() + from_[unsigned(port)].latency);
  return true;
}

void interconnect::invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end) {
  for (const region &each : regions_) {
    const std::uint64_t last = each.last - each.start;
    if (each.target != unsigned(target) || start > last)
      continue;
    for (auto &socket : upstream)
      socket->invalidate_direct_mem_ptr(each.start + start,
                                        each.start + std::min<std::uint64_t>(end, last));
  }
}

unsigned interconnect::transport_dbg(int, tlm_generic_payload &payload) {
  const std::uint64_t address = payload.get_address();
  const region *through = decode(address, payload.get_data_length());
  if (!through)
    return 0;
  payload.set_address(address - through->start);
  const unsigned done = downstream[through->target]->transport_dbg(payload);
  payload.set_address(address);
  return done;
}

/* -- approximately timed ----------------------------------------------------------------------- */

/*
 * Everything goes through one event queue, so that a phase counts when its delay has passed:
 *   BEGIN_REQ  from an initiator; END_REQ, BEGIN_RESP from a target; END_RESP from an initiator.
 */
tlm::tlm_sync_enum interconnect::nb_transport_fw(int port, tlm_generic_payload &payload,
                                                 tlm::tlm_phase &phase, sc_time &delay) {
  if (phase == tlm::END_RESP) {
    events_.notify(payload, phase, delay);
    return tlm::TLM_ACCEPTED;
  }
  if (phase != tlm::BEGIN_REQ)
    return tlm::TLM_ACCEPTED; /* an extended phase, which may be ignored (15.2.5) */
  initiator_side &side = from_[unsigned(port)];
  const std::uint64_t address = payload.get_address();
  const region *through = decode(address, payload.get_data_length());
  side.requests++;
  if (!through) {
    decode_errors_++;
    delay += side.latency;
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  payload.acquire();
  routes_[&payload] = {unsigned(port), through, address, false};
  events_.notify(payload, phase, delay + side.latency);
  return tlm::TLM_ACCEPTED;
}

tlm::tlm_sync_enum interconnect::nb_transport_bw(int, tlm_generic_payload &payload,
                                                 tlm::tlm_phase &phase, sc_time &delay) {
  events_.notify(payload, phase, delay);
  return tlm::TLM_ACCEPTED;
}

void interconnect::happens(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  const auto found = routes_.find(&payload);
  if (found == routes_.end())
    return; /* an extended phase of a transaction that has ended */
  const route &way = found->second;
  if (phase == tlm::BEGIN_REQ) {
    to_[way.through->target].waiting.push_back(&payload);
    send_request(way.through->target);
  } else if (phase == tlm::END_REQ) {
    request_ended(payload, way);
  } else if (phase == tlm::BEGIN_RESP) {
    response_began(payload, way);
  } else if (phase == tlm::END_RESP) {
    response_ended(payload);
  }
}

void interconnect::send_request(unsigned target) {
  target_side &side = to_[target];
  if (side.requesting || side.waiting.empty())
    return;
  tlm_generic_payload &payload = *side.waiting.front();
  side.waiting.pop_front();
  side.requesting = &payload;
  side.requests++;
  route &way = routes_.at(&payload);
  payload.set_address(way.address - way.through->start);
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay = SC_ZERO_TIME;
  switch (downstream[target]->nb_transport_fw(payload, phase, delay)) {
  case tlm::TLM_ACCEPTED:
    break;
  case tlm::TLM_UPDATED:
    events_.notify(payload, phase, delay);
    break;
  case tlm::TLM_COMPLETED:
    way.completed = true;
    events_.notify(payload, tlm::BEGIN_RESP, delay);
    break;
  }
}

void interconnect::request_ended(tlm_generic_payload &payload, const route &way) {
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_time delay = SC_ZERO_TIME;
  to_[way.through->target].requesting = nullptr;
  upstream[way.port]->nb_transport_bw(payload, phase, delay);
  send_request(way.through->target);
}

/* Without END_REQ before, it is implied (15.2.4). */
void interconnect::response_began(tlm_generic_payload &payload, const route &way) {
  target_side &side = to_[way.through->target];
  payload.set_address(way.address);
  from_[way.port].responses.push_back(&payload);
  if (side.requesting == &payload) {
    side.requesting = nullptr;
    send_request(way.through->target);
  }
  send_response(way.port);
}

void interconnect::send_response(unsigned port) {
  initiator_side &side = from_[port];
  if (side.responding || side.responses.empty())
    return;
  tlm_generic_payload &payload = *side.responses.front();
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_time delay = SC_ZERO_TIME;
  side.responding = true;
  switch (upstream[port]->nb_transport_bw(payload, phase, delay)) {
  case tlm::TLM_ACCEPTED:
    break;
  case tlm::TLM_UPDATED:
  case tlm::TLM_COMPLETED:
    events_.notify(payload, tlm::END_RESP, delay);
    break;
  }
}

void interconnect::response_ended(tlm_generic_payload &payload) {
  const route way = routes_.at(&payload);
  initiator_side &side = from_[way.port];
  routes_.erase(&payload);
  side.responses.pop_front();
  side.responding = false;
  if (!way.completed) {
    tlm::tlm_phase phase = tlm::END_RESP;
    sc_time delay = SC_ZERO_TIME;
    downstream[way.through->target]->nb_transport_fw(payload, phase, delay);
  }
  payload.release();
  send_response(way.port);
}

} // namespace tb
} // namespace nestwalk
