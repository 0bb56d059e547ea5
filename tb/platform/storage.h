/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a memory, in one piece, so that a DMI window may reach over all of it. Pages of the
 * host are taken as they are touched: a gigabyte that is never written costs nothing.
 */
#ifndef NESTWALK_TB_STORAGE_H
#define NESTWALK_TB_STORAGE_H

#include <cstdint>

namespace nestwalk {
namespace tb {

class storage {
public:
  /** Throws std::bad_alloc when the host has not so many bytes of addresses. All bytes are 0. */
  explicit storage(std::uint64_t bytes);
  ~storage();
  storage(const storage &) = delete;
  storage &operator=(const storage &) = delete;

  std::uint64_t size() const {
    return bytes_;
  }
  unsigned char *at(std::uint64_t address) {
    return first_ + address;
  }

private:
  std::uint64_t bytes_;
  unsigned char *first_;
};

} // namespace tb
} // namespace nestwalk

#endif
