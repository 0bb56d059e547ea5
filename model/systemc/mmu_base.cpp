/* SPDX-License-Identifier: Apache-2.0 */
#include <nestwalk/systemc/mmu_base.h>

#include <stdexcept>

#include "systemc/mmu_body.h"

namespace nestwalk {

mmu_base::mmu_base(const sc_core::sc_module_name &name, const mmu_parameters &parameters,
                   std::unique_ptr<detail::engine> engine)
    : sc_module(name), upstream("upstream", parameters.ports), downstream("downstream"),
      walker("walker"), registers("registers"), fault_irq("fault_irq", parameters.contexts),
      reset("reset"),
      self(std::make_unique<detail::mmu_body>(*this, parameters, std::move(engine))) {
}

mmu_base::~mmu_base() = default;

void mmu_base::end_of_elaboration() {
  self->connect();
}

nw_register_status mmu_base::write_register(unsigned context, nw_register reg,
                                            std::uint64_t value) {
  return self->write_register(context, reg, value);
}

std::uint64_t mmu_base::read_register(unsigned context, nw_register reg) const {
  return self->at(context).registers().at(static_cast<std::size_t>(reg));
}

const nw_regime &mmu_base::regime(unsigned context) const {
  return self->at(context).regime();
}

void mmu_base::invalidate(unsigned context, nw_tlbi operation, std::uint64_t operand) {
  self->invalidate(context, operation, operand);
}

const fault_record &mmu_base::fault(unsigned context) const {
  return self->at(context).fault();
}

void mmu_base::clear_fault(unsigned context) {
  self->clear_fault(context);
}

const struct nw_mmu_statistics &mmu_base::statistics() {
  return self->engine().statistics();
}

const traffic &mmu_base::transport_statistics() const {
  return self->counts();
}

void mmu_base::reset_statistics() {
  self->reset_counts();
}

bool mmu_base::debug_translate(const debug_request &request, nw_result &result) {
  return self->debug_translate(request, result);
}

const mmu_parameters &mmu_base::parameters() const {
  return self->parameters();
}

sc_core::sc_time mmu_base::clock_period() const {
  return self->clock_period();
}

} // namespace nestwalk
