// SPDX-License-Identifier: Apache-2.0
//
// Random scenarios. Both descriptor formats are planned over one stage 2, so that TTBCR.EAE can be
// switched in the middle. Few distinct pages are asked for, most of them pages that translate, so
// that TLBs and caches hit and walks go deep; registers change between a few values each, so that
// what was true before comes back.
#include "lockstep/scenario.h"

#include "lockstep/dice.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace lockstep {

namespace {

constexpr uint32_t HCR_VM = 1u << 0, HCR_PTW = 1u << 2, HCR_DC = 1u << 12;
constexpr uint32_t SCTLR_M = 1u << 0, SCTLR_I = 1u << 12, SCTLR_WXN = 1u << 19,
                   SCTLR_UWXN = 1u << 20, SCTLR_EE = 1u << 25, SCTLR_TRE = 1u << 28,
                   SCTLR_AFE = 1u << 29;
constexpr uint32_t TTBCR_PD0 = 1u << 4, TTBCR_PD1 = 1u << 5, TTBCR_EPD0 = 1u << 7,
                   TTBCR_A1 = 1u << 22, TTBCR_EPD1 = 1u << 23;
constexpr unsigned ASID_SHIFT = 48; // of a long-descriptor TTBR, and of the VMID in VTTBR

using Registers = std::array<uint64_t, NW_REGISTERS>;

// What a scenario is like, as a whole: chances in percent.
struct Character {
  unsigned requests;
  unsigned pages;
  unsigned burst;       // a request comes at once
  unsigned held;        // a response is not taken at once
  unsigned registers;   // after a request, a register is written
  unsigned maintenance; // after a request, something is invalidated
  unsigned pokes;       // after a request, a descriptor changes
  unsigned astray;      // a request is for any page whatever
  bool devices;         // stage 2 has much Device memory, and HCR.PTW is switched
};

class Maker {
public:
  Maker(uint64_t seed, unsigned entries) : dice_{seed}, entries_(entries) {
  }
  Scenario make();

private:
  bool chance(unsigned percentage) {
    return percent(&dice_, percentage);
  }
  uint32_t pick(uint32_t limit) {
    return below(&dice_, limit);
  }
  uint64_t bits(uint64_t mask) {
    return any_bits(&dice_, mask);
  }

  void choose_character();
  void choose_manners();
  void plan_tables();
  void make_devices(tree_table &table, unsigned level);
  void make_devices(struct stage2 &stage2);
  void spoil(std::vector<uint8_t> &bytes);
  void set_registers();
  uint64_t random_mair();
  uint64_t random_dacr();
  uint64_t random_sctlr();
  uint64_t random_hcr();
  uint64_t tag_bits() {
    return static_cast<uint64_t>(asids_[pick(3)]) << ASID_SHIFT;
  }
  uint64_t random_root(bool lpae, unsigned which);
  uint64_t below_root(unsigned start_level, unsigned input_bits);
  uint64_t ttbr(bool lpae, unsigned which);
  uint64_t random_ttbcr();
  uint64_t random_vtcr();

  uint32_t random_va();
  uint32_t edge(uint32_t va);
  bool plain_walk(uint32_t va, nw_result &result);
  unsigned permitted(uint32_t va);
  void choose_pages();

  void add(const Operation &operation) {
    scenario_.operations.push_back(operation);
  }
  uint32_t control_delay();
  uint64_t other_value(unsigned reg);
  void write(unsigned reg, uint64_t value);
  void switch_format();
  void add_register_write();
  void add_maintenance();
  void add_poke();
  void add_request();
  void choose_access(Operation &request, unsigned ways);

