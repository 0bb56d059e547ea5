/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core as the memory system sees it: one thread that computes for a while and then fetches, loads
 * or stores, in one of three styles (IEEE Std 1666-2011, 10.3):
 *
 *   lt       b_transport, with a local time ahead of the simulated one by a quantum at most
 *   lt_dmi   the same, but by direct memory where a window has been granted
 *   at       nb_transport in four phases, with up to `outstanding` fetches in flight
 *
 * Its methods are to be called from one SC_THREAD. An access is of 4 bytes; a run of instructions
 * is one fetch of the word at each instruction's place.
 */
#ifndef NESTWALK_TB_CORE_H
#define NESTWALK_TB_CORE_H

#include <systemc>

#include <array>
#include <memory>
#include <vector>

#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <nestwalk/systemc/extension.h>
#include <nestwalk/types.h>

namespace nestwalk {
namespace tb {

enum class style { lt, lt_dmi, at };

struct core_parameters {
  style how = style::lt;
  sc_core::sc_time quantum = sc_core::sc_time(10, sc_core::SC_US);
  unsigned outstanding = 1; /* `at`: fetches of one run in flight, 1 to 64 */
};

class core : public sc_core::sc_module, private tlm::tlm_mm_interface {
public:
  tlm_utils::simple_initiator_socket<core> socket;

  core(sc_core::sc_module_name name, const core_parameters &parameters);
  ~core() override;

  struct counts {
    std::uint64_t transactions = 0; /* by b_transport or nb_transport */
    std::uint64_t direct = 0;       /* accesses by direct memory */
    std::uint64_t errors = 0;       /* transactions that were answered with an error */
    std::uint64_t windows = 0;      /* granted */
    std::uint64_t withdrawn = 0;    /* calls of invalidate_direct_mem_ptr */
  };
  const counts &counted() const {
    return counts_;
  }

  struct access {
    std::uint64_t va = 0; /* the access is to the aligned word that holds it */
    nw_access kind = NW_READ;
    bool privileged = false;
    bool without_data = false; /* a store with all bytes disabled: who makes it puts in the data */
    std::uint32_t value = 0;   /* to store */
  };

  /** Makes one access; true when its response was TLM_OK_RESPONSE. */
  bool perform(const access &what);
  /** What the last load or fetch brought. */
  std::uint32_t loaded() const {
    return loaded_;
  }

  /** Fetches `count` instructions from `va` on, all in one 4 KB page, and stops at an error.
   * Returns how many have been fetched. */
  unsigned fetch_run(std::uint64_t va, unsigned count, bool privileged);

  /** Computes. */
  void spend(const sc_core::sc_time &time) {
    local_ += time;
  }
  /** Simulated time as the core has it. */
  sc_core::sc_time now() const {
    return sc_core::sc_time_stamp() + local_;
  }
  /** Lets the simulation catch up. */
  void synchronize();

private:
  struct request;
  struct window {
    std::uint64_t start = 1, end = 0; /* empty */
    unsigned char *memory = nullptr;
    sc_core::sc_time read_latency, write_latency;
    bool read = false, write = false;
  };
  /* Windows by page; one table for each kind of requester, whose rights differ. */
  static constexpr unsigned window_slots = 1024;
  using windows = std::array<window, window_slots>;

  void free(tlm::tlm_generic_payload *payload) override;
  request &take_request(const access &what);
  bool finish(request &done);

  bool transport(const access &what);
  bool direct(const access &what);
  void ask_for_window(request &done, const access &what);
  windows &windows_for(const access &what);
  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end);

  void begin(request &what);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay);
  void happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void await_request();
  void await_all();

  core_parameters parameters_;
  sc_core::sc_time local_; /* ahead of the simulated time */
  counts counts_;
  std::uint32_t loaded_ = 0;
  std::array<std::unique_ptr<windows>, 4> windows_;
  std::vector<std::unique_ptr<request>> requests_; /* all there are */
  std::vector<request *> idle_;
  tlm::tlm_generic_payload *requesting_ = nullptr; /* at: sent, without END_REQ */
  unsigned in_flight_ = 0;                         /* at */
  sc_core::sc_event changed_;                      /* at: one of the two above */
  tlm_utils::peq_with_cb_and_phase<core> events_;
};

} // namespace tb
} // namespace nestwalk

#endif
