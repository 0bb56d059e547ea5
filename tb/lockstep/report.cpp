// SPDX-License-Identifier: Apache-2.0
//
// What is printed about a difference.
#include "lockstep/lockstep.h"

#include "lockstep/driver.h"

#include <cinttypes>
#include <cstdio>
#include <deque>
#include <string>

namespace lockstep {

namespace {

constexpr size_t EVENTS_SHOWN = 40;
constexpr size_t OPERATIONS_SHOWN = 60; // of a scenario that has not been cut down, none
const char *const structures[NW_STRUCTURES] = {"l1d", "l1i", "l2", "walk_cache", "ipa_cache"};

std::string hex(const char *name, uint64_t value) {
  char text[60];
  std::snprintf(text, sizeof text, " %s=0x%" PRIx64, name, value);
  return text;
}

std::string control_text(const nw_inputs &in) {
  Operation operation = {in.ctrl_maintenance ? Operation::Kind::Maintenance
                                             : Operation::Kind::Register,
                         in.ctrl_select,
                         false,
                         0,
                         0,
                         in.ctrl_data,
                         0};
  std::string text = to_string(operation);
  return " [" + text.substr(2, text.find(" delay") - 2) + "]";
}

std::string structure_text(const nw_outputs &out) {
  const uint64_t ways[NW_STRUCTURES] = {out.obs_way_l1d_o, out.obs_way_l1i_o, out.obs_way_l2_o,
                                        out.obs_way_walk_cache_o, out.obs_way_ipa_cache_o};
  std::string text;
  for (unsigned s = 0; s < NW_STRUCTURES; s++) {
    std::string way = std::to_string(ways[s]);
    if (out.obs_lookup_o >> s & 1)
      text += std::string(" ") + structures[s] +
              (out.obs_hit_o >> s & 1 ? " hits way " + way : std::string(" misses"));
    if (out.obs_install_o >> s & 1)
      text += std::string(" ") + structures[s] + " installs in way " + way +
              (out.obs_evict_o >> s & 1 ? " (evicting)" : "");
  }
  return text;
}

std::string read_text(const nw_outputs &out) {
  std::string text = " read" + hex("pa", out.mem_req_addr_o);
  text += " stage " + std::to_string(out.mem_req_stage2_o + 1) + " level " +
          std::to_string(out.mem_req_level_o);
  if (out.mem_req_for_s1_o)
    text += " for stage 1 level " + std::to_string(out.mem_req_s1_level_o);
  return text;
}

std::string response_text(const nw_outputs &out) {
  std::string text = " response in " + std::to_string(out.cycles) + " cycles:";
  if (out.rsp_fault_o)
    return text + " fault" + hex("type", out.rsp_fault_o) + hex("stage", out.rsp_stage_o) +
           hex("level", out.rsp_level_o) + hex("s1walk", out.rsp_s1walk_o);
  return text + hex("pa", out.rsp_pa_o) + hex("rights", out.rsp_rights_o) +
         hex("log2", out.rsp_page_log2_o) + hex("source", out.rsp_source_o);
}

// What happened in a cycle, empty if nothing did.
std::string event_text(const nw_inputs &in, const nw_outputs &out) {
  std::string text;
  if (in.ctrl_valid && out.ctrl_ready_o)
    text += control_text(in);
  if (in.req_valid && out.req_ready_o)
    text += " request" + hex("va", in.req_va) + hex("access", in.req_access) +
            hex("priv", in.req_privileged);
  text += structure_text(out);
  if (out.mem_req_valid_o && in.mem_req_ready)
    text += read_text(out);
  if (in.mem_rsp_valid && out.mem_rsp_ready_o)
    text += in.mem_rsp_error ? " refused" : hex("descriptor", in.mem_rsp_data);
  if (out.obs_finish_o)
    text += " finish";
  if (out.cycles)
    text += response_text(out);
  return text;
}

// Keeps the last events.
class Trail : public Watcher {
public:
  void cycle(uint64_t number, unsigned state, const nw_inputs &in, const nw_outputs &out) override {
    std::string text = event_text(in, out);
    if (text.empty())
      return;
    if (events_.size() == EVENTS_SHOWN)
      events_.pop_front();
    char head[40];
    std::snprintf(head, sizeof head, "  %6" PRIu64 " (state %2u)", number, state);
    events_.push_back(head + text);
  }
  void print() const {
    for (const std::string &event : events_)
      std::printf("%s\n", event.c_str());
  }

private:
  std::deque<std::string> events_;
};

void print_views(const Difference &d) {
  std::printf("  %-24s %18s %18s\n", "port", "RTL", "core");
  auto line = [](const char *port, uint64_t rtl, uint64_t core) {
    if (rtl != 0 || core != 0)
      std::printf("%s %-24s 0x%016" PRIx64 " 0x%016" PRIx64 "\n", rtl == core ? " " : "*", port,
                  rtl, core);
  };
#define LINE(port) line(#port, d.rtl.port, d.core.port);
  NW_PORTS(LINE)
  LINE(cycles)
#undef LINE
}

void print_scenario(const Scenario &scenario) {
  std::printf("memory: %s\n", to_string(scenario.manners).c_str());
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++)
    std::printf("  %s = 0x%" PRIx64 "\n", register_name(reg), scenario.registers[reg]);
  for (const Operation &operation : scenario.operations)
    std::printf("%s\n", to_string(operation).c_str());
}

} // namespace

void print_difference(Lockstep &lockstep, const Scenario &scenario) {
  Tally tally{};
  Trail trail;
  std::optional<Difference> d = lockstep.run(scenario, tally, &trail);
  if (scenario.operations.size() <= OPERATIONS_SHOWN)
    print_scenario(scenario);
  if (!d) {
    std::printf("alone, this scenario makes no difference: it depends on those before it\n");
    return;
  }
  std::printf("the last events, as the core has them:\n");
  trail.print();
  std::printf("cycle %" PRIu64 ", request %d, RTL in state %u: %s\n", d->cycle, d->request,
              d->state, d->assertion ? "an assertion of the RTL failed" : "RTL and core differ");
  print_views(*d);
}

} // namespace lockstep
