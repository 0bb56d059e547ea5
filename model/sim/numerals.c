/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/numerals.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void nw_grouped(char *out, size_t size, uint64_t value) {
  char digits[24], grouped[32];
  size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value), used = 0;
  for (size_t i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0)
      grouped[used++] = ',';
    grouped[used++] = digits[i];
  }
  grouped[used] = '\0';
  snprintf(out, size, "%s", grouped);
}
