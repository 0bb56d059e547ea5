#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Hits, shadow walks and nested walks of every pair of page sizes take the same cycles in the RTL and
# in the C core, whatever the memory's latency, and read as many descriptors as they must:
# (m + 1)(n + 1) - 1 for a cold nested walk of m levels over n.
set -u
cd "$top_builddir" || exit 1
if ! test -x tb/nested_vs_shadow; then
  echo "SKIP: configure found no Verilator"
  exit 77
fi
for latency in 1 10 37; do
  table=$(./tb/nested_vs_shadow --latency $latency) || { echo "$table"; exit 1; }
done
echo "$table"
expect() {
  echo "$table" | grep -q "^$1 .*($2) *[0-9]* | *[0-9]* ([ 0-9]*) *\$" || {
    echo "expected $2 descriptors for a cold walk of $1"
    exit 1
  }
}
expect "short   4K over 4K " 11
expect "short   4K over 2M " " 8"
expect "short  16M over 1G " " 3"
expect "long    4K over 4K " 15
expect "long    2M over 2M " " 8"
expect "long    1G over 1G " " 3"
