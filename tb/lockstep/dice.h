// SPDX-License-Identifier: Apache-2.0
//
// Random numbers, and the random translation tables of tests/oracle, which are C.
#ifndef NW_TB_LOCKSTEP_DICE_H
#define NW_TB_LOCKSTEP_DICE_H

extern "C" {
#include "oracle/protocol.h"
#include "oracle/tables.h"
}

namespace lockstep {

// The first number of a generator that begins at `seed`.
inline uint64_t mixed(uint64_t seed) {
  struct dice dice = {seed};
  return roll(&dice);
}

} // namespace lockstep

#endif
