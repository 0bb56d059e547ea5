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

# x86-64: a write of CR3 invalidates even where it changes nothing, and not with bit 63. A page of 2 MB
# under PCID 5 is taken away; the table walk then meets no memory.
cat >"$work/pcid.words" <<'END'
pcid-pml4.bin 8 0x2027
pcid-pdpt.bin 8 0x3027
pcid-pd.bin 8 0xc000e7
END
make_words "$work/pcid.words" "$work" || exit 99
cat >"$work/pcid.case" <<'END'
format 1
regime x86-64
mem pcid-pml4.bin@0x1000
mem pcid-pdpt.bin@0x2000
mem pcid-pd.bin@0x3000
reg CR0 0x80010001
reg CR4 0x20020
reg EFER 0x900
reg CR3 0x1005
q r user 0x123 -> ok pa=0x0000000000c00123 size=0x200000
nomem 0x1000-0x3fff
q r user 0x456 -> ok pa=0x0000000000c00456 size=0x200000
reg CR3 0x8000000000001006
q r user 0x456 -> fault stage=1 s1walk=0 level=4 type=extabort
reg CR3 0x8000000000001005
q r user 0x456 -> ok pa=0x0000000000c00456 size=0x200000
reg CR3 0x1005
q r user 0x456 -> fault stage=1 s1walk=0 level=4 type=extabort
END
# of several lines between two queries the last counts, also where it takes away what another needed
cat >>"$work/pcid.case" <<'END'
mem pcid-pml4.bin@0x1000
mem pcid-pdpt.bin@0x2000
mem pcid-pd.bin@0x3000
reg CR3 0x8000000000001000
reg CR4 0x20
q r user 0x789 -> ok pa=0x0000000000c00789 size=0x200000
reg CR4 0x20020
reg CR3 0x8000000000004000
reg CR4 0x20
q r user 0x789 -> fault stage=1 s1walk=0 level=4 type=extabort
END
"$nestwalk" translate --keep-state "$work/pcid.case" | diff "$work/pcid.case" - || status=1
exit $status
