/* SPDX-License-Identifier: Apache-2.0 */
/* Random extended page tables in the images of a case. */
#ifndef NW_ORACLE_EPT_TABLES_H
#define NW_ORACLE_EPT_TABLES_H

#include <stdbool.h>

#include "../images.h"
#include "../tree.h"

#define EPT_LEVELS 4

/** Puts both arenas into the machine's memory. */
void ept_place_images(struct images *images, struct dice *dice);

/** Plans a tree. Its pages are in RAM, since a guest's table may be looked for there. Where there are
 * no pages of 1 GB, none leads to one. */
void ept_plan(struct tree *tree, bool gigabyte_pages, struct images *images, struct dice *dice);

#endif
