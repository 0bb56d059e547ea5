/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled with NW_L1dEntries and the like, the parameters that the RTL was Verilated with.
 */
#define SC_INCLUDE_DYNAMIC_PROCESSES /* sc_spawn */
#include <systemc.h>                 /* before Verilator's headers, which look for its macros */

#include "systemc/rtl_engine.h"

#include <Vdefault.h>
#include <verilated.h>

namespace nestwalk::detail {

using sc_core::sc_time;

/* rtl/nw_mmu.sv: structures in the order of their bits in obs_*, states that matter here. */
enum { l1d, l1i, l2, walk_cache, ipa_cache };

/* Cycles of the RTL, as its own machine file has them (configs/machines/rtl.yaml): a response is
 * valid two cycles after its request was accepted, one more with a look into level 2. */
constexpr unsigned l1_latency = 2, l2_latency = 1, cache_latency = 1;

nw_mmu_config rtl_config() {
  nw_mmu_config c = {};
  auto cam = [](unsigned entries, unsigned latency) {
    return nw_tlb_config{entries, entries, latency,
                         entries <= 64 ? std::uint8_t{NW_POLICY_LRU}
                                       : std::uint8_t{NW_POLICY_TREE_PLRU}};
  };

  c.l1d = cam(NW_L1dEntries, l1_latency);
  c.l1i = cam(NW_L1iEntries, l1_latency);
  c.l2 = cam(NW_L2Entries, l2_latency);
  c.walk_cache = cam(NW_WalkCacheEntries, cache_latency);
  c.ipa_cache = cam(NW_IpaCacheEntries, cache_latency);
  c.walkers = 1;
  c.cycles.begin = 1;
  c.cycles.read = 3;
  c.cycles.walk_cache_lookup = 1;
  c.cycles.ipa_cache_lookup = 1;
  c.cycles.fill = 1;
  c.cycles.done = 1;
  c.seed = 1;
  return c;
}

class rtl_engine::model {
public:
  model() {
    context.fatalOnError(false); /* a failed assertion is reported by tick() */
    ports.rsp_ready_i = 1;
    ports.mem_req_ready_i = 1;
    ports.rst_ni = 1;
    ports.eval();
    ports.rst_ni = 0; /* its falling edge comes before the clock's first */
    cycle();
    cycle();
    ports.rst_ni = 1;
    settle();
  }
  ~model() {
    ports.final();
  }

  void settle() {
    ports.eval();
  }
  void edge() {
    ports.clk_i = 1;
    ports.eval();
    ports.clk_i = 0;
    ports.eval();
  }
  void cycle() {
    settle();
    edge();
  }

  VerilatedContext &context = *Verilated::defaultContextp();
  Vdefault ports;
};

rtl_engine::rtl_engine(nw_regime_kind kind, const sc_time &period)
    : kind_(kind), period_(period), model_(std::make_unique<model>()), loaded_(), statistics_() {
}

rtl_engine::~rtl_engine() = default;

void rtl_engine::construct() {
  sc_core::sc_spawn_options options;

  options.spawn_method();
  options.set_sensitivity(&tick_);
  options.dont_initialize();
  sc_core::sc_spawn([this] { tick(); }, "tick", &options);
}

bool rtl_engine::runs_in_simulated_time() const {
  return true;
}

/* -- the queue -------------------------------------------------------------------------------- */

void rtl_engine::push(const entry &e) {
  queue_.push_back(e);
  queue_.back().arrival = sc_core::sc_time_stamp();
  start_clock();
}

/* The clock's edges are at whole multiples of its period, whenever it runs. */
void rtl_engine::start_clock() {
  if (running_)
    return;
  const sc_time now = sc_core::sc_time_stamp();
  const std::uint64_t edges = (now.value() + period_.value() - 1) / period_.value();

  cycle_start_ = sc_time::from_value(edges * period_.value());
  running_ = true;
  tick_.notify(cycle_start_ + period_ - now);
}

bool rtl_engine::idle() const {
  return queue_.empty() && current_ == nullptr;
}

/* A regime without stage 2 has no VMIDs: what software wrote to VTTBR is not to become a tag. */
void rtl_engine::load(const register_values &registers) {
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++) {
    if (registers[reg] == loaded_[reg] || (reg == NW_REG_VTTBR && !nw_regime_has_stage2(kind_)))
      continue;
    push({{}, nullptr, false, reg, registers[reg]});
    loaded_[reg] = registers[reg];
  }
}

/* Registers go to the RTL as they are written, unless another context's are there. */
void rtl_engine::registers_written(const register_values &before, const register_values &after) {
  if (before == loaded_ || loaded_ == register_values())
    load(after);
}

