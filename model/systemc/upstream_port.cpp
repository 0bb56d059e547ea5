/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/upstream_port.h"

#include <algorithm>
#include <utility>

#include "systemc/mmu_body.h"

namespace nestwalk::detail {

using tlm::tlm_generic_payload;

/* Threads may be in b_transport at the same time; each borrows a blocking_transfer. */
class upstream_port::borrowed {
public:
  explicit borrowed(upstream_port &port) : port_(port) {
    if (port.idle_.empty())
      port.idle_.push_back(std::make_unique<blocking_transfer>(port.body_));
    mine_ = std::move(port.idle_.back());
    port.idle_.pop_back();
  }
  ~borrowed() {
    port_.idle_.push_back(std::move(mine_));
  }
  borrowed(const borrowed &) = delete;
  borrowed &operator=(const borrowed &) = delete;

  blocking_transfer &operator*() {
    return *mine_;
  }

private:
  upstream_port &port_;
  std::unique_ptr<blocking_transfer> mine_;
};

upstream_port::upstream_port(mmu_body &owner, unsigned index)
    : body_(owner), index_(index), at_(owner, index) {
}

tlm::tlm_sync_enum upstream_port::nb_transport_fw(tlm_generic_payload &payload,
                                                  tlm::tlm_phase &phase, sc_core::sc_time &delay) {
  return at_.nb_transport_fw(payload, phase, delay);
}

/* -- b_transport ------------------------------------------------------------------------------ */

void upstream_port::b_transport(tlm_generic_payload &payload, sc_core::sc_time &delay) {
  borrowed mine(*this);
  transfer &pieces = (*mine).pieces;

  body_.count_transaction();
  pieces.begin(payload);
  transport_pieces(*mine, payload, delay);
  pieces.restore();
}

void upstream_port::transport_pieces(blocking_transfer &t, tlm_generic_payload &payload,
                                     sc_core::sc_time &delay) {
  request_view view = body_.view(index_, payload);

  do {
    nw_request request = view.request(t.pieces.address());
    nw_result debug_result;
    const nw_result *result = &debug_result;
    if (request.debug)
      body_.debug_translate(view, request, debug_result);
    else
      result = &t.translation.run(request, view.registers(), delay);
    if (result->fault.type != NW_FAULT_NONE) {
      payload.set_response_status(body_.fail(view, request, *result));
      return;
    }
    t.pieces.cut(last_in_page(request.va, *result));
    t.pieces.put(payload, result->pa);
    body_.transport_downstream(payload, delay);
  } while (payload.is_response_ok() && t.pieces.advance());
}

/* -- debug ------------------------------------------------------------------------------------ */

/* Only command, address, data and length count here (11.3.3); there are no beats. */
unsigned upstream_port::transport_dbg(tlm_generic_payload &payload) {
  request_view view = body_.view(index_, payload);
  const std::uint64_t address = payload.get_address();
  unsigned char *const data = payload.get_data_ptr();
  const unsigned length = payload.get_data_length();
  unsigned done = 0, piece = 0, moved = 0;

  do {
    nw_request request = view.request(address + done);
    nw_result result;
    request.debug = true;
    if (!body_.debug_translate(view, request, result)) {
      payload.set_response_status(response_of(result.fault));
      break;
    }
    std::uint64_t rest_of_page = last_in_page(request.va, result) - request.va + 1;
    piece = static_cast<unsigned>(std::min<std::uint64_t>(length - done, rest_of_page));
    payload.set_address(result.pa);
    payload.set_data_ptr(data + done);
    payload.set_data_length(piece);
    moved = body_.downstream().transport_dbg(payload);
    done += moved;
  } while (moved == piece && done < length);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  return done;
}

/* -- DMI -------------------------------------------------------------------------------------- */

namespace {

tlm::tlm_dmi::dmi_access_e rights_of(const request_view &view, const nw_result &result) {
  const nw_privilege privilege = view.privileged() ? NW_PRIVILEGED : NW_USER;
  auto allows = [&](nw_access access) {
    unsigned stage;
    return nw_rights_judge(&view.regime(), result.rights, access, privilege, &stage) ==
           NW_FAULT_NONE;
  };
  int rights = tlm::tlm_dmi::DMI_ACCESS_NONE;

  if (view.is_fetch())
    rights |= allows(NW_EXECUTE) ? tlm::tlm_dmi::DMI_ACCESS_READ : 0;
  else
    rights |= (allows(NW_READ) ? tlm::tlm_dmi::DMI_ACCESS_READ : 0) |
              (allows(NW_WRITE) ? tlm::tlm_dmi::DMI_ACCESS_WRITE : 0);
  return static_cast<tlm::tlm_dmi::dmi_access_e>(rights);
}

} // namespace

/* Cuts the downstream target's window, PAs, down to the page and its rights, and moves it to VAs.
 * False when what is left does not serve the access that was asked for. */
bool upstream_port::narrow(const request_view &view, std::uint64_t va, const nw_result &result,
                           tlm::tlm_dmi &dmi) {
  const std::uint64_t first_va = first_in_page(va, result);
  const std::uint64_t first_pa = result.pa - (va - first_va);
  const std::uint64_t last_pa = first_pa + (last_in_page(va, result) - first_va);
  const std::uint64_t from = std::max<std::uint64_t>(dmi.get_start_address(), first_pa);
  const std::uint64_t to = std::min<std::uint64_t>(dmi.get_end_address(), last_pa);
  const auto rights = dmi.get_granted_access() & rights_of(view, result);

  if (result.pa < from || result.pa > to)
    return false;
  dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (from - dmi.get_start_address()));
  dmi.set_start_address(first_va + (from - first_pa));
  dmi.set_end_address(first_va + (to - first_pa));
  dmi.set_granted_access(static_cast<tlm::tlm_dmi::dmi_access_e>(rights));
  return view.access() == NW_WRITE ? dmi.is_write_allowed() : dmi.is_read_allowed();
}

