# SPDX-License-Identifier: Apache-2.0
# What the cli_*.sh scripts share: sourced, not run. Sets $dir, a folder that is removed at the end.
set -u

nestwalk=$top_builddir/nestwalk
make_trace=$top_builddir/tests/support/make_trace
NESTWALK_MACHINES=
export NESTWALK_MACHINES
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
tests=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# try STATUS ARGUMENT...: runs the command; its output is in $dir/out and $dir/err afterwards.
try() {
  wanted=$1
  shift
  tests=$((tests + 1))
  got=0
  "$nestwalk" "$@" >"$dir/out" 2>"$dir/err" || got=$?
  if [ "$got" -ne "$wanted" ]; then
    fail "nestwalk $*: exit status $got, expected $wanted"
    cat "$dir/err"
  fi
}

# says FILE TEXT: out or err has the text.
says() {
  grep -qF -e "$2" "$dir/$1" || {
    fail "standard $1 has no '$2':"
    cat "$dir/$1"
  }
}

silent() {
  [ ! -s "$dir/$1" ] || {
    fail "standard $1 is not empty:"
    cat "$dir/$1"
  }
}

# statistic FILE NAME: its value in a stats.txt
statistic() {
  awk -v name="$2" '$1 == name { print $2 }' "$1"
}

equal() {
  [ "$2" = "$3" ] || fail "$1: $2, expected $3"
}

# small_trace FILE [ARCHITECTURE]: a program that goes over 64 pages of data from 8 pages of code,
# four times.
small_trace() {
  awk 'BEGIN {
    print "stream - 0"
    print "0 map 0x10000 0x8000 5 1"
    print "0 map 0x100000 0x40000 3 0"
    for (round = 0; round < 4; round++)
      for (page = 0; page < 64; page++) {
        printf "0 block %d 10\n", 65536 + (page % 8) * 4096
        printf "0 store %d 4\n", 1048576 + page * 4096 + round * 64
      }
    print "0 syscall 1"
    print "0 exit 0 1"
  }' | "$make_trace" "$@"
}

finish() {
  echo "$tests commands tried, $failures failures"
  [ "$failures" -eq 0 ]
  exit
}
