/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/dmi_windows.h"

#include <algorithm>

namespace nestwalk::detail {

void dmi_windows::add(const dmi_window &window) {
  auto [first, end] = windows_.equal_range(window.va);
  bool known = std::any_of(first, end, [&](const auto &entry) {
    return entry.second.pa == window.pa && entry.second.last == window.last;
  });

  if (!known)
    windows_.emplace(window.va, window);
}

template <typename Predicate> std::vector<dmi_window> dmi_windows::take_if(Predicate predicate) {
  std::vector<dmi_window> taken;

  for (auto entry = windows_.begin(); entry != windows_.end();) {
    if (predicate(entry->second)) {
      taken.push_back(entry->second);
      entry = windows_.erase(entry);
    } else {
      ++entry;
    }
  }
  return taken;
}

std::vector<dmi_window> dmi_windows::take_all() {
  return take_if([](const dmi_window &) { return true; });
}

std::vector<dmi_window> dmi_windows::take_at_va(std::uint64_t va) {
  return take_if([=](const dmi_window &w) { return va >= w.va && va - w.va <= w.last; });
}

std::vector<dmi_window> dmi_windows::take_at_pa(std::uint64_t first, std::uint64_t last) {
  return take_if([=](const dmi_window &w) { return w.pa <= last && first <= w.pa + w.last; });
}

} // namespace nestwalk::detail
