# SPDX-License-Identifier: Apache-2.0
# What the tests of sweeps share: sourced after cli_common.sh, not run.

# A sweep of 24 points over t.nwt: small.yaml
small_sweep() {
  small_trace t.nwt
  cat >small.yaml <<'YAML'
title: small
machines: [teaching]
workloads: [t.nwt]
modes: [native, nested, shadow]
axes:
  - mmu.l2.entries: {from: 16, to: 128, times: 2}
  - mmu.l2.latency: [5, 10]
YAML
}

# Everything that decides about a results file's contents, in one order: contents FILE.db
contents() {
  "$nestwalk" results export "$1" --columns 'key,trace,machine,mode,seed,method,version,mmu.*,sim.*,cycles.*,hypervisor.*,guest.*'
}
