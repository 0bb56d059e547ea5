/* SPDX-License-Identifier: Apache-2.0 */
#define SC_INCLUDE_DYNAMIC_PROCESSES /* sc_spawn */
#include "systemc/bench.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace test {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using tlm::tlm_generic_payload;

/* -- memory ----------------------------------------------------------------------------------- */

memory::memory(const sc_core::sc_module_name &name, nestwalk::tb::storage &storage,
               const sc_time &takes)
    : sc_module(name), socket("socket"), latency(takes), storage_(storage),
      events_("events", this, &memory::arrived) {
  socket.bind(*this);
}

void memory::reset() {
  answers = style::four_phases;
  choose_style = nullptr;
  meanwhile = nullptr;
  wait_in_b_transport = SC_ZERO_TIME;
  hole_first = 1;
  hole_last = 0;
  grants_dmi = true;
  dmi_first = 0;
  dmi_last = ~std::uint64_t{0};
  dmi_access = tlm::tlm_dmi::DMI_ACCESS_READ_WRITE;
  log.clear();
  debug_accesses = 0;
}

void memory::withdraw_dmi(std::uint64_t first, std::uint64_t last) {
  socket->invalidate_direct_mem_ptr(first, last);
}

bool memory::in_hole(const tlm_generic_payload &payload) const {
  return payload.get_address() >= hole_first && payload.get_address() <= hole_last;
}

void memory::note(const tlm_generic_payload &payload, const sc_time &delay) {
  nestwalk::request_extension *extension = nullptr;

  payload.get_extension(extension);
  log.push_back({payload.get_command(), payload.get_address(), payload.get_data_length(),
                 payload.get_streaming_width(), sc_core::sc_time_stamp() + delay,
                 extension != nullptr});
}

