/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the TLM-2.0 base protocol that can be judged by watching one hop, that is the calls
 * between an initiator socket and the target socket that it is bound to. Clauses are those of IEEE
 * Std 1666-2011.
 *
 * A judge is told of each call before it is passed on and after it has returned. Invariant: it
 * knows a transaction exactly as long as that is in flight on the hop, from BEGIN_REQ to the end of
 * its response or from call to return of b_transport.
 */
#ifndef NESTWALK_TB_PROTOCOL_RULES_H
#define NESTWALK_TB_PROTOCOL_RULES_H

#include <systemc>

#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <tlm>

namespace nestwalk {
namespace tb {

enum class rule {
  /* a payload on its way down */
  data_pointer,
  data_length,
  byte_enable_length,
  streaming_width,
  dmi_hint_set,
  status_not_incomplete,
  option_not_minimal,
  memory_manager,
  reference_count,
  reused_in_flight,
  /* a payload while it is in flight, and on its way up */
  payload_modified,
  address_modified,
  manager_or_extension_left,
  response_missing,
  response_modified,
  /* phases and time */
  phase_direction,
  phase_order,
  return_value,
  accepted_modified,
  request_exclusion,
  response_exclusion,
  time_went_back,
  mixed_interfaces,
  blocked,
  from_method_process,
  /* direct memory */
  dmi_command,
  dmi_descriptor,
  dmi_window,
  dmi_access,
  dmi_invalidation,
  /* debug transport */
  debug_data_pointer,
  debug_command,
  debug_count,
  count
};

struct rule_text {
  const char *name;
  const char *clause;   /* of IEEE Std 1666-2011 */
  const char *sentence; /* what shall be */
};

const rule_text &describe(rule broken);

struct violation {
  rule broken;
  std::string text; /* hop, time, rule, clause and what was found */
};

class protocol_judge {
public:
  explicit protocol_judge(std::string hop) : hop_(std::move(hop)) {
  }

  /** Stricter than the standard, which lets an interconnect overwrite the address: demands that
   * it is the same whenever the initiator of this hop gets the payload back. */
  void demand_address_restored(bool demand) {
    address_restored_ = demand;
  }

  /** All violations so far are counted; the texts of the first hundred are kept. */
  unsigned long violations() const {
    return violations_;
  }
  const std::vector<violation> &kept() const {
    return kept_;
  }
  void forget_violations();

  /** Transactions that have begun on this hop and not ended. */
  std::size_t in_flight() const {
    return flights_.size();
  }
  /** Transactions and debug or DMI requests that have begun. */
  unsigned long transactions() const {
    return transactions_;
  }

  using payload_t = tlm::tlm_generic_payload;

  void before_b_transport(const payload_t &payload, const sc_core::sc_time &delay);
  void after_b_transport(const payload_t &payload, const sc_core::sc_time &delay);

  /* What a call was made with, to be handed to the function that judges its return. */
  struct call {
    tlm::tlm_phase phase;
    sc_core::sc_time delay;
    sc_core::sc_time time;
    sc_dt::uint64 delta;
  };
  call before_fw(const payload_t &payload, const tlm::tlm_phase &phase,
                 const sc_core::sc_time &delay);
  void after_fw(const call &before, const payload_t &payload, const tlm::tlm_phase &phase,
                const sc_core::sc_time &delay, tlm::tlm_sync_enum returned);
  call before_bw(const payload_t &payload, const tlm::tlm_phase &phase,
                 const sc_core::sc_time &delay);
  void after_bw(const call &before, const payload_t &payload, const tlm::tlm_phase &phase,
                const sc_core::sc_time &delay, tlm::tlm_sync_enum returned);

  /* What a DMI or debug request was made with. */
  struct attributes {
    tlm::tlm_command command;
    sc_dt::uint64 address;
    unsigned char *data;
    unsigned length;
    sc_core::sc_time time;
    sc_dt::uint64 delta;
  };
  attributes before_dmi(const payload_t &payload, const tlm::tlm_dmi &window);
  void after_dmi(const attributes &before, const payload_t &payload, const tlm::tlm_dmi &window,
                 bool granted);
  void invalidation(sc_dt::uint64 start, sc_dt::uint64 end);
  attributes before_debug(const payload_t &payload);
  void after_debug(const attributes &before, const payload_t &payload, unsigned done);

private:
  /* A transaction in flight: the last phase seen, its point in time, and the payload as it was sent
   * down. */
  struct flight {
    unsigned phase = tlm::UNINITIALIZED_PHASE; /* UNINITIALIZED_PHASE: within b_transport */
    sc_core::sc_time due;
    tlm::tlm_command command = tlm::TLM_IGNORE_COMMAND;
    sc_dt::uint64 address = 0;
    const unsigned char *data = nullptr;
    unsigned length = 0;
    const unsigned char *byte_enable = nullptr;
    unsigned byte_enable_length = 0;
    unsigned streaming_width = 0;
    std::vector<unsigned char> written;
    std::vector<unsigned char> enables;
    tlm::tlm_gp_option option = tlm::TLM_MIN_PAYLOAD;
    bool managed = false;
    std::vector<const tlm::tlm_extension_base *> extensions;
    tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
  };

  void broken(rule which, const payload_t *payload, const std::string &found);
  /* `found`: a text, or a function that makes one up when it is needed. */
  template <typename text>
  void expect(bool kept, rule which, const payload_t &payload, const text &found) {
    if (kept)
      return;
    if constexpr (std::is_invocable_v<text>)
      broken(which, &payload, found());
    else
      broken(which, &payload, found);
  }

  flight &take_off(const payload_t &payload);
  void land(const payload_t &payload);
  flight *find(const payload_t &payload);

  void judge_initial_payload(const payload_t &payload);
  void judge_memory_management(const payload_t &payload);
  void judge_unmodified(const flight &sent, const payload_t &payload);
  void judge_contents(const flight &sent, const payload_t &payload);
  void judge_leftovers(const flight &sent, const payload_t &payload);
  void judge_response(flight &sent, const payload_t &payload);
  void judge_time(flight &sent, const payload_t &payload, const sc_core::sc_time &delay);
  void judge_unblocked(const sc_core::sc_time &time, sc_dt::uint64 delta, const payload_t &payload);
  void judge_accepted(const call &before, const payload_t &payload, const tlm::tlm_phase &phase,
                      const sc_core::sc_time &delay);

  void begin_request(const payload_t &payload);
  void end_request(const payload_t &payload, flight &sent);
  void begin_response(const payload_t &payload, flight &sent);
  void end_response(const payload_t &payload, flight &sent);
  void upward_phase(const payload_t &payload, const tlm::tlm_phase &phase,
                    const sc_core::sc_time &delay);
  void completed(const payload_t &payload, const sc_core::sc_time &delay);

  std::string hop_;
  bool address_restored_ = false;
  std::unordered_map<const payload_t *, flight> flights_;
  const payload_t *request_ = nullptr;  /* between BEGIN_REQ and END_REQ */
  const payload_t *response_ = nullptr; /* between BEGIN_RESP and END_RESP */
  unsigned long transactions_ = 0;
  unsigned long violations_ = 0;
  std::vector<violation> kept_;
};

} // namespace tb
} // namespace nestwalk

#endif
