/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory with DMI and debug transport. What an access costs is a derived class's: ideal_memory
 * has one latency for all, dram has banks and rows (dram.h).
 */
#ifndef NESTWALK_TB_MEMORY_H
#define NESTWALK_TB_MEMORY_H

#include "platform/storage.h"
#include "platform/timed_target.h"

namespace nestwalk {
namespace tb {

class memory : public timed_target {
public:
  struct counts {
    std::uint64_t reads = 0, writes = 0, bytes = 0;
    std::uint64_t errors = 0; /* requests that were refused */
    std::uint64_t debug = 0;  /* debug transactions, in none of the others */
    std::uint64_t dmi = 0;    /* windows granted */
  };
  const counts &counted() const {
    return counts_;
  }
  std::uint64_t size() const {
    return storage_.size();
  }

protected:
  /** `storage` is kept by the owner of the memory. */
  memory(sc_core::sc_module_name name, storage &storage, unsigned queue = 8);

  /** What an access by DMI is to cost. */
  virtual sc_core::sc_time dmi_latency(bool write) const = 0;

private:
  void execute(tlm::tlm_generic_payload &payload) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &window) override;
  unsigned transport_dbg(tlm::tlm_generic_payload &payload) override;

  tlm::tlm_response_status judge(const tlm::tlm_generic_payload &payload) const;
  void move(tlm::tlm_generic_payload &payload, unsigned length);

  storage &storage_;
  counts counts_;
};

/** Every access takes `latency`. */
class ideal_memory : public memory {
public:
  ideal_memory(sc_core::sc_module_name name, storage &storage, const sc_core::sc_time &latency)
      : memory(name, storage), latency_(latency) {
  }

private:
  sc_core::sc_time finish(const tlm::tlm_generic_payload &,
                          const sc_core::sc_time &arrival) override {
    return arrival + latency_;
  }
  sc_core::sc_time dmi_latency(bool) const override {
    return latency_;
  }
  sc_core::sc_time latency_;
};

} // namespace tb
} // namespace nestwalk

#endif
