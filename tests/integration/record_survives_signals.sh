#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# However a recording ends, its trace is whole: Ctrl-C, a process killed by SIGKILL, a fatal signal,
# background processes, and the recorder killed itself.
. "$top_srcdir/tests/integration/record_common"
need_arm

# await FILE: until the program has written there; at most half a minute.
await() {
  tries=0
  until [ -s "$1" ]; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "$1 stays empty"
    sleep 0.1
  done
}

# Ctrl-C: SIGINT to the whole process group. (A shell's background jobs ignore it by default.)
setsid env --default-signal=INT timeout --foreground 60 \
  "$nestwalk" record -o int.nwt -- "$NW_BUSYBOX" sh -c 'echo up; while :; do :; done' >up 2>messages &
group=$!
await up
kill -s INT -- -$group
status=0
wait $group || status=$?
group=
equal 'exit status after Ctrl-C' $status 0
grep -q 'signal 2' messages || fail "the program's end is not told: $(cat messages)"
equal interrupted "$(value int.nwt interrupted)" true
equal verified "$(value int.nwt verified)" true
[ "$(value int.nwt references)" -gt 10000 ] || fail 'hardly anything was recorded'
"$nestwalk" trace dump int.nwt | tail -n 1 | grep -q ' exit 0x0 0x3$' || fail 'no end'
[ ! -e int.nwt.part ] || fail 'int.nwt.part was left'

# A child killed by SIGKILL keeps all that it did: here a loop of known output.
record kill.nwt "$NW_BUSYBOX" sh -c '
  (i=0; while [ $i -lt 300 ]; do i=$((i + 1)); done; echo done >ready; while :; do :; done) &
  until [ -s ready ]; do :; done
  kill -9 $!; wait $!; echo $?' >out
equal "a killed child's status" "$(cat out)" 137
equal 'killed streams' "$(streams kill.nwt killed | tr '\n' ' ')" 'false true '

# The program's own fatal signal.
timeout 60 "$nestwalk" record -o segv.nwt -- "$NW_BUSYBOX" sh -c 'kill -SEGV $$' 2>messages
grep -q 'signal 11' messages || fail 'the signal is not told'
equal 'killed streams' "$(streams segv.nwt killed)" true

# A process that outlives the program is waited for.
record left.nwt "$NW_BUSYBOX" sh -c '("$0" sleep 1; echo late >late) & exit 3' "$NW_BUSYBOX"
equal 'what the last process did' "$(cat late)" late
equal streams "$(streams left.nwt stream | wc -l)" 3
equal 'killed streams' "$(streams left.nwt killed | grep -c true || :)" 0

# The recorder itself killed: nothing has the final name; what is there can be made a trace.
: >up
setsid "$nestwalk" record -o lost.nwt -- "$NW_BUSYBOX" sh -c 'echo up; while :; do :; done' >up &
group=$!
await up
sleep 0.5
kill -s KILL -- -$group
wait $group 2>/dev/null || :
group=
[ ! -e lost.nwt ] || fail 'a trace that was not finished has the final name'
status=0
"$nestwalk" trace info lost.nwt.part/trace >out 2>messages || status=$?
equal 'exit status for an unfinished file' $status 2
grep -q 'offset' messages || fail 'the message names no offset'
grep -q 'are whole' messages || fail 'the message does not say what can be saved'
"$nestwalk" trace recover -o lost.nwt lost.nwt.part
equal verified "$(value lost.nwt verified)" true
[ "$(value lost.nwt references)" -gt 10000 ] || fail 'hardly anything was recovered'
[ ! -e lost.nwt.part ] || fail 'lost.nwt.part was left'
