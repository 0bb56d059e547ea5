#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The example of docs/systemc.md is example.cpp, and prints what the document says it prints.
set -eu

fail() {
  echo "$*"
  exit 1
}
# The n-th fenced block of the document.
block() {
  awk -v wanted="$1" '/^```/ { inside = !inside; number += inside; next }
                      inside && number == wanted' "$top_srcdir/docs/systemc.md"
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

block 1 | diff - "$top_srcdir/tests/systemc/example.cpp" || fail 'the document shows another example'
"$top_builddir/tests/systemc/example" 2>/dev/null | grep '^0x' >"$work/printed"
block 2 | diff - "$work/printed" || fail 'the example prints something else'
