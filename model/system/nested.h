/* SPDX-License-Identifier: Apache-2.0 */
/* What selective paging asks of nested paging. */
#ifndef NESTWALK_SYSTEM_NESTED_H
#define NESTWALK_SYSTEM_NESTED_H

#include "system/internal.h"

/** Lets the hardware walk the stage-2 tables of the nested mode, which is the machine's. */
void nw_nested_enable(struct nw_machine *machine);

#endif
