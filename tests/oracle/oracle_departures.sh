#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The minimal cases of the known departures: the model answers as each case file has it, which is as
# the manual does, and the machine answers what the line after the query says. If it no longer does,
# the list is out of date.
set -eu

here=$top_srcdir/tests/oracle
. "$here/common.sh"
status=0
make_words "$here/departures/departures.words" "$dir"

for case in "$here"/departures/*.case; do
  name=$(basename "$case" .case)
  grep -q "^departure $name\$" "$here/departures.txt" || {
    echo "$name: not in departures.txt"
    status=1
  }
  cp "$case" "$dir"
  case=$dir/$name.case
  "$nestwalk" translate "$case" | diff -u "$case" - || {
    echo "$name: the model does not answer as the manual does"
    status=1
  }
  [ -n "$machine" ] || continue
  sed -n 's/^# machine: //p' "$case" >"$dir/expected"
  if "$oracle" --raw "$case" >"$dir/raw" 2>"$dir/messages"; then
    sed -n 's/^q .* -> //p' "$dir/raw" >"$dir/found"
  else
    echo stops >"$dir/found"
  fi
  diff -u "$dir/expected" "$dir/found" || {
    echo "$name: the machine no longer answers like that"
    cat "$dir/messages"
    status=1
  }
done
[ "$status" -eq 0 ] || exit 1
[ -n "$machine" ] || skip
