#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Machines by name and by path, overrides, and what is refused with which place.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cd "$dir" || exit 1
unset NESTWALK_MACHINES

for machine in cortex-a15 cortex-a7 rtl teaching; do
  try 0 run -m "$machine" -w t.nwt
  says out "$machine"
done
try 2 run -m cortex-a16 -w t.nwt
says err "no machine 'cortex-a16'"
says err "cortex-a15, cortex-a7, golden-cove, haswell, nehalem, rtl, skylake, teaching, zen2, zen4"

mkdir mine
sed 's/^name:.*/name: my own/' "$top_srcdir/configs/machines/teaching.yaml" >mine/own.yaml
try 0 run -m mine/own.yaml -w t.nwt
says out 'my own'
try 0 run -m "$dir/mine/own.yaml" -w t.nwt
try 2 run -m own -w t.nwt
NESTWALK_MACHINES=/nonexistent:$dir/mine
export NESTWALK_MACHINES
try 0 run -m own -w t.nwt
says out 'my own'
try 0 run -m teaching -w t.nwt
try 2 run -m nothing -w t.nwt
says err 'own, cortex-a15'
try 2 run -m ./absent.yaml -w t.nwt
says err './absent.yaml: No such file'
try 2 run -m mine/ -w t.nwt
says err 'mine/:'

sed 's/^  l2: {entries: 16/  l2: {entries: 4x/' mine/own.yaml >mine/bad.yaml
line=$(grep -n '4x' mine/bad.yaml | cut -d: -f1)
try 2 run -m mine/bad.yaml -w t.nwt
says err "mine/bad.yaml:$line:17: mmu.l2.entries: found '4x', expected a whole number"
silent out
try 2 run -m teaching -w t.nwt --set mmu.l2.entries=12 --set mmu.l2.ways=4
says err '--set mmu.l2.entries=12: mmu.l2: found 12 entries in 4 ways, which is 3 sets'
try 2 run -m teaching -w t.nwt --set mmu.l3.entries=12
says err "--set mmu.l3.entries=12: found the unknown key 'l3' in mmu"

# An override counts: with a larger TLB there are fewer walks.
try 0 run -m teaching -w t.nwt -o small -q
try 0 run -m teaching -w t.nwt -o large -q --set 'mmu.l2={entries: 128, ways: 128, latency: 10}'
[ "$(statistic small/stats.txt mmu.walks)" -gt "$(statistic large/stats.txt mmu.walks)" ] ||
  fail 'a larger TLB does not save walks'
finish
