#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run-bochs MODEL MEBIBYTES ROM: in the folder where it is called, boots a machine with a CPU of that
# model, so much memory and that option ROM. The file "questions" is its first disk, "answers", made here, the second.
# Exit status 0 when the program in the ROM has shut the machine down.
#
# NW_ORACLE_BOCHS: another program than "bochs". BXSHARE, as everywhere: where its BIOS files are.
set -eu

model=$1 megabytes=$2 rom=$3
share=${BXSHARE:-/usr/share/bochs}
cylinder=$((16 * 63 * 512))
cylinders=$((($(stat -c %s questions) + cylinder - 1) / cylinder + 1))
answer_cylinders=4096
trap 'rm -f bochsrc go said bochs.log questions.lock answers.lock' EXIT

# The program reads whole pieces of the disk, so there is a spare cylinder.
truncate -s $((cylinders * cylinder)) questions
truncate -s $((answer_cylinders * cylinder)) answers

cat >bochsrc <<end
config_interface: textconfig
display_library: term
memory: guest=$megabytes, host=$megabytes
romimage: file=$share/BIOS-bochs-latest
vgaromimage: file=$share/VGABIOS-lgpl-latest
optromimage1: file=$rom, address=0xd0000
cpu: model=$model, count=1, ips=10000000, reset_on_triple_fault=0
clock: sync=none
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=questions, mode=flat, cylinders=$cylinders, heads=16, spt=63
ata0-slave: type=disk, path=answers, mode=flat, cylinders=$answer_cylinders, heads=16, spt=63
port_e9_hack: enabled=1
log: bochs.log
info: action=ignore
error: action=ignore
panic: action=fatal
end

# Debian's Bochs always has its debugger, which is told to continue; the program ends it by way of
# the port that panics, so the exit status tells nothing.
echo c >go
TERM=dumb "${NW_ORACLE_BOCHS:-bochs}" -q -f bochsrc -rc go </dev/null >said 2>&1 || true
if ! grep -q 'Shutdown port: shutdown requested' bochs.log 2>/dev/null ||
  grep -a '^ept.rom: ' said; then
  echo "Bochs did not come to its end:"
  grep -a 'PANIC\|EMERGENCY' bochs.log 2>/dev/null || tail -n 20 said
  exit 1
fi >&2
