#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Traces that are none, are damaged, or are not for this machine; machines too small.
. "$top_srcdir/tests/integration/cli_common.sh"
small_trace "$dir/t.nwt"
cd "$dir" || exit 1

refuses() {
  for command in run compare; do
    try 2 "$command" -m teaching -w "$1"
    says err "$1"
    silent out
  done
}

refuses absent.nwt
says err 'No such file'
: >empty.nwt
refuses empty.nwt
echo 'This is no trace, and not a short one either. This is no trace, and not a short one.' >text.nwt
refuses text.nwt
size=$(wc -c <t.nwt)
head -c $((size - 10)) t.nwt >cut.nwt
refuses cut.nwt
head -c $((size / 2)) t.nwt >half.nwt
refuses half.nwt
# A byte in the middle, where the chunk is: only found while replaying.
{
  head -c $((size / 3)) t.nwt
  printf '\245'
  tail -c +$((size / 3 + 2)) t.nwt
} >damaged.nwt
refuses damaged.nwt
refuses .

printf 'stream - 0\n0 block 0x1000 5\n' | "$make_trace" other.nwt x86-64
refuses other.nwt
says err 'x86-64'
printf 'stream - 0\n0 fork 0 0 1\n' | "$make_trace" fork.nwt
refuses fork.nwt
says err 'forks stream 0'
printf 'stream - 0\n0 map 0xffff000000000000 0x1000 3 0\n' | "$make_trace" high.nwt
refuses high.nwt
says err 'record 0 of stream 0'

# 2 MiB of guest memory for 1024 pages.
awk 'BEGIN {
  print "stream - 0"
  for (page = 0; page < 1024; page++) printf "0 store %d 4\n", 1048576 + page * 4096
}' | "$make_trace" large.nwt
for command in run compare; do
  try 1 "$command" -m teaching -w large.nwt --set guest.memory=2MiB
  says err 'guest.memory is too small'
  says err 'of stream 0'
done
finish
