/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/dram.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace nestwalk {
namespace tb {

using sc_core::sc_time;

namespace {

void check_power_of_two(unsigned value, const char *what) {
  if (value == 0 || (value & (value - 1)) != 0)
    throw std::invalid_argument(std::string("DRAM ") + what + ": found " + std::to_string(value) +
                                ", expected a power of two");
}

const dram_parameters &checked(const dram_parameters &parameters) {
  dram_parameters_check(parameters);
  return parameters;
}

sc_time nanoseconds(double value) {
  return sc_time(value, sc_core::SC_NS);
}

} // namespace

void dram_parameters_check(const dram_parameters &p) {
  check_power_of_two(p.banks, "banks");
  check_power_of_two(p.row_bytes, "row_bytes");
  check_power_of_two(p.burst_bytes, "burst_bytes");
}

dram::dram(sc_core::sc_module_name name, storage &storage, const dram_parameters &p)
    : memory(name, storage), row_bytes_(checked(p).row_bytes), burst_bytes_(p.burst_bytes),
      burst_(nanoseconds(p.burst_ns)), cas_(nanoseconds(p.cas_ns)),
      activate_(nanoseconds(p.activate_ns)), precharge_(nanoseconds(p.precharge_ns)),
      row_active_(nanoseconds(p.row_active_ns)), write_recovery_(nanoseconds(p.write_recovery_ns)),
      refresh_every_(nanoseconds(p.refresh_every_ns)), refresh_(nanoseconds(p.refresh_ns)),
      controller_(nanoseconds(p.controller_ns)), banks_(p.banks) {
}

/* Refresh n is due at n * tREFI. The ones between two accesses have closed the rows; one that is
 * going on is waited for. */
sc_time dram::after_refresh(const sc_time &from) {
  if (refresh_every_ == sc_core::SC_ZERO_TIME)
    return from;
  const std::uint64_t due = from.value() / refresh_every_.value();
  if (due > refreshes_due_) {
    refreshes_due_ = due;
    rows_.refreshes++;
    for (bank &each : banks_)
      each.row = bank::closed;
  }
  const sc_time rested = double(due) * refresh_every_ + refresh_;
  return due > 0 ? std::max(from, rested) : from;
}

/* When the row is open for a column command. */
sc_time dram::open_row(bank &in, std::uint64_t row, sc_time from) {
  from = std::max(from, in.ready);
  if (in.row == row) {
    rows_.hits++;
    return from;
  }
  if (in.row == bank::closed) {
    rows_.misses++;
  } else {
    rows_.conflicts++;
    from = std::max(from, in.precharge) + precharge_;
  }
  in.row = row;
  in.precharge = from + row_active_;
  return from + activate_;
}

/* One burst; returns when its data have been moved. */
sc_time dram::burst(std::uint64_t address, bool write, sc_time from) {
  bank &in = banks_[address / row_bytes_ % banks_.size()];
  from = after_refresh(from);
  const sc_time column = open_row(in, address / row_bytes_ / banks_.size(), from);
  const sc_time data = std::max(column + cas_, bus_free_);
  bus_free_ = data + burst_;
  in.ready = column + burst_;
  if (write)
    in.precharge = std::max(in.precharge, bus_free_ + write_recovery_);
  return bus_free_;
}

sc_time dram::finish(const tlm::tlm_generic_payload &request, const sc_time &arrival) {
  const std::uint64_t first = request.get_address() & ~(burst_bytes_ - 1);
  const std::uint64_t end = request.get_address() + request.get_data_length();
  sc_time done = arrival;
  if (end > size() || end < request.get_address())
    return arrival + controller_;
  for (std::uint64_t at = first; at < end; at += burst_bytes_)
    done = burst(at, request.is_write(), arrival + 0.5 * controller_);
  return done + 0.5 * controller_;
}

/* A row hit's: DMI leaves the banks alone. */
sc_time dram::dmi_latency(bool) const {
  return controller_ + cas_ + burst_;
}

} // namespace tb
} // namespace nestwalk
