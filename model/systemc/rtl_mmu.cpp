/* SPDX-License-Identifier: Apache-2.0 */
#include <nestwalk/systemc/rtl_mmu.h>

#include <stdexcept>

#include "systemc/mmu_body.h"
#include "systemc/rtl_engine.h"

namespace nestwalk {

namespace {

/* The RTL is what it is: everything of `mmu` but the regime and the seed has to be as it was built. */
void check_structures(const mmu_parameters &parameters) {
  const std::vector<parameter> found = parameters.list();
  mmu_parameters built = parameters;

  built.mmu = detail::rtl_config();
  const std::vector<parameter> expected = built.list();
  for (std::size_t i = 0; i < found.size(); i++) {
    if (found[i].name != "regime" && found[i].name != "seed" && found[i].value != expected[i].value)
      throw std::invalid_argument(found[i].name + ": found " + found[i].value + ", expected " +
                                  expected[i].value + ", which the RTL was built with");
  }
}

std::unique_ptr<detail::engine> make_engine(const mmu_parameters &parameters) {
  parameters.check();
  check_structures(parameters);
  return std::make_unique<detail::rtl_engine>(parameters.mmu.regime,
                                              detail::period_of(parameters.clock_mhz));
}

} // namespace

mmu_parameters rtl_parameters() {
  mmu_parameters parameters;

  parameters.clock_mhz = 100;
  parameters.mmu = detail::rtl_config();
  parameters.mmu.regime = NW_REGIME_ARMV7_LPAE_S2;
  return parameters;
}

rtl_mmu::rtl_mmu(const sc_core::sc_module_name &name, const mmu_parameters &parameters)
    : mmu_base(name, parameters, make_engine(parameters)) {
}

const char *rtl_mmu::kind() const {
  return "nestwalk::rtl_mmu";
}

} // namespace nestwalk
