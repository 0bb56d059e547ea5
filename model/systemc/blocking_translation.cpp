/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/blocking_translation.h"

#include "systemc/mmu_body.h"

namespace nestwalk::detail {

using sc_core::sc_time;

blocking_translation::blocking_translation(mmu_body &owner)
    : body_(owner), live_(owner.engine().runs_in_simulated_time()),
      clock_(owner.clock_period(), live_) {
  translation_.client = this;
}

void blocking_translation::asked(const nw_step &step) {
  step_ = step;
  has_step_ = true;
  if (waits_)
    stepped_.notify();
}

void blocking_translation::wait_for_step() {
  while (!has_step_) {
    waits_ = true;
    sc_core::wait(stepped_);
  }
  has_step_ = waits_ = false;
}

/* Where cycles pass in simulated time, so does what is annotated. */
void blocking_translation::consume(sc_time &delay) const {
  if (live_ && delay != sc_core::SC_ZERO_TIME) {
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }
}

void blocking_translation::read_descriptor() {
  const sc_time issued = clock_.at(body_.engine().cycles(translation_));
  sc_time delay = issued - sc_core::sc_time_stamp();

  read_.put(read_payload_, step_);
  body_.read_descriptor(read_payload_, delay);
  consume(delay);
  const std::uint32_t cycles = clock_.cycles(issued, sc_core::sc_time_stamp() + delay);
  body_.engine().answer(translation_, read_.answer(read_payload_, cycles));
}

/* Returns when the walk ends. One without reads of its own has shared another's. */
sc_time blocking_translation::walk() {
  bool shared = true;

  for (wait_for_step(); step_.kind == NW_STEP_READ; wait_for_step()) {
    shared = false;
    read_descriptor();
  }
  return shared ? body_.end_of_shared_walk()
                : body_.note_end_of_walk(clock_.at(translation_.result->cycles));
}

const nw_result &blocking_translation::run(const nw_request &request,
                                           const register_values &registers, sc_time &delay) {
  consume(delay);
  translation_.request = request;
  if (body_.engine().begin(translation_, registers)) {
    delay += clock_.duration(translation_.result->cycles);
  } else {
    clock_.begin(sc_core::sc_time_stamp() + delay);
    const sc_time end = walk();
    delay = end - sc_core::sc_time_stamp();
  }
  return *translation_.result;
}

} // namespace nestwalk::detail
