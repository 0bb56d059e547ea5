#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sweep that is killed again and again, by SIGKILL at random moments, two of them at a time in one
# file, ends with the same results as one that was left alone: no point lost, none twice. Ctrl-C
# leaves what is finished.
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1
kills=${KILLS:-40}

# Points of some ten milliseconds each, so that kills fall before, in and between writes.
awk 'BEGIN {
  print "stream - 0"
  for (i = 0; i < 10000; i++) {
    printf "0 block %d 12\n", 65536 + (i % 64) * 4096
    printf "0 store %d 4\n", 1048576 + (i * 7919 % 512) * 4096
  }
  print "0 exit 0 1"
}' | "$make_trace" t.nwt
cat >sweep.yaml <<'YAML'
machines: [teaching]
workloads: [t.nwt]
modes: [native, nested, shadow]
axes:
  - mmu.l2.entries: {from: 16, to: 512, times: 2}
  - mmu.l2.latency: {from: 1, to: 19, step: 3}
YAML
try 0 sweep sweep.yaml -o alone.db -j 2
says out '126 points: 126 run'
contents alone.db >expected

# A random number below $1, of a generator whose seed is told.
seed=${SEED:-$$}
echo "seed $seed"
random() {
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  value=$((seed / 65536 % $1))
}

killed=0
while [ $killed -lt "$kills" ]; do
  "$nestwalk" sweep sweep.yaml -q -o r.db -j 1 2>err1 &
  first=$!
  "$nestwalk" sweep sweep.yaml -q -o r.db -j 1 2>err2 &
  second=$!
  random 300
  sleep 0.$(printf '%03d' $value)
  kill -9 $first 2>/dev/null && killed=$((killed + 1))
  random 100
  sleep 0.$(printf '%03d' $value)
  kill -9 $second 2>/dev/null && killed=$((killed + 1))
  wait $first 2>/dev/null
  wait $second 2>/dev/null
  tests=$((tests + 2))
  for err in err1 err2; do
    [ ! -s $err ] || {
      fail 'a sweep complains:'
      cat $err
    }
  done
  # Finished too early for enough kills: from the start again.
  if [ -f r.db ] && [ $killed -lt "$kills" ] &&
    [ "$("$nestwalk" results list r.db 2>/dev/null | tail -1)" = '126 points' ]; then
    contents r.db >found
    cmp -s expected found || fail "after $killed kills the results differ"
    rm -f r.db r.db-journal
  fi
done
try 0 sweep sweep.yaml -o r.db
says out '126 points:'
contents r.db >found
cmp -s expected found || fail 'the results differ from those of an undisturbed sweep'
echo "$killed kills"

# Two at a time share the work: together they run each point once.
rm r.db
"$nestwalk" sweep sweep.yaml -o r.db -j 1 >one &
first=$!
"$nestwalk" sweep sweep.yaml -o r.db -j 1 >two || fail 'the second of two sweeps failed'
wait $first || fail 'the first of two sweeps failed'
tests=$((tests + 2))
equal 'points that two sweeps ran together' \
  "$(sed -n 's/.*points: \([0-9]*\) run.*/\1/p' one two | awk '{ n += $1 } END { print n }')" 126
contents r.db >found
cmp -s expected found || fail 'two sweeps at a time give other results'

# Ctrl-C.
rm r.db
"$nestwalk" sweep sweep.yaml -o r.db -j 1 >out 2>err &
id=$!
sleep 0.4
kill -INT $id
status=0
wait $id || status=$?
tests=$((tests + 1))
if [ $status -eq 0 ]; then
  says out '126 run' # a fast machine
else
  equal 'exit status after Ctrl-C' $status 1
  says err 'interrupted: the same command goes on from here'
fi
try 0 sweep sweep.yaml -o r.db
contents r.db >found
cmp -s expected found || fail 'the results differ after Ctrl-C'
finish
