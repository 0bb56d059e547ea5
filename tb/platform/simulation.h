/* SPDX-License-Identifier: Apache-2.0 */
/* One simulation of the platform: a trace replayed in one style of modelling. */
#ifndef NESTWALK_TB_SIMULATION_H
#define NESTWALK_TB_SIMULATION_H

#include <string>

#include "platform/options.h"

namespace nestwalk {
namespace tb {

/* What has been seen. Plain data: it goes from process to process as it is. */
struct outcome {
  std::uint64_t references;    /* instructions, loads and stores of the trace */
  std::uint64_t transactions;  /* of the core */
  std::uint64_t direct;        /* accesses by direct memory */
  std::uint64_t misses;        /* of the last TLB level: what makes walks */
  std::uint64_t walks, faults; /* of the MMU */
  std::uint64_t cycles;        /* sum of the software's account */
  double simulated_cycles;     /* the core's own time */
  double host_seconds;         /* of the replay */
  std::uint64_t controls;      /* register writes and TLB maintenance */
  std::uint64_t row_hits, row_misses, row_conflicts; /* of DRAM, boot included */
  unsigned long violations;                          /* of the base protocol */
};

/** Simulates; a process can do it once. Throws std::exception with a sentence when the trace cannot
 * be replayed on this machine, and usage_error when machine or trace are bad. */
outcome simulate(const options &chosen, const modelling &how, const std::string &folder);

} // namespace tb
} // namespace nestwalk

#endif
