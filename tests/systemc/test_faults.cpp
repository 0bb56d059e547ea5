/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of the TLM-2.0 module: responses, records, syndromes, interrupts; contexts and the ids that
 * tell them apart.
 */
#include "systemc/bench.h"

namespace {

using namespace test;
namespace reg = nestwalk::registers;

bench *nested; /* long descriptors over stage 2 */
bench *plain;  /* short descriptors alone */
bench *pair;   /* nested, two contexts, three ports */
constexpr std::uint64_t va = 0x00300000;
constexpr std::uint64_t unmapped = 0x00900000;

bench &fresh(bench *b) {
  b->start();
  return *b;
}

/* What the C model says to the same access: its fault, which must be one. */
nw_fault model_fault(bench &b, nw_access access, nw_privilege privilege, std::uint64_t address) {
  assert_false(rig_translate(b.model, access, privilege, address));
  return b.model->result.fault;
}

/* The record, and what the register socket shows of it, are this fault. */
void expect_record(bench &b, const nw_fault &fault, unsigned context = 0) {
  const nestwalk::fault_record &record = b.mmu.fault(context);
  const nw_syndrome syndrome = nw_fault_syndrome(&b.mmu.regime(context), &fault);
  const std::uint64_t block = context * reg::context_size;
  const std::uint64_t status = b.read_register(block + reg::fault_status);

  assert_int_equal(record.fault.type, fault.type);
  assert_int_equal(record.fault.stage, fault.stage);
  assert_int_equal(record.fault.level, fault.level);
  assert_int_equal(record.fault.s1walk, fault.s1walk);
  assert_int_equal(record.fault.access, fault.access);
  assert_int_equal(record.fault.va, fault.va);
  assert_int_equal(record.fault.ipa, fault.ipa);
  assert_int_equal(record.syndrome.kind, syndrome.kind);
  assert_true(status & reg::fault_valid);
  assert_int_equal(!!(status & reg::fault_s1walk), fault.s1walk);
  assert_int_equal(status >> reg::fault_type_shift & 15, fault.type);
  assert_int_equal(status >> reg::fault_stage_shift & 3, fault.stage);
  assert_int_equal(status >> reg::fault_level_shift & 3, fault.level);
  assert_int_equal(status >> reg::fault_access_shift & 3, fault.access);
  assert_int_equal(b.read_register(block + reg::fault_dfsr),
                   syndrome.kind == NW_SYNDROME_DFSR ? syndrome.value[0] : 0);
  assert_int_equal(b.read_register(block + reg::fault_ifsr),
                   syndrome.kind == NW_SYNDROME_IFSR ? syndrome.value[0] : 0);
  assert_int_equal(b.read_register(block + reg::fault_hsr),
                   syndrome.kind == NW_SYNDROME_HSR ? syndrome.value[0] : 0);
  assert_int_equal(b.read_register(block + reg::fault_hpfar),
                   syndrome.kind == NW_SYNDROME_HSR ? syndrome.value[1] : 0);
  assert_int_equal(b.read_register(block + reg::fault_far), syndrome.far);
  assert_int_equal(b.read_register(block + reg::fault_va), fault.va);
  assert_int_equal(b.read_register(block + reg::fault_ipa), fault.ipa);
}

void clear(bench &b, unsigned context = 0) {
  assert_int_equal(
      b.write_register(context * reg::context_size + reg::fault_status, reg::fault_valid),
      tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.mmu.fault(context).fault.type, NW_FAULT_NONE);
}

/* The same by b_transport and by nb_transport: `make` makes the access. */
template <typename Make>
void expect_fault_both_ways(bench &b, Make make, tlm::tlm_response_status status,
                            const nw_fault &fault) {
  assert_int_equal(b.lt(make()).status, status);
  expect_record(b, fault);
  clear(b);
  assert_int_equal(b.at(make()).status, status);
  expect_record(b, fault);
  clear(b);
  b.expect_protocol_kept();
}

/* -- responses and syndromes ---------------------------------------------------------------------- */

void a_translation_fault_is_an_address_error(void **) {
  for (bench *b : {nested, plain}) {
    fresh(b);
    b->load();
    expect_fault_both_ways(
        *b, [] { return read(unmapped + 8); }, tlm::TLM_ADDRESS_ERROR_RESPONSE,
        model_fault(*b, NW_READ, NW_PRIVILEGED, unmapped + 8));
    assert_int_equal(b->data.log.size(), 0);
  }
}

void a_permission_fault_is_a_command_error(void **) {
  for (bench *b : {nested, plain}) {
    fresh(b);
    b->map(va, 12, MAP_READ | MAP_USER);
    expect_fault_both_ways(
        *b,
        [] {
          return write(va, {1, 2});
        },
        tlm::TLM_COMMAND_ERROR_RESPONSE, model_fault(*b, NW_WRITE, NW_PRIVILEGED, va));
    assert_int_equal(b->data.log.size(), 0);
  }
}

void a_user_access_to_a_privileged_page_is_a_command_error(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_READ | MAP_WRITE);
  expect_fault_both_ways(
      b, [] { return std::move(read(va).with(user())); }, tlm::TLM_COMMAND_ERROR_RESPONSE,
      model_fault(b, NW_READ, NW_USER, va));
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_OK_RESPONSE);
}