  dice dice_;
  unsigned entries_;
  Scenario scenario_{};
  Character character_{};
  bool lpae_ = false;
  struct stage1 stage1_[2] = {}; // short, long
  nw_regime regime_{};           // of the first registers
  std::array<uint32_t, 3> asids_{}, vmids_{};
  struct Page {
    uint32_t va;
    unsigned permitted; // bit 3 * privilege + access
  };
  std::vector<Page> pages_;
  size_t window_ = 0;             // the pages from here on are asked for at the moment
  Registers base_{};              // what registers come back to
  std::vector<unsigned> changed_; // registers that have another value than at first
};

// -- character -----------------------------------------------------------------------------------

void Maker::choose_character() {
  static const unsigned pages[] = {3, 6, 12, 24, 48};
  bool filling = chance(15); // more pages than the largest TLB has entries
  character_.requests = filling ? 3 * entries_ + 100 : 60 + pick(300);
  character_.pages = filling ? entries_ + 20 + pick(entries_) : pages[pick(5)];
  character_.burst = chance(50) ? 90 : 30;
  character_.held = chance(50) ? 0 : 30;
  character_.registers = filling ? pick(3) : chance(40) ? 3 : pick(25);
  character_.maintenance = filling ? pick(2) : chance(40) ? 2 : pick(30);
  character_.pokes = chance(60) ? 0 : pick(15);
  character_.astray = chance(70) ? 3 : 25;
  character_.devices = chance(12);
  if (character_.devices)
    character_.registers = 20;
  for (unsigned i = 0; i < 3; i++) {
    asids_[i] = pick(256);
    vmids_[i] = pick(256);
  }
  vmids_[2] = vmids_[0] ^ 1u << vmids_[2] % 8; // tags are compared in every bit
}

void Maker::choose_manners() {
  MemoryManners &m = scenario_.manners;
  m.stall_percent = chance(50) ? 0 : 40;
  m.most_stalls = 1 + pick(4);
  m.most_latency = chance(60) ? 1 + pick(3) : 1 + pick(24);
  m.error_permille = chance(70) ? 0 : 1 + pick(60);
}

// -- registers -----------------------------------------------------------------------------------

// Any byte whatever, but mostly Normal memory with allocation hints.
uint64_t Maker::random_mair() {
  uint64_t value = bits(0xffffffff);
  for (unsigned i = 0; i < 4; i++)
    if (chance(40))
      value &= ~(0xffull << 8 * i) | 0x04ull << 8 * i; // Strongly-ordered, Device
  return value;
}

uint64_t Maker::random_dacr() {
  uint64_t value = bits(0xffffffff);
  if (chance(45))
    return 0x55555555;
  return chance(60) ? value | 0x55555555 : value; // clients and managers, or anything
}

uint64_t Maker::random_sctlr() {
  uint64_t value = bits(SCTLR_I | SCTLR_TRE);
  value |= chance(30) ? SCTLR_AFE : 0;
  value |= chance(20) ? SCTLR_WXN : 0;
  value |= chance(20) ? SCTLR_UWXN : 0;
  value |= stage1_[0].big_endian ? SCTLR_EE : 0;
  return value | (chance(95) ? SCTLR_M : 0);
}

uint64_t Maker::random_hcr() {
  uint64_t value = chance(35) ? HCR_PTW : 0;
  if (chance(5))
    return value | HCR_DC | (chance(50) ? HCR_VM : 0);
  return chance(65) ? value | HCR_VM : value;
}

// Bits of a long root's address that are not looked at, since the table is larger. A small table
// stands at a multiple of 64 bytes (one of 16 bytes: of 32); now and then it is looked for beside.
uint64_t Maker::below_root(unsigned start_level, unsigned input_bits) {
  unsigned covered = start_level == 1 ? 30 : 21;
  uint64_t size = 8ull << (std::max(input_bits, covered) - covered);
  return bits(size - 1) | (chance(20) ? bits(0x30) : 0);
}

// A planned root with any ASID. Bits that are not looked at are whatever they are, above the address,
// too; the smallest short table has 128 bytes.
uint64_t Maker::ttbr(bool lpae, unsigned which) {
  constexpr uint64_t low = 0xffffffff, asid = 0xffull << ASID_SHIFT;
  const struct stage1 &s = stage1_[lpae];
  uint64_t root = s.ttbr[which];
  if (!lpae)
    return (root & low) | bits(~low | 0x7f);
  unsigned input_bits = s.input_bits[which];
  return (root & ~asid) | tag_bits() | bits(0xff00ff0000000000) |
         below_root(input_bits > 30 ? 1 : 2, input_bits);
}

// The planned root, the other one, or one with a bit turned over.
uint64_t Maker::random_root(bool lpae, unsigned which) {
  uint64_t value = ttbr(lpae, chance(70) ? which : 1 - which);
  return chance(5) ? value ^ 1ull << pick(40) : value;
}

uint64_t Maker::random_ttbcr() {
  uint64_t value = stage1_[lpae_].ttbcr;
  switch (pick(4)) {
  case 0:
    return value ^ (lpae_ ? TTBCR_EPD0 : TTBCR_PD0);
  case 1:
    return value ^ (lpae_ ? TTBCR_EPD1 : TTBCR_PD1);
  case 2: // other sizes of the roots, with the tables as they are
    return (value & ~0x70007ull) | bits(lpae_ ? 0x70007 : 7);
  default:
    return lpae_ ? value ^ TTBCR_A1 : value;
  }
}

// Every shape, those that are inconsistent included: often one that just fails to be consistent, 30
// bits from level 1, 35 bits from level 2, the reserved SL0 of 2 with 32 bits.
uint64_t Maker::random_vtcr() {
  constexpr uint64_t shape = 0xdf; // SL0, S, T0SZ
  static const uint8_t inconsistent[] = {0x42, 0x1d, 0x80};
  uint64_t value = bits(0xffffffff);
  return chance(50) ? value : (value & ~shape) | inconsistent[pick(3)];
}

void Maker::set_registers() {
  Registers &r = scenario_.registers;
  const struct stage1 &s = stage1_[lpae_];
  r[NW_REG_TTBCR] = s.ttbcr;
  for (unsigned i = 0; i < 2; i++)
    r[NW_REG_TTBR0 + i] = ttbr(lpae_, i);
  for (unsigned reg :
       {NW_REG_DACR, NW_REG_SCTLR, NW_REG_PRRR_MAIR0, NW_REG_NMRR_MAIR1, NW_REG_CONTEXTIDR})
    r[reg] = other_value(reg);
}

// -- tables --------------------------------------------------------------------------------------

void Maker::plan_tables() {
  struct images images = {};
  uint64_t unused;
  auto stage2 = std::make_unique<struct stage2>();
  std::array<std::vector<uint8_t>, ARENAS> bytes;
  for (unsigned i = 0; i < ARENAS; i++) {
    bytes[i].resize(ARENA_SIZE);
    images.arena[i].data = bytes[i].data();
  }
  place_images(&images, &dice_);
  for (bool low : {true, false}) // so that small tables stand anywhere
    images_place(&images, low, 16 + 16 * pick(256), 16, &unused, &dice_);
  Registers &r = scenario_.registers;
  r[NW_REG_HCR] = random_hcr();
  stage2->on = (r[NW_REG_HCR] & (HCR_VM | HCR_DC)) != 0;
  r[NW_REG_VTCR] = random_vtcr();
  r[NW_REG_VTTBR] = random_pa(4, &dice_);
  if (stage2->on) {
    stage2_plan(stage2.get(), &images, &dice_);
    r[NW_REG_VTCR] = stage2_vtcr(stage2.get(), &dice_);
    r[NW_REG_VTTBR] = stage2->tree.root.pa | below_root(stage2->start_level, stage2->ipa_bits);
  }
  r[NW_REG_VTTBR] |= static_cast<uint64_t>(vmids_[0]) << ASID_SHIFT | bits(0xff00ff000000000f);
  stage1_[0].big_endian = stage1_[1].big_endian = chance(20);
  stage1_[1].lpae = true;
  stage1_short(&stage1_[0], stage2.get(), &images, &dice_);
  stage1_lpae(&stage1_[1], stage2.get(), &images, &dice_);
  if (stage2->on)
    stage2_fill(stage2.get(), &dice_);
  if (stage2->on && character_.devices)
    make_devices(*stage2);
  for (unsigned i = 0; i < ARENAS; i++) {
    bytes[i].resize(images.arena[i].used);
    spoil(bytes[i]);
    scenario_.memory.add(images.arena[i].base, std::move(bytes[i]));
  }
}

// Every fourth page of stage 2 becomes Device memory or Strongly-ordered.
void Maker::make_devices(tree_table &table, unsigned level) {
  constexpr uint64_t mem_attr = 0x3c;
  for (uint32_t i = 0; i < table.entries; i++) {
    uint64_t &d = table.descriptor[i];
    bool leaf = (d & 3) == (level == 3 ? 3 : 1);
    if (leaf && chance(25))
      d = (d & ~mem_attr) | bits(4);
  }
}

void Maker::make_devices(struct stage2 &stage2) {
  struct tree &tree = stage2.tree;
  make_devices(tree.root, stage2.start_level);
  for (unsigned depth = 1; depth < tree.depths; depth++)
    for (tree_table &table : tree.pool[depth])
      make_devices(table, stage2.start_level + depth);
}

// The planned descriptors keep to what the architecture defines, mostly. Here some get bits that it
// reserves, the most of them among the attributes (bits 11:2), or lose others.
void Maker::spoil(std::vector<uint8_t> &bytes) {
  auto words = static_cast<uint32_t>(bytes.size() / 8);
  for (uint32_t count = words / 30; count > 0; count--) {
    size_t word = 8 * static_cast<size_t>(pick(words));
    unsigned bit = chance(80) ? 2 + pick(10) + (chance(30) ? 32 : 0) : pick(64);
    bytes[word + bit / 8] = static_cast<uint8_t>(bytes[word + bit / 8] ^ 1u << bit % 8);
  }
}

// -- pages ---------------------------------------------------------------------------------------

// Near an edge: of a page of any size, or of what either root covers.
uint32_t Maker::edge(uint32_t va) {
  static const uint8_t sizes[] = {12, 16, 20, 21, 24, 30};
  static const int deltas[] = {-0x1000, 0, 0xf000, 0x1000};
  unsigned log2 = sizes[pick(sizeof sizes)];
  uint32_t at = va >> log2 << log2;
  if (chance(25)) {
    uint64_t lower = 1ull << stage1_[lpae_].input_bits[0];
    uint64_t upper = 0x100000000ull - (1ull << stage1_[lpae_].input_bits[1]);
    at = static_cast<uint32_t>(chance(50) ? lower : upper);
  }
  return at + static_cast<uint32_t>(deltas[pick(4)]);
}

uint32_t Maker::random_va() {
  const struct stage1 &s = stage1_[lpae_];
  auto va = static_cast<uint32_t>(roll(&dice_));
  unsigned kind = pick(100);
  if (kind < 45)
    va &= static_cast<uint32_t>((1ull << s.input_bits[0]) - 1);
  else if (kind < 85 && lpae_)
    va |= ~static_cast<uint32_t>((1ull << s.input_bits[1]) - 1);
  return chance(25) ? edge(va) : va;
}

// By the core, without TLBs and caches; a privileged read.
bool Maker::plain_walk(uint32_t va, nw_result &result) {
  struct nw_walk walk;
  struct nw_step step;
  struct nw_request request = {va, NW_READ, NW_PRIVILEGED, false};
  nw_walk_begin(&walk, &regime_, &request, NW_SCOPE_BOTH, nullptr);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    struct nw_answer answer = {};
    Word word = scenario_.memory.read(step.address, step.size);
    answer.data = word.data;
    answer.abort = word.error;
    nw_walk_answer(&walk, &answer);
  }
  result = *nw_walk_result(&walk);
  return result.fault.type == NW_FAULT_NONE;
}

