#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nestwalk trace convert: each format read by its layout, packed and from a pipe, there and back, damaged.
. "$top_srcdir/tests/integration/cli_common.sh"
cd "$dir" || exit 1
mkdir tmp
TMPDIR=$dir/tmp
export TMPDIR

# number BYTES VALUE: little-endian
number() {
  value=$2
  bytes=
  for _ in $(seq "$1"); do
    bytes=$bytes\\$(printf %03o $((value & 255)))
    value=$((value >> 8))
  done
  printf "$bytes"
}

# records TRACE: what a dump says, without record numbers and exits
records() {
  "$nestwalk" trace dump ${2:+--stream=$2} "$1" | sed 's/^[0-9]* //' | grep -v '^exit'
}

# same FILE TEXT: the records of a trace
same() {
  records "$1" >found
  printf '%s\n' "$2" >wanted
  cmp -s found wanted || {
    fail "$1 is not what was expected:"
    diff wanted found
  }
}

# -- lackey ------------------------------------------------------------------------------------------
cat >lackey.txt <<'TEXT'
==12== Lackey, an example Valgrind tool

I  04000ff8,3
I  04000ffb,5
I  04001000,4
 S 1ffefffe60,8
I  04001004,1
 L 1ffefffe60,8
 M 04227f98,4
I  04001005,2
==12== 
TEXT
expected='block 0x4000ff8 2
block 0x4001000 1
store 0x1ffefffe60 8
block 0x4001004 1
load 0x1ffefffe60 8
load 0x4227f98 4
store 0x4227f98 4
block 0x4001005 1'
try 0 trace convert -o l.nwt lackey.txt
says out 'l.nwt: 9 references of a lackey trace'
same l.nwt "$expected"
try 0 trace info --verify l.nwt
says out 'architecture  x86-64'
if command -v valgrind >/dev/null; then
  tests=$((tests + 1))
  valgrind --tool=lackey --trace-mem=yes --log-fd=9 true 9>real.txt 2>/dev/null
  "$nestwalk" trace convert -q -o real.nwt - <real.txt || fail 'what lackey prints is not read'
  equal 'references of a real trace' \
    "$("$nestwalk" trace info --json real.nwt | sed -n 's/^  "references": \(.*\),/\1/p')" \
    "$(awk '/^I| [LS] / { n++ } / M / { n += 2 } END { print n }' real.txt)"
fi

# -- ChampSim ----------------------------------------------------------------------------------------
# champsim IP BRANCH TAKEN STORES(2) LOADS(4)
champsim() {
  number 8 "$1"
  number 1 "$2"
  number 1 "$3"
  number 6 0x060504030201
  shift 3
  for address; do
    number 8 "$address"
  done
}
{
  champsim 0x401000 0 0 0 0 0 0 0 0
  champsim 0x401004 0 0 0x7fff0010 0 0x7fff0008 0 0x601000 0
  champsim 0x401009 1 1 0 0 0 0 0 0
  champsim 0x402000 0 0 0x10 0x20 0x30 0x40 0x50 0x60
} >c.champsim
expected='block 0x401000 2
load 0x7fff0008 8
load 0x601000 8
store 0x7fff0010 8
block 0x401009 1
block 0x402000 1
load 0x30 8
load 0x40 8
load 0x50 8
load 0x60 8
store 0x10 8
store 0x20 8'
try 0 trace convert -o c.nwt c.champsim
says out 'of a champsim trace'
same c.nwt "$expected"
{
  number 8 0x401000
  number 16 0
  for address in 1 2 0 4 5 6 7 0; do number 8 $((address * 4096)); done
  number 8 0
} >s.cloudsuite
try 0 trace convert --format=cloudsuite -o s.nwt s.cloudsuite
same s.nwt 'block 0x401000 1
load 0x5000 8
load 0x6000 8
load 0x7000 8
store 0x1000 8
store 0x2000 8
store 0x4000 8'

# -- drmemtrace --------------------------------------------------------------------------------------
# entry TYPE SIZE ADDRESS
entry() {
  number 2 "$1"
  number 2 "$2"
  number 8 "$3"
}
{
  entry 25 0 7
  entry 22 4 100 # a thread, its process, a marker
  entry 24 4 100
  entry 28 2 12345
  entry 47 3 0x909090 # an encoding
  entry 10 3 0x401000
  entry 0 8 0x7fff0000
  entry 10 2 0x401003
  entry 17 2 0x0205 # a bundle of two: 5 and 2 bytes
  entry 2 1 0x9000  # a prefetch
  entry 1 4 0x601000
  entry 22 4 101
  entry 24 4 100
  entry 13 2 0x402000
  entry 29 2 0x402000 # the same instruction, not fetched again
  entry 1 8 0x602000
  entry 23 4 101
  entry 22 4 100
  entry 24 4 100
  entry 49 2 0x40100c
  entry 23 4 100
  entry 26 0 0
} >d.drmemtrace
try 0 trace convert -o d.nwt d.drmemtrace
says out 'd.nwt: 9 references of a drmemtrace trace'
same d.nwt 'block 0x401000 1
load 0x7fff0000 8
block 0x401003 3
store 0x601000 4
fork 0x1 0x1 0x65
block 0x40100c 1'
records d.nwt 1 >found
equal 'the second thread' "$(tr '\n' ' ' <found)" 'block 0x402000 1 store 0x602000 8 '

