#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles on its own, twice included, as strict C11 and as C++ (where a C++
# compiler is here), without a warning.
set -eu

status=0
for header in "$top_srcdir"/model/include/nestwalk/*.h; do
  name=nestwalk/$(basename "$header")
  source="#include <$name>
#include <$name>"
  echo "$source" | ${CC:-cc} -x c -std=c11 -pedantic -Wall -Wextra -Wstrict-prototypes -Wundef \
    -Werror -fsyntax-only -I"$top_srcdir/model/include" - || {
    echo "$name is not self-contained C11"
    status=1
  }
  command -v g++ >/dev/null || continue
  echo "$source" | g++ -x c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only \
    -I"$top_srcdir/model/include" - || {
    echo "$name is not usable from C++"
    status=1
  }
done
exit $status
