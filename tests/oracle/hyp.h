/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the program in the virtual machine share. */
#ifndef NW_ORACLE_HYP_H
#define NW_ORACLE_HYP_H

#include <stdint.h>

#include "protocol.h"

#define PAR_F 1u
#define PAR_LPAE (1u << 11)

/** Makes a physical address reachable; good up to the end of its gigabyte, until the next call. */
volatile void *hyp_window(uint64_t address);

/** Invalidates what may be kept of the tables that are asked about. */
void hyp_flush_guest(void);

/** Asks by an address-translation operation. */
void hyp_ask(uint32_t how, uint32_t address, struct oracle_answer *answer);

/** Asks by a real fetch. */
void hyp_fetch(uint32_t how, uint32_t address, struct oracle_answer *answer);
void hyp_fetch_prepare(void);

#endif
