/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interconnect of N initiators and M targets: it decodes the address, takes the region's start
 * off it, and puts it back before the initiator sees its payload again. Loosely and approximately
 * timed; DMI windows and their withdrawal are translated between the two numberings.
 *
 * A request costs its port's latency on the way to the target. Approximately timed, requests to one
 * target go one at a time and in order of arrival, responses to one initiator likewise: the
 * exclusion rules of 15.2.6 of IEEE Std 1666-2011 hold on every hop. A transfer has to lie in one
 * region, else it is answered TLM_ADDRESS_ERROR_RESPONSE.
 */
#ifndef NESTWALK_TB_INTERCONNECT_H
#define NESTWALK_TB_INTERCONNECT_H

#include <systemc>

#include <deque>
#include <unordered_map>
#include <vector>

#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace nestwalk {
namespace tb {

class interconnect : public sc_core::sc_module {
public:
  using upstream_socket = tlm_utils::simple_target_socket_tagged<interconnect>;
  using downstream_socket = tlm_utils::simple_initiator_socket_tagged<interconnect>;
  sc_core::sc_vector<upstream_socket> upstream;
  sc_core::sc_vector<downstream_socket> downstream;

  interconnect(sc_core::sc_module_name name, unsigned initiators, unsigned targets);

  /** The `size` bytes from `start` are target `target`'s. Regions may not overlap (throws
   * std::invalid_argument); a target may have several. */
  void map(unsigned target, std::uint64_t start, std::uint64_t size);
  /** Latency of requests that come in at `port`; 0 unless set. */
  void set_latency(unsigned port, const sc_core::sc_time &latency);

  /** Requests by b_transport and nb_transport from a port, and to a target. */
  std::uint64_t requests_from(unsigned port) const {
    return from_.at(port).requests;
  }
  std::uint64_t requests_to(unsigned target) const {
    return to_.at(target).requests;
  }
  /** Requests that no region answers to. */
  std::uint64_t decode_errors() const {
    return decode_errors_;
  }

private:
  struct region {
    std::uint64_t start, last;
    unsigned target;
  };
  struct initiator_side {
    sc_core::sc_time latency;
    std::uint64_t requests = 0;
    std::deque<tlm::tlm_generic_payload *> responses; /* the first one has begun, if `responding` */
    bool responding = false;
  };
  struct target_side {
    std::uint64_t requests = 0;
    std::deque<tlm::tlm_generic_payload *> waiting;
    tlm::tlm_generic_payload *requesting = nullptr; /* sent, without END_REQ */
  };
  /* A transaction between BEGIN_REQ and END_RESP. */
  struct route {
    unsigned port;
    const region *through;
    std::uint64_t address; /* as the initiator gave it */
    bool completed;        /* the target has said TLM_COMPLETED: it waits for no END_RESP */
  };

  const region *decode(std::uint64_t address, std::uint64_t length) const;
  void b_transport(int port, tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  tlm::tlm_sync_enum nb_transport_fw(int port, tlm::tlm_generic_payload &payload,
                                     tlm::tlm_phase &phase, sc_core::sc_time &delay);
  tlm::tlm_sync_enum nb_transport_bw(int target, tlm::tlm_generic_payload &payload,
                                     tlm::tlm_phase &phase, sc_core::sc_time &delay);
  bool get_direct_mem_ptr(int port, tlm::tlm_generic_payload &payload, tlm::tlm_dmi &window);
  void invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end);
  unsigned transport_dbg(int port, tlm::tlm_generic_payload &payload);

  void happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void send_request(unsigned target);
  void request_ended(tlm::tlm_generic_payload &payload, const route &way);
  void response_began(tlm::tlm_generic_payload &payload, const route &way);
  void send_response(unsigned port);
  void response_ended(tlm::tlm_generic_payload &payload);

  std::vector<region> regions_;
  std::vector<initiator_side> from_;
  std::vector<target_side> to_;
  std::unordered_map<tlm::tlm_generic_payload *, route> routes_;
  std::uint64_t decode_errors_ = 0;
  tlm_utils::peq_with_cb_and_phase<interconnect> events_;
};

} // namespace tb
} // namespace nestwalk

#endif
