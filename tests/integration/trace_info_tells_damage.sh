#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$top_srcdir/tests/integration/record_common"
need_arm

record a.nwt "$NW_BUSYBOX" sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done'
"$nestwalk" trace info --verify a.nwt >out
grep -q '^checksums *all good' out || fail 'a good trace does not verify'
size=$(wc -c <a.nwt)

# bad WHAT WORDS FILE
bad() {
  status=0
  "$nestwalk" trace info --verify "$3" >out 2>messages || status=$?
  equal "$1: exit status" $status 2
  grep -q "$2" messages || fail "$1: the message lacks '$2': $(cat messages)"
}

head -c $((size / 2)) a.nwt >cut.nwt
bad 'a file cut in half' "offset $((size / 2 - 64)): no trailer" cut.nwt
bad 'a file cut in half' 'are whole: [1-9]' cut.nwt
cp a.nwt flipped.nwt
printf 'XXXX' | dd of=flipped.nwt bs=1 seek=2000 conv=notrunc 2>/dev/null
bad 'a damaged chunk' 'offset [0-9]*: the chunk is damaged: checksum [0-9a-f]*, expected' flipped.nwt
bad 'a text file' 'not a nestwalk trace' "$inputs/record_common"
bad 'a file that is not there' 'No such file' nowhere.nwt
bad 'a folder' 'folder' .
status=0
"$nestwalk" trace frob a.nwt 2>messages || status=$?
equal 'an unknown action: exit status' $status 2
"$nestwalk" trace dump --stream=9 a.nwt 2>messages && fail 'a stream that is not there was dumped'
grep -q 'no stream 9' messages || fail "the message is: $(cat messages)"
