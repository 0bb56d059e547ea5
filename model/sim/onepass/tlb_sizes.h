/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One LRU TLB in many sizes at once: from what one TLB of a running machine is asked, the hits of every
 * TLB of the geometries asked for, to the last one as if each had been simulated.
 *
 * It is exact as long as what the TLBs are asked does not depend on their size, and a page that a
 * larger TLB still has would be brought the same by a walk. nw_tlb_sizes_exact() says whether the
 * second held in what was seen.
 */
#ifndef NW_SIM_ONEPASS_TLB_SIZES_H
#define NW_SIM_ONEPASS_TLB_SIZES_H

#include "core/tlb.h"

struct nw_tlb_sizes;

struct nw_tlb_geometry {
  uint32_t entries, ways;
};

/* NULL when out of memory. */
struct nw_tlb_sizes *nw_tlb_sizes_create(const struct nw_tlb_geometry *geometries, size_t count);
void nw_tlb_sizes_destroy(struct nw_tlb_sizes *sizes);

/* To be handed to the TLB that is watched; belongs to `sizes`. */
const struct nwi_tlb_watch *nw_tlb_sizes_watch(struct nw_tlb_sizes *sizes);

/* False when something was seen that these stacks cannot tell the outcome of, or memory ran out. */
bool nw_tlb_sizes_exact(const struct nw_tlb_sizes *sizes);

/* What a TLB of this geometry, one of those asked for, would have counted: misses, and hits by page
 * size (as mmu.h numbers them), of the lookups that were told. */
struct nw_tlb_size_counts {
  uint64_t misses;
  uint64_t hits_by_size[NW_PAGE_SIZES];
};
struct nw_tlb_size_counts nw_tlb_sizes_counts(struct nw_tlb_sizes *sizes,
                                              struct nw_tlb_geometry geometry);

#endif
