/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bench for tests of the TLM-2.0 module: initiators, the module, a memory for its traffic and one
 * for its walker (with the same bytes), a base-protocol checker on every hop. Beside it stands the C
 * model with the same configuration, registers and tables: what the module is compared with.
 *
 * A clock cycle is 1 ns; the walker's memory answers in RIG_READ_CYCLES cycles, the other one in
 * data_cycles.
 */
#ifndef NESTWALK_TESTS_SYSTEMC_BENCH_H
#define NESTWALK_TESTS_SYSTEMC_BENCH_H

#include <systemc>
#include <tlm>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nestwalk/systemc/mmu.h>
#include <nestwalk/systemc/registers.h>
#include <tlm_utils/peq_with_cb_and_phase.h>

#include "platform/protocol_checker.h"
#include "platform/storage.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <cmocka.h>

#include "support/mmu_rig.h"
}

namespace test {

constexpr unsigned data_cycles = 3;
inline const sc_core::sc_time cycle(1, sc_core::SC_NS);

/** How a target goes through the phases of nb_transport: IEEE 1666-2011, 15.2.5. */
enum class style {
  four_phases,     /* END_REQ, then BEGIN_RESP, each by nb_transport_bw */
  no_end_req,      /* BEGIN_RESP alone, which implies END_REQ */
  returns_end_req, /* END_REQ by the return path */
  returns_begin_resp /* BEGIN_RESP by the return path */,
  completes, /* TLM_COMPLETED at BEGIN_REQ */
};
constexpr unsigned styles = 5;

/** A memory that can be told how to behave, and says what it was asked. */
class memory : public sc_core::sc_module, tlm::tlm_fw_transport_if<> {
public:
  tlm::tlm_target_socket<32, tlm::tlm_base_protocol_types, 1, sc_core::SC_ZERO_OR_MORE_BOUND>
      socket;

  struct seen {
    tlm::tlm_command command;
    std::uint64_t address;
    unsigned length, streaming_width;
    sc_core::sc_time time; /* local time of the initiator */
    bool extended;         /* carries a request_extension */
  };

  memory(const sc_core::sc_module_name &name, nestwalk::tb::storage &storage,
         const sc_core::sc_time &latency);

  sc_core::sc_time latency;
  style answers = style::four_phases;
  std::function<style()> choose_style;         /* when set, asked for each request */
  std::function<void()> meanwhile;             /* called within the next b_transport, once */
  sc_core::sc_time wait_in_b_transport;        /* simulated time that b_transport lets pass */
  std::uint64_t hole_first = 1, hole_last = 0; /* answers errors */
  bool grants_dmi = true;
  std::uint64_t dmi_first = 0, dmi_last = ~std::uint64_t{0};
  tlm::tlm_dmi::dmi_access_e dmi_access = tlm::tlm_dmi::DMI_ACCESS_READ_WRITE;
  std::vector<seen> log;
  unsigned debug_accesses = 0;

  void reset();
  void withdraw_dmi(std::uint64_t first, std::uint64_t last);

private:
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

  void note(const tlm::tlm_generic_payload &payload, const sc_core::sc_time &delay);
  void perform(tlm::tlm_generic_payload &payload);
  void arrived(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void respond();
  bool in_hole(const tlm::tlm_generic_payload &payload) const;

  nestwalk::tb::storage &storage_;
  tlm_utils::peq_with_cb_and_phase<memory> events_;
  std::deque<tlm::tlm_generic_payload *> responses_;
  tlm::tlm_generic_payload *responding_ = nullptr;
};

/** One access, with the attributes that a test cares about. */
struct access {
  tlm::tlm_command command = tlm::TLM_READ_COMMAND;
  std::uint64_t va = 0;
  unsigned length = 4;
  unsigned streaming_width = 0; /* 0: as long as the data */
  std::vector<unsigned char> enables;
  std::vector<unsigned char> data; /* resized to `length` */
  std::unique_ptr<nestwalk::request_extension> extension;

  access &with(const nestwalk::request_extension &fields);
  void put(tlm::tlm_generic_payload &payload);
};

access read(std::uint64_t va, unsigned length = 4);
access write(std::uint64_t va, const std::vector<unsigned char> &data);
nestwalk::request_extension user();
nestwalk::request_extension fetch();
nestwalk::request_extension ids(unsigned asid, unsigned vmid);

struct outcome {
  tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
  sc_core::sc_time duration; /* b_transport: the delay added; nb_transport: BEGIN_REQ to the
                                response's beginning */
  sc_core::sc_time end;      /* nb_transport: when the response began */
};

/** An initiator that sends by nb_transport as fast as the exclusion rule lets it. */
class initiator : public sc_core::sc_module, tlm::tlm_bw_transport_if<>, tlm::tlm_mm_interface {
public:
  tlm::tlm_initiator_socket<> socket;

