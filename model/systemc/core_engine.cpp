/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/core_engine.h"

#include <algorithm>
#include <stdexcept>

namespace nestwalk::detail {

void core_engine::destroyer::operator()(nw_mmu *mmu) const {
  nw_mmu_destroy(mmu);
}

core_engine::core_engine(const nw_mmu_config &config) {
  char error[200] = "";

  mmu.reset(nw_mmu_create(&config, error, sizeof error));
  if (!mmu)
    throw std::invalid_argument(error);
  const nw_regime *regime = nw_mmu_regime(mmu.get());
  std::copy(std::begin(regime->reg), std::end(regime->reg), loaded.begin());
}

void core_engine::load(const register_values &registers) {
  if (registers == loaded)
    return;
  for (unsigned reg = 0; reg < NW_REGISTERS; reg++) {
    if (registers[reg] != loaded[reg])
      nw_mmu_write_register(mmu.get(), reg, registers[reg]);
  }
  loaded = registers;
}

/* A tag is the translation's address. */
void core_engine::hand_out_steps() {
  nw_step step;

  while (nw_mmu_next(mmu.get(), &step)) {
    auto *t = reinterpret_cast<translation *>(static_cast<std::uintptr_t>(step.tag));
    t->client->asked(step);
  }
}

/* All others have given their steps: the only one to come is this one's. */
bool core_engine::begin(translation &t, const register_values &registers) {
  nw_step step;

  load(registers);
  t.result = &t.core.result;
  nw_mmu_begin(mmu.get(), &t.core, &t.request, reinterpret_cast<std::uintptr_t>(&t));
  if (!nw_mmu_next(mmu.get(), &step))
    return false;
  if (step.kind == NW_STEP_DONE)
    return true;
  t.client->asked(step);
  return false;
}

void core_engine::answer(translation &t, const nw_answer &answer) {
  nw_mmu_answer(mmu.get(), reinterpret_cast<std::uintptr_t>(&t), &answer);
  hand_out_steps();
}

std::uint32_t core_engine::cycles(const translation &t) const {
  return nw_transaction_cycles(&t.core);
}

bool core_engine::runs_in_simulated_time() const {
  return false;
}

void core_engine::invalidate(const register_values &registers, nw_tlbi operation,
                             std::uint64_t operand) {
  load(registers);
  nw_mmu_invalidate(mmu.get(), operation, operand);
}

bool core_engine::debug_translate(const nw_request &request, const register_values &registers,
                                  const nw_memory &memory, nw_result &result) {
  load(registers);
  return nw_mmu_translate(mmu.get(), &request, &memory, &result);
}

const struct nw_mmu_statistics &core_engine::statistics() {
  return *nw_mmu_statistics(mmu.get());
}

void core_engine::reset_statistics() {
  nw_mmu_reset_statistics(mmu.get());
}

} // namespace nestwalk::detail
