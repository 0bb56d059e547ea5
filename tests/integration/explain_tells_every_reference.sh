#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# explain numbers every reference of a walk, names its index, and ends with translate's answer.
. "$top_srcdir/tests/integration/case_words.sh"
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0
for name in short nested x86; do
  make_words "$top_srcdir/tests/cases/$name.words" "$work" || exit 99
  cp "$top_srcdir/tests/cases/$name.case" "$work/$name.case"
  "$nestwalk" explain "$work/$name.case" >"$work/out" || status=1
  sed -n 's/^q .* -> /  -> /p' "$work/$name.case" >"$work/expected"
  grep '^  -> ' "$work/out" | diff "$work/expected" - || status=1
  # as many references told as translate traces
  told=$(grep -cE '^ +[0-9]+  stage [12] level [1-5]( \(P[A-Z0-9]*E\))?: table ' "$work/out")
  traced=$("$nestwalk" translate --trace "$work/$name.case" |
    grep -cE '^# s[12] l[1-5] pa=0x[0-9a-f]* desc=[^ ]*$')
  if [ "$told" != "$traced" ]; then
    echo "$name: $told references told, $traced made" >&2
    status=1
  fi
done

"$nestwalk" explain "$work/nested.case" 4 >"$work/out" || status=1
while read -r line; do
  if ! grep -qF -e "$line" "$work/out"; then
    echo "explain does not say: $line" >&2
    status=1
  fi
done <<'END'
query 4, line 21: write by user code of VA 0x00012345
stage 2 on: 40-bit IPAs, starts at level 1 at 0x0200000000
the level-1 descriptor of stage 1 is at IPA 0x0040000000; through stage 2:
1  stage 2 level 1: table 0x0200000000, index IPA[39:30] = 0x1, descriptor at PA 0x0200000008
8  stage 1 level 2: table 0x0040001000, index VA[29:21] = 0x0, descriptor at IPA 0x0040001000
which is PA 0x0140001000
= 0x0000000040200445: 2 MB block, address 0x0040200000, AP[2:1]=1, AttrIndx=1, SH=0, AF=1
the access is to IPA 0x0040212345; through stage 2:
= 0x000000060000077d: 2 MB block, address 0x0600000000, write=0, read=1, MemAttr=15, SH=3, AF=1
10 references
permission fault at stage 2, level 2, of IPA 0x0040212345
HSR = 0x9200004e: EC=0x24 IL=0x1 ISV=0x0 CM=0x0 S1PTW=0x0 WnR=0x1 FSC=0xe
END
[ "$(grep -c '^query' "$work/out")" = 1 ] || status=1

for arguments in "$work/nested.case 99" "$work/nested.case 0" "$work/nested.case one" ''; do
  "$nestwalk" explain $arguments >/dev/null 2>"$work/err"
  [ $? = 2 ] && [ -s "$work/err" ] || {
    echo "explain $arguments: not refused with status 2" >&2
    status=1
  }
done
exit $status
