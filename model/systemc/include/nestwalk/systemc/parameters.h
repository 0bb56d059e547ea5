/* SPDX-License-Identifier: Apache-2.0 */
/* How an MMU is built: from code, or from one of nestwalk's machine files. */
#ifndef NESTWALK_SYSTEMC_PARAMETERS_H
#define NESTWALK_SYSTEMC_PARAMETERS_H

#include <string>
#include <vector>

#include <nestwalk/mmu.h>

namespace nestwalk {

/** One parameter as it is reported: the name is that of the machine file where there is one. */
struct parameter {
  std::string name;
  std::string value;
  std::string description;
};

struct mmu_parameters {
  /** Upstream sockets, 1 to 256. */
  unsigned ports = 1;

  /** Translation contexts, 1 to 256: sets of registers with a fault record and an interrupt each.
   * Upstream socket i belongs to context i % contexts. All contexts are of one regime and share the
   * TLBs, whose entries are told apart by VMID and ASID alone: as in hardware, software gives
   * contexts that have different tables different ids. */
  unsigned contexts = 1;

  /** Requests by nb_transport that may be between BEGIN_REQ and the end of their response, over all
   * upstream sockets, 1 to 64. One more is left without END_REQ until there is room. */
  unsigned outstanding = 8;

  /** MHz, more than 0 and at most 1000000: the clock in which `mmu`'s cycles are counted. One cycle
   * is 1/clock_mhz us rounded to the simulator's time resolution. */
  double clock_mhz = 1000;

  /** TLBs, walk caches, walkers, the walker's own cycles, and the kind of regime (descriptor format;
   * with or without a stage 2, which is off until HCR.VM is set). rtl_mmu demands the structures and
   * cycles that its RTL was built with; see rtl_mmu.h. */
  nw_mmu_config mmu = default_mmu();

  /** Level-1 TLBs of 32 entries, level 2 of 512 in 4 ways with 4 cycles, both walk caches of 16
   * entries with 1 cycle, one walker, long descriptors with a stage 2. */
  static nw_mmu_config default_mmu();

  /**
   * Takes `clock_mhz` and all of `mmu` from a machine file, given as a path (with a slash, or ending
   * in .yaml) or by the name of a file in the folders of the environment variable
   * NESTWALK_MACHINES (separated by colons) or among those that come with nestwalk. The regime is
   * that of the file's guest format, with a stage 2. `overrides` are "path.to.key=VALUE", the later
   * ones on top. The rest keeps its defaults. Throws std::invalid_argument with a message that names
   * the file, the line, what was found and what was expected.
   */
  static mmu_parameters from_machine_file(const std::string &machine,
                                          const std::vector<std::string> &overrides = {});

  /** Every parameter, in a fixed order. */
  std::vector<parameter> list() const;

  /** Throws std::invalid_argument with a sentence that names the first parameter out of its range.
   * Constructing an MMU does this, too. */
  void check() const;
};

} // namespace nestwalk
#endif
