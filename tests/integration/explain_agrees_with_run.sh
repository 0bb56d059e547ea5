#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What explain tells of a record costs what the run pays for it, in every mode: the difference of two
# runs, one up to the record and one through it.
. "$top_srcdir/tests/integration/cli_common.sh"

small_trace "$dir/trace"
small_trace "$dir/x86-trace" x86-64

# A hypervisor that chooses fits its intervals to the length of the run unless it is told.
scale='--set=hypervisor.selective.scale=0.001 --set=hypervisor.agile.scale=0.001'

# pays LIMIT: cycles of translation, guest kernel and exits after so many references
pays() {
  "$nestwalk" run -q -m "$machine" $scale -w "$trace" -p "$mode" --limit="$1" -o "$dir/run" \
    2>"$dir/err" || fail "run: $(cat "$dir/err")"
  awk '$1 == "cycles.translation" || $1 == "cycles.guest_kernel" || $1 == "cycles.exits" {
    sum += $2 } END { print sum }' "$dir/run/stats.txt"
}

# told: the same as explain tells it: of each translation, of the kernel, of each exit
told() {
  sed -n -e 's/^ .* references\{0,1\}.* \([0-9]*\) cycles\{0,1\}: .*/\1/p' \
    -e 's/.* \([0-9]*\) cycles of its own, \([0-9]*\) for its translations.*/\1\n\2/p' "$dir/out" \
    >"$dir/parts"
  sed -n 's/.*; exits: //p' "$dir/out" | tr ',' '\n' | sed 's/.*(\([0-9]*\) cycles).*/\1/' \
    >>"$dir/parts"
  awk '{ sum += $1 } END { print sum }' "$dir/parts"
}

# agrees MODE N...: record 11 + 2 n is the store of round n, after n blocks of ten instructions and n
# stores.
agrees() {
  mode=$1
  shift
  for n in "$@"; do
    try 0 explain -m "$machine" $scale -w "$trace" -p "$mode" --at=$((11 + 2 * n))
    before=$(pays $((11 * n + 10)))
    after=$(pays $((11 * n + 11)))
    equal "$machine, $mode, record $((11 + 2 * n))" "$(told)" $((after - before))
  done
}

for mode in native nested shadow selective agile; do
  machine=cortex-a15 trace=$dir/trace
  agrees $mode 0 1 20 63 64 130
  machine=zen2 trace=$dir/x86-trace
  agrees $mode 0 1 20
done
machine=skylake
agrees nested 0 20 64

# A hit is told as one, a first touch with what mends it.
try 0 explain -m cortex-a15 -w "$dir/trace" --at=11
says out "translation fault at stage 1, level 3"
says out "the guest's kernel gets the fault and mends it: 1 table write"
says out "the hypervisor mends it; exits: stage2_fault 1"
try 0 explain -m cortex-a15 -w "$dir/trace" --at=139
says out "L2 TLB: hit: no walk"
says out "|-L2 TLB "

for at in 0 1 522 524 99999; do
  try 2 explain -m cortex-a15 -w "$dir/trace" --at=$at
  says err "record $at of stream 0"
done
try 2 explain -m cortex-a15 -w "$dir/trace" --at=11 --stream=1
says err "no stream 1, expected one below 1"
try 2 explain -m cortex-a15 -w "$dir/trace"
says err "expected --at=RECORD"
try 2 explain -m cortex-a15 -w "$dir/trace" --at=11 --latency=3
says err "--latency goes with a case file"
try 2 explain -m cortex-a15 --at=11 "$dir/trace"
says err "expected either a case file or a machine and a trace"
finish
