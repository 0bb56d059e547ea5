/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/context.h"

#include <algorithm>

namespace nestwalk::detail {

namespace {

/* DDI 0406C B3.9.1: short descriptors take the ASID from CONTEXTIDR[7:0], long ones from bits 55:48
 * of the TTBR that TTBCR.A1 selects. The VMID is in bits 55:48 of VTTBR. */
constexpr std::uint64_t ttbcr_a1 = 1u << 22;
constexpr unsigned id_shift = 48;
constexpr std::uint64_t id_mask = 0xff;

struct id_field {
  nw_register reg;
  unsigned shift;
};

id_field asid_field(const nw_regime &regime, const register_values &registers) {
  if (regime.has_domains)
    return {NW_REG_CONTEXTIDR, 0};
  return {registers[NW_REG_TTBCR] & ttbcr_a1 ? NW_REG_TTBR1 : NW_REG_TTBR0, id_shift};
}

std::uint8_t get(const register_values &registers, id_field field) {
  return static_cast<std::uint8_t>(registers[field.reg] >> field.shift & id_mask);
}

void put(register_values &registers, id_field field, std::uint8_t id) {
  registers[field.reg] &= ~(id_mask << field.shift);
  registers[field.reg] |= std::uint64_t{id} << field.shift;
}

bool has_stage2(const nw_regime &regime) {
  return nw_regime_has_stage2(static_cast<nw_regime_kind>(regime.kind));
}

} // namespace

std::uint8_t asid_of(const nw_regime &regime, const register_values &registers) {
  return get(registers, asid_field(regime, registers));
}

std::uint8_t vmid_of(const nw_regime &regime, const register_values &registers) {
  return has_stage2(regime) ? get(registers, {NW_REG_VTTBR, id_shift}) : std::uint8_t{0};
}

context::context(nw_regime_kind kind) {
  nw_regime_init(&regime_, kind);
  take_registers();
}

void context::take_registers() {
  std::copy(std::begin(regime_.reg), std::end(regime_.reg), registers_.begin());
}

void context::reset() {
  nw_regime_init(&regime_, static_cast<nw_regime_kind>(regime_.kind));
  take_registers();
  clear_fault();
}

nw_register_status context::write(nw_register reg, std::uint64_t value) {
  nw_register_status status = nw_regime_write(&regime_, reg, value);

  if (status == NW_REGISTER_WRITTEN)
    registers_[reg] = regime_.reg[reg];
  return status;
}

register_values context::registers_for(const request_extension &extension) const {
  register_values registers = registers_;

  if (extension.asid)
    put(registers, asid_field(regime_, registers), *extension.asid);
  if (extension.vmid && has_stage2(regime_))
    put(registers, {NW_REG_VTTBR, id_shift}, *extension.vmid);
  return registers;
}

void context::record(const fault_record &fault) {
  if (fault_.fault.type == NW_FAULT_NONE)
    fault_ = fault;
  else
    fault_.overflow = true;
}

void context::clear_fault() {
  fault_ = fault_record();
}

} // namespace nestwalk::detail
