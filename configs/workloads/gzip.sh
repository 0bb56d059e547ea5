# SPDX-License-Identifier: Apache-2.0
about="compresses 75 KB of text with a 32 KB window: gzip"
packages="gzip"
references=41
prepare() { text 14000 >text; }
program=(root/bin/gzip -n -c text)
