// SPDX-License-Identifier: Apache-2.0
//
// What has been done, by kind. Plain data: a worker process sends it through a pipe.
#ifndef NW_TB_LOCKSTEP_TALLY_H
#define NW_TB_LOCKSTEP_TALLY_H

#include <cstdint>
#include <string>

#include <nestwalk/regime.h>

#include "lockstep/ports.h"

namespace lockstep {

struct Tally {
  enum Stages { StageOne, StageTwo, Nested, STAGES };
  enum Outcome { Translated, FaultOne, FaultOnDescriptor, FaultTwo, OUTCOMES };

  uint64_t scenarios, cycles, requests, walks;
  uint64_t reads, register_writes, maintenance;
  uint64_t walk[2][STAGES][OUTCOMES]; // [0]: short descriptors, [1]: long ones
  uint64_t off;                       // requests with both stages off
  uint64_t hit[NW_STRUCTURES], miss[NW_STRUCTURES], install[NW_STRUCTURES], evict[NW_STRUCTURES];
  uint64_t most_cycles; // of one request

  // Counts one cycle; `regime` is that of the walk in hand.
  void count(const nw_inputs &in, const nw_outputs &out, const nw_regime *regime);
  void add(const Tally &other);

private:
  void count_structures(const nw_outputs &out);
};

std::string to_string(const Tally &tally); // several lines

} // namespace lockstep

#endif
