# SPDX-License-Identifier: Apache-2.0
#
# What the tests of this folder share: $dir, a folder that goes when the test ends; $nestwalk;
# $machine, which says "yes" when the machine can be run and nothing otherwise; then $oracle;
# and make_words.
. "$top_srcdir/tests/integration/case_words.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
oracle=$top_builddir/tests/oracle/nestwalk-oracle
missing=

for program in "${NW_ORACLE_QEMU:-qemu-system-aarch64}" "${ARM_NONE_EABI_CC:-arm-none-eabi-gcc}"; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
machine=
if [ -z "$missing" ]; then
  NW_ORACLE_PROGRAM=$dir/hyp.elf
  export NW_ORACLE_PROGRAM
  "$top_srcdir/tests/oracle/build-hyp" "$top_srcdir/tests/oracle" "$NW_ORACLE_PROGRAM"
  machine=yes
fi

skip() {
  echo "skipped: not found:$missing (Debian: qemu-system-arm, gcc-arm-none-eabi)"
  exit 77
}
