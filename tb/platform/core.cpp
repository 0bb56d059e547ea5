/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/core.h"

#include <algorithm>
#include <cstring>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

namespace {

constexpr unsigned word = 4;
constexpr unsigned page_log2 = 12;
constexpr std::uint64_t page_mask = (std::uint64_t(1) << page_log2) - 1;

} // namespace

/* A payload with its data and its extension, used again and again. */
struct core::request : tlm::tlm_generic_payload {
  request_extension extension;
  unsigned char data[word] = {};
  unsigned char nothing[1] = {TLM_BYTE_DISABLED};
  bool failed = false;

  explicit request(tlm::tlm_mm_interface &owner) : tlm_generic_payload(&owner) {
    set_extension(&extension);
    set_data_ptr(data);
    set_data_length(word);
    set_streaming_width(word);
  }
  ~request() override {
    clear_extension(&extension);
  }
};

core::core(sc_core::sc_module_name name, const core_parameters &parameters)
    : sc_module(name), socket("socket"), parameters_(parameters),
      events_("events", this, &core::happens) {
  socket.register_nb_transport_bw(this, &core::nb_transport_bw);
  socket.register_invalidate_direct_mem_ptr(this, &core::invalidate_direct_mem_ptr);
  for (auto &table : windows_)
    table = std::make_unique<windows>();
}

core::~core() = default;

/* -- requests ---------------------------------------------------------------------------------- */

core::request &core::take_request(const access &what) {
  if (idle_.empty()) {
    tlm::tlm_mm_interface &owner = *this;
    requests_.push_back(std::make_unique<request>(owner));
    idle_.push_back(requests_.back().get());
  }
  request &taken = *idle_.back();
  idle_.pop_back();
  taken.acquire();
  taken.set_command(what.kind == NW_WRITE ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  taken.set_address(what.va & ~std::uint64_t(word - 1));
  taken.set_byte_enable_ptr(what.without_data ? taken.nothing : nullptr);
  taken.set_byte_enable_length(what.without_data ? sizeof taken.nothing : 0);
  taken.set_dmi_allowed(false);
  taken.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  std::memcpy(taken.data, &what.value, word);
  taken.extension.privileged = what.privileged;
  taken.extension.instruction = what.kind == NW_EXECUTE;
  taken.failed = false;
  return taken;
}

/* The last reference has gone. The extension stays on the payload. */
void core::free(tlm::tlm_generic_payload *payload) {
  idle_.push_back(static_cast<request *>(payload));
}

/* Counts a response; true when it is a good one. */
bool core::finish(request &done) {
  done.failed = !done.is_response_ok();
  counts_.transactions++;
  counts_.errors += done.failed;
  std::memcpy(&loaded_, done.data, word);
  return !done.failed;
}

/* -- any style --------------------------------------------------------------------------------- */

void core::synchronize() {
  if (local_ == SC_ZERO_TIME)
    return;
  const sc_time ahead = local_;
  local_ = SC_ZERO_TIME;
  wait(ahead);
}

bool core::perform(const access &what) {
  if (parameters_.how == style::lt_dmi && direct(what))
    return true;
  if (parameters_.how != style::at)
    return transport(what);
  request &one = take_request(what);
  begin(one);
  await_all();
  const bool good = !one.failed;
  one.release();
  return good;
}

unsigned core::fetch_run(std::uint64_t va, unsigned count, bool privileged) {
  const std::uint64_t last_word = (va | page_mask) + 1 - word;
  const auto fetch = [&](unsigned i) {
    return access{std::min(va + std::uint64_t(word) * i, last_word), NW_EXECUTE, privileged};
  };
  if (parameters_.how != style::at || parameters_.outstanding == 1) {
    unsigned done = 0;
    while (done < count && perform(fetch(done)))
      done++;
    return done;
  }
  /* The first fetch brings the page's translation; the others may then overlap. */
  if (!perform(fetch(0)))
    return 0;
  std::vector<request *> sent;
  for (unsigned i = 1; i < count; i++) {
    while (in_flight_ >= parameters_.outstanding)
      wait(changed_);
    sent.push_back(&take_request(fetch(i)));
    begin(*sent.back());
  }
  await_all();
  unsigned done = 1;
  while (done < count && !sent[done - 1]->failed)
    done++;
  for (request *each : sent)
    each->release();
  return done;
}

/* -- loosely timed ----------------------------------------------------------------------------- */

bool core::transport(const access &what) {
  request &one = take_request(what);
  socket->b_transport(one, local_);
  const bool good = finish(one);
  if (parameters_.how == style::lt_dmi && good && one.is_dmi_allowed())
    ask_for_window(one, what);
  one.release();
  if (local_ >= parameters_.quantum)
    synchronize();
  return good;
}

/* -- direct memory ----------------------------------------------------------------------------- */

core::windows &core::windows_for(const access &what) {
  return *windows_[(what.kind == NW_EXECUTE ? 2u : 0u) + (what.privileged ? 1u : 0u)];
}

bool core::direct(const access &what) {
  const std::uint64_t address = what.va & ~std::uint64_t(word - 1);
  const window &there = windows_for(what)[address >> page_log2 & (window_slots - 1)];
  const bool stores = what.kind == NW_WRITE;
  if (address < there.start || address > there.end || !(stores ? there.write : there.read))
    return false;
  unsigned char *at = there.memory + (address - there.start);
  if (!stores)
    std::memcpy(&loaded_, at, word);
  else if (!what.without_data)
    std::memcpy(at, &what.value, word);
  local_ += stores ? there.write_latency : there.read_latency;
  counts_.direct++;
  if (local_ >= parameters_.quantum)
    synchronize();
  return true;
}

/* `done` has been answered with the hint that direct memory is to be had. */
void core::ask_for_window(request &done, const access &what) {
  tlm::tlm_dmi granted;
  done.set_dmi_allowed(false);
  if (!socket->get_direct_mem_ptr(done, granted))
    return;
  const std::uint64_t page = what.va & ~page_mask;
  window &there = windows_for(what)[page >> page_log2 & (window_slots - 1)];
  there.start = std::max<std::uint64_t>(granted.get_start_address(), page);
  there.end = std::min<std::uint64_t>(granted.get_end_address(), page | page_mask);
  there.memory = granted.get_dmi_ptr() + (there.start - granted.get_start_address());
  there.read_latency = granted.get_read_latency();
  there.write_latency = granted.get_write_latency();
  there.read = granted.is_read_allowed();
  there.write = granted.is_write_allowed();
  counts_.windows++;
}

void core::invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) {
  counts_.withdrawn++;
  const std::uint64_t first = start >> page_log2;
  const std::uint64_t pages = std::min<std::uint64_t>((end >> page_log2) - first + 1, window_slots);
  for (auto &table : windows_)
    for (std::uint64_t i = 0; i < pages; i++) {
      window &each = (*table)[(first + i) & (window_slots - 1)];
      if (each.start <= end && each.end >= start)
        each = window();
    }
}

