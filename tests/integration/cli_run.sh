#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk run: its files, its summary, its figures on a machine that can be checked by hand.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cd "$dir" || exit 1

try 0 run -m teaching -w t.nwt
says out 't.nwt on teaching, nested'
says out 'nestwalk-out/stats.txt'
silent err
equal 'files in nestwalk-out' "$(ls -A nestwalk-out | tr '\n' ' ')" 'stats.json stats.txt timeline.csv '
equal sim.references "$(statistic nestwalk-out/stats.txt sim.references)" 2816
equal sim.instructions "$(statistic nestwalk-out/stats.txt sim.instructions)" 2560
equal sim.complete "$(statistic nestwalk-out/stats.txt sim.complete)" 1
equal guest.syscalls "$(statistic nestwalk-out/stats.txt guest.syscalls)" 1

# The timeline: evenly over the references, up to the end, and its last row is the statistics'.
try 0 trace synth -o long.nwt --references=1000000 --footprint=1M
try 0 run -q -m teaching -w long.nwt -p shadow -o timed
awk -F, 'NR > 2 && ($1 <= last || $4 == 0) { exit 1 } { last = $1 } END { if (NR < 6) exit 1 }' \
  timed/timeline.csv || fail "the timeline: $(cat timed/timeline.csv)"
equal 'last row' "$(tail -n 1 timed/timeline.csv)" "$(for name in sim.references sim.cycles \
  shadow.pages shadow.bytes ksm.bytes_saved; do
  statistic timed/stats.txt $name
done | paste -sd, -)"

try 0 run -q -m teaching -w t.nwt -p native -o deep/er/native
silent out
stats=deep/er/native/stats.txt
equal 'exits, native' "$(statistic $stats hypervisor.exits)" 0
equal cycles.base "$(statistic $stats cycles.base)" 2560
# 72 pages are touched, each once for the first time.
equal guest.page_faults "$(statistic $stats guest.page_faults)" 72
# Data goes round more pages than any level holds, the four rounds miss each time; LRU.
equal mmu.l1d.misses.4K "$(statistic $stats mmu.l1d.misses.4K)" 256
# Natively each walk of a mapped small page reads two short descriptors, 100 cycles each.
walks=$(statistic $stats mmu.l2.misses.4K)
[ "$(statistic $stats mmu.walk_references)" -ge $((2 * walks)) ] || fail 'too few references'
equal mmu.walk_cycles "$(statistic $stats mmu.walk_cycles)" \
  $((100 * $(statistic $stats mmu.walk_references)))

# The two files say the same.
awk '$3 == "#" { print $1, $2 }' $stats | sort >text
sed -n 's/^  "\(.*\)": \([0-9.e-]*\),*$/\1 \2/p' deep/er/native/stats.json | sort >json
real='^(sim.seconds|selective.scale|agile.scale) ' # written with other numbers of digits
grep -vE "$real" text >text2
grep -vE "$real" json >json2
cmp -s text2 json2 || fail 'stats.txt and stats.json differ'
[ "$(wc -l <text)" -gt 100 ] || fail 'few statistics'

# Twice the same is the same.
try 0 run -q -m cortex-a15 -w t.nwt -p shadow -o one
try 0 run -q -m cortex-a15 -w t.nwt -p shadow -o two
cmp -s one/stats.txt two/stats.txt || fail 'two runs of the same differ'

try 0 run -m teaching -w t.nwt --limit 100 -o limited
says out 'not the whole trace'
equal sim.references "$(statistic limited/stats.txt sim.references)" 100
equal sim.complete "$(statistic limited/stats.txt sim.complete)" 0
try 0 run -v -m teaching -w t.nwt
says err 'M a second'

: >file
try 1 run -m teaching -w t.nwt -o file
says err 'file: Not a directory'
try 1 run -m teaching -w t.nwt -o file/below
says err 'file/below'
if [ -w /dev/full ]; then
  tests=$((tests + 1))
  "$nestwalk" run -m teaching -w t.nwt >/dev/full 2>err && fail 'a full disk was taken for success'
  grep -q 'standard output: No space left' err || fail 'the full disk is not named'
fi
finish
