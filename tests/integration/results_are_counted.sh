#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/count-results: what it makes of logs of cmocka's, of TAP, of crashes, of nothing.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# expect "LINE" EXIT-STATUS NAME...: count the tests named, compare.
expect() {
  line=$1 code=$2
  shift 2
  got_code=0
  got=$(cd "$dir" && sh "$top_srcdir/tests/count-results" "$@") || got_code=$?
  if [ "$got" != "$line" ] || [ "$got_code" -ne "$code" ]; then
    echo "count-results $*: '$got', exit status $got_code; expected '$line', $code"
    status=1
  fi
}

# result NAME RESULT <LOG
result() {
  cat >"$dir/$1.log"
  echo ":test-result: $2" >"$dir/$1.trs"
}

result cmocka FAIL <<'LOG'
[==========] Running 4 test(s).
[ RUN      ] passes
[       OK ] passes
[ RUN      ] prints
no newline[       OK ] prints
[ RUN      ] fails
[  FAILED  ] fails
[ RUN      ] is_skipped
[  SKIPPED ] is_skipped
[==========] 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] is_skipped
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] fails
LOG
result crash FAIL <<'LOG'
[==========] Running 3 test(s).
[ RUN      ] passes
[       OK ] passes
[ RUN      ] aborts
LOG
result leak FAIL <<'LOG'
[==========] Running 1 test(s).
[ RUN      ] passes
[       OK ] passes
[==========] 1 test(s) run.
[  PASSED  ] 1 test(s).
ERROR: LeakSanitizer: detected memory leaks
LOG
result tap FAIL <<'LOG'
ok 1 - one
ok 2 - two # SKIP no qemu-arm
not ok 3 - three
LOG
result plain PASS </dev/null
result broken ERROR </dev/null
result absent SKIP </dev/null

expect "2 passed, 1 failed, 1 skipped" 1 cmocka.trs
expect "1 passed, 1 failed, 0 skipped" 1 crash.trs
expect "1 passed, 1 failed, 0 skipped" 1 leak.trs
expect "1 passed, 1 failed, 1 skipped" 1 tap.trs
expect "1 passed, 0 failed, 0 skipped" 0 plain.trs
expect "0 passed, 1 failed, 0 skipped" 1 broken.trs
expect "0 passed, 0 failed, 1 skipped" 1 absent.trs
expect "1 passed, 0 failed, 1 skipped" 0 plain.trs absent.trs
expect "1 passed, 1 failed, 0 skipped" 1 plain.trs never-ran.trs
expect "6 passed, 5 failed, 3 skipped" 1 \
  cmocka.trs crash.trs leak.trs tap.trs plain.trs broken.trs absent.trs
expect "0 passed, 0 failed, 0 skipped" 1
exit $status
