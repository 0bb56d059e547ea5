/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference: the C core behind the ports of the RTL. Given what goes into the MMU in a cycle it
 * says what must come out in that same cycle: every handshake, descriptor read, lookup, install,
 * response. When things happen follows from the cycles that the core itself charges for each step
 * under the RTL's machine file, so what is compared with the RTL is the core's timing, too.
 */
#ifndef NW_TB_LOCKSTEP_REFERENCE_H
#define NW_TB_LOCKSTEP_REFERENCE_H

#include <stddef.h>

#include <nestwalk/mmu.h>

#include "lockstep/ports.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nw_reference;

/**
 * Reads the costs from the machine file at `machine`, with the entries of `variant` instead of the
 * file's. Returns false, with a sentence in `error`, when that is no possible machine.
 */
bool nw_reference_config(const char *machine, const struct nw_variant_entries *variant,
                         struct nw_mmu_config *config, char *error, size_t error_size);

/** A reference in reset state; NULL with a sentence in `error` when it cannot be. */
struct nw_reference *nw_reference_create(const struct nw_mmu_config *config, char *error,
                                         size_t error_size);
void nw_reference_destroy(struct nw_reference *reference);

/** Passes one cycle. */
void nw_reference_cycle(struct nw_reference *reference, const struct nw_inputs *in,
                        struct nw_outputs *out);

/** The registers that the walk in hand, or the one before, began with; NULL before the first. */
const struct nw_regime *nw_reference_walk_regime(const struct nw_reference *reference);

#ifdef __cplusplus
}
#endif
#endif
