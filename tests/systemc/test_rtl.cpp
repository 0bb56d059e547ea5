/* SPDX-License-Identifier: Apache-2.0 */
/* The RTL behind the TLM-2.0 sockets serves the same traffic as the C model, in the same cycles. */
#include <nestwalk/systemc/rtl_mmu.h>

#include "systemc/random_traffic.h"

#include <stdexcept>

namespace {

using namespace test;

std::unique_ptr<bench> benches[ARM_REGIMES];
bench *nested; /* long descriptors over stage 2, two contexts */
constexpr std::uint64_t va = 0x00300000;
constexpr std::uint64_t unmapped = 0x02900000; /* random tables do not reach it */

bench &fresh(bench *b) {
  b->start();
  b->map(va, 12, MAP_ALL);
  b->map(va + 0x1000, 12, MAP_ALL);
  return *b;
}

std::uint64_t cycles_of(const outcome &o) {
  return o.duration.value() / cycle.value();
}

unsigned model_cycles(bench &b, std::uint64_t address) {
  rig_read(b.model, address);
  return b.model->result.cycles;
}

/* -- cycles and counts ---------------------------------------------------------------------------- */

void a_miss_and_a_hit_take_the_models_cycles(void **) {
  for (auto &b : benches) {
    fresh(b.get());
    for (unsigned i = 0; i < 2; i++)
      assert_int_equal(cycles_of(b->lt(read(va))), model_cycles(*b, va) + data_cycles);
    b->mmu.invalidate(0, NW_TLBI_ALLNSNH);
    nw_mmu_invalidate(b->model->mmu, NW_TLBI_ALLNSNH, 0);
    pass(10);
    for (unsigned i = 0; i < 2; i++)
      assert_int_equal(cycles_of(b->at(read(va))), model_cycles(*b, va) + data_cycles);
    assert_int_equal(b->mmu.statistics().walks, 2);
    assert_int_equal(b->mmu.statistics().l1d.hits, 2);
    assert_int_equal(b->mmu.transport_statistics().walker_reads,
                     b->mmu.statistics().walk_references);
    b->expect_protocol_kept();
  }
}

void a_request_between_edges_waits_for_the_next_one(void **) {
  bench &b = fresh(nested);

  b.lt(read(va));
  const sc_core::sc_time hit = b.lt(read(va)).duration;
  sc_core::wait(sc_core::sc_time(300, sc_core::SC_PS));
  const outcome o = b.lt(read(va));
  assert_true(o.duration == hit + sc_core::sc_time(700, sc_core::SC_PS));
}

void b_transport_consumes_the_callers_delay_first(void **) {
  bench &b = fresh(nested);
  tlm::tlm_generic_payload payload;
  access a = read(va);
  sc_core::sc_time delay = 100 * cycle;
  const sc_core::sc_time start = sc_core::sc_time_stamp();

  const unsigned walk = model_cycles(b, va);
  a.put(payload);
  b.cores[0]->socket->b_transport(payload, delay);
  assert_true(sc_core::sc_time_stamp() + delay - start == (100 + walk + data_cycles) * cycle);
  assert_true(b.data.log[0].time == start + (100 + walk) * cycle);
}

void one_by_one_it_is_the_model(void **) {
  std::uint64_t seed = rig_seed("one by one", 20250716);

  for (auto &b : benches) {
    compare_one_by_one(*b, tables_random(&seed), 1000, transport::blocking, false);
    compare_one_by_one(*b, tables_random(&seed), 500, transport::phases, false);
  }
}

void in_flight_every_request_has_the_outcome_of_a_walk(void **) {
  std::uint64_t seed = rig_seed("in flight", 20250717);

  for (auto &b : benches)
    compare_in_flight(*b, tables_random(&seed), 150);
}

/* -- what else the sockets do --------------------------------------------------------------------- */

void faults_are_recorded_as_the_models_are(void **) {
  bench &b = fresh(nested);

  assert_false(rig_write(b.model, unmapped + 4));
  const nw_fault &fault = b.model->result.fault;
  assert_int_equal(b.lt(write(unmapped + 4, {1})).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  const nestwalk::fault_record &record = b.mmu.fault(0);
  const nw_syndrome expected = nw_fault_syndrome(&b.mmu.regime(0), &fault);
  assert_int_equal(record.syndrome.value[0], expected.value[0]);
  assert_int_equal(record.fault.va, unmapped + 4);
  assert_int_equal(record.fault.failing_access, fault.failing_access);
  pass(1);
  assert_true(b.irq[0].read());
}

void a_refused_descriptor_read_is_an_external_abort(void **) {
  bench &b = fresh(nested);

  b.descriptors.hole_first = 0;
  b.descriptors.hole_last = ~std::uint64_t{0};
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_GENERIC_ERROR_RESPONSE);
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_EXTERNAL_ABORT);
}

