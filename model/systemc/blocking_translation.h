/* SPDX-License-Identifier: Apache-2.0 */
/* A translation made by the thread that called b_transport, walker's reads included. */
#ifndef NESTWALK_SYSTEMC_BLOCKING_TRANSLATION_H
#define NESTWALK_SYSTEMC_BLOCKING_TRANSLATION_H

#include "systemc/descriptor_read.h"
#include "systemc/engine.h"
#include "systemc/walk_clock.h"

namespace nestwalk::detail {

class mmu_body;

class blocking_translation final : public translation_client {
public:
  explicit blocking_translation(mmu_body &owner);

  /** Translates; what it costs is added to `delay`. Waits where the engine's time is the
   * simulator's, or another request's walk has to end first. The result is valid until the next. */
  const nw_result &run(const nw_request &request, const register_values &registers,
                       sc_core::sc_time &delay);

private:
  void asked(const nw_step &step) override;
  void wait_for_step();
  void consume(sc_core::sc_time &delay) const;
  void read_descriptor();
  sc_core::sc_time walk();

  mmu_body &body_;
  bool live_; /* the engine's cycles are simulated time */
  bool has_step_ = false;
  bool waits_ = false; /* for a step */
  walk_clock clock_;
  translation translation_;
  nw_step step_;
  sc_core::sc_event stepped_;
  descriptor_read read_;
  tlm::tlm_generic_payload read_payload_;
};

} // namespace nestwalk::detail
#endif
