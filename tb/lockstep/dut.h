// SPDX-License-Identifier: Apache-2.0
//
// The device under test: one variant of the Verilated RTL behind the ports of ports.h.
#ifndef NW_TB_LOCKSTEP_DUT_H
#define NW_TB_LOCKSTEP_DUT_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/ports.h"

namespace lockstep {

class Dut {
public:
  virtual ~Dut() = default;
  virtual void reset() = 0;
  // Passes one clock cycle.
  virtual void cycle(const nw_inputs &in, nw_outputs &out) = 0;
  // An assertion of the RTL has failed; it has been printed.
  virtual bool failed() const = 0;
  // State of the MMU's main state machine, for the report.
  virtual unsigned state() const = 0;
  // From cycle `from` on everything goes into an FST file. False where the RTL has been compiled
  // without tracing.
  virtual bool trace(const std::string &file, uint64_t from) = 0;
  // Writes what has been covered so far. False where the RTL has been compiled without coverage.
  virtual bool write_coverage(const std::string &file) = 0;
};

struct Variant {
  const char *name;
  nw_variant_entries entries;
  std::unique_ptr<Dut> (*create)();
};

// Those that the program has been linked with.
const std::vector<Variant> &variants();
const Variant *find_variant(const std::string &name);

} // namespace lockstep

#endif
