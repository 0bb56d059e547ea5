#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A shell script that starts a hundred programs gives a stream for each, with its fork, its exec and
# its end, and the parent's FORK events at the places that the index tells.
. "$top_srcdir/tests/integration/record_common"
need_arm

cat >script <<END
i=0
while [ \$i -lt 100 ]; do
  "$NW_BUSYBOX" expr \$i + 1
  i=\$((i + 1))
done
END
record script.nwt "$NW_BUSYBOX" sh script >out || fail "record: status $?"
seq 100 | cmp - out || fail 'the programs did not do their work'
equal streams "$(streams script.nwt stream | wc -l)" 101
equal 'streams that were killed' "$(streams script.nwt killed | grep -c true || :)" 0
equal 'children of the shell' "$(streams script.nwt parent | grep -c '^0$')" 100

"$nestwalk" trace dump script.nwt | grep ' fork ' >forks
equal forks "$(wc -l <forks)" 100
streams script.nwt parent_word | sed 1d >told
cut -d ' ' -f 1 forks | cmp - told || fail 'FORK events are not where the index says'
for s in 1 50 100; do
  "$nestwalk" trace dump --stream=$s script.nwt >dump
  equal "execs of stream $s" "$(grep -c ' exec 0x0$' dump)" 1
  grep -A 1 ' exec ' dump | tail -n 1 | grep -q ' map ' || fail 'no layout after exec'
  grep -q ' map 0x[0-9a-f]* 0x[0-9a-f]* 0x3 0xc$' dump || fail 'no stack'
  equal "end of stream $s" "$(tail -n 1 dump | cut -d ' ' -f 2-)" 'exit 0x0 0x1'
done

# The same through a script with an interpreter line.
printf '#!%s sh\n"%s" true; exec "%s" echo done\n' "$NW_BUSYBOX" "$NW_BUSYBOX" "$NW_BUSYBOX" >run
chmod +x run
record run.nwt ./run >out
equal 'output of ./run' "$(cat out)" 'done'
equal 'streams of ./run' "$(streams run.nwt stream | wc -l)" 2
equal 'execs of ./run' "$("$nestwalk" trace dump run.nwt | grep -c ' exec ')" 1
# A program of the host under an ARM shell runs, unrecorded; one that is not there gives its error.
record foreign.nwt "$NW_BUSYBOX" sh -c '/bin/echo native; /nonexistent/x; echo $?' >out 2>/dev/null
equal 'output with a native program' "$(tr '\n' ' ' <out)" 'native 127 '
"$nestwalk" trace dump --stream=1 foreign.nwt | tail -n 1 | grep -q ' exec 0x1$' ||
  fail 'the exec of a native program is not told'