/* 11.2.5: where DMI is denied, the descriptor says for which addresses and which kind of access. */
bool upstream_port::get_direct_mem_ptr(tlm_generic_payload &payload, tlm::tlm_dmi &dmi) {
  const request_view view = body_.view(index_, payload);
  const std::uint64_t va = payload.get_address();
  nw_request request = view.request(va);
  nw_result result;

  dmi.init();
  request.debug = true;
  bool granted = body_.debug_translate(view, request, result);
  if (granted) {
    payload.set_address(result.pa);
    granted = body_.downstream().get_direct_mem_ptr(payload, dmi);
    payload.set_address(va);
  }
  if (granted && narrow(view, va, result, dmi)) {
    const sc_core::sc_time lookup = body_.hit_latency(view.is_fetch());
    dmi.set_read_latency(dmi.get_read_latency() + lookup);
    dmi.set_write_latency(dmi.get_write_latency() + lookup);
    windows_.add({dmi.get_start_address(), result.pa - (va - dmi.get_start_address()),
                  dmi.get_end_address() - dmi.get_start_address()});
    body_.count_dmi_granted();
    return true;
  }
  dmi.init();
  dmi.set_start_address(va & ~std::uint64_t{0xfff});
  dmi.set_end_address(va | 0xfff);
  dmi.set_granted_access(view.access() == NW_WRITE ? tlm::tlm_dmi::DMI_ACCESS_WRITE
                                                   : tlm::tlm_dmi::DMI_ACCESS_READ);
  return false;
}

void upstream_port::withdraw(const std::vector<dmi_window> &windows) {
  for (const dmi_window &window : windows) {
    body_.count_dmi_withdrawn();
    body_.upstream(index_).invalidate_direct_mem_ptr(window.va, window.va + window.last);
  }
}

void upstream_port::withdraw_all() {
  withdraw(windows_.take_all());
}

void upstream_port::withdraw_at_va(std::uint64_t va) {
  withdraw(windows_.take_at_va(va));
}

void upstream_port::withdraw_at_pa(std::uint64_t first, std::uint64_t last) {
  withdraw(windows_.take_at_pa(first, last));
}

} // namespace nestwalk::detail
