#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/workloads/record: every description is whole; what it records is the same each time.
. "$top_srcdir/tests/integration/record_common"
record=$top_srcdir/scripts/workloads/record
NESTWALK=$nestwalk
export NESTWALK

# refuse WORDS ARGUMENT...
refuse() {
  words=$1
  shift
  status=0
  "$record" "$@" >out 2>messages || status=$?
  equal "record $*: exit status" $status 2
  grep -q "$words" messages || fail "record $*: the message lacks '$words': $(cat messages)"
}

"$record" -l >list
[ "$(wc -l <list)" -ge 10 ] || fail "fewer than ten workloads: $(cat list)"
grep -vE '^[a-z0-9]+ +[0-9]+ M  [a-z].{20,}' list && fail 'a description is not whole'
for file in "$top_srcdir"/configs/workloads/*.sh; do
  grep -q '^program=(' "$file" || fail "$file names no program"
done
"$record" -a x86-64 -l >other
grep -q '^sort ' other || fail "no sort for x86-64: $(cat other)"
refuse "found the architecture 'vax'" -a vax -l
refuse 'no folder' chase
refuse "no workload 'frob'" -o here chase frob
[ ! -e here ] || fail 'a wrong name made a folder'

command -v qemu-arm >/dev/null || skip 'no qemu-arm'
command -v arm-linux-gnueabihf-gcc >/dev/null || skip 'no gcc-arm-linux-gnueabihf'
command -v setarch >/dev/null || skip 'no setarch'

# Ours need no packages, so that nothing is fetched.
"$record" -o one forks >out
grep -q '^forks .* 61 streams' out || fail "record says: $(cat out)"
references=$(value one/forks.nwt references)
wanted=$(awk '$1 == "forks" { print $2 }' list)
[ $((references / 1000000)) -ge $((wanted * 9 / 10)) ] &&
  [ $((references / 1000000)) -le $((wanted * 11 / 10)) ] ||
  fail "$references references, the description says $wanted M"

before=$(stat -c %Y.%i one/forks.nwt)
"$record" -o one forks
equal 'a workload that is there' "$(stat -c %Y.%i one/forks.nwt)" "$before"
# dump: all records of the first process; the numbers of its children are the host's
dump() {
  "$nestwalk" trace dump one/forks.nwt | sed 's/\( fork .*\) 0x[0-9a-f]*$/\1/' | cksum
}
dump >first
"$record" -f -o one forks >out
[ "$(stat -c %Y.%i one/forks.nwt)" != "$before" ] || fail '-f does not record again'
dump >second
cmp -s first second || fail 'two recordings differ'
[ -z "$(find one -name '*.part')" ] || fail 'something is left over'
