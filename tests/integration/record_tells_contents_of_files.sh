#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CONTENT events: what private mappings of files hold, the same for every process that maps them.
. "$top_srcdir/tests/integration/record_common"
need_arm

# contents TRACE STREAM: "address length tag page" of each event of a stream
contents() {
  "$nestwalk" trace dump --stream="$2" "$1" | awk '$2 == "content" { print $3, $4, $5, $6 }'
}

# A shell that starts another program of the same file, and forks.
cp "$NW_BUSYBOX" busybox
record two.nwt ./busybox sh -c './busybox true; ./busybox true; :'
contents two.nwt 0 >first
contents two.nwt 1 >second
contents two.nwt 2 >third
[ -s first ] || fail 'nothing is told of the program file'
cmp -s first second && cmp -s first third || fail "processes differ: $(cat first second third)"
equal 'tags of one file' "$(cut -d' ' -f3 first | sort -u | wc -l)" 1

# The loader has cleared the end of the data: that page is not the file's any more.
written=$("$nestwalk" trace dump --stream=0 two.nwt |
  awk '$2 == "map" && $5 == "0x3" && $6 == "0x9" && !seen++ { print $3, $4 }')
[ -n "$written" ] || fail 'the program has no initialised data'
grep -q "^${written% *} " first || fail 'nothing is told of initialised data'
grep -q "^$written " first && fail 'a page that the loader has written counts as the file'"'s"

# The tag is of the bytes: not of the name, nor of the place.
mkdir elsewhere
cp busybox elsewhere/other
record same.nwt elsewhere/other true
equal 'tag of a copy' "$(contents same.nwt 0 | cut -d' ' -f3 | sort -u)" \
  "$(cut -d' ' -f3 first | sort -u)"
printf x >>elsewhere/other
record changed.nwt elsewhere/other true
[ "$(contents changed.nwt 0 | cut -d' ' -f3 | sort -u)" != "$(cut -d' ' -f3 first | sort -u)" ] ||
  fail 'a file with another byte has the same tag'

# What it is for: a host that merges equal pages finds some, and more than without the events.
"$nestwalk" run -q -m cortex-a15 -w two.nwt -p nested -o out \
  --set hypervisor.ksm.pages=10000 --set hypervisor.ksm.interval=100000 >/dev/null
merged=$(awk '$1 == "ksm.merged" { print $2 }' out/stats.txt)
[ "$merged" -gt 20 ] || fail "$merged pages merged of three processes of one program"

# Mappings that a program makes itself: from any page on, private ones alone, as far as the file goes.
command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ] || exit 0
gcc=${CC%% -fsanitize*}
$gcc -O1 -static -o maps "$inputs/record_file_maps.c" || skip 'no static C library'
head -c 20000 busybox >data
record maps.nwt ./maps data
data=$(contents maps.nwt 0 | grep -v "$(contents maps.nwt 0 | head -n 1 | cut -d' ' -f3)")
equal 'mappings of the file' "$(echo "$data" | cut -d' ' -f2,4 | tr '\n' ' ')" \
  '0x5000 0x0 0x2000 0x3 '
equal 'its tags' "$(echo "$data" | cut -d' ' -f3 | sort -u | wc -l)" 1
