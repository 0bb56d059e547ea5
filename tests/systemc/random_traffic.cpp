/* SPDX-License-Identifier: Apache-2.0 */
#include "systemc/random_traffic.h"

#include <algorithm>
#include <cinttypes>

extern "C" {
#include "core/format.h"
}

namespace test {

namespace {

using sc_core::sc_time;

/* Four regions of 2 MB of VAs, of which 16 pages of 4 KB each are looked at. */
constexpr unsigned regions = 4, pages = 16, ipa_pages = 64, pa_pages = 97;
constexpr std::uint64_t first_va = 0x00400000, region_size = 0x200000, page_size = 0x1000;
constexpr std::uint64_t first_pa = 0x300000000; /* of what stage 2 maps to */

/* Every byte of the memory that data may be in has a value of its own, and is only ever written with
 * it: so whatever the order of accesses, a byte from a wrong place shows. */
unsigned char byte_of(std::uint64_t pa) {
  return static_cast<unsigned char>((pa * 0x9e3779b97f4a7c15u) >> 56);
}

const struct {
  std::uint64_t first, size;
} data_areas[] = {
    {first_va, (regions + 1) * region_size}, /* stage 1 off */
    {RIG_IPA, 2 * region_size},              /* stage 2 off */
    {first_pa, pa_pages * page_size},
};

void fill_memory(bench &b) {
  for (const auto &area : data_areas) {
    for (std::uint64_t pa = area.first; pa < area.first + area.size; pa++)
      *b.storage.at(pa) = byte_of(pa);
  }
}

void expect_memory_filled(bench &b) {
  for (const auto &area : data_areas) {
    for (std::uint64_t pa = area.first; pa < area.first + area.size; pa++) {
      if (*b.storage.at(pa) != byte_of(pa))
        fail_msg("the byte at 0x%" PRIx64 " was written by an access to another one", pa);
    }
  }
}

class world {
public:
  world(bench &b, std::uint64_t seed) : b_(b), chance_(seed) {
    fill_memory(b);
  }

  unsigned below(unsigned bound) {
    return rig_below(&chance_, bound);
  }
  std::uint64_t random_va() {
    return first_va + below(regions) * region_size + below(pages) * page_size + below(page_size);
  }
  /* Something about tables or registers; then time for the RTL to take it in, a cycle for each
   * operation. */
  void change() {
    change_something();
    pass(1200);
  }

private:
  void change_something() {
    switch (below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      change_stage1();
      break;
    case 4:
    case 5:
    case 6:
      change_stage2();
      break;
    case 7:
    case 8:
      change_rights();
      break;
    case 9:
    case 10:
      change_tags();
      break;
    default:
      switch_stage();
    }
  }

  const nw_regime &regime() const {
    return b_.model->tables->regime;
  }
  bool has_stage2() const {
    return nw_regime_has_stage2(static_cast<nw_regime_kind>(regime().kind));
  }
  void write(nw_register reg, std::uint64_t value) {
    assert_int_equal(nw_mmu_write_register(b_.model->mmu, reg, value), NW_REGISTER_WRITTEN);
    assert_int_equal(b_.mmu.write_register(0, reg, value), NW_REGISTER_WRITTEN);
  }
  void invalidate(nw_tlbi operation, std::uint64_t operand) {
    nw_mmu_invalidate(b_.model->mmu, operation, operand);
    b_.mmu.invalidate(0, operation, operand);
  }

  /* Every tag is in play: without VMIDs the region's pages may be named one by one. */
  void maintain(std::uint64_t va) {
    if (has_stage2() || below(2) == 0) {
      invalidate(NW_TLBI_ALLNSNH, 0);
      return;
    }
    for (std::uint64_t at = 0; at < region_size; at += page_size)
      invalidate(NW_TLBI_MVAA, (va & ~(region_size - 1)) + at);
  }

  void change_stage1() {
    const nw_format *format = regime().s1_format;
    const bool is_short = format->descriptor_bytes == 4;
    std::uint64_t va = random_va() & ~(page_size - 1);
    const unsigned choice = below(8);
    const unsigned log2 = choice != 0 ? 12 : is_short ? 20 : 21;
    const unsigned level = format->leaf_level(static_cast<std::uint8_t>(log2));

    va = va >> log2 << log2;
    remove_block_over(va, level);
    nwi_leaf leaf = {};
    leaf.output = log2 == 12 ? RIG_IPA + below(ipa_pages) * page_size : RIG_IPA;
    leaf.page_log2 = static_cast<std::uint8_t>(log2);
    leaf.readable = true;
    leaf.writable = below(2) != 0;
    leaf.executable = below(2) != 0;
    leaf.user = below(2) != 0;
    leaf.global = below(2) != 0;
    tables_map_raw(b_.model->tables, 1, va, level, choice == 1 ? 0 : format->encode_leaf(&leaf),
                   below(2));
    b_.load();
    maintain(va);
  }

