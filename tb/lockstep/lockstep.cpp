// SPDX-License-Identifier: Apache-2.0
#include "lockstep/lockstep.h"

#include "lockstep/driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lockstep {

namespace {

struct Destroy {
  void operator()(nw_reference *reference) const {
    nw_reference_destroy(reference);
  }
};
using Reference = std::unique_ptr<nw_reference, Destroy>;

Reference make_reference(const nw_mmu_config &config) {
  char error[200];
  Reference reference(nw_reference_create(&config, error, sizeof error));
  if (!reference) {
    std::fprintf(stderr, "lockstep: %s\n", error);
    std::exit(2);
  }
  return reference;
}

bool same(const nw_outputs &a, const nw_outputs &b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

} // namespace

std::optional<Difference> Lockstep::run(const Scenario &scenario, Tally &tally, Watcher *watcher) {
  Reference reference = make_reference(config_);
  Driver driver(scenario);
  dut_.reset();
  for (uint64_t cycle = 0; !driver.finished(); cycle++) {
    Difference d = {cycle, driver.request(), dut_.state(), false, driver.next(), {}, {}};
    dut_.cycle(d.in, d.rtl);
    nw_reference_cycle(reference.get(), &d.in, &d.core);
    d.assertion = dut_.failed();
    if (watcher)
      watcher->cycle(cycle, d.state, d.in, d.core);
    if (d.assertion || !same(d.rtl, d.core))
      return d;
    tally.count(d.in, d.core, nw_reference_walk_regime(reference.get()));
    driver.learn(d.core);
  }
  tally.scenarios++;
  return {};
}

} // namespace lockstep