// Which accesses translate.
unsigned Maker::permitted(uint32_t va) {
  nw_result result;
  unsigned permitted = 0, stage;
  if (!plain_walk(va, result))
    return 0;
  for (unsigned privilege : {NW_USER, NW_PRIVILEGED})
    for (unsigned access : {NW_READ, NW_WRITE, NW_EXECUTE})
      if (nw_rights_judge(&regime_, result.rights, static_cast<nw_access>(access),
                          static_cast<nw_privilege>(privilege), &stage) == NW_FAULT_NONE)
        permitted |= 1u << (3 * privilege + access);
  return permitted;
}

// Neighbours come in groups, which share tables and large pages.
void Maker::choose_pages() {
  nw_regime_init(&regime_, lpae_ ? NW_REGIME_ARMV7_LPAE_S2 : NW_REGIME_ARMV7_SHORT_S2);
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++)
    nw_regime_write(&regime_, reg, scenario_.registers[reg]);
  uint32_t va = random_va();
  for (unsigned tries = 0; pages_.size() < character_.pages; tries++) {
    if (chance(40))
      va = random_va();
    else
      va ^= static_cast<uint32_t>(bits(chance(70) ? 0xff000 : 0x1f0000));
    Page page = {va & ~0xfffu, permitted(va)};
    if (page.permitted != 0 || chance(10) || tries > 20 * character_.pages)
      pages_.push_back(page);
  }
}

