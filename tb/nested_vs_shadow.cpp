// SPDX-License-Identifier: Apache-2.0
//
// What the RTL needs for a TLB hit, for a walk of a shadow table and for a nested walk, in cycles, for
// every pair of page sizes: the cost that shadow paging avoids, measured on the hardware. Beside each
// number stands the C core's under the RTL's machine file.
//
// A shadow table maps VAs to PAs in the guest's own format, by the largest page that neither the
// guest's page nor the hypervisor's is smaller than. `cold`: the first translation after reset.
// `warm`: after one of the next page, which leaves the tables on the way in the walk cache and the
// IPA cache.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include <getopt.h>

#include "lockstep/campaign.h"

extern "C" {
#include "core/format.h"
}

namespace {

using namespace lockstep;

// -- memory and tables ---------------------------------------------------------------------------

class Memory {
public:
  void write(uint64_t address, unsigned size, uint64_t value) {
    for (unsigned at = 0; at < size; at += 4)
      words_[address + at] = static_cast<uint32_t>(value >> 8 * at);
  }
  uint64_t read(uint64_t address, unsigned size) const {
    uint64_t value = 0;
    for (unsigned at = 0; at < size; at += 4) {
      auto word = words_.find(address + at);
      value |= word == words_.end() ? 0 : static_cast<uint64_t>(word->second) << 8 * at;
    }
    return value;
  }

private:
  std::unordered_map<uint64_t, uint32_t> words_;
};

// One stage's tables, with a root that covers `input_bits`; each new table takes 16 KB.
class Tables {
public:
  // Where the walker finds what it calls `address` by: an IPA under stage 2.
  Tables(Memory &memory, const nw_format &format, unsigned input_bits, uint64_t root,
         uint64_t moved_by)
      : memory_(memory), format_(format), input_bits_(input_bits), root_(root), next_(root),
        moved_by_(moved_by) {
    new_table();
  }
  void map(uint64_t address, uint64_t output, unsigned page_log2);
  uint64_t first() const {
    return root_;
  }
  uint64_t end() const {
    return next_;
  }

private:
  uint64_t new_table() {
    uint64_t table = next_;
    next_ += 0x4000;
    return table;
  }
  void put_leaf(uint64_t address, unsigned level, uint64_t descriptor);

  Memory &memory_;
  const nw_format &format_;
  unsigned input_bits_;
  uint64_t root_, next_, moved_by_;
};

void Tables::put_leaf(uint64_t address, unsigned level, uint64_t descriptor) {
  unsigned bytes = format_.descriptor_bytes, top = input_bits_;
  uint64_t table = root_;
  for (unsigned at = 1;; top = format_.shift[at++]) {
    uint64_t index = (address & ((1ull << top) - 1)) >> format_.shift[at];
    uint64_t place = table + index * bytes + moved_by_;
    if (at == level)
      return memory_.write(place, bytes, descriptor);
    if (memory_.read(place, bytes) == 0)
      memory_.write(place, bytes, format_.encode_table(static_cast<uint8_t>(at), new_table(), 0));
    table = memory_.read(place, bytes) & 0xfffffffc00;
  }
}

void Tables::map(uint64_t address, uint64_t output, unsigned page_log2) {
  uint64_t offset = (1ull << page_log2) - 1;
  nwi_leaf leaf = {};
  leaf.output = output & ~offset;
  leaf.page_log2 = static_cast<uint8_t>(page_log2);
  leaf.readable = leaf.writable = leaf.executable = leaf.user = true;
  unsigned level = format_.leaf_level(leaf.page_log2);
  for (uint64_t at = 0; at <= offset; at += 1ull << format_.shift[level])
    put_leaf((address & ~offset) + at, level, format_.encode_leaf(&leaf));
}

// -- a machine -----------------------------------------------------------------------------------

// VAs are translated to the same IPAs, and these to PAs 4 GB above.
constexpr uint64_t VA = 0x40000000, STAGE1_ROOT = 0x20000000;
constexpr uint64_t MOVED_BY = 0x100000000, STAGE2_ROOT = 0x8000000000;

struct Format {
  const char *name;
  const nw_format *format;
  bool lpae;
  std::vector<unsigned> sizes;
};

struct Setup {
  Memory memory;
  uint64_t registers[NW_REGISTERS] = {};
};

// VA and the page after it, in pages of 2^page_log2 bytes.
Tables map_stage1(Setup &setup, const Format &format, unsigned page_log2, uint64_t moved_by) {
  Tables tables(setup.memory, *format.format, 32, STAGE1_ROOT, moved_by);
  for (uint64_t page = 0; page < 2; page++)
    tables.map(VA + (page << page_log2), VA + (page << page_log2), page_log2);
  setup.registers[NW_REG_TTBCR] = format.lpae ? 1u << 31 : 0;
  setup.registers[NW_REG_TTBR0] = STAGE1_ROOT;
  setup.registers[NW_REG_DACR] = 1;
  setup.registers[NW_REG_PRRR_MAIR0] = NWI_ENCODER_MAIR0;
  setup.registers[NW_REG_SCTLR] = 1;
  return tables;
}

Setup shadow(const Format &format, unsigned page_log2) {
  Setup setup;
  map_stage1(setup, format, page_log2, 0);
  return setup;
}

// All that the walks go through is mapped by stage-2 pages of one size. IPAs have 40 bits.
Setup nested(const Format &format, unsigned s1_log2, unsigned s2_log2) {
  Setup setup;
  Tables stage1 = map_stage1(setup, format, s1_log2, MOVED_BY);
  Tables stage2(setup.memory, nwi_format_lpae_s2, 40, STAGE2_ROOT, 0);
  auto map = [&](uint64_t ipa) { stage2.map(ipa, ipa + MOVED_BY, s2_log2); };
  for (uint64_t at = stage1.first(); at < stage1.end(); at += 0x1000)
    map(at);
  for (uint64_t page = 0; page < 2; page++)
    map(VA + (page << s1_log2));
  setup.registers[NW_REG_VTCR] = 0x58; // SL0 = 1, T0SZ = -8
  setup.registers[NW_REG_VTTBR] = STAGE2_ROOT;
  setup.registers[NW_REG_HCR] = 1;
  return setup;
}

// -- measuring -----------------------------------------------------------------------------------

struct Cycles {
  uint64_t rtl, core;
};

// Both MMUs over one memory.
class Pair {
public:
  Pair(Dut &dut, nw_mmu_config config, const Setup &setup, uint32_t latency);
  ~Pair() {
    nw_mmu_destroy(mmu_);
  }
  Pair(const Pair &) = delete;
  Pair &operator=(const Pair &) = delete;
  Cycles translate(uint64_t va);
  unsigned reads() const {
    return reads_;
  } // of the translation made last

private:
  static bool read(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles);
  uint64_t translate_rtl(uint64_t va);
  uint64_t translate_core(uint64_t va);