# -- packed, from a pipe, by name --------------------------------------------------------------------
for packer in gzip xz zstd; do
  command -v $packer >/dev/null || continue
  for file in lackey.txt c.champsim d.drmemtrace; do
    $packer -qc $file >packed
    try 0 trace convert -o p.nwt packed
    tests=$((tests + 1))
    "$nestwalk" trace convert -q -o q.nwt - <packed || fail "$file by $packer from a pipe"
    "$nestwalk" trace convert -q -o r.nwt $file
    records p.nwt >p
    records q.nwt >q
    records r.nwt >r
    cmp -s p r && cmp -s q r || fail "$file packed by $packer is read otherwise"
  done
  # Packed files may follow each other in one.
  { $packer -qc c.champsim && $packer -qc c.champsim; } >both
  try 0 trace convert -o both.nwt both
  says out 'both.nwt: 26 references'
done
try 0 trace convert --format=champsim -q -o e.nwt c.champsim
silent out

# -- there and back ----------------------------------------------------------------------------------
# Every instruction's address and every access of a trace, one a line.
references() {
  "$nestwalk" trace dump "$1" | awk '
    function hex(text,    i, value) {
      for (i = 3; i <= length(text); i++)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
      return value
    }
    $2 == "block" { va = hex($3); for (i = 0; i < $4; i++) printf "i %d\n", va + 4 * i }
    $2 == "load" || $2 == "store" { print $2, $3, "" }'
}
try 0 trace synth -o ours.nwt --references=20000 --pte-writes=500 --writes=40
for format in lackey drmemtrace champsim; do
  try 0 trace convert --to=$format -o theirs ours.nwt
  says err "left out, since $format has no place for them"
  try 0 trace convert -o back.nwt --architecture=armv7 theirs
  says out "20000 references of a $format trace"
  references ours.nwt >ours
  references back.nwt >back
  [ "$(wc -l <ours)" -eq 20000 ] || fail "$(wc -l <ours) references, expected 20000"
  if [ $format = champsim ]; then # where accesses stand among the instructions of a run is its own
    for file in ours back; do
      { grep '^i' $file && grep -v '^i' $file; } >ordered && mv ordered $file
    done
  fi
  cmp -s ours back || fail "ours and back by $format differ"
  try 0 run -q -m teaching -w back.nwt -o stats
  equal "sim.references by $format" "$(statistic stats/stats.txt sim.references)" 20000
done
"$nestwalk" trace convert --to=lackey -q -o - ours.nwt | "$nestwalk" trace convert -q -o piped.nwt - ||
  fail 'a pipe of two conversions'
tests=$((tests + 1))
references ours.nwt >ours
references piped.nwt >back
cmp -s ours back || fail 'ours and back through a pipe differ'
# Several processes: one format holds them, the others take one.
try 0 trace synth -o many.nwt --references=9000 --processes=3
try 2 trace convert --to=lackey -o theirs.txt many.nwt
says err 'has 3 streams, and lackey holds one: choose it by --stream'
[ ! -e theirs.txt ] || fail 'a refused conversion wrote a file'
try 0 trace convert --to=lackey --stream=1 -o theirs.txt many.nwt
try 0 trace convert --to=drmemtrace -o theirs many.nwt
try 0 trace convert -o back.nwt theirs
equal streams "$("$nestwalk" trace info back.nwt | awk '$1 == "streams" { print $2 }')" 3
printf 'stream - 0\n0 block 65536 1\n0 load 4096 4\n0 store 8192 4\n0 load 4096 4\n' | "$make_trace" full.nwt
try 2 trace convert --to=champsim -o theirs.c full.nwt
says err 'champsim cannot hold so many accesses of so few instructions'

# -- taken as they are -------------------------------------------------------------------------------
"$nestwalk" trace convert --to=lackey -q -o theirs ours.nwt
try 0 trace convert -q --architecture=armv7 -o back.nwt theirs
try 0 run -q -m teaching -w back.nwt -o converted
gzip -qc theirs >theirs.gz
try 0 run -m teaching -w theirs.gz --architecture=armv7 -o direct
says out 'theirs.gz on teaching, nested'
cmp -s converted/stats.txt direct/stats.txt || fail 'a trace that is converted on the way runs otherwise'
tests=$((tests + 1))
"$nestwalk" run -q -m teaching -w - --format=lackey --architecture=armv7 -o piped <theirs ||
  fail 'a trace from a pipe is not run'
