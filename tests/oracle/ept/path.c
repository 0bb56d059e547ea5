/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include "rom.h"
#include "vmx.h"

#define PAGE_SIZE_BIT (1ull << 7)
#define ADDRESS_BITS (((1ull << EPT_MAXPHYADDR) - 1) & ~0xfffull)
#define TOO_HIGH (((1ull << 52) - 1) & ~((1ull << EPT_MAXPHYADDR) - 1))

bool path_in_ram(const struct path *path, uint64_t address) {
  return address >= EPT_RAM_FIRST && address < path->ram_end;
}

bool path_add(struct path *path, uint64_t address) {
  if (!path_in_ram(path, address)) {
    path->strays = true;
    return false;
  }
  for (size_t i = 0; i < path->entries; i++)
    if (path->entry[i].address == address)
      return true;
  path->entry[path->entries].address = address;
  path->entry[path->entries++].value = *physical(address);
  return true;
}

static uint64_t entry_address(uint64_t table, uint64_t address, unsigned level) {
  return (table & ADDRESS_BITS) + (address >> (3 + 9 * level) & 511) * 8;
}

/* Whether `entry` maps a page, and then what `address` becomes. Entries with an address beyond what
 * the machine has are never followed. */
static bool is_leaf(uint64_t entry, unsigned level, uint64_t address, uint64_t *output) {
  uint64_t offset = (1ull << (3 + 9 * level)) - 1;
  if (level > 1 && (level == 4 || !(entry & PAGE_SIZE_BIT)))
    return false;
  *output = (entry & ADDRESS_BITS & ~offset) | (address & offset);
  return true;
}

/* Through the four levels of EPT; where there is none, `gpa` itself. */
static bool follow_ept(struct path *path, uint64_t eptp, uint64_t gpa, uint64_t *pa) {
  uint64_t entry = eptp;
  *pa = gpa;
  if (!eptp)
    return true;
  for (unsigned level = 4; level; level--) {
    uint64_t at = entry_address(entry, gpa, level);
    if (!path_add(path, at))
      return false;
    entry = *physical(at);
    if (!(entry & 7) || (entry & TOO_HIGH))
      return false;
    if (is_leaf(entry, level, gpa, pa))
      return true;
  }
  return false;
}

static bool follow_guest(struct path *path, const uint64_t reg[EPT_REGISTERS], uint64_t va,
                         uint64_t *gpa) {
  uint64_t entry = reg[EPT_CR3], at;
  for (unsigned level = 4; level; level--) {
    if (!follow_ept(path, reg[EPT_EPTP], entry_address(entry, va, level), &at) ||
        !path_add(path, at))
      return false;
    entry = *physical(at);
    if (!(entry & 1) || (entry & TOO_HIGH))
      return false;
    if (is_leaf(entry, level, va, gpa))
      return true;
  }
  return false;
}

void path_follow(struct path *path, const uint64_t reg[EPT_REGISTERS], uint64_t va,
                 uint64_t ram_end) {
  uint64_t gpa = va;
  path->entries = 0;
  path->ram_end = ram_end;
  path->strays = false;
  path->arrives = (!(reg[EPT_CR0] & CR0_PG) || follow_guest(path, reg, va, &gpa)) &&
                  follow_ept(path, reg[EPT_EPTP], gpa, &path->pa);
}
