# SPDX-License-Identifier: Apache-2.0
#
# What the tests of this folder share: $dir, a folder that goes when the test ends; $nestwalk and
# $oracle; the families whose machines can be run, $can_run, with their programs built, and what
# keeps the others from it, $cannot_run; and make_words.
. "$top_srcdir/tests/integration/case_words.sh"
oracle_source=$top_srcdir/tests/oracle
. "$oracle_source/machines.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
oracle=$top_builddir/tests/oracle/nestwalk-oracle

can_run= cannot_run=
for family in $families; do
  missing=$(missing_for "$family")
  if [ -z "$missing" ]; then
    build_machine "$family" "$dir"
    can_run="$can_run $family"
  else
    cannot_run="$cannot_run${cannot_run:+;} $family: not found:$missing"
  fi
done

can_run() {
  case "$can_run " in *" $1 "*) ;; *) false ;; esac
}

# At the end of a test: skipped where there was a machine that could not be run.
skip_if_not_all_ran() {
  [ -z "$cannot_run" ] || {
    echo "skipped:$cannot_run"
    exit 77
  }
}