// -- operations ----------------------------------------------------------------------------------

// Most walks begin within a few cycles; the longest take hundreds.
uint32_t Maker::control_delay() {
  if (chance(30))
    return pick(6);
  return chance(70) ? pick(40) : pick(400);
}

// A value that the register may get; often the one that it began with.
uint64_t Maker::other_value(unsigned reg) {
  const Registers &r = scenario_.registers;
  switch (reg) {
  case NW_REG_HCR:
    return random_hcr();
  case NW_REG_VTCR:
    return random_vtcr();
  case NW_REG_VTTBR:
    return (r[reg] & ~(0xffull << ASID_SHIFT)) | static_cast<uint64_t>(vmids_[pick(3)])
                                                     << ASID_SHIFT;
  case NW_REG_TTBCR:
    return random_ttbcr();
  case NW_REG_TTBR0:
  case NW_REG_TTBR1:
    return random_root(lpae_, reg - NW_REG_TTBR0);
  case NW_REG_DACR:
    return random_dacr();
  case NW_REG_SCTLR:
    return chance(90) ? random_sctlr() : random_sctlr() ^ SCTLR_EE;
  case NW_REG_CONTEXTIDR:
    return asids_[pick(3)] | bits(0xffffff00);
  default:
    return random_mair();
  }
}

