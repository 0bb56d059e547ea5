/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/storage.h"

#include <new>

#include <sys/mman.h>

namespace nestwalk {
namespace tb {

storage::storage(std::uint64_t bytes) : bytes_(bytes) {
  void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    throw std::bad_alloc();
  first_ = static_cast<unsigned char *>(mapped);
}

storage::~storage() {
  munmap(first_, bytes_);
}

} // namespace tb
} // namespace nestwalk
