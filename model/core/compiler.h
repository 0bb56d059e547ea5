/* SPDX-License-Identifier: Apache-2.0 */
/* Where a function is put is part of the hot paths' design; on compilers that cannot be told, it is
 * left to them. */
#ifndef NESTWALK_CORE_COMPILER_H
#define NESTWALK_CORE_COMPILER_H

#if defined(__GNUC__)
#define NWI_ALWAYS_INLINE static inline __attribute__((always_inline))
#define NWI_NOINLINE __attribute__((noinline))
#else
#define NWI_ALWAYS_INLINE static inline
#define NWI_NOINLINE
#endif

#endif
