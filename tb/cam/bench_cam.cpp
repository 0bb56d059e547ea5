// SPDX-License-Identifier: Apache-2.0
//
// Drives rtl/nw_cam.sv, in every parameter set of cam_variants.sv, and the C core's store with the
// same random cycles, and compares what they answer: hits, ways, contents, evictions. A run is a
// list of cycles from reset on; one that shows a difference is cut down to cycles that are all
// needed for it, which are printed. Every rule of the store must have been reached: see
// cam_event_name().
//
//   NW_SEED=N     the seed; printed
//   NW_ROUNDS=N   how many runs, of 4000 cycles each
//
// Prints one line in TAP's form for each parameter set.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "Vcam.h"
#include "verilated.h"

#include "reference.h"
#include "support/random.h"

namespace {

constexpr unsigned all_variants = 10;
constexpr unsigned answer_words = 4;
constexpr unsigned cycles_of_a_run = 4000;
constexpr unsigned default_rounds = 40;

using Run = std::vector<cam_cycle>;

// -- random cycles --------------------------------------------------------------------------------

// How wide the keys and tags of a run are spread: narrow ones meet, wide ones fill a large CAM.
struct Spread {
  uint32_t places;     // of each part of a key
  uint32_t tags;       // different ASIDs, VMIDs
  uint32_t sizes;      // the largest page size
  uint32_t drops;      // in a hundred cycles
  uint32_t broad_drop; // of a hundred drops: one that may take much at once
};

class Stimulus {
  static constexpr size_t most_recent = 192;

public:
  explicit Stimulus(uint64_t seed) : random_{seed} {
    static const Spread spreads[] = {
        {2, 2, 6, 12, 30}, {3, 2, 6, 5, 10}, {4, 3, 6, 4, 10}, {16, 1, 1, 2, 1}, {8, 2, 3, 2, 2},
    };
    spread_ = spreads[random_below(&random_, sizeof spreads / sizeof spreads[0])];
  }

  Run run() {
    Run run;
    for (unsigned i = 0; i < cycles_of_a_run; i++)
      run.push_back(cycle());
    return run;
  }

private:
  cam_cycle cycle() {
    cam_cycle c{};
    if (random_chance(&random_, spread_.drops))
      drop(c);
    if (random_chance(&random_, 40))
      install(c);
    else if (random_chance(&random_, 90))
      look_up(c);
    return c;
  }

  // Page, 64 KB, 1 MB, 2 to 16 MB, up to 1 GB and above, each in a few places.
  uint32_t key() {
    static const unsigned lowest_bit[] = {0, 4, 8, 9, 12, 18, 24};
    uint32_t key = 0;
    for (unsigned low : lowest_bit)
      key |= part(low) << low;
    return key & ((1u << 28) - 1);
  }

  // Both ends of a range are more likely than its middle.
  uint32_t part(unsigned low) {
    static const uint32_t width[] = {4, 1, 6, 4};
    uint32_t bits = low == 8 ? width[1] : low == 12 ? width[2] : width[0];
    uint32_t last = (1u << bits) - 1;
    uint32_t value = random_below(&random_, low == 0 || low == 4 ? spread_.places : 2);
    return (random_chance(&random_, 20) ? last - value : value) & last;
  }

  uint8_t asid() {
    return static_cast<uint8_t>(0x5a + random_below(&random_, spread_.tags));
  }

  uint16_t context() {
    uint32_t vmid = 0xa5 + random_below(&random_, spread_.tags);
    uint32_t switches = random_chance(&random_, 80) ? 2 : random_below(&random_, 4);
    return static_cast<uint16_t>(switches << 8 | vmid);
  }

  void install(cam_cycle &c) {
    c.install = true;
    c.install_key = key();
    c.install_size = static_cast<uint8_t>(
        random_chance(&random_, 40) ? 0 : random_below(&random_, spread_.sizes));
    c.install_asid = asid();
    c.install_context = context();
    c.install_global = random_chance(&random_, 20);
    c.install_data = random_bits(&random_);
    if (random_chance(&random_, 20) && !recent_.empty())
      meet(c, random_chance(&random_, 50) ? recent() : latest());
    remember(c);
  }

