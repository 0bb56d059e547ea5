/* SPDX-License-Identifier: Apache-2.0 */
/* A payload as the MMU sees it: who asks for what, under which registers. */
#ifndef NESTWALK_SYSTEMC_REQUEST_VIEW_H
#define NESTWALK_SYSTEMC_REQUEST_VIEW_H

#include <optional>

#include <tlm>

#include "systemc/context.h"

namespace nestwalk::detail {

class request_view {
public:
  /** `context` and `payload` must outlive the view. */
  request_view(const context &context, unsigned port, const tlm::tlm_generic_payload &payload)
      : context_(context), payload_(payload), port_(port) {
    payload.get_extension(extension_);
    if (extension_ != nullptr && (extension_->asid || extension_->vmid))
      own_registers_ = context.registers_for(*extension_);
  }

  nw_request request(std::uint64_t va) const {
    nw_request request;
    request.va = va;
    request.access = static_cast<std::uint8_t>(access());
    request.privilege = privileged() ? NW_PRIVILEGED : NW_USER;
    request.debug = extension_ != nullptr && extension_->debug;
    return request;
  }
  nw_access access() const {
    if (payload_.is_write())
      return NW_WRITE;
    return is_fetch() ? NW_EXECUTE : NW_READ;
  }
  bool is_fetch() const {
    return extension_ != nullptr && extension_->instruction;
  }
  bool privileged() const {
    return extension_ == nullptr || extension_->privileged;
  }
  const register_values &registers() const {
    return own_registers_ ? *own_registers_ : context_.registers();
  }
  const nw_regime &regime() const {
    return context_.regime();
  }
  std::uint32_t stream() const {
    return extension_ != nullptr ? extension_->stream.value_or(port_) : port_;
  }
  unsigned port() const {
    return port_;
  }

private:
  const context &context_;
  const tlm::tlm_generic_payload &payload_;
  unsigned port_;
  request_extension *extension_ = nullptr;
  std::optional<register_values> own_registers_;
};

/** First and last VA of the page that a translation of `va` holds for. With both stages off (no page
 * size of either) that is all that 32 bits address. */
inline std::uint64_t last_in_page(std::uint64_t va, const nw_result &result) {
  if (result.s1_page_log2 == 0 && result.s2_page_log2 == 0)
    return 0xffffffffu;
  return va | ((std::uint64_t{1} << result.page_log2) - 1);
}

inline std::uint64_t first_in_page(std::uint64_t va, const nw_result &result) {
  if (result.s1_page_log2 == 0 && result.s2_page_log2 == 0)
    return 0;
  return va & ~((std::uint64_t{1} << result.page_log2) - 1);
}

} // namespace nestwalk::detail
#endif
