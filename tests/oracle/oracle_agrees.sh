#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A few thousand random queries: the model answers as QEMU's Cortex-A15 does, judged field by field
# and, the way a user does it, by a diff of the two commands' output. NW_SEED chooses others.
set -eu

here=$top_srcdir/tests/oracle
. "$here/common.sh"
[ -n "$machine" ] || skip
judge=$top_builddir/tests/oracle/judge

seed=${NW_SEED:-20110309}
echo "NW_SEED=$seed"
"$top_builddir/tests/oracle/generate" "$seed" 20000 "$dir"
"$oracle" "$dir/random.case" >"$dir/machine"
"$judge" --cut "$dir" "$here/departures.txt" "$dir/random.case" "$dir/machine"

# The departures aside, the two commands' outputs agree line by line.
"$nestwalk" translate "$dir/random.case" >"$dir/model"
"$here/compare" "$dir/model" "$dir/machine" >"$dir/diff" || true
departed=$("$judge" "$here/departures.txt" "$dir/random.case" "$dir/machine" |
  sed -n 's/^\([0-9]*\)\tdeparted$/\1/p')
lines=$(grep -c '^<' "$dir/diff" || true)
[ "$lines" -eq "$departed" ] || {
  echo "compare finds $lines lines that differ, judge $departed departures"
  exit 1
}

# A wrong answer is found, and cut down to a case that the machine and the model agree on.
sed '0,/ -> ok pa=0x/s// -> ok pa=0xf/' "$dir/machine" >"$dir/wrong"
if "$judge" --cut "$dir" "$here/departures.txt" "$dir/random.case" "$dir/wrong" \
  >"$dir/verdict"; then
  echo "a wrong answer was not found"
  exit 1
fi
grep -q "cut down to $dir/cut.case" "$dir/verdict"
"$oracle" "$dir/cut.case" >"$dir/cut.machine"
grep -q '^q .* -> ok pa=' "$dir/cut.machine"
"$judge" "$here/departures.txt" "$dir/cut.case" "$dir/cut.machine" >/dev/null
