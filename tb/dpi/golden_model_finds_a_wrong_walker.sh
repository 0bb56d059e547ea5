#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The example bench finds no difference between the golden model and the walker that is right, and the
# one fault of the walker that is wrong, under several seeds: the address of large pages.
set -u
cd "$top_builddir" || exit 1
if ! test -x tb/dpi/walker_bench; then
  echo "SKIP: configure found no Verilator"
  exit 77
fi
status=0
for seed in 1 2 3; do
  if said=$(./tb/dpi/walker_bench +seed=$seed 2>&1) &&
      echo "$said" | grep 'no difference: 2000 walks'; then :; else
    echo "seed $seed, the right walker: $said"
    status=1
  fi
  if said=$(./tb/dpi/walker_bench +wrong +seed=$seed 2>&1); then
    echo "seed $seed, the wrong walker passes: $said"
    status=1
  fi
  echo "$said" | grep 'PA in a page of 2^16 bytes: found 0x' || {
    echo "seed $seed, the wrong walker's fault is not told: $said"
    status=1
  }
done
exit $status
