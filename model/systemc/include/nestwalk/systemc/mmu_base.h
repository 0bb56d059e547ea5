/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mmu (the C model) and rtl_mmu (the Verilated RTL) have in common: sockets, registers, faults.
 * A bench holds one of the two and may call it by this type.
 *
 * Section numbers are those of IEEE 1666-2011.
 *
 * Transport. Every upstream socket takes b_transport, nb_transport, DMI and debug transport, mixed as
 * the initiators like (16.1, base protocol). The payload goes on by the `downstream` socket with its
 * address translated, and comes back as it went: address, data pointer, length, streaming width and
 * byte enables are restored before the initiator sees the response. A transfer that crosses the end
 * of a page is split there; each piece is translated on its own and the pieces are made in order of
 * address. The first piece that fails ends the transfer: the pieces before it have been made, and
 * the fault record's address is that of the first byte not made. TLM_IGNORE_COMMAND is translated as
 * a read.
 *
 * With both stages off, addresses below 4 GiB are one page that maps to itself.
 *
 * Response status of a fault:
 *   translation, access flag, address size          TLM_ADDRESS_ERROR_RESPONSE
 *   permission, domain                              TLM_COMMAND_ERROR_RESPONSE
 *   external abort: a walker's read was refused     TLM_GENERIC_ERROR_RESPONSE
 * Any other error is the downstream target's own and is passed on; it leaves no fault record.
 *
 * Time. A request's own time is its lookup's and walk's cycles (struct nw_result), a walker's read
 * counting as many cycles as pass from its request to its response, rounded up to whole ones. A
 * memory that is to cost exactly N cycles therefore takes N * clock_period(). b_transport adds this
 * time to the delay argument and does not wait, but for a request that has to wait for another's walk
 * (too few walkers, or a page being walked), and in rtl_mmu, whose clock runs in simulated time.
 */
#ifndef NESTWALK_SYSTEMC_MMU_BASE_H
#define NESTWALK_SYSTEMC_MMU_BASE_H

#include <cstdint>
#include <memory>

#include <systemc>
#include <tlm>

#include <nestwalk/nestwalk.h>
#include <nestwalk/systemc/extension.h>
#include <nestwalk/systemc/parameters.h>

namespace nestwalk {

namespace detail {
class engine; /* what translates: the C model or the RTL */
class mmu_body;
} // namespace detail

/** The first fault of a context since its record was last cleared. */
struct fault_record {
  nw_fault fault{};         /* fault.type is NW_FAULT_NONE when nothing is recorded; fault.va is the
                               address of the first byte not done */
  nw_syndrome syndrome{};   /* as the architecture reports it */
  std::uint32_t stream = 0; /* of the extension, or the index of the upstream socket */
  unsigned port = 0;        /* index of the upstream socket */
  std::uint8_t asid = 0, vmid = 0;
  bool privileged = false;
  bool overflow = false; /* there were more faults, which were not recorded */
};

/** What has passed the sockets since creation or the last reset_statistics(). Debug transport, DMI
 * accesses (which do not pass the MMU) and requests with the extension's debug flag are not in it. */
struct traffic {
  std::uint64_t transactions = 0;  /* by b_transport and nb_transport, faulting ones included */
  std::uint64_t pieces = 0;        /* transactions sent downstream: more than one where split */
  std::uint64_t faults = 0;        /* transactions that ended in a fault */
  std::uint64_t walker_reads = 0;  /* descriptor reads made by the walker */
  std::uint64_t dmi_granted = 0;   /* DMI windows given */
  std::uint64_t dmi_withdrawn = 0; /* calls of invalidate_direct_mem_ptr upstream */
};

/** A translation asked by debug_translate(). */
struct debug_request {
  std::uint64_t va = 0;
  nw_access access = NW_READ;
  bool privileged = true;
  unsigned port = 0; /* whose context answers */
};

class mmu_base : public sc_core::sc_module {
public:
  using target_socket = tlm::tlm_target_socket<32>;
  using initiator_socket = tlm::tlm_initiator_socket<32>;
  using optional_target_socket =
      tlm::tlm_target_socket<32, tlm::tlm_base_protocol_types, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;
  using optional_initiator_socket = tlm::tlm_initiator_socket<32, tlm::tlm_base_protocol_types, 1,
                                                              sc_core::SC_ZERO_OR_MORE_BOUND>;
  using irq_port =
      sc_core::sc_port<sc_core::sc_signal_inout_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;
  using reset_port =
      sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

