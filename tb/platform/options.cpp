/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/options.h"

#include <algorithm>
#include <cstdlib>

#include <getopt.h>

namespace nestwalk {
namespace tb {

const char options_help[] =
    "Usage: platform -w TRACE [OPTION]...\n"
    "Replay a recorded program on a SystemC platform: core, MMU, interconnect, DRAM, serial port.\n"
    "\n"
    "  -w, --workload=TRACE    a trace that 'nestwalk record' has written\n"
    "  -m, --machine=MACHINE   a machine file, or the name of one in NESTWALK_MACHINES or\n"
    "                          configs/machines (default: teaching); its MMU, clock, kernel and\n"
    "                          hypervisor count, its caches do not: the platform has none\n"
    "      --set=KEY=VALUE     override a key of the machine file; may be given again\n"
    "  -p, --paging=MODE       native or nested (default: nested)\n"
    "      --mode=LIST         of lt, lt-dmi, at, rtl, separated by commas, or all (default: lt);\n"
    "                          rtl needs the machine rtl, and verilator when this was built\n"
    "      --references=N      stop after N references (instructions, loads, stores)\n"
    "      --memory=KIND       dram: banks and rows; ideal: the walker's reads take the machine's\n"
    "                          dram_latency, the program's as much if program_accesses is true,\n"
    "                          else nothing (default: dram)\n"
    "      --outstanding=N     at: instruction fetches in flight, 1 to 64 (default: 1)\n"
    "      --quantum=NS        lt: how far the core may run ahead (default: 10000)\n"
    "      --check             judge every hop by the rules of the base protocol\n"
    "      --vcd=NAME          write a waveform of every hop to NAME.vcd; one mode only\n"
    "  -o, --output=DIR        write stats.txt and stats.json as 'nestwalk run' does\n"
    "  -v, --verbose           one line for each transaction, on standard error\n"
    "      --help              this text\n"
    "\n"
    "Examples:\n"
    "  platform -w sort.nwt -m cortex-a15 --mode all --references 1000000\n"
    "  platform -w sort.nwt -v --references 100 --vcd sort\n"
    "  platform -w sort.nwt --memory ideal --set memory.program_accesses=false -o out\n"
    "      the same figures as: nestwalk run -w sort.nwt -m teaching -p nested -o out\n";

namespace {

constexpr modelling all_styles[] = {
    {"lt", style::lt, false},
    {"lt-dmi", style::lt_dmi, false},
    {"at", style::at, false},
#ifdef NW_WITH_RTL
    {"rtl", style::lt, true},
#endif
};

template <typename number>
number parse_number(const char *option, const char *text, number least, number most) {
  char *end = nullptr;
  const double value = std::strtod(text, &end);
  if (*text < '0' || *text > '9' || *end != '\0' || value < double(least) || value > double(most) ||
      double(number(value)) != value)
    throw usage_error(std::string("--") + option + ": found '" + text +
                      "', expected a number from " + std::to_string(least) + " to " +
                      std::to_string(most));
  return number(value);
}

/* Without verilator there is no rtl. */
std::string style_names() {
  std::string names;
  for (const modelling &each : all_styles)
    names += (names.empty() ? "" : ", ") + std::string(each.name);
  return names;
}

std::vector<const modelling *> parse_styles(const std::string &list) {
  std::vector<const modelling *> chosen;
  if (list == "all") {
    for (const modelling &each : all_styles)
      chosen.push_back(&each);
    return chosen;
  }
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string name = list.substr(at, end - at);
    const modelling *found = nullptr;
    for (const modelling &each : all_styles)
      if (name == each.name)
        found = &each;
    if (!found)
      throw usage_error("--mode: found '" + name + "', expected " + style_names() + " or all");
    chosen.push_back(found);
    at = end + 1;
  }
  return chosen;
}

bool parse_memory(const std::string &kind) {
  if (kind != "dram" && kind != "ideal")
    throw usage_error("--memory: found '" + kind + "', expected dram or ideal");
  return kind == "ideal";
}

enum {
  option_set = 1000,
  option_mode,
  option_references,
  option_memory,
  option_outstanding,
  option_quantum,
  option_check,
  option_vcd,
  option_help
};

void take_option(options &o, int option, const char *value) {
  switch (option) {
  case 'm':
    o.machine = value;
    break;
  case 'w':
    o.trace = value;
    break;
  case 'p':
    if (!nw_replay_mode(value, &o.paging))
      throw usage_error(std::string("-p: found '") + value + "', expected native or nested");
    break;
  case 'o':
    o.output = value;
    break;
  case 'v':
    o.verbose = true;
    break;
  case option_set:
    o.sets.push_back(value);
    break;
  case option_mode:
    o.styles = parse_styles(value);
    break;
  case option_references:
    o.references = parse_number<std::uint64_t>("references", value, 1, std::uint64_t(1) << 52);
    break;
  case option_memory:
    o.ideal = parse_memory(value);
    break;
  case option_outstanding:
    o.outstanding = parse_number<unsigned>("outstanding", value, 1, 64);
    break;
  case option_quantum:
    o.quantum_ns = parse_number<double>("quantum", value, 0, 1e9);
    break;
  case option_check:
    o.check = true;
    break;
  case option_vcd:
    o.waves = value;
    break;
  case option_help:
    o.help = true;
    break;
  default: /* getopt_long has printed what is wrong */
    throw usage_error("see --help");
  }
}

} // namespace

options parse_options(int argc, char **argv) {
  static const struct option longs[] = {
      {"machine", required_argument, nullptr, 'm'},
      {"workload", required_argument, nullptr, 'w'},
      {"paging", required_argument, nullptr, 'p'},
      {"output", required_argument, nullptr, 'o'},
      {"verbose", no_argument, nullptr, 'v'},
      {"set", required_argument, nullptr, option_set},
      {"mode", required_argument, nullptr, option_mode},
      {"references", required_argument, nullptr, option_references},
      {"memory", required_argument, nullptr, option_memory},
      {"outstanding", required_argument, nullptr, option_outstanding},
      {"quantum", required_argument, nullptr, option_quantum},
      {"check", no_argument, nullptr, option_check},
      {"vcd", required_argument, nullptr, option_vcd},
      {"help", no_argument, nullptr, option_help},
      {nullptr, 0, nullptr, 0},
  };
  options o;
  o.styles = {&all_styles[0]};
  for (int option; (option = getopt_long(argc, argv, "m:w:p:o:v", longs, nullptr)) != -1;)
    take_option(o, option, optarg);
  if (o.help)
    return o;
  if (optind < argc)
    throw usage_error(std::string("found '") + argv[optind] + "', expected options only");
  if (o.trace.empty())
    throw usage_error("no trace; expected -w TRACE");
  if (!o.waves.empty() && o.styles.size() > 1)
    throw usage_error("--vcd: found several modes, expected one");
  return o;
}

} // namespace tb
} // namespace nestwalk
