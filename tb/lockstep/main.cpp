// SPDX-License-Identifier: Apache-2.0
#include "lockstep/campaign.h"
#include "lockstep/lockstep.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <getopt.h>

namespace {

using namespace lockstep;

const char *const usage =
    "Usage: lockstep [OPTION...]\n"
    "Runs random scenarios on the RTL and on the C core and compares them in every cycle.\n"
    "  --variant NAME    of the RTL; may be given several times (default: all)\n"
    "  --walks N         how many walks to compare, over all variants (default: 300000)\n"
    "  --seed N          of the scenarios (default: 1)\n"
    "  --scenario N      run this one alone, and print what differs, not cut down\n"
    "  --trace FILE      with --scenario: the last thousand cycles as an FST waveform\n"
    "                    (lockstep-trace alone has it)\n"
    "  --machine FILE    machine file with the core's costs\n"
    "  --jobs N          processes at a time (default: 2)\n"
    "  --failure FILE    writes the options that repeat a difference to FILE\n"
    "  --coverage DIR    writes the RTL's coverage to DIR/VARIANT.dat (lockstep-coverage alone\n"
    "                    has it)\n"
    "  --no-cutting      prints a difference as it is found\n"
    "  --help\n";

// Cycles before a difference that are worth seeing.
constexpr uint64_t CYCLES_TRACED = 1000;

struct Options {
  Campaign campaign;
  std::optional<uint64_t> scenario;
  std::string trace;
};

[[noreturn]] void refuse(const std::string &message) {
  std::fprintf(stderr, "lockstep: %s\n%s", message.c_str(), usage);
  std::exit(2);
}

uint64_t number(const char *option, const char *text, uint64_t least) {
  char *end = nullptr;
  errno = 0;
  uint64_t value = std::strtoull(text, &end, 0);
  if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < least)
    refuse(std::string("--") + option + ": found '" + text + "', expected a number from " +
           std::to_string(least) + " on");
  return value;
}

const Variant *variant_named(const std::string &name) {
  const Variant *variant = find_variant(name);
  if (!variant) {
    std::string names;
    for (const Variant &v : variants())
      names += std::string(names.empty() ? "" : ", ") + v.name;
    refuse("--variant: found '" + name + "', expected one of " + names);
  }
  return variant;
}

const option long_options[] = {
    {"variant", required_argument, nullptr, 'v'},  {"walks", required_argument, nullptr, 'w'},
    {"seed", required_argument, nullptr, 's'},     {"scenario", required_argument, nullptr, 'c'},
    {"trace", required_argument, nullptr, 't'},    {"machine", required_argument, nullptr, 'm'},
    {"jobs", required_argument, nullptr, 'j'},     {"failure", required_argument, nullptr, 'f'},
    {"coverage", required_argument, nullptr, 'C'}, {"no-cutting", no_argument, nullptr, 'n'},
    {"help", no_argument, nullptr, 'h'},           {}};

// One option, with its argument in `optarg`.
void take_option(Options &o, int letter) {
  switch (letter) {
  case 'v':
    o.campaign.variants.push_back(variant_named(optarg));
    break;
  case 'w':
    o.campaign.walks = number("walks", optarg, 1);
    break;
  case 's':
    o.campaign.seed = number("seed", optarg, 0);
    break;
  case 'c':
    o.scenario = number("scenario", optarg, 0);
    break;
  case 't':
    o.trace = optarg;
    break;
  case 'm':
    o.campaign.machine = optarg;
    break;
  case 'j':
    o.campaign.jobs = static_cast<unsigned>(number("jobs", optarg, 1));
    break;
  case 'f':
    o.campaign.failure = optarg;
    break;
  case 'C':
    o.campaign.coverage = optarg;
    break;
  case 'n':
    o.campaign.cutting = false;
    break;
  default:
    std::fputs(usage, letter == 'h' ? stdout : stderr);
    std::exit(letter == 'h' ? 0 : 2);
  }
}

Options parse(int argc, char **argv) {
  Options o;
  o.campaign.machine = NW_MACHINE_FILE;
  for (int letter; (letter = getopt_long(argc, argv, "", long_options, nullptr)) != -1;)
    take_option(o, letter);
  if (optind < argc)
    refuse(std::string("found '") + argv[optind] + "', expected options alone");
  if (o.campaign.variants.empty())
    for (const Variant &v : variants())
      o.campaign.variants.push_back(&v);
  return o;
}

// A second time, with everything written down from a thousand cycles before the difference on.
void trace(const Options &o, const Variant &variant, const Scenario &scenario, uint64_t cycle) {
  std::unique_ptr<Dut> dut = variant.create();
  Lockstep lockstep(*dut, config_of(variant, o.campaign.machine));
  Tally tally{};
  if (!dut->trace(o.trace, cycle > CYCLES_TRACED ? cycle - CYCLES_TRACED : 0)) {
    std::fprintf(stderr, "lockstep: cannot write '%s' (lockstep-trace alone can trace)\n",
                 o.trace.c_str());
    std::exit(2);
  }
  lockstep.run(scenario, tally);
  std::printf("waveform: %s\n", o.trace.c_str());
}

int run_one(const Options &o) {
  if (o.campaign.variants.size() != 1)
    refuse("--scenario needs one --variant");
  const Variant &variant = *o.campaign.variants[0];
  Scenario scenario = scenario_of(variant, o.campaign.seed, *o.scenario);
  std::unique_ptr<Dut> dut = variant.create();
  Lockstep lockstep(*dut, config_of(variant, o.campaign.machine));
  Tally tally{};
  std::optional<Difference> d = lockstep.run(scenario, tally);
  if (d)
    print_difference(lockstep, scenario);
  if (!o.trace.empty())
    trace(o, variant, scenario, d ? d->cycle : tally.cycles);
  if (!d)
    std::printf("no difference\n%s", to_string(tally).c_str());
  return d ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  Options options = parse(argc, argv);
  return options.scenario ? run_one(options) : run_campaign(options.campaign);
}
