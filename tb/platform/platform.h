/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small complete system:
 *
 *   core --- MMU --- interconnect --- memory
 *              \____/ (walker)   \--- serial port
 *
 * Physical addresses: memory from 0 up, the serial port at `uart_base`. There are no caches: every
 * reference that the core makes goes to the memory.
 */
#ifndef NESTWALK_TB_PLATFORM_H
#define NESTWALK_TB_PLATFORM_H

#include <functional>
#include <list>
#include <memory>
#include <ostream>
#include <string>

#include <nestwalk/systemc/mmu_base.h>

#include "platform/core.h"
#include "platform/dram.h"
#include "platform/interconnect.h"
#include "platform/monitor.h"
#include "platform/protocol_checker.h"
#include "platform/software.h"
#include "platform/uart.h"

namespace nestwalk {
namespace tb {

constexpr std::uint64_t memory_bytes = 0xf0000000;
constexpr std::uint64_t uart_base = 0xf0000000;

struct platform_parameters {
  mmu_parameters mmu;
  bool rtl = false; /* the RTL in place of the C model */
  core_parameters processor;
  /* Memory: DRAM, or one latency for each of the two who use it. */
  bool ideal = false;
  dram_parameters dram;
  unsigned walker_cycles = 0, program_cycles = 0;
  /* What watches every hop. */
  bool check = false;
  std::ostream *log = nullptr;
  sc_core::sc_trace_file *waves = nullptr;
};

class platform : public sc_core::sc_module {
public:
  platform(sc_core::sc_module_name name, const platform_parameters &parameters);

  /** What the core's thread does; set it before the simulation starts. */
  std::function<void(platform &)> program;

  /** The core sends a line by the serial port, with translation switched off. */
  void print(const std::string &line);

  /** All that the protocol checkers have found, one line each; empty where there are none. */
  std::vector<std::string> violations() const;

  class core &processor() {
    return core_;
  }
  mmu_base &translation() {
    return *mmu_;
  }
  const memory &main_memory() const {
    return *memory_;
  }
  /** Null where the memory is ideal. */
  const class dram *dram_rows() const {
    return dram_;
  }
  const class interconnect &bus() const {
    return bus_;
  }
  const class uart &serial() const {
    return uart_;
  }
  nw_mmu &software() {
    return software_;
  }

private:
  using checker = protocol_checker<32>;

  void run();
  void make_memory();
  template <typename initiator_socket>
  void connect(initiator_socket &from, tlm::tlm_base_target_socket_b<32> &to,
               const std::string &hop);

  platform_parameters parameters_;
  storage storage_;
  class core core_;
  std::unique_ptr<mmu_base> mmu_;
  class interconnect bus_;
  std::unique_ptr<memory> memory_;
  class dram *dram_ = nullptr;
  class uart uart_;
  nw_mmu software_;
  sc_core::sc_signal<bool> fault_, uart_interrupt_;
  std::list<monitor> monitors_;
  std::list<checker> checkers_;
};

} // namespace tb
} // namespace nestwalk

#endif
