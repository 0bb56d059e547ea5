#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk trace synth: its options, and what is refused.
. "$top_srcdir/tests/integration/cli_common.sh"
cd "$dir" || exit 1

# synth ARGUMENT...: a small trace, t.nwt
synth() {
  try 0 trace synth -o t.nwt --references=20000 "$@"
}

# total NAME: of the trace
total() {
  "$nestwalk" trace info --json --verify t.nwt | sed -n "s/^  \"$1\": \([^,]*\),*\$/\1/p"
}

try 0 trace synth --help
says out '--pte-writes'
try 0 trace --help
says out 'trace synth'

synth
silent out
silent err
equal references "$(total references)" 20000
equal instructions "$(total instructions)" 15001
cp t.nwt first.nwt
synth --references=20000
try 0 trace synth -o second.nwt --references=20000
cmp -s first.nwt second.nwt || fail 'the same options give other bytes under another name'
synth --seed=7
cmp -s first.nwt t.nwt && fail 'the seed changes nothing'

synth --processes=5
equal streams "$("$nestwalk" trace info t.nwt | awk '$1 == "streams" { print $2 }')" 5
synth --writes=0
equal 'stores without any' "$(total stores)" 1
synth --footprint=1 --locality=sequential
"$nestwalk" trace dump t.nwt >dump
equal 'a footprint is rounded up to a page' \
  "$(awk '$2 == "load" || $2 == "store" { print substr($3, 1, 7) }' dump | sort -u | tr '\n' ' ')" \
  '0x10000 0x80000 '
synth --phases=references=5000,writes=100/references=5000,writes=0,pte-writes=10000
equal 'system calls of churn in one phase of two, and the exit' "$(total syscalls)" 7
for how in zipf zipf:1.2 sequential sequential:4K working-set working-set:64K \
  working-set:64K:100; do
  synth --locality=$how
done
for how in 100 1000:map 1000:protect:4 1000:fork:256 0.5; do
  synth --pte-writes=$how
done

# refuse WORDS ARGUMENT...
refuse() {
  words=$1
  shift
  try 2 trace synth -o refused.nwt "$@"
  says err "$words"
  silent out
}
refuse 'expected uniform, zipf' --locality=random
refuse 'expected uniform, zipf' --locality=zipf:
refuse 'expected uniform, zipf' --locality=zipf:-1
refuse 'expected uniform, zipf' --locality=sequential:6
refuse 'expected uniform, zipf' --locality=uniform:1
refuse 'expected at most as much' --locality=working-set:16M
refuse 'expected at most as much' --locality=sequential:64K --footprint=4K
refuse 'expected a size' --footprint=3G
refuse 'expected a size' --footprint=0
refuse 'expected a size' --footprint=8X
refuse 'expected a percentage' --writes=101
refuse 'expected a percentage' --writes=nan
refuse 'expected RATE' --pte-writes=1:unmap
refuse 'expected RATE' --pte-writes=1:map:0
refuse 'expected RATE' --pte-writes=2000000
refuse 'expected a whole number' --instructions=0
refuse 'expected a whole number' --references=many
refuse 'expected a whole number' --processes=0
refuse "found 'vax', expected armv7 or x86-64" --architecture=vax
refuse 'without references=N' --phases=writes=1
refuse 'expected a setting' --phases=references=5,colour=red
refuse 'expected a setting' --phases=
refuse '--phases: references' --phases=references=0
refuse 'options only' somewhere
refuse "unknown or ambiguous option '--frob'" --frob
try 2 trace synth
says err 'expected -o TRACE'
try 1 trace synth -o absent/t.nwt
says err 'absent/t.nwt'
try 0 trace synth -o other.nwt --references=1000 --architecture=x86-64
try 0 trace info other.nwt
says out 'architecture  x86-64,'
[ ! -e refused.nwt ] || fail 'a refused command wrote a trace'
finish
