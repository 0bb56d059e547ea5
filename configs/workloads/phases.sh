# SPDX-License-Identifier: Apache-2.0
about="phases: a script turns from following pointers to 30 short processes and back, three times"
packages="dash coreutils"
references=58
prepare() {
  compile chase
  cat >script <<'END'
round=0
while [ $round -lt 3 ]; do
  ./chase 6 2500000
  i=0
  while [ $i -lt 30 ]; do
    /usr/bin/basename /some/folder/file$i.c .c >/dev/null
    i=$((i + 1))
  done
  round=$((round + 1))
done
END
}
program=(root/bin/dash script)
