/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them. */
#ifndef NW_SIM_NUMERALS_H
#define NW_SIM_NUMERALS_H

#include <stddef.h>
#include <stdint.h>

/* "1,234,567" */
void nw_grouped(char *out, size_t size, uint64_t value);

#endif
