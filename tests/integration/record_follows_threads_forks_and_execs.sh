#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$top_srcdir/tests/integration/record_common"
need_x86_64

gcc=${CC%% -fsanitize*}
$gcc -O1 -static -pthread -o threads "$inputs/record_threads.c" || skip 'no static C library'
record threads.nwt ./threads || fail "record: status $?"
equal streams "$(streams threads.nwt stream | wc -l)" 10
equal threads "$(streams threads.nwt thread | grep -c true)" 8
equal 'streams that were killed' "$(streams threads.nwt killed | grep -c true || :)" 0
streams threads.nwt parent | tr '\n' ' ' >parents
equal parents "$(cat parents)" 'null 0 0 0 0 0 5 5 5 5 '
streams threads.nwt stores | sed -n '2,5p;7,10p' | while read -r stores; do
  [ "$stores" -ge 200000 ] && [ "$stores" -lt 201000 ] || fail "a thread made $stores stores"
done
stores=$(streams threads.nwt stores | sed -n 6p)
[ "$stores" -ge 400000 ] || fail "the child without descriptors made $stores stores"
equal 'processes' "$(streams threads.nwt pid | sort -u | wc -l)" 2
equal 'threads' "$(streams threads.nwt tid | sort -u | wc -l)" 10
"$nestwalk" trace dump --stream=0 threads.nwt >dump
equal 'threads started' "$(grep -c ' fork 0x[1-4] 0x1 ' dump)" 4
equal 'processes started' "$(grep -c ' fork 0x5 0x0 ' dump)" 1
