/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/software_mmu.h"

#include "platform/software.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "system/physical_memory.h"
}

using nestwalk::tb::core;
using sc_core::sc_time;

nw_mmu *nw_mmu::running = nullptr;

nw_mmu::nw_mmu(nestwalk::tb::core &core, nestwalk::mmu_base &translation,
               nestwalk::tb::storage &memory)
    : processor(core), module(translation), memory_(memory) {
  running = this;
}

nw_mmu::~nw_mmu() {
  running = nullptr;
}

bool nw_mmu::replay(nw_replay &trace, char error[NW_REPLAY_ERROR]) {
  const bool good = nw_replay_run(&trace, error);
  nw_replay_set_walker_reads(&trace, module.transport_statistics().walker_reads);
  machine_ = nullptr;
  end_ = processor.now();
  counts_at_end_ = processor.counted();
  return good;
}

double nw_mmu::elapsed_cycles() const {
  return (end_ - start_) / module.clock_period();
}

core::counts nw_mmu::counted() const {
  core::counts since;
  since.transactions = counts_at_end_.transactions - counts_at_start_.transactions;
  since.direct = counts_at_end_.direct - counts_at_start_.direct;
  since.errors = counts_at_end_.errors - counts_at_start_.errors;
  since.windows = counts_at_end_.windows - counts_at_start_.windows;
  since.withdrawn = counts_at_end_.withdrawn - counts_at_start_.withdrawn;
  return since;
}

/* -- time -------------------------------------------------------------------------------------- */

/* After boot, which is not the program's. */
void nw_mmu::begin_measuring() {
  module.reset_statistics();
  start_ = processor.now();
  counts_at_start_ = processor.counted();
  transactions_ = sc_core::SC_ZERO_TIME;
  transaction_cycles_ = accounted_ = controls_ = 0;
}

void nw_mmu::booted(nw_machine *machine) {
  machine_ = machine;
}

/* Lets the core compute for what the software has done since the last time. */
void nw_mmu::catch_up() {
  if (machine_ == nullptr)
    return;
  const struct nw_machine_statistics *s = nw_machine_statistics(machine_);
  const std::uint64_t due = s->cycles_base + s->cycles_guest_kernel + s->cycles_exits;
  processor.spend(double(due - accounted_) * module.clock_period());
  accounted_ = due;
}

/* -- accesses ---------------------------------------------------------------------------------- */

/* Fills in what the software wants to know of accesses that began at `begun`: the cycles they took
 * and, when the last was not answered well, the fault. */
void nw_mmu::answer(const sc_time &begun, bool good, nw_result &result) {
  transactions_ += processor.now() - begun;
  const auto cycles = std::uint64_t(transactions_ / module.clock_period());
  result = nw_result();
  result.cycles = std::uint32_t(cycles - transaction_cycles_);
  transaction_cycles_ = cycles;
  if (good)
    return;
  result.fault = module.fault(0).fault;
  if (result.fault.type == NW_FAULT_NONE) /* the memory's own refusal */
    result.fault.type = NW_FAULT_EXTERNAL_ABORT;
  module.clear_fault(0);
}

uint32_t nw_mmu::run(const nw_request &request, uint32_t count, nw_result &result) {
  catch_up();
  const sc_time begun = processor.now();
  const bool privileged = request.privilege == NW_PRIVILEGED;
  uint32_t done = 0;
  if (request.access == NW_EXECUTE) {
    done = processor.fetch_run(request.va, count, privileged);
  } else {
    core::access access{request.va, nw_access(request.access), privileged};
    while (done < count && (access.value = ++stores_, processor.perform(access)))
      done++;
  }
  answer(begun, done == count, result);
  return done;
}

bool nw_mmu::kernel_access(const nw_request &request, nw_result &result) {
  catch_up();
  const sc_time begun = processor.now();
  core::access access{request.va, nw_access(request.access), request.privilege == NW_PRIVILEGED};
  access.without_data = request.access == NW_WRITE;
  const bool good = processor.perform(access);
  answer(begun, good, result);
  if (!good)
    return false;
  nestwalk::debug_request where;
  nw_result there;
  where.va = request.va;
  where.access = nw_access(request.access);
  where.privileged = access.privileged;
  if (module.debug_translate(where, there))
    result.pa = there.pa;
  return true;
}

/* -- registers --------------------------------------------------------------------------------- */

nw_register_status nw_mmu::write_register(nw_register reg, std::uint64_t value) {
  controls_++;
  return module.write_register(0, reg, value);
}

void nw_mmu::invalidate(nw_tlbi operation, std::uint64_t operand) {
  controls_++;
  module.invalidate(0, operation, operand);
}

