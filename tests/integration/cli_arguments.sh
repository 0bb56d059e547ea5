#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, version, and every kind of wrong usage.
. "$top_srcdir/tests/integration/cli_common.sh"

try 0 --version
says out 'nestwalk 0.'
try 0 --help
for command in record run compare sweep results plot trace translate explain; do
  says out "  $command "
done
cp "$dir/out" "$dir/help"
try 0 help
cmp -s "$dir/out" "$dir/help" || fail "help is not --help"
for command in record run compare sweep results plot trace translate explain; do
  try 0 "$command" --help
  says out 'Usage: nestwalk'
  says out "$command"
  silent err
  cp "$dir/out" "$dir/help"
  try 0 help "$command"
  cmp -s "$dir/out" "$dir/help" || fail "help $command is not $command --help"
done
for command in record run compare sweep results plot trace translate explain; do
  try 0 "$command" --help
  says out 'Example'
  try 0 "$command" --version
  says out 'nestwalk 0.'
done

try 2
says err 'no command'
try 2 rum
says err "no command 'rum'; expected record, run, compare"
try 2 help rum
says err "no command 'rum'"
try 2 --frobnicate
says err "unknown option '--frobnicate'"

for command in run compare; do
  try 2 "$command"
  says err 'no machine; expected -m MACHINE'
  says err "nestwalk $command --help"
  try 2 "$command" -m teaching
  says err 'no trace; expected -w TRACE'
  try 2 "$command" -m
  says err "option '-m' needs a value"
  try 2 "$command" --set
  says err "option '--set' needs a value"
  try 2 "$command" -m teaching -w x -Z
  says err "unknown option '-Z'"
  try 2 "$command" -m teaching -w x --frobnicate
  says err "'--frobnicate'"
  try 2 "$command" -m teaching -w x --quiet=3
  says err "option '--quiet' takes no value"
  try 2 "$command" -m teaching -w x surplus
  says err "found 'surplus'"
  try 2 "$command" -m teaching -w x --limit 0
  says err "--limit: found '0'"
  try 2 "$command" -m teaching -w x --limit 4x
  try 2 "$command" -m teaching -w x -p sideways
  says err "no mode 'sideways'; the modes are native, nested, shadow, selective, agile"
  try 2 "$command" -m teaching -w x -p ''
  says err 'the modes are'
  silent out
done
try 2 run -m teaching -w x -p nested,shadow
says err 'found 2 modes, expected one'
try 2 run -m teaching -w x -w y
says err 'found 2 traces, expected one'
try 2 compare -m teaching -w x -p nested,nested
says err "the mode 'nested' twice"
try 2 compare -m teaching -w x -p nested,
says err "no mode ''"
try 2 compare -m teaching -w x -j 0
says err "-j: found '0'"
finish
