# SPDX-License-Identifier: Apache-2.0
about="many short processes: a dash script with 180 forks and execs of coreutils"
packages="dash coreutils"
references=42
prepare() {
  text 100 >words
  cat >script <<'END'
i=0
while [ $i -lt 60 ]; do
  name=$(/usr/bin/basename /some/folder/file$i.c .c)
  /usr/bin/wc -w words >counts.$((i % 5))
  /bin/cat counts.$((i % 5)) >/dev/null
  i=$((i + 1))
done
echo $i $name
END
}
program=(root/bin/dash script)
