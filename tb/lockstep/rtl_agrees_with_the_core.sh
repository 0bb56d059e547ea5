#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Some hundred thousand random walks on every variant of the RTL and on the C core, compared in every
# cycle. NW_SEED chooses others.
set -u
cd "$top_builddir" || exit 1
if ! test -x tb/lockstep/lockstep; then
  echo "SKIP: configure found no Verilator"
  exit 77
fi
exec sh "$top_srcdir/tb/lockstep/check-lockstep" --walks 300000 --seed "${NW_SEED:-1}"
