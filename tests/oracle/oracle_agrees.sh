#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Some ten thousand random queries of each family: the model answers as the machine in QEMU does,
# judged field by field and, the way a user does it, by a diff of the two commands' output. NW_SEED
# chooses others.
set -eu

. "$top_srcdir/tests/oracle/common.sh"
judge=$top_builddir/tests/oracle/judge
seed=${NW_SEED:-20110309}
echo "NW_SEED=$seed"

judged() { # ANSWERS [OPTION...]
  answers=$1
  shift
  "$judge" "$@" "$list" "$dir/random.case" "$answers"
}

# The departures aside, the two commands' outputs agree line by line.
compare_agrees() {
  "$nestwalk" translate "$dir/random.case" >"$dir/model"
  "$oracle_source/compare" "$dir/model" "$dir/machine" >"$dir/diff" || true
  departed=$(judged "$dir/machine" | sed -n 's/^\([0-9]*\)\tdeparted$/\1/p')
  lines=$(grep -c '^<' "$dir/diff" || true)
  [ "$lines" -eq "$departed" ] || {
    echo "compare finds $lines lines that differ, judge $departed departures"
    exit 1
  }
}

# finds TEXT REPLACEMENT ANSWER: a wrong answer, made of the first "ok" of both sides that has TEXT,
# is found, and cut down to a case on which the machine gives ANSWER and the model agrees.
finds() {
  awk -v text="$1" -v replacement="$2" '
    FNR == NR { model[FNR] = $0; next }
    !made && / -> ok / && model[FNR] ~ / -> ok / && (at = index($0, text)) {
      $0 = substr($0, 1, at - 1) replacement substr($0, at + length(text))
      made = 1
    }
    { print }' "$dir/model" "$dir/machine" >"$dir/wrong"
  if judged "$dir/wrong" --cut "$dir" >"$dir/verdict"; then
    echo "$family: a wrong answer was not found"
    exit 1
  fi
  grep -q "cut down to $dir/cut.case" "$dir/verdict"
  "$oracle" "$dir/cut.case" >"$dir/cut.machine"
  grep -q "^q .* -> $3" "$dir/cut.machine"
  "$judge" "$list" "$dir/cut.case" "$dir/cut.machine" >/dev/null
}

for family in $can_run; do
  list=$(departures_of "$family")
  "$top_builddir/tests/oracle/generate" "$family" "$seed" 20000 "$dir"
  "$oracle" "$dir/random.case" >"$dir/machine"
  echo "$family"
  judged "$dir/machine" --cut "$dir"
  compare_agrees
  finds ' -> ok pa=0x' ' -> ok pa=0xf' 'ok pa='
  case $family in
    x86-*) finds ' upd=0x00000' ' upd=0x00001' '.* upd=' ;;
  esac
done
skip_if_not_all_ran
