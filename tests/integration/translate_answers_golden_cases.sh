#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The golden case files hold their own answers, derived by hand: translate must repeat them. Without
# the answers on input, from standard input, and through a kept MMU it must say the same.
. "$top_srcdir/tests/integration/case_words.sh"
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0

same() { # WHAT EXPECTED FOUND
  if ! diff "$2" "$3"; then
    echo "$1 differs" >&2
    status=1
  fi
}

for words in short nested x86-64 x86-nested x86; do
  make_words "$top_srcdir/tests/cases/$words.words" "$work" || exit 99
done
for name in short nested x86-64 svm ept x86; do
  cp "$top_srcdir/tests/cases/$name.case" "$work/$name.case"
  chmod u+w "$work/$name.case"
  "$nestwalk" translate "$work/$name.case" >"$work/out" || status=1
  same "$name.case" "$work/$name.case" "$work/out"
  sed 's/^\(q .*\) -> .*/\1/' "$work/$name.case" >"$work/bare.case"
  "$nestwalk" translate "$work/bare.case" >"$work/out" || status=1
  same "$name.case without answers" "$work/$name.case" "$work/out"
  (cd "$work" && "$nestwalk" translate - <bare.case >out) || status=1
  same "$name.case from standard input" "$work/$name.case" "$work/out"
done

# each descriptor access, in the order made; updates with what becomes of the descriptor
"$nestwalk" translate --trace "$work/svm.case" >"$work/out" || status=1
sed -n '/^q r user 0x123 -> ok/,/^q x/{/^q x/!p;}' "$work/out" >"$work/traced"
same "the trace of svm.case" "$top_srcdir/tests/cases/svm.trace" "$work/traced"
"$nestwalk" translate --trace "$work/nested.case" >"$work/out" || status=1
sed -n '/^q r user 0x00012345 -> ok/,/^q x/{/^q x/!p;}' "$work/out" >"$work/traced"
same "the trace" "$top_srcdir/tests/cases/nested.trace" "$work/traced"
grep -v '^# s[12] l[123] pa=' "$work/out" >"$work/untraced"
same "nested.case with its trace taken out" "$work/nested.case" "$work/untraced"
grep -q '^# s2 l1 pa=0x0200001e00 desc=abort$' "$work/out" || {
  echo "an aborted descriptor access is not traced" >&2
  status=1
}

# line ends: CRLF stays, a missing one is added
printf 'format 1\r\nregime armv7-short\r\n\tq  r priv  0x10 -> old\r\nq w user 0x20' >"$work/crlf.case"
printf 'format 1\r\nregime armv7-short\r\n\tq  r priv  0x10 -> %s\r\nq w user 0x20 -> %s\n' \
  'ok pa=0x0000000010 size=0x1000 attr=0x00 sh=2' \
  'ok pa=0x0000000020 size=0x1000 attr=0x00 sh=2' >"$work/crlf.expected"
"$nestwalk" translate "$work/crlf.case" >"$work/out" || status=1
same "a file with CRLF" "$work/crlf.expected" "$work/out"

exit $status
