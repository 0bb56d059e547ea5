/* SPDX-License-Identifier: Apache-2.0 */
/* stream MEGABYTES ROUNDS: the four kernels of the STREAM benchmark over three arrays. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  size_t count = (size_t)atoi(argv[1]) * (1u << 20) / sizeof(double);
  double *a = malloc(count * sizeof *a);
  double *b = malloc(count * sizeof *b);
  double *c = malloc(count * sizeof *c);
  if (a == NULL || b == NULL || c == NULL)
    return 1;
  for (size_t i = 0; i < count; i++)
    a[i] = (double)i;
  for (int round = atoi(argv[2]); round > 0; round--) {
    for (size_t i = 0; i < count; i++)
      c[i] = a[i];
    for (size_t i = 0; i < count; i++)
      b[i] = 3.0 * c[i];
    for (size_t i = 0; i < count; i++)
      c[i] = a[i] + b[i];
    for (size_t i = 0; i < count; i++)
      a[i] = b[i] + 0.5 * c[i];
  }
  printf("%g\n", a[count / 2] + b[count / 3] + c[count / 5]);
  return 0;
}