  /* Where a block was, a table is to come: its descriptor goes first. */
  void remove_block_over(std::uint64_t va, unsigned level) {
    const nw_format *format = regime().s1_format;
    if (level != format->last_level)
      return;
    const std::uint64_t above = tables_descriptor_pa(b_.model->tables, 1, va, level - 1);
    const std::uint64_t d =
        above == 0 ? 0 : tables_get(b_.model->tables, above, format->descriptor_bytes);
    if (d != 0 && (format->descriptor_bytes == 4 ? (d & 3) != 1 : (d & 3) == 1))
      tables_put(b_.model->tables, above, format->descriptor_bytes, 0);
  }

  void change_stage2() {
    if (!has_stage2())
      return;
    tables_map(b_.model->tables, 2, RIG_IPA + below(ipa_pages) * page_size,
               first_pa + below(pa_pages) * page_size, 12,
               below(16) | (below(4) != 0 ? MAP_READ : 0));
    b_.load();
    maintain(0);
  }

  /* What may change without maintenance: DACR, AFE, WXN, UWXN. */
  void change_rights() {
    static const std::uint32_t dacr[] = {0x5, 0x1, 0x4, 0x7, 0xd, 0xf, 0x2, 0x0};
    const std::uint64_t stage1 = nw_mmu_regime(b_.model->mmu)->reg[NW_REG_SCTLR] & 1;

    write(NW_REG_DACR, dacr[below(8)]);
    write(NW_REG_SCTLR, stage1 | std::uint64_t{below(2)} << 29 | std::uint64_t{below(4)} << 19);
  }

  void change_tags() {
    if (regime().s1_format->descriptor_bytes == 4)
      write(NW_REG_CONTEXTIDR, below(3));
    else
      write(NW_REG_TTBR0, TABLES_IPA | std::uint64_t{below(3)} << 48);
    if (has_stage2())
      write(NW_REG_VTTBR, TABLES_S2_PA | std::uint64_t{below(2)} << 48);
  }

  /* The tables are made as if both were on. */
  void switch_stage() {
    const std::uint64_t sctlr = nw_mmu_regime(b_.model->mmu)->reg[NW_REG_SCTLR] & ~1u;

    write(NW_REG_SCTLR, sctlr | (below(4) != 0));
    if (has_stage2())
      write(NW_REG_HCR, below(4) != 0);
  }

