/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same module over the RTL: nestwalk's SystemVerilog MMU, compiled by Verilator, behind the
 * sockets of mmu_base.h. A bench that says rtl_mmu in place of mmu needs no other change.
 *
 * - The clock is made inside, at mmu_parameters::clock_mhz, and stands still while there is nothing
 *   to do. b_transport therefore waits: the caller's delay is consumed first.
 * - The RTL translates one request at a time, in the order of arrival; there is no hit under miss.
 * - The structures are those the RTL was built with; the constructor throws std::invalid_argument
 *   naming the first parameter of `mmu` that differs. rtl_parameters() gives what it was built with.
 * - Statistics are counted from the RTL's observation ports: lookups, hits and misses of each
 *   structure, walks, walk_cycles, references by stage and level, faults. Fields by page size,
 *   the histogram and shared_walks stay 0.
 * - debug_translate() and debug transport walk the tables as they are in memory: they cannot look
 *   into the RTL's TLBs, so an entry that software should have invalidated is not seen.
 */
#ifndef NESTWALK_SYSTEMC_RTL_MMU_H
#define NESTWALK_SYSTEMC_RTL_MMU_H

#include <nestwalk/systemc/mmu_base.h>

namespace nestwalk {

/** Parameters with the structures and cycles that the RTL was built with. */
mmu_parameters rtl_parameters();

class rtl_mmu : public mmu_base {
public:
  /** Throws std::invalid_argument, with a sentence, on parameters that the RTL cannot have. */
  explicit rtl_mmu(const sc_core::sc_module_name &name,
                   const mmu_parameters &parameters = rtl_parameters());

  const char *kind() const override;
};

} // namespace nestwalk
#endif
