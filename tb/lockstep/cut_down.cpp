// SPDX-License-Identifier: Apache-2.0
//
// Cutting a scenario down: leave out what can be left out, simplify what is left, as long as there
// is a difference.
#include "lockstep/lockstep.h"

#include <algorithm>
#include <functional>

namespace lockstep {

namespace {

constexpr unsigned MOST_RUNS = 5000;

class Cutter {
public:
  Cutter(Lockstep &lockstep, Scenario scenario) : lockstep_(lockstep), best_(std::move(scenario)) {
  }
  Scenario cut();

private:
  bool differs(const Scenario &scenario);
  bool keep_if_differs(const std::function<void(Scenario &)> &change);
  bool leave_out(size_t length);
  void simplify_operations();
  void simplify_rest();

  Lockstep &lockstep_;
  Scenario best_;
  unsigned runs_ = 0;
};

bool Cutter::differs(const Scenario &scenario) {
  Tally tally{};
  runs_++;
  return lockstep_.run(scenario, tally).has_value();
}

bool Cutter::keep_if_differs(const std::function<void(Scenario &)> &change) {
  if (runs_ >= MOST_RUNS)
    return false;
  Scenario changed = best_;
  change(changed);
  if (!differs(changed))
    return false;
  best_ = std::move(changed);
  return true;
}

// Every stretch of so many operations, the last ones first. True when one could go.
bool Cutter::leave_out(size_t length) {
  bool any = false;
  for (size_t end = best_.operations.size(); end > 0;) {
    size_t begin = end > length ? end - length : 0;
    any |= keep_if_differs([=](Scenario &s) {
      s.operations.erase(s.operations.begin() + static_cast<std::ptrdiff_t>(begin),
                         s.operations.begin() + static_cast<std::ptrdiff_t>(end));
    });
    end = begin;
  }
  return any;
}

void Cutter::simplify_operations() {
  for (size_t i = 0; i < best_.operations.size(); i++) {
    const Operation &o = best_.operations[i];
    if (o.delay != 0)
      keep_if_differs([=](Scenario &s) { s.operations[i].delay = 0; });
    if (o.hold != 0)
      keep_if_differs([=](Scenario &s) { s.operations[i].hold = 0; });
  }
}

void Cutter::simplify_rest() {
  keep_if_differs([](Scenario &s) { s.manners.stall_percent = 0; });
  keep_if_differs([](Scenario &s) { s.manners.error_permille = 0; });
  keep_if_differs([](Scenario &s) { s.manners.most_latency = 1; });
  for (size_t reg = 0; reg < NW_REGISTERS; reg++)
    if (best_.registers[reg] != 0)
      keep_if_differs([=](Scenario &s) { s.registers[reg] = 0; });
}

Scenario Cutter::cut() {
  for (size_t length = best_.operations.size() / 2; length >= 1; length /= 2)
    leave_out(length);
  simplify_rest();
  simplify_operations();
  while (leave_out(1)) {
  }
  return std::move(best_);
}

} // namespace

Scenario cut_down(Lockstep &lockstep, const Scenario &scenario) {
  return Cutter(lockstep, scenario).cut();
}

} // namespace lockstep
