#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The platform's command line, its log and waveform, and the rules of the base protocol on every hop.
. "$top_srcdir/tests/integration/platform_common"

made_up_trace t.nwt

# try STATUS OPTION...: output is in out and err afterwards
try() {
  wanted=$1
  shift
  got=0
  "$platform" "$@" >out 2>err || got=$?
  equal "status of platform $*" "$got" "$wanted"
}

# says FILE TEXT
says() {
  checks=$((checks + 1))
  grep -qF -e "$2" "$1" || {
    fail "no '$2' in:"
    head -n 5 "$1"
  }
}

try 0 --help
says out 'Examples:'
try 2
says err 'no trace; expected -w TRACE'
try 2 -w missing.nwt
says err 'missing.nwt'
try 2 -w t.nwt -m nonesuch
says err 'nonesuch'
try 2 -w t.nwt -p shadow
says err "found 'shadow', expected native or nested"
try 2 -w t.nwt --mode lt,fast
says err "found 'fast'"
try 2 -w t.nwt --mode ''
try 2 -w t.nwt --memory sram
says err "found 'sram', expected dram or ideal"
try 2 -w t.nwt --outstanding 65
says err "--outstanding: found '65', expected a number from 1 to 64"
for number in 0 x 1.5 -1 1e99 ''; do
  try 2 -w t.nwt --references "$number"
  says err '--references: found'
done
try 2 -w t.nwt --nonesuch
try 2 -w t.nwt more
says err "found 'more'"
try 2 -w t.nwt --set mmu.l2.entries=-4
try 2 -w t.nwt --vcd w --mode lt,at
says err 'expected one'
try 1 -w t.nwt --vcd missing/w
says err 'missing/w'
awk 'BEGIN {
  print "stream - 0"
  for (page = 0; page < 400; page++) printf "0 store %d 4\n", 1048576 + page * 4096
}' | "$make_trace" big.nwt
try 1 -w big.nwt --set guest.memory=1MiB
says err 'guest.memory is too small'
dd if=t.nwt of=cut.nwt bs=200 count=1 2>/dev/null
try 2 -w cut.nwt
says err 'cut.nwt'
: >file
try 1 -w t.nwt -o file
says err 'file: Not a directory'

# Every style simulates the same references, and all hops keep the rules.
for memory in dram ideal; do
  try 0 -w t.nwt -m cortex-a7 --mode lt,lt-dmi,at --check --memory $memory -o out-$memory
  for mode in lt lt-dmi at; do
    equal "references, $mode" "$(field out $mode 2)" "$(field out lt 2)"
    equal "references, $mode" "$(statistic out-$memory-$mode/stats.txt sim.references)" \
      "$(field out $mode 2)"
  done
  equal 'cycles of lt and at' "$(field out lt 3)" "$(field out at 3)"
  equal 'direct accesses, lt' "$(field out lt 5)" 0
  [ "$(field out lt-dmi 5)" -gt "$(field out lt-dmi 4)" ] || fail 'most accesses are not direct'
done
try 0 -w t.nwt --mode at --outstanding 8 --check
says out 'DRAM rows'
try 0 -w t.nwt --references 50
equal 'references, limited' "$(field out lt 2)" 50
try 0 -w t.nwt --quantum 0
equal 'cycles without a quantum' "$(field out lt 3)" \
  "$("$platform" -w t.nwt --quantum 1000000 | awk '$1 == "lt" { print $3 }')"

# One line for each transaction, and the serial port's.
try 0 -w t.nwt --references 20 -v
says err 'serial port: teaching, lt: t.nwt'
line='^ *[0-9.]* ns  [a-z]*_hop  *[a-z]* *[a-z-]*  *0x[0-9a-f]* *[0-9]*  [a-z ]* *[0-9.]* ns$'
equal 'readable lines' "$(grep -c "$line" err)" "$(grep -c ' ns$' err)"
[ "$(grep -c "$line" err)" -gt 100 ] || fail 'few lines'
says err ' core_hop       fetch user  0x0000010000  4  address error'
says err ' walker_hop     load  -     0x'
says err ' uart_hop       store priv  0x0000000000  4  ok'

try 0 -w t.nwt --references 20 --mode at --vcd w
says w.vcd '$scope module core_hop $end'
says w.vcd '$enddefinitions'
[ "$(grep -c '^#' w.vcd)" -gt 100 ] || fail 'the waveform hardly moves'
finish
