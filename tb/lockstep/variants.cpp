// SPDX-License-Identifier: Apache-2.0
//
// The variants that the program is linked with: NW_VARIANTS is X(name) for each.
#include "lockstep/dut.h"

namespace lockstep {

#define X(name) extern const Variant variant_##name;
NW_VARIANTS
#undef X

const std::vector<Variant> &variants() {
#define X(name) variant_##name,
  static const std::vector<Variant> all = {NW_VARIANTS};
#undef X
  return all;
}

const Variant *find_variant(const std::string &name) {
  for (const Variant &variant : variants())
    if (name == variant.name)
      return &variant;
  return nullptr;
}

} // namespace lockstep
