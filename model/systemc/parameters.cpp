/* SPDX-License-Identifier: Apache-2.0 */
#include <nestwalk/systemc/parameters.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

extern "C" {
#include "core/walk_cycles.h"
#include "sim/config.h"
}

namespace nestwalk {

namespace {

constexpr unsigned most_ports = 256;
constexpr unsigned most_contexts = 256;
constexpr unsigned most_outstanding = 64;
constexpr double most_clock_mhz = 1e6;

/* -- names and values ------------------------------------------------------------------------- */

template <typename T> std::string text(const T &value) {
  std::ostringstream out;

  out << value;
  return out.str();
}

const char *policy_name(std::uint8_t policy) {
  switch (policy) {
  case NW_POLICY_LRU:
    return "lru";
  case NW_POLICY_TREE_PLRU:
    return "tree-plru";
  case NW_POLICY_FIFO:
    return "fifo";
  default:
    return "random";
  }
}

void list_structure(std::vector<parameter> &list, const std::string &group,
                    const nw_tlb_config &config, const std::string &what) {
  list.push_back({group + ".entries", text(config.entries), what + ", entries; 0: absent"});
  list.push_back({group + ".ways", text(config.ways), what + ", ways; as many as entries: a CAM"});
  list.push_back({group + ".policy", policy_name(config.policy), what + ", replacement"});
  list.push_back({group + ".latency", text(config.latency), what + ", cycles of a probe"});
}

void list_cycles(std::vector<parameter> &list, const nw_walk_cycles &cycles) {
  const struct {
    const char *name;
    std::uint16_t value;
    const char *description;
  } rows[] = {
      {"begin", cycles.begin, "miss to first step"},
      {"read", cycles.read, "issue and decoding of one descriptor read"},
      {"update", cycles.update, "one descriptor update"},
      {"walk_cache_lookup", cycles.walk_cache_lookup, "walk cache lookup, on top of its latency"},
      {"ipa_cache_lookup", cycles.ipa_cache_lookup, "IPA cache lookup, on top of its latency"},
      {"fill", cycles.fill, "one fill of a walk cache or IPA cache"},
      {"done", cycles.done, "result to requester"},
  };

  for (const auto &row : rows)
    list.push_back({std::string("mmu.cycles.") + row.name, text(row.value),
                    std::string("walker: cycles, ") + row.description});
}

/* -- machine files ---------------------------------------------------------------------------- */

std::vector<std::string> split(const std::string &list) {
  std::istringstream in(list);
  std::vector<std::string> parts;

  for (std::string part; std::getline(in, part, ':');) {
    if (!part.empty())
      parts.push_back(part);
  }
  return parts;
}

std::string find_machine(const std::string &machine) {
  const char *given = std::getenv("NESTWALK_MACHINES");
  std::vector<std::string> folders = split(given != nullptr ? given : "");
  std::vector<const char *> pointers;
  nw_config_error error = {};

  folders.push_back(NW_PKGDATADIR "/machines");
  for (const std::string &folder : folders)
    pointers.push_back(folder.c_str());
  pointers.push_back(nullptr);
  char *found = nw_config_find(machine.c_str(), pointers.data(), &error);
  if (found == nullptr)
    throw std::invalid_argument(error.message);
  std::string path = found;
  std::free(found);
  return path;
}

nw_machine_config load_machine(const std::string &path, const std::vector<std::string> &overrides) {
  std::vector<const char *> sets;
  nw_machine_config config = {};
  nw_config_error error = {};

  for (const std::string &set : overrides)
    sets.push_back(set.c_str());
  if (!nw_config_load(path.c_str(), sets.data(), sets.size(), &config, &error))
    throw std::invalid_argument(error.message);
  return config;
}

/* -- ranges ----------------------------------------------------------------------------------- */

template <typename T> void check_range(const char *name, T value, T least, T most) {
  if (!(value >= least && value <= most)) {
    std::ostringstream message;
    message << name << ": found " << value << ", expected " << least << " to " << most;
    throw std::invalid_argument(message.str());
  }
}

} // namespace

nw_mmu_config mmu_parameters::default_mmu() {
  nw_mmu_config mmu = {};

  mmu.regime = NW_REGIME_ARMV7_LPAE_S2;
  mmu.l1i = mmu.l1d = {32, 32, 0, NW_POLICY_LRU};
  mmu.l2 = {512, 4, 4, NW_POLICY_LRU};
  mmu.walk_cache = mmu.ipa_cache = {16, 16, 1, NW_POLICY_LRU};
  mmu.walkers = 1;
  mmu.cycles = NWI_WALK_CYCLES_DEFAULT;
  mmu.seed = 1;
  return mmu;
}

mmu_parameters mmu_parameters::from_machine_file(const std::string &machine,
                                                 const std::vector<std::string> &overrides) {
  const nw_machine_config config = load_machine(find_machine(machine), overrides);
  mmu_parameters parameters;

  if (config.format > NW_GUEST_LPAE)
    throw std::invalid_argument("machine " + machine +
                                ": found architecture x86-64, expected armv7: the module's "
                                "registers are ARMv7's");
  parameters.clock_mhz = config.clock_mhz;
  parameters.mmu = config.mmu;
  parameters.mmu.regime =
      config.format == NW_GUEST_SHORT ? NW_REGIME_ARMV7_SHORT_S2 : NW_REGIME_ARMV7_LPAE_S2;
  return parameters;
}

std::vector<parameter> mmu_parameters::list() const {
  const char *regime = nw_regime_name(mmu.regime);
  std::vector<parameter> list = {
      {"ports", text(ports), "upstream sockets"},
      {"contexts", text(contexts), "sets of registers; port i belongs to context i % contexts"},
      {"outstanding", text(outstanding), "requests by nb_transport in flight at most"},
      {"core.clock_mhz", text(clock_mhz), "clock of the cycles below, MHz"},
      {"regime", regime != nullptr ? regime : "none", "descriptor format, and whether stage 2"},
  };

  list_structure(list, "mmu.l1i", mmu.l1i, "level-1 instruction TLB");
  list_structure(list, "mmu.l1d", mmu.l1d, "level-1 data TLB");
  list_structure(list, "mmu.l2", mmu.l2, "level-2 TLB");
  list_structure(list, "mmu.walk_cache", mmu.walk_cache, "walk cache");
  list_structure(list, "mmu.ipa_cache", mmu.ipa_cache, "IPA cache");
  list.push_back({"mmu.walkers", text(mmu.walkers), "walks in flight at most"});
  list_cycles(list, mmu.cycles);
  list.push_back({"seed", text(mmu.seed), "of random replacement"});
  return list;
}

void mmu_parameters::check() const {
  check_range("ports", ports, 1u, most_ports);
  check_range("contexts", contexts, 1u, most_contexts);
  check_range("outstanding", outstanding, 1u, most_outstanding);
  if (!(clock_mhz > 0 && clock_mhz <= most_clock_mhz))
    throw std::invalid_argument("core.clock_mhz: found " + text(clock_mhz) +
                                ", expected more than 0 and at most " + text(most_clock_mhz));
  if (nw_regime_name(mmu.regime) == nullptr)
    throw std::invalid_argument("regime: found " + text(static_cast<int>(mmu.regime)) +
                                ", expected one of enum nw_regime_kind");
}

} // namespace nestwalk
