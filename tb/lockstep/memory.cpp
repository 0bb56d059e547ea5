// SPDX-License-Identifier: Apache-2.0
#include "lockstep/memory.h"

#include "lockstep/dice.h"

#include <cstring>
#include <utility>

namespace lockstep {

namespace {

bool in_hole(uint64_t address) {
  return (address >= ORACLE_LOW_HOLE_FIRST && address <= ORACLE_LOW_HOLE_LAST) ||
         (address >= ORACLE_HIGH_HOLE_FIRST && address <= ORACLE_HIGH_HOLE_LAST);
}

// One page in sixteen has no memory.
Word accidental(uint64_t address, unsigned size) {
  if (in_hole(address) || mixed(address >> 12) % 16 == 0)
    return {0, true};
  uint64_t data = mixed(address);
  return {size == 4 ? data & 0xffffffff : data, false};
}

} // namespace

void Memory::add(uint64_t base, std::vector<uint8_t> bytes) {
  arenas_.push_back({base, std::make_shared<std::vector<uint8_t>>(std::move(bytes))});
}

const Memory::Arena *Memory::find(uint64_t address, unsigned size) const {
  for (const Arena &arena : arenas_)
    if (address >= arena.base && address + size <= arena.base + arena.bytes->size())
      return &arena;
  return nullptr;
}

Word Memory::read(uint64_t address, unsigned size) const {
  const Arena *arena = find(address, size);
  if (!arena)
    return accidental(address, size);
  uint64_t data = 0;
  std::memcpy(&data, arena->bytes->data() + (address - arena->base), size);
  return {data, false};
}

void Memory::write(uint64_t address, unsigned size, uint64_t data) {
  auto *arena = const_cast<Arena *>(find(address, size));
  if (!arena)
    return;
  if (arena->bytes.use_count() > 1)
    arena->bytes = std::make_shared<std::vector<uint8_t>>(*arena->bytes);
  std::memcpy(arena->bytes->data() + (address - arena->base), &data, size);
}

} // namespace lockstep
