#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two independent counts: a program that is counted by hand, and QEMU's own log of an ARM program
# that it executes instruction by instruction.
. "$top_srcdir/tests/integration/record_common"

if command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  # Instrumentation that the build's compiler may be told to add would change the counts.
  $CC -nostdlib -static -o loop "$inputs/record_loop.S"
  timeout 60 "$nestwalk" record -o loop.nwt -- ./loop 2>messages || fail "record: status $?"
  grep -q 'ended with status 7' messages || fail "the program's status is not told"
  equal architecture "$(value loop.nwt architecture)" '"x86-64"'
  equal instructions "$(value loop.nwt instructions)" 5006
  equal loads "$(value loop.nwt loads)" 1000
  equal stores "$(value loop.nwt stores)" 2000
  equal references "$(value loop.nwt references)" 8006
  equal syscalls "$(value loop.nwt syscalls)" 1
  "$nestwalk" trace dump loop.nwt >dump
  equal 'loads of 8 bytes' "$(grep -c ' load 0x[0-9a-f]* 8$' dump)" 1000
  equal 'stores of 1 byte' "$(grep -c ' store 0x[0-9a-f]*8 1$' dump)" 1000
  equal 'stores of 4 bytes' "$(grep -c ' store 0x[0-9a-f]*c 4$' dump)" 1000
  equal 'last record' "$(tail -n 1 dump | cut -d ' ' -f 2-)" 'exit 0x7 0x1'
fi

need_arm
# The same environment for both runs: a C library's start-up looks at every variable.
env -i "$nestwalk" record -q --qemu="$QEMU_ARM" -o echo.nwt -- "$NW_BUSYBOX" echo hello >out
equal 'the output' "$(cat out)" hello
env -i "$QEMU_ARM" -singlestep -d exec,nochain -D log "$NW_BUSYBOX" echo hello >out
equal instructions "$(value echo.nwt instructions)" "$(grep -c ^Trace log)"
