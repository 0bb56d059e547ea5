/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/simulation.h"

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include "platform/platform.h"

#ifdef NW_WITH_RTL
#include <nestwalk/systemc/rtl_mmu.h>
#endif

namespace nestwalk {
namespace tb {

namespace {

struct replay_closer {
  void operator()(nw_replay *replay) const {
    nw_replay_close(replay);
  }
};
using replay_pointer = std::unique_ptr<nw_replay, replay_closer>;

struct waves_closer {
  void operator()(sc_core::sc_trace_file *waves) const {
    sc_core::sc_close_vcd_trace_file(waves);
  }
};

replay_pointer open_replay(const options &chosen) {
  std::vector<const char *> sets;
  char error[NW_REPLAY_ERROR] = "";
  for (const std::string &each : chosen.sets)
    sets.push_back(each.c_str());
  nw_replay_request request = {};
  request.machine = chosen.machine.c_str();
  request.trace = chosen.trace.c_str();
  request.sets = sets.data();
  request.set_count = sets.size();
  request.limit = chosen.references;
  request.mode = chosen.paging;
  replay_pointer replay(nw_replay_open(&request, error));
  if (!replay)
    throw usage_error(error);
  if (nw_replay_config(replay.get())->format > NW_GUEST_LPAE)
    throw usage_error("machine " + chosen.machine +
                      ": found architecture x86-64, expected armv7, the platform's");
  return replay;
}

/* The regime that the software wants: the guest's descriptor format, under nested paging with a
 * stage 2. */
nw_regime_kind regime_of(const nw_machine_config &config, nw_mode paging) {
  const bool nested = paging == NW_MODE_NESTED;
  if (config.format == NW_GUEST_SHORT)
    return nested ? NW_REGIME_ARMV7_SHORT_S2 : NW_REGIME_ARMV7_SHORT;
  return nested ? NW_REGIME_ARMV7_LPAE_S2 : NW_REGIME_ARMV7_LPAE;
}

platform_parameters parameters_of(const options &chosen, const modelling &how,
                                  const nw_machine_config &config) {
  platform_parameters p;
  p.mmu.mmu = config.mmu;
  p.mmu.mmu.regime = regime_of(config, chosen.paging);
  p.mmu.clock_mhz = config.clock_mhz;
  p.mmu.outstanding = std::max(p.mmu.outstanding, chosen.outstanding);
  p.rtl = how.rtl;
  p.processor.how = how.how;
  p.processor.outstanding = chosen.outstanding;
  p.processor.quantum = sc_core::sc_time(chosen.quantum_ns, sc_core::SC_NS);
  p.ideal = chosen.ideal;
  p.walker_cycles = config.memory.dram_latency;
  p.program_cycles = config.program_accesses ? config.memory.dram_latency : 0;
  p.check = chosen.check;
  p.log = chosen.verbose ? &std::cerr : nullptr;
  return p;
}

/* What the memory costs is the platform's to say, not the software's. */
void leave_memory_to_platform(nw_machine_config &config) {
  config.program_accesses = false;
}

/* SystemC appends .vcd, and does not survive a file that cannot be written. */
sc_core::sc_trace_file *create_waves(const std::string &path) {
  const std::string file = path + ".vcd";
  errno = 0;
  if (!std::ofstream(file))
    throw std::runtime_error(file + ": " + std::strerror(errno));
  sc_core::sc_trace_file *waves = sc_core::sc_create_vcd_trace_file(path.c_str());
  waves->set_time_unit(1, sc_core::SC_PS);
  return waves;
}

/* With a waveform the core does not run ahead, so that every transaction has its own time. */
void add_waves(platform_parameters &parameters, sc_core::sc_trace_file *waves) {
  parameters.waves = waves;
  if (waves)
    parameters.processor.quantum = sc_core::SC_ZERO_TIME;
}

std::string line_of(const options &chosen, const modelling &how) {
  return chosen.machine + ", " + how.name + ": " + chosen.trace + "\n";
}

void collect(platform &all, const nw_replay &replay, outcome &seen) {
  const struct nw_mmu_statistics &mmu = all.translation().statistics();
  const bool level2 = all.translation().parameters().mmu.l2.entries > 0;
  seen.references = nw_replay_references(&replay);
  seen.transactions = all.software().counted().transactions;
  seen.direct = all.software().counted().direct;
  seen.misses = level2 ? mmu.l2.misses : mmu.l1i.misses + mmu.l1d.misses;
  seen.walks = mmu.walks;
  seen.controls = all.software().controls();
  seen.faults = 0;
  for (const std::uint64_t each : mmu.faults)
    seen.faults += each;
  seen.cycles = nw_replay_cycles(&replay);
  seen.simulated_cycles = all.software().elapsed_cycles();
  if (const dram *memory = all.dram_rows()) {
    seen.row_hits = memory->rows().hits;
    seen.row_misses = memory->rows().misses;
    seen.row_conflicts = memory->rows().conflicts;
  }
}

/* The sum of the causes has to be the whole. Each is rounded to cycles by itself. */
void check_account(const outcome &seen) {
  const double most = 2;
  if (std::abs(double(seen.cycles) - seen.simulated_cycles) > most)
    throw std::runtime_error("the causes of time add up to " + std::to_string(seen.cycles) +
                             " cycles, the core's time is " +
                             std::to_string(seen.simulated_cycles));
}

void report_violations(const platform &all, outcome &seen) {
  const std::vector<std::string> violations = all.violations();
  for (const std::string &each : violations)
    std::cerr << each << "\n";
  seen.violations = violations.size();
}

/* Boots, says so, replays. */
outcome run(platform &all, nw_replay &replay, const std::string &line) {
  outcome seen = {};
  char error[NW_REPLAY_ERROR] = "";
  bool good = false;
  all.program = [&](platform &) {
    all.print(line);
    all.processor().synchronize();
    const auto begun = std::chrono::steady_clock::now();
    good = all.software().replay(replay, error);
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begun;
    seen.host_seconds = lasted.count();
    collect(all, replay, seen);
  };
  sc_core::sc_start();
  if (!good)
    throw std::runtime_error(error);
  check_account(seen);
  report_violations(all, seen);
  return seen;
}

} // namespace

outcome simulate(const options &chosen, const modelling &how, const std::string &folder) {
  const replay_pointer replay = open_replay(chosen);
  nw_machine_config &config = *nw_replay_config(replay.get());
  platform_parameters parameters = parameters_of(chosen, how, config);
  leave_memory_to_platform(config);
  std::unique_ptr<sc_core::sc_trace_file, waves_closer> waves;
  if (!chosen.waves.empty())
    waves.reset(create_waves(chosen.waves));
  add_waves(parameters, waves.get());

  platform all("platform", parameters);
  const outcome seen = run(all, *replay, line_of(chosen, how));
  if (chosen.verbose)
    std::cerr << "serial port: " << all.serial().sent();
  char error[NW_REPLAY_ERROR] = "";
  if (!folder.empty() && !nw_replay_save(replay.get(), folder.c_str(), error))
    throw std::runtime_error(error);
  return seen;
}

} // namespace tb
} // namespace nestwalk
