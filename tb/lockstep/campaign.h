// SPDX-License-Identifier: Apache-2.0
//
// A campaign: random scenarios on several variants, each in a process of its own, until enough walks
// have been compared.
#ifndef NW_TB_LOCKSTEP_CAMPAIGN_H
#define NW_TB_LOCKSTEP_CAMPAIGN_H

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/dut.h"
#include "lockstep/reference.h"
#include "lockstep/scenario.h"

namespace lockstep {

struct Campaign {
  std::vector<const Variant *> variants;
  uint64_t seed = 1;
  uint64_t walks = 300000; // over all variants
  unsigned jobs = 2;       // processes at a time
  std::string machine;     // machine file with the costs
  bool cutting = true;     // a difference is cut down before it is printed
  std::string failure;     // where the arguments that repeat a difference are written, or empty
  std::string coverage;    // folder for the RTL's coverage, or empty
};

// The machine of a variant; ends the program when the file describes none.
nw_mmu_config config_of(const Variant &variant, const std::string &machine);

// Scenario number `index` of a campaign on a variant.
Scenario scenario_of(const Variant &variant, uint64_t seed, uint64_t index);

// Exit status: 0, or 1 when there was a difference, which has been printed.
int run_campaign(const Campaign &campaign);

} // namespace lockstep

#endif
