/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/transfer.h"

#include <algorithm>

namespace nestwalk::detail {

/* A streaming width of 0 is illegal (14.12); it is taken for the length and passed on as it is. */
void transfer::begin(tlm::tlm_generic_payload &payload) {
  payload_ = &payload;
  address_ = payload.get_address();
  data_ = payload.get_data_ptr();
  length_ = payload.get_data_length();
  streaming_width_ = payload.get_streaming_width();
  byte_enables_ = payload.get_byte_enable_ptr();
  byte_enable_length_ = payload.get_byte_enable_length();
  width_ = streaming_width_ == 0 ? length_ : std::min(streaming_width_, length_);
  done_ = 0;
  whole_ = false;
}

void transfer::cut(std::uint64_t last_in_page) {
  whole_ = done_ == 0 && last_address() <= last_in_page;
  if (whole_) {
    piece_ = length_;
    return;
  }
  std::uint64_t rest_of_page = last_in_page - address() + 1;
  unsigned rest_of_beat = std::min(length_ - done_, width_ - offset_in_beat());
  piece_ = static_cast<unsigned>(std::min<std::uint64_t>(rest_of_beat, rest_of_page));
}

/* The enables of byte i are at i modulo their length (14.14): a piece gets its part of the pattern
 * written out. */
void transfer::put_byte_enables(tlm::tlm_generic_payload &payload) {
  if (byte_enables_ == nullptr || byte_enable_length_ == 0)
    return;
  piece_enables_.resize(piece_);
  for (unsigned i = 0; i < piece_; i++)
    piece_enables_[i] = byte_enables_[(done_ + i) % byte_enable_length_];
  payload.set_byte_enable_ptr(piece_enables_.data());
  payload.set_byte_enable_length(piece_);
}

void transfer::put(tlm::tlm_generic_payload &payload, std::uint64_t pa) {
  payload.set_address(pa);
  if (whole_)
    return;
  payload.set_data_ptr(data_ == nullptr ? nullptr : data_ + done_);
  payload.set_data_length(piece_);
  payload.set_streaming_width(piece_);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  put_byte_enables(payload);
}

bool transfer::advance() {
  done_ += piece_;
  return done_ < length_;
}

void transfer::restore() {
  payload_->set_address(address_);
  if (whole_)
    return;
  payload_->set_data_ptr(data_);
  payload_->set_data_length(length_);
  payload_->set_streaming_width(streaming_width_);
  payload_->set_byte_enable_ptr(byte_enables_);
  payload_->set_byte_enable_length(byte_enable_length_);
}

} // namespace nestwalk::detail