void Maker::write(unsigned reg, uint64_t value) {
  add({Operation::Kind::Register, static_cast<uint8_t>(reg), false, control_delay(), 0, value, 0});
}

// The pages asked for were chosen for the other format; every address leads somewhere.
void Maker::switch_format() {
  lpae_ = !lpae_;
  const struct stage1 &s = stage1_[lpae_];
  const uint64_t values[] = {s.ttbcr, random_root(lpae_, 0), random_root(lpae_, 1)};
  for (unsigned i = 0; i < 3; i++) {
    base_[NW_REG_TTBCR + i] = values[i];
    write(NW_REG_TTBCR + i, values[i]);
  }
}

// A register that was changed gets its first value back soon, so that most of the time the tables
// are those that were planned; tags, rights and attributes change most.
void Maker::add_register_write() {
  static const uint8_t often[] = {NW_REG_CONTEXTIDR, NW_REG_TTBR0, NW_REG_TTBR1, NW_REG_VTTBR,
                                  NW_REG_DACR,       NW_REG_SCTLR, NW_REG_HCR};
  if (!changed_.empty() && chance(65)) {
    unsigned reg = changed_.back();
    changed_.pop_back();
    return write(reg, base_[reg]);
  }
  if (character_.devices && chance(60))
    return write(NW_REG_HCR, base_[NW_REG_HCR] ^ (chance(50) ? HCR_PTW : 0));
  if (chance(3))
    return switch_format();
  if (chance(2)) // no such register
    return write(NW_REGISTERS + pick(16 - NW_REGISTERS), roll(&dice_));
  unsigned reg = chance(75) ? often[pick(sizeof often)] : pick(NW_REGISTERS);
  changed_.push_back(reg);
  write(reg, other_value(reg));
}

void Maker::add_maintenance() {
  uint64_t operand = pages_[pick(static_cast<uint32_t>(pages_.size()))].va;
  // the last three codes mean nothing
  auto operation = static_cast<uint8_t>(pick(chance(98) ? NW_ARMV7_TLBIS : 16));
  if (chance(5))
    operand ^= 1ull << (12 + pick(20));
  operand |= chance(90) ? asids_[pick(3)] : pick(4096);
  add({Operation::Kind::Maintenance, operation, false, control_delay(), 0, operand, 0});
}

void Maker::add_poke() {
  add({Operation::Kind::Poke, 0, false, control_delay(), 0, roll(&dice_), 0});
}