void rtl_engine::invalidate(const register_values &registers, nw_tlbi operation,
                            std::uint64_t operand) {
  load(registers);
  push({{}, nullptr, true, static_cast<unsigned>(operation), operand});
}

namespace {

/* What a walk of the tables gives, without TLBs, caches and time. */
nw_result plain_walk(nw_regime_kind kind, const register_values &registers,
                     const nw_request &request, const nw_memory *memory) {
  nw_regime regime;
  nw_walk walk;
  nw_step step;

  nw_regime_init(&regime, kind);
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++)
    nw_regime_write(&regime, reg, registers[reg]);
  nw_walk_begin(&walk, &regime, &request, NW_SCOPE_BOTH, nullptr);
  while (nw_walk_next(&walk, &step) != NW_STEP_DONE) {
    nw_answer answer = {};
    if (step.kind == NW_STEP_READ)
      answer.abort = memory == nullptr || !memory->read(memory->context, step.address, step.size,
                                                        &answer.data, &answer.cycles);
    nw_walk_answer(&walk, &answer);
  }
  return *nw_walk_result(&walk);
}

} // namespace

/* An address that the RTL's ports cannot carry is a fault that needs no descriptor. */
bool rtl_engine::begin(translation &t, const register_values &registers) {
  t.result = &t.kept;
  if (t.request.va >> 32 != 0) {
    t.kept = plain_walk(kind_, registers, t.request, nullptr);
    return true;
  }
  load(registers);
  push({{}, &t, false, 0, 0});
  return false;
}

void rtl_engine::answer(translation &, const nw_answer &answer) {
  answer_ = answer;
  answered_ = true;
  answer_arrival_ = sc_core::sc_time_stamp();
}

std::uint32_t rtl_engine::cycles(const translation &) const {
  return static_cast<std::uint32_t>((cycle_start_ - accepted_).value() / period_.value());
}

bool rtl_engine::debug_translate(const nw_request &request, const register_values &registers,
                                 const nw_memory &memory, nw_result &result) {
  result = plain_walk(kind_, registers, request, &memory);
  return result.fault.type == NW_FAULT_NONE;
}

/* -- a cycle ---------------------------------------------------------------------------------- */

void rtl_engine::tick() {
  drive();
  model_->settle();
  see_observations();
  see_handshakes();
  model_->edge();
  if (model_->context.gotError())
    SC_REPORT_FATAL("/nestwalk/rtl", "an assertion of the RTL failed");
  cycle_start_ = sc_core::sc_time_stamp();
  hand_out();
  running_ = !idle();
  if (running_)
    tick_.notify(period_);
}

/* The memory's response comes in a later cycle than its request. */
void rtl_engine::drive() {
  Vdefault &ports = model_->ports;
  const bool waits = !queue_.empty() && queue_.front().arrival <= cycle_start_;

  ports.ctrl_valid_i = waits && queue_.front().request == nullptr;
  ports.req_valid_i = waits && queue_.front().request != nullptr;
  ports.mem_rsp_valid_i =
      answered_ && answer_arrival_ <= cycle_start_ && read_start_ < cycle_start_;
  ports.mem_rsp_data_i = answer_.data;
  ports.mem_rsp_error_i = answer_.abort;
  if (ports.ctrl_valid_i) {
    ports.ctrl_maintenance_i = queue_.front().maintenance;
    ports.ctrl_select_i = static_cast<std::uint8_t>(queue_.front().select);
    ports.ctrl_data_i = queue_.front().data;
  }
  if (ports.req_valid_i) {
    const nw_request &request = queue_.front().request->request;
    ports.req_va_i = static_cast<std::uint32_t>(request.va);
    ports.req_access_i = request.access;
    ports.req_privileged_i = request.privilege == NW_PRIVILEGED;
  }
}

void rtl_engine::see_handshakes() {
  const Vdefault &ports = model_->ports;

  if (ports.mem_rsp_valid_i && ports.mem_rsp_ready_o)
    reading_ = answered_ = false;
  if (ports.ctrl_valid_i && ports.ctrl_ready_o) {
    queue_.pop_front();
  } else if (ports.req_valid_i && ports.req_ready_o) {
    current_ = queue_.front().request;
    queue_.pop_front();
    accepted_ = cycle_start_;
    lookup_cycles_ = l1_latency;
    reads_ = 0;
    hit_ = false;
  }
}

void rtl_engine::hand_out() {
  if (current_ != nullptr && model_->ports.rsp_valid_o)
    finish();
  else if (model_->ports.mem_req_valid_o && !reading_)
    hand_out_read();
}

