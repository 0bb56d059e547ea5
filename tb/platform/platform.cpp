/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/platform.h"

#include <nestwalk/systemc/mmu.h>

#ifdef NW_WITH_RTL
#include <nestwalk/systemc/rtl_mmu.h>
#endif

#include <stdexcept>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;

namespace {

/* The run loop, the guest kernel and the hypervisor run on the thread's stack. */
constexpr std::size_t stack_bytes = std::size_t(1) << 20;

/* 115200 baud, 10 bits a character. */
const double character_seconds = 10.0 / 115200;
const double uart_access_ns = 50; /* estimate: a peripheral bus */

std::unique_ptr<mmu_base> make_mmu(const platform_parameters &parameters) {
  if (!parameters.rtl)
    return std::make_unique<mmu>("mmu", parameters.mmu);
#ifdef NW_WITH_RTL
  return std::make_unique<rtl_mmu>("mmu", parameters.mmu);
#else
  throw std::invalid_argument("this platform was built without the RTL (verilator was not found)");
#endif
}

} // namespace

/* Binds two sockets through whatever is to watch the hop. */
template <typename initiator_socket>
void platform::connect(initiator_socket &from, tlm::tlm_base_target_socket_b<32> &to,
                       const std::string &hop) {
  tlm::tlm_base_target_socket_b<32> *next = &to;
  if (parameters_.check) {
    checkers_.emplace_back((hop + "_checker").c_str());
    checkers_.back().initiator.bind(*next);
    next = &checkers_.back().target;
  }
  if (parameters_.log || parameters_.waves) {
    monitors_.emplace_back((hop + "_hop").c_str(), parameters_.log, parameters_.waves);
    monitors_.back().initiator.bind(*next);
    next = &monitors_.back().target;
  }
  from.bind(*next);
}

platform::platform(sc_core::sc_module_name name, const platform_parameters &parameters)
    : sc_module(name), parameters_(parameters), storage_(memory_bytes),
      core_("core", parameters.processor), mmu_(make_mmu(parameters)), bus_("bus", 2, 2),
      uart_("uart", sc_time(character_seconds, sc_core::SC_SEC),
            sc_time(uart_access_ns, sc_core::SC_NS)),
      software_(core_, *mmu_, storage_), fault_("fault"), uart_interrupt_("uart_interrupt") {
  make_memory();
  bus_.map(0, 0, memory_bytes);
  bus_.map(1, uart_base, uart::size);
  if (parameters_.ideal) {
    bus_.set_latency(0, parameters_.program_cycles * mmu_->clock_period());
    bus_.set_latency(1, parameters_.walker_cycles * mmu_->clock_period());
  }
  connect(core_.socket, mmu_->upstream[0], "core");
  connect(mmu_->downstream, bus_.upstream[0], "mmu");
  connect(mmu_->walker, bus_.upstream[1], "walker");
  connect(bus_.downstream[0], memory_->target, "memory");
  connect(bus_.downstream[1], uart_.target, "uart");
  if (parameters_.check)
    checkers_.front().judge().demand_address_restored(true); /* the MMU's promise to the core */
  mmu_->fault_irq[0].bind(fault_);
  uart_.interrupt.bind(uart_interrupt_);
  SC_HAS_PROCESS(platform);
  SC_THREAD(run);
  set_stack_size(stack_bytes);
}

void platform::make_memory() {
  if (parameters_.ideal) {
    memory_ = std::make_unique<ideal_memory>("memory", storage_, sc_core::SC_ZERO_TIME);
    return;
  }
  auto dram = std::make_unique<tb::dram>("memory", storage_, parameters_.dram);
  dram_ = dram.get();
  memory_ = std::move(dram);
}

void platform::run() {
  if (program)
    program(*this);
}

/* -- the serial port --------------------------------------------------------------------------- */

/* With both stages off the core reaches the port by its physical address. */
void platform::print(const std::string &line) {
  mmu_->write_register(0, NW_REG_SCTLR, 0);
  mmu_->write_register(0, NW_REG_HCR, 0);
  core::access flags{uart_base + uart::flags, NW_READ, true};
  core::access data{uart_base + uart::data, NW_WRITE, true};
  for (const char character : line) {
    while (core_.perform(flags) && (core_.loaded() & uart::send_full) != 0)
      core_.spend(sc_time(character_seconds, sc_core::SC_SEC));
    data.value = static_cast<unsigned char>(character);
    core_.perform(data);
  }
}

std::vector<std::string> platform::violations() const {
  std::vector<std::string> all;
  for (const checker &each : checkers_) {
    for (const violation &found : each.judge().kept())
      all.push_back(found.text);
    if (each.judge().violations() > each.judge().kept().size())
      all.push_back(std::string(each.name()) + ": " + std::to_string(each.judge().violations()) +
                    " in all");
    if (each.judge().in_flight() > 0)
      all.push_back(std::string(each.name()) + ": " + std::to_string(each.judge().in_flight()) +
                    " transactions have not ended");
  }
  return all;
}

} // namespace tb
} // namespace nestwalk
