/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of mmu and rtl_mmu: contexts, ports and the engine between them.
 *
 * Invariant: what a context's registers say reaches the engine with each request; the engine keeps
 * no context of its own.
 */
#ifndef NESTWALK_SYSTEMC_MMU_BODY_H
#define NESTWALK_SYSTEMC_MMU_BODY_H

#include <memory>
#include <vector>

#include <nestwalk/systemc/mmu_base.h>
#include <tlm_utils/peq_with_get.h>

#include "systemc/at_initiator.h"
#include "systemc/at_request.h"
#include "systemc/context.h"
#include "systemc/engine.h"
#include "systemc/payload_pool.h"
#include "systemc/register_file.h"
#include "systemc/request_view.h"
#include "systemc/upstream_port.h"

namespace nestwalk::detail {

/** How a fault is answered: the table in nestwalk/systemc/mmu_base.h. */
tlm::tlm_response_status response_of(const nw_fault &fault);

/** Duration of a cycle: rounded to the time resolution, but never to nothing. */
sc_core::sc_time period_of(double clock_mhz);

class mmu_body {
public:
  mmu_body(mmu_base &owner, const mmu_parameters &parameters, std::unique_ptr<engine> engine);

  /** Looks up what the sockets have been bound to. */
  void connect();

  /* -- parts -- */
  const mmu_parameters &parameters() const {
    return parameters_;
  }
  sc_core::sc_time clock_period() const {
    return period_;
  }
  detail::engine &engine() {
    return *engine_;
  }
  payload_pool &pool() {
    return pool_;
  }
  tlm::tlm_fw_transport_if<> &downstream() {
    return *downstream_;
  }
  tlm::tlm_bw_transport_if<> &upstream(unsigned port) {
    return *owner_.upstream[port].operator->();
  }
  request_view view(unsigned port, const tlm::tlm_generic_payload &payload) const {
    return {contexts_[context_of(port)], port, payload};
  }

  /* -- contexts; a number too large throws std::out_of_range -- */
  const context &at(unsigned number) const;
  nw_register_status write_register(unsigned context, nw_register reg, std::uint64_t value);
  void invalidate(unsigned context, nw_tlbi operation, std::uint64_t operand);
  void clear_fault(unsigned context);

  /* -- translating -- */
  bool debug_translate(const request_view &view, const nw_request &request, nw_result &result);
  bool debug_translate(const debug_request &request, nw_result &result);
  /** Ends a request with a fault: recorded, unless it is a debug one; returns its response. */
  tlm::tlm_response_status fail(const request_view &view, const nw_request &request,
                                const nw_result &result);
  /** A request that shared another's walk ends with it, but not before now. */
  sc_core::sc_time end_of_shared_walk() const;
  const sc_core::sc_time &note_end_of_walk(const sc_core::sc_time &end) {
    return last_walk_end_ = end;
  }
  /** Time of a hit in the first level. */
  sc_core::sc_time hit_latency(bool instruction) const;

  /* -- traffic -- */
  void read_descriptor(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  void send_read(tlm::tlm_generic_payload &payload, at_client &client);
  void transport_downstream(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
  void send_downstream(tlm::tlm_generic_payload &payload, at_client &client);
  void count_transaction() {
    traffic_.transactions++;
  }
  void count_dmi_granted() {
    traffic_.dmi_granted++;
  }
  void count_dmi_withdrawn() {
    traffic_.dmi_withdrawn++;
  }
  const traffic &counts() const {
    return traffic_;
  }
  void reset_counts();

  /* -- requests by nb_transport -- */
  /** Calls request.wake() after `delay`. */
  void schedule(at_request &request, const sc_core::sc_time &delay);
  /** Gives free places to ports that have a request waiting for one, each port in turn. */
  void give_places();
  void return_place(at_request &place);

private:
  unsigned context_of(unsigned port) const {
    return port % parameters_.contexts;
  }
  context &writable(unsigned number);
  void spawn(const char *name, void (mmu_body::*method)(), const sc_core::sc_event &event);
  void wake_requests();
  void drive_irqs();
  void reset_changed();
  void withdraw_all(unsigned context);
  void withdraw_everywhere();

  mmu_base &owner_;
  mmu_parameters parameters_;
  sc_core::sc_time period_;
  std::unique_ptr<detail::engine> engine_;
  std::vector<context> contexts_;
  register_file register_file_;
  payload_pool pool_;
  at_initiator to_downstream_;
  at_initiator to_walker_;
  tlm::tlm_fw_transport_if<> *downstream_ = nullptr;
  tlm::tlm_fw_transport_if<> *walker_ = nullptr;
  at_initiator *reads_ = nullptr; /* takes the walker's reads */
  std::vector<std::unique_ptr<upstream_port>> ports_;
  std::vector<std::unique_ptr<at_request>> places_;
  std::vector<at_request *> free_places_;
  unsigned next_port_ = 0; /* first to be given a place */
  tlm_utils::peq_with_get<at_request> wake_ups_;
  sc_core::sc_event irq_changed_;
  sc_core::sc_time last_walk_end_;
  traffic traffic_;
};

} // namespace nestwalk::detail
#endif
