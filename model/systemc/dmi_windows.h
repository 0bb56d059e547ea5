/* SPDX-License-Identifier: Apache-2.0 */
/* The DMI windows that one initiator holds, so that each can be withdrawn by its VA or its PA. */
#ifndef NESTWALK_SYSTEMC_DMI_WINDOWS_H
#define NESTWALK_SYSTEMC_DMI_WINDOWS_H

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace nestwalk::detail {

struct dmi_window {
  std::uint64_t va; /* of the first byte */
  std::uint64_t pa;
  std::uint64_t last; /* offset of the last byte */
};

class dmi_windows {
public:
  /** Notes a window that has been granted. */
  void add(const dmi_window &window);

  /** Each takes the windows concerned out and returns them: all; those that contain a VA; those that
   * touch the PAs from `first` to `last`. */
  std::vector<dmi_window> take_all();
  std::vector<dmi_window> take_at_va(std::uint64_t va);
  std::vector<dmi_window> take_at_pa(std::uint64_t first, std::uint64_t last);

private:
  template <typename Predicate> std::vector<dmi_window> take_if(Predicate predicate);

  std::unordered_multimap<std::uint64_t, dmi_window> windows_; /* by VA of the first byte */
};

} // namespace nestwalk::detail
#endif
