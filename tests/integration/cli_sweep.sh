#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk sweep: its points, their statistics, what is run again and what is not, shards, mistakes.
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1
small_sweep

try 0 sweep --help
says out 'Examples'
try 0 sweep small.yaml --dry-run
says out '24 points; all of them would take about'
says out 'mmu.l2.entries=64 mmu.l2.latency=5'
equal 'lines of a dry run' "$(wc -l <out)" 27
[ ! -e r.db ] || fail 'a dry run wrote results'

try 0 sweep small.yaml -o r.db
says out 'r.db: 24 points: 24 run, 0 there before'
silent err
equal 'files' "$(ls | tr '\n' ' ')" 'err out r.db small.yaml t.nwt '
try 0 sweep small.yaml -o r.db --dry-run
says out '24 points, 24 of them in r.db already'
try 0 sweep small.yaml -o r.db
says out 'r.db: 24 points: 0 run, 24 there before; 0.0 M'

# Each point has every statistic that a run has, with the same values.
try 0 run -q -m teaching -w t.nwt -p shadow --set mmu.l2.entries=32 --set mmu.l2.latency=5 -o one
"$nestwalk" results export r.db --format json --where mode=shadow --where mmu.l2.entries=32 \
  --where mmu.l2.latency=5 | tr -d '[]{}' | tr ',' '\n' | sed 's/^ *"\(.*\)": \(.*\)/\1 \2/' |
  LC_ALL=C sort >point
sed -n 's/^  "\(.*\)": \([0-9.e-]*\),*$/\1 \2/p' one/stats.json | LC_ALL=C sort >statistics
[ "$(wc -l <statistics)" -gt 100 ] || fail 'few statistics'
# Real numbers are written with other numbers of digits.
grep -vE '^(sim.seconds|selective.scale|agile.scale) ' statistics >whole
LC_ALL=C comm -23 whole point >missing
[ ! -s missing ] || {
  fail 'a point has other statistics than its run:'
  head missing
}

# More values: only what is new is run.
sed 's/to: 128/to: 256/' small.yaml >more.yaml
try 0 sweep more.yaml -o r.db
says out 'r.db: 30 points: 6 run, 24 there before'

# Any number of threads, and no simulation beside others, give the same.
contents r.db >expected
rm r.db
try 0 sweep more.yaml -o r.db -j 1
contents r.db >found
cmp -s expected found || fail 'one thread gives other results'
rm r.db
try 0 sweep more.yaml -o r.db -j 7
contents r.db >found
cmp -s expected found || fail 'seven threads give other results'

# Shards are disjoint and together all.
for shard in 1 2 3 4; do
  try 0 sweep more.yaml -o part-$shard.db --shard $shard/4
  says out '0 there before'
done
try 0 results merge -o whole.db part-1.db part-2.db part-3.db part-4.db
says out 'whole.db: 30 points added'
contents whole.db >found
cmp -s expected found || fail 'shards give other results'

# Repeats differ where something is random.
cat >random.yaml <<'YAML'
machines: [teaching]
repeats: 3
set: {mmu.l2.policy: random}
statistics: [mmu.l2.misses, 'sim.c*']
YAML
try 0 sweep random.yaml -w t.nwt -o random.db
says out '3 points: 3 run'
try 0 results export random.db --columns seed,mmu.l2.misses
equal 'different misses of three seeds' "$(tail -n +2 out | cut -d, -f2 | sort -u | wc -l)" 3
try 0 results list random.db
says out 'sim.cycles'
if "$nestwalk" results list random.db --columns mmu.l1d.misses >out 2>err; then
  fail 'a statistic was kept that nobody asked for'
fi
says err "found no column 'mmu.l1d.misses'"

# A point that fails: the others are run, and the exit status says so.
cat >failing.yaml <<'YAML'
machines: [teaching]
axes:
  - guest.memory: [1MiB, 64MiB]
YAML
{
  echo 'stream - 0'
  awk 'BEGIN { for (i = 0; i < 400; i++) printf "0 store %d 4\n", 1048576 + i * 4096 }'
  echo '0 exit 0 1'
} | "$make_trace" big.nwt
try 1 sweep failing.yaml -w big.nwt -o failing.db
says err "the point 'big.nwt nested guest.memory=1MiB' failed"
says err 'guest.memory is too small'
says out '2 points: 1 run, 0 there before, 1 failed'

# Mistakes.
refuse() {
  words=$1
  shift
  try 2 "$@"
  says err "$words"
  silent out
}
refuse 'found 0 sweep files' sweep -o x.db
refuse 'found 2 sweep files' sweep small.yaml more.yaml -o x.db
refuse 'expected -o RESULTS.db' sweep small.yaml
refuse 'absent.yaml: No such file' sweep absent.yaml -o x.db
refuse 'absent.nwt: No such file' sweep small.yaml -o x.db -w absent.nwt
refuse 'found no workloads' sweep random.yaml -o x.db
refuse "--shard: found '0/4'" sweep small.yaml -o x.db --shard 0/4
refuse "--shard: found '5/4'" sweep small.yaml -o x.db --shard 5/4
refuse "--shard: found '3'" sweep small.yaml -o x.db --shard 3
refuse "-j: found 'many'" sweep small.yaml -o x.db -j many
echo 'machines: [nowhere]' >bad.yaml
refuse "no machine 'nowhere'" sweep bad.yaml -w t.nwt -o x.db
printf 'machines: [teaching]\naxes:\n- mmu.l2.size: [4]\n' >bad.yaml
refuse "found the unknown key 'size' in mmu.l2" sweep bad.yaml -w t.nwt -o x.db
printf 'machines: [teaching]\naxes:\n- mmu.l2.ways: [3]\n' >bad.yaml
refuse 'skip_impossible: true leaves such points out' sweep bad.yaml -w t.nwt -o x.db
echo 'skip_impossible: true' >>bad.yaml
refuse 'all of its 1 points are impossible' sweep bad.yaml -w t.nwt -o x.db
[ ! -e x.db ] || fail 'a refused sweep made a file'

# The examples that come with nestwalk.
for example in "$top_srcdir"/configs/sweeps/*.yaml; do
  try 0 sweep "$example" -w t.nwt --dry-run
  says out 'points'
done
finish
