/* SPDX-License-Identifier: Apache-2.0 */
/* The MMU whose TLBs and walk caches live from query to query, until the next `regime` line. */
#ifndef NW_CASE_KEPT_MMU_H
#define NW_CASE_KEPT_MMU_H

#include <nestwalk/mmu.h>

#include "case/reader.h"

struct nw_kept_mmu {
  struct nw_mmu *mmu; /* built for the first query that needs it */
  uint64_t regimes;   /* the regime and capabilities it was built for */
  uint64_t revision;  /* the registers it has, */
  uint64_t line;      /* those that lines up to this one gave */
};

/** The MMU as it stands before the query read; NULL with a sentence in the reader's error. */
struct nw_mmu *nw_kept_mmu_get(struct nw_kept_mmu *kept, struct nw_case_reader *reader);
void nw_kept_mmu_drop(struct nw_kept_mmu *kept);

#endif
