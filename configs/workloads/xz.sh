# SPDX-License-Identifier: Apache-2.0
about="compresses 65 KB of text with large hash tables: xz with a dictionary of 8 MB"
packages="xz-utils"
references=49
prepare() { text 12000 >text; }
program=(root/usr/bin/xz --threads=1 --lzma2=preset=1,dict=8MiB -c text)
