/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU as a TLM-2.0 module over nestwalk's C model: see mmu_base.h for its sockets and rules.
 *
 *   nestwalk::mmu mmu("mmu", nestwalk::mmu_parameters::from_machine_file("cortex-a15"));
 *   cpu.socket.bind(mmu.upstream[0]);
 *   mmu.downstream.bind(bus.target);
 *   mmu.write_register(0, NW_REG_TTBR0, table);
 */
#ifndef NESTWALK_SYSTEMC_MMU_H
#define NESTWALK_SYSTEMC_MMU_H

#include <nestwalk/systemc/mmu_base.h>

namespace nestwalk {

class mmu : public mmu_base {
public:
  /** Throws std::invalid_argument, with a sentence, on impossible parameters. */
  explicit mmu(const sc_core::sc_module_name &name,
               const mmu_parameters &parameters = mmu_parameters());

  const char *kind() const override;
};

} // namespace nestwalk
#endif