void a_fetch_from_a_page_without_execution_reports_the_instruction_syndrome(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_READ | MAP_WRITE);
  expect_fault_both_ways(
      b, [] { return std::move(read(va).with(fetch())); }, tlm::TLM_COMMAND_ERROR_RESPONSE,
      model_fault(b, NW_EXECUTE, NW_PRIVILEGED, va));
}

void a_stage_2_fault_reports_hsr_and_hpfar(void **) {
  bench &b = fresh(nested);
  constexpr std::uint64_t ipa = 0xb0000000;

  tables_map(b.model->tables, 1, 0x00b00000, ipa, 12, MAP_ALL);
  b.load();
  const nw_fault fault = model_fault(b, NW_WRITE, NW_PRIVILEGED, 0x00b00010);
  assert_int_equal(fault.stage, 2);
  expect_fault_both_ways(
      b, [] { return write(0x00b00010, {1}); }, tlm::TLM_ADDRESS_ERROR_RESPONSE, fault);
}

void a_stage_2_permission_fault_is_a_command_error(void **) {
  bench &b = fresh(nested);
  constexpr std::uint64_t ipa = 0xb1000000;

  tables_map(b.model->tables, 1, 0x00b01000, ipa, 12, MAP_ALL);
  tables_map(b.model->tables, 2, ipa, ipa + TABLES_OFFSET, 12, MAP_READ);
  b.load();
  expect_fault_both_ways(
      b, [] { return write(0x00b01010, {1}); }, tlm::TLM_COMMAND_ERROR_RESPONSE,
      model_fault(b, NW_WRITE, NW_PRIVILEGED, 0x00b01010));
}

/* A leaf without its access flag (long descriptors: bit 10). */
void an_access_flag_fault_is_an_address_error(void **) {
  bench &b = fresh(nested);
  constexpr std::uint64_t at = 0x00b02000;

  rig_map(b.model, at, 12, MAP_ALL);
  const std::uint64_t descriptor = tables_descriptor_pa(b.model->tables, 1, at, 3);
  tables_put(b.model->tables, descriptor, 8,
             tables_get(b.model->tables, descriptor, 8) & ~std::uint64_t{1 << 10});
  b.load();
  const nw_fault fault = model_fault(b, NW_READ, NW_PRIVILEGED, at);
  assert_int_equal(fault.type, NW_FAULT_ACCESS_FLAG);
  expect_fault_both_ways(
      b, [] { return read(at); }, tlm::TLM_ADDRESS_ERROR_RESPONSE, fault);
}

