#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$top_srcdir/tests/integration/record_common"

# refused WHAT WORDS COMMAND...: exit status 2, a message with WORDS, and no file left.
refused() {
  what=$1
  words=$2
  shift 2
  status=0
  timeout 60 "$@" >out 2>messages || status=$?
  equal "$what: exit status" $status 2
  grep -q -e "$words" messages || fail "$what: the message lacks '$words': $(cat messages)"
  [ ! -e t.nwt ] && [ ! -e t.nwt.part ] || fail "$what: a file was left"
}

refused 'no output' '-o TRACE' "$nestwalk" record -- /bin/true
refused 'no program' 'program' "$nestwalk" record -o t.nwt
refused 'a program that is not there' 'nonexistent' "$nestwalk" record -o t.nwt -- /nonexistent/x
refused 'a file that is no program' 'Permission denied' "$nestwalk" record -o t.nwt -- /etc/passwd
printf 'x' >odd && chmod +x odd
refused 'an executable of no format' 'Exec format' "$nestwalk" record -o t.nwt -- ./odd
printf '\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\24\0\0' >ppc && chmod +x ppc
refused 'another architecture' 'expected a 32-bit ARM' "$nestwalk" record -o t.nwt -- ./ppc
refused 'an unknown option' 'frob' "$nestwalk" record --frob -o t.nwt -- /bin/true
refused 'a folder that is not there' 'No such file' \
  "$nestwalk" record -o nowhere/t.nwt -- "$NW_BUSYBOX" true
need_arm
refused 'no such QEMU' 'qemu-nope' "$nestwalk" record --qemu=qemu-nope -o t.nwt -- "$NW_BUSYBOX" true
refused 'no such plugin' 'nope.so' \
  "$nestwalk" record --plugin=nope.so -o t.nwt -- "$NW_BUSYBOX" true
head -c 60000 "$NW_BUSYBOX" >cut && chmod +x cut
refused 'a broken program' 'could not be started' "$nestwalk" record -o t.nwt -- ./cut

# What fails leaves an older trace alone.
record t.nwt "$NW_BUSYBOX" true
cp t.nwt before
"$nestwalk" record -q -o t.nwt -- ./cut 2>/dev/null && fail 'a broken program was recorded'
cmp t.nwt before
mkdir t.nwt.part
status=0
"$nestwalk" record -o t.nwt -- "$NW_BUSYBOX" true 2>messages || status=$?
equal 'with t.nwt.part in place: exit status' $status 2
grep -q recover messages || fail 'nothing is said of what can be done with t.nwt.part'
