#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The same trace on the SystemC platform and in `nestwalk run`: every statistic is the same, cycles
# included, when the memory's latency is constant.
. "$top_srcdir/tests/integration/platform_common"

# All by which the software drives an MMU is the platform's.
nm -u "$top_builddir/tb/platform/.libs/libsoftware.a" >calls 2>/dev/null
equal 'calls of the C model by the software' "$(grep -c ' U nw_mmu_' calls)" 0
grep -q ' U nw_software_mmu_translate_run' calls || fail 'the software makes no accesses'

recorded_trace recorded.nwt || fail 'the recording failed'
made_up_trace made-up.nwt

# same TRACE MACHINE PAGING MODES OPTION...: both runs' stats.txt are the same, in every mode. Both
# stop after so many references.
limit=400000
same() {
  trace=$1 machine=$2 paging=$3 modes=$4
  shift 4
  rm -rf run platform-*
  "$nestwalk" run -q -w "$trace" -m "$machine" -p "$paging" -o run --limit $limit \
    --set memory.program_accesses=false "$@" ||
    fail "nestwalk run: $trace on $machine, $paging: status $?"
  for mode in $modes; do
    checks=$((checks + 1))
    "$platform" -w "$trace" -m "$machine" -p "$paging" --mode "$mode" --memory ideal --check \
      --references $limit --set memory.program_accesses=false -o "platform-$mode" "$@" >table ||
      fail "platform: $trace on $machine, $paging, $mode: status $?"
    diff run/stats.txt "platform-$mode/stats.txt" >differences || {
      fail "$trace on $machine, $paging, $mode: statistics differ"
      head -n 20 differences
    }
    equal "simulated cycles, $mode" "$(field table "$mode" 3)" \
      "$(statistic run/stats.txt sim.cycles)"
  done
}

for paging in native nested; do
  same made-up.nwt teaching $paging 'lt at'
  same made-up.nwt cortex-a15 $paging 'lt at' --set memory.caches='[]'
  same made-up.nwt cortex-a7 $paging 'lt at' --set memory.caches='[]'
  same made-up.nwt teaching $paging 'lt at' --set memory.dram_latency=1 --set core.base_cpi=0.5
  same recorded.nwt teaching $paging 'lt at'
  same recorded.nwt cortex-a15 $paging 'lt' --set memory.caches='[]'
  same recorded.nwt teaching $paging 'lt' --set guest.large_pages=aligned --set format=lpae
done

# counted FILE: the statistics that the RTL shows, without its time
counted() {
  grep -v -e '^sim\.seconds ' -e '^sim\.cycles ' -e '^cycles\.translation ' \
    -e '^mmu\.[a-z0-9]*\.[a-z]*\.\([0-9]*[KMG]\|faulted\) ' -e '^mmu\.walk_cycles::' "$1"
}

# The RTL counts the same, and takes the same cycles but for those in which a request waits behind
# register writes and maintenance: one for each at most.
rtl_same() {
  rm -rf run rtl
  "$nestwalk" run -q -w "$1" -m rtl -p "$2" -o run --limit $limit || fail "nestwalk run: status $?"
  "$platform" -w "$1" -m rtl -p "$2" --mode rtl --memory ideal --check --references $limit \
    -o rtl >table || fail "platform: $1 on rtl, $2, rtl: status $?"
  counted run/stats.txt >a
  counted rtl/stats.txt >b
  checks=$((checks + 1))
  diff a b >differences || {
    fail "$1 on rtl, $2, rtl: statistics differ"
    head -n 20 differences
  }
  late=$(($(field table rtl 3) - $(statistic run/stats.txt sim.cycles)))
  checks=$((checks + 1))
  { [ "$late" -ge 0 ] && [ "$late" -le "$(field table rtl 11)" ]; } ||
    fail "$1 on rtl, $2, rtl: $late cycles late, $(field table rtl 11) register writes"
}

for paging in native nested; do
  same made-up.nwt rtl $paging 'lt at'
  if "$platform" -w made-up.nwt -m rtl --mode rtl --references 1 >/dev/null 2>&1; then
    limit=60000
    rtl_same made-up.nwt $paging
    rtl_same recorded.nwt $paging
    limit=400000
  else
    echo 'without verilator there is no RTL to compare with'
  fi
done

# Where the program's accesses cost as much as the walker's, each one that succeeds adds that.
rm -rf free dear
for mode in lt at; do
  "$platform" -w made-up.nwt --mode $mode --memory ideal \
    --set memory.program_accesses=false >free || fail "platform: status $?"
  "$platform" -w made-up.nwt --mode $mode --memory ideal \
    --set memory.program_accesses=true >dear || fail "platform: status $?"
  succeeded=$(($(field free $mode 4) - $(field free $mode 10)))
  equal "cycles with program accesses, $mode" "$(field dear $mode 3)" \
    $(($(field free $mode 3) + 100 * succeeded))
done
finish
