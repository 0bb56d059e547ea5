/* SPDX-License-Identifier: Apache-2.0 */
#define SC_INCLUDE_DYNAMIC_PROCESSES /* sc_spawn */
#include "systemc/mmu_body.h"

#include <algorithm>
#include <stdexcept>

namespace nestwalk::detail {

using sc_core::sc_time;
using tlm::tlm_generic_payload;

sc_time period_of(double clock_mhz) {
  return std::max(sc_time(1 / clock_mhz, sc_core::SC_US), sc_core::sc_get_time_resolution());
}

tlm::tlm_response_status response_of(const nw_fault &fault) {
  switch (fault.type) {
  case NW_FAULT_TRANSLATION:
  case NW_FAULT_ACCESS_FLAG:
  case NW_FAULT_ADDRESS_SIZE:
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  case NW_FAULT_DOMAIN:
  case NW_FAULT_PERMISSION:
    return tlm::TLM_COMMAND_ERROR_RESPONSE;
  default:
    return tlm::TLM_GENERIC_ERROR_RESPONSE;
  }
}

mmu_body::mmu_body(mmu_base &owner, const mmu_parameters &parameters,
                   std::unique_ptr<detail::engine> engine)
    : owner_(owner), parameters_(parameters), period_(period_of(parameters.clock_mhz)),
      engine_(std::move(engine)), contexts_(parameters.contexts, context(parameters.mmu.regime)),
      register_file_(owner), to_downstream_("to_downstream",
                                            [this](std::uint64_t first, std::uint64_t last) {
                                              for (auto &port : ports_)
                                                port->withdraw_at_pa(first, last);
                                            }),
      /* the walker has no DMI to lose */
      to_walker_("to_walker", [](std::uint64_t, std::uint64_t) {}), wake_ups_("wake_ups") {
  for (unsigned i = 0; i < parameters.ports; i++) {
    ports_.push_back(std::make_unique<upstream_port>(*this, i));
    owner.upstream[i].bind(*ports_[i]);
  }
  for (unsigned i = 0; i < parameters.outstanding; i++) {
    places_.push_back(std::make_unique<at_request>(*this));
    free_places_.push_back(places_.back().get());
  }
  owner.downstream.bind(to_downstream_);
  owner.walker.bind(to_walker_);
  owner.registers.bind(register_file_);
  spawn("wake_requests", &mmu_body::wake_requests, wake_ups_.get_event());
  spawn("drive_irqs", &mmu_body::drive_irqs, irq_changed_);
  engine_->construct();
}

void mmu_body::spawn(const char *name, void (mmu_body::*method)(), const sc_core::sc_event &event) {
  sc_core::sc_spawn_options options;

  options.spawn_method();
  options.set_sensitivity(&event);
  options.dont_initialize();
  sc_core::sc_spawn([this, method] { (this->*method)(); }, name, &options);
}

void mmu_body::connect() {
  downstream_ = owner_.downstream.operator->();
  to_downstream_.connect(*downstream_);
  walker_ = downstream_;
  reads_ = &to_downstream_;
  if (owner_.walker.size() > 0) {
    walker_ = owner_.walker.operator->();
    reads_ = &to_walker_;
    to_walker_.connect(*walker_);
  }
  if (owner_.reset.size() > 0)
    spawn("reset_changed", &mmu_body::reset_changed, owner_.reset->value_changed_event());
}

/* -- contexts --------------------------------------------------------------------------------- */

const context &mmu_body::at(unsigned number) const {
  if (number >= contexts_.size())
    throw std::out_of_range("context " + std::to_string(number) + " of " +
                            std::to_string(contexts_.size()));
  return contexts_[number];
}

context &mmu_body::writable(unsigned number) {
  return const_cast<context &>(at(number));
}

nw_register_status mmu_body::write_register(unsigned context, nw_register reg,
                                            std::uint64_t value) {
  detail::context &target = writable(context);
  const register_values before = target.registers();
  const nw_register_status status = target.write(reg, value);

  if (status == NW_REGISTER_WRITTEN) {
    engine_->registers_written(before, target.registers());
    withdraw_all(context);
  }
  return status;
}

namespace {

/* Forms whose operand names an address; what else there is reaches everything. */
bool is_by_address(nw_tlbi operation) {
  return operation == NW_TLBI_MVA || operation == NW_TLBI_MVAA || operation == NW_ITLBI_MVA ||
         operation == NW_DTLBI_MVA;
}

bool is_of_hyp(nw_tlbi operation) {
  return operation == NW_TLBI_ALLH || operation == NW_TLBI_MVAH;
}

} // namespace

void mmu_body::invalidate(unsigned context, nw_tlbi operation, std::uint64_t operand) {
  engine_->invalidate(at(context).registers(), operation, operand);
  if (is_of_hyp(operation))
    return;
  if (!is_by_address(operation)) {
    withdraw_everywhere();
    return;
  }
  for (auto &port : ports_)
    port->withdraw_at_va(operand & ~std::uint64_t{0xfff});
}

void mmu_body::clear_fault(unsigned context) {
  writable(context).clear_fault();
  irq_changed_.notify(sc_core::SC_ZERO_TIME);
}

void mmu_body::withdraw_all(unsigned context) {
  for (unsigned i = context; i < ports_.size(); i += parameters_.contexts)
    ports_[i]->withdraw_all();
}

void mmu_body::withdraw_everywhere() {
  for (auto &port : ports_)
    port->withdraw_all();
}

/* The one process that writes the signals: they take no other driver. */
void mmu_body::drive_irqs() {
  for (unsigned i = 0; i < contexts_.size(); i++) {
    if (owner_.fault_irq[i].size() > 0)
      owner_.fault_irq[i]->write(contexts_[i].fault().fault.type != NW_FAULT_NONE);
  }
}

void mmu_body::reset_changed() {
  if (!owner_.reset->read())
    return;
  for (context &c : contexts_) {
    const register_values before = c.registers();
    c.reset();
    engine_->registers_written(before, c.registers());
  }
  engine_->invalidate(contexts_[0].registers(), NW_TLBI_ALLNSNH, 0);
  withdraw_everywhere();
  irq_changed_.notify(sc_core::SC_ZERO_TIME);
}

/* -- translating ------------------------------------------------------------------------------ */

bool mmu_body::debug_translate(const request_view &view, const nw_request &request,
                               nw_result &result) {
  return engine_->debug_translate(request, view.registers(), debug_memory(*walker_), result);
}

bool mmu_body::debug_translate(const debug_request &request, nw_result &result) {
  if (request.port >= ports_.size())
    throw std::out_of_range("port " + std::to_string(request.port) + " of " +
                            std::to_string(ports_.size()));
  nw_request core_request = {};
  core_request.va = request.va;
  core_request.access = static_cast<std::uint8_t>(request.access);
  core_request.privilege = request.privileged ? NW_PRIVILEGED : NW_USER;
  core_request.debug = true;
  return engine_->debug_translate(core_request, contexts_[context_of(request.port)].registers(),
                                  debug_memory(*walker_), result);
}

tlm::tlm_response_status mmu_body::fail(const request_view &view, const nw_request &request,
                                        const nw_result &result) {
  if (!request.debug) {
    fault_record record;
    record.fault = result.fault;
    record.syndrome = nw_fault_syndrome(&view.regime(), &result.fault);
    record.stream = view.stream();
    record.port = view.port();
    record.asid = asid_of(view.regime(), view.registers());
    record.vmid = vmid_of(view.regime(), view.registers());
    record.privileged = view.privileged();
    contexts_[context_of(view.port())].record(record);
    traffic_.faults++;
    irq_changed_.notify(sc_core::SC_ZERO_TIME);
  }
  return response_of(result.fault);
}

sc_time mmu_body::end_of_shared_walk() const {
  return std::max(sc_core::sc_time_stamp(), last_walk_end_);
}

sc_time mmu_body::hit_latency(bool instruction) const {
  const nw_tlb_config &tlb = instruction ? parameters_.mmu.l1i : parameters_.mmu.l1d;

  return sc_time::from_value(period_.value() * (tlb.entries > 0 ? tlb.latency : 0));
}

/* -- traffic ---------------------------------------------------------------------------------- */

void mmu_body::read_descriptor(tlm_generic_payload &payload, sc_time &delay) {
  traffic_.walker_reads++;
  walker_->b_transport(payload, delay);
}

void mmu_body::send_read(tlm_generic_payload &payload, at_client &client) {
  traffic_.walker_reads++;
  reads_->send(payload, client);
}

void mmu_body::transport_downstream(tlm_generic_payload &payload, sc_time &delay) {
  traffic_.pieces++;
  downstream_->b_transport(payload, delay);
}

void mmu_body::send_downstream(tlm_generic_payload &payload, at_client &client) {
  traffic_.pieces++;
  to_downstream_.send(payload, client);
}

void mmu_body::reset_counts() {
  traffic_ = traffic();
  engine_->reset_statistics();
}

/* -- requests by nb_transport ----------------------------------------------------------------- */

void mmu_body::schedule(at_request &request, const sc_time &delay) {
  wake_ups_.notify(request, delay);
}

void mmu_body::wake_requests() {
  while (at_request *request = wake_ups_.get_next_transaction())
    request->wake();
}

void mmu_body::give_places() {
  for (unsigned i = 0; i < ports_.size() && !free_places_.empty(); i++) {
    unsigned number = (next_port_ + i) % static_cast<unsigned>(ports_.size());
    upstream_at &port = ports_[number]->at();
    if (port.wants_a_place()) {
      at_request &place = *free_places_.back();
      free_places_.pop_back();
      next_port_ = number + 1;
      port.take(place);
    }
  }
}

void mmu_body::return_place(at_request &place) {
  free_places_.push_back(&place);
  give_places();
}

} // namespace nestwalk::detail
