# SPDX-License-Identifier: Apache-2.0
about="streams through three arrays of 3 MB, page after page: copy, scale, add, triad"
references=26
program=(./stream 3 2)
