/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physical memory of the machine in Bochs. RAM is below 4 GB alone, since Bochs takes the longer
 * to start the more there is; its end is in the second gigabyte, so that a large page of EPT can have
 * an address other than 0. From there to the devices is nothing, and beyond 4 GB neither.
 */
#ifndef NW_ORACLE_EPT_MEMORY_H
#define NW_ORACLE_EPT_MEMORY_H

#define EPT_MAXPHYADDR 40

/* What cases have; the program's own is below. */
#define EPT_RAM_FIRST 0x01000000ull
#define EPT_RAM_LAST 0x4fffffffull
#define EPT_RAM_MIB "1280"

#define EPT_DEVICES_FIRST 0xc0000000ull
#define EPT_DEVICES_LAST 0xffffffffull

#endif
