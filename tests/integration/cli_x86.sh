#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# x86-64: its machines and traces, by name; what is refused; a recorded program in every mode.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/arm.nwt"
cd "$dir" || exit 1
{
  printf 'stream - 0\n0 map 0x7ffff7a00000 0x200000 7 0\n'
  for page in 0 1 2 3 4 5 6 7; do
    printf '0 block 0x7ffff7a%x0000 20\n0 load 0x7ffff7a%x1008 8\n0 store 0x7ffff7a%x2010 8\n' \
      $page $page $page
  done
  printf '0 unmap 0x7ffff7a00000 0x100000\n0 load 0x7ffff7b00000 8\n'
} | "$make_trace" x86.nwt x86-64

for machine in zen2 zen4 nehalem haswell skylake golden-cove; do
  try 0 compare -m "$machine" -w x86.nwt -q
  for mode in native nested shadow selective agile; do
    says out "$mode"
  done
done
try 0 compare -m skylake -w x86.nwt -q --set format=5-level --set hypervisor.stage2_levels=5

# A trace and a machine have to be of one architecture.
try 2 run -m zen2 -w arm.nwt
says err 'arm.nwt: recorded from a program for armv7, expected x86-64, the architecture of machine'
try 2 run -m teaching -w x86.nwt
says err 'x86.nwt: recorded from a program for x86-64, expected armv7'

refused() {
  try 2 run -m "$1" -w "$2" --set "$3"
  says err "$4"
}
refused skylake x86.nwt format=lpae "format: found 'lpae', expected '4-level' or '5-level'"
refused teaching arm.nwt format=4-level "format: found '4-level', expected 'short' or 'lpae'"
refused teaching arm.nwt guest.pcids=3 'guest.pcids: found on armv7, expected on x86-64 only'
refused teaching arm.nwt hypervisor.stage2=ept 'hypervisor.stage2: found on armv7'
refused teaching arm.nwt 'hypervisor.stage2_pages=[1G]' 'found 1G, expected 4K and 2M only'
refused teaching arm.nwt hypervisor.pf_filter=true 'ARMv7 sends a hypervisor no page faults'
refused zen2 x86.nwt hypervisor.pf_filter=true "AMD's SVM intercepts all page faults or none"
refused zen2 x86.nwt hypervisor.shadow.direct_faults=true 'without hypervisor.pf_filter'
refused zen2 x86.nwt hypervisor.ept_flags=true 'expected false with hypervisor.stage2 npt'
refused zen2 x86.nwt hypervisor.stage2_levels=3 'hypervisor.stage2_levels'
refused zen2 x86.nwt guest.pcids=65 'guest.pcids'
refused zen2 x86.nwt guest.deprivileged=true 'on x86-64 the guest kernel keeps ring 0'
refused zen2 x86.nwt mmu.physical_bits=31 'mmu.physical_bits'
refused zen2 x86.nwt guest.memory=128GiB 'guest.memory is 137438953472 bytes'
try 0 run -m haswell -w x86.nwt -p shadow --set hypervisor.shadow.direct_faults=true

# A real program, where one can be recorded.
if command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ]; then
  for n in 1 5 3 2 4; do echo $n; done >numbers
  try 0 record -q -o sort.nwt -- /usr/bin/sort -n numbers
  [ "$(tr -d '\n' <out)" = 12345 ] || fail 'the recorded program does not print what it should'
  try 0 compare -m skylake -w sort.nwt -q --json
  for mode in native nested shadow selective agile; do
    says out "\"$mode\""
  done
fi
finish
