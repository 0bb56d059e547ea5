/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What memories and devices have in common: one target socket, loosely and approximately timed. A
 * derived class says what a request does and how long it takes.
 *
 * Approximately timed, a request is accepted (END_REQ) when it arrives as long as fewer than
 * `queue` are between that and the end of their response, else as soon as one has ended. Responses
 * begin in the order in which their requests finish, one at a time (15.2.6 of IEEE Std 1666-2011).
 */
#ifndef NESTWALK_TB_TIMED_TARGET_H
#define NESTWALK_TB_TIMED_TARGET_H

#include <systemc>

#include <cstdint>
#include <deque>

#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_target_socket.h>

namespace nestwalk {
namespace tb {

class timed_target : public sc_core::sc_module {
public:
  tlm_utils::simple_target_socket<timed_target> target;

protected:
  timed_target(sc_core::sc_module_name name, unsigned queue);

  /** When a request that arrives at `arrival` is finished. Called once for each, in order of
   * arrival. */
  virtual sc_core::sc_time finish(const tlm::tlm_generic_payload &request,
                                  const sc_core::sc_time &arrival) = 0;
  /** Does what the request asks for and sets the response status. */
  virtual void execute(tlm::tlm_generic_payload &request) = 0;

  virtual void b_transport(tlm::tlm_generic_payload &request, sc_core::sc_time &delay);
  virtual bool get_direct_mem_ptr(tlm::tlm_generic_payload &request, tlm::tlm_dmi &window);
  virtual unsigned transport_dbg(tlm::tlm_generic_payload &request) = 0;

private:
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);
  void happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void accept_waiting();
  void respond();
  void response_ended(tlm::tlm_generic_payload &payload);

  unsigned queue_;
  unsigned taken_ = 0;                              /* requests accepted and not ended */
  tlm::tlm_generic_payload *waiting_ = nullptr;     /* the request that has no END_REQ yet */
  std::deque<tlm::tlm_generic_payload *> finished_; /* whose response has not begun */
  tlm::tlm_generic_payload *responding_ = nullptr;
  tlm_utils::peq_with_cb_and_phase<timed_target> events_;
};

} // namespace tb
} // namespace nestwalk

#endif
