/* SPDX-License-Identifier: Apache-2.0 */
#include <nestwalk/systemc/mmu.h>

#include "systemc/core_engine.h"

namespace nestwalk {

namespace {

std::unique_ptr<detail::engine> make_engine(const mmu_parameters &parameters) {
  parameters.check();
  return std::make_unique<detail::core_engine>(parameters.mmu);
}

} // namespace

mmu::mmu(const sc_core::sc_module_name &name, const mmu_parameters &parameters)
    : mmu_base(name, parameters, make_engine(parameters)) {
}

const char *mmu::kind() const {
  return "nestwalk::mmu";
}

} // namespace nestwalk
