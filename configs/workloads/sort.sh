# SPDX-License-Identifier: Apache-2.0
about="sorts 14000 lines of text: coreutils' sort"
packages="coreutils"
references=35
prepare() { text 14000 | tr ' ' '\n' >words; }
program=(root/usr/bin/sort --parallel=1 -S 16M words)
