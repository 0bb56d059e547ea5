/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A serial port in the manner of ARM's PL011 (ARM DDI 0183), with the registers that a polling or
 * an interrupt-driven driver needs. Characters leave through a queue at the line's speed; received
 * ones are put in by the bench.
 *
 *   0x00 DR    write: a character to send; lost while the queue is full. read: the oldest received
 *   0x18 FR    bit 3 BUSY, 4 RXFE receive queue empty, 5 TXFF send queue full, 7 TXFE send queue
 *              empty
 *   0x38 IMSC  bit 4 receive, bit 5 send: 1 lets the condition raise the interrupt
 *   0x3c RIS   the conditions: 4 something received, 5 send queue empty
 *   0x40 MIS   RIS & IMSC; the interrupt is high while it is not 0
 *
 * Registers are 32 bits wide and take naturally aligned accesses of 1, 2 or 4 bytes at their
 * address. No DMI. A debug read changes nothing; debug writes are refused.
 */
#ifndef NESTWALK_TB_UART_H
#define NESTWALK_TB_UART_H

#include <string>

#include "platform/timed_target.h"

namespace nestwalk {
namespace tb {

class uart : public timed_target {
public:
  sc_core::sc_out<bool> interrupt;

  static constexpr unsigned size = 0x1000; /* bytes of addresses */
  static constexpr unsigned data = 0x00, flags = 0x18, mask = 0x38, raw = 0x3c, masked = 0x40;
  static constexpr unsigned busy = 1u << 3, receive_empty = 1u << 4, send_full = 1u << 5,
                            send_empty = 1u << 7;
  static constexpr unsigned receive_interrupt = 1u << 4, send_interrupt = 1u << 5;
  static constexpr unsigned queue = 16; /* characters, each way; PL011's FIFOs */

  /** `character_time`: of a character on the line; `access_time`: of a register access. */
  uart(sc_core::sc_module_name name, const sc_core::sc_time &character_time,
       const sc_core::sc_time &access_time);

  /** What has left through the line so far. */
  const std::string &sent() const {
    return sent_;
  }
  /** Characters that were written to a full queue. */
  unsigned long lost() const {
    return lost_;
  }
  /** A character comes in; false when the receive queue is full. */
  bool receive(char character);

private:
  sc_core::sc_time finish(const tlm::tlm_generic_payload &request,
                          const sc_core::sc_time &arrival) override;
  void execute(tlm::tlm_generic_payload &payload) override;
  void b_transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

  tlm::tlm_response_status judge(const tlm::tlm_generic_payload &payload) const;
  std::uint32_t peek(std::uint64_t address) const;
  void write(std::uint64_t address, std::uint32_t value);
  void send_line();
  void drive_interrupt();

  sc_core::sc_time character_time_, access_time_;
  std::deque<char> sending_, received_;
  std::string sent_;
  unsigned long lost_ = 0;
  std::uint32_t mask_ = 0;
  sc_core::sc_event changed_; /* of anything that the interrupt depends on, and a new character */
};

} // namespace tb
} // namespace nestwalk

#endif
