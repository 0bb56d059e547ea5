# SPDX-License-Identifier: Apache-2.0
about="follows pointers in random order through 24 MB: a TLB miss with almost every load"
references=42
program=(./chase 24 8000000)