  // An install at the place of an earlier one, of the same span or another, global or not.
  void meet(cam_cycle &c, const cam_cycle &earlier) {
    c.install_key = earlier.install_key;
    c.install_context = earlier.install_context;
    if (random_chance(&random_, 60))
      c.install_size = earlier.install_size;
  }

  // Half of the lookups aim at what was installed lately, and half of these miss it by one bit of
  // the key, the ASID or the context.
  void look_up(cam_cycle &c) {
    c.lookup = true;
    c.lookup_key = key();
    c.lookup_asid = asid();
    c.lookup_context = context();
    if (recent_.empty() || random_chance(&random_, 50))
      return;
    const cam_cycle &aim = recent();
    uint32_t bit = random_below(&random_, 92);
    c.lookup_key = aim.install_key ^ (bit < 28 ? 1u << bit : 0);
    c.lookup_asid = static_cast<uint8_t>(aim.install_asid ^ (bit - 28 < 8 ? 1u << (bit - 28) : 0));
    c.lookup_context =
        static_cast<uint16_t>(aim.install_context ^ (bit - 36 < 10 ? 1u << (bit - 36) : 0));
  }

  void drop(cam_cycle &c) {
    bool broad = random_chance(&random_, spread_.broad_drop);
    c.drop = true;
    c.drop_by_key = !broad || random_chance(&random_, 30);
    c.drop_by_asid = random_chance(&random_, broad ? 30 : 60);
    c.drop_globals = random_chance(&random_, 50);
    c.drop_by_vmid = random_chance(&random_, broad ? 30 : 80);
    c.drop_key = key();
    c.drop_asid = asid();
    c.drop_vmid = static_cast<uint8_t>(context());
    if (recent_.empty() || random_chance(&random_, 50))
      return;
    const cam_cycle &aim = recent();
    uint32_t bit = random_below(&random_, 88);
    c.drop_key = aim.install_key ^ (bit < 28 ? 1u << bit : 0);
    c.drop_asid = static_cast<uint8_t>(aim.install_asid ^ (bit - 28 < 8 ? 1u << (bit - 28) : 0));
    c.drop_vmid = static_cast<uint8_t>(aim.install_context ^ (bit - 36 < 8 ? 1u << (bit - 36) : 0));
  }

  const cam_cycle &recent() {
    return recent_[random_below(&random_, static_cast<uint32_t>(recent_.size()))];
  }

  const cam_cycle &latest() {
    return recent_[(newest_ + recent_.size() - random_below(&random_, 3)) % recent_.size()];
  }

  void remember(const cam_cycle &c) {
    newest_ = (newest_ + 1) % most_recent;
    if (recent_.size() < most_recent)
      recent_.push_back(c);
    else
      recent_[newest_] = c;
  }

  struct random random_;
  Spread spread_;
  std::vector<cam_cycle> recent_; // what was installed lately, as a ring
  size_t newest_ = most_recent - 1;
};

// -- the two sides --------------------------------------------------------------------------------

class Rtl {
public:
  Rtl() {
    context_.randReset(2); // registers are random before reset, and so are inputs
    context_.fatalOnError(false);
    context_.gotError(false);
    context_.gotFinish(false);
    cam_.clk_i = 0;
    cam_.rst_ni = 1;
    present({});
    cam_.rst_ni = 0;
    cam_.eval();
    cam_.rst_ni = 1;
    cam_.eval();
  }
  ~Rtl() {
    cam_.final();
  }

  bool assertion_failed() const {
    return context_.gotError();
  }

  // Before the clock edge, which finish() makes.
  void present(const cam_cycle &c) {
    cam_.lookup_i = c.lookup;
    cam_.lookup_key_i = c.lookup_key;
    cam_.lookup_asid_i = c.lookup_asid;
    cam_.lookup_context_i = c.lookup_context;
    cam_.install_i = c.install;
    cam_.install_key_i = c.install_key;
    cam_.install_size_i = c.install_size;
    cam_.install_asid_i = c.install_asid;
    cam_.install_context_i = c.install_context;
    cam_.install_global_i = c.install_global;
    cam_.install_data_i = c.install_data;
    cam_.drop_i = c.drop;
    cam_.drop_by_key_i = c.drop_by_key;
    cam_.drop_key_i = c.drop_key;
    cam_.drop_by_asid_i = c.drop_by_asid;
    cam_.drop_asid_i = c.drop_asid;
    cam_.drop_globals_i = c.drop_globals;
    cam_.drop_by_vmid_i = c.drop_by_vmid;
    cam_.drop_vmid_i = c.drop_vmid;
    cam_.eval();
  }