  explicit initiator(const sc_core::sc_module_name &name);
  ~initiator() override;

  /** How it ends responses. */
  enum class ends { later, by_return_path, completed };
  ends style = ends::later;
  std::function<ends()> choose_style;
  sc_core::sc_time end_after = cycle;   /* END_RESP after BEGIN_RESP, where `later` */
  sc_core::sc_time annotated;           /* delay of BEGIN_REQ */
  std::vector<std::size_t> completions; /* numbers of the accesses in order of their response */
  std::vector<tlm::tlm_dmi> withdrawn;  /* windows named by invalidate_direct_mem_ptr */

  /** Sends all, waits for all responses; call it from a thread. */
  std::vector<outcome> run(std::vector<access> &accesses);

private:
  struct flight;

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) override;
  void free(tlm::tlm_generic_payload *payload) override;
  void arrived(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase);
  void send_next();
  void response_began(tlm::tlm_generic_payload &payload);

  tlm_utils::peq_with_cb_and_phase<initiator> events_;
  std::vector<access> *accesses_ = nullptr;
  std::vector<outcome> outcomes_;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> payloads_;
  std::vector<sc_core::sc_time> begun_;
  std::size_t next_ = 0, ended_ = 0;
  tlm::tlm_generic_payload *requesting_ = nullptr;
  sc_core::sc_event finished_;
  unsigned freed_ = 0;
};

using mmu_maker =
    std::function<std::unique_ptr<nestwalk::mmu_base>(const nestwalk::mmu_parameters &)>;

/** What a bench is made of; the defaults make mmu with rig_full() and one port. */
struct options {
  nw_mmu_config config;
  unsigned ports = 1, contexts = 1, outstanding = 8;
  bool separate_walker = true; /* else the walker's socket is left unbound */
  mmu_maker make_mmu;

  explicit options(nw_regime_kind kind = NW_REGIME_ARMV7_LPAE_S2);
};

class bench : public sc_core::sc_module {
public:
  bench(const sc_core::sc_module_name &name, const options &how);
  ~bench() override;

  rig *model; /* tables, and the C model to compare with */
  nestwalk::tb::storage storage;
  std::unique_ptr<nestwalk::mmu_base> dut;
  nestwalk::mmu_base &mmu;
  memory data, descriptors;
  std::vector<std::unique_ptr<initiator>> cores;
  tlm::tlm_initiator_socket<> registers;
  sc_core::sc_vector<sc_core::sc_signal<bool>> irq;
  sc_core::sc_signal<bool, sc_core::SC_MANY_WRITERS> reset;

  /** Everything as at the beginning: registers of the model's tables in every context, no faults, no
   * counts, empty TLBs, memories behaving. Tables stay. */
  void start();
  /** Puts the model's tables where the memories can be asked for them. */
  void load();
  /** Maps as rig_map() does, with the bytes of a pattern where it leads, and loads. */
  void map(std::uint64_t va, unsigned page_log2, unsigned rights);
  void poke(std::uint64_t pa, const std::vector<unsigned char> &bytes);
  std::vector<unsigned char> peek(std::uint64_t pa, unsigned length);
  std::uint64_t pa(std::uint64_t va) const {
    return rig_pa(model, va);
  }

  /** b_transport; checks that the payload comes back as it went. */
  outcome lt(access &a, unsigned port = 0);
  outcome lt(access &&a, unsigned port = 0) {
    return lt(a, port);
  }
  /** nb_transport of one access. */
  outcome at(access &&a, unsigned port = 0);
  unsigned debug(access &a, unsigned port = 0);
  bool dmi(access &&a, tlm::tlm_dmi &window, unsigned port = 0);

  std::uint64_t read_register(std::uint64_t address, unsigned length = 8);
  tlm::tlm_response_status write_register(std::uint64_t address, std::uint64_t value,
                                          unsigned length = 8);
  tlm::tlm_response_status access_register(access &a);

  /** Fails the test when a checker has anything to say. */
  void expect_protocol_kept();

private:
  using checker = nestwalk::tb::protocol_checker<>;

  class register_side : public tlm::tlm_bw_transport_if<> {
    tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload &, tlm::tlm_phase &,
                                       sc_core::sc_time &) override {
      return tlm::TLM_ACCEPTED;
    }
    void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {
    }
  };
  register_side register_side_;
  std::vector<std::unique_ptr<checker>> checkers_;
};

/** Lets the simulation run for so many cycles. */
void pass(unsigned cycles);

/** Runs the tests in a thread of the simulation, after `elaborated` benches have been made. */
int run(const std::function<int()> &tests);

} // namespace test
#endif
