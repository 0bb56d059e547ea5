# SPDX-License-Identifier: Apache-2.0
about="a compiler: gcc's cc1 translates a small program; 17 MB of code"
packages="cpp-12"
references=96
prepare() {
  awk 'BEGIN {
    print "typedef struct list { struct list *next; int value; } list;"
    for (i = 0; i < 2; i++) {
      printf "int sum%d(list *l, int n) {\n  int s = %d;\n", i, i
      printf "  for (; l; l = l->next) {\n"
      printf "    if (l->value %% %d == n) s += l->value * %d;\n", i + 2, i
      printf "    else s ^= l->value << (n & %d);\n  }\n  return s;\n}\n", i % 7 + 1
    }
  }' >sums.c
}
# shellcheck disable=SC2154 # what record sets
program=(root/usr/lib/gcc/"$triplet"/12/cc1 -quiet -O1 sums.c -o sums.s)
[ "$architecture" != armv7 ] || program+=(-mfloat-abi=hard -mfpu=vfpv3-d16 -march=armv7-a)