  /** Cores and devices: mmu_parameters::ports sockets, each to be bound. Their addresses are VAs. */
  sc_core::sc_vector<target_socket> upstream;

  /** Translated traffic, addresses being PAs. */
  initiator_socket downstream;

  /** The walker's descriptor reads: TLM_READ_COMMAND of 4 or 8 bytes, naturally aligned, without
   * byte enables and extensions, addresses being PAs. b_transport for requests that came by
   * b_transport, nb_transport for the others, transport_dbg for debug. Left unbound, these reads go
   * by `downstream`. */
  optional_initiator_socket walker;

  /** The memory-mapped registers: see registers.h. Takes b_transport, nb_transport (answered with
   * TLM_COMPLETED at BEGIN_REQ, 15.2.5 early completion) and debug reads; debug writes and DMI are
   * refused. Takes no time. May be left unbound. */
  optional_target_socket registers;

  /** One for each context: high from a fault until its record is cleared, or reset. Written one
   * delta cycle after the cause. Each may be left unbound. */
  sc_core::sc_vector<irq_port> fault_irq;

  /** Active high. A rising edge puts the registers of every context in their reset state, empties
   * TLBs and walk caches, clears fault records and withdraws DMI. Requests in flight end as they
   * began. Statistics stay. May be left unbound. */
  reset_port reset;

  ~mmu_base() override;

  /* Each `context` below is an index under mmu_parameters::contexts; another throws
   * std::out_of_range. */

  /** Writes a register of a context, at once; requests in flight keep the registers they began
   * with. DMI windows of the context's upstream sockets are withdrawn. The status says whether the
   * value was taken; a refused one changes nothing. */
  nw_register_status write_register(unsigned context, nw_register reg, std::uint64_t value);

  /** The register as it reads back. Throws std::out_of_range when `reg` is none. */
  std::uint64_t read_register(unsigned context, nw_register reg) const;

  /** What the context's registers mean now; valid as long as the module. */
  const nw_regime &regime(unsigned context) const;

  /** One TLB maintenance operation under the context's VMID (enum nw_tlbi explains operands).
   * Withdraws the DMI windows that it may concern, of every context. */
  void invalidate(unsigned context, nw_tlbi operation, std::uint64_t operand = 0);

  /** The context's fault record; valid as long as the module. */
  const fault_record &fault(unsigned context) const;

  /** Forgets the record and lowers the context's interrupt. */
  void clear_fault(unsigned context);

  /** What the MMU has counted since creation or the last reset, as nw_mmu_statistics() gives it;
   * valid until the next call. rtl_mmu counts what it can see from outside: see rtl_mmu.h. */
  const struct nw_mmu_statistics &statistics();
  const traffic &transport_statistics() const;
  void reset_statistics();

  /** Translates for a debugger, with descriptor reads by transport_dbg: changes nothing, counts
   * nothing, takes no time. Returns true when there is a translation; else the fault is in
   * `result`. Call it after elaboration. */
  bool debug_translate(const debug_request &request, nw_result &result);

  const mmu_parameters &parameters() const;

  /** Duration of one cycle. */
  sc_core::sc_time clock_period() const;

  const char *kind() const override = 0;

protected:
  mmu_base(const sc_core::sc_module_name &name, const mmu_parameters &parameters,
           std::unique_ptr<detail::engine> engine);

  void end_of_elaboration() override;

private:
  std::unique_ptr<detail::mmu_body> self;
};

} // namespace nestwalk
#endif
