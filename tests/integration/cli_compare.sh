#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk compare: table, sentences, JSON; the same figures as nestwalk run.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cp "$dir/t.nwt" "$dir/u.nwt"
cd "$dir" || exit 1

try 0 compare -m teaching -w t.nwt
for word in native nested shadow 'vs nested' 'TLB misses' 'walk refs' 'exits'; do
  says out "$word"
done
grep -Eq '^t: (nested|shadow) is faster than (nested|shadow) by [0-9.]+ % \([0-9,]+ cycles\): it ' out ||
  fail 'no sentence on the faster mode'
says out 'Against native, '
silent err

try 0 compare -m teaching -w t.nwt -p shadow,native
says out 'vs shadow'
try 0 compare -m teaching -w t.nwt -w u.nwt -p nested
says out 'u '

# The number of threads changes nothing.
try 0 compare -m cortex-a15 -w t.nwt --json -j 1
cp out one
try 0 compare -m cortex-a15 -w t.nwt --json -j 4
cmp -s out one || fail '-j 4 gives other figures than -j 1'

# One object for each mode, the one that run writes.
try 0 compare -m cortex-a15 -w t.nwt --json -p nested
head -n 3 out | tr -d ' \n' | grep -q '^{"modes":{"nested":{' || fail 'the JSON has another shape'
sed -n 's/^      //p' out | sed '/^}/,$d' >compared
try 0 run -q -m cortex-a15 -w t.nwt -o run
sed -n 's/^  //p' run/stats.json >ran
cmp -s compared ran || fail 'compare and run differ'
try 0 compare -m cortex-a15 -w t.nwt -w u.nwt --json -p nested
head -n 5 out | tr -d ' \n' | grep -q '^{"traces":\[{"trace":"t.nwt","modes":{' ||
  fail 'the JSON of several traces has another shape'
finish
