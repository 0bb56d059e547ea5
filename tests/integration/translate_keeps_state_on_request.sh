#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# With --keep-state a translation outlives its descriptor, and a second look needs no reference.
. "$top_srcdir/tests/integration/case_words.sh"
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
make_words "$top_srcdir/tests/cases/short.words" "$work" || exit 99
cat >"$work/kept.case" <<'END'
format 1
regime armv7-short
mem short-l1.bin@0x80004000
reg SCTLR 1
reg TTBR0 0x80004000
reg DACR 1
q r user 0x00112345
nomem 0x80004000-0x80007fff
q r user 0x00154321
walk s1
q r user 0x00154321
walk s12
regime armv7-short
q r user 0x00154321
END
good='ok pa=0x0012354321 size=0x100000 attr=0xee sh=0'
abort='fault stage=1 s1walk=0 level=1 type=extabort syndrome=DFSR:0xc'
status=0
check() { # OPTIONS EXPECTED...
  "$nestwalk" translate $1 "$work/kept.case" >"$work/out" || status=1
  shift
  printf '%s\n' 'ok pa=0x0012312345 size=0x100000 attr=0xee sh=0' "$@" >"$work/expected"
  sed -n 's/.* -> //p' "$work/out" | diff "$work/expected" - || status=1
}
check '' "$abort" "$abort" "$abort"
check --keep-state "$good" "$abort" "$abort"
"$nestwalk" translate --keep-state --trace "$work/kept.case" >"$work/out" || status=1
found=$(grep -c '^# s1 l1 pa=0x0080004004' "$work/out")
if [ "$found" != 3 ]; then
  echo "found $found descriptor accesses, expected 3: one query of four hits" >&2
  status=1
fi

# With T1SZ = 5 the top 128 MB of TTBR0's last GB are TTBR1's: a 1 GB block must not answer for them.
cat >"$work/split.words" <<'END'
root0.bin 8 0x441 0x40000441 0x80000441 0x100000441
root1.bin 8 0x300000441
END
make_words "$work/split.words" "$work" || exit 99
cat >"$work/split.case" <<'END'
format 1
regime armv7-lpae
mem root0.bin@0x1000
mem root1.bin@0x2000
reg SCTLR 1
reg TTBCR 0x80050000
reg TTBR0 0x1000
reg TTBR1 0x2000
reg MAIR0 0xff
q r priv 0xc0000000 -> ok pa=0x0100000000 size=0x40000000 attr=0xff sh=0
q r priv 0xf8000000 -> ok pa=0x0300000000 size=0x200000 attr=0xff sh=0
END
for option in '' --keep-state; do
  "$nestwalk" translate $option "$work/split.case" | diff "$work/split.case" - || status=1
done
exit $status