void a_domain_fault_is_a_command_error(void **) {
  bench &b = fresh(plain);

  b.map(va, 12, MAP_ALL);
  rig_register(b.model, NW_REG_DACR, 0);
  b.mmu.write_register(0, NW_REG_DACR, 0);
  const nw_fault fault = model_fault(b, NW_READ, NW_PRIVILEGED, va);
  assert_int_equal(fault.type, NW_FAULT_DOMAIN);
  expect_fault_both_ways(
      b, [] { return read(va); }, tlm::TLM_COMMAND_ERROR_RESPONSE, fault);
  rig_register(b.model, NW_REG_DACR, 0x55555555);
}

void a_refused_descriptor_read_is_an_external_abort_and_a_generic_error(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  const std::uint64_t descriptor = tables_descriptor_pa(b.model->tables, 1, va, 3);
  b.descriptors.hole_first = descriptor;
  b.descriptors.hole_last = descriptor + 7;
  b.model->abort_at = -1;
  rig_translate(b.model, NW_READ, NW_PRIVILEGED, va); /* counts the reads */
  for (unsigned i = 0; i < b.model->accesses; i++)
    b.model->abort_at = b.model->log[i].pa == descriptor ? int(i) : b.model->abort_at;
  nw_mmu_invalidate(b.model->mmu, NW_TLBI_ALL, 0);
  const nw_fault fault = model_fault(b, NW_READ, NW_PRIVILEGED, va);
  b.model->abort_at = -1;
  assert_int_equal(fault.type, NW_FAULT_EXTERNAL_ABORT);
  expect_fault_both_ways(
      b, [] { return read(va); }, tlm::TLM_GENERIC_ERROR_RESPONSE, fault);
}

/* -- records -------------------------------------------------------------------------------------- */

void the_first_fault_is_kept_and_more_are_marked(void **) {
  bench &b = fresh(nested);

  b.lt(read(unmapped));
  assert_false(b.mmu.fault(0).overflow);
  b.lt(write(unmapped + 0x10, {1}));
  assert_int_equal(b.mmu.fault(0).fault.va, unmapped);
  assert_true(b.mmu.fault(0).overflow);
  assert_true(b.read_register(reg::fault_status) & reg::fault_overflow);
  assert_int_equal(b.mmu.transport_statistics().faults, 2);
  clear(b);
  assert_int_equal(b.read_register(reg::fault_status), 0);
  b.lt(read(unmapped + 0x20));
  assert_int_equal(b.mmu.fault(0).fault.va, unmapped + 0x20);
  assert_false(b.mmu.fault(0).overflow);
}

void the_record_says_who_asked(void **) {
  bench &b = fresh(pair);
  nestwalk::request_extension fields = ids(7, 9);

  fields.privileged = false;
  b.lt(std::move(read(unmapped).with(fields)), 2);
  assert_int_equal(b.mmu.fault(0).port, 2);
  assert_int_equal(b.mmu.fault(0).stream, 2);
  assert_int_equal(b.mmu.fault(0).asid, 7);
  assert_int_equal(b.mmu.fault(0).vmid, 9);
  assert_false(b.mmu.fault(0).privileged);
  assert_int_equal(b.read_register(reg::fault_stream), 2ull << 48 | 9ull << 40 | 7ull << 32 | 2);
  assert_false(b.read_register(reg::fault_status) & reg::fault_privileged);
  clear(b);
  fields.stream = 0x1234;
  fields.privileged = true;
  b.lt(std::move(read(unmapped).with(fields)), 2);
  assert_int_equal(b.mmu.fault(0).stream, 0x1234);
  assert_true(b.read_register(reg::fault_status) & reg::fault_privileged);
}

