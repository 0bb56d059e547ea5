/* SPDX-License-Identifier: Apache-2.0 */
/* Bits of x86-64 descriptors, typed in from SDM vol. 3, tables 4-14 to 4-20 and 29-1 to 29-7. */
#ifndef NW_TESTS_SUPPORT_X86_BITS_H
#define NW_TESTS_SUPPORT_X86_BITS_H

/* stage 1, and AMD's nested tables */
#define X86_P (1ull << 0)
#define X86_W (1ull << 1)
#define X86_U (1ull << 2)
#define X86_PWT (1ull << 3)
#define X86_PCD (1ull << 4)
#define X86_A (1ull << 5)
#define X86_D (1ull << 6)
#define X86_PS (1ull << 7)
#define X86_PAT4K (1ull << 7)
#define X86_G (1ull << 8)
#define X86_PAT_LARGE (1ull << 12)
#define X86_KEY(key) ((uint64_t)(key) << 59)
#define X86_XD (1ull << 63)
#define X86_TABLE (X86_P | X86_W | X86_U | X86_A)
#define X86_PAGE (X86_TABLE | X86_D)

/* EPT */
#define EPT_R (1ull << 0)
#define EPT_W (1ull << 1)
#define EPT_X (1ull << 2)
#define EPT_RWX (EPT_R | EPT_W | EPT_X)
#define EPT_WB (6ull << 3)
#define EPT_IGNORE_PAT (1ull << 6)
#define EPT_PS (1ull << 7)
#define EPT_A (1ull << 8)
#define EPT_D (1ull << 9)

#endif
