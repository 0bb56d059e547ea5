#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Extracts of the tables of Debian's kernels, ARM's short and long descriptors, alone and over Xen's
# stage 2, and amd64 with four and five levels: the model answers as the machine did that they were
# taken from (README.md).
set -eu

here=$top_srcdir/tests/oracle/linux
nestwalk=${NESTWALK:-$top_builddir/nestwalk}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

for archive in "$here"/fixtures/*.tar.gz; do
  system=$(basename "$archive" .tar.gz)
  mkdir "$dir/$system"
  gzip -dc "$archive" | (cd "$dir/$system" && tar xf -)
  "$nestwalk" translate "$dir/$system/case" >"$dir/model"
  answers=$(grep -c '^q .* -> ok pa=' "$dir/model" || true)
  "$here/../compare" "$dir/model" "$dir/$system/case" >"$dir/differences" || true
  echo "$system: $(grep -c '^q ' "$dir/model") queries, $answers translations," \
    "$(grep -c '^>' "$dir/differences" || true) differences"
  head -n 20 "$dir/differences"
  [ "$answers" -gt 1000 ] || status=1
  [ ! -s "$dir/differences" ] || status=1
done

# Registers and tables matter: with another root nothing is as it was.
for root in armmp/TTBR0 amd64/CR3 amd64-la57/CR3; do
  system=${root%/*}
  sed "s/^reg ${root#*/} .*/reg ${root#*/} 0x0/" "$dir/$system/case" >"$dir/$system/wrong"
  "$nestwalk" translate "$dir/$system/wrong" >"$dir/model"
  if "$here/../compare" "$dir/model" "$dir/$system/case" >"$dir/differences"; then
    echo "$system: a wrong root was not found"
    status=1
  fi
done
exit $status
