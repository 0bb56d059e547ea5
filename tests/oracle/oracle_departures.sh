#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The minimal cases of the known departures: the model answers as each case file has it, which is as
# the manual does, and the machine answers what the line after the query says. If it no longer does,
# the list is out of date.
set -eu

. "$top_srcdir/tests/oracle/common.sh"
status=0

# check_case FAMILY CASE: a case of the family's machine.
check_case() {
  name=$(basename "$2" .case)
  case=$dir/$name.case
  grep -q "^departure $name\$" "$(departures_of "$1")" || {
    echo "$name: not in $(departures_of "$1")"
    status=1
  }
  cp "$2" "$case"
  "$nestwalk" translate "$case" | diff -u "$case" - || {
    echo "$name: the model does not answer as the manual does"
    status=1
  }
  can_run "$1" || return 0
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
}

for family in armv7 x86-svm-npt x86-ept; do
  folder=$(dirname "$(departures_of "$family")")/departures
  make_words "$folder/departures.words" "$dir"
  for file in "$folder"/*.case; do
    check_case "$family" "$file"
  done
done
[ "$status" -eq 0 ] || exit 1
skip_if_not_all_ran
