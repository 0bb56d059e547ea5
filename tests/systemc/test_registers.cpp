/* SPDX-License-Identifier: Apache-2.0 */
/* The register socket and reset of the TLM-2.0 module; its parameters and its payload extension. */
#include "systemc/bench.h"

#include <fstream>
#include <stdexcept>

namespace {

using namespace test;
namespace reg = nestwalk::registers;

bench *nested; /* long descriptors over stage 2, two contexts */
bench *plain;  /* short descriptors alone */
constexpr std::uint64_t va = 0x00300000;

bench &fresh(bench *b) {
  b->start();
  return *b;
}

/* -- the map -------------------------------------------------------------------------------------- */

void every_register_of_every_context_reads_back_what_was_written(void **) {
  bench &b = fresh(nested);

  for (unsigned context = 0; context < 2; context++) {
    for (unsigned r = 0; r < NW_REGISTERS; r++) {
      const std::uint64_t at = context * reg::context_size + reg::control + 8 * r;
      const bool wide = nw_register_width(NW_ARMV7, r) == 64;
      const std::uint64_t value =
          (wide ? 0x0012003400560000u : 0x80120000u) + 0x1000u * r + context;
      assert_int_equal(b.write_register(at, value), tlm::TLM_OK_RESPONSE);
      assert_int_equal(b.mmu.read_register(context, static_cast<nw_register>(r)), value);
      assert_int_equal(b.read_register(at), value);
      assert_int_equal(b.read_register(at, 4), value & 0xffffffff);
      assert_int_equal(b.read_register(at + 4, 4), value >> 32);
    }
  }
  assert_int_equal(b.mmu.read_register(0, NW_REG_DACR) + 1, b.mmu.read_register(1, NW_REG_DACR));
  b.expect_protocol_kept();
}

void a_write_of_four_bytes_leaves_the_other_half_alone(void **) {
  bench &b = fresh(nested);
  const std::uint64_t at = reg::control + 8 * NW_REG_TTBR0;

  b.write_register(at, 0x0012003412345000);
  assert_int_equal(b.write_register(at + 4, 0x00560000, 4), tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.read_register(at), 0x0056000012345000);
  assert_int_equal(b.write_register(at, 0x89ab0000, 4), tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.read_register(at), 0x0056000089ab0000);
}

void a_write_that_the_regime_refuses_changes_nothing(void **) {
  bench &b = fresh(nested);
  const std::uint64_t ttbcr = reg::control + 8 * NW_REG_TTBCR;
  const std::uint64_t before = b.read_register(ttbcr);

  assert_int_equal(b.write_register(ttbcr, 0), tlm::TLM_COMMAND_ERROR_RESPONSE); /* EAE */
  assert_int_equal(b.write_register(ttbcr, 1ull << 40 | before), tlm::TLM_COMMAND_ERROR_RESPONSE);
  assert_int_equal(b.read_register(ttbcr), before);
  assert_int_equal(fresh(plain).write_register(reg::control + 8 * NW_REG_HCR, 1),
                   tlm::TLM_COMMAND_ERROR_RESPONSE);
}

void accesses_of_other_sizes_or_places_are_refused(void **) {
  bench &b = fresh(nested);
  access odd = read(0x2, 4), long_one = read(0, 16), enabled = read(0, 8), streamed = read(0, 8),
         beyond = read(2 * reg::context_size, 8), between = read(0x280, 8),
         past_registers = read(8 * NW_REGISTERS, 8);

  enabled.enables = {0xff};
  streamed.streaming_width = 4;
  assert_int_equal(b.access_register(odd), tlm::TLM_BURST_ERROR_RESPONSE);
  assert_int_equal(b.access_register(long_one), tlm::TLM_BURST_ERROR_RESPONSE);
  assert_int_equal(b.access_register(enabled), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  assert_int_equal(b.access_register(streamed), tlm::TLM_BURST_ERROR_RESPONSE);
  assert_int_equal(b.access_register(beyond), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.access_register(between), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  assert_int_equal(b.access_register(past_registers), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

void what_is_read_only_refuses_writes(void **) {
  bench &b = fresh(nested);

  for (std::uint64_t at :
       {reg::fault_dfsr, reg::fault_ifsr, reg::fault_hsr, reg::fault_hpfar, reg::fault_far,
        reg::fault_va, reg::fault_ipa, reg::fault_stream, reg::identity})
    assert_int_equal(b.write_register(at, 1), tlm::TLM_COMMAND_ERROR_RESPONSE);
}

void the_identity_register_tells_regime_ports_and_contexts(void **) {
  bench &b = fresh(nested);

  for (unsigned context = 0; context < 2; context++)
    assert_int_equal(b.read_register(context * reg::context_size + reg::identity),
                     unsigned{NW_REGIME_ARMV7_LPAE_S2} << 24 | 1 << 12 | 2);
}

void every_maintenance_register_performs_its_operation(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  for (unsigned op = 0; op < NW_ARMV7_TLBIS; op++) {
    const bool of_hyp = op == NW_TLBI_ALLH || op == NW_TLBI_MVAH;
    const bool instruction_side = op >= NW_ITLBI_ALL && op <= NW_ITLBI_ASID;
    const nestwalk::request_extension fields =
        instruction_side ? fetch() : nestwalk::request_extension();
    const std::uint64_t at = reg::maintenance + 8 * op;
    b.mmu.invalidate(0, NW_TLBI_ALL);
    b.lt(std::move(read(va).with(fields)));
    b.mmu.reset_statistics();
    b.lt(std::move(read(va).with(fields)));
    assert_int_equal(b.mmu.statistics().walks, 0);
    assert_int_equal(b.write_register(at + 4, 0, 4), tlm::TLM_OK_RESPONSE); /* upper half */
    b.lt(std::move(read(va).with(fields)));
    assert_int_equal(b.mmu.statistics().walks, 0);
    assert_int_equal(b.write_register(at, va), tlm::TLM_OK_RESPONSE);
    b.lt(std::move(read(va).with(fields)));
    assert_int_equal(b.mmu.statistics().walks, of_hyp ? 0 : 1); /* the page is of ASID 0 */
    assert_int_equal(b.read_register(at), 0);
  }
}

void the_register_socket_completes_early_by_nb_transport(void **) {
  bench &b = fresh(nested);
  struct no_pool : tlm::tlm_mm_interface {
    void free(tlm::tlm_generic_payload *) override {
    }
  } pool;
  tlm::tlm_generic_payload payload(&pool);
  access a = read(reg::control + 8 * NW_REG_TTBR0, 8);
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = 5 * cycle;

  payload.acquire();
  a.put(payload);
  assert_int_equal(b.registers->nb_transport_fw(payload, phase, delay), tlm::TLM_COMPLETED);
  assert_int_equal(payload.get_response_status(), tlm::TLM_OK_RESPONSE);
  assert_true(delay == 5 * cycle);
  assert_int_equal(a.data[0] | a.data[1] << 8 | a.data[2] << 16 | unsigned{a.data[3]} << 24,
                   TABLES_IPA);
  payload.release();
  b.expect_protocol_kept();
}

void debug_reads_registers_and_writes_nothing(void **) {
  bench &b = fresh(nested);
  tlm::tlm_generic_payload payload;
  access a = read(reg::control + 8 * NW_REG_TTBR0 + 2, 4);

  a.put(payload);
  assert_int_equal(b.registers->transport_dbg(payload), 4);
  assert_int_equal(a.data[1], TABLES_IPA >> 24);
  access w = write(reg::control + 8 * NW_REG_TTBR0, {1, 2, 3, 4});
  w.put(payload);
  assert_int_equal(b.registers->transport_dbg(payload), 0);
  assert_int_equal(b.mmu.read_register(0, NW_REG_TTBR0), TABLES_IPA);
  access past = read(2 * reg::context_size - 4, 4);
  past.put(payload);
  assert_int_equal(b.registers->transport_dbg(payload), 0);
  tlm::tlm_dmi window;
  a.put(payload);
  assert_false(b.registers->get_direct_mem_ptr(payload, window));
}

void a_context_or_port_or_register_that_is_not_there_throws(void **) {
  bench &b = fresh(nested);
  unsigned thrown = 0;
  nw_result result;
  nestwalk::debug_request request;

  request.port = 1;
  const std::function<void()> calls[] = {
      [&] { b.mmu.write_register(2, NW_REG_DACR, 0); },
      [&] { b.mmu.read_register(2, NW_REG_DACR); },
      [&] { b.mmu.read_register(0, NW_REGISTERS); },
      [&] { b.mmu.invalidate(2, NW_TLBI_ALL); },
      [&] { b.mmu.fault(2); },
      [&] { b.mmu.clear_fault(2); },
      [&] { b.mmu.regime(2); },
      [&] { b.mmu.debug_translate(request, result); },
  };
  for (const auto &call : calls) {
    try {
      call();
    } catch (const std::out_of_range &) {
      thrown++;
    }
  }
  assert_int_equal(thrown, sizeof calls / sizeof calls[0]);
  assert_int_equal(b.mmu.write_register(0, NW_REGISTERS, 0), NW_REGISTER_UNKNOWN);
}

/* -- reset ---------------------------------------------------------------------------------------- */

void reset_clears_registers_faults_and_tlbs_and_keeps_statistics(void **) {
  bench &b = fresh(nested);

  b.map(va, 12, MAP_ALL);
  b.lt(read(va));
  b.lt(read(0x00900000));
  pass(1);
  assert_true(b.irq[0].read());
  b.reset.write(true);
  pass(2);
  for (unsigned r = 0; r < NW_REGISTERS; r++)
    assert_int_equal(b.mmu.read_register(0, static_cast<nw_register>(r)),
                     r == NW_REG_TTBCR ? 1u << 31 : 0); /* EAE is the regime's */
  assert_int_equal(b.mmu.fault(0).fault.type, NW_FAULT_NONE);
  assert_false(b.irq[0].read());
  assert_int_equal(b.mmu.statistics().walks, 2);
  b.lt(read(0x1000));
  assert_int_equal(b.data.log.back().address, 0x1000);
  for (unsigned r = 0; r < NW_REGISTERS; r++)
    b.mmu.write_register(0, static_cast<nw_register>(r), b.model->tables->regime.reg[r]);
  b.lt(read(va));
  assert_int_equal(b.mmu.statistics().walks, 3);
}

void a_request_in_flight_at_reset_ends_as_it_began(void **) {
  bench &b = fresh(nested);
  auto resets = [&b] {
    pass(25); /* in the middle of the walk */
    b.reset.write(true);
  };

  b.map(va, 12, MAP_ALL);
  sc_core::sc_spawn(resets);
  assert_int_equal(b.at(read(va)).status, tlm::TLM_OK_RESPONSE);
  assert_int_equal(b.data.log[0].address, b.pa(va));
  assert_int_equal(b.mmu.read_register(0, NW_REG_SCTLR), 0);
}

/* -- parameters ----------------------------------------------------------------------------------- */

std::string value_of(const nestwalk::mmu_parameters &parameters, const std::string &name) {
  for (const nestwalk::parameter &p : parameters.list()) {
    assert_true(!p.description.empty());
    if (p.name == name)
      return p.value;
  }
  return "(none)";
}

void parameters_are_reported_by_name(void **) {
  nestwalk::mmu_parameters p;

  p.ports = 3;
  p.clock_mhz = 1234.5;
  p.mmu.l2.entries = 1024;
  p.mmu.cycles.read = 17;
  assert_string_equal(value_of(p, "ports").c_str(), "3");
  assert_string_equal(value_of(p, "core.clock_mhz").c_str(), "1234.5");
  assert_string_equal(value_of(p, "mmu.l2.entries").c_str(), "1024");
  assert_string_equal(value_of(p, "mmu.l2.policy").c_str(), "lru");
  assert_string_equal(value_of(p, "mmu.cycles.read").c_str(), "17");
  assert_string_equal(value_of(p, "regime").c_str(), "armv7-lpae+s2");
  assert_string_equal(value_of(nested->mmu.parameters(), "contexts").c_str(), "2");
}

std::string machine_file(const char *text) {
  const std::string path = "./test_registers_machine.yaml";
  std::ofstream(path) << text;
  return path;
}

constexpr const char *small_machine = "architecture: armv7\n"
                                      "format: short\n"
                                      "core: {clock_mhz: 800, base_cpi: 1}\n"
                                      "mmu:\n"
                                      "  l1d: {entries: 8, ways: 8, latency: 1}\n"
                                      "memory: {caches: [], dram_latency: 50}\n";

void parameters_come_from_a_machine_file_and_overrides(void **) {
  const auto p = nestwalk::mmu_parameters::from_machine_file(
      machine_file(small_machine), {"mmu.l2.entries=64", "mmu.l2.ways=4"});

  assert_true(p.clock_mhz == 800);
  assert_int_equal(p.mmu.regime, NW_REGIME_ARMV7_SHORT_S2);
  assert_int_equal(p.mmu.l1d.entries, 8);
  assert_int_equal(p.mmu.l1d.latency, 1);
  assert_int_equal(p.mmu.l1i.entries, 0);
  assert_int_equal(p.mmu.l2.entries, 64);
  assert_int_equal(p.ports, 1);
}

std::string complaint(const std::function<void()> &body) {
  try {
    body();
  } catch (const std::invalid_argument &wrong) {
    return wrong.what();
  }
  return "";
}

bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

void a_bad_machine_file_is_refused_with_its_line(void **) {
  const std::string path = machine_file("architecture: armv7\nformat: tiny\n");
  const std::string message = complaint([&] { nestwalk::mmu_parameters::from_machine_file(path); });

  assert_true(contains(message, "test_registers_machine.yaml:2"));
  assert_true(contains(message, "tiny"));
  assert_true(contains(complaint([] { nestwalk::mmu_parameters::from_machine_file("nowhere"); }),
                       "no machine 'nowhere'"));
}

void impossible_parameters_are_refused_by_name(void **) {
  const struct {
    std::function<void(nestwalk::mmu_parameters &)> spoil;
    const char *name;
  } cases[] = {
      {[](auto &p) { p.ports = 0; }, "ports: found 0, expected 1 to 256"},
      {[](auto &p) { p.contexts = 257; }, "contexts: found 257"},
      {[](auto &p) { p.outstanding = 65; }, "outstanding: found 65"},
      {[](auto &p) { p.clock_mhz = 0; }, "core.clock_mhz: found 0"},
      {[](auto &p) { p.clock_mhz = -1; }, "core.clock_mhz: found -1"},
      {[](auto &p) { p.mmu.regime = NW_REGIMES; }, "regime: found"},
  };

  for (const auto &c : cases) {
    nestwalk::mmu_parameters p;
    c.spoil(p);
    assert_true(contains(complaint([&] { p.check(); }), c.name));
  }
}

void the_clock_period_is_rounded_to_the_time_resolution(void **) {
  assert_true(nested->mmu.clock_period() == cycle);
}

/* -- the extension -------------------------------------------------------------------------------- */

void a_clone_of_the_extension_is_equal_and_separate(void **) {
  nestwalk::request_extension fields = ids(3, 4);

  fields.privileged = false;
  fields.instruction = fields.debug = true;
  fields.stream = 77;
  const std::unique_ptr<nestwalk::request_extension> clone(
      dynamic_cast<nestwalk::request_extension *>(fields.clone()));
  fields.asid = 5;
  assert_non_null(clone.get());
  assert_false(clone->privileged);
  assert_true(clone->instruction);
  assert_true(clone->debug);
  assert_int_equal(*clone->stream, 77);
  assert_int_equal(*clone->asid, 3);
  assert_int_equal(*clone->vmid, 4);
  nestwalk::request_extension other;
  assert_false(other.stream.has_value());
  other.copy_from(*clone);
  assert_int_equal(*other.asid, 3);
  assert_false(other.privileged);
}

void deep_copies_of_a_payload_carry_the_extension(void **) {
  tlm::tlm_generic_payload from, to;
  nestwalk::request_extension fields = ids(3, 4);
  nestwalk::request_extension *copy = nullptr;

  from.set_extension(&fields);
  to.deep_copy_from(from);
  to.get_extension(copy);
  assert_non_null(copy);
  assert_ptr_not_equal(copy, &fields);
  assert_int_equal(*copy->asid, 3);
  from.clear_extension(&fields);
}

const CMUnitTest tests[] = {
    cmocka_unit_test(every_register_of_every_context_reads_back_what_was_written),
    cmocka_unit_test(a_write_of_four_bytes_leaves_the_other_half_alone),
    cmocka_unit_test(a_write_that_the_regime_refuses_changes_nothing),
    cmocka_unit_test(accesses_of_other_sizes_or_places_are_refused),
    cmocka_unit_test(what_is_read_only_refuses_writes),
    cmocka_unit_test(the_identity_register_tells_regime_ports_and_contexts),
    cmocka_unit_test(every_maintenance_register_performs_its_operation),
    cmocka_unit_test(the_register_socket_completes_early_by_nb_transport),
    cmocka_unit_test(debug_reads_registers_and_writes_nothing),
    cmocka_unit_test(a_context_or_port_or_register_that_is_not_there_throws),
    cmocka_unit_test(reset_clears_registers_faults_and_tlbs_and_keeps_statistics),
    cmocka_unit_test(a_request_in_flight_at_reset_ends_as_it_began),
    cmocka_unit_test(parameters_are_reported_by_name),
    cmocka_unit_test(parameters_come_from_a_machine_file_and_overrides),
    cmocka_unit_test(a_bad_machine_file_is_refused_with_its_line),
    cmocka_unit_test(impossible_parameters_are_refused_by_name),
    cmocka_unit_test(the_clock_period_is_rounded_to_the_time_resolution),
    cmocka_unit_test(a_clone_of_the_extension_is_equal_and_separate),
    cmocka_unit_test(deep_copies_of_a_payload_carry_the_extension),
};

} // namespace

int sc_main(int, char **) {
  options how;
  how.contexts = 2;
  bench of_nested("nested", how);
  bench of_plain("plain", options(NW_REGIME_ARMV7_SHORT));

  nested = &of_nested;
  plain = &of_plain;
  return run([] { return cmocka_run_group_tests(tests, nullptr, nullptr); });
}
