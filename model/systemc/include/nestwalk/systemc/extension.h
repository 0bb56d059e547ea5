/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the generic payload does not say about a request: who makes it and how.
 *
 * The extension is ignorable (IEEE 1666-2011, 14.21.1): an initiator need not set it, and components
 * that do not know it need not look. The MMU reads it on its upstream sockets and passes it on
 * untouched. Field by field, a payload without the extension is treated as one that carries a
 * default-constructed one.
 */
#ifndef NESTWALK_SYSTEMC_EXTENSION_H
#define NESTWALK_SYSTEMC_EXTENSION_H

#include <cstdint>
#include <optional>

#include <tlm>

namespace nestwalk {

class request_extension : public tlm::tlm_extension<request_extension> {
public:
  /** True: a privileged access (ARM PL1), false: user (PL0). Default true: a device or a boot loader
   * that sets nothing is not hindered by tables made for programs. */
  bool privileged = true;

  /** True: a read command is an instruction fetch; it is looked up in the instruction TLB and needs
   * the right to execute. A write command stays a data write. Default false: data. */
  bool instruction = false;

  /** Translate as a debugger does: no TLB, cache or counter of the MMU changes, no fault is recorded,
   * translation takes no time. The access itself is made all the same. Default false. */
  bool debug = false;

  /** Core or device id as the platform numbers them; the MMU only reports it in the fault record.
   * Default: the index of the upstream socket. */
  std::optional<std::uint32_t> stream;

  /** Address space id for this request, in place of the one in the context's registers (CONTEXTIDR,
   * or TTBR0/1 with long descriptors). Default: the registers' own. */
  std::optional<std::uint8_t> asid;

  /** Virtual machine id for this request, in place of VTTBR's. Default: VTTBR's own. Without effect
   * on a regime that has no stage 2. */
  std::optional<std::uint8_t> vmid;

  /** A copy on the heap, the caller's (IEEE 1666-2011, 14.21.4); tlm_generic_payload::deep_copy_from
   * calls it. */
  tlm::tlm_extension_base *clone() const override {
    return new request_extension(*this);
  }

  /** Takes over every field; `from` must be a request_extension. */
  void copy_from(const tlm::tlm_extension_base &from) override {
    *this = static_cast<const request_extension &>(from);
  }
};

} // namespace nestwalk
#endif
