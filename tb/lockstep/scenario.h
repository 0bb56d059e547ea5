// SPDX-License-Identifier: Apache-2.0
//
// A scenario: memory with translation tables, registers, and what is done to the MMU. It is plain
// data: every operation carries all the chance that it needs, so that one can be left out without
// changing what the others do.
#ifndef NW_TB_LOCKSTEP_SCENARIO_H
#define NW_TB_LOCKSTEP_SCENARIO_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <nestwalk/mmu.h>

#include "lockstep/memory.h"

namespace lockstep {

struct Operation {
  enum class Kind : uint8_t {
    Request,     // a translation
    Register,    // a register write
    Maintenance, // a TLB maintenance operation
    Poke,        // a descriptor that was read lately is changed
  };
  Kind kind;
  uint8_t select;  // access, register or operation
  bool privileged; // Request
  // Request: cycles from the acceptance of the one before to the cycle in which this one is valid.
  // Others: from the acceptance of the request before, or of the control operation before.
  uint32_t delay;
  uint32_t hold; // Request: cycles in which its response is valid and not accepted
  uint64_t data; // VA, value or operand; Poke: chance
  uint64_t seed; // Request: of what the memory does to it
};

// How the memory behaves to a walk.
struct MemoryManners {
  unsigned stall_percent;  // of the reads are not accepted at once
  unsigned most_stalls;    // then for up to so many cycles
  unsigned most_latency;   // cycles from acceptance to response, at least 1
  unsigned error_permille; // of the reads are refused, whatever their address
};

struct Scenario {
  std::array<uint64_t, NW_REGISTERS> registers; // written before anything else is done
  Memory memory;
  MemoryManners manners;
  std::vector<Operation> operations;
};

// The scenario of a seed. `entries`: of the variant's largest TLB, to know what fills it.
Scenario make_scenario(uint64_t seed, unsigned entries);

std::string to_string(const Operation &operation);
std::string to_string(const MemoryManners &manners);
const char *register_name(unsigned reg);

} // namespace lockstep

#endif
