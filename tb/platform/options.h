/* SPDX-License-Identifier: Apache-2.0 */
/* The platform program's command line. */
#ifndef NESTWALK_TB_OPTIONS_H
#define NESTWALK_TB_OPTIONS_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/core.h"
#include "platform/replay.h"

namespace nestwalk {
namespace tb {

struct usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

/* A style of modelling: how the core accesses memory, and what the MMU is. */
struct modelling {
  const char *name;
  style how;
  bool rtl;
};

struct options {
  std::string machine = "teaching", trace, output, waves;
  std::vector<std::string> sets;
  std::vector<const modelling *> styles;
  nw_mode paging = NW_MODE_NESTED;
  std::uint64_t references = 0; /* 0: all */
  unsigned outstanding = 1;
  double quantum_ns = 10000;
  bool ideal = false, check = false, verbose = false, help = false;
};

extern const char options_help[];

/** Throws usage_error, with a sentence. */
options parse_options(int argc, char **argv);

} // namespace tb
} // namespace nestwalk

#endif
