#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One pass for many sizes gives each point the very statistics that a simulation of its own gives it,
# and is not used where it could not.
. "$top_srcdir/tests/integration/cli_common.sh"
. "$top_srcdir/tests/integration/sweep_common.sh"
cd "$dir" || exit 1

# Processes that fork, protect, map and unmap under each other's feet; a working set that moves.
try 0 trace synth -o forks.nwt --references=150000 --processes=3 --footprint=1M --locality=zipf \
  --pte-writes=6000:fork:4
try 0 trace synth -o churn.nwt --references=150000 --processes=5 --footprint=6M \
  --locality=working-set:256K:300 --pte-writes=4000:protect:8

# exact NAME: what one pass says of NAME.yaml is what simulations say
exact() {
  try 0 sweep "$1.yaml" -w forks.nwt -w churn.nwt -o "$1-pass.db"
  points=$(sed -n 's/.*: \([0-9]*\) points: .*/\1/p' out)
  says out "$points run ($points of them by one pass)"
  try 0 sweep "$1.yaml" -w forks.nwt -w churn.nwt -o "$1-each.db" --simulate
  says out "$points run, 0 there before"
  try 0 results compare "$1-pass.db" "$1-each.db"
  equal "$1" "$(cat out)" \
    "$points points in both, 0 of them changed (0 statistics); 0 only in $1-pass.db, 0 only in $1-each.db"
}

cat >level2.yaml <<'YAML'
machines: [cortex-a15]
modes: [native, nested, shadow]
skip_impossible: true
set: {guest.quantum: 3000, mmu.l1d.policy: random}
statistics: [mmu.l2.accesses, mmu.l2.misses, 'mmu.*.hits', 'mmu.l*.hits.*', mmu.l1d.misses, 'guest.*']
axes:
  - mmu.l2.entries: [1, 2, 3, 8, 24, 64, 512, 2048]
  - mmu.l2.ways: [1, 2, 3, 8, 64]
YAML
sed -i "s/'mmu.\*.hits', //" level2.yaml
exact level2

cat >level1.yaml <<'YAML'
machines: [cortex-a15]
modes: [native, nested, shadow]
set: {guest.quantum: 2000, guest.large_pages: always, 'hypervisor.stage2_pages': [4K, 2M]}
statistics: ['mmu.l1?.accesses', 'mmu.l1?.hits*', 'mmu.l1?.misses', sim.references, cycles.base]
axes:
  - mmu.l1d.entries: {from: 1, to: 40, step: 3}
    mmu.l1d.ways: {from: 1, to: 40, step: 3}
  - mmu.l1i.entries: [2, 8]
    mmu.l1i.ways: [2, 2]
YAML
exact level1

# Without a second level, and with pages of 1 MB and of 4 KB under short descriptors.
sed 's/^set:.*/set: {format: short, mmu.l2.entries: 0, guest.quantum: 700, guest.large_pages: aligned}/' \
  level1.yaml >alone.yaml
exact alone

# by_pass N FILE: N points of a dry run are by one pass
by_pass() {
  try 0 sweep "$2" -w forks.nwt --dry-run
  equal "points by one pass in $2" "$(grep -c ' one pass ' out)" "$1"
}
base='machines: [cortex-a15]
axes:
- mmu.l2.entries: [16, 32, 64, 128, 256]'
counts='statistics: [mmu.l2.misses]'
printf '%s\n%s\n' "$base" "$counts" >some.yaml
by_pass 5 some.yaml
printf '%s\n' "$base" >some.yaml
by_pass 0 some.yaml
printf '%s\nstatistics: [mmu.l2.misses, mmu.walks]\n' "$base" >some.yaml
by_pass 0 some.yaml
printf '%s\nstatistics: [mmu.l2.misses.4K]\n' "$base" >some.yaml
by_pass 0 some.yaml
printf '%s\nstatistics: [sim.cycles]\n' "$base" >some.yaml
by_pass 0 some.yaml
for set in 'mmu.l2.policy: fifo' 'hypervisor.ksm.pages: 10'; do
  printf '%s\n%s\nset: {%s}\n' "$base" "$counts" "$set" >some.yaml
  by_pass 0 some.yaml
done
for mode in selective agile; do
  printf '%s\n%s\nmodes: [%s]\n' "$base" "$counts" "$mode" >some.yaml
  by_pass 0 some.yaml
done
for set in 'hypervisor.shadow.prefetch: 1' 'hypervisor.shadow.memory: 1MiB'; do
  printf '%s\n%s\nset: {%s}\nmodes: [shadow]\n' "$base" "$counts" "$set" >some.yaml
  by_pass 0 some.yaml
done
# What the second level is asked depends on the first one's size.
printf 'machines: [cortex-a15]\nstatistics: [mmu.l2.misses]\naxes:\n- mmu.l1d.entries: [1, 2, 4, 8, 16]\n  mmu.l1d.ways: [1, 2, 4, 8, 16]\n' >some.yaml
by_pass 0 some.yaml
printf 'machines: [cortex-a15]\nstatistics: [mmu.l1i.misses]\naxes:\n- mmu.l1d.entries: [1, 2, 4, 8, 16]\n  mmu.l1d.ways: [1, 2, 4, 8, 16]\n' >some.yaml
by_pass 5 some.yaml
# Each latency of a walk cache is another machine, but the TLB is asked the same: a pass for each.
printf '%s\n- mmu.walk_cache.latency: [1, 2]\n%s\n' "$base" "$counts" >some.yaml
by_pass 10 some.yaml
# A level that is not there is no size.
printf 'machines: [cortex-a15]\n%s\naxes:\n- mmu.l2.entries: [0, 16, 32, 64, 128]\n' "$counts" >some.yaml
by_pass 4 some.yaml
finish
