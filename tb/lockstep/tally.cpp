// SPDX-License-Identifier: Apache-2.0
#include "lockstep/tally.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace lockstep {

namespace {

Tally::Stages stages_of(const nw_regime &regime) {
  if (!regime.s2_enabled)
    return Tally::StageOne;
  return regime.s1_enabled ? Tally::Nested : Tally::StageTwo;
}

Tally::Outcome outcome_of(const nw_outputs &out) {
  if (out.rsp_fault_o == NW_FAULT_NONE)
    return Tally::Translated;
  if (out.rsp_stage_o == 1)
    return Tally::FaultOne;
  return out.rsp_s1walk_o ? Tally::FaultOnDescriptor : Tally::FaultTwo;
}

void append(std::string &text, const char *name, const uint64_t *numbers, unsigned count) {
  char word[40];
  std::snprintf(word, sizeof word, "  %-34s", name);
  text += word;
  for (unsigned i = 0; i < count; i++) {
    std::snprintf(word, sizeof word, " %12" PRIu64, numbers[i]);
    text += word;
  }
  text += '\n';
}

} // namespace

void Tally::count_structures(const nw_outputs &out) {
  for (unsigned s = 0; s < NW_STRUCTURES; s++) {
    uint64_t looked_up = out.obs_lookup_o >> s & 1, was_hit = out.obs_hit_o >> s & 1;
    hit[s] += looked_up & was_hit;
    miss[s] += looked_up & ~was_hit;
    install[s] += out.obs_install_o >> s & 1;
    evict[s] += out.obs_evict_o >> s & 1;
  }
}

void Tally::count(const nw_inputs &in, const nw_outputs &out, const nw_regime *regime) {
  cycles++;
  reads += out.mem_req_valid_o && in.mem_req_ready;
  if (in.ctrl_valid && out.ctrl_ready_o)
    in.ctrl_maintenance ? maintenance++ : register_writes++;
  if (out.obs_lookup_o | out.obs_install_o)
    count_structures(out);
  walks += out.obs_finish_o;
  if (out.cycles == 0)
    return;
  requests++;
  most_cycles = std::max(most_cycles, out.cycles);
  bool no_page = out.rsp_s1_page_log2_o == 0 && out.rsp_s2_page_log2_o == 0;
  if (out.rsp_source_o == 0 && out.rsp_fault_o == NW_FAULT_NONE && no_page)
    off++;
  else if (out.rsp_source_o == 0)
    walk[!regime->has_domains][stages_of(*regime)][outcome_of(out)]++;
}

void Tally::add(const Tally &other) {
  uint64_t most = std::max(most_cycles, other.most_cycles);
  auto *to = reinterpret_cast<uint64_t *>(this);
  auto *from = reinterpret_cast<const uint64_t *>(&other);
  for (size_t i = 0; i < sizeof(Tally) / sizeof(uint64_t); i++)
    to[i] += from[i];
  most_cycles = most;
}

std::string to_string(const Tally &t) {
  static const char *const formats[2] = {"short", "long"};
  static const char *const stages[Tally::STAGES] = {"stage 1", "stage 2", "nested"};
  static const char *const structures[NW_STRUCTURES] = {"l1d", "l1i", "l2", "walk cache",
                                                        "IPA cache"};
  char line[240];
  std::snprintf(line, sizeof line,
                "%" PRIu64 " walks of %" PRIu64 " requests in %" PRIu64 " scenarios, %" PRIu64
                " descriptor reads, %" PRIu64 " register writes,\n%" PRIu64
                " maintenance operations, %" PRIu64 " cycles, at most %" PRIu64
                " of them for one request\n",
                t.walks, t.requests, t.scenarios, t.reads, t.register_writes, t.maintenance,
                t.cycles, t.most_cycles);
  std::string text = line;
  text += "  walks                                translated fault in s1  "
          "on s1 walk  fault in s2\n";
  for (unsigned f = 0; f < 2; f++)
    for (unsigned s = 0; s < Tally::STAGES; s++) {
      std::string name = std::string(formats[f]) + " descriptors, " + stages[s];
      append(text, name.c_str(), t.walk[f][s], Tally::OUTCOMES);
    }
  append(text, "both stages off", &t.off, 1);
  text += "  structures                                 hits       misses     installs    "
          "evictions\n";
  for (unsigned s = 0; s < NW_STRUCTURES; s++) {
    const uint64_t numbers[] = {t.hit[s], t.miss[s], t.install[s], t.evict[s]};
    append(text, structures[s], numbers, 4);
  }
  return text;
}

} // namespace lockstep
