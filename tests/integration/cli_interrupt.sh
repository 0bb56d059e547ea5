#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C: what has been counted is written, marked as incomplete; exit status 1.
. "$top_srcdir/tests/integration/cli_common.sh"
cd "$dir" || exit 1

# Long enough not to end by itself before the signal: 300 M references, most in long blocks.
awk 'BEGIN {
  print "stream - 0"
  for (i = 0; i < 1500000; i++) {
    printf "0 store %d 4\n", 1048576 + (i * 7919 % 4096) * 4096
    printf "0 load %d 4\n", 1048576 + (i * 104729 % 4096) * 4096
    printf "0 block %d 200\n", 65536 + (i % 64) * 4096
  }
}' | "$make_trace" long.nwt

# interrupted SIGNAL COMMAND...: the signal comes twice, as timeout(1) sends it: once is enough, and
# the second one must not cut the statistics short.
interrupted() {
  signal=$1
  shift
  tests=$((tests + 1))
  "$nestwalk" "$@" >out 2>err &
  id=$!
  sleep 0.5
  kill -"$signal" $id 2>/dev/null && kill -"$signal" $id 2>/dev/null || fail "nestwalk $*: ended before it was interrupted"
  status=0
  wait $id || status=$?
  equal "exit status of nestwalk $* after a signal" "$status" 1
  says err 'interrupted'
}

interrupted INT run -m cortex-a15 -w long.nwt -o stopped
says out 'not the whole trace'
equal sim.complete "$(statistic stopped/stats.txt sim.complete)" 0
references=$(statistic stopped/stats.txt sim.references)
[ "$references" -gt 0 ] && [ "$references" -lt 303000000 ] || fail "$references references"
equal 'files' "$(ls -A stopped | tr '\n' ' ')" 'stats.json stats.txt timeline.csv '
interrupted TERM compare -m cortex-a15 -w long.nwt -p nested,native
says out '* not the whole trace'
if grep -q faster out; then
  fail 'unfinished runs were compared'
fi
finish