  bench &b_;
  std::uint64_t chance_;
};

nestwalk::request_extension random_fields(world &w) {
  nestwalk::request_extension fields;

  fields.privileged = w.below(2) != 0;
  fields.instruction = w.below(3) == 0;
  return fields;
}

access random_access(world &w, unsigned longest) {
  access a = read(w.random_va(), 1 + w.below(longest));

  if (w.below(3) == 0)
    a.command = tlm::TLM_WRITE_COMMAND;
  a.with(random_fields(w));
  return a;
}

nw_request request_of(const access &a, std::uint64_t va) {
  const bool write = a.command == tlm::TLM_WRITE_COMMAND;
  nw_request request = {};

  request.va = va;
  request.access = write ? NW_WRITE : a.extension->instruction ? NW_EXECUTE : NW_READ;
  request.privilege = a.extension->privileged ? NW_PRIVILEGED : NW_USER;
  return request;
}

tlm::tlm_response_status response_of(const nw_result &result) {
  switch (result.fault.type) {
  case NW_FAULT_NONE:
    return tlm::TLM_OK_RESPONSE;
  case NW_FAULT_PERMISSION:
  case NW_FAULT_DOMAIN:
    return tlm::TLM_COMMAND_ERROR_RESPONSE;
  default:
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
}

bool same(const nw_fault &a, const nw_fault &b) {
  return a.type == b.type && a.stage == b.stage && a.level == b.level && a.s1walk == b.s1walk &&
         a.access == b.access && a.domain == b.domain && a.va == b.va && a.ipa == b.ipa;
}

/* -- one by one ------------------------------------------------------------------------------- */

void compare_one(bench &b, access &&a, transport by) {
  const nw_request request = request_of(a, a.va);
  const std::uint64_t va = a.va;

  nw_mmu_translate(b.model->mmu, &request, &b.model->memory, &b.model->result);
  const nw_result &expected = b.model->result;
  const bool faults = expected.fault.type != NW_FAULT_NONE;
  if (a.command == tlm::TLM_WRITE_COMMAND)
    a.data.assign(a.length, faults ? 0 : byte_of(expected.pa));
  b.data.log.clear();
  const outcome o = by == transport::blocking ? b.lt(a) : b.at(std::move(a));
  const std::uint64_t cycles = o.duration.value() / cycle.value();
  if (o.status != response_of(expected) ||
      cycles != expected.cycles + (faults ? 0 : data_cycles) ||
      (!faults && b.data.log.at(0).address != expected.pa) ||
      (faults && !same(b.mmu.fault(0).fault, expected.fault)))
    fail_msg("va=0x%" PRIx64 " access=%u: found response %d, pa=0x%" PRIx64 ", %" PRIu64
             " cycles, fault type %u; expected pa=0x%" PRIx64 ", %u cycles, fault type %u",
             va, request.access, int(o.status),
             b.data.log.empty() ? 0 : b.data.log.at(0).address, cycles,
             b.mmu.fault(0).fault.type, expected.pa, expected.cycles, expected.fault.type);
  b.mmu.clear_fault(0);
}

void expect_same_counts(const struct nw_tlb_statistics &a, const struct nw_tlb_statistics &b) {
  assert_int_equal(a.accesses, b.accesses);
  assert_int_equal(a.hits, b.hits);
  assert_int_equal(a.misses, b.misses);
}

/* The counts that can be made from outside. */
void expect_same_counts(const struct nw_mmu_statistics &a, const struct nw_mmu_statistics &b) {
  expect_same_counts(a.l1i, b.l1i);
  expect_same_counts(a.l1d, b.l1d);
  expect_same_counts(a.l2, b.l2);
  assert_int_equal(a.walks, b.walks);
  assert_int_equal(a.walk_cycles, b.walk_cycles);
  assert_int_equal(a.walk_references, b.walk_references);
  assert_int_equal(a.rewalks, b.rewalks);
  assert_memory_equal(a.s1, b.s1, sizeof a.s1);
  assert_memory_equal(a.s2, b.s2, sizeof a.s2);
  assert_memory_equal(a.s2_for_s1, b.s2_for_s1, sizeof a.s2_for_s1);
  assert_int_equal(a.s2_final, b.s2_final);
  assert_int_equal(a.walk_cache_lookups, b.walk_cache_lookups);
  assert_int_equal(a.walk_cache_hits, b.walk_cache_hits);
  assert_int_equal(a.ipa_cache_lookups, b.ipa_cache_lookups);
  assert_int_equal(a.ipa_cache_hits, b.ipa_cache_hits);
  assert_memory_equal(a.faults, b.faults, sizeof a.faults);
  assert_int_equal(a.faults_stage2, b.faults_stage2);
}

/* -- in flight -------------------------------------------------------------------------------- */

/* What becomes of an access, byte by byte; its data are set for a write. */
tlm::tlm_response_status expect_bytes(bench &b, access &a, std::vector<unsigned char> &bytes) {
  bytes.assign(a.length, 0);
  for (unsigned i = 0; i < a.length; i++) {
    const nw_request request = request_of(a, a.va + i);
    const nw_result result = rig_plain_walk(b.model, &request);
    if (result.fault.type != NW_FAULT_NONE)
      return response_of(result);
    bytes[i] = byte_of(result.pa);
  }
  return tlm::TLM_OK_RESPONSE;
}

void behave_at_random(bench &b, world &w) {
  auto any = [&w] { return static_cast<test::style>(w.below(styles)); };

  b.data.choose_style = any;
  b.descriptors.choose_style = any;
  b.cores[0]->choose_style = [&w] { return static_cast<initiator::ends>(w.below(3)); };
}

void run_batch(bench &b, world &w) {
  std::vector<access> batch;
  std::vector<std::vector<unsigned char>> bytes(1 + w.below(12));
  std::vector<tlm::tlm_response_status> expected;

  for (auto &data : bytes) {
    batch.push_back(random_access(w, w.below(4) == 0 ? 0x1800 : 16));
    expected.push_back(expect_bytes(b, batch.back(), data));
    if (batch.back().command == tlm::TLM_WRITE_COMMAND)
      batch.back().data = data;
  }
  b.data.latency = (1 + w.below(20)) * cycle;
  b.descriptors.latency = (1 + w.below(20)) * cycle;
  b.cores[0]->annotated = w.below(3) * cycle;
  b.cores[0]->end_after = w.below(4) * cycle;
  const auto outcomes = b.cores[0]->run(batch);
  for (std::size_t i = 0; i < batch.size(); i++) {
    assert_int_equal(outcomes[i].status, expected[i]);
    if (expected[i] == tlm::TLM_OK_RESPONSE)
      assert_true(batch[i].data == bytes[i]);
  }
}

} // namespace

void compare_one_by_one(bench &b, std::uint64_t seed, unsigned operations, transport by,
                        bool all_counts) {
  b.start();
  world w(b, seed);
  for (unsigned i = 0; i < operations; i++) {
    if (w.below(4) == 0)
      w.change();
    access a = random_access(w, 1);
    compare_one(b, std::move(a), by);
  }
  const struct nw_mmu_statistics &found = b.mmu.statistics();
  const struct nw_mmu_statistics &expected = *nw_mmu_statistics(b.model->mmu);
  if (all_counts)
    assert_memory_equal(&found, &expected, sizeof found);
  else
    expect_same_counts(found, expected);
  expect_memory_filled(b);
  b.expect_protocol_kept();
}

void compare_in_flight(bench &b, std::uint64_t seed, unsigned batches) {
  const sc_time usual[] = {b.data.latency, b.descriptors.latency};

  b.start();
  world w(b, seed);
  behave_at_random(b, w);
  for (unsigned i = 0; i < batches; i++) {
    if (w.below(2) == 0)
      w.change();
    run_batch(b, w);
  }
  b.data.latency = usual[0];
  b.descriptors.latency = usual[1];
  expect_memory_filled(b);
  b.expect_protocol_kept();
}

} // namespace test