  Dut &dut_;
  const Setup &setup_;
  uint32_t latency_;
  nw_mmu *mmu_;
  unsigned reads_ = 0;
};

Pair::Pair(Dut &dut, nw_mmu_config config, const Setup &setup, uint32_t latency)
    : dut_(dut), setup_(setup), latency_(latency) {
  char error[200];
  config.regime =
      setup.registers[NW_REG_TTBCR] ? NW_REGIME_ARMV7_LPAE_S2 : NW_REGIME_ARMV7_SHORT_S2;
  mmu_ = nw_mmu_create(&config, error, sizeof error);
  if (!mmu_) {
    std::fprintf(stderr, "nested_vs_shadow: %s\n", error);
    std::exit(2);
  }
  dut_.reset();
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++) {
    nw_inputs in = {};
    nw_outputs out;
    in.ctrl_valid = true;
    in.ctrl_select = static_cast<uint8_t>(reg);
    in.ctrl_data = setup.registers[reg];
    dut_.cycle(in, out);
    nw_mmu_write_register(mmu_, reg, setup.registers[reg]);
  }
}

bool Pair::read(void *context, uint64_t pa, unsigned size, uint64_t *data, uint32_t *cycles) {
  auto *pair = static_cast<Pair *>(context);
  *data = pair->setup_.memory.read(pa, size);
  *cycles = pair->latency_;
  return true;
}

uint64_t Pair::translate_core(uint64_t va) {
  nw_memory memory = {this, read, nullptr};
  nw_request request = {va, NW_READ, NW_PRIVILEGED, false};
  nw_result result;
  if (!nw_mmu_translate(mmu_, &request, &memory, &result)) {
    std::fprintf(stderr, "nested_vs_shadow: a fault at 0x%" PRIx64 "\n", va);
    std::exit(2);
  }
  reads_ = result.walk_reads;
  return result.cycles;
}

uint64_t Pair::translate_rtl(uint64_t va) {
  nw_inputs in = {};
  nw_outputs out;
  uint32_t left = 0; // cycles until memory responds
  in.req_valid = in.rsp_ready = in.mem_req_ready = true;
  in.req_va = static_cast<uint32_t>(va);
  in.req_access = NW_READ;
  in.req_privileged = true;
  do {
    in.mem_rsp_valid = left == 1;
    dut_.cycle(in, out);
    in.req_valid = in.req_valid && !out.req_ready_o;
    left -= left > 0;
    if (out.mem_req_valid_o) {
      left = latency_;
      in.mem_rsp_data = setup_.memory.read(out.mem_req_addr_o, out.mem_req_size_o ? 8 : 4);
    }
  } while (!out.rsp_valid_o);
  return out.cycles;
}

Cycles Pair::translate(uint64_t va) {
  return {translate_rtl(va), translate_core(va)};
}

struct Walk {
  Cycles cold, warm, hit;
  unsigned reads_cold, reads_warm;
};

class Bench {
public:
  Bench(const Variant &variant, const std::string &machine, uint32_t latency)
      : dut_(variant.create()), config_(config_of(variant, machine)), latency_(latency) {
  }
  Walk measure(const Setup &setup, unsigned page_log2);

private:
  std::unique_ptr<Dut> dut_;
  nw_mmu_config config_;
  uint32_t latency_;
};