/* -- approximately timed ----------------------------------------------------------------------- */

/* Sends BEGIN_REQ as soon as the request before it has ended (15.2.6 e). */
void core::begin(request &what) {
  synchronize();
  await_request();
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay = SC_ZERO_TIME;
  requesting_ = &what;
  in_flight_++;
  switch (socket->nb_transport_fw(what, phase, delay)) {
  case tlm::TLM_ACCEPTED:
    break;
  case tlm::TLM_UPDATED:
    events_.notify(what, phase, delay);
    break;
  case tlm::TLM_COMPLETED: /* there is no response to end: what comes stands for both */
    events_.notify(what, tlm::END_RESP, delay);
    break;
  }
}

tlm::tlm_sync_enum core::nb_transport_bw(tlm::tlm_generic_payload &payload, tlm::tlm_phase &phase,
                                         sc_time &delay) {
  events_.notify(payload, phase, delay);
  return tlm::TLM_ACCEPTED;
}

void core::happens(tlm::tlm_generic_payload &payload, const tlm::tlm_phase &phase) {
  if (requesting_ == &payload)
    requesting_ = nullptr;
  if (phase == tlm::BEGIN_RESP) {
    tlm::tlm_phase answer = tlm::END_RESP;
    sc_time delay = SC_ZERO_TIME;
    socket->nb_transport_fw(payload, answer, delay);
  }
  if (phase == tlm::BEGIN_RESP || phase == tlm::END_RESP) {
    finish(static_cast<request &>(payload));
    in_flight_--;
  }
  changed_.notify();
}

void core::await_request() {
  while (requesting_)
    wait(changed_);
}

void core::await_all() {
  while (in_flight_ > 0)
    wait(changed_);
}

} // namespace tb
} // namespace nestwalk