void memory::perform(tlm_generic_payload &payload) {
  const std::uint64_t address = payload.get_address();
  const unsigned width = std::max(1u, payload.get_streaming_width());

  if (in_hole(payload) || address + payload.get_data_length() > storage_.size()) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  for (unsigned i = 0; i < payload.get_data_length(); i++) {
    const unsigned char *enables = payload.get_byte_enable_ptr();
    unsigned char &byte = *storage_.at(address + i % width);
    if (enables != nullptr && enables[i % payload.get_byte_enable_length()] == 0)
      continue;
    if (payload.is_read())
      payload.get_data_ptr()[i] = byte;
    else if (payload.is_write())
      byte = payload.get_data_ptr()[i];
  }
  payload.set_dmi_allowed(grants_dmi);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void memory::b_transport(tlm_generic_payload &payload, sc_time &delay) {
  note(payload, delay);
  if (auto once = std::exchange(meanwhile, nullptr))
    once();
  if (wait_in_b_transport != SC_ZERO_TIME) {
    sc_core::wait(delay + wait_in_b_transport);
    delay = SC_ZERO_TIME;
  }
  perform(payload);
  delay += latency;
}

tlm::tlm_sync_enum memory::nb_transport_fw(tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                           sc_time &delay) {
  if (phase == tlm::END_RESP) {
    events_.notify(payload, phase, delay);
    return tlm::TLM_ACCEPTED;
  }
  const style how = choose_style ? choose_style() : answers;
  note(payload, delay);
  switch (how) {
  case style::four_phases:
    events_.notify(payload, tlm::BEGIN_REQ, delay + cycle);
    events_.notify(payload, tlm::BEGIN_RESP, delay + latency);
    return tlm::TLM_ACCEPTED;
  case style::no_end_req:
    events_.notify(payload, tlm::BEGIN_RESP, delay + latency);
    return tlm::TLM_ACCEPTED;
  case style::returns_end_req:
    events_.notify(payload, tlm::BEGIN_RESP, delay + latency);
    phase = tlm::END_REQ;
    delay += cycle;
    return tlm::TLM_UPDATED;
  case style::returns_begin_resp:
    /* the response channel has to be free for it */
    if (responding_ != nullptr || !responses_.empty()) {
      events_.notify(payload, tlm::BEGIN_RESP, delay + latency);
      return tlm::TLM_ACCEPTED;
    }
    perform(payload);
    responding_ = &payload;
    phase = tlm::BEGIN_RESP;
    delay += latency;
    return tlm::TLM_UPDATED;
  case style::completes:
    perform(payload);
    delay += latency;
    return tlm::TLM_COMPLETED;
  }
  return tlm::TLM_ACCEPTED;
}

/* BEGIN_REQ in the queue: time to send END_REQ. */
void memory::arrived(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  if (phase == tlm::BEGIN_REQ) {
    tlm::tlm_phase end = tlm::END_REQ;
    sc_time delay = SC_ZERO_TIME;
    socket->nb_transport_bw(payload, end, delay);
  } else if (phase == tlm::BEGIN_RESP) {
    responses_.push_back(&payload);
    respond();
  } else {
    responding_ = nullptr;
    respond();
  }
}

void memory::respond() {
  if (responding_ != nullptr || responses_.empty())
    return;
  responding_ = responses_.front();
  responses_.pop_front();
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_time delay = SC_ZERO_TIME;
  perform(*responding_);
  if (socket->nb_transport_bw(*responding_, phase, delay) != tlm::TLM_ACCEPTED)
    events_.notify(*responding_, tlm::END_RESP, delay);
}

bool memory::get_direct_mem_ptr(tlm_generic_payload &payload, tlm::tlm_dmi &dmi) {
  const std::uint64_t address = payload.get_address();

  if (!grants_dmi || address < dmi_first || address > dmi_last)
    return false;
  const std::uint64_t last = std::min(dmi_last, storage_.size() - 1);
  dmi.set_dmi_ptr(storage_.at(dmi_first));
  dmi.set_start_address(dmi_first);
  dmi.set_end_address(last);
  dmi.set_granted_access(dmi_access);
  dmi.set_read_latency(latency);
  dmi.set_write_latency(latency);
  return true;
}

unsigned memory::transport_dbg(tlm_generic_payload &payload) {
  debug_accesses++;
  if (in_hole(payload) || payload.get_address() + payload.get_data_length() > storage_.size())
    return 0;
  if (payload.is_read())
    std::memcpy(payload.get_data_ptr(), storage_.at(payload.get_address()),
                payload.get_data_length());
  else
    std::memcpy(storage_.at(payload.get_address()), payload.get_data_ptr(),
                payload.get_data_length());
  return payload.get_data_length();
}

/* -- accesses --------------------------------------------------------------------------------- */

access &access::with(const nestwalk::request_extension &fields) {
  extension = std::make_unique<nestwalk::request_extension>(fields);
  return *this;
}

void access::put(tlm_generic_payload &payload) {
  data.resize(std::max(1u, length));
  payload.set_command(command);
  payload.set_address(va);
  payload.set_data_ptr(data.data());
  payload.set_data_length(length);
  payload.set_streaming_width(streaming_width == 0 ? length : streaming_width);
  payload.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
  payload.set_byte_enable_length(static_cast<unsigned>(enables.size()));
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_extension(extension.get());
}

access read(std::uint64_t va, unsigned length) {
  access a;
  a.va = va;
  a.length = length;
  return a;
}

access write(std::uint64_t va, const std::vector<unsigned char> &data) {
  access a;
  a.command = tlm::TLM_WRITE_COMMAND;
  a.va = va;
  a.length = static_cast<unsigned>(data.size());
  a.data = data;
  return a;
}

nestwalk::request_extension user() {
  nestwalk::request_extension fields;
  fields.privileged = false;
  return fields;
}

nestwalk::request_extension fetch() {
  nestwalk::request_extension fields;
  fields.instruction = true;
  return fields;
}

nestwalk::request_extension ids(unsigned asid, unsigned vmid) {
  nestwalk::request_extension fields;
  fields.asid = static_cast<std::uint8_t>(asid);
  fields.vmid = static_cast<std::uint8_t>(vmid);
  return fields;
}

/* -- initiator -------------------------------------------------------------------------------- */

initiator::initiator(const sc_core::sc_module_name &name)
    : sc_module(name), socket("socket"), events_("events", this, &initiator::arrived) {
  socket.bind(*this);
}

initiator::~initiator() = default;

void initiator::free(tlm_generic_payload *payload) {
  payload->clear_extension<nestwalk::request_extension>();
  payload->reset();
  freed_++;
}

std::vector<outcome> initiator::run(std::vector<access> &accesses) {
  accesses_ = &accesses;
  outcomes_.assign(accesses.size(), outcome());
  begun_.assign(accesses.size(), SC_ZERO_TIME);
  completions.clear();
  payloads_.clear();
  next_ = ended_ = 0;
  freed_ = 0;
  for (access &a : accesses) {
    payloads_.push_back(
        std::make_unique<tlm_generic_payload>(static_cast<tlm::tlm_mm_interface *>(this)));
    payloads_.back()->acquire();
    a.put(*payloads_.back());
  }
  send_next();
  while (ended_ < accesses.size())
    sc_core::wait(finished_);
  pass(100); /* the others let go of their payloads */
  assert_int_equal(freed_, accesses.size());
  return outcomes_;
}

void initiator::send_next() {
  while (requesting_ == nullptr && next_ < payloads_.size()) {
    tlm_generic_payload &payload = *payloads_[next_];
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_time delay = annotated;

    begun_[next_] = sc_core::sc_time_stamp() + annotated;
    next_++;
    requesting_ = &payload;
    if (socket->nb_transport_fw(payload, phase, delay) != tlm::TLM_ACCEPTED)
      fail_msg("the module answered BEGIN_REQ by the return path");
  }
}

tlm::tlm_sync_enum initiator::nb_transport_bw(tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                              sc_time &delay) {
  if (phase == tlm::END_REQ) {
    events_.notify(payload, phase, delay);
    return tlm::TLM_ACCEPTED;
  }
  assert_true(delay == SC_ZERO_TIME);
  response_began(payload);
  switch (choose_style ? choose_style() : style) {
  case ends::by_return_path:
    phase = tlm::END_RESP;
    delay += end_after;
    return tlm::TLM_UPDATED;
  case ends::completed:
    delay += end_after;
    return tlm::TLM_COMPLETED;
  default:
    events_.notify(payload, tlm::BEGIN_RESP, delay + end_after);
    return tlm::TLM_ACCEPTED;
  }
}

void initiator::response_began(tlm_generic_payload &payload) {
  auto same = [&](const auto &p) { return p.get() == &payload; };
  const auto number = static_cast<std::size_t>(
      std::find_if(payloads_.begin(), payloads_.end(), same) - payloads_.begin());

  assert_true(number < payloads_.size());
  assert_int_equal(payload.get_address(), (*accesses_)[number].va);
  outcomes_[number] = {payload.get_response_status(), sc_core::sc_time_stamp() - begun_[number],
                       sc_core::sc_time_stamp()};
  completions.push_back(number);
  if (requesting_ == &payload)
    requesting_ = nullptr;
  /* whoever still needs the payload holds it */
  events_.notify(payload, tlm::UNINITIALIZED_PHASE, end_after + 3 * cycle);
}

void initiator::arrived(tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  if (phase == tlm::END_REQ) {
    if (requesting_ == &payload)
      requesting_ = nullptr;
    send_next();
  } else if (phase == tlm::BEGIN_RESP) {
    tlm::tlm_phase end = tlm::END_RESP;
    sc_time delay = SC_ZERO_TIME;
    socket->nb_transport_fw(payload, end, delay);
  } else {
    payload.release();
    if (++ended_ == payloads_.size())
      finished_.notify();
  }
}

void initiator::invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) {
  tlm::tlm_dmi window;
  window.set_start_address(first);
  window.set_end_address(last);
  withdrawn.push_back(window);
}

