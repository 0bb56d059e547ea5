/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/at_request.h"

#include "systemc/mmu_body.h"
#include "systemc/upstream_at.h"

namespace nestwalk::detail {

using sc_core::sc_time;
using tlm::tlm_generic_payload;

at_request::at_request(mmu_body &owner)
    : body_(owner), clock_(owner.clock_period(), owner.engine().runs_in_simulated_time()) {
  translation_.client = this;
}

void at_request::start(upstream_at &port, tlm_generic_payload &payload) {
  port_ = &port;
  payload_ = &payload;
  payload.acquire();
  transfer_.begin(payload);
  wants_to_forward_ = all_sent_ = false;
  translate();
}

void at_request::finish() {
  payload_->release();
  payload_ = nullptr;
}

void at_request::schedule(action then, const sc_time &time) {
  then_ = then;
  body_.schedule(*this, time - sc_core::sc_time_stamp());
}

void at_request::wake() {
  (this->*then_)();
}

/* -- translating ------------------------------------------------------------------------------ */

void at_request::translate() {
  request_view view = body_.view(port_->index(), *payload_);

  translation_.request = view.request(transfer_.address());
  if (translation_.request.debug) {
    body_.debug_translate(view, translation_.request, translation_.kept);
    translation_.result = &translation_.kept;
    schedule(&at_request::translated, sc_core::sc_time_stamp());
    return;
  }
  reads_ = 0;
  clock_.begin(sc_core::sc_time_stamp());
  if (body_.engine().begin(translation_, view.registers()))
    schedule(&at_request::translated, clock_.at(translation_.result->cycles));
}

void at_request::asked(const nw_step &step) {
  step_ = step;
  if (step.kind == NW_STEP_READ)
    schedule(&at_request::issue_read, clock_.at(body_.engine().cycles(translation_)));
  else
    schedule(&at_request::translated, end_of_walk());
}

/* A walk without reads of its own has shared another's. */
sc_time at_request::end_of_walk() {
  return reads_ == 0 ? body_.end_of_shared_walk()
                     : body_.note_end_of_walk(clock_.at(translation_.result->cycles));
}

void at_request::issue_read() {
  reads_++;
  read_payload_ = &body_.pool().take();
  read_.put(*read_payload_, step_);
  read_issued_ = sc_core::sc_time_stamp();
  body_.send_read(*read_payload_, *this);
}

void at_request::read_completed(tlm_generic_payload &read) {
  std::uint32_t cycles = clock_.cycles(read_issued_, sc_core::sc_time_stamp());
  nw_answer answer = read_.answer(read, cycles);

  read_payload_ = nullptr;
  read.release();
  body_.engine().answer(translation_, answer);
}

/* -- the access itself ------------------------------------------------------------------------ */

void at_request::translated() {
  if (translation_.result->fault.type != NW_FAULT_NONE) {
    request_view view = body_.view(port_->index(), *payload_);
    payload_->set_response_status(body_.fail(view, translation_.request, *translation_.result));
    respond();
    return;
  }
  transfer_.cut(last_in_page(transfer_.address(), *translation_.result));
  wants_to_forward_ = true;
  port_->forward_in_order();
}

/* Addresses are compared as the initiator gave them: whoever comes first through the socket gets to
 * overlapping bytes first (IEEE 1666-2011, 15.2.10, on the order of pipelined requests). */
bool at_request::precedes(const at_request &later) const {
  return !all_sent_ && transfer_.first_address() <= later.transfer_.last_address() &&
         later.transfer_.first_address() <= transfer_.last_address();
}

void at_request::forward() {
  tlm_generic_payload *piece = payload_;

  wants_to_forward_ = false;
  if (!transfer_.is_whole()) {
    piece = &body_.pool().take();
    piece->deep_copy_from(*payload_); /* no data pointer: the attributes and the extensions */
  }
  transfer_.put(*piece, translation_.result->pa);
  all_sent_ = transfer_.is_last();
  body_.send_downstream(*piece, *this);
}

void at_request::completed(tlm_generic_payload &payload) {
  if (&payload == read_payload_)
    read_completed(payload);
  else
    piece_completed(payload);
}

void at_request::piece_completed(tlm_generic_payload &piece) {
  bool good = piece.is_response_ok();

  if (&piece != payload_) {
    payload_->set_response_status(piece.get_response_status());
    payload_->update_extensions_from(piece);
    piece.release();
  }
  if (transfer_.advance() && good)
    translate();
  else
    respond();
}

void at_request::respond() {
  all_sent_ = true;
  transfer_.restore();
  port_->respond(*this);
  port_->forward_in_order();
}

} // namespace nestwalk::detail
