/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core as a golden model for benches in SystemVerilog: C functions that nw_golden_pkg.sv imports
 * by DPI-C. That package has their documentation. Types are those of IEEE 1800-2017, table H.1:
 * `bit` is unsigned char, `longint unsigned` unsigned long long, `chandle` a pointer, `string` a
 * const char *.
 */
#ifndef NW_DPI_GOLDEN_H
#define NW_DPI_GOLDEN_H

#ifdef __cplusplus
extern "C" {
#endif

void *nw_golden_create(const char *regime, unsigned int l1_entries, unsigned int l2_entries,
                       unsigned int walk_cache_entries, unsigned int ipa_cache_entries);
void nw_golden_destroy(void *golden);
unsigned char nw_golden_write_register(void *golden, const char *name, unsigned long long value);
unsigned char nw_golden_invalidate(void *golden, const char *name, unsigned long long operand);
unsigned char nw_golden_request(void *golden, unsigned long long va, unsigned int access,
                                unsigned char privileged);
unsigned char nw_golden_read(void *golden, unsigned long long *address, unsigned int *size,
                             unsigned int *stage, unsigned int *level, unsigned char *for_s1,
                             unsigned int *s1_level);
unsigned char nw_golden_answer(void *golden, unsigned long long data, unsigned char refused,
                               unsigned int cycles);
void nw_golden_translation(void *golden, unsigned long long *pa, unsigned int *rights,
                           unsigned int *page_log2, unsigned int *s1_page_log2,
                           unsigned int *s2_page_log2, unsigned int *attr, unsigned int *sh,
                           unsigned int *source, unsigned int *cycles);
unsigned int nw_golden_fault(void *golden, unsigned int *stage, unsigned int *level,
                             unsigned char *s1walk, unsigned int *domain, unsigned long long *ipa);
const char *nw_golden_fault_name(unsigned int fault);

#ifdef __cplusplus
}
#endif
#endif
