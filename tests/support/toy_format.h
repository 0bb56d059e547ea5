/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor formats that no machine has. Long descriptors with accessed and dirty flags that
 * hardware sets, in both stages: no ARMv7 format makes the walker update a descriptor; this one
 * does, so that the rules of updates are proved before the formats that live by them. And long
 * descriptors in four levels, for the reference counts of the literature.
 */
#ifndef NW_TESTS_SUPPORT_TOY_FORMAT_H
#define NW_TESTS_SUPPORT_TOY_FORMAT_H

#include "core/format.h"

#define TOY_ACCESSED (1ull << 55) /* of tables and leaves: set as they are used */
#define TOY_DIRTY (1ull << 56)    /* of leaves: set by the first write */
#define TOY_SWITCHES (1ull << 58) /* of tables, agile paging: the guest's table comes next */

extern const struct nw_format toy_format_s1;
extern const struct nw_format toy_format_s2;
extern const struct nw_format toy_four_s1;
extern const struct nw_format toy_four_s2;

#endif
