# SPDX-License-Identifier: Apache-2.0
about="puts 100000 lines of text, 3 MB, in random order: coreutils' shuf; pages at random"
packages="coreutils"
references=99
prepare() {
  text 500000 |
    awk '{ print $1, $2, $3, $4, $5; print $6, $7, $8, $9, $10 }' >text
  awk 'BEGIN { for (i = 0; i < 200000; i++) print i * 48271 % 1000003 }' >random
}
program=(root/usr/bin/shuf --random-source=random text)