void the_interrupt_is_high_from_a_fault_until_its_record_is_cleared(void **) {
  bench &b = fresh(nested);

  assert_false(b.irq[0].read());
  b.lt(read(unmapped));
  pass(1);
  assert_true(b.irq[0].read());
  assert_int_equal(b.write_register(reg::fault_status, 0), tlm::TLM_OK_RESPONSE);
  pass(1);
  assert_true(b.irq[0].read()); /* bit 0 was not written */
  clear(b);
  pass(1);
  assert_false(b.irq[0].read());
}

void each_context_has_its_own_record_and_interrupt(void **) {
  bench &b = fresh(pair);

  b.lt(read(unmapped), 1);
  pass(1);
  assert_false(b.irq[0].read());
  assert_true(b.irq[1].read());
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
  expect_record(b, model_fault(b, NW_READ, NW_PRIVILEGED, unmapped), 1);
  b.lt(read(unmapped), 0);
  b.mmu.clear_fault(1);
  pass(1);
  assert_true(b.irq[0].read());
  assert_false(b.irq[1].read());
}

void a_debug_request_reports_its_fault_in_the_response_alone(void **) {
  bench &b = fresh(nested);
  nestwalk::request_extension fields;

  fields.debug = true;
  assert_int_equal(b.lt(std::move(read(unmapped).with(fields))).status,
                   tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.at(std::move(read(unmapped).with(fields))).status,
                   tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
  assert_int_equal(b.mmu.transport_statistics().faults, 0);
  pass(1);
  assert_false(b.irq[0].read());
}

void a_fault_on_a_hit_is_that_of_a_miss(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_READ | MAP_USER);
  const nw_fault on_a_miss = model_fault(b, NW_WRITE, NW_PRIVILEGED, va);
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.lt(write(va, {1})).status, tlm::TLM_COMMAND_ERROR_RESPONSE);
  expect_record(b, on_a_miss);
  assert_int_equal(b.mmu.statistics().rewalks, 1);
}

/* -- contexts and ids ----------------------------------------------------------------------------- */

void each_context_translates_by_its_own_registers(void **) {
  bench &b = fresh(pair);

  b.map(va, 12, MAP_ALL);
  b.mmu.write_register(1, NW_REG_SCTLR, 0);
  b.mmu.write_register(1, NW_REG_HCR, 0);
  for (unsigned round = 0; round < 2; round++) {
    assert_int_equal(b.lt(read(va), 0).status, tlm::TLM_OK_RESPONSE);
    assert_int_equal(b.lt(read(va), 1).status, tlm::TLM_OK_RESPONSE);
    assert_int_equal(b.lt(read(va), 2).status, tlm::TLM_OK_RESPONSE);
  }
  assert_int_equal(b.data.log[0].address, b.pa(va));
  assert_int_equal(b.data.log[1].address, va);
  assert_int_equal(b.data.log[2].address, b.pa(va)); /* port 2 belongs to context 0 */
  assert_int_equal(b.mmu.statistics().walks, 1);
  assert_int_equal(b.mmu.statistics().l1d.hits, 3);
}

void contexts_with_the_same_ids_share_tlb_entries_and_others_do_not(void **) {
  bench &b = fresh(pair);

  b.map(va, 12, MAP_ALL);
  b.lt(read(va), 0);
  b.lt(read(va), 1);
  assert_int_equal(b.mmu.statistics().walks, 1);
  b.mmu.write_register(1, NW_REG_VTTBR, TABLES_S2_PA | 5ull << 48);
  b.lt(read(va), 1);
  assert_int_equal(b.mmu.statistics().walks, 2);
  b.lt(read(va), 0);
  assert_int_equal(b.mmu.statistics().walks, 2);
}

