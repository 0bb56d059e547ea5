// SPDX-License-Identifier: Apache-2.0
//
// Plays a scenario: says what goes into the MMU in each cycle, and learns from what came out. It
// plays requesters, control port and memory, and keeps to the protocol of all of them.
#ifndef NW_TB_LOCKSTEP_DRIVER_H
#define NW_TB_LOCKSTEP_DRIVER_H

#include "lockstep/dice.h"
#include "lockstep/ports.h"
#include "lockstep/scenario.h"

namespace lockstep {

class Driver {
public:
  explicit Driver(const Scenario &scenario);

  // All operations have been done and every request has been answered.
  bool finished() const;
  const nw_inputs &next();
  void learn(const nw_outputs &out);
  // The request that is in hand or was last; -1 before the first.
  int request() const {
    return accepted_;
  }

private:
  bool switches_format(const Operation &operation) const;
  const Operation *due_control() const;
  const Operation *due_request() const;
  void drive_control_with(bool maintenance, unsigned select, uint64_t data);
  void drive_control();
  void control_accepted();
  void drive_request();
  void drive_memory();
  void poke(uint64_t chance);
  void plan_read();
  void answer_read(const nw_outputs &out);

  const Scenario &scenario_;
  Memory memory_;
  struct dice noise_; // what is on ports that are not valid
  nw_inputs in_{};
  uint64_t now_ = 0;

  unsigned registers_written_ = 0;          // of the scenario's first values
  std::vector<size_t> requests_, controls_; // indices of operations
  std::vector<size_t> control_after_;       // how many requests come before each control
  size_t next_request_ = 0, next_control_ = 0;
  uint64_t request_time_ = 0; // when the request before was accepted,
  uint64_t control_time_ = 0; // and the control operation or request before, whichever was later
  bool long_descriptors_ = false; // TTBCR.EAE
  bool flush_owed_ = false;       // since it has changed
  int accepted_ = -1;             // index into requests_
  unsigned hold_ = 0;             // cycles for which the response is still not taken
  bool in_hand_ = false;

  struct dice manners_ {
    1
  };                     // what the memory does to the request in hand
  unsigned stalls_ = 0;  // cycles for which the next read is still not accepted
  unsigned latency_ = 0; // cycles until the response, while one is owed
  Word owed_{};
  std::vector<std::pair<uint64_t, unsigned>> reads_; // address and size, the last few
};

} // namespace lockstep

#endif
