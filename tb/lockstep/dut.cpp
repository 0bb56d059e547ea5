// SPDX-License-Identifier: Apache-2.0
//
// Compiled once for each variant, with
//   NW_VARIANT           its name
//   NW_MODEL             the class that Verilator has made of it, and
//   NW_MODEL_HEADER      that class's header
//   NW_<parameter>       the parameters of nw_mmu that Verilator was given
#include "lockstep/dut.h"

#include <verilated.h>
#ifdef VM_TRACE_FST
#include <verilated_fst_c.h>
#endif

#ifdef VM_COVERAGE
#include <verilated_cov.h>
#endif

#include NW_MODEL_HEADER

namespace lockstep {

namespace {

class VerilatedDut : public Dut {
public:
  ~VerilatedDut() override;
  void reset() override;
  void cycle(const nw_inputs &in, nw_outputs &out) override;
  bool failed() const override {
    return context_.gotError();
  }
  unsigned state() const override {
    return model_.obs_state_o;
  }
  bool trace(const std::string &file, uint64_t from) override;
  bool write_coverage(const std::string &file) override;

private:
  static VerilatedContext *prepared(VerilatedContext &context);
  void drive(const nw_inputs &in);
  void sample(nw_outputs &out);
  void count(const nw_inputs &in, nw_outputs &out);
  void tick();
  void dump();

  // Verilator's code takes some of its settings from this one whatever the model has been given.
  VerilatedContext &context_ = *Verilated::defaultContextp();
  NW_MODEL model_{prepared(context_)};
  bool counting_ = false; // a request is in hand
  uint64_t count_ = 0;
  uint64_t now_ = 0; // cycles since the last reset
#ifdef VM_TRACE_FST
  VerilatedFstC fst_;
  uint64_t trace_from_ = UINT64_MAX;
#endif
};

// Undefined values are random ones, but 0 where bits that change are counted; a failed assertion does
// not end the program.
VerilatedContext *VerilatedDut::prepared(VerilatedContext &context) {
#ifdef VM_COVERAGE
  context.randReset(0);
#else
  context.randReset(2);
#endif
  context.fatalOnError(false);
  return &context;
}

VerilatedDut::~VerilatedDut() {
#ifdef VM_TRACE_FST
  if (fst_.isOpen())
    fst_.close();
#endif
  model_.final();
}

bool VerilatedDut::trace(const std::string &file, uint64_t from) {
#ifdef VM_TRACE_FST
  trace_from_ = from;
  context_.traceEverOn(true);
  model_.trace(&fst_, 99);
  fst_.open(file.c_str());
  return fst_.isOpen();
#else
  static_cast<void>(file);
  static_cast<void>(from);
  return false;
#endif
}

bool VerilatedDut::write_coverage(const std::string &file) {
#ifdef VM_COVERAGE
  context_.coveragep()->write(file.c_str());
  return true;
#else
  static_cast<void>(file);
  return false;
#endif
}

// Two points in time to a cycle: inputs settled, and after the clock's edge.
void VerilatedDut::dump() {
#ifdef VM_TRACE_FST
  if (now_ >= trace_from_)
    fst_.dump(static_cast<uint64_t>(context_.time()));
#endif
  context_.timeInc(1);
}

void VerilatedDut::tick() {
  model_.eval();
  dump();
  model_.clk_i = 1;
  model_.eval();
  dump();
  model_.clk_i = 0;
  now_++;
}

// The reset's falling edge comes before the clock's first edge. What an assertion has stopped goes on.
void VerilatedDut::reset() {
  context_.gotError(false);
  context_.gotFinish(false);
  drive(nw_inputs{});
  model_.clk_i = 0;
  model_.rst_ni = 1;
  model_.eval();
  model_.rst_ni = 0;
  now_ = 0;
  for (unsigned i = 0; i < 2; i++)
    tick();
  model_.rst_ni = 1;
  now_ = 0;
  counting_ = false;
}

void VerilatedDut::drive(const nw_inputs &in) {
  model_.ctrl_valid_i = in.ctrl_valid;
  model_.ctrl_maintenance_i = in.ctrl_maintenance;
  model_.ctrl_select_i = in.ctrl_select;
  model_.ctrl_data_i = in.ctrl_data;
  model_.req_valid_i = in.req_valid;
  model_.req_va_i = in.req_va;
  model_.req_access_i = in.req_access;
  model_.req_privileged_i = in.req_privileged;
  model_.req_tag_i = in.req_tag;
  model_.rsp_ready_i = in.rsp_ready;
  model_.mem_req_ready_i = in.mem_req_ready;
  model_.mem_rsp_valid_i = in.mem_rsp_valid;
  model_.mem_rsp_data_i = in.mem_rsp_data;
  model_.mem_rsp_error_i = in.mem_rsp_error;
}

// Ports mean something only while what they belong to is valid.
void VerilatedDut::sample(nw_outputs &out) {
  out = nw_outputs{};
#define SAMPLE(port) out.port = model_.port;
  NW_PORTS_ALWAYS(SAMPLE)
  if (out.rsp_valid_o) {
    NW_PORTS_RESPONSE(SAMPLE)
  }
  if (out.mem_req_valid_o) {
    NW_PORTS_MEMORY(SAMPLE)
    out.mem_req_s1_level_o *= out.mem_req_for_s1_o;
  }
#undef SAMPLE
  uint64_t ways = out.obs_hit_o | out.obs_install_o;
  unsigned structure = 0;
#define SAMPLE_WAY(port) out.port = ways >> structure++ & 1 ? model_.port : 0;
  NW_PORTS_WAY(SAMPLE_WAY)
#undef SAMPLE_WAY
}

void VerilatedDut::count(const nw_inputs &in, nw_outputs &out) {
  if (counting_ && out.rsp_valid_o) {
    out.cycles = count_;
    counting_ = false;
  }
  count_ += !(out.mem_req_valid_o && !in.mem_req_ready);
  if (in.req_valid && out.req_ready_o) {
    counting_ = true;
    count_ = 1;
  }
}

void VerilatedDut::cycle(const nw_inputs &in, nw_outputs &out) {
  drive(in);
  model_.eval();
  sample(out);
  count(in, out);
  dump();
  model_.clk_i = 1;
  model_.eval();
  dump();
  model_.clk_i = 0;
  now_++;
}

} // namespace

#define JOINED(a, b) a##b
#define NAMED(prefix, name) JOINED(prefix, name)
#define QUOTED(x) #x
#define TEXT(x) QUOTED(x)

extern const Variant NAMED(variant_, NW_VARIANT);
const Variant NAMED(variant_, NW_VARIANT) = {
    TEXT(NW_VARIANT),
    {{NW_L1dEntries, NW_L1iEntries, NW_L2Entries, NW_WalkCacheEntries, NW_IpaCacheEntries}},
    []() -> std::unique_ptr<Dut> { return std::make_unique<VerilatedDut>(); },
};

} // namespace lockstep
