#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk compare --variant: columns with settings of their own.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cd "$dir" || exit 1

# cycles COLUMN FILE: a column's, of the JSON of one trace
cycles() {
  awk -v column="\"$1\":" '
    $1 == column { inside = 1 }
    inside && $1 == "\"sim.cycles\":" { sub(",", "", $2); print $2; exit }' "$2"
}

# A variant gives what the whole machine with these settings gives, and changes no other column.
try 0 compare -m cortex-a15 -w t.nwt -p nested,shadow --json \
  --variant 'big=nested:hypervisor.stage2_pages=[4K, 2M],mmu.l2.entries=64' \
  --variant shadow+update=shadow:hypervisor.shadow.sync=update --variant again=shadow
cp out variants
try 0 compare -m cortex-a15 -w t.nwt -p nested,shadow --json
equal 'nested beside variants' "$(cycles nested variants)" "$(cycles nested out)"
equal 'shadow beside variants' "$(cycles shadow variants)" "$(cycles shadow out)"
equal 'a variant without settings' "$(cycles again variants)" "$(cycles shadow out)"
try 0 compare -m cortex-a15 -w t.nwt -p nested --json \
  --set 'hypervisor.stage2_pages=[4K, 2M]' --set mmu.l2.entries=64
equal 'a variant with two settings' "$(cycles big variants)" "$(cycles nested out)"
[ "$(cycles big variants)" != "$(cycles nested variants)" ] || fail 'the settings change nothing'

# Settings of the command line hold for variants, too, below their own.
try 0 compare -m cortex-a15 -w t.nwt -p nested --json --set core.base_cpi=2 \
  --variant half=nested:core.base_cpi=1
cp out variants
try 0 compare -m cortex-a15 -w t.nwt -p nested --json
equal 'a setting above that of the command line' "$(cycles half variants)" "$(cycles nested out)"

# The table, the sentences and the chart call a column by its name; relations are to plain nested.
try 0 compare -m cortex-a15 -w t.nwt -p native --variant first=nested:core.base_cpi=3 \
  --variant second=nested
says out 'vs native'
says out 'native is faster than second'
try 0 compare -m cortex-a15 -w t.nwt --variant 'odd name "x"=shadow:hypervisor.world_switch=0'
says out 'vs nested'
says out 'odd name "x"'
if gnuplot --version >/dev/null 2>&1; then
  cp t.nwt u.nwt
  try 0 compare -m cortex-a15 -w t.nwt -w u.nwt --variant 'odd name "x"=shadow' --plot c.svg
  grep -q 'odd name "x"' c.svg || fail 'the chart lacks the column'
  grep -q 'program time, nested = 100' c.svg || fail 'several traces are not related to nested'
fi

# refuse WORDS VARIANT...: each alone
refuse() {
  words=$1
  shift
  for variant; do
    try 2 compare -m cortex-a15 -w t.nwt -p nested --variant "$variant"
    says err "$words"
    silent out
  done
}
refuse 'expected NAME=MODE' x '' '=nested' 'x=' 'x=:a=b' 'x=nested:' 'x=nested:core.base_cpi'
refuse 'expected NAME=MODE' 'x=nested,shadow' 'x=nested:=1'
refuse "no mode 'fast'" 'x=fast'
refuse 'twice' 'nested=shadow'
refuse 'core.colour' 'x=nested:core.colour=1'
refuse 'base_cpi' 'x=nested:core.base_cpi=red'
try 2 compare -m cortex-a15 -w t.nwt --variant x=nested --variant x=shadow
says err 'twice'
finish
