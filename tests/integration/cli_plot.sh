#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk compare --plot: charts, and what is refused.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cp "$dir/t.nwt" "$dir/it's \"a\" {trace}_^\$(x).nwt"
cd "$dir" || exit 1

for name in chart chart.gif .svg svg chart.svg.gz; do
  try 2 compare -m teaching -w t.nwt --plot "$name"
  says err 'expected a name that ends in .svg or .png'
  silent out
done

PATH_BEFORE=$PATH
PATH=/nonexistent
"$nestwalk" compare -m teaching -w t.nwt --plot chart.svg >out 2>err
status=$?
PATH=$PATH_BEFORE
equal 'exit status without gnuplot' "$status" 1
says err 'gnuplot'
silent out

gnuplot --version >/dev/null 2>&1 || {
  echo 'no gnuplot: no charts drawn'
  [ "$failures" -eq 0 ] && exit 77
  exit 1
}
try 0 compare -m teaching -w t.nwt --plot chart.svg
says out 'vs nested'
head -c 200 chart.svg | grep -q '<svg' || fail 'chart.svg is no SVG'
for word in native nested shadow 'cycles per instruction' translation exits 'guest kernel' teaching; do
  grep -q "$word" chart.svg || fail "chart.svg does not say '$word'"
done
try 0 compare -m teaching -w t.nwt -w it*.nwt -p nested,shadow --plot "$dir/it's.png" --json
head -c 8 "it's.png" | od -An -c | grep -q 'P   N   G' || fail 'no PNG'
try 0 compare -m teaching -w it*.nwt --plot two.svg
grep -qF '{trace}_^$(x)' two.svg || fail 'the name of the trace is not shown as it is'
try 1 compare -m teaching -w t.nwt --plot absent/chart.svg
says err 'absent/chart.svg'
[ -z "$(find . -name '.*chart*' -o -name '.it*')" ] || fail 'temporary files are left'
finish