/* -- the bench -------------------------------------------------------------------------------- */

namespace {

constexpr std::uint64_t storage_bytes = 0x400000000; /* the tables of tables.h and more */

std::unique_ptr<nestwalk::mmu_base> make_mmu(const options &how) {
  nestwalk::mmu_parameters parameters;

  parameters.ports = how.ports;
  parameters.contexts = how.contexts;
  parameters.outstanding = how.outstanding;
  parameters.clock_mhz = 1000;
  parameters.mmu = how.config;
  if (how.make_mmu)
    return how.make_mmu(parameters);
  return std::make_unique<nestwalk::mmu>("mmu", parameters);
}

} // namespace

options::options(nw_regime_kind kind) : config(rig_full(kind)) {
}

bench::bench(const sc_core::sc_module_name &name, const options &how)
    : sc_module(name), model(rig_new(&how.config)), storage(storage_bytes), dut(make_mmu(how)),
      mmu(*dut), data("data", storage, data_cycles * cycle),
      descriptors("descriptors", storage, RIG_READ_CYCLES * cycle), registers("registers"),
      irq("irq", how.contexts), reset("reset") {
  auto add = [this](const std::string &hop) -> checker & {
    checkers_.push_back(std::make_unique<checker>(("checks_" + hop).c_str()));
    checkers_.back()->judge().demand_address_restored(hop.rfind("core", 0) == 0);
    return *checkers_.back();
  };
  auto connect = [](auto &from, checker &between, auto &to) {
    from.bind(between.target);
    between.initiator.bind(to);
  };

  for (unsigned i = 0; i < how.ports; i++) {
    const std::string core = "core" + std::to_string(i);
    cores.push_back(std::make_unique<initiator>(core.c_str()));
    connect(cores.back()->socket, add(core), mmu.upstream[i]);
  }
  connect(mmu.downstream, add("downstream"), data.socket);
  if (how.separate_walker)
    connect(mmu.walker, add("walker"), descriptors.socket);
  else
    data.latency = RIG_READ_CYCLES * cycle;
  registers.bind(register_side_);
  connect(registers, add("registers"), mmu.registers);
  for (unsigned i = 0; i < how.contexts; i++)
    mmu.fault_irq[i].bind(irq[i]);
  mmu.reset.bind(reset);
}

