/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software on the platform: a recorded program, the guest kernel that owns its page tables and,
 * under nested paging, the hypervisor. They are those of model/system, compiled against
 * software_mmu.h: each access is a transaction of the core through the TLM module, each fault that
 * the module answers is handled by the kernel or the hypervisor, and the access made again. The
 * privileged registers and TLB maintenance go by the module's C++ interface, as CP15 writes do not
 * go by the bus.
 *
 * The trace has no data. A program's store writes a number that counts up; a kernel's store goes
 * with all its bytes disabled, and the kernel model puts the descriptor into memory once it has
 * been answered well.
 *
 * Time: the core computes for base_cpi cycles for each instruction and for what the kernel and
 * exits cost by the machine file; all else is the transactions' own.
 */
#ifndef NESTWALK_TB_SOFTWARE_H
#define NESTWALK_TB_SOFTWARE_H

#include <nestwalk/systemc/mmu_base.h>

#include "platform/core.h"
#include "platform/replay.h"
#include "platform/storage.h"

struct nw_physical_memory;

/* What model/system takes for its MMU. */
struct nw_mmu {
  /** `memory` is what physical memory consists of. All four outlive the object, of which there is
   * one at a time. */
  nw_mmu(nestwalk::tb::core &core, nestwalk::mmu_base &translation, nestwalk::tb::storage &memory);
  ~nw_mmu();

  /** Replays the trace; to be called in the core's thread. False, with a sentence in `error`, when
   * it could not be replayed. */
  bool replay(nw_replay &trace, char error[NW_REPLAY_ERROR]);

  /** Cycles from the end of boot to the end of the trace, by the core's time. */
  double elapsed_cycles() const;
  /** What the core has done in this time. */
  nestwalk::tb::core::counts counted() const;
  /** Register writes and TLB maintenance in this time. */
  std::uint64_t controls() const {
    return controls_;
  }

  /* Called by the functions of model/system's interface. */
  struct nw_physical_memory *create_memory(uint64_t bytes);
  void booted(nw_machine *machine);
  void begin_measuring();
  uint32_t run(const nw_request &request, uint32_t count, nw_result &result);
  bool kernel_access(const nw_request &request, nw_result &result);
  nw_register_status write_register(nw_register reg, std::uint64_t value);
  void invalidate(nw_tlbi operation, std::uint64_t operand);
  void catch_up();

  nestwalk::tb::core &processor;
  nestwalk::mmu_base &module;

  static nw_mmu *running;

private:
  void answer(const sc_core::sc_time &begun, bool good, nw_result &result);

  nestwalk::tb::storage &memory_;
  nw_machine *machine_ = nullptr; /* after boot */
  sc_core::sc_time start_, end_;
  nestwalk::tb::core::counts counts_at_start_, counts_at_end_;
  std::uint64_t accounted_ = 0;          /* cycles of software that the core has computed for */
  sc_core::sc_time transactions_;        /* time in transactions since the start */
  std::uint64_t transaction_cycles_ = 0; /* of these, told to the software */
  std::uint64_t controls_ = 0;
  std::uint32_t stores_ = 0;
};

#endif
