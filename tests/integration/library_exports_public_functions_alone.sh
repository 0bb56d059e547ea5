#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every symbol that libnestwalk.so exports is declared in a public header; none is missing.
set -eu

library=$top_builddir/.libs/libnestwalk.so
if [ ! -e "$library" ]; then
  echo "no shared library in this build"
  exit 77
fi

exported=$(nm -D --defined-only "$library" |
  awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
if [ -z "$exported" ]; then
  echo "$library exports nothing"
  exit 1
fi

status=0
for symbol in $exported; do
  case $symbol in
  nw_*) ;;
  *) echo "$symbol is exported without the prefix nw_"; status=1 ;;
  esac
  grep -qw -- "$symbol" "$top_srcdir"/model/include/nestwalk/*.h || {
    echo "$symbol is exported and no public header declares it"
    status=1
  }
done

# The other way round: what a header declares as a function is there.
declared=$(cat "$top_srcdir"/model/include/nestwalk/*.h |
  ${CC:-cc} -fpreprocessed -dD -E -P - 2>/dev/null | grep -v '^ *#' |
  tr '\n' ' ' | tr ';{}' '\n\n\n' |
  grep -v -e typedef -e 'static inline' -e '(\*' |
  sed -n 's/^[^()=]*[ *]\(nw_[a-z0-9_]*\)(.*/\1/p' | sort -u)
for symbol in $declared; do
  echo "$exported" | grep -qx -- "$symbol" || {
    echo "$symbol is declared in a public header and not exported"
    status=1
  }
done
exit $status