void rtl_engine::hand_out_read() {
  const Vdefault &ports = model_->ports;
  nw_step step = {};

  step.kind = NW_STEP_READ;
  step.space = NW_SPACE_PA;
  step.address = ports.mem_req_addr_o;
  step.size = ports.mem_req_size_o ? 8 : 4;
  step.stage = ports.mem_req_stage2_o ? 2 : 1;
  step.level = ports.mem_req_level_o;
  step.for_s1 = ports.mem_req_for_s1_o;
  step.s1_level = ports.mem_req_s1_level_o;
  reading_ = true;
  read_start_ = cycle_start_;
  count_read();
  current_->client->asked(step);
}

void rtl_engine::finish() {
  translation &t = *current_;
  nw_step step = {};

  current_ = nullptr;
  nw_result &result = t.kept;
  take_result(result);
  result.fault.access = t.request.access;
  result.fault.failing_access = result.fault.s1walk || result.fault.type == NW_FAULT_EXTERNAL_ABORT
                                    ? std::uint8_t{NW_READ}
                                    : t.request.access;
  result.fault.va = t.request.va;
  count_end(result);
  step.kind = NW_STEP_DONE;
  t.client->asked(step);
}

void rtl_engine::take_result(nw_result &result) const {
  const Vdefault &ports = model_->ports;

  result = nw_result{};
  result.pa = ports.rsp_pa_o;
  result.rights = ports.rsp_rights_o;
  result.cycles = static_cast<std::uint32_t>((cycle_start_ - accepted_).value() / period_.value());
  result.walk_reads = static_cast<std::uint16_t>(reads_);
  result.page_log2 = ports.rsp_page_log2_o;
  result.s1_page_log2 = ports.rsp_s1_page_log2_o;
  result.s2_page_log2 = ports.rsp_s2_page_log2_o;
  result.attr = ports.rsp_attr_o;
  result.sh = ports.rsp_sh_o;
  result.source = ports.rsp_source_o;
  result.fault.type = ports.rsp_fault_o;
  result.fault.stage = ports.rsp_stage_o;
  result.fault.level = ports.rsp_level_o;
  result.fault.s1walk = ports.rsp_s1walk_o;
  result.fault.domain = ports.rsp_domain_o;
  result.fault.ipa = ports.rsp_ipa_o;
}

/* -- statistics ------------------------------------------------------------------------------- */

void rtl_engine::see_observations() {
  const unsigned lookups = model_->ports.obs_lookup_o, hits = model_->ports.obs_hit_o;
  struct nw_tlb_statistics *const tlbs[] = {&statistics_.l1d, &statistics_.l1i, &statistics_.l2};
  auto bit = [](unsigned word, unsigned structure) { return word >> structure & 1; };

  if (lookups == 0)
    return;
  for (unsigned i : {l1d, l1i, l2}) {
    tlbs[i]->accesses += bit(lookups, i);
    tlbs[i]->hits += bit(lookups & hits, i);
    tlbs[i]->misses += bit(lookups & ~hits, i);
    hit_ = hit_ || bit(lookups & hits, i);
  }
  lookup_cycles_ += bit(lookups, l2) * l2_latency;
  statistics_.walk_cache_lookups += bit(lookups, walk_cache);
  statistics_.walk_cache_hits += bit(lookups & hits, walk_cache);
  statistics_.ipa_cache_lookups += bit(lookups, ipa_cache);
  statistics_.ipa_cache_hits += bit(lookups & hits, ipa_cache);
}

void rtl_engine::count_read() {
  const Vdefault &ports = model_->ports;

  reads_++;
  statistics_.walk_references++;
  if (!ports.mem_req_stage2_o) {
    statistics_.s1[ports.mem_req_level_o]++;
    return;
  }
  statistics_.s2[ports.mem_req_level_o]++;
  if (ports.mem_req_for_s1_o)
    statistics_.s2_for_s1[ports.mem_req_s1_level_o]++;
  else
    statistics_.s2_final++;
}

/* With both stages off there is no walk: no page of either stage, and no fault. */
void rtl_engine::count_end(const nw_result &result) {
  const bool fault = result.fault.type != NW_FAULT_NONE;
  const bool off = !fault && result.s1_page_log2 == 0 && result.s2_page_log2 == 0;

  if (result.source != NW_FROM_WALK || off)
    return;
  statistics_.walks++;
  statistics_.walk_cycles += result.cycles - lookup_cycles_;
  statistics_.rewalks += hit_;
  statistics_.faults[result.fault.type] += fault;
  statistics_.faults_stage2 += fault && result.fault.stage == 2;
}

const struct nw_mmu_statistics &rtl_engine::statistics() {
  return statistics_;
}

void rtl_engine::reset_statistics() {
  statistics_ = {};
}

} // namespace nestwalk::detail