bench::~bench() {
  rig_free(model);
}

void bench::load() {
  for (unsigned i = 0; i < TABLES_BUCKETS; i++) {
    for (const tables_page *page = model->tables->page[i]; page != nullptr; page = page->next)
      std::memcpy(storage.at(page->number << 12), page->byte, sizeof page->byte);
  }
}

void bench::map(std::uint64_t va, unsigned page_log2, unsigned rights) {
  rig_map(model, va, page_log2, rights);
  load();
}

void bench::start() {
  data.reset();
  descriptors.reset();
  reset.write(true);
  pass(1);
  reset.write(false);
  pass(1);
  for (unsigned i = 0; i < NW_REGISTERS; i++) {
    const auto reg = static_cast<nw_register>(i);
    const std::uint64_t value = model->tables->regime.reg[i];
    nw_mmu_write_register(model->mmu, reg, value);
    for (unsigned context = 0; context < mmu.parameters().contexts; context++)
      assert_int_equal(mmu.write_register(context, reg, value), NW_REGISTER_WRITTEN);
  }
  pass(100); /* rtl_mmu takes a cycle for each */
  nw_mmu_invalidate(model->mmu, NW_TLBI_ALLNSNH, 0);
  nw_mmu_reset_statistics(model->mmu);
  for (auto &core : cores) {
    core->withdrawn.clear();
    core->style = initiator::ends::later;
    core->choose_style = nullptr;
    core->end_after = cycle;
    core->annotated = SC_ZERO_TIME;
  }
  mmu.reset_statistics();
  for (auto &c : checkers_)
    c->judge().forget_violations();
}

