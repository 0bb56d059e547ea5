#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Results files that are damaged, of another version, not there, read-only, or on a full disk: each is
# told in one line, and what was finished before stays.
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1
small_sweep
try 0 sweep -q small.yaml -o good.db

# refused WORDS FILE: by all who open it
refused() {
  try 1 sweep -q small.yaml -o "$2"
  says err "$1"
  equal 'lines of the message' "$(wc -l <err)" 1
  try 2 results list "$2"
  says err "$1"
  try 1 results merge -o "$2" good.db
  says err "$1"
  try 2 results merge -o fresh.db "$2"
  says err "$1"
}

echo 'machines: [teaching]' >text.db
refused 'text.db: found no SQLite database, expected a results file' text.db
size=$(wc -c <good.db)
cp good.db version.db
printf '\000\000\000\011' | dd of=version.db bs=1 seek=60 conv=notrunc 2>dd
refused 'version.db: found results of schema version 9, expected version 1' version.db
cp good.db kind.db
printf '\000\000\000\011' | dd of=kind.db bs=1 seek=68 conv=notrunc 2>dd
refused 'kind.db: found an SQLite database of another program' kind.db

# Damage anywhere is found before anything is run, or makes no difference.
for place in 4100 9000 20000 40000; do
  [ $place -lt $((size - 600)) ] || continue
  cp good.db damaged.db
  head -c 600 /dev/zero | tr '\000' '\377' | dd of=damaged.db bs=1 seek=$place conv=notrunc 2>dd
  tests=$((tests + 1))
  if "$nestwalk" results list damaged.db >out 2>err; then
    says out '24 points'
  else
    says err 'damaged.db: the database is damaged'
  fi
done
head -c $((size / 2)) good.db >damaged.db
refused 'damaged.db: the database is damaged' damaged.db
try 1 sweep -q small.yaml -o absent/r.db
says err 'absent/r.db: No such file or directory'
mkdir folder.db
try 1 sweep -q small.yaml -o folder.db
says err 'folder.db: '

# A file system of our own, where this is allowed: read-only, then small.
cat >mounted.sh <<'MOUNTED'
set -e
mkdir ro small
cp good.db ro/r.db
mount --bind ro ro
mount -o remount,ro,bind ro
mount -t tmpfs -o size=160k none small
status=0
"$nestwalk" sweep more.yaml -q -o ro/r.db 2>ro.err || status=$?
echo "read-only $status" >>outcome
"$nestwalk" results list ro/r.db >ro.out
status=0
"$nestwalk" sweep more.yaml -q -o small/r.db 2>small.err || status=$?
echo "full $status" >>outcome
cp small/r.db kept.db
MOUNTED
sed 's/to: 128/to: 1024/; s/\[5, 10\]/{from: 1, to: 10, step: 1}/' small.yaml >more.yaml
export nestwalk
if unshare -m sh -e mounted.sh 2>unshare.err; then
  tests=$((tests + 3))
  equal 'outcomes' "$(tr '\n' ' ' <outcome)" 'read-only 1 full 1 '
  grep -q 'ro/r.db: cannot be written: the file is read-only' ro.err ||
    fail "of a read-only file: $(cat ro.err)"
  grep -q '24 points' ro.out || fail 'a read-only file cannot be read'
  grep -q 'small/r.db: the disk is full; what was finished before stays' small.err ||
    fail "of a full disk: $(cat small.err)"
  try 0 results list kept.db
  points=$(tail -1 out)
  [ "${points% points}" -gt 0 ] || fail 'nothing was kept before the disk was full'
  # It goes on elsewhere.
  try 0 sweep more.yaml -o kept.db
  says out "210 points: $((210 - ${points% points})) run, ${points% points} there before"
else
  echo "not tried, mounting is not allowed: read-only and full file systems"
fi
finish
