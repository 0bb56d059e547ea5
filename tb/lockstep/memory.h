// SPDX-License-Identifier: Apache-2.0
//
// The physical memory of a scenario. Tables lie in the arenas of the table builder; whatever else is
// read has contents that follow from its address alone, so that a walk that has gone astray goes on
// from one accidental table to the next. In some of it, and in the holes, a read is refused.
#ifndef NW_TB_LOCKSTEP_MEMORY_H
#define NW_TB_LOCKSTEP_MEMORY_H

#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep {

struct Word {
  uint64_t data;
  bool error; // an external abort
};

class Memory {
public:
  // An arena's bytes stay where they are, shared by copies of the memory until one of them writes.
  void add(uint64_t base, std::vector<uint8_t> bytes);

  Word read(uint64_t address, unsigned size) const;
  // What is no arena's is left as it is.
  void write(uint64_t address, unsigned size, uint64_t data);

private:
  struct Arena {
    uint64_t base;
    std::shared_ptr<std::vector<uint8_t>> bytes;
  };
  const Arena *find(uint64_t address, unsigned size) const;

  std::vector<Arena> arenas_;
};

} // namespace lockstep

#endif
