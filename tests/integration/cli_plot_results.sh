#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk plot: each kind of chart, what its labels say, the report, mistakes.
command -v gnuplot >/dev/null || {
  echo 'gnuplot is not installed'
  exit 77
}
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1
small_sweep
try 0 sweep -q small.yaml -o r.db

# shows FILE.svg TEXT...: the texts are in the picture
shows() {
  file=$1
  shift
  for text; do
    grep -qF -e "$text" "$file" || fail "$file does not show '$text'"
  done
}

try 0 plot --help
says out 'Examples'
try 0 plot r.db misses --where mmu.l2.latency=5 -o misses.svg
shows misses.svg 'Miss ratio over entries of the second-level TLB' 'entries of the second-level TLB' \
  'misses of the second-level TLB (% of lookups)' '>native<' '>nested<' '>shadow<' '>128<'
try 0 plot r.db cycles --where mmu.l2.latency=5 -o cycles.svg
shows cycles.svg 'Cycles per reference over entries of the second-level TLB' 'cycles per reference' \
  '>shadow<'
try 0 plot r.db cycles --x mmu.l2.latency -o latency.svg --title 'The price of a look'
shows latency.svg 'The price of a look' 'latency of the second-level TLB (cycles)' \
  'nested, mmu.l2.entries=32'
try 0 plot r.db heat --where mode=nested -o heat.svg
shows heat.svg 'cycles per reference' 'latency of the second-level TLB (cycles)' '>128<' '>10<'
try 0 plot r.db heat --where mode=shadow --value mmu.walks --x mmu.l2.latency --y mmu.l2.entries \
  -o walks.svg
shows walks.svg 'mmu.walks (Count)'
try 0 plot r.db causes --where mmu.l2.latency=5 --where mmu.l2.entries=64 -o causes.svg
shows causes.svg 'Where the cycles go' 'cycles per reference' base memory translation \
  'guest kernel' exits '>native<' '>nested<' '>shadow<'
for kind in misses cycles causes; do
  try 0 plot r.db $kind --where mmu.l2.latency=5 -o $kind.png
  equal "the first bytes of $kind.png" "$(head -c 4 $kind.png | tail -c 3)" PNG
done

# What is drawn is what is in the file: the height of a curve's end.
gnuplot_data() {
  mkdir -p bin
  printf '#!/bin/sh\n[ "$1" = --version ] && exit 0\ncp "$1" "$CAUGHT"\nexit 1\n' >bin/gnuplot
  chmod +x bin/gnuplot
  CAUGHT=$dir/script PATH=$dir/bin:$PATH "$nestwalk" "$@" 2>err
}
gnuplot_data plot r.db misses --where mode=native --where mmu.l2.latency=5 -o x.svg &&
  fail 'a gnuplot that fails is taken for success'
says err 'gnuplot failed'
"$nestwalk" results export r.db --where mode=native --where mmu.l2.latency=5 \
  --columns mmu.l2.entries,mmu.l2.misses,mmu.l2.accesses | tr -d '\r' |
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    NR > 1 { printf "%d %.3f\n", $at["mmu.l2.entries"], 100 * $at["mmu.l2.misses"] / $at["mmu.l2.accesses"] }' >expected
sed -n '/^\$curve0/,/^END/p' script | awk 'NF == 2 { printf "%d %.3f\n", $1, $2 }' >drawn
equal 'places on the curve' "$(wc -l <drawn)" 4
cmp -s expected drawn || fail 'the curve is not what the results say'

# Seeds are drawn as their mean.
printf 'machines: [teaching]\nset: {mmu.l2.policy: random}\nrepeats: 4\naxes:\n- mmu.l2.ways: [8, 16]\n' >seeds.yaml
try 0 sweep -q seeds.yaml -w t.nwt -o seeds.db
gnuplot_data plot seeds.db misses -o x.svg --value mmu.l2.misses
mean=$("$nestwalk" results export seeds.db --where mmu.l2.ways=8 --columns mmu.l2.misses | tr -d '\r' |
  awk 'NR > 1 { sum += $1 } END { printf "%.3f", sum / 4 }')
equal 'mean of four seeds' "$(sed -n '/^\$curve0/,/^END/p' script | awk '$1 == 8 { printf "%.3f", $2 }')" \
  "$mean"

# The report needs nothing beside it.
try 0 plot r.db --report report.html
silent out
equal 'charts in the report' "$(grep -c '<img alt=.* src="data:image/svg+xml;base64,' report.html)" 7
for text in '<h1>small</h1>' 'How to repeat it' 'nestwalk sweep sweep.yaml -w t.nwt -o again.db' \
  'mmu.l2.entries: {from: 16, to: 128, times: 2}' '<th>sim.cycles</th>'; do
  grep -qF -e "$text" report.html || fail "the report has no '$text'"
done
if grep -oE '(src|href)="[^"]{0,5}' report.html | grep -v 'src="data:'; then
  fail 'the report needs other files'
fi
[ -z "$(ls -A | grep -E 'chart|part|gnuplot$')" ] || fail "left behind: $(ls -A)"

refuse() {
  words=$1
  shift
  try 2 plot "$@"
  says err "$words"
  silent out
}
refuse 'found 1 arguments, expected a results file and a kind of chart' r.db -o x.svg
refuse 'expected misses, cycles, heat or causes' r.db pie -o x.svg
refuse 'no file to draw to' r.db misses
refuse 'expected a name that ends in .svg or .png' r.db misses -o x.gif
refuse "--x: found no column 'mmu.l3'" r.db misses --x mmu.l3 -o x.svg
refuse '--x: trace has values that are no numbers' r.db misses --x trace -o x.svg
refuse "found no statistic 'speed'" r.db cycles --value speed -o x.svg
refuse 'found 3 heat maps' r.db heat -o x.svg
refuse 'expected 2 at least' r.db heat --where mmu.l2.latency=5 -o x.svg
refuse 'found no points' r.db misses --where mode=agile -o x.svg
refuse 'absent.db' absent.db misses -o x.svg
[ ! -e x.svg ] || fail 'a refused command drew something'
finish