void an_address_beyond_32_bits_is_a_translation_fault(void **) {
  bench &b = fresh(nested);

  assert_int_equal(b.lt(read(0x100300000)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.at(read(0x100300000)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.mmu.fault(0).fault.va, 0x100300000);
}

void a_transfer_that_crosses_a_page_is_split(void **) {
  bench &b = fresh(nested);

  assert_int_equal(b.lt(write(va + 0xffe, {1, 2, 3, 4})).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log.size(), 2);
  access a = read(va + 0xffe, 4);
  b.lt(a);
  assert_true(a.data == std::vector<unsigned char>({1, 2, 3, 4}));
}

void contexts_and_ids_reach_the_rtl(void **) {
  bench &b = fresh(nested);

  b.mmu.write_register(1, NW_REG_SCTLR, 0);
  b.mmu.write_register(1, NW_REG_HCR, 0);
  for (unsigned round = 0; round < 2; round++) {
    b.lt(read(va), 0);
    b.lt(read(va), 1);
    b.lt(std::move(read(va).with(ids(7, 3))), 0);
  }
  assert_int_equal(b.data.log[0].address, b.pa(va));
  assert_int_equal(b.data.log[1].address, va);
  assert_int_equal(b.data.log[2].address, b.pa(va));
  assert_int_equal(b.mmu.statistics().walks, 2);
}

void maintenance_and_registers_take_effect_in_order(void **) {
  bench &b = fresh(nested);

  b.lt(read(va));
  tables_map(b.model->tables, 1, va, 0x98000000, 12, MAP_ALL);
  tables_map(b.model->tables, 2, 0x98000000, 0x198000000, 12, MAP_ALL);
  b.load();
  b.lt(read(va));
  assert_int_equal(b.data.log.back().address, b.pa(va)); /* by the TLB */
  b.mmu.invalidate(0, NW_TLBI_MVA, va);
  b.lt(read(va)); /* at once */
  assert_int_equal(b.data.log.back().address, 0x198000000);
  b.mmu.write_register(0, NW_REG_SCTLR, 0);
  b.mmu.write_register(0, NW_REG_HCR, 0);
  b.lt(read(va));
  assert_int_equal(b.data.log.back().address, va);
}

void several_threads_are_served_in_order(void **) {
  bench &b = fresh(nested);
  outcome other;
  auto body = [&] { other = b.lt(read(va + 0x1000)); };

  auto handle = sc_core::sc_spawn(body);
  assert_int_equal(b.lt(read(va)).status, tlm::TLM_OK_RESPONSE);
  if (!handle.terminated())
    sc_core::wait(handle.terminated_event());
  assert_int_equal(other.status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.mmu.statistics().walks, 2);
  b.expect_protocol_kept();
}

void reset_reaches_the_rtl(void **) {
  bench &b = fresh(nested);

  b.lt(read(va));
  b.reset.write(true);
  pass(2);
  b.lt(read(0x1000));
  assert_int_equal(b.data.log.back().address, 0x1000);
}

void dmi_and_debug_walk_the_tables(void **) {
  bench &b = fresh(nested);
  tlm::tlm_dmi window;
  access a = read(va, 4);

  assert_true(b.dmi(read(va), window));
  assert_int_equal(window.get_start_address(), va);
  assert_true(window.get_read_latency() == (data_cycles + 2) * cycle);
  assert_int_equal(b.debug(a), 4);
  assert_int_equal(b.mmu.statistics().walks, 0);
  b.mmu.invalidate(0, NW_TLBI_ALL);
  assert_int_equal(b.cores[0]->withdrawn.size(), 1);
}

void the_clock_stands_still_when_there_is_nothing_to_do(void **) {
  fresh(nested);
  pass(100);
  const auto before = sc_core::sc_delta_count();
  pass(1000000);
  assert_true(sc_core::sc_delta_count() - before < 10);
}

/* -- parameters ----------------------------------------------------------------------------------- */

/* The machine file of the RTL and the RTL compiled in say the same. */
void its_parameters_are_those_of_its_machine_file(void **) {
  const char *folder = std::getenv("top_srcdir");
  assert_non_null(folder);
  const auto file = nestwalk::mmu_parameters::from_machine_file(std::string(folder) +
                                                                "/configs/machines/rtl.yaml")
                        .list();
  const auto built = nestwalk::rtl_parameters().list();
  const auto absent =
      [&](const std::string &name) { /* what does not matter of what is absent */
                                     return name.rfind("mmu.l2.", 0) == 0 &&
                                            nestwalk::rtl_parameters().mmu.l2.entries == 0;
      };

  for (std::size_t i = 0; i < built.size(); i++) {
    assert_string_equal(file[i].name.c_str(), built[i].name.c_str());
    if (built[i].name != "regime" && !absent(built[i].name))
      assert_string_equal(file[i].value.c_str(), built[i].value.c_str());
  }
}

void other_structures_are_refused_by_name(void **) {
  auto parameters = nestwalk::rtl_parameters();
  std::string message;

  parameters.mmu.l1d.entries = 7;
  try {
    nestwalk::rtl_mmu refused("refused", parameters);
  } catch (const std::invalid_argument &wrong) {
    message = wrong.what();
  }
  assert_string_equal(message.c_str(),
                      "mmu.l1d.entries: found 7, expected 16, which the RTL was built with");
}

const CMUnitTest tests[] = {
    cmocka_unit_test(a_miss_and_a_hit_take_the_models_cycles),
    cmocka_unit_test(a_request_between_edges_waits_for_the_next_one),
    cmocka_unit_test(b_transport_consumes_the_callers_delay_first),
    cmocka_unit_test(one_by_one_it_is_the_model),
    cmocka_unit_test(in_flight_every_request_has_the_outcome_of_a_walk),
    cmocka_unit_test(faults_are_recorded_as_the_models_are),
    cmocka_unit_test(a_refused_descriptor_read_is_an_external_abort),
    cmocka_unit_test(an_address_beyond_32_bits_is_a_translation_fault),
    cmocka_unit_test(a_transfer_that_crosses_a_page_is_split),
    cmocka_unit_test(contexts_and_ids_reach_the_rtl),
    cmocka_unit_test(maintenance_and_registers_take_effect_in_order),
    cmocka_unit_test(several_threads_are_served_in_order),
    cmocka_unit_test(reset_reaches_the_rtl),
    cmocka_unit_test(dmi_and_debug_walk_the_tables),
    cmocka_unit_test(the_clock_stands_still_when_there_is_nothing_to_do),
    cmocka_unit_test(its_parameters_are_those_of_its_machine_file),
};

/* The one word that a bench changes. */
std::unique_ptr<nestwalk::mmu_base> make_rtl(const nestwalk::mmu_parameters &parameters) {
  return std::make_unique<nestwalk::rtl_mmu>("mmu", parameters);
}

} // namespace

int sc_main(int, char **) {
  const CMUnitTest before_simulation[] = {cmocka_unit_test(other_structures_are_refused_by_name)};
  int failed = cmocka_run_group_tests(before_simulation, nullptr, nullptr);

  for (unsigned kind = 0; kind < ARM_REGIMES; kind++) {
    options how(static_cast<nw_regime_kind>(kind));
    const nw_regime_kind regime = how.config.regime;
    how.config = nestwalk::rtl_parameters().mmu;
    how.config.regime = regime;
    how.make_mmu = make_rtl;
    if (regime == NW_REGIME_ARMV7_LPAE_S2)
      how.contexts = how.ports = 2;
    benches[kind] = std::make_unique<bench>(nw_regime_name(regime), how);
  }
  nested = benches[NW_REGIME_ARMV7_LPAE_S2].get();
  failed += run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
  for (auto &b : benches)
    b.reset();
  return failed;
}
