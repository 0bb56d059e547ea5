/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Verilated RTL behind the sockets, one clock cycle at a time.
 *
 * What is asked of the RTL stands in one queue in the order in which it was asked: register writes,
 * maintenance, requests. The front of the queue is on the RTL's ports; so a register write never
 * reaches a request that was made before it. Cycle k lasts from its start to the next clock edge;
 * what arrives by its start is seen in it. The method tick() runs at the end of each cycle: it lets
 * the inputs settle, sees what has been accepted, makes the edge, and hands out what the RTL shows
 * in the next cycle. The clock stands still while there is nothing to do.
 */
#ifndef NESTWALK_SYSTEMC_RTL_ENGINE_H
#define NESTWALK_SYSTEMC_RTL_ENGINE_H

#include <deque>
#include <memory>

#include "systemc/engine.h"

namespace nestwalk::detail {

/** The structures and cycles of the RTL that is compiled in; `regime` is left to the caller. */
nw_mmu_config rtl_config();

class rtl_engine final : public engine {
public:
  rtl_engine(nw_regime_kind kind, const sc_core::sc_time &period);
  ~rtl_engine() override;

  void construct() override;
  void registers_written(const register_values &before, const register_values &after) override;
  bool begin(translation &t, const register_values &registers) override;
  void answer(translation &t, const nw_answer &answer) override;
  std::uint32_t cycles(const translation &t) const override;
  bool runs_in_simulated_time() const override;
  void invalidate(const register_values &registers, nw_tlbi operation,
                  std::uint64_t operand) override;
  bool debug_translate(const nw_request &request, const register_values &registers,
                       const nw_memory &memory, nw_result &result) override;
  const struct nw_mmu_statistics &statistics() override;
  void reset_statistics() override;

private:
  class model; /* Verilator's class and its ports */

  /* One entry of the queue: a request, or a register write or maintenance. */
  struct entry {
    sc_core::sc_time arrival;
    translation *request;
    bool maintenance;
    unsigned select;
    std::uint64_t data;
  };

  void load(const register_values &registers);
  void push(const entry &e);
  void start_clock();
  bool idle() const;
  void tick();
  void drive();
  void see_handshakes();
  void see_observations();
  void hand_out();
  void hand_out_read();
  void finish();
  void take_result(nw_result &result) const;
  void count_read();
  void count_end(const nw_result &result);

  nw_regime_kind kind_;
  sc_core::sc_time period_;
  std::unique_ptr<model> model_;
  register_values loaded_; /* as they will be when the queue is empty */
  std::deque<entry> queue_;
  sc_core::sc_event tick_;
  sc_core::sc_time cycle_start_;
  bool running_ = false; /* tick_ is notified for the end of the cycle */

  /* The translation that the RTL is working on. */
  translation *current_ = nullptr;
  sc_core::sc_time accepted_; /* start of the cycle in which it was accepted */
  unsigned lookup_cycles_ = 0;
  unsigned reads_ = 0;
  bool hit_ = false; /* in level 1 or 2 */

  /* Its descriptor read. */
  bool reading_ = false; /* asked for, its answer not accepted */
  bool answered_ = false;
  sc_core::sc_time read_start_, answer_arrival_;
  nw_answer answer_ = {};

  struct nw_mmu_statistics statistics_;
};

} // namespace nestwalk::detail
#endif
