/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of our own for nb_transport, which demands reference counting (IEEE 1666-2011, 14.5). */
#ifndef NESTWALK_SYSTEMC_PAYLOAD_POOL_H
#define NESTWALK_SYSTEMC_PAYLOAD_POOL_H

#include <memory>
#include <vector>

#include <tlm>

namespace nestwalk::detail {

class payload_pool final : public tlm::tlm_mm_interface {
public:
  /** A payload without data, byte enables and extensions, acquired once: the caller releases it. The
   * pool owns it and must outlive its last use. */
  tlm::tlm_generic_payload &take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
      free_.push_back(all_.back().get());
    }
    tlm::tlm_generic_payload &payload = *free_.back();
    free_.pop_back();
    payload.acquire();
    return payload;
  }

private:
  void free(tlm::tlm_generic_payload *payload) override {
    payload->reset(); /* frees the extensions, leaves pointers alone */
    payload->set_data_ptr(nullptr);
    payload->set_byte_enable_ptr(nullptr);
    free_.push_back(payload);
  }

  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> all_;
  std::vector<tlm::tlm_generic_payload *> free_;
};

} // namespace nestwalk::detail
#endif
