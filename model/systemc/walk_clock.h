/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the things of one translation happen. The engine counts cycles from the translation's
 * beginning; a translation that had to wait for another's walk is as much behind its count.
 */
#ifndef NESTWALK_SYSTEMC_WALK_CLOCK_H
#define NESTWALK_SYSTEMC_WALK_CLOCK_H

#include <algorithm>
#include <cstdint>

#include <systemc>

namespace nestwalk::detail {

class walk_clock {
public:
  /** `live`: the engine's cycles are simulated time, so things happen when they are asked for. */
  walk_clock(const sc_core::sc_time &period, bool live) : period_(period.value()), live_(live) {
  }

  sc_core::sc_time duration(std::uint32_t cycles) const {
    return sc_core::sc_time::from_value(period_ * cycles);
  }

  /** The translation begins at `time`, not earlier than now. */
  void begin(const sc_core::sc_time &time) {
    origin_ = time;
  }

  /** The time at which so many cycles have passed; now, if the translation is behind. */
  sc_core::sc_time at(std::uint32_t cycles) {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    const sc_core::sc_time spent = duration(cycles);

    if (live_)
      return now;
    if (origin_ + spent < now)
      origin_ = now - spent;
    return origin_ + spent;
  }

  /** Whole cycles from `begin` to `end`, a begun one counted. */
  std::uint32_t cycles(const sc_core::sc_time &begin, const sc_core::sc_time &end) const {
    if (end <= begin)
      return 0;
    return static_cast<std::uint32_t>(((end - begin).value() + period_ - 1) / period_);
  }

private:
  std::uint64_t period_; /* in units of the time resolution */
  sc_core::sc_time origin_;
  bool live_;
};

} // namespace nestwalk::detail
#endif
