#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk results: list, export, merge, compare, machine, mistakes.
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1
small_sweep
try 0 sweep -q small.yaml -o a.db
silent out

try 0 results --help
says out 'Examples'
try 0 results list a.db
says out '24 points'
equal 'header' "$(head -1 out | tr -s ' ')" \
  'trace machine mode mmu.l2.entries mmu.l2.latency sim.cycles mmu.walks mmu.walk_references hypervisor.exits'
try 0 results list a.db --where mode=shadow --where 'mmu.l2.entries>=64' --where mmu.l2.latency=5
says out '2 points'
try 0 results list a.db --where 'mode=n*' --columns 'mode,mmu.l2.hits.*'
says out 'mmu.l2.hits.4K'
says out '16 points'

# CSV and JSON say the same.
columns=mode,mmu.l2.entries,sim.cycles,hypervisor.stage2_pages
try 0 results export a.db --columns $columns
tr -d '\r' <out | tail -n +2 >csv
equal 'lines of CSV' "$(wc -l <csv)" 24
try 0 results export a.db --columns $columns --format json -o a.json
silent out
sed -n 's/.*"mode": "\(.*\)", "mmu.l2.entries": \(.*\), "hypervisor.stage2_pages": "\(.*\)", "sim.cycles": \([0-9]*\).*/\1,\2,\3,\4/p' \
  a.json >json
cmp -s csv json || fail 'CSV and JSON differ'
# Quotes where CSV needs them.
printf 'title: "a, \\"b\\""\nmachines: [teaching]\n' >quotes.yaml
try 0 sweep -q quotes.yaml -w t.nwt -o quotes.db
try 0 results export quotes.db --columns sweep,mode
says out '"a, ""b""'

# The machine of a point runs again to the same statistics.
try 0 results machine a.db --where mode=native --where mmu.l2.entries=64 --where mmu.l2.latency=10
cp out again.yaml
try 0 run -q -m ./again.yaml -w t.nwt -p native -o again
try 0 results export a.db --where mode=native --where mmu.l2.entries=64 --where mmu.l2.latency=10 \
  --columns sim.cycles
equal 'cycles of the machine that was kept' "$(statistic again/stats.txt sim.cycles)" \
  "$(tail -1 out | tr -d '\r')"

# Compared with itself, and with a machine of other prices.
try 0 results compare a.db a.db
equal 'a file compared with itself' "$(cat out)" \
  '24 points in both, 0 of them changed (0 statistics); 0 only in a.db, 0 only in a.db'
sed 's/^axes:/set: {memory.dram_latency: 110}\naxes:/' small.yaml >dear.yaml
try 0 sweep -q dear.yaml -o b.db
try 0 results compare a.db b.db
says out '0 points in both, 0 of them changed (0 statistics); 24 only in a.db, 24 only in b.db'
try 0 results compare a.db b.db --match mode,mmu.l2.entries,mmu.l2.latency --columns mmu.walk_cycles
says out '24 points in both, 24 of them changed (24 statistics); 0 only'
says out '(+10.000 %)'
try 0 results compare a.db b.db --match mode,mmu.l2.entries,mmu.l2.latency --columns sim.cycles \
  --most 3
says out '... and 21 smaller changes'
try 0 results compare a.db b.db --match mode,mmu.l2.entries,mmu.l2.latency --columns 'mmu.walk*' \
  --threshold 10.1
says out '0 of them changed'
try 2 results compare a.db b.db --match mode
says err 'several points of one file have the same mode'

# Merged into one; again, nothing.
try 0 results merge -o c.db a.db b.db
says out 'c.db: 48 points added from 2 files'
try 0 results merge -o c.db b.db a.db
says out 'c.db: 0 points added from 2 files'
try 0 results compare c.db a.db
says out '24 points in both, 0 of them changed (0 statistics); 24 only in c.db'
contents a.db >a
contents b.db >b
contents c.db | LC_ALL=C sort -u >c
cat a b | LC_ALL=C sort -u >ab
cmp -s ab c || fail 'the merged file is not the two others'

refuse() {
  words=$1
  shift
  try 2 results "$@"
  says err "$words"
  silent out
}
refuse 'found no action, expected list'
refuse "found 'lst', expected list" lst a.db
refuse 'list: found 0 files, expected 1' list
refuse 'compare: found 1 files, expected 2' compare a.db
refuse 'list does not take the option --format' list a.db --format csv
refuse "--format: found 'xml'" export a.db --format xml
refuse "--where: found 'x', expected NAME=VALUE" list a.db --where x
refuse "--where: found 'colour'" list a.db --where colour=red
refuse "--columns: found no column 'colour'" list a.db --columns colour
refuse '--threshold' compare a.db a.db --threshold -1
refuse 'machine: found 24 points' machine a.db
refuse 'expected -o RESULTS.db' merge a.db
refuse 'absent.db' list absent.db
finish