cmp -s converted/stats.txt piped/stats.txt || fail 'a trace from a pipe runs otherwise'
try 0 compare -m teaching -w theirs.gz --architecture=armv7 -p native,nested
says out 'theirs.gz'
printf 'machines: [teaching]\naxes:\n- mmu.l2.entries: [16, 32]\n' >two.yaml
try 0 sweep two.yaml -w theirs.gz --architecture=armv7 -o r.db
says out '2 points: 2 run'
try 0 sweep two.yaml -w theirs --architecture=armv7 -o r.db # the same contents: the same points
says out '2 points: 0 run, 2 there before'
try 2 run -m teaching -w theirs.gz -o direct
says err 'recorded from a program for x86-64'
head -c 3000 theirs.gz >cut.gz
try 2 run -m teaching -w cut.gz --architecture=armv7 -o direct
says err "cut.gz: offset 3000: the gzip data end too early"
says err "'nestwalk trace convert' keeps the"
try 2 run -m teaching -w theirs --format=nwt
says err "--format: found 'nwt', expected lackey"
[ -z "$(ls tmp)" ] || fail 'a converted trace was left behind'

# -- damage: the offset, and what comes before it ----------------------------------------------------
# damaged MESSAGE REFERENCES OPTION...
damaged() {
  message=$1
  references=$2
  shift 2
  try 2 trace convert -o cut.nwt "$@"
  says err "$message"
  says err "the $references references before it are in cut.nwt"
  try 0 trace info --verify cut.nwt
  says out 'interrupted'
  equal "references of $*" "$(awk '$1 == "references" { print $2 }' out)" "$references"
}
head -c 80 c.champsim >cut
damaged 'cut: offset 64: found 16 bytes, expected a record of 64' 1 cut
{
  head -c 64 c.champsim
  number 8 1
  number 56 255
} >cut
damaged 'cut: offset 64: found an instruction at 0x1 with is_branch 255' 1 --format=champsim cut
head -c 100 d.drmemtrace >cut
damaged 'cut: offset 96: found 4 bytes, expected a record of 12' 3 cut
head -c 84 d.drmemtrace >cut
damaged 'cut: offset 84: found the end, expected a footer before it' 2 cut
{
  head -c 72 d.drmemtrace
  entry 99 0 0
} >cut
damaged 'cut: offset 72: found a record of type 99' 1 --format=drmemtrace cut
{
  cat lackey.txt
  echo 'I  0400,zz'
} >cut
damaged "cut: offset $(wc -c <lackey.txt): found the line 'I  0400,zz'" 9 cut
for i in $(seq 2000); do cat c.champsim; done >long
for packer in gzip xz zstd; do
  command -v $packer >/dev/null || continue
  $packer -qc long >packed
  size=$(wc -c <packed)
  head -c $((size - 7)) packed >cut
  try 2 trace convert -o cut.nwt --format=champsim cut
  says err "cut: offset $((size - 7)): the $packer data end too early"
  try 0 trace info --verify cut.nwt
  { head -c $((size / 2)) packed; printf 'XXXXXXXXXXXXXXXX'; tail -c +$((size / 2 + 17)) packed; } >cut
  try 2 trace convert -o cut.nwt --format=champsim cut
  says err 'references before it are in cut.nwt'
  try 0 trace info --verify cut.nwt
done

# -- mistakes ----------------------------------------------------------------------------------------
try 0 trace convert --help
says out 'Examples'
refuse() {
  words=$1
  shift
  try 2 trace convert "$@"
  says err "$words"
  silent out
}
echo 'what is this' >odd
refuse 'odd: offset 0: found no format that is known' -o x.nwt odd
refuse 'found no format that is known' -o x.nwt /dev/null
refuse 'absent: No such file' -o x.nwt absent
refuse 'found 0 files' -o x.nwt
refuse 'expected -o FILE' c.champsim
refuse "--format: found 'gem5'" --format=gem5 -o x.nwt c.champsim
refuse "--to: found 'gem5'" --to=gem5 -o x.nwt c.champsim
refuse "--architecture: found 'arm'" --architecture=arm -o x.nwt c.champsim
refuse "--stream: found 'x'" --stream=x --to=lackey -o x l.nwt
refuse 'no stream 7' --stream=7 --to=lackey -o x l.nwt
refuse 'found nwt on both sides' --format=nwt -o x l.nwt
refuse 'expected our own format on one side' --format=champsim --to=lackey -o x c.champsim
refuse 'written to a file, not to a pipe' -o - c.champsim
refuse 'cloudsuite: read, but not written' --to=cloudsuite -o x l.nwt
[ ! -e x.nwt ] && [ ! -e x ] || fail 'a refused command wrote a file'
finish
