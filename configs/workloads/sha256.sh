# SPDX-License-Identifier: Apache-2.0
about="computes on a small set: coreutils' sha256sum over a file; few pages, hardly a TLB miss"
packages="coreutils"
references=17
prepare() { text 60000 >text; }
program=(root/usr/bin/sha256sum text)