// Mostly an access that translates.
void Maker::choose_access(Operation &request, unsigned permitted) {
  unsigned way = pick(6);
  for (unsigned tries = 0; tries < 12 && chance(90) && !(permitted >> way & 1); tries++)
    way = pick(6);
  request.privileged = way >= 3;
  request.select = static_cast<uint8_t>(way % 3);
}

// Pages in turn where TLBs are to be filled, else a few of them for a while.
void Maker::add_request() {
  auto count = static_cast<uint32_t>(pages_.size());
  window_ = (window_ + (chance(10) || count > entries_ ? 1 : 0)) % count;
  const Page &page =
      pages_[chance(75) ? (window_ + pick(std::min(count, 4u))) % count : pick(count)];
  Operation request = {Operation::Kind::Request,
                       0,
                       false,
                       0,
                       0,
                       page.va | static_cast<uint32_t>(bits(0xfff)),
                       roll(&dice_)};
  if (chance(character_.astray))
    request.data = random_va();
  choose_access(request, page.permitted);
  request.delay = chance(character_.burst) ? 0 : pick(chance(50) ? 8 : 80);
  request.hold = chance(character_.held) ? 1 + pick(12) : 0;
  add(request);
}

Scenario Maker::make() {
  choose_character();
  choose_manners();
  plan_tables();
  lpae_ = chance(50);
  set_registers();
  base_ = scenario_.registers;
  choose_pages();
  for (unsigned i = 0; i < character_.requests; i++) {
    add_request();
    if (chance(character_.registers))
      add_register_write();
    if (chance(character_.maintenance))
      add_maintenance();
    if (chance(character_.pokes))
      add_poke();
  }
  return std::move(scenario_);
}

const char *const operation_names[16] = {
    "TLBIALL",   "TLBIMVA",  "TLBIASID", "TLBIMVAA",  "ITLBIALL",    "ITLBIMVA",
    "ITLBIASID", "DTLBIALL", "DTLBIMVA", "DTLBIASID", "TLBIALLNSNH", "TLBIALLH",
    "TLBIMVAH",  "(13)",     "(14)",     "(15)",
};

} // namespace

Scenario make_scenario(uint64_t seed, unsigned entries) {
  return Maker(seed, entries).make();
}

const char *register_name(unsigned reg) {
  static const char *const names[NW_REGISTERS] = {"HCR",        "VTCR",       "VTTBR",     "TTBCR",
                                                  "TTBR0",      "TTBR1",      "DACR",      "SCTLR",
                                                  "PRRR/MAIR0", "NMRR/MAIR1", "CONTEXTIDR"};
  return reg < NW_REGISTERS ? names[reg] : "?";
}

std::string to_string(const Operation &o) {
  static const char *const accesses[] = {"read", "write", "execute"};
  char text[160];
  switch (o.kind) {
  case Operation::Kind::Request:
    std::snprintf(text, sizeof text, "request %s %s va=0x%08llx delay=%u hold=%u seed=0x%llx",
                  accesses[o.select], o.privileged ? "priv" : "user",
                  static_cast<unsigned long long>(o.data), o.delay, o.hold,
                  static_cast<unsigned long long>(o.seed));
    break;
  case Operation::Kind::Register:
    std::snprintf(text, sizeof text, "  write %s = 0x%llx delay=%u", register_name(o.select),
                  static_cast<unsigned long long>(o.data), o.delay);
    break;
  case Operation::Kind::Maintenance:
    std::snprintf(text, sizeof text, "  %s 0x%llx delay=%u", operation_names[o.select & 15],
                  static_cast<unsigned long long>(o.data), o.delay);
    break;
  default:
    std::snprintf(text, sizeof text, "  poke 0x%llx delay=%u",
                  static_cast<unsigned long long>(o.data), o.delay);
  }
  return text;
}

std::string to_string(const MemoryManners &m) {
  char text[160];
  std::snprintf(
      text, sizeof text,
      "stalls %u %% of the reads for up to %u cycles, latency up to %u, %u in 1000 refused",
      m.stall_percent, m.most_stalls, m.most_latency, m.error_permille);
  return text;
}

} // namespace lockstep