void the_extensions_asid_and_vmid_tag_the_request(void **) {
  for (bench *b : {nested, plain}) {
    fresh(b);
    tables_map_raw(b->model->tables, 1, va, b == nested ? 3 : 2, 0, 0); /* a page of one ASID */
    struct nwi_leaf leaf = {};
    leaf.output = 0x98000000;
    leaf.page_log2 = 12;
    leaf.readable = leaf.writable = leaf.executable = leaf.user = true;
    tables_map_raw(b->model->tables, 1, va, b == nested ? 3 : 2,
                   b->model->tables->regime.s1_format->encode_leaf(&leaf), 0);
    if (b == nested)
      tables_map(b->model->tables, 2, leaf.output, leaf.output + TABLES_OFFSET, 12, MAP_ALL);
    b->load();
    auto walks_after = [&](unsigned asid, unsigned vmid) {
      b->lt(std::move(read(va).with(ids(asid, vmid))));
      return b->mmu.statistics().walks;
    };
    assert_int_equal(walks_after(1, 0), 1);
    assert_int_equal(walks_after(1, 0), 1);
    assert_int_equal(walks_after(2, 0), 2);
    assert_int_equal(walks_after(1, 0), 2);
    assert_int_equal(walks_after(1, 3), b == nested ? 3 : 2); /* no VMIDs without a stage 2 */
    b->lt(read(va));                                          /* the registers' own ASID, 0 */
    assert_int_equal(b->mmu.statistics().walks, b == nested ? 4 : 3);
    assert_int_equal(b->mmu.read_register(0, NW_REG_VTTBR), b == nested ? TABLES_S2_PA : 0);
  }
}

void maintenance_reaches_the_vmid_of_its_context(void **) {
  bench &b = fresh(pair);

  b.map(va, 12, MAP_ALL);
  b.mmu.write_register(1, NW_REG_VTTBR, TABLES_S2_PA | 5ull << 48);
  b.lt(read(va), 0);
  b.lt(read(va), 1);
  b.mmu.invalidate(1, NW_TLBI_ALL);
  b.lt(read(va), 0);
  assert_int_equal(b.mmu.statistics().walks, 2);
  b.lt(read(va), 1);
  assert_int_equal(b.mmu.statistics().walks, 3);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(a_translation_fault_is_an_address_error),
    cmocka_unit_test(a_permission_fault_is_a_command_error),
    cmocka_unit_test(a_user_access_to_a_privileged_page_is_a_command_error),
    cmocka_unit_test(a_fetch_from_a_page_without_execution_reports_the_instruction_syndrome),
    cmocka_unit_test(a_stage_2_fault_reports_hsr_and_hpfar),
    cmocka_unit_test(a_stage_2_permission_fault_is_a_command_error),
    cmocka_unit_test(an_access_flag_fault_is_an_address_error),
    cmocka_unit_test(a_domain_fault_is_a_command_error),
    cmocka_unit_test(a_refused_descriptor_read_is_an_external_abort_and_a_generic_error),
    cmocka_unit_test(the_first_fault_is_kept_and_more_are_marked),
    cmocka_unit_test(the_record_says_who_asked),
    cmocka_unit_test(the_interrupt_is_high_from_a_fault_until_its_record_is_cleared),
    cmocka_unit_test(each_context_has_its_own_record_and_interrupt),
    cmocka_unit_test(a_debug_request_reports_its_fault_in_the_response_alone),
    cmocka_unit_test(a_fault_on_a_hit_is_that_of_a_miss),
    cmocka_unit_test(each_context_translates_by_its_own_registers),
    cmocka_unit_test(contexts_with_the_same_ids_share_tlb_entries_and_others_do_not),
    cmocka_unit_test(the_extensions_asid_and_vmid_tag_the_request),
    cmocka_unit_test(maintenance_reaches_the_vmid_of_its_context),
};

} // namespace

int sc_main(int, char **) {
  bench of_nested("nested", options());
  bench of_plain("plain", options(NW_REGIME_ARMV7_SHORT));
  options how;
  how.contexts = 2;
  how.ports = 3;
  bench of_pair("pair", how);

  nested = &of_nested;
  plain = &of_plain;
  pair = &of_pair;
  return run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
}