  void finish() {
    cam_.clk_i = 1;
    cam_.eval();
    cam_.clk_i = 0;
    cam_.eval();
  }

  // entries 0: this set is not in the model
  cam_parameters parameters(unsigned variant) {
    uint32_t word = cam_.result_o[variant * answer_words + 3];
    return {word & 0xffff, word >> 16 & 0xff, (word >> 24 & 1) != 0};
  }

  cam_answer answer(unsigned variant) {
    const uint32_t word = cam_.result_o[variant * answer_words];
    cam_answer a{};
    a.hit = word & 1;
    a.hit_size = word >> 1 & 7;
    a.hit_way = static_cast<uint8_t>(word >> 4);
    a.evict = word >> 12 & 1;
    a.install_way = static_cast<uint8_t>(word >> 13);
    a.hit_data = cam_.result_o[variant * answer_words + 1] |
                 static_cast<uint64_t>(cam_.result_o[variant * answer_words + 2]) << 32;
    return a;
  }

private:
  // Verilator's code keeps some of its state here whatever the model has been given.
  VerilatedContext &context_ = *Verilated::defaultContextp();
  Vcam cam_{&context_};
};

struct ReferenceDeleter {
  void operator()(cam_reference *reference) const {
    cam_reference_destroy(reference);
  }
};
using Reference = std::unique_ptr<cam_reference, ReferenceDeleter>;

bool same(const cam_answer &a, const cam_answer &b) {
  return a.hit == b.hit && a.hit_way == b.hit_way && a.hit_size == b.hit_size &&
         a.hit_data == b.hit_data && a.evict == b.evict && a.install_way == b.install_way;
}

// -- a run ----------------------------------------------------------------------------------------

struct Difference {
  bool found = false;
  unsigned variant = 0;
  size_t cycle = 0;
  bool assertion = false;
  cam_answer rtl{}, core{};
};

using Events = std::vector<std::vector<uint64_t>>; // of each variant

Reference make_reference(const cam_parameters &parameters) {
  if (parameters.entries == 0)
    return nullptr;
  Reference reference(cam_reference_create(&parameters));
  if (!reference) {
    std::fprintf(stderr, "bench_cam: no memory\n");
    std::exit(1);
  }
  return reference;
}

Difference compare(Rtl &rtl, const std::vector<Reference> &references, const cam_cycle &cycle) {
  Difference difference;
  for (unsigned v = 0; v < all_variants; v++) {
    if (!references[v])
      continue;
    cam_answer core = cam_reference_cycle(references[v].get(), &cycle);
    cam_answer answer = rtl.answer(v);
    if (!difference.found && !same(core, answer))
      difference = {true, v, 0, false, answer, core};
  }
  return difference;
}

void add_events(const std::vector<Reference> &references, Events &events) {
  for (unsigned v = 0; v < all_variants; v++)
    for (unsigned e = 0; references[v] && e < CAM_EVENTS; e++)
      events[v][e] += cam_reference_events(references[v].get())[e];
}

// From reset to the first difference or the end.
Difference play(const Run &run, Events *events) {
  Rtl rtl;
  std::vector<Reference> references;
  for (unsigned v = 0; v < all_variants; v++)
    references.push_back(make_reference(rtl.parameters(v)));
  Difference difference;
  for (size_t i = 0; i < run.size() && !difference.found; i++) {
    rtl.present(run[i]);
    difference = compare(rtl, references, run[i]);
    rtl.finish();
    if (rtl.assertion_failed() && !difference.found)
      difference = {true, 0, 0, true, {}, {}};
    difference.cycle = i;
  }
  if (events != nullptr)
    add_events(references, *events);
  return difference;
}

// Takes out ever smaller stretches of cycles, as long as some difference remains.
Run cut(Run run) {
  run.resize(play(run, nullptr).cycle + 1);
  for (size_t stretch = run.size() / 2; stretch > 0; stretch /= 2) {
    for (size_t first = 0; first + stretch <= run.size();) {
      Run shorter(run);
      auto begin = shorter.begin() + static_cast<Run::difference_type>(first);
      shorter.erase(begin, begin + static_cast<Run::difference_type>(stretch));
      Difference difference = play(shorter, nullptr);
      if (difference.found) {
        shorter.resize(difference.cycle + 1);
        run = shorter;
      } else {
        first += stretch;
      }
    }
  }
  return run;
}

// -- reporting ------------------------------------------------------------------------------------

std::string words(const cam_parameters &p) {
  return std::to_string(p.entries) + (p.entries == 1 ? " entry, " : " entries, ") +
         (p.entries <= 64 ? "LRU, " : "tree-PLRU, ") + std::to_string(p.key_width) + "-bit keys, " +
         (p.nested ? "nested" : "disjoint") + " spans";
}

void print(const cam_cycle &c) {
  if (c.drop)
    std::printf("#   drop%s key=%07x%s asid=%02x globals=%d%s vmid=%02x\n",
                c.drop_by_key ? " by" : "", c.drop_key, c.drop_by_asid ? " by" : "", c.drop_asid,
                c.drop_globals, c.drop_by_vmid ? " by" : "", c.drop_vmid);
  if (c.install)
    std::printf("#   install key=%07x size=%u asid=%02x context=%03x global=%d data=%016" PRIx64
                "\n",
                c.install_key, c.install_size, c.install_asid, c.install_context, c.install_global,
                c.install_data);
  if (c.lookup)
    std::printf("#   lookup key=%07x asid=%02x context=%03x\n", c.lookup_key, c.lookup_asid,
                c.lookup_context);
}

void print(const char *side, const cam_answer &a) {
  std::printf("#   %s hit=%d way=%u size=%u data=%016" PRIx64 " evict=%d install_way=%u\n", side,
              a.hit, a.hit_way, a.hit_size, a.hit_data, a.evict, a.install_way);
}

void report(const Run &run, const Difference &difference, uint64_t seed) {
  std::printf("not ok - NW_SEED=%" PRIu64 " NW_ROUNDS=1 shows a difference; these %zu cycles do:\n",
              seed, run.size());
  for (const cam_cycle &cycle : run)
    print(cycle);
  if (difference.assertion) {
    std::printf("# an assertion of the RTL fails\n");
    return;
  }
  std::printf("# the last of them, with %s:\n",
              words(Rtl().parameters(difference.variant)).c_str());
  print("RTL ", difference.rtl);
  print("core", difference.core);
}

// Complains about every event that can happen and has not.
bool reached_everything(const cam_parameters &parameters, const std::vector<uint64_t> &events) {
  bool all = true;
  for (unsigned e = 0; e < CAM_EVENTS; e++) {
    if (!cam_event_can_happen(e, &parameters) || events[e] != 0)
      continue;
    char name[80];
    cam_event_name(e, name, sizeof name);
    std::printf("# never: %s\n", name);
    all = false;
  }
  return all;
}

bool report_coverage(const Events &events) {
  Rtl rtl;
  bool all = true;
  for (unsigned v = 0; v < all_variants; v++) {
    cam_parameters parameters = rtl.parameters(v);
    if (parameters.entries == 0)
      continue;
    bool reached = reached_everything(parameters, events[v]);
    std::printf("%s %u - %s\n", reached ? "ok" : "not ok", v + 1, words(parameters).c_str());
    all = all && reached;
  }
  return all;
}

unsigned rounds() {
  const char *given = std::getenv("NW_ROUNDS");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 0)) : default_rounds;
}

} // namespace

int main() {
  uint64_t seed = random_from_seed("bench_cam").state;
  Events events(all_variants, std::vector<uint64_t>(CAM_EVENTS));
  for (unsigned round = 0; round < rounds(); round++, seed++) {
    Run run = Stimulus(seed).run();
    if (!play(run, &events).found)
      continue;
    run = cut(run);
    report(run, play(run, nullptr), seed);
    return 1;
  }
  return report_coverage(events) ? 0 : 1;
}
