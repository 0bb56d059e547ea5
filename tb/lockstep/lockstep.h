// SPDX-License-Identifier: Apache-2.0
//
// RTL and core in lock-step: one scenario on both, compared in every cycle.
#ifndef NW_TB_LOCKSTEP_LOCKSTEP_H
#define NW_TB_LOCKSTEP_LOCKSTEP_H

#include <optional>

#include "lockstep/dut.h"
#include "lockstep/reference.h"
#include "lockstep/scenario.h"
#include "lockstep/tally.h"

namespace lockstep {

// Both views of the first cycle in which they differ, or in which an assertion of the RTL failed.
struct Difference {
  uint64_t cycle; // since reset
  int request;    // number of the request in hand
  unsigned state; // of the RTL's state machine
  bool assertion;
  nw_inputs in;
  nw_outputs rtl, core;
};

// Somebody who looks on.
class Watcher {
public:
  virtual ~Watcher() = default;
  virtual void cycle(uint64_t number, unsigned state, const nw_inputs &in,
                     const nw_outputs &out) = 0;
};

class Lockstep {
public:
  Lockstep(Dut &dut, const nw_mmu_config &config) : dut_(dut), config_(config) {
  }

  // Plays the scenario from reset; nothing when RTL and core agreed to its end.
  std::optional<Difference> run(const Scenario &scenario, Tally &tally, Watcher *watcher = nullptr);

private:
  Dut &dut_;
  nw_mmu_config config_;
};

// The smallest scenario found that still makes a difference: fewer operations, simpler ones.
Scenario cut_down(Lockstep &lockstep, const Scenario &scenario);

// What is to be read about a difference: both views side by side and the events before it.
void print_difference(Lockstep &lockstep, const Scenario &scenario);

} // namespace lockstep

#endif
