/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and syndromes in words, for people. What a descriptor does is the core's to say; here
 * its fields only get the manual's names.
 */
#ifndef NW_CASE_DESCRIBE_H
#define NW_CASE_DESCRIBE_H

#include <stdio.h>

#include <nestwalk/walk.h>

/** One line: what the descriptor of a READ step is, and its fields. No line end. */
void nw_describe_descriptor(FILE *out, const struct nw_step *step, uint64_t descriptor);

/** Memory attributes and shareability as words. */
void nw_describe_attributes(FILE *out, uint8_t attr, uint8_t sh);

/** The fields of the syndrome's registers, a line each, each begun with `indent`. */
void nw_describe_syndrome(FILE *out, const struct nw_syndrome *syndrome, bool long_format,
                          const char *indent);

/** Which section of the manual a fault's check is in. */
const char *nw_describe_fault_section(const struct nw_regime *regime, const struct nw_fault *fault);

#endif
