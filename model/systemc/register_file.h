/* SPDX-License-Identifier: Apache-2.0 */
/* The memory-mapped registers: nestwalk/systemc/registers.h made real. */
#ifndef NESTWALK_SYSTEMC_REGISTER_FILE_H
#define NESTWALK_SYSTEMC_REGISTER_FILE_H

#include <cstdint>

#include <tlm>

#include <nestwalk/systemc/mmu_base.h>

namespace nestwalk::detail {

class register_file final : public tlm::tlm_fw_transport_if<> {
public:
  explicit register_file(mmu_base &mmu) : mmu_(mmu) {
  }

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

private:
  struct place; /* a register of a context */

  tlm::tlm_response_status access(tlm::tlm_generic_payload &payload);
  bool find(std::uint64_t address, place &found) const;
  tlm::tlm_response_status check(const tlm::tlm_generic_payload &payload, place &found) const;
  std::uint64_t read(const place &at) const;
  tlm::tlm_response_status write(const place &at, std::uint64_t value, unsigned byte);

  mmu_base &mmu_;
};

} // namespace nestwalk::detail
#endif
