#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input: exit status 2, and a message with file, line, what was found and what was expected.
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0
tried=0

# refuse LINE WORDS...: the file has LINEs up to the bad one (\n between them); every WORD must be in
# the message
refuse() {
  printf "$1" >"$work/bad.case"
  line=$2
  shift 2
  tried=$((tried + 1))
  "$nestwalk" translate "$work/bad.case" >"$work/out" 2>"$work/err"
  got=$?
  if [ "$got" != 2 ]; then
    echo "exit status $got, expected 2, for:" >&2
    cat "$work/bad.case" >&2
    status=1
  fi
  for word in "bad.case:$line:" "$@"; do
    if ! grep -qF -e "$word" "$work/err"; then
      echo "no '$word' in: $(cat "$work/err")" >&2
      status=1
    fi
  done
}

short='format 1\nregime armv7-short\n'
lpae2='format 1\nregime armv7-lpae+s2\n'
x86='format 1\nregime x86-64\n'
svm='format 1\nregime x86-svm-npt\n'
ept='format 1\nregime x86-ept\n'
query='q r priv 0\n'

refuse '' 0 'format 1'
refuse '# nothing\n\n' 2 "the end of the file" 'format 1'
refuse 'regime armv7-short\n' 1 "'regime'" 'format 1'
refuse 'format 2\n' 1 "'2'" 'expected 1'
refuse 'format 1\nformat 1\n' 2 'second'
refuse 'format\n' 1 'the end of the line'
refuse 'format 1 1\n' 1 "'1'" 'the end of the line'
refuse 'format 1\nregime arm\n' 2 "'arm'" 'armv7-lpae+s2'
refuse 'format 1\nregime riscv-h\n' 2 'riscv-h' 'armv7-short'
refuse 'format 1\nregime riscv-h\n' 2 'riscv-h'
refuse 'format 1\nq r priv 0\n' 2 'regime'
refuse "${short}nonsense\n" 3 "'nonsense'"
refuse "${short}reg CR3 0\n" 3 "'CR3'" 'TTBR0'
refuse "${short}reg ttbr0 0\n" 3 "'ttbr0'"
refuse "${short}reg TTBR0\n" 3 'reg NAME VALUE'
refuse "${short}reg TTBR0 0 0\n" 3 "'0'" 'the end of the line'
refuse "${short}reg TTBR0 12z\n" 3 "'12z'" 'number'
refuse "${short}reg TTBR0 -1\n" 3 "'-1'" 'number'
refuse "${short}reg TTBR0 +1\n" 3 "'+1'" 'number'
refuse "${short}reg TTBR0 0x\n" 3 "'0x'" 'number'
refuse "${short}reg TTBR0 0x10000000000000000\n" 3 'number'
refuse "${short}reg TTBR0 18446744073709551616\n" 3 'number'
refuse "${short}reg SCTLR 0x100000000\n" 3 '0x100000000' "'SCTLR'" '32 bits'
refuse "${short}reg TTBCR 0x80000000\n" 3 '0x80000000' "'TTBCR'" 'armv7-short'
refuse "${lpae2}reg TTBCR 0\n" 3 "'TTBCR'" 'armv7-lpae+s2'
refuse "${short}reg HCR 1\n" 3 "'HCR'" 'armv7-short'
refuse 'format 1\nreg TTBCR 0x80000000\nregime armv7-short\nq r priv 0\n' 4 '0x80000000' 'line 2'
refuse 'format 1\nreg DACR 0x100000000\n' 2 '32 bits'
refuse "${short}walk s3\n" 3 "'s3'" 's12'
refuse "${short}walk s2\nq r priv 0\n" 4 'walk s2' 'stage 2'
refuse "${short}q r\n" 3 'q ACC PRIV VA'
refuse "${short}q rw priv 0\n" 3 "'rw'" 'r, w or x'
refuse "${short}q r root 0\n" 3 "'root'" 'priv or user'
refuse "${short}q r priv 0x100000000\n" 3 "'0x100000000'" '32 bits'
refuse "${short}q r priv here\n" 3 "'here'" 'number'
refuse "${short}q r priv 0 0\n" 3 "'0'" 'the end of the line'
refuse "${lpae2}walk s2\nq r priv 0x10000000000\n" 4 "'0x10000000000'" '40 bits'
refuse "${short}ram 0x10\n" 3 "'0x10'" 'A-B'
refuse "${short}ram 0x10-0xf\n" 3 'A-B'
refuse "${short}ram 0x10-\n" 3 'number'
refuse "${short}nomem -0x10\n" 3 'number'
refuse "${short}mem nothing@0\n" 3 'nothing' 'No such file'
refuse "${short}mem nothing\n" 3 "'nothing'" 'FILE@ADDR'
refuse "${short}mem @0\n" 3 'FILE@ADDR'
refuse "${short}mem bad.case@0xfffffffffffffffe\n" 3 'too many'
refuse "${short}mem .@0\n" 3 'irectory'
refuse "${short}mem /dev/zero@0\n" 3 '/dev/zero'
mkfifo "$work/pipe" && refuse "${short}mem pipe@0\n" 3 'pipe'
refuse "${short}maxphyaddr 64\n" 3 "'64'"
refuse "${short}cap flying 1\n" 3 "'flying'"
refuse "${short}cap ept-ad 2\n" 3 "'2'"
refuse "${short}update-check now\n" 3 "'now'"
refuse "${short}reg TTBR0\\000 0\n" 3 'TTBR0\x00'
refuse "${short}q r priv 0\\000\n" 3 '0\x00'
refuse "${short}mem a\\000b@0\n" 3 'a\x00b'