Walk Bench::measure(const Setup &setup, unsigned page_log2) {
  Walk walk;
  {
    Pair pair(*dut_, config_, setup, latency_);
    walk.cold = pair.translate(VA);
    walk.reads_cold = pair.reads();
    walk.hit = pair.translate(VA + 4);
  }
  Pair pair(*dut_, config_, setup, latency_);
  pair.translate(VA + (1ull << page_log2));
  walk.warm = pair.translate(VA);
  walk.reads_warm = pair.reads();
  return walk;
}

// -- the table -----------------------------------------------------------------------------------

std::string size_name(unsigned log2) {
  return log2 < 20   ? std::to_string(1u << (log2 - 10)) + "K"
         : log2 < 30 ? std::to_string(1u << (log2 - 20)) + "M"
                     : std::to_string(1u << (log2 - 30)) + "G";
}

// The largest page of a format that is not larger.
unsigned largest_within(const Format &format, unsigned log2) {
  unsigned largest = format.sizes[0];
  for (unsigned size : format.sizes)
    largest = size <= log2 ? size : largest;
  return largest;
}

bool print_cycles(const Cycles &c) {
  std::printf("  %4" PRIu64 " |%4" PRIu64, c.rtl, c.core);
  return c.rtl == c.core;
}

bool print_walk(const Walk &walk) {
  bool same = print_cycles(walk.cold);
  std::printf(" (%2u)", walk.reads_cold);
  same &= print_cycles(walk.warm);
  std::printf(" (%2u)", walk.reads_warm);
  return same;
}

bool print_pair(Bench &bench, const Format &format, unsigned s1, unsigned s2) {
  unsigned page = largest_within(format, s1 < s2 ? s1 : s2);
  Walk shadowed = bench.measure(shadow(format, page), page);
  Walk two_stage = bench.measure(nested(format, s1, s2), s1);
  std::printf("%-5s %4s over %-3s", format.name, size_name(s1).c_str(), size_name(s2).c_str());
  bool same = print_cycles(two_stage.hit);
  same &= print_walk(shadowed);
  same &= print_walk(two_stage);
  std::printf("  %s\n", same ? "" : "DIFFERENT");
  return same;
}

bool print_table(Bench &bench, uint32_t latency, const Variant &variant) {
  const Format formats[] = {{"short", &nwi_format_armv7_short, false, {12, 16, 20, 24}},
                            {"long", &nwi_format_lpae_s1, true, {12, 21, 30}}};
  const uint32_t *entries = variant.entries.of;
  bool same = true;
  std::printf("Cycles of a translation, RTL | C core; in brackets the descriptors read.\n"
              "A descriptor read takes memory %" PRIu32 " cycles. Entries: L1 %" PRIu32
              ", walk cache %" PRIu32 ", IPA cache %" PRIu32 ".\n\n"
              "%19s%12s%17s%17s%17s%17s\n%19s%12s%17s%17s%17s%17s\n",
              latency, entries[NW_L1D], entries[NW_WALK], entries[NW_IPA], "page sizes", "TLB hit",
              "shadow walk", "", "nested walk", "", "", "", "cold", "warm", "cold", "warm");
  for (const Format &format : formats)
    for (unsigned s1 : format.sizes)
      for (unsigned s2 : {12u, 21u, 30u})
        same &= print_pair(bench, format, s1, s2);
  return same;
}

// -- the command ---------------------------------------------------------------------------------

const char *const usage =
    "Usage: nested_vs_shadow [--latency CYCLES] [--machine FILE]\n"
    "Prints what a TLB hit, a shadow walk and a nested walk cost the RTL and the C core.\n"
    "  --latency CYCLES  of a descriptor read, 1 to 100000 (default: 10)\n"
    "  --machine FILE    machine file with the core's costs\n";

uint32_t latency_of(const char *text) {
  char *end = nullptr;
  errno = 0;
  unsigned long value = std::strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 100000) {
    std::fprintf(stderr, "nested_vs_shadow: --latency: found '%s', expected 1 to 100000\n", text);
    std::exit(2);
  }
  return static_cast<uint32_t>(value);
}

} // namespace

int main(int argc, char **argv) {
  static const option options[] = {{"latency", required_argument, nullptr, 'l'},
                                   {"machine", required_argument, nullptr, 'm'},
                                   {"help", no_argument, nullptr, 'h'},
                                   {}};
  uint32_t latency = 10;
  std::string machine = NW_MACHINE_FILE;
  for (int c; (c = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (c == 'l') {
      latency = latency_of(optarg);
    } else if (c == 'm') {
      machine = optarg;
    } else {
      std::fputs(usage, c == 'h' ? stdout : stderr);
      return c == 'h' ? 0 : 2;
    }
  }
  if (optind < argc) {
    std::fputs(usage, stderr);
    return 2;
  }
  const Variant &variant = *find_variant("default");
  Bench bench(variant, machine, latency);
  return print_table(bench, latency, variant) ? 0 : 1;
}
