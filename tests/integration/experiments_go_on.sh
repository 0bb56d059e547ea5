#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/experiments: a short run makes tables and charts; what is done is not done again.
. "$top_srcdir/tests/integration/cli_common.sh"
command -v python3 >/dev/null || { echo 'no python3'; exit 77; }
command -v gnuplot >/dev/null || { echo 'no gnuplot'; exit 77; }
experiments=$top_srcdir/scripts/experiments
cd "$dir" || exit 1

mkdir traces
try 0 trace synth -o traces/random.nwt --references=200000 --footprint=4M
try 0 trace synth -o traces/mapping.nwt --references=100000 --footprint=64K --pte-writes=20000

# experiment ARGUMENT...: a short one
experiment() {
  tests=$((tests + 1))
  python3 "$experiments" -b "$top_builddir" -o made -t traces -w random,mapping -j 2 \
    --machines lpae-4K,lpae-2M "$@" >messages 2>&1 || {
    fail "experiments $*: failed"
    cat messages
  }
}

said() {
  grep -q "$1" messages || { fail "experiments did not say '$1':"; cat messages; }
}

experiment --limit 50000 --only programs,prices
said '4 to do, 0 done before'
said 'the documentation stays as it is'
equal 'results' "$(wc -l <made/results.jsonl)" 22
python3 - <<'END' || fail 'results are not what they should be'
import json
results = [json.loads(line) for line in open("made/results.jsonl")]
programs = [r for r in results if r["experiment"] == "programs"]
assert {(r["machine"], r["workload"]) for r in programs} == {
    (m, w) for m in ("lpae-4K", "lpae-2M") for w in ("random", "mapping")}
for r in programs:
    assert {"native", "nested", "shadow"} <= set(r["columns"])
    for column in r["columns"].values():
        assert column["sim.cycles"] == sum(column.get("cycles." + cause, 0) for cause in
            ("base", "memory", "translation", "guest_kernel", "exits"))
def time(workload, price, factor):
    return [r["columns"]["shadow"]["sim.cycles"] for r in results if r["experiment"] == "prices" and
            (r["workload"], r["price"], r["factor"]) == (workload, price, factor)][0]
for price in ("trap", "world switch", "handlers", "all of them"):
    times = [time("mapping", price, 0.25), time("mapping", "none", 1), time("mapping", price, 4)]
    assert times == sorted(set(times)), (price, times)  # dearer exits take longer
END

# A run that was cut short in the middle of a line goes on from there.
head -n 20 made/results.jsonl >cut && head -c -20 cut >made/results.jsonl
experiment --limit 50000 --only programs,prices
said '0 to do, 4 done before'
said '3 to do, 15 done before'
experiment --limit 50000 --only programs,prices --docs docs
said '0 to do, 18 done before'
for chart in modes options prices; do
  head -c 200 docs/experiments/$chart.svg | grep -q '<svg' || fail "no chart $chart"
  [ "$(wc -c <docs/experiments/$chart.svg)" -lt 100000 ] || fail "the chart $chart is large"
done
grep -q '^| random |' docs/experiments/programs.md || fail 'no table of programs'
grep -q '^| trap | 0.25 |' docs/experiments/prices.md || fail 'no table of prices'
grep -q 'Of nested and a plain shadow pager' docs/experiments.md || fail 'no sentences'
grep -q '^| agile at most 2 %' docs/experiments.md || fail 'no table of goals'
equal 'markers left' "$(grep -c -e '<!-- end -->' "$top_srcdir/docs/experiments.md")" \
  "$(grep -c -e '<!-- end -->' docs/experiments.md)"

# Another trace under the same name is another result.
try 0 trace synth -o traces/mapping.nwt --references=100000 --footprint=64K --pte-writes=10000
experiment --limit 50000 --only programs
said '2 to do, 2 done before'

# Merging of equal pages, with and without a scanner, under both kinds of paging.
cp traces/random.nwt traces/crowd.nwt
experiment -w crowd --only merging --docs docs
equal 'rows of merging' "$(grep -c '^| crowd | [a-z]* | [0-9.]* ms |' docs/experiments.md)" 6

# The map: with many page-table writes nested wins, with few and many misses shadow does.
experiment --limit 400000 --only map --docs docs
head -c 200 docs/experiments/map.svg | grep -q '<svg' || fail 'no map'
grep -Eq '^\| 2[0-9]{5} \| -' docs/experiments/map.md || fail 'shadow does not win where it must'
grep -Eq '^\| 2[0-9]{5} .* \+[0-9.]+[^|]* \|$' docs/experiments/map.md ||
  fail 'nested does not win where it must'

tests=$((tests + 1))
python3 "$experiments" -b "$top_builddir" --only frob >messages 2>&1
equal 'a wrong name: exit status' $? 2
said 'expected one of programs, map, prices'
python3 "$experiments" -b nowhere -o made >messages 2>&1
equal 'no build: exit status' $? 1
said 'nowhere/nestwalk is not there'
finish
