/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of programs that do not exist: processes whose footprint, locality, share of stores and
 * rate of page-table writes are what one asks for. The same settings and seed give the same trace,
 * byte for byte.
 *
 * A process runs through a list of phases again and again. In each it makes loads and stores over
 * the phase's footprint, as the phase's locality has it, a fixed number of instructions to each;
 * and it asks its kernel for as much mapping, protecting or forking as makes the phase's rate of
 * page-table writes. Pages of the footprint come on first touch; their page-table writes are not
 * in the rate. Which writes a kernel makes is counted as the simulated guest kernel does it
 * (system/guest_kernel.h), but for those to tables above the last level.
 */
#ifndef NW_TRACE_SYNTHETIC_H
#define NW_TRACE_SYNTHETIC_H

#include <stdbool.h>

#include "trace/trace.h"

/* Where the next load or store goes. Words of 4 bytes. */
enum nw_locality {
  NW_LOCALITY_UNIFORM = 0, /* any word of the footprint */
  NW_LOCALITY_ZIPF,        /* a page by Zipf's law: the k-th page with weight 1/k^exponent */
  NW_LOCALITY_SEQUENTIAL,  /* `stride` bytes on, and from the footprint's end to its start */
  NW_LOCALITY_WORKING_SET, /* any word of a window, which moves at random now and then */
};

/* What makes the kernel write page tables. */
enum nw_churn {
  NW_CHURN_MAP = 0, /* maps `batch` pages, stores to each, unmaps them: 2 writes a page */
  NW_CHURN_PROTECT, /* makes `batch` pages read-only, or writable again, and loads from each: 1 */
  NW_CHURN_FORK, /* forks a child, which stores to `batch` pages and exits while the parent waits:
                       2 for each page there is, 2 for each that the child stores to, and 2 for
                       each that the parent stores to before it forks again */
};

struct nw_synthetic_phase {
  uint64_t references; /* length of a turn; 0: all there are */
  uint64_t footprint;  /* bytes: whole pages, up to NW_SYNTHETIC_FOOTPRINT_MAX */
  enum nw_locality locality;
  double exponent;       /* zipf: 0 or more */
  uint64_t stride;       /* sequential: bytes, a multiple of 4 */
  uint64_t window;       /* working set: bytes, whole pages, up to the footprint */
  uint64_t window_stays; /* working set: it moves after so many loads and stores */
  double stores;         /* share of loads and stores that are stores: 0 to 1 */
  uint32_t instructions; /* to each load or store: 1 to NW_SYNTHETIC_INSTRUCTIONS_MAX */
  double pte_writes;     /* per million references; 0 or more */
  enum nw_churn churn;
  uint32_t batch; /* pages: 1 to NW_SYNTHETIC_BATCH_MAX */
};

#define NW_SYNTHETIC_FOOTPRINT_MAX (UINT64_C(2) << 30)
#define NW_SYNTHETIC_INSTRUCTIONS_MAX 1000u
#define NW_SYNTHETIC_BATCH_MAX 256u
#define NW_SYNTHETIC_PHASES_MAX 16
#define NW_SYNTHETIC_PROCESSES_MAX 1000u

struct nw_synthetic {
  struct nw_synthetic_phase phase[NW_SYNTHETIC_PHASES_MAX];
  uint32_t phases;
  uint32_t processes;
  uint64_t references; /* of all processes together, exactly, those of forked children included */
  uint64_t seed;
};

/* One phase with the settings that an option not given has. */
struct nw_synthetic_phase nw_synthetic_phase_default(void);

/* Writes the trace. header->recorder, argc and argv are used, and architecture unless it is NULL: armv7. */
enum nw_trace_result nw_synthetic_write(const char *path, const struct nw_synthetic *settings,
                                        const struct nw_trace_header *header,
                                        struct nw_trace_error *error);

#endif