void bench::poke(std::uint64_t pa, const std::vector<unsigned char> &bytes) {
  std::copy(bytes.begin(), bytes.end(), storage.at(pa));
}

std::vector<unsigned char> bench::peek(std::uint64_t pa, unsigned length) {
  return {storage.at(pa), storage.at(pa) + length};
}

outcome bench::lt(access &a, unsigned port) {
  tlm_generic_payload payload;
  const sc_time before = sc_core::sc_time_stamp();
  sc_time delay = SC_ZERO_TIME;

  a.put(payload);
  const tlm_generic_payload &after = payload;
  cores[port]->socket->b_transport(payload, delay);
  assert_int_equal(after.get_address(), a.va);
  assert_ptr_equal(after.get_data_ptr(), a.data.data());
  assert_int_equal(after.get_data_length(), a.length);
  assert_int_equal(after.get_streaming_width(),
                   a.streaming_width == 0 ? a.length : a.streaming_width);
  assert_ptr_equal(after.get_byte_enable_ptr(), a.enables.empty() ? nullptr : a.enables.data());
  assert_int_equal(after.get_byte_enable_length(), a.enables.size());
  payload.clear_extension<nestwalk::request_extension>();
  return {payload.get_response_status(), sc_core::sc_time_stamp() + delay - before, before};
}

outcome bench::at(access &&a, unsigned port) {
  std::vector<access> one;
  one.push_back(std::move(a));
  return cores[port]->run(one)[0];
}

unsigned bench::debug(access &a, unsigned port) {
  tlm_generic_payload payload;

  a.put(payload);
  unsigned done = cores[port]->socket->transport_dbg(payload);
  assert_int_equal(payload.get_address(), a.va);
  assert_int_equal(payload.get_data_length(), a.length);
  payload.clear_extension<nestwalk::request_extension>();
  return done;
}

bool bench::dmi(access &&a, tlm::tlm_dmi &window, unsigned port) {
  tlm_generic_payload payload;

  a.put(payload);
  window.init();
  bool granted = cores[port]->socket->get_direct_mem_ptr(payload, window);
  assert_int_equal(payload.get_address(), a.va);
  payload.clear_extension<nestwalk::request_extension>();
  return granted;
}

tlm::tlm_response_status bench::access_register(access &a) {
  tlm_generic_payload payload;
  sc_time delay = SC_ZERO_TIME;

  a.put(payload);
  registers->b_transport(payload, delay);
  assert_true(delay == SC_ZERO_TIME);
  return payload.get_response_status();
}

std::uint64_t bench::read_register(std::uint64_t address, unsigned length) {
  access a = read(address, length);
  std::uint64_t value = 0;

  assert_int_equal(access_register(a), tlm::TLM_OK_RESPONSE);
  std::memcpy(&value, a.data.data(), length);
  return value;
}

tlm::tlm_response_status bench::write_register(std::uint64_t address, std::uint64_t value,
                                               unsigned length) {
  std::vector<unsigned char> bytes(length);

  std::memcpy(bytes.data(), &value, length);
  access a = write(address, bytes);
  return access_register(a);
}

void bench::expect_protocol_kept() {
  for (auto &c : checkers_) {
    for (const auto &found : c->judge().kept())
      print_error("%s\n", found.text.c_str());
    assert_int_equal(c->judge().violations(), 0);
    assert_int_equal(c->judge().in_flight(), 0);
  }
}

void pass(unsigned cycles) {
  sc_core::wait(cycles * cycle);
}

int run(const std::function<int()> &tests) {
  int failed = 1;
  sc_core::sc_spawn_options options;

  options.set_stack_size(1 << 20);
  sc_core::sc_spawn(
      [&] {
        failed = tests();
        sc_core::sc_stop();
      },
      "tests", &options);
  sc_core::sc_set_stop_mode(sc_core::SC_STOP_IMMEDIATE);
  sc_core::sc_start();
  return failed;
}

} // namespace test
