/* SPDX-License-Identifier: Apache-2.0 */
/* The target behind one upstream socket: b_transport, DMI and debug transport here, nb_transport in
 * upstream_at. */
#ifndef NESTWALK_SYSTEMC_UPSTREAM_PORT_H
#define NESTWALK_SYSTEMC_UPSTREAM_PORT_H

#include <memory>
#include <vector>

#include <tlm>

#include "systemc/blocking_translation.h"
#include "systemc/dmi_windows.h"
#include "systemc/request_view.h"
#include "systemc/transfer.h"
#include "systemc/upstream_at.h"

namespace nestwalk::detail {

class upstream_port final : public tlm::tlm_fw_transport_if<> {
public:
  upstream_port(mmu_body &owner, unsigned index);

  upstream_at &at() {
    return at_;
  }

  /** Withdraws the DMI windows granted here: all, at a VA, at PAs. */
  void withdraw_all();
  void withdraw_at_va(std::uint64_t va);
  void withdraw_at_pa(std::uint64_t first, std::uint64_t last);

  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                     sc_core::sc_time &delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

private:
  /* What one call of b_transport needs. */
  struct blocking_transfer {
    explicit blocking_transfer(mmu_body &owner) : translation(owner) {
    }
    transfer pieces;
    blocking_translation translation;
  };
  class borrowed;

  void transport_pieces(blocking_transfer &t, tlm::tlm_generic_payload &payload,
                        sc_core::sc_time &delay);
  bool narrow(const request_view &view, std::uint64_t va, const nw_result &result,
              tlm::tlm_dmi &dmi);
  void withdraw(const std::vector<dmi_window> &windows);

  mmu_body &body_;
  unsigned index_;
  upstream_at at_;
  dmi_windows windows_;
  std::vector<std::unique_ptr<blocking_transfer>> idle_;
};

} // namespace nestwalk::detail
#endif
