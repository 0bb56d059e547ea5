/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C model behind the sockets. It has one set of registers; the contexts', and a request's own
 * ASID and VMID, are written into it before each request where they differ. Requests in flight keep
 * what they began with.
 */
#ifndef NESTWALK_SYSTEMC_CORE_ENGINE_H
#define NESTWALK_SYSTEMC_CORE_ENGINE_H

#include <memory>

#include "systemc/engine.h"

namespace nestwalk::detail {

class core_engine final : public engine {
public:
  /** Throws std::invalid_argument on an impossible configuration. */
  explicit core_engine(const nw_mmu_config &config);

  bool begin(translation &t, const register_values &registers) override;
  void answer(translation &t, const nw_answer &answer) override;
  std::uint32_t cycles(const translation &t) const override;
  bool runs_in_simulated_time() const override;
  void invalidate(const register_values &registers, nw_tlbi operation,
                  std::uint64_t operand) override;
  bool debug_translate(const nw_request &request, const register_values &registers,
                       const nw_memory &memory, nw_result &result) override;
  const struct nw_mmu_statistics &statistics() override;
  void reset_statistics() override;

private:
  void load(const register_values &registers);
  void hand_out_steps();

  struct destroyer {
    void operator()(nw_mmu *mmu) const;
  };
  std::unique_ptr<nw_mmu, destroyer> mmu;
  register_values loaded;
};

} // namespace nestwalk::detail
#endif
