/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request by nb_transport on its way through the MMU, a process in simulated time:
 *
 *   translate a piece -> (read a descriptor)* -> translated -> forward the piece -> ... -> respond
 *
 * The payload goes on itself, its address changed, where it lies in one page; else children of it do,
 * one after the other.
 */
#ifndef NESTWALK_SYSTEMC_AT_REQUEST_H
#define NESTWALK_SYSTEMC_AT_REQUEST_H

#include "systemc/at_initiator.h"
#include "systemc/descriptor_read.h"
#include "systemc/engine.h"
#include "systemc/transfer.h"
#include "systemc/walk_clock.h"

namespace nestwalk::detail {

class mmu_body;
class upstream_at;

class at_request final : public translation_client, public at_client {
public:
  explicit at_request(mmu_body &owner);

  /** Takes on a payload that has just begun its request; holds it until finish(). */
  void start(upstream_at &port, tlm::tlm_generic_payload &payload);
  /** Its response has ended: lets go of the payload. */
  void finish();

  /** Its scheduled time has come. */
  void wake();

  /** It waits to send its translated piece downstream; forward() does. */
  bool wants_to_forward() const {
    return wants_to_forward_;
  }
  void forward();
  /** It has bytes to send yet, and they touch those that `later` has to send. */
  bool precedes(const at_request &later) const;

  tlm::tlm_generic_payload &payload() const {
    return *payload_;
  }
  void completed(tlm::tlm_generic_payload &payload) override;

private:
  using action = void (at_request::*)();

  void asked(const nw_step &step) override;
  void schedule(action then, const sc_core::sc_time &time);
  void translate();
  void translate_for_debugger();
  void issue_read();
  void read_completed(tlm::tlm_generic_payload &read);
  sc_core::sc_time end_of_walk();
  void translated();
  void piece_completed(tlm::tlm_generic_payload &piece);
  void respond();

  mmu_body &body_;
  upstream_at *port_ = nullptr;
  tlm::tlm_generic_payload *payload_ = nullptr;
  transfer transfer_;
  translation translation_;
  walk_clock clock_;
  nw_step step_;
  descriptor_read read_;
  tlm::tlm_generic_payload *read_payload_ = nullptr;
  sc_core::sc_time read_issued_;
  action then_ = nullptr;
  unsigned reads_ = 0;
  bool wants_to_forward_ = false;
  bool all_sent_ = false;
};

} // namespace nestwalk::detail
#endif
