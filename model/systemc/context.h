/* SPDX-License-Identifier: Apache-2.0 */
/* A translation context: its registers and its fault record. */
#ifndef NESTWALK_SYSTEMC_CONTEXT_H
#define NESTWALK_SYSTEMC_CONTEXT_H

#include <nestwalk/systemc/mmu_base.h>

#include "systemc/engine.h"

namespace nestwalk::detail {

class context {
public:
  /** Registers as after reset. `kind` must be a regime. */
  explicit context(nw_regime_kind kind);

  void reset();
  nw_register_status write(nw_register reg, std::uint64_t value);

  const nw_regime &regime() const {
    return regime_;
  }
  const register_values &registers() const {
    return registers_;
  }
  /** The registers with the request's own ASID and VMID in the fields that hold them. */
  register_values registers_for(const request_extension &extension) const;

  /** Keeps the first fault, marks the record when there are more. */
  void record(const fault_record &fault);
  void clear_fault();
  const fault_record &fault() const {
    return fault_;
  }

private:
  void take_registers();

  nw_regime regime_;
  register_values registers_;
  fault_record fault_;
};

/** The ASID that the register values select. */
std::uint8_t asid_of(const nw_regime &regime, const register_values &registers);
/** The VMID that they name; 0 where the regime has no stage 2. */
std::uint8_t vmid_of(const nw_regime &regime, const register_values &registers);

} // namespace nestwalk::detail
#endif
