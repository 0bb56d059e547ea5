#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Corners that the machine cannot judge, judged by hand: each file of cases/ has the answers that
# the manual's section it names asks for.
set -eu

. "$top_srcdir/tests/oracle/common.sh"
status=0
make_words "$oracle_source/cases/cases.words" "$dir"
for case in "$oracle_source"/cases/*.case; do
  cp "$case" "$dir"
  "$nestwalk" translate "$dir/$(basename "$case")" | diff -u "$case" - || status=1
done
exit $status