/* -- physical memory --------------------------------------------------------------------------- */

/* Regions and frames as model/system has them, all of them within the platform's memory. */
nw_physical_memory *nw_mmu::create_memory(uint64_t bytes) {
  const uint64_t regions = (bytes + (UINT64_C(1) << NW_REGION_LOG2) - 1) >> NW_REGION_LOG2;
  if (regions << NW_REGION_LOG2 > memory_.size())
    return nullptr;
  auto *memory = new nw_physical_memory();
  memory->region = new nw_region *[regions];
  memory->regions = regions;
  for (uint64_t r = 0; r < regions; r++) {
    memory->region[r] = new nw_region;
    for (uint64_t f = 0; f < NW_REGION_FRAMES; f++)
      memory->region[r]->frame[f] = memory_.at((r << NW_REGION_LOG2) + (f << NW_FRAME_LOG2));
  }
  return memory;
}

extern "C" {

struct nw_physical_memory *nw_physical_memory_create(uint64_t bytes) {
  return nw_mmu::running->create_memory(bytes);
}

void nw_physical_memory_destroy(struct nw_physical_memory *memory) {
  if (memory == nullptr)
    return;
  for (uint64_t r = 0; r < memory->regions; r++)
    delete memory->region[r];
  delete[] memory->region;
  delete memory;
}

bool nw_physical_write(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                       uint64_t data) {
  if (!nw_physical_is_there(memory, pa))
    return false;
  const uint64_t little = htole64(data);
  std::memcpy(*nw_physical_frame_slot(memory, pa) + (pa & (NW_FRAME_BYTES - size)), &little, size);
  return true;
}

bool nw_physical_compare_and_swap(struct nw_physical_memory *memory, uint64_t pa, unsigned size,
                                  uint64_t old_value, uint64_t new_value, uint64_t *found) {
  if (!nw_physical_read(memory, pa, size, found))
    return false;
  return *found != old_value || nw_physical_write(memory, pa, size, new_value);
}

void nw_physical_clear_frame(struct nw_physical_memory *memory, uint64_t pa) {
  if (nw_physical_is_there(memory, pa))
    std::memset(*nw_physical_frame_slot(memory, pa), 0, NW_FRAME_BYTES);
}

uint64_t nw_physical_frames_held(const struct nw_physical_memory *memory) {
  return memory->regions * NW_REGION_FRAMES;
}

/* -- model/system's interface to an MMU -------------------------------------------------------- */

/* The module has been made from the same machine file. */
struct nw_mmu *nw_mmu_create(const struct nw_mmu_config *config, char *error, size_t error_size) {
  nw_mmu *running = nw_mmu::running;
  if (running->module.parameters().mmu.regime == config->regime)
    return running;
  std::snprintf(error, error_size, "the platform's MMU is of regime %s, expected %s",
                nw_regime_name(running->module.parameters().mmu.regime),
                nw_regime_name(config->regime));
  return nullptr;
}

void nw_mmu_destroy(struct nw_mmu *) {
}

enum nw_register_status nw_mmu_write_register(struct nw_mmu *m, unsigned reg, uint64_t value) {
  return m->write_register(static_cast<nw_register>(reg), value);
}

bool nw_mmu_set_agile(struct nw_mmu *, enum nw_agile) {
  return false;
}

bool nw_mmu_set_nested_paging(struct nw_mmu *, bool) {
  return false; /* the platform's MMU is an ARMv7 one */
}

const struct nw_regime *nw_mmu_regime(const struct nw_mmu *m) {
  return &m->module.regime(0);
}

void nw_mmu_invalidate(struct nw_mmu *m, enum nw_tlbi operation, uint64_t operand) {
  m->invalidate(operation, operand);
}

bool nw_mmu_translate(struct nw_mmu *m, const struct nw_request *request, const struct nw_memory *,
                      struct nw_result *result) {
  return m->kernel_access(*request, *result);
}

uint32_t nw_mmu_translate_run(struct nw_mmu *m, const struct nw_request *request, uint32_t count,
                              const struct nw_memory *, struct nw_result *result) {
  return m->run(*request, count, *result);
}

/* Asked for at the end of a run: what is still due is the run's. */
const struct nw_mmu_statistics *nw_mmu_statistics(struct nw_mmu *m) {
  m->catch_up();
  return &m->module.statistics();
}

void nw_mmu_reset_statistics(struct nw_mmu *m) {
  m->begin_measuring();
}

void nw_software_booted(struct nw_machine *machine) {
  nw_mmu::running->booted(machine);
}
}
