/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One payload on its way through the MMU, cut into pieces that lie in one page each.
 *
 * Byte i of a payload goes to address + i % streaming width (IEEE 1666-2011, 14.10 to 14.12). Where
 * all of that lies in one page, the piece is the whole payload, moved; else a piece is as many bytes
 * as lie one after the other in one page and one beat of the stream.
 */
#ifndef NESTWALK_SYSTEMC_TRANSFER_H
#define NESTWALK_SYSTEMC_TRANSFER_H

#include <cstdint>
#include <vector>

#include <tlm>

namespace nestwalk::detail {

class transfer {
public:
  /** Keeps the attributes of `payload`, which must stay until the transfer is over. */
  void begin(tlm::tlm_generic_payload &payload);

  /** VA of the first byte of the next piece. */
  std::uint64_t address() const {
    return address_ + offset_in_beat();
  }
  /** VAs of the first and the last byte that the payload touches. */
  std::uint64_t first_address() const {
    return address_;
  }
  std::uint64_t last_address() const {
    return address_ + (width_ == 0 ? 0 : width_ - 1);
  }
  /** Decides on the next piece: what lies up to the VA `last_in_page`. */
  void cut(std::uint64_t last_in_page);
  /** The next piece is all there is. */
  bool is_whole() const {
    return whole_;
  }
  /** The next piece is the last one. */
  bool is_last() const {
    return done_ + piece_ >= length_;
  }
  /** Makes `payload`, the original or another, the piece that goes to `pa`. */
  void put(tlm::tlm_generic_payload &payload, std::uint64_t pa);
  /** The piece is done; true when there is another one. */
  bool advance();
  /** Gives the original its attributes back. */
  void restore();

private:
  unsigned offset_in_beat() const {
    return width_ == 0 ? 0 : done_ % width_;
  }
  void put_byte_enables(tlm::tlm_generic_payload &payload);

  tlm::tlm_generic_payload *payload_ = nullptr;
  std::uint64_t address_ = 0;
  unsigned char *data_ = nullptr;
  unsigned char *byte_enables_ = nullptr;
  unsigned length_ = 0;
  unsigned streaming_width_ = 0; /* as it came */
  unsigned byte_enable_length_ = 0;
  unsigned width_ = 0; /* bytes of a beat: at most the length */
  unsigned done_ = 0;  /* bytes */
  unsigned piece_ = 0; /* bytes */
  bool whole_ = false;
  std::vector<unsigned char> piece_enables_;
};

} // namespace nestwalk::detail
#endif