# x86-64: values that MOV and VM entry refuse are held against the line that gave them
refuse "${x86}reg TTBR0 0\n" 3 "'TTBR0'" 'nCR3'
refuse "${x86}reg cr3 0\n" 3 "'cr3'" 'CR3'
refuse "${x86}reg PKRU 0x100000000\n" 3 '0x100000000' "'PKRU'" '32 bits'
refuse "${x86}reg CR3 0x10000000000\n${query}" 4 '0x10000000000' 'line 3' 'x86-64'
refuse "${x86}reg CR3 0x8000000000001000\n${query}" 4 '0x8000000000001000' 'line 3'
refuse "${x86}reg AC 2\n${query}" 4 '0x2' 'line 3'
refuse "${x86}reg VPID 0x2000\n${query}" 4 '0x2000' 'line 3'
refuse "${svm}reg nCR3 0x10000000000\n${query}" 4 '0x10000000000' 'line 3' 'x86-svm-npt'
refuse "${ept}reg EPTP 0x100e\n${query}" 4 '0x100e' 'line 3' 'x86-ept'
refuse "${ept}reg EPTP 0x101a\n${query}" 4 '0x101a' 'line 3'
refuse "${ept}reg EPTP 0x105e\ncap ept-ad 0\n${query}" 5 '0x105e' 'line 3'
refuse "${svm}reg nCR3 0x1000\nregime x86-ept\n${query}" 5 '0x1000' 'line 3' 'x86-ept'
refuse "${svm}maxphyaddr 36\nreg CR3 0x1000000000\n${query}" 5 '0x1000000000' 'line 4'
refuse "${x86}maxphyaddr 53\n" 3 "'53'" '32 to 52'
refuse "${x86}maxphyaddr 31\n" 3 "'31'" '32 to 52'
refuse "${x86}cap foo 1\n" 3 "'foo'" 'execute-only' 'ept-ad' '1g-pages'
refuse "${ept}cap ept-ad yes\n" 3 "'yes'" '0 or 1'
refuse "${x86}walk s2\n${query}" 4 'walk s2' 'stage 2' 'x86-64'
refuse "${svm}walk s2\nq r priv 0x10000000000000\n" 4 "'0x10000000000000'" 'IPA' '52 bits'
refuse "${x86}q r priv 0x10000000000000000\n" 3 'number'

# what contradicted for a while is taken once another line has made it possible
for lines in 'reg CR3 0x8000000000001005\nreg CR4 0x20020' \
  'reg CR3 0x1000000000000\nmaxphyaddr 52' \
  'maxphyaddr 32\nreg CR3 0x100000000\nreg CR3 0x1000'; do
  printf "${x86}$lines\n${query}" >"$work/good.case"
  "$nestwalk" translate "$work/good.case" >"$work/out" 2>"$work/err" || {
    echo "refused: $(cat "$work/err")" >&2
    status=1
  }
done

# a word of a million bytes is refused, and not repeated in full
{ printf "$short"; head -c 1000000 /dev/zero | tr '\0' x; } >"$work/bad.case"
"$nestwalk" translate "$work/bad.case" >/dev/null 2>"$work/err"
[ $? = 2 ] && [ "$(wc -c <"$work/err")" -lt 1000 ] || status=1

# what stands before the bad line has been answered
printf "${short}q r priv 0x40\njunk\n" >"$work/bad.case"
"$nestwalk" translate "$work/bad.case" >"$work/out" 2>/dev/null
grep -q '^q r priv 0x40 -> ok pa=0x0000000040' "$work/out" || status=1

# no file, no argument, too many, an unknown option
for arguments in "$work/absent.case" '' "$work/out $work/out" "--fast $work/out"; do
  "$nestwalk" translate $arguments >/dev/null 2>"$work/err"
  [ $? = 2 ] && [ -s "$work/err" ] || {
    echo "translate $arguments: not refused with status 2" >&2
    status=1
  }
done
# a full disk is a failed run
if [ -w /dev/full ]; then
  printf "${short}q r priv 0x40\n" >"$work/good.case"
  "$nestwalk" translate "$work/good.case" >/dev/full 2>"$work/err"
  [ $? = 1 ] && [ -s "$work/err" ] || {
    echo "a full disk was not noticed" >&2
    status=1
  }
fi
[ "$tried" -ge 40 ] || status=1
exit $status
